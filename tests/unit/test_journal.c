/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "repair/act_budget.h"
#include "repair/journal.h"

#define SLOT 256

static const struct instant wall = { INT64_C(1795341674) * SECOND_NS };

/* A regular file without a name; the journal gets its own descriptor of it each time. */
static int new_file(void)
{
	int fd = memfd_create("journal", 0);

	assert_true(fd >= 0);
	return fd;
}

static struct journal *open_journal(int file)
{
	struct journal *j = NULL;

	assert_int_equal(journal_new(dup(file), &j), 0);
	return j;
}

static struct order order_of(uint64_t id)
{
	struct order order = { .id = id, .verb = ORDER_REKEY_CHILD, .child_id = (uint32_t)id, .ike_id = 9, .connection = id << 40 };

	assert_int_equal(spimend_address_parse("192.0.2.7", 9, &order.peer), 0);
	return order;
}

static struct order_result result_of(uint64_t id)
{
	return (struct order_result){ .id = id, .outcome = OUTCOME_FAILED, .took_ns = 12, .text = "what it said" };
}

static void intend(struct journal *j, uint64_t id)
{
	struct order order = order_of(id);

	assert_int_equal(journal_intent(j, &order, wall), 0);
}

static void copy_order(void *context, const struct order *order, struct instant when)
{
	(void)when;
	*(struct order *)context = *order;
}

static void an_order_is_known_after_a_crash(void **state)
{
	int file = new_file();
	struct journal *j = open_journal(file);
	struct order_result r = { .id = 5 }, given = result_of(2);

	(void)state;
	assert_int_equal(journal_find(j, 1, &r), JOURNAL_NEVER);
	assert_int_equal(r.id, 5);
	intend(j, 1);
	intend(j, 2);
	assert_int_equal(journal_result(j, &given, wall), 0);
	journal_free(j); /* and nothing else: what is on disk is all there is */
	j = open_journal(file);
	assert_int_equal(journal_find(j, 1, &r), JOURNAL_INTENT);
	assert_true(r.id == 1 && r.outcome == OUTCOME_UNKNOWN && gateway_valid_result(&r));
	assert_int_equal(journal_find(j, 2, &r), JOURNAL_RESULT);
	assert_true(r.id == given.id && r.outcome == given.outcome && r.took_ns == given.took_ns);
	assert_string_equal(r.text, given.text);
	assert_int_equal(journal_find(j, 3, &r), JOURNAL_NEVER);
	assert_int_equal(journal_count(j).kept, 3);
	assert_int_equal(journal_count(j).damaged, 0);
	journal_free(j);
	close(file);
}

static void what_the_plugin_was_told_and_learned_is_kept(void **state)
{
	int file = new_file();
	struct journal *j = open_journal(file);
	struct order order = { .id = 4, .verb = ORDER_DELETE_SPI, .ike_id = 3, .protocol = 51, .spi = 0xc0ffee01 };
	struct order_result given = { .id = 4, .outcome = OUTCOME_DONE, .has_answer = true, .answer = PLUGIN_PEER_OWNED,
				      .has_peer_spi = true, .peer_spi = 0xdeadbeef, .has_child = true, .child_id = 9 }, r = { 0 };
	struct order seen = { 0 };

	(void)state;
	assert_int_equal(journal_intent(j, &order, wall), 0);
	assert_int_equal(journal_result(j, &given, wall), 0);
	order.spi = 0;
	assert_int_equal(journal_intent(j, &order, wall), -EINVAL);
	journal_free(j);
	j = open_journal(file);
	assert_int_equal(journal_find(j, 4, &r), JOURNAL_RESULT);
	assert_memory_equal(&r, &given, sizeof(r));
	journal_each_intent(j, copy_order, &seen);
	assert_true(seen.verb == ORDER_DELETE_SPI && seen.protocol == 51 && seen.spi == 0xc0ffee01 && seen.ike_id == 3);
	memset(&order, 0, sizeof(order));
	order.id = 5;
	order.verb = ORDER_NOTIFY_SPI;
	order.protocol = 50;
	order.spi = 6;
	order.peer = (struct spimend_address){ 6, { 0x20, 1, 13, 0xb8, [15] = 1 } };
	order.local = (struct spimend_address){ 6, { 0x20, 1, 13, 0xb8, [15] = 2 } };
	order.peer_port = 61000;
	assert_int_equal(journal_intent(j, &order, wall), 0);
	journal_free(j);
	j = open_journal(file);
	memset(&seen, 0, sizeof(seen));
	journal_each_intent(j, copy_order, &seen);
	assert_memory_equal(&seen, &order, sizeof(seen));
	journal_free(j);
	close(file);
}

