/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "parse/device_output.h"

#define KEPT_MAX 32

struct run {
	struct saved_record records[KEPT_MAX];
	size_t count, troubles, begun, ended, cut;
	enum saved_output output;
	struct saved_filter filter;
	char said[KEPT_MAX][160];
	uint32_t said_line[KEPT_MAX];
	char host[DEVICE_HOST_MAX];
	struct device_counts counts;
};

static void on_begin(void *context, enum saved_output output, uint32_t line, const struct saved_filter *filter)
{
	struct run *run = context;

	(void)line;
	run->begun++;
	run->output = output;
	run->filter = *filter;
}

static void on_record(void *context, const struct saved_record *record)
{
	struct run *run = context;

	assert_true(run->begun == run->ended + 1);
	if (run->count < KEPT_MAX)
		run->records[run->count++] = *record;
}

static void on_end(void *context, enum saved_output output, bool cut)
{
	struct run *run = context;

	assert_int_equal(output, run->output);
	run->ended++;
	run->cut += cut;
}

static void on_trouble(void *context, const struct device_trouble *t)
{
	struct run *run = context;

	if (run->troubles < KEPT_MAX) {
		snprintf(run->said[run->troubles], sizeof(run->said[0]), "%s|%.*s", t->reason, TEXT_ARG(t->text));
		run->said_line[run->troubles] = t->line;
	}
	run->troubles++;
}

/* The text stands in a block of exactly its size: the sanitizer sees every byte read beyond it. */
static struct run read_bytes(const char *text, size_t len, const char *command)
{
	static const struct run none;
	struct run run = none;
	const struct device_sink sink = { &run, on_begin, on_record, on_end, on_trouble };
	struct device_output *reader;
	char *copy = malloc(len ? len : 1);

	assert_non_null(copy);
	memcpy(copy, text, len);
	assert_int_equal(device_output_new(&sink, "", &reader), 0);
	if (command)
		assert_true(device_output_command(reader, text_of(command)));
	device_output_feed(reader, (struct text){ copy, len });
	free(copy);
	device_output_end(reader, false);
	run.counts = *device_output_counts(reader);
	snprintf(run.host, sizeof(run.host), "%s", device_output_host(reader));
	assert_int_equal(run.begun, run.ended);
	/* Nothing is passed over without being counted: a prompt alone and what is told as trouble are no more than lines. */
	assert_true(run.counts.taken + run.counts.other + run.counts.foreign_host <= run.counts.lines);
	device_output_free(reader);
	return run;
}

static struct run read_text(const char *text)
{
	return read_bytes(text, strlen(text), NULL);
}

static void is_address(const struct spimend_address *a, const char *want)
{
	char got[SPIMEND_ADDRESS_TEXT_MAX];

	assert_string_equal(spimend_address_print(a, got), want);
}

static void reads_ikev2_sas_of_ios_and_asa(void **state)
{
	struct run run = read_text("r1#show crypto ikev2 sa detail\n"
		" IPv4 Crypto IKEv2  SA\n\n"
		"Tunnel-id Local                 Remote                fvrf/ivrf            Status\n"
		"3         192.0.2.1/4500        198.51.100.7/38452    none/none            READY\n"
		"      Encr: AES-CBC, keysize: 256, PRF: SHA512, Hash: SHA512, DH Grp:21, Auth sign: PSK, Auth verify: PSK\n"
		"      Life/Active Time: 86400/218 sec\n"
		"      CE id: 0, Session-id: 3\n"
		"      Local spi: 4CF87E32B25302C0       Remote spi: 96254131FD306002\n"
		"      Remote subnets:\n"
		"      10.0.0.0 255.0.0.0\n"
		"4         192.0.2.1/500         198.51.100.8/500      none/none            DELETE\n"
		" IPv6 Crypto IKEv2  SA\n\n"
		"Tunnel-id    fvrf/ivrf              Status\n"
		"1          none/none             READY\n"
		"Local  2001:DB8::1/500\n"
		"Remote  2001:DB8::2/500\n"
		"r1#\n"
		"IKEv2 SAs:\n\n"
		"Session-id:1, Status:UP-ACTIVE, IKE count:1, CHILD count:2\n\n"
		"Tunnel-id Local      Remote        Status         Role\n"
		"  3686011 192.0.2.9/500   192.0.2.8/500   READY    INITIATOR\n"
		"          ESP spi in/out: 0xbe064bdc/0x5db6eff3\n"
		"7 192.0.2.9/500\n");

	(void)state;
	assert_int_equal(run.count, 4);
	is_address(&run.records[0].ike.local, "192.0.2.1");
	is_address(&run.records[0].ike.remote, "198.51.100.7");
	assert_int_equal(run.records[0].ike.remote_port, 38452);
	assert_int_equal(run.records[0].ike.state, SAVED_IKE_UP);
	assert_true(run.records[0].ike.has_spis && run.records[0].ike.spi_local == 0x4cf87e32b25302c0);
	assert_int_equal(run.records[0].line, 5);
	assert_int_equal(run.records[1].ike.state, SAVED_IKE_DELETED);
	assert_false(run.records[1].ike.has_spis);
	is_address(&run.records[2].ike.remote, "2001:db8::2");
	assert_int_equal(run.records[3].ike.id, 3686011);
	assert_int_equal(run.troubles, 1);
	assert_int_equal(run.said_line[0], 27);
	assert_int_equal(run.counts.bad, 1);
}

