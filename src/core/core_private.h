/* SPDX-License-Identifier: MIT */
/*
 * What the files of core share. One struct, passed down; everything in it is bounded by a named limit or by the
 * configuration.
 *
 *   mirror.c     what the IKE daemons list and tell        peers.c     configured connections, and whom they lead to
 *   kernel.c     the kernel's SAD and counters             hints.c     what the daemons' logs tell beyond that
 *   strays.c     sightings to flows to verdicts            suspect.c   SAs that are there and do not work
 *   incidents.c  the table of incidents, their evidence    mend.c      situation, order, verification, escalation
 *   delete.c     what a peer says to a DELETE
 *   plugin.c     what the plugin inside a daemon reports   say.c       log lines and notices
 *   view.c       what the control socket and the store read
 *   core.c       life, time, outputs
 */
#ifndef CORE_CORE_PRIVATE_H
#define CORE_CORE_PRIVATE_H

#include "base/buffer.h"
#include "core/core.h"
#include "core/index.h"
#include "plan/budget.h"

#define CORE_CONNECTIONS_MAX 65536
#define CORE_IKE_SAS_MAX 65536
#define CORE_CHILDREN_MAX 131072
#define CORE_KERNEL_SAS_MAX 262144
#define CORE_PEERS_MAX 65536
#define CORE_OUTPUTS_MAX 1048576
#define CORE_RECENT_MAX 64          /* hints and ends that are remembered to explain what follows them */
#define CORE_HELD_MAX 64
#define REFUSED_FOR_NS (30 * SECOND_NS) /* so long a peer's word about an SPI of ours counts */
#define CORE_PROBES_MAX 16          /* liveness checks under way at once */
#define SIBLINGS_MAX 8              /* other children of a peer that one repair brings back */
#define CORE_FLOWS_PER_PEER_MAX 16  /* of SPIs that the ledger does not know */

#define PLAUSIBLE_LOSS 4      /* of so many packets at least one arrives */
#define PLAUSIBLE_JUMP 65536  /* and so many in a row may be lost, or have come before the first report */

#define NONE UINT32_MAX
#define NEVER INT64_MAX

/* How an item of a table is kept: all tables below are arrays with a list of free places. */
struct table {
	uint32_t count, room, limit, free; /* `free`: head of a list threaded through the items' next_free, NONE at its end */
};

struct mirror_ike {
	bool used;
	uint32_t next_free;
	struct ike_sa sa;
	uint64_t generation;
	int64_t changed_ns; /* latest event, newer than any list begun before */
};

struct mirror_child {
	bool used;
	uint32_t next_free;
	struct child_sa sa;
	uint64_t generation;
	int64_t changed_ns;
	int64_t since_ns;            /* it was installed, as far as told; else in the mirror since then */
	bool rekeyed;                /* the daemon said that another one replaced it */
	bool went_both_ways;         /* it, or the one that it replaced, carried packets in both directions */
	/* Does what arrives also come in? (suspect.c) */
	bool has_in;                 /* packets_in was listed at least once */
	uint64_t in;                 /* as listed last */
	int64_t in_moved_ns, listed_ns;
	uint64_t out, out_at_in_moved;
	int64_t out_moved_ns, out_began_ns; /* latest; first since packets_in moved, 0: none since */
	bool has_base;               /* of the sensor's count, told after packets_in moved last */
	uint64_t base_packets, arrived_packets;
	uint32_t base_sequence, arrived_sequence;
	int64_t base_ns;             /* when the first of them came */
	int64_t arrived_last_ns;     /* when the latest packet came */
	bool arrived_udp;
	uint64_t counters_at_base[XFRM_COUNTERS];
	/* Of an SA with an interface id: where its own counts and XfrmInNoPols began to be compared; 0: not yet. */
	int64_t policy_ns;
	uint64_t policy_in, policy_out, policy_refused;
	bool lost;                   /* the data plane has it no more */
	int64_t kernel_lost_ns;      /* the kernel said that its SA went; 0: it did not */
	int64_t kept_ns;             /* its ledger entry went to the store */
	int64_t refused_ns;          /* the peer said inside the IKE SA that it does not know what we send with; 0: never */
	bool refused_listed;         /* a list came since, and had ... */
	uint64_t refused_in;         /* ... so many packets in */
};

