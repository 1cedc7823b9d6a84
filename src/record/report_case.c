/* SPDX-License-Identifier: MIT */
/* One incident in full: verdict and why, the picture with its table, what was done, what to do and to fix, the evidence. */
#include <inttypes.h>
#include <stdio.h>

#include "model/fact.h"
#include "record/html.h"
#include "record/picture_svg.h"
#include "record/report_page.h"

struct page {
	const struct json_tree *tree;
	const struct json_node *is; /* the incident */
	const struct json_node *explain;
	const struct json_node *live;
	struct buffer *out;
	unsigned number;
};

static struct text text_at(const struct page *p, const char *key)
{
	return json_tree_text(p->tree, p->is, key);
}

static void say(const struct page *p, const char *markup)
{
	buffer_add_string(p->out, markup);
}

static void add_time(const struct page *p, struct text t)
{
	report_add_time(t, p->out);
}

/* --- The head -------------------------------------------------------------------------------------------------- */

const char *report_badge(struct text word)
{
	static const struct {
		const char *word, *class;
	} badges[] = {
		{ "desync", "badge bad" }, { "other-fault", "badge warn" }, { "undecided", "badge warn" }, { "transient", "badge good" },
		{ "healed", "badge good" }, { "gave-up", "badge bad" }, { "unverified", "badge warn" }, { "awaiting-approval", "badge warn" },
	};

	for (size_t i = 0; i < sizeof(badges) / sizeof(badges[0]); i++)
		if (text_equal(word, text_of(badges[i].word)))
			return badges[i].class;
	return "badge";
}

static void add_badge(const struct page *p, struct text word, struct text more)
{
	if (!word.len)
		return;
	buffer_printf(p->out, "<span class=\"%s\">", report_badge(word));
	html_add(p->out, word);
	if (more.len) {
		say(p, ", ");
		html_add(p->out, more);
	}
	say(p, "</span>");
}

static void add_fact(const struct page *p, const char *label, struct text value)
{
	if (!value.len)
		return;
	buffer_printf(p->out, "<div><dt>%s</dt><dd>", label);
	html_add_foreign(p->out, value, 200);
	say(p, "</dd></div>\n");
}

static void add_fact_time(const struct page *p, const char *label, struct text value)
{
	if (!value.len)
		return;
	buffer_printf(p->out, "<div><dt>%s</dt><dd>", label);
	add_time(p, value);
	say(p, "</dd></div>\n");
}

static void add_fact_number(const struct page *p, const char *label, const struct json_node *object, const char *key)
{
	uint64_t value;

	if (json_tree_unsigned(p->tree, object, key, &value))
		buffer_printf(p->out, "<div><dt>%s</dt><dd>%" PRIu64 "</dd></div>\n", label, value);
}

static void add_duration(const struct page *p, const char *label, const struct json_node *object, const char *key)
{
	uint64_t ms;

	if (!json_tree_unsigned(p->tree, object, key, &ms) || ms > (uint64_t)(INT64_MAX / 1000000))
		return;
	buffer_printf(p->out, "<div><dt>%s</dt><dd>", label);
	calendar_print_duration(p->out, (int64_t)ms * 1000000);
	say(p, "</dd></div>\n");
}

static void add_facts(const struct page *p)
{
	const struct json_node *ledger = json_tree_find(p->tree, p->live, "ledger");
	struct text kind = text_at(p, "tunnel_kind");

	say(p, "<dl class=\"facts\">\n");
	add_fact(p, "Seen by", text_at(p, "observer"));
	add_fact(p, "On interface", text_at(p, "interface"));
	add_fact(p, "Connection", json_tree_text(p->tree, p->live, "connection"));
	add_fact(p, "Child", json_tree_text(p->tree, p->live, "child"));
	add_fact(p, "Receiver", text_at(p, "receiver_device"));
	add_fact(p, "Sender", text_at(p, "sender_device"));
	if (!text_equal(kind, TEXT("unknown")))
		add_fact(p, "Kind of tunnel", kind);
	add_fact_time(p, "First seen", text_at(p, "first_seen"));
	add_fact_time(p, "Last seen", text_at(p, "last_seen"));
	add_fact_number(p, "Log lines", p->live ? NULL : p->is, "messages");
	add_fact_number(p, "Packets lost", p->is, "packets");
	add_duration(p, "Outage", p->live, "outage_ms");
	add_fact_time(p, "Healed", json_tree_text(p->tree, p->live, "healed"));
	add_fact_time(p, "The SA was born", json_tree_text(p->tree, ledger, "born"));
	add_fact_time(p, "The SA died", json_tree_text(p->tree, ledger, "died"));
	add_fact(p, "It died by", json_tree_text(p->tree, ledger, "death"));
	add_fact(p, "Rule", text_at(p, "rule"));
	say(p, "</dl>\n");
}

