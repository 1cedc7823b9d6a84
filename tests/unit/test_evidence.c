/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include "judge_case.h"

#define HUB "10.10.1.2"
#define SPOKE "10.1.1.1"
#define X 0x1db73bbbu

/* A desync of SPOKE's SPI X at HUB, first seen at 1000 s. */
static void desync(struct judge *j)
{
	say_stray(j, SPOKE, HUB, X, 1000);
	say_stray(j, SPOKE, HUB, X, 1061);
}

static struct fact beside(enum fact_kind kind, const char *src, const char *dst)
{
	struct fact f = fact_of(kind, DIALECT_IOS);

	f.src = address_of(src);
	f.dst = address_of(dst);
	return f;
}

static struct fact death(enum fact_reason reason, uint32_t spi)
{
	struct fact f = beside(FACT_SA_DIED, SPOKE, HUB);

	f.has = FACT_HAS_SPI;
	f.spi.value = spi;
	f.reason = reason;
	return f;
}

/* What the incident becomes with one more message at `at`. */
static struct incident with(const struct fact *f, const char *host, double at)
{
	static struct judge *j;

	judge_free(j);
	j = judge_plain();
	desync(j);
	if (f)
		say(j, f, host, at);
	assert_int_equal(judge_settle(j), 0);
	return of_spi(j, X);
}

static void test_messages_of_the_pair_belong(void **state)
{
	struct fact f = beside(FACT_NO_IKE_SA, SPOKE, NULL);

	(void)state;
	assert_int_equal(with(NULL, "", 0).evidence_count, 2);
	assert_true(with(&f, "hub", 900).saw[FACT_NO_IKE_SA]);
	assert_int_equal(with(&f, "hub", 900).evidence_count, 3);
	assert_int_equal(with(&f, "hub", 900).cause, CAUSE_RECEIVER_LOST_STATE);
	assert_int_equal(with(&f, "hub", 900).confidence, CONFIDENCE_POSSIBLE);
	/* The window: 15 min on both sides. */
	assert_true(with(&f, "hub", 100).saw[FACT_NO_IKE_SA]);
	assert_false(with(&f, "hub", 99.999).saw[FACT_NO_IKE_SA]);
	assert_true(with(&f, "hub", 1061 + 900).saw[FACT_NO_IKE_SA]);
	assert_false(with(&f, "hub", 1061 + 900.001).saw[FACT_NO_IKE_SA]);
}

static void test_other_peers_and_hosts_do_not_belong(void **state)
{
	struct fact f = beside(FACT_NO_IKE_SA, "10.1.1.9", NULL);
	struct judge *j = judge_plain();

	(void)state;
	assert_false(with(&f, "hub", 900).saw[FACT_NO_IKE_SA]);
	/* Another hub writes about the same spoke, and says who it is. */
	desync(j);
	f = beside(FACT_NO_IKE_SA, SPOKE, "10.20.20.20");
	say(j, &f, "hub2", 900);
	assert_false(only(j).saw[FACT_NO_IKE_SA]);
	f = beside(FACT_NO_IKE_SA, SPOKE, NULL); /* now without its address: it is known by then */
	say(j, &f, "hub2", 901);
	assert_false(only(j).saw[FACT_NO_IKE_SA]);
	judge_free(j);
}

static void test_both_ends(void **state)
{
	/* The spoke's log, with its address, and without: two devices wrote, so it is the other one. */
	struct fact named = beside(FACT_DPD_DEAD, HUB, SPOKE), plain = beside(FACT_DPD_DEAD, HUB, NULL);

	(void)state;
	assert_true(with(&named, "spoke", 1030).flags & FLAG_BOTH_ENDS);
	assert_true(with(&plain, "spoke", 1030).flags & FLAG_BOTH_ENDS);
	assert_true(with(&plain, "spoke", 1030).evidence[1].other_end);
	assert_false(with(&plain, "hub", 1030).flags & FLAG_BOTH_ENDS);
}

static void test_outbound_spi_is_the_other_end(void **state)
{
	struct fact f = beside(FACT_SA_BORN, NULL, NULL);

	(void)state;
	f.has = FACT_HAS_SPI_OUT;
	f.spi_out.value = X;
	assert_true(with(&f, "spoke", 1).flags & FLAG_BOTH_ENDS); /* an SPI belongs at any time */
	assert_true(with(&f, "spoke", 1).saw[FACT_SA_BORN]);
}

