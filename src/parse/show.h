/* SPDX-License-Identifier: MIT */
/*
 * What all readers of saved command output share: a terminal's line without the pager's traces, prompts, the command that
 * was typed, syslog lines that came in between; and the shape of a reader. Pure.
 *
 * A reader takes one line after another, each without its line break, and gives back finished records; it keeps nothing
 * of the text. Called by parse/device_output.c alone, for saved files now and for answers over SSH later.
 */
#ifndef PARSE_SHOW_H
#define PARSE_SHOW_H

#include "model/saved.h"

enum show_result {
	SHOW_NOTHING, /* the line is not of this output */
	SHOW_TAKEN,
	SHOW_RECORD,  /* as TAKEN, and *ret holds a finished record of this or earlier lines */
	SHOW_BAD,     /* a row of this output that cannot be read: ret->reason says why */
};

/* The line without the pager's word, the backspaces that wipe it off, colours and blanks at its ends. */
struct text show_clean(struct text line);
/* hub#, hub>, hub/pri/act#, hub(config)#, [root@gw ~]#, root@gw:~$. Takes it off a cleaned line; false when none is there.
 * ret_host is the device's own name in it, without mode and failover state. */
bool show_take_prompt(struct text *t, struct text *ret_host);
/* A syslog message that came to the terminal: %FACILITY-n-NAME. */
bool show_is_syslog(struct text t);
/* True for a line that asks for a key press, and the ends of the output that nobody pressed one for. */
bool show_is_pager(struct text line);

/* The command that was typed, abbreviated as far as IOS takes it; OUTPUT_NONE for another one. */
enum saved_output show_command(struct text typed, struct saved_filter *ret_filter);

/* A whole number, "None" apart. False when the text is none or is above 32 bits. */
bool show_number(struct text t, uint32_t *ret);
/* "192.0.2.1/4500", "192.0.2.1[4500]"; the port is left alone where there is none. */
bool show_address_port(struct text t, struct spimend_address *ret, uint16_t *ret_port);
/* It begins with one of them: lines that are known and not wanted. */
bool show_starts_any(struct text t, const char *const words[], size_t count);

#endif
