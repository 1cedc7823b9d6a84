/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "judge/ledger.h"

static const struct hash_key secret = { 11, 13 };

static struct spimend_address address_of(unsigned n)
{
	return (struct spimend_address){ 4, { 10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n } };
}

static struct sa_key key_of(uint32_t spi)
{
	struct spimend_address own = { 4, { 192, 0, 2, 1 } };

	return sa_key_of(&own, 50, spi);
}

static struct ledger_entry live(uint32_t spi, unsigned peer, int64_t born_s)
{
	return (struct ledger_entry){ .key = key_of(spi), .peer = address_of(peer), .state = LEDGER_INSTALLED,
				      .born = { born_s * SECOND_NS } };
}

static struct ledger_entry dead(uint32_t spi, unsigned peer, int64_t born_s, int64_t died_s)
{
	struct ledger_entry e = live(spi, peer, born_s);

	e.state = LEDGER_DEAD;
	e.death = DEATH_REKEYED;
	e.died.ns = died_s * SECOND_NS;
	return e;
}

static struct ledger *ledger_of(uint32_t limit)
{
	struct ledger *ledger;

	assert_int_equal(ledger_new(limit, &secret, &ledger), 0);
	return ledger;
}

static struct ledger_entry *find(struct ledger *ledger, uint32_t spi)
{
	struct sa_key key = key_of(spi);

	return ledger_find(ledger, &key);
}

static void put(struct ledger *ledger, struct ledger_entry entry)
{
	assert_false(ledger_put(ledger, &entry, NULL));
}

static void die(struct ledger *ledger, uint32_t spi, int64_t at_s)
{
	assert_true(ledger_die(ledger, find(ledger, spi), DEATH_REKEYED, true, (struct instant){ at_s * SECOND_NS },
			       at_s * SECOND_NS));
}

struct seen {
	uint32_t spis[64], count, most;
};

static bool see(void *context, struct ledger_entry *entry)
{
	struct seen *seen = context;

	seen->spis[seen->count++] = entry->key.spi;
	return seen->count < seen->most;
}

