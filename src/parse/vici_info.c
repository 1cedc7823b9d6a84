/* SPDX-License-Identifier: MIT */
#include "parse/vici_info.h"

#include <stddef.h>

#include "parse/vici_field.h"
#include "spimend/error.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ZONE_QUARTERS_MAX (14 * 4) /* no zone is further than 14 h from UTC, none off a quarter of an hour */
#define QUARTER_NS (15 * MINUTE_NS)

static int end_of(const struct vici_reader *r, struct vici_reading *ret_reading)
{
	ret_reading->failure = r->failure;
	return r->status;
}

/* Reads a message whose keys stand at the top. */
static int read_flat(struct text message, const struct vici_field *fields, size_t count, void *into,
		     struct vici_reading *ret_reading)
{
	struct vici_reader r = vici_reader_of(message);
	struct vici_element e;

	*ret_reading = (struct vici_reading){ .ignored = 0 };
	while (vici_read(&r, &e)) {
		if (e.kind == VICI_SECTION_START || e.kind == VICI_LIST_START)
			vici_skip(&r, &e);
		else if (!vici_field_set(fields, count, &e, into))
			ret_reading->ignored++;
	}
	return end_of(&r, ret_reading);
}

/* --- Connections ------------------------------------------------------------------------------------------------ */

static void read_remotes(struct vici_reader *r, struct connection *c, struct vici_reading *reading)
{
	struct spimend_address address;
	struct vici_element e;

	while (vici_read(r, &e) && e.kind == VICI_LIST_ITEM) {
		if (spimend_address_parse(e.value.at, e.value.len, &address))
			c->dynamic_peer = true;
		else if (c->remote_count < GATEWAY_REMOTES_MAX)
			c->remote[c->remote_count++] = address;
		else
			reading->ignored++;
	}
}

static uint8_t ike_version_of(struct text value)
{
	if (text_equal(value, TEXT("IKEv1")))
		return 1;
	return text_equal(value, TEXT("IKEv2")) ? 2 : 0;
}

static void read_children(struct vici_reader *r, const struct connection *around, struct text ike, vici_connection_call each,
			  void *context)
{
	struct vici_element e, section;

	while (vici_read(r, &section) && section.kind == VICI_SECTION_START) {
		struct connection c = *around;
		struct vici_selectors selectors = { 0, 0 };

		while (vici_read(r, &e) && e.kind != VICI_SECTION_END) {
			if (vici_starts_selectors(&e))
				vici_count_selectors(r, &selectors);
			else if (e.kind == VICI_SECTION_START || e.kind == VICI_LIST_START)
				vici_skip(r, &e);
			else if (text_equal(e.name, TEXT("mode")))
				c.transport_mode = text_starts(e.value, TEXT("TRANSPORT"));
		}
		if (r->status)
			return;
		c.gre = vici_selects_gre(&selectors);
		c.id = connection_id(c.daemon, ike, section.name);
		vici_copy_name(section.name, c.child, sizeof(c.child));
		each(context, &c, ike, section.name);
	}
}

/* A pass over one connection: what concerns all children, or the children themselves, who stand behind it. */
static void read_connection(struct vici_reader *r, struct connection *c, struct text ike, vici_connection_call each,
			    void *context, struct vici_reading *reading)
{
	struct vici_element e;

	while (vici_read(r, &e) && e.kind != VICI_SECTION_END) {
		if (each && e.kind == VICI_SECTION_START && text_equal(e.name, TEXT("children")))
			read_children(r, c, ike, each, context);
		else if (!each && e.kind == VICI_LIST_START && text_equal(e.name, TEXT("remote_addrs")))
			read_remotes(r, c, reading);
		else if (e.kind == VICI_SECTION_START || e.kind == VICI_LIST_START)
			vici_skip(r, &e);
		else if (!each && text_equal(e.name, TEXT("version")))
			c->ike_version = ike_version_of(e.value);
		else if (!each && text_equal(e.name, TEXT("unique")))
			c->unique_never = text_equal(e.value, TEXT("UNIQUE_NEVER"));
	}
}

int vici_each_connection(uint16_t daemon, struct text message, vici_connection_call each, void *context,
			 struct vici_reading *ret_reading)
{
	struct vici_reader r = vici_reader_of(message), again;
	struct vici_element e;

