/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include "base/memory.h"
#include "parse/config.h"
#include "spimend/error.h"

static struct config config, standard;
static struct config_report report;
static char shown[65536];

static int parse(const char *text)
{
	return config_parse(text_of(text), &config, &report);
}

static const char *show(void)
{
	struct buffer out = { 0 };

	config_print(&config, &out);
	assert_int_equal(buffer_error(&out), 0);
	text_copy(buffer_text(&out), shown, sizeof(shown));
	buffer_done(&out);
	return shown;
}

static const char *complaints(void)
{
	struct buffer out = { 0 };

	config_report_print(&report, TEXT("f.conf"), &out);
	text_copy(buffer_text(&out), shown, sizeof(shown));
	buffer_done(&out);
	return shown;
}

#define QUIET "sense strongswan /run/charon.vici\n sense interface eth0\n"

/* One bad line behind the block's head; returns what is said of it. */
static const char *refusal(const char *line)
{
	char text[2048];

	snprintf(text, sizeof(text), "spimend\n " QUIET " %s\n", line);
	memset(&config, 0x5a, sizeof(config));
	assert_int_equal(parse(text), SPIMEND_E_SYNTAX);
	assert_int_equal(report.errors, 1);
	assert_int_equal(report.problems[0].line, 4);
	assert_int_equal(((unsigned char *)&config)[17], 0x5a); /* untouched */
	return report.problems[0].text;
}

static void test_the_example_of_the_design_is_read(void **state)
{
	(void)state;
	assert_int_equal(parse("hostname hub\n"
			       "crypto isakmp invalid-spi-recovery            ! B11; outside mode repair only planned\n"
			       "spimend\n"
			       " mode repair\n"
			       " state-directory /srv/spimend\n"
			       " sense interface eth0\n"
			       " sense strongswan /run/charon.vici\n"
			       " repair limit per-peer 2 per 90\n"), 0);
	assert_int_equal(report.warnings, 0);
	assert_string_equal(config.hostname, "hub");
	assert_true(config.invalid_spi_recovery);
	assert_int_equal(config.mode, MODE_REPAIR);
	assert_string_equal(config.state_directory, "/srv/spimend");
	assert_int_equal(config.interface_count, 1);
	assert_string_equal(config.interfaces[0].name, "eth0");
	assert_int_equal(config.interfaces[0].capture, CAPTURE_PACKET);
	assert_string_equal(config.daemons[0], "/run/charon.vici");
	assert_int_equal(config.per_peer_count, 2);
	assert_int_equal(config.per_peer_ns, 90 * SECOND_NS);
}

static void test_nothing_said_is_the_default(void **state)
{
	(void)state;
	config_default(&standard);
	assert_int_equal(parse(""), 0);
	assert_memory_equal(&config, &standard, sizeof(config));
	assert_string_equal(show(), "");
	assert_int_equal(config.mode, MODE_ADVISE);
	assert_int_equal(report.warnings, 2); /* nothing to sense */
}

static void test_what_is_printed_parses_back(void **state)
{
	static const char text[] =
		"hostname hub-1.example\n"
		"crypto isakmp invalid-spi-recovery\n"
		"spimend\n"
		" mode repair\n"
		" user ipsec\n"
		" control-group adm\n"
		" sense interface eth0\n"
		" sense interface eth1.7 xdp generic\n"
		" sense interface wan xdp native\n"
		" sense strongswan /run/charon.vici\n"
		" sense strongswan /run/charon-2.vici plugin /run/spimend-charon.sock\n"
		" no sense encap-port 4500\n"
		" sense encap-port 443\n"
		" sense encap-port 4501\n"
		" sense audit\n"
		" no sense xfrm\n"
		" peer 192.0.2.7 observe\n"
		" peer 198.51.100.1 ignore\n"
		" peer 2001:db8::7 repair\n"
		" judge overlap 7.25\n"
		" judge settle 0.000000001\n"
		" judge stray-count 4\n"
		" limit ledger 1000\n"
		" repair limit per-peer 2 per 90.5\n"
		" repair breaker 7 per 20\n"
		" repair back-off 5\n"
		" repair back-off-most 50\n"
		" log limit per-flow 0\n"
		" log limit per-minute 100\n";
	struct config first;

	(void)state;
	assert_int_equal(parse(text), 0);
	assert_int_equal(report.warnings, 0);
	first = config;
	assert_string_equal(show(), text);
	assert_int_equal(parse(shown), 0);
	assert_memory_equal(&first, &config, sizeof(config));
}

/* Every row of the table with a value at each end of its range. */
static void test_every_command_takes_its_range_and_no_more(void **state)
{
	struct config_command c;
	char line[256];

	(void)state;
	for (size_t i = 0; config_command_at(i, &c); i++) {
		double least, most;

		if (!c.range[0])
			continue;
		assert_int_equal(sscanf(c.range, "%lf to %lf", &least, &most), 2);
		for (int side = 0; side < 4; side++) {
			double value = side == 0 ? least : side == 1 ? most : side == 2 ? most + 1 : least - 1;
			bool is_rate = strstr(c.arguments, "per") != NULL;

			if (value < 0)
				continue;
			if (is_rate)
				snprintf(line, sizeof(line), "%s %.15g per %.15g", c.keywords, value < 1 ? 0.0 : 1.0, side < 3 ? value : 1);
			else
				snprintf(line, sizeof(line), "%s %.15g", c.keywords, value);
			if (strstr(c.keywords, "back-off-most") && side == 0)
				snprintf(line, sizeof(line), "repair back-off 1\n repair back-off-most 1");
			if (strcmp(c.keywords, "repair back-off") == 0 && side == 1)
				snprintf(line, sizeof(line), "repair back-off 86400\n repair back-off-most 86400");
			if (side > 1) {
				refusal(line);
			} else {
				char text[512];

				snprintf(text, sizeof(text), "spimend\n %s\n", line);
				if (parse(text) != 0)
					fail_msg("%s: %s", line, complaints());
			}
		}
	}
}

static void test_each_default_is_what_its_line_would_set(void **state)
{
	struct config_command c;

	(void)state;
	config_default(&standard);
	for (size_t i = 0; config_command_at(i, &c); i++) {
		char text[512];

		assert_true(strlen(c.help) > 8);
		if (!c.standard[0])
			continue;
		snprintf(text, sizeof(text), "spimend\n%s %s\n", c.keywords, c.standard);
		if (c.block == CONFIG_TOP)
			memmove(text, text + 8, strlen(text + 8) + 1);
		if (parse(text) != 0)
			fail_msg("%s: %s", text, complaints());
		assert_memory_equal(&config, &standard, sizeof(config));
	}
}

