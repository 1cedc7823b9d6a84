/* SPDX-License-Identifier: MIT */
/* The daemon at a glance. */
#include <inttypes.h>
#include <stdio.h>

#include "base/memory.h"
#include "record/live_private.h"
#include "record/values.h"
#include "spimend/error.h"

#define TUNNEL_ROWS_MAX 100   /* for people */
#define TUNNELS_MAX 4096      /* for programs: each is looked up by its number */

int live_exit_status(const struct live_view *view)
{
	cleanup(live_pairs_done) struct live_pairs pairs = { 0 };
	const struct core_incident *is;

	for (size_t i = 0; (is = core_incident_at(view->core, i)); i++)
		if (live_is_fault(is, view->config, view->now.wall))
			return 1;
	if (live_pairs_new(view->cases, view->config, &pairs) < 0)
		return 1;
	for (size_t i = 0; view->fleet && i < judge_incidents(view->fleet->judge); i++)
		if (live_fleet_is_shown(view->fleet, &pairs, i) &&
		    live_fleet_is_fault(view->fleet, view->config, view->now.wall, i))
			return 1;
	return live_cases_have_fault(view->cases, view->config, view->now.wall);
}

int live_exit_status_of(const struct live_view *view, const struct core_incident *incident)
{
	return live_is_fault(incident, view->config, view->now.wall);
}

static void label(struct buffer *out, const char *name)
{
	buffer_printf(out, "  %-11s", name);
}

/* --- For people ------------------------------------------------------------------------------------------------ */

static void add_name(struct buffer *out, const char *name, size_t size)
{
	record_add_printable(out, (struct text){ name, strnlen(name, size) });
}

static void add_troubles(const struct live_view *view, struct buffer *out)
{
	cleanup(buffer_done) struct buffer troubles = { 0 };
	struct text rest, line;

	live_troubles(view, &troubles);
	rest = buffer_text(&troubles);
	while (text_take_line(&rest, &line)) {
		label(out, "TROUBLE");
		record_add_wrapped(out, 110, line, 13, 13);
	}
}

static void add_daemon(const struct core_daemon_figures *d, struct buffer *out)
{
	if (!d->state.up) {
		buffer_add_string(out, "DOWN since ");
		calendar_print_short(out, d->down);
		buffer_add_char(out, '\n');
		return;
	}
	buffer_add_string(out, "up, version ");
	add_name(out, d->state.version, sizeof(d->state.version));
	if (d->state.has_boot) {
		buffer_add_string(out, ", since ");
		calendar_print_short(out, d->state.boot);
	}
	buffer_printf(out, "; %" PRIu32 " IKE SA%s, %" PRIu32 " child%s, %" PRIu32 " configured", d->ike_sas, text_plural(d->ike_sas),
		      d->children, d->children == 1 ? "" : "ren", d->connections);
	if (d->snapshot_age_ns >= 0) {
		buffer_add_string(out, "; listed ");
		calendar_print_duration(out, d->snapshot_age_ns);
		buffer_add_string(out, " ago");
	} else {
		buffer_add_string(out, "; not listed yet");
	}
	if (d->state.user_space_esp)
		buffer_add_string(out, "; user-space ESP");
	buffer_add_char(out, '\n');
}

static void add_plugin(const struct live_view *view, uint32_t daemon, const struct core_daemon_figures *d,
		       struct buffer *out)
{
	if (!view->config->plugins[daemon][0])
		return;
	label(out, "");
	buffer_add_string(out, "plugin at ");
	add_name(out, view->config->plugins[daemon], sizeof(view->config->plugins[daemon]));
	if (!d || !d->plugin.up) {
		buffer_printf(out, ": NOT THERE%s%s; everything works without it, only less precisely\n",
			      d && d->plugin.error ? ": " : "", d && d->plugin.error ? spimend_strerror(d->plugin.error) : "");
		return;
	}
	buffer_add_string(out, ": up, version ");
	add_name(out, d->plugin.version, sizeof(d->plugin.version));
	if (d->reports.up)
		buffer_printf(out, "; %" PRIu64 " report%s, %" PRIu64 " lost", d->reports.reports, d->reports.reports == 1 ? "" : "s",
			      d->reports.lost);
	else
		buffer_add_string(out, "; no reports");
	if (d->reports.malformed)
		buffer_printf(out, ", %" PRIu64 " malformed", d->reports.malformed);
	if (d->plugin.crash_detection)
		buffer_add_string(out, "; crash detection");
	buffer_add_char(out, '\n');
}

