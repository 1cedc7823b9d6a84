/* SPDX-License-Identifier: MIT */
#include "sense/xfrm_stat.h"

#include <errno.h>
#include <unistd.h>

#include "spimend/error.h"

/* XfrmInNoStates            	7 */
static bool read_line(struct text line, struct xfrm_counters *counters)
{
	struct text name = text_take_word(&line);
	uint64_t value;

	if (text_decimal(text_trim(line), UINT64_MAX, &value) < 0)
		return false;
	for (enum xfrm_counter i = 0; i < XFRM_COUNTERS; i++) {
		if (!text_equal(name, text_of(xfrm_counter_name(i))))
			continue;
		counters->value[i] = value;
		counters->present |= UINT32_C(1) << i;
		return true;
	}
	return false;
}

int xfrm_stat_parse(struct text t, struct xfrm_counters *ret)
{
	struct xfrm_counters counters = { 0 };
	struct text line;

	while (text_take_line(&t, &line))
		read_line(line, &counters);
	if (!counters.present)
		return SPIMEND_E_SYNTAX;
	*ret = counters;
	return 0;
}

int xfrm_stat_read(int fd, struct xfrm_counters *ret)
{
	char bytes[XFRM_STAT_MAX];
	size_t size = 0;

	while (size < sizeof(bytes)) {
		ssize_t got = pread(fd, bytes + size, sizeof(bytes) - size, (off_t)size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		size += (size_t)got;
	}
	return xfrm_stat_parse((struct text){ bytes, size }, ret);
}
