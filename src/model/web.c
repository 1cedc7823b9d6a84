/* SPDX-License-Identifier: MIT */
#include "model/web.h"

#include "base/memory.h"

const char *web_count_name(enum web_count count)
{
	static const char *const names[WEB_COUNTS] = {
		"answered", "wrong-token", "wrong-host", "wrong-origin", "malformed", "rate-limited", "busy", "late", "refused-word",
		"too-many", "timed-out", "lost-news",
	};

	return (unsigned)count < WEB_COUNTS ? names[count] : "?";
}

const char *tunnel_health_name(enum tunnel_health health)
{
	static const char *const names[TUNNEL_HEALTHS] = { "incident", "down", "stale", "suspect", "idle", "ok" };

	return (unsigned)health < TUNNEL_HEALTHS ? names[health] : "?";
}

const char *web_question_name(enum web_question question)
{
	static const char *const names[WEB_QUESTIONS] = {
		"session", "status", "tunnels", "incidents", "incident", "timeline", "approve", "deny", "history", "applets", "devices",
		"counters", "metrics",
	};

	return (unsigned)question < WEB_QUESTIONS ? names[question] : "?";
}

bool web_is_word(enum web_question question)
{
	return question == WEB_APPROVE || question == WEB_DENY;
}

static bool valid_filter(const struct web_filter *f)
{
	return is_bool(&f->has_verdict) && is_bool(&f->has_cause) && is_bool(&f->has_peer) && is_bool(&f->has_health) &&
	       is_bool(&f->has_since) && is_bool(&f->has_until) && is_bool(&f->oldest_first) && is_bool(&f->by_minute) &&
	       is_bool(&f->is_old_format) &&
	       f->offset <= WEB_OFFSET_MAX && (unsigned)f->verdict <= VERDICT_OTHER_FAULT && (unsigned)f->cause < CAUSE_COUNT &&
	       (unsigned)f->health < TUNNEL_HEALTHS && (unsigned)f->sort < WEB_SORTS &&
	       (f->peer.family == 0 || f->peer.family == 4 || f->peer.family == 6) && text_is_string(f->word, sizeof(f->word));
}

bool web_valid_ask(const struct web_ask *ask)
{
	return ask->number && (unsigned)ask->question < WEB_QUESTIONS && (unsigned)ask->credential < WEB_CREDENTIALS &&
	       valid_filter(&ask->filter) && text_is_string(ask->id, sizeof(ask->id));
}

bool web_valid_part(const struct web_part *part)
{
	return part->number && is_bool(&part->is_last) && part->status >= 200 && part->status < 600 && part->len <= WEB_PART_MAX &&
	       text_is_string(part->error, sizeof(part->error));
}

bool web_valid_news(const struct web_news *news)
{
	return news->len <= WEB_PART_MAX;
}
