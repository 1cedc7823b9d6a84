/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/calendar.h"
#include "parse/snmp_write.h"
#include "sense/traps.h"
#include "sense/usm.h"

static const struct spimend_address peer = { 4, { 11, 1, 1, 3 } }, stranger = { 4, { 11, 1, 1, 30 } };
static const struct text engine = { "\x80\0\0\0\1x", 6 };
static const struct usm_engine own = { .name = "\x80\0\0\0\1own", .len = 8, .boots = 7, .began_ns = 0 };
static struct traps *traps;
static struct trap_counts counts;
static struct snmp_trap told;
static unsigned tellings;
static bool takes;

static bool on_trap(void *context, const struct snmp_trap *trap, const struct device_report *report)
{
	(void)context;
	(void)report;
	told = *trap;
	tellings += takes;
	return takes;
}

static struct notify_user a_user(void)
{
	struct notify_user user = { .name = "ann", .hash = NOTIFY_SHA256, .encrypts = true, .auth = "longenough",
				    .priv = "longenough2" };

	return user;
}

static int set_up(void **state)
{
	struct traps_events events = { .trap = on_trap };
	struct config_notify notify;

	(void)state;
	memset(&notify, 0, sizeof(notify));
	notify.trap_port = 162;
	notify.host_count = 1;
	notify.hosts[0] = (struct notify_host){ .address = peer, .name = "public" };
	notify.user_count = 1;
	notify.users[0] = a_user();
	tellings = 0;
	takes = true;
	return usm_begin() < 0 || traps_new(-1, &notify, &own, &events, &traps) < 0;
}

static int tear_down(void **state)
{
	(void)state;
	traps_free(traps);
	return 0;
}

static bool answered;
static uint8_t answer[TRAPS_DATAGRAM_MAX];
static size_t answer_len;

static enum trap_fate give(const struct spimend_address *from, const uint8_t *bytes, size_t len, int64_t now)
{
	struct trap_counts before = counts;
	uint8_t copy[SNMP_SEND_MAX];
	size_t changed = 0;
	struct text said;

	traps_count(traps, &before);
	memcpy(copy, bytes, len);
	said = traps_take(traps, from, copy, len, now);
	answered = said.len > 0;
	answer_len = said.len;
	if (answered)
		memcpy(answer, said.at, said.len);
	for (size_t i = 0; i < len; i++)
		changed += copy[i] != bytes[i] && !(bytes[i] == BER_INFORM && copy[i] == BER_RESPONSE);
	assert_int_equal(said.at == (const char *)copy ? changed : 0, 0); /* v2c: its own bytes, as a Response */
	traps_count(traps, &counts);
	assert_int_equal(counts.received, before.received + 1);
	for (int fate = 0; fate < TRAP_FATES; fate++)
		if (counts.fates[fate] != before.fates[fate])
			return (enum trap_fate)fate;
	fail_msg("not counted");
	return TRAP_FATES;
}

static struct snmp_trap a_trap(void)
{
	struct snmp_applet_event event = { .root = { 9, { 1, 3, 6, 1, 4, 1, 9, 10, 91 } }, .has_int1 = true, .int1 = 2323232,
					   .name = TEXT("command_hub"), .index = 1 };
	struct snmp_trap trap;

	snmp_make_applet_event(&event, 1, 77, &trap);
	return trap;
}

struct sent {
	uint8_t room[SNMP_SEND_MAX];
	const uint8_t *bytes;
	size_t len;
};

static void send_v2c(struct sent *s, const char *community)
{
	struct ber_writer w = ber_writer_of(s->room, sizeof(s->room));
	struct snmp_trap trap = a_trap();

	snmp_put_v2c(&w, &trap, text_of(community));
	s->bytes = s->room + w.at;
	s->len = sizeof(s->room) - w.at;
}

static void send_v3(struct sent *s, const struct notify_user *as, enum notify_security security, int32_t boots, int32_t time)
{
	struct usm_sender sender = { .engine = engine, .boots = boots, .time = time, .salt = 99 };
	struct ber_writer w = ber_writer_of(s->room, sizeof(s->room));
	struct snmp_trap trap = a_trap();
	struct usm_user user;

	assert_int_equal(usm_user_of(as, &user), 0);
	assert_int_equal(usm_put(&w, &user, security, &sender, &trap), 0);
	s->bytes = s->room + w.at;
	s->len = sizeof(s->room) - w.at;
}

