/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/kind.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void the_matrix(void **state)
{
	/* B12, row by row; B15 to B17 for those without IKE. */
	static const struct {
		const char *name;
		enum kind_recovery recovery;
		bool has_ike;
	} rows[] = {
		{ "static-crypto-map", RECOVERY_YES, true },
		{ "dynamic-crypto-map", RECOVERY_NO, true },
		{ "gre-p2p", RECOVERY_YES, true },
		{ "mgre-nhrp-static", RECOVERY_YES, true },
		{ "mgre-nhrp-dynamic", RECOVERY_NO, true },
		{ "svti", RECOVERY_YES, true },
		{ "ezvpn-client", RECOVERY_NOT_APPLICABLE, true },
		{ "sdwan", RECOVERY_NOT_APPLICABLE, false },
		{ "ikeless", RECOVERY_NOT_APPLICABLE, false },
		{ "unknown", RECOVERY_UNKNOWN, true },
	};

	(void)state;
	assert_int_equal(COUNT(rows), TUNNEL_KINDS);
	for (size_t i = 0; i < COUNT(rows); i++) {
		enum tunnel_kind kind = TUNNEL_KINDS;

		assert_true(tunnel_kind_from_name(text_of(rows[i].name), &kind));
		assert_string_equal(tunnel_kind_name(kind), rows[i].name);
		assert_int_equal(kind_invalid_spi_recovery(kind), rows[i].recovery);
		assert_int_equal(kind_has_ike(kind), rows[i].has_ike);
	}
	assert_false(tunnel_kind_from_name(TEXT("vti"), &(enum tunnel_kind){ 0 }));
	assert_false(tunnel_kind_from_name(TEXT(""), &(enum tunnel_kind){ 0 }));
}

static void from_the_interface(void **state)
{
	static const struct {
		const char *interface;
		enum tunnel_kind kind;
		bool open;
	} rows[] = {
		{ "Tunnel10001", TUNNEL_SDWAN, false },  { "Tunnel99999", TUNNEL_SDWAN, false },
		{ "Tunnel10000", TUNNEL_SDWAN, false },  { "tunnel14095", TUNNEL_SDWAN, false },
		{ "Tu10001", TUNNEL_SDWAN, false },      { " Tunnel10001 ", TUNNEL_SDWAN, false },
		{ "Tunnel9999", TUNNEL_UNKNOWN, true },  { "Tunnel0", TUNNEL_UNKNOWN, true },
		{ "Tunnel100000", TUNNEL_UNKNOWN, true }, { "Tunnel00001", TUNNEL_UNKNOWN, true },
		{ "Tunnel", TUNNEL_UNKNOWN, false },     { "Tunnel10001.5", TUNNEL_UNKNOWN, false },
		{ "GigabitEthernet1", TUNNEL_UNKNOWN, false }, { "", TUNNEL_UNKNOWN, false },
		{ "Tunnel-te10001", TUNNEL_UNKNOWN, false }, { "Tunnel99999999999999999999", TUNNEL_UNKNOWN, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct text interface = text_of(rows[i].interface);

		if (kind_from_interface(interface) != rows[i].kind || kind_is_open_tunnel(interface) != rows[i].open)
			fail_msg("%s", rows[i].interface);
	}
}

static void of_a_linux_gateway(void **state)
{
	static const enum tunnel_kind gre[] = { TUNNEL_UNKNOWN, TUNNEL_GRE_P2P, TUNNEL_MGRE_NHRP_STATIC };

	(void)state;
	for (unsigned bits = 0; bits < 32; bits++)
		for (int device = GRE_DEVICE_UNKNOWN; device <= GRE_DEVICE_MULTIPOINT; device++) {
			struct kind_facts f = { .configured = bits & 1, .dynamic_peer = bits & 2, .gre = bits & 4, .virtual_address = bits & 8,
						.route_based = bits & 16, .device = (enum kind_gre)device };
			enum tunnel_kind kind = kind_of_facts(&f);

			assert_true(strlen(kind_help(kind)) > 20);
			/* Who is called in advance is decided by the connection alone. */
			if (f.configured)
				assert_int_equal(kind_invalid_spi_recovery(kind) == RECOVERY_NO, f.dynamic_peer);
			else
				assert_int_equal(kind, TUNNEL_UNKNOWN);
			if (f.configured && !f.dynamic_peer && f.virtual_address)
				assert_int_equal(kind, TUNNEL_EZVPN_CLIENT);
			else if (f.configured && !f.dynamic_peer && f.gre)
				assert_int_equal(kind, gre[device]);
			else if (f.configured && !f.dynamic_peer)
				assert_int_equal(kind, f.route_based ? TUNNEL_SVTI : TUNNEL_STATIC_CRYPTO_MAP);
			else if (f.configured)
				assert_int_equal(kind == TUNNEL_MGRE_NHRP_DYNAMIC, f.gre && device == GRE_DEVICE_MULTIPOINT);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_matrix),
		cmocka_unit_test(from_the_interface),
		cmocka_unit_test(of_a_linux_gateway),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
