/* SPDX-License-Identifier: MIT */
/*
 * One row of what a device prints about its IKE SAs and its SD-WAN side, as small as the judge of a fleet needs it: plain
 * data of fixed size, made from what the parse room reads, and sent between roles. `show crypto ipsec sa` has its own noun,
 * struct sa_block. Never here: a key, or text of an output.
 */
#ifndef MODEL_DEVICE_ROW_H
#define MODEL_DEVICE_ROW_H

#include "model/device_order.h"
#include "model/saved.h"

enum device_row_kind {
	ROW_IKE,         /* local, remote (which is which may be unknown), up */
	ROW_BFD,         /* local, remote, color (ours), up */
	ROW_LOCAL_SA,    /* local, color, spi: what the device accepts */
	ROW_OUTBOUND_SA, /* local, remote, color, spi: what it sends with */
	ROW_CONTROL,     /* remote, color (ours), up */
	ROW_OMP_PEER,    /* remote, up */
	ROW_ADDRESS,     /* local: of one of its interfaces */
	ROW_DROP_NO_SA,  /* count: packets dropped because there is no such SA, since the last clear */
	ROW_DROP_REPLAY, /* count: the same by the replay window */
	ROW_TRACE,       /* local: the SA's destination; spi, up: it was created, else deleted */
	ROW_SPI,         /* local, remote, spi, up: in the table of the active ones, else only known */
	ROW_SITE,        /* count: the site that an SD-WAN router is of */
	DEVICE_ROWS
};

struct device_row {
	enum device_row_kind kind;
	struct spimend_address local, remote; /* unknown where not told */
	enum device_color color;              /* COLOR_NONE: not told, or none that Cisco knows */
	struct spimend_spi spi;
	bool up;
	uint64_t count;
};

/* Of a record that the parse room read. False: it is of another kind, or a row that could not be read. */
bool device_row_of(const struct saved_record *record, struct device_row *ret);
bool device_valid_row(const struct device_row *row);

#endif
