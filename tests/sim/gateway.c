/* SPDX-License-Identifier: MIT */
/*
 * One gateway with spimend: the sensor, the real core with its store, and the channels between them. Roles crash and come
 * back; what was on the way to a role that died is lost, as with a socket pair.
 */
#include "sim.h"

#define WINDOW (20 * MS)   /* sense/packets: a sighting is told this long after its first packet */
#define WALK SEC           /* between two walks over the counts */

static void *room_of(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (!memory)
		abort();
	return memory;
}

/* --- Channels ------------------------------------------------------------------------------------------------------ */

struct inbox *inbox_new(struct node *n, enum inbox_kind kind)
{
	struct inbox *in = room_of(1, sizeof(*in));

	in->kind = kind;
	in->life = n->g.core_lives;
	in->complete = true;
	return in;
}

/* In order within a channel. */
void inbox_post(struct node *n, enum channel channel, struct inbox *in, int64_t delay)
{
	int64_t at = n->w->now + delay;

	if (at < n->g.channel_at[channel])
		at = n->g.channel_at[channel];
	n->g.channel_at[channel] = at;
	post(n->w, at - n->w->now, EV_INBOX, n->index, 0, 0, 0, in);
}

static bool heard(const struct node *n)
{
	return n->g.enabled && n->machine_up && n->g.act_up;
}

static int64_t hop(struct node *n)
{
	return rnd_between(n->w, MS / 20, n->g.overwhelmed ? 200 * MS : 2 * MS);
}

void gateway_told_child(struct node *n, const struct child_event *event)
{
	struct inbox *in;

	if (!heard(n) || chance(n->w, n->w->vici_loss))
		return;
	in = inbox_new(n, IN_CHILD);
	in->child = *event;
	inbox_post(n, CHANNEL_ACT, in, hop(n));
}

void gateway_told_ike(struct node *n, const struct ike_event *event)
{
	struct inbox *in;

	if (!heard(n) || chance(n->w, n->w->vici_loss))
		return;
	in = inbox_new(n, IN_IKE);
	in->ike = *event;
	inbox_post(n, CHANNEL_ACT, in, hop(n));
}

void gateway_told_hint(struct node *n, const struct daemon_hint *hint)
{
	struct inbox *in;

	if (!heard(n) || chance(n->w, n->w->vici_loss))
		return;
	in = inbox_new(n, IN_HINT);
	in->hint = *hint;
	inbox_post(n, CHANNEL_ACT, in, hop(n));
}

void gateway_told_kernel(struct node *n, enum kernel_change change, const struct sa *sa)
{
	struct inbox *in;

	if (!heard(n) || !n->g.config->sense_xfrm)
		return;
	if (chance(n->w, n->w->vici_loss)) { /* an overrun is told, and answered with a dump */
		post(n->w, rnd_between(n->w, 10 * MS, 500 * MS), EV_ACT_DUMP, n->index, 0, 0, 0, NULL);
		return;
	}
	in = inbox_new(n, IN_KERNEL);
	in->kernel.change = change;
	if (sa)
		in->kernel.sa = plane_view(n, sa);
	inbox_post(n, CHANNEL_KERNEL, in, hop(n));
}

void gateway_told_result(struct node *n, const struct order_result *result)
{
	struct inbox *in = inbox_new(n, IN_RESULT);

	in->result = *result;
	inbox_post(n, CHANNEL_ACT, in, hop(n));
}

void gateway_told_report(struct node *n, const struct plugin_message *m)
{
	struct inbox *in;

	if (!n->g.enabled || !n->machine_up || !n->g.sense_up || !n->plugin || chance(n->w, n->w->vici_loss))
		return;
	in = inbox_new(n, IN_REPORT);
	in->report.is = *m;
	inbox_post(n, CHANNEL_SENSE, in, hop(n));
}

void gateway_told_daemon(struct node *n)
{
	struct inbox *in;

	if (!heard(n))
		return;
	if (n->daemon_up) {
		post(n->w, rnd_between(n->w, 10 * MS, 300 * MS), EV_ACT_HELLO, n->index, 0, 0, n->life, NULL);
		return;
	}
	in = inbox_new(n, IN_DAEMON);
	in->daemon.up = false;
	in->daemon.user_space_esp = n->user_space;
	inbox_post(n, CHANNEL_ACT, in, hop(n));
}

