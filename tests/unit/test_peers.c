/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "parse/peers.h"
#include "spimend/error.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void reads_every_form(void **state)
{
	static const struct {
		const char *line, *address;
		unsigned prefix;
		enum ownership owner;
		bool has_kind;
		enum tunnel_kind kind;
		const char *name;
	} rows[] = {
		{ "192.0.2.7", "192.0.2.7", 32, OWNERSHIP_UNKNOWN, false, TUNNEL_UNKNOWN, "" },
		{ "192.0.2.7 ours svti name hub", "192.0.2.7", 32, OWNERSHIP_OURS, true, TUNNEL_SVTI, "hub" },
		{ "198.51.100.0/24\tforeign\r\n", "198.51.100.0", 24, OWNERSHIP_FOREIGN, false, TUNNEL_UNKNOWN, "" },
		{ "  0.0.0.0/0 foreign", "0.0.0.0", 0, OWNERSHIP_FOREIGN, false, TUNNEL_UNKNOWN, "" },
		{ "2001:db8::/32 sdwan", "2001:db8::", 32, OWNERSHIP_UNKNOWN, true, TUNNEL_SDWAN, "" },
		{ "2001:db8::1", "2001:db8::1", 128, OWNERSHIP_UNKNOWN, false, TUNNEL_UNKNOWN, "" },
		{ "192.0.2.7 name ours # ours", "192.0.2.7", 32, OWNERSHIP_UNKNOWN, false, TUNNEL_UNKNOWN, "ours" },
		{ "192.0.2.7 gre-p2p ! ours", "192.0.2.7", 32, OWNERSHIP_UNKNOWN, true, TUNNEL_GRE_P2P, "" },
		{ "192.0.2.7 name hub ours", "192.0.2.7", 32, OWNERSHIP_OURS, false, TUNNEL_UNKNOWN, "hub" },
		{ "\xef\xbb\xbf""192.0.2.7 ours", "192.0.2.7", 32, OWNERSHIP_OURS, false, TUNNEL_UNKNOWN, "" }, /* an editor's mark */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char printed[SPIMEND_ADDRESS_TEXT_MAX];
		const char *reason = NULL;
		struct peer_line line;
		size_t offset = 0;

		if (peers_read_line(text_of(rows[i].line), &line, &reason, &offset) != 1)
			fail_msg("%s: %s", rows[i].line, reason);
		assert_string_equal(spimend_address_print(&line.address, printed), rows[i].address);
		assert_int_equal(line.prefix, rows[i].prefix);
		assert_int_equal(line.owner, rows[i].owner);
		assert_int_equal(line.has_kind, rows[i].has_kind);
		assert_int_equal(line.kind, rows[i].kind);
		assert_true(text_equal(line.name, text_of(rows[i].name)));
	}
}

static void passes_over_comments(void **state)
{
	static const char *const rows[] = { "", " \t\r\n", "# 192.0.2.7", "! 192.0.2.7 ours", "   #", "#" };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct peer_line line = { .prefix = 4711 };
		const char *reason = NULL;
		size_t offset;

		assert_int_equal(peers_read_line(text_of(rows[i]), &line, &reason, &offset), 0);
		assert_null(reason);
		assert_int_equal(line.prefix, 4711);
	}
}

static void says_what_is_wrong_and_where(void **state)
{
	static const struct {
		const char *line, *reason;
		size_t offset;
	} rows[] = {
		{ "hub ours", "no IPv4 or IPv6 address", 0 },
		{ "  192.0.2.256", "no IPv4 or IPv6 address", 2 },
		{ "/24", "no IPv4 or IPv6 address", 0 },
		{ "192.0.2.0/33", "prefix length", 0 },
		{ "192.0.2.0/", "prefix length", 0 },
		{ "192.0.2.0/-1", "prefix length", 0 },
		{ "192.0.2.0/24/24", "prefix length", 0 },
		{ "2001:db8::/129", "prefix length", 0 },
		{ "192.0.2.7 theirs", "expected ours, foreign", 10 },
		{ "192.0.2.7 ours vti", "expected ours, foreign", 15 },
		{ "192.0.2.7 name", "a name is missing", 10 },
		{ "192.0.2.7 name # hub", "a name is missing", 10 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct peer_line line = { .prefix = 4711 };
		const char *reason = NULL;
		size_t offset = 4711;

		assert_int_equal(peers_read_line(text_of(rows[i].line), &line, &reason, &offset), SPIMEND_E_SYNTAX);
		assert_non_null(reason);
		if (!strstr(reason, rows[i].reason) || offset != rows[i].offset)
			fail_msg("%s: %s at %zu", rows[i].line, reason, offset);
		assert_int_equal(line.prefix, 4711);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_form),
		cmocka_unit_test(passes_over_comments),
		cmocka_unit_test(says_what_is_wrong_and_where),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
