/* SPDX-License-Identifier: MIT */
/* repair/daemon against a charon played by the test, over socket pairs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "parse/vici.h"
#include "repair/daemon.h"

#define EVENTS IKE_DAEMON_EVENTS
#define ORDERS IKE_DAEMON_ORDERS
#define RESULTS_MAX 64

struct game {
	struct ike_daemon *daemon;
	int peer[IKE_DAEMON_FDS];
	int64_t now;
	struct daemon_state state;
	int states, connections, connection_ends, snapshots, ikes, children, child_events, ike_events, hints, results;
	unsigned lines;
	struct daemon_line line;
	uint32_t serial;
	bool complete;
	struct connection connection;
	struct child_event child_event;
	struct order_result result[RESULTS_MAX];
	int checked;
	struct order checked_order;
	struct spimend_address order_peer;
};

static void on_state(void *context, const struct daemon_state *state)
{
	struct game *g = context;

	assert_true(gateway_valid_daemon(state));
	g->state = *state;
	g->states++;
}

static void on_connections_begin(void *context, uint16_t daemon)
{
	(void)context;
	assert_int_equal(daemon, 2);
}

static void on_connection(void *context, const struct connection *connection)
{
	struct game *g = context;

	g->connection = *connection;
	g->connections++;
}

static void on_connections_end(void *context, uint16_t daemon, bool complete)
{
	struct game *g = context;

	(void)daemon;
	g->connection_ends++;
	g->complete = complete;
}

static void on_snapshot_begin(void *context, uint16_t daemon, uint32_t serial)
{
	(void)context;
	(void)daemon;
	(void)serial;
}

static void on_ike(void *context, const struct ike_sa *ike)
{
	(void)ike;
	((struct game *)context)->ikes++;
}

static void on_child(void *context, const struct child_sa *child)
{
	(void)child;
	((struct game *)context)->children++;
}

static void on_snapshot_end(void *context, uint16_t daemon, uint32_t serial, bool complete)
{
	struct game *g = context;

	(void)daemon;
	g->snapshots++;
	g->serial = serial;
	g->complete = complete;
}

static void on_child_event(void *context, const struct child_event *event)
{
	struct game *g = context;

	g->child_events++;
	g->child_event = *event;
}

static void on_ike_event(void *context, const struct ike_event *event)
{
	(void)event;
	((struct game *)context)->ike_events++;
}

static void on_hint(void *context, const struct daemon_hint *hint)
{
	(void)hint;
	((struct game *)context)->hints++;
}

static void on_line(void *context, const struct daemon_line *line)
{
	struct game *g = context;

	assert_true(daemon_line_valid(line));
	g->lines++;
	g->line = *line;
}

static void on_result(void *context, const struct order_result *result)
{
	struct game *g = context;

	assert_true(g->results < RESULTS_MAX && gateway_valid_result(result));
	g->result[g->results++] = *result;
}

static void on_checked(void *context, const struct order *order)
{
	struct game *g = context;

	g->checked++;
	g->checked_order = *order;
}

/* --- The other end ---------------------------------------------------------------------------------------------- */

static void answer(struct game *g, int which, enum vici_packet_type type, const char *name, struct buffer *message)
{
	struct buffer out = { 0 };

	assert_int_equal(vici_segment_begin(&out, type, text_of(name)), 0);
	if (message)
		buffer_add(&out, buffer_text(message));
	assert_int_equal(vici_segment_end(&out, 0), 0);
	assert_int_equal(send(g->peer[which], out.bytes, out.len, MSG_NOSIGNAL), out.len);
	buffer_done(&out);
	if (message)
		buffer_done(message);
	ike_daemon_read(g->daemon, which, g->now);
}

/* Takes the request that is on the wire and says whether it is the one expected, with these words in it. */
static void expect(struct game *g, int which, enum vici_packet_type type, const char *name, const char *word)
{
	unsigned char header[VICI_HEADER_BYTES];
	struct vici_failure failure;
	struct vici_packet packet;
	char segment[1024];
	size_t length;

	if (recv(g->peer[which], header, sizeof(header), MSG_DONTWAIT) != sizeof(header))
		fail_msg("nothing was asked, expected %s", name);
	assert_int_equal(vici_segment_length(header, &length), 0);
	assert_int_equal(recv(g->peer[which], segment, length, MSG_DONTWAIT), length);
	assert_int_equal(vici_packet_read((struct text){ segment, length }, &packet, &failure), 0);
	assert_int_equal(packet.type, type);
	if (!text_equal(packet.name, text_of(name)))
		fail_msg("asked %.*s, expected %s", TEXT_ARG(packet.name), name);
	if (word && !text_has(packet.message, text_of(word)))
		fail_msg("%s without %s", name, word);
}

