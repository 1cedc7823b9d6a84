/* SPDX-License-Identifier: MIT */
#include "record/store.h"

#include <errno.h>
#include <sys/random.h>

#include "base/memory.h"
#include "record/store_private.h"
#include "record/store_queue.h"
#include "spimend/error.h"

#define RETAIN_EVERY 256 /* flushes; and at the first one */

struct store_limits store_limits_of(const struct config *config)
{
	return (struct store_limits){ .incidents = config->keep_incidents, .age_ns = config->keep_days * DAY_NS,
				      .ledger = config->ledger_max };
}

void store_set_limits(struct store *s, const struct store_limits *limits)
{
	s->limits = *limits;
	s->until_retain = 0;
}

/* What people read of it, and what the caller gets. */
static int fail(struct store *s, int code)
{
	int error = store_errno(s->db, code);

	s->figures.trouble = error;
	text_copy(text_of(s->db ? sqlite3_errmsg(s->db) : sqlite3_errstr(code)), s->figures.trouble_text,
		  sizeof(s->figures.trouble_text));
	return error;
}

int store_step_done(sqlite3_stmt *statement)
{
	int code = sqlite3_step(statement);

	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return code == SQLITE_DONE || code == SQLITE_ROW ? SQLITE_OK : code;
}

static int run(struct store *s, enum store_statement which)
{
	return store_step_done(s->statements[which]);
}

/* --- Order ids ------------------------------------------------------------------------------------------------- */

int store_reserve_orders(struct store *s, uint32_t count, uint64_t *ret_first)
{
	sqlite3_stmt *get = s->statements[STATEMENT_ORDER_GET], *set = s->statements[STATEMENT_ORDER_SET];
	int code = run(s, STATEMENT_BEGIN);
	uint64_t first = 0;

	if (code != SQLITE_OK)
		return fail(s, code);
	code = sqlite3_step(get);
	if (code == SQLITE_ROW)
		first = (uint64_t)sqlite3_column_int64(get, 0);
	sqlite3_reset(get);
	if (code == SQLITE_ROW) {
		sqlite3_bind_int64(set, 1, (sqlite3_int64)(first + count));
		code = store_step_done(set);
	}
	if (code == SQLITE_OK)
		code = run(s, STATEMENT_COMMIT);
	if (code != SQLITE_OK) {
		int error = fail(s, code == SQLITE_DONE ? SQLITE_CORRUPT : code);

		run(s, STATEMENT_ROLLBACK);
		return error;
	}
	*ret_first = first;
	return 0;
}

/* --- Coming back ----------------------------------------------------------------------------------------------- */

int store_restore_ledger(struct store *s, store_ledger_fn *each, void *context)
{
	sqlite3_stmt *statement = s->statements[STATEMENT_LEDGER_ALL];
	int code;

	while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
		struct ledger_entry entry = { 0 };

		if (table_read(&table_ledger, statement, 0, &entry))
			each(context, &entry);
		else
			s->figures.rows_skipped++;
	}
	sqlite3_reset(statement);
	return code == SQLITE_DONE ? 0 : fail(s, code);
}

/* Steps or evidence of one incident, in order; returns how many. */
static int read_parts(struct store *s, const struct table *table, const char *id, void *to, size_t size, uint32_t most,
		      uint32_t *ret_count)
{
	sqlite3_stmt *statement = s->statements[table == &table_step ? STATEMENT_STEP_ALL : STATEMENT_EVIDENCE_ALL];
	int code = sqlite3_bind_text(statement, 1, id, -1, SQLITE_TRANSIENT);
	uint32_t count = 0;

	while (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW && count < most) {
		if (table_read(table, statement, 0, (char *)to + count * size))
			count++;
		else
			s->figures.rows_skipped++;
		code = SQLITE_OK;
	}
	sqlite3_reset(statement);
	*ret_count = count;
	return code == SQLITE_DONE || code == SQLITE_ROW ? SQLITE_OK : code;
}

static int read_rest(struct store *s, struct core_incident *i)
{
	int code = read_parts(s, &table_step, i->id, i->steps, sizeof(i->steps[0]), CORE_STEPS_MAX, &i->step_count);

	if (code == SQLITE_OK)
		code = read_parts(s, &table_evidence, i->id, i->evidence, sizeof(i->evidence[0]), CORE_EVIDENCE_MAX,
				  &i->evidence_count);
	return code;
}

