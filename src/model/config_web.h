/* SPDX-License-Identifier: MIT */
/*
 * The part of the configuration that says where the page and its API are served, and under which further names. Part of
 * struct config; plain data of fixed size. Off where no listener is named.
 */
#ifndef MODEL_CONFIG_WEB_H
#define MODEL_CONFIG_WEB_H

#include <stdbool.h>
#include <stdint.h>

#include "spimend/address.h"

#define WEB_LISTENERS_MAX 4
#define WEB_NAMES_MAX 4
#define WEB_NAME_MAX 64
#define WEB_PATH_MAX 108 /* what a unix socket's address holds */

struct web_listener { /* web listen: `path` is empty for TCP */
	struct spimend_address address; /* of loopback alone */
	uint16_t port;
	char path[WEB_PATH_MAX];
};

struct config_web {
	struct web_listener listeners[WEB_LISTENERS_MAX];
	uint32_t listener_count;
	char names[WEB_NAMES_MAX][WEB_NAME_MAX]; /* web name: lower case */
	uint32_t name_count;
	char user[WEB_NAME_MAX]; /* web user: the role runs as this */
};

/* 127.0.0.0/8 or ::1. */
bool web_address_is_loopback(const struct spimend_address *address);
/* The role is to run. */
bool web_is_wanted(const struct config_web *web);

#endif
