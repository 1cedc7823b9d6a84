/* SPDX-License-Identifier: MIT */
/*
 * Which SA is it? A compact table from (destination, protocol, SPI) to a number of the caller's: one cache line a lookup,
 * 64 bytes for six SAs, at most 24 bytes an SA, and 40 for the moment in which it grows.
 *
 * Called by the ledger, and by whoever mirrors a SAD. It never fails to find for want of memory, has no tombstones, and
 * what is asked of it changes nothing. Destinations are our own addresses: each is kept once, and given up with its last SA.
 *
 * Forged packets choose what is looked up, never what is put in (the receiver picks its SPIs), so a keyed multiplication
 * does where a table fed by strangers needs SipHash at three times the cost: without the key nobody can aim at a long run
 * of full buckets, and the longest run is short, for it depends on the SPIs that we drew.
 */
#ifndef JUDGE_SPI_INDEX_H
#define JUDGE_SPI_INDEX_H

#include "base/hash.h"
#include "model/gateway.h"

#define SPI_INDEX_LIMIT_MAX (UINT32_C(1) << 28)
#define SPI_INDEX_DESTINATIONS_MAX 32767

struct spi_index;

/* At most `limit` SAs (cut to SPI_INDEX_LIMIT_MAX) of at most `destinations` own addresses (cut to
 * SPI_INDEX_DESTINATIONS_MAX). The key is random in production. 0 or -ENOMEM. */
int spi_index_new(uint32_t limit, uint32_t destinations, const struct hash_key *key, struct spi_index **ret);
void spi_index_free(struct spi_index *index);
/* Room for so many at once, so that spi_index_put() needs no memory up to there. 0, -ENOSPC (beyond the limit), -ENOMEM. */
int spi_index_reserve(struct spi_index *index, uint32_t count);

bool spi_index_find(const struct spi_index *index, const struct sa_key *key, uint32_t *ret_value);
/* The same for many: ret_found[i], and where that is true ret_values[i], else 0 there. Returns how many were found. Faster,
 * since the memory is asked for all before the first is compared. */
size_t spi_index_find_many(const struct spi_index *index, const struct sa_key *keys, size_t count, uint32_t *ret_values,
			   bool *ret_found);

/* Adds or replaces. 0; -ENOSPC when the limit of SAs or of destinations is reached, -ENOMEM: then nothing has changed. */
int spi_index_put(struct spi_index *index, const struct sa_key *key, uint32_t value);
bool spi_index_remove(struct spi_index *index, const struct sa_key *key);

struct spi_index_figures {
	uint32_t count, limit, destinations;
	uint64_t refused;    /* put in vain */
	uint64_t bytes;      /* of memory, all included */
	uint32_t buckets, overflowed; /* buckets that a lookup goes on behind */
	uint32_t longest;    /* buckets that a lookup may have to see, at worst */
};
/* Walks all buckets: not for every packet. */
struct spi_index_figures spi_index_figures(const struct spi_index *index);

#endif
