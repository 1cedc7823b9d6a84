/* SPDX-License-Identifier: MIT */
#include "spimend/error.h"

#include <string.h>

static const char *const own_texts[] = {
	[SPIMEND_E_FIRST - SPIMEND_E_SYNTAX] = "does not follow the expected form",
	[SPIMEND_E_FIRST - SPIMEND_E_CUT] = "ends before the message does",
	[SPIMEND_E_FIRST - SPIMEND_E_RANGE] = "a value is out of range",
	[SPIMEND_E_FIRST - SPIMEND_E_LIMIT] = "a limit was reached",
	[SPIMEND_E_FIRST - SPIMEND_E_COMPRESSED] = "compressed data is damaged or cut",
	[SPIMEND_E_FIRST - SPIMEND_E_SHRANK] = "shrank, or its disk failed, while it was read; the rest is missing",
};

const char *spimend_strerror(int code)
{
	if (code <= SPIMEND_E_FIRST && code >= SPIMEND_E_LAST)
		return own_texts[SPIMEND_E_FIRST - code];
	if (code == 0)
		return "no error";
	return strerror(code < 0 ? -code : code);
}
