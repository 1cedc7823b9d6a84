/* SPDX-License-Identifier: MIT */
#include "role/core_fleet.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/memory.h"
#include "role/core_role.h"
#include "spimend/error.h"

#define SETTLE_EVERY SECOND_NS
#define SETTLE_SHARE 20                 /* of the time at most one part in so many ... */
#define SLICED_SHARE 4                  /* ... where it is done in slices */
#define FORGET_EVERY (10 * MINUTE_NS)
#define FORGET_AFTER (25 * HOUR_NS)     /* repeats count within 24 h */
#define WATCHED_MOST 4096               /* incidents that are told to watchers one by one */
#define SAID_MOST 10                    /* desyncs named in the log at once */

/* --- What is claimed ----------------------------------------------------------------------------------------------- */

/* "192.0.2.7/udp", or the file: with the line behind it, where the evidence stands. */
static uint32_t source_of(struct mind *mind, const struct syslog_claim *c)
{
	static const char *const ways[SYSLOG_WAYS] = { "udp", "tcp", "tls", "file", "journald" };
	const struct config_syslog *config = &mind->member->config->syslog;
	char address[SPIMEND_ADDRESS_TEXT_MAX], name[SPIMEND_ADDRESS_TEXT_MAX + 8];

	if (c->way == SYSLOG_FILE)
		return judge_add_source(mind->fleet.judge, text_of(c->file < config->file_count ? config->files[c->file] : "?"));
	if (c->way == SYSLOG_JOURNALD)
		return judge_add_source(mind->fleet.judge, TEXT("journald"));
	snprintf(name, sizeof(name), "%s/%s", spimend_address_print(&c->source, address), ways[c->way]);
	return judge_add_source(mind->fleet.judge, text_of(name));
}

static void judge_one(void *context, const struct syslog_claim *c)
{
	struct mind *mind = context;
	struct judge_claim claim = {
		.fact = &c->fact,
		.host = text_of(c->host),
		.has_at = c->has_at,
		.at = c->at,
		.has_heard_at = c->has_heard,
		.heard_at = c->heard,
		.is_repeat = c->is_repeat,
		.is_alone = c->is_alone,
		.source = source_of(mind, c),
		.line = c->line,
		.text = text_of(c->text),
	};

	judge_claim(mind->fleet.judge, &claim);
	mind->fleet.dirty = true;
}

static void take_heard(struct mind *mind, const struct syslog_heard *heard)
{
	judge_hear(mind->fleet.judge, text_of(heard->host), heard->last);
	mind->fleet.dirty |= mind->fleet.wants;
}

static void settle_later(struct mind *mind)
{
	struct mind_fleet *f = &mind->fleet;

	if ((f->dirty || f->waiting_count) && !f->fiber && !f->is_telling)
		loop_timer_at(f->timer, f->again_ns);
}

/* --- What waits until all is weighed --------------------------------------------------------------------------------- */

static int64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * SECOND_NS + now.tv_nsec;
}

static void take_waiting(struct mind *mind)
{
	struct mind_fleet *f = &mind->fleet;

	for (uint32_t i = 0; i < f->waiting_count; i++) {
		if (f->waiting[i].is_heard)
			take_heard(mind, &f->waiting[i].heard);
		else
			judge_one(mind, &f->waiting[i].claim);
	}
	f->waiting_count = 0;
}

/* One slice of it, or with `limit_ns` LOOP_NEVER all the rest. */
static void weigh_on(struct mind *mind, int64_t limit_ns)
{
	struct mind_fleet *f = &mind->fleet;
	int64_t from = clock_ns(), now;
	bool more;

	f->slice_end_ns = limit_ns == LOOP_NEVER ? LOOP_NEVER : from + limit_ns;
	f->is_inside = true;
	more = fiber_run(f->fiber);
	f->is_inside = false;
	now = clock_ns();
	f->took_ns += now - from;
	loop_timer_at(f->timer, 0);
	if (more)
		return;
	fiber_free(f->fiber);
	f->fiber = NULL;
	f->is_telling = true;
	f->told_up_to = f->said = 0;
	f->again_ns = now + (f->took_ns * SLICED_SHARE > SETTLE_EVERY ? f->took_ns * SLICED_SHARE : SETTLE_EVERY);
}

