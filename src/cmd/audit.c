/* SPDX-License-Identifier: MIT */
#include "cmd/audit.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>

#include "base/memory.h"
#include "base/slots.h"
#include "cmd/analyze.h"
#include "cmd/audit_live.h"
#include "cmd/style.h"
#include "plan/audit_plan.h"
#include "sense/input.h"
#include "serve/control.h"
#include "spimend/error.h"

#define BYTES_MOST (512u << 20)   /* of one file: a hub with ten thousand tunnels has 50 MB */
#define NAME_MOST 63

static const char usage[] =
	"Usage: spimend audit [--json] NAME=FILE...\n"
	"       spimend audit --live [--json] [--socket PATH] [DEVICE...]\n"
	"\n"
	"Compares the SA tables of several devices and says what only one end has, before a packet is lost.\n"
	"\n"
	"NAME is the device, by any name or its address; give it again for another file of the same device. '-' is standard\n"
	"input.\n"
	"Read are, several in one file too: show crypto ipsec sa, ikev2 sa, isakmp sa, session, ipsec spi-lookup detail, the\n"
	"crypto event trace and drop counters; show sdwan ipsec local-sa and outbound-connections, omp tlocs, bfd sessions;\n"
	"swanctl's list of SAs, raw too; ip xfrm state. A device read before and after the other one, in this order, tells a\n"
	"fault from a rekey in between.\n"
	"\n"
	"With --live the running daemon, spimendd, asks its devices itself, all that it can log in to or those that are named,\n"
	"each twice and where something is wrong once more, and types nothing but 'show'. That is for root and for its\n"
	"operators.\n"
	"\n"
	"  --live           of the daemon's devices, as they are now\n"
	"  --json           one JSON object a line: findings, then a summary\n"
	"  --socket PATH    where the daemon listens (default " CONTROL_SOCKET ")\n"
	"  --help           this text\n"
	"\n"
	"Exit status: 0 no error and no warning (there may be notes), 1 an error or a warning, 2 wrong use or something could\n"
	"not be read.\n";

struct given { /* one NAME=FILE */
	char name[NAME_MOST + 1];
	const char *file; /* borrows from argv */
};

struct seen_file {
	uint64_t hash;
	size_t size;
	uint32_t given;
};

struct run {
	struct audit_run is;
	struct given *given; /* owns */
	uint32_t count;
	struct seen_file *seen; /* owns */
	struct slots by_hash;
	struct text_style style;
	struct audit_counts counts; /* as printed */
	bool is_live;
	const char *socket;   /* borrows; of --live */
	char *const *devices; /* borrows from argv: the ones that are named */
	uint32_t device_count;
};

/* ---- files ---- */

static int read_whole(const char *path, struct buffer *ret, bool *ret_damaged)
{
	int result = input_read_whole(path, BYTES_MOST, ret);

	/* What stood before the damage counts. */
	*ret_damaged = result == SPIMEND_E_COMPRESSED && ret->len > 0;
	return *ret_damaged ? buffer_error(ret) : result;
}

/* True when these bytes came already; says so. */
static bool is_given_again(struct run *run, uint32_t number, struct text bytes)
{
	static const struct hash_key plain = { 0, 0 };
	uint64_t hash = hash_bytes(&plain, bytes.at, bytes.len);
	uint32_t cursor = (uint32_t)hash, at;
	const struct given *now = &run->given[number];

	while ((at = slots_look(&run->by_hash, (uint32_t)hash, &cursor))) {
		const struct seen_file *old = &run->seen[at - 1];
		const struct given *before = &run->given[old->given];

		if (old->hash != hash || old->size != bytes.len)
			continue;
		run->is.summary.files_twice++;
		fprintf(stderr, "spimend audit: %s: the same bytes as %s%s%s: read once\n", now->file, before->file,
			strcmp(now->name, before->name) ? ", which was given as " : "", strcmp(now->name, before->name) ? before->name : "");
		run->is.trouble |= strcmp(now->name, before->name) != 0;
		return true;
	}
	run->seen[number] = (struct seen_file){ hash, bytes.len, number };
	slots_add(&run->by_hash, (uint32_t)hash, number + 1);
	return false;
}

