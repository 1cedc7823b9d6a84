/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include "record/store.h"
#include "store_folder.h"

#define KEPT_MAX 64

static const struct instant today = { INT64_C(1795342800) * SECOND_NS };
static const struct store_limits limits = { .incidents = 4, .age_ns = 90 * DAY_NS, .ledger = 32 };
static struct store *store;
static struct store_opening opening;
static struct ledger_entry entries[KEPT_MAX];
static struct core_incident incidents[KEPT_MAX], one;
static int entry_count, incident_count;

static int set_up(void **state)
{
	(void)state;
	folder_make();
	store = NULL;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	store_close(store);
	folder_remove();
	return 0;
}

static void open_store(void)
{
	store_close(store);
	store = NULL;
	assert_int_equal(store_open(folder, &limits, today, &store, &opening), 0);
}

static void keep_entry(void *context, const struct ledger_entry *entry)
{
	(void)context;
	assert_true(entry_count < KEPT_MAX);
	entries[entry_count++] = *entry;
}

static void keep_incident(void *context, const struct core_incident *incident)
{
	(void)context;
	assert_true(incident_count < KEPT_MAX);
	incidents[incident_count++] = *incident;
}

static void restore(void)
{
	entry_count = incident_count = 0;
	assert_int_equal(store_restore_ledger(store, keep_entry, NULL), 0);
	assert_int_equal(store_restore_incidents(store, 2, keep_incident, NULL), 0);
}

static struct ledger_entry entry_of(uint32_t spi)
{
	struct ledger_entry e;

	memset(&e, 0, sizeof(e));
	e.key.dst = (struct spimend_address){ 4, { 192, 0, 2, 1 } };
	e.key.protocol = 50;
	e.key.spi = spi;
	e.peer = (struct spimend_address){ 6, { 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7 } };
	e.daemon = 3;
	e.encap_udp = e.has_sequence = e.went_both_ways = e.death_seen = true;
	e.state = LEDGER_DEAD;
	e.death = DEATH_KERNEL_LOST;
	e.sequence_highest = UINT32_MAX;
	e.spi_out = 0xfedcba98;
	e.ike_id = 7;
	e.child_id = 8;
	e.connection = UINT64_MAX - 5;
	e.born.ns = today.ns + spi;
	e.died.ns = today.ns + spi + 1;
	e.ends.ns = today.ns + HOUR_NS;
	return e;
}

static const struct core_incident *incident_of(const char *id, enum incident_state state, int64_t seen)
{
	struct core_incident *i = &one;

	memset(i, 0, sizeof(*i));
	text_copy(text_of(id), i->id, sizeof(i->id));
	i->key = entry_of(0x1db73bbb).key;
	i->src = entry_of(1).peer;
	i->encap_udp = i->has_connection = i->has_ledger = i->evidence_cut = true;
	i->src_port = 4500;
	text_copy(TEXT("eth0"), i->interface, sizeof(i->interface));
	i->connection = 0x8123456789abcdef;
	text_copy(TEXT("gw-\xc3\xa9"), i->ike_name, sizeof(i->ike_name));
	text_copy(TEXT("net"), i->child_name, sizeof(i->child_name));
	i->tunnel_kind = TUNNEL_SVTI;
	i->verdict = VERDICT_DESYNC;
	i->rule = RULE_LEDGER_DEAD;
	i->cause = CAUSE_CHILD_MISSING;
	i->confidence = CONFIDENCE_LIKELY;
	i->state = state;
	i->flags = FLAG_NAT_T;
	i->first_seen.ns = i->last_seen.ns = seen;
	i->decided.ns = seen + 1;
	i->packets = UINT64_MAX;
	i->sequence_first = 5;
	i->sequence_known = 4;
	i->death = DEATH_DAEMON_LOST;
	i->ends.ns = seen + HOUR_NS;
	i->next.rung = RUNG_RESTART_IKE;
	i->next.refusal = REFUSE_UNPROVEN;
	i->next.first = ORDER_TERMINATE_IKE;
	i->next.then = ORDER_INITIATE;
	i->next.blast_children = 12;
	i->rung = RUNG_INITIATE_CHILD;
	i->step_count = 2;
	i->steps[0] = (struct core_step){ .order = 1, .verb = ORDER_REKEY_CHILD, .rung = RUNG_REKEY_CHILD, .at = { seen },
					  .has_result = true,
					  .result = { .id = 1, .outcome = OUTCOME_FAILED, .took_ns = 5, .text = "CHILD_SA 3 not found" } };
	i->steps[1] = (struct core_step){ .verb = ORDER_INITIATE, .rung = RUNG_INITIATE_CHILD, .at = { seen + 2 } };
	i->evidence_count = 1;
	i->evidence[0] = (struct core_evidence){ .at = { seen }, .kind = FACT_STRAY, .text = "3 packets" };
	return i;
}

