/* SPDX-License-Identifier: MIT */
#include "parse/rtnetlink.h"

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#define OPERSTATE_UNKNOWN 0 /* IF_OPER_UNKNOWN: drivers that do not say, lo; RFC 2863 */
#define OPERSTATE_UP 6      /* IF_OPER_UP */
#define FAMILY_V4 2         /* AF_INET */
#define FAMILY_V6 10        /* AF_INET6 */

static struct link *find(struct link_list *list, uint32_t index)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->at[i].index == index)
			return &list->at[i];
	return NULL;
}

/* Takes the next attribute; false at the end or where it does not fit. */
static bool take_attribute(struct text *rest, uint16_t *ret_type, struct text *ret_value)
{
	struct rtattr head;
	size_t step;

	if (rest->len < sizeof(head))
		return false;
	memcpy(&head, rest->at, sizeof(head));
	if (head.rta_len < sizeof(head) || head.rta_len > rest->len)
		return false;
	*ret_type = head.rta_type & 0x3fff; /* without NLA_F_NESTED and NLA_F_NET_BYTEORDER */
	*ret_value = (struct text){ rest->at + sizeof(head), head.rta_len - sizeof(head) };
	step = (head.rta_len + 3u) & ~3u;
	*rest = text_skip(*rest, step);
	return true;
}

/* struct rtnl_link_stats64 grows at its end. */
static void read_counts(struct text value, struct link *link)
{
	struct rtnl_link_stats64 stats;

	if (value.len < offsetof(struct rtnl_link_stats64, multicast))
		return;
	memset(&stats, 0, sizeof(stats));
	memcpy(&stats, value.at, value.len < sizeof(stats) ? value.len : sizeof(stats));
	link->in = (struct link_counts){ stats.rx_packets, stats.rx_bytes, stats.rx_errors, stats.rx_dropped };
	link->out = (struct link_counts){ stats.tx_packets, stats.tx_bytes, stats.tx_errors, stats.tx_dropped };
}

static void read_link(struct text body, struct link_list *list)
{
	struct ifinfomsg info;
	struct text rest, value;
	struct link link;
	uint16_t type;
	uint8_t state = OPERSTATE_UNKNOWN;

	if (body.len < sizeof(info))
		return;
	memcpy(&info, body.at, sizeof(info));
	rest = text_skip(body, NLMSG_ALIGN(sizeof(info)));
	memset(&link, 0, sizeof(link));
	link.index = (uint32_t)info.ifi_index;
	link.admin_up = info.ifi_flags & IFF_UP;
	while (take_attribute(&rest, &type, &value)) {
		if (type == IFLA_IFNAME && value.len && value.len <= sizeof(link.name))
			text_copy(text_first(value, strnlen(value.at, value.len)), link.name, sizeof(link.name));
		else if (type == IFLA_MTU && value.len == sizeof(link.mtu))
			memcpy(&link.mtu, value.at, sizeof(link.mtu));
		else if (type == IFLA_STATS64)
			read_counts(value, &link);
		else if (type == IFLA_OPERSTATE && value.len == 1)
			state = (uint8_t)value.at[0];
	}
	link.running = link.admin_up && (state == OPERSTATE_UP || (state == OPERSTATE_UNKNOWN && info.ifi_flags & IFF_RUNNING));
	if (!link.name[0] || find(list, link.index))
		return;
	if (list->count == LINKS_MAX) {
		list->left_out++;
		return;
	}
	list->at[list->count++] = link;
}

