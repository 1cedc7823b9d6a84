/* SPDX-License-Identifier: MIT */
/*
 * Short texts to small numbers, each text kept once. Bounded; ids start at 1, 0 means none (empty, or the table is full).
 */
#ifndef BASE_INTERN_H
#define BASE_INTERN_H

#include "base/hash.h"
#include "base/text.h"

#define INTERN_TEXT_MAX 128 /* longer texts are cut to this */

struct intern {
	struct hash_key key;
	uint32_t *slots; /* owns; ids, 0 is free; `room` of them, a power of two */
	size_t room;
	struct {
		char *bytes; /* owns */
		uint32_t len;
	} *texts; /* owns; by id - 1 */
	uint32_t count, limit;
	uint64_t refused; /* texts that found no place */
};

int intern_init(struct intern *in, const struct hash_key *key, uint32_t limit);
void intern_done(struct intern *in);
uint32_t intern_get(struct intern *in, struct text t);        /* finds or adds */
uint32_t intern_find(const struct intern *in, struct text t); /* 0 when it is not there */
struct text intern_text(const struct intern *in, uint32_t id); /* empty for 0 */

#endif
