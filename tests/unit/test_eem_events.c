/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include "eem_case.h"
#include "spimend/error.h"

#define ROUTE " action 1 puts \"fired\"\n"
#define FIRED "%HA_EM-6-LOG: a: fired\n"

/* --- syslog ------------------------------------------------------------------------------------------------------ */

static void test_occurs_within_a_period(void **state)
{
	(void)state;
	start("event manager applet a\n event syslog pattern \"X-1-Y\" occurs 3 period 10\n" ROUTE);
	message("%X-1-Y: 1");
	pass(6);
	message("%X-1-Y: 2");
	pass(6);
	message("%X-1-Y: 3"); /* the first is 12 s ago */
	assert_said("");
	pass(3);
	message("%X-1-Y: 4");
	assert_said(FIRED);
	message("%X-1-Y: 5"); /* counting starts again */
	message("%X-1-Y: 6");
	assert_said("");
	message("%X-1-Y: 7");
	assert_said(FIRED);
}

static void test_occurs_without_a_period(void **state)
{
	(void)state;
	start("event manager applet a\n event syslog pattern \"X-1-Y\" occurs 2\n" ROUTE);
	message("%X-1-Y: 1");
	pass(100000);
	assert_said("");
	message("%X-1-Y: 2");
	assert_said(FIRED);
}

static void test_priority_and_ratelimit(void **state)
{
	(void)state;
	start("event manager applet a\n event syslog pattern \"-Y\" priority errors ratelimit 60\n" ROUTE);
	message("%X-4-Y: z");
	message("no mnemonic-Y");
	assert_said("");
	message("%X-3-Y: z");
	assert_said(FIRED);
	pass(59);
	message("%X-0-Y: z");
	assert_said("");
	assert_int_equal(eem_figures(eem).limited, 1);
	pass(1);
	message("%X-0-Y: z");
	assert_said(FIRED);
}

static void test_an_applet_never_starts_itself(void **state)
{
	(void)state;
	start("event manager applet a\n event syslog pattern \"HA_EM|X-1-Y\"\n" ROUTE
	      "event manager applet b\n event syslog pattern \"a: fired\"\n action 1 syslog msg \"b saw it\"\n");
	message("%X-1-Y: z");
	assert_said(FIRED);
	message("Mar 1 00:00:00: %HA_EM-6-LOG: a: fired"); /* as the log brings it back */
	assert_said("%HA_EM-6-LOG: b: b saw it\n");
	message("%HA_EM-6-LOG: b: b saw it"); /* a would be started by what it started */
	assert_said("");
	assert_int_equal(eem_figures(eem).own, 2);
	message("%HA_EM-6-LOG: somebody else: hello");
	assert_said(FIRED);
}

static void test_what_starts_itself_by_what_it_does_is_slowed_down(void **state)
{
	(void)state;
	start("event manager applet a\n event syslog pattern \"X-1-Y\"\n" ROUTE);
	for (unsigned i = 0; i < 200; i++)
		message("%X-1-Y: z");
	said();
	assert_int_equal(eem_figures(eem).runs, 120);
	assert_int_equal(eem_figures(eem).limited, 80);
	assert_non_null(strstr(shown, "was started 120 times within a minute"));
	pass(61);
	message("%X-1-Y: z");
	assert_said(FIRED);
}

/* --- Devices ----------------------------------------------------------------------------------------------------- */

static void test_other_devices_only_where_they_are_named(void **state)
{
	(void)state;
	start("event manager applet a\n event syslog pattern \"X-1-Y\"\n" ROUTE);
	message_of("r1", "%X-1-Y: z");
	assert_said("");
	assert_int_equal(eem_figures(eem).foreign, 1);
	start("event manager applet a\n spimend device r1\n spimend device r2 ratelimit 5\n event syslog pattern \"X-1-Y\"\n"
	      " action 1 cli command \"show x\"\n");
	message("%X-1-Y: z");
	message_of("r3", "%X-1-Y: z");
	assert_said("");
	message_of("r1", "%X-1-Y: z");
	assert_said("r1: command: show x\n"); /* its commands run there */
	message_of("r2", "%X-1-Y: z");
	assert_said("r2: command: show x\n");
	pass(5);
	said();
	message_of("r1", "%X-1-Y: z"); /* a minute has not passed */
	message_of("r2", "%X-1-Y: z");
	assert_said("r2: command: show x\n");
	pass(55);
	said();
	message_of("r1", "%X-1-Y: z");
	assert_said("r1: command: show x\n");
}

