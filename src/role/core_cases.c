/* SPDX-License-Identifier: MIT */
#include "role/core_cases.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/memory.h"
#include "record/live_rows.h"
#include "role/core_role.h"
#include "spimend/error.h"


#define SURVEY_WITHIN (30 * SECOND_NS)

/* --- Who says so --------------------------------------------------------------------------------------------------- */

static int compare_places(const void *a, const void *b)
{
	return spimend_address_compare(&((const struct case_place *)a)->address, &((const struct case_place *)b)->address);
}

static int list_places(struct mind_cases *c, const struct config_devices *devices)
{
	struct case_place *places = memory_new(devices->count ? devices->count : 1, sizeof(*places));
	uint32_t count = 0;

	if (!places)
		return -ENOMEM;
	for (uint32_t i = 0; i < devices->count; i++)
		if (spimend_address_known(&devices->at[i].address))
			places[count++] = (struct case_place){ devices->at[i].address, i };
	qsort(places, count, sizeof(*places), compare_places);
	memory_free(c->places);
	c->places = places;
	c->place_count = count;
	return 0;
}

/* By whom it was sent, never by what it says. */
static const struct case_place *place_of(const struct mind_cases *c, const struct spimend_address *source)
{
	struct case_place key = { .address = *source };

	return bsearch(&key, c->places, c->place_count, sizeof(key), compare_places);
}

const char *mind_cases_device_of(const struct mind *mind, const struct spimend_address *source)
{
	const struct case_place *place = mind->cases.fleet ? place_of(&mind->cases, source) : NULL;

	return place ? mind->member->config->devices.at[place->device].name : NULL;
}

static void sighted(struct mind *mind, const struct spimend_address *source, struct fleet_sighting *sighting)
{
	struct mind_cases *c = &mind->cases;
	const struct case_place *place = place_of(c, source);

	if (!place) {
		c->strangers++;
		return;
	}
	sighting->device = place->device;
	(void)fleet_sighting(c->fleet, sighting, mind_now(mind)); /* what it refuses it counts */
	mind_cases_settle(mind);
}

void mind_cases_claim(struct mind *mind, const struct syslog_claim *claim)
{
	const struct case_place *place = mind->cases.fleet ? place_of(&mind->cases, &claim->source) : NULL;
	const struct fact *f = &claim->fact;
	struct fleet_sighting sighting = { .src = f->src, .dst = f->dst, .spi = f->spi, .messages = f->count };

	if (!mind->cases.fleet)
		return;
	if (place)
		mind_eem_device_line(mind, mind->member->config->devices.at[place->device].name, text_of(claim->text));
	if (f->kind != FACT_STRAY || !(f->has & FACT_HAS_SPI))
		return;
	sighting.protocol = f->protocol == SPIMEND_PROTOCOL_AH ? SPIMEND_PROTOCOL_AH : SPIMEND_PROTOCOL_ESP;
	memcpy(sighting.interface, f->interface, sizeof(sighting.interface));
	sighted(mind, &claim->source, &sighting);
}

void mind_cases_report(struct mind *mind, const struct device_report *report)
{
	struct fleet_sighting sighting = { .src = report->src, .dst = report->dst, .spi = { report->spi }, .messages = 1,
					   .protocol = report->protocol ? report->protocol : SPIMEND_PROTOCOL_ESP };

	if (mind->cases.fleet && report->kind == REPORT_BAD_SPI && report->has_spi)
		sighted(mind, &report->device, &sighting);
}

/* Anew, with other devices. */
static int begin_survey(struct mind *mind)
{
	survey_free(mind->cases.survey);
	mind->cases.survey = NULL;
	return survey_new(&mind->member->config->devices, mind_now(mind).mono_ns, &mind->cases.survey);
}

/* --- What came back ------------------------------------------------------------------------------------------------ */

static bool is_surveys(uint64_t request)
{
	return request >= MIND_SURVEY_FIRST && request < MIND_ASKED_FIRST;
}

/* A survey's request is a device and a question. */
static uint64_t survey_request(uint32_t device, enum survey_question question)
{
	return MIND_SURVEY_FIRST + (uint64_t)device * SURVEY_QUESTIONS + (unsigned)question;
}

static uint32_t surveyed_device(uint64_t request)
{
	return (uint32_t)((request - MIND_SURVEY_FIRST) / SURVEY_QUESTIONS);
}

static enum survey_question surveyed_question(uint64_t request)
{
	return (enum survey_question)((request - MIND_SURVEY_FIRST) % SURVEY_QUESTIONS);
}

