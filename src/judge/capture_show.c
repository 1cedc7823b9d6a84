/* SPDX-License-Identifier: MIT */
/* A case of the capture judge as an incident, with its evidence in words and numbers of packets. */
#include <inttypes.h>
#include <stdio.h>

#include "judge/capture_private.h"

static void make_id(const struct capture_case *c, char to[INCIDENT_ID_MAX])
{
	static const struct hash_key stable = { 0, 0 };
	struct {
		struct spimend_address src, dst;
		uint8_t protocol, encap_udp;
		uint32_t spi, rule;
		int64_t first;
	} parts;

	memset(&parts, 0, sizeof(parts));
	if (c->has_src)
		parts.src = c->src;
	if (c->has_dst)
		parts.dst = c->dst;
	parts.protocol = c->protocol;
	parts.encap_udp = c->encap_udp;
	parts.spi = c->has_spi ? c->spi : 0;
	parts.rule = c->flow == NOBODY || c->is_notify ? c->rule : 0;
	parts.first = c->has_times ? c->first_ns : 0;
	incident_id_of(hash_bytes(&stable, &parts, sizeof(parts)), to);
}

struct show {
	struct capture_judge *judge;
	struct incident *incident;
};

static void add(struct show *s, enum fact_kind kind, bool has_at, int64_t at_ns, struct text from, struct text text)
{
	size_t n = s->incident->evidence_count;
	struct capture_judge *j = s->judge;
	struct evidence *e = &j->shown[n];

	if (n == INCIDENT_EVIDENCE_MAX)
		return;
	text_copy(from, j->shown_from[n], sizeof(j->shown_from[n]));
	text_copy(text, j->shown_text[n], sizeof(j->shown_text[n]));
	*e = (struct evidence){
		.has_at = has_at, .at = { at_ns }, .kind = kind, .from = text_of(j->shown_from[n]), .text = text_of(j->shown_text[n]),
		.is_packet = kind != FACT_SA_TABLE,
	};
	s->incident->saw[kind] = true;
	s->incident->evidence_count++;
}

static void say_last(const struct packet_flow *f, struct text file, char *to, size_t size)
{
	if (f->last_file == f->first_file)
		snprintf(to, size, " to %" PRIu32 " (packet %" PRIu64 ")", f->sequence_last, f->last_number);
	else
		snprintf(to, size, " to %" PRIu32 " (%.*s:%" PRIu64 ")", f->sequence_last, TEXT_ARG(file), f->last_number);
}

static void add_packets(struct show *s, const struct packet_flow *f, enum fact_kind kind)
{
	struct text file = intern_text(&s->judge->names, s->judge->files[f->first_file]);
	struct text last = intern_text(&s->judge->names, s->judge->files[f->last_file]);
	char from[INTERN_TEXT_MAX + 24], text[256], src[SPIMEND_ADDRESS_TEXT_MAX], dst[SPIMEND_ADDRESS_TEXT_MAX];
	int n;

	snprintf(from, sizeof(from), "%.*s:%" PRIu64, TEXT_ARG(file), f->first_number);
	spimend_address_print(&f->key.src, src);
	spimend_address_print(&f->key.dst, dst);
	if (f->key.protocol == PACKET_FLOW_NOTIFY) {
		snprintf(text, sizeof(text), "%" PRIu64 " INVALID_SPI notif%s in clear, %s > %s, about SPI 0x%" PRIx32, f->packets,
			 f->packets == 1 ? "y" : "ies", src, dst, f->key.spi);
	} else {
		n = snprintf(text, sizeof(text), "%" PRIu64 " packet%s, %s%s %s > %s SPI 0x%" PRIx32 " sequence %" PRIu32, f->packets,
			     text_plural(f->packets), spimend_protocol_name(f->key.protocol), f->key.encap_udp ? " in UDP" : "", src, dst,
			     f->key.spi, f->sequence_first);
		if (f->packets > 1 && n > 0 && (size_t)n < sizeof(text))
			say_last(f, last, text + n, sizeof(text) - (size_t)n);
	}
	add(s, kind, f->has_times, f->first_ns, text_of(from), text_of(text));
}

