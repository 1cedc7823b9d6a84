/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include "parse/secrets.h"

static char shown[1024];

static const char *without(const char *line)
{
	struct buffer out = { 0 };

	secrets_remove(text_of(line), &out);
	text_copy(buffer_text(&out), shown, sizeof(shown));
	buffer_done(&out);
	return shown;
}

static void test_secrets_are_taken_out_of_a_configuration(void **state)
{
	static const struct {
		const char *line, *wanted;
	} cases[] = {
		{ "crypto isakmp key hunter2 address 192.0.2.1", "crypto isakmp key <removed> address 192.0.2.1" },
		{ "crypto isakmp key 6 XYZ address 192.0.2.1", "crypto isakmp key 6 <removed> address 192.0.2.1" },
		{ "  pre-shared-key local hunter2", "  pre-shared-key local <removed>" },
		{ "  pre-shared-key hex 0A0B", "  pre-shared-key hex <removed>" },
		{ " ikev1 pre-shared-key *****", " ikev1 pre-shared-key <removed>" },
		{ "enable secret 9 $9$abc", "enable secret 9 <removed>" },
		{ "username netops privilege 15 secret 5 $1$abc", "username netops privilege 15 secret 5 <removed>" },
		{ "username a password 0 b", "username a password 0 <removed>" },
		{ " neighbor 192.0.2.9 password 7 0822", " neighbor 192.0.2.9 password 7 <removed>" },
		{ "snmp-server community public RO 10", "snmp-server community <removed> RO 10" },
		{ "*Mar  1 00:01:02.003: %PARSER-5-CFGLOG_LOGGEDCMD: User:joe  logged command:crypto isakmp key hunter2 address 0.0.0.0",
		  "*Mar  1 00:01:02.003: %PARSER-5-CFGLOG_LOGGEDCMD: User:joe  logged command:crypto isakmp key <removed> address 0.0.0.0" },
		{ "no snmp-server community public", "no snmp-server community <removed>" },
		{ "snmp-server host 192.0.2.5 public event-manager", "snmp-server host 192.0.2.5 <removed> event-manager" },
		{ "snmp-server host 192.0.2.5 vrf Mgmt version 2c public", "snmp-server host 192.0.2.5 vrf Mgmt version 2c <removed>" },
		{ "snmp-server host 192.0.2.5 informs version 3 priv joe", "snmp-server host 192.0.2.5 informs version 3 priv <removed>" },
		{ "snmp-server user joe ops v3 auth sha aaaaaaaa priv aes 128 bbbbbbbb",
		  "snmp-server user joe ops v3 auth sha <removed> priv aes 128 <removed>" },
		{ "  pre-shared-key address 192.0.2.1 key hunter2", "  pre-shared-key address 192.0.2.1 key <removed>" },
		{ "  pre-shared-key address 192.0.2.0 255.255.255.0 key 6 hunter2",
		  "  pre-shared-key address 192.0.2.0 255.255.255.0 key 6 <removed>" },
		{ "  pre-shared-key hostname spoke.example key hunter2", "  pre-shared-key hostname spoke.example key <removed>" },
		{ "  pre-shared-key address ipv6 2001:db8::/64 key hunter2", "  pre-shared-key address ipv6 2001:db8::/64 key <removed>" },
		{ "crypto isakmp client configuration group ops", "crypto isakmp client configuration group ops" },
		{ " security wpa psk set-key ascii 0 hunter2", " security wpa psk set-key ascii 0 <removed>" },
		{ " ppp chap password 7 0822", " ppp chap password 7 <removed>" },
		{ " tunnel-group 192.0.2.1 ipsec-attributes", " tunnel-group 192.0.2.1 ipsec-attributes" },
		{ " ikev2 remote-authentication pre-shared-key hunter2", " ikev2 remote-authentication pre-shared-key <removed>" },
		{ " ip nhrp authentication hunter2", " ip nhrp authentication <removed>" },
		{ " server-private 192.0.2.9 key 7 0822", " server-private 192.0.2.9 key 7 <removed>" },
		{ "radius-server host 192.0.2.9 auth-port 1812 key hunter2", "radius-server host 192.0.2.9 auth-port 1812 key <removed>" },
		{ "ntp authentication-key 1 md5 0822 7", "ntp authentication-key 1 md5 <removed> 7" },
		{ " bgp neighbor password hunter2", " bgp neighbor password <removed>" },
		{ " path scp://joe:hunter2@192.0.2.9/$h", " path <removed>" },
		{ "key config-key password-encrypt hunter2", "key <removed> password-encrypt <removed>" },
		{ " authentication remote pre-share key hunter2", " authentication remote pre-share key <removed>" },
		{ " authentication local pre-share key 6 XYZ", " authentication local pre-share key 6 <removed>" },
		{ "    7     3    joe@vty0     |crypto isakmp key hunter2 address 192.0.2.1",
		  "    7     3    joe@vty0     |crypto isakmp key <removed> address 192.0.2.1" },
		{ " set session-key inbound esp 256 cipher 0a0b authenticator 0c0d",
		  " set session-key inbound esp 256 cipher <removed> authenticator <removed>" },
		{ " set session-key outbound ah 1000 0a0b0c", " set session-key outbound ah 1000 <removed>" },
		{ "  authentication mode hmac-sha-256 7 0822", "  authentication mode hmac-sha-256 7 <removed>" },
		{ " client 192.0.2.9 server-key 7 0822", " client 192.0.2.9 server-key 7 <removed>" },
		{ " isis password hunter2 level-1", " isis password <removed> level-1" },
		{ " area-password hunter2", " area-password <removed>" },
		{ " domain-password hunter2", " domain-password <removed>" },
		{ "failover key hex 0a0b", "failover key hex <removed>" },
		{ "failover ipsec pre-shared-key hunter2", "failover ipsec pre-shared-key <removed>" },
		{ "tacacs-server key 7 0822", "tacacs-server key 7 <removed>" },
		{ " key 7 0822", " key 7 <removed>" },
		{ "  key-string 7 0822", "  key-string 7 <removed>" },
		{ " ip ospf message-digest-key 1 md5 7 0822", " ip ospf message-digest-key 1 md5 7 <removed>" },
		{ " standby 1 authentication hunter2", " standby 1 authentication <removed>" },
		{ " standby 1 authentication md5 key-string 7 0822", " standby 1 authentication md5 key-string 7 <removed>" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(without(cases[i].line), cases[i].wanted);
}

static void test_tables_stay_as_they_are(void **state)
{
	static const char *const lines[] = {
		"", "   ", "TLOC ADDRESS   TLOC COLOR   SPI   IPV4   PORT   KEY HASH", "  inbound esp sas:", "  spi: 0x1DB73BBB(498547643)",
		"Hash: SHA256, DH Grp:14, Auth sign: PSK, Auth verify: PSK", "authentication pre-share", " authentication local rsa-sig",
		"Encr: AES-CBC, keysize: 256, PRF: SHA256", "hostname spoke1", " authentication local pre-share", " set transform-set T",
		"authentication mode md5", "No encryption key is set", "cipher aes", "  sa timing: remaining key lifetime (k/sec): (4608000/3237)",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_string_equal(without(lines[i]), lines[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_secrets_are_taken_out_of_a_configuration),
		cmocka_unit_test(test_tables_stay_as_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
