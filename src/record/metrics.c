/* SPDX-License-Identifier: MIT */
#include "record/metrics.h"

#include <errno.h>
#include <inttypes.h>

#include "base/memory.h"

#define LABEL_MAX 128 /* bytes of a value */

/* OpenMetrics 1.0, ABNF of escaped-string; what is not printable ASCII is none of our names. */
static void add_escaped(struct buffer *out, const char *text)
{
	for (size_t i = 0; text[i] && i < LABEL_MAX; i++) {
		if (text[i] == '\\' || text[i] == '"')
			buffer_add_char(out, '\\');
		buffer_add_char(out, text[i] >= 0x20 && text[i] < 0x7f ? text[i] : '.');
	}
}

static void add_name(struct metrics *m, const char *const *labels)
{
	struct text rest = text_of(m->row->labels);

	buffer_printf(m->out, "%s%s", m->row->name, m->row->type == METRIC_COUNTER ? "_total" : "");
	for (size_t i = 0; rest.len; i++) {
		struct text name = text_take_until(&rest, ",");

		(void)text_take_char(&rest, ',');
		buffer_printf(m->out, "%s%.*s=\"", i ? "," : "{", TEXT_ARG(name));
		add_escaped(m->out, labels[i]);
		buffer_add_string(m->out, rest.len ? "\"" : "\"}");
	}
}

void metric_add(struct metrics *m, uint64_t value, const char *const *labels)
{
	add_name(m, labels);
	buffer_printf(m->out, " %" PRIu64 "\n", value);
}

void metric_add_seconds(struct metrics *m, struct instant at)
{
	add_name(m, NULL);
	buffer_printf(m->out, " %" PRId64 ".%03d\n", at.ns / SECOND_NS, (int)(at.ns % SECOND_NS / 1000000));
}

/* A family is introduced only where it has samples. The older format knows a counter by its whole name. */
static void write_row(struct metrics *m, const struct metric_row *row)
{
	const char *suffix = row->type == METRIC_COUNTER && m->format == METRICS_TEXT ? "_total" : "";
	size_t begin = m->out->len, behind;

	m->row = row;
	if (m->format == METRICS_TEXT)
		buffer_printf(m->out, "# HELP %s%s %s\n", row->name, suffix, row->help);
	buffer_printf(m->out, "# TYPE %s%s %s\n", row->name, suffix, row->type == METRIC_COUNTER ? "counter" : "gauge");
	if (m->format == METRICS_OPEN && text_ends(text_of(row->name), TEXT("_seconds")))
		buffer_printf(m->out, "# UNIT %s seconds\n", row->name);
	if (m->format == METRICS_OPEN)
		buffer_printf(m->out, "# HELP %s %s\n", row->name, row->help);
	behind = m->out->len;
	row->put(m);
	if (m->out->len == behind && !m->out->failed)
		m->out->len = begin;
}

int metrics_write(const struct metrics_source *source, enum metric_format format, struct buffer *out)
{
	const struct live_view *view = source->view;
	struct metrics m = { .source = source, .format = format, .core = core_figures(view->core, view->now), .out = out };
	cleanup(buffer_done) struct buffer troubles = { 0 };
	struct text rest, line;

	if (live_totals(view, &m.totals) < 0)
		return -ENOMEM;
	if (view->cases)
		m.fleet = fleet_figures(view->cases);
	live_troubles(view, &troubles);
	rest = buffer_text(&troubles);
	while (text_take_line(&rest, &line))
		m.troubles++;
	for (size_t i = 0; i < metric_row_count; i++)
		write_row(&m, &metric_rows[i]);
	if (format == METRICS_OPEN)
		buffer_add_string(out, "# EOF\n");
	return buffer_error(out);
}