int store_restore_incidents(struct store *s, uint32_t most, store_incident_fn *each, void *context)
{
	struct core_incident *incident cleanup(memory_free_pointer) = memory_new(1, sizeof(*incident));
	sqlite3_stmt *statement = s->statements[STATEMENT_INCIDENT_ALL];
	int code;

	if (!incident)
		return -ENOMEM;
	code = sqlite3_bind_int64(statement, 1, most);
	while (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
		memset(incident, 0, sizeof(*incident));
		code = SQLITE_OK;
		if (!table_read(&table_incident, statement, 0, incident)) {
			s->figures.rows_skipped++;
			continue;
		}
		code = read_rest(s, incident);
		if (code == SQLITE_OK)
			each(context, incident);
	}
	sqlite3_reset(statement);
	return code == SQLITE_DONE ? 0 : fail(s, code);
}

int store_find_incident(struct store *s, const char *id, struct core_incident *ret)
{
	struct core_incident *incident cleanup(memory_free_pointer) = NULL;
	const struct core_incident *waiting = queue_find_incident(&s->queue, id);
	sqlite3_stmt *statement = s->statements[STATEMENT_INCIDENT_ONE];
	bool found = false;
	int code;

	if (waiting) {
		*ret = *waiting;
		return 0;
	}
	incident = memory_new(1, sizeof(*incident));
	if (!incident)
		return -ENOMEM;
	code = sqlite3_bind_text(statement, 1, id, -1, SQLITE_TRANSIENT);
	if (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW)
		found = table_read(&table_incident, statement, 0, incident);
	sqlite3_reset(statement);
	if (code == SQLITE_DONE || (code == SQLITE_ROW && !found))
		return -ENOENT;
	if (code == SQLITE_ROW)
		code = read_rest(s, incident);
	if (code != SQLITE_OK)
		return store_errno(s->db, code);
	*ret = *incident;
	return 0;
}

/* --- Keeping --------------------------------------------------------------------------------------------------- */

static int put(struct store *s, int result)
{
	if (result == SPIMEND_E_LIMIT) {
		s->figures.lost++;
		return 0;
	}
	return result;
}

int store_put_ledger(struct store *s, const struct ledger_entry *entry)
{
	return put(s, queue_ledger(&s->queue, &entry->key, entry));
}

int store_drop_ledger(struct store *s, const struct sa_key *key)
{
	return put(s, queue_ledger(&s->queue, key, NULL));
}

int store_put_incident(struct store *s, const struct core_incident *incident)
{
	return put(s, queue_incident(&s->queue, incident));
}

bool store_has_pending(const struct store *s)
{
	return s->queue.op_count || s->queue.incident_count || s->claims.count || s->cases.count;
}

static int write_ledger(struct store *s, const struct queue_op *op)
{
	sqlite3_stmt *statement = s->statements[op->is_drop ? STATEMENT_LEDGER_DROP : STATEMENT_LEDGER_PUT];
	char address[SPIMEND_ADDRESS_TEXT_MAX];
	int code;

	if (op->is_drop) {
		spimend_address_print(&op->entry.key.dst, address);
		sqlite3_bind_text(statement, 1, address, -1, SQLITE_TRANSIENT);
		sqlite3_bind_int(statement, 2, op->entry.key.protocol);
		sqlite3_bind_int64(statement, 3, op->entry.key.spi);
		return store_step_done(statement);
	}
	code = table_bind(&table_ledger, statement, 1, &op->entry);
	return code == SQLITE_OK ? store_step_done(statement) : code;
}

static int write_parts(struct store *s, const struct table *table, const char *id, const void *from, size_t size,
		       uint32_t count)
{
	bool is_step = table == &table_step;
	sqlite3_stmt *drop = s->statements[is_step ? STATEMENT_STEP_DROP : STATEMENT_EVIDENCE_DROP];
	sqlite3_stmt *add = s->statements[is_step ? STATEMENT_STEP_PUT : STATEMENT_EVIDENCE_PUT];
	int code;

	sqlite3_bind_text(drop, 1, id, -1, SQLITE_TRANSIENT);
	code = store_step_done(drop);
	for (uint32_t i = 0; i < count && code == SQLITE_OK; i++) {
		sqlite3_bind_text(add, 1, id, -1, SQLITE_TRANSIENT);
		sqlite3_bind_int64(add, 2, i);
		code = table_bind(table, add, 3, (const char *)from + i * size);
		if (code == SQLITE_OK)
			code = store_step_done(add);
	}
	return code;
}

