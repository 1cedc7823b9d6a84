/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "judge_case.h"

/* One flow, two messages `apart` seconds; the log ends with the second. */
static struct incident twice(enum fact_dialect dialect, double apart)
{
	static struct judge *j;
	struct fact f = fact_stray("10.1.1.1", "10.10.1.2", 0x1db73bbb);

	judge_free(j);
	j = judge_plain();
	f.dialect = dialect;
	say(j, &f, "hub", 100);
	say(j, &f, "hub", 100 + apart);
	hear(j, 100 + apart);
	return only(j);
}

static void test_gap_of_each_dialect(void **state)
{
	static const struct {
		enum fact_dialect dialect;
		double gap;
	} rows[] = {
		{ DIALECT_IOS, 50 }, { DIALECT_UNKNOWN, 50 }, { DIALECT_CHECKPOINT, 50 }, { DIALECT_ASA, 5 }, { DIALECT_SCREENOS, 10 },
		{ DIALECT_LINUX_AUDIT, 7 }, { DIALECT_FORTIGATE, 7 }, { DIALECT_STRONGSWAN, 7 }, { DIALECT_LIBRESWAN, 7 },
	};

	(void)state;
	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
		struct incident below = twice(rows[r].dialect, rows[r].gap - 0.001), at;

		assert_judged(below, VERDICT_UNDECIDED, RULE_LOG_CLOSE_REPEAT);
		assert_int_equal(below.state, STATE_OPEN);
		at = twice(rows[r].dialect, rows[r].gap);
		assert_judged(at, VERDICT_DESYNC, RULE_LOG_REPEAT);
		assert_int_equal(at.gap_ns, SECONDS(rows[r].gap));
		assert_int_equal(at.messages, 2);
		assert_int_equal(at.state, STATE_OPEN);
		assert_int_equal(at.cause, CAUSE_UNKNOWN);
		assert_null(confidence_name(at.confidence));
	}
}

static struct incident with_sequences(uint64_t first, uint64_t second, bool reversed)
{
	static struct judge *j;
	struct fact f = fact_stray("10.1.1.1", "10.10.1.2", 0x1db73bbb);

	judge_free(j);
	j = judge_plain();
	f.dialect = DIALECT_LINUX_AUDIT;
	f.has |= FACT_HAS_SEQUENCE;
	for (int turn = 0; turn < 2; turn++) {
		bool later = (turn == 1) != reversed;

		f.sequence = later ? second : first;
		say(j, &f, "hub", later ? 107 : 100);
	}
	return only(j);
}

static void test_sequence_numbers(void **state)
{
	(void)state;
	assert_judged(with_sequences(7, 8, false), VERDICT_DESYNC, RULE_LOG_REPEAT);
	assert_judged(with_sequences(7, 8, true), VERDICT_DESYNC, RULE_LOG_REPEAT); /* by time, not by order of reading */
	assert_judged(with_sequences(7, 7, false), VERDICT_UNDECIDED, RULE_SEQUENCE_STUCK);
	assert_judged(with_sequences(8, 7, false), VERDICT_UNDECIDED, RULE_SEQUENCE_STUCK);
	assert_false(with_sequences(7, 8, true).flags & FLAG_CLOCK_JUMPED); /* newest first, as it is exported */
	/* Numbers that rise while the time falls: not the log is reversed, the clock jumped. */
	assert_judged(with_sequences(8, 7, true), VERDICT_UNDECIDED, RULE_LOG_CLOSE_REPEAT);
	assert_false(with_sequences(8, 7, true).gap_ns);
	assert_true(with_sequences(7, 7, false).flags & FLAG_SEQUENCE_STUCK);
}

static struct incident once(double further)
{
	static struct judge *j;

	judge_free(j);
	j = judge_plain();
	say_stray(j, "10.1.1.1", "10.10.1.2", 0xb761863e, 100);
	hear(j, 100 + further);
	return only(j);
}

static void test_once(void **state)
{
	(void)state;
	assert_judged(once(299.999), VERDICT_UNDECIDED, RULE_LOG_ONCE_SHORT);
	assert_int_equal(once(299.999).quiet_ns, SECONDS(299.999));
	assert_judged(once(300), VERDICT_TRANSIENT, RULE_LOG_ONCE_QUIET);
	assert_int_equal(once(300).state, STATE_CLOSED);
	assert_int_equal(once(300).confidence, CONFIDENCE_POSSIBLE);
}

