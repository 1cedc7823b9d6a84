/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "plan/budget.h"

#define S SECOND_NS

static const struct hash_key secret = { 17, 19 };

static struct spimend_address address_of(unsigned n)
{
	return (struct spimend_address){ 4, { 10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n } };
}

/* Wide open; a test narrows what it is about. struct config is large: not on the stack. */
static struct config *wide(void)
{
	struct config *config = memory_new(1, sizeof(*config));

	config_default(config);
	config->per_peer_count = 1000;
	config->global_count = 1000000;
	config->concurrent = 64;
	config->breaker_peers = 256;
	config->breaker_ns = 1;
	return config;
}

static struct budget *budget_of(struct config *config)
{
	struct budget *budget;

	assert_int_equal(budget_new(config, &secret, &budget), 0);
	memory_free(config);
	return budget;
}

static enum repair_refusal ask(struct budget *b, unsigned peer, bool first, bool backs_off, int64_t now, int64_t *again)
{
	struct spimend_address address = address_of(peer);
	struct budget_request request = { &address, first, backs_off, 0 };

	return budget_ask(b, &request, now, again);
}

static void spend(struct budget *b, unsigned peer, bool first, bool backs_off, int64_t now)
{
	struct spimend_address address = address_of(peer);
	struct budget_request request = { &address, first, backs_off, 0 };

	budget_spend(b, &request, now);
}

static void release(struct budget *b, unsigned peer, bool healed, int64_t now)
{
	struct spimend_address address = address_of(peer);

	budget_release(b, &address, healed, now);
}

static void fell(struct budget *b, unsigned peer, int64_t now)
{
	struct spimend_address address = address_of(peer);

	budget_fell(b, &address, now);
}

static void restore_one(struct budget *b, unsigned peer, bool backs_off, bool healed, int64_t then)
{
	struct spimend_address address = address_of(peer);

	budget_restore(b, &address, backs_off, healed, then);
}

static void restore(struct budget *b, unsigned peer, bool backs_off, int64_t then)
{
	restore_one(b, peer, backs_off, false, then);
}

static void may(struct budget *b, unsigned peer, bool first, bool backs_off, int64_t now)
{
	int64_t again = -7;

	assert_int_equal(ask(b, peer, first, backs_off, now, &again), REFUSE_NONE);
	assert_int_equal(again, -7);
}

static void may_not(struct budget *b, unsigned peer, bool first, bool backs_off, int64_t now, enum repair_refusal why,
		    int64_t until)
{
	int64_t again = 0;

	assert_int_equal(ask(b, peer, first, backs_off, now, &again), why);
	assert_int_equal(again, until);
}

static void a_peer_has_its_window(void **state)
{
	struct config *config = wide();
	struct budget *b;

	(void)state;
	config->per_peer_count = 2;
	b = budget_of(config);
	may(b, 1, true, false, 10 * S);
	spend(b, 1, true, false, 10 * S);
	may(b, 1, true, false, 20 * S);
	spend(b, 1, true, false, 20 * S);
	may_not(b, 1, true, false, 21 * S, REFUSE_BUDGET, 70 * S);
	may(b, 1, false, false, 21 * S); /* an escalation of what is under way */
	may(b, 2, true, false, 21 * S);
	may_not(b, 1, true, false, 70 * S - 1, REFUSE_BUDGET, 70 * S);
	may(b, 1, true, false, 70 * S);
	spend(b, 1, true, false, 70 * S);
	may_not(b, 1, true, false, 71 * S, REFUSE_BUDGET, 80 * S); /* it slides */
	budget_free(b);
	budget_free(NULL);
}

static void all_share_the_global_window(void **state)
{
	struct config *config = wide();
	struct budget *b;

	(void)state;
	config->global_count = 3;
	b = budget_of(config);
	spend(b, 1, true, false, 0);
	spend(b, 2, true, false, 1 * S);
	spend(b, 2, false, false, 2 * S); /* escalations count here */
	may_not(b, 3, true, false, 3 * S, REFUSE_BUDGET, 60 * S);
	may_not(b, 2, false, false, 3 * S, REFUSE_BUDGET, 60 * S);
	may(b, 3, true, false, 60 * S);
	budget_free(b);
}

