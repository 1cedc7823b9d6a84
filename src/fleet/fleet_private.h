/* SPDX-License-Identifier: MIT */
/*
 * What the files of fleet share. One struct, passed down.
 *
 *   fleet.c      life, time, outputs                 devices.c   addresses, locks, who answers, kinds of tunnels
 *   sightings.c  hints to cases, bursts              cases.c     the table of cases, evidence, endings
 *   readings.c   a round of readings, its limits     verdict.c   what a round proves: pure
 *   memory.c     what routers remember and counted   nat.c       a sender whose address is nobody's
 *   mend.c       steps, approval, proof              ladder.c    which step comes next: pure
 *   windows.c    when a device may be changed
 *   view.c       what the control socket reads
 */
#ifndef FLEET_FLEET_PRIVATE_H
#define FLEET_FLEET_PRIVATE_H

#include "base/buffer.h"
#include "base/slots.h"
#include "fleet/fleet.h"
#include "model/kind.h"
#include "plan/budget.h"

#define FLEET_CASES_MAX 1024
#define FLEET_STRANGERS_MAX 128      /* open cases of senders that are no devices of ours: others have room beside them */
#define FLEET_ADDRESSES_MAX 65536
#define FLEET_PAIRS_MAX 65536        /* pairs of ends whose latest look is remembered */
#define FLEET_KNOWN_MAX 16384        /* tunnels whose kind is remembered */
#define FLEET_OUTPUTS_MAX 8192
#define FLEET_OUTPUTS_RESERVE 64     /* of them, for orders and what must be kept with them */
#define FLEET_TABLE_SPIS_MAX 64      /* of one device with one peer, a direction; with more, nothing is proved */
#define FLEET_QUEUE_MAX 4            /* pairs of a burst that wait for their look: the sample */
#define FLEET_SOURCE_BITS 1024
#define FLEET_TRIES_MAX 3            /* rounds without evidence */
#define FLEET_CHANGES_MAX 4          /* times that the second proof names another SPI than the first */
#define FLEET_VOIDS_MAX 3            /* approvals of one step that the device made void */
#define FLEET_KNOWN_NS (10 * MINUTE_NS)
#define FLEET_AGAIN_FIRST_NS MINUTE_NS /* a device that does not answer is left alone, twice as long each time */
#define FLEET_AGAIN_MOST_NS HOUR_NS

#define NONE UINT32_MAX
#define NEVER INT64_MAX

enum keys { KEYS_UNKNOWN, KEYS_IKE, KEYS_CONTROLLER, KEYS_OTHER }; /* OTHER: manual or group keys */

struct table { /* of one reading of `show crypto ipsec sa peer` */
	bool read;                 /* it is evidence */
	bool overfull;             /* more SPIs than are kept, or a flow that ends in the middle: then it is none */
	bool controller, other_keys, has_counters, sdwan_interface;
	uint32_t flows, flows_without;
	uint64_t encaps, decaps;
	struct spimend_spi in[FLEET_TABLE_SPIS_MAX], out[FLEET_TABLE_SPIS_MAX]; /* out: the one in use of each flow */
	uint64_t left_s[FLEET_TABLE_SPIS_MAX]; /* of each of `out`: until its lifetime ends; 0: not told */
	uint64_t decaps_in[FLEET_TABLE_SPIS_MAX]; /* of the flow that the inbound SPI belongs to */
	uint32_t in_count, out_count;
};

struct round { /* what the readings of one round told */
	int64_t begun_ns;
	struct table r1, s, r2;
	bool s_failed;             /* S was asked and is no evidence */
	bool ike_read, ike_up;     /* an IKE SA between the two was looked for, and is there */
	bool outbound_read, outbound_found, outbound_many, local_read, bfd_read, bfd_found, bfd_up, control_read;
	struct spimend_spi outbound; /* what S sends with towards R, as its SD-WAN side says */
	struct spimend_spi local[FLEET_TABLE_SPIS_MAX];
	uint32_t local_count;
	bool local_overfull;
	enum device_color color;   /* of the tunnel at R */
	uint32_t bfd_all, bfd_of[DEVICE_COLORS], control_all, control_of[DEVICE_COLORS];
	/* Of a sender behind NAT: R's table of active SPIs, read before S's and after it. */
	bool before_read, after_read;
	uint64_t active_before, active_after; /* a bit for each SPI that was told of, and for each that S sends with */
	char why[DEVICE_REASON_MAX]; /* why there is no evidence */
};

