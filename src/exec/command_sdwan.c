/* SPDX-License-Identifier: MIT */
/* The verbs of B16 and B17. A Linux gateway has no tunnels whose keys come from controllers: they say so. */
#include "exec/private.h"

static void no_object(struct exec_call *call)
{
	exec_refuse(call, "there is no SD-WAN here: this gateway's keys come from IKE, not from a controller (B16, B17)");
}

const struct exec_command exec_sdwan_rows[] = {
	{ "request platform software sdwan security ipsec-rekey", "new keys for all SD-WAN tunnels", EXEC_PRIVILEGED, 0, no_object },
	{ "request platform software sdwan port_hop [LINE]", "the next port of a colour", EXEC_PRIVILEGED, 0, no_object },
	{ "clear sdwan omp all", "flaps every BFD session", EXEC_PRIVILEGED, 0, no_object },
	{ "clear sdwan control connections", "flaps control connections and BFD sessions", EXEC_PRIVILEGED, 0, no_object },
};
const size_t exec_sdwan_row_count = EXEC_COUNT(exec_sdwan_rows);
