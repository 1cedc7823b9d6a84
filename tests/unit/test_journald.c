/* SPDX-License-Identifier: MIT */
/* src/parse/journald.c: entries out of journalctl's export format, and entries as lines of a log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include "parse/journald.h"

static struct journald reader;
static char line[JOURNALD_MESSAGE_MAX + JOURNALD_WORD_MAX + JOURNALD_LINE_EXTRA];
static char bytes[40000];
static size_t len;

static void add(const char *text)
{
	memcpy(bytes + len, text, strlen(text));
	len += strlen(text);
}

/* A field as journalctl writes one that has bytes which no line may have. */
static void add_bytes(const char *name, const void *value, uint64_t count, uint64_t said)
{
	add(name);
	add("\n");
	for (int i = 0; i < 8; i++)
		bytes[len++] = (char)(said >> (8 * i));
	memcpy(bytes + len, value, count);
	len += count;
	add("\n");
}

static int set_up(void **state)
{
	(void)state;
	memset(&reader, 0, sizeof(reader));
	len = 0;
	return 0;
}

/* All entries as lines, each behind a '|', in pieces of `piece`. */
static const char *taken(size_t piece)
{
	static char shown[30000];
	size_t used = 0;

	memset(&reader, 0, sizeof(reader));
	for (size_t at = 0; at < len; at += piece) {
		struct text part = { bytes + at, len - at < piece ? len - at : piece };
		struct journald_entry entry;
		enum journald_step step;
		const char *why = "";

		while ((step = journald_take(&reader, &part, &entry, &why)) == JOURNALD_ENTRY) {
			size_t n = journald_print(&entry, TEXT("here"), line);

			assert_true(n <= entry.message.len + 4 + JOURNALD_LINE_EXTRA);
			shown[used++] = '|';
			memcpy(shown + used, line, n);
			used += n;
		}
		shown[used] = '\0';
		if (step == JOURNALD_BROKEN) {
			snprintf(shown + used, sizeof(shown) - used, "|BROKEN: %s", why);
			return shown;
		}
		assert_int_equal(part.len, 0);
	}
	return shown;
}

#define ENTRY "__CURSOR=s=1;i=2\n__REALTIME_TIMESTAMP=1793620800000007\n__MONOTONIC_TIMESTAMP=1\n_BOOT_ID=00\n"

static void test_an_entry_is_a_line_wherever_it_is_cut(void **state)
{
	static const char wanted[] = "|2026-11-02T12:00:00.000007Z gw1 charon[7]: hello|2026-11-02T11:59:59.500000Z gw2 kernel: two lines\xff"
				     "|2026-11-02T12:00:00.000007Z here sshd[9]: third";

	(void)state;
	add(ENTRY "_HOSTNAME=gw1\nSYSLOG_IDENTIFIER=charon\nSYSLOG_PID=7\n_PID=8\nMESSAGE=hello\n\n");
	add(ENTRY "_HOSTNAME=gw2\nSYSLOG_IDENTIFIER=kernel\n_SOURCE_REALTIME_TIMESTAMP=1793620799500000\n");
	add_bytes("MESSAGE", "two\nlines\xff", 10, 10);
	add("\n\n\n"); /* more than one empty line is one */
	add(ENTRY "SYSLOG_IDENTIFIER=sshd\n_PID=9\n");
	add_bytes("COREDUMP", "\n\nMESSAGE=no entry\n\n", 20, 20);
	add("MESSAGE=third\nMESSAGE=fourth\n\n" ENTRY); /* of a field that comes twice the first counts; the last has no end yet */
	for (size_t piece = 1; piece < len; piece += piece < 40 ? 1 : 97)
		assert_string_equal(taken(piece), wanted);
	assert_string_equal(taken(len), wanted);
}

