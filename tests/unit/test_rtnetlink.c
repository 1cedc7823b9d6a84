/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "base/memory.h"
#include "parse/rtnetlink.h"

static unsigned char bytes[4096];
static size_t len;
static struct link_list list;

static void add(const void *what, size_t size)
{
	memcpy(bytes + len, what, size);
	len += (size + 3) & ~(size_t)3;
}

static size_t begin(uint16_t type)
{
	struct nlmsghdr head = { .nlmsg_type = type, .nlmsg_len = sizeof(head) };

	add(&head, sizeof(head));
	return len - sizeof(head);
}

static void attribute(uint16_t type, const void *value, size_t size)
{
	struct rtattr head = { .rta_type = type, .rta_len = (unsigned short)(sizeof(head) + size) };

	memcpy(bytes + len, &head, sizeof(head));
	len += sizeof(head);
	add(value, size);
}

static void end(size_t at)
{
	uint32_t size = (uint32_t)(len - at);

	memcpy(bytes + at, &size, sizeof(size));
}

static void add_link(int index, const char *name, unsigned flags, uint8_t state)
{
	struct ifinfomsg info = { .ifi_index = index, .ifi_flags = flags };
	uint32_t mtu = 1400;
	size_t at = begin(RTM_NEWLINK);

	add(&info, sizeof(info));
	attribute(IFLA_IFNAME, name, strlen(name) + 1);
	attribute(IFLA_MTU, &mtu, sizeof(mtu));
	attribute(IFLA_OPERSTATE, &state, 1);
	end(at);
}

static void add_address(uint32_t index, const unsigned char *local, const unsigned char *other, uint8_t prefix)
{
	struct ifaddrmsg info = { .ifa_family = 2, .ifa_prefixlen = prefix, .ifa_index = index };
	size_t at = begin(RTM_NEWADDR);

	add(&info, sizeof(info));
	attribute(IFA_ADDRESS, other, 4);
	attribute(IFA_LOCAL, local, 4);
	end(at);
}

static int set_up(void **state)
{
	(void)state;
	len = 0;
	memset(bytes, 0, sizeof(bytes));
	list = (struct link_list){ .at = memory_new(LINKS_MAX, sizeof(struct link)) };
	return list.at ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	memory_free(list.at);
	return 0;
}

static enum rtnetlink_result read_all(void)
{
	return rtnetlink_read((struct text){ (const char *)bytes, len }, &list);
}

static void test_links_with_their_addresses(void **state)
{
	static const unsigned char ours[] = { 10, 0, 0, 1 }, theirs[] = { 10, 0, 0, 2 };
	size_t at;

	(void)state;
	add_link(1, "lo", IFF_UP | IFF_RUNNING, 0);
	add_link(2, "eth0", IFF_UP, 6);
	add_link(3, "eth1", IFF_UP, 2);
	add_link(4, "eth2", 0, 6);
	add_address(2, ours, theirs, 30); /* point to point: IFA_ADDRESS is the other end's */
	add_address(9, ours, theirs, 30); /* of none that was listed */
	at = begin(NLMSG_DONE);
	end(at);
	assert_int_equal(read_all(), RTNETLINK_DONE);
	assert_int_equal(list.count, 4);
	assert_true(list.at[0].admin_up && list.at[0].running);
	assert_true(list.at[1].running);
	assert_true(list.at[2].admin_up && !list.at[2].running);
	assert_true(!list.at[3].admin_up && !list.at[3].running);
	assert_int_equal(list.at[1].mtu, 1400);
	assert_int_equal(list.at[1].address_count, 1);
	assert_int_equal(list.at[1].addresses[0].prefix, 30);
	assert_memory_equal(list.at[1].addresses[0].address.bytes, ours, 4);
}

static void test_what_is_cut_is_read_no_further(void **state)
{
	size_t whole;

	(void)state;
	add_link(1, "lo", IFF_UP, 0);
	whole = len;
	for (len = 0; len < whole; len++) {
		list.count = 0;
		(void)read_all();
		assert_int_equal(list.count, 0);
	}
	bytes[16 + sizeof(struct ifinfomsg)] = 1; /* an attribute shorter than its head */
	assert_int_equal(read_all(), RTNETLINK_MORE);
	assert_int_equal(list.count, 0);
}

static void test_more_addresses_than_are_kept_are_counted(void **state)
{
	(void)state;
	add_link(2, "eth0", IFF_UP, 6);
	for (unsigned char i = 0; i < LINK_ADDRESSES_MAX + 3; i++) {
		unsigned char address[] = { 10, 0, 0, i };

		add_address(2, address, address, 24);
	}
	assert_int_equal(read_all(), RTNETLINK_MORE);
	assert_int_equal(list.at[0].address_count, LINK_ADDRESSES_MAX);
	assert_int_equal(list.at[0].addresses_left_out, 3);
}

static void test_the_counters_of_a_link(void **state)
{
	struct rtnl_link_stats64 stats = { .rx_packets = 1, .tx_packets = 2, .rx_bytes = UINT64_C(1) << 40, .tx_bytes = 4,
					   .rx_errors = 5, .tx_errors = 6, .rx_dropped = 7, .tx_dropped = 8 };
	struct ifinfomsg info = { .ifi_index = 3 };
	size_t at = begin(RTM_NEWLINK);

	(void)state;
	add(&info, sizeof(info));
	attribute(IFLA_IFNAME, "old", 4);
	attribute(IFLA_STATS64, &stats, 8); /* cut: of no kernel */
	end(at);
	info.ifi_index = 4;
	at = begin(RTM_NEWLINK);
	add(&info, sizeof(info));
	attribute(IFLA_IFNAME, "eth0", 5);
	attribute(IFLA_STATS64, &stats, sizeof(stats));
	end(at);
	assert_int_equal(read_all(), RTNETLINK_MORE);
	assert_int_equal(list.count, 2);
	assert_int_equal(list.at[0].in.packets, 0);
	assert_int_equal(list.at[1].in.packets, 1);
	assert_int_equal(list.at[1].in.bytes, UINT64_C(1) << 40);
	assert_int_equal(list.at[1].in.errors, 5);
	assert_int_equal(list.at[1].in.drops, 7);
	assert_int_equal(list.at[1].out.packets, 2);
	assert_int_equal(list.at[1].out.drops, 8);
}

