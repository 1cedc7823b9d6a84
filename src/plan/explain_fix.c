/* SPDX-License-Identifier: MIT */
/*
 * What to fix so that it does not come again: a repair is no cure (B13). By cause (faults.md c), in the words of the device
 * that it concerns, with the figures that are known; then the known defect that fits (B9).
 */
#include <inttypes.h>

#include "plan/explain_sections.h"
#include "model/kind.h"

enum words { CISCO, SWAN, OTHER };

static enum words words_of(const struct incident *i)
{
	switch (names_device(i)) {
	case DIALECT_UNKNOWN:
	case DIALECT_IOS:
	case DIALECT_ASA:
		return CISCO;
	case DIALECT_LINUX_AUDIT:
	case DIALECT_STRONGSWAN:
		return SWAN;
	default:
		return OTHER;
	}
}

struct cure {
	const char *what;         /* for every device */
	const char *words[3];     /* by enum words; NULL: nothing of its own */
};

static const struct cure cures[CAUSE_COUNT] = {
	[CAUSE_REKEY_COLLISION] = {
		"Let the two ends not rekey at the same moment: one end's lifetime clearly shorter, or more jitter.",
		{ "`crypto ipsec security-association lifetime seconds` at one end below the other's, by more than a minute.",
		  "Another rekey_time at one end, or a larger rand_time, in swanctl.conf.", NULL } },
	[CAUSE_DELETE_LOST] = {
		"$R closed the SA and the delete never reached $S. IKEv1 does not acknowledge deletes, IKEv2 does: use IKEv2 where both ends can, "
		"and look for loss on UDP ports 500 and 4500 between them.",
		{ NULL, NULL, NULL } },
	[CAUSE_RECEIVER_LOST_STATE] = {
		"Find out why $R lost its SAs: its uptime, its crash files, its log just before the first line. Then bound what a restart costs: "
		"DPD at $S ends it without anybody's help, and $R may start IKE towards $S where it knows $S in advance (B12).",
		{ "Periodic DPD at $S, for instance `crypto isakmp keepalive 10 3 periodic`; at $R `crypto isakmp invalid-spi-recovery` (B11), "
		  "whose price is that forged packets can make it start IKE.",
		  "dpd_delay at $S; start_action = start at $R for peers with a fixed address, and unique must not be \"never\".", NULL } },
	[CAUSE_HA_FAILOVER] = {
		"The node that took over did not have the SAs: mend the synchronisation of the cluster first, and test a failover.",
		{ NULL, NULL, NULL } },
	[CAUSE_LIFETIME_MISMATCH_TIME] = {
		"The SA ends at $R before $S renews it. Compare the lifetimes in seconds of both ends, and let the end that renews have the shorter "
		"one: it comes again with every lifetime until then.",
		{ "Cisco's default is 3600 s; `show crypto ipsec sa peer ADDRESS` has the remaining key lifetime at each end.",
		  "life_time at $R above rekey_time plus rand_time at $S; strongSwan by itself rekeys after 54 to 57 min.", NULL } },
	[CAUSE_LIFETIME_MISMATCH_VOLUME] = {
		"A limit in bytes or packets ends the SA at one end only. Set the same limit at both ends, or none: it comes again with the "
		"volume, not with the clock.",
		{ "Cisco's default is 4,608,000 KB; `crypto ipsec security-association lifetime kilobytes disable` takes it away.",
		  "life_bytes, rekey_bytes, life_packets and rekey_packets of both ends.", NULL } },
	[CAUSE_NAT_REBINDING] = {
		"The NAT gave the peer another address or port. NAT keepalives more often than the NAT forgets, or MOBIKE.",
		{ "`crypto isakmp nat keepalive 20` at the end behind the NAT.", "keep_alive in charon's configuration, mobike = yes.", NULL } },
	[CAUSE_ENCAP_MISMATCH] = {
		"One end found a NAT and the other did not: force UDP encapsulation at both ends, or look at what changes the packets between them.",
		{ NULL, "encap = yes at both ends.", NULL } },
	[CAUSE_NAT_PORT_COLLISION] = {
		"Two peers behind one public address share a port: that is the NAT's fault. Give them another public address each, or a NAT that "
		"keeps ports apart.", { NULL, NULL, NULL } },
	[CAUSE_CHILD_MISSING] = {
		"One end lost the IPsec SA and kept the IKE SA: DPD cannot see that. The IKE log of that moment tells who closed it, or whether "
		"something below IKE did.",
		{ NULL, "Look for `ip xfrm state flush`, a restarted network service, or an inactivity timeout at one end only.", NULL } },
	[CAUSE_DUPLICATE_IKE_SA] = {
		"Two IKE SAs between the same ends: let a new one replace the old one, and let one end only start IKE.",
		{ NULL, "unique = replace in swanctl.conf.", NULL } },
	[CAUSE_INITIAL_CONTACT_MISSING] = {
		"$S went on with an IKE SA that $R had replaced: let INITIAL_CONTACT be sent and taken at both ends.",
		{ NULL, "unique = replace, not \"never\", at both ends.", NULL } },
	[CAUSE_IKEV1_DANGLING_CHILD] = {
		"IKEv1 lets an IPsec SA outlive the ISAKMP SA that could delete it: move both ends to IKEv2, or let the ISAKMP SA live longer than "
		"its children and turn DPD on.", { NULL, NULL, NULL } },
	[CAUSE_SPI_0XFF] = {
		"$R drops SPIs that start with 0xff (CSCvp16730): take a release without the defect.", { NULL, NULL, NULL } },
	[CAUSE_SPI_COLLISION] = { "$R gave out one SPI twice: report it to its vendor, with this report.", { NULL, NULL, NULL } },
	[CAUSE_WRONG_NODE] = {
		"The packets reach a node that never had the SA: pin both directions of the peer to one node (load balancer, ECMP hash, anycast, DNS).",
		{ NULL, NULL, NULL } },
	[CAUSE_LOOKUP_KEY_MISMATCH] = {
		"$R has the SA under another mark, interface id or namespace: make the configuration of both agree.",
		{ NULL, "mark_in and if_id_in of the child against the marks and interfaces that its packets meet.", NULL } },
	[CAUSE_CONTROLLER_KEY_LAG] = {
		"The controller's new key reached one end late: look at the control connections and OMP of both ends around the rekey.",
		{ NULL, NULL, NULL } },
	[CAUSE_CLONED_PEER] = {
		"Two machines use one identity: find the second one, take it off the net, and give each its own certificate or key.",
		{ NULL, NULL, NULL } },
	[CAUSE_UNILATERAL_DELETE] = {
		"$R closed the SA alone: by hand, or for idling. Its log of that moment tells; the same idle timeout at both ends, or none, ends it.",
		{ "`set security-association idle-time` at one end only does this.", "inactivity at one end only does this.", NULL } },
	[CAUSE_CONTROLLER_SA_CLEARED] = {
		"Nobody should type a crypto clear for an SD-WAN tunnel: no IKE makes a new SA (B17). Take the command from those who do not need it.",
		{ NULL, NULL, NULL } },
};

