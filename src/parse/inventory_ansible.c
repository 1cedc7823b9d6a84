/* SPDX-License-Identifier: MIT */
/*
 * Ansible: groups with hosts, children and variables, as a file of YAML or as `ansible-inventory --list` prints them. What a
 * host is told: its own variables, before those of its groups, the deeper ones first; of equally deep ones the later name.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/memory.h"
#include "parse/config_private.h"
#include "parse/inventory_private.h"

#define NO_GROUP UINT32_MAX
#define EDGES_MAX 16384
#define PARTS_MAX 8192 /* groups' variables, which may stand in several places */
#define VISITS_MAX 65536 /* of groups: aliases may name one a million times */

struct group {
	struct text name;
	uint32_t depth;
	uint32_t seen; /* 1 more than the host that was looked at last */
};

struct edge {
	uint32_t child, parent;
	uint32_t depth; /* of the child */
};

struct part { /* variables of a group */
	uint32_t group, depth, order;
	struct text name;
	const struct inventory_node *vars; /* borrows the tree */
};

struct mention { /* of a host */
	struct text name;
	const struct inventory_node *vars; /* borrows the tree; NULL: none */
	uint32_t group, order, line;
};

struct reader {
	struct inventory *inventory;       /* borrows */
	const struct inventory_tree *tree; /* borrows */
	struct group groups[INVENTORY_GROUPS_MAX];
	struct edge edges[EDGES_MAX];      /* sorted by depth, the deepest child first, likewise */
	struct part parts[PARTS_MAX];      /* sorted by how much they count, the least first, before hosts are looked at */
	struct mention mentions[INVENTORY_HOSTS_MAX];
	uint32_t group_count, edge_count, part_count, mention_count, visits;
	bool full;
};

static void say_full(struct reader *r, uint32_t line, struct text name, const char *what, unsigned most)
{
	if (!r->full)
		inventory_leave_out(r->inventory, line, name, "and more: at most %u %s are read", most, what);
	r->full = true;
}

static uint32_t group_of(struct reader *r, struct text name, uint32_t line)
{
	uint32_t i = 0;

	while (i < r->group_count && !text_equal(r->groups[i].name, name))
		i++;
	if (i == INVENTORY_GROUPS_MAX) {
		say_full(r, line, name, "groups", INVENTORY_GROUPS_MAX);
		return NO_GROUP;
	}
	if (i == r->group_count) {
		r->groups[i] = (struct group){ .name = name };
		r->group_count++;
	}
	return i;
}

static void add_edge(struct reader *r, uint32_t child, uint32_t parent, uint32_t line)
{
	if (child == NO_GROUP || parent == NO_GROUP || child == parent)
		return;
	if (r->edge_count == EDGES_MAX)
		say_full(r, line, r->groups[child].name, "children of groups", EDGES_MAX);
	else
		r->edges[r->edge_count++] = (struct edge){ .child = child, .parent = parent };
}

static void add_host(struct reader *r, struct text name, const struct inventory_node *vars, uint32_t group, uint32_t line)
{
	uint32_t n = r->mention_count;

	if (n == INVENTORY_HOSTS_MAX) {
		say_full(r, line, name, "hosts in groups", INVENTORY_HOSTS_MAX);
		return;
	}
	r->mentions[n] = (struct mention){ name, vars && vars->kind == INVENTORY_MAPPING ? vars : NULL, group, n, line };
	r->mention_count++;
}

static void add_part(struct reader *r, uint32_t group, const struct inventory_node *vars)
{
	if (!vars || vars->kind != INVENTORY_MAPPING || group == NO_GROUP)
		return;
	if (r->part_count == PARTS_MAX) {
		say_full(r, vars->line, r->groups[group].name, "places with variables", PARTS_MAX);
		return;
	}
	r->parts[r->part_count] = (struct part){ .group = group, .order = r->part_count, .vars = vars };
	r->part_count++;
}

/* "hosts": a mapping with variables, a list of names, or one name. */
static void read_hosts(struct reader *r, const struct inventory_node *node, uint32_t group)
{
	const struct inventory_tree *tree = r->tree;

	if (node && node->kind == INVENTORY_SCALAR && node->value_len && !text_equal(inventory_value(tree, node), TEXT("null")))
		add_host(r, inventory_value(tree, node), NULL, group, node->line);
	for (const struct inventory_node *c = inventory_child(tree, node); c; c = inventory_next(tree, c)) {
		const struct inventory_node *value = inventory_follow(tree, c);

		if (node->kind == INVENTORY_MAPPING)
			add_host(r, inventory_key(tree, c), value, group, c->line);
		else
			add_host(r, inventory_value(tree, value), NULL, group, c->line);
	}
}

