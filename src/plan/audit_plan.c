/* SPDX-License-Identifier: MIT */
#include "plan/audit_plan.h"

#include <stdio.h>

#include "plan/ladder.h"

static struct incident incident_of(const struct audit_finding *f)
{
	return (struct incident){
		.src = f->ends[0].address, .dst = f->ends[1].address, .has_spi = f->has_spi, .spi = f->spi, .protocol = f->protocol,
		.encap_udp = f->encap_udp, .tunnel_kind = f->kind, .src_owner = OWNERSHIP_OURS, .dst_owner = OWNERSHIP_OURS,
		.dialect = f->ends[1].source == SA_BLOCK_ASA ? DIALECT_ASA : DIALECT_IOS, .verdict = VERDICT_DESYNC,
		.rule = f->code == AUDIT_SDWAN_SA_CLEARED ? RULE_SDWAN_CLEARED : RULE_SA_TABLE, .cause = f->cause,
		.flags = f->many ? FLAG_MANY_PEERS : 0, .state = STATE_OPEN, .confirmed_at_sender = true, .confirmed_at_receiver = true,
	};
}

static struct plan_step *step_at(struct ladder *l, int end)
{
	const struct spimend_address *on = end ? &l->incident->dst : &l->incident->src;

	return ladder_step(l, end ? PLAN_RECEIVER : PLAN_SENDER, on, NULL);
}

/* A command with the number of an SA that one end's own daemon gave it. */
static void numbered(struct plan_step *step, const char *command, uint32_t number)
{
	snprintf(step->command, sizeof(step->command), "%s %u", command, number);
}

/* rung 2 of faults.md g: S lists the child whose outbound SPI R does not have. */
static void swan_child(struct ladder *l, const struct audit_finding *f)
{
	struct plan_step *step;

	if (!f->ends[0].child_id) {
		step = step_at(l, 0);
		ladder_harmless(l, step);
		ladder_command(l, step, "swanctl --list-sas");
		ladder_why(l, step, "Find the child that sends with $X, then type `swanctl --rekey --child-id N` with its number. If charon does "
				    "not list it, the kernel's state is nobody's.");
		return;
	}
	if (f->ends[0].child_id) {
		step = step_at(l, 0);
		numbered(step, "swanctl --rekey --child-id", f->ends[0].child_id);
		ladder_blast(l, step, "that child only; no loss expected");
		ladder_when(l, step, "First look in `swanctl --list-sas` that this child still sends with $X. ");
		ladder_why(l, step, "$S holds the stale SA. Where $R no longer has the child it says so, and charon makes the child anew.");
	}
	if (f->ends[0].ike_id) {
		step = step_at(l, 0);
		step->needs_approval = true;
		numbered(step, "swanctl --terminate --ike-id", f->ends[0].ike_id);
		ladder_blast(l, step, "every child of that IKE SA goes down until it is initiated again");
		ladder_when(l, step, "Only if the rekey did not help. ");
		ladder_why(l, step, "Then type `swanctl --initiate --child NAME` for each of its children: a local terminate does not bring them "
				    "back.");
	}
}

static void asa_sender(struct ladder *l)
{
	struct plan_step *step = step_at(l, 0);

	ladder_command(l, step, "clear crypto ipsec sa entry $R $P $X");
	ladder_blast(l, step, "this SA and the sibling SAs of the same negotiation; new ones come with the next packet");
	ladder_when(l, step, "First read the table once more with `show crypto ipsec sa peer $R`: a rekey may have ended $X. ");
	ladder_why(l, step, "$S holds the stale outbound SA, so this is the end to act at.");
	step = step_at(l, 0);
	ladder_command(l, step, "clear crypto ipsec sa peer $R");
	ladder_blast(l, step, "the SAs with this peer: every flow between $S and $R");
	ladder_when(l, step, "Only if the exact SA could not be cleared, or traffic does not flow after it.");
}

/* The end that encapsulates or holds the stale IKE SA: a rekey below it is useless (T9). */
static void ike_sa(struct ladder *l, const struct audit_finding *f, const char *when)
{
	int end = f->ends[0].source != SA_BLOCK_SWAN && f->ends[1].source == SA_BLOCK_SWAN && f->ends[1].ike_id;
	struct plan_step *step = step_at(l, end);

	step->needs_approval = true;
	if (f->ends[end].source == SA_BLOCK_SWAN && f->ends[end].ike_id)
		numbered(step, "swanctl --terminate --ike-id", f->ends[end].ike_id);
	else if (f->ends[end].source == SA_BLOCK_ASA)
		ladder_command(l, step, "clear crypto ikev2 sa $R");
	else
		ladder_command(l, step, end ? "clear crypto session remote $S" : "clear crypto session remote $R");
	ladder_blast(l, step, "the IKE SA and all IPsec SAs with this peer; its users notice");
	ladder_when(l, step, when);
	if (f->ends[end].source == SA_BLOCK_SWAN)
		ladder_why(l, step, " Then `swanctl --initiate --child NAME` for each of its children.");
}

