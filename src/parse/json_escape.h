/* SPDX-License-Identifier: MIT */
/* What stands behind a backslash in a JSON string: shared by the readers of this room. */
#ifndef PARSE_JSON_ESCAPE_H
#define PARSE_JSON_ESCAPE_H

#include "base/text.h"

/* Takes one escape, of which the backslash is gone already; RFC 8259 7: above U+FFFF by a pair of surrogates. False where
 * it is none; U+0000 is none to us. */
bool json_escape_take(struct text *t, uint32_t *ret);
/* Writes it as UTF-8: at most 4 bytes, and never more than its escape had. How many. */
size_t json_escape_utf8(uint32_t c, char *to);

#endif