static void reads_ikev1_sas(void **state)
{
	struct run run = read_text("sh cry isa sa\n"
		"IPv4 Crypto ISAKMP SA\n"
		"dst             src             state          conn-id status\n"
		"192.0.2.1       198.51.100.7    QM_IDLE          29609 ACTIVE\n"
		"192.0.2.1       198.51.100.8    MM_NO_STATE      29188 ACTIVE (deleted)\n"
		"\n"
		"C-id  Local           Remote          I-VRF  Status Encr Hash   Auth DH Lifetime Cap.\n"
		"29610 192.0.2.1       198.51.100.9     RED      ACTIVE aes  sha    psk  16 00:01:47 D\n"
		"       Engine-id:Conn-id =  SW:12609\n"
		"29611 192.0.2.1       198.51.100.10           ACTIVE aes  sha    psk  16 00:01:12 D\n"
		"IKEv1 SAs:\n"
		"   Active SA: 1\n"
		"1   IKE Peer: 198.51.100.11\n"
		"    Type    : L2L             Role    : responder\n"
		"    Rekey   : no              State   : MM_ACTIVE\n");

	(void)state;
	assert_int_equal(run.count, 5);
	assert_true(run.records[0].ike.undirected && run.records[0].ike.state == SAVED_IKE_UP);
	assert_int_equal(run.records[1].ike.state, SAVED_IKE_DELETED);
	assert_false(run.records[2].ike.undirected);
	assert_int_equal(run.records[2].ike.state, SAVED_IKE_UP);
	assert_int_equal(run.records[3].ike.state, SAVED_IKE_UP);
	is_address(&run.records[4].ike.remote, "198.51.100.11");
	assert_int_equal(run.records[4].ike.state, SAVED_IKE_UP);
	assert_int_equal(run.troubles, 0);
}

static void reads_sessions(void **state)
{
	struct run run = read_text("Crypto session current status\n\n"
		"Interface: Tunnel13\nUptime: 3d18h\nSession status: UP-ACTIVE\n"
		"Peer: 192.0.2.7 port 4500 fvrf: (none) ivrf: (none)\n"
		"  IKEv1 SA: local 192.0.2.1/4500 remote 192.0.2.7/4500 Active\n"
		"  IKEv1 SA: local 192.0.2.1/4500 remote 192.0.2.7/4500 Inactive\n"
		"  IPSEC FLOW: permit 47 host 192.0.2.1 host 192.0.2.7\n"
		"        Active SAs: 2, origin: crypto map\n"
		"  IPSEC FLOW: permit 47 host 192.0.2.1 host 192.0.2.9\n"
		"        Active SAs: 0, origin: crypto map\n"
		"Interface: Tunnel14\nSession status: UP-NO-IKE\n"
		"Peer: 2001:DB8::2 port 500\n"
		"  IKEv2 SA: local 2001:DB8::1/500\n"
		"          remote 2001:DB8::2/500 Active\n"
		"Interface: Tunnel15\nSession status: DOWN-NEGOTIATING\nPeer: nobody port 500\n");

	(void)state;
	assert_int_equal(run.count, 2);
	assert_int_equal(run.records[0].session.status, SESSION_UP_ACTIVE);
	assert_int_equal(run.records[0].session.ike_active, 1);
	assert_int_equal(run.records[0].session.flows, 2);
	assert_int_equal(run.records[0].session.flows_without_sas, 1);
	assert_int_equal(run.records[0].session.active_sas, 2);
	is_address(&run.records[0].session.local, "192.0.2.1");
	assert_int_equal(run.records[1].session.status, SESSION_UP_NO_IKE);
	assert_int_equal(run.records[1].session.ike_active, 1);
	assert_int_equal(run.troubles, 1);
}

