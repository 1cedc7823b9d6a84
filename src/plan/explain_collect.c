/* SPDX-License-Identifier: MIT */
/* B13, B18, B19: what to collect at which end, so that the next one tells its cause. Addresses come from their types. */
#include "plan/explain_sections.h"
#include "model/kind.h"

struct end {
	const char *name;         /* its address in words */
	const char *role;
	const char *peer;         /* the other end's address in words */
	uint8_t peer_family;      /* 0, 4 or 6 */
	bool receiver;
};

static void title(const struct end *e, const char *what, struct buffer *out)
{
	buffer_printf(out, "At %s (%s)%s:\n", e->name, e->role, what);
}

static void line(struct buffer *out, const char *command, const char *remark)
{
	buffer_printf(out, "  `%s`%s%s\n", command, remark[0] ? " " : "", remark);
}

static void peer_line(struct buffer *out, const struct end *e, const char *before, const char *after, const char *remark)
{
	if (e->peer_family == 0)
		buffer_printf(out, "  `%s ADDRESS%s` (ADDRESS is %s, which the message does not name)\n", before, after, e->peer);
	else
		buffer_printf(out, "  `%s %s%s`%s%s\n", before, e->peer, after, remark[0] ? " " : "", remark);
}

/* What only the moment shows; enough where no SA is missing. */
static void shows_ios(const struct end *e, struct buffer *out)
{
	peer_line(out, e, "show crypto ipsec sa peer", " detail", "twice, a minute apart: which SPIs, and which counters move");
	if (e->receiver)
		line(out, "show platform hardware qfp active feature ipsec datapath drops", "on IOS XE, twice: which of its counters "
				"grows (B5)");
}

static void collect_ios(const struct end *e, struct buffer *out)
{
	title(e, ", running from before the next occurrence, to a syslog server and not to the console (B18)", out);
	if (e->peer_family == 6)
		buffer_printf(out, "  First a condition: the documented form names an IPv4 peer. See with `debug crypto condition peer ?` "
				   "whether this image takes %s; without a condition the debugs print every peer.\n", e->peer);
	else
		peer_line(out, e, "debug crypto condition peer ipv4", "", "first: it limits the others to this peer");
	line(out, "debug crypto isakmp", "for IKEv1; for IKEv2 `debug crypto ikev2`");
	line(out, "debug crypto ipsec", "");
	line(out, "debug crypto engine", "");
	buffer_add_string(out, "  and at the moment it happens:\n");
	shows_ios(e, out);
	line(out, "show crypto isakmp sa", "for IKEv1; for IKEv2 `show crypto ikev2 sa detail`, which also says whether DPD is on");
	line(out, "show crypto sockets", "and on DMVPN `show dmvpn detail` (B19)");
	if (e->receiver)
		line(out, "show monitor event-trace crypto ipsec event all", "where the release has it: did it ever create or delete this "
				"SPI?");
	line(out, "undebug all", "afterwards, then `show debug` to see that all are off (B24)");
}

static void collect_asa(const struct end *e, struct buffer *out)
{
	title(e, ", running from before the next occurrence, to a syslog server (B18)", out);
	peer_line(out, e, "debug crypto condition peer", "", "first: it limits the others to this peer");
	line(out, "debug crypto ikev1 127", "for IKEv1; for IKEv2 `debug crypto ikev2 protocol 127` and `debug crypto ikev2 "
					    "platform 127`");
	line(out, "debug crypto ipsec 127", "");
	buffer_add_string(out, "  and at the moment it happens:\n");
	peer_line(out, e, "show crypto ipsec sa peer", "", "twice: which SPIs, and which counters move");
	line(out, "show crypto ikev1 sa", "or `show crypto ikev2 sa detail`");
	line(out, "show asp drop", "twice: np-sp-invalid-spi grows");
	line(out, "undebug all", "afterwards");
}

static void collect_strongswan(const struct end *e, struct buffer *out)
{
	title(e, "", out);
	line(out, "swanctl --list-sas", "twice: SPIs, and whether bytes in and out grow");
	line(out, "swanctl --log", "running; charon log levels ike 2, chd 2, knl 2, esp 2");
	line(out, "ip -s xfrm state list nokeys", "what the kernel has; without `nokeys` it prints the keys: never send that to "
						  "anybody");
	line(out, "cat /proc/net/xfrm_stat", "twice: XfrmInNoStates grows for unknown SPIs, XfrmInStateMismatch for wrong "
					     "encapsulation");
}

static void collect_libreswan(const struct end *e, struct buffer *out)
{
	title(e, "", out);
	line(out, "ipsec showstates", "which SPIs pluto has");
	line(out, "ipsec trafficstatus", "twice: whether bytes in and out grow");
	line(out, "ip -s xfrm state list nokeys", "what the kernel has; without `nokeys` it prints the keys: never send that to "
						  "anybody");
	line(out, "cat /proc/net/xfrm_stat", "twice: XfrmInNoStates grows for unknown SPIs");
}

