/* SPDX-License-Identifier: MIT */
#include "parse/show.h"

#include "parse/dialect.h"

#define PROMPT_MAX 64

struct text show_clean(struct text line)
{
	size_t more = line.len >= 8 && memchr(line.at, 'M', line.len) ? text_find(line, TEXT("--More--")) : TEXT_NOT_FOUND;

	if (more != TEXT_NOT_FOUND)
		line = text_skip(line, more + 8);
	while (line.len && (unsigned char)line.at[0] <= ' ') {
		size_t end = 0;

		/* ESC [ 0 m */
		if (line.at[0] == '\033' && line.len > 1 && line.at[1] == '[')
			for (end = 2; end < line.len && !char_is_alpha(line.at[end]); end++)
				;
		line = text_skip(line, end + 1);
	}
	return text_trim(line);
}

static bool is_prompt_char(char c)
{
	return c != '\0' && (char_is_alpha(c) || char_is_digit(c) || strchr("_-.()/:~@", c));
}

/* [root@gw ~]# */
static bool take_bracket_prompt(struct text *t, struct text *ret_host)
{
	size_t end = text_find_char(text_first(*t, PROMPT_MAX), ']');
	struct text inside;

	if (end == TEXT_NOT_FOUND || end + 1 >= t->len || (t->at[end + 1] != '#' && t->at[end + 1] != '$'))
		return false;
	inside = text_skip(text_first(*t, end), 1);
	text_take_until(&inside, "@");
	if (!text_take_char(&inside, '@'))
		return false;
	*ret_host = text_take_until(&inside, " :");
	*t = text_skip(*t, end + 2);
	text_take_blanks(t);
	return ret_host->len > 0;
}

bool show_take_prompt(struct text *t, struct text *ret_host)
{
	struct text name;
	size_t n = 0, at;

	if (t->len && t->at[0] == '[')
		return take_bracket_prompt(t, ret_host);
	while (n < t->len && n < PROMPT_MAX && is_prompt_char(t->at[n]))
		n++;
	if (n == 0 || n >= t->len || !(char_is_alpha(t->at[0]) || char_is_digit(t->at[0])))
		return false;
	name = text_first(*t, n);
	at = text_find_char(name, '@');
	/* A shell's $ follows user@host alone. */
	if (t->at[n] != '#' && t->at[n] != '>' && !(t->at[n] == '$' && at != TEXT_NOT_FOUND))
		return false;
	/* 192.0.2.1#500 and an author's --> are no prompts */
	if (n + 1 < t->len && !char_is_blank(t->at[n + 1]) && !char_is_alpha(t->at[n + 1]))
		return false;
	if (at != TEXT_NOT_FOUND)
		name = text_skip(name, at + 1);
	*ret_host = text_take_until(&name, "(/:~");
	*t = text_skip(*t, n + 1);
	text_take_blanks(t);
	return true;
}

bool show_is_syslog(struct text t)
{
	for (;;) {
		size_t at = text_find_char(t, '%');
		struct text word;

		if (at == TEXT_NOT_FOUND)
			return false;
		t = text_skip(t, at + 1);
		word = t;
		word = text_take_until(&word, ": \t");
		for (size_t i = 2; i + 2 < word.len; i++)
			if (word.at[i - 1] == '-' && word.at[i] >= '0' && word.at[i] <= '7' && word.at[i + 1] == '-')
				return true;
	}
}

bool show_is_pager(struct text line)
{
	line = text_trim(line);
	return text_ends(line, TEXT("--More--")) || text_ends(line, TEXT("<--- More --->")) || text_equal(line, TEXT("(END)"));
}

/* ---- the command that was typed ---- */

struct command {
	const char *words; /* each may be abbreviated to three letters; "a|b" stands for both */
	enum saved_output output;
};

static const struct command commands[] = {
	{ "show crypto ipsec sa", OUTPUT_IPSEC_SA },
	{ "show crypto ikev2 sa", OUTPUT_IKEV2_SA },
	{ "show crypto ikev2 session", OUTPUT_IKEV2_SA },
	{ "show crypto isakmp sa", OUTPUT_ISAKMP_SA },
	{ "show crypto ikev1 sa", OUTPUT_ISAKMP_SA },
	{ "show crypto session", OUTPUT_SESSION },
	{ "show crypto ipsec spi-lookup", OUTPUT_SPI_LOOKUP },
	{ "show monitor event-trace crypto ipsec", OUTPUT_EVENT_TRACE },
	{ "show platform hardware qfp active feature ipsec datapath drops", OUTPUT_DROPS },
	{ "show platform hardware qfp active statistics drop", OUTPUT_DROPS },
	{ "show asp drop", OUTPUT_DROPS },
	{ "show sdwan ipsec local-sa", OUTPUT_SDWAN_LOCAL_SA },
	{ "show ipsec local-sa", OUTPUT_SDWAN_LOCAL_SA },
	{ "show sdwan ipsec outbound-connections", OUTPUT_SDWAN_OUTBOUND },
	{ "show ipsec outbound-connections", OUTPUT_SDWAN_OUTBOUND },
	{ "show sdwan omp tlocs", OUTPUT_SDWAN_TLOCS },
	{ "show omp tlocs", OUTPUT_SDWAN_TLOCS },
	{ "show sdwan bfd sessions", OUTPUT_SDWAN_BFD },
	{ "show bfd sessions", OUTPUT_SDWAN_BFD },
	{ "show ip interface brief", OUTPUT_INTERFACES },
	{ "show interface ip brief", OUTPUT_INTERFACES },
	{ "show sdwan control connections", OUTPUT_SDWAN_CONTROL },
	{ "show control connections", OUTPUT_SDWAN_CONTROL },
	{ "show sdwan control local-properties", OUTPUT_SDWAN_EDGE },
	{ "show control local-properties", OUTPUT_SDWAN_EDGE },
	{ "show sdwan omp peers", OUTPUT_SDWAN_OMP },
	{ "show omp peers", OUTPUT_SDWAN_OMP },
};

