/* SPDX-License-Identifier: MIT */
#include "model/audit.h"

static const char *const codes[AUDIT_CODES] = {
	[AUDIT_SA_MISSING] = "sa-missing",
	[AUDIT_TABLES_DISAGREE] = "tables-disagree",
	[AUDIT_KERNEL_LOST] = "kernel-lost",
	[AUDIT_ENCAP_DIFFERS] = "encap-differs",
	[AUDIT_ADDRESSES_DIFFER] = "addresses-differ",
	[AUDIT_DUPLICATE_CHILD] = "duplicate-child",
	[AUDIT_LIFETIME_DIFFERS] = "lifetime-differs",
	[AUDIT_VOLUME_EXHAUSTED] = "volume-exhausted",
	[AUDIT_IKE_ONE_SIDED] = "ike-one-sided",
	[AUDIT_NO_IKE] = "no-ike-sa",
	[AUDIT_SDWAN_SA_MISSING] = "sdwan-sa-missing",
	[AUDIT_SDWAN_KEY_DIFFERS] = "sdwan-key-differs",
	[AUDIT_SDWAN_SA_CLEARED] = "sdwan-sa-cleared",
	[AUDIT_SDWAN_COPY_STALE] = "sdwan-copy-stale",
	[AUDIT_SDWAN_BFD_DOWN] = "sdwan-bfd-down",
	[AUDIT_SA_LEFTOVER] = "sa-leftover",
	[AUDIT_SA_UNUSED] = "sa-unused",
	[AUDIT_KERNEL_ONLY] = "kernel-only",
	[AUDIT_FLOW_WITHOUT_SAS] = "flow-without-sas",
};

const char *audit_code_name(enum audit_code code)
{
	return code < AUDIT_CODES ? codes[code] : "unknown";
}

const char *audit_severity_name(enum audit_severity severity)
{
	return severity == AUDIT_ERROR ? "error" : severity == AUDIT_WARNING ? "warning" : "note";
}

const char *audit_role_name(enum audit_role role)
{
	return role == AUDIT_SENDER ? "sender" : role == AUDIT_RECEIVER ? "receiver" : NULL;
}
