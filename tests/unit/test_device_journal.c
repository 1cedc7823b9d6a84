/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include "record/device_journal.h"

static const struct instant when = { INT64_C(1795342800) * SECOND_NS };
static char folder[64], path[512];
static struct device_journal journal;
static struct buffer out;

static const char *in_folder(const char *name)
{
	snprintf(path, sizeof(path), "%s/" DEVICE_JOURNAL_FOLDER "%s%s", folder, name[0] ? "/" : "", name);
	return path;
}

static int set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "%s/journal-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	assert_non_null(mkdtemp(folder));
	assert_int_equal(mkdir(in_folder(""), 0700), 0);
	assert_int_equal(device_journal_init(&journal, DEVICE_JOURNAL_DEEDS, folder), 0);
	return 0;
}

static int tear_down(void **state)
{
	struct dirent *entry;
	DIR *d = opendir(in_folder(""));

	(void)state;
	while (d && (entry = readdir(d)))
		if (entry->d_name[0] != '.')
			unlink(in_folder(entry->d_name));
	if (d)
		closedir(d);
	rmdir(in_folder(""));
	rmdir(folder);
	buffer_done(&out);
	return 0;
}

static int add(const char *device, const char *line)
{
	return device_journal_add(&journal, device, when, text_of(line));
}

static const char *tail(const char *device, size_t most)
{
	buffer_clear(&out);
	assert_int_equal(device_journal_read(&journal, device, most, &out), 0);
	buffer_add_char(&out, '\0');
	return out.bytes;
}