static bool read_route(uint8_t prefix, uint8_t type, unsigned flags, bool *ret_found, uint32_t *ret_link)
{
	struct rtmsg route = { .rtm_family = 2, .rtm_dst_len = 24, .rtm_type = type, .rtm_flags = flags };
	uint32_t link = 7;
	size_t at;

	len = 0;
	at = begin(RTM_NEWROUTE);
	add(&route, sizeof(route));
	attribute(RTA_OIF, &link, sizeof(link));
	end(at);
	return rtnetlink_read_route((struct text){ (const char *)bytes, len }, prefix, ret_found, ret_link);
}

static void test_a_route_is_the_very_prefix_that_was_asked_for(void **state)
{
	struct spimend_address six = { .family = 6 };
	unsigned char request[64];
	uint32_t link;
	size_t whole;
	bool found;

	(void)state;
	assert_true(read_route(24, RTN_UNICAST, 0, &found, &link));
	assert_true(found);
	assert_int_equal(link, 7);
	assert_true(read_route(16, RTN_UNICAST, 0, &found, &link));
	assert_false(found); /* a longer one */
	assert_true(read_route(24, RTN_BLACKHOLE, 0, &found, &link));
	assert_false(found);
	assert_true(read_route(24, RTN_UNICAST, RTNH_F_LINKDOWN, &found, &link));
	assert_false(found);
	assert_true(read_route(24, RTN_UNICAST, 0, &found, &link));
	whole = len;
	for (len = 0; len < whole; len++) /* cut anywhere, it is none */
		assert_false(rtnetlink_read_route((struct text){ (const char *)bytes, len }, 24, &found, &link));
	len = 0;
	end(begin(NLMSG_ERROR));
	assert_true(rtnetlink_read_route((struct text){ (const char *)bytes, len }, 24, &found, &link));
	assert_false(found); /* the kernel has none */
	assert_int_equal(rtnetlink_route_request(&six, request), sizeof(struct nlmsghdr) + sizeof(struct rtmsg) + 4 + 16);
}

static void add_neighbour(int link, uint16_t nud, const void *inside, size_t inside_len, const void *lower, size_t lower_len)
{
	struct ndmsg info = { .ndm_family = inside_len == 4 ? 2 : 10, .ndm_ifindex = link, .ndm_state = nud };
	size_t at = begin(RTM_NEWNEIGH);

	add(&info, sizeof(info));
	attribute(NDA_DST, inside, inside_len);
	if (lower)
		attribute(NDA_LLADDR, lower, lower_len);
	end(at);
}

static enum rtnetlink_result read_neighbours(struct neighbour_list *list_of)
{
	return rtnetlink_read_neighbours((struct text){ (const char *)bytes, len }, list_of);
}

static void test_neighbours_behind_tunnels(void **state)
{
	static const unsigned char inside[] = { 10, 0, 0, 9 }, outside[] = { 198, 51, 100, 9 }, mac[] = { 2, 0, 0, 0, 0, 1 };
	static const unsigned char inside6[16] = { 0xfd, 1 }, outside6[16] = { 0x20, 1, 0x0d, 0xb8 };
	struct neighbour_list found = { .at = memory_new(NEIGHBOURS_MAX, sizeof(*found.at)) };
	unsigned char request[64];
	size_t whole;

	(void)state;
	add_neighbour(4, NUD_PERMANENT, inside, 4, outside, 4);
	add_neighbour(2, NUD_REACHABLE, inside, 4, mac, 6); /* of an Ethernet */
	add_neighbour(4, NUD_STALE, inside, 4, outside, 4);
	add_neighbour(4, NUD_FAILED, inside6, 16, outside6, 16);
	add_neighbour(4, NUD_INCOMPLETE, inside, 4, NULL, 0);
	add_neighbour(4, NUD_NOARP, inside, 4, outside, 4); /* of a tunnel that has one end */
	whole = len;
	assert_int_equal(read_neighbours(&found), RTNETLINK_MORE);
	assert_int_equal(found.count, 3);
	assert_true(found.at[0].permanent && found.at[0].resolved && found.at[0].link == 4);
	assert_memory_equal(found.at[0].address.bytes, inside, 4);
	assert_memory_equal(found.at[0].nbma.bytes, outside, 4);
	assert_true(!found.at[1].permanent && found.at[1].resolved);
	assert_true(!found.at[2].resolved && found.at[2].address.family == 6 && found.at[2].nbma.family == 6);
	for (len = 0; len < whole; len++) { /* cut anywhere, nothing is read that is not there */
		found.count = 0;
		(void)read_neighbours(&found);
	}
	found.count = NEIGHBOURS_MAX;
	len = whole;
	(void)read_neighbours(&found);
	assert_int_equal(found.count, NEIGHBOURS_MAX);
	assert_int_equal(found.left_out, 3);
	assert_int_equal(rtnetlink_neighbour_request(request), sizeof(struct nlmsghdr) + sizeof(struct ndmsg));
	memory_free(found.at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_links_with_their_addresses, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_is_cut_is_read_no_further, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_counters_of_a_link, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_route_is_the_very_prefix_that_was_asked_for, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_neighbours_behind_tunnels, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_more_addresses_than_are_kept_are_counted, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
