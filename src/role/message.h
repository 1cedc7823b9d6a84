/* SPDX-License-Identifier: MIT */
/*
 * What the daemon's processes say to each other: one table of types, with the size of an item, who may send it to whom, how
 * many descriptors come along, and the check that each item must pass.
 *
 * Called by role/channel. Pure: bytes in, verdict out. A datagram is a header and up to header.count items of one type, each
 * copied out before it is looked at. Both ends are one binary; the build number catches what an upgrade leaves running.
 * Descriptors come from the parent alone.
 */
#ifndef ROLE_MESSAGE_H
#define ROLE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/daemon_line.h"
#include "model/device_order.h"
#include "model/device_row.h"
#include "model/evidence_ask.h"
#include "model/device_tape.h"
#include "model/dial.h"
#include "model/gateway.h"
#include "model/neighbor.h"
#include "model/packet_head.h"
#include "model/recorded.h"
#include "model/report.h"
#include "model/sa_block.h"
#include "model/syslog.h"
#include "model/trap_counts.h"
#include "model/web.h"
#include "sense/packets_kernel.h"

#define MESSAGE_MAX 32768 /* bytes of a datagram */
#define MESSAGE_FDS_MAX PACKETS_MAPS

enum role { ROLE_PARENT, ROLE_SENSE, ROLE_CORE, ROLE_ACT, ROLE_DIAL, ROLE_SSH, ROLE_WEB, ROLE_HOOK, ROLES };
const char *role_name(enum role role);

enum message_type {
	MESSAGE_NONE,
	/* parent to role */
	MESSAGE_START,    /* struct role_start, with the configuration in a memfd and a log socket unless the log is stderr */
	MESSAGE_CONFIG,   /* struct role_config, the same: a reload */
	MESSAGE_SAVED,    /* struct role_saved, to core: what became of a MESSAGE_SAVE */
	MESSAGE_RESOURCE, /* struct role_resource, with its descriptors, or with the reason why there are none */
	MESSAGE_PING,     /* struct role_ping: are you alive? */
	MESSAGE_STOP,     /* struct role_ping: end cleanly */
	/* parent to core: this machine's GRE devices, between struct role_ping and struct role_ping */
	MESSAGE_GRE_BEGIN, MESSAGE_GRE_DEVICE, MESSAGE_GRE_END,
	/* role to parent */
	MESSAGE_READY,     /* struct role_ping: confined, and at work */
	MESSAGE_PONG,      /* struct role_ping */
	MESSAGE_WANT,      /* struct role_want: open this again, by its place in the configuration */
	MESSAGE_VIOLATION, /* struct role_violation: a forbidden system call; its last word */
	MESSAGE_CONFIG_TEXT, /* struct role_text, from core: a part of the configuration as it is to run */
	MESSAGE_SAVE,      /* struct role_ping, from core: what runs becomes the startup configuration */
	MESSAGE_SUMMARY,   /* struct role_summary, from core: for the service manager's status line */
	/* sense to core */
	MESSAGE_SIGHTING, MESSAGE_SPI_COUNT, MESSAGE_COUNTERS, MESSAGE_SENSOR,
	/* core to sense */
	MESSAGE_WATCH_SPI, MESSAGE_WATCH_PEER,
	/* core to act */
	MESSAGE_ORDER,
	MESSAGE_REFRESH,        /* struct role_refresh */
	MESSAGE_REFRESH_KERNEL, /* struct role_refresh */
	/* act to core */
	MESSAGE_DAEMON, MESSAGE_CONNECTIONS_BEGIN, MESSAGE_CONNECTION, MESSAGE_CONNECTIONS_END,
	MESSAGE_SNAPSHOT_BEGIN, MESSAGE_IKE, MESSAGE_CHILD, MESSAGE_SNAPSHOT_END,
	MESSAGE_CHILD_EVENT, MESSAGE_IKE_EVENT, MESSAGE_HINT,
	MESSAGE_KERNEL_BEGIN, MESSAGE_KERNEL, MESSAGE_KERNEL_END,
	MESSAGE_RESULT,
	MESSAGE_JOURNAL, /* struct role_journal */
	/* of the plugin: act and sense to core, sense to core */
	MESSAGE_PLUGIN, MESSAGE_REPORT,
	/* sense to core */
	MESSAGE_TRAP,        /* struct role_trap */
	MESSAGE_TRAP_COUNTS,
	/* core to dial */
	MESSAGE_SEND_LINE, MESSAGE_SEND_TRAP,
	/* dial to core */
	MESSAGE_DIAL_STATE,
	MESSAGE_SEND_MAIL,   /* core to dial */
	MESSAGE_MAILED,      /* dial to core */
	MESSAGE_HOOK,        /* struct dial_hook, core to dial and to hook */
	MESSAGE_DEBUG,       /* struct role_debug, core to act */
	/* sense to core */
	MESSAGE_CLAIM, MESSAGE_HEARD, MESSAGE_SYSLOG_COUNTS,
	MESSAGE_DAEMON_LINE, /* act to core, while a debug wants them */
	MESSAGE_NEIGHBOR, MESSAGE_NEIGHBOR_COUNTS, /* sense to core */
	MESSAGE_JOURNALD_AT, /* struct role_ping, sense to the parent: syslog_pipe_position() */
	MESSAGE_HEAR_NEIGHBORS, /* core to the parent, for each interface of the configuration */
	/* devices: core to ssh, ssh to core, sense to core */
	MESSAGE_DEVICE_ORDER, MESSAGE_DEVICE_RESULT, MESSAGE_DEVICE_OUTPUT,
	MESSAGE_DEVICE_SA, MESSAGE_DEVICE_ROW, /* struct role_device_sa, role_device_row: in front of the output's last part */
	MESSAGE_DEVICE_TAPE, /* sense to core: struct tape_piece */
	/* ssh to sense, all of one session in order; sense to ssh */
	MESSAGE_DEVICE_OPEN, MESSAGE_DEVICE_TYPED, MESSAGE_DEVICE_PART, MESSAGE_DEVICE_CLOSE, MESSAGE_DEVICE_SEEN,
	MESSAGE_WEB_ASK, MESSAGE_WEB_COUNTS, /* web to core */
	MESSAGE_WEB_PART, MESSAGE_WEB_NEWS,  /* core to web */
	MESSAGE_WEB_TOKEN, /* struct role_token, parent to web: the page token's hash */
	MESSAGE_PACKET_HEAD, /* sense to core */
	/* Evidence of two gateways: struct evidence_ask and, for it, struct evidence_part */
	MESSAGE_EVIDENCE_FETCH, MESSAGE_EVIDENCE_FETCHED, /* core to dial, dial to core: of a peer */
	MESSAGE_EVIDENCE_ASKED, MESSAGE_EVIDENCE_ANSWER,  /* sense to core, core to sense: ours */
	MESSAGE_TYPES
};

