/* SPDX-License-Identifier: MIT */
/*
 * The fleet's mind on a pipe, for tests/fleet/run.py: its orders go out as the lines that would be typed, and what a device
 * prints comes back and is read by the parse room, as sense will do it.
 *
 *   mind NAME PLATFORM ADDRESS ...                  the devices, sorted by name; ADDRESS is where their tunnels end
 *   T MILLISECONDS                                  time passes
 *   S DEVICE SRC DST SPI                            it says that packets come which it has no SA for
 *   A REQUEST REFUSED LENGTH, then so many bytes    what the device printed
 *   Y ID STEP                                       a person agrees
 *   C DEVICE PEER                                   may a clear be typed there?
 *   D DEVICE ADDRESS                                one of its interfaces has it
 *   U STEP                                          from now on nobody is asked before that step
 *   I                                               the latest incident, as JSON
 * Each is answered by lines and a "." alone: "O request device command", "N notice", "R what came of it", "J {...}".
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "fleet/fleet.h"
#include "parse/device_output.h"
#include "record/fleet_incident.h"

#define REMEMBERED 64

struct mind {
	struct fleet *fleet;
	struct config *config;
	struct moment now;
	struct device_order orders[REMEMBERED];
	size_t order_count;
	struct fleet_output_end end; /* of the answer that is being read */
};

static void begin(void *context, enum saved_output output, uint32_t line, const struct saved_filter *filter)
{
	struct mind *mind = context;

	(void)output;
	(void)line;
	(void)filter;
	mind->end.known = true;
}

static void record(void *context, const struct saved_record *record)
{
	struct mind *mind = context;
	struct device_row row;

	if (record->reason)
		mind->end.bad_rows++;
	else if (record->kind == SAVED_FLOW)
		fleet_sa(mind->fleet, mind->end.request, &record->flow);
	else if (device_row_of(record, &row))
		fleet_row(mind->fleet, mind->end.request, &row);
}

static void end(void *context, enum saved_output output, bool cut)
{
	struct mind *mind = context;

	(void)output;
	mind->end.cut |= cut;
}

static void trouble(void *context, const struct device_trouble *trouble)
{
	(void)context;
	printf("R line %u: %s\n", trouble->line, trouble->reason);
}

static void read_output(struct mind *mind, const struct device_order *order, struct text bytes)
{
	struct device_sink sink = { .context = mind, .begin = begin, .record = record, .end = end, .trouble = trouble };
	struct buffer command cleanup(buffer_done) = { 0 };
	struct device_output *reader = NULL;

	mind->end = (struct fleet_output_end){ .request = order->request };
	if (device_verb_changes(order->verb) || device_output_new(&sink, "", &reader) < 0)
		return;
	device_command(order, mind->config->devices.at[order->device].platform, &command);
	mind->end.known = device_output_command(reader, buffer_text(&command));
	device_output_feed(reader, bytes);
	device_output_end(reader, false);
	device_output_free(reader);
}

static void answer(struct mind *mind, uint64_t request, bool refused, size_t len)
{
	struct device_result result = { .request = request, .outcome = refused ? DEVICE_REFUSED : DEVICE_DONE, .typed = true };
	char *bytes cleanup(memory_free_pointer) = memory_new(1, len + 1);

	if (!bytes || fread(bytes, 1, len, stdin) != len)
		exit(2);
	for (size_t i = 0; i < mind->order_count && i < REMEMBERED; i++)
		if (mind->orders[i].request == request)
			read_output(mind, &mind->orders[i], (struct text){ bytes, len });
	fleet_result(mind->fleet, &result, mind->now);
	fleet_output_end(mind->fleet, &mind->end, mind->now);
}

static struct spimend_address address_of(const char *text)
{
	struct spimend_address address = { 0 };

	if (spimend_address_parse(text, strlen(text), &address) < 0)
		exit(2);
	return address;
}

static void print_incident(const struct mind *mind)
{
	const struct fleet_incident *is = NULL;
	struct buffer json cleanup(buffer_done) = { 0 };

	for (size_t i = 0; fleet_at(mind->fleet, i); i++)
		is = fleet_at(mind->fleet, i);
	if (!is)
		return;
	record_fleet_json(is, mind->config->mode, false, &json);
	printf("J %.*s", TEXT_ARG(buffer_text(&json)));
}

