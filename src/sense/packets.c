/* SPDX-License-Identifier: MIT */
#include "sense/packets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "base/memory.h"
#include "parse/frame.h"
#include "sense/packets_flows.h"
#include "sense/packets_ring.h"
#include "sense/packets_watch.h"
#include "spi_shared.h"

#define MARK_EVENTS PACKETS_INTERFACES_MAX /* what epoll tells, besides the index of an interface */
#define MARK_TIMER (PACKETS_INTERFACES_MAX + 1)
#define CLOCKS_APART_NS SECOND_NS /* a packet's time further from now than this: the clock was set */

struct interface {
	char name[GATEWAY_INTERFACE_MAX]; /* empty: free */
	int fd;                           /* owns: packet socket, or -1 */
	unsigned ifindex;                 /* of XDP reports, or 0 */
	struct packets_ring ring;         /* owns */
};

struct packets {
	int maps[PACKETS_MAPS]; /* owns */
	int epoll, timer;       /* owns */
	struct packets_watch *watch; /* owns */
	struct packets_flows *flows; /* owns */
	struct ring_buffer *reports; /* owns */
	struct packets_events events;
	struct interface interfaces[PACKETS_INTERFACES_MAX];
	bool timer_runs;
	unsigned budget; /* frames that this read may still handle */
	uint64_t flows_dropped, malformed, ring_lost;
};

static int64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * SECOND_NS + t.tv_nsec;
}