enum resource {
	RESOURCE_LOG,      /* a connected log socket of the same kind as at the start */
	RESOURCE_CHANNEL,  /* to the role `index` */
	RESOURCE_MAPS,     /* the packet sensor's, PACKETS_MAPS of them */
	RESOURCE_SOCKET,   /* a packet socket on `name` */
	RESOURCE_XDP,      /* XDP stands on `name`: no descriptor, ifindex in `number` */
	RESOURCE_AUDIT,
	RESOURCE_COUNTERS, /* /proc/net/xfrm_stat */
	RESOURCE_KERNEL,   /* two XFRM netlink sockets */
	RESOURCE_DAEMON,   /* two VICI connections to the configuration's daemon `index` */
	RESOURCE_JOURNAL,
	RESOURCE_CONTROL,  /* the listening control socket */
	RESOURCE_ROUTE,    /* a rtnetlink socket, core's: to list interfaces */
	RESOURCE_PLUGIN,   /* a greeted connection to the plugin inside the daemon `index`: act's for orders, sense's for reports */
	RESOURCE_TRAPS,    /* the UDP socket that traps come in on; an error: hear none */
	RESOURCE_STAT,     /* /proc/stat, core's: the processor's load */
	RESOURCE_TLS_FILE, /* dial's file `index`: trust, certificate, key */
	RESOURCE_NEIGHBORS, /* a packet socket for LLDP, or with `index` 1 for CDP, on `name`; an error: no more */
	RESOURCE_SYSLOG,   /* the socket of the configuration's syslog listener `index` */
	RESOURCE_SYSLOG_FILE, /* the followed log file `index`, another one under its name */
	RESOURCE_SYSLOG_JOURNALD, /* a pipe on which journalctl prints the journal */
	RESOURCE_WEB,      /* the listening socket of the configuration's web listener `index` */
	RESOURCE_EVIDENCE_SOCKET, /* where evidence peers ask; an error: none */
	RESOURCE_EVIDENCE_KEY, /* sense's and dial's: the file of the configuration's evidence peer `index` */
	RESOURCE_HEADS,    /* a packet socket for heads of IKE on `name` */
	RESOURCES
};
const char *resource_name(enum resource resource);

