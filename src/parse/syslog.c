/* SPDX-License-Identifier: MIT */
#include "parse/syslog.h"

#include <stdio.h>
#include <string.h>

#include "base/calendar.h"
#include "parse/framing.h"

#define LENGTH_DIGITS 5 /* of SYSLOG_FRAME_MAX */
#define PRIORITY_MOST 191

/* --- Streams ------------------------------------------------------------------------------------------------------- */

/* RFC 6587 3.4.1: MSG-LEN SP SYSLOG-MSG, MSG-LEN without leading zeros. */
static enum syslog_step take_octets(struct text *bytes, struct text *ret_message, const char **ret_why)
{
	struct text rest = *bytes;
	uint64_t length = 0;
	size_t digits = 0;

	if (rest.at[0] == '0' || !text_take_digits(&rest, LENGTH_DIGITS + 1, &length, &digits) || digits > LENGTH_DIGITS ||
	    length > SYSLOG_FRAME_MAX) {
		*ret_why = rest.at[0] == '0' || digits == 0 ? "no length where one is expected" : "a length beyond 65536";
		return SYSLOG_STEP_BROKEN;
	}
	if (rest.len == 0)
		return SYSLOG_STEP_MORE;
	if (rest.at[0] != ' ') {
		*ret_why = "no blank behind a length";
		return SYSLOG_STEP_BROKEN;
	}
	rest = text_skip(rest, 1);
	if (rest.len < length)
		return SYSLOG_STEP_MORE;
	*ret_message = text_first(rest, (size_t)length);
	*bytes = text_skip(rest, (size_t)length);
	return SYSLOG_STEP_MESSAGE;
}

static size_t find_end(struct text t)
{
	size_t end = text_find_char(t, '\n'), nul = text_find_char(text_first(t, end), '\0');

	return nul == TEXT_NOT_FOUND ? end : nul;
}

/* RFC 6587 3.4.2: a line break, with some senders a NUL byte. */
static enum syslog_step take_line(struct syslog_stream *stream, struct text *bytes, struct text *ret_message)
{
	size_t end = find_end(*bytes);
	bool skipped = stream->skips;

	if (end == TEXT_NOT_FOUND && skipped) {
		*bytes = text_skip(*bytes, bytes->len);
		return SYSLOG_STEP_MORE;
	}
	if (end == TEXT_NOT_FOUND && bytes->len <= SYSLOG_FRAME_MAX)
		return SYSLOG_STEP_MORE;
	stream->skips = false;
	if (end != TEXT_NOT_FOUND && end <= SYSLOG_FRAME_MAX) {
		*ret_message = skipped ? TEXT_NONE : text_first(*bytes, end);
		*bytes = text_skip(*bytes, end + 1);
		if (skipped && bytes->len) /* the end of what was cut is no message */
			return take_line(stream, bytes, ret_message);
		return skipped ? SYSLOG_STEP_MORE : SYSLOG_STEP_MESSAGE;
	}
	*ret_message = text_first(*bytes, SYSLOG_FRAME_MAX);
	*bytes = text_skip(*bytes, SYSLOG_FRAME_MAX);
	stream->skips = true;
	return SYSLOG_STEP_CUT;
}

enum syslog_step syslog_take(struct syslog_stream *stream, struct text *bytes, struct text *ret_message,
			     const char **ret_why)
{
	if (bytes->len == 0)
		return SYSLOG_STEP_MORE;
	if (stream->framing == SYSLOG_FRAMING_UNKNOWN)
		stream->framing = char_is_digit(bytes->at[0]) ? SYSLOG_OCTETS : SYSLOG_LINES;
	if (stream->framing == SYSLOG_OCTETS)
		return take_octets(bytes, ret_message, ret_why);
	return take_line(stream, bytes, ret_message);
}

bool syslog_take_last(const struct syslog_stream *stream, struct text bytes, struct text *ret_message)
{
	if (stream->framing != SYSLOG_LINES || stream->skips || bytes.len == 0)
		return false;
	*ret_message = bytes;
	return true;
}

/* --- One message ---------------------------------------------------------------------------------------------------- */

void syslog_print_stamp(int64_t second, char to[SYSLOG_STAMP_LEN])
{
	struct civil c = calendar_from_instant((struct instant){ second * SECOND_NS });
	char text[64];

	snprintf(text, sizeof(text), "%s %2d %02d:%02d:%02d ", calendar_month_name(c.month), c.day % 100, c.hour % 100,
		 c.minute % 100, c.second % 100);
	memcpy(to, text, SYSLOG_STAMP_LEN);
}

static bool take_priority(struct text *message)
{
	struct text rest = *message;
	uint64_t value;
	size_t digits;

	if (!text_take_char(&rest, '<') || !text_take_digits(&rest, 3, &value, &digits) || !text_take_char(&rest, '>'))
		return false;
	*message = rest;
	return value <= PRIORITY_MOST;
}

struct writer {
	char *to;
	size_t len;
};

static void put(struct writer *w, struct text t)
{
	if (t.len)
		memcpy(w->to + w->len, t.at, t.len);
	w->len += t.len;
}

static void put_word(struct writer *w, struct text word)
{
	if (word.len == 0 || text_equal(word, TEXT("-")))
		return;
	put(w, word);
	put(w, TEXT(" "));
}

/* RFC 5424 6: VERSION TIMESTAMP HOSTNAME APP-NAME PROCID MSGID DATA MSG, with one blank each between them. */
static bool put_5424(struct writer *w, struct text message)
{
	struct text words[5], rest = message;

	if (!text_take(&rest, TEXT("1 ")) || rest.len == 0 || !(char_is_digit(rest.at[0]) || rest.at[0] == '-'))
		return false;
	for (int i = 0; i < 5; i++) {
		words[i] = text_take_until(&rest, " \n");
		if (words[i].len == 0 || !text_take_char(&rest, ' '))
			return false;
	}
	if (!framing_take_structured_data(&rest))
		return false;
	put_word(w, words[0]);
	put_word(w, words[1]);
	if (!text_equal(words[2], TEXT("-"))) {
		put(w, words[2]);
		if (!text_equal(words[3], TEXT("-"))) {
			put(w, TEXT("["));
			put(w, words[3]);
			put(w, TEXT("]"));
		}
		put(w, text_ends(words[2], TEXT(":")) ? TEXT(" ") : TEXT(": "));
	}
	text_take_char(&rest, ' ');
	text_take(&rest, TEXT("\xef\xbb\xbf"));
	put(w, rest);
	return true;
}

size_t syslog_rewrite(struct text message, const char stamp[SYSLOG_STAMP_LEN], struct text host, char *to, bool *ret_odd)
{
	struct writer w = { .to = to };

	*ret_odd = !take_priority(&message);
	put(&w, (struct text){ stamp, SYSLOG_STAMP_LEN });
	put(&w, host);
	put(&w, TEXT(" "));
	if (!put_5424(&w, message))
		put(&w, message);
	return w.len;
}
