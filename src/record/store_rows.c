/* SPDX-License-Identifier: MIT */
/* Which member stands in which column. No key material has one. */
#include <inttypes.h>

#include "record/store_private.h"

#define WORD(name, type)                               \
	static const char *word_##name(int value)      \
	{                                              \
		return name##_name((enum type)value); \
	}

WORD(ledger_state, ledger_state)
WORD(ledger_death, ledger_death)
WORD(tunnel_kind, tunnel_kind)
WORD(verdict, verdict)
WORD(rule, rule)
WORD(cause, cause)
WORD(incident_state, incident_state)
WORD(repair_rung, repair_rung)
WORD(repair_refusal, repair_refusal)
WORD(order_verb, order_verb)
WORD(order_outcome, order_outcome)
WORD(fact_kind, fact_kind)
WORD(fact_dialect, fact_dialect)
WORD(fleet_step_state, fleet_step_state)
WORD(device_verb, device_verb)
WORD(device_color, device_color)

static const char *word_confidence(int value)
{
	return value == CONFIDENCE_NONE ? "none" : confidence_name((enum confidence)value);
}

#define PLAIN(name, type, at) { name, type, at, 0, NULL }
#define ENUM(name, at, count, word) { name, COLUMN_NAME, at, count, word }

#define L(member) offsetof(struct ledger_entry, member)
static const struct column ledger_columns[] = {
	PLAIN("dst", COLUMN_ADDRESS, L(key.dst)),
	PLAIN("protocol", COLUMN_U8, L(key.protocol)),
	PLAIN("spi", COLUMN_U32, L(key.spi)),
	PLAIN("peer", COLUMN_ADDRESS, L(peer)),
	PLAIN("daemon", COLUMN_U16, L(daemon)),
	PLAIN("encap_udp", COLUMN_BOOL, L(encap_udp)),
	PLAIN("has_sequence", COLUMN_BOOL, L(has_sequence)),
	PLAIN("went_both_ways", COLUMN_BOOL, L(went_both_ways)),
	PLAIN("death_seen", COLUMN_BOOL, L(death_seen)),
	ENUM("state", L(state), LEDGER_STATES, word_ledger_state),
	ENUM("death", L(death), DEATHS, word_ledger_death),
	PLAIN("sequence_highest", COLUMN_U32, L(sequence_highest)),
	PLAIN("spi_out", COLUMN_U32, L(spi_out)),
	PLAIN("ike_id", COLUMN_U32, L(ike_id)),
	PLAIN("child_id", COLUMN_U32, L(child_id)),
	PLAIN("connection", COLUMN_U64, L(connection)),
	ENUM("kind", L(kind), TUNNEL_KINDS, word_tunnel_kind),
	PLAIN("born_ns", COLUMN_I64, L(born)),
	PLAIN("died_ns", COLUMN_I64, L(died)),
	PLAIN("ends_ns", COLUMN_I64, L(ends)),
};

