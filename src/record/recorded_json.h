/* SPDX-License-Identifier: MIT */
/*
 * A recorded event as JSON, one flat object a line: spimend.recorded/1. Every key is there, null where it is not known:
 * schema, end, at, boot, mono, kind, src, dst, proto, spi, direction, connection, child, reason, packets, bytes, seq, text,
 * length, linktype, data, incident, offset, error.
 *
 * `at` is RFC 3339 in UTC with nanoseconds, `data` lower-case hex, `offset` and `error` (of a clock, model/recorded.h) are
 * nanoseconds. Writes to a buffer; never reads a clock or a file.
 */
#ifndef RECORD_RECORDED_JSON_H
#define RECORD_RECORDED_JSON_H

#include "base/buffer.h"
#include "model/recorded.h"

/* With its '\n'. */
void record_recorded_json(const struct recorded *event, struct buffer *out);

#endif
