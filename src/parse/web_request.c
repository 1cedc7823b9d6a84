/* SPDX-License-Identifier: MIT */
#include "parse/web_request.h"

#include <stdio.h>

#include "parse/stamp.h"
#include "spimend/error.h"

/* --- Host and Origin -------------------------------------------------------------------------------------------------- */

/* "name", "name:80", "[::1]:80"; *ret_port 0: none. */
static bool split_host(struct text host, struct text *ret_name, uint32_t *ret_port)
{
	size_t end = host.len && host.at[0] == '[' ? text_find_char(host, ']') : 0, colon;
	uint64_t port = 0;

	if (end == TEXT_NOT_FOUND)
		return false;
	colon = text_find_char(text_skip(host, end), ':');
	*ret_name = colon == TEXT_NOT_FOUND ? host : text_first(host, end + colon);
	if (colon != TEXT_NOT_FOUND && (text_decimal(text_skip(host, end + colon + 1), 65535, &port) != 0 || port == 0))
		return false;
	*ret_port = (uint32_t)port;
	return ret_name->len > 0;
}

static bool is_name(const struct config_web *web, struct text name)
{
	for (uint32_t i = 0; i < web->name_count; i++)
		if (text_equal_nocase(text_of(web->names[i]), name))
			return true;
	return false;
}

/* "localhost" is any of them: it leads to loopback alone, which no name server decides (RFC 6761 6.3). */
static bool is_listener(const struct web_listener *l, struct text name, uint32_t port)
{
	char address[SPIMEND_ADDRESS_TEXT_MAX], bracketed[SPIMEND_ADDRESS_TEXT_MAX + 2];

	if (l->path[0])
		return text_equal_nocase(name, TEXT("localhost"));
	if (l->port != (port ? port : 80))
		return false;
	snprintf(bracketed, sizeof(bracketed), l->address.family == 6 ? "[%s]" : "%s", spimend_address_print(&l->address, address));
	return text_equal_nocase(name, TEXT("localhost")) || text_equal_nocase(name, text_of(bracketed));
}

bool web_host_fits(const struct config_web *web, struct text host)
{
	struct text name;
	uint32_t port;

	if (!split_host(host, &name, &port))
		return false;
	for (uint32_t i = 0; i < web->listener_count; i++)
		if (is_listener(&web->listeners[i], name, port))
			return true;
	return is_name(web, name);
}

bool web_origin_fits(const struct config_web *web, struct text origin)
{
	struct text name;
	uint32_t port;

	if (text_take(&origin, TEXT("http://")))
		return web_host_fits(web, origin);
	return text_take(&origin, TEXT("https://")) && split_host(origin, &name, &port) && is_name(web, name);
}

/* --- Addresses -------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *path;
	enum web_route route;
	enum web_question question;
} paths[] = {
	{ "/api/session", ROUTE_ASK, WEB_SESSION },   { "/api/login", ROUTE_LOGIN, 0 },
	{ "/api/logout", ROUTE_LOGOUT, 0 },           { "/api/events", ROUTE_EVENTS, 0 },
	{ "/api/status", ROUTE_ASK, WEB_STATUS },     { "/api/tunnels", ROUTE_ASK, WEB_TUNNELS },
	{ "/api/incidents", ROUTE_ASK, WEB_INCIDENTS }, { "/api/history", ROUTE_ASK, WEB_HISTORY },
	{ "/api/applets", ROUTE_ASK, WEB_APPLETS },   { "/api/devices", ROUTE_ASK, WEB_DEVICES },
	{ "/metrics", ROUTE_ASK, WEB_METRICS },
};

/* "k3v9q2", in any case */
static bool read_id(struct text t, char to[INCIDENT_ID_MAX])
{
	if (t.len == 0 || t.len >= INCIDENT_ID_MAX)
		return false;
	memset(to, 0, INCIDENT_ID_MAX);
	for (size_t i = 0; i < t.len; i++) {
		if (!char_is_alpha(t.at[i]) && !char_is_digit(t.at[i]))
			return false;
		to[i] = char_lower(t.at[i]);
	}
	return true;
}

/* What stands behind /api/incidents/: ID, ID/timeline, ID/steps/N/approve, ID/steps/N/deny */
static bool read_incident(struct text rest, struct web_ask *ret)
{
	uint64_t step = 0;
	struct text id = text_take_until(&rest, "/"), number;

	if (!read_id(id, ret->id))
		return false;
	ret->question = WEB_INCIDENT;
	if (rest.len == 0)
		return true;
	ret->question = WEB_TIMELINE;
	if (text_equal(rest, TEXT("/timeline")))
		return true;
	if (!text_take(&rest, TEXT("/steps/")))
		return false;
	number = text_take_until(&rest, "/");
	if (text_decimal(number, 999, &step) != 0 || step == 0)
		return false;
	ret->step = (uint32_t)step;
	ret->question = text_equal(rest, TEXT("/approve")) ? WEB_APPROVE : WEB_DENY;
	return ret->question == WEB_APPROVE || text_equal(rest, TEXT("/deny"));
}