#define I(member) offsetof(struct core_incident, member)
static const struct column incident_columns[] = {
	{ "id", COLUMN_TEXT, I(id), INCIDENT_ID_MAX, NULL },
	PLAIN("dst", COLUMN_ADDRESS, I(key.dst)),
	PLAIN("protocol", COLUMN_U8, I(key.protocol)),
	PLAIN("spi", COLUMN_U32, I(key.spi)),
	PLAIN("src", COLUMN_ADDRESS, I(src)),
	PLAIN("encap_udp", COLUMN_BOOL, I(encap_udp)),
	PLAIN("is_suspicion", COLUMN_BOOL, I(is_suspicion)),
	PLAIN("is_aggregate", COLUMN_BOOL, I(is_aggregate)),
	PLAIN("src_port", COLUMN_U16, I(src_port)),
	{ "interface", COLUMN_TEXT, I(interface), GATEWAY_INTERFACE_MAX, NULL },
	PLAIN("daemon", COLUMN_U16, I(daemon)),
	PLAIN("has_connection", COLUMN_BOOL, I(has_connection)),
	PLAIN("connection", COLUMN_U64, I(connection)),
	{ "ike_name", COLUMN_TEXT, I(ike_name), GATEWAY_NAME_MAX, NULL },
	{ "child_name", COLUMN_TEXT, I(child_name), GATEWAY_NAME_MAX, NULL },
	ENUM("tunnel_kind", I(tunnel_kind), TUNNEL_KINDS, word_tunnel_kind),
	ENUM("verdict", I(verdict), VERDICT_OTHER_FAULT + 1, word_verdict),
	ENUM("rule", I(rule), RULE_COUNT, word_rule),
	ENUM("cause", I(cause), CAUSE_COUNT, word_cause),
	ENUM("confidence", I(confidence), CONFIDENCE_CERTAIN + 1, word_confidence),
	ENUM("state", I(state), INCIDENT_STATES, word_incident_state),
	PLAIN("flags", COLUMN_U32, I(flags)),
	PLAIN("first_seen_ns", COLUMN_I64, I(first_seen)),
	PLAIN("last_seen_ns", COLUMN_I64, I(last_seen)),
	PLAIN("decided_ns", COLUMN_I64, I(decided)),
	PLAIN("healed_ns", COLUMN_I64, I(healed)),
	PLAIN("packets", COLUMN_U64, I(packets)),
	PLAIN("replays", COLUMN_U64, I(replays)),
	PLAIN("sources", COLUMN_U64, I(sources)),
	PLAIN("spis", COLUMN_U64, I(spis)),
	PLAIN("sequence_first", COLUMN_U32, I(sequence_first)),
	PLAIN("sequence_last", COLUMN_U32, I(sequence_last)),
	PLAIN("sequence_known", COLUMN_U32, I(sequence_known)),
	PLAIN("has_ledger", COLUMN_BOOL, I(has_ledger)),
	ENUM("death", I(death), DEATHS, word_ledger_death),
	PLAIN("born_ns", COLUMN_I64, I(born)),
	PLAIN("died_ns", COLUMN_I64, I(died)),
	PLAIN("ends_ns", COLUMN_I64, I(ends)),
	ENUM("next_rung", I(next.rung), RUNGS, word_repair_rung),
	ENUM("next_refusal", I(next.refusal), REFUSALS, word_repair_refusal),
	ENUM("next_first", I(next.first), ORDER_VERBS, word_order_verb),
	ENUM("next_then", I(next.then), ORDER_VERBS, word_order_verb),
	PLAIN("next_ike_id", COLUMN_U32, I(next.ike_id)),
	PLAIN("next_child_id", COLUMN_U32, I(next.child_id)),
	PLAIN("next_connection", COLUMN_U64, I(next.connection)),
	PLAIN("next_opens_ike", COLUMN_BOOL, I(next.opens_ike)),
	PLAIN("next_needs_person", COLUMN_BOOL, I(next.needs_person)),
	PLAIN("next_blast_children", COLUMN_U32, I(next.blast_children)),
	ENUM("rung", I(rung), RUNGS, word_repair_rung),
	PLAIN("evidence_cut", COLUMN_BOOL, I(evidence_cut)),
};

#define S(member) offsetof(struct core_step, member)
static const struct column step_columns[] = {
	PLAIN("order_id", COLUMN_U64, S(order)),
	ENUM("verb", S(verb), ORDER_VERBS, word_order_verb),
	ENUM("rung", S(rung), RUNGS, word_repair_rung),
	PLAIN("at_ns", COLUMN_I64, S(at)),
	PLAIN("has_result", COLUMN_BOOL, S(has_result)),
	PLAIN("result_id", COLUMN_U64, S(result.id)),
	ENUM("outcome", S(result.outcome), OUTCOMES, word_order_outcome),
	PLAIN("took_ns", COLUMN_I64, S(result.took_ns)),
	{ "text", COLUMN_TEXT, S(result.text), sizeof(((struct order_result *)0)->text), NULL },
	PLAIN("has_answer", COLUMN_BOOL, S(result.has_answer)),
	PLAIN("answer", COLUMN_U8, S(result.answer)),
	PLAIN("has_peer_spi", COLUMN_BOOL, S(result.has_peer_spi)),
	PLAIN("peer_spi", COLUMN_U32, S(result.peer_spi)),
	PLAIN("has_child", COLUMN_BOOL, S(result.has_child)),
	PLAIN("child_id", COLUMN_U32, S(result.child_id)),
};