struct mirror_kernel {
	bool used;
	uint32_t next_free;
	struct kernel_sa sa;
	uint64_t generation;
};

struct mirror_connection {
	bool used, listed;
	uint32_t next_free;
	struct connection is;
};

struct peer { /* an address that we know: from a configured connection, or by a live IKE SA */
	bool used;
	uint32_t next_free;
	struct spimend_address address;
	uint32_t configured, ike_sas;
	uint32_t unknown_flows;      /* flows of it that the ledger does not know */
	int64_t unknown_since_ns;
	uint64_t unknown_spis;       /* within the present window */
	int64_t collision_ns, dead_ns; /* latest hints of the daemon: a rekey collided; liveness is dead. 0: none */
	int64_t probed_ns;           /* the latest liveness check because of somebody's unprotected word; 0: none */
	int64_t word_ns;             /* such a word while traffic seemed to flow: it is looked at again; 0: none */
	int64_t base_ns;             /* the list of that moment came; 0: not yet */
	uint16_t word_daemon;
	int64_t asked_ns, asked_wait_ns; /* the latest question about an SPI that the ledger does not know; the pause after it */
};

struct mirror_daemon {
	struct daemon_state state;
	bool known;
	struct moment down;          /* when it was lost last; mono_ns 0: never */
	bool reconnected;            /* it was lost and is back; no complete list came since */
	bool had_snapshot;           /* a complete one since it came up */
	bool in_snapshot;
	uint64_t generation;
	uint64_t serial_asked;
	int64_t asked_ns;            /* when the request that is out was made; 0: none is out */
	int64_t begun_ns;            /* what the list in hand, or the latest complete one, is at least as young as */
	int64_t done_ns, took_ns;
	int64_t snapshot_ns;         /* begun_ns of the latest complete one; 0: none */
	int64_t want_ns;             /* a list that began at or after this is wanted; 0: none */
	int64_t due_ns;              /* the next periodic one */
	int64_t hurry_until_ns;      /* they come quicker until then */
	uint32_t ike_count, child_count, connection_count;
	struct plugin_state plugin, reports; /* for orders, for reports */
};

struct recent_hint {
	struct daemon_hint hint;
	int64_t at_ns;
};
struct recent_end { /* a child that went down by an event: a list begun before must not bring it back */
	uint16_t daemon;
	uint32_t child_id;
	struct sa_key key;
	uint32_t spi_out;
	int64_t at_ns;
};

struct flow { /* of a peer, with an SPI that is not in the SAD */
	bool used;
	uint32_t next_free;
	uint64_t hash;
	struct sa_key key;
	struct spimend_address src;
	bool encap_udp, in_ledger;
	uint16_t src_port;
	char interface[GATEWAY_INTERFACE_MAX];
	int64_t first_ns, last_ns;
	struct instant first_wall, last_wall;
	uint64_t packets, replays;
	uint64_t told[WITNESSES];     /* each tells of the same packets: the one that told most counts */
	uint32_t sequence_first, sequence_last;
	/* What proves a desync: strays after the death has settled, above the highest sequence number. */
	uint64_t proof_packets;
	int64_t proof_first_ns, proof_last_ns;
	uint32_t proof_sequence_lowest, proof_sequence_highest;
	bool confirmed;               /* a list begun after the first stray has not got it */
	uint32_t incident;            /* NONE */
	int64_t logged_ns;            /* the latest IOS line */
	uint32_t older, newer;        /* by last_ns; NONE at the ends */
};

enum phase { PHASE_WATCHING, PHASE_ORDERED, PHASE_VERIFYING, PHASE_WAITING, PHASE_DONE };

