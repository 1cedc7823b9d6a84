/* SPDX-License-Identifier: MIT */
#include "record/audit.h"

#include <inttypes.h>

#include "record/values.h"

#define INDENT 2
#define BODY 10

static const char *colour_of(enum audit_severity severity)
{
	return severity == AUDIT_ERROR ? "\033[1;31m" : severity == AUDIT_WARNING ? "\033[1;33m" : "\033[36m";
}

static const char *word_of(enum audit_severity severity)
{
	return severity == AUDIT_ERROR ? "ERROR" : severity == AUDIT_WARNING ? "WARNING" : "NOTE";
}

static void add_end(struct buffer *out, const struct audit_end *e)
{
	char address[SPIMEND_ADDRESS_TEXT_MAX];

	record_add_printable(out, text_of(e->device));
	if (spimend_address_known(&e->address))
		buffer_printf(out, "%s%s", e->device ? " " : "", spimend_address_print(&e->address, address));
}

/* Both ends, the same way round for all findings of a tunnel. */
static void add_headline(const struct audit_finding *f, struct buffer *out)
{
	int first = f->ends[1].device && strcmp(f->ends[0].device, f->ends[1].device) > 0;

	add_end(out, &f->ends[first]);
	if (f->ends[1].device || spimend_address_known(&f->ends[1].address)) {
		buffer_add_string(out, "  <->  ");
		add_end(out, &f->ends[!first]);
	}
	buffer_add_char(out, '\n');
}

static void add_row(struct buffer *out, const struct text_style *style, const char *label, struct text t)
{
	size_t len = strlen(label);

	buffer_add_repeat(out, ' ', INDENT);
	buffer_add(out, (struct text){ label, len });
	buffer_add_repeat(out, ' ', BODY - INDENT > len ? BODY - INDENT - len : 1);
	record_add_wrapped(out, style->width, t, BODY, BODY);
}

static void add_what(const struct audit_finding *f, const struct text_style *style, struct buffer *out)
{
	struct buffer t = { 0 };

	buffer_add_repeat(out, ' ', INDENT);
	if (style->colour)
		buffer_add_string(out, colour_of(f->severity));
	buffer_printf(out, "%s %s", word_of(f->severity), audit_code_name(f->code));
	if (style->colour)
		buffer_add_string(out, "\033[0m");
	if (f->ends[0].role == AUDIT_SENDER) {
		buffer_add_string(out, "  ");
		record_add_printable(out, text_of(f->ends[0].device));
		buffer_add_string(out, " -> ");
		record_add_printable(out, text_of(f->ends[1].device));
	}
	if (f->has_spi) /* SD-WAN's are counters, and its tables have them in decimal */
		buffer_printf(out, f->kind == TUNNEL_SDWAN ? "  SPI %" PRIu32 : "  0x%" PRIx32, f->spi.value);
	buffer_printf(out, "  (%s)\n", confidence_name(f->confidence));
	buffer_add_string(&t, plan_audit_means(f->code));
	if (f->many)
		buffer_add_string(&t, "; many peers' SAs are missing there: one common cause, take one peer first");
	buffer_add_repeat(out, ' ', BODY);
	record_add_wrapped(out, style->width, buffer_text(&t), BODY, BODY);
	buffer_done(&t);
}

static void add_evidence(const struct audit_finding *f, const struct text_style *style, struct buffer *out)
{
	struct buffer t = { 0 };

	for (size_t i = 0; i < f->evidence_count; i++) {
		const struct audit_evidence *e = &f->evidence[i];

		buffer_clear(&t);
		record_add_printable(&t, text_of(e->file));
		if (e->line)
			buffer_printf(&t, ":%" PRIu32, e->line);
		buffer_add_string(&t, ": ");
		buffer_add_string(&t, e->says);
		add_row(out, style, i ? "" : "seen", buffer_text(&t));
	}
	buffer_done(&t);
}

static void add_plan(const struct audit_finding *f, const struct plan *plan, const struct text_style *style,
		     struct buffer *out)
{
	struct buffer t = { 0 };

	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_step *s = &plan->steps[i];

