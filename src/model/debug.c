/* SPDX-License-Identifier: MIT */
#include "model/debug.h"

static const struct {
	const char *name, *title;
} topics[DEBUG_TOPICS] = {
	[DEBUG_ISAKMP] = { "isakmp", "Crypto ISAKMP" },
	[DEBUG_IKEV2] = { "ikev2", "IKEV2" },
	[DEBUG_IPSEC] = { "ipsec", "Crypto IPSEC" },
	[DEBUG_ENGINE] = { "engine", "Crypto Engine" },
};

const char *debug_topic_name(enum debug_topic topic)
{
	return (unsigned)topic < DEBUG_TOPICS ? topics[topic].name : "?";
}

const char *debug_topic_title(enum debug_topic topic)
{
	return (unsigned)topic < DEBUG_TOPICS ? topics[topic].title : "?";
}

bool debug_is_any(const struct debug_state *state)
{
	for (int topic = 0; topic < DEBUG_TOPICS; topic++)
		if (state->on[topic])
			return true;
	return false;
}

bool debug_wants(const struct debug_state *state, enum debug_topic topic, const struct spimend_address *peer)
{
	if ((unsigned)topic >= DEBUG_TOPICS || !state->on[topic])
		return false;
	for (uint32_t i = 0; i < state->peer_count; i++)
		if (spimend_address_equal(&state->peers[i], peer))
			return true;
	return state->peer_count == 0;
}