/* tests/house has the other direction. */
static void test_the_manual_has_every_default_and_range(void **state)
{
	FILE *file = fopen("doc/spimend.conf.5", "r");
	static char page[65536];
	struct config_command c;
	size_t len;

	(void)state;
	if (!file)
		skip(); /* not run from the project's folder */
	len = fread(page, 1, sizeof(page) - 1, file);
	fclose(file);
	page[len] = '\0';
	for (size_t i = 0; config_command_at(i, &c); i++) {
		char item[256], range[128];
		const char *at;

		snprintf(item, sizeof(item), "\n.It Cm %s%s%s%s%s\n", c.keywords, c.arguments[0] ? " Ar " : "", c.arguments,
			 c.standard[0] ? " Pq " : "", c.standard);
		snprintf(range, sizeof(range), "\nFrom %s.\n", c.range);
		at = strstr(page, item);
		if (!at || (c.range[0] && !strstr(at, range)))
			fail_msg("not in doc/spimend.conf.5: %s%s", item, c.range[0] ? range : "");
	}
}

static void test_what_the_plugin_does_takes_a_plugin(void **state)
{
	(void)state;
	assert_int_equal(parse("spimend\n " QUIET), 0);
	assert_false(config.crash_detection || config.notify_invalid_spi);
	assert_int_equal(parse("spimend\nmode repair\nsense strongswan /run/a plugin /run/p\ncrash-detection\nnotify invalid-spi\n"
			       "sense interface eth0\n"), 0);
	assert_true(config.crash_detection && config.notify_invalid_spi);
	assert_int_equal(report.warnings, 0);
	assert_int_equal(parse("spimend\nsense strongswan /run/a plugin /run/p\ncrash-detection\nsense interface eth0\n"), 0);
	assert_int_equal(report.warnings, 1); /* not in mode advise */
	assert_int_equal(parse("spimend\nmode repair\nsense strongswan /run/a\ncrash-detection\nnotify invalid-spi\nsense interface eth0\n"), 0);
	assert_int_equal(report.warnings, 2);
}

static void test_a_daemon_may_name_its_plugin(void **state)
{
	(void)state;
	assert_int_equal(parse("spimend\n " QUIET), 0);
	assert_string_equal(config.plugins[0], "");
	assert_int_equal(parse("spimend\nsense strongswan /run/a plugin /run/p\nsense strongswan /run/b pl /run/q\nsense strongswan /run/c\n"
			       "no sense strongswan /run/a\nsense interface eth0\n"), 0);
	assert_int_equal(config.daemon_count, 2);
	assert_string_equal(config.daemons[0], "/run/b");
	assert_string_equal(config.plugins[0], "/run/q");
	assert_string_equal(config.plugins[1], "");
	assert_string_equal(config.plugins[2], "");
	/* The latest line counts, and is said to differ. */
	assert_int_equal(parse("spimend\nsense strongswan /run/a plugin /run/p\nsense strongswan /run/a\nsense interface eth0\n"), 0);
	assert_int_equal(report.warnings, 1);
	assert_string_equal(config.plugins[0], "");
	assert_string_equal(refusal("sense strongswan /run/a plugin"),
			    "socket of the plugin '': an absolute path of at most 107 bytes is expected");
	assert_string_equal(refusal("sense strongswan /run/a plugin run/p"),
			    "socket of the plugin 'run/p': an absolute path of at most 107 bytes is expected");
	assert_string_equal(refusal("sense strongswan /run/a with /run/p"), "word 'with': 'plugin PATH' is expected, or nothing");
	assert_string_equal(refusal("sense strongswan /run/a plugin /run/a"),
			    "socket of the plugin '/run/a': it is the VICI socket; the plugin has one of its own");
}

static void test_keywords_may_be_abbreviated_and_are_of_any_case(void **state)
{
	(void)state;
	assert_int_equal(parse("HOST hub\ncry isa inv\nspim\nMODE rep\nsen int eth0 x g\nsen str /run/x\nju ov 4\nre li p 3 p 30\nre pac 2\n"),
			 0);
	assert_int_equal(report.warnings, 0);
	assert_string_equal(show(), "hostname hub\ncrypto isakmp invalid-spi-recovery\nspimend\n mode repair\n"
				    " sense interface eth0 xdp generic\n sense strongswan /run/x\n judge overlap 4\n"
				    " repair limit per-peer 3 per 30\n repair pace 2\n");
}

static void test_ambiguous_words_are_refused_with_their_meanings(void **state)
{
	(void)state;
	assert_string_equal(refusal("judge s 1"), "'judge s' may mean settle, stray-count or stray-span");
	assert_string_equal(refusal("l l 5"), "'l' may mean limit or log");
	assert_string_equal(refusal("repair back 5"), "'repair back' may mean back-off or back-off-most");
	assert_string_equal(refusal("repair"), "'repair' is incomplete: limit, concurrent, breaker, pace, back-off, back-off-most, "
					       "attempts, order-timeout or sdwan is expected next");
}

static void test_unknown_lines_name_the_nearest_command(void **state)
{
	(void)state;
	assert_string_equal(refusal("mdoe repair"), "unknown command 'mdoe repair'; did you mean 'mode observe|advise|repair'?");
	assert_string_equal(refusal("sense strongsawn /run/x"),
			    "unknown command 'sense strongsawn /run/x'; did you mean 'sense strongswan PATH [plugin PATH]'?");
	assert_string_equal(refusal("hostnam3 x"), "unknown command 'hostnam3 x'; did you mean 'hostname NAME'?");
	assert_string_equal(refusal("sense electricity"),
			    "unknown command 'sense electricity'; after 'sense' stands interface, strongswan, encap-port, audit, xfrm or trap-port");
	assert_string_equal(refusal("interface Tunnel0"), "unknown command 'interface Tunnel0'");
	/* Pasted router lines carry keys, and what is said here ends in the log. */
	assert_string_equal(refusal("enable secret 5 $1$abc"), "unknown command 'enable secret ...'");
	assert_string_equal(refusal("username ann password 0 hunter2"), "unknown command 'username ann password ...'");
	assert_string_equal(refusal("crypto isakmp key hunter2 address 192.0.2.7"), "unknown command 'crypto isakmp key ...'");
	assert_string_equal(refusal("\x1b[31mred"), "unknown command '.[31mred'");
	assert_int_equal(parse("mode repair\n"), SPIMEND_E_SYNTAX);
	assert_string_equal(report.problems[0].text,
			    "'mode observe|advise|repair' stands inside the block that the line 'spimend' opens");
}

static void test_commands_of_later_versions_are_no_typing_errors(void **state)
{
	(void)state;
	assert_int_equal(parse("event manager policy x.tcl\n"
			       "snmp-server host 192.0.2.3 public\nlogging host 192.0.2.9\n"
			       "debug crypto isakmp\nspimend\n " QUIET), SPIMEND_E_SYNTAX);
	assert_string_equal(complaints(), "f.conf:1: 'event manager policy' is not in this version yet\n"
					  "f.conf:4: unknown command 'debug crypto isakmp'\n"
					  "f.conf: warning: an SNMP community that everybody knows: traps with it are as good as anybody's\n");
}

