/* SPDX-License-Identifier: MIT */
/* What the fleet's syslog said of late: kept as it was claimed, so that a judge that starts anew comes to the same view. */
#include <errno.h>

#include "base/memory.h"
#include "record/store_private.h"
#include "record/store_queue.h"

int store_put_claim(struct store *s, const struct syslog_claim *claim)
{
	struct claim_queue *q = &s->claims;

	if (!q->rows)
		q->rows = memory_new(STORE_PENDING_CLAIMS_MAX, sizeof(*q->rows));
	if (!q->rows)
		return -ENOMEM;
	if (q->count == STORE_PENDING_CLAIMS_MAX) {
		s->figures.claims_lost++;
		return 0;
	}
	q->rows[q->count++] = (struct kept_claim){ .number = ++q->number, .claim = *claim };
	return 0;
}

int store_restore_claims(struct store *s, store_claim_fn *each, void *context)
{
	struct kept_claim *row cleanup(memory_free_pointer) = memory_new(1, sizeof(*row));
	sqlite3_stmt *statement = s->statements[STATEMENT_CLAIM_ALL];
	int code;

	if (!row)
		return -ENOMEM;
	while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
		memset(row, 0, sizeof(*row));
		if (table_read(&table_claim, statement, 0, row) && syslog_valid_claim(&row->claim))
			each(context, &row->claim);
		else
			s->figures.rows_skipped++;
		if (row->number > s->claims.number)
			s->claims.number = row->number;
	}
	sqlite3_reset(statement);
	return code == SQLITE_DONE ? 0 : store_errno(s->db, code);
}

uint32_t store_claims_due(const struct store *s)
{
	return s->claims.count < STORE_FLUSH_CLAIMS_MAX ? s->claims.count : STORE_FLUSH_CLAIMS_MAX;
}

void store_claims_written(struct store *s, uint32_t count)
{
	if (count == 0)
		return;
	s->claims.count -= count;
	memmove(s->claims.rows, s->claims.rows + count, s->claims.count * sizeof(*s->claims.rows));
}

int store_write_claims(struct store *s, uint32_t count, struct instant wall)
{
	sqlite3_stmt *put = s->statements[STATEMENT_CLAIM_PUT], *old = s->statements[STATEMENT_RETAIN_CLAIMS];
	uint64_t last;
	int code = SQLITE_OK;

	for (uint32_t i = 0; i < count && code == SQLITE_OK; i++) {
		code = table_bind(&table_claim, put, 1, &s->claims.rows[i]);
		if (code == SQLITE_OK)
			code = store_step_done(put);
	}
	if (code != SQLITE_OK || count == 0)
		return code;
	last = s->claims.rows[count - 1].number;
	sqlite3_bind_int64(old, 1, last > STORE_CLAIMS_MAX ? (sqlite3_int64)(last - STORE_CLAIMS_MAX) : 0);
	sqlite3_bind_int64(old, 2, s->until_retain == 0 && wall.ns > 0 ? wall.ns - STORE_CLAIMS_AGE : INT64_MIN);
	return store_step_done(old);
}
