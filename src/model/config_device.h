/* SPDX-License-Identifier: MIT */
/*
 * The devices that spimend looks after, as the configuration names them: 'device NAME' and what stands below it. Plain data
 * of fixed size, read by every role. Credentials stand here by reference alone: the path of a file that the role ssh opens.
 * Called by parse/config_device.c, which fills it, and by who logs in, looks, and repairs. Never here: what a device said.
 */
#ifndef MODEL_CONFIG_DEVICE_H
#define MODEL_CONFIG_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "model/window.h"
#include "spimend/address.h"

#define DEVICES_MAX 10000
#define DEVICE_NAME_MAX 40       /* with its NUL */
#define DEVICE_LOGINS_MAX 64     /* different ones; devices share them */
#define DEVICE_USER_MAX 33
#define DEVICE_PATH_MAX 108
#define DEVICE_JUMPS_MAX 1       /* hosts to go through, from us to a device */

enum platform { PLATFORM_UNKNOWN, PLATFORM_IOS, PLATFORM_IOS_XE, PLATFORM_SDWAN, PLATFORM_ASA, PLATFORMS };
const char *platform_name(enum platform platform); /* "ios-xe", as it is configured */

/* What is done to an SD-WAN router (faults.md g), narrowest first. Each is wider than the tunnel that it is done for. */
enum sdwan_step { SDWAN_IPSEC_REKEY, SDWAN_PORT_HOP, SDWAN_CLEAR_OMP, SDWAN_CLEAR_CONTROL, SDWAN_STEPS };
const char *sdwan_step_name(enum sdwan_step step); /* "port-hop": as it is configured, and as the verb of an order has it */

struct sdwan_approval { /* a bit a step */
	uint8_t told;              /* something is said of it here */
	uint8_t unattended;        /* of those: no person is asked */
};

struct config_login { /* how to get in */
	char user[DEVICE_USER_MAX];        /* letters, digits, '.', '_', '-', not '-' in front: it reaches ssh's arguments */
	char key_file[DEVICE_PATH_MAX];    /* absolute; empty: there is a password in its place */
	char password_file[DEVICE_PATH_MAX]; /* absolute; empty: there is a key */
	char enable_file[DEVICE_PATH_MAX]; /* the password of `enable`; empty: none is asked for, or none is needed */
	char jump[DEVICE_NAME_MAX];        /* the device that is logged in through; empty: straight */
	bool legacy;                       /* algorithms that OpenSSH leaves out: old images know no others */
};

struct config_device {
	char name[DEVICE_NAME_MAX]; /* letters, digits, '.', '_', '-', not '-' in front */
	struct spimend_address address; /* family 0: not said yet */
	uint16_t port;              /* 22 */
	uint16_t login;             /* 1 more than its place in logins; 0: none, nobody logs in */
	enum platform platform;
	bool may_repair;            /* 'rights repair'; else it is only looked at */
	struct windows windows;     /* its own; none: see device_windows() */
	struct sdwan_approval approval; /* its own; see device_is_unattended() */
};

struct config_devices {
	struct config_device at[DEVICES_MAX]; /* sorted by name */
	uint32_t count;
	struct config_login logins[DEVICE_LOGINS_MAX];
	uint32_t login_count;
	char known_hosts[DEVICE_PATH_MAX]; /* 'ssh known-hosts': OpenSSH's file of the host keys that count */
	/* 'ssh user' for all, which stands in the logins of those that say nothing else too; user empty: none */
	struct config_login usual; /* user, key_file and password_file alone */
	uint16_t usual_port;
	struct windows usual_windows; /* 'fleet window' */
	struct sdwan_approval usual_approval; /* 'repair sdwan approval' of the block `spimend` */
};

/* The order that they are kept in: below, equal or above 0. */
int device_compare_names(struct text a, struct text b);
/* The place of the one of that name (case counts), or -1. */
int32_t device_find(const struct config_devices *devices, struct text name);
/* NULL where nobody can log in to it. */
const struct config_login *device_login(const struct config_devices *devices, const struct config_device *device);
/* When it may be changed: its own windows, or those of all. */
const struct windows *device_windows(const struct config_devices *devices, const struct config_device *device);
/* No person is asked before that step on that device: by its own word, else by that for all, else one is. */
bool device_is_unattended(const struct config_devices *devices, const struct config_device *device, enum sdwan_step step);
/* A number for what is configured of it, its login and its jumps: an order made for another configuration goes nowhere. */
uint64_t device_mark(const struct config_devices *devices, const struct config_device *device);

bool device_is_name(struct text name); /* of a device, or of a user: see above */

#endif
