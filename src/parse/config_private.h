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
	VALUE_SSH_PATH,  /* the same, of a file that ssh is told of */
	VALUE_MODE,      /* enum mode */
	VALUE_SECONDS,   /* int64_t nanoseconds, written as decimal seconds */
	VALUE_COUNT,     /* uint32_t */
	VALUE_RATE,      /* uint32_t at `at` per int64_t nanoseconds at `per_at` */
	VALUE_INTERFACE, /* one more of a list: name [xdp generic|native] */
	VALUE_DAEMON,    /* one more: path [plugin path] */
	VALUE_PORT,      /* one more: a UDP port */
	VALUE_EVIDENCE_PEER, /* one more, in parse/config_evidence.c */
	VALUE_PEER,      /* one more: address and peer mode */
	/* Of struct config_track, in parse/config_track.c: a list, and what belongs to its latest line */
	VALUE_TRACK, VALUE_TRACK_DELAY, VALUE_TRACK_DEFAULT,
	/* Of struct config_devices, in parse/config_device.c: what opens a block, what stands in it, what holds for all */
	VALUE_DEVICE, VALUE_DEVICE_ADDRESS, VALUE_DEVICE_PLATFORM, VALUE_DEVICE_USER, VALUE_DEVICE_LEGACY, VALUE_DEVICE_JUMP,
	VALUE_DEVICE_ENABLE, VALUE_DEVICE_RIGHTS, VALUE_DEVICE_WINDOW, VALUE_DEVICE_APPROVAL, VALUE_FLEET_WINDOW,
	VALUE_FLEET_APPROVAL, VALUE_SSH_USER,
	/* Of struct config_syslog, in parse/config_syslog.c: lists */
	VALUE_SYSLOG_LISTEN, VALUE_SYSLOG_SOURCE, VALUE_SYSLOG_FILE, VALUE_SYSLOG_JOURNAL,
	/* Of struct config_web, in parse/config_web.c: lists */
	VALUE_WEB_LISTEN, VALUE_WEB_NAME,
	/* Of struct config_hooks, in parse/config_hook.c: a list, and one */
	VALUE_WEBHOOK, VALUE_HOOK_EXEC,
	/* Of struct config_notify, in parse/config_notify.c: single values, then lists. */
	VALUE_TRAP_PORT, VALUE_OID, VALUE_ENGINE, VALUE_LEVEL, VALUE_BUFFERED,
	VALUE_SNMP_HOST, VALUE_COMMUNITY, VALUE_SNMP_USER, VALUE_SNMP_GROUP, VALUE_LOG_HOST, VALUE_IP_HOST,
	/* Read by the compiler of src/eem, which gets the same text */
	VALUE_EEM,       /* a line of its own */
	VALUE_APPLET,    /* opens an applet */
};

struct config_row {
	const char *keywords;  /* "judge overlap" */
	const char *arguments; /* "SECONDS"; empty for a flag */
	enum config_block block;
	enum value_type type;
	size_t at, per_at;     /* offsets in struct config */
	double least, most;    /* of the number; seconds for durations */
	const char *help;
};

bool config_is_path(struct text t);

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
/* The same for the rows of struct config_notify. */
bool config_notify_set(const struct config_row *row, const struct text *words, size_t count, struct config_notify *n,
		       struct buffer *why, bool *ret_again);
bool config_notify_unset(const struct config_row *row, const struct text *words, size_t count, struct config_notify *n,
			 const struct config_notify *standard, struct buffer *why);
void config_notify_print(const struct config_row *row, const struct config_notify *n, const struct config_notify *standard,
			 struct buffer *out);
void config_notify_print_one(const struct config_row *row, const struct config_notify *n, struct buffer *out);
/* And for users of SNMP. */
bool config_user_set(const struct text *words, size_t count, struct config_notify *n, struct buffer *why, bool *again);
bool config_user_unset(struct text name, struct config_notify *n, struct buffer *why);
void config_user_print(const struct config_row *row, const struct config_notify *n, struct buffer *out);
bool config_group_set(const struct text *words, size_t count, struct config_notify *n, struct buffer *why);
bool config_group_unset(struct text name, struct config_notify *n, struct buffer *why);
void config_group_print(const struct config_row *row, const struct config_notify *n, struct buffer *out);
/* Printable, without what would not parse back, from `least` to size - 1 characters. */
bool config_take_word(struct text t, size_t least, char *to, size_t size, const char *what, struct buffer *why);
/* And for those of struct config_track. */
bool config_track_set(const struct config_row *row, const struct text *words, size_t count, struct config *c,
		      struct buffer *why, bool *again);
bool config_track_unset(const struct config_row *row, const struct text *words, struct config *c, struct buffer *why);
void config_track_print(const struct config_row *row, const struct config *c, struct buffer *out);
/*
 * And for those of struct config_devices. While a text is read they stand in the order of their lines, with what only the
 * end of the text decides; config_device_finish() then looks at all of them, sorts, and shares their logins.
 */
