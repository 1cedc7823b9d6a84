/* SPDX-License-Identifier: MIT */
#include "plan/names.h"

#include <stdio.h>

struct names names_of(const struct incident *incident)
{
	struct names n = {
		.has_src = spimend_address_known(&incident->src),
		.has_dst = spimend_address_known(&incident->dst),
		.has_spi = incident->has_spi,
		.has_protocol = incident->protocol == SPIMEND_PROTOCOL_ESP || incident->protocol == SPIMEND_PROTOCOL_AH,
	};
	char address[SPIMEND_ADDRESS_TEXT_MAX];

	snprintf(n.src, sizeof(n.src), "%s", n.has_src ? spimend_address_print(&incident->src, address) : "the sender");
	snprintf(n.dst, sizeof(n.dst), "%s", n.has_dst ? spimend_address_print(&incident->dst, address) : "the receiver");
	if (n.has_spi) {
		snprintf(n.spi, sizeof(n.spi), "0x%x", incident->spi.value);
		snprintf(n.swapped, sizeof(n.swapped), "0x%x", spimend_spi_swap(incident->spi).value);
		snprintf(n.decimal, sizeof(n.decimal), "%u", incident->spi.value);
	} else {
		snprintf(n.spi, sizeof(n.spi), "of unknown value");
		snprintf(n.decimal, sizeof(n.decimal), "decimal unknown");
		snprintf(n.swapped, sizeof(n.swapped), "of unknown value");
	}
	n.protocol = n.has_protocol ? spimend_protocol_name(incident->protocol) : "esp or ah";
	return n;
}

enum fact_dialect names_device(const struct incident *i)
{
	return i->dialect == DIALECT_LINUX_AUDIT && i->daemon != DIALECT_UNKNOWN ? i->daemon : i->dialect;
}

enum fact_kind names_fault(const struct incident *i)
{
	static const enum fact_kind faults[] = { FACT_NOT_IPSEC, FACT_REPLAY, FACT_INTEGRITY, FACT_SELECTOR, FACT_HARDWARE };

	for (size_t k = 0; k < sizeof(faults) / sizeof(faults[0]); k++)
		if (i->kind == faults[k])
			return i->kind;
	for (size_t k = 0; k < sizeof(faults) / sizeof(faults[0]); k++)
		if (i->saw[faults[k]])
			return faults[k];
	return FACT_NONE;
}

bool names_gone_quiet(const struct incident *i)
{
	bool by_rule = i->rule == RULE_LOG_REPEAT || i->rule == RULE_SA_TABLE || i->rule == RULE_SAD_LACKS;

	return i->verdict == VERDICT_DESYNC && by_rule && (i->messages > 0 || i->has_packets) && i->quiet_needed_ns > 0 &&
	       i->quiet_ns >= i->quiet_needed_ns;
}

bool names_early_swapped(const struct incident *i)
{
	return i->has_spi && i->flags & FLAG_SPI_SWAPPED && i->saw[FACT_SA_BORN] && !i->saw[FACT_SA_DIED] &&
	       !i->confirmed_at_receiver && (i->verdict == VERDICT_DESYNC || i->verdict == VERDICT_UNDECIDED);
}

/* The figure that "$c" stands for, or NULL when c names none; *ret_known says whether it is known. */
static const char *figure(const struct names *n, char c, bool *ret_known)
{
	switch (c) {
	case 'S':
		*ret_known = n->has_src;
		return n->src;
	case 'R':
		*ret_known = n->has_dst;
		return n->dst;
	case 'X':
		*ret_known = n->has_spi;
		return n->spi;
	case 'D':
		*ret_known = n->has_spi;
		return n->decimal;
	case 'W':
		*ret_known = n->has_spi;
		return n->swapped;
	case 'P':
		*ret_known = n->has_protocol;
		return n->protocol;
	default:
		return NULL;
	}
}

/* Takes the next piece of a template: plain characters, or a figure. False at the end. */
static bool take_piece(const struct names *n, const char **template, struct text *ret, bool *ret_known)
{
	const char *at = *template;
	size_t plain = 0;

	*ret_known = true;
	if (at[0] == '\0')
		return false;
	if (at[0] == '$') {
		const char *value = figure(n, at[1], ret_known);

		if (value) {
			*ret = text_of(value);
			*template = at + 2;
			return true;
		}
		plain = 1;
	}
	plain += strcspn(at + plain, "$");
	*ret = (struct text){ at, plain };
	*template = at + plain;
	return true;
}

/* "the sender" at the beginning of a sentence is "The sender"; addresses need none of this. */
static bool begins_sentence(const char *before, size_t len)
{
	return len == 0 || before[len - 1] == '\n' || (len > 1 && before[len - 1] == ' ' && before[len - 2] == '.');
}

static bool append(const struct names *n, const char *template, char *to, size_t size)
{
	size_t len = strlen(to);
	bool complete = true, known;
	struct text piece;

	while (take_piece(n, &template, &piece, &known)) {
		size_t take = piece.len < size - 1 - len ? piece.len : size - 1 - len;

		memcpy(to + len, piece.at, take);
		if (!known && take > 0 && begins_sentence(to, len) && piece.at[0] == 't')
			to[len] = 'T';
		len += take;
		to[len] = '\0';
		complete = complete && known && take == piece.len;
	}
	return complete;
}

void names_append(const struct names *n, const char *template, char *to, size_t size)
{
	append(n, template, to, size);
}

void names_say(const struct names *n, struct buffer *out, const char *template)
{
	struct text piece;
	bool known;

	while (take_piece(n, &template, &piece, &known)) {
		if (!known && begins_sentence(out->bytes, out->len) && piece.at[0] == 't') {
			buffer_add_char(out, 'T');
			piece = text_skip(piece, 1);
		}
		buffer_add(out, piece);
	}
}

bool names_command(const struct names *n, const char *template, char *to, size_t size)
{
	to[0] = '\0';
	if (append(n, template, to, size))
		return true;
	to[0] = '\0';
	return false;
}

void names_quote(struct buffer *out, struct text foreign, size_t max)
{
	struct text shown = text_first(foreign, max);

	for (size_t i = 0; i < shown.len; i++) {
		char c = shown.at[i];

		buffer_add_char(out, c >= 0x20 && c < 0x7f ? c : '.');
	}
	if (shown.len < foreign.len)
		buffer_add_string(out, "...");
}
