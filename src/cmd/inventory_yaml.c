/* SPDX-License-Identifier: MIT */
#include "cmd/inventory_yaml.h"

#include <errno.h>
#include <string.h>

#include <yaml.h>

#include "base/memory.h"
#include "spimend/error.h"

#define ANCHORS_MAX 1024
#define ANCHOR_NAME_MAX 64

struct level { /* a mapping or a sequence that is open */
	uint32_t node, last; /* its place, and that of its latest child; 0: none yet */
	bool has_key;        /* a key stands there, and its value comes next */
	uint32_t key_at, key_len;
};

struct anchor {
	char name[ANCHOR_NAME_MAX];
	uint32_t node;
	bool is_open; /* an alias within what it names would have no end */
};

struct reading {
	struct inventory_tree *tree; /* borrows */
	struct level levels[INVENTORY_DEPTH_MAX];
	unsigned depth;
	struct anchor anchors[ANCHORS_MAX];
	unsigned anchor_count;
	uint32_t *ret_line;  /* borrows */
	struct buffer *why;  /* borrows */
};

static int fail(struct reading *r, size_t line, int code, const char *why)
{
	*r->ret_line = (uint32_t)line + 1;
	buffer_add_string(r->why, why);
	return code;
}

static int keep_text(struct reading *r, const yaml_event_t *event, uint32_t *ret_at, uint32_t *ret_len)
{
	struct buffer *text = &r->tree->text;

	*ret_at = (uint32_t)text->len;
	*ret_len = (uint32_t)event->data.scalar.length;
	if (text->len + event->data.scalar.length > UINT32_MAX)
		return fail(r, event->start_mark.line, SPIMEND_E_LIMIT, "more text than is read");
	buffer_add(text, (struct text){ (const char *)event->data.scalar.value, event->data.scalar.length });
	return buffer_error(text);
}

static int name_anchor(struct reading *r, const yaml_char_t *name, uint32_t node, bool is_open, size_t line)
{
	struct anchor *a = NULL;

	if (!name)
		return 0;
	for (unsigned i = 0; i < r->anchor_count && !a; i++)
		if (strcmp(r->anchors[i].name, (const char *)name) == 0)
			a = &r->anchors[i];
	if (!a && r->anchor_count == ANCHORS_MAX)
		return fail(r, line, SPIMEND_E_LIMIT, "more anchors than are read");
	if (strlen((const char *)name) >= ANCHOR_NAME_MAX)
		return fail(r, line, SPIMEND_E_LIMIT, "an anchor's name is longer than is read");
	if (!a)
		a = &r->anchors[r->anchor_count++];
	text_copy(text_of((const char *)name), a->name, sizeof(a->name));
	a->node = node;
	a->is_open = is_open;
	return 0;
}

static int find_anchor(struct reading *r, const yaml_event_t *event, uint32_t *ret)
{
	for (unsigned i = 0; i < r->anchor_count; i++) {
		if (strcmp(r->anchors[i].name, (const char *)event->data.alias.anchor) != 0)
			continue;
		*ret = r->anchors[i].node;
		return r->anchors[i].is_open ? fail(r, event->start_mark.line, SPIMEND_E_SYNTAX, "an alias within what it names") : 0;
	}
	return fail(r, event->start_mark.line, SPIMEND_E_SYNTAX, "an alias that names nothing before it");
}

