/* SPDX-License-Identifier: MIT */
#include "record/live_notify.h"

#include <inttypes.h>

#include "record/values.h"
#include "spimend/error.h"

static void label(struct buffer *out, const char *name)
{
	buffer_printf(out, "  %-11s", name);
}

/* --- For people --------------------------------------------------------------------------------------------------- */

static void add_traps(const struct live_notify *n, const struct config *config, struct buffer *out)
{
	const struct trap_counts *t = n->traps;
	char address[SPIMEND_ADDRESS_TEXT_MAX];

	label(out, "traps");
	if (n->traps_error) {
		buffer_printf(out, "NOT HEARD on UDP port %u: %s\n", config->notify.trap_port, spimend_strerror(n->traps_error));
		return;
	}
	buffer_printf(out, "heard on UDP port %u from %" PRIu32 " host%s; %" PRIu64 " came, %" PRIu64 " taken", config->notify.trap_port,
		      config->notify.host_count, config->notify.host_count == 1 ? "" : "s", t->received, t->fates[TRAP_TAKEN]);
	for (int fate = TRAP_TAKEN + 1; fate < TRAP_FATES; fate++)
		if (t->fates[fate])
			buffer_printf(out, ", %" PRIu64 " %s", t->fates[fate], trap_fate_name((enum trap_fate)fate));
	if (t->lost)
		buffer_printf(out, ", %" PRIu64 " lost by the socket", t->lost);
	if (t->varbinds_dropped)
		buffer_printf(out, "; %" PRIu64 " variables beyond %d of one trap", t->varbinds_dropped, SNMP_VARBINDS_MAX);
	buffer_add_char(out, '\n');
	if (t->refused_fate == TRAP_TAKEN)
		return;
	label(out, "");
	buffer_printf(out, "refused last: from %s, %s", spimend_address_print(&t->refused, address),
		      trap_fate_name((enum trap_fate)t->refused_fate));
	if (t->refused_why[0])
		buffer_printf(out, " (%s)", t->refused_why);
	buffer_add_char(out, '\n');
}

static void add_neighbors(const struct live_notify *n, struct buffer *out)
{
	const struct neighbor_counts *c = n->neighbors;

	label(out, "neighbors");
	buffer_printf(out, "%" PRIu32 " known; heard on %" PRIu32 " socket%s: %" PRIu64 " taken", n->neighbors_known, c->sockets,
		      c->sockets == 1 ? "" : "s", c->fates[NEIGHBOR_TAKEN]);
	for (int fate = NEIGHBOR_TAKEN + 1; fate < NEIGHBOR_FATES; fate++)
		if (c->fates[fate])
			buffer_printf(out, ", %" PRIu64 " %s", c->fates[fate], neighbor_fate_name((enum neighbor_fate)fate));
	if (c->tlvs_dropped)
		buffer_printf(out, "; %" PRIu64 " malformed parts left out", c->tlvs_dropped);
	if (c->lost)
		buffer_printf(out, "; %" PRIu64 " lost by the sockets", c->lost);
	if (n->neighbors_refused)
		buffer_printf(out, "; %" PRIu64 " found no place", n->neighbors_refused);
	buffer_add_char(out, '\n');
}

static void add_counts(const struct dial_state *state, struct buffer *out)
{
	if (!state) {
		buffer_add_string(out, "nothing is known of it yet\n");
		return;
	}
	buffer_printf(out, "%" PRIu64 " sent, %" PRIu64 " dropped, %" PRIu32 " waiting", state->sent, state->dropped, state->waiting);
	if (state->why[0])
		buffer_printf(out, "; %s: %s", state->up ? "failed before" : "FAILS", state->why);
	buffer_add_char(out, '\n');
}

static void add_state(const char *what, const struct spimend_address *to, uint16_t port, const char *how,
		      const struct dial_state *state, struct buffer *out)
{
	char address[SPIMEND_ADDRESS_TEXT_MAX];

	label(out, what);
	buffer_printf(out, "%s port %u (%s): ", spimend_address_print(to, address), port, how);
	add_counts(state, out);
}

static const struct dial_state *log_state(const struct live_notify *n, const struct config *config, uint32_t i)
{
	return n->logs[i].mark == notify_log_host_mark(&config->notify.log_hosts[i]) ? &n->logs[i] : NULL;
}

static const struct dial_state *snmp_state(const struct live_notify *n, const struct config *config, uint32_t i)
{
	return n->snmps[i].mark == notify_host_mark(&config->notify.hosts[i]) ? &n->snmps[i] : NULL;
}

static const struct dial_state *web_state(const struct live_notify *n, const struct config *config, uint32_t i)
{
	return n->webs && n->webs[i].mark == hook_web_mark(&config->hooks.webs[i]) ? &n->webs[i] : NULL;
}

static void add_hooks(const struct live_notify *n, const struct config *config, struct buffer *out)
{
	char url[HOOK_URL_MAX];

	for (uint32_t i = 0; i < config->hooks.web_count; i++) {
		label(out, i ? "" : "webhooks");
		buffer_printf(out, "%s: ", hook_web_show(&config->hooks.webs[i], url));
		add_counts(web_state(n, config, i), out);
	}
	if (!config->hooks.program[0])
		return;
	label(out, "hook");
	buffer_printf(out, "%s: ", config->hooks.program);
	add_counts(n->program && n->program->mark ? n->program : NULL, out);
}

