/* SPDX-License-Identifier: MIT */
#include "parse/vici_sa.h"

#include <errno.h>
#include <stddef.h>

#include "parse/vici_field.h"
#include "spimend/error.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define IP_PROTOCOL_ESP 50
#define IP_PROTOCOL_AH 51

/* In the order of the enums. */
static const char *const ike_states[] = { "", "CONNECTING", "ESTABLISHED", "REKEYING", "REKEYED", "DELETING", NULL };

/* charon has more states of a child than matter here: those that only set up are CREATED, those that are over DELETING. */
static const char *const child_states[] = {
	"", "CREATED", "ROUTED", "INSTALLING", "INSTALLED", "UPDATING", "REKEYING", "REKEYED", "RETRYING", "DELETING", "DELETED",
	"DESTROYING", NULL
};
static const enum child_state child_state_of[] = {
	CHILD_OTHER, CHILD_CREATED, CHILD_OTHER, CHILD_CREATED, CHILD_INSTALLED, CHILD_INSTALLED, CHILD_REKEYING,
	CHILD_REKEYED, CHILD_CREATED, CHILD_DELETING, CHILD_DELETING, CHILD_DELETING
};
static const char *const protocols[] = { "", "AH", NULL };
static const char *const modes[] = { "", "TUNNEL", "TRANSPORT", "BEET", NULL };

#define ALGORITHMS(at) \
	{ "encr-alg", VICI_FIELD_NAME24, at(sa.algorithms.encryption), 0, NULL }, \
	{ "encr-keysize", VICI_FIELD_U16, at(sa.algorithms.key_bits), 0, NULL }, \
	{ "integ-alg", VICI_FIELD_NAME24, at(sa.algorithms.integrity), 0, NULL }, \
	{ "prf-alg", VICI_FIELD_NAME24, at(sa.algorithms.prf), 0, NULL }, \
	{ "dh-group", VICI_FIELD_NAME16, at(sa.algorithms.group), 0, NULL }

struct ike_read {
	struct ike_sa sa;
	int state;
	bool has_id, nat_local, nat_remote, nat_any, has_reauth;
	uint32_t reauth_s;
	uint64_t spi_initiator, spi_responder;
};
#define IKE(member) offsetof(struct ike_read, member)

static const struct vici_field ike_fields[] = {
	{ "uniqueid", VICI_FIELD_U32, IKE(sa.id), IKE(has_id), NULL },
	{ "version", VICI_FIELD_U8, IKE(sa.version), 0, NULL },
	{ "state", VICI_FIELD_WORD, IKE(state), 0, ike_states },
	{ "local-host", VICI_FIELD_ADDRESS, IKE(sa.local), 0, NULL },
	{ "local-port", VICI_FIELD_U16, IKE(sa.local_port), 0, NULL },
	{ "remote-host", VICI_FIELD_ADDRESS, IKE(sa.remote), 0, NULL },
	{ "remote-port", VICI_FIELD_U16, IKE(sa.remote_port), 0, NULL },
	{ "initiator", VICI_FIELD_YES, IKE(sa.initiator), 0, NULL },
	{ "initiator-spi", VICI_FIELD_HEX64, IKE(spi_initiator), 0, NULL },
	{ "responder-spi", VICI_FIELD_HEX64, IKE(spi_responder), 0, NULL },
	{ "nat-local", VICI_FIELD_YES, IKE(nat_local), 0, NULL },
	{ "nat-remote", VICI_FIELD_YES, IKE(nat_remote), 0, NULL },
	{ "nat-any", VICI_FIELD_YES, IKE(nat_any), 0, NULL },
	{ "established", VICI_FIELD_SECONDS, IKE(sa.established_s), 0, NULL },
	{ "rekey-time", VICI_FIELD_SECONDS, IKE(sa.rekey_s), IKE(sa.has_rekey), NULL },
	{ "reauth-time", VICI_FIELD_SECONDS, IKE(reauth_s), IKE(has_reauth), NULL },
	ALGORITHMS(IKE),
};

struct child_read {
	struct child_sa sa;
	int state, protocol, mode;
	uint8_t esn;
	bool has_id;
	struct text name;
};
#define CHILD(member) offsetof(struct child_read, member)