static int read_file(struct run *run, uint32_t number)
{
	const struct given *g = &run->given[number];
	struct buffer bytes = { 0 };
	bool damaged = false;
	int result = read_whole(g->file, &bytes, &damaged);

	run->is.summary.files++;
	run->is.source = run->is.said_of = strcmp(g->file, "-") == 0 ? "standard input" : g->file;
	if (result < 0 || damaged) {
		audit_run_say(&run->is, run->is.source, spimend_strerror(result < 0 ? result : SPIMEND_E_COMPRESSED));
		run->is.summary.files_failed++;
	}
	if (result < 0 && result != -ENOMEM) {
		buffer_done(&bytes);
		return 0; /* what could be read is reported all the same */
	}
	if (result == 0 && !is_given_again(run, number, buffer_text(&bytes))) {
		run->is.device = sa_audit_device(run->is.audit, g->name);
		result = run->is.device < 0 ? run->is.device : audit_run_read(&run->is, TEXT_NONE, buffer_text(&bytes), damaged);
	}
	buffer_done(&bytes);
	return result;
}

/* ---- output ---- */

static void put(struct buffer *b)
{
	if (b->len)
		fwrite(b->bytes, 1, b->len, stdout);
	buffer_clear(b);
}

static void say_same_devices(struct run *run)
{
	const char *first, *second;

	for (size_t i = 0; sa_audit_same_device(run->is.audit, i, &first, &second); i++) {
		fprintf(stderr,
			"spimend audit: %s and %s list the same inbound SAs: one device under two names, or a pair in stateful failover; "
			"%s is left out\n", first, second, second);
		run->is.summary.names_twice++;
		run->is.trouble = true;
	}
}

/* The counts without the findings that are gone. */
static struct audit_counts counts_of(const struct run *run)
{
	struct audit_counts counts = *sa_audit_counts(run->is.audit);
	size_t count = sa_audit_findings(run->is.audit), next;

	for (size_t i = 0; run->is.is_gone && i < count; i = next) { /* the findings of one tunnel follow each other */
		const struct audit_finding *first = sa_audit_finding(run->is.audit, i), *f = first;
		bool is_clean = first->tunnel != UINT32_MAX;

		for (next = i; next < count && (f = sa_audit_finding(run->is.audit, next))->tunnel == first->tunnel; next++) {
			is_clean = is_clean && run->is.is_gone[next];
			counts.severity[f->severity] -= run->is.is_gone[next];
			counts.overlaps += run->is.is_gone[next];
		}
		counts.in_sync += is_clean;
	}
	return counts;
}

static int print(struct run *run)
{
	struct buffer out = { 0 };
	const struct audit_finding *before = NULL;
	struct plan plan;

	for (size_t i = 0; i < sa_audit_findings(run->is.audit); i++) {
		const struct audit_finding *f = sa_audit_finding(run->is.audit, i);

		if (run->is.is_gone && run->is.is_gone[i])
			continue;
		plan_audit(f, &plan);
		if (run->is.json)
			record_audit_json(f, &plan, &out);
		else
			record_audit_text(f, before, &plan, &run->style, &out);
		before = f;
		if (out.len > 1 << 16)
			put(&out);
	}
	if (before && !run->is.json)
		buffer_add_char(&out, '\n');
	run->counts = counts_of(run);
	run->is.summary.counts = &run->counts;
	if (run->is.json)
		record_audit_summary_json(&run->is.summary, &out);
	else
		record_audit_summary_text(&run->is.summary, &out);
	put(&out);
	if (buffer_error(&out) < 0)
		return -ENOMEM;
	buffer_done(&out);
	return fflush(stdout) != 0 || ferror(stdout) ? errno ? -errno : -EIO : 0;
}

/* ---- command line ---- */