#define LOCAL_SA_HEAD                                                                                                   \
	"                                          SOURCE           SOURCE                                  SOURCE\n"        \
	"TLOC ADDRESS     TLOC COLOR       SPI     IPv4             IPv6                                    PORT    KEY HASH\n" \
	"---------------------------------------------------------------------------------------------------------------\n"

static void reads_sdwan_rows_by_the_types_of_their_words(void **state)
{
	struct run run = read_text("e1#show sdwan ipsec local-sa\n" LOCAL_SA_HEAD
		"10.0.0.2         biz-internet     259     192.0.2.2        ::                                      12346   *****8d95\n"
		"10.0.0.2         mpls             260     0.0.0.0          2001:db8::2                             12346   *****4447\n"
		"10.0.0.2         mpls             many    192.0.2.2        ::                                      12346   *****4447\n"
		"e1#show sdwan ipsec outbound-connections\n"
		"SOURCE                                  SOURCE  DEST          DEST                        REMOTE           REMOTE\n"
		"IP                                      PORT    IP            PORT    SPI     TUNNEL MTU  TLOC ADDRESS     TLOC COLOR\n"
		"------------------------------------------------------------------------------------------------------------------\n"
		/* broken by a terminal of 80 columns */
		"192.0.2.2                                12346   192.0.2.1                      \n"
		"          12366   271     1438        10.0.0.1         biz-internet     AH_SHA1_\n"
		"HMAC   *****b384  AES-GCM-256           8\n"
		"192.0.2.2 12346 192.0.2.3 12366 272 1438 10.0.0.3 mpls AH_SHA1_HMAC *****0001 AES-GCM-256 8\n"
		"e1#\n");

	(void)state;
	assert_int_equal(run.count, 4);
	assert_int_equal(run.records[0].local_sa.spi.value, 259);
	assert_string_equal(run.records[0].local_sa.color, "biz-internet");
	assert_string_equal(run.records[0].local_sa.key, "*****8d95");
	is_address(&run.records[1].local_sa.source, "2001:db8::2");
	assert_int_equal(run.records[2].outbound.spi.value, 271);
	is_address(&run.records[2].outbound.tloc, "10.0.0.1");
	assert_string_equal(run.records[2].outbound.key, "*****b384");
	assert_int_equal(run.records[2].line, 12);
	assert_int_equal(run.records[3].outbound.spi.value, 272);
	assert_int_equal(run.counts.bad, 1);
	assert_int_equal(run.said_line[0], 7);
}

