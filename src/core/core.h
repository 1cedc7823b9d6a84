/* SPDX-License-Identifier: MIT */
/*
 * The gateway's mind: everything that the sensors, the IKE daemons and the kernel tell goes in, with the time as an
 * argument; what is to be done, asked, watched, written and kept comes out. Judges with judge/ledger, plans with
 * plan/repair and plan/budget, follows each incident from the first stray packet to healed, unverified or gave-up.
 *
 * Called by the role `core`, and by tests/sim under a simulated clock. Pure: no I/O, no clock, no logging, bounded memory
 * whatever is thrown at it. It never acts: it emits orders, and only for peers that it knows from the configuration of an
 * IKE daemon or from a live IKE SA.
 *
 * Every input may be late, repeated, lost or forged. Facts of packets are hints; facts of the daemon and the kernel are
 * trusted as far as the machine is.
 */
#ifndef CORE_CORE_H
#define CORE_CORE_H

#include "base/hash.h"
#include "judge/ledger.h"
#include "model/config.h"
#include "model/gateway.h"
#include "model/incident.h"
#include "plan/repair.h"

struct core;

/* `config` is copied. `key` seeds the tables: random in production. `next_order` is the first order id to give.
 * 0 or -ENOMEM. */
int core_new(const struct config *config, const struct hash_key *key, uint64_t next_order, struct moment now,
	     struct core **ret);
void core_free(struct core *core);
/* A changed configuration: thresholds, modes and budgets count from now on; incidents and ledger stay. */
int core_reconfigure(struct core *core, const struct config *config, struct moment now);

/* --- Coming back after a restart: before anything else ------------------------------------------------------------- */

void core_restore_ledger(struct core *core, const struct ledger_entry *entry, struct moment now);
struct core_incident;
void core_restore_incident(struct core *core, const struct core_incident *incident, struct moment now);

/* --- What is told -------------------------------------------------------------------------------------------------- */

void core_daemon(struct core *core, const struct daemon_state *state, struct moment now);
void core_connections_begin(struct core *core, uint16_t daemon);
void core_connection(struct core *core, const struct connection *connection);
void core_connections_end(struct core *core, uint16_t daemon, struct moment now);
/* A full list of one daemon's SAs. `serial` is that of the CORE_REFRESH it answers, 0 when nobody asked. */
void core_snapshot_begin(struct core *core, uint16_t daemon, uint64_t serial, struct moment now);
void core_snapshot_ike(struct core *core, const struct ike_sa *ike);
void core_snapshot_child(struct core *core, const struct child_sa *child);
void core_snapshot_end(struct core *core, uint16_t daemon, bool complete, struct moment now);
void core_child_event(struct core *core, const struct child_event *event, struct moment now);
void core_ike_event(struct core *core, const struct ike_event *event, struct moment now);
void core_hint(struct core *core, const struct daemon_hint *hint, struct moment now);
/* The kernel's SAD: a dump (begin, KERNEL_LISTED ..., end), and changes. */
void core_kernel_begin(struct core *core, struct moment now);
void core_kernel(struct core *core, const struct kernel_event *event, struct moment now);
void core_kernel_end(struct core *core, bool complete, struct moment now);
/* The GRE devices of this machine: all of them, each time. */
void core_gre_begin(struct core *core);
void core_gre_device(struct core *core, const struct gre_device *device);
void core_gre_end(struct core *core, struct moment now);
void core_sighting(struct core *core, const struct sighting *sighting, struct moment now);
void core_spi_count(struct core *core, const struct spi_count *count, struct moment now);
void core_counters(struct core *core, const struct xfrm_counters *counters, struct moment now);
void core_sensor(struct core *core, const struct sensor_state *state, struct moment now);
/* What another device says about its side of a tunnel: a trap. */
struct device_report;
void core_device_report(struct core *core, const struct device_report *report, struct moment now);
void core_result(struct core *core, const struct order_result *result, struct moment now);
/* The plugin inside an IKE daemon: the connection for orders (act's), the one for reports (sense's), and what it reports. */
void core_plugin(struct core *core, const struct plugin_state *state, struct moment now);
void core_plugin_reports(struct core *core, const struct plugin_state *state, struct moment now);
void core_report(struct core *core, const struct plugin_report *report, struct moment now);
/* Time has passed. Returns the mono instant at which it wants to be called again at the latest. */
int64_t core_tick(struct core *core, struct moment now);

/* --- What comes out ------------------------------------------------------------------------------------------------ */

