/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "plan/explain.h"
#include "plan_incident.h"

/* What a writer says, as a string that lives until the next call. */
static char said[65536];

static const char *take(struct buffer *out)
{
	assert_int_equal(buffer_error(out), 0);
	assert_true(out->len < sizeof(said));
	text_copy(buffer_text(out), said, sizeof(said));
	assert_int_equal(strlen(said), out->len);
	buffer_done(out);
	return said;
}

static const char *verdict_of(const struct incident *i)
{
	struct buffer out = { 0 };

	explain_verdict(i, &out);
	return take(&out);
}

static const char *cause_of(const struct incident *i)
{
	struct buffer out = { 0 };

	explain_cause(i, &out);
	return take(&out);
}

static const char *section_of(const struct incident *i, enum explain_section section)
{
	struct buffer out = { 0 };
	struct plan plan;

	plan_build(i, &plan);
	explain_section_write(i, &plan, section, &out);
	return take(&out);
}

#define assert_says(string, part) assert_non_null(strstr(string, part))
#define assert_silent(string, part) assert_null(strstr(string, part))

static void test_verdict_has_its_figures(void **state)
{
	struct incident i = test_incident();

	(void)state;
	assert_string_equal(verdict_of(&i), "The same flow and SPI came again after 60.8 s. IOS writes this line at most once a "
					    "minute, so a repeat at least 50 s apart means the sender still uses an SA that 10.10.1.2 does not have (B7).");
	i.dialect = DIALECT_ASA;
	i.gap_needed_ns = 5 * SECOND_NS;
	assert_says(verdict_of(&i), "once in 5 s");
	i.dialect = DIALECT_SCREENOS;
	i.gap_needed_ns = 10 * SECOND_NS;
	assert_says(verdict_of(&i), "once in 10 s and tunnel, so a repeat at least 10 s apart");
	i.dialect = DIALECT_LINUX_AUDIT;
	i.gap_needed_ns = 7 * SECOND_NS;
	assert_says(verdict_of(&i), "a repeat at least 7 s apart");
	assert_silent(verdict_of(&i), "IOS");
	i.tunnel_kind = TUNNEL_SDWAN;
	assert_says(verdict_of(&i), "uses a key that 10.10.1.2 does not have");
}

static void test_what_may_have_ended_is_past(void **state)
{
	struct incident i = test_incident();
	struct plan plan;

	(void)state;
	i.quiet_ns = 9 * HOUR_NS + 50 * MINUTE_NS;
	assert_says(verdict_of(&i), "the sender still used an SA that 10.10.1.2 did not have (B7). Nothing more for 9 h 50 min "
				    "since: it may have ended by itself; check before you clear anything.");
	assert_says(section_of(&i, EXPLAIN_ENDS), "It may have ended by itself: nothing more was logged for 9 h 50 min since.");
	assert_silent(said, "so far");
	plan_build(&i, &plan);
	assert_int_equal(strncmp(plan_step_when(&plan.steps[0]).at, "Where 10.1.1.1 is yours to log in to: first confirm", 51), 0);
	i.quiet_ns = 4 * MINUTE_NS;
	assert_silent(verdict_of(&i), "may have ended");
	assert_says(section_of(&i, EXPLAIN_ENDS), "so far");
	i.messages = 9; /* the longest gap is not the time they took */
	assert_says(verdict_of(&i), "was seen 9 times over 60.8 s.");
}

/* CSCvx23833 and C11: the line is about an SA that is only just there. */
static void test_swapped_and_created(void **state)
{
	struct incident i = test_incident();
	struct plan plan;

	(void)state;
	i.dialect = DIALECT_ASA;
	i.flags = FLAG_SPI_SWAPPED;
	i.saw[FACT_SA_BORN] = true;
	assert_says(verdict_of(&i), "bytes swapped (CSCvx23833): 0xbb3bb71d is an SA that the log shows being created");
	assert_says(cause_of(&i), "early use");
	assert_silent(cause_of(&i), "died");
	assert_says(section_of(&i, EXPLAIN_DO_NOT), "No clear, no INVALID_SPI notify and no delete for 0xbb3bb71d");
	plan_build(&i, &plan);
	assert_int_equal(plan.count, 1);
	assert_string_equal(plan.steps[0].command, "");
	i.saw[FACT_SA_DIED] = true;
	assert_silent(verdict_of(&i), "early use");
	plan_build(&i, &plan);
	assert_true(plan.count > 1);
}

