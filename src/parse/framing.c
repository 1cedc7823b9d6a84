/* SPDX-License-Identifier: MIT */
#include "parse/framing.h"

#include "spimend/address.h"

/* More words than this in front of a mnemonic are prose, not framing. */
#define WORDS_MAX 3
#define HOST_MAX 255 /* RFC 1035 2.3.4 */

static bool is_host_char(char c)
{
	return char_is_alpha(c) || char_is_digit(c) || c == '.' || c == '-' || c == '_' || c == ':' || c == '/' ||
	       (unsigned char)c >= 0x80;
}

static bool take_priority(struct text *t)
{
	struct text rest = *t;
	size_t digits;

	if (!text_take_char(&rest, '<') || !text_take_digits(&rest, 3, NULL, &digits) || !text_take_char(&rest, '>'))
		return false;
	*t = rest;
	return true;
}

/* "364241:", "101 21:" (a number without a colon only in front of another number, of a stamp or of the end). */
static bool take_sequence(struct text *t)
{
	struct text rest = *t, after;
	struct stamp ignored;
	uint64_t value;

	if (!text_take_digits(&rest, 18, &value, NULL))
		return false;
	if (text_take_char(&rest, ':')) {
		/* "11:39:59" is a clock, and an IPv6 address may start like this. */
		if (rest.len && rest.at[0] != ' ' && rest.at[0] != '\t')
			return false;
	} else {
		if (!text_take_blanks(&rest))
			return false;
		after = rest;
		if (rest.len && !char_is_digit(rest.at[0]) && !stamp_take(&after, &ignored))
			return false;
	}
	*t = rest;
	return true;
}

/* RP/0/RP0/CPU0: and its kin. */
static bool take_location(struct text *t)
{
	struct text rest = *t;
	struct text word = text_take_until(&rest, " \t:");
	size_t slashes = 0;

	for (size_t i = 0; i < word.len; i++)
		slashes += word.at[i] == '/';
	if (slashes < 2 || !text_take_char(&rest, ':'))
		return false;
	*t = rest;
	return true;
}

/* One word that could be a host: its text, and whether a colon closed it. */
static bool take_word(struct text *t, struct text *ret_word, bool *ret_colon)
{
	struct text rest = *t;
	size_t n = 0;

	while (n < rest.len && is_host_char(rest.at[n]))
		n++;
	if (n == 0 || n > HOST_MAX || (n < rest.len && !char_is_blank(rest.at[n])))
		return false;
	*ret_word = text_first(rest, n);
	*ret_colon = ret_word->at[n - 1] == ':';
	while (ret_word->len && ret_word->at[ret_word->len - 1] == ':')
		ret_word->len--;
	if (ret_word->len == 0)
		return false;
	rest = text_skip(rest, n);
	*t = rest;
	return true;
}

/* A name or an address: not "-", which stands for nothing, nor a process's number, nor "14:01:03", a time without its date. */
static bool is_host(struct text word)
{
	struct spimend_address ignored;

	for (size_t i = 0; i < word.len; i++)
		if (char_is_alpha(word.at[i]) || (unsigned char)word.at[i] >= 0x80)
			return true;
	return spimend_address_parse(word.at, word.len, &ignored) == 0;
}

/* A terminal's prompt in front of what the device prints meanwhile: "hub#*Nov  2 04:00:48: ...". */
static void take_prompt(struct text *t)
{
	struct text rest = *t, after;
	struct text prompt = text_take_until(&rest, "#> \t<%*");
	struct stamp ignored;

	if (prompt.len == 0 || prompt.len > 64 || !(text_take_char(&rest, '#') || text_take_char(&rest, '>')))
		return;
	text_take_blanks(&rest);
	after = rest;
	if (stamp_take(&after, &ignored))
		*t = rest;
}

/* process[pid]: or process: of a syslog tag. */
static bool is_tag(struct text t)
{
	size_t n = 0;

	while (n < t.len && (char_is_alpha(t.at[n]) || char_is_digit(t.at[n]) || strchr("_-./", t.at[n])) && t.at[n])
		n++;
	if (n == 0 || n >= t.len)
		return false;
	if (t.at[n] == '[') {
		struct text rest = text_skip(t, n + 1);

		return text_take_digits(&rest, 10, NULL, NULL) && text_take_char(&rest, ']');
	}
	return t.at[n] == ':' && (n + 1 == t.len || t.at[n + 1] == ' ');
}

static bool is_repeat(struct text t)
{
	return text_starts_nocase(t, TEXT("last message repeated")) || text_starts(t, TEXT("message repeated"));
}

/* Does what follows a word prove that the word was a host? A word that ends in a colon may be a tag ("kernel: audit: ..."):
 * only more framing proves it. */