static void damage_costs_the_damaged_record_only(void **state)
{
	int file = new_file();
	struct journal *j = open_journal(file);
	struct order_result r;

	(void)state;
	for (uint64_t id = 1; id <= 5; id++)
		intend(j, id);
	journal_free(j);
	assert_int_equal(pwrite(file, "X", 1, 3 * SLOT + 60), 1);       /* in the third */
	assert_int_equal(ftruncate(file, 5 * SLOT + 100), 0);           /* the last was cut off */
	j = open_journal(file);
	assert_int_equal(journal_count(j).damaged, 2);
	assert_int_equal(journal_find(j, 2, &r), JOURNAL_INTENT);
	assert_int_equal(journal_find(j, 3, &r), JOURNAL_NEVER);
	assert_int_equal(journal_find(j, 4, &r), JOURNAL_INTENT);
	assert_int_equal(journal_find(j, 5, &r), JOURNAL_NEVER);
	intend(j, 6); /* and goes on */
	journal_free(j);
	j = open_journal(file);
	assert_int_equal(journal_find(j, 6, &r), JOURNAL_INTENT);
	journal_free(j);
	close(file);
}

struct seen {
	uint64_t first, last, count;
};

static void see(void *context, const struct order *order, struct instant at)
{
	struct seen *s = context;
	struct order want = order_of(order->id);

	assert_true(order->verb == want.verb && order->child_id == want.child_id && order->ike_id == want.ike_id &&
		    order->connection == want.connection && spimend_address_equal(&order->peer, &want.peer));
	assert_true(at.ns == wall.ns);
	assert_true(!s->count || order->id == s->last + 1);
	s->first = s->count++ ? s->first : order->id;
	s->last = order->id;
}

static void it_is_bounded_and_keeps_the_newest(void **state)
{
	int file = new_file();
	struct journal *j = open_journal(file);
	struct seen seen = { 0 };
	struct order_result r;

	(void)state;
	for (uint64_t id = 1; id <= JOURNAL_RECORDS_MAX + 10; id++)
		intend(j, id);
	assert_int_equal(journal_count(j).overwritten, 10);
	assert_int_equal(lseek(file, 0, SEEK_END), JOURNAL_RECORDS_MAX * SLOT);
	journal_free(j);
	j = open_journal(file);
	assert_int_equal(journal_find(j, 10, &r), JOURNAL_NEVER);
	assert_int_equal(journal_find(j, 11, &r), JOURNAL_INTENT);
	journal_each_intent(j, see, &seen);
	assert_int_equal(seen.first, 11);
	assert_int_equal(seen.last, JOURNAL_RECORDS_MAX + 10);
	assert_int_equal(seen.count, JOURNAL_RECORDS_MAX);
	journal_free(j);
	close(file);
}

