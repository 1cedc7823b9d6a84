/* SPDX-License-Identifier: MIT */
/* Rows of the store: which member of which struct stands in which column. Private to record/store. */
#ifndef RECORD_STORE_PRIVATE_H
#define RECORD_STORE_PRIVATE_H

#include <sqlite3.h>

#include "record/store.h"

enum column_type { COLUMN_BOOL, COLUMN_U8, COLUMN_U16, COLUMN_U32, COLUMN_U64, COLUMN_I64, COLUMN_ADDRESS, COLUMN_TEXT,
		   COLUMN_NAME };

struct column {
	const char *name;
	enum column_type type;
	size_t at;                 /* offset in the struct */
	size_t size;               /* COLUMN_TEXT: of the array; COLUMN_NAME: of the enum's values */
	const char *(*word)(int);  /* COLUMN_NAME: enums are kept as words, so that they may be renumbered */
};

struct table {
	const char *name;
	const char *keys; /* of PRIMARY KEY */
	const struct column *columns;
	size_t count;
	bool has_owner; /* two columns in front: the incident's id, and a number */
};

struct kept_claim {
	uint64_t number;
	struct syslog_claim claim;
};

extern const struct table table_claim;
extern const struct table table_case, table_case_step, table_case_evidence;
extern const struct table table_ledger, table_incident, table_step, table_evidence;
#define STORE_TABLES 8
extern const struct table *const store_tables[STORE_TABLES];

/* Binds the struct's members from parameter `first` on (from 1). A result code of SQLite. */
int table_bind(const struct table *table, sqlite3_stmt *statement, int first, const void *row);
/* Reads them from column `first` on (from 0); false when a value makes no sense. */
bool table_read(const struct table *table, sqlite3_stmt *statement, int first, void *row);

/* SQL: "CREATE TABLE ...", "INSERT OR REPLACE ...", and the list of columns for a SELECT. */
void table_sql_create(const struct table *table, struct buffer *out);
void table_sql_put(const struct table *table, struct buffer *out);
void table_sql_columns(const struct table *table, struct buffer *out);
/* "owner TEXT", or a member's column with its type and default: also for ALTER TABLE. */
void table_sql_column(const struct column *column, struct buffer *out);

#endif
