/* SPDX-License-Identifier: MIT */
/*
 * Applets against the rest of the configuration: what the compiler of src/eem cannot know. Called by the parent when a file
 * is read, by core for what is typed, and by dial, which sends mail only to where the configuration says.
 */
#ifndef ROLE_APPLETS_CHECK_H
#define ROLE_APPLETS_CHECK_H

#include "eem/eem.h"
#include "model/config.h"

struct mail_target {
	struct spimend_address address;
	uint16_t port;
	uint64_t mark; /* of the action: another one, or none, after whatever changed in it */
};

/* Where this action's mail goes: its server stands in the configuration, by itself or as an environment variable, as an
 * address or as the name of an 'ip host'. 0; -ENOENT: it is no mail; -EINVAL with a sentence in `why`. */
int mail_target_of(const struct config *config, const struct eem_policies *policies, uint32_t policy, uint32_t action,
		   struct mail_target *ret, struct buffer *why);

/* Adds "LINE: sentence\n" for each error, with `path` and a colon in front unless it is NULL; lines up to `known` are counted
 * off, and what stands there is not looked at. Returns how many there are. */
uint32_t applets_check(const struct config *config, const struct eem_policies *policies, const char *path, uint32_t known,
		       struct buffer *out);

#endif
