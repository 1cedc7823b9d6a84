/* SPDX-License-Identifier: MIT */
#include "cmd/inventory.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/memory.h"
#include "cmd/analyze.h"
#include "cmd/inventory_yaml.h"
#include "parse/config.h"
#include "sense/input.h"
#include "spimend/error.h"

#define TEXT_MOST (64u << 20) /* bytes of one file */

static const char usage[] =
	"Usage: spimend inventory [--platform PLATFORM] FILE...\n"
	"\n"
	"Reads Ansible inventories (YAML, or what ansible-inventory lists) and NetBox's devices (JSON), and prints 'device'\n"
	"blocks for spimend.conf. '-' is standard input. What is left out is said on stderr, with its reason; names are not\n"
	"looked up, and passwords are neither printed nor used.\n"
	"\n"
	"  --platform P     ios, ios-xe, sd-wan or asa: what those are that name no platform; without it they are left out\n"
	"  --help           this text\n"
	"\n"
	"Exit status: 0 all of it is printed, 1 something was left out, 2 wrong use or something could not be read.\n";

struct options {
	enum platform platform;
	char **files; /* borrows */
	int count;
};

static bool read_platform(const char *word, enum platform *ret)
{
	for (int i = PLATFORM_UNKNOWN + 1; i < PLATFORMS; i++) {
		if (!text_equal_nocase(text_of(word), text_of(platform_name((enum platform)i))))
			continue;
		*ret = (enum platform)i;
		return true;
	}
	fprintf(stderr, "spimend inventory: --platform %s: ios, ios-xe, sd-wan or asa is expected\n", word);
	return false;
}

/* 0, or the exit status to end with, plus one. */
static int read_options(int argc, char **argv, struct options *o)
{
	static const struct option options[] = {
		{ "platform", required_argument, NULL, 'p' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	char program[] = "spimend inventory"; /* as getopt names it in its messages */
	char *given = argv[0];
	int option, result = 0;

	argv[0] = program;
	while (result == 0 && (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'h') {
			fputs(usage, stdout);
			result = EXIT_NOTHING_WRONG + 1;
		} else if (option != 'p' || !read_platform(optarg, &o->platform)) {
			fputs("Try 'spimend inventory --help'.\n", stderr);
			result = EXIT_TROUBLE + 1;
		}
	}
	argv[0] = given;
	o->files = argv + optind;
	o->count = argc - optind;
	if (result == 0 && o->count == 0) {
		fputs("spimend inventory: no file named ('-' is standard input)\nTry 'spimend inventory --help'.\n", stderr);
		result = EXIT_TROUBLE + 1;
	}
	return result;
}

static void on_say(void *context, uint32_t file, uint32_t line, struct text why)
{
	const struct options *o = context;

	if (line)
		fprintf(stderr, "%s:%" PRIu32 ": %.*s\n", o->files[file], line, TEXT_ARG(why));
	else
		fprintf(stderr, "%s: %.*s\n", o->files[file], TEXT_ARG(why));
}

static int read_file(const struct options *o, uint32_t file, struct inventory *inventory)
{
	cleanup(buffer_done) struct buffer bytes = { 0 }, why = { 0 };
	cleanup(inventory_tree_done) struct inventory_tree tree = { 0 };
	uint32_t line = 0;
	int result = input_read_whole(o->files[file], TEXT_MOST, &bytes);

	if (result < 0) {
		fprintf(stderr, "spimend inventory: %s: %s\n", o->files[file], spimend_strerror(result));
		return result;
	}
	result = inventory_yaml_read(buffer_text(&bytes), &tree, &line, &why);
	if (result < 0 && why.len)
		fprintf(stderr, "%s:%" PRIu32 ": neither YAML nor JSON: %.*s\n", o->files[file], line, TEXT_ARG(buffer_text(&why)));
	if (result == 0)
		result = inventory_read(inventory, &tree, file);
	if (result == -ENOMEM)
		fprintf(stderr, "spimend inventory: %s: %s\n", o->files[file], spimend_strerror(result));
	return result;
}

/* What is printed is read as the daemon will: circles of jumps, and too many kinds of logins, show there. */
static bool check(struct text printed)
{
	struct config *config cleanup(memory_free_pointer) = memory_new(1, sizeof(*config));
	cleanup(memory_free_pointer) struct config_report *report = memory_new(1, sizeof(*report));

	if (!config || !report) {
		fprintf(stderr, "spimend inventory: %s\n", spimend_strerror(-ENOMEM));
		return false;
	}
	if (config_parse(printed, config, report) == 0)
		return true;
	for (uint32_t i = 0; i < report->kept; i++)
		if (!report->problems[i].is_warning)
			fprintf(stderr, "printed, line %" PRIu32 ": %s\n", report->problems[i].line, report->problems[i].text);
	return false;
}

static void print_counts(const struct inventory_counts *c)
{
	fprintf(stderr, "spimend inventory: %" PRIu32 " device%s, %" PRIu32 " left out", c->devices, c->devices == 1 ? "" : "s", c->left_out);
	if (c->without_login)
		fprintf(stderr, "; %" PRIu32 " without 'ssh user': that takes a user and a key file", c->without_login);
	if (c->passwords)
		fprintf(stderr, "; %" PRIu64 " password%s in it, not used", c->passwords, c->passwords == 1 ? "" : "s");
	fputs("\n", stderr);
}

static int run(struct options *o, struct inventory *inventory)
{
	cleanup(buffer_done) struct buffer out = { 0 };
	struct inventory_counts counts;
	int status = EXIT_NOTHING_WRONG;

	for (int i = 0; i < o->count; i++)
		if (read_file(o, (uint32_t)i, inventory) < 0)
			status = EXIT_TROUBLE;
	if (inventory_finish(inventory) < 0)
		return EXIT_TROUBLE;
	inventory_print(inventory, &out);
	counts = inventory_count(inventory);
	if (buffer_error(&out) || fwrite(out.bytes ? out.bytes : "", 1, out.len, stdout) < out.len || fflush(stdout) != 0) {
		fprintf(stderr, "spimend inventory: standard output: %s\n", spimend_strerror(out.failed ? -ENOMEM : -errno));
		return EXIT_TROUBLE;
	}
	if ((!check(buffer_text(&out)) || counts.left_out) && status == EXIT_NOTHING_WRONG)
		status = EXIT_FAULT_FOUND;
	print_counts(&counts);
	return status;
}

int inventory_main(int argc, char **argv)
{
	struct options o = { .platform = PLATFORM_UNKNOWN };
	int result = read_options(argc, argv, &o);
	struct inventory *inventory;

	if (result)
		return result - 1;
	inventory = inventory_new(o.platform, on_say, &o);
	if (!inventory) {
		fprintf(stderr, "spimend inventory: %s\n", spimend_strerror(-ENOMEM));
		return EXIT_TROUBLE;
	}
	result = run(&o, inventory);
	inventory_free(inventory);
	return result;
}
