/* SPDX-License-Identifier: MIT */
/*
 * The gateway's configuration file: IOS syntax, as in DESIGN.md 7. One table (config_table.c) is the schema: the parser, the
 * printer, the help texts and the manual page's test come from it. Pure: the text is an argument.
 *
 * Called by the roles' parent at start and on reload, by `spimendd -n`, and by every role with the text that the parent
 * read. It never accepts a line that it does not know, and never stops at the first trouble.
 *
 * Syntax: one command a line; keywords in any case and abbreviated as far as they stay unambiguous; "no" in front takes a
 * line back; '!' at a word's start begins a comment; blanks in front do not matter. What a block (`spimend`, `device NAME`)
 * does not know is tried outside of it and ends it, and so do `exit` and `end`. What stands twice counts as it stands last,
 * with a warning. A terminal's prompt in front of a line is passed over. Lines of `event manager` are checked for their
 * place alone: src/eem compiles them out of the same text.
 */
#ifndef PARSE_CONFIG_H
#define PARSE_CONFIG_H

#include "base/buffer.h"
#include "base/text.h"
#include "model/config.h"

#define CONFIG_FILE_MAX (4u << 20) /* bytes: DEVICES_MAX devices and more; whoever reads a file refuses one beyond that */
#define CONFIG_LINE_MAX 1024
#define CONFIG_PROBLEMS_MAX 32     /* kept; the rest is counted */
#define CONFIG_PROBLEM_TEXT_MAX 256

struct config_problem {
	uint32_t line;      /* from 1; 0: of the whole file */
	bool is_warning;    /* the file is accepted all the same */
	char text[CONFIG_PROBLEM_TEXT_MAX]; /* printable ASCII: what is wrong, what was expected */
};

struct config_report {
	struct config_problem problems[CONFIG_PROBLEMS_MAX];
	uint32_t kept;
	uint64_t errors, warnings; /* all of them */
};

/* Reads the whole file over config_default(). 0, or SPIMEND_E_SYNTAX with `report` saying why; *ret is untouched then.
 * `report` is always filled: there may be warnings. */
int config_parse(struct text file, struct config *ret, struct config_report *report);

/* What a command stands in; the line `spimend` and a line `device NAME` open a block. */
enum config_block { CONFIG_TOP, CONFIG_SPIMEND, CONFIG_DEVICE };

/* Lines typed while it runs, over `was`, the first in that block; those of a device begin with its line `device NAME`. As
 * config_parse(), but what is said again is meant to be, and the whole is not looked at. *ret_eem: lines of `event manager`
 * are among them, which the compiler of src/eem reads; applets' own lines are left to it. */
int config_change(const struct config *was, struct text lines, enum config_block block, struct config *ret, bool *ret_eem,
		  struct config_report *report);

/* The keys of an SNMPv3 user, as 'snmp-server user NAME key-file PATH' names them: lines 'auth sha256 PASSWORD' and 'priv
 * aes128 PASSWORD'. 0, or SPIMEND_E_SYNTAX with a sentence in `why`, in which no password stands. */
int config_read_keys(struct text file, struct notify_user *user, struct buffer *why);

/* The same keys may stand in the line itself, as IOS has it: 'snmp-server user NAME GROUP v3 auth sha PASSWORD priv aes 128
 * PASSWORD'. Whoever reads the file takes them out at once: the configuration keeps is_inline without passwords, and texts
 * have CONFIG_HIDDEN in their place, which parses as well. They are put back for the file alone. */
#define CONFIG_HIDDEN "<hidden>"
void config_hide_keys(struct config_notify *n, struct notify_user ret[NOTIFY_USERS_MAX]);
/* Those of that user; NULL: there are none. */
const struct notify_user *config_hidden_keys(const struct notify_user hidden[NOTIFY_USERS_MAX], struct text name);
void config_hide_text(struct text text, struct buffer *out);
/* False: there is a hidden password that nobody knows; what is in `out` is of no use then. */
bool config_unhide_text(struct text text, const struct notify_user hidden[NOTIFY_USERS_MAX], struct buffer *out,
			bool *ret_any);

/* What `show running-config` prints: only what differs from the defaults, and it parses back to the same struct. */
void config_print(const struct config *config, struct buffer *out);

/* A line as a log may have it: what follows "key", "community" and their like is left out, and so is what is not printable. */
void config_print_safe(struct text line, struct buffer *out);

/* "NAME:LINE: text\n" for each problem, and how many more there are. */
void config_report_print(const struct config_report *report, struct text name, struct buffer *out);

/* One command of the schema, for help and manual. */
struct config_command {
	const char *keywords;  /* "judge overlap" */
	const char *arguments; /* "SECONDS"; may be empty */
	enum config_block block;
	const char *help;      /* one sentence */
	char range[48];        /* "0.001 to 3600"; empty where it makes no sense */
	char standard[CONFIG_PATH_MAX]; /* the default as it is written in a file; empty: none */
};
size_t config_command_count(void);
/* The same without what must be worked out: for '?' and completion. False beyond the last. */
struct config_syntax {
	const char *keywords, *arguments, *help;
	enum config_block block;
};
bool config_syntax_at(size_t index, struct config_syntax *ret);
bool config_command_at(size_t index, struct config_command *ret);
/* All of them, for people: syntax, range, default, help. */
void config_help(struct buffer *out);

#endif