		buffer_clear(&t);
		if (s->command[0]) {
			buffer_add_string(&t, "at ");
			record_add_printable(&t, text_of(f->ends[s->role == PLAN_RECEIVER].device));
			buffer_printf(&t, ": %s", s->command);
			if (s->needs_approval)
				buffer_add_string(&t, "  (ask first)");
			add_row(out, style, i == 0 ? "do" : s->disturbs_nothing ? "then" : "if not", buffer_text(&t));
			buffer_clear(&t);
			/* What holds before the first step; the rest of each sentence is in the JSON. */
			if (i == 0) {
				buffer_add(&t, plan_step_when(s));
				buffer_add_string(&t, s->disturbs_nothing ? "." : ". ");
			}
			if (!s->disturbs_nothing)
				buffer_printf(&t, "%s: %s.", i ? "disturbs" : "It disturbs", s->blast_radius);
			if (t.len)
				add_row(out, style, "", buffer_text(&t));
		} else {
			add_row(out, style, i ? "if not" : "do", text_of(s->why));
		}
	}
	buffer_done(&t);
}

static bool is_same_tunnel(const struct audit_finding *f, const struct audit_finding *before)
{
	if (!before || f->tunnel != before->tunnel || f->ends[0].device == NULL)
		return false;
	return f->tunnel != UINT32_MAX;
}

void record_audit_text(const struct audit_finding *f, const struct audit_finding *before, const struct plan *plan,
		       const struct text_style *style, struct buffer *out)
{
	const char *never = plan_audit_never(f);

	if (!is_same_tunnel(f, before)) {
		if (before)
			buffer_add_char(out, '\n');
		add_headline(f, out);
	}
	add_what(f, style, out);
	add_evidence(f, style, out);
	add_plan(f, plan, style, out);
	if (never)
		add_row(out, style, "never", text_of(never));
}

static void add_count(struct buffer *out, const char *before, uint64_t n, const char *what, const char *plural)
{
	buffer_printf(out, "%s%" PRIu64 " %s%s", before, n, what, n == 1 ? "" : plural);
}

static void add_some(struct buffer *out, bool *any, uint64_t n, const char *what)
{
	if (n == 0)
		return;
	buffer_printf(out, "%s%" PRIu64 " %s", *any ? "; " : "not judged: ", n, what);
	*any = true;
}

void record_audit_summary_text(const struct audit_summary *s, struct buffer *out)
{
	const struct audit_counts *c = s->counts;
	bool any = false;

	add_some(out, &any, c->other_end_absent, "flows whose other end was not given");
	add_some(out, &any, c->not_covered, "SAs of which the other end's saved tables do not speak");
	add_some(out, &any, c->ambiguous, "flows or IKE SAs behind NAT whose other end could not be told from others");
	add_some(out, &any, c->undirected, "SAs that do not tell which end is which");
	add_some(out, &any, c->overlaps, "SAs of a rekey in progress");
	add_some(out, &any, c->left_alone, "flows with manual or group keys, left alone");
	add_some(out, &any, c->limit, "findings more than are listed");
	if (any)
		buffer_add_char(out, '\n');
	any = false;
	if (s->read.bad || s->read.foreign_host || s->files_failed || s->files_twice || s->files_unknown || s->names_twice) {
		buffer_printf(out, "not read: %" PRIu64 " rows; %" PRIu64 " lines behind another device's prompt; %" PRIu64
			      " files that failed, %" PRIu64 " given twice, %" PRIu64 " without a table\n",
			      s->read.bad, s->read.foreign_host, s->files_failed, s->files_twice, s->files_unknown);
	}
	if (s->devices_failed)
		buffer_printf(out, "not read to the end: %" PRIu64 " device%s\n", s->devices_failed, s->devices_failed == 1 ? "" : "s");
	add_count(out, "", c->severity[AUDIT_ERROR], "error", "s");
	add_count(out, ", ", c->severity[AUDIT_WARNING], "warning", "s");
	add_count(out, ", ", c->severity[AUDIT_NOTE], "note", "s");
	add_count(out, ": ", c->tunnels, "tunnel", "s");
	add_count(out, " compared, ", c->in_sync, "in sync", "");
	add_count(out, "; ", c->devices, "device", "s");
	add_count(out, ", ", c->sas, "SA", "s");
	add_count(out, ", ", s->read.lines, "line", "s");
	buffer_add_char(out, '\n');
}