static const struct vici_field child_fields[] = {
	{ "name", VICI_FIELD_TEXT, CHILD(name), 0, NULL },
	{ "uniqueid", VICI_FIELD_U32, CHILD(sa.id), CHILD(has_id), NULL },
	{ "state", VICI_FIELD_WORD, CHILD(state), 0, child_states },
	{ "protocol", VICI_FIELD_WORD, CHILD(protocol), 0, protocols },
	{ "mode", VICI_FIELD_WORD, CHILD(mode), 0, modes },
	{ "encap", VICI_FIELD_YES, CHILD(sa.encap_udp), 0, NULL },
	{ "spi-in", VICI_FIELD_HEX32, CHILD(sa.spi_in), CHILD(sa.has_spi_in), NULL },
	{ "spi-out", VICI_FIELD_HEX32, CHILD(sa.spi_out), CHILD(sa.has_spi_out), NULL },
	{ "mark-in", VICI_FIELD_HEX32, CHILD(sa.mark_in), 0, NULL },
	{ "if-id-in", VICI_FIELD_HEX32, CHILD(sa.if_id_in), 0, NULL },
	{ "packets-in", VICI_FIELD_U64, CHILD(sa.packets_in), CHILD(sa.has_counters), NULL },
	{ "packets-out", VICI_FIELD_U64, CHILD(sa.packets_out), 0, NULL },
	{ "bytes-in", VICI_FIELD_U64, CHILD(sa.bytes_in), 0, NULL },
	{ "bytes-out", VICI_FIELD_U64, CHILD(sa.bytes_out), 0, NULL },
	{ "use-in", VICI_FIELD_SECONDS, CHILD(sa.use_in_s), CHILD(sa.has_use_in), NULL },
	{ "install-time", VICI_FIELD_SECONDS, CHILD(sa.install_s), CHILD(sa.has_install), NULL },
	{ "life-time", VICI_FIELD_SECONDS, CHILD(sa.life_s), CHILD(sa.has_life), NULL },
	ALGORITHMS(CHILD),
	{ "esn", VICI_FIELD_U8, CHILD(esn), 0, NULL },
};

static int refuse(const struct vici_reader *r, struct vici_reading *ret_reading)
{
	ret_reading->failure = r->failure;
	return r->status;
}

static int lacks_id(struct vici_reading *ret_reading, size_t at)
{
	ret_reading->failure = (struct vici_failure){ "an SA without its unique id", at };
	return SPIMEND_E_SYNTAX;
}

/* Goes to the next section of that name (any, when it is empty) at `depth`, skipping the others. False at the end, at the
 * end of the section around it, or at an error. */
static bool find_section(struct vici_reader *r, unsigned depth, struct text name, struct vici_element *ret)
{
	while (vici_read(r, ret)) {
		if (ret->kind == VICI_SECTION_END && ret->depth < depth)
			return false;
		if (ret->kind != VICI_SECTION_START || ret->depth != depth)
			continue;
		if (name.len == 0 || text_equal(ret->name, name))
			return true;
		if (!vici_skip(r, ret))
			return false;
	}
	return false;
}

/* --- An IKE SA -------------------------------------------------------------------------------------------------- */

/* Tasks, virtual addresses. */
static void read_list(struct vici_reader *r, const struct vici_element *list, struct ike_sa *sa)
{
	bool tasks = text_starts(list->name, TEXT("tasks-")); /* queued, active, passive */
	bool addresses = text_equal(list->name, TEXT("local-vips"));
	struct vici_element e;

	while (vici_read(r, &e) && e.kind == VICI_LIST_ITEM) {
		sa->virtual_address |= addresses;
		if (!tasks)
			continue;
		sa->busy = true;
		if (text_starts(e.value, TEXT("CHILD_")) || text_starts(e.value, TEXT("QUICK_")))
			sa->child_task = true;
	}
}

/* Reads the keys of an IKE SA up to the end of its section; its children are passed over. */
static int read_ike_section(struct vici_reader *r, const struct vici_element *section, uint16_t daemon, struct ike_sa *ret,
			    struct vici_reading *ret_reading)
{
	struct ike_read ike = { .sa = { .daemon = daemon } };
	struct vici_element e;
	size_t at = r->at;

	while (vici_read(r, &e) && e.kind != VICI_SECTION_END) {
		if (e.kind == VICI_SECTION_START)
			vici_skip(r, &e);
		else if (e.kind == VICI_LIST_START)
			read_list(r, &e, &ike.sa);
		else if (!vici_field_set(ike_fields, COUNT(ike_fields), &e, &ike))
			ret_reading->ignored++;
	}
	if (r->status)
		return refuse(r, ret_reading);
	if (!ike.has_id)
		return lacks_id(ret_reading, at);
	vici_copy_name(section->name, ike.sa.name, sizeof(ike.sa.name));
	ike.sa.state = (enum ike_state)ike.state;
	ike.sa.version = ike.sa.version <= 2 ? ike.sa.version : 0;
	if (ike.has_reauth && (!ike.sa.has_rekey || ike.reauth_s < ike.sa.rekey_s))
		ike.sa.rekey_s = ike.reauth_s;
	ike.sa.has_rekey |= ike.has_reauth;
	ike.sa.nat = ike.nat_local || ike.nat_remote || ike.nat_any;
	ike.sa.spi_ours = ike.sa.initiator ? ike.spi_initiator : ike.spi_responder;
	ike.sa.spi_theirs = ike.sa.initiator ? ike.spi_responder : ike.spi_initiator;
	*ret = ike.sa;
	return 0;
}