static void test_another_observer_does_not_count_as_quiet(void **state)
{
	struct judge *j = judge_plain();

	(void)state;
	say_stray(j, "10.1.1.1", "10.10.1.2", 0xb761863e, 100);
	judge_hear(j, TEXT("another"), (struct instant){ CASE_DAY + SECONDS(9000) });
	assert_judged(only(j), VERDICT_UNDECIDED, RULE_LOG_ONCE_SHORT);
	judge_free(j);
}

static void test_close_repeats_stay_undecided_however_long_it_is_quiet(void **state)
{
	struct judge *j = judge_plain();

	(void)state;
	say_stray(j, "10.1.1.1", "10.10.1.2", 0xb761863e, 100);
	say_stray(j, "10.1.1.1", "10.10.1.2", 0xb761863e, 120);
	hear(j, 40000);
	assert_judged(only(j), VERDICT_UNDECIDED, RULE_LOG_CLOSE_REPEAT);
	judge_free(j);
}

/* Two messages `apart`, with much log behind them. */
static struct incident far_apart(struct fact f, double apart)
{
	static struct judge *j;

	judge_free(j);
	j = judge_plain();
	say(j, &f, "hub", 0);
	say(j, &f, "hub", apart);
	hear(j, apart + 1000);
	return only(j);
}

static void test_windows(void **state)
{
	struct fact f = fact_stray("10.1.1.1", "10.10.1.2", 0x1db73bbb);

	(void)state;
	assert_judged(far_apart(f, 86400), VERDICT_DESYNC, RULE_LOG_REPEAT);
	assert_judged(far_apart(f, 86400.001), VERDICT_TRANSIENT, RULE_LOG_ONCE_QUIET); /* each seen once */
	f = fact_stray("10.1.1.1", "10.10.1.2", 0x100); /* a manual key: no desync 12 h later */
	assert_true(f.flags & FLAG_SPI_SMALL);
	assert_judged(far_apart(f, 12 * 3600), VERDICT_TRANSIENT, RULE_LOG_ONCE_QUIET);
	assert_judged(far_apart(f, 600.001), VERDICT_TRANSIENT, RULE_LOG_ONCE_QUIET);
	assert_judged(far_apart(f, 600), VERDICT_DESYNC, RULE_LOG_REPEAT);
	f = fact_stray("10.1.1.1", "10.10.1.2", 0x1db73bbb);
	f.controller_keyed = true;
	assert_judged(far_apart(f, 600.001), VERDICT_TRANSIENT, RULE_LOG_ONCE_QUIET);
	assert_judged(far_apart(f, 600), VERDICT_DESYNC, RULE_LOG_REPEAT);
	assert_int_equal(far_apart(f, 600).tunnel_kind, TUNNEL_SDWAN);
	f.controller_keyed = false;
	strcpy(f.interface, "Tunnel10001"); /* B15 */
	assert_judged(far_apart(f, 601), VERDICT_TRANSIENT, RULE_LOG_ONCE_QUIET);
	strcpy(f.interface, "Tunnel1000"); /* a DMVPN */
	assert_judged(far_apart(f, 601), VERDICT_DESYNC, RULE_LOG_REPEAT);
}

static void test_repeats_of_the_syslog_server_count(void **state)
{
	struct judge *j = judge_plain();
	struct fact f = fact_stray("10.1.1.1", "10.10.1.2", 0x1db73bbb);
	struct judge_claim c = claim_of(&f, "hub", 100);
	struct incident i;

	(void)state;
	judge_claim(j, &c);
	f.count = 3; /* "last message repeated 3 times", at the same time: no copy, and no later either */
	c.is_repeat = true;
	judge_claim(j, &c);
	i = only(j);
	assert_judged(i, VERDICT_UNDECIDED, RULE_LOG_CLOSE_REPEAT);
	assert_int_equal(i.messages, 4);
	assert_int_equal(i.copies, 0);
	judge_free(j);
}

static void test_copies_count_once(void **state)
{
	struct judge *j = judge_plain();
	struct fact f = fact_stray("10.1.1.1", "10.10.1.2", 0x1db73bbb);
	struct judge_claim c = claim_of(&f, "", 100);
	struct incident i;

	(void)state;
	judge_claim(j, &c);
	c.source = 2;
	c.host = TEXT("hub");
	judge_claim(j, &c);
	c.source = 3;
	judge_claim(j, &c);
	hear(j, 500);
	i = only(j);
	assert_judged(i, VERDICT_TRANSIENT, RULE_LOG_ONCE_QUIET);
	assert_int_equal(i.messages, 1);
	assert_int_equal(i.copies, 2);
	assert_int_equal(judge_counts(j)->messages, 1);
	assert_int_equal(judge_counts(j)->copies, 2);
	assert_true(i.flags & FLAG_COPIES);
	assert_true(text_equal(i.observer, TEXT("hub"))); /* the copy names what the first did not */
	judge_free(j);
}

