/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../exec/port.h"
#include "base/memory.h"
#include "exec/match.h"
#include "parse/config.h"
#include "parse/sa_table.h"

struct test {
	struct world world;
	struct exec_session *session;
	struct buffer out;
	enum exec_result result;
	char *said; /* owns: what the latest line printed */
};

static int set_up(void **state)
{
	struct test *t = memory_new(1, sizeof(*t));
	struct exec_who root = { .name = "root", .may_enable = true, .may_write_startup = true, .shows_prompt = true };

	world_init(&t->world);
	t->session = exec_session_new(&t->world.port, &root);
	*state = t;
	return 0;
}

static int tear_down(void **state)
{
	struct test *t = *state;

	exec_session_free(t->session);
	world_done(&t->world);
	buffer_done(&t->out);
	memory_free(t->said);
	memory_free(t);
	return 0;
}

static const char *keep(struct test *t)
{
	memory_free(t->said);
	t->said = memory_new(1, t->out.len + 1); /* with its NUL */
	if (t->out.len)
		memcpy(t->said, t->out.bytes, t->out.len);
	return t->said;
}

static const char *type(struct test *t, const char *line)
{
	buffer_clear(&t->out);
	t->result = exec_run(t->session, text_of(line), &t->out);
	return keep(t);
}

static const char *ask(struct test *t, const char *before)
{
	buffer_clear(&t->out);
	exec_help(t->session, text_of(before), &t->out);
	return keep(t);
}

static const char *complete(struct test *t, const char *before)
{
	buffer_clear(&t->out);
	exec_complete(t->session, text_of(before), &t->out);
	return keep(t);
}

/* --- The graph -------------------------------------------------------------------------------------------------------- */

static void test_every_row_is_well_formed(void **state)
{
	const struct exec_command *command;
	struct config_syntax of_file;
	struct syntax syntax;

	(void)state;
	for (size_t i = 0; (command = exec_command_at(i)); i++) {
		if (!syntax_read(command->syntax, NULL, &syntax) || syntax.may_be_empty || !command->run || !command->help[0])
			fail_msg("%s", command->syntax);
		if (strncmp(command->syntax, "show ", 5) == 0 && !(command->flags & EXEC_JSON))
			fail_msg("%s has no JSON", command->syntax);
	}
	for (size_t i = 0; config_syntax_at(i, &of_file); i++)
		if (!syntax_read(of_file.keywords, of_file.arguments, &syntax))
			fail_msg("%s", of_file.keywords);
}

static void test_syntax_that_is_none_is_found(void **state)
{
	static const char *const bad[] = { "show [", "show ]", "show {a", "show a||b", "show [a}" };
	struct syntax syntax;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(syntax_read(bad[i], NULL, &syntax));
}

/* Words that several commands share, and what a word in the middle means, are explained by '?'. */
static void test_every_word_in_the_middle_is_explained(void **state)
{
	struct test *t = *state;
	const struct exec_command *command;
	int missing = 0;

	type(t, "enable");
	for (size_t i = 0; (command = exec_command_at(i)); i++) {
		struct text rest = text_of(command->syntax), word = text_take_word(&rest);
		char before[256] = "";

		if (command->flags & EXEC_HIDDEN)
			continue;
		while (word.len && word.at[0] >= 'a' && !memchr(word.at, '|', word.len)) {
			const char *said = ask(t, before);
			char line[80];

			snprintf(line, sizeof(line), "  %.*s\n", TEXT_ARG(word));
			if (strstr(said, line))
				printf("# '%.*s' of '%s' is not explained by '?'; %d so far\n", TEXT_ARG(word), command->syntax, ++missing);
			snprintf(before + strlen(before), sizeof(before) - strlen(before), "%.*s ", TEXT_ARG(word));
			word = text_take_word(&rest);
		}
	}
	assert_int_equal(missing, 0);
}

/* --- Lines ------------------------------------------------------------------------------------------------------------ */

