/* SPDX-License-Identifier: MIT */
/* The ladder for Cisco tunnels keyed by IKE, faults.md g; and EzVPN, and the tunnel whose kind only a show can tell. */
#include "plan/ladder.h"

#include "model/kind.h"

static bool observer_is_cisco(const struct ladder *l)
{
	return l->incident->dialect <= DIALECT_ASA; /* unknown, IOS, ASA */
}

static bool tunnel_is_behind_nat(const struct incident *i)
{
	return i->encap_udp || (i->flags & FLAG_NAT_T);
}

/* "Where $S is yours to log in to", when that is the question. */
static const char *sender_case(const struct ladder *l)
{
	if (!observer_is_cisco(l) && !l->incident->confirmed_at_sender)
		return "On a Cisco sender";
	return l->incident->src_owner == OWNERSHIP_OURS ? NULL : "Where $S is yours to log in to";
}

static const char *receiver_case(const struct ladder *l)
{
	return l->incident->src_owner == OWNERSHIP_FOREIGN ? NULL : "Where $S is foreign or cannot be reached";
}

static void add_nat_neighbours(struct ladder *l, struct plan_step *step, const char *template)
{
	if (tunnel_is_behind_nat(l->incident))
		ladder_blast(l, step, template);
}

static void sender_entry(struct ladder *l)
{
	struct plan_step *step;

	if (!l->names.has_protocol)
		return;
	step = ladder_step(l, PLAN_SENDER, &l->incident->src, sender_case(l));
	ladder_command(l, step, "clear crypto sa entry $R $P $X");
	ladder_blast(l, step, "this SA and the sibling SAs of the same negotiation; new ones come with the next packet");
	ladder_when(l, step, "First read the table once more with `show crypto ipsec sa peer $R`: a rekey may have ended $X. ");
	ladder_why(l, step, "The saved table of $S lists $X as outbound to $R, and $R does not have it. If the image refuses hex, "
			    "type the SPI as $D.");
}

static void sender_peer(struct ladder *l)
{
	struct plan_step *step = ladder_step(l, PLAN_SENDER, &l->incident->src, sender_case(l));

	ladder_command(l, step, "clear crypto sa peer $R");
	ladder_blast(l, step, "the SAs with this peer: every flow between $S and $R, in every protected VRF");
	add_nat_neighbours(l, step, "; and those of every peer behind the same NAT address");
	if (l->incident->confirmed_at_sender && l->names.has_protocol)
		ladder_when(l, step, "Only if the exact SA could not be cleared, or traffic does not flow after it. ");
	else
		ladder_when(l, step, "First confirm here with `show crypto ipsec sa peer $R` that the current outbound spi is $X ($D); if "
				     "it is another one, clear nothing. ");
	ladder_why(l, step, "$S holds the stale outbound SA, so this is the end to act at. IKE negotiates new SAs with the next "
			    "packet (B14). On an ASA the command is `clear crypto ipsec sa peer $R`.");
}

static void receiver_peer(struct ladder *l)
{
	struct plan_step *step = ladder_step(l, PLAN_RECEIVER, &l->incident->dst, receiver_case(l));

	ladder_command(l, step, l->incident->dialect == DIALECT_ASA ? "clear crypto ipsec sa peer $S" : "clear crypto sa peer $S");
	ladder_blast(l, step, "the good SAs of $R with this peer: every flow between $R and $S, in every protected VRF");
	add_nat_neighbours(l, step, "; and those of every peer behind the same NAT address");
	if (l->incident->tunnel_kind == TUNNEL_UNKNOWN)
		ladder_when(l, step, "Not where $R uses a dynamic crypto map or mGRE with dynamic NHRP: it cannot start IKE towards $S "
				     "there (B12). ");
	ladder_why(l, step, "This drops the SAs that $R does have with $S ($X is not among them), IKE negotiates new ones, and $S "
			    "moves to them (B14).");
	if (l->incident->src_owner == OWNERSHIP_FOREIGN)
		ladder_why(l, step, " You cannot type at $S. Better, if there is time: ask its operator to clear the outbound SA $X "
				    "towards $R there, which leaves the good SAs alone.");
}

static void sender_session(struct ladder *l)
{
	struct plan_step *step = ladder_step(l, PLAN_SENDER, &l->incident->src, sender_case(l));

	step->needs_approval = true;
	ladder_command(l, step, "clear crypto session remote $R");
	ladder_blast(l, step, "the IKE SA and all IPsec SAs of $S with this peer; its users notice");
	add_nat_neighbours(l, step, "; and those of every peer behind the same NAT address");
	ladder_when(l, step, "Only if the SAs could not be cleared, or the IKE SAs of both ends disagree.");
	if (l->incident->src_owner == OWNERSHIP_UNKNOWN && l->incident->dialect <= DIALECT_IOS && ladder_at_receiver(l) &&
	    ladder_receiver_may_initiate(l))
		ladder_why(l, step, " Where $S cannot be reached, the same at $R with the address $S.");
}

static void receiver_session(struct ladder *l)
{
	struct plan_step *step = ladder_step(l, PLAN_RECEIVER, &l->incident->dst, NULL);

	step->needs_approval = true;
	ladder_command(l, step, "clear crypto session remote $S");
	ladder_blast(l, step, "the IKE SA and all IPsec SAs of $R with this peer; its users notice");
	add_nat_neighbours(l, step, "; and those of every peer behind the same NAT address");
	ladder_when(l, step, "Only if clearing the SAs did not make $S use new ones.");
}

