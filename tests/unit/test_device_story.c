/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include "record/device_story.h"

static struct device_story story = {
	.device = "hub",
	.deeds = TEXT("2026-11-29T02:11:07.250Z incident k3v9q2: to be typed, request 7: show clock\n"
		      "2026-11-29T02:11:09.000Z incident k3v9q2: request 7: done\n"
		      "2026-11-29T02:12:00.000Z joe: show version\n"),
	.tape = TEXT("2026-11-29T02:11:07.250Z = a session begins\n"
		     "2026-11-29T02:11:07.300Z incident k3v9q2 > show clock\n"
		     "2026-11-29T02:11:07.300Z incident k3v9q2 < \n"
		     "2026-11-29T02:11:08.000Z incident m0 < 10:00:00 \"UTC\" \\x1b\n"
		     "2026-11-29T02:12:00.001Z > show version\n"
		     "2026-11-29T02:12:00.002Z damaged"),
};
static struct buffer out;

static const char *printed(size_t (*print)(const struct device_story *story, struct buffer *out), const char *incident,
			   size_t count)
{
	story.incident = text_of(incident);
	buffer_clear(&out);
	assert_int_equal(print(&story, &out), count);
	buffer_add_char(&out, '\0');
	return out.bytes;
}

static void test_both_come_in_the_order_of_time(void **state)
{
	(void)state;
	assert_string_equal(printed(device_story_text, "", 9),
			    "2026-11-29T02:11:07.250Z incident k3v9q2: to be typed, request 7: show clock\n"
			    "2026-11-29T02:11:07.250Z = a session begins\n"
			    "2026-11-29T02:11:07.300Z incident k3v9q2 > show clock\n"
			    "2026-11-29T02:11:07.300Z incident k3v9q2 < \n"
			    "2026-11-29T02:11:08.000Z incident m0 < 10:00:00 \"UTC\" \\x1b\n"
			    "2026-11-29T02:11:09.000Z incident k3v9q2: request 7: done\n"
			    "2026-11-29T02:12:00.000Z joe: show version\n"
			    "2026-11-29T02:12:00.001Z > show version\n"
			    "2026-11-29T02:12:00.002Z damaged\n");
}

static void test_one_incident_is_told_alone(void **state)
{
	(void)state;
	assert_string_equal(printed(device_story_text, "k3", 4),
			    "2026-11-29T02:11:07.250Z incident k3v9q2: to be typed, request 7: show clock\n"
			    "2026-11-29T02:11:07.300Z incident k3v9q2 > show clock\n"
			    "2026-11-29T02:11:07.300Z incident k3v9q2 < \n"
			    "2026-11-29T02:11:09.000Z incident k3v9q2: request 7: done\n");
	printed(device_story_text, "zz", 0);
}

static void test_programs_get_an_object_a_line(void **state)
{
	(void)state;
	assert_string_equal(printed(device_story_json, "m0", 1),
			    "{\"schema\":\"spimend.device-tape/1\",\"device\":\"hub\",\"at\":\"2026-11-29T02:11:08.000Z\",\"incident\":\"m0\","
			    "\"kind\":\"received\",\"text\":\"10:00:00 \\\"UTC\\\" \\\\x1b\"}\n");
	printed(device_story_json, "", 9);
	assert_non_null(strstr(out.bytes, "\"incident\":null,\"kind\":\"sent\",\"text\":\"show version\"}\n"));
	assert_non_null(strstr(out.bytes, "\"incident\":null,\"kind\":\"done\",\"text\":\"joe: show version\"}\n"));
	assert_non_null(strstr(out.bytes, "\"incident\":null,\"kind\":\"note\",\"text\":\"a session begins\"}\n"));
	assert_non_null(strstr(out.bytes, "\"incident\":\"k3v9q2\",\"kind\":\"received\",\"text\":\"\"}\n"));
	buffer_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_come_in_the_order_of_time),
		cmocka_unit_test(test_one_incident_is_told_alone),
		cmocka_unit_test(test_programs_get_an_object_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