static bool is_quiet(struct game *g, int which)
{
	char byte;

	return recv(g->peer[which], &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0;
}

static void key(struct buffer *b, const char *k, const char *value)
{
	vici_write_key(b, text_of(k), text_of(value));
}

struct sa {
	const char *ike_id, *ike_state, *task, *child_id, *child_state, *child;
};

static struct buffer sa_message(const struct sa *sa)
{
	struct buffer b = { 0 };

	vici_write_section(&b, TEXT("net"));
	key(&b, "uniqueid", sa->ike_id);
	key(&b, "version", "2");
	key(&b, "state", sa->ike_state ? sa->ike_state : "ESTABLISHED");
	key(&b, "local-host", "192.0.2.1");
	key(&b, "remote-host", "192.0.2.2");
	if (sa->task) {
		vici_write_list(&b, TEXT("tasks-active"));
		vici_write_item(&b, text_of(sa->task));
		vici_write_list_end(&b);
	}
	vici_write_section(&b, TEXT("child-sas"));
	if (sa->child_id) {
		vici_write_section(&b, TEXT("net-x"));
		key(&b, "name", sa->child ? sa->child : "lan");
		key(&b, "uniqueid", sa->child_id);
		key(&b, "state", sa->child_state ? sa->child_state : "INSTALLED");
		key(&b, "spi-in", "c0ffee00");
		vici_write_section_end(&b);
	}
	vici_write_section_end(&b);
	vici_write_section_end(&b);
	return b;
}

static struct buffer rekey_message(const char *old, const char *new)
{
	struct buffer b = { 0 };

	vici_write_section(&b, TEXT("net"));
	key(&b, "uniqueid", "1");
	vici_write_section(&b, TEXT("child-sas"));
	vici_write_section(&b, TEXT("lan"));
	vici_write_section(&b, TEXT("old"));
	key(&b, "name", "lan");
	key(&b, "uniqueid", old);
	vici_write_section_end(&b);
	vici_write_section(&b, TEXT("new"));
	key(&b, "name", "lan");
	key(&b, "uniqueid", new);
	for (int i = 0; i < 4; i++)
		vici_write_section_end(&b);
	return b;
}

static struct buffer connection_message(void)
{
	struct buffer b = { 0 };

	vici_write_section(&b, TEXT("net"));
	vici_write_list(&b, TEXT("remote_addrs"));
	vici_write_item(&b, TEXT("192.0.2.2"));
	vici_write_list_end(&b);
	key(&b, "version", "IKEv2");
	vici_write_section(&b, TEXT("children"));
	vici_write_section(&b, TEXT("lan"));
	key(&b, "mode", "TUNNEL");
	for (int i = 0; i < 3; i++)
		vici_write_section_end(&b);
	return b;
}

static struct buffer result_message(const char *success, const char *errmsg)
{
	struct buffer b = { 0 };

	key(&b, "success", success);
	if (errmsg)
		key(&b, "errmsg", errmsg);
	return b;
}

static void attach(struct game *g)
{
	int fds[2], ours[IKE_DAEMON_FDS];

	for (int i = 0; i < IKE_DAEMON_FDS; i++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
		ours[i] = fds[0];
		g->peer[i] = fds[1];
	}
	assert_int_equal(ike_daemon_attach(g->daemon, ours[EVENTS], ours[ORDERS], g->now), 0);
}

static void answer_setup(struct game *g)
{
	static const char *const events[] = { "list-sa", "list-conn", "child-updown", "child-rekey", "ike-updown", "ike-rekey",
					      "ike-update", "log", "alert" };
	struct buffer version = { 0 }, stats = { 0 };

	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		expect(g, EVENTS, VICI_EVENT_REGISTER, events[i], NULL);
		answer(g, EVENTS, strcmp(events[i], "alert") ? VICI_EVENT_CONFIRM : VICI_EVENT_UNKNOWN, "", NULL);
	}
	expect(g, EVENTS, VICI_CMD_REQUEST, "version", NULL);
	key(&version, "daemon", "charon-systemd");
	key(&version, "version", "5.9.8\n");
	answer(g, EVENTS, VICI_CMD_RESPONSE, "", &version);
	expect(g, EVENTS, VICI_CMD_REQUEST, "stats", NULL);
	vici_write_section(&stats, TEXT("uptime"));
	key(&stats, "running", "5 minutes");
	key(&stats, "since", "Nov 22 09:40:50 2026");
	vici_write_section_end(&stats);
	vici_write_list(&stats, TEXT("plugins"));
	vici_write_item(&stats, TEXT("kernel-libipsec"));
	vici_write_list_end(&stats);
	answer(g, EVENTS, VICI_CMD_RESPONSE, "", &stats);
	assert_int_equal(g->states, 0); /* not before both connections can work */
	expect(g, ORDERS, VICI_EVENT_REGISTER, "list-sa", NULL);
	answer(g, ORDERS, VICI_EVENT_CONFIRM, "", NULL);
	expect(g, ORDERS, VICI_EVENT_REGISTER, "list-conn", NULL);
	answer(g, ORDERS, VICI_EVENT_CONFIRM, "", NULL);
}