static void test_own_kind_explains(void **state)
{
	struct incident i = test_incident();

	(void)state;
	i.verdict = VERDICT_OTHER_FAULT;
	i.rule = RULE_SA_FOUND;
	i.saw[FACT_REPLAY] = i.saw[FACT_INTEGRITY] = true;
	i.kind = FACT_INTEGRITY;
	assert_says(verdict_of(&i), "the integrity check failed");
	i.kind = FACT_REPLAY;
	assert_says(verdict_of(&i), "dropped packets as replayed");
}

static void test_no_words_for_addresses(void **state)
{
	struct incident i = test_incident();

	(void)state;
	i.src.family = 0;
	for (int kind = 0; kind < TUNNEL_KINDS; kind++) {
		i.tunnel_kind = (enum tunnel_kind)kind;
		assert_silent(cause_of(&i), "peer the ");
		for (int s = 0; s < EXPLAIN_SECTIONS; s++)
			assert_silent(section_of(&i, (enum explain_section)s), "peer the sender`");
	}
	i = test_incident();
	i.dialect = DIALECT_LIBRESWAN;
	assert_silent(section_of(&i, EXPLAIN_COLLECT), "debug crypto");
	assert_says(said, "ipsec trafficstatus");
}

static void test_verdict_by_rule(void **state)
{
	struct incident i = test_incident();

	(void)state;
	i.messages = 1;
	i.gap_ns = 0;
	i.verdict = VERDICT_TRANSIENT;
	i.rule = RULE_LOG_ONCE_QUIET;
	i.quiet_ns = 2 * HOUR_NS;
	assert_says(verdict_of(&i), "Seen once, and the observer's log goes on for 2 h without it");
	assert_says(verdict_of(&i), "normally a rekey");
	i.verdict = VERDICT_UNDECIDED;
	i.rule = RULE_LOG_ONCE_SHORT;
	i.quiet_ns = 40 * SECOND_NS;
	assert_says(verdict_of(&i), "for 40 s without it; 5 min would be needed");
	i.quiet_ns = 0;
	assert_says(verdict_of(&i), "no later log of that observer was given");
	i.rule = RULE_LOG_CLOSE_REPEAT;
	i.messages = 3;
	i.last_seen.ns = i.first_seen.ns + 20 * SECOND_NS;
	assert_says(verdict_of(&i), "came 3 times within 20 s, but never 50 s apart");
	i.rule = RULE_NO_SOURCE;
	i.src.family = 0;
	assert_says(verdict_of(&i), "does not name the source");
	i.has_spi = false;
	assert_says(verdict_of(&i), "names neither source nor SPI");
	i.src.family = 4;
	assert_says(verdict_of(&i), "does not name the SPI");
	i.verdict = VERDICT_NOISE;
	i.rule = RULE_MANY_SPIS;
	i.spis = 4321;
	assert_says(verdict_of(&i), "4321 SPIs came from 10.1.1.1, none of them again later");
	i.rule = RULE_FLOOD;
	i.sources = 99;
	assert_says(verdict_of(&i), "4321 SPIs came from 10.1.1.1 at nearly the same time"); /* one source, whatever else is set */
	i.src.family = 0;
	assert_says(verdict_of(&i), "4321 SPIs came from 99 sources at nearly the same time");
	i.sources = 0;
	assert_says(verdict_of(&i), "4321 SPIs came from sources that the messages do not name");
	i.sources = 4096;
	i.flags = FLAG_EVIDENCE_CUT;
	assert_says(verdict_of(&i), "About 4321 SPIs came from at least 4096 sources");
	i.flags = 0;
	i.rule = RULE_MANY_SPIS;
	i.sources = 3;
	assert_says(verdict_of(&i), "4321 SPIs came from 3 sources, from each of them many");
	i.rule = RULE_MANY_SOURCES;
	i.spis = 304;
	i.sources = 622;
	assert_says(verdict_of(&i), "304 SPIs came from 622 sources, each SPI from more than one");
	i.has_spi = true;
	assert_says(verdict_of(&i), "The SPI 0x1db73bbb came from 622 sources.");
	i.rule = RULE_STRANGER;
	assert_says(verdict_of(&i), "304 SPIs came from 622 sources, none of which is a known peer");
	i.verdict = VERDICT_TRANSIENT;
	i.rule = RULE_LOG_ONCE_QUIET;
	i.quiet_ns = 15 * MINUTE_NS;
	assert_says(verdict_of(&i), "304 flows from 622 sources were seen once each and not again for at least 15 min");
	i.verdict = VERDICT_NOISE;
	i.rule = RULE_STRANGER;
	i.sources = 1;
	i.src.family = 4;
	assert_says(verdict_of(&i), "10.1.1.1 is no known peer");
	i.src.family = 0;
	assert_says(verdict_of(&i), "The sender is no known peer"); /* a sentence begins with a capital */
}

