/* SPDX-License-Identifier: MIT */
/* What the role web asks, answered: read-only but for a person's word on a step. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/memory.h"
#include "record/live_page.h"
#include "record/metrics.h"
#include "record/values.h"
#include "role/core_role.h"
#include "sense/usm.h"
#include "spimend/error.h"

#define LIST_MOST 500 /* of applets, and of their history */

struct reply {
	unsigned status;
	const char *error;     /* static; with a status that is not 200 */
	struct buffer body;
};

static void refuse(struct reply *reply, unsigned status, const char *error, const char *why)
{
	reply->status = status;
	reply->error = error;
	buffer_clear(&reply->body);
	buffer_add_string(&reply->body, why);
}

static void fail(struct reply *reply, int error)
{
	refuse(reply, 503, "busy", spimend_strerror(error));
}

/* --- Answers ---------------------------------------------------------------------------------------------------------- */

static void put_session(const struct mind *mind, const struct mind_token *person, struct buffer *out)
{
	const struct config *config = mind->member->config;
	struct json j;

	json_init(&j, out);
	json_object(&j, NULL);
	json_string(&j, "schema", "spimend.session/1");
	json_string(&j, "kind", person ? "person" : "page");
	json_string(&j, "name", person ? person->who : NULL);
	record_put_time(&j, "expires", person != NULL, person ? person->until : (struct instant){ 0 });
	json_bool(&j, "can_approve", person != NULL);
	json_string(&j, "hostname", config->hostname);
	json_string(&j, "version", SPIMEND_VERSION);
	json_string(&j, "mode", mode_name(config->mode));
	json_object_end(&j);
	buffer_add_char(out, '\n');
}

static uint64_t count_troubles(const struct live_view *view)
{
	cleanup(buffer_done) struct buffer troubles = { 0 };
	struct text rest, line;
	uint64_t n = 0;

	live_troubles(view, &troubles);
	for (rest = buffer_text(&troubles); text_take_line(&rest, &line); n++)
		;
	return n;
}

/* What is known each second without a walk through anything. */
static void take_sample(struct mind *mind, struct history_sample *ret)
{
	struct core_figures f = core_figures(mind->core, mind_now(mind));
	const struct fleet *cases = mind->cases.fleet;
	struct history_sample s = { .known = (1u << HISTORY_SERIES) - 1 };

	s.values[HISTORY_STRAYS] = f.strays;
	s.values[HISTORY_STRANGERS] = f.strangers;
	s.values[HISTORY_SIGHTINGS] = f.sightings;
	s.values[HISTORY_ESP_PACKETS] = f.sensor.esp_packets;
	s.values[HISTORY_OPEN_INCIDENTS] = f.open + (cases ? fleet_figures(cases).open : 0);
	for (uint32_t i = 0; i < f.daemon_count && i < GATEWAY_DAEMONS_MAX; i++)
		s.values[HISTORY_TUNNELS] += f.daemons[i].children;
	for (int c = 0; f.has_counters && c < XFRM_COUNTERS; c++)
		s.values[HISTORY_KERNEL_DROPS] += f.counters.present >> c & 1 ? f.counters.value[c] : 0;
	if (!f.has_counters)
		s.known &= ~(1u << HISTORY_KERNEL_DROPS);
	*ret = s;
}

static void put_counters(struct mind *mind, const struct live_view *view, struct buffer *out)
{
	struct fleet_figures fleet = { 0 };
	struct history_sample s;
	struct json j;

	if (view->cases)
		fleet = fleet_figures(view->cases);
	take_sample(mind, &s);
	json_init(&j, out);
	json_object(&j, NULL);
	json_string(&j, "schema", "spimend.counters/1");
	record_put_time(&j, "now", true, view->now.wall);
	for (int i = 0; i < HISTORY_SERIES; i++) {
		if (s.known >> i & 1)
			json_unsigned(&j, history_series_name((enum history_series)i), s.values[i]);
		else
			json_null(&j, history_series_name((enum history_series)i));
	}
	json_unsigned(&j, "incidents", core_figures(mind->core, view->now).incidents + fleet.incidents);
	json_unsigned(&j, "awaiting", fleet.awaiting);
	json_unsigned(&j, "troubles", count_troubles(view));
	json_object_end(&j);
	buffer_add_char(out, '\n');
}

