/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include "eem/eem.h"

static struct eem_policies *policies;
static struct eem_report report;
static char shown[65536];

static int clean(void **state)
{
	(void)state;
	eem_policies_release(policies);
	policies = NULL;
	eem_report_done(&report);
	return 0;
}

static uint32_t compile(const char *text)
{
	clean(NULL);
	assert_int_equal(eem_compile(text_of(text), &policies, &report), 0);
	eem_report_sort(&report);
	return eem_policy_count(policies);
}

static const char *complaints(void)
{
	struct buffer out = { 0 };

	eem_report_print(&report, TEXT("f"), &out);
	text_copy(buffer_text(&out), shown, sizeof(shown));
	buffer_done(&out);
	return shown;
}

static const char *printed(void)
{
	struct buffer out = { 0 };

	eem_policies_print(policies, &out);
	text_copy(buffer_text(&out), shown, sizeof(shown));
	buffer_done(&out);
	return shown;
}

/* An applet with that event, and what is said of it. */
static const char *said_of_event(const char *event)
{
	char text[2048];

	snprintf(text, sizeof(text), "event manager applet a\n event %s\n action 1 puts \"x\"\n", event);
	compile(text);
	return complaints();
}

static const char *said_of_action(const char *action)
{
	char text[4096];

	snprintf(text, sizeof(text), "event manager applet a\n event none\n action 1 %s\n", action);
	compile(text);
	return complaints();
}

#define assert_says(got, part)                                                      \
	do {                                                                        \
		const char *is_ = (got);                                            \
		if (!strstr(is_, part))                                             \
			fail_msg("'%s' is not in:\n%s", part, is_);                 \
	} while (0)
#define assert_silent(got)                                                          \
	do {                                                                        \
		const char *is_ = (got);                                            \
		if (is_[0])                                                         \
			fail_msg("expected nothing, got:\n%s", is_);                \
	} while (0)

static const char both_ends[] =
	"conf t\n"
	"!\n"
	"event manager applet receiver\n"
	" event syslog pattern \"CRYPTO-4-RECVD_PKT_INV_SPI.*srcaddr=198.51.100.7\"\n"
	" action 1 cli command \"enable\"\n"
	" action 2 syslog msg \"running ...\" priority informational\n"
	" action 3 cli command \"show crypto sockets | append disk0:hub.txt\"\n"
	" action 7 wait 18\n"
	" action 8 cli command \"undebug all\"\n"
	" action 8.1 snmp-trap intdata1 2323232 strdata \"\"\n"
	" action 9 syslog priority informational msg \"DONE\"\n"
	"!\n"
	"end\n"
	"\n"
	"hub(config)#event manager applet sender\n"
	"hub(config-applet)# event snmp-notification oid 1.3.6.1.4.1.9.10.91.1.2.3.1.9.\n"
	"\n"
	"    oid-val \"2323232\" op eq src-ip-address 192.0.2.1 maxrun 35\n"
	"\n"
	" action 1.0 syslog msg \"Received\"\n"
	" action 2.0 cli command \"enable\"\n"
	" action 3.0 cli command \"undebug all\"\n";

static void test_both_ends_of_a_conversation_compile(void **state)
{
	struct eem_policy_facts facts;

	(void)state;
	assert_int_equal(compile(both_ends), 2);
	assert_int_equal(report.count[EEM_ERROR], 0);
	assert_true(eem_policy_facts(policies, 0, &facts));
	assert_string_equal(facts.name, "receiver");
	assert_string_equal(facts.event_type, "syslog");
	assert_int_equal(facts.maxrun_ns, 20 * SECOND_NS);
	assert_true(eem_policy_facts(policies, 1, &facts));
	assert_string_equal(facts.event_type, "snmp-notification");
	assert_int_equal(facts.maxrun_ns, 35 * SECOND_NS);
	assert_int_equal(eem_policy_find(policies, TEXT("sender")), 1);
	assert_int_equal(eem_policy_find(policies, TEXT("nobody")), UINT32_MAX);
	assert_says(complaints(), "f:18: note: sender: taken as the rest of line 16");
}