/* R, S, R: what tells a fault from a rekey between the readings. */
static void read_again(struct ladder *l, const struct audit_finding *f)
{
	static const int order[] = { 1, 0, 1 };

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		struct plan_step *step = step_at(l, order[i]);

		ladder_harmless(l, step);
		if (f->ends[order[i]].source == SA_BLOCK_SWAN)
			ladder_command(l, step, "swanctl --list-sas");
		else
			ladder_command(l, step, f->ike_version == 1 ? "show crypto isakmp sa" :
						f->ike_version == 2 ? "show crypto ikev2 sa" :
						order[i] ? "show crypto ipsec sa peer $S" : "show crypto ipsec sa peer $R");
		ladder_why(l, step, i == 0 ? "Read this end, the other one, then this end again, within a minute, and audit the three files in "
					     "this order." : i == 1 ? "In between." : "And again.");
	}
}

static void word(struct ladder *l, const char *text)
{
	ladder_why(l, ladder_word(l, PLAN_SENDER, NULL), text);
}

static void sdwan(const struct audit_finding *f, const struct incident *i, struct ladder *l, struct plan *ret)
{
	struct plan_step *step;

	if (f->code == AUDIT_SDWAN_SA_MISSING || f->code == AUDIT_SDWAN_KEY_DIFFERS || f->code == AUDIT_SDWAN_SA_CLEARED) {
		plan_build(i, ret);
		return;
	}
	step = step_at(l, f->code == AUDIT_SDWAN_COPY_STALE);
	ladder_harmless(l, step);
	ladder_command(l, step, f->code == AUDIT_SDWAN_COPY_STALE ? "show sdwan ipsec local-sa" : "show sdwan bfd sessions");
	ladder_why(l, step, f->code == AUDIT_SDWAN_COPY_STALE ?
				    "Read it and `show sdwan omp tlocs` at the other end again: a copy that is still old after a minute is late." :
				    "Read it again, and at both ends `show sdwan ipsec local-sa` and `show sdwan ipsec outbound-connections`.");
}

void plan_audit(const struct audit_finding *f, struct plan *ret)
{
	struct incident i = incident_of(f);
	struct ladder l = { .incident = &i, .plan = ret, .names = names_of(&i) };

	*ret = (struct plan){ 0 };
	if (f->kind == TUNNEL_SDWAN && f->severity != AUDIT_NOTE) {
		sdwan(f, &i, &l, ret);
		return;
	}
	switch (f->code) {
	case AUDIT_SA_MISSING:
		if (f->ends[0].source == SA_BLOCK_SWAN)
			swan_child(&l, f);
		else if (f->ends[0].source == SA_BLOCK_ASA)
			asa_sender(&l);
		else
			plan_build(&i, ret);
		break;
	case AUDIT_KERNEL_LOST: {
		struct plan_step *step = step_at(&l, 0);

		numbered(step, "swanctl --rekey --child-id", f->ends[0].child_id);
		ladder_blast(&l, step, "that child only; no loss expected");
		ladder_when(&l, step, "First look once more with `swanctl --list-sas` and `ip xfrm state`, a second apart. ");
		ladder_why(&l, step, "charon lists the child, so a rekey gives both ends new SAs; it refuses to initiate a duplicate.");
		break;
	}
	case AUDIT_DUPLICATE_CHILD: {
		struct plan_step *step = step_at(&l, 0);

		numbered(step, "swanctl --terminate --child-id", f->ends[0].child_id);
		ladder_blast(&l, step, "that child only; the pair that both ends hold goes on");
		ladder_why(&l, step, "The extra child, by its number. Then let one side start and the other wait (T12).");
		break;
	}
	case AUDIT_TABLES_DISAGREE:
		read_again(&l, f);
		break;
	case AUDIT_ENCAP_DIFFERS:
		ike_sa(&l, f, "The encapsulation is settled when IKE starts: only a new IKE SA changes it, at either end. ");
		break;
	case AUDIT_IKE_ONE_SIDED:
		read_again(&l, f);
		ike_sa(&l, f, "Only if the IKE SA is still there and DPD did not end it by itself. ");
		break;
	case AUDIT_LIFETIME_DIFFERS:
		word(&l, "Compare the configured lifetimes of both ends, and how far apart they were read: the shorter one ends the SA first. "
			 "Make them equal, or the later one to rekey the longer (T6).");
		break;
	case AUDIT_VOLUME_EXHAUSTED:
		word(&l, "Look whether it rekeys now. Use lifetimes by time, and switch the volume limit off at both ends (T7).");
		break;
	case AUDIT_ADDRESSES_DIFFER:
		word(&l, "Look for a NAT whose mapping changed: the client must renew its IKE SA (T8).");
		break;
	case AUDIT_NO_IKE:
		word(&l, "No Delete can be sent without an IKE SA. Let traffic or a rekey bring one up, and read again (T14).");
		break;
	default:
		break;
	}
}

