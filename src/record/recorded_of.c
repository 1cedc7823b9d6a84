/* SPDX-License-Identifier: MIT */
#include "record/recorded_of.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define TEXT_MAX 512

static struct text name_in(const char *name, size_t size)
{
	return (struct text){ name, strnlen(name, size) };
}

#define NAME_IN(array) name_in(array, sizeof(array))

static struct text __attribute__((format(printf, 2, 3))) write_text(char to[TEXT_MAX], const char *format, ...)
{
	va_list list;
	int n;

	va_start(list, format);
	n = vsnprintf(to, TEXT_MAX, format, list);
	va_end(list);
	return (struct text){ to, n < 0 ? 0 : strnlen(to, TEXT_MAX) };
}

static enum spimend_protocol protocol_of(uint8_t number)
{
	return number == SPIMEND_PROTOCOL_ESP || number == SPIMEND_PROTOCOL_AH ? (enum spimend_protocol)number
									     : SPIMEND_PROTOCOL_UNKNOWN;
}

/* --- Children ------------------------------------------------------------------------------------------------------ */

static struct recorded direction_of(const struct child_sa *c, enum recorded_kind kind, enum recorded_direction direction)
{
	bool in = direction == RECORDED_IN;
	struct recorded e = { .kind = kind, .has = RECORDED_HAS_SPI, .direction = direction, .src = in ? c->remote : c->local,
			      .dst = in ? c->local : c->remote, .protocol = protocol_of(c->protocol),
			      .spi = { in ? c->spi_in : c->spi_out }, .connection = NAME_IN(c->ike), .child = NAME_IN(c->child) };

	if (c->has_counters) {
		e.has |= RECORDED_HAS_PACKETS | RECORDED_HAS_BYTES;
		e.packets = in ? c->packets_in : c->packets_out;
		e.bytes = in ? c->bytes_in : c->bytes_out;
	}
	return e;
}

static void tell_child(const struct child_sa *c, enum recorded_kind kind, struct text reason, struct text text,
		       recorded_take_fn *take, void *context)
{
	for (int i = 0; i < 2; i++) {
		struct recorded e = direction_of(c, kind, i ? RECORDED_OUT : RECORDED_IN);

		if (i ? !c->has_spi_out : !c->has_spi_in)
			continue;
		e.reason = reason;
		e.text = text;
		take(context, &e);
	}
}

void recorded_of_child(const struct child_event *event, recorded_take_fn *take, void *context)
{
	const struct child_sa *c = &event->child;
	char text[TEXT_MAX];

	switch (event->change) {
	case CHILD_UP:
		tell_child(c, RECORDED_SA_BORN, TEXT_NONE, write_text(text, "the IKE daemon: child %" PRIu32 " of IKE SA %" PRIu32, c->id,
			   c->ike_id), take, context);
		break;
	case CHILD_DOWN:
		tell_child(c, RECORDED_SA_DIED, TEXT("closed"), write_text(text, "the IKE daemon: child %" PRIu32 " of IKE SA %" PRIu32
			   " is closed", c->id, c->ike_id), take, context);
		break;
	case CHILD_REKEY: /* the old one may go on for the overlap; whoever takes it down tells that too */
		if (event->has_successor)
			tell_child(&event->successor, RECORDED_SA_BORN, TEXT_NONE,
				   write_text(text, "the IKE daemon: child %" PRIu32 " takes the place of %" PRIu32 " by a rekey",
					      event->successor.id, c->id), take, context);
		tell_child(c, RECORDED_SA_DIED, TEXT("rekeyed"), write_text(text, "the IKE daemon: child %" PRIu32 " was rekeyed", c->id),
			   take, context);
		break;
	case CHILD_CHANGES:
		break;
	}
}

void recorded_of_listed(const struct child_sa *c, recorded_take_fn *take, void *context)
{
	char text[TEXT_MAX];
	struct text said = c->has_install ? write_text(text, "listed: installed %" PRIu32 " s ago", c->install_s) : TEXT("listed");

	tell_child(c, RECORDED_COUNTER, TEXT_NONE, said, take, context);
}

