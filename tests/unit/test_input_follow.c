/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "input_folder.h"

static const struct text some_gzip = { "\x1f\x8b\x08\0\0\0\0\0\0\3", 10 };

/* The name that logrotate gives to the old file. */
static const char *old_name(struct folder *f)
{
	static char name[160];

	snprintf(name, sizeof(name), "%s.1", f->file);
	return name;
}

static void rotate_away(struct folder *f)
{
	assert_int_equal(rename(f->file, old_name(f)), 0);
}

static void test_append(void **state)
{
	struct folder *f = *state;
	struct input *in;

	append(f, "one\ntwo\nthr");
	in = follow(f->file);
	assert_next(in, "one\ntwo\n");
	assert_no_news(in); /* a line waits for its rest */
	append(f, "ee\n");
	assert_news(in);
	assert_next(in, "three\n");
	assert_no_news(in);
	assert_false(input_rotated(in));
	assert_false(input_ended(in));
	input_close(in);
}

static void test_long_line_does_not_wait(void **state)
{
	struct folder *f = *state;
	struct buffer b = { 0 };
	struct input *in;
	struct text t;

	buffer_add_repeat(&b, 'l', 64 + 10);
	put_file(f->file, 0, buffer_text(&b));
	in = follow(f->file);
	assert_int_equal(input_next(in, &t), 1);
	assert_text(t, text_first(buffer_text(&b), 64));
	assert_no_news(in);
	append(f, "\n");
	assert_next(in, "llllllllll\n");
	input_close(in);
	buffer_done(&b);
}

static void test_rotation_create(void **state)
{
	struct folder *f = *state;
	struct input *in;

	append(f, "one\n");
	in = follow(f->file);
	assert_next(in, "one\n");
	assert_nothing(in);

	rotate_away(f);
	assert_no_news(in);
	put_file(old_name(f), O_APPEND, TEXT("two\n")); /* its writer has not noticed */
	assert_news(in);
	assert_next(in, "two\n");
	append(f, ""); /* the new file, empty */
	put_file(old_name(f), O_APPEND, TEXT("three\nfo"));
	assert_next(in, "three\n");
	assert_no_news(in);

	append(f, "new\n");
	put_file(old_name(f), O_APPEND, TEXT("ur\nfi"));
	assert_news(in);
	assert_next(in, "four\n");
	assert_next(in, "fi"); /* will not be finished any more */
	assert_false(input_rotated(in));
	assert_next(in, "new\n");
	assert_true(input_rotated(in));
	assert_false(input_rotated(in));
	assert_no_news(in);
	input_close(in);
}

static void test_rotation_twice_while_draining(void **state)
{
	struct folder *f = *state;
	struct input *in;

	append(f, "one\n");
	in = follow(f->file);
	assert_next(in, "one\n");
	rotate_away(f);
	append(f, "two\n");
	assert_news(in); /* holds the second file from now on */
	rotate_away(f);
	append(f, "three\n");
	assert_next(in, "two\n");
	assert_true(input_rotated(in));
	assert_next(in, "three\n");
	assert_true(input_rotated(in));
	input_close(in);
}

static void test_replaced_by_rename(void **state)
{
	struct folder *f = *state;
	struct input *in;

	append(f, "one\n");
	in = follow(f->file);
	assert_next(in, "one\n");
	put_file(old_name(f), 0, TEXT("one\ntwo\n"));
	assert_int_equal(rename(old_name(f), f->file), 0);
	assert_news(in);
	assert_next(in, "one\ntwo\n");
	assert_true(input_rotated(in));
	input_close(in);
}

static void test_copytruncate(void **state)
{
	struct folder *f = *state;
	struct input *in;

	append(f, "one\ntwo\nthr");
	in = follow(f->file);
	assert_next(in, "one\ntwo\n");
	assert_nothing(in);
	assert_int_equal(truncate(f->file, 0), 0);
	assert_news(in);
	assert_next(in, "thr");
	assert_false(input_rotated(in));
	assert_nothing(in);
	assert_true(input_rotated(in));
	assert_no_news(in);
	append(f, "new\n");
	assert_news(in);
	assert_next(in, "new\n");
	assert_false(input_rotated(in));

	put_file(f->file, O_TRUNC, TEXT("n\n")); /* shorter at once */
	assert_news(in);
	assert_next(in, "n\n");
	assert_true(input_rotated(in));
	input_close(in);
}

static void test_late_and_missing(void **state)
{
	struct folder *f = *state;
	struct input *in;
	char deep[160];

	in = follow(f->file);
	assert_no_news(in);
	append(f, "first\n");
	assert_news(in);
	assert_next(in, "first\n");
	assert_false(input_rotated(in)); /* it is the first file, lines count from one anyway */
	assert_int_equal(unlink(f->file), 0);
	assert_no_news(in);
	append(f, "second\n");
	assert_news(in);
	assert_next(in, "second\n");
	assert_true(input_rotated(in));
	input_close(in);

	snprintf(deep, sizeof(deep), "%s/no/such/log", f->path);
	in = follow(deep);
	assert_no_news(in);
	input_close(in);
}

