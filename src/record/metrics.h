/* SPDX-License-Identifier: MIT */
/*
 * What the daemon counts, for Prometheus and its like: OpenMetrics 1.0, or the older text format that node_exporter's
 * textfile collector reads. The table of names is record/metrics_table.c; spimendd(8) has the same (tests/house).
 *
 * Called by the role core. Label values come from the configuration and from lists of ours alone, so that no stranger can
 * make the number of series grow: there is none a tunnel, a peer or an SPI.
 */
#ifndef RECORD_METRICS_H
#define RECORD_METRICS_H

#include "eem/eem.h"
#include "model/web.h"
#include "record/live_page.h"

enum metric_type { METRIC_GAUGE, METRIC_COUNTER };
enum metric_format { METRICS_OPEN, METRICS_TEXT };

struct metrics_source { /* borrows all of it */
	const struct live_view *view;
	const struct eem *eem;           /* NULL: no applets */
	const struct web_counts *web;    /* NULL: no page */
};

/* 0 or -ENOMEM. */
int metrics_write(const struct metrics_source *source, enum metric_format format, struct buffer *out);

/* --- Private to record/metrics*.c ---------------------------------------------------------------------------------- */

struct metrics; /* one exposition being written */
struct metric_row {
	const char *name;      /* without _total */
	enum metric_type type;
	const char *labels;    /* their names, a comma between; empty: none */
	const char *help;
	void (*put)(struct metrics *m);
};
extern const struct metric_row metric_rows[];
extern const size_t metric_row_count;

struct metrics {
	const struct metrics_source *source;
	const struct metric_row *row;
	enum metric_format format;
	struct core_figures core;
	struct live_totals totals;
	struct fleet_figures fleet; /* zeros where there is none */
	uint64_t troubles;
	struct buffer *out;
};
/* One sample of the row that is being written: values of its labels, in their order, as many as it has. */
void metric_add(struct metrics *m, uint64_t value, const char *const *labels);
void metric_add_seconds(struct metrics *m, struct instant at);

#endif
