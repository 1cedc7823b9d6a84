/* SPDX-License-Identifier: MIT */
/* What becomes of a request (doc/web-api.md): checked, answered here, or asked of core. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "parse/flat_json.h"
#include "parse/web_request.h"
#include "base/memory.h"
#include "parse/web_token.h"
#include "role/web_role.h"
#include "serve/web_files.h"

#define JSON "application/json"
#define METRICS "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define OLD_METRICS "text/plain; version=0.0.4; charset=utf-8"
#define COOKIE_MAX 160

/* --- Answers ---------------------------------------------------------------------------------------------------------- */

static int64_t now_of(const struct web *web)
{
	return loop_now(web->member->loop);
}

static void answer(struct web *web, struct http_request *request, const struct http_answer *a)
{
	if (a->status < 400)
		web->counts.counts[WEB_ANSWERED]++;
	http_answer(request, a, now_of(web));
}

static void answer_json(struct web *web, struct http_request *request, struct text body, const char *cookie)
{
	struct http_answer a = { .status = 200, .type = JSON, .cache = "no-store", .cookie = cookie, .body = body };

	answer(web, request, &a);
}

static void refuse(struct web *web, struct http_request *request, unsigned status, const char *error, struct text message)
{
	cleanup(buffer_done) struct buffer body = { 0 };
	struct http_answer a = { .status = status, .type = JSON, .cache = "no-store", .allow = status == 405 ? "GET, HEAD, POST" : NULL,
				 .retry_after_s = status == 429 || status == 503 ? 1 : 0 };
	struct json j;

	json_init(&j, &body);
	json_object(&j, NULL);
	json_string(&j, "schema", "spimend.error/1");
	json_unsigned(&j, "status", status);
	json_string(&j, "error", error);
	json_text(&j, "message", message);
	json_object_end(&j);
	buffer_add_char(&body, '\n');
	a.body = buffer_text(&body);
	answer(web, request, &a);
}

static void malformed(struct web *web, struct http_request *request, unsigned status, const char *error, const char *message)
{
	web->counts.counts[WEB_MALFORMED]++;
	refuse(web, request, status, error, text_of(message));
}

static void busy(struct web *web, struct http_request *request)
{
	web_note(web, WEB_BUSY, http_who(request), "a request that cannot be answered now");
	refuse(web, request, 503, "busy", TEXT("too much at once, or the daemon's mind is starting anew: try again in a second"));
}

static void wrong_token(struct web *web, struct http_request *request, const char *what)
{
	if (door_may_err(&web->door, http_who(request), now_of(web))) {
		web_note(web, WEB_WRONG_TOKEN, http_who(request), what);
		refuse(web, request, 401, "token", TEXT("that token is wrong, or has expired: 'spimend token' makes one"));
	} else {
		web_note(web, WEB_RATE_LIMITED, http_who(request), "many wrong tokens");
		refuse(web, request, 429, "rate", TEXT("too many wrong tokens: try again in a second"));
	}
}

/* --- Checks ----------------------------------------------------------------------------------------------------------- */

static bool is_post(const struct http_request *request)
{
	return text_equal(http_method(request), TEXT("POST"));
}

static bool is_get(const struct http_request *request)
{
	return text_equal(http_method(request), TEXT("GET")) || text_equal(http_method(request), TEXT("HEAD"));
}

/* From where it comes: no other page may read this one, nor press its buttons. False: it was answered. */
static bool check_place(struct web *web, struct http_request *request, enum web_route route)
{
	const struct config_web *c = &web->member->config->web;
	struct text origin = http_header(request, "Origin"), site = http_header(request, "Sec-Fetch-Site");

	if (!web_host_fits(c, http_header(request, "Host"))) {
		web_note(web, WEB_WRONG_HOST, http_who(request), "a request for another name");
		refuse(web, request, 421, "host", TEXT("this is not served under that name: 'web name' in the configuration adds one"));
		return false;
	}
	if ((origin.len && !web_origin_fits(c, origin)) || (!origin.len && is_post(request)) ||
	    (route != ROUTE_FILE && site.len && !text_equal(site, TEXT("same-origin")) && !text_equal(site, TEXT("none")))) {
		web_note(web, WEB_WRONG_ORIGIN, http_who(request), "a request of another page's, or a POST without an Origin");
		refuse(web, request, 403, "origin", TEXT("Origin must be this page's own address, and a POST must have one"));
		return false;
	}
	return true;
}

