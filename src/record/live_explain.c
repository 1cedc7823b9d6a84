/* SPDX-License-Identifier: MIT */
/* One incident as a colleague would write it down: seen, judged, done, proved, left alone, to be fixed. */
#include <inttypes.h>

#include "model/kind.h"
#include "plan/explain.h"
#include "record/live_private.h"
#include "record/live_recurrence.h"
#include "record/values.h"

#define WIDTH 100

static void say(struct buffer *out, const char *sentence)
{
	buffer_add_string(out, "  ");
	record_add_wrapped(out, WIDTH, text_of(sentence), 2, 2);
}

/* --- What was seen --------------------------------------------------------------------------------------------- */

static void add_head(const struct live_view *view, const struct core_incident *i, struct buffer *out)
{
	char src[SPIMEND_ADDRESS_TEXT_MAX], dst[SPIMEND_ADDRESS_TEXT_MAX];
	const char *host = view->config->hostname[0] ? view->config->hostname : "This gateway";
	const char *protocol = i->key.protocol == SPIMEND_PROTOCOL_AH ? "AH" : "ESP";
	struct buffer t = { 0 };

	buffer_printf(out, "%s  %s, %s", i->id, verdict_name(i->verdict), incident_state_name(i->state));
	if (i->state == STATE_HEALED) {
		buffer_add_string(out, " after ");
		calendar_print_duration(out, live_outage(i, view->now.wall));
	}
	buffer_add_char(out, '\n');
	spimend_address_print(&i->src, src);
	spimend_address_print(&i->key.dst, dst);
	if (i->is_suspicion) {
		buffer_printf(&t, "%s sends to %s and hears nothing back on the child whose inbound SPI is 0x%08" PRIx32 " (", host, src,
			      i->key.spi);
		live_add_connection(i, &t);
		buffer_add_string(&t, "). Nobody here can see whether the other end drops it.");
	} else if (i->is_aggregate) {
		buffer_printf(&t, "%s got %s packets for %s from addresses that are no peer of ours; the first came from %s.", host, protocol,
			      dst, src);
	} else {
		buffer_printf(&t, "%s got %s packets%s from %s for %s with SPI 0x%08" PRIx32, host, protocol,
			      i->encap_udp ? " in UDP" : "", src, dst, i->key.spi);
		buffer_add_string(&t, i->verdict == VERDICT_OTHER_FAULT ? " and dropped them" : ", for which it had no SA");
		if (i->ike_name[0]) {
			buffer_add_string(&t, "; the connection is ");
			live_add_connection(i, &t);
		}
		buffer_add_char(&t, '.');
	}
	record_add_paragraph(out, WIDTH, &t);
	buffer_done(&t);
}

static void add_seen(const struct core_incident *i, struct buffer *out)
{
	struct buffer t = { 0 };

	record_add_heading(out, "What was seen");
	if (i->has_ledger && i->born.ns) {
		buffer_add_string(&t, "The SPI was ours: installed ");
		live_add_time(&t, i->born);
		if (i->died.ns) {
			buffer_add_string(&t, ", gone ");
			live_add_time(&t, i->died);
			buffer_printf(&t, " (%s)", ledger_death_name(i->death));
		}
		buffer_add_char(&t, '.');
		record_add_paragraph(out, WIDTH, &t);
	}
	for (uint32_t k = 0; k < i->evidence_count && k < CORE_EVIDENCE_MAX; k++) {
		const struct core_evidence *e = &i->evidence[k];

		live_add_time(&t, e->at);
		buffer_add_char(&t, ' ');
		record_add_printable(&t, (struct text){ e->text, strnlen(e->text, sizeof(e->text)) });
		buffer_add_string(out, "  ");
		record_add_wrapped(out, WIDTH, buffer_text(&t), 26, 2);
		buffer_clear(&t);
	}
	if (i->evidence_cut)
		say(out, "More was seen than is kept.");
	buffer_add_string(&t, "First packet ");
	live_add_time(&t, i->first_seen);
	buffer_add_string(&t, ", last ");
	live_add_time(&t, i->last_seen);
	buffer_printf(&t, "; %" PRIu64 " in all", i->packets);
	if (i->interface[0]) {
		buffer_add_string(&t, ", on ");
		record_add_printable(&t, (struct text){ i->interface, strnlen(i->interface, sizeof(i->interface)) });
	}
	if (i->replays)
		buffer_printf(&t, ", of which %" PRIu64 " were replays or leftovers and do not count", i->replays);
	buffer_add_string(&t, ". Times are UTC.");
	if (!i->is_suspicion)
		record_add_paragraph(out, WIDTH, &t);
	buffer_done(&t);
}