/* `depth` bounds what aliases could make endless. */
static void read_group(struct reader *r, struct text name, const struct inventory_node *node, uint32_t parent,
		       unsigned depth, uint32_t line)
{
	const struct inventory_tree *tree = r->tree;
	uint32_t group = group_of(r, name, line);
	const struct inventory_node *children;

	add_edge(r, group, parent, line);
	if (!node || group == NO_GROUP || r->full)
		return;
	if (++r->visits > VISITS_MAX) {
		say_full(r, line, name, "places of groups", VISITS_MAX);
		return;
	}
	if (depth == INVENTORY_DEPTH_MAX) {
		inventory_leave_out(r->inventory, line, name, "groups within groups, deeper than %u", INVENTORY_DEPTH_MAX);
		return;
	}
	if (node->kind == INVENTORY_SEQUENCE) { /* of old scripts: the hosts alone */
		read_hosts(r, node, group);
		return;
	}
	read_hosts(r, inventory_find(tree, node, "hosts"), group);
	add_part(r, group, inventory_find(tree, node, "vars"));
	children = inventory_find(tree, node, "children");
	for (const struct inventory_node *c = inventory_child(tree, children); c; c = inventory_next(tree, c)) {
		const struct inventory_node *value = inventory_follow(tree, c);

		if (children->kind == INVENTORY_MAPPING)
			read_group(r, inventory_key(tree, c), value, group, depth + 1, c->line);
		else
			read_group(r, inventory_value(tree, value), NULL, group, depth + 1, c->line);
	}
}

static int compare_parts(const void *a, const void *b)
{
	const struct part *one = a, *other = b;
	int order = (one->depth > other->depth) - (one->depth < other->depth);

	if (order == 0)
		order = device_compare_names(one->name, other->name);
	return order ? order : (one->order > other->order) - (one->order < other->order);
}

static int compare_edges(const void *a, const void *b)
{
	const struct edge *one = a, *other = b;

	return (one->depth < other->depth) - (one->depth > other->depth);
}

/* Depths, and the order in which variables count. Groups in a circle end at the deepest. */
static void settle_groups(struct reader *r)
{
	bool changed = true;

	for (uint32_t i = 0; i < r->group_count; i++)
		r->groups[i].depth = text_equal(r->groups[i].name, TEXT("all")) ? 0 : 1;
	for (unsigned round = 0; changed && round < INVENTORY_DEPTH_MAX; round++) {
		changed = false;
		for (uint32_t i = 0; i < r->edge_count; i++) {
			struct group *child = &r->groups[r->edges[i].child];
			uint32_t least = r->groups[r->edges[i].parent].depth + 1;

			changed = changed || child->depth < least;
			child->depth = child->depth < least ? least : child->depth;
		}
	}
	for (uint32_t i = 0; i < r->edge_count; i++)
		r->edges[i].depth = r->groups[r->edges[i].child].depth;
	for (uint32_t i = 0; i < r->part_count; i++) {
		r->parts[i].depth = r->groups[r->parts[i].group].depth;
		r->parts[i].name = r->groups[r->parts[i].group].name;
	}
	qsort(r->edges, r->edge_count, sizeof(r->edges[0]), compare_edges);
	qsort(r->parts, r->part_count, sizeof(r->parts[0]), compare_parts);
}

static int compare_mentions(const void *a, const void *b)
{
	const struct mention *one = a, *other = b;
	int order = device_compare_names(one->name, other->name);

	return order ? order : (one->order > other->order) - (one->order < other->order);
}

/* --- One host ----------------------------------------------------------------------------------------------------- */

struct host {
	const struct reader *reader;     /* borrows */
	const struct mention *mentions;  /* borrow: all of it */
	uint32_t count, mark;
};

static void mark_groups(struct reader *r, const struct mention *mentions, uint32_t count, uint32_t mark)
{
	for (uint32_t i = 0; i < r->group_count; i++)
		if (r->groups[i].depth == 0)
			r->groups[i].seen = mark;
	for (uint32_t i = 0; i < count; i++)
		if (mentions[i].group != NO_GROUP)
			r->groups[mentions[i].group].seen = mark;
	for (uint32_t i = 0; i < r->edge_count; i++) /* the deepest first: parents are marked before they are children */
		if (r->groups[r->edges[i].child].seen == mark)
			r->groups[r->edges[i].parent].seen = mark;
}

