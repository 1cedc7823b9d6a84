/* SPDX-License-Identifier: MIT */
#include "parse/journald.h"

#include <stdio.h>
#include <string.h>

#include "base/calendar.h"

enum at { AT_NAME, AT_VALUE, AT_LENGTH, AT_BYTES, AT_END };

#define PASSED_OVER (JOURNALD_WORDS + 1)
#define LATEST_US UINT64_C(9000000000000000) /* of a time stamp: beyond it the calendar ends */

static const char *const names[JOURNALD_WORDS + 1] = {
	[JOURNALD_TAKEN] = "__REALTIME_TIMESTAMP", [JOURNALD_SOURCE] = "_SOURCE_REALTIME_TIMESTAMP",
	[JOURNALD_HOST] = "_HOSTNAME", [JOURNALD_TRANSPORT] = "_TRANSPORT", [JOURNALD_PID] = "_PID",
	[JOURNALD_IDENTIFIER] = "SYSLOG_IDENTIFIER", [JOURNALD_SAID_PID] = "SYSLOG_PID", [JOURNALD_DROPPED] = "N_DROPPED",
	[JOURNALD_WORDS] = "MESSAGE",
};

/* --- The stream ---------------------------------------------------------------------------------------------------- */

static void begin_entry(struct journald *j)
{
	for (int i = 0; i < JOURNALD_WORDS; i++) {
		j->words[i].has = false;
		j->words[i].len = 0;
	}
	j->has_message = j->is_cut = j->has_any = j->is_told = false;
	j->message_len = 0;
}

/* The name is whole: is its value wanted? */
static void begin_value(struct journald *j, enum at next)
{
	struct text name = { j->name, j->name_len };

	j->at = (uint8_t)next;
	j->has_any = true;
	j->name_len = 0;
	j->length_bytes = 0;
	j->left = 0;
	for (j->taking = 0; j->taking < PASSED_OVER && !text_equal(name, text_of(names[j->taking])); j->taking++)
		;
	if (j->taking == JOURNALD_WORDS) {
		j->taking = j->has_message ? PASSED_OVER : JOURNALD_WORDS;
		j->has_message = true;
	} else if (j->taking < JOURNALD_WORDS) {
		bool is_second = j->words[j->taking].has;

		j->words[j->taking].has = true;
		j->taking = is_second ? PASSED_OVER : j->taking;
	}
}

static void keep(struct journald *j, struct text part)
{
	size_t room;

	if (j->taking < JOURNALD_WORDS) {
		room = JOURNALD_WORD_MAX - j->words[j->taking].len;
		part = text_first(part, room);
		if (part.len)
			memcpy(j->words[j->taking].bytes + j->words[j->taking].len, part.at, part.len);
		j->words[j->taking].len = (uint8_t)(j->words[j->taking].len + part.len);
	} else if (j->taking == JOURNALD_WORDS) {
		room = JOURNALD_MESSAGE_MAX - j->message_len;
		j->is_cut |= part.len > room;
		part = text_first(part, room);
		if (part.len)
			memcpy(j->message + j->message_len, part.at, part.len);
		j->message_len += part.len;
	}
}

static bool is_name_char(char c)
{
	return (c >= 'A' && c <= 'Z') || char_is_digit(c) || c == '_';
}

/* One byte of a name, or what ends it. *ret_entry: it was the empty line behind an entry. */
static const char *take_name(struct journald *j, char c, bool *ret_entry)
{
	if (c == '\n' && j->name_len == 0) {
		*ret_entry = j->has_any; /* several empty lines are one */
		return NULL;
	}
	if (c == '=' && j->name_len)
		begin_value(j, AT_VALUE);
	else if (c == '\n')
		begin_value(j, AT_LENGTH);
	else if (!is_name_char(c))
		return "a field's name has a byte that none has";
	else if (j->name_len == JOURNALD_NAME_MAX)
		return "a field's name is longer than any";
	else
		j->name[j->name_len++] = c;
	return NULL;
}

static void take_value(struct journald *j, struct text *bytes)
{
	size_t end = text_find_char(*bytes, '\n');

	keep(j, text_first(*bytes, end));
	*bytes = text_skip(*bytes, end == TEXT_NOT_FOUND ? bytes->len : end + 1);
	if (end != TEXT_NOT_FOUND)
		j->at = AT_NAME;
}

static void take_length(struct journald *j, struct text *bytes)
{
	while (bytes->len && j->length_bytes < 8) {
		j->left |= (uint64_t)(uint8_t)bytes->at[0] << (8 * j->length_bytes++);
		*bytes = text_skip(*bytes, 1);
	}
	if (j->length_bytes == 8)
		j->at = j->left ? AT_BYTES : AT_END;
}

static void take_bytes(struct journald *j, struct text *bytes)
{
	size_t n = j->left < bytes->len ? (size_t)j->left : bytes->len;

	keep(j, text_first(*bytes, n));
	*bytes = text_skip(*bytes, n);
	j->left -= n;
	if (j->left == 0)
		j->at = AT_END;
}

