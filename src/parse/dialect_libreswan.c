/* SPDX-License-Identifier: MIT */
/*
 * pluto's log lines (Libreswan, Openswan):
 *
 *     pluto[123]: "conn"[1] 192.0.2.1 #36: IPsec SA established tunnel mode {ESP=>0xae76fd3b <0x12345678 xfrm=...}
 *
 * In the braces => is the outbound SPI and < the inbound one. The address behind the connection's name is the peer's;
 * only instances of a template print it. A Delete that came in names the peer's inbound SPI, this end's outbound one.
 */
#include "parse/dialect_form.h"

static const struct phrase {
	enum fact_kind kind;
	enum fact_reason reason;
	const char *form; /* of the text behind "#36: " */
} phrases[] = {
	{ FACT_SA_DIED, REASON_DELETED, "received Delete SA(%o) payload: deleting IPSEC " },
	{ FACT_SA_DIED, REASON_DELETED, "received Delete SA(%o) payload: replace IPSEC " },
	{ FACT_SA_DIED, REASON_DELETED, "received Delete SA payload: replace IPSEC " },
	{ FACT_SA_DIED, REASON_DELETED, "received Delete SA payload: deleting IPSEC " },
	{ FACT_SA_DIED, REASON_DELETED, "received Delete SA payload: delete IPSEC " },
	{ FACT_SA_DIED, REASON_DELETED, "received Delete SA payload: already replacing IPSEC " },
	{ FACT_SA_DIED, REASON_DELETED, "received Delete SA payload via " },
	{ FACT_TUNNEL_DOWN, 0, "received Delete SA payload: *deleting ISAKMP " },
	{ FACT_DELETE_UNKNOWN, 0, "ignoring Delete SA payload: *SA(%o) not found" },
	{ FACT_DELETE_UNKNOWN, 0, "received delete request for * with outbound SPI %o" },
	{ FACT_SA_DIED, REASON_DELETED, "deleting state (STATE_QUICK" },
	{ FACT_SA_DIED, REASON_DELETED, "deleting state (STATE_V2_IPSEC" },
	{ FACT_SA_DIED, REASON_DELETED, "deleting state (STATE_V2_ESTABLISHED_CHILD" },
	{ FACT_SA_DIED, REASON_DELETED, "deleting other state #%w (STATE_QUICK" },
	{ FACT_SA_DIED, REASON_DELETED, "deleting IPsec SA" },
	{ FACT_SA_DIED, REASON_DELETED, "deleting established Child SA" },
	{ FACT_SA_DIED, REASON_DELETED, "initiating delete of established Child SA" },
	{ FACT_TUNNEL_DOWN, 0, "deleting state (STATE_MAIN" },
	{ FACT_TUNNEL_DOWN, 0, "deleting state (STATE_AGGR" },
	{ FACT_TUNNEL_DOWN, 0, "deleting state (STATE_PARENT" },
	{ FACT_TUNNEL_DOWN, 0, "deleting state (STATE_V2_ESTABLISHED_IKE" },
	{ FACT_TUNNEL_DOWN, 0, "deleting ISAKMP SA" },
	{ FACT_TUNNEL_DOWN, 0, "deleting IKE SA" },
	/* The last word on an SA, its counters. */
	{ FACT_SA_DIED, REASON_UNKNOWN, "ESP traffic information:" },
	{ FACT_DPD_DEAD, 0, "DPD: *peer dead" },
	{ FACT_DPD_DEAD, 0, "*peer has not responded" },
	{ FACT_DPD_DEAD, 0, "*second timeout exceeded after " },
	{ FACT_KERNEL_LOST, 0, "*netlink response for * SA esp.%s@%b *No such process" },
	{ FACT_REKEY, 0, "initiating * to replace #" },
	{ FACT_REKEY, 0, "initiating rekey " },
	{ FACT_IKE_STARTED, 0, "Starting Pluto" },
	{ FACT_INVALID_SPI_NOTIFY, 0, "*INVALID_SPI" },
	{ FACT_INVALID_SYNTAX, 0, "*INVALID_SYNTAX" },
	{ FACT_CHILD_NOT_FOUND, 0, "*CHILD_SA_NOT_FOUND" },
	{ FACT_REKEY_COLLISION, 0, "*TEMPORARY_FAILURE" },
	{ FACT_TUNNEL_UP, 0, "*ISAKMP SA established" },
	{ FACT_TUNNEL_UP, 0, "*IKE SA established" },
	{ FACT_TUNNEL_UP, 0, "*established IKE SA" },
};

