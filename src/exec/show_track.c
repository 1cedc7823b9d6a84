/* SPDX-License-Identifier: MIT */
/* `show track`. */
#include <inttypes.h>

#include "base/memory.h"
#include "eem/eem.h"
#include "exec/show.h"

static const char *state_of(const struct track_state *state)
{
	return !state->known ? "unknown" : state->is_up ? "Up" : "Down";
}

static uint32_t since(const struct exec_call *call, const struct track_state *state)
{
	return (uint32_t)((call->view.now.mono_ns - state->changed_ns) / SECOND_NS);
}

static void add_line(const struct track_state *state, struct buffer *out)
{
	static const char *const what[TRACK_KINDS] = { "Line protocol", "IP routing", "Reachability", "State", "IPsec SA" };

	buffer_printf(out, "  %s is %s\n", what[state->track.kind], state_of(state));
}

static void print_one(struct exec_call *call, const struct track_state *state)
{
	const struct config_track *track = &state->track;
	struct buffer *out = call->out;
	struct text applet;

	buffer_printf(out, "Track %u\n  ", track->number);
	track_describe(track, out);
	buffer_add_char(out, '\n');
	add_line(state, out);
	if (track->delay_up || track->delay_down) {
		buffer_add_string(out, "    Delay");
		if (track->delay_up)
			buffer_printf(out, " up %" PRIu32 " secs%s", track->delay_up, track->delay_down ? "," : "");
		if (track->delay_down)
			buffer_printf(out, " down %" PRIu32 " secs", track->delay_down);
		buffer_add_char(out, '\n');
	}
	if (state->known) {
		buffer_printf(out, "    %" PRIu32 " change%s, last change ", state->changes, state->changes == 1 ? "" : "s");
		show_add_uptime(out, since(call, state));
		buffer_add_char(out, '\n');
	}
	for (uint32_t i = 0; call->view.eem && eem_tracked_by(call->view.eem, track->number, i, &applet); i++)
		buffer_printf(out, "%s    EEM applet %.*s\n", i ? "" : "  Tracked by:\n", TEXT_ARG(applet));
}

static void put_one(struct exec_call *call, const struct track_state *state)
{
	cleanup(buffer_done) struct buffer what = { 0 };
	struct text applet;
	struct json j;

	track_describe(&state->track, &what);
	exec_json_begin(call, &j, "spimend.track/1");
	json_unsigned(&j, "track", state->track.number);
	json_text(&j, "object", buffer_text(&what));
	if (state->known)
		json_bool(&j, "up", state->is_up);
	else
		json_null(&j, "up");
	json_unsigned(&j, "changes", state->changes);
	if (state->known)
		json_unsigned(&j, "last_change_s", since(call, state));
	else
		json_null(&j, "last_change_s");
	json_array(&j, "applets");
	for (uint32_t i = 0; call->view.eem && eem_tracked_by(call->view.eem, state->track.number, i, &applet); i++)
		json_text(&j, NULL, applet);
	json_array_end(&j);
	exec_json_end(call, &j);
}

static void show_track(struct exec_call *call)
{
	uint64_t wanted = exec_number(call, "NUMBER", 0);
	bool any = false;

	for (uint32_t i = 0; i < call->view.track_count; i++) {
		if (wanted && call->view.tracks[i].track.number != wanted)
			continue;
		any = true;
		(call->json ? put_one : print_one)(call, &call->view.tracks[i]);
	}
	if (wanted && !any)
		exec_refuse(call, "no track object %" PRIu64 " is configured", wanted);
}

static void show_brief(struct exec_call *call)
{
	if (!call->json)
		buffer_printf(call->out, "%-5s %-44s %-7s %s\n", "Track", "Object", "State", "Last Change");
	for (uint32_t i = 0; i < call->view.track_count; i++) {
		const struct track_state *state = &call->view.tracks[i];
		cleanup(buffer_done) struct buffer what = { 0 };

		if (call->json) {
			put_one(call, state);
			continue;
		}
		track_describe(&state->track, &what);
		buffer_printf(call->out, "%-5u %-44.*s %-7s ", state->track.number, TEXT_ARG(buffer_text(&what)), state_of(state));
		if (state->known)
			show_add_uptime(call->out, since(call, state));
		buffer_add_char(call->out, '\n');
	}
}

const struct exec_command exec_show_track_rows[] = {
	{ "show track [NUMBER]", "tracked objects: interfaces, routes, peers", EXEC_ANYBODY, EXEC_JSON, show_track },
	{ "show track brief", "tracked objects, a line each", EXEC_ANYBODY, EXEC_JSON, show_brief },
};
const size_t exec_show_track_row_count = EXEC_COUNT(exec_show_track_rows);
