/* SPDX-License-Identifier: MIT */
/* What the IKE daemon says: the questions after connecting, events, lists. */
#include <time.h>

#include "base/memory.h"
#include "parse/vici_field.h"
#include "repair/daemon_private.h"
#include "spimend/error.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Asked one after the other on a new connection. Events first: what happens while lists run is heard. */
static const struct step {
	const char *name;
	enum { EVENT, EVENT_MAY_LACK, COMMAND } kind;
} steps[] = {
	{ "list-sa", EVENT },
	{ "list-conn", EVENT },
	{ "child-updown", EVENT },
	{ "child-rekey", EVENT },
	{ "ike-updown", EVENT },
	{ "ike-rekey", EVENT },
	{ "ike-update", EVENT_MAY_LACK },
	{ "log", EVENT_MAY_LACK },
	{ "alert", EVENT_MAY_LACK }, /* since 6.0.3 */
	{ "version", COMMAND },
	{ "stats", COMMAND },
};

/* --- Connections, by their full names --------------------------------------------------------------------------- */

void known_done(struct known_connections *known)
{
	for (size_t i = 0; i < known->count; i++) {
		memory_free(known->all[i].ike);
		memory_free(known->all[i].child);
	}
	memory_free(known->all);
	*known = (struct known_connections){ NULL, 0, 0 };
}

const struct known_connection *known_find(const struct known_connections *known, uint64_t id)
{
	for (size_t i = 0; i < known->count; i++)
		if (known->all[i].id == id)
			return &known->all[i];
	return NULL;
}

static char *copy(struct text t)
{
	char *string = memory_new(t.len + 1, 1);

	if (string && t.len)
		memcpy(string, t.at, t.len);
	return string;
}

static bool known_add(struct known_connections *known, uint64_t id, struct text ike, struct text child)
{
	struct known_connection c = { id, NULL, NULL };

	if (known->count == IKE_DAEMON_CONNECTIONS_MAX)
		return false;
	if (known->count == known->room) {
		size_t room = known->room ? known->room * 2 : 16;
		struct known_connection *all = memory_resize(known->all, room, sizeof(*all));

		if (!all)
			return false;
		known->all = all;
		known->room = room;
	}
	c.ike = copy(ike);
	c.child = copy(child);
	if (!c.ike || !c.child) {
		memory_free(c.ike);
		memory_free(c.child);
		return false;
	}
	known->all[known->count++] = c;
	return true;
}

static void keep_connection(void *context, const struct connection *connection, struct text ike, struct text child)
{
	struct ike_daemon *d = context;

	if (!known_add(&d->fresh, connection->id, ike, child)) {
		d->counts.connections_dropped++;
		d->list_sound = false;
	}
	d->calls.connection(d->calls.context, connection);
}

/* --- Lists ------------------------------------------------------------------------------------------------------ */

static void give_child(void *context, const struct child_sa *child)
{
	struct ike_daemon *d = context;

	d->calls.child(d->calls.context, child);
}

static void take_listed(struct ike_daemon *d, enum listing what, struct text message)
{
	struct vici_reading reading;
	struct ike_sa ike;
	int r;

	if (d->listing != what)
		return; /* a list that nobody runs: charon sends them to who asked only */
	if (what == LIST_CONNECTIONS) {
		r = vici_each_connection(d->index, message, keep_connection, d, &reading);
	} else {
		r = vici_read_ike(d->index, message, &ike, &reading);
		if (!r) {
			ike_daemon_told(d, &reading, 0);
			d->calls.ike(d->calls.context, &ike);
			r = vici_each_child(d->index, message, &ike, give_child, d, &reading);
		}
	}
	ike_daemon_told(d, &reading, r);
	if (r || reading.ignored)
		d->list_sound = false;
}

static void begin_list(struct ike_daemon *d, enum listing what)
{
	const char *command = what == LIST_SAS ? "list-sas" : "list-conns";

	d->list_sound = true;
	if (vici_client_request(d->clients[IKE_DAEMON_EVENTS], text_of(command), TEXT_NONE, d->now + d->limits.list_ns))
		return; /* the connection is lost, which is found out by who called; or no memory, and the next pump tries again */
	d->listing = what;
	d->counts.lists++;
	if (what == LIST_SAS) {
		d->want_sas = false;
		d->list_serial = d->want_serial;
		d->calls.snapshot_begin(d->calls.context, d->index, d->list_serial);
	} else {
		d->want_connections = false;
		d->connections_at = d->now;
		known_done(&d->fresh);
		d->calls.connections_begin(d->calls.context, d->index);
	}
}

