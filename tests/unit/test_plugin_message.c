/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "parse/plugin_message.h"
#include "spimend/error.h"

#define HAS(field) (UINT32_C(1) << PLUGIN_HAS_##field)
#define BYTES(literal) (const unsigned char *)(literal), sizeof(literal) - 1

static struct plugin_message an_order(void)
{
	return (struct plugin_message){ .kind = PLUGIN_DELETE, .serial = 7, .ike_id = 3, .protocol = 50, .spi = 0xc0ffee01,
					.wait_ms = 1000,
					.present = HAS(IKE_ID) | HAS(PROTOCOL) | HAS(SPI) | HAS(WAIT_MS) };
}

static void writes_an_order_as_documented(void **state)
{
	static const unsigned char golden[] = "\1\2\0\35\0\0\0\7" "\1\4\0\0\0\3" "\3\1\62" "\4\4\300\377\356\1" "\6\4\0\0\3\350";
	struct plugin_message m = an_order(), again;
	unsigned char bytes[PLUGIN_MESSAGE_MAX];
	struct plugin_failure failure;

	(void)state;
	m.text[0] = 'x'; /* not present: does not count */
	assert_int_equal(plugin_message_write(&m, bytes), 29);
	assert_memory_equal(bytes, golden, 29);
	m.text[0] = 0;
	assert_int_equal(plugin_message_read(bytes, 29, &again, &failure), 0);
	assert_memory_equal(&again, &m, sizeof(m));
}

static void reads_a_report_with_both_kinds_of_address(void **state)
{
	struct plugin_message m = { .kind = PLUGIN_INVALID_SPI_OUTSIDE, .spi = 1, .spi_size = 4, .local_port = 500,
				    .remote_port = 65535, .ike_spi_i = UINT64_MAX - 1, .ike_spi_r = 2,
				    .local = { 4, { 192, 0, 2, 1 } }, .remote = { 6, { 0x20, 1, 0xd, 0xb8 } },
				    .present = HAS(SPI) | HAS(SPI_SIZE) | HAS(LOCAL) | HAS(REMOTE) | HAS(LOCAL_PORT) |
					       HAS(REMOTE_PORT) | HAS(IKE_SPI_I) | HAS(IKE_SPI_R) }, again;
	unsigned char bytes[PLUGIN_MESSAGE_MAX];
	struct plugin_failure failure;
	int len = plugin_message_write(&m, bytes);

	(void)state;
	assert_true(len > 0);
	assert_int_equal(plugin_message_read(bytes, (size_t)len, &again, &failure), 0);
	assert_memory_equal(&again, &m, sizeof(m));
	for (int cut = 0; cut < len; cut++)
		assert_true(plugin_message_read(bytes, (size_t)cut, &again, &failure) < 0 && failure.reason);
}

static void the_longest_message_fits(void **state)
{
	struct plugin_message m = { .kind = PLUGIN_RESULT, .serial = 1, .outcome = PLUGIN_INVALID,
				    .present = HAS(OUTCOME) | HAS(TEXT) | HAS(IKE_ID) | HAS(CHILD_ID) | HAS(PEER_SPI) |
					       HAS(TOOK_US) | HAS(FLAGS) };
	unsigned char bytes[PLUGIN_MESSAGE_MAX];

	(void)state;
	memset(m.text, 'a', PLUGIN_TEXT_MAX - 1);
	assert_in_range(plugin_message_write(&m, bytes), 70, PLUGIN_MESSAGE_MAX);
	m.text[PLUGIN_TEXT_MAX - 1] = 'a'; /* without its end */
	assert_int_equal(plugin_message_write(&m, bytes), -EINVAL);
}

