/* SPDX-License-Identifier: MIT */
/* Incidents for the tests of the plan room, and looking into plans. Include after cmocka.h. */
#ifndef TESTS_PLAN_INCIDENT_H
#define TESTS_PLAN_INCIDENT_H

#include <assert.h>
#include <string.h>

#include "plan/plan.h"

static inline struct spimend_address test_address(const char *text)
{
	struct spimend_address address = { 0 };
	int status = spimend_address_parse(text, strlen(text), &address);

	assert(status == 0);
	(void)status;
	return address;
}

/* The example of DESIGN.md 6, as the judge would fill it. */
static inline struct incident test_incident(void)
{
	return (struct incident){
		.id = "k3v9q2",
		.observer = TEXT("hub"),
		.src = test_address("10.1.1.1"),
		.dst = test_address("10.10.1.2"),
		.has_spi = true,
		.spi = { 0x1db73bbb },
		.protocol = SPIMEND_PROTOCOL_ESP,
		.has_times = true,
		.first_seen = { INT64_C(1756820207287000000) },
		.last_seen = { INT64_C(1756820268039000000) },
		.messages = 2,
		.spis = 1,
		.sources = 1,
		.dialect = DIALECT_IOS,
		.verdict = VERDICT_DESYNC,
		.rule = RULE_LOG_REPEAT,
		.gap_ns = INT64_C(60752000000),
		.gap_needed_ns = 50 * SECOND_NS,
		.quiet_needed_ns = 5 * MINUTE_NS,
		.saw = { [FACT_STRAY] = true },
	};
}

static inline const struct plan_step *find(const struct plan *plan, const char *command)
{
	for (size_t i = 0; i < plan->count; i++) {
		if (strcmp(plan->steps[i].command, command) == 0)
			return &plan->steps[i];
	}
	return NULL;
}

static inline size_t position(const struct plan *plan, const char *command)
{
	const struct plan_step *step = find(plan, command);

	assert_non_null(step);
	return (size_t)(step - plan->steps);
}

static inline bool has_command_like(const struct plan *plan, const char *part)
{
	for (size_t i = 0; i < plan->count; i++) {
		if (strstr(plan->steps[i].command, part))
			return true;
	}
	return false;
}

static inline bool says(const struct plan *plan, const char *part)
{
	for (size_t i = 0; i < plan->count; i++) {
		if (strstr(plan->steps[i].command, part) || strstr(plan->steps[i].why, part) || strstr(plan->steps[i].blast_radius, part))
			return true;
	}
	return false;
}

static inline bool has_role(const struct plan *plan, enum plan_role role)
{
	for (size_t i = 0; i < plan->count; i++) {
		if (plan->steps[i].role == role)
			return true;
	}
	return false;
}

static inline void assert_on(const struct plan_step *step, const char *address)
{
	struct spimend_address expected = test_address(address);

	assert_true(step->has_on);
	assert_true(spimend_address_equal(&step->on, &expected));
}

#endif