static void add_daemons(const struct live_view *view, const struct core_figures *f, struct buffer *out)
{
	for (uint32_t i = 0; i < view->config->daemon_count; i++) {
		const struct core_daemon_figures *d = live_daemon_figures(f, i);

		label(out, i ? "" : "IKE daemon");
		add_name(out, view->config->daemons[i], sizeof(view->config->daemons[i]));
		buffer_add_string(out, ": ");
		if (d)
			add_daemon(d, out);
		else
			buffer_add_string(out, "has not answered yet\n");
		add_plugin(view, i, d, out);
	}
	if (view->config->daemon_count == 0) {
		label(out, "IKE daemon");
		buffer_add_string(out, "none is configured: nothing can be repaired\n");
	}
}

static void add_sensors(const struct live_view *view, const struct core_figures *f, struct buffer *out)
{
	const struct sensor_state *s = &f->sensor;

	label(out, "sensors");
	buffer_printf(out, "%u interface%s up, %u down; %" PRIu64 " IPsec packets, %" PRIu64 " known, %" PRIu64 " stray", s->interfaces_up,
		      text_plural(s->interfaces_up), s->interfaces_down, s->esp_packets, s->known, s->strays);
	if (s->sampled_away || s->flows_dropped || s->ring_lost)
		buffer_printf(out, "; %" PRIu64 " sampled away, %" PRIu64 " flows dropped, %" PRIu64 " lost in the ring", s->sampled_away,
			      s->flows_dropped, s->ring_lost);
	if (s->malformed)
		buffer_printf(out, "; %" PRIu64 " malformed", s->malformed);
	if (view->config->sense_audit)
		buffer_printf(out, "; %" PRIu64 " audit records, %" PRIu64 " lost", s->audit_records, s->audit_lost);
	buffer_add_char(out, '\n');
	label(out, "kernel");
	buffer_printf(out, "%" PRIu32 " SA%s", f->kernel_sas, text_plural(f->kernel_sas));
	for (int c = 0; f->has_counters && c < XFRM_COUNTERS; c++)
		if (f->counters.present >> c & 1 && f->counters.value[c])
			buffer_printf(out, ", %s %" PRIu64, xfrm_counter_name((enum xfrm_counter)c), f->counters.value[c]);
	buffer_add_char(out, '\n');
}

static void add_store(const struct live_view *view, struct buffer *out)
{
	const struct store_figures *s = view->store;

	label(out, "store");
	if (!s) {
		buffer_add_string(out, "NONE: ledger and incidents do not survive a restart\n");
		return;
	}
	if (s->trouble) {
		buffer_printf(out, "CANNOT BE WRITTEN: %s (", spimend_strerror(s->trouble));
		add_name(out, s->trouble_text, sizeof(s->trouble_text));
		buffer_printf(out, "); %" PRIu32 " entries and %" PRIu32 " incidents wait in memory", s->pending_ledger,
			      s->pending_incidents + s->pending_cases);
	} else {
		buffer_printf(out, "%" PRIu64 " writes, none waits", s->flushes);
	}
	if (s->lost)
		buffer_printf(out, "; %" PRIu64 " changes found no room to wait", s->lost);
	if (s->rows_skipped)
		buffer_printf(out, "; %" PRIu64 " rows made no sense and were skipped", s->rows_skipped);
	buffer_add_char(out, '\n');
	if (view->store_note) {
		label(out, "");
		record_add_wrapped(out, 110, text_of(view->store_note), 13, 13);
	}
}

