/* SPDX-License-Identifier: MIT */
/* Opening the store: making it, bringing an older one up to date, moving a damaged one aside. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "record/store_queue.h"
#include "spimend/error.h"

#define APPLICATION_ID 0x73706d64 /* "spmd" */
/* What an older daemon could not read makes another version. A column more (with a default), an index more do not. */
#define SCHEMA_VERSION 1
#define COMPACT_MOST (32 << 20) /* bytes: a larger file is not rewritten at the start, which nobody would wait for */
#define SHRINK_PAGES "256"      /* given back at once: 1 MiB */
#define DONE_STATES "('healed', 'closed')"
#define CASE_DONE_STATES "('healed', 'closed', 'gave-up', 'unverified')" /* nothing comes behind them, see fleet_restore() */

static const char *const fixed_sql[STATEMENTS] = { /* those that name columns are made from the tables */
	[STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
	[STATEMENT_COMMIT] = "COMMIT",
	[STATEMENT_ROLLBACK] = "ROLLBACK",
	[STATEMENT_ORDER_GET] = "SELECT value FROM meta WHERE key = 'next_order'",
	[STATEMENT_ORDER_SET] = "UPDATE meta SET value = ? WHERE key = 'next_order'",
	[STATEMENT_LEDGER_DROP] = "DELETE FROM ledger WHERE dst = ? AND protocol = ? AND spi = ?",
	[STATEMENT_STEP_DROP] = "DELETE FROM step WHERE incident = ?",
	[STATEMENT_EVIDENCE_DROP] = "DELETE FROM evidence WHERE incident = ?",
	[STATEMENT_CASE_STEP_DROP] = "DELETE FROM fleet_step WHERE incident = ?",
	[STATEMENT_CASE_EVIDENCE_DROP] = "DELETE FROM fleet_evidence WHERE incident = ?",
	[STATEMENT_RETAIN_CASE_AGE] = "DELETE FROM fleet_incident WHERE last_seen_ns < ?",
	[STATEMENT_RETAIN_CASE_COUNT] = "DELETE FROM fleet_incident WHERE id IN (SELECT id FROM fleet_incident WHERE state IN "
					CASE_DONE_STATES " ORDER BY last_seen_ns DESC, id LIMIT -1 OFFSET ?)",
	[STATEMENT_RETAIN_CASE_STEPS] = "DELETE FROM fleet_step WHERE incident NOT IN (SELECT id FROM fleet_incident)",
	[STATEMENT_RETAIN_CASE_EVIDENCE] = "DELETE FROM fleet_evidence WHERE incident NOT IN (SELECT id FROM fleet_incident)",
	[STATEMENT_RETAIN_CLAIMS] = "DELETE FROM claim WHERE number <= ?1 OR (?2 > 0 AND heard_ns < ?2)",
	[STATEMENT_RETAIN_AGE] = "DELETE FROM incident WHERE last_seen_ns < ?",
	[STATEMENT_RETAIN_COUNT] = "DELETE FROM incident WHERE id IN (SELECT id FROM incident WHERE state IN " DONE_STATES
				   " ORDER BY last_seen_ns DESC, id LIMIT -1 OFFSET ?)",
	[STATEMENT_RETAIN_STEPS] = "DELETE FROM step WHERE incident NOT IN (SELECT id FROM incident)",
	[STATEMENT_RETAIN_EVIDENCE] = "DELETE FROM evidence WHERE incident NOT IN (SELECT id FROM incident)",
	[STATEMENT_RETAIN_LEDGER] = "DELETE FROM ledger WHERE (dst, protocol, spi) IN (SELECT dst, protocol, spi FROM ledger "
				    "ORDER BY state = 'dead', max(born_ns, died_ns) DESC LIMIT -1 OFFSET ?)",
	[STATEMENT_COUNT] = "SELECT (SELECT count(*) FROM incident) + (SELECT count(*) FROM fleet_incident)",
	[STATEMENT_SHRINK] = "PRAGMA incremental_vacuum(" SHRINK_PAGES ")",
};

int store_errno(sqlite3 *db, int code)
{
	int system = db ? sqlite3_system_errno(db) : 0;

	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_DONE:
	case SQLITE_ROW:
		return 0;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EUCLEAN;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return system ? -system : -EACCES;
	case SQLITE_IOERR:
		return system ? -system : -EIO;
	default:
		return -EIO;
	}
}

