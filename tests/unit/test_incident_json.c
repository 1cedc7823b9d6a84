/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include "plan_incident.h"
#include "record/incident_json.h"

/* The contract of DESIGN.md 6: these keys, in this order, always. A value's first character tells its type. */
static const char *const keys[] = {
	"schema", "id", "observer", "src", "dst", "proto", "spi", "encap", "interface", "tunnel_kind", "first_seen", "last_seen",
	"messages", "packets", "verdict", "rule", "cause", "confidence", "evidence", "flags", "plan", "actions", "state", "copies",
	"spis", "sources",
};

static char line[65536];

static const char *json_of(const struct incident *i, bool explain)
{
	struct buffer out = { 0 };
	struct plan plan;

	plan_build(i, &plan);
	record_incident_json(i, &plan, explain, &out);
	assert_int_equal(buffer_error(&out), 0);
	assert_true(out.len < sizeof(line));
	text_copy(buffer_text(&out), line, sizeof(line));
	assert_int_equal(out.len, strlen(line)); /* no NUL */
	buffer_done(&out);
	assert_int_equal(line[strlen(line) - 1], '\n');
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1); /* one line */
	return line;
}

/* The keys of the outer object, in order; their values start at `values`. */
static size_t outer_keys(const char *json, char found[][32], const char *values[], size_t room)
{
	size_t n = 0;
	int depth = 0;
	bool key_next = false;

	for (const char *p = json; *p; p++) {
		if (*p == '"') {
			const char *start = ++p;

			while (*p != '"')
				p += *p == '\\' ? 2 : 1;
			if (depth == 1 && key_next && n < room) {
				assert_true(p - start < 32);
				text_copy(text_between(start, p), found[n], 32);
				assert_int_equal(p[1], ':');
				values[n++] = p + 2;
				key_next = false;
			}
		} else if (*p == '{' || *p == '[') {
			key_next = ++depth == 1;
		} else if (*p == '}' || *p == ']') {
			depth--;
		} else if (*p == ',' && depth == 1) {
			key_next = true;
		}
	}
	assert_int_equal(depth, 0);
	return n;
}

static const char *value_of(const char *json, const char *key)
{
	static char found[64][32];
	static const char *values[64];
	size_t n = outer_keys(json, found, values, 64);

	for (size_t i = 0; i < n; i++)
		if (strcmp(found[i], key) == 0)
			return values[i];
	fail_msg("no key %s", key);
	return "";
}

static void assert_value(const char *json, const char *key, const char *expected)
{
	const char *value = value_of(json, key);

	if (strncmp(value, expected, strlen(expected)) != 0)
		fail_msg("%s is %.60s, not %s", key, value, expected);
}

static void assert_keys(const char *json, size_t more)
{
	char found[64][32];
	const char *values[64];

	assert_int_equal(outer_keys(json, found, values, 64), sizeof(keys) / sizeof(keys[0]) + more);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		assert_string_equal(found[i], keys[i]);
}

static void test_example_of_the_design(void **state)
{
	struct incident i = test_incident();
	const char *json;

	(void)state;
	json = json_of(&i, false);
	assert_keys(json, 0);
	assert_value(json, "schema", "\"spimend.incident/1\",");
	assert_value(json, "id", "\"k3v9q2\",");
	assert_value(json, "observer", "\"hub\",");
	assert_value(json, "src", "\"10.1.1.1\",");
	assert_value(json, "proto", "\"esp\",");
	assert_value(json, "spi", "\"0x1db73bbb\",");
	assert_value(json, "encap", "null,");
	assert_value(json, "interface", "null,");
	assert_value(json, "first_seen", "\"2025-09-02T13:36:47.287Z\",");
	assert_value(json, "last_seen", "\"2025-09-02T13:37:48.039Z\",");
	assert_value(json, "messages", "2,");
	assert_value(json, "packets", "null,");
	assert_value(json, "verdict", "\"desync\",");
	assert_value(json, "rule", "\"log-repeat\",");
	assert_value(json, "cause", "\"unknown\",");
	assert_value(json, "confidence", "null,");
	assert_value(json, "evidence", "[],");
	assert_value(json, "flags", "[],");
	assert_value(json, "plan", "[{\"step\":1,\"on\":\"");
	assert_value(json, "actions", "[],");
	assert_value(json, "state", "\"open\",");
	assert_value(json, "copies", "0,");
	assert_value(json, "spis", "1,");
	assert_value(json, "sources", "1}");
	assert_keys(json_of(&i, true), 1);
	assert_value(line, "explain", "{\"rests_on\":[\"");
}

static void test_nothing_known(void **state)
{
	struct incident i = { .id = "x", .rule = RULE_NO_SOURCE };
	static const char *const nulls[] = { "observer", "src", "dst", "proto", "spi", "encap", "interface", "first_seen",
					     "last_seen", "packets", "confidence" };
	const char *json;

	(void)state;
	json = json_of(&i, false);
	assert_keys(json, 0);
	for (size_t n = 0; n < sizeof(nulls) / sizeof(nulls[0]); n++)
		assert_value(json, nulls[n], "null,");
	assert_value(json, "tunnel_kind", "\"unknown\",");
	assert_value(json, "messages", "0,");
}