static void add_judged(const struct live_view *view, const struct core_figures *f, struct buffer *out)
{
	label(out, "ledger");
	buffer_printf(out, "%" PRIu32 " live, %" PRIu32 " dead, room for %" PRIu32, f->ledger.live, f->ledger.dead, f->ledger.limit);
	if (f->ledger.evicted)
		buffer_printf(out, "; %" PRIu64 " made room", f->ledger.evicted);
	buffer_add_char(out, '\n');
	label(out, "incidents");
	buffer_printf(out, "%" PRIu32 " open, %" PRIu32 " in memory; %" PRIu64 " strays judged, %" PRIu64 " of strangers", f->open,
		      f->incidents, f->strays, f->strangers);
	if (f->flows_refused || f->incidents_dropped || f->outputs_dropped)
		buffer_printf(out, "; at a limit: %" PRIu64 " flows, %" PRIu64 " incidents, %" PRIu64 " outputs", f->flows_refused,
			      f->incidents_dropped, f->outputs_dropped);
	buffer_add_char(out, '\n');
	label(out, "repairs");
	buffer_printf(out, "%" PRIu64 " ordered, %" PRIu64 " failed, %" PRIu64 " held back by the budget (%" PRIu32 " a peer in ", f->orders,
		      f->orders_failed, f->over_budget, view->config->per_peer_count);
	calendar_print_duration(out, view->config->per_peer_ns);
	buffer_printf(out, ", %" PRIu32 " in ", view->config->global_count);
	calendar_print_duration(out, view->config->global_ns);
	buffer_add_string(out, f->breaker_open ? "); BREAKER OPEN: many peers fell together, one at a time\n" : ")\n");
}

static void add_hints(const struct core_figures *f, struct buffer *out)
{
	const struct core_hint_figures *h = &f->hints;

	if (h->crashes || h->tokens_refused || h->tokens_sent) {
		label(out, "crashes");
		buffer_printf(out, "%" PRIu64 " of peers, proved by their tokens; %" PRIu64 " tokens refused, %" PRIu64 " of our own told\n",
			      h->crashes, h->tokens_refused, h->tokens_sent);
	}
	if (!h->deletes_unknown && !h->invalid_spi_inside && !h->unprotected)
		return;
	label(out, "hints");
	buffer_printf(out, "%" PRIu64 " INVALID_SPI inside an IKE SA, %" PRIu64 " DELETEs for SPIs not ours, %" PRIu64 " unprotected; %" PRIu64
			   " liveness check%s, %" PRIu64 " answered, %" PRIu64 " held back\n", h->invalid_spi_inside, h->deletes_unknown,
		      h->unprotected, h->probes, h->probes == 1 ? "" : "s", h->probes_answered, h->probes_held);
}

static const char *child_state_of(enum child_state state)
{
	static const char *const names[CHILD_STATES] = { "other", "created", "installed", "rekeying", "rekeyed", "deleting" };

	return (unsigned)state < CHILD_STATES ? names[state] : "?";
}

static const char *ike_state_of(enum ike_state state)
{
	static const char *const names[IKE_STATES] = { "other", "connecting", "established", "rekeying", "rekeyed", "deleting" };

	return (unsigned)state < IKE_STATES ? names[state] : "?";
}

static void add_spi(struct buffer *out, bool has, uint32_t spi)
{
	if (has)
		buffer_printf(out, "0x%08" PRIx32, spi);
	else
		buffer_add_char(out, '-');
}

/* What its daemon said before it went away. */
bool live_is_stale(const struct core_figures *f, const struct core_tunnel *t)
{
	const struct core_daemon_figures *d = live_daemon_figures(f, t->child.daemon);

	return !d || !d->state.up;
}