/* --- The sensor ---------------------------------------------------------------------------------------------------- */

static struct watch *watch_of(struct gateway *g, uint32_t spi)
{
	for (uint32_t i = 0; i < g->watch_count; i++)
		if (g->watches[i].spi.key.spi == spi)
			return &g->watches[i];
	return NULL;
}

static struct inbox *count_inbox(struct node *n, const struct watch *watch)
{
	struct inbox *in = inbox_new(n, IN_COUNT);

	in->spi_count = (struct spi_count){ .key = watch->spi.key, .packets = watch->packets, .sequence_highest = watch->highest,
					    .last_ns = watch->last, .encap_udp = watch->encap };
	return in;
}

static void watch_set(struct node *n, const struct watch_spi *spi)
{
	struct gateway *g = &n->g;
	struct watch *watch = watch_of(g, spi->key.spi);

	if (!spimend_address_equal(&spi->key.dst, &n->address))
		violate(n->w, "watch", "node %u is to watch an SA of another address", n->index);
	TRACE(n->w, "node %u: watch %08x %s", n->index, spi->key.spi, spi->state == WATCH_LIVE ? "live" : spi->state == WATCH_DEAD ? "dead"
		: "no more");
	if (!g->sense_up)
		return;
	if (spi->state == WATCH_FORGET) {
		if (watch)
			*watch = g->watches[--g->watch_count];
		return;
	}
	if (!watch) {
		if (g->watch_count == WATCHES_MAX) {
			violate(n->w, "bounded", "node %u watches more than %d SPIs", n->index, WATCHES_MAX);
			return;
		}
		watch = &g->watches[g->watch_count++];
		*watch = (struct watch){ .highest = spi->sequence_highest };
	}
	if (spi->state == WATCH_DEAD && watch->spi.state == WATCH_LIVE) {
		struct inbox *in = count_inbox(n, watch);

		in->spi_count.at_death = true;
		inbox_post(n, CHANNEL_SENSE, in, hop(n));
	}
	watch->spi = *spi;
	if (spi->sequence_highest > watch->highest)
		watch->highest = spi->sequence_highest;
}

void gateway_packet(struct node *n, const struct packet *p)
{
	struct gateway *g = &n->g;
	struct watch *watch;
	struct sighting *s = NULL;
	struct spimend_address src;
	int64_t mono = node_mono(n);

	if (!g->enabled || !g->sense_up)
		return;
	g->sensor.esp_packets++;
	watch = watch_of(g, p->spi);
	if (watch) {
		watch->packets++;
		if (p->sequence > watch->highest)
			watch->highest = p->sequence;
		watch->last = mono;
		watch->encap = p->encap;
		if (watch->spi.state == WATCH_LIVE) {
			g->sensor.known++;
			return;
		}
	}
	g->sensor.strays++;
	src = p->from == NODE_NONE ? address_of_stranger(p->stranger) : address_of_node(p->from);
	for (uint32_t i = 0; i < g->flow_count && !s; i++)
		if (g->flows[i].spi == p->spi && spimend_address_equal(&g->flows[i].src, &src))
			s = &g->flows[i];
	if (!s) {
		if (g->flow_count == FLOWS_MAX) {
			g->sensor.flows_dropped++;
			return;
		}
		s = &g->flows[g->flow_count++];
		*s = (struct sighting){ .witness = WITNESS_PACKET, .src = src, .dst = n->address, .protocol = 50, .encap_udp = p->encap,
					.in_ledger = watch != NULL, .spi = p->spi, .interface = "eth0", .first_ns = mono,
					.sequence_first = p->sequence };
		if (p->encap)
			s->src_port = s->dst_port = 4500;
	}
	s->packets++;
	s->last_ns = mono;
	s->sequence_last = p->sequence;
	if (p->sequence > s->sequence_highest)
		s->sequence_highest = p->sequence;
	if (!g->flows_pending) {
		g->flows_pending = true;
		post(n->w, WINDOW, EV_SIGHTINGS, n->index, 0, 0, 0, NULL);
	}
}

