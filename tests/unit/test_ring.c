/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include "record/ring.h"

#define START INT64_C(1000000000000)
#define WALL INT64_C(1756820207000000000)

static char folder[64];
static const struct ring_limits small = { .bytes = RING_BYTES_LEAST, .age_ns = 24 * HOUR_NS };
static const struct ring_self self = { .end = "hub", .boot = { 1, 2, 3 } };

static int set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/spimend-ring-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static void each_name(void (*call)(const char *path))
{
	DIR *d = opendir(folder);
	struct dirent *entry;
	char path[512];

	assert_non_null(d);
	while ((entry = readdir(d))) {
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (entry->d_name[0] != '.')
			call(path);
	}
	closedir(d);
}

static void remove_path(const char *path)
{
	unlink(path);
}

static int tear_down(void **state)
{
	(void)state;
	each_name(remove_path);
	return rmdir(folder);
}

static struct moment at(int64_t ns)
{
	return (struct moment){ .mono_ns = START + ns, .wall.ns = WALL + ns };
}

static struct ring *open_ring(const struct ring_limits *limits, struct moment now)
{
	struct ring *ring = NULL;

	assert_int_equal(ring_open(folder, limits, &self, now, &ring), 0);
	return ring;
}

static void add_number(struct ring *ring, uint64_t number, struct moment now)
{
	struct recorded e = { .kind = RECORDED_COUNTER, .has = RECORDED_HAS_SEQUENCE, .sequence = number,
			      .text = TEXT("a counter of an SA, of about the usual length") };

	ring_add(ring, &e, now);
}

struct content { /* of a ring: what its segments have, in order */
	uint64_t count, first, last, gaps, backwards, torn, clocks, notes;
	char note[256], clock[256];
};

static struct content read_ring(struct ring *ring, struct moment now)
{
	struct content c = { 0 };
	struct buffer bytes = { 0 };

	ring_flush(ring, now);
	for (size_t i = 0; i < ring_segments(ring); i++) {
		struct segment_reader reader;
		struct recorded e;

		assert_int_equal(ring_read(ring, i, &bytes), 0);
		if (segment_begin(&reader, buffer_text(&bytes)) < 0) {
			c.torn++;
			continue;
		}
		while (segment_next(&reader, &e)) {
			if (e.kind == RECORDED_CLOCK) {
				c.clocks++;
				text_copy(e.text, c.clock, sizeof(c.clock));
			} else if (e.kind == RECORDED_NOTE) {
				c.notes++;
				text_copy(e.text, c.note, sizeof(c.note));
			} else {
				c.gaps += c.count && e.sequence != c.last + 1;
				c.first = c.count ? c.first : e.sequence;
				c.last = e.sequence;
				c.count++;
			}
		}
		c.torn += reader.torn;
	}
	buffer_done(&bytes);
	return c;
}

static void test_what_is_added_is_read_back_also_by_the_next_life(void **state)
{
	struct ring *ring = open_ring(&small, at(0));
	struct content c;
	struct ring_figures f;

	(void)state;
	for (uint64_t i = 1; i <= 100; i++)
		add_number(ring, i, at((int64_t)i));
	assert_int_equal(ring_figures(ring).segments, 0); /* remembered, and no more */
	assert_int_equal(ring_tick(ring, at(1)), at(1).mono_ns + RING_BATCH_NS); /* the first came at 1 */
	ring_tick(ring, at(1 + RING_BATCH_NS));
	assert_int_equal(ring_figures(ring).records, 100);
	ring_close(ring, at(SECOND_NS));
	ring = open_ring(&small, at(2 * SECOND_NS));
	assert_int_equal(ring_figures(ring).records, 0); /* not read through yet */
	assert_false(ring_scan(ring));
	add_number(ring, 101, at(2 * SECOND_NS));
	c = read_ring(ring, at(2 * SECOND_NS));
	assert_int_equal(c.count, 101);
	assert_int_equal(c.gaps, 0);
	assert_int_equal(c.first, 1);
	f = ring_figures(ring);
	assert_int_equal(f.records, 101);
	assert_int_equal(f.segments, 2); /* a life never writes into another one's */
	assert_int_equal(f.torn + f.lost, 0);
	assert_true(f.has_oldest);
	assert_int_equal(f.oldest.ns, WALL);
	ring_close(ring, at(3 * SECOND_NS));
}

