/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What charon's bus tells, as reports. The bus calls one listener at a time; what it shares with the orders is behind the
 * lock. A listener must be quick: it queues and never waits.
 */
#include "spimend.h"

#include <encoding/message.h>
#include <encoding/payloads/delete_payload.h>
#include <encoding/payloads/notify_payload.h>

#define V1_ENCRYPTED 0x01 /* RFC 2408 3.1: the flag E, octet 19 of the header */

/* The IKE SA of a message that this thread handles now, with an INITIAL_CONTACT in it: other IKE SAs of that peer are
 * destroyed before the answer is made. IKEv1 answers first, if at all: there the time says that it is over. */
static __thread uint32_t initial_contact_in;
static __thread uint64_t initial_contact_at_us;
#define INITIAL_CONTACT_US 200000

static spimend_t *plugin_of(listener_t *listener)
{
	return (spimend_t *)((char *)listener - offsetof(spimend_t, listener));
}

static void set_ends(struct plugin_message *m, ike_sa_t *ike_sa)
{
	m->local = address_of(ike_sa->get_my_host(ike_sa));
	m->remote = address_of(ike_sa->get_other_host(ike_sa));
	m->present |= HAS(LOCAL) | HAS(REMOTE);
}

/* --- why an SA dies: what was heard before it does ---------------------------------------------------------------- */

static closing_t *find_closing(spimend_t *this, uint32_t ike_id, uint32_t child_id)
{
	for (unsigned i = 0; i < CLOSING_MAX; i++)
		if (this->closing[i].reason && this->closing[i].ike_id == ike_id && this->closing[i].child_id == child_id)
			return &this->closing[i];
	return NULL;
}

/* The first reason stays; the oldest entry makes room. */
void reports_closing(spimend_t *this, uint32_t ike_id, uint32_t child_id, enum plugin_reason reason)
{
	pthread_mutex_lock(&this->lock);
	if (!find_closing(this, ike_id, child_id)) {
		this->closing[this->closing_next] = (closing_t){ ike_id, child_id, reason };
		this->closing_next = (this->closing_next + 1) % CLOSING_MAX;
	}
	pthread_mutex_unlock(&this->lock);
}

/* PLUGIN_WHY_UNKNOWN: nothing was heard. `forget`: it was asked for the last time. */
static enum plugin_reason reason_of(spimend_t *this, uint32_t ike_id, uint32_t child_id, bool forget)
{
	enum plugin_reason reason = PLUGIN_WHY_UNKNOWN;
	closing_t *c;

	pthread_mutex_lock(&this->lock);
	c = find_closing(this, ike_id, child_id);
	if (c) {
		reason = c->reason;
		if (forget)
			memset(c, 0, sizeof(*c));
	}
	pthread_mutex_unlock(&this->lock);
	return reason;
}

/* --- what anybody can cause ---------------------------------------------------------------------------------------- */

METHOD(listener_t, on_alert, bool, listener_t *listener, ike_sa_t *ike_sa, alert_t alert, va_list args)
{
	spimend_t *this = plugin_of(listener);

	if (ike_sa && layout_of_ike_sa(ike_sa))
		return FALSE;
	if (alert == ALERT_INVALID_IKE_SPI) {
		message_t *message = va_arg(args, message_t *);
		host_t *from = message->get_source(message), *to = message->get_destination(message);
		struct plugin_message m = { .kind = PLUGIN_UNKNOWN_IKE_SA, .local = address_of(to), .remote = address_of(from),
					    .present = HAS(LOCAL) | HAS(REMOTE) | HAS(LOCAL_PORT) | HAS(REMOTE_PORT) |
						       HAS(IKE_SPI_I) | HAS(IKE_SPI_R) | HAS(EXCHANGE) };

		m.local_port = to->get_port(to);
		m.remote_port = from->get_port(from);
		m.ike_spi_i = be64toh(message->get_initiator_spi(message));
		m.ike_spi_r = be64toh(message->get_responder_spi(message));
		m.exchange = (uint8_t)message->get_exchange_type(message);
		if (limit_allow_report(this, m.kind))
			channel_report(this, &m);
		crash_asked(this, message);
	} else if (ike_sa && alert == ALERT_RETRANSMIT_SEND_TIMEOUT) {
		reports_closing(this, ike_sa->get_unique_id(ike_sa), 0, PLUGIN_WHY_PEER_DEAD);
	} else if (ike_sa && alert == ALERT_IKE_SA_EXPIRED) {
		reports_closing(this, ike_sa->get_unique_id(ike_sa), 0, PLUGIN_WHY_EXPIRED);
	} else if (ike_sa && alert == ALERT_INSTALL_CHILD_SA_FAILED) {
		child_sa_t *child = va_arg(args, child_sa_t *);

		reports_closing(this, ike_sa->get_unique_id(ike_sa), child->get_unique_id(child), PLUGIN_WHY_INSTALL);
	}
	return TRUE;
}

