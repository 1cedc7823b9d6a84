/* SPDX-License-Identifier: MIT */
/* Evidence between two gateways, in the role core: see role/core_evidence.c. Private to the role core. */
#ifndef ROLE_CORE_EVIDENCE_H
#define ROLE_CORE_EVIDENCE_H

#include "model/evidence_ask.h"
#include "record/frozen.h"

#define MIND_WISHES_MAX 32
#define MIND_DEBTS_MAX 32

struct mind;

struct mind_evidence {
	uint64_t number;
	struct mind_evidence_wish { /* an incident whose peer is asked */
		bool used, is_trap;      /* is_trap: no peer of ours, it gets a trap when the window is over */
		struct evidence_ask ask; /* number: of the latest time */
		struct spimend_address address; /* the peer's */
		uint32_t asked;
		int64_t due, answer_by;  /* mono; answer_by 0: none is waited for */
		struct buffer bytes;     /* of its answer so far */
		bool has_clock;
		int64_t offset_ns, error_ns;
	} wishes[MIND_WISHES_MAX];
	struct mind_evidence_debt { /* what a peer asked for */
		struct evidence_ask asked;
		bool is_answered;
		int64_t at;              /* mono */
	} debts[MIND_DEBTS_MAX];
};

/* A window was opened: where one of its ends is a peer of ours, that one is asked. */
void mind_evidence_wanted(struct mind *mind, const struct frozen_want *want);
void mind_evidence_fetched(struct mind *mind, const struct evidence_part *part);
void mind_evidence_asked(struct mind *mind, const struct evidence_ask *asked);
/* About once a second. */
void mind_evidence_tick(struct mind *mind);
void mind_evidence_done(struct mind *mind);

#endif
