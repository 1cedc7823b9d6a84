/* SPDX-License-Identifier: MIT */
#include "role/objects.h"

#include <inttypes.h>
#include <string.h>

/* SNMPv2-MIB, IF-MIB, CISCO-PROCESS-MIB, CISCO-MEMORY-POOL-MIB, and the IPsec flow monitors. Some have two names. */
static const struct {
	const char *oid; /* whole, or without the interface's index */
	enum object object;
} rows[] = {
	{ "1.3.6.1.2.1.1.3.0", OBJECT_UPTIME },
	{ "1.3.6.1.2.1.1.5.0", OBJECT_NAME },
	{ "1.3.6.1.2.1.2.1.0", OBJECT_LINKS },
	{ "1.3.6.1.2.1.2.2.1.1", OBJECT_LINK_INDEX },
	{ "1.3.6.1.2.1.2.2.1.2", OBJECT_LINK_NAME },
	{ "1.3.6.1.2.1.2.2.1.4", OBJECT_LINK_MTU },
	{ "1.3.6.1.2.1.2.2.1.7", OBJECT_LINK_ADMIN },
	{ "1.3.6.1.2.1.2.2.1.8", OBJECT_LINK_OPER },
	{ "1.3.6.1.2.1.2.2.1.10", OBJECT_LINK_IN_BYTES },
	{ "1.3.6.1.2.1.2.2.1.11", OBJECT_LINK_IN_PACKETS },
	{ "1.3.6.1.2.1.2.2.1.13", OBJECT_LINK_IN_DROPS },
	{ "1.3.6.1.2.1.2.2.1.14", OBJECT_LINK_IN_ERRORS },
	{ "1.3.6.1.2.1.2.2.1.16", OBJECT_LINK_OUT_BYTES },
	{ "1.3.6.1.2.1.2.2.1.17", OBJECT_LINK_OUT_PACKETS },
	{ "1.3.6.1.2.1.2.2.1.19", OBJECT_LINK_OUT_DROPS },
	{ "1.3.6.1.2.1.2.2.1.20", OBJECT_LINK_OUT_ERRORS },
	{ "1.3.6.1.2.1.31.1.1.1.1", OBJECT_LINK_NAME },
	{ "1.3.6.1.2.1.31.1.1.1.6", OBJECT_LINK_IN_BYTES_64 },
	{ "1.3.6.1.2.1.31.1.1.1.7", OBJECT_LINK_IN_PACKETS_64 },
	{ "1.3.6.1.2.1.31.1.1.1.10", OBJECT_LINK_OUT_BYTES_64 },
	{ "1.3.6.1.2.1.31.1.1.1.11", OBJECT_LINK_OUT_PACKETS_64 },
	{ "1.3.6.1.4.1.9.2.1.56.0", OBJECT_CPU_5S }, /* OLD-CISCO-CPU-MIB */
	{ "1.3.6.1.4.1.9.2.1.57.0", OBJECT_CPU_1M },
	{ "1.3.6.1.4.1.9.2.1.58.0", OBJECT_CPU_5M },
	{ "1.3.6.1.4.1.9.9.48.1.1.1.5.1", OBJECT_MEMORY_USED },
	{ "1.3.6.1.4.1.9.9.48.1.1.1.6.1", OBJECT_MEMORY_FREE },
	{ "1.3.6.1.4.1.9.9.109.1.1.1.1.3.1", OBJECT_CPU_5S },
	{ "1.3.6.1.4.1.9.9.109.1.1.1.1.4.1", OBJECT_CPU_1M },
	{ "1.3.6.1.4.1.9.9.109.1.1.1.1.5.1", OBJECT_CPU_5M },
	{ "1.3.6.1.4.1.9.9.109.1.1.1.1.6.1", OBJECT_CPU_5S },
	{ "1.3.6.1.4.1.9.9.109.1.1.1.1.7.1", OBJECT_CPU_1M },
	{ "1.3.6.1.4.1.9.9.109.1.1.1.1.8.1", OBJECT_CPU_5M },
	{ "1.3.6.1.4.1.9.9.171.1.2.1.1.0", OBJECT_IKE_TUNNELS },
	{ "1.3.6.1.4.1.9.9.171.1.3.1.1.0", OBJECT_IPSEC_TUNNELS },
	{ "1.3.6.1.4.1.9.9.171.1.3.1.10.0", OBJECT_IN_DROPS },
	{ "1.3.6.1.4.1.9.9.171.1.3.1.29.0", OBJECT_NO_SA },
	{ "1.3.6.1.4.1.9.9.432.1.1.1.21.0", OBJECT_NO_SA },
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static bool is_of_link(enum object object)
{
	return object >= OBJECT_LINK_INDEX;
}

static void read_row(size_t row, struct snmp_oid *ret)
{
	bool prefix;

	(void)snmp_oid_parse(text_of(rows[row].oid), ret, &prefix);
}

static int compare(const struct snmp_oid *a, const struct snmp_oid *b)
{
	for (uint32_t i = 0; i < a->len && i < b->len; i++)
		if (a->id[i] != b->id[i])
			return a->id[i] < b->id[i] ? -1 : 1;
	return a->len < b->len ? -1 : a->len > b->len;
}

bool object_is_known(struct text text, bool next)
{
	struct snmp_oid oid, row;
	bool prefix;

	if (!snmp_oid_parse(text, &oid, &prefix))
		return false;
	for (size_t i = 0; i < ROWS; i++) {
		uint32_t whole;

		read_row(i, &row);
		whole = row.len + is_of_link(rows[i].object);
		/* a column, or what stands in front of ".0": but not the head of the tree, behind which anything would be */
		if (oid.len == whole ? snmp_oid_is_below(&oid, &row) || compare(&oid, &row) == 0
				     : next && oid.len + 1 == whole && (snmp_oid_is_below(&row, &oid) || compare(&oid, &row) == 0))
			return true;
	}
	return false;
}

static bool is_better(const struct snmp_oid *one, const struct snmp_oid *oid, bool next, bool found,
		      const struct snmp_oid *best)
{
	return next ? compare(one, oid) > 0 && (!found || compare(one, best) < 0) : compare(one, oid) == 0;
}

bool object_find(const struct snmp_oid *oid, bool next, const struct link_list *links, enum object *ret,
		 const struct link **ret_link, struct snmp_oid *ret_oid)
{
	struct snmp_oid one, best;
	bool found = false;

	memset(&best, 0, sizeof(best));
	for (size_t i = 0; i < ROWS; i++) {
		bool of_link = is_of_link(rows[i].object);

		read_row(i, &one);
		one.len += of_link;
		for (size_t k = 0; k < (of_link ? links->count : 1); k++) {
			if (of_link)
				one.id[one.len - 1] = links->at[k].index;
			if (!is_better(&one, oid, next, found, &best))
				continue;
			found = true;
			best = one;
			*ret = rows[i].object;
			*ret_link = of_link ? &links->at[k] : NULL;
		}
	}
	if (found)
		*ret_oid = best;
	return found;
}

void object_print_link(enum object object, const struct link *l, struct buffer *out)
{
	const uint64_t values[OBJECTS] = {
		[OBJECT_LINK_INDEX] = l->index, [OBJECT_LINK_MTU] = l->mtu, [OBJECT_LINK_ADMIN] = l->admin_up ? 1 : 2,
		[OBJECT_LINK_OPER] = l->running ? 1 : 2, [OBJECT_LINK_IN_BYTES] = (uint32_t)l->in.bytes,
		[OBJECT_LINK_IN_PACKETS] = (uint32_t)l->in.packets, [OBJECT_LINK_IN_DROPS] = (uint32_t)l->in.drops,
		[OBJECT_LINK_IN_ERRORS] = (uint32_t)l->in.errors, [OBJECT_LINK_OUT_BYTES] = (uint32_t)l->out.bytes,
		[OBJECT_LINK_OUT_PACKETS] = (uint32_t)l->out.packets, [OBJECT_LINK_OUT_DROPS] = (uint32_t)l->out.drops,
		[OBJECT_LINK_OUT_ERRORS] = (uint32_t)l->out.errors, [OBJECT_LINK_IN_BYTES_64] = l->in.bytes,
		[OBJECT_LINK_IN_PACKETS_64] = l->in.packets, [OBJECT_LINK_OUT_BYTES_64] = l->out.bytes,
		[OBJECT_LINK_OUT_PACKETS_64] = l->out.packets,
	};

	if (object == OBJECT_LINK_NAME)
		buffer_add_string(out, l->name);
	else
		buffer_printf(out, "%" PRIu64, values[object]);
}
