/* SPDX-License-Identifier: MIT */
/* What is on disk is found again by what it is about, an older file is taken over, a file shrinks, thousands are quick. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <sqlite3.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include "parse/incident_filter.h"
#include "record/live.h"
#include "store_before.h"
#include "store_folder.h"

#define MANY 10000

static const struct instant today = { INT64_C(1795342800) * SECOND_NS };
static struct store_limits limits = { .incidents = 20000, .age_ns = 90 * DAY_NS, .ledger = 32 };
static struct store *store;
static struct store_opening opening;
static struct core_incident one;
static struct fleet_incident one_case;
static char found[4096];
static size_t found_count;

static int set_up(void **state)
{
	(void)state;
	folder_make();
	store = NULL;
	limits.incidents = 20000;
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

/* Number `n` of many: peers .0 to .255, each cause in turn, an hour apart. */
static const struct core_incident *incident_of(uint32_t n)
{
	struct core_incident *i = &one;

	memset(i, 0, sizeof(*i));
	snprintf(i->id, sizeof(i->id), "i%05u", n % 100000);
	i->src = (struct spimend_address){ 4, { 198, 51, 100, (uint8_t)n } };
	i->key.dst = (struct spimend_address){ 4, { 192, 0, 2, 1 } };
	i->key.protocol = 50;
	i->key.spi = 0x1000 + n;
	i->verdict = n % 4 ? VERDICT_DESYNC : VERDICT_TRANSIENT;
	i->cause = (enum cause)(n % CAUSE_COUNT);
	i->state = n % 4 ? STATE_HEALED : STATE_CLOSED;
	i->first_seen.ns = today.ns - (int64_t)(n % 2000) * HOUR_NS;
	i->last_seen.ns = i->first_seen.ns + MINUTE_NS;
	i->healed.ns = n % 4 ? i->last_seen.ns + SECOND_NS : 0;
	i->ends.ns = i->healed.ns + HOUR_NS;
	i->step_count = n % 3 ? 1 : 0;
	i->steps[0] = (struct core_step){ .order = n % 3 == 1 ? n + 1 : 0, .at = i->first_seen };
	i->evidence_count = 1;
	i->evidence[0] = (struct core_evidence){ .at = i->first_seen, .kind = FACT_STRAY, .text = "3 packets" };
	return i;
}

static void put(uint32_t from, uint32_t to)
{
	for (uint32_t n = from; n < to; n++) {
		assert_int_equal(store_put_incident(store, incident_of(n)), 0);
		if (n % 1000 == 999)
			assert_int_equal(store_flush(store, today), 0);
	}
	assert_int_equal(store_flush(store, today), 0);
}

static void put_case(const char *id, enum incident_state state)
{
	struct fleet_incident *i = &one_case;

	memset(i, 0, sizeof(*i));
	text_copy(text_of(id), i->id, sizeof(i->id));
	memcpy(i->receiver, "hub", 4);
	memcpy(i->sender, "spoke1", 7);
	i->src = (struct spimend_address){ 4, { 203, 0, 113, 9 } };
	i->dst = (struct spimend_address){ 4, { 192, 0, 2, 1 } };
	i->verdict = VERDICT_DESYNC;
	i->cause = CAUSE_RECEIVER_LOST_STATE;
	i->state = state;
	i->first_seen.ns = i->last_seen.ns = today.ns - DAY_NS;
	i->ended.ns = today.ns - HOUR_NS;
	i->has_stale = true;
	i->stale_ends = today;
	i->step_count = 1;
	i->steps[0].ordered.ns = today.ns - 2 * HOUR_NS;
	assert_int_equal(store_put_case(store, i), 0);
	assert_int_equal(store_flush(store, today), 0);
}

static struct incident_filter filter;

static bool note(void *context, const struct incident_row *row)
{
	struct incident_row *to = context;

	if (!incident_filter_takes(&filter, row))
		return true;
	found_count++;
	if (strlen(found) + 8 < sizeof(found))
		snprintf(found + strlen(found), 9, "%s ", row->id);
	if (to)
		*to = *row;
	return true;
}