static int execute(sqlite3 *db, const struct buffer *sql)
{
	char *copy cleanup(memory_free_pointer) = memory_new(sql->len + 1, 1);

	if (!copy || sql->failed)
		return SQLITE_NOMEM;
	text_copy(buffer_text(sql), copy, sql->len + 1);
	return sqlite3_exec(db, copy, NULL, NULL, NULL);
}

static int execute_string(sqlite3 *db, const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

/* The one integer, or the first word, that a query gives. */
static int ask(sqlite3 *db, const char *sql, int64_t *ret, char *word, size_t size)
{
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	if (code == SQLITE_ROW && ret)
		*ret = sqlite3_column_int64(statement, 0);
	if (code == SQLITE_ROW && word)
		text_copy(text_of((const char *)sqlite3_column_text(statement, 0)), word, size);
	sqlite3_finalize(statement);
	return code == SQLITE_ROW ? SQLITE_OK : code == SQLITE_DONE ? SQLITE_CORRUPT : code;
}

static int set_up(sqlite3 *db)
{
	char word[16];
	int code;

	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	/* One process at a time, and no shared memory file. FULL: what was flushed is there after the power failed. */
	code = execute_string(db, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0; "
				  "PRAGMA auto_vacuum = INCREMENTAL"); /* counts in an empty file */
	if (code == SQLITE_OK)
		code = ask(db, "PRAGMA journal_mode = WAL", NULL, word, sizeof(word));
	if (code == SQLITE_OK)
		code = execute_string(db, "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 8388608");
	return code;
}

static int check(sqlite3 *db, char *why, size_t size)
{
	int code = ask(db, "PRAGMA quick_check(1)", NULL, why, size);

	if (code == SQLITE_OK && strcmp(why, "ok") != 0)
		return SQLITE_CORRUPT;
	why[0] = '\0';
	return code;
}

static bool has_column(sqlite3 *db, const char *table, const char *column, int *ret_code)
{
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(db, "SELECT count(*) FROM pragma_table_info(?) WHERE name = ?", -1, &statement, NULL);
	bool found = false;

	if (code == SQLITE_OK) {
		sqlite3_bind_text(statement, 1, table, -1, SQLITE_STATIC);
		sqlite3_bind_text(statement, 2, column, -1, SQLITE_STATIC);
		code = sqlite3_step(statement);
		found = code == SQLITE_ROW && sqlite3_column_int(statement, 0) > 0;
	}
	sqlite3_finalize(statement);
	*ret_code = code == SQLITE_ROW ? SQLITE_OK : code;
	return found;
}

/* A column that a later version of the same schema added has a default: it can be added to what is there. */
static int add_columns(sqlite3 *db, const struct table *table, bool *ret_migrated)
{
	int code = SQLITE_OK;

	for (size_t i = 0; i < table->count && code == SQLITE_OK; i++) {
		struct buffer sql = { 0 };

		if (has_column(db, table->name, table->columns[i].name, &code) || code != SQLITE_OK)
			continue;
		buffer_printf(&sql, "ALTER TABLE %s ADD COLUMN ", table->name);
		table_sql_column(&table->columns[i], &sql);
		code = execute(db, &sql);
		buffer_done(&sql);
		*ret_migrated = true;
	}
	return code;
}

static int make_tables(sqlite3 *db, struct instant wall, int64_t version, struct store_opening *opening)
{
	int code = execute_string(db, "BEGIN IMMEDIATE");
	bool migrated = false;
	char sql[256];

	for (int i = 0; i < STORE_TABLES && code == SQLITE_OK; i++) {
		struct buffer create = { 0 };

		table_sql_create(store_tables[i], &create);
		code = execute(db, &create);
		buffer_done(&create);
		if (code == SQLITE_OK)
			code = add_columns(db, store_tables[i], &migrated);
	}
	if (code == SQLITE_OK)
		code = execute_string(db, "CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) "
					  "WITHOUT ROWID; "
					  "CREATE INDEX IF NOT EXISTS incident_seen ON incident (last_seen_ns); "
					  "CREATE INDEX IF NOT EXISTS incident_peer ON incident (src); "
					  "CREATE INDEX IF NOT EXISTS incident_own ON incident (dst); "
					  "CREATE INDEX IF NOT EXISTS incident_cause ON incident (cause); "
					  "CREATE INDEX IF NOT EXISTS fleet_seen ON fleet_incident (last_seen_ns); "
					  "CREATE INDEX IF NOT EXISTS fleet_peer ON fleet_incident (src); "
					  "CREATE INDEX IF NOT EXISTS fleet_own ON fleet_incident (dst); "
					  "CREATE INDEX IF NOT EXISTS fleet_cause ON fleet_incident (cause)");
	/* After a lost file the ids must still be higher than any that was given: they start with the time. */
	snprintf(sql, sizeof(sql), "INSERT OR IGNORE INTO meta VALUES ('next_order', %lld); PRAGMA user_version = %d; "
		 "PRAGMA application_id = %d; COMMIT", (long long)(wall.ns > 0 ? wall.ns / SECOND_NS << 20 : 1) + 1,
		 SCHEMA_VERSION, APPLICATION_ID);
	if (code == SQLITE_OK)
		code = execute_string(db, sql);
	opening->migrated = code == SQLITE_OK && version != 0 && migrated;
	return code;
}

/* A file of before pages could be given back is written anew, once, where it is small. */
static int make_compact(sqlite3 *db, struct store_opening *opening)
{
	int64_t mode = 0, pages = 0, size = 0;
	int code = ask(db, "PRAGMA auto_vacuum", &mode, NULL, 0);

	if (code == SQLITE_OK)
		code = ask(db, "PRAGMA page_count", &pages, NULL, 0);
	if (code == SQLITE_OK)
		code = ask(db, "PRAGMA page_size", &size, NULL, 0);
	if (code != SQLITE_OK || mode == 2)
		return code;
	opening->not_compacted = pages * size > COMPACT_MOST;
	if (opening->not_compacted)
		return SQLITE_OK;
	code = execute_string(db, "PRAGMA auto_vacuum = INCREMENTAL; VACUUM");
	if ((code & 0xff) != SQLITE_FULL && (code & 0xff) != SQLITE_READONLY && (code & 0xff) != SQLITE_IOERR)
		return code;
	opening->not_compacted = true; /* no room for it: the store is as good as it was */
	return SQLITE_OK;
}

static int prepare(struct store *s, enum store_statement which, const struct buffer *sql)
{
	if (sql->failed)
		return SQLITE_NOMEM;
	return sqlite3_prepare_v3(s->db, sql->bytes, (int)sql->len, SQLITE_PREPARE_PERSISTENT, &s->statements[which], NULL);
}

static int prepare_select(struct store *s, enum store_statement which, const struct table *table, const char *rest)
{
	struct buffer sql = { 0 };
	int code;

	buffer_add_string(&sql, "SELECT ");
	table_sql_columns(table, &sql);
	buffer_printf(&sql, " FROM %s %s", table->name, rest);
	code = prepare(s, which, &sql);
	buffer_done(&sql);
	return code;
}

static int prepare_put(struct store *s, enum store_statement which, const struct table *table)
{
	struct buffer sql = { 0 };
	int code;

	table_sql_put(table, &sql);
	code = prepare(s, which, &sql);
	buffer_done(&sql);
	return code;
}

struct made { /* a statement that names columns */
	enum store_statement which;
	const struct table *table;
	const char *rest; /* of a SELECT; NULL: it puts */
};
static const struct made made_sql[] = {
	{ STATEMENT_LEDGER_PUT, &table_ledger, NULL },
	{ STATEMENT_INCIDENT_PUT, &table_incident, NULL },
	{ STATEMENT_STEP_PUT, &table_step, NULL },
	{ STATEMENT_EVIDENCE_PUT, &table_evidence, NULL },
	{ STATEMENT_CLAIM_PUT, &table_claim, NULL },
	{ STATEMENT_CASE_PUT, &table_case, NULL },
	{ STATEMENT_CASE_STEP_PUT, &table_case_step, NULL },
	{ STATEMENT_CASE_EVIDENCE_PUT, &table_case_evidence, NULL },
	{ STATEMENT_CLAIM_ALL, &table_claim, "ORDER BY number" },
	{ STATEMENT_LEDGER_ALL, &table_ledger, "ORDER BY born_ns, spi" },
	{ STATEMENT_INCIDENT_ALL, &table_incident,
	  "WHERE state NOT IN " DONE_STATES " OR id IN (SELECT id FROM incident WHERE state IN " DONE_STATES
	  " ORDER BY last_seen_ns DESC, id LIMIT ?) ORDER BY first_seen_ns, id" },
	{ STATEMENT_INCIDENT_ONE, &table_incident, "WHERE id = ?" },
	{ STATEMENT_STEP_ALL, &table_step, "WHERE incident = ? ORDER BY number" },
	{ STATEMENT_EVIDENCE_ALL, &table_evidence, "WHERE incident = ? ORDER BY number" },
	{ STATEMENT_CASE_ALL, &table_case,
	  "WHERE state NOT IN " CASE_DONE_STATES " OR id IN (SELECT id FROM fleet_incident WHERE state IN " CASE_DONE_STATES
	  " ORDER BY last_seen_ns DESC, id LIMIT ?) ORDER BY first_seen_ns, id" },
	{ STATEMENT_CASE_ONE, &table_case, "WHERE id = ?" },
	{ STATEMENT_CASE_STEP_ALL, &table_case_step, "WHERE incident = ? ORDER BY number" },
	{ STATEMENT_CASE_EVIDENCE_ALL, &table_case_evidence, "WHERE incident = ? ORDER BY number" },
};

static int prepare_all(struct store *s)
{
	int code = SQLITE_OK;

	for (int i = 0; i < STATEMENTS && code == SQLITE_OK; i++)
		if (fixed_sql[i])
			code = sqlite3_prepare_v3(s->db, fixed_sql[i], -1, SQLITE_PREPARE_PERSISTENT, &s->statements[i], NULL);
	for (size_t i = 0; i < sizeof(made_sql) / sizeof(made_sql[0]) && code == SQLITE_OK; i++)
		code = made_sql[i].rest ? prepare_select(s, made_sql[i].which, made_sql[i].table, made_sql[i].rest) :
					  prepare_put(s, made_sql[i].which, made_sql[i].table);
	return code;
}

static void end(struct store *s)
{
	for (int i = 0; i < STATEMENTS; i++) {
		sqlite3_finalize(s->statements[i]);
		s->statements[i] = NULL;
	}
	sqlite3_close(s->db);
	s->db = NULL;
}

/* Everything up to a usable store. 0, or a negative errno: -EUCLEAN when the file is damaged. */
static int try_open(struct store *s, const char *path, struct instant wall, struct store_opening *opening)
{
	int64_t version = 0, number = 0;
	int code, error = 0;
	struct stat st;
	/* Ours from the first moment: SQLite would make it readable for all. Its journal files take the same mode. */
	int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd >= 0 && fstat(fd, &st) == 0)
		opening->created = st.st_size == 0;
	if (fd >= 0)
		close(fd);
	else if (errno != EROFS && errno != EACCES) /* SQLite may read what we may not write */
		return -errno;
	code = sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
						     SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_NOFOLLOW, NULL);
	if (code == SQLITE_OK)
		code = set_up(s->db);
	if (code == SQLITE_OK)
		code = check(s->db, opening->why, sizeof(opening->why));
	if (code == SQLITE_OK)
		code = ask(s->db, "PRAGMA user_version", &version, NULL, 0);
	if (code == SQLITE_OK && version > SCHEMA_VERSION)
		error = -EPROTO;
	else if (code == SQLITE_OK)
		code = make_tables(s->db, wall, version, opening);
	if (code == SQLITE_OK && error == 0)
		code = make_compact(s->db, opening);
	if (code == SQLITE_OK && error == 0)
		code = ask(s->db, "SELECT ifnull(max(number), 0) FROM claim", &number, NULL, 0);
	s->claims.number = (uint64_t)number;
	if (code == SQLITE_OK && error == 0)
		code = prepare_all(s);
	if (code == SQLITE_ERROR) /* our own SQL does not fit what is there: no table of ours */
		code = SQLITE_CORRUPT;
	if (code != SQLITE_OK) {
		if (!opening->why[0])
			text_copy(text_of(s->db ? sqlite3_errmsg(s->db) : sqlite3_errstr(code)), opening->why, sizeof(opening->why));
		error = store_errno(s->db, code);
	}
	if (error < 0)
		end(s);
	return error;
}