static void test_timers_run_on_each_device(void **state)
{
	(void)state;
	start("event manager applet a\n spimend device r1\n spimend device local\n event timer countdown time 5\n action 1 cli command \"show x\"\n");
	pass(6);
	assert_said("r1: command: show x\ncommand: show x\n");
}

/* --- Several events ---------------------------------------------------------------------------------------------- */

#define PAIR "event manager applet a\n event tag x syslog pattern \"X-1-A\"\n event tag y syslog pattern \"X-1-B\"\n"

static void test_correlate_and(void **state)
{
	(void)state;
	start(PAIR " trigger\n  correlate event x and event y\n" ROUTE);
	message("%X-1-A: z");
	pass(179);
	message("%X-1-B: z");
	assert_said(FIRED);
	message("%X-1-B: z"); /* both start again */
	assert_said("");
	pass(181); /* the window is three minutes */
	message("%X-1-A: z");
	assert_said("");
}

static void test_correlate_with_a_period_and_attributes(void **state)
{
	(void)state;
	start(PAIR " trigger period 10\n  correlate event x and event y\n  attribute tag x occurs 2\n" ROUTE);
	message("%X-1-A: z");
	message("%X-1-B: z");
	assert_said("");
	pass(8);
	message("%X-1-A: z");
	assert_said(FIRED);
	message("%X-1-A: z");
	pass(6);
	message("%X-1-A: z");
	pass(6);
	message("%X-1-B: z"); /* x twice within 10 s is no more */
	assert_said("");
}

static void test_correlate_or_andnot_and_delay(void **state)
{
	(void)state;
	start(PAIR " trigger delay 3\n  correlate event x or event y\n" ROUTE);
	message("%X-1-B: z");
	pass(2.9);
	assert_said("");
	pass(0.2);
	assert_said(FIRED);
	start(PAIR " trigger\n  correlate event x andnot event y\n" ROUTE);
	message("%X-1-B: z");
	message("%X-1-A: z");
	assert_said("");
	pass(200);
	message("%X-1-A: z");
	assert_said(FIRED);
	start(PAIR " trigger occurs 2\n  correlate event x or event y\n" ROUTE);
	message("%X-1-B: z");
	assert_said("");
	message("%X-1-A: z");
	assert_said(FIRED);
}

static void test_a_period_that_cron_starts(void **state)
{
	(void)state;
	start(PAIR " trigger period 600 period-start \"30 18 * * *\"\n  correlate event x or event y\n" ROUTE);
	message("%X-1-A: z"); /* 18:22 */
	assert_said("");
	pass(9 * 60);
	message("%X-1-A: z"); /* 18:31 */
	assert_said(FIRED);
	pass(10 * 60);
	message("%X-1-A: z"); /* 18:41 */
	assert_said("");
}

/* --- Timers ------------------------------------------------------------------------------------------------------ */

static void test_countdown_and_watchdog(void **state)
{
	(void)state;
	start("event manager applet a\n event timer countdown time 5\n" ROUTE);
	pass(4.9);
	assert_said("");
	pass(0.1);
	assert_said(FIRED);
	pass(100);
	assert_said("");
	start("event manager applet a\n event timer watchdog time 10\n" ROUTE);
	pass(35);
	assert_said(FIRED FIRED FIRED);
}

static void test_absolute_time(void **state)
{
	(void)state;
	start("event manager applet a\n event timer absolute time 1773339800\n" ROUTE
	      "event manager applet b\n event timer absolute time 1773339000\n action 1 puts \"past\"\n");
	pass(69);
	assert_said("");
	pass(1);
	assert_said(FIRED);
	pass(1000);
	assert_said("");
}

