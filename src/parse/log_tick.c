/* SPDX-License-Identifier: MIT */
/*
 * Ordinary lines, the other 99 %: when was who heard. Most lines of a file start like the one before, so the last line's
 * prefix is kept and compared; what differs is read by hand-made short cuts for the two common stamps; all other forms go
 * through framing_read().
 */
#include "parse/log_private.h"

static inline unsigned digit2(const char *p)
{
	return (unsigned)(p[0] == ' ' ? 0 : p[0] - '0') * 10 + (unsigned)(p[1] - '0');
}

static inline bool are_digits2(const char *p)
{
	return (unsigned char)(p[0] - '0') < 10 && (unsigned char)(p[1] - '0') < 10;
}

static bool is_clock(const char *p)
{
	return are_digits2(p) && p[2] == ':' && are_digits2(p + 3) && p[5] == ':' && are_digits2(p + 6) && p[0] <= '2' &&
	       p[3] <= '5' && p[6] <= '5';
}

static int64_t clock_ns(const char *p)
{
	return (int64_t)(digit2(p) * 3600 + digit2(p + 3) * 60 + digit2(p + 6)) * SECOND_NS;
}

/* "Nov  2 04:00:48": midnight is worked out once a day. */
static bool quick_month(struct log *log, struct text t, struct instant *ret)
{
	struct tick_memo *memo = &log->memo;
	unsigned day;

	if (t.len < 16 || t.at[3] != ' ' || t.at[6] != ' ' || !is_clock(t.at + 7) || t.at[15] != ' ')
		return false;
	day = digit2(t.at + 4);
	if (!memo->has_midnight || memo->day != (int)day || memo->month != (t.at[0] << 16 | t.at[1] << 8 | t.at[2])) {
		struct stamp stamp;
		struct text rest = text_first(t, 15);

		if (!stamp_take(&rest, &stamp) || rest.len)
			return false;
		if (stamp_resolve(&stamp, &log->rules.stamps, NULL, ret) < 0)
			return false;
		memo->midnight_ns = ret->ns - clock_ns(t.at + 7);
		memo->month = t.at[0] << 16 | t.at[1] << 8 | t.at[2];
		memo->day = (int)day;
		memo->has_midnight = true;
		return true;
	}
	ret->ns = memo->midnight_ns + clock_ns(t.at + 7);
	return true;
}

/* The next word is the host where the stamp was followed by a blank. Says whether an inner host may follow, as in
 * "relay 77: rt7: *Nov ...", which is for framing_read() to find out. */
static bool quick_host(struct text t, struct text *ret_host)
{
	size_t n = 0;
	struct text rest;

	while (n < t.len && t.at[n] != ' ' && t.at[n] != ':' && t.at[n] != '%' && t.at[n] != '[')
		n++;
	if (n == 0 || n + 1 >= t.len || t.at[n] != ' ' || n > HOST_NAME_KEPT)
		return false;
	*ret_host = text_first(t, n);
	rest = text_skip(t, n + 1);
	for (n = 0; n < rest.len && char_is_digit(rest.at[n]); n++)
		;
	if (n && n + 2 < rest.len && rest.at[n] == ':') /* sequence number */
		rest = text_skip(rest, n + 2);
	else if (n)
		return false;
	if (rest.len && (rest.at[0] == '%' || rest.at[0] == '*' || rest.at[0] == '.'))
		return true;
	for (n = 0; n < rest.len && n < 64 && rest.at[n] != ' '; n++) {
		if (rest.at[n] == '[' || rest.at[n] == '=')
			return true; /* a process tag; key=value */
	}
	if (n == 3 && rest.len > 7 && rest.at[6] == ' ' && char_is_digit(rest.at[5]))
		return true; /* the device's own stamp */
	if (n && n < rest.len && rest.at[n - 1] == ':')
		return !(n + 1 < rest.len && strchr("*.%", rest.at[n + 1])) &&
		       !(n + 4 < rest.len && rest.at[n + 4] == ' ' && char_is_alpha(rest.at[n + 1]) && rest.len > n + 8 &&
			 rest.at[n + 7] == ' ');
	return false;
}

static void tick_slowly(struct log *log, struct text line)
{
	struct framing framing;
	struct instant at;
	struct host *host;

	framing_read(text_first(line, 256), false, &framing);
	if (!framing.has_outer || stamp_resolve(&framing.outer, &log->rules.stamps, NULL, &at) < 0)
		return;
	host = log_host(log, framing.host);
	if (!host)
		return;
	host->last_was_stray = false;
	log_hear(log, host, at, line);
}

void log_tick(struct log *log, struct text line)
{
	struct tick_memo *memo = &log->memo;
	struct text rest, name;
	struct host *host;
	size_t prefix_len = 16;

	if (line.len < 16)
		return;
	if (memo->prefix_len && line.len > memo->prefix_len && memcmp(line.at, memo->prefix, memo->prefix_len) == 0) {
		prefix_len = memo->prefix_len;
	} else {
		if (!quick_month(log, line, &memo->at)) {
			memo->prefix_len = 0;
			tick_slowly(log, line);
			return;
		}
		memcpy(memo->prefix, line.at, prefix_len);
		memo->prefix_len = prefix_len;
	}
	rest = text_skip(line, prefix_len);
	if (!quick_host(rest, &name)) {
		tick_slowly(log, line);
		return;
	}
	if (memo->host_room == log->hosts->room && text_equal(name, memo->host_text)) {
		host = &log->hosts->slots[memo->host_slot];
	} else {
		host = hosts_get(log->hosts, name);
		if (!host)
			return;
		memcpy(memo->host_copy, name.at, name.len);
		memo->host_text = (struct text){ memo->host_copy, name.len };
		memo->host_slot = (size_t)(host - log->hosts->slots);
		memo->host_room = log->hosts->room;
	}
	host->last_was_stray = false;
	if (__builtin_expect(host_hear(host, memo->at, LOG_CLOCK_TOLERANCE), 0))
		log_trouble(log, TROUBLE_CLOCK_BACK, host_name(host), "the stamp lies before an earlier one of the same host",
			    0, line);
}