static void answer_lists(struct game *g)
{
	struct buffer b = connection_message(), sa = sa_message(&(struct sa){ .ike_id = "1", .child_id = "7" });

	expect(g, EVENTS, VICI_CMD_REQUEST, "list-conns", NULL);
	answer(g, EVENTS, VICI_EVENT, "list-conn", &b);
	answer(g, EVENTS, VICI_CMD_RESPONSE, "", NULL);
	expect(g, EVENTS, VICI_CMD_REQUEST, "list-sas", NULL);
	answer(g, EVENTS, VICI_EVENT, "list-sa", &sa);
	answer(g, EVENTS, VICI_CMD_RESPONSE, "", NULL);
}

static struct game *new_game(void)
{
	struct game *g = calloc(1, sizeof(*g));
	struct ike_daemon_calls calls = { g, on_state, on_connections_begin, on_connection, on_connections_end, on_snapshot_begin,
					  on_ike, on_child, on_snapshot_end, on_child_event, on_ike_event, on_hint, on_line, on_result,
					  on_checked, NULL };
	struct ike_daemon_limits limits = { 0 };

	g->now = 1000 * SECOND_NS;
	g->daemon = ike_daemon_new(2, &calls, &limits, g->now);
	assert_non_null(g->daemon);
	return g;
}

static struct game *start(void)
{
	struct game *g = new_game();

	attach(g);
	answer_setup(g);
	answer_lists(g);
	return g;
}

static void stop(struct game *g)
{
	ike_daemon_free(g->daemon);
	close(g->peer[EVENTS]);
	close(g->peer[ORDERS]);
	free(g);
}

static int give(struct game *g, uint64_t id, enum order_verb verb, bool opens_ike)
{
	struct order order = { .id = id, .daemon = 2, .verb = verb, .opens_ike = opens_ike, .peer = g->order_peer };

	if (verb == ORDER_INITIATE)
		order.connection = g->connection.id;
	else if (verb == ORDER_TERMINATE_IKE || order_takes_plugin(verb))
		order.ike_id = 1;
	else
		order.child_id = 7;
	if (verb == ORDER_DELETE_SPI) {
		order.protocol = 50;
		order.spi = 0xc0000001;
	}
	return ike_daemon_order(g->daemon, &order, g->now);
}

/* The check before a verb, answered with that SA, or with none. */
static void answer_check(struct game *g, const char *filter, const struct sa *sa)
{
	struct buffer b = { 0 };

	expect(g, ORDERS, VICI_CMD_REQUEST, "list-sas", filter);
	if (sa) {
		b = sa_message(sa);
		answer(g, ORDERS, VICI_EVENT, "list-sa", &b);
	}
	answer(g, ORDERS, VICI_CMD_RESPONSE, "", NULL);
}

static void expect_result(struct game *g, uint64_t id, enum order_outcome outcome, const char *text)
{
	const struct order_result *r;

	if (g->results == 0)
		fail_msg("no result, expected %s", text);
	r = &g->result[g->results - 1];
	assert_int_equal(r->id, id);
	assert_string_equal(order_outcome_name(r->outcome), order_outcome_name(outcome));
	if (!strstr(r->text, text))
		fail_msg("%s, expected %s", r->text, text);
}

/* --- Tests ------------------------------------------------------------------------------------------------------ */

static void it_says_what_the_daemon_is_and_has(void **state)
{
	struct game *g = start();

	(void)state;
	assert_int_equal(g->states, 1);
	assert_true(g->state.up && g->state.user_space_esp && g->state.has_boot);
	assert_string_equal(g->state.version, "5.9.8?");
	assert_int_equal(g->connections, 1);
	assert_int_equal(g->connection_ends, 1);
	assert_int_equal(g->snapshots, 1);
	assert_true(g->complete && g->serial == 0 && g->ikes == 1 && g->children == 1);
	assert_false(ike_daemon_is_down(g->daemon, NULL, NULL));
	assert_true(is_quiet(g, EVENTS) && is_quiet(g, ORDERS));
	stop(g);
}

static void refreshes_are_answered_by_lists_begun_after_them(void **state)
{
	struct game *g = start();

	(void)state;
	assert_int_equal(ike_daemon_refresh(g->daemon, 5, g->now), 0);
	expect(g, EVENTS, VICI_CMD_REQUEST, "list-sas", NULL);
	assert_int_equal(ike_daemon_refresh(g->daemon, 6, g->now), 0); /* while one runs */
	assert_int_equal(ike_daemon_refresh(g->daemon, 7, g->now), 0);
	answer(g, EVENTS, VICI_CMD_RESPONSE, "", NULL);
	assert_int_equal(g->serial, 5);
	expect(g, EVENTS, VICI_CMD_REQUEST, "list-sas", NULL);
	answer(g, EVENTS, VICI_CMD_RESPONSE, "", NULL);
	assert_int_equal(g->serial, 7);
	assert_true(is_quiet(g, EVENTS));
	g->now += 61 * SECOND_NS; /* the connections are old now */
	assert_int_equal(ike_daemon_refresh(g->daemon, 8, g->now), 0);
	expect(g, EVENTS, VICI_CMD_REQUEST, "list-conns", NULL);
	stop(g);
}

