/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sys/stat.h>

#include "input_folder.h"

static void test_plain_every_window(void **state)
{
	struct folder *f = *state;
	struct buffer b = { 0 };

	buffer_add_char(&b, 'x'); /* no magic number by accident */
	make_lines(&b, 100);
	for (size_t cut = 0; cut < 3; cut++) {
		struct text t = text_first(buffer_text(&b), b.len - cut * 7); /* with and without a last '\n' */

		put_file(f->file, O_TRUNC, t);
		for (size_t window = 1; window <= 200; window++) {
			assert_reads(f->file, window, 256, t, 0);
			if (window <= LINE_MAX_SMALL)
				assert_reads(f->file, window, LINE_MAX_SMALL, t, 0);
		}
		assert_reads(f->file, INPUT_WINDOW, INPUT_LINE_MAX, t, 0);
	}
	buffer_done(&b);
}

static void test_plain_large(void **state)
{
	struct folder *f = *state;
	struct buffer b = { 0 };

	buffer_add_char(&b, 'x');
	make_lines(&b, 100000);
	buffer_add_repeat(&b, '\0', 3 * INPUT_LINE_MAX + 17); /* a long line of NULs */
	make_lines(&b, 10);
	put_file(f->file, 0, buffer_text(&b));
	assert_reads(f->file, INPUT_WINDOW, INPUT_LINE_MAX, buffer_text(&b), 0);
	buffer_done(&b);
}

static void test_plain_tiny(void **state)
{
	static const char *const contents[] = { "", "a", "\n", "a\n", "\n\n", "a\nb", "P", "P*M", "(\xb5/", "\x1f", "\x1fx\n" };
	struct folder *f = *state;

	for (size_t i = 0; i < sizeof(contents) / sizeof(*contents); i++) {
		put_file(f->file, O_TRUNC, text_of(contents[i]));
		for (size_t window = 1; window < 5; window++)
			assert_reads(f->file, window, LINE_MAX_SMALL, text_of(contents[i]), 0);
	}
}

static void test_long_line_pieces(void **state)
{
	struct folder *f = *state;

	for (size_t len = LINE_MAX_SMALL - 2; len < 3 * LINE_MAX_SMALL + 2; len++) {
		struct buffer b = { 0 };
		struct input *in;
		struct text t;

		buffer_add_repeat(&b, 'l', len);
		buffer_add_string(&b, "\nnext\n");
		put_file(f->file, O_TRUNC, buffer_text(&b));
		assert_int_equal(input_open_sized(f->file, false, 7, LINE_MAX_SMALL, &in), 0);
		for (size_t left = len + 1; left > 0; left -= t.len) {
			assert_int_equal(input_next(in, &t), 1);
			if (left <= LINE_MAX_SMALL)
				break; /* the rest, with or without the next line */
			assert_int_equal(t.len, LINE_MAX_SMALL);
		}
		input_close(in);
		assert_reads(f->file, 7, LINE_MAX_SMALL, buffer_text(&b), 0);
		buffer_done(&b);
	}
}

static void test_open_errors(void **state)
{
	struct folder *f = *state;
	struct input *in = NULL;

	assert_int_equal(input_open(f->file, &in), -ENOENT);
	assert_int_equal(input_open("", &in), -ENOENT);
	assert_int_equal(input_open(f->path, &in), -EISDIR);
	assert_int_equal(input_follow(f->path, &in), -EISDIR);
	assert_int_equal(input_follow("", &in), -ENOENT);
	put_file(f->file, 0, TEXT("secret\n"));
	chmod(f->file, 0);
	if (geteuid() != 0) {
		assert_int_equal(input_open(f->file, &in), -EACCES);
		assert_int_equal(input_follow(f->file, &in), -EACCES);
	}
	assert_null(in);
	input_close(NULL);
}

static void test_read_error(void **state)
{
	struct input *in = NULL;
	struct text t;

	(void)state;
	/* Nothing is mapped at address 0, so the kernel answers EIO. */
	assert_int_equal(input_open("/proc/self/mem", &in), 0);
	assert_int_equal(input_next(in, &t), -EIO);
	assert_true(input_ended(in));
	assert_int_equal(input_next(in, &t), -EIO);
	input_close(in);
}

static void test_shrinking_file(void **state)
{
	struct folder *f = *state;
	struct buffer b = { 0 };
	struct input *in;
	struct text t;

	buffer_add_char(&b, 'x');
	make_lines(&b, 50000);
	put_file(f->file, 0, buffer_text(&b));
	assert_int_equal(input_open(f->file, &in), 0);
	assert_int_equal(input_next(in, &t), 1);
	assert_int_equal(truncate(f->file, 10), 0);
	assert_int_equal(t.at[0], 'x');
	assert_int_equal(t.at[t.len - 1], '\n');
	assert_int_equal(input_next(in, &t), 1); /* the rest of the first window */
	assert_nothing(in);
	input_close(in);
	buffer_done(&b);
}

static void test_whole_up_to_what_is_wanted(void **state)
{
	struct folder *f = *state;
	struct buffer b = { 0 }, got = { 0 };

	make_lines(&b, 50000);
	put_file(f->file, O_TRUNC, buffer_text(&b));
	buffer_add_char(&got, 'x'); /* it stays in front, and counts */
	assert_int_equal(input_read_whole(f->file, b.len + 1, &got), 0);
	assert_true(got.len == b.len + 1 && memcmp(got.bytes + 1, b.bytes, b.len) == 0);
	buffer_clear(&got);
	assert_int_equal(input_read_whole(f->file, b.len - 1, &got), -EFBIG);
	assert_true(got.len < b.len);
	assert_int_equal(input_read_whole("/nonexistent/file", 10, &got), -ENOENT);
	buffer_done(&b);
	buffer_done(&got);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_plain_every_window),
		TEST(test_plain_large),
		TEST(test_plain_tiny),
		TEST(test_long_line_pieces),
		TEST(test_open_errors),
		TEST(test_read_error),
		TEST(test_whole_up_to_what_is_wanted),
		TEST(test_shrinking_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