static void so_many_may_be_under_way(void **state)
{
	struct config *config = wide();
	int64_t hold = 2 * (config->order_timeout_ns + config->verify_ns);
	struct budget *b;

	(void)state;
	config->concurrent = 2;
	b = budget_of(config);
	spend(b, 1, true, false, 0);
	spend(b, 2, true, false, 0);
	may_not(b, 3, true, false, S, REFUSE_BUDGET, S + S / 10);
	may(b, 2, false, false, S); /* its place is taken already */
	spend(b, 2, false, false, S);
	may_not(b, 3, false, false, S, REFUSE_BUDGET, S + S / 10);
	release(b, 1, true, 2 * S);
	release(b, 1, true, 2 * S); /* twice, and of one that is unknown */
	release(b, 77, true, 2 * S);
	may(b, 3, true, false, 2 * S);
	spend(b, 3, true, false, 2 * S);
	may_not(b, 4, true, false, 2 * S, REFUSE_BUDGET, 2 * S + S / 10);
	may_not(b, 4, true, false, S + hold - 1, REFUSE_BUDGET, S + hold - 1 + S / 10);
	may(b, 4, true, false, S + hold); /* nobody released the second */
	budget_free(b);
}

static void the_back_off_doubles_while_nothing_heals(void **state)
{
	struct budget *b = budget_of(wide());
	int64_t now = 0, wait = 60 * S;

	(void)state;
	for (unsigned i = 0; i < 12; i++) {
		may(b, 1, true, true, now);
		spend(b, 1, true, true, now);
		release(b, 1, false, now + S);
		may_not(b, 1, false, true, now + 2 * S, REFUSE_BACKOFF, now + wait);
		may_not(b, 1, true, true, now + wait - 1, REFUSE_BACKOFF, now + wait);
		may(b, 1, true, false, now + 2 * S); /* what opens no IKE SA does not wait */
		may(b, 2, true, true, now + 2 * S);
		now += wait;
		wait = wait * 2 < HOUR_NS ? wait * 2 : HOUR_NS;
	}
	assert_int_equal(wait, HOUR_NS);
	may(b, 1, true, true, now + 3 * HOUR_NS); /* long past: from the start */
	spend(b, 1, true, true, now + 3 * HOUR_NS);
	may_not(b, 1, true, true, now + 3 * HOUR_NS, REFUSE_BACKOFF, now + 3 * HOUR_NS + 60 * S);
	budget_free(b);
}

static void the_back_off_is_over_when_healed_and_quiet(void **state)
{
	struct budget *b = budget_of(wide());

	(void)state;
	spend(b, 1, true, true, 0);
	release(b, 1, false, 0);
	spend(b, 1, true, true, 60 * S); /* waits 120 s now */
	release(b, 1, true, 70 * S);
	may_not(b, 1, true, true, 100 * S, REFUSE_BACKOFF, 180 * S);
	fell(b, 1, 100 * S);             /* not quiet for long */
	may(b, 1, true, true, 180 * S);
	spend(b, 1, true, true, 180 * S);
	may_not(b, 1, true, true, 181 * S, REFUSE_BACKOFF, 300 * S); /* it did heal: no doubling; but it is not over */
	release(b, 1, true, 190 * S);
	spend(b, 1, true, true, 310 * S); /* healed, and quiet for 120 s */
	may_not(b, 1, true, true, 311 * S, REFUSE_BACKOFF, 370 * S);
	budget_free(b);
}