/* B11, B12, B13: for the next time, never the repair of this one. */
static void propose_recovery(struct ladder *l)
{
	enum kind_recovery recovery = kind_invalid_spi_recovery(l->incident->tunnel_kind);
	struct plan_step *step;

	if (recovery != RECOVERY_YES && recovery != RECOVERY_UNKNOWN)
		return;
	if (l->incident->dialect == DIALECT_ASA || !ladder_at_receiver(l))
		return;
	step = ladder_step(l, PLAN_RECEIVER, &l->incident->dst, NULL);
	step->needs_approval = true;
	ladder_command(l, step, "crypto isakmp invalid-spi-recovery");
	ladder_blast(l, step, "no SA; but DoS exposure from then on: forged packets can make $R start IKE towards its peers");
	ladder_when(l, step, "Configuration mode, for the next time. ");
	ladder_why(l, step, "Where $R has no IKE SA with $S, it then starts IKE and sends the DELETE for "
			    "the unknown SPI over it (B11). ");
	if (l->incident->saw[FACT_NO_DELETE] || l->incident->saw[FACT_NO_IKE_SA])
		ladder_why(l, step, "That is the case here: the logs say that there was no IKE SA, so the DELETE that IOS sends without "
				    "this line (B10) could not go out. ");
	if (recovery == RECOVERY_UNKNOWN)
		ladder_why(l, step, "It works for static crypto maps, point-to-point GRE, mGRE with static NHRP and static VTI; not for "
				    "dynamic crypto maps and mGRE with dynamic NHRP; not applicable to an EzVPN client (B12). ");
	ladder_why(l, step, "DoS exposure; a repair, not a cure: the root cause still has to be found (B13).");
}

/* B12: R cannot start IKE, so what is left is S, or time. */
static void wait_for_sender(struct ladder *l)
{
	struct plan_step *step = ladder_word(l, PLAN_RECEIVER, NULL);

	if (!ladder_at_sender(l))
		ladder_why(l, step, "Ask the operator of $S to clear the outbound SA $X towards $R: you cannot type there. ");
	ladder_why(l, step, "$R cannot start IKE towards $S on a tunnel of this kind (B12), so clear nothing at $R. If nothing can "
			    "be typed at $S, wait: it ends when DPD at $S fires or the SA expires there (B8).");
}

static void ask_both(struct ladder *l)
{
	struct plan_step *step = ladder_word(l, PLAN_RECEIVER, NULL);

	ladder_why(l, step, "Neither $S nor $R is yours. Ask the operator of $S to clear the outbound SA $X towards $R, and tell "
			    "the operator of $R.");
}

void ladder_cisco_sender(struct ladder *l)
{
	if (!ladder_at_sender(l))
		return;
	if (l->incident->confirmed_at_sender)
		sender_entry(l);
	sender_peer(l);
}

void ladder_cisco(struct ladder *l)
{
	bool receiver = ladder_at_receiver(l) && l->incident->src_owner != OWNERSHIP_OURS && ladder_receiver_may_initiate(l);

	if (!ladder_at_sender(l) && !ladder_at_receiver(l)) {
		ask_both(l);
		return;
	}
	ladder_cisco_sender(l);
	if (receiver)
		receiver_peer(l);
	if (ladder_at_sender(l))
		sender_session(l);
	else if (receiver && l->incident->dialect <= DIALECT_IOS)
		receiver_session(l);
	if (!ladder_receiver_may_initiate(l))
		wait_for_sender(l);
	propose_recovery(l);
}

void ladder_ezvpn(struct ladder *l)
{
	struct plan_step *step = ladder_step(l, PLAN_CLIENT, NULL, NULL);

	ladder_harmless(l, step);
	ladder_command(l, step, "show crypto ipsec client ezvpn");
	ladder_why(l, step, "Of $S and $R the client is the one whose configuration has `crypto ipsec client ezvpn`; this shows "
			    "its tunnel. Act there: only the client starts an EzVPN connection.");
	step = ladder_step(l, PLAN_CLIENT, NULL, NULL);
	step->needs_approval = true;
	ladder_command(l, step, "clear crypto ipsec client ezvpn");
	ladder_blast(l, step, "every EzVPN connection of this client; each comes up again as its configuration says: by itself, by "
			      "traffic, or by `crypto ipsec client ezvpn connect`");
	ladder_when(l, step, "Only when it is clear which end is the client. ");
	ladder_why(l, step, "The client drops its connection and negotiates all SAs anew, so neither end keeps $X. Invalid SPI "
			    "recovery does not apply to an EzVPN client (B12).");
}

void ladder_open_tunnel(struct ladder *l)
{
	struct plan_step *step = ladder_look(l, "show crypto ipsec sa peer $S | include map tag|local ident",
					     "show crypto ipsec sa peer $R | include map tag|local ident");

	ladder_when(l, step, "The interface's name does not tell whether IKE or SD-WAN makes the keys of this tunnel: it is SD-WAN "
			     "if the map tag contains `-vesen-head-`, or if the port at the end of the local ident is 12346 to 12445. ");
	ladder_why(l, step, "In doubt take it for "
			    "SD-WAN: an SA that is cleared there does not come back by itself (B17).");
	l->branch = "If it is an IKE tunnel";
	ladder_cisco(l);
	l->branch = "If `-vesen-head-` is in the map tag (SD-WAN)";
	ladder_sdwan(l, false);
	l->branch = NULL;
}
