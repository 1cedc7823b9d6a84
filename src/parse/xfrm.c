/* SPDX-License-Identifier: MIT */
#include "parse/xfrm.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/xfrm.h>

#define FAMILY_IP4 2  /* AF_INET and AF_INET6, as the kernel has them */
#define FAMILY_IP6 10
#define IP_PROTOCOL_ESP 50
#define IP_PROTOCOL_AH 51
#define DIRECTION_ATTRIBUTE 33 /* XFRMA_SA_DIR, since Linux 6.10: older headers lack it */
#define DIRECTION_OUT 2

static bool take(struct text *t, void *to, size_t size)
{
	if (t->len < size)
		return false;
	memcpy(to, t->at, size);
	*t = text_skip(*t, size);
	return true;
}

static uint32_t from_network(uint32_t wire)
{
	unsigned char b[4];

	memcpy(b, &wire, sizeof(b));
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static struct spimend_address address_of(const xfrm_address_t *from, uint16_t family)
{
	struct spimend_address address = { .family = family == FAMILY_IP4 ? 4 : 6 };

	memcpy(address.bytes, from, family == FAMILY_IP4 ? 4 : 16);
	return address;
}

/* 0 kept, -EAFNOSUPPORT none of ours. */
static int read_key(const struct xfrm_id *id, uint16_t family, struct kernel_sa *sa)
{
	struct spimend_address dst;

	if ((family != FAMILY_IP4 && family != FAMILY_IP6) || (id->proto != IP_PROTOCOL_ESP && id->proto != IP_PROTOCOL_AH))
		return -EAFNOSUPPORT;
	dst = address_of(&id->daddr, family);
	sa->key = sa_key_of(&dst, id->proto, from_network(id->spi));
	return 0;
}

static int read_info(const struct xfrm_usersa_info *info, struct kernel_sa *sa)
{
	int r = read_key(&info->id, info->family, sa);

	if (r)
		return r;
	sa->src = address_of(&info->saddr, info->family);
	sa->reqid = info->reqid;
	sa->packets = info->curlft.packets;
	sa->bytes = info->curlft.bytes;
	sa->bytes_limit = info->lft.hard_byte_limit != XFRM_INF ? info->lft.hard_byte_limit : 0;
	return 0;
}

/* Takes one attribute: its type and its bytes, without padding. False at the end; *ret_cut: it claims more than there is. */
static bool take_attribute(struct text *t, uint16_t *ret_type, struct text *ret_value, bool *ret_cut)
{
	struct rtattr head;

	if (t->len < sizeof(head)) {
		*ret_cut = *ret_cut || t->len != 0;
		return false;
	}
	memcpy(&head, t->at, sizeof(head));
	if (head.rta_len < sizeof(head) || head.rta_len > t->len) {
		*ret_cut = true;
		return false;
	}
	*ret_type = head.rta_type & NLA_TYPE_MASK;
	*ret_value = text_skip(text_first(*t, head.rta_len), sizeof(head));
	*t = text_skip(*t, RTA_ALIGN(head.rta_len));
	return true;
}

struct attributes {
	bool has_algorithm, has_sa;
	struct text sa; /* borrows: XFRMA_SA */
};

static void read_attribute(uint16_t type, struct text value, struct kernel_sa *sa, struct attributes *a)
{
	struct xfrm_replay_state_esn esn;
	struct xfrm_replay_state replay;
	struct xfrm_encap_tmpl encap;
	struct xfrm_mark mark;
	uint32_t if_id;

	switch (type) {
	case XFRMA_ALG_AUTH:
	case XFRMA_ALG_AUTH_TRUNC:
	case XFRMA_ALG_CRYPT:
	case XFRMA_ALG_AEAD:
		a->has_algorithm = true; /* that there is a key, and not a byte of it */
		break;
	case XFRMA_SA:
		a->has_sa = true;
		a->sa = value;
		break;
	case XFRMA_ENCAP:
		if (take(&value, &encap, sizeof(encap)))
			sa->encap_udp = encap.encap_type != 0;
		break;
	case XFRMA_MARK:
		if (take(&value, &mark, sizeof(mark))) {
			sa->mark = mark.v;
			sa->mark_mask = mark.m;
		}
		break;
	case XFRMA_IF_ID:
		if (take(&value, &if_id, sizeof(if_id)))
			sa->if_id = if_id;
		break;
	case XFRMA_REPLAY_VAL:
		if (take(&value, &replay, sizeof(replay)) && !sa->replay_highest)
			sa->replay_highest = replay.seq;
		break;
	case XFRMA_REPLAY_ESN_VAL: /* the low half, as it stands in packets */
		if (take(&value, &esn, sizeof(esn)))
			sa->replay_highest = esn.seq;
		break;
	case DIRECTION_ATTRIBUTE:
		sa->outbound = value.len >= 1 && value.at[0] == DIRECTION_OUT;
		break;
	default:
		break;
	}
}

static bool read_attributes(struct text rest, struct kernel_sa *sa, struct attributes *a)
{
	struct text value;
	bool cut = false;
	uint16_t type;

	while (take_attribute(&rest, &type, &value, &cut))
		read_attribute(type, value, sa, a);
	return !cut;
}

/* A hard or soft limit of bytes or packets is reached: then it was not the clock. */
static bool is_by_volume(const struct xfrm_usersa_info *info, bool hard)
{
	uint64_t bytes = hard ? info->lft.hard_byte_limit : info->lft.soft_byte_limit;
	uint64_t packets = hard ? info->lft.hard_packet_limit : info->lft.soft_packet_limit;

	return (bytes != XFRM_INF && info->curlft.bytes >= bytes) || (packets != XFRM_INF && info->curlft.packets >= packets);
}

static const int is_malformed = -EBADMSG;

/* The fixed part is padded to 4 bytes in front of the attributes. */
static struct text after(struct text payload, size_t fixed)
{
	return text_skip(payload, NLMSG_ALIGN(fixed));
}

static int read_sa(struct text payload, enum kernel_change change, struct kernel_event *event)
{
	struct attributes a = { .has_algorithm = false };
	struct xfrm_usersa_info info;
	struct text rest = payload;
	int r;

	if (!take(&rest, &info, sizeof(info)))
		return is_malformed;
	event->change = change;
	r = read_info(&info, &event->sa);
	if (r)
		return r;
	if (!read_attributes(after(payload, sizeof(info)), &event->sa, &a))
		return is_malformed;
	event->sa.larval = !a.has_algorithm; /* an SPI that was allocated has no algorithms yet */
	return 0;
}

static int read_delete(struct text payload, struct kernel_event *event)
{
	struct attributes a = { .has_algorithm = false };
	struct xfrm_usersa_info info;
	struct xfrm_usersa_id id;
	struct text rest = payload;
	int r;

	if (!take(&rest, &id, sizeof(id)))
		return is_malformed;
	event->change = KERNEL_DELETED;
	if (!read_attributes(after(payload, sizeof(id)), &event->sa, &a))
		return is_malformed;
	if (a.has_sa) { /* the whole SA as it was */
		if (!take(&a.sa, &info, sizeof(info)))
			return is_malformed;
		return read_info(&info, &event->sa);
	}
	r = read_key(&(struct xfrm_id){ .daddr = id.daddr, .spi = id.spi, .proto = id.proto }, id.family, &event->sa);
	return r;
}

static int read_expire(struct text payload, struct kernel_event *event)
{
	struct attributes a = { .has_algorithm = false };
	struct xfrm_user_expire expire;
	struct text rest = payload;
	int r;

	if (!take(&rest, &expire, sizeof(expire)))
		return is_malformed;
	event->change = expire.hard ? KERNEL_EXPIRED_HARD : KERNEL_EXPIRED_SOFT;
	event->by_volume = is_by_volume(&expire.state, expire.hard);
	r = read_info(&expire.state, &event->sa);
	if (r)
		return r;
	return read_attributes(after(payload, sizeof(expire)), &event->sa, &a) ? 0 : is_malformed;
}

static int read_flush(struct text payload, struct kernel_event *event)
{
	struct xfrm_usersa_flush flush;

	if (!take(&payload, &flush, sizeof(flush)))
		return is_malformed;
	event->change = KERNEL_FLUSHED;
	event->sa.key.protocol = flush.proto == IP_PROTOCOL_ESP || flush.proto == IP_PROTOCOL_AH ? flush.proto : 0;
	return 0;
}

static int read_message(const struct nlmsghdr *head, struct text payload, struct kernel_event *event)
{
	switch (head->nlmsg_type) {
	case XFRM_MSG_NEWSA:
		return read_sa(payload, head->nlmsg_flags & NLM_F_MULTI ? KERNEL_LISTED : KERNEL_ADDED, event);
	case XFRM_MSG_UPDSA:
		return read_sa(payload, KERNEL_UPDATED, event);
	case XFRM_MSG_DELSA:
		return read_delete(payload, event);
	case XFRM_MSG_EXPIRE:
		return read_expire(payload, event);
	case XFRM_MSG_FLUSHSA:
		return read_flush(payload, event);
	default:
		return -EAFNOSUPPORT;
	}
}

/* NLMSG_ERROR and NLMSG_DONE both start with an errno, the latter's may be left out. */
static void read_control(const struct nlmsghdr *head, struct text payload, struct xfrm_batch *batch)
{
	int error = 0;

	if (!take(&payload, &error, sizeof(error)) && head->nlmsg_type == NLMSG_ERROR) {
		batch->malformed++;
		return;
	}
	batch->done = batch->done || head->nlmsg_type == NLMSG_DONE;
	if (error < 0) {
		batch->failed = true;
		batch->error = error;
	}
}

void xfrm_read(struct text datagram, uint32_t sequence, xfrm_event_call each, void *context, struct xfrm_batch *ret)
{
	struct xfrm_batch batch = { .events = 0 };

	while (datagram.len) {
		struct kernel_event event;
		struct nlmsghdr head;
		struct text payload;
		int r;

		if (datagram.len < sizeof(head)) {
			batch.malformed++;
			break;
		}
		memcpy(&head, datagram.at, sizeof(head));
		if (head.nlmsg_len < sizeof(head) || head.nlmsg_len > datagram.len) {
			batch.malformed++;
			break;
		}
		payload = text_skip(text_first(datagram, head.nlmsg_len), sizeof(head));
		datagram = text_skip(datagram, NLMSG_ALIGN((size_t)head.nlmsg_len));
		if (sequence && head.nlmsg_seq != sequence) {
			batch.others++;
			continue;
		}
		batch.interrupted = batch.interrupted || (head.nlmsg_flags & NLM_F_DUMP_INTR);
		if (head.nlmsg_type == NLMSG_ERROR || head.nlmsg_type == NLMSG_DONE) {
			read_control(&head, payload, &batch);
			continue;
		}
		memset(&event, 0, sizeof(event));
		r = read_message(&head, payload, &event);
		if (r == 0)
			each(context, &event);
		batch.events += r == 0;
		batch.malformed += r == is_malformed;
		batch.others += r != 0 && r != is_malformed;
	}
	*ret = batch;
}

void xfrm_write_list_request(unsigned char to[XFRM_REQUEST_BYTES], uint32_t sequence)
{
	struct nlmsghdr head = { .nlmsg_len = XFRM_REQUEST_BYTES, .nlmsg_type = XFRM_MSG_GETSA,
				 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP, .nlmsg_seq = sequence };

	_Static_assert(sizeof(head) == XFRM_REQUEST_BYTES, "a netlink header has 16 bytes");
	memcpy(to, &head, sizeof(head));
}
