/* SPDX-License-Identifier: MIT */
/*
 * Big plain files: mapped in windows, which saves a copy of every byte.
 *
 * A mapped file that is truncated, or whose disk fails, answers a look with SIGBUS. The handler lays an empty page over the
 * place and notes it: the reader sees zeros to the window's end, and the next call returns the error. What the handler
 * must know is the one piece of state in this room that is not in a struct input; one process maps one window at a time.
 */
#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sense/input_private.h"
#include "spimend/error.h"

static struct {
	char *volatile from, *volatile to; /* the window; NULL when there is none */
	volatile sig_atomic_t hit;
	size_t page;
} guard;

static void on_bus_error(int number, siginfo_t *info, void *context)
{
	char *at = info->si_addr;

	(void)context;
	if (guard.from && at >= guard.from && at < guard.to) {
		char *page = at - (uintptr_t)at % guard.page;

		if (mmap(page, guard.page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED) {
			guard.hit = 1;
			return;
		}
	}
	signal(number, SIG_DFL);
	raise(number);
}

int input_map(struct input *in)
{
	struct sigaction action = { .sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO };

	if (!input_is_repeatable(in) || guard.from)
		return -EINVAL;
	guard.page = (size_t)sysconf(_SC_PAGESIZE);
	sigemptyset(&action.sa_mask);
	if (sigaction(SIGBUS, &action, NULL) < 0)
		return -errno;
	in->mapped = true;
	in->map_at = (uint64_t)in->offset - (in->held - in->given);
	in->map_kept = in->kept;
	in->kept = 0;
	in->held = in->given = 0;
	return 0;
}

void input_unmap(struct input *in)
{
	if (!in->map)
		return;
	guard.from = guard.to = NULL;
	munmap(in->map, in->map_len);
	in->map = NULL;
}

int input_keep_mapped(struct input *in, size_t count)
{
	if (count > in->map_given || count >= INPUT_MAP_WINDOW)
		return -EINVAL;
	in->map_at -= count;
	in->map_given -= count;
	in->map_kept = count;
	return 0;
}

int input_next_mapped(struct input *in, bool any_bytes, struct text *ret)
{
	uint64_t size = input_size(in), base, len;
	const char *newline;
	struct text bytes;
	size_t kept = in->map_kept;

	in->map_kept = 0;
	input_unmap(in);
	if (guard.hit && !in->error) {
		guard.hit = 0;
		in->error = SPIMEND_E_SHRANK;
		in->ended = true;
	}
	if (in->ended || in->map_at + (any_bytes ? kept : 0) >= size) {
		in->ended = true;
		return in->error;
	}
	base = in->map_at - in->map_at % guard.page;
	len = size - in->map_at < INPUT_MAP_WINDOW ? size - in->map_at : INPUT_MAP_WINDOW;
	in->map_len = (size_t)(in->map_at - base + len);
	in->map = mmap(NULL, in->map_len, PROT_READ, MAP_SHARED | MAP_POPULATE, in->fd, (off_t)base);
	if (in->map == MAP_FAILED) {
		in->map = NULL;
		in->error = -errno;
		in->ended = true;
		return in->error;
	}
	guard.from = in->map;
	guard.to = in->map + in->map_len;
	bytes = (struct text){ in->map + (in->map_at - base), (size_t)len };
	if (!any_bytes && in->map_at + len < size) { /* the last line goes on in the next window */
		newline = memrchr(bytes.at, '\n', bytes.len);
		bytes.len = newline ? (size_t)(newline + 1 - bytes.at) : INPUT_LINE_MAX;
	}
	in->map_at += bytes.len;
	in->map_given = bytes.len;
	*ret = bytes;
	return 1;
}
