/* SPDX-License-Identifier: MIT */
/* SAs that everybody lists and that do not work: the data plane lost one, refuses its packets, or nothing comes back. */
#include "core/core_private.h"

#define KEEP_NS (10 * SECOND_NS)       /* sequence numbers go to the store so often */
#define COLLISION_NEAR_NS (30 * SECOND_NS)
#define STILL_SENDS_NS (6 * SECOND_NS)   /* longer than the pace of lists */
#define KERNEL_LAG_NS (SECOND_NS / 3)
#define COMPARE_NS (6 * SECOND_NS)       /* counts that are read a second apart differ by less than a quarter then */

static struct ledger_entry *entry_of(struct core *c, const struct mirror_child *child)
{
	struct sa_key key = sa_key_of(&child->sa.local, child->sa.protocol, child->sa.spi_in);

	return ledger_find(c->ledger, &key);
}

static void child_lost(struct core *c, struct mirror_child *child, enum ledger_death death)
{
	struct ledger_entry *entry = entry_of(c, child);

	child->lost = true;
	if (!entry)
		return;
	/* The highest number that is known to have been accepted; what came since are strays. */
	if (child->has_base && entry->has_sequence)
		entry->sequence_highest = child->base_sequence;
	if (entry->state == LEDGER_DEAD)
		mirror_watch(c, entry, WATCH_DEAD);
	else
		mirror_dies(c, entry, death, false);
}

static bool has_interface_id(const struct mirror_child *child, const struct kernel_sa *sa)
{
	return child->sa.if_id_in || (sa && sa->if_id);
}

static void other_fault(struct core *c, struct trouble *t, enum rule rule, enum cause cause)
{
	t->is.is_suspicion = false;
	t->is.verdict = VERDICT_OTHER_FAULT;
	t->is.rule = rule;
	t->is.cause = cause;
	t->is.confidence = cause == CAUSE_UNKNOWN ? CONFIDENCE_NONE : CONFIDENCE_LIKELY;
	t->is.decided = c->now.wall;
}

/* The kernel has the SA, and its packets do not get through: its counters tell why (faults.md a). */
static void child_refused(struct core *c, struct mirror_child *child)
{
	static const struct {
		enum xfrm_counter counter;
		enum rule rule;
		enum cause cause;
		const char *says;
	} reasons[] = {
		{ XFRM_IN_STATE_MISMATCH, RULE_ENCAP_DIFFERS, CAUSE_ENCAP_MISMATCH, "one end puts ESP into UDP and the other does not" },
		{ XFRM_IN_NO_STATES, RULE_LOOKUP_KEY, CAUSE_LOOKUP_KEY_MISMATCH, "the SA stands under another mark or interface id" },
		{ XFRM_IN_STATE_PROTO_ERROR, RULE_SA_REJECTS, CAUSE_SPI_COLLISION, "the integrity check fails" },
		{ XFRM_IN_STATE_SEQ_ERROR, RULE_SA_REJECTS, CAUSE_UNKNOWN, "the sequence numbers are outside the replay window" },
		{ XFRM_IN_TMPL_MISMATCH, RULE_SA_REJECTS, CAUSE_UNKNOWN, "no policy template fits the SA" },
		{ XFRM_IN_NO_POLS, RULE_LOOKUP_KEY, CAUSE_LOOKUP_KEY_MISMATCH, "no policy holds for the interface id of the SA" },
		{ XFRM_IN_NO_POLS, RULE_SA_REJECTS, CAUSE_UNKNOWN, "no policy fits the packet" },
	};
	struct sa_key key = sa_key_of(&child->sa.local, child->sa.protocol, child->sa.spi_in);
	const struct kernel_sa *sa = kernel_has(c, &key);
	struct trouble *t;

	for (size_t i = 0; c->has_counters && i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		uint64_t grown = c->counters.value[reasons[i].counter] - child->counters_at_base[reasons[i].counter];

		if (grown < c->config.stray_count)
			continue;
		/* The kernel's own SA counts, whatever the daemon thinks that it installed. */
		if (reasons[i].cause == CAUSE_ENCAP_MISMATCH && child->arrived_udp == (sa ? sa->encap_udp : child->sa.encap_udp))
			continue;
		if (reasons[i].counter == XFRM_IN_NO_POLS && reasons[i].rule == RULE_LOOKUP_KEY && !has_interface_id(child, sa))
			continue;
		t = trouble_of_child(c, child, true);
		if (!t || (t->is.verdict == VERDICT_OTHER_FAULT && t->is.rule == reasons[i].rule))
			return;
		other_fault(c, t, reasons[i].rule, reasons[i].cause);
		trouble_evidence(c, t, FACT_STRAY, "%s grew by %llu while packets_in stood still: %s",
				 xfrm_counter_name(reasons[i].counter), (unsigned long long)grown, reasons[i].says);
		mend_consider(c, t);
		return;
	}
}

