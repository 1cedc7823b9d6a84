/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unprotected INFORMATIONALs (RFC 7296 1.5). charon with mediation hands each to connect_manager->process_check() before it
 * looks for an IKE SA, and no listener ever hears of it. Objects carry their own methods, so that one is wrapped: we look
 * at the bytes and pass the message on, whatever it is. Anybody can send one: a hint, never a reason to act.
 */
#include "spimend.h"

#include <encoding/message.h>
#include <sa/ikev2/connect_manager.h>

#define IKE_HEADER 28    /* SPIs 8 and 8, next payload, version, exchange, flags, message id 4, length 4 */
#define PAYLOADS_MAX 8   /* of one message that are looked at */
#define NOTIFY 41        /* RFC 7296 3.2 */
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
	if (reports_allow(this, m.kind))
		channel_report(this, &m);
}

static void look(spimend_t *this, message_t *message)
{
	chunk_t bytes = message->get_packet_data(message);
	unsigned next;
	size_t at = IKE_HEADER;

	if (bytes.len < IKE_HEADER)
		return;
	next = bytes.ptr[16];
	for (unsigned i = 0; i < PAYLOADS_MAX && next == NOTIFY; i++) {
		size_t len;

		if (bytes.len - at < NOTIFY_HEADER)
			return;
		len = untoh16(bytes.ptr + at + 2);
		if (len < NOTIFY_HEADER || len > bytes.len - at || len - NOTIFY_HEADER < bytes.ptr[at + 5])
			return;
		report_notify(this, message, bytes.ptr + at, len);
		next = bytes.ptr[at];
		at += len;
	}
}

static void process_check(connect_manager_t *this, message_t *message)
{
	spimend_t *of = __atomic_load_n(&plugin, __ATOMIC_ACQUIRE);

	if (of)
		look(of, message);
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
