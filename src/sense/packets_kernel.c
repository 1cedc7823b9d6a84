/* SPDX-License-Identifier: MIT */
#include "sense/packets_kernel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

#include "base/memory.h"
#include "sense/packets_ring.h"
#include "spi_shared.h"
#include "spi_sensor.skel.h"

#define PORT_NATT 4500
#define PEERS_MIN 1024
#define EVENTS_BYTES (1u << 20) /* of XDP reports: 12,000; a power of two, and of pages */

struct packets_kernel {
	struct spi_sensor *bpf; /* owns */
};

static int quiet(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level, (void)format, (void)arguments; /* a library does not log: the error number says it */
	return 0;
}

static void set_port(struct spi_config *config, uint16_t port)
{
	config->ports[port >> 3] |= (__u8)(1 << (port & 7));
}

static uint64_t interval(uint32_t rate)
{
	return rate ? 1000000000 / rate + (1000000000 % rate != 0) : 0;
}

void packets_kernel_adjust(struct packets_kernel *k, const struct packets_settings *settings)
{
	struct spi_config *config = &k->bpf->bss->config;
	struct spi_config wanted = { 0 };

	set_port(&wanted, PORT_NATT);
	for (size_t i = 0; i < settings->port_count && i < PACKETS_PORTS_MAX; i++)
		set_port(&wanted, settings->ports[i]);
	/* Byte by byte: a port that stays is never missing. */
	for (size_t i = 0; i < SPI_PORT_BYTES; i++)
		if (config->ports[i] != wanted.ports[i])
			config->ports[i] = wanted.ports[i];
	config->interval_ns[SPI_PACE_PEER] = interval(settings->peer_rate);
	config->interval_ns[SPI_PACE_STRANGER] = interval(settings->stranger_rate);
}

static int set_sizes(struct spi_sensor *bpf, const struct packets_settings *settings)
{
	uint32_t watch = settings->watch_max ? settings->watch_max : PACKETS_WATCH_DEFAULT;
	int cpus = libbpf_num_possible_cpus(), r;

	if (cpus < 0)
		return cpus;
	if (watch > PACKETS_WATCH_MAX || cpus > SPI_CPUS_MAX || watch > UINT32_MAX / (uint32_t)cpus)
		return -ERANGE;
	bpf->rodata->processors = (uint32_t)cpus;
	r = bpf_map__set_max_entries(bpf->maps.watch, watch);
	if (r == 0)
		r = bpf_map__set_max_entries(bpf->maps.peers, watch / 4 > PEERS_MIN ? watch / 4 : PEERS_MIN);
	if (r == 0)
		r = bpf_map__set_max_entries(bpf->maps.tallies, watch * (uint32_t)cpus);
	if (r == 0)
		r = bpf_map__set_max_entries(bpf->maps.counters, (uint32_t)cpus);
	if (r == 0)
		r = bpf_map__set_max_entries(bpf->maps.events, settings->xdp ? EVENTS_BYTES : (uint32_t)sysconf(_SC_PAGESIZE));
	if (r == 0)
		r = bpf_program__set_autoload(bpf->progs.spi_xdp, settings->xdp);
	if (r == 0)
		r = bpf_program__set_autoload(bpf->progs.spi_bare, false);
	if (r == 0)
		r = bpf_program__set_autoload(bpf->progs.spi_bare_filter, false);
	return r;
}

int packets_kernel_new(const struct packets_settings *settings, struct packets_kernel **ret)
{
	struct packets_kernel *k = memory_new(1, sizeof(*k));
	int r;

	if (!k)
		return -ENOMEM;
	libbpf_set_print(quiet);
	k->bpf = spi_sensor__open();
	r = k->bpf ? set_sizes(k->bpf, settings) : -errno;
	if (r == 0)
		r = spi_sensor__load(k->bpf);
	if (r < 0) {
		packets_kernel_free(k);
		return r;
	}
	packets_kernel_adjust(k, settings);
	*ret = k;
	return 0;
}

void packets_kernel_free(struct packets_kernel *k)
{
	if (!k)
		return;
	spi_sensor__destroy(k->bpf);
	memory_free(k);
}

void packets_kernel_maps(const struct packets_kernel *k, int ret_maps[PACKETS_MAPS])
{
	ret_maps[PACKETS_MAP_WATCH] = bpf_map__fd(k->bpf->maps.watch);
	ret_maps[PACKETS_MAP_TALLIES] = bpf_map__fd(k->bpf->maps.tallies);
	ret_maps[PACKETS_MAP_PEERS] = bpf_map__fd(k->bpf->maps.peers);
	ret_maps[PACKETS_MAP_COUNTERS] = bpf_map__fd(k->bpf->maps.counters);
	ret_maps[PACKETS_MAP_EVENTS] = bpf_map__fd(k->bpf->maps.events);
}

/* --- Our addresses --------------------------------------------------------------------------------------------------- */