static const struct inventory_node *variable(const struct host *h, const char *key)
{
	const struct reader *r = h->reader;
	const struct inventory_node *found = NULL;

	for (uint32_t i = h->count; i-- > 0 && !found;)
		found = inventory_find(r->tree, h->mentions[i].vars, key);
	for (uint32_t i = r->part_count; i-- > 0 && !found;)
		if (r->groups[r->parts[i].group].seen == h->mark)
			found = inventory_find(r->tree, r->parts[i].vars, key);
	return found;
}

/* Of the first of the names that it has. True: there is one, and it can be used as it stands. */
static bool read_variable(const struct host *h, const char *key, const char *older, struct text *ret, bool *ret_unusable)
{
	const struct inventory_node *node = variable(h, key);

	if (!node && older)
		node = variable(h, older);
	*ret = text_trim(inventory_value(h->reader->tree, node));
	*ret_unusable = node && (node->is_opaque || node->kind != INVENTORY_SCALAR || text_has(*ret, TEXT("{{")));
	if (*ret_unusable || text_equal(*ret, TEXT("null")))
		*ret = TEXT_NONE;
	return ret->len > 0;
}

/* What `ssh` is told beside: -J HOST, -o ProxyJump=HOST. False: a ProxyCommand, which is not taken over. */
static bool read_arguments(struct text arguments, char *jump, size_t size)
{
	bool is_next = false;

	while (arguments.len) {
		struct text word = text_take_until(&arguments, " \t\n\"'=");

		text_take_char(&arguments, arguments.len ? arguments.at[0] : ' ');
		if (word.len == 0)
			continue;
		if (is_next && !text_equal_nocase(word, TEXT("none")))
			text_copy(word, jump, size);
		is_next = false;
		if (text_starts(word, TEXT("-o")))
			word = text_skip(word, 2);
		if (text_equal_nocase(word, TEXT("ProxyCommand")))
			return false;
		if (text_equal_nocase(word, TEXT("ProxyJump")) || text_equal(word, TEXT("-J")))
			is_next = true;
		else if (text_starts(word, TEXT("-J")))
			text_copy(text_skip(word, 2), jump, size);
	}
	return true;
}

static const char *read_login(const struct host *h, struct inventory_device *d, struct buffer *why)
{
	struct text user, key, port, arguments;
	bool unusable, other;
	uint64_t number;

	read_variable(h, "ansible_user", "ansible_ssh_user", &user, &unusable);
	read_variable(h, "ansible_ssh_private_key_file", "ansible_private_key_file", &key, &other);
	if (unusable || other)
		return "its user or key is a template or in a vault, which Ansible alone reads";
	if (user.len == 0 || key.len == 0)
		return NULL; /* counted */
	if (!device_is_name(user) || user.len >= DEVICE_USER_MAX)
		return "its user has other characters than letters, digits, '.', '_' and '-'";
	if (!config_read_ssh_path(key, why))
		return "its key file is no absolute path, or has blanks, %, $ or quotes in it";
	if (read_variable(h, "ansible_port", "ansible_ssh_port", &port, &unusable)) {
		if (text_decimal(port, 65535, &number) < 0 || number == 0)
			return "its port is no number from 1 to 65535";
		d->device.port = (uint16_t)number;
	}
	if ((read_variable(h, "ansible_ssh_common_args", NULL, &arguments, &unusable) &&
	     !read_arguments(arguments, d->jump, sizeof(d->jump))) ||
	    (read_variable(h, "ansible_ssh_extra_args", NULL, &arguments, &other) &&
	     !read_arguments(arguments, d->jump, sizeof(d->jump))))
		return "it is reached by a ProxyCommand, and ProxyJump alone is taken over";
	if (unusable || other)
		return "the arguments of ssh are a template, which Ansible alone fills in";
	text_copy(user, d->login.user, sizeof(d->login.user));
	text_copy(key, d->login.key_file, sizeof(d->login.key_file));
	return NULL;
}

