/* SPDX-License-Identifier: MIT */
#include "plan/picture.h"

#include "plan/names.h"

struct meaning {
	enum picture_kind kind;
	const char *words;
	bool comes;   /* PICTURE_IKE: the writer received it */
};

static const struct meaning meanings[FACT_KINDS] = {
	[FACT_STRAY] = { PICTURE_STRAY, "unknown SPI", false },
	[FACT_INTEGRITY] = { PICTURE_REFUSED, "integrity check failed", false },
	[FACT_REPLAY] = { PICTURE_REFUSED, "replayed", false },
	[FACT_NOT_IPSEC] = { PICTURE_REFUSED, "not encrypted", false },
	[FACT_HARDWARE] = { PICTURE_REFUSED, "crypto engine error", false },
	[FACT_SELECTOR] = { PICTURE_REFUSED, "outside the selectors", false },
	[FACT_NO_IKE_SA] = { PICTURE_IKE, "IKE message without an IKE SA", true },
	[FACT_NO_DELETE] = { PICTURE_HAPPENED, "DELETE could not be sent: no IKE SA", false },
	[FACT_DELETE_UNKNOWN] = { PICTURE_IKE, "DELETE for an SPI it does not have", true },
	[FACT_INVALID_SPI_NOTIFY] = { PICTURE_IKE, "INVALID_SPI", false },
	[FACT_INVALID_SYNTAX] = { PICTURE_IKE, "INVALID_SYNTAX", true },
	[FACT_IKE_STARTED] = { PICTURE_HAPPENED, "IKE started", false },
	[FACT_INITIAL_CONTACT] = { PICTURE_IKE, "INITIAL_CONTACT", true },
	[FACT_DPD_DEAD] = { PICTURE_HAPPENED, "peer given up by DPD", false },
	[FACT_SA_BORN] = { PICTURE_HAPPENED, "SA installed", false },
	[FACT_SA_DIED] = { PICTURE_HAPPENED, "SA gone", false },
	[FACT_REKEY] = { PICTURE_IKE, "rekey", false },
	[FACT_REKEY_COLLISION] = { PICTURE_IKE, "rekey collision", false },
	[FACT_KERNEL_LOST] = { PICTURE_HAPPENED, "the kernel has no such SA", false },
	[FACT_CHILD_NOT_FOUND] = { PICTURE_IKE, "CHILD_SA_NOT_FOUND", true },
	[FACT_TUNNEL_UP] = { PICTURE_HAPPENED, "tunnel up", false },
	[FACT_TUNNEL_DOWN] = { PICTURE_HAPPENED, "tunnel down", false },
	[FACT_LINE_UP] = { PICTURE_HAPPENED, "line up", false },
	[FACT_LINE_DOWN] = { PICTURE_HAPPENED, "line down", false },
	[FACT_NHRP_DOWN] = { PICTURE_HAPPENED, "NHRP next hop lost", false },
	[FACT_BFD_DOWN] = { PICTURE_HAPPENED, "BFD down", false },
	[FACT_RESTART] = { PICTURE_HAPPENED, "restarted", false },
	[FACT_CONFIGURED] = { PICTURE_HAPPENED, "configured", false },
	[FACT_CLEARED] = { PICTURE_COMMAND, "crypto clear", false },
	[FACT_APPLET] = { PICTURE_HAPPENED, "applet", false },
	[FACT_SA_TABLE] = { PICTURE_HAPPENED, "SA table saved", false },
};

const char *picture_words(enum fact_kind kind)
{
	return kind < FACT_KINDS && meanings[kind].words ? meanings[kind].words : fact_kind_name(kind);
}

static void live_until(struct picture_bar *bar, struct instant at)
{
	if (!bar->has_seen || at.ns < bar->first.ns)
		bar->first = at;
	if (!bar->has_seen || at.ns > bar->last.ns)
		bar->last = at;
	bar->has_seen = true;
}

static const char *const reasons[] = {
	[REASON_REKEYED] = "rekeyed",
	[REASON_DELETED] = "deleted",
	[REASON_EXPIRED] = "expired",
	[REASON_CLEARED] = "cleared",
};