/* --- The IKE daemon ------------------------------------------------------------------------------------------------ */

static struct recorded of_ike_sa(const struct ike_sa *ike)
{
	return (struct recorded){ .kind = RECORDED_IKE, .src = ike->remote, .dst = ike->local, .connection = NAME_IN(ike->name) };
}

void recorded_of_ike(const struct ike_event *event, recorded_take_fn *take, void *context)
{
	static const char *const words[IKE_CHANGES] = { "is up", "is down", "was rekeyed", "has other addresses now" };
	const struct ike_sa *ike = event->change == IKE_UPDATE && event->has_successor ? &event->successor : &event->ike;
	struct recorded e = of_ike_sa(ike);
	char text[TEXT_MAX];

	if ((unsigned)event->change >= IKE_CHANGES)
		return;
	e.text = write_text(text, "IKE SA %" PRIu32 " (IKEv%u) %s", event->ike.id, event->ike.version, words[event->change]);
	if (event->has_successor && event->change == IKE_REKEY)
		e.text = write_text(text, "IKE SA %" PRIu32 " (IKEv%u) was rekeyed, %" PRIu32 " takes its place", event->ike.id,
				    event->ike.version, event->successor.id);
	take(context, &e);
}

void recorded_of_daemon(const struct daemon_state *state, recorded_take_fn *take, void *context)
{
	struct recorded e = { .kind = RECORDED_IKE };
	char text[TEXT_MAX];

	e.text = write_text(text, "IKE daemon %u %s%s%s", state->daemon, state->up ? "answers" : "is away", state->up ? ": " : "",
			    state->up ? state->version : "");
	take(context, &e);
}

void recorded_of_hint(const struct daemon_hint *hint, const struct ike_sa *ike, recorded_take_fn *take, void *context)
{
	static const char *const words[HINT_KINDS] = {
		[HINT_KERNEL_LOST] = "the kernel has not what the daemon lists", [HINT_DELETE_RECEIVED] = "DELETE received",
		[HINT_DELETE_SENT] = "DELETE sent", [HINT_DELETE_UNKNOWN] = "DELETE received for an SPI that is not ours",
		[HINT_EXPIRED] = "a hard lifetime ran out", [HINT_EXPIRED_VOLUME] = "a byte or packet limit was reached",
		[HINT_COLLISION] = "TEMPORARY_FAILURE or a rekey collision", [HINT_CHILD_NOT_FOUND] = "CHILD_SA_NOT_FOUND",
		[HINT_INITIAL_CONTACT] = "INITIAL_CONTACT: the peer started anew", [HINT_PEER_DEAD] = "the peer does not answer",
		[HINT_DUPLICATE] = "an initiate was refused: existing duplicate",
	};
	struct recorded e = { .kind = RECORDED_IKE };

	if ((unsigned)hint->kind >= HINT_KINDS || !words[hint->kind])
		return;
	if (ike)
		e = of_ike_sa(ike);
	if (hint->has_spi) {
		e.has |= RECORDED_HAS_SPI;
		e.spi.value = hint->spi;
	}
	e.text = text_of(words[hint->kind]);
	take(context, &e);
}

void recorded_of_report(const struct plugin_report *report, recorded_take_fn *take, void *context)
{
	const struct plugin_message *m = &report->is;
	struct recorded e = { .kind = RECORDED_IKE, .src = m->remote, .dst = m->local, .protocol = protocol_of(m->protocol) };
	char text[TEXT_MAX];

	if (m->spi) {
		e.has |= RECORDED_HAS_SPI;
		e.spi.value = m->spi;
	}
	e.text = write_text(text, "plugin: %s%s%.*s", plugin_kind_name(m->kind), m->text[0] ? ": " : "",
			    TEXT_ARG(NAME_IN(m->text)));
	take(context, &e);
}

/* --- The kernel ---------------------------------------------------------------------------------------------------- */

