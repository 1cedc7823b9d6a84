/* SPDX-License-Identifier: MIT */
#include "model/device_tape.h"

static const struct {
	char sign;
	const char *name;
} ways[TAPE_WAYS] = {
	[TAPE_SENT] = { '>', "sent" },
	[TAPE_RECEIVED] = { '<', "received" },
	[TAPE_SSH] = { '!', "ssh" },
	[TAPE_NOTE] = { '=', "note" },
};

char tape_way_sign(enum tape_way way)
{
	return (unsigned)way < TAPE_WAYS ? ways[way].sign : '?';
}

const char *tape_way_name(enum tape_way way)
{
	return (unsigned)way < TAPE_WAYS ? ways[way].name : "?";
}

bool tape_valid_piece(const struct tape_piece *piece)
{
	size_t line = 0;

	if (piece->device >= DEVICES_MAX || (unsigned)piece->way >= TAPE_WAYS || piece->len == 0 || piece->len > TAPE_PIECE_MAX ||
	    piece->bytes[piece->len - 1] != '\n')
		return false;
	for (uint32_t i = 0; i < piece->len; i++) {
		if (piece->bytes[i] != '\n' && (piece->bytes[i] < 0x20 || piece->bytes[i] > 0x7e))
			return false;
		line = piece->bytes[i] == '\n' ? 0 : line + 1;
		if (line > TAPE_LINE_MAX)
			return false;
	}
	return true;
}