static void read_address(struct text body, struct link_list *list)
{
	struct ifaddrmsg info;
	struct spimend_address address;
	struct text rest, value;
	struct link *link;
	bool has_local = false;
	uint16_t type;
	size_t len;

	if (body.len < sizeof(info))
		return;
	memcpy(&info, body.at, sizeof(info));
	len = info.ifa_family == FAMILY_V4 ? 4 : info.ifa_family == FAMILY_V6 ? 16 : 0;
	link = find(list, info.ifa_index);
	if (!link || len == 0)
		return;
	memset(&address, 0, sizeof(address));
	rest = text_skip(body, NLMSG_ALIGN(sizeof(info)));
	while (take_attribute(&rest, &type, &value)) {
		/* On a point-to-point link IFA_ADDRESS is the other end's. */
		if ((type != IFA_LOCAL && (type != IFA_ADDRESS || has_local)) || value.len != len)
			continue;
		memcpy(address.bytes, value.at, len);
		address.family = len == 4 ? 4 : 6;
		has_local = has_local || type == IFA_LOCAL;
	}
	if (!address.family)
		return;
	if (link->address_count == LINK_ADDRESSES_MAX) {
		link->addresses_left_out++;
		return;
	}
	link->addresses[link->address_count].address = address;
	link->addresses[link->address_count++].prefix = info.ifa_prefixlen;
}

static bool read_lower(struct text value, struct spimend_address *ret)
{
	if (value.len != 4 && value.len != 16)
		return false;
	memset(ret, 0, sizeof(*ret));
	ret->family = value.len == 4 ? 4 : 6;
	memcpy(ret->bytes, value.at, value.len);
	return true;
}

static void read_neighbour(struct text body, struct neighbour_list *list)
{
	struct neighbour n;
	struct ndmsg info;
	struct text rest, value;
	uint16_t type;

	if (body.len < sizeof(info))
		return;
	memcpy(&info, body.at, sizeof(info));
	if (info.ndm_state & NUD_NOARP) /* the kernel's own: multicast, and tunnels that have one end only */
		return;
	memset(&n, 0, sizeof(n));
	n.link = (uint32_t)info.ndm_ifindex;
	n.permanent = info.ndm_state & NUD_PERMANENT;
	n.resolved = info.ndm_state & (NUD_PERMANENT | NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE);
	rest = text_skip(body, NLMSG_ALIGN(sizeof(info)));
	while (take_attribute(&rest, &type, &value)) {
		if (type == NDA_DST && !read_lower(value, &n.address))
			return;
		if (type == NDA_LLADDR && !read_lower(value, &n.nbma))
			return;
	}
	if (!n.link || !spimend_address_known(&n.address) || !spimend_address_known(&n.nbma))
		return;
	if (list->count == NEIGHBOURS_MAX)
		list->left_out++;
	else
		list->at[list->count++] = n;
}

/* The next message; RTNETLINK_MORE with an empty body: there is none. */
static enum rtnetlink_result take_message(struct text *datagram, uint16_t *ret_type, struct text *ret_body)
{
	struct nlmsghdr head;

	*ret_body = TEXT_NONE;
	if (datagram->len < sizeof(head))
		return RTNETLINK_MORE;
	memcpy(&head, datagram->at, sizeof(head));
	if (head.nlmsg_len < sizeof(head) || head.nlmsg_len > datagram->len)
		return RTNETLINK_FAILED;
	*ret_body = (struct text){ datagram->at + sizeof(head), head.nlmsg_len - sizeof(head) };
	*ret_type = head.nlmsg_type;
	*datagram = text_skip(*datagram, NLMSG_ALIGN(head.nlmsg_len));
	if (head.nlmsg_type == NLMSG_DONE)
		return RTNETLINK_DONE;
	return head.nlmsg_type == NLMSG_ERROR ? RTNETLINK_FAILED : RTNETLINK_MORE;
}

enum rtnetlink_result rtnetlink_read(struct text datagram, struct link_list *list)
{
	enum rtnetlink_result result;
	struct text body;
	uint16_t type;

	while ((result = take_message(&datagram, &type, &body)) == RTNETLINK_MORE && body.at) {
		if (type == RTM_NEWLINK)
			read_link(body, list);
		else if (type == RTM_NEWADDR)
			read_address(body, list);
	}
	return result;
}