#define E(member) offsetof(struct core_evidence, member)
static const struct column evidence_columns[] = {
	PLAIN("at_ns", COLUMN_I64, E(at)),
	ENUM("kind", E(kind), FACT_KINDS, word_fact_kind),
	{ "text", COLUMN_TEXT, E(text), CORE_EVIDENCE_TEXT_MAX, NULL },
};

#define C(member) offsetof(struct kept_claim, claim.member)
static const struct column claim_columns[] = {
	PLAIN("number", COLUMN_U64, offsetof(struct kept_claim, number)),
	ENUM("kind", C(fact.kind), FACT_KINDS, word_fact_kind),
	ENUM("dialect", C(fact.dialect), DIALECT_COUNT, word_fact_dialect),
	PLAIN("reason", COLUMN_U32, C(fact.reason)),
	PLAIN("has", COLUMN_U32, C(fact.has)),
	PLAIN("flags", COLUMN_U32, C(fact.flags)),
	PLAIN("protocol", COLUMN_U32, C(fact.protocol)),
	PLAIN("src", COLUMN_ADDRESS, C(fact.src)),
	PLAIN("dst", COLUMN_ADDRESS, C(fact.dst)),
	PLAIN("spi", COLUMN_U32, C(fact.spi)),
	PLAIN("spi_out", COLUMN_U32, C(fact.spi_out)),
	PLAIN("sequence", COLUMN_U64, C(fact.sequence)),
	PLAIN("count", COLUMN_U64, C(fact.count)),
	PLAIN("lifetime_s", COLUMN_U64, C(fact.lifetime_s)),
	PLAIN("controller_keyed", COLUMN_BOOL, C(fact.controller_keyed)),
	PLAIN("encap_udp", COLUMN_BOOL, C(fact.encap_udp)),
	{ "interface", COLUMN_TEXT, C(fact.interface), FACT_INTERFACE_MAX, NULL },
	PLAIN("source", COLUMN_ADDRESS, C(source)),
	PLAIN("way", COLUMN_U8, C(way)),
	PLAIN("file", COLUMN_U32, C(file)),
	PLAIN("line", COLUMN_U64, C(line)),
	{ "host", COLUMN_TEXT, C(host), SYSLOG_HOST_MAX, NULL },
	PLAIN("has_at", COLUMN_BOOL, C(has_at)),
	PLAIN("has_heard", COLUMN_BOOL, C(has_heard)),
	PLAIN("is_repeat", COLUMN_BOOL, C(is_repeat)),
	PLAIN("is_alone", COLUMN_BOOL, C(is_alone)),
	PLAIN("at_ns", COLUMN_I64, C(at)),
	PLAIN("heard_ns", COLUMN_I64, C(heard)),
	{ "text", COLUMN_TEXT, C(text), SYSLOG_TEXT_MAX + 1, NULL },
};

#define TEXT_IN(name, type, member) \
	{ name, COLUMN_TEXT, offsetof(struct type, member), sizeof(((struct type *)0)->member), NULL }