static void reads_tlocs_and_bfd(void **state)
{
	struct run run = read_text("---------------------------------------------------\n"
		"tloc entries for 10.0.0.2\n"
		"                 biz-internet\n"
		"                 ipsec\n"
		"---------------------------------------------------\n"
		"            RECEIVED FROM:\n"
		"peer            10.0.0.250\nstatus          C,I,R\n"
		"    Attributes:\n     encap-spi         365\n     public-ip         192.0.2.2\n     public-ip         ::\n"
		"     version           3\n"
		"            RECEIVED FROM:\n"
		"peer            0.0.0.0\n     encap-spi         366\n"
		"SRC IP       DST IP           PROTO  PORT   PORT   SYSTEM IP      ID     COLOR     COLOR     STATE  INTERVAL\n"
		"----------------------------------------------------------------------------------------------------------------------\n"
		"192.0.2.1    192.0.2.2        ipsec  12346  12366  10.0.0.2       65222  gold      silver    down   7     1000   NA   0\n"
		"SYSTEM IP        SITE ID  STATE       COLOR            COLOR            SOURCE IP        IP               PORT  UPTIME\n"
		"----------------------------------------------------------------------------------------------------------------------\n"
		"10.0.0.3         300      up          mpls             mpls             192.0.2.1        192.0.2.3        12346 ipsec\n");

	(void)state;
	assert_int_equal(run.count, 4);
	assert_int_equal(run.records[0].tloc.spi.value, 365);
	is_address(&run.records[0].tloc.public, "192.0.2.2");
	assert_false(run.records[0].tloc.own);
	assert_true(run.records[1].tloc.own && run.records[1].tloc.spi.value == 366);
	assert_string_equal(run.records[1].tloc.color, "biz-internet");
	assert_false(run.records[2].bfd.up);
	assert_string_equal(run.records[2].bfd.color, "silver");
	assert_true(run.records[3].bfd.up);
	is_address(&run.records[3].bfd.destination, "192.0.2.3");
	assert_int_equal(run.troubles, 0);
}

static void reads_controllers_and_addresses(void **state)
{
	struct run run = read_text(
		"PEER    PEER PEER            SITE       DOMAIN PEER             PRIV  PEER             PUB                     GROUP\n"
		"TYPE    PROT SYSTEM IP       ID         ID     PRIVATE IP       PORT  PUBLIC IP        PORT  ORGANIZATION  LOCAL COLOR PROXY "
		"STATE UPTIME      ID\n"
		"-------------------------------------------------------------------------------------------------------------------\n"
		"vsmart  dtls 10.0.0.250      102        1      10.0.2.71        12346 192.0.2.9        12346 A network - 7 gold        No    "
		"up     110:18:17:060\n"
		"vbond   dtls 0.0.0.0         0          0      192.0.2.8        12346 192.0.2.8        12346 A network - 7 biz-internet -    "
		"connect                0\n"
		"vmanage dtls 10.0.0.248      100        0      10.0.2.70        12346\n\n"
		"hub#show sdwan omp peers\n"
		"R -> routes received\nI -> routes installed\nS -> routes sent\n\n"
		"    PEER TYPE ID ID ID STATE UPTIME R/I/S\n"
		"    ------------------------------------------------------------------------------------------\n"
		"    10.0.0.250 vsmart 1 1 4 up 6:13:57:28 4/0/4\n"
		"    10.0.0.251 vsmart 1 1 4 down 0/0/0\n"
		"hub#show ip int br\n"
		"Interface              IP-Address      OK? Method Status                Protocol\n"
		"GigabitEthernet1       192.0.2.1       YES NVRAM  up                    up\n"
		"Tunnel1                unassigned      YES unset  administratively down down\n"
		"Tunnel2                192.0.2.999     YES unset  up                    up\n"
		"Loopback0              10.0.0.1        YES NVRAM  administratively down down\n");

	(void)state;
	assert_int_equal(run.count, 6);
	assert_string_equal(run.records[0].control.color, "gold");
	assert_true(run.records[0].control.up);
	is_address(&run.records[0].control.system, "10.0.0.250");
	assert_string_equal(run.records[1].control.color, "biz-internet");
	assert_false(run.records[1].control.up);
	assert_true(run.records[2].omp_peer.up && !run.records[3].omp_peer.up);
	is_address(&run.records[3].omp_peer.peer, "10.0.0.251");
	assert_string_equal(run.records[4].interface.name, "GigabitEthernet1");
	is_address(&run.records[4].interface.address, "192.0.2.1");
	assert_true(run.records[4].interface.up && !run.records[5].interface.up);
	assert_int_equal(run.troubles, 2); /* vmanage's row, and an address that is none */
}