static void weigh_to_the_end(struct mind *mind)
{
	if (mind->fleet.fiber && !mind->fleet.is_inside)
		weigh_on(mind, LOOP_NEVER);
}

/* True: it waits. Where there are few flows nothing does. */
static bool waits(struct mind *mind, const struct syslog_claim *claim, const struct syslog_heard *heard)
{
	struct mind_fleet *f = &mind->fleet;

	if (!f->fiber && (f->dirty || judge_flow_count(f->judge) < FLEET_SLICED))
		return false;
	if (!f->waiting)
		f->waiting = memory_new(FLEET_WAITING_MAX, sizeof(*f->waiting));
	if (!f->waiting || f->waiting_count == FLEET_WAITING_MAX) {
		weigh_to_the_end(mind);
		take_waiting(mind);
		return false;
	}
	f->waiting[f->waiting_count].is_heard = heard;
	if (heard)
		f->waiting[f->waiting_count++].heard = *heard;
	else
		f->waiting[f->waiting_count++].claim = *claim;
	return true;
}

bool mind_fleet_take(struct mind *mind, enum message_type type, const union message_item *item)
{
	struct mind_fleet *f = &mind->fleet;

	if (type != MESSAGE_CLAIM && type != MESSAGE_HEARD && type != MESSAGE_SYSLOG_COUNTS)
		return false;
	if (!f->judge)
		return true;
	if (type == MESSAGE_SYSLOG_COUNTS) {
		f->counts = item->syslog_counts;
		return true;
	}
	if (type == MESSAGE_CLAIM) {
		if (!waits(mind, &item->claim, NULL))
			judge_one(mind, &item->claim);
		mind_cases_claim(mind, &item->claim);
		if (mind->store)
			store_put_claim(mind->store, &item->claim);
	} else if (!waits(mind, NULL, &item->heard)) {
		take_heard(mind, &item->heard);
	}
	settle_later(mind);
	return true;
}

/* --- What it comes to ---------------------------------------------------------------------------------------------- */

static void forget(struct mind *mind)
{
	struct moment now = mind_now(mind);

	if (now.mono_ns - mind->fleet.forgot_ns < FORGET_EVERY)
		return;
	mind->fleet.forgot_ns = now.mono_ns;
	judge_forget(mind->fleet.judge, (struct instant){ now.wall.ns - FORGET_AFTER });
}

/* While it is being weighed in slices: is this one over? */
static void breathe(void *context)
{
	struct mind *mind = context;
	struct mind_fleet *f = &mind->fleet;

	if (f->is_inside && f->slice_end_ns != LOOP_NEVER && clock_ns() >= f->slice_end_ns)
		fiber_rest(f->fiber);
}

static void settle(struct mind *mind)
{
	struct mind_fleet *f = &mind->fleet;
	struct instant ignored;
	int64_t took = clock_ns();
	int r;

	forget(mind);
	r = judge_settle(f->judge);
	if (r == 0)
		r = live_bursts_find(f->judge, mind->member->config, breathe, mind, &f->bursts);
	took = clock_ns() - took;
	f->wants = judge_wants_to_hear(f->judge, &ignored);
	f->dirty = false;
	f->again_ns = loop_now(mind->member->loop) + (took * SETTLE_SHARE > SETTLE_EVERY ? took * SETTLE_SHARE : SETTLE_EVERY);
	if (r < 0)
		log_say(&mind->member->log, LOG_ERR, "what syslog told cannot be weighed: %s", spimend_strerror(r));
}

const struct live_fleet *mind_fleet_view(struct mind *mind)
{
	struct mind_fleet *f = &mind->fleet;

	if (!f->judge)
		return NULL;
	weigh_to_the_end(mind);
	if (f->dirty)
		settle(mind);
	f->view = (struct live_fleet){ .judge = f->judge, .bursts = &f->bursts, .counts = &f->counts,
				       .listen_errors = f->listen_errors, .file_errors = f->file_errors,
				       .journald_error = f->journald_error,
				       .rows_lost = mind->store ? store_figures(mind->store).claims_lost : 0 };
	memcpy(f->view.grew_ns, f->grew_ns, sizeof(f->grew_ns));
	return &f->view;
}