/* Note 000's own text, with what a terminal and a document put around it. The lines of applets are the compiler's of eem. */
static void test_applets_are_left_to_their_compiler(void **state)
{
	static const char text[] =
		"hub(config)#hostname hub\nconf t\n!\nevent manager environment peer 11.1.1.3\nevent manager applet command_hub\n"
		" event syslog pattern \"CRYPTO-4-RECVD_PKT_INV_SPI.*srcaddr=11.1.1.3\"\n action 1 cli command \"enable\"\n"
		" action 3 cli command \"show crypto sockets | append disk0:hub.txt\"\n action 7 wait 18\n!\n"
		"event manager applet spoke_app\n event snmp-notification oid 1.3.6.1.4.1.9.10.91.1.2.3.1.9.\n"
		"    oid-val \"2323232\" op eq src-ip-address 213.163.222.7 maxrun 35\n"
		"action 1.0 syslog msg \"Received trap from Hub... and a line of very many words, more than any command of the file has\"\n"
		"spimend device spoke1\nno action 9\nspimend\n mode repair\n " QUIET "end\nno event manager applet old\n";
	struct buffer printed = { 0 };

	(void)state;
	assert_int_equal(parse(text), 0);
	assert_string_equal(config.hostname, "hub");
	assert_int_equal(config.mode, MODE_REPAIR);
	config_print(&config, &printed);
	assert_false(text_has(buffer_text(&printed), TEXT("event manager")));
	buffer_done(&printed);
	/* What is no line of an applet is not swallowed by it. */
	assert_int_equal(parse("event manager applet x\n event none\nhostname\nspimend\n " QUIET), SPIMEND_E_SYNTAX);
	assert_int_equal(parse("event manager applet x\n event none\ninterfaces Tunnel0\nspimend\n " QUIET), SPIMEND_E_SYNTAX);
}

static void test_a_line_typed_changes_what_runs(void **state)
{
	static struct config was, now;
	bool eem;

	(void)state;
	assert_int_equal(parse("hostname hub\nspimend\n mode repair\n peer 192.0.2.7 observe\n " QUIET), 0);
	was = config;
	assert_int_equal(config_change(&was, TEXT("mode observe"), CONFIG_SPIMEND, &now, &eem, &report), 0);
	assert_int_equal(now.mode, MODE_OBSERVE);
	assert_int_equal(report.warnings, 0); /* said again, and meant */
	assert_int_equal(config_change(&was, TEXT("no peer 192.0.2.7"), CONFIG_SPIMEND, &now, &eem, &report), 0);
	assert_int_equal(now.peer_count, 0);
	assert_int_equal(config_change(&was, TEXT("mode sometimes"), CONFIG_SPIMEND, &now, &eem, &report), SPIMEND_E_SYNTAX);
	assert_int_equal(config_change(&was, TEXT("hub(config)#hostname spoke"), CONFIG_TOP, &now, &eem, &report), 0);
	assert_string_equal(now.hostname, "spoke");
}

static bool is_within(const char *file, const char *typed, const char **what)
{
	static struct config ceiling, now;
	bool eem;

	assert_int_equal(parse(file), 0);
	ceiling = config;
	assert_int_equal(config_change(&ceiling, text_of(typed), CONFIG_SPIMEND, &now, &eem, &report), 0);
	return config_is_within(&now, &ceiling, what);
}

static void test_the_file_is_the_ceiling(void **state)
{
	static const char file[] = "hostname hub\nspimend\n mode advise\n peer 192.0.2.7 observe\n repair concurrent 4\n " QUIET;
	const char *what = NULL;

	(void)state;
	assert_true(is_within(file, "mode observe", &what));
	assert_false(is_within(file, "mode repair", &what));
	assert_string_equal(what, "mode");
	assert_true(is_within(file, "peer 192.0.2.7 ignore", &what));
	assert_true(is_within(file, "peer 192.0.2.8 repair", &what)); /* as the mode allows, as before */
	assert_false(is_within(file, "no peer 192.0.2.7", &what));
	assert_false(is_within(file, "peer 192.0.2.7 repair", &what));
	assert_true(is_within(file, "repair concurrent 1", &what));
	assert_false(is_within(file, "repair concurrent 5", &what));
	assert_false(is_within(file, "repair limit per-peer 2 per 60", &what));
	assert_false(is_within(file, "repair limit per-peer 1 per 59", &what));
	assert_true(is_within(file, "repair limit per-peer 1 per 600", &what));
	assert_false(is_within(file, "sense interface eth9", &what));
	assert_false(is_within(file, "operators wheel", &what));
	assert_false(is_within(file, "user daemon", &what));
	assert_false(is_within(file, "limit ledger 100", &what));
	assert_true(is_within(file, "judge overlap 60", &what));
	assert_true(is_within(file, "logging host 192.0.2.9", &what));
	assert_false(is_within(file, "crypto isakmp invalid-spi-recovery", &what));
}

static void test_who_is_told_and_heard_is_read_as_ios_writes_it(void **state)
{
	const struct config_notify *n = &config.notify;

	(void)state;
	/* B21, as the note has it. */
	assert_int_equal(parse("snmp-server enable traps event-manager\nsnmp-server host 11.1.1.3 public event-manager\n"
			       "snmp-server manager\nlogging host 192.0.2.9\n"
			       "logging host 192.0.2.10 transport tcp port 1470 format rfc5424\n"
			       "logging host 2001:db8::9 transport tls server logs.example\n"
			       "logging trap warnings\nlogging buffered 128000 6\n"
			       "snmp-server user ann key-file /etc/spimend/ann\nsnmp-server user bob key-file /etc/spimend/bob\n"
			       "snmp-server host 11.1.1.4 traps version 3 priv ann udp-port 1162\n"
			       "snmp-server host 11.1.1.5 version 2c traps\n"
			       "snmp-server community private RO\nsnmp-server engineID local 8000000001020304\n"
			       "spimend\n" QUIET " sense trap-port 1162\n dial eem-root 1.3.6.1.4.1.9.10.134\n"), 0);
	assert_true(n->manager && n->enable_event_manager);
	assert_int_equal(n->host_count, 3);
	assert_string_equal(n->hosts[2].name, "traps");
	assert_string_equal(n->hosts[0].name, "public");
	assert_false(n->hosts[0].informs);
	assert_int_equal(n->hosts[0].security, NOTIFY_V2C);
	assert_int_equal(n->hosts[0].port, 162);
	assert_int_equal(n->hosts[1].security, NOTIFY_V3_PRIV);
	assert_int_equal(n->hosts[1].port, 1162);
	assert_int_equal(n->log_host_count, 3);
	assert_int_equal(n->log_hosts[0].port, 514);
	assert_int_equal(n->log_hosts[1].port, 1470);
	assert_true(n->log_hosts[1].rfc5424);
	assert_int_equal(n->log_hosts[2].port, 6514);
	assert_string_equal(n->log_hosts[2].server, "logs.example");
	assert_int_equal(n->log_level, 4);
	assert_int_equal(n->buffer_size, 128000);
	assert_int_equal(n->buffer_level, 6);
	assert_int_equal(n->user_count, 2);
	assert_string_equal(n->users[0].key_file, "/etc/spimend/ann");
	assert_int_equal(n->engine_len, 8);
	assert_int_equal(n->trap_port, 1162);
	assert_int_equal(n->eem_root.id[8], 134);
}