static void end_list(struct ike_daemon *d, bool complete)
{
	enum listing what = d->listing;

	d->listing = LIST_NOTHING;
	d->counts.lists_incomplete += !complete;
	if (what == LIST_CONNECTIONS) {
		if (complete) { /* else the old table is worth more */
			struct known_connections old = d->known;

			d->known = d->fresh;
			d->fresh = old;
		}
		known_done(&d->fresh);
		d->calls.connections_end(d->calls.context, d->index, complete);
	} else if (what == LIST_SAS) {
		d->calls.snapshot_end(d->calls.context, d->index, d->list_serial, complete);
	}
}

void news_down(struct ike_daemon *d)
{
	if (d->listing != LIST_NOTHING)
		end_list(d, false);
}

/* --- After connecting ------------------------------------------------------------------------------------------- */

static void take_version(struct ike_daemon *d, struct text message)
{
	struct vici_version version = { TEXT_NONE, TEXT_NONE };
	struct vici_reading reading;

	ike_daemon_told(d, &reading, vici_read_version(message, &version, &reading));
	vici_copy_ascii(version.version, d->state.version, sizeof(d->state.version));
}

/* The daemon prints when it started as local time: ours, unless it was started with another TZ. */
static struct instant local_instant(const struct civil *c)
{
	struct tm tm = { .tm_year = c->year - 1900, .tm_mon = c->month - 1, .tm_mday = c->day, .tm_hour = c->hour,
			 .tm_min = c->minute, .tm_sec = c->second, .tm_isdst = -1 };

	return (struct instant){ (int64_t)mktime(&tm) * SECOND_NS };
}

static bool same_civil(const struct civil *a, const struct civil *b)
{
	return a->year == b->year && a->month == b->month && a->day == b->day && a->hour == b->hour &&
	       a->minute == b->minute && a->second == b->second;
}

static void take_stats(struct ike_daemon *d, struct text message)
{
	struct vici_stats stats = { .has_since = false };
	struct instant local = { 0 };
	struct vici_reading reading;
	struct timespec wall;

	ike_daemon_told(d, &reading, vici_read_stats(message, &stats, &reading));
	d->state.user_space_esp = stats.user_space_esp;
	if (!stats.has_since)
		return;
	if (!d->since.known || !same_civil(&d->since.printed, &stats.since)) {
		local = local_instant(&stats.since);
		clock_gettime(CLOCK_REALTIME, &wall);
		d->since.known = vici_stats_boot(&stats, local, (struct instant){ wall.tv_sec * SECOND_NS + wall.tv_nsec },
						 &d->since.boot);
		d->since.printed = stats.since;
	}
	d->state.has_boot = d->since.known;
	d->state.boot = d->since.boot;
}

static void take_step(struct ike_daemon *d, enum vici_answer answer, struct text message)
{
	const struct step *step = &steps[d->step];

	if (answer == VICI_ANSWERED && text_equal(text_of(step->name), TEXT("version")))
		take_version(d, message);
	else if (answer == VICI_ANSWERED && text_equal(text_of(step->name), TEXT("stats")))
		take_stats(d, message);
	d->counts.malformed += answer == VICI_UNKNOWN && step->kind != EVENT_MAY_LACK;
	d->step++;
	d->events_ready = d->step == COUNT(steps);
}

void news_pump(struct ike_daemon *d)
{
	struct vici_client *c = d->clients[IKE_DAEMON_EVENTS];

	if (!c || vici_client_is_busy(c) || vici_client_lost(c))
		return;
	if (!d->events_ready) {
		if (steps[d->step].kind == COMMAND)
			vici_client_request(c, text_of(steps[d->step].name), TEXT_NONE, d->now + SETUP_NS);
		else
			vici_client_register(c, text_of(steps[d->step].name), d->now + SETUP_NS);
		return;
	}
	if (!d->told_up) {
		if (!d->orders_ready)
			return;
		d->told_up = d->state.up = true;
		d->calls.state(d->calls.context, &d->state); /* who hears it may ask at once */
	}
	if (vici_client_is_busy(c))
		return;
	if (d->want_connections)
		begin_list(d, LIST_CONNECTIONS);
	else if (d->want_sas)
		begin_list(d, LIST_SAS);
}

