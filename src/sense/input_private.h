/* SPDX-License-Identifier: MIT */
/*
 * What the files of the input share; only they and their test include it.
 *
 * input.c owns the buffer and cuts lines; input_follow.c knows files that change under their name; input_decoder.c,
 * input_gzip.c and input_zstd.c turn raw bytes into plain ones.
 */
#ifndef SENSE_INPUT_PRIVATE_H
#define SENSE_INPUT_PRIVATE_H

#include <sys/types.h>

#include "sense/input.h"

enum input_format {
	INPUT_UNKNOWN, /* too few bytes seen to tell */
	INPUT_PLAIN,
	INPUT_GZIP,
	INPUT_ZSTD,
};

/* Takes raw bytes from an input and gives plain ones. The concrete decoders begin with it. */
struct decoder {
	/* Up to `room` bytes, at least one; 0 at the end of sound data; negative on error. Never waits when it has bytes. */
	ssize_t (*read)(struct decoder *d, char *to, size_t room);
	void (*free)(struct decoder *d);
	struct input *input;  /* borrows */
	unsigned char *bytes; /* owns; raw bytes at..len are still to be decoded */
	size_t at, len, room;
};

struct input {
	char *name;              /* owns */
	int fd;                  /* owns unless is_stdin; -1 while a followed file is missing */
	bool is_stdin;
	bool is_regular;
	bool follow;
	enum input_format format;
	struct decoder *decoder; /* owns; NULL while plain */

	/* The buffer: bytes[start .. start + held), of which the first `given` went to the caller and go away next time. */
	char *bytes;             /* owns */
	size_t start, held, given;
	size_t kept;             /* of what is held behind `given`: it was given already, and input_next_bytes() wants more */
	size_t window;           /* read at once */
	size_t line_max;         /* held at most */

	bool mapped;             /* read by windows of the file from map_at on */
	uint64_t map_at;
	char *map;               /* owns: the window that was given; NULL if none */
	size_t map_len;
	size_t map_given, map_kept; /* what was given last; and of it what is given again */

	int error;               /* stays; 0 or negative */
	bool ended;
	bool rotated;            /* until input_rotated() asks */

	off_t offset;            /* bytes read from fd since its start */
	int next_fd;             /* owns; the file that now has our name, to be read when fd is drained; -1 if none */
	bool hung_up;            /* the last read of this FIFO found no writer */
};

/* input_map.c: input_next(), input_next_bytes(), input_keep() and the last part of input_close() of a mapped file. */
int input_next_mapped(struct input *input, bool any_bytes, struct text *ret);
int input_keep_mapped(struct input *input, size_t count);
void input_unmap(struct input *input);

/* input_open() and input_follow() with the sizes that a test wants; 1 <= window <= line_max. */
int input_open_sized(const char *path, bool follow, size_t window, size_t line_max, struct input **ret);

/* Reads once. Bytes, 0 at the end, -EAGAIN when following a stream that has nothing now, or a negated errno. */
ssize_t input_read_raw(struct input *input, void *to, size_t room);

/* Tells by the first bytes; INPUT_UNKNOWN when they could still become a magic number. */
enum input_format input_format_of(const void *bytes, size_t len);

/* Decoders that begin with the `len` raw bytes already read; `room` is how many they read at once. */
int decoder_new_gzip(struct input *input, const void *bytes, size_t len, size_t room, struct decoder **ret);
int decoder_new_zstd(struct input *input, const void *bytes, size_t len, size_t room, struct decoder **ret);
void decoder_free(struct decoder *d); /* NULL is fine */
/* For decoders: takes over the first raw bytes. 0 or -ENOMEM. */
int decoder_init(struct decoder *d, struct input *input, const void *bytes, size_t len, size_t room);
/* For decoders: reads more when all raw bytes are used. Like input_read_raw(). */
ssize_t decoder_refill(struct decoder *d);

enum follow_step {
	FOLLOW_WAIT,    /* nothing new */
	FOLLOW_AGAIN,   /* read the old file once more */
	FOLLOW_REWIND,  /* the file was truncated */
	FOLLOW_REPLACE, /* the old file is drained and next_fd takes its place */
	FOLLOW_END,     /* there is no more to come */
};

/* Opens for following: fd is -1 afterwards when the file is missing. */
int follow_open(struct input *input);
/* What to do when a read has found the end. */
enum follow_step follow_at_end(struct input *input);
/* Does FOLLOW_REWIND or FOLLOW_REPLACE. 0 or a negated errno. */
int follow_switch(struct input *input, enum follow_step step);

#endif
