/* SPDX-License-Identifier: MIT */
/*
 * A small world of routers for the tests of the fleet's mind: tunnels whose SA tables change with what is typed, a clock,
 * and a judge of everything that comes out. A crypto clear of an SD-WAN tunnel breaks it for good (B17).
 */
#ifndef TESTS_FLEET_WORLD_H
#define TESTS_FLEET_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/memory.h"
#include "fleet/fleet.h"
#include "plan/plan.h"

#define WORLD_DEVICES_MAX 64
#define WORLD_TUNNELS_MAX 64
#define WORLD_ORDERS_MAX 64
#define S SECOND_NS
#define HEALED_LONG (12 * S) /* a round of readings, and the typing */
#define WORLD_WORDS_MAX 16

enum world_keys { BY_IKE, BY_CONTROLLER, BY_HAND };
enum world_output { PRINTS_WELL, PRINTS_PAGED, PRINTS_CUT, PRINTS_UNKNOWN, PRINTS_NOTHING_IN_TIME, PRINTS_NO_LOGIN };

struct way { /* one direction */
	uint32_t out;          /* what the sending end encrypts with; 0: nothing */
	uint32_t in[2];        /* what the receiving end accepts; 0: none */
	uint64_t encaps, decaps;
};
struct world_tunnel {
	uint32_t end[2];       /* devices */
	enum world_keys keys;
	enum device_color color;
	bool idle, stubborn;   /* no traffic; nothing short of the session helps */
	bool cleared;          /* by hand (T23) */
	bool tag_hidden;       /* what is printed does not show that a controller makes the keys */
	bool no_ike;
	struct way way[2];     /* [0]: from end[0] to end[1] */
	int64_t whole_since;   /* both ways agree since then; INT64_MAX: they do not */
};
struct world_order {
	struct device_order order;
	int64_t at;            /* carried out then */
	bool used;
};
struct world {
	struct config *config;
	struct fleet *fleet;
	struct fleet_settings settings;
	int64_t now;
	uint32_t next_spi;
	uint64_t seed;
	struct spimend_address address[WORLD_DEVICES_MAX]; /* of the tunnels, not where one logs in */
	struct spimend_address public[WORLD_DEVICES_MAX];  /* behind NAT: what others see; unknown: the same */
	struct sa_ident ident[WORLD_DEVICES_MAX];          /* what others protect towards it */
	enum world_output output[WORLD_DEVICES_MAX];
	struct world_tunnel tunnels[WORLD_TUNNELS_MAX];
	uint32_t tunnel_count;
	struct world_order orders[WORLD_ORDERS_MAX];
	int64_t delay;         /* of each answer */
	uint32_t second_flow;  /* of each tunnel, from end[0] to end[1]: this SPI at both ends, never without packets */
	bool random_delay, half_blocks, foreign_blocks, no_bfd, free_budget;
	int64_t idle_step;     /* of the clock, while no order is under way */
	uint32_t changes, looks, notices, keeps, journal;
	int64_t changed_at[WORLD_DEVICES_MAX];
	char words[WORLD_WORDS_MAX][DEVICE_COMMAND_MAX]; /* commands that a person agreed to, not used yet; empty: free */
	char announced[FLEET_TEXT_MAX]; /* the journal's line of the latest step that asks for nobody; empty: used */
	uint32_t trace_spi, lookup_spi; /* what every device remembers; 0: nothing */
	bool trace_deleted, lookup_active, omp_down;
	uint64_t drops, drops_a_second; /* because there is no such SA */
	uint32_t site[WORLD_DEVICES_MAX]; /* 0: it tells none */
	bool hangs[DEVICE_VERBS];       /* nobody ever answers */
	uint32_t asked[DEVICE_VERBS];
	bool refuses[DEVICE_VERBS];     /* every device: it has no such command */
	char last_command[DEVICE_COMMAND_MAX], last_on[DEVICE_NAME_MAX];
	void (*before_change)(struct world *w);
	void (*after_reading)(struct world *w, const struct device_order *order);
};

static inline uint32_t world_random(struct world *w, uint32_t below)
{
	w->seed = w->seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((w->seed >> 33) % below);
}

static inline struct moment world_now(const struct world *w)
{
	return (struct moment){ w->now, { INT64_C(1756800000000000000) + w->now } };
}

