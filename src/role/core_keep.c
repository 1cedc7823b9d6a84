/* SPDX-License-Identifier: MIT */
#include "role/core_role.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/memory.h"
#include "record/fleet_incident.h"
#include "spimend/error.h"

#define ORDERS_RESERVED (1u << 20) /* ids of one life of core */
#define ORDERS_WITHOUT_STORE (UINT64_C(1) << 52) /* from here they are drawn; the store's reach it after 2100 */

/* --- The store -------------------------------------------------------------------------------------------------------- */

static int open_store(struct mind *mind)
{
	struct log *log = &mind->member->log;
	const struct config *config = mind->member->config;
	struct store_limits limits = store_limits_of(config);
	struct store_opening opening;
	char directory[CONFIG_PATH_MAX + sizeof("/" MEMBER_CORE_DIRECTORY)];
	int r;

	memset(&opening, 0, sizeof(opening));
	snprintf(directory, sizeof(directory), "%s/" MEMBER_CORE_DIRECTORY, config->state_directory);
	r = store_open(directory, &limits, mind_now(mind).wall, &mind->store, &opening);
	if (r < 0) {
		snprintf(mind->store_note, sizeof(mind->store_note),
			 "there is no store (%s): ledger and incidents will not survive a restart", spimend_strerror(r));
		if (r != mind->store_trouble)
			log_say(log, LOG_ERR, "%s/%s: %s; ledger and incidents will not survive a restart", directory,
				STORE_FILE, spimend_strerror(r));
		mind->store_trouble = r;
		return r;
	}
	mind->store_trouble = 0;
	mind->store_note[0] = 0;
	if (opening.moved_aside) {
		snprintf(mind->store_note, sizeof(mind->store_note), "the store was damaged; it was kept aside");
		log_say(log, LOG_ERR, "the store was damaged (%s): kept as %s, a new one was made", opening.why, opening.aside);
	} else if (opening.migrated) {
		log_say(log, LOG_NOTICE, "the store of an older version was taken over");
	}
	if (opening.not_compacted)
		log_say(log, LOG_NOTICE, "the store is of an older version and too large to be written anew: it will not shrink");
	return 0;
}

void mind_keep_so_much(struct mind *mind)
{
	struct store_limits limits = store_limits_of(mind->member->config);

	if (mind->store)
		store_set_limits(mind->store, &limits);
}

/* The store remembers so much only. */
static void make_room(struct mind *mind)
{
	struct store_figures figures = store_figures(mind->store);

	while (figures.pending_ledger >= STORE_PENDING_LEDGER_MAX || figures.pending_incidents >= STORE_PENDING_INCIDENTS_MAX) {
		if (store_flush(mind->store, mind_now(mind).wall) < 0)
			return; /* then the rest counts as lost, which `spimend status` says */
		figures = store_figures(mind->store);
	}
}

static void keep_entry(void *context, const struct ledger_entry *entry)
{
	struct mind *mind = context;

	make_room(mind);
	store_put_ledger(mind->store, entry);
}

static void keep_incident(void *context, const struct core_incident *incident)
{
	struct mind *mind = context;

	make_room(mind);
	store_put_incident(mind->store, incident);
}

void mind_retry_store(struct mind *mind)
{
	const struct core_keeper keeper = { mind, keep_entry, keep_incident };

	if (open_store(mind) < 0)
		return;
	/* What is there stays there for the next start; what we know is newer, and goes beside it. */
	core_keep_all(mind->core, &keeper);
	log_say(&mind->member->log, LOG_NOTICE, "there is a store now");
}

/* Never given before: from the store, or, without one, drawn from 2^52 numbers that no store gives. A clock would not do: it
 * may stand where it stood at the last start. */
