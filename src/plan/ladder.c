/* SPDX-License-Identifier: MIT */
#include "plan/ladder.h"

#include "model/kind.h"

const char *plan_role_name(enum plan_role role)
{
	switch (role) {
	case PLAN_SENDER:
		return "sender";
	case PLAN_RECEIVER:
		return "receiver";
	case PLAN_CLIENT:
		return "client";
	case PLAN_CONTROLLER:
		return "controller";
	}
	return "receiver";
}

struct text plan_step_when(const struct plan_step *step)
{
	struct text t = text_first(text_of(step->why), step->when_len);

	if (t.len == 0) {
		const char *end = strstr(step->why, ". ");

		t = end ? text_between(step->why, end) : text_of(step->why);
	}
	while (t.len > 0 && (char_is_blank(t.at[t.len - 1]) || t.at[t.len - 1] == ':' || t.at[t.len - 1] == '.'))
		t.len--;
	return t;
}

/* One part of "If it comes again: if it is an IKE tunnel and where ...: "; only the first keeps its capital. */
static void add_case(struct ladder *l, struct plan_step *step, const char *part, const char *end)
{
	size_t start = strlen(step->why);

	names_append(&l->names, part, step->why, sizeof(step->why));
	if (start > 1 && step->why[start - 2] != '.')
		step->why[start] = char_lower(step->why[start]);
	names_append(&l->names, end, step->why, sizeof(step->why));
	step->when_len = strlen(step->why);
}

struct plan_step *ladder_step(struct ladder *l, enum plan_role role, const struct spimend_address *on, const char *where)
{
	struct plan_step *step = &l->beyond;

	if (l->plan->count < PLAN_STEPS_MAX)
		step = &l->plan->steps[l->plan->count++];
	*step = (struct plan_step){ .role = role };
	if (on && spimend_address_known(on)) {
		step->has_on = true;
		step->on = *on;
	}
	if (l->incident->verdict == VERDICT_UNDECIDED)
		add_case(l, step, "If it comes again", ": ");
	if (l->branch)
		add_case(l, step, l->branch, where ? " and " : ": ");
	if (where)
		add_case(l, step, where, ": ");
	return step;
}

struct plan_step *ladder_word(struct ladder *l, enum plan_role role, const char *where)
{
	struct plan_step *step = ladder_step(l, role, NULL, where);

	ladder_harmless(l, step);
	return step;
}

void ladder_command(struct ladder *l, struct plan_step *step, const char *template)
{
	names_command(&l->names, template, step->command, sizeof(step->command));
}

void ladder_blast(struct ladder *l, struct plan_step *step, const char *template)
{
	names_append(&l->names, template, step->blast_radius, sizeof(step->blast_radius));
}

void ladder_why(struct ladder *l, struct plan_step *step, const char *template)
{
	size_t start = strlen(step->why);

	names_append(&l->names, template, step->why, sizeof(step->why));
	/* Behind "If it comes again: " the sentence goes on; "IKE" and "N" stay as they are. */
	if (start > 1 && step->why[start - 2] == ':' &&
	    step->why[start] && char_lower(step->why[start + 1]) == step->why[start + 1] &&
	    char_is_alpha(step->why[start + 1]))
		step->why[start] = char_lower(step->why[start]);
}

void ladder_when(struct ladder *l, struct plan_step *step, const char *template)
{
	ladder_why(l, step, template);
	step->when_len = strlen(step->why);
}

void ladder_harmless(struct ladder *l, struct plan_step *step)
{
	step->disturbs_nothing = true;
	ladder_blast(l, step, "none");
}

struct plan_step *ladder_look(struct ladder *l, const char *at_receiver, const char *at_sender)
{
	struct plan_step *step;

	if (!ladder_at_receiver(l) && !ladder_at_sender(l))
		return ladder_word(l, PLAN_RECEIVER, NULL);
	if (ladder_at_receiver(l))
		step = ladder_step(l, PLAN_RECEIVER, &l->incident->dst, NULL);
	else
		step = ladder_step(l, PLAN_SENDER, &l->incident->src, NULL);
	ladder_harmless(l, step);
	ladder_command(l, step, ladder_at_receiver(l) ? at_receiver : at_sender);
	return step;
}

bool ladder_at_sender(const struct ladder *l)
{
	return l->incident->src_owner != OWNERSHIP_FOREIGN;
}

bool ladder_at_receiver(const struct ladder *l)
{
	return l->incident->dst_owner != OWNERSHIP_FOREIGN;
}

bool ladder_receiver_may_initiate(const struct ladder *l)
{
	return kind_invalid_spi_recovery(l->incident->tunnel_kind) != RECOVERY_NO;
}

