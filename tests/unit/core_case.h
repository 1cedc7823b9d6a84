/* SPDX-License-Identifier: MIT */
/*
 * A gateway in a test's hands: one IKE daemon with one peer, a clock, and everything that core puts out.
 * Included by tests of core; the simulation in tests/sim has whole histories.
 */
#ifndef CORE_CASE_H
#define CORE_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"

#define MS INT64_C(1000000)
#define KEPT_MAX 64

struct gateway {
	struct config config;
	struct core *core;
	struct moment now;
	struct ike_sa ike;
	struct child_sa children[8];
	uint32_t child_count;
	bool has_ike;
	uint8_t more_ikes;          /* so many others are listed, with 10.1.2.1, 10.1.2.2 ... */
	int64_t list_takes_ns;      /* 0: a millisecond */
	/* What came out. */
	struct order order;         /* the latest */
	unsigned orders, lines, notices, refreshes, kernel_refreshes;
	char line[CORE_LINE_MAX];
	struct core_incident kept;  /* the latest CORE_KEEP_INCIDENT */
	bool kept_before_order;     /* it had the order's id when the order came */
	struct ledger_entry ledger[KEPT_MAX];
	unsigned ledger_count;
	enum watch_state watch;     /* of the latest CORE_WATCH_SPI of SPI 0xc0000001 */
};

static const struct spimend_address peer_address = { 4, { 10, 1, 1, 1 } };
static const struct spimend_address own_address = { 4, { 10, 1, 1, 2 } };
static const struct spimend_address stranger_address = { 4, { 198, 51, 100, 7 } };

static inline void gateway_answer(struct gateway *g, uint64_t serial)
{
	core_snapshot_begin(g->core, 0, serial, g->now);
	if (g->has_ike)
		core_snapshot_ike(g->core, &g->ike);
	for (uint8_t i = 1; i <= g->more_ikes; i++) {
		struct ike_sa other = g->ike;

		other.id = 100 + i;
		other.remote = (struct spimend_address){ 4, { 10, 1, 2, i } };
		core_snapshot_ike(g->core, &other);
	}
	for (uint32_t i = 0; i < g->child_count; i++)
		core_snapshot_child(g->core, &g->children[i]);
	core_snapshot_end(g->core, 0, true, g->now);
}

static inline void gateway_keep(struct gateway *g, const struct ledger_entry *entry)
{
	for (unsigned i = 0; i < g->ledger_count; i++) {
		if (sa_key_equal(&g->ledger[i].key, &entry->key)) {
			g->ledger[i] = *entry;
			return;
		}
	}
	assert_true(g->ledger_count < KEPT_MAX);
	g->ledger[g->ledger_count++] = *entry;
}

static inline void gateway_drain(struct gateway *g)
{
	struct core_output o;

	while (core_next(g->core, &o)) {
		switch (o.kind) {
		case CORE_ORDER:
			g->order = o.order;
			g->orders++;
			g->kept_before_order = g->kept.step_count && g->kept.steps[g->kept.step_count - 1].order == o.order.id;
			break;
		case CORE_REFRESH:
			g->refreshes++;
			g->now.mono_ns += g->list_takes_ns ? g->list_takes_ns : MS;
			g->now.wall.ns += g->list_takes_ns ? g->list_takes_ns : MS;
			gateway_answer(g, o.refresh.serial);
			break;
		case CORE_REFRESH_KERNEL:
			g->kernel_refreshes++;
			break;
		case CORE_KEEP_LEDGER:
			gateway_keep(g, &o.ledger);
			break;
		case CORE_KEEP_INCIDENT:
			g->kept = *core_find(g->core, o.incident);
			break;
		case CORE_LOG_LINE:
			g->lines++;
			memcpy(g->line, o.line.text, sizeof(g->line));
			break;
		case CORE_NOTICE:
			g->notices++;
			if (getenv("NOTICES"))
				print_message("%s\n", o.line.text);
			break;
		case CORE_WATCH_SPI:
			if (o.watch_spi.key.spi == 0xc0000001)
				g->watch = o.watch_spi.state;
			break;
		default:
			break;
		}
	}
}

static inline void gateway_pass(struct gateway *g, int64_t ns)
{
	int64_t end = g->now.mono_ns + ns;

	while (g->now.mono_ns < end) {
		int64_t step = end - g->now.mono_ns < 10 * MS ? end - g->now.mono_ns : 10 * MS;

		g->now.mono_ns += step;
		g->now.wall.ns += step;
		core_tick(g->core, g->now);
		gateway_drain(g);
	}
}

static inline struct connection gateway_connection(void)
{
	struct connection c = { .daemon = 0, .ike = "net", .child = "net", .ike_version = 2, .remote_count = 1 };

	c.id = connection_id(0, TEXT("net"), TEXT("net"));
	c.remote[0] = peer_address;
	return c;
}

