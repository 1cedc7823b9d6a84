/* SPDX-License-Identifier: MIT */
/* libFuzzer: every vendor's reader over the same bytes. What they promise of `used`, offsets and slices must hold. */
#include <stdlib.h>

#include "parse/dialect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static dialect_read *const readers[] = { dialect_asa_read, dialect_fortigate_read, dialect_screenos_read,
		dialect_checkpoint_read, dialect_versa_read, dialect_zyxel_read, dialect_nortel_read, dialect_audit_read,
		dialect_strongswan_read, dialect_libreswan_read };
	struct text body = { (const char *)data, size };
	uint32_t flags = 0;
	struct spimend_address a;

	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
		struct reading r;
		enum dialect_result result = readers[i](body, &r);

		must(result == DIALECT_NOT_MINE || result == DIALECT_READ || result == DIALECT_MORE || result == DIALECT_BAD);
		if (result == DIALECT_READ) {
			must(r.used > 0 && r.used <= size);
			must(r.fact.kind > FACT_NONE && r.fact.kind < FACT_KINDS && r.fact.count == 1);
		}
		if (result == DIALECT_BAD || result == DIALECT_MORE)
			must(r.failure.reason && r.failure.offset <= size);
		must(r.fact.interface[FACT_INTERFACE_MAX - 1] == '\0');
		must(r.own_host.len == 0 ||
			(r.own_host.at >= body.at && r.own_host.at + r.own_host.len <= body.at + body.len));
		must(!r.own_time_has_zone || r.has_own_time);
	}
	a = dialect_address(body, &flags);
	must(a.family == 0 || a.family == 4 || a.family == 6);
	must((a.family == 0) == (flags == FLAG_ADDRESS_MASKED));
	return 0;
}
