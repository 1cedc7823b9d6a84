/* SPDX-License-Identifier: MIT */
/* `evidence peer`: other gateways that run spimend. A list by address. */
#include <string.h>

#include "parse/config_private.h"

static struct config_evidence_peer *find(struct config_recorder *r, const struct spimend_address *address)
{
	for (uint32_t i = 0; i < r->peer_count; i++)
		if (spimend_address_equal(&r->peers[i].address, address))
			return &r->peers[i];
	return NULL;
}

bool config_evidence_set(const struct text *words, size_t count, struct config_recorder *r, struct buffer *why, bool *again)
{
	struct config_evidence_peer peer = { .port = EVIDENCE_PORT_STANDARD }, *there;
	uint32_t port;

	if (!config_read_address(words[0], &peer.address, why))
		return false;
	if (!text_equal_nocase(words[1], TEXT("key-file")))
		return config_say_expected(why, "word", words[1], "'key-file PATH' is expected");
	if (!config_is_path(words[2]))
		return config_say_expected(why, "file of the key", words[2], "an absolute path of at most 107 bytes is expected");
	text_copy(words[2], peer.key_file, sizeof(peer.key_file));
	if (count == 4)
		return config_say_expected(why, "word", words[3], "'port PORT' is expected, or nothing");
	if (count == 5 && !text_equal_nocase(words[3], TEXT("port")))
		return config_say_expected(why, "word", words[3], "'port PORT' is expected, or nothing");
	if (count == 5) {
		if (!config_read_count(words[4], 1, 65535, &port, why))
			return false;
		peer.port = (uint16_t)port;
	}
	there = find(r, &peer.address);
	if (there) {
		*again = memcmp(there, &peer, sizeof(peer)) != 0;
	} else if (r->peer_count == EVIDENCE_PEERS_MAX) {
		buffer_printf(why, "more than %d peers", EVIDENCE_PEERS_MAX);
		return false;
	} else {
		there = &r->peers[r->peer_count++];
	}
	*there = peer;
	return true;
}

bool config_evidence_unset(struct text word, struct config_recorder *r, struct buffer *why)
{
	struct spimend_address address;
	struct config_evidence_peer *there;

	if (!config_read_address(word, &address, why))
		return false;
	there = find(r, &address);
	if (!there) {
		buffer_add_string(why, "there is no such peer");
		return false;
	}
	memmove(there, there + 1, (size_t)(r->peers + --r->peer_count - there) * sizeof(*there));
	memset(&r->peers[r->peer_count], 0, sizeof(*there)); /* equal configurations are equal bytes */
	return true;
}

void config_evidence_print(const char *keywords, const struct config_recorder *r, struct buffer *out)
{
	char address[SPIMEND_ADDRESS_TEXT_MAX];

	for (uint32_t i = 0; i < r->peer_count; i++) {
		const struct config_evidence_peer *p = &r->peers[i];

		buffer_printf(out, " %s %s key-file %s", keywords, spimend_address_print(&p->address, address), p->key_file);
		if (p->port != EVIDENCE_PORT_STANDARD)
			buffer_printf(out, " port %u", p->port);
		buffer_add_char(out, '\n');
	}
}