struct trouble { /* an incident and what its mending needs */
	bool used;
	uint32_t next_free;
	struct core_incident is;
	uint32_t flow;                /* NONE */
	enum phase phase;
	int64_t due_ns;               /* when the phase is looked at again; NEVER */
	int64_t ordered_ns;
	int64_t acted_ns;             /* the latest step that took effect: successors are younger */
	uint64_t strays_then;         /* proof_packets when it was ordered */
	enum order_verb then;         /* second verb of the rung under way */
	struct repair_decision decided;
	uint32_t tried[RUNGS];
	bool took_budget, holds_slot;
	bool was_first, backs_off;    /* what the latest step took from the budget */
	uint64_t siblings[SIBLINGS_MAX]; /* connections that were initiated along with a new IKE SA */
	uint32_t sibling_count;
	bool resend;                  /* an order is to be asked for again: whether it was carried out is not known */
	int64_t poll_ns;              /* the next look while verifying */
	uint32_t busy_waits;
	bool peer_silent;             /* an order ran out of time: the peer does not answer IKE */
	bool proven;                  /* the peer said, authenticated, that it had that SA and closed it */
	bool rebuild;                 /* it closed it, or may have, because we said so: what is left is not left lying */
	uint32_t older, newer;        /* by their beginning */
	bool changed;                 /* CORE_KEEP_INCIDENT is due: it is in the list of those */
	uint32_t next_changed;
	bool touched;                 /* only its counts moved: kept once a second */
	int64_t kept_ns;
	uint64_t suspect_hash;        /* of a suspicion: its child */
	enum repair_refusal said;     /* the latest refusal that was noticed aloud */
};

struct gre_list {
	struct gre_device *devices; /* owns */
	uint32_t count, room;
};

#define CORE_HANDS_MAX 8
struct hand { /* a clear that a person ordered (hand.c), one order after another */
	bool open, opens_ike;
	struct spimend_address peer;
	struct core_clear_order orders[CORE_CLEAR_MAX];
	uint32_t count, at, failed; /* at: of the one that is under way, or next */
	uint32_t refused;           /* so often was that one told that its IKE SA is busy */
	uint64_t current;           /* its id; 0: it waits until due_ns */
	int64_t since_ns, due_ns;   /* since: it was ordered, or began to wait */
	int64_t list_ns;            /* a list that began then or later tells whether the IKE SA is idle */
};

struct core {
	struct config config;
	struct hash_key key;
	struct moment now;
	uint64_t next_order, next_serial;
	int64_t restored_ns;    /* when the latest entry of the ledger came from the store; 0: none did */
	uint32_t jitter;
	struct ledger *ledger;  /* owns */
	struct budget *budget;  /* owns */

	struct mirror_daemon daemons[GATEWAY_DAEMONS_MAX];
	struct table ike_table, child_table, kernel_table, connection_table, peer_table, flow_table, trouble_table;
	struct mirror_ike *ikes;               /* own, all */
	struct mirror_child *children;
	struct mirror_kernel *kernels;
	struct mirror_connection *connections;
	struct peer *peers;
	struct flow *flows;
	struct trouble *troubles;
	struct index ike_by_id, child_by_id, child_by_spi, kernel_by_key, kernel_by_spi, connection_by_id, peer_by_address,
		flow_by_key, trouble_by_id, trouble_by_flow;

	bool kernel_known;          /* a complete dump came */
	bool kernel_in_dump;
	uint64_t kernel_generation;
	int64_t kernel_asked_ns, kernel_begun_ns, kernel_dump_ns, kernel_want_ns;
	int64_t kernel_due_ns;      /* one is wanted then: an SA that was listed just now may be on its way into the kernel */
	struct gre_list gre, gre_fresh; /* as last told; as being told */
	struct xfrm_counters counters;
	bool has_counters;
	struct sensor_state sensor;

	struct recent_hint hints[CORE_RECENT_MAX];
	struct recent_end ends[CORE_RECENT_MAX];
	uint32_t hint_at, end_at;

	uint32_t flow_oldest, flow_newest;
	uint32_t trouble_oldest, trouble_newest;
	uint32_t strangers_trouble; /* NONE: the one aggregate of strangers */
	uint32_t first_changed;     /* NONE */
	int64_t strangers_logged_ns, log_window_ns;
	uint32_t log_lines, log_held;
	int64_t said_devices_ns;    /* what devices report is said so often only */
	uint32_t said_devices;
	uint64_t device_reports;

