/* SPDX-License-Identifier: MIT */
/* Mapped windows give the same bytes as reading, and a file that shrinks meanwhile does not end the process. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/buffer.h"
#include "sense/input.h"
#include "spimend/error.h"

static char path[] = "/tmp/spimend-map-XXXXXX";

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 || close(fd) < 0 ? -1 : 0;
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

/* Lines of 1 to 300 bytes, about `size` in all; the last without a line break when `open_end`. */
static void fill(struct buffer *all, size_t size, bool open_end)
{
	FILE *file = fopen(path, "w");
	uint32_t random = 7;

	assert_non_null(file);
	while (all->len < size) {
		random = random * 1103515245 + 12345;
		buffer_add_repeat(all, (char)('a' + random / 65536 % 26), random / 256 % 300);
		buffer_add_char(all, '\n');
	}
	if (open_end)
		buffer_add_string(all, "no line break");
	assert_int_equal(fwrite(all->bytes, 1, all->len, file), all->len);
	assert_int_equal(fclose(file), 0);
}

static void windows_give_every_byte(void **state)
{
	(void)state;
	for (int open_end = 0; open_end < 2; open_end++) {
		struct buffer all = { 0 }, got = { 0 };
		struct input *input;
		struct text bytes;
		int result;

		fill(&all, (size_t)INPUT_MAP_WINDOW * 3 + 12345, open_end);
		assert_int_equal(input_open(path, &input), 0);
		assert_int_equal(input_map(input), -EINVAL); /* its kind is not known yet */
		assert_int_equal(input_next(input, &bytes), 1);
		buffer_add(&got, bytes);
		assert_int_equal(input_map(input), 0);
		while ((result = input_next(input, &bytes)) > 0) {
			assert_true(bytes.at[bytes.len - 1] == '\n' || got.len + bytes.len == all.len);
			buffer_add(&got, bytes);
		}
		assert_int_equal(result, 0);
		assert_true(input_ended(input));
		assert_true(text_equal(buffer_text(&all), buffer_text(&got)));
		input_close(input);
		buffer_done(&all);
		buffer_done(&got);
	}
}

static void a_file_that_shrinks_is_an_error(void **state)
{
	struct buffer all = { 0 };
	struct input *input;
	struct text bytes;
	uint64_t zeros = 0;

	(void)state;
	fill(&all, (size_t)INPUT_MAP_WINDOW * 3, false);
	assert_int_equal(input_open(path, &input), 0);
	assert_int_equal(input_next(input, &bytes), 1);
	assert_int_equal(input_map(input), 0);
	assert_int_equal(input_next(input, &bytes), 1);
	assert_int_equal(truncate(path, 4096), 0);
	for (size_t i = 0; i < bytes.len; i++)
		zeros += bytes.at[i] == '\0';
	assert_true(zeros > bytes.len / 2);
	assert_int_equal(input_next(input, &bytes), SPIMEND_E_SHRANK);
	assert_true(input_ended(input));
	assert_int_equal(input_next(input, &bytes), SPIMEND_E_SHRANK);
	input_close(input);
	buffer_done(&all);
}

static void one_line_longer_than_a_window(void **state)
{
	FILE *file = fopen(path, "w");
	struct input *input;
	struct text bytes;
	size_t got = 0, size = (size_t)INPUT_MAP_WINDOW * 2;

	(void)state;
	assert_non_null(file);
	for (size_t i = 0; i < size; i++)
		putc('x', file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(input_open(path, &input), 0);
	assert_int_equal(input_next(input, &bytes), 1);
	got += bytes.len;
	assert_int_equal(input_map(input), 0);
	while (input_next(input, &bytes) > 0) {
		assert_true(bytes.len <= INPUT_MAP_WINDOW);
		got += bytes.len;
	}
	assert_int_equal(got, size);
	input_close(input);
}

/* Pieces of any size, of which a part is kept: in front of the next piece stands what was kept, and nothing is lost or given
 * twice, mapped or not, from the first byte to the last. */
static void what_is_kept_is_given_again(void **state)
{
	(void)state;
	for (int mapped = 0; mapped < 2; mapped++) {
		struct buffer all = { 0 }, got = { 0 };
		struct input *input;
		struct text bytes;
		uint32_t random = 11;
		size_t kept = 0;
		int result;

		fill(&all, (size_t)INPUT_MAP_WINDOW * 2 + 4321, true);
		assert_int_equal(input_open(path, &input), 0);
		result = input_next(input, &bytes);
		assert_int_equal(result, 1);
		while (result > 0) {
			assert_true(bytes.len > kept);
			random = random * 1103515245 + 12345;
			kept = random / 4096 % (bytes.len < 100000 ? bytes.len : 100000);
			buffer_add(&got, text_first(bytes, bytes.len - kept));
			assert_int_equal(input_keep(input, bytes.len + 1), -EINVAL);
			assert_int_equal(input_keep(input, kept), 0);
			if (mapped)
				input_map(input);
			bytes = text_skip(bytes, bytes.len - kept);
			result = input_next_bytes(input, &bytes);
		}
		assert_int_equal(result, 0);
		buffer_add(&got, text_skip(buffer_text(&all), all.len - kept)); /* the end comes with what was kept last */
		assert_true(text_equal(buffer_text(&all), buffer_text(&got)));
		input_close(input);
		buffer_done(&all);
		buffer_done(&got);
	}
}

/* A log that only looked like something else at first: lines again, from the first byte on. */
static void lines_again_after_bytes(void **state)
{
	struct buffer all = { 0 }, got = { 0 };
	struct input *input;
	struct text bytes;

	(void)state;
	fill(&all, 700000, false);
	assert_int_equal(input_open(path, &input), 0);
	assert_int_equal(input_next(input, &bytes), 1);
	assert_int_equal(input_keep(input, bytes.len), 0);
	assert_int_equal(input_next_bytes(input, &bytes), 1);
	assert_int_equal(input_keep(input, bytes.len), 0);
	while (input_next(input, &bytes) > 0) {
		assert_int_equal(bytes.at[bytes.len - 1], '\n');
		buffer_add(&got, bytes);
	}
	assert_true(text_equal(buffer_text(&all), buffer_text(&got)));
	input_close(input);
	buffer_done(&all);
	buffer_done(&got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(windows_give_every_byte),
		cmocka_unit_test(a_file_that_shrinks_is_an_error),
		cmocka_unit_test(one_line_longer_than_a_window),
		cmocka_unit_test(what_is_kept_is_given_again),
		cmocka_unit_test(lines_again_after_bytes),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