/* spimend.db becomes spimend.db.damaged-20261122T093000Z, its journal goes along. */
static int move_aside(const char *path, struct instant wall, struct store_opening *opening)
{
	struct civil c = calendar_from_instant(wall);
	char from[STORE_PATH_MAX + 8], to[STORE_PATH_MAX + 8];
	struct stat st;

	for (int turn = 1; turn < 100; turn++) {
		int n = snprintf(opening->aside, sizeof(opening->aside), "%s.damaged-%04d%02d%02dT%02d%02d%02dZ%s%.0d", path, c.year,
				 c.month, c.day, c.hour, c.minute, c.second, turn > 1 ? "-" : "", turn > 1 ? turn : 0);

		if (n < 0 || (size_t)n >= sizeof(opening->aside))
			return -ENAMETOOLONG;
		if (lstat(opening->aside, &st) < 0)
			break;
	}
	if (rename(path, opening->aside) < 0)
		return -errno;
	for (int i = 0; i < 2; i++) {
		snprintf(from, sizeof(from), "%s%s", path, i ? "-journal" : "-wal");
		snprintf(to, sizeof(to), "%s%s", opening->aside, i ? "-journal" : "-wal");
		if (rename(from, to) < 0 && errno != ENOENT)
			return -errno;
	}
	opening->moved_aside = true;
	return 0;
}

