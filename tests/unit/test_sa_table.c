/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "parse/sa_table.h"

#define BLOCKS_MAX 16

struct run {
	struct sa_block blocks[BLOCKS_MAX];
	size_t blocks_read, taken, nothing;
	bool inside_at_end;
};

/* Each line stands in a block of exactly its size: the sanitizer sees every byte read beyond it. */
static struct run read_table(const char *text)
{
	struct text t = text_of(text), line;
	struct sa_table table = { 0 };
	struct run run = { 0 };
	struct sa_block block;

	while (text_take_line(&t, &line)) {
		char *copy = malloc(line.len ? line.len : 1);
		enum sa_table_result result;

		assert_non_null(copy);
		if (line.len)
			memcpy(copy, line.at, line.len);
		result = sa_table_line(&table, (struct text){ copy, line.len }, &block);
		free(copy);
		run.taken += result == SA_TABLE_TAKEN;
		run.nothing += result == SA_TABLE_NOTHING;
		if (result == SA_TABLE_BLOCK && run.blocks_read < BLOCKS_MAX)
			run.blocks[run.blocks_read++] = block;
	}
	run.inside_at_end = table.inside;
	if (sa_table_end(&table, &block) && run.blocks_read < BLOCKS_MAX)
		run.blocks[run.blocks_read++] = block;
	assert_false(table.inside);
	return run;
}

static void is_address(const struct spimend_address *a, const char *want)
{
	char got[SPIMEND_ADDRESS_TEXT_MAX];

	assert_string_equal(spimend_address_print(a, got), want);
}

static void reads_ios_with_two_flows(void **state)
{
	struct run run = read_table("hub#show crypto ipsec sa\n"
		"\n"
		"interface: GigabitEthernet3\n"
		"    Crypto map tag: vpn-map, local addr 198.51.100.7\n"
		"\n"
		"   protected vrf: (none)\n"
		"   local  ident (addr/mask/prot/port): (10.0.0.0/255.255.255.0/0/0)\n"
		"   remote ident (addr/mask/prot/port): (10.1.0.0/255.255.255.0/0/0)\n"
		"   current_peer 192.0.2.1 port 4500\n"
		"     PERMIT, flags={origin_is_acl,}\n"
		"    #pkts encaps: 410, #pkts encrypt: 410, #pkts digest: 410\n"
		"    #pkts decaps: 349, #pkts decrypt: 349, #pkts verify: 349\n"
		"    #send errors 0, #recv errors 0\n"
		"     local crypto endpt.: 198.51.100.7, remote crypto endpt.: 192.0.2.1\n"
		"     plaintext mtu 1438, path mtu 1500, ip mtu 1500, ip mtu idb GigabitEthernet3\n"
		"     current outbound spi: 0x397C36EE(964441838)   <--- the new one\n"
		"     PFS (Y/N): N, DH group: none\n"
		"     inbound esp sas:\n"
		"      spi: 0x658F7C11(1703902225)\n"
		"        transform: esp-256-aes esp-sha256-hmac ,\n"
		"        in use settings ={Tunnel, }\n"
		"        sa timing: remaining key lifetime (k/sec): (4607999/83)\n"
		"      spi: 0x658F7C12(1703902226)\n"
		"        Status: ACTIVE(ACTIVE)\n"
		"     inbound ah sas:\n"
		"     inbound pcp sas:\n"
		"      spi: 0x77(119)\n"
		"     outbound esp sas:\n"
		"      spi: 0x397C36EE(964441838)\n"
		"        sa timing: remaining key lifetime (k/sec): (4607999/83191)\n"
		"      spi: 0x397C36EF(1)\n"
		"        sa timing: remaining key lifetime (k/sec): (4607999/3205)\n"
		"     outbound ah sas:\n"
		"     outbound pcp sas:\n"
		"   protected vrf: (none)\n"
		"   local  ident (addr/mask/prot/port): (10.0.0.0/255.255.255.0/0/0)\n"
		"   remote ident (addr/mask/prot/port): (10.2.0.0/255.255.255.0/0/0)\n"
		"   current_peer 203.0.113.9 port 500\n"
		"    #pkts decaps: 5, #pkts decrypt: 5, #pkts verify: 5\n"
		"     current outbound spi: 0x0(0)\n"
		"     inbound esp sas:\n"
		"     outbound esp sas:\n"
		"hub#\n"
		"and prose\n");
	const struct sa_block *b = &run.blocks[0];

	(void)state;
	assert_int_equal(run.blocks_read, 2);
	assert_false(run.inside_at_end);
	assert_string_equal(b->interface, "GigabitEthernet3");
	assert_string_equal(b->map_tag, "vpn-map");
	is_address(&b->local, "198.51.100.7");
	is_address(&b->peer, "192.0.2.1");
	assert_true(b->encap_udp && b->has_counters && b->has_lifetime);
	assert_false(b->controller_keyed || b->manual_or_group);
	assert_int_equal(b->encaps, 410);
	assert_int_equal(b->decaps, 349);
	assert_int_equal(b->lifetime_s, 3205);
	assert_int_equal(b->inbound_count, 2);
	assert_int_equal(b->inbound[0].value, 0x658f7c11);
	assert_int_equal(b->inbound[1].value, 0x658f7c12);
	assert_int_equal(b->outbound_count, 2);
	assert_int_equal(b->outbound[0].value, 0x397c36ee);
	assert_int_equal(b->outbound[1].value, 0x397c36ef);
	b = &run.blocks[1];
	is_address(&b->local, "198.51.100.7");
	is_address(&b->peer, "203.0.113.9");
	assert_false(b->encap_udp || b->has_counters || b->has_lifetime); /* one counter line is missing */
	assert_int_equal(b->inbound_count + b->outbound_count, 0);
}

