/* SPDX-License-Identifier: MIT */
#include "parse/inventory.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "parse/config_private.h"
#include "parse/inventory_private.h"
#include "spimend/error.h"

#define MERGES_MAX 8 /* one within another */

/* --- The tree ----------------------------------------------------------------------------------------------------- */

void inventory_tree_done(struct inventory_tree *tree)
{
	memory_free(tree->nodes);
	buffer_done(&tree->text);
	*tree = (struct inventory_tree){ .count = 0 };
}

static struct text text_at(const struct inventory_tree *tree, uint32_t at, uint32_t len)
{
	return text_first(text_skip(buffer_text(&tree->text), at), len);
}

struct text inventory_key(const struct inventory_tree *tree, const struct inventory_node *node)
{
	return text_at(tree, node->key_at, node->key_len);
}

struct text inventory_value(const struct inventory_tree *tree, const struct inventory_node *node)
{
	if (!node || node->kind != INVENTORY_SCALAR || node->is_opaque)
		return TEXT_NONE;
	return text_at(tree, node->value_at, node->value_len);
}

const struct inventory_node *inventory_follow(const struct inventory_tree *tree, const struct inventory_node *node)
{
	while (node && node->kind == INVENTORY_ALIAS) /* a target stands before its alias: this ends */
		node = &tree->nodes[node->target];
	return node;
}

const struct inventory_node *inventory_child(const struct inventory_tree *tree, const struct inventory_node *node)
{
	return node && node->child ? &tree->nodes[node->child] : NULL;
}

const struct inventory_node *inventory_next(const struct inventory_tree *tree, const struct inventory_node *node)
{
	return node->next ? &tree->nodes[node->next] : NULL;
}

static const struct inventory_node *find(const struct inventory_tree *tree, const struct inventory_node *node,
					 struct text key, unsigned depth)
{
	const struct inventory_node *found = NULL, *merged = NULL;

	if (!node || node->kind != INVENTORY_MAPPING || depth > MERGES_MAX)
		return NULL;
	for (const struct inventory_node *c = inventory_child(tree, node); c; c = inventory_next(tree, c)) {
		if (text_equal(inventory_key(tree, c), key))
			found = c; /* of two the later one counts, as with Ansible */
		else if (text_equal(inventory_key(tree, c), TEXT("<<")))
			merged = inventory_follow(tree, c);
	}
	if (found || !merged)
		return inventory_follow(tree, found);
	if (merged->kind != INVENTORY_SEQUENCE || depth > 0)
		return find(tree, merged, key, depth + 1);
	for (const struct inventory_node *c = inventory_child(tree, merged); c && !found; c = inventory_next(tree, c))
		found = find(tree, inventory_follow(tree, c), key, depth + 1);
	return found;
}

const struct inventory_node *inventory_find(const struct inventory_tree *tree, const struct inventory_node *node,
					    const char *key)
{
	return find(tree, node, text_of(key), 0);
}

/* --- Devices ------------------------------------------------------------------------------------------------------ */

struct inventory *inventory_new(enum platform standard, inventory_say *say, void *context)
{
	struct inventory *v = memory_new(1, sizeof(*v));

	if (v)
		*v = (struct inventory){ .standard = standard, .say = say, .context = context };
	return v;
}

void inventory_free(struct inventory *v)
{
	if (v)
		memory_free(v->devices);
	memory_free(v);
}

static void tell(struct inventory *v, uint32_t file, uint32_t line, struct text name, const char *format, va_list arguments)
	__attribute__((format(printf, 5, 0)));
static void tell(struct inventory *v, uint32_t file, uint32_t line, struct text name, const char *format, va_list arguments)
{
	struct buffer why = { 0 };
	char reason[256];

	vsnprintf(reason, sizeof(reason), format, arguments);
	if (name.len)
		config_quote(&why, name);
	buffer_printf(&why, "%s%s", name.len ? ": " : "", reason);
	v->say(v->context, file, line, buffer_text(&why));
	buffer_done(&why);
}

