/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unprotected INFORMATIONALs (RFC 7296 1.5). charon with mediation hands each to connect_manager->process_check() before it
 * looks for an IKE SA, and no listener ever hears of it. Objects carry their own methods, so that one is wrapped: we look
 * at the bytes and pass the message on, whatever it is. Anybody can send one: a hint, never a reason to act, unless it has
 * the token of its IKE SA (RFC 6290). The other way, one is sent when spimend orders it.
 */
#include "spimend.h"

#include <encoding/message.h>
#include <sa/ikev2/connect_manager.h>
#include <sys/random.h>

#define IKE_HEADER 28    /* SPIs 8 and 8, next payload, version, exchange, flags, message id 4, length 4 */
#define PAYLOADS_MAX 8   /* of one message that are looked at */
#define NOTIFY 41        /* RFC 7296 3.2 */
#define FLAG_INITIATOR 0x08
#define NOTIFY_HEADER 8  /* next payload, critical, length 2, protocol, SPI size, type 2 */

/* Only begin(), before any packet can ask for it, sets it; unhooking leaves the wrapper in place and inert, since charon's
 * manager is gone before plugins are told to stop, and this library is never unloaded (RTLD_NODELETE). */
static void (*original)(connect_manager_t *this, message_t *message);
static spimend_t *plugin;

static void report_notify(spimend_t *this, message_t *message, unsigned char *at, size_t len)
{
	host_t *from = message->get_source(message), *to = message->get_destination(message);
	unsigned type = untoh16(at + 6), size = at[5];
	struct plugin_message m = { .local = address_of(to), .remote = address_of(from),
				    .present = HAS(LOCAL) | HAS(REMOTE) | HAS(LOCAL_PORT) | HAS(REMOTE_PORT) |
					       HAS(IKE_SPI_I) | HAS(IKE_SPI_R) };

	m.local_port = to->get_port(to);
	m.remote_port = from->get_port(from);
	m.ike_spi_i = be64toh(message->get_initiator_spi(message));
	m.ike_spi_r = be64toh(message->get_responder_spi(message));
	if (type == INVALID_IKE_SPI) {
		m.kind = PLUGIN_INVALID_IKE_SPI;
	} else if (type == INVALID_SPI && (size == 0 || size == 4) && len >= NOTIFY_HEADER + 4) {
		/* size 0: the SPI is the data; size 4: it is the SPI field (B9). Either way the next four bytes */
		m.kind = PLUGIN_INVALID_SPI_OUTSIDE;
		m.spi = untoh32(at + NOTIFY_HEADER);
		m.spi_size = (uint8_t)size;
		m.protocol = ip_protocol_of(at[4]);
		m.present |= HAS(SPI) | HAS(SPI_SIZE) | (m.protocol ? HAS(PROTOCOL) : 0);
	} else {
		return;
	}
	if (limit_allow_report(this, m.kind))
		channel_report(this, &m);
}

void outside_look(spimend_t *this, message_t *message)
{
	chunk_t bytes = message->get_packet_data(message), tokens[TOKENS_AT_ONCE];
	unsigned next, count = 0;
	bool unknown = FALSE;
	size_t at = IKE_HEADER;

	if (bytes.len < IKE_HEADER || bytes.ptr[17] >> 4 != 2)
		return;
	next = bytes.ptr[16];
	for (unsigned i = 0; i < PAYLOADS_MAX && next == NOTIFY; i++) {
		size_t len;

		unsigned type;

		if (bytes.len - at < NOTIFY_HEADER)
			break;
		len = untoh16(bytes.ptr + at + 2);
		if (len < NOTIFY_HEADER || len > bytes.len - at || len - NOTIFY_HEADER < bytes.ptr[at + 5])
			break;
		type = untoh16(bytes.ptr + at + 6);
		unknown = unknown || type == INVALID_IKE_SPI || type == INVALID_SPI;
		if (type == QUICK_CRASH_DETECTION && bytes.ptr[at + 5] == 0 && count < TOKENS_AT_ONCE)
			tokens[count++] = chunk_create(bytes.ptr + at + NOTIFY_HEADER, len - NOTIFY_HEADER);
		report_notify(this, message, bytes.ptr + at, len);
		next = bytes.ptr[at];
		at += len;
	}
	if (unknown && count) /* RFC 6290 4.5 */
		crash_presented(this, message, tokens, count);
}

