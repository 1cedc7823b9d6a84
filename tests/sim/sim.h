/* SPDX-License-Identifier: MIT */
/*
 * A simulated world of IPsec gateways for the pure rooms: clock, network, IKE daemons modelled on strongSwan, data planes,
 * and gateways that run the real struct core. One seed, one history: nothing here reads a clock or a random source.
 *
 *     world.c    clock, events, random numbers, network, trace
 *     daemon.c   IKE SAs, children, tasks and their timers; what the daemon tells (VICI)
 *     exchange.c what goes over the network between daemons, and what it does there
 *     plane.c    the data plane: SAs, ESP packets, replay windows, traffic, forgers
 *     gateway.c  sense, core and act of one gateway, with the channels between them
 *     act.c      orders and lists on the simulated daemon
 *     oracle.c   what is true, and the invariants that hold against it
 *     history.c  histories from a seed;  faults.c  what breaks;  scripts.c  fixed ones;  main.c  the program
 */
#ifndef TESTS_SIM_H
#define TESTS_SIM_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/core.h"

#define NODES_MAX 10
#define IKES_MAX 24
#define CHILDREN_MAX 96
#define SAS_MAX 128
#define TASKS_MAX 8
#define NODE_NONE 0xff
#define MS INT64_C(1000000)
#define SEC SECOND_NS

struct world;
struct node;

enum event_kind {
	EV_MESSAGE, EV_PACKET, EV_TRAFFIC, EV_TASK_RETRY, EV_CHILD_REKEY, EV_CHILD_EXPIRE, EV_CHILD_DESTROY, EV_SA_EXPIRE, EV_DPD,
	EV_IKE_REKEY, EV_DAEMON_START, EV_START_CONNECTION, EV_QM2_RETRY,
	EV_INBOX, EV_SIGHTINGS, EV_COUNTS, EV_TICK, EV_CORE_START, EV_ACT_START, EV_SENSE_START, EV_ACT_ORDER, EV_ACT_LIST,
	EV_ACT_DUMP, EV_ACT_HELLO, EV_ORDER_TIMEOUT, EV_FAULT, EV_FORGE, EV_WATCH
};

struct event {
	int64_t at;
	uint64_t order; /* of two at the same instant the older one first */
	enum event_kind kind;
	uint8_t node;
	uint32_t a, b;
	uint64_t c;
	void *payload; /* owns */
};

/* --- IKE ----------------------------------------------------------------------------------------------------------- */

enum message_kind { M_AUTH, M_CREATE, M_REKEY_IKE, M_DELETE_CHILD, M_DELETE_IKE, M_DPD, M_QM3 };
enum message_error { E_NONE, E_CHILD_NOT_FOUND, E_TEMPORARY, E_NO_CHILD };

struct message {
	enum message_kind kind;
	bool is_response, one_way, initial_contact, no_child;
	enum message_error error;
	uint8_t from, to, version;
	uint64_t ike;      /* the IKE SA on the wire; for M_AUTH the new one's */
	uint64_t new_ike;  /* M_REKEY_IKE */
	uint32_t mid;
	uint32_t spi;      /* the sender's new inbound SPI, or the one that it deletes; 0 none */
	uint32_t rekeyed;  /* M_CREATE: the sender's inbound SPI of the child to be rekeyed; 0 none */
	uint32_t key;      /* names the keys of the new pair */
	uint32_t nonce;
};

enum task_kind { T_AUTH, T_CREATE, T_REKEY, T_DELETE_CHILD, T_DELETE_IKE, T_REKEY_IKE, T_DPD, T_DELETE_SPI };
struct task {
	enum task_kind kind;
	uint32_t child; /* its id */
	uint64_t order; /* act waits for it; 0 nobody */
	uint32_t spi, key, nonce;
};

struct ike {
	uint32_t id;
	uint64_t wire;
	uint8_t peer, version;
	enum ike_state state;
	bool initiator;
	int64_t established, heard;
	struct task tasks[TASKS_MAX]; /* tasks[0] is active when `active` */
	uint32_t task_count;
	bool active;
	uint32_t tries, generation;
	struct message sent;          /* the active request, for retransmission */
	uint32_t mid_ours, mid_theirs;
	bool answered_any;
	struct message answer;        /* to mid_theirs - 1 */
};

struct child {
	uint32_t id, ike_id;
	uint8_t peer, version;
	enum child_state state;
	uint32_t spi_in, spi_out, key, nonce;
	bool out_installed, in_installed, mine; /* mine: we created it */
	uint32_t successor, rekeys;    /* child ids; 0 none */
	uint64_t seen_in, seen_out;    /* packets, as the daemon last read them from the data plane */
	int64_t used_in;
	int64_t installed, expires;
};