static void source_and_community_belong_together(void **state)
{
	struct sent s;

	(void)state;
	send_v2c(&s, "public");
	assert_int_equal(give(&peer, s.bytes, s.len, 1), TRAP_TAKEN);
	assert_int_equal(told.varbinds[6].value.integer, 2323232);
	assert_int_equal(give(&stranger, s.bytes, s.len, 1), TRAP_WRONG_SOURCE);
	assert_true(spimend_address_equal(&counts.refused, &stranger));
	send_v2c(&s, "Public");
	assert_int_equal(give(&peer, s.bytes, s.len, 1), TRAP_WRONG_COMMUNITY);
	send_v2c(&s, "");
	assert_int_equal(give(&peer, s.bytes, s.len, 1), TRAP_WRONG_COMMUNITY);
	assert_int_equal(tellings, 1);
	takes = false;
	send_v2c(&s, "public");
	assert_int_equal(give(&peer, s.bytes, s.len, 1), TRAP_NOT_TOLD);
}

static void v3_is_checked_in_each_part(void **state)
{
	struct notify_user user = a_user();
	struct sent s;

	(void)state;
	send_v3(&s, &user, NOTIFY_V3_PRIV, 3, 100);
	assert_int_equal(give(&peer, s.bytes, s.len, SECOND_NS), TRAP_TAKEN);
	assert_true(told.authenticated);
	assert_int_equal(told.varbinds[6].value.integer, 2323232);
	for (size_t i = 0; i < s.len; i++) { /* whatever is changed, it is not taken */
		uint8_t changed[SNMP_SEND_MAX];

		memcpy(changed, s.bytes, s.len);
		changed[i] ^= 0x40;
		assert_int_not_equal(give(&peer, changed, s.len, SECOND_NS), TRAP_TAKEN);
	}
	assert_int_equal(tellings, 1);
	snprintf(user.auth, sizeof(user.auth), "another one");
	send_v3(&s, &user, NOTIFY_V3_PRIV, 3, 101);
	assert_int_equal(give(&peer, s.bytes, s.len, SECOND_NS), TRAP_WRONG_HASH);
	user = a_user();
	snprintf(user.priv, sizeof(user.priv), "another one");
	send_v3(&s, &user, NOTIFY_V3_PRIV, 3, 102);
	assert_int_equal(give(&peer, s.bytes, s.len, SECOND_NS), TRAP_UNREADABLE);
	user = a_user();
	send_v3(&s, &user, NOTIFY_V3_AUTH, 3, 103); /* less than the user has */
	assert_int_equal(give(&peer, s.bytes, s.len, SECOND_NS), TRAP_WRONG_USER);
	send_v3(&s, &user, NOTIFY_V3_NOAUTH, 3, 104);
	assert_int_equal(give(&peer, s.bytes, s.len, SECOND_NS), TRAP_WRONG_USER);
}

static void what_was_recorded_is_stale(void **state)
{
	struct notify_user user = a_user();
	struct sent first, later, started;

	(void)state;
	send_v3(&first, &user, NOTIFY_V3_PRIV, 3, 100);
	send_v3(&later, &user, NOTIFY_V3_PRIV, 3, 400);
	send_v3(&started, &user, NOTIFY_V3_PRIV, 4, 0);
	assert_int_equal(give(&peer, first.bytes, first.len, SECOND_NS), TRAP_TAKEN);
	assert_int_equal(give(&peer, first.bytes, first.len, 151 * SECOND_NS), TRAP_TAKEN); /* within the window */
	assert_int_equal(give(&peer, first.bytes, first.len, 153 * SECOND_NS), TRAP_STALE); /* although nothing newer came */
	assert_int_equal(give(&peer, later.bytes, later.len, 301 * SECOND_NS), TRAP_TAKEN);
	assert_int_equal(give(&peer, started.bytes, started.len, 302 * SECOND_NS), TRAP_TAKEN);
	assert_int_equal(give(&peer, later.bytes, later.len, 302 * SECOND_NS), TRAP_STALE); /* of an earlier start */
}

/* RFC 3414 A.5.1, with our own functions: "maplesyrup" for the engine 00 ... 02 localizes so that net-snmp agrees; that is
 * tests/roles. Here: each hash makes and checks its own length. */