static void test_any_order_of_times(void **state)
{
	static const double orders[][4] = { { 0, 50, 100, 150 }, { 150, 100, 50, 0 }, { 100, 0, 150, 50 } };

	(void)state;
	for (size_t o = 0; o < 3; o++) {
		struct judge *j = judge_plain();
		struct fact f = fact_stray("10.1.1.1", "10.10.1.2", 0x1db73bbb);
		struct incident i;

		for (int m = 0; m < 4; m++) {
			struct judge_claim c = claim_of(&f, "hub", orders[o][m]);

			c.source = (uint32_t)m + 1; /* four files */
			judge_claim(j, &c);
		}
		i = only(j);
		assert_judged(i, VERDICT_DESYNC, RULE_LOG_REPEAT);
		assert_int_equal(i.gap_ns, SECONDS(150));
		assert_int_equal(i.first_seen.ns, CASE_DAY);
		assert_int_equal(i.last_seen.ns, CASE_DAY + SECONDS(150));
		assert_false(i.flags & FLAG_CLOCK_JUMPED); /* files overlap, no clock went back */
		judge_free(j);
	}
}

static void test_pair_between_days_read_out_of_order(void **state)
{
	static const double hours[] = { 0, 50, 100 };
	struct judge *j = judge_plain();
	struct judge_claim c;
	struct incident i;
	struct fact f;

	(void)state;
	for (int m = 0; m < 3; m++)
		say_stray(j, "10.1.1.1", "10.10.1.2", 0x1db73bbb, hours[m] * 3600);
	f = fact_stray("10.1.1.1", "10.10.1.2", 0x1db73bbb);
	c = claim_of(&f, "hub", 50 * 3600 + 60);
	c.source = 2;
	judge_claim(j, &c);
	i = only(j);
	assert_judged(i, VERDICT_DESYNC, RULE_LOG_REPEAT);
	assert_int_equal(i.gap_ns, SECONDS(60));
	assert_false(i.flags & FLAG_CLOCK_JUMPED); /* it is another file */
	judge_free(j);
}

/* Messages of one file at these times, in this order; a negative one ends them. */
static struct incident in_one_file(const double *at)
{
	static struct judge *j;

	judge_free(j);
	j = judge_plain();
	for (; *at >= 0; at++)
		say_stray(j, "10.1.1.1", "10.10.1.2", 0x1db73bbb, *at);
	hear(j, 1000000);
	return only(j);
}

static void test_clock_that_went_back(void **state)
{
	static const double once[] = { 1000, 885, -1 }, closer[] = { 1000, 885, 990, 995, -1 }, twice[] = { 1000, 885, 880, -1 };
	static const double proven[] = { 1000, 885, 935, -1 }, before[] = { 1000, 1050, 885, -1 };
	static const double far[] = { 200000, 1000, -1 }, moment[] = { 1000, 998, -1 };
	static const double caught_up[] = { 1000, 970, 1015, -1 };

	(void)state;
	assert_judged(in_one_file(once), VERDICT_UNDECIDED, RULE_LOG_CLOSE_REPEAT);
	assert_true(in_one_file(once).flags & FLAG_CLOCK_JUMPED);
	assert_int_equal(in_one_file(once).gap_ns, 0);
	assert_judged(in_one_file(twice), VERDICT_UNDECIDED, RULE_LOG_CLOSE_REPEAT);
	assert_judged(in_one_file(far), VERDICT_UNDECIDED, RULE_LOG_CLOSE_REPEAT);
	/* Other pairs prove it, all before or all after. */
	assert_judged(in_one_file(proven), VERDICT_DESYNC, RULE_LOG_REPEAT);
	assert_int_equal(in_one_file(proven).gap_ns, SECONDS(50));
	assert_true(in_one_file(proven).flags & FLAG_CLOCK_JUMPED);
	assert_judged(in_one_file(before), VERDICT_DESYNC, RULE_LOG_REPEAT);
	assert_int_equal(in_one_file(before).gap_ns, SECONDS(50));
	assert_int_equal(in_one_file(closer).gap_ns, SECONDS(110));
	/* 45 s after the jump; what was before does not count even once the clock is past it. */
	assert_judged(in_one_file(caught_up), VERDICT_UNDECIDED, RULE_LOG_CLOSE_REPEAT);
	assert_int_equal(in_one_file(caught_up).gap_ns, SECONDS(45));
	/* Two messages that changed places on their way are no jump. */
	assert_false(in_one_file(moment).flags & FLAG_CLOCK_JUMPED);
	assert_judged(in_one_file(moment), VERDICT_UNDECIDED, RULE_LOG_CLOSE_REPEAT);
}

