/* SPDX-License-Identifier: MIT */
/* What an SA protects and by which algorithms, in the words of routers. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "exec/show.h"

/* --- Selectors -------------------------------------------------------------------------------------------------------- */

static unsigned bits_of(const struct spimend_address *a)
{
	return a->family == 4 ? 32 : 128;
}

static bool bit(const struct spimend_address *a, unsigned n)
{
	return a->bytes[n / 8] >> (7 - n % 8) & 1;
}

/* The range is all that has the first `*ret` bits of its first address. */
static bool is_prefix(const struct selector *s, unsigned *ret)
{
	unsigned n = 0, bits = bits_of(&s->from);

	while (n < bits && bit(&s->from, n) == bit(&s->to, n))
		n++;
	*ret = n;
	for (; n < bits; n++)
		if (bit(&s->from, n) || !bit(&s->to, n))
			return false;
	return true;
}

/* "10.1.0.0/255.255.0.0", "2001:DB8::/64", "10.1.0.3-10.1.0.9/range" */
static void add_range(struct buffer *out, const struct selector *s)
{
	char from[SPIMEND_ADDRESS_TEXT_MAX], to[SPIMEND_ADDRESS_TEXT_MAX];
	unsigned prefix;
	uint32_t mask;

	show_address(&s->from, from);
	if (!is_prefix(s, &prefix)) {
		buffer_printf(out, "%s-%s/range", from, show_address(&s->to, to));
		return;
	}
	mask = prefix && s->from.family == 4 ? UINT32_MAX << (32 - prefix) : 0;
	if (s->from.family == 4)
		buffer_printf(out, "%s/%u.%u.%u.%u", from, mask >> 24, mask >> 16 & 255, mask >> 8 & 255, mask & 255);
	else
		buffer_printf(out, "%s/%u", from, prefix);
}

void show_add_ident(struct buffer *out, const struct selector *s, bool port_first)
{
	buffer_add_char(out, '(');
	add_range(out, s);
	if (port_first)
		buffer_printf(out, "/%s/%u)", s->port, s->protocol);
	else
		buffer_printf(out, "/%u/%s)", s->protocol, s->port);
}

void show_add_permit(struct buffer *out, const struct selector *s)
{
	char text[SPIMEND_ADDRESS_TEXT_MAX];

	if (spimend_address_equal(&s->from, &s->to))
		buffer_printf(out, "host %s", show_address(&s->from, text));
	else
		add_range(out, s);
	if (strcmp(s->port, "0") != 0)
		buffer_printf(out, " port %s", s->port);
}

void show_put_selectors(struct json *j, const char *key, const struct selector_list *list)
{
	json_array(j, key);
	for (size_t i = 0; i < list->count; i++) {
		json_object(j, NULL);
		show_put_address(j, "from", &list->at[i].from);
		show_put_address(j, "to", &list->at[i].to);
		json_unsigned(j, "protocol", list->at[i].protocol);
		json_string(j, "port", strcmp(list->at[i].port, "0") != 0 ? list->at[i].port : NULL);
		json_object_end(j);
	}
	json_array_end(j);
}

/* --- Algorithms ------------------------------------------------------------------------------------------------------- */

/* charon's name, and the router's behind "esp-" or "ah-". */
static const char *const ciphers[][2] = {
	{ "AES_CBC", "aes" }, { "AES_GCM_16", "gcm" }, { "NULL_AES_GMAC", "gmac" }, { "3DES_CBC", "3des" }, { "DES_CBC", "des" },
	{ "NULL", "null" }, { "", "null" },
};
static const char *const hashes[][2] = {
	{ "HMAC_SHA1_96", "sha-hmac" }, { "HMAC_MD5_96", "md5-hmac" }, { "HMAC_SHA2_256_128", "sha256-hmac" },
	{ "HMAC_SHA2_384_192", "sha384-hmac" }, { "HMAC_SHA2_512_256", "sha512-hmac" },
};

/* A name that routers do not have: in lower case, with hyphens. */
static void add_lower(struct buffer *out, const char *name)
{
	for (; *name; name++)
		buffer_add_char(out, *name == '_' ? '-' : char_lower(*name));
}

static const char *find_name(const char *const names[][2], size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i][0], name) == 0)
			return names[i][1];
	return NULL;
}

static void add_cipher(struct buffer *out, const struct sa_algorithms *a)
{
	const char *name = find_name(ciphers, EXEC_COUNT(ciphers), a->encryption);
	bool aes = name && strcmp(name, "aes") == 0, gcm = name && name[0] == 'g';

	buffer_add_string(out, "esp-");
	if (aes && a->key_bits > 128) /* "esp-aes" is that of 128 bits */
		buffer_printf(out, "%u-", a->key_bits);
	if (name)
		buffer_add_string(out, name);
	else
		add_lower(out, a->encryption);
	if (a->key_bits && (gcm ? a->key_bits > 128 : !aes))
		buffer_printf(out, " %u", a->key_bits);
}

void show_add_transform(struct buffer *out, const struct child_sa *child)
{
	const struct sa_algorithms *a = &child->algorithms;
	const char *hash = find_name(hashes, EXEC_COUNT(hashes), a->integrity), *kind = child->protocol == 51 ? "ah-" : "esp-";

	if (!a->encryption[0] && !a->integrity[0]) {
		buffer_add_string(out, "unknown");
		return;
	}
	if (child->protocol != 51)
		add_cipher(out, a);
	if (!a->integrity[0])
		return;
	buffer_printf(out, "%s%s", child->protocol != 51 ? " " : "", kind);
	if (hash)
		buffer_add_string(out, hash);
	else
		add_lower(out, a->integrity);
}

unsigned show_group(const struct sa_algorithms *a)
{
	static const struct {
		const char *name;
		unsigned number;
	} groups[] = {
		{ "MODP_768", 1 },      { "MODP_1024", 2 },      { "MODP_1536", 5 },      { "MODP_2048", 14 },    { "MODP_3072", 15 },
		{ "MODP_4096", 16 },    { "MODP_6144", 17 },     { "MODP_8192", 18 },     { "ECP_256", 19 },      { "ECP_384", 20 },
		{ "ECP_521", 21 },      { "MODP_1024_160", 22 }, { "MODP_2048_224", 23 }, { "MODP_2048_256", 24 }, { "ECP_192", 25 },
		{ "ECP_224", 26 },      { "ECP_224_BP", 27 },    { "ECP_256_BP", 28 },    { "ECP_384_BP", 29 },   { "ECP_512_BP", 30 },
		{ "CURVE_25519", 31 },  { "CURVE_448", 32 },
	};

	for (size_t i = 0; i < EXEC_COUNT(groups); i++)
		if (strcmp(groups[i].name, a->group) == 0)
			return groups[i].number;
	return 0;
}

static void put_name(struct json *j, const char *key, const char *name)
{
	json_string(j, key, name[0] ? name : NULL);
}

void show_put_algorithms(struct json *j, const struct sa_algorithms *a)
{
	put_name(j, "encryption", a->encryption);
	if (a->key_bits)
		json_unsigned(j, "key_bits", a->key_bits);
	else
		json_null(j, "key_bits");
	put_name(j, "integrity", a->integrity);
	put_name(j, "group", a->group);
}

bool show_kilobytes_left(const struct core_tunnel *t, bool inbound, uint64_t *ret)
{
	uint64_t used = inbound ? t->child.bytes_in : t->child.bytes_out;

	if (!t->bytes_limit || !t->child.has_counters)
		return false;
	*ret = used < t->bytes_limit ? (t->bytes_limit - used) / 1024 : 0;
	return true;
}