/* --- what peers say inside an IKE SA ------------------------------------------------------------------------------- */

static bool is_protected(message_t *message)
{
	chunk_t bytes = message->get_packet_data(message);

	/* IKEv2: an INFORMATIONAL that came this far was decrypted */
	return message->get_major_version(message) == 2 || (bytes.len > 19 && (bytes.ptr[19] & V1_ENCRYPTED));
}

static void report_delete(spimend_t *this, ike_sa_t *ike_sa, message_t *message, delete_payload_t *d)
{
	protocol_id_t protocol = d->get_protocol_id(d);
	bool answer = message->get_major_version(message) == 2 && !message->get_request(message);
	uint8_t flags = (answer ? PLUGIN_ANSWER : 0) | (is_protected(message) ? PLUGIN_PROTECTED : 0);
	uint32_t ike_id = ike_sa->get_unique_id(ike_sa), spi;
	enumerator_t *spis;
	unsigned count = 0;

	if (protocol == PROTO_IKE) {
		struct plugin_message m = { .kind = PLUGIN_IKE_DELETE_RECEIVED, .present = HAS(IKE_ID) | HAS(FLAGS),
					    .ike_id = ike_id, .flags = flags };

		set_ends(&m, ike_sa);
		if (!answer)
			reports_closing(this, ike_id, 0, PLUGIN_WHY_PEER_DELETE);
		channel_report(this, &m);
		return;
	}
	if (!ip_protocol_of(protocol))
		return;
	spis = d->create_spi_enumerator(d);
	while (spis->enumerate(spis, &spi)) {
		struct plugin_message m = { .kind = PLUGIN_DELETE_RECEIVED, .ike_id = ike_id, .spi = ntohl(spi),
					    .protocol = ip_protocol_of(protocol), .flags = flags,
					    .present = HAS(IKE_ID) | HAS(PROTOCOL) | HAS(SPI) | HAS(FLAGS) };
		child_sa_t *child = ike_sa->get_child_sa(ike_sa, protocol, spi, FALSE);

		if (++count > SPIS_MAX) {
			channel_count_lost(this);
			continue;
		}
		set_ends(&m, ike_sa);
		if (child) {
			m.child_id = child->get_unique_id(child);
			m.peer_spi = ntohl(child->get_spi(child, TRUE));
			m.present |= HAS(CHILD_ID) | HAS(PEER_SPI);
			if (!answer)
				reports_closing(this, ike_id, m.child_id, PLUGIN_WHY_PEER_DELETE);
		}
		channel_report(this, &m);
	}
	spis->destroy(spis);
}

/* What the payload's length leaves for the SPI field; charon has no method that tells. */
static size_t spi_size_of(notify_payload_t *n)
{
	payload_t *p = &n->payload_interface;
	size_t header = p->get_type(p) == PLV1_NOTIFY ? 12 : 8, len = p->get_length(p);

	header += n->get_notification_data(n).len;
	return len > header ? len - header : 0;
}

/* charon tells an SPI field of four bytes only where the protocol is ESP or AH. */
static uint32_t spi_field_of(notify_payload_t *n)
{
	uint8_t protocol = n->get_protocol_id(n);
	uint32_t spi;

	n->set_protocol_id(n, PROTO_ESP);
	spi = ntohl(n->get_spi(n));
	n->set_protocol_id(n, protocol);
	return spi;
}

/* SPI size 0 and the SPI as data (RFC 7296), or in the SPI field: IKEv1, and devices that got IKEv2 wrong (B9). Sizes 8 and
 * 16 name the IKE SA, the SPI is the data then. */
