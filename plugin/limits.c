/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Token buckets: what anybody on the network can cause has a rate, in total and for each address. */
#include "spimend.h"

/* Under the lock. Rates and what a bucket holds are in thousandths, so that one in ten seconds is a rate as well. */
static bool take(bucket_t *b, const rate_t *rate, uint64_t now)
{
	uint32_t full = rate->burst * 1000;
	uint64_t gained = b->at_us ? (now - b->at_us) / 1000 * rate->per_1000_s / 1000 : full;

	if (gained) { /* too little stays for the next time */
		b->at_us = now;
		b->tokens = gained >= full - b->tokens ? full : b->tokens + (uint32_t)gained;
	}
	if (b->tokens < 1000)
		return FALSE;
	b->tokens -= 1000;
	return TRUE;
}

/* Two addresses may share a bucket: then they wait for each other, never the reverse. Of IPv6 the network counts, since its
 * host part costs a forger nothing. charon's hash has a random key. */
static bucket_t *bucket_of(limit_t *limit, host_t *address)
{
	chunk_t bytes = address->get_address(address);

	if (bytes.len == 16)
		bytes.len = 8;
	return &limit->by_address[chunk_hash(bytes) % LIMIT_SLOTS];
}

/* First its own: what one source has too much of is not taken from the others. */
bool limit_take(limit_t *limit, const rate_t *each, const rate_t *total, host_t *address)
{
	uint64_t now = now_us();

	return take(bucket_of(limit, address), each, now) && take(&limit->total, total, now);
}

bool limit_allow(spimend_t *this, limit_t *limit, const rate_t *each, const rate_t *total, host_t *address)
{
	bool allowed;

	pthread_mutex_lock(&this->lock);
	allowed = limit_take(limit, each, total, address);
	pthread_mutex_unlock(&this->lock);
	return allowed;
}

bool limit_allow_report(spimend_t *this, enum plugin_kind kind)
{
	static const rate_t rate = { FORGEABLE_RATE * 1000, FORGEABLE_BURST };
	static const enum plugin_kind kinds[FORGEABLE_KINDS] = { PLUGIN_INVALID_SPI_OUTSIDE, PLUGIN_INVALID_IKE_SPI,
								 PLUGIN_UNKNOWN_IKE_SA, PLUGIN_TOKEN_REFUSED,
								 PLUGIN_TOKEN_SENT };
	unsigned i = 0;
	bool allowed;

	while (i < FORGEABLE_KINDS - 1 && kinds[i] != kind)
		i++;
	pthread_mutex_lock(&this->lock);
	allowed = take(&this->forgeable[i], &rate, now_us());
	pthread_mutex_unlock(&this->lock);
	if (!allowed)
		channel_count_lost(this);
	return allowed;
}