void ladder_ikeless(struct ladder *l)
{
	struct plan_step *step = ladder_word(l, PLAN_CONTROLLER, NULL);

	ladder_why(l, step, "This tunnel has no IKE: a controller hands out its keys. Let the controller refresh the keys of $S "
			    "and $R with its own means, new key first at $R, and tell whoever runs it. Nothing typed at $S or $R makes a new "
			    "key.");
}

/* What a step would have to name and the message does not. */
static void missing_figures(struct ladder *l)
{
	struct plan_step *step = ladder_word(l, PLAN_RECEIVER, NULL);
	const struct names *n = &l->names;

	ladder_why(l, step, "The message does not name ");
	if (!n->has_src)
		ladder_why(l, step, n->has_dst && n->has_spi ? "the source address" :
				    n->has_dst ? "the source address and the SPI" :
				    n->has_spi ? "the addresses" : "the addresses and the SPI");
	else
		ladder_why(l, step, n->has_dst ? "the SPI" : n->has_spi ? "the destination address" : "the destination address and the "
				"SPI");
	ladder_why(l, step, ", so there is nothing to clear yet. Get the unmasked line, or capture ESP and AH at the receiver: the "
			    "packet's source, destination and SPI stand in clear in its header.");
	if (n->has_src && n->has_dst && kind_has_ike(l->incident->tunnel_kind) && l->incident->dialect <= DIALECT_IOS) {
		step = ladder_look(l, "show crypto ipsec sa peer $S", "show crypto ipsec sa peer $R");
		ladder_why(l, step, "Compare the tables of both ends, `show crypto ipsec sa peer` at each with the address of the other: "
				    "an SPI that is outbound at $S and not inbound at $R is the missing one.");
	}
}

/* A replay or a forgery as far as can be seen: clearing anything would be what the forger wants. */
static void sequence_stuck(struct ladder *l)
{
	struct plan_step *step = ladder_word(l, PLAN_RECEIVER, NULL);

	ladder_why(l, step, "With a rising sequence number it is a desync, and analyze gives the plan. As long as the number "
			    "stands still there is nothing to clear: a replayed or forged packet is dropped rightly.");
}

/* C11: the line is about an SA of R's own that is only just there. */
static void early_swapped(struct ladder *l)
{
	struct plan_step *step = ladder_word(l, PLAN_RECEIVER, NULL);

	ladder_why(l, step, "Wait, and look at $R whether the SA $W decrypts. It was created there, and the line names it with its "
			    "bytes swapped. Clear nothing and send no INVALID_SPI notify: that would kill the good new SA (C11).");
}

/* devices.md 4: manual and group keys use small SPIs that recur; clearing them repairs nothing. */
static void small_spi(struct ladder *l, bool open)
{
	bool cisco = l->incident->dialect <= DIALECT_ASA;
	struct plan_step *step = ladder_look(l, cisco ? "show crypto ipsec sa peer $S" : "", cisco ? "show crypto ipsec sa peer "
			"$R" : "");

	if (cisco) {
		ladder_when(l, step, "SPI $X is below 4096, which IKE draws hardly ever: look first whether these are manual or group "
				     "keys or SD-WAN, and clear none of them. ");
		ladder_why(l, step, "Manual keys show the same SPI in and out, no lifetime, and "
				    "for OSPFv3 protocol 89 or peer FF02::5; group keys (GETVPN) show in `show crypto gdoi`; SD-WAN shows "
				    "`-vesen-head-` in the map tag. Correct the key or let its controller refresh it.");
	} else {
		ladder_when(l, step, "SPI $X is below 4096, which IKE draws hardly ever: look first whether the SA was keyed by hand or "
				     "by a controller. ");
		ladder_why(l, step, "The IKE daemon does not list it then, and its lifetime does not run down. Do not clear "
				    "such an SA: correct the key or let its controller refresh it.");
	}
	if (open) {
		l->branch = "If `-vesen-head-` is in the map tag (SD-WAN)";
		ladder_sdwan(l, false);
		l->branch = NULL;
	}
}

/* A capture alone, or a table that does not prove it: nothing is done on that. */
static bool needs_table(const struct incident *i)
{
	return i->has_packets && i->verdict == VERDICT_UNDECIDED && i->rule != RULE_SEQUENCE_STUCK;
}

