/* SPDX-License-Identifier: MIT */
#include "model/report.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"

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
