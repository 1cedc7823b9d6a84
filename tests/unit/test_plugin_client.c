/* SPDX-License-Identifier: MIT */
/* repair/plugin against a plugin that is this test, at the other end of a socket pair. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "parse/plugin_message.h"
#include "repair/plugin.h"

#define HAS(field) (UINT32_C(1) << PLUGIN_HAS_##field)
#define SECOND INT64_C(1000000000)

struct heard {
	struct ike_plugin *client; /* borrows */
	int ups, downs, results, lates;
	char version[PLUGIN_TEXT_MAX];
	uint64_t id;
	struct plugin_message last;
	int64_t took;
	bool order_again; /* from inside the result */
	int again;
};

struct pair {
	int peer;
	struct heard heard;
	struct ike_plugin *client;
};

static struct ike_plugin_order a_delete(uint64_t id)
{
	return (struct ike_plugin_order){ .id = id, .verb = PLUGIN_DELETE, .ike_id = 3, .protocol = 50, .spi = 0xdeadbeef,
					  .wait_ms = 1000 };
}

static void on_state(void *context, uint16_t daemon, bool up, const char *version)
{
	struct heard *h = context;

	assert_int_equal(daemon, 2);
	h->ups += up;
	h->downs += !up;
	strcpy(h->version, version);
}

static void on_result(void *context, uint16_t daemon, uint64_t id, const struct plugin_message *result, int64_t took_ns)
{
	struct heard *h = context;

	assert_int_equal(daemon, 2);
	assert_int_equal(result->kind, PLUGIN_RESULT);
	h->results++;
	h->id = id;
	h->last = *result;
	h->took = took_ns;
	if (h->order_again) {
		struct ike_plugin_order order = a_delete(99);

		h->order_again = false;
		h->again = ike_plugin_order(h->client, &order, 0);
	}
}

static void on_late(void *context, uint16_t daemon, uint64_t id, const struct plugin_message *late)
{
	struct heard *h = context;

	(void)daemon;
	assert_int_equal(late->kind, PLUGIN_LATE);
	h->lates++;
	h->id = id;
	h->last = *late;
}

static void peer_says(struct pair *p, const struct plugin_message *m)
{
	unsigned char bytes[PLUGIN_MESSAGE_MAX];
	int len = plugin_message_write(m, bytes);

	assert_true(len > 0);
	assert_int_equal(send(p->peer, bytes, (size_t)len, 0), len);
}

static struct plugin_message peer_hears(struct pair *p)
{
	unsigned char bytes[PLUGIN_MESSAGE_MAX];
	ssize_t len = recv(p->peer, bytes, sizeof(bytes), MSG_DONTWAIT);
	struct plugin_failure failure;
	struct plugin_message m;

	assert_true(len > 0);
	assert_int_equal(plugin_message_read(bytes, (size_t)len, &m, &failure), 0);
	return m;
}

static void peer_answers(struct pair *p, uint32_t serial, enum plugin_kind kind, enum plugin_outcome outcome)
{
	struct plugin_message m = { .kind = kind, .serial = serial, .present = HAS(OUTCOME), .outcome = (uint8_t)outcome };

	peer_says(p, &m);
	ike_plugin_read(p->client, SECOND);
}

static void attach(struct pair *p, bool greet)
{
	struct plugin_message welcome = { .kind = PLUGIN_WELCOME, .present = HAS(TEXT), .text = "5.9.8" };
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(ike_plugin_attach(p->client, fds[0], 0), 0);
	p->peer = fds[1];
	if (greet) {
		welcome.serial = 1; /* of the greeting that the parent sent */
		peer_says(p, &welcome);
		ike_plugin_read(p->client, 0);
	}
}

static int open_pair(void **state)
{
	struct pair *p = calloc(1, sizeof(*p));
	struct ike_plugin_calls calls = { &p->heard, on_state, on_result, on_late, NULL };

	p->client = ike_plugin_new(2, &calls);
	p->heard.client = p->client;
	p->peer = -1;
	*state = p;
	return 0;
}

