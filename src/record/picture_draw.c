/* SPDX-License-Identifier: MIT */
#include "record/picture_draw.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "record/html.h"
#include "record/picture_svg.h"

#define TICK_APART 4.0    /* ticks of packets nearer than this are one */
#define NUMBER_APART 21.0 /* and numbers */
#define TITLE_MAX 160     /* bytes of what is shown of one event at the pointer */

void draw_text(struct drawing *d, double x, double y, const char *class, const char *anchor, struct text t)
{
	buffer_printf(&d->over, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\"%s%s%s>", class, x, y, anchor ? " text-anchor=\"" : "",
		      anchor ? anchor : "", anchor ? "\"" : "");
	html_add_cut(&d->over, t, 200);
	buffer_add_string(&d->over, "</text>");
}

void draw_text_within(struct drawing *d, double x, double y, const char *class, struct text t)
{
	double half = (double)t.len * DRAW_CHARACTER / 2;

	if (x + half > d->width - DRAW_EDGE)
		draw_text(d, d->width - DRAW_EDGE, y, class, "end", t);
	else if (x - half < DRAW_EDGE)
		draw_text(d, DRAW_EDGE, y, class, NULL, t);
	else
		draw_text(d, x, y, class, "middle", t);
}

/* --- Bars ------------------------------------------------------------------------------------------------------ */

static bool is_the_one(const struct picture *p, const struct picture_bar *b)
{
	return p->has_spi && b->spi.value == p->spi.value && b->is_out == (b->end == PICTURE_SENDER);
}

/* The last that is known of it: the newest come first when there is not room for all. */
static int64_t last_of(const struct picture_bar *b)
{
	return b->has_died ? b->died.ns : b->has_seen ? b->last.ns : b->has_born ? b->born.ns : INT64_MIN;
}

static bool is_outside(const struct picture *p, const struct picture_bar *b)
{
	return p->has_window && ((b->has_died && b->died.ns < p->from.ns) || (b->has_born && b->born.ns > p->until.ns));
}

static bool goes_before(const struct picture *p, const struct picture_bar *a, const struct picture_bar *b)
{
	if (is_the_one(p, a) != is_the_one(p, b))
		return is_the_one(p, a);
	return last_of(a) > last_of(b);
}

/* The bars of that end that are worth a row, best first. */
static size_t choose(const struct picture *p, enum picture_end end, const struct picture_bar *rows[], uint64_t *ret_more)
{
	size_t n = 0;

	*ret_more = 0;
	for (size_t i = 0; i < p->bar_count; i++) {
		const struct picture_bar *b = &p->bars[i];
		size_t at;

		if (b->end != end || is_outside(p, b))
			continue;
		for (at = n; at > 0 && goes_before(p, b, rows[at - 1]); at--)
			if (at < DRAW_BARS_MAX)
				rows[at] = rows[at - 1];
		if (at < DRAW_BARS_MAX)
			rows[at] = b;
		if (n < DRAW_BARS_MAX)
			n++;
		else
			++*ret_more;
	}
	return n;
}

static void add_rect(struct drawing *d, const char *class, double left, double right)
{
	if (right - left < 3)
		right = left + 3;
	buffer_printf(&d->over, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"9\" rx=\"3\"/>", class, left, d->y + 16,
		      right - left);
}

/* Where the receiver's SA would have to be: to the end of the strays. */
static void add_absence(struct drawing *d, double from)
{
	int64_t until = INT64_MIN;

	for (size_t i = 0; i < d->p->event_count; i++)
		if (d->p->events[i].kind == PICTURE_STRAY && picture_is_drawn(d->p, &d->p->events[i]))
			until = d->p->events[i].at.ns > until ? d->p->events[i].at.ns : until;
	if (d->p->has_flow && d->p->flows.ns > until)
		until = d->p->flows.ns;
	if (until != INT64_MIN && axis_at(&d->axis, until) > from)
		add_rect(d, "absent", from, axis_at(&d->axis, until));
}

static void add_bar(struct drawing *d, const struct picture_bar *b)
{
	const char *class = is_the_one(d->p, b) ? d->p->is_missing && b->end == PICTURE_SENDER ? "sa stale" : "sa the-one" : "sa";
	double left = DRAW_EDGE, right = d->width - DRAW_EDGE;
	struct buffer label = { 0 };

	buffer_printf(&label, "0x%08" PRIx32 " %s", b->spi.value, b->is_out ? "sends" : "receives");
	if (b->has_died && b->why.len) {
		buffer_add_string(&label, " until: ");
		buffer_add(&label, text_first(b->why, 24));
	}
	if (b->has_born)
		left = axis_at(&d->axis, b->born.ns);
	if (b->has_died)
		right = axis_at(&d->axis, b->died.ns);
	if (!b->has_born && !b->has_died && b->has_seen) { /* its beginning and end are not known: paler there */
		add_rect(d, is_the_one(d->p, b) && d->p->is_missing ? "sa stale unsure" : "sa unsure", left, right);
		left = axis_at(&d->axis, b->first.ns);
		right = axis_at(&d->axis, b->last.ns);
	}
	add_rect(d, class, left, right);
	if (is_the_one(d->p, b) && d->p->is_missing && b->end == PICTURE_RECEIVER && b->has_died)
		add_absence(d, right);
	draw_text(d, DRAW_EDGE + 6, d->y + 11, "spi", NULL, buffer_text(&label));
	buffer_done(&label);
	d->y += 30;
}