static size_t list(const char *words, struct incident_row *last)
{
	struct buffer why = { 0 };

	found_count = 0;
	found[0] = '\0';
	assert_int_equal(incident_filter_read(text_of(words), today, false, &filter, &why), 0);
	assert_int_equal(store_list(store, &filter, note, last), 0);
	buffer_done(&why);
	return found_count;
}

static void test_incidents_are_found_by_what_they_are_about(void **state)
{
	struct incident_row row;

	(void)state;
	open_store();
	put(1, 41);
	put_case("c0ffee", STATE_HEALED);
	assert_int_equal(store_count(store), 41);
	assert_int_equal(list("", NULL), 41);
	assert_int_equal(list("peer 198.51.100.7", &row), 1);
	assert_string_equal(row.id, "i00007");
	assert_int_equal(row.origin, INCIDENT_OF_GATEWAY);
	assert_true(row.acted);
	assert_int_equal(row.cause, 7);
	assert_int_equal(row.ended.ns, row.last.ns + SECOND_NS);
	assert_int_equal(row.stale_ends.ns, row.ended.ns + HOUR_NS);
	assert_int_equal(list("peer 198.51.100.9", &row), 1);
	assert_false(row.acted); /* planned only */
	assert_int_equal(list("peer 198.51.100.8", &row), 1);
	assert_int_equal(row.ended.ns, 0); /* not healed */
	assert_int_equal(list("verdict transient", NULL), 10);
	assert_int_equal(list("since 150m", NULL), 3); /* two, and the case that healed within it */
	assert_int_equal(list("until 39h", NULL), 2);
	assert_string_equal(found, "i00039 i00040 ");
	assert_int_equal(list("cause receiver-lost-state,delete-lost", NULL), 5);
	assert_int_equal(list("device spoke1", &row), 1);
	assert_string_equal(row.id, "c0ffee");
	assert_int_equal(row.origin, INCIDENT_OF_DEVICES);
	assert_true(row.acted);
	assert_int_equal(row.stale_ends.ns, today.ns);
	assert_int_equal(list("state open", NULL), 0);
	put_case("c0ffee", STATE_OPEN);
	assert_int_equal(list("since 1m state open", NULL), 1); /* it goes on, whenever it was seen last */
}

static int64_t milliseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static char *show(void (*print)(const struct live_view *, struct buffer *), const struct live_view *view)
{
	static struct buffer out;

	buffer_clear(&out);
	if (!print) {
		buffer_done(&out);
		return NULL;
	}
	print(view, &out);
	buffer_add_char(&out, '\0');
	assert_int_equal(buffer_error(&out), 0);
	return out.bytes;
}

static void test_ten_thousand_are_listed_and_counted_at_once(void **state)
{
	struct hash_key key = { 1, 2 };
	struct moment now = { .mono_ns = 1000 * SECOND_NS, .wall = today };
	struct incident_filter f = { .is_set = true };
	struct live_view view = { .now = now, .filter = &f };
	static struct config config;
	struct core *core;
	int64_t from;

	(void)state;
	config_default(&config);
	assert_int_equal(core_new(&config, &key, 1, now, &core), 0);
	open_store();
	put(0, MANY);
	view.core = core;
	view.config = &config;
	view.disk = store;
	assert_int_equal(store_count(store), MANY);
	assert_int_equal(list("peer 198.51.100.7", NULL), MANY / 256 + 1);
	from = milliseconds();
	f.limit = 20;
	assert_non_null(strstr(show(live_incidents_text, &view), "... and 9980 older ones: --limit 10000 lists them all\n20 incidents: "));
	f.limit = 0;
	f.by = GROUP_CAUSE;
	assert_non_null(strstr(show(live_stats_text, &view), "10000 incidents of the last 90 days"));
	assert_non_null(strstr(show(live_stats_json, &view), "\"by\":null,\"src\":null,\"dst\":null,\"cause\":null,\"verdict\":null,"
							     "\"month\":null,\"incidents\":10000,\"faults\":7500,"));
	from = milliseconds() - from;
	if (from > 5000) /* a tenth of a second without sanitizers; a scan for each row would take minutes */
		fail_msg("%d ms", (int)from);
	show(NULL, NULL);
	core_free(core);
}

