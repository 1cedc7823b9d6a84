/* SPDX-License-Identifier: MIT */
/* Debugs in the role core: what comes from the other roles is shown to core/debugger, its lines go where the log goes. */
#include <string.h>

#include "role/core_role.h"
#include "spimend/error.h"

#define SEVERITY_DEBUG 7

static void on_line(void *context, const char *line)
{
	struct mind *mind = context;

	mind_record_debug(mind, line);
	if (mind->exec.logbook && mind->member->config->notify.buffer_level >= SEVERITY_DEBUG)
		logbook_add(mind->exec.logbook, mind_now(mind).wall, SEVERITY_DEBUG, true, text_of(line));
	mind_send_line(mind, SEVERITY_DEBUG, line);
}

int mind_debug_begin(struct mind *mind)
{
	return debugger_new(on_line, mind, &mind->notify.debugger);
}

void mind_debug_done(struct mind *mind)
{
	debugger_free(mind->notify.debugger);
	mind->notify.debugger = NULL;
}

/* The IKE daemons' lines are asked for while somebody looks at them, and not else. */
void mind_debug_tell(struct mind *mind)
{
	struct role_debug said;

	memset(&said, 0, sizeof(said));
	said.lines = debugger_wants_lines(mind->notify.debugger);
	channel_send(mind->act, MESSAGE_DEBUG, &said);
}

void mind_set_debug(struct mind *mind, const struct debug_state *state)
{
	bool wanted = debugger_wants_lines(mind->notify.debugger);

	debugger_set(mind->notify.debugger, state);
	if (debugger_wants_lines(mind->notify.debugger) != wanted)
		mind_debug_tell(mind);
}

/* What act or sense told, before core hears it: an order's result may take the SA that it is about away. */
void mind_debug_see(struct mind *mind, enum message_type type, const union message_item *item)
{
	struct debugger *d = mind->notify.debugger;
	int64_t now = loop_now(mind->member->loop);
	const struct ike_sa *ike;

	if (!debugger_wants_lines(d))
		return;
	switch (type) {
	case MESSAGE_DAEMON_LINE:
		ike = item->daemon_line.has_ike ? core_ike_of(mind->core, item->daemon_line.daemon, item->daemon_line.ike_id) : NULL;
		debugger_daemon_line(d, &item->daemon_line, ike, now);
		break;
	case MESSAGE_CHILD_EVENT:
		debugger_child_event(d, &item->child_event, now);
		break;
	case MESSAGE_IKE_EVENT:
		debugger_ike_event(d, &item->ike_event, now);
		break;
	case MESSAGE_SIGHTING:
		debugger_sighting(d, &item->sighting, now);
		break;
	case MESSAGE_RESULT:
		debugger_result(d, &item->result, now);
		break;
	default:
		break;
	}
}
