/* SPDX-License-Identifier: MIT */
/*
 * Vendors of whom one message is known: ScreenOS, Check Point, Versa, ZyXEL, Nortel and IBM (syslog.md 5). Their
 * framing differs more than their text, so each is found by its words anywhere in the line.
 */
#include "parse/dialect_form.h"

static void take_interface(struct fact *fact, struct text name)
{
	if (name.len && name.len < sizeof(fact->interface))
		text_copy(name, fact->interface, sizeof(fact->interface));
}

/* The addresses of "192.0.2.1->198.51.100.7/120", blanks around the arrow or not. */
static bool read_arrow(struct text t, struct fact *fact, struct text *ret_rest)
{
	size_t arrow = text_find(t, TEXT("->"));
	struct text left, right;
	size_t from;

	if (arrow == TEXT_NOT_FOUND || arrow > 160)
		return false;
	left = text_trim(text_first(t, arrow));
	for (from = left.len; from > 0 && !char_is_blank(left.at[from - 1]); from--)
		;
	right = text_skip(t, arrow + 2);
	text_take_blanks(&right);
	fact->src = dialect_address(text_skip(left, from), &fact->flags);
	fact->dst = dialect_address(text_take_until(&right, "/, \t\r\n;"), &fact->flags);
	*ret_rest = right;
	return true;
}

/* "KEY 0x1a2b", "KEY: 1a2b", "KEY=..": where the value starts. */
static bool find_after(struct text t, struct text key, struct text *ret)
{
	size_t at = text_find_nocase(t, key);

	if (at == TEXT_NOT_FOUND)
		return false;
	*ret = text_skip(t, at + key.len);
	text_take_blanks(ret);
	if (text_take_char(ret, '=') || text_take_char(ret, ':'))
		text_take_blanks(ret);
	return true;
}

static enum dialect_result take_spi_or_fail(struct text body, struct text *t, struct reading *ret)
{
	struct text word = *t;

	if (dialect_take_spi(t, &ret->fact.spi)) {
		ret->fact.has |= FACT_HAS_SPI;
		return DIALECT_READ;
	}
	word = text_take_until(&word, " \t\r\n,;.");
	if (dialect_is_placeholder(word))
		return dialect_fail(ret, DIALECT_BAD, dialect_reason_template, body.len - t->len);
	if (t->len == 0)
		return dialect_fail(ret, DIALECT_MORE, "cut before the SPI", body.len);
	if (!dialect_is_masked(word))
		return dialect_fail(ret, DIALECT_BAD, "the SPI is no hex number of 1 to 8 digits", body.len - t->len);
	*t = text_skip(*t, word.len);
	return DIALECT_READ;
}

enum dialect_result dialect_screenos_read(struct text body, struct reading *ret)
{
	size_t at = text_find_nocase(body, TEXT("IPSec tunnel on "));
	struct text t, head, rest, word;
	enum dialect_result result;

	*ret = (struct reading){ 0 };
	if (at == TEXT_NOT_FOUND)
		return DIALECT_NOT_MINE;
	t = text_skip(body, at);
	at = text_find_nocase(t, TEXT("received a packet with a bad SPI"));
	if (at == TEXT_NOT_FOUND)
		return DIALECT_NOT_MINE;
	head = text_first(t, at);
	t = text_skip(t, at + 32);
	if (text_find_char(head, '<') != TEXT_NOT_FOUND)
		return dialect_fail(ret, DIALECT_BAD, dialect_reason_template, body.len - t.len);
	ret->fact = fact_of(FACT_STRAY, DIALECT_SCREENOS);
	if (find_after(head, TEXT("interface"), &word))
		take_interface(&ret->fact, text_take_word(&word));
	text_take_char(&t, '.');
	if (!read_arrow(t, &ret->fact, &rest)) {
		ret->fact.flags |= FLAG_ADDRESS_MASKED;
		rest = t;
	}
	word = text_first(rest, text_find_nocase(rest, TEXT("SPI")));
	if (text_find_nocase(word, TEXT("ESP")) != TEXT_NOT_FOUND)
		ret->fact.protocol = SPIMEND_PROTOCOL_ESP;
	else if (text_find_nocase(word, TEXT("AH")) != TEXT_NOT_FOUND)
		ret->fact.protocol = SPIMEND_PROTOCOL_AH;
	if (!find_after(rest, TEXT("SPI"), &t))
		return dialect_fail(ret, DIALECT_MORE, "cut in the middle: expected SPI", body.len);
	result = take_spi_or_fail(body, &t, ret);
	if (result != DIALECT_READ)
		return result;
	if (find_after(text_first(t, 24), TEXT("SEQ"), &rest)) {
		word = text_take_until(&rest, " \t\r\n,;.");
		if (text_hex64(word, &ret->fact.sequence) == 0) {
			ret->fact.has |= FACT_HAS_SEQUENCE;
			t = text_skip(t, (size_t)(word.at + word.len - t.at));
		}
	}
	text_take_char(&t, '.');
	return dialect_read_to(ret, body.len - t.len);
}