/* A node more, below the level that is open. */
static int add_node(struct reading *r, enum inventory_kind kind, size_t line, uint32_t *ret)
{
	struct inventory_tree *tree = r->tree;
	struct level *level = r->depth ? &r->levels[r->depth - 1] : NULL;
	uint32_t place = tree->count, room = tree->room ? tree->room * 2 : 256;

	if (tree->count == INVENTORY_NODES_MAX)
		return fail(r, line, SPIMEND_E_LIMIT, "more entries than are read");
	if (tree->count == tree->room) {
		struct inventory_node *grown = memory_resize(tree->nodes, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		tree->nodes = grown;
		tree->room = room;
	}
	tree->nodes[place] = (struct inventory_node){ .kind = kind, .line = (uint32_t)line + 1 };
	if (level) {
		tree->nodes[place].key_at = level->key_at;
		tree->nodes[place].key_len = level->has_key ? level->key_len : 0;
		level->has_key = false;
		if (level->last)
			tree->nodes[level->last].next = place;
		else
			tree->nodes[level->node].child = place;
		level->last = place;
	}
	tree->count++;
	*ret = place;
	return 0;
}

static bool wants_key(const struct reading *r)
{
	const struct level *level = r->depth ? &r->levels[r->depth - 1] : NULL;

	return level && r->tree->nodes[level->node].kind == INVENTORY_MAPPING && !level->has_key;
}

/* A type of the document's own, such as Ansible's !vault. */
static bool is_opaque(const yaml_event_t *event)
{
	const char *tag = (const char *)event->data.scalar.tag;

	return tag && strncmp(tag, "tag:yaml.org,2002:", 18) != 0 && strcmp(tag, "!") != 0 && strcmp(tag, "!unsafe") != 0;
}

static int take_scalar(struct reading *r, const yaml_event_t *event)
{
	struct level *level = r->depth ? &r->levels[r->depth - 1] : NULL;
	uint32_t node, at, len;
	int result = keep_text(r, event, &at, &len);

	if (result < 0)
		return result;
	if (level && wants_key(r)) {
		level->has_key = true;
		level->key_at = at;
		level->key_len = len;
		return 0;
	}
	result = add_node(r, INVENTORY_SCALAR, event->start_mark.line, &node);
	if (result < 0)
		return result;
	r->tree->nodes[node].value_at = at;
	r->tree->nodes[node].value_len = len;
	r->tree->nodes[node].is_opaque = is_opaque(event);
	return name_anchor(r, event->data.scalar.anchor, node, false, event->start_mark.line);
}

static int take_alias(struct reading *r, const yaml_event_t *event)
{
	uint32_t node, target = 0;
	int result = find_anchor(r, event, &target);

	if (result == 0)
		result = add_node(r, INVENTORY_ALIAS, event->start_mark.line, &node);
	if (result == 0)
		r->tree->nodes[node].target = target;
	return result;
}

static int open_level(struct reading *r, const yaml_event_t *event)
{
	bool is_mapping = event->type == YAML_MAPPING_START_EVENT;
	const yaml_char_t *anchor = is_mapping ? event->data.mapping_start.anchor : event->data.sequence_start.anchor;
	uint32_t node;
	int result;

	if (r->depth == INVENTORY_DEPTH_MAX)
		return fail(r, event->start_mark.line, SPIMEND_E_LIMIT, "nested deeper than is read");
	result = add_node(r, is_mapping ? INVENTORY_MAPPING : INVENTORY_SEQUENCE, event->start_mark.line, &node);
	if (result < 0)
		return result;
	r->levels[r->depth++] = (struct level){ .node = node };
	return name_anchor(r, anchor, node, true, event->start_mark.line);
}

static void close_level(struct reading *r)
{
	uint32_t node = r->levels[--r->depth].node;

	for (unsigned i = 0; i < r->anchor_count; i++)
		if (r->anchors[i].node == node)
			r->anchors[i].is_open = false;
}

static int take_event(struct reading *r, const yaml_event_t *event)
{
	if (wants_key(r) && event->type != YAML_SCALAR_EVENT && event->type != YAML_MAPPING_END_EVENT)
		return fail(r, event->start_mark.line, SPIMEND_E_SYNTAX, "a key that is no word");
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return take_scalar(r, event);
	case YAML_ALIAS_EVENT:
		return take_alias(r, event);
	case YAML_MAPPING_START_EVENT:
	case YAML_SEQUENCE_START_EVENT:
		return open_level(r, event);
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		close_level(r);
		return 0;
	default:
		return 0;
	}
}

static int read_all(struct reading *r, yaml_parser_t *parser)
{
	for (bool is_done = false, was_one = false; !is_done;) {
		yaml_event_t event;
		int result;

		if (!yaml_parser_parse(parser, &event)) {
			if (parser->error == YAML_MEMORY_ERROR)
				return -ENOMEM;
			return fail(r, parser->problem_mark.line, SPIMEND_E_SYNTAX, parser->problem ? parser->problem : "no YAML");
		}
		result = take_event(r, &event);
		if (was_one && event.type == YAML_DOCUMENT_START_EVENT)
			result = fail(r, event.start_mark.line, SPIMEND_E_LIMIT, "a second document");
		was_one = was_one || event.type == YAML_DOCUMENT_END_EVENT;
		is_done = event.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
		if (result < 0)
			return result;
	}
	return 0;
}

int inventory_yaml_read(struct text bytes, struct inventory_tree *tree, uint32_t *ret_line, struct buffer *why)
{
	struct reading *r cleanup(memory_free_pointer) = memory_new(1, sizeof(*r));
	yaml_parser_t parser;
	int result;

	if (!r || !yaml_parser_initialize(&parser))
		return -ENOMEM;
	*r = (struct reading){ .tree = tree, .ret_line = ret_line, .why = why };
	yaml_parser_set_input_string(&parser, (const unsigned char *)(bytes.len ? bytes.at : ""), bytes.len);
	result = read_all(r, &parser);
	yaml_parser_delete(&parser);
	return result;
}
