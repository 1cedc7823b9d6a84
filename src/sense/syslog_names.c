/* SPDX-License-Identifier: MIT */
/* Under which names sources speak, and until when who was heard. */
#include <stdio.h>
#include <string.h>

#include "sense/syslog_private.h"

#define ROOM (SYSLOG_NAMES_MAX * 2) /* a power of two */
#define WALK (ROOM / 8)             /* places looked at in one tick */

/* The place of that name, or the free one where it would go. */
static struct name *find_name(struct syslog *s, struct text text)
{
	size_t i = hash_bytes(&s->key, text.at, text.len) & (ROOM - 1);

	while (s->names[i].text[0] && !text_equal(text_of(s->names[i].text), text))
		i = (i + 1) & (ROOM - 1);
	return &s->names[i];
}

static struct name *take_name(struct syslog *s, struct text text, uint32_t source)
{
	struct name *name = find_name(s, text);

	if (!name->text[0] && s->name_count < SYSLOG_NAMES_MAX) {
		text_copy(text, name->text, sizeof(name->text));
		name->owner = source;
		s->name_count++;
	}
	return name;
}

/* A name that was asked for by its address, or by whom it does not belong to. */
static void name_by_address(struct syslog *s, uint32_t source)
{
	char text[SPIMEND_ADDRESS_TEXT_MAX];

	spimend_address_print(&s->known[source].address, text);
	take_name(s, text_of(text), source);
	text_copy(text_of(text), s->claim.host, sizeof(s->claim.host));
}

static bool is_placeholder(struct text host)
{
	uint64_t ignored = 0;

	if (host.len != HOST_LEN || !text_starts(host, TEXT("src")))
		return false;
	for (size_t i = 3; i < HOST_LEN; i++)
		ignored += !char_is_digit(host.at[i]) && !(host.at[i] >= 'a' && host.at[i] <= 'f');
	return ignored == 0;
}

void syslog_name_claim(struct syslog *s, uint32_t source, struct text host)
{
	const struct known *known = &s->known[source];
	struct name *name;

	s->claim.host[0] = '\0';
	host = text_first(host, SYSLOG_HOST_MAX - 1);
	host = text_first(host, text_find_char(host, '\0'));
	if (known->address.family == 0) { /* a file: what stands there */
		if (host.len)
			take_name(s, host, source);
		text_copy(host, s->claim.host, sizeof(s->claim.host));
		return;
	}
	if (host.len == 0 || is_placeholder(host)) {
		name_by_address(s, source);
		return;
	}
	name = take_name(s, host, source);
	if (!known->relay && (!name->text[0] || name->owner != source)) {
		s->counts.borrowed++;
		name_by_address(s, source);
		return;
	}
	text_copy(host, s->claim.host, sizeof(s->claim.host));
}

/* A host behind a relay is known to the table of parse/hosts; else the source's own lines tell. */
static struct instant last_of(struct syslog *s, const struct name *name)
{
	const struct known *owner = &s->known[name->owner];
	const struct host *host;

	if (!owner->relay && owner->address.family)
		return owner->last;
	host = hosts_get(&s->hosts, text_of(name->text));
	return host && host->heard ? host->last : (struct instant){ 0 };
}

void syslog_tell_names(struct syslog *s)
{
	struct syslog_heard heard;

	for (uint32_t i = 0; i < WALK; i++, s->walked = (s->walked + 1) & (ROOM - 1)) {
		struct name *name = &s->names[s->walked];
		struct instant last;

		if (!name->text[0])
			continue;
		last = last_of(s, name);
		if (last.ns <= name->told.ns)
			continue;
		memset(&heard, 0, sizeof(heard));
		memcpy(heard.host, name->text, sizeof(heard.host));
		heard.last = name->told = last;
		s->events.heard(s->events.context, &heard);
	}
}

void syslog_forget_names(struct syslog *s)
{
	memset(s->names, 0, ROOM * sizeof(*s->names));
	s->name_count = s->walked = 0;
}

void syslog_tell_again(struct syslog *s)
{
	for (uint32_t i = 0; i < ROOM; i++)
		s->names[i].told.ns = 0;
}