static bool is_abbreviation(struct text typed, struct text word)
{
	size_t least = word.len < 3 ? word.len : text_equal(word, TEXT("show")) ? 2 : 3;

	return typed.len >= least && text_starts_nocase(word, typed);
}

static bool take_command(struct text *typed, const char *words)
{
	struct text want = text_of(words), rest = *typed, word;

	while ((word = text_take_word(&want)).len)
		if (!is_abbreviation(text_take_word(&rest), word))
			return false;
	*typed = rest;
	return true;
}

/* swanctl --list-sas, ip -s xfrm state, with sudo in front or not. */
static enum saved_output linux_command(struct text typed, struct saved_filter *ret_filter)
{
	struct text word = text_take_word(&typed);

	if (text_equal(word, TEXT("sudo")))
		word = text_take_word(&typed);
	if (text_ends(word, TEXT("swanctl")) && (text_has(typed, TEXT("--list-sas")) || text_starts(text_trim(typed), TEXT("-l")))) {
		ret_filter->narrow = text_has(typed, TEXT("--ike")) || text_has(typed, TEXT("--child"));
		return text_has(typed, TEXT("--raw")) ? OUTPUT_SWANCTL_RAW : OUTPUT_SWANCTL;
	}
	if (!text_equal(word, TEXT("ip")) && !text_ends(word, TEXT("/ip")))
		return OUTPUT_NONE;
	while ((word = text_take_word(&typed)).len && word.at[0] == '-')
		;
	if (word.len == 0 || !text_starts(TEXT("xfrm"), word))
		return OUTPUT_NONE;
	word = text_take_word(&typed);
	if (word.len == 0 || !text_starts(TEXT("state"), word))
		return OUTPUT_NONE;
	word = text_take_word(&typed);
	ret_filter->narrow = text_take_word(&typed).len > 0; /* list src A dst B */
	return OUTPUT_XFRM;
}

/* Everything behind the command but "detail" narrows: peer A, interface X, map M, vrf V, remote A, active, a pipe. */
static void read_filter(struct text rest, struct saved_filter *filter)
{
	struct text word;

	while ((word = text_take_word(&rest)).len) {
		if (is_abbreviation(word, TEXT("detailed")) || is_abbreviation(word, TEXT("all")))
			continue;
		filter->narrow = true;
		if (is_abbreviation(word, TEXT("peer")) || is_abbreviation(word, TEXT("remote")))
			filter->peer = dialect_address(text_take_word(&rest), NULL);
	}
}

enum saved_output show_command(struct text typed, struct saved_filter *ret_filter)
{
	struct saved_filter filter = { .typed = true };
	enum saved_output output = OUTPUT_NONE;

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]) && output == OUTPUT_NONE; i++) {
		struct text rest = typed;

		if (!take_command(&rest, commands[i].words))
			continue;
		output = commands[i].output;
		read_filter(rest, &filter);
	}
	if (output == OUTPUT_NONE)
		output = linux_command(typed, &filter);
	*ret_filter = filter;
	return output;
}

/* ---- values ---- */

bool show_number(struct text t, uint32_t *ret)
{
	uint64_t value;

	if (text_decimal(t, UINT32_MAX, &value) != 0)
		return false;
	*ret = (uint32_t)value;
	return true;
}

bool show_address_port(struct text t, struct spimend_address *ret, uint16_t *ret_port)
{
	struct text address = text_take_until(&t, "/[");
	struct spimend_address a;
	uint64_t port;

	if (!address.len || spimend_address_parse(address.at, address.len, &a) != 0)
		return false;
	*ret = a;
	if (t.len) {
		t = text_skip(t, 1);
		t = text_take_until(&t, "]");
		if (text_decimal(t, UINT16_MAX, &port) == 0)
			*ret_port = (uint16_t)port;
	}
	return true;
}

bool show_starts_any(struct text t, const char *const words[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (text_starts(t, text_of(words[i])))
			return true;
	return false;
}