/* A sample's attributes, shortened: what is not the site is of no use, and a token is a secret. */
static void reads_the_site_of_an_sdwan_router(void **state)
{
	struct run run = read_text("hub#show sdwan control local-properties\n"
		"personality                       vedge\nsp-organization-name              A network\n\n"
		"site-id                           21\ndomain-id                         1\nsystem-ip                         10.2.1.1\n"
		"token                             hunter2\nnumber-active-wan-interfaces      2\n\n"
		" NAT TYPE: E -- indicates End-point independent mapping\n\n"
		"INTERFACE                IPv4            PORT   IPv4            IPv6    PORT    VS/VM COLOR STATE\n----------\n"
		"GigabitEthernet0/0/4     192.0.2.1       12386  192.0.2.1       ::      12386    4/1  mpls  up\n"
		"hub#show control local-properties\nsite-id                           0\n"
		"hub#show sdwan control local-properties\nsite-id                           4294967295\n"
		"hub#show sdwan control local-properties\nsite-id                           twenty\n");

	(void)state;
	assert_int_equal(run.count, 2);
	assert_int_equal(run.records[0].kind, SAVED_EDGE);
	assert_int_equal(run.records[0].edge.site, 21);
	assert_int_equal(run.records[1].edge.site, 4294967295u);
	assert_int_equal(run.troubles, 1); /* a word in the site's place */
}

static void reads_a_routers_own_memory(void **state)
{
	struct run run = read_text("Active SPI table\n     SPI Prot Local Address            Type\n"
		"  Handle VRF  Remote Address           IDB\n"
		"  3A4AAE22 ipsec 192.0.2.1 type\n  40003352 0 198.51.100.7 566\n\n"
		"Transient SPI table\n     SPI   HANDLE R Time created\n3F5EE32D 400033A5 0 356\n"
		"*Apr  4 00:10:51.826: IPSEC-EVENT:IPSEC-DELETE-SA:  sa delete : (sa) sa_dest = 192.0.2.1, sa_proto = 50, sa_spi = "
		"0xB820B40F(3089150991), sa_trans = esp-aes\n"
		"*Apr  4 00:10:51.826: IPSEC-EVENT:IPSEC-DELETE-SA:  sa delete : (sa),  loc: 192.0.2.1, rem: 192.0.2.2\n"
		"*Apr  4 00:10:52.826: IPSEC-EVENT:IPSEC-CREATE-SA:  sa create : (sa) sa_dest= 192.0.2.1, sa_proto= 50, sa_spi= nothing\n"
		"Drop Type  Name                                     Packets\n"
		"        4  IN_US_V4_PKT_SA_NOT_FOUND_SPI                             231\n"
		"       11  SOMETHING_ELSE                                              1\n"
		"Frame drop:\n  Invalid SPI (np-sp-invalid-spi)                                              7\n");

	(void)state;
	assert_int_equal(run.count, 5);
	assert_int_equal(run.records[0].spi.spi.value, 0x3a4aae22);
	is_address(&run.records[0].spi.remote, "198.51.100.7");
	assert_true(run.records[1].spi.transient && !run.records[0].spi.transient);
	assert_true(run.records[2].trace.deleted && run.records[2].trace.spi.value == 0xb820b40f);
	assert_int_equal(run.records[3].drop.packets, 231);
	assert_string_equal(run.records[3].drop.name, "IN_US_V4_PKT_SA_NOT_FOUND_SPI");
	assert_string_equal(run.records[4].drop.name, "np-sp-invalid-spi");
	assert_int_equal(run.records[4].drop.kind, DROP_NO_SA);
	assert_int_equal(run.troubles, 1);
}

