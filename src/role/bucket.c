/* SPDX-License-Identifier: MIT */
#include "role/bucket.h"

#include "base/calendar.h"

bool bucket_may(struct bucket *bucket, int64_t now_ns, int64_t rate)
{
	const int64_t price = SECOND_NS / rate, most = 2 * SECOND_NS;

	bucket->credit += bucket->at ? now_ns - bucket->at : most;
	bucket->at = now_ns ? now_ns : 1;
	if (bucket->credit > most)
		bucket->credit = most;
	if (bucket->credit < price)
		return false;
	bucket->credit -= price;
	return true;
}

bool share_may(struct share *share, int64_t now_ns, int64_t percent)
{
	const int64_t most = 2 * SECOND_NS;

	share->credit = share->at ? share->credit + (now_ns - share->at) / 100 * percent : most;
	share->at = now_ns ? now_ns : 1;
	if (share->credit > most)
		share->credit = most;
	return share->credit > 0;
}

void share_pay(struct share *share, int64_t took_ns)
{
	share->credit -= took_ns;
}