static void test_cron_over_midnight(void **state)
{
	(void)state;
	start("event manager applet a\n event timer cron cron-entry \"0 0 * * *\"\n" ROUTE
	      "event manager applet b\n event timer cron cron-entry \"@reboot\"\n action 1 puts \"boot\"\n");
	pass(5 * 3600);
	assert_said("");
	pass(3600);
	assert_said(FIRED);
	pass(24 * 3600);
	assert_said(FIRED);
	settings.after_boot = true;
	start("event manager applet b\n event timer cron cron-entry \"@reboot\"\n action 1 puts \"boot\"\n");
	assert_said("%HA_EM-6-LOG: b: boot\n");
	assert_int_equal(eem_reconfigure(eem, policies, now), 0);
	assert_said("");
	memset(&settings, 0, sizeof(settings));
}

/* Central Europe: UTC+1, and UTC+2 from the last Sunday of March, 01:00 UTC, to the last of October. */
static struct civil berlin(void *context, struct instant at)
{
	static const int64_t march = INT64_C(1774746000) * SECOND_NS, october = INT64_C(1792890000) * SECOND_NS; /* of 2026 */
	bool summer = at.ns >= march && at.ns < october;
	struct civil c;

	(void)context;
	at.ns += (summer ? 2 : 1) * HOUR_NS;
	c = calendar_from_instant(at);
	c.offset_minutes = summer ? 120 : 60;
	return c;
}

/* How often it fires in the six hours from `utc_s` on. */
static unsigned fires_from(const char *entry, int64_t utc_s)
{
	char text[256];
	unsigned count = 0;

	eem_settings_default(&settings);
	settings.calendar.local = berlin;
	settings.policy_runs_per_minute = 100000;
	snprintf(text, sizeof(text), "event manager applet a\n event timer cron cron-entry \"%s\"\n" ROUTE, entry);
	start(text);
	now.wall.ns = utc_s * SECOND_NS;
	pass(1);
	said();
	for (unsigned minute = 0; minute < 360; minute++) {
		pass(60);
		for (const char *at = said(); (at = strstr(at, "fired")); at++)
			count++;
	}
	memset(&settings, 0, sizeof(settings));
	return count;
}

static void test_cron_when_the_clocks_change(void **state)
{
	(void)state;
	/* 29 March 2026: 02:00 becomes 03:00. What stands at 02:30 runs all the same, once */
	assert_int_equal(fires_from("30 2 * * *", 1774742400), 1);
	assert_int_equal(fires_from("30 4 * * *", 1774742400), 1);
	assert_int_equal(fires_from("*/30 * * * *", 1774742400), 12);
	/* 25 October 2026: 03:00 becomes 02:00. What stands at 02:30 does not run twice; what counts by the clock does */
	assert_int_equal(fires_from("30 2 * * *", 1792879200), 1);
	assert_int_equal(fires_from("*/30 * * * *", 1792879200), 12);
	assert_int_equal(fires_from("15 * * * *", 1792879200), 6);
}

static void test_cron_when_the_clock_is_set(void **state)
{
	(void)state;
	start("event manager applet a\n event timer cron cron-entry \"0 19 * * *\"\n" ROUTE);
	pass(60);
	now.wall.ns += 86400 * SECOND_NS; /* a day ahead: nothing is made up for */
	pass(60);
	assert_said("");
	now.wall.ns += 36 * 60 * SECOND_NS; /* over 19:00 */
	pass(60);
	assert_said(FIRED);
	now.wall.ns -= 30 * 60 * SECOND_NS; /* back by half an hour: not again */
	pass(3600);
	assert_said("");
}

/* --- cli, none --------------------------------------------------------------------------------------------------- */

static enum eem_cli_answer type(const char *command, uint64_t token)
{
	struct eem_typed t = { .command = text_of(command), .username = TEXT("admin"), .token = token, .terminal = 7, .mode = TEXT("exec") };

	return eem_cli(eem, &t, now);
}