	struct core_output *outputs; /* owns; a ring */
	size_t output_first, output_count, output_room;

	struct sighting held[CORE_HELD_MAX]; /* of strangers, as it seems: until a list is younger than they are */
	uint32_t held_count;
	struct hand hands[CORE_HANDS_MAX];
	uint64_t early;             /* sightings before the first list: nothing can be said about them */
	uint64_t sightings, strays, strays_ipv6, strangers, flows_refused, incidents_dropped, outputs_dropped;
	uint64_t orders, orders_failed, over_budget;
	struct core_hint_figures hint_figures;
	struct probe {              /* liveness checks under way */
		uint64_t order;         /* 0: free */
		uint16_t daemon;
		struct spimend_address peer;
		int64_t at_ns;
	} probes[CORE_PROBES_MAX];
	uint32_t words;             /* peers with a word_ns */
	int64_t probes_ns;          /* the window that probes_in_window counts in */
	uint32_t probes_in_window;
	int64_t asks_ns;            /* the window that asks_in_window counts in: questions about unknown SPIs */
	uint32_t asks_in_window;
	struct gone_ike {           /* IKE SAs that the plugin told the end of: why their children died */
		uint16_t daemon;
		uint32_t ike_id;
		enum plugin_reason reason;
	} gone[CORE_RECENT_MAX];
	uint32_t gone_at;
};

/* --- core.c -------------------------------------------------------------------------------------------------------- */
uint64_t core_hash(const struct core *c, const void *bytes, size_t len);
uint64_t core_hash_id(const struct core *c, uint32_t daemon, uint32_t id);
/* Takes a place of a table whose items are `size` bytes, grows *items; NONE at the limit or without memory. The place is
 * zeroed but for what the table needs. */