static uint64_t first_order(struct mind *mind)
{
	uint64_t first = 0, drawn = 0;
	int r = mind->store ? store_reserve_orders(mind->store, ORDERS_RESERVED, &first) : -ENOENT;

	if (r < 0) {
		if (mind->store)
			log_say(&mind->member->log, LOG_ERR, "no order numbers from the store (%s): drawn by lot",
				spimend_strerror(r));
		if (getrandom(&drawn, sizeof(drawn), 0) != (ssize_t)sizeof(drawn))
			drawn = (uint64_t)mind_now(mind).wall.ns;
		first = ORDERS_WITHOUT_STORE | drawn >> 12;
	}
	return first;
}

static void restore_ledger(void *context, const struct ledger_entry *entry)
{
	struct mind *mind = context;

	core_restore_ledger(mind->core, entry, mind_now(mind));
}

static void restore_incident(void *context, const struct core_incident *incident)
{
	struct mind *mind = context;

	struct incident_row row = { .verdict = incident->verdict, .cause = incident->cause, .state = incident->state };

	memcpy(row.id, incident->id, sizeof(row.id));
	mind_hook_restored(mind, &row);
	core_restore_incident(mind->core, incident, mind_now(mind));
}

int mind_restore(struct mind *mind)
{
	struct hash_key key;
	int r;

	if (getrandom(&key, sizeof(key), 0) != (ssize_t)sizeof(key))
		return -EIO;
	r = mind_journal_init(mind);
	if (r < 0)
		return r;
	(void)open_store(mind); /* it says so, is tried again, and judging does not wait for it */
	r = core_new(mind->member->config, &key, first_order(mind), mind_now(mind), &mind->core);
	if (r < 0 || !mind->store)
		return r;
	r = store_restore_ledger(mind->store, restore_ledger, mind);
	if (r == 0)
		r = store_restore_incidents(mind->store, mind->member->config->incidents_max, restore_incident, mind);
	if (r < 0)
		log_say(&mind->member->log, LOG_ERR, "the store could not be read to its end: %s", spimend_strerror(r));
	return 0;
}

void mind_flush(struct mind *mind)
{
	int r;

	if (!mind->store)
		return;
	r = store_flush(mind->store, mind_now(mind).wall);
	mind->figures = store_figures(mind->store);
	if (r == mind->store_trouble)
		return;
	mind->store_trouble = r;
	if (r < 0) {
		snprintf(mind->store_note, sizeof(mind->store_note), "the store cannot be written (%s); judging goes on",
			 spimend_strerror(r));
		log_say(&mind->member->log, LOG_ERR,
			"the store cannot be written: %s (%s); judging goes on, what is new is kept in memory and tried again",
			spimend_strerror(r), mind->figures.trouble_text);
	} else {
		mind->store_note[0] = 0;
		log_say(&mind->member->log, LOG_NOTICE, "the store can be written again");
	}
}

/* --- The control socket ----------------------------------------------------------------------------------------------- */

static void add_note(struct live_view *view, const char *note)
{
	if (note[0] && view->note_count < LIVE_NOTES_MAX)
		view->notes[view->note_count++] = note;
}

struct live_view mind_view(struct mind *mind, struct live_notify *ret_notify, struct live_recorder *ret_recorder)
{
	struct live_view view = { .core = mind->core, .config = mind->member->config, .now = mind_now(mind) };
	struct channel_counts counts = channel_count(mind->sense);

	if (mind->store) {
		mind->figures = store_figures(mind->store);
		view.store = &mind->figures;
		view.disk = mind->store;
	}
	view.started = mind->member->start.up;
	view.up_ns = view.now.mono_ns - mind->member->start.up_ns;
	view.store_note = mind->store_note[0] ? mind->store_note : NULL;
	view.sensors = &mind->sensors;
	*ret_notify = mind_notify_view(mind);
	view.notify = ret_notify;
	mind_record_view(mind, ret_recorder);
	view.recorder = ret_recorder;
	view.fleet = mind_fleet_view(mind);
	view.web = mind_web_view(mind);
	view.cases = mind->cases.fleet;
	view.survey = mind->cases.survey;
	memcpy(view.limit_hit_ns, mind->limit_hit_ns, sizeof(view.limit_hit_ns));
	mind->lost_note[0] = 0;
	if (mind->lost_watches)
		snprintf(mind->lost_note, sizeof(mind->lost_note), "sense does not keep up: %llu watches are to be sent again",
			 (unsigned long long)counts.overflow);
	add_note(&view, mind->sense_note);
	add_note(&view, mind->act_note);
	add_note(&view, mind->journal_note);
	add_note(&view, mind->lost_note);
	add_note(&view, mind->device_note);
	add_note(&view, mind->recorder.note);
	return view;
}

