/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is this the charon that we were built for? charon's loader does not ask, and strongSwan promises no stable layout.
 *
 * 1. libcharon and libstrongswan must be, bit for bit, those that were installed when the plugin was built: the linker's
 *    build id in memory is compared with the one on disk then. So is the version: `build` made our headers of the source
 *    of that package's upstream version.
 * 2. Were those headers configured as the libraries were? Objects of charon begin with their methods. As many pointers to
 *    code as our header's struct has methods must stand there, and then something else: --enable-mediation adds methods to
 *    ike_sa_t, and another configuration that moves any would show the same way. The task types are asked of charon's own
 *    tasks: mediation moves that enum as well. daemon_t's members are looked at by what they point to.
 */
#include "spimend.h"

#include <encoding/message.h>
#include <encoding/payloads/delete_payload.h>
#include <encoding/payloads/notify_payload.h>
#include <sa/ikev1/tasks/informational.h>
#include <sa/ikev1/tasks/isakmp_dpd.h>
#include <sa/ikev2/connect_manager.h>
#include <sa/ikev2/tasks/child_delete.h>
#include <sa/ikev2/tasks/ike_dpd.h>
#include <elf.h>
#include <link.h>

#define ID_MAX 64

typedef struct {
	uintptr_t inside;
	bool found;
	unsigned char id[ID_MAX];
	size_t len;
} build_id_t;

/* Notes are 4-aligned: name size, descriptor size, type, name, descriptor. */
static void read_notes(build_id_t *b, const unsigned char *at, size_t left)
{
	ElfW(Nhdr) note;

	while (left >= sizeof(note)) {
		size_t name, descriptor;

		memcpy(&note, at, sizeof(note));
		name = (note.n_namesz + 3) & ~(size_t)3;
		descriptor = (note.n_descsz + 3) & ~(size_t)3;
		if (left - sizeof(note) < name || left - sizeof(note) - name < descriptor)
			return;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && !memcmp(at + sizeof(note), "GNU", 4) &&
		    note.n_descsz <= ID_MAX) {
			b->len = note.n_descsz;
			memcpy(b->id, at + sizeof(note) + name, b->len);
		}
		at += sizeof(note) + name + descriptor;
		left -= sizeof(note) + name + descriptor;
	}
}

static int read_object(struct dl_phdr_info *info, size_t size, void *data)
{
	build_id_t *b = data;
	bool ours = FALSE;

	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + p->p_vaddr;

		ours = ours || (p->p_type == PT_LOAD && b->inside >= start && b->inside - start < p->p_memsz);
	}
	for (int i = 0; ours && i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];

		if (p->p_type == PT_NOTE)
			read_notes(b, (const unsigned char *)(info->dlpi_addr + p->p_vaddr), p->p_memsz);
	}
	b->found = b->found || ours;
	return ours;
}

/* The library that `symbol` lies in has that build id (hex). */
static bool has_build_id(void *symbol, const char *want)
{
	build_id_t b = { .inside = (uintptr_t)symbol };
	char hex[2 * ID_MAX + 1] = "";

	dl_iterate_phdr(read_object, &b);
	for (size_t i = 0; i < b.len; i++)
		snprintf(hex + 2 * i, 3, "%02x", b.id[i]);
	return b.found && b.len && streq(hex, want);
}

typedef struct {
	uintptr_t at;
	bool code;
} address_t;

static int is_in_code(struct dl_phdr_info *info, size_t size, void *data)
{
	address_t *a = data;

	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + p->p_vaddr;

		if (p->p_type == PT_LOAD && (p->p_flags & PF_X) && a->at >= start && a->at - start < p->p_memsz)
			a->code = TRUE;
	}
	return a->code;
}

/* Exactly `bytes` of pointers to code, then something else: our headers' public half of the object, no more and no less.
 * Each is the first member of a larger private struct, so that one word past it may be read. */
