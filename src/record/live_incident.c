/* SPDX-License-Identifier: MIT */
/* Incidents of the gateway: the table, the objects, the lines for watchers. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/memory.h"
#include "model/kind.h"
#include "record/fleet_incident.h"
#include "record/incident_json.h"
#include "record/live_private.h"
#include "record/live_recurrence.h"
#include "record/live_rows.h"
#include "record/values.h"

#define TABLE_ROWS_MAX 200 /* of the table for people: the newest */
#define KEPT_OBJECTS_MAX 1000 /* where the disk is asked too and no limit is said */
#define FLEET_OBJECTS_MAX 8192 /* for programs: the oldest; what one answer of the control socket holds */

/* --- What is shared -------------------------------------------------------------------------------------------- */

bool live_is_over(const struct core_incident *i)
{
	return i->state == STATE_HEALED || i->state == STATE_CLOSED;
}

bool live_is_fault(const struct core_incident *i, const struct config *config, struct instant now)
{
	if (!live_loses_packets(i))
		return false;
	if (i->state == STATE_OPEN || i->state == STATE_ACTING)
		return true;
	return i->state == STATE_GAVE_UP && now.ns - i->last_seen.ns < config->close_ns;
}

bool live_loses_packets(const struct core_incident *i)
{
	return i->verdict == VERDICT_DESYNC || i->verdict == VERDICT_OTHER_FAULT;
}

int64_t live_outage(const struct core_incident *i, struct instant now)
{
	struct instant end = i->last_seen;

	if (i->state == STATE_HEALED && i->healed.ns)
		end = i->healed;
	else if (i->state == STATE_OPEN || i->state == STATE_ACTING)
		end = now;
	return end.ns > i->first_seen.ns ? end.ns - i->first_seen.ns : 0;
}

struct repair_answer live_answer(const struct core_incident *i, const struct config *config)
{
	bool plugin = i->daemon < GATEWAY_DAEMONS_MAX && config->plugins[i->daemon][0];

	return repair_answer_of(i->tunnel_kind, i->has_connection, config->invalid_spi_recovery, plugin);
}

void live_add_connection(const struct core_incident *i, struct buffer *out)
{
	if (!i->ike_name[0]) {
		buffer_add_char(out, '-');
		return;
	}
	record_add_printable(out, (struct text){ i->ike_name, strnlen(i->ike_name, sizeof(i->ike_name)) });
	if (i->child_name[0]) {
		buffer_add_char(out, '/');
		record_add_printable(out, (struct text){ i->child_name, strnlen(i->child_name, sizeof(i->child_name)) });
	}
}

static const char *protocol_of(const struct core_incident *i)
{
	return i->key.protocol == SPIMEND_PROTOCOL_AH ? "AH" : "ESP";
}

void live_add_flow(const struct core_incident *i, struct buffer *out)
{
	char address[SPIMEND_ADDRESS_TEXT_MAX];

	if (i->is_aggregate && i->sources > 1)
		buffer_add_string(out, "strangers");
	else
		buffer_add_string(out, spimend_address_print(&i->src, address));
	buffer_printf(out, " -> %s %s", spimend_address_print(&i->key.dst, address), protocol_of(i));
	if (i->encap_udp)
		buffer_add_string(out, " in UDP");
	if (!i->is_aggregate)
		buffer_printf(out, " 0x%08" PRIx32, i->key.spi);
}

void live_add_time(struct buffer *out, struct instant at)
{
	struct civil c = calendar_from_instant(at);

	buffer_printf(out, "%04d-%02d-%02d %02d:%02d:%02d.%03d", c.year, c.month, c.day, c.hour, c.minute, c.second,
		      (int)(c.nanosecond / 1000000));
}

int live_find_incident(const struct core *core, const char *id, const struct core_incident **ret)
{
	const struct core_incident *found = NULL, *exact = core_find(core, id), *is;
	size_t len = strlen(id);

	for (size_t i = 0; !exact && len && (is = core_incident_at(core, i)); i++) {
		if (strncmp(is->id, id, len) != 0)
			continue;
		if (found)
			return -ENOTUNIQ;
		found = is;
	}
	if (exact)
		found = exact;
	if (!found)
		return -ENOENT;
	*ret = found;
	return 0;
}

