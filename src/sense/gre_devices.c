/* SPDX-License-Identifier: MIT */
#include "sense/gre_devices.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/socket.h>

#ifndef ARPHRD_IP6GRE
#define ARPHRD_IP6GRE 823 /* linux/if_arp.h, which does not go together with net/if.h */
#endif

/* The kernel's "hardware address" of a tunnel device is an address of its ends; all zero: any. */
static struct spimend_address address_of(const struct sockaddr_ll *end, size_t size)
{
	struct spimend_address address = { .family = size == 4 ? 4 : 6 };
	static const unsigned char none[16];
	const unsigned char *bytes = (const unsigned char *)end + offsetof(struct sockaddr_ll, sll_addr);

	if (end->sll_halen != size || memcmp(bytes, none, size) == 0)
		return (struct spimend_address){ 0 };
	memcpy(address.bytes, bytes, size);
	return address;
}

static size_t address_size_of(const struct ifaddrs *link)
{
	const struct sockaddr_ll *own = (const void *)link->ifa_addr;

	if (!own || own->sll_family != AF_PACKET || !link->ifa_broadaddr)
		return 0;
	return own->sll_hatype == ARPHRD_IPGRE ? 4 : own->sll_hatype == ARPHRD_IP6GRE ? 16 : 0;
}

int gre_devices_read(void (*each)(void *context, const struct gre_device *device), void *context)
{
	struct ifaddrs *links;

	if (getifaddrs(&links))
		return -errno;
	for (const struct ifaddrs *link = links; link; link = link->ifa_next) {
		size_t size = address_size_of(link);
		struct gre_device device = { .name = "" };

		if (size == 0 || !(link->ifa_flags & IFF_UP)) /* gre0, which comes with the module, is down */
			continue;
		text_copy(text_of(link->ifa_name), device.name, sizeof(device.name));
		device.local = address_of((const void *)link->ifa_addr, size);
		device.remote = address_of((const void *)link->ifa_broadaddr, size);
		each(context, &device);
	}
	freeifaddrs(links);
	return 0;
}
