/* SPDX-License-Identifier: MIT */
/* `window [DAYS] HH:MM HH:MM` of a device, and `fleet window`, the same for all that have none of their own. */
#include <string.h>

#include "parse/config_private.h"

static int read_day(struct text t)
{
	for (int day = 0; day < WINDOW_DAYS; day++)
		if (text_equal_nocase(t, text_of(window_day_name(day))))
			return day;
	return -1;
}

/* "mon-fri", "sat,sun", "fri-mon,wed" */
static bool read_days(struct text t, uint16_t *ret, struct buffer *why)
{
	static const char expected[] = "days as mon-fri or sat,sun are expected, or none for every day";
	struct text rest = t;

	*ret = 0;
	for (;;) {
		int first = read_day(text_first(rest, 3)), last = first;

		rest = text_skip(rest, 3);
		if (first >= 0 && rest.len && rest.at[0] == '-') {
			last = read_day(text_first(text_skip(rest, 1), 3));
			rest = text_skip(rest, 4);
		}
		if (first < 0 || last < 0 || (rest.len && (rest.at[0] != ',' || rest.len == 1)))
			return config_say_expected(why, "window", t, expected);
		for (int day = first;; day = (day + 1) % WINDOW_DAYS) {
			*ret |= (uint16_t)(1u << day);
			if (day == last)
				break;
		}
		if (!rest.len)
			return true;
		rest = text_skip(rest, 1);
	}
}

static bool read_time(struct text t, uint16_t least, uint16_t most, uint16_t *ret, struct buffer *why)
{
	int hour, minute;

	if (t.len == 5 && char_is_digit(t.at[0]) && char_is_digit(t.at[1]) && t.at[2] == ':' && char_is_digit(t.at[3]) &&
	    char_is_digit(t.at[4])) {
		hour = 10 * (t.at[0] - '0') + t.at[1] - '0';
		minute = 10 * (t.at[3] - '0') + t.at[4] - '0';
		*ret = (uint16_t)(hour * 60 + minute);
		if (minute < 60 && *ret >= least && *ret <= most)
			return true;
	}
	return config_say_expected(why, "time", t, least ? "HH:MM up to 24:00 is expected: when it closes, in UTC" :
							   "HH:MM from 00:00 to 23:59 is expected: when it opens, in UTC");
}

bool config_window_set(const struct text *words, size_t count, struct windows *windows, struct buffer *why, bool *again)
{
	struct window_hours window = { .days = WINDOW_EVERY_DAY };

	if (count == 3 && !read_days(words[0], &window.days, why))
		return false;
	if (!read_time(words[count - 2], 0, WINDOW_DAY_MINUTES - 1, &window.from, why) ||
	    !read_time(words[count - 1], 1, WINDOW_DAY_MINUTES, &window.to, why))
		return false;
	if (window.from == window.to)
		return config_say_expected(why, "time", words[count - 1], "another time than the one before is expected; 00:00 24:00 is all day");
	for (uint16_t i = 0; i < windows->count; i++) {
		if (memcmp(&windows->at[i], &window, sizeof(window)) == 0) {
			*again = true;
			return true;
		}
	}
	if (windows->count == WINDOWS_MAX) {
		buffer_printf(why, "at most %d windows", WINDOWS_MAX);
		return false;
	}
	windows->at[windows->count++] = window;
	return true;
}

/* Runs of days, as people write them: mon-fri,sun */
static void print_days(uint16_t days, struct buffer *out)
{
	bool is_first = true;

	for (int day = 0; day < WINDOW_DAYS; day++) {
		int last = day;

		if (!(days & 1u << day))
			continue;
		while (last + 1 < WINDOW_DAYS && days & 1u << (last + 1))
			last++;
		buffer_printf(out, "%s%s", is_first ? " " : ",", window_day_name(day));
		if (last > day)
			buffer_printf(out, "%c%s", last > day + 1 ? '-' : ',', window_day_name(last));
		is_first = false;
		day = last;
	}
}

void config_window_print(const char *keywords, const struct windows *windows, struct buffer *out)
{
	for (uint16_t i = 0; i < windows->count; i++) {
		const struct window_hours *w = &windows->at[i];

		buffer_printf(out, " %s", keywords);
		if (w->days != WINDOW_EVERY_DAY)
			print_days(w->days, out);
		buffer_printf(out, " %02d:%02d %02d:%02d\n", w->from / 60, w->from % 60, w->to / 60, w->to % 60);
	}
}
