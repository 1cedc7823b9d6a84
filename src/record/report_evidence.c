/* SPDX-License-Identifier: MIT */
#include "record/report_evidence.h"

#include <errno.h>
#include <inttypes.h>

#include "base/memory.h"
#include "record/html.h"
#include "record/report_private.h"
#include "spimend/error.h"

static void read_address(struct text t, struct spimend_address *ret)
{
	if (spimend_address_parse(t.at, t.len, ret) < 0)
		*ret = (struct spimend_address){ 0 };
}

static void set_name(struct report_evidence *e, enum picture_end end, struct text address, struct text host)
{
	struct buffer name = { 0 };

	buffer_add(&name, address);
	if (host.len && !text_equal(host, address)) {
		buffer_add_string(&name, address.len ? " (" : "");
		buffer_add(&name, text_first(host, 60));
		buffer_add_string(&name, address.len ? ")" : "");
	}
	e->picture.names[end] = picture_keep(&e->picture, buffer_text(&name));
	buffer_done(&name);
}

int report_evidence_begin(struct report_evidence *e, const struct json_tree *t)
{
	const struct json_node *i = json_tree_root(t);
	struct text spi = json_tree_text(t, i, "spi"), verdict = json_tree_text(t, i, "verdict");

	if (!text_equal(json_tree_text(t, i, "schema"), TEXT("spimend.incident/1")) || !json_tree_text(t, i, "id").len)
		return SPIMEND_E_SYNTAX;
	e->incident = t;
	e->id = json_tree_text(t, i, "id");
	read_address(json_tree_text(t, i, "src"), &e->src);
	read_address(json_tree_text(t, i, "dst"), &e->dst);
	e->picture.counts_packets = true;
	e->picture.has_spi = spi.len && text_hex32(spi, &e->picture.spi.value) == 0;
	e->picture.is_missing = e->picture.has_spi && text_equal(verdict, TEXT("desync"));
	set_name(e, PICTURE_SENDER, json_tree_text(t, i, "src"), json_tree_text(t, i, "sender_device"));
	set_name(e, PICTURE_RECEIVER, json_tree_text(t, i, "dst"), json_tree_text(t, i, "observer"));
	return 0;
}

struct report_end *report_end_of(struct report_evidence *e, struct text name)
{
	struct report_end *end;

	for (size_t i = 0; i < e->end_count; i++)
		if (text_equal(e->ends[i].name, name))
			return &e->ends[i];
	if (e->end_count == REPORT_ENDS_MAX)
		return &e->ends[REPORT_ENDS_MAX - 1];
	end = &e->ends[e->end_count++];
	end->name = picture_keep(&e->picture, name);
	return end;
}

void report_add_offset(struct buffer *out, int64_t ns)
{
	if (ns > -10000000 && ns < 10000000)
		buffer_printf(out, "%.3f ms", (double)ns / 1e6);
	else
		calendar_print_duration(out, ns);
}

/* In words, for the page. */
static void note_clock(struct report_evidence *e, const struct recorded *event)
{
	struct buffer line = { 0 };

	if (e->clock_count == REPORT_CLOCKS_MAX)
		return;
	buffer_add(&line, event->end);
	buffer_add_string(&line, ": ");
	if (event->has & RECORDED_HAS_OFFSET) {
		bool another = event->has & RECORDED_HAS_ERROR;

		buffer_add_string(&line, another ? "its clock is ahead by " : "its clock stepped by ");
		report_add_offset(&line, event->offset_ns);
		if (another) {
			buffer_add_string(&line, ", give or take ");
			report_add_offset(&line, event->error_ns);
			buffer_add_string(&line, "; its times are moved by that here, not in recorded.ndjson");
		}
		buffer_add_string(&line, event->text.len ? ". " : ".");
	}
	buffer_add(&line, event->text);
	e->clocks[e->clock_count++] = picture_keep(&e->picture, buffer_text(&line));
	buffer_done(&line);
}

void report_evidence_clock(struct report_evidence *e, const struct recorded *event)
{
	const uint32_t both = RECORDED_HAS_OFFSET | RECORDED_HAS_ERROR;
	struct report_end *end;

	if (event->kind != RECORDED_CLOCK)
		return;
	note_clock(e, event);
	if ((event->has & both) != both)
		return;
	end = report_end_of(e, event->end);
	end->has_offset = true;
	end->offset_ns = event->offset_ns;
	end->error_ns = event->error_ns;
}

void report_evidence_refine(struct report_evidence *e, struct report_end *end, int64_t offset_ns, int64_t error_ns,
			    uint64_t messages)
{
	struct buffer line = { 0 };
	int64_t apart, most;

	if (!end->has_offset || error_ns >= end->error_ns || __builtin_sub_overflow(offset_ns, end->offset_ns, &apart) ||
	    __builtin_add_overflow(end->error_ns, error_ns, &most) || apart > most || apart < -most)
		return;
	end->offset_ns = offset_ns;
	end->error_ns = error_ns;
	if (e->clock_count == REPORT_CLOCKS_MAX)
		return;
	buffer_add(&line, end->name);
	buffer_printf(&line, ": by %" PRIu64 " IKE messages that both recorded it is ahead by ", messages);
	report_add_offset(&line, offset_ns);
	buffer_add_string(&line, ", give or take ");
	report_add_offset(&line, error_ns);
	buffer_add_string(&line, ", which is within that and taken instead.");
	e->clocks[e->clock_count++] = picture_keep(&e->picture, buffer_text(&line));
	buffer_done(&line);
}