static void add_tunnel(const struct core_tunnel *t, bool stale, struct buffer *out)
{
	char address[SPIMEND_ADDRESS_TEXT_MAX];
	const struct child_sa *c = &t->child;
	struct buffer cell = { 0 };

	buffer_add_string(out, "  ");
	add_name(&cell, c->ike, sizeof(c->ike));
	buffer_add_char(&cell, '/');
	add_name(&cell, c->child, sizeof(c->child));
	live_add_cell(out, &cell, 20);
	buffer_add_string(&cell, spimend_address_print(&c->remote, address));
	live_add_cell(out, &cell, 15);
	buffer_add_string(&cell, child_state_of(c->state));
	live_add_cell(out, &cell, 9);
	add_spi(&cell, c->has_spi_in, c->spi_in);
	live_add_cell(out, &cell, 10);
	add_spi(&cell, c->has_spi_out, c->spi_out);
	live_add_cell(out, &cell, 10);
	if (c->has_counters)
		buffer_printf(&cell, "%" PRIu64 "/%" PRIu64, c->packets_in, c->packets_out);
	else
		buffer_add_char(&cell, '-');
	live_add_cell(out, &cell, 15);
	if (c->has_use_in)
		calendar_print_duration(&cell, c->use_in_s * SECOND_NS);
	else
		buffer_add_string(&cell, "never");
	live_add_cell(out, &cell, 10);
	buffer_add_string(out, t->has_incident ? t->incident : t->has_ike ? "" : "no IKE SA");
	if (stale)
		buffer_add_string(out, out->bytes[out->len - 1] == ' ' ? "of before" : ", of before");
	while (out->len && out->bytes[out->len - 1] == ' ')
		out->len--;
	buffer_add_char(out, '\n');
	buffer_done(&cell);
}

static void add_tunnels(const struct live_view *view, const struct core_figures *f, struct buffer *out)
{
	cleanup(core_walk_done) struct core_walk walk;
	struct core_tunnel tunnel;
	bool stale = false;
	size_t i;

	core_walk_begin(view->core, &walk);
	for (i = 0; i < TUNNEL_ROWS_MAX && core_walk_next(&walk, &tunnel); i++) {
		if (i == 0)
			buffer_printf(out, "\n  %-20s %-15s %-9s %-10s %-10s %-15s %-10s %s\n", "TUNNEL", "PEER", "STATE", "SPI IN",
				      "SPI OUT", "PACKETS IN/OUT", "LAST IN", "INCIDENT");
		stale |= live_is_stale(f, &tunnel);
		add_tunnel(&tunnel, live_is_stale(f, &tunnel), out);
	}
	if (stale)
		buffer_add_string(out, "  of before: as its IKE daemon listed it last; it may be gone, nobody can tell until the daemon is back\n");
	if (i == TUNNEL_ROWS_MAX && core_walk_next(&walk, &tunnel))
		buffer_add_string(out, "  ... and more: --json lists them\n");
}

static void add_worst(const struct live_view *view, struct buffer *out)
{
	const struct core_incident *is;
	bool first = true;

	for (size_t i = 0; (is = core_incident_at(view->core, i)); i++) {
		if (!live_is_fault(is, view->config, view->now.wall))
			continue;
		buffer_add_string(out, first ? "\n" : "");
		first = false;
		buffer_printf(out, "  %s %s, %s: ", is->id, verdict_name(is->verdict), incident_state_name(is->state));
		live_add_flow(is, out);
		buffer_printf(out, ", %s, for ", cause_name(is->cause));
		calendar_print_duration(out, live_outage(is, view->now.wall));
		buffer_add_char(out, '\n');
	}
}

void live_status_text(const struct live_view *view, struct buffer *out)
{
	struct core_figures f = core_figures(view->core, view->now);

	buffer_printf(out, "spimendd %s%s%s: mode %s, up ", SPIMEND_VERSION, view->config->hostname[0] ? " on " : "",
		      view->config->hostname, mode_name(view->config->mode));
	calendar_print_duration(out, view->up_ns);
	buffer_add_char(out, '\n');
	add_troubles(view, out);
	live_cases_asking(view->cases, out);
	add_daemons(view, &f, out);
	add_sensors(view, &f, out);
	add_judged(view, &f, out);
	add_hints(&f, out);
	if (view->notify)
		live_notify_text(view->notify, view->config, out);
	if (view->fleet)
		live_fleet_status(view->fleet, view->config, out);
	live_cases_status(view->cases, view->survey, view->config, out);
	live_web_text(view->web, &view->config->web, out);
	add_store(view, out);
	if (view->recorder)
		live_recorder_text(view->recorder, view->now.wall, out);
	add_worst(view, out);
	live_cases_worst(view->cases, view->config, view->now.wall, out);
	add_tunnels(view, &f, out);
}