static int explain_fleet(struct mind *mind, const struct live_view *view, const struct control_request *request,
			 size_t index, struct buffer *out)
{
	const struct config *config = mind->member->config;
	cleanup(live_pairs_done) struct live_pairs pairs = { 0 };
	const struct live_pair *looked_at;

	if (live_pairs_new(view->cases, config, &pairs) < 0)
		return -ENOMEM;
	if (request->json) {
		live_fleet_json(view->fleet, config, view->now.wall, index, true, out);
	} else {
		live_fleet_explain(view->fleet, config, view->now.wall, index, out);
		looked_at = live_fleet_case_of(view->fleet, &pairs, index);
		if (looked_at)
			buffer_printf(out, "The devices themselves were looked at: 'spimend explain %s' has what they showed.\n", looked_at->id);
	}
	return live_fleet_is_fault(view->fleet, config, view->now.wall, index);
}

static int explain_case(const struct live_view *view, const struct control_request *request, const struct fleet_incident *is,
			struct buffer *out)
{
	if (request->json) {
		record_fleet_json(is, view->config->mode, true, out);
	} else {
		record_fleet_explain(is, view->config->mode, out);
		live_cure_of_case(view, is, out);
	}
	return live_case_is_fault(is, view->config, view->now.wall);
}

/* An old one, which the fleet's mind forgot or never had. */
static int explain_stored_case(struct mind *mind, const struct live_view *view, const struct control_request *request,
			       struct buffer *out)
{
	cleanup(memory_free_pointer) struct fleet_incident *stored = memory_new(1, sizeof(*stored));
	int r = !stored ? -ENOMEM : mind->store ? store_find_case(mind->store, request->id, stored) : -ENOENT;

	return r < 0 ? r : explain_case(view, request, stored, out);
}

static int explain(struct mind *mind, const struct live_view *view, const struct control_request *request,
		   struct buffer *out)
{
	const struct core_incident *incident = NULL;
	const struct fleet_incident *case_is = NULL;
	cleanup(memory_free_pointer) struct core_incident *stored = NULL;
	int found = live_find_incident(mind->core, request->id, &incident), r;

	if (!incident && found == -ENOENT) {
		found = live_case_find(view->cases, request->id, &case_is);
		if (found == 0)
			return explain_case(view, request, case_is, out);
	}
	if (!incident && found == -ENOENT && view->fleet) {
		size_t index;

		found = live_fleet_find(view->fleet, request->id, &index);
		if (found == 0)
			return explain_fleet(mind, view, request, index, out);
	}
	if (!incident) {
		stored = memory_new(1, sizeof(*stored));
		if (!stored)
			return -ENOMEM;
		r = mind->store ? store_find_incident(mind->store, request->id, stored) : -ENOENT; /* an old one, in full */
		if (r == -ENOENT && found == -ENOENT)
			return explain_stored_case(mind, view, request, out);
		if (r < 0)
			return r == -ENOENT ? found : r;
		incident = stored;
	}
	if (request->json)
		live_explain_json(view, incident, out);
	else
		live_explain_text(view, incident, out);
	return live_exit_status_of(view, incident);
}