static void test_folder_in_place_of_file(void **state)
{
	struct folder *f = *state;
	struct input *in;

	append(f, "one\n");
	in = follow(f->file);
	assert_next(in, "one\n");
	rotate_away(f);
	assert_int_equal(mkdir(f->file, 0700), 0);
	assert_no_news(in);
	assert_int_equal(rmdir(f->file), 0);
	append(f, "two\n");
	assert_next(in, "two\n");
	input_close(in);
}

static void test_unreadable_does_not_spin(void **state)
{
	struct folder *f = *state;
	struct input *in;

	if (geteuid() == 0)
		skip(); /* root reads all */
	append(f, "one\n");
	in = follow(f->file);
	assert_next(in, "one\n");
	rotate_away(f);
	append(f, "two\n");
	chmod(f->file, 0);
	assert_no_news(in);
	chmod(f->file, 0600);
	assert_news(in);
	assert_next(in, "two\n");
	input_close(in);
}

static void test_symbolic_link(void **state)
{
	struct folder *f = *state;
	struct input *in;
	char a[160], b[160];

	snprintf(a, sizeof(a), "%s/a", f->path);
	snprintf(b, sizeof(b), "%s/b", f->path);
	put_file(a, 0, TEXT("in a\n"));
	put_file(b, 0, TEXT("in b\n"));
	assert_int_equal(symlink(a, f->file), 0);
	in = follow(f->file);
	assert_next(in, "in a\n");
	assert_no_news(in);
	unlink(f->file);
	assert_int_equal(symlink(b, f->file), 0);
	assert_news(in);
	assert_next(in, "in b\n");
	input_close(in);
}

static void test_sizes_that_lie(void **state)
{
	static const char *const paths[] = { "/proc/version", "/sys/kernel/mm/transparent_hugepage/enabled" };
	struct input *in;
	struct text t;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		if (access(paths[i], R_OK) < 0)
			continue;
		assert_int_equal(input_follow(paths[i], &in), 0);
		assert_int_equal(input_next(in, &t), 1);
		assert_no_news(in);
		assert_false(input_rotated(in));
		input_close(in);
	}
}

static void test_compressed_refused(void **state)
{
	struct folder *f = *state;
	struct input *in = NULL;
	struct text t;

	put_file(f->file, 0, some_gzip);
	assert_int_equal(input_follow(f->file, &in), -EINVAL);
	unlink(f->file);
	in = follow(f->file);
	assert_nothing(in);
	put_file(f->file, 0, some_gzip);
	assert_news(in);
	assert_int_equal(input_next(in, &t), -EINVAL);
	assert_true(input_ended(in));
	input_close(in);

	put_file(f->file, O_TRUNC, TEXT("plain\n"));
	for (int truncated = 0; truncated < 2; truncated++) {
		in = follow(f->file);
		assert_next(in, "plain\n");
		if (truncated) {
			put_file(f->file, O_TRUNC, text_first(some_gzip, 4));
		} else {
			rotate_away(f);
			put_file(f->file, 0, some_gzip);
		}
		assert_int_equal(input_next(in, &t), -EINVAL);
		input_close(in);
		assert_int_equal(truncated ? 0 : rename(old_name(f), f->file), 0);
	}
}

static void test_magic_in_pieces(void **state)
{
	struct folder *f = *state;
	struct input *in;

	append(f, "P");
	in = follow(f->file);
	assert_no_news(in);
	append(f, "*");
	assert_no_news(in);
	append(f, "\n");
	assert_next(in, "P*\n");
	input_close(in);
}

static void test_wait_for_one_of_several(void **state)
{
	struct folder *f = *state;
	struct input *in[4] = { NULL };
	char other[160];
	int to = pipe_to_stdin();

	snprintf(other, sizeof(other), "%s/other", f->path);
	append(f, "");
	in[0] = follow(f->file);
	in[2] = follow(other); /* in[1] stays NULL */
	in[3] = follow("-");
	for (size_t i = 0; i < 4; i++)
		if (in[i])
			assert_nothing(in[i]);
	assert_int_equal(input_wait(in, 4, 0), 0);
	put_file(other, 0, TEXT("other\n"));
	assert_int_equal(input_wait(in, 4, -1), 0);
	assert_next(in[2], "other\n");
	put_all(to, TEXT("stdin\n"));
	assert_int_equal(input_wait(in, 4, -1), 0);
	assert_next(in[3], "stdin\n");
	append(f, "file\n");
	assert_int_equal(input_wait(in, 4, -1), 0);
	assert_next(in[0], "file\n");
	close(to);
	assert_int_equal(input_wait(in, 4, -1), 0);
	assert_nothing(in[3]);
	assert_int_equal(input_wait(in, 4, 20), 0);
	for (size_t i = 0; i < 4; i++)
		input_close(in[i]);
}

