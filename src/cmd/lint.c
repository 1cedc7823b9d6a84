/* SPDX-License-Identifier: MIT */
#include "cmd/lint.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/memory.h"
#include "cmd/analyze.h"
#include "eem/lint.h"
#include "eem/reflow.h"
#include "sense/input.h"
#include "spimend/error.h"

#define TEXT_MOST (64u << 20) /* bytes of one file: a router's configuration has less than one MiB */

static const char usage[] =
	"Usage: spimend lint [--json] FILE...\n"
	"       spimend lint --reflow FILE...\n"
	"\n"
	"Reads IOS configurations and says what is wrong with their EEM applets, and with what these need around them.\n"
	"Other commands are passed over. '-' is standard input. Give both ends of a conversation in one call.\n"
	"\n"
	"  --json           one JSON object a line: findings, then a summary\n"
	"  --reflow         print the listings with their lines restored, as a router takes them; what was changed is said\n"
	"                   on stderr\n"
	"  --help           this text\n"
	"\n"
	"Exit status: 0 no error and no warning (there may be notes), 1 an error or a warning, 2 wrong use or something could\n"
	"not be read.\n";

struct lint_options {
	bool json, reflow;
	char **files; /* borrows */
	int count;
};

/* 0, or the exit status to end with, plus one. */
static int read_options(int argc, char **argv, struct lint_options *o)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "reflow", no_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	char program[] = "spimend lint"; /* as getopt names it in its messages */
	char *given = argv[0];
	int option, result = 0;

	argv[0] = program;
	while (result == 0 && (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'j') {
			o->json = true;
		} else if (option == 'r') {
			o->reflow = true;
		} else if (option == 'h') {
			fputs(usage, stdout);
			result = EXIT_NOTHING_WRONG + 1;
		} else {
			fputs("Try 'spimend lint --help'.\n", stderr);
			result = EXIT_TROUBLE + 1;
		}
	}
	argv[0] = given;
	o->files = argv + optind;
	o->count = argc - optind;
	if (result == 0 && o->count == 0) {
		fputs("spimend lint: no file named ('-' is standard input)\nTry 'spimend lint --help'.\n", stderr);
		result = EXIT_TROUBLE + 1;
	}
	if (result == 0 && o->json && o->reflow) {
		fputs("spimend lint: --reflow prints a listing, which is no JSON\n", stderr);
		result = EXIT_TROUBLE + 1;
	}
	return result;
}

static void put(FILE *to, struct buffer *b)
{
	if (b->len)
		fwrite(b->bytes, 1, b->len, to);
	buffer_clear(b);
}

static void add_count(struct buffer *out, uint64_t n, const char *what, const char *behind)
{
	buffer_printf(out, "%" PRIu64 " %s%s%s", n, what, n == 1 ? "" : "s", behind);
}

struct totals {
	uint64_t files, lines, applets, foreign, count[EEM_LEVELS];
};

static void add_up(struct totals *t, const struct eem_report *r)
{
	t->files++;
	t->lines += r->lines;
	t->applets += r->applets;
	t->foreign += r->foreign_lines;
	for (unsigned i = 0; i < EEM_LEVELS; i++)
		t->count[i] += r->count[i];
}

static void print_totals(const struct totals *t, bool json, struct buffer *out)
{
	struct json j;

	if (json) {
		json_init(&j, out);
		json_object(&j, NULL);
		json_string(&j, "schema", "spimend.lint-summary/1");
		json_unsigned(&j, "files", t->files);
		json_unsigned(&j, "lines", t->lines);
		json_unsigned(&j, "applets", t->applets);
		json_unsigned(&j, "errors", t->count[EEM_ERROR]);
		json_unsigned(&j, "warnings", t->count[EEM_WARNING]);
		json_unsigned(&j, "notes", t->count[EEM_NOTE]);
		json_unsigned(&j, "other_lines", t->foreign);
		json_object_end(&j);
		buffer_add_char(out, '\n');
		return;
	}
	add_count(out, t->applets, "applet", " in ");
	add_count(out, t->files, "file", ": ");
	add_count(out, t->count[EEM_ERROR], "error", ", ");
	add_count(out, t->count[EEM_WARNING], "warning", ", ");
	add_count(out, t->count[EEM_NOTE], "note", "");
	if (t->foreign) {
		buffer_add_string(out, "; ");
		add_count(out, t->foreign, "line", " of other configuration passed over");
	}
	buffer_add_char(out, '\n');
}

