/* SPDX-License-Identifier: MIT */
#include "record/incident_text.h"

#include <inttypes.h>
#include <stdio.h>

#include "plan/explain.h"
#include "record/captures.h"
#include "record/values.h"

#define LABEL_WIDTH 12

static const char *colour_of(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_DESYNC:
		return "\033[1;31m";
	case VERDICT_OTHER_FAULT:
		return "\033[1;35m";
	case VERDICT_UNDECIDED:
		return "\033[1;33m";
	case VERDICT_TRANSIENT:
		return "\033[32m";
	case VERDICT_NOISE:
		return "\033[36m";
	}
	return "";
}

static const char *title_of(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_DESYNC:
		return "DESYNC";
	case VERDICT_OTHER_FAULT:
		return "OTHER FAULT";
	case VERDICT_UNDECIDED:
		return "UNDECIDED";
	case VERDICT_TRANSIENT:
		return "TRANSIENT";
	case VERDICT_NOISE:
		return "NOISE";
	}
	return "?";
}

static void add_row(struct buffer *out, const struct text_style *style, const char *label, struct text t)
{
	size_t len = strlen(label);

	buffer_add(out, TEXT("  "));
	buffer_add(out, (struct text){ label, len });
	buffer_add_repeat(out, ' ', len < LABEL_WIDTH - 2 ? LABEL_WIDTH - 2 - len : 0);
	record_add_wrapped(out, style->width, t, LABEL_WIDTH, LABEL_WIDTH);
}

static const char *protocol_of(enum spimend_protocol protocol)
{
	if (protocol == SPIMEND_PROTOCOL_AH)
		return "AH";
	return protocol == SPIMEND_PROTOCOL_ESP ? "ESP" : "SPI";
}

static void add_headline(struct buffer *out, const struct incident *i, const struct text_style *style)
{
	char src[SPIMEND_ADDRESS_TEXT_MAX], dst[SPIMEND_ADDRESS_TEXT_MAX];
	bool many = i->spis > 1;

	if (style->colour)
		buffer_add_string(out, colour_of(i->verdict));
	buffer_printf(out, "%-*s", LABEL_WIDTH, title_of(i->verdict));
	if (style->colour)
		buffer_add_string(out, "\033[0m");
	buffer_add_string(out, spimend_address_known(&i->src) ? spimend_address_print(&i->src, src)
			       : i->sources > 1		      ? "many sources"
							      : "unknown source");
	buffer_add_string(out, " -> ");
	buffer_add_string(out, spimend_address_known(&i->dst) ? spimend_address_print(&i->dst, dst) : "unknown destination");
	if (i->has_spi)
		buffer_printf(out, "  %s 0x%" PRIx32, protocol_of(i->protocol), i->spi.value);
	else if (many)
		buffer_printf(out, "  %" PRIu64 " SPIs", i->spis);
	else
		buffer_add_string(out, "  SPI not told");
	if (i->interface.len) {
		buffer_add_string(out, "  on ");
		record_add_printable(out, i->interface);
	}
	buffer_printf(out, "  [%s]\n", i->id);
}

/* The first message about the flow itself: beside it stand restarts, changes and what the other end wrote. */
static const struct evidence *first_own(const struct incident *i)
{
	for (size_t k = 0; k < i->evidence_count; k++) {
		const struct evidence *e = &i->evidence[k];
		bool own = e->kind == FACT_STRAY || e->kind == FACT_INTEGRITY || e->kind == FACT_REPLAY || e->kind == FACT_SELECTOR ||
			   e->kind == FACT_NOT_IPSEC;

		if (e->is_packet || (own && !e->other_end && (i->kind == FACT_NONE || e->kind == i->kind)))
			return e;
	}
	return NULL;
}

