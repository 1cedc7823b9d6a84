/* SPDX-License-Identifier: MIT */
/* What the tests of the input share: a folder that goes away with its test, files in it, and reading an input to its end. */
#ifndef TESTS_INPUT_FOLDER_H
#define TESTS_INPUT_FOLDER_H

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "sense/input_private.h"

#define LINE_MAX_SMALL 64
#define LONG_MS 10000 /* a wait that must end earlier by itself */

struct folder {
	char path[64];
	char file[128]; /* a name in it, ready for use */
	int real_stdin;
};

static inline int folder_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static inline int folder_setup(void **state)
{
	struct folder *f = calloc(1, sizeof(*f));

	strcpy(f->path, "/tmp/spimend-input-XXXXXX");
	if (!mkdtemp(f->path))
		return -1;
	snprintf(f->file, sizeof(f->file), "%s/log", f->path);
	f->real_stdin = dup(STDIN_FILENO);
	*state = f;
	return 0;
}

/* cmocka calls it after a failed test too. */
static inline int folder_teardown(void **state)
{
	struct folder *f = *state;

	dup2(f->real_stdin, STDIN_FILENO);
	close(f->real_stdin);
	nftw(f->path, folder_remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

static inline void put_all(int fd, struct text t)
{
	while (t.len > 0) {
		ssize_t n = write(fd, t.at, t.len);

		assert_true(n > 0);
		t = text_skip(t, (size_t)n);
	}
}

static inline void put_file(const char *path, int flags, struct text t)
{
	int fd = open(path, O_WRONLY | O_CREAT | flags, 0600);

	assert_true(fd >= 0);
	put_all(fd, t);
	close(fd);
}

static inline void assert_text(struct text got, struct text want)
{
	assert_int_equal(got.len, want.len);
	if (want.len > 0)
		assert_memory_equal(got.at, want.at, want.len);
}

/* The next call gives exactly this. */
static inline void assert_next(struct input *in, const char *want)
{
	struct text t = TEXT_NONE;

	assert_int_equal(input_next(in, &t), 1);
	assert_text(t, text_of(want));
}

static inline void assert_nothing(struct input *in)
{
	struct text t = TEXT_NONE;

	assert_int_equal(input_next(in, &t), 0);
	assert_null(t.at);
}

/* A pipe as standard input; returns the end to write to. */
static inline int pipe_to_stdin(void)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	close(ends[0]);
	return ends[1];
}

/*
 * Reads all, adds it to `all`, and checks the promise: what is given is whole lines, or a piece of exactly `line_max`, or
 * the file's last bytes. Returns what ended it.
 */
static inline int read_all(const char *path, size_t window, size_t line_max, struct buffer *all)
{
	struct input *in = NULL;
	bool cut = false;
	struct text t;
	int r = input_open_sized(path, false, window, line_max, &in);

	if (r < 0)
		return r;
	assert_string_equal(input_name(in), path);
	while ((r = input_next(in, &t)) == 1) {
		assert_false(cut);
		assert_true(t.len > 0 && t.len <= line_max);
		if (t.at[t.len - 1] != '\n') {
			assert_null(memchr(t.at, '\n', t.len));
			cut = t.len < line_max;
		}
		buffer_add(all, t);
	}
	assert_true(input_ended(in));
	assert_false(input_rotated(in));
	t = TEXT_NONE;
	assert_int_equal(input_next(in, &t), r); /* it stays so */
	input_close(in);
	return r;
}

static inline void assert_reads(const char *path, size_t window, size_t line_max, struct text want, int result)
{
	struct buffer all = { 0 };

	assert_int_equal(read_all(path, window, line_max, &all), result);
	assert_text(buffer_text(&all), want);
	buffer_done(&all);
}

/* Lines of 0 to 80 characters, so that each window ends at each place of a line, with bytes of all kinds. */
static inline void make_lines(struct buffer *b, size_t lines)
{
	uint32_t x = 1;

	for (size_t i = 0; i < lines; i++) {
		for (size_t len = i * 37 % 81; len > 0; len--) {
			x = x * 1664525 + 1013904223;
			buffer_add_char(b, (char)(x >> 24) == '\n' ? '\0' : (char)(x >> 24));
		}
		buffer_add_char(b, '\n');
	}
}

static inline void append(struct folder *f, const char *string)
{
	put_file(f->file, O_APPEND, text_of(string));
}

static inline struct input *follow(const char *path)
{
	struct input *in = NULL;

	assert_int_equal(input_open_sized(path, true, 16, 64, &in), 0);
	return in;
}

/* Waits, and returns after how many milliseconds. */
static inline int64_t wait_ms(struct input *in, int timeout_ms)
{
	struct timespec a, b;

	clock_gettime(CLOCK_MONOTONIC, &a);
	assert_int_equal(input_wait(&in, 1, timeout_ms), 0);
	clock_gettime(CLOCK_MONOTONIC, &b);
	return (b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000;
}

static inline void assert_news(struct input *in)
{
	assert_true(wait_ms(in, LONG_MS) < LONG_MS);
}

static inline void assert_no_news(struct input *in)
{
	assert_nothing(in);
	assert_true(wait_ms(in, 20) >= 19);
}

static inline void folder_on_alarm(int number)
{
	(void)number;
}

#endif
