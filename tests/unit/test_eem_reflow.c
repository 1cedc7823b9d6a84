/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include "eem/eem.h"
#include "eem/reflow.h"

static char shown[16384], said[16384];

static const char *reflow(const char *text)
{
	struct buffer out = { 0 }, again = { 0 }, findings = { 0 };
	struct eem_report report = { 0 };

	assert_int_equal(eem_reflow(text_of(text), &out, &report), 0);
	eem_report_print(&report, TEXT("f"), &findings);
	text_copy(buffer_text(&findings), said, sizeof(said));
	text_copy(buffer_text(&out), shown, sizeof(shown));
	eem_report_done(&report);
	/* what came out once stays as it is */
	assert_int_equal(eem_reflow(buffer_text(&out), &again, &report), 0);
	if (!text_equal(buffer_text(&out), buffer_text(&again)))
		fail_msg("the second time it is:\n%.*s", TEXT_ARG(buffer_text(&again)));
	eem_report_done(&report);
	buffer_done(&out);
	buffer_done(&again);
	buffer_done(&findings);
	return shown;
}

static const char restored[] =
	"!--- First see that the file \"gw\" can be written\n"
	"sh ip int bri | tee /append disk0:gw.txt\n"
	"conf t\n"
	"!\n"
	"event manager applet on_bad_spi\n"
	" event syslog pattern \"CRYPTO-4-RECVD_PKT_INV_SPI.*srcaddr=198.51.100.7\"\n"
	" action 1 cli command \"enable\"\n"
	" action 2 syslog msg \"now running\" priority informational\n"
	" action 3 cli command \"show crypto ipsec sa | append disk0:gw.txt\"\n"
	" action 4 if $_regexp_result eq 1\n"
	" action 5 end\n"
	" action 8 cli command \"undebug all\"\n"
	" action 8.1 snmp-trap intdata1 77 strdata \"\"\n"
	"!\n"
	"end\n";

static void test_a_flattened_listing_is_restored(void **state)
{
	(void)state;
	assert_string_equal(reflow("!--- First see that the file \"gw\" can be written sh ip int bri | tee /append\n\n"
				   "disk0:gw.txt conf t ! event manager applet on_bad_spi event syslog pattern \"CRYPTO-4-\n\n"
				   "RECVD_PKT_INV_SPI.*srcaddr=198.51.100.7\" action 1 cli command \"enable\" action 2 syslog msg\n\n"
				   "\"now running\" priority informational action 3 cli command \"show crypto ipsec sa |\n\n"
				   "append disk0:gw.txt\" action 4 if $_regexp_result eq 1 action 5 end action\n\n"
				   "8 cli command \"undebug all\" action 8.1\n\n"
				   "snmp-trap intdata1 77 strdata \"\" ! end\n"), restored);
	assert_non_null(strstr(said, "f:5: note: a string is joined without a blank, since its line ends in a hyphen"));
	assert_non_null(strstr(said, "f:9: note: a string is joined with a blank"));
	assert_non_null(strstr(said, "f:3: note: a line of its own begins at 'conf t"));
}

static void test_one_line_is_cut(void **state)
{
	char flat[2048];

	(void)state;
	snprintf(flat, sizeof(flat), "%s", restored);
	for (char *c = flat; *c; c++)
		if (*c == '\n')
			*c = ' ';
	assert_string_equal(reflow(flat), restored);
}

static const char around[] = /* what stands in front of applets */
	"debug crypto condition peer ipv4 198.51.100.7\n"
	"debug crypto isakmp\n"
	"debug crypto ipsec\n"
	"debug crypto engine\n"
	"snmp-server enable traps event-manager\n"
	"snmp-server host 198.51.100.7 public event-manager\n"
	"snmp-server manager\n";