static void what_cannot_be_written_is_an_error_and_not_known(void **state)
{
	struct rlimit limit, before;
	int file = new_file();
	struct journal *j = open_journal(file);
	struct order order = order_of(2);
	struct order_result r;

	(void)state;
	intend(j, 1);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = 2 * SLOT;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_true(journal_intent(j, &order, wall) < 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(journal_count(j).write_failures, 1);
	assert_int_equal(journal_find(j, 2, &r), JOURNAL_NEVER);
	assert_int_equal(journal_intent(j, &order, wall), 0); /* there is room again */
	order.verb = ORDER_NONE;
	assert_int_equal(journal_intent(j, &order, wall), -EINVAL);
	journal_free(j);
	close(file);
}

static void another_version_and_no_file_are_refused(void **state)
{
	struct journal *j = NULL;
	int fds[2], file = new_file();

	(void)state;
	assert_int_equal(pwrite(file, "spimjrn2", 8, 0), 8);
	assert_int_equal(journal_new(dup(file), &j), -EPROTO);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(journal_new(fds[0], &j), -EINVAL);
	close(fds[1]);
	close(file);
	assert_null(j);
}

static struct spimend_address peer_of(int last)
{
	struct spimend_address a = { .family = 4, .bytes = { 192, 0, 2, (uint8_t)last } };

	return a;
}

static void a_budget_counts_per_peer_and_in_all(void **state)
{
	struct act_budget *b = act_budget_new(&(struct act_budget_settings){ 2, 3, 60 * SECOND_NS });
	struct spimend_address one = peer_of(1), two = peer_of(2);

	(void)state;
	act_budget_note(b, &one, 0);
	assert_true(act_budget_allows(b, &one, 1));
	act_budget_note(b, &one, 10 * SECOND_NS);
	assert_false(act_budget_allows(b, &one, 11 * SECOND_NS));
	assert_true(act_budget_allows(b, &two, 11 * SECOND_NS));
	act_budget_note(b, &two, 11 * SECOND_NS);
	assert_false(act_budget_allows(b, &two, 11 * SECOND_NS)); /* three in all */
	assert_false(act_budget_allows(b, &one, 60 * SECOND_NS - 1));
	assert_true(act_budget_allows(b, &one, 60 * SECOND_NS)); /* the first one is over */
	act_budget_set(b, &(struct act_budget_settings){ 9, 9, 60 * SECOND_NS });
	assert_true(act_budget_allows(b, &one, 12 * SECOND_NS));
	act_budget_set(b, &(struct act_budget_settings){ 0, 9, 60 * SECOND_NS });
	assert_false(act_budget_allows(b, &two, 1000 * SECOND_NS));
	act_budget_free(b);
}

static void a_budget_survives_a_restart_and_a_clock_that_was_set(void **state)
{
	struct act_budget *b = act_budget_new(&(struct act_budget_settings){ 1, 9, 60 * SECOND_NS });
	struct spimend_address one = peer_of(1), two = peer_of(2), three = peer_of(3);
	struct instant ago = { wall.ns - 50 * SECOND_NS }, later = { wall.ns + 1000 * SECOND_NS },
		       long_ago = { wall.ns - 61 * SECOND_NS };

	(void)state;
	act_budget_replay(b, &one, ago, wall, 5 * SECOND_NS);
	act_budget_replay(b, &two, later, wall, 5 * SECOND_NS); /* the clock was set back since: as if it were now */
	act_budget_replay(b, &three, long_ago, wall, 5 * SECOND_NS);
	assert_false(act_budget_allows(b, &one, 14 * SECOND_NS));
	assert_true(act_budget_allows(b, &one, 15 * SECOND_NS));
	assert_false(act_budget_allows(b, &two, 64 * SECOND_NS));
	assert_true(act_budget_allows(b, &two, 65 * SECOND_NS));
	assert_true(act_budget_allows(b, &three, 5 * SECOND_NS));
	act_budget_free(b);
}

static void a_huge_budget_is_cut_and_still_counts(void **state)
{
	struct act_budget *b = act_budget_new(&(struct act_budget_settings){ UINT32_MAX, UINT32_MAX, 60 * SECOND_NS });
	struct spimend_address one = peer_of(1);

	(void)state;
	for (int i = 0; i < ACT_BUDGET_TOTAL_MAX; i++) {
		assert_true(act_budget_allows(b, &one, i));
		act_budget_note(b, &one, i);
	}
	assert_false(act_budget_allows(b, &one, ACT_BUDGET_TOTAL_MAX));
	act_budget_free(b);
	act_budget_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_order_is_known_after_a_crash),
		cmocka_unit_test(what_the_plugin_was_told_and_learned_is_kept),
		cmocka_unit_test(damage_costs_the_damaged_record_only),
		cmocka_unit_test(it_is_bounded_and_keeps_the_newest),
		cmocka_unit_test(what_cannot_be_written_is_an_error_and_not_known),
		cmocka_unit_test(another_version_and_no_file_are_refused),
		cmocka_unit_test(a_budget_counts_per_peer_and_in_all),
		cmocka_unit_test(a_budget_survives_a_restart_and_a_clock_that_was_set),
		cmocka_unit_test(a_huge_budget_is_cut_and_still_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
