/* SPDX-License-Identifier: MIT */
#include "cmd/shell.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/analyze.h"
#include "cmd/session.h"
#include "cmd/terminal.h"

#define COMMANDS_MAX 64
#define LINE_ROOM (CONTROL_LINE_MAX + 1)

static const char usage[] =
	"Usage: spimend shell [--socket PATH] [--ssh]\n"
	"       spimend -c \"COMMAND\" [-c \"COMMAND\"]... [--socket PATH]\n"
	"\n"
	"IOS-like commands for the running daemon, spimendd. 'enable' is for root and for the\n"
	"members of the group that 'operators' names in its configuration.\n"
	"\n"
	"  shell            type them; '?' tells what may stand where; lines of a pipe will do\n"
	"  -c COMMAND       this one and no more; several share one session, in their order\n"
	"\n"
	"  --ssh            for sshd's ForceCommand: runs what the client asked for, if anything\n"
	"  --socket PATH    where the daemon listens (default " CONTROL_SOCKET ")\n"
	"  --help           this text\n"
	"\n"
	"Exit status: 0 every command was understood and done, 2 one was refused, wrong use, or\n"
	"the daemon could not be asked.\n";

struct shell {
	const char *socket;
	const char *commands[COMMANDS_MAX];
	size_t command_count;
	bool ssh;
	int status;
};

/* 0, or the exit status to end with, plus one. */
static int read_options(int argc, char **argv, struct shell *shell)
{
	static const struct option options[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "ssh", no_argument, NULL, 'S' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	char name[] = "spimend shell";
	int option;

	argv[0] = name; /* getopt_long() names the program by it */
	optind = 0;
	while ((option = getopt_long(argc, argv, "c:", options, NULL)) >= 0) {
		switch (option) {
		case 'c':
			if (shell->command_count == COMMANDS_MAX) {
				fprintf(stderr, "spimend shell: at most %d commands\n", COMMANDS_MAX);
				return EXIT_TROUBLE + 1;
			}
			shell->commands[shell->command_count++] = optarg;
			break;
		case 's':
			shell->socket = optarg;
			break;
		case 'S':
			shell->ssh = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return EXIT_NOTHING_WRONG + 1;
		default:
			return EXIT_TROUBLE + 1;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "spimend shell: unexpected argument '%s': a command goes behind -c, in quotes\n", argv[optind]);
		return EXIT_TROUBLE + 1;
	}
	return 0;
}

/* Runs one line and prints. False: the session is over, or cannot go on. */
static bool run_line(struct shell *shell, struct session *session, struct text line, struct buffer *out)
{
	if (session_ask(session, CONTROL_RUN, line, out) < 0) {
		shell->status = EXIT_TROUBLE;
		return false;
	}
	if (out->len && (fwrite(out->bytes, 1, out->len, stdout) != out->len || fflush(stdout) != 0)) {
		fputs("spimend shell: standard output cannot be written\n", stderr);
		shell->status = EXIT_TROUBLE;
		return false;
	}
	if (session->was_lost) {
		fputs("spimend shell: the session had ended: a new one begins, the line was not run\n", stderr);
		session->is_refused = true;
	}
	if (session->is_refused)
		shell->status = EXIT_TROUBLE;
	return !session->state.over;
}

static void run_pipe(struct shell *shell, struct session *session, struct buffer *out)
{
	char line[LINE_ROOM];
	bool goes_on = true;

	while (goes_on && fgets(line, sizeof(line), stdin)) {
		size_t len = strcspn(line, "\n");

		if (len == sizeof(line) - 1) { /* the rest of a line that is too long is no line of its own */
			int c;

			while ((c = fgetc(stdin)) != EOF && c != '\n')
				;
		}
		goes_on = run_line(shell, session, (struct text){ line, len }, out);
	}
}

int shell_main(int argc, char **argv)
{
	struct shell shell = { .socket = CONTROL_SOCKET };
	struct session session;
	struct buffer out = { 0 };
	const char *asked;
	bool is_terminal;
	int result;

	if (strcmp(argv[0], "-c") == 0) { /* "spimend -c X": the option is the command's name */
		argc++;
		argv--;
	}
	result = read_options(argc, argv, &shell);
	if (result)
		return result - 1;
	asked = shell.ssh ? getenv("SSH_ORIGINAL_COMMAND") : NULL;
	if (asked)
		shell.commands[shell.command_count++] = asked;
	is_terminal = shell.command_count == 0 && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	if (session_begin(&session, "shell", shell.socket, is_terminal) < 0) {
		session_end(&session);
		return EXIT_TROUBLE;
	}
	if (is_terminal)
		shell.status = terminal_run(&session) < 0 ? EXIT_TROUBLE : EXIT_NOTHING_WRONG;
	else if (shell.command_count == 0)
		run_pipe(&shell, &session, &out);
	for (size_t i = 0; i < shell.command_count; i++)
		if (!run_line(&shell, &session, text_of(shell.commands[i]), &out))
			break;
	session_end(&session);
	buffer_done(&out);
	return shell.status;
}
