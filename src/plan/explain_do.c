/* SPDX-License-Identifier: MIT */
/* What to do, what not to do, and the known defects. */
#include "plan/explain_sections.h"
#include "model/kind.h"

static void say_step(size_t number, const struct plan_step *step, struct buffer *out)
{
	char address[SPIMEND_ADDRESS_TEXT_MAX];

	buffer_printf(out, "%zu. ", number);
	if (step->has_on)
		buffer_printf(out, "At %s (%s)", spimend_address_print(&step->on, address), plan_role_name(step->role));
	else if (step->command[0])
		buffer_printf(out, "At the %s", plan_role_name(step->role));
	else
		buffer_add_string(out, step->disturbs_nothing ? "No command" : "By hand");
	if (step->command[0])
		buffer_printf(out, ": `%s`.", step->command);
	else
		buffer_add_char(out, '.');
	buffer_printf(out, " %s", step->why);
	if (!step->disturbs_nothing)
		buffer_printf(out, " Disturbs: %s.", step->blast_radius);
	if (step->needs_approval)
		buffer_add_string(out, " A person has to agree first.");
	buffer_add_char(out, '\n');
}

/* Why a ladder is empty. */
static void say_nothing_to_type(const struct incident *i, const struct names *n, struct buffer *out)
{
	if (i->state == STATE_HEALED) {
		buffer_add_string(out, "Nothing: it has healed. Look for the root cause if it comes again.\n");
		return;
	}
	switch (i->verdict) {
	case VERDICT_TRANSIENT:
		buffer_add_string(out, "Nothing. A few packets around a rekey were lost; that is normal (B6).\n");
		return;
	case VERDICT_NOISE:
		buffer_add_string(out, "Nothing at the tunnels. If it fills the log, filter ESP and AH from sources that are no peers at "
				       "the edge.\n");
		return;
	default:
		break;
	}
	switch (i->cause) {
	case CAUSE_NAT_REBINDING:
		names_say(n, out, "Renew the IKE SA from the client's side; from here it would go to the old address.\n");
		break;
	case CAUSE_ENCAP_MISMATCH:
		buffer_add_string(out, "Take down the IKE SA of this peer and set it up again, so that both ends detect NAT anew. A rekey "
				       "keeps the encapsulation and does not help.\n");
		break;
	case CAUSE_NAT_PORT_COLLISION:
		buffer_add_string(out, "Set up that one peer again, chosen by its UDP port: the address is its neighbour's too.\n");
		break;
	case CAUSE_WRONG_NODE:
		names_say(n, out, "Correct the path: $S should reach the node that owns the SA.\n");
		break;
	case CAUSE_LOOKUP_KEY_MISMATCH:
		names_say(n, out, "Correct the mark, interface id or namespace at $R.\n");
		break;
	case CAUSE_CLONED_PEER:
		buffer_add_string(out, "Find the second machine with this identity and take it off the net.\n");
		break;
	case CAUSE_SCAN_OR_SPOOF:
		buffer_add_string(out, "Nothing at the tunnels.\n");
		break;
	default:
		if (names_fault(i) == FACT_REPLAY)
			buffer_add_string(out, "No SA is missing. If the drops go on, look for reordering on the path (QoS behind the "
					       "encryption) or widen the replay window; a packet that was recorded and sent again is dropped rightly.\n");
		else if (names_fault(i) == FACT_NOT_IPSEC)
			names_say(n, out, "Compare the policies of both ends (crypto ACLs, tunnel protection) and see whether $S has an SA with "
					  "$R.\n");
		else if (names_fault(i) == FACT_SELECTOR)
			names_say(n, out, "Compare the traffic selectors (crypto ACLs) of $S and $R.\n");
		else if (names_fault(i) == FACT_HARDWARE)
			names_say(n, out, "Look at the crypto engine of $R: `show crypto engine accelerator statistic` where the platform has "
					  "it.\n");
		else
			buffer_add_string(out, "No SA is missing, so there is nothing to clear. Watch whether it goes on.\n");
		break;
	}
}

