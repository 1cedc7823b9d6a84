/* SPDX-License-Identifier: MIT */
#include "parse/xfrm_text.h"

/* What holds keys: never looked into. */
static const char *const secrets[] = { "auth ", "auth-trunc ", "enc ", "aead ", "comp ", "crypt " };

static const char *const ballast[] = {
	"replay", "lifetime ", "limit:", "expire ", "stats:", "security context", "coa ", "sel ", "extra_flag", "output-mark",
	"crypto offload", "tfcpad", "flag ", "esn", "nat keepalive", "pcpu", "uid ", "seq ", "oseq ", "(sec)", "use ", "last used",
	"proto ", "if_id", "set ", "encap ", "mark ", "dir ", "anti-replay", "add ", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9",
};

static bool take_ends(struct text t, struct saved_state *ret)
{
	struct text word;

	if (!text_take(&t, TEXT("src ")))
		return false;
	word = text_take_word(&t);
	if (spimend_address_parse(word.at, word.len, &ret->src) != 0 || !text_equal(text_take_word(&t), TEXT("dst")))
		return false;
	word = text_take_word(&t);
	return spimend_address_parse(word.at, word.len, &ret->dst) == 0;
}

bool xfrm_text_starts(struct text t)
{
	struct saved_state state;

	return take_ends(t, &state);
}

bool xfrm_text_end(struct xfrm_text *s, struct saved_record *ret)
{
	bool any = s->line && s->has_spi;

	/* A counter that moved tells the direction. */
	if (s->sequence_out && !s->sequence_in)
		s->state.out_hint = true;
	if (s->sequence_in && !s->sequence_out)
		s->state.in_hint = true;
	if (s->state.in_hint && s->state.out_hint)
		s->state.in_hint = s->state.out_hint = false;
	if (any)
		*ret = (struct saved_record){ .kind = SAVED_STATE, .line = s->line, .state = s->state };
	*s = (struct xfrm_text){ 0 };
	return any;
}

/* "proto esp spi 0xc1a2b3c4(3248665540) reqid 1(0x00000001) mode tunnel" */
static const char *read_proto(struct xfrm_text *s, struct text t)
{
	struct text word = text_take_word(&t), value;

	if (text_equal(word, TEXT("esp")) || text_equal(word, TEXT("50")))
		s->state.protocol = 50;
	else if (text_equal(word, TEXT("ah")) || text_equal(word, TEXT("51")))
		s->state.protocol = 51;
	else
		return NULL; /* comp, route2, hao: no SA of ours */
	if (!text_equal(text_take_word(&t), TEXT("spi")))
		return "a state without its SPI";
	text_take_blanks(&t);
	value = text_take_until(&t, " (");
	if (text_hex32(value, &s->state.spi.value) != 0)
		return "a state whose SPI is no number";
	s->has_spi = s->state.spi.value != 0; /* 0: an acquire entry, nothing was negotiated yet */
	while ((word = text_take_word(&t)).len) {
		if (!text_equal(word, TEXT("reqid")))
			continue;
		text_take_blanks(&t);
		show_number(text_take_until(&t, " ("), &s->state.reqid);
	}
	return NULL;
}

static void read_hex_behind(struct text t, const char *name, uint32_t *ret)
{
	size_t at = text_find(t, text_of(name));

	if (at == TEXT_NOT_FOUND)
		return;
	t = text_skip(t, at + strlen(name));
	text_hex32(text_take_until(&t, ", "), ret);
}

enum show_result xfrm_text_line(struct xfrm_text *s, struct text t, uint32_t number, struct saved_record *ret)
{
	struct saved_state next = { 0 };
	struct text rest = t;
	const char *reason;

	if (t.len == 0)
		return SHOW_TAKEN;
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		if (text_starts(t, text_of(secrets[i])))
			return s->line ? SHOW_TAKEN : SHOW_NOTHING;
	if (take_ends(t, &next)) {
		bool gave = xfrm_text_end(s, ret);

		s->state = next;
		s->line = number;
		return gave ? SHOW_RECORD : SHOW_TAKEN;
	}
	if (!s->line)
		return SHOW_NOTHING;
	if (text_take(&rest, TEXT("proto "))) {
		reason = read_proto(s, rest);
		if (reason) {
			*ret = (struct saved_record){ .line = number, .reason = reason };
			return SHOW_BAD;
		}
	} else if (text_starts(t, TEXT("encap type espinudp"))) {
		s->state.encap_udp = true;
	} else if (text_take(&rest, TEXT("mark "))) {
		s->state.has_mark = text_hex32(text_take_until(&rest, "/ "), &s->state.mark) == 0;
	} else if (!s->window_told && text_take(&rest, TEXT("replay-window "))) {
		s->window_told = true; /* a second one stands below "stats:" */
		show_number(text_take_until(&rest, " "), &s->state.replay_window);
	} else if (text_take(&rest, TEXT("if_id "))) {
		text_hex32(text_take_until(&rest, " "), &s->state.if_id);
	} else if (text_starts(t, TEXT("anti-replay"))) {
		read_hex_behind(t, " seq 0x", &s->sequence_in);
		read_hex_behind(t, "oseq 0x", &s->sequence_out);
	} else if (text_take(&rest, TEXT("dir "))) {
		s->state.out_hint = text_starts(rest, TEXT("out"));
		s->state.in_hint = text_starts(rest, TEXT("in"));
	} else if (text_starts(t, TEXT("lifetime current"))) {
		s->current = true;
	} else if (s->current && text_has(t, TEXT("(packets)"))) {
		text_take_until(&rest, " ");
		text_take_blanks(&rest);
		text_take_digits(&rest, 19, &s->state.packets, NULL);
		s->current = false;
	} else if (!show_starts_any(t, ballast, sizeof(ballast) / sizeof(ballast[0]))) {
		return SHOW_NOTHING;
	}
	return SHOW_TAKEN;
}