void inventory_leave_out(struct inventory *v, uint32_t line, struct text name, const char *format, ...)
{
	va_list arguments;

	v->counts.left_out++;
	va_start(arguments, format);
	tell(v, v->file, line, name, format, arguments);
	va_end(arguments);
}

static void say_of(struct inventory *v, const struct inventory_device *d, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void say_of(struct inventory *v, const struct inventory_device *d, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	tell(v, d->file, d->line, text_of(d->device.name), format, arguments);
	va_end(arguments);
}

bool inventory_read_platform(struct text word, enum platform *ret)
{
	static const struct {
		const char *words; /* as Ansible, NetBox, netmiko, NAPALM and images name it, '_' for each of "-. " */
		enum platform platform;
	} known[] = {
		{ " ios cisco_ios cisco_ios_ios cisco_ios_ssh iosv ", PLATFORM_IOS },
		{ " ios_xe iosxe cisco_xe cisco_iosxe cisco_ios_xe xe cat8000v c8000v csr1000v cisco_csr1000v cat9000v ", PLATFORM_IOS_XE },
		{ " sd_wan sdwan cisco_sdwan cisco_sd_wan cedge vedge viptela cisco_viptela cisco_cedge cisco_vedge ios_xe_sdwan iosxe_sdwan "
		  "cisco_ios_xe_sd_wan ", PLATFORM_SDWAN },
		{ " asa cisco_asa cisco_asa_asa ciscoasa asav ", PLATFORM_ASA },
	};
	char spaced[48];

	if (word.len == 0 || word.len + 3 > sizeof(spaced))
		return false;
	spaced[0] = ' ';
	for (size_t i = 0; i < word.len; i++)
		spaced[i + 1] = strchr("-. ", word.at[i]) ? '_' : char_lower(word.at[i]);
	memcpy(spaced + word.len + 1, " ", 2);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!text_has(text_of(known[i].words), text_of(spaced)))
			continue;
		*ret = known[i].platform;
		return true;
	}
	return false;
}

bool inventory_start_device(struct inventory *v, struct text name, struct text address, uint32_t line,
			    struct inventory_device *ret)
{
	struct text bare = text_first(address, text_find_char(address, '/')); /* NetBox has a prefix */

	*ret = (struct inventory_device){ .file = v->file, .line = line, .device = { .port = 22 } };
	if (!device_is_name(name) || name.len >= DEVICE_NAME_MAX) {
		inventory_leave_out(v, line, name, "a device's name is letters, digits, '.', '_' and '-', at most %d, and no '-' in front",
				    DEVICE_NAME_MAX - 1);
		return false;
	}
	if (bare.len == 0) {
		inventory_leave_out(v, line, name, "it has no address");
		return false;
	}
	if (spimend_address_parse(bare.at, bare.len, &ret->device.address) < 0) {
		inventory_leave_out(v, line, name, "'%.*s' is no address, and names are not looked up", TEXT_ARG(text_first(bare, 64)));
		return false;
	}
	text_copy(name, ret->device.name, sizeof(ret->device.name));
	return true;
}