static void test_verdict_from_tables(void **state)
{
	struct incident i = test_incident();

	(void)state;
	i.rule = RULE_SA_TABLE;
	i.confirmed_at_sender = i.confirmed_at_receiver = true;
	assert_says(verdict_of(&i), "The saved table of 10.1.1.1 lists 0x1db73bbb as outbound to 10.10.1.2; the saved table of "
				    "10.10.1.2 lists other inbound SPIs for 10.1.1.1");
	i.rule = RULE_SA_FOUND;
	i.verdict = VERDICT_OTHER_FAULT;
	i.saw[FACT_REPLAY] = true;
	assert_says(verdict_of(&i), "as replayed");
	i.saw[FACT_REPLAY] = false;
	i.saw[FACT_INTEGRITY] = true;
	assert_says(verdict_of(&i), "integrity check failed");
	i.saw[FACT_NOT_IPSEC] = true;
	assert_says(verdict_of(&i), "in clear");
}

static void test_cause(void **state)
{
	struct incident i = test_incident();

	(void)state;
	assert_says(cause_of(&i), "not known");
	assert_says(cause_of(&i), "whether an IKE SA with 10.1.1.1 exists");
	i.saw[FACT_NO_DELETE] = true;
	assert_says(cause_of(&i), "receiver-lost-state and ikev1-dangling-child are left");
	i.tunnel_kind = TUNNEL_SDWAN;
	assert_says(cause_of(&i), "controller-key-lag");
	assert_silent(cause_of(&i), "ikev1");
	i.tunnel_kind = TUNNEL_SVTI;
	i.cause = CAUSE_RECEIVER_LOST_STATE;
	i.confidence = CONFIDENCE_LIKELY;
	assert_string_equal(cause_of(&i), "Likely receiver-lost-state: 10.10.1.2 lost its SAs, by a restart or a crash, and "
					  "10.1.1.1 was not told.");
	i.confidence = CONFIDENCE_CERTAIN;
	assert_says(cause_of(&i), "Certain receiver-lost-state: ");
	i.cause = CAUSE_UNKNOWN;
	i.verdict = VERDICT_UNDECIDED;
	assert_says(cause_of(&i), "may still be a transient");
}