/* As the calendar has them: of such times each may be taken from each, and a while added. */
static bool is_time(int64_t ns)
{
	return ns >= 0 && ns <= INT64_MAX - 100 * DAY_NS;
}

struct instant report_evidence_time(const struct report_evidence *e, const struct recorded *event)
{
	struct instant at = event->wall;

	for (size_t i = 0; i < e->end_count; i++)
		if (e->ends[i].has_offset && text_equal(e->ends[i].name, event->end) &&
		    (__builtin_sub_overflow(event->wall.ns, e->ends[i].offset_ns, &at.ns) || !is_time(at.ns)))
			return event->wall; /* no clock is so wrong */
	return at;
}

void report_evidence_add(struct report_evidence *e, const struct recorded *given)
{
	struct recorded moved = *given;
	const struct recorded *event = &moved;

	report_end_of(e, given->end)->events++;
	moved.wall = report_evidence_time(e, given);
	if (event->kind < RECORDED_KINDS)
		e->by_kind[event->kind]++;
	if (event->has & RECORDED_HAS_WALL && event->wall.ns > e->last.ns)
		e->last = event->wall;
	report_draw(e, event);
	report_tell(e, event);
	if (event->kind == RECORDED_PACKET)
		report_keep_packet(e, event);
}

int report_evidence_end(struct report_evidence *e)
{
	report_draw_end(e);
	report_write_capture(e);
	picture_sort(&e->picture);
	return e->picture.failed || e->timeline.failed || e->journal.failed || e->shows.failed || e->capture.failed ||
			       e->packet_bytes.failed
		       ? -ENOMEM
		       : 0;
}

void report_evidence_done(struct report_evidence *e)
{
	picture_done(&e->picture);
	buffer_done(&e->timeline);
	buffer_done(&e->journal);
	buffer_done(&e->shows);
	buffer_done(&e->capture);
	buffer_done(&e->packet_bytes);
	memory_free(e->packets);
	*e = (struct report_evidence){ 0 };
}

/* --- On the page ----------------------------------------------------------------------------------------------- */

static void add_ends(const struct report_evidence *e, struct buffer *out)
{
	bool lanes[PICTURE_ENDS] = { false };

	buffer_add_string(out, "<p>");
	for (size_t i = 0; i < e->end_count; i++) {
		buffer_add_string(out, i ? ", " : "Recorded by ");
		html_add_foreign(out, e->ends[i].name.len ? e->ends[i].name : TEXT("an unnamed end"), 100);
		buffer_printf(out, " (%" PRIu64 " events)", e->ends[i].events);
		if (e->ends[i].has_lane)
			lanes[e->ends[i].lane] = true;
	}
	if (!e->end_count)
		buffer_add_string(out, "Nothing was recorded around it");
	buffer_add_string(out, ".");
	if (e->end_count && !(lanes[PICTURE_SENDER] && lanes[PICTURE_RECEIVER]))
		buffer_printf(out, " The %s recorded nothing that is here: its lane has what the other end saw of it.",
			      lanes[PICTURE_RECEIVER] ? "sender" : "receiver");
	buffer_add_string(out, "</p>\n");
}

static void add_kinds(const struct report_evidence *e, uint64_t unread, struct buffer *out)
{
	bool first = true;

	buffer_add_string(out, "<p>");
	for (int kind = 0; kind < RECORDED_KINDS; kind++) {
		if (!e->by_kind[kind])
			continue;
		buffer_printf(out, "%s%" PRIu64 " %s", first ? "" : ", ", e->by_kind[kind], recorded_kind_name((enum recorded_kind)kind));
		first = false;
	}
	if (!first)
		buffer_add_string(out, ".");
	if (e->elsewhere)
		buffer_printf(out, " %" PRIu64 " of them belong to other tunnels and are in <code>timeline.txt</code> alone.", e->elsewhere);
	if (unread)
		buffer_printf(out, " %" PRIu64 " recorded line%s could not be read.", unread, text_plural(unread));
	buffer_add_string(out, "</p>\n");
}

static void add_clocks(const struct report_evidence *e, struct buffer *out)
{
	if (!e->clock_count)
		return;
	buffer_add_string(out, "<p>What is known of the clocks:</p>\n<ul>\n");
	for (size_t i = 0; i < e->clock_count; i++) {
		buffer_add_string(out, "<li>");
		html_add_foreign(out, e->clocks[i], PICTURE_TEXT_MAX);
		buffer_add_string(out, "</li>\n");
	}
	if (e->by_kind[RECORDED_CLOCK] > e->clock_count)
		buffer_printf(out, "<li>and %" PRIu64 " more, in <code>timeline.txt</code></li>\n", e->by_kind[RECORDED_CLOCK] - e->clock_count);
	buffer_add_string(out, "</ul>\n");
}

void report_evidence_page(const struct report_evidence *e, uint64_t unread, const struct report_file *files, size_t count,
			  struct buffer *out)
{
	buffer_add_string(out, "<section class=\"card\" id=\"recorded\">\n<h2>What was recorded</h2>\n");
	add_ends(e, out);
	add_kinds(e, unread, out);
	add_clocks(e, out);
	buffer_add_string(out, "<table class=\"events\"><thead><tr><th scope=\"col\">file beside this page</th><th scope=\"col\">what it is</th>"
			       "<th scope=\"col\">bytes</th></tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < count; i++) {
		buffer_printf(out, "<tr><td><a href=\"%s\">%s</a></td><td>", files[i].name, files[i].name);
		html_add_sentence(out, text_of(files[i].what));
		buffer_printf(out, "</td><td>%" PRIu64 "</td></tr>\n", files[i].size);
	}
	buffer_add_string(out, "</tbody></table>\n</section>\n");
}