/* True when this was not told before. */
static bool is_news(struct mind_fleet *f, const char *id, uint64_t mark)
{
	static const struct hash_key key = { 5, 6 };
	uint64_t hash = hash_bytes(&key, id, strlen(id));
	bool news = f->told[hash % FLEET_TOLD_MAX].id != hash || f->told[hash % FLEET_TOLD_MAX].mark != mark;

	f->told[hash % FLEET_TOLD_MAX].id = hash;
	f->told[hash % FLEET_TOLD_MAX].mark = mark;
	return news;
}

static void publish(struct mind *mind, size_t index)
{
	const struct config *config = mind->member->config;
	cleanup(buffer_done) struct buffer text = { 0 }, json = { 0 };
	struct moment now = mind_now(mind);

	live_fleet_watch(&mind->fleet.view, config, now.wall, index, &text);
	live_fleet_json(&mind->fleet.view, config, now.wall, index, false, &json);
	mind_web_publish(mind, buffer_text(&json));
	if (!mind->control)
		return;
	control_publish(mind->control, buffer_text(&text), buffer_text(&json), now.mono_ns);
	loop_timer_at(mind->control_timer, control_tick(mind->control, now.mono_ns));
}

static void say(struct mind *mind, size_t index)
{
	cleanup(buffer_done) struct buffer line = { 0 };

	live_fleet_watch(&mind->fleet.view, mind->member->config, mind_now(mind).wall, index, &line);
	if (line.len > 25)
		log_say(&mind->member->log, LOG_NOTICE, "syslog tells of %.*s", (int)line.len - 25, line.bytes + 24);
}

/* Desyncs that are new go to the log, all changes to watchers: `most` incidents from *at on. False: those were all. */
static bool tell_some(struct mind *mind, size_t *at, size_t most, size_t *said)
{
	cleanup(live_pairs_done) struct live_pairs pairs = { 0 };
	bool watched = mind_is_watched(mind);
	const struct live_fleet *view = mind_fleet_view(mind);
	size_t n = judge_incidents(view->judge), end = n - *at < most || n < *at ? n : *at + most;
	char id[INCIDENT_ID_MAX];

	if (live_pairs_new(mind->cases.fleet, mind->member->config, &pairs) < 0)
		return false;
	for (size_t i = *at; i < end; i++) {
		struct judge_glance glance = live_fleet_glance(view, i);

		if (!live_fleet_is_listed(view, i))
			continue;
		if (glance.verdict != VERDICT_DESYNC && (!watched || n > WATCHED_MOST))
			continue;
		if (!live_fleet_is_shown(view, &pairs, i))
			continue; /* that is told of the incident between the devices */
		judge_incident_id(view->judge, i, id);
		if (!is_news(&mind->fleet, id, (uint64_t)glance.verdict + 1))
			continue;
		if (glance.verdict == VERDICT_DESYNC && (*said)++ < SAID_MOST)
			say(mind, i);
		if (watched)
			publish(mind, i);
	}
	*at = end;
	if (end == n && *said > SAID_MOST)
		log_say(&mind->member->log, LOG_NOTICE, "syslog tells of %zu more desyncs", *said - SAID_MOST);
	return end < n;
}

static void tell_all(struct mind *mind)
{
	size_t at = 0, said = 0;

	(void)tell_some(mind, &at, SIZE_MAX, &said);
}

static void weigh_all(void *context)
{
	settle(context);
}

static void on_timer(void *context, int64_t now)
{
	struct mind *mind = context;
	struct mind_fleet *f = &mind->fleet;

	(void)now;
	if (!f->judge)
		return;
	if (f->is_telling) {
		f->is_telling = tell_some(mind, &f->told_up_to, FLEET_TOLD_AT_ONCE, &f->said);
		if (f->is_telling)
			loop_timer_at(f->timer, 0);
		else
			settle_later(mind);
		return;
	}
	if (!f->fiber) {
		take_waiting(mind);
		if (!f->dirty)
			return;
		f->took_ns = 0;
		if (judge_flow_count(f->judge) < FLEET_SLICED || fiber_new(weigh_all, mind, &f->fiber) < 0) {
			tell_all(mind);
			return;
		}
	}
	weigh_on(mind, FLEET_SLICE_NS);
}

