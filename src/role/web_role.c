/* SPDX-License-Identifier: MIT */
#include "role/web_role.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "role/roles.h"
#include "sense/usm.h"
#include "spimend/error.h"

#define BEAT_EVERY SECOND_NS
#define SAY_EVERY (10 * SECOND_NS)

/* --- What is counted -------------------------------------------------------------------------------------------------- */

void web_note(struct web *web, enum web_count count, const char *who, const char *what)
{
	struct web_said *said = &web->said[count];
	int64_t now = loop_now(web->member->loop);

	web->counts.counts[count]++;
	if (said->at && now - said->at < SAY_EVERY) {
		said->left_out++;
		return;
	}
	if (said->left_out)
		log_say(&web->member->log, LOG_WARNING, "%s from %s (%s); and %llu more in the last %lld s", what, who, web_count_name(count),
			(unsigned long long)said->left_out, (long long)((now - said->at) / SECOND_NS));
	else
		log_say(&web->member->log, LOG_WARNING, "%s from %s (%s)", what, who, web_count_name(count));
	*said = (struct web_said){ .at = now ? now : 1 };
}

static void tell_counts(struct web *web, bool anyway)
{
	struct http_figures figures = http_figures(web->http);
	struct web_counts *counts = &web->counts;
	uint64_t own_malformed = counts->counts[WEB_MALFORMED];

	counts->connections = figures.connections;
	counts->streams = figures.streams;
	counts->sessions = door_sessions(&web->door);
	counts->counts[WEB_TOO_MANY] = figures.too_many;
	counts->counts[WEB_TIMED_OUT] = figures.timed_out;
	counts->counts[WEB_LOST_NEWS] = figures.lost;
	counts->counts[WEB_MALFORMED] += figures.malformed;
	if ((anyway || memcmp(counts, &web->told, sizeof(*counts)) != 0) &&
	    channel_send(web->core, MESSAGE_WEB_COUNTS, counts) == 0)
		web->told = *counts;
	counts->counts[WEB_MALFORMED] = own_malformed;
}

void web_tell_counts(struct web *web)
{
	tell_counts(web, false);
}

/* --- HTTP ------------------------------------------------------------------------------------------------------------- */

static void run_http(struct web *web)
{
	int64_t now = loop_now(web->member->loop);

	loop_timer_at(web->http_timer, http_run(web->http, now));
}

static void on_http(void *context, uint32_t events)
{
	(void)events;
	run_http(context);
}

static void on_http_timer(void *context, int64_t now)
{
	(void)now;
	run_http(context);
}

static void on_listening(void *context, uint32_t events)
{
	struct web_listening *listening = context;

	(void)events;
	http_accept(listening->web->http, listening->fd, loop_now(listening->web->member->loop));
	run_http(listening->web);
}

/* --- Core ------------------------------------------------------------------------------------------------------------- */

static struct web_pending *find_ask(struct web *web, uint64_t number)
{
	for (size_t i = 0; i < WEB_ASKS_MAX; i++)
		if (web->asks[i].number == number)
			return &web->asks[i];
	return NULL;
}

bool web_ask_core(struct web *web, const struct web_pending *pending, struct web_ask *ask)
{
	struct web_pending *place = find_ask(web, 0);

	if (!place || !web->core || channel_is_full(web->core))
		return false;
	ask->number = ++web->number;
	ask->credential = pending->who.credential;
	memcpy(ask->token, pending->who.token, sizeof(ask->token));
	if (channel_send(web->core, MESSAGE_WEB_ASK, ask) < 0)
		return false;
	*place = *pending;
	place->number = ask->number;
	place->question = ask->question;
	place->deadline = loop_now(web->member->loop) + WEB_ASK_NS;
	place->answer = (struct buffer){ 0 };
	return true;
}

static void end_ask(struct web_pending *pending)
{
	buffer_done(&pending->answer);
	memset(pending, 0, sizeof(*pending));
}

static void take_part(struct web *web, const struct web_part *part)
{
	struct web_pending *pending = find_ask(web, part->number);

	if (!pending) /* it was too late */
		return;
	buffer_add(&pending->answer, (struct text){ part->bytes, part->len });
	if (buffer_error(&pending->answer) || pending->answer.len > WEB_ANSWER_MAX) {
		web_give_up(web, pending, false);
		end_ask(pending);
	} else if (part->is_last) {
		web_finish(web, pending, part);
		end_ask(pending);
	}
}

static void from_core(void *context, struct channel *channel, enum message_type type, const union message_item *item,
		      const int *fds, size_t fd_count)
{
	struct web *web = context;

	(void)channel;
	member_close_fds(fds, fd_count);
	if (type == MESSAGE_WEB_PART)
		take_part(web, &item->web_part);
	else if (type == MESSAGE_WEB_NEWS && item->web_news.len)
		http_event(web->http, 0, "incident", (struct text){ item->web_news.bytes, item->web_news.len });
	else if (type == MESSAGE_WEB_NEWS)
		http_event(web->http, 0, "lost", TEXT("{\"schema\":\"spimend.lost/1\"}"));
}

static void core_turn(void *context, struct channel *channel)
{
	(void)channel;
	run_http(context);
}

static void core_closed(void *context, struct channel *channel, const char *why)
{
	struct web *web = context;

	if (why) /* that a role ended, the parent says */
		log_say(&web->member->log, LOG_ERR, "core sent a message %s", why);
	channel_free(channel);
	web->core = NULL;
	for (size_t i = 0; i < WEB_ASKS_MAX; i++) {
		if (!web->asks[i].number)
			continue;
		web_give_up(web, &web->asks[i], false);
		end_ask(&web->asks[i]);
	}
	http_event(web->http, 0, "lost", TEXT("{\"schema\":\"spimend.lost/1\"}"));
	run_http(web);
}

