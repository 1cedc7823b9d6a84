/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include "eem/lint.h"

static char shown[65536];

/* What lint says of the texts, joined. */
static const char *lint(const char *first, const char *second)
{
	struct eem_lint_text texts[2] = {
		{ .name = TEXT("a"), .text = text_of(first) },
		{ .name = TEXT("b"), .text = text_of(second) },
	};
	struct buffer out = { 0 };
	uint32_t count = second ? 2 : 1;

	assert_int_equal(eem_lint(texts, count), 0);
	for (uint32_t i = 0; i < count; i++) {
		eem_report_print(&texts[i].report, texts[i].name, &out);
		eem_report_done(&texts[i].report);
	}
	text_copy(buffer_text(&out), shown, sizeof(shown));
	buffer_done(&out);
	return shown;
}

/* The lines of an applet that begins in line 1. */
static const char *lint_applet(const char *lines)
{
	char text[8192];

	snprintf(text, sizeof(text), "event manager applet a\n%s", lines);
	return lint(text, NULL);
}

#define assert_says(got, part)                                                      \
	do {                                                                        \
		const char *is_ = (got);                                            \
		if (!strstr(is_, part))                                             \
			fail_msg("'%s' is not in:\n%s", part, is_);                 \
	} while (0)
#define assert_says_not(got, part)                                                  \
	do {                                                                        \
		const char *is_ = (got);                                            \
		if (strstr(is_, part))                                              \
			fail_msg("'%s' is in:\n%s", part, is_);                     \
	} while (0)

static void test_a_good_applet_is_left_alone(void **state)
{
	(void)state;
	assert_string_equal(lint_applet(" event syslog pattern \"LINK-3-UPDOWN.*Gi0/1, changed\" maxrun 60\n"
					" action 01 cli command \"enable\"\n action 02 cli command \"show interface Gi0/1\"\n"
					" action 03 wait 20\n action 10 syslog msg \"seen $_event_pub_time\"\n"), "");
}

static void test_labels_out_of_order(void **state)
{
	(void)state;
	assert_says(lint_applet(" event none\n action 1.0 puts a\n action 2.0 puts b\n action 10.0 puts c\n"),
		    "a:4: warning: a: action 10.0 (line 5) runs before action 2.0 (line 4)");
	assert_says(lint_applet(" event none\n action 1 puts a\n action 1 puts b\n"), "a:4: warning: a: label 1 again");
}

static void test_time_against_maxrun(void **state)
{
	(void)state;
	assert_says(lint_applet(" event none\n action 1 wait 18\n action 2 puts x\n"),
		    "a:3: warning: a: the waits take 18 s of the default maxrun of 20 s (90 %): 2 s are left for 0 commands");
	assert_says_not(lint_applet(" event none maxrun 35\n action 1 wait 18\n"), "maxrun");
	assert_says_not(lint_applet(" event none\n action 1 wait 16\n"), "maxrun");
	assert_says(lint_applet(" event none\n action 1 wait 20\n action 2 puts x\n"), "error: a: the waits add up to 20 s of the default");
	assert_says(lint_applet(" event none maxrun 5\n action 1 wait 2.5\n action 2 wait 2.5\n"), "error: a: the waits add up to 5 s of maxrun 5");
	assert_says(lint_applet(" event timer watchdog time 10 maxrun 60\n action 1 wait 30\n action 2 puts x\n"),
		    "the watchdog comes again before the run can be over");
	assert_says(lint_applet(" event timer watchdog time 60 maxrun 0\n action 1 puts x\n"), "[watchdog-without-maxrun]");
	assert_says(lint_applet(" event none maxrun 2\n action 1 cli command \"a\"\n action 2 cli command \"b\"\n action 3 cli command \"c\"\n"
				" action 4 cli command \"d\"\n action 5 cli command \"e\"\n"), "[commands-over-maxrun]");
}

