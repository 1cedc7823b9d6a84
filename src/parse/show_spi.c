/* SPDX-License-Identifier: MIT */
#include "parse/show_spi.h"

#include "parse/dialect.h"

static const struct {
	const char *part;
	enum saved_drop_kind kind;
} drops[] = {
	{ "SA_NOT_FOUND_SPI", DROP_NO_SA },
	{ "IN_TRANS_V4_IPSEC_PKT_NOT_FOUND_SPI", DROP_NO_SA },
	{ "np-sp-invalid-spi", DROP_NO_SA },
	{ "IN_V4_PKT_HIT_INVALID_SA", DROP_INVALID_SA },
	{ "IN_V6_PKT_HIT_INVALID_SA", DROP_INVALID_SA },
	{ "IpsecInvalidSa", DROP_INVALID_SA },
	{ "ANTI_REPLAY_FAIL", DROP_REPLAY },
	{ "CD_IN_PKT_OUT_OF_WINDOW", DROP_REPLAY },
};

enum saved_output show_spi_starts(struct text t)
{
	if (text_starts(t, TEXT("Active SPI table")) || text_starts(t, TEXT("Transient SPI table")))
		return OUTPUT_SPI_LOOKUP;
	if (text_has(t, TEXT("IPSEC-EVENT:")))
		return OUTPUT_EVENT_TRACE;
	if ((text_starts(t, TEXT("Drop Type")) && text_has(t, TEXT("Packets"))) || text_starts(t, TEXT("Global Drop Stats")) ||
	    text_starts(t, TEXT("Frame drop:")))
		return OUTPUT_DROPS;
	return OUTPUT_NONE;
}

bool show_spi_end(struct show_spi *s, struct saved_record *ret)
{
	bool any = s->line != 0;

	if (any)
		*ret = (struct saved_record){ .kind = SAVED_SPI, .line = s->line, .spi = s->spi };
	s->line = 0;
	return any;
}

static enum show_result bad(struct saved_record *ret, uint32_t number, const char *reason)
{
	*ret = (struct saved_record){ .line = number, .reason = reason };
	return SHOW_BAD;
}

/* "3A4AAE22 ipsec 10.10.10.1 type 40003352 0 20.10.10.1 566", on one line or two; "3F5EE32D 400033A5 0 356" below */
static enum show_result lookup_line(struct show_spi *s, struct text t, uint32_t number, struct saved_record *ret)
{
	struct text rest = t, word = text_take_word(&rest);
	struct saved_spi spi = { .transient = s->transient };
	struct spimend_address a;
	bool closed;

	if (text_starts(t, TEXT("Active SPI table")) || text_starts(t, TEXT("Transient SPI table"))) {
		s->transient = t.at[0] == 'T';
		return show_spi_end(s, ret) ? SHOW_RECORD : SHOW_TAKEN;
	}
	if (text_equal(word, TEXT("SPI")) || text_equal(word, TEXT("Handle")))
		return SHOW_TAKEN;
	if (word.len != 8 || text_hex32(word, &spi.spi.value) != 0)
		return SHOW_NOTHING;
	/* The second line of an entry starts with its handle and has the remote address. */
	if (!s->transient && s->line && number == s->line + 1 && !spimend_address_known(&s->spi.remote)) {
		while ((word = text_take_word(&rest)).len)
			if (spimend_address_parse(word.at, word.len, &a) == 0)
				s->spi.remote = a;
		return SHOW_TAKEN;
	}
	closed = show_spi_end(s, ret);
	while ((word = text_take_word(&rest)).len) {
		if (spimend_address_parse(word.at, word.len, &a) != 0)
			continue;
		if (!spimend_address_known(&spi.local))
			spi.local = a;
		else
			spi.remote = a;
	}
	s->spi = spi;
	s->line = number;
	return closed ? SHOW_RECORD : SHOW_TAKEN;
}

