/* SPDX-License-Identifier: MIT */
/*
 * Evidence between two gateways that both run spimend: one asks the other to freeze what its recorder has of the flows
 * between exactly two ends, and to hand it over. Plain data of fixed size between the roles; the peer is named by its place
 * in the configuration and by a mark of that entry.
 */
#ifndef MODEL_EVIDENCE_ASK_H
#define MODEL_EVIDENCE_ASK_H

#include "model/config.h"
#include "model/incident.h"
#include "model/recorded.h"

#define EVIDENCE_ANSWER_MAX (512u << 10) /* bytes of what is handed over */
#define EVIDENCE_PART_MAX 8192
#define EVIDENCE_WHY_MAX 96

struct evidence_ask {
	uint64_t number; /* of whoever asks; not 0 */
	uint32_t peer;
	uint64_t mark;   /* evidence_peer_mark() */
	char id[INCIDENT_ID_MAX];
	struct spimend_address ends[2];
};

struct evidence_part { /* of the answer: bytes of parse/segment */
	uint64_t number;
	uint32_t total, at, len;
	bool failed;     /* there is none: `why`; nothing else counts */
	bool has_clock;  /* of the other end: so far its wall clock is ahead of ours, and at most so wrong that is */
	int64_t offset_ns, error_ns;
	char why[EVIDENCE_WHY_MAX]; /* printable */
	uint8_t bytes[EVIDENCE_PART_MAX];
};

uint64_t evidence_peer_mark(const struct config_evidence_peer *peer);
bool evidence_valid_ask(const struct evidence_ask *ask);
bool evidence_valid_part(const struct evidence_part *part);
/* What a gateway tells of its record, and what is taken of what another one tells: its own events, of exactly the two ends,
 * and nothing that was typed or printed, no debugs, no word about clocks. `end`: the host name that all of it has. */
bool evidence_is_shared(const struct recorded *event, const struct spimend_address ends[2], struct text end);

/* As NTP has it (RFC 5905 8): sent at t1 and heard back at t4 by our clock, taken at t2 and answered at t3 by theirs. False:
 * the stamps cannot be. */
bool evidence_clock(int64_t t1, int64_t t2, int64_t t3, int64_t t4, int64_t *ret_offset, int64_t *ret_error);

#endif
