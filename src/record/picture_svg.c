/* SPDX-License-Identifier: MIT */
#include "record/picture_svg.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/memory.h"
#include "record/html.h"
#include "record/picture_draw.h"

bool picture_is_drawn(const struct picture *p, const struct picture_event *e)
{
	return !p->has_window || (e->at.ns >= p->from.ns && e->at.ns <= p->until.ns);
}

bool picture_is_numbered(const struct picture_event *e)
{
	return e->kind != PICTURE_STRAY && e->kind != PICTURE_REFUSED;
}

bool picture_origin(const struct picture *p, struct instant *ret)
{
	bool found = false;

	for (size_t i = 0; i < p->event_count; i++) {
		const struct picture_event *e = &p->events[i];

		if (!picture_is_drawn(p, e))
			continue;
		if (!found)
			*ret = e->at;
		found = true;
		if (e->kind == PICTURE_STRAY) {
			*ret = e->at;
			return true;
		}
	}
	return found;
}

static int compare_times(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static size_t add_time(const struct picture *p, bool known, struct instant at, int64_t *times, size_t n)
{
	if (known && (!p->has_window || (at.ns >= p->from.ns && at.ns <= p->until.ns)))
		times[n++] = at.ns;
	return n;
}

/* All that has to be seen, in order. To be freed. */
static int64_t *times_of(const struct picture *p, size_t *ret_count)
{
	int64_t *times = memory_new(p->event_count + p->bar_count * 2 + 1, sizeof(*times));
	size_t n = 0;

	if (!times)
		return NULL;
	for (size_t i = 0; i < p->event_count; i++)
		n = add_time(p, true, p->events[i].at, times, n);
	for (size_t i = 0; i < p->bar_count; i++) {
		n = add_time(p, p->bars[i].has_born, p->bars[i].born, times, n);
		n = add_time(p, p->bars[i].has_died, p->bars[i].died, times, n);
	}
	if (n > 1)
		qsort(times, n, sizeof(*times), compare_times);
	*ret_count = n;
	return times;
}

/* --- The axis -------------------------------------------------------------------------------------------------- */

static void add_tick(struct drawing *d, int64_t ns, double *right)
{
	struct buffer label = { 0 };
	double x = axis_at(&d->axis, ns), half;

	if (ns == d->origin.ns) {
		buffer_add_char(&label, '0');
	} else {
		if (ns > d->origin.ns)
			buffer_add_char(&label, '+');
		calendar_print_duration(&label, ns - d->origin.ns);
	}
	half = (double)label.len * DRAW_CHARACTER / 2 + 3;
	buffer_printf(&d->under, "<line class=\"grid\" x1=\"%.1f\" y1=\"22\" x2=\"%.1f\" y2=\"%s\"/>", x, x, "@H");
	if (x - half > *right && x + half < d->width) {
		draw_text(d, x, 15, "tick", "middle", buffer_text(&label));
		*right = x + half;
	}
	buffer_done(&label);
}

static void add_cut(struct drawing *d, const struct axis_part *before, const struct axis_part *after)
{
	double x = (before->right + after->left) / 2;
	struct buffer label = { 0 };
	size_t dot;

	calendar_print_duration(&label, after->from - before->until);
	buffer_printf(&d->under, "<rect class=\"cut\" x=\"%.1f\" y=\"22\" width=\"12\" height=\"@C\"/>", x - 6);
	buffer_printf(&d->over, "<path class=\"cutline\" d=\"M%.1f 26l4 -8M%.1f 26l4 -8\"/>", x - 5, x + 1);
	dot = text_find_char(buffer_text(&label), '.'); /* "52 s" is enough here */
	if (dot != TEXT_NOT_FOUND && text_ends(buffer_text(&label), TEXT(" s")))
		label.len = dot;
	if (dot != TEXT_NOT_FOUND)
		buffer_add_string(&label, " s");
	draw_text(d, x, 37, "tick", "middle", buffer_text(&label));
	buffer_done(&label);
}

static void add_axis(struct drawing *d)
{
	int64_t step = axis_step(&d->axis, (unsigned)(d->width / 90));
	double right = 0;

	for (size_t i = 0; i < d->axis.count; i++) {
		const struct axis_part *p = &d->axis.parts[i];
		int64_t from = (p->from - d->origin.ns) / step * step + d->origin.ns;
		bool any = false;

		if (i)
			add_cut(d, p - 1, p);
		for (int64_t at = from; at <= p->until;) {
			if (at >= p->from) {
				add_tick(d, at, &right);
				any = true;
			}
			if (__builtin_add_overflow(at, step, &at))
				break;
		}
		if (!any)
			add_tick(d, p->from + (p->until - p->from) / 2, &right);
		buffer_printf(&d->over, "<line class=\"axis\" x1=\"%.1f\" y1=\"22\" x2=\"%.1f\" y2=\"22\"/>", p->left, p->right);
	}
	d->y = d->axis.count > 1 ? 44 : 32;
}

/* --- Lanes ----------------------------------------------------------------------------------------------------- */

static void begin_lane(struct drawing *d, const char *role, struct text name)
{
	struct buffer label = { 0 };

	d->lane = d->y;
	buffer_printf(&d->over, "<text class=\"role\" x=\"%.1f\" y=\"%.1f\">%s", DRAW_EDGE + 6, d->y + 17, role);
	buffer_add_string(&d->over, "<tspan class=\"name\" dx=\"8\">");
	html_add_cut(&d->over, name, (size_t)((d->width - 120) / 8));
	buffer_add_string(&d->over, "</tspan></text>");
	buffer_done(&label);
	d->y += 26;
}

static void end_lane(struct drawing *d)
{
	d->y += 6;
	buffer_printf(&d->under, "<rect class=\"lane\" x=\"1\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"8\"/>", d->lane,
		      d->width - 2, d->y - d->lane);
}

static bool is_happening(const struct picture_event *e, enum picture_end end)
{
	return e->end == end && (e->kind == PICTURE_HAPPENED || e->kind == PICTURE_COMMAND);
}

static bool at_sender(const struct picture_event *e)
{
	return is_happening(e, PICTURE_SENDER);
}

static bool at_receiver(const struct picture_event *e)
{
	return is_happening(e, PICTURE_RECEIVER);
}

static bool is_ike(const struct picture_event *e)
{
	return e->kind == PICTURE_IKE;
}

static bool is_ours(const struct picture_event *e)
{
	return e->kind == PICTURE_STEP || e->kind == PICTURE_DECIDED || e->kind == PICTURE_FLOWS;
}

static void add_sender(struct drawing *d)
{
	begin_lane(d, "SENDER", d->p->names[PICTURE_SENDER]);
	draw_bars(d, PICTURE_SENDER);
	draw_numbers(d, at_sender);
	end_lane(d);
}

static void add_receiver(struct drawing *d)
{
	begin_lane(d, "RECEIVER", d->p->names[PICTURE_RECEIVER]);
	draw_packets(d, PICTURE_STRAY);
	draw_packets(d, PICTURE_REFUSED);
	draw_bars(d, PICTURE_RECEIVER);
	draw_numbers(d, at_receiver);
	end_lane(d);
}

/* Between the lanes. */
static void add_arrows(struct drawing *d)
{
	double top = d->y;

	d->y += 14;
	if (!draw_numbers(d, is_ike)) {
		d->y = top + 10;
		return;
	}
	d->y += 14;
	draw_arrows(d, is_ike, top, d->y);
}

static void add_ours(struct drawing *d)
{
	bool any = false;

	for (size_t i = 0; i < d->p->event_count && !any; i++)
		any = is_ours(&d->p->events[i]) && picture_is_drawn(d->p, &d->p->events[i]);
	if (!any)
		return;
	d->y += 10;
	begin_lane(d, "SPIMEND", TEXT("verdict, steps, proof"));
	draw_numbers(d, is_ours);
	end_lane(d);
}

/* From the first stray to the last, or to where traffic flowed. */
static void add_outage(struct drawing *d)
{
	struct instant first = { INT64_MAX }, last = { INT64_MIN };
	struct buffer label = { 0 };
	double left, right;

	for (size_t i = 0; i < d->p->event_count; i++) {
		const struct picture_event *e = &d->p->events[i];

		if (e->kind != PICTURE_STRAY || !picture_is_drawn(d->p, e))
			continue;
		first.ns = e->at.ns < first.ns ? e->at.ns : first.ns;
		last.ns = e->at.ns > last.ns ? e->at.ns : last.ns;
	}
	if (first.ns == INT64_MAX)
		return;
	if (d->p->has_flow && d->p->flows.ns > first.ns)
		last = d->p->flows;
	left = axis_at(&d->axis, first.ns);
	right = axis_at(&d->axis, last.ns);
	buffer_printf(&d->under, "<rect class=\"hole\" x=\"%.1f\" y=\"22\" width=\"%.1f\" height=\"@C\"/>", left,
		      right - left > 1 ? right - left : 1);
	if (last.ns - first.ns >= SECOND_NS / 1000) {
		calendar_print_duration(&label, last.ns - first.ns);
		buffer_add_string(&label, d->p->has_flow ? " until traffic flowed again" : " from the first to the last seen");
		d->y += 8;
		buffer_printf(&d->over, "<path class=\"span\" d=\"M%.1f %.1fv6M%.1f %.1fh%.1fM%.1f %.1fv6\"/>", left, d->y, left, d->y + 3,
			      right - left, right, d->y);
		draw_text_within(d, (left + right) / 2, d->y + 20, "spanlabel", buffer_text(&label));
		d->y += 26;
	}
	if (d->p->has_flow && axis_at(&d->axis, d->p->flows.ns) > 0)
		buffer_printf(&d->under, "<line class=\"flows\" x1=\"%.1f\" y1=\"22\" x2=\"%.1f\" y2=\"@H\"/>",
			      axis_at(&d->axis, d->p->flows.ns), axis_at(&d->axis, d->p->flows.ns));
	buffer_done(&label);
}

/* @H is the lower edge of the lanes, @C their height: known only when all is drawn. */
static void put_under(struct drawing *d, double bottom, struct buffer *out)
{
	struct text rest = buffer_text(&d->under);
	size_t at;

	while ((at = text_find_char(rest, '@')) != TEXT_NOT_FOUND && at + 1 < rest.len) {
		buffer_add(out, text_first(rest, at));
		buffer_printf(out, "%.1f", rest.at[at + 1] == 'H' ? bottom : bottom - 22);
		rest = text_skip(rest, at + 2);
	}
	buffer_add(out, rest);
}

static void add_words(const struct drawing *d, const char *id, struct buffer *out)
{
	const struct picture *p = d->p;
	uint64_t strays = 0, numbered = 0, outside = 0;

	for (size_t i = 0; i < p->event_count; i++) {
		const struct picture_event *e = &p->events[i];

		if (!picture_is_drawn(p, e))
			outside++;
		else if (picture_is_numbered(e))
			numbered++;
		else
			strays += e->count;
	}
	buffer_printf(out, "<title id=\"%s-t\">What happened at the two ends", id);
	buffer_printf(out, "</title><desc id=\"%s-d\">", id);
	buffer_add_string(out, "Sender ");
	html_add_cut(out, p->names[PICTURE_SENDER].len ? p->names[PICTURE_SENDER] : TEXT("unknown"), 120);
	buffer_add_string(out, ", receiver ");
	html_add_cut(out, p->names[PICTURE_RECEIVER].len ? p->names[PICTURE_RECEIVER] : TEXT("unknown"), 120);
	buffer_printf(out, ". %" PRIu64 " %s with an SPI that the receiver did not know or refused, %" PRIu64 " other events, which are listed "
		      "below the picture",
		      strays, p->counts_packets ? strays == 1 ? "packet" : "packets" : strays == 1 ? "log line" : "log lines", numbered);
	if (outside)
		buffer_printf(out, "; %" PRIu64 " before or after what is drawn", outside);
	buffer_add_string(out, ".</desc>");
}

bool picture_svg(const struct picture *p, const char *id, double width, struct buffer *out)
{
	struct drawing d = { .p = p, .width = width };
	int64_t *times cleanup(memory_free_pointer) = NULL;
	size_t count = 0;
	double bottom;

	times = times_of(p, &count);
	if (!times) {
		out->failed = true;
		return false;
	}
	if (count == 0 || !picture_origin(p, &d.origin))
		return false;
	axis_make(times, count, DRAW_EDGE, width - DRAW_EDGE, &d.axis);
	add_axis(&d);
	add_sender(&d);
	add_arrows(&d);
	add_receiver(&d);
	add_ours(&d);
	bottom = d.y;
	add_outage(&d);
	buffer_printf(out, "<svg class=\"%s\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-labelledby=\"%s-t %s-d\">",
		      width < 600 ? "narrow" : "wide", width, d.y + 4, id, id);
	add_words(&d, id, out);
	put_under(&d, bottom, out);
	buffer_add(out, buffer_text(&d.middle));
	buffer_add(out, buffer_text(&d.over));
	buffer_add_string(out, "</svg>\n");
	out->failed |= d.under.failed || d.middle.failed || d.over.failed;
	buffer_done(&d.under);
	buffer_done(&d.middle);
	buffer_done(&d.over);
	return d.axis.count > 1;
}
