/* SPDX-License-Identifier: MIT */
/* The store's incidents between other devices. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include "record/store.h"

#define KEPT_MAX 16

static const struct instant today = { INT64_C(1795342800) * SECOND_NS };
static const struct store_limits limits = { .incidents = 4, .age_ns = 90 * DAY_NS, .ledger = 32 };
static char folder[64], path[512];
static struct store *store;
static struct fleet_incident kept[KEPT_MAX], one, other;
static int count;

static const char *in_folder(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void open_store(void)
{
	struct store_opening opening;

	store_close(store);
	store = NULL;
	assert_int_equal(store_open(folder, &limits, today, &store, &opening), 0);
	assert_false(opening.moved_aside);
}

static int set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "%s/cases-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	assert_non_null(mkdtemp(folder));
	open_store();
	return 0;
}

static int tear_down(void **state)
{
	struct dirent *entry;
	DIR *d;

	(void)state;
	store_close(store);
	store = NULL;
	d = opendir(folder);
	while (d && (entry = readdir(d)))
		if (entry->d_name[0] != '.')
			unlink(in_folder(entry->d_name));
	if (d)
		closedir(d);
	rmdir(folder);
	return 0;
}

static void keep(void *context, const struct fleet_incident *incident)
{
	(void)context;
	assert_true(count < KEPT_MAX);
	kept[count++] = *incident;
}

static void restore(void)
{
	count = 0;
	assert_int_equal(store_restore_cases(store, keep, NULL), 0);
}

/* Every member says something that nobody would put there by chance. */
static const struct fleet_incident *incident_of(const char *id, enum incident_state state, int64_t seen)
{
	memset(&one, 0, sizeof(one));
	snprintf(one.id, sizeof(one.id), "%s", id);
	snprintf(one.receiver, sizeof(one.receiver), "hub");
	snprintf(one.sender, sizeof(one.sender), "spoke-1.example");
	one.src = (struct spimend_address){ 4, { 192, 0, 2, 7 } };
	one.dst = (struct spimend_address){ 6, { 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7 } };
	one.protocol = 50;
	for (uint32_t i = 0; i < FLEET_SPIS_MAX; i++)
		one.spis[i].value = 0xfffffff0 + i;
	one.spi_count = FLEET_SPIS_MAX;
	one.has_stale = one.has_ike = one.is_burst = true;
	one.stale.value = 0x1db73bbb;
	snprintf(one.interface, sizeof(one.interface), "Tunnel1");
	one.tunnel_kind = TUNNEL_SDWAN;
	one.verdict = VERDICT_DESYNC;
	one.rule = RULE_SA_TABLE;
	one.cause = CAUSE_CONTROLLER_KEY_LAG;
	one.confidence = CONFIDENCE_LIKELY;
	one.state = state;
	one.flags = FLAG_NAT_T;
	one.first_seen.ns = one.last_seen.ns = seen;
	one.decided.ns = seen + 1;
	one.ended.ns = seen + 2;
	one.messages = UINT64_MAX;
	one.sources = 12;
	one.looks = 3;
	one.step_count = 2;
	one.steps[0] = (struct fleet_step){ .state = FLEET_STEP_VOID, .verb = DEVICE_PORT_HOP, .color = COLOR_BIZ_INTERNET,
					    .on = "hub",
					    .command = "request platform software sdwan port_hop color biz-internet",
					    .blast = { true, 4, 2, 0 }, .needs_person = true, .who = "uid 1000",
					    .offered = { seen }, .decided = { seen + 3 }, .ended = { seen + 4 }, .outcome = "too late" };
	one.steps[1] = (struct fleet_step){ .state = FLEET_STEP_DONE, .verb = DEVICE_CLEAR_SA_ENTRY, .request = UINT64_MAX,
					    .peer = one.src, .protocol = 50, .spi = one.stale, .on = "spoke-1.example",
					    .command = "clear crypto sa entry 192.0.2.7 esp 498547643", .blast = { true, 0, 0, 7 },
					    .helped = true, .ordered = { seen + 5 } };
	one.evidence_count = 2;
	one.evidence[0] = (struct fleet_evidence){ { seen }, FACT_STRAY, false, "hub", "received a packet" };
	one.evidence[1] = (struct fleet_evidence){ { seen + 1 }, FACT_SA_TABLE, true, "spoke-1.example", "outbound 0x1db73bbb" };
	one.evidence_cut = 9;
	snprintf(one.why, sizeof(one.why), "A person is asked.");
	return &one;
}

static void test_it_comes_back_as_it_was(void **state)
{
	(void)state;
	other = *incident_of("k3v9q2", STATE_AWAITING, today.ns);
	assert_int_equal(store_put_case(store, &other), 0);
	assert_true(store_has_pending(store));
	assert_int_equal(store_figures(store).pending_cases, 1);
	assert_int_equal(store_find_case(store, "k3v9q2", &one), 0); /* not written yet */
	assert_int_equal(store_flush(store, today), 0);
	assert_false(store_has_pending(store));
	open_store();
	restore();
	assert_int_equal(count, 1);
	assert_memory_equal(&kept[0], &other, sizeof(other));
	memset(&one, 0, sizeof(one));
	assert_int_equal(store_find_case(store, "k3v9q2", &one), 0);
	assert_memory_equal(&one, &other, sizeof(other));
	assert_int_equal(store_find_case(store, "nobody", &one), -ENOENT);
	assert_int_equal(store_figures(store).rows_skipped, 0);
}

