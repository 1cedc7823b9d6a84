/* SPDX-License-Identifier: MIT */
/* `track` and what stands below it. What a track object cannot be here is refused by its name. */
#include <inttypes.h>

#include "base/memory.h"
#include "parse/config_private.h"

static bool is_word(struct text t, const char *word, size_t least)
{
	return t.len >= least && text_starts_nocase(text_of(word), t);
}

static struct config_track *find(struct config *c, uint32_t number)
{
	for (uint32_t i = 0; i < c->track_count; i++)
		if (c->tracks[i].number == number)
			return &c->tracks[i];
	return NULL;
}

static bool read_interface(const struct text *words, size_t count, struct config_track *track, struct buffer *why)
{
	if (count < 4 || words[2].len >= sizeof(track->interface))
		return config_say_expected(why, "interface", count > 2 ? words[2] : TEXT_NONE,
					   "'interface NAME line-protocol' is expected, with the name that Linux gives it");
	text_copy(words[2], track->interface, sizeof(track->interface));
	if (count == 4 && is_word(words[3], "line-protocol", 1)) {
		track->kind = TRACK_LINE_PROTOCOL;
		return true;
	}
	track->kind = TRACK_IP_ROUTING;
	return (count == 5 && is_word(words[3], "ip", 2) && is_word(words[4], "routing", 1)) ||
	       config_say_expected(why, "what of it", words[3], "line-protocol or 'ip routing' is expected");
}

/* 255.255.255.0 */
static bool read_mask(struct text t, uint8_t *ret)
{
	struct spimend_address mask;
	uint32_t bits = 0;

	if (spimend_address_parse(t.at, t.len, &mask) < 0 || mask.family != 4)
		return false;
	for (int i = 0; i < 4; i++)
		bits = bits << 8 | mask.bytes[i];
	*ret = 0;
	while (*ret < 32 && bits >> (31 - *ret) & 1)
		(*ret)++;
	return *ret == 32 || bits << *ret == 0;
}

static bool read_route(const struct text *words, size_t count, struct config_track *track, struct buffer *why)
{
	static const char expected[] = "'ip route NETWORK MASK reachability', or NETWORK/LENGTH, is expected";
	bool is_six = text_equal_nocase(words[1], TEXT("ipv6"));
	struct spimend_address network;
	size_t slash, at = 4;
	uint64_t length;

	track->kind = TRACK_ROUTE;
	if (count < 5 || !is_word(words[2], "route", 2))
		return config_say_expected(why, "route", count > 2 ? words[2] : TEXT_NONE, expected);
	slash = text_find_char(words[3], '/');
	if (!config_read_address(text_first(words[3], slash), &track->address, why))
		return false;
	if ((track->address.family == 6) != is_six)
		return config_say_expected(why, "route", words[3], is_six ? "an IPv6 prefix is expected" : expected);
	if (slash != TEXT_NOT_FOUND) {
		if (text_decimal(text_skip(words[3], slash + 1), is_six ? 128 : 32, &length) < 0)
			return config_say_expected(why, "length", words[3], "0 to 32, or to 128 for IPv6, is expected");
		track->prefix = (uint8_t)length;
	} else if (is_six || !read_mask(words[at++], &track->prefix)) {
		return config_say_expected(why, "route", words[4], expected);
	}
	if (at < count && is_word(words[at], "metric", 1))
		return config_say_expected(why, "what of it", words[at], "a route's metric is not watched here; 'reachability' is");
	if (at + 1 != count || !is_word(words[at], "reachability", 1))
		return config_say_expected(why, "what of it", at < count ? words[at] : TEXT_NONE, expected);
	network = track->address;
	spimend_address_set_bits(&network, track->prefix, false);
	return spimend_address_equal(&network, &track->address) ||
	       config_say_expected(why, "network", words[3], "there are bits set behind its length");
}