void recorded_of_kernel(const struct kernel_event *event, recorded_take_fn *take, void *context)
{
	const struct kernel_sa *sa = &event->sa;
	struct recorded e = { .has = RECORDED_HAS_SPI | RECORDED_HAS_PACKETS | RECORDED_HAS_BYTES, .src = sa->src,
			      .dst = sa->key.dst, .protocol = protocol_of(sa->key.protocol), .spi = { sa->key.spi }, .packets = sa->packets,
			      .bytes = sa->bytes, .direction = sa->outbound ? RECORDED_OUT : RECORDED_IN };

	switch (event->change) {
	case KERNEL_ADDED:
	case KERNEL_UPDATED: /* of a larval one: now it has its keys */
		e.kind = RECORDED_SA_BORN;
		e.text = sa->larval ? TEXT("the kernel: an SPI was requested, no SA yet") : TEXT("the kernel: installed");
		if (sa->larval)
			e.reason = TEXT("requested");
		break;
	case KERNEL_DELETED:
		e.kind = RECORDED_SA_DIED;
		e.reason = TEXT("deleted");
		e.text = TEXT("the kernel: deleted");
		break;
	case KERNEL_EXPIRED_HARD:
		e.kind = RECORDED_SA_DIED;
		e.reason = TEXT("expired");
		e.text = event->by_volume ? TEXT("the kernel: its byte or packet limit was reached")
					  : TEXT("the kernel: its lifetime ran out");
		break;
	case KERNEL_FLUSHED:
		e = (struct recorded){ .kind = RECORDED_SA_DIED, .reason = TEXT("flushed"),
				       .text = TEXT("the kernel: all SAs were flushed") };
		break;
	case KERNEL_LISTED:
	case KERNEL_EXPIRED_SOFT:
	case KERNEL_CHANGES:
		return;
	}
	take(context, &e);
}

void recorded_of_counters(const struct xfrm_counters *before, const struct xfrm_counters *now, recorded_take_fn *take,
			  void *context)
{
	struct recorded e = { .kind = RECORDED_COUNTER };
	char text[TEXT_MAX];
	size_t len = 0;

	for (int i = 0; i < XFRM_COUNTERS; i++) {
		uint64_t grown = now->value[i] - before->value[i];
		int n;

		if (!(now->present & before->present & 1u << i) || now->value[i] <= before->value[i])
			continue;
		n = snprintf(text + len, sizeof(text) - len, "%s%s=%" PRIu64 " (+%" PRIu64 ")", len ? " " : "",
			     xfrm_counter_name((enum xfrm_counter)i), now->value[i], grown);
		if (n < 0 || (size_t)n >= sizeof(text) - len)
			break;
		len += (size_t)n;
	}
	if (len == 0)
		return;
	e.text = (struct text){ text, len };
	take(context, &e);
}

/* --- The sensors --------------------------------------------------------------------------------------------------- */

void recorded_of_sighting(const struct sighting *s, recorded_take_fn *take, void *context)
{
	static const char *const witnesses[WITNESSES] = { "packet socket", "XDP", "audit record" };
	struct recorded e = { .kind = RECORDED_SIGHTING, .has = RECORDED_HAS_SPI | RECORDED_HAS_PACKETS | RECORDED_HAS_SEQUENCE,
			      .src = s->src, .dst = s->dst, .protocol = protocol_of(s->protocol), .spi = { s->spi },
			      .packets = s->packets, .sequence = s->sequence_last, .direction = RECORDED_IN };
	char text[TEXT_MAX];
	int64_t span_us = (s->last_ns - s->first_ns) / 1000;

	e.text = write_text(text, "%s%s%s: %" PRIu64 " packet%s within %" PRId64 " us, sequence %" PRIu32 " to %" PRIu32 "%s%s",
			    (unsigned)s->witness < WITNESSES ? witnesses[s->witness] : "?", s->interface[0] ? " on " : "",
			    s->interface, s->packets, text_plural(s->packets), span_us > 0 ? span_us : 0, s->sequence_first,
			    s->sequence_last, s->encap_udp ? ", in UDP" : "", s->in_ledger ? ", the SPI was ours" : "");
	take(context, &e);
}

