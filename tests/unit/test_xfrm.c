/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>

#include "parse/xfrm.h"
#include "vici_fixture.h"

struct told {
	size_t count;
	struct kernel_event all[8];
};

static void keep(void *context, const struct kernel_event *event)
{
	struct told *t = context;

	assert_true(t->count < 8 && gateway_valid_kernel_event(event));
	t->all[t->count++] = *event;
}

static struct xfrm_batch read_file(const char *name, uint32_t sequence, struct told *told)
{
	struct xfrm_batch batch;
	struct fixture f;

	*told = (struct told){ 0 };
	fixture_read(&f, "xfrm", name);
	xfrm_read((struct text){ f.bytes, f.len }, sequence, keep, told, &batch);
	assert_int_equal(batch.events, told->count);
	return batch;
}

static bool is_at(const struct spimend_address *a, const char *text)
{
	char printed[SPIMEND_ADDRESS_TEXT_MAX];

	return strcmp(spimend_address_print(a, printed), text) == 0;
}

static void a_list_gives_its_sas(void **state)
{
	struct told t;
	struct xfrm_batch b = read_file("dump", 1, &t);

	(void)state;
	assert_true(b.done && !b.interrupted && !b.failed && b.malformed == 0 && b.others == 0);
	assert_int_equal(t.count, 2);
	assert_int_equal(t.all[0].change, KERNEL_LISTED);
	assert_true(is_at(&t.all[0].sa.key.dst, "192.0.2.2") && is_at(&t.all[0].sa.src, "192.0.2.1"));
	assert_int_equal(t.all[0].sa.key.spi, 0xc0a80102);
	assert_int_equal(t.all[0].sa.key.protocol, 50);
	assert_int_equal(t.all[0].sa.packets, 10);
	assert_int_equal(t.all[0].sa.bytes, 840);
	assert_int_equal(t.all[0].sa.replay_highest, 77);
	assert_int_equal(t.all[0].sa.reqid, 1);
	assert_false(t.all[0].sa.larval || t.all[0].sa.encap_udp || t.all[0].sa.outbound);
	assert_true(t.all[1].sa.encap_udp);
	assert_int_equal(t.all[1].sa.mark, 0x2a);
	assert_int_equal(t.all[1].sa.mark_mask, 0xff);
	assert_int_equal(t.all[1].sa.if_id, 7);
	assert_int_equal(t.all[1].sa.replay_highest, 99);
}

static void larval_outbound_and_ipv6_are_told_and_an_inconsistent_list_too(void **state)
{
	struct told t;
	struct xfrm_batch b = read_file("dump6", 1, &t);

	(void)state;
	assert_true(b.done && b.interrupted);
	assert_int_equal(t.count, 2);
	assert_true(is_at(&t.all[0].sa.key.dst, "2001:db8::2"));
	assert_int_equal(t.all[0].sa.key.protocol, 51);
	assert_true(t.all[0].sa.outbound && !t.all[0].sa.larval);
	assert_true(t.all[1].sa.larval);
}

static void answers_to_another_request_are_passed_over(void **state)
{
	struct told t;
	struct xfrm_batch b = read_file("dump", 2, &t);

	(void)state;
	assert_int_equal(t.count, 0);
	assert_int_equal(b.others, 3);
	assert_false(b.done);
}

