/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "role/act_role.h"
#include "spimend/error.h"

/* Most gateways that name one have it. One that is not there yet, since charon starts, is there within a second. */
#define RECONNECT_FIRST (100 * INT64_C(1000000))
#define RECONNECT_MOST (2 * SECOND_NS)
#define WAIT_MS 5000 /* for its turn and its answer: charon sends a second time after 4 s */

/* --- What it says ----------------------------------------------------------------------------------------------------- */

void act_tell_plugin(struct act *act, const struct link_daemon *link)
{
	if (link->plugin.is)
		act_tell(act, MESSAGE_PLUGIN, &link->plugin.state);
}

static void on_state(void *context, uint16_t daemon, bool up, const char *version)
{
	struct link_daemon *link = context;
	struct plugin_state *state = &link->plugin.state;
	const char *why = "";

	(void)daemon;
	memset(state->version, 0, sizeof(state->version));
	memcpy(state->version, version, strnlen(version, sizeof(state->version) - 1));
	state->up = up;
	state->crash_detection = ike_plugin_detects_crashes(link->plugin.is);
	state->error = 0;
	if (up) {
		link->plugin.wait = 0;
		log_say(&link->act->member->log, LOG_NOTICE, "connected to the plugin in IKE daemon %s (%s)",
			link->act->member->config->daemons[link->index], version);
	} else {
		ike_plugin_is_down(link->plugin.is, &why);
		log_say(&link->act->member->log, LOG_WARNING, "the plugin in IKE daemon %s is lost: %s",
			link->act->member->config->daemons[link->index], why);
	}
	act_tell_plugin(link->act, link);
}

static enum order_outcome outcome_of(enum plugin_outcome answer)
{
	switch (answer) {
	case PLUGIN_PEER_OWNED:
	case PLUGIN_PEER_HAD_NONE:
	case PLUGIN_DONE:
	case PLUGIN_SENT:
		return OUTCOME_DONE;
	case PLUGIN_NO_REPLY:
		return OUTCOME_TIMEOUT;
	case PLUGIN_WINDOW_TAKEN:
	case PLUGIN_OURS:
	case PLUGIN_NOT_FOUND:
	case PLUGIN_BUSY:
	case PLUGIN_UNSUPPORTED:
	case PLUGIN_LIMIT:
	case PLUGIN_INVALID:
		return OUTCOME_REFUSED;
	case PLUGIN_IKE_GONE: /* before it was sent, or after */
		return OUTCOME_FAILED;
	case PLUGIN_DISCONNECTED:
	case PLUGIN_OUTCOMES:
		break;
	}
	return OUTCOME_UNKNOWN;
}

static struct order_result result_of(uint64_t id, const struct plugin_message *m, int64_t took_ns)
{
	enum plugin_outcome answer = (enum plugin_outcome)m->outcome;
	struct order_result result;

	memset(&result, 0, sizeof(result));
	result.id = id;
	result.outcome = outcome_of(answer);
	result.took_ns = took_ns;
	result.has_answer = true;
	result.answer = m->outcome;
	result.has_peer_spi = plugin_has(m, PLUGIN_HAS_PEER_SPI);
	result.peer_spi = result.has_peer_spi ? m->peer_spi : 0;
	result.has_child = plugin_has(m, PLUGIN_HAS_CHILD_ID) && plugin_has(m, PLUGIN_HAS_FLAGS) && m->flags & PLUGIN_IN_USE;
	result.child_id = result.has_child ? m->child_id : 0;
	text_copy(text_of(plugin_has(m, PLUGIN_HAS_TEXT) ? m->text : plugin_outcome_name(answer)), result.text,
		  sizeof(result.text));
	return result;
}

static void on_result(void *context, uint16_t daemon, uint64_t id, const struct plugin_message *m, int64_t took_ns)
{
	struct order_result result = result_of(id, m, took_ns);

	(void)daemon;
	act_on_result(((struct link_daemon *)context)->act, &result);
}

/* The order ended long ago; what the peer says in the end is evidence still. */
static void on_late(void *context, uint16_t daemon, uint64_t id, const struct plugin_message *m)
{
	struct act *act = ((struct link_daemon *)context)->act;
	struct order_result result = result_of(id, m, 0);

	(void)daemon;
	result.is_late = true;
	log_say(&act->member->log, LOG_NOTICE, "order %llu: late: %s", (unsigned long long)id, result.text);
	act_tell(act, MESSAGE_RESULT, &result);
}

/* --- Its connection --------------------------------------------------------------------------------------------------- */

static void on_closing(void *context)
{
	struct link_plugin *plugin = &((struct link_daemon *)context)->plugin;

	loop_remove(plugin->source);
	plugin->source = NULL;
	plugin->watched = -1;
}

int act_begin_plugin(struct act *act, struct link_daemon *link)
{
	struct ike_plugin_calls calls = { .context = link, .state = on_state, .result = on_result, .late = on_late,
					  .closing = on_closing };

	link->plugin = (struct link_plugin){ .watched = -1, .state.daemon = link->index };
	if (!act->member->config->plugins[link->index][0])
		return 0;
	link->plugin.is = ike_plugin_new(link->index, &calls);
	return link->plugin.is ? 0 : -ENOMEM;
}

