/* SPDX-License-Identifier: MIT */
/*
 * One flow: the rules in the order of DESIGN 4, then what the logs can tell of the cause (faults.md c and d).
 */
#include "judge/judge_private.h"

static bool saw(const struct case_file *c, enum fact_kind kind)
{
	return c->saw >> kind & 1;
}

static enum tunnel_kind kind_of(const struct judge *j, const struct flow *f)
{
	const struct judge_peer *peer = judge_peer_of(j, &f->key.src);

	if (!peer || !peer->has_kind)
		peer = judge_peer_of(j, &f->key.dst);
	if (peer && peer->has_kind)
		return peer->kind;
	return f->controller_keyed ? TUNNEL_SDWAN : TUNNEL_UNKNOWN;
}

/* How long the observer logged on after the flow's last message. */
int64_t verdict_quiet(const struct judge *j, const struct flow *f)
{
	char text[SPIMEND_ADDRESS_TEXT_MAX];
	uint32_t id = f->observer;

	if (!f->has_heard)
		return 0;
	if (!f->has_host)
		id = intern_find(&j->names, text_of(spimend_address_print(&f->key.dst, text)));
	if (!id || !j->observers[id].heard || j->observers[id].last.ns <= f->heard.ns)
		return 0;
	return j->observers[id].last.ns - f->heard.ns;
}

/* The logs say that this very SPI died by a rekey, and every message lies within the overlap of that. */
static bool ended_within_overlap(const struct judge *j, const struct case_file *c)
{
	const struct neighbour *death = c->death ? &j->neighbours[c->death - 1] : NULL;

	return death && death->fact.reason == REASON_REKEYED && death->has_at && c->has_times &&
	       c->last.ns <= death->at.ns + j->settings.overlap_ns && c->first.ns >= death->at.ns - j->settings.overlap_ns;
}

/* Without a source a scan that sends one SPI again and again cannot be told from a peer; what scans send looks like this. */
static bool may_be_scan(const struct flow *f)
{
	return !spimend_address_known(&f->key.src) && f->flags & (FLAG_SPI_LOW_ZERO | FLAG_SPI_PRINTABLE);
}

static void judge_by_log(const struct judge *j, const struct flow *f, struct case_file *c)
{
	int64_t window = f->controller_keyed || f->flags & FLAG_SPI_SMALL ? j->settings.reused_window_ns
									   : j->settings.repeat_window_ns;
	/* Messages that lie farther apart than the window are each seen once. */
	bool far_apart = f->gap_ns == 0 && f->last.ns - f->first.ns > window && !(f->flags & FLAG_CLOCK_JUMPED);
	bool repeated = f->messages > 1 && !(f->has_times && far_apart);

	c->verdict = VERDICT_UNDECIDED;
	if (!f->has_times) {
		c->rule = RULE_LOG_NO_TIME;
	} else if (repeated && f->gap_ns >= c->gap_needed_ns && f->has_sequence && f->last_sequence <= f->first_sequence) {
		c->rule = RULE_SEQUENCE_STUCK;
		c->flags |= FLAG_SEQUENCE_STUCK;
	} else if (repeated && f->gap_ns >= c->gap_needed_ns && may_be_scan(f)) {
		c->rule = RULE_NO_SOURCE;
	} else if (repeated && f->gap_ns >= c->gap_needed_ns) {
		c->verdict = VERDICT_DESYNC;
		c->rule = RULE_LOG_REPEAT;
	} else if (repeated) {
		c->rule = RULE_LOG_CLOSE_REPEAT;
	} else if (!spimend_address_known(&f->key.src)) {
		c->rule = RULE_NO_SOURCE;
	} else if (c->quiet_ns >= j->settings.quiet_ns) {
		c->verdict = VERDICT_TRANSIENT;
		c->rule = RULE_LOG_ONCE_QUIET;
	} else {
		c->rule = RULE_LOG_ONCE_SHORT;
	}
}

void verdict_flow(struct judge *j, uint32_t index, struct case_file *ret)
{
	const struct flow *f = &j->flows.pool[index];
	struct case_file c = {
		.flow = index,
		.has_src = spimend_address_known(&f->key.src),
		.has_dst = spimend_address_known(&f->key.dst),
		.has_spi = f->key.has_spi,
		.src = f->key.src,
		.dst = f->key.dst,
		.spi = f->key.spi,
		.has_times = f->has_times,
		.first = f->first,
		.last = f->last,
		.messages = f->messages,
		.copies = f->copies,
		.spis = f->key.has_spi,
		.sources = spimend_address_known(&f->key.src),
		.flags = f->flags | (f->several_observers ? FLAG_SEVERAL_OBSERVERS : 0) | (f->encap_udp ? FLAG_NAT_T : 0),
		.kind = kind_of(j, f),
		.gap_needed_ns = j->settings.gap_ns[f->dialect],
		.quiet_ns = verdict_quiet(j, f),
	};

	evidence_weigh(j, &c);
	if (f->key.sa_found) {
		c.verdict = VERDICT_OTHER_FAULT;
		c.rule = RULE_SA_FOUND;
	} else if (blocks_were_cleared(j, &c)) {
		c.verdict = VERDICT_DESYNC;
		c.rule = RULE_SDWAN_CLEARED;
	} else if (!c.has_spi) {
		c.rule = RULE_NO_SOURCE;
	} else if (c.confirmed_sender && c.confirmed_receiver) {
		c.verdict = VERDICT_DESYNC;
		c.rule = RULE_SA_TABLE;
	} else if (ended_within_overlap(j, &c)) {
		c.verdict = VERDICT_TRANSIENT;
		c.rule = RULE_REKEY_OVERLAP;
	} else {
		judge_by_log(j, f, &c);
	}
	*ret = c;
}

