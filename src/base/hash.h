/* SPDX-License-Identifier: MIT */
/*
 * SipHash-1-3 (Aumasson and Bernstein, 2012): keyed, so that nobody who chooses addresses and SPIs can choose our
 * collisions. Tables take a random key from their caller; a key of zeros gives stable identifiers.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash_key {
	uint64_t k0, k1;
};

/* A step of a cheap keyed hash for tables of fixed keys: both halves of the product. Whoever knows the key can choose
 * collisions; SipHash is for what is worth that care. */
static inline uint64_t hash_mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)(product >> 64) ^ (uint64_t)product;
}

uint64_t hash_bytes(const struct hash_key *key, const void *bytes, size_t len);

#endif
