/* SPDX-License-Identifier: MIT */
/* src/role/ssh_hold.c: who is left alone after a password was not taken; and what a log-in that never ended comes to. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include "base/memory.h"
#include "role/ssh_role.h"

static struct reach *reach;
static struct member member;
static char folder[] = "/tmp/spimend-hold.XXXXXX", other[64];

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void no_timer(void *context, int64_t now)
{
	(void)context;
	(void)now;
}

/* Devices a to f: a, b by one way, c, d by another, with the same password; e has another one; f has a key, and goes through
 * a. */
static int set_up(void **state)
{
	struct config_devices *d;

	(void)state;
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	assert_non_null(mkdtemp(folder));
	assert_int_equal(loop_new(&member.loop), 0);
	reach = memory_new(1, sizeof(*reach));
	assert_non_null(reach);
	reach->member = &member;
	snprintf(reach->sockets, sizeof(reach->sockets), "%s", folder);
	assert_int_equal(loop_add_timer(member.loop, no_timer, reach, &reach->timer), 0);
	d = &reach->devices;
	d->count = 6;
	d->login_count = 4;
	for (uint32_t i = 0; i < d->count; i++) {
		snprintf(d->at[i].name, sizeof(d->at[i].name), "%c", (int)('a' + i));
		d->at[i].login = (uint16_t)(1 + i / 2 + (i == 5));
	}
	snprintf(other, sizeof(other), "%s/other", folder);
	for (uint32_t i = 0; i < 3; i++) {
		strcpy(d->logins[i].user, "netops");
		snprintf(d->logins[i].password_file, sizeof(d->logins[i].password_file), "%s/%s", folder, i < 2 ? "one" : "other");
	}
	d->logins[1].legacy = true;
	strcpy(d->logins[3].user, "netops");
	strcpy(d->logins[3].key_file, "/key");
	strcpy(d->logins[3].jump, "a");
	put(d->logins[0].password_file, "hunter2\n");
	put(other, "hunter3\n");
	hold_begin(reach);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(reach->devices.logins[0].password_file);
	unlink(other);
	assert_int_equal(rmdir(folder), 0); /* no slip is left */
	loop_free(member.loop);
	memory_free(reach);
	return 0;
}

static bool is_held(uint32_t device)
{
	char why[DEVICE_REASON_MAX];

	return hold_is_held(reach, device, loop_now(member.loop), why, sizeof(why));
}

static void test_a_password_is_one_by_whatever_way(void **state)
{
	(void)state;
	hold_after_denial(reach, 0, false);
	hold_after_denial(reach, 1, false);
	assert_false(is_held(3));
	hold_after_denial(reach, 2, false); /* the third, by another way in */
	assert_true(is_held(3));
	assert_true(is_held(5)); /* through a, which takes it too */
	assert_false(is_held(4));
}

static void test_no_more_at_once_than_may_fail_by_whatever_way(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 3; i++)
		reach->sessions[i] = (struct session){ .reach = reach, .phase = SESSION_STARTS, .device = i };
	assert_true(hold_must_wait(reach, 3));
	assert_false(hold_must_wait(reach, 4));
	memset(reach->sessions, 0, sizeof(reach->sessions));
}

static void test_another_file_ends_each_wait(void **state)
{
	(void)state;
	hold_after_denial(reach, 0, false);
	hold_taken(reach, 1, false); /* another device took it meanwhile */
	assert_true(hold_is_proved(reach, 2, false));
	assert_true(is_held(0));
	unlink(reach->devices.logins[0].password_file);
	put(reach->devices.logins[0].password_file, "hunter4\n");
	assert_false(is_held(0));
	assert_false(hold_is_proved(reach, 2, false));
}

/* Somebody was told the password, and nobody is in. */
static void begin(struct session *s, uint32_t device)
{
	*s = (struct session){ .reach = reach, .phase = SESSION_STARTS, .device = device, .number = DEVICE_SESSIONS_MAX,
			       .process = { .pid_fd = -1, .terminal = -1, .complaints = -1 } };
}

static void test_a_password_that_was_told_and_not_answered_counts_as_refused(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		begin(&reach->sessions[0], i);
		session_late(&reach->sessions[0]);
		assert_int_equal(reach->sessions[0].phase, SESSION_NONE);
	}
	assert_true(is_held(3));
}

static void test_a_device_that_hangs_casts_no_doubt_on_what_others_take(void **state)
{
	(void)state;
	hold_taken(reach, 3, false);
	for (uint32_t i = 0; i < 3; i++) {
		begin(&reach->sessions[0], i);
		session_late(&reach->sessions[0]);
	}
	assert_true(is_held(0));
	assert_false(is_held(3));
	assert_true(hold_is_proved(reach, 3, false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_password_is_one_by_whatever_way, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_more_at_once_than_may_fail_by_whatever_way, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_another_file_ends_each_wait, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_password_that_was_told_and_not_answered_counts_as_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_device_that_hangs_casts_no_doubt_on_what_others_take, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
