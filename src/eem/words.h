/* SPDX-License-Identifier: MIT */
/* One logical line cut into words as IOS does, and keywords found by their unique prefix. Private to eem. */
#ifndef EEM_WORDS_H
#define EEM_WORDS_H

#include "base/buffer.h"
#include "eem/arena.h"

#define EEM_WORDS_MAX 256

struct eem_word {
	struct text text;   /* without quotes, \" made " */
	struct text raw;    /* as it stands in the line */
	bool is_quoted;
	const char *keyword; /* the full keyword, once the parser has taken it for one */
};

struct eem_words {
	struct eem_word at[EEM_WORDS_MAX];
	uint32_t count, next; /* next: what is read is in front of it */
	struct text line;
	const char *trouble;  /* why the line could not be cut; NULL: it could */
	bool is_unclosed;     /* ... since a quote is not closed */
	uint32_t trouble_at;  /* offset in the line */
};

/* Cuts; texts live in `arena`, raw ones in the line. False with the trouble said. */
bool eem_words_cut(struct text line, struct arena *arena, struct eem_words *ret);

/* The next word, or NULL at the end; eem_word_take() moves on. */
struct eem_word *eem_word_see(struct eem_words *w);
struct eem_word *eem_word_take(struct eem_words *w);
/* What stands from the next word to the end of the line, as it stands; all of it is taken. */
struct text eem_words_rest(struct eem_words *w);
/* As they were understood: keywords in full, quotes as they were. From word `from` on. */
void eem_words_print(const struct eem_words *w, uint32_t from, struct buffer *out);

/* Index of the keyword that the word is, or the only one that it abbreviates; -1 none, -2 more than one. Any case. */
int eem_keyword(struct text word, const char *const *keywords, uint32_t count);
/* The keyword that resembles the word most, or NULL. */
const char *eem_nearest(struct text word, const char *const *keywords, uint32_t count);
/* "a, b or c" */
void eem_choices(struct buffer *out, const char *const *keywords, uint32_t count);

#define EEM_COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

#endif