static void say_verification(const struct incident *i, const struct names *n, bool sdwan, struct buffer *out)
{
	if (i->tunnel_kind == TUNNEL_SDWAN || i->tunnel_kind == TUNNEL_IKELESS) {
		names_say(n, out, "After each step: the SA_NOT_FOUND counter of $R stands still, its decaps grow and BFD is up. Only then "
				  "the next tunnel, and never two routers of one site at once.\n");
		return;
	}
	names_say(n, out, i->dialect <= DIALECT_ASA ? "After each step: $R decrypts on a new SPI (`#pkts decaps` grows)"
						    : "After each step: $R decrypts on a new SPI (its bytes in grow)");
	names_say(n, out, " and, where it can be read, $S no longer lists $X. Go on to the next step only if that fails.\n");
	if (sdwan)
		names_say(n, out, "On SD-WAN: the SA_NOT_FOUND counter of $R stands still, its decaps grow and BFD is up.\n");
	if (i->dialect <= DIALECT_IOS)
		buffer_add_string(out, "A silent log proves nothing within two minutes (B3).\n");
}

void explain_do(const struct incident *i, const struct plan *plan, const struct names *n, struct buffer *out)
{
	bool changes = false, sdwan = false;

	if (plan->count == 0) {
		say_nothing_to_type(i, n, out);
		return;
	}
	for (size_t s = 0; s < plan->count && s < PLAN_STEPS_MAX; s++) {
		say_step(s + 1, &plan->steps[s], out);
		changes = changes || !plan->steps[s].disturbs_nothing;
		sdwan = sdwan || strstr(plan->steps[s].command, " sdwan ");
	}
	if (!changes)
		return;
	say_verification(i, n, sdwan, out);
	if (i->verdict == VERDICT_DESYNC && kind_has_ike(i->tunnel_kind))
		buffer_add_string(out, "Collect the evidence first if you can wait two minutes: after the repair the stale SA is gone "
				       "(B13).\n");
}

static void never_by_cause(const struct incident *i, const struct names *n, struct buffer *out)
{
	switch (i->cause) { /* faults.md c, "Never" */
	case CAUSE_EARLY_USE:
		names_say(n, out, "No INVALID_SPI and no delete for $X: both kill the good new SA.\n");
		break;
	case CAUSE_HA_FAILOVER:
		buffer_add_string(out, "Restore the SA sync of the cluster first, and do not clear all peers at once: they would all "
				       "negotiate in the same second.\n");
		break;
	case CAUSE_LIFETIME_MISMATCH_TIME:
	case CAUSE_LIFETIME_MISMATCH_VOLUME:
		buffer_add_string(out, "Do not go on repairing without correcting the lifetimes: it comes again with every one of "
				       "them.\n");
		break;
	case CAUSE_NAT_REBINDING:
		buffer_add_string(out, "No delete and no rekey from the server: they go to the old address.\n");
		break;
	case CAUSE_ENCAP_MISMATCH:
		buffer_add_string(out, "No child rekey and no IKE rekey: neither changes the encapsulation.\n");
		break;
	case CAUSE_NAT_PORT_COLLISION:
		buffer_add_string(out, "Do not clear by address: that takes down the neighbours behind the same NAT.\n");
		break;
	case CAUSE_DUPLICATE_IKE_SA:
		buffer_add_string(out, "Do not terminate by name: that hits both IKE SAs. Take the unique id of the extra one.\n");
		break;
	case CAUSE_WRONG_NODE:
		buffer_add_string(out, "No delete from this node: the SA belongs to another one and works.\n");
		break;
	case CAUSE_LOOKUP_KEY_MISMATCH:
		buffer_add_string(out, "No rekeys: the new SA gets the same wrong mark.\n");
		break;
	case CAUSE_CLONED_PEER:
		buffer_add_string(out, "No automatic repair: each one throws the other machine out.\n");
		break;
	default:
		break;
	}
}

