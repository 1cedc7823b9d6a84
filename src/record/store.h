/* SPDX-License-Identifier: MIT */
/*
 * What must survive a restart, in one SQLite file (WAL) of the state directory: the ledger, the incidents with their steps
 * and evidence, the gateway's own and those between other devices (cases), and the next order id. No key material has a
 * column.
 *
 * Called by the role `core`. store_put_*() only remember, coalescing by key, and bounded; store_flush() writes what is
 * remembered in one transaction. When that fails (disk full, read-only) nothing is lost: it stays remembered, the next flush
 * tries again, and the caller goes on judging and says what store_trouble() tells. Never decides anything, never logs.
 */
#ifndef RECORD_STORE_H
#define RECORD_STORE_H

#include "core/core.h"
#include "fleet/fleet.h"
#include "model/incident_row.h"
#include "model/syslog.h"

#define STORE_FILE "spimend.db"
#define STORE_PATH_MAX 256
/* Changes remembered while they cannot be written; beyond that further keys are not taken, and counted. */
#define STORE_PENDING_LEDGER_MAX 65536
#define STORE_PENDING_INCIDENTS_MAX 1024
#define STORE_PENDING_CASES_MAX 1024
#define STORE_RESTORE_CASES_MAX 1024 /* of those that are over, the newest */
#define STORE_FLUSH_LEDGER_MAX 4096 /* of one flush, so that it holds nobody up; store_has_pending() tells of the rest */

struct store; /* opaque */

struct store_limits {
	uint32_t incidents;   /* closed ones kept on disk: the newest */
	int64_t age_ns;       /* and none whose last sighting is older */
	uint32_t ledger;      /* entries kept: struct config.ledger_max */
};
/* As the configuration says: 10,000 incidents, 90 days, its ledger. */
struct store_limits store_limits_of(const struct config *config);

struct store_opening { /* what store_open() found; worth a line in the log each */
	bool created;
	bool migrated;               /* an older version's was brought up to date */
	bool not_compacted;          /* an older version's: what it lets go is used again, but the file does not shrink */
	bool moved_aside;            /* the file was damaged: it is kept as `aside`, a new one was made */
	char aside[STORE_PATH_MAX];
	char why[128];               /* of moved_aside */
};

/*
 * Opens or makes DIRECTORY/spimend.db. A damaged file is moved aside, never deleted. -EBUSY: another process has it.
 * -EPROTO: a newer version wrote it. Else a negative errno. `wall` names the file that is moved aside.
 */
int store_open(const char *directory, const struct store_limits *limits, struct instant wall, struct store **ret,
	       struct store_opening *ret_opening);
/* Flushes what it can, and closes. */
void store_close(struct store *store);

/* Gives `count` order ids that were never given before and never will be, on disk before it returns. */
int store_reserve_orders(struct store *store, uint32_t count, uint64_t *ret_first);

/* Ledger: all entries, oldest born first. Incidents: all that are not over, and the newest of those that are, up to
 * `most`; by first sighting. A row that makes no sense is skipped and counted. 0 or negative errno. */
typedef void store_ledger_fn(void *context, const struct ledger_entry *entry);
typedef void store_incident_fn(void *context, const struct core_incident *incident);
int store_restore_ledger(struct store *store, store_ledger_fn *each, void *context);
int store_restore_incidents(struct store *store, uint32_t most, store_incident_fn *each, void *context);

/* 0 or -ENOMEM. */
int store_put_ledger(struct store *store, const struct ledger_entry *entry);
int store_drop_ledger(struct store *store, const struct sa_key *key);
int store_put_incident(struct store *store, const struct core_incident *incident);
/* A claim of the fleet's syslog. The latest STORE_CLAIMS_MAX of STORE_CLAIMS_AGE are kept. */
#define STORE_CLAIMS_MAX 65536u
#define STORE_CLAIMS_AGE (25 * HOUR_NS) /* repeats count within 24 h */
#define STORE_PENDING_CLAIMS_MAX 32768  /* beyond that further ones are not kept, and counted */
#define STORE_FLUSH_CLAIMS_MAX 4096     /* of one flush */
int store_put_claim(struct store *store, const struct syslog_claim *claim);
/* All of them, in the order in which they came. 0 or negative errno. */
typedef void store_claim_fn(void *context, const struct syslog_claim *claim);
int store_restore_claims(struct store *store, store_claim_fn *each, void *context);
/* Incidents between other devices. What comes back is all that are not over and the newest of those that are, by first
 * sighting; a row that makes no sense is skipped and counted. store_find_case(): as store_find_incident(). */
typedef void store_case_fn(void *context, const struct fleet_incident *incident);
int store_put_case(struct store *store, const struct fleet_incident *incident);
int store_restore_cases(struct store *store, store_case_fn *each, void *context);
int store_find_case(struct store *store, const char *id, struct fleet_incident *ret);
bool store_has_pending(const struct store *store);
/* Writes what is remembered: all incidents, and of the ledger's changes the oldest; from time to time also lets go what is
 * beyond the limits. 0 or negative errno (-ENOSPC ...). */
int store_flush(struct store *store, struct instant wall);

struct store_figures {
	uint32_t pending_ledger, pending_incidents, pending_cases;
	uint64_t claims_lost; /* syslog's, not kept */
	uint64_t flushes, failures, lost /* made room while it could not be written */, rows_skipped;
	int trouble;          /* negative errno of the latest flush, 0 when it went well */
	char trouble_text[96]; /* SQLite's words, printable */
};
struct store_figures store_figures(const struct store *store);

/* Incidents on disk, the gateway's own and those between devices, in no order: at least all that the filter takes, which is
 * to be asked again of each. `each` returns false to stop; it must not call the store. The device of the gateway's own is
 * left empty. What waits to be written is not among them. 0 or negative errno. */
typedef bool store_row_fn(void *context, const struct incident_row *row);
int store_list(struct store *store, const struct incident_filter *filter, store_row_fn *each, void *context);
/* How many there are on disk. */
uint64_t store_count(struct store *store);

/* A reload: what is kept from the next flush on. */
void store_set_limits(struct store *store, const struct store_limits *limits);

/* One incident from the disk that core has forgotten already: for `spimend explain`. 0, -ENOENT, or another errno. */
int store_find_incident(struct store *store, const char *id, struct core_incident *ret);

#endif
