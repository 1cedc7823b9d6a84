/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "parse/dialect.h"

#define NAT (FLAG_NAT_T)
#define MASKED (FLAG_ADDRESS_MASKED)

static const struct expected {
	dialect_read *read;
	const char *text;
	enum dialect_result result;
	enum fact_kind kind;
	const char *src, *dst; /* "?" unknown */
	enum spimend_protocol protocol;
	uint32_t has, spi, spi_out;
	uint64_t sequence;
	uint32_t flags;
	const char *failure; /* part of the reason */
} rows[] = {
	/* ASA, FTD */
	{ dialect_asa_read,
		"%ASA-4-402114: IPSEC: Received an ESP packet (SPI= 0x1A2B3C4D, sequence number= 0x2D) from 192.0.2.1 to 198.51.100.7 "
		"with an invalid SPI.",
		DIALECT_READ, FACT_STRAY, "192.0.2.1", "198.51.100.7", 50, 3, 0x1a2b3c4d, 0, 0x2d, 0, NULL },
	{ dialect_asa_read,
		"%FTD-4-402114: IPSEC: Received an AH packet (SPI=0x9A, sequence number=7) from 2001:db8::1 (user= u v) to 2001:db8::2 "
		"with an invalid SPI",
		DIALECT_READ, FACT_STRAY, "2001:db8::1", "2001:db8::2", 51, 3, 0x9a, 0, 7, FLAG_SPI_RESERVED | FLAG_SPI_SMALL, NULL },
	{ dialect_asa_read,
		"%ASA-4-402114: IPSEC: Received an ESP packet (SPI= 0x1A2B3C4D, sequence number= 0x2D) from XXX.XXX.XXX.XXX to "
		"198.51.100.7\n  with an invalid SPI.",
		DIALECT_READ, FACT_STRAY, "?", "198.51.100.7", 50, 3, 0x1a2b3c4d, 0, 0x2d, MASKED, NULL },
	{ dialect_asa_read,
		"%ASA-4-402114: IPSEC: Received an ESP packet (SPI= 0xXXXXXXXX, sequence number= 0x2D) from 192.0.2.1 to 198.51.100.7 "
		"with an invalid SPI.",
		DIALECT_READ, FACT_STRAY, "192.0.2.1", "198.51.100.7", 50, FACT_HAS_SEQUENCE, 0, 0, 0x2d, 0, NULL },
	{ dialect_asa_read, "%ASA-4-402114: IPSEC: Received an ESP packet (SPI= 0x1A2B", DIALECT_MORE, FACT_STRAY, "?", "?", 50, 0, 0,
		0, 0, 0, "cut within" },
	{ dialect_asa_read, "%ASA-4-402114: IPSEC: Received an ESP", DIALECT_MORE, FACT_STRAY, "?", "?", 0, 0, 0, 0, 0, 0, "cut" },
	{ dialect_asa_read,
		"%ASA-4-402114: IPSEC: Received an ESP packet (SPI= 0x1A2B3C4D, sequence number= 0x2D) from 192.0.2.1 to",
		DIALECT_MORE, FACT_STRAY, "192.0.2.1", "?", 50, 3, 0x1a2b3c4d, 0, 0x2d, 0, "cut" },
	{ dialect_asa_read,
		"%ASA-4-402114: IPSEC: Received an _protocol_ packet (SPI= _spi_, sequence number= _seq_num_) from _remote_IP_ to "
		"_local_IP_ with an invalid SPI.",
		DIALECT_BAD, FACT_NONE, "?", "?", 0, 0, 0, 0, 0, 0, "a template" },
	{ dialect_asa_read,
		"%ASA-4-402114: IPSEC: Received an protocol packet (SPI=spi, sequence number=seq_num) from remote_IP to local_IP with an "
		"invalid SPI.",
		DIALECT_BAD, FACT_NONE, "?", "?", 0, 0, 0, 0, 0, 0, "a template" },
	{ dialect_asa_read, "%ASA-4-402114: IPSEC: Received an ESP packet (SPI= 0x1A2B3C4D5E, sequence number= 1) from 192.0.2.1",
		DIALECT_BAD, FACT_NONE, "?", "?", 0, 0, 0, 0, 0, 0, "1 to 8" },
	{ dialect_asa_read, "%ASA-4-402115: IPSEC: Received a packet from 192.0.2.1 to 198.51.100.7 containing ESP data instead of AH data.",
		DIALECT_READ, FACT_SELECTOR, "192.0.2.1", "198.51.100.7", 0, 0, 0, 0, 0, 0, NULL },
	{ dialect_asa_read,
		"%ASA-4-402116: IPSEC: Received an ESP packet (SPI= 0x76F99C4C, sequence number= 0x2D) from 192.0.2.1 (user= 192.0.2.1) to "
		"198.51.100.7.  The decapsulated inner packet doesn't match the negotiated policy in the SA.  The packet specifies its "
		"destination as 10.0.0.1, its source as 10.0.0.2, and its protocol as icmp.  The SA specifies its local proxy as "
		"10.0.0.1/255.255.255.255/ip/0 and its remote_proxy as 10.0.0.3/255.255.255.255/ip/0.",
		DIALECT_READ, FACT_SELECTOR, "192.0.2.1", "198.51.100.7", 50, 3, 0x76f99c4c, 0, 0x2d, 0, NULL },
	{ dialect_asa_read, "%ASA-4-402117: IPSEC: Received a non-IPSec packet (protocol= ICMP) from 192.0.2.1 to 198.51.100.7.",
		DIALECT_READ, FACT_NOT_IPSEC, "192.0.2.1", "198.51.100.7", 0, 0, 0, 0, 0, 0, NULL },
	{ dialect_asa_read,
		"%ASA-4-402118: IPSEC: Received an ESP packet (SPI= 0x10001, sequence number= 0x5) from 192.0.2.1 (user= u) to 198.51.100.7 "
		"containing an illegal IP fragment of length 8 with offset 0.",
		DIALECT_READ, FACT_SELECTOR, "192.0.2.1", "198.51.100.7", 50, 3, 0x10001, 0, 5, 0, NULL },
	{ dialect_asa_read,
		"%ASA-4-402119: IPSEC: Received an ESP packet (SPI= 0x0C190BF9, sequence number= 0x598243) from 192.0.2.1 (user= 192.0.2.1) "
		"to 198.51.100.7 that failed anti-replay checking.",
		DIALECT_READ, FACT_REPLAY, "192.0.2.1", "198.51.100.7", 50, 3, 0x0c190bf9, 0, 0x598243, 0, NULL },
	{ dialect_asa_read,
		"%ASA-4-402120: IPSEC: Received an ESP packet (SPI= 0x0C190BF9, sequence number= 0x5) from 192.0.2.1 (user= u) to "
		"198.51.100.7 that failed authentication.",
		DIALECT_READ, FACT_INTEGRITY, "192.0.2.1", "198.51.100.7", 50, 3, 0x0c190bf9, 0, 5, 0, NULL },
	{ dialect_asa_read,
		"%ASA-6-602303: IPSEC: An outbound LAN-to-LAN SA (SPI= 0x00C0FFEE) between 198.51.100.7 and 192.0.2.1 (user= 192.0.2.1) has "
		"been created.",
		DIALECT_READ, FACT_SA_BORN, "192.0.2.1", "198.51.100.7", 0, FACT_HAS_SPI_OUT, 0, 0xc0ffee, 0, 0, NULL },
	{ dialect_asa_read,
		"%ASA-6-602304: IPSEC: An inbound LAN-to-LAN SA (SPI= 0x00C0FFEE) between 192.0.2.1 and 198.51.100.7 (user= 192.0.2.1) has "
		"been deleted.",
		DIALECT_READ, FACT_SA_DIED, "192.0.2.1", "198.51.100.7", 0, FACT_HAS_SPI, 0xc0ffee, 0, 0, 0, NULL },
	{ dialect_asa_read,
		"%ASA-5-713049: Group = 192.0.2.1, IP = 192.0.2.1, Security negotiation complete for LAN-to-LAN Group (192.0.2.1)  "
		"Responder, Inbound SPI = 0x1a2b3c4d, Outbound SPI = 0x0badcafe",
		DIALECT_READ, FACT_SA_BORN, "192.0.2.1", "?", 0, FACT_HAS_SPI | FACT_HAS_SPI_OUT, 0x1a2b3c4d, 0x0badcafe, 0, 0, NULL },
	{ dialect_asa_read, "%ASA-5-713050: Group = g, IP = 192.0.2.1, Connection terminated for peer 192.0.2.1.  Reason: Peer Terminate",
		DIALECT_READ, FACT_TUNNEL_DOWN, "192.0.2.1", "?", 0, 0, 0, 0, 0, 0, NULL },
	{ dialect_asa_read, "%ASA-5-750006: Local:198.51.100.7:500 Remote:192.0.2.1:500 Username:u IKEv2 SA UP. Reason: New Connection",
		DIALECT_READ, FACT_TUNNEL_UP, "192.0.2.1", "198.51.100.7", 0, 0, 0, 0, 0, 0, NULL },
	{ dialect_asa_read, "%FTD-5-711001: IKEv2-PLAT-4: Received PFKEY Invalid SPI for SPI 0x4D3C2B1A, error FALSE", DIALECT_READ,
		FACT_INVALID_SPI_NOTIFY, "?", "?", 0, FACT_HAS_SPI, 0x4d3c2b1a, 0, 0, FLAG_SPI_SWAPPED, NULL },
	{ dialect_asa_read, "%FTD-5-711001: IKEv2-PLAT-4: Received PFKEY delete SA for SPI 0x4D3C2B1A error FALSE", DIALECT_READ,
		FACT_SA_DIED, "?", "?", 0, FACT_HAS_SPI, 0x4d3c2b1a, 0, 0, FLAG_SPI_SWAPPED, NULL },
	{ dialect_asa_read, "%FTD-5-711001: IPSEC: Completed inbound permit rule, SPI 0x1A2B3C4D", DIALECT_READ, FACT_SA_BORN, "?", "?",
		0, FACT_HAS_SPI, 0x1a2b3c4d, 0, 0, 0, NULL },
	{ dialect_asa_read, "%ASA-7-711001: IKEv2-PROTO-4: (12): Sending INVALID_SPI notify", DIALECT_READ, FACT_INVALID_SPI_NOTIFY, "?",
		"?", 0, 0, 0, 0, 0, 0, NULL },
	{ dialect_asa_read, "%ASA-6-302013: Built inbound TCP connection 1 for outside:192.0.2.1/1 to inside:198.51.100.7/2",
		DIALECT_NOT_MINE, FACT_NONE, "?", "?", 0, 0, 0, 0, 0, 0, NULL },
	{ dialect_asa_read, "  Invalid SPI (np-sp-invalid-spi)        71490", DIALECT_NOT_MINE, FACT_NONE, "?", "?", 0, 0, 0, 0, 0, 0,
		NULL },
	/* FortiGate */
	{ dialect_fortigate_read,
		"date=2026-01-02 time=03:04:05 devname='fw1' logid='0101037131' subtype='vpn' remip=192.0.2.1 locip=198.51.100.7 "
		"remport=4500 locport=4500 outintf='port1' assignip=N/A error_num='Received ESP packet with unknown SPI.' spi='3a4e69e6' "
		"seq='0000002d'",
		DIALECT_READ, FACT_STRAY, "192.0.2.1", "198.51.100.7", 50, 3, 0x3a4e69e6, 0, 0x2d, NAT, NULL },
	{ dialect_fortigate_read,
		"date=2026-01-02 time=03:04:05 logid=0101037131 remip=x.x.x.175 locip= remport=500 error_num=Received ESP packet with "
		"unknown SPI. spi=c3a4e69e seq=2d",
		DIALECT_READ, FACT_STRAY, "?", "?", 50, 3, 0xc3a4e69e, 0, 0x2d, MASKED, NULL },
	{ dialect_fortigate_read, "logid=\"0101037131\" error_num=\"Received ESP packet with unknown SPI.\" remip=192.0.2.1 spi=\"3a4e",
		DIALECT_MORE, FACT_STRAY, "192.0.2.1", "?", 50, 0, 0, 0, 0, MASKED, "cut" },
	{ dialect_fortigate_read, "logid=\"0101037131\" error_num=\"Received ESP packet with unknown SPI.\" remip=192.0.2.1", DIALECT_READ,
		FACT_STRAY, "192.0.2.1", "?", 50, 0, 0, 0, 0, MASKED, NULL },
	{ dialect_fortigate_read, "logid=\"0101037131\" error_num=\"Received ESP packet with unknown SPI.\" spi=\"[hex]\"", DIALECT_BAD,
		FACT_STRAY, "?", "?", 50, 0, 0, 0, 0, MASKED, "a template" },
	{ dialect_fortigate_read, "logid=\"0101037131\" error_num=\"Received ESP packet with unknown SPI.\" spi=\"hello\"", DIALECT_BAD,
		FACT_STRAY, "?", "?", 50, 0, 0, 0, 0, MASKED, "spi=" },
	{ dialect_fortigate_read, "logid=\"0101037131\" subtype=\"vpn\" msg=\"synthetic event 7\" remip=192.0.2.1", DIALECT_NOT_MINE, FACT_NONE, "?",
		"?", 0, 0, 0, 0, 0, 0, NULL },
	{ dialect_fortigate_read,
		"logid=0101037134 subtype=\"vpn\" action=\"delete_phase1_sa\" msg=\"delete IPsec phase 1 SA\" remip=192.0.2.1 "
		"locip=198.51.100.7 remport=500",
		DIALECT_READ, FACT_TUNNEL_DOWN, "192.0.2.1", "198.51.100.7", 0, 0, 0, 0, 0, 0, NULL },
	{ dialect_fortigate_read,
		"logid=\"0101037138\" subtype=\"vpn\" action=\"tunnel-up\" remip=192.0.2.1 locip=198.51.100.7 remport=500", DIALECT_READ,
		FACT_TUNNEL_UP, "192.0.2.1", "198.51.100.7", 0, 0, 0, 0, 0, 0, NULL },
	{ dialect_fortigate_read,
		"logid=\"0101037133\" subtype=\"vpn\" action=\"install_sa\" remip=192.0.2.1 locip=198.51.100.7 in_spi=\"3a4e6946\" "
		"out_spi=\"c1d2e3f4\"",
		DIALECT_READ, FACT_SA_BORN, "192.0.2.1", "198.51.100.7", 0, FACT_HAS_SPI | FACT_HAS_SPI_OUT, 0x3a4e6946, 0xc1d2e3f4, 0, 0,
		NULL },
	{ dialect_fortigate_read,
		"logid=\"0101039947\" subtype=\"vpn\" action=\"tunnel-up\" remip=192.0.2.1", DIALECT_NOT_MINE, FACT_NONE, "?", "?", 0, 0, 0, 0,
		0, 0, NULL },
	/* ScreenOS */
	{ dialect_screenos_read,
		"[Root]system-alert-00026: IPSec tunnel on interface ethernet1 with tunnel ID 0x21 received a packet with a bad SPI. "
		"192.0.2.1->198.51.100.7/120, ESP, SPI 0x1a2b3c4d, SEQ 0x5.",
		DIALECT_READ, FACT_STRAY, "192.0.2.1", "198.51.100.7", 50, 3, 0x1a2b3c4d, 0, 5, 0, NULL },
	{ dialect_screenos_read,
		"IPSec tunnel on interface ethernet1 with tunnel ID 0x21 received a packet with a bad SPI. 192.0.2.1 -> 198.51.100.7/120 AH "
		"SPI: 1a2b3c4d; SEQ=0x5 (2026-01-02 03:04:05)",
		DIALECT_READ, FACT_STRAY, "192.0.2.1", "198.51.100.7", 51, 3, 0x1a2b3c4d, 0, 5, 0, NULL },
	{ dialect_screenos_read,
		"IPSec tunnel on interface <if_name> with tunnel ID 0x<sa_tid_hex> received a packet with a bad SPI. "
		"<src_ip><dst_ip>-><pak_len><esp_or_ah>/<spi_hex>, <seq_number_hex>, SPI 0x%x, SEQ 0x%x.",
		DIALECT_BAD, FACT_NONE, "?", "?", 0, 0, 0, 0, 0, 0, "a template" },
	{ dialect_screenos_read,
		"IPSec tunnel on interface ethernet1 with tunnel ID 0x21 received a packet with a bad SPI. 192.0.2.1->198.51.100.7/120,",
		DIALECT_MORE, FACT_STRAY, "192.0.2.1", "198.51.100.7", 0, 0, 0, 0, 0, 0, "expected SPI" },
	/* Check Point, Versa, ZyXEL, Nortel */
	{ dialect_checkpoint_read, "encryption failure: Unknown SPI for IPsec packet", DIALECT_READ, FACT_STRAY, "?", "?", 0, 0, 0, 0, 0, 0,
		NULL },
	{ dialect_checkpoint_read,
		"action:\"Drop\"; src:\"192.0.2.1\"; dst: 198.51.100.7; proto=50 encryption failure: Unknown SPI for IPsec packet; SPI: 0x1a2b3c4d",
		DIALECT_READ, FACT_STRAY, "192.0.2.1", "198.51.100.7", 50, FACT_HAS_SPI, 0x1a2b3c4d, 0, 0, 0, NULL },
	{ dialect_versa_read, "ipsec_esp_decap_handler:663  SPI from ESP header: 2001a6b", DIALECT_READ, FACT_STRAY, "?", "?", 50,
		FACT_HAS_SPI, 0x2001a6b, 0, 0, 0, NULL },
	{ dialect_versa_read, "ipsec_esp_decap_handler:663  SPI from ESP header:", DIALECT_MORE, FACT_STRAY, "?", "?", 50, 0, 0, 0, 0, 0,
		"cut" },
	{ dialect_zyxel_read, "src=\"192.0.2.1:0\" dst=\"198.51.100.7:0\" msg=\"Receive IPSec packet, but no corresponding tunnel exists\"",
		DIALECT_READ, FACT_STRAY, "192.0.2.1", "198.51.100.7", 0, 0, 0, 0, 0, 0, NULL },
	{ dialect_nortel_read, "ISEC.001 No ESP SA for pkt (SPI 192.0.2.1 ) 198.51.100.7 -> 74565 : disc nt 0 Network ID", DIALECT_READ,
		FACT_STRAY, "192.0.2.1", "198.51.100.7", 50, FACT_HAS_SPI, 74565, 0, 0, 0, NULL },
	{ dialect_nortel_read, "ISEC.001 No ipsec_prot SA for pkt (SPI source_ip_address ) dest_ip_addr -> spi : disc nt Network ID",
		DIALECT_BAD, FACT_NONE, "?", "?", 0, 0, 0, 0, 0, 0, "a template" },
	/* Linux audit */
	{ dialect_audit_read, "op=SA-notfound src=192.0.2.1 dst=198.51.100.7 spi=3076621886(0xb761863e) seqno=3", DIALECT_READ, FACT_STRAY,
		"192.0.2.1", "198.51.100.7", 0, 3, 0xb761863e, 0, 3, 0, NULL },
	{ dialect_audit_read,
		"type=MAC_IPSEC_EVENT msg=audit(1767225600.123:45): op=SA-notfound src=2001:0db8:0000:0000:0000:0000:0000:0001 "
		"dst=2001:db8::2 flowlbl=0x00000 spi=17(0xb761863e) seqno=3",
		DIALECT_READ, FACT_STRAY, "2001:db8::1", "2001:db8::2", 0, 3, 0xb761863e, 0, 3, FLAG_DECIMAL_DIFFERS, NULL },
	{ dialect_audit_read, "audit: type=1415 audit(1767225600.123:45): op=SA-notfound src=192.0.2.1 dst=198.51.100.7", DIALECT_READ,
		FACT_STRAY, "192.0.2.1", "198.51.100.7", 0, 0, 0, 0, 0, 0, NULL },
	{ dialect_audit_read, "op=SA-notfound src=192.0.2.1 dst=198.51.100.7 spi=3076621886(0xb761", DIALECT_MORE, FACT_STRAY, "192.0.2.1",
		"198.51.100.7", 0, 0, 0, 0, 0, 0, "expected )" },
	{ dialect_audit_read, "op=SA-notfound src=192.0", DIALECT_MORE, FACT_STRAY, "?", "?", 0, 0, 0, 0, 0, 0, "expected src" },
	{ dialect_audit_read, "op=SA-notfound src=A dst=B spi=D(0xH) seqno=N", DIALECT_BAD, FACT_STRAY, "?", "?", 0, 0, 0, 0, 0, MASKED,
		"a template" },
	{ dialect_audit_read, "op=SA-icv-failure src=192.0.2.1 dst=198.51.100.7 spi=17(0x11) seqno=9", DIALECT_READ, FACT_INTEGRITY,
		"192.0.2.1", "198.51.100.7", 0, 3, 0x11, 0, 9, 0, NULL },
	{ dialect_audit_read, "op=SA-replayed-pkt src=192.0.2.1 dst=198.51.100.7 spi=17(0x11) seqno=9", DIALECT_READ, FACT_REPLAY,
		"192.0.2.1", "198.51.100.7", 0, 3, 0x11, 0, 9, 0, NULL },
	{ dialect_audit_read, "op=SAD-add auid=0 ses=1 src=192.0.2.1 dst=198.51.100.7 spi=17(0x11) res=1", DIALECT_READ, FACT_SA_BORN,
		"192.0.2.1", "198.51.100.7", 0, FACT_HAS_SPI, 0x11, 0, 0, 0, NULL },
	{ dialect_audit_read, "op=SAD-add auid=0 ses=1 src=192.0.2.1 dst=198.51.100.7 spi=17(0x11) res=0", DIALECT_NOT_MINE, FACT_NONE, "?",
		"?", 0, 0, 0, 0, 0, 0, NULL },
	{ dialect_audit_read, "op=SPD-add auid=0 src=192.0.2.1 dst=198.51.100.7", DIALECT_NOT_MINE, FACT_NONE, "?", "?", 0, 0, 0, 0, 0, 0,
		NULL },
	/* charon */
	{ dialect_strongswan_read,
		"charon[61694]: 06[IKE] <net|490> CHILD_SA net{1} established with SPIs c1234567_i cabcdef0_o and TS 10.0.0.0/24 === 10.1.0.0/24",
		DIALECT_READ, FACT_SA_BORN, "?", "?", 50, FACT_HAS_SPI | FACT_HAS_SPI_OUT, 0xc1234567, 0xcabcdef0, 0, 0, NULL },
	{ dialect_strongswan_read, "charon-systemd[7]: 10[IKE] inbound CHILD_SA net{3} established with SPIs cd159185_i c5c4a85f_o and TS x",
		DIALECT_READ, FACT_SA_BORN, "?", "?", 50, FACT_HAS_SPI | FACT_HAS_SPI_OUT, 0xcd159185, 0xc5c4a85f, 0, 0, NULL },
	{ dialect_strongswan_read, "charon: 06[IKE] closing CHILD_SA net{1} with SPIs c1234567_i (168 bytes) cabcdef0_o (0 bytes) and TS x",
		DIALECT_READ, FACT_SA_DIED, "?", "?", 0, FACT_HAS_SPI | FACT_HAS_SPI_OUT, 0xc1234567, 0xcabcdef0, 0, 0, NULL },
	{ dialect_strongswan_read, "closing expired CHILD_SA net{1} with SPIs c1234567_i cabcdef0_o and TS x", DIALECT_READ, FACT_SA_DIED,
		"?", "?", 0, FACT_HAS_SPI | FACT_HAS_SPI_OUT, 0xc1234567, 0xcabcdef0, 0, 0, NULL },
	{ dialect_strongswan_read, "rekeyed CHILD_SA net{1} with SPIs c1234567_i cabcdef0_o with net{3} with SPIs c1_i c2_o", DIALECT_READ,
		FACT_SA_DIED, "?", "?", 0, FACT_HAS_SPI | FACT_HAS_SPI_OUT, 0xc1234567, 0xcabcdef0, 0, 0, NULL },
	{ dialect_strongswan_read, "06[IKE] received DELETE for ESP CHILD_SA with SPI cafebabe", DIALECT_READ, FACT_SA_DIED, "?", "?", 50,
		FACT_HAS_SPI_OUT, 0, 0xcafebabe, 0, 0, NULL },
	{ dialect_strongswan_read, "06[IKE] sending DELETE for ESP CHILD_SA with SPI cafebabe", DIALECT_READ, FACT_SA_DIED, "?", "?", 50,
		FACT_HAS_SPI, 0xcafebabe, 0, 0, 0, NULL },
	{ dialect_strongswan_read, "06[IKE] received DELETE for unknown ESP CHILD_SA with SPI cafebabe", DIALECT_READ, FACT_DELETE_UNKNOWN,
		"?", "?", 50, FACT_HAS_SPI_OUT, 0, 0xcafebabe, 0, 0, NULL },
	{ dialect_strongswan_read, "peer didn't find the CHILD_SA we tried to rekey", DIALECT_READ, FACT_CHILD_NOT_FOUND, "?", "?", 0, 0, 0,
		0, 0, 0, NULL },
	{ dialect_strongswan_read, "CHILD_SA host-host{34850} state change: INSTALLED => REKEYING", DIALECT_READ, FACT_REKEY, "?", "?", 0,
		0, 0, 0, 0, 0, NULL },
	{ dialect_strongswan_read, "CHILD_SA host-host{34850} state change: CREATED => INSTALLING", DIALECT_NOT_MINE, FACT_NONE, "?", "?", 0,
		0, 0, 0, 0, 0, NULL },
	{ dialect_strongswan_read, "parsed CREATE_CHILD_SA response 0 [ N(TEMP_FAIL) ]", DIALECT_READ, FACT_REKEY_COLLISION, "?", "?", 0, 0,
		0, 0, 0, 0, NULL },
	{ dialect_strongswan_read, "received TEMPORARY_FAILURE notify, will retry later", DIALECT_READ, FACT_REKEY_COLLISION, "?", "?", 0, 0,
		0, 0, 0, 0, NULL },
	{ dialect_strongswan_read, "06[IKE] detected CHILD_REKEY collision with CHILD_DELETE", DIALECT_READ, FACT_REKEY_COLLISION, "?", "?", 0,
		0, 0, 0, 0, 0, NULL },
	{ dialect_strongswan_read, "09[ENC] <a|1> parsed INFORMATIONAL request 3 [ N(INVAL_SPI) ]", DIALECT_READ, FACT_INVALID_SPI_NOTIFY,
		"?", "?", 0, 0, 0, 0, 0, 0, NULL },
	{ dialect_strongswan_read, "09[ENC] <a|1> parsed INFORMATIONAL response 3 [ N(INVAL_SYN) ]", DIALECT_READ, FACT_INVALID_SYNTAX, "?",
		"?", 0, 0, 0, 0, 0, 0, NULL },
	{ dialect_strongswan_read, "generating IKE_AUTH request 1 [ IDi N(INIT_CONTACT) AUTH SA ]", DIALECT_NOT_MINE, FACT_NONE, "?", "?", 0,
		0, 0, 0, 0, 0, NULL },
	{ dialect_strongswan_read, "destroying duplicate IKE_SA for peer 'C=XX, CN=a', received INITIAL_CONTACT", DIALECT_READ,
		FACT_INITIAL_CONTACT, "?", "?", 0, 0, 0, 0, 0, 0, NULL },
	{ dialect_strongswan_read, "08[IKE] <a|1> deleting IKE_SA a[1] between 198.51.100.7[gw]...192.0.2.1[CN=b]", DIALECT_READ,
		FACT_TUNNEL_DOWN, "192.0.2.1", "198.51.100.7", 0, 0, 0, 0, 0, 0, NULL },
	{ dialect_strongswan_read, "IKE_SA a[1] established between 2001:db8::7[gw]...2001:db8::1[CN=b]", DIALECT_READ, FACT_TUNNEL_UP,
		"2001:db8::1", "2001:db8::7", 0, 0, 0, 0, 0, 0, NULL },
	{ dialect_strongswan_read, "giving up after 5 retransmits", DIALECT_READ, FACT_DPD_DEAD, "?", "?", 0, 0, 0, 0, 0, 0, NULL },
	{ dialect_strongswan_read, "querying SAD entry with SPI c1234567 (mark 1/0xffffffff) failed: No such process (3)", DIALECT_READ,
		FACT_KERNEL_LOST, "?", "?", 0, FACT_HAS_SPI, 0xc1234567, 0, 0, 0, NULL },
	{ dialect_strongswan_read, "querying SAD entry with SPI c1234567", DIALECT_NOT_MINE, FACT_NONE, "?", "?", 0, 0, 0, 0, 0, 0, NULL },
	{ dialect_strongswan_read, "06[NET] received unsupported IKE version 13.5 from 192.0.2.1, sending INVALID_MAJOR_VERSION", DIALECT_READ,
		FACT_NOT_IPSEC, "192.0.2.1", "?", 0, 0, 0, 0, 0, NAT, NULL },
	{ dialect_strongswan_read, "00[DMN] Starting IKE charon daemon (strongSwan 5.9.8, Linux 6.1.0, x86_64)", DIALECT_READ,
		FACT_IKE_STARTED, "?", "?", 0, 0, 0, 0, 0, 0, NULL },
	{ dialect_strongswan_read, "06[ESP] inbound ESP packet does not belong to an installed SA", DIALECT_READ, FACT_STRAY, "?", "?", 50, 0,
		0, 0, 0, 0, NULL },
	{ dialect_strongswan_read, "06[ESP] parsed ESP header with SPI a209d483 [seq 1]", DIALECT_NOT_MINE, FACT_NONE, "?", "?", 50, 3,
		0xa209d483, 0, 1, 0, NULL },
	{ dialect_strongswan_read, "charon[61694]: 06[ENC] <490> parsed IKE_SA_INIT request 0 [ SA KE No N(NATD_S_IP) ]", DIALECT_NOT_MINE,
		FACT_NONE, "?", "?", 0, 0, 0, 0, 0, 0, NULL },
	/* pluto */
	{ dialect_libreswan_read,
		"pluto[123]: \"conn\"[1] 192.0.2.1 #36: IPsec SA established tunnel mode {ESP=>0xae76fd3b <0x12345678 xfrm=AES_CBC_256 "
		"NATD=none DPD=active}",
		DIALECT_READ, FACT_SA_BORN, "192.0.2.1", "?", 50, FACT_HAS_SPI | FACT_HAS_SPI_OUT, 0x12345678, 0xae76fd3b, 0, 0, NULL },
	{ dialect_libreswan_read,
		"\"a/0x1\"[2] 192.0.2.1 #2: responder established Child SA using #1; IPsec tunnel [10.0.0.0/24===10.1.0.0/24] "
		"{ESPinUDP/ESN=>0xc2bd61cd <0x2d1fab6f xfrm=AES}",
		DIALECT_READ, FACT_SA_BORN, "192.0.2.1", "?", 50, FACT_HAS_SPI | FACT_HAS_SPI_OUT, 0x2d1fab6f, 0xc2bd61cd, 0, NAT, NULL },
	{ dialect_libreswan_read,
		"pluto[7]: \"p#192.0.2.0/24\"[9] ...192.0.2.3 #34: sent IKE_AUTH request to 192.0.2.3:UDP/500; Child SA #36 {ESP <0xae76fd3b}",
		DIALECT_READ, FACT_SA_BORN, "192.0.2.3", "?", 50, FACT_HAS_SPI, 0xae76fd3b, 0, 0, 0, NULL },
	{ dialect_libreswan_read, "pluto[7]: \"c\" #27: received Delete SA(0xf2cdd2ca) payload: deleting IPSEC State #29", DIALECT_READ,
		FACT_SA_DIED, "?", "?", 0, FACT_HAS_SPI_OUT, 0, 0xf2cdd2ca, 0, 0, NULL },
	{ dialect_libreswan_read, "pluto[7]: \"c\" #27: received Delete SA payload: replace IPSEC State #29 in 10 seconds", DIALECT_READ,
		FACT_SA_DIED, "?", "?", 0, 0, 0, 0, 0, 0, NULL },
	{ dialect_libreswan_read, "\"c\" #1: ignoring Delete SA payload: PROTO_IPSEC_ESP SA(0x5a29f260) not found (maybe expired)",
		DIALECT_READ, FACT_DELETE_UNKNOWN, "?", "?", 0, FACT_HAS_SPI_OUT, 0, 0x5a29f260, 0, 0, NULL },
	{ dialect_libreswan_read, "\"c\"[2] 192.0.2.1 #1: DPD: No response from peer - declaring peer dead", DIALECT_READ, FACT_DPD_DEAD,
		"192.0.2.1", "?", 0, 0, 0, 0, 0, 0, NULL },
	{ dialect_libreswan_read, "pluto[7]: packet from 192.0.2.1:500: INFORMATIONAL request has no corresponding IKE SA; message dropped",
		DIALECT_READ, FACT_NO_IKE_SA, "192.0.2.1", "?", 0, 0, 0, 0, 0, 0, NULL },
	{ dialect_libreswan_read,
		"003 \"c\" #2: ERROR: netlink response for Del SA esp.c1234567@198.51.100.7 included errno 3: No such process", DIALECT_READ,
		FACT_KERNEL_LOST, "?", "198.51.100.7", 0, FACT_HAS_SPI, 0xc1234567, 0, 0, 0, NULL },
	{ dialect_libreswan_read, "\"key\": \"INVALID_SPI\"", DIALECT_NOT_MINE, FACT_NONE, "?", "?", 0, 0, 0, 0, 0, 0, NULL },
};