/* --- Now and then ----------------------------------------------------------------------------------------------------- */

static void beat_streams(struct web *web, int64_t now)
{
	for (size_t i = 0; i < HTTP_STREAMS_MAX; i++) {
		struct web_streamer *s = &web->streamers[i];
		bool is_in = s->session == 0;

		if (!s->mark)
			continue;
		for (size_t k = 0; k < DOOR_SESSIONS_MAX && !is_in; k++) {
			const struct web_session *session = &web->door.sessions[k];

			is_in = session->used && session->serial == s->session && session->until > now;
		}
		if (!is_in || s->until <= now) {
			http_stream_end(web->http, s->mark);
		} else if (s->beat <= now) {
			s->beat = now + WEB_BEAT_NS;
			http_event(web->http, s->mark, NULL, TEXT_NONE);
		}
	}
}

static void on_beat(void *context, int64_t now)
{
	struct web *web = context;
	struct web_pending counters = { .purpose = PURPOSE_COUNTERS };
	struct web_ask ask = { .question = WEB_COUNTERS };

	for (size_t i = 0; i < WEB_ASKS_MAX; i++) {
		if (!web->asks[i].number || web->asks[i].deadline > now)
			continue;
		web_give_up(web, &web->asks[i], true);
		end_ask(&web->asks[i]);
	}
	beat_streams(web, now);
	if (http_figures(web->http).streams)
		(void)web_ask_core(web, &counters, &ask);
	for (uint32_t i = 0; i < WEB_LISTENERS_MAX; i++)
		if (web->wanted[i])
			member_want(web->member, RESOURCE_WEB, i, "");
	tell_counts(web, false);
	run_http(web);
}

/* --- What the parent hands in ----------------------------------------------------------------------------------------- */

static void take_listener(struct web *web, const struct role_resource *resource, const int *fds, size_t fd_count)
{
	struct web_listening *listening;
	int r;

	if (resource->index >= WEB_LISTENERS_MAX) {
		member_close_fds(fds, fd_count);
		return;
	}
	listening = &web->listening[resource->index];
	web->wanted[resource->index] = fd_count != 1;
	if (fd_count != 1 || listening->fd >= 0) { /* the same one once more, after a reload */
		member_close_fds(fds, fd_count);
		return;
	}
	listening->fd = fds[0];
	r = loop_add(web->member->loop, listening->fd, EPOLLIN, on_listening, listening, &listening->source);
	if (r < 0)
		log_say(&web->member->log, LOG_ERR, "a web socket is not served: %s", spimend_strerror(r));
}

static void take_resource(void *context, const struct role_resource *resource, const int *fds, size_t fd_count)
{
	struct channel_calls calls = { .context = context, .take = from_core, .closed = core_closed, .turn = core_turn };
	struct web *web = context;
	int r;

	if (resource->kind == RESOURCE_WEB) {
		take_listener(web, resource, fds, fd_count);
	} else if (resource->kind == RESOURCE_CHANNEL && fd_count == 1) {
		channel_free(web->core);
		web->core = NULL;
		r = channel_new(web->member->loop, fds[0], ROLE_WEB, ROLE_CORE, &calls, &web->core);
		if (r < 0)
			log_say(&web->member->log, LOG_ERR, "no channel to core: %s", spimend_strerror(r));
		else
			tell_counts(web, true);
	} else {
		member_close_fds(fds, fd_count);
	}
}

static void take_told(void *context, enum message_type type, const union message_item *item)
{
	struct web *web = context;

	if (type == MESSAGE_WEB_TOKEN)
		door_change_page(&web->door, item->token.hash);
}

/* --- Life ------------------------------------------------------------------------------------------------------------- */

static int begin(void *context, struct member *member)
{
	struct web *web = context;
	struct http_calls calls = { .context = web, .request = web_request, .stream_over = web_stream_over };
	int r = usm_begin();

	web->member = member;
	if (r == 0)
		r = http_new(&calls, &web->http);
	if (r == 0)
		r = loop_add_timer(member->loop, on_http_timer, web, &web->http_timer);
	if (r == 0)
		r = loop_add_timer(member->loop, on_beat, web, &web->beat_timer);
	if (r == 0)
		r = loop_add(member->loop, http_fd(web->http), EPOLLIN, on_http, web, &web->http_source);
	if (r == 0)
		loop_timer_every(web->beat_timer, BEAT_EVERY);
	return r;
}

static void reload(void *context)
{
	(void)context; /* the lists of names are read at each request; other listeners are another process */
}

static void end(void *context)
{
	struct web *web = context;

	loop_remove(web->http_source);
	http_free(web->http);
	for (size_t i = 0; i < WEB_ASKS_MAX; i++)
		buffer_done(&web->asks[i].answer);
	for (uint32_t i = 0; i < WEB_LISTENERS_MAX; i++)
		if (web->listening[i].fd >= 0)
			close(web->listening[i].fd);
	channel_flush(web->core);
	channel_free(web->core);
}

int web_role_run(void)
{
	static const struct member_calls calls = { .begin = begin, .resource = take_resource, .told = take_told, .reload = reload,
						   .end = end };
	struct web web = { .member = NULL };

	for (uint32_t i = 0; i < WEB_LISTENERS_MAX; i++)
		web.listening[i] = (struct web_listening){ .fd = -1, .web = &web };
	return member_run(ROLE_WEB, &calls, &web);
}
