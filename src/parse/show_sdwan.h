/* SPDX-License-Identifier: MIT */
/*
 * SD-WAN's tables: local SAs, outbound connections, BFD sessions, control connections, OMP peers, the controller's TLOCs,
 * and the site in the control plane's local properties (devices.md 5). A row is taken by the types of its words, never by
 * their columns alone: columns run together when a value is wide (devices.md 3). Pure.
 */
#ifndef PARSE_SHOW_SDWAN_H
#define PARSE_SHOW_SDWAN_H

#include "parse/show.h"

struct show_sdwan {
	struct saved_tloc tloc; /* being read */
	uint32_t line;          /* where it started; 0: none is open */
	unsigned expect;        /* which of the three lines behind "tloc entries for" comes next */
	bool by_source;         /* BFD sessions, the form with SRC IP first */
	bool headed;            /* a header line went by */
};

/* OUTPUT_NONE, or the table that this header line starts. */
enum saved_output show_sdwan_starts(struct text cleaned);
enum show_result show_sdwan_line(struct show_sdwan *s, enum saved_output table, struct text line, uint32_t number,
				 struct saved_record *ret);
bool show_sdwan_end(struct show_sdwan *s, struct saved_record *ret);

#endif
