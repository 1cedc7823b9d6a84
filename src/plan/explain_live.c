/* SPDX-License-Identifier: MIT */
/* Verdicts of a live gateway, and those from capture files, in general words; the figures are in record/live_explain.c and
 * in the evidence. */
#include "plan/explain_sections.h"

/* DESIGN.md 4, "from packets". */
static const char *const sentences[RULE_COUNT] = {
	[RULE_LEDGER_DEAD] = "$R had given out SPI $X itself, it is dead, and $S goes on using it: enough packets, spread over enough time, "
			     "and later than any overlap.",
	[RULE_DATA_PLANE_LOST] = "The IKE daemon of $R lists the SA $X and the data plane drops its packets as unknown: it was lost below "
				 "the daemon.",
	[RULE_TOO_FEW_STRAYS] = "$R had given out SPI $X and it is dead, but too few packets came to tell a desync from packets in flight.",
	[RULE_EARLY_USE] = "SPI $X is being negotiated: $S used it a moment before $R had installed it, which it may.",
	[RULE_NOT_IN_LEDGER] = "$S is a peer, but $R never gave out SPI $X as far as its ledger goes back: forged, or older than the ledger.",
	[RULE_SEQUENCE_REPLAYED] = "The sequence numbers do not pass the highest that the SA $X had accepted: recorded packets, sent again.",
	[RULE_STRAYS_ENDED] = "The packets on $X ended before they proved anything.",
	[RULE_ONE_WAY] = "Packets go out on the child and none come in, where both went before: the other end may drop them, or may have "
			 "nothing to say.",
	[RULE_ENCAP_DIFFERS] = "$R has the SA $X, with the other encapsulation: one end puts ESP into UDP and the other does not.",
	[RULE_LOOKUP_KEY] = "$R has the SA $X, under another mark or interface id than the packets meet.",
	[RULE_SA_REJECTS] = "$R has the SA $X, and its kernel refuses the packets; its counters say why.",
	[RULE_PEER_CONFIRMED] = "The ledger of $R does not know SPI $X; $S was asked by a DELETE, had it, and closed it: a desync.",
	[RULE_TABLES_AGREE] = "$R, $S and $R again were read: what $S sends with is an SA that $R has. It healed, or the message was noise.",
	[RULE_NOT_READ] = "The devices were looked at, and what they showed does not prove anything: the evidence says why.",
	[RULE_SAD_LACKS] = "The table of $R has no SA $X, and $S sends on it, up to the end of the capture: enough packets, over enough "
			   "time, with rising sequence numbers.",
	[RULE_CAPTURE_FEW] = "The table of $R has no SA $X, but its packets are too few, or ended before the capture did, or the capture "
			     "ends too soon: a rekey looks the same.",
	[RULE_CAPTURE_NEWBORN] = "The SA $X began within the capture, and nothing shows that the table of $R, which does not list it, is "
				 "younger.",
	[RULE_CAPTURE_REKEYED] = "The packets on $X ended when $S went over to a newer SA: a rekey. $R does not have the old one any more, as "
				 "it should be.",
	[RULE_CAPTURE_ONE_WAY] = "$S sends on $X and nothing of IPsec comes back: $R may lack the SA, or have nothing to say, or its packets "
				 "take another way than past the capture.",
	[RULE_CAPTURE_SPI_KEPT] = "$S goes on with the SA $X after it began with a newer one, longer than a rekey takes: the ends may "
				  "disagree which one is in use, or there are two children.",
	[RULE_CAPTURE_NOTIFY] = "$R told $S in clear that it does not know SPI $X: it had no IKE SA to say it in. Anybody can forge that.",
};

bool explain_live_verdict(const struct incident *i, const struct names *n, struct buffer *out)
{
	if ((unsigned)i->rule >= RULE_COUNT || !sentences[i->rule])
		return false;
	names_say(n, out, sentences[i->rule]);
	return true;
}