static void tell_sightings(struct node *n)
{
	struct gateway *g = &n->g;
	struct world *w = n->w;

	g->flows_pending = false;
	for (uint32_t i = 0; i < g->flow_count && g->sense_up; i++) {
		int copies = chance(w, w->sight_loss) ? 0 : chance(w, w->sight_duplicate) ? 2 : 1;

		while (copies--) {
			struct inbox *in = inbox_new(n, IN_SIGHTING);

			in->sighting = g->flows[i];
			if (chance(w, w->sight_late)) /* overtakes nothing, but comes late */
				post(w, rnd_between(w, 0, 3 * SEC), EV_INBOX, n->index, 0, 0, 0, in);
			else
				inbox_post(n, CHANNEL_SENSE, in, hop(n));
		}
	}
	g->flow_count = 0;
}

static void tell_counts(struct node *n)
{
	struct gateway *g = &n->g;
	struct inbox *in;

	post(n->w, WALK, EV_COUNTS, n->index, 0, 0, 0, NULL);
	if (!n->machine_up || !g->sense_up)
		return;
	for (uint32_t i = 0; i < g->watch_count; i++) {
		struct watch *watch = &g->watches[i];

		if (watch->packets == watch->told)
			continue;
		watch->told = watch->packets;
		inbox_post(n, CHANNEL_SENSE, count_inbox(n, watch), hop(n));
	}
	if (!n->user_space && memcmp(&n->counters, &n->counters_told, sizeof(n->counters))) {
		n->counters_told = n->counters;
		in = inbox_new(n, IN_COUNTERS);
		in->counters = n->counters;
		in->counters.present = (1u << XFRM_COUNTERS) - 1;
		inbox_post(n, CHANNEL_SENSE, in, hop(n));
	}
	in = inbox_new(n, IN_SENSOR);
	in->sensor = g->sensor;
	in->sensor.interfaces_up = 1;
	inbox_post(n, CHANNEL_SENSE, in, hop(n));
}

/* --- What core puts out -------------------------------------------------------------------------------------------- */

static void keep_ledger(struct gateway *g, const struct ledger_entry *entry)
{
	for (uint32_t i = 0; i < g->ledger_count; i++)
		if (sa_key_equal(&g->ledger[i].key, &entry->key)) {
			g->ledger[i] = *entry;
			return;
		}
	if (g->ledger_count < STORE_MAX)
		g->ledger[g->ledger_count++] = *entry;
}

static void drop_ledger(struct gateway *g, const struct ledger_entry *entry)
{
	for (uint32_t i = 0; i < g->ledger_count; i++)
		if (sa_key_equal(&g->ledger[i].key, &entry->key)) {
			g->ledger[i] = g->ledger[--g->ledger_count];
			return;
		}
}

static void keep_incident(struct node *n, const char *id)
{
	struct gateway *g = &n->g;
	const struct core_incident *is = core_find(g->core, id);
	uint32_t i;

	if (!is) /* it made room meanwhile */
		return;
	for (i = 0; i < g->incident_count && strcmp(g->incidents[i]->id, id) != 0; i++)
		;
	if (i == STORE_MAX)
		return;
	if (i == g->incident_count) {
		g->incidents[i] = room_of(1, sizeof(*is));
		g->incident_count++;
		TRACE(n->w, "node %u: incident %s spi %08x %s %s", n->index, id, is->key.spi, verdict_name(is->verdict),
		      cause_name(is->cause));
	} else if (g->incidents[i]->verdict != is->verdict || g->incidents[i]->state != is->state
		   || g->incidents[i]->next.refusal != is->next.refusal) {
		TRACE(n->w, "node %u: incident %s spi %08x now %s %s %s, next %s, refusal %s", n->index, id, is->key.spi,
		      verdict_name(is->verdict), cause_name(is->cause), incident_state_name(is->state),
		      repair_rung_name(is->next.rung), repair_refusal_name(is->next.refusal));
	}
	*g->incidents[i] = *is;
}

static void take_order(struct node *n, const struct order *order)
{
	struct gateway *g = &n->g;

	TRACE(n->w, "node %u: ORDER %llu %s ike %u child %u connection %llx", n->index, (unsigned long long)order->id,
	      order_verb_name(order->verb), order->ike_id, order->child_id, (unsigned long long)order->connection);
	if (order->id >= g->next_order)
		g->next_order = order->id + 1;
	if (g->act_up) {
		struct order *copy = room_of(1, sizeof(*copy));

		*copy = *order;
		post(n->w, hop(n), EV_ACT_ORDER, n->index, 0, 0, g->core_lives, copy);
	}
}

