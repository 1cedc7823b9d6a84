/* SPDX-License-Identifier: MIT */
/* Ladders for observers that are not Cisco: strongSwan, Libreswan, FortiOS, others; and faults that only look alike. */
#include "plan/ladder.h"

#include "model/kind.h"

static bool only_the_sender_is_left(struct ladder *l)
{
	struct plan_step *step;

	if (ladder_at_receiver(l))
		return false;
	ladder_cisco_sender(l);
	if (l->plan->count == 0) {
		step = ladder_word(l, PLAN_RECEIVER, NULL);
		ladder_why(l, step, "Neither $S nor $R is yours. Ask the operator of $S to drop the SA $X towards $R and negotiate "
				    "again.");
	}
	return true;
}

static struct plan_step *at_receiver(struct ladder *l, const char *command, const char *blast)
{
	struct plan_step *step = ladder_step(l, PLAN_RECEIVER, &l->incident->dst, NULL);

	ladder_command(l, step, command);
	if (blast)
		ladder_blast(l, step, blast);
	else
		ladder_harmless(l, step);
	return step;
}

static void cannot_initiate(struct ladder *l)
{
	struct plan_step *step = ladder_word(l, PLAN_RECEIVER, NULL);

	ladder_why(l, step, "Where the daemon has nothing with $S: $R cannot start IKE towards a peer of this kind (B12). Act at "
			    "$S, or wait until DPD at $S fires or the SA expires there (B8).");
}

void ladder_strongswan(struct ladder *l)
{
	struct plan_step *step;

	if (only_the_sender_is_left(l))
		return;
	step = at_receiver(l, "swanctl --list-sas", NULL);
	ladder_when(l, step, "Look whether charon still lists a child with $S whose inbound SPI is $X (printed as eight digits "
			     "without 0x). ");
	ladder_why(l, step, "If it does, the "
			    "kernel lost the SA; if not, the daemon lost it too. A rekey or delete in progress: hands off.");
	if (names_device(l->incident) == DIALECT_LINUX_AUDIT)
		ladder_why(l, step, " On Libreswan: `ipsec showstates`.");
	step = at_receiver(l, "swanctl --rekey --child-id N", "that child only; no loss expected");
	ladder_when(l, step, "If charon lists the child, with number N behind the # in --list-sas: ");
	ladder_why(l, step, "A rekey gives both ends new SAs. On "
			    "IKEv2 --initiate alone would be refused as a duplicate.");
	if (!ladder_receiver_may_initiate(l)) {
		cannot_initiate(l);
	} else {
		step = at_receiver(l, "swanctl --initiate --child NAME", "no other traffic; $S keeps the stale SA until it expires");
		ladder_when(l, step, "If charon does not list the child, NAME in swanctl.conf, and $S is a peer configured by address: ");
		ladder_why(l, step, "Traffic flows on the new SAs.");
		step = at_receiver(l, "swanctl --terminate --ike-id N", "every child of that IKE SA goes down until it is initiated "
				"again");
		step->needs_approval = true;
		ladder_when(l, step, "Only if the steps before did not help; N is the number of the IKE SA in --list-sas. ");
		ladder_why(l, step, "Then type "
				    "`swanctl --initiate --child NAME` for each of its children: a local terminate does not bring them back.");
	}
	ladder_cisco_sender(l);
}

void ladder_libreswan(struct ladder *l)
{
	struct plan_step *step;

	if (only_the_sender_is_left(l))
		return;
	step = at_receiver(l, "ipsec showstates", NULL);
	ladder_when(l, step, "Look whether pluto still lists a child with $S whose inbound SPI is $X. ");
	ladder_why(l, step, "`ipsec trafficstatus` shows bytes in and out "
			    "per child: in must grow.");
	step = at_receiver(l, "ipsec whack --rekey-child --name CONN", "the child SA of that connection; no loss expected");
	ladder_when(l, step, "If pluto lists the child; CONN is the connection's name. ");
	ladder_why(l, step, "Releases before 5.0 say `--rekey-ipsec`.");
	if (!ladder_receiver_may_initiate(l)) {
		cannot_initiate(l);
	} else {
		step = at_receiver(l, "ipsec whack --initiate --name CONN", "no other traffic; $S may keep the stale SA until it expires");
		ladder_when(l, step, "If pluto does not list the child, and $S is a peer configured by address.");
	}
	ladder_cisco_sender(l);
}

