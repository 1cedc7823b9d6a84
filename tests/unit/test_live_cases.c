/* SPDX-License-Identifier: MIT */
/* Incidents between other devices on the daemon's pages, from a real mind over a small world of routers. */
#include "fleet_world.h"

#include <errno.h>

#include "record/fleet_incident.h"
#include "record/live.h"

static struct world w;
static struct survey *survey;
static struct core *core;
static struct judge *judge;
static struct live_bursts bursts;
static struct live_fleet syslog_told;
static struct live_view view;
static struct world_tunnel *broken;
static char page[1 << 18];

static int set_up(void **state)
{
	static const struct hash_key key = { 1, 2 };
	struct judge_settings settings;
	enum survey_question question;
	uint32_t device;
	int64_t due;

	(void)state;
	world_init(&w);
	for (int i = 0; i <= 3; i++)
		world_device(&w, PLATFORM_SDWAN, true);
	world_start(&w);
	for (int i = 0; i < 3; i++)
		world_tunnel(&w, (uint32_t)i + 1, 0, BY_CONTROLLER);
	broken = &w.tunnels[0];
	assert_int_equal(survey_new(&w.config->devices, w.now, &survey), 0);
	w.site[0] = 7; /* which it tells when it is looked at */
	assert_true(survey_next(survey, w.now + SURVEY_FIRST_NS, &device, &question, &due)); /* of four, one has answered */
	survey_told(survey, device, question, true, w.now + SURVEY_FIRST_NS);
	judge_settings_default(&settings);
	settings.flows_max = 256;
	settings.ghosts_max = 1024;
	assert_int_equal(judge_new(&settings, &key, &judge), 0);
	assert_int_equal(core_new(w.config, &key, 1, world_now(&w), &core), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	live_bursts_done(&bursts);
	survey_free(survey);
	judge_free(judge);
	core_free(core);
	world_done(&w);
	return 0;
}

/* The same message, as the judge of syslog hears it. */
static void claim(const struct spimend_address *src, const struct spimend_address *dst, uint32_t spi, int64_t after_ns)
{
	struct fact fact = fact_of(FACT_STRAY, DIALECT_IOS);
	struct instant at = { world_now(&w).wall.ns + after_ns };
	struct judge_claim c = { .fact = &fact, .host = TEXT("r00"), .has_at = true, .at = at, .has_heard_at = true, .heard_at = at,
				 .source = 1, .text = TEXT("a line") };

	fact.protocol = SPIMEND_PROTOCOL_ESP;
	fact.has = FACT_HAS_SPI;
	fact.spi.value = spi;
	fact.src = *src;
	fact.dst = *dst;
	judge_claim(judge, &c);
}

static const struct fleet_incident *cleared_by_hand(void)
{
	const struct fleet_incident *is;

	world_clear(&w, broken, 1);
	world_sight(&w, broken, broken->way[0].out);
	for (int i = 0; i < 40 && world_incident(&w)->state != STATE_AWAITING; i++)
		world_run(&w, 15 * S);
	is = world_incident(&w);
	assert_int_equal(is->state, STATE_AWAITING);
	return is;
}

static void look(void)
{
	assert_int_equal(judge_settle(judge), 0);
	assert_int_equal(live_bursts_find(judge, w.config, NULL, NULL, &bursts), 0);
	syslog_told = (struct live_fleet){ .judge = judge, .bursts = &bursts };
	view = (struct live_view){ .core = core, .config = w.config, .now = world_now(&w), .cases = w.fleet,
				    .survey = survey };
}

static const char *take(struct buffer *out)
{
	assert_int_equal(buffer_error(out), 0);
	text_copy(buffer_text(out), page, sizeof(page));
	assert_int_equal(strlen(page), out->len);
	buffer_done(out);
	return page;
}

static const char *show(void (*print)(const struct live_view *, struct buffer *))
{
	struct buffer out = { 0 };

	print(&view, &out);
	return take(&out);
}

static void has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no '%s' in:\n%s", part, text);
}

static void has_not(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("'%s' in:\n%s", part, text);
}

static void test_what_waits_for_a_person_stands_on_top(void **state)
{
	const struct fleet_incident *is = cleared_by_hand();
	struct buffer out = { 0 };
	char line[64];

	(void)state;
	look();
	snprintf(line, sizeof(line), "\n                 spimend approve %s 1\n", is->id);
	has(show(live_status_text), line);
	has(page, "request platform software sdwan port_hop color biz-internet");
	assert_true(strstr(page, "APPROVE?") < strstr(page, "IKE daemon"));
	has(page, "devices    4 configured, 4 with a login, 4 of them may be repaired\n");
	has(page, "1 WAITS FOR A PERSON");
	has(show(live_incidents_text), line);
	assert_true(strstr(page, "APPROVE?") < strstr(page, "FIRST SEEN"));
	snprintf(line, sizeof(line), "\n%s awaiting   desync      controller-sa-cleared", is->id);
	has(page, line);
	has(page, "\n1 incident: 1 awaiting-approval; 1 fault that loses packets now\n");
	assert_int_equal(live_exit_status(&view), 1);
	record_fleet_explain(is, w.config->mode, &out);
	take(&out);
	snprintf(line, sizeof(line), "\n      spimend deny %s 1\n", is->id);
	has(page, line);
	has(page, "What it waits for\n  step 1, typed on r00: request platform software sdwan port_hop color biz-internet\n"
		  "  disturbs, counted there just before: 2 BFD sessions and 3 control connections that are up, of the colour biz-internet\n");
}