enum web_route web_route_of(struct text path, struct web_ask *ret)
{
	struct web_ask ask = *ret;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (!text_equal(path, text_of(paths[i].path)))
			continue;
		if (paths[i].route == ROUTE_ASK)
			ret->question = paths[i].question;
		return paths[i].route;
	}
	if (text_take(&path, TEXT("/api/incidents/"))) {
		if (!read_incident(path, &ask))
			return ROUTE_NONE;
		*ret = ask;
		return ROUTE_ASK;
	}
	return text_starts(path, TEXT("/api/")) || !text_starts(path, TEXT("/")) ? ROUTE_NONE : ROUTE_FILE;
}

/* --- Parameters ------------------------------------------------------------------------------------------------------- */

#define VALUE_MAX 64

static bool say(struct buffer *why, const char *name, const char *expected)
{
	buffer_printf(why, "parameter %s: %s", name, expected);
	return false;
}

/* %41 and '+'. False: too long, or no such escape, or not printable. */
static bool decode(struct text t, char to[VALUE_MAX], struct text *ret)
{
	size_t len = 0;

	for (size_t i = 0; i < t.len; i++) {
		char c = t.at[i] == '+' ? ' ' : t.at[i];

		if (c == '%') {
			if (i + 2 >= t.len || char_hex(t.at[i + 1]) < 0 || char_hex(t.at[i + 2]) < 0)
				return false;
			c = (char)(char_hex(t.at[i + 1]) << 4 | char_hex(t.at[i + 2]));
			i += 2;
		}
		if (c < 0x20 || c > 0x7e || len == VALUE_MAX)
			return false;
		to[len++] = c;
	}
	*ret = (struct text){ to, len };
	return true;
}

static int choose(struct text t, const char *(*name_of)(unsigned), unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (text_equal(t, text_of(name_of(i))))
			return (int)i;
	return -1;
}

static const char *name_of_state(unsigned i)
{
	return incident_state_name((enum incident_state)i);
}

static const char *name_of_verdict(unsigned i)
{
	return verdict_name((enum verdict)i);
}

static const char *name_of_cause(unsigned i)
{
	return cause_name((enum cause)i);
}

static const char *name_of_health(unsigned i)
{
	return tunnel_health_name((enum tunnel_health)i);
}

static const char *name_of_sort(unsigned i)
{
	static const char *const names[WEB_SORTS] = { "name", "peer", "health" };

	return names[i];
}

/* "open" is every state that is not over. */
static bool read_states(struct text t, uint32_t *ret, struct buffer *why)
{
	while (t.len) {
		struct text word = text_take_until(&t, ",");
		int state = choose(word, name_of_state, INCIDENT_STATES);

		(void)text_take_char(&t, ',');
		if (text_equal(word, TEXT("open")))
			*ret |= 1u << STATE_OPEN | 1u << STATE_ACTING | 1u << STATE_AWAITING | 1u << STATE_UNVERIFIED | 1u << STATE_GAVE_UP;
		else if (state < 0)
			return say(why, "state", "states are expected, a comma between several: open, acting, healed, unverified, gave-up, "
						 "closed, awaiting-approval");
		else
			*ret |= 1u << state;
	}
	return true;
}

static bool read_time(struct text t, const char *name, struct instant *ret, struct buffer *why)
{
	const struct stamp_rules rules = { .year = 0 };
	struct text rest = t;
	struct stamp stamp;

	if (stamp_take(&rest, &stamp) && rest.len == 0 && stamp.has_year && stamp.has_zone &&
	    stamp_resolve(&stamp, &rules, NULL, ret) == 0)
		return true;
	return say(why, name, "a time as 2026-11-29T05:00:00Z is expected");
}

static bool read_number(struct text t, const char *name, uint32_t most, uint32_t *ret, struct buffer *why)
{
	uint64_t number;

	if (text_decimal(t, most, &number) == 0) {
		*ret = (uint32_t)number;
		return true;
	}
	buffer_printf(why, "parameter %s: a number up to %u is expected", name, most);
	return false;
}

static bool set_word(struct text t, struct web_filter *f, struct buffer *why)
{
	if (t.len >= sizeof(f->word))
		return say(why, "q", "at most 47 characters are searched for");
	memset(f->word, 0, sizeof(f->word));
	for (size_t i = 0; i < t.len; i++)
		f->word[i] = char_lower(t.at[i]);
	return true;
}

static uint32_t limit_of(enum web_question question, bool most)
{
	switch (question) {
	case WEB_TUNNELS:
	case WEB_DEVICES:
		return most ? 500 : 100;
	case WEB_INCIDENTS:
		return most ? 200 : 50;
	case WEB_TIMELINE:
		return most ? 5000 : 2000;
	default:
		return 0;
	}
}