/* --- Why ------------------------------------------------------------------------------------------------------- */

static void add_sequence(const struct core_incident *i, struct buffer *t)
{
	if (i->sequence_known)
		buffer_printf(t, " Their sequence numbers (%" PRIu32 " to %" PRIu32 ") are above the highest that the SA had accepted "
				 "(%" PRIu32 "), so they are no recording.", i->sequence_first, i->sequence_last, i->sequence_known);
	else
		buffer_add_string(t, " The highest sequence number of the dead SA is not known, so a recording cannot be ruled out: only steps "
				     "that do no harm when that is so are allowed.");
}

static void add_rule(const struct live_view *view, const struct core_incident *i, struct buffer *t)
{
	const struct config *c = view->config;

	switch (i->rule) {
	case RULE_LEDGER_DEAD:
		buffer_printf(t, "The SPI stands in the ledger as ours and dead (%s), and its peer goes on using it: at least %" PRIu32
				 " packets over ", ledger_death_name(i->death), c->stray_count);
		calendar_print_duration(t, c->stray_span_ns);
		if (i->death == DEATH_REKEYED) {
			buffer_add_string(t, ", later than the overlap of a rekey (");
			calendar_print_duration(t, c->overlap_ns);
			buffer_add_char(t, ')');
		}
		buffer_add_char(t, '.');
		add_sequence(i, t);
		break;
	case RULE_DATA_PLANE_LOST:
		buffer_add_string(t, "The IKE daemon lists this SA as installed and the data plane drops its packets as unknown: it was lost "
				     "below the daemon, which will not notice by itself.");
		break;
	case RULE_TOO_FEW_STRAYS:
		buffer_printf(t, "The SPI was ours and is dead, but a desync needs at least %" PRIu32 " packets over ", c->stray_count);
		calendar_print_duration(t, c->stray_span_ns);
		buffer_add_string(t, "; packets in flight look like that too.");
		break;
	case RULE_REKEY_OVERLAP:
		buffer_add_string(t, "The SPI was replaced by a rekey, and the peer may go on using it for the overlap of ");
		calendar_print_duration(t, c->overlap_ns);
		buffer_add_string(t, ": harmless (T1).");
		break;
	case RULE_EARLY_USE:
		buffer_add_string(t, "The SPI is being negotiated: the peer used it a moment before it was installed here, which it may (T1b).");
		break;
	case RULE_NOT_IN_LEDGER:
		buffer_add_string(t, "The source is a peer, but the SPI was never ours as far as the ledger goes back: it may be forged or older "
				     "than the ledger. Nothing is changed on that alone.");
		break;
	case RULE_SEQUENCE_REPLAYED:
		buffer_printf(t, "The sequence numbers do not pass the highest that the SA had accepted (%" PRIu32 "): these are recorded packets, "
				 "sent again by somebody.", i->sequence_known);
		break;
	case RULE_STRAYS_ENDED:
		buffer_add_string(t, "The packets ended before they proved anything.");
		break;
	case RULE_ONE_WAY:
		buffer_add_string(t, "Packets went both ways before; then for ");
		calendar_print_duration(t, c->one_way_ns);
		buffer_printf(t, " at least %" PRIu32 " went out and none came in. The other end may drop them, or may have nothing to say.",
			      c->one_way_packets);
		break;
	case RULE_ENCAP_DIFFERS:
		buffer_add_string(t, "The SA is there, but with the other encapsulation: one end puts ESP into UDP and the other does not (T9).");
		break;
	case RULE_LOOKUP_KEY:
		buffer_add_string(t, "The SA is there, under another mark or interface id than the packets meet: a matter of configuration (T18).");
		break;
	case RULE_SA_REJECTS:
		buffer_add_string(t, "The SA is there and the kernel refuses its packets: its counters say why.");
		break;
	case RULE_PEER_CONFIRMED:
		buffer_add_string(t, "The ledger does not know the SPI, but the peer does: it closed it when it was sent a DELETE for it, and said so "
				     "inside the IKE SA. So it was encrypting with an SA that is not here.");
		break;
	case RULE_STRANGER:
		buffer_add_string(t, "None of the sources is a peer, configured or connected: scans, leftovers or forgeries. Nothing is ever sent to "
				     "strangers.");
		break;
	default:
		break;
	}
}

static void add_why(const struct live_view *view, const struct core_incident *i, const struct incident *shown,
		    struct buffer *out)
{
	struct buffer t = { 0 };