/* ---- cause ---- */

static bool saw_before(const struct case_file *c, enum fact_kind kind)
{
	return c->saw_before >> kind & 1;
}

static void set_cause(struct case_file *c, enum cause cause, enum confidence confidence)
{
	c->cause = cause;
	c->confidence = confidence;
}

/* What ended the SA at the receiver; NULL where nothing says so, or only something that came after the first message. */
static const struct neighbour *death_before(const struct judge *j, const struct case_file *c)
{
	const struct neighbour *death = c->death ? &j->neighbours[c->death - 1] : NULL;

	if (death && death->has_at && c->has_times && death->at.ns > c->first.ns + j->settings.overlap_ns)
		return NULL;
	return death;
}

static void cause_of_death(const struct neighbour *death, struct case_file *c)
{
	bool collision = saw(c, FACT_REKEY_COLLISION);

	switch (death->fact.reason) {
	case REASON_EXPIRED:
		set_cause(c, CAUSE_LIFETIME_MISMATCH_TIME, CONFIDENCE_LIKELY);
		break;
	case REASON_CLEARED:
		set_cause(c, CAUSE_UNILATERAL_DELETE, CONFIDENCE_LIKELY);
		break;
	default:
		set_cause(c, collision ? CAUSE_REKEY_COLLISION : CAUSE_DELETE_LOST, CONFIDENCE_LIKELY);
		break;
	}
}

/* A restart explains an SPI that was there before it, and whose end the logs do not tell otherwise. */
static bool lost_by_restart(const struct case_file *c, const struct neighbour *death)
{
	return c->restarted && !death && !(c->is_born && c->birth.ns >= c->restart.ns);
}

/* A clear that was typed after the first message is somebody's repair, not the cause. */
static void cause_of_desync(const struct judge *j, struct case_file *c)
{
	const struct neighbour *death = death_before(j, c);

	if (c->kind == TUNNEL_SDWAN || c->kind == TUNNEL_IKELESS) {
		if (c->rule == RULE_SDWAN_CLEARED)
			set_cause(c, CAUSE_CONTROLLER_SA_CLEARED, saw(c, FACT_CLEARED) ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);
		else if (saw_before(c, FACT_CLEARED))
			set_cause(c, CAUSE_CONTROLLER_SA_CLEARED, CONFIDENCE_LIKELY);
		else
			set_cause(c, CAUSE_CONTROLLER_KEY_LAG, saw(c, FACT_SA_TABLE) ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE);
	} else if (saw(c, FACT_KERNEL_LOST)) {
		set_cause(c, CAUSE_CHILD_MISSING, CONFIDENCE_LIKELY);
	} else if (lost_by_restart(c, death)) {
		set_cause(c, CAUSE_RECEIVER_LOST_STATE, CONFIDENCE_LIKELY);
	} else if (saw_before(c, FACT_CLEARED)) {
		set_cause(c, CAUSE_UNILATERAL_DELETE, CONFIDENCE_LIKELY);
	} else if (death) {
		cause_of_death(death, c);
	} else if (c->flags & FLAG_SPI_0XFF && !c->confirmed_receiver) {
		set_cause(c, CAUSE_SPI_0XFF, CONFIDENCE_POSSIBLE);
	} else if (saw(c, FACT_REKEY_COLLISION)) {
		set_cause(c, CAUSE_REKEY_COLLISION, CONFIDENCE_POSSIBLE);
	} else if (saw(c, FACT_NO_DELETE) || saw(c, FACT_NO_IKE_SA) || c->flags & FLAG_MANY_PEERS) {
		set_cause(c, CAUSE_RECEIVER_LOST_STATE, CONFIDENCE_POSSIBLE);
	}
}

void verdict_cause(struct judge *j, struct case_file *c)
{
	set_cause(c, CAUSE_UNKNOWN, CONFIDENCE_NONE);
	switch (c->verdict) {
	case VERDICT_DESYNC:
		cause_of_desync(j, c);
		break;
	case VERDICT_TRANSIENT:
		if (c->rule == RULE_REKEY_OVERLAP)
			set_cause(c, CAUSE_REKEY_OVERLAP, CONFIDENCE_CERTAIN);
		else
			set_cause(c, CAUSE_REKEY_OVERLAP,
				  saw(c, FACT_REKEY) || saw(c, FACT_SA_BORN) ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE);
		break;
	case VERDICT_NOISE:
		set_cause(c, CAUSE_SCAN_OR_SPOOF, CONFIDENCE_LIKELY);
		break;
	case VERDICT_OTHER_FAULT:
		/* The message says what was dropped, not why; failures that go on may be two SAs of one SPI (T16). */
		if (saw(c, FACT_INTEGRITY) && c->flow != FLOW_NONE && c->messages > 1)
			set_cause(c, CAUSE_SPI_COLLISION, CONFIDENCE_POSSIBLE);
		break;
	case VERDICT_UNDECIDED:
		break;
	}
}
