/* SPDX-License-Identifier: MIT */
/*
 * The SNMP objects that this gateway can answer itself, for `event snmp`: there is no agent and nothing is asked over the
 * network. Called by role/applets_check, which refuses the others, and by role/core_poll, which has the values.
 */
#ifndef ROLE_OBJECTS_H
#define ROLE_OBJECTS_H

#include "base/buffer.h"
#include "model/link.h"
#include "model/snmp.h"

enum object {
	OBJECT_UPTIME, OBJECT_NAME, OBJECT_LINKS, OBJECT_CPU_5S, OBJECT_CPU_1M, OBJECT_CPU_5M, OBJECT_MEMORY_USED,
	OBJECT_MEMORY_FREE, OBJECT_IKE_TUNNELS, OBJECT_IPSEC_TUNNELS, OBJECT_NO_SA, OBJECT_IN_DROPS,
	/* of an interface: its index stands behind */
	OBJECT_LINK_INDEX, OBJECT_LINK_NAME, OBJECT_LINK_MTU, OBJECT_LINK_ADMIN, OBJECT_LINK_OPER,
	OBJECT_LINK_IN_BYTES, OBJECT_LINK_IN_PACKETS, OBJECT_LINK_IN_DROPS, OBJECT_LINK_IN_ERRORS, OBJECT_LINK_OUT_BYTES,
	OBJECT_LINK_OUT_PACKETS, OBJECT_LINK_OUT_DROPS, OBJECT_LINK_OUT_ERRORS, OBJECT_LINK_IN_BYTES_64, OBJECT_LINK_IN_PACKETS_64,
	OBJECT_LINK_OUT_BYTES_64, OBJECT_LINK_OUT_PACKETS_64,
	OBJECTS
};

/* True when an applet may poll it: an instance, or with `next` also what stands in front of one. */
bool object_is_known(struct text oid, bool next);
/* The instance that is asked for; with `next` the first one behind it. *ret_link is its interface, NULL where it is of
 * none. */
bool object_find(const struct snmp_oid *oid, bool next, const struct link_list *links, enum object *ret,
		 const struct link **ret_link, struct snmp_oid *ret_oid);
/* A value of an interface. */
void object_print_link(enum object object, const struct link *link, struct buffer *out);

#endif
