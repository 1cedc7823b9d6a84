/* SPDX-License-Identifier: MIT */
/* The one table of what is measured: name, type, labels, help, and where its value comes from. spimendd(8) has the same rows
 * (tests/house), packaging/ uses them. */
#include "record/live_private.h"
#include "record/metrics.h"

/* --- The daemon ------------------------------------------------------------------------------------------------------- */

static void put_build(struct metrics *m)
{
	metric_add(m, 1, (const char *const[]){ SPIMEND_VERSION });
}

static void put_start(struct metrics *m)
{
	if (m->source->view->started.ns)
		metric_add_seconds(m, m->source->view->started);
}

static void put_mode(struct metrics *m)
{
	for (int mode = 0; mode < MODES; mode++)
		metric_add(m, m->source->view->config->mode == (enum mode)mode, (const char *const[]){ mode_name((enum mode)mode) });
}

static void put_troubles(struct metrics *m)
{
	metric_add(m, m->troubles, NULL);
}

static void put_fault(struct metrics *m)
{
	metric_add(m, (uint64_t)live_exit_status(m->source->view), NULL);
}

/* --- Tunnels and incidents -------------------------------------------------------------------------------------------- */

static void put_tunnels(struct metrics *m)
{
	for (int h = 0; h < TUNNEL_HEALTHS; h++)
		metric_add(m, m->totals.health[h], (const char *const[]){ tunnel_health_name((enum tunnel_health)h) });
}

static void put_incidents(struct metrics *m)
{
	for (int s = 0; s < INCIDENT_STATES; s++)
		metric_add(m, m->totals.states[s], (const char *const[]){ incident_state_name((enum incident_state)s) });
}

static void put_verdicts(struct metrics *m)
{
	for (int v = 0; v <= VERDICT_OTHER_FAULT; v++)
		metric_add(m, m->totals.verdicts[v], (const char *const[]){ verdict_name((enum verdict)v) });
}

/* --- IKE daemons ------------------------------------------------------------------------------------------------------ */

enum of_daemon { DAEMON_UP, DAEMON_IKE_SAS, DAEMON_CHILDREN };

/* By the sockets of the configuration. */
static void put_daemons(struct metrics *m, enum of_daemon which)
{
	const struct config *config = m->source->view->config;

	for (uint32_t i = 0; i < config->daemon_count; i++) {
		const char *const labels[] = { config->daemons[i] };
		const struct core_daemon_figures *d = live_daemon_figures(&m->core, i);

		metric_add(m, !d ? 0 : which == DAEMON_UP ? d->state.up : which == DAEMON_IKE_SAS ? d->ike_sas : d->children, labels);
	}
}

static void put_daemon_up(struct metrics *m)
{
	put_daemons(m, DAEMON_UP);
}

static void put_ike_sas(struct metrics *m)
{
	put_daemons(m, DAEMON_IKE_SAS);
}

static void put_children(struct metrics *m)
{
	put_daemons(m, DAEMON_CHILDREN);
}

/* --- What is one number ----------------------------------------------------------------------------------------------- */

#define ONE(name, value)                                \
	static void put_##name(struct metrics *m)       \
	{                                               \
		metric_add(m, (uint64_t)(value), NULL); \
	}

ONE(awaiting, m->totals.awaiting)
ONE(kernel_sas, m->core.kernel_sas)
ONE(esp_packets, m->core.sensor.esp_packets)
ONE(known_packets, m->core.sensor.known)
ONE(stray_packets, m->core.sensor.strays)
ONE(audit_records, m->core.sensor.audit_records)
ONE(audit_lost, m->core.sensor.audit_lost)
ONE(sightings, m->core.sightings)
ONE(strays, m->core.strays)
ONE(strangers, m->core.strangers)
ONE(orders, m->core.orders)
ONE(orders_failed, m->core.orders_failed)
ONE(over_budget, m->core.over_budget)
ONE(breaker, m->core.breaker_open)
ONE(probes, m->core.hints.probes)
ONE(crashes, m->core.hints.crashes)
ONE(ledger_limit, m->core.ledger.limit)
ONE(looks, m->fleet.looks)
ONE(changes, m->fleet.changes)
#undef ONE

/* --- What has a few labels -------------------------------------------------------------------------------------------- */

struct pair {
	const char *label;
	uint64_t value;
};

static void put_pairs(struct metrics *m, const struct pair *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		metric_add(m, pairs[i].value, (const char *const[]){ pairs[i].label });
}
#define PUT(m, pairs) put_pairs(m, pairs, sizeof(pairs) / sizeof((pairs)[0]))

