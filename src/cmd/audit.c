/* SPDX-License-Identifier: MIT */
#include "cmd/audit.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>

#include "base/memory.h"
#include "base/slots.h"
#include "cmd/analyze.h"
#include "cmd/style.h"
#include "judge/audit.h"
#include "parse/device_output.h"
#include "plan/audit_plan.h"
#include "record/audit.h"
#include "record/values.h"
#include "sense/input.h"
#include "spimend/error.h"

#define BYTES_MOST (512u << 20)   /* of one file: a hub with ten thousand tunnels has 50 MB */
#define NAME_MOST 63
#define TROUBLES_SAID 5           /* of one file */

static const char usage[] =
	"Usage: spimend audit [--json] NAME=FILE...\n"
	"\n"
	"Compares the SA tables saved from several devices and says what only one end has, before a packet is lost.\n"
	"NAME is the device, by any name or its address; give it again for another file of the same device. '-' is standard\n"
	"input.\n"
	"Read are, several in one file too: show crypto ipsec sa, ikev2 sa, isakmp sa, session, ipsec spi-lookup detail, the\n"
	"crypto event trace and drop counters; show sdwan ipsec local-sa and outbound-connections, omp tlocs, bfd sessions;\n"
	"swanctl's list of SAs, raw too; ip xfrm state. A device read before and after the other one, in this order, tells a\n"
	"fault from a rekey in between.\n"
	"\n"
	"  --json           one JSON object a line: findings, then a summary\n"
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
	bool json;
	struct given *given; /* owns */
	uint32_t count;
	struct sa_audit *audit; /* owns */
	struct seen_file *seen; /* owns */
	struct slots by_hash;
	char (*hosts)[DEVICE_HOST_MAX]; /* owns; by device */
	struct audit_summary summary;
	struct text_style style;
	bool trouble;  /* exit status 2 */
	/* The file that is being read. */
	const char *file;
	int device, output;
	unsigned said;
	uint64_t unsaid;
	int error;
};

/* ---- what was wrong, on stderr ---- */

static void say_file(struct run *run, const char *file, const char *what)
{
	fprintf(stderr, "spimend audit: %s: %s\n", file, what);
	run->trouble = true;
}

static void say_trouble(void *context, const struct device_trouble *t)
{
	struct run *run = context;
	struct buffer line = { 0 };

	run->trouble = true;
	if (run->said == TROUBLES_SAID) {
		run->unsaid++;
		return;
	}
	run->said++;
	buffer_printf(&line, "spimend audit: %s:%" PRIu32 ": ", run->file, t->line);
	if (t->output != OUTPUT_NONE)
		buffer_printf(&line, "%s: ", saved_output_command(t->output));
	buffer_add_string(&line, t->reason);
	if (t->text.len) {
		buffer_add_string(&line, ": ");
		record_add_printable(&line, text_first(t->text, 80));
	}
	buffer_add_char(&line, '\n');
	fwrite(line.bytes, 1, line.len, stderr);
	buffer_done(&line);
}

/* ---- records ---- */

static void on_begin(void *context, enum saved_output output, uint32_t line, const struct saved_filter *filter)
{
	struct run *run = context;

	(void)line;
	run->output = sa_audit_begin(run->audit, run->device, run->file, output, filter);
	if (run->output < 0)
		run->error = run->output;
}

static void on_record(void *context, const struct saved_record *record)
{
	struct run *run = context;
	int result = run->output < 0 ? run->output : sa_audit_add(run->audit, run->output, record);

	if (result < 0)
		run->error = result;
}

