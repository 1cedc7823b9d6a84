/* SPDX-License-Identifier: MIT */
/*
 * A saved terminal session, or the answer to one command: finds the outputs it knows among prompts, banners, page breaks and
 * syslog lines, told by the command that was typed or by their first line, and gives what they say record by record.
 * What it does not know is counted and said, never guessed.
 *
 * Pure. Called by cmd (audit) for files, a file after the other; an SSH session's answers are read the same way. The bytes
 * it is fed are whole lines, as sense/input gives them.
 */
#ifndef PARSE_DEVICE_OUTPUT_H
#define PARSE_DEVICE_OUTPUT_H

#include "model/saved.h"

#define DEVICE_HOST_MAX 64

struct device_trouble {
	uint32_t line;
	enum saved_output output; /* which one was read; OUTPUT_NONE: none */
	const char *reason;       /* static text */
	struct text text;         /* the line, cleaned; empty where it may hold a key. Borrowed for the call */
};

struct device_counts {
	uint64_t lines, taken;  /* taken: lines of outputs that are known */
	uint64_t other;         /* of other commands, banners and prose */
	uint64_t bad;           /* rows that could not be read; each was told as trouble */
	uint64_t foreign_host;  /* lines behind another device's prompt: passed over */
	uint64_t outputs[OUTPUT_COUNT], records;
};

/* Called while feeding; `context` is the caller's. */
struct device_sink {
	void *context;
	void (*begin)(void *context, enum saved_output output, uint32_t line, const struct saved_filter *filter);
	void (*record)(void *context, const struct saved_record *record);
	/* `cut`: it ended in the middle, so what is not in it may exist all the same. */
	void (*end)(void *context, enum saved_output output, bool cut);
	void (*trouble)(void *context, const struct device_trouble *trouble);
};

struct device_output;

/* `host` is the name in the prompts of this device where it is known already, else empty. 0 or -ENOMEM. */
int device_output_new(const struct device_sink *sink, const char *host, struct device_output **ret);
void device_output_free(struct device_output *reader); /* NULL is fine */
/* What follows is the answer to this command, whose echo is not in it: as where it was typed over SSH. False when it is none
 * that is known, and its answer is passed over. */
bool device_output_command(struct device_output *reader, struct text typed);
void device_output_feed(struct device_output *reader, struct text bytes);
/* The text ended; `damaged`: not where it should have. */
void device_output_end(struct device_output *reader, bool damaged);
const struct device_counts *device_output_counts(const struct device_output *reader);
/* The device's name in its prompts; empty when there was none. Borrowed. */
const char *device_output_host(const struct device_output *reader);

#endif