static void test_two_observers(void **state)
{
	struct judge *j = judge_plain();
	struct fact f = fact_stray("10.1.1.1", "10.10.1.2", 0x1db73bbb);

	(void)state;
	say(j, &f, "hub", 100);
	say(j, &f, "relay", 160);
	assert_true(only(j).flags & FLAG_SEVERAL_OBSERVERS);
	assert_true(text_equal(only(j).observer, TEXT("hub")));
	judge_free(j);
}

static void test_without_times(void **state)
{
	struct judge *j = judge_plain();

	(void)state;
	for (int m = 0; m < 3; m++)
		say_stray(j, "10.1.1.1", "10.10.1.2", 0x1db73bbb, -1);
	assert_judged(only(j), VERDICT_UNDECIDED, RULE_LOG_NO_TIME);
	assert_int_equal(only(j).messages, 3);
	assert_false(only(j).has_times);
	judge_free(j);
}

static struct incident masked(uint32_t spi, bool has_spi, double second)
{
	static struct judge *j;
	struct fact f = fact_stray(NULL, "10.10.1.2", spi);

	judge_free(j);
	j = judge_plain();
	if (!has_spi)
		f.has = 0;
	say(j, &f, "hub", 0);
	if (second > 0)
		say(j, &f, "hub", second);
	hear(j, 5000);
	return only(j);
}

static void test_masked_source(void **state)
{
	(void)state;
	assert_judged(masked(0x1db73bbb, true, 0), VERDICT_UNDECIDED, RULE_NO_SOURCE);
	assert_judged(masked(0x1db73bbb, true, 10), VERDICT_UNDECIDED, RULE_LOG_CLOSE_REPEAT);
	/* The receiver chose the SPI: with the destination it names the SA. */
	assert_judged(masked(0x1db73bbb, true, 60), VERDICT_DESYNC, RULE_LOG_REPEAT);
	/* What scans send from everywhere (C17) proves nothing as long as the source is hidden. */
	assert_judged(masked(0x77b40000, true, 60), VERDICT_UNDECIDED, RULE_NO_SOURCE);
	assert_judged(masked(0, false, 60), VERDICT_UNDECIDED, RULE_NO_SOURCE);
}

static void test_other_fault(void **state)
{
	struct judge *j = judge_plain();
	struct fact f = fact_stray("10.1.1.1", "10.10.1.2", 0x1db73bbb);

	(void)state;
	f.kind = FACT_INTEGRITY;
	say(j, &f, "hub", 100);
	assert_judged(only(j), VERDICT_OTHER_FAULT, RULE_SA_FOUND);
	assert_int_equal(only(j).cause, CAUSE_UNKNOWN); /* once: the message says what, not why */
	assert_int_equal(judge_counts(j)->messages, 0);
	say(j, &f, "hub", 200);
	assert_int_equal(only(j).cause, CAUSE_SPI_COLLISION);
	assert_int_equal(only(j).confidence, CONFIDENCE_POSSIBLE);
	judge_free(j);
}

static void test_cause_0xff_needs_that_no_table_denies_it(void **state)
{
	struct judge *j = judge_plain();
	struct sa_block b = { .local = address_of("10.10.1.2"), .peer = address_of("10.1.1.1"), .inbound_count = 1 };

	(void)state;
	say_stray(j, "10.1.1.1", "10.10.1.2", 0xff001122, 0);
	say_stray(j, "10.1.1.1", "10.10.1.2", 0xff001122, 60);
	assert_int_equal(only(j).cause, CAUSE_SPI_0XFF);
	b.inbound[0].value = 0x12345678;
	judge_block(j, &b, 1, 1);
	assert_int_equal(only(j).cause, CAUSE_UNKNOWN);
	judge_free(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gap_of_each_dialect),
		cmocka_unit_test(test_sequence_numbers),
		cmocka_unit_test(test_once),
		cmocka_unit_test(test_another_observer_does_not_count_as_quiet),
		cmocka_unit_test(test_close_repeats_stay_undecided_however_long_it_is_quiet),
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_repeats_of_the_syslog_server_count),
		cmocka_unit_test(test_copies_count_once),
		cmocka_unit_test(test_any_order_of_times),
		cmocka_unit_test(test_pair_between_days_read_out_of_order),
		cmocka_unit_test(test_clock_that_went_back),
		cmocka_unit_test(test_two_observers),
		cmocka_unit_test(test_without_times),
		cmocka_unit_test(test_masked_source),
		cmocka_unit_test(test_other_fault),
		cmocka_unit_test(test_cause_0xff_needs_that_no_table_denies_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
