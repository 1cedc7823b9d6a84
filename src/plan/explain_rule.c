/* SPDX-License-Identifier: MIT */
/* What an incident rests on, which rule fired, what would change it, and when it ends by itself. */
#include <inttypes.h>

#include "plan/explain_sections.h"
#include "model/kind.h"

#define QUOTE_SOURCE_MAX 80
#define QUOTE_TEXT_MAX 240
#define QUOTE_NAME_MAX 64

static void say_evidence(const struct evidence *e, struct buffer *out)
{
	if (e->has_at) {
		calendar_print_short(out, e->at);
		buffer_add_char(out, ' ');
	}
	names_quote(out, e->from, QUOTE_SOURCE_MAX);
	if (e->from.len > 0)
		buffer_add_char(out, ' ');
	buffer_add_string(out, fact_kind_name(e->kind));
	if (e->other_end)
		buffer_add_string(out, " (written by the sender's side)");
	if (e->text.len > 0) {
		buffer_add_string(out, ": ");
		names_quote(out, e->text, QUOTE_TEXT_MAX);
	}
	buffer_add_char(out, '\n');
}

static void say_sightings(const struct incident *i, struct buffer *out)
{
	if (i->has_packets) {
		buffer_printf(out, "%" PRIu64 " packet%s of a capture", i->packets, i->packets == 1 ? "" : "s");
		if (i->has_times) {
			buffer_add_string(out, ", from ");
			calendar_print_short(out, i->first_seen);
			buffer_add_string(out, " to ");
			calendar_print_short(out, i->last_seen);
		}
		buffer_add_string(out, ".\n");
		return;
	}
	if (i->messages == 0) {
		buffer_add_string(out, "No log line: it rests on what else was given.\n");
		return;
	}
	buffer_printf(out, "%" PRIu64 " log %s", i->messages, i->messages == 1 ? "line" : "lines");
	if (i->observer.len > 0) {
		buffer_add_string(out, " of ");
		names_quote(out, i->observer, QUOTE_NAME_MAX);
	}
	if (i->has_times) {
		buffer_add_string(out, i->messages == 1 ? ", at " : ", from ");
		calendar_print_short(out, i->first_seen);
		if (i->messages > 1) {
			buffer_add_string(out, " to ");
			calendar_print_short(out, i->last_seen);
		}
	}
	buffer_add_string(out, ".\n");
	if (i->copies > 0)
		buffer_printf(out, "%" PRIu64 " %s elsewhere, not counted.\n", i->copies,
			      i->copies == 1 ? "copy of these stands" : "copies of these stand");
	if (i->dialect == DIALECT_IOS && i->verdict != VERDICT_OTHER_FAULT)
		buffer_add_string(out, "IOS writes at most one such line a minute, so the lines are no count of lost packets (B3).\n");
}

void explain_rests_on(const struct incident *i, const struct names *n, struct buffer *out)
{
	say_sightings(i, out);
	if (i->confirmed_at_sender)
		names_say(n, out, "A saved SA table of $S lists $X as outbound.\n");
	if (i->confirmed_at_receiver)
		names_say(n, out, "A saved SA table of $R lists other inbound SPIs for $S, and not $X.\n");
	for (unsigned bit = 0; bit <= FLAG_COUNT_LAST; bit++) {
		if (i->flags & UINT32_C(1) << bit) {
			buffer_add_string(out, fact_flag_help((enum fact_flag)(UINT32_C(1) << bit)));
			buffer_add_char(out, '\n');
		}
	}
	for (size_t e = 0; i->evidence && e < i->evidence_count; e++)
		say_evidence(&i->evidence[e], out);
}

void explain_rule(const struct incident *i, const struct names *n, struct buffer *out)
{
	bool by_time = i->rule == RULE_LOG_REPEAT || i->rule == RULE_LOG_CLOSE_REPEAT || i->rule == RULE_LOG_ONCE_QUIET ||
		       i->rule == RULE_LOG_ONCE_SHORT;

	(void)n;
	buffer_printf(out, "%s, by the rule %s: ", verdict_name(i->verdict), rule_name(i->rule));
	explain_verdict(i, out);
	buffer_add_char(out, '\n');
	if (by_time && i->gap_needed_ns > 0) {
		explain_duration(out, "The same flow and SPI counts as repeated from ", i->gap_needed_ns, " apart on, within 24 h; ");
		if (i->gap_ns > 0)
			explain_duration(out, "the longest distance measured is ", i->gap_ns, ".\n");
		else
			buffer_add_string(out, "there is none.\n");
	}
	if (by_time && i->quiet_needed_ns > 0 && i->rule != RULE_LOG_REPEAT) {
		explain_duration(out, "A single sighting counts as a transient after ", i->quiet_needed_ns, " of further log from the "
				"observer; ");
		if (i->quiet_ns > 0)
			explain_duration(out, "there are ", i->quiet_ns, ".\n");
		else
			buffer_add_string(out, "none is known.\n");
	}
	if (i->rule == RULE_STRANGER || i->rule == RULE_MANY_SPIS || i->rule == RULE_MANY_SOURCES || i->rule == RULE_FLOOD)
		buffer_add_string(out, "Sources that are no peers never start a repair and never vote on a peer's flow.\n");
}