static void report_invalid_spi(spimend_t *this, ike_sa_t *ike_sa, message_t *message, notify_payload_t *n)
{
	struct plugin_message m = { .kind = PLUGIN_INVALID_SPI_INSIDE, .ike_id = ike_sa->get_unique_id(ike_sa),
				    .flags = is_protected(message) ? PLUGIN_PROTECTED : 0,
				    .present = HAS(IKE_ID) | HAS(SPI) | HAS(SPI_SIZE) | HAS(FLAGS) };
	protocol_id_t protocols[] = { PROTO_ESP, PROTO_AH };
	chunk_t data = n->get_notification_data(n);
	size_t size = spi_size_of(n);
	child_sa_t *child = NULL;

	if ((size != 0 && size != 4 && size != 8 && size != 16) || (size != 4 && data.len < 4))
		return;
	m.spi = size == 4 ? spi_field_of(n) : untoh32(data.ptr);
	m.spi_size = (uint8_t)size;
	m.protocol = ip_protocol_of(n->get_protocol_id(n));
	if (m.protocol)
		m.present |= HAS(PROTOCOL);
	for (unsigned i = 0; i < countof(protocols) && !child; i++)
		child = ike_sa->get_child_sa(ike_sa, protocols[i], htonl(m.spi), FALSE);
	if (child) {
		m.child_id = child->get_unique_id(child);
		m.present |= HAS(CHILD_ID);
	}
	set_ends(&m, ike_sa);
	channel_report(this, &m);
}

static void read_notify(spimend_t *this, ike_sa_t *ike_sa, message_t *message, notify_payload_t *n)
{
	notify_type_t type = n->get_notify_type(n);

	if (type == INVALID_SPI) {
		report_invalid_spi(this, ike_sa, message, n);
	} else if (type == INITIAL_CONTACT || type == INITIAL_CONTACT_IKEV1) {
		initial_contact_in = ike_sa->get_unique_id(ike_sa);
		initial_contact_at_us = now_us();
	} else if (type == DPD_R_U_THERE_ACK && is_protected(message)) {
		orders_ike_heard(this, ike_sa->get_unique_id(ike_sa), PLUGIN_DONE);
	}
}

METHOD(listener_t, on_message, bool, listener_t *listener, ike_sa_t *ike_sa, message_t *message, bool incoming, bool plain)
{
	spimend_t *this = plugin_of(listener);
	enumerator_t *payloads;
	payload_t *p;

	if (incoming || message->get_major_version(message) == 2)
		initial_contact_in = 0;
	if (!ike_sa)
		return TRUE;
	if (layout_of_ike_sa(ike_sa))
		return FALSE;
	if (plain)
		crash_message(this, ike_sa, message, incoming);
	else if (incoming && message->get_exchange_type(message) == CREATE_CHILD_SA)
		outside_look(this, message); /* an answer in the clear to a rekey; INFORMATIONALs never come here */
	if (!incoming || !plain)
		return TRUE;
	payloads = message->create_payload_enumerator(message);
	while (payloads->enumerate(payloads, &p)) {
		payload_type_t type = p->get_type(p);

		if (type == PLV2_DELETE || type == PLV1_DELETE)
			report_delete(this, ike_sa, message, (delete_payload_t *)p);
		else if (type == PLV2_NOTIFY || type == PLV1_NOTIFY)
			read_notify(this, ike_sa, message, (notify_payload_t *)p);
	}
	payloads->destroy(payloads);
	return TRUE;
}

/* --- births, rekeys, deaths ---------------------------------------------------------------------------------------- */

METHOD(listener_t, on_child_rekey, bool, listener_t *listener, ike_sa_t *ike_sa, child_sa_t *old, child_sa_t *new)
{
	spimend_t *this = plugin_of(listener);
	struct plugin_message m = { .kind = PLUGIN_CHILD_REKEYED,
				    .present = HAS(IKE_ID) | HAS(CHILD_ID) | HAS(PROTOCOL) | HAS(SPI) | HAS(PEER_SPI) |
					       HAS(NEW_CHILD_ID) | HAS(NEW_SPI) | HAS(NEW_PEER_SPI) };

	if (!ike_sa || layout_of_ike_sa(ike_sa))
		return TRUE;
	m.ike_id = ike_sa->get_unique_id(ike_sa);
	m.child_id = old->get_unique_id(old);
	m.protocol = ip_protocol_of(old->get_protocol(old));
	m.spi = ntohl(old->get_spi(old, TRUE));
	m.peer_spi = ntohl(old->get_spi(old, FALSE));
	m.new_child_id = new->get_unique_id(new);
	m.new_spi = ntohl(new->get_spi(new, TRUE));
	m.new_peer_spi = ntohl(new->get_spi(new, FALSE));
	reports_closing(this, m.ike_id, m.child_id, PLUGIN_WHY_REKEYED);
	channel_report(this, &m);
	return TRUE;
}

