/* SPDX-License-Identifier: MIT */
#include "record/audit.h"

#include <inttypes.h>
#include <stdio.h>

#include "record/values.h"

static void put_spi(struct json *j, const struct audit_finding *f)
{
	char text[16];

	if (!f->has_spi) {
		json_null(j, "spi");
		return;
	}
	snprintf(text, sizeof(text), "0x%" PRIx32, f->spi.value);
	json_string(j, "spi", text);
}

static void put_number(struct json *j, const char *key, uint32_t value)
{
	if (value)
		json_unsigned(j, key, value);
	else
		json_null(j, key);
}

static void put_ends(struct json *j, const struct audit_finding *f)
{
	json_array(j, "ends");
	for (int i = 0; i < 2; i++) {
		const struct audit_end *e = &f->ends[i];

		json_object(j, NULL);
		json_string(j, "device", e->device);
		json_string(j, "role", audit_role_name(e->role));
		record_put_address(j, "address", &e->address);
		put_number(j, "child_id", e->child_id);
		put_number(j, "ike_id", e->ike_id);
		json_object_end(j);
	}
	json_array_end(j);
}

static void put_evidence(struct json *j, const struct audit_finding *f)
{
	json_array(j, "evidence");
	for (size_t i = 0; i < f->evidence_count; i++) {
		const struct audit_evidence *e = &f->evidence[i];

		json_object(j, NULL);
		json_string(j, "device", e->device);
		json_string(j, "file", e->file);
		put_number(j, "line", e->line);
		json_string(j, "says", e->says);
		json_object_end(j);
	}
	json_array_end(j);
}

static void put_plan(struct json *j, const struct audit_finding *f, const struct plan *plan)
{
	json_array(j, "plan");
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_step *s = &plan->steps[i];

		json_object(j, NULL);
		json_unsigned(j, "step", i + 1);
		json_string(j, "device", f->ends[s->role == PLAN_RECEIVER].device);
		if (s->has_on)
			record_put_address(j, "on", &s->on);
		else
			json_null(j, "on");
		record_put_typed(j, s);
		json_object_end(j);
	}
	json_array_end(j);
}

void record_audit_json(const struct audit_finding *f, const struct plan *plan, struct buffer *out)
{
	struct json j;

	json_init(&j, out);
	json_object(&j, NULL);
	json_string(&j, "schema", "spimend.audit/1");
	json_string(&j, "code", audit_code_name(f->code));
	json_string(&j, "severity", audit_severity_name(f->severity));
	json_string(&j, "confidence", confidence_name(f->confidence));
	json_string(&j, "cause", cause_name(f->cause));
	json_string(&j, "tunnel_kind", tunnel_kind_name(f->kind));
	if (f->tunnel == UINT32_MAX)
		json_null(&j, "tunnel");
	else
		json_unsigned(&j, "tunnel", f->tunnel);
	put_ends(&j, f);
	put_spi(&j, f);
	if (f->protocol == SPIMEND_PROTOCOL_UNKNOWN)
		json_null(&j, "proto");
	else
		json_string(&j, "proto", spimend_protocol_name(f->protocol));
	json_string(&j, "encap", f->encap_udp ? "udp" : NULL);
	json_bool(&j, "many_peers", f->many);
	json_string(&j, "text", plan_audit_means(f->code));
	put_evidence(&j, f);
	put_plan(&j, f, plan);
	json_string(&j, "never", plan_audit_never(f));
	json_object_end(&j);
	buffer_add_char(out, '\n');
}

void record_audit_summary_json(const struct audit_summary *s, struct buffer *out)
{
	const struct audit_counts *c = s->counts;
	struct json j;

	json_init(&j, out);
	json_object(&j, NULL);
	json_string(&j, "schema", "spimend.audit-summary/1");
	json_unsigned(&j, "devices", c->devices);
	json_unsigned(&j, "files", s->files);
	json_unsigned(&j, "files_failed", s->files_failed);
	json_unsigned(&j, "files_given_twice", s->files_twice);
	json_unsigned(&j, "files_without_tables", s->files_unknown);
	json_unsigned(&j, "devices_given_twice", s->names_twice);
	json_unsigned(&j, "devices_failed", s->devices_failed);
	json_unsigned(&j, "lines", s->read.lines);
	json_unsigned(&j, "other_lines", s->read.other);
	json_unsigned(&j, "foreign_lines", s->read.foreign_host);
	json_unsigned(&j, "unread_rows", s->read.bad);
	json_object(&j, "outputs");
	for (int i = OUTPUT_NONE + 1; i < OUTPUT_COUNT; i++)
		if (s->read.outputs[i])
			json_unsigned(&j, saved_output_name((enum saved_output)i), s->read.outputs[i]);
	json_object_end(&j);
	json_unsigned(&j, "records", s->read.records);
	json_unsigned(&j, "flows", c->flows);
	json_unsigned(&j, "sas", c->sas);
	json_unsigned(&j, "ike_sas", c->ike_sas);
	json_unsigned(&j, "tunnels", c->tunnels);
	json_unsigned(&j, "tunnels_in_sync", c->in_sync);
	json_unsigned(&j, "other_end_not_given", c->other_end_absent);
	json_unsigned(&j, "not_covered", c->not_covered);
	json_unsigned(&j, "ambiguous", c->ambiguous);
	json_unsigned(&j, "undirected", c->undirected);
	json_unsigned(&j, "rekeys_in_progress", c->overlaps);
	json_unsigned(&j, "left_alone", c->left_alone);
	json_unsigned(&j, "errors", c->severity[AUDIT_ERROR]);
	json_unsigned(&j, "warnings", c->severity[AUDIT_WARNING]);
	json_unsigned(&j, "notes", c->severity[AUDIT_NOTE]);
	json_unsigned(&j, "not_listed", c->limit);
	json_object_end(&j);
	buffer_add_char(out, '\n');
}
