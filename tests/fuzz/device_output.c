/* SPDX-License-Identifier: MIT */
/* libFuzzer: any text as the saved outputs of two devices (up to the first NUL, and behind it), compared with each other. */
#include <stdlib.h>

#include "judge/audit.h"
#include "parse/device_output.h"
#include "plan/audit_plan.h"
#include "record/audit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

struct run {
	struct sa_audit *audit;
	int device, output;
	uint64_t begun, ended, records;
	uint32_t lines;
};

static void on_begin(void *context, enum saved_output output, uint32_t line, const struct saved_filter *filter)
{
	struct run *run = context;

	must(output > OUTPUT_NONE && output < OUTPUT_COUNT && run->begun == run->ended && line >= 1);
	run->begun++;
	run->output = sa_audit_begin(run->audit, run->device, "file", output, filter);
	must(run->output >= 0);
}

static void on_record(void *context, const struct saved_record *r)
{
	struct run *run = context;

	must(run->begun == run->ended + 1 && r->kind > SAVED_NONE && r->kind < SAVED_KINDS && !r->reason);
	must(r->line >= 1 && r->line <= run->lines);
	if (r->kind == SAVED_FLOW) {
		must(r->flow.inbound_count <= SA_BLOCK_SPIS_MAX && r->flow.outbound_count <= SA_BLOCK_SPIS_MAX);
		must(r->flow.child[SA_BLOCK_TAG_MAX - 1] == '\0' && r->flow.map_tag[SA_BLOCK_TAG_MAX - 1] == '\0');
	}
	run->records++;
	must(sa_audit_add(run->audit, run->output, r) == 0);
}

static void on_end(void *context, enum saved_output output, bool cut)
{
	struct run *run = context;

	(void)output;
	run->ended++;
	sa_audit_end_output(run->audit, run->output, cut);
}

static void on_trouble(void *context, const struct device_trouble *t)
{
	struct run *run = context;

	must(t->reason && t->line <= run->lines);
}

static uint32_t count_lines(struct text t)
{
	struct text line;
	uint32_t n = 0;

	while (text_take_line(&t, &line))
		n++;
	return n;
}

static void read_device(struct run *run, const char *name, struct text text)
{
	const struct device_sink sink = { run, on_begin, on_record, on_end, on_trouble };
	struct device_output *reader;

	run->device = sa_audit_device(run->audit, name);
	run->lines = count_lines(text);
	must(run->device >= 0 && device_output_new(&sink, "", &reader) == 0);
	device_output_feed(reader, text);
	device_output_end(reader, false);
	must(run->begun == run->ended && device_output_counts(reader)->lines == run->lines);
	device_output_free(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct hash_key key = { 1, 2 };
	const struct text_style style = { .width = 80 };
	const char *split = memchr(data, '\0', size);
	size_t first = split ? (size_t)(split - (const char *)data) : size;
	struct run run = { 0 };
	struct buffer out = { 0 };
	struct plan plan;

	if (size > 1 << 16)
		return 0;
	must(sa_audit_new(&key, &run.audit) == 0);
	read_device(&run, "left", (struct text){ (const char *)data, first });
	if (split)
		read_device(&run, "right", (struct text){ split + 1, size - first - 1 });
	must(sa_audit_judge(run.audit) == 0);
	for (size_t i = 0; i < sa_audit_findings(run.audit); i++) {
		const struct audit_finding *f = sa_audit_finding(run.audit, i);

		must(f->code < AUDIT_CODES && f->ends[0].device && f->evidence_count <= AUDIT_EVIDENCE_MAX);
		plan_audit(f, &plan);
		for (size_t k = 0; k < plan.count; k++)
			must(f->kind != TUNNEL_SDWAN || !strstr(plan.steps[k].command, "clear crypto"));
		record_audit_json(f, &plan, &out);
		record_audit_text(f, i ? sa_audit_finding(run.audit, i - 1) : NULL, &plan, &style, &out);
		buffer_clear(&out);
	}
	sa_audit_free(run.audit);
	buffer_done(&out);
	return 0;
}
