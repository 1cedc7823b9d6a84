/* SPDX-License-Identifier: MIT */
/*
 * The command line: one line in, text out. IOS's manners (DESIGN.md 8): a command graph as data, each word abbreviated as
 * far as it stays unique, '?' at any place, modes, `no`, `do`, pipes and files.
 *
 * Called by the role core for people (`spimend shell`, `spimend -c`) and for an applet's `action cli command`: both take
 * this one way. Pure: what a command needs from the world it asks of a port. Nothing here decides who may `enable`: whoever
 * makes a session says so, by the kernel's word about the caller or by the applet's privilege.
 *
 * Output is bounded (EXEC_OUTPUT_MAX before the pipes, the same after them); what is cut is said.
 */
#ifndef EXEC_EXEC_H
#define EXEC_EXEC_H

#include "base/buffer.h"
#include "exec/view.h"

#define EXEC_LINE_MAX 1024         /* bytes of a line; longer ones are refused */
#define EXEC_OUTPUT_MAX (16u << 20)
#define EXEC_HISTORY_MAX 20        /* lines that `show history` knows, as on IOS */
#define EXEC_NAME_MAX 64
#define EXEC_WHY_MAX 320
#define EXEC_PROMPT_MAX 96

enum exec_mode { EXEC_MODE_USER, EXEC_MODE_ENABLE, EXEC_MODE_CONFIG, EXEC_MODE_SPIMEND, EXEC_MODE_DEVICE,
		 EXEC_MODE_APPLET, EXEC_MODES };

/* Who types, for the log and for what is allowed. */
enum exec_source { EXEC_FROM_PERSON, EXEC_FROM_APPLET };
struct exec_who {
	enum exec_source source;
	uint32_t uid;                /* of a person */
	char name[EXEC_NAME_MAX];    /* "uid 0", or the applet's name */
	bool may_enable;             /* root or an operator; an applet of privilege 15 */
	bool may_write_startup;      /* root */
	bool shows_prompt;           /* the front end shows the prompt and the line: the '^' stands under it */
	uint64_t terminal;           /* where what applets put is shown; 0: nowhere */
	uint64_t run;                /* of an applet: the run that types */
};

struct exec_session; /* opaque: mode, privilege, history, an applet being typed */

/* NULL: no memory. `port` is borrowed, `who` copied. An applet's session begins in user mode too (eem.md 4). */
struct exec_port;
struct exec_session *exec_session_new(const struct exec_port *port, const struct exec_who *who);
void exec_session_free(struct exec_session *session); /* an applet that was being typed is dropped. NULL is fine */

enum exec_result {
	EXEC_FINE,     /* done, or nothing to do */
	EXEC_REFUSED,  /* not understood, not allowed, or failed: the text says why, after "% " */
	EXEC_LATER,    /* not done yet: the port finishes it (exec_port.write_startup, .typed, .run_applet, .on_device). Nothing
			* is to be typed before that */
	EXEC_GONE,     /* `exit` or `logout` in user or privileged mode: the session is over */
};

/* Runs one line. Adds what is to be shown, each line with its line feed. */
enum exec_result exec_run(struct exec_session *session, struct text line, struct buffer *out);
/* After EXEC_LATER: what became of it, as the port's owner tells. */
void exec_finish(struct exec_session *session, int error, const char *why, struct buffer *out);
/* The same for what a device printed: it goes through the pipes that were typed. `why` NULL, or why there is no more. */
enum exec_result exec_finish_output(struct exec_session *session, struct text output, const char *why, struct buffer *out);
/* The same for an applet that was waited for: it has shown itself what there is to show. */
void exec_applet_ended(struct exec_session *session);
/* The line that exec_port.typed held: it is run now, or it is not. As exec_run(). */
enum exec_result exec_resume(struct exec_session *session, bool run_it, struct buffer *out);
/* What may stand where `before` ends, as '?' shows it there; `before` without the '?'. */
void exec_help(struct exec_session *session, struct text before, struct buffer *out);
/* What may stand in place of the last, unfinished word: "word\n" each. Nothing: none, or an argument. */
void exec_complete(struct exec_session *session, struct text before, struct buffer *out);
/* "hub#", "hub(config-applet)#". Borrowed until the next call for that session. */
const char *exec_prompt(struct exec_session *session);
enum exec_mode exec_session_mode(const struct exec_session *session);
const struct exec_who *exec_session_who(const struct exec_session *session);

/* Lines of a terminal page; 0: no pages. The front end pages, the session remembers `terminal length`. */
unsigned exec_session_length(const struct exec_session *session);

#endif