struct device_reader; /* opaque */
/* Borrows `config`, and begins with the devices that are in it. NULL: no memory. */
struct device_reader *config_device_reader_new(struct config *config);
void config_device_reader_free(struct device_reader *reader); /* NULL is fine */
bool config_device_is_row(const struct config_row *row);
/* As config_value_set(); `line` is what problems will name. */
bool config_device_set(const struct config_row *row, const struct text *words, size_t count, struct device_reader *reader,
		       uint32_t line, struct buffer *why, bool *again);
bool config_device_unset(const struct config_row *row, struct text word, struct device_reader *reader, struct buffer *why);
/* Calls `say` for more ways to log in than there may be, and, where the text was `whole`, for what is wrong with a device or
 * with how they go together. 0, or -ENOMEM. */
typedef void config_device_say(void *context, uint32_t line, struct text why);
int config_device_finish(struct device_reader *reader, bool whole, config_device_say *say, void *context);
void config_device_print_usual(const struct config_row *row, const struct config_devices *devices, struct buffer *out);
void config_device_print(const struct config_devices *devices, struct buffer *out);
/* `login` NULL: none; `among` NULL: there is no 'ssh user' for all. */
void config_device_print_one(const struct config_device *device, const struct config_login *login,
			     const struct config_devices *among, struct buffer *out);
bool config_read_ssh_path(struct text t, struct buffer *why);
/* "[DAYS] HH:MM HH:MM": one more window. `ret_again`: it is there already. */
bool config_window_set(const struct text *words, size_t count, struct windows *windows, struct buffer *why, bool *ret_again);
/* A line for each, that `keywords` begin. */
void config_window_print(const char *keywords, const struct windows *windows, struct buffer *out);
/* "required|not-required STEP...". `ret_again`: one of them was said otherwise. */
bool config_approval_set(const struct text *words, size_t count, struct sdwan_approval *approval, struct buffer *why,
			 bool *ret_again);
/* Up to two lines, that `keywords` begin. */
void config_approval_print(const char *keywords, const struct sdwan_approval *approval, struct buffer *out);
/* Calls `say` for each step that is taken somewhere without a person, with what that means. */
void config_approval_check(const struct config *config, config_device_say *say, void *context);
/* And for `evidence peer`. */
bool config_evidence_set(const struct text *words, size_t count, struct config_recorder *r, struct buffer *why, bool *again);
bool config_evidence_unset(struct text word, struct config_recorder *r, struct buffer *why);
void config_evidence_print(const char *keywords, const struct config_recorder *r, struct buffer *out);
/* So many words as the row takes, or `why` says what is expected. */
bool config_check_words(const struct config_row *row, const struct words *words, size_t from, bool is_no,
			struct buffer *why);
/* And for those of struct config_syslog. */
bool config_syslog_set(const struct config_row *row, const struct text *words, size_t count, struct config_syslog *s,
		       struct buffer *why, bool *ret_again);
bool config_syslog_unset(const struct config_row *row, const struct text *words, size_t count, struct config_syslog *s,
			 struct buffer *why);
void config_syslog_print(const struct config_row *row, const struct config_syslog *s, struct buffer *out);
/* And for those of struct config_web. */
bool config_web_set(const struct config_row *row, const struct text *words, size_t count, struct config_web *web,
		    struct buffer *why);
bool config_web_unset(const struct config_row *row, const struct text *words, size_t count, struct config_web *web,
		      struct buffer *why);
void config_web_print(const struct config_row *row, const struct config_web *web, struct buffer *out);
/* And for those of struct config_hooks. */
bool config_hook_set(const struct config_row *row, const struct text *words, size_t count, struct config_hooks *hooks,
		     struct buffer *why, bool *again);
bool config_hook_unset(const struct config_row *row, const struct text *words, size_t count, struct config_hooks *hooks,
		       struct buffer *why);
void config_hook_print(const struct config_row *row, const struct config_hooks *hooks, struct buffer *out);
/* "WHAT 'GOT': EXPECTED"; returns false. */
bool config_say_expected(struct buffer *why, const char *what, struct text got, const char *expected);
/* The index of the only name that `t` begins, in any case, or -1. */
int config_read_choice(struct text t, const char *const *names, int count);
/* A whole number from `least` to `most`. */
bool config_read_count(struct text t, double least, double most, uint32_t *ret, struct buffer *why);
bool config_read_address(struct text t, struct spimend_address *ret, struct buffer *why);
/* Decimal seconds or a count, without needless zeros. */
void config_print_seconds(struct buffer *out, int64_t ns);

/* Foreign text in a message: printable ASCII, cut. */
void config_quote(struct buffer *out, struct text t);

#endif
