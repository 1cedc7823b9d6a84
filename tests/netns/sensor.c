/* SPDX-License-Identifier: MIT */
/*
 * The packet sensor as the daemon runs it, for tests/netns/run.py: a root half that opens, an unprivileged half that hears;
 * descriptors go from one to the other by SCM_RIGHTS.
 *
 *     netns_sensor packet|xdp INTERFACE      hears; commands on standard input, what is heard on standard output
 *     netns_sensor flood INTERFACE DST_MAC SRC DST COUNT     sends COUNT ESP packets with different SPIs, from ns of SRC
 *
 * Commands, answered by "done" or "error TEXT": live|dead|forget DST PROTOCOL SPI [SEQUENCE], peer ADDRESS, open, wait MS,
 * count DST PROTOCOL SPI, walk, state, restart, anew MS, forget-all.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>

#include "sense/packets.h"

#define NOBODY 65534
#define FLOOD_BATCH 64

struct half {
	struct packets *packets;
	int maps[PACKETS_MAPS];
	int parent; /* socket to the root half */
	const char *interface;
	unsigned ifindex; /* with xdp */
	bool xdp;
};

/* --- The root half --------------------------------------------------------------------------------------------------- */

static void send_fds(int to, int error, const int *fds, size_t count)
{
	char control[CMSG_SPACE(sizeof(int) * PACKETS_MAPS)] = { 0 };
	struct iovec part = { &error, sizeof(error) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	if (count) {
		struct cmsghdr *c;

		message.msg_control = control;
		message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
		c = CMSG_FIRSTHDR(&message);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * count);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * count);
	}
	if (sendmsg(to, &message, MSG_NOSIGNAL) < 0)
		exit(3);
}

/* Opens the interface each time it is asked to, until the other half ends. */
static int serve(struct packets_kernel *k, int to, const char *interface, bool xdp)
{
	int maps[PACKETS_MAPS], fd = -1, link = -1, r;
	unsigned ifindex;
	char asked;

	packets_kernel_maps(k, maps);
	send_fds(to, 0, maps, PACKETS_MAPS);
	while (read(to, &asked, 1) == 1) {
		if (xdp) {
			r = packets_attach_xdp(k, interface, asked == 'n', &link, &ifindex);
			send_fds(to, r < 0 ? r : (int)ifindex, NULL, 0);
			continue;
		}
		r = packets_open_socket(k, interface, &fd);
		send_fds(to, r, &fd, r == 0);
		if (r == 0)
			close(fd);
	}
	if (link >= 0)
		close(link);
	packets_kernel_free(k);
	return 0;
}

/* --- The unprivileged half ------------------------------------------------------------------------------------------- */

