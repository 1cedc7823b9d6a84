/* SPDX-License-Identifier: MIT */
/*
 * What a trap tells about IPsec: Cisco's IKE, IPsec, syslog and EEM traps, by number.
 *
 * Called by sense/traps. Pure. Never here: whether it is true. Columns are matched as prefixes, because the rows of those
 * tables have rolling indices; values that the sender did not give (noSuchInstance) are absent, not zero.
 */
#ifndef PARSE_SNMP_MEANING_H
#define PARSE_SNMP_MEANING_H

#include "model/report.h"
#include "model/snmp.h"

/* Always fills *ret; REPORT_OTHER for traps that are none of ours. */
void snmp_read_meaning(const struct snmp_trap *trap, struct device_report *ret);

#endif