static void check_address(const struct spimend_address *a, const char *want, const char *row)
{
	char got[SPIMEND_ADDRESS_TEXT_MAX];

	spimend_address_print(a, got);
	if (!want || strcmp(got, want) != 0)
		fail_msg("%s: address %s, expected %s", row, got, want ? want : "one to compare with");
}

/* The text is copied to a block of exactly its size: the sanitizer sees every byte read beyond it. */
static enum dialect_result read_exact(dialect_read *reader, const char *text, size_t len, struct reading *ret,
				      char **ret_copy)
{
	char *copy = malloc(len ? len : 1);

	assert_non_null(copy);
	memcpy(copy, text, len);
	*ret_copy = copy;
	return reader((struct text){ copy, len }, ret);
}

static bool row_holds(const struct expected *row)
{
	struct reading r;
	char *copy, src[SPIMEND_ADDRESS_TEXT_MAX], dst[SPIMEND_ADDRESS_TEXT_MAX];
	enum dialect_result result = read_exact(row->read, row->text, strlen(row->text), &r, &copy);
	bool holds = result == row->result && r.failure.offset <= strlen(row->text);

	spimend_address_print(&r.fact.src, src);
	spimend_address_print(&r.fact.dst, dst);
	if (result == DIALECT_READ || r.fact.has)
		holds = holds && r.fact.kind == row->kind && strcmp(src, row->src) == 0 && strcmp(dst, row->dst) == 0 &&
			r.fact.protocol == row->protocol && r.fact.has == row->has && r.fact.spi.value == row->spi &&
			r.fact.spi_out.value == row->spi_out && r.fact.sequence == row->sequence && r.fact.flags == row->flags;
	if (result == DIALECT_READ)
		holds = holds && r.used > 0 && r.used <= strlen(row->text);
	if (row->failure)
		holds = holds && r.failure.reason && strstr(r.failure.reason, row->failure);
	if (!holds)
		print_error("%s\n  result %d kind %s src %s dst %s protocol %d has %x spi %x out %x seq %llx flags %x used %zu: %s at %zu\n",
			row->text, result, fact_kind_name(r.fact.kind), src, dst, r.fact.protocol, r.fact.has, r.fact.spi.value,
			r.fact.spi_out.value, (unsigned long long)r.fact.sequence, r.fact.flags, r.used,
			r.failure.reason ? r.failure.reason : "-", r.failure.offset);
	free(copy);
	return holds;
}