/* --- For programs ---------------------------------------------------------------------------------------------- */

static void put_name(struct json *j, const char *key, const char *name, size_t size)
{
	record_put_text(j, key, (struct text){ name, strnlen(name, size) });
}

static void put_plugin(const struct live_view *view, uint32_t daemon, const struct core_daemon_figures *d, struct json *j)
{
	if (!view->config->plugins[daemon][0]) {
		json_null(j, "plugin");
		return;
	}
	json_object(j, "plugin");
	put_name(j, "socket", view->config->plugins[daemon], sizeof(view->config->plugins[daemon]));
	json_bool(j, "up", d->plugin.up);
	put_name(j, "version", d->plugin.version, sizeof(d->plugin.version));
	json_bool(j, "crash_detection", d->plugin.crash_detection);
	json_bool(j, "reports_up", d->reports.up);
	json_unsigned(j, "reports", d->reports.reports);
	json_unsigned(j, "reports_lost", d->reports.lost);
	json_unsigned(j, "malformed", d->reports.malformed);
	json_object_end(j);
}

static void put_daemons(const struct live_view *view, const struct core_figures *f, struct json *j)
{
	static const struct core_daemon_figures silent = { .snapshot_age_ns = -1 };

	json_array(j, "daemons");
	for (uint32_t i = 0; i < view->config->daemon_count; i++) {
		const struct core_daemon_figures *known = live_daemon_figures(f, i), *d = known ? known : &silent;

		json_object(j, NULL);
		json_unsigned(j, "daemon", i);
		put_name(j, "socket", view->config->daemons[i], sizeof(view->config->daemons[i]));
		json_bool(j, "up", d->state.up);
		record_put_time(j, "down_since", known && !d->state.up, d->down);
		put_name(j, "version", d->state.version, sizeof(d->state.version));
		record_put_time(j, "boot", d->state.has_boot, d->state.boot);
		json_bool(j, "user_space_esp", d->state.user_space_esp);
		json_unsigned(j, "ike_sas", d->ike_sas);
		json_unsigned(j, "children", d->children);
		json_unsigned(j, "connections", d->connections);
		if (d->snapshot_age_ns >= 0)
			json_unsigned(j, "listed_ms_ago", (uint64_t)d->snapshot_age_ns / 1000000);
		else
			json_null(j, "listed_ms_ago");
		put_plugin(view, i, d, j);
		json_object_end(j);
	}
	json_array_end(j);
}

static void put_sensors(const struct core_figures *f, struct json *j)
{
	const struct sensor_state *s = &f->sensor;

	json_object(j, "sensors");
	json_unsigned(j, "interfaces_up", s->interfaces_up);
	json_unsigned(j, "interfaces_down", s->interfaces_down);
	json_unsigned(j, "esp_packets", s->esp_packets);
	json_unsigned(j, "known", s->known);
	json_unsigned(j, "strays", s->strays);
	json_unsigned(j, "sampled_away", s->sampled_away);
	json_unsigned(j, "flows_dropped", s->flows_dropped);
	json_unsigned(j, "malformed", s->malformed);
	json_unsigned(j, "ring_lost", s->ring_lost);
	json_unsigned(j, "audit_records", s->audit_records);
	json_unsigned(j, "audit_lost", s->audit_lost);
	json_object_end(j);
	json_object(j, "kernel");
	json_unsigned(j, "sas", f->kernel_sas);
	for (int c = 0; c < XFRM_COUNTERS; c++) {
		const char *name = xfrm_counter_name((enum xfrm_counter)c);

		if (f->has_counters && f->counters.present >> c & 1)
			json_unsigned(j, name, f->counters.value[c]);
		else
			json_null(j, name);
	}
	json_object_end(j);
}

