/* SPDX-License-Identifier: MIT */
#include "model/device_row.h"

#include <string.h>

static enum device_color color_of(const char *name, size_t size)
{
	return device_color_of((struct text){ name, strnlen(name, size) });
}

bool device_row_of(const struct saved_record *record, struct device_row *ret)
{
	struct device_row row = { 0 };

	if (record->reason)
		return false;
	switch (record->kind) {
	case SAVED_IKE:
		row = (struct device_row){ ROW_IKE, .local = record->ike.local, .remote = record->ike.remote,
					   .up = record->ike.state == SAVED_IKE_UP };
		break;
	case SAVED_BFD:
		row = (struct device_row){ ROW_BFD, .local = record->bfd.source, .remote = record->bfd.destination,
					   .color = color_of(record->bfd.local_color, sizeof(record->bfd.local_color)),
					   .up = record->bfd.up };
		break;
	case SAVED_LOCAL_SA:
		row = (struct device_row){ ROW_LOCAL_SA, .local = record->local_sa.source, .spi = record->local_sa.spi,
					   .color = color_of(record->local_sa.color, sizeof(record->local_sa.color)) };
		break;
	case SAVED_OUTBOUND:
		row = (struct device_row){ ROW_OUTBOUND_SA, .local = record->outbound.source, .remote = record->outbound.destination,
					   .color = color_of(record->outbound.color, sizeof(record->outbound.color)),
					   .spi = record->outbound.spi };
		break;
	case SAVED_CONTROL:
		row = (struct device_row){ ROW_CONTROL, .remote = record->control.system, .up = record->control.up,
					   .color = color_of(record->control.color, sizeof(record->control.color)) };
		break;
	case SAVED_OMP_PEER:
		row = (struct device_row){ ROW_OMP_PEER, .remote = record->omp_peer.peer, .up = record->omp_peer.up };
		break;
	case SAVED_INTERFACE:
		row = (struct device_row){ ROW_ADDRESS, .local = record->interface.address, .up = record->interface.up };
		break;
	case SAVED_DROP:
		if (record->drop.kind != DROP_NO_SA && record->drop.kind != DROP_REPLAY)
			return false;
		row = (struct device_row){ record->drop.kind == DROP_NO_SA ? ROW_DROP_NO_SA : ROW_DROP_REPLAY,
					   .count = record->drop.packets };
		break;
	case SAVED_TRACE:
		row = (struct device_row){ ROW_TRACE, .local = record->trace.destination, .spi = record->trace.spi,
					   .up = !record->trace.deleted };
		break;
	case SAVED_SPI:
		row = (struct device_row){ ROW_SPI, .local = record->spi.local, .remote = record->spi.remote, .spi = record->spi.spi,
					   .up = !record->spi.transient };
		break;
	case SAVED_EDGE:
		row = (struct device_row){ ROW_SITE, .count = record->edge.site };
		break;
	default:
		return false;
	}
	*ret = row;
	return true;
}

bool device_valid_row(const struct device_row *row)
{
	uint8_t up;

	memcpy(&up, &row->up, 1);
	return (unsigned)row->kind < DEVICE_ROWS && (unsigned)row->color < DEVICE_COLORS && up <= 1 &&
	       spimend_address_valid(&row->local) && spimend_address_valid(&row->remote);
}