/* The kernel looks an SA up without its interface id, accepts the packet, and then has no policy for where the id leads: an
 * XFRM interface that is gone (T18). packets_in grows, XfrmInNoPols by as many, and nothing goes out. The counter is the
 * whole machine's, so both must have grown alike. */
static bool refused_by_policy(struct core *c, struct mirror_child *child)
{
	struct sa_key key = sa_key_of(&child->sa.local, child->sa.protocol, child->sa.spi_in);
	uint64_t in = child->sa.packets_in - child->policy_in, refused = c->counters.value[XFRM_IN_NO_POLS] - child->policy_refused;
	bool is_due;

	if (!c->has_counters || !has_interface_id(child, kernel_has(c, &key)))
		return false;
	is_due = child->policy_ns && c->now.mono_ns - child->policy_ns >= COMPARE_NS;
	if (is_due && child->went_both_ways && child->sa.packets_out == child->policy_out && in >= c->config.stray_count
	    && refused <= in + in / 4 && in <= refused + refused / 4)
		return true;
	if (is_due || !child->policy_ns || child->sa.packets_out != child->policy_out || in > child->sa.packets_in) {
		child->policy_ns = c->now.mono_ns;
		child->policy_in = child->sa.packets_in;
		child->policy_out = child->sa.packets_out;
		child->policy_refused = c->counters.value[XFRM_IN_NO_POLS];
	}
	return false;
}

static void policy_missing(struct core *c, struct mirror_child *child)
{
	struct trouble *t = trouble_of_child(c, child, true);

	if (!t || t->is.verdict == VERDICT_OTHER_FAULT)
		return;
	other_fault(c, t, RULE_LOOKUP_KEY, CAUSE_LOOKUP_KEY_MISMATCH);
	trouble_evidence(c, t, FACT_STRAY, "%s grew by %llu, as packets_in did, and nothing went out: no policy holds for the interface id of "
			 "the SA", xfrm_counter_name(XFRM_IN_NO_POLS),
			 (unsigned long long)(c->counters.value[XFRM_IN_NO_POLS] - child->policy_refused));
	mend_consider(c, t);
}

static bool arrivals_refused(const struct core *c, const struct mirror_child *child, int64_t begun_ns)
{
	uint64_t arrived = child->arrived_packets - child->base_packets;
	uint32_t advanced = child->arrived_sequence - child->base_sequence;

	return child->has_base && begun_ns && arrived >= c->config.stray_count && child->arrived_last_ns < begun_ns
	       && child->arrived_last_ns - child->base_ns >= c->config.stray_span_ns
	       /* A live sender counts up by one a packet. Garbage on a live SPI does not look like that. */
	       && sequence_above(child->arrived_sequence, child->base_sequence)
	       /* Nor does a recording: an SA that accepted so many packets was at that number at least. */
	       && child->arrived_sequence > (child->in <= UINT32_MAX ? child->in : 0) && advanced >= c->config.stray_count - 1
	       && advanced <= 4 * arrived + 64;
}

