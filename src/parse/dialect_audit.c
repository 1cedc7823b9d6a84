/* SPDX-License-Identifier: MIT */
/*
 * Linux audit records 1415, MAC_IPSEC_EVENT: from the kernel, one a packet, also for ESP in UDP.
 *
 *     type=MAC_IPSEC_EVENT msg=audit(1767225600.123:45): op=SA-notfound src=A dst=B [flowlbl=0x..] [spi=D(0xH) seqno=N]
 *
 * The record does not say which protocol it is about, nor the namespace or interface: protocol stays unknown. One path
 * of the kernel prints no spi. SAD-add and SAD-delete name the SA's own ends, so that dst is this machine for inbound
 * SAs and the peer for outbound ones: src, dst and spi are always those of one flow, and nothing more is claimed.
 */
#include "base/calendar.h"
#include "parse/dialect_form.h"

static const struct operation {
	const char *name;
	enum fact_kind kind;
} operations[] = {
	{ "SA-notfound", FACT_STRAY },
	{ "SA-icv-failure", FACT_INTEGRITY },
	{ "SA-replayed-pkt", FACT_REPLAY },
	{ "SA-replay-overflow", FACT_REPLAY },
	{ "SAD-add", FACT_SA_BORN },
	/* By a daemon, by a person or by the kernel at the end of its life: not told. */
	{ "SAD-delete", FACT_SA_DIED },
};

/* audit(1767225600.123:45): */
static void read_stamp(struct text line, struct reading *ret)
{
	size_t at = text_find(line, TEXT("audit("));
	uint64_t seconds, fraction;
	size_t digits;
	struct text t;

	if (at == TEXT_NOT_FOUND)
		return;
	t = text_skip(line, at + 6);
	if (!text_take_digits(&t, 11, &seconds, NULL) || seconds > UINT64_C(9000000000) || !text_take_char(&t, '.') ||
		!text_take_digits(&t, 9, &fraction, &digits))
		return;
	for (; digits < 9; digits++)
		fraction *= 10;
	if (text_take_char(&t, ':'))
		dialect_set_own_time(ret, (int64_t)seconds * SECOND_NS + (int64_t)fraction);
}

static bool at_end(struct text value, struct text line)
{
	return value.at + value.len == line.at + line.len;
}

/* spi=3076621886(0xb761863e): the hex is the truth. */
static enum dialect_result read_spi(struct text value, struct text line, struct text body, struct reading *ret)
{
	struct text t = value;
	size_t offset = (size_t)(value.at - body.at);
	uint64_t decimal = 0;
	bool has_decimal = text_take_digits(&t, 10, &decimal, NULL);
	struct spimend_spi spi;

	if (!text_take_char(&t, '(')) {
		if (at_end(value, line) && t.len == 0)
			return dialect_fail(ret, DIALECT_MORE, "cut within the SPI: expected (0x", body.len);
		if (dialect_is_masked(value))
			return DIALECT_READ;
		if (has_decimal && t.len == 0 && decimal <= UINT32_MAX) {
			ret->fact.spi = (struct spimend_spi){ (uint32_t)decimal };
			ret->fact.has |= FACT_HAS_SPI;
			return DIALECT_READ;
		}
		return dialect_fail(ret, DIALECT_BAD, has_decimal ? "the SPI is no 32-bit number" : dialect_reason_template, offset);
	}
	if (!text_starts(t, TEXT("0x")) || !dialect_take_spi(&t, &spi)) {
		if (at_end(value, line))
			return dialect_fail(ret, DIALECT_MORE, "cut within the SPI", body.len);
		return dialect_fail(ret, DIALECT_BAD, has_decimal ? "the SPI is no hex number of 1 to 8 digits" :
			dialect_reason_template, offset);
	}
	if (t.len == 0)
		return dialect_fail(ret, DIALECT_MORE, "cut within the SPI: expected )", body.len);
	ret->fact.spi = spi;
	ret->fact.has |= FACT_HAS_SPI;
	if (!has_decimal || decimal != spi.value)
		ret->fact.flags |= FLAG_DECIMAL_DIFFERS;
	return DIALECT_READ;
}

/* key=value after `op=`, blank-separated, values bare. */
static bool find_field(struct text line, struct text key, struct text *ret)
{
	for (size_t from = 0; from < line.len;) {
		size_t hit = text_find(text_skip(line, from), key);
		struct text value;

		if (hit == TEXT_NOT_FOUND)
			return false;
		hit += from;
		from = hit + key.len;
		if (hit && !char_is_blank(line.at[hit - 1]))
			continue;
		value = text_skip(line, hit + key.len);
		*ret = text_take_until(&value, " \t\r\n\x1d");
		return true;
	}
	return false;
}

enum dialect_result dialect_audit_read(struct text body, struct reading *ret)
{
	const struct operation *op = NULL;
	struct text line, rest, name, value;
	size_t at = text_find(body, TEXT("op=SA"));
	enum dialect_result result;
	uint64_t sequence;

	*ret = (struct reading){ 0 };
	if (at == TEXT_NOT_FOUND || (at && !char_is_blank(body.at[at - 1])))
		return DIALECT_NOT_MINE;
	rest = dialect_first_line(text_skip(body, at));
	line = text_first(body, at + rest.len);
	value = text_skip(rest, 3);
	name = text_take_until(&value, " \t\r\n");
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if (text_equal(name, text_of(operations[i].name)))
			op = &operations[i];
	if (!op)
		return DIALECT_NOT_MINE;
	/* res=0: the kernel refused. */
	if (op->kind == FACT_SA_BORN || op->kind == FACT_SA_DIED)
		if (find_field(rest, TEXT("res="), &value) && text_equal(value, TEXT("0")))
			return DIALECT_NOT_MINE;
	ret->fact = fact_of(op->kind, DIALECT_LINUX_AUDIT);
	read_stamp(text_first(line, at), ret);
	if (find_field(text_first(line, at), TEXT("node="), &value))
		ret->own_host = value;
	if (!find_field(rest, TEXT("src="), &value) || at_end(value, line))
		return dialect_fail(ret, DIALECT_MORE, "cut in the middle: expected src= and dst=", line.len);
	ret->fact.src = dialect_address(value, &ret->fact.flags);
	if (!find_field(rest, TEXT("dst="), &value))
		return dialect_fail(ret, DIALECT_MORE, "cut in the middle: expected dst=", line.len);
	/* The path without spi ends with dst: whether that was cut nobody can tell. */
	ret->fact.dst = dialect_address(value, &ret->fact.flags);
	if (find_field(rest, TEXT("spi="), &value)) {
		result = read_spi(value, line, body, ret);
		if (result != DIALECT_READ)
			return result;
	}
	if (find_field(rest, TEXT("seqno="), &value) && text_decimal(value, UINT32_MAX, &sequence) == 0) {
		ret->fact.sequence = sequence;
		ret->fact.has |= FACT_HAS_SEQUENCE;
	}
	return dialect_read_to(ret, line.len);
}