static bool is_json(const struct http_request *request)
{
	struct text type = http_header(request, "Content-Type");

	return text_equal_nocase(text_trim(text_take_until(&type, ";")), TEXT("application/json"));
}

static bool check_form(struct web *web, struct http_request *request, enum web_route route, enum web_question question)
{
	bool wants_post = route == ROUTE_LOGIN || route == ROUTE_LOGOUT || (route == ROUTE_ASK && web_is_word(question));

	if (route == ROUTE_NONE)
		malformed(web, request, 404, "not-found", "nothing is there: doc/web-api.md lists what is");
	else if (wants_post ? !is_post(request) : !is_get(request))
		malformed(web, request, 405, "method", wants_post ? "only POST is understood there" : "only GET and HEAD are understood there");
	else if (http_is_too_large(request))
		malformed(web, request, 413, "too-large", "a body has at most 4096 bytes");
	else if (wants_post && !is_json(request))
		malformed(web, request, 400, "request", "the body must be JSON: Content-Type: application/json");
	else
		return true;
	return false;
}

/* Whose request it is. False: it was answered. */
static bool find_who(struct web *web, struct http_request *request, struct web_who *ret)
{
	struct text token = web_bearer(http_header(request, "Authorization"));
	struct text cookie = web_cookie(http_header(request, "Cookie"), TEXT(DOOR_COOKIE));

	if (token.len && door_token(&web->door, token, ret))
		return true;
	if (!token.len && door_cookie(&web->door, cookie, now_of(web), ret))
		return true;
	if (token.len)
		wrong_token(web, request, "a wrong token");
	else
		refuse(web, request, 401, "token", TEXT("a token is needed: log in, or send it as 'Authorization: Bearer TOKEN'"));
	return false;
}

static bool check_rate(struct web *web, struct http_request *request, const struct web_who *who)
{
	if (door_may_ask(&web->door, who, http_who(request), now_of(web)))
		return true;
	web_note(web, WEB_RATE_LIMITED, http_who(request), "too many requests");
	refuse(web, request, 429, "rate", TEXT("too many requests: try again in a second"));
	return false;
}

/* --- What is answered here -------------------------------------------------------------------------------------------- */

static void serve_file(struct web *web, struct http_request *request)
{
	struct text path = http_path(request);
	struct http_answer a = { .status = 200, .cache = "no-cache" };

	if (text_equal(path, TEXT("/")))
		path = TEXT("/index.html");
	for (size_t i = 0; i < web_file_count; i++) {
		const struct web_file *file = &web_files[i];

		if (!text_equal(path, text_of(file->path)))
			continue;
		a.type = file->type;
		a.etag = file->etag;
		a.body = (struct text){ (const char *)file->bytes, file->len };
		if (text_equal(http_header(request, "If-None-Match"), text_of(file->etag))) {
			a.status = 304;
			a.type = NULL;
			a.body = TEXT_NONE;
		}
		answer(web, request, &a);
		return;
	}
	malformed(web, request, 404, "not-found", "there is no such file");
}

static void ask(struct web *web, struct http_request *request, const struct web_who *who, enum web_purpose purpose,
		struct web_ask *question)
{
	struct web_pending pending = { .purpose = purpose, .who = *who, .request = request };

	if (!web_ask_core(web, &pending, question))
		busy(web, request);
}

static void log_in(struct web *web, struct http_request *request)
{
	const struct flat_json_member *token;
	struct web_ask session = { .question = WEB_SESSION };
	struct flat_json object;
	struct web_who who;

	if (flat_json_read(http_body(request), &object) < 0 || !(token = flat_json_find(&object, "token")) ||
	    token->type != FLAT_STRING) {
		malformed(web, request, 400, "request", "a flat JSON object with the member token is expected");
		return;
	}
	if (!door_token(&web->door, text_of(token->text), &who))
		wrong_token(web, request, "a log-in with a wrong token");
	else
		ask(web, request, &who, PURPOSE_LOGIN, &session);
}