bool live_did_anything(const struct core_incident *i)
{
	for (uint32_t s = 0; s < i->step_count && s < CORE_STEPS_MAX; s++)
		if (i->steps[s].order)
			return true;
	return false;
}

void live_add_result(const struct core_step *step, struct buffer *out)
{
	buffer_add_string(out, order_verb_name(step->verb));
	if (!step->order) {
		buffer_add_string(out, ": planned only");
		return;
	}
	if (!step->has_result) {
		buffer_add_string(out, ": ordered, no answer yet");
		return;
	}
	buffer_printf(out, ": %s", order_outcome_name(step->result.outcome));
	if (step->result.took_ns > 0) {
		buffer_add_string(out, " after ");
		calendar_print_duration(out, step->result.took_ns);
	}
	if (step->result.text[0] && strcmp(step->result.text, order_outcome_name(step->result.outcome)) != 0) {
		buffer_add_string(out, " (");
		record_add_printable(out, (struct text){ step->result.text, strnlen(step->result.text, sizeof(step->result.text)) });
		buffer_add_char(out, ')');
	}
}

/* --- The plan -------------------------------------------------------------------------------------------------- */

/* A name that no shell reads as anything but a word. */
static bool is_plain_word(const char *name)
{
	size_t i;

	for (i = 0; name[i]; i++)
		if (!char_is_alpha(name[i]) && !char_is_digit(name[i]) && (i == 0 || !memchr("._-", name[i], 3)))
			return false;
	return i > 0;
}

static void write_command(const struct core_incident *i, enum order_verb verb, char *to, size_t size)
{
	int n = 0;

	switch (verb) {
	case ORDER_REKEY_CHILD:
		snprintf(to, size, "swanctl --rekey --child-id %" PRIu32, i->next.child_id);
		break;
	case ORDER_TERMINATE_CHILD:
		snprintf(to, size, "swanctl --terminate --child-id %" PRIu32, i->next.child_id);
		break;
	case ORDER_TERMINATE_IKE:
		snprintf(to, size, "swanctl --terminate --ike-id %" PRIu32, i->next.ike_id);
		break;
	case ORDER_INITIATE:
		if (is_plain_word(i->ike_name) && is_plain_word(i->child_name))
			n = snprintf(to, size, "swanctl --initiate --ike %s --child %s", i->ike_name, i->child_name);
		if (n <= 0 || (size_t)n >= size)
			to[0] = '\0';
		break;
	case ORDER_DELETE_SPI: /* nobody but the plugin can */
	case ORDER_LIVENESS:
	case ORDER_NOTIFY_SPI:
	case ORDER_NONE:
	case ORDER_VERBS:
		to[0] = '\0';
		break;
	}
}

static void add_step(const struct core_incident *i, enum order_verb verb, struct plan *plan)
{
	struct plan_step *s = &plan->steps[plan->count];

	if (verb == ORDER_NONE)
		return;
	plan->count++;
	s->has_on = true;
	s->on = i->key.dst;
	s->role = PLAN_RECEIVER;
	s->needs_approval = i->next.needs_person;
	write_command(i, verb, s->command, sizeof(s->command));
	if (i->next.rung == RUNG_INITIATE_IKE)
		snprintf(s->blast_radius, sizeof(s->blast_radius), "the peer drops whatever older SAs it has with us");
	else if (verb == ORDER_DELETE_SPI)
		snprintf(s->blast_radius, sizeof(s->blast_radius), "that one SA at the peer, which is dead here; nothing where it has none");
	else if (i->next.blast_children > 1)
		snprintf(s->blast_radius, sizeof(s->blast_radius), "all %" PRIu32 " children of that IKE SA", i->next.blast_children);
	else
		snprintf(s->blast_radius, sizeof(s->blast_radius), "that child only");
	snprintf(s->why, sizeof(s->why), "%s%s%s", repair_rung_help(i->next.rung), i->next.refusal == REFUSE_NONE ? "" : " Not done: ",
		 i->next.refusal == REFUSE_NONE ? "" : repair_refusal_help(i->next.refusal));
}

