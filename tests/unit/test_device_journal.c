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
	assert_int_equal(device_journal_init(&journal, folder), 0);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