enum proof {
	PROOF_NONE,      /* a reading that is needed is no evidence */
	PROOF_AGREE,     /* S sends with what R has */
	PROOF_DESYNC,    /* S sends with what R had not, before and after */
	PROOF_CLEARED,   /* SD-WAN: the SA was cleared by hand (T23) */
	PROOF_MOVING,    /* R had it and has it no more: a rekey is going on */
	PROOF_QUIET,     /* S has no outbound SA with R */
	PROOF_ONE_END,   /* S could not be read, or is none of ours */
	PROOF_NO_FLOW,   /* the ends do not list each other: NAT, or it is no tunnel of theirs */
	PROOF_STRANGER,  /* R has nothing with that source, and it is no device of ours */
	PROOF_OTHER_KEYS,
	PROOF_UNSURE,    /* a desync, if IKE makes the keys: and that is not sure */
	PROOF_BFD_DOWN,  /* SD-WAN: the SAs agree, and BFD is down: another fault */
};

struct finding {
	enum proof proof;
	enum keys keys;
	struct spimend_spi stale;
	uint64_t stale_left_s; /* until its lifetime ends at the sender; 0: not told */
	enum cause cause;
	enum confidence confidence;
};

enum phase {
	PHASE_WAITING,   /* until due_ns, then a round begins */
	PHASE_READING,   /* a round is under way */
	PHASE_AWAITING,  /* a person's word, until due_ns */
	PHASE_ORDERED,   /* a step is under way */
	PHASE_DONE,
};
enum purpose { LOOK_FIRST, LOOK_CONFIRM, LOOK_VERIFY, LOOK_RECHECK };

struct pending { /* an order that is under way, of a round or of a step */
	uint64_t request;          /* 0: none */
	uint32_t device;
	enum device_verb verb;
	int64_t deadline_ns;
	bool has_result, has_end;
	struct device_result result;
	struct fleet_output_end end;
};

struct memory_counts {
	uint64_t no_sa, replay;
	uint32_t omp_all, omp_up;
};

struct memory { /* what the receiver remembers, and what was counted: evidence beside the proof */
	bool is_begun, is_over;    /* of this pair of ends: asked for in this round; in one before */
	bool has_spi;
	struct spimend_spi spi;    /* that is asked about */
	bool created, deleted;     /* the event trace, as an inbound SA of the receiver */
	bool active, transient;    /* its table of SPIs */
	bool drops_read, drops_again;
	int64_t drops_ns;
	struct memory_counts drops, latest; /* latest: of the output that is being read */
	bool omp_down;             /* an end has OMP peers, and none is up */
};

#define FLEET_NAT_MOST 4 /* devices that are asked whether they are the sender */

struct nat {
	bool is_natted;            /* R speaks ESP in UDP with that address */
	bool searched, many;       /* those that may be it were looked for; there are more */
	bool trying;               /* c->s is one that may be it */
	uint32_t at[FLEET_NAT_MOST], count, next;
	uint32_t others;           /* so many devices may be it, where nothing tells which */
};

struct pair {
	struct spimend_address src, dst;
};

struct case_file {
	struct fleet_incident is;
	uint32_t number;           /* its place, from 1 on */
	bool stranger;             /* counted among those */
	uint32_t r, s;             /* devices; NONE */
	struct pair queue[FLEET_QUEUE_MAX]; /* of a burst: what to look at next */
	uint32_t queued;
	uint64_t sources_seen[FLEET_SOURCE_BITS / 64];
	enum phase phase;
	enum purpose purpose;
	unsigned stage;            /* of the round */
	bool counted_look;         /* the round has its place among those at once */
	int64_t began_ns, due_ns, ordered_ns;
	struct pending pending;
	struct round now, last;    /* the round under way; the round before it */
	struct table before;       /* R's, when the step under way was ordered */
	struct finding first;      /* the proof that a second one has to agree with */
	struct memory memory;
	struct nat nat;
	uint32_t tries, changes, voids, rechecks;
	bool locked, locks_again;  /* again: when the devices are numbered anew */
	bool took_budget;
	uint32_t step;             /* the one under way; NONE */
	uint32_t steps_before;     /* of the pairs of a burst before this one */
	int64_t approved_ns;       /* of the step under way */
	bool awaits_window;        /* of the device to act at */
	uint32_t older, newer;     /* by their beginning; 0: none */
};

struct fleet_device {
	uint64_t mark;
	uint64_t request;          /* under way; one at a time. 0: none */
	uint32_t lock;             /* the case that changes it, or its other end; 0: none */
	int64_t again_ns, wait_ns; /* it did not answer */
	uint32_t lacks;            /* a bit a verb: it refused that command, which is not asked for again */
	bool has_site;
	uint32_t site;
	uint32_t pairs;            /* new ones, since ... */
	int64_t pairs_ns;
	uint32_t burst;            /* the open case of many senders; 0: none */
	int64_t looked_ns;         /* window of looks at senders that are none of ours */
	uint32_t foreign_looks;
};

