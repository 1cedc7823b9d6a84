/* SPDX-License-Identifier: MIT */
/* YAML, and JSON, which is YAML too, into a bounded tree, by libyaml. Called by cmd/inventory.c alone. */
#ifndef CMD_INVENTORY_YAML_H
#define CMD_INVENTORY_YAML_H

#include "parse/inventory.h"

/* The one document in `bytes`. 0, -ENOMEM, or SPIMEND_E_SYNTAX or SPIMEND_E_LIMIT with a sentence in `why` and the line in
 * *ret_line; a tree that fails is to be freed too. An alias stays a node of its own, however often it is named. */
int inventory_yaml_read(struct text bytes, struct inventory_tree *tree, uint32_t *ret_line, struct buffer *why);

#endif