static void test_what_is_printed_compiles_to_the_same(void **state)
{
	static const char text[] =
		"event manager environment who 198.51.100.7\n"
		"event manager session cli username admin privilege 7\n"
		"event manager applet x authorization bypass class A trap\n"
		" desc does things\n"
		" spimend device r1 ratelimit 90.5\n"
		" spimend device local\n"
		" event tag one sysl patt \"a b $who\" per 60 occ 5\n"
		" event tag two timer cron cron-entry \"*/5 * * * 1-5\" maxr 31.5\n"
		" trigger occ 2 period 30 delay 1\n"
		"  corr event one and event two\n"
		"  attr tag one occ 3\n"
		" action \"b c\" cli comm \"say \\\"hello\\\"\"\n"
		" action 10 if $x eq 1\n"
		" action 20 end\n"
		" action 15 regexp \"(.*)\" \"$_cli_result\" match one\n"
		" action 05 set x 1\n"
		"!\n"
		"event manager applet \"a name\"\n"
		" event none\n"
		"!\n";
	char first[8192];
	size_t len;

	(void)state;
	assert_int_equal(compile(text), 2);
	assert_int_equal(report.count[EEM_ERROR], 0);
	len = strlen(printed());
	assert_true(len < sizeof(first));
	memcpy(first, printed(), len + 1);
	assert_says(first, " event tag one syslog pattern \"a b $who\" period 60 occurs 5\n");
	assert_says(first, " action \"b c\" cli command \"say \\\"hello\\\"\"\n");
	assert_says(first, "  correlate event one and event two\n  attribute tag one occurs 3\n");
	assert_says(first, " spimend device r1 ratelimit 90.500\n spimend device local\n");
	assert_int_equal(compile(first), 2);
	assert_int_equal(report.count[EEM_ERROR], 0);
	assert_string_equal(printed(), first);
}

static void test_every_event_that_can_exist_is_read(void **state)
{
	static const char *const events[] = {
		"syslog pattern x", "syslog pattern \"x\" occurs 3 period 60 priority errors severity-critical skip yes ratelimit 5",
		"syslog priority 3 pattern x maxrun 0", "cli pattern \"^reload\" sync yes", "cli pattern x sync no skip yes occurs 2",
		"cli pattern x enter questionmark tab sync no skip no mode exec default 5", "track 7", "track 7 state down",
		"timer countdown time 30 name t", "timer watchdog time 0.500", "timer cron cron-entry \"@reboot\" name n",
		"timer cron name n cron-entry \"0 2 * * *\"", "timer absolute time 1798761600", "none", "none sync yes default 10",
		"snmp oid 1.3.6.1.2.1.1.3.0 get-type exact entry-op ge entry-val 10 exit-comb or exit-op lt exit-val 5 exit-time 60 "
		"poll-interval 10",
		"snmp-notification oid 1.3.6. oid-val \"x y\" op ne src-ip-address 192.0.2.1 dest-ip-address 2001:db8::1 direction outgoing "
		"msg-op drop default 3",
		"neighbor-discovery interface GigabitEthernet 0/1 cdp add", "neighbor-discovery interface regexp Gi.* lldp all",
		"counter name c entry-op ge entry-val 3 exit-op lt exit-val 1", "application sub-system 798 type 1",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		assert_silent(said_of_event(events[i]));
		assert_int_equal(eem_policy_count(policies), 1);
	}
}