static void put_lost_packets(struct metrics *m)
{
	const struct sensor_state *s = &m->core.sensor;
	const struct pair pairs[] = { { "sampled", s->sampled_away }, { "flows", s->flows_dropped }, { "ring", s->ring_lost },
				      { "malformed", s->malformed } };

	PUT(m, pairs);
}

static void put_interfaces(struct metrics *m)
{
	const struct pair pairs[] = { { "up", m->core.sensor.interfaces_up }, { "down", m->core.sensor.interfaces_down } };

	PUT(m, pairs);
}

static void put_kernel_drops(struct metrics *m)
{
	for (int c = 0; m->core.has_counters && c < XFRM_COUNTERS; c++)
		if (m->core.counters.present >> c & 1)
			metric_add(m, m->core.counters.value[c], (const char *const[]){ xfrm_counter_name((enum xfrm_counter)c) });
}

static void put_ledger(struct metrics *m)
{
	const struct pair pairs[] = { { "live", m->core.ledger.live }, { "dead", m->core.ledger.dead } };

	PUT(m, pairs);
}

static void put_limits(struct metrics *m)
{
	const struct pair pairs[] = { { "flows", m->core.flows_refused }, { "incidents", m->core.incidents_dropped },
				      { "outputs", m->core.outputs_dropped }, { "ledger", m->core.ledger.evicted } };

	PUT(m, pairs);
}

static void put_store_events(struct metrics *m)
{
	const struct store_figures *s = m->source->view->store;

	if (s) {
		const struct pair pairs[] = { { "written", s->flushes }, { "failed", s->failures }, { "lost", s->lost } };

		PUT(m, pairs);
	}
}

static void put_store_pending(struct metrics *m)
{
	const struct store_figures *s = m->source->view->store;

	if (s)
		metric_add(m, (uint64_t)s->pending_ledger + s->pending_incidents + s->pending_cases, NULL);
}

static void put_words(struct metrics *m)
{
	const struct pair pairs[] = { { "approved", m->fleet.approved }, { "denied", m->fleet.denied },
				      { "expired", m->fleet.expired }, { "void", m->fleet.void_approvals } };

	PUT(m, pairs);
}

static void put_syslog(struct metrics *m)
{
	const struct syslog_counts *c = m->source->view->fleet ? m->source->view->fleet->counts : NULL;

	if (c) {
		const struct pair pairs[] = { { "received", c->received }, { "lost", c->lost }, { "unread", c->unread },
					      { "over-rate", c->over_rate } };

		PUT(m, pairs);
	}
}

static void put_traps(struct metrics *m)
{
	const struct trap_counts *c = m->source->view->notify ? m->source->view->notify->traps : NULL;

	for (int f = 0; c && f < TRAP_FATES; f++)
		metric_add(m, c->fates[f], (const char *const[]){ trap_fate_name((enum trap_fate)f) });
}

static void put_applets(struct metrics *m)
{
	if (m->source->eem)
		metric_add(m, eem_figures(m->source->eem).policies, NULL);
}

static void put_applet_runs(struct metrics *m)
{
	if (m->source->eem) {
		struct eem_figures f = eem_figures(m->source->eem);
		const struct pair pairs[] = { { "finished", f.finished }, { "aborted", f.aborted }, { "expired", f.expired },
					      { "dropped", f.dropped } };

		PUT(m, pairs);
	}
}

static void put_web(struct metrics *m)
{
	for (int c = 0; m->source->web && c < WEB_COUNTS; c++)
		metric_add(m, m->source->web->counts[c], (const char *const[]){ web_count_name((enum web_count)c) });
}

static void put_web_open(struct metrics *m)
{
	const struct web_counts *w = m->source->web;

	if (w) {
		const struct pair pairs[] = { { "connections", w->connections }, { "sessions", w->sessions }, { "streams", w->streams } };

		PUT(m, pairs);
	}
}

/* --- The table -------------------------------------------------------------------------------------------------------- */

