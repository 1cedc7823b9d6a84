/* SPDX-License-Identifier: MIT */
/*
 * The judge of capture files. With the receiver's SA table of that time it knows exactly which SPIs the receiver did not
 * have; without one it finds what looks like it: one-way flows, a sender that goes on with an old SA, INVALID_SPI notifies
 * in clear. These are candidates: undecided, of confidence possible.
 *
 * Called by cmd (analyze). Pure and bounded; beside the judge of logs, whose settings and known peers it uses. Every packet
 * may be forged, and a capture says only what passed one place.
 */
#ifndef JUDGE_CAPTURE_H
#define JUDGE_CAPTURE_H

#include "judge/judge.h"
#include "model/packet.h"
#include "model/saved.h"

#define CAPTURE_FILES_MAX 4096
#define CAPTURE_BATCH_MAX 128
/* DESIGN.md 4, "from packets": so many, over at least so long, with rising sequence numbers, are no packets in flight. */
#define CAPTURE_PROOF_PACKETS 3
#define CAPTURE_PROOF_NS (200 * INT64_C(1000000))
#define CAPTURE_ONE_WAY_NS (10 * SECOND_NS) /* one direction alone for so long is worth a word */
#define CAPTURE_SLACK_NS (2 * SECOND_NS)    /* beyond the overlap of a rekey */
#define CAPTURE_NEWBORN 4 /* an SA whose lowest sequence number is no higher began within the capture */

struct capture_judge;

/* Borrows the judge: its settings and its peers. 0 or -ENOMEM. */
int capture_judge_new(const struct judge *judge, const struct hash_key *key, struct capture_judge **ret);
void capture_judge_free(struct capture_judge *judge); /* NULL is fine */

/* A capture file by its name: a number, or -E2BIG, -ENOMEM. */
int capture_judge_file(struct capture_judge *judge, struct text name);
/* At most CAPTURE_BATCH_MAX of them. */
void capture_judge_packets(struct capture_judge *judge, int file, const struct packet *packets, size_t count);
/* From when to when there were packets of any kind: how long it went on without a flow. */
void capture_judge_span(struct capture_judge *judge, int64_t first_ns, int64_t last_ns);

/* The receiver's saved outputs, from the file of that name; as parse/device_output gives them. 0 or -ENOMEM. */
int capture_judge_table_file(struct capture_judge *judge, struct text name);
int capture_judge_table_begin(struct capture_judge *judge, enum saved_output output, const struct saved_filter *filter);
int capture_judge_table_add(struct capture_judge *judge, const struct saved_record *record);
void capture_judge_table_end(struct capture_judge *judge, bool cut);
/* An address of the receiver, where the outputs do not tell it. 0 or -ENOMEM. */
int capture_judge_receiver(struct capture_judge *judge, const struct spimend_address *address);
/* All outputs were given. 0; -ENOENT: none of them lists SAs; -ENODATA: nothing tells which addresses are the receiver's;
 * -ENOMEM. */
int capture_judge_table_finish(struct capture_judge *judge);

/* Everything was given: weighs it. 0 or -ENOMEM. Incidents are ordered by first_seen, then flow. */
int capture_judge_settle(struct capture_judge *judge);
size_t capture_judge_incidents(const struct capture_judge *judge);
enum verdict capture_judge_verdict(const struct capture_judge *judge, size_t index);
/* Fills *ret; its pointers are borrowed until the next call. */
void capture_judge_incident(struct capture_judge *judge, size_t index, struct incident *ret);

/* ---- what was seen, for the summary ---- */

struct capture_flow { /* one SPI */
	struct packet_key key;
	uint64_t packets, bytes;
	bool has_times;
	struct instant first, last;
	uint32_t sequence_first, sequence_last;
	bool is_new;      /* it began within the capture, behind another one of the pair: an SPI change */
	bool is_one_way;  /* nothing came the other way */
	bool is_judged;   /* towards the receiver whose table was given */
	bool is_known;    /* and it had the SA */
};
/* ESP and AH, pair by pair, in order of time. */
size_t capture_judge_flows(const struct capture_judge *judge);
void capture_judge_flow(const struct capture_judge *judge, size_t index, struct capture_flow *ret);

struct capture_judge_counts {
	uint64_t flows, pairs, spi_changes, one_way_pairs; /* of ESP and AH */
	uint64_t judged, known;                 /* flows towards the receiver; of which it had the SA */
	uint64_t ike[EXCHANGES][2];         /* messages by exchange: requests (IKEv1: all) and responses */
	uint64_t notifies;                      /* INVALID_SPI in clear */
	uint64_t evicted, refused_packets;      /* limits that were met */
	uint64_t table_sas, table_refused;
};
void capture_judge_counts(const struct capture_judge *judge, struct capture_judge_counts *ret);

#endif
