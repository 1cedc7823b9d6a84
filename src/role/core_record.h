/* SPDX-License-Identifier: MIT */
/*
 * The flight recorder in the role core: what the other roles tell, what is typed, ordered and judged becomes events of the
 * ring, and what surrounds a desync or another fault is frozen. The wiring of record/ring and record/frozen.
 *
 * What others can make happen at will (packets, log lines) has a share of the ring a second, so that nobody empties it by
 * filling it; what is beyond that is counted, and said in the ring. Nothing here decides anything, and a recorder that does
 * not work changes nothing else. Private to the role core.
 */
#ifndef ROLE_CORE_RECORD_H
#define ROLE_CORE_RECORD_H

#include "core/core.h"
#include "fleet/fleet.h"
#include "record/frozen.h"
#include "record/live_recorder.h"
#include "role/message.h"
#include "role/told.h"

#define MIND_RECORD_TYPED 1024
#define MIND_RECORD_NOTE_MAX 160

enum record_share { SHARE_STRAY_OURS, SHARE_STRAY, SHARE_HEAD, SHARE_COUNT, SHARE_CLAIM, SHARE_OUTPUT, SHARES };

struct loop_timer;
struct mind;

struct mind_recorder {
	struct ring *ring;     /* owns; NULL: off, or its folder cannot be had */
	struct frozen *frozen; /* owns; the same */
	struct loop_timer *timer;
	int64_t due;           /* mono: when the timer goes off */
	int open_error, ring_said, frozen_said; /* as said in the log last */
	int64_t again;
	bool is_scanned;
	struct {
		int64_t second;
		uint32_t used;
	} shares[SHARES];
	uint64_t held, held_said; /* events beyond a share */
	bool daemon_up[GATEWAY_DAEMONS_MAX];
	bool has_counters;
	struct xfrm_counters counters;
	struct told_table told, deaths; /* of incidents; of SAs, by the last digits of their SPI */
	struct { /* who was asked, by request */
		uint64_t request;
		uint32_t device;
	} typed[MIND_RECORD_TYPED];
	char note[MIND_RECORD_NOTE_MAX];
};

/* At the start, and after mind->member->config is new. */
void mind_record_configure(struct mind *mind);
void mind_record_done(struct mind *mind);
/* About once a second. */
void mind_record_tick(struct mind *mind);
/* Its figures, for `spimend status`. */
void mind_record_view(const struct mind *mind, struct live_recorder *ret);

/* An event of another part of core; the window of `want` is opened, or lasts longer. */
void mind_record_event(struct mind *mind, const struct recorded *event);
int mind_record_freeze(struct mind *mind, const struct frozen_want *want);
/* What another role told, before core hears it. */
void mind_record_see(struct mind *mind, enum message_type type, const union message_item *item);
void mind_record_order(struct mind *mind, const struct order *order);
void mind_record_debug(struct mind *mind, const char *line);
/* Of an entry that died without anybody's word about it: the daemon started anew, the data plane lost it. */
void mind_record_ledger(struct mind *mind, const struct ledger_entry *entry);
/* New or changed: told once a change, and frozen where its verdict is a fault. */
void mind_record_incident(struct mind *mind, const struct core_incident *incident);
void mind_record_case(struct mind *mind, const struct fleet_incident *incident);

/* What was typed here and by whom, and what was answered. Secrets are taken out. */
void mind_record_command(struct mind *mind, const char *who, struct text line);
void mind_record_output(struct mind *mind, struct text output);
/* The same on a device; its output has no secrets any more. `who` NULL: the fleet's mind. */
void mind_record_typed(struct mind *mind, uint64_t request, uint32_t device, const char *who, const char *line);
void mind_record_printed(struct mind *mind, const struct device_printed *printed);
void mind_record_result(struct mind *mind, const struct device_result *result);

/* Answers the control socket's `evidence`: what is frozen of that incident, behind what is in `out` already. */
int mind_record_evidence(struct mind *mind, const char *id, bool json, struct buffer *out);
/* A page of it for the role web: ,"total":N,"after":N,"next":N,"recorded":[...]. 0 or negative errno. */
int mind_record_timeline(struct mind *mind, const char *id, const struct web_filter *filter, struct buffer *out);

#endif