static void test_recursion(void **state)
{
	(void)state;
	assert_says(lint_applet(" event syslog pattern \"DOWN\"\n action 1 syslog msg \"link is DOWN\"\n"), "[recursion]");
	assert_says(lint_applet(" event syslog pattern \"LINK-3-UPDOWN\"\n action 1 syslog msg \"saw $_syslog_msg\"\n"), "quotes $_syslog_msg");
	assert_says(lint_applet(" event syslog pattern \".*\"\n action 1 puts x\n"), "matches every message");
	assert_says_not(lint_applet(" event syslog pattern \"LINK-3-UPDOWN\"\n action 1 syslog msg \"a link went\"\n"), "recursion");
}

static void test_addresses_that_end_nowhere(void **state)
{
	(void)state;
	assert_says(lint_applet(" event syslog pattern \"srcaddr=11.1.1.3\"\n action 1 puts x\n"),
		    "a:2: warning: a: 11.1.1.3 also matches 11.1.1.30 to 11.1.1.39");
	assert_says(lint_applet(" event syslog pattern \"srcaddr=11\\.1\\.1\\.25.*if\"\n action 1 puts x\n"), "11.1.1.25 also matches 11.1.1.250");
	assert_says_not(lint_applet(" event syslog pattern \"srcaddr=11.1.1.26\"\n action 1 puts x\n"), "also matches");
	assert_says_not(lint_applet(" event syslog pattern \"srcaddr=11.1.1.3(,|$)\"\n action 1 puts x\n"), "also matches");
	assert_says_not(lint_applet(" event syslog pattern \"destaddr=11.1.1.3, prot\"\n action 1 puts x\n"), "also matches");
}

static void test_both_forms_of_the_message(void **state)
{
	(void)state;
	assert_says(lint_applet(" event syslog pattern \"RECVD_PKT_INV_SPI.*srcaddr=192.0.2.77, input\"\n action 1 puts x\n"),
		    "matches the message only with ', input interface=...'");
	assert_says(lint_applet(" event syslog pattern \"RECVD_PKT_INV_SPI.*srcaddr=192.0.2.77$\"\n action 1 puts x\n"),
		    "matches the message only without ', input interface=...'");
	assert_says_not(lint_applet(" event syslog pattern \"RECVD_PKT_INV_SPI.*srcaddr=192.0.2.77(,|$)\"\n action 1 puts x\n"), "one-form");
	assert_says_not(lint_applet(" event syslog pattern \"CRYPTO-4-RECVD_PKT_INV_SPI\"\n action 1 puts x\n"), "one-form");
}

static void test_values_from_outside(void **state)
{
	(void)state;
	assert_says(lint_applet(" event syslog pattern X\n action 1 cli command \"echo $_syslog_msg\"\n"),
		    "a:3: error: a: $_syslog_msg comes from outside and stands in a command");
	assert_says(lint_applet(" event none\n action 1 cli command \"show x\"\n action 2 set y \"$_cli_result\"\n action 3 cli command \"$y\"\n"),
		    "a:5: error: a: $y comes from outside");
	assert_says(lint_applet(" event syslog pattern X\n action 1 regexp \"if=(.*)\" \"$_syslog_msg\" m intf\n"
				" action 2 cli command \"show int $intf\"\n"), "a:4: warning: a: $intf comes from outside");
	assert_says(lint_applet(" event none\n action 1 cli command \"ping $_none_arg1\"\n"), "[variable-in-command]");
	assert_says_not(lint_applet(" event none\n action 1 set x \"Gi0/1\"\n action 2 cli command \"show int $x\"\n"), "outside");
}

static void test_variables_that_nothing_sets(void **state)
{
	(void)state;
	assert_says(lint_applet(" event none\n action 1 puts \"$who\"\n"), "nothing in this text sets $who");
	assert_says(lint_applet(" event none\n action 1 puts \"$_syslog_msg\"\n"), "$_syslog_msg is set by 'event syslog' only");
	assert_says(lint_applet(" event cli pattern x sync no skip no\n action 1 puts \"$_cli_user\"\n"), "the variable is $_cli_username");
	assert_says_not(lint_applet(" event none\n action 1 puts \"$who\"\nevent manager environment who me\n"), "unset-variable");
	assert_says_not(lint_applet(" event none\n action 1 regexp a b m s\n action 2 puts \"$m $s $_regexp_result\"\n"), "unset-variable");
}

