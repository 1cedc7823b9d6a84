/* SPDX-License-Identifier: MIT */
/*
 * Who is left alone, and for how long. A log-in that failed is not tried again at once, and less often each time. A
 * password that was not taken waits longer: devices, and the servers that they ask, lock people out. It may stand for
 * many devices: until one of them took it no more log-ins are under way than may fail, and when REACH_DENIED_MOST in a
 * row did fail it is tried nowhere for a while. Another password in its file is a new beginning.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "role/ssh_role.h"

static int64_t longer(int64_t *wait, int64_t first, int64_t most)
{
	*wait = *wait ? 2 * *wait : first;
	if (*wait > most)
		*wait = most;
	return *wait;
}

static bool is_same_password(const struct config_login *a, const struct config_login *b)
{
	return strcmp(a->user, b->user) == 0 && strcmp(a->password_file, b->password_file) == 0;
}

void hold_begin(struct reach *reach)
{
	const struct config_devices *d = &reach->devices;

	memset(reach->failed, 0, sizeof(reach->failed));
	memset(reach->logins, 0, sizeof(reach->logins));
	for (uint32_t i = 0; i < d->login_count; i++) {
		uint32_t first = 0;

		while (!is_same_password(&d->logins[first], &d->logins[i]))
			first++;
		reach->logins[i].first = (uint16_t)(first + 1);
	}
}

static bool has_password(const struct reach *reach, uint16_t login)
{
	return login && reach->devices.logins[login - 1].password_file[0];
}

/* What is learned of a password stands with the first login that has it: the same user may be logged in by other ways. */
static uint16_t first_of(const struct reach *reach, uint16_t login)
{
	return login ? reach->logins[login - 1].first : 0;
}

static uint16_t own_login(const struct reach *reach, uint32_t device)
{
	return first_of(reach, reach->devices.at[device].login);
}

static uint16_t jump_login(const struct reach *reach, uint32_t device)
{
	const struct config_login *login = device_login(&reach->devices, &reach->devices.at[device]);
	int32_t jump = login && login->jump[0] ? device_find(&reach->devices, text_of(login->jump)) : -1;

	return jump < 0 ? 0 : own_login(reach, (uint32_t)jump);
}

static void forget_all_of(struct reach_login *l)
{
	uint16_t first = l->first;

	memset(l, 0, sizeof(*l));
	l->first = first;
}

static struct timespec changed(const struct reach *reach, uint16_t login)
{
	struct stat found;

	memset(&found, 0, sizeof(found));
	(void)stat(reach->devices.logins[login - 1].password_file, &found);
	return found.st_ctim;
}

/* Is it another password by now? Then what was learned of the old one is forgotten. */
static void look_again(struct reach *reach, uint16_t login)
{
	struct reach_login *l = &reach->logins[login - 1];
	struct timespec now;

	if (!l->changed.tv_sec && !l->changed.tv_nsec) /* everybody took it */
		return;
	now = changed(reach, login);
	if (now.tv_sec == l->changed.tv_sec && now.tv_nsec == l->changed.tv_nsec)
		return;
	forget_all_of(l);
	for (uint32_t i = 0; i < reach->devices.count; i++)
		if (reach->failed[i].denied == login)
			memset(&reach->failed[i], 0, sizeof(reach->failed[i]));
}

void hold_after_failure(struct reach *reach, uint32_t device)
{
	int64_t now = loop_now(reach->member->loop);

	reach->failed[device].again = now + longer(&reach->failed[device].wait, REACH_AGAIN_FIRST, REACH_AGAIN_MOST);
	reach->failed[device].denied = 0;
}

void hold_after_denial(struct reach *reach, uint32_t device, bool by_jump)
{
	uint16_t login = by_jump ? jump_login(reach, device) : own_login(reach, device);
	int64_t now = loop_now(reach->member->loop);
	struct reach_login *l;

	hold_after_failure(reach, device);
	if (!has_password(reach, login))
		return;
	l = &reach->logins[login - 1];
	reach->failed[device].again = now + longer(&reach->failed[device].denied_wait, REACH_DENIED_FIRST, REACH_DENIED_LONGEST);
	reach->failed[device].denied = login;
	l->proved = false;
	l->changed = changed(reach, login);
	if (++l->denied >= REACH_DENIED_MOST)
		l->again = now + longer(&l->wait, REACH_DENIED_FIRST, REACH_DENIED_LONGEST);
}

void hold_taken(struct reach *reach, uint32_t device, bool by_jump)
{
	uint16_t login = by_jump ? jump_login(reach, device) : own_login(reach, device);

	struct timespec denied_then;

	if (!has_password(reach, login))
		return;
	denied_then = reach->logins[login - 1].changed; /* others may wait for another one */
	forget_all_of(&reach->logins[login - 1]);
	reach->logins[login - 1].changed = denied_then;
	reach->logins[login - 1].proved = true;
}

bool hold_is_proved(const struct reach *reach, uint32_t device, bool by_jump)
{
	uint16_t login = by_jump ? jump_login(reach, device) : own_login(reach, device);

	return has_password(reach, login) && reach->logins[login - 1].proved;
}

void hold_end(struct reach *reach, uint32_t device)
{
	memset(&reach->failed[device], 0, sizeof(reach->failed[device]));
}

bool hold_is_held(struct reach *reach, uint32_t device, int64_t now, char *why, size_t size)
{
	const uint16_t logins[] = { own_login(reach, device), jump_login(reach, device) };

	for (size_t i = 0; i < 2; i++) {
		struct reach_login *l = has_password(reach, logins[i]) ? &reach->logins[logins[i] - 1] : NULL;

		if (l)
			look_again(reach, logins[i]);
		if (!l || l->again <= now)
			continue;
		snprintf(why, size, "the password of its user was not taken on %u devices in a row; it is tried nowhere for %d s", l->denied,
			 (int)((l->again - now + SECOND_NS - 1) / SECOND_NS));
		return true;
	}
	if (reach->failed[device].again <= now)
		return false;
	if (reach->failed[device].denied)
		snprintf(why, size, "the password of its user was not taken; it is not tried again for %d s",
			 (int)((reach->failed[device].again - now + SECOND_NS - 1) / SECOND_NS));
	else
		snprintf(why, size, "a log-in failed a moment ago; it is not tried again yet");
	return true;
}

/* Log-ins under way that may come to be asked for it. */
static unsigned count_trying(const struct reach *reach, uint16_t login)
{
	unsigned count = 0;

	for (uint32_t i = 0; i < DEVICE_SESSIONS_MAX; i++) {
		const struct session *s = &reach->sessions[i];

		if (s->phase == SESSION_STARTS && !s->printed)
			count += own_login(reach, s->device) == login || jump_login(reach, s->device) == login;
	}
	return count;
}

bool hold_must_wait(const struct reach *reach, uint32_t device)
{
	const uint16_t logins[] = { own_login(reach, device), jump_login(reach, device) };

	for (size_t i = 0; i < 2; i++) {
		const struct reach_login *l = has_password(reach, logins[i]) ? &reach->logins[logins[i] - 1] : NULL;

		/* Some may be dead, and must not keep the others waiting: so many at once as may still fail. */
		if (l && !l->proved &&
		    count_trying(reach, logins[i]) >= (l->denied < REACH_DENIED_MOST ? REACH_DENIED_MOST - l->denied : 1))
			return true;
	}
	return false;
}
