/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include "eem_case.h"

/* --- Both ends of a conversation, as the source note has it (B19, B20, B22) -------------------------------------- */

static const char hub[] =
	"event manager applet command_hub\n"
	" event syslog pattern \"CRYPTO-4-RECVD_PKT_INV_SPI.*srcaddr=11.1.1.3\"\n"
	" action 1 cli command \"enable\"\n"
	" action 2 syslog msg \"collecting\" priority informational\n"
	" action 3 cli command \"show crypto sockets | append disk0:hub.txt\"\n"
	" action 4 cli command \"show crypto isa sa | append disk0:hub.txt\"\n"
	" action 7 wait 18\n"
	" action 8 cli command \"undebug all\"\n"
	" action 8.1 snmp-trap intdata1 2323232 strdata \"\"\n"
	" action 9 syslog priority informational msg \"done\"\n";
static const char spoke[] =
	"event manager applet spoke_app\n"
	" event snmp-notification oid 1.3.6.1.4.1.9.10.91.1.2.3.1.9. oid-val \"2323232\" op eq src-ip-address 213.163.222.7 maxrun 35\n"
	" action 1.0 syslog msg \"trap\"\n"
	" action 2.0 cli command \"enable\"\n"
	" action 3.0 cli command \"undebug all\"\n"
	" action 4.0 syslog msg \"done\"\n";
static const char stray[] =
	"*Mar 12 18:22:10.706: %CRYPTO-4-RECVD_PKT_INV_SPI: decaps: rec'd IPSEC packet has invalid spi for "
	"destaddr=213.163.222.7, prot=50, spi=0x68842105(1753489669), srcaddr=11.1.1.3, input interface=Ethernet0/0";

static void test_the_hub_collects_waits_and_sends_its_trap(void **state)
{
	(void)state;
	start(hub);
	message(stray);
	assert_said("command: enable\n");
	answer("hub#");
	assert_said("%HA_EM-6-LOG: command_hub: collecting\ncommand: show crypto sockets | append disk0:hub.txt\n");
	answer("hub#");
	assert_said("command: show crypto isa sa | append disk0:hub.txt\n");
	pass(0.5);
	answer("hub#");
	assert_said("");
	pass(17.9);
	assert_said("");
	pass(0.1);
	assert_said("command: undebug all\n");
	answer("hub#");
	assert_said("trap int1 2323232 text ''\n%HA_EM-6-LOG: command_hub: done\nclose\n");
	assert_int_equal(eem_history_at(eem, 0)->end, EEM_END_SUCCESS);
	assert_int_equal(eem_history_at(eem, 0)->took_ns, 18500000000);
	assert_int_equal(eem_figures(eem).finished, 1);
}

/* 18 s of waiting under the default of 20 s: slow commands, and the run dies before `undebug all` and before the trap. */
static void test_the_hub_dies_when_its_commands_are_slow(void **state)
{
	(void)state;
	start(hub);
	message(stray);
	answer("hub#");
	pass(1.5);
	answer("hub#");
	pass(0.6);
	answer("hub#");
	said();
	pass(17);
	assert_said("");
	pass(2);
	assert_said("notice: applet command_hub: ended after maxrun 20.000 s at action 8 cli\nclose\n");
	assert_int_equal(eem_history_at(eem, 0)->end, EEM_END_MAXRUN);
	assert_int_equal(eem_figures(eem).expired, 1);
	answer("too late");
	assert_said("");
}

static void trap_from(const char *source, const char *oid, const char *value)
{
	struct eem_varbind varbinds[2] = {
		{ .oid = TEXT("1.3.6.1.4.1.9.10.134.1.2.3.1.10.4"), .has_value = false },
		{ .oid = text_of(oid), .has_value = true, .value = text_of(value) },
	};
	struct eem_trap trap = { .generic = -1, .specific = -1, .varbinds = varbinds, .varbind_count = 2 };

	assert_int_equal(spimend_address_parse(source, strlen(source), &trap.source), 0);
	eem_trap(eem, &trap, now);
}