void live_plan(const struct core_incident *i, const struct incident *view, struct plan *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (live_is_over(i) || i->is_aggregate)
		return;
	if (i->next.rung != RUNG_NONE) {
		add_step(i, i->next.first, ret);
		add_step(i, i->next.then, ret);
	} else if (i->next.needs_person && i->verdict != VERDICT_UNDECIDED) {
		plan_build(view, ret); /* what a person can do where a program may not */
	}
}

/* --- JSON ------------------------------------------------------------------------------------------------------ */

struct rest {
	const struct live_view *view;
	const struct core_incident *is;
	const struct buffer *note; /* borrows; NULL: none */
};

static void put_name(struct json *j, const char *key, const char *name, size_t size)
{
	record_put_text(j, key, (struct text){ name, strnlen(name, size) });
}

static void write_ledger(const struct core_incident *i, struct json *j)
{
	if (!i->has_ledger) {
		json_null(j, "ledger");
		return;
	}
	json_object(j, "ledger");
	record_put_time(j, "born", i->born.ns != 0, i->born);
	record_put_time(j, "died", i->died.ns != 0, i->died);
	json_string(j, "death", ledger_death_name(i->death));
	json_object_end(j);
}

static void write_next(const struct core_incident *i, struct json *j)
{
	if (live_is_over(i)) {
		json_null(j, "next");
		return;
	}
	json_object(j, "next");
	json_string(j, "rung", i->next.rung == RUNG_NONE ? NULL : repair_rung_name(i->next.rung));
	json_string(j, "refusal", i->next.refusal == REFUSE_NONE ? NULL : repair_refusal_name(i->next.refusal));
	json_string(j, "why", i->next.refusal == REFUSE_NONE ? NULL : repair_refusal_help(i->next.refusal));
	record_put_time(j, "again", i->waits_until.ns != 0, i->waits_until);
	json_bool(j, "needs_person", i->next.needs_person);
	json_unsigned(j, "blast_children", i->next.blast_children);
	json_object_end(j);
}

static void write_answer(const char *key, const struct repair_decision *d, struct json *j)
{
	json_object(j, key);
	json_string(j, "rung", d->rung == RUNG_NONE ? NULL : repair_rung_name(d->rung));
	json_string(j, "refusal", d->refusal == REFUSE_NONE ? NULL : repair_refusal_name(d->refusal));
	json_object_end(j);
}

static void write_kind(const struct rest *rest, struct json *j)
{
	const struct core_incident *i = rest->is;
	struct repair_answer ours = live_answer(i, rest->view->config);

	if (i->is_aggregate) {
		json_null(j, "kind");
		return;
	}
	json_object(j, "kind");
	json_string(j, "told_by", kind_help(i->tunnel_kind));
	json_string(j, "receiver_may_start_ike", kind_recovery_name(kind_invalid_spi_recovery(i->tunnel_kind)));
	write_answer("over_ike", &ours.over_ike, j);
	write_answer("without_ike", &ours.without_ike, j);
	json_object_end(j);
}

static bool view_has_frozen(const struct live_view *view, const char *id)
{
	return view->recorder && view->recorder->frozen && frozen_has(view->recorder->frozen, id);
}

static void write_rest(void *context, struct json *j)
{
	const struct rest *rest = context;
	const struct core_incident *i = rest->is;
	struct text left, line;

	json_object(j, "live");
	put_name(j, "connection", i->ike_name, sizeof(i->ike_name));
	put_name(j, "child", i->child_name, sizeof(i->child_name));
	json_unsigned(j, "daemon", i->daemon);
	json_string(j, "seen_by", i->is_suspicion ? "sender" : "receiver");
	record_put_time(j, "decided", i->decided.ns != 0, i->decided);
	record_put_time(j, "healed", i->state == STATE_HEALED && i->healed.ns, i->healed);
	if (live_loses_packets(i))
		json_unsigned(j, "outage_ms", (uint64_t)live_outage(i, rest->view->now.wall) / 1000000);
	else
		json_null(j, "outage_ms");
	json_unsigned(j, "replays", i->replays);
	json_unsigned(j, "sequence_first", i->sequence_first);
	json_unsigned(j, "sequence_last", i->sequence_last);
	if (i->sequence_known)
		json_unsigned(j, "sequence_known", i->sequence_known);
	else
		json_null(j, "sequence_known");
	write_ledger(i, j);
	write_next(i, j);
	write_kind(rest, j);
	json_bool(j, "frozen", view_has_frozen(rest->view, i->id));
	json_object_end(j);
	if (!rest->note)
		return;
	json_array(j, "note");
	left = buffer_text(rest->note);
	while (text_take_line(&left, &line))
		json_text(j, NULL, line);
	json_array_end(j);
}