void live_notify_text(const struct live_notify *n, const struct config *config, struct buffer *out)
{
	const struct config_notify *c = &config->notify;

	if (c->manager)
		add_traps(n, config, out);
	if (n->neighbors->sockets)
		add_neighbors(n, out);
	for (uint32_t i = 0; i < c->log_host_count; i++)
		add_state(i ? "" : "syslog to", &c->log_hosts[i].address, c->log_hosts[i].port,
			  notify_transport_name(c->log_hosts[i].transport), log_state(n, config, i), out);
	for (uint32_t i = 0; c->enable_event_manager && i < c->host_count; i++)
		add_state(i ? "" : "traps to", &c->hosts[i].address, c->hosts[i].port, notify_host_how(&c->hosts[i]),
			  snmp_state(n, config, i), out);
	add_hooks(n, config, out);
	if (n->not_handed) {
		label(out, "");
		buffer_printf(out, "%" PRIu64 " could not be handed to the role dial\n", n->not_handed);
	}
}

/* --- For programs ------------------------------------------------------------------------------------------------- */

static void put_traps(const struct live_notify *n, const struct config *config, struct json *j)
{
	const struct trap_counts *t = n->traps;

	if (!config->notify.manager) {
		json_null(j, "traps");
		return;
	}
	json_object(j, "traps");
	json_unsigned(j, "port", config->notify.trap_port);
	json_string(j, "error", n->traps_error ? spimend_strerror(n->traps_error) : NULL);
	json_unsigned(j, "received", t->received);
	json_unsigned(j, "lost", t->lost);
	for (int fate = 0; fate < TRAP_FATES; fate++)
		json_unsigned(j, trap_fate_name((enum trap_fate)fate), t->fates[fate]);
	json_unsigned(j, "answered", t->answered);
	json_unsigned(j, "variables_dropped", t->varbinds_dropped);
	if (t->refused_fate == TRAP_TAKEN) {
		json_null(j, "refused_last");
	} else {
		json_object(j, "refused_last");
		record_put_address(j, "from", &t->refused);
		json_string(j, "fate", trap_fate_name((enum trap_fate)t->refused_fate));
		json_string(j, "why", t->refused_why[0] ? t->refused_why : NULL);
		json_object_end(j);
	}
	json_object_end(j);
}

static void put_neighbors(const struct live_notify *n, struct json *j)
{
	json_object(j, "neighbors");
	json_unsigned(j, "known", n->neighbors_known);
	json_unsigned(j, "sockets", n->neighbors->sockets);
	for (int fate = 0; fate < NEIGHBOR_FATES; fate++)
		json_unsigned(j, neighbor_fate_name((enum neighbor_fate)fate), n->neighbors->fates[fate]);
	json_unsigned(j, "parts_dropped", n->neighbors->tlvs_dropped);
	json_unsigned(j, "lost", n->neighbors->lost);
	json_unsigned(j, "refused", n->neighbors_refused);
	json_object_end(j);
}

static void put_counts(const struct dial_state *state, struct json *j)
{
	static const struct dial_state silent;
	const struct dial_state *s = state ? state : &silent;

	json_bool(j, "up", s->up);
	json_unsigned(j, "sent", s->sent);
	json_unsigned(j, "dropped", s->dropped);
	json_unsigned(j, "waiting", s->waiting);
	json_unsigned(j, "failures", s->failures);
	json_string(j, "trouble", s->why[0] ? s->why : NULL);
}

static void put_state(const char *kind, const struct spimend_address *to, uint16_t port, const char *how,
		      const struct dial_state *state, struct json *j)
{
	json_object(j, NULL);
	json_string(j, "kind", kind);
	record_put_address(j, "address", to);
	json_unsigned(j, "port", port);
	json_string(j, "how", how);
	put_counts(state, j);
	json_object_end(j);
}

static void put_hook(const char *kind, const char *to, const struct dial_state *state, struct json *j)
{
	json_object(j, NULL);
	json_string(j, "kind", kind);
	json_string(j, "to", to);
	put_counts(state, j);
	json_object_end(j);
}

void live_notify_json(const struct live_notify *n, const struct config *config, struct json *j)
{
	const struct config_notify *c = &config->notify;
	char url[HOOK_URL_MAX];

	put_traps(n, config, j);
	put_neighbors(n, j);
	json_array(j, "receivers");
	for (uint32_t i = 0; i < c->log_host_count; i++)
		put_state("syslog", &c->log_hosts[i].address, c->log_hosts[i].port, notify_transport_name(c->log_hosts[i].transport),
			  log_state(n, config, i), j);
	for (uint32_t i = 0; i < c->host_count; i++)
		put_state("snmp", &c->hosts[i].address, c->hosts[i].port, notify_host_how(&c->hosts[i]),
			  snmp_state(n, config, i), j);
	for (uint32_t i = 0; i < config->hooks.web_count; i++)
		put_hook("webhook", hook_web_show(&config->hooks.webs[i], url), web_state(n, config, i), j);
	if (config->hooks.program[0])
		put_hook("exec", config->hooks.program, n->program && n->program->mark ? n->program : NULL, j);
	json_array_end(j);
}
