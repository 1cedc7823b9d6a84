/* SPDX-License-Identifier: MIT */
#include "cmd/live_devices.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "parse/flat_json.h"

#define LISTING "show spimend devices | json"

void live_devices_done(struct live_devices *devices)
{
	memory_free(devices->at);
	*devices = (struct live_devices){ .at = NULL };
}

static int refuse(const char *what)
{
	fprintf(stderr, "spimend audit: %s\n", what);
	return -1;
}

static bool is_string(const struct flat_json_member *member)
{
	return member && member->type == FLAT_STRING;
}

static bool read_device(struct text line, struct live_device *ret)
{
	struct flat_json object;
	const struct flat_json_member *name, *platform;

	if (flat_json_read(line, &object) < 0)
		return false;
	name = flat_json_find(&object, "name");
	platform = flat_json_find(&object, "platform");
	if (!is_string(name) || !name->text[0] || strlen(name->text) >= sizeof(ret->name))
		return false;
	*ret = (struct live_device){ .has_login = is_string(flat_json_find(&object, "user")) };
	ret->is_sdwan = is_string(platform) && strcmp(platform->text, platform_name(PLATFORM_SDWAN)) == 0;
	text_copy(text_of(name->text), ret->name, sizeof(ret->name));
	return true;
}

static int read_listing(struct text listing, struct live_devices *ret)
{
	struct text line;

	ret->at = memory_new(DEVICES_MAX, sizeof(*ret->at));
	if (!ret->at)
		return refuse("memory is out");
	while (text_take_line(&listing, &line)) {
		if (ret->count == DEVICES_MAX || !read_device(line, &ret->at[ret->count]))
			return refuse("the daemon's list of its devices cannot be read");
		ret->count++;
	}
	return 0;
}

/* Leaves those that are named, each once. */
static int choose(struct live_devices *devices, char *const *names, uint32_t name_count)
{
	uint32_t kept = 0;

	for (uint32_t n = 0; n < name_count; n++) {
		uint32_t at = 0;

		while (at < devices->count && strcmp(devices->at[at].name, names[n]) != 0)
			at++;
		if (at == devices->count) {
			fprintf(stderr, "spimend audit: no device '%s' is configured\n", names[n]);
			return -1;
		}
		if (at >= kept) { /* else it was named before */
			struct live_device device = devices->at[at];

			devices->at[at] = devices->at[kept];
			devices->at[kept++] = device;
		}
	}
	devices->count = kept;
	return 0;
}

int live_devices_ask(struct session *session, char *const *names, uint32_t name_count, struct live_devices *ret)
{
	cleanup(buffer_done) struct buffer out = { 0 };
	int r = session_ask(session, CONTROL_RUN, TEXT(LISTING), &out);

	if (r < 0)
		return r;
	if (session->was_lost || session->is_refused)
		return refuse("the daemon does not tell its devices");
	r = read_listing(buffer_text(&out), ret);
	if (r < 0)
		return r;
	if (name_count)
		return choose(ret, names, name_count);
	return ret->count ? 0 : refuse("no device is configured: see 'device' in spimend.conf(5)");
}
