/* SPDX-License-Identifier: MIT */
/* Shared by the capture judge's own files and by nobody else. */
#ifndef JUDGE_CAPTURE_PRIVATE_H
#define JUDGE_CAPTURE_PRIVATE_H

#include "base/intern.h"
#include "judge/capture.h"
#include "judge/capture_table.h"
#include "judge/judge_private.h"
#include "judge/packet_flows.h"

#define NOBODY UINT32_MAX

struct capture_case {
	uint32_t flow;   /* index into sorted; NOBODY where it is aggregated */
	uint32_t other;  /* the flow that it is told by: the newer SA; NOBODY: none */
	bool is_notify;  /* the flow is that of a notify: its SPI goes the other way */
	uint32_t notify; /* a notify about this flow; NOBODY: none */
	bool has_src, has_dst, has_spi;
	struct spimend_address src, dst;
	uint32_t spi;
	uint8_t protocol;
	bool encap_udp;
	uint64_t packets, spis, sources;
	bool has_times;
	int64_t first_ns, last_ns;
	enum verdict verdict;
	enum rule rule;
	enum cause cause;
	enum confidence confidence;
	uint32_t flags;
	enum tunnel_kind kind;
	const char *why_not_read; /* static text, of RULE_NOT_READ */
};

struct capture_judge {
	const struct judge *judge; /* borrows */
	struct hash_key key;
	struct intern names;
	struct packet_flows flows;
	struct capture_table table;
	bool has_table;
	uint32_t table_file; /* interned */
	uint32_t files[CAPTURE_FILES_MAX]; /* interned */
	int file_count;
	bool has_span;
	int64_t start_ns, end_ns;
	uint64_t ike[EXCHANGES][2];

	/* of the settlement */
	const struct packet_flow **sorted; /* owns: ESP and AH by source, destination, time; behind them notifies, then IKE */
	uint32_t sorted_count, flow_count, notify_count;
	uint8_t *marks; /* owns: by sorted flow, enum capture_mark */
	bool has_youngest; /* the table lists an SA that was made after this moment, at the latest: */
	int64_t youngest_ns;
	/* Of the pair at hand, so that a capture of a million of its SAs costs no more than their number: from where on its
	 * newer SAs are looked for, of ESP and AH, and when what the receiver sends back, but does not list, came last. */
	uint32_t newer_from[2];
	bool has_back, back_is_known;
	int64_t back_ns;
	uint64_t pairs, spi_changes, one_way_pairs, judged, known;
	struct capture_case *cases; /* owns */
	uint32_t case_count, case_room;
	int error;
	struct evidence shown[INCIDENT_EVIDENCE_MAX];
	char shown_from[INCIDENT_EVIDENCE_MAX][INTERN_TEXT_MAX + 24];
	char shown_text[INCIDENT_EVIDENCE_MAX][256];
	char observer_text[SPIMEND_ADDRESS_TEXT_MAX];
};

enum capture_mark { MARK_NEW = 1, MARK_ONE_WAY = 2, MARK_JUDGED = 4, MARK_KNOWN = 8, MARK_TOLD = 16 };

/* One pair's flows: sorted[first .. first + count). */
struct capture_pair {
	uint32_t first, count;
};

/* Enough packets, over enough time, with rising sequence numbers: a live sender. */
bool capture_is_proven(const struct packet_flow *flow);
/* It began within the capture. */
bool capture_is_newborn(const struct packet_flow *flow);
/* A new case about that flow, or NULL when there is no memory. Its verdict is to be set. */
struct capture_case *capture_add_case(struct capture_judge *judge, uint32_t flow);
/* The notify about this flow that its receiver sent; NOBODY: none. */
uint32_t capture_notify_of(const struct capture_judge *judge, const struct packet_flow *flow);
/* Something of IPsec or IKE went from `src` to `dst`. */
bool capture_has_traffic(const struct capture_judge *judge, const struct spimend_address *src,
			 const struct spimend_address *dst, bool of_ike);

/* capture_exact.c: pairs towards the receiver whose table is there. First all are looked up, then each is judged. */
void capture_look_up(struct capture_judge *judge, struct capture_pair pair);
void capture_judge_exactly(struct capture_judge *judge, struct capture_pair pair);
/* And, behind all pairs, what is noise. */
void capture_gather_noise(struct capture_judge *judge);
/* capture_guess.c: a pair without a table; and a notify that no case has told. */
void capture_guess_pair(struct capture_judge *judge, struct capture_pair pair);
void capture_guess_notify(struct capture_judge *judge, uint32_t notify);
/* capture_show.c */
void capture_show(struct capture_judge *judge, const struct capture_case *c, struct incident *ret);

#endif