static void change_of_capture(const struct incident *i, const struct names *n, struct buffer *out)
{
	if (i->verdict == VERDICT_NOISE)
		buffer_add_string(out, "A sender that goes on with one SPI, with rising sequence numbers, is judged by itself.\n");
	else if (i->verdict == VERDICT_OTHER_FAULT)
		names_say(n, out, "A table of $R in which the encapsulation is that of the packets.\n");
	else if (i->verdict == VERDICT_TRANSIENT)
		names_say(n, out, "Packets on $X that go on beyond the overlap of a rekey make it a desync.\n");
	else if (i->verdict == VERDICT_DESYNC)
		names_say(n, out, "If $R lists $X as inbound after all, or did at the time of the capture, the table is of another time.\n"
				  "If $S has no outbound SA $X, the packets are forged: a capture shows addresses, not who sent. Then nothing "
				  "is to be cleared.\n");
	else if (i->rule == RULE_SEQUENCE_STUCK)
		buffer_add_string(out, "A rising sequence number on the same SPI makes it a desync.\n");
	else
		names_say(n, out, "The SA table of $R, saved while the packets come and given with --sad, settles it: with $X nothing is "
				  "wrong there, without it it is a desync.\n");
}

static void change_undecided(const struct incident *i, const struct names *n, struct buffer *out)
{
	if (i->rule == RULE_NO_SOURCE) {
		buffer_add_string(out, "The unmasked message, with source, destination and SPI.\n");
		return;
	}
	if (i->rule == RULE_LOG_NO_TIME) {
		buffer_add_string(out, "The same log with time stamps (`service timestamps log datetime msec`), or as a syslog server "
				       "received it.\n");
		return;
	}
	if (i->rule == RULE_SEQUENCE_STUCK) {
		buffer_add_string(out, "A rising sequence number on the same SPI makes it a desync.\n");
		return;
	}
	buffer_add_string(out, "The same flow and SPI again");
	if (i->gap_needed_ns > 0)
		explain_duration(out, ", at least ", i->gap_needed_ns, " after the first");
	buffer_add_string(out, ", makes it a desync (B7).\n");
	if (i->quiet_needed_ns > 0)
		explain_duration(out, "Further log of this observer for ", i->quiet_needed_ns, " without it makes a single sighting a "
				"transient (B6).\n");
	if (kind_has_ike(i->tunnel_kind))
		names_say(n, out, "The SA tables of both ends settle it at once: $X outbound at $S and not inbound at $R is a desync.\n");
}

void explain_would_change(const struct incident *i, const struct names *n, struct buffer *out)
{
	if (i->has_packets) {
		change_of_capture(i, n, out);
		return;
	}
	switch (i->verdict) {
	case VERDICT_UNDECIDED:
		change_undecided(i, n, out);
		break;
	case VERDICT_TRANSIENT:
		buffer_add_string(out, "The same flow and SPI once more, after the gap that proves a repeat, makes it a desync (B7).\n");
		break;
	case VERDICT_DESYNC:
		if (i->rule == RULE_SDWAN_CLEARED)
			names_say(n, out, "SAs in a newer table of $R for $S, with decaps that grow, end it.\n");
		else if (names_early_swapped(i))
			names_say(n, out, "If $R does not list $W as inbound, its SA is missing after all: a desync with a swapped SPI.\n");
		else if (kind_has_ike(i->tunnel_kind))
			names_say(n, out, "If $R lists $X as inbound after all, it is another fault: encapsulation, mark or an SPI that starts "
					  "with 0xff.\n"
					  "If $S no longer lists $X as outbound, a rekey has ended it; a packet with $X after that is a replay.\n");
		else
			names_say(n, out, "If `show sdwan ipsec local-sa` at $R lists the SPI, it is another fault.\n"
					  "If the SA_NOT_FOUND counter of $R stands still, it has ended.\n");
		if (i->has_times && i->rule == RULE_LOG_REPEAT)
			buffer_add_string(out, "If the sender is no peer of this observer, it is noise; name the peers with --peers.\n");
		break;
	case VERDICT_NOISE:
		names_say(n, out, i->rule == RULE_STRANGER
					  ? "If $S is a peer after all, name it with --peers: the lines are then judged as those of a peer.\n"
					  : "The same SPI again from one and the same peer is judged by itself, as that peer's flow.\n");
		break;
	case VERDICT_OTHER_FAULT:
		names_say(n, out, "An unknown-SPI message for the same flow: then an SA is missing, and it is judged as such.\n");
		break;
	}
}