static void drain(struct node *n)
{
	struct gateway *g = &n->g;
	struct core_output o;
	uint32_t outputs = 0;

	while (!n->w->failed && core_next(g->core, &o)) {
		outputs++;
		oracle_output(n, &o);
		switch (o.kind) {
		case CORE_ORDER:
			oracle_order(n, &o.order);
			take_order(n, &o.order);
			break;
		case CORE_REFRESH:
			TRACE(n->w, "node %u: core asks for a list, serial %llu", n->index, (unsigned long long)o.refresh.serial);
			if (g->act_up)
				post(n->w, hop(n), EV_ACT_LIST, n->index, 0, 0, o.refresh.serial, NULL);
			break;
		case CORE_REFRESH_KERNEL:
			if (g->act_up)
				post(n->w, hop(n), EV_ACT_DUMP, n->index, 0, 0, 0, NULL);
			break;
		case CORE_WATCH_SPI:
			watch_set(n, &o.watch_spi);
			break;
		case CORE_KEEP_LEDGER:
			keep_ledger(g, &o.ledger);
			break;
		case CORE_DROP_LEDGER:
			drop_ledger(g, &o.ledger);
			break;
		case CORE_KEEP_INCIDENT:
			keep_incident(n, o.incident);
			break;
		case CORE_LOG_LINE:
			TRACE(n->w, "node %u: line: %s", n->index, o.line.text);
			break;
		case CORE_NOTICE:
			TRACE(n->w, "node %u: notice: %s", n->index, o.line.text);
			break;
		default:
			break;
		}
	}
	oracle_drained(n, outputs);
}

static void tick(struct node *n)
{
	struct gateway *g = &n->g;
	int64_t mono = node_mono(n), next = core_tick(g->core, node_moment(n)), wait;

	drain(n);
	wait = next == INT64_MAX ? 60 * SEC : next - mono;
	if (wait < MS)
		wait = MS; /* the loop's own coarseness */
	if (wait > 60 * SEC)
		wait = 60 * SEC;
	if (g->tick_at > n->w->now && g->tick_at <= n->w->now + wait)
		return; /* comes soon enough */
	g->tick_at = n->w->now + wait;
	post(n->w, wait, EV_TICK, n->index, ++g->tick_generation, 0, g->core_lives, NULL);
}

/* --- What core is told --------------------------------------------------------------------------------------------- */

static void deliver_lists(struct node *n, const struct inbox *in)
{
	struct core *core = n->g.core;
	struct moment now = node_moment(n);
	const struct connection *connections = in->list;
	const struct child_sa *children = in->list;
	const struct kernel_event *kernel = in->list;

	switch (in->kind) {
	case IN_CONNECTIONS:
		core_connections_begin(core, 0);
		for (uint32_t i = 0; i < in->count; i++)
			core_connection(core, &connections[i]);
		core_connections_end(core, 0, now);
		break;
	case IN_SNAPSHOT:
		core_snapshot_begin(core, 0, in->serial, now);
		for (uint32_t i = 0; i < in->more; i++)
			core_snapshot_ike(core, &in->ikes[i]);
		for (uint32_t i = 0; i < in->count; i++)
			core_snapshot_child(core, &children[i]);
		core_snapshot_end(core, 0, in->complete, now);
		break;
	default:
		core_kernel_begin(core, now);
		for (uint32_t i = 0; i < in->count; i++)
			core_kernel(core, &kernel[i], now);
		core_kernel_end(core, in->complete, now);
		break;
	}
}