bool act_has_plugin(const struct link_daemon *link)
{
	const char *why;

	return link->plugin.is && !ike_plugin_is_down(link->plugin.is, &why);
}

static void on_plugin_fd(void *context, uint32_t events)
{
	struct link_daemon *link = context;
	int64_t now = loop_now(link->act->member->loop);

	if (events & EPOLLOUT)
		ike_plugin_write(link->plugin.is, now);
	if (events & ~(uint32_t)EPOLLOUT && ike_plugin_get_fd(link->plugin.is) >= 0)
		ike_plugin_read(link->plugin.is, now);
	act_settle(link->act);
}

static void watch(struct act *act, struct link_daemon *link)
{
	struct link_plugin *plugin = &link->plugin;
	int fd = ike_plugin_get_fd(plugin->is);
	uint32_t events = ike_plugin_wants_write(plugin->is) ? EPOLLOUT : 0;

	if (!act->paused)
		events |= EPOLLIN;
	if (fd == plugin->watched) {
		if (plugin->source)
			loop_set_events(plugin->source, events);
		return;
	}
	on_closing(link);
	if (fd >= 0 && loop_add(act->member->loop, fd, events, on_plugin_fd, link, &plugin->source) == 0)
		plugin->watched = fd;
}

int64_t act_settle_plugin(struct act *act, struct link_daemon *link, int64_t now)
{
	struct link_plugin *plugin = &link->plugin;

	if (!plugin->is)
		return LOOP_NEVER;
	watch(act, link);
	if (plugin->watched >= 0)
		return ike_plugin_deadline(plugin->is);
	if (now >= plugin->again && !plugin->wanted) {
		plugin->wanted = true; /* one request at a time: the parent answers each */
		member_want(act->member, RESOURCE_PLUGIN, link->index, "");
	}
	return plugin->wanted ? LOOP_NEVER : plugin->again;
}

void act_tick_plugin(struct link_daemon *link, int64_t now)
{
	if (link->plugin.is && ike_plugin_deadline(link->plugin.is) <= now)
		ike_plugin_tick(link->plugin.is, now);
}

void act_take_plugin(struct act *act, const struct role_resource *resource, const int *fds, size_t fd_count)
{
	struct link_plugin *plugin;
	int r = resource->error;

	if (resource->index >= act->daemon_count || !act->daemons[resource->index].plugin.is || (r == 0 && fd_count != 1)) {
		member_close_fds(fds, fd_count);
		return;
	}
	plugin = &act->daemons[resource->index].plugin;
	plugin->wanted = false;
	if (r == 0) {
		r = ike_plugin_attach(plugin->is, fds[0], loop_now(act->member->loop));
	} else {
		member_close_fds(fds, fd_count);
	}
	if (r < 0 && r != plugin->state.error) {
		log_say(&act->member->log, LOG_WARNING, "the plugin in IKE daemon %s: %s; trying again, and going on without it",
			act->member->config->daemons[resource->index], spimend_strerror(r));
		plugin->state.error = r;
		act_tell_plugin(act, &act->daemons[resource->index]);
	}
	plugin->wait = plugin->wait ? plugin->wait * 2 : RECONNECT_FIRST;
	if (plugin->wait > RECONNECT_MOST)
		plugin->wait = RECONNECT_MOST;
	plugin->again = loop_now(act->member->loop) + plugin->wait;
}

/* --- Orders ----------------------------------------------------------------------------------------------------------- */

static enum plugin_kind kind_of(enum order_verb verb)
{
	return verb == ORDER_DELETE_SPI ? PLUGIN_DELETE : verb == ORDER_LIVENESS ? PLUGIN_LIVENESS : PLUGIN_NOTIFY_OUTSIDE;
}

void act_order_plugin(struct link_daemon *link, const struct order *order)
{
	struct ike_plugin_order told = { .id = order->id, .ike_id = order->ike_id, .wait_ms = WAIT_MS,
					 .verb = kind_of(order->verb) };
	struct order_result result;
	int r;

	if (order->verb != ORDER_LIVENESS) {
		told.protocol = order->protocol;
		told.spi = order->spi;
	}
	if (order->verb == ORDER_NOTIFY_SPI) {
		told.local = order->local;
		told.remote = order->peer;
		told.remote_port = order->peer_port;
	}
	r = link->plugin.is ? ike_plugin_order(link->plugin.is, &told, loop_now(link->act->member->loop)) : -ENOTCONN;
	if (r == 0)
		return;
	memset(&result, 0, sizeof(result));
	result.id = order->id;
	result.outcome = OUTCOME_REFUSED;
	text_copy(text_of(r == -ENOTCONN ? "the plugin is not there" : spimend_strerror(r)), result.text, sizeof(result.text));
	act_on_result(link->act, &result);
}