METHOD(listener_t, on_ike_rekey, bool, listener_t *listener, ike_sa_t *old, ike_sa_t *new)
{
	spimend_t *this = plugin_of(listener);
	struct plugin_message m = { .kind = PLUGIN_IKE_REKEYED, .present = HAS(IKE_ID) | HAS(NEW_IKE_ID) };

	if (layout_of_ike_sa(old))
		return FALSE;
	m.ike_id = old->get_unique_id(old);
	m.new_ike_id = new->get_unique_id(new);
	crash_rekeyed(this, old, new);
	reports_closing(this, m.ike_id, 0, PLUGIN_WHY_REKEYED);
	channel_report(this, &m);
	return TRUE;
}

/* Only of IKE SAs that were up. Its children follow: charon takes them down next. */
METHOD(listener_t, on_ike_updown, bool, listener_t *listener, ike_sa_t *ike_sa, bool up)
{
	spimend_t *this = plugin_of(listener);
	struct plugin_message m = { .kind = PLUGIN_IKE_DIED, .present = HAS(IKE_ID) | HAS(REASON) };
	enum plugin_reason reason;

	if (layout_of_ike_sa(ike_sa))
		return FALSE;
	if (up)
		return TRUE;
	m.ike_id = ike_sa->get_unique_id(ike_sa);
	reason = reason_of(this, m.ike_id, 0, FALSE);
	if (!reason && initial_contact_in && initial_contact_in != m.ike_id &&
	    now_us() - initial_contact_at_us < INITIAL_CONTACT_US)
		reason = PLUGIN_WHY_INITIAL_CONTACT;
	if (!reason)
		reason = PLUGIN_WHY_OUR_DELETE;
	reports_closing(this, m.ike_id, 0, reason); /* its children ask */
	m.reason = (uint8_t)reason;
	set_ends(&m, ike_sa);
	channel_report(this, &m);
	orders_ike_heard(this, m.ike_id, PLUGIN_IKE_GONE);
	return TRUE;
}

static enum plugin_reason why_child_died(spimend_t *this, uint32_t ike_id, child_sa_t *child)
{
	enum plugin_reason reason = reason_of(this, ike_id, child->get_unique_id(child), TRUE);
	child_sa_state_t state = child->get_state(child);
	time_t life = child->get_lifetime(child, TRUE);

	if (reason)
		return reason;
	if (reason_of(this, ike_id, 0, FALSE))
		return PLUGIN_WHY_IKE_DIED;
	if (life && time_monotonic(NULL) >= life)
		return PLUGIN_WHY_EXPIRED;
	if (state == CHILD_REKEYED)
		return PLUGIN_WHY_REKEYED;
	return state == CHILD_DELETING || state == CHILD_DELETED ? PLUGIN_WHY_OUR_DELETE : PLUGIN_WHY_UNKNOWN;
}

/* Every child that leaves memory, however: child_updown would not tell of those that were rekeyed or just lost. */
METHOD(listener_t, on_child_state, bool, listener_t *listener, ike_sa_t *ike_sa, child_sa_t *child, child_sa_state_t state)
{
	spimend_t *this = plugin_of(listener);
	struct plugin_message m = { .kind = PLUGIN_CHILD_DIED, .present = HAS(IKE_ID) | HAS(CHILD_ID) | HAS(PROTOCOL) |
									  HAS(SPI) | HAS(PEER_SPI) | HAS(REASON) };

	if (state != CHILD_DESTROYING || !ike_sa || layout_of_ike_sa(ike_sa))
		return TRUE;
	m.spi = ntohl(child->get_spi(child, TRUE));
	m.peer_spi = ntohl(child->get_spi(child, FALSE));
	m.protocol = ip_protocol_of(child->get_protocol(child));
	if (!m.spi || !m.peer_spi || !m.protocol)
		return TRUE; /* never was one: a trap, a negotiation that failed */
	m.ike_id = ike_sa->get_unique_id(ike_sa);
	m.child_id = child->get_unique_id(child);
	m.reason = (uint8_t)why_child_died(this, m.ike_id, child);
	channel_report(this, &m);
	return TRUE;
}

/* Every IKE SA that leaves memory, also one that never was up. */
METHOD(listener_t, on_ike_state, bool, listener_t *listener, ike_sa_t *ike_sa, ike_sa_state_t state)
{
	if (state == IKE_DESTROYING && !layout_of_ike_sa(ike_sa))
		crash_ike_gone(plugin_of(listener), ike_sa);
	return TRUE;
}

listener_t reports_listener(void)
{
	return (listener_t){ .alert = _on_alert, .message = _on_message, .ike_state_change = _on_ike_state,
			     .child_state_change = _on_child_state,
			     .child_rekey = _on_child_rekey, .ike_rekey = _on_ike_rekey, .ike_updown = _on_ike_updown };
}