static void drain(struct mind *mind)
{
	struct fleet_output out;

	while (fleet_next(mind->fleet, &out)) {
		struct buffer command cleanup(buffer_done) = { 0 };

		if (out.kind == FLEET_NOTICE)
			printf("N %s\n", out.notice.text);
		if (out.kind != FLEET_ORDER)
			continue;
		if (!device_valid_order(&out.order) ||
		    !device_command(&out.order, mind->config->devices.at[out.order.device].platform, &command))
			exit(3);
		mind->orders[mind->order_count++ % REMEMBERED] = out.order;
		printf("O %" PRIu64 " %s %.*s\n", out.order.request, mind->config->devices.at[out.order.device].name,
		       TEXT_ARG(buffer_text(&command)));
	}
	puts(".");
	fflush(stdout);
}

static void let_go(struct mind *mind, const char *name)
{
	struct sdwan_approval *approval = &mind->config->devices.usual_approval;

	for (int step = 0; step < SDWAN_STEPS; step++) {
		if (strcmp(name, sdwan_step_name((enum sdwan_step)step)) != 0)
			continue;
		approval->told |= (uint8_t)(1u << step);
		approval->unattended |= (uint8_t)(1u << step);
	}
	if (fleet_reconfigure(mind->fleet, mind->config, mind->now) < 0)
		exit(2);
}

static void obey(struct mind *mind, const char *line)
{
	char one[64], two[64], three[64];
	struct buffer why cleanup(buffer_done) = { 0 };
	uint64_t number, len;
	uint32_t spi, step;
	int refused;

	if (sscanf(line, "T %" SCNu64, &number) == 1) {
		mind->now.mono_ns += (int64_t)number * 1000000;
		mind->now.wall.ns += (int64_t)number * 1000000;
		fleet_tick(mind->fleet, mind->now);
	} else if (sscanf(line, "S %63s %63s %63s %" SCNu32, one, two, three, &spi) == 4) {
		struct fleet_sighting s = { .device = (uint32_t)device_find(&mind->config->devices, text_of(one)),
					    .src = address_of(two), .dst = address_of(three), .protocol = SPIMEND_PROTOCOL_ESP,
					    .spi = { spi }, .messages = 1 };

		printf("R %s\n", fleet_taken_name(fleet_sighting(mind->fleet, &s, mind->now)));
	} else if (sscanf(line, "A %" SCNu64 " %d %" SCNu64, &number, &refused, &len) == 3) {
		answer(mind, number, refused, len);
	} else if (sscanf(line, "Y %63s %" SCNu32, one, &step) == 2) {
		printf("R %s\n", fleet_approve(mind->fleet, one, step, "alice", mind->now, &why) ? "agreed" : "not agreed");
	} else if (sscanf(line, "C %63s %63s", one, two) == 2) {
		struct spimend_address peer = address_of(two);
		bool may = fleet_may_clear(mind->fleet, (uint32_t)device_find(&mind->config->devices, text_of(one)), &peer,
					   mind->now, &why);

		printf("R %s%.*s\n", may ? "yes" : "no: ", TEXT_ARG(buffer_text(&why)));
	} else if (sscanf(line, "D %63s %63s", one, two) == 2) {
		struct spimend_address address = address_of(two);

		fleet_address(mind->fleet, (uint32_t)device_find(&mind->config->devices, text_of(one)), &address);
	} else if (sscanf(line, "U %63s", one) == 1) {
		let_go(mind, one);
	} else if (line[0] == 'I') {
		print_incident(mind);
	}
	drain(mind);
}

static enum platform platform_of(const char *name)
{
	enum platform platform = PLATFORM_UNKNOWN;

	while (platform < PLATFORMS && strcmp(platform_name(platform), name) != 0)
		platform++;
	return platform == PLATFORMS ? PLATFORM_UNKNOWN : platform;
}

int main(int count, char **words)
{
	static const struct hash_key key = { 7, 11 };
	struct mind mind = { .now = { 1000 * SECOND_NS, { INT64_C(1756800000000000000) } } };
	char line[256];

	mind.config = memory_new(1, sizeof(*mind.config));
	if (!mind.config)
		return 2;
	config_default(mind.config);
	mind.config->mode = MODE_REPAIR;
	mind.config->devices.login_count = 1;
	strcpy(mind.config->devices.logins[0].user, "netops");
	strcpy(mind.config->devices.logins[0].key_file, "/etc/spimend/id");
	for (int i = 1; i + 2 < count; i += 3) {
		struct config_device *d = &mind.config->devices.at[mind.config->devices.count++];

		*d = (struct config_device){ .address = address_of(words[i + 2]), .port = 22, .login = 1,
					     .platform = platform_of(words[i + 1]), .may_repair = true };
		text_copy(text_of(words[i]), d->name, sizeof(d->name));
	}
	if (fleet_new(mind.config, NULL, &key, 1, mind.now, &mind.fleet) < 0)
		return 2;
	while (fgets(line, sizeof(line), stdin))
		obey(&mind, line);
	fleet_free(mind.fleet);
	memory_free(mind.config);
	return 0;
}