static void test_what_no_journal_has_breaks_the_stream_with_a_reason(void **state)
{
	(void)state;
	add("Hint: you are not seeing messages\n");
	assert_string_equal(taken(1), "|BROKEN: a field's name has a byte that none has");
	len = 0;
	add("MESSAGE=x\n=y\n");
	assert_string_equal(taken(100), "|BROKEN: a field's name has a byte that none has");
	len = 0;
	for (int i = 0; i <= JOURNALD_NAME_MAX; i++)
		add("N");
	assert_string_equal(taken(7), "|BROKEN: a field's name is longer than any");
	len = 0;
	add_bytes("MESSAGE", "longer than it says", 19, 6);
	assert_string_equal(taken(3), "|BROKEN: no line break behind so many bytes");
}

static void test_what_is_too_long_is_cut_and_said(void **state)
{
	static char much[30000];
	struct journald_entry entry;
	const char *why = "";
	struct text part;

	(void)state;
	memset(much, 'm', sizeof(much));
	add("_HOSTNAME=");
	memcpy(bytes + len, much, 300);
	len += 300;
	add("\n");
	add_bytes("MESSAGE", much, sizeof(much), sizeof(much));
	add("\nMESSAGE=next\n\n");
	part = (struct text){ bytes, len };
	assert_int_equal(journald_take(&reader, &part, &entry, &why), JOURNALD_ENTRY);
	assert_true(entry.is_cut);
	assert_int_equal(entry.message.len, JOURNALD_MESSAGE_MAX);
	assert_int_equal(entry.host.len, JOURNALD_WORD_MAX);
	assert_int_equal(journald_take(&reader, &part, &entry, &why), JOURNALD_ENTRY);
	assert_false(entry.is_cut);
	assert_int_equal(entry.host.len, 0);
	assert_int_equal(journald_print(&entry, TEXT("here"), line), 9); /* no time: none is made up */
	assert_memory_equal(line, "here next", 9);
}

/* A program may write any field that begins with no '_', and a line break into any. */
static void test_a_program_cannot_speak_for_journald(void **state)
{
	struct journald_entry entry;
	const char *why = "";
	struct text part;

	(void)state;
	add(ENTRY "_HOSTNAME=gw1\n_TRANSPORT=journal\nN_DROPPED=99\nHOSTNAME=x\nTRANSPORT=driver\n");
	add_bytes("SYSLOG_IDENTIFIER", "a b\nc: [d]", 10, 10);
	add_bytes("MESSAGE", "one\n2026-11-02T12:00:00Z gw9 two\0three", 38, 38);
	add("\n" ENTRY "_TRANSPORT=driver\nN_DROPPED=12\nMESSAGE=Suppressed 12 messages\n\n");
	add(ENTRY "_TRANSPORT=driver\nN_DROPPED=99999999999999999999\n\n");
	part = (struct text){ bytes, len };
	assert_int_equal(journald_take(&reader, &part, &entry, &why), JOURNALD_ENTRY);
	assert_int_equal(entry.dropped, 0);
	line[journald_print(&entry, TEXT("here"), line)] = '\0';
	assert_string_equal(line, "2026-11-02T12:00:00.000007Z gw1 a_b_c___d_[0]: one 2026-11-02T12:00:00Z gw9 two three");
	assert_int_equal(journald_take(&reader, &part, &entry, &why), JOURNALD_ENTRY);
	assert_int_equal(entry.dropped, 12);
	assert_int_equal(entry.taken_us, UINT64_C(1793620800000007));
	assert_int_equal(journald_take(&reader, &part, &entry, &why), JOURNALD_ENTRY);
	assert_int_equal(entry.dropped, 0);
	assert_false(entry.has_message);
	assert_int_equal(journald_take(&reader, &part, &entry, &why), JOURNALD_MORE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_an_entry_is_a_line_wherever_it_is_cut, set_up),
		cmocka_unit_test_setup(test_what_no_journal_has_breaks_the_stream_with_a_reason, set_up),
		cmocka_unit_test_setup(test_what_is_too_long_is_cut_and_said, set_up),
		cmocka_unit_test_setup(test_a_program_cannot_speak_for_journald, set_up),
	};

	return cmocka_run_group_tests_name("journald", tests, NULL, NULL);
}