static void test_modes_and_prompts(void **state)
{
	struct test *t = *state;

	assert_string_equal(exec_prompt(t->session), "hub>");
	type(t, "en");
	assert_string_equal(exec_prompt(t->session), "hub#");
	type(t, "conf t");
	assert_string_equal(exec_prompt(t->session), "hub(config)#");
	type(t, "spimend");
	assert_string_equal(exec_prompt(t->session), "hub(config-spimend)#");
	type(t, "exit");
	assert_string_equal(exec_prompt(t->session), "hub(config)#");
	type(t, "hostname spoke");
	assert_string_equal(exec_prompt(t->session), "spoke(config)#");
	type(t, "end");
	type(t, "end"); /* at the end of pasted text, once too often */
	assert_int_equal(t->result, EXEC_FINE);
	assert_string_equal(exec_prompt(t->session), "spoke#");
	type(t, "disable");
	assert_string_equal(exec_prompt(t->session), "spoke>");
	type(t, "exit");
	assert_int_equal(t->result, EXEC_GONE);
}

static void test_who_may_not_enable_is_told_so(void **state)
{
	struct test *t = *state;
	struct exec_who someone = { .name = "uid 1000", .shows_prompt = true };
	struct exec_session *other = exec_session_new(&t->world.port, &someone);

	assert_int_equal(exec_run(other, TEXT("enable"), &t->out), EXEC_REFUSED);
	assert_non_null(strstr(keep(t), "% access denied"));
	assert_int_equal(exec_session_mode(other), EXEC_MODE_USER);
	/* What is privileged is no command at all, as on IOS. */
	buffer_clear(&t->out);
	assert_int_equal(exec_run(other, TEXT("configure terminal"), &t->out), EXEC_REFUSED);
	assert_non_null(strstr(keep(t), "Invalid input"));
	exec_session_free(other);
}

static void test_mistakes_are_said_as_on_ios(void **state)
{
	struct test *t = *state;

	type(t, "enable");
	assert_string_equal(type(t, "show xoo"), "         ^\n% Invalid input detected at '^' marker.\n");
	assert_string_equal(type(t, "show versoin"), "             ^\n% Invalid input detected at '^' marker.\n");
	assert_string_equal(type(t, "show"), "% Incomplete command.\n");
	assert_string_equal(type(t, "show c"), "% Ambiguous command:  \"show c\"\n");
	assert_string_equal(type(t, "clear crypto sa peer 10.0.0"),
			    "                         ^\n% Invalid input detected at '^' marker.\n");
	assert_string_equal(type(t, "show version | foo"), "                   ^\n% Invalid input detected at '^' marker.\n");
	type(t, "show ver\x01sion");
	assert_int_equal(t->result, EXEC_REFUSED);
}

static void test_pasted_prompts_and_comments_do_no_harm(void **state)
{
	struct test *t = *state;

	type(t, "enable");
	assert_string_equal(type(t, "hub#show privilege"), "Current privilege level is 15\n");
	assert_string_equal(type(t, "hub(config-applet)#   ! nothing"), "");
	assert_string_equal(type(t, "!--- To test if this output gets logged"), "");
	assert_string_equal(type(t, "   "), "");
	assert_int_equal(t->result, EXEC_FINE);
}

static void test_pipes(void **state)
{
	struct test *t = *state;

	type(t, "enable");
	assert_string_equal(type(t, "sh run | inc sense"), " sense interface eth0\n sense strongswan /run/charon.vici\n");
	assert_string_equal(type(t, "sh run | i interface|strongswan | ex eth"), " sense strongswan /run/charon.vici\n");
	assert_string_equal(type(t, "sh run | sec spimend"),
			    "spimend\n mode repair\n sense interface eth0\n sense strongswan /run/charon.vici\n");
	assert_string_equal(type(t, "sh run | b strongswan"), " sense strongswan /run/charon.vici\n");
	assert_string_equal(type(t, "sh run | count sense"), "Number of lines which match regexp = 2\n");
	assert_string_equal(type(t, "show privilege | json"), "{\"schema\":\"spimend.privilege/1\",\"level\":15}\n");
	type(t, "show run | inc (");
	assert_non_null(strstr(t->said, "% the pattern is none"));
	type(t, "show run | inc a | json");
	assert_int_equal(t->result, EXEC_REFUSED);
	type(t, "disable | json");
	assert_int_equal(t->result, EXEC_REFUSED);
}

