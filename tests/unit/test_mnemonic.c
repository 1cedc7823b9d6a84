/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "parse/mnemonic.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void finds_every_form(void **state)
{
	static const struct {
		const char *line, *matched, *facility, *name;
	} rows[] = {
		{ "%CRYPTO-4-RECVD_PKT_INV_SPI: decaps", "%CRYPTO-4-RECVD_PKT_INV_SPI:", "CRYPTO", "RECVD_PKT_INV_SPI" },
		{ "Nov  2 04:00:48: %SYS-5-CONFIG_I: x", "%SYS-5-CONFIG_I:", "SYS", "CONFIG_I" },
		{ "foo: %SYSMGR-STANDBY-3-SHUTDOWN_START: x", "%SYSMGR-STANDBY-3-SHUTDOWN_START:", "SYSMGR-STANDBY", "SHUTDOWN_START" },
		{ "config[67105]: %MGBL-SYS-5-CONFIG_I : x", "%MGBL-SYS-5-CONFIG_I :", "MGBL-SYS", "CONFIG_I" },
		{ "%SECURITY-SSHD-6-INFO_USER_LOGOUT : x", "%SECURITY-SSHD-6-INFO_USER_LOGOUT :", "SECURITY-SSHD", "INFO_USER_LOGOUT" },
		{ "%CRYPTO-4-RECVD PKT INV SPI: x", "%CRYPTO-4-RECVD PKT INV SPI:", "CRYPTO", "RECVD PKT INV SPI" },
		{ "%>CRYPTO-4-RECVD_PKT_INV_SPI: x", "%>CRYPTO-4-RECVD_PKT_INV_SPI:", "CRYPTO", "RECVD_PKT_INV_SPI" },
		{ "%PIX-4-402101: x", "%PIX-4-402101:", "PIX", "402101" },
		{ "100% done, %d of %s: %HA_EM-6-LOG: hub", "%HA_EM-6-LOG:", "HA_EM", "LOG" },
		{ "%%IPSEC-3-HMAC_ERROR: x", "%IPSEC-3-HMAC_ERROR:", "IPSEC", "HMAC_ERROR" },
		{ "%DMVPN-0-X:", "%DMVPN-0-X:", "DMVPN", "X" },
		{ "%A-1-2-X: the first severity counts", "%A-1-2-X:", "A", "2-X" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct text line = text_of(rows[i].line);
		struct mnemonic m = { 0 };

		if (!mnemonic_find(line, 0, &m))
			fail_msg("%s: not found", rows[i].line);
		if (!text_equal(text_between(line.at + m.at, line.at + m.end), text_of(rows[i].matched)) ||
		    !text_equal(m.facility, text_of(rows[i].facility)) || !text_equal(m.name, text_of(rows[i].name)))
			fail_msg("%s: %zu to %zu, \"%.*s\", \"%.*s\"", rows[i].line, m.at, m.end, TEXT_ARG(m.facility), TEXT_ARG(m.name));
	}
}

static void passes_over_the_rest(void **state)
{
	static const char *const rows[] = {
		"", "%", "%:", "% CRYPTO-4-X: y", "CRYPTO-4-X: y", "%CRYPTO-4-X", "%CRYPTO-4-: y", "%-4-X: y", "%CRYPTO-8-X: y",
		"%CRYPTO-42-X: y", "%CRYPTO_4_X: y", "%4-X-3-Y: y", "%CRYPTO-4-X, y: z", "%CRYPTO-4", "50% of 3-4-5", "%>", "%>>CRYPTO-4-X: y",
		"%CRYPTO-4-A_NAME_THAT_IS_LONGER_THAN_ANY_MNEMONIC_THAT_WAS_EVER_SEEN_AND_THAT_NEVER_SEEMS_TO_END: y",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t len = strlen(rows[i]);
		char *exact = malloc(len ? len : 1);
		struct mnemonic m;

		memcpy(exact, rows[i], len);
		if (mnemonic_find((struct text){ exact, len }, 0, &m))
			fail_msg("%s: found", rows[i]);
		free(exact);
	}
}

static void finds_one_after_the_other(void **state)
{
	struct text line = TEXT("%IOSXE-3-PLATFORM: SIP0: %IPSEC-3-HMAC_ERROR: x %SYS-5-RESTART: y");
	struct mnemonic m;

	(void)state;
	assert_true(mnemonic_find(line, 0, &m));
	assert_true(text_equal(m.name, TEXT("PLATFORM")));
	assert_true(mnemonic_find(line, m.end, &m));
	assert_true(text_equal(m.name, TEXT("HMAC_ERROR")));
	assert_true(mnemonic_find(line, m.at, &m));
	assert_true(text_equal(m.name, TEXT("HMAC_ERROR")));
	assert_true(mnemonic_find(line, m.end, &m));
	assert_true(text_equal(m.name, TEXT("RESTART")));
	assert_false(mnemonic_find(line, m.end, &m));
	assert_false(mnemonic_find(line, line.len, &m));
	assert_false(mnemonic_find(line, line.len + 9, &m));
	assert_false(mnemonic_find(line, SIZE_MAX, &m));
}

static void names_without_their_underscores(void **state)
{
	struct mnemonic m;

	(void)state;
	assert_true(mnemonic_find(TEXT("%CRYPTO-4-RECVD PKT_INV SPI: x"), 0, &m));
	assert_true(mnemonic_name_is(&m, TEXT("RECVD_PKT_INV_SPI")));
	assert_false(mnemonic_name_is(&m, TEXT("RECVD_PKT_INV_SP")));
	assert_false(mnemonic_name_is(&m, TEXT("RECVD_PKT_INV_SPI_")));
	assert_false(mnemonic_name_is(&m, TEXT("RECVD_PKT_MAC_ERR")));
	assert_true(mnemonic_find(TEXT("%CRYPTO-4-RECVD-PKT-INV-SPI: x"), 0, &m));
	assert_false(mnemonic_name_is(&m, TEXT("RECVD_PKT_INV_SPI")));
}

static void cut_at_every_byte(void **state)
{
	static const char line[] = "x %>CRYPTO-4-RECVD_PKT_INV_SPI : y";
	size_t whole = strlen("x %>CRYPTO-4-RECVD_PKT_INV_SPI :");

	(void)state;
	for (size_t len = 0; len < sizeof(line); len++) {
		char *exact = malloc(len ? len : 1);
		struct mnemonic m;

		memcpy(exact, line, len);
		assert_int_equal(mnemonic_find((struct text){ exact, len }, 0, &m), len >= whole);
		free(exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_every_form),
		cmocka_unit_test(passes_over_the_rest),
		cmocka_unit_test(finds_one_after_the_other),
		cmocka_unit_test(names_without_their_underscores),
		cmocka_unit_test(cut_at_every_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