static void every_hash_has_its_length(void **state)
{
	static const size_t lengths[NOTIFY_HASHES] = { 0, 12, 16, 24, 32, 48 };
	struct snmp_failure failure;
	struct snmp_message message;
	struct notify_user user = a_user();
	struct usm_user keys;
	struct sent s;

	(void)state;
	for (int hash = NOTIFY_SHA; hash < NOTIFY_HASHES; hash++) {
		user.hash = (enum notify_hash)hash;
		send_v3(&s, &user, NOTIFY_V3_PRIV, 1, 1);
		assert_int_equal(snmp_read_message(s.bytes, s.len, &message, &failure), 0);
		assert_int_equal(message.auth.len, lengths[hash]);
		assert_int_equal(usm_user_of(&user, &keys), 0);
		assert_int_equal(usm_check(&keys, &message, s.room + (s.bytes - s.room)), USM_FINE);
	}
}

/* What a sender of informs says: `known` is the engine that it takes for ours. */
static void send_inform(struct sent *s, const struct notify_user *as, enum notify_security security, struct text known,
			int32_t boots, int32_t time, int32_t request)
{
	struct usm_sender sender = { .engine = known, .boots = boots, .time = time, .salt = 99 };
	struct ber_writer w = ber_writer_of(s->room, sizeof(s->room));
	struct snmp_trap trap = a_trap();
	struct usm_user user;

	trap.inform = true;
	trap.request = request;
	assert_int_equal(usm_user_of(as, &user), 0);
	if (security == NOTIFY_V3_NOAUTH)
		memset(user.name, 0, sizeof(user.name));
	assert_int_equal(usm_put(&w, &user, security, &sender, &trap), 0);
	s->bytes = s->room + w.at;
	s->len = sizeof(s->room) - w.at;
}

/* The answer: its PDU, decrypted and checked as its receiver does. */
static struct ber read_answer(const struct notify_user *as, bool is_signed, struct snmp_message *ret)
{
	static uint8_t plain[TRAPS_DATAGRAM_MAX];
	struct snmp_failure failure;
	struct usm_user user;
	struct ber whole, scoped, pdu;

	assert_true(answered);
	assert_int_equal(snmp_read_message(answer, answer_len, ret, &failure), 0);
	assert_true(text_equal(ret->engine, (struct text){ (const char *)own.name, own.len }));
	assert_int_equal(!!(ret->flags & SNMP_FLAG_AUTH), is_signed);
	assert_false(ret->flags & SNMP_FLAG_REPORT);
	assert_int_equal(usm_user_of(as, &user), 0);
	if (is_signed)
		assert_int_equal(usm_check(&user, ret, answer), USM_FINE);
	scoped = ret->scoped;
	if (ret->flags & SNMP_FLAG_PRIV) {
		assert_int_equal(usm_decrypt(&user, ret, plain), USM_FINE);
		whole = ber_of(plain, ret->encrypted.len);
		assert_true(ber_enter(&whole, BER_SEQUENCE, "", &scoped));
	}
	assert_int_equal(snmp_read_scoped(scoped, &pdu, &failure), 0);
	return pdu;
}