static void test_a_pattern_that_takes_too_long_ends(void **state)
{
	struct test *t = *state;

	type(t, "enable");
	assert_int_equal(t->world.port.write_file(&t->world, "a", false,
						  TEXT("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\n"), &t->out), 0);
	type(t, "more a | inc (a+)+(a+)+(a+)+[cd]$");
	assert_non_null(strstr(t->said, "took the pattern too long"));
}

static void test_files(void **state)
{
	struct test *t = *state;

	type(t, "enable");
	assert_string_equal(type(t, "show priv | tee /append disk0:hub.txt"), "Current privilege level is 15\n"); /* B23 */
	assert_string_equal(type(t, "show priv | append disk0:hub.txt"), "");
	assert_string_equal(type(t, "more flash:/hub.txt"), "Current privilege level is 15\nCurrent privilege level is 15\n");
	assert_string_equal(type(t, "show priv | redirect flash:hub.txt"), "");
	assert_string_equal(type(t, "more hub.txt | count"), "Number of lines which match regexp = 1\n");
	static const char *const bad[] = { "disk0:../x", "disk0:a/b", "disk0:", ".x", "tftp://192.0.2.1/x", "-x", "a b" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char line[80];

		snprintf(line, sizeof(line), "show priv | append %s", bad[i]);
		type(t, line);
		assert_int_equal(t->result, EXEC_REFUSED);
	}
	assert_int_equal(t->world.file_count, 1);
	/* What is refused never reaches a file. */
	type(t, "more none | append disk0:other.txt");
	assert_int_equal(t->world.file_count, 1);
}

static void test_clear_is_one_peer_or_nothing(void **state)
{
	struct test *t = *state;

	type(t, "enable");
	type(t, "cle cry sa");
	assert_int_equal(t->result, EXEC_REFUSED);
	assert_non_null(strstr(t->said, "all peers"));
	assert_int_equal(t->world.cleared_peers.len, 0);
	assert_string_equal(type(t, "clear crypto sa peer 192.0.2.7"), "1 SA with 192.0.2.7 is renewed\n");
	assert_true(text_has(buffer_text(&t->world.accounts), TEXT("root: clear crypto sa peer 192.0.2.7\n")));
	assert_string_equal(type(t, "clear crypto sa peer 203.0.113.1"), "% the mode is advise: nothing is changed\n");
}

