/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include "judge_case.h"

/*
 * Random histories of claims, and what must hold for all of them. Few addresses and SPIs, so that flows repeat; sources
 * (files) of their own observers, each in order of time, as logs are.
 */
#define CLAIMS_MAX 300
#define PEER_NET 0x0a010000u
#define STRANGER_NET 0xc0000200u

struct told {
	struct fact fact;
	int64_t at_ms;
	bool has_at;
	uint32_t source;
};

struct history {
	struct told claims[CLAIMS_MAX];
	size_t count;
	bool peers_known;
	uint64_t key;
};

static const char *const hosts[] = { "none", "hub1", "hub2", "hub3" };

static int by_source_and_time(const void *a, const void *b)
{
	const struct told *x = a, *y = b;

	if (x->source != y->source)
		return x->source < y->source ? -1 : 1;
	return (x->at_ms > y->at_ms) - (x->at_ms < y->at_ms);
}

static struct history make(uint64_t *seed)
{
	static const int64_t spans_ms[] = { 30000, 600000, 3600000, INT64_C(172800000) };
	struct history h = { .count = 1 + draw(seed) % CLAIMS_MAX, .peers_known = draw(seed) % 2, .key = draw(seed) };
	int64_t span = spans_ms[draw(seed) % 4];
	uint32_t spis = 1 + (uint32_t)draw(seed) % 40, sources = 1 + (uint32_t)draw(seed) % 12;

	for (size_t i = 0; i < h.count; i++) {
		struct told *t = &h.claims[i];
		uint32_t who = (uint32_t)draw(seed) % sources;
		bool stranger = who % 3 == 2;

		t->source = 1 + (uint32_t)draw(seed) % 3;
		t->fact = fact_stray(NULL, NULL, 0x20000001 + (uint32_t)draw(seed) % spis * 0x10101);
		t->fact.src = address_v4((stranger ? STRANGER_NET : PEER_NET) + who);
		t->fact.dst = address_v4(0x0a0a0100 + t->source);
		t->has_at = draw(seed) % 20 != 0;
		t->at_ms = (int64_t)(draw(seed) % (uint64_t)span);
	}
	qsort(h.claims, h.count, sizeof(h.claims[0]), by_source_and_time);
	return h;
}

static struct judge *judge_history(const struct history *h, const uint32_t order[3], uint64_t key)
{
	struct judge_settings s = settings_default();
	struct judge *j = judge_with(&s, key);
	int64_t last[4] = { 0 };

	if (h->peers_known)
		add_peer(j, "10.1.0.0", 16);
	for (int turn = 0; turn < 3; turn++)
		for (size_t i = 0; i < h->count; i++) {
			const struct told *t = &h->claims[i];
			struct judge_claim c;

			if (t->source != order[turn])
				continue;
			c = claim_of(&t->fact, hosts[t->source], t->has_at ? (double)t->at_ms / 1000 : -1);
			c.source = t->source;
			if (t->has_at && t->at_ms > last[t->source])
				last[t->source] = t->at_ms;
			judge_claim(j, &c);
		}
	for (uint32_t s2 = 1; s2 <= 3; s2++)
		judge_hear(j, text_of(hosts[s2]), (struct instant){ CASE_DAY + last[s2] * (SECOND_NS / 1000) + 200 * SECOND_NS });
	assert_int_equal(judge_settle(j), 0);
	return j;
}

static bool same_flow(const struct told *t, const struct incident *i)
{
	return t->fact.spi.value == i->spi.value && spimend_address_equal(&t->fact.src, &i->src) &&
	       spimend_address_equal(&t->fact.dst, &i->dst);
}

/* By comparing every pair: do two messages of the flow lie a counted distance apart? */
static bool truly_repeated(const struct history *h, const struct incident *i)
{
	for (size_t a = 0; a < h->count; a++)
		for (size_t b = a + 1; b < h->count; b++) {
			int64_t apart = h->claims[b].at_ms - h->claims[a].at_ms;

			if (!same_flow(&h->claims[a], i) || !same_flow(&h->claims[b], i) || !h->claims[a].has_at || !h->claims[b].has_at)
				continue;
			if (apart >= 50000 && apart <= 86400000)
				return true;
		}
	return false;
}

static uint64_t claims_of(const struct history *h, const struct incident *i)
{
	uint64_t n = 0;

	for (size_t a = 0; a < h->count; a++)
		n += same_flow(&h->claims[a], i);
	return n;
}

static void check_incident(const struct history *h, const struct incident *i)
{
	bool stranger = h->peers_known && spimend_address_known(&i->src) && i->src.bytes[0] == 0xc0;

	assert_true(i->evidence_count <= INCIDENT_EVIDENCE_MAX);
	assert_int_equal(i->cause == CAUSE_UNKNOWN, i->confidence == CONFIDENCE_NONE);
	assert_int_equal(i->state == STATE_CLOSED, i->verdict == VERDICT_TRANSIENT || i->verdict == VERDICT_NOISE);
	assert_true(!i->has_times || i->first_seen.ns <= i->last_seen.ns);
	if (stranger)
		assert_int_equal(i->verdict, VERDICT_NOISE);
	if (i->verdict == VERDICT_NOISE)
		return;
	assert_true(i->has_spi); /* nothing was evicted: only noise is in sums */
	assert_int_equal(i->messages + i->copies, claims_of(h, i));
	/* Desync exactly when two messages lie that far apart. */
	assert_int_equal(i->verdict == VERDICT_DESYNC, truly_repeated(h, i));
	assert_int_equal(i->rule == RULE_LOG_REPEAT, i->verdict == VERDICT_DESYNC);
	if (i->verdict == VERDICT_TRANSIENT)
		assert_true(i->quiet_ns >= i->quiet_needed_ns);
}

