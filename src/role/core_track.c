/* SPDX-License-Identifier: MIT */
/*
 * Tracked objects: looked at once a second, as IOS does with interfaces, over the rtnetlink socket of core_links.c and in
 * core's mirror of the SAs. A change that lasted as long as its `delay` wants is logged and told to the applets. The first
 * look is no change; what cannot be looked at stays as it was.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>

#include "base/memory.h"
#include "parse/rtnetlink.h"
#include "role/core_role.h"

#define LOOK_EVERY SECOND_NS

/* --- How it is ---------------------------------------------------------------------------------------------------- */

static const struct link *link_of(const struct mind *mind, const char *name)
{
	for (size_t i = 0; i < mind->exec.links.count; i++)
		if (strcmp(mind->exec.links.at[i].name, name) == 0)
			return &mind->exec.links.at[i];
	return NULL;
}

/* An interface that is not there is down: tunnels come and go. */
static bool look_at_link(const struct mind *mind, const struct config_track *track, bool *ret_up)
{
	const struct link *link = link_of(mind, track->interface);
	bool has_address = false;

	if (mind->exec.links_error < 0)
		return false;
	for (uint32_t i = 0; link && i < link->address_count; i++)
		has_address = has_address || link->addresses[i].address.family == 4;
	*ret_up = link && link->running && (track->kind == TRACK_LINE_PROTOCOL || has_address);
	return true;
}

