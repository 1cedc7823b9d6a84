/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "parse/dialect.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NAME "%CRYPTO-4-RECVD_PKT_INV_SPI: "
#define SAID "decaps: rec'd IPSEC packet has invalid spi for "
#define PLAIN NAME SAID "destaddr=192.0.2.1, prot=50, spi=0xB761863E(3076621886), srcaddr=198.51.100.7"
#define MASKED FLAG_ADDRESS_MASKED
#define DIFFERS FLAG_DECIMAL_DIFFERS

/* Reads a copy in a block of its exact size: a read past the end is seen. Texts in the result are not to be touched. */
static enum dialect_result read_exactly(dialect_read *read, const char *text, size_t len, struct reading *ret)
{
	char *exact = malloc(len ? len : 1);
	enum dialect_result result;

	memcpy(exact, text, len);
	*ret = (struct reading){ 0 };
	result = read((struct text){ exact, len }, ret);
	assert_true(ret->own_host.len == 0 || (ret->own_host.at >= exact && ret->own_host.at + ret->own_host.len <= exact + len));
	assert_true(ret->used <= len);
	assert_int_equal(ret->fact.interface[FACT_INTERFACE_MAX - 1], '\0');
	if (result == DIALECT_BAD || result == DIALECT_MORE) {
		assert_non_null(ret->failure.reason);
		assert_true(ret->failure.offset <= len);
	}
	free(exact);
	return result;
}

static void check_address(const char *text, const char *what, const struct spimend_address *a, const char *expected)
{
	char printed[SPIMEND_ADDRESS_TEXT_MAX];

	if (strcmp(spimend_address_print(a, printed), expected) != 0)
		fail_msg("%s: %s is %s, not %s", text, what, printed, expected);
}

