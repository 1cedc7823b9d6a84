/* SPDX-License-Identifier: MIT */
/* `spimend stats`: the figures of record/statistics, with how they are counted beside them. */
#include <inttypes.h>

#include "base/memory.h"
#include "record/live_private.h"
#include "record/live_recurrence.h"
#include "record/live_rows.h"
#include "record/values.h"

#define WIDTH 100
#define GROUPS_SHOWN_MAX 200
#define RECURRENCES_MAX 64

static const char suffered_basis[] =
	"from the first packet or message that was seen until traffic flowed again, until now while it goes on, or until the last one "
	"seen where nothing was proved; per incident, so two at once count twice";
static const char saved_basis[] =
	"an estimate, for incidents that healed after a step: from then until the dead SA's hard lifetime, as its IKE daemon or the "
	"sender's table had told it; where that is not known nothing is counted, and what the peer's own dead peer detection might have "
	"done sooner is not subtracted";

struct figures {
	struct live_rows rows;
	struct statistics all;
	struct recurrence *recurrences; /* owns */
	size_t recurrence_count;
};

static void figures_done(struct figures *f)
{
	live_rows_done(&f->rows);
	statistics_done(&f->all);
	memory_free(f->recurrences);
}

static bool find(const struct live_view *view, struct figures *ret)
{
	static const struct incident_filter everything = { .is_set = true };
	const struct incident_filter *filter = view->filter ? view->filter : &everything;
	const struct incident_row **at cleanup(memory_free_pointer) = NULL;
	const struct config *config = view->config;
	struct live_pairs none = { 0 };
	uint32_t times = config->recurrence_count < 2 ? 2 : config->recurrence_count;

	if (live_rows_new(view, &none, filter, UINT32_MAX, false, &ret->rows) < 0)
		return false;
	at = memory_new(ret->rows.count + 1, sizeof(*at));
	if (!at)
		return false;
	for (size_t i = 0; i < ret->rows.count; i++)
		at[i] = &ret->rows.at[i].row;
	return statistics_new(at, ret->rows.count, filter->by, view->now.wall, &ret->all) == 0 &&
	       recurrences_find(at, ret->rows.count, times, config->recurrence_ns, RECURRENCES_MAX, &ret->recurrences,
				&ret->recurrence_count) == 0;
}

/* --- Text --------------------------------------------------------------------------------------------------------- */

static void add_group_name(const struct statistics_group *g, enum incident_group by, struct buffer *out)
{
	char address[SPIMEND_ADDRESS_TEXT_MAX];

	switch (by) {
	case GROUP_PEER:
		buffer_add_string(out, spimend_address_print(&g->src, address));
		buffer_printf(out, " -> %s", spimend_address_print(&g->dst, address));
		break;
	case GROUP_CAUSE:
		buffer_add_string(out, cause_name((enum cause)g->value));
		break;
	case GROUP_VERDICT:
		buffer_add_string(out, verdict_name((enum verdict)g->value));
		break;
	case GROUP_MONTH:
		buffer_printf(out, "%04d-%02d", g->value / 12, g->value % 12 + 1);
		break;
	case GROUP_NONE:
	case INCIDENT_GROUPS:
		break;
	}
}

static void add_duration_cell(struct buffer *out, struct buffer *cell, bool known, int64_t ns, size_t width)
{
	if (known)
		calendar_print_duration(cell, ns);
	else
		buffer_add_char(cell, '-');
	live_add_cell(out, cell, width);
}

static void add_groups(const struct statistics *all, enum incident_group by, struct buffer *out)
{
	static const char *const heads[INCIDENT_GROUPS] = { "", "PEER", "CAUSE", "MONTH", "VERDICT" };
	size_t shown = all->count < GROUPS_SHOWN_MAX ? all->count : GROUPS_SHOWN_MAX, width = by == GROUP_PEER ? 34 : 24;
	cleanup(buffer_done) struct buffer cell = { 0 };

	buffer_printf(out, "\n%-*s %9s %6s %8s  %-12s %-12s %-12s %s\n", (int)width, heads[by], "INCIDENTS", "FAULTS", "REPAIRED", "SUFFERED",
		      "LONGEST", "SAVED", "LATEST (UTC)");
	for (size_t i = 0; i < shown; i++) {
		const struct statistics_group *g = &all->groups[i];

		add_group_name(g, by, &cell);
		live_add_cell(out, &cell, width);
		buffer_printf(out, "%9" PRIu64 " %6" PRIu64 " %8" PRIu64 "  ", g->incidents, g->faults, g->repaired);
		add_duration_cell(out, &cell, g->faults > 0, g->suffered_ns, 12);
		add_duration_cell(out, &cell, g->faults > 0, g->longest_ns, 12);
		add_duration_cell(out, &cell, g->saved_known > 0, g->saved_ns, 12);
		calendar_print_short(out, g->last);
		buffer_add_char(out, '\n');
	}
	if (all->count > shown)
		buffer_printf(out, "... and %zu more: --json lists them all\n", all->count - shown);
}