static bool ask_route(int fd, const struct spimend_address *address, uint8_t prefix, bool *ret_found)
{
	unsigned char request[64];
	char answer[4096];
	size_t len = rtnetlink_route_request(address, request);
	uint32_t link;
	ssize_t n;

	while (recv(fd, answer, sizeof(answer), MSG_DONTWAIT) > 0)
		;
	if (send(fd, request, len, MSG_NOSIGNAL) != (ssize_t)len)
		return false;
	do /* the kernel answers as it is asked: nothing is waited for */
		n = recv(fd, answer, sizeof(answer), MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	return n > 0 && rtnetlink_read_route((struct text){ answer, (size_t)n }, prefix, ret_found, &link);
}

static bool look_at_route(const struct mind *mind, const struct config_track *track, bool *ret_up)
{
	struct spimend_address last = track->address;

	/* Where the first address has a longer entry of its own, the last one tells. */
	spimend_address_set_bits(&last, track->prefix, true);
	if (mind->exec.route_fd < 0 || !ask_route(mind->exec.route_fd, &track->address, track->prefix, ret_up))
		return false;
	return *ret_up || ask_route(mind->exec.route_fd, &last, track->prefix, ret_up);
}

/* Known only when each IKE daemon's SAs were listed: at the start none is, and that is not down. */
static bool look_at_peer(struct mind *mind, const struct config_track *track, bool *ret_up)
{
	struct core_figures figures = core_figures(mind->core, mind_now(mind));

	if (figures.daemon_count == 0)
		return false;
	for (uint32_t i = 0; i < figures.daemon_count; i++)
		if (figures.daemons[i].snapshot_age_ns < 0)
			return false;
	*ret_up = core_has_child(mind->core, &track->address);
	return true;
}

static bool look(struct mind *mind, const struct track_state *state, bool *ret_up)
{
	switch (state->track.kind) {
	case TRACK_ROUTE:
		return look_at_route(mind, &state->track, ret_up);
	case TRACK_STUB:
		*ret_up = state->stub_up;
		return true;
	case TRACK_PEER:
		return look_at_peer(mind, &state->track, ret_up);
	default:
		return look_at_link(mind, &state->track, ret_up);
	}
}

/* --- What follows ------------------------------------------------------------------------------------------------- */

static void say_change(struct mind *mind, const struct track_state *state)
{
	cleanup(buffer_done) struct buffer line = { 0 };
	const char *was = state->is_up ? "Down" : "Up", *is = state->is_up ? "Up" : "Down";
	char text[256];

	buffer_printf(&line, "%%TRACK-6-STATE: %u ", state->track.number);
	track_describe(&state->track, &line);
	buffer_printf(&line, " %s -> %s", was, is);
	text_copy(buffer_text(&line), text, sizeof(text));
	mind_say_line(mind, LOG_INFO, text);
}

static void look_and_tell(struct mind *mind, struct track_state *state, int64_t now)
{
	uint32_t delay;
	bool is_up;

	if (!look(mind, state, &is_up))
		return;
	if (!state->known) {
		state->known = true;
		state->is_up = is_up;
		state->changed_ns = now;
		mind_eem_track(mind, state->track.number, is_up);
		return;
	}
	if (is_up == state->is_up) {
		state->turning = false;
		return;
	}
	if (!state->turning)
		state->turning_ns = now;
	state->turning = true;
	delay = is_up ? state->track.delay_up : state->track.delay_down;
	if (now - state->turning_ns < delay * SECOND_NS)
		return;
	state->turning = false;
	state->is_up = is_up;
	state->changes++;
	state->changed_ns = now;
	say_change(mind, state);
	mind_eem_track(mind, state->track.number, is_up);
}

static void look_at_all(struct mind *mind)
{
	struct mind_tracks *tracks = &mind->tracks;
	int64_t now = mind_now(mind).mono_ns;
	bool wants_links = false;

	for (uint32_t i = 0; i < tracks->count; i++)
		wants_links = wants_links || tracks->at[i].track.kind <= TRACK_IP_ROUTING;
	if (wants_links) {
		mind->exec.links_at = 0; /* what was listed within this second may be the past */
		(void)mind_read_links(mind);
	}
	for (uint32_t i = 0; i < tracks->count; i++)
		look_and_tell(mind, &tracks->at[i], now);
}

static void on_timer(void *context, int64_t now)
{
	struct mind *mind = context;

	(void)now;
	if (mind->core)
		look_at_all(mind);
}

/* --- Configuration, applets --------------------------------------------------------------------------------------- */

/* Apart from its delays, it watches the same. */
static bool is_same(const struct config_track *a, const struct config_track *b)
{
	struct config_track x = *a;

	x.delay_up = b->delay_up;
	x.delay_down = b->delay_down;
	return memcmp(&x, b, sizeof(x)) == 0;
}

int mind_tracks_configure(struct mind *mind)
{
	const struct config *config = mind->exec.running;
	struct mind_tracks *tracks = &mind->tracks;
	struct track_state fresh[TRACKS_CONFIGURED_MAX];
	int r = 0;

	memset(fresh, 0, sizeof(fresh));
	for (uint32_t i = 0; i < config->track_count; i++) {
		for (uint32_t k = 0; k < tracks->count; k++)
			if (is_same(&tracks->at[k].track, &config->tracks[i]))
				fresh[i] = tracks->at[k];
		if (!fresh[i].track.number)
			fresh[i].stub_up = config->tracks[i].default_up;
		fresh[i].track = config->tracks[i];
	}
	for (uint32_t k = 0; k < tracks->count; k++) {
		bool stays = false;

		for (uint32_t i = 0; i < config->track_count; i++)
			stays = stays || (fresh[i].known && fresh[i].track.number == tracks->at[k].track.number);
		if (!stays)
			mind_eem_no_track(mind, tracks->at[k].track.number);
	}
	memcpy(tracks->at, fresh, sizeof(fresh));
	tracks->count = config->track_count;
	if (tracks->count == 0) {
		loop_remove_timer(tracks->timer);
		tracks->timer = NULL;
	} else if (!tracks->timer) {
		r = loop_add_timer(mind->member->loop, on_timer, mind, &tracks->timer);
		if (r == 0)
			loop_timer_every(tracks->timer, LOOK_EVERY);
	}
	if (mind->core)
		look_at_all(mind);
	return r;
}

bool mind_set_track(struct mind *mind, uint32_t object, bool is_up)
{
	for (uint32_t i = 0; i < mind->tracks.count; i++) {
		struct track_state *state = &mind->tracks.at[i];

		if (state->track.number != object || state->track.kind != TRACK_STUB)
			continue;
		state->stub_up = is_up;
		look_and_tell(mind, state, mind_now(mind).mono_ns);
		return true;
	}
	return false;
}