static void a_list_with_a_damaged_sa_is_not_complete(void **state)
{
	struct game *g = start();
	struct buffer b = { 0 };

	(void)state;
	ike_daemon_refresh(g->daemon, 1, g->now);
	expect(g, EVENTS, VICI_CMD_REQUEST, "list-sas", NULL);
	vici_write_section(&b, TEXT("net"));
	answer(g, EVENTS, VICI_EVENT, "list-sa", &b);
	answer(g, EVENTS, VICI_CMD_RESPONSE, "", NULL);
	assert_false(g->complete);
	assert_int_equal(ike_daemon_count(g->daemon).malformed, 1);
	assert_int_equal(ike_daemon_count(g->daemon).lists_incomplete, 1);
	stop(g);
}

static void events_are_heard_while_a_list_runs(void **state)
{
	struct game *g = start();
	struct buffer up = { 0 }, b, log = { 0 };

	(void)state;
	ike_daemon_refresh(g->daemon, 1, g->now);
	key(&up, "up", "yes");
	b = sa_message(&(struct sa){ .ike_id = "1", .child_id = "8" });
	buffer_add(&up, buffer_text(&b));
	buffer_done(&b);
	answer(g, EVENTS, VICI_EVENT, "child-updown", &up);
	assert_int_equal(g->child_events, 1);
	assert_true(g->child_event.change == CHILD_UP && g->child_event.child.id == 8);
	b = sa_message(&(struct sa){ .ike_id = "1" });
	answer(g, EVENTS, VICI_EVENT, "ike-updown", &b);
	assert_int_equal(g->ike_events, 1);
	key(&log, "thread", "3");
	key(&log, "msg", "giving up after 5 retransmits");
	answer(g, EVENTS, VICI_EVENT, "log", &log);
	assert_int_equal(g->hints, 1);
	assert_int_equal(g->lines, 0); /* nobody looks at its log */
	ike_daemon_tell_lines(g->daemon, true);
	key(&log, "group", "IKE");
	key(&log, "msg", "peer \"\x1b[2J\" is dead");
	answer(g, EVENTS, VICI_EVENT, "log", &log);
	assert_int_equal(g->lines, 1);
	assert_string_equal(g->line.group, "IKE");
	assert_string_equal(g->line.text, "peer \".[2J\" is dead");
	ike_daemon_tell_lines(g->daemon, false);
	key(&log, "msg", "nobody looks");
	answer(g, EVENTS, VICI_EVENT, "log", &log);
	assert_int_equal(g->lines, 1);
	answer(g, EVENTS, VICI_EVENT, "from-the-future", NULL);
	answer(g, EVENTS, VICI_CMD_RESPONSE, "", NULL);
	assert_int_equal(g->snapshots, 2);
	stop(g);
}

static void a_rekey_is_done_when_its_event_came(void **state)
{
	struct game *g = start();
	struct buffer b;

	(void)state;
	assert_int_equal(give(g, 11, ORDER_REKEY_CHILD, false), 0);
	answer_check(g, "7", &(struct sa){ .ike_id = "1", .child_id = "7" });
	expect(g, ORDERS, VICI_CMD_REQUEST, "rekey", "child-id");
	b = result_message("yes", NULL);
	answer(g, ORDERS, VICI_CMD_RESPONSE, "", &b);
	assert_int_equal(g->results, 0);
	b = rekey_message("6", "9"); /* another child */
	answer(g, EVENTS, VICI_EVENT, "child-rekey", &b);
	assert_int_equal(g->results, 0);
	g->now += SECOND_NS;
	b = rekey_message("7", "9");
	answer(g, EVENTS, VICI_EVENT, "child-rekey", &b);
	expect_result(g, 11, OUTCOME_DONE, "done");
	assert_true(g->result[0].took_ns == SECOND_NS);
	/* The event may overtake the answer: two connections. */
	assert_int_equal(give(g, 12, ORDER_REKEY_CHILD, false), 0);
	answer_check(g, "7", &(struct sa){ .ike_id = "1", .child_id = "7" });
	expect(g, ORDERS, VICI_CMD_REQUEST, "rekey", NULL);
	b = rekey_message("7", "9");
	answer(g, EVENTS, VICI_EVENT, "child-rekey", &b);
	assert_int_equal(g->results, 1);
	b = result_message("yes", NULL);
	answer(g, ORDERS, VICI_CMD_RESPONSE, "", &b);
	expect_result(g, 12, OUTCOME_DONE, "done");
	assert_int_equal(g->results, 2);
	stop(g);
}

