/* SPDX-License-Identifier: MIT */
/*
 * Cisco ASA and FTD. The six digits of a message name its form; 7110nn carry debug lines as text.
 * syslog.md 5. At most one 4021nn in 5 s is stated for 402116 to 402120 and taken for 402114 too.
 */
#include "parse/dialect_form.h"

#define ANY_ID 0

static const struct message {
	unsigned id;
	enum fact_kind kind;
	enum fact_reason reason;
	uint32_t flags;
	const char *form;
} messages[] = {
	{ 402114, FACT_STRAY, 0, 0,
		"|IPSEC:~Received an %p packet (SPI~=~%s{,~sequence number~=~%q}) from %a{ (*)} to %b with an invalid SPI" },
	{ 402115, FACT_SELECTOR, 0, 0, "|IPSEC:~Received a packet from %a to %b containing %w data instead of %w data" },
	{ 402116, FACT_SELECTOR, 0, 0,
		"|IPSEC:~Received an %p packet (SPI~=~%s{,~sequence number~=~%q}) from %a{ (*)} to %b.~The decapsulated inner "
		"packet" },
	{ 402117, FACT_NOT_IPSEC, 0, 0, "|IPSEC:~Received a non-IPSec packet (*) from %a to %b" },
	/* An illegal fragment inside: the SA was found, what it carried is refused. */
	{ 402118, FACT_SELECTOR, 0, 0,
		"|IPSEC:~Received an %p packet (SPI~=~%s{,~sequence number~{=}~%q}) from %a{ (*)} to %b containing an illegal IP "
		"fragment" },
	{ 402119, FACT_REPLAY, 0, 0,
		"|IPSEC:~Received an %p packet (SPI~=~%s{,~sequence number~=~%q}) from %a{ (*)} to %b that failed anti-replay" },
	{ 402120, FACT_INTEGRITY, 0, 0,
		"|IPSEC:~Received an %p packet (SPI~=~%s{,~sequence number~=~%q}) from %a{ (*)} to %b that failed" },
	{ 602303, FACT_SA_BORN, 0, 0, "IPSEC:~An inbound |*SA (SPI~=~%s) between %b and %a{ (*)} has been created" },
	{ 602303, FACT_SA_BORN, 0, 0, "IPSEC:~An outbound |*SA (SPI~=~%o) between %b and %a{ (*)} has been created" },
	{ 602304, FACT_SA_DIED, REASON_DELETED, 0, "IPSEC:~An inbound |*SA (SPI~=~%s) between %b and %a{ (*)} has been deleted" },
	{ 602304, FACT_SA_DIED, REASON_DELETED, 0,
		"IPSEC:~An outbound |*SA (SPI~=~%o) between %b and %a{ (*)} has been deleted" },
	{ 702305, FACT_REKEY, 0, 0, "IPSEC:~An inbound |*SA (SPI~=~%s) between %b and %a{ (*)} is rekeying" },
	{ 702305, FACT_REKEY, 0, 0, "IPSEC:~An outbound |*SA (SPI~=~%o) between %b and %a{ (*)} is rekeying" },
	{ 702307, FACT_REKEY, 0, 0, "IPSEC:~An inbound |*SA (SPI~=~%s) between %b and %a{ (*)} is rekeying" },
	{ 702307, FACT_REKEY, 0, 0, "IPSEC:~An outbound |*SA (SPI~=~%o) between %b and %a{ (*)} is rekeying" },
	{ 713049, FACT_SA_BORN, 0, 0, "*IP~=~%a,~Security negotiation complete|*Inbound SPI~=~%s,~Outbound SPI~=~%o" },
	{ 713049, FACT_SA_BORN, 0, 0, "*Security negotiation complete|*Inbound SPI~=~%s,~Outbound SPI~=~%o" },
	{ 713050, FACT_TUNNEL_DOWN, 0, 0, "*IP~=~%a,~Connection terminated for peer" },
	{ 713050, FACT_TUNNEL_DOWN, 0, 0, "*Connection terminated for peer %a" },
	{ 713119, FACT_TUNNEL_UP, 0, 0, "*IP~=~%a,~PHASE 1 COMPLETED" },
	{ 713123, FACT_DPD_DEAD, 0, 0, "*IP~=~%a,~IKE lost contact with remote peer" },
	{ 750006, FACT_TUNNEL_UP, 0, 0, "Local:~%b Remote:~%a *SA UP" },
	{ 750007, FACT_TUNNEL_DOWN, 0, 0, "Local:~%b Remote:~%a *SA DOWN" },
	/* CSCvx23833: the SPI that comes in over PF_KEY is printed with its bytes swapped. The value is given as printed;
	 * the flag says that it may have to be read backwards. */
	{ ANY_ID, FACT_INVALID_SPI_NOTIFY, 0, FLAG_SPI_SWAPPED, "*Received PFKEY Invalid SPI for SPI| %s" },
	{ ANY_ID, FACT_SA_DIED, REASON_DELETED, FLAG_SPI_SWAPPED, "*Received PFKEY delete SA for SPI| %s" },
	{ ANY_ID, FACT_SA_BORN, 0, 0, "*IPSEC:~Completed inbound permit rule,~SPI|~%s" },
	{ ANY_ID, FACT_SA_BORN, 0, 0, "*IPSEC:~Completed host IBSA update,~SPI|~%s" },
	{ ANY_ID, FACT_SA_BORN, 0, 0, "*IPSEC:~Completed host OBSA update,~SPI|~%o" },
	{ ANY_ID, FACT_INVALID_SPI_NOTIFY, 0, 0, "*Sending INVALID_SPI notify" },
	{ ANY_ID, FACT_INVALID_SPI_NOTIFY, 0, 0, "*INVALID_SPI notify" },
};

