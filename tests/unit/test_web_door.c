/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include "base/calendar.h"
#include "parse/web_token.h"
#include "role/web_door.h"

static struct web_door door;
static char page[WEB_TOKEN_TEXT_MAX], person[WEB_TOKEN_TEXT_MAX];

static int set_up(void **state)
{
	uint8_t bytes[WEB_TOKEN_BYTES] = { 1 }, hash[WEB_HASH_SIZE];

	(void)state;
	memset(&door, 0, sizeof(door));
	web_token_print(bytes, false, page);
	web_token_print(bytes, true, person);
	assert_int_equal(web_hash(text_of(page), hash), 0);
	door_change_page(&door, hash);
	return 0;
}

static void test_the_page_token_is_judged_here_a_persons_is_not(void **state)
{
	struct web_who who;
	char wrong[WEB_TOKEN_TEXT_MAX];

	(void)state;
	assert_true(door_token(&door, text_of(page), &who));
	assert_int_equal(who.credential, WEB_BY_PAGE);
	assert_true(door_token(&door, text_of(person), &who));
	assert_int_equal(who.credential, WEB_BY_PERSON);
	strcpy(wrong, page);
	wrong[20] = wrong[20] == 'A' ? 'B' : 'A';
	assert_false(door_token(&door, text_of(wrong), &who));
	assert_false(door_token(&door, TEXT(""), &who));
	memset(&door, 0, sizeof(door)); /* before the parent told it */
	assert_false(door_token(&door, text_of(page), &who));
}

static void test_a_hash_of_zeros_is_no_token(void **state)
{
	struct web_who who;

	(void)state;
	assert_false(door_cookie(&door, TEXT("x"), 1, &who)); /* free places are no sessions */
}

static void test_a_session_lives_its_time_and_no_longer(void **state)
{
	struct web_who who, back;
	char cookie[WEB_TOKEN_TEXT_MAX];

	(void)state;
	assert_true(door_token(&door, text_of(page), &who));
	assert_true(door_enter(&door, &who, 5 * SECOND_NS, cookie));
	assert_string_not_equal(cookie, page);
	assert_true(door_cookie(&door, text_of(cookie), 6 * SECOND_NS, &back));
	assert_int_equal(back.credential, WEB_BY_PAGE);
	assert_true(back.session > 0 && door_serial(&door, &back) > 0);
	assert_int_equal(door_sessions(&door), 1);
	assert_false(door_cookie(&door, text_of(page), 6 * SECOND_NS, &back)); /* a token is no cookie */
	assert_true(door_cookie(&door, text_of(cookie), 5 * SECOND_NS + DOOR_SESSION_NS - 1, &back));
	assert_false(door_cookie(&door, text_of(cookie), 5 * SECOND_NS + DOOR_SESSION_NS, &back));
	assert_int_equal(door_sessions(&door), 0);
}

/* A question of a session that ended meanwhile is not that of whoever got its place. */
static void test_the_place_of_who_left_is_another_ones(void **state)
{
	struct web_who who, left, came;
	char cookie[WEB_TOKEN_TEXT_MAX];

	(void)state;
	assert_true(door_token(&door, text_of(page), &who));
	assert_true(door_enter(&door, &who, 1, cookie));
	assert_true(door_cookie(&door, text_of(cookie), 2, &left));
	door_leave(&door, &left);
	assert_true(door_enter(&door, &who, 3, cookie));
	assert_true(door_cookie(&door, text_of(cookie), 4, &came));
	assert_int_equal(came.session, left.session);
	assert_true(door_serial(&door, &came) > 0);
	assert_int_equal(door_serial(&door, &left), 0);
	door_leave(&door, &left);
	assert_true(door_cookie(&door, text_of(cookie), 5, &came));
}

static void test_who_leaves_is_out(void **state)
{
	struct web_who who, back;
	char cookie[WEB_TOKEN_TEXT_MAX];

	(void)state;
	assert_true(door_token(&door, text_of(person), &who));
	assert_true(door_enter(&door, &who, 1, cookie));
	assert_true(door_cookie(&door, text_of(cookie), 2, &back));
	assert_memory_equal(back.token, who.token, sizeof(who.token));
	door_leave(&door, &back);
	assert_false(door_cookie(&door, text_of(cookie), 3, &back));
}