static int close_pair(void **state)
{
	struct pair *p = *state;

	if (p->peer >= 0)
		close(p->peer);
	ike_plugin_free(p->client);
	free(p);
	return 0;
}

static void greets_and_is_up(void **state)
{
	struct ike_plugin_order order = a_delete(1);
	struct pair *p = *state;
	const char *why;

	assert_true(ike_plugin_is_down(p->client, &why));
	assert_int_equal(ike_plugin_order(p->client, &order, 0), -ENOTCONN);
	attach(p, true);
	assert_false(ike_plugin_is_down(p->client, &why));
	assert_int_equal(p->heard.ups, 1);
	assert_string_equal(p->heard.version, "5.9.8");
	assert_true(ike_plugin_deadline(p->client) == INT64_MAX);
	assert_false(ike_plugin_detects_crashes(p->client));
}

static void hears_that_crash_detection_is_on(void **state)
{
	struct plugin_message welcome = { .kind = PLUGIN_WELCOME, .serial = 1, .present = HAS(TEXT) | HAS(FLAGS), .text = "5.9.8",
					  .flags = PLUGIN_CRASH_ON };
	struct pair *p = *state;

	attach(p, false);
	peer_says(p, &welcome);
	ike_plugin_read(p->client, 0);
	assert_true(ike_plugin_detects_crashes(p->client));
	close(p->peer);
	p->peer = -1;
	ike_plugin_read(p->client, 0);
	assert_false(ike_plugin_detects_crashes(p->client));
}

static void an_order_gets_its_result_once(void **state)
{
	struct ike_plugin_order order = a_delete(UINT64_MAX);
	struct pair *p = *state;
	struct plugin_message m;

	attach(p, true);
	assert_int_equal(ike_plugin_order(p->client, &order, SECOND / 2), 0);
	m = peer_hears(p);
	assert_int_equal(m.kind, PLUGIN_DELETE);
	assert_int_equal(m.spi, 0xdeadbeef);
	assert_int_equal(m.wait_ms, 1000);
	assert_true(ike_plugin_deadline(p->client) == SECOND / 2 + SECOND + IKE_PLUGIN_GRACE_NS);
	peer_answers(p, m.serial, PLUGIN_RESULT, PLUGIN_PEER_OWNED);
	peer_answers(p, m.serial, PLUGIN_RESULT, PLUGIN_PEER_OWNED);
	peer_answers(p, 0xffff, PLUGIN_RESULT, PLUGIN_DONE);
	assert_int_equal(p->heard.results, 1);
	assert_true(p->heard.id == UINT64_MAX && p->heard.took == SECOND / 2);
	assert_int_equal(p->heard.last.outcome, PLUGIN_PEER_OWNED);
	assert_int_equal(ike_plugin_count(p->client).malformed, 2);
}

static void each_verb_says_what_it_needs(void **state)
{
	struct ike_plugin_order order = a_delete(1);
	struct pair *p = *state;
	struct plugin_message m;

	attach(p, true);
	order.verb = PLUGIN_DROP_CHILD;
	order.child_id = 8;
	assert_int_equal(ike_plugin_order(p->client, &order, 0), 0);
	m = peer_hears(p);
	assert_int_equal(m.present, HAS(IKE_ID) | HAS(CHILD_ID) | HAS(SPI));
	order.verb = PLUGIN_LIVENESS;
	assert_int_equal(ike_plugin_order(p->client, &order, 0), 0);
	assert_int_equal(peer_hears(p).present, HAS(IKE_ID) | HAS(WAIT_MS));
	order.verb = PLUGIN_INVALID_SPI;
	assert_int_equal(ike_plugin_order(p->client, &order, 0), 0);
	assert_int_equal(peer_hears(p).kind, PLUGIN_INVALID_SPI);
	order.verb = PLUGIN_NOTIFY_OUTSIDE;
	assert_int_equal(ike_plugin_order(p->client, &order, 0), -EINVAL); /* from nobody to nobody */
	order.local = (struct spimend_address){ 4, { 192, 0, 2, 2 } };
	order.remote = (struct spimend_address){ 4, { 192, 0, 2, 1 } };
	assert_int_equal(ike_plugin_order(p->client, &order, 0), 0);
	m = peer_hears(p);
	assert_int_equal(m.present, HAS(PROTOCOL) | HAS(SPI) | HAS(LOCAL) | HAS(REMOTE));
	order.remote_port = 61000;
	assert_int_equal(ike_plugin_order(p->client, &order, 0), 0);
	m = peer_hears(p);
	assert_true(m.remote_port == 61000 && spimend_address_equal(&m.remote, &order.remote));
	order.verb = PLUGIN_HELLO;
	assert_int_equal(ike_plugin_order(p->client, &order, 0), -EINVAL);
	order = a_delete(1);
	order.protocol = 6;
	assert_int_equal(ike_plugin_order(p->client, &order, 0), -EINVAL);
	order = a_delete(1);
	order.wait_ms = 0;
	assert_int_equal(ike_plugin_order(p->client, &order, 0), -EINVAL);
}