const struct metric_row metric_rows[] = {
	{ "spimend_build_info", METRIC_GAUGE, "version", "the version that runs; always 1", put_build },
	{ "spimend_start_time_seconds", METRIC_GAUGE, "", "when the daemon came up, in seconds since 1970", put_start },
	{ "spimend_mode", METRIC_GAUGE, "mode", "1 for the mode that runs", put_mode },
	{ "spimend_troubles", METRIC_GAUGE, "", "sentences that spimend status has under TROUBLE", put_troubles },
	{ "spimend_fault", METRIC_GAUGE, "", "1 while a desync or another fault loses packets, as the exit status of spimend incidents", put_fault },

	{ "spimend_tunnels", METRIC_GAUGE, "health", "tunnels by their health", put_tunnels },
	{ "spimend_incidents", METRIC_GAUGE, "state", "incidents in memory by state", put_incidents },
	{ "spimend_incident_verdicts", METRIC_GAUGE, "verdict", "incidents in memory by verdict", put_verdicts },
	{ "spimend_awaiting", METRIC_GAUGE, "", "incidents of which a step waits for a person's word", put_awaiting },

	{ "spimend_ike_daemon_up", METRIC_GAUGE, "socket", "1 while the IKE daemon behind that socket answers", put_daemon_up },
	{ "spimend_ike_sas", METRIC_GAUGE, "socket", "IKE SAs that it lists", put_ike_sas },
	{ "spimend_child_sas", METRIC_GAUGE, "socket", "child SAs that it lists", put_children },
	{ "spimend_kernel_sas", METRIC_GAUGE, "", "inbound SAs in the kernel", put_kernel_sas },

	{ "spimend_esp_packets", METRIC_COUNTER, "", "ESP and AH packets seen on the interfaces", put_esp_packets },
	{ "spimend_known_packets", METRIC_COUNTER, "", "of these, with an SPI that has an SA", put_known_packets },
	{ "spimend_stray_packets", METRIC_COUNTER, "", "of these, with an SPI that has none", put_stray_packets },
	{ "spimend_unlooked_packets", METRIC_COUNTER, "why", "packets that the sensor could not look at one by one", put_lost_packets },
	{ "spimend_interfaces", METRIC_GAUGE, "state", "interfaces that are watched", put_interfaces },
	{ "spimend_audit_records", METRIC_COUNTER, "", "audit records read", put_audit_records },
	{ "spimend_audit_lost", METRIC_COUNTER, "", "audit records lost", put_audit_lost },
	{ "spimend_kernel_drops", METRIC_COUNTER, "counter", "packets that the kernel dropped, by its XFRM counter, since it booted", put_kernel_drops },

	{ "spimend_sightings", METRIC_COUNTER, "", "sightings that were judged", put_sightings },
	{ "spimend_strays", METRIC_COUNTER, "", "stray packets that were judged", put_strays },
	{ "spimend_strangers", METRIC_COUNTER, "", "stray packets of sources that are no peers", put_strangers },
	{ "spimend_ledger_entries", METRIC_GAUGE, "state", "SPIs that are remembered", put_ledger },
	{ "spimend_ledger_limit", METRIC_GAUGE, "", "the most that may be", put_ledger_limit },
	{ "spimend_limit_hits", METRIC_COUNTER, "limit", "what found no place, or made room", put_limits },

	{ "spimend_orders", METRIC_COUNTER, "", "repairs ordered", put_orders },
	{ "spimend_orders_failed", METRIC_COUNTER, "", "of these, that failed", put_orders_failed },
	{ "spimend_orders_over_budget", METRIC_COUNTER, "", "repairs held back by a budget", put_over_budget },
	{ "spimend_breaker_open", METRIC_GAUGE, "", "1 while many peers fell together and are repaired one at a time", put_breaker },
	{ "spimend_liveness_checks", METRIC_COUNTER, "", "liveness checks because of unprotected hints", put_probes },
	{ "spimend_peer_crashes", METRIC_COUNTER, "", "crashes of peers, proved by their tokens", put_crashes },

	{ "spimend_device_looks", METRIC_COUNTER, "", "rounds of readings begun on other devices", put_looks },
	{ "spimend_device_changes", METRIC_COUNTER, "", "commands typed on other devices that change them", put_changes },
	{ "spimend_words", METRIC_COUNTER, "word", "what became of steps that a person was asked about", put_words },
	{ "spimend_syslog_messages", METRIC_COUNTER, "fate", "messages of the fleet's syslog", put_syslog },
	{ "spimend_traps", METRIC_COUNTER, "fate", "traps that came in", put_traps },
	{ "spimend_applets", METRIC_GAUGE, "", "applets registered", put_applets },
	{ "spimend_applet_runs", METRIC_COUNTER, "end", "runs of applets that ended so", put_applet_runs },

	{ "spimend_store_events", METRIC_COUNTER, "event", "writes of the store; changes lost since it could not be written", put_store_events },
	{ "spimend_store_pending", METRIC_GAUGE, "", "changes that wait for the store", put_store_pending },
	{ "spimend_web_requests", METRIC_COUNTER, "result", "requests to the page, by what became of them", put_web },
	{ "spimend_web_open", METRIC_GAUGE, "what", "connections, sessions and event streams of the page", put_web_open },
};

const size_t metric_row_count = sizeof(metric_rows) / sizeof(metric_rows[0]);
