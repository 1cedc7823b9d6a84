/* SPDX-License-Identifier: MIT */
#include "parse/json_tree.h"

#include <errno.h>

#include "base/memory.h"
#include "parse/json_escape.h"
#include "spimend/error.h"

struct reader {
	struct json_tree *tree;
	struct text left;
	unsigned depth;
};

void json_tree_done(struct json_tree *tree)
{
	memory_free(tree->nodes);
	memory_free(tree->strings);
	*tree = (struct json_tree){ 0 };
}

static int new_node(struct json_tree *tree, uint32_t *ret)
{
	if (tree->count == tree->room) {
		uint32_t room = tree->room ? tree->room * 2 : 64;
		struct json_node *more;

		if (tree->count > JSON_TREE_NODES_MAX)
			return SPIMEND_E_LIMIT;
		more = memory_resize(tree->nodes, room, sizeof(*more));
		if (!more)
			return -ENOMEM;
		tree->nodes = more;
		tree->room = room;
	}
	tree->nodes[tree->count] = (struct json_node){ 0 };
	*ret = tree->count++;
	return 0;
}

static int take_string(struct reader *r, struct text *ret)
{
	struct text rest = r->left, run;
	char *to;

	if (!text_take_char(&rest, '"'))
		return SPIMEND_E_SYNTAX;
	run = rest;
	while (run.len && run.at[0] != '"' && run.at[0] != '\\') {
		if ((unsigned char)run.at[0] < 0x20)
			return SPIMEND_E_SYNTAX;
		run = text_skip(run, 1);
	}
	if (run.len && run.at[0] == '"') { /* nearly all: nothing to be undone */
		*ret = text_between(rest.at, run.at);
		r->left = text_skip(run, 1);
		return 0;
	}
	to = r->tree->strings + r->tree->string_count; /* as long as the text, which is never shorter than what it means */
	*ret = (struct text){ to, 0 };
	while (rest.len && rest.at[0] != '"') {
		uint32_t c;

		if ((unsigned char)rest.at[0] < 0x20)
			return SPIMEND_E_SYNTAX;
		if (!text_take_char(&rest, '\\')) {
			to[ret->len++] = rest.at[0];
			rest = text_skip(rest, 1);
			continue;
		}
		if (text_take(&rest, TEXT("u0000")))
			c = 0xfffd; /* what text from outside may hold, and nobody here wants */
		else if (!json_escape_take(&rest, &c))
			return SPIMEND_E_SYNTAX;
		ret->len += json_escape_utf8(c, to + ret->len);
	}
	r->tree->string_count += ret->len;
	r->left = rest;
	return text_take_char(&r->left, '"') ? 0 : SPIMEND_E_SYNTAX;
}

static bool take_digits(struct text *t)
{
	size_t n = 0;

	while (n < t->len && char_is_digit(t->at[n]))
		n++;
	*t = text_skip(*t, n);
	return n > 0;
}

/* RFC 8259 6. */
static int take_number(struct reader *r, struct text *ret)
{
	struct text rest = r->left;

	text_take_char(&rest, '-');
	if (!text_take_char(&rest, '0') && !take_digits(&rest))
		return SPIMEND_E_SYNTAX;
	if (text_take_char(&rest, '.') && !take_digits(&rest))
		return SPIMEND_E_SYNTAX;
	if (text_take_char(&rest, 'e') || text_take_char(&rest, 'E')) {
		if (!text_take_char(&rest, '+'))
			text_take_char(&rest, '-');
		if (!take_digits(&rest))
			return SPIMEND_E_SYNTAX;
	}
	*ret = text_between(r->left.at, rest.at);
	r->left = rest;
	return 0;
}

static int take_value(struct reader *r, struct text key, uint32_t *ret);

/* Members or elements, up to the closing bracket. */
static int take_list(struct reader *r, uint32_t node, bool is_object)
{
	uint32_t last = 0, child;
	char close = is_object ? '}' : ']';

	if (++r->depth > JSON_TREE_DEPTH_MAX)
		return SPIMEND_E_LIMIT;
	text_take_blanks(&r->left);
	if (text_take_char(&r->left, close)) {
		r->depth--;
		return 0;
	}
	for (;;) {
		struct text key = TEXT_NONE;
		int result = 0;

		text_take_blanks(&r->left);
		if (is_object) {
			result = take_string(r, &key);
			text_take_blanks(&r->left);
			if (result == 0 && !text_take_char(&r->left, ':'))
				result = SPIMEND_E_SYNTAX;
		}
		if (result == 0)
			result = take_value(r, key, &child);
		if (result < 0)
			return result;
		if (last)
			r->tree->nodes[last].next = child;
		else
			r->tree->nodes[node].first = child;
		last = child;
		text_take_blanks(&r->left);
		if (text_take_char(&r->left, close)) {
			r->depth--;
			return 0;
		}
		if (!text_take_char(&r->left, ','))
			return SPIMEND_E_SYNTAX;
	}
}

