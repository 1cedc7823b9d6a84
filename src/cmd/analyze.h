/* SPDX-License-Identifier: MIT */
/* spimend analyze: logs in, verdicts and plans out. */
#ifndef CMD_ANALYZE_H
#define CMD_ANALYZE_H

#include "judge/judge.h"
#include "parse/log.h"

enum { EXIT_NOTHING_WRONG = 0, EXIT_FAULT_FOUND = 1, EXIT_TROUBLE = 2 };

struct analyze_options {
	bool json, follow, verbose, explain;
	const char *html; /* borrows; NULL: no page */
	struct log_rules rules;
	struct judge_settings settings;
	struct judge_peer *peers; /* owns */
	size_t peer_count;
	const char **tables; /* owns; of --sad; borrows each from argv */
	size_t table_count;
	struct spimend_address *receivers; /* owns; of --receiver */
	size_t receiver_count;
	char **files; /* borrows: the rest of argv */
	int file_count;
};

/* Reads the command line. 0, or the exit status to end with (after --help, or with the error said on stderr), plus one. */
int analyze_options_read(int argc, char **argv, struct analyze_options *ret);
void analyze_options_done(struct analyze_options *options);

int analyze_main(int argc, char **argv);

#endif