static void reads_every_form(void **state)
{
	bool all = true;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		all = row_holds(&rows[i]) && all;
	assert_true(all);
}

/* Cut anywhere, a line is never read past its end, and never read as another SPI or address than it names. */
static void survives_every_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct expected *row = &rows[i];
		bool fixed_form = row->read == dialect_asa_read || row->read == dialect_audit_read;

		for (size_t len = 0; len < strlen(row->text); len++) {
			struct reading r;
			char *copy;
			enum dialect_result result = read_exact(row->read, row->text, len, &r, &copy);

			assert_true(result != DIALECT_READ || (r.used > 0 && r.used <= len));
			assert_true(r.failure.offset <= len);
			/* These end in words or in marks behind the SPI. */
			if (fixed_form && row->result == DIALECT_READ && row->kind == FACT_STRAY && result != DIALECT_BAD &&
				(r.fact.has & FACT_HAS_SPI) && r.fact.spi.value != row->spi)
				fail_msg("%.*s: spi %x", (int)len, row->text, r.fact.spi.value);
			free(copy);
		}
	}
}

static void reads_own_time(void **state)
{
	struct reading r;
	struct text t = TEXT("date=2022-09-08 time=16:29:21 eventtime=1662679761670200983 tz='-0700' logid='0101037131' "
		"error_num='Received ESP packet with unknown SPI.' devname=\"fw-1\" spi='3a4e6946'");

	(void)state;
	assert_int_equal(dialect_fortigate_read(t, &r), DIALECT_READ);
	assert_true(r.has_own_time && r.own_time_has_zone);
	assert_int_equal(r.own_time.hour, 16);
	assert_int_equal(r.own_time.offset_minutes, -420);
	assert_int_equal(r.own_time.nanosecond, 670200983);
	assert_true(text_equal(r.own_host, TEXT("fw-1")));

	/* no tz: eventtime in seconds tells it */
	t = TEXT("date=2019-07-17 time=21:43:17 logid=0101037131 error_num=\"Received ESP packet with unknown SPI.\" eventtime=1563414197");
	assert_int_equal(dialect_fortigate_read(t, &r), DIALECT_READ);
	assert_true(r.own_time_has_zone);
	assert_int_equal(r.own_time.offset_minutes, -240);

	/* neither */
	t = TEXT("date=2019-07-17 time=21:43:17 logid=0101037131 error_num=\"Received ESP packet with unknown SPI.\"");
	assert_int_equal(dialect_fortigate_read(t, &r), DIALECT_READ);
	assert_true(r.has_own_time && !r.own_time_has_zone);

	t = TEXT("node=gw1 type=MAC_IPSEC_EVENT msg=audit(1767225600.250:45): op=SA-notfound src=192.0.2.1 dst=198.51.100.7");
	assert_int_equal(dialect_audit_read(t, &r), DIALECT_READ);
	assert_true(r.has_own_time && r.own_time_has_zone);
	assert_int_equal(r.own_time.year, 2026);
	assert_int_equal(r.own_time.nanosecond, 250000000);
	assert_true(text_equal(r.own_host, TEXT("gw1")));
}

