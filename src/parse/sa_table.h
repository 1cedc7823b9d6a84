/* SPDX-License-Identifier: MIT */
/*
 * Finds saved `show crypto ipsec sa [peer A] [detail]` output inside any text and reads it line by line: prompts,
 * page breaks, wrapped lines, authors' arrows and missing lines are normal (devices.md 3). IOS, IOS XE, SD-WAN, ASA.
 * Pure; bounded; called by parse/log.c for each line that may belong to such output.
 */
#ifndef PARSE_SA_TABLE_H
#define PARSE_SA_TABLE_H

#include "model/sa_block.h"

struct sa_table {
	struct sa_block block; /* being read */
	char interface[FACT_INTERFACE_MAX]; /* stated once per interface, holds for all its blocks */
	char map_tag[SA_BLOCK_TAG_MAX];
	struct spimend_address local;
	uint32_t number;  /* of the line that is given, set by the caller where it wants to be told lines */
	unsigned section; /* private */
	bool ah;          /* private */
	unsigned foreign; /* lines in a row that are not of the output */
	bool inside;      /* a table is being read: give it every line */
	bool block_open;
	bool want_remote; /* IPv6 endpoints stand on the next line */
};

enum sa_table_result {
	SA_TABLE_NOTHING, /* the line is not of such output */
	SA_TABLE_TAKEN,   /* the line belongs to the output */
	SA_TABLE_BLOCK,   /* as TAKEN or NOTHING (see inside), and *ret holds a finished flow of earlier lines */
};

/* Cheap test: may this line start such output? */
bool sa_table_may_start(struct text line);
/* Takes one line (no line break). */
enum sa_table_result sa_table_line(struct sa_table *table, struct text line, struct sa_block *ret);
/* The text ended: true when a flow was still open; it is in *ret. */
bool sa_table_end(struct sa_table *table, struct sa_block *ret);

#endif