#define F(member) offsetof(struct fleet_incident, member)
static const struct column case_columns[] = {
	TEXT_IN("id", fleet_incident, id),
	TEXT_IN("receiver", fleet_incident, receiver),
	TEXT_IN("sender", fleet_incident, sender),
	PLAIN("src", COLUMN_ADDRESS, F(src)),
	PLAIN("dst", COLUMN_ADDRESS, F(dst)),
	PLAIN("protocol", COLUMN_U8, F(protocol)),
	PLAIN("spi0", COLUMN_U32, F(spis[0].value)),
	PLAIN("spi1", COLUMN_U32, F(spis[1].value)),
	PLAIN("spi2", COLUMN_U32, F(spis[2].value)),
	PLAIN("spi3", COLUMN_U32, F(spis[3].value)),
	PLAIN("spi_count", COLUMN_U32, F(spi_count)),
	PLAIN("has_stale", COLUMN_BOOL, F(has_stale)),
	PLAIN("stale", COLUMN_U32, F(stale.value)),
	PLAIN("stale_ends_ns", COLUMN_I64, F(stale_ends)),
	TEXT_IN("interface", fleet_incident, interface),
	ENUM("tunnel_kind", F(tunnel_kind), TUNNEL_KINDS, word_tunnel_kind),
	PLAIN("has_ike", COLUMN_BOOL, F(has_ike)),
	ENUM("verdict", F(verdict), VERDICT_OTHER_FAULT + 1, word_verdict),
	ENUM("rule", F(rule), RULE_COUNT, word_rule),
	ENUM("cause", F(cause), CAUSE_COUNT, word_cause),
	ENUM("confidence", F(confidence), CONFIDENCE_CERTAIN + 1, word_confidence),
	ENUM("state", F(state), INCIDENT_STATES, word_incident_state),
	PLAIN("flags", COLUMN_U32, F(flags)),
	PLAIN("first_seen_ns", COLUMN_I64, F(first_seen)),
	PLAIN("last_seen_ns", COLUMN_I64, F(last_seen)),
	PLAIN("decided_ns", COLUMN_I64, F(decided)),
	PLAIN("ended_ns", COLUMN_I64, F(ended)),
	PLAIN("messages", COLUMN_U64, F(messages)),
	PLAIN("is_burst", COLUMN_BOOL, F(is_burst)),
	PLAIN("sources", COLUMN_U32, F(sources)),
	PLAIN("looks", COLUMN_U32, F(looks)),
	PLAIN("evidence_cut", COLUMN_U32, F(evidence_cut)),
	TEXT_IN("why", fleet_incident, why),
};
_Static_assert(FLEET_SPIS_MAX == 4, "a column each");

#define T(member) offsetof(struct fleet_step, member)
static const struct column case_step_columns[] = {
	ENUM("state", T(state), FLEET_STEP_STATES, word_fleet_step_state),
	ENUM("verb", T(verb), DEVICE_VERBS, word_device_verb),
	PLAIN("request", COLUMN_U64, T(request)),
	PLAIN("peer", COLUMN_ADDRESS, T(peer)),
	PLAIN("protocol", COLUMN_U8, T(protocol)),
	PLAIN("spi", COLUMN_U32, T(spi.value)),
	ENUM("color", T(color), DEVICE_COLORS, word_device_color),
	TEXT_IN("device", fleet_step, on),
	TEXT_IN("command", fleet_step, command),
	PLAIN("blast_told", COLUMN_BOOL, T(blast.told)),
	PLAIN("blast_bfd_up", COLUMN_U32, T(blast.bfd_up)),
	PLAIN("blast_control_up", COLUMN_U32, T(blast.control_up)),
	PLAIN("blast_flows", COLUMN_U32, T(blast.flows)),
	PLAIN("needs_person", COLUMN_BOOL, T(needs_person)),
	PLAIN("helped", COLUMN_BOOL, T(helped)),
	TEXT_IN("who", fleet_step, who),
	PLAIN("offered_ns", COLUMN_I64, T(offered)),
	PLAIN("decided_ns", COLUMN_I64, T(decided)),
	PLAIN("ordered_ns", COLUMN_I64, T(ordered)),
	PLAIN("ended_ns", COLUMN_I64, T(ended)),
	TEXT_IN("outcome", fleet_step, outcome),
};