static void stops_at_the_end_of_the_message(void **state)
{
	struct text first = TEXT("%ASA-4-402114: IPSEC: Received an ESP packet (SPI= 0x1A2B3C4D, sequence number= 0x2D) from 192.0.2.1 to "
		"198.51.100.7 with an invalid SPI. Jan 2 03:04:05: %ASA-4-402114: IPSEC: Received");
	struct text two = TEXT("logid=1 error_num='unknown SPI' spi=1a2b3c4d date=2026-01-02 logid=2");
	struct reading r;

	(void)state;
	assert_int_equal(dialect_asa_read(first, &r), DIALECT_READ);
	assert_true(text_starts(text_skip(first, r.used), TEXT(" Jan 2")));
	assert_int_equal(dialect_fortigate_read(two, &r), DIALECT_READ);
	assert_true(r.used < two.len);
}

static void reads_addresses(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "192.0.2.1", "192.0.2.1" }, { "192.0.2.1:4500", "192.0.2.1" }, { "192.0.2.1[500]", "192.0.2.1" },
		{ "192.0.2.1#500", "192.0.2.1" }, { "192.0.2.1/4500", "192.0.2.1" }, { " 192.0.2.1 ", "192.0.2.1" },
		{ "[192.0.2.1]", "192.0.2.1" }, { "<192.0.2.1>", "192.0.2.1" }, { "\"192.0.2.1\"", "192.0.2.1" },
		{ "2001:db8::1", "2001:db8::1" }, { "[2001:db8::1]:500", "2001:db8::1" }, { "2001:db8::1[500]", "2001:db8::1" },
		{ "fe80::1%eth0", "fe80::1" }, { "x.x.x.x", "?" }, { "", "?" }, { "x.x.x.175", "?" }, { "192.0.2", "?" },
		{ "192.0.2.1:http", "?" }, { "[IP_address]", "?" }, { "192.0.2.256", "?" }, { "[", "?" }, { "<", "?" }, { "\"", "?" },
		{ "...", "?" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t flags = 0;
		struct spimend_address a = dialect_address(text_of(cases[i].text), &flags);

		check_address(&a, cases[i].want, cases[i].text);
		assert_int_equal(flags, strcmp(cases[i].want, "?") == 0 ? FLAG_ADDRESS_MASKED : 0);
	}
}

