/* SPDX-License-Identifier: MIT */
/*
 * The packet sensor in the kernel: which ESP and AH packets does user space get to see?
 *
 *     SPI live          counted per SPI, never told: the fast path
 *     SPI dead          (ours once: the ledger) counted per SPI and told, lightly limited, whatever else floods in
 *     SPI unknown       told within a limit for peers and another for strangers, where the destination is ours
 *
 * Two programs of one policy over the same maps: `spi_filter` for a packet socket of type SOCK_DGRAM, whose answer is how
 * many bytes are copied, up to and with the sequence number; `spi_xdp`, which passes every packet and tells by ring buffer.
 * Neither changes or drops any packet. No kernel BTF is needed.
 *
 * scripts/bpf makes bpf/spi_sensor.skel.h of it, which is committed.
 */
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "spi_shared.h"

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_IPV6 0x86dd
#define ETHERTYPE_VLAN 0x8100
#define ETHERTYPE_QINQ 0x88a8
#define ETHERTYPE_QINQ_OLD 0x9100
#define PROTOCOL_TCP 6
#define PROTOCOL_UDP 17
#define PROTOCOL_ICMPV6 58
#define PROTOCOL_ESP 50
#define PROTOCOL_AH 51
#define EXTENSION_HOP 0
#define EXTENSION_ROUTING 43
#define EXTENSION_FRAGMENT 44
#define EXTENSION_DESTINATION 60
#define EXTENSIONS_MAX 8
#define TAGS_MAX 3
#define PACKET_TO_US 0 /* PACKET_HOST */

/* The hashes have their memory from the start: with room left, nothing fails later. User space sets the sizes. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, struct spi_key);
	__type(value, struct spi_entry);
} watch SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, struct spi_tally);
} tallies SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, struct spi_host);
	__type(value, __u32);
} peers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct spi_host);
	__type(value, __u32);
} locals SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct spi_counters);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

const volatile __u32 processors = 1;
struct spi_config config = {};
__u64 next_ns[SPI_PACES] = {}; /* when the next packet of each pace is due */

struct header_ipv4 {
	__u8 version_length, service;
	__u16 total, id, fragment;
	__u8 ttl, protocol;
	__u16 checksum;
	__u32 src, dst;
};

struct header_ipv6 {
	__u32 version;
	__u16 payload;
	__u8 next, hops;
	__u8 src[16], dst[16];
};

struct header_udp {
	__u16 src, dst, length, checksum;
};

enum { FOUND, FOUND_OTHER, FOUND_FRAGMENT, FOUND_MALFORMED, FOUND_CHAIN };

struct spi_found {
	struct spi_key key;
	__u8 src[16];
	__u32 sequence; /* network order */
	__u32 end;      /* offset behind the sequence number */
	__u16 src_port, dst_port;
	__u8 encap;
};

static __always_inline __u32 processor(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return cpu < processors ? cpu : 0;
}

static __always_inline void count(__u32 which)
{
	__u32 cpu = processor();
	struct spi_counters *c = bpf_map_lookup_elem(&counters, &cpu);

	if (c)
		c->n[which]++;
}

static __always_inline _Bool port_is_ours(__u16 port)
{
	__u16 p = bpf_ntohs(port);

	return config.ports[p >> 3] & (1 << (p & 7));
}

static __always_inline struct spi_tally *tally(const struct spi_entry *entry, __u32 sequence, __u8 encap)
{
	__u32 index = entry->slot * processors + processor();
	struct spi_tally *t = bpf_map_lookup_elem(&tallies, &index);

	if (!t)
		return t;
	t->packets++;
	t->last_ns = bpf_ktime_get_coarse_ns();
	sequence = bpf_ntohl(sequence);
	if (sequence > t->sequence_highest)
		t->sequence_highest = sequence;
	t->encap = encap;
	return t;
}

