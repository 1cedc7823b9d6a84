/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include "judge/flows.h"
#include "judge_case.h"

static void forget(void *context, struct flow *flow)
{
	uint32_t *released = context;

	(void)flow;
	(*released)++;
}

static struct flow_key key_of(uint32_t src, uint32_t spi)
{
	struct flow_key key;

	memset(&key, 0, sizeof(key));
	key.src = address_v4(0x0a000000 + src);
	key.dst = address_v4(0x0a0a0102);
	key.protocol = 50;
	key.has_spi = 1;
	key.spi = spi;
	return key;
}

static void table(struct flows *flows, uint32_t limit, uint64_t seed)
{
	struct judge_settings s = settings_default();
	struct hash_key key = { seed, seed };

	s.flows_max = limit;
	s.ghosts_max = 4096;
	assert_int_equal(flows_init(flows, &s, &key), 0);
}

/* As the judge does: finds or makes it, and notes one message at `second`. */
static struct flows_place see(struct flows *flows, const struct flow_key *key, double second, enum flow_tier tier,
			      uint32_t *released)
{
	struct flows_now now = { .has_at = true, .at = { CASE_DAY + SECONDS(second) } };
	struct flows_place place = flows_get(flows, key, &now, tier, forget, released);
	struct flow *f;

	if (place.index == FLOW_NONE)
		return place;
	f = &flows->pool[place.index];
	if (!f->has_times)
		f->first = now.at;
	f->last = now.at;
	f->has_times = true;
	f->messages++;
	return place;
}

static void test_find(void **state)
{
	struct flow_key a = key_of(1, 0x1111), b = key_of(1, 0x2222);
	struct flows flows;
	uint32_t released = 0;

	(void)state;
	table(&flows, 16, 1);
	assert_int_equal(flows_find(&flows, &a), FLOW_NONE);
	assert_true(see(&flows, &a, 0, TIER_UNPROVEN, &released).is_new);
	assert_false(see(&flows, &a, 1, TIER_UNPROVEN, &released).is_new);
	assert_int_not_equal(flows_find(&flows, &a), FLOW_NONE);
	assert_int_equal(flows_find(&flows, &b), FLOW_NONE);
	a.protocol = 51; /* AH with the same SPI is another SA */
	assert_int_equal(flows_find(&flows, &a), FLOW_NONE);
	flows_done(&flows);
}

static void test_oldest_goes_first_and_strangers_before_it(void **state)
{
	struct flows flows;
	uint32_t released = 0;

	(void)state;
	table(&flows, 16, 1);
	for (uint32_t k = 0; k < 16; k++) {
		struct flow_key key = key_of(k, k);

		see(&flows, &key, k, k == 9 ? TIER_STRANGER : TIER_UNPROVEN, &released);
	}
	for (uint32_t k = 16; k < 19; k++) {
		static const uint32_t gone[] = { 9, 0, 1 };
		struct flow_key key = key_of(k, k), old = key_of(gone[k - 16], gone[k - 16]);

		assert_int_not_equal(flows_find(&flows, &old), FLOW_NONE);
		see(&flows, &key, k, TIER_UNPROVEN, &released);
		assert_int_equal(flows_find(&flows, &old), FLOW_NONE);
	}
	assert_int_equal(released, 3);
	assert_int_equal(flows_evicted(&flows), 3);
	assert_int_equal(flows.evicted[EVICTED_FLOOD].flows, 3);
	flows_done(&flows);
}

static void test_kept_flows_are_never_evicted(void **state)
{
	struct flows flows;
	uint32_t released = 0;

	(void)state;
	table(&flows, 16, 1);
	for (uint32_t k = 0; k < 16; k++) {
		struct flow_key key = key_of(k, k);

		flows_keep(&flows, see(&flows, &key, k, TIER_UNPROVEN, &released).index);
	}
	for (uint32_t k = 16; k < 20; k++) {
		struct flow_key key = key_of(k, k);

		assert_int_equal(see(&flows, &key, k, TIER_UNPROVEN, &released).index, FLOW_NONE);
	}
	assert_int_equal(flows.refused, 4);
	assert_int_equal(released, 0);
	flows_done(&flows);
}

static void test_ghosts_remember_and_return(void **state)
{
	struct flow_key real = key_of(999, 0x1db73bbb);
	struct flows_place place;
	struct flows flows;
	uint32_t released = 0;

	(void)state;
	table(&flows, 16, 1);
	see(&flows, &real, 0.25, TIER_UNPROVEN, &released);
	for (uint32_t k = 0; k < 1000; k++) {
		struct flow_key key = key_of(k, k);

		see(&flows, &key, 1, TIER_UNPROVEN, &released);
	}
	assert_int_equal(flows.evicted[EVICTED_FLOOD].flows, 1001 - 16);
	place = see(&flows, &real, 60, TIER_UNPROVEN, &released);
	assert_true(place.is_new);
	assert_true(place.has_before);
	assert_int_equal(place.before.ns, CASE_DAY + SECOND_NS); /* rounded up: never farther apart than it was */
	assert_int_equal(flows.evicted[EVICTED_FLOOD].flows, 1001 - 16); /* one went, one came back */
	assert_int_equal(flows.forgotten, 0);
	flows_done(&flows);
}