int inventory_add(struct inventory *v, const struct inventory_device *device)
{
	struct inventory_device *grown;
	uint32_t room = v->room ? v->room * 2 : 64;

	if (v->count == 2 * DEVICES_MAX) { /* some of them may be duplicates */
		if (!v->full)
			inventory_leave_out(v, device->line, text_of(device->device.name), "and all that follow: more than %d devices",
					    DEVICES_MAX);
		else
			v->counts.left_out++;
		v->full = true;
		return 0;
	}
	if (v->count == v->room) {
		grown = memory_resize(v->devices, room, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		v->devices = grown;
		v->room = room;
	}
	v->devices[v->count++] = *device;
	return 0;
}

bool inventory_is_secret(struct text key)
{
	static const struct text parts[] = { TEXT("pass"), TEXT("secret"), TEXT("token"), TEXT("community"), TEXT("psk") };

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (text_find_nocase(key, parts[i]) != TEXT_NOT_FOUND)
			return true;
	return false;
}

static const struct inventory_node *netbox_list(const struct inventory_tree *tree, const struct inventory_node *root)
{
	const struct inventory_node *list = root;

	if (root->kind == INVENTORY_MAPPING) {
		list = inventory_find(tree, root, "results");
		if (!list)
			list = inventory_find(tree, inventory_find(tree, root, "data"), "device_list");
	}
	if (!list || list->kind != INVENTORY_SEQUENCE)
		return NULL;
	root = inventory_follow(tree, inventory_child(tree, list));
	return root && root->kind != INVENTORY_MAPPING ? NULL : list; /* "[routers]" of an INI file is a list too */
}

int inventory_read(struct inventory *v, const struct inventory_tree *tree, uint32_t file)
{
	const struct inventory_node *root = tree->count ? inventory_follow(tree, tree->nodes) : NULL;
	const struct inventory_node *list = root ? netbox_list(tree, root) : NULL;

	v->file = file;
	for (uint32_t i = 0; i < tree->count; i++)
		if (tree->nodes[i].kind == INVENTORY_SCALAR && inventory_is_secret(inventory_key(tree, &tree->nodes[i])) &&
		    (tree->nodes[i].value_len || tree->nodes[i].is_opaque))
			v->counts.passwords++;
	if (list)
		return inventory_read_netbox(v, tree, list);
	if (root && root->kind == INVENTORY_MAPPING)
		return inventory_read_ansible(v, tree);
	v->say(v->context, file, 0, TEXT("neither Ansible's groups nor NetBox's devices are in it; of an INI inventory, 'ansible-inventory "
					 "-i FILE --list' makes JSON"));
	return SPIMEND_E_SYNTAX;
}

/* --- All of them -------------------------------------------------------------------------------------------------- */

static int compare_names(const void *a, const void *b)
{
	const struct inventory_device *one = a, *other = b;
	int order = device_compare_names(text_of(one->device.name), text_of(other->device.name));

	if (order == 0)
		order = (one->file > other->file) - (one->file < other->file);
	return order ? order : (one->line > other->line) - (one->line < other->line);
}

struct place {
	struct spimend_address address;
	uint32_t at, file, line;
};

static int compare_places(const void *a, const void *b)
{
	const struct place *one = a, *other = b;
	int order = spimend_address_compare(&one->address, &other->address);

	if (order == 0)
		order = (one->file > other->file) - (one->file < other->file);
	if (order == 0)
		order = (one->line > other->line) - (one->line < other->line);
	return order ? order : (one->at > other->at) - (one->at < other->at);
}

static void drop(struct inventory *v, struct inventory_device *d)
{
	v->counts.left_out++;
	d->device.name[0] = '\0';
}

/* A name twice, an address twice: the first counts. */
static int drop_doubles(struct inventory *v)
{
	struct place *places cleanup(memory_free_pointer) = memory_new(v->count, sizeof(*places));
	uint32_t kept = 0, all = 0;

	if (!places)
		return -ENOMEM;
	qsort(v->devices, v->count, sizeof(v->devices[0]), compare_names);
	for (uint32_t i = 0, first = 0; i < v->count; i++) {
		if (i > first && strcmp(v->devices[first].device.name, v->devices[i].device.name) == 0) {
			say_of(v, &v->devices[i], "a device of that name was there before");
			drop(v, &v->devices[i]);
			continue;
		}
		first = i;
		places[all++] = (struct place){ v->devices[i].device.address, i, v->devices[i].file, v->devices[i].line };
	}
	qsort(places, all, sizeof(*places), compare_places);
	for (uint32_t i = 1, first = 0; i < all; i++) {
		if (!spimend_address_equal(&places[first].address, &places[i].address)) {
			first = i;
			continue;
		}
		say_of(v, &v->devices[places[i].at], "device %s has the same address", v->devices[places[first].at].device.name);
		drop(v, &v->devices[places[i].at]);
	}
	for (uint32_t i = 0; i < v->count; i++) {
		if (!v->devices[i].device.name[0])
			continue;
		if (kept == DEVICES_MAX) {
			say_of(v, &v->devices[i], "more than %d devices", DEVICES_MAX);
			drop(v, &v->devices[i]);
		} else {
			v->devices[kept++] = v->devices[i];
		}
	}
	v->count = kept;
	return 0;
}

static const struct inventory_device *find_device(const struct inventory *v, struct text name)
{
	struct spimend_address address;
	uint32_t low = 0, high = v->count;

	while (low < high) {
		uint32_t middle = (low + high) / 2;
		int order = device_compare_names(text_of(v->devices[middle].device.name), name);

		if (order == 0)
			return &v->devices[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (spimend_address_parse(name.at, name.len, &address) < 0)
		return NULL;
	for (uint32_t i = 0; i < v->count; i++)
		if (spimend_address_equal(&v->devices[i].device.address, &address))
			return &v->devices[i];
	return NULL;
}

static void drop_login(struct inventory_device *d)
{
	memset(&d->login, 0, sizeof(d->login));
	d->device.port = 22;
}

/* "user@host:port" of a device of the inventory. A login that would go another way than the inventory says is none. */
static void lead_jump(struct inventory *v, struct inventory_device *d)
{
	struct text rest = text_of(d->jump);
	size_t at = text_find_char(rest, '@');
	const struct inventory_device *jump;

	if (at != TEXT_NOT_FOUND)
		rest = text_skip(rest, at + 1);
	at = text_find_char(rest, ':');
	if (at != TEXT_NOT_FOUND && !text_has(text_skip(rest, at + 1), TEXT(":"))) /* else it is an IPv6 address */
		rest = text_first(rest, at);
	jump = text_has(rest, TEXT(",")) ? NULL : find_device(v, rest);
	if (jump && jump != d) {
		text_copy(text_of(jump->device.name), d->login.jump, sizeof(d->login.jump));
		return;
	}
	say_of(v, d, "no login: it is reached through '%.*s', which is none of the devices", TEXT_ARG(text_first(text_of(d->jump), 64)));
	drop_login(d);
}

/* A jump whose own login is gone leads nowhere. */
static bool drop_dead_jumps(struct inventory *v)
{
	bool dropped = false;

	for (uint32_t i = 0; i < v->count; i++) {
		struct inventory_device *d = &v->devices[i];
		const struct inventory_device *jump = d->login.jump[0] ? find_device(v, text_of(d->login.jump)) : NULL;

		if (!d->login.jump[0] || (jump && jump->login.user[0]))
			continue;
		say_of(v, d, "no login: '%s', through which it is reached, has none", d->login.jump);
		drop_login(d);
		dropped = true;
	}
	return dropped;
}

int inventory_finish(struct inventory *v)
{
	int result = v->count ? drop_doubles(v) : 0;

	for (uint32_t i = 0; result == 0 && i < v->count; i++)
		if (v->devices[i].jump[0] && v->devices[i].login.user[0])
			lead_jump(v, &v->devices[i]);
	while (result == 0 && drop_dead_jumps(v))
		;
	v->counts.devices = v->count;
	for (uint32_t i = 0; i < v->count; i++)
		v->counts.without_login += !v->devices[i].login.user[0];
	return result;
}

void inventory_print(const struct inventory *v, struct buffer *out)
{
	for (uint32_t i = 0; i < v->count; i++)
		config_device_print_one(&v->devices[i].device, v->devices[i].login.user[0] ? &v->devices[i].login : NULL, NULL, out);
}

struct inventory_counts inventory_count(const struct inventory *v)
{
	return v->counts;
}
