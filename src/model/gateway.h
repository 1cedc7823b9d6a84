/* SPDX-License-Identifier: MIT */
/*
 * The nouns of a live gateway: what the IKE daemon and the kernel list, what the sensors saw, what is ordered to be done.
 *
 * Plain data of fixed size, without pointers: these structs travel between the daemon's roles as they are (one binary on
 * both ends). Whoever receives one checks it with its gateway_valid_*() function before reading it. No key material has
 * a place here. "mono" is CLOCK_MONOTONIC, "wall" is UNIX time; the two are never compared.
 */
#ifndef MODEL_GATEWAY_H
#define MODEL_GATEWAY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/calendar.h"
#include "model/plugin.h"
#include "spimend/address.h"

#define GATEWAY_NAME_MAX 64       /* a connection's or child's name with its NUL; longer ones are cut, their id is not */
#define GATEWAY_INTERFACE_MAX 16  /* IFNAMSIZ */
#define GATEWAY_REMOTES_MAX 4
#define GATEWAY_DAEMONS_MAX 8
#define GATEWAY_SELECTORS_MAX 4   /* traffic selectors of one side that are kept */

/* An inbound SA as its receiver finds it: the kernel's lookup key without the mark. Whatever is zero stays zero, so that
 * two equal keys are equal bytes. */
struct sa_key {
	struct spimend_address dst;
	uint8_t protocol; /* 50 or 51 */
	uint8_t zero[2];
	uint32_t spi;     /* host order */
};

/* --- What the IKE daemon says (VICI) ------------------------------------------------------------------------------ */

struct daemon_state {
	uint16_t daemon; /* index into the configuration's list of IKE daemons */
	bool up;
	bool user_space_esp;  /* kernel-libipsec is loaded: the kernel's SAD says nothing about this daemon's SAs */
	bool has_boot;
	struct instant boot;  /* wall: when the IKE daemon started */
	char version[32];
};

/* One configured child of one configured connection. `id` is a hash of daemon index and both names: the same after every
 * restart. */
struct connection {
	uint16_t daemon;
	uint64_t id;
	char ike[GATEWAY_NAME_MAX], child[GATEWAY_NAME_MAX];
	uint8_t ike_version; /* 1, 2, or 0 for either */
	bool dynamic_peer;   /* remote is %any or a range: nobody here can start towards it (B12) */
	bool unique_never;   /* no INITIAL_CONTACT will be sent */
	bool transport_mode;
	bool gre;            /* its traffic selectors are for GRE alone */
	uint8_t remote_count;
	struct spimend_address remote[GATEWAY_REMOTES_MAX];
};

/* What two ends agreed on, by charon's names ("AES_CBC", "MODP_2048"); empty: not told, or none of it. */
struct sa_algorithms {
	char encryption[24], integrity[24], prf[24], group[16];
	uint16_t key_bits; /* of the encryption; 0: it has one length */
	bool esn;          /* extended sequence numbers */
};

enum ike_state { IKE_OTHER, IKE_CONNECTING, IKE_ESTABLISHED, IKE_REKEYING, IKE_REKEYED, IKE_DELETING, IKE_STATES };

struct ike_sa {
	uint16_t daemon;
	uint32_t id; /* VICI uniqueid: never a name */
	char name[GATEWAY_NAME_MAX];
	uint8_t version;
	enum ike_state state;
	bool initiator;
	bool nat;           /* a NAT was detected at either end */
	bool busy;          /* tasks are active or queued: hands off */
	bool child_task;    /* one of them makes, rekeys or deletes a child */
	bool virtual_address; /* the peer gave us an inner address: we are its client (config mode, RFC 7296 2.19) */
	struct spimend_address local, remote;
	uint16_t local_port, remote_port;
	uint64_t spi_ours, spi_theirs;
	uint32_t established_s; /* seconds ago */
	bool has_rekey;
	uint32_t rekey_s;       /* until it is rekeyed or the peer is authenticated anew, what comes first */
	struct sa_algorithms algorithms;
};

