/* SPDX-License-Identifier: MIT */
#include "role/fiber.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/memory.h"

#if defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_SANITIZED 1
#endif
#endif

#ifdef IS_SANITIZED /* it must know on which stack we are */
#include <sanitizer/common_interface_defs.h>
#else
static void __sanitizer_start_switch_fiber(void **save, const void *bottom, size_t size)
{
	(void)save;
	(void)bottom;
	(void)size;
}

static void __sanitizer_finish_switch_fiber(void *saved, const void **ret_bottom, size_t *ret_size)
{
	(void)saved;
	(void)ret_bottom;
	(void)ret_size;
}
#endif

struct fiber {
	ucontext_t here, there; /* who runs it; the call */
	fiber_fn *call;
	void *context;          /* borrows */
	char *mapping;          /* owns: a page that nothing may touch, and the stack, which grows down to it */
	size_t guard;           /* bytes of that page */
	bool is_done;
	const void *bottom;     /* of the stack of who runs it */
	size_t size;
};

/* makecontext(3) hands on numbers of 32 bits. */
static void begin(unsigned high, unsigned low)
{
	struct fiber *f = (struct fiber *)(uintptr_t)((uint64_t)high << 32 | low); /* NOLINT */

	__sanitizer_finish_switch_fiber(NULL, &f->bottom, &f->size);
	f->call(f->context);
	f->is_done = true;
	__sanitizer_start_switch_fiber(NULL, f->bottom, f->size);
	/* uc_link leads back. */
}

static char *stack_of(const struct fiber *f)
{
	return f->mapping + f->guard;
}

/* 0 or a negative errno. */
static int make_stack(struct fiber *f)
{
	void *mapping;

	f->guard = (size_t)sysconf(_SC_PAGESIZE);
	mapping = mmap(NULL, f->guard + FIBER_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (mapping == MAP_FAILED)
		return -errno;
	f->mapping = mapping;
	return mprotect(mapping, f->guard, PROT_NONE) < 0 ? -errno : 0;
}

int fiber_new(fiber_fn *call, void *context, struct fiber **ret)
{
	struct fiber *f = memory_new(1, sizeof(*f));
	uint64_t self = (uintptr_t)f;
	int r;

	if (!f)
		return -ENOMEM;
	r = make_stack(f);
	if (r == 0 && getcontext(&f->there) < 0)
		r = -errno;
	if (r < 0) {
		fiber_free(f);
		return r;
	}
	f->call = call;
	f->context = context;
	f->there.uc_stack.ss_sp = stack_of(f);
	f->there.uc_stack.ss_size = FIBER_STACK;
	f->there.uc_link = &f->here;
	makecontext(&f->there, (void (*)(void))begin, 2, (unsigned)(self >> 32), (unsigned)self);
	*ret = f;
	return 0;
}

bool fiber_run(struct fiber *f)
{
	void *saved = NULL;

	__sanitizer_start_switch_fiber(&saved, stack_of(f), FIBER_STACK);
	swapcontext(&f->here, &f->there);
	__sanitizer_finish_switch_fiber(saved, NULL, NULL);
	return !f->is_done;
}

void fiber_rest(struct fiber *f)
{
	void *saved = NULL;

	__sanitizer_start_switch_fiber(&saved, f->bottom, f->size);
	swapcontext(&f->there, &f->here);
	__sanitizer_finish_switch_fiber(saved, &f->bottom, &f->size);
}

void fiber_free(struct fiber *f)
{
	if (!f)
		return;
	if (f->mapping)
		munmap(f->mapping, f->guard + FIBER_STACK);
	memory_free(f);
}