static void test_wrong_events_say_why(void **state)
{
	static const struct {
		const char *event, *says;
	} bad[] = {
		{ "routing network 10.0.0.0/8 type add", "event detector 'routing' cannot exist off the router" },
		{ "ipsla operation-id 1", "event detector 'ipsla' cannot" },
		{ "oir", "event detector 'oir' cannot" },
		{ "sysolg pattern x", "unknown event detector 'sysolg'; did you mean 'syslog'?" },
		{ "s pattern x", "'s' may mean syslog or snmp" },
		{ "syslog", "'event syslog' needs 'pattern REGEX'" },
		{ "syslog pattern \"*x\"", "nothing stands in front of this repetition, at character 1" },
		{ "syslog pattern x severity 2", "'severity' may mean severity-critical" },
		{ "syslog pattern x occurs 0", "occurs: '0' is no number from 1 to 4294967295" },
		{ "syslog pattern x period 1h", "period: '1h' is no number of seconds" },
		{ "syslog pattern x priority loud", "unknown level 'loud'" },
		{ "syslog pattern x maxrun 31536001", "up to 31536000" },
		{ "syslog pattern x occurs", "the line ends where occurs is expected" },
		{ "timer absolute time \"22:00:00 Jan 15 2026\"", "seconds since 1970" },
		{ "timer cron cron-entry \"0 25 * * *\"", "the hour is 0 to 23" },
		{ "timer cron time 5", "'timer cron' has no 'time'" },
		{ "timer hourly time 5", "unknown timer 'hourly'" },
		{ "snmp-notification oid 1.x.3", "is no OID" },
		{ "snmp-notification oid 1.3. src-ip-address hub", "'hub' is no IP address" },
		{ "snmp oid 1.3 poll-interval 5", "'event snmp' needs" },
		{ "track x", "the track object: 'x' is no number" },
		{ "cli pattern x sync maybe", "unknown sync 'maybe'" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_says(said_of_event(bad[i].event), bad[i].says);
		assert_says(shown, "f:2: error: a: ");
		assert_int_equal(eem_policy_count(policies), 0); /* never half registered */
	}
}

static void test_every_action_is_read(void **state)
{
	static const char *const actions[] = {
		"cli command \"show ip route\"", "cli command \"clear x\" pattern \"confirm\"", "cli comm enable",
		"syslog msg \"x\"", "syslog priority errors msg \"x\" facility F", "syslog msg done priority 3", "set x \"1\"",
		"regexp \"a(b)\" \"$_cli_result\" match sub", "puts nonewline \"x\"", "gets x", "info type routername", "comment any words at all",
		"mail server a to b from c cc d subject \"e f\" body \"g\"", "exit", "exit 1", "wait 18.5", "wait $seconds",
		"string compare nocase length 3 \"a\" \"b\"", "string replace \"abc\" 0 1 \"x\"", "string length abc",
		"string trim \" a \"", "track read 7", "track set 7 state down", "file open fd flash:x w", "file puts fd \"text\"",
		"file gets fd line", "file read fd x 10", "file close fd", "file delete flash:x", "snmp-trap intdata1 1 strdata \"\"",
		"snmp-trap", "add 1 2", "divide $x 4", "increment x", "decrement x 3", "append x \"more\"",
		"context save key k variable v", "counter name c op inc value 1", "policy other", "handle-error type ignore",
		"publish-event sub-system 798 type 1 arg1 \"x\"", "help", "else",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]) - 1; i++)
		assert_silent(said_of_action(actions[i]));
}