static void test_commands_that_wait_for_their_applet(void **state)
{
	(void)state;
	start("event manager applet a\n event cli pattern \"^clear\" sync yes\n action 1 puts \"$_cli_msg by $_cli_username\"\n"
	      " action 2 cli command \"show x\"\n action 3 set _exit_status 1\n"
	      "event manager applet b\n event cli pattern \"^debug\" sync yes\n action 1 puts \"no\"\n"
	      "event manager applet c\n event cli pattern \"^show run\" sync no skip yes\n action 1 puts \"hidden\"\n");
	assert_int_equal(type("show version", 1), EEM_CLI_RUN);
	assert_int_equal(type("clear crypto sa", 2), EEM_CLI_HOLD);
	assert_said("puts: clear crypto sa by admin\ncommand: show x\n");
	answer("x");
	assert_said("verdict 2 run\nclose\n");
	assert_int_equal(type("debug all", 3), EEM_CLI_HOLD);
	assert_said("puts: no\nverdict 3 skip\nclose\n"); /* nothing set _exit_status */
	assert_int_equal(type("show run", 4), EEM_CLI_SKIP);
	assert_said("%HA_EM-6-LOG: c: hidden\n"); /* beside the command: nobody waits for it */
	assert_int_equal(type("clear crypto sa", 5), EEM_CLI_HOLD);
	said();
	pass(31); /* the applet does not come to an end: the command runs */
	said();
	assert_non_null(strstr(shown, "verdict 5 run"));
}

static void test_a_command_of_its_own_does_not_start_it(void **state)
{
	struct eem_typed t = { .command = TEXT("clear x"), .token = 9 };

	(void)state;
	start("event manager applet a\n event cli pattern \"^clear\" sync no skip no\n action 1 cli command \"clear y\"\n");
	type("clear x", 1);
	assert_said("command: clear y\n");
	t.run = 1;
	assert_int_equal(eem_cli(eem, &t, now), EEM_CLI_RUN);
	assert_said("");
	assert_int_equal(eem_figures(eem).own, 1);
}

static void test_run_by_name(void **state)
{
	struct text arguments[2] = { TEXT("192.0.2.1"), TEXT("two") };
	uint64_t run;

	(void)state;
	start("event manager applet a\n event none\n action 1 puts \"$_none_argc $_none_arg2\"\n action 2 cli command \"ping $_none_arg1\"\n"
	      " action 3 gets line\n action 4 puts \"got $line\"\n"
	      "event manager applet b\n event syslog pattern \"X\"\n");
	assert_int_equal(eem_run(eem, TEXT("c"), NULL, 0, 0, now, NULL), -ENOENT);
	assert_int_equal(eem_run(eem, TEXT("b"), NULL, 0, 0, now, NULL), -EINVAL);
	assert_int_equal(eem_run(eem, TEXT("a"), arguments, 99, 0, now, NULL), SPIMEND_E_LIMIT);
	assert_int_equal(eem_run(eem, TEXT("a"), arguments, 2, 5, now, &run), 1); /* terminal 5 waits for it */
	assert_said("puts: 2 two\ncommand: ping 192.0.2.1 [address 192.0.2.1]\n");
	answer("!!!!!");
	assert_said("gets\n");
	answer("hello");
	assert_said("puts: got hello\nclose\n");
	assert_int_equal(eem_run(eem, TEXT("a"), arguments, 2, 5, now, &run), 1);
	said();
	answer("!!!!!");
	said();
	eem_hangup(eem, 5, now);
	assert_said("notice: applet a: the terminal it read from is gone\nclose\n");
}

/* --- track, counter, snmp, neighbours, other applets ------------------------------------------------------------- */

static void test_track_objects(void **state)
{
	(void)state;
	start("event manager applet a\n event track 3 state down\n action 1 track read 3\n action 2 puts \"$_track_number $_track_state\"\n"
	      " action 3 track set 4 state up\n");
	eem_track(eem, 3, false, now); /* the first word is no change */
	eem_track(eem, 3, true, now);
	assert_said("");
	eem_track(eem, 3, false, now);
	assert_said("%HA_EM-6-LOG: a: 3 down\ntrack 4 up\n");
	eem_track(eem, 3, false, now);
	eem_track(eem, 5, false, now);
	assert_said("");
}

static void test_correlate_asks_how_a_track_object_is(void **state)
{
	(void)state;
	start(PAIR " trigger\n  correlate event x and track 3 andnot track 4\n" ROUTE);
	message("%X-1-A: 1"); /* nothing is known of 3 */
	eem_track(eem, 3, false, now);
	eem_track(eem, 4, false, now);
	message("%X-1-A: 2");
	said();
	eem_track(eem, 3, true, now);
	assert_said(""); /* it starts nothing by itself */
	message("%X-1-A: 3");
	assert_said(FIRED);
	eem_track(eem, 4, true, now);
	message("%X-1-A: 4");
	assert_said("");
	eem_track(eem, 4, false, now);
	eem_no_track(eem, 3);
	message("%X-1-A: 5");
	assert_said("");
}

