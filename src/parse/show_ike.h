/* SPDX-License-Identifier: MIT */
/*
 * IKE SAs: `show crypto ikev2 sa|session [detail]` and `show crypto isakmp|ikev1 sa [detail]` of IOS, IOS XE and ASA.
 * IPv6 rows of IKEv2 stand on three lines, what belongs to a row on the lines behind it. Pure.
 */
#ifndef PARSE_SHOW_IKE_H
#define PARSE_SHOW_IKE_H

#include "parse/show.h"

struct show_ike {
	struct saved_ike ike; /* being read */
	uint32_t line;        /* where it started; 0: none is open */
	bool by_peer;         /* ASA's IKEv1: "IKE Peer:" blocks */
	bool detail;          /* isakmp sa detail: C-id, Local, Remote */
};

bool show_ikev2_starts(struct text cleaned);
bool show_isakmp_starts(struct text cleaned);
/* `line` is cleaned (show_clean), number is its own, from 1 on. */
enum show_result show_ikev2_line(struct show_ike *s, struct text line, uint32_t number, struct saved_record *ret);
enum show_result show_isakmp_line(struct show_ike *s, struct text line, uint32_t number, struct saved_record *ret);
/* The output is over: true when an SA was still open; it is in *ret. */
bool show_ike_end(struct show_ike *s, struct saved_record *ret);

#endif