/* What routers' parsers and `spimend analyze` read: the fixture's three flows come back, with every SPI. */
static void reads_back(struct test *t, const char *command)
{
	struct text said = text_of(type(t, command)), line;
	struct sa_table table = { 0 };
	struct sa_block blocks[8] = { 0 };
	size_t count = 0;

	assert_true(sa_table_may_start(TEXT("hub#show crypto ipsec sa")));
	while (text_take_line(&said, &line)) {
		enum sa_table_result result = sa_table_line(&table, line, &blocks[count]);

		if (result == SA_TABLE_NOTHING)
			fail_msg("not of such output: %.*s", TEXT_ARG(line));
		count += result == SA_TABLE_BLOCK;
		assert_in_range(count, 0, 4);
	}
	count += sa_table_end(&table, &blocks[count]);
	assert_int_equal(count, 3);

	assert_string_equal(blocks[0].interface, "eth0");
	assert_string_equal(blocks[0].map_tag, "dmvpn");
	assert_true(blocks[0].encap_udp);
	assert_int_equal(blocks[0].inbound_count, 2);
	assert_int_equal(blocks[0].inbound[0].value, 0xc0de0004);
	assert_int_equal(blocks[0].inbound[1].value, 0xc0de0003);
	assert_int_equal(blocks[0].outbound_count, 2);
	assert_int_equal(blocks[0].outbound[0].value, 0xbeef0004);
	assert_int_equal(blocks[0].outbound[1].value, 0xbeef0003);
	assert_int_equal(blocks[0].encaps, 1400);
	assert_int_equal(blocks[0].decaps, 700);
	for (size_t i = 1; i < count; i++) {
		assert_false(blocks[i].encap_udp);
		assert_int_equal(blocks[i].inbound_count, 1);
		assert_int_equal(blocks[i].inbound[0].value, 0xc0de0000 + i);
		assert_int_equal(blocks[i].outbound_count, 1);
		assert_int_equal(blocks[i].outbound[0].value, 0xbeef0000 + i);
	}
	assert_int_equal(blocks[2].peer.family, 6);
	assert_int_equal(blocks[2].local.family, 6);
	for (size_t i = 0; i < count; i++) {
		assert_true(blocks[i].has_counters && blocks[i].has_lifetime);
		assert_int_equal(blocks[i].lifetime_s, 3360);
		assert_false(blocks[i].controller_keyed || blocks[i].manual_or_group);
		assert_int_equal(blocks[i].inbound_dropped + blocks[i].outbound_dropped, 0);
	}
}

static void test_the_parser_of_analyze_reads_our_own_show(void **state)
{
	reads_back(*state, "show crypto ipsec sa");
	reads_back(*state, "show crypto ipsec sa detail");
}

/* What a daemon listed before it went down is no news, and what cannot be read is no empty list. */
static void test_shows_say_what_is_not_known(void **state)
{
	static const char *const commands[] = { "show crypto ipsec sa", "show crypto isakmp sa", "show crypto ikev2 sa",
						"show crypto session", "show crypto sockets", "show dmvpn" };
	struct daemon_state down = { .up = false };
	struct test *t = *state;

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		assert_null(strstr(type(t, commands[i]), "is down"));
	core_daemon(t->world.core, &down, t->world.now);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strstr(type(t, commands[i]), "\n% IKE daemon /run/charon.vici is down"))
			fail_msg("%s: %s", commands[i], t->said);
	assert_non_null(strstr(type(t, "show ip interface brief"), "\neth0 "));
	t->world.links_unreadable = true;
	assert_string_equal(type(t, "show ip interface brief"), "% interfaces cannot be read: Operation not permitted\n");
	assert_int_equal(t->result, EXEC_REFUSED);
	assert_non_null(strstr(type(t, "show crypto ipsec sa"), "interface: unknown\n"));
}

static void test_cleared_counters_count_anew(void **state)
{
	struct test *t = *state;
	struct exec_view view;
	struct core_tunnel tunnel;
	struct core_walk walk;

	type(t, "enable");
	type(t, "clear crypto sa counters");
	t->world.port.view(&t->world, &view);
	core_walk_begin(view.core, &walk);
	assert_true(exec_tunnel_next(&view, &walk, &tunnel));
	assert_int_equal(tunnel.child.packets_in, 0);
	assert_int_equal(tunnel.child.bytes_out, 0);
	walk.at = 0;
	assert_true(core_walk_next(&walk, &tunnel)); /* the SA's own go on */
	assert_int_not_equal(tunnel.child.packets_in, 0);
	core_walk_done(&walk);
}