static void test_swapped_spi(void **state)
{
	struct fact f = beside(FACT_INVALID_SPI_NOTIFY, NULL, NULL);

	(void)state;
	f.has = FACT_HAS_SPI;
	f.spi.value = 0xbb3bb71d;
	assert_true(with(&f, "hub", 1030).flags & FLAG_SPI_SWAPPED);
	assert_true(with(&f, "hub", 1030).saw[FACT_INVALID_SPI_NOTIFY]);
	f.spi.value = X;
	assert_false(with(&f, "hub", 1030).flags & FLAG_SPI_SWAPPED);
}

static void test_restart_before_explains(void **state)
{
	struct fact f = beside(FACT_RESTART, NULL, NULL);

	(void)state;
	assert_int_equal(with(&f, "hub", 999).cause, CAUSE_RECEIVER_LOST_STATE);
	assert_int_equal(with(&f, "hub", 999).confidence, CONFIDENCE_LIKELY);
	assert_int_equal(with(&f, "hub", 1000.001).cause, CAUSE_UNKNOWN); /* after: no cause */
	assert_int_equal(with(&f, "another", 999).cause, CAUSE_UNKNOWN);
}

static void test_restart_window(void **state)
{
	struct fact f = beside(FACT_RESTART, NULL, NULL);
	struct judge *j = judge_plain();

	(void)state;
	say_stray(j, SPOKE, HUB, X, 5000);
	say_stray(j, SPOKE, HUB, X, 5061);
	say(j, &f, "hub", 5000 - 3600.001);
	assert_int_equal(only(j).cause, CAUSE_UNKNOWN);
	say(j, &f, "hub", 5000 - 3600);
	assert_int_equal(only(j).cause, CAUSE_RECEIVER_LOST_STATE);
	judge_free(j);
}

static void test_death_by_rekey_within_the_overlap(void **state)
{
	struct fact f = death(REASON_REKEYED, X);

	(void)state;
	for (int late = 0; late < 2; late++) {
		struct judge *j = judge_plain();
		struct incident i;

		say(j, &f, "hub", 1000);
		say_stray(j, SPOKE, HUB, X, late ? 1005.001 : 1005);
		i = only(j);
		if (late) {
			assert_judged(i, VERDICT_UNDECIDED, RULE_LOG_ONCE_SHORT);
		} else {
			assert_judged(i, VERDICT_TRANSIENT, RULE_REKEY_OVERLAP);
			assert_int_equal(i.cause, CAUSE_REKEY_OVERLAP);
			assert_int_equal(i.confidence, CONFIDENCE_CERTAIN);
		}
		judge_free(j);
	}
}

static void test_cause_of_death(void **state)
{
	struct fact f = death(REASON_EXPIRED, X);

	(void)state;
	assert_int_equal(with(&f, "hub", 990).cause, CAUSE_LIFETIME_MISMATCH_TIME);
	f.reason = REASON_DELETED;
	assert_int_equal(with(&f, "hub", 990).cause, CAUSE_DELETE_LOST);
	f.reason = REASON_CLEARED;
	assert_int_equal(with(&f, "hub", 990).cause, CAUSE_UNILATERAL_DELETE);
	assert_int_equal(with(&f, "hub", 1010).cause, CAUSE_UNKNOWN); /* it was missing before it died: another reason */
	f.spi.value = 0x12345678;
	assert_int_equal(with(&f, "hub", 990).cause, CAUSE_UNKNOWN);
}

static void test_a_clear_after_the_first_message_is_a_repair(void **state)
{
	struct fact f = beside(FACT_CLEARED, SPOKE, NULL);

	(void)state;
	assert_int_equal(with(&f, "hub", 990).cause, CAUSE_UNILATERAL_DELETE);
	assert_int_equal(with(&f, "hub", 1030).cause, CAUSE_UNKNOWN);
	assert_true(with(&f, "hub", 1030).saw[FACT_CLEARED]);
}

static void test_busy_address_keeps_what_is_near(void **state)
{
	struct judge *j = judge_plain();
	struct fact f = beside(FACT_NO_IKE_SA, SPOKE, NULL);

	(void)state;
	for (int k = 0; k < 3000; k++) /* a day of them before */
		say(j, &f, "hub", k);
	say_stray(j, SPOKE, HUB, X, 80000);
	f.kind = FACT_NO_DELETE;
	say(j, &f, "hub", 80001);
	assert_true(only(j).saw[FACT_NO_DELETE]);
	assert_false(only(j).saw[FACT_NO_IKE_SA]);
	judge_free(j);
}

/* ---- saved tables ---- */

