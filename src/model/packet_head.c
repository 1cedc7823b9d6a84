/* SPDX-License-Identifier: MIT */
#include "model/packet_head.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"

static bool is_address(const struct spimend_address *address)
{
	return address->family == 0 || address->family == 4 || address->family == 6;
}

bool packet_head_valid(const struct packet_head *head)
{
	return is_bool(&head->outgoing) && is_bool(&head->in_ledger) && is_bool(&head->has_spi) && is_address(&head->src) &&
	       is_address(&head->dst) && (head->protocol == 0 || head->protocol == 50 || head->protocol == 51) &&
	       head->len <= PACKET_HEAD_MAX && memchr(head->interface, 0, sizeof(head->interface)) &&
	       text_is_string(head->text, sizeof(head->text));
}
