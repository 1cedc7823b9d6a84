/* SPDX-License-Identifier: MIT */
/* From an incident to its picture, and to SVG. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include "plan/picture.h"
#include "plan_incident.h"
#include "record/picture_axis.h"
#include "record/picture_svg.h"

static char said[1 << 20];

static const char *svg_of(const struct picture *p, double width)
{
	struct buffer out = { 0 };

	picture_svg(p, "x", width, &out);
	assert_int_equal(buffer_error(&out), 0);
	assert_true(out.len < sizeof(said));
	text_copy(buffer_text(&out), said, sizeof(said));
	buffer_done(&out);
	return said;
}

static size_t count_of(const char *text, const char *needle)
{
	size_t n = 0;

	for (const char *at = text; (at = strstr(at, needle)); at += strlen(needle))
		n++;
	return n;
}

static void add(struct picture *p, enum picture_kind kind, enum picture_end end, int64_t ms, uint64_t count,
		const char *what)
{
	struct picture_event e = { .at = { ms * 1000000 }, .kind = kind, .end = end, .count = count, .what = text_of(what) };

	picture_add(p, &e);
}

static void test_ends_and_sas_of_an_incident(void **state)
{
	const struct spimend_spi spi = { 0x1000abcd }, out = { 0x2000abcd };
	struct evidence evidence[] = {
		{ .has_at = true, .at = { 1 * SECOND_NS }, .kind = FACT_SA_BORN, .has_spi = true, .spi = spi, .has_spi_out = true,
		  .spi_out = out },
		{ .has_at = true, .at = { 5 * SECOND_NS }, .kind = FACT_SA_DIED, .has_spi = true, .spi = spi, .reason = REASON_REKEYED },
		{ .has_at = true, .at = { 9 * SECOND_NS }, .kind = FACT_STRAY },
		{ .kind = FACT_RESTART, .other_end = true },
	};
	struct incident i = test_incident();
	struct picture p;

	(void)state;
	i.spi = spi;
	i.first_seen.ns = 9 * SECOND_NS;
	i.last_seen.ns = 70 * SECOND_NS;
	i.messages = 5;
	i.evidence = evidence;
	i.evidence_count = 4;
	picture_of_incident(&i, &p);
	assert_true(p.is_missing && p.has_spi);
	assert_int_equal(p.event_count, 3);
	assert_int_equal(p.untimed, 1);
	assert_int_equal(p.events_left_out, 4); /* five messages, one of them is evidence */
	assert_int_equal(p.bar_count, 3);
	assert_int_equal(p.bars[0].end, PICTURE_SENDER); /* what the receiver claims of the sender */
	assert_true(p.bars[0].is_out && p.bars[0].has_seen && p.bars[0].last.ns == i.last_seen.ns);
	assert_int_equal(p.bars[1].spi.value, spi.value);
	assert_true(p.bars[1].has_born && p.bars[1].has_died && !p.bars[1].is_out && p.bars[1].end == PICTURE_RECEIVER);
	assert_true(text_equal(p.bars[1].why, TEXT("rekeyed")));
	assert_true(p.bars[2].is_out && p.bars[2].has_born && !p.bars[2].has_died);
	svg_of(&p, PICTURE_WIDE);
	assert_non_null(strstr(said, "0x1000abcd receives until: rekeyed<"));
	assert_null(strstr(said, "no such SA here")); /* it had one */
	picture_done(&p);
}

static void test_thousands_of_marks_are_few_and_counted(void **state)
{
	struct picture p = { .counts_packets = true };

	(void)state;
	for (int i = 0; i < 50000; i++)
		add(&p, PICTURE_STRAY, PICTURE_RECEIVER, i * 7, 2, "");
	for (int i = 0; i < 3000; i++)
		add(&p, PICTURE_IKE, PICTURE_RECEIVER, i * 100, 1, "rekey");
	picture_sort(&p);
	svg_of(&p, PICTURE_NARROW);
	assert_non_null(strstr(said, ">100000 packets with SPIs unknown here, in "));
	assert_true(count_of(said, "class=\"stray\"") <= 90);
	assert_true(count_of(said, "class=\"n ike\"") <= 20);
	assert_non_null(strstr(said, ">1-"));
	assert_true(strlen(said) < 20000);
	svg_of(&p, PICTURE_WIDE);
	assert_true(strlen(said) < 60000);
	picture_done(&p);
}

static void test_what_is_outside_the_window_is_not_drawn(void **state)
{
	struct picture p = { .counts_packets = true, .has_window = true, .from = { SECOND_NS }, .until = { 2 * SECOND_NS } };

	(void)state;
	add(&p, PICTURE_STRAY, PICTURE_RECEIVER, 1500, 1, "");
	add(&p, PICTURE_HAPPENED, PICTURE_SENDER, 900, 1, "long ago");
	add(&p, PICTURE_STEP, PICTURE_RECEIVER, 1700, 1, "a step");
	picture_sort(&p);
	svg_of(&p, PICTURE_WIDE);
	assert_null(strstr(said, "long ago"));
	assert_non_null(strstr(said, "a step"));
	assert_non_null(strstr(said, "; 1 before or after what is drawn"));
	assert_non_null(strstr(said, ">1 packet with"));
	picture_done(&p);
}