/* Restores one file; true when what came out compiles. */
static bool reflow_file(struct text name, struct text text, int *ret_error)
{
	struct eem_report report = { 0 };
	struct eem_policies *policies = NULL;
	struct buffer listing = { 0 }, said = { 0 };
	bool fine = false;

	*ret_error = eem_reflow(text, &listing, &report);
	if (*ret_error == 0) {
		eem_report_print(&report, name, &said);
		fine = report.count[EEM_ERROR] == 0;
		eem_report_done(&report);
		*ret_error = eem_compile(buffer_text(&listing), &policies, &report);
		if (*ret_error == 0 && report.count[EEM_ERROR]) {
			eem_report_sort(&report);
			buffer_printf(&said, "%.*s: what came out does not compile; in its own lines:\n", TEXT_ARG(name));
			eem_report_print(&report, TEXT("restored"), &said);
			fine = false;
		}
	}
	put(stdout, &listing);
	put(stderr, &said);
	eem_policies_release(policies);
	eem_report_done(&report);
	buffer_done(&listing);
	buffer_done(&said);
	return fine;
}

static int reflow_all(const struct lint_options *o, const struct eem_lint_text *texts, uint32_t count)
{
	int status = EXIT_NOTHING_WRONG, error;

	for (uint32_t i = 0; i < count; i++) {
		if (!reflow_file(texts[i].name, texts[i].text, &error))
			status = EXIT_FAULT_FOUND;
		if (error < 0) {
			fprintf(stderr, "spimend lint: %s: %s\n", o->files[i], spimend_strerror(error));
			return EXIT_TROUBLE;
		}
	}
	return status;
}

static int lint_all(const struct lint_options *o, struct eem_lint_text *texts, uint32_t count)
{
	struct totals totals = { 0 };
	struct buffer out = { 0 };
	int result = eem_lint(texts, count);

	if (result < 0) {
		fprintf(stderr, "spimend lint: %s\n", spimend_strerror(result));
		return EXIT_TROUBLE;
	}
	for (uint32_t i = 0; i < count; i++) {
		if (o->json)
			eem_report_json(&texts[i].report, texts[i].name, &out);
		else
			eem_report_print(&texts[i].report, texts[i].name, &out);
		add_up(&totals, &texts[i].report);
	}
	print_totals(&totals, o->json, &out);
	put(stdout, &out);
	buffer_done(&out);
	return totals.count[EEM_ERROR] + totals.count[EEM_WARNING] ? EXIT_FAULT_FOUND : EXIT_NOTHING_WRONG;
}

int lint_main(int argc, char **argv)
{
	struct lint_options o = { 0 };
	struct eem_lint_text *texts;
	struct buffer *bytes;
	uint32_t read = 0;
	bool failed = false;
	int status = read_options(argc, argv, &o);

	if (status)
		return status - 1;
	texts = memory_new((size_t)o.count, sizeof(*texts));
	bytes = memory_new((size_t)o.count, sizeof(*bytes));
	for (int i = 0; texts && bytes && i < o.count; i++) {
		int error = input_read_whole(o.files[i], TEXT_MOST, &bytes[read]);

		if (error < 0) {
			fprintf(stderr, "spimend lint: %s: %s\n", o.files[i], spimend_strerror(error));
			buffer_done(&bytes[read]);
			failed = true;
			continue;
		}
		texts[read].name = text_of(o.files[i]);
		texts[read].text = buffer_text(&bytes[read]);
		read++;
	}
	if (!texts || !bytes)
		status = EXIT_TROUBLE;
	else if (o.reflow)
		status = reflow_all(&o, texts, read);
	else
		status = lint_all(&o, texts, read);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "spimend lint: standard output: %s\n", spimend_strerror(-errno));
		status = EXIT_TROUBLE;
	}
	for (uint32_t i = 0; texts && bytes && i < read; i++) {
		eem_report_done(&texts[i].report);
		buffer_done(&bytes[i]);
	}
	memory_free(texts);
	memory_free(bytes);
	return failed ? EXIT_TROUBLE : status;
}
