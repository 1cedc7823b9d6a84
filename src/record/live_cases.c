/* SPDX-License-Identifier: MIT */
#include "record/live_cases.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "record/fleet_incident.h"
#include "record/live_private.h"
#include "record/values.h"

/* What is told later than so long after the end of a case is not its own: if no other case came of it, it is to be seen. */
#define AFTERWARDS_NS (2 * MINUTE_NS)

static bool is_going_on(const struct fleet_incident *is)
{
	return is->state == STATE_OPEN || is->state == STATE_ACTING || is->state == STATE_AWAITING;
}

/* --- What syslog told of the same ends ------------------------------------------------------------------------------ */

static int compare_ends(const void *a, const void *b)
{
	return spimend_address_compare(&((const struct live_pair *)a)->dst, &((const struct live_pair *)b)->dst);
}

static size_t count_cases(const struct fleet *cases)
{
	return cases ? fleet_figures(cases).incidents : 0;
}

int live_pairs_new(const struct fleet *cases, const struct config *config, struct live_pairs *ret)
{
	const struct fleet_incident *is;
	size_t most = count_cases(cases), n = 0;
	struct live_pair *at = memory_new(most + 1, sizeof(*at));

	memset(ret, 0, sizeof(*ret));
	if (!at)
		return -ENOMEM;
	for (; n < most && (is = fleet_at(cases, n)); n++) {
		int64_t to = is->ended.ns > is->last_seen.ns ? is->ended.ns : is->last_seen.ns;

		/* The judge joins what is told again within close_ns into one incident. */
		at[n] = (struct live_pair){ .src = is->src, .dst = is->dst, .first = { is->first_seen.ns - config->close_ns },
					    .last = { is_going_on(is) ? INT64_MAX : to + AFTERWARDS_NS }, .any_src = is->is_burst };
		memcpy(at[n].id, is->id, sizeof(at[n].id));
	}
	qsort(at, n, sizeof(*at), compare_ends);
	ret->at = at;
	ret->count = n;
	return 0;
}

void live_pairs_done(struct live_pairs *pairs)
{
	memory_free(pairs->at);
	pairs->at = NULL;
	pairs->count = 0;
}

const struct live_pair *live_pairs_cover(const struct live_pairs *pairs, const struct judge_glance *glance, bool is_burst)
{
	size_t low = 0, high = pairs->count;

	if (!glance->has_times || !spimend_address_known(glance->src))
		return NULL;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (spimend_address_compare(&pairs->at[middle].dst, glance->dst) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < pairs->count && spimend_address_compare(&pairs->at[low].dst, glance->dst) == 0; low++) {
		const struct live_pair *p = &pairs->at[low];

		if ((p->any_src || (!is_burst && spimend_address_compare(&p->src, glance->src) == 0)) && glance->last.ns >= p->first.ns &&
		    glance->last.ns <= p->last.ns)
			return p;
	}
	return NULL;
}

/* --- One of them ---------------------------------------------------------------------------------------------------- */

static bool loses_packets(const struct fleet_incident *is)
{
	return is->verdict == VERDICT_DESYNC || is->verdict == VERDICT_OTHER_FAULT;
}

bool live_case_is_fault(const struct fleet_incident *is, const struct config *config, struct instant now)
{
	if (!loses_packets(is))
		return false;
	return is_going_on(is) || (is->state == STATE_GAVE_UP && now.ns - is->last_seen.ns < config->close_ns);
}

bool live_cases_have_fault(const struct fleet *cases, const struct config *config, struct instant now)
{
	const struct fleet_incident *is;

	for (size_t i = 0; cases && (is = fleet_at(cases, i)); i++)
		if (live_case_is_fault(is, config, now))
			return true;
	return false;
}

int live_case_find(const struct fleet *cases, const char *id, const struct fleet_incident **ret)
{
	const struct fleet_incident *is, *found = cases ? fleet_find(cases, id) : NULL;
	size_t len = strlen(id);
	bool exact = found;

	for (size_t i = 0; !exact && len && cases && (is = fleet_at(cases, i)); i++) {
		if (strncmp(is->id, id, len) != 0)
			continue;
		if (found)
			return -ENOTUNIQ;
		found = is;
	}
	if (!found)
		return -ENOENT;
	*ret = found;
	return 0;
}