static int poll_add(struct packets *p, int fd, uint32_t mark)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = mark };

	return epoll_ctl(p->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int set_timer(struct packets *p, int64_t ns)
{
	struct itimerspec at = { .it_value = { ns / SECOND_NS, ns % SECOND_NS } };

	return timerfd_settime(p->timer, 0, &at, NULL) < 0 ? -errno : 0;
}

/* --- One packet ------------------------------------------------------------------------------------------------------ */

static void tell_flows(struct packets *p)
{
	packets_flows_tell(p->flows, p->events.sighting, p->events.context);
}

/* `one` has all but in_ledger. True: it is the first of a flow. */
static bool take_packet(struct packets *p, struct sighting *one)
{
	struct sa_key key = sa_key_of(&one->dst, one->protocol, one->spi);
	enum watch_state state = packets_watch_state(p->watch, &key);
	enum packets_flow flow;

	if (state == WATCH_LIVE)
		return false; /* it came to life on the way from the kernel to here */
	one->in_ledger = state == WATCH_DEAD;
	flow = packets_flows_add(p->flows, one);
	p->flows_dropped += flow == PACKETS_FLOW_FULL;
	if (!p->timer_runs)
		p->timer_runs = set_timer(p, PACKETS_WINDOW_NS) == 0;
	return flow == PACKETS_FLOW_NEW;
}

/* The filter has found ESP here already and cut behind it: so whether it is read the same way here shows at the end. With
 * two VLAN tags, newer kernels (6.11) tell the type behind the inner tag although the capture starts with that tag. */
static bool read_capture(const struct packets_capture *capture, struct frame *ret)
{
	const struct frame_ports ports = { .any = true }; /* the filter has looked */

	if (frame_read_network(capture->bytes, capture->type, &ports, ret) == FRAME_FOUND && ret->used == capture->bytes.len)
		return true;
	return frame_read_network(capture->bytes, ETH_P_8021Q, &ports, ret) == FRAME_FOUND && ret->used == capture->bytes.len;
}

/* What does not read as the filter read it is counted, not told. */
static void take_capture(struct packets *p, const struct interface *in, const struct packets_capture *capture,
	int64_t offset)
{
	struct sighting one = { .witness = WITNESS_PACKET, .packets = 1 };
	int64_t now = clock_ns(CLOCK_MONOTONIC), at = capture->real_ns + offset;
	struct frame frame;

	if (!read_capture(capture, &frame)) {
		p->malformed++;
		return;
	}
	if (at > now || at < now - CLOCKS_APART_NS)
		at = now;
	one.src = frame.src;
	one.dst = frame.dst;
	one.protocol = frame.protocol;
	one.encap_udp = frame.encap_udp;
	one.src_port = frame.encap_udp ? frame.src_port : 0;
	one.dst_port = frame.encap_udp ? frame.dst_port : 0;
	one.spi = frame.spi;
	memcpy(one.interface, in->name, sizeof(one.interface));
	one.first_ns = one.last_ns = at;
	one.sequence_first = one.sequence_last = one.sequence_highest = frame.sequence;
	if (take_packet(p, &one) && p->events.head)
		p->events.head(p->events.context, capture->bytes, &one);
}

static struct spimend_address address_of(uint8_t family, const uint8_t *bytes)
{
	struct spimend_address address = { .family = family };

	memcpy(address.bytes, bytes, family == 4 ? 4 : 16);
	return address;
}

static int take_report(void *context, void *data, size_t size)
{
	struct packets *p = context;
	struct sighting one = { .witness = WITNESS_XDP, .packets = 1 };
	struct spi_report report;

	if (size != sizeof(report)) {
		p->malformed++;
		return 0;
	}
	memcpy(&report, data, sizeof(report));
	one.src = address_of(report.key.family, report.src);
	one.dst = address_of(report.key.family, report.key.dst);
	one.protocol = report.key.protocol;
	one.encap_udp = report.encap;
	one.src_port = ntohs(report.src_port);
	one.dst_port = ntohs(report.dst_port);
	one.spi = ntohl(report.key.spi);
	one.first_ns = one.last_ns = (int64_t)report.at_ns;
	one.sequence_first = one.sequence_last = one.sequence_highest = ntohl(report.sequence);
	for (size_t i = 0; i < PACKETS_INTERFACES_MAX; i++)
		if (p->interfaces[i].name[0] && p->interfaces[i].ifindex == report.ifindex)
			memcpy(one.interface, p->interfaces[i].name, sizeof(one.interface));
	(void)take_packet(p, &one); /* what XDP reports has no bytes */
	/* A negative answer stops libbpf behind this report. */
	return --p->budget ? 0 : -EAGAIN;
}

/* --- Interfaces ------------------------------------------------------------------------------------------------------ */

static struct interface *interface_find(struct packets *p, const char *name)
{
	for (size_t i = 0; i < PACKETS_INTERFACES_MAX; i++)
		if (p->interfaces[i].name[0] && !strcmp(p->interfaces[i].name, name))
			return &p->interfaces[i];
	return NULL;
}

/* The one of that name, or a free one given that name. */
static int interface_get(struct packets *p, const char *name, struct interface **ret)
{
	struct interface *in = interface_find(p, name);
	size_t length = strlen(name);

	if (!length || length >= GATEWAY_INTERFACE_MAX)
		return -EINVAL;
	for (size_t i = 0; i < PACKETS_INTERFACES_MAX && !in; i++)
		if (!p->interfaces[i].name[0])
			in = &p->interfaces[i];
	if (!in)
		return -ENOSPC;
	if (!in->name[0]) {
		*in = (struct interface){ .fd = -1 };
		memcpy(in->name, name, length);
	}
	*ret = in;
	return 0;
}

/* What the ring had no room for; the kernel forgets it when asked. */
static void count_lost(struct packets *p, const struct interface *in)
{
	struct tpacket_stats_v3 stats;
	socklen_t size = sizeof(stats);

	if (in->fd >= 0 && getsockopt(in->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size) == 0)
		p->ring_lost += stats.tp_drops;
}

static void interface_close(struct packets *p, struct interface *in)
{
	if (in->fd < 0)
		return;
	count_lost(p, in);
	packets_ring_unmap(&in->ring);
	close(in->fd); /* leaves epoll by that */
	in->fd = -1;
}

static void interface_lose(struct packets *p, struct interface *in, int error)
{
	char name[GATEWAY_INTERFACE_MAX];

	memcpy(name, in->name, sizeof(name));
	interface_close(p, in);
	p->events.interface_lost(p->events.context, name, error);
}

int packets_add_socket(struct packets *p, const char *interface, int fd)
{
	struct interface *in;
	int r = interface_get(p, interface, &in);

	if (r < 0) {
		close(fd);
		return r;
	}
	interface_close(p, in);
	r = packets_ring_map(&in->ring, fd);
	if (r == 0)
		r = poll_add(p, fd, (uint32_t)(in - p->interfaces));
	if (r < 0) {
		packets_ring_unmap(&in->ring);
		close(fd);
		return r;
	}
	in->fd = fd;
	return 0;
}

int packets_add_xdp(struct packets *p, const char *interface, unsigned ifindex)
{
	struct interface *in;
	int r = interface_get(p, interface, &in);

	if (r == 0)
		in->ifindex = ifindex;
	return r;
}

void packets_remove_interface(struct packets *p, const char *interface)
{
	struct interface *in = interface_find(p, interface);

	if (!in)
		return;
	interface_close(p, in);
	*in = (struct interface){ .fd = -1 };
}

/* --- The sensor ------------------------------------------------------------------------------------------------------ */

static int set_up(struct packets *p)
{
	struct hash_key key;
	int r;

	p->epoll = epoll_create1(EPOLL_CLOEXEC);
	p->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (p->epoll < 0 || p->timer < 0 || getrandom(&key, sizeof(key), 0) != (ssize_t)sizeof(key))
		return -errno;
	r = packets_watch_new(p->maps, &p->watch);
	if (r == 0)
		r = packets_begin_anew(p, PACKETS_GRACE_NS);
	if (r == 0)
		r = packets_flows_new(&key, &p->flows);
	if (r < 0)
		return r;
	p->reports = ring_buffer__new(p->maps[PACKETS_MAP_EVENTS], take_report, p, NULL);
	if (!p->reports)
		return -errno;
	r = poll_add(p, p->maps[PACKETS_MAP_EVENTS], MARK_EVENTS);
	return r < 0 ? r : poll_add(p, p->timer, MARK_TIMER);
}

int packets_new(int maps[PACKETS_MAPS], const struct packets_events *events, struct packets **ret)
{
	struct packets *p = memory_new(1, sizeof(*p));
	int r;

	if (!p) {
		for (size_t i = 0; i < PACKETS_MAPS; i++)
			close(maps[i]);
		return -ENOMEM;
	}
	memcpy(p->maps, maps, sizeof(p->maps));
	p->events = *events;
	p->epoll = p->timer = -1;
	for (size_t i = 0; i < PACKETS_INTERFACES_MAX; i++)
		p->interfaces[i].fd = -1;
	r = set_up(p);
	if (r < 0) {
		packets_free(p);
		return r;
	}
	*ret = p;
	return 0;
}

void packets_free(struct packets *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < PACKETS_INTERFACES_MAX; i++)
		interface_close(p, &p->interfaces[i]);
	ring_buffer__free(p->reports);
	packets_flows_free(p->flows);
	packets_watch_free(p->watch);
	if (p->timer >= 0)
		close(p->timer);
	if (p->epoll >= 0)
		close(p->epoll);
	for (size_t i = 0; i < PACKETS_MAPS; i++)
		close(p->maps[i]);
	memory_free(p);
}