/* The sending end's suspicion (DESIGN.md 4): out grows, in stands still, and both went before. */
static void suspect_one_way(struct core *c, struct mirror_child *child)
{
	const struct peer *peer = mirror_peer(c, &child->sa.remote);
	const struct child_sa *sa = &child->sa;
	struct trouble *t = trouble_of_child(c, child, false);
	/* The peer's own word inside the IKE SA shortens the wait, and no more: our counters must say the same (RFC 7296
	 * 2.21.4). */
	bool told = child->refused_listed && child->in == child->refused_in
		    && c->now.mono_ns - child->refused_ns < REFUSED_FOR_NS;
	uint32_t packets = told && c->config.one_way_packets > c->config.stray_count ? c->config.stray_count
										     : c->config.one_way_packets;
	bool one_way = child->went_both_ways && sa->state == CHILD_INSTALLED
		       && sa->packets_out - child->out_at_in_moved >= packets
		       /* After an hour of silence on both sides the first packets out are no suspicion yet. */
		       && child->out_began_ns
		       && c->now.mono_ns - child->out_began_ns >= (told ? earlier(c->config.one_way_ns, SECOND_NS) : c->config.one_way_ns)
		       /* One that nobody uses any more, such as what a repair at the other end left behind, is no trouble. */
		       && c->now.mono_ns - child->out_moved_ns <= STILL_SENDS_NS;

	if (!one_way) {
		if (t && t->is.is_suspicion && t->phase == PHASE_WATCHING && child->in_moved_ns > t->is.first_ns) {
			trouble_evidence(c, t, FACT_TUNNEL_UP, "packets come in again");
			trouble_close(c, t, STATE_CLOSED);
		}
		return;
	}
	if (t && (trouble_is_open(t) || c->now.mono_ns - t->is.last_ns < c->config.close_ns))
		return;
	t = trouble_of_child(c, child, true);
	if (!t)
		return;
	/* Once more after a while: the budget's back-off doubles each time that it did not help. */
	t->is.state = STATE_OPEN;
	t->phase = PHASE_WATCHING;
	t->tried[RUNG_REKEY_SUSPECT] = 0;
	t->took_budget = false;
	t->is.last_ns = c->now.mono_ns;
	t->is.last_seen = c->now.wall;
	t->is.is_suspicion = true;
	t->is.verdict = VERDICT_UNDECIDED;
	t->is.rule = RULE_ONE_WAY;
	t->is.decided = c->now.wall;
	/* strongswan#1896 (C2): after a collision the outbound half at the other end may be missing. */
	if (peer && peer->collision_ns && peer->collision_ns > child->since_ns - COLLISION_NEAR_NS) {
		t->is.cause = CAUSE_REKEY_COLLISION;
		t->is.confidence = CONFIDENCE_POSSIBLE;
	}
	if (told)
		trouble_evidence(c, t, FACT_STRAY, "the peer says inside the IKE SA that it does not know SPI 0x%08x, which we send with",
				 sa->spi_out);
	trouble_evidence(c, t, FACT_STRAY, "%llu packets went out and none came in for %lld s, where both went before",
			 (unsigned long long)(sa->packets_out - child->out_at_in_moved),
			 (long long)((c->now.mono_ns - child->out_began_ns) / SECOND_NS));
	mend_consider(c, t);
}

/* The data plane has it after all: what looked like a loss was garbage with its SPI, while nothing else came. */
static void child_found(struct core *c, struct mirror_child *child)
{
	struct sa_key key = sa_key_of(&child->sa.local, child->sa.protocol, child->sa.spi_in);
	struct ledger_entry *entry = ledger_find(c->ledger, &key);

	child->lost = false;
	if (!entry || entry->state != LEDGER_DEAD || entry->death != DEATH_KERNEL_LOST)
		return;
	ledger_revive(c->ledger, entry);
	mirror_keep(c, entry);
	mirror_watch(c, entry, WATCH_LIVE);
	strays_known(c, &key);
}