static void deliver(struct node *n, const struct inbox *in)
{
	struct core *core = n->g.core;
	struct moment now = node_moment(n);

	if (!core || in->life != n->g.core_lives || !n->machine_up)
		return;
	n->g.ticks_idle = 0;
	if (in->kind == IN_SNAPSHOT || in->kind == IN_DUMP)
		TRACE(n->w, "node %u: core hears a list: %s, serial %llu, %u SAs%s", n->index, in->kind == IN_DUMP ? "SAD" : "VICI",
		      (unsigned long long)in->serial, in->count, in->complete ? "" : ", incomplete");
	if (in->kind == IN_SIGHTING)
		TRACE(n->w, "node %u: core hears of %llu packets with %08x, sequence %u to %u", n->index,
		      (unsigned long long)in->sighting.packets, in->sighting.spi, in->sighting.sequence_first,
		      in->sighting.sequence_highest);
	if (in->kind == IN_COUNT)
		TRACE(n->w, "node %u: core hears that %08x has %llu packets, sequence up to %u%s", n->index, in->spi_count.key.spi,
		      (unsigned long long)in->spi_count.packets, in->spi_count.sequence_highest,
		      in->spi_count.at_death ? ", until its death" : "");
	if (in->kind == IN_KERNEL)
		TRACE(n->w, "node %u: core hears of the kernel's %08x, change %d", n->index, in->kernel.sa.key.spi,
		      (int)in->kernel.change);
	switch (in->kind) {
	case IN_CHILD:
		core_child_event(core, &in->child, now);
		break;
	case IN_IKE:
		core_ike_event(core, &in->ike, now);
		break;
	case IN_HINT:
		core_hint(core, &in->hint, now);
		break;
	case IN_KERNEL:
		core_kernel(core, &in->kernel, now);
		break;
	case IN_DAEMON:
		core_daemon(core, &in->daemon, now);
		break;
	case IN_SIGHTING:
		core_sighting(core, &in->sighting, now);
		break;
	case IN_COUNT:
		core_spi_count(core, &in->spi_count, now);
		break;
	case IN_COUNTERS:
		core_counters(core, &in->counters, now);
		break;
	case IN_SENSOR:
		core_sensor(core, &in->sensor, now);
		break;
	case IN_RESULT:
		TRACE(n->w, "node %u: result of order %llu: %s %s", n->index, (unsigned long long)in->result.id,
		      order_outcome_name(in->result.outcome), in->result.text);
		core_result(core, &in->result, now);
		break;
	case IN_PLUGIN:
		core_plugin(core, &in->plugin, now);
		break;
	case IN_REPORT:
		core_report(core, &in->report, now);
		break;
	default:
		deliver_lists(n, in);
		break;
	}
	drain(n);
	tick(n);
}

/* --- Roles come and go --------------------------------------------------------------------------------------------- */

static void core_start(struct node *n)
{
	struct gateway *g = &n->g;
	struct hash_key key = { rnd(n->w), rnd(n->w) };
	struct moment now = node_moment(n);

	if (g->core || !n->machine_up)
		return;
	if (core_new(g->config, &key, g->next_order, now, &g->core))
		abort();
	g->core_lives++;
	g->core_since = n->w->now;
	g->tick_at = 0;
	TRACE(n->w, "node %u: core starts, %u ledger entries, %u incidents", n->index, g->ledger_count, g->incident_count);
	for (uint32_t i = 0; i < g->ledger_count; i++)
		core_restore_ledger(g->core, &g->ledger[i], now);
	for (uint32_t i = 0; i < g->incident_count; i++)
		core_restore_incident(g->core, g->incidents[i], now);
	if (!n->w->keep_watches)
		g->watch_count = 0;
	drain(n);
	core_resend_watches(g->core);
	tick(n);
	if (g->act_up)
		post(n->w, hop(n), EV_ACT_HELLO, n->index, 0, 0, n->life, NULL);
}

void gateway_crash_core(struct node *n, int64_t back_after)
{
	struct gateway *g = &n->g;

	if (!g->core)
		return;
	TRACE(n->w, "node %u: core crashes", n->index);
	n->w->core_crashes++;
	core_free(g->core);
	g->core = NULL;
	g->core_lives++;
	if (back_after >= 0)
		post(n->w, back_after, EV_CORE_START, n->index, 0, 0, 0, NULL);
}

void gateway_crash_act(struct node *n, int64_t back_after)
{
	struct gateway *g = &n->g;

	if (!g->enabled || !g->act_up)
		return;
	TRACE(n->w, "node %u: act crashes", n->index);
	g->act_up = false;
	for (uint32_t i = 0; i < g->journal_count; i++)
		g->journal[i].running = false;
	if (back_after >= 0)
		post(n->w, back_after, EV_ACT_START, n->index, 0, 0, 0, NULL);
}

static void act_start(struct node *n)
{
	if (n->g.act_up || !n->machine_up)
		return;
	TRACE(n->w, "node %u: act starts", n->index);
	n->g.act_up = true;
	n->g.act_since = n->w->now;
	act_hello(n);
	if (n->g.core) {
		core_resend_orders(n->g.core, node_moment(n));
		drain(n);
		tick(n);
	}
}