struct fleet_host { /* an address */
	struct spimend_address address;
	uint32_t device;           /* NONE: of several, so nobody's */
};

struct known { /* how the keys of a tunnel are made, as a device printed last */
	uint64_t hash;             /* 0: free */
	uint32_t device;
	struct spimend_address peer;
	enum keys keys;
	int64_t at_ns;
};

struct looked {
	uint64_t hash;             /* 0: free */
	int64_t at_ns;
};

struct fleet {
	struct config *config;     /* owns */
	struct fleet_settings settings;
	struct hash_key key;
	struct moment now;
	uint64_t next_request;
	uint32_t jitter;
	struct budget *budget;     /* owns */
	struct fleet_device *devices; /* owns; config->devices.count */
	struct fleet_host *hosts;  /* owns; FLEET_ADDRESSES_MAX */
	uint32_t host_count;
	struct slots by_address, by_pair; /* of hosts; of open cases */
	struct case_file **cases;  /* owns, each too; FLEET_CASES_MAX, by number - 1 */
	uint32_t oldest, newest;   /* numbers of cases; 0: none */
	struct looked *looked;     /* owns; FLEET_PAIRS_MAX */
	struct known *known;       /* owns; FLEET_KNOWN_MAX */
	struct fleet_output *outputs; /* owns; a ring */
	uint32_t output_first, output_count;
	uint32_t strangers;        /* open cases of those */
	uint32_t under_way;        /* rounds */
	int64_t minute_ns;         /* window of rounds begun */
	uint32_t in_minute;
	struct fleet_figures figures;
};

/* --- fleet.c */
struct fleet_output *fleet_emit(struct fleet *f, enum fleet_output_kind kind);
/* There is room for an order and all that goes with it. */
bool fleet_may_order(const struct fleet *f);
void fleet_notice(struct fleet *f, int severity, const char *format, ...) __attribute__((format(printf, 3, 4)));
void fleet_journal(struct fleet *f, uint32_t device, const char *format, ...) __attribute__((format(printf, 3, 4)));
uint64_t fleet_hash_pair(const struct fleet *f, uint32_t device, const struct spimend_address *src,
			 const struct spimend_address *dst); /* never 0 */

/* --- devices.c */
uint32_t device_of(const struct fleet *f, const struct spimend_address *address); /* NONE */
bool address_is_shared(const struct fleet *f, const struct spimend_address *address);
void device_learn_address(struct fleet *f, uint32_t device, const struct spimend_address *address);
void device_share_address(struct fleet *f, const struct spimend_address *address); /* it is nobody's */
const struct config_device *device_config(const struct fleet *f, uint32_t device);
bool device_can_log_in(const struct fleet *f, uint32_t device);
void device_answered(struct fleet *f, uint32_t device, bool well);
/* Both ends, for a step; with the site for SD-WAN. False: one is being changed already. */
bool devices_lock(struct fleet *f, struct case_file *c, bool sdwan);
void devices_unlock(struct fleet *f, struct case_file *c);
void keys_remember(struct fleet *f, uint32_t device, const struct spimend_address *peer, enum keys keys);
enum keys keys_of(const struct fleet *f, uint32_t device, const struct spimend_address *peer);
enum peer_mode fleet_peer_mode(const struct fleet *f, const struct spimend_address *address);

/* --- cases.c */
/* Agreed to by a person or by the configuration, and to be typed if the devices, read once more, show the same. */
static inline bool step_is_agreed(const struct fleet_step *step)
{
	return step->state == FLEET_STEP_APPROVED || step->state == FLEET_STEP_COUNTED;
}
/* Whose the sender's address is, where that was learned since. */
void case_find_sender(struct fleet *f, struct case_file *c);
struct case_file *case_new(struct fleet *f, const struct fleet_sighting *s); /* NULL: full */
struct case_file *case_of_pair(struct fleet *f, uint32_t device, const struct spimend_address *src,
			       const struct spimend_address *dst);
