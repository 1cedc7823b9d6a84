/* SPDX-License-Identifier: MIT */
/*
 * Capture files: pcap (both byte orders, microseconds and nanoseconds) and pcapng (sections, interfaces with if_tsresol and
 * if_tsoffset, enhanced, simple and the obsolete packet blocks; other blocks are passed over and counted, and what is
 * in them, such as secrets, is never looked at). Bytes in, batches of struct packet out.
 *
 * Called by cmd (analyze). Pure and bounded. It reads whole records only and says how many bytes it used: what is left has
 * to stand in front of the next ones. A record of CAPTURE_RECORD_MAX bytes has to fit, so the caller has room for these.
 *
 * At the first record that cannot be right it stops: what follows has no known beginning. What was read before counts.
 */
#ifndef PARSE_CAPTURE_H
#define PARSE_CAPTURE_H

#include "parse/capture_packet.h"

#define CAPTURE_PACKET_MAX (256u << 10)  /* bytes of one packet: the most that tcpdump and Wireshark write */
#define CAPTURE_RECORD_MAX (512u << 10)  /* a packet's block with its options */
#define CAPTURE_INTERFACES_MAX 4096      /* of one pcapng section */
#define CAPTURE_REASON_MAX 128
#define CAPTURE_MAGIC 4 /* bytes that tell */

enum capture_format { CAPTURE_NONE, CAPTURE_PCAP, CAPTURE_PCAPNG };

/* From the first CAPTURE_MAGIC bytes. */
enum capture_format capture_format_of(struct text first);

enum capture_trouble_kind {
	CAPTURE_SOUND,
	CAPTURE_PASSED_OVER, /* an interface whose link type is not read: its packets are counted, the file is read on */
	CAPTURE_STOPPED,     /* nothing more is read of this file */
};

struct capture_trouble {
	enum capture_trouble_kind kind;
	uint64_t offset; /* byte of the (unpacked) file */
	char reason[CAPTURE_REASON_MAX];
};

struct capture_counts {
	uint64_t bytes;          /* read */
	uint64_t packets;        /* all records that hold one */
	uint64_t wire_bytes;     /* their lengths on the wire */
	uint64_t esp, esp_udp, ah, ike, invalid_spi_notifies;
	uint64_t results[FRAME_RESULTS]; /* why a packet was none of these, and how many were */
	uint64_t refused;        /* of a link type that is not read */
	uint64_t without_time;
	uint64_t cut;            /* captured shorter than they were */
	uint64_t sections, interfaces, other_blocks;
	bool has_times;
	int64_t first_ns, last_ns; /* of all packets */
};

struct capture_reader;

/* 0 or -ENOMEM. */
int capture_new(struct capture_reader **ret);
void capture_free(struct capture_reader *capture); /* NULL is fine */

/*
 * Reads whole records from the front of `bytes` until it has `room` packets of IPsec or IKE; returns how many bytes are
 * done with. Less than all, and less packets than room: more bytes are needed, or it has stopped (capture_trouble()).
 */
size_t capture_read(struct capture_reader *reader, struct text bytes, struct packet *to, size_t room, size_t *ret_count);
/* The file is over, and so many bytes of it were not used: cut when there are any, or too few came. */
void capture_end(struct capture_reader *reader, size_t rest);

enum capture_format capture_format(const struct capture_reader *reader);
bool capture_is_over(const struct capture_reader *capture); /* it has stopped */
const struct capture_counts *capture_counts(const struct capture_reader *reader);
/* What was wrong, since the last call; false when there is nothing (more). Those beyond what is kept are counted only. */
bool capture_trouble(struct capture_reader *reader, struct capture_trouble *ret);

#endif