/* Its writer's SA, and the same one at the other end, which is told of with that. */
static void add_sa(struct picture *p, const struct evidence *e, enum picture_end end, bool is_out, struct spimend_spi spi)
{
	struct picture_bar *bar = picture_bar(p, end, is_out, spi);

	if (!bar || !e->has_at)
		return;
	if (e->kind == FACT_SA_BORN && (!bar->has_born || e->at.ns < bar->born.ns)) {
		bar->has_born = true;
		bar->born = e->at;
	} else if (e->kind == FACT_SA_DIED) {
		bar->has_died = true;
		bar->died = e->at;
		if ((size_t)e->reason < sizeof(reasons) / sizeof(reasons[0]) && reasons[e->reason])
			bar->why = text_of(reasons[e->reason]);
	} else {
		live_until(bar, e->at);
	}
}

static void add_evidence(struct picture *p, const struct evidence *e)
{
	const struct meaning *m = &meanings[e->kind < FACT_KINDS ? e->kind : FACT_NONE];
	struct picture_event event = {
		.at = e->at,
		.kind = m->kind,
		.end = e->other_end ? PICTURE_SENDER : PICTURE_RECEIVER,
		.is_heard = m->comes,
		.what = text_of(picture_words(e->kind)),
		.text = e->text,
	};
	bool of_sa = e->kind == FACT_SA_BORN || e->kind == FACT_SA_DIED;

	if (of_sa && e->has_spi)
		add_sa(p, e, event.end, false, e->spi);
	if (of_sa && e->has_spi_out)
		add_sa(p, e, event.end, true, e->spi_out);
	if (!e->has_at) {
		p->untimed++;
		return;
	}
	if (e->kind == FACT_SA_DIED && (size_t)e->reason < sizeof(reasons) / sizeof(reasons[0]) && reasons[e->reason])
		event.what = text_of(reasons[e->reason]);
	picture_add(p, &event);
}

static void set_name(struct picture *p, enum picture_end end, const char *address, bool known, struct text host)
{
	struct buffer name = { 0 };

	if (known)
		buffer_add_string(&name, address);
	if (host.len && !text_equal(host, text_of(address))) {
		buffer_add_string(&name, known ? " (" : "");
		buffer_add(&name, text_first(host, 60));
		buffer_add_string(&name, known ? ")" : "");
	}
	p->names[end] = picture_keep(p, buffer_text(&name));
	buffer_done(&name);
}

/* It is what the receiver says: the sender sends with it. Nothing of that is sure, and its birth and end are not known. */
static void add_claimed(struct picture *p, const struct incident *i)
{
	struct picture_bar *bar;

	if (!i->has_spi || !i->has_times || i->verdict == VERDICT_NOISE || i->spis > 1)
		return;
	bar = picture_bar(p, PICTURE_SENDER, true, i->spi);
	if (bar) {
		live_until(bar, i->first_seen);
		live_until(bar, i->last_seen);
	}
}

void picture_of_incident(const struct incident *i, struct picture *ret)
{
	struct names n = names_of(i);
	uint64_t shown = 0;

	*ret = (struct picture){ .has_spi = i->has_spi && i->spis <= 1, .spi = i->spi };
	ret->is_missing = ret->has_spi && i->verdict != VERDICT_OTHER_FAULT && i->verdict != VERDICT_NOISE;
	set_name(ret, PICTURE_SENDER, n.src, n.has_src, TEXT_NONE);
	set_name(ret, PICTURE_RECEIVER, n.dst, n.has_dst, i->observer);
	add_claimed(ret, i);
	for (size_t k = 0; i->evidence && k < i->evidence_count; k++) {
		add_evidence(ret, &i->evidence[k]);
		shown += i->evidence[k].kind == FACT_STRAY || i->evidence[k].kind == i->kind;
	}
	if (i->messages > shown)
		ret->events_left_out += i->messages - shown;
	picture_sort(ret);
}