struct sa { /* in the data plane */
	bool outbound, larval, encap;
	uint8_t peer;
	uint32_t spi, key, child, sequence; /* out: last sent; in: highest accepted */
	uint64_t window;                    /* of replays */
	uint64_t packets;
	int64_t added, used, expires;       /* expires: 0 never */
	int64_t rekeyed;                    /* since when another one replaces it; 0 not */
	int64_t resumed;                    /* the first packet after a silence */
};

struct connection_setup { /* what one end has configured for one peer */
	bool exists;
	uint8_t version;
	bool dynamic_peer, unique_never, dpd_restart, close_start, start;
	int64_t dpd, rekey, life, ike_rekey; /* 0: off */
	int64_t gap;                         /* between packets that this end sends to the peer; 0: none */
};

/* --- A gateway that runs spimend ----------------------------------------------------------------------------------- */

#define WATCHES_MAX 2048
#define FLOWS_MAX 256
#define STORE_MAX 4096
#define JOURNAL_MAX 512

struct watch {
	struct watch_spi spi;
	uint64_t packets, told;
	uint32_t highest;
	int64_t last;
	bool encap; /* of the latest */
};

struct journal_entry {
	struct order order;
	bool done, running;
	struct order_result result;
	int64_t at, began;
	uint32_t life;
	bool late;        /* ended without a reply: a second result may come */
	bool second_half; /* a terminate's order that is followed by an initiate stays one repair */
};

struct given { /* what the oracle remembers of an order */
	int64_t at;
	uint8_t peer;
	enum repair_rung rung;
	bool first, starts; /* the first step of its incident; the first verb of its rung */
	char incident[INCIDENT_ID_MAX];
};

struct gateway {
	bool enabled;
	struct config *config;      /* owns */
	struct core *core;          /* owns; NULL while it is down */
	bool act_up, sense_up, overwhelmed;
	int64_t overwhelmed_at;     /* the latest beginning or end of that */
	int64_t core_since, act_since, sense_since; /* up since */
	uint32_t tick_generation;
	int64_t tick_at;
	uint32_t ticks_idle;        /* since the last thing told */
	uint64_t core_lives, sense_lives;
	struct watch *watches;      /* owns; WATCHES_MAX */
	uint32_t watch_count;
	struct sighting *flows;     /* owns; FLOWS_MAX */
	uint32_t flow_count;
	bool flows_pending, counts_pending;
	struct sensor_state sensor;
	struct ledger_entry *ledger; /* owns; the store: STORE_MAX */
	uint32_t ledger_count;
	struct core_incident **incidents; /* owns; the store: STORE_MAX */
	uint32_t incident_count;
	uint64_t next_order;
	struct journal_entry *journal; /* owns; JOURNAL_MAX; every order that act ever saw */
	uint32_t journal_count;
	struct order *given;        /* owns; JOURNAL_MAX: every order that core ever gave */
	struct given *given_more;   /* owns */
	uint32_t given_count;
	int64_t channel_at[3];      /* of the channels to core: nothing overtakes */
	uint64_t outputs, lines;
	bool has_serial;
	uint64_t serial;
	bool list_pending, dump_pending;
	int64_t last_dead_hint[NODES_MAX]; /* the peer was given up: authenticated evidence */
};

struct node {
	struct world *w; /* borrows */
	uint8_t index;
	struct spimend_address address;
	bool machine_up, daemon_up, user_space, kernel_survives;
	uint32_t life;          /* of the daemon */
	int64_t machine_boot, daemon_boot, wall_offset, down_until;
	uint32_t next_ike, next_child;
	struct connection_setup setup[NODES_MAX];
	struct ike ikes[IKES_MAX];
	uint32_t ike_count;
	struct child children[CHILDREN_MAX];
	uint32_t child_count;
	struct sa sas[SAS_MAX];
	uint32_t sa_count;
	struct xfrm_counters counters, counters_told;
	bool plugin;            /* spimend's plugin is inside the daemon */
	bool odd_answers;       /* answers a DELETE with one for an SA of its own that nobody named */
	bool install_bug;       /* C2: the next successor's outbound half is never installed */
	struct gateway g;
};

/* --- What is true -------------------------------------------------------------------------------------------------- */

