/* SPDX-License-Identifier: MIT */
/*
 * Inside parse/vici_*: values of VICI keys into members of a struct, by a table. Nobody else calls it.
 *
 * A key that a table does not name is none of our business. A value that cannot be read leaves its member as it was and
 * is counted: one odd number never hides an SA.
 */
#ifndef PARSE_VICI_FIELD_H
#define PARSE_VICI_FIELD_H

#include "model/gateway.h"
#include "parse/vici.h"

enum vici_field_type {
	VICI_FIELD_U8, VICI_FIELD_U16, VICI_FIELD_U32, VICI_FIELD_U64, /* decimal */
	VICI_FIELD_SECONDS,   /* uint32_t; below zero counts as zero: what is overdue */
	VICI_FIELD_HEX32, VICI_FIELD_HEX64, VICI_FIELD_ADDRESS,
	VICI_FIELD_YES,       /* bool: "yes" */
	VICI_FIELD_WORD,      /* int: place in `words`, 0 when not found */
	VICI_FIELD_TEXT,      /* struct text, borrowed */
	VICI_FIELD_NAME24, VICI_FIELD_NAME16, /* char[24], char[16]: printable ASCII, cut */
};

struct vici_field {
	const char *key;
	enum vici_field_type type;
	size_t offset;
	size_t has; /* offset of a bool to be set with it; 0: none (no struct has one first) */
	const char *const *words; /* NULL-terminated; words[0] is for all others */
};

/* Puts one KEY_VALUE into `into`. True when the value was read, or nobody asked for the key. */
bool vici_field_set(const struct vici_field *fields, size_t count, const struct vici_element *e, void *into);

/* Traffic selectors as charon prints them: "192.0.2.1/32[gre]", "dynamic[gre]", "10.1.0.0/16[tcp/80]". */
struct vici_selectors {
	uint32_t all, gre;
};
/* Whether such a list begins here. */
bool vici_starts_selectors(const struct vici_element *e);
/* Reads it to its end. */
void vici_count_selectors(struct vici_reader *r, struct vici_selectors *s);
/* The same, and keeps them; `host` stands for "dynamic". */
void vici_read_selectors(struct vici_reader *r, const struct spimend_address *host, struct vici_selectors *s,
			 struct selector_list *list);
/* One of them. False: it is in no form that is known here. */
bool vici_read_selector(struct text t, const struct spimend_address *host, struct selector *ret);
/* There are some, and all are for GRE (IP protocol 47) alone. */
bool vici_selects_gre(const struct vici_selectors *s);

/* A name as it is kept: cut to fit, not inside a UTF-8 character, without control characters. */
void vici_copy_name(struct text name, char *to, size_t size);
/* As text for people: printable ASCII, all else becomes '?'. */
void vici_copy_ascii(struct text t, char *to, size_t size);

#endif