static bool find_any(struct text t, const char *const keys[], struct text *ret)
{
	for (; *keys; keys++)
		if (dialect_find_value(t, text_of(*keys), ret))
			return true;
	return false;
}

/* Key and value neighbours as several log exporters write them; without them the ends stay unknown. */
static void read_neighbours(struct text line, struct fact *fact)
{
	static const char *const sources[] = { "src", "source", "src_ip", "srcip", "peer gateway", NULL };
	static const char *const destinations[] = { "dst", "destination", "dst_ip", "dstip", NULL };
	static const char *const protocols[] = { "proto", "protocol", NULL };
	struct text value;

	if (find_any(line, sources, &value))
		fact->src = dialect_address(value, &fact->flags);
	if (find_any(line, destinations, &value))
		fact->dst = dialect_address(value, &fact->flags);
	if (dialect_find_value(line, TEXT("spi"), &value) && dialect_take_spi(&value, &fact->spi) && value.len == 0)
		fact->has |= FACT_HAS_SPI;
	if (find_any(line, protocols, &value)) {
		if (text_equal_nocase(value, TEXT("esp")) || text_equal(value, TEXT("50")))
			fact->protocol = SPIMEND_PROTOCOL_ESP;
		else if (text_equal_nocase(value, TEXT("ah")) || text_equal(value, TEXT("51")))
			fact->protocol = SPIMEND_PROTOCOL_AH;
	}
}

static enum dialect_result read_by_words(struct text body, struct text words, enum fact_dialect dialect,
	struct reading *ret)
{
	struct text line;

	*ret = (struct reading){ 0 };
	if (text_find_nocase(body, words) == TEXT_NOT_FOUND)
		return DIALECT_NOT_MINE;
	line = dialect_first_line(body);
	if (text_find_nocase(line, words) == TEXT_NOT_FOUND)
		line = body;
	ret->fact = fact_of(FACT_STRAY, dialect);
	read_neighbours(line, &ret->fact);
	return dialect_read_to(ret, line.len);
}

enum dialect_result dialect_checkpoint_read(struct text body, struct reading *ret)
{
	return read_by_words(body, TEXT("Unknown SPI for IPsec packet"), DIALECT_CHECKPOINT, ret);
}

/* No SPI is printed. */
enum dialect_result dialect_zyxel_read(struct text body, struct reading *ret)
{
	return read_by_words(body, TEXT("Receive IPSec packet, but no corresponding tunnel exists"), DIALECT_ZYXEL, ret);
}

/* Seven digits were seen: leading zeros are not printed. */
enum dialect_result dialect_versa_read(struct text body, struct reading *ret)
{
	size_t at = text_find(body, TEXT("SPI from ESP header"));
	enum dialect_result result;
	struct text t;

	*ret = (struct reading){ 0 };
	if (at == TEXT_NOT_FOUND || !text_has(text_first(body, at), TEXT("esp")))
		return DIALECT_NOT_MINE;
	ret->fact = fact_of(FACT_STRAY, DIALECT_VERSA);
	ret->fact.protocol = SPIMEND_PROTOCOL_ESP;
	find_after(text_skip(body, at), TEXT("SPI from ESP header"), &t);
	result = take_spi_or_fail(body, &t, ret);
	return result == DIALECT_READ ? dialect_read_to(ret, body.len - t.len) : result;
}

/* ISEC.001 of the event logging system. Only the manual's form is known: the number behind the arrow is taken as
 * decimal when all its characters are digits (unconfirmed). */
enum dialect_result dialect_nortel_read(struct text body, struct reading *ret)
{
	static const char *const forms[] = {
		"ISEC.001|~{:~}No %p SA for pkt (SPI~%a~) %b~->~%n",
		"ISEC.001|~{:~}No %p security assoc admitting packet (SPI~%a~) %b~->~%n",
	};
	size_t at = text_find(body, TEXT("ISEC.001"));
	struct parse_failure failure, farthest = { .reason = "expected No ESP SA for pkt" };
	enum form_result result = FORM_OTHER;

	*ret = (struct reading){ 0 };
	if (at == TEXT_NOT_FOUND)
		return DIALECT_NOT_MINE;
	for (size_t i = 0; i < 2; i++) {
		struct fact fact = fact_of(FACT_STRAY, DIALECT_NORTEL);

		result = dialect_form_read(forms[i], body, text_skip(body, at), &fact, &ret->used, &failure);
		ret->fact = fact;
		if (result == FORM_READ)
			return dialect_read_to(ret, ret->used);
		if (result == FORM_CUT)
			return dialect_fail(ret, DIALECT_MORE, failure.reason, failure.offset);
		if (result == FORM_WRONG && failure.offset >= farthest.offset)
			farthest = failure;
	}
	ret->fact = (struct fact){ 0 };
	return dialect_fail(ret, DIALECT_BAD, farthest.reason, farthest.offset);
}