void gateway_crash_sense(struct node *n, int64_t back_after)
{
	struct gateway *g = &n->g;

	if (!g->enabled || !g->sense_up)
		return;
	TRACE(n->w, "node %u: sense crashes", n->index);
	g->sense_up = false;
	g->sense_lives++;
	g->flow_count = g->watch_count = 0;
	if (back_after >= 0)
		post(n->w, back_after, EV_SENSE_START, n->index, 0, 0, 0, NULL);
}

static void sense_start(struct node *n)
{
	if (n->g.sense_up || !n->machine_up)
		return;
	TRACE(n->w, "node %u: sense starts", n->index);
	n->g.sense_up = true;
	n->g.sense_since = n->w->now;
	memset(&n->g.sensor, 0, sizeof(n->g.sensor));
	if (n->g.core) {
		core_resend_watches(n->g.core);
		drain(n);
		tick(n);
	}
}

void gateway_machine_down(struct node *n)
{
	gateway_crash_core(n, -1);
	gateway_crash_act(n, -1);
	gateway_crash_sense(n, -1);
	n->g.watch_count = 0;
}

void gateway_machine_up(struct node *n)
{
	if (!n->g.enabled)
		return;
	memset(&n->counters, 0, sizeof(n->counters));
	memset(&n->counters_told, 0, sizeof(n->counters_told));
	core_start(n);
	act_start(n);
	sense_start(n);
}

void gateway_enable(struct node *n, const struct config *config)
{
	struct gateway *g = &n->g;

	g->enabled = true;
	g->config = room_of(1, sizeof(*config));
	*g->config = *config;
	g->watches = room_of(WATCHES_MAX, sizeof(*g->watches));
	g->flows = room_of(FLOWS_MAX, sizeof(*g->flows));
	g->ledger = room_of(STORE_MAX, sizeof(*g->ledger));
	g->incidents = room_of(STORE_MAX, sizeof(*g->incidents));
	g->journal = room_of(JOURNAL_MAX, sizeof(*g->journal));
	g->given = room_of(JOURNAL_MAX, sizeof(*g->given));
	g->given_more = room_of(JOURNAL_MAX, sizeof(*g->given_more));
	g->next_order = 1;
	g->act_up = g->sense_up = true;
	g->act_since = g->sense_since = n->w->now;
	core_start(n);
	post(n->w, rnd_between(n->w, 0, WALK), EV_COUNTS, n->index, 0, 0, 0, NULL);
}

void gateway_done(struct node *n)
{
	struct gateway *g = &n->g;

	if (!g->enabled)
		return;
	core_free(g->core);
	for (uint32_t i = 0; i < g->incident_count; i++)
		free(g->incidents[i]);
	free(g->config);
	free(g->watches);
	free(g->flows);
	free(g->ledger);
	free(g->incidents);
	free(g->journal);
	free(g->given);
	free(g->given_more);
	memset(g, 0, sizeof(*g));
}

void gateway_event(struct node *n, const struct event *e)
{
	struct gateway *g = &n->g;

	switch (e->kind) {
	case EV_INBOX:
		deliver(n, e->payload);
		break;
	case EV_SIGHTINGS:
		tell_sightings(n);
		break;
	case EV_COUNTS:
		tell_counts(n);
		break;
	case EV_TICK:
		if (!g->core || e->a != g->tick_generation || e->c != g->core_lives)
			break;
		g->tick_at = 0;
		if (++g->ticks_idle > 5000)
			violate(n->w, "bounded", "node %u: core asks for a call 5000 times while nothing happens", n->index);
		tick(n);
		break;
	case EV_CORE_START:
		core_start(n);
		break;
	case EV_ACT_START:
		act_start(n);
		break;
	case EV_SENSE_START:
		sense_start(n);
		break;
	case EV_ACT_ORDER:
		if (g->act_up && n->machine_up)
			act_order(n, e->payload);
		break;
	case EV_ACT_LIST:
		if (g->act_up && n->machine_up)
			act_list(n, e->c);
		break;
	case EV_ACT_DUMP:
		if (g->act_up && n->machine_up)
			act_dump(n);
		break;
	case EV_ACT_HELLO:
		if (g->act_up && n->machine_up)
			act_hello(n);
		break;
	case EV_ORDER_TIMEOUT:
		act_timeout(n, e->c);
		break;
	default:
		break;
	}
}
