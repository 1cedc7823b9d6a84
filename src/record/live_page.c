/* SPDX-License-Identifier: MIT */
#include "record/live_page.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "record/fleet_incident.h"
#include "record/live_private.h"
#include "record/values.h"

#define GROW 1024

void live_put_page_head(struct json *j, const char *schema, const struct live_view *view, const struct web_filter *filter,
			uint64_t total, uint64_t matched)
{
	uint64_t next = (uint64_t)filter->offset + filter->limit;

	json_object(j, NULL);
	json_string(j, "schema", schema);
	record_put_time(j, "now", true, view->now.wall);
	json_unsigned(j, "total", total);
	json_unsigned(j, "matched", matched);
	json_unsigned(j, "offset", filter->offset);
	json_unsigned(j, "limit", filter->limit);
	if (next < matched)
		json_unsigned(j, "next", next);
	else
		json_null(j, "next");
}

/* A name of somebody's, in any case. */
static bool has_word(const char *text, const char *word)
{
	return text_find_nocase(text_of(text), text_of(word)) != TEXT_NOT_FOUND;
}

/* --- Tunnels ---------------------------------------------------------------------------------------------------------- */

struct row { /* what rows are sorted and found by: tunnels are large, and walked a second time */
	char name[48];          /* the beginning of "connection/child" */
	struct spimend_address peer;
	uint32_t at;            /* the how many-th of its walk */
	bool is_down;           /* of the walk through what is configured */
	uint8_t health;
};

struct rows {
	struct row *at;         /* owns */
	size_t count, room;
	uint64_t total, health[TUNNEL_HEALTHS];
};

static void rows_done(struct rows *rows)
{
	memory_free(rows->at);
}

static enum tunnel_health health_of(const struct core_figures *f, const struct core_tunnel *t)
{
	const struct core_daemon_figures *d = live_daemon_figures(f, t->child.daemon);
	const struct child_sa *c = &t->child;

	if (t->has_incident)
		return HEALTH_INCIDENT;
	if (!d || !d->state.up)
		return HEALTH_STALE;
	if (!t->has_ike && c->state != CHILD_INSTALLED && c->state != CHILD_REKEYING)
		return HEALTH_DOWN;
	if (c->has_use_in && c->use_in_s <= LIVE_IDLE_S)
		return HEALTH_OK;
	if (c->has_counters && c->packets_out && !c->packets_in && c->has_install && c->install_s > LIVE_IDLE_S)
		return HEALTH_SUSPECT;
	return HEALTH_IDLE;
}

static bool spi_has(bool has, uint32_t spi, const char *word)
{
	char text[16];

	snprintf(text, sizeof(text), "0x%08x", spi);
	return has && has_word(text, word);
}

static bool tunnel_fits(const struct core_tunnel *t, enum tunnel_health health, const struct web_filter *filter)
{
	const struct child_sa *c = &t->child;
	char address[SPIMEND_ADDRESS_TEXT_MAX];

	if (filter->has_health && health != filter->health)
		return false;
	return !filter->word[0] || has_word(c->ike, filter->word) || has_word(c->child, filter->word) ||
	       spi_has(c->has_spi_in, c->spi_in, filter->word) || spi_has(c->has_spi_out, c->spi_out, filter->word) ||
	       (c->remote.family && has_word(spimend_address_print(&c->remote, address), filter->word)) ||
	       (c->local.family && has_word(spimend_address_print(&c->local, address), filter->word));
}