static void test_wrong_actions_say_why(void **state)
{
	static const struct {
		const char *action, *says;
	} bad[] = {
		{ "cil command \"x\"", "unknown action 'cil'; did you mean 'cli'?" },
		{ "export-to-telemetry x", "action 'export-to-telemetry' cannot exist off the router" },
		{ "info type interface_name", "unknown info type 'interface_name'" },
		{ "info type snmp oid 1.3", "'info type snmp' cannot be answered here" },
		{ "cli command \"show", "a quote is not closed, from character 22 on" },
		{ "cli command \"a\"b", "a string goes on behind its closing quote" },
		{ "cli command \"a\" \"b\"", "'\"b\"' is too much behind 'cli'" },
		{ "if $x == 1", "unknown comparison '=='" },
		{ "set $x 1", "its name stands without '$'" },
		{ "wait soon", "'wait' takes seconds" },
		{ "regexp \"(\" \"x\"", "a parenthesis is not closed" },
		{ "puts \"${x}\"", "generator's placeholder" },
		{ "mail to b from c", "'mail' needs server" },
		{ "string first a", "'string first' needs 2 operands" },
		{ "if $x eq 1", "'if' has no 'end'" },
		{ "end", "'end' has nothing to end" },
		{ "else", "'else' has no 'if'" },
		{ "break", "'break' stands in no loop" },
		{ "if $x eq 1 goto 9", "there is no such label" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_says(said_of_action(bad[i].action), bad[i].says);
		assert_int_equal(eem_policy_count(policies), 0);
	}
}

static void test_lines_of_all_kinds(void **state)
{
	(void)state;
	/* the rest of a router's configuration, a banner with nonsense in it, comments, Tcl */
	assert_int_equal(compile("hostname r1\ninterface Gi0/0\n ip address 192.0.2.1 255.255.255.0\n shutdown\n"
				 "banner motd ^C\nevent action \"unclosed\n^C\n"
				 "event manager policy x.tcl\n"
				 "event manager applet a\n event none\n! action 1 puts \"off\"\n!// text\n action 2 puts \"on\"\n!\n"
				 "line vty 0 4\n login local\nend\n"), 1);
	assert_int_equal(report.count[EEM_ERROR], 1);
	assert_says(complaints(), "f:8: error: Tcl policies cannot run here");
	assert_int_equal(report.foreign_lines, 9);
	assert_null(strstr(printed(), "off"));
	/* a line that is nothing */
	assert_int_equal(compile("event manager applet a\n event none\n set 2.0 x 1\n action 1 puts x\n"), 0);
	assert_says(complaints(), "f:3: error: a: 'set 2.0 x 1': an action's line begins with 'action LABEL'");
	assert_int_equal(compile("evnet manager applet a\n"), 0);
	assert_says(complaints(), "did you mean 'event manager'?");
	assert_int_equal(compile("action 1 puts x\n"), 0);
	assert_says(complaints(), "stands outside of any applet");
	assert_int_equal(compile("conf t ! event manager applet a event none action 1 puts x\n"), 0);
	assert_int_equal(compile("event manager applet a\n action 1 puts x\n"), 0);
	assert_says(complaints(), "the applet has no event");
	/* typographic quotes, continuations */
	assert_int_equal(compile("event manager applet a\n event none\n action 1 puts \xe2\x80\x9chello you\xe2\x80\x9d\n"
				 " action 2 cli command \"show \\\n  version\"\n"), 1);
	assert_says(printed(), "action 1 puts \"hello you\"\n action 2 cli command \"show version\"\n");
	/* taken back */
	assert_int_equal(compile("no event manager applet a\nevent manager applet a\n event none\n action 1 puts x\n no action 1\n"
				 "no event manager applet a\nevent manager applet a\n event none\n action 3 puts y\n"), 1);
	assert_says(printed(), "event manager applet a\n event none\n action 3 puts y\n!\n");
}

static void test_labels_are_sorted_as_texts(void **state)
{
	(void)state;
	assert_int_equal(compile("event manager applet a\n event none\n action 2 puts two\n action 10 puts ten\n action 8.1 puts c\n"
				 " action 8 puts b\n action 010 puts first\n action z puts last\n action 9 puts d\n action 9 puts e\n"), 1);
	assert_says(printed(), " action 010 puts first\n action 10 puts ten\n action 2 puts two\n action 8 puts b\n"
			       " action 8.1 puts c\n action 9 puts e\n action z puts last\n");
	assert_says(complaints(), "label 9 again: the action of line 9 is lost");
	/* blocks are formed after sorting: 100 stands before 20 */
	assert_int_equal(compile("event manager applet a\n event none\n action 10 if 1 eq 1\n action 20 puts x\n action 100 end\n"), 1);
	assert_int_equal(compile("event manager applet a\n event none\n action 5 if 1 eq 1\n action 60 puts x\n action 10 end\n"), 0);
	assert_says(complaints(), "'end' has nothing to end, once the labels are sorted as texts");
}

static void test_several_events_need_their_tags(void **state)
{
	(void)state;
	assert_int_equal(compile("event manager applet a\n event tag x none\n event tag y track 3\n action 1 puts x\n"), 1);
	assert_says(complaints(), "any of them starts the applet");
	assert_int_equal(compile("event manager applet a\n event tag x none\n event tag y track 3\n trigger\n"
				 "  correlate event x and event z\n action 1 puts x\n"), 0);
	assert_says(complaints(), "no event has the tag 'z'");
}

static void test_environment_reaches_events(void **state)
{
	(void)state;
	assert_int_equal(compile("event manager applet a\n event timer watchdog time $every\n action 1 puts x\n"
				 "event manager environment every 90\n"), 1);
	assert_int_equal(compile("event manager applet a\n event timer watchdog time $every\n action 1 puts x\n"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ends_of_a_conversation_compile),
		cmocka_unit_test(test_what_is_printed_compiles_to_the_same),
		cmocka_unit_test(test_every_event_that_can_exist_is_read),
		cmocka_unit_test(test_wrong_events_say_why),
		cmocka_unit_test(test_every_action_is_read),
		cmocka_unit_test(test_wrong_actions_say_why),
		cmocka_unit_test(test_lines_of_all_kinds),
		cmocka_unit_test(test_labels_are_sorted_as_texts),
		cmocka_unit_test(test_several_events_need_their_tags),
		cmocka_unit_test(test_environment_reaches_events),
	};

	return cmocka_run_group_tests(tests, NULL, clean);
}