static int receive_fds(int from, int *fds, size_t count)
{
	char control[CMSG_SPACE(sizeof(int) * PACKETS_MAPS)];
	int error = -EPROTO;
	struct iovec part = { &error, sizeof(error) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	struct cmsghdr *c;

	if (recvmsg(from, &message, MSG_CMSG_CLOEXEC) != (ssize_t)sizeof(error))
		return -EPROTO;
	c = CMSG_FIRSTHDR(&message);
	if (c && c->cmsg_len == CMSG_LEN(sizeof(int) * count))
		memcpy(fds, CMSG_DATA(c), sizeof(int) * count);
	return error;
}

static void on_sighting(void *context, const struct sighting *s)
{
	char src[SPIMEND_ADDRESS_TEXT_MAX], dst[SPIMEND_ADDRESS_TEXT_MAX];

	(void)context;
	printf("sighting witness=%d src=%s dst=%s protocol=%u udp=%d ledger=%d ports=%u:%u spi=0x%08" PRIx32
	       " interface=%s packets=%" PRIu64 " first=%" PRIu32 " last=%" PRIu32 " highest=%" PRIu32 " order=%d valid=%d\n",
	       (int)s->witness, spimend_address_print(&s->src, src), spimend_address_print(&s->dst, dst), s->protocol,
	       s->encap_udp, s->in_ledger, s->src_port, s->dst_port, s->spi, s->interface, s->packets, s->sequence_first,
	       s->sequence_last, s->sequence_highest, s->first_ns <= s->last_ns && s->first_ns > 0, gateway_valid_sighting(s));
}

static void on_lost(void *context, const char *interface, int error)
{
	(void)context;
	printf("lost interface=%s error=%s\n", interface, strerror(-error));
}

static void on_count(void *context, const struct spi_count *c)
{
	(void)context;
	printf("count spi=0x%08" PRIx32 " packets=%" PRIu64 " highest=%" PRIu32 " udp=%d seen=%d valid=%d\n", c->key.spi,
	       c->packets, c->sequence_highest, c->encap_udp, c->last_ns > 0, gateway_valid_spi_count(c));
}

static int start(struct half *h)
{
	const struct packets_events events = { .sighting = on_sighting, .interface_lost = on_lost };
	int maps[PACKETS_MAPS];

	for (size_t i = 0; i < PACKETS_MAPS; i++)
		maps[i] = dup(h->maps[i]);
	return packets_new(maps, &events, &h->packets);
}

static int open_interface(struct half *h, const char *how)
{
	char ask = how && !strcmp(how, "native") ? 'n' : 'o';
	int fd = -1, r;

	if (write(h->parent, &ask, 1) != 1)
		return -errno;
	r = receive_fds(h->parent, &fd, 1);
	if (r < 0)
		return r;
	if (!h->xdp)
		return packets_add_socket(h->packets, h->interface, fd);
	h->ifindex = (unsigned)r;
	return packets_add_xdp(h->packets, h->interface, h->ifindex);
}

static int hear(struct half *h, int ms)
{
	struct timespec now;
	int64_t end = 0;
	int r = 0;

	for (int64_t left = ms; left > 0 && r == 0;) {
		struct pollfd ready = { .fd = packets_fd(h->packets), .events = POLLIN };

		if (poll(&ready, 1, (int)left) > 0)
			r = packets_read(h->packets);
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (!end)
			end = now.tv_sec * 1000 + now.tv_nsec / 1000000 + ms;
		left = end - (now.tv_sec * 1000 + now.tv_nsec / 1000000);
	}
	return r;
}

static int read_key(char **words, struct sa_key *ret)
{
	struct spimend_address dst;

	if (!words[1] || !words[2] || !words[3] || spimend_address_parse(words[1], strlen(words[1]), &dst) < 0)
		return -EINVAL;
	*ret = sa_key_of(&dst, (uint8_t)atoi(words[2]), (uint32_t)strtoul(words[3], NULL, 0));
	return 0;
}

static int watch(struct half *h, char **words, enum watch_state state)
{
	struct watch_spi w = { .state = state, .sequence_highest = words[4] ? (uint32_t)strtoul(words[4], NULL, 0) : 0 };
	int r = read_key(words, &w.key);

	return r < 0 ? r : packets_watch_spi(h->packets, &w);
}

static int peer(struct half *h, char **words)
{
	struct watch_peer w = { .forget = false };

	if (!words[1] || spimend_address_parse(words[1], strlen(words[1]), &w.address) < 0)
		return -EINVAL;
	return packets_watch_peer(h->packets, &w);
}

static int show_count(struct half *h, char **words)
{
	struct spi_count c;
	struct sa_key key;
	int r = read_key(words, &key);

	if (r == 0)
		r = packets_count_of(h->packets, &key, &c);
	if (r == 0)
		on_count(NULL, &c);
	return r;
}

static int show_state(struct half *h)
{
	struct sensor_state s = { 0 };

	packets_state(h->packets, &s);
	printf("state esp=%" PRIu64 " known=%" PRIu64 " strays=%" PRIu64 " sampled=%" PRIu64 " flows_dropped=%" PRIu64
	       " malformed=%" PRIu64 " lost=%" PRIu64 " up=%u down=%u\n", s.esp_packets, s.known, s.strays, s.sampled_away,
	       s.flows_dropped, s.malformed, s.ring_lost, s.interfaces_up, s.interfaces_down);
	return 0;
}

static int restart(struct half *h)
{
	int r;

	packets_free(h->packets);
	h->packets = NULL;
	r = start(h);
	return r == 0 && h->ifindex ? packets_add_xdp(h->packets, h->interface, h->ifindex) : r;
}

static int obey(struct half *h, char *line)
{
	char *words[6] = { NULL };

	for (size_t i = 0; i < 5 && (words[i] = strtok(i ? NULL : line, " \n")); i++)
		;
	if (!words[0])
		return -EINVAL;
	if (!strcmp(words[0], "live"))
		return watch(h, words, WATCH_LIVE);
	if (!strcmp(words[0], "dead"))
		return watch(h, words, WATCH_DEAD);
	if (!strcmp(words[0], "forget"))
		return watch(h, words, WATCH_FORGET);
	if (!strcmp(words[0], "peer"))
		return peer(h, words);
	if (!strcmp(words[0], "open"))
		return open_interface(h, words[1]);
	if (!strcmp(words[0], "wait"))
		return hear(h, words[1] ? atoi(words[1]) : 0);
	if (!strcmp(words[0], "count"))
		return show_count(h, words);
	if (!strcmp(words[0], "walk"))
		return packets_walk_counts(h->packets, UINT32_MAX, on_count, NULL) > UINT32_MAX / 2;
	if (!strcmp(words[0], "state"))
		return show_state(h);
	if (!strcmp(words[0], "restart"))
		return restart(h);
	if (!strcmp(words[0], "anew"))
		return packets_begin_anew(h->packets, INT64_C(1000000) * (words[1] ? atoi(words[1]) : 0));
	if (!strcmp(words[0], "forget-all"))
		return packets_forget_all(h->packets);
	return -EINVAL;
}

/* The identity of nobody, and not one capability. True when the kernel then refuses a new map, as it must. */
static bool drop_privileges(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	if (setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0 ||
		syscall(SYS_capset, &header, data) < 0)
		exit(3);
	prctl(PR_SET_DUMPABLE, 1); /* for the leak sanitizer */
	return bpf_map_create(BPF_MAP_TYPE_HASH, "t", 4, 4, 1, NULL) == -EPERM;
}

static int listen_on(struct half *h)
{
	char line[256];
	int r = receive_fds(h->parent, h->maps, PACKETS_MAPS);

	if (r == 0)
		r = start(h);
	printf("ready %s\n", r < 0 ? strerror(-r) : "ok");
	while (r == 0 && fgets(line, sizeof(line), stdin)) {
		int answer = obey(h, line);

		if (answer < 0)
			printf("error %s\n", strerror(-answer));
		else
			printf("done\n");
	}
	packets_free(h->packets);
	for (size_t i = 0; i < PACKETS_MAPS && r == 0; i++)
		close(h->maps[i]);
	return r < 0;
}

static int run(const char *interface, bool xdp)
{
	const struct packets_settings settings = {
		.watch_max = 64, .peer_rate = 400, .stranger_rate = 40, .port_count = 1, .ports = { 4510 }, .xdp = xdp,
	};
	struct packets_kernel *k;
	int pair[2], r = packets_kernel_new(&settings, &k);

	if (r == 0)
		r = packets_kernel_read_addresses(k);
	if (r < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		printf("ready cannot load: %s\n", strerror(-r));
		return 1;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (fork() == 0) {
		struct half h = { .parent = pair[1], .interface = interface, .xdp = xdp };

		close(pair[0]);
		packets_kernel_free(k);
		printf("unprivileged refused=%d\n", drop_privileges());
		return listen_on(&h);
	}
	close(pair[1]);
	return serve(k, pair[0], interface, xdp);
}

/* --- A flood --------------------------------------------------------------------------------------------------------- */

static int flood(char **arguments)
{
	static uint8_t frames[FLOOD_BATCH][14 + 20 + 40];
	struct mmsghdr messages[FLOOD_BATCH] = { 0 };
	struct iovec parts[FLOOD_BATCH];
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(arguments[0]) };
	int fd = socket(AF_PACKET, SOCK_RAW, 0), count = atoi(arguments[4]);
	uint32_t spi = 0x40000000;
	uint8_t mac[6];

	if (fd < 0 || bind(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ||
		sscanf(arguments[1], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", mac, mac + 1, mac + 2, mac + 3, mac + 4, mac + 5) != 6)
		return 2;
	for (int i = 0; i < FLOOD_BATCH; i++) {
		uint8_t *f = frames[i];

		memcpy(f, mac, 6);
		f[6] = 2;
		f[12] = 8;
		f[14] = 0x45;
		f[17] = sizeof(frames[i]) - 14;
		f[22] = 64;
		f[23] = 50;
		inet_pton(AF_INET, arguments[2], f + 26);
		inet_pton(AF_INET, arguments[3], f + 30);
		parts[i] = (struct iovec){ f, sizeof(frames[i]) };
		messages[i].msg_hdr.msg_iov = &parts[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	while (count > 0) {
		int sent;

		for (int i = 0; i < FLOOD_BATCH; i++) {
			uint32_t wire = htonl(spi + (uint32_t)i);

			memcpy(frames[i] + 34, &wire, 4);
		}
		sent = sendmmsg(fd, messages, (unsigned)(count < FLOOD_BATCH ? count : FLOOD_BATCH), 0);
		if (sent < 0 && errno != ENOBUFS && errno != EAGAIN)
			return 2;
		if (sent > 0) {
			count -= sent;
			spi += (uint32_t)sent;
		}
	}
	close(fd);
	return 0;
}

int main(int count, char **arguments)
{
	if (count == 3 && (!strcmp(arguments[1], "packet") || !strcmp(arguments[1], "xdp")))
		return run(arguments[2], !strcmp(arguments[1], "xdp"));
	if (count == 7 && !strcmp(arguments[1], "flood"))
		return flood(arguments + 2);
	fprintf(stderr, "see the head of tests/netns/sensor.c\n");
	return 2;
}