#define V(member) offsetof(struct fleet_evidence, member)
static const struct column case_evidence_columns[] = {
	PLAIN("at_ns", COLUMN_I64, V(at)),
	ENUM("kind", V(kind), FACT_KINDS, word_fact_kind),
	PLAIN("other_end", COLUMN_BOOL, V(other_end)),
	TEXT_IN("device", fleet_evidence, from),
	TEXT_IN("text", fleet_evidence, text),
};

#define COLUMNS(array) array, sizeof(array) / sizeof(array[0])
const struct table table_ledger = { "ledger", "dst, protocol, spi", COLUMNS(ledger_columns), false };
const struct table table_incident = { "incident", "id", COLUMNS(incident_columns), false };
const struct table table_step = { "step", "incident, number", COLUMNS(step_columns), true };
const struct table table_evidence = { "evidence", "incident, number", COLUMNS(evidence_columns), true };
const struct table table_claim = { "claim", "number", COLUMNS(claim_columns), false };
const struct table table_case = { "fleet_incident", "id", COLUMNS(case_columns), false };
const struct table table_case_step = { "fleet_step", "incident, number", COLUMNS(case_step_columns), true };
const struct table table_case_evidence = { "fleet_evidence", "incident, number", COLUMNS(case_evidence_columns), true };
const struct table *const store_tables[STORE_TABLES] = { &table_ledger, &table_incident, &table_step, &table_evidence,
							     &table_claim, &table_case, &table_case_step, &table_case_evidence };

/* --- Values ---------------------------------------------------------------------------------------------------- */

static int bind_column(const struct column *c, sqlite3_stmt *statement, int at, const void *member)
{
	char address[SPIMEND_ADDRESS_TEXT_MAX];

	switch (c->type) {
	case COLUMN_BOOL:
		return sqlite3_bind_int(statement, at, *(const bool *)member);
	case COLUMN_U8:
		return sqlite3_bind_int(statement, at, *(const uint8_t *)member);
	case COLUMN_U16:
		return sqlite3_bind_int(statement, at, *(const uint16_t *)member);
	case COLUMN_U32:
		return sqlite3_bind_int64(statement, at, *(const uint32_t *)member);
	case COLUMN_U64: /* SQLite has no unsigned: the bits are kept */
		return sqlite3_bind_int64(statement, at, (sqlite3_int64)*(const uint64_t *)member);
	case COLUMN_I64:
		return sqlite3_bind_int64(statement, at, *(const int64_t *)member);
	case COLUMN_ADDRESS:
		return sqlite3_bind_text(statement, at, spimend_address_print(member, address), -1, SQLITE_TRANSIENT);
	case COLUMN_TEXT:
		return sqlite3_bind_text(statement, at, member, (int)strnlen(member, c->size), SQLITE_TRANSIENT);
	case COLUMN_NAME:
		return sqlite3_bind_text(statement, at, c->word((int)*(const unsigned *)member), -1, SQLITE_STATIC);
	}
	return SQLITE_MISUSE;
}

static bool read_integer(sqlite3_stmt *statement, int at, int64_t most, int64_t *ret)
{
	*ret = sqlite3_column_int64(statement, at);
	return sqlite3_column_type(statement, at) == SQLITE_INTEGER && *ret >= 0 && *ret <= most;
}

static bool read_word(const struct column *c, struct text t, unsigned *ret)
{
	for (size_t i = 0; i < c->size; i++) {
		if (!text_equal(t, text_of(c->word((int)i))))
			continue;
		*ret = (unsigned)i;
		return true;
	}
	return false;
}

