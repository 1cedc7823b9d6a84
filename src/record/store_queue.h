/* SPDX-License-Identifier: MIT */
/* Changes that are not written yet, one a key, bounded; and what a store is made of. Private to record/store. */
#ifndef RECORD_STORE_QUEUE_H
#define RECORD_STORE_QUEUE_H

#include "base/hash.h"
#include "record/store_private.h"

struct queue_op {
	bool is_drop;
	struct ledger_entry entry; /* of a drop only its key */
};

struct store_queue {
	struct hash_key key;
	struct queue_op *ops; /* owns; `op_room` of them */
	uint32_t *slots;      /* owns; index + 1 into ops, 0 free; twice op_room */
	uint32_t op_count, op_room;
	struct core_incident **incidents; /* owns, each too; those behind the count are kept for the next */
	uint32_t incident_count, incident_room;
};

void queue_done(struct store_queue *q);
/* 0, -ENOMEM, or SPIMEND_E_LIMIT. `entry` NULL: a drop. */
int queue_ledger(struct store_queue *q, const struct sa_key *key, const struct ledger_entry *entry);
int queue_incident(struct store_queue *q, const struct core_incident *incident);
const struct core_incident *queue_find_incident(const struct store_queue *q, const char *id);
/* All incidents and the first `ops` changes of the ledger are on disk. */
void queue_written(struct store_queue *q, uint32_t ops);

struct claim_queue {
	struct kept_claim *rows; /* owns: STORE_PENDING_CLAIMS_MAX; made with the first */
	uint32_t count;
	uint64_t number;         /* of the latest */
};

struct case_queue {
	struct fleet_incident **at; /* owns: STORE_PENDING_CASES_MAX, made with the first; each too */
	uint32_t count;
};

enum store_statement {
	STATEMENT_BEGIN,
	STATEMENT_COMMIT,
	STATEMENT_ROLLBACK,
	STATEMENT_ORDER_GET,
	STATEMENT_ORDER_SET,
	STATEMENT_LEDGER_PUT,
	STATEMENT_LEDGER_DROP,
	STATEMENT_LEDGER_ALL,
	STATEMENT_INCIDENT_PUT,
	STATEMENT_INCIDENT_ALL,
	STATEMENT_INCIDENT_ONE,
	STATEMENT_STEP_PUT,
	STATEMENT_STEP_DROP,
	STATEMENT_STEP_ALL,
	STATEMENT_EVIDENCE_PUT,
	STATEMENT_EVIDENCE_DROP,
	STATEMENT_EVIDENCE_ALL,
	STATEMENT_CLAIM_PUT,
	STATEMENT_CLAIM_ALL,
	STATEMENT_CASE_PUT,
	STATEMENT_CASE_ALL,
	STATEMENT_CASE_ONE,
	STATEMENT_CASE_STEP_PUT,
	STATEMENT_CASE_STEP_DROP,
	STATEMENT_CASE_STEP_ALL,
	STATEMENT_CASE_EVIDENCE_PUT,
	STATEMENT_CASE_EVIDENCE_DROP,
	STATEMENT_CASE_EVIDENCE_ALL,
	STATEMENT_RETAIN_CASE_AGE,
	STATEMENT_RETAIN_CASE_COUNT,
	STATEMENT_RETAIN_CASE_STEPS,
	STATEMENT_RETAIN_CASE_EVIDENCE,
	STATEMENT_RETAIN_CLAIMS,
	STATEMENT_RETAIN_AGE,
	STATEMENT_RETAIN_COUNT,
	STATEMENT_RETAIN_STEPS,
	STATEMENT_RETAIN_EVIDENCE,
	STATEMENT_RETAIN_LEDGER,
	STATEMENT_COUNT,
	STATEMENT_SHRINK,
	STATEMENTS
};

struct store {
	sqlite3 *db;                          /* owns */
	sqlite3_stmt *statements[STATEMENTS]; /* owns */
	struct store_limits limits;
	struct store_queue queue;
	struct claim_queue claims;
	struct case_queue cases;
	struct store_figures figures;
	uint32_t until_retain;
};

/* --- store_claims.c --- */

/* Within the transaction of a flush: a result code of SQLite. */
int store_write_claims(struct store *s, uint32_t count, struct instant wall);
/* How many of those that wait are written at once; so many are on disk. */
uint32_t store_claims_due(const struct store *s);
void store_claims_written(struct store *s, uint32_t count);

/* --- store_cases.c --- */

/* All that wait, within the transaction of a flush: a result code of SQLite. */
int store_write_cases(struct store *s);
void store_cases_written(struct store *s);
int store_retain_cases(struct store *s, struct instant wall);
void store_cases_done(struct store *s);

/* Runs a statement that gives no rows, and makes it ready for the next time. A result code. */
int store_step_done(sqlite3_stmt *statement);
/* Negative errno of a result code. */
int store_errno(sqlite3 *db, int code);

#endif