void draw_bars(struct drawing *d, enum picture_end end)
{
	const struct picture_bar *rows[DRAW_BARS_MAX];
	bool has_the_one = false;
	char label[80];
	uint64_t more;
	size_t n = choose(d->p, end, rows, &more);

	for (size_t i = 0; i < n; i++) {
		add_bar(d, rows[i]);
		has_the_one = has_the_one || is_the_one(d->p, rows[i]);
	}
	if (end == PICTURE_RECEIVER && d->p->is_missing && !has_the_one) {
		snprintf(label, sizeof(label), "0x%08" PRIx32 ": no such SA here", d->p->spi.value);
		draw_text(d, DRAW_EDGE + 6, d->y + 11, "strays", NULL, text_of(label));
		add_absence(d, axis_at(&d->axis, d->origin.ns));
		d->y += 30;
	}
	if (more) {
		snprintf(label, sizeof(label), "and %" PRIu64 " more SA%s, not drawn", more, text_plural(more));
		draw_text(d, DRAW_EDGE + 6, d->y + 11, "spi", NULL, text_of(label));
		d->y += 18;
	}
}

/* --- Packets --------------------------------------------------------------------------------------------------- */

static void add_count(struct drawing *d, double x, uint64_t count, double *right)
{
	char digits[24];
	double half;

	snprintf(digits, sizeof(digits), "%" PRIu64, count);
	half = (double)strlen(digits) * DRAW_CHARACTER / 2;
	if (count < 2 || x - half < *right || x + half > d->width)
		return;
	draw_text(d, x, d->y + 27, "count", "middle", text_of(digits));
	*right = x + half + 4;
}

void draw_packets(struct drawing *d, enum picture_kind kind)
{
	const struct picture *p = d->p;
	uint64_t all = 0, marks = 0, count = 0, times = 0;
	double first = 0, last = 0, right = 0;
	struct buffer label = { 0 };
	const char *noun = p->counts_packets ? "packet" : "log line";
	bool counted = false;

	d->y += 20;
	for (size_t i = 0; i <= p->event_count; i++) {
		const struct picture_event *e = i < p->event_count ? &p->events[i] : NULL;
		double x;

		if (e && (e->kind != kind || !picture_is_drawn(p, e)))
			continue;
		x = e ? axis_at(&d->axis, e->at.ns) : 0;
		if (times && (!e || x - last > TICK_APART)) { /* the group is whole */
			buffer_printf(&d->over, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"14\" rx=\"1\"/>",
				      kind == PICTURE_STRAY ? "stray" : "refused", first - 1.5, d->y, last - first + 3);
			add_count(d, (first + last) / 2, count, &right);
			counted = counted || count > 1;
			marks++;
			count = times = 0;
		}
		if (!e)
			break;
		if (!times)
			first = x;
		last = x;
		times++;
		count += e->count;
		all += e->count;
	}
	if (!marks) {
		d->y -= 20;
		return;
	}
	buffer_printf(&label, "%" PRIu64 " %s%s ", all, noun, text_plural(all));
	if (kind == PICTURE_REFUSED)
		buffer_add_string(&label, "refused by an SA that is there");
	else if (p->has_spi && d->width < 600)
		buffer_add_string(&label, "unknown here"); /* which SPI stands beside the bar */
	else if (p->has_spi)
		buffer_printf(&label, "with 0x%08" PRIx32 ", unknown here", p->spi.value);
	else
		buffer_add_string(&label, "with SPIs unknown here");
	if (kind == PICTURE_STRAY && p->events_left_out)
		buffer_printf(&label, ", and %" PRIu64 " more", p->events_left_out);
	if (marks < all)
		buffer_printf(&label, ", in %" PRIu64 " mark%s", marks, text_plural(marks));
	draw_text(d, DRAW_EDGE + 6, d->y - 6, kind == PICTURE_STRAY ? "strays" : "spi", NULL, buffer_text(&label));
	d->y += counted ? 32 : 20;
	buffer_done(&label);
}

/* --- What is numbered ------------------------------------------------------------------------------------------ */

struct group {
	double first, last;
	uint64_t count, number, last_number;
	const struct picture_event *event; /* its first, or what counts most */
	bool up, down; /* of arrows: towards the sender, towards the receiver */
};

