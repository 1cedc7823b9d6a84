/* SPDX-License-Identifier: MIT */
/* The schema of the configuration file and its values: shared by the parser, the printer and the help. Private to parse. */
#ifndef PARSE_CONFIG_PRIVATE_H
#define PARSE_CONFIG_PRIVATE_H

#include <stddef.h>

#include "parse/config.h"

#define CONFIG_WORDS_MAX 64 /* of a line */

enum value_type {
	VALUE_BLOCK,     /* opens the block `spimend` */
	VALUE_FLAG,      /* bool */
	VALUE_NAME,      /* char[CONFIG_NAME_MAX] */
	VALUE_PATH,      /* char[CONFIG_PATH_MAX] */
	VALUE_MODE,      /* enum mode */
	VALUE_SECONDS,   /* int64_t nanoseconds, written as decimal seconds */
	VALUE_COUNT,     /* uint32_t */
	VALUE_RATE,      /* uint32_t at `at` per int64_t nanoseconds at `per_at` */
	VALUE_INTERFACE, /* one more of a list: name [xdp generic|native] */
	VALUE_DAEMON,    /* one more: path [plugin path] */
	VALUE_PORT,      /* one more: a UDP port */
	VALUE_PEER,      /* one more: address and peer mode */
	/* config_notify.c */
	VALUE_LOG_BUFFER, /* bytes and severity, each may be left out */
	VALUE_SEVERITY,  /* uint32_t: 0 to 7, or its name */
	VALUE_LOG_HOST,  /* one more */
	VALUE_SNMP_HOST, /* one more */
	VALUE_COMMUNITY, /* one more */
	VALUE_SNMP_USER, /* one more */
	/* Read by the compiler of src/eem, which gets the same text */
	VALUE_EEM,       /* a line of its own */
	VALUE_APPLET,    /* opens an applet */
};

struct config_row {
	const char *keywords;  /* "judge overlap" */
	const char *arguments; /* "SECONDS"; empty for a flag */
	bool in_block;
	enum value_type type;
	size_t at, per_at;     /* offsets in struct config */
	double least, most;    /* of the number; seconds for durations */
	const char *help;
};

/* A value of config_notify.c; true where `count` words from `at` are one. */
bool config_notify_set(const struct config_row *row, const struct text *at, size_t count, struct config *config,
		       struct buffer *why, bool *again);
bool config_notify_unset(const struct config_row *row, const struct text *at, size_t count, struct config *config,
			 struct buffer *why);
void config_notify_print(const struct config_row *row, const struct config *config, const struct config *standard,
			 struct buffer *out);

/* config_value.c, for config_notify.c as well. */
bool config_say_expected(struct buffer *why, const char *what, struct text got, const char *expected);
bool config_read_address(struct text t, struct spimend_address *ret, struct buffer *why);
bool config_read_count(struct text t, double least, double most, uint32_t *ret, struct buffer *why);
bool config_is_path(struct text t);
/* The one name that `t` begins, or -1. */
int config_read_choice(struct text t, const char *const *names, int count);

extern const struct config_row config_rows[];
extern const size_t config_row_count;

struct words {
	struct text at[CONFIG_WORDS_MAX]; /* borrow the line */
	size_t count;
};

/* Reads a row's arguments, words[from..], into `config`. False with a reason in `why`. `ret_again` says that a line before
 * had set the same thing to another value. */
bool config_value_set(const struct config_row *row, const struct words *words, size_t from, struct config *config,
		      struct buffer *why, bool *ret_again);
/* "no ...": back to the default, or out of the list. */
bool config_value_unset(const struct config_row *row, const struct words *words, size_t from, struct config *config,
			const struct config *standard, struct buffer *why);
/* Adds the lines that bring `config` from the defaults to what it is. */
void config_value_print(const struct config_row *row, const struct config *config, const struct config *standard,
			struct buffer *out);
/* One of several: a line more adds to it. */
bool config_is_list(const struct config_row *row);
/* The value alone, as it is written in a file; nothing for lists and blocks. */
void config_value_print_one(const struct config_row *row, const struct config *config, struct buffer *out);
/* Decimal seconds or a count, without needless zeros. */
void config_print_seconds(struct buffer *out, int64_t ns);

/* Foreign text in a message: printable ASCII, cut. */
void config_quote(struct buffer *out, struct text t);

#endif
