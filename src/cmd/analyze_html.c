/* SPDX-License-Identifier: MIT */
#include "cmd/analyze_html.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "plan/picture.h"
#include "record/incident_json.h"
#include "record/report_page.h"

struct page {
	FILE *file;
	struct judge *judge;
	struct capture_judge *captures;
	struct buffer out, json;
	struct json_tree tree;
};

/* Writes and empties what is there; pages of many incidents are never held as a whole. */
static int put(struct page *p)
{
	int result = 0;

	if (buffer_error(&p->out) < 0)
		return -ENOMEM;
	errno = 0;
	if (fwrite(p->out.bytes, 1, p->out.len, p->file) != p->out.len)
		result = errno ? -errno : -EIO;
	buffer_clear(&p->out);
	return result;
}

/* Those of logs first, then those of captures. */
static size_t count_incidents(const struct page *p)
{
	return judge_incidents(p->judge) + capture_judge_incidents(p->captures);
}

static enum verdict verdict_of(const struct page *p, size_t index)
{
	size_t logs = judge_incidents(p->judge);

	return index < logs ? judge_verdict(p->judge, index) : capture_judge_verdict(p->captures, index - logs);
}

/* The incident as the contract has it, and as a tree of that. */
static int read_incident(struct page *p, size_t index, bool explain, struct incident *incident)
{
	struct plan *plan cleanup(memory_free_pointer) = memory_new(1, sizeof(*plan));
	size_t logs = judge_incidents(p->judge);

	if (!plan)
		return -ENOMEM;
	if (index < logs)
		judge_incident(p->judge, index, incident);
	else
		capture_judge_incident(p->captures, index - logs, incident);
	plan_build(incident, plan);
	buffer_clear(&p->json);
	record_incident_json(incident, plan, explain, &p->json);
	if (buffer_error(&p->json) < 0)
		return -ENOMEM;
	return json_tree_read(&p->tree, buffer_text(&p->json), NULL);
}

typedef int visit_fn(struct page *p, size_t index, uint64_t place);

/* Desyncs first, noise last; in order of time within. */
static int walk(struct page *p, visit_fn *visit)
{
	static const enum verdict order[] = { VERDICT_DESYNC, VERDICT_OTHER_FAULT, VERDICT_UNDECIDED, VERDICT_TRANSIENT,
					      VERDICT_NOISE };
	uint64_t place = 0;
	int result = 0;

	for (size_t turn = 0; turn < sizeof(order) / sizeof(order[0]); turn++)
		for (size_t i = 0; i < count_incidents(p) && result == 0; i++)
			if (verdict_of(p, i) == order[turn])
				result = visit(p, i, place++);
	return result;
}

static int add_row(struct page *p, size_t index, uint64_t place)
{
	struct incident incident;
	int result;

	if (place >= REPORT_ROWS_MAX)
		return 0;
	result = read_incident(p, index, false, &incident);
	if (result < 0)
		return result;
	report_page_overview_row(&p->tree, place < REPORT_CASES_MAX, &p->out);
	return put(p);
}

static int add_case(struct page *p, size_t index, uint64_t place)
{
	struct report_case is = { .incident = &p->tree };
	struct picture picture;
	struct incident incident;
	int result;

	if (place >= REPORT_CASES_MAX)
		return 0;
	result = read_incident(p, index, true, &incident);
	if (result < 0)
		return result;
	picture_of_incident(&incident, &picture);
	is.picture = &picture;
	report_page_case(&is, (unsigned)place + 1, &p->out);
	result = picture.failed ? -ENOMEM : put(p);
	picture_done(&picture);
	return result;
}

static void begin(struct page *p, const struct summary *s)
{
	static const enum verdict order[] = { VERDICT_DESYNC, VERDICT_OTHER_FAULT, VERDICT_UNDECIDED, VERDICT_TRANSIENT,
					      VERDICT_NOISE };
	struct buffer title = { 0 }, lead = { 0 };
	bool first = true;

	buffer_printf(&title, "%" PRIu64 " incident%s", s->incidents, text_plural(s->incidents));
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		if (!s->by_verdict[order[i]])
			continue;
		buffer_printf(&title, "%s%" PRIu64 " %s", first ? ": " : ", ", s->by_verdict[order[i]], verdict_name(order[i]));
		first = false;
	}
	buffer_printf(&lead, "From %" PRIu64 " line%s in %" PRIu64 " file%s: %" PRIu64 " message%s about an unknown SPI", s->lines,
		      text_plural(s->lines), s->files, text_plural(s->files), s->messages, text_plural(s->messages));
	if (s->copies)
		buffer_printf(&lead, ", %" PRIu64 " of them twice or more and counted once", s->copies);
	if (s->captures)
		buffer_printf(&lead, ", and %" PRIu64 " packet%s in %" PRIu64 " capture%s", s->captures->counts.packets,
			      text_plural(s->captures->counts.packets), s->captures->files, text_plural(s->captures->files));
	buffer_add_char(&lead, '.');
	if (s->unparsed)
		buffer_printf(&lead, " %" PRIu64 " line%s named the message and could not be read: `spimend analyze --verbose` lists them.",
			      s->unparsed, text_plural(s->unparsed));
	if (s->files_failed)
		buffer_printf(&lead, " %" PRIu64 " file%s could not be read.", s->files_failed, text_plural(s->files_failed));
	report_page_begin(buffer_text(&title), buffer_text(&lead), &p->out);
	p->out.failed |= title.failed || lead.failed;
	buffer_done(&title);
	buffer_done(&lead);
}

static int write_all(struct page *p, const struct summary *s)
{
	uint64_t all = count_incidents(p);
	int result;

	begin(p, s);
	result = put(p);
	if (result == 0 && all > 1) {
		report_page_overview_begin(&p->out);
		result = walk(p, add_row);
		report_page_overview_end(all > REPORT_ROWS_MAX ? all - REPORT_ROWS_MAX : 0,
					 all > REPORT_CASES_MAX ? all - REPORT_CASES_MAX : 0, &p->out);
	}
	if (result == 0)
		result = walk(p, add_case);
	report_page_end(&p->out);
	return result < 0 ? result : put(p);
}

/* `--html hub.log spoke.log`, typed in a hurry, must not cost the log, nor `--html index.html` somebody's page. */
int analyze_html_check(const char *path)
{
	char bytes[2048]; /* what stands in front of the style */
	struct stat there;
	struct text head;
	FILE *file;

	if (stat(path, &there) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISREG(there.st_mode))
		return 0; /* a pipe holds nothing that could be lost */
	file = fopen(path, "re");
	if (!file)
		return -errno;
	head = (struct text){ bytes, fread(bytes, 1, sizeof(bytes), file) };
	fclose(file);
	return head.len == 0 || (text_starts(head, TEXT("<!doctype html>\n<html")) &&
				 text_has(head, TEXT("<meta name=\"generator\" content=\"spimend "))) ? 0 : -EEXIST;
}

int analyze_html_write(const char *path, struct judge *judge, struct capture_judge *captures, const struct summary *summary)
{
	struct page p = { .file = fopen(path, "we"), .judge = judge, .captures = captures };
	int result;

	if (!p.file)
		return -errno;
	result = write_all(&p, summary);
	if (fclose(p.file) != 0 && result == 0)
		result = -errno;
	buffer_done(&p.out);
	buffer_done(&p.json);
	json_tree_done(&p.tree);
	return result;
}
