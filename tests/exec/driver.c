/* SPDX-License-Identifier: MIT */
/*
 * The command line on a pipe, over the gateway of port.c: lines in, what a terminal would show out.
 *
 *     driver [--trace FILE] < case.in     FILE gets the syntax of every command that ran
 *     driver --rows                       all commands of the graph
 *
 * Lines that begin with '@' are for the driver: "@someone" types on without the right to enable, "@program" as a program does
 * that shows no prompt, "@complete TEXT" presses the tabulator, "@finish" and "@fail WHY" end what waits;
 * "@printed A|B" is what a device printed, two lines, and "@lost A|B" the same with the connection lost behind it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exec/private.h"
#include "port.h"

struct driver {
	struct world world;
	struct exec_session *session;
	FILE *trace;
	bool shows_prompt;
};

static void print_rows(void)
{
	const struct exec_command *command;

	for (size_t i = 0; (command = exec_command_at(i)); i++)
		printf("%s\n", command->syntax);
}

/* Which command of the graph it was, as the session sees it now. */
static void trace(struct driver *d, struct text line)
{
	static struct exec_match match;
	struct buffer why = { 0 };
	struct pipe pipe;
	size_t at;

	if (d->trace && d->session->mode < EXEC_MODE_CONFIG && pipe_read(line, &pipe, &at, &why) == 0) {
		exec_match(exec_rows, d->session, pipe.command, &match);
		if (match.result == MATCH_FOUND)
			fprintf(d->trace, "%s\n", match.row.syntax);
	}
	buffer_done(&why);
}

static void begin(struct driver *d, bool may, bool shows_prompt)
{
	struct exec_who who = { .may_enable = may, .may_write_startup = may, .shows_prompt = shows_prompt };

	snprintf(who.name, sizeof(who.name), "%s", may ? "root" : "uid 1000");
	exec_session_free(d->session);
	d->session = exec_session_new(&d->world.port, &who);
	d->shows_prompt = shows_prompt;
	if (!d->session)
		abort();
}

static void print_on_device(struct driver *d, struct text lines, const char *why, struct buffer *out)
{
	char printed[1024];

	text_copy(lines, printed, sizeof(printed) - 1);
	for (char *c = printed; *c; c++)
		*c = *c == '|' ? '\n' : *c;
	strcat(printed, "\n");
	exec_finish_output(d->session, text_of(printed), why, out);
}

static void order(struct driver *d, struct text line, struct buffer *out)
{
	struct text word = text_take_word(&line);
	char why[128];

	line = text_skip(line, 1);
	text_copy(line, why, sizeof(why));
	if (text_equal(word, TEXT("@someone")))
		begin(d, false, true);
	else if (text_equal(word, TEXT("@program")))
		begin(d, true, false);
	else if (text_equal(word, TEXT("@complete")))
		exec_complete(d->session, line, out);
	else if (text_equal(word, TEXT("@finish")))
		exec_finish(d->session, 0, NULL, out);
	else if (text_equal(word, TEXT("@fail")))
		exec_finish(d->session, -1, why, out);
	else if (text_equal(word, TEXT("@printed")))
		print_on_device(d, line, NULL, out);
	else if (text_equal(word, TEXT("@lost")))
		print_on_device(d, line, "the connection ended", out);
	else
		buffer_add_string(out, "driver: no such order\n");
}

int main(int argc, char **argv)
{
	struct driver d = { .trace = NULL };
	char line[4096];

	if (argc > 1 && strcmp(argv[1], "--rows") == 0) {
		print_rows();
		return 0;
	}
	if (argc > 2 && strcmp(argv[1], "--trace") == 0)
		d.trace = fopen(argv[2], "a");
	world_init(&d.world);
	begin(&d, true, true);
	while (fgets(line, sizeof(line), stdin)) {
		struct text text = { line, strcspn(line, "\n") };
		struct buffer out = { 0 };

		printf("%s%.*s\n", d.shows_prompt && line[0] != '@' ? exec_prompt(d.session) : "", TEXT_ARG(text));
		if (line[0] == '@') {
			order(&d, text, &out);
		} else {
			trace(&d, text);
			if (exec_run(d.session, text, &out) == EXEC_GONE)
				buffer_add_string(&out, "(the session is over)\n");
		}
		printf("%.*s", TEXT_ARG(buffer_text(&out)));
		buffer_done(&out);
	}
	if (d.world.accounts.len)
		printf("--- accounted for\n%.*s", TEXT_ARG(buffer_text(&d.world.accounts)));
	exec_session_free(d.session);
	world_done(&d.world);
	if (d.trace)
		fclose(d.trace);
	return 0;
}