static void collect_other(const struct end *e, enum fact_dialect dialect, struct buffer *out)
{
	title(e, "", out);
	if (dialect == DIALECT_FORTIGATE) {
		line(out, "diagnose vpn tunnel list", "twice: SPIs and counters of the tunnel");
		line(out, "diagnose vpn ike gateway list", "whether there is an IKE SA with the peer");
	} else {
		buffer_printf(out, "  Its table of IPsec SAs with %s, twice: SPIs and counters. Its IKE log of the moment, at the most "
				   "detailed level.\n", e->peer);
	}
}

static void collect_sdwan(const struct end *e, struct buffer *out)
{
	title(e, "", out);
	if (e->receiver)
		line(out, "show sdwan ipsec local-sa", "which SPIs it accepts");
	else
		line(out, "show sdwan ipsec outbound-connections", "which SPI it uses towards the receiver");
	line(out, "show sdwan omp tlocs", e->receiver ? "what it advertises: encap-spi, version, gen-id"
						      : "what the controller told it about the receiver's TLOC: encap-spi, version, gen-id");
	line(out, "show sdwan bfd sessions", "");
	line(out, "show sdwan control connections", "");
	if (e->receiver)
		line(out, "show platform hardware qfp active feature ipsec datapath drops", "twice: SA_NOT_FOUND_SPI or replay? (B5)");
}

static void collect_end(const struct incident *i, const struct end *e, struct buffer *out)
{
	/* S may be anything where R is not Cisco; its table, where one was saved, is Cisco's. */
	enum fact_dialect dialect = e->receiver || i->dialect <= DIALECT_ASA ? names_device(i) : DIALECT_UNKNOWN;

	if (!e->receiver && names_device(i) == DIALECT_LIBRESWAN && !i->confirmed_at_sender)
		dialect = DIALECT_CHECKPOINT; /* any: in words */

	switch (dialect) {
	case DIALECT_ASA:
		if (e->receiver)
			collect_asa(e, out);
		else
			collect_ios(e, out);
		break;
	case DIALECT_UNKNOWN:
	case DIALECT_IOS:
	case DIALECT_COUNT:
		if (!e->receiver && i->dialect > DIALECT_IOS && !i->confirmed_at_sender)
			buffer_printf(out, "If %s is a Cisco router:\n", e->name);
		if (i->verdict == VERDICT_OTHER_FAULT) {
			title(e, "", out);
			shows_ios(e, out);
		} else {
			collect_ios(e, out);
		}
		break;
	case DIALECT_LINUX_AUDIT:
	case DIALECT_STRONGSWAN:
		collect_strongswan(e, out);
		break;
	case DIALECT_LIBRESWAN:
		collect_libreswan(e, out);
		break;
	default:
		collect_other(e, dialect, out);
		break;
	}
}

static bool nothing_to_collect(const struct incident *i, const struct names *n, struct buffer *out)
{
	switch (i->verdict) {
	case VERDICT_TRANSIENT:
		buffer_add_string(out, "Nothing. If such lines come often, set up conditional debugs at both ends (B18) before the next "
				       "one.\n");
		return true;
	case VERDICT_NOISE:
		names_say(n, out, "A capture of a few packets at $R, headers only: source, length, SPI and sequence number tell a "
				  "scan.\n");
		return true;
	default:
		return false;
	}
}

void explain_collect(const struct incident *i, const struct names *n, struct buffer *out)
{
	struct end sender = { n->src, "sender", n->dst, i->dst.family, false };
	struct end receiver = { n->dst, "receiver", n->src, i->src.family, true };

	if (nothing_to_collect(i, n, out))
		return;
	if (i->tunnel_kind == TUNNEL_SDWAN) {
		buffer_add_string(out, "There is no IKE, so there are no IKE debugs. Three places have to agree on the receiver's SPI:\n");
		collect_sdwan(&receiver, out);
		collect_sdwan(&sender, out);
		return;
	}
	if (i->tunnel_kind == TUNNEL_IKELESS) {
		buffer_add_string(out, "The controller's log of the last key change, and the keys' versions (never the keys) at both "
				       "ends.\n");
		return;
	}
	collect_end(i, &receiver, out);
	collect_end(i, &sender, out);
	if (i->src_owner == OWNERSHIP_FOREIGN)
		names_say(n, out, "$S is not yours: ask its operator for the same, of the same moment.\n");
	if (i->dialect <= DIALECT_IOS && i->verdict != VERDICT_OTHER_FAULT)
		buffer_add_string(out, "An embedded event manager applet at both ends can collect this by itself when the line comes "
				       "(B19, B20).\n");
}
