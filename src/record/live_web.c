/* SPDX-License-Identifier: MIT */
#include "record/live_web.h"

#include <inttypes.h>
#include <stdio.h>

#include "spimend/error.h"

#define PLACE_MAX (WEB_PATH_MAX + 64)

static const char *place_of(const struct web_listener *l, char to[PLACE_MAX])
{
	char address[SPIMEND_ADDRESS_TEXT_MAX];

	if (l->path[0])
		snprintf(to, PLACE_MAX, "%s", l->path);
	else
		snprintf(to, PLACE_MAX, l->address.family == 6 ? "http://[%s]:%u" : "http://%s:%u",
			 spimend_address_print(&l->address, address), l->port);
	return to;
}

static uint64_t refused(const struct web_counts *c)
{
	return c->counts[WEB_WRONG_TOKEN] + c->counts[WEB_WRONG_HOST] + c->counts[WEB_WRONG_ORIGIN];
}

void live_web_text(const struct live_web *web, const struct config_web *config, struct buffer *out)
{
	const struct web_counts *c;
	char place[PLACE_MAX];

	if (!web || !web_is_wanted(config))
		return;
	c = web->counts;
	for (uint32_t i = 0; i < config->listener_count; i++)
		buffer_printf(out, "  %-11s%s\n", i ? "" : "page", place_of(&config->listeners[i], place));
	buffer_printf(out, "  %-11s%" PRIu32 " connection%s, %" PRIu32 " session%s, %" PRIu32 " stream%s; %" PRIu64 " requests answered, %" PRIu64
			   " refused, %" PRIu64 " too often\n", "", c->connections, text_plural(c->connections), c->sessions,
		      text_plural(c->sessions), c->streams, text_plural(c->streams), c->counts[WEB_ANSWERED], refused(c),
		      c->counts[WEB_RATE_LIMITED]);
}

void live_web_troubles(const struct live_web *web, const struct config_web *config, struct buffer *out)
{
	char place[PLACE_MAX];

	for (uint32_t i = 0; web && i < config->listener_count; i++)
		if (web->errors[i])
			buffer_printf(out, "the page cannot be served at %s: %s\n", place_of(&config->listeners[i], place),
				      spimend_strerror(web->errors[i]));
}

void live_web_json(const struct live_web *web, const struct config_web *config, struct json *j)
{
	char place[PLACE_MAX];

	if (!web || !web_is_wanted(config)) {
		json_null(j, "web");
		return;
	}
	json_object(j, "web");
	json_bool(j, "up", web->is_there);
	json_array(j, "listeners");
	for (uint32_t i = 0; i < config->listener_count; i++) {
		json_object(j, NULL);
		json_string(j, "at", place_of(&config->listeners[i], place));
		json_string(j, "error", web->errors[i] ? spimend_strerror(web->errors[i]) : NULL);
		json_object_end(j);
	}
	json_array_end(j);
	json_unsigned(j, "connections", web->counts->connections);
	json_unsigned(j, "sessions", web->counts->sessions);
	json_unsigned(j, "streams", web->counts->streams);
	json_object(j, "requests");
	for (int i = 0; i < WEB_COUNTS; i++)
		json_unsigned(j, web_count_name((enum web_count)i), web->counts->counts[i]);
	json_object_end(j);
	json_object_end(j);
}