enum end_reason { END_REKEYED, END_DELETED, END_RESTART, END_FORGOTTEN, END_LOST, END_FLUSHED, END_EXPIRED, END_REASONS };
struct grave { /* an inbound SA that is no more */
	uint8_t peer;
	uint32_t spi, highest;
	int64_t at, rekeyed;
	enum end_reason why;
	uint64_t strays; /* genuine packets that came after it */
	int64_t stray_first, stray_last;
};
#define GRAVES_MAX 256

struct hole { /* genuine packets of `peer` that this node dropped for want of an SA */
	bool open;
	uint32_t spi;
	int64_t first, last, since; /* since: nothing has excused a repair from then on */
	uint64_t count;
	bool larval, known, acted;
	int64_t acted_at;
	enum end_reason why;
	int64_t rekeyed;
	int64_t closed;
};

struct truth { /* of one node */
	struct grave graves[GRAVES_MAX];
	uint32_t grave_count;
	struct hole holes[NODES_MAX];     /* by peer: the present or the latest */
	int64_t delivered[NODES_MAX];     /* genuine packets from that peer accepted: last */
	int64_t good_since[NODES_MAX];    /* they have come without strays since then; 0: the latest was a stray */
	int64_t in_still[NODES_MAX];      /* since when nothing came in */
	uint64_t out_while_still[NODES_MAX];
	bool both_ways[NODES_MAX];
	int64_t asked_alive[NODES_MAX], questioned[NODES_MAX]; /* the latest liveness check, the latest question */
	int64_t lines[64];                /* times of the latest IOS lines: a ring */
	uint32_t line_count;
	uint64_t strays, forged;
};

struct fault {
	int64_t at;
	uint8_t kind, node, peer;
	int64_t length;
	uint32_t value;
};
#define FAULTS_MAX 16

struct network {
	int64_t delay_least, delay_most;
	uint32_t loss, duplicate; /* per 10,000 */
	bool ike_blocked[NODES_MAX][NODES_MAX], blocked[NODES_MAX][NODES_MAX]; /* [from][to] */
	int64_t disturbed; /* until when something was blocked lately */
};

struct forger {
	bool random_spis, peer_random, replays, garbage, from_peer, notifies;
	int64_t gap;
	uint8_t victim;
};

struct packet {
	uint8_t from, to; /* from: the node whose address it bears, or NODE_NONE for a stranger */
	bool genuine;
	bool encap;
	uint32_t spi, sequence, key, stranger;
};
#define RECORDED_MAX 64

struct world {
	uint64_t seed, random;
	int64_t now, until;
	struct event *heap; /* owns */
	uint32_t event_count, event_room;
	uint64_t event_order;
	struct node nodes[NODES_MAX];
	struct truth truth[NODES_MAX];
	uint32_t node_count;
	struct network net;
	struct forger forger;
	struct packet recorded[RECORDED_MAX];
	uint32_t recorded_count;
	struct fault faults[FAULTS_MAX];
	uint32_t fault_count;
	uint32_t vici_loss, sight_loss, sight_duplicate, sight_late; /* per 10,000 */
	bool incomplete_lists, keep_watches;
	bool tracing, quiet_oracle;
	char *trace; /* owns */
	size_t trace_len, trace_room;
	bool failed;
	char failure[512];
	uint64_t sent, delivered, strayed, early, messages, orders, healed, core_crashes, steps;
	int64_t outage_worst;
};

/* world.c */
void world_init(struct world *w, uint64_t seed);
void world_done(struct world *w);
void world_run(struct world *w, int64_t until);
uint64_t rnd(struct world *w);
uint32_t rnd_below(struct world *w, uint32_t n);
int64_t rnd_between(struct world *w, int64_t least, int64_t most);
bool chance(struct world *w, uint32_t in_ten_thousand);
void post(struct world *w, int64_t delay, enum event_kind kind, uint8_t node, uint32_t a, uint32_t b, uint64_t c,
	  void *payload);