/* A range of addresses, protocol and ports that a child protects (RFC 7296 3.13.1). */
struct selector {
	struct spimend_address from, to;
	uint8_t protocol; /* 0: any */
	char port[16];    /* "0": any; "443", "1024-2047", or the name that the daemon's machine has for it */
};
struct selector_list {
	struct selector at[GATEWAY_SELECTORS_MAX];
	uint8_t count;
	uint16_t more; /* that are not kept, or could not be read */
};

enum child_mode { CHILD_MODE_UNKNOWN, CHILD_MODE_TUNNEL, CHILD_MODE_TRANSPORT, CHILD_MODE_BEET, CHILD_MODES };

enum child_state { CHILD_OTHER, CHILD_CREATED, CHILD_INSTALLED, CHILD_REKEYING, CHILD_REKEYED, CHILD_DELETING,
		   CHILD_STATES };

struct child_sa {
	uint16_t daemon;
	uint32_t ike_id, id; /* VICI uniqueids */
	uint64_t connection; /* struct connection.id of its names, whether or not that is configured still */
	char ike[GATEWAY_NAME_MAX], child[GATEWAY_NAME_MAX];
	enum child_state state;
	uint8_t protocol; /* 50 or 51 */
	bool encap_udp;
	bool gre;              /* its traffic selectors are for GRE alone */
	bool virtual_address;  /* of its IKE SA */
	bool has_spi_in, has_spi_out, has_counters, has_use_in, has_install, has_life;
	uint32_t spi_in, spi_out;
	struct spimend_address local, remote; /* of its IKE SA: where ESP goes to and comes from */
	uint32_t mark_in, if_id_in;
	uint64_t packets_in, packets_out, bytes_in, bytes_out;
	uint32_t use_in_s;   /* seconds since the last packet in */
	uint32_t install_s;  /* seconds since it was installed */
	uint32_t life_s;     /* until its hard lifetime */
	enum child_mode mode;
	struct sa_algorithms algorithms;
	struct selector_list local_ts, remote_ts;
};

enum child_change { CHILD_UP, CHILD_DOWN, CHILD_REKEY, CHILD_CHANGES };
struct child_event {
	enum child_change change;
	struct child_sa child; /* the one that came up or went down; the old one of a rekey */
	bool has_successor;
	struct child_sa successor;
};

enum ike_change { IKE_UP, IKE_DOWN, IKE_REKEY, IKE_UPDATE, IKE_CHANGES };
struct ike_event {
	enum ike_change change;
	struct ike_sa ike; /* the old one of a rekey */
	bool has_successor;
	struct ike_sa successor;
};

/* What a log line of the IKE daemon tells that no event does (reference: strongSwan's texts). */
enum daemon_hint_kind {
	HINT_NONE,
	HINT_KERNEL_LOST,      /* the daemon lists an SA that its kernel has not */
	HINT_DELETE_RECEIVED,  /* the peer closed spi: its inbound, our outbound one; our inbound is the sibling */
	HINT_DELETE_SENT,      /* we closed spi */
	HINT_DELETE_UNKNOWN,   /* the peer deleted an SPI that we do not own */
	HINT_EXPIRED,          /* a hard lifetime ran out, by time */
	HINT_EXPIRED_VOLUME,   /* by bytes or packets */
	HINT_COLLISION,        /* TEMPORARY_FAILURE, or a rekey collision was named */
	HINT_CHILD_NOT_FOUND,  /* the peer lost the child that we wanted to rekey */
	HINT_INITIAL_CONTACT,  /* the peer started anew */
	HINT_PEER_DEAD,        /* retransmissions or DPD gave the peer up: liveness is dead */
	HINT_DUPLICATE,        /* an initiate was refused: "existing duplicate" */
	HINT_KINDS
};
struct daemon_hint {
	uint16_t daemon;
	enum daemon_hint_kind kind;
	bool has_spi, has_ike;
	uint32_t spi;
	uint32_t ike_id;
};

/* --- What spimend's plugin inside it says (doc/plugin-protocol.md) ------------------------------------------------- */

/* The connection to it: act's, for orders, or sense's, for reports. */
struct plugin_state {
	uint16_t daemon;
	bool up;
	int32_t error;    /* negative errno: why not, as told by the parent; 0: it was there and went, or nobody tried yet */
	bool crash_detection; /* act's: it is on */
	char version[32]; /* charon's, that it was built for */
	uint64_t reports, lost, malformed; /* sense's: reports that came, that found no room on the way, and what was none */
};

