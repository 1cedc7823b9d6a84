/* SPDX-License-Identifier: MIT */
/* The daemon: options in, a role out. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "repair/ssh_ask.h"
#include "role/parent.h"
#include "role/roles.h"

static const char usage[] =
	"usage: spimendd [-n] [-f] [-c FILE]\n"
	"  -c FILE    the configuration, " PARENT_CONFIG " unless told otherwise\n"
	"  -f         stay in front and log to stderr\n"
	"  -n         check the configuration and exit: 0 it is fine, 2 it is not\n"
	"  --help, --version\n"
	"SIGHUP reads the configuration again, SIGTERM stops.\n";

/* How the parent executes its roles. */
static int run_role(const char *name)
{
	if (strcmp(name, "sense") == 0)
		return sense_role_run();
	if (strcmp(name, "core") == 0)
		return core_role_run();
	if (strcmp(name, "act") == 0)
		return act_role_run();
	if (strcmp(name, "dial") == 0)
		return dial_role_run();
	if (strcmp(name, "ssh") == 0)
		return ssh_role_run();
	if (strcmp(name, "web") == 0)
		return web_role_run();
	if (strcmp(name, "hook") == 0)
		return hook_role_run();
	fprintf(stderr, "spimendd: there is no role %s\n", name);
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option known[] = {
		{ "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, 'V' }, { "role", required_argument, NULL, 'r' },
		{ NULL, 0, NULL, 0 },
	};
	struct parent_options options = { .config = PARENT_CONFIG };
	const char *slip = getenv(SSH_ASK_VARIABLE);
	int option;

	if (slip) /* ssh, which the role of that name started, asks for a password; its only argument is the question */
		return ssh_ask_answer(slip);
	while ((option = getopt_long(argc, argv, "nfc:", known, NULL)) != -1) {
		switch (option) {
		case 'n':
			options.is_check = true;
			break;
		case 'f':
			options.in_front = true;
			break;
		case 'c':
			options.config = optarg;
			break;
		case 'r':
			return run_role(optarg);
		case 'h':
			fputs(usage, stdout);
			return 0;
		case 'V':
			puts("spimendd " SPIMEND_VERSION);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "spimendd: unexpected argument '%s'\n%s", argv[optind], usage);
		return 2;
	}
	return parent_run(&options);
}
