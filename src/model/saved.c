/* SPDX-License-Identifier: MIT */
#include "model/saved.h"

static const struct {
	const char *name, *command;
} outputs[OUTPUT_COUNT] = {
	[OUTPUT_NONE] = { "none", "nothing known" },
	[OUTPUT_IPSEC_SA] = { "ipsec-sa", "show crypto ipsec sa" },
	[OUTPUT_IKEV2_SA] = { "ikev2-sa", "show crypto ikev2 sa" },
	[OUTPUT_ISAKMP_SA] = { "isakmp-sa", "show crypto isakmp sa" },
	[OUTPUT_SESSION] = { "session", "show crypto session" },
	[OUTPUT_SPI_LOOKUP] = { "spi-lookup", "show crypto ipsec spi-lookup detail" },
	[OUTPUT_EVENT_TRACE] = { "event-trace", "show monitor event-trace crypto ipsec event" },
	[OUTPUT_DROPS] = { "drops", "drop counters" },
	[OUTPUT_SDWAN_LOCAL_SA] = { "sdwan-local-sa", "show sdwan ipsec local-sa" },
	[OUTPUT_SDWAN_OUTBOUND] = { "sdwan-outbound", "show sdwan ipsec outbound-connections" },
	[OUTPUT_SDWAN_TLOCS] = { "sdwan-tlocs", "show sdwan omp tlocs" },
	[OUTPUT_SDWAN_BFD] = { "sdwan-bfd", "show sdwan bfd sessions" },
	[OUTPUT_SDWAN_CONTROL] = { "sdwan-control", "show sdwan control connections" },
	[OUTPUT_SDWAN_OMP] = { "sdwan-omp", "show sdwan omp peers" },
	[OUTPUT_SDWAN_EDGE] = { "sdwan-edge", "show sdwan control local-properties" },
	[OUTPUT_INTERFACES] = { "interfaces", "show ip interface brief" },
	[OUTPUT_SWANCTL] = { "swanctl", "swanctl --list-sas" },
	[OUTPUT_SWANCTL_RAW] = { "swanctl-raw", "swanctl --list-sas --raw" },
	[OUTPUT_XFRM] = { "xfrm-state", "ip xfrm state" },
};

const char *saved_output_command(enum saved_output output)
{
	return outputs[output < OUTPUT_COUNT ? output : OUTPUT_NONE].command;
}

const char *saved_output_name(enum saved_output output)
{
	return outputs[output < OUTPUT_COUNT ? output : OUTPUT_NONE].name;
}