static void add_seen(struct buffer *out, const struct incident *i, const struct text_style *style)
{
	const struct evidence *own = first_own(i);
	struct buffer t = { 0 };

	if (i->has_packets)
		buffer_printf(&t, "%" PRIu64 " packet%s", i->packets, text_plural(i->packets));
	else if (i->messages == 0)
		buffer_add_string(&t, "no message; a saved SA table shows it");
	else
		buffer_printf(&t, "%" PRIu64 " message%s", i->messages, i->messages == 1 ? "" : "s");
	if (i->has_times) {
		buffer_add_string(&t, i->first_seen.ns == i->last_seen.ns ? " at " : " from ");
		calendar_print_short(&t, i->first_seen);
		if (i->first_seen.ns != i->last_seen.ns) {
			buffer_add_string(&t, " to ");
			calendar_print_short(&t, i->last_seen);
		}
		buffer_add_string(&t, " UTC");
	} else if (i->messages || i->has_packets) {
		buffer_add_string(&t, " without a time");
	}
	if (i->copies)
		buffer_printf(&t, ", %" PRIu64 " cop%s not counted", i->copies, i->copies == 1 ? "y" : "ies");
	if (i->observer.len && !i->has_packets) {
		buffer_add_string(&t, ", by ");
		buffer_add(&t, i->observer);
	}
	if (own) {
		buffer_add_string(&t, ", first in ");
		buffer_add(&t, own->from);
	}
	add_row(out, style, "seen", buffer_text(&t));
	buffer_done(&t);
}

/* One common cause: the rest of each ladder is for --explain. */
static size_t steps_shown(const struct incident *i, const struct plan *plan, bool brief)
{
	return brief && i->flags & FLAG_MANY_PEERS && plan->count > 1 ? 1 : plan->count;
}

static void add_pacing(struct buffer *out, const struct incident *i, const struct plan *plan, const struct text_style *style)
{
	if (plan->count > 0 && i->flags & FLAG_MANY_PEERS)
		add_row(out, style, "", TEXT("One peer first, verify, then the next; find the common cause at the receiver first."));
}

static void add_where(struct buffer *out, const struct plan_step *s)
{
	char address[SPIMEND_ADDRESS_TEXT_MAX];

	if (s->has_on)
		buffer_printf(out, "at %s (%s)", spimend_address_print(&s->on, address), plan_role_name(s->role));
	else
		buffer_printf(out, "at the %s", plan_role_name(s->role));
	buffer_add_string(out, s->needs_approval ? ", only with a person's approval" : "");
}

/* While it may still be harmless: only where and what. */
static void add_plan_briefly(struct buffer *out, const struct incident *i, const struct plan *plan,
			     const struct text_style *style)
{
	const char *again = i->has_packets ? "next" : "if again";
	struct buffer t = { 0 };

	for (size_t k = 0; k < steps_shown(i, plan, true); k++) {
		const struct plan_step *s = &plan->steps[k];

		buffer_clear(&t);
		buffer_printf(&t, "%zu. ", k + 1);
		add_where(&t, s);
		buffer_add_string(&t, ": ");
		buffer_add_string(&t, s->command[0] ? s->command : s->why);
		add_row(out, style, k ? "" : again, buffer_text(&t));
	}
	add_pacing(out, i, plan, style);
	buffer_done(&t);
}

static void add_step(struct buffer *out, const struct plan_step *s, bool brief, const struct text_style *style)
{
	struct buffer t = { 0 };

	add_where(&t, s);
	buffer_add_string(&t, s->command[0] ? ":" : ": no command");
	record_add_wrapped(out, style->width, buffer_text(&t), LABEL_WIDTH + 3, LABEL_WIDTH + 3);
	if (s->command[0]) {
		buffer_add_repeat(out, ' ', LABEL_WIDTH + 5);
		if (style->colour)
			buffer_add_string(out, "\033[1m");
		buffer_add_string(out, s->command);
		if (style->colour)
			buffer_add_string(out, "\033[0m");
		buffer_add_char(out, '\n');
	}
	if (s->blast_radius[0] && !s->disturbs_nothing) {
		buffer_add_repeat(out, ' ', LABEL_WIDTH + 3);
		buffer_add_string(out, "disturbs: ");
		record_add_wrapped(out, style->width, text_of(s->blast_radius), LABEL_WIDTH + 13, LABEL_WIDTH + 13);
	}
	buffer_clear(&t);
	if (brief && s->command[0]) { /* what is no command is its words */
		buffer_add(&t, plan_step_when(s));
		buffer_add_char(&t, '.');
	} else {
		buffer_add_string(&t, s->why);
	}
	buffer_add_repeat(out, ' ', LABEL_WIDTH + 3);
	record_add_wrapped(out, style->width, buffer_text(&t), LABEL_WIDTH + 3, LABEL_WIDTH + 3);
	buffer_done(&t);
}

