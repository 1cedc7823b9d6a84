/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "sense/xfrm_stat.h"
#include "spimend/error.h"

static const char sample[] =
	"XfrmInError             \t0\n"
	"XfrmInNoStates          \t18446744073709551615\n"
	"XfrmInStateProtoError   \t3\n"
	"XfrmInStateSeqError     \t4\n"
	"XfrmInStateExpired      \t5\n"
	"XfrmInStateMismatch     \t6\n"
	"XfrmInStateInvalid      \t7\n"
	"XfrmInTmplMismatch      \t8\n"
	"XfrmInNoPols            \t9\n"
	"XfrmOutNoStates         \t10\n";

static void reads_each_counter(void **state)
{
	static const uint64_t want[XFRM_COUNTERS] = {
		[XFRM_IN_NO_STATES] = UINT64_MAX, [XFRM_IN_STATE_MISMATCH] = 6, [XFRM_IN_STATE_PROTO_ERROR] = 3,
		[XFRM_IN_STATE_SEQ_ERROR] = 4, [XFRM_IN_STATE_EXPIRED] = 5, [XFRM_IN_STATE_INVALID] = 7,
		[XFRM_IN_TMPL_MISMATCH] = 8, [XFRM_IN_NO_POLS] = 9,
	};
	struct xfrm_counters c;

	(void)state;
	assert_int_equal(xfrm_stat_parse(TEXT(sample), &c), 0);
	assert_int_equal(c.present, (1u << XFRM_COUNTERS) - 1);
	for (int i = 0; i < XFRM_COUNTERS; i++)
		assert_true(c.value[i] == want[i]);
}

static void an_old_kernel_lacks_some(void **state)
{
	struct xfrm_counters c = { 0 };

	(void)state;
	assert_int_equal(xfrm_stat_parse(TEXT("XfrmInNoStates 12\nXfrmInNoPols x\nXfrmInStateSeqError\n\nXfrm"), &c), 0);
	assert_int_equal(c.present, 1u << XFRM_IN_NO_STATES);
	assert_true(c.value[XFRM_IN_NO_STATES] == 12);
	c.present = 4711;
	assert_int_equal(xfrm_stat_parse(TEXT("nothing of it\n"), &c), SPIMEND_E_SYNTAX);
	assert_int_equal(xfrm_stat_parse(TEXT_NONE, &c), SPIMEND_E_SYNTAX);
	assert_int_equal(c.present, 4711);
}

static void reads_a_descriptor_from_its_start_each_time(void **state)
{
	int fd = memfd_create("xfrm_stat", 0);
	struct xfrm_counters c;

	(void)state;
	assert_int_equal(write(fd, sample, sizeof(sample) - 1), sizeof(sample) - 1);
	for (int i = 0; i < 2; i++) {
		c = (struct xfrm_counters){ 0 };
		assert_int_equal(xfrm_stat_read(fd, &c), 0);
		assert_true(c.value[XFRM_IN_STATE_INVALID] == 7);
	}
	close(fd);
	assert_int_equal(xfrm_stat_read(fd, &c), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_each_counter),
		cmocka_unit_test(an_old_kernel_lacks_some),
		cmocka_unit_test(reads_a_descriptor_from_its_start_each_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