static void assert_peer_has(struct ledger *ledger, unsigned peer, const uint32_t *spis, uint32_t count)
{
	struct spimend_address address = address_of(peer);
	struct seen seen = { .most = 64 };

	ledger_each_of_peer(ledger, &address, see, &seen);
	assert_int_equal(seen.count, count);
	if (count)
		assert_memory_equal(seen.spis, spis, count * sizeof(*spis));
}
#define PEER_HAS(ledger, peer, ...) \
	assert_peer_has(ledger, peer, (uint32_t[]){ __VA_ARGS__ }, sizeof((uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))

static void keeps_the_history_of_an_spi(void **state)
{
	struct ledger *ledger = ledger_of(100);
	struct ledger_entry *entry, first = live(0xc1, 1, 100);

	(void)state;
	assert_null(find(ledger, 0xc1));
	first.state = LEDGER_REQUESTED;
	put(ledger, first);
	entry = find(ledger, 0xc1);
	assert_int_equal(entry->state, LEDGER_REQUESTED);
	entry->state = LEDGER_INSTALLED;
	entry->sequence_highest = 77;
	assert_true(ledger_die(ledger, entry, DEATH_EXPIRED_TIME, true, (struct instant){ 5 }, 9));
	entry = find(ledger, 0xc1);
	assert_int_equal(entry->death, DEATH_EXPIRED_TIME);
	assert_int_equal(entry->died.ns, 5);
	assert_int_equal(entry->died_mono_ns, 9);
	assert_true(entry->death_seen);
	assert_int_equal(entry->sequence_highest, 77);
	assert_int_equal(ledger_figures(ledger).dead, 1);
	ledger_revive(ledger, entry);
	ledger_revive(ledger, entry);
	assert_int_equal(entry->state, LEDGER_INSTALLED);
	assert_int_equal(entry->death, DEATH_NONE);
	assert_int_equal(ledger_figures(ledger).live, 1);
	ledger_free(ledger);
	ledger_free(NULL);
}

static void corrects_only_what_was_assumed_and_only_soon(void **state)
{
	struct ledger *ledger = ledger_of(16);
	struct ledger_entry *entry;
	struct instant noticed = { 50 * SECOND_NS }, later = { 51 * SECOND_NS };

	(void)state;
	put(ledger, live(1, 1, 0));
	entry = find(ledger, 1);
	assert_true(ledger_die(ledger, entry, DEATH_UNKNOWN, false, noticed, SECOND_NS));
	assert_false(ledger_die(ledger, entry, DEATH_UNKNOWN, true, later, 2 * SECOND_NS));
	assert_true(ledger_die(ledger, entry, DEATH_DAEMON_LOST, false, later, 2 * SECOND_NS));
	assert_false(ledger_die(ledger, entry, DEATH_RESTART, false, later, 2 * SECOND_NS));
	assert_true(ledger_die(ledger, entry, DEATH_DELETED_BY_PEER, true, later, SECOND_NS + LEDGER_CORRECT_NS));
	assert_int_equal(entry->death, DEATH_DELETED_BY_PEER);
	assert_int_equal(entry->died.ns, noticed.ns);
	assert_true(entry->death_seen);
	assert_false(ledger_die(ledger, entry, DEATH_REKEYED, true, later, 2 * SECOND_NS));

	put(ledger, live(2, 1, 0));
	entry = find(ledger, 2);
	assert_true(ledger_die(ledger, entry, DEATH_UNKNOWN, false, noticed, SECOND_NS));
	assert_false(ledger_die(ledger, entry, DEATH_REKEYED, true, later, SECOND_NS + LEDGER_CORRECT_NS + 1));

	put(ledger, dead(3, 1, 0, 10)); /* restored: nobody knows how long ago on this clock */
	entry = find(ledger, 3);
	entry->death = DEATH_UNKNOWN;
	assert_false(ledger_die(ledger, entry, DEATH_REKEYED, true, later, 1));
	ledger_free(ledger);
}

static void lists_a_peer_newest_first(void **state)
{
	struct ledger *ledger = ledger_of(100);
	struct seen seen = { .most = 2 };

	(void)state;
	put(ledger, live(1, 1, 10));
	put(ledger, live(2, 2, 11));
	put(ledger, live(3, 1, 12));
	put(ledger, live(4, 1, 13));
	PEER_HAS(ledger, 1, 4, 3, 1);
	PEER_HAS(ledger, 2, 2);
	assert_peer_has(ledger, 3, NULL, 0);
	ledger_each(ledger, see, &seen);
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.spis[0], 4);
	assert_int_equal(seen.spis[1], 3);

	put(ledger, live(3, 1, 12)); /* replaced: stays where it was */
	PEER_HAS(ledger, 1, 4, 3, 1);
	put(ledger, dead(3, 2, 12, 20)); /* another peer's now (MOBIKE) */
	PEER_HAS(ledger, 1, 4, 1);
	PEER_HAS(ledger, 2, 3, 2);
	put(ledger, live(2, 3, 11));
	put(ledger, live(3, 3, 12));
	assert_peer_has(ledger, 2, NULL, 0);
	PEER_HAS(ledger, 3, 3, 2);
	assert_int_equal(ledger_figures(ledger).dead, 0);
	ledger_free(ledger);
}

static void the_longest_dead_makes_room(void **state)
{
	struct ledger *ledger = ledger_of(16);
	struct ledger_entry evicted, more;

	(void)state;
	for (uint32_t i = 1; i <= 16; i++)
		put(ledger, live(i, i % 3, i));
	die(ledger, 9, 100);
	die(ledger, 4, 101);
	die(ledger, 12, 99); /* the wall clock was set back: what happened last is last */
	for (uint32_t i = 0; i < 5; i++) {
		static const uint32_t expected[] = { 9, 4, 12, 1, 2 }; /* then the oldest live ones */

		more = live(100 + i, 1, 200);
		assert_true(ledger_put(ledger, &more, &evicted));
		assert_int_equal(evicted.key.spi, expected[i]);
		assert_null(find(ledger, expected[i]));
		assert_non_null(find(ledger, 100 + i));
	}
	assert_int_equal(ledger_figures(ledger).entries, 16);
	assert_int_equal(ledger_figures(ledger).evicted, 5);
	assert_int_equal(ledger_figures(ledger).dead, 0);
	ledger_free(ledger);
}

static void the_restored_die_in_the_order_of_their_deaths(void **state)
{
	static const int64_t died[] = { 50, 40, 60, 10, 30, 70, 20, 10, 80, 5, 90 };
	static const uint32_t expected[] = { 9, 3, 7, 6, 4, 1, 0, 2, 5, 8, 10, 11 };
	struct ledger *ledger = ledger_of(16);
	struct ledger_entry evicted, more;

	(void)state;
	for (uint32_t i = 0; i < 11; i++)
		put(ledger, dead(1000 + i, 1, i, died[i]));
	for (uint32_t i = 11; i < 16; i++)
		put(ledger, live(1000 + i, 1, i));
	assert_true(ledger_die(ledger, find(ledger, 1011), DEATH_REKEYED, true, (struct instant){ 1 }, 1));
	for (uint32_t i = 0; i < 12; i++) {
		more = live(i, 2, 100);
		assert_true(ledger_put(ledger, &more, &evicted));
		assert_int_equal(evicted.key.spi, 1000 + expected[i]);
	}
	ledger_free(ledger);
}

