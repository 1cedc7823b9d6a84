/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include "base/buffer.h"
#include "parse/device_tape.h"

static struct buffer out;
static struct device_tape *tape;
static unsigned lines;

static void take_line(void *context, enum tape_way way, struct text line)
{
	(void)context;
	assert_true(line.len <= TAPE_LINE_MAX);
	for (size_t i = 0; i < line.len; i++)
		assert_in_range(line.at[i], 0x20, 0x7e);
	buffer_printf(&out, "%c %.*s\n", tape_way_sign(way), TEXT_ARG(line));
	lines++;
}

static int set_up(void **state)
{
	(void)state;
	tape = device_tape_new(take_line, NULL);
	assert_non_null(tape);
	buffer_clear(&out);
	lines = 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	device_tape_free(tape);
	buffer_done(&out);
	return 0;
}

static const char *written(void)
{
	buffer_add_char(&out, '\0');
	out.len--;
	return out.bytes;
}

static void got(const char *bytes)
{
	device_tape_received(tape, text_of(bytes));
}

static void test_a_log_in_is_kept_byte_for_byte(void **state)
{
	(void)state;
	got("\r\nUnauthorized access is prohi");
	got("bited\r\nhub>");
	device_tape_sent(tape, TEXT("enable"), false);
	got("enable\r\nPassword: ");
	device_tape_sent(tape, TEXT_NONE, true);
	got("\r\nhub#");
	got("\r\n*Mar  1 00:01:02.003: %SYS-5-CONFIG_I: Configured from console\r\n");
	got("hub#");
	device_tape_sent(tape, TEXT("show clock"), false);
	got("show clock\r\n\x1b[2J.10:00:00\ttoday \\o/ \xc3\xbc\n");
	device_tape_flush(tape);
	assert_string_equal(written(), "< \n"
				       "< Unauthorized access is prohibited\n"
				       "< hub>\\\n"
				       "> enable\n"
				       "< enable\n"
				       "< Password: \\\n"
				       "> <removed>\n"
				       "< \n"
				       "< hub#\n"
				       "< *Mar  1 00:01:02.003: %SYS-5-CONFIG_I: Configured from console\n"
				       "< hub#\\\n"
				       "> show clock\n"
				       "< show clock\n"
				       "< \\e[2J.10:00:00\\ttoday \\\\o/ \\xc3\\xbc\\n\n");
}

static void test_keys_that_answer_are_kept(void **state)
{
	(void)state;
	got("one\r\n --More-- ");
	device_tape_key(tape, ' ');
	got("\b\b\b\b\b\b\b\b\b\b        two\r\nProceed? [confirm]");
	device_tape_key(tape, '\r');
	device_tape_flush(tape);
	assert_string_equal(written(), "< one\n<  --More-- \\\n>  \\\n< \\b\\b\\b\\b\\b\\b\\b\\b\\b\\b        two\n< Proceed? [confirm]\\\n> \n");
}

static void test_secrets_never_stand_on_it(void **state)
{
	static const char *const shown[] = {
		"crypto isakmp key hunter2 address 0.0.0.0\r\n",
		"crypto isakmp key \x1b[1mhunter2\x1b[0m address 0.0.0.0\r\n", /* with colours */
		"cry\x1b[0mpto isakmp key hunter2 address 0.0.0.0\r\n",
		"xrypto isakmp key hunter2 address 0.0.0.0\rc\r\n",            /* written over */
		"crypto isakmp kez\by hunter2 address 0.0.0.0\r\n",
		"username a pass\0word hunter2\r\n",
		"*Mar  1 00:01:02.003: %PARSER-5-CFGLOG_LOGGEDCMD: User:a  logged command:username b password 0 hunter2\r\n",
		"enable secret 0 hunter2",                                      /* never ends */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		struct text bytes = i == 5 ? (struct text){ shown[i], sizeof("username a pass\0word hunter2\r\n") - 1 } : text_of(shown[i]);

		device_tape_received(tape, bytes);
		device_tape_flush(tape);
		if (strstr(written(), "hunter2") || !strstr(written(), "<removed>"))
			fail_msg("case %zu: %s", i, written());
		buffer_clear(&out);
	}
	assert_int_equal(device_tape_count(tape).masked, sizeof(shown) / sizeof(shown[0]));
}

static void test_a_secret_cut_in_two_by_a_key_is_masked(void **state)
{
	(void)state;
	got("enable secret 0 hun");
	device_tape_key(tape, ' ');
	got("ter2\r\nenable secret");
	device_tape_key(tape, ' ');
	got(" hunter2\r\nhub#");
	device_tape_flush(tape);
	assert_null(strstr(written(), "hun"));
	assert_null(strstr(written(), "ter2"));
	assert_non_null(strstr(written(), "< hub#\\\n")); /* and it ends with its line */
}

static void test_a_device_that_echoes_a_password_is_masked(void **state)
{
	(void)state;
	got("Password: ");
	device_tape_sent(tape, TEXT_NONE, true);
	got("hunter2\r\nhub#");
	device_tape_flush(tape);
	assert_string_equal(written(), "< Password: \\\n> <removed>\n< <removed>\n< hub#\\\n");
}

static void test_what_is_too_long_is_left_out_and_counted(void **state)
{
	char bytes[1000];

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	for (size_t i = 0; i < 20; i++) /* one line */
		device_tape_received(tape, (struct text){ bytes, sizeof(bytes) });
	got("\r\nhub#");
	device_tape_flush(tape);
	assert_non_null(strstr(written(), "= 11809 bytes at the end of that line left out: it is too long\n"));
	assert_non_null(strstr(written(), "< hub#\\\n"));
	buffer_clear(&out);
	device_tape_sent(tape, TEXT("show tech"), false);
	for (size_t i = 0; i < 1000; i++) { /* more than a command may have */
		memcpy(bytes + sizeof(bytes) - 2, "\r\n", 2);
		device_tape_received(tape, (struct text){ bytes, sizeof(bytes) });
	}
	device_tape_sent(tape, TEXT("show clock"), false);
	got("show clock\r\n");
	assert_non_null(strstr(written(), "= 476000 bytes in 476 lines left out: more than 524288 came behind one command\n> show clock\n"
					  "< show clock\n"));
	assert_int_equal(device_tape_count(tape).left_out, 11809 + 476000);
	assert_true(out.len < TAPE_COMMAND_MAX + 8192);
}

static void test_what_ssh_says_stands_apart(void **state)
{
	(void)state;
	got("half a li");
	device_tape_ssh(tape, TEXT("Host key verification failed.\r\nanother\n"));
	got("ne\r\n");
	device_tape_note(tape, TEXT("the session ends"));
	assert_string_equal(written(), "! Host key verification failed.\n! another\n< half a line\n= the session ends\n");
}

#define TAPE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TAPE_TEST(test_a_log_in_is_kept_byte_for_byte),
		TAPE_TEST(test_keys_that_answer_are_kept),
		TAPE_TEST(test_secrets_never_stand_on_it),
		TAPE_TEST(test_a_secret_cut_in_two_by_a_key_is_masked),
		TAPE_TEST(test_a_device_that_echoes_a_password_is_masked),
		TAPE_TEST(test_what_is_too_long_is_left_out_and_counted),
		TAPE_TEST(test_what_ssh_says_stands_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