/* The first line of a section, without its lead-in. */
static struct text first_line(const struct page *p, const char *section)
{
	const struct json_node *line = json_tree_first(p->tree, json_tree_find(p->tree, p->explain, section));

	return line ? line->text : TEXT_NONE;
}

static void add_head(const struct page *p)
{
	struct text why = first_line(p, "rule"), cause = first_line(p, "cause"), now = text_at(p, "waits_for");
	size_t colon = text_find(why, TEXT(": "));
	struct buffer flow = { 0 };

	report_flow(p->tree, &flow);
	say(p, "<p class=\"kicker\">incident ");
	html_add(p->out, text_at(p, "id"));
	say(p, "</p>\n<h2>");
	html_add(p->out, buffer_text(&flow));
	say(p, "</h2>\n<p class=\"badges\">");
	add_badge(p, text_at(p, "verdict"), TEXT_NONE);
	if (!text_equal(text_at(p, "cause"), TEXT("unknown")))
		add_badge(p, text_at(p, "cause"), text_at(p, "confidence"));
	if (p->live || json_tree_find(p->tree, p->is, "steps"))
		add_badge(p, text_at(p, "state"), TEXT_NONE);
	say(p, "</p>\n");
	if (why.len) {
		say(p, "<p class=\"lead\">");
		html_add_sentence(p->out, colon == TEXT_NOT_FOUND ? why : text_skip(why, colon + 2));
		say(p, "</p>\n");
	}
	if (cause.len) {
		say(p, "<p>");
		html_add_sentence(p->out, cause);
		say(p, "</p>\n");
	}
	if (now.len) {
		say(p, "<p>");
		html_add_sentence(p->out, now);
		say(p, "</p>\n");
	}
	add_facts(p);
	buffer_done(&flow);
}

/* --- The picture ----------------------------------------------------------------------------------------------- */

static const char *end_name(const struct picture_event *e)
{
	if (e->kind == PICTURE_STEP || e->kind == PICTURE_DECIDED || e->kind == PICTURE_FLOWS)
		return "spimend";
	return e->end == PICTURE_SENDER ? "sender" : "receiver";
}

static void add_row(const struct page *p, const struct picture_event *e, struct instant origin, uint64_t number)
{
	buffer_printf(p->out, "<tr><td>%" PRIu64 "</td><td class=\"time\">", number);
	if (e->at.ns > origin.ns)
		buffer_add_char(p->out, '+');
	calendar_print_duration(p->out, e->at.ns - origin.ns);
	buffer_printf(p->out, "</td><td>%s</td><td class=\"text\">", end_name(e));
	html_add_cut(p->out, e->what, 120);
	if (e->kind == PICTURE_IKE)
		say(p, (e->end == PICTURE_RECEIVER) != e->is_heard ? " (towards the sender)" : " (towards the receiver)");
	if (e->text.len && !text_equal(e->text, e->what)) {
		say(p, "<br><span class=\"soft mono\">");
		html_add_cut(p->out, e->text, PICTURE_TEXT_MAX);
		say(p, "</span>");
	}
	say(p, "</td></tr>\n");
}

