/* SPDX-License-Identifier: MIT */
/*
 * Which incidents are asked for, as words: "since 7d peer 192.0.2.7 verdict desync,other-fault limit 20". One grammar for
 * `spimend incidents`, `spimend stats`, the shell and whoever else asks over the control socket. Pure, bounded, fuzzed.
 *
 *   since, until TIME   2h, 30m, 7d, 4w ago; or 2026-11-22, 2026-11-22T09:30, ...:00Z, with an offset; UTC without one
 *   peer ADDRESS        either end
 *   verdict, cause, state NAME[,NAME...]
 *   device NAME         either end
 *   limit COUNT         the newest so many
 *   by peer|cause|month|verdict    where `may_group`
 */
#ifndef PARSE_INCIDENT_FILTER_H
#define PARSE_INCIDENT_FILTER_H

#include "base/buffer.h"
#include "model/incident_row.h"

#define INCIDENT_FILTER_TEXT_MAX 512

/* 0 and *ret; or SPIMEND_E_SYNTAX with a sentence in `why` that names the word that is wrong; *ret is untouched then. */
int incident_filter_read(struct text words, struct instant now, bool may_group, struct incident_filter *ret,
			 struct buffer *why);

#endif
