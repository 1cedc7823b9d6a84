/* SPDX-License-Identifier: MIT */
/* B9: the seven known defects, and what speaks for or against each in one incident. */
#include "plan/explain.h"

#include "model/kind.h"
#include "plan/names.h"

enum { /* order of B9 */
	NEW_SPI_DELETED,  /* CSCvn31824 */
	NOTIFY_UNPARSED,  /* CSCvd40554 */
	SPI_0XFF_DROPPED, /* CSCvp16730 */
	REKEY_LOSS,       /* CSCsl68327 */
	REKEY_DROPS,      /* CSCtr14840 */
	EARLY_NEW_SPI,    /* CSCty30063 */
	NAT_T_SILENT,     /* CSCsq59183 */
};

static const struct defect defects[DEFECTS_KNOWN] = {
	[NEW_SPI_DELETED] = { "CSCvn31824", "IOS XE: a packet on the new SPI that arrives before its install completes makes "
					    "ISAKMP delete the new SPI." },
	[NOTIFY_UNPARSED] = { "CSCvd40554", "IKEv2: IOS cannot parse an INVALID_SPI notify with SPI size 0 and answers "
					    "INVALID_SYNTAX." },
	[SPI_0XFF_DROPPED] = { "CSCvp16730", "Inbound ESP with an SPI that starts with 0xff is dropped as invalid SPI, although "
					     "the SA is there." },
	[REKEY_LOSS] = { "CSCsl68327", "Packets are lost during a rekey." },
	[REKEY_DROPS] = { "CSCtr14840", "ASR: packets are dropped during a phase 2 rekey under certain conditions." },
	[EARLY_NEW_SPI] = { "CSCty30063", "ASR: the new SPI is used before quick mode finishes." },
	[NAT_T_SILENT] = { "CSCsq59183", "With NAT-T (ESP in UDP) the invalid SPI is dropped and not reported in the log." },
};

const struct defect *defect_at(size_t index)
{
	return &defects[index < DEFECTS_KNOWN ? index : 0];
}

static enum defect_fit because(const struct incident *incident, struct buffer *why, enum defect_fit fit,
			       const char *template)
{
	struct names n = names_of(incident);

	names_say(&n, why, template);
	return fit;
}

/* Needs a negotiation close to the loss, and a loss that lasts. */
static enum defect_fit match_new_spi_deleted(const struct incident *i, struct buffer *why)
{
	if (i->verdict == VERDICT_TRANSIENT)
		return because(i, why, DEFECT_DOES_NOT_FIT, "The new SPI would stay deleted and the line would come again; it did not.");
	if (i->saw[FACT_REKEY] || i->saw[FACT_SA_BORN])
		return because(i, why, DEFECT_POSSIBLE, "The logs show a negotiation near the first line; it fits if $X is the new "
							"inbound SPI of that one and $R runs IOS XE.");
	return because(i, why, DEFECT_CANNOT_TELL, "No negotiation is in the logs; `debug crypto isakmp` at $R would show whether "
						   "$X was the new SPI of a rekey.");
}

static enum defect_fit match_notify_unparsed(const struct incident *i, struct buffer *why)
{
	if (i->saw[FACT_INVALID_SYNTAX] && i->saw[FACT_INVALID_SPI_NOTIFY])
		return because(i, why, DEFECT_FITS, "The logs show an INVALID_SPI notify and an INVALID_SYNTAX: the repair over IKEv2 "
						    "fails there.");
	if (i->saw[FACT_INVALID_SYNTAX])
		return because(i, why, DEFECT_FITS, "The logs show an INVALID_SYNTAX, which is how $S answers when it cannot parse the "
						    "notify.");
	if (i->verdict == VERDICT_TRANSIENT)
		return because(i, why, DEFECT_DOES_NOT_FIT, "It breaks the repair of a desync; this healed without one.");
	return because(i, why, DEFECT_CANNOT_TELL, "No INVALID_SYNTAX is in the logs; `debug crypto ikev2` at either end would "
						   "show it.");
}