static void add_events(const struct page *p, const struct picture *picture, struct instant origin)
{
	uint64_t number = 0;

	for (size_t i = 0; i < picture->event_count; i++)
		number += picture_is_numbered(&picture->events[i]) && picture_is_drawn(picture, &picture->events[i]);
	if (!number)
		return;
	say(p, "<details open><summary>What is numbered in the picture</summary>\n<table class=\"events\"><thead><tr><th scope=\"col\">no.</th>"
	       "<th scope=\"col\">when</th><th scope=\"col\">where</th><th scope=\"col\">what</th></tr></thead>\n<tbody>\n");
	number = 0;
	for (size_t i = 0; i < picture->event_count; i++) {
		const struct picture_event *e = &picture->events[i];

		if (!picture_is_numbered(e) || !picture_is_drawn(picture, e))
			continue;
		if (++number <= REPORT_EVENTS_MAX)
			add_row(p, e, origin, number);
	}
	say(p, "</tbody></table>\n");
	if (number > REPORT_EVENTS_MAX)
		buffer_printf(p->out, "<p>... and %" PRIu64 " more.</p>\n", number - REPORT_EVENTS_MAX);
	say(p, "</details>\n");
}

static void say_left_out(const struct page *p, const struct picture *picture)
{
	uint64_t outside = 0;

	for (size_t i = 0; i < picture->event_count; i++)
		outside += !picture_is_drawn(picture, &picture->events[i]);
	if (outside)
		buffer_printf(p->out, " %" PRIu64 " event%s before or after what is drawn.", outside, outside == 1 ? " lies" : "s lie");
	if (picture->events_left_out)
		buffer_printf(p->out, " %" PRIu64 " more %s not drawn one by one: their times were not kept.", picture->events_left_out,
			      picture->events_left_out == 1 ? "is" : "are");
	if (picture->untimed)
		buffer_printf(p->out, " %" PRIu64 " without a time cannot be drawn.", picture->untimed);
	if (picture->bars_left_out)
		buffer_printf(p->out, " %" PRIu64 " SAs found no room.", picture->bars_left_out);
}

static void add_picture(const struct page *p, const struct picture *picture)
{
	struct instant origin;
	bool is_cut;
	char id[32];

	if (!picture || !picture_origin(picture, &origin))
		return;
	say(p, "<figure>\n");
	snprintf(id, sizeof(id), "p%uw", p->number);
	is_cut = picture_svg(picture, id, PICTURE_WIDE, p->out);
	snprintf(id, sizeof(id), "p%un", p->number);
	is_cut |= picture_svg(picture, id, PICTURE_NARROW, p->out);
	say(p, "<figcaption>0 is ");
	calendar_print_short(p->out, origin);
	buffer_printf(p->out, ".%03d UTC.", (int)(calendar_from_instant(origin).nanosecond / 1000000));
	if (is_cut)
		say(p, " Long gaps in which nothing happened are cut short.");
	say_left_out(p, picture);
	say(p, "<ul class=\"legend\"><li><i></i>an SA, from birth to death; paler where that is not known</li>");
	if (picture->is_missing)
		say(p, "<li><i class=\"k-stale\"></i>the SA that only the sender has</li><li><i class=\"k-absent\"></i>the receiver does not have "
		       "it</li>");
	say(p, "<li><i class=\"k-stray\"></i>packets that the receiver drops</li><li><i class=\"k-ike\"></i>IKE message</li>");
	if (picture->has_flow)
		say(p, "<li><i class=\"k-good\"></i>traffic flows again</li>");
	say(p, "</ul></figcaption>\n</figure>\n");
	add_events(p, picture, origin);
}

/* --- Sections -------------------------------------------------------------------------------------------------- */

static bool is_numbered_line(struct text line)
{
	uint64_t number;

	return text_take_digits(&line, 3, &number, NULL) && text_starts(line, TEXT(". "));
}

/* Lines of an explanation; those indented are a list. `skip_steps`: what is listed elsewhere. */
static void add_lines(const struct page *p, const struct json_node *list, bool skip_steps)
{
	bool in_list = false;

	for (const struct json_node *line = json_tree_first(p->tree, list); line; line = json_tree_next(p->tree, line)) {
		bool item = text_starts(line->text, TEXT("  "));

		if (line->type != JSON_STRING || (skip_steps && is_numbered_line(line->text)))
			continue;
		if (item != in_list)
			say(p, item ? "<ul>\n" : "</ul>\n");
		in_list = item;
		say(p, item ? "<li>" : "<p>");
		html_add_sentence(p->out, text_trim(line->text));
		say(p, item ? "</li>\n" : "</p>\n");
	}
	if (in_list)
		say(p, "</ul>\n");
}