enum core_output_kind {
	CORE_ORDER,          /* to act: do this. Keep the incident first, then send it */
	CORE_REFRESH,        /* to act: list this daemon's SAs (and connections), answer with this serial */
	CORE_REFRESH_KERNEL, /* to act: dump the SAD */
	CORE_WATCH_SPI,      /* to sense */
	CORE_WATCH_PEER,     /* to sense */
	CORE_KEEP_LEDGER,    /* to the store: this entry is new or changed */
	CORE_DROP_LEDGER,    /* to the store: this key made room */
	CORE_KEEP_INCIDENT,  /* to the store and to watchers: this incident is new or changed */
	CORE_LOG_LINE,       /* to syslog: an IOS-compatible line (B1) */
	CORE_NOTICE,         /* to the log: a sentence for people; severity as in syslog */
};

#define CORE_LINE_MAX 320
struct core_output {
	enum core_output_kind kind;
	union {
		struct order order;
		struct {
			uint16_t daemon;
			uint64_t serial;
		} refresh;
		struct watch_spi watch_spi;
		struct watch_peer watch_peer;
		struct ledger_entry ledger;
		char incident[INCIDENT_ID_MAX]; /* ask core_find() */
		struct {
			int severity;
			char text[CORE_LINE_MAX];
		} line;
	};
};

/* A sensor that started anew knows nothing: every CORE_WATCH_SPI and CORE_WATCH_PEER comes out again. */
void core_resend_watches(struct core *core);
/* `act` started anew: what it was asked and did not answer is asked again; orders keep their ids. */
void core_resend_orders(struct core *core, struct moment now);

/* Takes the next output; false when there is none. To be drained after every call above. */
bool core_next(struct core *core, struct core_output *ret);

/* --- What a person orders ------------------------------------------------------------------------------------------- */

#define CORE_CLEAR_MAX 8 /* SAs that one clear renews: what act's budget allows one peer at once */
struct core_clear {
	struct core_clear_order {
		uint64_t order;       /* its id */
		enum order_verb verb; /* ORDER_REKEY_CHILD, or ORDER_INITIATE where nothing is listed */
		uint16_t daemon;
		uint32_t child_id;
		uint64_t connection;
		char ike[GATEWAY_NAME_MAX], child[GATEWAY_NAME_MAX];
	} orders[CORE_CLEAR_MAX];
	uint32_t count, left_out;
	char why[192];                /* a sentence, when it is refused */
};
/* `clear crypto sa peer`: renews every SA with that peer, make before break. Mode, the peer's mode and the budgets are
 * obeyed as by a repair. False: refused, nothing was ordered. Results come out as CORE_NOTICE. */
bool core_clear_peer(struct core *core, const struct spimend_address *peer, struct moment now, struct core_clear *ret);

/* --- What it knows: for the control socket and the store ----------------------------------------------------------- */

#define CORE_STEPS_MAX 16
#define CORE_EVIDENCE_MAX 24
#define CORE_EVIDENCE_TEXT_MAX 160

struct core_step { /* one thing that was done, or would have been */
	uint64_t order;         /* 0: planned only (mode, budget, or a person is needed) */
	enum order_verb verb;
	enum repair_rung rung;
	struct instant at;      /* wall: ordered */
	bool has_result;
	struct order_result result;
};

struct core_evidence {
	struct instant at;      /* wall */
	enum fact_kind kind;
	char text[CORE_EVIDENCE_TEXT_MAX];
};

struct core_incident { /* plain data: it is stored and restored as it is, by column */
	char id[INCIDENT_ID_MAX];
	struct sa_key key;
	struct spimend_address src;
	bool encap_udp;
	bool is_suspicion;      /* the sending end's: `key` is the child's inbound SA, nobody saw a stray */
	bool is_aggregate;      /* noise of many strangers: key and src are those of the first */
	uint16_t src_port;
	char interface[GATEWAY_INTERFACE_MAX];
	uint16_t daemon;
	bool has_connection;
	uint64_t connection;
	char ike_name[GATEWAY_NAME_MAX], child_name[GATEWAY_NAME_MAX];
	enum tunnel_kind tunnel_kind;
	enum verdict verdict;
	enum rule rule;
	enum cause cause;
	enum confidence confidence;
	enum incident_state state;
	uint32_t flags;
	struct instant first_seen, last_seen, decided, healed; /* wall; 0 where it did not come to that */
	int64_t first_ns, last_ns;   /* mono; of this life only */
	uint64_t packets, replays;   /* strays that count; strays at or below the highest sequence number known */
	uint64_t sources, spis;      /* of an aggregate */
	uint32_t sequence_first, sequence_last, sequence_known; /* known: the highest before the death, 0 unknown */
	bool has_ledger;
	enum ledger_death death;
	struct instant born, died;
	struct instant ends;         /* wall: the hard lifetime that the dead SA had here; 0: not known */
	struct repair_decision next; /* what would be done next, and why; or why nothing */
	struct instant waits_until;  /* wall: the budget allows the next step then, if it is needed still; 0: it waits for none.
				      * Of this life only */
	enum repair_rung rung;       /* of the latest step */
	uint32_t step_count, evidence_count;
	struct core_step steps[CORE_STEPS_MAX];
	struct core_evidence evidence[CORE_EVIDENCE_MAX];
	bool evidence_cut;
};