	record_add_heading(out, "Why this verdict");
	buffer_printf(&t, "Rule %s. ", rule_name(i->rule));
	add_rule(view, i, &t);
	record_add_paragraph(out, WIDTH, &t);
	explain_cause(shown, &t);
	if (t.len)
		record_add_paragraph(out, WIDTH, &t);
	buffer_done(&t);
}

/* --- What kind of tunnel it is: B12 ---------------------------------------------------------------------------- */

static const char *notes_say(enum tunnel_kind kind)
{
	switch (kind_invalid_spi_recovery(kind)) {
	case RECOVERY_YES:
		return "Yes: the peer is known in advance.";
	case RECOVERY_NO:
		return "No: the peer is not known in advance.";
	case RECOVERY_NOT_APPLICABLE:
		return kind_has_ike(kind) ? "Does not apply: it is the client, who calls in any case." : "Does not apply: there is no IKE.";
	case RECOVERY_UNKNOWN:
		break;
	}
	return "That depends on the kind.";
}

static void add_answer(const char *when, const struct repair_decision *d, struct buffer *t)
{
	buffer_printf(t, "%s: %s", when, d->rung == RUNG_NONE ? "nothing" : repair_rung_name(d->rung));
	if (d->refusal == REFUSE_NONE)
		buffer_add_string(t, ". ");
	else
		buffer_printf(t, "%s. %s ", d->rung == RUNG_NONE ? "" : ", planned only", repair_refusal_help(d->refusal));
}

static void add_kind(const struct live_view *view, const struct core_incident *i, struct buffer *out)
{
	struct repair_answer ours = live_answer(i, view->config);
	struct buffer t = { 0 };

	if (i->is_aggregate)
		return;
	record_add_heading(out, "What kind of tunnel it is");
	buffer_printf(&t, "%s. %s", tunnel_kind_name(i->tunnel_kind), kind_help(i->tunnel_kind));
	record_add_paragraph(out, WIDTH, &t);
	buffer_printf(&t, "May the receiver start IKE towards the sender, where none is left between them (B12)? %s", notes_say(i->tunnel_kind));
	record_add_paragraph(out, WIDTH, &t);
	buffer_add_string(&t, "What spimend does of a desync in mode repair, ");
	add_answer("over a living IKE SA", &ours.over_ike, &t);
	add_answer("With none left", &ours.without_ike, &t);
	record_add_paragraph(out, WIDTH, &t);
	buffer_done(&t);
}

/* --- What was done --------------------------------------------------------------------------------------------- */

static void add_done(const struct core_incident *i, struct buffer *out)
{
	struct buffer t = { 0 };

	record_add_heading(out, "What was done");
	if (i->step_count == 0)
		say(out, "Nothing.");
	for (uint32_t k = 0; k < i->step_count && k < CORE_STEPS_MAX; k++) {
		const struct core_step *s = &i->steps[k];

		live_add_time(&t, s->at);
		buffer_printf(&t, " %s, ", repair_rung_name(s->rung));
		live_add_result(s, &t);
		buffer_add_char(&t, '.');
		if (k == 0 || i->steps[k - 1].rung != s->rung) {
			buffer_add_char(&t, ' ');
			buffer_add_string(&t, repair_rung_help(s->rung));
		}
		buffer_add_string(out, "  ");
		record_add_wrapped(out, WIDTH, buffer_text(&t), 26, 2);
		buffer_clear(&t);
	}
	buffer_done(&t);
}

static const struct core_evidence *proof_of(const struct core_incident *i)
{
	for (uint32_t k = i->evidence_count < CORE_EVIDENCE_MAX ? i->evidence_count : CORE_EVIDENCE_MAX; k-- > 0;)
		if (i->evidence[k].kind == FACT_TUNNEL_UP)
			return &i->evidence[k];
	return NULL;
}

static void add_proof(const struct live_view *view, const struct core_incident *i, struct buffer *out)
{
	const struct core_evidence *proof = proof_of(i);
	struct buffer t = { 0 };

	if (i->verdict != VERDICT_DESYNC && i->verdict != VERDICT_OTHER_FAULT && !i->is_suspicion)
		return;
	record_add_heading(out, "Does traffic flow again?");
	switch (i->state) {
	case STATE_HEALED:
		buffer_add_string(&t, "Yes, since ");
		live_add_time(&t, i->healed);
		buffer_add_string(&t, ": ");
		if (proof)
			record_add_printable(&t, (struct text){ proof->text, strnlen(proof->text, sizeof(proof->text)) });
		else
			buffer_add_string(&t, "authenticated packets were accepted on the successor");
		buffer_add_string(&t, ". Packets were lost for at most ");
		calendar_print_duration(&t, live_outage(i, view->now.wall));
		buffer_add_string(&t, live_did_anything(i) ? "." : "; it healed without a step of ours.");
		break;
	case STATE_UNVERIFIED:
		buffer_add_string(&t, "Nobody can tell: neither strays nor traffic came since.");
		break;
	case STATE_GAVE_UP:
		buffer_add_string(&t, "No. Every step that a program should take was taken: a person is needed.");
		break;
	case STATE_CLOSED:
		buffer_add_string(&t, "Nothing more was seen of it.");
		break;
	case STATE_OPEN:
	case STATE_ACTING:
	case STATE_AWAITING:
	case INCIDENT_STATES:
		buffer_add_string(&t, "Not yet: packets have been lost for ");
		calendar_print_duration(&t, live_outage(i, view->now.wall));
		buffer_add_char(&t, '.');
		break;
	}
	record_add_paragraph(out, WIDTH, &t);
	buffer_done(&t);
}

