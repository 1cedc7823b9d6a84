/* SPDX-License-Identifier: MIT */
/*
 * Reads one flat JSON object: strings, whole numbers, true, false and null, no nesting. What the control socket's two ends
 * say first. Own, because the symbols of base/json and of the JSON libraries around are the same. Pure, bounded, fuzzed.
 */
#ifndef PARSE_FLAT_JSON_H
#define PARSE_FLAT_JSON_H

#include "base/text.h"

#define FLAT_JSON_MEMBERS_MAX 16
#define FLAT_JSON_NAME_MAX 32
#define FLAT_JSON_TEXT_MAX 1280

enum flat_json_type { FLAT_STRING, FLAT_NUMBER, FLAT_TRUE, FLAT_FALSE, FLAT_NULL };

struct flat_json_member {
	char name[FLAT_JSON_NAME_MAX];
	enum flat_json_type type;
	int64_t number;                /* FLAT_NUMBER */
	char text[FLAT_JSON_TEXT_MAX]; /* FLAT_STRING: UTF-8, no NUL within */
};

struct flat_json {
	struct flat_json_member members[FLAT_JSON_MEMBERS_MAX];
	size_t count;
};

/* 0; SPIMEND_E_SYNTAX: no such object, or a name twice; SPIMEND_E_LIMIT: too many members, or one too long. */
int flat_json_read(struct text line, struct flat_json *ret);
/* NULL when there is none of that name. */
const struct flat_json_member *flat_json_find(const struct flat_json *object, const char *name);

#endif
