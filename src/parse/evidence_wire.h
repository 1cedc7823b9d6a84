/* SPDX-License-Identifier: MIT */
/*
 * What two gateways say to each other about evidence, inside TLS; lines of flat JSON, then the bytes of a segment.
 *
 *     asks      {"spimend":1,"id":"k3v9q2","a":"192.0.2.1","b":"192.0.2.2","t1":...}
 *     at once   {"spimend":1,"t1":...,"t2":...,"t3":...}
 *     then      {"spimend":1,"length":1234} and so many bytes of parse/segment, or {"spimend":1,"error":"..."}
 *
 * On the wire times are microseconds of UNIX time, here they are nanoseconds. Called by the roles sense and dial. Pure.
 */
#ifndef PARSE_EVIDENCE_WIRE_H
#define PARSE_EVIDENCE_WIRE_H

#include "base/buffer.h"
#include "model/evidence_ask.h"

#define EVIDENCE_LINE_MAX 512 /* with its line feed */

void evidence_put_ask(const struct evidence_ask *ask, int64_t t1, struct buffer *out);
/* Fills id and ends. 0 or SPIMEND_E_SYNTAX. */
int evidence_read_ask(struct text line, struct evidence_ask *ret, int64_t *ret_t1);
void evidence_put_stamps(int64_t t1, int64_t t2, int64_t t3, struct buffer *out);
int evidence_read_stamps(struct text line, int64_t t1, int64_t *ret_t2, int64_t *ret_t3);
void evidence_put_length(size_t length, struct buffer *out);
void evidence_put_error(const char *why, struct buffer *out);
/* 0 and the length; or 1 and why there is nothing, printable; or SPIMEND_E_SYNTAX. */
int evidence_read_answer(struct text line, size_t *ret_length, char why[EVIDENCE_WHY_MAX]);

#endif
