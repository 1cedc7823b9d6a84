/* SPDX-License-Identifier: MIT */
/*
 * charon's log lines, with the syslog tag, the thread and the connection in front or bare:
 *
 *     charon[61694]: 06[IKE] <net|490> CHILD_SA net{1} established with SPIs c1234567_i cabcdef0_o and TS ...
 *
 * strongswan.md 3. Its SPIs are hex without 0x, as on the wire; _i is charon's own, _o the peer's. A DELETE that came
 * in names the peer's inbound SPI, which is this end's outbound one.
 *
 * User-space ESP tells of a stray in two lines, of which the first is printed for every packet and the second names
 * nothing: "parsed ESP header with SPI a209d483 [seq 1]", "inbound ESP packet does not belong to an installed SA". A
 * reader without memory cannot join them. For the first it answers DIALECT_NOT_MINE and leaves SPI and sequence number
 * in ret->fact, kind FACT_NONE, for a caller who wants to give them to the second when that is the very next line of
 * the same thread.
 */
#include "parse/dialect_form.h"

static const struct line {
	enum fact_kind kind;
	enum fact_reason reason;
	const char *form;
} lines[] = {
	{ FACT_SA_BORN, 0, "CHILD_SA *established with SPIs %s_i %o_o" },
	{ FACT_SA_BORN, 0, "inbound CHILD_SA *established with SPIs %s_i %o_o" },
	{ FACT_SA_BORN, 0, "outbound CHILD_SA *established with SPIs %s_i %o_o" },
	{ FACT_REKEY, 0, "CHILD_SA * state change: * => REKEY" },
	{ FACT_SA_DIED, REASON_EXPIRED, "closing expired CHILD_SA * with SPIs %s_i{ (*)} %o_o" },
	{ FACT_SA_DIED, REASON_DELETED, "closing CHILD_SA * with SPIs %s_i{ (*)} %o_o" },
	/* The old pair; inbound it goes on accepting for delete_rekeyed_delay (strongswan.md 4). */
	{ FACT_SA_DIED, REASON_REKEYED, "rekeyed CHILD_SA * with SPIs %s_i{ (*)} %o_o with " },
	{ FACT_SA_DIED, REASON_EXPIRED, "scheduling CHILD_SA recreate after hard expire" },
	/* The SA's own destination, whichever direction it had. */
	{ FACT_SA_DIED, REASON_EXPIRED, "creating delete job for CHILD_SA ESP/%s/%b" },
	{ FACT_SA_DIED, REASON_EXPIRED, "creating delete job for CHILD_SA AH/%s/%b" },
	{ FACT_REKEY, 0, "creating rekey job for CHILD_SA " },
	{ FACT_DELETE_UNKNOWN, 0, "received DELETE for unknown %p CHILD_SA with SPI %o" },
	{ FACT_SA_DIED, REASON_DELETED, "received DELETE for %p CHILD_SA with SPI %o" },
	{ FACT_SA_DIED, REASON_DELETED, "sending DELETE for %p CHILD_SA with SPI %s" },
	{ FACT_CHILD_NOT_FOUND, 0, "peer didn't find the CHILD_SA we tried to rekey" },
	{ FACT_CHILD_NOT_FOUND, 0, "received CHILD_SA_NOT_FOUND" },
	{ FACT_REKEY_COLLISION, 0, "received TEMPORARY_FAILURE" },
	{ FACT_INVALID_SPI_NOTIFY, 0, "received INVALID_SPI" },
	{ FACT_INVALID_SYNTAX, 0, "received INVALID_SYNTAX" },
	{ FACT_INITIAL_CONTACT, 0, "destroying duplicate IKE_SA for peer *, received INITIAL_CONTACT" },
	{ FACT_TUNNEL_DOWN, 0, "deleting IKE_SA *between %b[*]...%a[" },
	{ FACT_TUNNEL_UP, 0, "IKE_SA *established between %b[*]...%a[" },
	{ FACT_DPD_DEAD, 0, "giving up after * retransmits" },
	{ FACT_DPD_DEAD, 0, "peer not responding" },
	{ FACT_DPD_DEAD, 0, "DPD check timed out" },
	{ FACT_KERNEL_LOST, 0, "querying SAD entry with SPI %s*failed: No such process" },
	{ FACT_KERNEL_LOST, 0, "unable to * SAD entry with SPI %s*: No such process" },
	{ FACT_IKE_STARTED, 0, "Starting IKE*charon*" },
	{ FACT_IKE_STARTED, 0, "Starting charon" },
	{ FACT_STRAY, 0, "inbound ESP packet does not belong to an installed SA" },
};

