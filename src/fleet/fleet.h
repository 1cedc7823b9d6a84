/* SPDX-License-Identifier: MIT */
/*
 * The fleet's mind: devices of the inventory say that packets come which they have no SA for; it looks at both ends before
 * it believes that, judges, plans, and repairs the narrowest thing at the right end, one step at a time, with the proof
 * after it (faults.md g, devices.md 1, 4, 5). What core/core.h is for the gateway that we run on.
 *
 * Called by the role `core`, and by tests under a simulated clock. Pure: no I/O, no clock, no logging, bounded memory.
 * It never acts: it emits orders of model/device_order.h, whose arguments are typed; no text of a message or of an output
 * gets into one.
 *
 *   sightings are forgeable hints: all that they can do is to have devices of the inventory looked at, and that is limited:
 *   so many looks at once, so many a minute, one per pair of ends and minute, and many pairs at one device are one incident;
 *   outputs of devices are trusted as far as the device is; one that is paged, cut or not understood is no evidence.
 *
 * How to call it:
 *   fleet_new(), fleet_restore() for each incident of the store, then whatever comes in, and after each call fleet_next()
 *   until it is false. Outputs are to be carried out in their order: an incident is kept and the journal written before the
 *   order that follows them goes out. fleet_tick() when the instant that it returned has come.
 *   Each FLEET_ORDER is answered by both of: fleet_result() (of the role ssh), and fleet_output_end() (of sense), which
 *   comes behind the records of that output; the second only where the device printed (DEVICE_DONE, DEVICE_REFUSED). They
 *   may come in any order. Orders that nobody answers run out by themselves.
 *
 * After a restart nothing is acted on before a new look: an incident that comes back open is looked at as if it were new,
 * but what was typed for it counts as tried and against the budget, and no approval survives. As every incident is kept
 * before its order goes out, nothing is typed twice.
 */
#ifndef FLEET_FLEET_H
#define FLEET_FLEET_H

#include "base/hash.h"
#include "model/config.h"
#include "model/device_row.h"
#include "model/incident.h"
#include "model/sa_block.h"

struct fleet;

struct fleet_settings { /* nanoseconds and counts */
	int64_t gather_ns;       /* sightings of one device are gathered before the first look: a burst is one incident */
	int64_t burst_ns;        /* within this ... */
	uint32_t burst_pairs;    /* ... so many pairs of ends at one receiver are a burst */
	int64_t burst_wait_ns;   /* a burst is given so long to end by itself (T20, S0) */
	int64_t wait_ns;         /* from the proof of a desync to the second one, before anything is typed: an overlap, B10, S0 */
	int64_t look_gap_ns;     /* one look per pair within this */
	uint32_t looks_at_once;
	uint32_t looks_a_minute; /* rounds of readings begun */
	int64_t within_ns;       /* for one command on a device */
	int64_t verify_first_ns, verify_gap_ns, verify_ns; /* after a step: the first look, the next ones, the last one */
	int64_t offer_ns;        /* a step waits so long for a person */
	int64_t approval_ns;     /* and the person's word counts for so long: 10 min */
	int64_t recheck_ns;      /* what is only planned is looked at again */
	uint32_t rechecks;       /* and so often */
	int64_t case_most_ns;    /* no incident stays open longer */
};
void fleet_settings_default(struct fleet_settings *ret);
/* What the configuration says of them. */
void fleet_settings_of(const struct config *config, struct fleet_settings *ret);

/* `config` is copied; `settings` NULL: the defaults. `key` seeds the tables: random in production. `next_request` is the
 * first request id to give: they are taken from the same numbers as those of who else orders. 0 or -ENOMEM. */
int fleet_new(const struct config *config, const struct fleet_settings *settings, const struct hash_key *key,
	      uint64_t next_request, struct moment now, struct fleet **ret);
void fleet_free(struct fleet *f); /* NULL is fine */
/* A changed configuration. Incidents go on for devices whose entry is the same; what was ordered of others is over. */
int fleet_reconfigure(struct fleet *f, const struct config *config, struct moment now);
/* Other times and counts, from now on. */
void fleet_set(struct fleet *f, const struct fleet_settings *settings);

/* --- What is told ----------------------------------------------------------------------------------------------- */

struct fleet_sighting { /* `device` says that packets came for which it has no SA */
	uint32_t device;                 /* its index in struct config_devices: by whom it was sent, never by what it says */
	struct spimend_address src, dst; /* S, and R's own address */
	uint8_t protocol;
	struct spimend_spi spi;
	char interface[FACT_INTERFACE_MAX]; /* empty: not told */
	uint64_t messages;               /* 1, or how many are told at once */
};
enum fleet_taken { FLEET_TAKEN, FLEET_REFUSED_DEVICE, FLEET_REFUSED_ADDRESS, FLEET_REFUSED_CONTRADICTION,
		   FLEET_REFUSED_PEER_MODE, FLEET_REFUSED_LOOKED_AT, FLEET_REFUSED_FULL, FLEET_TAKENS };
