/* SPDX-License-Identifier: MIT */
/* The command: finds the verb and hands over. */
#include <stdio.h>
#include <string.h>

#include "cmd/analyze.h"
#include "cmd/audit.h"
#include "cmd/inventory.h"
#include "cmd/lint.h"
#include "cmd/remote.h"
#include "cmd/report.h"
#include "cmd/shell.h"

static const char usage[] =
	"Usage: spimend COMMAND ...\n"
	"\n"
	"  analyze FILE...   find unknown SPIs in logs, judge them, and say what to type where\n"
	"  audit NAME=FILE... compare SA tables saved from several devices: what only one end has; --live asks them\n"
	"  lint FILE...      find what is wrong with EEM applets in IOS configurations; --reflow restores their lines\n"
	"  inventory FILE... print an Ansible or NetBox inventory as devices of the configuration\n"
	"  status            ask the running daemon how it is\n"
	"  incidents         what the daemon has found\n"
	"  stats             how often and how long packets were black-holed, what repairs spared, what recurs\n"
	"  explain ID        one of its incidents in full\n"
	"  report ID         one of them with all that was recorded around it, as a folder or an archive\n"
	"  evidence ID       what the flight recorder has of it\n"
	"  watch             its incidents as they change\n"
	"  approve ID STEP   agree to a step that waits for a person; 'deny ID STEP' says no\n"
	"  journal DEVICE    what was typed on a device and what it printed, byte for byte, secrets taken out\n"
	"  token             a personal token for the daemon's page; 'metrics' prints what is counted\n"
	"  shell             type IOS-like commands for the running daemon; -c \"COMMAND\" runs one\n"
	"  --version         print the version\n"
	"  --help            this text; 'spimend analyze --help' for a command's own\n";

static const char *const remote[] = { "status", "incidents", "stats", "explain", "evidence", "watch", "approve", "deny", "journal",
				      "token", "metrics" };

int main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";

	if (strcmp(command, "analyze") == 0)
		return analyze_main(argc - 1, argv + 1);
	if (strcmp(command, "audit") == 0)
		return audit_main(argc - 1, argv + 1);
	if (strcmp(command, "lint") == 0)
		return lint_main(argc - 1, argv + 1);
	if (strcmp(command, "inventory") == 0)
		return inventory_main(argc - 1, argv + 1);
	if (strcmp(command, "report") == 0)
		return report_main(argc - 1, argv + 1);
	if (strcmp(command, "--help") == 0 || strcmp(command, "help") == 0) {
		fputs(usage, stdout);
		return EXIT_NOTHING_WRONG;
	}
	if (strcmp(command, "--version") == 0) {
		puts("spimend " SPIMEND_VERSION);
		return EXIT_NOTHING_WRONG;
	}
	if (strcmp(command, "shell") == 0 || strcmp(command, "-c") == 0)
		return shell_main(argc - 1, argv + 1);
	for (size_t i = 0; i < sizeof(remote) / sizeof(remote[0]); i++)
		if (strcmp(command, remote[i]) == 0)
			return remote_main(argc - 1, argv + 1);
	if (argc > 1)
		fprintf(stderr, "spimend: no command '%s'\n", command);
	fputs(usage, stderr);
	return EXIT_TROUBLE;
}