static void informs_of_v3_are_answered_under_our_engine(void **state)
{
	const struct text us = { (const char *)own.name, own.len };
	struct notify_user user = a_user(), wrong = a_user();
	struct snmp_answer said;
	struct snmp_message m;
	struct sent s;
	struct ber pdu;

	(void)state;
	/* RFC 3414 4: who knows no engine asks for it, without a user and a hash */
	send_inform(&s, &user, NOTIFY_V3_NOAUTH, TEXT_NONE, 0, 0, 5);
	assert_int_equal(give(&peer, s.bytes, s.len, 100 * SECOND_NS), TRAP_ASKS_ENGINE);
	pdu = read_answer(&user, false, &m);
	assert_int_equal(ber_peek(&pdu), BER_REPORT);
	assert_int_equal(snmp_read_request(pdu), 5);
	assert_true(snmp_read_answer(pdu, &said) && said.is_report && said.counter == 4 && said.request == 5);
	assert_int_equal(m.boots, 7);
	assert_int_equal(m.time, 100);
	assert_true(answer_len < 2 * s.len);
	assert_int_equal(give(&stranger, s.bytes, s.len, 100 * SECOND_NS), TRAP_WRONG_SOURCE);
	assert_false(answered); /* to nobody but a host of ours */
	/* a wrong time of it is told with our hash, and nothing is taken */
	send_inform(&s, &user, NOTIFY_V3_PRIV, us, 7, 400, 6);
	assert_int_equal(give(&peer, s.bytes, s.len, 100 * SECOND_NS), TRAP_STALE);
	pdu = read_answer(&user, true, &m);
	assert_true(snmp_read_answer(pdu, &said) && said.is_report && said.counter == 2);
	send_inform(&s, &user, NOTIFY_V3_PRIV, us, 6, 100, 6);
	assert_int_equal(give(&peer, s.bytes, s.len, 100 * SECOND_NS), TRAP_STALE);
	assert_int_equal(tellings, 0);
	/* then it is taken, and answered with what it said, again and again */
	for (int32_t turn = 0; turn < 2; turn++) {
		send_inform(&s, &user, NOTIFY_V3_PRIV, us, 7, 101, 6);
		assert_int_equal(give(&peer, s.bytes, s.len, 102 * SECOND_NS), turn ? TRAP_AGAIN : TRAP_TAKEN);
		pdu = read_answer(&user, true, &m);
		assert_true(m.flags & SNMP_FLAG_PRIV);
		assert_int_equal(ber_peek(&pdu), BER_RESPONSE);
		assert_true(snmp_read_answer(pdu, &said) && !said.is_report && said.request == 6 && !said.error);
	}
	assert_int_equal(tellings, 1);
	/* under another engine than ours it cannot be: that is told */
	send_inform(&s, &user, NOTIFY_V3_PRIV, engine, 7, 101, 8);
	assert_int_equal(give(&peer, s.bytes, s.len, 102 * SECOND_NS), TRAP_ASKS_ENGINE);
	/* who has no keys of ours hears nothing */
	snprintf(wrong.auth, sizeof(wrong.auth), "another one");
	send_inform(&s, &wrong, NOTIFY_V3_PRIV, us, 7, 101, 9);
	assert_int_equal(give(&peer, s.bytes, s.len, 102 * SECOND_NS), TRAP_WRONG_HASH);
	assert_false(answered);
}

static void reports_are_bounded(void **state)
{
	struct notify_user user = a_user();
	unsigned reports = 0;
	struct sent s;

	(void)state;
	send_inform(&s, &user, NOTIFY_V3_NOAUTH, TEXT_NONE, 0, 0, 5);
	for (int i = 0; i < 200; i++) {
		assert_int_equal(give(&peer, s.bytes, s.len, 10 * SECOND_NS + i * SECOND_NS / 200), TRAP_ASKS_ENGINE);
		reports += answered;
	}
	assert_int_equal(reports, TRAPS_REPORTS_A_SECOND);
	assert_int_equal(give(&peer, s.bytes, s.len, 12 * SECOND_NS), TRAP_ASKS_ENGINE);
	assert_true(answered);
}

static void an_inform_counts_once(void **state)
{
	struct sent s;

	(void)state;
	send_v2c(&s, "public");
	for (size_t i = 0; i < s.len; i++)
		if (s.bytes[i] == BER_TRAP_V2) {
			s.room[s.bytes - s.room + (ptrdiff_t)i] = BER_INFORM;
			break;
		}
	assert_int_equal(give(&peer, s.bytes, s.len, SECOND_NS), TRAP_TAKEN);
	assert_true(told.inform);
	assert_true(answered);
	assert_int_equal(give(&peer, s.bytes, s.len, 2 * SECOND_NS), TRAP_AGAIN);
	assert_true(answered); /* the first answer was lost */
	assert_int_equal(give(&peer, s.bytes, s.len, 100 * SECOND_NS), TRAP_TAKEN); /* long after, it is another one */
	send_v2c(&s, "other");
	for (size_t i = 0; i < s.len; i++)
		if (s.bytes[i] == BER_TRAP_V2) {
			s.room[s.bytes - s.room + (ptrdiff_t)i] = BER_INFORM;
			break;
		}
	assert_int_equal(give(&peer, s.bytes, s.len, SECOND_NS), TRAP_WRONG_COMMUNITY);
	assert_false(answered);
	send_v2c(&s, "public");
	assert_int_equal(give(&peer, s.bytes, s.len, SECOND_NS), TRAP_TAKEN);
	assert_false(answered); /* a trap */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(source_and_community_belong_together, set_up, tear_down),
		cmocka_unit_test_setup_teardown(v3_is_checked_in_each_part, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_was_recorded_is_stale, set_up, tear_down),
		cmocka_unit_test_setup_teardown(every_hash_has_its_length, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_inform_counts_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(informs_of_v3_are_answered_under_our_engine, set_up, tear_down),
		cmocka_unit_test_setup_teardown(reports_are_bounded, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