/* What IOS has and this gateway has not. */
static bool refuse(struct text kind, struct buffer *why)
{
	static const struct {
		const char *word, *why;
	} others[] = {
		{ "ip sla", "there is no IP SLA here" }, { "rtr", "there is no IP SLA here" }, { "list", "lists of objects are not kept here" },
		{ "application", "applications of IOS are not here" }, { "timer", "interfaces and routes are looked at each second" },
		{ "resolution", "metrics are not watched here" }, { "stub", "'stub-object' is expected" },
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (text_equal_nocase(text_first(kind, strlen(others[i].word)), text_of(others[i].word)))
			return config_say_expected(why, "object", kind, others[i].why);
	return config_say_expected(why, "object", kind,
				   "interface, 'ip route', 'ipv6 route', stub-object or 'ipsec peer' is expected");
}

static bool read_track(const struct text *words, size_t count, struct config_track *track, struct buffer *why)
{
	struct text kind = count > 1 ? words[1] : TEXT_NONE;
	uint32_t number;

	memset(track, 0, sizeof(*track));
	if (is_word(words[0], "timer", 2) || is_word(words[0], "resolution", 2))
		return refuse(words[0], why);
	if (!config_read_count(words[0], 1, TRACK_NUMBER_MAX, &number, why))
		return false;
	track->number = (uint16_t)number;
	if (is_word(kind, "interface", 2))
		return read_interface(words, count, track, why);
	if (is_word(kind, "stub-object", 6)) {
		track->kind = TRACK_STUB;
		return count == 2 || config_say_expected(why, "stub-object", words[2], "the end of the line is expected");
	}
	if (text_equal_nocase(kind, TEXT("ipsec"))) {
		track->kind = TRACK_PEER;
		if (count != 4 || !is_word(words[2], "peer", 2))
			return config_say_expected(why, "ipsec", count > 2 ? words[2] : TEXT_NONE, "'ipsec peer ADDRESS' is expected");
		return config_read_address(words[3], &track->address, why);
	}
	if (count > 2 && text_equal_nocase(kind, TEXT("ip")) && is_word(words[2], "sla", 1))
		return refuse(TEXT("ip sla"), why);
	if (text_equal_nocase(kind, TEXT("ip")) || text_equal_nocase(kind, TEXT("ipv6")))
		return read_route(words, count, track, why);
	return refuse(kind, why);
}

static bool set_track(const struct text *words, size_t count, struct config *c, struct buffer *why, bool *again)
{
	struct config_track track, *known;
	uint32_t place = 0;

	/* "track 1", to change what stands below it */
	if (count == 1 && config_read_count(words[0], 1, TRACK_NUMBER_MAX, &place, why) && find(c, place)) {
		c->track_last = place;
		return true;
	}
	if (why->len || !read_track(words, count, &track, why))
		return why->len == 0;
	known = find(c, track.number);
	if (known) {
		struct config_track was = *known;

		track.default_up = was.default_up;
		track.delay_up = was.delay_up;
		track.delay_down = was.delay_down;
		*again = memcmp(&was, &track, sizeof(was)) != 0;
		*known = track;
	} else {
		if (c->track_count == TRACKS_CONFIGURED_MAX) {
			buffer_printf(why, "at most %d track objects", TRACKS_CONFIGURED_MAX);
			return false;
		}
		place = 0;
		while (place < c->track_count && c->tracks[place].number < track.number)
			place++;
		memmove(&c->tracks[place + 1], &c->tracks[place], (c->track_count - place) * sizeof(track));
		c->tracks[place] = track;
		c->track_count++;
	}
	c->track_last = track.number;
	return true;
}

static struct config_track *last_of(struct config *c, const char *what, struct buffer *why)
{
	struct config_track *track = find(c, c->track_last);

	if (!track)
		buffer_printf(why, "'%s' stands below a 'track'", what);
	return track;
}

static bool set_delay(const struct text *words, size_t count, struct config *c, struct buffer *why)
{
	struct config_track *track = last_of(c, "delay", why);
	uint32_t up = 0, down = 0;

	if (!track)
		return false;
	for (size_t i = 0; i < count; i += 2) {
		bool is_up = is_word(words[i], "up", 1);

		if (i + 1 == count || (!is_up && !is_word(words[i], "down", 1)))
			return config_say_expected(why, "delay", words[i], "'up SECONDS', 'down SECONDS' or both are expected");
		if (!config_read_count(words[i + 1], 0, TRACK_DELAY_MAX, is_up ? &up : &down, why))
			return false;
	}
	track->delay_up = up;
	track->delay_down = down;
	return true;
}

static bool set_default(struct text word, struct config *c, struct buffer *why)
{
	struct config_track *track = last_of(c, "default-state", why);

	if (!track)
		return false;
	if (track->kind != TRACK_STUB)
		return config_say_expected(why, "default-state", word, "it belongs to a stub-object");
	if (!is_word(word, "up", 1) && !is_word(word, "down", 1))
		return config_say_expected(why, "state", word, "up or down is expected");
	track->default_up = is_word(word, "up", 1);
	return true;
}

bool config_track_set(const struct config_row *row, const struct text *words, size_t count, struct config *c,
		      struct buffer *why, bool *again)
{
	if (row->type == VALUE_TRACK)
		return set_track(words, count, c, why, again);
	return row->type == VALUE_TRACK_DELAY ? set_delay(words, count, c, why) : set_default(words[0], c, why);
}

bool config_track_unset(const struct config_row *row, const struct text *words, struct config *c, struct buffer *why)
{
	struct config_track *track;
	uint32_t number;

	if (row->type != VALUE_TRACK) {
		track = last_of(c, row->keywords, why);
		if (track && row->type == VALUE_TRACK_DELAY)
			track->delay_up = track->delay_down = 0;
		else if (track)
			track->default_up = false;
		return track;
	}
	if (!config_read_count(words[0], 1, TRACK_NUMBER_MAX, &number, why))
		return false;
	track = find(c, number);
	if (!track)
		return config_say_expected(why, "nothing to take back:", words[0], "no line before names it");
	c->track_count--;
	memmove(track, track + 1, (size_t)(&c->tracks[c->track_count] - track) * sizeof(*track));
	memset(&c->tracks[c->track_count], 0, sizeof(*track));
	return true;
}

static void print_one(const struct config_track *t, struct buffer *out)
{
	buffer_printf(out, "track %u ", t->number);
	track_describe(t, out);
	buffer_add_char(out, '\n');
	if (t->default_up)
		buffer_add_string(out, " default-state up\n");
	if (!t->delay_up && !t->delay_down)
		return;
	buffer_add_string(out, " delay");
	if (t->delay_down)
		buffer_printf(out, " down %" PRIu32, t->delay_down);
	if (t->delay_up)
		buffer_printf(out, " up %" PRIu32, t->delay_up);
	buffer_add_char(out, '\n');
}

void config_track_print(const struct config_row *row, const struct config *c, struct buffer *out)
{
	for (uint32_t i = 0; row->type == VALUE_TRACK && i < c->track_count; i++)
		print_one(&c->tracks[i], out);
}