static int take_value(struct reader *r, struct text key, uint32_t *ret)
{
	struct text text = TEXT_NONE;
	enum json_type type;
	uint32_t node;
	int result;

	text_take_blanks(&r->left);
	result = new_node(r->tree, &node);
	if (result < 0)
		return result;
	if (text_take_char(&r->left, '{')) {
		type = JSON_OBJECT;
		result = take_list(r, node, true);
	} else if (text_take_char(&r->left, '[')) {
		type = JSON_ARRAY;
		result = take_list(r, node, false);
	} else if (r->left.len && r->left.at[0] == '"') {
		type = JSON_STRING;
		result = take_string(r, &text);
	} else if (text_take(&r->left, TEXT("null"))) {
		type = JSON_NULL;
	} else if (text_take(&r->left, TEXT("true"))) {
		type = JSON_TRUE;
	} else if (text_take(&r->left, TEXT("false"))) {
		type = JSON_FALSE;
	} else {
		type = JSON_NUMBER;
		result = take_number(r, &text);
	}
	if (result < 0)
		return result;
	r->tree->nodes[node].type = type;
	r->tree->nodes[node].key = key;
	r->tree->nodes[node].text = text;
	*ret = node;
	return 0;
}

int json_tree_read(struct json_tree *tree, struct text text, size_t *ret_offset)
{
	struct reader r = { .tree = tree, .left = text };
	uint32_t node;
	int result;

	tree->count = 0;
	tree->string_count = 0;
	if (ret_offset)
		*ret_offset = 0;
	if (text.len > JSON_TREE_BYTES_MAX)
		return SPIMEND_E_LIMIT;
	if (tree->string_room < text.len + 4) { /* 4: a character is written before its escape was wholly read */
		size_t room = tree->string_room * 2 > text.len + 4 ? tree->string_room * 2 : text.len + 4;
		char *more = memory_resize(tree->strings, room, 1);

		if (!more)
			return -ENOMEM;
		tree->strings = more;
		tree->string_room = room;
	}
	result = new_node(tree, &node); /* 0 means none */
	if (result == 0)
		result = take_value(&r, TEXT_NONE, &node);
	text_take_blanks(&r.left);
	if (result == 0 && r.left.len)
		result = SPIMEND_E_SYNTAX;
	if (result < 0) {
		tree->count = 0;
		if (ret_offset)
			*ret_offset = text.len - r.left.len;
	}
	return result;
}

const struct json_node *json_tree_root(const struct json_tree *tree)
{
	return tree->count > 1 ? &tree->nodes[1] : NULL;
}

const struct json_node *json_tree_first(const struct json_tree *tree, const struct json_node *node)
{
	return node && node->first ? &tree->nodes[node->first] : NULL;
}

const struct json_node *json_tree_next(const struct json_tree *tree, const struct json_node *node)
{
	return node && node->next ? &tree->nodes[node->next] : NULL;
}

const struct json_node *json_tree_find(const struct json_tree *tree, const struct json_node *object, const char *key)
{
	if (!object || object->type != JSON_OBJECT)
		return NULL;
	for (const struct json_node *m = json_tree_first(tree, object); m; m = json_tree_next(tree, m))
		if (text_equal(m->key, text_of(key)))
			return m;
	return NULL;
}

struct text json_tree_text(const struct json_tree *tree, const struct json_node *object, const char *key)
{
	const struct json_node *m = json_tree_find(tree, object, key);

	return m && m->type == JSON_STRING ? m->text : TEXT_NONE;
}

bool json_tree_unsigned(const struct json_tree *tree, const struct json_node *object, const char *key, uint64_t *ret)
{
	const struct json_node *m = json_tree_find(tree, object, key);

	return m && m->type == JSON_NUMBER && text_decimal(m->text, UINT64_MAX, ret) == 0;
}

bool json_tree_number(const struct json_node *node, int64_t *ret)
{
	struct text digits = node->type == JSON_NUMBER ? node->text : TEXT_NONE;
	bool minus = text_take_char(&digits, '-');
	uint64_t size;

	if (text_decimal(digits, INT64_MAX, &size) != 0)
		return false;
	*ret = minus ? -(int64_t)size : (int64_t)size;
	return true;
}

bool json_tree_true(const struct json_tree *tree, const struct json_node *object, const char *key)
{
	const struct json_node *m = json_tree_find(tree, object, key);

	return m && m->type == JSON_TRUE;
}