static void add_section(const struct page *p, const char *key, const char *title, bool folded)
{
	const struct json_node *list = json_tree_find(p->tree, p->explain, key);

	if (!json_tree_first(p->tree, list))
		return;
	buffer_printf(p->out, folded ? "<details><summary>%s</summary><section>\n" : "<section>\n<h3>%s</h3>\n", title);
	add_lines(p, list, false);
	say(p, folded ? "</section></details>\n" : "</section>\n");
}

static void add_step(const struct page *p, const struct json_node *s)
{
	struct text command = json_tree_text(p->tree, s, "command"), on = json_tree_text(p->tree, s, "on");
	struct text role = json_tree_text(p->tree, s, "role");
	struct text blast = json_tree_text(p->tree, s, "blast_radius"), state = json_tree_text(p->tree, s, "state");

	say(p, "<li><p class=\"where\">At ");
	if (on.len)
		html_add(p->out, on);
	else
		say(p, "the");
	if (role.len) {
		say(p, on.len ? " (" : " ");
		html_add(p->out, role);
		say(p, on.len ? ")" : "");
	}
	if (json_tree_true(p->tree, s, "needs_approval"))
		say(p, ", only with a person's approval");
	if (state.len) {
		say(p, ": ");
		html_add(p->out, state);
	}
	say(p, "</p>\n");
	if (command.len) {
		say(p, "<pre><code>");
		html_add(p->out, command);
		say(p, "</code></pre>\n");
	}
	if (json_tree_text(p->tree, s, "why").len) {
		say(p, "<p>");
		html_add_sentence(p->out, json_tree_text(p->tree, s, "why"));
		say(p, "</p>\n");
	}
	if (blast.len) {
		say(p, "<p class=\"soft\">Disturbs: ");
		html_add_sentence(p->out, blast);
		say(p, "</p>\n");
	}
	say(p, "</li>\n");
}

static void add_plan(const struct page *p)
{
	const struct json_node *plan = json_tree_find(p->tree, p->is, "plan"), *steps = json_tree_find(p->tree, p->is, "steps");
	const struct json_node *first = json_tree_first(p->tree, plan);
	const struct json_node *list = json_tree_find(p->tree, p->explain, "do");

	bool is_plan = first;

	if (!first)
		first = json_tree_first(p->tree, steps);
	if (!first && !json_tree_first(p->tree, list))
		return;
	say(p, is_plan || !first ? "<section>\n<h3>What to do</h3>\n" : "<section>\n<h3>Steps of the repair</h3>\n");
	if (first)
		say(p, "<ol class=\"steps\">\n");
	for (const struct json_node *s = first; s; s = json_tree_next(p->tree, s))
		add_step(p, s);
	if (first)
		say(p, "</ol>\n");
	add_lines(p, list, true);
	say(p, "</section>\n");
}

static void add_actions(const struct page *p)
{
	const struct json_node *first = json_tree_first(p->tree, json_tree_find(p->tree, p->is, "actions"));

	if (!p->live && !first)
		return;
	say(p, "<section>\n<h3>What was done</h3>\n");
	if (!first) {
		say(p, "<p>Nothing.</p></section>\n");
		return;
	}
	say(p, "<div class=\"scroll\"><table><thead><tr><th scope=\"col\">when</th><th scope=\"col\">step</th><th scope=\"col\">rung</th>"
	       "<th scope=\"col\">outcome</th><th scope=\"col\">took</th></tr></thead>\n<tbody>\n");
	for (const struct json_node *a = first; a; a = json_tree_next(p->tree, a)) {
		struct text more = json_tree_text(p->tree, a, "text");
		uint64_t ms = 0;

		say(p, "<tr><td class=\"time\">");
		add_time(p, json_tree_text(p->tree, a, "at"));
		say(p, "</td><td>");
		html_add(p->out, json_tree_text(p->tree, a, "verb"));
		say(p, "</td><td>");
		html_add(p->out, json_tree_text(p->tree, a, "rung"));
		say(p, "</td><td class=\"text\">");
		html_add(p->out, json_tree_text(p->tree, a, "outcome"));
		if (more.len && !text_equal(more, json_tree_text(p->tree, a, "outcome"))) {
			say(p, ": ");
			html_add_foreign(p->out, more, 300);
		}
		say(p, "</td><td class=\"time\">");
		if (json_tree_unsigned(p->tree, a, "took_ms", &ms) && ms < (uint64_t)DAY_NS)
			calendar_print_duration(p->out, (int64_t)ms * 1000000);
		say(p, "</td></tr>\n");
	}
	say(p, "</tbody></table></div></section>\n");
}