struct plugin_report {
	uint16_t daemon;
	struct plugin_message is; /* plugin_is_report(is.kind) */
};

/* --- What the kernel says (XFRM netlink) --------------------------------------------------------------------------- */

struct kernel_sa {
	struct sa_key key;
	struct spimend_address src;
	uint32_t mark, mark_mask, if_id, reqid;
	bool encap_udp;
	bool larval;   /* SPI allocated, SA not installed yet */
	bool outbound; /* dst is none of our addresses, as far as told */
	uint64_t packets, bytes;
	uint64_t bytes_limit; /* so many, and it expires; 0: none */
	uint32_t replay_highest; /* highest sequence number accepted */
};
enum kernel_change { KERNEL_LISTED, KERNEL_ADDED, KERNEL_UPDATED, KERNEL_DELETED, KERNEL_EXPIRED_SOFT, KERNEL_EXPIRED_HARD,
		     KERNEL_FLUSHED, KERNEL_CHANGES };
struct kernel_event {
	enum kernel_change change;
	bool by_volume; /* of an expiry: a byte or packet limit */
	struct kernel_sa sa; /* zero for KERNEL_FLUSHED */
};

/* --- What the kernel's interfaces are ------------------------------------------------------------------------------- */

/* A GRE device. Without a remote end it is a multipoint one: who is behind which address, NHRP tells (RFC 2332). */
struct gre_device {
	char name[GATEWAY_INTERFACE_MAX];
	struct spimend_address local, remote; /* no family: any */
};

/* --- What the sensors saw ----------------------------------------------------------------------------------------- */

enum witness { WITNESS_PACKET, WITNESS_XDP, WITNESS_AUDIT, WITNESSES };

/* Packets of one flow with an SPI that the sensor does not know as live, gathered over some milliseconds. */
struct sighting {
	enum witness witness;
	struct spimend_address src, dst;
	uint8_t protocol; /* 50 or 51 */
	bool encap_udp;
	bool in_ledger;   /* the sensor was told this SPI: it was ours once */
	uint16_t src_port, dst_port; /* with encap_udp */
	uint32_t spi;
	char interface[GATEWAY_INTERFACE_MAX]; /* empty where unknown (audit) */
	uint64_t packets;
	int64_t first_ns, last_ns; /* mono */
	uint32_t sequence_first, sequence_last, sequence_highest;
};

/* A live or remembered SPI as the sensor counts it: cumulative since the sensor knows the SPI. */
struct spi_count {
	struct sa_key key;
	uint64_t packets;
	uint32_t sequence_highest;
	int64_t last_ns; /* mono; 0: none yet */
	bool encap_udp;  /* how the latest one came */
	bool at_death;   /* told because WATCH_DEAD is about to be applied: what was counted until then. The role sense asks
			  * the sensor for it just before it applies the change */
};

/* Packets that no sighting tells of: sampled away, or more flows than a batch holds. */
struct sensor_state {
	uint64_t esp_packets, known, strays, sampled_away, flows_dropped, malformed, ring_lost, audit_records, audit_lost;
	uint8_t interfaces_up, interfaces_down;
};

enum xfrm_counter { XFRM_IN_NO_STATES, XFRM_IN_STATE_MISMATCH, XFRM_IN_STATE_PROTO_ERROR, XFRM_IN_STATE_SEQ_ERROR,
		    XFRM_IN_STATE_EXPIRED, XFRM_IN_STATE_INVALID, XFRM_IN_TMPL_MISMATCH, XFRM_IN_NO_POLS, XFRM_COUNTERS };
struct xfrm_counters {
	uint64_t value[XFRM_COUNTERS]; /* since boot */
	uint32_t present;              /* bit per counter that this kernel has */
};

/* What the sensor is to know about an SPI or a peer. */
enum watch_state { WATCH_FORGET, WATCH_LIVE, WATCH_DEAD, WATCH_STATES };
struct watch_spi {
	struct sa_key key;
	enum watch_state state;
	uint32_t sequence_highest; /* what is known already, from the ledger */
};
struct watch_peer {
	struct spimend_address address;
	bool forget;
};

/* --- What is ordered ----------------------------------------------------------------------------------------------- */

