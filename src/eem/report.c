/* SPDX-License-Identifier: MIT */
#include "eem/report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"

void eem_report_done(struct eem_report *report)
{
	memory_free(report->findings);
	*report = (struct eem_report){ 0 };
}

static struct eem_finding *report_room(struct eem_report *report)
{
	uint32_t room = report->room ? report->room * 2 : 16;
	struct eem_finding *grown;

	if (report->kept < report->room)
		return &report->findings[report->kept];
	if (room > EEM_FINDINGS_MAX)
		room = EEM_FINDINGS_MAX;
	if (report->kept >= room)
		return NULL;
	grown = memory_resize(report->findings, room, sizeof(*grown));
	if (!grown) {
		report->failed = true;
		return NULL;
	}
	report->findings = grown;
	report->room = room;
	return &report->findings[report->kept];
}

/* Findings quote foreign text: what is no printable ASCII or UTF-8 becomes a dot. */
static void make_printable(char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len;) {
		unsigned char c = (unsigned char)text[i];
		size_t width = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

		if (c >= 0x20 && c < 0x7f) {
			i++;
		} else if (c >= 0xc3 && i + width <= len && text_is_utf8((struct text){ text + i, width })) {
			i += width; /* from U+00C0 on: none of them controls anything */
		} else {
			text[i++] = '.';
		}
	}
}

void eem_report_add(struct eem_report *report, enum eem_level level, uint32_t line, const char *name, struct text applet,
		    const char *format, ...)
{
	struct eem_finding *f;
	va_list args;

	report->count[level]++;
	f = report_room(report);
	if (!f)
		return;
	*f = (struct eem_finding){ .level = level, .line = line, .name = name };
	text_copy(applet, f->applet, sizeof(f->applet));
	make_printable(f->applet);
	va_start(args, format);
	vsnprintf(f->text, sizeof(f->text), format, args);
	va_end(args);
	make_printable(f->text);
	report->kept++;
}

static int compare(const void *a, const void *b)
{
	const struct eem_finding *x = a, *y = b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->level != y->level)
		return x->level > y->level ? -1 : 1;
	if (x->name != y->name && strcmp(x->name, y->name) != 0)
		return strcmp(x->name, y->name);
	return strcmp(x->text, y->text);
}

void eem_report_sort(struct eem_report *report)
{
	if (report->kept)
		qsort(report->findings, report->kept, sizeof(*report->findings), compare);
}

const char *eem_level_name(enum eem_level level)
{
	static const char *const names[] = { "note", "warning", "error" };

	return level < EEM_LEVELS ? names[level] : "?";
}

static uint64_t all_of(const struct eem_report *report)
{
	return report->count[EEM_NOTE] + report->count[EEM_WARNING] + report->count[EEM_ERROR];
}

void eem_report_print(const struct eem_report *report, struct text file, struct buffer *out)
{
	for (uint32_t i = 0; i < report->kept; i++) {
		const struct eem_finding *f = &report->findings[i];

		buffer_add(out, file);
		if (f->line)
			buffer_printf(out, ":%" PRIu32, f->line);
		buffer_printf(out, ": %s: ", eem_level_name(f->level));
		if (f->applet[0])
			buffer_printf(out, "%s: ", f->applet);
		buffer_printf(out, "%s [%s]\n", f->text, f->name);
	}
	if (all_of(report) > report->kept)
		buffer_printf(out, "%.*s: and %" PRIu64 " more\n", TEXT_ARG(file), all_of(report) - report->kept);
}

void eem_report_json(const struct eem_report *report, struct text file, struct buffer *out)
{
	for (uint32_t i = 0; i < report->kept; i++) {
		const struct eem_finding *f = &report->findings[i];
		struct json j;

		json_init(&j, out);
		json_object(&j, NULL);
		json_string(&j, "schema", "spimend.lint/1");
		json_text(&j, "file", file);
		if (f->line)
			json_unsigned(&j, "line", f->line);
		else
			json_null(&j, "line");
		json_string(&j, "level", eem_level_name(f->level));
		json_string(&j, "name", f->name);
		json_string(&j, "applet", f->applet[0] ? f->applet : NULL);
		json_string(&j, "text", f->text);
		json_object_end(&j);
		buffer_add_char(out, '\n');
	}
}