/* As a document does it: lines broken at blanks, and at hyphens if it likes, with or without blank lines between them. */
static void flatten(const char *text, size_t width, bool hyphens, const char *between, char *ret)
{
	size_t column = 0;

	while (*text) {
		size_t n = strcspn(text, hyphens ? " \n-" : " \n");
		bool hyphen = text[n] == '-';

		n += hyphen;
		if (column && column + (column > 0) + n > width) {
			while (ret[-1] == ' ')
				ret--;
			ret = stpcpy(ret, between);
			column = 0;
		}
		memcpy(ret, text, n);
		ret += n;
		column += n;
		text += n;
		if (!hyphen && *text) {
			*ret++ = ' ';
			column++;
			text += strspn(text, " \n");
		}
	}
	*ret = '\0';
}

static void test_any_width_is_restored(void **state)
{
	static const char *const wanted[] = { around, restored };
	static char flat[4096];

	(void)state;
	for (int i = 0; i < 2; i++)
		for (size_t width = 60; width < 160; width++)
			for (int how = 0; how < 4; how++) {
				flatten(wanted[i], width, how & 1, how & 2 ? "\n\n" : "\n", flat);
				if (strcmp(reflow(flat), wanted[i]) != 0)
					fail_msg("width %zu, %d:\n%s\nbecame:\n%s", width, how, flat, shown);
			}
}

static void test_a_filter_is_not_cut(void **state)
{
	(void)state;
	assert_string_equal(reflow("show logging | include debug crypto\nsnmp-server manager snmp-server enable traps\n"),
			    "show logging | include debug crypto\nsnmp-server manager\nsnmp-server enable traps\n");
	assert_string_equal(reflow("show logging | include debug crypto\n"), "show logging | include debug crypto\n");
}

static void test_a_clean_listing_stays(void **state)
{
	static const char clean[] =
		"hostname r1\n"
		"interface Gi0/0\n"
		" description to event manager land\n"
		" ip address 192.0.2.1 255.255.255.0\n"
		"!\n"
		"! show ip route is not run here\n"
		"event manager applet a\n"
		" event tag x none\n"
		" trigger occurs 2\n"
		"  correlate event x or event y\n"
		"! action 1 puts \"off\"\n"
		" action 2 puts \"on action 3 puts\"\n"
		"end\n";

	(void)state;
	assert_string_equal(reflow(clean), clean);
	assert_string_equal(said, "");
}

static void test_wrapped_lines_are_joined(void **state)
{
	(void)state;
	assert_string_equal(reflow("event manager applet a\n event snmp-notification oid 1.3.6.\n\n    oid-val \"7\" op eq\n"
				   " action 1 puts \"one\n two\"\n"),
			    "event manager applet a\n event snmp-notification oid 1.3.6. oid-val \"7\" op eq\n action 1 puts \"one two\"\n");
}

static void test_a_quote_that_nobody_closed_is_said(void **state)
{
	(void)state;
	reflow("event manager applet a\n event none\n action 1 cli command \"show\n action 2 puts \"x\"\n");
	assert_non_null(strstr(said, "f:4: error: a string is still open where a line begins with 'action 2"));
	assert_non_null(strstr(shown, " action 2 puts \"x\"\n"));
	reflow("event manager applet a\n event none\n action 1 puts \"x\n");
	assert_non_null(strstr(said, "a quote is open at the end"));
}

static void test_headings_become_comments(void **state)
{
	(void)state;
	assert_string_equal(reflow("Receiver:\n========\nevent manager applet a\n event none\n"),
			    "! Receiver:\n! ========\nevent manager applet a\n event none\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_flattened_listing_is_restored),
		cmocka_unit_test(test_one_line_is_cut),
		cmocka_unit_test(test_any_width_is_restored),
		cmocka_unit_test(test_a_filter_is_not_cut),
		cmocka_unit_test(test_a_clean_listing_stays),
		cmocka_unit_test(test_wrapped_lines_are_joined),
		cmocka_unit_test(test_a_quote_that_nobody_closed_is_said),
		cmocka_unit_test(test_headings_become_comments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