static void test_modes_and_exit_status(void **state)
{
	(void)state;
	assert_says(lint_applet(" event none\n action 1 cli command \"conf t\"\n"), "[no-enable]");
	assert_says_not(lint_applet(" event none\n action 1 cli command \"en\"\n action 2 cli command \"conf t\"\n"), "no-enable");
	assert_says(lint_applet(" event cli pattern x sync yes\n action 1 puts x\n"), "[sync-without-exit-status]");
	assert_says_not(lint_applet(" event cli pattern x sync yes\n action 1 set _exit_status 1\n"), "sync-without");
	assert_says(lint_applet(" event syslog pattern \"int(gi1/3)\"\n action 1 puts x\n"), "[parentheses]");
	assert_says(lint_applet(" event syslog pattern \"x\" skip yes\n"), "note: a: the applet does nothing");
	assert_says(lint_applet(" event syslog pattern \"LINK-5-X\" priority errors\n action 1 puts x\n"), "[never-matches]");
}

static void test_nxos(void **state)
{
	(void)state;
	assert_says(lint_applet(" event cli match \"x\" sync no skip no\n action 1 puts x\n"), "'match' is NX-OS");
	assert_says(lint_applet(" event none\n action 1 cli enable\n"), "'cli' without 'command' is NX-OS");
	assert_says(lint_applet(" event none\n action 1 syslog priority notifications msg it is over\n"), "without quotes is NX-OS");
	assert_says(lint("event-handler x\n", NULL), "[nxos]");
}

static const char listens[] = "event manager applet l\n event snmp-notification oid 1.3.6.1.4.1.9.10.91.1.2.3.1.9. oid-val \"7\" op eq\n"
			      " action 1 puts x\n";
static const char sends[] = "event manager applet s\n event none\n action 1 snmp-trap intdata1 7\n";

static void test_traps_and_their_configuration(void **state)
{
	(void)state;
	assert_says(lint(listens, NULL), "a:2: note: l: no applet of this file sends this trap (intdata1 7)");
	assert_says_not(lint(listens, sends), "trap-unsent");
	assert_says(lint(listens, "event manager applet s\n event none\n action 1 snmp-trap intdata1 8\n"), "warning: l: no applet of these files");
	assert_says(lint(listens, NULL), "note: l: without 'snmp-server manager'");
	assert_says(lint("snmp-server manager\nevent manager applet l\n event snmp-notification oid 1.3.\n action 1 puts x\n", NULL), "");
	assert_says_not(shown, "snmp-manager");
	assert_says(lint("snmp-server host 192.0.2.1 Aq17 event-manager\nevent manager applet s\n event none\n action 1 snmp-trap\n", NULL),
		    "a:4: warning: s: without 'snmp-server enable traps event-manager'");
	assert_says_not(shown, "trap-without-host");
	assert_says(lint("snmp-server host 192.0.2.1 version 2c public event-manager\nsnmp-server community PRIVATE RW\n", NULL),
		    "a:1: warning: community 'public'");
	assert_says(shown, "a:2: warning: community 'PRIVATE'");
	assert_says_not(lint("snmp-server host 192.0.2.1 version 3 auth user event-manager\n", NULL), "community");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_good_applet_is_left_alone),
		cmocka_unit_test(test_labels_out_of_order),
		cmocka_unit_test(test_time_against_maxrun),
		cmocka_unit_test(test_recursion),
		cmocka_unit_test(test_addresses_that_end_nowhere),
		cmocka_unit_test(test_both_forms_of_the_message),
		cmocka_unit_test(test_values_from_outside),
		cmocka_unit_test(test_variables_that_nothing_sets),
		cmocka_unit_test(test_modes_and_exit_status),
		cmocka_unit_test(test_nxos),
		cmocka_unit_test(test_traps_and_their_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