/* pluto[123]:, 003 (a control message's number); then "conn"[9] ...192.0.2.3 #36: or packet from 192.0.2.1:500: */
static bool take_head(struct text *t, struct fact *fact, bool *ret_packet)
{
	bool tagged = false, state = false;
	struct text rest, word;
	uint32_t flags = 0;

	text_take_blanks(t);
	if (text_starts(*t, TEXT("pluto"))) {
		rest = *t;
		word = text_take_until(&rest, ": \t\r\n");
		if (word.len < 24 && text_take_char(&rest, ':')) {
			tagged = true;
			*t = rest;
		}
	} else if (t->len > 4 && t->at[3] == ' ' && text_take_digits(&(struct text){ t->at, 3 }, 3, NULL, NULL)) {
		*t = text_skip(*t, 4);
	}
	text_take_blanks(t);
	if (text_take(t, TEXT("packet from "))) {
		word = text_take_word(t);
		while (word.len && word.at[word.len - 1] == ':')
			word.len--;
		fact->src = dialect_address(word, &flags);
		*ret_packet = true;
		text_take_blanks(t);
		return true;
	}
	if (!text_take_char(t, '"'))
		return tagged;
	text_take_until(t, "\"");
	if (!text_take_char(t, '"'))
		return false;
	if (text_take_char(t, '[')) {
		text_take_until(t, "]");
		text_take_char(t, ']');
	}
	/* ...192.201.82.3, 192.0.2.1, #36: or nothing but the colon */
	for (int words = 0; words < 4; words++) {
		rest = *t;
		word = text_take_word(&rest);
		if (word.len == 0)
			return tagged;
		if (word.at[0] == '#' || word.at[word.len - 1] == ':') {
			bool last = word.at[word.len - 1] == ':';

			if (word.at[0] == '#') {
				state = true;
			} else if (word.len > 1) {
				word.len--;
				fact->src = dialect_address(word, &flags);
			}
			*t = rest;
			text_take_blanks(t);
			if (last)
				return tagged || state; /* "key": value is anyone's */
			continue;
		}
		while (word.len && word.at[0] == '.')
			word = text_skip(word, 1);
		fact->src = dialect_address(word, &flags);
		*t = rest;
	}
	return tagged;
}

/* {ESP=>0xae76fd3b <0x12345678 xfrm=..}, {ESP/NAT=>..}, {ESPinUDP/ESN=>..}, {ESP <0xae76fd3b}, {AH=>..} */
static bool read_braces(struct text t, struct fact *fact)
{
	size_t at = text_find_char(t, '{');
	struct text name, spi;

	if (at == TEXT_NOT_FOUND)
		return false;
	t = text_skip(t, at + 1);
	name = text_take_until(&t, "=< }");
	if (text_starts(name, TEXT("ESP")))
		fact->protocol = SPIMEND_PROTOCOL_ESP;
	else if (text_starts(name, TEXT("AH")))
		fact->protocol = SPIMEND_PROTOCOL_AH;
	else
		return false;
	if (text_has(name, TEXT("NAT")) || text_has(name, TEXT("inUDP")) || text_has(name, TEXT("inTCP"))) {
		fact->encap_udp = true;
		fact->flags |= FLAG_NAT_T;
	}
	if (text_take(&t, TEXT("=>")) && dialect_take_spi(&t, &fact->spi_out))
		fact->has |= FACT_HAS_SPI_OUT;
	text_take_blanks(&t);
	/* Digits at the very end may be cut. */
	spi = t;
	if (text_take_char(&spi, '<') && dialect_take_spi(&spi, &fact->spi) && spi.len)
		fact->has |= FACT_HAS_SPI;
	return fact->has & (FACT_HAS_SPI | FACT_HAS_SPI_OUT);
}

enum dialect_result dialect_libreswan_read(struct text body, struct reading *ret)
{
	struct text line = dialect_first_line(body), t = line;
	struct fact head = fact_of(FACT_NONE, DIALECT_LIBRESWAN), fact;
	struct parse_failure failure;
	bool packet = false;
	size_t used;

	*ret = (struct reading){ 0 };
	if (!take_head(&t, &head, &packet) || t.len == 0 || t.at[0] == '|') /* '|' marks debug lines */
		return DIALECT_NOT_MINE;
	if (packet) {
		if (!text_has(t, TEXT("no corresponding IKE SA")) && !text_has(t, TEXT("unknown (expired?) SA")))
			return DIALECT_NOT_MINE;
		head.kind = FACT_NO_IKE_SA;
		ret->fact = head;
		return dialect_read_to(ret, line.len);
	}
	fact = head;
	fact.kind = FACT_SA_BORN;
	if (read_braces(t, &fact)) {
		ret->fact = fact;
		return dialect_read_to(ret, line.len);
	}
	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++) {
		if (!dialect_form_may(phrases[i].form, t))
			continue;
		fact = head;
		fact.kind = phrases[i].kind;
		fact.reason = phrases[i].reason;
		if (dialect_form_read(phrases[i].form, line, t, &fact, &used, &failure) == FORM_READ) {
			ret->fact = fact;
			return dialect_read_to(ret, line.len);
		}
	}
	return DIALECT_NOT_MINE;
}