int vici_read_ike(uint16_t daemon, struct text message, struct ike_sa *ret, struct vici_reading *ret_reading)
{
	struct vici_reader r = vici_reader_of(message);
	struct vici_element e;
	struct ike_sa ike;
	int status;

	*ret_reading = (struct vici_reading){ .ignored = 0 };
	if (!find_section(&r, 0, TEXT_NONE, &e))
		return r.status ? refuse(&r, ret_reading) : SPIMEND_E_CUT;
	status = read_ike_section(&r, &e, daemon, &ike, ret_reading);
	if (status)
		return status;
	while (vici_read(&r, &e))
		;
	if (r.status)
		return refuse(&r, ret_reading);
	*ret = ike;
	return 0;
}

/* --- A child ---------------------------------------------------------------------------------------------------- */

static void read_selectors(struct vici_reader *r, const struct vici_element *list, const struct ike_sa *ike,
			   struct vici_selectors *selectors, struct child_sa *sa)
{
	bool local = text_starts(list->name, TEXT("local"));

	vici_read_selectors(r, local ? &ike->local : &ike->remote, selectors, local ? &sa->local_ts : &sa->remote_ts);
}

static int read_child_section(struct vici_reader *r, const struct ike_sa *ike, struct text ike_name, struct child_sa *ret,
			      struct vici_reading *ret_reading)
{
	struct child_read child = { .name = TEXT_NONE };
	struct vici_selectors selectors = { 0, 0 };
	struct vici_element e;
	size_t at = r->at;

	while (vici_read(r, &e) && e.kind != VICI_SECTION_END) {
		if (vici_starts_selectors(&e))
			read_selectors(r, &e, ike, &selectors, &child.sa);
		else if (e.kind == VICI_SECTION_START || e.kind == VICI_LIST_START)
			vici_skip(r, &e);
		else if (!vici_field_set(child_fields, COUNT(child_fields), &e, &child))
			ret_reading->ignored++;
	}
	if (r->status)
		return refuse(r, ret_reading);
	if (!child.has_id)
		return lacks_id(ret_reading, at);
	child.sa.daemon = ike->daemon;
	child.sa.ike_id = ike->id;
	child.sa.connection = connection_id(ike->daemon, ike_name, child.name);
	vici_copy_name(ike_name, child.sa.ike, sizeof(child.sa.ike));
	vici_copy_name(child.name, child.sa.child, sizeof(child.sa.child));
	child.sa.state = child_state_of[child.state];
	child.sa.mode = (enum child_mode)child.mode;
	child.sa.algorithms.esn = child.esn != 0;
	child.sa.protocol = child.protocol ? IP_PROTOCOL_AH : IP_PROTOCOL_ESP;
	child.sa.local = ike->local;
	child.sa.remote = ike->remote;
	child.sa.gre = vici_selects_gre(&selectors);
	child.sa.virtual_address = ike->virtual_address;
	*ret = child.sa;
	return 0;
}

/* Goes to what stands inside NAME { child-sas { . False: there is no such thing, or an error. */
static bool enter_children(struct vici_reader *r, struct text *ret_name)
{
	struct vici_element e;

	if (!find_section(r, 0, TEXT_NONE, &e))
		return false;
	*ret_name = e.name;
	return find_section(r, 1, TEXT("child-sas"), &e);
}

int vici_each_child(uint16_t daemon, struct text message, const struct ike_sa *ike,
		    void (*each)(void *context, const struct child_sa *child), void *context,
		    struct vici_reading *ret_reading)
{
	struct vici_reader r = vici_reader_of(message);
	struct vici_reading reading = { .ignored = 0 };
	struct text name = TEXT_NONE;
	struct vici_element e;
	struct child_sa child;

	*ret_reading = reading;
	if (ike->daemon != daemon)
		return -EINVAL;
	if (enter_children(&r, &name))
		while (find_section(&r, 2, TEXT_NONE, &e)) {
			if (read_child_section(&r, ike, name, &child, &reading) == 0)
				each(context, &child);
			else if (!r.status)
				reading.ignored++;
		}
	*ret_reading = reading;
	return r.status ? refuse(&r, ret_reading) : 0;
}

/* --- Events ----------------------------------------------------------------------------------------------------- */

/* `up` stands before the SA, and only when it is so. */
static bool is_up(struct text message)
{
	struct vici_reader r = vici_reader_of(message);
	struct vici_element e;

	while (vici_read(&r, &e) && e.kind == VICI_KEY_VALUE)
		if (text_equal(e.name, TEXT("up")))
			return text_equal(e.value, TEXT("yes"));
	return false;
}