static void the_breaker_paces_when_many_fall_together(void **state)
{
	struct config *config = wide();
	struct spimend_address address = address_of(9);
	struct budget_request request = { &address, true, false, UINT32_MAX / 2 + 1 };
	struct budget *b;
	int64_t again;

	(void)state;
	config->breaker_peers = 3;
	config->breaker_ns = 10 * S;
	config->pace_ns = 4 * S;
	b = budget_of(config);
	assert_false(budget_breaker_open(b, 0));
	fell(b, 1, 0);
	fell(b, 2, 5 * S);
	fell(b, 2, 6 * S); /* the same one again */
	assert_false(budget_breaker_open(b, 6 * S));
	fell(b, 3, 11 * S); /* the first is too long ago */
	assert_false(budget_breaker_open(b, 11 * S));
	fell(b, 4, 12 * S);
	assert_true(budget_breaker_open(b, 12 * S));
	may(b, 1, true, false, 12 * S);
	spend(b, 1, true, false, 12 * S);
	may_not(b, 2, true, false, 12 * S, REFUSE_BREAKER, 16 * S);
	may(b, 1, false, false, 12 * S); /* what is begun goes on */
	assert_int_equal(budget_ask(b, &request, 12 * S, &again), REFUSE_BREAKER);
	assert_int_equal(again, 18 * S); /* the next turn, and half a pace */
	assert_int_equal(budget_ask(b, &request, 16 * S, &again), REFUSE_NONE);
	budget_spend(b, &request, 16 * S);
	may_not(b, 2, true, false, 17 * S, REFUSE_BREAKER, 22 * S); /* a pace and half a pace */
	assert_true(budget_breaker_open(b, 30 * S)); /* somebody waits still */
	may(b, 2, true, false, 30 * S);
	spend(b, 2, true, false, 30 * S);
	assert_false(budget_breaker_open(b, 60 * S)); /* nobody came again */
	may(b, 3, true, false, 60 * S);
	budget_free(b);
}

static void the_limit_that_ends_last_is_told(void **state)
{
	struct config *config = wide();
	struct budget *b;

	(void)state;
	config->global_count = 1;
	config->global_ns = 10 * S;
	config->per_peer_count = 1;
	config->per_peer_ns = 30 * S;
	b = budget_of(config);
	spend(b, 1, true, true, 0);
	may_not(b, 1, false, false, S, REFUSE_BUDGET, 10 * S);
	may_not(b, 1, true, false, S, REFUSE_BUDGET, 30 * S);
	may_not(b, 1, true, true, S, REFUSE_BACKOFF, 60 * S);
	budget_free(b);
}

static void what_was_done_before_a_restart_counts(void **state)
{
	struct config *config = wide();
	struct budget *b;

	(void)state;
	config->per_peer_count = 1;
	config->global_count = 3;
	b = budget_of(config);
	restore(b, 2, false, -20 * S); /* before this machine's clock began */
	restore(b, 1, true, -30 * S);
	restore(b, 1, true, -100 * S);
	may_not(b, 1, true, false, 0, REFUSE_BUDGET, 30 * S);
	may_not(b, 1, true, true, 0, REFUSE_BACKOFF, 90 * S);
	may_not(b, 2, true, false, 0, REFUSE_BUDGET, 40 * S);
	may(b, 3, true, true, 0);
	restore(b, 4, true, -10 * HOUR_NS);
	may(b, 4, true, true, 0);
	restore(b, 5, false, -1 * S);
	may_not(b, 3, true, false, 0, REFUSE_BUDGET, 30 * S); /* three within the minute */
	budget_free(b);
}

/* Found in the lab: two repairs that helped, then a restart of core, made the third wait for minutes. */
static void what_healed_before_a_restart_doubles_nothing(void **state)
{
	struct budget *b = budget_of(wide());

	(void)state;
	for (int i = 0; i < 2; i++) { /* the order of time, and against it */
		unsigned peer = 10u + (unsigned)i * 10;

		restore_one(b, peer, true, true, i ? -10 * S : -80 * S);
		restore_one(b, peer, true, true, i ? -80 * S : -10 * S);
		may_not(b, peer, true, true, 0, REFUSE_BACKOFF, 50 * S);
		may(b, peer, true, true, 50 * S);
		restore_one(b, peer + 1, true, false, i ? -10 * S : -80 * S); /* one of the two did not help */
		restore_one(b, peer + 1, true, true, i ? -80 * S : -10 * S);
		may_not(b, peer + 1, true, true, 0, REFUSE_BACKOFF, i ? 50 * S : 110 * S);
		restore_one(b, peer + 2, true, true, -70 * S); /* healed, and quiet since */
		may(b, peer + 2, true, true, 0);
	}
	budget_free(b);
}