static void note_progress(struct core *c, struct mirror_child *child)
{
	const struct child_sa *sa = &child->sa;
	struct ledger_entry *entry;

	if (child->lost && child->has_in && sa->packets_in > child->in && !kernel_speaks_for(c, sa->daemon))
		child_found(c, child);
	if (!child->has_in || sa->packets_in != child->in) {
		child->in_moved_ns = c->now.mono_ns;
		if (!child->has_in)
			child->in_moved_ns = sa->packets_in && sa->has_use_in ? c->now.mono_ns - sa->use_in_s * SECOND_NS : child->since_ns;
		child->out_at_in_moved = child->out = sa->packets_out;
		child->out_began_ns = 0;
		child->has_base = false;
	}
	if (sa->packets_out != child->out) {
		child->out_moved_ns = c->now.mono_ns;
		child->out_began_ns = child->out_began_ns ? child->out_began_ns : c->now.mono_ns;
	}
	child->has_in = true;
	child->in = sa->packets_in;
	child->out = sa->packets_out;
	/* Authenticated, unlike the sensor's numbers: no two of them had the same. */
	if (child->sa.has_spi_in && (entry = entry_of(c, child)) && entry->has_sequence && entry->state != LEDGER_DEAD
	    && sa->packets_in <= UINT32_MAX && entry->sequence_highest < sa->packets_in)
		entry->sequence_highest = (uint32_t)sa->packets_in;
	if (sa->packets_in && sa->packets_out && !child->went_both_ways) {
		child->went_both_ways = true;
		if (child->sa.has_spi_in && (entry = entry_of(c, child)))
			entry->went_both_ways = true;
	}
}

void suspect_listed(struct core *c, struct mirror_child *child, int64_t begun_ns)
{
	struct sa_key key = sa_key_of(&child->sa.local, child->sa.protocol, child->sa.spi_in);
	bool kernel = kernel_speaks_for(c, child->sa.daemon);

	if (child->sa.has_counters)
		note_progress(c, child);
	child->listed_ns = begun_ns;
	if (child->refused_ns && !child->refused_listed && begun_ns >= child->refused_ns) {
		child->refused_listed = true;
		child->refused_in = child->in;
	}
	if (child->lost || !child->sa.has_spi_in)
		return;
	if (child->rekeyed || child->sa.state == CHILD_REKEYED) {
		/* It may carry traffic still (IKEv1 keeps it), and user-space ESP tells nobody what it loses. */
		if (!kernel && child->sa.has_counters && arrivals_refused(c, child, begun_ns))
			child_lost(c, child, DEATH_KERNEL_LOST);
		return;
	}
	if (child->sa.state != CHILD_INSTALLED)
		return;
	if (kernel && !kernel_has(c, &key)) {
		/* T11. Only where the kernel was asked after the child was there, and the list after the kernel. */
		if (c->kernel_dump_ns <= child->since_ns + KERNEL_LAG_NS && !child->kernel_lost_ns) {
			if (!c->kernel_due_ns)
				c->kernel_due_ns = later(c->now.mono_ns, child->since_ns + KERNEL_LAG_NS + 1);
			return;
		}
		if (begun_ns > child->kernel_lost_ns)
			child_lost(c, child, DEATH_KERNEL_LOST);
		return;
	}
	if (child->sa.has_counters && arrivals_refused(c, child, begun_ns)) {
		if (kernel)
			child_refused(c, child);
		else
			child_lost(c, child, DEATH_KERNEL_LOST);
		return;
	}
	if (child->sa.has_counters && kernel && refused_by_policy(c, child))
		policy_missing(c, child);
	else if (child->sa.has_counters)
		suspect_one_way(c, child);
}