/* A repeated flow of no stranger is never swallowed by noise. */
static void check_none_is_missing(const struct history *h, struct judge *j)
{
	for (size_t a = 0; a < h->count; a++) {
		struct incident flow = { .has_spi = true, .spi = h->claims[a].fact.spi, .src = h->claims[a].fact.src,
					 .dst = h->claims[a].fact.dst };
		bool found = false;

		if ((h->peers_known && flow.src.bytes[0] == 0xc0) || !truly_repeated(h, &flow))
			continue;
		for (size_t n = 0; n < judge_incidents(j) && !found; n++) {
			struct incident i;

			judge_incident(j, n, &i);
			found = i.verdict == VERDICT_DESYNC && same_flow(&h->claims[a], &i);
		}
		assert_true(found);
	}
}

static void check_same(struct judge *a, struct judge *b)
{
	assert_int_equal(judge_incidents(a), judge_incidents(b));
	for (size_t n = 0; n < judge_incidents(a); n++) {
		struct incident x, y;

		judge_incident(a, n, &x);
		judge_incident(b, n, &y);
		assert_string_equal(x.id, y.id);
		assert_judged(x, y.verdict, y.rule);
		assert_true(spimend_address_equal(&x.src, &y.src) && spimend_address_equal(&x.dst, &y.dst));
		assert_int_equal(x.spi.value, y.spi.value);
		assert_int_equal(x.messages, y.messages);
		assert_int_equal(x.sources, y.sources);
		assert_int_equal(x.spis, y.spis);
		assert_int_equal(x.cause, y.cause);
		assert_int_equal(x.flags & ~(uint32_t)FLAG_EVIDENCE_CUT, y.flags & ~(uint32_t)FLAG_EVIDENCE_CUT);
		assert_int_equal(x.first_seen.ns, y.first_seen.ns);
		assert_int_equal(x.last_seen.ns, y.last_seen.ns);
	}
}

static void test_random_histories(void **state)
{
	static const uint32_t forward[] = { 1, 2, 3 }, backward[] = { 3, 2, 1 };
	uint64_t seed = random_seed();

	(void)state;
	for (int round = 0; round < 100; round++) {
		struct history h = make(&seed);
		struct judge *j = judge_history(&h, forward, h.key), *other;
		uint64_t messages = 0;

		for (size_t n = 0; n < judge_incidents(j); n++) {
			struct incident i;

			judge_incident(j, n, &i);
			check_incident(&h, &i);
			messages += i.messages + i.copies;
		}
		assert_int_equal(messages, h.count); /* every claim is in exactly one incident */
		check_none_is_missing(&h, j);
		/* Neither the order of the files nor the hash key matters; nor does asking twice. */
		other = judge_history(&h, backward, ~h.key);
		check_same(j, other);
		assert_int_equal(judge_settle(j), 0);
		check_same(j, other);
		judge_free(j);
		judge_free(other);
	}
}

/* With a tiny table: whatever comes, memory and counts stay within their limits, and nothing is lost uncounted. */
static void test_random_pressure(void **state)
{
	uint64_t seed = random_seed();

	(void)state;
	for (int round = 0; round < 30; round++) {
		struct judge_settings s = settings_default();
		uint64_t claims = 0, messages = 0;
		struct judge *j;

		s.flows_max = 16 + (uint32_t)draw(&seed) % 64;
		s.sightings_max = 16 + (uint32_t)draw(&seed) % 64;
		s.neighbours_max = 16;
		s.ghosts_max = 4096;
		j = judge_with(&s, draw(&seed));
		for (uint32_t k = 0; k < 3000; k++) {
			struct fact f = fact_stray(NULL, "10.10.1.2", 0x20000001 + (uint32_t)draw(&seed) % 2000 * 0x10101);

			f.src = address_v4(PEER_NET + (uint32_t)draw(&seed) % 30);
			if (draw(&seed) % 10 == 0)
				f.kind = FACT_REPLAY;
			say(j, &f, "hub", k * 0.7 + (double)(draw(&seed) % 1000) / 10);
			claims++;
		}
		assert_int_equal(judge_settle(j), 0);
		assert_true(judge_incidents(j) <= s.flows_max + 4);
		for (size_t n = 0; n < judge_incidents(j); n++) {
			struct incident i;

			judge_incident(j, n, &i);
			messages += i.messages;
		}
		assert_int_equal(messages + judge_counts(j)->copies + judge_counts(j)->refused, claims);
		judge_free(j);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_histories),
		cmocka_unit_test(test_random_pressure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