static void test_the_spoke_hears_the_trap_under_both_roots(void **state)
{
	(void)state;
	start(spoke);
	trap_from("213.163.222.7", "1.3.6.1.4.1.9.10.91.1.2.3.1.9.4", "2323232");
	assert_said("%HA_EM-6-LOG: spoke_app: trap\ncommand: enable\n");
	answer("spoke#");
	answer("spoke#");
	assert_said("command: undebug all\n%HA_EM-6-LOG: spoke_app: done\nclose\n");
	trap_from("213.163.222.7", ".1.3.6.1.4.1.9.10.134.1.2.3.1.9.5", "2323232");
	assert_says("spoke_app: trap");
	trap_from("213.163.222.8", "1.3.6.1.4.1.9.10.91.1.2.3.1.9.4", "2323232");
	trap_from("213.163.222.7", "1.3.6.1.4.1.9.10.91.1.2.3.1.9.4", "2323233");
	trap_from("213.163.222.7", "1.3.6.1.4.1.9.10.91.1.2.3.1.90.4", "2323232");
	assert_said("");
}

/* --- Control ----------------------------------------------------------------------------------------------------- */

static void test_branches(void **state)
{
	static const char *const arguments[] = { "1", "2", "3", "x" };
	static const char *const says[] = { "one", "two", "else", "else" };

	(void)state;
	start("event manager applet a\n event none\n"
	      " action 01 if $_none_arg1 eq 1\n"
	      " action 02  puts \"one\"\n"
	      " action 03 elseif $_none_arg1 eq \"2\"\n"
	      " action 04  if 1 ne 1\n"
	      " action 05   puts \"never\"\n"
	      " action 06  else\n"
	      " action 07   puts \"two\"\n"
	      " action 08  end\n"
	      " action 09 else\n"
	      " action 10  puts \"else\"\n"
	      " action 11 end\n"
	      " action 12 puts \"end\"\n");
	for (unsigned i = 0; i < 4; i++) {
		char expected[100];

		run_applet("a", arguments[i]);
		snprintf(expected, sizeof(expected), "%%HA_EM-6-LOG: a: %s\n%%HA_EM-6-LOG: a: end\n", says[i]);
		assert_said(expected);
	}
}

static void test_loops(void **state)
{
	(void)state;
	start("event manager applet a\n event none\n"
	      " action 01 set i 0\n action 02 set out \"\"\n"
	      " action 03 while $i lt 10\n"
	      " action 04  increment i\n"
	      " action 05  if $i eq 3\n action 06   continue\n action 07  end\n"
	      " action 08  if $i gt 5\n action 09   break\n action 10  end\n"
	      " action 11  append out \"$i,\"\n"
	      " action 12 end\n"
	      " action 13 foreach x \"a b\"\n action 14  foreach y \"1 2\"\n action 15   append out \"$x$y \"\n action 16  end\n action 17 end\n"
	      " action 18 if 1 eq 1 goto 20\n action 19 puts \"jumped over\"\n"
	      " action 20 puts \"$out$i\"\n");
	run_applet("a", NULL);
	assert_said("%HA_EM-6-LOG: a: 1,2,4,5,a1 a2 b1 b2 6\n");
}

static void test_a_loop_without_an_end_is_ended(void **state)
{
	(void)state;
	start("event manager applet a\n event none maxrun 0\n action 1 while 1 eq 1\n action 2 set x 1\n action 3 end\n"
	      "event manager applet b\n event none\n action 1 puts \"still here\"\n");
	run_applet("a", NULL);
	run_applet("b", NULL);
	assert_said("%HA_EM-6-LOG: b: still here\n"); /* others have their turn */
	pass(0.1);
	assert_says("more than 200000 actions in one run: a loop without an end?");
	assert_int_equal(eem_history_at(eem, 0)->end, EEM_END_ABORT);
	/* and by time, when there is a limit */
	start("event manager applet a\n event none maxrun 5\n action 1 while 1 eq 1\n action 2 wait 1\n action 3 end\n");
	run_applet("a", NULL);
	pass(10);
	assert_says("ended after maxrun 5.000 s");
}