static void on_end(void *context, enum saved_output output, bool cut)
{
	struct run *run = context;

	(void)output;
	if (run->output >= 0)
		sa_audit_end_output(run->audit, run->output, cut);
	run->output = -1;
}

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
		run->summary.files_twice++;
		fprintf(stderr, "spimend audit: %s: the same bytes as %s%s%s: read once\n", now->file, before->file,
			strcmp(now->name, before->name) ? ", which was given as " : "", strcmp(now->name, before->name) ? before->name : "");
		run->trouble |= strcmp(now->name, before->name) != 0;
		return true;
	}
	run->seen[number] = (struct seen_file){ hash, bytes.len, number };
	slots_add(&run->by_hash, (uint32_t)hash, number + 1);
	return false;
}

static void add_up(struct device_counts *sum, const struct device_counts *more)
{
	sum->lines += more->lines;
	sum->taken += more->taken;
	sum->other += more->other;
	sum->bad += more->bad;
	sum->foreign_host += more->foreign_host;
	sum->records += more->records;
	for (int i = 0; i < OUTPUT_COUNT; i++)
		sum->outputs[i] += more->outputs[i];
}

static void say_unknown(struct run *run, const char *file, struct text bytes)
{
	struct buffer line = { 0 };
	struct text first = TEXT_NONE;

	run->summary.files_unknown++;
	if (bytes.len == 0) {
		say_file(run, file, "is empty");
		return;
	}
	if (memchr(bytes.at, '\0', bytes.len < 4096 ? bytes.len : 4096)) {
		say_file(run, file, "is no text");
		return;
	}
	while (first.len == 0 && text_take_line(&bytes, &first))
		first = text_trim(first);
	buffer_add_string(&line, "holds no output that is known; it starts with: ");
	record_add_printable(&line, text_first(first, 60));
	buffer_add_char(&line, '\0');
	if (buffer_error(&line) == 0)
		say_file(run, file, line.bytes);
	buffer_done(&line);
}

static int parse_file(struct run *run, struct text bytes, bool damaged)
{
	const struct device_sink sink = { run, on_begin, on_record, on_end, say_trouble };
	struct device_output *reader;
	const struct device_counts *counts;
	uint64_t outputs = 0;
	int result = device_output_new(&sink, run->hosts[run->device], &reader);

	if (result < 0)
		return result;
	device_output_feed(reader, bytes);
	device_output_end(reader, damaged);
	counts = device_output_counts(reader);
	add_up(&run->summary.read, counts);
	for (int i = OUTPUT_NONE + 1; i < OUTPUT_COUNT; i++)
		outputs += counts->outputs[i];
	memcpy(run->hosts[run->device], device_output_host(reader), DEVICE_HOST_MAX);
	device_output_free(reader);
	if (run->unsaid)
		fprintf(stderr, "spimend audit: %s: and %" PRIu64 " more of such lines\n", run->file, run->unsaid);
	if (outputs == 0)
		say_unknown(run, run->file, bytes);
	return run->error;
}