static inline struct spimend_address world_address(unsigned a, unsigned b, unsigned c)
{
	return (struct spimend_address){ 4, { 10, (uint8_t)a, (uint8_t)b, (uint8_t)c } };
}

static inline uint32_t world_device(struct world *w, enum platform platform, bool may_repair)
{
	uint32_t n = w->config->devices.count++;
	struct config_device *d = &w->config->devices.at[n];

	assert_true(n < WORLD_DEVICES_MAX);
	snprintf(d->name, sizeof(d->name), "r%02u", n);
	d->address = world_address(0, 0, n + 1);
	d->port = 22;
	d->login = 1;
	d->platform = platform;
	d->may_repair = may_repair;
	w->address[n] = world_address(1, 0, n + 1);
	return n;
}

static inline void world_init(struct world *w)
{
	memset(w, 0, sizeof(*w));
	w->config = memory_new(1, sizeof(*w->config));
	config_default(w->config);
	w->config->mode = MODE_REPAIR;
	w->config->devices.login_count = 1;
	strcpy(w->config->devices.logins[0].user, "netops");
	strcpy(w->config->devices.logins[0].key_file, "/etc/spimend/id");
	w->now = 1000 * S;
	w->next_spi = 0x1000;
	w->seed = 1;
	w->delay = S / 5;
	w->idle_step = S / 2;
	fleet_settings_default(&w->settings);
}

static inline void world_start(struct world *w)
{
	static const struct hash_key key = { 3, 5 };

	assert_int_equal(fleet_new(w->config, &w->settings, &key, 1, world_now(w), &w->fleet), 0);
	for (uint32_t i = 0; i < w->config->devices.count; i++)
		fleet_address(w->fleet, i, &w->address[i]);
}

static inline void world_done(struct world *w)
{
	fleet_free(w->fleet);
	memory_free(w->config);
}

/* --- Tunnels */

static inline bool way_works(const struct way *way)
{
	return way->out && (way->out == way->in[0] || way->out == way->in[1]);
}

static inline bool tunnel_works(const struct world_tunnel *t)
{
	return !t->cleared && way_works(&t->way[0]) && way_works(&t->way[1]);
}

static inline void world_note(struct world *w, struct world_tunnel *t)
{
	if (!tunnel_works(t))
		t->whole_since = INT64_MAX;
	else if (t->whole_since == INT64_MAX)
		t->whole_since = w->now;
}

static inline void world_renew(struct world *w, struct world_tunnel *t)
{
	for (int k = 0; k < 2; k++) {
		t->way[k] = (struct way){ .out = ++w->next_spi, .encaps = t->way[k].encaps, .decaps = t->way[k].decaps };
		t->way[k].in[0] = t->way[k].out;
	}
	t->cleared = false;
	world_note(w, t);
}

static inline struct world_tunnel *world_tunnel(struct world *w, uint32_t a, uint32_t b, enum world_keys keys)
{
	struct world_tunnel *t = &w->tunnels[w->tunnel_count++];

	assert_true(w->tunnel_count <= WORLD_TUNNELS_MAX);
	*t = (struct world_tunnel){ .end = { a, b }, .keys = keys, .color = COLOR_BIZ_INTERNET, .whole_since = INT64_MAX };
	t->way[0].encaps = t->way[0].decaps = t->way[1].encaps = t->way[1].decaps = 100;
	world_renew(w, t);
	return t;
}

/* The receiver of that way loses what the sender sends with; way 0 is from end[0] to end[1]. */
static inline void world_desync_way(struct world *w, struct world_tunnel *t, int k)
{
	t->way[k].in[0] = ++w->next_spi;
	t->way[k].in[1] = 0;
	world_note(w, t);
}

static inline void world_desync(struct world *w, struct world_tunnel *t)
{
	world_desync_way(w, t, 0);
}

/* Somebody types `clear crypto sa peer` at end[at] of an SD-WAN tunnel. */
static inline void world_clear(struct world *w, struct world_tunnel *t, int at)
{
	t->way[!at].in[0] = t->way[!at].in[1] = 0; /* what comes in at `at` */
	t->way[at].out = 0;
	t->way[0].encaps = t->way[0].decaps = t->way[1].encaps = t->way[1].decaps = 0;
	t->cleared = true;
	world_note(w, t);
}

static inline const struct spimend_address *world_seen_as(const struct world *w, uint32_t device)
{
	return w->public[device].family ? &w->public[device] : &w->address[device];
}

