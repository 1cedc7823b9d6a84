/* SPDX-License-Identifier: MIT */
#include "model/kind.h"

enum kind_recovery kind_invalid_spi_recovery(enum tunnel_kind kind)
{
	switch (kind) { /* B12, row by row */
	case TUNNEL_STATIC_CRYPTO_MAP:
	case TUNNEL_GRE_P2P:
	case TUNNEL_MGRE_NHRP_STATIC:
	case TUNNEL_SVTI:
		return RECOVERY_YES;
	case TUNNEL_DYNAMIC_CRYPTO_MAP:
	case TUNNEL_MGRE_NHRP_DYNAMIC:
		return RECOVERY_NO;
	case TUNNEL_EZVPN_CLIENT:
	case TUNNEL_SDWAN:   /* no IKE to recover over: B15 */
	case TUNNEL_IKELESS:
		return RECOVERY_NOT_APPLICABLE;
	case TUNNEL_UNKNOWN:
	case TUNNEL_KINDS:
		break;
	}
	return RECOVERY_UNKNOWN;
}

const char *kind_recovery_name(enum kind_recovery recovery)
{
	static const char *const names[] = { "yes", "no", "not-applicable", "unknown" };

	return names[recovery];
}

bool kind_has_ike(enum tunnel_kind kind)
{
	return kind != TUNNEL_SDWAN && kind != TUNNEL_IKELESS;
}

/* "Tunnel" or "Tu", as IOS abbreviates it, and the digits behind it. */
static bool tunnel_number(struct text interface, size_t *ret_digits, uint64_t *ret_number)
{
	struct text rest = text_trim(interface);

	if (!text_take_nocase(&rest, TEXT("Tunnel")) && !text_take_nocase(&rest, TEXT("Tu")))
		return false;
	return text_take_digits(&rest, 10, ret_number, ret_digits) && rest.len == 0;
}

enum tunnel_kind kind_from_interface(struct text interface)
{
	uint64_t number;
	size_t digits;

	if (tunnel_number(interface, &digits, &number) && digits == 5 && number >= 10000)
		return TUNNEL_SDWAN;
	return TUNNEL_UNKNOWN;
}

bool kind_is_open_tunnel(struct text interface)
{
	uint64_t number;
	size_t digits;

	return tunnel_number(interface, &digits, &number) && kind_from_interface(interface) == TUNNEL_UNKNOWN;
}

enum tunnel_kind kind_of_facts(const struct kind_facts *f)
{
	if (!f->configured)
		return TUNNEL_UNKNOWN;
	if (f->dynamic_peer)
		return f->gre && f->device == GRE_DEVICE_MULTIPOINT ? TUNNEL_MGRE_NHRP_DYNAMIC : TUNNEL_DYNAMIC_CRYPTO_MAP;
	if (f->virtual_address)
		return TUNNEL_EZVPN_CLIENT;
	if (!f->gre)
		return f->route_based ? TUNNEL_SVTI : TUNNEL_STATIC_CRYPTO_MAP;
	switch (f->device) {
	case GRE_DEVICE_POINT_TO_POINT:
		return TUNNEL_GRE_P2P;
	case GRE_DEVICE_MULTIPOINT:
		return TUNNEL_MGRE_NHRP_STATIC;
	case GRE_DEVICE_UNKNOWN:
		break;
	}
	return TUNNEL_UNKNOWN;
}

const char *kind_help(enum tunnel_kind kind)
{
	static const char *const help[TUNNEL_KINDS] = {
		[TUNNEL_UNKNOWN] = "No loaded connection has this child, or it carries GRE and no GRE device here ends at these addresses.",
		[TUNNEL_STATIC_CRYPTO_MAP] = "Policies alone decide what it carries, and the connection names the peer's address.",
		[TUNNEL_DYNAMIC_CRYPTO_MAP] = "The connection takes a peer from any address, a range, a subnet or by a name.",
		[TUNNEL_GRE_P2P] = "It carries GRE, the connection names the peer's address, and a GRE device leads there.",
		[TUNNEL_MGRE_NHRP_STATIC] = "It carries GRE, the GRE device has no remote end of its own, and the connection names the peer's "
					    "address.",
		[TUNNEL_MGRE_NHRP_DYNAMIC] = "It carries GRE, the GRE device has no remote end of its own, and the connection takes any peer: "
					     "NHRP learns who is where.",
		[TUNNEL_SVTI] = "Its SAs have a mark or an interface id, as those of a VTI or an XFRM interface, and the connection names the "
				"peer's address.",
		[TUNNEL_EZVPN_CLIENT] = "The peer gave this end its inner address (config mode): it is the client.",
		[TUNNEL_SDWAN] = "A controller distributes its keys, without IKE.",
		[TUNNEL_IKELESS] = "Its keys come from outside, without IKE.",
	};

	return help[kind];
}
