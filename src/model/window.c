/* SPDX-License-Identifier: MIT */
#include "model/window.h"

#define WEEK_NS (WINDOW_DAYS * DAY_NS)
#define FIRST_DAY 3 /* 1970-01-01 was a Thursday */

const char *window_day_name(int day)
{
	static const char *const names[WINDOW_DAYS] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };

	return day >= 0 && day < WINDOW_DAYS ? names[day] : "?";
}

/* Since Monday, 00:00. */
static int64_t since_monday(struct instant at)
{
	int64_t ns = (at.ns % WEEK_NS + FIRST_DAY * DAY_NS) % WEEK_NS;

	return ns < 0 ? ns + WEEK_NS : ns;
}

/* Until the window opens that opens on that day; 0: it is open. */
static int64_t until_open(const struct window_hours *window, int day, int64_t now)
{
	int64_t begin = day * DAY_NS + window->from * MINUTE_NS;
	int64_t length = (window->to - window->from) * MINUTE_NS, since = now - begin;

	length += window->to <= window->from ? DAY_NS : 0;
	since += since < 0 ? WEEK_NS : 0;
	return since < length ? 0 : WEEK_NS - since;
}

struct instant windows_next(const struct windows *windows, struct instant at)
{
	int64_t now = since_monday(at), least = windows->count ? WEEK_NS : 0;

	for (int i = 0; i < windows->count && i < WINDOWS_MAX; i++) {
		for (int day = 0; day < WINDOW_DAYS; day++) {
			int64_t until;

			if (!(windows->at[i].days & 1u << day))
				continue;
			until = until_open(&windows->at[i], day, now);
			least = until < least ? until : least;
		}
	}
	return (struct instant){ at.ns + least };
}

bool windows_are_open(const struct windows *windows, struct instant at)
{
	return windows_next(windows, at).ns == at.ns;
}

void window_print_time(struct instant at, struct instant now, struct buffer *out)
{
	struct civil c = calendar_from_instant(at);

	if (at.ns - now.ns >= DAY_NS)
		buffer_printf(out, "%s ", window_day_name((int)(since_monday(at) / DAY_NS)));
	buffer_printf(out, "%02d:%02d UTC", c.hour, c.minute);
}