static void test_who_is_told_prints_and_parses_back(void **state)
{
	static struct config before;

	(void)state;
	test_who_is_told_and_heard_is_read_as_ios_writes_it(NULL);
	before = config;
	memset(&config, 0, sizeof(config));
	config = before;
	{
		char text[sizeof(shown)];

		text_copy(text_of(show()), text, sizeof(text));
		assert_int_equal(parse(text), 0);
		assert_memory_equal(&before, &config, sizeof(config));
		assert_string_equal(show(), text);
	}
}

static void test_a_users_keys_come_from_their_own_file(void **state)
{
	struct buffer why = { 0 };
	struct notify_user user;

	(void)state;
	memset(&user, 0, sizeof(user));
	assert_int_equal(config_read_keys(TEXT("# ann's\nauth sha256 longenough\n\n priv aes128 longenough2\n"), &user, &why), 0);
	assert_int_equal(user.hash, NOTIFY_SHA256);
	assert_true(user.encrypts);
	assert_string_equal(user.auth, "longenough");
	assert_string_equal(user.priv, "longenough2");
	memset(&user, 0, sizeof(user));
	assert_int_equal(config_read_keys(TEXT("auth sha hunter2\n"), &user, &why), SPIMEND_E_SYNTAX);
	assert_int_equal(config_read_keys(TEXT("auth md5 longenough\n"), &user, &why), SPIMEND_E_SYNTAX);
	assert_int_equal(config_read_keys(TEXT("auth sha longenough extra\n"), &user, &why), SPIMEND_E_SYNTAX);
	assert_int_equal(config_read_keys(TEXT("priv des longenough\n"), &user, &why), SPIMEND_E_SYNTAX);
	memset(&user, 0, sizeof(user));
	assert_int_equal(config_read_keys(TEXT("priv aes128 longenough\n"), &user, &why), SPIMEND_E_SYNTAX); /* without auth */
	assert_false(text_has(buffer_text(&why), TEXT("hunter2")) || text_has(buffer_text(&why), TEXT("longenough")));
	buffer_done(&why);
}

#define PASTED "hub(config)#snmp-server user ann netops v3 auth sha hunter2hunter2 priv aes 128 hunter3hunter3\n" \
	       "snmp-s us bob netops v3 auth sha-2 384 \"hunter4hunter4\"  \nno snmp-server user eve netops v3 auth sha hunter5hunter5\n" \
	       "event manager applet a\n event none\n action 1 cli command \"snmp-server user x g v3 auth sha hunter6hunter6\"\n"

static void test_passwords_in_a_line_are_hidden_and_put_back(void **state)
{
	static const char line[] = "snmp-server user ann netops v3 auth sha " CONFIG_HIDDEN " priv aes 128 " CONFIG_HIDDEN "\n";
	struct buffer hidden = { 0 }, whole = { 0 };
	struct notify_user keys[NOTIFY_USERS_MAX];
	struct config_notify *n = &config.notify;
	bool any;

	(void)state;
	assert_int_equal(parse("snmp-server user ann netops v3 auth sha hunter2hunter2 priv aes 128 hunter3hunter3\n"
			       "snmp-server user bob netops v3 auth sha-2 384 hunter4hunter4\nspimend\n" QUIET), 0);
	assert_int_equal(n->users[0].hash, NOTIFY_SHA);
	assert_string_equal(n->users[0].priv, "hunter3hunter3");
	assert_int_equal(n->users[1].hash, NOTIFY_SHA384);
	config_hide_keys(n, keys);
	assert_true(n->users[0].is_inline && !n->users[0].auth[0] && !n->users[0].priv[0] && n->users[0].encrypts);
	assert_string_equal(config_hidden_keys(keys, TEXT("bob"))->auth, "hunter4hunter4");
	assert_null(config_hidden_keys(keys, TEXT("eve")));
	assert_non_null(strstr(show(), line));
	assert_null(strstr(show(), "hunter"));
	assert_int_equal(parse(show()), 0); /* as it is shown it may be pasted, and still has none */
	assert_true(config.notify.users[1].is_inline && !config.notify.users[1].auth[0]);
	assert_true(config_unhide_text(text_of(show()), keys, &whole, &any) && any);
	assert_true(text_has(buffer_text(&whole), TEXT("ann netops v3 auth sha hunter2hunter2 priv aes 128 hunter3hunter3\n")));
	assert_true(text_has(buffer_text(&whole), TEXT("bob netops v3 auth sha384 hunter4hunter4\n")));
	assert_false(config_unhide_text(TEXT("snmp-server user eve g v3 auth sha " CONFIG_HIDDEN "\n"), keys, &whole, &any));
	keys[1].auth[0] = 0; /* as of a text that was hidden before */
	assert_false(config_unhide_text(text_of(show()), keys, &whole, &any));
	config_hide_text(TEXT(PASTED), &hidden);
	for (const char *secret = "2345"; *secret; secret++) {
		const char word[] = { 'h', 'u', 'n', 't', 'e', 'r', *secret, 0 };

		assert_false(text_has(buffer_text(&hidden), text_of(word)));
	}
	assert_true(text_has(buffer_text(&hidden), TEXT("hunter6hunter6"))); /* an applet's own */
	buffer_done(&hidden);
	buffer_done(&whole);
}

static void test_groups_are_kept_and_mean_nothing(void **state)
{
	(void)state;
	assert_int_equal(parse("snmp-server group netops v3 priv read ALL write ALL access 10\nsnmp-server group other v3 noauth\n"
			       "snmp-server group third v3 auth\nno snmp-server group other\nspimend\n" QUIET), 0);
	assert_int_equal(config.notify.group_count, 2);
	assert_non_null(strstr(show(), "snmp-server group netops v3 priv\nsnmp-server group third v3 auth\n"));
	assert_int_equal(parse(show()), 0);
	assert_int_equal(config.notify.group_count, 2);
	assert_non_null(strstr(refusal("snmp-server group netops v2c x"), "v3 is expected"));
	assert_non_null(strstr(refusal("snmp-server group netops v3 much"), "auth, noauth or priv"));
	assert_non_null(strstr(refusal("snmp-server group netops v3 priv read"), "none bounds anything here"));
	assert_non_null(strstr(refusal("no snmp-server group netops"), "nothing to take back"));
}

