/* SPDX-License-Identifier: MIT */
#include "plan/explain.h"

#include <inttypes.h>

#include "plan/explain_sections.h"
#include "model/kind.h"
#include "plan/names.h"

static const struct {
	const char *key, *title;
} sections[EXPLAIN_SECTIONS] = {
	[EXPLAIN_RESTS_ON] = { "rests_on", "What it rests on" },
	[EXPLAIN_RULE] = { "rule", "Which rule gave the verdict" },
	[EXPLAIN_WOULD_CHANGE] = { "would_change", "What would change the verdict" },
	[EXPLAIN_ENDS] = { "ends", "When it ends by itself" },
	[EXPLAIN_DEFECTS] = { "defects", "Known defects" },
	[EXPLAIN_COLLECT] = { "collect", "What to collect, at which end" },
	[EXPLAIN_DO] = { "do", "What to do" },
	[EXPLAIN_DO_NOT] = { "do_not", "What not to do" },
	[EXPLAIN_FIX] = { "fix", "What to fix so that it does not come again" },
};

const char *explain_section_key(enum explain_section section)
{
	return section < EXPLAIN_SECTIONS ? sections[section].key : "";
}

const char *explain_section_title(enum explain_section section)
{
	return section < EXPLAIN_SECTIONS ? sections[section].title : "";
}

void explain_duration(struct buffer *out, const char *before, int64_t ns, const char *after)
{
	buffer_add_string(out, before);
	calendar_print_duration(out, ns);
	buffer_add_string(out, after);
}

int64_t explain_span(const struct incident *i)
{
	int64_t span;

	if (!i->has_times || __builtin_sub_overflow(i->last_seen.ns, i->first_seen.ns, &span) || span < 0)
		return 0;
	return span;
}

/* How often the dialect writes the line at all: why a repeat proves something. */
const char *explain_pace(enum fact_dialect dialect)
{
	switch (dialect) {
	case DIALECT_IOS:
		return "IOS writes this line at most once a minute"; /* B3 */
	case DIALECT_ASA:
		return "An ASA writes this line at most once in 5 s";
	case DIALECT_SCREENOS:
		return "ScreenOS writes this line at most once in 10 s and tunnel";
	case DIALECT_UNKNOWN:
		return "The line may be limited to one a minute";
	default:
		return "The overlap of a rekey is over within seconds";
	}
}

static void say_repeat(const struct incident *i, const struct names *n, struct buffer *out)
{
	int64_t span = explain_span(i);
	bool ike = kind_has_ike(i->tunnel_kind);

	if (i->messages > 2) {
		buffer_printf(out, "The same flow and SPI was seen %" PRIu64 " times", i->messages);
		if (span > 0)
			explain_duration(out, " over ", span, "");
	} else {
		buffer_add_string(out, "The same flow and SPI came again");
		if (i->gap_ns > 0)
			explain_duration(out, " after ", i->gap_ns, "");
	}
	if (names_early_swapped(i)) {
		names_say(n, out, ". $X is printed with its bytes swapped (CSCvx23833): $W is an SA that the log shows being created. "
				  "This is early use of a new SA, not a lost one (C11).");
		return;
	}
	buffer_printf(out, ". %s, so ", explain_pace(i->dialect));
	if (i->gap_needed_ns > 0)
		explain_duration(out, "a repeat at least ", i->gap_needed_ns, " apart");
	else
		buffer_add_string(out, "such a repeat");
	if (names_gone_quiet(i))
		names_say(n, out, ike ? " means the sender still used an SA that $R did not have (B7)."
				      : " means the sender still used a key that $R did not have (B7).");
	else
		names_say(n, out, ike ? " means the sender still uses an SA that $R does not have (B7)."
				      : " means the sender still uses a key that $R does not have (B7).");
}

static void say_close_repeat(const struct incident *i, struct buffer *out)
{
	int64_t span = explain_span(i);

	buffer_printf(out, "The same flow and SPI came %" PRIu64 " times", i->messages);
	if (i->gap_ns == 0 && i->flags & FLAG_CLOCK_JUMPED) {
		buffer_add_string(out, ", but the observer's clock went back in between: how far apart they came is not known");
	} else {
		if (span > 0)
			explain_duration(out, " within ", span, "");
		if (i->gap_needed_ns > i->gap_ns)
			explain_duration(out, ", but never ", i->gap_needed_ns, " apart");
		else
			buffer_add_string(out, ", one of so many SPIs of that source that two may meet by chance");
	}
	buffer_add_string(out, ". One rekey may look like this (B6), and so may the beginning of a black hole (B7).");
}