#define PRETTY                                                                                    \
	"gw: #1, ESTABLISHED, IKEv2, db2d622760866450_i* b1f499ef8869fc2b_r\n"                    \
	"  local  'A' @ 192.0.2.1[4500]\n"                                                        \
	"  remote 'x' @ 203.0.113.99[1]' @ 192.0.2.2[4501]\n"                                     \
	"  AES_CBC-128/HMAC_SHA2_256_128/PRF_HMAC_SHA2_256/ECP_256\n"                             \
	"  established 0s ago, rekeying in 13404s\n"                                              \
	"  lan1: #3, reqid 1, INSTALLED, TUNNEL-in-UDP, ESP:AES_CBC-128/HMAC_SHA2_256_128\n"      \
	"    installed 0s ago, rekeying in 3402s, expires in 3960s\n"                             \
	"    in  0d2aaf2b (-|0x00000042),     84 bytes,     1 packets,     0s ago\n"              \
	"    out dcbbcc58 (-|0x00000042),    840 bytes,    10 packets,     0s ago\n"              \
	"    local  10.1.1.0/24 10.9.0.0/16\n"                                                    \
	"    remote 10.2.1.0/24[udp/500]\n"                                                       \
	"  lan2: #4, reqid 2, REKEYED, TUNNEL, AH:HMAC_SHA2_256_128\n"                            \
	"    in  e699661f,      0 bytes,     0 packets\n"                                         \
	"    out 7951c2ac,      0 bytes,     0 packets\n"

static void reads_swanctl(void **state)
{
	struct run run = read_text(PRETTY);
	const struct sa_block *b = &run.records[1].flow;

	(void)state;
	assert_int_equal(run.count, 3);
	assert_int_equal(run.records[0].kind, SAVED_IKE);
	assert_true(run.records[0].ike.spi_local == 0xdb2d622760866450 && run.records[0].ike.spi_remote == 0xb1f499ef8869fc2b);
	/* an identity with an address in it fools nobody */
	is_address(&run.records[0].ike.remote, "192.0.2.2");
	assert_string_equal(b->child, "lan1");
	assert_true(b->encap_udp && b->whole && !b->settling && b->has_counters && b->has_lifetime);
	assert_int_equal(b->child_id, 3);
	assert_int_equal(b->ike_id, 1);
	assert_int_equal(b->inbound[0].value, 0x0d2aaf2b);
	assert_int_equal(b->outbound[0].value, 0xdcbbcc58);
	assert_int_equal(b->encaps, 10);
	assert_int_equal(b->lifetime_s, 3960);
	is_address(&b->remote_ident.address, "10.2.1.0");
	assert_int_equal(b->remote_ident.prefix, 24);
	assert_true(run.records[2].flow.settling && run.records[2].flow.inbound_ah && !run.records[2].flow.encap_udp);
	assert_int_equal(run.troubles, 0);
}

static void reads_swanctl_raw_on_one_line_or_many(void **state)
{
	static const char *const texts[] = {
		"list-sa event {gw {uniqueid=1 version=2 state=ESTABLISHED local-host=192.0.2.1 local-port=4500 local-id=A "
		"remote-host=192.0.2.2 remote-port=4501 remote-id=C=CH, CN=x local-host=9.9.9.9 initiator=yes "
		"initiator-spi=db2d622760866450 responder-spi=b1f499ef8869fc2b child-sas {lan1-3 {name=lan1 uniqueid=3 reqid=1 "
		"state=INSTALLED mode=TUNNEL protocol=ESP encap=yes spi-in=0d2aaf2b spi-out=dcbbcc58 packets-in=1 packets-out=10 "
		"life-time=3960 local-ts=[10.1.1.0/24] remote-ts=[10.2.1.0/24]}}}}\nlist-sas reply {}\n",
		"list-sa event {\n  gw {\n    uniqueid = 1\n    version = 2\n    state = ESTABLISHED\n    local-host = 192.0.2.1\n"
		"    remote-host = 192.0.2.2\n    remote-port = 4501\n    initiator = yes\n    initiator-spi = db2d622760866450\n"
		"    responder-spi = b1f499ef8869fc2b\n    child-sas {\n      lan1-3 {\n        name = lan1\n        uniqueid = 3\n"
		"        state = INSTALLED\n        protocol = ESP\n        encap = yes\n        spi-in = 0d2aaf2b\n"
		"        spi-out = dcbbcc58\n        packets-in = 1\n        packets-out = 10\n        life-time = 3960\n"
		"        local-ts = [\n          10.1.1.0/24\n        ]\n        remote-ts = [\n          10.2.1.0/24\n        ]\n"
		"      }\n    }\n  }\n}\nlist-sas reply {\n}\n",
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct run run = read_text(texts[i]);
		const struct sa_block *b = &run.records[0].flow;

		assert_int_equal(run.count, 2);
		assert_int_equal(run.records[0].kind, SAVED_FLOW);
		assert_string_equal(b->child, "lan1");
		assert_int_equal(b->child_id, 3);
		assert_true(b->encap_udp && b->whole && !b->settling);
		assert_int_equal(b->inbound[0].value, 0x0d2aaf2b);
		assert_int_equal(b->encaps, 10);
		is_address(&b->local, "192.0.2.1");
		is_address(&b->remote_ident.address, "10.2.1.0");
		assert_true(run.records[1].ike.spi_local == 0xdb2d622760866450);
		assert_int_equal(run.records[1].ike.state, SAVED_IKE_UP);
		assert_false(run.records[1].ike.undirected);
	}
}

