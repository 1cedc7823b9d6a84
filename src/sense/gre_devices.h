/* SPDX-License-Identifier: MIT */
/*
 * The GRE devices of this network namespace that are up. Called by the parent, at start and when rtnetlink told of a change:
 * reading them needs no privilege, and nothing is ever changed here. Only core's judgement of tunnel kinds depends on it.
 */
#ifndef SENSE_GRE_DEVICES_H
#define SENSE_GRE_DEVICES_H

#include "model/gateway.h"

/* 0 or negative errno; then none was told. GRE over IPv4 and IPv6; gretap (Ethernet over GRE) is none of them, since its
 * device has MAC addresses and does not tell its ends. */
int gre_devices_read(void (*each)(void *context, const struct gre_device *device), void *context);

#endif