enum fleet_taken fleet_sighting(struct fleet *f, const struct fleet_sighting *sighting, struct moment now);
const char *fleet_taken_name(enum fleet_taken taken); /* a sentence */

/* What is known of devices from elsewhere, an audit of their configurations for one: that address is that device's. An
 * address of two devices is nobody's. */
void fleet_address(struct fleet *f, uint32_t device, const struct spimend_address *address);
/* Devices of one SD-WAN site are never changed at once; those whose site nobody told count as being of one site. */
void fleet_site(struct fleet *f, uint32_t device, uint32_t site);

void fleet_result(struct fleet *f, const struct device_result *result, struct moment now);
/* Records of an order's output, before its end. */
void fleet_sa(struct fleet *f, uint64_t request, const struct sa_block *block);
void fleet_row(struct fleet *f, uint64_t request, const struct device_row *row);
struct fleet_output_end {
	uint64_t request;
	bool known;            /* its layout is one that the parser knows, or it says that there is nothing */
	bool paged, cut;       /* struct device_output; a table that ended in the middle is cut too */
	uint32_t bad_rows;     /* rows that could not be read */
};
void fleet_output_end(struct fleet *f, const struct fleet_output_end *end, struct moment now);
/* The role ssh, or sense while it read, ended: whatever was ordered and not answered may have been done. */
void fleet_lost(struct fleet *f, struct moment now);
/* A block that a device printed for somebody else, `on DEVICE show crypto ipsec sa`: its address and its keys' kind are
 * learned, nothing is judged. */
void fleet_learn(struct fleet *f, uint32_t device, const struct sa_block *block, struct moment now);

/* Time has passed. Returns the mono instant at which it wants to be called again at the latest. */
int64_t fleet_tick(struct fleet *f, struct moment now);

/* --- What comes out --------------------------------------------------------------------------------------------- */

#define FLEET_TEXT_MAX 320

enum fleet_output_kind {
	FLEET_KEEP,    /* to the store and to watchers: this incident is new or changed */
	FLEET_JOURNAL, /* to that device's journal */
	FLEET_ORDER,   /* to the role ssh */
	FLEET_NOTICE,  /* to the log: a sentence for people; severity as in syslog */
};
struct fleet_output {
	enum fleet_output_kind kind;
	union {
		char incident[INCIDENT_ID_MAX]; /* ask fleet_find() */
		struct {
			uint32_t device;
			struct instant at;
			char text[FLEET_TEXT_MAX];
		} journal;
		struct {
			struct device_order order;
			char of[INCIDENT_ID_MAX]; /* the incident that wants it */
		};
		struct {
			int severity;
			char text[FLEET_TEXT_MAX];
		} notice;
	};
};
bool fleet_next(struct fleet *f, struct fleet_output *ret);

/* --- A person's word -------------------------------------------------------------------------------------------- */

#define FLEET_WHO_MAX 33

/* The step of that incident, 1 for the first of its list. It is bound to that incident, device and command, and to the
 * blast radius that was counted; it counts once and for settings.approval_ns, and not when the device, read just before,
 * shows something else. False with a sentence in `why`; true with one too where no window of the device is open. */
bool fleet_approve(struct fleet *f, const char *id, uint32_t step, const char *who, struct moment now, struct buffer *why);
bool fleet_deny(struct fleet *f, const char *id, uint32_t step, const char *who, struct moment now, struct buffer *why);
/* May `clear crypto ...` towards that peer be typed on that device, by whoever wants to? False with the reason and what to
 * do instead: for a controller-keyed tunnel (B17), for manual and group keys, and where the kind of the tunnel is not known
 * from a reading of the last ten minutes. */
bool fleet_may_clear(struct fleet *f, uint32_t device, const struct spimend_address *peer, struct moment now,
		     struct buffer *why);

/* --- What it knows ---------------------------------------------------------------------------------------------- */

#define FLEET_STEPS_MAX 12
#define FLEET_EVIDENCE_MAX 32
#define FLEET_EVIDENCE_TEXT_MAX 240
#define FLEET_SPIS_MAX 4