static void add_total(const struct live_view *view, const struct statistics_group *g, struct buffer *out)
{
	const struct incident_filter *f = view->filter;

	buffer_printf(out, "%" PRIu64 " incident%s", g->incidents, text_plural(g->incidents));
	if (f && f->has_since) {
		buffer_add_string(out, " since ");
		calendar_print_short(out, f->since);
	}
	if (f && f->has_until) {
		buffer_add_string(out, " until ");
		calendar_print_short(out, f->until);
	}
	if (!f || (!f->has_since && !f->has_until))
		buffer_printf(out, " of the last %" PRIu32 " days, as long as they are kept", view->config->keep_days);
	else
		buffer_add_string(out, " UTC");
	buffer_printf(out, "\n  faults       %" PRIu64 ", of which %" PRIu64 " healed, %" PRIu64 " of them after a step of ours; %" PRIu64
		      " go%s on\n  black-holed  ", g->faults, g->healed, g->repaired, g->going_on, g->going_on == 1 ? "es" : "");
	calendar_print_duration(out, g->suffered_ns);
	if (g->faults) {
		buffer_add_string(out, " suffered, the longest for ");
		calendar_print_duration(out, g->longest_ns);
	}
	buffer_add_string(out, "\n  saved        ");
	if (g->saved_known) {
		buffer_add_string(out, "about ");
		calendar_print_duration(out, g->saved_ns);
		buffer_printf(out, ", estimated for %" PRIu64 " of the %" PRIu64 " that were repaired\n", g->saved_known, g->repaired);
	} else {
		buffer_printf(out, "not known%s\n", g->repaired ? ": of no dead SA was it told how long it would have lived" : "");
	}
}

void live_stats_text(const struct live_view *view, struct buffer *out)
{
	cleanup(figures_done) struct figures f = { .recurrence_count = 0 };
	cleanup(buffer_done) struct buffer t = { 0 };
	enum incident_group by = view->filter ? view->filter->by : GROUP_NONE;

	if (!find(view, &f)) {
		out->failed = true;
		return;
	}
	add_total(view, &f.all.total, out);
	if (by != GROUP_NONE)
		add_groups(&f.all, by, out);
	if (f.recurrence_count)
		buffer_add_char(out, '\n');
	for (size_t i = 0; i < f.recurrence_count; i++)
		live_recurrence_text(&f.recurrences[i], out);
	buffer_printf(&t, "Black-holed: %s. Saved: %s. What logs alone tell is not counted.", suffered_basis, saved_basis);
	buffer_add_char(out, '\n');
	record_add_wrapped(out, WIDTH, buffer_text(&t), 0, 0);
}

/* --- JSON --------------------------------------------------------------------------------------------------------- */

static void put_duration(struct json *j, const char *key, bool known, int64_t ns)
{
	if (known)
		json_unsigned(j, key, (uint64_t)ns / 1000000);
	else
		json_null(j, key);
}

static void begin_group(const struct statistics_group *g, enum incident_group by, bool is_total, struct json *j)
{
	cleanup(buffer_done) struct buffer month = { 0 };
	bool of_peer = by == GROUP_PEER && !is_total;

	json_object(j, NULL);
	json_string(j, "schema", "spimend.stats/1");
	json_string(j, "by", is_total ? NULL : incident_group_name(by));
	record_put_address(j, "src", of_peer ? &g->src : &(struct spimend_address){ 0 });
	record_put_address(j, "dst", of_peer ? &g->dst : &(struct spimend_address){ 0 });
	json_string(j, "cause", by == GROUP_CAUSE && !is_total ? cause_name((enum cause)g->value) : NULL);
	json_string(j, "verdict", by == GROUP_VERDICT && !is_total ? verdict_name((enum verdict)g->value) : NULL);
	add_group_name(g, by == GROUP_MONTH && !is_total ? by : GROUP_NONE, &month);
	record_put_text(j, "month", buffer_text(&month));
	json_unsigned(j, "incidents", g->incidents);
	json_unsigned(j, "faults", g->faults);
	json_unsigned(j, "healed", g->healed);
	json_unsigned(j, "repaired", g->repaired);
	json_unsigned(j, "going_on", g->going_on);
	put_duration(j, "suffered_ms", true, g->suffered_ns);
	put_duration(j, "longest_ms", true, g->longest_ns);
	put_duration(j, "saved_ms", g->saved_known > 0, g->saved_ns);
	json_unsigned(j, "saved_known", g->saved_known);
	record_put_time(j, "first", g->first.ns != 0, g->first);
	record_put_time(j, "last", g->last.ns != 0, g->last);
}

void live_stats_json(const struct live_view *view, struct buffer *out)
{
	const struct incident_filter *filter = view->filter;
	cleanup(figures_done) struct figures f = { .recurrence_count = 0 };
	enum incident_group by = filter ? filter->by : GROUP_NONE;
	struct json j;

	if (!find(view, &f)) {
		out->failed = true;
		return;
	}
	json_init(&j, out);
	for (size_t i = 0; i < f.all.count; i++) {
		begin_group(&f.all.groups[i], by, false, &j);
		json_object_end(&j);
		buffer_add_char(out, '\n');
		json_init(&j, out);
	}
	begin_group(&f.all.total, by, true, &j);
	record_put_time(&j, "since", filter && filter->has_since, filter ? filter->since : (struct instant){ 0 });
	record_put_time(&j, "until", filter && filter->has_until, filter ? filter->until : (struct instant){ 0 });
	json_array(&j, "recurrences");
	for (size_t i = 0; i < f.recurrence_count; i++)
		live_recurrence_json(&f.recurrences[i], &j);
	json_array_end(&j);
	json_string(&j, "suffered_basis", suffered_basis);
	json_string(&j, "saved_basis", saved_basis);
	json_object_end(&j);
	buffer_add_char(out, '\n');
}
