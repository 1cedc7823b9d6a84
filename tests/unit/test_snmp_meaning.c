/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "parse/snmp_meaning.h"

static struct snmp_trap trap;
static struct device_report report;

static struct snmp_oid oid(const char *text)
{
	struct snmp_oid ret;
	bool is_prefix;

	assert_true(snmp_oid_parse(text_of(text), &ret, &is_prefix));
	return ret;
}

static void begin(const char *name)
{
	memset(&trap, 0, sizeof(trap));
	trap.version = 2;
	trap.source = (struct spimend_address){ 4, { 192, 0, 2, 7 } };
	trap.trap = oid(name);
}

static struct snmp_value *add(const char *name, enum snmp_type type)
{
	struct snmp_varbind *v = &trap.varbinds[trap.varbind_count++];

	v->name = oid(name);
	v->value.type = type;
	return &v->value;
}

static void add_number(const char *name, enum snmp_type type, int64_t number)
{
	struct snmp_value *value = add(name, type);

	if (type == SNMP_INTEGER)
		value->integer = number;
	else
		value->number = (uint64_t)number;
}

static void add_octets(const char *name, enum snmp_type type, const char *bytes, size_t len)
{
	struct snmp_value *value = add(name, type);

	value->octets.len = (uint32_t)len;
	memcpy(value->octets.bytes, bytes, len);
}

static enum report_kind read_it(void)
{
	snmp_read_meaning(&trap, &report);
	assert_true(report_valid(&report));
	return report.kind;
}

static void a_bad_sa_has_its_spi_whatever_the_row(void **state)
{
	(void)state;
	begin("1.3.6.1.4.1.9.9.432.0.5");
	add_number("1.3.6.1.4.1.9.9.432.1.3.2.1.5.4711", SNMP_UNSIGNED, 0xb761863e);
	add_octets("1.3.6.1.4.1.9.9.432.1.3.2.1.7.4711", SNMP_OCTETS, "\x0a\x01\x01\x01", 4);
	add_octets("1.3.6.1.4.1.9.9.432.1.3.2.1.9.4711", SNMP_OCTETS, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
	assert_int_equal(read_it(), REPORT_BAD_SPI);
	assert_true(report.has_spi);
	assert_int_equal(report.spi, 0xb761863e);
	assert_int_equal(report.src.family, 4);
	assert_int_equal(report.dst.family, 6);
	assert_int_equal(report.device.bytes[3], 7);
}

static void an_spi_that_an_image_sends_signed_is_the_same_bits(void **state)
{
	(void)state;
	begin("1.3.6.1.4.1.9.9.432.0.5");
	add_number("1.3.6.1.4.1.9.9.432.1.3.2.1.5.1", SNMP_INTEGER, (int32_t)0xb761863e);
	assert_int_equal(read_it(), REPORT_BAD_SPI);
	assert_int_equal(report.spi, 0xb761863e);
}

static void a_value_that_was_not_given_is_absent(void **state)
{
	(void)state;
	begin("1.3.6.1.4.1.9.9.432.0.5");
	add("1.3.6.1.4.1.9.9.432.1.3.2.1.5.1", SNMP_NO_SUCH_INSTANCE);
	assert_int_equal(read_it(), REPORT_BAD_SPI);
	assert_false(report.has_spi);
	begin("1.3.6.1.4.1.9.9.171.2.0.13");
	assert_int_equal(read_it(), REPORT_NO_SA);
}

static void an_ike_trap_names_both_ends(void **state)
{
	(void)state;
	begin("1.3.6.1.4.1.9.9.171.2.0.6");
	add_octets("1.3.6.1.4.1.9.9.171.1.2.3.1.6.1", SNMP_OCTETS, "\x0a\0\0\1", 4);
	add_octets("1.3.6.1.4.1.9.9.171.1.2.3.1.7.1", SNMP_ADDRESS, "\x0a\0\0\2", 4);
	assert_int_equal(read_it(), REPORT_NO_IKE_SA);
	assert_int_equal(report.local.bytes[3], 1);
	assert_int_equal(report.remote.bytes[3], 2);
}

static void a_log_line_in_a_trap_has_syslogs_severity(void **state)
{
	static const char text[] = "decaps: rec'd IPSEC packet has invalid spi for destaddr=192.0.2.7\n\x1b[2J";

	(void)state;
	begin("1.3.6.1.4.1.9.9.41.2.0.1");
	add_octets("1.3.6.1.4.1.9.9.41.1.2.3.1.2.77", SNMP_OCTETS, "CRYPTO", 6);
	add_number("1.3.6.1.4.1.9.9.41.1.2.3.1.3.77", SNMP_INTEGER, 5);
	add_octets("1.3.6.1.4.1.9.9.41.1.2.3.1.4.77", SNMP_OCTETS, "RECVD_PKT_INV_SPI", 17);
	add_octets("1.3.6.1.4.1.9.9.41.1.2.3.1.5.77", SNMP_OCTETS, text, sizeof(text) - 1);
	assert_int_equal(read_it(), REPORT_LOG);
	assert_int_equal(report.severity, 4);
	assert_string_equal(report.facility, "CRYPTO");
	assert_string_equal(report.name, "RECVD_PKT_INV_SPI");
	assert_null(strchr(report.text, '\x1b'));
	assert_null(strchr(report.text, '\n'));
	trap.varbinds[1].value.integer = 9; /* no severity has that number */
	read_it();
	assert_false(report.has_severity);
}

static void an_applets_trap_is_understood_below_both_roots(void **state)
{
	static const char *const roots[] = { "1.3.6.1.4.1.9.10.91", "1.3.6.1.4.1.9.10.134" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		char name[128];

		snprintf(name, sizeof(name), "%s.0.2", roots[i]);
		begin(name);
		snprintf(name, sizeof(name), "%s.1.2.3.1.7.3", roots[i]);
		add_octets(name, SNMP_OCTETS, "command_hub", 11);
		snprintf(name, sizeof(name), "%s.1.2.3.1.9.3", roots[i]);
		add_number(name, SNMP_INTEGER, 2323232);
		snprintf(name, sizeof(name), "%s.1.2.3.1.10.3", roots[i]);
		add(name, SNMP_NO_SUCH_INSTANCE);
		assert_int_equal(read_it(), REPORT_APPLET);
		assert_true(report.has_int1 && !report.has_int2);
		assert_int_equal(report.int1, 2323232);
		assert_string_equal(report.name, "command_hub");
	}
	begin("1.3.6.1.4.1.9.10.134.0.3");
	assert_int_equal(read_it(), REPORT_OTHER);
	begin("1.3.6.1.6.3.1.1.5.3");
	assert_int_equal(read_it(), REPORT_OTHER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bad_sa_has_its_spi_whatever_the_row),
		cmocka_unit_test(an_spi_that_an_image_sends_signed_is_the_same_bits),
		cmocka_unit_test(a_value_that_was_not_given_is_absent),
		cmocka_unit_test(an_ike_trap_names_both_ends),
		cmocka_unit_test(a_log_line_in_a_trap_has_syslogs_severity),
		cmocka_unit_test(an_applets_trap_is_understood_below_both_roots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
