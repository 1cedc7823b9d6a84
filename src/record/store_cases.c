/* SPDX-License-Identifier: MIT */
/* Incidents between other devices, as the fleet's mind has them: put, written, restored. */
#include <errno.h>

#include "base/memory.h"
#include "record/store_queue.h"

static struct fleet_incident *find_waiting(const struct case_queue *q, const char *id)
{
	for (uint32_t i = 0; i < q->count; i++)
		if (strncmp(q->at[i]->id, id, INCIDENT_ID_MAX) == 0)
			return q->at[i];
	return NULL;
}

int store_put_case(struct store *s, const struct fleet_incident *incident)
{
	struct case_queue *q = &s->cases;
	struct fleet_incident *to = find_waiting(q, incident->id);

	if (!to && q->count == STORE_PENDING_CASES_MAX) {
		s->figures.lost++;
		return 0;
	}
	if (!to && !q->at)
		q->at = memory_new(STORE_PENDING_CASES_MAX, sizeof(*q->at));
	if (!q->at)
		return -ENOMEM;
	if (!to) {
		to = memory_new(1, sizeof(*to));
		if (!to)
			return -ENOMEM;
		q->at[q->count++] = to;
	}
	*to = *incident;
	return 0;
}

void store_cases_written(struct store *s)
{
	while (s->cases.count)
		memory_free(s->cases.at[--s->cases.count]);
}

void store_cases_done(struct store *s)
{
	store_cases_written(s);
	memory_free(s->cases.at);
	s->cases.at = NULL;
}

/* --- Writing ------------------------------------------------------------------------------------------------------- */

struct parts { /* of an incident: rows of another table, which belong to it */
	const struct table *table;
	enum store_statement drop, put, all;
	size_t at, size; /* in struct fleet_incident; of one */
	uint32_t most;
};

static const struct parts case_parts[] = {
	{ &table_case_step, STATEMENT_CASE_STEP_DROP, STATEMENT_CASE_STEP_PUT, STATEMENT_CASE_STEP_ALL,
	  offsetof(struct fleet_incident, steps), sizeof(struct fleet_step), FLEET_STEPS_MAX },
	{ &table_case_evidence, STATEMENT_CASE_EVIDENCE_DROP, STATEMENT_CASE_EVIDENCE_PUT, STATEMENT_CASE_EVIDENCE_ALL,
	  offsetof(struct fleet_incident, evidence), sizeof(struct fleet_evidence), FLEET_EVIDENCE_MAX },
};

static int write_parts(struct store *s, const struct parts *p, const struct fleet_incident *is, uint32_t count)
{
	sqlite3_stmt *drop = s->statements[p->drop], *put = s->statements[p->put];
	int code;

	sqlite3_bind_text(drop, 1, is->id, -1, SQLITE_TRANSIENT);
	code = store_step_done(drop);
	for (uint32_t i = 0; i < count && i < p->most && code == SQLITE_OK; i++) {
		sqlite3_bind_text(put, 1, is->id, -1, SQLITE_TRANSIENT);
		sqlite3_bind_int64(put, 2, i);
		code = table_bind(p->table, put, 3, (const char *)is + p->at + i * p->size);
		if (code == SQLITE_OK)
			code = store_step_done(put);
	}
	return code;
}

int store_write_cases(struct store *s)
{
	sqlite3_stmt *put = s->statements[STATEMENT_CASE_PUT];
	int code = SQLITE_OK;

	for (uint32_t i = 0; i < s->cases.count && code == SQLITE_OK; i++) {
		const struct fleet_incident *is = s->cases.at[i];

		code = table_bind(&table_case, put, 1, is);
		if (code == SQLITE_OK)
			code = store_step_done(put);
		if (code == SQLITE_OK)
			code = write_parts(s, &case_parts[0], is, is->step_count);
		if (code == SQLITE_OK)
			code = write_parts(s, &case_parts[1], is, is->evidence_count);
	}
	return code;
}