static inline struct world_tunnel *world_between(struct world *w, uint32_t device, const struct spimend_address *peer,
						 int *ret_at)
{
	for (uint32_t i = 0; i < w->tunnel_count; i++)
		for (int at = 0; at < 2; at++)
			if (w->tunnels[i].end[at] == device &&
			    spimend_address_equal(world_seen_as(w, w->tunnels[i].end[!at]), peer)) {
				*ret_at = at;
				return &w->tunnels[i];
			}
	return NULL;
}

/* The receiver of that way says that packets come with an SPI that it does not know. */
static inline enum fleet_taken world_sight_way(struct world *w, const struct world_tunnel *t, int k, uint32_t spi)
{
	struct fleet_sighting s = { .device = t->end[!k], .src = *world_seen_as(w, t->end[k]), .dst = w->address[t->end[!k]],
				    .protocol = SPIMEND_PROTOCOL_ESP, .spi = { spi }, .messages = 1 };

	return fleet_sighting(w->fleet, &s, world_now(w));
}

static inline enum fleet_taken world_sight(struct world *w, const struct world_tunnel *t, uint32_t spi)
{
	return world_sight_way(w, t, 0, spi);
}

/* --- What devices answer */

static inline void print_block(struct world *w, const struct device_order *order)
{
	int at;
	struct world_tunnel *t = world_between(w, order->device, &order->peer, &at);
	struct sa_block b = { 0 };

	if (!t)
		return;
	b.local = w->address[order->device];
	b.peer = order->peer;
	b.controller_keyed = t->keys == BY_CONTROLLER && !t->tag_hidden;
	b.manual_or_group = t->keys == BY_HAND;
	b.encap_udp = w->public[t->end[0]].family || w->public[t->end[1]].family;
	b.remote_ident = w->ident[t->end[!at]];
	b.whole = !w->half_blocks;
	b.has_counters = true;
	b.encaps = t->way[at].encaps;
	b.decaps = t->way[!at].decaps;
	if (t->way[at].out)
		b.outbound[b.outbound_count++].value = t->way[at].out;
	for (int k = 0; k < 2; k++)
		if (t->way[!at].in[k])
			b.inbound[b.inbound_count++].value = t->way[!at].in[k];
	fleet_sa(w->fleet, order->request, &b);
	if (w->foreign_blocks) { /* of another peer, which the image prints all the same */
		struct sa_block other = b;

		other.peer = world_address(7, 7, 7);
		other.outbound[0].value = 0xdead;
		other.controller_keyed = true;
		fleet_sa(w->fleet, order->request, &other);
	}
	if (!w->second_flow)
		return;
	b.inbound_count = b.outbound_count = 0;
	(at ? b.inbound : b.outbound)[0].value = w->second_flow;
	*(at ? &b.inbound_count : &b.outbound_count) = 1;
	b.decaps = (uint64_t)(w->now / (S / 10));
	fleet_sa(w->fleet, order->request, &b);
}

static inline void print_rows(struct world *w, const struct device_order *order)
{
	for (uint32_t i = 0; i < w->tunnel_count; i++) {
		const struct world_tunnel *t = &w->tunnels[i];
		int at = t->end[1] == order->device;
		struct device_row row = { .local = w->address[order->device], .remote = *world_seen_as(w, t->end[!at]),
					  .color = t->color };

		if (t->end[0] != order->device && t->end[1] != order->device)
			continue;
		if (order->verb == DEVICE_SHOW_IKEV2_SA && t->keys == BY_IKE && !t->no_ike) {
			row.kind = ROW_IKE;
			row.up = true;
			fleet_row(w->fleet, order->request, &row);
		}
		if (t->keys != BY_CONTROLLER)
			continue;
		row.kind = ROW_BFD;
		row.up = !t->cleared && way_works(&t->way[0]) && way_works(&t->way[1]);
		if (order->verb == DEVICE_SHOW_BFD && !w->no_bfd)
			fleet_row(w->fleet, order->request, &row);
		row.kind = ROW_CONTROL;
		row.up = true;
		if (order->verb == DEVICE_SHOW_CONTROL && i < 3)
			fleet_row(w->fleet, order->request, &row);
		row.kind = ROW_OUTBOUND_SA;
		row.spi.value = t->way[at].out;
		if (order->verb == DEVICE_SHOW_OUTBOUND && row.spi.value)
			fleet_row(w->fleet, order->request, &row);
		row.kind = ROW_LOCAL_SA;
		row.spi.value = t->way[!at].in[0];
		if (order->verb == DEVICE_SHOW_LOCAL_SA && row.spi.value)
			fleet_row(w->fleet, order->request, &row);
	}
}