/* Notifies in "parsed INFORMATIONAL request 3 [ N(INVAL_SPI) ]". What this end says of itself is no news of the peer. */
static const struct notify {
	enum fact_kind kind;
	bool parsed_only;
	const char *name;
} notifies[] = {
	{ FACT_INVALID_SPI_NOTIFY, false, "N(INVAL_SPI)" },
	{ FACT_INVALID_SYNTAX, false, "N(INVAL_SYN)" },
	{ FACT_REKEY_COLLISION, false, "N(TEMP_FAIL)" },
	{ FACT_CHILD_NOT_FOUND, true, "N(NO_CHILD_SA)" },
	{ FACT_CHILD_NOT_FOUND, true, "N(CHILD_SA_NOT_FOUND)" },
	{ FACT_INITIAL_CONTACT, true, "N(INIT_CONTACT)" },
	{ FACT_INITIAL_CONTACT, true, "N(INITIAL_CONTACT)" },
	{ FACT_REKEY, false, "N(REKEY_SA)" },
};

/* 06[IKE] */
static bool is_thread(struct text t)
{
	size_t n = 0;

	while (n < t.len && n < 3 && char_is_digit(t.at[n]))
		n++;
	return n >= 2 && t.len > n + 4 && t.at[n] == '[' && t.at[n + 1] >= 'A' && t.at[n + 1] <= 'Z' && t.at[n + 4] == ']';
}

/* Takes the tag, the thread and the connection off, each where it is. */
static void take_head(struct text *t)
{
	static const char *const names[] = { "charon", "ipsec", "strongswan", "swanctl", "starter" };
	bool named = false;

	text_take_blanks(t);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		named = named || text_starts(*t, text_of(names[i]));
	if (named) {
		struct text rest = *t, head;

		/* The thread, wherever the framing of the day puts it: "charon 61694 - [meta ..] 06[IKE]". */
		for (size_t n = 0; n < 120 && rest.len && !is_thread(rest); n++)
			rest = text_skip(rest, 1);
		if (is_thread(rest)) {
			*t = rest;
		} else {
			rest = *t;
			head = text_take_until(&rest, ": \t\r\n");
			if (head.len < 40 && text_take_char(&rest, ':'))
				*t = rest;
		}
	}
	if (is_thread(*t))
		*t = text_skip(*t, text_find_char(*t, ']') + 1);
	text_take_blanks(t);
	if (t->len && t->at[0] == '<') {
		size_t end = text_find_char(text_first(*t, 160), '>');

		if (end != TEXT_NOT_FOUND)
			*t = text_skip(*t, end + 1);
	}
	text_take_blanks(t);
}

static enum fact_kind notify_kind(struct text t)
{
	bool parsed = text_take(&t, TEXT("parsed "));

	if (!parsed && !text_take(&t, TEXT("generating ")))
		return FACT_NONE;
	for (size_t i = 0; i < sizeof(notifies) / sizeof(notifies[0]); i++)
		if ((parsed || !notifies[i].parsed_only) && text_has(t, text_of(notifies[i].name)))
			return notifies[i].kind;
	return FACT_NONE;
}

static struct fact blank_fact(enum fact_kind kind, enum fact_reason reason)
{
	struct fact fact = fact_of(kind, DIALECT_STRONGSWAN);

	fact.reason = reason;
	if (kind == FACT_STRAY || kind == FACT_SA_BORN)
		fact.protocol = SPIMEND_PROTOCOL_ESP;
	return fact;
}

enum dialect_result dialect_strongswan_read(struct text body, struct reading *ret)
{
	struct text line = dialect_first_line(body), t = line;
	struct parse_failure failure;
	struct fact fact;
	enum fact_kind kind;
	size_t used;

	*ret = (struct reading){ 0 };
	take_head(&t);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (!dialect_form_may(lines[i].form, t))
			continue;
		fact = blank_fact(lines[i].kind, lines[i].reason);
		if (dialect_form_read(lines[i].form, line, t, &fact, &used, &failure) == FORM_READ) {
			ret->fact = fact;
			return dialect_read_to(ret, line.len);
		}
	}
	kind = notify_kind(t);
	if (kind == FACT_NONE && text_has(t, TEXT("collision")) && text_has(t, TEXT("CHILD_")))
		kind = FACT_REKEY_COLLISION; /* "CHILD_REKEY collision ...": the words around it vary */
	if (kind != FACT_NONE) {
		ret->fact = blank_fact(kind, REASON_UNKNOWN);
		return dialect_read_to(ret, line.len);
	}
	/* T9: ESP in UDP that was taken for IKE, or a scan of UDP 4500: no IKE, and no ESP that anyone counted. */
	if (!text_starts(t, TEXT("received ")) && !text_starts(t, TEXT("parsed ")))
		return DIALECT_NOT_MINE;
	fact = blank_fact(FACT_NOT_IPSEC, REASON_UNKNOWN);
	if (dialect_form_read("received unsupported IKE version %w from %a", line, t, &fact, &used, &failure) == FORM_READ) {
		fact.encap_udp = true;
		fact.flags |= FLAG_NAT_T;
		ret->fact = fact;
		return dialect_read_to(ret, line.len);
	}
	fact = blank_fact(FACT_NONE, REASON_UNKNOWN);
	if (dialect_form_read("parsed ESP header with SPI %s{ [seq %q]}", line, t, &fact, &used, &failure) == FORM_READ) {
		fact.protocol = SPIMEND_PROTOCOL_ESP;
		ret->fact = fact;
		ret->used = line.len;
	}
	return DIALECT_NOT_MINE;
}
