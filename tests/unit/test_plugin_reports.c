/* SPDX-License-Identifier: MIT */
/* sense/plugin_reports against a plugin that is this test, at the other end of a socket pair. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "parse/plugin_message.h"
#include "sense/plugin_reports.h"

#define HAS(field) (UINT32_C(1) << PLUGIN_HAS_##field)

struct heard {
	int reports;
	struct plugin_report last;
};

static int peer;
static struct heard heard;

static void on_report(void *context, const struct plugin_report *report)
{
	struct heard *h = context;

	assert_true(gateway_valid_report(report));
	h->reports++;
	h->last = *report;
}

static struct plugin_reports *start(void)
{
	struct plugin_reports_calls calls = { &heard, on_report };
	struct plugin_reports *p;
	int fds[2];

	memset(&heard, 0, sizeof(heard));
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	peer = fds[1];
	assert_int_equal(plugin_reports_new(3, fds[0], &calls, &p), 0);
	return p;
}

static void peer_says(const struct plugin_message *m)
{
	unsigned char bytes[PLUGIN_MESSAGE_MAX];
	int len = plugin_message_write(m, bytes);

	assert_true(len > 0);
	assert_int_equal(send(peer, bytes, (size_t)len, 0), len);
}

static void reports_come_with_their_daemon_and_what_was_lost_is_counted(void **state)
{
	struct plugin_message welcome = { .kind = PLUGIN_WELCOME, .serial = 1, .present = HAS(TEXT), .text = "5.9.8" };
	struct plugin_message died = { .kind = PLUGIN_IKE_REKEYED, .present = HAS(IKE_ID) | HAS(NEW_IKE_ID), .ike_id = 4,
				       .new_ike_id = 5 };
	struct plugin_message lost = { .kind = PLUGIN_LOST, .present = HAS(COUNT), .count = 40 };
	struct plugin_reports *p = start();
	struct plugin_state is = { 0 };

	(void)state;
	plugin_reports_state(p, &is);
	assert_false(is.up);
	peer_says(&welcome);
	peer_says(&died);
	peer_says(&lost);
	assert_int_equal(plugin_reports_read(p), 0);
	assert_int_equal(heard.reports, 2);
	assert_int_equal(heard.last.daemon, 3);
	assert_int_equal(heard.last.is.kind, PLUGIN_LOST);
	memset(&is, 0, sizeof(is));
	plugin_reports_state(p, &is);
	assert_true(is.up && is.daemon == 3 && is.reports == 1 && is.lost == 40 && is.malformed == 0);
	assert_true(gateway_valid_plugin(&is));
	assert_string_equal(is.version, "5.9.8");
	close(peer);
	assert_int_equal(plugin_reports_read(p), -EPIPE);
	plugin_reports_free(p);
}

static void what_is_no_report_is_counted_and_then_ended(void **state)
{
	struct plugin_message result = { .kind = PLUGIN_RESULT, .serial = 7, .present = HAS(OUTCOME) };
	struct plugin_reports *p = start();
	struct plugin_state is = { 0 };

	(void)state;
	peer_says(&result);
	for (int i = 0; i < 14; i++)
		assert_int_equal(send(peer, "nonsense", 8, 0), 8);
	assert_int_equal(plugin_reports_read(p), 0);
	plugin_reports_state(p, &is);
	assert_int_equal(is.malformed, 15);
	assert_int_equal(send(peer, "nonsense", 8, 0), 8);
	assert_int_equal(plugin_reports_read(p), -EPROTO);
	assert_int_equal(heard.reports, 0);
	close(peer);
	plugin_reports_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reports_come_with_their_daemon_and_what_was_lost_is_counted),
		cmocka_unit_test(what_is_no_report_is_counted_and_then_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
