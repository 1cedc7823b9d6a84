/* SPDX-License-Identifier: MIT */
/*
 * A router's own memory of SPIs, and what it counted: `show crypto ipsec spi-lookup detail`, `show monitor event-trace
 * crypto ipsec event ...`, and the drop counters of QFP and ASP that speak of SAs (devices.md 1 and 2: by name, never by
 * number). Pure.
 */
#ifndef PARSE_SHOW_SPI_H
#define PARSE_SHOW_SPI_H

#include "parse/show.h"

struct show_spi {
	struct saved_spi spi; /* spi-lookup, the first line of an entry */
	uint32_t line;        /* 0: none is open */
	bool transient;       /* in the second table */
};

enum saved_output show_spi_starts(struct text cleaned);
enum show_result show_spi_line(struct show_spi *s, enum saved_output output, struct text line, uint32_t number,
			       struct saved_record *ret);
bool show_spi_end(struct show_spi *s, struct saved_record *ret);

#endif