static void say_once(const struct incident *i, struct buffer *out, bool quiet)
{
	const char *times = i->messages > 1 ? "Seen at one moment only" : "Seen once";

	buffer_add_string(out, times);
	if (i->quiet_ns > 0)
		explain_duration(out, ", and the observer's log goes on for ", i->quiet_ns, " without it");
	if (quiet) {
		buffer_add_string(out, ". One line for a flow and SPI is normally a rekey: the peer used the new SA a moment too early or "
				       "the old one too long, and a few packets were lost (B6).");
		return;
	}
	buffer_add_string(out, i->quiet_ns > 0 ? "" : ", and no later log of that observer was given");
	if (i->quiet_needed_ns > 0)
		explain_duration(out, "; ", i->quiet_needed_ns, " would be needed");
	buffer_add_string(out, ". A harmless rekey looks like that (B6), and so does the first line of a black hole (B7).");
}

static void say_sa_table(const struct incident *i, const struct names *n, struct buffer *out)
{
	if (i->confirmed_at_sender && i->confirmed_at_receiver)
		names_say(n, out, "The saved table of $S lists $X as outbound to $R; the saved table of $R lists other inbound SPIs for "
				  "$S, not this one. $S encrypts with an SA that $R does not have.");
	else if (i->confirmed_at_sender)
		names_say(n, out, "The saved table of $S lists $X as outbound to $R, and $R reports that it does not have it.");
	else
		names_say(n, out, "The saved SA tables show that $R lacks the SA $X that $S uses.");
}

static void say_sa_found(const struct incident *i, const struct names *n, struct buffer *out)
{
	if (i->cause == CAUSE_SPI_0XFF) {
		names_say(n, out, "The SPI $X starts with 0xff: known releases drop such packets as invalid although the SA is there "
				  "(CSCvp16730).");
		return;
	}
	if (names_fault(i) == FACT_NOT_IPSEC) {
		names_say(n, out, "$S sent in clear what $R expects encrypted: $S has no SA, or its policy differs. That is the opposite "
				  "fault.");
		return;
	}
	if (names_fault(i) == FACT_REPLAY)
		names_say(n, out, "$R has the SA and dropped packets as replayed: their sequence numbers are older than its window. No SA "
				  "is missing.");
	else if (names_fault(i) == FACT_INTEGRITY)
		names_say(n, out, "$R has the SA and the integrity check failed: another key, damaged packets or forged ones. No SA is "
				  "missing.");
	else if (names_fault(i) == FACT_SELECTOR)
		names_say(n, out, "$R has the SA and the inner packet does not match its selectors: a policy differs. No SA is missing.");
	else if (names_fault(i) == FACT_HARDWARE)
		names_say(n, out, "The crypto hardware of $R reported the error. No SA is missing.");
	else
		names_say(n, out, "The message says that $R found the SA: no SA is missing.");
}

/* "1 SPI", "1258 SPIs", "about 1000000 SPIs": of what made room only the number of flows is known. */
static void say_spis(const struct incident *i, bool begin, struct buffer *out)
{
	if (i->flags & FLAG_EVIDENCE_CUT && i->spis > 1)
		buffer_add_string(out, begin ? "About " : "about ");
	buffer_printf(out, "%" PRIu64 " SPI%s", i->spis, i->spis == 1 ? "" : "s");
}

static void say_sources(const struct incident *i, const struct names *n, struct buffer *out)
{
	if (n->has_src)
		buffer_add_string(out, n->src);
	else if (i->sources == 0)
		buffer_add_string(out, "sources that the messages do not name");
	else
		buffer_printf(out, "%s%" PRIu64 " source%s", i->flags & FLAG_EVIDENCE_CUT ? "at least " : "", i->sources,
			      i->sources == 1 ? "" : "s");
}