bool mind_cases_result(struct mind *mind, const struct device_result *result)
{
	mind_record_result(mind, result);
	if (!mind->cases.fleet || result->request >= MIND_ASKED_FIRST)
		return false;
	if (is_surveys(result->request)) {
		survey_told(mind->cases.survey, surveyed_device(result->request), surveyed_question(result->request),
			    result->outcome == DEVICE_DONE, mind_now(mind).mono_ns);
		mind_cases_settle(mind);
		return true;
	}
	fleet_result(mind->cases.fleet, result, mind_now(mind));
	mind_cases_settle(mind);
	return true;
}

bool mind_cases_printed(struct mind *mind, const struct device_printed *printed)
{
	struct fleet_output_end end = { .request = printed->request, .known = printed->known, .paged = printed->paged,
					.cut = printed->cut, .bad_rows = printed->bad_rows };

	mind_record_printed(mind, printed);
	if (!mind->cases.fleet || printed->request >= MIND_ASKED_FIRST)
		return false;
	if (printed->last && !is_surveys(printed->request)) {
		fleet_output_end(mind->cases.fleet, &end, mind_now(mind));
		mind_cases_settle(mind);
	}
	return true;
}

void mind_cases_sa(struct mind *mind, const struct role_device_sa *sa)
{
	uint32_t device;

	if (!mind->cases.fleet)
		return;
	if (sa->request < MIND_SURVEY_FIRST)
		fleet_sa(mind->cases.fleet, sa->request, &sa->block);
	else if (mind_asked_device(mind, sa->request, &device)) /* a person looked: what there is to learn is learned */
		fleet_learn(mind->cases.fleet, device, &sa->block, mind_now(mind));
}

void mind_cases_row(struct mind *mind, const struct role_device_row *row)
{
	if (!mind->cases.fleet)
		return;
	if (is_surveys(row->request) && row->row.kind == ROW_ADDRESS)
		fleet_address(mind->cases.fleet, surveyed_device(row->request), &row->row.local);
	else if (is_surveys(row->request) && row->row.kind == ROW_SITE)
		fleet_site(mind->cases.fleet, surveyed_device(row->request), (uint32_t)row->row.count);
	else if (row->request < MIND_SURVEY_FIRST)
		fleet_row(mind->cases.fleet, row->request, &row->row);
}

void mind_cases_lost(struct mind *mind)
{
	if (!mind->cases.fleet)
		return;
	fleet_lost(mind->cases.fleet, mind_now(mind));
	survey_lost(mind->cases.survey, mind_now(mind).mono_ns);
	mind_cases_settle(mind);
}

/* --- What it wants ------------------------------------------------------------------------------------------------- */

static void refuse(struct mind *mind, const struct device_order *order, const char *why)
{
	struct device_result result = { .request = order->request, .outcome = DEVICE_LOST };

	snprintf(result.why, sizeof(result.why), "%s", why);
	fleet_result(mind->cases.fleet, &result, mind_now(mind));
}

static void note_order(struct mind *mind, const struct device_order *order)
{
	const struct config_devices *devices = &mind->member->config->devices;
	cleanup(buffer_done) struct buffer typed = { 0 };

	if (order->device >= devices->count || !device_command(order, devices->at[order->device].platform, &typed))
		return;
	buffer_add_char(&typed, '\0');
	if (!typed.failed)
		mind_record_typed(mind, order->request, order->device, NULL, typed.bytes);
}

/* An incident is on disk before the order that it led to goes out: whatever happens then, nothing is typed twice. */
static void order(struct mind *mind, const struct device_order *order, const char *incident)
{
	mind_note_order(mind, order->request, incident);
	if (device_verb_changes(order->verb)) {
		if (mind->store)
			mind_flush(mind);
		if (!mind->store || mind->store_trouble) {
			refuse(mind, order, "the store cannot be written");
			return;
		}
	}
	note_order(mind, order);
	if (channel_send(mind->devices.ssh, MESSAGE_DEVICE_ORDER, order) < 0)
		refuse(mind, order, "the role ssh is not here");
}

static void carry_out(struct mind *mind, const struct fleet_output *output)
{
	switch (output->kind) {
	case FLEET_KEEP:
		mind_keep_case(mind, output->incident);
		break;
	case FLEET_JOURNAL:
		mind_journal(mind, mind->member->config->devices.at[output->journal.device].name, output->journal.at,
			     text_of(output->journal.text));
		break;
	case FLEET_ORDER:
		order(mind, &output->order, output->of);
		break;
	case FLEET_NOTICE:
		log_say(&mind->member->log, output->notice.severity, "%s", output->notice.text);
		break;
	}
}

