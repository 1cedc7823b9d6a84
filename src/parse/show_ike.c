/* SPDX-License-Identifier: MIT */
#include "parse/show_ike.h"

#include "parse/dialect.h"

/* Lines of the outputs that tell us nothing more. */
static const char *const ballast[] = {
	"Encr:", "CE id", "Session-id", "Status Description", "Local id", "Remote id", "Local req", "Local next", "Local window",
	"DPD configured", "Fragmentation", "Dynamic Route", "Extended Auth", "NAT-T", "Cisco Trust", "Initiator of SA", "Pushed",
	"Remote subnets", "PEER TYPE", "Child sa", "local selector", "remote selector", "ESP spi", "AH spi", "CPI in", "Encr", "PQC",
	"IPv4 Crypto", "IPv6 Crypto", "IKEv2 SAs", "IKEv1 SAs", "IPv4 ", "dst ", "C-id", "Codes:", "D - ", "T - ", "X - ", "K - ",
	"F - ", "psk -", "renc -", "N - ", "R - ", "IKE Mode", "Engine-id", "Active SA", "Rekey SA", "Total IKE", "There are no",
	"Type", "Rekey", "Encrypt", "Auth", "Hash", "Life", "esp_hmac", "ah_hmac", "Internal", "Quantum", "DH Grp", "Assigned",
	"Load for", "Time source", "Post NATed", "Local-id", "Remote-id", "SGT",
};

static bool is_ballast(struct text t)
{
	return show_starts_any(t, ballast, sizeof(ballast) / sizeof(ballast[0]));
}

bool show_ikev2_starts(struct text t)
{
	return text_starts(t, TEXT("IPv4 Crypto IKEv2")) || text_starts(t, TEXT("IPv6 Crypto IKEv2")) ||
	       text_starts(t, TEXT("IKEv2 SAs:")) || text_starts(t, TEXT("Tunnel-id"));
}

bool show_isakmp_starts(struct text t)
{
	struct text rest = t;

	if (text_starts(t, TEXT("IPv4 Crypto ISAKMP SA")) || text_starts(t, TEXT("IPv6 Crypto ISAKMP SA")) ||
	    text_starts(t, TEXT("IKEv1 SAs:")))
		return true;
	return text_take(&rest, TEXT("dst ")) && text_equal(text_take_word(&rest), TEXT("src")) &&
	       text_equal(text_take_word(&rest), TEXT("state"));
}

static bool close_sa(struct show_ike *s, struct saved_record *ret)
{
	bool any = s->line && (spimend_address_known(&s->ike.local) || spimend_address_known(&s->ike.remote));

	if (any)
		*ret = (struct saved_record){ .kind = SAVED_IKE, .line = s->line, .ike = s->ike };
	s->line = 0;
	return any;
}

bool show_ike_end(struct show_ike *s, struct saved_record *ret)
{
	return close_sa(s, ret);
}

static enum show_result open_sa(struct show_ike *s, struct saved_ike ike, uint32_t number, struct saved_record *ret)
{
	bool closed = close_sa(s, ret);

	s->ike = ike;
	s->line = number;
	return closed ? SHOW_RECORD : SHOW_TAKEN;
}

static enum show_result bad(struct saved_record *ret, uint32_t number, const char *reason)
{
	*ret = (struct saved_record){ .line = number, .reason = reason };
	return SHOW_BAD;
}

/* ---- IKEv2 ---- */

static enum saved_ike_state ikev2_state(struct text word)
{
	if (text_equal(word, TEXT("READY")) || text_equal(word, TEXT("REKEY")))
		return SAVED_IKE_UP;
	return text_starts(word, TEXT("DELETE")) ? SAVED_IKE_DELETED : SAVED_IKE_OTHER;
}

/* "3 30.30.30.30/4500 20.20.20.20/4500 none/none READY", ASA with the role behind and no vrf, IPv6 "1 none/none READY".
 * Rows start with a number; so do IPv4 subnets, which have dots. */
static enum show_result ikev2_row(struct show_ike *s, struct text t, uint32_t number, struct saved_record *ret)
{
	struct saved_ike ike = { .version = 2 };
	struct text word = text_take_word(&t);

	if (!show_number(word, &ike.id))
		return SHOW_NOTHING;
	word = text_take_word(&t);
	if (show_address_port(word, &ike.local, &ike.local_port)) {
		if (!show_address_port(text_take_word(&t), &ike.remote, &ike.remote_port))
			return bad(ret, number, "an IKEv2 SA without its remote address");
		word = text_take_word(&t);
	}
	if (text_find_char(word, '/') != TEXT_NOT_FOUND) /* fvrf/ivrf */
		word = text_take_word(&t);
	if (word.len == 0)
		return bad(ret, number, "an IKEv2 SA without its status");
	ike.state = ikev2_state(word);
	return open_sa(s, ike, number, ret);
}

/* "Local spi: 1F7B76961C3A77ED Remote spi: 1298FDE074BD724C" */
static void read_spis(struct show_ike *s, struct text t)
{
	uint64_t local, remote;

	text_take_blanks(&t);
	if (text_hex64(text_take_word(&t), &local) != 0)
		return;
	text_take_blanks(&t);
	if (!text_take(&t, TEXT("Remote spi:")) || text_hex64(text_take_word(&t), &remote) != 0)
		return;
	s->ike.has_spis = true;
	s->ike.spi_local = local;
	s->ike.spi_remote = remote;
}

enum show_result show_ikev2_line(struct show_ike *s, struct text t, uint32_t number, struct saved_record *ret)
{
	struct spimend_address a;
	uint16_t port = 0;
	struct text rest = t, subnet;

