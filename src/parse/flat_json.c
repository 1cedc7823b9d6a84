/* SPDX-License-Identifier: MIT */
#include "parse/flat_json.h"

#include "base/memory.h"
#include "parse/json_escape.h"
#include "spimend/error.h"

#include <errno.h>

static int take_string(struct text *t, char *to, size_t size)
{
	size_t n = 0;

	if (!text_take_char(t, '"'))
		return SPIMEND_E_SYNTAX;
	while (t->len && t->at[0] != '"') {
		uint32_t c;

		if (n + 5 > size)
			return SPIMEND_E_LIMIT;
		if ((unsigned char)t->at[0] < 0x20)
			return SPIMEND_E_SYNTAX;
		if (text_take_char(t, '\\')) {
			if (!json_escape_take(t, &c))
				return SPIMEND_E_SYNTAX;
			n += json_escape_utf8(c, to + n);
			continue;
		}
		to[n++] = t->at[0];
		*t = text_skip(*t, 1);
	}
	to[n] = '\0';
	return text_take_char(t, '"') && text_is_utf8((struct text){ to, n }) ? 0 : SPIMEND_E_SYNTAX;
}

static int take_value(struct text *t, struct flat_json_member *m)
{
	uint64_t number;
	bool minus;

	if (t->len && t->at[0] == '"') {
		m->type = FLAT_STRING;
		return take_string(t, m->text, sizeof(m->text));
	}
	if (text_take(t, TEXT("true"))) {
		m->type = FLAT_TRUE;
		return 0;
	}
	if (text_take(t, TEXT("false"))) {
		m->type = FLAT_FALSE;
		return 0;
	}
	if (text_take(t, TEXT("null"))) {
		m->type = FLAT_NULL;
		return 0;
	}
	minus = text_take_char(t, '-');
	if (!text_take_digits(t, 18, &number, NULL))
		return SPIMEND_E_SYNTAX;
	m->type = FLAT_NUMBER;
	m->number = minus ? -(int64_t)number : (int64_t)number;
	return 0;
}

static int take_member(struct text *t, struct flat_json *object)
{
	struct flat_json_member *m = &object->members[object->count];
	int result;

	if (object->count == FLAT_JSON_MEMBERS_MAX)
		return SPIMEND_E_LIMIT;
	result = take_string(t, m->name, sizeof(m->name));
	if (result < 0)
		return result;
	text_take_blanks(t);
	if (!text_take_char(t, ':') || flat_json_find(object, m->name))
		return SPIMEND_E_SYNTAX;
	text_take_blanks(t);
	result = take_value(t, m);
	if (result == 0)
		object->count++;
	return result;
}

int flat_json_read(struct text line, struct flat_json *ret)
{
	struct flat_json *object cleanup(memory_free_pointer) = memory_new(1, sizeof(*object));
	bool is_empty = true;
	int result;

	if (!object)
		return -ENOMEM;
	text_take_blanks(&line);
	if (!text_take_char(&line, '{'))
		return SPIMEND_E_SYNTAX;
	for (;;) {
		text_take_blanks(&line);
		if (is_empty && text_take_char(&line, '}'))
			break;
		is_empty = false;
		result = take_member(&line, object);
		if (result < 0)
			return result;
		text_take_blanks(&line);
		if (text_take_char(&line, '}'))
			break;
		if (!text_take_char(&line, ','))
			return SPIMEND_E_SYNTAX;
	}
	text_take_blanks(&line);
	if (line.len)
		return SPIMEND_E_SYNTAX;
	*ret = *object;
	return 0;
}

const struct flat_json_member *flat_json_find(const struct flat_json *object, const char *name)
{
	for (size_t i = 0; i < object->count; i++)
		if (strcmp(object->members[i].name, name) == 0)
			return &object->members[i];
	return NULL;
}