static void test_arithmetic_and_strings(void **state)
{
	(void)state;
	start("event manager applet a\n event none\n"
	      " action 01 divide 17 5\n action 02 puts \"$_result $_remainder\"\n"
	      " action 03 multiply -3 4\n action 04 puts $_result\n"
	      " action 05 string replace \"abcdef\" 1 3 \"XY\"\n action 06 puts $_string_result\n"
	      " action 07 string first \"c\" \"abcabc\"\n action 08 puts $_string_result\n"
	      " action 09 string last \"c\" \"abcabc\"\n action 10 puts $_string_result\n"
	      " action 11 string match nocase \"ABC*[x-z]?\" \"abc12yQ\"\n action 12 puts $_string_result\n"
	      " action 13 string range \"abcdef\" 2 end-1\n action 14 puts $_string_result\n"
	      " action 15 string toupper \"abcdef\" 0 2\n action 16 puts $_string_result\n"
	      " action 17 string trimleft \"00012\" \"0\"\n action 18 puts $_string_result\n"
	      " action 19 string compare nocase length 3 \"ABCx\" \"abcy\"\n action 20 puts $_string_result\n"
	      " action 21 string length \"abc\"\n action 22 puts $_string_result\n"
	      " action 23 string index \"abc\" 1\n action 24 puts $_string_result\n"
	      " action 25 regexp \"([0-9]+)-([a-z]+)\" \"x 12-ab y\" all one two\n action 26 puts \"$_regexp_result $all $one $two\"\n"
	      " action 27 info type routername\n action 28 puts $_info_routername\n"
	      " action 29 puts \"$_event_type_string $_event_pub_time $_event_pub_sec.$_event_pub_msec\"\n");
	run_applet("a", NULL);
	assert_said("%HA_EM-6-LOG: a: 3 2\n%HA_EM-6-LOG: a: -12\n%HA_EM-6-LOG: a: aXYef\n%HA_EM-6-LOG: a: 2\n%HA_EM-6-LOG: a: 5\n"
		    "%HA_EM-6-LOG: a: 1\n%HA_EM-6-LOG: a: cde\n%HA_EM-6-LOG: a: ABCdef\n%HA_EM-6-LOG: a: 12\n%HA_EM-6-LOG: a: 0\n"
		    "%HA_EM-6-LOG: a: 3\n%HA_EM-6-LOG: a: b\n%HA_EM-6-LOG: a: 1 12-ab 12 ab\n%HA_EM-6-LOG: a: Router\n"
		    "%HA_EM-6-LOG: a: none Thu Mar 12 18:22:10 2026 1773339730.706\n");
}

static void test_errors_end_the_run_and_are_said(void **state)
{
	static const struct {
		const char *action, *says;
	} bad[] = {
		{ "puts $nothing", "action 1 puts: variable $nothing is not set" },
		{ "add 1 x", "action 1 add: 'x' is no whole number" },
		{ "divide 1 0", "action 1 divide: division by zero" },
		{ "multiply 9223372036854775807 2", "action 1 multiply: the result has more than 64 bits" },
		{ "reload", "action 1 reload: refused" },
		{ "gets x", "action 1 gets: there is no terminal" },
		{ "policy nobody", "action 1 policy: there is no applet 'nobody'" },
		{ "track read 7", "action 1 track: there is no track object 7" },
		{ "context retrieve key k variable v", "action 1 context: nothing was saved under 'k'" },
		{ "wait $_none_arg1", "action 1 wait: 'oops' is no number of seconds" },
		{ "regexp \"$_none_arg1(\" \"x\"", "action 1 regexp: the expression cannot be used: a parenthesis is not closed" },
		{ "snmp-trap intdata1 99999999999", "action 1 snmp-trap: '99999999999' is no number of 32 bits" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[512];

		snprintf(text, sizeof(text), "event manager applet a\n event none\n action 1 %s\n action 2 puts \"went on\"\n", bad[i].action);
		start(text);
		run_applet("a", "oops");
		said();
		if (!strstr(shown, bad[i].says) || strstr(shown, "went on"))
			fail_msg("%s: %s", bad[i].action, shown);
		assert_int_equal(eem_history_at(eem, 0)->end, EEM_END_ABORT);
	}
	start("event manager applet a\n event none\n action 0 handle-error type ignore\n action 1 puts $nothing\n action 2 puts \"went on\"\n");
	run_applet("a", NULL);
	assert_said("%HA_EM-6-LOG: a: went on\n");
}

/* --- Values are data --------------------------------------------------------------------------------------------- */

static const char careful[] =
	"event manager applet a\n event syslog pattern \"X-1-Y\"\n"
	" action 1 regexp \"from (.*) on\" \"$_syslog_msg\" all who\n"
	" action 2 cli command \"show ip route $who | include via\"\n";

static void test_what_is_wholly_typed_reaches_a_command(void **state)
{
	static const struct {
		const char *value, *type;
	} good[] = { { "192.0.2.7", "address" }, { "2001:db8::1", "address" }, { "0x68842105", "spi" }, { "6884210a", "spi" },
		     { "GigabitEthernet0/1.100", "interface" }, { "Tunnel10001", "interface" }, { "Port-channel1", "interface" },
		     { "enp0s31f6", "interface" }, { "Serial0/1/0:23", "interface" }, { "42", "number" }, { "-1", "number" } };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		char text[128], expected[256];

		start(careful);
		snprintf(text, sizeof(text), "%%X-1-Y: from %s on", good[i].value);
		message(text);
		snprintf(expected, sizeof(expected), "command: show ip route %s | include via [%s %s]\n", good[i].value, good[i].type,
			 good[i].value);
		assert_said(expected);
	}
}