static void test_it_wraps_around_within_its_bytes(void **state)
{
	struct ring *ring = open_ring(&small, at(0));
	uint64_t number = 0;
	struct content c;

	(void)state;
	for (int round = 0; round < 50; round++) {
		for (int i = 0; i < 1000; i++)
			number++, add_number(ring, number, at((int64_t)number * 1000));
		ring_tick(ring, at((int64_t)number * 1000));
		assert_in_range(ring_figures(ring).bytes, 0, small.bytes);
	}
	c = read_ring(ring, at((int64_t)number * 1000));
	assert_int_equal(c.last, number);
	assert_int_equal(c.gaps, 0); /* the oldest went, and nothing else */
	assert_true(c.first > 1);
	assert_true(c.count > 5000);
	assert_int_equal(ring_figures(ring).lost, 0);
	assert_true(ring_number(ring, 0) > 1);
	ring_close(ring, at(60 * SECOND_NS));
	/* With less room the next life lets more go. */
	ring = open_ring(&small, at(61 * SECOND_NS));
	while (ring_scan(ring))
		;
	add_number(ring, ++number, at(61 * SECOND_NS));
	c = read_ring(ring, at(61 * SECOND_NS));
	assert_int_equal(c.last, number);
	assert_int_equal(c.gaps, 0);
	ring_close(ring, at(62 * SECOND_NS));
}

static void test_what_is_too_old_goes_by_the_clock_that_does_not_step(void **state)
{
	const struct ring_limits hour = { .bytes = RING_BYTES_LEAST, .age_ns = HOUR_NS };
	struct ring *ring = open_ring(&hour, at(0));
	struct moment later;
	struct content c;

	(void)state;
	for (int minute = 0; minute < 180; minute++) {
		add_number(ring, (uint64_t)minute, at(minute * MINUTE_NS));
		ring_tick(ring, at(minute * MINUTE_NS + SECOND_NS));
	}
	c = read_ring(ring, at(180 * MINUTE_NS));
	assert_int_equal(c.last, 179);
	assert_in_range(c.first, 100, 120); /* 60 minutes, and a segment's length */
	/* A wall clock that jumps ahead by a year makes nothing old. */
	later = at(180 * MINUTE_NS);
	later.wall.ns += 365 * DAY_NS;
	add_number(ring, 180, later);
	ring_tick(ring, later);
	later.mono_ns += 2 * MINUTE_NS;
	ring_tick(ring, later);
	c = read_ring(ring, later);
	assert_in_range(c.first, 100, 122);
	assert_int_equal(c.clocks, 1);
	ring_close(ring, later);
}

static void test_a_step_of_the_clock_is_told_and_a_slewed_one_is_not(void **state)
{
	struct ring *ring = open_ring(&small, at(0));
	struct moment now = at(0);
	struct content c;

	(void)state;
	add_number(ring, 1, now);
	for (int i = 2; i <= 10; i++) { /* 500 ppm, once an hour */
		now.mono_ns += HOUR_NS;
		now.wall.ns += HOUR_NS + HOUR_NS / 2000;
		add_number(ring, (uint64_t)i, now);
	}
	assert_int_equal(ring_figures(ring).steps, 0);
	now.mono_ns += SECOND_NS;
	now.wall.ns -= 3599 * SECOND_NS + 500000000;
	add_number(ring, 11, now);
	c = read_ring(ring, now);
	assert_int_equal(c.clocks, 1);
	assert_string_equal(c.clock, "the wall clock went back by 3600.500 s: earlier times are of the clock as it was");
	assert_int_equal(c.gaps, 0); /* the order is that of mono */
	assert_int_equal(c.count, 11);
	assert_int_equal(ring_figures(ring).steps, 1);
	ring_close(ring, now);
}

