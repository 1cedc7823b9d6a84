/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include "parse/evidence_wire.h"
#include "spimend/error.h"

#define T1 INT64_C(1756820207287123456)

static char line[EVIDENCE_LINE_MAX];

static struct text written(struct buffer *out)
{
	assert_int_equal(buffer_error(out), 0);
	assert_in_range(out->len, 2, sizeof(line) - 1);
	assert_int_equal(out->bytes[out->len - 1], '\n');
	text_copy(text_first(buffer_text(out), out->len - 1), line, sizeof(line));
	buffer_done(out);
	return text_of(line);
}

static struct spimend_address address(const char *text)
{
	struct spimend_address a = { 0 };

	assert_int_equal(spimend_address_parse(text, strlen(text), &a), 0);
	return a;
}

static void test_a_request_is_read_as_it_was_written(void **state)
{
	struct evidence_ask ask = { .id = "k3v9q2", .ends = { address("192.0.2.1"), address("2001:db8::2") } }, back = { .number = 7 };
	struct buffer out = { 0 };
	int64_t t1 = 0;

	(void)state;
	evidence_put_ask(&ask, T1, &out);
	assert_int_equal(evidence_read_ask(written(&out), &back, &t1), 0);
	assert_string_equal(back.id, "k3v9q2");
	assert_int_equal(back.number, 7);
	assert_true(spimend_address_equal(&back.ends[0], &ask.ends[0]) && spimend_address_equal(&back.ends[1], &ask.ends[1]));
	assert_int_equal(t1, T1 / 1000 * 1000);
}

static void test_what_is_no_request_is_refused(void **state)
{
	static const char *const wrong[] = {
		"", "{}", "{\"spimend\":2,\"id\":\"k3v9q2\",\"a\":\"192.0.2.1\",\"b\":\"192.0.2.2\",\"t1\":1}",
		"{\"spimend\":1,\"id\":\"../../x\",\"a\":\"192.0.2.1\",\"b\":\"192.0.2.2\",\"t1\":1}",
		"{\"spimend\":1,\"id\":\"\",\"a\":\"192.0.2.1\",\"b\":\"192.0.2.2\",\"t1\":1}",
		"{\"spimend\":1,\"id\":\"k3v9q2k3\",\"a\":\"192.0.2.1\",\"b\":\"192.0.2.2\",\"t1\":1}",
		"{\"spimend\":1,\"id\":\"k3v9q2\",\"a\":\"192.0.2\",\"b\":\"192.0.2.2\",\"t1\":1}",
		"{\"spimend\":1,\"id\":\"k3v9q2\",\"a\":\"192.0.2.1\",\"b\":\"192.0.2.2\",\"t1\":-1}",
		"{\"spimend\":1,\"id\":\"k3v9q2\",\"a\":\"192.0.2.1\",\"b\":\"192.0.2.2\"}",
	};
	struct evidence_ask ask = { .number = 1 };
	int64_t t1;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(evidence_read_ask(text_of(wrong[i]), &ask, &t1), SPIMEND_E_SYNTAX);
}

static void test_an_answer_is_a_length_or_a_reason(void **state)
{
	struct buffer out = { 0 };
	char why[EVIDENCE_WHY_MAX];
	int64_t t2, t3;
	size_t length;

	(void)state;
	evidence_put_stamps(T1, T1 + 5000, T1 + 9000, &out);
	assert_int_equal(evidence_read_stamps(written(&out), T1, &t2, &t3), 0);
	assert_int_equal(t3 - t2, 4000);
	assert_int_equal(evidence_read_stamps(text_of(line), T1 + 1000, &t2, &t3), SPIMEND_E_SYNTAX); /* of another request */
	evidence_put_length(4711, &out);
	assert_int_equal(evidence_read_answer(written(&out), &length, why), 0);
	assert_int_equal(length, 4711);
	evidence_put_length(EVIDENCE_ANSWER_MAX + 1, &out);
	assert_int_equal(evidence_read_answer(written(&out), &length, why), SPIMEND_E_SYNTAX);
	evidence_put_error("no \x1b[2J way", &out);
	assert_int_equal(evidence_read_answer(written(&out), &length, why), 1);
	assert_string_equal(why, "no .[2J way");
	assert_int_equal(evidence_read_answer(TEXT("{\"spimend\":1}"), &length, why), SPIMEND_E_SYNTAX);
}

static void test_an_offset_is_estimated_within_its_error(void **state)
{
	int64_t offset = 0, error = 0;

	(void)state;
	/* 3 ms there, 1 ms back, the other clock 100 s ahead, 7 ms until it answered. */
	assert_true(evidence_clock(T1, T1 + 100 * SECOND_NS + 3000000, T1 + 100 * SECOND_NS + 10000000, T1 + 11000000, &offset,
				   &error));
	assert_int_equal(offset, 100 * SECOND_NS + 1000000);
	assert_int_equal(error, 2001000);
	assert_in_range(offset - 100 * SECOND_NS, 0, error);
	/* Stamps that cannot be: answered before it came, longer than the whole took, or of a clock that stepped back. */
	assert_false(evidence_clock(T1, T1 + 5, T1 + 4, T1 + 10, &offset, &error));
	assert_false(evidence_clock(T1, T1, T1 + 20, T1 + 10, &offset, &error));
	assert_false(evidence_clock(T1, T1, T1, T1 - 1, &offset, &error));
	assert_false(evidence_clock(INT64_MAX, 0, 0, INT64_MAX, &offset, &error));
}

static bool is_shared(struct recorded e, const char *src, const char *dst, const char *end)
{
	const struct spimend_address ends[2] = { address("192.0.2.1"), address("192.0.2.2") };

	e.src = address(src);
	e.dst = address(dst);
	e.end = text_of(end);
	return evidence_is_shared(&e, ends, TEXT("spoke"));
}

static void test_a_peer_speaks_of_the_two_ends_and_for_itself(void **state)
{
	const struct recorded born = { .kind = RECORDED_SA_BORN };
	static const enum recorded_kind never[] = { RECORDED_COMMAND, RECORDED_OUTPUT, RECORDED_DEBUG, RECORDED_CLOCK };

	(void)state;
	assert_true(is_shared(born, "192.0.2.1", "192.0.2.2", "spoke"));
	assert_true(is_shared(born, "192.0.2.2", "192.0.2.1", "spoke"));
	assert_false(is_shared(born, "192.0.2.1", "192.0.2.3", "spoke"));
	assert_false(is_shared(born, "192.0.2.1", "192.0.2.1", "spoke"));
	assert_false(is_shared(born, "192.0.2.1", "192.0.2.2", "hub")); /* in another's name */
	assert_false(is_shared(born, "192.0.2.1", "192.0.2.2", ""));
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		assert_false(is_shared((struct recorded){ .kind = never[i] }, "192.0.2.1", "192.0.2.2", "spoke"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_request_is_read_as_it_was_written),
		cmocka_unit_test(test_what_is_no_request_is_refused),
		cmocka_unit_test(test_an_answer_is_a_length_or_a_reason),
		cmocka_unit_test(test_an_offset_is_estimated_within_its_error),
		cmocka_unit_test(test_a_peer_speaks_of_the_two_ends_and_for_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