static void test_lines_come_back_with_their_time(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(device_journal_read(&journal, "hub", 4096, &out), -ENOENT);
	assert_int_equal(add("hub", "incident k3v9q2: clear crypto sa peer 192.0.2.7, by the rule"), 0);
	assert_int_equal(add("hub", "incident k3v9q2: request 7: done: done"), 0);
	assert_int_equal(add("spoke", "show clock"), 0);
	assert_string_equal(tail("hub", 4096), "2026-11-22T10:20:00.000Z incident k3v9q2: clear crypto sa peer 192.0.2.7, by the rule\n"
						   "2026-11-22T10:20:00.000Z incident k3v9q2: request 7: done: done\n");
	assert_string_equal(tail("spoke", 4096), "2026-11-22T10:20:00.000Z show clock\n");
	assert_int_equal(journal.lines, 3);
	assert_int_equal(stat(in_folder("hub.journal"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void test_a_tail_begins_with_a_whole_line(void **state)
{
	(void)state;
	add("hub", "first");
	add("hub", "second");
	assert_string_equal(tail("hub", 40), "2026-11-22T10:20:00.000Z second\n");
	assert_string_equal(tail("hub", 5), "");
}

static void test_text_from_outside_makes_no_line_of_its_own(void **state)
{
	(void)state;
	assert_int_equal(add("hub", "a\n2026-11-22T10:20:00.000Z forged\x1b[2J"), 0);
	tail("hub", 4096);
	assert_null(strchr(out.bytes, '\x1b'));
	assert_ptr_equal(strchr(out.bytes, '\n'), out.bytes + out.len - 2); /* one line */
}

static void test_names_that_are_none_reach_no_file(void **state)
{
	static const char *const names[] = { "", "../hub", "a/b", "-x", "a b", "0123456789012345678901234567890123456789" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(add(names[i], "x"), -EINVAL);
		assert_int_equal(device_journal_read(&journal, names[i], 10, &out), -EINVAL);
	}
	assert_int_equal(journal.lost, sizeof(names) / sizeof(names[0]));
	assert_int_equal(journal.lines, 0);
}

static void test_a_device_has_a_bounded_share(void **state)
{
	char line[DEVICE_JOURNAL_LINE_MAX + 2];
	struct stat st;

	(void)state;
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	for (int i = 0; i < 3 * (int)(DEVICE_JOURNAL_BYTES_MAX / DEVICE_JOURNAL_LINE_MAX); i++)
		assert_int_equal(add("hub", line), 0);
	assert_true(journal.cut == journal.lines && journal.lost == 0);
	assert_int_equal(stat(in_folder("hub.journal"), &st), 0);
	assert_true(st.st_size > 0 && st.st_size <= DEVICE_JOURNAL_BYTES_MAX);
	assert_int_equal(stat(in_folder("hub.journal.1"), &st), 0);
	assert_true(st.st_size <= DEVICE_JOURNAL_BYTES_MAX);
	tail("hub", 4096);
	assert_non_null(strstr(out.bytes, "x [cut]\n"));
	assert_true(out.len <= 4097);
}

static void test_what_was_rotated_is_read_on(void **state)
{
	char from[sizeof(path)];

	(void)state;
	add("hub", "older");
	snprintf(from, sizeof(from), "%s", in_folder("hub.journal"));
	assert_int_equal(rename(from, in_folder("hub.journal.1")), 0);
	assert_string_equal(tail("hub", 4096), "2026-11-22T10:20:00.000Z older\n");
	add("hub", "newer");
	assert_string_equal(tail("hub", 4096), "2026-11-22T10:20:00.000Z older\n2026-11-22T10:20:00.000Z newer\n");
}

static void test_a_full_disk_is_counted_and_leaves_no_half_line(void **state)
{
	struct rlimit small = { 40, RLIM_INFINITY }, all = { RLIM_INFINITY, RLIM_INFINITY };

	(void)state;
	assert_int_equal(add("hub", "one"), 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_true(add("hub", "the second one does not fit") < 0);
	assert_true(add("hub", "nor does the third") < 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
	assert_int_equal(journal.lost, 2);
	assert_true(journal.trouble < 0);
	assert_string_equal(tail("hub", 4096), "2026-11-22T10:20:00.000Z one\n");
	assert_int_equal(add("hub", "four"), 0);
	assert_int_equal(journal.trouble, 0);
	assert_string_equal(tail("hub", 4096), "2026-11-22T10:20:00.000Z one\n2026-11-22T10:20:00.000Z four\n");
}

static void test_what_is_no_plain_file_is_left_alone(void **state)
{
	(void)state;
	assert_int_equal(symlink("/etc/hostname", in_folder("hub.journal")), 0);
	assert_int_equal(add("hub", "x"), -ELOOP);
	assert_int_equal(device_journal_read(&journal, "hub", 10, &out), -ELOOP);
	assert_int_equal(mkfifo(in_folder("spoke.journal"), 0600), 0);
	assert_true(add("spoke", "x") < 0);
	assert_int_equal(device_journal_read(&journal, "spoke", 10, &out), -EEXIST);
}

static int add_lines(struct device_journal *j, int64_t days, const char *lines)
{
	return device_journal_add_lines(j, "hub", (struct instant){ when.ns + days * DAY_NS }, TEXT("incident m0 < "), text_of(lines));
}

static const char *tape_of(struct device_journal *j)
{
	buffer_clear(&out);
	assert_int_equal(device_journal_read(j, "hub", SIZE_MAX, &out), 0);
	buffer_add_char(&out, '\0');
	return out.bytes;
}

static void test_a_tape_is_bounded_and_says_what_went(void **state)
{
	struct device_journal tape;
	char lines[4096];
	struct stat st;

	(void)state;
	assert_int_equal(device_journal_init(&tape, DEVICE_JOURNAL_TAPE, folder), 0);
	assert_int_equal(add_lines(&tape, 0, "one\ntwo \x1b\n"), 0);
	assert_string_equal(tape_of(&tape), "2026-11-22T10:20:00.000Z incident m0 < one\n2026-11-22T10:20:00.000Z incident m0 < two .\n");
	assert_int_equal(stat(in_folder("hub.tape"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	memset(lines, 'x', sizeof(lines) - 1);
	for (size_t i = 200; i < sizeof(lines); i += 200)
		lines[i] = '\n';
	lines[sizeof(lines) - 1] = '\0';
	for (int i = 0; i < 3 * (int)(DEVICE_TAPE_BYTES_MAX / sizeof(lines)); i++)
		assert_int_equal(add_lines(&tape, 0, lines), 0);
	assert_int_equal(tape.lost, 0);
	assert_true(tape.gone > 0);
	assert_int_equal(stat(in_folder("hub.tape"), &st), 0);
	assert_true(st.st_size <= DEVICE_TAPE_BYTES_MAX);
	assert_int_equal(stat(in_folder("hub.tape.1"), &st), 0);
	assert_true(st.st_size <= DEVICE_TAPE_BYTES_MAX);
	assert_non_null(strstr(tape_of(&tape), " bytes of this tape went to make room\n"));
	assert_null(strstr(out.bytes, "< one"));
	assert_int_equal(add("hub", "the journal has room of its own"), 0);
	assert_string_equal(tail("hub", 4096), "2026-11-22T10:20:00.000Z the journal has room of its own\n");
}

static void test_what_is_old_goes(void **state)
{
	struct device_journal tape;

	(void)state;
	assert_int_equal(device_journal_init(&tape, DEVICE_JOURNAL_TAPE, folder), 0);
	add_lines(&tape, 0, "first");
	add_lines(&tape, 14, "second");
	add("hub", "a deed");
	assert_int_equal(device_journal_expire(&tape, (struct instant){ when.ns + 15 * DAY_NS - SECOND_NS }, 30), 0);
	assert_int_equal(tape.aged, 0);
	assert_int_equal(device_journal_expire(&tape, (struct instant){ when.ns + 15 * DAY_NS + SECOND_NS }, 30), 0);
	add_lines(&tape, 16, "third");
	assert_non_null(strstr(tape_of(&tape), "first"));
	assert_non_null(strstr(out.bytes, "third"));
	assert_int_equal(device_journal_expire(&tape, (struct instant){ when.ns + 30 * DAY_NS + SECOND_NS }, 30), 0);
	assert_int_equal(tape.aged, 1);
	assert_null(strstr(tape_of(&tape), "first"));
	assert_null(strstr(out.bytes, "second"));
	assert_non_null(strstr(out.bytes, "third"));
	assert_non_null(strstr(tail("hub", 4096), "a deed")); /* what was done is kept by its size alone */
}

#define JOURNAL_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		JOURNAL_TEST(test_lines_come_back_with_their_time),
		JOURNAL_TEST(test_a_tail_begins_with_a_whole_line),
		JOURNAL_TEST(test_text_from_outside_makes_no_line_of_its_own),
		JOURNAL_TEST(test_names_that_are_none_reach_no_file),
		JOURNAL_TEST(test_a_device_has_a_bounded_share),
		JOURNAL_TEST(test_what_was_rotated_is_read_on),
		JOURNAL_TEST(test_a_full_disk_is_counted_and_leaves_no_half_line),
		JOURNAL_TEST(test_what_is_no_plain_file_is_left_alone),
		JOURNAL_TEST(test_a_tape_is_bounded_and_says_what_went),
		JOURNAL_TEST(test_what_is_old_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
