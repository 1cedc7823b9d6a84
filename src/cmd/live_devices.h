/* SPDX-License-Identifier: MIT */
/* The devices that the daemon looks after, as it lists them to a client, and what is asked of each by the audit. */
#ifndef CMD_LIVE_DEVICES_H
#define CMD_LIVE_DEVICES_H

#include "cmd/session.h"
#include "model/config_device.h"

struct live_device {
	char name[DEVICE_NAME_MAX];
	bool is_sdwan, has_login;
	bool is_passed;   /* not asked in this reading */
	bool is_given_up; /* it could not be read: why is said, and nothing more is asked of it */
};

struct live_devices {
	struct live_device *at; /* owns */
	uint32_t count;
};

/* Asks for the devices, all or those of `names`, in a session that is privileged. 0, or -1: said on stderr. */
int live_devices_ask(struct session *session, char *const *names, uint32_t name_count, struct live_devices *ret);
void live_devices_done(struct live_devices *devices);

#endif