static void test_kinds_of_eviction(void **state)
{
	struct flow_key calm = key_of(1, 1), found = key_of(2, 2), untold = key_of(3, 0), flood = key_of(4, 4);
	struct flows flows;
	uint32_t released = 0;

	(void)state;
	table(&flows, 16, 1);
	found.sa_found = 1;
	untold.has_spi = 0;
	see(&flows, &calm, 0, TIER_UNPROVEN, &released);
	see(&flows, &found, 0, TIER_UNPROVEN, &released);
	see(&flows, &untold, 0, TIER_UNPROVEN, &released);
	see(&flows, &flood, 9000, TIER_UNPROVEN, &released);
	for (uint32_t k = 0; k < 16; k++) {
		struct flow_key key = key_of(100 + k, k);

		see(&flows, &key, 9001, TIER_UNPROVEN, &released);
	}
	for (int kind = 0; kind < EVICTED_KINDS; kind++)
		assert_int_equal(flows.evicted[kind].flows, 1);
	assert_int_equal(flows.evicted[EVICTED_CALM].spi, 1);
	assert_int_equal(flows.evicted[EVICTED_CALM].age_ns, SECONDS(9001));
	assert_false(flows.evicted[EVICTED_CALM].many_sources);
	flows_done(&flows);
}

static void test_copies(void **state)
{
	struct flow_key a = key_of(1, 1), b = key_of(2, 1);
	struct instant at = { CASE_DAY }, later = { CASE_DAY + 1 };
	struct flows flows;
	uint32_t released = 0;
	const struct flow *fa, *fb;

	(void)state;
	table(&flows, 16, 1);
	fa = &flows.pool[see(&flows, &a, 0, TIER_UNPROVEN, &released).index];
	fb = &flows.pool[see(&flows, &b, 0, TIER_UNPROVEN, &released).index];
	assert_false(flows_is_copy(&flows, fa->hash, at, 0));
	assert_true(flows_is_copy(&flows, fa->hash, at, 0));
	assert_false(flows_is_copy(&flows, fa->hash, later, 0));
	assert_false(flows_is_copy(&flows, fa->hash, at, 1)); /* another packet of the same millisecond */
	assert_false(flows_is_copy(&flows, fb->hash, at, 0));
	flows_done(&flows);
}

/* Random arrivals against a list that is searched from its begin. */
#define MODEL_KEYS 64
#define MODEL_LIMIT 16

struct model {
	uint32_t present[MODEL_LIMIT], count; /* oldest first */
	bool kept[MODEL_KEYS];
};

static void model_remove(struct model *m, uint32_t at)
{
	memmove(m->present + at, m->present + at + 1, (m->count - at - 1) * sizeof(m->present[0]));
	m->count--;
}

/* True when there is a place for it. */
static bool model_see(struct model *m, uint32_t k, bool *ret_new)
{
	*ret_new = false;
	for (uint32_t i = 0; i < m->count; i++)
		if (m->present[i] == k)
			return true;
	if (m->count == MODEL_LIMIT) {
		uint32_t i = 0;

		while (i < m->count && m->kept[m->present[i]])
			i++;
		if (i == m->count)
			return false;
		model_remove(m, i);
	}
	m->present[m->count++] = k;
	*ret_new = true;
	return true;
}

static void test_random_against_a_model(void **state)
{
	uint64_t seed = random_seed();

	(void)state;
	for (int round = 0; round < 50; round++) {
		struct model m = { 0 };
		struct flows flows;
		uint32_t released = 0;

		table(&flows, MODEL_LIMIT, draw(&seed)); /* 32 places for 16 flows: collisions all the time */
		for (int step = 0; step < 2000; step++) {
			uint32_t k = (uint32_t)draw(&seed) % MODEL_KEYS;
			struct flow_key key = key_of(k, k);
			bool is_new, fits = model_see(&m, k, &is_new);
			struct flows_place place = see(&flows, &key, step, TIER_UNPROVEN, &released);

			assert_int_equal(place.index != FLOW_NONE, fits);
			if (!fits)
				continue;
			assert_int_equal(place.is_new, is_new);
			if (draw(&seed) % 100 == 0) {
				flows_keep(&flows, place.index);
				m.kept[k] = true;
			}
			for (uint32_t other = 0; step % 50 == 0 && other < MODEL_KEYS; other++) {
				struct flow_key o = key_of(other, other);
				bool present = false;

				for (uint32_t i = 0; i < m.count; i++)
					present |= m.present[i] == other;
				assert_int_equal(flows_find(&flows, &o) != FLOW_NONE, present);
			}
		}
		flows_done(&flows);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_oldest_goes_first_and_strangers_before_it),
		cmocka_unit_test(test_kept_flows_are_never_evicted),
		cmocka_unit_test(test_ghosts_remember_and_return),
		cmocka_unit_test(test_kinds_of_eviction),
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_random_against_a_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