static void test_counters_and_applets_that_start_others(void **state)
{
	(void)state;
	start("event manager applet a\n event counter name c entry-op ge entry-val 2 exit-op eq exit-val 0\n action 1 puts \"$_counter_name $_counter_value\"\n"
	      "event manager applet b\n event none\n action 1 counter name c op inc value 1\n"
	      "event manager applet c\n event none\n action 1 policy b\n action 2 policy c\n"
	      "event manager applet d\n event none\n action 1 publish-event sub-system 798 type 3 arg1 \"hello\"\n"
	      "event manager applet e\n event application sub-system 798 type 3\n action 1 puts \"$_application_data1\"\n");
	run_applet("b", NULL);
	assert_said("");
	run_applet("c", NULL); /* starts b, and not itself */
	assert_said("%HA_EM-6-LOG: a: c 2\n");
	assert_int_equal(eem_figures(eem).own, 1);
	run_applet("b", NULL);
	assert_said(""); /* not before it was 0 */
	eem_counter(eem, TEXT("c"), 0, now);
	eem_counter(eem, TEXT("c"), 9, now);
	assert_said("%HA_EM-6-LOG: a: c 9\n");
	run_applet("d", NULL);
	assert_said("%HA_EM-6-LOG: e: hello\n");
}

static void test_objects_are_polled(void **state)
{
	(void)state;
	start("event manager applet a\n event snmp oid 1.3.6.1.2.1.1.3.0 get-type exact entry-op gt entry-val 10 exit-op lt exit-val 5 poll-interval 30\n"
	      " action 1 puts \"$_snmp_oid_val\"\n");
	static const struct {
		const char *value, *said;
	} polls[] = { { "10", "" }, { "11", "%HA_EM-6-LOG: a: 11\n" }, { "20", "" }, { "4", "" }, { "12", "%HA_EM-6-LOG: a: 12\n" } };

	for (size_t i = 0; i < sizeof(polls) / sizeof(polls[0]); i++) {
		pass(30);
		assert_said("poll 1.3.6.1.2.1.1.3.0\n");
		eem_snmp_value(eem, asked, true, TEXT("1.3.6.1.2.1.1.3.0"), text_of(polls[i].value), now);
		assert_said(polls[i].said);
	}
	pass(30);
	said();
	eem_snmp_value(eem, asked, false, TEXT_NONE, TEXT_NONE, now);
	assert_said("");
}

static void test_neighbours(void **state)
{
	struct neighbor n = { .interface = "eth0", .name = "sw | reload", .port = "ge-0/0/1", .enabled = 0x14, .ttl = 120 };

	(void)state;
	start("event manager applet a\n event neighbor-discovery interface regexp eth.* lldp add\n"
	      " action 1 cli command \"show interface $_nd_local_intf_name\"\n action 2 puts \"$_nd_lldp_system_name\"\n");
	eem_neighbor(eem, NEIGHBOR_ADD, &n, now);
	assert_said("command: show interface eth0 [interface eth0]\n");
	answer("x");
	assert_said("%HA_EM-6-LOG: a: sw | reload\nclose\n");
	eem_neighbor(eem, NEIGHBOR_DELETE, &n, now);
	n.is_cdp = true;
	eem_neighbor(eem, NEIGHBOR_ADD, &n, now);
	strcpy(n.interface, "wan0");
	n.is_cdp = false;
	eem_neighbor(eem, NEIGHBOR_ADD, &n, now);
	assert_said("");
}