static void put_judged(const struct core_figures *f, struct json *j)
{
	json_object(j, "ledger");
	json_unsigned(j, "entries", f->ledger.entries);
	json_unsigned(j, "live", f->ledger.live);
	json_unsigned(j, "dead", f->ledger.dead);
	json_unsigned(j, "limit", f->ledger.limit);
	json_unsigned(j, "evicted", f->ledger.evicted);
	json_object_end(j);
	json_object(j, "incidents");
	json_unsigned(j, "in_memory", f->incidents);
	json_unsigned(j, "open", f->open);
	json_unsigned(j, "dropped", f->incidents_dropped);
	json_object_end(j);
	json_object(j, "counters");
	json_unsigned(j, "sightings", f->sightings);
	json_unsigned(j, "strays", f->strays);
	json_unsigned(j, "strangers", f->strangers);
	json_unsigned(j, "flows_refused", f->flows_refused);
	json_unsigned(j, "outputs_dropped", f->outputs_dropped);
	json_object_end(j);
	json_object(j, "repairs");
	json_unsigned(j, "orders", f->orders);
	json_unsigned(j, "failed", f->orders_failed);
	json_unsigned(j, "over_budget", f->over_budget);
	json_bool(j, "breaker_open", f->breaker_open);
	json_object_end(j);
	json_object(j, "hints");
	json_unsigned(j, "deletes_unknown", f->hints.deletes_unknown);
	json_unsigned(j, "invalid_spi_inside", f->hints.invalid_spi_inside);
	json_unsigned(j, "unprotected", f->hints.unprotected);
	json_unsigned(j, "liveness_checks", f->hints.probes);
	json_unsigned(j, "answered", f->hints.probes_answered);
	json_unsigned(j, "silent", f->hints.probes_silent);
	json_unsigned(j, "held_back", f->hints.probes_held);
	json_unsigned(j, "crashes", f->hints.crashes);
	json_unsigned(j, "tokens_refused", f->hints.tokens_refused);
	json_unsigned(j, "tokens_sent", f->hints.tokens_sent);
	json_object_end(j);
}

static void put_store(const struct live_view *view, struct json *j)
{
	const struct store_figures *s = view->store;

	if (!s) {
		json_null(j, "store");
		return;
	}
	json_object(j, "store");
	json_unsigned(j, "writes", s->flushes);
	json_unsigned(j, "failures", s->failures);
	json_unsigned(j, "pending_ledger", s->pending_ledger);
	json_unsigned(j, "pending_incidents", s->pending_incidents + s->pending_cases);
	json_unsigned(j, "lost", s->lost);
	json_unsigned(j, "rows_skipped", s->rows_skipped);
	json_string(j, "trouble", s->trouble ? spimend_strerror(s->trouble) : NULL);
	json_string(j, "note", view->store_note);
	json_object_end(j);
}

static void put_count(struct json *j, const char *key, bool has, uint64_t value)
{
	if (has)
		json_unsigned(j, key, value);
	else
		json_null(j, key);
}

static void put_spi(struct json *j, const char *key, bool has, uint32_t spi)
{
	char text[16];

	snprintf(text, sizeof(text), "0x%" PRIx32, spi);
	json_string(j, key, has ? text : NULL);
}

