/* SPDX-License-Identifier: MIT */
/*
 * What is said of an applet's text: findings with level, line and a name that the manual explains. Filled by the compiler,
 * by the lint and by reflow; read by whoever shows it.
 */
#ifndef EEM_REPORT_H
#define EEM_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/json.h"
#include "base/text.h"

#define EEM_FINDINGS_MAX 1000 /* kept; the rest is counted */
#define EEM_FINDING_TEXT_MAX 384
#define EEM_APPLET_NAME_MAX 64 /* with the terminating NUL */

enum eem_level { EEM_NOTE, EEM_WARNING, EEM_ERROR, EEM_LEVELS };

struct eem_finding {
	enum eem_level level;
	uint32_t line;    /* from 1; 0: of the whole text */
	const char *name; /* "label-order": static */
	char applet[EEM_APPLET_NAME_MAX]; /* empty: of no applet */
	char text[EEM_FINDING_TEXT_MAX]; /* printable: what is wrong, what was expected */
};

struct eem_report {
	struct eem_finding *findings; /* owns; in the order of their lines once eem_report_sort() ran */
	uint32_t kept, room;
	uint64_t count[EEM_LEVELS]; /* all of them */
	uint32_t applets;           /* read, whether registered or not */
	uint32_t foreign_lines;     /* of the router's configuration, passed over */
	uint32_t lines;
	bool failed;                /* no memory: findings are missing */
};

void eem_report_done(struct eem_report *report); /* empty and usable again */
void eem_report_add(struct eem_report *report, enum eem_level level, uint32_t line, const char *name,
		    struct text applet, const char *format, ...) __attribute__((format(printf, 6, 7)));
void eem_report_sort(struct eem_report *report);

const char *eem_level_name(enum eem_level level); /* "note", "warning", "error" */
/* "NAME:LINE: error: text [name]\n" for each, and how many more there are. */
void eem_report_print(const struct eem_report *report, struct text file, struct buffer *out);
/* One object a line. */
void eem_report_json(const struct eem_report *report, struct text file, struct buffer *out);

#endif