/* %ASA-4-402114: and %ASA-vpn-4-402114:, the part before the text. */
static bool take_head(struct text *t, unsigned *ret_id)
{
	struct text rest = *t, head;
	uint64_t id;

	if (!text_take(&rest, TEXT("%ASA-")) && !text_take(&rest, TEXT("%FTD-")) && !text_take(&rest, TEXT("%PIX-")))
		return false;
	head = text_take_until(&rest, ": \t\r\n");
	if (head.len < 8 || head.len > 40 || head.at[head.len - 7] != '-' ||
		text_decimal(text_skip(head, head.len - 6), 999999, &id) != 0)
		return false;
	text_take_blanks(&rest); /* "%ASA-4-402114 :" was seen with other mnemonics */
	text_take_char(&rest, ':');
	text_take_blanks(&rest);
	*t = rest;
	*ret_id = (unsigned)id;
	return true;
}

static bool id_is_ours(unsigned id)
{
	if (id >= 711001 && id <= 711002)
		return true;
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
		if (messages[i].id == id)
			return true;
	return false;
}

/* 6023nn says between local and remote; the user of a LAN-to-LAN SA is the remote address, whatever the order. */
static void put_peer_first(struct fact *fact, struct text t)
{
	size_t at = text_find(t, TEXT("(user="));
	struct spimend_address user;
	struct text name;

	if (at == TEXT_NOT_FOUND)
		return;
	name = text_skip(t, at + 6);
	text_take_blanks(&name);
	user = dialect_address(text_take_until(&name, ") \t\r\n"), NULL);
	if (spimend_address_known(&user) && spimend_address_equal(&user, &fact->dst)) {
		fact->dst = fact->src;
		fact->src = user;
	}
}

/* 402116 goes on about the inner packet and the SA's selectors. */
static size_t selector_tail(struct text body, size_t used)
{
	size_t end = text_find(text_skip(body, used), TEXT("remote_proxy as "));
	struct text rest;

	if (end == TEXT_NOT_FOUND)
		return used;
	rest = text_skip(body, used + end + 16);
	text_take_word(&rest);
	return body.len - rest.len;
}

enum dialect_result dialect_asa_read(struct text body, struct reading *ret)
{
	struct text t = body;
	struct parse_failure failure, first = { 0 };
	enum form_result worst = FORM_OTHER;
	unsigned id;

	*ret = (struct reading){ 0 };
	if (!take_head(&t, &id) || !id_is_ours(id))
		return DIALECT_NOT_MINE;
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		const struct message *m = &messages[i];
		enum form_result result;
		struct fact fact;

		if (m->id != id && (m->id != ANY_ID || id / 1000 != 711))
			continue;
		fact = fact_of(m->kind, DIALECT_ASA);
		fact.reason = m->reason;
		fact.flags = m->flags;
		result = dialect_form_read(m->form, body, t, &fact, &ret->used, &failure);
		if (result == FORM_READ) {
			ret->fact = fact;
			if (id == 602303 || id == 602304)
				put_peer_first(&ret->fact, text_first(t, ret->used - (body.len - t.len)));
			if (id == 402116)
				ret->used = selector_tail(body, ret->used);
			if (ret->used < body.len && body.at[ret->used] == '.')
				ret->used++;
			return dialect_read_to(ret, ret->used);
		}
		if (result != FORM_OTHER && worst == FORM_OTHER) {
			worst = result;
			first = failure;
			ret->fact = fact;
		}
	}
	if (worst == FORM_OTHER)
		return DIALECT_NOT_MINE;
	if (worst == FORM_WRONG)
		ret->fact = (struct fact){ 0 };
	return dialect_fail(ret, worst == FORM_CUT ? DIALECT_MORE : DIALECT_BAD, first.reason, first.offset);
}
