/* SPDX-License-Identifier: MIT */
#include "cmd/terminal.h"

#include <histedit.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <termios.h>
#include <unistd.h>

#define HISTORY_LINES 200
#define LENGTH_DEFAULT 24 /* `terminal length` that nobody has set: the window's own then */

struct terminal {
	struct session *session; /* borrows */
	EditLine *line;          /* owns */
	History *history;        /* owns */
	struct buffer out;
	bool failed;
};

/* --- Pages ------------------------------------------------------------------------------------------------------------ */

static unsigned page_lines(const struct terminal *t)
{
	struct winsize size;

	if (t->session->state.page != LENGTH_DEFAULT) /* somebody set it; 0: no pages */
		return t->session->state.page;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 2)
		return size.ws_row;
	return t->session->state.page;
}

/* One key, without waiting for a line. */
static char read_key(void)
{
	struct termios was, raw;
	char key = 'q';

	if (tcgetattr(STDIN_FILENO, &was) < 0)
		return 'q';
	raw = was;
	raw.c_lflag &= (tcflag_t)~(ICANON | ECHO);
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	if (read(STDIN_FILENO, &key, 1) != 1)
		key = 'q';
	tcsetattr(STDIN_FILENO, TCSANOW, &was);
	return key;
}

static void show(struct terminal *t)
{
	unsigned page = page_lines(t), left = page ? page - 1 : 0;
	struct text rest = buffer_text(&t->out), line;

	while (text_take_line(&rest, &line)) {
		if (page && left == 0) {
			char key;

			fputs(" --More-- ", stdout);
			fflush(stdout);
			key = read_key();
			fputs("\r          \r", stdout);
			if (key != ' ' && key != '\n' && key != '\r')
				break;
			left = key == ' ' ? page - 1 : 1;
		}
		printf("%.*s\n", TEXT_ARG(line));
		left -= left > 0;
	}
	fflush(stdout);
}

/* --- Keys ------------------------------------------------------------------------------------------------------------- */

static struct terminal *terminal_of(EditLine *line)
{
	struct terminal *t = NULL;

	el_get(line, EL_CLIENTDATA, &t);
	return t;
}

static struct text before_cursor(EditLine *line)
{
	const LineInfo *info = el_line(line);

	return text_between(info->buffer, info->cursor);
}

/* In quotes and in patterns a '?' is a '?'. */
static bool is_text(struct text before)
{
	size_t quotes = 0, bar = text_find_char(before, '|');

	for (size_t i = 0; i < before.len; i++)
		quotes += before.at[i] == '"';
	if (quotes % 2)
		return true;
	return bar != TEXT_NOT_FOUND && text_find_char(text_trim(text_skip(before, bar + 1)), ' ') != TEXT_NOT_FOUND;
}

static unsigned char on_question(EditLine *line, int key)
{
	struct terminal *t = terminal_of(line);

	(void)key;
	if (is_text(before_cursor(line)))
		return el_insertstr(line, "?") < 0 ? CC_ERROR : CC_REFRESH;
	fputs("?\n", stdout);
	if (session_ask(t->session, CONTROL_HELP, before_cursor(line), &t->out) < 0) {
		t->failed = true;
		return CC_EOF;
	}
	show(t);
	return CC_REDISPLAY;
}

/* What all candidates begin with. */
static size_t common_length(struct text candidates)
{
	struct text first, line;
	size_t len;

	if (!text_take_line(&candidates, &first))
		return 0;
	len = first.len;
	while (text_take_line(&candidates, &line)) {
		size_t n = 0;

		while (n < len && n < line.len && line.at[n] == first.at[n])
			n++;
		len = n;
	}
	return len;
}

static unsigned char on_tab(EditLine *line, int key)
{
	struct terminal *t = terminal_of(line);
	struct text before = before_cursor(line), candidates, first;
	char more[128];
	size_t typed = 0, common;

	(void)key;
	while (typed < before.len && !char_is_blank(before.at[before.len - 1 - typed]) && before.at[before.len - 1 - typed] != '|')
		typed++;
	if (session_ask(t->session, CONTROL_COMPLETE, before, &t->out) < 0) {
		t->failed = true;
		return CC_EOF;
	}
	candidates = buffer_text(&t->out);
	common = common_length(candidates);
	if (candidates.len == 0 || !text_take_line(&candidates, &first) || common < typed)
		return CC_REFRESH_BEEP;
	if (candidates.len && common == typed) { /* several, and nothing that they share */
		fputc('\n', stdout);
		show(t);
		return CC_REDISPLAY;
	}
	snprintf(more, sizeof(more), "%.*s%s", (int)(common - typed), first.at + typed, candidates.len ? "" : " ");
	return more[0] && el_insertstr(line, more) < 0 ? CC_ERROR : CC_REFRESH;
}

