/* SPDX-License-Identifier: MIT */
/*
 * order SOCKET KIND IKE-ID CHILD-ID PROTOCOL SPI WAIT-MS: one order over repair/plugin to a real plugin, as the role act
 * would give it. Prints the version that was greeted with, and the result. Exit status 1: no result.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "repair/plugin.h"

struct told {
	bool up, ended;
};

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void on_state(void *context, uint16_t daemon, bool up, const char *version)
{
	struct told *told = context;

	(void)daemon;
	told->up = up;
	printf("%s %s\n", up ? "up" : "down", version);
}

static void on_result(void *context, uint16_t daemon, uint64_t id, const struct plugin_message *result, int64_t took_ns)
{
	struct told *told = context;

	(void)daemon;
	(void)took_ns;
	told->ended = true;
	printf("result %llu %s %08x\n", (unsigned long long)id, plugin_outcome_name((enum plugin_outcome)result->outcome),
	       plugin_has(result, PLUGIN_HAS_PEER_SPI) ? result->peer_spi : 0);
}

static void on_late(void *context, uint16_t daemon, uint64_t id, const struct plugin_message *late)
{
	(void)context;
	(void)daemon;
	printf("late %llu %s\n", (unsigned long long)id, plugin_outcome_name((enum plugin_outcome)late->outcome));
}

static void turn(struct ike_plugin *p)
{
	struct pollfd fd = { .fd = ike_plugin_get_fd(p), .events = POLLIN };
	int64_t left = ike_plugin_deadline(p) == INT64_MAX ? 0 : (ike_plugin_deadline(p) - now_ns()) / 1000000 + 1;

	if (ike_plugin_wants_write(p))
		fd.events |= POLLOUT;
	poll(&fd, 1, left > 0 ? (int)left : 0);
	if (fd.revents & POLLOUT)
		ike_plugin_write(p, now_ns());
	if (fd.revents & ~POLLOUT)
		ike_plugin_read(p, now_ns());
	ike_plugin_tick(p, now_ns());
}

static enum plugin_kind kind_of(const char *name)
{
	for (int kind = PLUGIN_DELETE; kind <= PLUGIN_INVALID_SPI; kind++)
		if (strcmp(plugin_kind_name((enum plugin_kind)kind), name) == 0)
			return (enum plugin_kind)kind;
	return PLUGIN_NONE;
}

int main(int argc, char **argv)
{
	struct told told = { 0 };
	struct ike_plugin_calls calls = { &told, on_state, on_result, on_late, NULL };
	struct ike_plugin *p = ike_plugin_new(0, &calls);
	struct ike_plugin_order order;
	int status, fd;

	if (argc != 8 || !p)
		return 2;
	order = (struct ike_plugin_order){ .id = 42, .verb = kind_of(argv[2]), .ike_id = (uint32_t)strtoul(argv[3], NULL, 10),
					   .child_id = (uint32_t)strtoul(argv[4], NULL, 10), .protocol = (uint8_t)atoi(argv[5]),
					   .spi = (uint32_t)strtoul(argv[6], NULL, 16), .wait_ms = (uint32_t)strtoul(argv[7], NULL, 10) };
	status = ike_plugin_connect(argv[1], 0, &fd);
	if (!status)
		status = ike_plugin_attach(p, fd, now_ns());
	while (!status && !told.up && ike_plugin_get_fd(p) >= 0)
		turn(p);
	if (!status)
		status = ike_plugin_order(p, &order, now_ns());
	if (status)
		printf("refused %d\n", status);
	while (!status && !told.ended && ike_plugin_get_fd(p) >= 0)
		turn(p);
	ike_plugin_free(p);
	return told.ended ? 0 : 1;
}