static void say_defects(const struct incident *i, struct buffer *out)
{
	for (size_t d = 0; d < DEFECTS_KNOWN; d++) {
		struct buffer why = { 0 };

		if (defect_match(d, i, &why) == DEFECT_FITS) {
			buffer_printf(out, "A release without %s (B9): ", defect_at(d)->id);
			buffer_add(out, buffer_text(&why));
			buffer_add_char(out, '\n');
		}
		buffer_done(&why);
	}
}

static void say_unknown(const struct incident *i, struct buffer *out)
{
	if (i->verdict == VERDICT_OTHER_FAULT) {
		buffer_add_string(out, "What drops the packets, not the SAs: none is missing. The cause is not known.\n");
		return;
	}
	buffer_add_string(out, "The cause is not known, so nothing can be named yet. A repair is no cure (B13): if it comes again, have the "
			       "debugs of both ends from before it (B18).\n");
	if (kind_has_ike(i->tunnel_kind))
		buffer_add_string(out, "Worth a look meanwhile: the lifetimes of both ends in seconds and in kilobytes, whether both are on IKEv2, "
				       "and whether DPD is on at both.\n");
}

void explain_fix(const struct incident *i, const struct names *n, struct buffer *out)
{
	const struct cure *cure = &cures[i->cause < CAUSE_COUNT ? i->cause : CAUSE_UNKNOWN];
	const char *own = cure->words[words_of(i)];

	if (i->verdict == VERDICT_TRANSIENT) {
		buffer_add_string(out, "Nothing: this is how a rekey may look (B6). If it comes with every rekey, an end that starts to send on the new "
				       "SA a moment later, or keeps the old one longer, saves those packets.\n");
	} else if (i->verdict == VERDICT_NOISE) {
		buffer_add_string(out, "Nothing at the tunnels. A packet filter for ESP and AH from others than the peers keeps it off.\n");
	} else if (!cure->what) {
		say_unknown(i, out);
	} else {
		names_say(n, out, cure->what);
		buffer_add_char(out, '\n');
		if (own) {
			names_say(n, out, own);
			buffer_add_char(out, '\n');
		}
	}
	say_defects(i, out);
}