static void test_anything_else_stops_the_run(void **state)
{
	static const char *const bad[] = { "192.0.2.7 | redirect flash:x", "1;reload", "", "reload", "192.0.2.7\nreload", "a b", "Gi0/1/",
					   "10.0.0.0/8", "$(id)", "0x123456789", "Gi0/..", "`x`", "-", "a-1", "\0011" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[128];

		start(careful);
		snprintf(text, sizeof(text), "%%X-1-Y: from %s on", bad[i]);
		message(text);
		said();
		if (strstr(shown, "command:") || !strstr(shown, "stopped: $who comes from outside"))
			fail_msg("'%s': %s", bad[i], shown);
		assert_int_equal(eem_figures(eem).stopped_values, 1);
	}
}

static const char *const roundabout[] = { /* ways of text from outside into a command that are none */
	" action 1 cli command \"echo $_syslog_msg\"\n",
	" action 1 set x \"$_syslog_msg\"\n action 2 cli command \"show $x\"\n",
	" action 1 set x \"a\"\n action 2 append x \"$_syslog_msg\"\n action 3 cli command \"show $x\"\n",
	" action 1 string toupper \"$_syslog_msg\"\n action 2 cli command \"show $_string_result\"\n",
	" action 1 foreach x \"$_syslog_msg\"\n action 2 cli command \"show $x\"\n action 3 end\n",
	" action 1 regexp \"from (\\S+)\" \"$_syslog_msg\" m who\n action 2 cli command \"$who\"\n", /* the first word */
	" action 1 regexp \"from (\\S+)\" \"$_syslog_msg\" m who\n action 2 cli command \"sh$who\"\n",
	" action 1 regexp \"from (\\S+)\" \"$_syslog_msg\" m who\n action 2 set c \"$who x\"\n action 3 cli command \"$c\"\n",
	" action 1 context save key k variable _syslog_msg\n action 2 context retrieve key k variable v\n action 3 cli command \"show $v\"\n",
	" action 1 handle-error type ignore\n action 2 cli command \"show $_syslog_msg\"\n",
	" action 1 regexp \"$_syslog_msg|a\" \"constant a\" m\n action 2 set _x \"$m b\"\n action 3 cli command \"show $_x\"\n",
	" action 1 file open fd \"flash:$_syslog_msg\" w\n",
};

static void test_no_way_round(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(roundabout) / sizeof(roundabout[0]); i++) {
		char text[1024];

		snprintf(text, sizeof(text), "event manager applet a\n event syslog pattern \"X-1-Y\"\n%s", roundabout[i]);
		start(text);
		message("%X-1-Y: from Gi0/1 on");
		said();
		if (strstr(shown, "command:") || strstr(shown, "file ") == shown || !strstr(shown, "stopped"))
			fail_msg("%s\n%s", roundabout[i], shown);
		assert_int_equal(eem_history_at(eem, 0)->end, EEM_END_ABORT);
	}
}

