/* SPDX-License-Identifier: MIT */
#include "role/web_door.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/random.h>

#include "base/hash.h"
#include "parse/web_token.h"

int web_hash(struct text t, uint8_t ret[WEB_HASH_SIZE])
{
	unsigned size = WEB_HASH_SIZE;

	return EVP_Digest(t.at ? t.at : "", t.len, ret, &size, EVP_sha256(), NULL) == 1 ? 0 : -EIO;
}

/* --- Tokens and sessions ---------------------------------------------------------------------------------------------- */

bool door_token(const struct web_door *door, struct text token, struct web_who *ret)
{
	struct web_who who = { .credential = web_token_is_personal(token) ? WEB_BY_PERSON : WEB_BY_PAGE };

	if (!web_token_is_one(token) || web_hash(token, who.token) < 0)
		return false;
	if (who.credential == WEB_BY_PAGE && (!door->has_page || CRYPTO_memcmp(who.token, door->page, WEB_HASH_SIZE) != 0))
		return false;
	*ret = who;
	return true;
}

bool door_cookie(struct web_door *door, struct text cookie, int64_t now_ns, struct web_who *ret)
{
	uint8_t key[WEB_HASH_SIZE];
	bool found = false;

	if (cookie.len == 0 || cookie.len >= WEB_TOKEN_TEXT_MAX || web_hash(cookie, key) < 0)
		return false;
	for (uint32_t i = 0; i < DOOR_SESSIONS_MAX; i++) { /* all of them, each time */
		struct web_session *s = &door->sessions[i];

		if (s->used && s->until <= now_ns)
			memset(s, 0, sizeof(*s));
		if (!s->used || CRYPTO_memcmp(s->key, key, sizeof(key)) != 0)
			continue;
		*ret = s->who;
		ret->session = i + 1;
		ret->serial = s->serial;
		found = true;
	}
	return found;
}

bool door_enter(struct web_door *door, const struct web_who *who, int64_t now_ns, char *to)
{
	struct web_session *place = NULL;
	uint8_t bytes[WEB_TOKEN_BYTES];

	for (uint32_t i = 0; i < DOOR_SESSIONS_MAX && !place; i++)
		if (!door->sessions[i].used || door->sessions[i].until <= now_ns)
			place = &door->sessions[i];
	if (!place || getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return false;
	web_token_print(bytes, false, to);
	OPENSSL_cleanse(bytes, sizeof(bytes));
	*place = (struct web_session){ .used = true, .serial = ++door->serial, .who = *who, .until = now_ns + DOOR_SESSION_NS };
	place->who.session = 0;
	if (web_hash(text_of(to), place->key) == 0)
		return true;
	memset(place, 0, sizeof(*place));
	return false;
}

uint64_t door_serial(const struct web_door *door, const struct web_who *who)
{
	const struct web_session *s = who->session && who->session <= DOOR_SESSIONS_MAX ? &door->sessions[who->session - 1] : NULL;

	return s && s->used && s->serial == who->serial ? s->serial : 0;
}

void door_leave(struct web_door *door, const struct web_who *who)
{
	if (door_serial(door, who))
		memset(&door->sessions[who->session - 1], 0, sizeof(door->sessions[0]));
}

uint32_t door_sessions(const struct web_door *door)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < DOOR_SESSIONS_MAX; i++)
		n += door->sessions[i].used;
	return n;
}

void door_change_page(struct web_door *door, const uint8_t hash[WEB_HASH_SIZE])
{
	bool same = door->has_page && memcmp(door->page, hash, WEB_HASH_SIZE) == 0;

	memcpy(door->page, hash, WEB_HASH_SIZE);
	door->has_page = true;
	for (uint32_t i = 0; i < DOOR_SESSIONS_MAX && !same; i++)
		if (door->sessions[i].used && door->sessions[i].who.credential == WEB_BY_PAGE)
			memset(&door->sessions[i], 0, sizeof(door->sessions[i]));
}

/* --- How often -------------------------------------------------------------------------------------------------------- */

static struct web_client *client_of(struct web_door *door, const void *key, size_t len, int64_t now_ns)
{
	static const struct hash_key zero;
	uint64_t name = hash_bytes(&zero, key, len) | 1;
	struct web_client *place = &door->clients[0];

	for (size_t i = 0; i < DOOR_CLIENTS_MAX; i++) {
		struct web_client *c = &door->clients[i];

		if (c->name == name) {
			c->seen = now_ns;
			return c;
		}
		if (c->seen < place->seen)
			place = c;
	}
	*place = (struct web_client){ .name = name, .seen = now_ns };
	return place;
}

bool door_may_ask(struct web_door *door, const struct web_who *who, const char *address, int64_t now_ns)
{
	struct web_client *client = who ? client_of(door, who->token, sizeof(who->token), now_ns) :
					  client_of(door, address, strlen(address), now_ns);

	return bucket_may(&client->requests, now_ns, DOOR_RATE);
}

bool door_may_err(struct web_door *door, const char *address, int64_t now_ns)
{
	return bucket_may(&client_of(door, address, strlen(address), now_ns)->wrong, now_ns, DOOR_WRONG_RATE);
}
