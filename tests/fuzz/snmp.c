/* SPDX-License-Identifier: MIT */
/* libFuzzer: SNMP messages of all versions, their traps and what those mean, from any bytes. What was understood is written
 * and read again. */
#include <stdlib.h>

#include "parse/snmp_meaning.h"
#include "parse/snmp_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* A v2c trap that fits is the same after a turn through our own writer. */
static void again(const struct snmp_trap *trap)
{
	static uint8_t room[65536];
	struct ber_writer w = ber_writer_of(room, sizeof(room));
	struct snmp_failure failure;
	struct snmp_message message;
	struct snmp_trap twice;

	snmp_put_v2c(&w, trap, TEXT("c"));
	must(!w.overflow);
	must(snmp_read_message(room + w.at, sizeof(room) - w.at, &message, &failure) == 0);
	must(snmp_read_trap(message.pdu, message.version, &twice, &failure) == 0);
	must(twice.varbind_count == trap->varbind_count && snmp_oid_equal(&twice.trap, &trap->trap));
	for (uint32_t i = 0; i < trap->varbind_count; i++)
		must(snmp_oid_equal(&twice.varbinds[i].name, &trap->varbinds[i].name) &&
		     twice.varbinds[i].value.type == trap->varbinds[i].value.type);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct snmp_message message = { .version = 77 };
	struct device_report report;
	struct snmp_failure failure;
	static struct snmp_trap trap;
	char text[SNMP_STRING_MAX];
	struct snmp_answer answer;
	struct ber pdu;

	if (snmp_read_message(data, size, &message, &failure) < 0) {
		must(message.version == 77 && failure.reason && failure.trouble && failure.at <= size);
		return 0;
	}
	must(message.version >= 1 && message.version <= 3 && message.whole <= size);
	must(message.engine.len <= SNMP_ENGINE_MAX && message.user.len <= SNMP_USER_MAX);
	pdu = message.pdu;
	if (message.version == 3 && (message.flags & SNMP_FLAG_PRIV || snmp_read_scoped(message.scoped, &pdu, &failure) < 0))
		return 0;
	(void)snmp_read_request(pdu);
	if (snmp_read_answer(pdu, &answer))
		must(answer.is_report || !answer.counter);
	if (snmp_read_trap(pdu, message.version, &trap, &failure) < 0) {
		must(failure.reason && failure.trouble && failure.at <= size);
		return 0;
	}
	must(snmp_valid_trap(&trap));
	for (uint32_t i = 0; i < trap.varbind_count; i++)
		must(snmp_value_print(&trap.varbinds[i].value, text, sizeof(text)) < sizeof(text));
	snmp_read_meaning(&trap, &report);
	must(report_valid(&report));
	if (trap.version != 1)
		again(&trap);
	return 0;
}