/* Lines of JSON as the elements of an array, the first ones. Returns how many there are. */
static uint64_t put_lines(const char *key, const struct buffer *lines, struct buffer *out)
{
	struct text rest = buffer_text(lines), line;
	uint64_t n = 0;

	buffer_printf(out, ",\"%s\":[", key);
	while (text_take_line(&rest, &line)) {
		if (n++ >= LIST_MOST)
			continue;
		buffer_add_string(out, n > 1 ? "," : "");
		buffer_add(out, line);
	}
	buffer_add_char(out, ']');
	return n;
}

static void put_applets(const struct mind *mind, struct buffer *out)
{
	cleanup(buffer_done) struct buffer policies = { 0 }, history = { 0 }, statistics = { 0 };
	uint64_t policies_total, history_total;

	if (mind->eem.engine) {
		eem_json_registered(mind->eem.engine, &policies);
		eem_json_history(mind->eem.engine, &history);
		eem_json_statistics(mind->eem.engine, &statistics);
	}
	buffer_add_string(out, "{\"schema\":\"spimend.applets/1\"");
	policies_total = put_lines("policies", &policies, out);
	history_total = put_lines("history", &history, out);
	buffer_printf(out, ",\"policies_total\":%llu,\"history_total\":%llu,\"statistics\":", (unsigned long long)policies_total,
		      (unsigned long long)history_total);
	if (statistics.len)
		buffer_add(out, text_trim(buffer_text(&statistics)));
	else
		buffer_add_string(out, "null");
	buffer_add_string(out, "}\n");
	out->failed |= policies.failed || history.failed || statistics.failed;
}

/* By its whole id: what the page links to. */
static void explain(struct mind *mind, const struct web_ask *ask, struct reply *reply)
{
	struct control_request request = { .command = CONTROL_EXPLAIN, .json = true };
	int r;

	memcpy(request.id, ask->id, sizeof(request.id));
	r = mind_answer(mind, &request, &reply->body);
	if (r == -ENOENT || r == -ENOTUNIQ)
		refuse(reply, 404, "not-found", "there is no such incident");
	else if (r < 0)
		fail(reply, r);
}

/* The incident, and a page of what was recorded around it. */
static void tell_timeline(struct mind *mind, const struct web_ask *ask, struct reply *reply)
{
	struct reply incident = { .status = 200 };
	int r;

	if (!mind->member->config->recorder.is_on) {
		refuse(reply, 501, "no-recorder", "this daemon records no timeline: 'no evidence recorder' is configured");
		return;
	}
	explain(mind, ask, &incident);
	if (incident.status != 200) {
		*reply = incident;
		return;
	}
	buffer_printf(&reply->body, "{\"schema\":\"spimend.timeline/1\",\"incident\":%.*s",
		      TEXT_ARG(text_trim(buffer_text(&incident.body))));
	buffer_done(&incident.body);
	r = mind_record_timeline(mind, ask->id, &ask->filter, &reply->body);
	buffer_add_string(&reply->body, "}\n");
	if (r < 0)
		fail(reply, r);
}

static void take_word(struct mind *mind, const struct web_ask *ask, const struct mind_token *person, struct reply *reply)
{
	cleanup(buffer_done) struct buffer why = { 0 };
	struct mind_word word = { .step = ask->step, .approves = ask->question == WEB_APPROVE, .json = true };
	int r;

	if (!person) {
		refuse(reply, 401, "personal-token", "a personal token is needed");
		return;
	}
	memcpy(word.id, ask->id, sizeof(word.id));
	r = mind_say_word(mind, person->who, &word, &reply->body, &why);
	log_say(&mind->member->log, r < 0 ? LOG_WARNING : LOG_NOTICE, "%s, on the page: %s %s %u%s%.*s", person->who,
		web_question_name(ask->question), word.id, word.step, r < 0 ? ": refused: " : why.len ? ": " : "",
		TEXT_ARG(buffer_text(&why)));
	if (r == 0)
		return;
	buffer_add_char(&why, '\0');
	if (mind->cases.fleet && !fleet_find(mind->cases.fleet, word.id))
		refuse(reply, 404, "not-found", "there is no such incident between devices");
	else
		refuse(reply, 409, "refused", why.failed ? "no memory" : why.bytes);
}

