/* SPDX-License-Identifier: MIT */
/*
 * What `act` was told to do and what came of it, on disk before it is done: after a crash of `act` or `core` no order
 * runs twice.
 *
 * A file of JOURNAL_RECORDS_MAX fixed slots, each with a sequence number and a checksum, written round and round: so it is
 * bounded without ever being rewritten, and a crash can damage the slot in hand only. Intents reach the disk
 * (fdatasync) before journal_intent() returns. The file comes as a descriptor; nothing is opened here.
 *
 * The way of an order in the role `act`:
 *
 *     journal_find()        known: answer from it, OUTCOME_UNKNOWN for an intent without a result; do not run it
 *     act_budget_allows()   no: OUTCOME_OVER_BUDGET, journal_result() alone
 *     journal_intent()      fails: OUTCOME_FAILED, do not run it
 *     act_budget_note(), ike_daemon_order(), later journal_result()
 */
#ifndef REPAIR_JOURNAL_H
#define REPAIR_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "model/gateway.h"

#define JOURNAL_RECORDS_MAX 4096 /* 1 MiB */

struct journal; /* opaque */

enum journal_known { JOURNAL_NEVER, JOURNAL_INTENT, JOURNAL_RESULT };

/* Takes a regular file, open for reading and writing (closes it, also on failure), and reads it. A file that is damaged is
 * read as far as it goes; only one that cannot be read or that another version wrote (-EPROTO) is an error. */
int journal_new(int fd, struct journal **ret);
void journal_free(struct journal *j);

/* Whether that order was seen. JOURNAL_INTENT sets *ret to OUTCOME_UNKNOWN; JOURNAL_NEVER leaves it alone. An order
 * whose records were written over long ago is JOURNAL_NEVER. */
enum journal_known journal_find(const struct journal *j, uint64_t order, struct order_result *ret);

/* 0 or negative errno. The intent is on disk when it returns 0. */
int journal_intent(struct journal *j, const struct order *order, struct instant wall);
int journal_result(struct journal *j, const struct order_result *result, struct instant wall);

/* The intents that are kept, oldest first: for act_budget_replay(). */
void journal_each_intent(const struct journal *j,
			 void (*each)(void *context, const struct order *order, struct instant wall), void *context);

struct journal_counts {
	uint64_t kept, damaged, overwritten, write_failures;
};
struct journal_counts journal_count(const struct journal *j);

#endif
