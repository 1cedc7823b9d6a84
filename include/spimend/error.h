/* SPDX-License-Identifier: MIT */
/*
 * One error space for every room.
 *
 * Functions that can fail return 0 or a negative number: a negated errno, or one of the codes below. A function that
 * fails leaves its ret_ parameters untouched. Text for people comes from spimend_strerror() alone.
 */
#ifndef SPIMEND_ERROR_H
#define SPIMEND_ERROR_H

enum spimend_error {
	SPIMEND_E_FIRST = -1000,
	SPIMEND_E_SYNTAX = -1000,     /* the text does not follow its grammar */
	SPIMEND_E_CUT = -1001,        /* the text ends before its message does; more may follow */
	SPIMEND_E_RANGE = -1002,      /* a number or time that cannot be */
	SPIMEND_E_LIMIT = -1003,      /* a named limit was reached */
	SPIMEND_E_COMPRESSED = -1004, /* the compressed data is damaged or cut */
	SPIMEND_E_SHRANK = -1005,     /* a file shrank, or its disk failed, while it was read */
	SPIMEND_E_LAST = -1005,
};

/* Returns a static string for a negative code of ours or a negated errno; never NULL. */
const char *spimend_strerror(int code);

#endif
