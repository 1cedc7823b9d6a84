/* SPDX-License-Identifier: MIT */
/*
 * `swanctl --list-sas`, as people read it and as --raw has it (with --pretty or not): IKE SAs and their CHILD_SAs. Pure.
 *
 * A line may finish several records (--raw has an IKE SA with all its children on one), so records are asked for one at
 * a time.
 */
#ifndef PARSE_SWANCTL_H
#define PARSE_SWANCTL_H

#include "parse/show.h"

#define SWANCTL_DEPTH_MAX 8

struct swanctl {
	struct saved_ike ike;    /* being read */
	struct sa_block child;
	uint32_t ike_line, child_line; /* 0: none is open */
	char ike_name[SA_BLOCK_TAG_MAX];
	bool busy;               /* a task that changes a child is active */
	bool ike_told;           /* given back already */
	bool has_in, has_out;
	/* --raw: where in the nesting */
	unsigned depth, child_depth;
	bool in_children;
	bool seen_local, seen_remote;
	/* A list that goes on on the next line. */
	enum { SWANCTL_NO_LIST, SWANCTL_LIST_OTHER, SWANCTL_LIST_LOCAL, SWANCTL_LIST_REMOTE } list;
};

bool swanctl_starts(struct text cleaned);
bool swanctl_raw_starts(struct text cleaned);
enum show_result swanctl_line(struct swanctl *s, struct text line, uint32_t number, struct saved_record *ret);
/* Takes from *line, and leaves there what it has not yet read: call again until it is empty. */
enum show_result swanctl_raw_line(struct swanctl *s, struct text *line, uint32_t number, struct saved_record *ret);
/* The output is over: call until it is false. */
bool swanctl_end(struct swanctl *s, struct saved_record *ret);

#endif
