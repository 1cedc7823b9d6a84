/* SPDX-License-Identifier: MIT */
#include "parse/peers.h"

#include "spimend/error.h"

static int read_network(struct text word, struct peer_line *ret, const char **ret_reason)
{
	size_t slash = text_find_char(word, '/');
	struct text address = text_first(word, slash);
	uint64_t prefix;
	unsigned most;

	if (spimend_address_parse(address.at, address.len, &ret->address) < 0) {
		*ret_reason = "no IPv4 or IPv6 address";
		return SPIMEND_E_SYNTAX;
	}
	most = ret->address.family == 4 ? 32 : 128;
	ret->prefix = most;
	if (slash == TEXT_NOT_FOUND)
		return 0;
	if (text_decimal(text_skip(word, slash + 1), most, &prefix) < 0) {
		*ret_reason = "the prefix length is no number from 0 to 32 (IPv4) or 128 (IPv6)";
		return SPIMEND_E_SYNTAX;
	}
	ret->prefix = (unsigned)prefix;
	return 0;
}

int peers_read_line(struct text line, struct peer_line *ret, const char **ret_reason, size_t *ret_offset)
{
	struct text rest = text_first(line, text_find_char(line, '#')), word;
	struct peer_line out = { 0 };

	text_take(&rest, TEXT("\xef\xbb\xbf")); /* an editor's byte order mark at the start of the file */
	rest = text_first(rest, text_find_char(rest, '!'));
	word = text_take_word(&rest);
	if (word.len == 0)
		return 0;
	*ret_offset = (size_t)(word.at - line.at);
	if (read_network(word, &out, ret_reason) < 0)
		return SPIMEND_E_SYNTAX;
	while ((word = text_take_word(&rest)).len) {
		*ret_offset = (size_t)(word.at - line.at);
		if (text_equal(word, TEXT("ours"))) {
			out.owner = OWNERSHIP_OURS;
		} else if (text_equal(word, TEXT("foreign"))) {
			out.owner = OWNERSHIP_FOREIGN;
		} else if (text_equal(word, TEXT("name"))) {
			out.name = text_take_word(&rest);
			if (out.name.len == 0) {
				*ret_reason = "a name is missing after \"name\"";
				return SPIMEND_E_SYNTAX;
			}
		} else if (tunnel_kind_from_name(word, &out.kind)) {
			out.has_kind = true;
		} else {
			*ret_reason = "expected ours, foreign, a tunnel kind (static-crypto-map, dynamic-crypto-map, gre-p2p, "
				      "mgre-nhrp-static, mgre-nhrp-dynamic, svti, ezvpn-client, sdwan, ikeless) or name NAME";
			return SPIMEND_E_SYNTAX;
		}
	}
	*ret = out;
	return 1;
}