uint32_t table_take(struct table *table, void **items, size_t size, size_t next_free_offset);
void table_give(struct table *table, void *items, size_t size, size_t next_free_offset, uint32_t at);
#define TABLE_TAKE(c, kind, items) \
	table_take(&(c)->kind##_table, (void **)&(c)->items, sizeof(*(c)->items), offsetof(typeof(*(c)->items), next_free))
#define TABLE_GIVE(c, kind, items, at) \
	table_give(&(c)->kind##_table, (c)->items, sizeof(*(c)->items), offsetof(typeof(*(c)->items), next_free), at)
/* The next output to fill, or NULL when it had to be dropped (counted). */
struct core_output *core_emit(struct core *c, enum core_output_kind kind);

/* --- mirror.c ------------------------------------------------------------------------------------------------------ */
struct mirror_connection *mirror_connection(struct core *c, uint64_t id);
struct mirror_child *mirror_child_of_spi(struct core *c, const struct sa_key *key);
struct mirror_child *mirror_child(struct core *c, uint16_t daemon, uint32_t id);
struct mirror_ike *mirror_ike(struct core *c, uint16_t daemon, uint32_t id);
struct peer *mirror_peer(struct core *c, const struct spimend_address *address);
/* One more, or one less, reason to know that address. */
void mirror_count_peer(struct core *c, const struct spimend_address *address, int configured, int ike_sas);
/* Whom a packet came from. Of several clients behind one address (T10) the UDP port tells which; 0: any. */
struct end {
	struct spimend_address address;
	uint16_t port;
};
struct end mirror_end(struct core *c, uint64_t connection, const struct spimend_address *address, uint16_t port);
/* The established IKE SA with that peer: the one of the id if it is there, else the youngest; counts them. */
struct mirror_ike *mirror_ike_with(struct core *c, uint16_t daemon, const struct end *peer, uint32_t id,
				   uint32_t *ret_count);
/* Live IKE SAs of the same configured connection: with one peer each, or of one that has several. */
uint32_t mirror_ikes_named(const struct core *c, const struct ike_sa *like);
/* The youngest installed child of the connection that is not `except` and not lost. */
struct mirror_child *mirror_successor(struct core *c, uint16_t daemon, uint64_t connection,
				      const struct end *peer, uint32_t except);
/* A child of the connection that was made since then, in whatever state it is now, carried packets in. */
bool mirror_made_works(struct core *c, uint16_t daemon, uint64_t connection, const struct end *peer, uint32_t except,
		       int64_t since_ns);
/* We send to that peer with that SPI: it is the peer's own, and whoever forges packets with it must not make us name it in a
 * DELETE, which some peers take for either half of a pair. */
bool mirror_sends_with(const struct core *c, const struct spimend_address *peer, uint32_t spi);
uint32_t mirror_children_of(struct core *c, uint16_t daemon, uint32_t ike_id);
/* Asks for a list that begins now or later. */
void mirror_want(struct core *c, uint16_t daemon);
void mirror_want_all(struct core *c);
/* The next periodic list comes sooner. */
void mirror_hurry(struct core *c, uint16_t daemon);
/* There is a complete list, begun after that: of the entry's daemon, or without an entry of all daemons. */
bool mirror_is_younger(const struct core *c, const struct ledger_entry *entry, int64_t than_ns);
int64_t mirror_tick(struct core *c);
/* The ledger's entry dies, or is changed: the store and the sensor are told. */
void mirror_dies(struct core *c, struct ledger_entry *entry, enum ledger_death death, bool seen);
void mirror_keep(struct core *c, const struct ledger_entry *entry);
void mirror_watch(struct core *c, const struct ledger_entry *entry, enum watch_state state);
void mirror_watch_peers(struct core *c);

/* --- hints.c ------------------------------------------------------------------------------------------------------- */
bool mirror_hinted(const struct core *c, uint16_t daemon, enum daemon_hint_kind kind, uint32_t spi, int64_t within_ns);
/* Why that child went, as far as the log told by now. */
enum ledger_death mirror_death_of(const struct core *c, const struct child_sa *sa);

/* --- kernel.c ------------------------------------------------------------------------------------------------------ */
/* Whether the kernel's SAD speaks for this daemon's SAs, and whether it has that key (under any mark or id). */
bool kernel_speaks_for(const struct core *c, uint16_t daemon);
const struct kernel_sa *kernel_has(const struct core *c, const struct sa_key *key);
/* Packets with that key are accepted, as far as lists tell: then there are no strays of it. */
bool sad_has(struct core *c, const struct sa_key *key);
int64_t kernel_tick(struct core *c);

/* --- strays.c ------------------------------------------------------------------------------------------------------ */
void strays_judge(struct core *c, struct flow *flow);
/* What came until now proves nothing more: a new black hole on the same SPI shows by higher numbers. */
void strays_disprove(struct core *c, struct flow *flow);
/* Everything that waits for a list or for time. */
int64_t strays_tick(struct core *c);
void strays_forget(struct core *c, uint32_t flow);
/* The SA of that key is there: whatever was thought of its strays is over. */
void strays_known(struct core *c, const struct sa_key *key);
/* A complete list came: what waited for one is looked at again. */
void strays_listed(struct core *c);
/* Enough of them came with an SPI that the ledger does not know, and that nobody is negotiating. */
bool strays_are_unknown(struct core *c, const struct flow *flow);

/* --- suspect.c ----------------------------------------------------------------------------------------------------- */
/* A list begun at `begun_ns` has that child: do packets that arrive also come in? */
void suspect_listed(struct core *c, struct mirror_child *child, int64_t begun_ns);

/* --- incidents.c --------------------------------------------------------------------------------------------------- */
struct trouble *trouble_of_flow(struct core *c, struct flow *flow); /* makes one; NULL when there is no room */
/* The flow begins a new incident; the old one stays as it is. */
void trouble_detach(struct core *c, struct flow *flow);
struct trouble *trouble_of_child(struct core *c, const struct mirror_child *child, bool make);
struct trouble *trouble_strangers(struct core *c, const struct sighting *s);
/* The one aggregate of SPIs that were never ours, from one peer's address. */
struct trouble *trouble_forged(struct core *c, const struct peer *peer, const struct sighting *s);
/* A daemon that has just started reads its connections a moment after the first strays. */
void trouble_name(struct core *c, struct trouble *t);
struct trouble *trouble_find(struct core *c, const char *id);
void trouble_changed(struct core *c, struct trouble *t);
void trouble_touched(struct core *c, struct trouble *t);
void trouble_evidence(struct core *c, struct trouble *t, enum fact_kind kind, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
bool trouble_is_open(const struct trouble *t);
void trouble_close(struct core *c, struct trouble *t, enum incident_state state);
void troubles_flush(struct core *c);

/* --- plugin.c ------------------------------------------------------------------------------------------------------ */
/* True when it was the result of a liveness check, which belongs to no incident. */
bool plugin_take_result(struct core *c, const struct order_result *result);
int64_t plugin_tick(struct core *c);
/* May that peer be asked about an SPI that the ledger does not know? If not, when again. */
bool plugin_may_ask(struct core *c, const struct spimend_address *peer, int64_t *ret_again_ns);
void plugin_asked(struct core *c, const struct spimend_address *peer);
/* What it answered: an empty answer makes the next pause longer. */
void plugin_answered(struct core *c, const struct spimend_address *peer, bool proved);
/* The daemon that has an IKE SA with that address. False: none has. */
bool plugin_daemon_with(const struct core *c, const struct spimend_address *peer, uint16_t *ret_daemon);

/* --- kinds.c ------------------------------------------------------------------------------------------------------- */
/* What kind of tunnel that child is, or was. Each argument but the addresses may be NULL: `sa` of a living child, `entry` of
 * one that died. */
enum tunnel_kind kind_of_child(const struct core *c, const struct mirror_connection *connection, const struct child_sa *sa,
			       const struct ledger_entry *entry, const struct spimend_address *ours,
			       const struct spimend_address *peer);

/* --- mend.c -------------------------------------------------------------------------------------------------------- */
/* --- hand.c: what a person ordered */
bool hand_result(struct core *c, const struct order_result *result); /* false: none of its orders */
int64_t hand_tick(struct core *c);

void mend_consider(struct core *c, struct trouble *t);
int64_t mend_tick(struct core *c);
/* For delete.c: looked at again then; a further order of the rung under way; is it healed?; the child that took over. */
void mend_wait_until(struct trouble *t, int64_t due_ns);
void mend_give_order(struct core *c, struct trouble *t, enum order_verb verb);
void mend_verify(struct core *c, struct trouble *t);
struct mirror_child *mend_successor(struct core *c, const struct trouble *t);
/* Refused because something else runs: nothing was done, and the rung was not tried. */
bool mend_is_busy(const struct order_result *result);

/* --- delete.c ------------------------------------------------------------------------------------------------------ */
/* The result of an ORDER_DELETE_SPI: said in the incident; then, where it was carried out, what follows; and the second
 * result of one that had ended without a reply. */
void delete_say(struct core *c, struct trouble *t, const struct order_result *result);
void delete_answered(struct core *c, struct trouble *t, const struct core_step *step);
void delete_late(struct core *c, struct trouble *t, struct core_step *step, const struct order_result *result);
/* A result that proves, authenticated, that the peer had the SA. */
bool delete_proves(const struct order_result *result);
/* A DELETE that the peer has honoured, or may have: its half of the pair is gone because of us. */
bool delete_leaves_hole(const struct core_step *step);

/* --- say.c --------------------------------------------------------------------------------------------------------- */
void say_notice(struct core *c, int severity, const char *format, ...) __attribute__((format(printf, 3, 4)));
void say_stray(struct core *c, struct flow *flow);
void say_stranger(struct core *c, const struct sighting *s);

static inline int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static inline int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* RFC 4303 3.3.3: an SA counts up and never around, unless its numbers are extended (2.2.1) and it is past the middle. */
static inline bool sequence_above(uint32_t sequence, uint32_t than)
{
	return than > UINT32_MAX / 2 ? (int32_t)(sequence - than) > 0 : sequence > than;
}

#endif