static void test_the_latest_one_counts_and_leaves_nothing_of_the_older(void **state)
{
	(void)state;
	store_put_case(store, incident_of("a", STATE_OPEN, today.ns));
	store_put_case(store, incident_of("a", STATE_ACTING, today.ns));
	assert_int_equal(store_figures(store).pending_cases, 1);
	assert_int_equal(store_flush(store, today), 0);
	incident_of("a", STATE_HEALED, today.ns);
	one.step_count = one.evidence_count = 1;
	store_put_case(store, &one);
	store_close(store); /* flushes */
	store = NULL;
	open_store();
	restore();
	assert_int_equal(count, 1);
	assert_int_equal(kept[0].state, STATE_HEALED);
	assert_int_equal(kept[0].step_count, 1);
	assert_int_equal(kept[0].evidence_count, 1);
}

static void test_open_ones_stay_and_the_newest_of_the_others(void **state)
{
	static const enum incident_state over[] = { STATE_HEALED, STATE_CLOSED, STATE_GAVE_UP, STATE_UNVERIFIED };
	char id[16];

	(void)state;
	for (int i = 0; i < 6; i++) {
		snprintf(id, sizeof(id), "o%d", i);
		store_put_case(store, incident_of(id, i % 2 ? STATE_OPEN : STATE_AWAITING, today.ns + i));
		snprintf(id, sizeof(id), "c%d", i);
		store_put_case(store, incident_of(id, over[i % 4], today.ns + i));
	}
	store_put_case(store, incident_of("old", STATE_OPEN, today.ns - 91 * DAY_NS));
	assert_int_equal(store_flush(store, today), 0);
	restore();
	assert_int_equal(count, 10);
	assert_string_equal(kept[0].id, "o0");
	assert_string_equal(kept[9].id, "o5");
	assert_int_equal(store_find_case(store, "c1", &other), -ENOENT); /* four that are over are kept */
	assert_int_equal(store_find_case(store, "c2", &other), 0);
	assert_int_equal(store_find_case(store, "old", &other), -ENOENT);
}

static void test_rows_of_another_build_are_skipped_and_counted(void **state)
{
	sqlite3 *db;

	(void)state;
	store_put_case(store, incident_of("a", STATE_OPEN, today.ns));
	store_put_case(store, incident_of("b", STATE_OPEN, today.ns));
	store_put_case(store, incident_of("c", STATE_OPEN, today.ns));
	store_put_case(store, incident_of("d", STATE_OPEN, today.ns));
	store_close(store);
	store = NULL;
	assert_int_equal(sqlite3_open(in_folder(STORE_FILE), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "UPDATE fleet_incident SET rule = 'of-tomorrow' WHERE id = 'a'; "
					  "UPDATE fleet_incident SET spi_count = 5 WHERE id = 'b'; "
					  "UPDATE fleet_step SET verb = 'reload' WHERE incident = 'c' AND number = 0; "
					  "UPDATE fleet_evidence SET kind = 'smell' WHERE incident = 'd' AND number = 0; "
					  "ALTER TABLE fleet_incident DROP COLUMN looks", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	open_store();
	restore();
	assert_int_equal(count, 1);
	assert_string_equal(kept[0].id, "d");
	assert_int_equal(kept[0].looks, 0); /* the column that was not there */
	assert_int_equal(kept[0].step_count, 2);
	assert_int_equal(kept[0].evidence_count, 1);
	assert_int_equal(kept[0].evidence[0].kind, FACT_SA_TABLE);
	assert_int_equal(store_figures(store).rows_skipped, 4);
}

static void test_a_full_disk_loses_nothing_and_recovers(void **state)
{
	struct rlimit small = { 0, RLIM_INFINITY }, all = { RLIM_INFINITY, RLIM_INFINITY };
	struct stat st;

	(void)state;
	store_put_case(store, incident_of("a", STATE_ACTING, today.ns));
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(stat(in_folder(STORE_FILE "-wal"), &st), 0);
	small.rlim_cur = (rlim_t)st.st_size;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_true(store_flush(store, today) < 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
	assert_true(store_figures(store).trouble < 0);
	assert_int_equal(store_figures(store).pending_cases, 1);
	assert_int_equal(store_flush(store, today), 0);
	open_store();
	restore();
	assert_int_equal(count, 1);
}

static void test_what_waits_is_bounded(void **state)
{
	char id[16];

	(void)state;
	for (int i = 0; i < STORE_PENDING_CASES_MAX + 3; i++) {
		snprintf(id, sizeof(id), "i%d", i);
		assert_int_equal(store_put_case(store, incident_of(id, STATE_OPEN, today.ns)), 0);
	}
	assert_int_equal(store_figures(store).pending_cases, STORE_PENDING_CASES_MAX);
	assert_int_equal(store_figures(store).lost, 3);
	assert_int_equal(store_flush(store, today), 0);
	assert_int_equal(store_figures(store).pending_cases, 0);
}

#define CASES_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASES_TEST(test_it_comes_back_as_it_was),
		CASES_TEST(test_the_latest_one_counts_and_leaves_nothing_of_the_older),
		CASES_TEST(test_open_ones_stay_and_the_newest_of_the_others),
		CASES_TEST(test_rows_of_another_build_are_skipped_and_counted),
		CASES_TEST(test_a_full_disk_loses_nothing_and_recovers),
		CASES_TEST(test_what_waits_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