void recorded_of_head(const struct packet_head *h, recorded_take_fn *take, void *context)
{
	struct recorded e = { .kind = RECORDED_PACKET, .has = RECORDED_HAS_MONO | RECORDED_HAS_WALL | RECORDED_HAS_LENGTH |
			      RECORDED_HAS_LINKTYPE, .mono_ns = h->mono_ns, .wall = h->wall, .src = h->src, .dst = h->dst,
			      .protocol = protocol_of(h->protocol), .direction = h->outgoing ? RECORDED_OUT : RECORDED_IN,
			      .length = h->length, .linktype = RECORDED_LINKTYPE_RAW,
			      .data = { (const char *)h->bytes, h->len } };
	char text[TEXT_MAX];

	if (h->has_spi) {
		e.has |= RECORDED_HAS_SPI;
		e.spi.value = h->spi;
	}
	if (h->protocol) {
		e.has |= RECORDED_HAS_SEQUENCE;
		e.sequence = h->sequence;
	}
	e.text = write_text(text, "%s%s%s", h->text, h->interface[0] ? " on " : "", h->interface);
	take(context, &e);
}

void recorded_of_count(const struct spi_count *c, recorded_take_fn *take, void *context)
{
	struct recorded e = { .kind = RECORDED_COUNTER, .has = RECORDED_HAS_SPI | RECORDED_HAS_PACKETS | RECORDED_HAS_SEQUENCE,
			      .dst = c->key.dst, .protocol = protocol_of(c->key.protocol), .spi = { c->key.spi },
			      .packets = c->packets, .sequence = c->sequence_highest, .direction = RECORDED_IN };

	e.text = c->at_death ? TEXT("what came until it died") : TEXT("what came");
	take(context, &e);
}

/* --- Orders -------------------------------------------------------------------------------------------------------- */

void recorded_of_order(const struct order *o, recorded_take_fn *take, void *context)
{
	struct recorded e = { .kind = RECORDED_STEP, .dst = o->peer, .protocol = protocol_of(o->protocol) };
	char text[TEXT_MAX];

	if (o->spi) {
		e.has |= RECORDED_HAS_SPI;
		e.spi.value = o->spi;
	}
	e.text = write_text(text, "order %" PRIu64 ": %s, IKE SA %" PRIu32 ", child %" PRIu32, o->id, order_verb_name(o->verb),
			    o->ike_id, o->child_id);
	take(context, &e);
}

void recorded_of_result(const struct order_result *r, recorded_take_fn *take, void *context)
{
	struct recorded e = { .kind = RECORDED_STEP };
	char text[TEXT_MAX];

	if (r->has_peer_spi) {
		e.has |= RECORDED_HAS_SPI;
		e.spi.value = r->peer_spi;
	}
	e.text = write_text(text, "order %" PRIu64 ": %s after %" PRId64 " ms%s%.*s%s%s", r->id, order_outcome_name(r->outcome),
			    r->took_ns / 1000000, r->text[0] ? ": " : "", TEXT_ARG(NAME_IN(r->text)),
			    r->has_answer ? ", the peer: " : "",
			    r->has_answer ? plugin_outcome_name((enum plugin_outcome)r->answer) : "");
	take(context, &e);
}

/* --- Devices ------------------------------------------------------------------------------------------------------- */

void recorded_of_claim(const struct syslog_claim *c, struct text end, recorded_take_fn *take, void *context)
{
	const struct fact *f = &c->fact;
	struct recorded e = { .kind = RECORDED_IKE, .end = end, .src = f->src, .dst = f->dst, .protocol = f->protocol,
			      .text = NAME_IN(c->text) };

	if (f->kind == FACT_STRAY)
		e.kind = RECORDED_SIGHTING;
	else if (f->kind == FACT_SA_BORN)
		e.kind = RECORDED_SA_BORN;
	else if (f->kind == FACT_SA_DIED)
		e.kind = RECORDED_SA_DIED;
	if (f->has & FACT_HAS_SPI) {
		e.has |= RECORDED_HAS_SPI;
		e.spi = f->spi;
	}
	if (f->has & FACT_HAS_SEQUENCE) {
		e.has |= RECORDED_HAS_SEQUENCE;
		e.sequence = f->sequence;
	}
	take(context, &e); /* its own clock's word stands in the text; the event's time is when it came */
}