static void test_figures_at_their_edges(void **state)
{
	struct incident i = test_incident();

	(void)state;
	i.spi.value = 0;
	i.protocol = SPIMEND_PROTOCOL_AH;
	i.src = test_address("2001:db8::1");
	i.encap_udp = true;
	i.messages = UINT64_MAX;
	i.first_seen.ns = 0;
	i.last_seen.ns = INT64_C(9214646399999000000);
	i.cause = CAUSE_RECEIVER_LOST_STATE;
	i.confidence = CONFIDENCE_LIKELY;
	i.flags = UINT32_C(1) << FLAG_COUNT_LAST | 1;
	json_of(&i, false);
	assert_value(line, "spi", "\"0x0\",");
	assert_value(line, "proto", "\"ah\",");
	assert_value(line, "src", "\"2001:db8::1\",");
	assert_value(line, "encap", "\"udp\",");
	assert_value(line, "messages", "18446744073709551615,");
	assert_value(line, "first_seen", "\"1970-01-01T00:00:00.000Z\",");
	assert_value(line, "last_seen", "\"2261-12-31T23:59:59.999Z\",");
	assert_value(line, "confidence", "\"likely\",");
	assert_value(line, "flags", "[\"decimal-differs\",\"sequence-stuck\"],");
}

static void test_times_are_those_of_the_calendar(void **state)
{
	struct incident i = test_incident();

	(void)state;
	for (int64_t ns = 0; ns < INT64_C(9000000000000000000); ns += INT64_C(123456789012345678)) {
		struct buffer b = { 0 };

		buffer_add_char(&b, '"');
		calendar_print(&b, (struct instant){ ns });
		buffer_add_char(&b, '"');
		i.first_seen.ns = i.last_seen.ns = ns;
		json_of(&i, false);
		assert_memory_equal(value_of(line, "first_seen"), b.bytes, b.len);
		buffer_done(&b);
	}
}

static void test_hostile_text(void **state)
{
	static const char text[] = "a\"b\\c\n\033[31m\x7f\x00\xff\xc3\xa9 }]";
	struct evidence e = { .has_at = true, .kind = FACT_STRAY, .from = TEXT("x\"\ty:1"), .text = { text, sizeof(text) - 1 },
			      .other_end = true };
	struct evidence show = { .kind = FACT_SA_TABLE };
	struct evidence both[2] = { e, show };
	struct incident i = test_incident();

	(void)state;
	i.evidence = both;
	i.evidence_count = 2;
	i.observer = TEXT("h\"ub\n");
	i.interface = TEXT("\xff");
	json_of(&i, false);
	assert_keys(line, 0);
	assert_value(line, "observer", "\"h\\\"ub\\n\",");
	assert_value(line, "interface", "\"\xef\xbf\xbd\",");
	assert_value(line, "evidence", "[{\"at\":\"1970-01-01T00:00:00.000Z\",\"from\":\"x\\\"\\ty:1\",\"kind\":\"syslog\",\"text\":\"a\\\"b\\\\c\\n"
				       "\\u001b[31m\\u007f\\u0000\xef\xbf\xbd\xc3\xa9 }]\",\"says\":\"unknown-spi\",\"end\":\"sender\"},"
				       "{\"at\":null,\"from\":\"\",\"kind\":\"show\",\"text\":\"\",\"says\":\"sa-table\",\"end\":\"receiver\"}],");
	for (const char *p = line; *p && *p != '\n'; p++)
		assert_true((unsigned char)*p >= 0x20 && *p != 0x7f);
}

static void test_summary(void **state)
{
	struct summary s = { .files = 2, .lines = 10, .messages = 3, .incidents = 1,
			     .by_verdict = { [VERDICT_DESYNC] = 1 }, .evicted = 7 };
	struct summary_count trouble = { "unparsed", 4 };
	struct summary_skip skip = { .from = TEXT("a:1"), .reason = TEXT("cut"), .text = TEXT("\"") };
	struct buffer out = { 0 };

	(void)state;
	s.troubles = &trouble;
	s.trouble_count = 1;
	s.unparsed_lines = &skip;
	s.unparsed_lines_count = 1;
	record_summary_json(&s, &out);
	text_copy(buffer_text(&out), line, sizeof(line));
	buffer_done(&out);
	assert_value(line, "schema", "\"spimend.summary/1\",");
	assert_value(line, "lines", "10,");
	assert_value(line, "verdicts", "{\"undecided\":0,\"transient\":0,\"desync\":1,\"noise\":0,\"other-fault\":0},");
	assert_value(line, "troubles", "{\"unparsed\":4},");
	assert_value(line, "limits", "{\"flows_evicted\":7,");
	assert_value(line, "unparsed_lines", "[{\"from\":\"a:1\",\"reason\":\"cut\",\"text\":\"\\\"\"}]}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_example_of_the_design),
		cmocka_unit_test(test_nothing_known),
		cmocka_unit_test(test_figures_at_their_edges),
		cmocka_unit_test(test_times_are_those_of_the_calendar),
		cmocka_unit_test(test_hostile_text),
		cmocka_unit_test(test_summary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