static inline void gateway_daemon(struct gateway *g, bool up, int64_t boot_ns)
{
	struct daemon_state d = { .daemon = 0, .up = up, .user_space_esp = true, .has_boot = up, .boot = { boot_ns } };
	struct connection connection = gateway_connection();

	core_daemon(g->core, &d, g->now);
	if (up) {
		core_connections_begin(g->core, 0);
		core_connection(g->core, &connection);
		core_connections_end(g->core, 0, g->now);
	}
	gateway_drain(g);
}

static inline struct child_sa gateway_child(uint32_t id, uint32_t spi)
{
	struct child_sa c = { .daemon = 0, .ike_id = 1, .id = id, .ike = "net", .child = "net", .state = CHILD_INSTALLED,
			      .protocol = 50, .encap_udp = true, .has_spi_in = true, .has_spi_out = true, .spi_in = spi,
			      .spi_out = spi + 0x1000, .local = own_address, .remote = peer_address, .has_counters = true };

	c.connection = connection_id(0, TEXT("net"), TEXT("net"));
	return c;
}

static inline void gateway_child_up(struct gateway *g, struct child_sa child)
{
	struct child_event e = { .change = CHILD_UP, .child = child };

	g->children[g->child_count++] = child;
	core_child_event(g->core, &e, g->now);
	gateway_drain(g);
}

/* With one IKE SA and one child, SPI 0xc0000001, that carried packets both ways up to sequence number 100. */
static inline void gateway_new(struct gateway *g, enum mode mode)
{
	static const struct hash_key key = { 1, 2 };
	struct ike_event up = { .change = IKE_UP };

	memset(g, 0, sizeof(*g));
	config_default(&g->config);
	strcpy(g->config.hostname, "B");
	g->config.mode = mode;
	g->config.invalid_spi_recovery = true;
	g->config.per_peer_count = 3;
	g->now = (struct moment){ 1000 * SECOND_NS, { 1700000000 * SECOND_NS } };
	assert_int_equal(core_new(&g->config, &key, 1, g->now, &g->core), 0);
	gateway_daemon(g, true, g->now.wall.ns - HOUR_NS);
	g->ike = (struct ike_sa){ .daemon = 0, .id = 1, .name = "net", .version = 2, .state = IKE_ESTABLISHED,
				  .local = own_address, .remote = peer_address, .spi_ours = 1, .spi_theirs = 2 };
	g->has_ike = true;
	up.ike = g->ike;
	core_ike_event(g->core, &up, g->now);
	gateway_child_up(g, gateway_child(1, 0xc0000001));
	g->children[0].packets_in = g->children[0].packets_out = 100;
	struct spi_count count = { .key = sa_key_of(&own_address, 50, 0xc0000001), .packets = 100, .sequence_highest = 100,
				   .last_ns = g->now.mono_ns };
	core_spi_count(g->core, &count, g->now);
	gateway_pass(g, 6 * SECOND_NS);
	assert_int_equal(g->watch, WATCH_LIVE);
	assert_int_equal(g->orders, 0);
}

static inline void gateway_done(struct gateway *g)
{
	core_free(g->core);
}

/* The daemon dies and is back at once, with nothing. */
static inline void gateway_restart(struct gateway *g)
{
	gateway_daemon(g, false, 0);
	g->has_ike = false;
	g->child_count = 0;
	gateway_daemon(g, true, g->now.wall.ns);
	gateway_pass(g, 400 * MS);
}

static inline void gateway_see(struct gateway *g, const struct spimend_address *src, uint32_t spi, uint32_t sequence)
{
	struct sighting s = { .src = *src, .dst = own_address, .protocol = 50, .encap_udp = true, .spi = spi, .packets = 1,
			      .interface = "eth0", .src_port = 4500, .dst_port = 4500, .first_ns = g->now.mono_ns,
			      .last_ns = g->now.mono_ns, .sequence_first = sequence, .sequence_last = sequence,
			      .sequence_highest = sequence };

	core_sighting(g->core, &s, g->now);
	gateway_drain(g);
}

/* `n` packets of the peer, one every 100 ms. */
static inline void gateway_strays(struct gateway *g, uint32_t spi, uint32_t sequence, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		gateway_see(g, &peer_address, spi, sequence + i);
		gateway_pass(g, 100 * MS);
	}
}

static inline void gateway_result(struct gateway *g, enum order_outcome outcome, const char *text)
{
	struct order_result r = { .id = g->order.id, .outcome = outcome, .took_ns = 20 * MS };

	strcpy(r.text, text);
	core_result(g->core, &r, g->now);
	gateway_drain(g);
}

static inline const struct core_incident *gateway_incident(struct gateway *g)
{
	const struct core_incident *found = NULL, *i;

	for (size_t n = 0; (i = core_incident_at(g->core, n)); n++)
		found = i;
	return found;
}

#endif