static void read_page(struct mind *mind, const struct web_ask *ask, struct reply *reply)
{
	struct live_recorder recorder;
	struct live_notify notify;
	struct live_view view = mind_view(mind, &notify, &recorder);
	struct metrics_source source = { .view = &view, .eem = mind->eem.engine, .web = &mind->web.counts };
	int r = 0;

	switch (ask->question) {
	case WEB_STATUS:
		live_status_page(&view, &reply->body);
		break;
	case WEB_TUNNELS:
		r = live_tunnels_page(&view, &ask->filter, &reply->body);
		break;
	case WEB_INCIDENTS:
		r = live_incidents_page(&view, &ask->filter, &reply->body);
		break;
	case WEB_HISTORY:
		if (mind->web.history)
			history_json(mind->web.history, view.now.wall, ask->filter.by_minute, &reply->body);
		else
			r = -ENOMEM;
		break;
	case WEB_DEVICES:
		live_devices_page(&view, &ask->filter, &reply->body);
		break;
	case WEB_COUNTERS:
		put_counters(mind, &view, &reply->body);
		break;
	case WEB_METRICS:
		r = metrics_write(&source, ask->filter.is_old_format ? METRICS_TEXT : METRICS_OPEN, &reply->body);
		break;
	default:
		r = -EINVAL;
		break;
	}
	if (r < 0)
		fail(reply, r);
}

static void reply_to(struct mind *mind, const struct web_ask *ask, struct reply *reply)
{
	const struct mind_token *person = ask->credential == WEB_BY_PERSON ? mind_find_token(mind, ask->token) : NULL;

	if (ask->credential == WEB_BY_PERSON && !person) {
		refuse(reply, 401, "token", "that token is wrong, or has expired");
		return;
	}
	switch (ask->question) {
	case WEB_SESSION:
		put_session(mind, person, &reply->body);
		break;
	case WEB_INCIDENT:
		explain(mind, ask, reply);
		break;
	case WEB_TIMELINE:
		tell_timeline(mind, ask, reply);
		break;
	case WEB_APPROVE:
	case WEB_DENY:
		take_word(mind, ask, person, reply);
		break;
	case WEB_APPLETS:
		put_applets(mind, &reply->body);
		break;
	default:
		read_page(mind, ask, reply);
		break;
	}
	if (buffer_error(&reply->body) || reply->body.len > WEB_ANSWER_MAX) {
		buffer_done(&reply->body);
		refuse(reply, 503, "busy", "the answer is larger than may be: ask for less at once");
	}
}

/* --- The channel ------------------------------------------------------------------------------------------------------ */

static void send_reply(struct mind *mind, uint64_t number, const struct reply *reply)
{
	cleanup(memory_free_pointer) struct web_part *part = memory_new(1, sizeof(*part));
	struct text rest = buffer_text(&reply->body);

	if (!part)
		return; /* web gives up by itself */
	part->number = number;
	part->status = (uint16_t)reply->status;
	text_copy(text_of(reply->error ? reply->error : ""), part->error, sizeof(part->error));
	do {
		part->len = (uint32_t)text_copy_bytes(rest, part->bytes, sizeof(part->bytes));
		rest = text_skip(rest, part->len);
		part->is_last = rest.len == 0;
		if (channel_send(mind->web.channel, MESSAGE_WEB_PART, part) < 0)
			return;
	} while (!part->is_last);
}

/* Not the loop's: that is one time for all that happens in a turn. */
static int64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * SECOND_NS + now.tv_nsec;
}