/* Of an id or the beginning of one: the id itself, where it is known. */
static void full_id(struct mind *mind, const char *id, char to[INCIDENT_ID_MAX])
{
	const struct core_incident *incident = NULL;
	const struct fleet_incident *is = NULL;

	snprintf(to, INCIDENT_ID_MAX, "%s", id);
	if (live_find_incident(mind->core, id, &incident) == 0)
		snprintf(to, INCIDENT_ID_MAX, "%s", incident->id);
	else if (live_case_find(mind->cases.fleet, id, &is) == 0)
		snprintf(to, INCIDENT_ID_MAX, "%s", is->id);
}

/* The incident in one line, then what was frozen of it. */
static int evidence(struct mind *mind, const struct live_view *view, const struct control_request *request,
		    struct buffer *out)
{
	struct control_request asked = *request;
	char id[INCIDENT_ID_MAX];
	int status, r;

	full_id(mind, request->id, id);
	asked.json = true;
	if (request->json) {
		status = explain(mind, view, &asked, out);
	} else {
		cleanup(buffer_done) struct buffer line = { 0 };

		status = explain(mind, view, &asked, &line); /* whether there is one */
	}
	if (status < 0)
		return status;
	r = mind_record_evidence(mind, id, request->json, out);
	return r < 0 ? r : status;
}

static void watch(struct mind *mind, const struct live_view *view, bool json, struct buffer *out)
{
	const struct core_incident *incident;
	const struct fleet_incident *is;

	for (size_t i = 0; (incident = core_incident_at(mind->core, i)); i++) {
		if (incident->state == STATE_CLOSED || incident->state == STATE_HEALED)
			continue;
		told_put(&mind->watched, incident->id, live_watch_mark(incident));
		if (json)
			live_watch_json(view, incident, out);
		else
			live_watch_text(view, incident, out);
	}
	for (size_t i = 0; view->cases && (is = fleet_at(view->cases, i)); i++) {
		if (is->state == STATE_CLOSED || is->state == STATE_HEALED)
			continue;
		told_put(&mind->watched, is->id, live_case_mark(is));
		if (json)
			record_fleet_json(is, view->config->mode, false, out);
		else
			live_case_watch(is, view->now.wall, out);
	}
	mind_fleet_watch(mind, json, out);
}

/* Incidents or statistics, of those that were asked for. */
static int answer_list(struct live_view *view, const struct control_request *request, struct buffer *out)
{
	bool is_stats = request->command == CONTROL_STATS;
	struct incident_filter filter;
	int r = incident_filter_read(text_of(request->filter), view->now.wall, is_stats, &filter, out);

	if (r < 0)
		return CONTROL_REFUSED;
	view->filter = filter.is_set ? &filter : NULL;
	if (is_stats)
		(request->json ? live_stats_json : live_stats_text)(view, out);
	else
		(request->json ? live_incidents_json : live_incidents_text)(view, out);
	view->filter = NULL;
	return is_stats ? 0 : live_exit_status(view);
}

int mind_answer(struct mind *mind, const struct control_request *request, struct buffer *out)
{
	struct live_recorder recorder;
	struct live_notify notify;
	struct live_view view = mind_view(mind, &notify, &recorder);

	switch (request->command) {
	case CONTROL_STATUS:
		(request->json ? live_status_json : live_status_text)(&view, out);
		return live_exit_status_of_all(&view);
	case CONTROL_INCIDENTS:
	case CONTROL_STATS:
		return answer_list(&view, request, out);
	case CONTROL_EXPLAIN:
		return explain(mind, &view, request, out);
	case CONTROL_EVIDENCE:
		return evidence(mind, &view, request, out);
	case CONTROL_WATCH:
		watch(mind, &view, request->json, out);
		return 0;
	case CONTROL_JOURNAL:
		return mind_tell_story(mind, request, out);
	case CONTROL_APPROVE:
	case CONTROL_DENY:
		return mind_take_word(mind, request, out);
	case CONTROL_TOKEN:
		return mind_token_request(mind, request, out);
	case CONTROL_METRICS:
		return mind_metrics(mind, out);
	default:
		return -EINVAL;
	}
}

static int answer(void *context, const struct control_request *request, struct buffer *out)
{
	return mind_answer(context, request, out);
}