/* --- A disk that is full ------------------------------------------------------------------------------------------- */

static void limit_files(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void test_a_full_disk_stops_the_recording_until_there_is_room(void **state)
{
	struct ring *ring = open_ring(&small, at(0));
	uint64_t number = 0, lost;
	struct content c;
	int64_t now = 0;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	limit_files(10000); /* the write that crosses it is cut: what got there is taken back */
	while (ring_figures(ring).lost < 100)
		add_number(ring, ++number, at(now += 1000));
	assert_int_equal(ring_figures(ring).trouble, -EFBIG);
	/* It is not tried at each event: a full disk costs no time. */
	assert_true(ring_tick(ring, at(now)) > at(now).mono_ns);
	lost = ring_figures(ring).lost;
	limit_files(RLIM_INFINITY);
	now += RING_RETRY_NS;
	ring_tick(ring, at(now));
	assert_int_equal(ring_figures(ring).trouble, 0);
	add_number(ring, ++number, at(now));
	c = read_ring(ring, at(now));
	assert_int_equal(ring_figures(ring).lost, lost);
	assert_int_equal(c.count, number - lost);
	assert_int_equal(c.last, number);
	assert_int_equal(c.gaps, 1);
	assert_int_equal(c.torn, 0);
	assert_int_equal(c.notes, 1);
	assert_string_equal(c.note, "100 events are missing in front of this: the disk did not take them");
	ring_close(ring, at(now));
}

static void test_what_others_need_of_the_disk_is_left_to_them(void **state)
{
	struct ring_limits greedy = small;
	struct ring *ring;

	(void)state;
	greedy.reserve = UINT64_MAX / 2;
	ring = open_ring(&greedy, at(0));
	add_number(ring, 1, at(0));
	assert_int_equal(ring_flush(ring, at(1)), -ENOSPC);
	assert_int_equal(ring_segments(ring), 0);
	ring_change(ring, &small, "hub");
	ring_tick(ring, at(1 + RING_RETRY_NS));
	assert_int_equal(ring_figures(ring).trouble, 0);
	assert_int_equal(ring_figures(ring).records, 1);
	assert_int_equal(ring_figures(ring).lost, 0); /* it was remembered */
	ring_close(ring, at(SECOND_NS));
}

static void test_a_disk_that_is_full_for_hours_costs_what_memory_has_no_room_for(void **state)
{
	struct ring_limits greedy = small;
	int64_t now = 0;
	struct ring *ring;

	(void)state;
	greedy.reserve = UINT64_MAX / 2;
	ring = open_ring(&greedy, at(0));
	for (uint64_t i = 1; i <= 20; i++) { /* a segment is of 90 minutes at most */
		add_number(ring, i, at(now));
		ring_tick(ring, at(now += SECOND_NS));
		assert_int_equal(ring_figures(ring).trouble, -ENOSPC);
		ring_tick(ring, at(now += 20 * MINUTE_NS));
	}
	assert_int_equal(ring_figures(ring).lost, 0);
	ring_change(ring, &small, "hub");
	ring_tick(ring, at(now += RING_RETRY_NS));
	assert_int_equal(ring_figures(ring).trouble, 0);
	assert_int_equal(ring_figures(ring).written, 20);
	add_number(ring, 21, at(now += SECOND_NS)); /* into a segment of its own */
	ring_flush(ring, at(now));
	assert_int_equal(ring_segments(ring), 2);
	assert_int_equal(ring_figures(ring).records, 21);
	ring_close(ring, at(now));
}

/* --- A process that is killed -------------------------------------------------------------------------------------- */

static void write_until_killed(int told)
{
	struct ring *ring = open_ring(&small, at(0));
	struct timespec now;

	for (uint64_t i = 1;; i++) {
		add_number(ring, i, at((int64_t)i));
		if (i % 7 == 0)
			ring_flush(ring, at((int64_t)i));
		if (i == 300)
			(void)!write(told, "x", 1);
		clock_gettime(CLOCK_MONOTONIC, &now);
	}
}

static void test_a_process_that_is_killed_in_mid_write_loses_nothing_that_was_written(void **state)
{
	uint64_t before = 0;

	(void)state;
	for (int round = 0; round < 30; round++) {
		struct timespec wait = { 0, 200000 * (round % 10) };
		int told[2], status;
		char byte;
		pid_t child;
		struct ring *ring;
		struct content c;

		assert_int_equal(pipe(told), 0);
		child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			write_until_killed(told[1]);
			_exit(0);
		}
		assert_int_equal(read(told[0], &byte, 1), 1);
		nanosleep(&wait, NULL);
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, &status, 0), child);
		close(told[0]);
		close(told[1]);
		ring = open_ring(&small, at(0));
		while (ring_scan(ring))
			;
		c = read_ring(ring, at(0));
		assert_true(c.count >= 294);
		assert_int_equal(c.gaps, 0);
		assert_in_range(c.torn, 0, 1);
		assert_int_equal(ring_figures(ring).torn, c.torn);
		assert_true(c.first == 1 || c.count > 5000); /* or it had wrapped around */
		before += c.count;
		ring_close(ring, at(0));
		each_name(remove_path);
	}
	assert_true(before > 0);
}

