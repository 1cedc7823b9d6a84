/* SPDX-License-Identifier: MIT */
#include "parse/daemon_hint.h"

/* strongswan.md 3; the texts of 5.9.8 as they came. A line starts with `start` and has `has`; the SPI is the
 * eight hex digits behind `spi_after`. */
static const struct line {
	enum daemon_hint_kind kind;
	const char *start, *has, *spi_after;
} lines[] = {
	{ HINT_DELETE_UNKNOWN, "received DELETE for unknown ", " CHILD_SA with SPI ", " with SPI " },
	{ HINT_DELETE_RECEIVED, "received DELETE for ", " CHILD_SA with SPI ", " with SPI " },
	{ HINT_DELETE_RECEIVED, "received DELETE for IKE_SA ", "[", NULL },
	{ HINT_DELETE_SENT, "sending DELETE for ", " CHILD_SA with SPI ", " with SPI " },
	{ HINT_DELETE_SENT, "sending DELETE for IKE_SA ", "[", NULL },
	{ HINT_EXPIRED, "closing expired CHILD_SA ", " with SPIs ", " with SPIs " },
	{ HINT_KERNEL_LOST, "querying SAD entry with SPI ", "failed: No such process", " with SPI " },
	{ HINT_KERNEL_LOST, "querying replay state from SAD entry with SPI ", "failed: No such process", " with SPI " },
	{ HINT_KERNEL_LOST, "unable to delete SAD entry with SPI ", ": No such process", " with SPI " },
	{ HINT_COLLISION, "received TEMPORARY_FAILURE", "", NULL },
	{ HINT_COLLISION, "CHILD_SA rekey collision ", "", NULL },
	{ HINT_COLLISION, "CHILD_SA rekey/delete collision", "", NULL },
	{ HINT_COLLISION, "detected CHILD_", " collision with ", NULL },
	{ HINT_CHILD_NOT_FOUND, "peer didn't find the CHILD_SA we tried to rekey", "", NULL },
	{ HINT_CHILD_NOT_FOUND, "received CHILD_SA_NOT_FOUND", "", NULL },
	{ HINT_INITIAL_CONTACT, "destroying duplicate IKE_SA for peer ", "received INITIAL_CONTACT", NULL },
	{ HINT_PEER_DEAD, "giving up after ", " retransmits", NULL },
	{ HINT_PEER_DEAD, "DPD check timed out", "", NULL },
	{ HINT_PEER_DEAD, "proper IKE_SA delete failed, peer not responding", "", NULL },
	{ HINT_PEER_DEAD, "rekeying IKE_SA failed, peer not responding", "", NULL },
	{ HINT_PEER_DEAD, "establishing IKE_SA failed, peer not responding", "", NULL },
	{ HINT_DUPLICATE, "not establishing CHILD_SA ", " due to existing duplicate", NULL },
};

static bool read_spi(struct text t, uint32_t *ret)
{
	size_t digits = 0;

	while (digits < t.len && digits < 9 && char_hex(t.at[digits]) >= 0)
		digits++;
	return digits == 8 && text_hex32(text_first(t, digits), ret) == 0;
}

/* The start of a line says it; peers' identities, which a stranger may choose, come behind. */
static const struct line *find_line(struct text t)
{
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (text_starts(t, text_of(lines[i].start)) && text_has(t, text_of(lines[i].has)))
			return &lines[i];
	return NULL;
}

/* Remembers whether a request or a response came in last; true when that was all the line told. IKEv1 has no answers to a
 * DELETE: its INFORMATIONAL_V1 are all called requests. */
static bool note_turn(struct daemon_hint_memory *memory, const struct vici_log *log)
{
	size_t slot = log->thread % DAEMON_HINT_THREADS_MAX;
	enum daemon_hint_turn turn;

	if (text_starts(log->text, TEXT("parsed ")))
		turn = text_has(text_first(log->text, 40), TEXT(" response ")) ? TURN_RESPONSE : TURN_REQUEST;
	else if (text_starts(log->text, TEXT("generating ")) || text_starts(log->text, TEXT("sending packet")))
		turn = TURN_OURS; /* what came in is answered: what follows is this end's own doing */
	else
		return false;
	memory->slots[slot].thread = log->thread;
	memory->slots[slot].ike_id = log->ike_id;
	memory->slots[slot].turn = turn;
	return true;
}

static enum daemon_hint_turn turn_of(const struct daemon_hint_memory *memory, const struct vici_log *log)
{
	size_t slot = log->thread % DAEMON_HINT_THREADS_MAX;

	if (memory->slots[slot].thread != log->thread || memory->slots[slot].ike_id != log->ike_id)
		return TURN_OURS;
	return memory->slots[slot].turn;
}

struct daemon_hint daemon_hint_read(struct daemon_hint_memory *memory, uint16_t daemon, const struct vici_log *log)
{
	struct daemon_hint none = { .daemon = daemon, .kind = HINT_NONE }, hint = none;
	const struct line *line;
	enum daemon_hint_turn turn;
	size_t at;

	if (note_turn(memory, log))
		return none;
	line = find_line(log->text);
	if (!line)
		return none;
	turn = turn_of(memory, log);
	if ((line->kind == HINT_DELETE_RECEIVED && turn == TURN_RESPONSE) ||
	    (line->kind == HINT_DELETE_SENT && turn == TURN_REQUEST))
		return none; /* the answer to a DELETE, which was told already */
	hint.kind = line->kind;
	hint.has_ike = log->has_ike;
	hint.ike_id = log->has_ike ? log->ike_id : 0;
	if (line->spi_after) {
		at = text_find(log->text, text_of(line->spi_after));
		hint.has_spi = at != TEXT_NOT_FOUND && read_spi(text_skip(log->text, at + strlen(line->spi_after)), &hint.spi);
	}
	return hint;
}