static void test_a_word_is_asked_for_no_longer_once_it_was_given(void **state)
{
	const struct fleet_incident *is = cleared_by_hand();
	uint64_t mark = live_case_mark(is);
	struct buffer out = { 0 };

	(void)state;
	assert_true(world_approve(&w, is));
	assert_true(live_case_mark(world_incident(&w)) != mark); /* worth a line to watchers */
	look();
	has_not(show(live_status_text), "spimend approve");
	world_run(&w, 3 * MINUTE_NS);
	look();
	assert_int_equal(live_exit_status(&view), 0);
	has(show(live_incidents_text), "\n1 incident: 1 healed\n");
	record_fleet_explain(world_incident(&w), w.config->mode, &out);
	has(take(&out), "by the word of alice");
	has_not(page, "spimend approve");
	live_case_watch(world_incident(&w), view.now.wall, &out);
	has(take(&out), "desync healed: r00: ");
	has(show(live_incidents_json), "\"who\":\"alice\"");
	has(page, "\"state\":\"healed\"");
	has(page, "\"from\":\"r00\",\"kind\":\"show\"");
	has(show(live_status_json), "\"devices\":{\"configured\":4,\"with_login\":4,\"may_repair\":4,\"addresses_asked\":4,\"addresses_told\":1,"
				    "\"sites_asked\":4,\"sites_told\":1,\"sightings\":1,");
	has(page, "\"approved\":1,\"denied\":0,\"void\":0,");
	has(show(live_status_text), "  1 of 4 told their addresses; 1 of 4 SD-WAN routers their site\n");
}

static void test_what_syslog_tells_of_the_same_ends_is_one_incident(void **state)
{
	cleanup(live_pairs_done) struct live_pairs pairs = { 0 };
	const struct live_pair *found;
	int joined = 0;
	const struct fleet_incident *is = cleared_by_hand();
	struct spimend_address stranger = { 4, { 203, 0, 113, 9 } };
	struct syslog_counts counts = { 0 };
	int errors[SYSLOG_LISTENERS_MAX + SYSLOG_FILES_MAX] = { 0 };

	(void)state;
	for (int i = 0; i < 3; i++)
		claim(&is->src, &is->dst, 0x1db73bbb, i * MINUTE_NS - 3 * MINUTE_NS);
	claim(&is->src, &is->dst, 0x1db73bbc, -MINUTE_NS);             /* another SPI of the same ends */
	claim(&is->src, &is->dst, 0x1db73bbd, -2 * DAY_NS);            /* and another time */
	claim(&stranger, &is->dst, 0x2db73bbd, -MINUTE_NS);            /* another end */
	look();
	syslog_told.counts = &counts;
	syslog_told.listen_errors = syslog_told.file_errors = errors;
	view.fleet = &syslog_told;
	assert_int_equal(judge_incidents(judge), 4);
	assert_int_equal(live_pairs_new(w.fleet, w.config, &pairs), 0);
	for (size_t i = 0; i < 4; i++) {
		found = live_fleet_case_of(&syslog_told, &pairs, i);
		joined += found != NULL;
		assert_true(!found || strcmp(found->id, is->id) == 0);
	}
	assert_int_equal(joined, 2);
	has(show(live_incidents_text), "203.0.113.9 -> ");
	has(page, "\n3 incidents: ");
	has_not(page, "0x1db73bbb");
	has(show(live_incidents_json), "\"incidents\":3,");
	has(page, "\"syslog_joined\":2,");
	has(page, "\"spi\":\"0x1db73bbd\"");
	view.cases = NULL; /* nobody looks after the devices: it is all syslog's */
	has(show(live_incidents_text), "\n4 incidents: ");
	has(page, "0x1db73bbb");
}

/* Nobody looked again: that must not be hidden behind what healed before. */
static void test_what_syslog_tells_after_the_end_is_seen(void **state)
{
	struct spimend_address src, dst;
	struct syslog_counts counts = { 0 };
	int errors[SYSLOG_LISTENERS_MAX + SYSLOG_FILES_MAX] = { 0 };

	(void)state;
	src = cleared_by_hand()->src;
	dst = world_incident(&w)->dst;
	assert_true(world_approve(&w, world_incident(&w)));
	world_run(&w, 3 * MINUTE_NS);
	assert_int_equal(world_incident(&w)->state, STATE_HEALED);
	claim(&src, &dst, 0x1db73bbb, world_incident(&w)->ended.ns - world_now(&w).wall.ns);
	for (int turn = 0; turn < 2; turn++) {
		look();
		syslog_told.counts = &counts;
		syslog_told.listen_errors = syslog_told.file_errors = errors;
		view.fleet = &syslog_told;
		has(show(live_incidents_text), turn ? "\n2 incidents: " : "\n1 incident: ");
		claim(&src, &dst, 0x1db73bbb, 10 * MINUTE_NS);
	}
	has(page, "0x1db73bbb");
}

static void test_ids_may_be_cut_where_they_stay_unique(void **state)
{
	const struct fleet_incident *is = cleared_by_hand(), *found;
	char id[INCIDENT_ID_MAX];

	(void)state;
	snprintf(id, sizeof(id), "%.3s", is->id);
	assert_int_equal(live_case_find(w.fleet, id, &found), 0);
	assert_ptr_equal(found, is);
	assert_int_equal(live_case_find(w.fleet, "", &found), -ENOENT);
	assert_int_equal(live_case_find(w.fleet, "?", &found), -ENOENT);
	assert_int_equal(live_case_find(NULL, is->id, &found), -ENOENT);
}

#define LIVE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_what_waits_for_a_person_stands_on_top),
		LIVE_TEST(test_a_word_is_asked_for_no_longer_once_it_was_given),
		LIVE_TEST(test_what_syslog_tells_of_the_same_ends_is_one_incident),
		LIVE_TEST(test_what_syslog_tells_after_the_end_is_seen),
		LIVE_TEST(test_ids_may_be_cut_where_they_stay_unique),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
