/* SPDX-License-Identifier: MIT */
#include "model/evidence_ask.h"

#include "base/hash.h"
#include "base/memory.h"

#define ROUNDED_NS 1000 /* on the wire */
#define STAMP_MOST (INT64_MAX / 4) /* of a clock that shows this century */

uint64_t evidence_peer_mark(const struct config_evidence_peer *peer)
{
	static const struct hash_key key = { 7, 8 };

	return hash_bytes(&key, peer, sizeof(*peer));
}

bool evidence_valid_ask(const struct evidence_ask *ask)
{
	return ask->number != 0 && text_is_string(ask->id, sizeof(ask->id)) && ask->id[0] && spimend_address_valid(&ask->ends[0]) &&
	       spimend_address_valid(&ask->ends[1]);
}

bool evidence_valid_part(const struct evidence_part *part)
{
	return is_bool(&part->failed) && is_bool(&part->has_clock) && part->total <= EVIDENCE_ANSWER_MAX &&
	       part->len <= EVIDENCE_PART_MAX && part->at <= part->total && part->len <= part->total - part->at &&
	       text_is_string(part->why, sizeof(part->why));
}

static bool is_between(const struct recorded *e, const struct spimend_address *src, const struct spimend_address *dst)
{
	return spimend_address_equal(&e->src, src) && spimend_address_equal(&e->dst, dst);
}

bool evidence_is_shared(const struct recorded *e, const struct spimend_address ends[2], struct text end)
{
	return (is_between(e, &ends[0], &ends[1]) || is_between(e, &ends[1], &ends[0])) && text_equal(e->end, end) &&
	       e->kind != RECORDED_COMMAND && e->kind != RECORDED_OUTPUT && e->kind != RECORDED_DEBUG && e->kind != RECORDED_CLOCK;
}

static bool is_stamp(int64_t t)
{
	return t >= 0 && t <= STAMP_MOST;
}

bool evidence_clock(int64_t t1, int64_t t2, int64_t t3, int64_t t4, int64_t *ret_offset, int64_t *ret_error)
{
	if (!is_stamp(t1) || !is_stamp(t2) || !is_stamp(t3) || !is_stamp(t4) || t4 < t1 || t3 < t2 || t4 - t1 < t3 - t2)
		return false;
	*ret_offset = ((t2 - t1) + (t3 - t4)) / 2;
	*ret_error = ((t4 - t1) - (t3 - t2)) / 2 + ROUNDED_NS;
	return true;
}
