/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "parse/daemon_hint.h"
#include "vici_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct daemon_hint hear(struct daemon_hint_memory *memory, uint32_t thread, uint32_t ike, const char *text)
{
	struct vici_log log = { .text = text_of(text), .thread = thread, .has_ike = ike != 0, .ike_id = ike };
	struct daemon_hint hint = daemon_hint_read(memory, 2, &log);

	assert_true(gateway_valid_hint(&hint));
	return hint;
}

static void each_line_gives_its_hint(void **state)
{
	static const struct {
		const char *text;
		enum daemon_hint_kind kind;
		bool has_spi;
		uint32_t spi;
	} rows[] = {
		{ "received DELETE for unknown ESP CHILD_SA with SPI c0ffee00", HINT_DELETE_UNKNOWN, true, 0xc0ffee00 },
		{ "received DELETE for ESP CHILD_SA with SPI e099be5e", HINT_DELETE_RECEIVED, true, 0xe099be5e },
		{ "received DELETE for IKE_SA net[1]", HINT_DELETE_RECEIVED, false, 0 },
		{ "sending DELETE for ESP CHILD_SA with SPI 99280b4e", HINT_DELETE_SENT, true, 0x99280b4e },
		{ "sending DELETE for IKE_SA net[1]", HINT_DELETE_SENT, false, 0 },
		{ "closing expired CHILD_SA net{1} with SPIs 1ff59140_i (924 bytes) e099be5e_o (924 bytes) and TS "
		  "192.168.2.0/24 === 192.168.1.0/24", HINT_EXPIRED, true, 0x1ff59140 },
		{ "querying SAD entry with SPI c1234567 failed: No such process (3)", HINT_KERNEL_LOST, true, 0xc1234567 },
		{ "querying SAD entry with SPI c1234567 (mark 42/0xffffffff) failed: No such process (3)", HINT_KERNEL_LOST, true,
		  0xc1234567 },
		{ "querying SAD entry with SPI c1234567 failed: Operation not permitted (1)", HINT_NONE, false, 0 },
		{ "received TEMPORARY_FAILURE notify, delaying", HINT_COLLISION, false, 0 },
		{ "CHILD_SA rekey collision lost, deleting redundant child net{3}", HINT_COLLISION, false, 0 },
		{ "detected CHILD_REKEY collision with CHILD_REKEY", HINT_COLLISION, false, 0 },
		{ "peer didn't find the CHILD_SA we tried to rekey", HINT_CHILD_NOT_FOUND, false, 0 },
		{ "destroying duplicate IKE_SA for peer 'B.test', received INITIAL_CONTACT", HINT_INITIAL_CONTACT, false, 0 },
		{ "giving up after 5 retransmits", HINT_PEER_DEAD, false, 0 },
		{ "DPD check timed out, enforcing DPD action", HINT_PEER_DEAD, false, 0 },
		{ "not establishing CHILD_SA net{2} due to existing duplicate {1} with SPIs c1_i c2_o", HINT_DUPLICATE, false, 0 },
		{ "closing CHILD_SA net{1} with SPIs 1ff59140_i (924 bytes) e099be5e_o (924 bytes)", HINT_NONE, false, 0 },
		{ "CHILD_SA closed", HINT_NONE, false, 0 },
		{ "", HINT_NONE, false, 0 },
		/* What a stranger may have chosen stands behind the start of a line, never at it. */
		{ "no IKE config found for 10.1.1.2...192.0.2.9, giving up after 5 retransmits", HINT_NONE, false, 0 },
		{ "received DELETE for ESP CHILD_SA with SPI e099be5", HINT_DELETE_RECEIVED, false, 0 },
		{ "received DELETE for ESP CHILD_SA with SPI e099be5e0", HINT_DELETE_RECEIVED, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct daemon_hint_memory memory = { 0 };
		struct daemon_hint hint = hear(&memory, 7, 1, rows[i].text);

		if (hint.kind != rows[i].kind)
			fail_msg("%s: %d", rows[i].text, hint.kind);
		assert_int_equal(hint.daemon, 2);
		assert_int_equal(hint.has_spi, rows[i].has_spi);
		assert_int_equal(hint.has_spi ? hint.spi : 0, rows[i].spi);
		assert_int_equal(hint.has_ike, hint.kind != HINT_NONE);
	}
}

/* The lines of both ends of one exchange, as they came. */
static void the_answer_to_a_delete_is_no_news(void **state)
{
	struct daemon_hint_memory memory = { 0 };

	(void)state;
	assert_int_equal(hear(&memory, 16, 1, "closing CHILD_SA net{2} with SPIs 99280b4e_i (0 bytes)").kind, HINT_NONE);
	assert_int_equal(hear(&memory, 16, 1, "sending DELETE for ESP CHILD_SA with SPI 99280b4e").kind, HINT_DELETE_SENT);
	assert_int_equal(hear(&memory, 16, 1, "generating INFORMATIONAL request 3 [ D ]").kind, HINT_NONE);
	assert_int_equal(hear(&memory, 7, 1, "parsed INFORMATIONAL response 3 [ D ]").kind, HINT_NONE);
	assert_int_equal(hear(&memory, 7, 1, "received DELETE for ESP CHILD_SA with SPI 57f44cb3").kind, HINT_NONE);

	assert_int_equal(hear(&memory, 8, 1, "parsed INFORMATIONAL request 4 [ D ]").kind, HINT_NONE);
	assert_int_equal(hear(&memory, 8, 1, "received DELETE for ESP CHILD_SA with SPI 57f44cb3").kind, HINT_DELETE_RECEIVED);
	assert_int_equal(hear(&memory, 8, 1, "sending DELETE for ESP CHILD_SA with SPI 99280b4e").kind, HINT_NONE);
	assert_int_equal(hear(&memory, 8, 1, "generating INFORMATIONAL response 4 [ D ]").kind, HINT_NONE);
	/* The same thread, later, by itself; and another IKE SA on a thread that has just heard a request. */
	assert_int_equal(hear(&memory, 8, 1, "sending DELETE for ESP CHILD_SA with SPI 11111111").kind, HINT_DELETE_SENT);
	assert_int_equal(hear(&memory, 8, 1, "parsed INFORMATIONAL request 5 [ ]").kind, HINT_NONE);
	assert_int_equal(hear(&memory, 8, 2, "sending DELETE for ESP CHILD_SA with SPI 22222222").kind, HINT_DELETE_SENT);
	assert_int_equal(hear(&memory, 9, 1, "parsed INFORMATIONAL_V1 request 340027089 [ HASH D ]").kind, HINT_NONE);
	assert_int_equal(hear(&memory, 9, 1, "received DELETE for ESP CHILD_SA with SPI da35088d").kind, HINT_DELETE_RECEIVED);
}

static void a_real_log_event_is_read(void **state)
{
	struct daemon_hint_memory memory = { 0 };
	struct vici_reading reading;
	struct vici_packet packet;
	struct daemon_hint hint;
	struct vici_log log;
	struct fixture f;

	(void)state;
	packet = fixture_read(&f, "vici", "v2-log-sending-delete");
	assert_int_equal(vici_read_log(packet.message, &log, &reading), 0);
	assert_true(text_equal(log.group, TEXT("IKE")) && log.thread != 0);
	hint = daemon_hint_read(&memory, 0, &log);
	assert_int_equal(hint.kind, HINT_DELETE_SENT);
	assert_true(hint.has_spi && hint.has_ike);
}

static void an_alert_that_a_peer_is_silent_is_a_hint(void **state)
{
	struct vici_reading reading;
	struct daemon_hint hint;
	struct buffer b = { 0 };

	(void)state;
	vici_write_key(&b, TEXT("type"), TEXT("retransmit-send-timeout"));
	vici_write_section(&b, TEXT("net"));
	vici_write_key(&b, TEXT("uniqueid"), TEXT("12"));
	vici_write_section_end(&b);
	assert_int_equal(vici_read_alert(1, buffer_text(&b), &hint, &reading), 0);
	assert_int_equal(hint.kind, HINT_PEER_DEAD);
	assert_true(hint.has_ike && hint.ike_id == 12);
	buffer_clear(&b);
	vici_write_key(&b, TEXT("type"), TEXT("ts-mismatch"));
	assert_int_equal(vici_read_alert(1, buffer_text(&b), &hint, &reading), 0);
	assert_int_equal(hint.kind, HINT_NONE);
	buffer_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_line_gives_its_hint),
		cmocka_unit_test(the_answer_to_a_delete_is_no_news),
		cmocka_unit_test(a_real_log_event_is_read),
		cmocka_unit_test(an_alert_that_a_peer_is_silent_is_a_hint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