static void say_strangers(const struct incident *i, const struct names *n, struct buffer *out)
{
	if (n->has_src || i->sources < 2) {
		names_say(n, out, "$S is no known peer of this observer.");
	} else {
		say_spis(i, true, out);
		buffer_add_string(out, " came from ");
		say_sources(i, n, out);
		buffer_add_string(out, ", none of which is a known peer.");
	}
	buffer_add_string(out, " IPsec packets from strangers are scans or leftovers: nothing is broken.");
}

static void say_many_sources(const struct incident *i, const struct names *n, struct buffer *out)
{
	if (n->has_spi)
		names_say(n, out, "The SPI $X");
	else
		say_spis(i, true, out);
	buffer_add_string(out, " came from ");
	say_sources(i, n, out);
	buffer_add_string(out, n->has_spi ? "" : ", each SPI from more than one");
	buffer_add_string(out, ". The receiver gives an SPI to one peer: this is a scan or forged.");
}

static void say_noise(const struct incident *i, const struct names *n, struct buffer *out)
{
	switch (i->rule) {
	case RULE_STRANGER:
		say_strangers(i, n, out);
		break;
	case RULE_MANY_SPIS:
		say_spis(i, true, out);
		buffer_add_string(out, " came from ");
		say_sources(i, n, out);
		buffer_add_string(out, n->has_src || i->sources == 1 ? "" : ", from each of them many");
		buffer_add_string(out, ", none of them again later. A live SA repeats its SPI: this is a scan or forged.");
		break;
	case RULE_MANY_SOURCES:
		say_many_sources(i, n, out);
		break;
	default:
		say_spis(i, true, out);
		buffer_add_string(out, " came from ");
		say_sources(i, n, out);
		buffer_add_string(out, " at nearly the same time, none of them again later: a scan or forged packets.");
		break;
	}
}

/* Calm flows of a long log that made room for others. */
static void say_many_once(const struct incident *i, const struct names *n, struct buffer *out)
{
	buffer_printf(out, "%" PRIu64 " flows from ", i->spis);
	say_sources(i, n, out);
	buffer_add_string(out, " were seen once each");
	if (i->quiet_ns > 0)
		explain_duration(out, " and not again for at least ", i->quiet_ns, "");
	buffer_add_string(out, ", then made room for later ones: they are reported as one. One line for a flow and SPI is normally "
			       "a rekey (B6).");
}

static void say_no_source(const struct names *n, struct buffer *out)
{
	if (n->has_src && n->has_spi && n->has_dst)
		buffer_add_string(out, "The message does not say enough to tell one flow from another.");
	else if (n->has_src && n->has_spi)
		buffer_add_string(out, "The message does not name the destination, so nothing can be said about the flow.");
	else if (n->has_src)
		buffer_add_string(out, "The message does not name the SPI, so a repeat cannot be told from a new SA.");
	else
		buffer_add_string(out, n->has_spi ? "The message does not name the source, so nothing can be said about the flow."
						  : "The message names neither source nor SPI, so nothing can be said about the flow.");
}

void explain_verdict(const struct incident *incident, struct buffer *out)
{
	struct names n = names_of(incident);

	if (explain_live_verdict(incident, &n, out))
		return;
	switch (incident->rule) {
	case RULE_LOG_REPEAT:
		say_repeat(incident, &n, out);
		break;
	case RULE_LOG_CLOSE_REPEAT:
		say_close_repeat(incident, out);
		break;
	case RULE_LOG_ONCE_QUIET:
		if (incident->spis > 1)
			say_many_once(incident, &n, out);
		else
			say_once(incident, out, true);
		break;
	case RULE_LOG_ONCE_SHORT:
		say_once(incident, out, false);
		break;
	case RULE_LOG_NO_TIME:
		buffer_printf(out, "%" PRIu64 " %s without a usable time: how far apart they came cannot be measured, so a rekey (B6) and "
					      "a black hole (B7) look the same.", incident->messages, incident->messages == 1 ? "message" : "messages");
		break;
	case RULE_SEQUENCE_STUCK:
		buffer_add_string(out, "The packets repeat, but their ESP sequence number does not rise. A live sender counts up: these "
				       "are replayed or forged, or one packet was logged several times.");
		break;
	case RULE_REKEY_OVERLAP:
		names_say(&n, out, "The logs show that SPI $X was replaced by a rekey a moment before. The last packets on the old SA "
				   "arrived late and were lost; that is normal (B6).");
		break;
	case RULE_SA_TABLE:
		say_sa_table(incident, &n, out);
		break;
	case RULE_SDWAN_CLEARED:
		names_say(&n, out, "A saved SA table shows the SD-WAN flow between $S and $R without any SA: somebody cleared it, and "
				   "without IKE nothing makes a new one (B17).");
		break;
	case RULE_SA_FOUND:
		say_sa_found(incident, &n, out);
		break;
	case RULE_NO_SOURCE:
		say_no_source(&n, out);
		break;
	default:
		say_noise(incident, &n, out);
		break;
	}
	if (names_gone_quiet(incident))
		explain_duration(out, " Nothing more for ", incident->quiet_ns, " since: it may have ended by itself; check before you "
				"clear anything.");
}

