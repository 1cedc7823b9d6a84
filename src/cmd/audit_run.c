/* SPDX-License-Identifier: MIT */
#include "cmd/audit_run.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>

#include "base/memory.h"
#include "record/values.h"

#define TROUBLES_SAID 5 /* of one text */

int audit_run_init(struct audit_run *run, uint32_t devices)
{
	struct hash_key key = { 0, 0 };

	if (getrandom(&key, sizeof(key), 0) != (ssize_t)sizeof(key))
		return -errno;
	run->output = -1;
	run->hosts = memory_new(devices, sizeof(*run->hosts));
	return run->hosts ? sa_audit_new(&key, &run->audit) : -ENOMEM;
}

void audit_run_done(struct audit_run *run)
{
	sa_audit_free(run->audit);
	memory_free(run->hosts);
	memory_free(run->is_gone);
}

/* ---- what was wrong, on stderr ---- */

void audit_run_say(struct audit_run *run, const char *where, const char *what)
{
	fprintf(stderr, "spimend audit: %s: %s\n", where, what);
	run->trouble = true;
}

static void say_trouble(void *context, const struct device_trouble *t)
{
	struct audit_run *run = context;
	struct buffer line = { 0 };

	run->trouble = true;
	if (run->said == TROUBLES_SAID) {
		run->unsaid++;
		return;
	}
	run->said++;
	buffer_printf(&line, "spimend audit: %s:%" PRIu32 ": ", run->said_of, t->line);
	if (t->output != OUTPUT_NONE)
		buffer_printf(&line, "%s: ", saved_output_command(t->output));
	buffer_add_string(&line, t->reason);
	if (t->text.len) {
		buffer_add_string(&line, ": ");
		record_add_printable(&line, text_first(t->text, 80));
	}
	buffer_add_char(&line, '\n');
	fwrite(line.bytes, 1, line.len, stderr);
	buffer_done(&line);
}

/* ---- records ---- */

static void on_begin(void *context, enum saved_output output, uint32_t line, const struct saved_filter *filter)
{
	struct audit_run *run = context;

	(void)line;
	run->output = sa_audit_begin(run->audit, run->device, run->source, output, filter);
	if (run->output < 0)
		run->error = run->output;
}

static void on_record(void *context, const struct saved_record *record)
{
	struct audit_run *run = context;
	int result = run->output < 0 ? run->output : sa_audit_add(run->audit, run->output, record);

	if (result < 0)
		run->error = result;
}

static void on_end(void *context, enum saved_output output, bool cut)
{
	struct audit_run *run = context;

	(void)output;
	if (run->output >= 0)
		sa_audit_end_output(run->audit, run->output, cut);
	run->output = -1;
}

/* ---- texts ---- */

static void add_up(struct device_counts *sum, const struct device_counts *more)
{
	sum->lines += more->lines;
	sum->taken += more->taken;
	sum->other += more->other;
	sum->bad += more->bad;
	sum->foreign_host += more->foreign_host;
	sum->records += more->records;
	for (int i = 0; i < OUTPUT_COUNT; i++)
		sum->outputs[i] += more->outputs[i];
}

void audit_run_add_up(struct audit_run *run, const struct audit_run *more)
{
	struct audit_summary *s = &run->summary;

	add_up(&s->read, &more->summary.read);
	s->files += more->summary.files;
	s->files_failed += more->summary.files_failed;
	s->files_unknown += more->summary.files_unknown;
	s->devices_failed += more->summary.devices_failed;
	run->trouble |= more->trouble;
}

static void say_unknown(struct audit_run *run, struct text bytes)
{
	struct buffer line = { 0 };
	struct text first = TEXT_NONE;

	run->summary.files_unknown++;
	if (bytes.len == 0) {
		audit_run_say(run, run->said_of, "is empty");
		return;
	}
	if (memchr(bytes.at, '\0', bytes.len < 4096 ? bytes.len : 4096)) {
		audit_run_say(run, run->said_of, "is no text");
		return;
	}
	while (first.len == 0 && text_take_line(&bytes, &first))
		first = text_trim(first);
	buffer_add_string(&line, "holds no output that is known; it starts with: ");
	record_add_printable(&line, text_first(first, 60));
	buffer_add_char(&line, '\0');
	if (buffer_error(&line) == 0)
		audit_run_say(run, run->said_of, line.bytes);
	buffer_done(&line);
}

int audit_run_read(struct audit_run *run, struct text command, struct text bytes, bool damaged)
{
	const struct device_sink sink = { run, on_begin, on_record, on_end, say_trouble };
	struct device_output *reader;
	const struct device_counts *counts;
	uint64_t outputs = 0;
	int result = device_output_new(&sink, run->hosts[run->device], &reader);

	if (result < 0)
		return result;
	run->said = 0;
	run->unsaid = 0;
	if (command.len)
		device_output_command(reader, command);
	device_output_feed(reader, bytes);
	device_output_end(reader, damaged);
	counts = device_output_counts(reader);
	add_up(&run->summary.read, counts);
	for (int i = OUTPUT_NONE + 1; i < OUTPUT_COUNT; i++)
		outputs += counts->outputs[i];
	memcpy(run->hosts[run->device], device_output_host(reader), DEVICE_HOST_MAX);
	device_output_free(reader);
	if (run->unsaid)
		fprintf(stderr, "spimend audit: %s: and %" PRIu64 " more of such lines\n", run->said_of, run->unsaid);
	if (outputs == 0)
		say_unknown(run, bytes);
	return run->error;
}