static void a_queued_rekey_does_not_hold_up_the_next_order_and_ends_in_time(void **state)
{
	struct game *g = start();
	struct buffer b;

	(void)state;
	give(g, 11, ORDER_REKEY_CHILD, false);
	give(g, 12, ORDER_TERMINATE_CHILD, false);
	answer_check(g, "7", &(struct sa){ .ike_id = "1", .child_id = "7" });
	expect(g, ORDERS, VICI_CMD_REQUEST, "rekey", NULL);
	b = result_message("yes", NULL);
	answer(g, ORDERS, VICI_CMD_RESPONSE, "", &b);
	answer_check(g, "7", &(struct sa){ .ike_id = "1", .child_id = "7", .task = "CHILD_REKEY", .child_state = "REKEYING" });
	expect_result(g, 12, OUTCOME_REFUSED, "busy: tasks of its IKE SA are active or queued");
	assert_true(ike_daemon_deadline(g->daemon) == g->now + 5 * SECOND_NS);
	g->now += 5 * SECOND_NS;
	ike_daemon_tick(g->daemon, g->now);
	expect_result(g, 11, OUTCOME_TIMEOUT, "queued");
	assert_int_equal(g->results, 2);
	assert_true(ike_daemon_deadline(g->daemon) == INT64_MAX);
	stop(g);
}

static void a_child_that_the_peer_had_lost_is_made_anew(void **state)
{
	struct game *g = start();

	(void)state;
	for (uint64_t anew = 0; anew < 2; anew++) {
		struct buffer b, up = { 0 };

		give(g, 30 + anew, ORDER_REKEY_CHILD, false);
		answer_check(g, "7", &(struct sa){ .ike_id = "1", .child_id = "7" });
		expect(g, ORDERS, VICI_CMD_REQUEST, "rekey", NULL);
		b = result_message("yes", NULL);
		answer(g, ORDERS, VICI_CMD_RESPONSE, "", &b);
		b = sa_message(&(struct sa){ .ike_id = "1", .child_id = "7", .child_state = "DELETED" });
		answer(g, EVENTS, VICI_EVENT, "child-updown", &b);
		key(&up, "up", "yes");
		b = sa_message(&(struct sa){ .ike_id = "1", .child_id = "8", .child = anew ? "lan" : "other" });
		buffer_add(&up, buffer_text(&b));
		buffer_done(&b);
		answer(g, EVENTS, VICI_EVENT, "child-updown", &up);
		if (anew) {
			expect_result(g, 31, OUTCOME_DONE, "made anew");
			continue;
		}
		assert_int_equal(g->results, 0);
		g->now += SECOND_NS;
		ike_daemon_tick(g->daemon, g->now);
		expect_result(g, 30, OUTCOME_FAILED, "closed instead");
	}
	stop(g);
}

static void targets_that_are_gone_or_busy_are_refused(void **state)
{
	static const struct {
		enum order_verb verb;
		struct sa sa;
		bool listed;
		const char *why;
	} rows[] = {
		{ ORDER_REKEY_CHILD, { 0 }, false, "gone" },
		{ ORDER_REKEY_CHILD, { .ike_id = "1", .child_id = "6" }, true, "gone" },
		{ ORDER_TERMINATE_CHILD, { .ike_id = "1" }, true, "gone" },
		{ ORDER_TERMINATE_IKE, { .ike_id = "2" }, true, "gone" },
		{ ORDER_REKEY_CHILD, { .ike_id = "1", .child_id = "7", .task = "IKE_DPD" }, true, "busy: tasks" },
		{ ORDER_REKEY_CHILD, { .ike_id = "1", .child_id = "7", .child_state = "REKEYED" }, true, "not installed" },
		{ ORDER_TERMINATE_CHILD, { .ike_id = "1", .child_id = "7", .child_state = "DELETED" }, true,
		  "busy: the child is being deleted" },
		{ ORDER_TERMINATE_IKE, { .ike_id = "1", .ike_state = "DELETING" }, true, "busy: the IKE SA" },
		{ ORDER_TERMINATE_CHILD, { .ike_id = "1", .child_id = "7" }, true, "gone: that id is an SA of another peer" },
		{ ORDER_TERMINATE_IKE, { .ike_id = "1" }, true, "gone: that id is an SA of another peer" },
	};
	struct game *g = start();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		g->order_peer = (struct spimend_address){ 4, { 192, 0, 2, strstr(rows[i].why, "peer") ? 3 : 2 } };
		assert_int_equal(give(g, 20 + i, rows[i].verb, false), 0);
		answer_check(g, NULL, rows[i].listed ? &rows[i].sa : NULL);
		expect_result(g, 20 + i, OUTCOME_REFUSED, rows[i].why);
		assert_true(is_quiet(g, ORDERS));
	}
	stop(g);
}

