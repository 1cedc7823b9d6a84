/* SPDX-License-Identifier: MIT */
#include "record/pcapng.h"

#define SECTION 0x0a0d0d0au
#define INTERFACE 1u
#define PACKET 6u
#define OPTION_END 0
#define OPTION_COMMENT 1
#define OPTION_NAME 2       /* of an interface */
#define OPTION_RESOLUTION 9 /* of its times */
#define OPTION_PROGRAM 4    /* of a section */
#define SNAP_LENGTH 65535u
#define COMMENT_MAX 1024

static void add_short(struct buffer *out, uint16_t value)
{
	buffer_add(out, (struct text){ (const char *)&value, sizeof(value) }); /* in our byte order, which the section tells */
}

static void add_long(struct buffer *out, uint32_t value)
{
	buffer_add(out, (struct text){ (const char *)&value, sizeof(value) });
}

static void add_padded(struct buffer *out, struct text t)
{
	buffer_add(out, t);
	buffer_add_repeat(out, '\0', (4 - t.len % 4) % 4);
}

static void add_option(struct buffer *out, uint16_t code, struct text t)
{
	if (!t.len)
		return;
	t = text_first(t, COMMENT_MAX);
	while (t.len && !text_is_utf8(t)) /* cut within a character; what was none before is left out */
		t.len--;
	add_short(out, code);
	add_short(out, (uint16_t)t.len);
	add_padded(out, t);
}

static void add_block(struct buffer *out, uint32_t type, const struct buffer *body)
{
	uint32_t size = (uint32_t)body->len + 12;

	add_long(out, type);
	add_long(out, size);
	buffer_add(out, buffer_text(body));
	add_long(out, size);
	out->failed |= body->failed;
}

void pcapng_begin(struct pcapng *p, struct text comment)
{
	struct buffer body = { 0 };

	add_long(&body, 0x1a2b3c4d); /* the byte order */
	add_short(&body, 1);
	add_short(&body, 0);
	add_long(&body, UINT32_MAX); /* its length: not told */
	add_long(&body, UINT32_MAX);
	add_option(&body, OPTION_COMMENT, comment);
	add_option(&body, OPTION_PROGRAM, TEXT("spimend " SPIMEND_VERSION));
	add_long(&body, OPTION_END);
	add_block(p->out, SECTION, &body);
	buffer_done(&body);
	p->has_begun = true;
}

static bool find_interface(struct pcapng *p, const struct pcapng_packet *packet, uint32_t *ret)
{
	struct pcapng_interface *i;
	struct buffer body = { 0 };
	char name[PCAPNG_NAME_MAX];

	text_copy(packet->end, name, sizeof(name));
	for (uint32_t k = 0; k < p->count; k++) {
		if (p->interfaces[k].linktype == packet->linktype && strcmp(p->interfaces[k].name, name) == 0) {
			*ret = k;
			return true;
		}
	}
	if (p->count == PCAPNG_INTERFACES_MAX)
		return false;
	*ret = p->count;
	i = &p->interfaces[p->count++];
	memcpy(i->name, name, sizeof(i->name));
	i->linktype = packet->linktype;
	add_short(&body, i->linktype);
	add_short(&body, 0);
	add_long(&body, SNAP_LENGTH);
	add_option(&body, OPTION_NAME, text_of(i->name));
	add_option(&body, OPTION_RESOLUTION, TEXT("\x09")); /* 10 to the power of -9 */
	add_long(&body, OPTION_END);
	add_block(p->out, INTERFACE, &body);
	buffer_done(&body);
	return true;
}

void pcapng_add(struct pcapng *p, const struct pcapng_packet *packet)
{
	struct text bytes = text_first(packet->bytes, SNAP_LENGTH);
	struct buffer body = { 0 };
	uint32_t interface;

	if (!find_interface(p, packet, &interface)) {
		p->refused++;
		return;
	}
	add_long(&body, interface);
	add_long(&body, (uint32_t)((uint64_t)packet->at.ns >> 32));
	add_long(&body, (uint32_t)(uint64_t)packet->at.ns);
	add_long(&body, (uint32_t)bytes.len);
	add_long(&body, packet->length > bytes.len ? packet->length : (uint32_t)bytes.len);
	add_padded(&body, bytes);
	if (packet->comment.len) {
		add_option(&body, OPTION_COMMENT, packet->comment);
		add_long(&body, OPTION_END);
	}
	add_block(p->out, PACKET, &body);
	buffer_done(&body);
	p->packets++;
}