static bool is_ssh(struct text connection)
{
	static const char *const known[] = { "ssh", "smart", "network_cli", "ansible.netcommon.network_cli", "paramiko",
					     "paramiko_ssh", "ansible.builtin.ssh", "ansible.netcommon.libssh", "libssh" };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (text_equal_nocase(connection, text_of(known[i])))
			return true;
	return connection.len == 0;
}

static bool choose_platform(const struct host *h, struct inventory *v, struct text name, enum platform *ret)
{
	uint32_t line = h->mentions[0].line;
	struct text system, connection;
	bool unusable;

	read_variable(h, "ansible_connection", NULL, &connection, &unusable);
	if (!is_ssh(connection)) {
		inventory_leave_out(v, line, name, "its ansible_connection is '%.*s'", TEXT_ARG(text_first(connection, 40)));
		return false;
	}
	*ret = v->standard;
	if (!read_variable(h, "ansible_network_os", NULL, &system, &unusable)) {
		if (*ret != PLATFORM_UNKNOWN)
			return true;
		inventory_leave_out(v, line, name, "it has no ansible_network_os%s, and there is no --platform",
				    unusable ? " but a template" : "");
		return false;
	}
	if (inventory_read_platform(system, ret))
		return true;
	inventory_leave_out(v, line, name, "'%.*s' is no platform that is known here", TEXT_ARG(text_first(system, 40)));
	return false;
}

static int read_host(struct reader *r, const struct host *h)
{
	struct inventory *v = r->inventory;
	struct text name = h->mentions[0].name, address;
	struct buffer why = { 0 };
	struct inventory_device device;
	enum platform platform;
	const char *no_login;
	bool unusable;

	if (name.len == 0 || text_has(name, TEXT("["))) {
		inventory_leave_out(v, h->mentions[0].line, name,
				    "a range of names, or none: 'ansible-inventory --list' writes them out");
		return 0;
	}
	if (!choose_platform(h, v, name, &platform))
		return 0;
	if (!read_variable(h, "ansible_host", "ansible_ssh_host", &address, &unusable)) {
		if (unusable) {
			inventory_leave_out(v, h->mentions[0].line, name, "its ansible_host is a template or in a vault, which Ansible alone reads");
			return 0;
		}
		address = name;
	}
	if (!inventory_start_device(v, name, address, h->mentions[0].line, &device))
		return 0;
	device.device.platform = platform;
	no_login = read_login(h, &device, &why);
	buffer_done(&why);
	if (no_login) {
		struct buffer said = { 0 };

		device.device.port = 22;
		device.jump[0] = '\0';
		buffer_printf(&said, "%s: no login: %s", device.device.name, no_login);
		v->say(v->context, v->file, device.line, buffer_text(&said));
		buffer_done(&said);
	}
	return inventory_add(v, &device);
}

static int read_hosts_all(struct reader *r)
{
	int result = 0;

	qsort(r->mentions, r->mention_count, sizeof(r->mentions[0]), compare_mentions);
	for (uint32_t i = 0, n; i < r->mention_count && result == 0; i += n) {
		struct host host = { .reader = r, .mentions = &r->mentions[i], .mark = i + 1 };

		for (n = 1; i + n < r->mention_count && text_equal(r->mentions[i + n].name, r->mentions[i].name);)
			n++;
		host.count = n;
		mark_groups(r, host.mentions, n, host.mark);
		result = read_host(r, &host);
	}
	return result;
}

int inventory_read_ansible(struct inventory *v, const struct inventory_tree *tree)
{
	struct reader *r cleanup(memory_free_pointer) = memory_new(1, sizeof(*r));
	const struct inventory_node *root = inventory_follow(tree, tree->nodes);

	if (!r)
		return -ENOMEM;
	r->inventory = v;
	r->tree = tree;
	for (const struct inventory_node *c = inventory_child(tree, root); c; c = inventory_next(tree, c)) {
		const struct inventory_node *value = inventory_follow(tree, c);

		if (text_equal(inventory_key(tree, c), TEXT("_meta")))
			continue;
		if (value->kind == INVENTORY_SCALAR && value->value_len && !text_equal(inventory_value(tree, value), TEXT("null")))
			inventory_leave_out(v, c->line, inventory_key(tree, c), "a word stands where a group's hosts are expected");
		else
			read_group(r, inventory_key(tree, c), value, NO_GROUP, 0, c->line);
	}
	read_hosts(r, inventory_find(tree, inventory_find(tree, root, "_meta"), "hostvars"), NO_GROUP);
	settle_groups(r);
	return read_hosts_all(r);
}