static int write_incident(struct store *s, const struct core_incident *i)
{
	sqlite3_stmt *statement = s->statements[STATEMENT_INCIDENT_PUT];
	int code = table_bind(&table_incident, statement, 1, i);

	if (code == SQLITE_OK)
		code = store_step_done(statement);
	if (code == SQLITE_OK)
		code = write_parts(s, &table_step, i->id, i->steps, sizeof(i->steps[0]), i->step_count);
	if (code == SQLITE_OK)
		code = write_parts(s, &table_evidence, i->id, i->evidence, sizeof(i->evidence[0]), i->evidence_count);
	return code;
}

/* Lets go what is beyond the limits: what is over first. */
static int retain(struct store *s, struct instant wall)
{
	int code;

	sqlite3_bind_int64(s->statements[STATEMENT_RETAIN_AGE], 1, wall.ns - s->limits.age_ns);
	code = run(s, STATEMENT_RETAIN_AGE);
	if (code == SQLITE_OK) {
		sqlite3_bind_int64(s->statements[STATEMENT_RETAIN_COUNT], 1, s->limits.incidents);
		code = run(s, STATEMENT_RETAIN_COUNT);
	}
	if (code == SQLITE_OK)
		code = run(s, STATEMENT_RETAIN_STEPS);
	if (code == SQLITE_OK)
		code = run(s, STATEMENT_RETAIN_EVIDENCE);
	if (code == SQLITE_OK) {
		sqlite3_bind_int64(s->statements[STATEMENT_RETAIN_LEDGER], 1, s->limits.ledger);
		code = run(s, STATEMENT_RETAIN_LEDGER);
	}
	return code == SQLITE_OK ? store_retain_cases(s, wall) : code;
}

/* Gives pages that are free back to the file system, so many at a time that nobody waits for it. What fails here is tried
 * again the next time: nothing is lost by it. */
static void shrink(struct store *s)
{
	sqlite3_stmt *statement = s->statements[STATEMENT_SHRINK];

	while (sqlite3_step(statement) == SQLITE_ROW)
		; /* a row a page */
	sqlite3_reset(statement);
}

int store_flush(struct store *s, struct instant wall)
{
	uint32_t ops = s->queue.op_count < STORE_FLUSH_LEDGER_MAX ? s->queue.op_count : STORE_FLUSH_LEDGER_MAX;
	uint32_t claims = store_claims_due(s);
	int code;

	if (!store_has_pending(s))
		return s->figures.trouble;
	code = run(s, STATEMENT_BEGIN);
	for (uint32_t i = 0; i < s->queue.incident_count && code == SQLITE_OK; i++)
		code = write_incident(s, s->queue.incidents[i]);
	for (uint32_t i = 0; i < ops && code == SQLITE_OK; i++)
		code = write_ledger(s, &s->queue.ops[i]);
	if (code == SQLITE_OK)
		code = store_write_cases(s);
	if (code == SQLITE_OK)
		code = store_write_claims(s, claims, wall);
	if (code == SQLITE_OK && s->until_retain == 0)
		code = retain(s, wall);
	if (code == SQLITE_OK)
		code = run(s, STATEMENT_COMMIT);
	if (code != SQLITE_OK) {
		int error = fail(s, code);

		s->figures.failures++;
		if (!sqlite3_get_autocommit(s->db)) /* a full disk may have ended it already */
			run(s, STATEMENT_ROLLBACK);
		return error;
	}
	if (s->until_retain == 0)
		shrink(s);
	queue_written(&s->queue, ops);
	store_claims_written(s, claims);
	store_cases_written(s);
	s->until_retain = s->until_retain ? s->until_retain - 1 : RETAIN_EVERY - 1;
	s->figures.flushes++;
	s->figures.trouble = 0;
	s->figures.trouble_text[0] = '\0';
	return 0;
}

struct store_figures store_figures(const struct store *s)
{
	struct store_figures figures = s->figures;

	figures.pending_ledger = s->queue.op_count;
	figures.pending_incidents = s->queue.incident_count;
	figures.pending_cases = s->cases.count;
	return figures;
}