const char *plan_audit_never(const struct audit_finding *f)
{
	if (f->kind == TUNNEL_SDWAN)
		return "No `clear crypto ...` on either end: an SA that is cleared on an SD-WAN tunnel does not come back by itself (B17). One "
		       "router at a time.";
	switch (f->code) {
	case AUDIT_SA_MISSING:
		return "Do not clear at the receiver: it does not have this SA, and would lose its good ones. No clear without a peer's address.";
	case AUDIT_KERNEL_LOST:
		return "Do not only initiate: charon lists the dead child still and refuses a duplicate.";
	case AUDIT_TABLES_DISAGREE:
		return "Clear nothing on this alone: a rekey between the readings looks the same.";
	case AUDIT_ENCAP_DIFFERS:
		return "No rekey, of the child or of IKE: neither changes the encapsulation.";
	case AUDIT_DUPLICATE_CHILD:
		return "Do not terminate by name: that hits all of them.";
	case AUDIT_ADDRESSES_DIFFER:
		return "No Delete and no rekey from the receiver: it would go to the old address.";
	case AUDIT_IKE_ONE_SIDED:
		return "No clear without a peer's address: that hits every peer.";
	default:
		return NULL;
	}
}

const char *plan_audit_means(enum audit_code code)
{
	switch (code) {
	case AUDIT_SA_MISSING:
		return "the sender encrypts with an SA that the receiver does not have: its packets are lost";
	case AUDIT_TABLES_DISAGREE:
		return "the two ends have no SA in common: out of step, or a rekey came between the readings";
	case AUDIT_KERNEL_LOST:
		return "the IKE daemon lists an SA that its kernel does not have";
	case AUDIT_ENCAP_DIFFERS:
		return "one end puts ESP into UDP, the other does not";
	case AUDIT_ADDRESSES_DIFFER:
		return "the two ends have one SA with different addresses: answers go astray";
	case AUDIT_DUPLICATE_CHILD:
		return "several CHILD_SAs for the same networks: the ends may use different ones";
	case AUDIT_LIFETIME_DIFFERS:
		return "the two ends do not agree on how long the SA lasts";
	case AUDIT_VOLUME_EXHAUSTED:
		return "the SA has no kilobytes left and was not rekeyed";
	case AUDIT_IKE_ONE_SIDED:
		return "an IKE SA that the other end does not have";
	case AUDIT_NO_IKE:
		return "IPsec SAs without an IKE SA";
	case AUDIT_SDWAN_SA_MISSING:
		return "the sender uses an SPI that the receiver does not accept: a key is late";
	case AUDIT_SDWAN_KEY_DIFFERS:
		return "the SPI is right, and its key is another one at the two ends";
	case AUDIT_SDWAN_SA_CLEARED:
		return "a flow keyed by the controller has no SA: somebody cleared it";
	case AUDIT_SDWAN_COPY_STALE:
		return "the controller's copy names an SPI that the router no longer accepts";
	case AUDIT_SDWAN_BFD_DOWN:
		return "a BFD session to a router whose tables were given is down";
	case AUDIT_SA_LEFTOVER:
		return "an inbound SA that the other end does not send with: harmless";
	case AUDIT_SA_UNUSED:
		return "an old outbound SA, not in use, that the receiver no longer has";
	case AUDIT_KERNEL_ONLY:
		return "the kernel has an SA that the IKE daemon does not list";
	case AUDIT_FLOW_WITHOUT_SAS:
		return "a flow is configured and has no SA: idle, or down";
	case AUDIT_CODES:
		break;
	}
	return "";
}