static void reads_sdwan_without_sas(void **state)
{
	/* No indent, blanks at the ends, no SA lists, other text behind: as pasted into documents. */
	struct run run = read_table("Router#show crypto ipsec sa peer 192.0.2.1  \n"
		"interface: Tunnel10001  \n"
		"Crypto map tag: Tunnel10001-vesen-head-0, local addr 198.51.100.7  \n"
		" \n"
		"protected vrf: (none)  \n"
		"local ident (addr/mask/prot/port): (198.51.100.7/255.255.255.255/0/12346)  \n"
		"remote ident (addr/mask/prot/port): (192.0.2.1/255.255.255.255/0/12366)  \n"
		"current_peer 192.0.2.1 port 500  \n"
		"#pkts encaps: 0, #pkts encrypt: 0, #pkts digest: 0  \n"
		"#pkts decaps: 0, #pkts decrypt: 0, #pkts verify: 0  \n"
		"#send errors 0, #recv errors 0 \n"
		"\n"
		"The only way out is one of three commands.\n"
		"Router# \n"
		"clear sdwan omp all\n");

	(void)state;
	assert_int_equal(run.blocks_read, 1);
	assert_true(run.blocks[0].controller_keyed);
	assert_true(run.blocks[0].has_counters);
	assert_int_equal(run.blocks[0].encaps + run.blocks[0].decaps, 0);
	is_address(&run.blocks[0].peer, "192.0.2.1");
	is_address(&run.blocks[0].local, "198.51.100.7");
	assert_false(run.inside_at_end);
}

static void reads_ipv6_and_what_is_not_available(void **state)
{
	struct run run = read_table("interface: Tunnel2002\n"
		"    Crypto map tag: t, local addr 2001:db8::7\n"
		"   protected vrf: (none)\n"
		"   local  ident (addr/mask/prot/port): (2001:db8::7/128/0/12445)\n"
		"   remote ident (addr/mask/prot/port): (2001:db8::1/128/0/12426)\n"
		"     local crypto endpt.: 2001:db8::7,\n"
		"     remote crypto endpt.:\n"
		"     2001:db8::1\n"
		"     current outbound spi: 0x11C(284)\n"
		"     inbound esp sas:\n"
		"      spi: [Not Available]\n"
		"        in use settings ={Transport UDP-Encaps, esn}\n"
		"     outbound esp sas:\n"
		"      spi: [Not Available]\n"
		"        sa timing: remaining key lifetime is not applicable\n"
		"        Kilobyte Volume Rekey has been disabled\n");
	const struct sa_block *b = &run.blocks[0];

	(void)state;
	assert_int_equal(run.blocks_read, 1);
	is_address(&b->peer, "2001:db8::1");
	assert_true(b->controller_keyed && b->encap_udp);
	assert_int_equal(b->inbound_count, 0);
	assert_int_equal(b->inbound_dropped, 1); /* there is one, and nobody knows which */
	assert_int_equal(b->outbound_count, 1);
	assert_int_equal(b->outbound[0].value, 284);
	assert_false(b->has_lifetime);
}