static void test_what_a_neighbour_says(void **state)
{
	struct neighbor n = { .interface = "eth0", .name = "sw1", .port = "Gi0/1", .platform = "box", .enabled = 0x14, .capabilities = 0x14,
			      .ttl = 120, .chassis = "0011.2233.4455", .has_management = true,
			      .management = { .family = 4, .bytes = { 192, 0, 2, 1 } } };

	(void)state;
	start("event manager applet l\n event neighbor-discovery interface eth0 lldp update\n"
	      " action 1 puts \"$_nd_protocol $_nd_notification $_nd_proto_new_entry $_nd_lldp_chassis_id $_nd_port_id $_nd_lldp_ttl "
	      "$_nd_lldp_enabled_capabilities_string $_nd_lldp_enabled_capabilities_bits $_nd_lldp_capabilities_bit_2 "
	      "$_nd_lldp_capabilities_bit_3 $_nd_lldp_management_address\"\n"
	      "event manager applet c\n event neighbor-discovery interface eth0 cdp delete\n"
	      " action 1 puts \"$_nd_protocol $_nd_notification $_nd_cdp_entry_name $_nd_cdp_platform $_nd_cdp_capabilities_string\"\n");
	eem_neighbor(eem, NEIGHBOR_ADD, &n, now);
	assert_said("%HA_EM-6-LOG: l: lldp add 1 0011.2233.4455 Gi0/1 120 B,R 0x14 1 0 192.0.2.1\n");
	eem_neighbor(eem, NEIGHBOR_UPDATE, &n, now);
	assert_said("%HA_EM-6-LOG: l: lldp update 0 0011.2233.4455 Gi0/1 120 B,R 0x14 1 0 192.0.2.1\n");
	eem_neighbor(eem, NEIGHBOR_DELETE, &n, now);
	assert_said("");
	n.is_cdp = true;
	eem_neighbor(eem, NEIGHBOR_DELETE, &n, now);
	assert_said("%HA_EM-6-LOG: c: cdp delete sw1 box Source-Route-Bridge Host\n");
}

static void test_contexts_live_on(void **state)
{
	(void)state;
	start("event manager applet a\n event none\n action 1 set x 5\n action 2 context save key k variable x\n"
	      "event manager applet b\n event none\n action 1 context retrieve key k variable y\n action 2 puts $y\n");
	run_applet("a", NULL);
	run_applet("b", NULL);
	assert_said("%HA_EM-6-LOG: b: 5\n");
}

static void test_a_trap_after_each_run(void **state)
{
	(void)state;
	start("event manager applet a trap\n event none\n action 1 exit 3\n");
	run_applet("a", NULL);
	assert_said("server trap\n");
	assert_int_equal(eem_history_at(eem, 0)->exit_status, 3);
}

/* --- Another configuration --------------------------------------------------------------------------------------- */

static void test_a_new_configuration_leaves_what_is_under_way(void **state)
{
	struct eem_policies *next;
	struct eem_report report = { 0 };

	(void)state;
	start("event manager applet a\n event syslog pattern \"X-1-Y\" occurs 2\n action 1 wait 5\n action 2 puts \"old\"\n"
	      "event manager applet t\n event timer watchdog time 100\n action 1 puts \"tick\"\n");
	message("%X-1-Y: 1");
	message("%X-1-Y: 2");
	message("%X-1-Y: 3");
	pass(60);
	said();
	message("%X-1-Y: 4");
	assert_int_equal(eem_compile(TEXT("event manager applet a\n event syslog pattern \"X-1-Y\"\n action 1 puts \"new\"\n"
					  "event manager applet t\n event timer watchdog time 100\n action 1 puts \"tick\"\n"), &next, &report), 0);
	assert_int_equal(eem_reconfigure(eem, next, now), 0);
	eem_policies_release(next);
	eem_report_done(&report);
	message("%X-1-Y: 5");
	assert_said("%HA_EM-6-LOG: a: new\n");
	pass(6);
	assert_said("%HA_EM-6-LOG: a: old\n"); /* the run of message 4 */
	pass(35);
	assert_said("%HA_EM-6-LOG: t: tick\n"); /* at 100 s: unchanged, so it was not started anew */
}

