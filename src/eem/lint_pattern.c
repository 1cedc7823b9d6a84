/* SPDX-License-Identifier: MIT */
/* Expressions of events: what they match beside what was meant, and what they do not match. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "eem/lint_private.h"

#define ADDRESS_TEXT_MAX 20

/* Digits of one octet at the start; their count, 0 for none. */
static size_t octet(struct text t, unsigned *ret_value)
{
	uint64_t value;
	size_t digits;

	if (!text_take_digits(&t, 3, &value, &digits) || value > 255 || (t.len && char_is_digit(t.at[0])))
		return 0;
	*ret_value = (unsigned)value;
	return digits;
}

/* "11.1.1.3" or "11\.1\.1\.3" at the start: its length in the expression and its plain text. */
static size_t address_at(struct text t, char plain[ADDRESS_TEXT_MAX], unsigned *ret_last)
{
	struct text rest = t;
	size_t len = 0;

	for (int i = 0; i < 4; i++) {
		size_t digits;

		if (i > 0) {
			text_take_char(&rest, '\\');
			if (!text_take_char(&rest, '.'))
				return 0;
			plain[len++] = '.';
		}
		digits = octet(rest, ret_last);
		if (digits == 0)
			return 0;
		memcpy(plain + len, rest.at, digits);
		len += digits;
		rest = text_skip(rest, digits);
	}
	plain[len] = '\0';
	return t.len - rest.len;
}

static void lint_addresses(const struct lint *l, const struct policy *p, const struct event *e, struct text pattern)
{
	for (size_t i = 0; i < pattern.len; i++) {
		char plain[ADDRESS_TEXT_MAX];
		struct text rest;
		unsigned last;
		size_t len;

		if (i > 0 && (char_is_digit(pattern.at[i - 1]) || pattern.at[i - 1] == '.'))
			continue;
		len = address_at(text_skip(pattern, i), plain, &last);
		if (len == 0)
			continue;
		rest = text_skip(pattern, i + len);
		if (last <= 25 && last > 0 && (rest.len == 0 || text_starts(rest, TEXT(".*")) || text_starts(rest, TEXT(")"))))
			lint_say(l, p, EEM_WARNING, e->line, "address-prefix",
				 "%s also matches %s0 to %s9: nothing says where the address ends; write %s([^0-9]|$)", plain, plain,
				 plain, plain);
		i += len - 1;
	}
}

/* "int(gi1/3)": a group where a parenthesis was meant. */
static void lint_parentheses(const struct lint *l, const struct policy *p, const struct event *e, struct text pattern)
{
	for (size_t i = 0; i < pattern.len; i++) {
		struct text inside, behind;
		bool name_like = true, has_digit = false;
		size_t close;

		if (pattern.at[i] == '\\') {
			i++;
			continue;
		}
		if (pattern.at[i] != '(')
			continue;
		close = text_find_char(text_skip(pattern, i), ')');
		if (close == TEXT_NOT_FOUND)
			return;
		inside = (struct text){ pattern.at + i + 1, close - 1 };
		behind = text_skip(pattern, i + close + 1);
		for (size_t k = 0; k < inside.len; k++) {
			char c = inside.at[k];

			name_like &= char_is_alpha(c) || char_is_digit(c) || strchr("/.:-,_ ", c);
			has_digit |= char_is_digit(c);
		}
		if (inside.len && name_like && has_digit && (behind.len == 0 || !strchr("*+?{", behind.at[0]))) {
			lint_say(l, p, EEM_NOTE, e->line, "parentheses",
				 "(%.*s) is a group: it matches %.*s without the parentheses; \\( and \\) match them", TEXT_ARG(inside),
				 TEXT_ARG(inside));
			return;
		}
	}
}

/* --- The two forms of the message (B1) --------------------------------------------------------------------------- */

/* What the expression asks for behind `key`, else `otherwise`: dots as they are meant. */
static void value_behind(struct text pattern, struct text key, const char *otherwise, char *to, size_t size)
{
	size_t at = text_find(pattern, key), len = 0;
	struct text rest = text_skip(pattern, at + key.len);

	if (at != TEXT_NOT_FOUND)
		for (size_t i = 0; i < rest.len && len + 1 < size; i++) {
			char c = rest.at[i];

			if (c == '\\')
				continue;
			if (!char_is_alpha(c) && !char_is_digit(c) && c != '.' && c != '/' && c != ':' && c != '-')
				break;
			if (c == '.' && i + 1 < rest.len && rest.at[i + 1] == '*')
				break;
			to[len++] = c;
		}
	to[len] = '\0';
	if (len == 0)
		snprintf(to, size, "%s", otherwise);
}