enum order_verb { /* all that act can be told: there is no other way to change anything */
	ORDER_NONE,
	ORDER_REKEY_CHILD,     /* child_id */
	ORDER_TERMINATE_CHILD, /* child_id */
	ORDER_TERMINATE_IKE,   /* ike_id */
	ORDER_INITIATE,        /* connection: a struct connection.id that act itself read from the daemon */
	/* Over the plugin: */
	ORDER_DELETE_SPI,      /* ike_id, protocol, spi: a DELETE for it over that IKE SA (B10) */
	ORDER_LIVENESS,        /* ike_id: is the peer alive? */
	ORDER_NOTIFY_SPI,      /* protocol, spi, local, peer_port: one unprotected INVALID_SPI (RFC 7296 1.5) */
	ORDER_VERBS
};
struct order {
	uint64_t id; /* never given twice, also across restarts */
	enum order_verb verb;
	uint16_t daemon;
	uint32_t ike_id, child_id;
	uint64_t connection;
	struct spimend_address peer; /* what the budget counts by */
	bool opens_ike; /* an ORDER_INITIATE that may create an IKE SA (B11) */
	uint8_t protocol; /* ORDER_DELETE_SPI, _NOTIFY_SPI: 50 or 51; else 0 */
	uint32_t spi;
	/* ORDER_NOTIFY_SPI: the stray's destination, and its source port where it came in UDP (0: it did not) */
	struct spimend_address local;
	uint16_t peer_port;
};

enum order_outcome { OUTCOME_DONE, OUTCOME_REFUSED, OUTCOME_FAILED, OUTCOME_TIMEOUT, OUTCOME_OVER_BUDGET, OUTCOME_UNKNOWN,
		     OUTCOMES };
struct order_result {
	uint64_t id;
	enum order_outcome outcome;
	int64_t took_ns;
	char text[128]; /* what the daemon said, printable ASCII */
	/* What the plugin learned. */
	bool has_answer, has_peer_spi, has_child;
	bool is_late;     /* after a no-reply: how it ended in the end. A second result for the same order */
	uint8_t answer;   /* enum plugin_outcome */
	uint32_t peer_spi; /* the other half of the pair that the peer closed: its inbound SPI */
	uint32_t child_id; /* a child of ours that sends with peer_spi still: it is dead as well */
};

const char *order_verb_name(enum order_verb verb);          /* "rekey-child" ... */
const char *order_outcome_name(enum order_outcome outcome); /* "done" ... */
const char *xfrm_counter_name(enum xfrm_counter counter);   /* "XfrmInNoStates" ... */

/* Key of an inbound SA; zeroes what must be zero. */
struct sa_key sa_key_of(const struct spimend_address *dst, uint8_t protocol, uint32_t spi);
bool sa_key_equal(const struct sa_key *a, const struct sa_key *b);
/* The id of a configured child: SipHash of daemon index and both full names under a key of zeros. */
uint64_t connection_id(uint16_t daemon, struct text ike, struct text child);

/* True when every enum is in range, every name ends, and every address family is one: to be asked of each struct that
 * came over a channel. */
bool gateway_valid_daemon(const struct daemon_state *d);
bool gateway_valid_connection(const struct connection *c);
bool gateway_valid_ike(const struct ike_sa *s);
bool gateway_valid_child(const struct child_sa *s);
bool gateway_valid_child_event(const struct child_event *e);
bool gateway_valid_ike_event(const struct ike_event *e);
bool gateway_valid_hint(const struct daemon_hint *h);
bool gateway_valid_kernel_event(const struct kernel_event *e);
bool gateway_valid_gre_device(const struct gre_device *d);
bool gateway_valid_sighting(const struct sighting *s);
bool gateway_valid_spi_count(const struct spi_count *c);
bool gateway_valid_watch_spi(const struct watch_spi *w);
bool gateway_valid_watch_peer(const struct watch_peer *w);
bool gateway_valid_order(const struct order *o);
bool gateway_valid_result(const struct order_result *r);
bool gateway_valid_plugin(const struct plugin_state *p);
bool gateway_valid_report(const struct plugin_report *r);
/* True for the verbs that take the plugin. */
bool order_takes_plugin(enum order_verb verb);

#endif
