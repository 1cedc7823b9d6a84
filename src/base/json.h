/* SPDX-License-Identifier: MIT */
/*
 * A streaming JSON writer into a struct buffer.
 *
 * The writer places the commas. A key of NULL is for elements of an array. Text is any bytes: what is no UTF-8 becomes
 * U+FFFD, control characters become \u escapes, so the output is always valid JSON (RFC 8259) on one line.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

#define JSON_DEPTH_MAX 16 /* deeper nesting is a programming error and asserts */

struct json {
	struct buffer *out; /* borrows */
	unsigned depth;
	bool started[JSON_DEPTH_MAX]; /* a value was written at this depth */
};

void json_init(struct json *j, struct buffer *out);

void json_object(struct json *j, const char *key);
void json_object_end(struct json *j);
void json_array(struct json *j, const char *key);
void json_array_end(struct json *j);

void json_text(struct json *j, const char *key, struct text value);
void json_string(struct json *j, const char *key, const char *value); /* NULL gives null */
void json_unsigned(struct json *j, const char *key, uint64_t value);
void json_signed(struct json *j, const char *key, int64_t value);
void json_bool(struct json *j, const char *key, bool value);
void json_null(struct json *j, const char *key);

#endif