/* As on IOS: out of the configuration. */
static unsigned char on_control_z(EditLine *line, int key)
{
	const LineInfo *info = el_line(line);

	(void)key;
	el_cursor(line, (int)(info->lastchar - info->cursor));
	el_deletestr(line, (int)(info->lastchar - info->buffer));
	if (el_insertstr(line, "end\n") < 0)
		return CC_ERROR;
	fputs("^Z\n", stdout);
	return CC_NEWLINE;
}

static unsigned char on_control_c(EditLine *line, int key)
{
	const LineInfo *info = el_line(line);

	(void)key;
	el_cursor(line, (int)(info->lastchar - info->cursor));
	el_deletestr(line, (int)(info->lastchar - info->buffer));
	fputs("^C\n", stdout);
	return CC_REDISPLAY;
}

/* --- Life ------------------------------------------------------------------------------------------------------------- */

static char *prompt(EditLine *line)
{
	return terminal_of(line)->session->state.prompt;
}

/* Whoever gets this shell by sshd's ForceCommand gets nothing else. libedit has a command line of its own behind Meta-x: it
 * leads to vi keys, those to an editor, and that to a shell. So that key is none, and no process can be made: a limit that
 * root alone is above, who has a shell anyway. */
static void lock_in(EditLine *line)
{
	static const wchar_t *const keys[] = { L"\033x", L"\033X", L"\xf8", L"\xd8" };
	const struct rlimit none = { 0, 0 };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		el_wset(line, EL_BIND, keys[i], L"ed-unassigned", NULL);
	setrlimit(RLIMIT_NPROC, &none);
}

static int set_up(struct terminal *t)
{
	HistEvent event;

	t->line = el_init("spimend", stdin, stdout, stderr);
	t->history = history_init();
	if (!t->line || !t->history)
		return -1;
	history(t->history, &event, H_SETSIZE, HISTORY_LINES);
	history(t->history, &event, H_SETUNIQUE, 1);
	el_set(t->line, EL_CLIENTDATA, t);
	el_set(t->line, EL_PROMPT, prompt);
	el_set(t->line, EL_EDITOR, "emacs");
	el_set(t->line, EL_HIST, history, t->history);
	el_set(t->line, EL_SIGNAL, 1);
	el_set(t->line, EL_SETTY, "-d", "-isig", NULL); /* while a line is typed Ctrl-Z and Ctrl-C are keys of ours */
	el_set(t->line, EL_ADDFN, "spimend-help", "what may stand here", on_question);
	el_set(t->line, EL_ADDFN, "spimend-complete", "complete the word", on_tab);
	el_set(t->line, EL_ADDFN, "spimend-end", "out of the configuration", on_control_z);
	el_set(t->line, EL_ADDFN, "spimend-drop", "drop the line", on_control_c);
	el_set(t->line, EL_BIND, "^C", "spimend-drop", NULL);
	el_set(t->line, EL_BIND, "?", "spimend-help", NULL);
	el_set(t->line, EL_BIND, "\t", "spimend-complete", NULL);
	el_set(t->line, EL_BIND, "^Z", "spimend-end", NULL);
	el_set(t->line, EL_BIND, "^R", "em-inc-search-prev", NULL);
	lock_in(t->line);
	return 0;
}

static void remember(struct terminal *t, struct text line)
{
	HistEvent event;
	char kept[CONTROL_LINE_MAX];

	text_copy(line, kept, sizeof(kept));
	if (kept[0])
		history(t->history, &event, H_ENTER, kept);
}

static int run(struct terminal *t)
{
	const char *line = "";
	int count = 0;

	while (!t->session->state.over && !t->failed && (line = el_gets(t->line, &count)) && count > 0) {
		/* Behind a line that a key of ours ended no NUL stands. */
		struct text typed = text_trim((struct text){ line, (size_t)count });

		remember(t, typed);
		if (session_ask(t->session, CONTROL_RUN, typed, &t->out) < 0)
			return -1;
		show(t);
		if (t->session->was_lost)
			puts("% the session had ended, after ten idle minutes or with the daemon: a new one begins, the line was not run");
	}
	if (!line)
		putchar('\n');
	return t->failed ? -1 : 0;
}

int terminal_run(struct session *session)
{
	struct terminal t = { .session = session };
	int r = -1;

	/* Between two lines these keys are the terminal's again: a Ctrl-C that comes late must not end the session. */
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGTSTP, SIG_IGN);
	if (set_up(&t) == 0)
		r = run(&t);
	else
		fputs("spimend shell: the terminal cannot be used\n", stderr);
	if (t.line)
		el_end(t.line);
	if (t.history)
		history_end(t.history);
	buffer_done(&t.out);
	return r;
}