/* What the daemon says in its own words: headings, and paragraphs that are indented. */
static void add_note(const struct page *p)
{
	const struct json_node *first = json_tree_first(p->tree, json_tree_find(p->tree, p->is, "note"));

	if (!first)
		return;
	say(p, "<details><summary>As <code>spimend explain</code> tells it</summary><pre>");
	for (const struct json_node *line = first; line; line = json_tree_next(p->tree, line)) {
		html_add(p->out, line->text);
		buffer_add_char(p->out, '\n');
	}
	say(p, "</pre></details>\n");
}

static void add_flags(const struct page *p)
{
	const struct json_node *first = json_tree_first(p->tree, json_tree_find(p->tree, p->is, "flags"));

	if (!first)
		return;
	say(p, "<ul>\n");
	for (const struct json_node *f = first; f; f = json_tree_next(p->tree, f)) {
		say(p, "<li>");
		html_add(p->out, f->text);
		for (int bit = 0; bit <= FLAG_COUNT_LAST; bit++) {
			if (text_equal(f->text, text_of(fact_flag_name((enum fact_flag)(1u << bit))))) {
				say(p, ": ");
				html_add_sentence(p->out, text_of(fact_flag_help((enum fact_flag)(1u << bit))));
			}
		}
		say(p, "</li>\n");
	}
	say(p, "</ul>\n");
}

static void add_evidence(const struct page *p)
{
	const struct json_node *first = json_tree_first(p->tree, json_tree_find(p->tree, p->is, "evidence"));

	if (!first)
		return;
	say(p, "<section>\n<h3>Evidence</h3>\n");
	add_flags(p);
	say(p, "<table class=\"events\"><thead><tr><th scope=\"col\">when</th><th scope=\"col\">end</th><th scope=\"col\">says</th>"
	       "<th scope=\"col\">what was written, and where</th></tr></thead>\n<tbody>\n");
	for (const struct json_node *e = first; e; e = json_tree_next(p->tree, e)) {
		say(p, "<tr><td class=\"time\">");
		add_time(p, json_tree_text(p->tree, e, "at"));
		say(p, "</td><td>");
		html_add(p->out, json_tree_text(p->tree, e, "end"));
		say(p, "</td><td>");
		html_add(p->out, json_tree_text(p->tree, e, "says"));
		say(p, "</td><td class=\"text\"><span class=\"mono\">");
		html_add_foreign(p->out, json_tree_text(p->tree, e, "text"), 600);
		say(p, "</span> <span class=\"soft\">");
		html_add_foreign(p->out, json_tree_text(p->tree, e, "from"), 200);
		say(p, "</span></td></tr>\n");
	}
	say(p, "</tbody></table></section>\n");
}

void report_page_case(const struct report_case *is, unsigned number, struct buffer *out)
{
	struct page p = { .tree = is->incident, .is = json_tree_root(is->incident), .out = out, .number = number };

	p.explain = json_tree_find(p.tree, p.is, "explain");
	p.live = json_tree_find(p.tree, p.is, "live");
	say(&p, "<article class=\"card\" id=\"i-");
	html_add(out, text_at(&p, "id"));
	say(&p, "\">\n");
	add_head(&p);
	add_picture(&p, is->picture);
	add_actions(&p);
	add_plan(&p);
	add_section(&p, "do_not", "What not to do", false);
	add_section(&p, "fix", "What to fix so that it does not come again", false);
	add_evidence(&p);
	if (p.explain || json_tree_find(p.tree, p.is, "note"))
		say(&p, "<h3>More</h3>\n");
	add_section(&p, "rule", "Which rule gave the verdict", true);
	add_section(&p, "would_change", "What would change the verdict", true);
	add_section(&p, "ends", "When it ends by itself", true);
	add_section(&p, "defects", "Known defects (B9)", true);
	add_section(&p, "collect", "What to collect, at which end (B13, B18)", true);
	add_note(&p);
	say(&p, "</article>\n");
}
