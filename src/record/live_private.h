/* SPDX-License-Identifier: MIT */
/* What the live pages share. Private to record. */
#ifndef RECORD_LIVE_PRIVATE_H
#define RECORD_LIVE_PRIVATE_H

#include "base/json.h"
#include "plan/plan.h"
#include "record/live.h"

/* NULL: that daemon of the configuration never said anything. */
const struct core_daemon_figures *live_daemon_figures(const struct core_figures *f, uint32_t daemon);
/* Nothing that a person or the daemon has still to do. */
bool live_is_over(const struct core_incident *i);
/* A desync or other fault that loses packets now, as far as is known. */
bool live_is_fault(const struct core_incident *i, const struct config *config, struct instant now);
/* Its verdict says that packets are lost, or were: only then an outage means anything. */
bool live_loses_packets(const struct core_incident *i);
/* From the first stray to healed, or to now while it is open, or to the last stray. */
int64_t live_outage(const struct core_incident *i, struct instant now);
/* What would be done next, as commands for a person; empty when nothing is left to do. */
void live_plan(const struct core_incident *i, const struct incident *view, struct plan *ret);
/* "gw/net", or "-" where no connection is known; printable. */
void live_add_connection(const struct core_incident *i, struct buffer *out);
/* "192.0.2.2 -> 192.0.2.1 ESP 0x1db73bbb", or what an aggregate stands for. */
void live_add_flow(const struct core_incident *i, struct buffer *out);
/* UTC with milliseconds, for people: 2026-11-22 09:30:00.123 */
void live_add_time(struct buffer *out, struct instant at);
/* A column of a table; `cell` is emptied. */
void live_add_cell(struct buffer *out, struct buffer *cell, size_t width);
/* B12 for that kind of tunnel, here. */
struct repair_answer live_answer(const struct core_incident *i, const struct config *config);
/* What its daemon said before it went away. */
bool live_is_stale(const struct core_figures *f, const struct core_tunnel *t);
/* An object of `status --json`. `state` in place of its own, `health` in front: NULL, without. */
void live_put_tunnel(const struct core_tunnel *t, const char *state, bool stale, const char *health, struct json *j);
/* A step was ordered, not only planned. */
bool live_did_anything(const struct core_incident *i);
/* One rung, in words, and what the refusal says. */
void live_add_result(const struct core_step *step, struct buffer *out);

#endif