static void take(void *context, struct channel *channel, enum message_type type, const union message_item *item,
		 const int *fds, size_t fd_count)
{
	struct reply reply = { .status = 200 };
	struct mind *mind = context;
	int64_t began;

	member_close_fds(fds, fd_count);
	if (type == MESSAGE_WEB_COUNTS) {
		mind->web.counts = item->web_counts;
		mind->web.is_there = true;
		return;
	}
	if (type != MESSAGE_WEB_ASK)
		return;
	began = clock_ns();
	if (channel_is_full(channel)) /* it asks faster than it reads */
		refuse(&reply, 503, "busy", "too much at once");
	else if (!web_is_word(item->web_ask.question) && !share_may(&mind->web.share, began, WEB_SHARE_PERCENT))
		refuse(&reply, 503, "busy", "so many questions would keep the daemon from its work");
	else
		reply_to(mind, &item->web_ask, &reply);
	share_pay(&mind->web.share, clock_ns() - began);
	send_reply(mind, item->web_ask.number, &reply);
	buffer_done(&reply.body);
}

static void closed(void *context, struct channel *channel, const char *why)
{
	struct mind *mind = context;

	if (why) /* that a role ended, the parent says */
		log_say(&mind->member->log, LOG_ERR, "web sent a message %s", why);
	channel_free(channel);
	mind->web.channel = NULL;
	mind->web.is_there = false;
	mind->web.counts.connections = mind->web.counts.sessions = mind->web.counts.streams = 0;
}

int mind_take_web(struct mind *mind, int fd)
{
	struct channel_calls calls = { .context = mind, .take = take, .closed = closed };

	channel_free(mind->web.channel);
	mind->web.channel = NULL;
	return channel_new(mind->member->loop, fd, ROLE_CORE, ROLE_WEB, &calls, &mind->web.channel);
}

bool mind_web_resource(struct mind *mind, const struct role_resource *resource)
{
	if (resource->kind != RESOURCE_WEB)
		return false;
	if (resource->index < WEB_LISTENERS_MAX)
		mind->web.errors[resource->index] = resource->error;
	return true;
}

const struct live_web *mind_web_view(struct mind *mind)
{
	mind->web.view = (struct live_web){ mind->web.is_there, &mind->web.counts, mind->web.errors };
	return &mind->web.view;
}

/* --- News ------------------------------------------------------------------------------------------------------------- */

bool mind_web_is_watched(const struct mind *mind)
{
	return mind->web.channel && mind->web.counts.streams > 0;
}

void mind_web_publish(struct mind *mind, struct text json)
{
	cleanup(memory_free_pointer) struct web_news *news = NULL;

	if (!mind_web_is_watched(mind))
		return;
	json = text_trim(json);
	news = memory_new(1, sizeof(*news));
	if (!news || json.len > sizeof(news->bytes)) {
		mind->web.lost = true;
		return;
	}
	news->len = (uint32_t)text_copy_bytes(json, news->bytes, sizeof(news->bytes));
	if (channel_send(mind->web.channel, MESSAGE_WEB_NEWS, news) == -ENOBUFS)
		mind->web.lost = true;
}

void mind_web_tick(struct mind *mind)
{
	static const struct web_news lost;
	struct history_sample sample;

	if (mind->web.lost && (!mind->web.channel || channel_send(mind->web.channel, MESSAGE_WEB_NEWS, &lost) == 0))
		mind->web.lost = false;
	if (!mind->web.history)
		return;
	take_sample(mind, &sample);
	history_add(mind->web.history, mind_now(mind).wall, &sample);
}

/* --- Life ------------------------------------------------------------------------------------------------------------- */

int mind_web_begin(struct mind *mind)
{
	int r = usm_begin(); /* SHA-256, without the configuration file of OpenSSL */

	if (r == 0)
		r = history_new(&mind->web.history);
	if (r == 0)
		mind_read_tokens(mind);
	return r;
}

void mind_web_done(struct mind *mind)
{
	channel_flush(mind->web.channel);
	channel_free(mind->web.channel);
	history_free(mind->web.history);
}

int mind_metrics(struct mind *mind, struct buffer *out)
{
	struct live_recorder recorder;
	struct live_notify notify;
	struct live_view view = mind_view(mind, &notify, &recorder);
	struct metrics_source source = { .view = &view, .eem = mind->eem.engine, .web = &mind->web.counts };

	return metrics_write(&source, METRICS_TEXT, out);
}