static int add_row(struct rows *rows, const struct core_tunnel *t, enum tunnel_health health, uint32_t at, bool is_down,
		   const struct web_filter *filter)
{
	struct row *row;

	rows->total++;
	rows->health[health]++;
	if (!filter || !tunnel_fits(t, health, filter))
		return 0;
	if (rows->count == rows->room) {
		struct row *more = memory_resize(rows->at, rows->room + GROW, sizeof(*more));

		if (!more)
			return -ENOMEM;
		rows->at = more;
		rows->room += GROW;
	}
	row = &rows->at[rows->count++];
	memset(row, 0, sizeof(*row));
	snprintf(row->name, sizeof(row->name), "%.23s/%.23s", t->child.ike, t->child.child);
	row->peer = t->child.remote;
	row->at = at;
	row->is_down = is_down;
	row->health = (uint8_t)health;
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names of connections, "ike/child", that have something: what is configured and not among them is down. */
struct names {
	const char **at; /* owns; borrow rows of `text` */
	char *text;      /* owns */
	size_t count;
};

static void names_done(struct names *names)
{
	memory_free(names->at);
	memory_free(names->text);
}

#define NAME_ROOM (2 * GATEWAY_NAME_MAX + 2)

static int list_up(const struct live_view *view, struct names *ret)
{
	cleanup(core_walk_done) struct core_walk walk;
	struct core_tunnel t;
	size_t n = 0;

	core_walk_begin(view->core, &walk);
	while (core_walk_next(&walk, &t))
		n++;
	core_walk_done(&walk);
	ret->text = memory_new(n ? n : 1, NAME_ROOM);
	ret->at = memory_new(n ? n : 1, sizeof(*ret->at));
	if (!ret->text || !ret->at)
		return -ENOMEM;
	core_walk_begin(view->core, &walk);
	for (; ret->count < n && core_walk_next(&walk, &t); ret->count++) {
		char *name = ret->text + ret->count * NAME_ROOM;

		snprintf(name, NAME_ROOM, "%s/%s", t.child.ike, t.child.child);
		ret->at[ret->count] = name;
	}
	if (ret->count)
		qsort(ret->at, ret->count, sizeof(*ret->at), compare_names);
	return 0;
}

static bool is_up(const struct names *names, const struct connection *c)
{
	char room[NAME_ROOM];
	const char *name = room;

	snprintf(room, sizeof(room), "%s/%s", c->ike, c->child);
	return names->count && bsearch(&name, names->at, names->count, sizeof(*names->at), compare_names);
}

/* A configured child of which nothing is there, as a row. */
static void down_tunnel(const struct connection *c, struct core_tunnel *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->child.daemon = c->daemon;
	memcpy(ret->child.ike, c->ike, sizeof(ret->child.ike));
	memcpy(ret->child.child, c->child, sizeof(ret->child.child));
	if (c->remote_count && !c->dynamic_peer)
		ret->child.remote = c->remote[0];
	ret->child.protocol = SPIMEND_PROTOCOL_ESP;
}

static bool next_down(const struct live_view *view, const struct names *up, uint32_t *at, struct core_tunnel *ret)
{
	const struct connection *c;

	while ((c = core_connection_next(view->core, at))) {
		if (c->dynamic_peer || is_up(up, c)) /* one that waits for anybody is not missing */
			continue;
		down_tunnel(c, ret);
		return true;
	}
	return false;
}

static int collect(const struct live_view *view, const struct core_figures *f, const struct names *up,
		   const struct web_filter *filter, struct rows *ret)
{
	cleanup(core_walk_done) struct core_walk walk;
	struct core_tunnel t;
	uint32_t at = 0, n = 0;
	int r = 0;

	core_walk_begin(view->core, &walk);
	for (; r == 0 && core_walk_next(&walk, &t); n++)
		r = add_row(ret, &t, health_of(f, &t), n, false, filter);
	for (n = 0; r == 0 && next_down(view, up, &at, &t); n++)
		r = add_row(ret, &t, HEALTH_DOWN, n, true, filter);
	return r;
}

static int compare_rows(const struct row *x, const struct row *y)
{
	int r = strcmp(x->name, y->name);

	if (!r)
		r = x->is_down - y->is_down;
	return r ? r : (x->at > y->at) - (x->at < y->at);
}

static int by_name(const void *a, const void *b)
{
	return compare_rows(a, b);
}

static int by_peer(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int r = spimend_address_compare(&x->peer, &y->peer);

	return r ? r : compare_rows(x, y);
}

static int by_health(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return x->health != y->health ? x->health - y->health : compare_rows(x, y);
}

static int by_place(const void *a, const void *b)
{
	const struct row *x = *(const struct row *const *)a, *y = *(const struct row *const *)b;

	return x->is_down != y->is_down ? x->is_down - y->is_down : (x->at > y->at) - (x->at < y->at);
}

/* The rows of this page are written in the order that they were sorted in, and found in the order of the walks. */
static int put_page(const struct live_view *view, const struct names *up, const struct core_figures *f,
		    const struct row *rows, size_t count, struct json *j)
{
	struct core_tunnel *found cleanup(memory_free_pointer) = memory_new(count ? count : 1, sizeof(*found));
	const struct row **wanted cleanup(memory_free_pointer) = memory_new(count ? count : 1, sizeof(*wanted));
	cleanup(core_walk_done) struct core_walk walk = { 0 };
	struct core_tunnel t;
	uint32_t at = 0, n = 0;
	size_t next = 0;

	if (!found || !wanted)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		wanted[i] = &rows[i];
	if (count)
		qsort(wanted, count, sizeof(*wanted), by_place);
	core_walk_begin(view->core, &walk);
	for (; next < count && !wanted[next]->is_down && core_walk_next(&walk, &t); n++)
		if (wanted[next]->at == n)
			found[wanted[next++] - rows] = t;
	for (n = 0; next < count && next_down(view, up, &at, &t); n++)
		if (wanted[next]->at == n)
			found[wanted[next++] - rows] = t;
	for (size_t i = 0; i < count; i++)
		live_put_tunnel(&found[i], rows[i].is_down ? "down" : NULL, live_is_stale(f, &found[i]) && !rows[i].is_down,
				tunnel_health_name((enum tunnel_health)rows[i].health), j);
	return 0;
}

int live_tunnels_page(const struct live_view *view, const struct web_filter *filter, struct buffer *out)
{
	static int (*const orders[WEB_SORTS])(const void *, const void *) = { by_name, by_peer, by_health };
	struct core_figures f = core_figures(view->core, view->now);
	cleanup(names_done) struct names up = { 0 };
	cleanup(rows_done) struct rows rows = { 0 };
	size_t from, count;
	struct json j;
	int r = list_up(view, &up);

	if (r == 0)
		r = collect(view, &f, &up, filter, &rows);
	if (r < 0)
		return r;
	if (rows.count)
		qsort(rows.at, rows.count, sizeof(*rows.at), orders[filter->sort]);
	from = filter->offset < rows.count ? filter->offset : rows.count;
	count = rows.count - from < filter->limit ? rows.count - from : filter->limit;
	json_init(&j, out);
	live_put_page_head(&j, "spimend.tunnels/1", view, filter, rows.total, rows.count);
	json_object(&j, "health");
	for (int h = 0; h < TUNNEL_HEALTHS; h++)
		json_unsigned(&j, tunnel_health_name((enum tunnel_health)h), rows.health[h]);
	json_object_end(&j);
	json_array(&j, "tunnels");
	r = put_page(view, &up, &f, rows.at + from, count, &j);
	json_array_end(&j);
	json_object_end(&j);
	buffer_add_char(out, '\n');
	return r;
}

/* --- Incidents -------------------------------------------------------------------------------------------------------- */

struct item { /* one of three kinds, as record/live_incident.c has them */
	const struct core_incident *is;
	const struct fleet_incident *case_is; /* both NULL: syslog's */
	size_t index;
	struct instant first, last;
	enum verdict verdict;
	enum incident_state state;
	bool fits;
};

struct items {
	struct item *at; /* owns */
	size_t count;
};

static void items_done(struct items *items)
{
	memory_free(items->at);
}

struct traits { /* what a filter asks for, whatever kind it is */
	enum cause cause;
	const struct spimend_address *src, *dst;
	const char *id;
	struct text names[3];
};

static bool item_fits(const struct item *item, const struct traits *t, const struct web_filter *f)
{
	bool has = !f->word[0] || has_word(t->id, f->word);

	if ((f->states && !(f->states >> item->state & 1)) || (f->has_verdict && f->verdict != item->verdict) ||
	    (f->has_cause && f->cause != t->cause) || (f->has_since && item->last.ns < f->since.ns) ||
	    (f->has_until && item->first.ns > f->until.ns) ||
	    (f->has_peer && !spimend_address_equal(&f->peer, t->src) && !spimend_address_equal(&f->peer, t->dst)))
		return false;
	for (size_t i = 0; i < sizeof(t->names) / sizeof(t->names[0]) && !has; i++)
		has = text_find_nocase(t->names[i], text_of(f->word)) != TEXT_NOT_FOUND;
	return has;
}

static void add_own(const struct live_view *view, const struct web_filter *filter, struct items *items)
{
	const struct core_incident *is;

	for (size_t i = 0; (is = core_incident_at(view->core, i)); i++) {
		struct item *item = &items->at[items->count++];
		struct traits t = { is->cause, &is->src, &is->key.dst, is->id,
				    { text_of(is->ike_name), text_of(is->child_name), text_of(view->config->hostname) } };

		*item = (struct item){ .is = is, .first = is->first_seen, .last = is->last_seen, .verdict = is->verdict,
				       .state = is->state };
		item->fits = filter && item_fits(item, &t, filter);
	}
}

static void add_cases(const struct live_view *view, const struct web_filter *filter, struct items *items)
{
	const struct fleet_incident *is;

	for (size_t i = 0; view->cases && (is = fleet_at(view->cases, i)); i++) {
		struct item *item = &items->at[items->count++];
		struct traits t = { is->cause, &is->src, &is->dst, is->id, { text_of(is->receiver), text_of(is->sender), TEXT_NONE } };

		*item = (struct item){ .case_is = is, .index = i, .first = is->first_seen, .last = is->last_seen, .verdict = is->verdict,
				       .state = is->state };
		item->fits = filter && item_fits(item, &t, filter);
	}
}

static void add_heard(const struct live_view *view, const struct live_pairs *pairs, const struct web_filter *filter,
		      struct items *items)
{
	struct incident is;

	for (size_t i = 0; view->fleet && i < judge_incidents(view->fleet->judge); i++) {
		struct item *item = &items->at[items->count];
		struct traits t;

		if (!live_fleet_is_shown(view->fleet, pairs, i))
			continue;
		live_fleet_incident(view->fleet, view->config, view->now.wall, i, &is);
		t = (struct traits){ is.cause, &is.src, &is.dst, is.id, { is.observer, TEXT_NONE, TEXT_NONE } };
		*item = (struct item){ .index = i, .first = is.first_seen, .last = is.last_seen, .verdict = is.verdict,
				       .state = is.state };
		item->fits = filter && item_fits(item, &t, filter);
		items->count++;
	}
}

/* core_incident_at() walks a list: its own ones are counted by walking it once. */
static int collect_items(const struct live_view *view, const struct web_filter *filter, struct items *ret)
{
	cleanup(live_pairs_done) struct live_pairs pairs = { 0 };
	size_t own = core_figures(view->core, view->now).incidents, cases = view->cases ? fleet_figures(view->cases).incidents : 0;

	if (live_pairs_new(view->cases, view->config, &pairs) < 0)
		return -ENOMEM;
	ret->at = memory_new(own + cases + (view->fleet ? judge_incidents(view->fleet->judge) : 0) + 1, sizeof(*ret->at));
	if (!ret->at)
		return -ENOMEM;
	add_own(view, filter, ret);
	add_cases(view, filter, ret);
	add_heard(view, &pairs, filter, ret);
	return 0;
}

static void sum(const struct items *items, struct live_totals *ret)
{
	for (size_t i = 0; i < items->count; i++) {
		ret->states[items->at[i].state]++;
		ret->verdicts[items->at[i].verdict]++;
	}
	ret->incidents = items->count;
	ret->open = items->count - ret->states[STATE_HEALED] - ret->states[STATE_CLOSED];
	ret->awaiting = ret->states[STATE_AWAITING];
}

static int compare_items(const struct item *x, const struct item *y)
{
	if (x->last.ns != y->last.ns)
		return x->last.ns < y->last.ns ? -1 : 1;
	if (!x->is != !y->is)
		return x->is ? -1 : 1;
	if (!x->case_is != !y->case_is)
		return x->case_is ? -1 : 1;
	return x->is ? strcmp(x->is->id, y->is->id) : (x->index > y->index) - (x->index < y->index);
}

static int oldest_first(const void *a, const void *b)
{
	return compare_items(a, b);
}

static int newest_first(const void *a, const void *b)
{
	return compare_items(b, a);
}

/* As `incidents --json` has it, without its line feed. */
static void put_item(const struct live_view *view, const struct item *item, struct buffer *out)
{
	if (item->is)
		live_watch_json(view, item->is, out);
	else if (item->case_is)
		record_fleet_json(item->case_is, view->config->mode, false, out);
	else
		live_fleet_json(view->fleet, view->config, view->now.wall, item->index, false, out);
	if (out->len && out->bytes[out->len - 1] == '\n')
		out->len--;
}

int live_incidents_page(const struct live_view *view, const struct web_filter *filter, struct buffer *out)
{
	cleanup(items_done) struct items items = { 0 };
	struct live_totals totals = { 0 };
	size_t matched = 0, at = 0, put = 0;
	struct json j;

	if (collect_items(view, filter, &items) < 0)
		return -ENOMEM;
	sum(&items, &totals);
	for (size_t i = 0; i < items.count; i++)
		matched += items.at[i].fits;
	qsort(items.at, items.count, sizeof(*items.at), filter->oldest_first ? oldest_first : newest_first);
	json_init(&j, out);
	live_put_page_head(&j, "spimend.incidents/1", view, filter, items.count, matched);
	json_object(&j, "states");
	for (int s = 0; s < INCIDENT_STATES; s++)
		json_unsigned(&j, incident_state_name((enum incident_state)s), totals.states[s]);
	json_object_end(&j);
	json_object(&j, "verdicts");
	for (int v = 0; v <= VERDICT_OTHER_FAULT; v++)
		json_unsigned(&j, verdict_name((enum verdict)v), totals.verdicts[v]);
	json_object_end(&j);
	json_unsigned(&j, "awaiting", totals.awaiting);
	json_array(&j, "incidents");
	for (size_t i = 0; i < items.count && put < filter->limit; i++) {
		if (!items.at[i].fits || at++ < filter->offset)
			continue;
		buffer_add_string(out, put++ ? "," : "");
		put_item(view, &items.at[i], out);
	}
	json_array_end(&j);
	json_object_end(&j);
	buffer_add_char(out, '\n');
	return 0;
}

/* --- Totals ----------------------------------------------------------------------------------------------------------- */

int live_totals(const struct live_view *view, struct live_totals *ret)
{
	struct core_figures f = core_figures(view->core, view->now);
	cleanup(items_done) struct items items = { 0 };
	cleanup(names_done) struct names up = { 0 };
	cleanup(rows_done) struct rows rows = { 0 };
	struct live_totals totals = { 0 };
	int r = list_up(view, &up);

	if (r == 0)
		r = collect(view, &f, &up, NULL, &rows);
	if (r == 0)
		r = collect_items(view, NULL, &items);
	if (r < 0)
		return r;
	sum(&items, &totals);
	totals.tunnels = rows.total;
	memcpy(totals.health, rows.health, sizeof(totals.health));
	*ret = totals;
	return 0;
}