void live_put_tunnel(const struct core_tunnel *t, const char *state, bool stale, const char *health, struct json *j)
{
	const struct child_sa *c = &t->child;

	json_object(j, NULL);
	if (health)
		json_string(j, "health", health);
	json_unsigned(j, "daemon", c->daemon);
	put_name(j, "connection", c->ike, sizeof(c->ike));
	put_name(j, "child", c->child, sizeof(c->child));
	json_unsigned(j, "ike_id", c->ike_id);
	json_unsigned(j, "child_id", c->id);
	record_put_address(j, "local", &c->local);
	record_put_address(j, "peer", &c->remote);
	json_string(j, "proto", c->protocol == SPIMEND_PROTOCOL_AH ? "ah" : "esp");
	json_string(j, "encap", c->encap_udp ? "udp" : NULL);
	json_string(j, "state", state ? state : child_state_of(c->state));
	json_string(j, "ike_state", t->has_ike ? ike_state_of(t->ike.state) : NULL);
	put_count(j, "ike_version", t->has_ike, t->ike.version);
	put_spi(j, "spi_in", c->has_spi_in, c->spi_in);
	put_spi(j, "spi_out", c->has_spi_out, c->spi_out);
	put_count(j, "packets_in", c->has_counters, c->packets_in);
	put_count(j, "packets_out", c->has_counters, c->packets_out);
	put_count(j, "bytes_in", c->has_counters, c->bytes_in);
	put_count(j, "bytes_out", c->has_counters, c->bytes_out);
	put_count(j, "last_in_s", c->has_use_in, c->use_in_s);
	put_count(j, "installed_s", c->has_install, c->install_s);
	put_count(j, "life_s", c->has_life, c->life_s);
	json_string(j, "incident", t->has_incident ? t->incident : NULL);
	json_bool(j, "stale", stale);
	json_object_end(j);
}

static void put_troubles(const struct live_view *view, struct json *j)
{
	cleanup(buffer_done) struct buffer troubles = { 0 };
	struct text rest, line;

	live_troubles(view, &troubles);
	rest = buffer_text(&troubles);
	json_array(j, "troubles");
	while (text_take_line(&rest, &line))
		record_put_text(j, NULL, line);
	json_array_end(j);
}

static void status_json(const struct live_view *view, bool tunnels, struct buffer *out)
{
	struct core_figures f = core_figures(view->core, view->now);
	cleanup(core_walk_done) struct core_walk walk;
	struct core_tunnel tunnel;
	struct json j;
	size_t n = 0;

	json_init(&j, out);
	json_object(&j, NULL);
	json_string(&j, "schema", "spimend.status/1");
	json_string(&j, "version", SPIMEND_VERSION);
	put_name(&j, "hostname", view->config->hostname, sizeof(view->config->hostname));
	json_string(&j, "mode", mode_name(view->config->mode));
	record_put_time(&j, "now", true, view->now.wall);
	record_put_time(&j, "started", view->started.ns != 0, view->started);
	json_unsigned(&j, "up_s", view->up_ns > 0 ? (uint64_t)(view->up_ns / SECOND_NS) : 0);
	json_unsigned(&j, "exit_status", (uint64_t)live_exit_status_of_all(view));
	put_daemons(view, &f, &j);
	put_sensors(&f, &j);
	put_judged(&f, &j);
	if (view->notify)
		live_notify_json(view->notify, view->config, &j);
	live_fleet_status_json(view->fleet, view->config, &j);
	live_cases_status_json(view->cases, view->survey, view->config, &j);
	live_web_json(view->web, &view->config->web, &j);
	put_store(view, &j);
	if (view->recorder)
		live_recorder_json(view->recorder, &j);
	else
		json_null(&j, "recorder");
	put_troubles(view, &j);
	json_array(&j, "tunnels");
	core_walk_begin(view->core, &walk);
	for (; tunnels && n < TUNNELS_MAX && core_walk_next(&walk, &tunnel); n++)
		live_put_tunnel(&tunnel, NULL, live_is_stale(&f, &tunnel), NULL, &j);
	json_array_end(&j);
	json_bool(&j, "tunnels_cut", (!tunnels || n == TUNNELS_MAX) && core_walk_next(&walk, &tunnel));
	json_object_end(&j);
	buffer_add_char(out, '\n');
}

void live_status_json(const struct live_view *view, struct buffer *out)
{
	status_json(view, true, out);
}

void live_status_page(const struct live_view *view, struct buffer *out)
{
	status_json(view, false, out);
}