#define ROLE_NAMES_MAX 64
struct role_name { /* who that is, for the record: core may look nobody up */
	uint32_t uid;
	char name[DEVICE_USER_MAX];
};
struct role_start {
	uint32_t uid, gid, control_gid, operators_gid;
	bool has_control_gid, has_operators_gid;
	uint32_t log_sink; /* enum log_sink; not SINK_STDERR: the second descriptor */
	uint32_t restarts; /* of this role */
	int64_t up_ns;     /* mono: when the daemon started */
	struct instant up; /* wall */
	uint8_t boot[RECORDED_BOOT_SIZE]; /* the kernel's boot id; zeros where it has none */
	uint32_t config_size;
	struct role_name operators[ROLE_NAMES_MAX]; /* root, and members of the operators' group: the first ones */
	uint32_t operator_count;
};
struct role_config {
	uint32_t config_size;
	uint64_t serial;   /* of the MESSAGE_CONFIG_TEXT that it came from; 0: from the file */
};
#define ROLE_TEXT_MAX 8192
struct role_text {
	uint64_t serial;   /* rises with each change */
	uint32_t total, at, len;
	char bytes[ROLE_TEXT_MAX];
};
struct role_saved {
	uint64_t number;
	int32_t error;     /* 0, or negative errno */
};
struct role_resource {
	enum resource kind;
	uint32_t index, number;
	int32_t error; /* negative errno: there is none, and why; 0: descriptors come along where the kind has some */
	char name[GATEWAY_INTERFACE_MAX];
};
struct role_ping {
	uint64_t number;
};
struct role_want {
	enum resource kind;
	uint32_t index;
	char name[GATEWAY_INTERFACE_MAX]; /* RESOURCE_SOCKET: an interface that was given before */
};
struct role_violation {
	int32_t call;  /* its number */
	uint32_t arch; /* AUDIT_ARCH_* */
};
struct role_summary {
	uint32_t tunnels, open, daemons, daemons_up;
	bool disk_trouble;
};
struct role_refresh {
	uint16_t daemon;
	uint64_t serial;
};
struct role_daemon { /* of connections and snapshots */
	uint16_t daemon;
	uint64_t serial;
	bool complete;
};
struct role_journal {
	uint64_t kept, damaged, write_failures;
	int32_t error;    /* negative errno: there is no journal, so nothing will be done */
};

struct role_device_sa {
	uint64_t request;
	struct sa_block block;
};
struct role_device_row {
	uint64_t request;
	struct device_row row;
};

struct role_token {
	uint8_t hash[WEB_HASH_SIZE];
};

struct role_debug {
	bool lines; /* the IKE daemons' log is to be told */
};
struct role_trap { /* as it came, and what it means */
	struct snmp_trap trap;
	struct device_report report;
};

/* Any item, aligned for all of them. */
union message_item {
	struct role_start start;
	struct role_config config;
	struct role_resource resource;
	struct role_ping ping;
	struct role_text text;
	struct role_saved saved;
	struct role_want want;
	struct role_violation violation;
	struct role_summary summary;
	struct role_refresh refresh;
	struct role_daemon list;
	struct role_journal journal;
	struct gre_device gre_device;
	struct sighting sighting;
	struct spi_count spi_count;
	struct xfrm_counters counters;
	struct sensor_state sensor;
	struct watch_spi watch_spi;
	struct watch_peer watch_peer;
	struct order order;
	struct daemon_state daemon;
	struct connection connection;
	struct ike_sa ike;
	struct child_sa child;
	struct child_event child_event;
	struct ike_event ike_event;
	struct daemon_hint hint;
	struct kernel_event kernel;
	struct order_result result;
	struct plugin_state plugin;
	struct plugin_report report;
	struct role_trap trap;
	struct trap_counts trap_counts;
	struct dial_line send_line;
	struct dial_trap send_trap;
	struct dial_state dial_state;
	struct dial_mail send_mail;
	struct dial_hook hook;
	struct dial_mailed mailed;
	struct role_debug debug;
	struct daemon_line daemon_line;
	struct neighbor neighbor;
	struct packet_head packet_head;
	struct evidence_ask evidence_ask;
	struct evidence_part evidence_part;
	struct neighbor_counts neighbor_counts;
	struct neighbor_hearing hear;
	struct syslog_claim claim;
	struct syslog_heard heard;
	struct syslog_counts syslog_counts;
	struct device_order device_order;
	struct device_result device_result;
	struct device_printed device_output;
	struct role_device_sa device_sa;
	struct role_device_row device_row;
	struct device_open device_open;
	struct device_closed device_closed;
	struct device_typed device_typed;
	struct device_part device_part;
	struct device_seen device_seen;
	struct tape_piece device_tape;
	struct web_ask web_ask;
	struct web_part web_part;
	struct web_news web_news;
	struct web_counts web_counts;
	struct role_token token;
};

struct message_header {
	uint64_t build;
	uint16_t type, count;
	uint32_t length; /* of the items */
};

const char *message_name(enum message_type type);
size_t message_item_size(enum message_type type);
/* How many items of that type one datagram holds. 1 for types with descriptors. */
size_t message_items_max(enum message_type type);
/* True when `from` may send it to `to`. */
bool message_may(enum message_type type, enum role from, enum role to);
/* May be dropped when the other end does not keep up: what it tells is counted elsewhere, or told again. */
bool message_may_drop(enum message_type type);

/* A number for this build: version and layout of every item. */
uint64_t message_build(void);

/* Checks a datagram that came from `from` to `to` with `fds` descriptors. NULL and *ret, or why it is none. */
const char *message_check(const void *bytes, size_t len, size_t fds, enum role from, enum role to, uint64_t build,
			  struct message_header *ret);
/* Copies item `index` of a checked datagram into its member; the rest of *ret is left as it is. False: it is not valid. */
bool message_take(const struct message_header *header, const void *bytes, size_t index, union message_item *ret);

#endif