/* The case is about that pair from now on. */
void case_take_pair(struct fleet *f, struct case_file *c, const struct pair *pair);
void case_remove(struct fleet *f, struct case_file *c);
void case_evidence(struct fleet *f, struct case_file *c, enum fact_kind kind, uint32_t device, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
void case_say(struct case_file *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
void case_keep(struct fleet *f, struct case_file *c);
void case_wait(struct case_file *c, enum purpose purpose, int64_t due_ns);
/* It is over. Whatever it holds is given back. */
void case_end(struct fleet *f, struct case_file *c, enum incident_state state);
static inline bool case_is_open(const struct case_file *c)
{
	return c->phase != PHASE_DONE;
}

/* --- readings.c */
/* Begins the round of a case that is due, or puts it off. */
void round_begin(struct fleet *f, struct case_file *c);
/* The next reading of the round under way, if its device is free; or the end of the round. */
void round_go_on(struct fleet *f, struct case_file *c);
/* Both halves of an answer are there, or its time is over. */
void round_answered(struct fleet *f, struct case_file *c);
bool order_is_answered(const struct pending *p);
/* Sends an order; `c` then waits for it. `c->pending.request` is 0 where there was no room. */
void order_give(struct fleet *f, struct case_file *c, struct device_order *order);
/* The reading under way is one of R's table of active SPIs for a sender behind NAT; which of the two. */
bool round_lists_spis(const struct case_file *c, bool *ret_is_after);
/* The table that a block of that reading belongs to. */
struct table *round_table(struct case_file *c);

/* --- memory.c */
bool memory_is_wanted(const struct fleet *f, const struct case_file *c);
void memory_begin(const struct fleet *f, struct case_file *c);
void memory_close_round(struct case_file *c);
void memory_forget(struct case_file *c);
void memory_row(struct case_file *c, const struct device_row *row);
void memory_drop_rows(struct case_file *c);
/* The output of c->pending is whole. */
void memory_say(struct fleet *f, struct case_file *c);
/* The cause of a desync that is proved. */
void memory_sharpen(const struct case_file *c, struct finding *found);

/* --- nat.c */
/* S was found by its own table, or is being tried: what R has of it may stand under any address. */
bool nat_is_behind(const struct case_file *c);
void nat_block(struct fleet *f, struct case_file *c, const struct sa_block *block);
void nat_row(struct case_file *c, const struct device_row *row, bool is_after);
/* The round is over: true where another device is tried, by a new one. */
bool nat_settle(struct fleet *f, struct case_file *c, struct finding *found);
/* Why nobody knows, and what a person can do. */
void nat_say(struct case_file *c);

/* --- verdict.c */
struct finding round_prove(const struct fleet *f, const struct case_file *c, const struct round *round);
bool round_needs_ike(const struct fleet *f, const struct case_file *c, const struct round *round);
bool round_is_sdwan(const struct round *round);
bool table_has(const struct spimend_spi *spis, uint32_t count, struct spimend_spi spi);

/* --- ladder.c */
/* The next step that was not tried, with its arguments, device, `needs_person` and blast radius. False: none is left. */
bool ladder_next(const struct fleet *f, const struct case_file *c, const struct finding *finding, struct fleet_step *ret,
		 uint32_t *ret_device);
bool blast_equal(const struct fleet_blast *a, const struct fleet_blast *b);
void blast_say(const struct fleet_step *step, struct buffer *out);

/* --- windows.c */
/* A step may be typed on that device now, on the proof of the round that has just ended: a window of it is open, was when
 * that round began, and will be as long as the order may take. Else the case waits for one, and says so. */
bool window_lets(struct fleet *f, struct case_file *c, uint32_t device);
/* What a person who agreed to a step on that device has to know of its windows; nothing where one is open. */
void window_warn(const struct fleet *f, uint32_t device, struct buffer *out);

/* --- mend.c, approve.c */
/* Whether a step may be typed there in this mode; says why not. */
bool mend_may_act(const struct fleet *f, const struct case_file *c, enum keys keys, struct buffer *why);
void mend_offer(struct fleet *f, struct case_file *c, const struct fleet_step *step);
/* Nobody is asked before the step, but it is bound to what it disturbs as a person's word would be: that is told, and the
 * devices are read once more. */
void mend_announce(struct fleet *f, struct case_file *c, const struct fleet_step *step);
/* A person agreed to the step, or none is asked and it was announced, and it is `like` what would be typed now: it may be.
 * Else it is void, and said so. */
bool mend_approval_holds(struct fleet *f, struct case_file *c, const struct fleet_step *like, bool has_like);
void mend_round_over(struct fleet *f, struct case_file *c);
void mend_step_over(struct fleet *f, struct case_file *c);
void mend_offer_over(struct fleet *f, struct case_file *c); /* nobody said anything */

/* --- sightings.c */
/* The next pair of a burst; false: none is left. */
bool burst_next(struct fleet *f, struct case_file *c);

#endif