/* --- What was left, and what is left --------------------------------------------------------------------------- */

/* It said that it closed the stale SA: nothing is left behind at the other end. */
static bool closed_by_peer(const struct core_incident *i)
{
	for (uint32_t k = 0; k < i->step_count && k < CORE_STEPS_MAX; k++)
		if (i->steps[k].has_result && i->steps[k].result.has_answer && i->steps[k].result.answer == PLUGIN_PEER_OWNED)
			return true;
	return false;
}

static void add_left_alone(const struct config *config, const struct core_incident *i, struct buffer *out)
{
	bool acted = i->step_count > 0;
	struct buffer t = { 0 };

	record_add_heading(out, "What was left alone, and why");
	if (i->next.refusal != REFUSE_NONE && !live_is_over(i)) {
		if (i->next.rung != RUNG_NONE)
			buffer_printf(&t, "%s: ", repair_rung_name(i->next.rung));
		buffer_add_string(&t, repair_refusal_help(i->next.refusal));
		if (i->next.refusal == REFUSE_BUDGET) {
			buffer_printf(&t, " The limits are %" PRIu32 " for one peer in ", config->per_peer_count);
			calendar_print_duration(&t, config->per_peer_ns);
			buffer_printf(&t, " and %" PRIu32 " for all in ", config->global_count);
			calendar_print_duration(&t, config->global_ns);
			buffer_add_char(&t, '.');
		}
		if (i->waits_until.ns) {
			buffer_add_string(&t, " It is looked at again at ");
			live_add_time(&t, i->waits_until);
			buffer_add_string(&t, " UTC, and done if packets are lost still.");
		}
		record_add_paragraph(out, WIDTH, &t);
	}
	if (i->verdict == VERDICT_NOISE)
		say(out, "Everything: noise is counted and never answered.");
	else if (i->verdict == VERDICT_TRANSIENT)
		say(out, "Everything: a transient ends by itself, and a repair would only disturb.");
	else if (i->is_suspicion)
		say(out, "Everything but that one child: from this end alone it is a suspicion, not a proof.");
	else if (acted && i->rung == RUNG_RESTART_IKE)
		say(out, "All other IKE SAs; every child of this one went down with it, because nothing less had helped.");
	else if (acted && i->rung == RUNG_INITIATE_IKE)
		say(out, "All other peers. With this one there was no IKE SA left that could have been spared.");
	else if (acted)
		say(out, "The IKE SA and all its other children: the fault was in one child, and the least step comes first.");
	else if (i->next.refusal == REFUSE_NONE || live_is_over(i))
		say(out, "Everything.");
	if (acted && i->rung == RUNG_INITIATE_CHILD && !closed_by_peer(i))
		say(out, "The peer may list its stale SA beside the new one until that expires: it does no harm.");
	buffer_done(&t);
}

