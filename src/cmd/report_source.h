/* SPDX-License-Identifier: MIT */
/* Where the evidence of an incident comes from. Line by line: the incident, then what was recorded. */
#ifndef CMD_REPORT_SOURCE_H
#define CMD_REPORT_SOURCE_H

#include "base/text.h"

/* One line without its break; a negative error ends the reading. */
typedef int report_line_fn(void *context, struct text line);

#define REPORT_SOURCE_SAID 1 /* it went wrong, and stderr says why */
/* 0, REPORT_SOURCE_SAID, or a negative error. */
int report_source_file(const char *path, report_line_fn *take, void *context);
int report_source_daemon(const char *socket, const char *id, report_line_fn *take, void *context);

#endif