static void terminating_a_child_and_an_ike_sa(void **state)
{
	struct game *g = start();
	struct buffer b;

	(void)state;
	give(g, 1, ORDER_TERMINATE_CHILD, false);
	/* Its rekey was lost, and no task is left that would end that state. */
	answer_check(g, "7", &(struct sa){ .ike_id = "1", .child_id = "7", .child_state = "REKEYING" });
	expect(g, ORDERS, VICI_CMD_REQUEST, "terminate", "5000");
	b = result_message("no", "terminating\x01 SA failed");
	answer(g, ORDERS, VICI_CMD_RESPONSE, "", &b);
	expect_result(g, 1, OUTCOME_FAILED, "terminating? SA failed");
	/* An IKE SA whose peer is dead has a task that waits: that is no reason to keep it. */
	give(g, 2, ORDER_TERMINATE_IKE, false);
	answer_check(g, "ike-id", &(struct sa){ .ike_id = "1", .task = "IKE_DPD" });
	expect(g, ORDERS, VICI_CMD_REQUEST, "terminate", "force");
	g->now += 3 * SECOND_NS;
	b = result_message("no", "terminating SA failed");
	answer(g, ORDERS, VICI_CMD_RESPONSE, "", &b);
	answer_check(g, "ike-id", NULL);
	expect_result(g, 2, OUTCOME_DONE, "destroyed; the peer did not answer");
	give(g, 3, ORDER_TERMINATE_IKE, false);
	answer_check(g, NULL, &(struct sa){ .ike_id = "1" });
	expect(g, ORDERS, VICI_CMD_REQUEST, "terminate", NULL);
	b = result_message("no", NULL);
	answer(g, ORDERS, VICI_CMD_RESPONSE, "", &b);
	answer_check(g, NULL, &(struct sa){ .ike_id = "1", .ike_state = "DELETING" });
	expect_result(g, 3, OUTCOME_FAILED, "still there");
	stop(g);
}

static void initiating_needs_a_connection_and_leave_to_open_an_ike_sa(void **state)
{
	struct order unknown = { .id = 9, .daemon = 2, .verb = ORDER_INITIATE, .connection = 4711 };
	struct game *g = start();
	struct buffer b;

	(void)state;
	assert_int_equal(ike_daemon_order(g->daemon, &unknown, g->now), 0);
	expect_result(g, 9, OUTCOME_REFUSED, "no such connection");
	give(g, 10, ORDER_INITIATE, false);
	expect(g, ORDERS, VICI_CMD_REQUEST, "list-conns", "net");
	answer(g, ORDERS, VICI_CMD_RESPONSE, "", NULL);
	expect_result(g, 10, OUTCOME_REFUSED, "not configured any more");
	give(g, 11, ORDER_INITIATE, false);
	expect(g, ORDERS, VICI_CMD_REQUEST, "list-conns", "net");
	b = connection_message();
	answer(g, ORDERS, VICI_EVENT, "list-conn", &b);
	answer(g, ORDERS, VICI_CMD_RESPONSE, "", NULL);
	answer_check(g, "net", &(struct sa){ .ike_id = "1", .ike_state = "CONNECTING" });
	expect_result(g, 11, OUTCOME_REFUSED, "it would open an IKE SA");
	for (int opens = 0; opens < 2; opens++) {
		give(g, 12, ORDER_INITIATE, opens);
		expect(g, ORDERS, VICI_CMD_REQUEST, "list-conns", "net");
		b = connection_message();
		answer(g, ORDERS, VICI_EVENT, "list-conn", &b);
		answer(g, ORDERS, VICI_CMD_RESPONSE, "", NULL);
		answer_check(g, "net", opens ? NULL : &(struct sa){ .ike_id = "1", .task = "IKE_DPD" });
		expect(g, ORDERS, VICI_CMD_REQUEST, "initiate", "lan");
		b = result_message(opens ? "no" : "yes", opens ? "CHILD_SA 'lan' not established after 10000ms" : NULL);
		g->now += opens * 10 * SECOND_NS;
		answer(g, ORDERS, VICI_CMD_RESPONSE, "", &b);
		expect_result(g, 12, opens ? OUTCOME_TIMEOUT : OUTCOME_DONE, opens ? "not established" : "done");
	}
	stop(g);
}