/* What is in memory too is told as it is there, once. */
static void test_memory_and_disk_are_one(void **state)
{
	struct hash_key key = { 1, 2 };
	struct moment now = { .mono_ns = 1000 * SECOND_NS, .wall = today };
	struct incident_filter f = { .is_set = true };
	struct live_view view = { .now = now };
	static struct config config;
	static struct core_incident newer;
	struct core *core;
	const char *text;

	(void)state;
	config_default(&config);
	assert_int_equal(core_new(&config, &key, 1, now, &core), 0);
	open_store();
	put(1, 4);
	newer = *incident_of(2);
	newer.state = STATE_GAVE_UP;
	core_restore_incident(core, &newer, now);
	view.core = core;
	view.config = &config;
	view.disk = store;
	text = show(live_incidents_text, &view);
	assert_non_null(strstr(text, "\n1 incident: 1 gave-up"));
	assert_non_null(strstr(text, "Older ones are on disk: --since 30d"));
	view.filter = &f;
	text = show(live_incidents_text, &view);
	assert_non_null(strstr(text, "\n3 incidents: 2 healed, 1 gave-up"));
	assert_true(strstr(text, "i00003") < strstr(text, "i00002")); /* by first sighting */
	assert_true(strstr(text, "i00002") < strstr(text, "i00001"));
	text = show(live_incidents_json, &view);
	assert_non_null(strstr(text, "\"id\":\"i00001\""));
	assert_non_null(strstr(text, "\"evidence\":3,"));
	show(NULL, NULL);
	core_free(core);
}

static void test_what_recurs_is_pointed_out(void **state)
{
	struct hash_key key = { 1, 2 };
	struct moment now = { .mono_ns = 1000 * SECOND_NS, .wall = today };
	struct live_view view = { .now = now };
	static struct config config;
	struct buffer out = { 0 };
	struct core *core;

	(void)state;
	config_default(&config);
	assert_int_equal(core_new(&config, &key, 1, now, &core), 0);
	open_store();
	for (uint32_t n = 1; n <= 3; n++) { /* two on disk, one in memory */
		struct core_incident *is = &one;

		incident_of(n);
		is->verdict = VERDICT_DESYNC;
		is->cause = CAUSE_LIFETIME_MISMATCH_TIME;
		is->src.bytes[3] = 7;
		if (n == 3)
			core_restore_incident(core, is, now);
		else
			assert_int_equal(store_put_incident(store, is), 0);
	}
	assert_int_equal(store_flush(store, today), 0);
	view.core = core;
	view.config = &config;
	view.disk = store;
	assert_non_null(strstr(show(live_incidents_text, &view), "RECURS 198.51.100.7 -> 192.0.2.1, lifetime-mismatch-time: 3 times within 2 h"));
	assert_non_null(strstr(show(live_incidents_text, &view), "life_time at 192.0.2.1 above rekey_time"));
	assert_non_null(strstr(show(live_incidents_json, &view), "\"recurrences\":[{\"src\":\"198.51.100.7\",\"dst\":\"192.0.2.1\","
								 "\"cause\":\"lifetime-mismatch-time\",\"times\":3,"));
	assert_non_null(strstr(show(live_stats_text, &view), "RECURS 198.51.100.7"));
	live_explain_text(&view, core_incident_at(core, 0), &out);
	buffer_add_char(&out, '\0');
	assert_non_null(strstr(out.bytes, "It recurs: 3 times within 2 h with this peer, each time"));
	buffer_done(&out);
	config.recurrence_count = 4;
	assert_null(strstr(show(live_incidents_text, &view), "RECURS"));
	show(NULL, NULL);
	core_free(core);
}