static void tells_manual_and_group_keys(void **state)
{
	struct run run = read_table("interface: Ethernet0/0\n"
		"    Crypto map tag: ospf, local addr FE80::1\n"
		"   protected vrf: (none)\n"
		"   local  ident (addr/mask/prot/port): (FE80::/10/89/0)\n"
		"   current_peer FF02::5 port 500\n"
		"     current outbound spi: 0x100(256)\n"
		"     inbound ah sas:\n"
		"      spi: 0x100(256)\n"
		"     outbound ah sas:\n"
		"      spi: 0x100(256)\n"
		"        sa timing: remaining key lifetime (sec): 0\n"
		"   protected vrf: (none)\n"
		"   current_peer 0.0.0.0 port 848\n"
		"   protected vrf: (none)\n"
		"   current_peer 192.0.2.1 port 500\n"
		"     inbound esp sas:\n"
		"      spi: 0x11111111(286331153)\n"
		"     outbound esp sas:\n"
		"      spi: 0x11111111(286331153)\n");

	(void)state;
	assert_int_equal(run.blocks_read, 3);
	for (size_t i = 0; i < 3; i++)
		assert_true(run.blocks[i].manual_or_group);
	assert_false(run.blocks[0].has_lifetime);
	assert_int_equal(run.blocks[0].inbound_count, 1);
}

static void reads_asa(void **state)
{
	struct run run = read_table("ciscoasa/pri/act# show crypto ipsec sa\n"
		"interface: outside\n"
		"    Crypto map tag: MAP, seq num: 2, local addr: 198.51.100.7\n"
		"\n"
		"      access-list 2 extended permit ip host 10.0.0.1 host 10.1.0.1\n"
		"      local ident (addr/mask/prot/port): (10.0.0.1/255.255.255.255/0/0)\n"
		"      remote ident (addr/mask/prot/port): (10.1.0.1/255.255.255.255/0/0)\n"
		"      current_peer: 192.0.2.1, username: u\n"
		"      #pkts encaps: 1, #pkts encrypt: 1, #pkts digest: 1\n"
		"      #pkts decaps: 2, #pkts decrypt: 2, #pkts verify: 2\n"
		"      local crypto endpt.: 198.51.100.7/4500, remote crypto endpt.: 192.0.2.1/4500\n"
		"      current outbound spi: 50023DDC\n"
		"      current inbound spi : 32F752FF\n"
		"    inbound esp sas:\n"
		"      spi: 0x32F752FF (855069439)\n"
		"         SA State: active\n"
		"         in use settings ={L2L, Tunnel,  NAT-T-Encaps, IKEv1, }\n"
		"         sa timing: remaining key lifetime (kB/sec): (2699423/25461)\n"
		"         Anti replay bitmap:\n"
		"          0xFFFFFFFF 0xFFFFFFFF\n"
		"    outbound esp sas:\n"
		"      spi: 0x50023DDC (1342324188)\n"
		"         sa timing: remaining key lifetime (kB/sec): (3892153/25461)\n"
		"    Crypto map tag: MAP, seq num: 3, local addr: NAME\n"
		"      current_peer: 203.0.113.9\n"
		"      current outbound spi: EA40155F\n"
		"    outbound esp sas:\n"
		"      spi: 0xEA40155F (3930068319)\n"
		"         sa timing: remaining key lifetime 1 hours, 10 mins\n");
	const struct sa_block *b = &run.blocks[0];

	(void)state;
	assert_int_equal(run.blocks_read, 2);
	assert_true(b->encap_udp);
	assert_int_equal(b->inbound_count, 1);
	assert_int_equal(b->inbound[0].value, 0x32f752ff);
	assert_int_equal(b->outbound_count, 1);
	assert_int_equal(b->lifetime_s, 25461);
	is_address(&run.blocks[1].local, "?");
	is_address(&run.blocks[1].peer, "203.0.113.9");
	assert_int_equal(run.blocks[1].lifetime_s, 4200);
	assert_false(run.blocks[1].encap_udp);
}

static void leaves_logs_alone(void **state)
{
	static const char *const logs[] = {
		"*Mar 12 18:22:10.706: %CRYPTO-4-RECVD_PKT_INV_SPI: decaps: rec'd IPSEC packet has invalid spi for destaddr=198.51.100.7",
		"Jun  5 05:10:59.519 EST: %SYS-5-CONFIG_I: Configured from console by cisco on console",
		"%HA_EM-6-LOG: a: cli command show crypto ipsec sa",
		"pluto[1]: \"c\" #36: show crypto ipsec sa",
		"interface GigabitEthernet0/1", "inbound esp sas:", "spi: 0x12345678(305419896)", "", "#", ">", "%", "a#", "-->",
		"192.0.2.1#500: text",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++) {
		struct sa_table table = { 0 };
		struct sa_block block;

		assert_false(sa_table_may_start(text_of(logs[i])));
		assert_int_equal(sa_table_line(&table, text_of(logs[i]), &block), SA_TABLE_NOTHING);
		assert_false(table.inside);
	}
	assert_true(sa_table_may_start(TEXT("hub> sh cry ips sa")));
	assert_false(sa_table_may_start(TEXT("hub#show crypto isakmp sa")));
}

