/* SPDX-License-Identifier: MIT */
/*
 * The ladder for Cisco SD-WAN tunnels, faults.md g. There is no IKE: whoever drops makes the key that the others use, so
 * everything is typed at R. No step here, and no word of one, ever clears an SA by hand: nothing would make a new one (B17).
 */
#include "plan/ladder.h"

static bool sa_was_cleared(const struct incident *i)
{
	return i->cause == CAUSE_CONTROLLER_SA_CLEARED || i->rule == RULE_SDWAN_CLEARED;
}

static struct plan_step *sdwan_step(struct ladder *l, const char *command, const char *blast)
{
	struct plan_step *step = ladder_step(l, PLAN_RECEIVER, &l->incident->dst, NULL);

	step->needs_approval = true; /* each is wider than the tunnel */
	ladder_command(l, step, command);
	ladder_blast(l, step, blast);
	return step;
}

void ladder_sdwan(struct ladder *l, bool with_wait)
{
	bool cleared = sa_was_cleared(l->incident);
	struct plan_step *step;

	if (!ladder_at_receiver(l)) {
		step = ladder_word(l, PLAN_RECEIVER, NULL);
		ladder_why(l, step, "The repair is typed at $R, which is not yours: ask its operator. $R makes the key that $S has to "
				    "use.");
		return;
	}
	if (with_wait && !cleared) {
		step = ladder_step(l, PLAN_RECEIVER, &l->incident->dst, NULL);
		ladder_harmless(l, step);
		ladder_why(l, step, "Wait for one BFD detection time (hello interval times multiplier, 7 s by default) and look again: "
				    "the burst after a scheduled rekey ends by itself. It goes on only if the SA_NOT_FOUND counter still grows.");
	}
	if (!cleared) {
		step = sdwan_step(l, "request platform software sdwan security ipsec-rekey",
				  "new keys for all SD-WAN tunnels of the device; IKE tunnels are not touched; with thousands of tunnels BFD "
				  "may flap");
		ladder_when(l, step, "Only if the SA_NOT_FOUND counter of $R grows. ");
		ladder_why(l, step, "$R makes new inbound keys at once and tells them over OMP, so $S gets a key that $R has (B16).");
	}
	step = sdwan_step(l, "request platform software sdwan port_hop",
			  "the BFD sessions and control connections of one colour flap: its TLOC moves to the next port; NAT and firewall state "
			  "changes too");
	ladder_when(l, step, cleared ? "Somebody cleared the SA: ipsec-rekey does nothing here any more, so the ladder starts at "
				       "this rung (B17)."
				    : "Only if ipsec-rekey did not help.");
	ladder_why(l, step, " Where the image asks for it, add `color COLOUR` with the colour of this tunnel.");
	step = sdwan_step(l, "clear sdwan omp all", "all BFD sessions of the device flap");
	ladder_when(l, step, "Only if the port hop is not possible or did not help (B17).");
	step = sdwan_step(l, "clear sdwan control connections", "all control connections and all BFD sessions of the device flap");
	ladder_when(l, step, "Only if all before failed (B17).");
}