void tell(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define TRACE(w, ...) do { if ((w)->tracing) tell((w), __VA_ARGS__); } while (0)
void violate(struct world *w, const char *invariant, const char *format, ...) __attribute__((format(printf, 3, 4)));
int64_t net_delay(struct world *w);
bool net_passes(struct world *w, uint8_t from, uint8_t to, bool is_ike);
void net_message(struct world *w, const struct message *m);
struct spimend_address address_of_node(uint32_t index);
struct spimend_address address_of_stranger(uint32_t number);
uint8_t node_of_address(const struct world *w, const struct spimend_address *a);
int64_t node_mono(const struct node *n);
struct instant node_wall(const struct node *n);
struct moment node_moment(const struct node *n);

/* daemon.c */
struct ike *ike_find(struct node *n, uint32_t id);
struct ike *ike_of_wire(struct node *n, uint64_t wire);
struct ike *ike_of_peer(struct node *n, uint8_t peer); /* the newest established one */
struct ike *ike_add(struct node *n, uint8_t peer, uint8_t version, uint64_t wire, bool initiator);
/* With its children, without a word to the peer. */
void ike_remove(struct node *n, uint32_t id, bool tell_children, enum end_reason why);
void ike_event_tell(struct node *n, enum ike_change change, const struct ike *s, const struct ike *successor);
struct child *child_find(struct node *n, uint32_t id);
struct child *child_of_peer(struct node *n, uint8_t peer); /* the newest installed one */
struct child *child_of_out(struct node *n, const struct ike *s, uint32_t spi_out);
struct child *child_add(struct node *n, struct ike *s, uint32_t spi_in, uint32_t spi_out, uint32_t key, bool mine);
void child_install(struct node *n, struct child *c, bool in, bool out);
void child_rekeyed(struct node *n, struct child *c); /* a successor is there */
void child_remove(struct node *n, uint32_t id, enum end_reason why, bool say_down);
void child_event_tell(struct node *n, enum child_change change, struct child *c, struct child *successor);
void hint_tell(struct node *n, enum daemon_hint_kind kind, uint32_t spi, uint32_t ike_id);
bool task_queue(struct node *n, struct ike *s, enum task_kind kind, uint32_t child, uint64_t order);
void task_next(struct node *n, struct ike *s);
void task_done(struct node *n, struct ike *s, enum order_outcome outcome);
bool daemon_initiate(struct node *n, uint8_t peer, uint64_t order, const char **ret_why);
bool daemon_rekey(struct node *n, uint32_t child, uint64_t order);
bool daemon_terminate_child(struct node *n, uint32_t child, uint64_t order);
bool daemon_terminate_ike(struct node *n, uint32_t ike, uint64_t order);
bool daemon_delete_spi(struct node *n, uint32_t ike, uint32_t spi, uint64_t order);
bool daemon_liveness(struct node *n, uint32_t ike, uint64_t order);
/* Takes back what was not sent yet: true when it was so. */
bool daemon_withdraw(struct node *n, uint64_t order);
void daemon_kill(struct node *n, int64_t back_after);
void daemon_start(struct node *n);
void daemon_event(struct node *n, const struct event *e);
struct child_sa daemon_child_view(struct node *n, struct child *c);
struct ike_sa daemon_ike_view(struct node *n, const struct ike *s);

/* exchange.c */
void exchange_send(struct node *n, struct ike *s); /* builds and sends the request of the active task */
void exchange_message(struct node *n, const struct message *m);

/* plane.c */
uint32_t plane_spi(struct node *n);
struct sa *plane_in(struct node *n, uint32_t spi);
struct sa *plane_out(struct node *n, uint8_t peer);
struct sa *plane_out_spi(struct node *n, uint32_t spi);
void plane_add(struct node *n, uint8_t peer, bool outbound, bool larval, uint32_t spi, uint32_t key, uint32_t child,
	       int64_t expires);
void plane_remove(struct node *n, uint32_t spi, bool outbound, enum end_reason why);
void plane_flush(struct node *n, enum end_reason why, bool say);
void plane_traffic(struct node *n, uint8_t peer);
void plane_packet(struct node *n, const struct packet *p);
void plane_expire(struct node *n, uint32_t spi, bool outbound, int64_t added);
void plane_forge(struct world *w);
struct kernel_sa plane_view(const struct node *n, const struct sa *sa);

/* gateway.c */
void gateway_enable(struct node *n, const struct config *config);
void gateway_done(struct node *n);
void gateway_event(struct node *n, const struct event *e);
void gateway_told_child(struct node *n, const struct child_event *event);
void gateway_told_ike(struct node *n, const struct ike_event *event);
void gateway_told_hint(struct node *n, const struct daemon_hint *hint);
void gateway_told_kernel(struct node *n, enum kernel_change change, const struct sa *sa);
void gateway_told_daemon(struct node *n); /* the daemon came or went */
void gateway_told_result(struct node *n, const struct order_result *result);
void gateway_told_report(struct node *n, const struct plugin_message *m); /* by the plugin, to sense */
void gateway_packet(struct node *n, const struct packet *p); /* the sensor sees every packet */
void gateway_crash_core(struct node *n, int64_t back_after);
void gateway_crash_act(struct node *n, int64_t back_after);
void gateway_crash_sense(struct node *n, int64_t back_after);
void gateway_machine_down(struct node *n);
void gateway_machine_up(struct node *n);
enum inbox_kind { IN_CHILD, IN_IKE, IN_HINT, IN_KERNEL, IN_DAEMON, IN_CONNECTIONS, IN_SNAPSHOT, IN_DUMP, IN_SIGHTING,
		  IN_COUNT, IN_COUNTERS, IN_SENSOR, IN_RESULT, IN_PLUGIN, IN_REPORT };
struct inbox {
	enum inbox_kind kind;
	uint64_t life; /* of core, that it was sent to */
	uint64_t serial;
	bool complete;
	uint32_t count, more;
	union {
		struct child_event child;
		struct ike_event ike;
		struct daemon_hint hint;
		struct kernel_event kernel;
		struct daemon_state daemon;
		struct sighting sighting;
		struct spi_count spi_count;
		struct xfrm_counters counters;
		struct sensor_state sensor;
		struct order_result result;
		struct plugin_state plugin;
		struct plugin_report report;
	};
	struct ike_sa ikes[IKES_MAX];
	void *list; /* owns: connections, children or kernel events */
};
struct inbox *inbox_new(struct node *n, enum inbox_kind kind);
enum channel { CHANNEL_ACT, CHANNEL_KERNEL, CHANNEL_SENSE };
void inbox_post(struct node *n, enum channel channel, struct inbox *in, int64_t delay);

/* act.c */
void act_order(struct node *n, const struct order *order);
void act_finished(struct node *n, uint64_t order, enum order_outcome outcome, const char *text);
void act_timeout(struct node *n, uint64_t order);
/* What the plugin learned of an order; `peer_spi`: 0 none. */
void act_answered(struct node *n, uint64_t order, enum plugin_outcome answer, uint32_t peer_spi);
void act_list(struct node *n, uint64_t serial);
void act_dump(struct node *n);
void act_hello(struct node *n);
uint64_t act_connection_id(const struct node *n, uint8_t peer);
void act_names(const struct node *n, uint8_t peer, char ike[GATEWAY_NAME_MAX], char child[GATEWAY_NAME_MAX]);

/* oracle.c */
void oracle_delivered(struct node *n, uint8_t peer);
void oracle_sent(struct node *n, uint8_t peer);
void oracle_stray(struct node *n, const struct packet *p);
void oracle_buried(struct node *n, const struct sa *sa, enum end_reason why);
void oracle_order(struct node *n, const struct order *order);
void oracle_output(struct node *n, const struct core_output *output);
void oracle_drained(struct node *n, uint32_t outputs);
void oracle_watch(struct world *w);
void oracle_end(struct world *w);
const char *end_reason_name(enum end_reason why);

/* faults.c */
enum fault_kind {
	FAULT_DAEMON_RESTART, FAULT_REBOOT, FAULT_DELETE_LOST, FAULT_FORGET, FAULT_LOSE, FAULT_FLUSH, FAULT_COLLISION, FAULT_EXPIRE,
	FAULT_PARTITION, FAULT_REKEY, FAULT_IKE_REKEY, FAULT_TERMINATE, FAULT_BOTH_REKEY, FAULT_CORE_CRASH, FAULT_ACT_CRASH,
	FAULT_SENSE_CRASH, FAULT_WALL_STEP, FAULT_RECONFIGURE, FAULT_OVERWHELMED, FAULT_ORPHANS,
	FAULT_SECOND_IKE, FAULT_ENCAP, FAULT_DEAF, FAULT_LOSE_ALL, FAULTS
};
const char *fault_name(enum fault_kind kind);
void fault_strike(struct world *w, const struct fault *f);
void fault_add(struct world *w, int64_t at, enum fault_kind kind, uint8_t node, uint8_t peer, int64_t length);

/* history.c */
struct setup {
	uint32_t nodes;
	uint8_t version;
	bool plugin, odd_answers, dynamic_peers, unique_never, start, close_start, dpd_restart, no_xfrm;
	bool core[NODES_MAX], user_space[NODES_MAX];
	enum mode mode;
	bool recovery; /* crypto isakmp invalid-spi-recovery */
	int64_t rekey, life, dpd, ike_rekey;
	uint32_t ledger_max, flows_max, incidents_max; /* 0: the default */
	int64_t gap[2]; /* between packets: from the hub, to the hub */
};
void setup_default(struct setup *s);
void world_build(struct world *w, const struct setup *s);
void history_random(struct world *w);

/* scripts.c */
int scripts_run(bool trace, const char *only); /* prints a line a test; returns how many failed */
int scripts_count(void);
/* model.c */
int model_run(bool trace, const char *only);

#endif