static void test_informs_are_read_as_ios_writes_them(void **state)
{
	(void)state;
	assert_int_equal(parse("snmp-server host 192.0.2.3 informs version 3 priv ann\nsnmp-server host 2001:db8::3 informs public\n"
			       "snmp-server user ann key-file /etc/spimend/ann\nspimend\n" QUIET), 0);
	assert_true(config.notify.hosts[0].informs && config.notify.hosts[1].informs);
	assert_string_equal(notify_host_how(&config.notify.hosts[0]), "3 priv informs");
	assert_non_null(strstr(show(), "snmp-server host 192.0.2.3 informs version 3 priv ann event-manager\n"
				       "snmp-server host 2001:db8::3 informs public event-manager\n"));
	assert_int_equal(parse(show()), 0);
	assert_true(config.notify.hosts[0].informs && config.notify.hosts[1].informs);
}

static void test_who_is_told_can_be_taken_back(void **state)
{
	(void)state;
	assert_int_equal(parse("snmp-server host 11.1.1.3 public\nsnmp-server host 11.1.1.3 other\nsnmp-server host 11.1.1.4 public\n"
			       "no snmp-server host 11.1.1.3\nlogging host 192.0.2.9\nno logging host 192.0.2.9\n"
			       "snmp-server community a\nno snmp-server community a\nsnmp-server user ann key-file /x\nno snmp-server user ann\n"
			       "logging trap 7\nno logging trap\nno snmp-server manager\nspimend\n" QUIET), 0);
	assert_int_equal(config.notify.host_count, 1);
	config.notify.host_count = 0;
	memset(config.notify.hosts, 0, sizeof(config.notify.hosts));
	config_default(&standard);
	assert_memory_equal(&config.notify, &standard.notify, sizeof(standard.notify));
}

static void test_who_is_told_refuses_what_it_cannot_do_by_name(void **state)
{
	static const struct {
		const char *line, *why;
	} users[] = {
		{ "snmp-server user ann netops hunter2", "is expected behind the user's name" },
		{ "snmp-server user bob grp v3 auth md5 hunter2hunter2", "MD5 is broken" },
		{ "snmp-server user bob grp v3 auth sha hunter2hunter2 priv des hunter3hunter3", "'priv des' and '3des' are not used" },
		{ "snmp-server user bob grp v3 auth sha hunter2hunter2 priv 3des hunter3hunter3", "'priv des' and '3des' are not used" },
		{ "snmp-server user bob grp v3 auth sha hunter2hunter2 priv aes 256 hunter3hunter3", "with 128 bits alone" },
		{ "snmp-server user bob grp v3 auth sha hunter2hunter2 priv aes hunter3hunter3", "'128' is expected" },
		{ "snmp-server user bob grp v3 auth sha hunter2", "8 to 63 printable characters" },
		{ "snmp-server user bob grp v3 auth sha-2 hunter2hunter2", "sha-2 with 224" },
		{ "snmp-server user bob grp v3 auth hunter2hunter2", "is expected behind 'auth'" },
		{ "snmp-server user bob grp v3 encrypted auth sha hunter2hunter2", "one engine alone" },
		{ "snmp-server user bob grp v3 auth sha hunter2hunter2 access 10", "there is none" },
		{ "snmp-server user bob grp v3 auth sha hunter2hunter2 priv aes 128 hunter3hunter3 hunter4", "the end of the line" },
		{ "snmp-server user bob grp remote 192.0.2.1 v3 auth sha hunter2hunter2", "'remote' is not taken" },
		{ "snmp-server user bob grp v3", "a user without a password is anybody" },
		{ "snmp-server user bob grp v2c", "GROUP v3" },
	};

	(void)state;
	assert_string_equal(refusal("snmp-server host 11.1.1.3 version 1 public"), "version '1': traps are sent with version 2c or 3");
	assert_string_equal(refusal("snmp-server host hub public"), "address 'hub': an IPv4 or IPv6 address is expected");
	assert_string_equal(refusal("snmp-server host 11.1.1.3 public bgp"),
			    "word 'bgp': 'udp-port PORT' or 'event-manager' is expected; other traps are not sent");
	assert_string_equal(refusal("snmp-server host 11.1.1.3 version 3 public"), "level 'public': auth, noauth or priv is expected");
	for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
		if (!strstr(refusal(users[i].line), users[i].why))
			fail_msg("%s: %s", users[i].line, report.problems[0].text);
		assert_null(strstr(report.problems[0].text, "hunter"));
	}
	/* A community is not repeated. */
	assert_null(strstr(refusal("snmp-server host 192.0.2.3 hunter2 ipsec"), "hunter2"));
	assert_null(strstr(refusal("snmp-server hosts 192.0.2.3 hunter2"), "hunter2"));
	assert_string_equal(refusal("snmp-server engineid local 80"), "engine '80': 5 to 32 bytes in hex are expected");
	assert_string_equal(refusal("logging host collector"), "address 'collector': an IPv4 or IPv6 address is expected");
	assert_string_equal(refusal("logging host 192.0.2.9 server x"), "server 'x': a name is only checked with 'transport tls'");
	assert_string_equal(refusal("logging buffered 100"), "number '100': from 4096 to 67108864 is expected");
	assert_string_equal(refusal("dial eem-root 3.1"),
			    "identifier '3.1': numbers with dots are expected, such as 1.3.6.1.4.1.9.10.134");
}

static void test_webhooks_are_read_and_printed(void **state)
{
	static const char text[] = "ip host hooks.example 192.0.2.7\nspimend\n dial tls trust /etc/ca.pem\n"
				   " hook webhook https://hooks.example/a/b?c=%20d secret-file /etc/spimend/hook\n"
				   " hook webhook http://127.0.0.1:8080/ secret-file /etc/spimend/hook\n"
				   " hook webhook https://[2001:db8::1]:8443/x secret-file /etc/spimend/other\n";
	static struct config before;
	char again[sizeof(shown)], url[HOOK_URL_MAX];

	(void)state;
	assert_int_equal(parse(text), 0);
	assert_int_equal(config.hooks.web_count, 3);
	assert_true(config.hooks.webs[0].tls && !config.hooks.webs[1].tls);
	assert_int_equal(config.hooks.webs[0].port, 443);
	assert_int_equal(config.hooks.webs[1].port, 8080);
	assert_string_equal(config.hooks.webs[2].host, "2001:db8::1");
	assert_string_equal(hook_web_print(&config.hooks.webs[0], url), "https://hooks.example/a/b?c=%20d");
	assert_string_equal(hook_web_show(&config.hooks.webs[0], url), "https://hooks.example/a/b?...");
	assert_string_equal(hook_web_show(&config.hooks.webs[2], url), "https://[2001:db8::1]:8443/x");
	assert_string_equal(hook_web_print(&config.hooks.webs[2], url), "https://[2001:db8::1]:8443/x");
	assert_null(strstr(complaints(), "hook"));
	before = config;
	text_copy(text_of(show()), again, sizeof(again));
	assert_int_equal(parse(again), 0);
	assert_memory_equal(&before, &config, sizeof(config));
	assert_int_equal(parse("spimend\n hook webhook http://127.0.0.1/ secret-file /a\n no hook webhook http://127.0.0.1/\n"), 0);
	assert_int_equal(config.hooks.web_count, 0);
	parse("spimend\n hook webhook http://192.0.2.1/ secret-file /a\n");
	assert_non_null(strstr(complaints(), "is read by whoever reads the network"));
	parse("spimend\n hook webhook https://hooks.example/ secret-file /a\n");
	assert_non_null(strstr(complaints(), "no 'ip host' line knows"));
}