static void every_change_is_told(void **state)
{
	static const struct {
		const char *name;
		enum kernel_change change;
		bool by_volume;
		uint32_t spi;
	} rows[] = {
		{ "added", KERNEL_ADDED, false, 0xc0a80102 },
		{ "updated", KERNEL_UPDATED, false, 0xc0a80102 },
		{ "deleted", KERNEL_DELETED, false, 0xc0a80102 },
		{ "deleted-bare", KERNEL_DELETED, false, 7 },
		{ "expire-hard", KERNEL_EXPIRED_HARD, false, 0xc0a80102 },
		{ "expire-soft-bytes", KERNEL_EXPIRED_SOFT, true, 0xc0a80102 },
		{ "expire-hard-packets", KERNEL_EXPIRED_HARD, true, 0xc0a80102 },
		{ "flushed", KERNEL_FLUSHED, false, 0 },
		{ "flushed-esp", KERNEL_FLUSHED, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct told t;
		struct xfrm_batch b = read_file(rows[i].name, 0, &t);

		if (t.count != 1 || b.malformed || b.others)
			fail_msg("%s: %zu events, %u malformed", rows[i].name, t.count, b.malformed);
		assert_int_equal(t.all[0].change, rows[i].change);
		assert_int_equal(t.all[0].by_volume, rows[i].by_volume);
		assert_int_equal(t.all[0].sa.key.spi, rows[i].spi);
		assert_false(t.all[0].sa.larval);
	}
}

static void errors_ends_and_what_is_not_ours_are_told_apart(void **state)
{
	struct xfrm_batch b;
	struct told t;

	(void)state;
	b = read_file("error", 1, &t);
	assert_true(b.failed && b.error == -EPERM && !b.done);
	b = read_file("ack", 1, &t);
	assert_true(!b.failed && b.error == 0);
	b = read_file("done-error", 1, &t);
	assert_true(b.done && b.failed && b.error == -EINTR);
	b = read_file("ipcomp", 0, &t);
	assert_true(t.count == 0 && b.others == 1 && b.malformed == 0);
}

static void short_and_lying_messages_are_counted(void **state)
{
	struct xfrm_batch b;
	struct fixture f;
	struct told t;

	(void)state;
	b = read_file("cut", 0, &t);
	assert_true(t.count == 0 && b.malformed == 1);
	b = read_file("attribute-lies", 0, &t);
	assert_true(t.count == 0 && b.malformed == 1);
	fixture_read(&f, "xfrm", "dump");
	for (size_t cut = 1; cut < f.len; cut++) { /* on the heap, so that a read beyond it is seen */
		char *bytes = malloc(cut);

		t.count = 0;
		memcpy(bytes, f.bytes, cut);
		xfrm_read((struct text){ bytes, cut }, 0, keep, &t, &b);
		assert_true(t.count <= 2 && b.malformed <= 1);
		free(bytes);
	}
	for (size_t shift = 1; shift < 4; shift++) { /* no alignment is assumed */
		char *bytes = malloc(f.len + shift);

		t.count = 0;
		memcpy(bytes + shift, f.bytes, f.len);
		xfrm_read((struct text){ bytes + shift, f.len }, 0, keep, &t, &b);
		assert_int_equal(t.count, 2);
		free(bytes);
	}
}

/* As a 6.1 kernel sent them. */
static void a_real_kernels_messages_are_read(void **state)
{
	static const struct {
		const char *name;
		enum kernel_change change;
		uint32_t spi;
		bool encap_udp;
	} rows[] = {
		{ "linux-6.1-added-udp", KERNEL_ADDED, 0xc1000002, true },
		{ "linux-6.1-updated", KERNEL_UPDATED, 0xc0a80102, false },
		{ "linux-6.1-deleted", KERNEL_DELETED, 0xc0a80102, false },
		{ "linux-6.1-expired", KERNEL_EXPIRED_HARD, 0xc0a80104, false },
		{ "linux-6.1-flushed", KERNEL_FLUSHED, 0, false },
	};
	struct xfrm_batch b;
	struct told t;
	int larval = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		b = read_file(rows[i].name, 0, &t);
		if (t.count != 1 || b.malformed || b.others)
			fail_msg("%s: %zu events, %u malformed", rows[i].name, t.count, b.malformed);
		assert_int_equal(t.all[0].change, rows[i].change);
		assert_int_equal(t.all[0].sa.key.spi, rows[i].spi);
		assert_int_equal(t.all[0].sa.encap_udp, rows[i].encap_udp);
		assert_false(t.all[0].by_volume || t.all[0].sa.larval);
	}
	b = read_file("linux-6.1-dump", 1, &t);
	assert_true(t.count == 3 && b.malformed == 0 && b.others == 0 && !b.done);
	for (size_t i = 0; i < t.count; i++) {
		assert_int_equal(t.all[i].change, KERNEL_LISTED);
		larval += t.all[i].sa.larval;
	}
	assert_int_equal(larval, 1); /* the SPI that was only allocated */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_gives_its_sas),
		cmocka_unit_test(larval_outbound_and_ipv6_are_told_and_an_inconsistent_list_too),
		cmocka_unit_test(answers_to_another_request_are_passed_over),
		cmocka_unit_test(every_change_is_told),
		cmocka_unit_test(a_real_kernels_messages_are_read),
		cmocka_unit_test(errors_ends_and_what_is_not_ours_are_told_apart),
		cmocka_unit_test(short_and_lying_messages_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
