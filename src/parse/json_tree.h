/* SPDX-License-Identifier: MIT */
/*
 * Reads one JSON value (RFC 8259) into a tree that is looked through by key: what spimend itself wrote, an incident or a
 * recorded line, comes back. Own for the reason that flat_json is: base/json has the symbols of the JSON libraries around.
 * Pure, bounded, fuzzed; what comes may be forged or cut.
 *
 * A tree is used again for the next text, and then asks for no memory any more.
 */
#ifndef PARSE_JSON_TREE_H
#define PARSE_JSON_TREE_H

#include "base/text.h"

#define JSON_TREE_DEPTH_MAX 16
#define JSON_TREE_NODES_MAX 65536
#define JSON_TREE_BYTES_MAX (8u << 20) /* of one text */

enum json_type { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json_node {
	enum json_type type;
	struct text key;  /* empty in an array; borrows, as `text` does, until the next text is read */
	struct text text; /* a string without its escapes, any bytes; a number as it was written */
	uint32_t first;   /* its first member or element, and its next sister: places in the tree, 0 is none */
	uint32_t next;
};

struct json_tree { /* a zeroed one is empty and valid */
	struct json_node *nodes; /* owns; from 1 on */
	uint32_t count, room;
	char *strings;           /* owns: what had escapes, without them */
	size_t string_count, string_room;
};

void json_tree_done(struct json_tree *tree);
/* 0; SPIMEND_E_SYNTAX, SPIMEND_E_LIMIT, -ENOMEM, and then *ret_offset (may be NULL) is where. `text` must stay. */
int json_tree_read(struct json_tree *tree, struct text text, size_t *ret_offset);

/* The whole value; NULL where nothing was read. Members and elements are walked with first and next. */
const struct json_node *json_tree_root(const struct json_tree *tree);
const struct json_node *json_tree_first(const struct json_tree *tree, const struct json_node *node);
const struct json_node *json_tree_next(const struct json_tree *tree, const struct json_node *node);
/* A member of an object; NULL when it has none of that name, is none, or is NULL itself. */
const struct json_node *json_tree_find(const struct json_tree *tree, const struct json_node *object, const char *key);
/* A member that is a string; empty where there is none. */
struct text json_tree_text(const struct json_tree *tree, const struct json_node *object, const char *key);
/* A member that is a whole number that fits; false where it is not. */
bool json_tree_unsigned(const struct json_tree *tree, const struct json_node *object, const char *key, uint64_t *ret);
/* The same of a node itself, with a sign or without. */
bool json_tree_number(const struct json_node *node, int64_t *ret);
bool json_tree_true(const struct json_tree *tree, const struct json_node *object, const char *key);

#endif