static void test_ends(void **state)
{
	struct incident i = test_incident();
	const char *ends = section_of(&i, EXPLAIN_ENDS);

	(void)state;
	assert_says(ends, "was lost for at least 60.8 s so far");
	assert_says(ends, "When the SA expires at 10.1.1.1, or DPD fires there (B8)");
	assert_says(ends, "DPD cannot see it while the IKE SA lives at both ends");
	assert_says(ends, "Cisco 3600 s or 4,608,000 KB; strongSwan rekeys a child after 54 to 57 min");
	assert_silent(ends, "left when its table");
	i.has_sa_lifetime = true;
	i.sa_lifetime_s = 1800;
	assert_says(section_of(&i, EXPLAIN_ENDS), "had 30 min left when its table was saved");
	i.sa_lifetime_s = UINT64_MAX;
	assert_says(section_of(&i, EXPLAIN_ENDS), "18446744073709551615 s");
	i.saw[FACT_NO_DELETE] = true;
	ends = section_of(&i, EXPLAIN_ENDS);
	assert_says(ends, "(B10) needs an IKE SA and could not go out; `crypto isakmp invalid-spi-recovery` makes one first (B11)");
	i.tunnel_kind = TUNNEL_DYNAMIC_CRYPTO_MAP;
	assert_says(section_of(&i, EXPLAIN_ENDS), "but not on this kind of tunnel (B12)");
	i.tunnel_kind = TUNNEL_SDWAN;
	ends = section_of(&i, EXPLAIN_ENDS);
	assert_says(ends, "86400 s");
	assert_silent(ends, "DPD");
	i.cause = CAUSE_CONTROLLER_SA_CLEARED;
	assert_says(section_of(&i, EXPLAIN_ENDS), "Not by itself");
	i.verdict = VERDICT_TRANSIENT;
	assert_says(section_of(&i, EXPLAIN_ENDS), "It has ended");
}

static void test_rests_on_quotes_safely(void **state)
{
	struct incident i = test_incident();
	static const struct evidence evidence[] = {
		{ .has_at = true, .at = { INT64_C(1756820207287000000) }, .kind = FACT_STRAY, .from = TEXT("note.log:12"),
		  .text = TEXT("rec'd \x1b[2J\nIPSEC\xc3\xa9") },
		{ .kind = FACT_NO_DELETE, .from = TEXT("spoke.log:7"), .other_end = true },
	};
	const char *text;

	(void)state;
	i.evidence = evidence;
	i.evidence_count = 2;
	i.copies = 1;
	i.flags = FLAG_DECIMAL_DIFFERS;
	text = section_of(&i, EXPLAIN_RESTS_ON);
	assert_says(text, "2 log lines of hub, from 2025-09-02 13:36:47 to 2025-09-02 13:37:48.\n");
	assert_says(text, "at most one such line a minute, so the lines are no count of lost packets (B3)");
	assert_says(text, "1 copy of these stands elsewhere");
	assert_says(text, "The decimal SPI in the message is not its hex SPI");
	assert_says(text, "2025-09-02 13:36:47 note.log:12 unknown-spi: rec'd .[2J.IPSEC..\n");
	assert_says(text, "spoke.log:7 delete-not-possible (written by the sender's side)\n");
}

static void test_rule_names_thresholds(void **state)
{
	struct incident i = test_incident();
	const char *text = section_of(&i, EXPLAIN_RULE);

	(void)state;
	assert_true(strncmp(text, "desync, by the rule log-repeat: ", 32) == 0);
	assert_says(text, "repeated from 50 s apart on, within 24 h; the longest distance measured is 60.8 s");
	i.verdict = VERDICT_UNDECIDED;
	i.rule = RULE_LOG_ONCE_SHORT;
	i.gap_ns = 0;
	text = section_of(&i, EXPLAIN_RULE);
	assert_says(text, "there is none");
	assert_says(text, "a transient after 5 min of further log");
	i.rule = RULE_SA_TABLE;
	assert_silent(section_of(&i, EXPLAIN_RULE), "24 h");
}

static void test_would_change(void **state)
{
	struct incident i = test_incident();

	(void)state;
	assert_says(section_of(&i, EXPLAIN_WOULD_CHANGE), "If 10.10.1.2 lists 0x1db73bbb as inbound after all");
	i.verdict = VERDICT_UNDECIDED;
	i.rule = RULE_LOG_ONCE_SHORT;
	assert_says(section_of(&i, EXPLAIN_WOULD_CHANGE), "at least 50 s after the first, makes it a desync (B7)");
	i.rule = RULE_NO_SOURCE;
	assert_says(section_of(&i, EXPLAIN_WOULD_CHANGE), "The unmasked message");
	i.verdict = VERDICT_NOISE;
	i.rule = RULE_STRANGER;
	assert_says(section_of(&i, EXPLAIN_WOULD_CHANGE), "--peers");
}