bool mind_is_watched(const struct mind *mind)
{
	return (mind->control && control_is_watched(mind->control)) || mind_web_is_watched(mind);
}

static void publish(struct mind *mind, const struct buffer *text, const struct buffer *json)
{
	int64_t now = mind_now(mind).mono_ns;

	mind_web_publish(mind, buffer_text(json));
	if (!mind->control)
		return;
	control_publish(mind->control, buffer_text(text), buffer_text(json), now);
	/* Who does not take it has a deadline from now on. */
	loop_timer_at(mind->control_timer, control_tick(mind->control, now));
}

void mind_keep_incident(struct mind *mind, const char *id)
{
	const struct core_incident *incident = core_find(mind->core, id);

	if (!incident)
		return;
	mind_record_incident(mind, incident);
	if (mind->store)
		store_put_incident(mind->store, incident);
	mind_hook_incident(mind, incident);
	if (mind_is_watched(mind) && told_is_news(&mind->watched, incident->id, live_watch_mark(incident), true)) {
		struct live_recorder recorder;
		struct live_notify notify;
		struct live_view view = mind_view(mind, &notify, &recorder);
		cleanup(buffer_done) struct buffer text = { 0 }, json = { 0 };

		live_watch_text(&view, incident, &text);
		live_watch_json(&view, incident, &json);
		publish(mind, &text, &json);
	}
}

void mind_keep_case(struct mind *mind, const char *id)
{
	const struct fleet_incident *is = mind->cases.fleet ? fleet_find(mind->cases.fleet, id) : NULL;

	if (!is)
		return;
	mind_record_case(mind, is);
	if (mind->store)
		store_put_case(mind->store, is);
	mind_hook_case(mind, is);
	if (mind_is_watched(mind) && told_is_news(&mind->watched, is->id, live_case_mark(is), true)) {
		cleanup(buffer_done) struct buffer text = { 0 }, json = { 0 };

		live_case_watch(is, mind_now(mind).wall, &text);
		record_fleet_json(is, mind->member->config->mode, false, &json);
		publish(mind, &text, &json);
	}
}

static void on_control_timer(void *context, int64_t now)
{
	struct mind *mind = context;

	loop_timer_at(mind->control_timer, control_tick(mind->control, now));
}

static void on_control(void *context, uint32_t events)
{
	struct mind *mind = context;
	int64_t now = loop_now(mind->member->loop);
	int r;

	(void)events;
	r = control_read(mind->control, now);
	if (r < 0)
		log_say(&mind->member->log, LOG_ERR, "the control socket: %s", spimend_strerror(r));
	on_control_timer(mind, now);
}

static struct control_rules rules_of(const struct mind *mind)
{
	const struct role_start *start = &mind->member->start;
	struct control_rules rules = { .user = start->uid, .has_user = true };

	rules.has_operators = start->has_operators_gid;
	rules.operators = start->operators_gid;
	if (start->has_control_gid)
		rules.groups[rules.group_count++] = start->control_gid;
	return rules;
}

int mind_take_control(struct mind *mind, int listening)
{
	struct control_rules rules = rules_of(mind);
	int r = 0;

	loop_remove(mind->control_source);
	mind->control_source = NULL;
	control_free(mind->control);
	mind->control = NULL;
	if (!mind->control_timer)
		r = loop_add_timer(mind->member->loop, on_control_timer, mind, &mind->control_timer);
	if (r < 0) {
		close(listening);
		return r;
	}
	loop_timer_at(mind->control_timer, LOOP_NEVER);
	r = control_new(listening, &rules, answer, mind, &mind->control);
	if (r == 0)
		mind_serve_exec(mind);
	if (r == 0)
		r = loop_add(mind->member->loop, control_fd(mind->control), EPOLLIN, on_control, mind, &mind->control_source);
	return r;
}

void mind_allow(struct mind *mind)
{
	struct control_rules rules = rules_of(mind);

	if (mind->control)
		control_allow(mind->control, &rules);
}