static int read_file(struct run *run, uint32_t number)
{
	const struct given *g = &run->given[number];
	struct buffer bytes = { 0 };
	bool damaged = false;
	int result = read_whole(g->file, &bytes, &damaged);

	run->summary.files++;
	run->file = strcmp(g->file, "-") == 0 ? "standard input" : g->file;
	run->said = 0;
	run->unsaid = 0;
	if (result < 0 || damaged) {
		say_file(run, run->file, spimend_strerror(result < 0 ? result : SPIMEND_E_COMPRESSED));
		run->summary.files_failed++;
	}
	if (result < 0 && result != -ENOMEM) {
		buffer_done(&bytes);
		return 0; /* what could be read is reported all the same */
	}
	if (result == 0 && !is_given_again(run, number, buffer_text(&bytes))) {
		run->device = sa_audit_device(run->audit, g->name);
		result = run->device < 0 ? run->device : parse_file(run, buffer_text(&bytes), damaged);
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

	for (size_t i = 0; sa_audit_same_device(run->audit, i, &first, &second); i++) {
		fprintf(stderr,
			"spimend audit: %s and %s list the same inbound SAs: one device under two names, or a pair in stateful failover; "
			"%s is left out\n", first, second, second);
		run->summary.names_twice++;
		run->trouble = true;
	}
}

static int print(struct run *run)
{
	struct buffer out = { 0 };
	const struct audit_finding *before = NULL;
	struct plan plan;

	for (size_t i = 0; i < sa_audit_findings(run->audit); i++) {
		const struct audit_finding *f = sa_audit_finding(run->audit, i);

		plan_audit(f, &plan);
		if (run->json)
			record_audit_json(f, &plan, &out);
		else
			record_audit_text(f, before, &plan, &run->style, &out);
		before = f;
		if (out.len > 1 << 16)
			put(&out);
	}
	if (before && !run->json)
		buffer_add_char(&out, '\n');
	run->summary.counts = sa_audit_counts(run->audit);
	if (run->json)
		record_audit_summary_json(&run->summary, &out);
	else
		record_audit_summary_text(&run->summary, &out);
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

/* 0, or the exit status to end with, plus one. */
static int read_options(int argc, char **argv, struct run *run)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' }, { "help", no_argument, NULL, 'h' },
						 { NULL, 0, NULL, 0 } };
	char program[] = "spimend audit"; /* as getopt names it in its messages */
	char *given = argv[0];
	int option, result = 0;

	argv[0] = program;
	while (result == 0 && (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'j') {
			run->json = true;
		} else if (option == 'h') {
			fputs(usage, stdout);
			result = EXIT_NOTHING_WRONG + 1;
		} else {
			fputs("Try 'spimend audit --help'.\n", stderr);
			result = EXIT_TROUBLE + 1;
		}
	}
	argv[0] = given;
	if (result)
		return result;
	if (argc == optind) {
		fputs("spimend audit: reading the devices of the inventory itself is not in this version: save their outputs and name them, "
		      "NAME=FILE...\nTry 'spimend audit --help'.\n", stderr);
		return EXIT_TROUBLE + 1;
	}
	run->given = memory_new((size_t)(argc - optind), sizeof(*run->given));
	if (!run->given)
		return EXIT_TROUBLE + 1;
	for (int i = optind; i < argc; i++)
		if (!read_name(argv[i], &run->given[run->count++]))
			return EXIT_TROUBLE + 1;
	return 0;
}

static int audit_all(struct run *run)
{
	struct hash_key key = { 0, 0 };
	int result;

	if (getrandom(&key, sizeof(key), 0) != (ssize_t)sizeof(key))
		return -errno;
	run->seen = memory_new(run->count, sizeof(*run->seen));
	run->hosts = memory_new(run->count, sizeof(*run->hosts));
	if (!run->seen || !run->hosts || slots_init(&run->by_hash, run->count + 1) < 0)
		return -ENOMEM;
	result = sa_audit_new(&key, &run->audit);
	for (uint32_t i = 0; i < run->count && result == 0; i++)
		result = read_file(run, i);
	if (result == 0)
		result = sa_audit_judge(run->audit);
	if (result < 0)
		return result;
	say_same_devices(run);
	return print(run);
}

int audit_main(int argc, char **argv)
{
	struct run run = { .output = -1 };
	int status = read_options(argc, argv, &run), result;
	const struct audit_counts *counts;

	if (status) {
		memory_free(run.given);
		return status - 1;
	}
	style_of_output(&run.style);
	result = audit_all(&run);
	if (result < 0)
		fprintf(stderr, "spimend audit: %s\n", spimend_strerror(result));
	counts = run.audit ? sa_audit_counts(run.audit) : NULL;
	status = result < 0 || run.trouble ? EXIT_TROUBLE :
		 counts->severity[AUDIT_ERROR] + counts->severity[AUDIT_WARNING] ? EXIT_FAULT_FOUND : EXIT_NOTHING_WRONG;
	sa_audit_free(run.audit);
	slots_done(&run.by_hash);
	memory_free(run.seen);
	memory_free(run.hosts);
	memory_free(run.given);
	return status;
}
