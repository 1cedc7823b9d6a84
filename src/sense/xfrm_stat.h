/* SPDX-License-Identifier: MIT */
/*
 * The kernel's IPsec error counters, /proc/net/xfrm_stat: a witness that needs no packet.
 *
 * Called by the sense role with a descriptor that the parent opened (it shows the network namespace of whoever opened it).
 * Never opens anything.
 */
#ifndef SENSE_XFRM_STAT_H
#define SENSE_XFRM_STAT_H

#include "base/text.h"
#include "model/gateway.h"

#define XFRM_STAT_PATH "/proc/net/xfrm_stat"
#define XFRM_STAT_MAX 8192 /* bytes read; today's file has 1,200 */

/* Reads the whole file from its start. A counter that this kernel does not have is absent in *ret. 0, a negative errno, or
 * SPIMEND_E_SYNTAX when none of the names was found. */
int xfrm_stat_read(int fd, struct xfrm_counters *ret);

/* The same from text: the lines "XfrmInNoStates  \t7". */
int xfrm_stat_parse(struct text t, struct xfrm_counters *ret);

#endif