static void put_incident(const struct live_view *view, const struct core_incident *is, const struct buffer *note,
			 struct buffer *out)
{
	struct record_action actions[CORE_STEPS_MAX];
	struct rest rest = { view, is, note };
	struct record_live live = { .packets = is->packets, .actions = actions, .write_rest = write_rest, .context = &rest };
	struct core_view_room room;
	struct incident incident;
	struct plan *plan cleanup(memory_free_pointer) = memory_new(1, sizeof(*plan));

	if (!plan) {
		out->failed = true;
		return;
	}
	for (uint32_t k = 0; k < is->step_count && k < CORE_STEPS_MAX; k++) {
		const struct core_step *s = &is->steps[k];

		actions[live.action_count++] = (struct record_action){
			.at = s->at,
			.verb = order_verb_name(s->verb),
			.rung = repair_rung_name(s->rung),
			.order = s->order,
			.outcome = s->has_result ? order_outcome_name(s->result.outcome) : NULL,
			.took_ns = s->result.took_ns,
			.text = { s->result.text, strnlen(s->result.text, sizeof(s->result.text)) },
			.answer = s->has_result && s->result.has_answer ? plugin_outcome_name((enum plugin_outcome)s->result.answer) : NULL,
			.has_peer_spi = s->has_result && s->result.has_peer_spi,
			.peer_spi = s->result.peer_spi,
		};
	}
	core_view(is, view->config, &room, &incident);
	live_plan(is, &incident, plan);
	record_incident_json_live(&incident, plan, note != NULL, &live, out); /* in full where it is told in full */
}

void live_explain_json(const struct live_view *view, const struct core_incident *is, struct buffer *out)
{
	struct buffer note = { 0 };

	live_explain_text(view, is, &note);
	put_incident(view, is, &note, out);
	out->failed |= note.failed;
	buffer_done(&note);
}

void live_watch_json(const struct live_view *view, const struct core_incident *is, struct buffer *out)
{
	put_incident(view, is, NULL, out);
}

struct counts {
	uint64_t all, evidence, faults, by_verdict[VERDICT_OTHER_FAULT + 1], by_state[INCIDENT_STATES], packets;
};

/* What stands in an incident between devices, which it belongs to. */
static uint64_t count_joined(const struct live_view *view, const struct live_pairs *pairs)
{
	uint64_t joined = 0;

	for (size_t i = 0; view->fleet && i < judge_incidents(view->fleet->judge); i++)
		joined += live_fleet_is_listed(view->fleet, i) && !live_fleet_is_shown(view->fleet, pairs, i);
	return joined;
}

static bool is_fault(const struct live_view *view, const struct live_row *row)
{
	if (row->is)
		return live_is_fault(row->is, view->config, view->now.wall);
	if (row->case_is)
		return live_case_is_fault(row->case_is, view->config, view->now.wall);
	return !row->on_disk && live_fleet_is_fault(view->fleet, view->config, view->now.wall, row->index);
}

static struct counts count(const struct live_view *view, const struct live_rows *rows)
{
	struct counts c = { .all = rows->count };

	for (size_t i = 0; i < rows->count; i++) {
		const struct live_row *row = &rows->at[i];

		c.faults += is_fault(view, row);
		c.by_verdict[row->row.verdict]++;
		c.by_state[row->row.state]++;
		if (row->is)
			c.packets += row->is->packets;
		c.evidence += row->is ? row->is->evidence_count : row->case_is ? row->case_is->evidence_count : 0;
	}
	return c;
}

