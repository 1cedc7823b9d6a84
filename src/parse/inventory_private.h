/* SPDX-License-Identifier: MIT */
/* What the two kinds of inventories share. Private to parse. */
#ifndef PARSE_INVENTORY_PRIVATE_H
#define PARSE_INVENTORY_PRIVATE_H

#include "parse/inventory.h"

struct inventory {
	struct inventory_device *devices; /* owns */
	uint32_t count, room;
	enum platform standard;
	uint32_t file;                    /* that is being read */
	struct inventory_counts counts;
	bool full;                        /* said */
	inventory_say *say;
	void *context;                    /* borrows */
};

struct text inventory_key(const struct inventory_tree *tree, const struct inventory_node *node);
/* Of a scalar, else empty. */
struct text inventory_value(const struct inventory_tree *tree, const struct inventory_node *node);
/* Behind an alias; NULL stays NULL. */
const struct inventory_node *inventory_follow(const struct inventory_tree *tree, const struct inventory_node *node);
/* The first below, the next one beside; NULL: none. */
const struct inventory_node *inventory_child(const struct inventory_tree *tree, const struct inventory_node *node);
const struct inventory_node *inventory_next(const struct inventory_tree *tree, const struct inventory_node *node);
/* In a mapping, also in what `<<` merges into it; NULL: none, or `node` is none. Aliases are followed. */
const struct inventory_node *inventory_find(const struct inventory_tree *tree, const struct inventory_node *node,
					    const char *key);

/* `line` and a sentence "NAME: why" for what is left out of the name. */
void inventory_leave_out(struct inventory *inventory, uint32_t line, struct text name, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
bool inventory_read_platform(struct text word, enum platform *ret);
/* Takes a device whose name and address are right; false: it was left out. */
bool inventory_start_device(struct inventory *inventory, struct text name, struct text address, uint32_t line,
			    struct inventory_device *ret);
int inventory_add(struct inventory *inventory, const struct inventory_device *device); /* 0 or -ENOMEM */
/* Is a value of that key a secret? */
bool inventory_is_secret(struct text key);

int inventory_read_ansible(struct inventory *inventory, const struct inventory_tree *tree);
int inventory_read_netbox(struct inventory *inventory, const struct inventory_tree *tree, const struct inventory_node *list);

#endif