static void test_a_capture_may_be_put_together_behind_a_word(void **state)
{
	(void)state;
	start("event manager applet a\n event syslog pattern \"X-1-Y\"\n action 1 regexp \"from (\\S+)\" \"$_syslog_msg\" m who\n"
	      " action 2 set c \"show interface $who\"\n action 3 cli command \"$c\"\n"
	      " action 4 cli command \"copy a b\" pattern \"name\\?\"\n action 5 cli command \"$who\"\n");
	message("%X-1-Y: from Gi0/1 on");
	assert_said("command: show interface Gi0/1\n");
	answer("r1#");
	assert_said("command: copy a b until /name\\?/\n");
	assert_false(eem_expect(eem, asked, TEXT("wait")));
	assert_true(eem_expect(eem, asked, TEXT("what name?")));
	answer("what name?");
	assert_said("command: Gi0/1 [interface Gi0/1]\n"); /* an answer at a prompt is no command */
}

static void test_line_breaks_never_leave(void **state)
{
	(void)state;
	start("event manager applet a\n event syslog pattern \"X-1-Y\"\n action 1 syslog msg \"got $_syslog_msg\"\n"
	      " action 2 mail server s to \"a b\" from f subject \"$_syslog_msg\" body \"$_syslog_msg\"\n");
	message("%X-1-Y: a\r\nBcc: evil");
	assert_said("%HA_EM-6-LOG: a: got %X-1-Y: a  Bcc: evil\n"
		    "mail to a b: %X-1-Y: a  Bcc: evil / %X-1-Y: a \nBcc: evil\n");
}

static void test_where_mail_goes_is_configured(void **state)
{
	struct eem_mail_action mail;
	struct buffer server = { 0 };
	uint64_t mark;

	(void)state;
	start("event manager environment _mail 192.0.2.25\n"
	      "event manager applet a\n event syslog pattern \"X-1-Y\"\n action 1 mail server \"$_mail\" to \"noc $_syslog_msg\" from f "
	      "subject s body b port 2525\n action 2 syslog msg \"not reached\"\n"
	      "event manager applet b\n event none\n action 1 set s 192.0.2.1\n action 2 mail server $s to a from b subject \"caf\xc3\xa9\" "
	      "body \"1 2\"\n");
	message("%X-1-Y: victim@elsewhere");
	assert_said("notice: applet a: action 1 mail: stopped: what comes from outside must not say where mail goes, or from whom\n");
	assert_true(eem_mail_action(policies, 0, 0, &mail, &server));
	assert_true(text_equal(buffer_text(&server), TEXT("192.0.2.25")));
	assert_int_equal(mail.port, 2525);
	assert_int_equal(mail.unset.len, 0);
	mark = mail.mark;
	assert_false(eem_mail_action(policies, 0, 1, &mail, &server));
	assert_false(eem_mail_action(policies, 9, 0, &mail, &server));
	buffer_clear(&server);
	assert_true(eem_mail_action(policies, 1, 1, &mail, &server)); /* what a run sets is no configuration */
	assert_true(text_equal(mail.unset, TEXT("s")));
	assert_true(mail.mark != mark);
	assert_int_equal(mail.port, 25);
	run_applet("b", NULL);
	assert_said("mail to a: caf?? / 1 2\n");
	buffer_done(&server);
}

static void test_the_command_that_arrives_is_checked_again(void **state)
{
	struct eem_span span = { 14, 9, EEM_TYPE_ADDRESS };

	(void)state;
	start(careful);
	assert_true(eem_command_fits(policies, 0, 1, TEXT("show ip route 192.0.2.7 | include via"), &span, 1));
	assert_false(eem_command_fits(policies, 0, 1, TEXT("show ip route 192.0.2.x | include via"), &span, 1));
	assert_false(eem_command_fits(policies, 0, 1, TEXT("show ip routes 192.0.2.7 | redirect x"), NULL, 0));
	assert_false(eem_command_fits(policies, 0, 1, TEXT("reload"), NULL, 0));
	assert_false(eem_command_fits(policies, 0, 0, TEXT("x"), NULL, 0)); /* a regexp */
	assert_false(eem_command_fits(policies, 9, 0, TEXT("x"), NULL, 0));
	span.len = 400;
	assert_false(eem_command_fits(policies, 0, 1, TEXT("show ip route 192.0.2.7 | include via"), &span, 1));
}

