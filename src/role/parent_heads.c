/* SPDX-License-Identifier: MIT */
/* The parent opens what sense hears IKE on, for the flight recorder. Without it nothing else is missing: it is said. */
#include <unistd.h>

#include "role/parent_private.h"
#include "sense/heads.h"
#include "spimend/error.h"

void parent_give_heads(struct parent *parent, const char *interface)
{
	struct role_resource resource = { .kind = RESOURCE_HEADS };
	int fd, r;

	if (!parent->config->recorder.is_on)
		return;
	text_copy(text_of(interface), resource.name, sizeof(resource.name));
	r = heads_open(interface, &fd);
	if (r < 0) {
		log_say(&parent->log, LOG_WARNING, "IKE on interface %s cannot be recorded: %s", interface, spimend_strerror(r));
		return;
	}
	parent_hand(parent, ROLE_SENSE, resource, &fd, 1);
	close(fd);
}
