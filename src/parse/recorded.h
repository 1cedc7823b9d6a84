/* SPDX-License-Identifier: MIT */
/*
 * Reads what the flight recorder's evidence consists of: one flat JSON object a line, spimend.recorded/1, as
 * record/recorded_json writes it, here or at another end. Pure, fuzzed; a line may be forged, cut, or of a later version:
 * keys that are not known are passed over.
 */
#ifndef PARSE_RECORDED_H
#define PARSE_RECORDED_H

#include "model/recorded.h"
#include "parse/json_tree.h"

struct recorded_reader { /* a zeroed one is empty and valid */
	struct json_tree tree;
	char data[RECORDED_DATA_MAX];
};

void recorded_reader_done(struct recorded_reader *reader);
/* 0, and the event's texts stay until the next line; or SPIMEND_E_SYNTAX, SPIMEND_E_LIMIT or -ENOMEM with
 * a reason, a few words. `line` is without its line break. */
int recorded_read(struct recorded_reader *reader, struct text line, struct recorded *ret, const char **ret_reason);

/* RFC 3339 in UTC, with up to nine digits of a second; the whole text. */
bool recorded_time(struct text text, struct instant *ret);

#endif