static const char *const ids[DEFECTS_KNOWN] = { "CSCvn31824", "CSCvd40554", "CSCvp16730", "CSCsl68327",
						  "CSCtr14840", "CSCty30063", "CSCsq59183" };

static enum defect_fit fit_of(const char *id, const struct incident *i)
{
	for (size_t d = 0; d < DEFECTS_KNOWN; d++) {
		struct buffer why = { 0 };
		enum defect_fit fit;

		if (strcmp(defect_at(d)->id, id) != 0)
			continue;
		fit = defect_match(d, i, &why);
		assert_true(why.len > 10 && why.bytes[why.len - 1] == '.');
		buffer_done(&why);
		return fit;
	}
	fail_msg("%s is not known", id);
	return DEFECT_DOES_NOT_FIT;
}

static void test_defects(void **state)
{
	struct incident i = test_incident();
	const char *text;

	(void)state;
	for (size_t d = 0; d < DEFECTS_KNOWN; d++) {
		assert_string_equal(defect_at(d)->id, ids[d]);
		assert_says(section_of(&i, EXPLAIN_DEFECTS), ids[d]);
	}
	assert_int_equal(fit_of("CSCvn31824", &i), DEFECT_CANNOT_TELL);
	i.saw[FACT_REKEY] = true;
	assert_int_equal(fit_of("CSCvn31824", &i), DEFECT_POSSIBLE);

	assert_int_equal(fit_of("CSCvd40554", &i), DEFECT_CANNOT_TELL);
	i.saw[FACT_INVALID_SYNTAX] = true;
	assert_int_equal(fit_of("CSCvd40554", &i), DEFECT_FITS);
	text = section_of(&i, EXPLAIN_DEFECTS);
	assert_true(strncmp(text, "CSCvd40554 "
				  "fits: ", 17) == 0); /* what fits comes first, then what is possible, what does not fit last */
	assert_true(strstr(text, "CSCvn31824 possible") < strstr(text, "CSCvp16730 does not fit"));

	assert_int_equal(fit_of("CSCvp16730", &i), DEFECT_DOES_NOT_FIT);
	i.spi.value = 0xff000001;
	assert_int_equal(fit_of("CSCvp16730", &i), DEFECT_FITS);
	i.spi.value = 0x00ff0001;
	assert_int_equal(fit_of("CSCvp16730", &i), DEFECT_DOES_NOT_FIT);
	i.spi.value = 0xffffffff;
	i.confirmed_at_receiver = true; /* its table does not list it: the SA is missing */
	assert_int_equal(fit_of("CSCvp16730", &i), DEFECT_DOES_NOT_FIT);
	i.has_spi = false;
	assert_int_equal(fit_of("CSCvp16730", &i), DEFECT_CANNOT_TELL);

	for (size_t d = 3; d < 6; d++) {
		i.verdict = VERDICT_DESYNC;
		assert_int_equal(fit_of(ids[d], &i), DEFECT_DOES_NOT_FIT);
		i.verdict = VERDICT_TRANSIENT;
		assert_int_equal(fit_of(ids[d], &i), DEFECT_POSSIBLE);
		i.verdict = VERDICT_UNDECIDED;
		assert_int_equal(fit_of(ids[d], &i), DEFECT_CANNOT_TELL);
	}
}