static void never_over_ike(const struct incident *i, const struct names *n, struct buffer *out)
{
	if (i->dialect <= DIALECT_ASA || i->confirmed_at_sender)
		buffer_add_string(out, "No `clear crypto sa`, `clear crypto session`, `clear crypto isakmp` or `clear crypto ikev2 sa` "
				       "without an argument: that hits all peers.\n");
	if (i->dialect > DIALECT_ASA)
		buffer_add_string(out, "Do not restart the device or its IKE daemon: that takes every tunnel down for one SA.\n");
	if (i->src_owner != OWNERSHIP_FOREIGN && i->dialect <= DIALECT_ASA && i->tunnel_kind != TUNNEL_EZVPN_CLIENT)
		names_say(n, out, "Do not begin with a clear at $R while you can reach $S: $R has no SA $X, so it would only lose its "
				  "good ones.\n");
	if (kind_invalid_spi_recovery(i->tunnel_kind) == RECOVERY_NO)
		names_say(n, out, "Do not count on `crypto isakmp invalid-spi-recovery` at $R: it does not work for this kind of tunnel "
				  "(B12).\n");
	if (i->tunnel_kind == TUNNEL_UNKNOWN && i->dialect <= DIALECT_IOS) {
		names_say(n, out, n->has_src ? "Before any clear: if `show crypto ipsec sa peer $S` at $R"
					     : "Before any clear: if the SA table of $R for this peer");
		names_say(n, out, " shows `-vesen-head-` in the map tag, it is an SD-WAN tunnel and every crypto clear breaks it for good "
				  "(B17).\n");
	}
	if (i->encap_udp || i->flags & FLAG_NAT_T)
		buffer_add_string(out, "Behind NAT the peer address may stand for several peers: a clear by address hits them all.\n");
	if (i->flags & (FLAG_SPI_SMALL | FLAG_SPI_RESERVED))
		buffer_add_string(out, "Do not clear manual keys (OSPFv3 and the like) or group keys: the same key comes back, and "
				       "neighbours go down.\n");
	if (i->flags & FLAG_MANY_PEERS)
		buffer_add_string(out, "Do not clear many peers at once: repair one, verify, then the rest with pauses.\n");
}

static void say_early_swapped(const struct names *n, struct buffer *out)
{
	names_say(n, out, "No clear, no INVALID_SPI notify and no delete for $W: they kill the good new SA (C11).\n");
}

void explain_do_not(const struct incident *i, const struct names *n, struct buffer *out)
{
	bool cleared = i->cause == CAUSE_CONTROLLER_SA_CLEARED || i->rule == RULE_SDWAN_CLEARED;

	if (i->tunnel_kind == TUNNEL_SDWAN) {
		buffer_add_string(out, "No `clear crypto sa peer` and no other crypto clear: there is no IKE to make a new SA, and the "
				       "tunnel stays down (B17).\n");
		if (cleared)
			buffer_add_string(out, "No ipsec-rekey either: after the SA was cleared it does nothing (B17).\n");
		buffer_add_string(out, "Never two routers of one site at once, and no second one before the first is verified.\n");
		never_by_cause(i, n, out);
		return;
	}
	if (i->tunnel_kind == TUNNEL_IKELESS) {
		buffer_add_string(out, "No crypto clear and nothing over IKE: only the controller makes keys for this tunnel.\n");
		never_by_cause(i, n, out);
		return;
	}
	switch (i->verdict) {
	case VERDICT_TRANSIENT:
		buffer_add_string(out, "Do not clear anything: the tunnel works.\n");
		break;
	case VERDICT_NOISE:
		buffer_add_string(out, "Send nothing to the sources and start no IKE towards them: forged packets would aim it at "
				       "others.\n"
				       "Do not clear any tunnel because of them.\n");
		break;
	case VERDICT_OTHER_FAULT:
		buffer_add_string(out, i->cause == CAUSE_SPI_0XFF ? "Do not take the new SPI for the cure: that is a release without the "
				"defect.\n"
								  : "Do not clear SAs as for an unknown SPI: none is missing.\n");
		break;
	case VERDICT_UNDECIDED:
		if (names_early_swapped(i)) {
			say_early_swapped(n, out);
			break;
		}
		buffer_add_string(out, "Do not clear anything on this sighting alone: if it was a rekey, the tunnel works.\n");
		never_over_ike(i, n, out);
		break;
	case VERDICT_DESYNC:
		if (names_early_swapped(i))
			say_early_swapped(n, out);
		else
			never_over_ike(i, n, out);
		break;
	}
	never_by_cause(i, n, out);
}

static const char *const fits[] = {
	[DEFECT_DOES_NOT_FIT] = "does not fit",
	[DEFECT_CANNOT_TELL] = "cannot be told",
	[DEFECT_POSSIBLE] = "possible",
	[DEFECT_FITS] = "fits",
};

void explain_defects(const struct incident *i, struct buffer *out)
{
	for (int fit = DEFECT_FITS; fit >= DEFECT_DOES_NOT_FIT; fit--) {
		for (size_t d = 0; d < DEFECTS_KNOWN; d++) {
			struct buffer why = { 0 };

			if (defect_match(d, i, &why) == (enum defect_fit)fit) {
				buffer_printf(out, "%s %s: ", defect_at(d)->id, fits[fit]);
				buffer_add_string(out, defect_at(d)->summary);
				buffer_add_char(out, ' ');
				buffer_add(out, buffer_text(&why));
				buffer_add_char(out, '\n');
			}
			buffer_done(&why);
		}
	}
}