static void add_plan(struct buffer *out, const struct incident *i, const struct plan *plan, const struct text_style *style)
{
	bool brief = !style->explain && !style->verbose, undecided = i->verdict == VERDICT_UNDECIDED;

	if (undecided && brief) {
		add_plan_briefly(out, i, plan, style);
		return;
	}
	for (size_t k = 0; k < steps_shown(i, plan, brief); k++) {
		buffer_printf(out, "  %-*s%zu. ", LABEL_WIDTH - 2, k ? "" : !undecided ? "do" : i->has_packets ? "next" :
			      "if again", k + 1);
		add_step(out, &plan->steps[k], brief, style);
	}
	if (brief)
		add_pacing(out, i, plan, style);
}

static void add_notes(struct buffer *out, const struct incident *i, const struct text_style *style)
{
	bool first = true;

	for (int bit = 0; bit <= FLAG_COUNT_LAST; bit++) {
		if (!(i->flags >> bit & 1))
			continue;
		add_row(out, style, first ? "note" : "", text_of(fact_flag_help((enum fact_flag)(1u << bit))));
		first = false;
	}
}

/* Beside a capture: what the receiver's table says of the flow decides, so it is told at once. */
static void add_table(struct buffer *out, const struct incident *i, const struct text_style *style)
{
	struct buffer t = { 0 };

	for (size_t k = 0; k < i->evidence_count; k++) {
		if (i->evidence[k].kind != FACT_SA_TABLE)
			continue;
		buffer_clear(&t);
		buffer_add(&t, i->evidence[k].from);
		buffer_add_string(&t, ": ");
		buffer_add(&t, i->evidence[k].text);
		add_row(out, style, "table", buffer_text(&t));
	}
	buffer_done(&t);
}

static void add_evidence(struct buffer *out, const struct incident *i, const struct text_style *style)
{
	struct buffer t = { 0 };

	for (size_t k = 0; k < i->evidence_count; k++) {
		const struct evidence *e = &i->evidence[k];

		buffer_clear(&t);
		buffer_printf(&t, "%.*s%s, %s: ", TEXT_ARG(e->from), e->other_end ? " (the sender's end)" : "",
			      fact_kind_name(e->kind));
		buffer_add(&t, e->text);
		add_row(out, style, k ? "" : "evidence", buffer_text(&t));
	}
	buffer_done(&t);
}

static void add_section(struct buffer *out, const struct incident *i, const struct plan *plan, enum explain_section section,
			const char *label, const struct text_style *style)
{
	struct buffer t = { 0 };
	struct text rest, line;
	bool first = true;

	explain_section_write(i, plan, section, &t);
	rest = buffer_text(&t);
	while (text_take_line(&rest, &line)) {
		if (label) {
			add_row(out, style, first ? label : "", line);
		} else {
			if (first)
				buffer_printf(out, "\n  %s\n", explain_section_title(section));
			buffer_add_string(out, "    ");
			record_add_wrapped(out, style->width, line, 6, 4);
		}
		first = false;
	}
	buffer_done(&t);
}

void record_incident_text(const struct incident *i, const struct plan *plan, const struct text_style *style,
			  struct buffer *out)
{
	bool calm = i->verdict == VERDICT_TRANSIENT || i->verdict == VERDICT_NOISE;
	struct buffer t = { 0 };

	add_headline(out, i, style);
	add_seen(out, i, style);
	explain_verdict(i, &t);
	buffer_printf(&t, " [%s]", rule_name(i->rule));
	add_row(out, style, "why", buffer_text(&t));
	if (i->has_packets && !style->verbose && !style->explain)
		add_table(out, i, style);
	if (!calm) {
		buffer_clear(&t);
		explain_cause(i, &t);
		add_row(out, style, "cause", buffer_text(&t));
	}
	buffer_done(&t);
	add_notes(out, i, style);
	if (style->verbose || style->explain)
		add_evidence(out, i, style);
	add_plan(out, i, plan, style);
	if (style->explain) {
		for (int section = 0; section < EXPLAIN_SECTIONS; section++)
			if (section != EXPLAIN_DO && section != EXPLAIN_RESTS_ON)
				add_section(out, i, plan, (enum explain_section)section, NULL, style);
	} else if (i->verdict == VERDICT_DESYNC) {
		add_section(out, i, plan, EXPLAIN_DO_NOT, "do not", style);
	}
	buffer_add_char(out, '\n');
}