static bool proves_host(struct text after, bool colon)
{
	struct stamp ignored;
	struct text t = after;

	text_take_blanks(&t);
	if (t.len == 0)
		return false;
	if (t.at[0] == '%' || t.at[0] == ':' || take_sequence(&t) || take_location(&t) || stamp_take(&t, &ignored))
		return true;
	if (is_repeat(t))
		return true;
	if (colon)
		return false;
	if (is_tag(t))
		return true;
	/* key=value: FortiGate and audit behind a relay */
	text_take_until(&t, " =\t");
	return t.len && t.at[0] == '=';
}

static void add_stamp(struct framing *f, const struct stamp *s)
{
	if (!f->has_outer) {
		f->has_outer = true;
		f->outer = *s;
	} else {
		f->has_inner = true;
		f->inner = *s;
	}
}

/* What grep puts in front of a line: "rt7.log:", "messages:118:", "118:", glued to a date or a priority. */
static void take_grep_prefix(struct text *t)
{
	struct text word = text_first(*t, 512);

	word = text_take_until(&word, " \t");
	if (word.len == 0 || word.at[0] == '<')
		return;
	for (size_t i = 0; i + 1 < word.len; i++) {
		struct text rest = text_skip(*t, i + 1), after = rest;
		struct stamp stamp;

		if (word.at[i] == ':' && ((stamp_take(&after, &stamp) && !stamp.is_uptime) || take_priority(&after))) {
			*t = rest;
			return;
		}
	}
}

bool framing_take_structured_data(struct text *t)
{
	struct text rest = *t;

	if (text_take_char(&rest, '-')) {
		*t = rest;
		return true;
	}
	if (!(rest.len && rest.at[0] == '['))
		return false;
	while (text_take_char(&rest, '[')) {
		bool quoted = false;

		for (; rest.len && (quoted || rest.at[0] != ']'); rest = text_skip(rest, 1)) {
			if (rest.at[0] == '\\')
				rest = text_skip(rest, 1);
			else if (rest.at[0] == '"')
				quoted = !quoted;
		}
		if (!text_take_char(&rest, ']'))
			return false;
	}
	*t = rest;
	return true;
}

/* RFC 5424: <189>1 TIME HOST APP PROCID MSGID DATA, each but the first may be "-". Files often lack the priority. */
static bool take_header_5424(struct text *t, struct framing *f)
{
	struct text rest = *t, host;
	bool has_priority = take_priority(&rest);
	struct stamp stamp;

	if (!text_take(&rest, TEXT("1 ")))
		return false;
	if (stamp_take(&rest, &stamp)) {
		if (!stamp.has_year)
			return false;
		add_stamp(f, &stamp);
	} else if (!has_priority || !text_take_char(&rest, '-')) {
		return false;
	}
	host = text_take_word(&rest);
	if (host.len <= HOST_MAX && !text_equal(host, TEXT("-")))
		f->host = host;
	for (int word = 0; word < 3; word++)
		text_take_word(&rest);
	text_take_blanks(&rest);
	framing_take_structured_data(&rest);
	text_take_blanks(&rest);
	text_take(&rest, TEXT("\xef\xbb\xbf"));
	*t = rest;
	return true;
}

/* XR: process[pid]: before the mnemonic */
static bool take_process(struct text *t)
{
	struct text rest = *t;
	struct text word = text_take_until(&rest, " \t");

	if (!is_tag(*t) || !(text_ends(word, TEXT("]")) || text_ends(word, TEXT("]:"))))
		return false;
	*t = rest;
	return true;
}

void framing_read(struct text line, bool closed, struct framing *ret)
{
	struct framing f = { 0 };
	struct text rest = line, word;
	unsigned words = 0;
	bool colon, stamped = false, headed;
	struct stamp stamp;

	text_take_blanks(&rest);
	take_prompt(&rest);
	take_grep_prefix(&rest);
	headed = take_header_5424(&rest, &f);
	for (;;) {
		text_take_blanks(&rest);
		if (rest.len == 0)
			break;
		if (stamp_take(&rest, &stamp)) {
			add_stamp(&f, &stamp);
			/* "Nov  2 04:00:48 rt7 ..." may be followed by a host, "...48: %..." may not. */
			stamped = !(rest.len && rest.at[0] == ':');
			text_take_char(&rest, ':');
		} else if (take_priority(&rest) || take_sequence(&rest) || take_location(&rest)) {
			stamped = stamped && closed;
		} else if (rest.at[0] == ':') {
			rest = text_skip(rest, 1);
		} else if (closed && take_process(&rest)) {
			continue;
		} else {
			struct text before = rest;

			if (!closed && is_repeat(rest))
				break;
			if (!take_word(&rest, &word, &colon))
				break;
			if (!closed && !(proves_host(rest, colon) && (stamped || colon || (line.at[0] == '<' && !f.has_outer && !headed)))) {
				rest = before;
				break;
			}
			if (++words > WORDS_MAX)
				break;
			if (is_host(word))
				f.host = word;
			stamped = false;
		}
	}
	if (closed && words > WORDS_MAX)
		f.host = TEXT_NONE;
	f.used = line.len - rest.len;
	f.is_continuation_shape = !f.has_outer && f.host.len == 0 && !(line.len && line.at[0] == '<');
	*ret = f;
}
