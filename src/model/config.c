/* SPDX-License-Identifier: MIT */
#include "model/config.h"

#include <string.h>

static void set(char *to, size_t size, const char *value)
{
	text_copy(text_of(value), to, size);
}

void config_default(struct config *ret)
{
	memset(ret, 0, sizeof(*ret)); /* whatever is not set is zero bytes, so that equal configurations are equal bytes */
	ret->mode = MODE_ADVISE;
	set(ret->user, sizeof(ret->user), "spimend");
	set(ret->state_directory, sizeof(ret->state_directory), "/var/lib/spimend");
	set(ret->control_socket, sizeof(ret->control_socket), "/run/spimend/control");
	ret->encap_ports[0] = 4500;
	ret->encap_port_count = 1;
	ret->sense_xfrm = true;

	ret->overlap_ns = 5 * SECOND_NS;
	ret->settle_ns = SECOND_NS * 3 / 10;
	ret->stray_span_ns = SECOND_NS / 5;
	ret->stray_count = 3;
	ret->early_use_ns = 2 * SECOND_NS;
	ret->one_way_ns = 10 * SECOND_NS;
	ret->one_way_packets = 10;
	ret->verify_ns = 5 * SECOND_NS;
	ret->close_ns = 5 * MINUTE_NS;
	ret->ledger_max = 65536;
	ret->flows_max = 4096;
	ret->incidents_max = 1024;

	ret->per_peer_count = 1;
	ret->per_peer_ns = MINUTE_NS;
	ret->global_count = 30;
	ret->global_ns = MINUTE_NS;
	ret->concurrent = 4;
	ret->breaker_peers = 5;
	ret->breaker_ns = 10 * SECOND_NS;
	ret->pace_ns = SECOND_NS;
	ret->backoff_ns = MINUTE_NS;
	ret->backoff_most_ns = HOUR_NS;
	ret->step_attempts = 1;
	ret->order_timeout_ns = 10 * SECOND_NS;

	ret->log_gap_ns = MINUTE_NS; /* B3 */
	ret->log_per_minute = 10;
}

const char *mode_name(enum mode mode)
{
	static const char *const names[MODES] = { "observe", "advise", "repair" };

	return (unsigned)mode < MODES ? names[mode] : "?";
}

const char *peer_mode_name(enum peer_mode mode)
{
	static const char *const names[PEER_MODES] = { "default", "ignore", "observe", "repair" };

	return (unsigned)mode < PEER_MODES ? names[mode] : "?";
}

const char *capture_name(enum capture capture)
{
	static const char *const names[CAPTURES] = { "packet", "xdp generic", "xdp native" };

	return (unsigned)capture < CAPTURES ? names[capture] : "?";
}
