/* SPDX-License-Identifier: MIT */
/* What the files of the audit share. Private to judge/audit*.c. */
#ifndef JUDGE_AUDIT_PRIVATE_H
#define JUDGE_AUDIT_PRIVATE_H

#include "base/slots.h"
#include "judge/audit.h"

#define NONE UINT32_MAX

struct audit_device {
	char *name;   /* owns */
	bool ignored; /* the same device as an earlier one */
	bool compared; /* its IKE daemon and its kernel both spoke */
	uint32_t first_output, last_output;
	uint32_t last[OUTPUT_COUNT]; /* its last output of each kind, plus one; 0: none */
	uint32_t ike_strangers, ike_strangers_bare; /* its IKE SAs with addresses of nobody given; of these without IKE SPIs */
	uint32_t behind_nat; /* its flows in UDP whose other end nobody was told */
};

struct audit_output {
	uint32_t device;
	const char *file; /* borrows */
	enum saved_output kind;
	struct saved_filter filter;
	bool cut;
	uint32_t records;
	struct spimend_address first_peer; /* of its flows */
	bool several_peers;
};

enum audit_source { SOURCE_CISCO, SOURCE_ASA, SOURCE_SWAN, SOURCE_XFRM }; /* as enum sa_block_source, and the kernel */

struct audit_flow {
	uint32_t device, output, line;
	uint32_t sa, sa_count; /* in audit.sas */
	struct spimend_address local, peer;
	struct sa_ident local_ident, remote_ident;
	uint32_t child_id, ike_id;
	uint32_t partner;      /* its other end's device, or NONE */
	struct spimend_address partner_local; /* by which that end knows itself */
	uint32_t tunnel;       /* NONE: the other end was not given */
	uint32_t outbound_line, inbound_line;
	uint64_t encaps, decaps, lifetime_s, lifetime_kb;
	enum audit_source source;
	bool encap, encap_told, controller, manual, whole, settling, has_counters, has_lifetime, has_lifetime_kb;
	bool in_unread, out_unread; /* SAs that could not be read or kept */
	bool linked_by_spi;
};

struct audit_sa {
	uint32_t spi, flow;
	uint8_t protocol;
	bool inbound, in_use;
};

struct audit_ike {
	uint32_t device, output, line;
	struct saved_ike is;
};

/* Growing arrays of plain values. */
struct array {
	void *at; /* owns */
	uint32_t count, room;
};
/* NULL when memory is out. */
void *array_add(struct array *array, size_t size);

struct same_pair {
	uint32_t first, second;
};

struct sa_audit {
	struct hash_key key;
	struct audit_counts counts;
	struct array devices, outputs, flows, sas, ikes, sessions, spis, traces, drops, local_sas, outbounds, tlocs, bfds, states;
	struct array findings, same;
	struct slots device_names;
	bool has_device_names;
	/* Indexes, made by sa_audit_judge(). */
	struct slots inbound, outbound; /* SPI and protocol: number of an audit_sa, plus one */
	struct slots locals;            /* address: number in owners, plus one */
	struct slots pairs;             /* local and peer: number of a flow, plus one */
	struct slots idents;            /* device, local and remote ident of a flow in UDP */
	struct array owners;
	uint32_t tunnels;
	uint8_t *clean;                 /* owns; by tunnel: compared, and nothing found */
	bool failed;                    /* memory is out */
};

struct owner {
	struct spimend_address address;
	uint32_t device;
};
struct kept_spi {
	uint32_t device, output, line;
	struct saved_spi is;
};
struct kept_trace {
	uint32_t device, output, line;
	struct saved_trace is;
};
struct kept_drop {
	uint32_t device, output, line;
	struct saved_drop is;
};
struct kept_session {
	uint32_t device, output, line;
	struct saved_session is;
};
struct kept_local_sa {
	uint32_t device, output, line;
	struct saved_local_sa is;
};
struct kept_outbound {
	uint32_t device, output, line;
	struct saved_outbound is;
};
struct kept_tloc {
	uint32_t device, output, line;
	struct saved_tloc is;
};
struct kept_bfd {
	uint32_t device, output, line;
	struct saved_bfd is;
};
struct kept_state {
	uint32_t device, output, line;
	struct saved_state is;
};

static inline struct audit_device *device_at(const struct sa_audit *a, uint32_t i)
{
	return (struct audit_device *)a->devices.at + i;
}
static inline struct audit_output *output_at(const struct sa_audit *a, uint32_t i)
{
	return (struct audit_output *)a->outputs.at + i;
}
static inline struct audit_flow *flow_at(const struct sa_audit *a, uint32_t i)
{
	return (struct audit_flow *)a->flows.at + i;
}
static inline struct audit_sa *sa_at(const struct sa_audit *a, uint32_t i)
{
	return (struct audit_sa *)a->sas.at + i;
}

uint32_t audit_hash(const struct sa_audit *a, const void *bytes, size_t len);
/* As slots_add(), but not where very many have that hash already. */
void audit_index_add(struct slots *slots, uint32_t hash, uint32_t number);
uint32_t audit_hash_spi(const struct sa_audit *a, uint32_t spi, uint8_t protocol);
uint32_t audit_hash_address(const struct sa_audit *a, const struct spimend_address *address);
uint32_t audit_hash_pair(const struct sa_audit *a, const struct spimend_address *local, const struct spimend_address *peer);
/* Whose address it is: a device other than `but`; NONE when nobody's or several devices'. */
uint32_t audit_owner(const struct sa_audit *a, const struct spimend_address *address, uint32_t but);

/* A new finding with its ends' sources filled from the flows (either may be NULL); NULL at the limit, which is counted. */
struct audit_finding *audit_find(struct sa_audit *a, enum audit_code code, enum confidence confidence);
void audit_set_end(const struct sa_audit *a, struct audit_finding *f, int end, uint32_t device, enum audit_role role,
		   const struct audit_flow *flow);
void audit_say(const struct sa_audit *a, struct audit_finding *f, uint32_t output, uint32_t line, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* Steps of sa_audit_judge(). 0 or -ENOMEM. */
void audit_note_outputs(struct sa_audit *a);
int audit_direct_states(struct sa_audit *a);
int audit_index(struct sa_audit *a);
int audit_link(struct sa_audit *a);
int audit_compare_tunnels(struct sa_audit *a);
void audit_compare_kernels(struct sa_audit *a);
int audit_compare_ike(struct sa_audit *a);
int audit_compare_sdwan(struct sa_audit *a);
/* What the receiver's memory and counters say of an SPI: evidence for a finding. True when it was deleted there. */
bool audit_add_memory(struct sa_audit *a, struct audit_finding *f, uint32_t device, uint32_t spi);

#endif
