/* SPDX-License-Identifier: MIT */
/*
 * What spimend's plugin inside charon reports (doc/plugin-protocol.md): DELETEs and notifies that came, SAs that were
 * replaced or died, and why.
 *
 * Read by the role `sense`, over a connection that the parent greeted as one for reports only: whatever becomes of this
 * process, it can give no order on it. Much of it is caused by strangers, so every message is checked, and what is none is
 * counted. Never here: a decision; nothing is ever sent.
 */
#ifndef SENSE_PLUGIN_REPORTS_H
#define SENSE_PLUGIN_REPORTS_H

#include "model/gateway.h"

#define PLUGIN_REPORTS_READ_AT_ONCE 256 /* datagrams a call, so that a flood cannot hold the loop */
#define PLUGIN_REPORTS_MALFORMED_MAX 16 /* then it is no plugin of ours */

struct plugin_reports; /* opaque */

struct plugin_reports_calls {
	void *context; /* borrows */
	void (*report)(void *context, const struct plugin_report *report);
};

/* Takes `fd` over, also on failure. 0 or -ENOMEM. */
int plugin_reports_new(uint16_t daemon, int fd, const struct plugin_reports_calls *calls, struct plugin_reports **ret);
void plugin_reports_free(struct plugin_reports *p); /* closes; NULL is fine */

/* Reads what is there. 0; negative errno when the connection is of no more use (-EPIPE: charon closed it; -EPROTO: what
 * comes is not this protocol). */
int plugin_reports_read(struct plugin_reports *p);
/* Adds what came and what was lost over this connection; `up` once the plugin greeted. */
void plugin_reports_state(const struct plugin_reports *p, struct plugin_state *state);

#endif
