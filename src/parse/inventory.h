/* SPDX-License-Identifier: MIT */
/*
 * Inventories that others keep, as devices of our configuration: Ansible's (the YAML of groups, or what `ansible-inventory
 * --list` prints) and NetBox's (an export or an answer of its API). Called by `spimend inventory`, which reads the file into
 * a tree first. Pure. Passwords are counted and looked at no further; names are not looked up; what is left out is said.
 */
#ifndef PARSE_INVENTORY_H
#define PARSE_INVENTORY_H

#include "base/buffer.h"
#include "model/config_device.h"

#define INVENTORY_NODES_MAX (4u << 20)
#define INVENTORY_DEPTH_MAX 32
#define INVENTORY_GROUPS_MAX 4096
#define INVENTORY_HOSTS_MAX 200000 /* mentions of hosts in groups */

enum inventory_kind { INVENTORY_SCALAR, INVENTORY_MAPPING, INVENTORY_SEQUENCE, INVENTORY_ALIAS };

struct inventory_node {
	enum inventory_kind kind;
	bool is_opaque;            /* of a type that only its maker reads: Ansible's vault */
	uint32_t line;             /* from 1 */
	uint32_t key_at, key_len;  /* in the tree's text; in a mapping */
	uint32_t value_at, value_len; /* of a scalar */
	uint32_t child, next;      /* places; 0: none, since the root is nobody's child */
	uint32_t target;           /* of an alias; it stands before the alias, and is complete there */
};

struct inventory_tree {
	struct inventory_node *nodes; /* owns; the root is the first */
	uint32_t count, room;
	struct buffer text;           /* owns */
};
void inventory_tree_done(struct inventory_tree *tree);

struct inventory_device {
	struct config_device device;
	struct config_login login; /* user empty: none */
	char jump[128];            /* as it was written; login.jump is the device that it leads to */
	uint32_t file, line;
};

struct inventory; /* opaque: the devices of all files */
typedef void inventory_say(void *context, uint32_t file, uint32_t line, struct text why);
/* NULL: no memory. `say` hears of each thing that is left out; `standard` is the platform of those that name none. */
struct inventory *inventory_new(enum platform standard, inventory_say *say, void *context);
void inventory_free(struct inventory *inventory);

/* 0, -ENOMEM, or SPIMEND_E_SYNTAX: it is no inventory; `say` heard why. */
int inventory_read(struct inventory *inventory, const struct inventory_tree *tree, uint32_t file);
/* Behind the last file: duplicates, and where jumps lead. 0 or -ENOMEM. */
int inventory_finish(struct inventory *inventory);
/* Lines of spimend.conf(5). */
void inventory_print(const struct inventory *inventory, struct buffer *out);

struct inventory_counts {
	uint32_t devices, left_out; /* of those that are printed nothing but a login may be left out */
	uint32_t without_login;
	uint64_t passwords;         /* seen, not used */
};
struct inventory_counts inventory_count(const struct inventory *inventory);

#endif