static void test_names_are_text(void **state)
{
	struct picture p = { 0 };

	(void)state;
	p.names[PICTURE_SENDER] = picture_keep(&p, TEXT("</text><script>x</script>"));
	p.names[PICTURE_RECEIVER] = picture_keep(&p, TEXT("\"' onload=\"x\" @H @C"));
	add(&p, PICTURE_HAPPENED, PICTURE_SENDER, 1, 1, "</title><a href=\"x\">");
	add(&p, PICTURE_STRAY, PICTURE_RECEIVER, 2, 1, "");
	picture_sort(&p);
	svg_of(&p, PICTURE_WIDE);
	assert_null(strstr(said, "<script"));
	assert_null(strstr(said, "<a "));
	assert_null(strstr(said, "onload=\"x"));
	assert_non_null(strstr(said, "@H @C")); /* what stands for heights while it is drawn is not looked for in names */
	assert_int_equal(count_of(said, "<svg"), 1);
	picture_done(&p);
}

static void test_nothing_timed_draws_nothing(void **state)
{
	struct picture p = { 0 };

	(void)state;
	assert_string_equal(svg_of(&p, PICTURE_WIDE), "");
	picture_done(&p);
}

static void test_texts_are_cut_and_events_bounded(void **state)
{
	static char name[100000];
	struct picture p = { 0 };

	(void)state;
	memset(name, 'x', sizeof(name));
	assert_int_equal(picture_keep(&p, (struct text){ name, sizeof(name) }).len, PICTURE_TEXT_MAX);
	for (int i = 0; i < PICTURE_EVENTS_MAX + 5; i++)
		add(&p, PICTURE_STRAY, PICTURE_RECEIVER, i, 1, "");
	assert_int_equal(p.event_count, PICTURE_EVENTS_MAX);
	assert_int_equal(p.events_left_out, 5);
	for (uint32_t i = 0; i < PICTURE_BARS_MAX + 5; i++)
		picture_bar(&p, PICTURE_SENDER, true, (struct spimend_spi){ i });
	assert_int_equal(p.bars_left_out, 5);
	picture_done(&p);
}

static void test_axis(void **state)
{
	static const int64_t even[] = { 0, 60 * SECOND_NS, 120 * SECOND_NS };
	static const int64_t gap[] = { 0, 600 * SECOND_NS, 660 * SECOND_NS, 720 * SECOND_NS };
	static const int64_t one[] = { 5 };
	static const int64_t absurd[] = { 0, 1, INT64_MAX - 1, INT64_MAX };
	struct axis axis;

	(void)state;
	axis_make(even, 3, 10, 110, &axis);
	assert_int_equal(axis.count, 1);
	assert_true(axis_at(&axis, even[1]) > 59.9 && axis_at(&axis, even[1]) < 60.1);
	axis_make(gap, 4, 0, 200, &axis);
	assert_int_equal(axis.count, 2); /* ten minutes of nothing */
	assert_true(axis_at(&axis, gap[0]) < axis_at(&axis, gap[1]));
	assert_true(axis_at(&axis, gap[3]) - axis_at(&axis, gap[2]) > 50);
	assert_true(axis_at(&axis, 300 * SECOND_NS) > axis.parts[0].right && axis_at(&axis, 300 * SECOND_NS) < axis.parts[1].left);
	axis_make(one, 1, 0, 100, &axis);
	assert_true(axis_at(&axis, 5) > 49 && axis_at(&axis, 5) < 51);
	assert_true(axis_step(&axis, 5) > 0);
	axis_make(absurd, 4, 0, 100, &axis);
	for (size_t i = 0; i < 4; i++)
		assert_true(axis_at(&axis, absurd[i]) >= 0 && axis_at(&axis, absurd[i]) <= 100);
}

static void test_absurd_times_end(void **state)
{
	struct picture p = { 0 };

	(void)state;
	add(&p, PICTURE_STRAY, PICTURE_RECEIVER, 0, 1, "");
	add(&p, PICTURE_STRAY, PICTURE_RECEIVER, INT64_C(9190000000000), 1, ""); /* in 2261 */
	add(&p, PICTURE_HAPPENED, PICTURE_SENDER, INT64_C(4500000000000), 1, "half");
	picture_sort(&p);
	assert_true(strlen(svg_of(&p, PICTURE_WIDE)) < 20000);
	picture_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ends_and_sas_of_an_incident),
		cmocka_unit_test(test_thousands_of_marks_are_few_and_counted),
		cmocka_unit_test(test_what_is_outside_the_window_is_not_drawn),
		cmocka_unit_test(test_names_are_text),
		cmocka_unit_test(test_nothing_timed_draws_nothing),
		cmocka_unit_test(test_texts_are_cut_and_events_bounded),
		cmocka_unit_test(test_axis),
		cmocka_unit_test(test_absurd_times_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