	*ret_reading = (struct vici_reading){ .ignored = 0 };
	while (vici_read(&r, &e)) /* the whole message must be sound before anything of it counts */
		;
	if (r.status)
		return end_of(&r, ret_reading);
	r = vici_reader_of(message);
	while (vici_read(&r, &e)) {
		struct connection c;

		if (e.kind != VICI_SECTION_START)
			continue;
		memset(&c, 0, sizeof(c));
		c.daemon = daemon;
		vici_copy_name(e.name, c.ike, sizeof(c.ike));
		again = r;
		read_connection(&r, &c, e.name, NULL, NULL, ret_reading);
		if (c.remote_count == 0)
			c.dynamic_peer = true; /* no address at all is %any */
		read_connection(&again, &c, e.name, each, context, ret_reading);
	}
	return 0;
}

/* --- Version and statistics ------------------------------------------------------------------------------------- */

int vici_read_version(struct text message, struct vici_version *ret, struct vici_reading *ret_reading)
{
	static const struct vici_field fields[] = {
		{ "daemon", VICI_FIELD_TEXT, offsetof(struct vici_version, daemon), 0, NULL },
		{ "version", VICI_FIELD_TEXT, offsetof(struct vici_version, version), 0, NULL },
	};
	struct vici_version version = { TEXT_NONE, TEXT_NONE };
	int r = read_flat(message, fields, COUNT(fields), &version, ret_reading);

	if (!r)
		*ret = version;
	return r;
}

/* "Nov 22 09:40:50 2026", the day with a blank or a zero in front. */
static bool read_since(struct text t, struct civil *ret)
{
	struct civil c = { .year = 0 };
	struct text name = text_take_word(&t);
	uint64_t day, hour, minute, second, year;
	struct instant at;
	size_t digits;

	for (int month = 1; month <= 12; month++)
		if (text_equal(name, text_of(calendar_month_name(month))))
			c.month = month;
	text_take_blanks(&t);
	if (!c.month || !text_take_digits(&t, 2, &day, &digits) || !text_take_blanks(&t) ||
	    !text_take_digits(&t, 2, &hour, &digits) || !text_take_char(&t, ':') ||
	    !text_take_digits(&t, 2, &minute, &digits) || !text_take_char(&t, ':') ||
	    !text_take_digits(&t, 2, &second, &digits) || !text_take_blanks(&t) ||
	    !text_take_digits(&t, 4, &year, &digits) || digits != 4)
		return false;
	c.year = (int)year;
	c.day = (int)day;
	c.hour = (int)hour;
	c.minute = (int)minute;
	c.second = (int)second;
	if (calendar_to_instant(&c, &at))
		return false;
	*ret = c;
	return true;
}

/* "1 second", "3 minutes", "2 days": rounded down. */
static bool read_running(struct text t, struct vici_stats *stats)
{
	static const struct {
		const char *name;
		int64_t ns;
	} units[] = { { "second", SECOND_NS }, { "minute", MINUTE_NS }, { "hour", HOUR_NS }, { "day", DAY_NS } };
	uint64_t count;
	size_t digits;

	if (!text_take_digits(&t, 5, &count, &digits) || !text_take_blanks(&t))
		return false;
	for (size_t i = 0; i < COUNT(units); i++)
		if (text_starts(t, text_of(units[i].name)) && count <= 100000) {
			stats->running_ns = (int64_t)count * units[i].ns;
			stats->unit_ns = units[i].ns;
			return true;
		}
	return false;
}

int vici_read_stats(struct text message, struct vici_stats *ret, struct vici_reading *ret_reading)
{
	struct vici_reader r = vici_reader_of(message);
	struct vici_stats stats = { .has_since = false };
	struct text list = TEXT_NONE, section = TEXT_NONE;
	struct vici_element e;

	*ret_reading = (struct vici_reading){ .ignored = 0 };
	while (vici_read(&r, &e)) {
		if (e.kind == VICI_LIST_START)
			list = e.name;
		else if (e.kind == VICI_SECTION_START)
			section = e.name;
		else if (e.kind == VICI_LIST_ITEM && text_equal(list, TEXT("plugins")) &&
			 text_equal(e.value, TEXT("kernel-libipsec")))
			stats.user_space_esp = true;
		else if (e.kind != VICI_KEY_VALUE || e.depth != 1 || !text_equal(section, TEXT("uptime")))
			continue;
		else if (text_equal(e.name, TEXT("since")))
			ret_reading->ignored += !(stats.has_since = read_since(e.value, &stats.since));
		else if (text_equal(e.name, TEXT("running")))
			ret_reading->ignored += !(stats.has_running = read_running(e.value, &stats));
	}
	if (r.status)
		return end_of(&r, ret_reading);
	*ret = stats;
	return 0;
}