static bool drain(struct mind *mind)
{
	struct fleet_output output;
	bool any = false;

	for (; fleet_next(mind->cases.fleet, &output); any = true)
		carry_out(mind, &output);
	return any;
}

/* Who is to be asked now, one after another. Returns when to look again. */
static int64_t survey(struct mind *mind)
{
	static const enum device_verb verbs[SURVEY_QUESTIONS] = { [SURVEY_ADDRESSES] = DEVICE_SHOW_ADDRESSES,
								  [SURVEY_SITE] = DEVICE_SHOW_SITE };
	const struct config_devices *devices = &mind->member->config->devices;
	int64_t now = mind_now(mind).mono_ns, due;
	enum survey_question question;
	uint32_t device;

	while (survey_next(mind->cases.survey, now, &device, &question, &due)) {
		struct device_order order;

		memset(&order, 0, sizeof(order));
		order.request = survey_request(device, question);
		order.device = device;
		order.mark = device_mark(devices, &devices->at[device]);
		order.verb = verbs[question];
		order.within_ns = SURVEY_WITHIN;
		if (channel_send(mind->devices.ssh, MESSAGE_DEVICE_ORDER, &order) < 0)
			survey_told(mind->cases.survey, device, question, false, now);
	}
	return due;
}

void mind_cases_settle(struct mind *mind)
{
	struct mind_cases *c = &mind->cases;
	int64_t due, survey_due;

	if (!c->fleet)
		return;
	drain(mind);
	do /* what time brings may want something at once */
		due = fleet_tick(c->fleet, mind_now(mind));
	while (drain(mind));
	survey_due = survey(mind);
	loop_timer_at(c->timer, due < survey_due ? due : survey_due);
}

static void on_timer(void *context, int64_t now)
{
	(void)now;
	mind_cases_settle(context);
}

/* --- Life ---------------------------------------------------------------------------------------------------------- */

static void restore_one(void *context, const struct fleet_incident *incident)
{
	struct mind *mind = context;
	struct incident_row row;

	live_row_of_case(incident, &row);
	mind_hook_restored(mind, &row);
	fleet_restore(mind->cases.fleet, incident, mind_now(mind));
}

static int begin(struct mind *mind)
{
	struct mind_cases *c = &mind->cases;
	struct fleet_settings settings;
	struct hash_key key;
	uint64_t first;
	int r = 0;

	fleet_settings_of(mind->member->config, &settings);
	if (getrandom(&key, sizeof(key), 0) != (ssize_t)sizeof(key) ||
	    getrandom(&first, sizeof(first), 0) != (ssize_t)sizeof(first))
		return -EIO;
	if (!c->timer)
		r = loop_add_timer(mind->member->loop, on_timer, mind, &c->timer);
	if (r == 0) /* an answer to the core before this one is none to us */
		r = fleet_new(mind->member->config, &settings, &key, first % (MIND_SURVEY_FIRST / 2) + 1, mind_now(mind), &c->fleet);
	if (r == 0 && mind->store && store_restore_cases(mind->store, restore_one, mind) < 0)
		log_say(&mind->member->log, LOG_ERR, "the incidents of the devices could not be read to their end");
	return r;
}

static int change(struct mind *mind)
{
	struct fleet_settings settings;

	fleet_settings_of(mind->member->config, &settings);
	fleet_set(mind->cases.fleet, &settings);
	return fleet_reconfigure(mind->cases.fleet, mind->member->config, mind_now(mind));
}

int mind_cases_configure(struct mind *mind)
{
	const struct config_devices *devices = &mind->member->config->devices;
	int r;

	if (devices->count == 0) {
		mind_cases_done(mind);
		return 0;
	}
	r = list_places(&mind->cases, devices);
	if (r == 0)
		r = mind->cases.fleet ? change(mind) : begin(mind);
	if (r == 0)
		r = begin_survey(mind);
	if (r == 0)
		mind_cases_settle(mind);
	return r;
}

void mind_cases_done(struct mind *mind)
{
	fleet_free(mind->cases.fleet);
	survey_free(mind->cases.survey);
	mind->cases.fleet = NULL;
	mind->cases.survey = NULL;
	memory_free(mind->cases.places);
	mind->cases.places = NULL;
	mind->cases.place_count = 0;
}