struct first_child {
	bool found;
	struct child_sa child;
};

static void keep_first(void *context, const struct child_sa *child)
{
	struct first_child *first = context;

	if (!first->found)
		*first = (struct first_child){ true, *child };
}

int vici_read_child_updown(uint16_t daemon, struct text message, struct child_event *ret, struct vici_reading *ret_reading)
{
	struct first_child first = { .found = false };
	struct ike_sa ike;
	int r = vici_read_ike(daemon, message, &ike, ret_reading);

	if (!r)
		r = vici_each_child(daemon, message, &ike, keep_first, &first, ret_reading);
	if (r)
		return r;
	if (!first.found)
		return SPIMEND_E_CUT;
	memset(ret, 0, sizeof(*ret));
	ret->change = is_up(message) ? CHILD_UP : CHILD_DOWN;
	ret->child = first.child;
	return 0;
}

int vici_read_child_rekey(uint16_t daemon, struct text message, struct child_event *ret, struct vici_reading *ret_reading)
{
	struct vici_reader r = vici_reader_of(message);
	struct text name = TEXT_NONE;
	struct child_event event;
	bool has_old = false;
	struct vici_element e;
	struct ike_sa ike;
	int status = vici_read_ike(daemon, message, &ike, ret_reading);

	memset(&event, 0, sizeof(event));
	event.change = CHILD_REKEY;
	if (!status && (!enter_children(&r, &name) || !find_section(&r, 2, TEXT_NONE, &e)))
		status = SPIMEND_E_CUT;
	while (!status && find_section(&r, 3, TEXT_NONE, &e)) {
		if (text_equal(e.name, TEXT("old"))) {
			status = read_child_section(&r, &ike, name, &event.child, ret_reading);
			has_old = true;
		} else if (text_equal(e.name, TEXT("new"))) {
			status = read_child_section(&r, &ike, name, &event.successor, ret_reading);
			event.has_successor = true;
		} else {
			vici_skip(&r, &e);
		}
	}
	if (status)
		return status;
	if (!has_old)
		return SPIMEND_E_CUT;
	*ret = event;
	return 0;
}

int vici_read_ike_updown(uint16_t daemon, struct text message, struct ike_event *ret, struct vici_reading *ret_reading)
{
	struct ike_sa ike;
	int r = vici_read_ike(daemon, message, &ike, ret_reading);

	if (r)
		return r;
	memset(ret, 0, sizeof(*ret));
	ret->change = is_up(message) ? IKE_UP : IKE_DOWN;
	ret->ike = ike;
	return 0;
}

int vici_read_ike_rekey(uint16_t daemon, struct text message, struct ike_event *ret, struct vici_reading *ret_reading)
{
	struct vici_reader r = vici_reader_of(message);
	struct vici_element around, e;
	struct ike_event event;
	bool has_old = false;
	int status = 0;

	memset(&event, 0, sizeof(event));
	event.change = IKE_REKEY;
	*ret_reading = (struct vici_reading){ .ignored = 0 };
	if (!find_section(&r, 0, TEXT_NONE, &around))
		return r.status ? refuse(&r, ret_reading) : SPIMEND_E_CUT;
	while (!status && find_section(&r, 1, TEXT_NONE, &e)) {
		if (text_equal(e.name, TEXT("old"))) {
			status = read_ike_section(&r, &around, daemon, &event.ike, ret_reading);
			has_old = true;
		} else if (text_equal(e.name, TEXT("new"))) {
			status = read_ike_section(&r, &around, daemon, &event.successor, ret_reading);
			event.has_successor = true;
		} else {
			vici_skip(&r, &e);
		}
	}
	if (status)
		return status;
	if (r.status)
		return refuse(&r, ret_reading);
	if (!has_old)
		return SPIMEND_E_CUT;
	*ret = event;
	return 0;
}

int vici_read_ike_update(uint16_t daemon, struct text message, struct ike_event *ret, struct vici_reading *ret_reading)
{
	struct vici_reader r = vici_reader_of(message);
	struct ike_read moved = { .has_id = false };
	struct vici_element e;
	struct ike_sa ike;
	int status = vici_read_ike(daemon, message, &ike, ret_reading);

	if (status)
		return status;
	moved.sa = ike;
	while (vici_read(&r, &e) && e.kind == VICI_KEY_VALUE) /* the new hosts stand before the SA with the old ones */
		if (!vici_field_set(ike_fields, COUNT(ike_fields), &e, &moved))
			ret_reading->ignored++;
	moved.sa.id = ike.id;
	memset(ret, 0, sizeof(*ret));
	ret->change = IKE_UPDATE;
	ret->ike = ike;
	ret->has_successor = true;
	ret->successor = moved.sa;
	return 0;
}