static void test_defects_that_cannot_fit(void **state)
{
	struct incident i = test_incident();

	(void)state;
	/* B4: the line was printed, so NAT-T did not hide it; a table without a line is another matter */
	i.encap_udp = true;
	assert_int_equal(fit_of("CSCsq59183", &i), DEFECT_DOES_NOT_FIT);
	i.messages = 0;
	i.rule = RULE_SA_TABLE;
	assert_int_equal(fit_of("CSCsq59183", &i), DEFECT_POSSIBLE);
	i.encap_udp = false;
	assert_int_equal(fit_of("CSCsq59183", &i), DEFECT_DOES_NOT_FIT);

	i = test_incident();
	i.saw[FACT_INVALID_SYNTAX] = true;
	i.tunnel_kind = TUNNEL_SDWAN;
	assert_int_equal(fit_of("CSCvd40554", &i), DEFECT_DOES_NOT_FIT);
	i.tunnel_kind = TUNNEL_UNKNOWN;
	i.spi.value = 0xff000001;
	for (int dialect = DIALECT_ASA; dialect < DIALECT_COUNT; dialect++) {
		i.dialect = (enum fact_dialect)dialect;
		for (size_t d = 0; d < DEFECTS_KNOWN; d++)
			assert_int_equal(fit_of(ids[d], &i), DEFECT_DOES_NOT_FIT);
		assert_says(section_of(&i, EXPLAIN_DEFECTS), "10.10.1.2 writes another product's log");
	}
}

static void test_collect_cisco(void **state)
{
	struct incident i = test_incident();
	const char *text = section_of(&i, EXPLAIN_COLLECT);
	const char *receiver = strstr(text, "At 10.10.1.2 (receiver)"), *sender = strstr(text, "At 10.1.1.1 (sender)");
	const char *to_sender = strstr(text, "debug crypto condition peer ipv4 "
					     "10.1.1.1"), *to_receiver = strstr(text, "debug crypto condition peer ipv4 10.10.1.2");

	(void)state;
	/* each end with the other's address, the condition before the debugs */
	assert_non_null(receiver);
	assert_true(receiver < to_sender && to_sender < sender && sender < to_receiver);
	assert_true(to_sender < strstr(text, "`debug crypto isakmp`"));
	assert_says(text, "`debug crypto ipsec`");
	assert_says(text, "`debug crypto engine`");
	assert_says(text, "syslog server");
	assert_says(text, "`show crypto ipsec sa peer 10.1.1.1 detail`");
	assert_says(text, "`show crypto ipsec sa peer 10.10.1.2 detail`");
	assert_says(text, "`show crypto sockets`");
	assert_says(text, "`show dmvpn detail`");
	assert_says(text, "`undebug all`");
	assert_says(text, "`show debug`");
	i.src = test_address("2001:db8::1");
	text = section_of(&i, EXPLAIN_COLLECT);
	assert_silent(text, "peer ipv4 2001");
	assert_says(text, "the documented form names an IPv4 peer");
	i.src.family = 0;
	assert_says(section_of(&i, EXPLAIN_COLLECT), "`debug crypto condition peer ipv4 ADDRESS`");
	i.verdict = VERDICT_OTHER_FAULT;
	i.rule = RULE_SA_FOUND;
	assert_silent(section_of(&i, EXPLAIN_COLLECT), "debug crypto");
}

static void test_collect_elsewhere(void **state)
{
	static const char *const sdwan[] = { "`show sdwan ipsec local-sa`", ("`show sdwan ipsec "
			"outbound-connections`"), "`show sdwan bfd sessions`",
					     "`show sdwan omp tlocs`", "`show sdwan control connections`" };
	struct incident i = test_incident();
	const char *text;

	(void)state;
	i.tunnel_kind = TUNNEL_SDWAN;
	text = section_of(&i, EXPLAIN_COLLECT);
	for (size_t c = 0; c < 5; c++)
		assert_says(text, sdwan[c]);
	assert_silent(text, "debug crypto");
	i.tunnel_kind = TUNNEL_UNKNOWN;
	i.dialect = DIALECT_STRONGSWAN;
	text = section_of(&i, EXPLAIN_COLLECT);
	assert_says(text, "`swanctl --list-sas`");
	assert_says(text, "`swanctl --log`");
	assert_says(text, "`ip -s xfrm state list nokeys`");
	assert_says(text, "without `nokeys` it prints the keys");
	assert_says(text, "/proc/net/xfrm_stat");
	assert_says(text, "If 10.1.1.1 is a Cisco router");
	i.dialect = DIALECT_ASA;
	assert_says(section_of(&i, EXPLAIN_COLLECT), "`debug crypto condition peer 10.1.1.1`");
}

