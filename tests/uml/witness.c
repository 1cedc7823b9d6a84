/* SPDX-License-Identifier: MIT */
/*
 * Runs in the guest of tests/uml/run.py: the audit sensor and the XFRM counters as the daemon has them: opened by root, read
 * by nobody. Prints what it hears until its standard input ends.
 *
 *     uml_witness XFRM_STAT [late]     late: with the smallest buffer there is, which is read only then
 */
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sense/audit.h"
#include "sense/xfrm_stat.h"

#define NOBODY 65534

static void on_sighting(void *context, const struct sighting *s)
{
	char src[SPIMEND_ADDRESS_TEXT_MAX], dst[SPIMEND_ADDRESS_TEXT_MAX];

	(void)context;
	printf("audit src=%s dst=%s protocol=%u spi=0x%08" PRIx32 " packets=%" PRIu64 " first=%" PRIu32 " last=%" PRIu32
	       " highest=%" PRIu32 " valid=%d\n", spimend_address_print(&s->src, src), spimend_address_print(&s->dst, dst),
	       s->protocol, s->spi, s->packets, s->sequence_first, s->sequence_last, s->sequence_highest,
	       gateway_valid_sighting(s));
}

static int show_counters(int fd)
{
	struct xfrm_counters c;
	int r = xfrm_stat_read(fd, &c);

	if (r < 0) {
		printf("error xfrm_stat: %s\n", strerror(-r));
		return r;
	}
	printf("counters present=%u", (unsigned)__builtin_popcount(c.present));
	for (int i = 0; i < XFRM_COUNTERS; i++)
		printf(" %s=%" PRIu64, xfrm_counter_name((enum xfrm_counter)i), c.value[i]);
	printf("\n");
	return 0;
}

static bool await_end(void)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };

	return poll(&input, 1, -1) == 1;
}

int main(int count, char **arguments)
{
	const struct audit_events events = { .sighting = on_sighting };
	struct sensor_state state = { 0 };
	int xfrm = count >= 2 ? open(arguments[1], O_RDONLY | O_CLOEXEC) : -1, fd, smallest = 0, r = audit_open(&fd);
	bool late = count == 3 && strcmp(arguments[2], "late") == 0;
	struct audit *audit;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (xfrm < 0 || r < 0) {
		printf("error open: xfrm_stat %d, audit %s\n", xfrm, strerror(-r));
		return 1;
	}
	if (late && setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &smallest, sizeof(smallest)) < 0)
		return 1;
	if (setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0 || audit_new(fd, &events, &audit) < 0)
		return 1;
	r = show_counters(xfrm);
	printf("ready\n");
	if (late && await_end())
		r = audit_read(audit);
	while (r == 0 && !late) {
		struct pollfd ready[] = { { .fd = audit_fd(audit), .events = POLLIN }, { .fd = STDIN_FILENO, .events = POLLIN } };

		if (poll(ready, 2, -1) < 0)
			break;
		if (ready[0].revents)
			r = audit_read(audit);
		else if (ready[1].revents)
			break;
	}
	if (r == 0)
		r = show_counters(xfrm);
	audit_state(audit, &state);
	printf("state records=%" PRIu64 " lost=%" PRIu64 " malformed=%" PRIu64 "\n", state.audit_records, state.audit_lost,
	       state.malformed);
	audit_free(audit);
	close(xfrm);
	return r < 0;
}