static off_t size_of_store(void)
{
	struct stat st;

	assert_int_equal(stat(in_folder(STORE_FILE), &st), 0);
	return st.st_size;
}

static void test_a_file_shrinks_when_less_is_kept(void **state)
{
	off_t before;

	(void)state;
	open_store();
	put(0, 4000);
	open_store();
	before = size_of_store();
	limits.incidents = 100;
	store_set_limits(store, &limits);
	for (int turn = 0; turn < 20; turn++) { /* a mebibyte at a time, whenever it looks at what is kept */
		store_set_limits(store, &limits);
		assert_int_equal(store_put_incident(store, incident_of(1)), 0);
		assert_int_equal(store_flush(store, today), 0);
	}
	assert_int_equal(store_count(store), 100);
	open_store();
	if (size_of_store() > before / 4)
		fail_msg("%lld of %lld bytes", (long long)size_of_store(), (long long)before);
}

static int64_t ask(const char *sql)
{
	sqlite3_stmt *statement;
	sqlite3 *db;
	int64_t value;

	assert_int_equal(sqlite3_open(in_folder(STORE_FILE), &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	value = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return value;
}

static void keep_entry(void *context, const struct ledger_entry *entry)
{
	*(struct ledger_entry *)context = *entry;
}

static void test_a_file_of_the_first_daemons_is_taken_over(void **state)
{
	static struct core_incident is;
	static struct fleet_incident case_is;
	struct ledger_entry entry = { 0 };
	struct incident_row row;
	sqlite3 *db;

	(void)state;
	assert_int_equal(sqlite3_open(in_folder(STORE_FILE), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, store_before, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(ask("PRAGMA auto_vacuum"), 0);
	open_store();
	assert_true(opening.migrated);
	assert_false(opening.moved_aside || opening.not_compacted || opening.created);
	assert_int_equal(store_find_incident(store, "k3v9q2", &is), 0);
	assert_int_equal(is.healed.ns, today.ns + 2 * SECOND_NS);
	assert_int_equal(is.ends.ns, 0);
	assert_int_equal(is.step_count, 1);
	assert_int_equal(is.steps[0].order, 77);
	assert_int_equal(is.evidence_count, 1);
	assert_int_equal(store_find_case(store, "c0ffee", &case_is), 0);
	assert_string_equal(case_is.steps[0].command, "clear crypto sa peer 192.0.2.1");
	assert_int_equal(store_restore_ledger(store, keep_entry, &entry), 0);
	assert_int_equal(entry.key.spi, 0x1db73bbb);
	assert_int_equal(entry.sequence_highest, 41);
	assert_int_equal(list("cause child-missing", &row), 1);
	assert_true(row.acted);
	is.ends.ns = today.ns; /* and it can be written */
	assert_int_equal(store_put_incident(store, &is), 0);
	open_store();
	assert_false(opening.migrated);
	assert_int_equal(store_find_incident(store, "k3v9q2", &is), 0);
	assert_int_equal(is.ends.ns, today.ns);
	store_close(store);
	store = NULL;
	assert_int_equal(ask("PRAGMA auto_vacuum"), 2);
	assert_int_equal(ask("SELECT count(*) FROM sqlite_master WHERE type = 'index' AND name IN ('incident_peer', 'fleet_cause')"), 2);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(test_incidents_are_found_by_what_they_are_about),
		STORE_TEST(test_ten_thousand_are_listed_and_counted_at_once),
		STORE_TEST(test_memory_and_disk_are_one),
		STORE_TEST(test_what_recurs_is_pointed_out),
		STORE_TEST(test_a_file_shrinks_when_less_is_kept),
		STORE_TEST(test_a_file_of_the_first_daemons_is_taken_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