/* --- An entry ------------------------------------------------------------------------------------------------------ */

static struct text word_of(const struct journald *j, enum journald_word word)
{
	return (struct text){ j->words[word].bytes, j->words[word].len };
}

static uint64_t number_of(const struct journald *j, enum journald_word word, uint64_t most)
{
	uint64_t value;

	return text_decimal(word_of(j, word), most, &value) == 0 ? value : 0;
}

static void give(struct journald *j, struct journald_entry *ret)
{
	struct text pid = word_of(j, JOURNALD_SAID_PID);
	bool is_journald = text_equal(word_of(j, JOURNALD_TRANSPORT), TEXT("driver"));

	*ret = (struct journald_entry){
		.message = { j->message, j->message_len },
		.host = word_of(j, JOURNALD_HOST),
		.identifier = word_of(j, JOURNALD_IDENTIFIER),
		.pid = pid.len ? pid : word_of(j, JOURNALD_PID),
		.taken_us = number_of(j, JOURNALD_TAKEN, LATEST_US),
		.said_us = number_of(j, JOURNALD_SOURCE, LATEST_US),
		.dropped = is_journald ? number_of(j, JOURNALD_DROPPED, UINT32_MAX) : 0, /* anybody else may say so, too */
		.has_message = j->has_message,
		.is_cut = j->is_cut,
	};
	ret->said_us = ret->said_us ? ret->said_us : ret->taken_us;
}

enum journald_step journald_take(struct journald *j, struct text *bytes, struct journald_entry *ret, const char **ret_why)
{
	if (j->is_told)
		begin_entry(j);
	while (bytes->len) {
		bool is_entry = false;
		const char *why = NULL;
		char c = bytes->at[0];

		switch (j->at) {
		case AT_VALUE:
			take_value(j, bytes);
			break;
		case AT_LENGTH:
			take_length(j, bytes);
			break;
		case AT_BYTES:
			take_bytes(j, bytes);
			break;
		default:
			*bytes = text_skip(*bytes, 1);
			if (j->at == AT_NAME)
				why = take_name(j, c, &is_entry);
			else if (c != '\n')
				why = "no line break behind so many bytes";
			else
				j->at = AT_NAME;
			break;
		}
		if (why) {
			*ret_why = why;
			return JOURNALD_BROKEN;
		}
		if (is_entry) {
			j->is_told = true;
			give(j, ret);
			return JOURNALD_ENTRY;
		}
	}
	return JOURNALD_MORE;
}

/* --- As a line ------------------------------------------------------------------------------------------------------ */

static size_t put(char *to, size_t len, struct text t)
{
	for (size_t i = 0; i < t.len; i++)
		to[len + i] = t.at[i] == '\n' || t.at[i] == '\r' || t.at[i] == '\0' ? ' ' : t.at[i];
	return len + t.len;
}

/* What is to be one word of the framing. */
static size_t put_word(char *to, size_t len, struct text t)
{
	for (size_t i = 0; i < t.len; i++)
		to[len + i] = t.at[i] > ' ' && t.at[i] < 0x7f && t.at[i] != ':' && t.at[i] != '[' && t.at[i] != ']' ? t.at[i] : '_';
	return len + t.len;
}

/* A host's name as one, IPv6 addresses among them. */
static size_t put_host(char *to, size_t len, struct text t)
{
	for (size_t i = 0; i < t.len; i++)
		to[len + i] = t.at[i] > ' ' && t.at[i] < 0x7f ? t.at[i] : '_';
	return len + t.len;
}

size_t journald_print(const struct journald_entry *e, struct text host, char *to)
{
	struct civil c = calendar_from_instant((struct instant){ (int64_t)(e->said_us / 1000000) * SECOND_NS });
	char text[80];
	size_t len = 0;
	int n;

	if (e->said_us) {
		n = snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%06uZ ", c.year % 10000, c.month % 100, c.day % 100,
			     c.hour % 100, c.minute % 100, c.second % 100, (unsigned)(e->said_us % 1000000));
		len = put(to, 0, (struct text){ text, (size_t)n });
	}
	host = e->host.len ? e->host : host;
	if (host.len) {
		len = put_host(to, len, host);
		to[len++] = ' ';
	}
	if (e->identifier.len) {
		len = put_word(to, len, e->identifier);
		/* Without a number "rtlog: %CRYPTO-4-..." would be what IOS writes whose host is called rtlog; the kernel has none. */
		if (!text_equal(e->identifier, TEXT("kernel"))) {
			to[len++] = '[';
			len = put_word(to, len, e->pid.len ? e->pid : TEXT("0"));
			to[len++] = ']';
		}
		len = put(to, len, TEXT(": "));
	}
	return put(to, len, e->message);
}