/* --- From the disk -------------------------------------------------------------------------------------------------- */

struct stored { /* one at a time */
	struct core_incident is;
	struct fleet_incident case_is;
};

/* Fills in what a row on disk stands for. False: it is not there any more, or cannot be read. */
static bool load(const struct live_view *view, struct live_row *row, struct stored *to)
{
	if (!row->on_disk)
		return true;
	if (row->row.origin == INCIDENT_OF_GATEWAY && store_find_incident(view->disk, row->row.id, &to->is) == 0)
		row->is = &to->is;
	else if (row->row.origin == INCIDENT_OF_DEVICES && store_find_case(view->disk, row->row.id, &to->case_is) == 0)
		row->case_is = &to->case_is;
	return row->is || row->case_is;
}

static void put_fleet_limits(const struct live_view *view, struct json *j)
{
	const struct judge_counts *judged = view->fleet ? judge_counts(view->fleet->judge) : NULL;

	json_unsigned(j, "syslog_flows_evicted", judged ? judged->evicted : 0);
	json_unsigned(j, "syslog_flows_refused", judged ? judged->refused : 0);
}

void live_incidents_json(const struct live_view *view, struct buffer *out)
{
	struct stored *stored cleanup(memory_free_pointer) = memory_new(1, sizeof(*stored));
	struct core_figures figures = core_figures(view->core, view->now);
	cleanup(live_pairs_done) struct live_pairs pairs = { 0 };
	cleanup(live_rows_done) struct live_rows rows = { 0 };
	uint64_t fleet = 0, unread = 0;
	struct counts c;
	struct json j;

	if (!stored || live_pairs_new(view->cases, view->config, &pairs) < 0 ||
	    live_rows_new(view, &pairs, view->filter, view->filter ? KEPT_OBJECTS_MAX : UINT32_MAX, true, &rows) < 0) {
		out->failed = true;
		return;
	}
	c = count(view, &rows);
	for (size_t i = 0; i < rows.count; i++) {
		struct live_row row = rows.at[i];

		if (!load(view, &row, stored)) {
			unread++;
			continue;
		}
		if (row.on_disk)
			c.evidence += row.is ? row.is->evidence_count : row.case_is->evidence_count;
		if (row.is)
			put_incident(view, row.is, NULL, out);
		else if (row.case_is)
			record_fleet_json(row.case_is, view->config->mode, false, out);
		else if (fleet++ < FLEET_OBJECTS_MAX)
			live_fleet_json(view->fleet, view->config, view->now.wall, row.index, false, out);
	}
	json_init(&j, out);
	json_object(&j, NULL);
	json_string(&j, "schema", "spimend.summary/1");
	json_unsigned(&j, "files", 0); /* no log was read */
	json_unsigned(&j, "files_failed", 0);
	json_unsigned(&j, "lines", view->fleet ? view->fleet->counts->lines : 0);
	json_unsigned(&j, "bytes", 0);
	json_unsigned(&j, "messages", c.packets + (view->fleet ? judge_counts(view->fleet->judge)->messages : 0));
	json_unsigned(&j, "copies", view->fleet ? judge_counts(view->fleet->judge)->copies : 0);
	json_unsigned(&j, "evidence", c.evidence);
	json_unsigned(&j, "unparsed", view->fleet ? view->fleet->counts->unread : 0);
	json_unsigned(&j, "incidents", c.all);
	json_unsigned(&j, "faults", c.faults);
	json_object(&j, "verdicts");
	for (int v = 0; v <= VERDICT_OTHER_FAULT; v++)
		json_unsigned(&j, verdict_name((enum verdict)v), c.by_verdict[v]);
	json_object_end(&j);
	json_object(&j, "states");
	for (int s = 0; s < INCIDENT_STATES; s++)
		json_unsigned(&j, incident_state_name((enum incident_state)s), c.by_state[s]);
	json_object_end(&j);
	json_object(&j, "troubles");
	json_object_end(&j);
	json_object(&j, "limits");
	json_unsigned(&j, "incidents_dropped", figures.incidents_dropped);
	json_unsigned(&j, "flows_refused", figures.flows_refused);
	json_unsigned(&j, "incidents_left_out", rows.left_out + unread + (fleet > FLEET_OBJECTS_MAX ? fleet - FLEET_OBJECTS_MAX : 0));
	json_unsigned(&j, "syslog_joined", count_joined(view, &pairs));
	put_fleet_limits(view, &j);
	json_object_end(&j);
	live_recurrences_json(view, &j);
	json_array(&j, "unparsed_lines");
	json_array_end(&j);
	json_object_end(&j);
	buffer_add_char(out, '\n');
}