static void an_instant_in_the_future_counts_as_now(void **state)
{
	struct config *config = wide();
	struct budget *b;

	(void)state;
	config->per_peer_count = 1;
	b = budget_of(config);
	restore(b, 1, true, 365 * DAY_NS); /* a clock was set back */
	may_not(b, 1, true, false, 5 * S, REFUSE_BUDGET, 65 * S);
	may_not(b, 1, false, true, 5 * S, REFUSE_BACKOFF, 65 * S);
	may(b, 1, true, true, 65 * S);
	restore(b, 2, true, INT64_MAX);
	restore(b, 3, true, INT64_MIN);
	may_not(b, 2, true, true, 65 * S, REFUSE_BACKOFF, 125 * S);
	may(b, 3, true, true, 65 * S);
	may(b, 3, true, true, INT64_MAX - 1); /* and nothing overflows */
	spend(b, 3, true, true, INT64_MAX - 1);
	assert_int_not_equal(ask(b, 3, true, true, INT64_MAX - 1, &(int64_t){ 0 }), REFUSE_NONE);
	budget_free(b);
}

static void new_settings_count_from_now_on(void **state)
{
	struct config *config = wide(), *other = wide();
	struct budget *b = budget_of(config);

	(void)state;
	for (int i = 0; i < 5; i++)
		spend(b, 1, true, false, i * S);
	may(b, 1, true, false, 5 * S);
	other->per_peer_count = 3;
	budget_reconfigure(b, other);
	may_not(b, 1, true, false, 5 * S, REFUSE_BUDGET, 62 * S);
	other->per_peer_count = 0;
	budget_reconfigure(b, other);
	assert_int_equal(ask(b, 1, true, false, HOUR_NS, &(int64_t){ 0 }), REFUSE_BUDGET);
	other->per_peer_count = UINT32_MAX; /* counts as BUDGET_PER_PEER_MAX */
	budget_reconfigure(b, other);
	for (unsigned i = 0; i < BUDGET_PER_PEER_MAX; i++) {
		may(b, 3, true, false, HOUR_NS);
		spend(b, 3, true, false, HOUR_NS);
		release(b, 3, true, HOUR_NS);
	}
	may_not(b, 3, true, false, HOUR_NS, REFUSE_BUDGET, HOUR_NS + 60 * S);
	memory_free(other);
	budget_free(b);
}

static void a_full_table_refuses_whom_it_cannot_remember(void **state)
{
	struct config *config = wide();
	struct budget *b;

	(void)state;
	config->global_ns = 1;
	b = budget_of(config);
	for (unsigned i = 0; i < BUDGET_PEERS_MAX; i++) {
		may(b, i, true, true, i);
		spend(b, i, true, true, i);
		release(b, i, false, i);
	}
	may_not(b, 99999, true, false, S, REFUSE_BUDGET, 61 * S);
	may(b, 5, true, false, S); /* who is in it is remembered */
	assert_int_equal(ask(b, 5, true, true, S, &(int64_t){ 0 }), REFUSE_BACKOFF);
	may(b, 99999, true, false, 3 * HOUR_NS); /* the oldest make room when nothing about them counts */
	spend(b, 99999, true, true, 3 * HOUR_NS);
	may_not(b, 99999, true, true, 3 * HOUR_NS, REFUSE_BACKOFF, 3 * HOUR_NS + 60 * S);
	budget_free(b);
}

/* More orders kept than the table has room for: whoever may have been forgotten has to wait. */
static void who_may_have_been_forgotten_waits(void **state)
{
	struct config *config = wide();
	struct budget *b;

	(void)state;
	config->global_ns = 1;
	b = budget_of(config);
	for (unsigned i = 0; i < BUDGET_PEERS_MAX + 10; i++)
		restore(b, i, false, -10 * S + i);
	assert_int_equal(ask(b, 3, true, false, S, &(int64_t){ 0 }), REFUSE_BUDGET);
	may(b, BUDGET_PEERS_MAX, true, false, S);
	may(b, 3, true, false, 61 * S);
	budget_free(b);
}