void ladder_other_vendor(struct ladder *l)
{
	struct plan_step *step;

	if (only_the_sender_is_left(l))
		return;
	if (l->incident->dialect == DIALECT_FORTIGATE) {
		step = at_receiver(l, "diagnose vpn tunnel list", NULL);
		ladder_when(l, step, "Find the tunnel to $S: if $X stands there behind `dec: spi=`, the SA is not missing and this is "
				     "another fault.");
	}
	if (!ladder_receiver_may_initiate(l)) {
		ladder_cisco_sender(l);
		cannot_initiate(l);
		return;
	}
	ladder_cisco_sender(l);
	if (l->incident->src_owner == OWNERSHIP_OURS)
		return;
	if (l->incident->dialect == DIALECT_FORTIGATE) {
		step = at_receiver(l, "diagnose vpn tunnel flush NAME", "all IPsec SAs of that tunnel; its traffic stops until they are "
				"negotiated");
		ladder_when(l, step, "Where $S is foreign or cannot be reached: NAME is the tunnel's name in `diagnose vpn tunnel list`. "
				     "Never without a name: that flushes every tunnel.");
	} else {
		step = at_receiver(l, "", "the IPsec SAs of this device with that peer; its traffic stops until they are negotiated");
		ladder_why(l, step, "Where $S is foreign or cannot be reached: drop the phase 2 SAs with $S on this device, with its own "
				    "command or page and for this peer only, so that IKE negotiates new ones and $S moves to them.");
	}
	if (l->incident->src_owner == OWNERSHIP_FOREIGN)
		ladder_why(l, step, " Better, if there is time: ask the operator of $S to drop the SA $X towards $R there.");
}

static bool observer_is_swan(enum fact_dialect dialect)
{
	return dialect == DIALECT_LINUX_AUDIT || dialect == DIALECT_STRONGSWAN;
}

/* T15: the SA is there; the first octet 0xff makes R drop it. A new SPI is random. */
static void renew_0xff(struct ladder *l)
{
	const struct incident *i = l->incident;
	struct plan_step *step;

	if (!l->names.has_src || !l->names.has_dst || !kind_has_ike(i->tunnel_kind))
		return;
	if (observer_is_swan(names_device(i))) {
		if (!ladder_at_receiver(l))
			return;
		step = at_receiver(l, "swanctl --rekey --child-id N", "that child only; no loss expected");
		ladder_why(l, step, "N is the child with inbound SPI $X in `swanctl --list-sas`. The new SPI is random and hardly starts "
				    "with 0xff.");
		return;
	}
	if (i->dialect > DIALECT_ASA)
		return;
	if (ladder_at_receiver(l)) {
		step = ladder_look(l, "show crypto ipsec sa peer $S", "");
		ladder_why(l, step, "If $X stands under inbound, the SA is not missing: $R drops it because the SPI starts with 0xff "
				    "(CSCvp16730). If it does not, this is a desync after all.");
	}
	if (!ladder_at_sender(l))
		return;
	step = ladder_step(l, PLAN_SENDER, &i->src, i->src_owner == OWNERSHIP_OURS ? NULL : "Where $S is yours to log in to");
	ladder_command(l, step, "clear crypto sa peer $R");
	ladder_blast(l, step, "the SAs with this peer: every flow between $S and $R, in every protected VRF");
	ladder_when(l, step, "One new negotiation gives a new random SPI, which hardly starts with 0xff again. The cure is a fixed "
			     "release at $R.");
}

/* T16, only possible: integrity failures on one SA may be an SPI that was drawn twice. They can be forged, too. */
static void renew_collided(struct ladder *l)
{
	struct plan_step *step;

	if (!kind_has_ike(l->incident->tunnel_kind) || !l->names.has_spi || !ladder_at_receiver(l))
		return;
	if (observer_is_swan(names_device(l->incident))) {
		step = at_receiver(l, "swanctl --rekey --child-id N", "that child only; no loss expected");
	} else if (names_device(l->incident) == DIALECT_LIBRESWAN) {
		step = at_receiver(l, "ipsec whack --rekey-child --name CONN", "the child SA of that connection; no loss expected");
	} else {
		step = at_receiver(l, "", "the SAs of this negotiation");
	}
	step->needs_approval = true;
	ladder_when(l, step, "Only if the failures go on and all are on SPI $X: ");
	ladder_why(l, step, "a rekey of that SA, at either end, gives it a new SPI and key. It helps "
			    "if the SPI was given out twice, which is possible, not proved. It does not help against forged or damaged packets.");
}

void ladder_other_fault(struct ladder *l)
{
	const struct incident *i = l->incident;
	struct plan_step *step;

	if (i->cause == CAUSE_SPI_0XFF) {
		renew_0xff(l);
	} else if (names_fault(i) == FACT_REPLAY) {
		if (i->tunnel_kind != TUNNEL_SDWAN || i->src_owner == OWNERSHIP_FOREIGN)
			return; /* IKE: the SA is fine, clearing it only restarts the count */
		step = ladder_step(l, PLAN_SENDER, &i->src, NULL);
		step->needs_approval = true;
		ladder_command(l, step, "request platform software sdwan security ipsec-rekey");
		ladder_blast(l, step, "new keys for all SD-WAN tunnels of the device; IKE tunnels are not touched; with thousands of "
				      "tunnels BFD may flap");
		ladder_when(l, step, "Only if the replay drops go on. ");
		ladder_why(l, step, "No SA is missing; reports of replay drops after a NAT flap point to a rekey at "
				    "the remote end, which is $S (CSCvq75871).");
	} else if (i->cause == CAUSE_SPI_COLLISION || names_fault(i) == FACT_INTEGRITY) {
		renew_collided(l);
	}
}