/* faults.md c, one sentence a cause. */
static const char *const causes[CAUSE_COUNT] = {
	[CAUSE_REKEY_OVERLAP] = "packets on the old SA were still on their way when $R had removed it after a rekey.",
	[CAUSE_EARLY_USE] = "$S used the new SPI before $R had installed it.",
	[CAUSE_REKEY_COLLISION] = "both ends rekeyed at once, or a rekey crossed a delete, and each kept another SA.",
	[CAUSE_DELETE_LOST] = "$R deleted the SA and the delete did not reach $S.",
	[CAUSE_RECEIVER_LOST_STATE] = "$R lost its SAs, by a restart or a crash, and $S was not told.",
	[CAUSE_HA_FAILOVER] = "the cluster of $R failed over, and the node that took over does not have all SAs.",
	[CAUSE_LIFETIME_MISMATCH_TIME] = "the SA expires at $R before $S renews it: the lifetimes in seconds differ.",
	[CAUSE_LIFETIME_MISMATCH_VOLUME] = "a kilobyte or packet limit ended the SA at one end only.",
	[CAUSE_NAT_REBINDING] = "the NAT gave the peer another address or port, and answers go to the old one.",
	[CAUSE_ENCAP_MISMATCH] = "one end puts ESP into UDP and the other does not.",
	[CAUSE_NAT_PORT_COLLISION] = "two peers behind one public address share a port.",
	[CAUSE_CHILD_MISSING] = "$R has the IKE SA and not the IPsec SA: it was never completed, was terminated, or only the "
				"kernel lost it.",
	[CAUSE_DUPLICATE_IKE_SA] = "two IKE SAs exist between the ends, and each uses another one's IPsec SAs.",
	[CAUSE_INITIAL_CONTACT_MISSING] = "$S still uses an older IKE SA with the same identities, which $R no longer has.",
	[CAUSE_IKEV1_DANGLING_CHILD] = "the ISAKMP SA is gone and phase 2 lived on, so no delete could be sent (IKEv1).",
	[CAUSE_SPI_0XFF] = "$R drops SPIs that start with 0xff although it has the SA (CSCvp16730).",
	[CAUSE_SPI_COLLISION] = "$R gave out the same SPI twice.",
	[CAUSE_WRONG_NODE] = "the packets reach a node that never owned the SA: load balancer, ECMP, anycast or DNS.",
	[CAUSE_LOOKUP_KEY_MISMATCH] = "$R has the SA under another mark, interface id or namespace.",
	[CAUSE_SCAN_OR_SPOOF] = "a scan, or packets with a forged source.",
	[CAUSE_CONTROLLER_KEY_LAG] = "the controller's new key reached one end late or not at all.",
	[CAUSE_CLONED_PEER] = "two machines use one identity: a clone, or a site that should be off.",
	[CAUSE_UNILATERAL_DELETE] = "$R closed the SA early, by hand or for idling, without telling $S.",
	[CAUSE_CONTROLLER_SA_CLEARED] = "somebody cleared the SAs of an SD-WAN tunnel by hand, and no IKE makes new ones (B17).",
};