/* --- Text ------------------------------------------------------------------------------------------------------ */

void live_add_cell(struct buffer *out, struct buffer *cell, size_t width)
{
	buffer_add(out, buffer_text(cell));
	buffer_add_repeat(out, ' ', cell->len < width ? width - cell->len : 0);
	buffer_add_char(out, ' ');
	buffer_clear(cell);
}

static void add_row(const struct live_view *view, const struct core_incident *is, struct buffer *out)
{
	struct buffer cell = { 0 };

	buffer_printf(out, "%-6s %-10s %-11s ", is->id, incident_state_name(is->state), verdict_name(is->verdict));
	buffer_add_string(&cell, cause_name(is->cause));
	live_add_cell(out, &cell, 22);
	calendar_print_short(&cell, is->first_seen);
	live_add_cell(out, &cell, 19);
	if (live_loses_packets(is))
		calendar_print_duration(&cell, live_outage(is, view->now.wall));
	else
		buffer_add_char(&cell, '-');
	live_add_cell(out, &cell, 11);
	live_add_connection(is, &cell);
	live_add_cell(out, &cell, 16);
	live_add_flow(is, out);
	buffer_add_char(out, '\n');
	buffer_done(&cell);
}

static void add_footer(const struct live_view *view, const struct live_rows *rows, const struct counts *c,
		       struct buffer *out)
{
	bool first = true;

	if (rows->left_out && view->filter)
		buffer_printf(out, "... and %" PRIu64 " older ones: --limit %" PRIu64 " lists them all\n", rows->left_out,
			      rows->left_out + rows->count < INCIDENT_LIMIT_MAX ? rows->left_out + rows->count : INCIDENT_LIMIT_MAX);
	else if (rows->left_out)
		buffer_printf(out, "... and %" PRIu64 " older ones: --json lists them all\n", rows->left_out);
	buffer_printf(out, "%" PRIu64 " incident%s", c->all, text_plural(c->all));
	for (int s = 0; s < INCIDENT_STATES; s++) {
		if (!c->by_state[s])
			continue;
		buffer_printf(out, "%s%" PRIu64 " %s", first ? ": " : ", ", c->by_state[s], incident_state_name((enum incident_state)s));
		first = false;
	}
	if (c->faults)
		buffer_printf(out, "; %" PRIu64 " fault%s that lose%s packets now", c->faults, c->faults == 1 ? "" : "s",
			      c->faults == 1 ? "s" : "");
	buffer_add_char(out, '\n');
}

/* What the table does not show without being asked. */
static void add_older(const struct live_view *view, const struct live_rows *rows, struct buffer *out)
{
	uint64_t kept = view->disk && !view->filter ? store_count(view->disk) : 0, shown = 0;

	for (size_t i = 0; i < rows->count; i++)
		shown += rows->at[i].row.origin != INCIDENT_OF_LOGS;
	if (kept > shown + rows->left_out)
		buffer_add_string(out, "Older ones are on disk: --since 30d and the other options look there too.\n");
}

