/* SPDX-License-Identifier: MIT */
/* The switches of the debugs (B18, B24): state for the whole daemon, not for a session. */
#include "exec/show.h"

static void take(struct exec_call *call, const struct debug_state *state)
{
	call->port->set_debug(call->port->context, state);
}

static enum debug_topic topic_of(const struct exec_call *call)
{
	int topic = 0;

	while (topic < DEBUG_TOPICS - 1 && !exec_has(call, debug_topic_name((enum debug_topic)topic)))
		topic++;
	return (enum debug_topic)topic;
}

static void set_topic(struct exec_call *call, bool on)
{
	struct debug_state state = *call->view.debug;
	enum debug_topic topic = topic_of(call);

	state.on[topic] = on;
	take(call, &state);
	buffer_printf(call->out, "%s debugging is %s\n", debug_topic_title(topic), on ? "on" : "off");
}

/* A debug of a version that no IKE SA has shows nothing of IKE: whoever pastes old notes hears it now, not afterwards. */
static void topic_on(struct exec_call *call)
{
	enum debug_topic topic = topic_of(call);

	set_topic(call, true);
	if (topic == DEBUG_ISAKMP && show_other_version(&call->view, 1))
		buffer_add_string(call->out, "% all IKE SAs here are IKEv2: 'debug crypto ikev2' shows what they do\n");
	else if (topic == DEBUG_IKEV2 && show_other_version(&call->view, 2))
		buffer_add_string(call->out, "% all IKE SAs here are IKEv1: 'debug crypto isakmp' shows what they do\n");
}

static void topic_off(struct exec_call *call)
{
	set_topic(call, false);
}

static void all_off(struct exec_call *call)
{
	struct debug_state state = *call->view.debug;

	memset(state.on, 0, sizeof(state.on));
	take(call, &state);
	buffer_add_string(call->out, "All possible debugging has been turned off\n");
}

static uint32_t find_peer(const struct debug_state *state, const struct spimend_address *peer)
{
	uint32_t i = 0;

	while (i < state->peer_count && !spimend_address_equal(&state->peers[i], peer))
		i++;
	return i;
}

static void condition_on(struct exec_call *call)
{
	struct debug_state state = *call->view.debug;
	struct spimend_address peer;

	if (!exec_address(call, &peer))
		return;
	if ((peer.family == 4) != exec_has(call, "ipv4")) {
		exec_refuse(call, "that address is none of this family");
		return;
	}
	if (find_peer(&state, &peer) < state.peer_count)
		return;
	if (state.peer_count == DEBUG_CONDITIONS_MAX) {
		exec_refuse(call, "there are %d conditions already", DEBUG_CONDITIONS_MAX);
		return;
	}
	state.peers[state.peer_count++] = peer;
	take(call, &state);
}

static void condition_off(struct exec_call *call)
{
	struct debug_state state = *call->view.debug;
	struct spimend_address peer;
	uint32_t at = exec_address(call, &peer) ? find_peer(&state, &peer) : state.peer_count;

	if (at == state.peer_count) {
		exec_refuse(call, "there is no such condition");
		return;
	}
	state.peers[at] = state.peers[--state.peer_count];
	take(call, &state);
}

static void conditions_off(struct exec_call *call)
{
	struct debug_state state = *call->view.debug;

	state.peer_count = 0;
	take(call, &state);
}

static void show_json(struct exec_call *call)
{
	const struct debug_state *state = call->view.debug;
	char address[SPIMEND_ADDRESS_TEXT_MAX];
	struct json j;

	exec_json_begin(call, &j, "spimend.debug/1");
	for (int topic = 0; topic < DEBUG_TOPICS; topic++)
		json_bool(&j, debug_topic_name((enum debug_topic)topic), state->on[topic]);
	json_array(&j, "peers");
	for (uint32_t i = 0; i < state->peer_count; i++)
		json_string(&j, NULL, spimend_address_print(&state->peers[i], address));
	json_array_end(&j);
	exec_json_end(call, &j);
}

static void print_conditions(struct exec_call *call)
{
	const struct debug_state *state = call->view.debug;
	char address[SPIMEND_ADDRESS_TEXT_MAX];

	for (uint32_t i = 0; i < state->peer_count; i++)
		buffer_printf(call->out, "Crypto conditional debug: peer %s %s\n",
			      state->peers[i].family == 4 ? "ipv4" : "ipv6",
			      spimend_address_print(&state->peers[i], address));
}

/* Nothing at all while no debug is on: that is what B24 looks for. */
static void show_debug(struct exec_call *call)
{
	const struct debug_state *state = call->view.debug;

	if (call->json) {
		show_json(call);
		return;
	}
	if (!debug_is_any(state))
		return;
	buffer_add_string(call->out, "Cryptographic Subsystem:\n");
	for (int topic = 0; topic < DEBUG_TOPICS; topic++)
		if (state->on[topic])
			buffer_printf(call->out, "  %s debugging is on\n", debug_topic_title((enum debug_topic)topic));
	print_conditions(call);
}

static void show_conditions(struct exec_call *call)
{
	if (call->json)
		show_json(call);
	else if (call->view.debug->peer_count == 0)
		buffer_add_string(call->out, "Crypto conditional debug is not set: every peer is debugged\n");
	else
		print_conditions(call);
}

const struct exec_command exec_debug_rows[] = {
	{ "debug crypto isakmp|ikev2|ipsec|engine", "write what happens into the log", EXEC_PRIVILEGED, EXEC_CHANGES, topic_on },
	{ "debug crypto condition peer ipv4|ipv6 ADDRESS", "only for this peer, and those named before", EXEC_PRIVILEGED,
	  EXEC_CHANGES, condition_on },
	{ "debug crypto condition reset", "for every peer", EXEC_PRIVILEGED, EXEC_CHANGES, conditions_off },
	{ "undebug all", "switch all debugs off", EXEC_PRIVILEGED, EXEC_CHANGES, all_off },
	{ "undebug crypto isakmp|ikev2|ipsec|engine", "switch it off", EXEC_PRIVILEGED, EXEC_CHANGES, topic_off },
	{ "no debug all", "switch all debugs off", EXEC_PRIVILEGED, EXEC_CHANGES, all_off },
	{ "no debug crypto isakmp|ikev2|ipsec|engine", "switch it off", EXEC_PRIVILEGED, EXEC_CHANGES, topic_off },
	{ "no debug crypto condition peer ipv4|ipv6 ADDRESS", "forget this condition", EXEC_PRIVILEGED, EXEC_CHANGES,
	  condition_off },
	{ "show debugging", "which debugs are on", EXEC_ANYBODY, EXEC_JSON, show_debug },
	{ "show crypto debug-condition", "for which peers", EXEC_ANYBODY, EXEC_JSON, show_conditions },
};
const size_t exec_debug_row_count = EXEC_COUNT(exec_debug_rows);