void mind_fleet_watch(struct mind *mind, bool json, struct buffer *out)
{
	const struct live_fleet *view = mind_fleet_view(mind);
	const struct config *config = mind->member->config;
	struct instant now = mind_now(mind).wall;
	cleanup(live_pairs_done) struct live_pairs pairs = { 0 };

	if (live_pairs_new(mind->cases.fleet, config, &pairs) < 0)
		return;
	for (size_t i = 0; view && i < judge_incidents(view->judge) && i < WATCHED_MOST; i++) {
		if (!live_fleet_is_shown(view, &pairs, i) || !live_fleet_is_fault(view, config, now, i))
			continue;
		if (json)
			live_fleet_json(view, config, now, i, false, out);
		else
			live_fleet_watch(view, config, now, i, out);
	}
}

void mind_fleet_tick(struct mind *mind, int64_t now)
{
	struct mind_fleet *f = &mind->fleet;
	const struct syslog_counts *c = &f->counts;
	const uint64_t losses[LOSSES] = {
		[LOSS_SOCKET] = c->lost, [LOSS_JOURNALD] = c->dropped, [LOSS_RATE] = c->over_rate, [LOSS_QUEUE] = c->not_told,
		[LOSS_SOURCES] = c->fates[SYSLOG_NO_ROOM], [LOSS_FLOWS] = f->judge ? judge_counts(f->judge)->refused : 0,
	};

	for (int i = 0; i < LOSSES; i++) {
		if (losses[i] > f->losses[i])
			f->grew_ns[i] = now;
		f->losses[i] = losses[i];
	}
}

bool mind_fleet_resource(struct mind *mind, const struct role_resource *resource)
{
	if (resource->kind == RESOURCE_SYSLOG && resource->index < SYSLOG_LISTENERS_MAX)
		mind->fleet.listen_errors[resource->index] = resource->error;
	else if (resource->kind == RESOURCE_SYSLOG_FILE && resource->index < SYSLOG_FILES_MAX)
		mind->fleet.file_errors[resource->index] = resource->error;
	else if (resource->kind == RESOURCE_SYSLOG_JOURNALD)
		mind->fleet.journald_error = resource->error;
	else
		return false;
	return true;
}

/* --- Life ---------------------------------------------------------------------------------------------------------- */

static int new_judge(struct mind *mind)
{
	struct judge_settings settings;
	struct hash_key key;
	int r;

	if (getrandom(&key, sizeof(key), 0) != (ssize_t)sizeof(key))
		return -EIO;
	judge_settings_default(&settings);
	settings.overlap_ns = mind->member->config->overlap_ns;
	settings.flows_max = mind->member->config->syslog.flows_max;
	mind->fleet.flows_max = settings.flows_max;
	r = judge_new(&settings, &key, &mind->fleet.judge);
	if (r == 0)
		judge_breathe(mind->fleet.judge, breathe, mind);
	return r;
}

static int begin(struct mind *mind)
{
	struct mind_fleet *f = &mind->fleet;
	int r = new_judge(mind);

	if (r == 0 && !f->told)
		f->told = memory_new(FLEET_TOLD_MAX, sizeof(*f->told));
	if (r == 0 && !f->told)
		r = -ENOMEM;
	if (r == 0 && !f->timer)
		r = loop_add_timer(mind->member->loop, on_timer, mind, &f->timer);
	if (r < 0)
		return r;
	if (mind->store && store_restore_claims(mind->store, judge_one, mind) < 0)
		log_say(&mind->member->log, LOG_ERR, "what syslog told before could not be read to its end");
	settle_later(mind);
	return 0;
}

int mind_fleet_configure(struct mind *mind)
{
	struct mind_fleet *f = &mind->fleet;
	bool wanted = syslog_is_wanted(&mind->member->config->syslog);

	if (wanted && f->judge && f->flows_max == mind->member->config->syslog.flows_max)
		return 0;
	weigh_to_the_end(mind);
	f->waiting_count = 0;
	f->is_telling = false;
	if (mind->store && f->judge)
		mind_flush(mind); /* what it knows comes back out of the store */
	judge_free(f->judge);
	live_bursts_done(&f->bursts);
	f->judge = NULL;
	return wanted ? begin(mind) : 0;
}

void mind_fleet_done(struct mind *mind)
{
	weigh_to_the_end(mind);
	memory_free(mind->fleet.waiting);
	mind->fleet.waiting = NULL;
	mind->fleet.waiting_count = 0;
	judge_free(mind->fleet.judge);
	live_bursts_done(&mind->fleet.bursts);
	memory_free(mind->fleet.told);
	mind->fleet.judge = NULL;
	mind->fleet.told = NULL;
}