static void test_a_new_store_is_made_for_its_owner_alone(void **state)
{
	struct stat st;

	(void)state;
	open_store();
	assert_true(opening.created);
	assert_false(opening.moved_aside || opening.migrated);
	assert_int_equal(stat(in_folder(STORE_FILE), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	open_store();
	assert_false(opening.created || opening.moved_aside || opening.migrated);
}

static void test_what_was_put_comes_back_byte_for_byte(void **state)
{
	struct ledger_entry first = entry_of(2), second = entry_of(1);
	struct core_incident kept;

	(void)state;
	open_store();
	assert_int_equal(store_put_ledger(store, &first), 0);
	assert_int_equal(store_put_ledger(store, &second), 0);
	kept = *incident_of("k3v9q2", STATE_ACTING, today.ns);
	assert_int_equal(store_put_incident(store, &kept), 0);
	assert_true(store_has_pending(store));
	assert_int_equal(store_flush(store, today), 0);
	assert_false(store_has_pending(store));
	open_store();
	restore();
	assert_int_equal(entry_count, 2);
	assert_memory_equal(&entries[0], &second, sizeof(second)); /* oldest born first */
	assert_memory_equal(&entries[1], &first, sizeof(first));
	assert_int_equal(incident_count, 1);
	assert_memory_equal(&incidents[0], &kept, sizeof(kept));
	assert_int_equal(store_find_incident(store, "k3v9q2", &one), 0);
	assert_memory_equal(&one, &kept, sizeof(kept));
	assert_int_equal(store_find_incident(store, "nobody", &one), -ENOENT);
}

static struct syslog_claim claims[2];
static uint32_t claim_count;

static void keep_claim(void *context, const struct syslog_claim *claim)
{
	(void)context;
	if (claim_count == 0)
		claims[0] = *claim;
	claims[1] = *claim;
	claim_count++;
}

static struct syslog_claim claim_of(uint32_t spi, int64_t heard_ns)
{
	struct syslog_claim c;

	memset(&c, 0, sizeof(c));
	c.fact.kind = FACT_STRAY;
	c.fact.dialect = DIALECT_ASA;
	c.fact.reason = REASON_CLEARED;
	c.fact.has = FACT_HAS_SPI | FACT_HAS_SEQUENCE;
	c.fact.flags = FLAG_SPI_0XFF;
	c.fact.protocol = SPIMEND_PROTOCOL_AH;
	c.fact.src = (struct spimend_address){ 4, { 192, 0, 2, 1 } };
	c.fact.dst = (struct spimend_address){ 6, { 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7 } };
	c.fact.spi.value = spi;
	c.fact.sequence = UINT64_MAX;
	c.fact.count = 3;
	c.fact.controller_keyed = true;
	memcpy(c.fact.interface, "Tunnel1", 8);
	c.source = (struct spimend_address){ 4, { 198, 51, 100, 7 } };
	c.way = SYSLOG_TLS;
	c.line = 77;
	memcpy(c.host, "hub", 4);
	c.has_at = c.has_heard = c.is_repeat = true;
	c.at.ns = heard_ns - SECOND_NS;
	c.heard.ns = heard_ns;
	memcpy(c.text, "a line \xff of '; DROP TABLE claim;--", 34);
	return c;
}

static void test_claims_come_back_as_they_were_and_the_oldest_go(void **state)
{
	struct syslog_claim first = claim_of(1, today.ns - 30 * HOUR_NS), second = claim_of(0xffffffff, today.ns);

	(void)state;
	open_store();
	assert_int_equal(store_put_claim(store, &second), 0);
	assert_int_equal(store_flush(store, today), 0);
	assert_int_equal(store_put_claim(store, &first), 0);
	assert_true(store_has_pending(store));
	open_store(); /* a close writes what waits */
	claim_count = 0;
	assert_int_equal(store_restore_claims(store, keep_claim, NULL), 0);
	assert_int_equal(claim_count, 2);
	assert_memory_equal(&claims[0], &second, sizeof(second)); /* in the order in which they came */
	assert_memory_equal(&claims[1], &first, sizeof(first));
	assert_int_equal(store_put_claim(store, &second), 0);
	assert_int_equal(store_flush(store, today), 0); /* the first flush of a store looks at ages */
	claim_count = 0;
	assert_int_equal(store_restore_claims(store, keep_claim, NULL), 0);
	assert_int_equal(claim_count, 2);
	assert_memory_equal(&claims[1], &second, sizeof(second));
}

static void test_more_claims_than_can_wait_are_counted(void **state)
{
	struct syslog_claim c = claim_of(1, today.ns);
	uint32_t flushes = 0;

	(void)state;
	open_store();
	for (uint32_t i = 0; i < STORE_PENDING_CLAIMS_MAX + 5; i++) {
		c.line = i;
		assert_int_equal(store_put_claim(store, &c), 0);
	}
	assert_int_equal(store_figures(store).claims_lost, 5);
	for (; store_has_pending(store); flushes++)
		assert_int_equal(store_flush(store, today), 0);
	assert_int_equal(flushes, STORE_PENDING_CLAIMS_MAX / STORE_FLUSH_CLAIMS_MAX);
	claim_count = 0;
	assert_int_equal(store_restore_claims(store, keep_claim, NULL), 0);
	assert_int_equal(claim_count, STORE_PENDING_CLAIMS_MAX);
	assert_int_equal(claims[0].line, 0);
	assert_int_equal(claims[1].line, STORE_PENDING_CLAIMS_MAX - 1);
}

static void test_the_latest_change_of_a_key_counts(void **state)
{
	struct ledger_entry e = entry_of(1), other = entry_of(2);

	(void)state;
	open_store();
	store_put_ledger(store, &e);
	e.sequence_highest = 77;
	store_put_ledger(store, &e);
	store_put_ledger(store, &other);
	store_drop_ledger(store, &other.key);
	store_put_incident(store, incident_of("a", STATE_OPEN, today.ns));
	store_put_incident(store, incident_of("a", STATE_GAVE_UP, today.ns));
	assert_int_equal(store_figures(store).pending_ledger, 2);
	assert_int_equal(store_figures(store).pending_incidents, 1);
	assert_int_equal(store_find_incident(store, "a", &one), 0); /* not written yet */
	store_close(store); /* flushes */
	store = NULL;
	open_store();
	restore();
	assert_int_equal(entry_count, 1);
	assert_int_equal(entries[0].sequence_highest, 77);
	assert_int_equal(incident_count, 1);
	assert_int_equal(incidents[0].state, STATE_GAVE_UP);
	store_drop_ledger(store, &e.key);
	assert_int_equal(store_flush(store, today), 0);
	restore();
	assert_int_equal(entry_count, 0);
}

static void test_fewer_steps_than_before_leave_none_behind(void **state)
{
	struct core_incident i;

	(void)state;
	open_store();
	i = *incident_of("a", STATE_OPEN, today.ns);
	store_put_incident(store, &i);
	assert_int_equal(store_flush(store, today), 0);
	i.step_count = 1;
	i.evidence_count = 0;
	store_put_incident(store, &i);
	assert_int_equal(store_flush(store, today), 0);
	restore();
	assert_int_equal(incidents[0].step_count, 1);
	assert_int_equal(incidents[0].evidence_count, 0);
}

static void test_order_ids_are_never_given_twice(void **state)
{
	uint64_t first, second, third;

	(void)state;
	open_store();
	assert_int_equal(store_reserve_orders(store, 100, &first), 0);
	assert_true(first > 0);
	assert_int_equal(store_reserve_orders(store, 1, &second), 0);
	assert_int_equal(second, first + 100);
	open_store();
	assert_int_equal(store_reserve_orders(store, 5, &third), 0);
	assert_int_equal(third, second + 1);
	store_close(store);
	store = NULL;
	unlink(in_folder(STORE_FILE));
	unlink(in_folder(STORE_FILE "-wal"));
	assert_int_equal(store_open(folder, &limits, (struct instant){ today.ns + SECOND_NS }, &store, &opening), 0);
	assert_int_equal(store_reserve_orders(store, 1, &second), 0);
	assert_true(second > third + 5); /* also after the file was lost */
}

static void test_a_killed_writer_loses_nothing_that_was_flushed(void **state)
{
	struct ledger_entry e = entry_of(9);
	int status;
	pid_t child;

	(void)state;
	child = fork();
	if (child == 0) {
		struct store *s;

		if (store_open(folder, &limits, today, &s, &opening) == 0 && store_put_ledger(s, &e) == 0 && store_flush(s, today) == 0)
			raise(SIGKILL);
		_exit(1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	open_store();
	assert_false(opening.created);
	restore();
	assert_int_equal(entry_count, 1);
}

static void test_a_second_one_is_refused(void **state)
{
	struct store *second = NULL;

	(void)state;
	open_store();
	assert_int_equal(store_open(folder, &limits, today, &second, &opening), -EBUSY);
	assert_null(second);
}

static void damage(off_t at, size_t bytes)
{
	char junk[8192];
	int fd = open(in_folder(STORE_FILE), O_WRONLY);

	assert_true(fd >= 0 && bytes <= sizeof(junk));
	memset(junk, 0x5a, sizeof(junk));
	assert_int_equal(pwrite(fd, junk, bytes, at), (ssize_t)bytes);
	close(fd);
}

static void test_a_damaged_file_is_moved_aside_and_kept(void **state)
{
	struct ledger_entry e = entry_of(9);
	struct stat st;

	(void)state;
	for (int turn = 0; turn < 2; turn++) { /* its head, and a page in the middle */
		open_store();
		store_put_ledger(store, &e);
		assert_int_equal(store_flush(store, today), 0);
		store_close(store);
		store = NULL;
		damage(turn ? 4096 : 0, 4096);
		open_store();
		assert_true(opening.moved_aside);
		assert_true(opening.why[0]);
		assert_int_equal(stat(opening.aside, &st), 0);
		assert_true(st.st_size >= 4096);
		restore();
		assert_int_equal(entry_count, 0);
		store_put_ledger(store, &e);
		assert_int_equal(store_flush(store, today), 0);
	}
	assert_non_null(strstr(opening.aside, "-2")); /* the first one is not written over */
}

static void test_a_newer_version_is_left_alone(void **state)
{
	sqlite3 *db;

	(void)state;
	open_store();
	store_close(store);
	store = NULL;
	assert_int_equal(sqlite3_open(in_folder(STORE_FILE), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(store_open(folder, &limits, today, &store, &opening), -EPROTO);
}

static void test_an_older_file_gets_the_columns_that_it_lacks(void **state)
{
	struct ledger_entry e = entry_of(9);
	sqlite3 *db;

	(void)state;
	open_store();
	store_put_ledger(store, &e);
	store_close(store);
	store = NULL;
	assert_int_equal(sqlite3_open(in_folder(STORE_FILE), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "ALTER TABLE ledger DROP COLUMN spi_out; ALTER TABLE ledger DROP COLUMN death", NULL,
				      NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	open_store();
	assert_true(opening.migrated);
	restore();
	assert_int_equal(entry_count, 1);
	assert_int_equal(entries[0].spi_out, 0);
	assert_int_equal(entries[0].death, DEATH_NONE);
	assert_int_equal(entries[0].sequence_highest, UINT32_MAX);
}

static void test_rows_that_make_no_sense_are_skipped_and_counted(void **state)
{
	struct ledger_entry e = entry_of(9), f = entry_of(10), g = entry_of(11);
	sqlite3 *db;

	(void)state;
	open_store();
	store_put_ledger(store, &e);
	store_put_ledger(store, &f);
	store_put_ledger(store, &g);
	store_put_incident(store, incident_of("a", STATE_OPEN, today.ns));
	store_close(store);
	store = NULL;
	assert_int_equal(sqlite3_open(in_folder(STORE_FILE), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "UPDATE ledger SET state = 'odd' WHERE spi = 9; UPDATE ledger SET dst = 'x' WHERE spi = 10; "
					  "UPDATE incident SET daemon = -1", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	open_store();
	restore();
	assert_int_equal(entry_count, 1);
	assert_int_equal(incident_count, 0);
	assert_int_equal(store_figures(store).rows_skipped, 3);
}

static void test_open_incidents_all_come_back_and_the_newest_of_the_others(void **state)
{
	char id[16];

	(void)state;
	open_store();
	for (int i = 0; i < 6; i++) {
		snprintf(id, sizeof(id), "o%d", i);
		store_put_incident(store, incident_of(id, STATE_UNVERIFIED, today.ns + i));
		snprintf(id, sizeof(id), "c%d", i);
		store_put_incident(store, incident_of(id, i % 2 ? STATE_CLOSED : STATE_HEALED, today.ns + i));
	}
	store_put_incident(store, incident_of("old", STATE_OPEN, today.ns - 91 * DAY_NS));
	assert_int_equal(store_flush(store, today), 0);
	restore();
	assert_int_equal(incident_count, 8);
	assert_string_equal(incidents[0].id, "o0");
	assert_int_equal(store_find_incident(store, "c1", &one), -ENOENT); /* four closed ones are kept */
	assert_int_equal(store_find_incident(store, "c2", &one), 0);
	assert_int_equal(store_find_incident(store, "old", &one), -ENOENT); /* too old */
}

static void test_the_ledger_on_disk_is_bounded_and_the_dead_go_first(void **state)
{
	(void)state;
	open_store();
	for (uint32_t i = 0; i < 40; i++) {
		struct ledger_entry e = entry_of(1000 + i);

		if (i < 20)
			e.state = LEDGER_INSTALLED;
		store_put_ledger(store, &e);
	}
	assert_int_equal(store_flush(store, today), 0);
	restore();
	assert_int_equal(entry_count, 32);
	assert_int_equal(entries[19].key.spi, 1019);
	assert_int_equal(entries[20].key.spi, 1028); /* the longest dead went */
}

static void test_a_full_disk_loses_nothing_and_recovers(void **state)
{
	struct rlimit small = { 0, RLIM_INFINITY }, all = { RLIM_INFINITY, RLIM_INFINITY };
	struct stat st;

	(void)state;
	open_store();
	for (uint32_t i = 0; i < 20; i++) {
		struct ledger_entry e = entry_of(1000 + i);

		store_put_ledger(store, &e);
	}
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(stat(in_folder(STORE_FILE "-wal"), &st), 0);
	small.rlim_cur = (rlim_t)st.st_size; /* files may not grow: EFBIG, as far as SQLite a full disk or an I/O error */
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_true(store_flush(store, today) < 0);
	assert_true(store_flush(store, today) < 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
	assert_int_equal(store_figures(store).failures, 2);
	assert_true(store_figures(store).trouble < 0);
	assert_true(store_figures(store).trouble_text[0]);
	assert_int_equal(store_figures(store).pending_ledger, 20);
	assert_int_equal(store_flush(store, today), 0);
	assert_int_equal(store_figures(store).trouble, 0);
	open_store();
	restore();
	assert_int_equal(entry_count, 20);
}

static void test_what_waits_is_bounded(void **state)
{
	(void)state;
	open_store();
	for (uint32_t i = 0; i < STORE_PENDING_LEDGER_MAX + 3; i++) {
		struct ledger_entry e = entry_of(i);

		assert_int_equal(store_put_ledger(store, &e), 0);
	}
	assert_int_equal(store_figures(store).pending_ledger, STORE_PENDING_LEDGER_MAX);
	assert_int_equal(store_figures(store).lost, 3);
	for (uint32_t left = STORE_PENDING_LEDGER_MAX; left > 3 * STORE_PENDING_LEDGER_MAX / 4; left -= STORE_FLUSH_LEDGER_MAX) {
		struct ledger_entry e = entry_of(STORE_PENDING_LEDGER_MAX - 1);

		assert_int_equal(store_figures(store).pending_ledger, left);
		assert_int_equal(store_flush(store, today), 0);
		e.sequence_highest = 7;
		assert_int_equal(store_put_ledger(store, &e), 0); /* still found where it waits */
	}
}

static void test_no_column_could_hold_a_key(void **state)
{
	sqlite3_stmt *statement;
	sqlite3 *db;

	(void)state;
	open_store();
	store_close(store);
	store = NULL;
	assert_int_equal(sqlite3_open(in_folder(STORE_FILE), &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT lower(sql) FROM sqlite_master", -1, &statement, NULL), SQLITE_OK);
	while (sqlite3_step(statement) == SQLITE_ROW) {
		const char *sql = (const char *)sqlite3_column_text(statement, 0);

		assert_null(sql ? strstr(sql, "secret") : NULL);
		assert_null(sql ? strstr(sql, "blob") : NULL);
	}
	sqlite3_finalize(statement);
	sqlite3_close(db);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(test_a_new_store_is_made_for_its_owner_alone),
		STORE_TEST(test_what_was_put_comes_back_byte_for_byte),
		STORE_TEST(test_claims_come_back_as_they_were_and_the_oldest_go),
		STORE_TEST(test_more_claims_than_can_wait_are_counted),
		STORE_TEST(test_the_latest_change_of_a_key_counts),
		STORE_TEST(test_fewer_steps_than_before_leave_none_behind),
		STORE_TEST(test_order_ids_are_never_given_twice),
		STORE_TEST(test_a_killed_writer_loses_nothing_that_was_flushed),
		STORE_TEST(test_a_second_one_is_refused),
		STORE_TEST(test_a_damaged_file_is_moved_aside_and_kept),
		STORE_TEST(test_a_newer_version_is_left_alone),
		STORE_TEST(test_an_older_file_gets_the_columns_that_it_lacks),
		STORE_TEST(test_rows_that_make_no_sense_are_skipped_and_counted),
		STORE_TEST(test_open_incidents_all_come_back_and_the_newest_of_the_others),
		STORE_TEST(test_the_ledger_on_disk_is_bounded_and_the_dead_go_first),
		STORE_TEST(test_a_full_disk_loses_nothing_and_recovers),
		STORE_TEST(test_what_waits_is_bounded),
		STORE_TEST(test_no_column_could_hold_a_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