	if (t.len == 0)
		return SHOW_TAKEN;
	if (text_starts(t, TEXT("Tunnel-id")))
		return close_sa(s, ret) ? SHOW_RECORD : SHOW_TAKEN;
	if (s->line && text_take(&rest, TEXT("Local spi:"))) {
		read_spis(s, rest);
		return SHOW_TAKEN;
	}
	if (s->line && text_take(&rest, TEXT("Local ")) && show_address_port(text_take_word(&rest), &a, &port)) {
		s->ike.local = a;
		s->ike.local_port = port;
		return SHOW_TAKEN;
	}
	rest = t;
	port = 0;
	if (s->line && text_take(&rest, TEXT("Remote ")) && show_address_port(text_take_word(&rest), &a, &port)) {
		s->ike.remote = a;
		s->ike.remote_port = port;
		return SHOW_TAKEN;
	}
	if (is_ballast(t))
		return SHOW_TAKEN;
	rest = t;
	subnet = text_take_word(&rest);
	if (spimend_address_parse(subnet.at, subnet.len, &a) == 0) /* "10.0.0.0 255.0.0.0" below "Remote subnets:" */
		return SHOW_TAKEN;
	return ikev2_row(s, t, number, ret);
}

/* ---- IKEv1 ---- */

static enum saved_ike_state isakmp_state(struct text state, struct text behind)
{
	if (text_has(behind, TEXT("deleted")))
		return SAVED_IKE_DELETED;
	if (text_equal(state, TEXT("QM_IDLE")) || text_has(state, TEXT("MM_ACTIVE")) || text_has(state, TEXT("AM_ACTIVE")))
		return SAVED_IKE_UP;
	return text_has(state, TEXT("NO_STATE")) ? SAVED_IKE_DELETED : SAVED_IKE_OTHER;
}

/* ASA: "1   IKE Peer: 192.168.1.1", then "Rekey : no   State : MM_ACTIVE" */
static enum show_result asa_ikev1(struct show_ike *s, struct text t, uint32_t number, struct saved_record *ret)
{
	struct saved_ike ike = { .version = 1 };
	size_t at = text_find(t, TEXT("IKE Peer:"));

	if (at != TEXT_NOT_FOUND) {
		struct text rest = text_skip(t, at + 9);

		ike.remote = dialect_address(text_take_word(&rest), NULL);
		if (!spimend_address_known(&ike.remote))
			return bad(ret, number, "an IKEv1 SA without its peer's address");
		s->by_peer = true;
		return open_sa(s, ike, number, ret);
	}
	at = text_find(t, TEXT("State"));
	if (s->by_peer && s->line && at != TEXT_NOT_FOUND) {
		struct text rest = text_skip(t, at + 5);

		text_take_blanks(&rest);
		text_take_char(&rest, ':');
		s->ike.state = isakmp_state(text_trim(rest), TEXT_NONE);
		return SHOW_TAKEN;
	}
	return is_ballast(t) ? SHOW_TAKEN : SHOW_NOTHING;
}

/* "29609 100.0.10.2  100.13.220.2  RED  ACTIVE aes  sha ..." */
static enum show_result isakmp_detail(struct show_ike *s, struct text t, uint32_t number, struct saved_record *ret)
{
	struct saved_ike ike = { .version = 1, .state = SAVED_IKE_OTHER };
	struct text word = text_take_word(&t);

	if (!show_number(word, &ike.id))
		return SHOW_NOTHING;
	if (!show_address_port(text_take_word(&t), &ike.local, &ike.local_port) ||
	    !show_address_port(text_take_word(&t), &ike.remote, &ike.remote_port))
		return bad(ret, number, "an IKEv1 SA without its two addresses");
	for (int i = 0; i < 2; i++) { /* the VRF may be missing */
		word = text_take_word(&t);
		if (text_equal(word, TEXT("ACTIVE")))
			ike.state = SAVED_IKE_UP;
	}
	return open_sa(s, ike, number, ret);
}

/* "100.0.10.2  100.13.220.2  QM_IDLE  29609 ACTIVE (deleted)": destination, source */
static enum show_result isakmp_row(struct show_ike *s, struct text t, uint32_t number, struct saved_record *ret)
{
	struct saved_ike ike = { .version = 1, .undirected = true };
	struct text state;

	if (!show_address_port(text_take_word(&t), &ike.local, &ike.local_port))
		return SHOW_NOTHING;
	if (!show_address_port(text_take_word(&t), &ike.remote, &ike.remote_port))
		return bad(ret, number, "an IKEv1 SA without its source address");
	state = text_take_word(&t);
	if (state.len == 0)
		return bad(ret, number, "an IKEv1 SA without its state");
	show_number(text_take_word(&t), &ike.id);
	ike.state = isakmp_state(state, t);
	return open_sa(s, ike, number, ret);
}

enum show_result show_isakmp_line(struct show_ike *s, struct text t, uint32_t number, struct saved_record *ret)
{
	enum show_result result;

	if (t.len == 0)
		return SHOW_TAKEN;
	if (text_starts(t, TEXT("C-id")))
		s->detail = true;
	if (text_starts(t, TEXT("dst ")))
		s->detail = false;
	if (s->by_peer || text_has(t, TEXT("IKE Peer:")))
		return asa_ikev1(s, t, number, ret);
	result = s->detail ? isakmp_detail(s, t, number, ret) : isakmp_row(s, t, number, ret);
	if (result == SHOW_NOTHING && is_ballast(t))
		return SHOW_TAKEN;
	return result;
}