static bool host_of(const struct sockaddr *address, struct spi_host *ret)
{
	struct sockaddr_in in4;
	struct sockaddr_in6 in6;
	struct spi_host host = { 0 };

	if (address && address->sa_family == AF_INET) {
		memcpy(&in4, address, sizeof(in4));
		memcpy(host.address, &in4.sin_addr, 4);
		host.family = 4;
	} else if (address && address->sa_family == AF_INET6) {
		memcpy(&in6, address, sizeof(in6));
		memcpy(host.address, &in6.sin6_addr, 16);
		host.family = 6;
	} else {
		return false;
	}
	*ret = host;
	return true;
}

static bool is_listed(const struct ifaddrs *list, const struct spi_host *host)
{
	struct spi_host other;

	for (; list; list = list->ifa_next)
		if (host_of(list->ifa_addr, &other) && !memcmp(&other, host, sizeof(other)))
			return true;
	return false;
}

/* Takes out what is not an address of ours any more. A key that is deleted ends the walk, so it starts anew. */
static void drop_old(int map, const struct ifaddrs *list)
{
	struct spi_host host, next;
	bool first = true;

	while (bpf_map_get_next_key(map, first ? NULL : &host, &next) == 0) {
		host = next;
		first = false;
		if (!is_listed(list, &host) && bpf_map_delete_elem(map, &host) == 0)
			first = true;
	}
}

int packets_kernel_read_addresses(struct packets_kernel *k)
{
	int map = bpf_map__fd(k->bpf->maps.locals), r = 0;
	const uint32_t yes = 1;
	struct ifaddrs *list;
	struct spi_host host;

	if (getifaddrs(&list) < 0)
		return -errno;
	for (const struct ifaddrs *a = list; a && r == 0; a = a->ifa_next)
		if (host_of(a->ifa_addr, &host))
			r = bpf_map_update_elem(map, &host, &yes, BPF_ANY);
	drop_old(map, list);
	freeifaddrs(list);
	/* With more addresses than fit, none is taken for a stranger's. */
	k->bpf->bss->config.only_local = r == 0;
	return r;
}

/* True where frames start with an Ethernet header, which is what the XDP program reads. */
static bool is_ethernet(const char *interface)
{
	struct ifreq request = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), r;

	if (fd < 0)
		return false;
	if (strlen(interface) >= sizeof(request.ifr_name)) {
		close(fd);
		return false;
	}
	memcpy(request.ifr_name, interface, strlen(interface));
	r = ioctl(fd, SIOCGIFHWADDR, &request);
	close(fd);
	return r == 0 && request.ifr_hwaddr.sa_family == ARPHRD_ETHER;
}

/* --- Packet sockets and XDP ------------------------------------------------------------------------------------------ */

static int set_up_socket(int fd, int filter, int ifindex)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = ifindex,
	};
	struct tpacket_req3 ring = {
		.tp_block_size = PACKETS_BLOCK_SIZE, .tp_block_nr = PACKETS_BLOCKS, .tp_frame_size = PACKETS_FRAME_SIZE,
		.tp_frame_nr = PACKETS_BLOCK_SIZE / PACKETS_FRAME_SIZE * PACKETS_BLOCKS,
		.tp_retire_blk_tov = PACKETS_RETIRE_MS,
	};
	const int version = TPACKET_V3, one = 1;
	socklen_t size = sizeof(int);
	int error = 0;

	/* Filter before bind: until it is bound the socket hears nothing, so nothing comes past the filter. */
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &filter, sizeof(filter)) < 0 ||
		setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) < 0 ||
		setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &ring, sizeof(ring)) < 0)
		return -errno;
	/* Linux 4.20; without it the filter sorts outgoing packets out itself. */
	if (setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) < 0 && errno != ENOPROTOOPT)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	/* An interface that is down can be bound to; the socket says so. */
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 ? -errno : -error;
}

int packets_open_socket(const struct packets_kernel *k, const char *interface, int *ret_fd)
{
	unsigned ifindex = if_nametoindex(interface);
	int fd, r;

	if (!ifindex)
		return -errno;
	/* SOCK_DGRAM: from the network header on, whatever the link layer is. Protocol 0: deaf until it is bound. */
	fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	r = set_up_socket(fd, bpf_program__fd(k->bpf->progs.spi_filter), (int)ifindex);
	if (r < 0) {
		close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

int packets_attach_xdp(const struct packets_kernel *k, const char *interface, bool native, int *ret_link_fd,
	unsigned *ret_ifindex)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE);
	unsigned ifindex = if_nametoindex(interface);
	int program = bpf_program__fd(k->bpf->progs.spi_xdp), fd;

	if (!ifindex)
		return -errno;
	if (program < 0)
		return -EINVAL; /* loaded without settings.xdp */
	if (!is_ethernet(interface))
		return -EOPNOTSUPP;
	fd = bpf_link_create(program, (int)ifindex, BPF_XDP, &opts);
	if (fd < 0)
		return fd;
	*ret_link_fd = fd;
	*ret_ifindex = ifindex;
	return 0;
}