/* True when it was live, and is counted: nobody needs to hear of it. */
static __always_inline _Bool live(const struct spi_key *key, __u32 sequence, __u8 encap)
{
	struct spi_entry *entry = bpf_map_lookup_elem(&watch, key);

	return entry && entry->state == SPI_LIVE && tally(entry, sequence, encap);
}

static __always_inline _Bool dead_passes(struct spi_tally *t)
{
	__u64 now = t->last_ns, since = now - t->passed_ns;

	if (since > SPI_DEAD_REST_NS)
		t->passed = 0;
	if (t->passed >= SPI_DEAD_FIRST && since < SPI_DEAD_PACE_NS)
		return 0;
	if (t->passed < SPI_DEAD_FIRST)
		t->passed++;
	t->passed_ns = now;
	return 1;
}

/* A bucket that holds SPI_BURST_NS: one number, the time when it will be full again. Who loses the race against another
 * processor twice waits for its next packet. */
static __always_inline _Bool pace(__u32 which)
{
	__u64 interval = config.interval_ns[which], now = bpf_ktime_get_coarse_ns();

	for (int i = 0; interval && i < 2; i++) {
		__u64 next = *(volatile __u64 *)&next_ns[which], from = next > now ? next : now;

		if (from > now + SPI_BURST_NS)
			return 0;
		if (__sync_val_compare_and_swap(&next_ns[which], next, from + interval) == next)
			return 1;
	}
	return 0;
}

static __always_inline _Bool unknown_passes(const struct spi_found *f)
{
	struct spi_host host;
	_Bool peer;

	host.family = f->key.family;
	if (config.only_local) {
		__builtin_memcpy(host.address, f->key.dst, 16);
		if (!bpf_map_lookup_elem(&locals, &host)) {
			count(SPI_COUNT_FOREIGN);
			return 0;
		}
	}
	__builtin_memcpy(host.address, f->src, 16);
	peer = bpf_map_lookup_elem(&peers, &host) != (void *)0;
	count(peer ? SPI_COUNT_PEER : SPI_COUNT_STRANGER);
	return pace(peer ? SPI_PACE_PEER : SPI_PACE_STRANGER);
}

enum { TELL_NOTHING, TELL_UNKNOWN, TELL_DEAD };

/* What to do with what a walk found. */
static __attribute__((noinline)) int decide(struct spi_found *f)
{
	struct spi_entry *entry = bpf_map_lookup_elem(&watch, &f->key);

	if (entry) {
		struct spi_tally *t = tally(entry, f->sequence, f->encap);

		if (!t || entry->state == SPI_LIVE)
			return TELL_NOTHING;
		if (dead_passes(t))
			return TELL_DEAD;
	} else if (unknown_passes(f)) {
		return TELL_UNKNOWN;
	}
	count(SPI_COUNT_SAMPLED);
	return TELL_NOTHING;
}

static __always_inline void count_refusal(int found)
{
	if (found == FOUND_FRAGMENT)
		count(SPI_COUNT_FRAGMENT);
	else if (found == FOUND_MALFORMED)
		count(SPI_COUNT_MALFORMED);
	else if (found == FOUND_CHAIN)
		count(SPI_COUNT_CHAIN);
}

#define CONTEXT struct __sk_buff
#define LOAD bpf_skb_load_bytes
#define NAME(x) skb_##x
#include "spi_walk.h"
#undef CONTEXT
#undef LOAD
#undef NAME
#define CONTEXT struct xdp_md
#define LOAD bpf_xdp_load_bytes
#define NAME(x) xdp_##x
#include "spi_walk.h"

/* The commonest shapes of a packet, read at once: a plain IP header and ESP, or UDP and ESP. */
struct plain_ipv4 {
	struct header_ipv4 ip;
	union {
		struct {
			__u32 spi, sequence;
		};
		struct header_udp udp;
	};
};

struct plain_ipv6 {
	struct header_ipv6 ip;
	union {
		struct {
			__u32 spi, sequence;
		};
		struct header_udp udp;
	};
};