static void test_do_is_the_plan(void **state)
{
	struct incident i = test_incident();
	const char *text = section_of(&i, EXPLAIN_DO);
	struct buffer out = { 0 };

	(void)state;
	assert_true(strncmp(text, "1. At 10.1.1.1 (sender): `clear crypto sa peer 10.10.1.2`. ", 59) == 0);
	assert_says(text, "\n2. At 10.10.1.2 (receiver): `clear crypto sa peer 10.1.1.1`. ");
	assert_says(text, "Disturbs: the SAs with this peer");
	assert_says(text, "A person has to agree first.");
	assert_says(text, "`#pkts decaps` grows");
	explain_section_write(&i, NULL, EXPLAIN_DO, &out); /* without a plan it makes its own */
	assert_int_equal(out.len, strlen(text));
	buffer_done(&out);
	i.verdict = VERDICT_TRANSIENT;
	assert_true(strncmp(section_of(&i, EXPLAIN_DO), "Nothing.", 8) == 0);
	i.verdict = VERDICT_DESYNC;
	i.tunnel_kind = TUNNEL_SDWAN;
	text = section_of(&i, EXPLAIN_DO);
	assert_silent(text, "clear crypto");
	assert_says(text, "BFD is up");
}

static void test_do_not(void **state)
{
	struct incident i = test_incident();
	const char *text = section_of(&i, EXPLAIN_DO_NOT);

	(void)state;
	assert_says(text, "without an argument");
	assert_says(text, "Do not begin with a clear at 10.10.1.2 while you can reach 10.1.1.1");
	assert_says(text, "-vesen-head-");
	i.flags = FLAG_MANY_PEERS | FLAG_NAT_T | FLAG_SPI_SMALL;
	text = section_of(&i, EXPLAIN_DO_NOT);
	assert_says(text, "many peers at once");
	assert_says(text, "Behind NAT");
	assert_says(text, "OSPFv3");
	i.tunnel_kind = TUNNEL_MGRE_NHRP_DYNAMIC;
	assert_says(section_of(&i, EXPLAIN_DO_NOT), "does not work for this kind of tunnel (B12)");
	i.tunnel_kind = TUNNEL_SDWAN;
	text = section_of(&i, EXPLAIN_DO_NOT);
	assert_says(text, "No `clear crypto sa peer`");
	assert_silent(text, "ipsec-rekey");
	i.rule = RULE_SDWAN_CLEARED;
	assert_says(section_of(&i, EXPLAIN_DO_NOT), "ipsec-rekey");
	i = test_incident();
	i.verdict = VERDICT_NOISE;
	assert_says(section_of(&i, EXPLAIN_DO_NOT), "Send nothing to the sources");
}

static void test_section_names(void **state)
{
	static const char *const keys[EXPLAIN_SECTIONS] = { "rests_on", "rule", "would_change", "ends", "defects",
							    "collect", "do", "do_not", "fix" };

	(void)state;
	for (int s = 0; s < EXPLAIN_SECTIONS; s++) {
		assert_string_equal(explain_section_key((enum explain_section)s), keys[s]);
		assert_true(explain_section_title((enum explain_section)s)[0] != '\0');
	}
}

/* Holds for whatever anybody is shown. */
static void assert_sane(const char *text, bool lines)
{
	size_t len = strlen(text);

	assert_true(len > 10);
	assert_true(text[0] != ' ' && !(text[0] >= 'a' && text[0] <= 'z' && !lines));
	assert_int_equal(text[len - 1], lines ? '\n' : '.');
	assert_silent(text, "(null)");
	assert_silent(text, "; reload");
	assert_silent(text, "peer ?`");
	assert_silent(text, "peer ? ");
	assert_silent(text, "\n\n");
	assert_silent(text, "..\n");
	assert_silent(text, "$");
	for (size_t c = 0; c < len; c++)
		assert_true((text[c] >= 0x20 && text[c] < 0x7f) || (lines && text[c] == '\n'));
}

