/* SPDX-License-Identifier: MIT */
/* Devices' journals, what was done on each and by whose word, and their tapes, the bytes of their sessions. */
#include <errno.h>
#include <stdio.h>

#include "base/json.h"
#include "base/memory.h"
#include "record/device_story.h"
#include "role/core_role.h"
#include "spimend/error.h"

#define AGE_EVERY HOUR_NS

static void on_age(void *context, int64_t now)
{
	struct mind *mind = context;

	(void)now;
	(void)device_journal_expire(&mind->tape, mind_now(mind).wall, DEVICE_TAPE_DAYS); /* no folder: writing will say so */
}

int mind_journal_init(struct mind *mind)
{
	char directory[CONFIG_PATH_MAX + sizeof("/" MEMBER_CORE_DIRECTORY)];
	int r;

	snprintf(directory, sizeof(directory), "%s/" MEMBER_CORE_DIRECTORY, mind->member->config->state_directory);
	if (device_journal_init(&mind->journal, DEVICE_JOURNAL_DEEDS, directory) < 0 ||
	    device_journal_init(&mind->tape, DEVICE_JOURNAL_TAPE, directory) < 0)
		log_say(&mind->member->log, LOG_ERR, "%s: too long for the devices' journals", directory);
	r = loop_add_timer(mind->member->loop, on_age, mind, &mind->age_timer);
	if (r == 0)
		loop_timer_every(mind->age_timer, AGE_EVERY);
	on_age(mind, 0);
	return r;
}

/* Says it when it fails, and when it works again. */
static void note_trouble(struct mind *mind, const struct device_journal *j, int before, int r, const char *device)
{
	const char *what = j == &mind->tape ? "tape" : "journal";

	if (r < 0)
		snprintf(mind->device_note, sizeof(mind->device_note), "the %s of a device could not be written, %llu lines lost: %s", what,
			 (unsigned long long)j->lost, spimend_strerror(r));
	if (r < 0 && r != before)
		log_say(&mind->member->log, LOG_ERR, "the %s of device %s cannot be written: %s; work goes on without it", what, device,
			spimend_strerror(r));
	else if (r == 0 && before < 0)
		log_say(&mind->member->log, LOG_NOTICE, "the %ss of devices can be written again", what);
	if (r == 0 && before < 0)
		mind->device_note[0] = '\0';
}

void mind_journal(struct mind *mind, const char *device, struct instant wall, struct text line)
{
	int before = mind->journal.trouble, r = device_journal_add(&mind->journal, device, wall, line);

	note_trouble(mind, &mind->journal, before, r, device);
}

/* --- Tapes --------------------------------------------------------------------------------------------------------- */

void mind_note_order(struct mind *mind, uint64_t request, const char *incident)
{
	struct mind_order *o = &mind->ordered[request % MIND_ORDERED_MAX];

	o->request = request;
	snprintf(o->incident, sizeof(o->incident), "%s", incident);
}

void mind_tape(struct mind *mind, const struct tape_piece *piece)
{
	const struct config_devices *devices = &mind->member->config->devices;
	const struct mind_order *o = &mind->ordered[piece->request % MIND_ORDERED_MAX];
	char head[INCIDENT_ID_MAX + 16] = "";
	size_t len = 0;
	int before = mind->tape.trouble, r;

	if (piece->device >= devices->count || device_mark(devices, &devices->at[piece->device]) != piece->mark) {
		mind->strange_tapes++; /* the configuration changed while the session ended */
		return;
	}
	if (piece->request && o->request == piece->request)
		len = (size_t)snprintf(head, sizeof(head), "incident %s ", o->incident);
	head[len++] = tape_way_sign(piece->way);
	head[len++] = ' ';
	r = device_journal_add_lines(&mind->tape, devices->at[piece->device].name, piece->at, (struct text){ head, len },
				     (struct text){ piece->bytes, piece->len });
	note_trouble(mind, &mind->tape, before, r, devices->at[piece->device].name);
}

/* --- Reading ------------------------------------------------------------------------------------------------------- */

/* 0, also where nothing is there. */
static int read_all(const struct device_journal *j, const char *device, bool *any, struct buffer *out)
{
	int r = device_journal_read(j, device, SIZE_MAX, out);

	*any = *any || r == 0;
	return r == -ENOENT ? 0 : r;
}

int mind_tell_story(struct mind *mind, const struct control_request *request, struct buffer *out)
{
	cleanup(buffer_done) struct buffer deeds = { 0 }, tape = { 0 };
	struct device_story story = { .device = request->device, .incident = text_of(request->id) };
	bool any = device_find(&mind->exec.running->devices, text_of(request->device)) >= 0;
	int r = read_all(&mind->journal, request->device, &any, &deeds);

	if (r == 0)
		r = read_all(&mind->tape, request->device, &any, &tape);
	if (r < 0 && r != -EINVAL) {
		buffer_printf(out, "the journal of %s cannot be read: %s", request->device, spimend_strerror(r));
		return CONTROL_REFUSED;
	}
	if (!any) {
		buffer_printf(out, "no device '%s' is configured, and none of that name has a journal", request->device);
		return CONTROL_REFUSED;
	}
	story.deeds = buffer_text(&deeds);
	story.tape = buffer_text(&tape);
	if (request->json)
		device_story_json(&story, out);
	else if (device_story_text(&story, out) == 0)
		buffer_printf(out, "Nothing was done on %s%s%s yet.\n", request->device, request->id[0] ? " for incident " : "", request->id);
	return 0;
}

static void put_lines(const char *device, struct text lines, struct buffer *out)
{
	struct text line;
	struct json j;

	json_init(&j, out);
	json_object(&j, NULL);
	json_string(&j, "schema", "spimend.device-journal/1");
	json_string(&j, "device", device);
	json_array(&j, "lines");
	while (text_take_line(&lines, &line))
		json_text(&j, NULL, line);
	json_array_end(&j);
	json_object_end(&j);
	buffer_add_char(out, '\n');
}

int mind_read_journal(void *context, struct text device, bool json, struct buffer *out, struct buffer *why)
{
	cleanup(buffer_done) struct buffer lines = { 0 };
	struct mind *mind = context;
	char name[DEVICE_NAME_MAX] = "";
	int r = -EINVAL;

	if (device.len < sizeof(name)) {
		text_copy(device, name, sizeof(name));
		r = device_journal_read(&mind->journal, name, DEVICE_JOURNAL_TAIL_MAX, &lines);
	}
	if (r == -ENOENT && device_find(&mind->exec.running->devices, device) >= 0)
		r = 0; /* nothing was done on it yet */
	if (r == -ENOENT || r == -EINVAL) {
		buffer_printf(why, "no device '%.*s' is configured, and none of that name has a journal", TEXT_ARG(text_first(device, 64)));
		return r;
	}
	if (r < 0) {
		buffer_printf(why, "the journal of %s cannot be read: %s", name, spimend_strerror(r));
		return r;
	}
	if (json)
		put_lines(name, buffer_text(&lines), out);
	else if (lines.len)
		buffer_add(out, buffer_text(&lines));
	else
		buffer_printf(out, "Nothing was done on %s yet.\n", name);
	return 0;
}