static void test_debugs(void **state)
{
	struct test *t = *state;

	type(t, "enable");
	assert_string_equal(type(t, "show debug"), "");
	type(t, "debug crypto condition peer ipv4 192.0.2.7");
	assert_string_equal(type(t, "debug crypto isakmp"), "Crypto ISAKMP debugging is on\n");
	assert_string_equal(type(t, "deb cry ips"), "Crypto IPSEC debugging is on\n");
	assert_string_equal(type(t, "show debug"),
			    "Cryptographic Subsystem:\n  Crypto ISAKMP debugging is on\n  Crypto IPSEC debugging is on\n"
			    "Crypto conditional debug: peer ipv4 192.0.2.7\n");
	assert_string_equal(type(t, "u all"), "All possible debugging has been turned off\n");
	assert_string_equal(type(t, "show debug"), ""); /* B24 */
	type(t, "debug crypto condition peer ipv6 192.0.2.7");
	assert_int_equal(t->result, EXEC_REFUSED);
}

static void test_configuration_counts_line_by_line(void **state)
{
	struct test *t = *state;

	type(t, "enable");
	type(t, "configure terminal");
	type(t, "spimend");
	type(t, "mode observe");
	assert_int_equal(t->world.config.mode, MODE_OBSERVE);
	type(t, "judge overlap 70"); /* one of the block */
	assert_int_equal(t->world.config.overlap_ns, 70 * SECOND_NS);
	type(t, "judge overlap 70000");
	assert_int_equal(t->result, EXEC_REFUSED);
	assert_non_null(strstr(t->said, "% "));
	type(t, "crypto isakmp invalid-spi-recovery"); /* none of the block: ends it */
	assert_true(t->world.config.invalid_spi_recovery);
	assert_int_equal(exec_session_mode(t->session), EXEC_MODE_CONFIG);
	type(t, "no crypto isakmp invalid-spi-recovery");
	assert_false(t->world.config.invalid_spi_recovery);
	assert_string_equal(type(t, "do sh priv"), "Current privilege level is 15\n");
	type(t, "do disable");
	assert_int_equal(exec_session_mode(t->session), EXEC_MODE_CONFIG);
	type(t, "hostnme x");
	assert_non_null(strstr(t->said, "^\n% Invalid input"));
}

static void test_writing_takes_root_and_waits(void **state)
{
	struct test *t = *state;

	type(t, "enable");
	assert_string_equal(type(t, "wr"), "Building configuration...\n");
	assert_int_equal(t->result, EXEC_LATER);
	assert_ptr_equal(t->world.writes, t->session);
	type(t, "show clock");
	assert_int_equal(t->result, EXEC_REFUSED);
	buffer_clear(&t->out);
	exec_finish(t->session, 0, NULL, &t->out);
	assert_string_equal(keep(t), "[OK]\n");
	type(t, "copy run start");
	assert_int_equal(t->result, EXEC_LATER);
}

/* What applets are told, and what becomes of a line that they hold. */
static void test_applets_come_before_the_command(void **state)
{
	struct test *t = *state;

	type(t, "enable");
	buffer_clear(&t->world.typed);
	type(t, "sh priv | inc level");
	type(t, "made up by an applet");
	ask(t, "sh ");
	complete(t, "sh pri");
	assert_true(text_equal(buffer_text(&t->world.typed), TEXT("enter: show privilege | inc level\nenter: made up by an applet\n"
								   "?: sh\ntab: show privilege\n")));
	t->world.answer = EXEC_TYPED_SKIP;
	assert_string_equal(type(t, "show privilege"), "");
	assert_int_equal(t->result, EXEC_FINE);
	t->world.answer = EXEC_TYPED_HOLD;
	assert_string_equal(type(t, "show privilege"), "");
	assert_int_equal(t->result, EXEC_LATER);
	type(t, "show clock");
	assert_int_equal(t->result, EXEC_REFUSED); /* one thing at a time */
	buffer_clear(&t->out);
	assert_int_equal(exec_resume(t->session, true, &t->out), EXEC_FINE);
	assert_string_equal(keep(t), "Current privilege level is 15\n");
	type(t, "conf t");
	buffer_clear(&t->out);
	assert_int_equal(exec_resume(t->session, false, &t->out), EXEC_FINE);
	assert_int_equal(exec_session_mode(t->session), EXEC_MODE_ENABLE);
	t->world.answer = EXEC_TYPED_RUN;
	type(t, "conf t");
	buffer_clear(&t->world.typed);
	type(t, "snmp-server community hunter2");
	type(t, "do sh priv");
	assert_true(text_equal(buffer_text(&t->world.typed), TEXT("enter: snmp-server community ...\nenter: show privilege\n")));
	type(t, "end");
	type(t, "event manager run asks");
	assert_int_equal(t->result, EXEC_LATER);
	assert_ptr_equal(t->world.waits, t->session);
	exec_applet_ended(t->session);
	assert_string_equal(type(t, "show privilege"), "Current privilege level is 15\n");
}