void news_answer(void *context, enum vici_answer answer, struct text message)
{
	struct ike_daemon *d = context;
	struct vici_reading reading;
	struct vici_result result;

	if (!d->events_ready) {
		take_step(d, answer, message);
		return; /* whoever read goes on with the next one */
	}
	/* An empty answer is a good one; `success` comes only where it failed. */
	if (answer == VICI_UNKNOWN || vici_read_result(message, &result, &reading))
		end_list(d, false);
	else
		end_list(d, d->list_sound && (result.errmsg.len == 0));
}

/* --- Events ----------------------------------------------------------------------------------------------------- */

static void give_hint(struct ike_daemon *d, const struct daemon_hint *hint)
{
	if (hint->kind == HINT_NONE)
		return;
	d->counts.hints++;
	d->calls.hint(d->calls.context, hint);
}

static int take_child_event(struct ike_daemon *d, bool rekey, struct text message, struct vici_reading *reading)
{
	struct child_event event;
	int r = rekey ? vici_read_child_rekey(d->index, message, &event, reading) :
			vici_read_child_updown(d->index, message, &event, reading);

	if (r)
		return r;
	d->calls.child_event(d->calls.context, &event);
	orders_child_event(d, &event);
	return 0;
}

static int take_ike_event(struct ike_daemon *d, enum ike_change change, struct text message, struct vici_reading *reading)
{
	struct ike_event event;
	int r;

	if (change == IKE_REKEY)
		r = vici_read_ike_rekey(d->index, message, &event, reading);
	else if (change == IKE_UPDATE)
		r = vici_read_ike_update(d->index, message, &event, reading);
	else
		r = vici_read_ike_updown(d->index, message, &event, reading);
	if (!r)
		d->calls.ike_event(d->calls.context, &event);
	return r;
}

void ike_daemon_tell_lines(struct ike_daemon *d, bool wanted)
{
	d->tells_lines = wanted;
}

/* Names and certificates of peers stand in these lines: whatever is not printable becomes a dot. */
static void copy_printable(struct text from, char *to, size_t size)
{
	text_copy(from, to, size);
	for (char *c = to; *c; c++)
		*c = *c < 0x20 || *c > 0x7e ? '.' : *c;
}

static void give_line(struct ike_daemon *d, const struct vici_log *log)
{
	struct daemon_line line;

	if (!d->tells_lines || !d->calls.line)
		return;
	memset(&line, 0, sizeof(line));
	line.daemon = d->index;
	line.has_ike = log->has_ike;
	line.ike_id = log->has_ike ? log->ike_id : 0;
	line.thread = log->thread;
	line.is_cut = log->text.len >= sizeof(line.text);
	copy_printable(log->group, line.group, sizeof(line.group));
	copy_printable(log->text, line.text, sizeof(line.text));
	d->calls.line(d->calls.context, &line);
}

static int take_words(struct ike_daemon *d, bool alert, struct text message, struct vici_reading *reading)
{
	struct daemon_hint hint;
	struct vici_log log;
	int r;

	if (alert) {
		r = vici_read_alert(d->index, message, &hint, reading);
	} else {
		r = vici_read_log(message, &log, reading);
		if (!r) {
			hint = daemon_hint_read(&d->hints, d->index, &log);
			give_line(d, &log);
		}
	}
	if (!r)
		give_hint(d, &hint);
	return r;
}

void news_event(void *context, struct text name, struct text message)
{
	struct ike_daemon *d = context;
	struct vici_reading reading = { .ignored = 0 };
	int r = 0;

	if (text_equal(name, TEXT("list-sa"))) {
		take_listed(d, LIST_SAS, message);
		return;
	}
	if (text_equal(name, TEXT("list-conn"))) {
		take_listed(d, LIST_CONNECTIONS, message);
		return;
	}
	if (!d->told_up)
		return; /* before the first list: what it did is in that list */
	d->counts.events++;
	if (text_equal(name, TEXT("log")) || text_equal(name, TEXT("alert")))
		r = take_words(d, text_equal(name, TEXT("alert")), message, &reading);
	else if (text_equal(name, TEXT("child-updown")) || text_equal(name, TEXT("child-rekey")))
		r = take_child_event(d, text_equal(name, TEXT("child-rekey")), message, &reading);
	else if (text_equal(name, TEXT("ike-updown")))
		r = take_ike_event(d, IKE_UP, message, &reading);
	else if (text_equal(name, TEXT("ike-rekey")))
		r = take_ike_event(d, IKE_REKEY, message, &reading);
	else if (text_equal(name, TEXT("ike-update")))
		r = take_ike_event(d, IKE_UPDATE, message, &reading);
	ike_daemon_told(d, &reading, r);
}
