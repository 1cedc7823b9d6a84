/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "model/fact.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Lower-case words with hyphens, as JSON and text promise. */
static void assert_word(const char *name)
{
	assert_non_null(name);
	assert_true(name[0] >= 'a' && name[0] <= 'z');
	for (const char *c = name; *c; c++)
		if (!((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '-'))
			fail_msg("%s", name);
}

static void every_kind_and_dialect_has_its_name(void **state)
{
	(void)state;
	for (int i = 0; i < FACT_KINDS; i++) {
		assert_word(fact_kind_name((enum fact_kind)i));
		for (int k = 0; k < i; k++)
			assert_string_not_equal(fact_kind_name((enum fact_kind)i), fact_kind_name((enum fact_kind)k));
	}
	for (int i = 0; i < DIALECT_COUNT; i++) {
		assert_word(fact_dialect_name((enum fact_dialect)i));
		for (int k = 0; k < i; k++)
			assert_string_not_equal(fact_dialect_name((enum fact_dialect)i), fact_dialect_name((enum fact_dialect)k));
	}
	assert_string_equal(fact_kind_name(FACT_STRAY), "unknown-spi");
	assert_string_equal(fact_dialect_name(DIALECT_LINUX_AUDIT), "linux-audit");
	assert_string_equal(fact_kind_name(FACT_KINDS), "none");
	assert_string_equal(fact_dialect_name(DIALECT_COUNT), "unknown");
}

static void every_flag_has_its_name_and_help(void **state)
{
	(void)state;
	for (int i = 0; i <= FLAG_COUNT_LAST; i++) {
		enum fact_flag flag = (enum fact_flag)(1 << i);
		const char *help = fact_flag_help(flag);

		assert_word(fact_flag_name(flag));
		assert_non_null(help);
		assert_true(strlen(help) > 20 && help[strlen(help) - 1] == '.');
		for (int k = 0; k < i; k++) {
			assert_string_not_equal(fact_flag_name(flag), fact_flag_name((enum fact_flag)(1 << k)));
			assert_string_not_equal(help, fact_flag_help((enum fact_flag)(1 << k)));
		}
	}
	/* The names stand at their own bits. */
	assert_string_equal(fact_flag_name(FLAG_DECIMAL_DIFFERS), "decimal-differs");
	assert_string_equal(fact_flag_name(FLAG_SPI_LOW_ZERO), "spi-low-zero");
	assert_string_equal(fact_flag_name(FLAG_SPI_SMALL), "spi-small");
	assert_string_equal(fact_flag_name(FLAG_BOTH_ENDS), "both-ends");
	assert_string_equal(fact_flag_name(FLAG_SEQUENCE_STUCK), "sequence-stuck");
}

static void flags_from_the_spi_alone(void **state)
{
	static const struct {
		uint32_t spi, flags;
	} rows[] = {
		{ 0, FLAG_SPI_RESERVED | FLAG_SPI_SMALL },
		{ 255, FLAG_SPI_RESERVED | FLAG_SPI_SMALL },
		{ 256, FLAG_SPI_SMALL },
		{ 4095, FLAG_SPI_SMALL },
		{ 4096, 0 },
		{ 0x10000, FLAG_SPI_LOW_ZERO },
		{ 0x77b40000, FLAG_SPI_LOW_ZERO },
		{ 0xff000000, FLAG_SPI_0XFF | FLAG_SPI_LOW_ZERO },
		{ 0xff000001, FLAG_SPI_0XFF },
		{ 0xfeffffff, 0 },
		{ 0x20202020, FLAG_SPI_PRINTABLE },
		{ 0x7e7e7e7e, FLAG_SPI_PRINTABLE },
		{ 0x7f7e7e7e, 0 },
		{ 0x1f202020, 0 },
		{ 0x2020201f, 0 },
		{ 0x4f501234, 0 },
		{ 0xb761863e, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fact f = fact_of(FACT_STRAY, DIALECT_IOS);

		assert_int_equal(f.kind, FACT_STRAY);
		assert_int_equal(f.dialect, DIALECT_IOS);
		assert_int_equal(f.count, 1);
		f.spi.value = rows[i].spi;
		fact_flag_spi(&f);
		assert_int_equal(f.flags, 0); /* the value counts only where there is one */
		f.has = FACT_HAS_SPI;
		f.flags = FLAG_NAT_T;
		fact_flag_spi(&f);
		if (f.flags != (rows[i].flags | FLAG_NAT_T))
			fail_msg("0x%08x: 0x%x", rows[i].spi, f.flags);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_and_dialect_has_its_name),
		cmocka_unit_test(every_flag_has_its_name_and_help),
		cmocka_unit_test(flags_from_the_spi_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