static bool read_column(const struct column *c, sqlite3_stmt *statement, int at, void *member)
{
	const char *bytes = (const char *)sqlite3_column_text(statement, at);
	struct text t = { bytes, bytes ? (size_t)sqlite3_column_bytes(statement, at) : 0 };
	int64_t value = 0;
	bool fine = true;

	switch (c->type) {
	case COLUMN_BOOL:
		fine = read_integer(statement, at, 1, &value);
		*(bool *)member = value == 1;
		break;
	case COLUMN_U8:
		fine = read_integer(statement, at, UINT8_MAX, &value);
		*(uint8_t *)member = (uint8_t)value;
		break;
	case COLUMN_U16:
		fine = read_integer(statement, at, UINT16_MAX, &value);
		*(uint16_t *)member = (uint16_t)value;
		break;
	case COLUMN_U32:
		fine = read_integer(statement, at, UINT32_MAX, &value);
		*(uint32_t *)member = (uint32_t)value;
		break;
	case COLUMN_U64:
		*(uint64_t *)member = (uint64_t)sqlite3_column_int64(statement, at);
		break;
	case COLUMN_I64:
		*(int64_t *)member = sqlite3_column_int64(statement, at);
		break;
	case COLUMN_ADDRESS:
		if (!text_equal(t, TEXT("?"))) /* as spimend_address_print() writes an unknown one */
			fine = spimend_address_parse(t.at, t.len, member) == 0;
		break;
	case COLUMN_TEXT:
		fine = t.len < c->size && !memchr(t.len ? t.at : "", '\0', t.len);
		if (fine)
			text_copy(t, member, c->size);
		break;
	case COLUMN_NAME:
		fine = read_word(c, t, member);
		break;
	}
	return fine;
}

int table_bind(const struct table *table, sqlite3_stmt *statement, int first, const void *row)
{
	int result = SQLITE_OK;

	for (size_t i = 0; i < table->count && result == SQLITE_OK; i++)
		result = bind_column(&table->columns[i], statement, first + (int)i, (const char *)row + table->columns[i].at);
	return result;
}

bool table_read(const struct table *table, sqlite3_stmt *statement, int first, void *row)
{
	for (size_t i = 0; i < table->count; i++)
		if (!read_column(&table->columns[i], statement, first + (int)i, (char *)row + table->columns[i].at))
			return false;
	return true;
}

/* --- SQL ------------------------------------------------------------------------------------------------------- */

void table_sql_column(const struct column *column, struct buffer *out)
{
	bool is_text = column->type == COLUMN_ADDRESS || column->type == COLUMN_TEXT || column->type == COLUMN_NAME;

	buffer_printf(out, "%s %s NOT NULL", column->name, is_text ? "TEXT" : "INTEGER");
	if (column->type == COLUMN_ADDRESS)
		buffer_add_string(out, " DEFAULT '?'");
	else if (column->type == COLUMN_NAME)
		buffer_printf(out, " DEFAULT '%s'", column->word(0));
	else
		buffer_add_string(out, is_text ? " DEFAULT ''" : " DEFAULT 0");
}

void table_sql_create(const struct table *table, struct buffer *out)
{
	buffer_printf(out, "CREATE TABLE IF NOT EXISTS %s (", table->name);
	if (table->has_owner)
		buffer_add_string(out, "incident TEXT NOT NULL, number INTEGER NOT NULL, ");
	for (size_t i = 0; i < table->count; i++) {
		table_sql_column(&table->columns[i], out);
		buffer_add_string(out, ", ");
	}
	buffer_printf(out, "PRIMARY KEY (%s)) WITHOUT ROWID", table->keys);
}

void table_sql_columns(const struct table *table, struct buffer *out)
{
	for (size_t i = 0; i < table->count; i++)
		buffer_printf(out, "%s%s", i ? ", " : "", table->columns[i].name);
}

void table_sql_put(const struct table *table, struct buffer *out)
{
	buffer_printf(out, "INSERT OR REPLACE INTO %s (%s", table->name, table->has_owner ? "incident, number, " : "");
	table_sql_columns(table, out);
	buffer_add_string(out, table->has_owner ? ") VALUES (?, ?, " : ") VALUES (");
	for (size_t i = 0; i < table->count; i++)
		buffer_add_string(out, i ? ", ?" : "?");
	buffer_add_char(out, ')');
}
