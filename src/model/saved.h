/* SPDX-License-Identifier: MIT */
/*
 * What the saved output of one device says, record by record: plain values, no text of the output but names.
 *
 * The parse room makes them, from files now and from what devices answer over SSH later; the judge compares those of
 * several devices. No key has a place here: what identifies an SD-WAN key is the digest's tail that the router prints.
 */
#ifndef MODEL_SAVED_H
#define MODEL_SAVED_H

#include "model/sa_block.h"

#define SAVED_NAME_MAX 64

enum saved_output { /* one command's output */
	OUTPUT_NONE,
	OUTPUT_IPSEC_SA,       /* show crypto ipsec sa [peer A] [detail] */
	OUTPUT_IKEV2_SA,       /* show crypto ikev2 sa|session [detail] */
	OUTPUT_ISAKMP_SA,      /* show crypto isakmp|ikev1 sa [detail] */
	OUTPUT_SESSION,        /* show crypto session [detail] */
	OUTPUT_SPI_LOOKUP,     /* show crypto ipsec spi-lookup detail */
	OUTPUT_EVENT_TRACE,    /* show monitor event-trace crypto ipsec event ... */
	OUTPUT_DROPS,          /* QFP and ASP drop counters */
	OUTPUT_SDWAN_LOCAL_SA, /* show sdwan ipsec local-sa */
	OUTPUT_SDWAN_OUTBOUND, /* show sdwan ipsec outbound-connections */
	OUTPUT_SDWAN_TLOCS,    /* show sdwan omp tlocs */
	OUTPUT_SDWAN_BFD,      /* show sdwan bfd sessions */
	OUTPUT_SDWAN_CONTROL,  /* show sdwan control connections */
	OUTPUT_SDWAN_OMP,      /* show sdwan omp peers */
	OUTPUT_SDWAN_EDGE,     /* show sdwan control local-properties */
	OUTPUT_INTERFACES,     /* show ip interface brief */
	OUTPUT_SWANCTL,        /* swanctl --list-sas */
	OUTPUT_SWANCTL_RAW,    /* swanctl --list-sas --raw */
	OUTPUT_XFRM,           /* ip [-s] xfrm state */
	OUTPUT_COUNT
};

struct saved_filter { /* what the typed command asked for */
	bool typed;  /* the command's echo was there: the rest of this is known */
	bool narrow; /* only a part of the table was asked for */
	struct spimend_address peer; /* that part is this peer's; else unknown */
};

enum saved_ike_state { SAVED_IKE_OTHER, SAVED_IKE_UP, SAVED_IKE_DELETED };

struct saved_ike {
	uint8_t version; /* 1 or 2; 0: not told */
	enum saved_ike_state state;
	bool undirected; /* `show crypto isakmp sa`: local is the responder, remote the initiator, whichever we are */
	struct spimend_address local, remote; /* local unknown on an ASA with IKEv1 */
	uint16_t local_port, remote_port;     /* 0: not told */
	bool has_spis;
	uint64_t spi_local, spi_remote;
	uint32_t id; /* conn-id, Tunnel-id or unique id; 0: not told */
};

enum saved_session_status { SESSION_OTHER, SESSION_UP_ACTIVE, SESSION_UP_IDLE, SESSION_UP_NO_IKE, SESSION_DOWN };

struct saved_session {
	enum saved_session_status status;
	struct spimend_address local, peer; /* local: unknown where no IKE SA is listed */
	uint16_t peer_port;
	uint32_t ike_active, flows, flows_without_sas, active_sas;
};

struct saved_spi { /* of spi-lookup: known to the router; presence proves no more (devices.md 3) */
	struct spimend_spi spi;
	bool transient;
	struct spimend_address local, remote;
};

struct saved_trace {
	struct spimend_spi spi;
	struct spimend_address destination;
	bool deleted; /* else created */
};

enum saved_drop_kind { DROP_NO_SA, DROP_INVALID_SA, DROP_REPLAY, DROP_KINDS };
struct saved_drop {
	enum saved_drop_kind kind;
	char name[SAVED_NAME_MAX];
	uint64_t packets; /* since the last clear */
};

struct saved_local_sa {
	struct spimend_address tloc, source;
	char color[24], key[16];
	uint16_t port;
	struct spimend_spi spi;
};

struct saved_outbound {
	struct spimend_address source, destination, tloc;
	uint16_t source_port, port;
	char color[24], key[16];
	struct spimend_spi spi;
};

struct saved_tloc { /* the controller's copy, or the router's own entry where from is 0.0.0.0 */
	struct spimend_address tloc, from;
	char color[24];
	bool own;
	bool has_spi;
	struct spimend_spi spi;
	struct spimend_address public, private;
	uint32_t version;
};

struct saved_bfd {
	struct spimend_address system, source, destination;
	uint16_t port;
	char local_color[24], color[24];
	bool up;
};

struct saved_control {
	char type[12], color[24]; /* vsmart, vmanage, vbond; our colour */
	struct spimend_address system, public;
	bool up;
};

struct saved_interface {
	char name[SAVED_NAME_MAX];
	struct spimend_address address;
	bool up;
};

struct saved_omp_peer {
	char type[12];
	struct spimend_address peer;
	bool up;
};

struct saved_edge { /* what an SD-WAN router is in the overlay */
	uint32_t site;
};

struct saved_state { /* of ip xfrm state: one direction, never its key */
	struct spimend_address src, dst;
	uint8_t protocol; /* 50 or 51 */
	struct spimend_spi spi;
	bool encap_udp, has_mark;
	bool out_hint, in_hint; /* "dir" and the counters tell the direction, not always */
	uint32_t reqid, mark, if_id, replay_window;
	uint64_t packets;
};

enum saved_kind {
	SAVED_NONE, SAVED_FLOW, SAVED_IKE, SAVED_SESSION, SAVED_SPI, SAVED_TRACE, SAVED_DROP, SAVED_LOCAL_SA, SAVED_OUTBOUND,
	SAVED_TLOC, SAVED_BFD, SAVED_CONTROL, SAVED_OMP_PEER, SAVED_INTERFACE, SAVED_STATE,
	SAVED_EDGE,
	SAVED_KINDS
};

struct saved_record {
	enum saved_kind kind;
	uint32_t line;      /* of its file, from 1 on: where it starts */
	const char *reason; /* static text; of a row that could not be read, else NULL */
	union {
		struct sa_block flow;
		struct saved_ike ike;
		struct saved_session session;
		struct saved_spi spi;
		struct saved_trace trace;
		struct saved_drop drop;
		struct saved_local_sa local_sa;
		struct saved_outbound outbound;
		struct saved_tloc tloc;
		struct saved_bfd bfd;
		struct saved_control control;
		struct saved_omp_peer omp_peer;
		struct saved_interface interface;
		struct saved_state state;
		struct saved_edge edge;
	};
};

/* "show crypto ipsec sa" ...: the command that prints it. */
const char *saved_output_command(enum saved_output output);
/* "ipsec-sa" ...: for JSON. */
const char *saved_output_name(enum saved_output output);

#endif