/* So that it does not come again; faults.md c, strongSwan's words. */
static const char *cure_of(enum cause cause)
{
	switch (cause) {
	case CAUSE_REKEY_OVERLAP:
	case CAUSE_EARLY_USE:
		return "Nothing: this is how a rekey may look.";
	case CAUSE_REKEY_COLLISION:
		return "Let the ends not rekey at the same moment: different rekey_time, or a larger rand_time, in swanctl.conf.";
	case CAUSE_DELETE_LOST:
		return "The peer was not told: IKEv1 deletes are not acknowledged, IKEv2's are; and look for loss on UDP ports 500 and 4500.";
	case CAUSE_RECEIVER_LOST_STATE:
		return "The IKE daemon here started anew and told nobody. Find out why it did; for peers with a fixed address "
		       "start_action = start lets it call them at once, unique must not be \"never\", and dpd_delay at the peer bounds what is lost "
		       "without spimend.";
	case CAUSE_HA_FAILOVER:
		return "Both nodes need the same SAs: look at the cluster's synchronisation first.";
	case CAUSE_LIFETIME_MISMATCH_TIME:
		return "The SA expires here before the peer renews it: compare life_time and rekey_time of both ends.";
	case CAUSE_LIFETIME_MISMATCH_VOLUME:
		return "A byte or packet limit ends the SA at one end only: compare life_bytes, rekey_bytes and their packet counterparts of both "
		       "ends.";
	case CAUSE_ENCAP_MISMATCH:
		return "One end detected a NAT and the other did not: encap = yes at both ends, or look at what changes between them.";
	case CAUSE_LOOKUP_KEY_MISMATCH:
		return "Compare mark_in and if_id_in of the child with the marks and interfaces that its packets meet.";
	case CAUSE_CHILD_MISSING:
		return "One end lost the IPsec SA and kept the IKE SA. The IKE daemon's log of that moment tells who closed it, or whether "
		       "something below the daemon did (ip xfrm state flush, a restarted network service).";
	case CAUSE_DUPLICATE_IKE_SA:
	case CAUSE_INITIAL_CONTACT_MISSING:
		return "Several IKE SAs with one identity: unique = replace, and no cloned identities.";
	case CAUSE_IKEV1_DANGLING_CHILD:
		return "IKEv1 lets a child outlive its IKE SA: use IKEv2 where both ends can.";
	case CAUSE_UNILATERAL_DELETE:
		return "One end closed it alone: its log tells why, and whether its delete was ever sent.";
	case CAUSE_SCAN_OR_SPOOF:
		return "Nothing: the Internet is like that. A packet filter for ESP from others than the peers keeps it off.";
	default:
		return "The cause is not known: compare the logs of both IKE daemons around the times above.";
	}
}

static void add_fix(const struct live_view *view, const struct core_incident *i, const struct incident *shown,
		    struct buffer *out)
{
	struct buffer t = { 0 };
	struct plan plan;

	record_add_heading(out, live_is_over(i) ? "What to fix so that it does not come again" : "What to do");
	live_plan(i, shown, &plan);
	for (size_t k = 0; k < plan.count; k++) {
		const struct plan_step *s = &plan.steps[k];
		char address[SPIMEND_ADDRESS_TEXT_MAX];

		buffer_printf(&t, "%zu. at %s%s: %s", k + 1, s->has_on ? spimend_address_print(&s->on, address) : "the ",
			      s->has_on ? "" : plan_role_name(s->role), s->command[0] ? s->command : "");
		if (!s->disturbs_nothing && s->blast_radius[0])
			buffer_printf(&t, " (disturbs: %s)", s->blast_radius);
		if (!s->command[0])
			buffer_add_string(&t, s->why);
		record_add_paragraph(out, WIDTH, &t);
	}
	say(out, cure_of(i->cause));
	live_recurrence_of(view, i, out);
	buffer_done(&t);
}

static void add_other_modes(const struct live_view *view, const struct core_incident *i, struct buffer *out)
{
	struct buffer t = { 0 };

	if (i->verdict != VERDICT_DESYNC && !i->is_suspicion)
		return;
	record_add_heading(out, "In another mode");
	if (view->config->mode == MODE_REPAIR) {
		say(out, "Modes observe and advise would have sent nothing: the packets would be lost until the peer's SA expires, its DPD fires "
			 "(which it does not while the IKE SA lives), or a person acts. Mode advise shows the plan.");
	} else if (i->next.rung != RUNG_NONE) {
		buffer_printf(&t, "Mode is %s. In mode repair this would be done: %s. ", mode_name(view->config->mode),
			      repair_rung_name(i->next.rung));
		buffer_add_string(&t, repair_rung_help(i->next.rung));
		record_add_paragraph(out, WIDTH, &t);
	} else {
		buffer_printf(&t, "Mode is %s. In mode repair nothing more would be done now.", mode_name(view->config->mode));
		record_add_paragraph(out, WIDTH, &t);
	}
	buffer_done(&t);
}

void live_explain_text(const struct live_view *view, const struct core_incident *incident, struct buffer *out)
{
	struct core_view_room room;
	struct incident shown;

	core_view(incident, view->config, &room, &shown);
	add_head(view, incident, out);
	add_seen(incident, out);
	add_why(view, incident, &shown, out);
	add_kind(view, incident, out);
	add_done(incident, out);
	add_proof(view, incident, out);
	add_left_alone(view->config, incident, out);
	add_fix(view, incident, &shown, out);
	add_other_modes(view, incident, out);
}