enum fleet_step_state {
	FLEET_STEP_OFFERED,   /* a person is asked */
	FLEET_STEP_APPROVED,  /* and agreed; the devices are read once more */
	FLEET_STEP_DENIED,
	FLEET_STEP_EXPIRED,   /* nobody said anything in time, or it could not be typed in time */
	FLEET_STEP_VOID,      /* the device showed something else just before */
	FLEET_STEP_ORDERED,
	FLEET_STEP_DONE,      /* it was typed, or may have been */
	FLEET_STEP_REFUSED,   /* the device did not take it: its platform has no such command, or the right is missing */
	FLEET_STEP_NOT_DONE,  /* it never reached the device */
	FLEET_STEP_COUNTED,   /* nobody is asked, by the configuration; what it disturbs was counted, and is once more */
	FLEET_STEP_STATES
};
const char *fleet_step_state_name(enum fleet_step_state state);

struct fleet_blast { /* counted on the device just before */
	bool told;
	uint32_t bfd_up, control_up; /* of the device, or of the colour for a port hop */
	uint32_t flows;              /* flows with that peer, of a crypto clear */
};

struct fleet_step {
	enum fleet_step_state state;
	enum device_verb verb;
	uint64_t request;        /* 0: not ordered */
	struct spimend_address peer;
	uint8_t protocol;
	struct spimend_spi spi;
	enum device_color color;
	char on[DEVICE_NAME_MAX]; /* the device */
	char command[DEVICE_COMMAND_MAX]; /* exactly */
	struct fleet_blast blast;
	bool needs_person, helped; /* needs_person: false too for SD-WAN's steps that the configuration lets go unattended */
	char who[FLEET_WHO_MAX]; /* who approved or denied it; empty: nobody */
	struct instant offered, decided, ordered, ended; /* wall; 0: not yet */
	char outcome[DEVICE_REASON_MAX];
};

struct fleet_evidence {
	struct instant at;     /* wall */
	enum fact_kind kind;
	bool other_end;        /* S's */
	char from[DEVICE_NAME_MAX];
	char text[FLEET_EVIDENCE_TEXT_MAX];
};

struct fleet_incident { /* plain data: it is stored and restored as it is */
	char id[INCIDENT_ID_MAX];
	char receiver[DEVICE_NAME_MAX], sender[DEVICE_NAME_MAX]; /* sender: empty where it is no device of ours */
	struct spimend_address src, dst;
	uint8_t protocol;
	struct spimend_spi spis[FLEET_SPIS_MAX]; /* as told, the first ones */
	uint32_t spi_count;
	bool has_stale;
	struct spimend_spi stale;  /* what S sends with and R has not: proved */
	struct instant stale_ends; /* wall: when that ends by itself, as S's table said; 0: not told */
	char interface[FACT_INTERFACE_MAX];
	enum tunnel_kind tunnel_kind;
	bool has_ike;              /* the kind is not told further, but IKE makes its keys */
	enum verdict verdict;
	enum rule rule;
	enum cause cause;
	enum confidence confidence;
	enum incident_state state;
	uint32_t flags;            /* enum fact_flag */
	struct instant first_seen, last_seen, decided, ended; /* wall; 0: not yet */
	uint64_t messages;
	bool is_burst;             /* of many senders at once */
	uint32_t sources;          /* at least so many */
	uint32_t looks;            /* rounds of readings */
	struct fleet_step steps[FLEET_STEPS_MAX];
	uint32_t step_count;
	struct fleet_evidence evidence[FLEET_EVIDENCE_MAX];
	uint32_t evidence_count, evidence_cut;
	char why[FLEET_EVIDENCE_TEXT_MAX]; /* one sentence: what it is waiting for, or how it ended */
};

void fleet_restore(struct fleet *f, const struct fleet_incident *incident, struct moment now);
/* Borrowed until the next call. NULL: none. By id, or by index from the oldest on. */
const struct fleet_incident *fleet_find(const struct fleet *f, const char *id);
const struct fleet_incident *fleet_at(const struct fleet *f, size_t index);

struct fleet_figures {
	uint64_t sightings, taken[FLEET_TAKENS]; /* taken: by what became of them */
	uint64_t looks, looks_held;      /* rounds begun; times that one had to wait for a limit */
	uint64_t orders, changes;        /* orders given; those that change a device */
	uint64_t unanswered, no_evidence;
	uint64_t merged, bursts, evicted, outputs_dropped, addresses_refused, addresses_shared, spis_dropped, evidence_cut;
	uint64_t approved, denied, void_approvals, expired;
	uint64_t over_budget, clears_refused;
	uint32_t incidents, open, strangers, awaiting, locked_devices, under_way;
	uint32_t with_site; /* devices whose SD-WAN site is known */
};
struct fleet_figures fleet_figures(const struct fleet *f);

/* For the printers of plan and record: pointers are borrowed from the incident and from `room`. */
struct fleet_view_room {
	struct evidence evidence[FLEET_EVIDENCE_MAX];
};
void fleet_view(const struct fleet_incident *incident, struct fleet_view_room *room, struct incident *ret);

#endif
