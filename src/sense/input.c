/* SPDX-License-Identifier: MIT */
#include "sense/input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "sense/input_private.h"

/* The kernel copies fastest to the start of a cache line. */
#define READ_ALIGN 64u

static int open_once(struct input *in)
{
	struct stat st;

	if (in->is_stdin)
		in->fd = STDIN_FILENO;
	else
		in->fd = open(in->name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (in->fd < 0 || fstat(in->fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	in->is_regular = S_ISREG(st.st_mode);
	if (in->is_regular)
		posix_fadvise(in->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	return 0;
}

static void input_close_pointer(struct input **in)
{
	input_close(*in);
}

int input_open_sized(const char *path, bool follow, size_t window, size_t line_max, struct input **ret)
{
	cleanup(input_close_pointer) struct input *in = memory_new(1, sizeof(*in));
	size_t name_size = strlen(path) + 1;
	int r;

	if (!in)
		return -ENOMEM;
	in->fd = in->next_fd = -1;
	in->follow = follow;
	in->window = window;
	in->line_max = line_max;
	in->is_stdin = !strcmp(path, "-");
	in->name = memory_new(name_size, 1);
	in->bytes = memory_new(line_max + READ_ALIGN, 1);
	if (!in->name || !in->bytes)
		return -ENOMEM;
	memcpy(in->name, path, name_size);
	r = follow && !in->is_stdin ? follow_open(in) : open_once(in);
	if (r < 0)
		return r;
	*ret = in;
	in = NULL;
	return 0;
}

int input_open(const char *path, struct input **ret)
{
	return input_open_sized(path, false, INPUT_WINDOW, INPUT_LINE_MAX, ret);
}

int input_follow(const char *path, struct input **ret)
{
	return input_open_sized(path, true, INPUT_WINDOW, INPUT_LINE_MAX, ret);
}

void input_close(struct input *in)
{
	if (!in)
		return;
	input_unmap(in);
	decoder_free(in->decoder);
	if (in->fd >= 0 && !in->is_stdin)
		close(in->fd);
	if (in->next_fd >= 0)
		close(in->next_fd);
	memory_free(in->bytes);
	memory_free(in->name);
	memory_free(in);
}

int input_read_whole(const char *path, size_t most, struct buffer *ret)
{
	struct input *input;
	struct text bytes;
	int result = input_open(path, &input);

	if (result < 0)
		return result;
	while ((result = input_next(input, &bytes)) > 0 || result == -EINTR) {
		if (result == -EINTR)
			continue;
		if (ret->len + bytes.len > most) {
			result = -EFBIG;
			break;
		}
		buffer_add(ret, bytes);
	}
	input_close(input);
	return result < 0 ? result : buffer_error(ret);
}

bool input_rotated(struct input *in)
{
	bool rotated = in->rotated;

	in->rotated = false;
	return rotated;
}

bool input_ended(const struct input *in)
{
	return in->ended && in->held == in->given;
}

const char *input_name(const struct input *in)
{
	return in->name;
}

ssize_t input_read_raw(struct input *in, void *to, size_t room)
{
	struct pollfd wait = { .fd = in->fd, .events = POLLIN };
	ssize_t n;

	if (in->fd < 0)
		return 0;
	/* Standard input is shared with other processes, so it cannot be made non-blocking: ask first. */
	if (in->follow && !in->is_regular && poll(&wait, 1, 0) == 0)
		return -EAGAIN;
	while ((n = read(in->fd, to, room)) < 0) {
		if (errno != EAGAIN || in->follow)
			return -errno;
		/* Somebody else made it non-blocking. */
		if (poll(&wait, 1, -1) < 0)
			return -errno;
	}
	in->offset += n;
	in->hung_up = n == 0;
	return n;
}

enum input_format input_format_of(const void *bytes, size_t len)
{
	static const unsigned char gzip[] = { 0x1f, 0x8b };             /* RFC 1952 2.3.1 */
	static const unsigned char zstd[] = { 0x28, 0xb5, 0x2f, 0xfd }; /* RFC 8878 3.1.1 */
	static const unsigned char skip[] = { 0x2a, 0x4d, 0x18 };       /* RFC 8878 3.1.2, after a byte 0x50 to 0x5f */
	const unsigned char *b = bytes;
	size_t zstd_len = len < sizeof(zstd) ? len : sizeof(zstd);
	size_t skip_len = len < sizeof(skip) + 1 ? len : sizeof(skip) + 1;

	if (len == 0)
		return INPUT_UNKNOWN;
	if (b[0] == gzip[0] && (len < 2 || b[1] == gzip[1]))
		return len < 2 ? INPUT_UNKNOWN : INPUT_GZIP;
	if (!memcmp(b, zstd, zstd_len))
		return zstd_len < sizeof(zstd) ? INPUT_UNKNOWN : INPUT_ZSTD;
	if ((b[0] & 0xf0) == 0x50 && !memcmp(b + 1, skip, skip_len - 1))
		return skip_len < sizeof(skip) + 1 ? INPUT_UNKNOWN : INPUT_ZSTD;
	return INPUT_PLAIN;
}

/* Looks at the first bytes, and puts a decoder between us and the file if they ask for one. */
static int input_tell_format(struct input *in)
{
	const char *first = in->bytes + in->start;
	int r = 0;

	in->format = input_format_of(first, in->held);
	if (in->format != INPUT_GZIP && in->format != INPUT_ZSTD)
		return 0;
	if (in->follow && !in->is_stdin)
		r = -EINVAL;
	else if (in->format == INPUT_GZIP)
		r = decoder_new_gzip(in, first, in->held, in->window, &in->decoder);
	else
		r = decoder_new_zstd(in, first, in->held, in->window, &in->decoder);
	in->held = 0;
	return r;
}

/*
 * Reads once behind what is held. 1 with the number of plain bytes that came, which may be none yet; 0 at the end;
 * negative on error.
 */
static int input_fill(struct input *in, size_t *ret_more)
{
	size_t room = in->line_max - in->held;
	char *to = in->bytes + in->start + in->held;
	ssize_t n;
	int r;

	if (room > in->window)
		room = in->window;
	if (in->decoder)
		n = in->decoder->read(in->decoder, to, room);
	else
		n = input_read_raw(in, to, room);
	if (n <= 0)
		return (int)n;
	in->held += (size_t)n;
	*ret_more = (size_t)n;
	if (in->format == INPUT_UNKNOWN) {
		r = input_tell_format(in);
		if (r < 0)
			return r;
		/* All that is held is new, or went into the decoder, or waits for more to tell. */
		*ret_more = in->format == INPUT_PLAIN ? in->held : 0;
	}
	return 1;
}

/* Lets go of what was given; its rest, the start of a line, moves so that the next read lands aligned. */
static void input_drop_given(struct input *in)
{
	size_t rest = in->held - in->given;
	size_t start = -((uintptr_t)in->bytes + rest) % READ_ALIGN;

	if (in->given == 0 && in->held > 0)
		return;
	memmove(in->bytes + start, in->bytes + in->start + in->given, rest);
	in->start = start;
	in->held = rest;
	in->given = 0;
}

static int input_give(struct input *in, size_t len, struct text *ret)
{
	in->given = len;
	*ret = (struct text){ in->bytes + in->start, len };
	return 1;
}

static void input_fail(struct input *in, int error)
{
	in->error = error;
	in->ended = true;
}

int input_next(struct input *in, struct text *ret)
{
	if (in->mapped)
		return input_next_mapped(in, false, ret);
	input_drop_given(in);
	for (;;) {
		enum follow_step step;
		size_t more = 0;
		int r;

		if (in->held == in->line_max || (in->ended && in->held > 0))
			return input_give(in, in->held, ret);
		if (in->ended)
			return in->error;

		r = input_fill(in, &more);
		if (r > 0) {
			const char *from = in->bytes + in->start;
			const char *newline = memrchr(from + in->held - more, '\n', more);

			if (newline)
				return input_give(in, (size_t)(newline + 1 - from), ret);
			continue;
		}
		if (r == -EAGAIN)
			return 0;
		if (r == -EINTR)
			return r;
		if (r < 0) {
			input_fail(in, r);
			continue;
		}

		step = in->follow ? follow_at_end(in) : FOLLOW_END;
		if (step == FOLLOW_WAIT)
			return 0;
		if (step == FOLLOW_AGAIN)
			continue;
		if (step == FOLLOW_END) {
			in->ended = true;
			continue;
		}
		/* The unfinished line of the old file goes first; the next call comes here again. */
		if (in->held > 0)
			return input_give(in, in->held, ret);
		r = follow_switch(in, step);
		if (r < 0)
			input_fail(in, r);
	}
}

int input_keep(struct input *in, size_t count)
{
	if (in->mapped)
		return input_keep_mapped(in, count);
	if (count > in->given || count >= in->line_max)
		return -EINVAL;
	in->given -= count;
	in->kept = count;
	return 0;
}

int input_next_bytes(struct input *in, struct text *ret)
{
	size_t kept = in->kept;

	if (in->mapped)
		return input_next_mapped(in, true, ret);
	in->kept = 0;
	if (in->given == 0 && in->held > kept) /* kept all that was given: what is behind it is news enough */
		return input_give(in, in->held, ret);
	input_drop_given(in);
	for (;;) {
		size_t more = 0;
		int r;

		if (in->held > kept)
			return input_give(in, in->held, ret);
		if (in->ended)
			return in->error;
		r = input_fill(in, &more);
		if (r == -EINTR) {
			in->kept = kept;
			return r;
		}
		if (r < 0)
			input_fail(in, r);
		in->ended |= r == 0;
	}
}

bool input_is_repeatable(const struct input *in)
{
	return in->is_regular && !in->is_stdin && !in->follow && in->format == INPUT_PLAIN;
}

size_t input_read_again(const struct input *in, uint64_t offset, char *to, size_t size)
{
	size_t held = 0;

	while (held < size) {
		ssize_t n = pread(in->fd, to + held, size - held, (off_t)(offset + held));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		held += (size_t)n;
	}
	return held;
}

uint64_t input_size(const struct input *in)
{
	struct stat st;

	return in->is_regular && fstat(in->fd, &st) == 0 && st.st_size > 0 ? (uint64_t)st.st_size : 0;
}