int store_open(const char *directory, const struct store_limits *limits, struct instant wall, struct store **ret,
	       struct store_opening *ret_opening)
{
	struct store_opening opening = { 0 };
	struct store *s = memory_new(1, sizeof(*s));
	char path[STORE_PATH_MAX];
	int error = 0, n = snprintf(path, sizeof(path), "%s/" STORE_FILE, directory);

	if (!s)
		return -ENOMEM;
	if (n < 0 || (size_t)n >= sizeof(path) - 32)
		error = -ENAMETOOLONG;
	else if (getrandom(&s->queue.key, sizeof(s->queue.key), 0) != (ssize_t)sizeof(s->queue.key))
		error = -EIO;
	else
		error = try_open(s, path, wall, &opening);
	if (error == -EUCLEAN) {
		error = move_aside(path, wall, &opening);
		if (error == 0) {
			char why[sizeof(opening.why)];

			memcpy(why, opening.why, sizeof(why));
			error = try_open(s, path, wall, &opening);
			memcpy(opening.why, why, sizeof(why));
		}
	} else {
		opening.why[0] = '\0';
	}
	if (error < 0) {
		queue_done(&s->queue);
		memory_free(s);
		return error;
	}
	s->limits = *limits;
	*ret = s;
	*ret_opening = opening;
	return 0;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	while (store_has_pending(s)) {
		s->until_retain = 1; /* no time is known here */
		if (store_flush(s, (struct instant){ 0 }) < 0)
			break;
	}
	end(s);
	queue_done(&s->queue);
	memory_free(s->claims.rows);
	store_cases_done(s);
	memory_free(s);
}