/* What the device remembers, counted and is. */
static inline void print_memory(struct world *w, const struct device_order *order)
{
	struct device_row row = { .local = w->address[order->device] };

	if (order->verb == DEVICE_SHOW_TRACE && w->trace_spi) {
		row.kind = ROW_TRACE;
		row.spi.value = w->trace_spi;
		row.up = true;
		fleet_row(w->fleet, order->request, &row);
		row.up = false;
		if (w->trace_deleted)
			fleet_row(w->fleet, order->request, &row);
	} else if (order->verb == DEVICE_SHOW_SPI_LOOKUP && w->lookup_spi) {
		row.kind = ROW_SPI;
		row.spi.value = w->lookup_spi;
		row.up = w->lookup_active;
		fleet_row(w->fleet, order->request, &row);
	} else if (order->verb == DEVICE_SHOW_SPI_LOOKUP) { /* all that it accepts, from whomever */
		for (uint32_t i = 0; i < w->tunnel_count; i++)
			for (int at = 0; at < 2; at++)
				for (int k = 0; k < 2 && w->tunnels[i].end[at] == order->device; k++) {
					row.kind = ROW_SPI;
					row.spi.value = w->tunnels[i].way[!at].in[k];
					row.up = true;
					if (row.spi.value)
						fleet_row(w->fleet, order->request, &row);
				}
	} else if (order->verb == DEVICE_SHOW_DROPS) {
		row.kind = ROW_DROP_NO_SA;
		row.count = w->drops + w->drops_a_second * (uint64_t)(w->now / S);
		fleet_row(w->fleet, order->request, &row);
	} else if (order->verb == DEVICE_SHOW_OMP_PEERS) {
		row.kind = ROW_OMP_PEER;
		row.up = !w->omp_down;
		fleet_row(w->fleet, order->request, &row);
		fleet_row(w->fleet, order->request, &row);
	} else if (order->verb == DEVICE_SHOW_SITE && w->site[order->device]) {
		row.kind = ROW_SITE;
		row.count = w->site[order->device];
		fleet_row(w->fleet, order->request, &row);
	}
}

static inline bool world_use_word(struct world *w, const char *command)
{
	for (int i = 0; i < WORLD_WORDS_MAX; i++)
		if (strcmp(w->words[i], command) == 0) {
			w->words[i][0] = 0;
			return true;
		}
	return false;
}

static inline void world_forget_words(struct world *w)
{
	memset(w->words, 0, sizeof(w->words));
}

static inline bool is_broken(const struct world *w, const struct world_tunnel *t)
{
	return t->whole_since == INT64_MAX || w->now - t->whole_since < HEALED_LONG;
}

/* By the C library's calendar, and not by ours. */
static inline bool world_may_change(const struct world *w, uint32_t device)
{
	const struct windows *own = &w->config->devices.at[device].windows, *all = &w->config->devices.usual_windows;
	const struct windows *windows = own->count ? own : all;
	time_t now = (time_t)(world_now(w).wall.ns / S);
	struct tm tm;
	int minute, today, yesterday;

	gmtime_r(&now, &tm);
	minute = tm.tm_hour * 60 + tm.tm_min;
	today = (tm.tm_wday + 6) % 7;
	yesterday = (tm.tm_wday + 5) % 7;
	for (int i = 0; i < windows->count; i++) {
		const struct window_hours *h = &windows->at[i];
		bool overnight = h->to < h->from;

		if (h->days & 1 << today && minute >= h->from && (overnight || minute < h->to))
			return true;
		if (h->days & 1 << yesterday && overnight && minute < h->to)
			return true;
	}
	return windows->count == 0;
}

/* Nothing without a person's word, and that once; or, where none is asked, behind the journal's line of what it disturbs. */
static inline void may_be_typed(struct world *w, const struct device_order *order, const char *command)
{
	const struct config_devices *devices = &w->config->devices;
	enum sdwan_step step;

	if (device_verb_clears_sa(order->verb) && order->verb != DEVICE_CLEAR_SESSION)
		return;
	if (world_use_word(w, command))
		return;
	assert_true(device_verb_is_sdwan_step(order->verb, &step));
	assert_true(device_is_unattended(devices, &devices->at[order->device], step));
	assert_non_null(strstr(w->announced, command));
	assert_non_null(strstr(w->announced, "blast radius: "));
	w->announced[0] = 0;
}