static bool begins_with_methods(const void *object, size_t bytes)
{
	const unsigned char *at = object;

	if (!object)
		return FALSE;
	for (size_t i = 0; i <= bytes; i += sizeof(uintptr_t)) {
		address_t a = { 0 };

		memcpy(&a.at, at + i, sizeof(a.at));
		if (a.at)
			dl_iterate_phdr(is_in_code, &a);
		if (a.code != (i < bytes))
			return FALSE;
	}
	return TRUE;
}

static bool is_of_type(task_t *task, task_type_t type)
{
	bool same = task && task->get_type(task) == type;

	if (task)
		task->destroy(task);
	return same;
}

static const char *layout_of_messages(void)
{
	message_t *m = message_create(IKEV2_MAJOR_VERSION, IKEV2_MINOR_VERSION);
	delete_payload_t *d = delete_payload_create(PLV2_DELETE, PROTO_ESP);
	notify_payload_t *n = notify_payload_create(PLV2_NOTIFY);
	const char *why = NULL;

	if (!begins_with_methods(m, sizeof(*m)))
		why = "message_t differs";
	else if (!begins_with_methods(d, sizeof(*d)))
		why = "delete_payload_t differs";
	else if (!begins_with_methods(n, sizeof(*n)))
		why = "notify_payload_t differs";
	else if (d->payload_interface.get_type(&d->payload_interface) != PLV2_DELETE ||
		 n->payload_interface.get_type(&n->payload_interface) != PLV2_NOTIFY)
		why = "the payloads' numbers differ";
	if (!why) {
		m->destroy(m);
		d->destroy(d);
		n->destroy(n);
	}
	return why; /* what cannot be trusted is not called, and leaks */
}

const char *layout_of_libraries(void)
{
	const char *why;

	if (!has_build_id(&ike_sa_manager_create, SPIMEND_LIBCHARON_ID))
		return "it is another build of libcharon";
	if (!has_build_id(&chunk_create_cat, SPIMEND_LIBSTRONGSWAN_ID))
		return "it is another build of libstrongswan";
	if (!charon || !begins_with_methods(charon->bus, sizeof(*charon->bus)))
		return "daemon_t or bus_t differs";
	why = layout_of_messages();
	if (why)
		return why;
	if (!is_of_type(&child_delete_create(NULL, PROTO_NONE, 0, FALSE)->task, TASK_CHILD_DELETE) ||
	    !is_of_type(&ike_dpd_create(TRUE)->task, TASK_IKE_DPD) ||
	    !is_of_type(&informational_create(NULL, NULL)->task, TASK_INFORMATIONAL) ||
	    !is_of_type(&isakmp_dpd_create(NULL, DPD_R_U_THERE, 0)->task, TASK_ISAKMP_DPD))
		return "the tasks' numbers differ (built without --enable-mediation?)";
	return NULL;
}

const char *layout_of_daemon(void)
{
	if (!begins_with_methods(charon->ike_sa_manager, sizeof(*charon->ike_sa_manager)))
		return "ike_sa_manager_t differs";
	if (!begins_with_methods(charon->child_sa_manager, sizeof(*charon->child_sa_manager)))
		return "child_sa_manager_t differs";
	if (!begins_with_methods(charon->connect_manager, sizeof(*charon->connect_manager)))
		return "daemon_t or connect_manager_t differs (built without --enable-mediation?)";
	if (!begins_with_methods(charon->sender, sizeof(*charon->sender)))
		return "daemon_t or sender_t differs";
	return NULL;
}

const char *layout_of_ike_sa(ike_sa_t *ike_sa)
{
	static int known; /* 1: as it should be, -1: not. The answer is the same for all of them */

	if (!__atomic_load_n(&known, __ATOMIC_RELAXED))
		__atomic_store_n(&known, begins_with_methods(ike_sa, sizeof(*ike_sa)) ? 1 : -1, __ATOMIC_RELAXED);
	return __atomic_load_n(&known, __ATOMIC_RELAXED) > 0 ? NULL : "ike_sa_t differs";
}