/* Against a plain history: whoever asks, whenever, in whatever order, the limits hold over every span. */
static void limits_hold_over_every_span(void **state)
{
	enum { PEERS = 12, STEPS = 30000, PER_PEER = 2, GLOBAL = 7, AT_ONCE = 3 };
	struct config *config = wide();
	int64_t (*done)[2] = memory_new(STEPS, sizeof(*done)), now = 0, last_opened[PEERS] = { 0 };
	uint32_t count = 0, first_count = 0, under_way[PEERS] = { 0 }, all_under_way = 0, refused[REFUSALS] = { 0 };
	bool opened[PEERS] = { false };
	uint64_t random = 99;
	struct budget *b;

	(void)state;
	config->per_peer_count = PER_PEER;
	config->global_count = GLOBAL;
	config->concurrent = AT_ONCE;
	config->breaker_peers = 4;
	config->breaker_ns = 3 * S;
	config->order_timeout_ns = HOUR_NS; /* places are only released */
	config->per_peer_ns = 20 * S;
	config->global_ns = 15 * S;
	config->backoff_ns = 5 * S;
	b = budget_of(config);
	for (int step = 0; step < STEPS; step++) {
		unsigned peer;
		bool first, backs_off;
		int64_t again = 0;
		enum repair_refusal why;

		random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
		peer = (unsigned)(random >> 40) % PEERS;
		first = random >> 60 & 3;
		backs_off = random >> 62 == 0;
		now += (int64_t)(random >> 20 & 0x3fffffff);
		if (random >> 57 & 1)
			fell(b, peer, now);
		if (under_way[peer] && random >> 58 & 1) {
			release(b, peer, random >> 59 & 1, now);
			under_way[peer]--;
			all_under_way--;
		}
		why = ask(b, peer, first, backs_off, now, &again);
		refused[why]++;
		if (why) {
			assert_true(again > now);
			continue;
		}
		spend(b, peer, first, backs_off, now);
		if (first || !under_way[peer]) {
			under_way[peer]++;
			all_under_way++;
		}
		assert_true(all_under_way <= AT_ONCE);
		if (backs_off) {
			assert_true(!opened[peer] || now >= last_opened[peer] + 5 * S);
			opened[peer] = true;
			last_opened[peer] = now;
		}
		done[count][0] = now;
		done[count++][1] = first ? peer : PEERS;
		for (uint32_t i = count, same = 0, of_peer = 0; i > 0 && done[i - 1][0] > now - 20 * S; i--) {
			same += done[i - 1][0] > now - 15 * S;
			of_peer += done[i - 1][1] == peer;
			assert_true(same <= GLOBAL);
			assert_true(of_peer <= PER_PEER);
		}
		first_count += first;
	}
	assert_true(first_count > 100 && refused[REFUSE_BUDGET] > 100 && refused[REFUSE_BACKOFF] > 100 &&
		    refused[REFUSE_BREAKER] > 100); /* it was about something */
	memory_free(done);
	budget_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_peer_has_its_window),
		cmocka_unit_test(all_share_the_global_window),
		cmocka_unit_test(so_many_may_be_under_way),
		cmocka_unit_test(the_back_off_doubles_while_nothing_heals),
		cmocka_unit_test(the_back_off_is_over_when_healed_and_quiet),
		cmocka_unit_test(the_breaker_paces_when_many_fall_together),
		cmocka_unit_test(the_limit_that_ends_last_is_told),
		cmocka_unit_test(what_was_done_before_a_restart_counts),
		cmocka_unit_test(what_healed_before_a_restart_doubles_nothing),
		cmocka_unit_test(an_instant_in_the_future_counts_as_now),
		cmocka_unit_test(new_settings_count_from_now_on),
		cmocka_unit_test(a_full_table_refuses_whom_it_cannot_remember),
		cmocka_unit_test(who_may_have_been_forgotten_waits),
		cmocka_unit_test(limits_hold_over_every_span),
	};

	return cmocka_run_group_tests_name("budget", tests, NULL, NULL);
}