/* The value behind "name =" or "name=". */
static bool take_value(struct text t, struct text name, struct text *ret)
{
	size_t at = text_find(t, name);

	if (at == TEXT_NOT_FOUND)
		return false;
	t = text_skip(t, at + name.len);
	text_take_blanks(&t);
	if (!text_take_char(&t, '='))
		return false;
	text_take_blanks(&t);
	*ret = text_take_until(&t, " ,(");
	return true;
}

/* "*Apr  4 00:10:51.826: IPSEC-EVENT:IPSEC-DELETE-SA:  sa delete : (sa) sa_dest = 30.1.1.1, sa_proto = 50, sa_spi = 0xB8..." */
static enum show_result trace_line(struct text t, uint32_t number, struct saved_record *ret)
{
	struct saved_record record = { .kind = SAVED_TRACE, .line = number };
	struct text value;

	if (text_starts(t, TEXT("Tracing currently")))
		return SHOW_TAKEN;
	if (!text_has(t, TEXT("IPSEC-EVENT")))
		return text_starts(t, TEXT("-Traceback")) ? SHOW_TAKEN : SHOW_NOTHING;
	record.trace.deleted = text_has(t, TEXT("IPSEC-DELETE-SA"));
	if (!record.trace.deleted && !text_has(t, TEXT("IPSEC-CREATE-SA")))
		return SHOW_TAKEN;
	if (!take_value(t, TEXT("sa_spi"), &value))
		return SHOW_TAKEN; /* the second line of an event has the proxies */
	if (text_hex32(value, &record.trace.spi.value) != 0)
		return bad(ret, number, "a trace line whose SPI is no number");
	if (take_value(t, TEXT("sa_dest"), &value))
		record.trace.destination = dialect_address(value, NULL);
	if (!spimend_address_known(&record.trace.destination))
		return bad(ret, number, "a trace line without the SA's destination");
	*ret = record;
	return SHOW_RECORD;
}

/* "        4  IN_US_V4_PKT_SA_NOT_FOUND_SPI    0", "IpsecInput  12  4711", ASA "Invalid SPI (np-sp-invalid-spi)   7" */
static enum show_result drop_line(struct text t, uint32_t number, struct saved_record *ret)
{
	struct saved_record record = { .kind = SAVED_DROP, .line = number };
	struct text rest = t, word;
	uint64_t count;

	for (size_t i = 0; i < sizeof(drops) / sizeof(drops[0]); i++) {
		size_t at = text_find(t, text_of(drops[i].part));
		size_t start = at;

		if (at == TEXT_NOT_FOUND)
			continue;
		while (start > 0 && !char_is_blank(t.at[start - 1]) && t.at[start - 1] != '(')
			start--;
		rest = text_skip(t, start);
		text_copy(text_take_until(&rest, " \t)"), record.drop.name, sizeof(record.drop.name));
		text_take_char(&rest, ')');
		if (text_decimal(text_take_word(&rest), UINT64_MAX, &count) != 0)
			return bad(ret, number, "a drop counter without its figure");
		record.drop.kind = drops[i].kind;
		record.drop.packets = count;
		*ret = record;
		return SHOW_RECORD;
	}
	word = text_take_word(&rest);
	/* Other counters, headers and rules; the last word of a counter is a figure. */
	if (text_starts(t, TEXT("--")) || text_starts(t, TEXT("Drop Type")) || text_starts(t, TEXT("Global")) ||
	    text_starts(t, TEXT("Last clearing")) || text_starts(t, TEXT("Frame drop")) || text_starts(t, TEXT("Flow drop")) ||
	    text_starts(t, TEXT("Load for")) || text_starts(t, TEXT("Time source")))
		return SHOW_TAKEN;
	return word.len && t.len && char_is_digit(t.at[t.len - 1]) ? SHOW_TAKEN : SHOW_NOTHING;
}

enum show_result show_spi_line(struct show_spi *s, enum saved_output output, struct text t, uint32_t number,
			       struct saved_record *ret)
{
	if (t.len == 0)
		return SHOW_TAKEN;
	if (output == OUTPUT_SPI_LOOKUP)
		return lookup_line(s, t, number, ret);
	return output == OUTPUT_EVENT_TRACE ? trace_line(t, number, ret) : drop_line(t, number, ret);
}
