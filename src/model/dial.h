/* SPDX-License-Identifier: MIT */
/*
 * What the role dial is asked to send, and how that fares. Plain data of fixed size. A receiver is named by its place in
 * struct config_notify and by the mark of that entry, never by an address: a message that was meant for an older
 * configuration goes nowhere.
 */
#ifndef MODEL_DIAL_H
#define MODEL_DIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/calendar.h"
#include "model/snmp.h"

#define DIAL_LINE_MAX 1024
#define DIAL_NAME_MAX 128
#define DIAL_WHY_MAX 96

struct dial_line { /* to one syslog server */
	uint32_t host;
	uint64_t mark;
	uint64_t number;      /* counts this gateway's lines, as IOS does in front of them */
	struct instant at;    /* wall */
	uint8_t severity;     /* 0 to 7 */
	char text[DIAL_LINE_MAX]; /* printable ASCII */
};

struct dial_trap { /* to one SNMP host: cEventMgrPolicyEvent, or cEventMgrServerEvent */
	uint32_t host;
	uint64_t mark;
	bool is_server, has_int1, has_int2, has_text;
	int32_t int1, int2, status;
	uint32_t index;       /* of the row in the history, from 1 */
	uint32_t uptime;      /* of the gateway, hundredths of a second */
	char name[DIAL_NAME_MAX];      /* the applet */
	char text[SNMP_STRING_MAX];    /* with its NUL */
};

#define DIAL_BODY_MAX 12288
struct dial_mail { /* of an applet's action: to the server that it names */
	uint64_t request;     /* not 0 */
	uint32_t policy, action; /* in the configuration's applets ... */
	uint64_t mark;        /* ... and of that action */
	struct instant at;    /* wall */
	char from[256], to[512], cc[512], subject[256]; /* printable ASCII */
	char body[DIAL_BODY_MAX]; /* and line feeds */
};
struct dial_mailed { /* what became of it */
	uint64_t request;
	bool sent;
	char why[DIAL_WHY_MAX];
};

enum dial_kind { DIAL_SYSLOG, DIAL_SNMP, DIAL_WEBHOOK, DIAL_PROGRAM, DIAL_KINDS };
#define DIAL_HOOK_WORD_MAX 24
/* A change of an incident: to all web servers of the configuration, or to its program. */
#define DIAL_HOOK_BODY_MAX 24576
#define DIAL_HOOK_ID_MAX 48
struct dial_hook {
	char id[DIAL_HOOK_ID_MAX]; /* of this change; the same each time that it is tried */
	char state[DIAL_HOOK_WORD_MAX]; /* of the incident */
	uint32_t length;
	char body[DIAL_HOOK_BODY_MAX]; /* spimend.incident/1; UTF-8 on one line */
};

struct dial_state { /* of one receiver */
	enum dial_kind kind;
	uint32_t host;
	uint64_t mark;
	bool up;              /* connected; without a connection (UDP): the latest datagram went out */
	uint32_t waiting;
	uint64_t sent, dropped, failures;
	char why[DIAL_WHY_MAX]; /* the latest failure; printable ASCII */
};

bool dial_valid_line(const struct dial_line *line);
bool dial_valid_trap(const struct dial_trap *trap);
bool dial_valid_mail(const struct dial_mail *mail);
bool dial_valid_mailed(const struct dial_mailed *mailed);
bool dial_valid_hook(const struct dial_hook *hook);
bool dial_valid_state(const struct dial_state *state);

#endif
