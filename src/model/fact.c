/* SPDX-License-Identifier: MIT */
#include "model/fact.h"

static const char *const kind_names[FACT_KINDS] = {
	[FACT_NONE] = "none",
	[FACT_STRAY] = "unknown-spi",
	[FACT_INTEGRITY] = "integrity-failure",
	[FACT_REPLAY] = "replay",
	[FACT_NOT_IPSEC] = "not-ipsec",
	[FACT_HARDWARE] = "hardware-error",
	[FACT_SELECTOR] = "selector-mismatch",
	[FACT_NO_IKE_SA] = "no-ike-sa",
	[FACT_NO_DELETE] = "delete-not-possible",
	[FACT_DELETE_UNKNOWN] = "delete-for-unknown-spi",
	[FACT_INVALID_SPI_NOTIFY] = "invalid-spi-notify",
	[FACT_INVALID_SYNTAX] = "invalid-syntax-notify",
	[FACT_IKE_STARTED] = "ike-started",
	[FACT_INITIAL_CONTACT] = "initial-contact",
	[FACT_DPD_DEAD] = "dpd-peer-dead",
	[FACT_SA_BORN] = "sa-born",
	[FACT_SA_DIED] = "sa-died",
	[FACT_REKEY] = "rekey",
	[FACT_REKEY_COLLISION] = "rekey-collision",
	[FACT_KERNEL_LOST] = "kernel-lost-sa",
	[FACT_CHILD_NOT_FOUND] = "child-sa-not-found",
	[FACT_TUNNEL_UP] = "tunnel-up",
	[FACT_TUNNEL_DOWN] = "tunnel-down",
	[FACT_LINE_UP] = "line-up",
	[FACT_LINE_DOWN] = "line-down",
	[FACT_NHRP_DOWN] = "nhrp-down",
	[FACT_BFD_DOWN] = "bfd-down",
	[FACT_RESTART] = "restart",
	[FACT_CONFIGURED] = "configured",
	[FACT_CLEARED] = "crypto-cleared",
	[FACT_APPLET] = "applet",
	[FACT_SA_TABLE] = "sa-table",
	[FACT_REPEATED] = "repeated",
};

static const char *const dialect_names[DIALECT_COUNT] = {
	[DIALECT_UNKNOWN] = "unknown",
	[DIALECT_IOS] = "ios",
	[DIALECT_ASA] = "asa",
	[DIALECT_SCREENOS] = "screenos",
	[DIALECT_FORTIGATE] = "fortigate",
	[DIALECT_CHECKPOINT] = "checkpoint",
	[DIALECT_VERSA] = "versa",
	[DIALECT_ZYXEL] = "zyxel",
	[DIALECT_NORTEL] = "nortel",
	[DIALECT_LINUX_AUDIT] = "linux-audit",
	[DIALECT_STRONGSWAN] = "strongswan",
	[DIALECT_LIBRESWAN] = "libreswan",
};

static const struct {
	const char *name, *help;
} flags[FLAG_COUNT_LAST + 1] = {
	{ "decimal-differs", "The decimal SPI in the message is not its hex SPI; the hex one was taken." },
	{ "address-masked", "An address in the message was masked, empty or no address." },
	{ "clock-unset", "The device marked its clock as not authoritative (*); its times may be wrong." },
	{ "clock-jumped", "The observer's time stamps went back." },
	{ "no-time", "No usable time stamp: repetition over time cannot be judged." },
	{ "spi-swapped", "The SPI matches only with its bytes reversed, as ASA and FTD print some (CSCvx23833)." },
	{ "spi-0xff", "The SPI starts with 0xff, which some releases drop as invalid (CSCvp16730)." },
	{ "spi-low-zero", "The low 16 bits of the SPI are zero, as in the scans of November 2023." },
	{ "spi-printable", "The SPI is printable text, as scanners send." },
	{ "spi-reserved", "SPIs 0 to 255 are reserved and never negotiated (RFC 4303 2.1)." },
	{ "spi-small", "A small SPI is a counter or a manual key: the same value comes again without being the same SA." },
	{ "many-sources", "Other sources sent the same SPI." },
	{ "many-peers", "Many peers of this observer fell out of step within minutes: one common cause is likely." },
	{ "both-directions", "Packets of the opposite direction are dropped for an unknown SPI too." },
	{ "both-ends", "Evidence from the logs of both ends." },
	{ "copies", "The same message stood in several places and was counted once." },
	{ "several-observers", "Hosts of different names claim to have logged it." },
	{ "nat-t", "ESP in UDP (NAT traversal)." },
	{ "evidence-cut", "More evidence was seen than is kept." },
	{ "forgery-suspected", "Many SPIs or many sources without repetition: a scan or forged packets." },
	{ "sequence-stuck", "The ESP sequence number does not rise: a replay or a forgery, not a live sender." },
};

const char *fact_kind_name(enum fact_kind kind)
{
	return kind < FACT_KINDS ? kind_names[kind] : "none";
}

const char *fact_dialect_name(enum fact_dialect dialect)
{
	return dialect < DIALECT_COUNT ? dialect_names[dialect] : "unknown";
}

const char *fact_flag_name(enum fact_flag flag)
{
	return flags[__builtin_ctz((unsigned)flag)].name;
}

const char *fact_flag_help(enum fact_flag flag)
{
	return flags[__builtin_ctz((unsigned)flag)].help;
}

struct fact fact_of(enum fact_kind kind, enum fact_dialect dialect)
{
	return (struct fact){ .kind = kind, .dialect = dialect, .count = 1 };
}

void fact_flag_spi(struct fact *f)
{
	uint32_t spi = f->spi.value;
	bool printable = true;

	if (!(f->has & FACT_HAS_SPI))
		return;
	for (int shift = 0; shift < 32; shift += 8) {
		uint8_t c = (uint8_t)(spi >> shift);

		printable = printable && c >= 0x20 && c < 0x7f;
	}
	if (spi >> 24 == 0xff)
		f->flags |= FLAG_SPI_0XFF;
	if (spi < 256)
		f->flags |= FLAG_SPI_RESERVED;
	if (spi < 4096)
		f->flags |= FLAG_SPI_SMALL;
	else if ((spi & 0xffff) == 0)
		f->flags |= FLAG_SPI_LOW_ZERO;
	if (printable)
		f->flags |= FLAG_SPI_PRINTABLE;
}
