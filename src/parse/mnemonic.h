/* SPDX-License-Identifier: MIT */
/*
 * %FACILITY-SEVERITY-MNEMONIC: in Cisco's messages: where one starts, and its parts. Pure.
 */
#ifndef PARSE_MNEMONIC_H
#define PARSE_MNEMONIC_H

#include "base/text.h"

struct mnemonic {
	size_t at;  /* offset of the '%' */
	size_t end; /* offset after the ':' */
	struct text facility; /* CRYPTO, SYSMGR-STANDBY */
	struct text name;     /* RECVD_PKT_INV_SPI; may hold blanks where underscores were lost */
};

/* Finds the first mnemonic at or after `from`. */
bool mnemonic_find(struct text line, size_t from, struct mnemonic *ret);
/* Compares a name, taking blanks for lost underscores. */
bool mnemonic_name_is(const struct mnemonic *m, struct text name);

#endif