/* The plugin can only be asked for what the daemon's own list does not contradict. */
static void orders_for_the_plugin_are_looked_at_here_first(void **state)
{
	struct game *g = start();
	struct order ours = { .id = 15, .daemon = 2, .verb = ORDER_DELETE_SPI, .ike_id = 1, .protocol = 50, .spi = 0xc0ffee00 };

	(void)state;
	give(g, 11, ORDER_DELETE_SPI, false);
	answer_check(g, "ike-id", &(struct sa){ .ike_id = "1", .child_id = "7" });
	assert_int_equal(g->results, 0);
	assert_int_equal(g->checked, 1);
	assert_true(g->checked_order.id == 11 && g->checked_order.spi == 0xc0000001 && g->checked_order.protocol == 50);
	assert_int_equal(ike_daemon_order(g->daemon, &ours, g->now), 0);
	answer_check(g, "ike-id", &(struct sa){ .ike_id = "1", .child_id = "7" });
	expect_result(g, 15, OUTCOME_REFUSED, "ours");
	give(g, 16, ORDER_DELETE_SPI, false);
	answer_check(g, "ike-id", NULL);
	expect_result(g, 16, OUTCOME_REFUSED, "gone");
	give(g, 17, ORDER_DELETE_SPI, false);
	answer_check(g, "ike-id", &(struct sa){ .ike_id = "1", .child_id = "7", .ike_state = "DELETING" });
	expect_result(g, 17, OUTCOME_REFUSED, "busy");
	give(g, 18, ORDER_DELETE_SPI, false);
	answer_check(g, "ike-id", &(struct sa){ .ike_id = "1", .task = "CHILD_CREATE" });
	expect_result(g, 18, OUTCOME_REFUSED, "busy: a child is being made");
	assert_int_equal(spimend_address_parse("192.0.2.9", 9, &g->order_peer), 0);
	give(g, 19, ORDER_LIVENESS, false);
	answer_check(g, "ike-id", &(struct sa){ .ike_id = "1", .child_id = "7" });
	expect_result(g, 19, OUTCOME_REFUSED, "another peer");
	assert_int_equal(g->checked, 1);
	assert_int_equal(spimend_address_parse("192.0.2.2", 9, &g->order_peer), 0);
	give(g, 20, ORDER_LIVENESS, false);
	answer_check(g, "ike-id", &(struct sa){ .ike_id = "1", .task = "CHILD_CREATE" });
	assert_int_equal(g->checked, 2);
	ours = (struct order){ .id = 21, .daemon = 2, .verb = ORDER_NOTIFY_SPI, .protocol = 50, .spi = 5, .peer = g->order_peer,
			       .local = { 4, { 192, 0, 2, 1 } } };
	assert_int_equal(ike_daemon_order(g->daemon, &ours, g->now), 0); /* nothing that VICI could tell of */
	assert_int_equal(g->checked, 3);
	assert_true(is_quiet(g, ORDERS));
	stop(g);
}

static void orders_that_cannot_be_taken_are_said_to_be(void **state)
{
	struct order order = { .id = 1, .daemon = 3, .verb = ORDER_REKEY_CHILD, .child_id = 1 };
	struct game *g = start();

	(void)state;
	assert_int_equal(ike_daemon_order(g->daemon, &order, g->now), -EINVAL); /* another daemon's */
	order.daemon = 2;
	order.verb = ORDER_VERBS;
	assert_int_equal(ike_daemon_order(g->daemon, &order, g->now), -EINVAL);
	order.verb = ORDER_TERMINATE_CHILD;
	order.child_id = 0; /* would be no filter at all */
	assert_int_equal(ike_daemon_order(g->daemon, &order, g->now), 0);
	expect_result(g, 1, OUTCOME_REFUSED, "no id");
	assert_true(is_quiet(g, ORDERS));
	for (uint64_t id = 1; id <= IKE_DAEMON_ORDERS_MAX + 1; id++) /* one runs, the others wait */
		assert_int_equal(give(g, 100 + id, ORDER_REKEY_CHILD, false), 0);
	assert_int_equal(give(g, 999, ORDER_REKEY_CHILD, false), -ENOBUFS);
	stop(g);
}

static void a_daemon_that_dies_ends_everything_that_was_begun(void **state)
{
	struct game *g = start();
	const char *why = "";
	int64_t since = 0;
	struct buffer b;

	(void)state;
	give(g, 1, ORDER_REKEY_CHILD, false);
	answer_check(g, "7", &(struct sa){ .ike_id = "1", .child_id = "7" });
	expect(g, ORDERS, VICI_CMD_REQUEST, "rekey", NULL);
	b = result_message("yes", NULL);
	answer(g, ORDERS, VICI_CMD_RESPONSE, "", &b); /* queued */
	give(g, 2, ORDER_TERMINATE_IKE, false);
	answer_check(g, NULL, &(struct sa){ .ike_id = "1" });
	expect(g, ORDERS, VICI_CMD_REQUEST, "terminate", NULL); /* running */
	give(g, 3, ORDER_REKEY_CHILD, false); /* waiting */
	ike_daemon_refresh(g->daemon, 4, g->now);
	shutdown(g->peer[EVENTS], SHUT_RDWR);
	g->now += SECOND_NS;
	ike_daemon_read(g->daemon, EVENTS, g->now);
	assert_true(ike_daemon_is_down(g->daemon, &since, &why));
	assert_true(since == g->now);
	assert_string_equal(why, "events connection: closed the connection");
	assert_false(g->complete);
	assert_int_equal(g->serial, 4);
	assert_false(g->state.up);
	assert_int_equal(g->results, 3);
	assert_true(g->result[0].id == 2 && g->result[0].outcome == OUTCOME_UNKNOWN);
	assert_true(g->result[1].id == 1 && g->result[1].outcome == OUTCOME_UNKNOWN);
	assert_true(g->result[2].id == 3 && g->result[2].outcome == OUTCOME_REFUSED);
	assert_int_equal(ike_daemon_get_fd(g->daemon, EVENTS), -1);
	assert_int_equal(ike_daemon_get_fd(g->daemon, ORDERS), -1);
	assert_int_equal(give(g, 5, ORDER_REKEY_CHILD, false), -ENOTCONN);
	assert_int_equal(ike_daemon_refresh(g->daemon, 6, g->now), -ENOTCONN);
	ike_daemon_tick(g->daemon, g->now + 100 * SECOND_NS);
	assert_int_equal(g->results, 3);
	/* And it comes back. */
	close(g->peer[EVENTS]);
	close(g->peer[ORDERS]);
	g->states = 0;
	attach(g);
	answer_setup(g);
	answer_lists(g);
	assert_true(g->state.up && g->complete && g->serial == 0);
	assert_int_equal(ike_daemon_count(g->daemon).lost, 1);
	stop(g);
}

