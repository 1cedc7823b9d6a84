/* SPDX-License-Identifier: MIT */
#include "record/incident_json.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/json.h"
#include "plan/explain.h"
#include "record/captures.h"
#include "record/values.h"

static const char *source_of(const struct evidence *e, const struct record_live *live)
{
	if (live && !live->is_read)
		return "live";
	if (e->is_packet)
		return "packet";
	return live || e->kind == FACT_SA_TABLE ? "show" : "syslog";
}

static void put_evidence(struct json *j, const struct incident *i, const struct record_live *live)
{
	json_array(j, "evidence");
	for (size_t k = 0; k < i->evidence_count; k++) {
		const struct evidence *e = &i->evidence[k];

		json_object(j, NULL);
		record_put_time(j, "at", e->has_at, e->at);
		json_text(j, "from", e->from);
		json_string(j, "kind", source_of(e, live));
		json_text(j, "text", e->text);
		json_string(j, "says", fact_kind_name(e->kind));
		json_string(j, "end", e->other_end ? "sender" : "receiver");
		json_object_end(j);
	}
	json_array_end(j);
}

static void put_flags(struct json *j, uint32_t flags)
{
	json_array(j, "flags");
	for (int bit = 0; bit <= FLAG_COUNT_LAST; bit++)
		if (flags >> bit & 1)
			json_string(j, NULL, fact_flag_name((enum fact_flag)(1u << bit)));
	json_array_end(j);
}

static void put_plan(struct json *j, const struct plan *plan)
{
	json_array(j, "plan");
	for (size_t k = 0; k < plan->count; k++) {
		const struct plan_step *s = &plan->steps[k];

		json_object(j, NULL);
		json_unsigned(j, "step", k + 1);
		if (s->has_on)
			record_put_address(j, "on", &s->on);
		else
			json_null(j, "on");
		json_string(j, "role", plan_role_name(s->role));
		record_put_typed(j, s);
		json_object_end(j);
	}
	json_array_end(j);
}

static void put_actions(struct json *j, const struct record_live *live)
{
	char spi[16];

	json_array(j, "actions");
	for (size_t k = 0; live && k < live->action_count; k++) {
		const struct record_action *a = &live->actions[k];

		json_object(j, NULL);
		json_unsigned(j, "action", k + 1);
		record_put_time(j, "at", true, a->at);
		json_string(j, "verb", a->verb);
		json_string(j, "rung", a->rung);
		json_unsigned(j, "order", a->order);
		json_string(j, "outcome", a->outcome);
		if (a->outcome)
			json_unsigned(j, "took_ms", a->took_ns > 0 ? (uint64_t)a->took_ns / 1000000 : 0);
		else
			json_null(j, "took_ms");
		record_put_text(j, "text", a->text);
		json_string(j, "answer", a->answer);
		snprintf(spi, sizeof(spi), "0x%" PRIx32, a->peer_spi);
		json_string(j, "peer_spi", a->has_peer_spi ? spi : NULL);
		json_object_end(j);
	}
	json_array_end(j);
}

/* What is said of log lines does not fit what a gateway saw itself: of that, its note tells the rest. */
static bool is_of_logs(int section)
{
	return section != EXPLAIN_RULE && section != EXPLAIN_DO_NOT && section != EXPLAIN_FIX;
}

static void put_explain(struct json *j, const struct incident *i, const struct plan *plan, bool live)
{
	struct buffer text = { 0 };

	json_object(j, "explain");
	for (int section = 0; section < EXPLAIN_SECTIONS; section++) {
		struct text rest, line;

		if (live && is_of_logs(section))
			continue;
		buffer_clear(&text);
		explain_section_write(i, plan, (enum explain_section)section, &text);
		json_array(j, explain_section_key((enum explain_section)section));
		rest = buffer_text(&text);
		while (text_take_line(&rest, &line))
			json_text(j, NULL, line);
		json_array_end(j);
	}
	buffer_clear(&text);
	json_array(j, "cause");
	explain_cause(i, &text);
	json_text(j, NULL, buffer_text(&text));
	json_array_end(j);
	json_object_end(j);
	buffer_done(&text);
}