/* Where the project's corpus lies beside the tree, every row goes through every reader. */
static void survives_the_corpus(void **state)
{
	static dialect_read *const readers[] = { dialect_asa_read, dialect_fortigate_read, dialect_screenos_read,
		dialect_checkpoint_read, dialect_versa_read, dialect_zyxel_read, dialect_nortel_read, dialect_audit_read,
		dialect_strongswan_read, dialect_libreswan_read };
	const char *path = getenv("SPIMEND_CORPUS");
	char name[512], *line = NULL;
	size_t room = 0, rows_read = 0;
	ssize_t len;
	FILE *file;

	(void)state;
	snprintf(name, sizeof(name), "%s/syslog.tsv", path ? path : "../shared/corpus");
	file = fopen(name, "r");
	if (!file)
		skip();
	while ((len = getline(&line, &room, file)) > 0) {
		for (size_t from = 0; from < (size_t)len; from++) {
			if (from && line[from - 1] != '\t' && line[from - 1] != ' ')
				continue;
			for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
				struct reading r;
				char *copy;
				enum dialect_result result = read_exact(readers[i], line + from, (size_t)len - from, &r, &copy);

				assert_true(result != DIALECT_READ || (r.used > 0 && r.used <= (size_t)len - from));
				rows_read += from && line[from - 1] == '\t' && result == DIALECT_READ;
				free(copy);
			}
		}
	}
	free(line);
	fclose(file);
	assert_true(rows_read >= 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_form),
		cmocka_unit_test(survives_every_cut),
		cmocka_unit_test(reads_own_time),
		cmocka_unit_test(stops_at_the_end_of_the_message),
		cmocka_unit_test(reads_addresses),
		cmocka_unit_test(survives_the_corpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