/* --- Bounds ------------------------------------------------------------------------------------------------------ */

static void test_a_run_has_its_own_memory_and_no_more(void **state)
{
	(void)state;
	start("event manager applet a\n event none\n action 1 set x \"0123456789012345\"\n action 2 while 1 eq 1\n"
	      " action 3 set x \"$x$x\"\n action 4 end\n");
	run_applet("a", NULL);
	pass(0.1);
	assert_says("its values take more than 262144 bytes");
}

static void test_the_queue_is_bounded_and_counts_what_it_drops(void **state)
{
	(void)state;
	settings.runs_max = 2;
	settings.queue_max = 3;
	settings.policy_runs_per_minute = 1000;
	settings.instructions_max = 200000;
	settings.run_bytes_max = 262144;
	settings.result_bytes_max = 1000;
	settings.history_max = 4;
	start("event manager applet a\n event syslog pattern \"X-1-Y\" maxrun 0\n action 1 cli command \"show x\"\n");
	for (unsigned i = 0; i < 7; i++)
		message("%X-1-Y: z");
	assert_said("command: show x\ncommand: show x\nnotice: applet a is not started: 2 run and 3 wait already; further ones are counted\n");
	assert_int_equal(eem_figures(eem).running, 2);
	assert_int_equal(eem_figures(eem).waiting, 3);
	assert_int_equal(eem_figures(eem).dropped, 2);
	answer("done");
	assert_said("close\ncommand: show x\n");
	assert_int_equal(eem_figures(eem).waiting, 2);
	assert_non_null(eem_history_at(eem, 3));
	assert_null(eem_history_at(eem, 4)); /* a ring */
	assert_int_equal(eem_history_at(eem, 0)->number, 2);
	memset(&settings, 0, sizeof(settings));
}

static void test_results_are_cut_to_their_bound(void **state)
{
	static char big[200001];

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	start("event manager applet a\n event none\n action 1 cli command \"show x\"\n action 2 string length \"$_cli_result\"\n"
	      " action 3 puts $_string_result\n");
	run_applet("a", NULL);
	said();
	answer(big);
	assert_says("the command's output of 200000 bytes was cut to 131072");
	assert_non_null(strstr(shown, "a: 131072"));
}

static void test_a_command_that_fails_ends_the_run(void **state)
{
	(void)state;
	start("event manager applet a\n event none\n action 1 cli command \"show x\"\n action 2 puts \"on\"\n");
	run_applet("a", NULL);
	said();
	eem_result(eem, asked, EEM_REFUSED, TEXT("mode observe"), now);
	assert_said("notice: applet a: action 1 cli: the command was refused: mode observe\nclose\n");
	eem_result(eem, asked, EEM_DONE, TEXT("again"), now);
	assert_said("");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_hub_collects_waits_and_sends_its_trap),
		cmocka_unit_test(test_the_hub_dies_when_its_commands_are_slow),
		cmocka_unit_test(test_the_spoke_hears_the_trap_under_both_roots),
		cmocka_unit_test(test_branches),
		cmocka_unit_test(test_loops),
		cmocka_unit_test(test_a_loop_without_an_end_is_ended),
		cmocka_unit_test(test_arithmetic_and_strings),
		cmocka_unit_test(test_errors_end_the_run_and_are_said),
		cmocka_unit_test(test_what_is_wholly_typed_reaches_a_command),
		cmocka_unit_test(test_anything_else_stops_the_run),
		cmocka_unit_test(test_no_way_round),
		cmocka_unit_test(test_a_capture_may_be_put_together_behind_a_word),
		cmocka_unit_test(test_line_breaks_never_leave),
		cmocka_unit_test(test_where_mail_goes_is_configured),
		cmocka_unit_test(test_the_command_that_arrives_is_checked_again),
		cmocka_unit_test(test_a_run_has_its_own_memory_and_no_more),
		cmocka_unit_test(test_the_queue_is_bounded_and_counts_what_it_drops),
		cmocka_unit_test(test_results_are_cut_to_their_bound),
		cmocka_unit_test(test_a_command_that_fails_ends_the_run),
	};

	return cmocka_run_group_tests(tests, NULL, stop);
}