void record_incident_json_live(const struct incident *i, const struct plan *plan, bool explain,
			       const struct record_live *live, struct buffer *out)
{
	char spi[16];
	struct json j;

	snprintf(spi, sizeof(spi), "0x%" PRIx32, i->spi.value);
	json_init(&j, out);
	json_object(&j, NULL);
	json_string(&j, "schema", "spimend.incident/1");
	json_string(&j, "id", i->id);
	record_put_text(&j, "observer", i->observer);
	record_put_address(&j, "src", &i->src);
	record_put_address(&j, "dst", &i->dst);
	json_string(&j, "proto", i->protocol == SPIMEND_PROTOCOL_UNKNOWN ? NULL : spimend_protocol_name(i->protocol));
	json_string(&j, "spi", i->has_spi ? spi : NULL);
	json_string(&j, "encap", i->encap_udp ? "udp" : NULL);
	record_put_text(&j, "interface", i->interface);
	json_string(&j, "tunnel_kind", tunnel_kind_name(i->tunnel_kind));
	record_put_time(&j, "first_seen", i->has_times, i->first_seen);
	record_put_time(&j, "last_seen", i->has_times, i->last_seen);
	json_unsigned(&j, "messages", i->messages);
	if (live && !live->is_read)
		json_unsigned(&j, "packets", live->packets);
	else if (i->has_packets)
		json_unsigned(&j, "packets", i->packets);
	else
		json_null(&j, "packets"); /* a log that is limited in rate is no packet count (B3) */
	json_string(&j, "verdict", verdict_name(i->verdict));
	json_string(&j, "rule", rule_name(i->rule));
	json_string(&j, "cause", cause_name(i->cause));
	json_string(&j, "confidence", confidence_name(i->confidence));
	put_evidence(&j, i, live);
	put_flags(&j, i->flags);
	put_plan(&j, plan);
	put_actions(&j, live);
	json_string(&j, "state", incident_state_name(i->state));
	json_unsigned(&j, "copies", i->copies);
	json_unsigned(&j, "spis", i->spis);
	json_unsigned(&j, "sources", i->sources);
	if (explain)
		put_explain(&j, i, plan, live);
	if (live)
		live->write_rest(live->context, &j);
	json_object_end(&j);
	buffer_add_char(out, '\n');
}

void record_incident_json(const struct incident *i, const struct plan *plan, bool explain, struct buffer *out)
{
	record_incident_json_live(i, plan, explain, NULL, out);
}

void record_summary_json(const struct summary *s, struct buffer *out)
{
	struct json j;

	json_init(&j, out);
	json_object(&j, NULL);
	json_string(&j, "schema", "spimend.summary/1");
	json_unsigned(&j, "files", s->files);
	json_unsigned(&j, "files_failed", s->files_failed);
	json_unsigned(&j, "lines", s->lines);
	json_unsigned(&j, "bytes", s->bytes);
	json_unsigned(&j, "messages", s->messages);
	json_unsigned(&j, "copies", s->copies);
	json_unsigned(&j, "evidence", s->evidence);
	json_unsigned(&j, "unparsed", s->unparsed);
	json_unsigned(&j, "incidents", s->incidents);
	json_object(&j, "verdicts");
	for (int verdict = 0; verdict <= VERDICT_OTHER_FAULT; verdict++)
		json_unsigned(&j, verdict_name((enum verdict)verdict), s->by_verdict[verdict]);
	json_object_end(&j);
	json_object(&j, "troubles");
	for (size_t i = 0; i < s->trouble_count; i++)
		json_unsigned(&j, s->troubles[i].name, s->troubles[i].count);
	json_object_end(&j);
	json_object(&j, "limits");
	json_unsigned(&j, "flows_evicted", s->evicted);
	json_unsigned(&j, "flows_forgotten", s->forgotten);
	json_unsigned(&j, "flows_refused", s->refused);
	json_unsigned(&j, "neighbours_dropped", s->neighbours_dropped);
	json_unsigned(&j, "sa_tables_dropped", s->tables_dropped);
	json_unsigned(&j, "hosts_refused", s->hosts_refused);
	json_object_end(&j);
	json_array(&j, "unparsed_lines");
	for (size_t i = 0; i < s->unparsed_lines_count; i++) {
		json_object(&j, NULL);
		json_text(&j, "from", s->unparsed_lines[i].from);
		json_text(&j, "reason", s->unparsed_lines[i].reason);
		json_text(&j, "text", s->unparsed_lines[i].text);
		json_object_end(&j);
	}
	json_array_end(&j);
	if (s->captures)
		record_captures_json(s->captures, &j);
	json_object_end(&j);
	buffer_add_char(out, '\n');
}