void live_incidents_text(const struct live_view *view, struct buffer *out)
{
	struct stored *stored cleanup(memory_free_pointer) = memory_new(1, sizeof(*stored));
	cleanup(live_pairs_done) struct live_pairs pairs = { 0 };
	cleanup(live_rows_done) struct live_rows rows = { 0 };
	struct counts c;

	if (!stored || live_pairs_new(view->cases, view->config, &pairs) < 0 ||
	    live_rows_new(view, &pairs, view->filter, view->filter ? TABLE_ROWS_MAX : UINT32_MAX, true, &rows) < 0) {
		out->failed = true;
		return;
	}
	c = count(view, &rows);
	if (!view->filter && rows.count > TABLE_ROWS_MAX)
		rows.left_out = rows.count - TABLE_ROWS_MAX; /* counted below all the same */
	live_cases_asking(view->cases, out);
	if (rows.count)
		buffer_printf(out, "%-6s %-10s %-11s %-22s %-19s %-11s %-16s %s\n", "ID", "STATE", "VERDICT", "CAUSE", "FIRST SEEN (UTC)",
			      "OUTAGE", "CONNECTION", "FLOW");
	for (size_t i = view->filter ? 0 : rows.left_out; i < rows.count; i++) {
		struct live_row row = rows.at[i];

		if (!load(view, &row, stored))
			continue;
		if (row.is)
			add_row(view, row.is, out);
		else if (row.case_is)
			live_case_row(row.case_is, view->now.wall, out);
		else
			live_fleet_row(view->fleet, view->config, view->now.wall, row.index, out);
	}
	add_footer(view, &rows, &c, out);
	add_older(view, &rows, out);
	live_recurrences_text(view, out);
}

/* What happened last, in a few words. */
static void add_latest(const struct core_incident *is, const struct live_view *view, struct buffer *out)
{
	const struct core_step *step = is->step_count && is->step_count <= CORE_STEPS_MAX ? &is->steps[is->step_count - 1] : NULL;

	if (is->state == STATE_HEALED) {
		buffer_add_string(out, "healed after ");
		calendar_print_duration(out, live_outage(is, view->now.wall));
		if (!live_did_anything(is))
			buffer_add_string(out, ", without a step of ours");
	} else if (is->state == STATE_ACTING && step) {
		live_add_result(step, out);
	} else if (is->state == STATE_OPEN && is->next.rung != RUNG_NONE) {
		buffer_printf(out, "planned is %s", repair_rung_name(is->next.rung));
		if (is->next.refusal != REFUSE_NONE)
			buffer_printf(out, " (%s)", repair_refusal_name(is->next.refusal));
		buffer_printf(out, ", %" PRIu64 " packets lost", is->packets);
	} else if (is->state == STATE_OPEN && is->next.refusal != REFUSE_NONE) {
		buffer_printf(out, "nothing is done (%s)", repair_refusal_name(is->next.refusal));
	} else {
		buffer_printf(out, "%" PRIu64 " packet%s", is->packets, is->packets == 1 ? "" : "s");
	}
}

uint64_t live_watch_mark(const struct core_incident *is)
{
	static const struct hash_key key = { 1, 2 };
	uint64_t words[16 + 3 * CORE_STEPS_MAX] = {
		is->state, is->verdict, is->cause, is->confidence, is->is_aggregate, is->next.rung, is->next.refusal,
		is->next.needs_person, is->next.first, is->next.then, is->step_count,
	};

	for (uint32_t i = 0; i < is->step_count && i < CORE_STEPS_MAX; i++) {
		words[16 + 3 * i] = is->steps[i].order;
		words[17 + 3 * i] = (uint64_t)is->steps[i].verb << 32 | is->steps[i].rung;
		words[18 + 3 * i] = is->steps[i].has_result ? 1 + (uint64_t)is->steps[i].result.outcome : 0;
	}
	return hash_bytes(&key, words, sizeof(words));
}

void live_watch_text(const struct live_view *view, const struct core_incident *is, struct buffer *out)
{
	live_add_time(out, view->now.wall);
	buffer_printf(out, " %s %s %s: ", is->id, verdict_name(is->verdict), incident_state_name(is->state));
	live_add_flow(is, out);
	if (is->ike_name[0]) {
		buffer_add_string(out, ", ");
		live_add_connection(is, out);
	}
	if (is->cause != CAUSE_UNKNOWN)
		buffer_printf(out, ", %s", cause_name(is->cause));
	if (is->confidence != CONFIDENCE_NONE)
		buffer_printf(out, " (%s)", confidence_name(is->confidence));
	buffer_add_string(out, "; ");
	add_latest(is, view, out);
	buffer_add_char(out, '\n');
}
