/* SPDX-License-Identifier: MIT */
#include "fleet/survey.h"

#include <errno.h>

#include "base/memory.h"

struct surveyed {
	uint32_t device;
	enum survey_question question;
	bool asked, known;  /* asked: under way */
	int64_t due, retry; /* mono; nanoseconds, 0: it answered last time */
};

struct survey {
	struct surveyed *at; /* owns; those that can be logged in to */
	uint32_t count, cursor, under_way;
	int64_t free_at;     /* mono: the next question */
};

int survey_new(const struct config_devices *devices, int64_t now, struct survey **ret)
{
	struct survey *s = memory_new(1, sizeof(*s));

	if (s)
		s->at = memory_new(devices->count ? SURVEY_QUESTIONS * devices->count : 1, sizeof(*s->at));
	if (!s || !s->at) {
		survey_free(s);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < devices->count; i++)
		for (int question = 0; question < SURVEY_QUESTIONS && device_login(devices, &devices->at[i]); question++)
			if (question != SURVEY_SITE || devices->at[i].platform == PLATFORM_SDWAN)
				s->at[s->count++] = (struct surveyed){ .device = i, .question = (enum survey_question)question,
								       .due = now + SURVEY_FIRST_NS };
	s->free_at = now + SURVEY_FIRST_NS;
	*ret = s;
	return 0;
}

void survey_free(struct survey *s)
{
	if (!s)
		return;
	memory_free(s->at);
	memory_free(s);
}

/* The list is in the order of the devices and not of their times: with a day between two turns, one walk around it finds
 * whoever is due, and the walk goes on where the last one found somebody. */
bool survey_next(struct survey *s, int64_t now, uint32_t *ret_device, enum survey_question *ret_question, int64_t *ret_due)
{
	*ret_due = INT64_MAX;
	if (s->under_way == SURVEY_AT_ONCE || s->count == 0)
		return false; /* survey_told() comes first */
	if (now < s->free_at) {
		*ret_due = s->free_at;
		return false;
	}
	for (uint32_t n = 0; n < s->count; n++) {
		struct surveyed *one = &s->at[(s->cursor + n) % s->count];

		if (one->asked)
			continue;
		if (one->due <= now) {
			s->cursor = (s->cursor + n + 1) % s->count;
			one->asked = true;
			s->under_way++;
			s->free_at = now + SURVEY_GAP_NS;
			*ret_device = one->device;
			*ret_question = one->question;
			return true;
		}
		if (one->due < *ret_due)
			*ret_due = one->due;
	}
	return false;
}

/* They stand in the order of their indices. */
static struct surveyed *find(struct survey *s, uint32_t device, enum survey_question question)
{
	uint64_t wanted = (uint64_t)device * SURVEY_QUESTIONS + (unsigned)question;
	uint32_t low = 0, high = s->count;

	while (low < high) {
		uint32_t middle = (low + high) / 2;
		uint64_t there = (uint64_t)s->at[middle].device * SURVEY_QUESTIONS + (unsigned)s->at[middle].question;

		if (there == wanted)
			return &s->at[middle];
		if (there < wanted)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

void survey_told(struct survey *s, uint32_t device, enum survey_question question, bool answered, int64_t now)
{
	struct surveyed *one = find(s, device, question);

	if (!one || !one->asked)
		return;
	one->asked = false;
	s->under_way--;
	one->known = one->known || answered;
	one->retry = answered ? 0 : one->retry ? 2 * one->retry : SURVEY_RETRY_NS;
	if (one->retry > SURVEY_AGAIN_NS)
		one->retry = SURVEY_AGAIN_NS;
	one->due = now + (answered ? SURVEY_AGAIN_NS : one->retry);
}

void survey_lost(struct survey *s, int64_t now)
{
	for (uint32_t i = 0; i < s->count && s->under_way; i++)
		survey_told(s, s->at[i].device, s->at[i].question, false, now);
}

void survey_figures(const struct survey *s, enum survey_question question, uint32_t *ret_known, uint32_t *ret_all)
{
	*ret_known = *ret_all = 0;
	for (uint32_t i = 0; i < s->count; i++) {
		*ret_all += s->at[i].question == question;
		*ret_known += s->at[i].question == question && s->at[i].known;
	}
}
