/* SPDX-License-Identifier: MIT */
#include "base/json.h"

#include <assert.h>
#include <inttypes.h>

void json_init(struct json *j, struct buffer *out)
{
	*j = (struct json){ .out = out };
}

static void json_escape(struct buffer *out, struct text t)
{
	size_t plain = 0;

	buffer_add_char(out, '"');
	for (size_t i = 0; i < t.len;) {
		unsigned char c = (unsigned char)t.at[i];
		size_t width = 1;

		if (c >= 0x80) {
			width = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
			if (i + width <= t.len && text_is_utf8((struct text){ t.at + i, width })) {
				i += width;
				continue;
			}
			width = 1;
		} else if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f) {
			i++;
			continue;
		}
		buffer_add(out, text_between(t.at + plain, t.at + i));
		if (c >= 0x80)
			buffer_add_string(out, "\xef\xbf\xbd"); /* U+FFFD */
		else if (c == '"' || c == '\\')
			buffer_printf(out, "\\%c", c);
		else if (c == '\n')
			buffer_add_string(out, "\\n");
		else if (c == '\t')
			buffer_add_string(out, "\\t");
		else if (c == '\r')
			buffer_add_string(out, "\\r");
		else
			buffer_printf(out, "\\u%04x", c);
		i += width;
		plain = i;
	}
	buffer_add(out, text_skip(t, plain));
	buffer_add_char(out, '"');
}

static void json_lead(struct json *j, const char *key)
{
	if (j->started[j->depth])
		buffer_add_char(j->out, ',');
	j->started[j->depth] = true;
	if (key) {
		json_escape(j->out, text_of(key));
		buffer_add_char(j->out, ':');
	}
}

static void json_open(struct json *j, const char *key, char bracket)
{
	json_lead(j, key);
	buffer_add_char(j->out, bracket);
	assert(j->depth + 1 < JSON_DEPTH_MAX);
	j->started[++j->depth] = false;
}

static void json_close(struct json *j, char bracket)
{
	assert(j->depth > 0);
	j->depth--;
	buffer_add_char(j->out, bracket);
}

void json_object(struct json *j, const char *key)
{
	json_open(j, key, '{');
}

void json_object_end(struct json *j)
{
	json_close(j, '}');
}

void json_array(struct json *j, const char *key)
{
	json_open(j, key, '[');
}

void json_array_end(struct json *j)
{
	json_close(j, ']');
}

void json_text(struct json *j, const char *key, struct text value)
{
	json_lead(j, key);
	json_escape(j->out, value);
}

void json_string(struct json *j, const char *key, const char *value)
{
	if (value)
		json_text(j, key, text_of(value));
	else
		json_null(j, key);
}

void json_unsigned(struct json *j, const char *key, uint64_t value)
{
	json_lead(j, key);
	buffer_printf(j->out, "%" PRIu64, value);
}

void json_signed(struct json *j, const char *key, int64_t value)
{
	json_lead(j, key);
	buffer_printf(j->out, "%" PRId64, value);
}

void json_bool(struct json *j, const char *key, bool value)
{
	json_lead(j, key);
	buffer_add_string(j->out, value ? "true" : "false");
}

void json_null(struct json *j, const char *key)
{
	json_lead(j, key);
	buffer_add_string(j->out, "null");
}