int store_retain_cases(struct store *s, struct instant wall)
{
	static const enum store_statement rest[] = { STATEMENT_RETAIN_CASE_STEPS, STATEMENT_RETAIN_CASE_EVIDENCE };
	int code;

	sqlite3_bind_int64(s->statements[STATEMENT_RETAIN_CASE_AGE], 1, wall.ns - s->limits.age_ns);
	code = store_step_done(s->statements[STATEMENT_RETAIN_CASE_AGE]);
	if (code == SQLITE_OK) {
		sqlite3_bind_int64(s->statements[STATEMENT_RETAIN_CASE_COUNT], 1, s->limits.incidents);
		code = store_step_done(s->statements[STATEMENT_RETAIN_CASE_COUNT]);
	}
	for (size_t i = 0; i < sizeof(rest) / sizeof(rest[0]) && code == SQLITE_OK; i++)
		code = store_step_done(s->statements[rest[i]]);
	return code;
}

/* --- Coming back --------------------------------------------------------------------------------------------------- */

static int read_parts(struct store *s, const struct parts *p, struct fleet_incident *is, uint32_t *ret_count)
{
	sqlite3_stmt *all = s->statements[p->all];
	int code = sqlite3_bind_text(all, 1, is->id, -1, SQLITE_TRANSIENT);
	uint32_t count = 0;

	while (code == SQLITE_OK && (code = sqlite3_step(all)) == SQLITE_ROW && count < p->most) {
		if (table_read(p->table, all, 0, (char *)is + p->at + count * p->size))
			count++;
		else
			s->figures.rows_skipped++;
		code = SQLITE_OK;
	}
	sqlite3_reset(all);
	*ret_count = count;
	return code == SQLITE_DONE || code == SQLITE_ROW ? SQLITE_OK : code;
}

/* The row that `statement` stands on, with its steps and evidence. False: it makes no sense. One of whose steps one makes
 * none is left out as a whole: what is not known of it could be typed again, and steps are named by their number. */
static bool read_case(struct store *s, sqlite3_stmt *statement, struct fleet_incident *ret, int *ret_code)
{
	uint64_t skipped;

	memset(ret, 0, sizeof(*ret));
	*ret_code = SQLITE_OK;
	if (!table_read(&table_case, statement, 0, ret) || ret->spi_count > FLEET_SPIS_MAX || !ret->id[0]) {
		s->figures.rows_skipped++;
		return false;
	}
	skipped = s->figures.rows_skipped;
	*ret_code = read_parts(s, &case_parts[0], ret, &ret->step_count);
	if (*ret_code == SQLITE_OK && s->figures.rows_skipped != skipped)
		return false;
	if (*ret_code == SQLITE_OK)
		*ret_code = read_parts(s, &case_parts[1], ret, &ret->evidence_count);
	return *ret_code == SQLITE_OK;
}

int store_restore_cases(struct store *s, store_case_fn *each, void *context)
{
	struct fleet_incident *incident cleanup(memory_free_pointer) = memory_new(1, sizeof(*incident));
	sqlite3_stmt *statement = s->statements[STATEMENT_CASE_ALL];
	int code;

	if (!incident)
		return -ENOMEM;
	code = sqlite3_bind_int64(statement, 1, STORE_RESTORE_CASES_MAX);
	while (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW)
		if (read_case(s, statement, incident, &code))
			each(context, incident);
	sqlite3_reset(statement);
	return code == SQLITE_DONE ? 0 : store_errno(s->db, code);
}

int store_find_case(struct store *s, const char *id, struct fleet_incident *ret)
{
	const struct fleet_incident *waiting = find_waiting(&s->cases, id);
	sqlite3_stmt *statement = s->statements[STATEMENT_CASE_ONE];
	bool found = false;
	int code;

	if (waiting) {
		*ret = *waiting;
		return 0;
	}
	code = sqlite3_bind_text(statement, 1, id, -1, SQLITE_TRANSIENT);
	if (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW)
		found = read_case(s, statement, ret, &code);
	sqlite3_reset(statement);
	if (code == SQLITE_DONE || (code == SQLITE_OK && !found))
		return -ENOENT;
	return store_errno(s->db, code);
}
