/* SPDX-License-Identifier: MIT */
/* `show crypto session [detail]`: status, IKE SAs and flows per interface and peer (devices.md 1). Pure. */
#ifndef PARSE_SHOW_SESSION_H
#define PARSE_SHOW_SESSION_H

#include "parse/show.h"

struct show_session {
	struct saved_session session; /* being read */
	uint32_t line;                /* where it started; 0: none is open */
	bool peer_seen, want_remote;
};

bool show_session_starts(struct text cleaned);
enum show_result show_session_line(struct show_session *s, struct text line, uint32_t number, struct saved_record *ret);
bool show_session_end(struct show_session *s, struct saved_record *ret);

#endif