static void log_out(struct web *web, struct http_request *request)
{
	struct text cookie = web_cookie(http_header(request, "Cookie"), TEXT(DOOR_COOKIE));
	struct web_who who;

	if (door_cookie(&web->door, cookie, now_of(web), &who))
		door_leave(&web->door, &who);
	answer_json(web, request, TEXT("{\"schema\":\"spimend.session/1\",\"kind\":null,\"name\":null,\"expires\":null,\"can_approve\":false}\n"),
		    DOOR_COOKIE "=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict");
}

/* A person's word comes with the person's token in that very request: what a browser sends by itself says nothing. */
static bool check_word(struct web *web, struct http_request *request)
{
	struct text token = web_bearer(http_header(request, "Authorization"));

	if (web_token_is_personal(token))
		return true;
	web_note(web, WEB_WRONG_TOKEN, http_who(request), "an approval without a personal token");
	refuse(web, request, 401, "personal-token",
	       TEXT("approving takes a personal token in the Authorization header of this request: 'spimend token' makes one"));
	return false;
}

/* Prometheus says what it reads; who does not say gets OpenMetrics. */
static bool wants_old_format(const struct http_request *request)
{
	struct text accept = http_header(request, "Accept");

	return text_has(accept, TEXT("text/plain")) && !text_has(accept, TEXT("application/openmetrics-text"));
}

void web_request(void *context, struct http_request *request)
{
	cleanup(buffer_done) struct buffer why = { 0 };
	struct web_ask question = { .question = WEB_SESSION };
	enum web_route route = web_route_of(http_path(request), &question);
	struct web *web = context;
	struct web_who who;

	if (!check_place(web, request, route) || !check_form(web, request, route, question.question))
		return;
	if (route == ROUTE_FILE || route == ROUTE_LOGIN || route == ROUTE_LOGOUT) {
		if (!check_rate(web, request, NULL))
			return;
		if (route == ROUTE_FILE)
			serve_file(web, request);
		else if (route == ROUTE_LOGIN)
			log_in(web, request);
		else
			log_out(web, request);
		return;
	}
	if ((route == ROUTE_ASK && web_is_word(question.question) && !check_word(web, request)) ||
	    !find_who(web, request, &who) ||
	    /* What a stranger made up is one of many: his address counts. */
	    !check_rate(web, request, who.credential == WEB_BY_PERSON && !who.session ? NULL : &who))
		return;
	if (!web_query_read(http_query(request), question.question, &question.filter, &why)) {
		web->counts.counts[WEB_MALFORMED]++;
		refuse(web, request, 400, "request", buffer_text(&why));
		return;
	}
	question.filter.is_old_format = question.question == WEB_METRICS && wants_old_format(request);
	ask(web, request, &who, route == ROUTE_EVENTS ? PURPOSE_STREAM : PURPOSE_ANSWER, &question);
}

/* --- What core answered ----------------------------------------------------------------------------------------------- */

static void let_in(struct web *web, const struct web_pending *pending)
{
	char value[WEB_TOKEN_TEXT_MAX], cookie[COOKIE_MAX];

	if (!door_enter(&web->door, &pending->who, now_of(web), value)) {
		busy(web, pending->request);
		return;
	}
	snprintf(cookie, sizeof(cookie), DOOR_COOKIE "=%s; Max-Age=%lld; Path=/; HttpOnly; SameSite=Strict", value,
		 (long long)(DOOR_SESSION_NS / SECOND_NS));
	answer_json(web, pending->request, buffer_text(&pending->answer), cookie);
}