static void a_daemon_that_is_silent_or_mad_is_given_up(void **state)
{
	struct game *g = new_game();
	const char *why = "";

	(void)state;
	assert_true(ike_daemon_is_down(g->daemon, NULL, &why));
	assert_string_equal(why, "not connected yet");
	attach(g);
	g->now = ike_daemon_deadline(g->daemon);
	ike_daemon_tick(g->daemon, g->now);
	assert_true(ike_daemon_is_down(g->daemon, NULL, &why));
	assert_string_equal(why, "events connection: did not answer in time");
	assert_int_equal(g->states, 0); /* nobody was told that it was up */
	close(g->peer[EVENTS]);
	close(g->peer[ORDERS]);
	attach(g);
	assert_int_equal(send(g->peer[ORDERS], "\xff\xff\xff\xff", 4, MSG_NOSIGNAL), 4);
	ike_daemon_read(g->daemon, ORDERS, g->now);
	assert_true(ike_daemon_is_down(g->daemon, NULL, &why));
	assert_string_equal(why, "orders connection: claims a segment that is empty or too long");
	stop(g);
}

/* Each call that writes finds out itself that it wrote to nobody: nothing else will be readable or due. */
static void a_connection_that_breaks_as_it_is_written_to_is_down_at_once(void **state)
{
	int fds[IKE_DAEMON_FDS][2];
	struct game *g = new_game();

	(void)state;
	g->peer[EVENTS] = g->peer[ORDERS] = -1;
	for (int i = 0; i < IKE_DAEMON_FDS; i++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds[i]), 0);
		close(fds[i][1]);
	}
	assert_int_equal(ike_daemon_attach(g->daemon, fds[EVENTS][0], fds[ORDERS][0], g->now), 0);
	assert_true(ike_daemon_is_down(g->daemon, NULL, NULL));
	assert_int_equal(g->states, 0);
	stop(g);
	for (int turn = 0; turn < 3; turn++) {
		g = start();
		shutdown(g->peer[EVENTS], SHUT_RDWR);
		shutdown(g->peer[ORDERS], SHUT_RDWR);
		if (turn == 0)
			assert_int_equal(ike_daemon_refresh(g->daemon, 1, g->now), 0);
		else if (turn == 1)
			assert_int_equal(ike_daemon_refresh_connections(g->daemon, g->now), 0);
		else
			assert_int_equal(give(g, 77, ORDER_TERMINATE_CHILD, false), 0);
		assert_true(ike_daemon_is_down(g->daemon, NULL, NULL));
		assert_true(!g->state.up && g->states == 2);
		if (turn == 2)
			expect_result(g, 77, OUTCOME_REFUSED, "the IKE daemon was lost before it ran");
		stop(g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_says_what_the_daemon_is_and_has),
		cmocka_unit_test(refreshes_are_answered_by_lists_begun_after_them),
		cmocka_unit_test(a_list_with_a_damaged_sa_is_not_complete),
		cmocka_unit_test(events_are_heard_while_a_list_runs),
		cmocka_unit_test(a_rekey_is_done_when_its_event_came),
		cmocka_unit_test(a_queued_rekey_does_not_hold_up_the_next_order_and_ends_in_time),
		cmocka_unit_test(a_child_that_the_peer_had_lost_is_made_anew),
		cmocka_unit_test(targets_that_are_gone_or_busy_are_refused),
		cmocka_unit_test(terminating_a_child_and_an_ike_sa),
		cmocka_unit_test(initiating_needs_a_connection_and_leave_to_open_an_ike_sa),
		cmocka_unit_test(orders_for_the_plugin_are_looked_at_here_first),
		cmocka_unit_test(orders_that_cannot_be_taken_are_said_to_be),
		cmocka_unit_test(a_daemon_that_dies_ends_everything_that_was_begun),
		cmocka_unit_test(a_daemon_that_is_silent_or_mad_is_given_up),
		cmocka_unit_test(a_connection_that_breaks_as_it_is_written_to_is_down_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
