/* SPDX-License-Identifier: MIT */
#include "parse/show_interface.h"

enum saved_output show_interface_starts(struct text t)
{
	return text_starts(t, TEXT("Interface ")) && text_has(t, TEXT("IP-Address")) && text_has(t, TEXT("OK?")) ? OUTPUT_INTERFACES
													     : OUTPUT_NONE;
}

/* "GigabitEthernet0/0/1   192.0.2.7   YES NVRAM  up   up"; "Tunnel1  unassigned  YES unset  administratively down down" */
enum show_result show_interface_line(struct text t, uint32_t number, struct saved_record *ret)
{
	struct saved_record record = { .kind = SAVED_INTERFACE, .line = number };
	struct text name, address, okay, last = TEXT_NONE, word;

	if (t.len == 0 || show_interface_starts(t) != OUTPUT_NONE)
		return SHOW_TAKEN;
	name = text_take_word(&t);
	address = text_take_word(&t);
	okay = text_take_word(&t);
	if (!text_equal(okay, TEXT("YES")) && !text_equal(okay, TEXT("NO")))
		return SHOW_NOTHING;
	while ((word = text_take_word(&t)).len)
		last = word;
	if (text_equal(address, TEXT("unassigned")))
		return SHOW_TAKEN;
	if (spimend_address_parse(address.at, address.len, &record.interface.address) != 0) {
		record.reason = "an interface without its address";
		*ret = record;
		return SHOW_BAD;
	}
	text_copy(name, record.interface.name, sizeof(record.interface.name));
	record.interface.up = text_equal(last, TEXT("up"));
	*ret = record;
	return SHOW_RECORD;
}
