/* SPDX-License-Identifier: MIT */
#include "fleet_world.h"
#include "model/device_row.h"
#include "record/fleet_incident.h"

static void waits_for(struct world *w, enum incident_state state)
{
	for (int i = 0; i < 60 && world_incident(w)->state != state; i++)
		world_run(w, 15 * S);
	assert_int_equal(world_incident(w)->state, state);
}

static struct world_tunnel *sdwan_pair(struct world *w)
{
	struct world_tunnel *t;

	world_init(w);
	world_device(w, PLATFORM_SDWAN, true);
	world_device(w, PLATFORM_SDWAN, true);
	world_start(w);
	t = world_tunnel(w, 0, 1, BY_CONTROLLER);
	world_clear(w, t, 1);
	world_sight(w, t, t->way[0].out);
	return t;
}

static void has(const struct buffer *out, const char *text)
{
	if (!text_has(buffer_text(out), text_of(text)))
		fail_msg("not in it: %s\n%.*s", text, TEXT_ARG(buffer_text(out)));
}

static void json_has_the_approver_and_the_outcome(void **state)
{
	struct buffer out cleanup(buffer_done) = { 0 };
	struct world w;

	(void)state;
	sdwan_pair(&w);
	waits_for(&w, STATE_AWAITING);
	record_fleet_json(world_incident(&w), MODE_REPAIR, true, &out);
	has(&out, "\"state\":\"awaiting-approval\"");
	has(&out, "\"actions\":[]");
	has(&out, "\"state\":\"offered\",\"on\":\"r01\",\"command\":\"request platform software sdwan port_hop color biz-internet\"");
	assert_true(world_approve(&w, world_incident(&w)));
	waits_for(&w, STATE_HEALED);
	buffer_clear(&out);
	record_fleet_json(world_incident(&w), MODE_REPAIR, false, &out);
	has(&out, "\"schema\":\"spimend.incident/1\"");
	has(&out, "\"observer\":\"r01\"");
	has(&out, "\"cause\":\"controller-sa-cleared\",\"confidence\":\"certain\"");
	has(&out, "\"rule\":\"sdwan-sa-cleared\"");
	has(&out, "\"verb\":\"port-hop\"");
	has(&out, "\"outcome\":\"done\"");
	has(&out, "\"who\":\"alice\"");
	has(&out, "\"helped\":true");
	has(&out, "show sdwan bfd sessions: this one is down");
	assert_false(text_has(buffer_text(&out), TEXT("clear crypto sa peer 10"))); /* no plan ever says so */
	world_done(&w);
}

static void the_page_says_what_was_seen_and_done(void **state)
{
	struct buffer out cleanup(buffer_done) = { 0 };
	struct world w;
	struct world_tunnel *t;

	(void)state;
	world_init(&w);
	world_device(&w, PLATFORM_IOS_XE, true);
	world_device(&w, PLATFORM_IOS_XE, true);
	w.config->mode = MODE_ADVISE;
	world_start(&w);
	t = world_tunnel(&w, 0, 1, BY_IKE);
	world_desync(&w, t);
	world_sight(&w, t, t->way[0].out);
	world_run(&w, MINUTE_NS);
	record_fleet_explain(world_incident(&w), MODE_ADVISE, &out);
	has(&out, "desync, open\n");
	has(&out, "10.1.0.1 (r00) -> 10.1.0.2 (r01)");
	has(&out, "neither before nor after");
	has(&out, "show crypto ipsec sa peer: 1 flow; sends with 0x");
	has(&out, "at 10.1.0.1: clear crypto sa entry 10.1.0.2 esp 0x");
	buffer_clear(&out);
	record_fleet_explain(world_incident(&w), MODE_OBSERVE, &out);
	assert_false(text_has(buffer_text(&out), TEXT("clear crypto"))); /* judged only */
	world_done(&w);
}

static void rows_come_from_what_was_read(void **state)
{
	struct saved_record record = { .kind = SAVED_BFD };
	struct device_row row;

	(void)state;
	record.bfd.source = world_address(1, 0, 1);
	record.bfd.destination = world_address(1, 0, 2);
	strcpy(record.bfd.local_color, "biz-internet");
	record.bfd.up = true;
	assert_true(device_row_of(&record, &row));
	assert_int_equal(row.kind, ROW_BFD);
	assert_int_equal(row.color, COLOR_BIZ_INTERNET);
	assert_true(row.up && device_valid_row(&row));
	record.reason = "a row that could not be read";
	assert_false(device_row_of(&record, &row));
	record = (struct saved_record){ .kind = SAVED_IKE };
	record.ike.state = SAVED_IKE_DELETED;
	assert_true(device_row_of(&record, &row));
	assert_false(row.up);
	record = (struct saved_record){ .kind = SAVED_OUTBOUND, .outbound = { .spi = { 271 }, .color = "x; reload" } };
	assert_true(device_row_of(&record, &row));
	assert_int_equal(row.spi.value, 271);
	assert_int_equal(row.color, COLOR_NONE);
	record = (struct saved_record){ .kind = SAVED_LOCAL_SA, .local_sa = { .spi = { 259 } } };
	assert_true(device_row_of(&record, &row));
	assert_int_equal(row.kind, ROW_LOCAL_SA);
	record = (struct saved_record){ .kind = SAVED_DROP, .drop = { .kind = DROP_INVALID_SA, .packets = 3 } };
	assert_false(device_row_of(&record, &row));
	record.drop.kind = DROP_REPLAY;
	assert_true(device_row_of(&record, &row));
	assert_int_equal(row.kind, ROW_DROP_REPLAY);
	record.drop.kind = DROP_NO_SA;
	assert_true(device_row_of(&record, &row));
	assert_int_equal(row.kind, ROW_DROP_NO_SA);
	assert_int_equal(row.count, 3);
	record = (struct saved_record){ .kind = SAVED_TRACE, .trace = { { 259 }, world_address(1, 0, 1), true } };
	assert_true(device_row_of(&record, &row));
	assert_true(row.kind == ROW_TRACE && !row.up && row.spi.value == 259 && row.local.family == 4);
	record = (struct saved_record){ .kind = SAVED_SPI, .spi = { .spi = { 259 }, .transient = true } };
	assert_true(device_row_of(&record, &row));
	assert_true(row.kind == ROW_SPI && !row.up);
	record = (struct saved_record){ .kind = SAVED_EDGE, .edge = { 21 } };
	assert_true(device_row_of(&record, &row));
	assert_true(row.kind == ROW_SITE && row.count == 21);
	record.kind = SAVED_FLOW;
	assert_false(device_row_of(&record, &row));
	row.color = (enum device_color)DEVICE_COLORS;
	assert_false(device_valid_row(&row));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_has_the_approver_and_the_outcome),
		cmocka_unit_test(the_page_says_what_was_seen_and_done),
		cmocka_unit_test(rows_come_from_what_was_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