static void lint_forms(const struct lint *l, const struct policy *p, const struct event *e, struct text pattern)
{
	char dst[64], src[64], interface[64], spi[32], text[512];
	bool with, without;
	int len;

	if (text_find(pattern, TEXT("PKT_INV_SPI")) == TEXT_NOT_FOUND)
		return;
	value_behind(pattern, TEXT("destaddr="), "192.0.2.1", dst, sizeof(dst));
	value_behind(pattern, TEXT("srcaddr="), "192.0.2.2", src, sizeof(src));
	value_behind(pattern, TEXT("interface="), "Ethernet0/0", interface, sizeof(interface));
	value_behind(pattern, TEXT("spi="), "0x68842105", spi, sizeof(spi));
	len = snprintf(text, sizeof(text),
		       "%%CRYPTO-4-RECVD_PKT_INV_SPI: decaps: rec'd IPSEC packet has invalid spi for destaddr=%s, prot=50, "
		       "spi=%s(1753489669), srcaddr=%s", dst, spi, src);
	without = eem_pattern_search(e->pattern, (struct text){ text, (size_t)len }, NULL, NULL) == EEM_MATCH;
	len += snprintf(text + len, sizeof(text) - (size_t)len, ", input interface=%s", interface);
	with = eem_pattern_search(e->pattern, (struct text){ text, (size_t)len }, NULL, NULL) == EEM_MATCH;
	if (with != without)
		lint_say(l, p, EEM_WARNING, e->line, "one-form",
			 "matches the message only %s ', input interface=...' at its end: releases print it with or without; let the "
			 "expression end behind the source address, or with (,|$)", with ? "with" : "without");
}

/* --- Recursion --------------------------------------------------------------------------------------------------- */

static void own_line(const struct policy *p, const struct action *a, struct buffer *out)
{
	buffer_clear(out);
	buffer_printf(out, "%%HA_EM-%u-LOG: %.*s: ", a->verb == VERB_SYSLOG ? a->severity : 6u, TEXT_ARG(p->name));
	for (uint32_t i = 0; i < a->arg[0].count; i++)
		if (!a->arg[0].parts[i].is_variable)
			buffer_add(out, a->arg[0].parts[i].text);
}

static void lint_recursion(const struct lint *l, const struct policy *p, const struct event *e)
{
	struct buffer line = { 0 };

	for (uint32_t i = 0; i < p->action_count; i++) {
		const struct action *a = &p->actions[i];
		bool quotes, matches;

		if (a->verb != VERB_SYSLOG && a->verb != VERB_PUTS)
			continue;
		if (e->priority >= 0 && a->severity > e->priority)
			continue;
		own_line(p, a, &line);
		quotes = lint_uses(&a->arg[0], TEXT("_syslog_msg"));
		matches = eem_pattern_search(e->pattern, buffer_text(&line), NULL, NULL) == EEM_MATCH;
		if (!quotes && !matches)
			continue;
		lint_say(l, p, EEM_WARNING, a->line, "recursion",
			 quotes ? "the line quotes $_syslog_msg, so it matches the applet's own pattern: a router may start the applet again by it"
				: "the line matches the applet's own pattern: a router may start the applet again by it");
		break;
	}
	if (eem_pattern_matches_all(e->pattern))
		lint_say(l, p, EEM_WARNING, e->line, "recursion", "the expression matches every message, the applet's own included");
	buffer_done(&line);
}

/* "...-6-..." below "priority errors": no message has both. */
static void lint_priority(const struct lint *l, const struct policy *p, const struct event *e, struct text pattern)
{
	for (size_t i = 1; e->priority >= 0 && i + 3 < pattern.len; i++) {
		int severity = pattern.at[i + 1] - '0';

		if (pattern.at[i] != '-' || pattern.at[i + 2] != '-' || severity < 0 || severity > 7 ||
		    !char_is_alpha(pattern.at[i - 1]) || !char_is_alpha(pattern.at[i + 3]))
			continue;
		if (severity > e->priority)
			lint_say(l, p, EEM_WARNING, e->line, "never-matches",
				 "the expression names severity %d, and 'priority' admits only 0 to %d", severity, e->priority);
		return;
	}
}

void lint_pattern(const struct lint *l, const struct policy *p)
{
	for (uint32_t i = 0; i < p->event_count; i++) {
		const struct event *e = &p->events[i];
		struct text pattern;

		if (!e->pattern)
			continue;
		pattern = eem_pattern_text(e->pattern);
		lint_addresses(l, p, e, pattern);
		lint_parentheses(l, p, e, pattern);
		if (e->detector != DETECTOR_SYSLOG)
			continue;
		lint_forms(l, p, e, pattern);
		lint_recursion(l, p, e);
		lint_priority(l, p, e, pattern);
	}
}
