/* SPDX-License-Identifier: MIT */
#include "model/report.h"

#include <string.h>

#include "base/text.h"

const char *report_kind_name(enum report_kind kind)
{
	static const char *const names[REPORT_KINDS] = {
		"other", "bad-spi", "no-sa", "no-ike-sa", "ike-up", "ike-down", "tunnel-up", "tunnel-down", "setup-failed", "log",
		"applet",
	};

	return (unsigned)kind < REPORT_KINDS ? names[kind] : "?";
}

static bool is_bool(const bool *b)
{
	uint8_t byte;

	memcpy(&byte, b, 1);
	return byte <= 1;
}

static bool is_address(const struct spimend_address *address)
{
	return address->family == 0 || address->family == 4 || address->family == 6;
}

bool report_valid(const struct device_report *report)
{
	return (unsigned)report->kind < REPORT_KINDS && is_bool(&report->authenticated) && is_bool(&report->has_spi) &&
	       is_bool(&report->has_reason) && is_bool(&report->has_severity) && is_bool(&report->has_int1) &&
	       is_bool(&report->has_int2) && report->severity <= 7 && is_address(&report->device) && is_address(&report->src) &&
	       is_address(&report->dst) && is_address(&report->local) && is_address(&report->remote) &&
	       text_is_string(report->name, sizeof(report->name)) && text_is_string(report->facility, sizeof(report->facility)) &&
	       text_is_string(report->text, sizeof(report->text));
}
