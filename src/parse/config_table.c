/* SPDX-License-Identifier: MIT */
/* The schema: every command of the configuration file. doc/spimend.conf.5 has the same rows (tests/house). */
#include "parse/config_private.h"

#define AT(member) offsetof(struct config, member)
#define DAY 86400.0

const struct config_row config_rows[] = {
	{ "hostname", "NAME", false, VALUE_NAME, AT(hostname), 0, 0, 0,
	  "the name under which this gateway writes its messages and incidents; the system's name without it" },
	{ "crypto isakmp invalid-spi-recovery", "", false, VALUE_FLAG, AT(invalid_spi_recovery), 0, 0, 0,
	  "where no IKE SA is left, start a new one towards a peer with a fixed address; outside mode repair only planned" },
	{ "spimend", "", false, VALUE_BLOCK, 0, 0, 0, 0, "opens the block that all further commands stand in" },

	{ "mode", "observe|advise|repair", true, VALUE_MODE, AT(mode), 0, 0, 0,
	  "judge only; also say what would be done; also do it" },
	{ "user", "NAME", true, VALUE_NAME, AT(user), 0, 0, 0, "the account that the roles without privilege run as" },
	{ "state-directory", "PATH", true, VALUE_PATH, AT(state_directory), 0, 0, 0,
	  "where ledger, incidents and the journal of orders are kept" },
	{ "control-socket", "PATH", true, VALUE_PATH, AT(control_socket), 0, 0, 0, "where `spimend status` and its sisters ask" },
	{ "control-group", "NAME", true, VALUE_NAME, AT(control_group), 0, 0, 0,
	  "a group whose members may ask, beside root and the configured user" },

	{ "sense interface", "NAME [xdp generic|native]", true, VALUE_INTERFACE, 0, 0, 0, 0,
	  "watch ESP and AH that arrive here, with a filtered packet socket, or with XDP (attaching may flap a link)" },
	{ "sense strongswan", "PATH [plugin PATH]", true, VALUE_DAEMON, 0, 0, 0, 0,
	  "the VICI socket of an IKE daemon: its SAs, its events, and the way to repair; the socket of spimend's plugin inside it" },
	{ "sense encap-port", "PORT", true, VALUE_PORT, 0, 0, 1, 65535, "a further UDP port that carries ESP, beside 4500" },
	{ "sense audit", "", true, VALUE_FLAG, AT(sense_audit), 0, 0, 0, "read the kernel's SA-notfound audit records" },
	{ "sense xfrm", "", true, VALUE_FLAG, AT(sense_xfrm), 0, 0, 0,
	  "mirror the kernel's SAD and read its XFRM counters; on, unless 'no sense xfrm' says otherwise" },

	{ "peer", "ADDRESS ignore|observe|repair", true, VALUE_PEER, 0, 0, 0, 0,
	  "an exception for one peer: no incidents at all; judge only; repair as the mode allows" },

	{ "judge overlap", "SECONDS", true, VALUE_SECONDS, AT(overlap_ns), 0, 0, 3600,
	  "how long a peer may go on using an SA after its rekey (strongSwan's delete_rekeyed_delay)" },
	{ "judge settle", "SECONDS", true, VALUE_SECONDS, AT(settle_ns), 0, 0, 60,
	  "packets still in flight after a death that we saw are nobody's fault" },
	{ "judge stray-count", "COUNT", true, VALUE_COUNT, AT(stray_count), 0, 2, 1000000, "a desync has at least so many strays" },
	{ "judge stray-span", "SECONDS", true, VALUE_SECONDS, AT(stray_span_ns), 0, 0, 3600, "and they spread over at least this" },
	{ "judge early-use", "SECONDS", true, VALUE_SECONDS, AT(early_use_ns), 0, 0.1, 3600,
	  "how long an SPI may be requested and not yet installed while its peer uses it" },
	{ "judge one-way", "SECONDS", true, VALUE_SECONDS, AT(one_way_ns), 0, 0.5, DAY,
	  "packets go out on a child and none come in for so long, where both went before: suspect" },
	{ "judge one-way-packets", "COUNT", true, VALUE_COUNT, AT(one_way_packets), 0, 1, 1000000,
	  "and so many went out meanwhile" },
	{ "judge verify", "SECONDS", true, VALUE_SECONDS, AT(verify_ns), 0, 0.1, 3600,
	  "so long after a step for packets to be accepted on the successor" },
	{ "judge close", "SECONDS", true, VALUE_SECONDS, AT(close_ns), 0, 1, 30 * DAY,
	  "an incident without further strays is closed after so long" },

	{ "limit ledger", "COUNT", true, VALUE_COUNT, AT(ledger_max), 0, 16, 4194304,
	  "SPIs that are remembered; the longest dead makes room" },
	{ "limit flows", "COUNT", true, VALUE_COUNT, AT(flows_max), 0, 16, 1048576, "flows of strays followed at once" },
	{ "limit incidents", "COUNT", true, VALUE_COUNT, AT(incidents_max), 0, 16, 8192, "incidents in memory" },

	{ "repair limit per-peer", "COUNT per SECONDS", true, VALUE_RATE, AT(per_peer_count), AT(per_peer_ns), 1, DAY,
	  "repairs of one peer" },
	{ "repair limit global", "COUNT per SECONDS", true, VALUE_RATE, AT(global_count), AT(global_ns), 1, DAY,
	  "repairs of all peers together" },
	{ "repair concurrent", "COUNT", true, VALUE_COUNT, AT(concurrent), 0, 1, 64, "orders under way at once" },
	{ "repair breaker", "COUNT per SECONDS", true, VALUE_RATE, AT(breaker_peers), AT(breaker_ns), 1, DAY,
	  "so many peers that fall within so long have one cause: repairs are paced" },
	{ "repair pace", "SECONDS", true, VALUE_SECONDS, AT(pace_ns), 0, 0, 3600,
	  "one repair each, with as much jitter, while they are paced" },
	{ "repair back-off", "SECONDS", true, VALUE_SECONDS, AT(backoff_ns), 0, 1, DAY,
	  "the pause after a new IKE SA was tried, or a suspicion followed; it doubles each time that did not help" },
	{ "repair back-off-most", "SECONDS", true, VALUE_SECONDS, AT(backoff_most_ns), 0, 1, 30 * DAY, "up to this" },
	{ "repair attempts", "COUNT", true, VALUE_COUNT, AT(step_attempts), 0, 1, 8, "of one rung in one incident" },
	{ "repair order-timeout", "SECONDS", true, VALUE_SECONDS, AT(order_timeout_ns), 0, 1, 600,
	  "so long for the IKE daemon to answer an order" },

	{ "log limit per-flow", "SECONDS", true, VALUE_SECONDS, AT(log_gap_ns), 0, 0, DAY,
	  "%CRYPTO-4-RECVD_PKT_INV_SPI is written once in so long for a flow of a known peer" },
	{ "log limit per-minute", "COUNT", true, VALUE_COUNT, AT(log_per_minute), 0, 0, 1000000, "and so often in all" },
};

const size_t config_row_count = sizeof(config_rows) / sizeof(config_rows[0]);