static void say_lost_so_far(const struct incident *i, const struct names *n, struct buffer *out)
{
	int64_t span = explain_span(i);

	if (span <= 0 || names_early_swapped(i))
		return;
	names_say(n, out, "What $S sent to $R with SPI $X was lost for ");
	explain_duration(out, "at least ", span, names_gone_quiet(i) ? ".\n" : " so far.\n");
}

static void say_time_left(const struct incident *i, const struct names *n, struct buffer *out)
{
	uint64_t s = i->sa_lifetime_s;

	names_say(n, out, "The SA of $S had ");
	if (s < UINT64_C(9000000000))
		explain_duration(out, "", (int64_t)s * SECOND_NS, "");
	else
		buffer_printf(out, "%" PRIu64 " s", s);
	buffer_add_string(out, " left when its table was saved; it expires no later than that.\n");
}

/* R has no IKE SA with S: B10 cannot work, DPD can, B11 would where B12 allows it. */
static void say_no_ike(const struct incident *i, const struct names *n, struct buffer *out)
{
	names_say(n, out, "Here $R had no IKE SA with $S, so DPD can end it, if it is on at $S.\n");
	if (i->dialect > DIALECT_IOS)
		return;
	buffer_add_string(out, "The DELETE that IOS sends by itself (B10) needs an IKE SA and could not go out; ");
	if (kind_invalid_spi_recovery(i->tunnel_kind) == RECOVERY_NO)
		names_say(n, out, "`crypto isakmp invalid-spi-recovery` would make one first (B11), but not on this kind of tunnel "
				  "(B12).\n");
	else
		names_say(n, out, "`crypto isakmp invalid-spi-recovery` makes one first (B11).\n");
}

void explain_ends(const struct incident *i, const struct names *n, struct buffer *out)
{
	switch (i->verdict) {
	case VERDICT_TRANSIENT:
		buffer_add_string(out, "It has ended: a few packets around the rekey were lost.\n");
		return;
	case VERDICT_NOISE:
		buffer_add_string(out, "It ends when the senders stop. No traffic of yours is lost.\n");
		return;
	case VERDICT_OTHER_FAULT:
		buffer_add_string(out, i->cause == CAUSE_SPI_0XFF ? "It ends with the next rekey, which gives a new SPI.\n"
								  : "Expiry and DPD do not decide here: no SA is missing. It ends with its cause.\n");
		return;
	case VERDICT_UNDECIDED:
		buffer_add_string(out, "If it is a transient, it has ended. If it is a desync:\n");
		break;
	case VERDICT_DESYNC:
		say_lost_so_far(i, n, out);
		if (names_gone_quiet(i))
			explain_duration(out, "It may have ended by itself: nothing more was logged for ", i->quiet_ns, " since. If it has "
					"not:\n");
		break;
	}
	if (names_early_swapped(i)) {
		names_say(n, out, "When $R has installed the SA $W.\n");
		return;
	}
	if (i->tunnel_kind == TUNNEL_SDWAN) {
		if (i->cause == CAUSE_CONTROLLER_SA_CLEARED || i->rule == RULE_SDWAN_CLEARED)
			buffer_add_string(out, "Not by itself: the SA was cleared and nothing makes a new one (B17).\n");
		else
			buffer_add_string(out, "The burst after a scheduled rekey ends within one BFD detection time; this, at the latest when "
					       "the next key reaches the sender: `security ipsec rekey`, 86400 s (24 h) by default.\n");
		return;
	}
	if (i->tunnel_kind == TUNNEL_IKELESS) {
		buffer_add_string(out, "When the controller hands out the next key.\n");
		return;
	}
	names_say(n, out, "When the SA expires at $S, or DPD fires there (B8).\n");
	if (i->has_sa_lifetime)
		say_time_left(i, n, out);
	buffer_add_string(out, "DPD cannot see it while the IKE SA lives at both ends: the peer answers for ever.\n");
	if (i->saw[FACT_NO_DELETE] || i->saw[FACT_NO_IKE_SA])
		say_no_ike(i, n, out);
	else if (i->dialect == DIALECT_IOS && i->verdict == VERDICT_DESYNC && i->rule == RULE_LOG_REPEAT)
		buffer_add_string(out, "IOS sends a DELETE for the unknown SPI by itself where it has an IKE SA with the sender (B10); "
				       "the line came again, so that did not happen or did not help.\n");
	buffer_add_string(out, "Defaults: Cisco 3600 s or 4,608,000 KB; strongSwan rekeys a child after 54 to 57 min.\n");
}
