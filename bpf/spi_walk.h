/* SPDX-License-Identifier: MIT */
/*
 * From the first header to the ESP or AH header, by copies: VLAN tags, IPv4 with options, IPv6 with extension headers, UDP.
 * The slow path of both programs. Included once for each, with CONTEXT (type), LOAD (helper) and NAME(x) defined; the twin
 * in user space is src/parse/frame.c.
 */

static __attribute__((noinline)) int NAME(esp)(CONTEXT *ctx, __u32 at, __u32 left, struct spi_found *f)
{
	__u32 words[3];

	if (f->key.protocol == PROTOCOL_AH) { /* RFC 4302 2: next header, length, reserved, SPI, sequence number */
		if (left < 12 || LOAD(ctx, at, words, 12))
			return FOUND_MALFORMED;
		f->key.spi = words[1];
		f->sequence = words[2];
		f->end = at + 12;
		return FOUND;
	}
	if (left < 8 || LOAD(ctx, at, words, 8)) /* in UDP: a keepalive or litter (RFC 3948 2.3) */
		return f->encap ? FOUND_OTHER : FOUND_MALFORMED;
	if (f->encap && !words[0]) /* RFC 3948 2.2: the non-ESP marker, IKE */
		return FOUND_OTHER;
	f->key.spi = words[0];
	f->sequence = words[1];
	f->end = at + 8;
	return FOUND;
}

/* `left`: bytes from `at` to the end of the IP packet, by its own length. */
static __attribute__((noinline)) int NAME(transport)(CONTEXT *ctx, __u32 at, __u32 left, struct spi_found *f)
{
	struct header_udp udp;

	if (f->key.protocol != PROTOCOL_UDP)
		return NAME(esp)(ctx, at, left, f);
	if (left < sizeof(udp) || LOAD(ctx, at, &udp, sizeof(udp)) || !port_is_ours(udp.dst))
		return FOUND_OTHER;
	/* Behind a short datagram may be Ethernet's padding: a keepalive must not become the SPI 0xff000000 (B9). */
	if (bpf_ntohs(udp.length) < sizeof(udp) || bpf_ntohs(udp.length) > left)
		return FOUND_OTHER;
	f->src_port = udp.src;
	f->dst_port = udp.dst;
	f->encap = 1;
	f->key.protocol = PROTOCOL_ESP;
	return NAME(esp)(ctx, at + sizeof(udp), bpf_ntohs(udp.length) - sizeof(udp), f);
}

static __attribute__((noinline)) int NAME(ipv4)(CONTEXT *ctx, __u32 at, struct spi_found *f)
{
	struct header_ipv4 ip;
	__u32 header, total;

	if (LOAD(ctx, at, &ip, sizeof(ip)))
		return FOUND_OTHER;
	if (ip.protocol != PROTOCOL_ESP && ip.protocol != PROTOCOL_AH && ip.protocol != PROTOCOL_UDP)
		return FOUND_OTHER;
	header = (ip.version_length & 15) * 4;
	total = bpf_ntohs(ip.total);
	if (ip.version_length >> 4 != 4 || header < sizeof(ip) || total < header)
		return FOUND_MALFORMED;
	if (ip.fragment & bpf_htons(0x1fff))
		return ip.protocol == PROTOCOL_UDP ? FOUND_OTHER : FOUND_FRAGMENT;
	__builtin_memcpy(f->src, &ip.src, 4);
	__builtin_memcpy(f->key.dst, &ip.dst, 4);
	f->key.family = 4;
	f->key.protocol = ip.protocol;
	return NAME(transport)(ctx, at + header, total - header, f);
}

static __attribute__((noinline)) int NAME(ipv6)(CONTEXT *ctx, __u32 at, struct spi_found *f)
{
	struct header_ipv6 ip;
	__u32 left, length;
	__u8 next;

	if (LOAD(ctx, at, &ip, sizeof(ip)))
		return FOUND_OTHER;
	__builtin_memcpy(f->src, ip.src, 16);
	__builtin_memcpy(f->key.dst, ip.dst, 16);
	f->key.family = 6;
	next = ip.next;
	left = bpf_ntohs(ip.payload);
	at += sizeof(ip);
	for (int i = 0; i <= EXTENSIONS_MAX; i++) {
		__u8 head[8];

		if (next == PROTOCOL_ESP || next == PROTOCOL_AH || next == PROTOCOL_UDP) {
			f->key.protocol = next;
			return NAME(transport)(ctx, at, left, f);
		}
		if (next != EXTENSION_HOP && next != EXTENSION_ROUTING && next != EXTENSION_DESTINATION && next != EXTENSION_FRAGMENT)
			return FOUND_OTHER;
		if (LOAD(ctx, at, head, sizeof(head)))
			return FOUND_OTHER;
		length = 8;
		if (next != EXTENSION_FRAGMENT)
			length += head[1] * 8;
		else if ((head[2] << 8 | head[3]) & 0xfff8)
			return head[0] == PROTOCOL_ESP || head[0] == PROTOCOL_AH ? FOUND_FRAGMENT : FOUND_OTHER;
		if (length > left)
			return FOUND_MALFORMED;
		next = head[0];
		at += length;
		left -= length;
	}
	return FOUND_CHAIN;
}

/* `type` is the Ethernet type of what stands at `at`, network order. */
static __attribute__((noinline)) int NAME(walk)(CONTEXT *ctx, __u32 at, __u32 type, struct spi_found *f)
{
	for (int i = 0; i <= TAGS_MAX; i++) {
		__u16 tag[2];

		if (type == bpf_htons(ETHERTYPE_IPV4))
			return NAME(ipv4)(ctx, at, f);
		if (type == bpf_htons(ETHERTYPE_IPV6))
			return NAME(ipv6)(ctx, at, f);
		if (type != bpf_htons(ETHERTYPE_VLAN) && type != bpf_htons(ETHERTYPE_QINQ) && type != bpf_htons(ETHERTYPE_QINQ_OLD))
			return FOUND_OTHER;
		if (LOAD(ctx, at, tag, sizeof(tag)))
			return FOUND_OTHER;
		type = tag[1];
		at += sizeof(tag);
	}
	return FOUND_CHAIN;
}
