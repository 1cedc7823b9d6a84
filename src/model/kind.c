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
