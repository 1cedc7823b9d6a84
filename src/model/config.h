/* SPDX-License-Identifier: MIT */
/*
 * The gateway's configuration as the daemon uses it: filled by parse/config from IOS-like text (DESIGN.md 7), read by every
 * role. Plain data of fixed size.
 */
#ifndef MODEL_CONFIG_H
#define MODEL_CONFIG_H

#include "model/config_device.h"
#include "model/config_hook.h"
#include "model/config_notify.h"
#include "model/config_syslog.h"
#include "model/config_web.h"
#include "model/gateway.h"
#include "model/track.h"

#define CONFIG_INTERFACES_MAX 32
#define CONFIG_PEERS_MAX 4096
#define CONFIG_PORTS_MAX 8
#define CONFIG_PATH_MAX 108 /* what a unix socket's address holds */
#define CONFIG_NAME_MAX 64

enum mode { MODE_OBSERVE, MODE_ADVISE, MODE_REPAIR, MODES };          /* DESIGN.md 1 */
enum capture { CAPTURE_PACKET, CAPTURE_XDP_GENERIC, CAPTURE_XDP_NATIVE, CAPTURES };
enum peer_mode { PEER_DEFAULT, PEER_IGNORE, PEER_OBSERVE, PEER_REPAIR, PEER_MODES };

struct config_interface {
	char name[GATEWAY_INTERFACE_MAX];
	enum capture capture;
};

struct config_peer {
	struct spimend_address address;
	enum peer_mode mode;
};

#define CONFIG_RECORDER_MIB_MOST 1024
#define EVIDENCE_PEERS_MAX 32
#define EVIDENCE_PORT_STANDARD 7791
struct config_evidence_peer { /* another gateway that runs spimend */
	struct spimend_address address;
	uint16_t port;
	char key_file[CONFIG_PATH_MAX];
};
struct config_recorder { /* the flight recorder, and what is frozen of it */
	bool is_on;
	uint32_t size_mib, reserve_mib;  /* reserve: free room of the disk that is left to others */
	int64_t age_ns;
	int64_t before_ns, after_ns;     /* the window of an incident */
	uint32_t incidents, evidence_mib;
	int64_t evidence_age_ns;
	uint32_t trap;                   /* intdata1 of the trap to an end that is no such peer (B19); 0: none is sent */
	uint32_t port;                   /* on which those peers may ask */
	struct config_evidence_peer peers[EVIDENCE_PEERS_MAX];
	uint32_t peer_count;
};

struct config {
	char hostname[CONFIG_NAME_MAX];
	char operators[CONFIG_NAME_MAX]; /* the group whose members may `enable`; empty: root alone */
	bool invalid_spi_recovery;     /* crypto isakmp invalid-spi-recovery (B11) */
	enum mode mode;
	char user[CONFIG_NAME_MAX];    /* the unprivileged roles run as this */
	char state_directory[CONFIG_PATH_MAX];
	char control_socket[CONFIG_PATH_MAX];
	char control_group[CONFIG_NAME_MAX]; /* its members may ask; empty: root and `user` only */
	struct config_interface interfaces[CONFIG_INTERFACES_MAX];
	uint32_t interface_count;
	char daemons[GATEWAY_DAEMONS_MAX][CONFIG_PATH_MAX]; /* VICI sockets */
	char plugins[GATEWAY_DAEMONS_MAX][CONFIG_PATH_MAX]; /* of each: spimend's plugin inside it; empty: none */
	uint32_t daemon_count;
	uint16_t encap_ports[CONFIG_PORTS_MAX]; /* ESP in UDP; sorted; 4500 unless taken back */
	uint32_t encap_port_count;
	bool sense_audit, sense_xfrm;
	struct config_peer peers[CONFIG_PEERS_MAX]; /* sorted by spimend_address_compare(), each address once */
	uint32_t peer_count;

	/* Judging. Nanoseconds and counts; the table in parse/config.c has units, ranges and help. */
	int64_t overlap_ns;          /* strongSwan's delete_rekeyed_delay: an old SA is used so long after a rekey */
	int64_t settle_ns;           /* packets in flight after a death that we saw: 0.3 s */
	int64_t stray_span_ns;       /* the strays of a desync spread over at least this: 0.2 s */
	uint32_t stray_count;        /* and are at least so many: 3 */
	int64_t early_use_ns;        /* how long an SPI may stay larval: 2 s */
	int64_t one_way_ns;          /* the sending end's suspicion: out grows, in stands still, for so long */
	uint32_t one_way_packets;    /* and so many packets went out meanwhile */
	int64_t verify_ns;           /* so long for traffic on the successor */
	int64_t close_ns;            /* an incident without strays is closed after so long */
	uint32_t ledger_max, flows_max, incidents_max;
	uint32_t keep_incidents, keep_days; /* on disk, of those that are over: so many, for so long */
	uint32_t recurrence_count;   /* so often with one peer by one cause ... */
	int64_t recurrence_ns;       /* ... within this: it recurs */

	/* Repairing. */
	uint32_t per_peer_count;     /* repairs of one peer ... */
	int64_t per_peer_ns;         /* ... within this: 1 per 60 s */
	uint32_t global_count;       /* of all peers: 30 per 60 s */
	int64_t global_ns;
	uint32_t concurrent;         /* orders under way at once: 4 */
	uint32_t breaker_peers;      /* so many peers fall within breaker_ns: one cause, paced */
	int64_t breaker_ns;
	int64_t pace_ns;             /* one repair each, with jitter of as much */
	int64_t backoff_ns, backoff_most_ns; /* of initiations and suspicions: 60 s doubling to 1 h */
	uint32_t step_attempts;      /* of one rung: 1 */
	int64_t order_timeout_ns;    /* 10 s */
	bool notify_invalid_spi;     /* a known peer's stray may be answered by one unprotected INVALID_SPI (RFC 7296 1.5) */
	bool crash_detection;        /* the plugins hand out and take tokens (RFC 6290) */

	/* The devices of the fleet. */
	int64_t fleet_wait_ns;       /* from the proof of a desync between two of them to the second proof: 30 s */
	int64_t fleet_burst_wait_ns; /* many peers at one device at once may end by themselves within this: 30 s */
	int64_t fleet_verify_ns;     /* the last look after a step: 120 s */

	/* The IOS-compatible log. */
	int64_t log_gap_ns;          /* one line per flow of a known peer within this: 60 s (B3) */
	uint32_t log_per_minute;     /* all lines: 10 */

	struct config_track tracks[TRACKS_CONFIGURED_MAX]; /* sorted by number */
	uint32_t track_count;
	uint32_t track_last;         /* the number that 'delay' and 'default-state' belong to */

	char dial_user[CONFIG_NAME_MAX]; /* the role dial runs as this; empty: as `user` */
	struct config_notify notify;
	struct config_hooks hooks;
	struct config_devices devices;
	struct config_syslog syslog;
	struct config_recorder recorder;
	struct config_web web;
};

/* Everything as documented, nothing to sense. */
void config_default(struct config *ret);

/* What may change while the daemon runs, by what is typed: nothing that the file does not allow (doc/spimend.conf.5, "The
 * file is the ceiling"). False with the name of what it is in *ret_what (static). */
bool config_is_within(const struct config *config, const struct config *ceiling, const char **ret_what);

const char *mode_name(enum mode mode);
const char *peer_mode_name(enum peer_mode mode);
const char *capture_name(enum capture capture);

#endif