static void walk_sections(const struct incident *i)
{
	struct buffer out = { 0 };
	struct plan plan;

	plan_build(i, &plan);
	for (int s = 0; s < EXPLAIN_SECTIONS; s++) {
		buffer_clear(&out);
		explain_section_write(i, &plan, (enum explain_section)s, &out);
		assert_true(out.len < sizeof(said));
		text_copy(buffer_text(&out), said, sizeof(said));
		assert_sane(said, true);
		if (s == EXPLAIN_DEFECTS) {
			for (size_t d = 0; d < DEFECTS_KNOWN; d++)
				assert_says(said, ids[d]);
		}
		if (s == EXPLAIN_DO && (i->tunnel_kind == TUNNEL_SDWAN || i->tunnel_kind == TUNNEL_IKELESS))
			assert_silent(said, "clear crypto");
	}
	buffer_done(&out);
	assert_sane(verdict_of(i), false);
	assert_sane(cause_of(i), false);
}

/* Verdict x rule x cause x kind, with the rest turning along. */
static void test_every_combination(void **state)
{
	static const char *const interfaces[] = { "", "Tunnel10", "Tunnel10001", "Tunnel7; reload" };
	unsigned turn = 0;

	(void)state;
	for (int verdict = 0; verdict <= VERDICT_OTHER_FAULT; verdict++) {
		for (int rule = 0; rule < RULE_COUNT; rule++) {
			for (int cause = 0; cause < CAUSE_COUNT; cause++) {
				for (int kind = 0; kind < TUNNEL_KINDS; kind++, turn++) {
					struct incident i = test_incident();

					i.verdict = (enum verdict)verdict;
					i.rule = (enum rule)rule;
					i.cause = (enum cause)cause;
					i.tunnel_kind = (enum tunnel_kind)kind;
					i.interface = text_of(interfaces[turn % 4]);
					i.confidence = (enum confidence)(turn % 4);
					i.dialect = (enum fact_dialect)(turn % DIALECT_COUNT);
					i.src_owner = (enum ownership)(turn / 5 % 3);
					i.dst_owner = (enum ownership)(turn / 7 % 3);
					i.src.family = turn / 3 % 4 == 0 ? 0 : 4;
					i.dst.family = turn / 11 % 4 == 0 ? 0 : 4;
					i.has_spi = turn / 13 % 4 != 0;
					i.has_times = turn % 3 != 0;
					i.flags = (turn * 2654435761U) & ((UINT32_C(1) << (FLAG_COUNT_LAST + 1)) - 1);
					i.saw[turn % FACT_KINDS] = true;
					i.messages = turn % 4;
					i.gap_ns = turn % 2 ? i.gap_ns : 0;
					i.confirmed_at_sender = turn / 17 % 2;
					i.confirmed_at_receiver = turn / 19 % 2;
					walk_sections(&i);
				}
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdict_has_its_figures),
		cmocka_unit_test(test_what_may_have_ended_is_past),
		cmocka_unit_test(test_swapped_and_created),
		cmocka_unit_test(test_own_kind_explains),
		cmocka_unit_test(test_no_words_for_addresses),
		cmocka_unit_test(test_verdict_by_rule),
		cmocka_unit_test(test_verdict_from_tables),
		cmocka_unit_test(test_cause),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_rests_on_quotes_safely),
		cmocka_unit_test(test_rule_names_thresholds),
		cmocka_unit_test(test_would_change),
		cmocka_unit_test(test_defects),
		cmocka_unit_test(test_defects_that_cannot_fit),
		cmocka_unit_test(test_collect_cisco),
		cmocka_unit_test(test_collect_elsewhere),
		cmocka_unit_test(test_do_is_the_plan),
		cmocka_unit_test(test_do_not),
		cmocka_unit_test(test_section_names),
		cmocka_unit_test(test_every_combination),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