static void add_limits(const struct summary *s, const struct text_style *style, struct buffer *out)
{
	struct buffer t = { 0 };

	if (s->evicted)
		buffer_printf(&t, "%" PRIu64 " flows seen once made room in the table (their repeat is still noticed%s). ", s->evicted,
			      s->forgotten ? ", but for those forgotten" : "");
	if (s->forgotten)
		buffer_printf(&t, "%" PRIu64 " of them were forgotten: a repeat of these would not be noticed. ", s->forgotten);
	if (s->refused)
		buffer_printf(&t, "%" PRIu64 " messages found no room in the flow table. ", s->refused);
	if (s->neighbours_dropped)
		buffer_printf(&t, "%" PRIu64 " neighbouring messages, the oldest, were dropped. ", s->neighbours_dropped);
	if (s->tables_dropped)
		buffer_printf(&t, "%" PRIu64 " flows of saved SA tables, the oldest, were dropped. ", s->tables_dropped);
	if (s->hosts_refused)
		buffer_printf(&t, "%" PRIu64 " lines of hosts beyond the limit count for no observer. ", s->hosts_refused);
	if (t.len)
		add_row(out, style, "limits", buffer_text(&t));
	buffer_done(&t);
}

static void add_lines(const struct summary *s, struct buffer *out)
{
	uint64_t files = s->files - (s->captures ? s->captures->files : 0);

	buffer_printf(out, "%" PRIu64 " line%s in %" PRIu64 " file%s, %" PRIu64 " message%s about an unknown SPI", s->lines,
		      s->lines == 1 ? "" : "s", files, files == 1 ? "" : "s", s->messages, s->messages == 1 ? "" : "s");
	if (s->copies)
		buffer_printf(out, " (and %" PRIu64 " cop%s)", s->copies, s->copies == 1 ? "y" : "ies");
	for (size_t i = 0; i < s->trouble_count; i++)
		if (s->troubles[i].count)
			buffer_printf(out, ", %" PRIu64 " %s", s->troubles[i].count, s->troubles[i].name);
	buffer_add_string(out, "\n");
}

void record_summary_text(const struct summary *s, const struct text_style *style, size_t listed, struct buffer *out)
{
	static const enum verdict order[] = { VERDICT_DESYNC, VERDICT_OTHER_FAULT, VERDICT_UNDECIDED, VERDICT_TRANSIENT,
					      VERDICT_NOISE };
	struct buffer t = { 0 };
	bool first = true;

	if (s->unparsed) {
		buffer_printf(out, "Not understood: %" PRIu64 " line%s that name%s the message\n", s->unparsed,
			      s->unparsed == 1 ? "" : "s", s->unparsed == 1 ? "s" : "");
		for (size_t i = 0; i < s->unparsed_lines_count && i < listed; i++) {
			buffer_clear(&t);
			buffer_printf(&t, "%.*s: %.*s: ", TEXT_ARG(s->unparsed_lines[i].from), TEXT_ARG(s->unparsed_lines[i].reason));
			buffer_add(&t, s->unparsed_lines[i].text);
			buffer_add_string(out, "  ");
			record_add_wrapped(out, style->width, buffer_text(&t), 6, 2);
		}
		if (s->unparsed > listed || s->unparsed > s->unparsed_lines_count)
			buffer_printf(out, "  ... and %" PRIu64 " more%s\n",
				      s->unparsed - (s->unparsed_lines_count < listed ? s->unparsed_lines_count : listed),
				      listed < s->unparsed_lines_count ? " (--verbose lists them)" : "");
		buffer_add_char(out, '\n');
	}
	add_limits(s, style, out);
	if (s->captures)
		record_captures_text(s->captures, style, out);
	if (!s->captures || s->lines)
		add_lines(s, out);
	buffer_printf(out, "%" PRIu64 " incident%s", s->incidents, s->incidents == 1 ? "" : "s");
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		uint64_t count = s->by_verdict[order[i]];

		if (!count)
			continue;
		buffer_add_string(out, first ? ": " : ", ");
		if (style->colour)
			buffer_add_string(out, colour_of(order[i]));
		buffer_printf(out, "%" PRIu64 " %s", count, verdict_name(order[i]));
		if (style->colour)
			buffer_add_string(out, "\033[0m");
		first = false;
	}
	buffer_add_char(out, '\n');
	buffer_done(&t);
}
