/* SPDX-License-Identifier: MIT */
/*
 * Words against syntax: which rows fit, what may come next. Private to exec. Pure and bounded: a row has at most
 * MATCH_PLACES_MAX words, a line EXEC_WORDS_MAX.
 */
#ifndef EXEC_MATCH_H
#define EXEC_MATCH_H

#include "exec/command.h"

#define MATCH_PLACES_MAX 40

struct syntax_place {
	struct text word;    /* borrows the syntax */
	bool is_argument;
	uint64_t follow;     /* places that may come behind it */
};

/* A row's syntax, read: which word may follow which (Glushkov's automaton). */
struct syntax {
	struct syntax_place places[MATCH_PLACES_MAX];
	size_t count;
	uint64_t first, last; /* where a line may begin; where it may end */
	bool may_be_empty;
};
/* `arguments` stands behind `text`; NULL: nothing does. False: not well-formed, or too long: a programming error that a unit
 * test finds. */
bool syntax_read(const char *text, const char *arguments, struct syntax *ret);

/* True when `word` can be an argument of the type that `name` says. */
bool exec_argument_fits(struct text name, struct text word);
/* What '?' shows for it: "A.B.C.D", "<0-512>", "WORD", "LINE". */
const char *exec_argument_help(struct text name);

enum match_result { MATCH_FOUND, MATCH_INCOMPLETE, MATCH_AMBIGUOUS, MATCH_INVALID };

/* Where rows come from: the exec tables, or the configuration's schema. */
struct match_row {
	const char *syntax, *arguments, *help; /* arguments: more syntax, or NULL */
	const struct exec_command *command; /* NULL: a row of the configuration */
};
/* False beyond the last; a row without syntax is none. */
typedef bool match_row_fn(const void *context, size_t index, struct match_row *ret);

struct exec_match {
	enum match_result result;
	struct match_row row;            /* MATCH_FOUND */
	size_t at;                       /* offset in the line of what is wrong */
	struct text words[EXEC_WORDS_MAX]; /* of the line */
	size_t word_count;
	struct text keywords[EXEC_WORDS_MAX]; /* MATCH_FOUND: the keyword that each word stands for; empty: an argument */
	struct exec_argument arguments[EXEC_ARGUMENTS_MAX];
	size_t argument_count;
};

void exec_match(match_row_fn *rows, const void *context, struct text line, struct exec_match *ret);

/* What may stand behind `before` (a blank at its end, or nothing, begins a new word). */
struct match_choice {
	struct text word;   /* keyword, or the argument's name */
	bool is_argument;
	bool ends;          /* it may be the last of a row */
	const char *help;   /* of the row that it ends, or of the only row that it leads to; NULL: it leads to several */
};
#define MATCH_CHOICES_MAX 128
struct match_choices {
	struct match_choice at[MATCH_CHOICES_MAX];
	size_t count;
	bool may_end;           /* <cr> */
	const char *end_help;
	struct text partial;    /* the unfinished word; empty: a new one */
	char path[256];         /* the keywords in front of it, written out: for exec_prefixes */
	enum match_result result; /* MATCH_AMBIGUOUS, MATCH_INVALID: of the words before */
	size_t bad_at;
};
void exec_choices(match_row_fn *rows, const void *context, struct text before, struct match_choices *ret);

#endif
