/* SPDX-License-Identifier: MIT */
/* Incidents on disk by time, peer, cause and so on: one row each, without what belongs to them. */
#include <errno.h>

#include "base/memory.h"
#include "record/store_queue.h"

/* Both kinds in the same columns. A step that was ordered, not only planned or offered, counts as done. */
static const struct listing {
	enum incident_origin origin;
	const char *sql;
} listings[] = {
	{ INCIDENT_OF_GATEWAY,
	  "SELECT id, src, dst, '', '', verdict, cause, state, is_suspicion, first_seen_ns, last_seen_ns, healed_ns, ends_ns, "
	  "EXISTS (SELECT 1 FROM step WHERE step.incident = incident.id AND order_id != 0) FROM incident" },
	{ INCIDENT_OF_DEVICES,
	  "SELECT id, src, dst, receiver, sender, verdict, cause, state, 0, first_seen_ns, last_seen_ns, ended_ns, stale_ends_ns, "
	  "EXISTS (SELECT 1 FROM fleet_step WHERE fleet_step.incident = fleet_incident.id AND ordered_ns != 0) FROM fleet_incident" },
};
#define GOING_ON "('open', 'acting', 'awaiting-approval')"

static struct text text_at(sqlite3_stmt *statement, int column)
{
	const char *bytes = (const char *)sqlite3_column_text(statement, column);

	return (struct text){ bytes, bytes ? (size_t)sqlite3_column_bytes(statement, column) : 0 };
}

static bool read_address(sqlite3_stmt *statement, int column, struct spimend_address *ret)
{
	struct text t = text_at(statement, column);

	return text_equal(t, TEXT("?")) || spimend_address_parse(t.at, t.len, ret) == 0;
}

static bool read_word(sqlite3_stmt *statement, int column, const char *(*word)(int), unsigned count, unsigned *ret)
{
	struct text t = text_at(statement, column);

	for (unsigned i = 0; i < count; i++) {
		if (!text_equal(t, text_of(word((int)i))))
			continue;
		*ret = i;
		return true;
	}
	return false;
}

static const char *word_of_verdict(int value)
{
	return verdict_name((enum verdict)value);
}

static const char *word_of_cause(int value)
{
	return cause_name((enum cause)value);
}

static const char *word_of_state(int value)
{
	return incident_state_name((enum incident_state)value);
}

static bool read_row(sqlite3_stmt *statement, enum incident_origin origin, struct incident_row *ret)
{
	struct incident_row row = { .origin = origin, .has_times = true };
	unsigned verdict, cause, state;

	if (!text_at(statement, 0).len || text_at(statement, 0).len >= sizeof(row.id) || !read_address(statement, 1, &row.src) ||
	    !read_address(statement, 2, &row.dst) || !read_word(statement, 5, word_of_verdict, VERDICT_OTHER_FAULT + 1, &verdict) ||
	    !read_word(statement, 6, word_of_cause, CAUSE_COUNT, &cause) ||
	    !read_word(statement, 7, word_of_state, INCIDENT_STATES, &state))
		return false;
	text_copy(text_at(statement, 0), row.id, sizeof(row.id));
	text_copy(text_at(statement, 3), row.device, sizeof(row.device));
	text_copy(text_at(statement, 4), row.sender, sizeof(row.sender));
	row.verdict = (enum verdict)verdict;
	row.cause = (enum cause)cause;
	row.state = (enum incident_state)state;
	row.is_suspicion = sqlite3_column_int(statement, 8) != 0;
	row.first.ns = sqlite3_column_int64(statement, 9);
	row.last.ns = sqlite3_column_int64(statement, 10);
	row.ended.ns = row.state == STATE_HEALED ? sqlite3_column_int64(statement, 11) : 0;
	row.stale_ends.ns = sqlite3_column_int64(statement, 12);
	row.acted = sqlite3_column_int(statement, 13) != 0;
	*ret = row;
	return true;
}

/* What an index helps with; incident_filter_takes() has the last word. Values are bound: ?1 since, ?2 until, ?3 peer. */
static void add_conditions(const struct incident_filter *f, enum incident_origin origin, struct buffer *sql)
{
	const char *ended = origin == INCIDENT_OF_GATEWAY ? "healed_ns" : "ended_ns", *and = " WHERE ";

	if (f->has_since) {
		buffer_printf(sql, "%s(last_seen_ns >= ?1 OR %s >= ?1 OR state IN " GOING_ON ")", and, ended);
		and = " AND ";
	}
	if (f->has_until) {
		buffer_printf(sql, "%sfirst_seen_ns <= ?2", and);
		and = " AND ";
	}
	if (f->peer.family) {
		buffer_printf(sql, "%s(src = ?3 OR dst = ?3)", and);
		and = " AND ";
	}
	if (f->causes) {
		const char *comma = "";

		buffer_printf(sql, "%scause IN (", and);
		for (int i = 0; i < CAUSE_COUNT; i++) {
			if (!(f->causes >> i & 1))
				continue;
			buffer_printf(sql, "%s'%s'", comma, cause_name((enum cause)i));
			comma = ", ";
		}
		buffer_add_char(sql, ')');
	}
}

static int list(struct store *s, const struct listing *l, const struct incident_filter *f, store_row_fn *each, void *context)
{
	cleanup(buffer_done) struct buffer sql = { 0 };
	char address[SPIMEND_ADDRESS_TEXT_MAX];
	sqlite3_stmt *statement = NULL;
	struct incident_row row;
	int code;

	buffer_add_string(&sql, l->sql);
	add_conditions(f, l->origin, &sql);
	if (sql.failed)
		return SQLITE_NOMEM;
	code = sqlite3_prepare_v2(s->db, sql.bytes, (int)sql.len, &statement, NULL);
	if (code == SQLITE_OK && f->has_since)
		code = sqlite3_bind_int64(statement, 1, f->since.ns);
	if (code == SQLITE_OK && f->has_until)
		code = sqlite3_bind_int64(statement, 2, f->until.ns);
	if (code == SQLITE_OK && f->peer.family)
		code = sqlite3_bind_text(statement, 3, spimend_address_print(&f->peer, address), -1, SQLITE_TRANSIENT);
	while (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
		code = SQLITE_OK;
		if (!read_row(statement, l->origin, &row))
			s->figures.rows_skipped++;
		else if (!each(context, &row))
			break;
	}
	sqlite3_finalize(statement);
	return code == SQLITE_DONE ? SQLITE_OK : code;
}

int store_list(struct store *s, const struct incident_filter *filter, store_row_fn *each, void *context)
{
	int code = SQLITE_OK;

	for (size_t i = 0; i < sizeof(listings) / sizeof(listings[0]) && code == SQLITE_OK; i++)
		code = list(s, &listings[i], filter, each, context);
	return code == SQLITE_OK ? 0 : store_errno(s->db, code);
}

uint64_t store_count(struct store *s)
{
	sqlite3_stmt *statement = s->statements[STATEMENT_COUNT];
	uint64_t count = sqlite3_step(statement) == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(statement, 0) : 0;

	sqlite3_reset(statement);
	return count;
}
