/* SPDX-License-Identifier: MIT */
/*
 * The part of the configuration that says who is told, as a program would want it, of each change of an incident: web
 * servers and a program of this machine. Part of struct config; plain data of fixed size.
 */
#ifndef MODEL_CONFIG_HOOK_H
#define MODEL_CONFIG_HOOK_H

#include "model/config_notify.h"

#define HOOK_WEBS_MAX 4
#define HOOK_PATH_MAX 256
#define HOOK_ARGUMENTS_MAX 512
#define HOOK_PROCESSES_MAX 64 /* of the program's user */

struct hook_web { /* hook webhook */
	bool tls;                       /* https */
	uint16_t port;
	char host[NOTIFY_SERVER_MAX];   /* a name that 'ip host' knows, or an address without brackets */
	char path[HOOK_PATH_MAX];       /* "/..." and its query; printable, no blank */
	char secret_file[NOTIFY_FILE_MAX];
};

struct config_hooks {
	struct hook_web webs[HOOK_WEBS_MAX];
	uint32_t web_count;
	char program[NOTIFY_FILE_MAX];  /* hook exec; empty: none */
	char arguments[HOOK_ARGUMENTS_MAX]; /* behind it, separated by blanks */
	char user[64];                  /* hook user: whom the program runs as */
};

/* False: it is a name that no 'ip host' line knows. */
bool hook_web_address(const struct hook_web *web, const struct config_notify *notify, struct spimend_address *ret);
/* "https://hooks.example:8443/x": as it stands in the configuration. `to` has room for HOOK_URL_MAX. */
#define HOOK_URL_MAX (NOTIFY_SERVER_MAX + HOOK_PATH_MAX + 24)
const char *hook_web_print(const struct hook_web *web, char to[HOOK_URL_MAX]);
/* For logs and status, which others read: of a query, in which many servers want a key, that it is there. */
const char *hook_web_show(const struct hook_web *web, char to[HOOK_URL_MAX]);
/* Another one after whatever changed. */
uint64_t hook_web_mark(const struct hook_web *web);

#endif