static void test_a_program_needs_a_user_of_its_own(void **state)
{
	static const char *const bad[] = {
		"hook exec /bin/true", "hook exec /bin/true\n hook user root", "hook exec /bin/true\n hook user spimend",
		"hook exec /bin/true\n dial user other\n hook user other", "hook exec bin/true\n hook user page",
	};
	char line[256];

	(void)state;
	assert_int_equal(parse("spimend\n hook exec /usr/bin/page  --to ops ;x  $(y)\n hook user page\n"), 0);
	assert_string_equal(config.hooks.program, "/usr/bin/page");
	assert_string_equal(config.hooks.arguments, "--to ops ;x $(y)"); /* no shell reads them */
	assert_non_null(strstr(show(), "\n hook exec /usr/bin/page --to ops ;x $(y)\n hook user page\n"));
	assert_int_equal(parse("spimend\n hook exec /usr/bin/page x\n no hook exec\n"), 0);
	assert_string_equal(config.hooks.program, "");
	assert_string_equal(config.hooks.arguments, "");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(line, sizeof(line), "spimend\n %s\n", bad[i]);
		assert_true(parse(line) < 0);
	}
}

static void test_webhooks_that_are_none_are_refused(void **state)
{
	static const char *const urls[] = {
		"ftp://a/", "https://", "https:///x", "https://a:0/", "https://a:65536/", "https://a:x/", "https://a b/", "https://[::1/",
		"https://[192.0.2.1]/", "https://a/\x7f", "https://user@a/", "https://a/#fragment", "https://a/\"q\"",
	};
	char line[256];

	(void)state;
	config_default(&config);
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		snprintf(line, sizeof(line), "spimend\n hook webhook %s secret-file /a\n", urls[i]);
		assert_true(parse(line) < 0);
		assert_int_equal(config.hooks.web_count, 0);
	}
	assert_true(parse("spimend\n hook webhook https://a/ secret-file relative\n") < 0);
	assert_true(parse("spimend\n hook webhook https://a/ password hunter2\n") < 0);
}

static void test_the_fleet_is_heard_from_whom_it_says(void **state)
{
	static const char text[] = " syslog listen udp port 5514\n syslog listen tcp 192.0.2.1\n"
				   " syslog listen tls 2001:db8::1 port 6515 certificate /c.pem key /k.pem client-ca /a.pem\n"
				   " syslog source 192.0.2.7\n syslog source 198.51.100.0/24\n syslog source 198.51.100.9 relay\n"
				   " syslog source 2001:db8::/32\n syslog file /var/log/router.log\n syslog journald /var/log/journal/remote\n"
				   " limit syslog-flows 100\n";
	cleanup(buffer_done) struct buffer whole = { 0 }, out = { 0 };

	(void)state;
	buffer_printf(&whole, "hostname x\nspimend\n%s", text);
	assert_int_equal(config_parse(buffer_text(&whole), &config, &report), 0);
	assert_int_equal(report.warnings, 0); /* no gateway, and that is fine */
	assert_int_equal(config.syslog.listener_count, 3);
	assert_int_equal(config.syslog.listeners[1].port, 601);
	assert_int_equal(config.syslog.listeners[2].transport, NOTIFY_TLS);
	assert_int_equal(config.syslog.source_count, 4);
	assert_int_equal(config.syslog.sources[1].prefix, 24);
	assert_true(config.syslog.sources[2].relay);
	config_print(&config, &out);
	assert_non_null(memmem(out.bytes, out.len, " syslog source 198.51.100.9 relay\n", 34));
	standard = config;
	assert_int_equal(config_parse(buffer_text(&out), &config, &report), 0);
	assert_memory_equal(&config.syslog, &standard.syslog, sizeof(config.syslog));
	buffer_printf(&whole, " no syslog listen tls 2001:db8::1 port 6515\n no syslog listen tcp 192.0.2.1\n"
			      " no syslog source 198.51.100.0/24\n no syslog file /var/log/router.log\n no syslog journald\n");
	assert_int_equal(config_parse(buffer_text(&whole), &config, &report), 0);
	assert_int_equal(config.syslog.listener_count, 1);
	assert_int_equal(config.syslog.source_count, 3);
	assert_int_equal(config.syslog.file_count, 0);
	assert_false(config.syslog.has_journald);
}

static void test_listeners_refuse_what_they_cannot_do_by_name(void **state)
{
	(void)state;
	assert_string_equal(refusal("syslog listen sctp"), "transport 'sctp': udp, tcp or tls is expected");
	assert_string_equal(refusal("syslog listen tls"),
			    "'syslog listen tls' needs 'certificate PATH key PATH': what it shows those who connect");
	assert_string_equal(refusal("syslog listen udp certificate /x key /y"), "certificates belong to 'syslog listen tls'");
	assert_string_equal(refusal("syslog listen udp port 0"), "number '0': from 1 to 65535 is expected");
	assert_string_equal(refusal("syslog listen udp port"), "number '': a whole number is expected");
	assert_string_equal(refusal("syslog listen tls certificate x key /y"),
			    "certificate 'x': the absolute path of a PEM file is expected");
	assert_string_equal(refusal("syslog listen tcp hub"),
			    "word 'hub': an address, 'port', 'certificate', 'key' or 'client-ca' is expected");
	assert_string_equal(refusal("syslog source 192.0.2.0/33"), "number '33': from 0 to 32 is expected");
	assert_string_equal(refusal("syslog source 192.0.2.0 hub"), "word 'hub': 'relay' or nothing is expected");
	assert_string_equal(refusal("syslog journald var/log/journal"),
			    "directory 'var/log/journal': an absolute path of at most 107 bytes without blanks is expected, or nothing");
	assert_string_equal(refusal("no syslog journald"), "nothing to take back: no line before says 'syslog journald'");
	assert_string_equal(refusal("no syslog source 192.0.2.9"),
			    "nothing to take back: '192.0.2.9': no line before names it");
}