/* --- what we send ------------------------------------------------------------------------------------------------------ */

void outside_send(host_t *from, host_t *to, chunk_t bytes)
{
	packet_t *packet = packet_create_from_data(from->clone(from), to->clone(to), chunk_clone(bytes));

	charon->sender->send(charon->sender, packet);
}

static host_t *host_of(const struct spimend_address *address, uint16_t port)
{
	chunk_t bytes = chunk_create((u_char *)address->bytes, address->family == 4 ? 4 : 16);

	return host_create_from_chunk(address->family == 4 ? AF_INET : AF_INET6, bytes, port);
}

/* RFC 7296 1.5: with an IKE SA it is said inside, where it can be believed. */
static bool has_ike_sa(host_t *remote)
{
	enumerator_t *all = charon->ike_sa_manager->create_enumerator(charon->ike_sa_manager, FALSE);
	ike_sa_t *ike_sa;
	bool found = FALSE;

	while (!found && all->enumerate(all, &ike_sa)) {
		host_t *other = ike_sa->get_other_host(ike_sa);

		found = !layout_of_ike_sa(ike_sa) && ike_sa->get_state(ike_sa) == IKE_ESTABLISHED && other->ip_equals(other, remote);
	}
	all->destroy(all);
	return found;
}

/* RFC 7296 1.5 and 3.10.1: I set, R not, random SPIs that name no IKE SA, SPI size 0 and the SPI as data: 40 bytes. */
static enum plugin_outcome send_invalid_spi(host_t *local, host_t *remote, uint32_t spi)
{
	unsigned char bytes[IKE_HEADER + NOTIFY_HEADER + 4] = { 0 };

	if (getrandom(bytes, 16, 0) != 16)
		return PLUGIN_UNSUPPORTED;
	bytes[16] = NOTIFY;
	bytes[17] = 0x20;
	bytes[18] = INFORMATIONAL;
	bytes[19] = FLAG_INITIATOR;
	htoun32(bytes + 24, sizeof(bytes));
	htoun16(bytes + IKE_HEADER + 2, NOTIFY_HEADER + 4);
	htoun16(bytes + IKE_HEADER + 6, INVALID_SPI);
	htoun32(bytes + IKE_HEADER + NOTIFY_HEADER, spi);
	outside_send(local, remote, chunk_from_thing(bytes));
	return PLUGIN_SENT;
}

enum plugin_outcome outside_notify(spimend_t *this, const struct plugin_message *order, struct plugin_message *more)
{
	static const rate_t each = { 200, 2 }, total = { 10000, 20 }; /* one in 5 s; 10 a second */
	bool udp = plugin_has(order, PLUGIN_HAS_REMOTE_PORT);
	host_t *local = host_of(&order->local, charon->socket->get_port(charon->socket, udp));
	host_t *remote = host_of(&order->remote, udp ? order->remote_port : IKEV2_UDP_PORT);
	enum plugin_outcome outcome;

	if (!local || !remote || !charon->kernel->get_interface(charon->kernel, local, NULL))
		outcome = orders_refuse(more, PLUGIN_UNSUPPORTED, "not an address of this host");
	else if (has_ike_sa(remote))
		outcome = orders_refuse(more, PLUGIN_OURS, "an IKE SA with that peer lives");
	else if (!limit_allow(this, &this->notifies, &each, &total, remote))
		outcome = orders_refuse(more, PLUGIN_LIMIT, "too many of them");
	else
		outcome = send_invalid_spi(local, remote, order->spi);
	DESTROY_IF(local);
	DESTROY_IF(remote);
	return outcome;
}

/* --- the hook -------------------------------------------------------------------------------------------------------- */

static void process_check(connect_manager_t *this, message_t *message)
{
	spimend_t *of = __atomic_load_n(&plugin, __ATOMIC_ACQUIRE);

	if (of)
		outside_look(of, message);
	original(this, message);
}

const char *outside_hook(spimend_t *this)
{
	if (charon->connect_manager->process_check == process_check)
		return "the plugin is loaded twice";
	original = charon->connect_manager->process_check;
	__atomic_store_n(&plugin, this, __ATOMIC_RELEASE);
	__atomic_store_n(&charon->connect_manager->process_check, process_check, __ATOMIC_RELEASE);
	return NULL;
}

void outside_unhook(void)
{
	__atomic_store_n(&plugin, NULL, __ATOMIC_RELEASE);
}