/* The map's helper reads the key in words of 8 bytes: written in smaller ones, every such read would wait for the stores
 * (3 to 5 ns). Little-endian, as the object is. */
static __always_inline void key_tail(struct spi_key *key, __u32 spi, __u64 family)
{
	*(__u64 *)&key->spi = spi | (__u64)PROTOCOL_ESP << 32 | family << 40;
}

static __always_inline void key_ipv4(struct spi_key *key, __u32 dst, __u32 spi)
{
	__u64 *words = (__u64 *)key->dst;

	words[0] = dst;
	words[1] = 0;
	key_tail(key, spi, 4);
}

static __always_inline void key_ipv6(struct spi_key *key, const __u8 *dst, __u32 spi)
{
	__u64 *words = (__u64 *)key->dst;

	__builtin_memcpy(&words[0], dst, 8);
	__builtin_memcpy(&words[1], dst + 8, 8);
	key_tail(key, spi, 6);
}

/* What most packets are: not for the slow path. */
static __always_inline _Bool other_ipv6(const struct plain_ipv6 *h)
{
	return h->ip.next == PROTOCOL_TCP || h->ip.next == PROTOCOL_ICMPV6 ||
		(h->ip.next == PROTOCOL_UDP && !port_is_ours(h->udp.dst));
}

static __attribute__((noinline)) int skb_slow(struct __sk_buff *skb, __u32 type)
{
	struct spi_found f = {};
	int found = skb_walk(skb, 0, type, &f);

	if (found == FOUND)
		return decide(&f) == TELL_NOTHING ? 0 : f.end;
	count_refusal(found);
	return 0;
}

/* Of a datagram to one of our ports: the words behind its header, when they can be ESP. */
#define UDP_CAN_BE_ESP(udp, left) (bpf_ntohs((udp).length) >= sizeof(udp) + 8 && bpf_ntohs((udp).length) <= (left))

SEC("socket") int spi_filter(struct __sk_buff *skb)
{
	__u32 type = skb->protocol;
	struct spi_key key __attribute__((aligned(8)));
	__u32 esp[2];

	if (skb->pkt_type != PACKET_TO_US)
		return 0;
	if (type == bpf_htons(ETHERTYPE_IPV4)) {
		struct plain_ipv4 h;

		if (bpf_skb_load_bytes(skb, 0, &h, sizeof(h)) || h.ip.version_length != 0x45 ||
			h.ip.fragment & bpf_htons(0x1fff))
			return skb_slow(skb, type);
		if (h.ip.protocol == PROTOCOL_ESP) {
			if (bpf_ntohs(h.ip.total) < sizeof(h))
				return skb_slow(skb, type);
			key_ipv4(&key, h.ip.dst, h.spi);
			return live(&key, h.sequence, 0) ? 0 : skb_slow(skb, type);
		}
		if (h.ip.protocol == PROTOCOL_UDP) {
			if (!port_is_ours(h.udp.dst) || !UDP_CAN_BE_ESP(h.udp, bpf_ntohs(h.ip.total) - sizeof(h.ip)) ||
				bpf_skb_load_bytes(skb, sizeof(h), esp, sizeof(esp)) || !esp[0])
				return 0;
			key_ipv4(&key, h.ip.dst, esp[0]);
			return live(&key, esp[1], 1) ? 0 : skb_slow(skb, type);
		}
		return h.ip.protocol == PROTOCOL_AH ? skb_slow(skb, type) : 0;
	}
	if (type == bpf_htons(ETHERTYPE_IPV6)) {
		struct plain_ipv6 h;

		if (bpf_skb_load_bytes(skb, 0, &h, sizeof(h)))
			return skb_slow(skb, type);
		if (h.ip.next == PROTOCOL_ESP && bpf_ntohs(h.ip.payload) >= 8) {
			key_ipv6(&key, h.ip.dst, h.spi);
			return live(&key, h.sequence, 0) ? 0 : skb_slow(skb, type);
		}
		return other_ipv6(&h) ? 0 : skb_slow(skb, type);
	}
	return skb_slow(skb, type);
}

