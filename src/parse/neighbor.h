/* SPDX-License-Identifier: MIT */
/*
 * Frames by which a neighbour tells what it is: LLDP (IEEE 802.1AB) and CDP.
 *
 * Called by the role sense with what stands behind the Ethernet header, which the kernel checked and kept. Pure.
 * `interface` and `is_cdp` are left to the caller, who knows where it heard the frame. Everything is copied; what is not
 * printable ASCII becomes a dot.
 */
#ifndef PARSE_NEIGHBOR_H
#define PARSE_NEIGHBOR_H

#include "base/text.h"
#include "model/neighbor.h"

#define NEIGHBOR_FRAME_MAX 1600 /* bytes that are read of one frame */
#define NEIGHBOR_TLVS_MAX 256   /* of one frame */

/* LLDP's data unit; CDP from the SNAP header on. NEIGHBOR_TAKEN and *ret, else why not; *ret is undefined then. */
enum neighbor_fate lldp_read(struct text unit, struct neighbor *ret);
enum neighbor_fate cdp_read(struct text unit, struct neighbor *ret);

/* For the two: a text as it is kept, and one more byte string of what identifies a neighbour, or of what it says. */
void neighbor_copy_text(struct text from, char to[NEIGHBOR_TEXT_MAX]);
uint64_t neighbor_mix(uint64_t hash, uint32_t type, struct text bytes);

#endif