static void test_objects_are_tracked(void **state)
{
	static const char text[] = "track 2 interface tun0 line-protocol\n delay down 10 up 5\ntrack 3 interface eth0 ip routing\n"
				   "track 4 ip route 192.0.2.0/24 reachability\ntrack 5 ipv6 route 2001:db8::/32 reachability\n"
				   "track 7 stub-object\n default-state up\ntrack 1000 ipsec peer 192.0.2.7\n";
	bool eem;

	(void)state;
	assert_int_equal(parse(text), 0);
	assert_string_equal(show(), text);
	assert_int_equal(config.track_count, 6);
	assert_int_equal(config.tracks[0].delay_down, 10);
	assert_int_equal(parse("track 4 ip route 10.0.0.0 255.0.0.0 reachability\n"), 0);
	assert_string_equal(show(), "track 4 ip route 10.0.0.0/8 reachability\n");
	/* as typed, a line each */
	assert_int_equal(config_change(&config, TEXT("track 1 stub-object"), CONFIG_TOP, &config, &eem, &report), 0);
	assert_int_equal(config_change(&config, TEXT("delay up 3"), CONFIG_TOP, &config, &eem, &report), 0);
	assert_int_equal(config_change(&config, TEXT("no track 4"), CONFIG_TOP, &config, &eem, &report), 0);
	assert_string_equal(show(), "track 1 stub-object\n delay up 3\n");
	assert_int_equal(config_change(&config, TEXT("no delay"), CONFIG_TOP, &config, &eem, &report), 0);
	assert_string_equal(show(), "track 1 stub-object\n");
}

