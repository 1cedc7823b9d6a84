/* SPDX-License-Identifier: MIT */
#include "model/config_syslog.h"

int syslog_source_compare(const struct syslog_source *a, const struct syslog_source *b)
{
	int order = spimend_address_compare(&a->address, &b->address);

	return order ? order : (a->prefix > b->prefix) - (a->prefix < b->prefix);
}

bool syslog_is_wanted(const struct config_syslog *s)
{
	return s->listener_count || s->file_count || s->has_journald;
}
