/* SPDX-License-Identifier: MIT */
/*
 * What another device says about its IPsec: a hint of somebody who may be forged, about his side of a tunnel. Plain data of
 * fixed size; travels from the role sense to core, which checks it with report_valid().
 */
#ifndef MODEL_REPORT_H
#define MODEL_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "spimend/address.h"

#define REPORT_TEXT_MAX 256
#define REPORT_NAME_MAX 32

enum report_kind {
	REPORT_OTHER,
	REPORT_BAD_SPI,      /* packets came with an SPI that it has no SA for: the SPI, and the addresses where told */
	REPORT_NO_SA,        /* the same without any detail */
	REPORT_NO_IKE_SA,    /* an IKE message without an IKE SA; local and remote */
	REPORT_IKE_UP, REPORT_IKE_DOWN,       /* local and remote where told */
	REPORT_TUNNEL_UP, REPORT_TUNNEL_DOWN, /* phase 2; reason where told */
	REPORT_SETUP_FAILED, /* phase 2; local and remote */
	REPORT_LOG,          /* a line of its log: severity, name, text */
	REPORT_APPLET,       /* an EEM applet's snmp-trap, or the end of a run: intdata, text is strData, name the policy */
	REPORT_KINDS
};

struct device_report {
	enum report_kind kind;
	struct spimend_address device; /* who says so: the source of the trap */
	bool authenticated;            /* SNMPv3, and its hash was right */
	bool has_spi, has_reason, has_severity, has_int1, has_int2;
	uint8_t protocol;              /* 50 or 51; 0: not told, as in both MIBs */
	uint8_t severity;              /* as in syslog: 0 to 7 */
	uint32_t spi, reason;
	int32_t int1, int2;
	struct spimend_address src, dst;      /* of the packets; unknown where not told */
	struct spimend_address local, remote; /* of the tunnel, seen from the device */
	char name[REPORT_NAME_MAX];    /* printable ASCII, as all texts: the mnemonic, or the applet */
	char facility[REPORT_NAME_MAX];
	char text[REPORT_TEXT_MAX];
};

bool report_valid(const struct device_report *report);

#endif