static void too_many_orders_are_refused(void **state)
{
	struct pair *p = *state;

	attach(p, true);
	for (unsigned i = 0; i < IKE_PLUGIN_ORDERS_MAX; i++) {
		struct ike_plugin_order order = a_delete(i);

		assert_int_equal(ike_plugin_order(p->client, &order, 0), 0);
	}
	struct ike_plugin_order more = a_delete(100);
	assert_int_equal(ike_plugin_order(p->client, &more, 0), -ENOBUFS);
	peer_answers(p, peer_hears(p).serial, PLUGIN_RESULT, PLUGIN_LIMIT);
	assert_int_equal(ike_plugin_order(p->client, &more, 0), 0);
}

static void what_is_late_is_told_after_no_reply_alone(void **state)
{
	struct ike_plugin_order order = a_delete(5);
	struct pair *p = *state;
	uint32_t serial;

	attach(p, true);
	assert_int_equal(ike_plugin_order(p->client, &order, 0), 0);
	serial = peer_hears(p).serial;
	peer_answers(p, serial, PLUGIN_LATE, PLUGIN_PEER_OWNED);
	assert_int_equal(p->heard.lates, 0);
	peer_answers(p, serial, PLUGIN_RESULT, PLUGIN_NO_REPLY);
	peer_answers(p, serial, PLUGIN_LATE, PLUGIN_PEER_HAD_NONE);
	peer_answers(p, serial, PLUGIN_LATE, PLUGIN_PEER_HAD_NONE);
	assert_int_equal(p->heard.results, 1);
	assert_int_equal(p->heard.lates, 1);
	assert_int_equal(p->heard.id, 5);
	assert_int_equal(p->heard.last.outcome, PLUGIN_PEER_HAD_NONE);
}

static void reports_are_not_for_it(void **state)
{
	struct plugin_message m = { .kind = PLUGIN_LOST, .present = HAS(COUNT), .count = 40 };
	struct pair *p = *state;

	attach(p, true);
	peer_says(p, &m);
	ike_plugin_read(p->client, 0);
	assert_int_equal(ike_plugin_count(p->client).malformed, 1);
	assert_true(ike_plugin_get_fd(p->client) >= 0);
}