static int64_t distance(int64_t a, int64_t b)
{
	return a > b ? a - b : b - a;
}

bool vici_stats_boot(const struct vici_stats *stats, struct instant local, struct instant now_wall, struct instant *ret)
{
	struct instant utc, best;
	int64_t expected, slack;

	if (!stats->has_since || calendar_to_instant(&stats->since, &utc))
		return false;
	if (!stats->has_running) {
		*ret = local;
		return true;
	}
	/* The middle of what "running" leaves open. */
	expected = now_wall.ns - stats->running_ns - stats->unit_ns / 2;
	slack = stats->unit_ns / 2 + 30 * SECOND_NS; /* and the way here, and a clock that was set a little since */
	best = local;
	if (distance(local.ns, expected) > slack)
		for (int64_t q = -ZONE_QUARTERS_MAX; q <= ZONE_QUARTERS_MAX; q++)
			if (distance(utc.ns - q * QUARTER_NS, expected) < distance(best.ns, expected))
				best.ns = utc.ns - q * QUARTER_NS;
	*ret = best;
	return true;
}

/* --- Results, log lines, alerts --------------------------------------------------------------------------------- */

int vici_read_result(struct text message, struct vici_result *ret, struct vici_reading *ret_reading)
{
	static const struct vici_field fields[] = {
		{ "success", VICI_FIELD_YES, offsetof(struct vici_result, success), 0, NULL },
		{ "matches", VICI_FIELD_U64, offsetof(struct vici_result, matches), offsetof(struct vici_result, has_matches), NULL },
		{ "errmsg", VICI_FIELD_TEXT, offsetof(struct vici_result, errmsg), 0, NULL },
	};
	struct vici_result result = { .success = false };
	int r = read_flat(message, fields, COUNT(fields), &result, ret_reading);

	if (!r)
		*ret = result;
	return r;
}

int vici_read_log(struct text message, struct vici_log *ret, struct vici_reading *ret_reading)
{
	static const struct vici_field fields[] = {
		{ "group", VICI_FIELD_TEXT, offsetof(struct vici_log, group), 0, NULL },
		{ "thread", VICI_FIELD_U32, offsetof(struct vici_log, thread), 0, NULL },
		{ "ikesa-uniqueid", VICI_FIELD_U32, offsetof(struct vici_log, ike_id), offsetof(struct vici_log, has_ike), NULL },
		{ "msg", VICI_FIELD_TEXT, offsetof(struct vici_log, text), 0, NULL },
	};
	struct vici_log log = { .group = TEXT_NONE };
	int r = read_flat(message, fields, COUNT(fields), &log, ret_reading);

	if (!r)
		*ret = log;
	return r;
}

int vici_read_alert(uint16_t daemon, struct text message, struct daemon_hint *ret, struct vici_reading *ret_reading)
{
	struct vici_reader r = vici_reader_of(message);
	struct daemon_hint hint = { .daemon = daemon };
	struct vici_element e;
	uint64_t id;

	*ret_reading = (struct vici_reading){ .ignored = 0 };
	while (vici_read(&r, &e)) {
		if (e.kind != VICI_KEY_VALUE)
			continue;
		if (e.depth == 0 && text_equal(e.name, TEXT("type")) &&
		    text_equal(e.value, TEXT("retransmit-send-timeout")))
			hint.kind = HINT_PEER_DEAD;
		if (e.depth && !hint.has_ike && text_equal(e.name, TEXT("uniqueid")) &&
		    text_decimal(e.value, UINT32_MAX, &id) == 0) {
			hint.has_ike = true;
			hint.ike_id = (uint32_t)id;
		}
	}
	if (r.status)
		return end_of(&r, ret_reading);
	*ret = hint;
	return 0;
}
