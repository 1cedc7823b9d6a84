/* SPDX-License-Identifier: MIT */
/*
 * Where another gateway asks for evidence: TCP with TLS 1.3 and the key of the peer whose address it comes from; whoever
 * else comes is hung up on and counted. A connection is one request, which core answers. Used by role/sense_role.c alone.
 */
#ifndef ROLE_SENSE_EVIDENCE_H
#define ROLE_SENSE_EVIDENCE_H

#include "parse/evidence_wire.h"
#include "role/member.h"
#include "sense/evidence_tls.h"

#define SENSE_ASKERS_MAX 8              /* at once */
#define SENSE_ASKER_NS (30 * SECOND_NS) /* for all of one */
#define SENSE_ASKED_GAP_NS (2 * SECOND_NS) /* between two of one peer */

struct sense_evidence {
	struct member *member; /* borrows */
	struct channel *core;  /* borrows; NULL: none */
	int fd;                /* owns; -1: nobody can ask */
	struct loop_source *source;
	SSL_CTX *context;      /* owns */
	struct evidence_key keys[EVIDENCE_PEERS_MAX];
	int64_t asked_ns[EVIDENCE_PEERS_MAX];
	uint64_t number, refused;
	struct sense_asker {
		struct sense_evidence *of;  /* borrows */
		struct loop_source *source; /* owns; NULL: this place is free */
		int fd;                     /* owns */
		SSL *ssl;                   /* owns */
		uint32_t peer;
		uint64_t number;            /* of its request; 0: not there yet */
		char line[EVIDENCE_LINE_MAX];
		size_t line_len;
		struct buffer out, answer;  /* to be sent; what core has told so far */
		size_t sent;
		bool is_last;               /* behind `out` comes nothing */
		int64_t deadline;
	} askers[SENSE_ASKERS_MAX];
};

void sense_evidence_begin(struct sense_evidence *e, struct member *member);
void sense_evidence_done(struct sense_evidence *e);
void sense_evidence_core(struct sense_evidence *e, struct channel *core);
/* RESOURCE_EVIDENCE_SOCKET and _KEY. */
void sense_evidence_take(struct sense_evidence *e, const struct role_resource *resource, const int *fds, size_t fd_count);
/* Of core's answer. */
void sense_evidence_answer(struct sense_evidence *e, const struct evidence_part *part);
/* Once a second: ends who takes too long. */
void sense_evidence_tick(struct sense_evidence *e);

#endif