/* The sensor's numbers are not authenticated: who knows a live SPI can send any. One that jumps as no sender's does spoils
 * what is known, so that only steps that are harmless when wrong are left; it never becomes the bar for genuine strays. */
static void raise_sequence(struct ledger_entry *entry, const struct spi_count *count, const struct mirror_child *child)
{
	/* Of this life of core, and of the sensor. */
	bool is_first = !entry->packets_counted || count->packets < entry->packets_counted;
	uint64_t room = PLAUSIBLE_LOSS * (count->packets - (is_first ? 0 : entry->packets_counted)) + PLAUSIBLE_JUMP;
	bool has_in = child && child->has_in;

	if (entry->sequence_forged || !count->packets)
		return;
	if (entry->has_sequence && !sequence_above(count->sequence_highest, entry->sequence_highest))
		return;
	/* Before the first report the SA may have lived for long: what the daemon accepted tells how long. */
	if (is_first)
		room = has_in ? room + PLAUSIBLE_LOSS * child->in : UINT32_MAX;
	/* Small steps make no large one: all in all the daemon accepted a part of them. */
	if (count->sequence_highest - (entry->has_sequence ? entry->sequence_highest : 0) > room
	    || (has_in && count->sequence_highest > PLAUSIBLE_LOSS * (child->in + count->packets) + PLAUSIBLE_JUMP)) {
		entry->sequence_forged = true;
		entry->has_sequence = false;
		return;
	}
	entry->has_sequence = true;
	entry->sequence_highest = count->sequence_highest;
	entry->packets_counted = count->packets;
}

static void count_dead(struct core *c, struct ledger_entry *entry, const struct spi_count *count)
{
	if (!count->at_death)
		return;
	/* Packets that came after the latest report and before the death: what is replayed of them shall prove nothing. What
	 * the data plane had lost were strays already. */
	if (entry->death != DEATH_KERNEL_LOST) {
		raise_sequence(entry, count, NULL);
		mirror_keep(c, entry);
	}
}

void core_spi_count(struct core *c, const struct spi_count *count, struct moment now)
{
	struct ledger_entry *entry = ledger_find(c->ledger, &count->key);
	struct mirror_child *child;
	struct mirror_daemon *daemon;

	c->now = now;
	if (!entry || entry->daemon >= GATEWAY_DAEMONS_MAX)
		return;
	daemon = &c->daemons[entry->daemon];
	child = mirror_child_of_spi(c, &count->key);
	/* One that was replaced is dead to the ledger and may be listed for a while, and used. */
	if (entry->state == LEDGER_DEAD && (count->at_death || !child || child->lost)) {
		count_dead(c, entry, count);
		return;
	}
	if (count->at_death || !count->packets || !daemon->state.up || (child && child->kernel_lost_ns))
		return;
	raise_sequence(entry, count, child);
	if (!child || count->packets == child->arrived_packets)
		return;
	if (count->packets < child->arrived_packets) /* a sensor that started anew */
		child->has_base = false;
	child->arrived_packets = count->packets;
	child->arrived_sequence = count->sequence_highest;
	child->arrived_last_ns = count->last_ns;
	child->arrived_udp = count->encap_udp;
	if (!child->has_base) {
		child->has_base = true;
		child->base_packets = count->packets;
		child->base_sequence = count->sequence_highest;
		child->base_ns = count->last_ns;
		for (int i = 0; i < XFRM_COUNTERS; i++)
			child->counters_at_base[i] = c->counters.value[i];
	}
	if (now.mono_ns - child->kept_ns >= KEEP_NS) {
		child->kept_ns = now.mono_ns;
		mirror_keep(c, entry);
	}
	/* Nobody tells when user-space ESP loses an SA: its counters are asked while packets arrive. */
	if (daemon->state.user_space_esp)
		mirror_hurry(c, entry->daemon);
}