static void say_candidates(const struct incident *i, const struct names *n, struct buffer *out)
{
	if (i->tunnel_kind == TUNNEL_SDWAN || i->tunnel_kind == TUNNEL_IKELESS) {
		names_say(n, out, "The cause is not known. Left are a key that came late (controller-key-lag) and an SA cleared by hand "
				  "(controller-sa-cleared); ");
		names_say(n, out, n->has_src ? "`show crypto ipsec sa peer $S` at $R tells" : "the SA table of $R for this peer tells");
		buffer_add_string(out, ": with SAs the first, without any the second.");
		return;
	}
	if (names_early_swapped(i)) {
		names_say(n, out, "Likely early use: $S used the new SPI $W, which the line prints as $X (CSCvx23833), before $R had "
				  "installed it (C11). No repair, no notify.");
		return;
	}
	if (i->has_packets) {
		names_say(n, out, "The cause is not known: capture and table do not tell whether $R ever owned $X. Missing are the IKE log "
				  "of $R before the first packet and its uptime. Left are rekey-collision, delete-lost, "
				  "receiver-lost-state, child-missing and unilateral-delete.");
		return;
	}
	if (i->saw[FACT_NO_DELETE] || i->saw[FACT_NO_IKE_SA]) {
		names_say(n, out, "The cause is not known. $R has no IKE SA with $S, so receiver-lost-state and ikev1-dangling-child are "
				  "left; the uptime of $R tells which: shorter than the age of the SA at $S is the first.");
	} else if (i->saw[FACT_SA_DIED] || i->saw[FACT_REKEY] || i->saw[FACT_SA_BORN]) {
		names_say(n, out, "The cause is not known. SAs came or went near it: rekey-collision, delete-lost, unilateral-delete and "
				  "the lifetime mismatches are left. What is missing is why $X died at $R: ");
		names_say(n, out, i->dialect <= DIALECT_IOS   ? "`debug crypto isakmp` of that moment."
				  : i->dialect == DIALECT_ASA ? "the IKE debugs of that moment."
							      : "the IKE daemon's log of that moment.");
	} else {
		names_say(n, out, "The cause is not known: what was given does not tell whether $R ever owned $X. Missing are the IKE log "
				  "of $R before the first line, its uptime, and whether an IKE SA with $S exists. Left are rekey-collision, "
				  "delete-lost, receiver-lost-state, child-missing and unilateral-delete.");
	}
}

void explain_cause(const struct incident *incident, struct buffer *out)
{
	struct names n = names_of(incident);

	if (incident->cause == CAUSE_UNKNOWN || incident->cause >= CAUSE_COUNT) {
		switch (incident->verdict) {
		case VERDICT_UNDECIDED:
			buffer_add_string(out, "The cause is open as long as this may still be a transient.");
			return;
		case VERDICT_TRANSIENT:
			buffer_add_string(out, "The cause is most likely a rekey; the logs given do not show it.");
			return;
		case VERDICT_NOISE:
			buffer_add_string(out, "No SA of ours is involved.");
			return;
		case VERDICT_OTHER_FAULT:
			buffer_add_string(out, "The cause is not known: the message says what was dropped, not why.");
			return;
		case VERDICT_DESYNC:
			break;
		}
		say_candidates(incident, &n, out);
		return;
	}
	buffer_add_string(out, incident->confidence == CONFIDENCE_CERTAIN ? "Certain "
			       : incident->confidence == CONFIDENCE_LIKELY ? "Likely "
									   : "Possible ");
	buffer_printf(out, "%s: ", cause_name(incident->cause));
	names_say(&n, out, causes[incident->cause]);
}

void explain_section_write(const struct incident *incident, const struct plan *plan, enum explain_section section,
			   struct buffer *out)
{
	struct names n = names_of(incident);
	struct plan own;

	if (!plan) {
		plan_build(incident, &own);
		plan = &own;
	}
	switch (section) {
	case EXPLAIN_RESTS_ON:
		explain_rests_on(incident, &n, out);
		break;
	case EXPLAIN_RULE:
		explain_rule(incident, &n, out);
		break;
	case EXPLAIN_WOULD_CHANGE:
		explain_would_change(incident, &n, out);
		break;
	case EXPLAIN_ENDS:
		explain_ends(incident, &n, out);
		break;
	case EXPLAIN_DEFECTS:
		explain_defects(incident, out);
		break;
	case EXPLAIN_COLLECT:
		explain_collect(incident, &n, out);
		break;
	case EXPLAIN_DO:
		explain_do(incident, plan, &n, out);
		break;
	case EXPLAIN_DO_NOT:
		explain_do_not(incident, &n, out);
		break;
	case EXPLAIN_FIX:
		explain_fix(incident, &n, out);
		break;
	case EXPLAIN_SECTIONS:
		break;
	}
}
