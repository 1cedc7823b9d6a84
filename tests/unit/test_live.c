/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include "record/live.h"

static struct config config;
static struct core *core;
static struct live_view view;
static struct core_incident one;
static char page[1 << 20];

static const int64_t start_ns = INT64_C(1795345200) * SECOND_NS; /* 2026-11-22 11:00:00 UTC */

static int set_up(void **state)
{
	struct hash_key key = { 1, 2 };
	struct moment now = { .mono_ns = 1000 * SECOND_NS, .wall = { start_ns + 60 * SECOND_NS } };

	(void)state;
	config_default(&config);
	text_copy(TEXT("hub"), config.hostname, sizeof(config.hostname));
	config.mode = MODE_REPAIR;
	assert_int_equal(core_new(&config, &key, 1, now, &core), 0);
	view = (struct live_view){ .core = core, .config = &config, .now = now, .started = { start_ns }, .up_ns = 60 * SECOND_NS };
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	core_free(core);
	return 0;
}

/* A child that the daemon lost, mended 0.34 s after the first stray. */
static struct core_incident *healed(void)
{
	struct core_incident *i = &one;

	memset(i, 0, sizeof(*i));
	memcpy(i->id, "k3v9q2", 7);
	i->src = (struct spimend_address){ 4, { 198, 51, 100, 7 } };
	i->key = sa_key_of(&(struct spimend_address){ 4, { 192, 0, 2, 1 } }, 50, 0x0c37b2a1);
	memcpy(i->interface, "eth0", 5);
	memcpy(i->ike_name, "gw", 3);
	memcpy(i->child_name, "net", 4);
	i->has_connection = i->has_ledger = true;
	i->tunnel_kind = TUNNEL_STATIC_CRYPTO_MAP;
	i->verdict = VERDICT_DESYNC;
	i->rule = RULE_LEDGER_DEAD;
	i->cause = CAUSE_CHILD_MISSING;
	i->confidence = CONFIDENCE_LIKELY;
	i->state = STATE_HEALED;
	i->first_seen.ns = start_ns + SECOND_NS / 10;
	i->last_seen.ns = i->first_seen.ns + SECOND_NS * 3 / 10;
	i->decided.ns = i->last_seen.ns;
	i->healed.ns = i->first_seen.ns + SECOND_NS * 34 / 100;
	i->packets = 4;
	i->spis = i->sources = 1;
	i->sequence_first = 42;
	i->sequence_last = 45;
	i->sequence_known = 41;
	i->death = DEATH_DAEMON_LOST;
	i->born.ns = start_ns - HOUR_NS;
	i->died.ns = start_ns;
	i->rung = RUNG_INITIATE_CHILD;
	i->step_count = 1;
	i->steps[0] = (struct core_step){ .order = 77, .verb = ORDER_INITIATE, .rung = RUNG_INITIATE_CHILD, .at = i->decided,
					  .has_result = true,
					  .result = { .id = 77, .outcome = OUTCOME_DONE, .took_ns = 38000000, .text = "established" } };
	i->evidence_count = 2;
	i->evidence[0] = (struct core_evidence){ .at = i->first_seen, .kind = FACT_STRAY, .text = "4 packets on it in 300 ms" };
	i->evidence[1] = (struct core_evidence){ .at = i->healed, .kind = FACT_TUNNEL_UP,
						 .text = "3 packets came in on the successor, SPI 0xc0ffee01" };
	return i;
}

static struct core_incident *still_open(void)
{
	struct core_incident *i = healed();

	memcpy(i->id, "aaaaaa", 7);
	i->state = STATE_OPEN;
	i->healed.ns = 0;
	i->step_count = 0;
	i->evidence_count = 1;
	i->next.rung = RUNG_INITIATE_CHILD;
	i->next.refusal = REFUSE_MODE;
	i->next.first = ORDER_INITIATE;
	i->next.blast_children = 1;
	return i;
}

static void restore(const struct core_incident *i)
{
	core_restore_incident(core, i, view.now);
}