static void test_what_cannot_be_tracked_is_refused_by_name(void **state)
{
	static const char *const bad[][2] = {
		{ "track 1 ip sla 4 reachability", "there is no IP SLA here" },
		{ "track 1 rtr 4", "there is no IP SLA here" },
		{ "track 1 list boolean and", "lists of objects" },
		{ "track timer interface 5", "looked at each second" },
		{ "track 1001 stub-object", "1 to 1000" },
		{ "track 1 interface eth0", "line-protocol" },
		{ "track 1 interface GigabitEthernet 0/1 line-protocol", "line-protocol or 'ip routing'" },
		{ "track 1 ip route 10.0.0.1/8 reachability", "bits set behind" },
		{ "track 1 ip route 10.0.0.0 255.0.255.0 reachability", "NETWORK MASK" },
		{ "track 1 ip route 10.0.0.0/8 metric threshold", "metric is not watched" },
		{ "delay up 3", "stands below a 'track'" },
		{ "default-state up", "stands below a 'track'" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(parse(bad[i][0]), SPIMEND_E_SYNTAX);
		if (!strstr(complaints(), bad[i][1]))
			fail_msg("%s: %s", bad[i][0], shown);
	}
}

static void test_bad_values_say_what_is_expected(void **state)
{
	(void)state;
	assert_string_equal(refusal("judge overlap soon"), "time 'soon': seconds are expected, such as 60 or 0.3");
	assert_string_equal(refusal("judge overlap 1.0000000001"), "time '1.0000000001': seconds are expected, such as 60 or 0.3");
	assert_string_equal(refusal("judge overlap -1"), "time '-1': seconds are expected, such as 60 or 0.3");
	assert_string_equal(refusal("judge overlap 3601"), "time '3601': from 0 to 3600 is expected");
	assert_string_equal(refusal("repair concurrent 0"), "number '0': from 1 to 64 is expected");
	assert_string_equal(refusal("repair concurrent 99999999999999999999"),
			    "number '99999999999999999999': from 1 to 64 is expected");
	assert_string_equal(refusal("repair limit global 30 every 60"), "word 'every': 'per' is expected");
	assert_string_equal(refusal("repair limit global 30"), "incomplete: 'repair limit global COUNT per SECONDS' is expected");
	assert_string_equal(refusal("mode harder"), "mode 'harder': observe, advise or repair is expected");
	assert_string_equal(refusal("mode repair now"), "too many words: 'mode observe|advise|repair' is expected");
	assert_string_equal(refusal("peer 10.0.0.256 ignore"), "address '10.0.0.256': an IPv4 or IPv6 address is expected");
	assert_string_equal(refusal("peer 10.0.0.1 like"), "mode of the peer 'like': ignore, observe or repair is expected");
	assert_string_equal(refusal("sense interface a/b"),
			    "interface 'a/b': the name of a network interface is expected, at most 15 bytes");
	assert_string_equal(refusal("sense interface eth9 xdp"), "kind of XDP '': generic or native is expected");
	assert_string_equal(refusal("state-directory var"),
			    "path 'var': an absolute path of at most 107 bytes without blanks is expected");
	assert_string_equal(refusal("user -x"), "name '-x': letters, digits, '.', '_' and '-' are expected, at most 63");
	assert_string_equal(refusal("a b c d e f g h i j k l m n o p q r s t u v w x y z a b c d e f g h i j k l m n o p q r s t u v w x "
				    "y z a b c d e f g h i j k l m n o"), "more words than any command has");
}

static void test_no_takes_back(void **state)
{
	(void)state;
	config_default(&standard);
	assert_int_equal(parse("hostname a\nno hostname\ncrypto isakmp invalid-spi-recovery\nno crypto isakmp invalid-spi-recovery\n"
			       "spimend\nmode repair\nno mode\nsense interface a\nsense interface b\nno sense interface a\nno sense int b\n"
			       "peer 10.0.0.1 ignore\npeer 10.0.0.2 ignore\nno peer 10.0.0.2\nno peer 10.0.0.1 ignore\n"
			       "sense strongswan /a\nno sense strongswan /a\nrepair limit global 1 per 1\nno repair limit global\n"
			       "sense encap-port 99\nno sense encap-port 99\njudge overlap 9\nno judge overlap 9\nsense audit\nno sense audit\n"),
			 0);
	assert_memory_equal(&config, &standard, sizeof(config));
	assert_true(config.sense_xfrm);
	assert_int_equal(parse("spimend\nno sense xfrm\n"), 0); /* what is on by default is switched off, not put back */
	assert_false(config.sense_xfrm);
	assert_string_equal(show(), "spimend\n no sense xfrm\n");
	assert_int_equal(parse("spimend\nno sense xfrm\nsense xfrm\n"), 0);
	assert_memory_equal(&config, &standard, sizeof(config));
	assert_string_equal(refusal("no peer 10.0.0.9"), "nothing to take back: '10.0.0.9': no line before names it");
	assert_string_equal(refusal("no"), "'no' needs the command that it takes back");
	assert_string_equal(refusal("no spimend"), "the block cannot be taken back; take back its commands");
}

static void test_what_stands_twice_counts_last_with_a_warning(void **state)
{
	(void)state;
	assert_int_equal(parse("spimend\n " QUIET " mode observe\n mode repair\n peer 10.0.0.1 ignore\n peer 10.0.0.1 observe\n"
			       " sense interface eth0\n sense interface eth0 xdp generic\n"), 0);
	assert_int_equal(config.mode, MODE_REPAIR);
	assert_int_equal(config.peer_count, 1);
	assert_int_equal(config.peers[0].mode, PEER_OBSERVE);
	assert_int_equal(config.interface_count, 1);
	assert_string_equal(complaints(), "f.conf:5: warning: 'mode' is said twice, before in line 4; this one counts\n"
					  "f.conf:7: warning: 'peer' is said twice; this one counts\n"
					  "f.conf:9: warning: 'sense interface' is said twice; this one counts\n");
}

static void test_line_ends_blanks_and_comments_do_not_matter(void **state)
{
	static const char nul[] = "spimend\n mode\0 repair\n";
	char text[CONFIG_LINE_MAX + 64];

	(void)state;
	assert_int_equal(parse("\xef\xbb\xbf!\r\n! caf\xc3\xa9\r\nhostname hub\r\n\t spimend \r\n\tmode   observe\t!x\r\n\r\nend\r\n"
			       "hostname hub"), 0);
	assert_string_equal(config.hostname, "hub");
	assert_int_equal(config.mode, MODE_OBSERVE);
	assert_int_equal(config_parse((struct text){ nul, sizeof(nul) - 1 }, &config, &report), SPIMEND_E_SYNTAX);
	assert_string_equal(report.problems[0].text, "a NUL byte: is this a text file?");
	memset(text, '!', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(parse(text), SPIMEND_E_SYNTAX);
	assert_string_equal(report.problems[0].text, "the line has 1087 bytes; at most 1024 are read");
}

static void test_what_the_block_does_not_know_ends_it(void **state)
{
	(void)state;
	assert_int_equal(parse("spimend\n mode repair\nhostname a\nspimend\n user b\nexit\nhostname c\n"), 0);
	assert_string_equal(config.hostname, "c");
	assert_string_equal(config.user, "b");
	assert_int_equal(parse("spimend\nhostname a\nmode repair\n"), SPIMEND_E_SYNTAX);
	assert_int_equal(report.problems[0].line, 3);
}

static void test_all_errors_are_told_up_to_a_limit(void **state)
{
	struct buffer text = { 0 };

	(void)state;
	for (int i = 0; i < 1000; i++)
		buffer_printf(&text, "nonsense %d\n", i);
	assert_int_equal(config_parse(buffer_text(&text), &config, &report), SPIMEND_E_SYNTAX);
	assert_int_equal(report.errors, 1000);
	assert_int_equal(report.kept, CONFIG_PROBLEMS_MAX);
	assert_non_null(strstr(complaints(), "f.conf: and 970 more\n")); /* two warnings */
	buffer_done(&text);
}

static void test_lists_are_bounded_and_peers_sorted(void **state)
{
	struct buffer text = { 0 };

	(void)state;
	buffer_add_string(&text, "spimend\n");
	for (int i = CONFIG_PEERS_MAX - 1; i >= 0; i--)
		buffer_printf(&text, " peer 10.%d.%d.1 ignore\n", i >> 8, i & 255);
	assert_int_equal(config_parse(buffer_text(&text), &config, &report), 0);
	assert_int_equal(config.peer_count, CONFIG_PEERS_MAX);
	for (uint32_t i = 1; i < config.peer_count; i++)
		assert_true(spimend_address_compare(&config.peers[i - 1].address, &config.peers[i].address) < 0);
	buffer_printf(&text, " peer 192.0.2.1 ignore\n");
	assert_int_equal(config_parse(buffer_text(&text), &config, &report), SPIMEND_E_SYNTAX);
	assert_string_equal(report.problems[0].text, "at most 4096 peers");
	buffer_clear(&text);
	buffer_add_string(&text, "spimend\n");
	for (int i = 0; i < 9; i++)
		buffer_printf(&text, " sense strongswan /run/%d\n sense encap-port %d\n", i, 5000 + i);
	assert_int_equal(config_parse(buffer_text(&text), &config, &report), SPIMEND_E_SYNTAX);
	assert_int_equal(report.errors, 3);
	buffer_done(&text);
}

static void test_what_no_single_line_shows_is_said(void **state)
{
	(void)state;
	assert_int_equal(parse("crypto isakmp invalid-spi-recovery\nspimend\n" QUIET), 0);
	assert_string_equal(complaints(), "f.conf: warning: 'crypto isakmp invalid-spi-recovery' is only planned: that takes 'mode repair'\n");
	assert_int_equal(parse("spimend\n repair back-off 3600\n repair back-off-most 60\n"), SPIMEND_E_SYNTAX);
	assert_string_equal(report.problems[0].text, "'repair back-off-most' is less than 'repair back-off'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_example_of_the_design_is_read),
		cmocka_unit_test(test_nothing_said_is_the_default),
		cmocka_unit_test(test_what_is_printed_parses_back),
		cmocka_unit_test(test_every_command_takes_its_range_and_no_more),
		cmocka_unit_test(test_each_default_is_what_its_line_would_set),
		cmocka_unit_test(test_the_manual_has_every_default_and_range),
		cmocka_unit_test(test_a_daemon_may_name_its_plugin),
		cmocka_unit_test(test_what_the_plugin_does_takes_a_plugin),
		cmocka_unit_test(test_keywords_may_be_abbreviated_and_are_of_any_case),
		cmocka_unit_test(test_ambiguous_words_are_refused_with_their_meanings),
		cmocka_unit_test(test_unknown_lines_name_the_nearest_command),
		cmocka_unit_test(test_commands_of_later_versions_are_no_typing_errors),
		cmocka_unit_test(test_applets_are_left_to_their_compiler),
		cmocka_unit_test(test_a_line_typed_changes_what_runs),
		cmocka_unit_test(test_the_file_is_the_ceiling),
		cmocka_unit_test(test_who_is_told_and_heard_is_read_as_ios_writes_it),
		cmocka_unit_test(test_who_is_told_prints_and_parses_back),
		cmocka_unit_test(test_a_users_keys_come_from_their_own_file),
		cmocka_unit_test(test_passwords_in_a_line_are_hidden_and_put_back),
		cmocka_unit_test(test_groups_are_kept_and_mean_nothing),
		cmocka_unit_test(test_informs_are_read_as_ios_writes_them),
		cmocka_unit_test(test_who_is_told_can_be_taken_back),
		cmocka_unit_test(test_who_is_told_refuses_what_it_cannot_do_by_name),
		cmocka_unit_test(test_webhooks_are_read_and_printed),
		cmocka_unit_test(test_webhooks_that_are_none_are_refused),
		cmocka_unit_test(test_a_program_needs_a_user_of_its_own),
		cmocka_unit_test(test_the_fleet_is_heard_from_whom_it_says),
		cmocka_unit_test(test_listeners_refuse_what_they_cannot_do_by_name),
		cmocka_unit_test(test_objects_are_tracked),
		cmocka_unit_test(test_what_cannot_be_tracked_is_refused_by_name),
		cmocka_unit_test(test_bad_values_say_what_is_expected),
		cmocka_unit_test(test_no_takes_back),
		cmocka_unit_test(test_what_stands_twice_counts_last_with_a_warning),
		cmocka_unit_test(test_line_ends_blanks_and_comments_do_not_matter),
		cmocka_unit_test(test_what_the_block_does_not_know_ends_it),
		cmocka_unit_test(test_all_errors_are_told_up_to_a_limit),
		cmocka_unit_test(test_lists_are_bounded_and_peers_sorted),
		cmocka_unit_test(test_what_no_single_line_shows_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
