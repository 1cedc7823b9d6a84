/* SPDX-License-Identifier: MIT */
#include "parse/show_session.h"

#include "parse/dialect.h"

static const char *const ballast[] = {
	"Crypto session", "Code:", "K - ", "X - ", "R - ", "S - ", "F - ", "D - ", "N - ", "T - ", "C - ", "U - ", "Username:", "Profile:",
	"Group:", "Assigned", "Uptime:", "Phase1_id", "Desc:", "Session ID", "Capabilities", "Inbound:", "Outbound:", "System IP",
	"Load for", "Time source",
};

bool show_session_starts(struct text t)
{
	return text_starts(t, TEXT("Crypto session current status")) || text_starts(t, TEXT("Code: C - IKE Configuration mode"));
}

bool show_session_end(struct show_session *s, struct saved_record *ret)
{
	bool any = s->line && s->peer_seen;

	if (any)
		*ret = (struct saved_record){ .kind = SAVED_SESSION, .line = s->line, .session = s->session };
	*s = (struct show_session){ 0 };
	return any;
}

static enum saved_session_status status_of(struct text t)
{
	t = text_trim(t);
	if (text_starts(t, TEXT("UP-ACTIVE")))
		return SESSION_UP_ACTIVE;
	if (text_starts(t, TEXT("UP-IDLE")))
		return SESSION_UP_IDLE;
	if (text_starts(t, TEXT("UP-NO-IKE")))
		return SESSION_UP_NO_IKE;
	return text_starts(t, TEXT("DOWN")) ? SESSION_DOWN : SESSION_OTHER;
}

/* "Peer: 10.1.1.2 port 500 fvrf: (none) ivrf: (none)" */
static enum show_result read_peer(struct show_session *s, struct text t, uint32_t number, struct saved_record *ret)
{
	uint64_t port;

	s->session.peer = dialect_address(text_take_word(&t), NULL);
	if (!spimend_address_known(&s->session.peer)) {
		*ret = (struct saved_record){ .line = number, .reason = "a session without its peer's address" };
		return SHOW_BAD;
	}
	s->peer_seen = true;
	text_take_blanks(&t);
	if (text_take(&t, TEXT("port ")) && text_decimal(text_take_word(&t), UINT16_MAX, &port) == 0)
		s->session.peer_port = (uint16_t)port;
	return SHOW_TAKEN;
}

/* "IKEv2 SA: local 10.1.1.1/500 remote 10.1.1.2/500 Active"; with IPv6 the remote end stands on the next line */
static void read_ike(struct show_session *s, struct text t)
{
	size_t at = text_find(t, TEXT("local "));
	uint16_t port = 0;

	if (at != TEXT_NOT_FOUND) {
		struct text rest = text_skip(t, at + 6);

		show_address_port(text_take_word(&rest), &s->session.local, &port);
	}
	s->want_remote = !text_has(t, TEXT("remote "));
	t = text_trim(t);
	if (text_ends(t, TEXT(" Active")))
		s->session.ike_active++;
}

enum show_result show_session_line(struct show_session *s, struct text t, uint32_t number, struct saved_record *ret)
{
	struct text rest = t;
	bool closed;

	if (t.len == 0)
		return SHOW_TAKEN;
	if (text_take(&rest, TEXT("Interface:"))) {
		closed = show_session_end(s, ret);
		s->line = number;
		return closed ? SHOW_RECORD : SHOW_TAKEN;
	}
	if (!s->line)
		s->line = number;
	if (text_take(&rest, TEXT("Session status:"))) {
		s->session.status = status_of(rest);
	} else if (text_take(&rest, TEXT("Peer:"))) {
		/* A second peer of the same interface: a session of its own. */
		struct saved_session session = { .status = s->session.status };

		closed = s->peer_seen && show_session_end(s, ret);
		if (closed)
			*s = (struct show_session){ .session = session, .line = number };
		if (read_peer(s, rest, number, closed ? &(struct saved_record){ 0 } : ret) == SHOW_BAD && !closed)
			return SHOW_BAD;
		return closed ? SHOW_RECORD : SHOW_TAKEN;
	} else if (text_take(&rest, TEXT("IKE SA:")) || text_take(&rest, TEXT("IKEv1 SA:")) || text_take(&rest, TEXT("IKEv2 SA:"))) {
		read_ike(s, rest);
	} else if (s->want_remote && text_starts(t, TEXT("remote "))) {
		s->want_remote = false;
		if (text_ends(t, TEXT(" Active")))
			s->session.ike_active++;
	} else if (text_starts(t, TEXT("IPSEC FLOW:"))) {
		s->session.flows++;
	} else if (text_take(&rest, TEXT("Active SAs:"))) {
		uint64_t sas;

		text_take_blanks(&rest);
		if (text_take_digits(&rest, 9, &sas, NULL)) {
			s->session.active_sas += (uint32_t)sas;
			s->session.flows_without_sas += sas == 0;
		}
	} else if (!show_starts_any(t, ballast, sizeof(ballast) / sizeof(ballast[0]))) {
		return SHOW_NOTHING;
	}
	return SHOW_TAKEN;
}