static bool kill_each(void *context, struct ledger_entry *entry)
{
	ledger_die(context, entry, DEATH_FLUSHED, true, (struct instant){ 1 }, 1);
	return true;
}

static void may_let_all_die_while_walking(void **state)
{
	struct ledger *ledger = ledger_of(32);

	(void)state;
	for (uint32_t i = 1; i <= 32; i++)
		put(ledger, live(i, i, i));
	ledger_each(ledger, kill_each, ledger);
	assert_int_equal(ledger_figures(ledger).dead, 32);
	ledger_free(ledger);
}

static bool count_one(void *context, struct ledger_entry *entry)
{
	(void)entry;
	++*(uint32_t *)context;
	return true;
}

/* Random puts, deaths and revivals of more SPIs than there is room for: it stays full, found and consistent. */
static void stays_consistent_under_churn(void **state)
{
	enum { LIMIT = 200, SPIS = 500, PEERS = 20 };
	struct ledger *ledger = ledger_of(LIMIT);
	struct ledger_figures figures;
	uint32_t all = 0, of_peers = 0, found = 0;
	uint64_t random = 5;

	(void)state;
	for (int step = 0; step < 100000; step++) {
		struct ledger_entry entry, evicted, *there;
		uint32_t spi;

		random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
		spi = (uint32_t)(random >> 33) % SPIS;
		there = find(ledger, spi);
		if (there && random >> 62 == 0) {
			ledger_die(ledger, there, DEATH_REKEYED, true, (struct instant){ step }, step + 1);
		} else if (there && random >> 62 == 1) {
			ledger_revive(ledger, there);
		} else {
			uint32_t dead_before = ledger_figures(ledger).dead;

			entry = random >> 61 & 1 ? live(spi, spi % PEERS, step) : dead(spi, (spi + 1) % PEERS, step, step / 2);
			if (ledger_put(ledger, &entry, &evicted)) {
				assert_true(evicted.state == LEDGER_DEAD || dead_before == 0);
				assert_null(ledger_find(ledger, &evicted.key));
			}
			assert_non_null(find(ledger, spi));
		}
	}
	figures = ledger_figures(ledger);
	assert_int_equal(figures.entries, LIMIT);
	assert_int_equal(figures.live + figures.dead, LIMIT);
	ledger_each(ledger, count_one, &all);
	for (unsigned i = 0; i < PEERS; i++) {
		struct spimend_address peer = address_of(i);

		ledger_each_of_peer(ledger, &peer, count_one, &of_peers);
	}
	for (uint32_t i = 0; i < SPIS; i++)
		found += find(ledger, i) != NULL;
	assert_int_equal(all, LIMIT);
	assert_int_equal(of_peers, LIMIT);
	assert_int_equal(found, LIMIT);
	assert_int_equal(figures.refused, 0);
	ledger_free(ledger);
}

static void refuses_only_too_many_own_addresses(void **state)
{
	struct ledger *ledger = ledger_of(8192);

	(void)state;
	for (unsigned i = 0; i < 5000; i++) {
		struct spimend_address own = address_of(i);
		struct ledger_entry entry = { .key = sa_key_of(&own, 50, 1), .peer = address_of(1), .state = LEDGER_INSTALLED };

		ledger_put(ledger, &entry, NULL);
	}
	assert_int_equal(ledger_figures(ledger).entries, 4096);
	assert_int_equal(ledger_figures(ledger).refused, 5000 - 4096);
	ledger_free(ledger);
}

static void every_state_and_death_has_a_name(void **state)
{
	(void)state;
	for (unsigned i = 0; i < LEDGER_STATES; i++)
		assert_non_null(ledger_state_name(i));
	for (unsigned i = 0; i < DEATHS; i++)
		assert_non_null(ledger_death_name(i));
	assert_string_equal(ledger_death_name(DEATHS), "?");
	assert_string_equal(ledger_state_name(LEDGER_STATES), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_the_history_of_an_spi),
		cmocka_unit_test(corrects_only_what_was_assumed_and_only_soon),
		cmocka_unit_test(lists_a_peer_newest_first),
		cmocka_unit_test(the_longest_dead_makes_room),
		cmocka_unit_test(the_restored_die_in_the_order_of_their_deaths),
		cmocka_unit_test(may_let_all_die_while_walking),
		cmocka_unit_test(stays_consistent_under_churn),
		cmocka_unit_test(refuses_only_too_many_own_addresses),
		cmocka_unit_test(every_state_and_death_has_a_name),
	};

	return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
