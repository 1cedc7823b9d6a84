/* SPDX-License-Identifier: MIT */
/* libFuzzer: the configuration file. What is accepted prints, and what is printed parses back to the same struct. */
#include <stdlib.h>

#include "base/memory.h"
#include "parse/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check_report(const struct config_report *report)
{
	must(report->kept <= CONFIG_PROBLEMS_MAX && report->kept <= report->errors + report->warnings);
	for (uint32_t i = 0; i < report->kept; i++) {
		const char *text = report->problems[i].text;

		must(text[0]);
		for (size_t k = 0; text[k]; k++)
			must(text[k] >= 0x20 && text[k] < 0x7f);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *first cleanup(memory_free_pointer) = memory_new(1, sizeof(*first));
	struct config *second cleanup(memory_free_pointer) = memory_new(1, sizeof(*second));
	struct notify_user keys[NOTIFY_USERS_MAX], again[NOTIFY_USERS_MAX];
	struct buffer printed = { 0 }, whole = { 0 };
	bool any;
	struct config_report report;
	int result;

	if (!first || !second)
		return 0;
	result = config_parse((struct text){ (const char *)data, size }, first, &report);
	check_report(&report);
	must((result == 0) == (report.errors == 0));
	if (result == 0) {
		config_hide_keys(&first->notify, keys);
		config_print(first, &printed);
		must(config_parse(buffer_text(&printed), second, &report) == 0);
		must(memcmp(first, second, sizeof(*first)) == 0);
		if (config_unhide_text(buffer_text(&printed), keys, &whole, &any)) { /* else one was hidden in what came */
			must(config_parse(buffer_text(&whole), second, &report) == 0);
			config_hide_keys(&second->notify, again);
			must(memcmp(keys, again, sizeof(keys)) == 0 && memcmp(first, second, sizeof(*first)) == 0);
		}
	}
	buffer_done(&printed);
	buffer_done(&whole);
	return 0;
}