static void reads_states_and_never_their_keys(void **state)
{
	static const char text[] = "root@gw:~# ip -s xfrm state\n"
		"src 192.0.2.1 dst 192.0.2.2\n"
		"\tproto esp spi 0xc1a2b3c4(3248665540) reqid 1(0x00000001) mode tunnel\n"
		"\treplay-window 0 seq 0x00000000 flag af-unspec (0x00100000)\n"
		"\tmark 0x2a/0xffffffff\n"
		"\tauth-trunc hmac(sha256) 0x5ec2e75ec2e75ec2e7 (256 bits) 128\n"
		"\tenc cbc(aes) 0x5ec2e75ec2e75ec2e7 (128 bits)\n"
		"\tencap type espinudp sport 4500 dport 4500 addr 0.0.0.0\n"
		"\tanti-replay context: seq 0x0, oseq 0xa, bitmap 0x00000000\n"
		"\tlifetime config:\n\t  limit: soft (INF)(bytes), hard (INF)(bytes)\n"
		"\tlifetime current:\n\t  840(bytes), 10(packets)\n\t  add 2026-11-20 10:00:00 use 2026-11-20 10:00:01\n"
		"src 192.0.2.2 dst 192.0.2.1\n"
		"\tproto esp spi 0x0000beef reqid 1 mode tunnel\n"
		"\tdir in\n"
		"src 192.0.2.3 dst 192.0.2.1\n"
		"\tproto esp spi nonsense reqid 1 mode tunnel\n"
		"\tsomething new 0x5ec2e75ec2e7\n"
		"\tsomething newer 0x5ec2e75ec2e7\n"
		"src 192.0.2.4 dst 192.0.2.1\n"
		"\tproto esp spi 0x00000000 reqid 0 mode tunnel\n";
	struct run run = read_text(text);

	(void)state;
	assert_string_equal(run.host, "gw");
	assert_int_equal(run.count, 2);
	assert_int_equal(run.records[0].state.spi.value, 0xc1a2b3c4);
	assert_true(run.records[0].state.encap_udp && run.records[0].state.has_mark && run.records[0].state.out_hint);
	assert_int_equal(run.records[0].state.mark, 0x2a);
	assert_int_equal(run.records[0].state.packets, 10);
	assert_true(run.records[1].state.in_hint);
	assert_int_equal(run.troubles, 1);
	for (size_t i = 0; i < run.troubles; i++)
		assert_null(strstr(run.said[i], "5ec2e7"));
	assert_null(memmem(run.records, sizeof(run.records), "5ec2e7", 6));
	assert_null(memmem(run.records, sizeof(run.records), "\x5e\xc2\xe7", 3));
}

