/* SPDX-License-Identifier: MIT */
#include "parse/hosts.h"

#include <errno.h>

#include "base/memory.h"

#define HOSTS_FIRST_ROOM 256

int hosts_init(struct hosts *hosts, const struct hash_key *key)
{
	*hosts = (struct hosts){ .key = *key, .room = HOSTS_FIRST_ROOM };
	hosts->slots = memory_new(hosts->room, sizeof(*hosts->slots));
	return hosts->slots ? 0 : -ENOMEM;
}

void host_done(struct host *host)
{
	memory_free(host->last_stray);
	memory_free(host->surroundings);
	host->last_stray = NULL;
	host->surroundings = NULL;
}

void hosts_done(struct hosts *hosts)
{
	for (size_t i = 0; hosts->slots && i < hosts->room; i++)
		host_done(&hosts->slots[i]);
	memory_free(hosts->slots);
	*hosts = (struct hosts){ 0 };
}

static struct host *find_slot(struct host *slots, size_t room, uint32_t hash, struct text name)
{
	size_t kept = name.len < HOST_NAME_KEPT ? name.len : HOST_NAME_KEPT;

	for (size_t i = hash & (room - 1);; i = (i + 1) & (room - 1)) {
		struct host *h = &slots[i];

		if (h->name_len == 0)
			return h;
		if (h->hash == hash && h->name_len == name.len && memcmp(h->name, name.at, kept) == 0)
			return h;
	}
}

static bool grow(struct hosts *hosts)
{
	size_t room = hosts->room * 2;
	struct host *slots = memory_new(room, sizeof(*slots));

	if (!slots)
		return false;
	for (size_t i = 0; i < hosts->room; i++) {
		const struct host *h = &hosts->slots[i];

		if (h->name_len)
			*find_slot(slots, room, h->hash, host_name(h)) = *h;
	}
	memory_free(hosts->slots);
	hosts->slots = slots;
	hosts->room = room;
	return true;
}

struct host *hosts_get(struct hosts *hosts, struct text name)
{
	struct host *h;
	uint32_t hash;

	if (name.len == 0 || name.len > UINT16_MAX)
		return NULL;
	hash = (uint32_t)hash_bytes(&hosts->key, name.at, name.len);
	h = find_slot(hosts->slots, hosts->room, hash, name);
	if (h->name_len)
		return h;
	if (hosts->count >= HOSTS_MAX || (hosts->count * 2 >= hosts->room && !grow(hosts))) {
		hosts->refused++;
		return NULL;
	}
	h = find_slot(hosts->slots, hosts->room, hash, name);
	h->hash = hash;
	h->name_len = (uint16_t)name.len;
	memcpy(h->name, name.at, name.len < HOST_NAME_KEPT ? name.len : HOST_NAME_KEPT);
	hosts->count++;
	return h;
}

struct text host_name(const struct host *host)
{
	return (struct text){ host->name, host->name_len < HOST_NAME_KEPT ? host->name_len : HOST_NAME_KEPT };
}

void host_surround(struct hosts *hosts, struct host *host, struct text text, uint64_t line, const void *log)
{
	struct surroundings *s = host->surroundings;

	if (text.len > SURROUNDING_TEXT_MAX)
		return;
	if (!s) {
		if (hosts->with_surroundings >= SURROUNDINGS_HOSTS)
			return;
		s = host->surroundings = memory_new(1, sizeof(*s));
		if (!s)
			return;
		hosts->with_surroundings++;
	}
	s->kept[s->next].line = line;
	s->kept[s->next].log = log;
	s->kept[s->next].len = (uint16_t)text.len;
	memcpy(s->kept[s->next].text, text.at, text.len);
	s->next = (s->next + 1) % SURROUNDINGS_KEPT;
}
