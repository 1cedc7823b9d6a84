/* SPDX-License-Identifier: MIT */
/* The compiler's state and its parts: globals and applets (compile.c), events, actions, blocks. Private to eem. */
#ifndef EEM_COMPILE_H
#define EEM_COMPILE_H

#include "eem/lines.h"
#include "eem/policy.h"

struct compiler {
	struct eem_policies *policies; /* borrows; texts live in its arena */
	struct eem_report *report;     /* borrows */
	struct policy *policy;         /* the applet being read; NULL: none. Valid until another begins */
	uint32_t line;                 /* being read */
	bool no_memory;
};

/* An error of the applet being read: it will not be registered. Returns false. */
bool compile_fail(struct compiler *c, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));
void compile_warn(struct compiler *c, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* "unknown WHAT 'word'; did you mean 'x'? Expected: a, b or c". Returns false. */
bool compile_unknown(struct compiler *c, const char *name, const char *what, struct text word, const char *const *keywords,
		     uint32_t count);

/* The next word as one of the keywords; -1 with the error said. */
int compile_keyword(struct compiler *c, struct eem_words *w, const char *name, const char *what, const char *const *keywords,
		    uint32_t count);
/* The next word, environment variables put in. False with the error said where there is none. */
bool compile_word(struct compiler *c, struct eem_words *w, const char *what, struct text *ret);
bool compile_number(struct compiler *c, struct eem_words *w, const char *what, uint64_t least, uint64_t most, uint64_t *ret);
/* SSSS[.mmm] */
bool compile_seconds(struct compiler *c, struct eem_words *w, const char *what, double most, int64_t *ret_ns);
bool compile_seconds_of(struct text text, int64_t *ret_ns);
bool compile_yes_no(struct compiler *c, struct eem_words *w, const char *what, bool *ret);
/* Compiles an expression; it belongs to the policies. */
bool compile_pattern(struct compiler *c, struct text expression, struct eem_pattern **ret);
/* Cuts $variables out. */
bool compile_template(struct compiler *c, struct text text, struct eem_template *ret);
/* A variable's name, where one is set. */
bool compile_name(struct compiler *c, struct eem_words *w, const char *what, struct text *ret);
struct text compile_source(struct compiler *c, const struct eem_words *w, uint32_t from);

/* `w` is in front of "[tag T] DETECTOR ..." */
bool compile_event(struct compiler *c, struct eem_words *w, struct event *ret);
bool compile_trigger(struct compiler *c, struct eem_words *w);
bool compile_correlate(struct compiler *c, struct eem_words *w);
bool compile_attribute(struct compiler *c, struct eem_words *w);
/* `w` is in front of "VERB ..." */
bool compile_action(struct compiler *c, struct eem_words *w, struct action *ret);
/* Sorts the actions and joins if to end; checks tags. False: the policy cannot run. */
bool compile_blocks(struct compiler *c, struct policy *policy);
bool compile_finish(struct compiler *c, struct policy *policy);

#endif