static void test_help_and_completion(void **state)
{
	struct test *t = *state;

	type(t, "enable");
	assert_string_equal(ask(t, "sh"), "show  \n");
	assert_non_null(strstr(ask(t, "clear crypto sa "), "  peer "));
	assert_non_null(strstr(t->said, "<cr>"));
	assert_non_null(strstr(ask(t, "clear crypto sa peer "), "A.B.C.D"));
	assert_non_null(strstr(ask(t, "show version | "), "  include "));
	assert_string_equal(complete(t, "sh ver"), "version\n");
	assert_string_equal(complete(t, "show version | in"), "include\n");
	assert_string_equal(complete(t, "clear crypto sa peer 1"), "");
	type(t, "conf t");
	assert_non_null(strstr(ask(t, ""), "  hostname "));
	assert_string_equal(complete(t, "do sho"), "show\n");
	type(t, "spimend");
	assert_non_null(strstr(ask(t, "mode "), "  observe"));
	assert_string_equal(complete(t, "no jud"), "judge\n");
}

static void test_the_logbook_keeps_the_latest(void **state)
{
	struct logbook *book = logbook_new(LOGBOOK_BYTES_MIN);
	char room[LOGBOOK_LINE_MAX], text[64];
	struct logbook_line line;
	size_t cursor = 0, seen = 0;
	int latest = -1;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "line %d %.*s", i, i % 40, "........................................");
		logbook_add(book, (struct instant){ i }, i % 8, i % 2, text_of(text));
	}
	while (logbook_next(book, &cursor, room, &line)) {
		if (latest >= 0)
			assert_int_equal(line.at.ns, latest + 1);
		latest = (int)line.at.ns;
		assert_int_equal(line.severity, latest % 8);
		seen++;
	}
	assert_int_equal(latest, 999);
	assert_int_equal(logbook_count(book).lines, 1000);
	assert_int_equal(logbook_count(book).dropped, 1000 - seen);
	assert_int_equal(logbook_resize(book, 4 * LOGBOOK_BYTES_MIN), 0);
	cursor = 0;
	for (size_t i = 0; i < seen; i++)
		assert_true(logbook_next(book, &cursor, room, &line));
	assert_false(logbook_next(book, &cursor, room, &line));
	assert_int_equal(line.at.ns, 999);
	logbook_free(book);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_row_is_well_formed),
		cmocka_unit_test(test_syntax_that_is_none_is_found),
		cmocka_unit_test_setup_teardown(test_every_word_in_the_middle_is_explained, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_modes_and_prompts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_who_may_not_enable_is_told_so, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_mistakes_are_said_as_on_ios, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_pasted_prompts_and_comments_do_no_harm, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_pipes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_pattern_that_takes_too_long_ends, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_files, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_clear_is_one_peer_or_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_parser_of_analyze_reads_our_own_show, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_shows_say_what_is_not_known, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cleared_counters_count_anew, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_debugs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_configuration_counts_line_by_line, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_writing_takes_root_and_waits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_applets_come_before_the_command, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_help_and_completion, set_up, tear_down),
		cmocka_unit_test(test_the_logbook_keeps_the_latest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