uint64_t live_case_mark(const struct fleet_incident *is)
{
	static const struct hash_key key = { 7, 8 };
	uint64_t words[6 + FLEET_STEPS_MAX] = { is->state, is->verdict, is->cause, is->confidence, is->step_count, is->has_stale };

	for (uint32_t i = 0; i < is->step_count && i < FLEET_STEPS_MAX; i++)
		words[6 + i] = (uint64_t)is->steps[i].verb << 32 | (uint64_t)is->steps[i].state << 1 | is->steps[i].helped;
	return hash_bytes(&key, words, sizeof(words));
}

static int64_t outage(const struct fleet_incident *is, struct instant now)
{
	int64_t end = is_going_on(is) ? now.ns : is->state == STATE_HEALED && is->ended.ns ? is->ended.ns : is->last_seen.ns;

	return end > is->first_seen.ns ? end - is->first_seen.ns : 0;
}

static void add_flow(const struct fleet_incident *is, struct buffer *out)
{
	char address[SPIMEND_ADDRESS_TEXT_MAX];

	if (is->is_burst)
		buffer_printf(out, "%" PRIu32 " sources", is->sources);
	else
		buffer_add_string(out, spimend_address_print(&is->src, address));
	buffer_printf(out, " -> %s %s", spimend_address_print(&is->dst, address),
		      is->protocol == SPIMEND_PROTOCOL_AH ? "AH" : "ESP");
	if (is->has_stale || (is->spi_count == 1 && !is->is_burst))
		buffer_printf(out, " 0x%08" PRIx32, is->has_stale ? is->stale.value : is->spis[0].value);
	else if (is->spi_count > 1)
		buffer_printf(out, " %s%" PRIu32 " SPIs", is->spi_count == FLEET_SPIS_MAX ? "at least " : "", is->spi_count);
}

void live_case_row(const struct fleet_incident *is, struct instant now, struct buffer *out)
{
	cleanup(buffer_done) struct buffer cell = { 0 };

	/* The column is narrower than that state's name. */
	buffer_printf(out, "%-6s %-10s %-11s ", is->id, is->state == STATE_AWAITING ? "awaiting" : incident_state_name(is->state),
		      verdict_name(is->verdict));
	buffer_add_string(&cell, cause_name(is->cause));
	live_add_cell(out, &cell, 22);
	calendar_print_short(&cell, is->first_seen);
	live_add_cell(out, &cell, 19);
	if (loses_packets(is))
		calendar_print_duration(&cell, outage(is, now));
	else
		buffer_add_char(&cell, '-');
	live_add_cell(out, &cell, 11);
	buffer_add_string(&cell, is->receiver);
	live_add_cell(out, &cell, 16);
	add_flow(is, out);
	buffer_add_char(out, '\n');
}

static void add_why(const struct fleet_incident *is, struct buffer *out)
{
	record_add_printable(out, (struct text){ is->why, strnlen(is->why, sizeof(is->why)) });
}

void live_case_watch(const struct fleet_incident *is, struct instant now, struct buffer *out)
{
	live_add_time(out, now);
	buffer_printf(out, " %s %s %s: %s: ", is->id, verdict_name(is->verdict), incident_state_name(is->state), is->receiver);
	add_flow(is, out);
	if (is->cause != CAUSE_UNKNOWN)
		buffer_printf(out, ", %s", cause_name(is->cause));
	if (is->confidence != CONFIDENCE_NONE)
		buffer_printf(out, " (%s)", confidence_name(is->confidence));
	buffer_add_string(out, "; ");
	if (is->why[0])
		add_why(is, out);
	else
		buffer_printf(out, "%" PRIu64 " message%s", is->messages, is->messages == 1 ? "" : "s");
	buffer_add_char(out, '\n');
}

/* --- A person's word ------------------------------------------------------------------------------------------------ */

void live_cases_asking(const struct fleet *cases, struct buffer *out)
{
	const struct fleet_incident *is;

	for (size_t i = 0; cases && (is = fleet_at(cases, i)); i++) {
		if (!record_fleet_asks(is))
			continue;
		buffer_printf(out, "  %-11s%s: ", "APPROVE?", is->id);
		add_flow(is, out);
		buffer_add_char(out, '\n');
		record_fleet_ask(is, "             ", out);
	}
}
