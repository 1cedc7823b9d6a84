/* SPDX-License-Identifier: MIT */
/*
 * The file of known peers (analyze --peers): one device or network a line.
 *
 *   # ADDRESS[/PREFIX]  [ours|foreign]  [TUNNEL-KIND]  [name NAME]
 *   192.0.2.7           ours            svti           name hub
 *   198.51.100.0/24     foreign
 *
 * '#' and '!' start a comment. Pure.
 */
#ifndef PARSE_PEERS_H
#define PARSE_PEERS_H

#include "model/incident.h"

struct peer_line {
	struct spimend_address address;
	unsigned prefix;
	enum ownership owner;
	bool has_kind;
	enum tunnel_kind kind;
	struct text name; /* borrows; empty where not given */
};

/* 1 with *ret filled, 0 for an empty line or a comment, SPIMEND_E_SYNTAX with *ret_reason (static text) and the offset. */
int peers_read_line(struct text line, struct peer_line *ret, const char **ret_reason, size_t *ret_offset);

#endif
