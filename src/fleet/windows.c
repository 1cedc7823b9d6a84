/* SPDX-License-Identifier: MIT */
/*
 * Maintenance windows of the device that a step is typed on. Outside of them nothing is typed: the case waits, is looked at
 * at the pace of what is only planned, and goes on when one opens, behind readings that began since.
 */
#include <inttypes.h>

#include "base/memory.h"
#include "fleet/fleet_private.h"

static const struct windows *windows_of(const struct fleet *f, uint32_t device)
{
	return device_windows(&f->config->devices, device_config(f, device));
}

/* When a step could be typed, as seen from the wall clock: `now` itself where it can. */
static struct instant opens_at(const struct fleet *f, uint32_t device)
{
	const struct windows *windows = windows_of(f, device);
	struct instant now = f->now.wall, end = { now.ns + f->settings.within_ns };

	return windows_are_open(windows, end) ? windows_next(windows, now) : windows_next(windows, end);
}

bool window_lets(struct fleet *f, struct case_file *c, uint32_t device)
{
	struct instant now = f->now.wall, begun = { now.ns - (f->now.mono_ns - c->now.begun_ns) }, opens = opens_at(f, device);
	struct buffer when cleanup(buffer_done) = { 0 };
	int64_t wait = opens.ns - now.ns;

	if (wait == 0 && windows_are_open(windows_of(f, device), begun)) {
		if (c->awaits_window) /* the time that it had to wait is not held against it */
			c->began_ns = f->now.mono_ns;
		c->awaits_window = false;
		return true;
	}
	devices_unlock(f, c);
	if (c->step == NONE || !step_is_agreed(&c->is.steps[c->step]))
		c->is.state = STATE_OPEN;
	c->awaits_window = true;
	c->tries = c->changes = 0; /* it was proved just now: what comes before the next proof counts anew */
	window_print_time(opens, now, &when);
	case_say(c, wait ? "Waits for the window of %s, %.*s." : "The window of %s opened at the time of the readings: they are made anew.",
		 device_config(f, device)->name, TEXT_ARG(buffer_text(&when)));
	case_wait(c, LOOK_CONFIRM, f->now.mono_ns + (wait < f->settings.recheck_ns ? wait : f->settings.recheck_ns));
	case_keep(f, c);
	return false;
}

void window_warn(const struct fleet *f, uint32_t device, struct buffer *out)
{
	struct instant now = f->now.wall, opens = opens_at(f, device);
	int64_t minutes = f->settings.approval_ns / MINUTE_NS;
	bool in_time = opens.ns - now.ns < f->settings.approval_ns;

	if (opens.ns == now.ns)
		return;
	buffer_printf(out, "No window of %s is open now. The next one opens at ", device_config(f, device)->name);
	window_print_time(opens, now, out);
	buffer_printf(out, in_time ? ": it is typed then, if the word, which counts for %" PRId64 " minutes, still does." :
				     ". The word counts for %" PRId64 " minutes, so nothing is typed unless it is given again then.",
		      minutes);
}