enum rtnetlink_result rtnetlink_read_neighbours(struct text datagram, struct neighbour_list *list)
{
	enum rtnetlink_result result;
	struct text body;
	uint16_t type;

	while ((result = take_message(&datagram, &type, &body)) == RTNETLINK_MORE && body.at)
		if (type == RTM_NEWNEIGH)
			read_neighbour(body, list);
	return result;
}

size_t rtnetlink_neighbour_request(unsigned char to[64])
{
	struct {
		struct nlmsghdr head;
		struct ndmsg info;
	} request;

	memset(&request, 0, sizeof(request));
	request.head.nlmsg_len = sizeof(request);
	request.head.nlmsg_type = RTM_GETNEIGH;
	request.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	memcpy(to, &request, sizeof(request));
	return sizeof(request);
}

size_t rtnetlink_request(bool addresses, unsigned char to[64])
{
	struct {
		struct nlmsghdr head;
		struct ifinfomsg info; /* at least as long as struct ifaddrmsg; AF_UNSPEC: all families */
	} request;

	memset(&request, 0, sizeof(request));
	request.head.nlmsg_len = sizeof(request);
	request.head.nlmsg_type = addresses ? RTM_GETADDR : RTM_GETLINK;
	request.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	memcpy(to, &request, sizeof(request));
	return sizeof(request);
}

bool rtnetlink_read_route(struct text datagram, uint8_t prefix, bool *ret_found, uint32_t *ret_link)
{
	struct nlmsghdr head;
	struct text rest, value;
	struct rtmsg route;
	uint16_t type;

	*ret_found = false;
	*ret_link = 0;
	if (datagram.len < sizeof(head))
		return false;
	memcpy(&head, datagram.at, sizeof(head));
	if (head.nlmsg_type == NLMSG_ERROR) /* no route, or an unreachable one */
		return true;
	if (head.nlmsg_type != RTM_NEWROUTE || head.nlmsg_len > datagram.len || head.nlmsg_len < NLMSG_LENGTH(sizeof(route)))
		return false;
	memcpy(&route, datagram.at + sizeof(head), sizeof(route));
	/* Linux keeps the routes over a link without carrier. */
	*ret_found = route.rtm_dst_len == prefix && route.rtm_type == RTN_UNICAST &&
		     !(route.rtm_flags & (RTNH_F_DEAD | RTNH_F_LINKDOWN));
	rest = text_skip(text_first(datagram, head.nlmsg_len), sizeof(head) + NLMSG_ALIGN(sizeof(route)));
	while (take_attribute(&rest, &type, &value))
		if (type == RTA_OIF && value.len == sizeof(*ret_link))
			memcpy(ret_link, value.at, sizeof(*ret_link));
	return true;
}

size_t rtnetlink_route_request(const struct spimend_address *address, unsigned char to[64])
{
	bool is_six = address->family == 6;
	struct {
		struct nlmsghdr head;
		struct rtmsg route;
		struct rtattr attribute;
		uint8_t address[16];
	} request;
	size_t len = sizeof(request) - (is_six ? 0 : 12);

	_Static_assert(sizeof(request) <= 64, "the caller's room");
	memset(&request, 0, sizeof(request));
	request.head.nlmsg_len = (uint32_t)len;
	request.head.nlmsg_type = RTM_GETROUTE;
	request.head.nlmsg_flags = NLM_F_REQUEST;
	request.route.rtm_family = is_six ? FAMILY_V6 : FAMILY_V4;
	request.route.rtm_dst_len = is_six ? 128 : 32;
	request.route.rtm_flags = RTM_F_FIB_MATCH;
	request.attribute.rta_type = RTA_DST;
	request.attribute.rta_len = (uint16_t)(sizeof(request.attribute) + (is_six ? 16 : 4));
	memcpy(request.address, address->bytes, is_six ? 16 : 4);
	memcpy(to, &request, len);
	return len;
}