/* The next group of events that would lie on each other; *at is where the search stands, *number the last number given. */
static bool next_group(const struct drawing *d, draw_filter_fn *filter, size_t *at, uint64_t *number, struct group *ret)
{
	const struct picture *p = d->p;

	*ret = (struct group){ 0 };
	for (; *at < p->event_count; ++*at) {
		const struct picture_event *e = &p->events[*at];
		double x;
		bool up;

		if (!picture_is_drawn(p, e) || !picture_is_numbered(e))
			continue;
		x = axis_at(&d->axis, e->at.ns);
		if (filter(e)) {
			if (ret->count && x - ret->first > NUMBER_APART)
				return true;
			if (!ret->count) {
				ret->first = x;
				ret->event = e;
				ret->number = *number + 1;
			}
			if (e->kind == PICTURE_FLOWS || (e->kind == PICTURE_STEP && ret->event->kind == PICTURE_DECIDED))
				ret->event = e; /* its colour is the group's */
			ret->last = x;
			ret->last_number = *number + 1;
			ret->count++;
			up = (e->end == PICTURE_RECEIVER) != e->is_heard;
			ret->up |= up;
			ret->down |= !up;
		}
		++*number;
	}
	return ret->count > 0;
}

static const char *class_of(const struct picture_event *e)
{
	switch (e->kind) {
	case PICTURE_IKE:
		return "n ike";
	case PICTURE_FLOWS:
		return "n good";
	case PICTURE_STEP:
		return "n step";
	case PICTURE_COMMAND:
		return "n command";
	default:
		return "n";
	}
}

static double middle_of(const struct drawing *d, const struct group *g, double half)
{
	double x = (g->first + g->last) / 2;

	if (x < half + 2)
		x = half + 2;
	return x > d->width - half - 2 ? d->width - half - 2 : x;
}

static double half_of(const char *label)
{
	double half = 4 + (double)strlen(label) * DRAW_CHARACTER / 2;

	return half < 9 ? 9 : half;
}

static void label_of(const struct group *g, char label[32])
{
	if (g->count > 1 && g->last_number - g->number == g->count - 1)
		snprintf(label, 32, "%" PRIu64 "-%" PRIu64, g->number, g->last_number);
	else if (g->count > 1)
		snprintf(label, 32, "%" PRIu64 "+%" PRIu64, g->number, g->count - 1);
	else
		snprintf(label, 32, "%" PRIu64, g->number);
}

static void add_number(struct drawing *d, const struct group *g)
{
	const struct picture_event *e = g->event;
	char label[32];
	double half, x;

	label_of(g, label);
	half = half_of(label);
	x = middle_of(d, g, half);
	buffer_printf(&d->over, "<g class=\"%s\"><title>", class_of(e));
	html_add_cut(&d->over, e->what, TITLE_MAX);
	if (g->count > 1)
		buffer_printf(&d->over, ", and %" PRIu64 " more", g->count - 1);
	buffer_printf(&d->over, "</title><rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"18\" rx=\"9\"/>", x - half, d->y, 2 * half);
	draw_text(d, x, d->y + 13, "num", "middle", text_of(label));
	buffer_add_string(&d->over, "</g>");
}

bool draw_numbers(struct drawing *d, draw_filter_fn *filter)
{
	uint64_t number = 0;
	struct group g;
	size_t at = 0;
	bool any = false, second = false, wants_second = false;
	double right = -1, top = d->y;

	while (next_group(d, filter, &at, &number, &g)) { /* two rows in turn, where labels would meet */
		char label[32];
		double half;

		label_of(&g, label);
		half = half_of(label);
		second = middle_of(d, &g, half) - half < right && !second;
		right = middle_of(d, &g, half) + half + 1;
		d->y = top + (second ? 20 : 0);
		wants_second = wants_second || second;
		add_number(d, &g);
		any = true;
	}
	d->y = top + (wants_second ? 42 : any ? 22 : 0);
	return any;
}

void draw_arrows(struct drawing *d, draw_filter_fn *filter, double top, double bottom)
{
	uint64_t number = 0;
	struct group g;
	size_t at = 0;

	while (next_group(d, filter, &at, &number, &g)) {
		double x = middle_of(d, &g, 9), from = top + 2, to = bottom - 2;

		buffer_printf(&d->middle, "<path class=\"arrow\" d=\"M%.1f %.1fV%.1f", x, from, to);
		if (g.up)
			buffer_printf(&d->middle, "M%.1f %.1fl4 -6l4 6", x - 4, from + 6);
		if (g.down)
			buffer_printf(&d->middle, "M%.1f %.1fl4 6l4 -6", x - 4, to - 6);
		buffer_add_string(&d->middle, "\"/>");
	}
}
