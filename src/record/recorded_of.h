/* SPDX-License-Identifier: MIT */
/*
 * From what the daemon's roles tell each other to recorded events: an SA's birth and death, the IKE daemon's word, counts,
 * sightings, orders and their results. What becomes several events (both directions of a child) is told one after another.
 *
 * Called by role/core_record. Pure: values in, calls out; the events borrow and are to be used within the call. No time is
 * set where the noun has none: whoever takes it knows when it came.
 */
#ifndef RECORD_RECORDED_OF_H
#define RECORD_RECORDED_OF_H

#include "model/gateway.h"
#include "model/packet_head.h"
#include "model/recorded.h"
#include "model/syslog.h"

typedef void recorded_take_fn(void *context, const struct recorded *event);

void recorded_of_child(const struct child_event *event, recorded_take_fn *take, void *context);
/* One that is there: its counters, both directions, with how long it has been there. */
void recorded_of_listed(const struct child_sa *child, recorded_take_fn *take, void *context);
void recorded_of_ike(const struct ike_event *event, recorded_take_fn *take, void *context);
/* The IKE daemon went away or came. */
void recorded_of_daemon(const struct daemon_state *state, recorded_take_fn *take, void *context);
void recorded_of_hint(const struct daemon_hint *hint, const struct ike_sa *ike, recorded_take_fn *take, void *context);
/* Nothing for KERNEL_LISTED and for what is about to expire. */
void recorded_of_kernel(const struct kernel_event *event, recorded_take_fn *take, void *context);
void recorded_of_report(const struct plugin_report *report, recorded_take_fn *take, void *context);
void recorded_of_sighting(const struct sighting *sighting, recorded_take_fn *take, void *context);
void recorded_of_head(const struct packet_head *head, recorded_take_fn *take, void *context);
void recorded_of_count(const struct spi_count *count, recorded_take_fn *take, void *context);
/* What grew since `before`; nothing where none did. */
void recorded_of_counters(const struct xfrm_counters *before, const struct xfrm_counters *now, recorded_take_fn *take,
			  void *context);
void recorded_of_order(const struct order *order, recorded_take_fn *take, void *context);
void recorded_of_result(const struct order_result *result, recorded_take_fn *take, void *context);
/* A device's line: `end` is whoever wrote it, by the name under which it is known here. */
void recorded_of_claim(const struct syslog_claim *claim, struct text end, recorded_take_fn *take, void *context);

#endif