static void test_wait_interrupted(void **state)
{
	struct itimerval once = { .it_value = { .tv_usec = 30000 } };
	struct sigaction act = { .sa_handler = folder_on_alarm, .sa_flags = SA_RESTART };
	struct folder *f = *state;
	struct input *in = follow(f->file);

	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &once, NULL);
	assert_true(wait_ms(in, LONG_MS) < LONG_MS / 2);
	input_close(in);
}

/* What a daemon and logrotate do, in any order, as long as the reader looks before a truncation: nothing lost or doubled. */
static void test_any_history(void **state)
{
	struct folder *f = *state;
	struct buffer wrote = { 0 }, got = { 0 };
	struct input *in = follow(f->file);
	uint32_t x = 7;
	struct text t;
	int r;

	for (unsigned i = 0; i < 3000; i++) {
		char line[64];

		x = x * 1664525 + 1013904223;
		snprintf(line, sizeof(line), "%u%.*s%s", i, (int)(x >> 8) % 40, "........................................",
			 x >> 29 ? "\n" : "");
		append(f, line);
		buffer_add_string(&wrote, line);
		switch (x >> 16 & 15) {
		case 0:
			/* Seen by the reader, or it could not know of two rotations. */
			while ((r = input_next(in, &t)) == 1)
				buffer_add(&got, t);
			rotate_away(f);
			break;
		case 1:
			while ((r = input_next(in, &t)) == 1)
				buffer_add(&got, t);
			assert_int_equal(truncate(f->file, 0), 0);
			while ((r = input_next(in, &t)) == 1)
				buffer_add(&got, t);
			break;
		case 2:
			assert_int_equal(input_wait(&in, 1, 0), 0);
			break;
		case 3:
		case 4:
			r = input_next(in, &t);
			if (r == 1)
				buffer_add(&got, t);
			break;
		default:
			break;
		}
	}
	append(f, "\n");
	buffer_add_string(&wrote, "\n");
	while ((r = input_next(in, &t)) == 1)
		buffer_add(&got, t);
	assert_int_equal(r, 0);
	assert_text(buffer_text(&got), buffer_text(&wrote));
	input_close(in);
	buffer_done(&wrote);
	buffer_done(&got);
}

/* Another process writes to the old file up to the moment of its rotation, while the reader looks all the time. */
static void test_rotation_race(void **state)
{
	struct folder *f = *state;
	struct buffer got = { 0 }, want = { 0 };
	const unsigned rounds = 1000;
	struct input *in;
	struct text t;
	int ack[2], status;
	pid_t child;

	assert_int_equal(pipe(ack), 0);
	append(f, "");
	in = follow(f->file);
	child = fork();
	if (child == 0) {
		char line[32], byte;

		close(ack[1]); /* so that it ends with its parent, whatever happens */
		for (unsigned i = 0; i < rounds && read(ack[0], &byte, 1) == 1; i++) {
			snprintf(line, sizeof(line), "old %u\n", i);
			append(f, line);
			rename(f->file, old_name(f));
			snprintf(line, sizeof(line), "new %u\n", i);
			append(f, line);
		}
		_exit(0);
	}
	for (unsigned i = 0; i < rounds; i++) {
		buffer_printf(&want, "old %u\nnew %u\n", i, i);
		put_all(ack[1], TEXT("."));
		for (time_t end = time(NULL) + LONG_MS / 1000; got.len < want.len && time(NULL) < end;)
			if (input_next(in, &t) == 1)
				buffer_add(&got, t);
		assert_text(buffer_text(&got), buffer_text(&want));
	}
	waitpid(child, &status, 0);
	close(ack[0]);
	close(ack[1]);
	input_close(in);
	buffer_done(&got);
	buffer_done(&want);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_append),
		TEST(test_long_line_does_not_wait),
		TEST(test_rotation_create),
		TEST(test_rotation_twice_while_draining),
		TEST(test_replaced_by_rename),
		TEST(test_copytruncate),
		TEST(test_late_and_missing),
		TEST(test_folder_in_place_of_file),
		TEST(test_unreadable_does_not_spin),
		TEST(test_symbolic_link),
		TEST(test_sizes_that_lie),
		TEST(test_compressed_refused),
		TEST(test_magic_in_pieces),
		TEST(test_wait_for_one_of_several),
		TEST(test_wait_interrupted),
		TEST(test_any_history),
		TEST(test_rotation_race),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
