/* SPDX-License-Identifier: MIT */
#include "model/packet.h"

const char *packet_ike_name(enum packet_ike exchange)
{
	static const char *const names[EXCHANGES] = {
		[EXCHANGE_OTHER] = "other",
		[EXCHANGE_V1_BASE] = "ikev1-base",
		[EXCHANGE_V1_MAIN] = "ikev1-main",
		[EXCHANGE_V1_AGGRESSIVE] = "ikev1-aggressive",
		[EXCHANGE_V1_INFORMATIONAL] = "ikev1-informational",
		[EXCHANGE_V1_TRANSACTION] = "ikev1-transaction",
		[EXCHANGE_V1_QUICK] = "ikev1-quick",
		[EXCHANGE_V1_NEW_GROUP] = "ikev1-new-group",
		[EXCHANGE_V2_SA_INIT] = "ike-sa-init",
		[EXCHANGE_V2_AUTH] = "ike-auth",
		[EXCHANGE_V2_CREATE_CHILD_SA] = "create-child-sa",
		[EXCHANGE_V2_INFORMATIONAL] = "informational",
		[EXCHANGE_V2_SESSION_RESUME] = "ike-session-resume",
		[EXCHANGE_V2_INTERMEDIATE] = "ike-intermediate",
		[EXCHANGE_V2_FOLLOWUP_KE] = "ike-followup-ke",
	};

	return (unsigned)exchange < EXCHANGES ? names[exchange] : "other";
}
