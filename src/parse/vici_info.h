/* SPDX-License-Identifier: MIT */
/*
 * What charon tells over VICI besides its SAs: connections, version, statistics, results of commands, log lines, alerts.
 * Called by repair/daemon. Borrowed texts live as long as the message.
 */
#ifndef PARSE_VICI_INFO_H
#define PARSE_VICI_INFO_H

#include "model/gateway.h"
#include "parse/vici_sa.h"

/* list-conn: one struct connection a child; `ike` and `child` are the full names, for who must give them back to the
 * daemon. A peer is dynamic when any of its addresses is %any, a range, a subnet or a name. */
typedef void (*vici_connection_call)(void *context, const struct connection *connection, struct text ike, struct text child);
int vici_each_connection(uint16_t daemon, struct text message, vici_connection_call each, void *context,
			 struct vici_reading *ret_reading);

struct vici_version {
	struct text daemon, version; /* borrows: "charon-systemd", "5.9.8" */
};
int vici_read_version(struct text message, struct vici_version *ret, struct vici_reading *ret_reading);

struct vici_stats {
	bool has_since;
	struct civil since;  /* the daemon's local time, without its zone: offset_minutes is 0 */
	bool has_running;
	int64_t running_ns;  /* rounded down to its unit */
	int64_t unit_ns;     /* second, minute, hour or day */
	bool user_space_esp; /* the plugin kernel-libipsec is loaded */
};
int vici_read_stats(struct text message, struct vici_stats *ret, struct vici_reading *ret_reading);
/* When the daemon started. `local` is `since` read in our own time zone; where that does not fit to how long it says to run,
 * its zone is another one, and the offset (in quarters of an hour) that fits best is taken. False: not told. How long it
 * runs alone is no answer: it is rounded, and who compares two of them would see a restart that was none. */
bool vici_stats_boot(const struct vici_stats *stats, struct instant local, struct instant now_wall, struct instant *ret);

struct vici_result {
	bool success;
	bool has_matches;
	uint64_t matches;
	struct text errmsg; /* borrows; empty when there is none */
};
int vici_read_result(struct text message, struct vici_result *ret, struct vici_reading *ret_reading);

struct vici_log {
	struct text group, text; /* borrows */
	uint32_t thread;
	bool has_ike;
	uint32_t ike_id;
};
int vici_read_log(struct text message, struct vici_log *ret, struct vici_reading *ret_reading);

/* alert, since 6.0.3: HINT_NONE for types that tell nothing new. */
int vici_read_alert(uint16_t daemon, struct text message, struct daemon_hint *ret, struct vici_reading *ret_reading);

#endif