static void survives_a_log_line_in_the_middle(void **state)
{
	struct run run = read_table("interface: Tunnel1\n"
		"    Crypto map tag: t, local addr 198.51.100.7\n"
		"   current_peer 192.0.2.1 port 500\n"
		"     inbound esp sas:\n"
		"Jan  2 03:04:05: %SYS-5-CONFIG_I: Configured from console by vty0\n"
		"      spi: 0x11111111(286331153)\n"
		" --More-- \b\b\b\b\b     outbound esp sas:\n"
		"      spi: 0x22222222(572662306)\n"
		"Jan  2 03:04:06: %SYS-5-CONFIG_I: Configured from console by vty0\n"
		"Jan  2 03:04:07: %LINEPROTO-5-UPDOWN: Line protocol on Interface Tunnel1, changed state to up\n"
		"Jan  2 03:04:08: %LINEPROTO-5-UPDOWN: Line protocol on Interface Tunnel1, changed state to up\n");

	(void)state;
	assert_int_equal(run.blocks_read, 1);
	assert_false(run.inside_at_end);
	assert_int_equal(run.blocks[0].inbound_count, 1);
	assert_int_equal(run.blocks[0].outbound_count, 1);
	assert_int_equal(run.nothing, 3); /* the four lines of the log, but for the one that closes the block */
}

static void keeps_a_limit(void **state)
{
	struct sa_table table = { 0 };
	struct sa_block block;

	(void)state;
	sa_table_line(&table, TEXT("current_peer 192.0.2.1 port 500"), &block);
	sa_table_line(&table, TEXT("inbound esp sas:"), &block);
	for (int i = 0; i < 20; i++) {
		char line[32];

		snprintf(line, sizeof(line), "spi: 0x%X(1)", 0x10000 + i);
		assert_int_equal(sa_table_line(&table, text_of(line), &block), SA_TABLE_TAKEN);
	}
	assert_true(sa_table_end(&table, &block));
	assert_int_equal(block.inbound_count, SA_BLOCK_SPIS_MAX);
	assert_int_equal(block.inbound_dropped, 20 - SA_BLOCK_SPIS_MAX);
}

/* Every saved output beside the tree, where there is one: as many flows as it has peers, and no line left over. */
static void reads_the_corpus(void **state)
{
	static const struct {
		const char *name;
		size_t blocks;
	} files[] = {
		{ "genie/iosxe/ShowCryptoIpsecSa/golden_output_output.txt", 3 },
		{ "genie/iosxe/ShowCryptoIpsecSaDetail/golden_output_2_output.txt", 1 },
		{ "genie/iosxe/ShowCryptoIpsecSaDetail/golden_output_3_output.txt", 2 },
		{ "genie/iosxe/ShowCryptoIpsecSaInterface/golden_output_1_output.txt", 1 },
		{ "genie/iosxe/ShowCryptoIpsecSaInterface/golden_output_3_output.txt", 1 },
		{ "genie/iosxe/ShowCryptoIpsecSaIpv6Detailed/golden_output_1_output.txt", 7 },
		{ "genie/iosxe/ShowCryptoIpsecSaPeer/golden_output_output.txt", 1 },
		{ "ntc/cisco_asa/show_crypto_ipsec_sa/cisco_asa_show_crypto_ipsec_sa.raw", 3 },
		{ "ntc/cisco_ios/show_crypto_ipsec_sa_detail/cisco_ios_show_crypto_ipsec_sa_detail.raw", 2 },
		{ "ntc/cisco_ios/show_crypto_ipsec_sa_detail/cisco_ios_show_crypto_ipsec_sa_detail_2.raw", 2 },
		{ "ntc/cisco_ios/show_crypto_ipsec_sa_detail/cisco_ios_show_crypto_ipsec_sa_detail_3.raw", 2 },
	};
	const char *path = getenv("SPIMEND_CORPUS");
	static char text[1 << 16];

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char name[512];
		struct run run;
		FILE *file;

		snprintf(name, sizeof(name), "%s/devices/%s", path ? path : "../shared/corpus", files[i].name);
		file = fopen(name, "r");
		if (!file)
			skip();
		text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
		fclose(file);
		run = read_table(text);
		assert_int_equal(run.blocks_read, files[i].blocks);
		assert_int_equal(run.nothing, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_ios_with_two_flows),
		cmocka_unit_test(reads_sdwan_without_sas),
		cmocka_unit_test(reads_ipv6_and_what_is_not_available),
		cmocka_unit_test(tells_manual_and_group_keys),
		cmocka_unit_test(reads_asa),
		cmocka_unit_test(leaves_logs_alone),
		cmocka_unit_test(survives_a_log_line_in_the_middle),
		cmocka_unit_test(keeps_a_limit),
		cmocka_unit_test(reads_the_corpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