static struct sa_block block(const char *local, const char *peer, uint32_t in, uint32_t out)
{
	struct sa_block b = { .local = address_of(local), .peer = address_of(peer), .has_counters = true };

	if (in)
		b.inbound[b.inbound_count++].value = in;
	if (out)
		b.outbound[b.outbound_count++].value = out;
	return b;
}

static void test_tables_of_both_ends(void **state)
{
	struct judge *j = judge_plain();
	struct sa_block sender = block(SPOKE, HUB, 0x5555, X), receiver = block(HUB, SPOKE, 0x6666, 0x5555);

	(void)state;
	sender.has_lifetime = true;
	sender.lifetime_s = 1234;
	say_stray(j, SPOKE, HUB, X, 1000);
	judge_block(j, &sender, 1, 10);
	assert_judged(only(j), VERDICT_UNDECIDED, RULE_LOG_ONCE_SHORT);
	assert_true(only(j).confirmed_at_sender);
	judge_block(j, &receiver, 2, 10);
	assert_judged(only(j), VERDICT_DESYNC, RULE_SA_TABLE);
	assert_true(only(j).confirmed_at_receiver);
	assert_true(only(j).has_sa_lifetime);
	assert_int_equal(only(j).sa_lifetime_s, 1234);
	assert_true(only(j).flags & FLAG_BOTH_ENDS);
	/* Another protected flow of the same pair lists it after all. */
	receiver = block(HUB, SPOKE, X, 0x7777);
	judge_block(j, &receiver, 2, 40);
	assert_judged(only(j), VERDICT_UNDECIDED, RULE_LOG_ONCE_SHORT);
	assert_false(only(j).confirmed_at_receiver);
	judge_free(j);
}

static void test_cut_table_confirms_nothing(void **state)
{
	struct judge *j = judge_plain();
	struct sa_block b = block(HUB, SPOKE, 0x6666, 0);

	(void)state;
	b.inbound_dropped = 1;
	say_stray(j, SPOKE, HUB, X, 1000);
	judge_block(j, &b, 1, 1);
	assert_false(only(j).confirmed_at_receiver);
	judge_free(j);
}

static void test_sdwan_cleared(void **state)
{
	struct judge *j = judge_plain();
	struct sa_block b = block(HUB, SPOKE, 0, 0);
	struct fact f = beside(FACT_CLEARED, SPOKE, NULL);

	(void)state;
	b.controller_keyed = true;
	judge_block(j, &b, 1, 7);
	/* Without any message: the table alone. */
	assert_judged(only(j), VERDICT_DESYNC, RULE_SDWAN_CLEARED);
	assert_int_equal(only(j).messages, 0);
	assert_int_equal(only(j).evidence_count, 1);
	assert_int_equal(only(j).evidence[0].kind, FACT_SA_TABLE);
	assert_int_equal(only(j).tunnel_kind, TUNNEL_SDWAN);
	assert_int_equal(only(j).confidence, CONFIDENCE_LIKELY);
	judge_block(j, &b, 1, 70); /* saved twice: still one incident */
	assert_int_equal(only(j).cause, CAUSE_CONTROLLER_SA_CLEARED);
	say_stray(j, SPOKE, HUB, X, 1000);
	assert_judged(only(j), VERDICT_DESYNC, RULE_SDWAN_CLEARED);
	say(j, &f, "hub", 990); /* and the clear as it was typed */
	assert_int_equal(only(j).confidence, CONFIDENCE_CERTAIN);
	/* A later table shows SAs again. */
	b = block(HUB, SPOKE, 0x6666, 0x7777);
	b.controller_keyed = true;
	judge_block(j, &b, 1, 700);
	assert_judged(only(j), VERDICT_UNDECIDED, RULE_LOG_ONCE_SHORT);
	judge_free(j);
}

static void test_column_records_stand_alone(void **state)
{
	struct judge *j = judge_plain();
	struct fact stray = fact_stray(SPOKE, HUB, X), restart = beside(FACT_RESTART, NULL, NULL);
	struct judge_claim c = claim_of(&restart, "", 900);

	(void)state;
	c.is_alone = true;
	judge_claim(j, &c);
	c = claim_of(&stray, "", 1000);
	c.is_alone = true;
	judge_claim(j, &c);
	assert_false(only(j).saw[FACT_RESTART]);
	judge_free(j);
	/* Plain lines of one file without host names are one device's. */
	j = judge_plain();
	c = claim_of(&restart, "", 900);
	judge_claim(j, &c);
	c = claim_of(&stray, "", 1000);
	judge_claim(j, &c);
	assert_true(only(j).saw[FACT_RESTART]);
	judge_free(j);
}