static bool read_name(const char *argument, struct given *ret)
{
	const char *equals = strchr(argument, '=');
	size_t len = equals ? (size_t)(equals - argument) : 0;

	if (!equals || len == 0 || !equals[1]) {
		fprintf(stderr, "spimend audit: '%s': expected NAME=FILE\n", argument);
		return false;
	}
	if (len > NAME_MOST) {
		fprintf(stderr, "spimend audit: '%s': a name has at most %d bytes\n", argument, NAME_MOST);
		return false;
	}
	memcpy(ret->name, argument, len);
	ret->name[len] = '\0';
	if (!text_is_string(ret->name, sizeof(ret->name))) {
		fprintf(stderr, "spimend audit: a name is printable ASCII: '%s' is not\n", argument);
		return false;
	}
	ret->file = equals + 1;
	return true;
}

static int refuse(const char *what)
{
	fprintf(stderr, "spimend audit: %sTry 'spimend audit --help'.\n", what);
	return EXIT_TROUBLE + 1;
}

static int read_arguments(int count, char **arguments, struct run *run)
{
	if (run->is_live) {
		run->devices = arguments;
		run->device_count = (uint32_t)count;
		return 0;
	}
	if (run->socket)
		return refuse("--socket belongs to --live\n");
	if (count == 0)
		return refuse("outputs of devices are expected, NAME=FILE..., or --live, which asks the devices themselves\n");
	run->given = memory_new((size_t)count, sizeof(*run->given));
	if (!run->given)
		return EXIT_TROUBLE + 1;
	for (int i = 0; i < count; i++)
		if (!read_name(arguments[i], &run->given[run->count++]))
			return EXIT_TROUBLE + 1;
	return 0;
}

/* 0, or the exit status to end with, plus one. */
static int read_options(int argc, char **argv, struct run *run)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' }, { "live", no_argument, NULL, 'l' },
						 { "socket", required_argument, NULL, 's' }, { "help", no_argument, NULL, 'h' },
						 { NULL, 0, NULL, 0 } };
	char program[] = "spimend audit"; /* as getopt names it in its messages */
	char *given = argv[0];
	int option, result = 0;

	argv[0] = program;
	while (result == 0 && (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'j') {
			run->is.json = true;
		} else if (option == 'l') {
			run->is_live = true;
		} else if (option == 's') {
			run->socket = optarg;
		} else if (option == 'h') {
			fputs(usage, stdout);
			result = EXIT_NOTHING_WRONG + 1;
		} else {
			fputs("Try 'spimend audit --help'.\n", stderr);
			result = EXIT_TROUBLE + 1;
		}
	}
	argv[0] = given;
	return result ? result : read_arguments(argc - optind, argv + optind, run);
}

static int read_files(struct run *run)
{
	int result = audit_run_init(&run->is, run->count);

	if (result < 0)
		return result;
	run->seen = memory_new(run->count, sizeof(*run->seen));
	if (!run->seen || slots_init(&run->by_hash, run->count + 1) < 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < run->count && result == 0; i++)
		result = read_file(run, i);
	return result;
}

/* 0, AUDIT_LIVE_OVER where there is nothing to print, or a negative code. */
static int audit_all(struct run *run)
{
	int result = !run->is_live ? read_files(run) :
		     audit_live_read(&run->is, run->socket ? run->socket : CONTROL_SOCKET, run->devices, run->device_count);

	if (result == 0 && !run->is_live)
		result = sa_audit_judge(run->is.audit);
	if (result)
		return result;
	say_same_devices(run);
	return print(run);
}

int audit_main(int argc, char **argv)
{
	struct run run = { .is.output = -1 };
	int status = read_options(argc, argv, &run), result;

	if (status) {
		memory_free(run.given);
		return status - 1;
	}
	style_of_output(&run.style);
	result = audit_all(&run);
	if (result < 0)
		fprintf(stderr, "spimend audit: %s\n", spimend_strerror(result));
	status = result || run.is.trouble ? EXIT_TROUBLE :
		 run.counts.severity[AUDIT_ERROR] + run.counts.severity[AUDIT_WARNING] ? EXIT_FAULT_FOUND : EXIT_NOTHING_WRONG;
	audit_run_done(&run.is);
	slots_done(&run.by_hash);
	memory_free(run.seen);
	memory_free(run.given);
	return status;
}
