/* SPDX-License-Identifier: MIT */
/* NetBox: `results` of its API or of an export, or a plain list. Who logs in, and how, does not stand there. */
#include "parse/inventory_private.h"

/* {"value": "active"}, or the word alone; {"slug": "ios-xe"} or {"name": "Cisco IOS XE"}. */
static struct text word_of(const struct inventory_tree *tree, const struct inventory_node *item, const char *key,
			   const char *first, const char *second)
{
	const struct inventory_node *node = inventory_find(tree, item, key);
	const struct inventory_node *inner = inventory_find(tree, node, first);

	if (node && node->kind == INVENTORY_MAPPING && !inner)
		inner = inventory_find(tree, node, second);
	return inventory_value(tree, node && node->kind == INVENTORY_MAPPING ? inner : node);
}

static bool is_null(struct text t)
{
	return t.len == 0 || text_equal(t, TEXT("null")) || text_equal(t, TEXT("~"));
}

static struct text address_of(const struct inventory_tree *tree, const struct inventory_node *item)
{
	static const char *const keys[] = { "primary_ip", "primary_ip4", "primary_ip6" };
	struct text address = TEXT_NONE;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]) && is_null(address); i++)
		address = word_of(tree, item, keys[i], "address", "display");
	return is_null(address) ? TEXT_NONE : address;
}

static bool choose_platform(struct inventory *v, const struct inventory_tree *tree, const struct inventory_node *item,
			    struct text name, enum platform *ret)
{
	struct text slug = word_of(tree, item, "platform", "slug", "name"), title = word_of(tree, item, "platform", "name", "slug");

	*ret = v->standard;
	if (is_null(slug)) {
		if (v->standard == PLATFORM_UNKNOWN)
			inventory_leave_out(v, item->line, name, "it has no platform, and there is no --platform");
		return v->standard != PLATFORM_UNKNOWN;
	}
	if (inventory_read_platform(slug, ret) || inventory_read_platform(title, ret))
		return true;
	inventory_leave_out(v, item->line, name, "'%.*s' is no platform that is known here", TEXT_ARG(text_first(slug, 40)));
	return false;
}

static int read_item(struct inventory *v, const struct inventory_tree *tree, const struct inventory_node *item)
{
	struct text name = inventory_value(tree, inventory_find(tree, item, "name"));
	struct text status = word_of(tree, item, "status", "value", "label"), address = address_of(tree, item);
	struct inventory_device device;
	enum platform platform;

	if (is_null(name)) {
		inventory_leave_out(v, item->line, TEXT_NONE, "a device without a name");
		return 0;
	}
	if (!is_null(status) && !text_equal_nocase(status, TEXT("active")) && !text_equal_nocase(status, TEXT("staged"))) {
		inventory_leave_out(v, item->line, name, "its status is '%.*s'", TEXT_ARG(text_first(status, 40)));
		return 0;
	}
	if (!choose_platform(v, tree, item, name, &platform) ||
	    !inventory_start_device(v, name, address, item->line, &device))
		return 0;
	device.device.platform = platform;
	return inventory_add(v, &device);
}

int inventory_read_netbox(struct inventory *v, const struct inventory_tree *tree, const struct inventory_node *list)
{
	int result = 0;

	for (const struct inventory_node *c = inventory_child(tree, list); c && result == 0; c = inventory_next(tree, c)) {
		const struct inventory_node *item = inventory_follow(tree, c);

		if (item->kind == INVENTORY_MAPPING)
			result = read_item(v, tree, item);
		else
			inventory_leave_out(v, item->line, inventory_value(tree, item), "that is no device of NetBox's");
	}
	return result;
}