typedef void page_fn(const struct live_view *, struct buffer *);
typedef void incident_page_fn(const struct live_view *, const struct core_incident *, struct buffer *);

static const char *take(struct buffer *out)
{
	assert_int_equal(buffer_error(out), 0);
	assert_true(out->len < sizeof(page));
	text_copy(buffer_text(out), page, sizeof(page));
	assert_int_equal(strlen(page), out->len); /* no NUL */
	buffer_done(out);
	return page;
}

static const char *show(page_fn *print)
{
	struct buffer out = { 0 };

	print(&view, &out);
	return take(&out);
}

static const char *show_one(incident_page_fn *print, const struct core_incident *i)
{
	struct buffer out = { 0 };

	print(&view, i, &out);
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

static void test_a_healed_incident_reads_like_a_note(void **state)
{
	const char *note;

	(void)state;
	note = show_one(live_explain_text, healed());
	has(note, "k3v9q2  desync, healed after 340 ms\n");
	has(note, "hub got ESP packets from 198.51.100.7 for 192.0.2.1 with SPI 0x0c37b2a1, for which it had no SA");
	has(note, "the connection is gw/net");
	has(note, "installed 2026-11-22 10:00:00.000, gone");
	has(note, "2026-11-22 11:00:00.000 (daemon-lost)");
	has(note, "2026-11-22 11:00:00.100 4 packets on it in 300 ms");
	has(note, "Rule ledger-dead.");
	has(note, "(42 to 45)");
	has(note, "Likely child-missing:");
	has(note, "2026-11-22 11:00:00.400 initiate-child, initiate: done after 38 ms (established).");
	has(note, "Yes, since 2026-11-22 11:00:00.440: 3 packets came in on the successor");
	has(note, "The IKE SA and all its other children");
	has(note, "What to fix so that it does not come again");
	has(note, "Modes observe and advise would have sent nothing");
	has_not(note, "swanctl");
}

/* B12: the notes' answer for the kind, and what the ladder does. */
static void test_the_kind_is_told_with_both_answers(void **state)
{
	struct core_incident *i = healed();

	(void)state;
	config.invalid_spi_recovery = true;
	i->has_connection = true;
	has(show_one(live_explain_text, i), "What kind of tunnel it is\n  static-crypto-map. Policies alone");
	has(show_one(live_explain_text, i), "(B12)? Yes: ");
	has(show_one(live_explain_json, i), "\"receiver_may_start_ike\":\"yes\","
					    "\"over_ike\":{\"rung\":\"initiate-child\",\"refusal\":null},"
					    "\"without_ike\":{\"rung\":\"initiate-ike\",\"refusal\":null}}");
	config.invalid_spi_recovery = false;
	has(show_one(live_explain_text, i), "initiate-ike, planned only.");
	has(show_one(live_explain_json, i), "\"without_ike\":{\"rung\":\"initiate-ike\",\"refusal\":\"no-recovery\"}");
	i->tunnel_kind = TUNNEL_MGRE_NHRP_DYNAMIC;
	has(show_one(live_explain_text, i), "(B12)? No: the peer");
	has(show_one(live_explain_json, i), "\"receiver_may_start_ike\":\"no\","
					    "\"over_ike\":{\"rung\":\"initiate-child\",\"refusal\":null},"
					    "\"without_ike\":{\"rung\":null,\"refusal\":\"dynamic-peer\"}}");
	i->tunnel_kind = TUNNEL_EZVPN_CLIENT;
	has(show_one(live_explain_json, i), "\"receiver_may_start_ike\":\"not-applicable\",");
	i->is_aggregate = true;
	has_not(show_one(live_explain_text, i), "What kind of tunnel");
	has(show_one(live_explain_json, i), "\"kind\":null");
}

static void test_an_open_one_says_what_would_be_done_and_why_not(void **state)
{
	const char *note;

	(void)state;
	config.mode = MODE_ADVISE;
	note = show_one(live_explain_text, still_open());
	has(note, "aaaaaa  desync, open\n");
	has(note, "What was done\n  Nothing.\n");
	has(note, "Not yet: packets have been lost for 59.9 s.");
	has(note, "initiate-child: The gateway is not in mode repair");
	has(note, "1. at 192.0.2.1: swanctl --initiate --ike gw --child net (disturbs: that child only)");
	has(note, "Mode is advise. In mode repair this would be done: initiate-child.");
}

static void test_every_verdict_rule_state_and_cause_can_be_explained(void **state)
{
	(void)state;
	for (int rule = 0; rule < RULE_COUNT; rule++) {
		for (int s = STATE_OPEN; s <= STATE_CLOSED; s++) {
			struct core_incident *i = rule % 2 ? healed() : still_open();

			i->rule = (enum rule)rule;
			i->state = (enum incident_state)s;
			i->verdict = (enum verdict)((rule + s) % (VERDICT_OTHER_FAULT + 1));
			i->cause = (enum cause)((rule * 6 + s) % CAUSE_COUNT);
			i->is_suspicion = rule % 5 == 0;
			i->is_aggregate = rule % 7 == 0;
			i->next.refusal = (enum repair_refusal)((rule + s) % REFUSALS);
			i->next.rung = (enum repair_rung)((rule + 2 * s) % RUNGS);
			i->next.needs_person = s % 2;
			assert_true(strlen(show_one(live_explain_text, i)) > 200);
			assert_non_null(strstr(show_one(live_explain_json, i), "\"note\":["));
			assert_non_null(strchr(show_one(live_watch_text, i), '\n'));
		}
	}
}

static void test_names_that_a_shell_would_read_become_no_command(void **state)
{
	struct core_incident *i = still_open();

	(void)state;
	memcpy(i->child_name, "a;reboot", 9);
	has_not(show_one(live_explain_json, i), "swanctl");
	memcpy(i->child_name, "-x", 3);
	has_not(show_one(live_explain_json, i), "swanctl");
	memcpy(i->child_name, "a\x1b[31m", 7);
	has_not(show_one(live_explain_text, i), "\x1b");
	has_not(show_one(live_watch_text, i), "\x1b");
	memset(i->ike_name, 'n', sizeof(i->ike_name) - 1);
	memset(i->child_name, 'n', sizeof(i->child_name) - 1);
	has_not(show_one(live_explain_text, i), "swanctl"); /* too long for its place: not cut */
}

static void test_the_object_keeps_the_contract(void **state)
{
	const char *json;

	(void)state;
	json = show_one(live_watch_json, healed());
	has(json, "{\"schema\":\"spimend.incident/1\",\"id\":\"k3v9q2\",\"observer\":\"hub\",\"src\":\"198.51.100.7\",\"dst\":\"192.0.2.1\","
		  "\"proto\":\"esp\",\"spi\":\"0xc37b2a1\",\"encap\":null,\"interface\":\"eth0\",\"tunnel_kind\":\"static-crypto-map\","
		  "\"first_seen\":\"2026-11-22T11:00:00.100Z\"");
	has(json, "\"packets\":4,\"verdict\":\"desync\",\"rule\":\"ledger-dead\",\"cause\":\"child-missing\",\"confidence\":\"likely\"");
	has(json, "\"actions\":[{\"action\":1,\"at\":\"2026-11-22T11:00:00.400Z\",\"verb\":\"initiate\",\"rung\":\"initiate-child\","
		  "\"order\":77,\"outcome\":\"done\",\"took_ms\":38,\"text\":\"established\",\"answer\":null,\"peer_spi\":null}],\"state\":\"healed\"");
	has(json, "\"from\":\"spimendd\",\"kind\":\"live\",\"text\":\"4 packets on it in 300 ms\"");
	has(json, "\"plan\":[]");
	has(json, "\"healed\":\"2026-11-22T11:00:00.440Z\",\"outage_ms\":340");
	has(json, "\"ledger\":{\"born\":\"2026-11-22T10:00:00.000Z\",\"died\":\"2026-11-22T11:00:00.000Z\",\"death\":\"daemon-lost\"}");
	assert_ptr_equal(strchr(json, '\n'), json + strlen(json) - 1);
	json = show_one(live_watch_json, still_open());
	has(json, "\"plan\":[{\"step\":1,\"on\":\"192.0.2.1\",\"role\":\"receiver\",\"command\":\"swanctl --initiate --ike gw --child net\"");
	has(json, "\"actions\":[]");
	has(json, "\"next\":{\"rung\":\"initiate-child\",\"refusal\":\"mode\"");
}

static void test_incidents_come_by_time_and_end_with_their_count(void **state)
{
	const char *text, *first, *second;
	struct core_incident *i;

	(void)state;
	assert_string_equal(show(live_incidents_text), "0 incidents\n");
	assert_int_equal(live_exit_status(&view), 0);
	restore(healed());
	assert_int_equal(live_exit_status(&view), 0);
	i = still_open();
	i->first_seen.ns -= SECOND_NS;
	i->key.spi++;
	restore(i);
	text = show(live_incidents_json);
	first = strstr(text, "\"id\":\"aaaaaa\"");
	second = strstr(text, "\"id\":\"k3v9q2\"");
	assert_true(first && second && first < second);
	has(text, "\n{\"schema\":\"spimend.summary/1\",\"files\":0,\"files_failed\":0,\"lines\":0,\"bytes\":0,\"messages\":8,\"copies\":0,"
		  "\"evidence\":3,\"unparsed\":0,\"incidents\":2,\"faults\":1,");
	text = show(live_incidents_text);
	has(text, "\naaaaaa open       desync      child-missing          2026-11-22 10:59:59 60.9 s");
	has(text, "\nk3v9q2 healed     desync      child-missing          2026-11-22 11:00:00 340 ms      gw/net           "
		  "198.51.100.7 -> 192.0.2.1 ESP 0x0c37b2a1\n");
	has(text, "\n2 incidents: 1 open, 1 healed; 1 fault that loses packets now\n");
	assert_int_equal(live_exit_status(&view), 1);
	assert_int_equal(live_exit_status_of(&view, healed()), 0);
	assert_int_equal(live_exit_status_of(&view, still_open()), 1);
}

static void test_what_was_given_up_counts_while_it_goes_on(void **state)
{
	struct core_incident *i = still_open();

	(void)state;
	i->state = STATE_GAVE_UP;
	assert_int_equal(live_exit_status_of(&view, i), 1);
	i->last_seen.ns -= config.close_ns + MINUTE_NS;
	assert_int_equal(live_exit_status_of(&view, i), 0);
	i->state = STATE_UNVERIFIED;
	assert_int_equal(live_exit_status_of(&view, i), 0);
	i->state = STATE_OPEN;
	i->verdict = VERDICT_NOISE;
	assert_int_equal(live_exit_status_of(&view, i), 0);
}

static void test_status_tells_of_the_plugin(void **state)
{
	struct daemon_state daemon = { .up = true, .version = "5.9.8" };
	struct plugin_state plugin = { .error = -111 }, reports = { 0 };
	const char *text;

	(void)state;
	config.daemon_count = 1;
	memcpy(config.daemons[0], "/run/charon.vici", 17);
	core_daemon(core, &daemon, view.now);
	assert_null(strstr(show(live_status_text), "plugin"));
	has(show(live_status_json), "\"plugin\":null");
	memcpy(config.plugins[0], "/run/spimend-charon.sock", 25);
	core_plugin(core, &plugin, view.now);
	text = show(live_status_text);
	has(text, "plugin at /run/spimend-charon.sock: NOT THERE: Connection refused; everything works without it");
	has(text, "TROUBLE    the plugin at /run/spimend-charon.sock is not there, Connection refused");
	plugin = (struct plugin_state){ .up = true, .version = "5.9.8" };
	core_plugin(core, &plugin, view.now);
	has(show(live_status_text), "sends no reports");
	reports = (struct plugin_state){ .up = true, .reports = 7, .lost = 3 };
	core_plugin_reports(core, &reports, view.now);
	text = show(live_status_text);
	has(text, "up, version 5.9.8; 7 reports, 3 lost\n");
	assert_null(strstr(text, "TROUBLE    the plugin"));
	has(show(live_status_json), "\"plugin\":{\"socket\":\"/run/spimend-charon.sock\",\"up\":true,\"version\":\"5.9.8\","
				    "\"crash_detection\":false,\"reports_up\":true,\"reports\":7,\"reports_lost\":3,\"malformed\":0}");
}

static void test_the_exact_delete_is_explained(void **state)
{
	struct core_incident i = *still_open();
	const char *text;

	(void)state;
	i.next = (struct repair_decision){ .rung = RUNG_DELETE_SPI, .refusal = REFUSE_MODE, .first = ORDER_DELETE_SPI, .ike_id = 3,
					   .blast_children = 1 };
	has(show_one(live_explain_text, &i), "(disturbs: that one SA at the peer");
	text = show_one(live_watch_json, &i);
	has(text, "\"rung\":\"delete-spi\"");
	has(text, "\"blast_radius\":\"that one SA at the peer, which is dead here; nothing where it has none\"");
	i.steps[0] = (struct core_step){ .order = 9, .verb = ORDER_DELETE_SPI, .rung = RUNG_DELETE_SPI, .at = i.first_seen,
					 .has_result = true,
					 .result = { .id = 9, .outcome = OUTCOME_DONE, .has_answer = true, .answer = PLUGIN_PEER_OWNED,
						     .has_peer_spi = true, .peer_spi = 0xdeadbeef, .text = "peer-owned" } };
	i.step_count = 1;
	text = show_one(live_watch_json, &i);
	has(text, "\"verb\":\"delete-spi\",\"rung\":\"delete-spi\",\"order\":9,\"outcome\":\"done\"");
	has(text, "\"text\":\"peer-owned\",\"answer\":\"peer-owned\",\"peer_spi\":\"0xdeadbeef\"");
}

static void test_status_shows_daemons_tunnels_and_troubles(void **state)
{
	struct daemon_state daemon = { .up = true, .has_boot = true, .boot = { start_ns - HOUR_NS }, .version = "5.9.8" };
	struct child_sa child = { .ike_id = 3, .id = 9, .ike = "gw", .child = "net", .state = CHILD_INSTALLED, .protocol = 50,
				  .has_spi_in = true, .has_spi_out = true, .has_counters = true, .has_use_in = true, .spi_in = 0xc0ffee01,
				  .spi_out = 0xdeadbeef, .packets_in = 12, .packets_out = 34, .use_in_s = 2 };
	struct ike_sa ike = { .id = 3, .name = "gw", .version = 2, .state = IKE_ESTABLISHED };
	struct store_figures store = { .trouble = -28, .trouble_text = "database or disk is full", .pending_ledger = 5 };
	const char *text;

	(void)state;
	text = show(live_status_text);
	has(text, "spimendd " SPIMEND_VERSION " on hub: mode repair, up 60 s\n");
	has(text, "none is configured: nothing can be repaired");
	has(text, "NONE: ledger and incidents do not survive a restart");
	config.daemon_count = 1;
	memcpy(config.daemons[0], "/run/charon.vici", 17);
	child.local = (struct spimend_address){ 4, { 192, 0, 2, 1 } };
	child.remote = ike.remote = (struct spimend_address){ 4, { 198, 51, 100, 7 } };
	ike.local = child.local;
	core_daemon(core, &daemon, view.now);
	core_snapshot_begin(core, 0, 0, view.now);
	core_snapshot_ike(core, &ike);
	core_snapshot_child(core, &child);
	core_snapshot_end(core, 0, true, view.now);
	view.store = &store;
	view.notes[0] = "The role act is down since 3 s.";
	view.note_count = 1;
	restore(still_open());
	text = show(live_status_text);
	has(text, "/run/charon.vici: up, version 5.9.8, since 2026-11-22 10:00:00; 1 IKE SA, 1 child, 0 configured");
	has(text, "CANNOT BE WRITTEN: ");
	has(text, "database or disk is full); 5 entries and 0 incidents wait in memory");
	has(text, "TROUBLE    The role act is down since 3 s.");
	has(text, "  aaaaaa desync, open: 198.51.100.7 -> 192.0.2.1 ESP 0x0c37b2a1, child-missing, for 59.9 s");
	has(text, "gw/net               198.51.100.7    installed 0xc0ffee01 0xdeadbeef 12/34           2 s");
	text = show(live_status_json);
	has(text, "{\"schema\":\"spimend.status/1\"");
	has(text, "\"exit_status\":1");
	has(text, "\"connection\":\"gw\",\"child\":\"net\"");
	has(text, "\"spi_in\":\"0xc0ffee01\"");
	has(text, "\"troubles\":[\"The role act is down since 3 s.\",\"the store cannot be written: ");
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

static void test_status_says_what_the_daemon_cannot_hear(void **state)
{
	struct daemon_state daemon = { .up = true, .version = "5.9.8" };
	struct child_sa child = { .ike_id = 3, .id = 9, .ike = "gw", .child = "net", .state = CHILD_INSTALLED, .protocol = 50 };
	struct store_figures store = { .flushes = 1 };
	struct live_sensors sensors = { .interface_count = 2, .interfaces = { { "eth0", 0 }, { "eth1", -100 /* ENETDOWN */ } } };
	const char *text;

	(void)state;
	view.store = &store;
	view.sensors = &sensors;
	config.interface_count = config.daemon_count = 1;
	memcpy(config.interfaces[0].name, "eth0", 5);
	memcpy(config.daemons[0], "/run/charon.vici", 17);
	core_daemon(core, &daemon, view.now);
	core_snapshot_begin(core, 0, 0, view.now);
	core_snapshot_child(core, &child);
	core_snapshot_end(core, 0, true, view.now);
	text = show(live_status_text);
	has_not(text, "TROUBLE");
	has_not(text, "of before");
	has(show(live_status_json), "\"stale\":false");
	assert_int_equal(live_exit_status_of_all(&view), 0);

	daemon.up = false;
	core_daemon(core, &daemon, view.now);
	config.daemon_count = 2;
	memcpy(config.daemons[1], "/run/other.vici", 16);
	config.interface_count = 4;
	memcpy(config.interfaces[1].name, "eth1", 5);
	memcpy(config.interfaces[2].name, "eth7", 5);
	memcpy(config.interfaces[3].name, "eth8", 5);
	sensors.interface_count = 3;
	memcpy(sensors.interfaces[2].name, "eth7", 5);
	sensors.interfaces[2].error = -19; /* ENODEV */
	sensors.lacks[LIVE_KERNEL] = sensors.lacks[LIVE_AUDIT] = -93; /* EPROTONOSUPPORT */
	config.sense_audit = true;
	view.limit_hit_ns[LIVE_LIMIT_INCIDENTS] = view.now.mono_ns - 60 * SECOND_NS;
	view.limit_hit_ns[LIVE_LIMIT_FLOWS] = view.now.mono_ns - 900 * SECOND_NS; /* long past */
	text = show(live_status_text);
	has(text, "TROUBLE    the IKE daemon at /run/charon.vici does not answer since 2026-11-22 11:01:00 UTC");
	has(text, "TROUBLE    the IKE daemon at /run/other.vici never answered");
	has(text, "TROUBLE    interface eth1 is down");
	has(text, "TROUBLE    interface eth7 is not there");
	has(text, "TROUBLE    interface eth8 is not heard yet");
	has_not(text, "interface eth0");
	has(text, "TROUBLE    'sense audit' is configured and there are no audit records: ");
	has(text, "TROUBLE    'sense xfrm' is configured and the kernel's SAs cannot be read: ");
	has(text, "TROUBLE    more incidents are open than");
	has_not(text, "more flows");
	has(text, "/run/charon.vici: DOWN since 2026-11-22 11:01:00\n");
	has(text, "no IKE SA, of before\n");
	has(text, "as its IKE daemon listed it last");
	text = show(live_status_json);
	has(text, "\"exit_status\":1");
	has(text, "\"down_since\":\"2026-11-22T11:01:00.000Z\"");
	has(text, "\"interface eth7 is not there");
	has(text, "\"stale\":true");
	assert_int_equal(live_exit_status_of_all(&view), 1);
	assert_int_equal(live_exit_status(&view), 0); /* no incident: `spimend incidents` */
	sensors.lacks[LIVE_PACKETS] = -1;
	text = show(live_status_text);
	has(text, "the packet sensor cannot be loaded");
	has_not(text, "interface eth7");
}

static void test_an_incident_is_found_by_the_beginning_of_its_id(void **state)
{
	const struct core_incident *found = NULL;
	struct core_incident *i;

	(void)state;
	restore(still_open()); /* aaaaaa */
	i = healed();
	memcpy(i->id, "aab7c8", 7);
	i->key.spi++;
	restore(i);
	assert_int_equal(live_find_incident(core, "aab7c8", &found), 0);
	assert_string_equal(found->id, "aab7c8");
	assert_int_equal(live_find_incident(core, "aaa", &found), 0);
	assert_string_equal(found->id, "aaaaaa");
	assert_int_equal(live_find_incident(core, "aa", &found), -76); /* ENOTUNIQ */
	assert_int_equal(live_find_incident(core, "ab", &found), -2);
	assert_int_equal(live_find_incident(core, "", &found), -2);
	assert_int_equal(live_find_incident(core, "aaaaaaa", &found), -2);
	assert_string_equal(found->id, "aaaaaa");
}

static void test_a_watcher_reads_one_line_a_change(void **state)
{
	uint64_t mark;

	(void)state;
	assert_string_equal(show_one(live_watch_text, healed()),
			    "2026-11-22 11:01:00.000 k3v9q2 desync healed: 198.51.100.7 -> 192.0.2.1 ESP 0x0c37b2a1, gw/net, child-missing "
			    "(likely); healed after 340 ms\n");
	one.state = STATE_ACTING;
	one.steps[0].has_result = false;
	has(show_one(live_watch_text, &one), "; initiate: ordered, no answer yet\n");
	has(show_one(live_watch_text, still_open()), "; planned is initiate-child (mode), 4 packets lost\n");
	healed(); /* and while only counts move there is no change */
	one.steps[0].has_result = false;
	mark = live_watch_mark(&one);
	one.packets++;
	one.replays++;
	one.last_seen.ns++;
	one.sequence_last++;
	assert_true(live_watch_mark(&one) == mark);
	one.steps[0].has_result = true;
	assert_true(live_watch_mark(&one) != mark);
	mark = live_watch_mark(&one);
	one.next.refusal = REFUSE_BUSY;
	assert_true(live_watch_mark(&one) != mark);
	mark = live_watch_mark(&one);
	one.cause = CAUSE_UNKNOWN;
	assert_true(live_watch_mark(&one) != mark);
}

#define LIVE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_a_healed_incident_reads_like_a_note),
		LIVE_TEST(test_the_kind_is_told_with_both_answers),
		LIVE_TEST(test_an_open_one_says_what_would_be_done_and_why_not),
		LIVE_TEST(test_every_verdict_rule_state_and_cause_can_be_explained),
		LIVE_TEST(test_names_that_a_shell_would_read_become_no_command),
		LIVE_TEST(test_the_object_keeps_the_contract),
		LIVE_TEST(test_incidents_come_by_time_and_end_with_their_count),
		LIVE_TEST(test_what_was_given_up_counts_while_it_goes_on),
		LIVE_TEST(test_status_shows_daemons_tunnels_and_troubles),
		LIVE_TEST(test_status_tells_of_the_plugin),
		LIVE_TEST(test_the_exact_delete_is_explained),
		LIVE_TEST(test_status_says_what_the_daemon_cannot_hear),
		LIVE_TEST(test_an_incident_is_found_by_the_beginning_of_its_id),
		LIVE_TEST(test_a_watcher_reads_one_line_a_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