static void every_body_form(void **state)
{
	static const struct {
		const char *text, *rest; /* what `used` leaves */
		const char *src, *dst;
		enum spimend_protocol protocol;
		bool has_spi;
		uint32_t spi, flags;
		const char *interface;
	} rows[] = {
		{ PLAIN, "", "198.51.100.7", "192.0.2.1", 50, true, 0xb761863e, 0, "" },
		{ PLAIN ", input interface=Ethernet0/0", "", "198.51.100.7", "192.0.2.1", 50, true, 0xb761863e, 0, "Ethernet0/0" },
		{ PLAIN ", input interface=Tunnel10001\r", "\r", "198.51.100.7", "192.0.2.1", 50, true, 0xb761863e, 0, "Tunnel10001" },
		{ PLAIN ", input interface=...", "", "198.51.100.7", "192.0.2.1", 50, true, 0xb761863e, 0, "" },
		{ PLAIN ", input interface=GigabitEthernet0/0/0.4094-longer-than-any-name", "", "198.51.100.7", "192.0.2.1", 50, true,
			0xb761863e, 0, "GigabitEthernet0/0/0.4094-longe" },
		{ NAME "decaps rec'd IPSEC packet has invalid spi for destaddr=192.0.2.1, prot=50, spi=0x22642f0c(576990988), srcaddr=198.51.100.7",
			"", "198.51.100.7", "192.0.2.1", 50, true, 0x22642f0c, 0, "" },
		{ NAME "decaps: rec`d IPSEC packet has invalid spi for destaddr=192.0.2.1, prot=50, spi=0x3D0012AB(1023414955), srcaddr=198.51.100.7",
			"", "198.51.100.7", "192.0.2.1", 50, true, 0x3d0012ab, 0, "" },
		{ NAME "decaps: rec\xe2\x80\x99""d IPSEC packet has invalid spi for destaddr=192.0.2.1, prot=50, spi=0x3D0012AB(1023414955), "
			"srcaddr=198.51.100.7", "", "198.51.100.7", "192.0.2.1", 50, true, 0x3d0012ab, 0, "" },
		{ NAME "decaps: received IPSEC packet has invalid spi for destaddr=192.0.2.1, prot=50, spi=0x3D0012AB(1023414955), "
			"srcaddr=198.51.100.7", "", "198.51.100.7", "192.0.2.1", 50, true, 0x3d0012ab, 0, "" },
		{ NAME "decaps: rec'd IPSEC packet\n\n   has invalid spi for\r\ndestaddr=192.0.2.1,\n prot=50, spi=0x3D0012AB(1023414955),\n"
			"   srcaddr=198.51.100.7", "", "198.51.100.7", "192.0.2.1", 50, true, 0x3d0012ab, 0, "" },
		{ "%CRYPTO-4-RECVD PKT INV SPI: " SAID "destaddr=192.0.2.1, prot=50, spi=0x3D0012AB(1023414955), srcaddr=198.51.100.7", "",
			"198.51.100.7", "192.0.2.1", 50, true, 0x3d0012ab, 0, "" },
		{ "%>CRYPTO-4-RECVD_PKT_INV_SPI: " SAID "destaddr= 192.0.2.1 , prot= 50 , spi= 0x3D0012AB(1023414955) , srcaddr= 198.51.100.7 ", " ",
			"198.51.100.7", "192.0.2.1", 50, true, 0x3d0012ab, 0, "" },
		{ "%CRYPTO-4-RECVD_PKT_INV_SPI : " SAID "destaddr=192.0.2.1, prot=50, spi=0x1(1), srcaddr=198.51.100.7", "", "198.51.100.7",
			"192.0.2.1", 50, true, 1, FLAG_SPI_RESERVED | FLAG_SPI_SMALL, "" },
		/* run together: the second one's framing is left */
		{ PLAIN " Sep 2 13:37:48.039: ", " Sep 2 13:37:48.039: ", "198.51.100.7", "192.0.2.1", 50, true, 0xb761863e, 0, "" },
		{ PLAIN "Sep 2 13:37:48.039: ", "Sep 2 13:37:48.039: ", "198.51.100.7", "192.0.2.1", 50, true, 0xb761863e, 0, "" },
		{ PLAIN "*Sep 2 13:37:48.039: ", "*Sep 2 13:37:48.039: ", "198.51.100.7", "192.0.2.1", 50, true, 0xb761863e, 0, "" },
		{ PLAIN "<187>88: ", "<187>88: ", "198.51.100.7", "192.0.2.1", 50, true, 0xb761863e, 0, "" },
		{ PLAIN ", input interface=Ethernet0/0 Sep 2 13:37:48.039: ", " Sep 2 13:37:48.039: ", "198.51.100.7", "192.0.2.1", 50, true,
			0xb761863e, 0, "Ethernet0/0" },
		/* text behind */
		{ PLAIN " (#2)", " (#2)", "198.51.100.7", "192.0.2.1", 50, true, 0xb761863e, 0, "" },
		{ PLAIN "(#2)", NULL, "198.51.100.7", "192.0.2.1", 50, true, 0xb761863e, 0, "" },
		{ PLAIN ".", NULL, "198.51.100.7", "192.0.2.1", 50, true, 0xb761863e, 0, "" },
		{ PLAIN "]", NULL, "198.51.100.7", "192.0.2.1", 50, true, 0xb761863e, 0, "" }, /* rsyslog: repeated 3 times: [ ... ] */
		{ PLAIN "\",\"host\":\"rt7\"}", NULL, "198.51.100.7", "192.0.2.1", 50, true, 0xb761863e, 0, "" }, /* JSON */
		{ PLAIN "</pre>", NULL, "198.51.100.7", "192.0.2.1", 50, true, 0xb761863e, 0, "" },
		{ PLAIN ", input interface=Ethernet0/0]", NULL, "198.51.100.7", "192.0.2.1", 50, true, 0xb761863e, 0, "Ethernet0/0" },
		{ PLAIN ", input interface=Ethernet0/0\"}", NULL, "198.51.100.7", "192.0.2.1", 50, true, 0xb761863e, 0, "Ethernet0/0" },
		/* values */
		{ NAME SAID "destaddr=192.0.2.1, prot=50, spi=0x215EBFF1(605998893), srcaddr=198.51.100.7", "", "198.51.100.7", "192.0.2.1", 50, true,
			0x215ebff1, DIFFERS, "" },
		{ NAME SAID "destaddr=192.0.2.1, prot=50, spi=0xB761863E(99999999999999999999999), srcaddr=198.51.100.7", "", "198.51.100.7",
			"192.0.2.1", 50, true, 0xb761863e, DIFFERS, "" },
		{ NAME SAID "destaddr=192.0.2.1, prot=50, spi=0xB761863E(xxxxxxxxxx), srcaddr=198.51.100.7", "", "198.51.100.7", "192.0.2.1", 50, true,
			0xb761863e, 0, "" }, /* hidden, not different */
		{ NAME SAID "destaddr=192.0.2.1, prot=50, spi=0xB761863E(), srcaddr=198.51.100.7", "", "198.51.100.7", "192.0.2.1", 50, true,
			0xb761863e, 0, "" },
		{ NAME SAID "destaddr=192.0.2.1, prot=50, spi=B761863E, srcaddr=198.51.100.7", "", "198.51.100.7", "192.0.2.1", 50, true, 0xb761863e, 0,
			"" },
		{ NAME SAID "destaddr=192.0.2.1, prot=50, spi=0X2001a6b, srcaddr=198.51.100.7", "", "198.51.100.7", "192.0.2.1", 50, true, 0x2001a6b, 0,
			"" },
		{ NAME SAID "destaddr=192.0.2.1, prot=50, spi=3076621886, srcaddr=198.51.100.7", "", "198.51.100.7", "192.0.2.1", 50, true, 0xb761863e,
			0, "" },
		{ NAME SAID "destaddr=192.0.2.1, prot=50, spi=0x77B40000(2008285184), srcaddr=198.51.100.7", "", "198.51.100.7", "192.0.2.1", 50, true,
			0x77b40000, FLAG_SPI_LOW_ZERO, "" },
		{ NAME SAID "destaddr=192.0.2.1, prot=50, spi=0xFF000001(4278190081), srcaddr=198.51.100.7", "", "198.51.100.7", "192.0.2.1", 50, true,
			0xff000001, FLAG_SPI_0XFF, "" },
		{ NAME SAID "destaddr=2001:db8::1, prot=50, spi=0xB761863E(3076621886), srcaddr=2001:db8:1::7, input interface=Gi1", "",
			"2001:db8:1::7", "2001:db8::1", 50, true, 0xb761863e, 0, "Gi1" },
		{ NAME SAID "destaddr=2001:db8::1, prot=50, spi=0xB761863E(3076621886), srcaddr=2001:db8::", "", "2001:db8::", "2001:db8::1", 50, true,
			0xb761863e, 0, "" },
		{ NAME SAID "destaddr=[2001:db8::1], prot=50, spi=0xB761863E(3076621886), srcaddr=[2001:db8::7]", "", "2001:db8::7", "2001:db8::1", 50,
			true, 0xb761863e, 0, "" },
		{ NAME SAID "destaddr=192.0.2.1, prot=51, spi=0xB761863E(3076621886), srcaddr=198.51.100.7", "", "198.51.100.7", "192.0.2.1", 51, true,
			0xb761863e, 0, "" },
		{ NAME SAID "destaddr=192.0.2.1, prot=ESP, spi=0xB761863E(3076621886), srcaddr=198.51.100.7", "", "198.51.100.7", "192.0.2.1", 50, true,
			0xb761863e, 0, "" },
		/* masked, emptied */
		{ NAME SAID "destaddr=x.x.x.x, prot=50, spi=0x77B40000(2008285184), srcaddr=198.51.100.7, input interface=...", "", "198.51.100.7", "?",
			50, true, 0x77b40000, MASKED | FLAG_SPI_LOW_ZERO, "" },
		{ NAME SAID "destaddr=Z.Z.Z.Z, prot=50, spi=0xB761863E(3076621886), srcaddr=198.51.100.7", "", "198.51.100.7", "?", 50, true,
			0xb761863e, MASKED, "" },
		{ NAME SAID "destaddr=, prot=50, spi=0xB761863E(3076621886), srcaddr=198.51.100.7", "", "198.51.100.7", "?", 50, true, 0xb761863e, MASKED,
			"" },
		{ NAME SAID "destaddr=192.0.2.1, prot=50, spi=0xB761863E(3076621886), srcaddr=, input interface=Gi1", "", "?", "192.0.2.1", 50, true,
			0xb761863e, MASKED, "Gi1" },
		{ NAME SAID "destaddr=192.0.2.1, prot=50, spi=0xB761863E(3076621886), srcaddr=198.51.x.x", "", "?", "192.0.2.1", 50, true, 0xb761863e,
			MASKED, "" },
		{ NAME SAID "destaddr=192.0.2.1, prot=50, spi=0xXXXXXXXX(XXXXXXXXXX), srcaddr=198.51.100.7", "", "198.51.100.7", "192.0.2.1", 50, false,
			0, 0, "" },
		{ NAME SAID "destaddr=192.0.2.1, prot=50, spi=, srcaddr=198.51.100.7", "", "198.51.100.7", "192.0.2.1", 50, false, 0, 0, "" },
		{ NAME SAID "destaddr=192.0.2.1, prot=, spi=0xB761863E(3076621886), srcaddr=198.51.100.7", "", "198.51.100.7", "192.0.2.1", 0, true,
			0xb761863e, 0, "" },
		{ NAME SAID "destaddr=192.0.2.1, prot=50, spi=0xB761863E(3076621886), srcaddr= IPSEC(create_sa): sa created,",
			"IPSEC(create_sa): sa created,", "?", "192.0.2.1", 50, true, 0xb761863e, MASKED, "" },
		/* PIX: the ancestor named no source */
		{ "%PIX-4-402101: " SAID "destaddr=192.0.2.1, prot=esp, spi=0xB761863E(-1218345410)", "", "?", "192.0.2.1", 50, true, 0xb761863e, MASKED,
			"" },
		{ "%PIX-4-402101: " SAID "destaddr= 192.0.2.1, prot= esp, spi= 0xB761863E(-1218345411) and more", " and more", "?", "192.0.2.1", 50, true,
			0xb761863e, MASKED | DIFFERS, "" },
		{ "%PIX-4-402101: " SAID "destaddr=192.0.2.1, prot=esp, spi=0xB761863E, srcaddr=198.51.100.7", "", "198.51.100.7", "192.0.2.1", 50, true,
			0xb761863e, 0, "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t len = strlen(rows[i].text);
		struct reading r;
		const struct fact *f = &r.fact;
		enum dialect_result result = read_exactly(dialect_cisco_read, rows[i].text, len, &r);

		if (result != DIALECT_READ)
			fail_msg("%s: %d, %s", rows[i].text, result, r.failure.reason);
		assert_int_equal(f->kind, FACT_STRAY);
		assert_int_equal(f->dialect, DIALECT_IOS);
		assert_int_equal(f->count, 1);
		check_address(rows[i].text, "src", &f->src, rows[i].src);
		check_address(rows[i].text, "dst", &f->dst, rows[i].dst);
		if (f->protocol != rows[i].protocol || f->has != (rows[i].has_spi ? FACT_HAS_SPI : 0) || f->spi.value != rows[i].spi ||
			f->flags != rows[i].flags || strcmp(f->interface, rows[i].interface) != 0)
			fail_msg("%s: prot %d, has %x, spi %x, flags %x, interface \"%s\"", rows[i].text, f->protocol, f->has, f->spi.value, f->flags,
				f->interface);
		if (rows[i].rest && strcmp(rows[i].text + r.used, rows[i].rest) != 0)
			fail_msg("%s: used up to \"%s\"", rows[i].text, rows[i].text + r.used);
	}
}

static void what_is_no_message(void **state)
{
	static const struct {
		const char *text;
		enum dialect_result result;
		bool complete;
		const char *reason;
	} rows[] = {
		{ NAME SAID "destaddr=[IP_address], prot=[dec], spi=[hex]([dec])", DIALECT_BAD, false, "a template" },
		{ NAME SAID "destaddr=<local ip>, prot=50, spi=0x1(1), srcaddr=<remote ip>", DIALECT_BAD, false, "a template" },
		{ "%PIX-4-402101: decaps: rec'd IPSEC packet has invalid spi for\ndestaddr= dest_address, prot= protocol, spi= number", DIALECT_BAD,
			false, "a template" },
		{ NAME SAID "destaddr=192.0.2.1, prot=50, spi=0xB761863E5(1), srcaddr=198.51.100.7", DIALECT_BAD, false, "more than 32 bits" },
		{ NAME SAID "destaddr=192.0.2.1, prot=50, spi=99999999999, srcaddr=198.51.100.7", DIALECT_BAD, false, "more than 32 bits" },
		{ NAME SAID "destaddr=192.0.2.1, prot=50, spi=0xHELLO(1), srcaddr=198.51.100.7", DIALECT_BAD, false, "no hex number" },
		{ NAME SAID "destaddr=192.0.2.1, prot=47, spi=0x1(1), srcaddr=198.51.100.7", DIALECT_BAD, false, "neither 50" },
		{ NAME SAID "destaddr=192.0.2.1, prot=99999999999999999999, spi=0x1(1), srcaddr=198.51.100.7", DIALECT_BAD, false, "neither 50" },
		{ NAME SAID "prot=50, spi=0x1(1), srcaddr=198.51.100.7, and so on", DIALECT_BAD, false, "destaddr= is missing" },
		{ NAME "something else altogether", DIALECT_BAD, false, "the name without its message" },
		{ NAME "appears in the log when SAs are out of step", DIALECT_BAD, false, "the name without its message" },
		{ NAME "decaps: rec'd IPSEC packet has invalid spi for", DIALECT_MORE, false, "destaddr= is missing" },
		{ NAME "decaps: rec'd IPSEC pack", DIALECT_MORE, false, "the fields are missing" },
		{ NAME, DIALECT_MORE, false, "the fields are missing" },
		{ NAME SAID "destaddr=192.0.2.1, prot=50,", DIALECT_MORE, false, "spi= is missing" },
		{ NAME SAID "destaddr=192.0.2.1, prot=5", DIALECT_MORE, false, "spi= is missing" },
		{ NAME SAID "destaddr=192.0.2.1, prot=50, spi=0xB761863E(3076621886), src", DIALECT_MORE, false, "srcaddr= is missing" },
		/* whole, as far as it goes: counted even when nothing follows */
		{ NAME SAID "destaddr=192.0.2.1, prot=50, spi=0xB761863E(3076621886), srcaddr=", DIALECT_MORE, true, "srcaddr= is missing" },
		{ NAME SAID "destaddr=192.0.2.1, prot=50, spi=0xB761863E(3076621886), srcaddr=198.51.", DIALECT_MORE, true, "cut within srcaddr=" },
		{ NAME SAID "destaddr=2001:db8::1, prot=50, spi=0xB761863E(3076621886), srcaddr=2001:db8", DIALECT_MORE, true, "cut within srcaddr=" },
		{ PLAIN ",", DIALECT_MORE, true, "the interface is missing" },
		{ PLAIN ", inp", DIALECT_MORE, true, "the interface is missing" },
		{ PLAIN ", input interface=", DIALECT_MORE, true, "the interface is missing" },
		{ "%PIX-4-402101: " SAID "destaddr=192.0.2.1, prot=esp, spi=0xB761863E, ", DIALECT_MORE, true, "srcaddr= is missing" },
		{ "%PIX-4-402102: something", DIALECT_NOT_MINE, false, NULL },
		{ "%CRYPTO-4-RECVD_PKT_INV_SPI", DIALECT_NOT_MINE, false, NULL },
		{ "x" PLAIN, DIALECT_NOT_MINE, false, NULL },
		{ "%LINK-3-UPDOWN: Interface Tunnel0, changed state to up", DIALECT_NOT_MINE, false, NULL },
		{ "", DIALECT_NOT_MINE, false, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct reading r;
		enum dialect_result result = read_exactly(dialect_cisco_read, rows[i].text, strlen(rows[i].text), &r);

		if (result != rows[i].result || r.complete != rows[i].complete ||
		    (rows[i].reason && !strstr(r.failure.reason, rows[i].reason)))
			fail_msg("%s: %d, complete %d, %s", rows[i].text, result, r.complete, r.failure.reason ? r.failure.reason : "-");
	}
}

static void the_related_messages(void **state)
{
	static const struct {
		const char *text;
		enum fact_kind kind; /* FACT_NONE: proves nothing */
		const char *src, *dst;
		uint32_t has, spi;
		uint64_t sequence;
		uint32_t flags;
		const char *interface;
	} rows[] = {
		{ "%CRYPTO-4-IKMP_NO_SA: IKE message from 192.0.2.1 has no SA and is not an initialization offer", FACT_NO_IKE_SA, "192.0.2.1", "?", 0,
			0, 0, 0, "" },
		{ "%CRYPTO-4-IKMP_NO_SA: IKE message from x.x.x.x has no SA", FACT_NO_IKE_SA, "?", "?", 0, 0, 0, MASKED, "" },
		{ "%CRYPTO-6-ISAKMP_ON_OFF: ISAKMP is ON", FACT_IKE_STARTED, "?", "?", 0, 0, 0, 0, "" },
		{ "%CRYPTO-6-ISAKMP_ON_OFF: ISAKMP is OFF", FACT_NONE, NULL, NULL, 0, 0, 0, 0, NULL },
		{ "%CRYPTO-4-RECVD_PKT_NOT_IPSEC: Rec'd packet not an IPSEC packet. (ip) vrf/dest_addr= /203.0.113.2, src_addr= 198.51.100.2, prot= 47",
			FACT_NOT_IPSEC, "198.51.100.2", "203.0.113.2", 0, 0, 0, 0, "" },
		{ "%CRYPTO-4-RECVD_PKT_NOT_IPSEC: Rec'd packet not an IPSEC packet. (ip) vrf/dest_addr= red/203.0.113.2, src_addr= 198.51.100.2, "
			"prot= 47", FACT_NOT_IPSEC, "198.51.100.2", "203.0.113.2", 0, 0, 0, 0, "" },
		{ "%CRYPTO-4-RECVD_PKT_NOT_IPSEC: Rec'd packet not an IPSEC packet. (ip) dest_addr= 203.0.113.2, src_addr= 198.51.100.2, prot= 47",
			FACT_NOT_IPSEC, "198.51.100.2", "203.0.113.2", 0, 0, 0, 0, "" },
		{ "%CRYPTO-4-RECVD_PKT_INV_IDENTITY: identity doesn't match negotiated identity (ip) dest_addr= 203.0.113.2, src_addr= 198.51.100.2, "
			"prot= 1", FACT_SELECTOR, "198.51.100.2", "203.0.113.2", 0, 0, 0, 0, "" },
		{ "%CRYPTO-4-RECVD_PKT_MAC_ERR: decrypt: mac verify failed for connection id=294 spi=98FC0400 seqno=0000000E", FACT_INTEGRITY, "?", "?",
			FACT_HAS_SPI | FACT_HAS_SEQUENCE, 0x98fc0400, 14, 0, "" },
		{ "%CRYPTO-4-RECVD_PKT_MAC_ERR: decrypt: mac verify failed for connection id=294 local=192.0.2.1 remote=198.51.100.7 spi=98FC0400 "
			"seqno=0000000E", FACT_INTEGRITY, "198.51.100.7", "192.0.2.1", FACT_HAS_SPI | FACT_HAS_SEQUENCE, 0x98fc0400, 14, 0, "" },
		{ "%CRYPTO-4-RECVD_PKT_MAC_ERR: decrypt: mac verify failed for connection id=294 spi=98FC040012 seqno=1", FACT_INTEGRITY, "?", "?",
			FACT_HAS_SEQUENCE, 0, 1, 0, "" },
		{ "%CRYPTO-4-PKT_REPLAY_ERR: decrypt: replay check failed connection id=29, sequence number=219", FACT_REPLAY, "?", "?",
			FACT_HAS_SEQUENCE, 0, 219, 0, "" },
		{ "%CRYPTO-4-PKT_REPLAY_ERR: decrypt: replay check failed\n        connection id=29, sequence number=219", FACT_REPLAY, "?", "?",
			FACT_HAS_SEQUENCE, 0, 219, 0, "" },
		{ "%CRYPTO-4-PKT_REPLAY_ERR: decrypt: replay check failed connection id=29", FACT_REPLAY, "?", "?", 0, 0, 0, 0, "" },
		{ "%IPSEC-3-HMAC_ERROR: IPSec SA receives HMAC error, DP Handle 349, src_addr 198.51.100.7, dest_addr 192.0.2.1, SPI 0xdad10535",
			FACT_INTEGRITY, "198.51.100.7", "192.0.2.1", FACT_HAS_SPI, 0xdad10535, 0, 0, "" },
		{ "%IPSEC-3-HMAC_ERROR: IPSec SA receives HMAC error, DP Handle 349, src_addr 198.51.100.7, dest_addr 192.0.2.1, SPI 0xdad10535]",
			FACT_INTEGRITY, "198.51.100.7", "192.0.2.1", FACT_HAS_SPI, 0xdad10535, 0, 0, "" },
		{ "%IPSEC-3-REPLAY_ERROR: IPSec SA receives anti-replay error, DP Handle 41, src_addr 192.0.2.1, dest_addr 198.51.100.7, SPI 0x203",
			FACT_REPLAY, "192.0.2.1", "198.51.100.7", FACT_HAS_SPI, 0x203, 0, FLAG_SPI_SMALL, "" },
		{ "%HW_VPN-1-HPRXERR: Hardware VPN0/1: Packet Encryption/Decryption error, status=4096", FACT_HARDWARE, "?", "?", 0, 0, 0, 0, "" },
		{ "%DMVPN-5-NHRP_NHC_DOWN: Tunnel0: Next Hop Client : (Tunnel: 172.16.0.2 NBMA: 198.51.100.2 ) for (Tunnel: 172.16.0.1 NBMA: "
			"203.0.113.2) is DOWN, Reason: External(NHRP: no error)", FACT_NHRP_DOWN, "198.51.100.2", "203.0.113.2", 0, 0, 0, 0, "Tunnel0" },
		{ "%DMVPN-5-NHRP_NHC_UP: Tunnel0: Next Hop Client : (Tunnel: 172.16.0.2 NBMA: 198.51.100.2 ) is UP", FACT_NONE, NULL, NULL, 0, 0, 0, 0,
			NULL },
		{ "%CRYPTO-5-SESSION_STATUS: Crypto tunnel is UP . Peer 192.0.2.1:500 Id: 192.0.2.1", FACT_TUNNEL_UP, "192.0.2.1", "?", 0, 0, 0, 0, "" },
		{ "%CRYPTO-5-IKEV2_SESSION_STATUS: Crypto tunnel v2 is DOWN. Peer 192.0.2.1:4500 Id: 192.0.2.1", FACT_TUNNEL_DOWN, "192.0.2.1", "?", 0, 0,
			0, 0, "" },
		{ "%LINEPROTO-5-UPDOWN: Line protocol on Interface Tunnel10, changed state to down", FACT_LINE_DOWN, "?", "?", 0, 0, 0, 0, "Tunnel10" },
		{ "%LINEPROTO-5-UPDOWN: Line protocol on Interface Tunnel10, changed state to up", FACT_LINE_UP, "?", "?", 0, 0, 0, 0, "Tunnel10" },
		{ "%LINEPROTO-5-UPDOWN: Line protocol on Interface GigabitEthernet1, changed state to up", FACT_NONE, NULL, NULL, 0, 0, 0, 0, NULL },
		{ "%SYS-5-CONFIG_I: Configured from console by vty2 (192.0.2.36)", FACT_CONFIGURED, "?", "?", 0, 0, 0, 0, "" },
		{ "%SYS-5-RESTART: System restarted --", FACT_RESTART, "?", "?", 0, 0, 0, 0, "" },
		{ "%SYS-6-CLOCKUPDATE: System clock has been updated", FACT_NONE, NULL, NULL, 0, 0, 0, 0, NULL },
		{ "%HA_EM-6-LOG: command_hub: command_hub is running ...", FACT_APPLET, "?", "?", 0, 0, 0, 0, "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct reading r;
		enum dialect_result result = read_exactly(dialect_cisco_read, rows[i].text, strlen(rows[i].text), &r);

		if (result != (rows[i].kind ? DIALECT_READ : DIALECT_NOT_MINE) || (rows[i].kind && r.fact.kind != rows[i].kind))
			fail_msg("%s: result %d, kind %d", rows[i].text, result, r.fact.kind);
		if (!rows[i].kind)
			continue;
		check_address(rows[i].text, "src", &r.fact.src, rows[i].src);
		check_address(rows[i].text, "dst", &r.fact.dst, rows[i].dst);
		if (r.fact.has != rows[i].has || r.fact.spi.value != rows[i].spi || r.fact.sequence != rows[i].sequence ||
			r.fact.flags != rows[i].flags || strcmp(r.fact.interface, rows[i].interface) != 0)
			fail_msg("%s: has %x, spi %x, flags %x, interface \"%s\"", rows[i].text, r.fact.has, r.fact.spi.value, r.fact.flags,
				r.fact.interface);
	}
	{
		static const char cut[] = "%CRYPTO-4-PKT_REPLAY_ERR: decrypt: replay check failed";
		static const char template[] = "%CRYPTO-4-RECVD_PKT_NOT_IPSEC: Rec'd packet not an IPSEC packet. (ip) vrf/dest_addr= /<local ip>, "
					       "src_addr= <remote ip>, prot= 47";
		struct reading r;

		assert_int_equal(read_exactly(dialect_cisco_read, cut, strlen(cut), &r), DIALECT_MORE);
		assert_true(r.complete && r.fact.kind == FACT_REPLAY);
		assert_int_equal(read_exactly(dialect_cisco_read, template, strlen(template), &r), DIALECT_BAD);
	}
}

static void debugs_and_typed_commands(void **state)
{
	static const struct {
		const char *text;
		enum fact_kind kind;
		const char *src, *dst;
		uint32_t has, spi;
		uint64_t sequence;
		const char *host;
	} rows[] = {
		{ "ISAKMP-ERROR: (0):ignoring request to send delete notify (no ISAKMP sa) src 192.0.2.1 dst 198.51.100.7 for SPI 0x3EA71AED",
			FACT_NO_DELETE, "198.51.100.7", "192.0.2.1", FACT_HAS_SPI, 0x3ea71aed, 0, "" },
		{ "ISAKMP: ignoring request to send delete notify (no ISAKMP sa) src 192.0.2.1 dst 198.51.100.7 for SPI 0x3EA71AED", FACT_NO_DELETE,
			"198.51.100.7", "192.0.2.1", FACT_HAS_SPI, 0x3ea71aed, 0, "" },
		{ "IPSEC(create_sa): sa created, (sa) sa_dest= 192.0.2.1, sa_proto= 50, sa_spi= 0xB761863E(3076621886), sa_trans= esp-3des",
			FACT_SA_BORN, "?", "192.0.2.1", FACT_HAS_SPI, 0xb761863e, 0, "" },
		{ "IPSEC(delete_sa): deleting SA, (sa) sa_dest= 192.0.2.1, sa_proto= 50, sa_spi= 0xB761863E(3076621886),", FACT_SA_DIED, "?",
			"192.0.2.1", FACT_HAS_SPI, 0xb761863e, 0, "" },
		{ "IPSEC(create_sa): sa created,", FACT_NONE, NULL, NULL, 0, 0, 0, NULL },
		{ "anti-replay drop on sa=0x1a2b, src 192.0.2.1 dst 198.51.100.7, spi 515/(0x203), ip_id 1200, sns_idx 0, seq_no=7, ar_highest=9000",
			FACT_REPLAY, "192.0.2.1", "198.51.100.7", FACT_HAS_SPI | FACT_HAS_SEQUENCE, 0x203, 7, "" },
		{ "hub#clear crypto sa peer 192.0.2.1", FACT_CLEARED, "192.0.2.1", "?", 0, 0, 0, "hub" },
		{ "hub# clear crypto isakmp", FACT_CLEARED, "?", "?", 0, 0, 0, "hub" },
		{ "hub(config-if)#do clear crypto session remote 192.0.2.1", FACT_CLEARED, "192.0.2.1", "?", 0, 0, 0, "hub(config-if)" },
		{ "hub#clear crypto sa counters", FACT_NONE, NULL, NULL, 0, 0, 0, NULL }, /* no SA is touched */
		{ "hub#clear crypto sa ?", FACT_NONE, NULL, NULL, 0, 0, 0, NULL },
		{ "hub#show crypto ipsec sa", FACT_NONE, NULL, NULL, 0, 0, 0, NULL },
		{ "Then type clear crypto sa peer 192.0.2.1", FACT_NONE, NULL, NULL, 0, 0, 0, NULL },
		{ "clear crypto sa peer 192.0.2.1", FACT_NONE, NULL, NULL, 0, 0, 0, NULL },
		{ "#clear crypto sa", FACT_NONE, NULL, NULL, 0, 0, 0, NULL },
		{ "", FACT_NONE, NULL, NULL, 0, 0, 0, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct text text = text_of(rows[i].text);
		struct reading r = { 0 };
		enum dialect_result result = dialect_cisco_debug_read(text, &r);

		if (result != (rows[i].kind ? DIALECT_READ : DIALECT_NOT_MINE) || (rows[i].kind && r.fact.kind != rows[i].kind))
			fail_msg("%s: result %d, kind %d", rows[i].text, result, r.fact.kind);
		if (!rows[i].kind)
			continue;
		check_address(rows[i].text, "src", &r.fact.src, rows[i].src);
		check_address(rows[i].text, "dst", &r.fact.dst, rows[i].dst);
		if (r.fact.has != rows[i].has || r.fact.spi.value != rows[i].spi || r.fact.sequence != rows[i].sequence ||
			!text_equal(r.own_host, text_of(rows[i].host)))
			fail_msg("%s: has %x, spi %x, host \"%.*s\"", rows[i].text, r.fact.has, r.fact.spi.value, TEXT_ARG(r.own_host));
		for (size_t len = 0; len < text.len; len++)
			read_exactly(dialect_cisco_debug_read, rows[i].text, len, &r);
	}
}

/* A line may end anywhere. Then the message is cut, or it is read and nothing in it is made up. */
static void cut_at_every_byte(void **state)
{
	static const char *const rows[] = {
		PLAIN ", input interface=GigabitEthernet0/0",
		NAME SAID "destaddr=2001:db8::1, prot=51, spi=0xB761863E(3076621886), srcaddr=2001:db8:1::7",
		NAME "decaps rec'd IPSEC packet\n   has invalid spi for destaddr= 192.0.2.1 ,\nprot= 50 , spi= 0xB761863E(3076621886) , srcaddr= 198.51.100.7",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t source = (size_t)(strstr(rows[i], "srcaddr=") - rows[i]) + strlen("srcaddr=");

		for (size_t len = strlen(NAME); len < strlen(rows[i]); len++) {
			struct reading r;
			enum dialect_result result = read_exactly(dialect_cisco_read, rows[i], len, &r);

			if (result != DIALECT_MORE && !(result == DIALECT_READ && len > source + 6))
				fail_msg("%.*s: %d, %s", (int)len, rows[i], result, r.failure.reason);
			if ((result == DIALECT_READ || r.complete) && (r.fact.spi.value != 0xb761863e || r.fact.flags & DIFFERS))
				fail_msg("%.*s: spi %x, flags %x", (int)len, rows[i], r.fact.spi.value, r.fact.flags);
		}
		for (size_t len = 0; len < strlen(NAME) - 2; len++) {
			struct reading r;

			assert_int_equal(read_exactly(dialect_cisco_read, rows[i], len, &r), DIALECT_NOT_MINE);
		}
	}
}

/* One byte changed, every way: nothing crashes, and what is read keeps its promises. */
static void one_byte_wrong(void **state)
{
	static const char text[] = PLAIN ", input interface=Gi0/0";
	static const char bytes[] = "\0\xff\n ,=(%x0<[\"-";

	(void)state;
	for (size_t at = 0; at < sizeof(text) - 1; at++) {
		for (size_t i = 0; i < sizeof(bytes) - 1; i++) {
			char changed[sizeof(text)];
			struct reading r;

			memcpy(changed, text, sizeof(text));
			changed[at] = bytes[i];
			if (read_exactly(dialect_cisco_read, changed, sizeof(text) - 1, &r) == DIALECT_READ)
				assert_true(r.used > 0 && r.fact.kind == FACT_STRAY && r.fact.count == 1);
			read_exactly(dialect_cisco_debug_read, changed, sizeof(text) - 1, &r);
		}
	}
}

/* Two blanks where the short cut wants one send the same message the long way: both must say the same, whatever byte is
 * wrong. */
static void the_short_cut_says_what_the_long_way_says(void **state)
{
	static const char *const plain = PLAIN ", input interface=Ethernet0/0";
	static const char wrong[] = "0a9xX.,=() \n:*[\"\0";
	size_t len = strlen(plain), gap = strlen(NAME "decaps:");
	char text[256], longer[256];

	(void)state;
	for (size_t cut = len - 60; cut <= len; cut++) {
		for (size_t at = gap + 1; at <= cut; at++) { /* the last round changes nothing */
			for (size_t w = 0; w < sizeof(wrong); w++) {
				enum dialect_result by_short, by_long;
				struct reading x, y;

				memcpy(text, plain, cut);
				if (at < cut)
					text[at] = wrong[w];
				memcpy(longer, text, gap);
				longer[gap] = ' ';
				memcpy(longer + gap + 1, text + gap, cut - gap);
				by_short = read_exactly(dialect_cisco_read, text, cut, &x);
				by_long = read_exactly(dialect_cisco_read, longer, cut + 1, &y);
				if (by_short != by_long || memcmp(&x.fact, &y.fact, sizeof(x.fact)) != 0 ||
				    x.complete != y.complete || (by_short == DIALECT_READ && x.used + 1 != y.used) ||
				    x.failure.reason != y.failure.reason)
					fail_msg("%.*s: %d, the long way %d", (int)cut, text, by_short, by_long);
				if (at == cut)
					break;
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_body_form),
		cmocka_unit_test(what_is_no_message),
		cmocka_unit_test(the_related_messages),
		cmocka_unit_test(debugs_and_typed_commands),
		cmocka_unit_test(cut_at_every_byte),
		cmocka_unit_test(one_byte_wrong),
		cmocka_unit_test(the_short_cut_says_what_the_long_way_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