static void test_what_is_shown(void **state)
{
	struct buffer out = { 0 };

	(void)state;
	start("event manager applet a\n event syslog pattern \"X-1-Y\" maxrun 35\n action 10 puts \"x\"\n action 2 puts \"y\"\n");
	message("%X-1-Y: z");
	said();
	eem_show_registered(eem, &out);
	eem_show_history(eem, &out);
	text_copy(buffer_text(&out), shown, sizeof(shown));
	assert_string_equal(shown,
			    "No.  Class     Type    Event Type          Trap  Time Registered           Name\n"
			    "1    applet    user    syslog              Off   Thu Mar 12 18:22:10 2026  a\n"
			    " pattern {X-1-Y}\n"
			    " maxrun 35.000\n"
			    " action 10 puts \"x\"\n"
			    " action 2 puts \"y\"\n"
			    "No.  Job Id Proc Status     Time of Event            Event Type          Name\n"
			    "1    1      Actv success    Thu Mar 12 18:22:10 2026 syslog              applet: a\n");
	buffer_clear(&out);
	start("event manager applet a\n event syslog occurs 3 period 60 pattern \"UP|DOWN\" priority 4\n action 1 puts \"x\"\n"
	      "event manager applet b\n event timer cron cron-entry \"0-59/2 0-23/1 * * 0-7\" name two\n action 1 puts \"x\"\n"
	      "event manager applet c trap\n event cli pattern \"^show clock\" sync yes\n action 1 puts \"x\"\n");
	eem_show_registered(eem, &out);
	text_copy(buffer_text(&out), shown, sizeof(shown));
	assert_string_equal(shown,
			    "No.  Class     Type    Event Type          Trap  Time Registered           Name\n"
			    "1    applet    user    syslog              Off   Thu Mar 12 18:22:10 2026  a\n"
			    " occurs 3 period 60.000 pattern {UP|DOWN} priority warnings\n maxrun 20.000\n action 1 puts \"x\"\n\n"
			    "2    applet    user    timer cron          Off   Thu Mar 12 18:22:10 2026  b\n"
			    " name {two} cron entry {0-59/2 0-23/1 * * 0-7}\n maxrun 20.000\n action 1 puts \"x\"\n\n"
			    "3    applet    user    cli                 On    Thu Mar 12 18:22:10 2026  c\n"
			    " pattern {^show clock} sync yes skip no\n maxrun 20.000\n action 1 puts \"x\"\n");
	start("event manager applet a\n event syslog pattern \"X-1-Y\" maxrun 35\n action 10 puts \"x\"\n action 2 puts \"y\"\n");
	message("%X-1-Y: z");
	said();
	buffer_clear(&out);
	eem_json_history(eem, &out);
	text_copy(buffer_text(&out), shown, sizeof(shown));
	assert_string_equal(shown, "{\"schema\":\"spimend.eem-event/1\",\"number\":1,\"run\":1,\"at\":\"2026-03-12T18:22:10.706Z\","
			    "\"event_type\":\"syslog\",\"applet\":\"a\",\"device\":null,\"status\":\"success\",\"took_ms\":0,\"exit_status\":0,\"why\":null}\n");
	buffer_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_occurs_within_a_period),
		cmocka_unit_test(test_occurs_without_a_period),
		cmocka_unit_test(test_priority_and_ratelimit),
		cmocka_unit_test(test_an_applet_never_starts_itself),
		cmocka_unit_test(test_what_starts_itself_by_what_it_does_is_slowed_down),
		cmocka_unit_test(test_other_devices_only_where_they_are_named),
		cmocka_unit_test(test_timers_run_on_each_device),
		cmocka_unit_test(test_correlate_and),
		cmocka_unit_test(test_correlate_with_a_period_and_attributes),
		cmocka_unit_test(test_correlate_or_andnot_and_delay),
		cmocka_unit_test(test_a_period_that_cron_starts),
		cmocka_unit_test(test_countdown_and_watchdog),
		cmocka_unit_test(test_absolute_time),
		cmocka_unit_test(test_cron_over_midnight),
		cmocka_unit_test(test_cron_when_the_clocks_change),
		cmocka_unit_test(test_cron_when_the_clock_is_set),
		cmocka_unit_test(test_commands_that_wait_for_their_applet),
		cmocka_unit_test(test_a_command_of_its_own_does_not_start_it),
		cmocka_unit_test(test_run_by_name),
		cmocka_unit_test(test_track_objects),
		cmocka_unit_test(test_correlate_asks_how_a_track_object_is),
		cmocka_unit_test(test_counters_and_applets_that_start_others),
		cmocka_unit_test(test_objects_are_polled),
		cmocka_unit_test(test_neighbours),
		cmocka_unit_test(test_what_a_neighbour_says),
		cmocka_unit_test(test_contexts_live_on),
		cmocka_unit_test(test_a_trap_after_each_run),
		cmocka_unit_test(test_a_new_configuration_leaves_what_is_under_way),
		cmocka_unit_test(test_what_is_shown),
	};

	return cmocka_run_group_tests(tests, NULL, stop);
}
