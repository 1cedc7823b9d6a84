/* SPDX-License-Identifier: MIT */
/*
 * IP addresses and SPIs: the two values that every sentence about IPsec names. Distinct types, no I/O, no allocation.
 */
#ifndef SPIMEND_ADDRESS_H
#define SPIMEND_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spimend_address {
	uint8_t family;    /* 0 unknown (masked, missing), 4 or 6 */
	uint8_t bytes[16]; /* network order; an IPv4 address takes the first four, the rest is zero */
};

#define SPIMEND_ADDRESS_TEXT_MAX 46 /* with the terminating NUL */

/* Takes exactly `len` bytes at `text`: dotted IPv4, or IPv6 as in RFC 4291 2.2, without brackets, zone or prefix
 * length. 0 or SPIMEND_E_SYNTAX. */
int spimend_address_parse(const char *text, size_t len, struct spimend_address *ret);

/* RFC 5952 text, "?" for an unknown address. Returns `to`, which has room for SPIMEND_ADDRESS_TEXT_MAX bytes. */
char *spimend_address_print(const struct spimend_address *address, char *to);

bool spimend_address_equal(const struct spimend_address *a, const struct spimend_address *b);
/* <0, 0, >0: unknown, then IPv4, then IPv6, each in numeric order. */
int spimend_address_compare(const struct spimend_address *a, const struct spimend_address *b);

/* Sets all its bits from that one on, counted from the front, to `value`: the first and last address of a prefix. */
void spimend_address_set_bits(struct spimend_address *address, unsigned from, bool value);

/* For one that another process sent: a family there is, and zeros where it has no bytes. */
bool spimend_address_valid(const struct spimend_address *address);

static inline bool spimend_address_known(const struct spimend_address *address)
{
	return address->family != 0;
}

/* The value as people and logs write it in hex: host order, 0xb761863e for the bytes b7 61 86 3e on the wire. */
struct spimend_spi {
	uint32_t value;
};

/* ASA and FTD print a received PF_KEY SPI byte-swapped (CSCvx23833). */
static inline struct spimend_spi spimend_spi_swap(struct spimend_spi spi)
{
	return (struct spimend_spi){ __builtin_bswap32(spi.value) };
}

enum spimend_protocol {
	SPIMEND_PROTOCOL_UNKNOWN = 0,
	SPIMEND_PROTOCOL_ESP = 50,
	SPIMEND_PROTOCOL_AH = 51,
};

/* "esp", "ah" or "unknown". */
const char *spimend_protocol_name(enum spimend_protocol protocol);

#endif