static struct fact birth(uint32_t spi)
{
	struct fact f = beside(FACT_SA_BORN, SPOKE, HUB);

	f.has = FACT_HAS_SPI;
	f.spi.value = spi;
	return f;
}

/* The receiver restarts at 500 s; its SA is born then, and dies then; negative: never. */
static enum cause after_restart(double born, double died, uint32_t spi)
{
	struct judge *j = judge_plain();
	struct fact restart = beside(FACT_IKE_STARTED, NULL, NULL), b = birth(spi), d = death(REASON_DELETED, spi);
	enum cause cause;

	desync(j);
	say(j, &restart, "hub", 500);
	if (born >= 0)
		say(j, &b, "hub", born);
	if (died >= 0)
		say(j, &d, "hub", died);
	assert_int_equal(judge_settle(j), 0);
	cause = of_spi(j, X).cause;
	judge_free(j);
	return cause;
}

static void test_restart_explains_no_younger_sa(void **state)
{
	(void)state;
	assert_int_equal(after_restart(-1, -1, X), CAUSE_RECEIVER_LOST_STATE);
	assert_int_equal(after_restart(504, 900, X), CAUSE_DELETE_LOST);
	assert_int_equal(after_restart(-1, 900, X), CAUSE_DELETE_LOST);
	assert_int_equal(after_restart(504, -1, X), CAUSE_UNKNOWN);
	assert_int_equal(after_restart(500, -1, X), CAUSE_UNKNOWN);
	assert_int_equal(after_restart(499, -1, X), CAUSE_RECEIVER_LOST_STATE);
	assert_int_equal(after_restart(504, 900, X + 1), CAUSE_RECEIVER_LOST_STATE); /* another SA's life */
	assert_int_equal(after_restart(-1, 1100, X), CAUSE_RECEIVER_LOST_STATE);     /* what died later was not lost so */
}

static void test_tunnel_events_of_the_sender(void **state)
{
	struct fact line = beside(FACT_LINE_DOWN, NULL, NULL), nhrp = beside(FACT_NHRP_DOWN, SPOKE, HUB);
	struct fact own = beside(FACT_TUNNEL_UP, HUB, SPOKE), restart = beside(FACT_RESTART, NULL, NULL);
	struct judge *j;

	(void)state;
	/* The only other device that writes. */
	assert_true(with(&line, "spoke1", 1010).saw[FACT_LINE_DOWN]);
	assert_true(with(&line, "spoke1", 1010).flags & FLAG_BOTH_ENDS);
	assert_true(with(&nhrp, "spoke1", 1010).saw[FACT_NHRP_DOWN]);
	assert_true(with(&nhrp, "spoke1", 1010).flags & FLAG_BOTH_ENDS);
	assert_false(with(&nhrp, "hub", 1010).flags & FLAG_BOTH_ENDS);
	assert_false(with(&restart, "spoke1", 900).saw[FACT_RESTART]); /* that is no restart of the receiver */
	/* One of several: by its address. */
	for (int known = 0; known < 2; known++) {
		j = judge_plain();
		desync(j);
		say(j, &line, "spoke1", 1010);
		say(j, &line, "spoke2", 1011);
		if (known)
			say(j, &own, "spoke1", 5000);
		assert_int_equal(judge_settle(j), 0);
		assert_int_equal(of_spi(j, X).saw[FACT_LINE_DOWN], known);
		assert_int_equal(of_spi(j, X).evidence_count, 2 + known);
		judge_free(j);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages_of_the_pair_belong),
		cmocka_unit_test(test_other_peers_and_hosts_do_not_belong),
		cmocka_unit_test(test_both_ends),
		cmocka_unit_test(test_outbound_spi_is_the_other_end),
		cmocka_unit_test(test_swapped_spi),
		cmocka_unit_test(test_restart_before_explains),
		cmocka_unit_test(test_restart_window),
		cmocka_unit_test(test_restart_explains_no_younger_sa),
		cmocka_unit_test(test_tunnel_events_of_the_sender),
		cmocka_unit_test(test_death_by_rekey_within_the_overlap),
		cmocka_unit_test(test_cause_of_death),
		cmocka_unit_test(test_a_clear_after_the_first_message_is_a_repair),
		cmocka_unit_test(test_busy_address_keeps_what_is_near),
		cmocka_unit_test(test_tables_of_both_ends),
		cmocka_unit_test(test_cut_table_confirms_nothing),
		cmocka_unit_test(test_sdwan_cleared),
		cmocka_unit_test(test_column_records_stand_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
