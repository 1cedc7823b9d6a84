/* SPDX-License-Identifier: MIT */
/*
 * The command graph as data. A row is a command: its syntax, its help, what it takes, and the function that runs it.
 *
 * Syntax, as manuals write it: "show crypto ipsec sa [peer ADDRESS] [detail]". A lower-case word is a keyword; an upper-case
 * one an argument, whose name is its type (below); [ ] may be left out; a|b is a choice between words, and { } groups. The
 * same notation serves the configuration (parse/config_table.c), so help and completion work there too.
 *
 * Rows live in tables, one a file: add a row there, its transcript to tests/exec/, and its words to doc/spimend.1.
 */
#ifndef EXEC_COMMAND_H
#define EXEC_COMMAND_H

#include "base/json.h"
#include "exec/exec.h"

#define EXEC_ARGUMENTS_MAX 12
#define EXEC_WORDS_MAX 64

struct exec_call; /* below */
/* Prints to call->out. Refuses with exec_refuse(). */
typedef void exec_command_fn(struct exec_call *call);

enum exec_level { EXEC_ANYBODY, EXEC_PRIVILEGED };
enum { /* flags */
	EXEC_CHANGES = 1,  /* something: it is accounted for in the log, and a person's or an applet's name stands there */
	EXEC_JSON = 2,     /* "| json" is understood: every show */
	EXEC_HIDDEN = 4,   /* neither abbreviated nor shown by '?' */
};

struct exec_command {
	const char *syntax;
	const char *help;    /* one sentence, lower case, no dot */
	enum exec_level level;
	unsigned flags;
	exec_command_fn *run;
};

struct exec_table {
	const struct exec_command *rows;
	size_t count;
};
/* All tables of privileged and user mode, in graph.c. False beyond the last. */
bool exec_table_at(size_t index, struct exec_table *ret);
/* Row `index` of all tables together; NULL beyond the last. */
const struct exec_command *exec_command_at(size_t index);

/* What the words in front of a last keyword mean, for '?': "show crypto" -> "encryption". */
struct exec_prefix {
	const char *words, *help;
};
extern const struct exec_prefix exec_prefixes[];
extern const size_t exec_prefix_count;

struct exec_argument {
	const char *name; /* borrows the syntax: not terminated, see name_len */
	size_t name_len;
	struct text value; /* borrows the line */
};

struct exec_call {
	const struct exec_command *command;
	const struct exec_port *port;
	struct exec_session *session;
	struct exec_view view;
	struct text line;           /* as typed, without its pipes */
	bool json;                  /* "| json": one object a line */
	struct buffer *out;
	enum exec_result result;    /* EXEC_FINE unless set */
	const struct exec_match *match; /* what was typed: see below */
};

/* Was this keyword typed (written out here, however it was abbreviated there)? */
bool exec_has(const struct exec_call *call, const char *keyword);
/* The argument of that name, the `nth` from 0; empty when it was not typed. */
struct text exec_argument(const struct exec_call *call, const char *name);
/* ADDRESS; false when it was not typed. Its form was checked when the line was matched. */
bool exec_address(const struct exec_call *call, struct spimend_address *ret);
/* NUMBER; `otherwise` when it was not typed. */
uint64_t exec_number(const struct exec_call *call, const char *name, uint64_t otherwise);
/* "% ..." and a line feed; the call's result is EXEC_REFUSED. */
void exec_refuse(struct exec_call *call, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* One JSON object of the command's schema: {"schema":"spimend.show/1","command":"show debug", ... The caller adds members
 * and ends it with exec_json_end(). */
void exec_json_begin(struct exec_call *call, struct json *j, const char *schema);
void exec_json_end(struct exec_call *call, struct json *j);

#endif
