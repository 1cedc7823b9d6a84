/* SPDX-License-Identifier: MIT */
#include "model/incident.h"

void incident_id_of(uint64_t hash, char ret[INCIDENT_ID_MAX])
{
	static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz"; /* no i, l, o, u: read over the phone */

	for (int i = 0; i < INCIDENT_ID_MAX - 1; i++, hash >>= 5)
		ret[i] = alphabet[hash & 31];
	ret[INCIDENT_ID_MAX - 1] = '\0';
}

const char *verdict_name(enum verdict verdict)
{
	static const char *const names[] = { "undecided", "transient", "desync", "noise", "other-fault" };

	return names[verdict];
}

const char *rule_name(enum rule rule)
{
	static const char *const names[RULE_COUNT] = {
		[RULE_LOG_REPEAT] = "log-repeat",
		[RULE_LOG_CLOSE_REPEAT] = "log-close-repeat",
		[RULE_LOG_ONCE_QUIET] = "log-once-quiet",
		[RULE_LOG_ONCE_SHORT] = "log-once-short",
		[RULE_LOG_NO_TIME] = "log-no-time",
		[RULE_SEQUENCE_STUCK] = "sequence-stuck",
		[RULE_REKEY_OVERLAP] = "rekey-overlap",
		[RULE_SA_TABLE] = "sa-table",
		[RULE_SDWAN_CLEARED] = "sdwan-sa-cleared",
		[RULE_STRANGER] = "stranger",
		[RULE_MANY_SPIS] = "many-spis",
		[RULE_MANY_SOURCES] = "many-sources",
		[RULE_FLOOD] = "flood",
		[RULE_SA_FOUND] = "sa-found",
		[RULE_NO_SOURCE] = "no-source",
		[RULE_LEDGER_DEAD] = "ledger-dead",
		[RULE_DATA_PLANE_LOST] = "data-plane-lost",
		[RULE_TOO_FEW_STRAYS] = "too-few-strays",
		[RULE_EARLY_USE] = "early-use",
		[RULE_NOT_IN_LEDGER] = "not-in-ledger",
		[RULE_SEQUENCE_REPLAYED] = "sequence-replayed",
		[RULE_STRAYS_ENDED] = "strays-ended",
		[RULE_ONE_WAY] = "one-way",
		[RULE_ENCAP_DIFFERS] = "encap-differs",
		[RULE_LOOKUP_KEY] = "lookup-key",
		[RULE_SA_REJECTS] = "sa-rejects",
		[RULE_PEER_CONFIRMED] = "peer-confirmed",
		[RULE_TABLES_AGREE] = "tables-agree",
		[RULE_NOT_READ] = "not-read",
		[RULE_SAD_LACKS] = "sad-lacks",
		[RULE_CAPTURE_FEW] = "capture-few",
		[RULE_CAPTURE_NEWBORN] = "capture-newborn",
		[RULE_CAPTURE_REKEYED] = "capture-rekeyed",
		[RULE_CAPTURE_ONE_WAY] = "capture-one-way",
		[RULE_CAPTURE_SPI_KEPT] = "capture-spi-kept",
		[RULE_CAPTURE_NOTIFY] = "capture-notify",
	};

	return names[rule];
}

const char *cause_name(enum cause cause)
{
	static const char *const names[CAUSE_COUNT] = {
		[CAUSE_UNKNOWN] = "unknown",
		[CAUSE_REKEY_OVERLAP] = "rekey-overlap",
		[CAUSE_EARLY_USE] = "early-use",
		[CAUSE_REKEY_COLLISION] = "rekey-collision",
		[CAUSE_DELETE_LOST] = "delete-lost",
		[CAUSE_RECEIVER_LOST_STATE] = "receiver-lost-state",
		[CAUSE_HA_FAILOVER] = "ha-failover",
		[CAUSE_LIFETIME_MISMATCH_TIME] = "lifetime-mismatch-time",
		[CAUSE_LIFETIME_MISMATCH_VOLUME] = "lifetime-mismatch-volume",
		[CAUSE_NAT_REBINDING] = "nat-rebinding",
		[CAUSE_ENCAP_MISMATCH] = "encap-mismatch",
		[CAUSE_NAT_PORT_COLLISION] = "nat-port-collision",
		[CAUSE_CHILD_MISSING] = "child-missing",
		[CAUSE_DUPLICATE_IKE_SA] = "duplicate-ike-sa",
		[CAUSE_INITIAL_CONTACT_MISSING] = "initial-contact-missing",
		[CAUSE_IKEV1_DANGLING_CHILD] = "ikev1-dangling-child",
		[CAUSE_SPI_0XFF] = "spi-0xff",
		[CAUSE_SPI_COLLISION] = "spi-collision",
		[CAUSE_WRONG_NODE] = "wrong-node",
		[CAUSE_LOOKUP_KEY_MISMATCH] = "lookup-key-mismatch",
		[CAUSE_SCAN_OR_SPOOF] = "scan-or-spoof",
		[CAUSE_CONTROLLER_KEY_LAG] = "controller-key-lag",
		[CAUSE_CLONED_PEER] = "cloned-peer",
		[CAUSE_UNILATERAL_DELETE] = "unilateral-delete",
		[CAUSE_CONTROLLER_SA_CLEARED] = "controller-sa-cleared",
	};

	return names[cause];
}

const char *confidence_name(enum confidence confidence)
{
	static const char *const names[] = { NULL, "possible", "likely", "certain" };

	return names[confidence];
}

static const char *const kind_names[TUNNEL_KINDS] = {
	[TUNNEL_UNKNOWN] = "unknown",
	[TUNNEL_STATIC_CRYPTO_MAP] = "static-crypto-map",
	[TUNNEL_DYNAMIC_CRYPTO_MAP] = "dynamic-crypto-map",
	[TUNNEL_GRE_P2P] = "gre-p2p",
	[TUNNEL_MGRE_NHRP_STATIC] = "mgre-nhrp-static",
	[TUNNEL_MGRE_NHRP_DYNAMIC] = "mgre-nhrp-dynamic",
	[TUNNEL_SVTI] = "svti",
	[TUNNEL_EZVPN_CLIENT] = "ezvpn-client",
	[TUNNEL_SDWAN] = "sdwan",
	[TUNNEL_IKELESS] = "ikeless",
};

const char *tunnel_kind_name(enum tunnel_kind kind)
{
	return kind_names[kind];
}

bool tunnel_kind_from_name(struct text name, enum tunnel_kind *ret)
{
	for (int kind = 0; kind < TUNNEL_KINDS; kind++) {
		if (text_equal(name, text_of(kind_names[kind]))) {
			*ret = (enum tunnel_kind)kind;
			return true;
		}
	}
	return false;
}

const char *incident_state_name(enum incident_state state)
{
	static const char *const names[] = { "open", "acting", "healed", "unverified", "gave-up", "closed",
					     "awaiting-approval" };

	return names[state];
}