/* Borrowed until the next call. NULL when there is none of that id. */
const struct core_incident *core_find(const struct core *core, const char *id);
/* By index, newest last; NULL beyond the end. */
const struct core_incident *core_incident_at(const struct core *core, size_t index);

/* Everything that is to survive, as if it had changed just now: for a store that came later. Nothing is emitted; the calls
 * must not call core. */
struct core_keeper {
	void *context; /* borrows */
	void (*ledger)(void *context, const struct ledger_entry *entry);
	void (*incident)(void *context, const struct core_incident *incident);
};
void core_keep_all(const struct core *core, const struct core_keeper *keeper);

struct core_hint_figures { /* what the plugin reported that changes nothing by itself */
	uint64_t deletes_unknown;     /* the peer deleted an SPI that we do not own */
	uint64_t invalid_spi_inside;  /* a peer does not know an SPI, said inside an IKE SA: evidence */
	uint64_t unprotected;         /* INVALID_SPI, INVALID_IKE_SPI and messages for unknown IKE SAs: anybody can send those */
	uint64_t probes, probes_answered, probes_silent; /* liveness checks because of them, and what became of them */
	uint64_t probes_held;         /* not made: fresh traffic, or one was made lately, or mode and configuration */
	uint64_t crashes;             /* peers that proved by a token that they had lost an IKE SA (RFC 6290) */
	uint64_t tokens_refused, tokens_sent;
};

struct core_figures {
	struct core_daemon_figures {
		struct daemon_state state;
		uint32_t ike_sas, children, connections;
		int64_t snapshot_age_ns; /* -1: none yet */
		struct instant down;     /* wall: not up since then; 0: up */
		struct plugin_state plugin, reports; /* the connections to the plugin inside it */
	} daemons[GATEWAY_DAEMONS_MAX];
	uint32_t daemon_count;
	struct ledger_figures ledger;
	uint32_t incidents, open;
	uint32_t kernel_sas;
	struct sensor_state sensor;
	struct xfrm_counters counters;
	bool has_counters;
	uint64_t sightings, strays, strays_ipv6, strangers, flows_refused, incidents_dropped, outputs_dropped;
	uint64_t orders, orders_failed, over_budget;
	struct core_hint_figures hints;
	bool breaker_open;
};
struct core_figures core_figures(const struct core *core, struct moment now);

struct core_tunnel { /* a row of `spimend status`: one child as the mirror has it */
	struct child_sa child;
	struct ike_sa ike;
	bool has_ike;
	bool has_kernel;      /* the kernel has its inbound SA */
	uint64_t bytes_limit; /* of that; 0: none */
	bool has_incident;
	char incident[INCIDENT_ID_MAX];
};
/* A walk through the children of the mirror, in no order: begin, next until it is false, done. Core must not change
 * meanwhile. */
struct core_walk {
	const struct core *core; /* borrows */
	uint32_t at;
	struct index *open;      /* owns: the open incidents by tunnel; NULL: there is no memory, they are searched */
};
void core_walk_begin(const struct core *core, struct core_walk *ret);
bool core_walk_next(struct core_walk *walk, struct core_tunnel *ret);
void core_walk_done(struct core_walk *walk); /* for cleanup() */

/* Is a child with that peer installed, or being renewed? */
bool core_has_child(const struct core *core, const struct spimend_address *peer);
/* All IKE SAs of the mirror, those without children too, in no order; and all configured children. `*at` is 0 for the first
 * and belongs to these functions then. NULL at the end. Borrowed until the next other call. */
const struct ike_sa *core_ike_next(const struct core *core, uint32_t *at);
const struct connection *core_connection_next(const struct core *core, uint32_t *at);
/* The configured child of that id; NULL: it is not configured, or not any more. Borrowed until the next call. */
const struct connection *core_connection_of(const struct core *core, uint64_t id);
/* The GRE devices of this machine, as told last; NULL beyond the end. Borrowed until the next call. */
const struct gre_device *core_gre_at(const struct core *core, size_t index);

/* The IKE SA of that id as the mirror has it; NULL: it has not. Borrowed until the next call. */
const struct ike_sa *core_ike_of(struct core *core, uint16_t daemon, uint32_t id);

/* A view for the printers of plan and record: pointers are borrowed from the incident and from `room`. */
struct core_view_room {
	struct evidence evidence[CORE_EVIDENCE_MAX];
	char observer[CONFIG_NAME_MAX];
};
void core_view(const struct core_incident *incident, const struct config *config, struct core_view_room *room,
	       struct incident *ret);

#endif