/* What a change does, and whether it was right to type it. */
static inline void do_change(struct world *w, const struct device_order *order, const char *command)
{
	const struct config_device *d = &w->config->devices.at[order->device];
	int at;
	struct world_tunnel *t = world_between(w, order->device, &order->peer, &at);
	bool reason = false;

	assert_int_equal(w->config->mode, MODE_REPAIR);
	assert_true(d->may_repair);
	assert_true(world_may_change(w, order->device)); /* nothing outside a window */
	may_be_typed(w, order, command);
	/* Never more than the budget: one of a device in 60 s. */
	assert_true(w->free_budget || !w->changed_at[order->device] || w->now - w->changed_at[order->device] >= 59 * S);
	w->changed_at[order->device] = w->now;
	if (device_verb_clears_sa(order->verb)) {
		assert_non_null(t);
		assert_int_equal(t->keys, BY_IKE); /* no crypto clear of a tunnel without IKE */
		assert_true(is_broken(w, t)); /* nothing that works is touched */
		if (!t->stubborn || order->verb == DEVICE_CLEAR_SESSION)
			world_renew(w, t);
		return;
	}
	for (uint32_t i = 0; i < w->tunnel_count; i++) {
		t = &w->tunnels[i];
		if (t->keys != BY_CONTROLLER || (t->end[0] != order->device && t->end[1] != order->device))
			continue;
		reason = reason || is_broken(w, t);
		if (order->verb == DEVICE_IPSEC_REKEY && t->cleared)
			continue; /* B17 */
		if (order->verb == DEVICE_PORT_HOP && t->color != order->color)
			continue;
		if (!t->stubborn || order->verb == DEVICE_CLEAR_CONTROL)
			world_renew(w, t);
	}
	assert_true(reason);
}

static inline void answer(struct world *w, const struct device_order *order)
{
	enum world_output output = w->output[order->device];
	struct device_result result = { .request = order->request, .outcome = DEVICE_DONE, .typed = true };
	struct fleet_output_end end = { .request = order->request, .known = output != PRINTS_UNKNOWN,
					.paged = output == PRINTS_PAGED, .cut = output == PRINTS_CUT };
	struct buffer command = { 0 };

	assert_true(device_command(order, w->config->devices.at[order->device].platform, &command));
	buffer_add_char(&command, 0);
	w->asked[order->verb]++;
	if (w->hangs[order->verb] || (output == PRINTS_NOTHING_IN_TIME && !device_verb_changes(order->verb))) {
		buffer_done(&command);
		return; /* nobody ever answers */
	}
	if (output == PRINTS_NO_LOGIN) {
		result.outcome = DEVICE_NO_LOGIN;
		result.typed = false;
		fleet_result(w->fleet, &result, world_now(w));
		buffer_done(&command);
		return;
	}
	if (w->refuses[order->verb]) {
		result.outcome = DEVICE_REFUSED;
		snprintf(result.why, sizeof(result.why), "%% Invalid input detected at '^' marker.");
	} else if (device_verb_changes(order->verb)) {
		if (w->before_change)
			w->before_change(w);
		snprintf(w->last_command, sizeof(w->last_command), "%s", command.bytes);
		snprintf(w->last_on, sizeof(w->last_on), "%s", w->config->devices.at[order->device].name);
		w->changes++;
		do_change(w, order, command.bytes);
	} else if (order->verb == DEVICE_SHOW_IPSEC_SA) {
		print_block(w, order);
	} else {
		print_rows(w, order);
		print_memory(w, order);
	}
	w->looks += !device_verb_changes(order->verb);
	buffer_done(&command);
	if (world_random(w, 2)) { /* in any order */
		fleet_result(w->fleet, &result, world_now(w));
		fleet_output_end(w->fleet, &end, world_now(w));
	} else {
		fleet_output_end(w->fleet, &end, world_now(w));
		fleet_result(w->fleet, &result, world_now(w));
	}
	if (w->after_reading)
		w->after_reading(w, order);
}