int packets_fd(const struct packets *p)
{
	return p->epoll;
}

static void read_socket(struct packets *p, struct interface *in, uint32_t events)
{
	int64_t offset = clock_ns(CLOCK_MONOTONIC) - clock_ns(CLOCK_REALTIME);
	struct packets_capture capture;
	socklen_t size = sizeof(int);
	int error = 0;

	if (in->fd < 0)
		return;
	while (p->budget && packets_ring_next(&in->ring, &capture)) {
		take_capture(p, in, &capture, offset);
		p->budget--;
	}
	if (!(events & (EPOLLERR | EPOLLHUP)))
		return;
	if (getsockopt(in->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		error = errno;
	if (error)
		interface_lose(p, in, -error);
}

static void read_timer(struct packets *p)
{
	uint64_t times;

	if (read(p->timer, &times, sizeof(times)) < 0)
		return;
	p->timer_runs = false;
	tell_flows(p);
}

int packets_read(struct packets *p)
{
	struct epoll_event ready[PACKETS_INTERFACES_MAX + 2];
	int count = epoll_wait(p->epoll, ready, sizeof(ready) / sizeof(ready[0]), 0);
	bool timer = false;

	if (count < 0)
		return errno == EINTR ? 0 : -errno;
	p->budget = PACKETS_FRAMES_MAX;
	for (int i = 0; i < count; i++) {
		uint32_t mark = ready[i].data.u32;

		if (mark < PACKETS_INTERFACES_MAX)
			read_socket(p, &p->interfaces[mark], ready[i].events);
		else if (mark == MARK_EVENTS && p->budget)
			ring_buffer__consume(p->reports);
		else if (mark == MARK_TIMER)
			timer = true;
	}
	if (timer) /* last, so that a sighting has all that was there */
		read_timer(p);
	return 0;
}

int packets_watch_spi(struct packets *p, const struct watch_spi *watch)
{
	return packets_watch_set(p->watch, watch);
}

int packets_watch_peer(struct packets *p, const struct watch_peer *watch)
{
	return packets_watch_set_peer(p->watch, watch);
}

int packets_forget_all(struct packets *p)
{
	return packets_watch_forget_all(p->watch);
}

int packets_begin_anew(struct packets *p, int64_t grace_ns)
{
	return packets_watch_expect(p->watch, clock_ns(CLOCK_MONOTONIC) + grace_ns);
}

int packets_count_of(struct packets *p, const struct sa_key *key, struct spi_count *ret)
{
	return packets_watch_count(p->watch, key, ret);
}

unsigned packets_walk_counts(struct packets *p, unsigned max,
	void (*count)(void *context, const struct spi_count *count), void *context)
{
	return packets_watch_walk(p->watch, max, clock_ns(CLOCK_MONOTONIC), count, context);
}

void packets_state(struct packets *p, struct sensor_state *state)
{
	uint64_t audit_records = state->audit_records, audit_lost = state->audit_lost;

	*state = (struct sensor_state){ .audit_records = audit_records, .audit_lost = audit_lost };
	packets_watch_sum(p->watch, state);
	for (size_t i = 0; i < PACKETS_INTERFACES_MAX; i++) {
		const struct interface *in = &p->interfaces[i];

		count_lost(p, in);
		if (in->name[0] && (in->fd >= 0 || in->ifindex))
			state->interfaces_up++;
		else if (in->name[0])
			state->interfaces_down++;
	}
	state->flows_dropped = p->flows_dropped;
	state->malformed += p->malformed;
	state->ring_lost += p->ring_lost;
}