static void add_table(struct show *s, const struct capture_case *c)
{
	const struct capture_judge *j = s->judge;
	const struct capture_host *peer = capture_table_peer(&j->table, &c->src);
	const struct capture_sa *sa = c->has_spi ? capture_table_find(&j->table, &c->dst, c->protocol, c->spi) : NULL;
	struct text file = intern_text(&j->names, j->table_file);
	char text[256], address[SPIMEND_ADDRESS_TEXT_MAX], from[INTERN_TEXT_MAX + 24], ike[32] = "";
	uint32_t line = sa ? sa->line : peer ? peer->line : 0;

	spimend_address_print(&c->src, address);
	if (line)
		snprintf(from, sizeof(from), "%.*s:%" PRIu32, TEXT_ARG(file), line);
	else
		snprintf(from, sizeof(from), "%.*s", TEXT_ARG(file));
	if (peer && j->table.has_ike)
		snprintf(ike, sizeof(ike), "; %" PRIu32 " IKE SA%s", peer->ike_up, text_plural(peer->ike_up));
	if (c->why_not_read)
		snprintf(text, sizeof(text), "%s", c->why_not_read);
	else if (sa)
		snprintf(text, sizeof(text), "SPI 0x%" PRIx32 " is there, %s UDP", c->spi, sa->encap_udp ? "in" : "without");
	else if (!peer)
		snprintf(text, sizeof(text), "no SA with %s, of %" PRIu32 " SAs", address, j->table.sa_count);
	else
		snprintf(text, sizeof(text), "%" PRIu32 " inbound SA%s from %s, none of them 0x%" PRIx32 "%s", peer->inbound,
			 text_plural(peer->inbound), address, c->spi, ike);
	add(s, FACT_SA_TABLE, false, 0, text_of(from), text_of(text));
}

static enum fact_kind kind_of(const struct capture_case *c)
{
	return c->verdict == VERDICT_OTHER_FAULT || c->rule == RULE_CAPTURE_ONE_WAY || c->rule == RULE_CAPTURE_SPI_KEPT ?
	       FACT_NONE : FACT_STRAY;
}

static void fill(struct capture_judge *j, const struct capture_case *c, struct incident *i)
{
	const struct judge_peer *peer = judge_peer_of(j->judge, &i->src);
	bool is_of_table = c->flow != NOBODY && !c->is_notify && j->marks[c->flow] & MARK_JUDGED;

	i->src_owner = peer ? peer->owner : OWNERSHIP_UNKNOWN;
	if (peer && peer->has_kind && i->tunnel_kind == TUNNEL_UNKNOWN)
		i->tunnel_kind = peer->kind;
	peer = judge_peer_of(j->judge, &i->dst);
	i->dst_owner = peer ? peer->owner : OWNERSHIP_UNKNOWN;
	if (c->has_dst)
		i->observer = text_of(spimend_address_print(&c->dst, j->observer_text));
	if (j->has_span && c->has_times)
		i->quiet_ns = j->end_ns - c->last_ns;
	i->quiet_needed_ns = j->judge->settings.quiet_ns;
	if (is_of_table) {
		const struct capture_host *host = capture_table_peer(&j->table, &c->src);

		i->dialect = j->table.dialect;
		i->confirmed_at_receiver = c->rule == RULE_SAD_LACKS && host && host->inbound;
	}
}

void capture_show(struct capture_judge *j, const struct capture_case *c, struct incident *ret)
{
	struct show s = { j, ret };

	*ret = (struct incident){
		.src = c->has_src ? c->src : (struct spimend_address){ 0 },
		.dst = c->has_dst ? c->dst : (struct spimend_address){ 0 },
		.has_spi = c->has_spi, .spi = { c->has_spi ? c->spi : 0 }, .protocol = (enum spimend_protocol)c->protocol,
		.encap_udp = c->encap_udp, .tunnel_kind = c->kind, .has_times = c->has_times, .first_seen = { c->first_ns },
		.last_seen = { c->last_ns }, .spis = c->spis, .sources = c->sources, .has_packets = true, .packets = c->packets,
		.kind = kind_of(c), .verdict = c->verdict, .rule = c->rule, .cause = c->cause, .confidence = c->confidence,
		.flags = c->flags, .evidence = j->shown,
		.state = c->verdict == VERDICT_TRANSIENT || c->verdict == VERDICT_NOISE ? STATE_CLOSED : STATE_OPEN,
	};
	fill(j, c, ret);
	make_id(c, ret->id);
	if (c->flow != NOBODY && !c->is_notify)
		add_packets(&s, j->sorted[c->flow], kind_of(c));
	if (c->other != NOBODY)
		add_packets(&s, j->sorted[c->other], FACT_SA_BORN);
	if (c->notify != NOBODY)
		add_packets(&s, j->sorted[c->notify], FACT_INVALID_SPI_NOTIFY);
	if (c->flow != NOBODY && !c->is_notify && j->marks[c->flow] & MARK_JUDGED)
		add_table(&s, c);
}