static void test_another_page_token_ends_sessions_of_the_old_one(void **state)
{
	uint8_t other[WEB_HASH_SIZE] = { 9 };
	struct web_who who, back;
	char by_page[WEB_TOKEN_TEXT_MAX], by_person[WEB_TOKEN_TEXT_MAX];

	(void)state;
	assert_true(door_token(&door, text_of(page), &who));
	assert_true(door_enter(&door, &who, 1, by_page));
	assert_true(door_token(&door, text_of(person), &who));
	assert_true(door_enter(&door, &who, 1, by_person));
	door_change_page(&door, door.page); /* the same one again */
	assert_true(door_cookie(&door, text_of(by_page), 2, &back));
	door_change_page(&door, other);
	assert_false(door_cookie(&door, text_of(by_page), 2, &back));
	assert_true(door_cookie(&door, text_of(by_person), 2, &back));
	assert_false(door_token(&door, text_of(page), &who));
}

static void test_sessions_are_bounded(void **state)
{
	char cookie[WEB_TOKEN_TEXT_MAX];
	struct web_who who;

	(void)state;
	assert_true(door_token(&door, text_of(page), &who));
	for (int i = 0; i < DOOR_SESSIONS_MAX; i++)
		assert_true(door_enter(&door, &who, 1, cookie));
	assert_false(door_enter(&door, &who, 1, cookie));
	assert_true(door_enter(&door, &who, 1 + DOOR_SESSION_NS, cookie)); /* the first ones are over */
}

static void test_each_has_a_rate_of_its_own(void **state)
{
	struct web_who one = { .token = { 1 } }, other = { .token = { 2 } };
	int64_t now = SECOND_NS;
	int taken = 0;

	(void)state;
	while (taken < 10 * DOOR_RATE && door_may_ask(&door, &one, "127.0.0.1", now))
		taken++;
	assert_int_equal(taken, 2 * DOOR_RATE);
	assert_true(door_may_ask(&door, &other, "127.0.0.1", now)); /* the same address */
	assert_true(door_may_ask(&door, NULL, "127.0.0.1", now));
	assert_true(door_may_ask(&door, &one, "127.0.0.1", now + SECOND_NS));
	for (taken = 0; taken < 100 && door_may_err(&door, "127.0.0.1", now); taken++)
		;
	assert_int_equal(taken, 2 * DOOR_WRONG_RATE);
	assert_true(door_may_err(&door, "uid 1000", now));
}

static void test_many_clients_make_room(void **state)
{
	char address[32];

	(void)state;
	for (int i = 0; i < 3 * DOOR_CLIENTS_MAX; i++) {
		snprintf(address, sizeof(address), "uid %d", i);
		assert_true(door_may_err(&door, address, SECOND_NS + i));
	}
}

static void test_work_takes_its_share_of_the_time_and_no_more(void **state)
{
	struct share share = { .credit = 0 };
	int64_t now = 50 * SECOND_NS, worked = 0;

	(void)state;
	for (int64_t until = now + 100 * SECOND_NS; now < until; now += SECOND_NS / 100) { /* asked a hundred times a second */
		if (!share_may(&share, now, 40))
			continue;
		share_pay(&share, SECOND_NS / 50); /* 20 ms each */
		worked += SECOND_NS / 50;
	}
	assert_in_range(worked, 40 * SECOND_NS, 43 * SECOND_NS);
	assert_false(share_may(&share, now, 40) && share_may(&share, now, 0) && share.credit > SECOND_NS);
	assert_true(share_may(&share, now + HOUR_NS, 40));
	share_pay(&share, 2 * SECOND_NS); /* no more than two seconds were saved up */
	assert_false(share_may(&share, now + HOUR_NS, 40));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_the_page_token_is_judged_here_a_persons_is_not, set_up),
		cmocka_unit_test_setup(test_a_hash_of_zeros_is_no_token, set_up),
		cmocka_unit_test_setup(test_a_session_lives_its_time_and_no_longer, set_up),
		cmocka_unit_test_setup(test_the_place_of_who_left_is_another_ones, set_up),
		cmocka_unit_test_setup(test_who_leaves_is_out, set_up),
		cmocka_unit_test_setup(test_another_page_token_ends_sessions_of_the_old_one, set_up),
		cmocka_unit_test_setup(test_sessions_are_bounded, set_up),
		cmocka_unit_test_setup(test_each_has_a_rate_of_its_own, set_up),
		cmocka_unit_test_setup(test_many_clients_make_room, set_up),
		cmocka_unit_test(test_work_takes_its_share_of_the_time_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