static inline void take_order(struct world *w, const struct device_order *order)
{
	uint32_t under_way = 0;
	int at;
	struct world_tunnel *t = world_between(w, order->device, &order->peer, &at);

	assert_true(device_valid_order(order));
	assert_true(order->device < w->config->devices.count);
	for (uint32_t i = 0; i < WORLD_ORDERS_MAX; i++) {
		under_way += w->orders[i].used;
		if (!w->orders[i].used)
			continue;
		assert_true(w->orders[i].order.device != order->device); /* one at a time on a device */
		/* Never both ends at once. */
		if (t && device_verb_changes(order->verb) && device_verb_changes(w->orders[i].order.verb))
			assert_true(w->orders[i].order.device != t->end[!at]);
	}
	assert_true(under_way < w->settings.looks_at_once + w->config->concurrent);
	for (uint32_t i = 0; i < WORLD_ORDERS_MAX; i++) {
		if (w->orders[i].used)
			continue;
		w->orders[i] = (struct world_order){ *order, w->now + w->delay, true };
		if (w->random_delay)
			w->orders[i].at = w->now + 1 + world_random(w, 2) * S / 2;
		return;
	}
}

static inline void world_drain(struct world *w)
{
	struct fleet_output out;
	char kept[INCIDENT_ID_MAX] = "";

	while (fleet_next(w->fleet, &out)) {
		w->notices += out.kind == FLEET_NOTICE;
		if (out.kind == FLEET_JOURNAL && strstr(out.journal.text, "without a person"))
			memcpy(w->announced, out.journal.text, sizeof(w->announced));
		w->journal += out.kind == FLEET_JOURNAL;
		w->keeps += out.kind == FLEET_KEEP;
		if (out.kind == FLEET_KEEP)
			memcpy(kept, out.incident, sizeof(kept));
		if (out.kind == FLEET_ORDER) {
			if (device_verb_changes(out.order.verb))
				assert_true(kept[0]); /* kept before it is typed */
			take_order(w, &out.order);
		}
		if (out.kind == FLEET_NOTICE && getenv("FLEET_SAY"))
			printf("%8.1f %s\n", (double)w->now / 1e9, out.notice.text);
		if (out.kind == FLEET_JOURNAL && getenv("FLEET_SAY"))
			printf("%8.1f   [%u] %s\n", (double)w->now / 1e9, out.journal.device, out.journal.text);
	}
}

/* Time goes on, and traffic with it. */
static inline void world_run(struct world *w, int64_t ns)
{
	int64_t until = w->now + ns;

	world_drain(w);
	while (w->now < until) {
		bool busy = false;

		for (uint32_t i = 0; i < WORLD_ORDERS_MAX; i++)
			busy |= w->orders[i].used;
		w->now += busy ? S / 10 : w->idle_step;
		for (uint32_t i = 0; i < w->tunnel_count; i++)
			for (int k = 0; k < 2; k++) {
				struct way *way = &w->tunnels[i].way[k];

				if (w->tunnels[i].idle || w->tunnels[i].cleared)
					continue;
				way->encaps += way->out != 0;
				way->decaps += way_works(way);
			}
		for (uint32_t i = 0; i < WORLD_ORDERS_MAX; i++) {
			struct world_order order = w->orders[i];

			if (!order.used || order.at > w->now)
				continue;
			w->orders[i].used = false;
			answer(w, &order.order);
			world_drain(w);
		}
		fleet_tick(w->fleet, world_now(w));
		world_drain(w);
	}
}

/* The latest incident. */
static inline const struct fleet_incident *world_incident(const struct world *w)
{
	const struct fleet_incident *is = NULL;

	for (size_t i = 0; fleet_at(w->fleet, i); i++)
		is = fleet_at(w->fleet, i);
	assert_non_null(is);
	return is;
}

/* A person agrees to whatever is offered. */
static inline bool world_approve(struct world *w, const struct fleet_incident *is)
{
	struct buffer why = { 0 };
	char command[DEVICE_COMMAND_MAX];
	bool done;

	snprintf(command, sizeof(command), "%s", is->steps[is->step_count - 1].command);
	done = fleet_approve(w->fleet, is->id, is->step_count, "alice", world_now(w), &why);
	for (int i = 0; done && i < WORLD_WORDS_MAX; i++)
		if (!w->words[i][0]) {
			strcpy(w->words[i], command);
			break;
		}
	buffer_done(&why);
	return done;
}

#endif
