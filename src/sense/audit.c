/* SPDX-License-Identifier: MIT */
#include "sense/audit.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "parse/dialect.h"

struct audit {
	int fd; /* owns */
	struct audit_events events;
	uint64_t records, lost, malformed;
	bool has_flow; /* `flow` waits for records of the same flow */
	struct sighting flow;
};

int audit_open(int *ret_fd)
{
	const struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = 1u << (AUDIT_NLGRP_READLOG - 1) };
	const int size = AUDIT_BUFFER;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_AUDIT), error;

	if (fd < 0)
		return -errno;
	/* Without CAP_NET_ADMIN the larger buffer is refused, and the usual limit does. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		error = -errno;
		close(fd);
		return error;
	}
	*ret_fd = fd;
	return 0;
}

int audit_new(int fd, const struct audit_events *events, struct audit **ret)
{
	struct audit *a = memory_new(1, sizeof(*a));

	if (!a) {
		close(fd);
		return -ENOMEM;
	}
	a->fd = fd;
	a->events = *events;
	*ret = a;
	return 0;
}

void audit_free(struct audit *a)
{
	if (!a)
		return;
	close(a->fd);
	memory_free(a);
}

int audit_fd(const struct audit *a)
{
	return a->fd;
}

enum audit_message_result audit_message_parse(const void *message, size_t size, struct sighting *ret)
{
	struct sighting s = { .witness = WITNESS_AUDIT, .protocol = SPIMEND_PROTOCOL_ESP, .packets = 1 };
	struct reading reading;
	struct nlmsghdr header;
	enum dialect_result result;
	struct text body;

	if (size < sizeof(header))
		return AUDIT_MALFORMED;
	memcpy(&header, message, sizeof(header));
	if (header.nlmsg_type != AUDIT_MAC_IPSEC_EVENT)
		return AUDIT_OTHER;
	/* The kernel's multicast puts the length of the text without the header into nlmsg_len: the datagram's size counts. */
	body = (struct text){ (const char *)message + NLMSG_HDRLEN, size - NLMSG_HDRLEN };
	while (body.len && !body.at[body.len - 1])
		body.len--;
	result = dialect_audit_read(body, &reading);
	if (result == DIALECT_NOT_MINE || (result == DIALECT_READ && reading.fact.kind != FACT_STRAY))
		return AUDIT_OTHER;
	if (result != DIALECT_READ || !(reading.fact.has & FACT_HAS_SPI) || !spimend_address_known(&reading.fact.src) ||
		!spimend_address_known(&reading.fact.dst))
		return AUDIT_MALFORMED;
	s.src = reading.fact.src;
	s.dst = reading.fact.dst;
	s.spi = reading.fact.spi.value;
	if (reading.fact.has & FACT_HAS_SEQUENCE)
		s.sequence_first = s.sequence_last = s.sequence_highest = (uint32_t)reading.fact.sequence;
	*ret = s;
	return AUDIT_STRAY;
}

static void tell_flow(struct audit *a)
{
	if (a->has_flow)
		a->events.sighting(a->events.context, &a->flow);
	a->has_flow = false;
}

static void take_stray(struct audit *a, struct sighting *one)
{
	struct timespec now;

	/* The record's own time is wall time of the same moment; the two clocks are not mixed. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	one->first_ns = one->last_ns = (int64_t)now.tv_sec * SECOND_NS + now.tv_nsec;
	if (a->has_flow && a->flow.spi == one->spi && spimend_address_equal(&a->flow.src, &one->src) &&
		spimend_address_equal(&a->flow.dst, &one->dst)) {
		a->flow.packets++;
		a->flow.last_ns = one->last_ns;
		a->flow.sequence_last = one->sequence_last;
		if (one->sequence_highest > a->flow.sequence_highest)
			a->flow.sequence_highest = one->sequence_highest;
		return;
	}
	tell_flow(a);
	a->flow = *one;
	a->has_flow = true;
}

int audit_read(struct audit *a)
{
	char message[AUDIT_RECORD_MAX];
	int r = 0;

	for (int i = 0; i < AUDIT_RECORDS_MAX; i++) {
		struct sockaddr_nl from = { 0 };
		socklen_t from_size = sizeof(from);
		ssize_t size = recvfrom(a->fd, message, sizeof(message), 0, (struct sockaddr *)&from, &from_size);
		struct sighting one;

		if (size < 0) {
			if (errno == EINTR)
				continue;
			if (errno == ENOBUFS) { /* records were lost; only this tells */
				a->lost++;
				continue;
			}
			r = errno == EAGAIN ? 0 : -errno;
			break;
		}
		if (from.nl_pid != 0)
			continue; /* not from the kernel */
		switch (audit_message_parse(message, (size_t)size, &one)) {
		case AUDIT_STRAY:
			a->records++;
			take_stray(a, &one);
			break;
		case AUDIT_MALFORMED:
			a->malformed++;
			break;
		case AUDIT_OTHER:
			break;
		}
	}
	tell_flow(a);
	return r;
}

void audit_state(const struct audit *a, struct sensor_state *state)
{
	state->audit_records += a->records;
	state->audit_lost += a->lost;
	state->malformed += a->malformed;
}