static void add_hello(const struct web *web, struct buffer *out)
{
	cleanup(buffer_done) struct buffer at = { 0 };
	struct timespec wall;
	struct json j;

	clock_gettime(CLOCK_REALTIME, &wall);
	calendar_print(&at, (struct instant){ (int64_t)wall.tv_sec * SECOND_NS + wall.tv_nsec });
	json_init(&j, out);
	json_object(&j, NULL);
	json_string(&j, "schema", "spimend.hello/1");
	json_string(&j, "version", SPIMEND_VERSION);
	json_string(&j, "hostname", web->member->config->hostname);
	json_text(&j, "now", buffer_text(&at));
	json_object_end(&j);
}

static void begin_stream(struct web *web, const struct web_pending *pending)
{
	cleanup(buffer_done) struct buffer hello = { 0 };
	uint64_t session = door_serial(&web->door, &pending->who);
	int64_t now = now_of(web);

	if (pending->who.session && !session) { /* logged out, while core was asked */
		refuse(web, pending->request, 401, "token", TEXT("that session is over: log in"));
		return;
	}
	for (size_t i = 0; i < HTTP_STREAMS_MAX; i++) {
		struct web_streamer *s = &web->streamers[i];

		if (s->mark)
			continue;
		if (!http_stream(pending->request, pending->number, now))
			break;
		*s = (struct web_streamer){ .mark = pending->number, .session = session,
					    .until = now + WEB_STREAM_NS, .beat = now + WEB_BEAT_NS };
		web->counts.counts[WEB_ANSWERED]++;
		web_tell_counts(web); /* from now on news are wanted */
		add_hello(web, &hello);
		http_event(web->http, s->mark, "hello", buffer_text(&hello));
		return;
	}
	busy(web, pending->request);
}

void web_stream_over(void *context, uint64_t mark)
{
	struct web *web = context;

	for (size_t i = 0; i < HTTP_STREAMS_MAX; i++)
		if (web->streamers[i].mark == mark)
			memset(&web->streamers[i], 0, sizeof(web->streamers[i]));
}

static void refused_by_core(struct web *web, struct web_pending *pending, const struct web_part *part)
{
	if (part->status == 401 && web_is_word(pending->question)) {
		web_note(web, WEB_WRONG_TOKEN, http_who(pending->request), "an approval with a wrong personal token");
		refuse(web, pending->request, 401, "personal-token", TEXT("that personal token is wrong, or has expired: 'spimend token' makes one"));
	} else if (part->status == 401) {
		wrong_token(web, pending->request, "a wrong personal token");
		if (pending->who.session) /* its person's token expired: so did the session */
			door_leave(&web->door, &pending->who);
	} else {
		if (web_is_word(pending->question))
			web_note(web, WEB_REFUSED_WORD, http_who(pending->request), "an approval or denial that was not taken");
		else
			web->counts.counts[part->status == 503 ? WEB_BUSY : WEB_MALFORMED]++;
		refuse(web, pending->request, part->status, part->error, buffer_text(&pending->answer));
	}
}

void web_finish(struct web *web, struct web_pending *pending, const struct web_part *part)
{
	struct http_answer metrics = { .status = 200, .type = METRICS, .cache = "no-store", .body = buffer_text(&pending->answer) };

	if (pending->purpose == PURPOSE_COUNTERS) {
		if (part->status == 200)
			http_event(web->http, 0, "counters", text_trim(buffer_text(&pending->answer)));
		return;
	}
	if (part->status != 200)
		refused_by_core(web, pending, part);
	else if (pending->purpose == PURPOSE_LOGIN)
		let_in(web, pending);
	else if (pending->purpose == PURPOSE_STREAM)
		begin_stream(web, pending);
	else if (pending->question == WEB_METRICS) {
		if (wants_old_format(pending->request))
			metrics.type = OLD_METRICS;
		answer(web, pending->request, &metrics);
	}
	else
		answer_json(web, pending->request, buffer_text(&pending->answer), NULL);
}

void web_give_up(struct web *web, struct web_pending *pending, bool is_late)
{
	if (!pending->request)
		return;
	if (!is_late) {
		busy(web, pending->request);
		return;
	}
	web_note(web, WEB_LATE, http_who(pending->request), "a request that core did not answer");
	refuse(web, pending->request, 504, "late", TEXT("the daemon's mind did not answer in time"));
}