static __attribute__((noinline)) int xdp_slow(struct xdp_md *ctx, __u32 type)
{
	struct spi_found f = {};
	int found = xdp_walk(ctx, 14, type, &f), tell;
	struct spi_report *r;

	if (found != FOUND) {
		count_refusal(found);
		return XDP_PASS;
	}
	tell = decide(&f);
	if (tell == TELL_NOTHING)
		return XDP_PASS;
	r = bpf_ringbuf_reserve(&events, sizeof(*r), 0);
	if (!r) {
		count(SPI_COUNT_RING_FULL);
		return XDP_PASS;
	}
	r->at_ns = bpf_ktime_get_ns();
	__builtin_memcpy(r->src, f.src, 16);
	r->key = f.key;
	r->sequence = f.sequence;
	r->ifindex = ctx->ingress_ifindex;
	r->src_port = f.src_port;
	r->dst_port = f.dst_port;
	r->encap = f.encap;
	r->dead = tell == TELL_DEAD;
	r->zero = 0;
	bpf_ringbuf_submit(r, 0);
	return XDP_PASS;
}

SEC("xdp") int spi_xdp(struct xdp_md *ctx)
{
	void *start = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct spi_key key __attribute__((aligned(8)));
	__u32 type, *esp;

	if (start + 14 + sizeof(struct header_ipv4) > end)
		return XDP_PASS;
	type = *(__u16 *)(start + 12);
	if (type == bpf_htons(ETHERTYPE_IPV4)) {
		struct plain_ipv4 *h = start + 14;

		if ((void *)(h + 1) > end || h->ip.version_length != 0x45 || h->ip.fragment & bpf_htons(0x1fff))
			return xdp_slow(ctx, type);
		if (h->ip.protocol == PROTOCOL_ESP) {
			if (bpf_ntohs(h->ip.total) < sizeof(*h))
				return xdp_slow(ctx, type);
			key_ipv4(&key, h->ip.dst, h->spi);
			return live(&key, h->sequence, 0) ? XDP_PASS : xdp_slow(ctx, type);
		}
		if (h->ip.protocol == PROTOCOL_UDP) {
			esp = (void *)(h + 1);
			if (!port_is_ours(h->udp.dst) || !UDP_CAN_BE_ESP(h->udp, bpf_ntohs(h->ip.total) - sizeof(h->ip)) ||
				(void *)(esp + 2) > end || !esp[0])
				return XDP_PASS;
			key_ipv4(&key, h->ip.dst, esp[0]);
			return live(&key, esp[1], 1) ? XDP_PASS : xdp_slow(ctx, type);
		}
		return h->ip.protocol == PROTOCOL_AH ? xdp_slow(ctx, type) : XDP_PASS;
	}
	if (type == bpf_htons(ETHERTYPE_IPV6)) {
		struct plain_ipv6 *h = start + 14;

		if ((void *)(h + 1) > end)
			return xdp_slow(ctx, type);
		if (h->ip.next == PROTOCOL_ESP && bpf_ntohs(h->ip.payload) >= 8) {
			key_ipv6(&key, h->ip.dst, h->spi);
			return live(&key, h->sequence, 0) ? XDP_PASS : xdp_slow(ctx, type);
		}
		return other_ipv6(h) ? XDP_PASS : xdp_slow(ctx, type);
	}
	return xdp_slow(ctx, type);
}

/* What programs cost that do nothing: for bench/sensor. */
SEC("socket") int spi_bare_filter(struct __sk_buff *skb __attribute__((unused)))
{
	return 0;
}

SEC("xdp") int spi_bare(struct xdp_md *ctx __attribute__((unused)))
{
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
