/* SPDX-License-Identifier: MIT */
/*
 * The judge: weighs what observers say, flow by flow, and says which of five things it is: undecided, transient, desync,
 * noise, other fault; by which rule; and, as far as logs can tell, why.
 *
 * Called by cmd (analyze) and later by core. Pure and bounded: no clock (every instant is an argument), no I/O, memory
 * within the limits of struct judge_settings whatever is thrown at it. Everything it is told is a claim and may be forged.
 */
#ifndef JUDGE_JUDGE_H
#define JUDGE_JUDGE_H

#include "base/hash.h"
#include "judge/settings.h"
#include "model/incident.h"
#include "model/sa_block.h"

struct judge;

/* `key` seeds the tables: random in production, so that nobody can choose collisions. 0 or -ENOMEM. */
int judge_new(const struct judge_settings *settings, const struct hash_key *key, struct judge **ret);
void judge_free(struct judge *judge);

/* A network whose hosts are known peers or devices of ours. With at least one, sources outside all of them are strangers.
 * Add them before the first claim. -ENOMEM, SPIMEND_E_RANGE for no address or an impossible prefix, or SPIMEND_E_LIMIT
 * beyond JUDGE_PEERS_MAX. */
#define JUDGE_PEERS_MAX 16384
struct judge_peer {
	struct spimend_address address;
	unsigned prefix; /* 0..32 or 0..128 */
	enum ownership owner;
	bool has_kind;
	enum tunnel_kind kind;
};
int judge_add_peer(struct judge *judge, const struct judge_peer *peer);

/* Names a source of evidence, such as a file; the number goes into struct judge_claim. 0 when there is no room. */
uint32_t judge_add_source(struct judge *judge, struct text name);

/* One fact, as claimed. */
struct judge_claim {
	const struct fact *fact;
	struct text host;    /* the writer's name; empty when there is none */
	bool has_at;
	struct instant at;
	bool has_heard_at;
	struct instant heard_at; /* the log's own clock, the one of judge_hear() */
	bool is_repeat;          /* "last message repeated": never a copy */
	bool is_alone;           /* without a host, nothing ties it to other claims of its source */
	uint32_t source;         /* of judge_add_source() */
	uint64_t line;
	struct text text;
};
void judge_claim(struct judge *judge, const struct judge_claim *claim);
void judge_block(struct judge *judge, const struct sa_block *block, uint32_t source, uint64_t line);

/* The observer of that name was heard until then. For lines without a name, the device's address as text. */
void judge_hear(struct judge *judge, struct text observer, struct instant last);

/*
 * Is there a flow of which is not known whether its observer logged on long enough after it? That decides the verdict of
 * a flow seen once, and tells of a black hole whether it may be over. *ret_earliest is the first instant whose lines could
 * tell about any of them. For readers that passed ordinary lines over and can look again.
 */
bool judge_wants_to_hear(const struct judge *judge, struct instant *ret_earliest);

/* Lets go of flows of which nothing was heard since then: for judges that live long. How many. Settle before reading on. */
uint32_t judge_forget(struct judge *judge, struct instant since);

/*
 * To be called while judge_settle() works, some thousand small steps apart however much there is to weigh: for who has other
 * things to do meanwhile, and may come back later. Until judge_settle() has returned nothing else may be called with this
 * judge. Whether it is or is not called changes no result. NULL: nothing is.
 */
typedef void judge_breath_fn(void *context);
void judge_breathe(struct judge *judge, judge_breath_fn *breath, void *context);

/* Weighs everything anew. Afterwards the incidents can be read, ordered by first_seen, then flow, until the next claim. */
int judge_settle(struct judge *judge);
/* How many flows there are to weigh. */
uint32_t judge_flow_count(const struct judge *judge);
size_t judge_incidents(const struct judge *judge);
/* How many incidents have each verdict; and the verdict of one: cheap, where the rest of the incident is not wanted. */
void judge_verdicts(const struct judge *judge, uint64_t ret[VERDICT_OTHER_FAULT + 1]);
enum verdict judge_verdict(const struct judge *judge, size_t index);
/* The least that is to be known of one, as cheap. */
struct judge_glance {
	enum verdict verdict;
	bool has_times;
	bool is_one_flow; /* with source, destination and SPI, and packets that no SA was found for */
	struct instant first, last;
	uint64_t messages;
	const struct spimend_address *src, *dst; /* borrowed until the next claim */
};
struct judge_glance judge_glance(const struct judge *judge, size_t index);
void judge_incident_id(const struct judge *judge, size_t index, char ret[INCIDENT_ID_MAX]);
/* Fills *ret; its pointers are borrowed until the next call. */
void judge_incident(struct judge *judge, size_t index, struct incident *ret);

struct judge_counts {
	uint64_t messages;   /* unknown-SPI messages that counted: repeats included, copies not */
	uint64_t copies;
	uint64_t evicted;    /* flows dropped from the table (remembered as ghosts as long as there is room) */
	uint64_t forgotten;  /* ghosts overwritten: a repeat of these would not be noticed */
	uint64_t refused;    /* flows that found no place at all */
	uint64_t neighbours_dropped;
	uint64_t blocks_dropped;
};
const struct judge_counts *judge_counts(const struct judge *judge);

#endif