static void refuses_what_does_not_belong(void **state)
{
	static const struct {
		const char *why;
		const unsigned char *bytes;
		size_t len;
		int status;
	} cases[] = {
		{ "nothing", BYTES(""), SPIMEND_E_SYNTAX },
		{ "another version", BYTES("\2\1\0\13\0\0\0\1\26\1\1"), SPIMEND_E_LIMIT },
		{ "a length that is not the datagram's", BYTES("\1\1\0\14\0\0\0\1\26\1\1"), SPIMEND_E_SYNTAX },
		{ "an unknown kind", BYTES("\1\11\0\13\0\0\0\1\26\1\1"), SPIMEND_E_SYNTAX },
		{ "no serial", BYTES("\1\1\0\13\0\0\0\0\26\1\1"), SPIMEND_E_SYNTAX },
		{ "a field too many", BYTES("\1\1\0\21\0\0\0\1\1\4\0\0\0\1\26\1\1"), SPIMEND_E_SYNTAX },
		{ "a field missing", BYTES("\1\1\0\10\0\0\0\1"), SPIMEND_E_SYNTAX },
		{ "a field twice", BYTES("\1\1\0\16\0\0\0\1\26\1\1\26\1\1"), SPIMEND_E_SYNTAX },
		{ "an unknown tag", BYTES("\1\1\0\16\0\0\0\1\26\1\1\31\1\1"), SPIMEND_E_SYNTAX },
		{ "a number of two bytes instead of one", BYTES("\1\1\0\14\0\0\0\1\26\2\0\1"), SPIMEND_E_SYNTAX },
		{ "a flag that there is not", BYTES("\1\1\0\13\0\0\0\1\26\1\20"), SPIMEND_E_SYNTAX },
		{ "on and off at once", BYTES("\1\1\0\13\0\0\0\1\26\1\14"), SPIMEND_E_SYNTAX },
		{ "a switch in the hand of who may give no order", BYTES("\1\1\0\13\0\0\0\1\26\1\6"), SPIMEND_E_SYNTAX },
		{ "a text of no length", BYTES("\1\100\0\12\0\0\0\1\30\0"), SPIMEND_E_SYNTAX },
		{ "a text with an escape", BYTES("\1\100\0\13\0\0\0\1\30\1\33"), SPIMEND_E_SYNTAX },
		{ "a field cut short", BYTES("\1\1\0\11\0\0\0\1\26"), SPIMEND_E_SYNTAX },
	};
	struct plugin_failure failure;
	struct plugin_message m;

	(void)state;
	assert_int_equal(plugin_message_read(BYTES("\1\1\0\13\0\0\0\1\26\1\1"), &m, &failure), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int status = plugin_message_read(cases[i].bytes, cases[i].len, &m, &failure);

		if (status != cases[i].status)
			fail_msg("%s: %d", cases[i].why, status);
	}
}

static void ranges_are_checked(void **state)
{
	unsigned char bytes[PLUGIN_MESSAGE_MAX];
	struct plugin_message m = an_order();

	(void)state;
	m.protocol = 17;
	assert_int_equal(plugin_message_write(&m, bytes), -EINVAL);
	m = an_order();
	m.wait_ms = PLUGIN_WAIT_MS_MAX + 1;
	assert_int_equal(plugin_message_write(&m, bytes), -EINVAL);
	m = an_order();
	m.serial = 0;
	assert_int_equal(plugin_message_write(&m, bytes), -EINVAL);
	m = (struct plugin_message){ .kind = PLUGIN_RESULT, .serial = 1, .present = HAS(OUTCOME),
				     .outcome = PLUGIN_DISCONNECTED };
	assert_int_equal(plugin_message_write(&m, bytes), -EINVAL); /* never on the wire */
}

static void an_order_for_outside_is_whole(void **state)
{
	struct plugin_message m = { .kind = PLUGIN_NOTIFY_OUTSIDE, .serial = 1, .protocol = 50, .spi = 1,
				    .local = { 4, { 192, 0, 2, 1 } }, .remote = { 4, { 192, 0, 2, 2 } },
				    .present = HAS(PROTOCOL) | HAS(SPI) | HAS(LOCAL) | HAS(REMOTE) };
	unsigned char bytes[PLUGIN_MESSAGE_MAX];

	(void)state;
	assert_true(plugin_is_order(m.kind) && plugin_message_write(&m, bytes) > 0);
	m.present |= HAS(REMOTE_PORT);
	assert_int_equal(plugin_message_write(&m, bytes), -EINVAL); /* port 0 */
	m.remote_port = 1024;
	assert_true(plugin_message_write(&m, bytes) > 0);
	m.remote.family = 6;
	assert_int_equal(plugin_message_write(&m, bytes), -EINVAL);
	m.remote.family = 4;
	m.spi = 0;
	assert_int_equal(plugin_message_write(&m, bytes), -EINVAL);
}

static void every_name_is_one(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PLUGIN_OUTCOMES; i++)
		assert_string_not_equal(plugin_outcome_name((enum plugin_outcome)i), "unknown");
	for (unsigned i = 1; i < PLUGIN_REASONS; i++)
		assert_string_not_equal(plugin_reason_name((enum plugin_reason)i), "unknown");
	assert_string_equal(plugin_outcome_name((enum plugin_outcome)99), "unknown");
	assert_string_equal(plugin_reason_name((enum plugin_reason)99), "unknown");
	assert_string_equal(plugin_kind_name(PLUGIN_CHILD_DIED), "child-died");
	assert_string_equal(plugin_kind_name((enum plugin_kind)200), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_an_order_as_documented),
		cmocka_unit_test(reads_a_report_with_both_kinds_of_address),
		cmocka_unit_test(the_longest_message_fits),
		cmocka_unit_test(refuses_what_does_not_belong),
		cmocka_unit_test(ranges_are_checked), cmocka_unit_test(an_order_for_outside_is_whole),
		cmocka_unit_test(every_name_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