static bool set_of_incidents(struct text name, struct text value, struct web_filter *f, bool *ret_fine, struct buffer *why)
{
	int choice;

	if (text_equal(name, TEXT("state"))) {
		*ret_fine = read_states(value, &f->states, why);
	} else if (text_equal(name, TEXT("verdict"))) {
		choice = choose(value, name_of_verdict, VERDICT_OTHER_FAULT + 1);
		*ret_fine = choice >= 0 || say(why, "verdict", "undecided, transient, desync, noise or other-fault is expected");
		f->has_verdict = true;
		f->verdict = choice < 0 ? 0 : (enum verdict)choice;
	} else if (text_equal(name, TEXT("cause"))) {
		choice = choose(value, name_of_cause, CAUSE_COUNT);
		*ret_fine = choice >= 0 || say(why, "cause", "a cause is expected, as spimend(1) lists them");
		f->has_cause = true;
		f->cause = choice < 0 ? 0 : (enum cause)choice;
	} else if (text_equal(name, TEXT("peer"))) {
		*ret_fine = spimend_address_parse(value.at, value.len, &f->peer) == 0 || say(why, "peer", "an address is expected");
		f->has_peer = true;
	} else if (text_equal(name, TEXT("since"))) {
		*ret_fine = read_time(value, "since", &f->since, why);
		f->has_since = true;
	} else if (text_equal(name, TEXT("until"))) {
		*ret_fine = read_time(value, "until", &f->until, why);
		f->has_until = true;
	} else if (text_equal(name, TEXT("order"))) {
		f->oldest_first = text_equal(value, TEXT("old"));
		*ret_fine = f->oldest_first || text_equal(value, TEXT("new")) || say(why, "order", "new or old is expected");
	} else {
		return false;
	}
	return true;
}

static bool set_of_tunnels(struct text name, struct text value, struct web_filter *f, bool *ret_fine, struct buffer *why)
{
	int choice;

	if (text_equal(name, TEXT("health"))) {
		choice = choose(value, name_of_health, TUNNEL_HEALTHS);
		*ret_fine = choice >= 0 || say(why, "health", "incident, down, stale, suspect, idle or ok is expected");
		f->has_health = true;
		f->health = choice < 0 ? 0 : (enum tunnel_health)choice;
	} else if (text_equal(name, TEXT("sort"))) {
		choice = choose(value, name_of_sort, WEB_SORTS);
		*ret_fine = choice >= 0 || say(why, "sort", "name, peer or health is expected");
		f->sort = choice < 0 ? 0 : (enum web_sort)choice;
	} else {
		return false;
	}
	return true;
}

static bool set(struct text name, struct text value, enum web_question q, struct web_filter *f, struct buffer *why)
{
	bool fine = true;

	if (limit_of(q, true) && text_equal(name, TEXT("limit")))
		return read_number(value, "limit", limit_of(q, true), &f->limit, why);
	if (limit_of(q, true) && text_equal(name, q == WEB_TIMELINE ? TEXT("after") : TEXT("offset")))
		return read_number(value, q == WEB_TIMELINE ? "after" : "offset", WEB_OFFSET_MAX, &f->offset, why);
	if ((q == WEB_TUNNELS || q == WEB_INCIDENTS) && text_equal(name, TEXT("q")))
		return set_word(value, f, why);
	if (q == WEB_HISTORY && text_equal(name, TEXT("span"))) {
		f->by_minute = text_equal(value, TEXT("24h"));
		return f->by_minute || text_equal(value, TEXT("10m")) || say(why, "span", "10m or 24h is expected");
	}
	if (q == WEB_INCIDENTS && set_of_incidents(name, value, f, &fine, why))
		return fine;
	if (q == WEB_TUNNELS && set_of_tunnels(name, value, f, &fine, why))
		return fine;
	buffer_add_string(why, "there is no parameter of that name here: doc/web-api.md lists them");
	return false;
}

bool web_query_read(struct text query, enum web_question question, struct web_filter *ret, struct buffer *why)
{
	struct web_filter f = { .limit = limit_of(question, false) };
	char name_room[VALUE_MAX], value_room[VALUE_MAX];

	while (query.len) {
		struct text pair = text_take_until(&query, "&"), value = pair, name = text_take_until(&value, "=");

		(void)text_take_char(&query, '&');
		(void)text_take_char(&value, '=');
		if (pair.len == 0)
			continue;
		if (!decode(name, name_room, &name) || !decode(value, value_room, &value)) {
			buffer_add_string(why, "a parameter is too long, or has characters that are not printable ASCII");
			return false;
		}
		if (value.len && !set(name, value, question, &f, why)) /* an empty field of a form says nothing */
			return false;
	}
	*ret = f;
	return true;
}

/* --- Headers ---------------------------------------------------------------------------------------------------------- */

struct text web_bearer(struct text authorization)
{
	if (!text_take_nocase(&authorization, TEXT("bearer ")))
		return TEXT_NONE;
	return text_trim(authorization);
}

struct text web_cookie(struct text header, struct text name)
{
	while (header.len) {
		struct text pair = text_trim(text_take_until(&header, ";"));

		(void)text_take_char(&header, ';');
		if (text_take(&pair, name) && text_take_char(&pair, '='))
			return pair;
	}
	return TEXT_NONE;
}
