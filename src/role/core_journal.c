/* SPDX-License-Identifier: MIT */
/* Devices' journals: what was typed on each and by whose word. */
#include <errno.h>
#include <stdio.h>

#include "base/json.h"
#include "base/memory.h"
#include "role/core_role.h"
#include "spimend/error.h"

void mind_journal_init(struct mind *mind)
{
	char directory[CONFIG_PATH_MAX + sizeof("/" MEMBER_CORE_DIRECTORY)];

	snprintf(directory, sizeof(directory), "%s/" MEMBER_CORE_DIRECTORY, mind->member->config->state_directory);
	if (device_journal_init(&mind->journal, directory) < 0)
		log_say(&mind->member->log, LOG_ERR, "%s: too long for the devices' journals", directory);
}

void mind_journal(struct mind *mind, const char *device, struct instant wall, struct text line)
{
	int before = mind->journal.trouble, r = device_journal_add(&mind->journal, device, wall, line);

	if (r < 0)
		snprintf(mind->device_note, sizeof(mind->device_note), "the journal of a device could not be written %llu times: %s",
			 (unsigned long long)mind->journal.lost, spimend_strerror(r));
	if (r < 0 && r != before)
		log_say(&mind->member->log, LOG_ERR, "the journal of device %s cannot be written: %s; work goes on without it", device,
			spimend_strerror(r));
	else if (r == 0 && before < 0)
		log_say(&mind->member->log, LOG_NOTICE, "the journals of devices can be written again");
	if (r == 0)
		mind->device_note[0] = '\0';
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
