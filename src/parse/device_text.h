/* SPDX-License-Identifier: MIT */
/*
 * What a router's or firewall's terminal prints over SSH: bytes in, in whatever chunks, and out of it "it waits for the next
 * command, and this is what the last one printed", or "it asks something". IOS, IOS XE, SD-WAN (vEdge too) and ASA.
 *
 * Called in the role sense, once for each session, by who knows what was typed. Pure: the time is an argument, and memory is
 * bounded whatever comes. It believes nothing: a prompt counts at a line's start alone, when nothing comes behind it for a
 * while, and once it is learned with that name alone. Names with blanks in them, as `prompt` can make them, are not learned.
 * It never says what to type, and holds no password.
 *
 * In turn: device_text_bytes() for what came, device_text_event() behind it and at device_text_due(); upon an event
 * device_text_command() or device_text_answer() together with what is typed. Where a password is asked for and nobody
 * typed `enable`, it is a banner that asks, and gets none.
 */
#ifndef PARSE_DEVICE_TEXT_H
#define PARSE_DEVICE_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

#define DEVICE_TEXT_OUTPUT_MAX (8u << 20) /* bytes of one command's output; what is beyond is lost, and said */
#define DEVICE_TEXT_LOGS_MAX (64u << 10)  /* bytes of the log lines between two commands; they are all counted */
#define DEVICE_TEXT_LINE_MAX 8192         /* columns of a line; what stands beyond is lost, and said */
#define DEVICE_TEXT_GARBAGE (64u << 10)   /* bytes without a line's end: this is no terminal of a device */
#define DEVICE_TEXT_COMMAND_MAX 1024      /* bytes of a command; of a longer one no echo is known */
#define DEVICE_TEXT_NAME_MAX 97           /* of a prompt, with its NUL */
#define DEVICE_TEXT_QUIET_NS (INT64_C(200) * 1000000)       /* behind a prompt or a question */
#define DEVICE_TEXT_LOGIN_QUIET_NS (INT64_C(700) * 1000000) /* behind the first: banners may pause */

enum device_level {
	DEVICE_LEVEL_USER,       /* "hub>" */
	DEVICE_LEVEL_PRIVILEGED, /* "hub#" */
	DEVICE_LEVEL_CONFIGURE,  /* "hub(config-if)#" */
	DEVICE_LEVEL_OTHER,      /* "hub(tcl)#", "hub(boot)>": nothing is to be typed there but the way out */
};

/* What the device said of the command, in the first lines of its output. */
enum device_error {
	DEVICE_ERROR_NONE,
	DEVICE_ERROR_REMARK,       /* "% " and something else: "% DMVPN is not configured" */
	DEVICE_ERROR_OTHER,        /* "ERROR: ..." of ASA, "%Error ..." */
	DEVICE_ERROR_INVALID,      /* it does not know the command */
	DEVICE_ERROR_INCOMPLETE,
	DEVICE_ERROR_AMBIGUOUS,
	DEVICE_ERROR_UNAUTHORIZED, /* the user may not */
	DEVICE_ERROR_BAD_SECRET,   /* the password of `enable` is wrong, or there is none */
};

enum device_event_kind {
	DEVICE_EVENT_PROMPT,   /* the command is done */
	DEVICE_EVENT_MORE,     /* a page is full: a blank goes on, q ends it */
	DEVICE_EVENT_PASSWORD,
	DEVICE_EVENT_USERNAME,
	DEVICE_EVENT_CONFIRM,  /* "[confirm]": Enter or y is yes, anything else no */
	DEVICE_EVENT_YES_NO,   /* "[yes/no]:", "(y/n)?", "[no]:" */
	DEVICE_EVENT_GARBAGE,  /* said once for each command; what comes goes on being read and dropped */
};

struct device_event {
	enum device_event_kind kind;
	/* Of PROMPT alone; texts are borrowed until the next call that is not device_text_due(). */
	enum device_level level;
	struct text name;         /* "hub", "asa/ctx", "asa/pri/act" */
	bool moved;               /* its last part is another than at the login: a failover of ASA */
	struct text output;       /* lines, each with its line feed; at the first prompt: the banners */
	struct text logs;         /* lines that the device wrote in between, and what came while nothing was asked */
	struct text clock;        /* "Time source is NTP, 14:13:05.123 UTC ..." where it was printed before the output */
	enum device_error error;
	bool echoed;              /* the command came back as it was typed: the output is that command's */
	bool paged;               /* a page prompt was in it: no evidence (devices.md 3) */
	bool cut;                 /* more than may be kept: no evidence */
	uint32_t log_lines;       /* how many were split out; one may have broken the line before it in two: read it again */
	uint32_t unasked_lines;   /* and how many came before the command and are no log */
	uint64_t controls;        /* escape sequences and control bytes that were taken out */
};

struct device_text; /* opaque */

struct device_text *device_text_new(void); /* NULL: no memory */
void device_text_free(struct device_text *text); /* NULL is fine */

/* What came, at that time (monotonic nanoseconds). */
void device_text_bytes(struct device_text *text, struct text bytes, int64_t now);
/* True: *ret says what is to be reacted to. Each thing is said once. */
bool device_text_event(struct device_text *text, int64_t now, struct device_event *ret);
/* When to ask for it if nothing comes before; INT64_MAX: not before something comes. */
int64_t device_text_due(const struct device_text *text);

/* A line is typed at the prompt: an output begins. `of_log`: it shows a log, so that lines of the log are what it prints. */
void device_text_command(struct device_text *text, struct text command, bool of_log);
/* What MORE, PASSWORD, CONFIRM and their like ask for is typed: the output goes on. `secret`: should the device echo it, it
 * does not get into the output. */
void device_text_answer(struct device_text *text, bool secret);

/* For whoever gives up: what the output has so far, and the line that has no end yet. Borrowed as above. */
struct text device_text_output(const struct device_text *text);
struct text device_text_unfinished(const struct device_text *text);
const char *device_error_name(enum device_error error); /* "the device does not know the command" */

#endif