static void get_table(struct ladder *l)
{
	bool is_cisco = l->incident->dialect <= DIALECT_ASA && l->incident->dialect != DIALECT_UNKNOWN;
	struct plan_step *step = ladder_step(l, PLAN_RECEIVER, &l->incident->dst, NULL);

	step->why[0] = '\0'; /* at once, not if it comes again */
	ladder_harmless(l, step);
	if (is_cisco)
		ladder_command(l, step, "show crypto ipsec sa peer $S");
	ladder_why(l, step, is_cisco ? "Save that table" : "Save the SA table of $R (`show crypto ipsec sa`; on Linux `swanctl --list-sas` "
							      "and `ip -s xfrm state list nokeys`)");
	ladder_why(l, step, " while the packets come and a capture of them runs, and give both to `spimend analyze --sad`: that tells "
			    "exactly whether $R has $X. Clear nothing on the capture alone.");
}

static bool cause_forbids_steps(enum cause cause)
{
	switch (cause) { /* faults.md c: repair none, or only by means that logs cannot name */
	case CAUSE_REKEY_OVERLAP:
	case CAUSE_EARLY_USE:
	case CAUSE_NAT_REBINDING:
	case CAUSE_ENCAP_MISMATCH:
	case CAUSE_NAT_PORT_COLLISION:
	case CAUSE_WRONG_NODE:
	case CAUSE_LOOKUP_KEY_MISMATCH:
	case CAUSE_SCAN_OR_SPOOF:
	case CAUSE_CLONED_PEER:
		return true;
	default:
		return false;
	}
}

/* What holds for the whole ladder stands at its first step that changes anything. */
static void add_pacing(struct ladder *l)
{
	const struct incident *i = l->incident;

	for (size_t n = 0; n < l->plan->count; n++) {
		struct plan_step *step = &l->plan->steps[n];

		if (step->disturbs_nothing)
			continue;
		if (i->cause == CAUSE_HA_FAILOVER)
			ladder_why(l, step, " This looks like a failover: restore the SA sync of the cluster first.");
		if (i->flags & FLAG_MANY_PEERS || i->cause == CAUSE_HA_FAILOVER)
			ladder_why(l, step, " Many peers at once have one common cause: take one peer first, verify it, then the rest with "
					    "pauses between them.");
		return;
	}
}

static void build_by_device(struct ladder *l)
{
	switch (names_device(l->incident)) {
	case DIALECT_UNKNOWN:
	case DIALECT_IOS:
	case DIALECT_ASA:
	case DIALECT_COUNT:
		ladder_cisco(l);
		break;
	case DIALECT_LINUX_AUDIT:
	case DIALECT_STRONGSWAN:
		ladder_strongswan(l);
		break;
	case DIALECT_LIBRESWAN:
		ladder_libreswan(l);
		break;
	case DIALECT_FORTIGATE:
	case DIALECT_SCREENOS:
	case DIALECT_CHECKPOINT:
	case DIALECT_VERSA:
	case DIALECT_ZYXEL:
	case DIALECT_NORTEL:
		ladder_other_vendor(l);
		break;
	}
}

void plan_build(const struct incident *incident, struct plan *ret)
{
	struct ladder l = { .incident = incident, .plan = ret, .names = names_of(incident) };
	bool open = incident->tunnel_kind == TUNNEL_UNKNOWN && incident->dialect <= DIALECT_IOS &&
		    kind_is_open_tunnel(incident->interface);

	*ret = (struct plan){ 0 };
	if (incident->verdict == VERDICT_TRANSIENT || incident->verdict == VERDICT_NOISE)
		return;
	if (incident->state == STATE_HEALED || cause_forbids_steps(incident->cause))
		return;
	if (incident->verdict == VERDICT_OTHER_FAULT)
		ladder_other_fault(&l);
	else if (needs_table(incident))
		get_table(&l);
	else if (incident->verdict == VERDICT_UNDECIDED && incident->rule == RULE_SEQUENCE_STUCK)
		sequence_stuck(&l);
	else if (incident->tunnel_kind == TUNNEL_SDWAN)
		ladder_sdwan(&l, true);
	else if (incident->tunnel_kind == TUNNEL_IKELESS)
		ladder_ikeless(&l);
	else if (!l.names.has_src || !l.names.has_dst || !l.names.has_spi)
		missing_figures(&l);
	else if (incident->flags & (FLAG_SPI_SMALL | FLAG_SPI_RESERVED))
		small_spi(&l, open);
	else if (names_early_swapped(incident))
		early_swapped(&l);
	else if (incident->tunnel_kind == TUNNEL_EZVPN_CLIENT)
		ladder_ezvpn(&l);
	else if (open)
		ladder_open_tunnel(&l);
	else
		build_by_device(&l);
	add_pacing(&l);
}