/* --- What else may lie there --------------------------------------------------------------------------------------- */

static void test_what_is_damaged_or_foreign_is_counted_and_left_alone(void **state)
{
	struct ring *ring = open_ring(&small, at(0));
	struct content c;
	char path[128], target[160];
	struct stat found;
	int fd;

	(void)state;
	add_number(ring, 1, at(0));
	ring_close(ring, at(1));
	snprintf(path, sizeof(path), "%s/0000000000000001.seg", folder);
	fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "SMDR\x30\0\xcf\xff torn", 13), 13);
	close(fd);
	snprintf(path, sizeof(path), "%s/0000000000000002.seg", folder); /* no header: power failed before it was there */
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	snprintf(path, sizeof(path), "%s/notes.txt", folder);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	snprintf(target, sizeof(target), "%s/0000000000000003.seg", folder);
	assert_int_equal(symlink("/etc/passwd", target), 0);
	ring = open_ring(&small, at(2));
	while (ring_scan(ring))
		;
	assert_int_equal(ring_figures(ring).torn, 3);
	assert_int_equal(ring_figures(ring).records, 1);
	add_number(ring, 2, at(2));
	assert_int_equal(ring_flush(ring, at(2)), 0);
	assert_int_equal(ring_number(ring, 3), 4);
	ring_close(ring, at(3));
	unlink(target); /* else read_ring() would stop at it, as it should */
	ring = open_ring(&small, at(4));
	c = read_ring(ring, at(4));
	assert_int_equal(c.count, 2);
	assert_int_equal(c.gaps, 0);
	ring_close(ring, at(4));
	assert_int_equal(stat(path, &found), 0);
	assert_int_equal(ring_open("/nonexistent", &small, &self, at(0), &ring), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_is_added_is_read_back_also_by_the_next_life, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_it_wraps_around_within_its_bytes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_is_too_old_goes_by_the_clock_that_does_not_step, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_step_of_the_clock_is_told_and_a_slewed_one_is_not, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_disk_that_is_full_for_hours_costs_what_memory_has_no_room_for, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_full_disk_stops_the_recording_until_there_is_room, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_others_need_of_the_disk_is_left_to_them, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_process_that_is_killed_in_mid_write_loses_nothing_that_was_written, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_what_is_damaged_or_foreign_is_counted_and_left_alone, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
