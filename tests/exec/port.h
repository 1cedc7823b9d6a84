/* SPDX-License-Identifier: MIT */
/* A small gateway in memory for the command line: a real core with fixed SAs, a real configuration, files in an array. For
 * tests/unit/test_exec*.c and for tests/exec/driver.c. */
#ifndef TESTS_EXEC_PORT_H
#define TESTS_EXEC_PORT_H

#include "exec/exec.h"

#define WORLD_FILES_MAX 8

struct world {
	struct exec_port port;
	struct core *core;
	struct config config;
	struct core_figures figures;
	struct exec_cleared *cleared;
	struct logbook *logbook;
	struct debug_state debug;
	struct link links[4];
	struct neighbour neighbours[4];
	struct neighbour_list neighbour_list;
	struct link_list link_list;
	bool links_unreadable;   /* the view has no interfaces */
	struct moment now;
	struct buffer running, applets; /* text of the configuration; of it the lines of `event manager` */
	struct {
		char name[64];
		struct buffer text;
	} files[WORLD_FILES_MAX];
	size_t file_count;
	struct buffer accounts;  /* what was accounted for, a line each */
	struct buffer cleared_peers;
	struct exec_session *writes; /* write_startup() was asked for by this session */
	struct exec_session *waits;  /* and this one runs an applet */
	struct exec_session *asks;   /* and this one asked a device ... */
	char asked[EXEC_LINE_MAX];   /* ... for this */
	enum exec_typed answer;      /* of the applets, to any line */
	struct track_state tracks[TRACKS_CONFIGURED_MAX]; /* as configured */
	struct eem *eem;             /* owns; runs the applets that were typed */
	struct buffer typed;         /* what they were told, a line each */
};

void world_init(struct world *world);
void world_reset(struct world *world); /* as it was after world_init(), and cheaper */
void world_done(struct world *world);

#endif