static void who_connects_greets_and_settles_what_for(void **state)
{
	char path[] = "/tmp/spimend-test-plugin-XXXXXX", name[64];
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	unsigned char bytes[PLUGIN_MESSAGE_MAX];
	struct plugin_failure failure;
	struct plugin_message m;
	int listening = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), fd, there;

	(void)state;
	assert_non_null(mkdtemp(path));
	snprintf(name, sizeof(name), "%s/socket", path);
	strcpy(address.sun_path, name);
	assert_int_equal(ike_plugin_connect(name, 0, &fd), -ENOENT);
	assert_int_equal(bind(listening, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(ike_plugin_connect(name, 0, &fd), -ECONNREFUSED);
	assert_int_equal(listen(listening, 4), 0);
	for (uint8_t flags = 0; flags <= (PLUGIN_WANT_REPORTS | PLUGIN_REPORTS_ONLY); flags++) {
		assert_int_equal(ike_plugin_connect(name, flags, &fd), 0);
		there = accept(listening, NULL, NULL);
		assert_int_equal(plugin_message_read(bytes, (size_t)recv(there, bytes, sizeof(bytes), 0), &m, &failure), 0);
		assert_int_equal(m.kind, PLUGIN_HELLO);
		assert_int_equal(m.flags, flags);
		close(fd);
		close(there);
	}
	assert_int_equal(ike_plugin_connect(name, PLUGIN_REPORTS_ONLY | PLUGIN_CRASH_ON, &fd), -EINVAL);
	assert_int_equal(ike_plugin_connect(name, 16, &fd), -EINVAL);
	close(listening);
	unlink(name);
	rmdir(path);
}

static void a_lost_plugin_leaves_no_order_open(void **state)
{
	struct ike_plugin_order order = a_delete(5);
	struct pair *p = *state;
	const char *why;

	attach(p, true);
	assert_int_equal(ike_plugin_order(p->client, &order, 0), 0);
	p->heard.order_again = true;
	close(p->peer);
	p->peer = -1;
	ike_plugin_read(p->client, 0);
	assert_int_equal(p->heard.downs, 1);
	assert_int_equal(p->heard.results, 1);
	assert_int_equal(p->heard.last.outcome, PLUGIN_DISCONNECTED);
	assert_int_equal(p->heard.again, -ENOTCONN);
	assert_true(ike_plugin_is_down(p->client, &why));
	assert_int_equal(ike_plugin_get_fd(p->client), -1);
	attach(p, true);
	assert_int_equal(p->heard.ups, 2);
}

static void silence_counts_as_lost(void **state)
{
	struct ike_plugin_order order = a_delete(5);
	struct pair *p = *state;

	attach(p, false);
	assert_true(ike_plugin_deadline(p->client) == IKE_PLUGIN_WELCOME_NS);
	ike_plugin_tick(p->client, IKE_PLUGIN_WELCOME_NS - 1);
	assert_true(ike_plugin_get_fd(p->client) >= 0);
	ike_plugin_tick(p->client, IKE_PLUGIN_WELCOME_NS);
	assert_int_equal(ike_plugin_get_fd(p->client), -1);
	assert_int_equal(p->heard.downs, 0); /* it never was up */
	close(p->peer);
	attach(p, true);
	assert_int_equal(ike_plugin_order(p->client, &order, 0), 0);
	ike_plugin_tick(p->client, ike_plugin_deadline(p->client));
	assert_int_equal(p->heard.results, 1);
	assert_int_equal(p->heard.last.outcome, PLUGIN_DISCONNECTED);
}

static void nonsense_is_counted_and_then_ended(void **state)
{
	struct pair *p = *state;

	attach(p, true);
	for (int i = 0; i < 15; i++)
		assert_int_equal(send(p->peer, "nonsense", 8, 0), 8);
	ike_plugin_read(p->client, 0);
	assert_true(ike_plugin_get_fd(p->client) >= 0);
	assert_int_equal(send(p->peer, "nonsense", 8, 0), 8);
	ike_plugin_read(p->client, 0);
	assert_int_equal(ike_plugin_get_fd(p->client), -1);
	assert_int_equal(ike_plugin_count(p->client).malformed, 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(greets_and_is_up, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(hears_that_crash_detection_is_on, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(an_order_gets_its_result_once, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(each_verb_says_what_it_needs, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(too_many_orders_are_refused, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(what_is_late_is_told_after_no_reply_alone, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(reports_are_not_for_it, open_pair, close_pair),
		cmocka_unit_test(who_connects_greets_and_settles_what_for),
		cmocka_unit_test_setup_teardown(a_lost_plugin_leaves_no_order_open, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(silence_counts_as_lost, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(nonsense_is_counted_and_then_ended, open_pair, close_pair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