static void knows_commands_by_their_abbreviations(void **state)
{
	static const struct {
		const char *typed;
		enum saved_output output;
		bool narrow;
	} cases[] = {
		{ "show crypto ipsec sa", OUTPUT_IPSEC_SA, false },
		{ "sh cry ips sa det", OUTPUT_IPSEC_SA, false },
		{ "show crypto ipsec sa peer 192.0.2.7", OUTPUT_IPSEC_SA, true },
		{ "show crypto ipsec sa | include spi", OUTPUT_IPSEC_SA, true },
		{ "show crypto ikev2 session detail", OUTPUT_IKEV2_SA, false },
		{ "sudo swanctl --list-sas --raw", OUTPUT_SWANCTL_RAW, false },
		{ "swanctl -l", OUTPUT_SWANCTL, false },
		{ "swanctl --list-sas --ike gw", OUTPUT_SWANCTL, true },
		{ "/sbin/ip -s x s", OUTPUT_XFRM, false },
		{ "ip xfrm policy", OUTPUT_NONE, false },
		{ "show version", OUTPUT_NONE, false },
		{ "show sdwan bfd sessions", OUTPUT_SDWAN_BFD, false },
		{ "show sdwan control local-properties", OUTPUT_SDWAN_EDGE, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char line[128];
		struct run run;

		snprintf(line, sizeof(line), "root@hub# %s\nhub#\n", cases[i].typed);
		run = read_text(line);
		assert_int_equal(run.output, cases[i].output);
		assert_int_equal(run.filter.narrow, cases[i].narrow);
		assert_string_equal(run.host, "hub");
	}
}

static void reads_the_answer_to_a_command_without_its_echo(void **state)
{
	static const char text[] = "interface: Gi1\n    Crypto map tag: m, local addr 192.0.2.1\n"
		"   current_peer 192.0.2.7 port 500\n"
		"     current outbound spi: 0x77(119)\n";
	struct run run = read_bytes(text, sizeof(text) - 1, "show crypto ipsec sa peer 192.0.2.7");

	(void)state;
	assert_int_equal(run.count, 1);
	assert_true(run.filter.typed && run.filter.narrow);
	is_address(&run.filter.peer, "192.0.2.7");
	assert_int_equal(run.records[0].flow.outbound_line, 4);
	assert_false(run.records[0].flow.whole);
}

static void another_devices_prompt_and_the_pager_are_said(void **state)
{
	struct run run = read_text("hub#show crypto ipsec sa\ninterface: Gi1\n   current_peer 192.0.2.7 port 500\n"
		"     current outbound spi: 0x77(119)\n --More-- \b\b\b\b     outbound esp sas:\n"
		"      spi: 0x77(119)\nspoke#show crypto ipsec sa\ninterface: Gi2\n   current_peer 192.0.2.8 port 500\n"
		"hub#show crypto ipsec sa\n   current_peer 192.0.2.9 port 500\n     current outbound spi: 0x78(120)\n --More--");

	(void)state;
	assert_int_equal(run.count, 2);
	is_address(&run.records[1].flow.peer, "192.0.2.9");
	assert_int_equal(run.counts.foreign_host, 2);
	assert_int_equal(run.cut, 1);
	assert_int_equal(run.troubles, 2);
	assert_non_null(strstr(run.said[0], "spoke"));
	assert_int_equal(run.said_line[0], 7);
}

static void half_a_line_is_not_read(void **state)
{
	struct run run = read_text("interface: Gi1\n   current_peer 192.0.2.7 port 500\n     current outbound spi: 0x1234ABCD(1)\n"
		"     outbound esp sas:\n      spi: 0x1234");

	(void)state;
	assert_int_equal(run.count, 1);
	assert_int_equal(run.records[0].flow.outbound_count, 1);
	assert_int_equal(run.records[0].flow.outbound[0].value, 0x1234abcd);
	assert_false(run.records[0].flow.whole);
	assert_int_equal(run.counts.bad, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_ikev2_sas_of_ios_and_asa),
		cmocka_unit_test(reads_ikev1_sas),
		cmocka_unit_test(reads_sessions),
		cmocka_unit_test(reads_sdwan_rows_by_the_types_of_their_words),
		cmocka_unit_test(reads_the_site_of_an_sdwan_router),
		cmocka_unit_test(reads_tlocs_and_bfd),
		cmocka_unit_test(reads_controllers_and_addresses),
		cmocka_unit_test(reads_a_routers_own_memory),
		cmocka_unit_test(reads_swanctl),
		cmocka_unit_test(reads_swanctl_raw_on_one_line_or_many),
		cmocka_unit_test(reads_states_and_never_their_keys),
		cmocka_unit_test(knows_commands_by_their_abbreviations),
		cmocka_unit_test(reads_the_answer_to_a_command_without_its_echo),
		cmocka_unit_test(another_devices_prompt_and_the_pager_are_said),
		cmocka_unit_test(half_a_line_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