static enum defect_fit match_spi_0xff(const struct incident *i, struct buffer *why)
{
	if (!i->has_spi)
		return because(i, why, DEFECT_CANNOT_TELL, "The message does not name the SPI.");
	if (i->spi.value >> 24 != 0xff)
		return because(i, why, DEFECT_DOES_NOT_FIT, "It concerns SPIs that start with 0xff; this one is $X.");
	if (i->confirmed_at_receiver)
		return because(i, why, DEFECT_DOES_NOT_FIT, "$X starts with 0xff, but the saved table of $R does not list it: the SA is "
							    "missing.");
	return because(i, why, DEFECT_FITS, "$X starts with 0xff; it is this defect if `show crypto ipsec sa` at $R lists $X as "
					    "inbound.");
}

/* The three that lose packets around a rekey and no longer. */
static enum defect_fit match_rekey_loss(const struct incident *i, struct buffer *why, size_t index)
{
	bool asr = index != REKEY_LOSS;

	switch (i->verdict) {
	case VERDICT_TRANSIENT:
		if (index == EARLY_NEW_SPI)
			return because(i, why, DEFECT_POSSIBLE, "One line and then silence is what early use of a new SPI looks like, on an ASR "
					"with IKEv1.");
		return because(i, why, DEFECT_POSSIBLE, asr ? "One line and then silence fits drops during a rekey, if $R is an ASR."
							    : "One line and then silence fits packets lost during a rekey.");
	case VERDICT_DESYNC:
		return because(i, why, DEFECT_DOES_NOT_FIT, "It loses packets around a rekey only; here they are lost without end.");
	default:
		return because(i, why, DEFECT_CANNOT_TELL, "It loses packets around a rekey only; whether this goes on is not known yet.");
	}
}

static enum defect_fit match_nat_t(const struct incident *i, struct buffer *why)
{
	if (i->messages > 0)
		return because(i, why, DEFECT_DOES_NOT_FIT, "It keeps the line out of the log; here the line was logged.");
	if (i->encap_udp || i->flags & FLAG_NAT_T)
		return because(i, why, DEFECT_POSSIBLE, "The tunnel uses NAT-T and nothing was logged: the release of $R may be without "
							"the fix.");
	return because(i, why, DEFECT_DOES_NOT_FIT, "No NAT-T is seen on this tunnel.");
}

enum defect_fit defect_match(size_t index, const struct incident *incident, struct buffer *why)
{
	bool about_ike = index != SPI_0XFF_DROPPED && index != NAT_T_SILENT;

	if (incident->dialect > DIALECT_IOS)
		return because(incident, why, DEFECT_DOES_NOT_FIT, "It is a defect of Cisco IOS and IOS XE; $R writes another product's "
				"log.");
	if (incident->verdict == VERDICT_NOISE)
		return because(incident, why, DEFECT_DOES_NOT_FIT, "The packets do not come from a peer's SA.");
	if (about_ike && !kind_has_ike(incident->tunnel_kind))
		return because(incident, why, DEFECT_DOES_NOT_FIT, "It is a defect of IKE, and this tunnel has none.");
	if (incident->verdict == VERDICT_OTHER_FAULT && index != SPI_0XFF_DROPPED)
		return because(incident, why, DEFECT_DOES_NOT_FIT, "No SA is missing here.");
	switch (index) {
	case NEW_SPI_DELETED:
		return match_new_spi_deleted(incident, why);
	case NOTIFY_UNPARSED:
		return match_notify_unparsed(incident, why);
	case SPI_0XFF_DROPPED:
		return match_spi_0xff(incident, why);
	case NAT_T_SILENT:
		return match_nat_t(incident, why);
	default:
		return match_rekey_loss(incident, why, index);
	}
}
