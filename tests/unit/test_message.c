/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "role/message.h"

struct datagram {
	struct message_header header;
	char items[MESSAGE_MAX];
};

static size_t make(struct datagram *d, enum message_type type, const void *items, size_t count)
{
	size_t size = message_item_size(type);

	memset(d, 0, sizeof(*d));
	d->header = (struct message_header){ .build = message_build(), .type = (uint16_t)type, .count = (uint16_t)count,
					     .length = (uint32_t)(count * size) };
	memcpy(d->items, items, count * size);
	return sizeof(d->header) + count * size;
}

static struct order an_order(void)
{
	struct order order;

	memset(&order, 0, sizeof(order));
	order.id = 7;
	order.verb = ORDER_REKEY_CHILD;
	order.peer = (struct spimend_address){ 4, { 192, 0, 2, 1 } };
	return order;
}

static const char *check(const struct datagram *d, size_t len, size_t fds, enum role from, enum role to)
{
	struct message_header header;

	return message_check(d, len, fds, from, to, message_build(), &header);
}

static void items_come_out_as_they_went_in(void **state)
{
	struct order orders[3] = { an_order(), an_order(), an_order() };
	struct message_header header;
	union message_item item;
	struct datagram d;
	size_t len;

	(void)state;
	orders[1].id = 8;
	orders[2].id = 9;
	len = make(&d, MESSAGE_ORDER, orders, 3);
	assert_null(message_check(&d, len, 0, ROLE_CORE, ROLE_ACT, message_build(), &header));
	assert_int_equal(header.count, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_true(message_take(&header, &d, i, &item));
		assert_memory_equal(&item.order, &orders[i], sizeof(item.order));
	}
	assert_false(message_take(&header, &d, 3, &item));
}

static void only_its_sender_may_send_it_to_its_receiver(void **state)
{
	struct order order = an_order();
	struct datagram d;
	size_t len = make(&d, MESSAGE_ORDER, &order, 1);

	(void)state;
	for (enum role from = 0; from < ROLES; from++)
		for (enum role to = 0; to < ROLES; to++) {
			if (from == ROLE_CORE && to == ROLE_ACT)
				assert_null(check(&d, len, 0, from, to));
			else
				assert_non_null(check(&d, len, 0, from, to));
		}
}

static void sense_can_say_nothing_to_act_nor_give_the_parent_descriptors(void **state)
{
	(void)state;
	for (int type = 0; type < MESSAGE_TYPES; type++) {
		assert_false(message_may(type, ROLE_SENSE, ROLE_ACT));
		assert_false(message_may(type, ROLE_ACT, ROLE_SENSE));
		for (enum role role = 0; role < ROLES; role++)
			assert_false(message_may(type, role, role));
	}
}

static void descriptors_come_from_the_parent_alone(void **state)
{
	struct role_resource resource;
	struct order order = an_order();
	struct datagram d;
	size_t len;

	(void)state;
	memset(&resource, 0, sizeof(resource));
	len = make(&d, MESSAGE_RESOURCE, &resource, 1);
	assert_null(check(&d, len, MESSAGE_FDS_MAX, ROLE_PARENT, ROLE_SENSE));
	assert_non_null(check(&d, len, MESSAGE_FDS_MAX + 1, ROLE_PARENT, ROLE_SENSE));
	len = make(&d, MESSAGE_ORDER, &order, 1);
	assert_non_null(check(&d, len, 1, ROLE_CORE, ROLE_ACT));
}

static void a_header_that_lies_is_refused(void **state)
{
	struct order orders[2] = { an_order(), an_order() };
	struct datagram d;
	size_t len = make(&d, MESSAGE_ORDER, orders, 2);

	(void)state;
	assert_null(check(&d, len, 0, ROLE_CORE, ROLE_ACT));
	for (size_t cut = 0; cut < len; cut++)
		assert_non_null(check(&d, cut, 0, ROLE_CORE, ROLE_ACT));
	assert_non_null(check(&d, len + 1, 0, ROLE_CORE, ROLE_ACT));
	d.header.count = 1;
	assert_non_null(check(&d, len, 0, ROLE_CORE, ROLE_ACT));
	d.header.count = 0;
	d.header.length = 0;
	assert_non_null(check(&d, sizeof(d.header), 0, ROLE_CORE, ROLE_ACT));
	make(&d, MESSAGE_ORDER, orders, 2);
	d.header.type = MESSAGE_TYPES;
	assert_non_null(check(&d, len, 0, ROLE_CORE, ROLE_ACT));
	d.header.type = MESSAGE_NONE;
	assert_non_null(check(&d, len, 0, ROLE_CORE, ROLE_ACT));
	make(&d, MESSAGE_ORDER, orders, 2);
	d.header.build++;
	assert_non_null(check(&d, len, 0, ROLE_CORE, ROLE_ACT));
}

static void an_item_that_cannot_be_is_refused(void **state)
{
	struct order orders[2] = { an_order(), an_order() };
	struct message_header header;
	union message_item item;
	struct datagram d;
	size_t len;

	(void)state;
	orders[1].verb = ORDER_VERBS;
	len = make(&d, MESSAGE_ORDER, orders, 2);
	assert_null(message_check(&d, len, 0, ROLE_CORE, ROLE_ACT, message_build(), &header));
	assert_true(message_take(&header, &d, 0, &item));
	assert_false(message_take(&header, &d, 1, &item));
}

static void a_name_without_an_end_is_refused(void **state)
{
	struct role_want want;
	struct message_header header;
	union message_item item;
	struct datagram d;

	(void)state;
	memset(&want, 0, sizeof(want));
	memset(want.name, 'x', sizeof(want.name));
	want.kind = RESOURCE_SOCKET;
	assert_null(message_check(&d, make(&d, MESSAGE_WANT, &want, 1), 0, ROLE_SENSE, ROLE_PARENT, message_build(), &header));
	assert_false(message_take(&header, &d, 0, &item));
	want.name[3] = 0;
	want.kind = RESOURCES;
	make(&d, MESSAGE_WANT, &want, 1);
	assert_false(message_take(&header, &d, 0, &item));
}

static void every_type_fits_a_datagram_and_has_a_name(void **state)
{
	(void)state;
	for (int type = MESSAGE_NONE + 1; type < MESSAGE_TYPES; type++) {
		assert_string_not_equal(message_name(type), "?");
		assert_true(message_items_max(type) >= 1);
		assert_true(message_item_size(type) <= sizeof(union message_item));
		assert_true(sizeof(struct message_header) + message_items_max(type) * message_item_size(type) <= MESSAGE_MAX);
	}
	assert_string_equal(message_name(MESSAGE_TYPES), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_come_out_as_they_went_in),
		cmocka_unit_test(only_its_sender_may_send_it_to_its_receiver),
		cmocka_unit_test(sense_can_say_nothing_to_act_nor_give_the_parent_descriptors),
		cmocka_unit_test(descriptors_come_from_the_parent_alone),
		cmocka_unit_test(a_header_that_lies_is_refused),
		cmocka_unit_test(an_item_that_cannot_be_is_refused),
		cmocka_unit_test(a_name_without_an_end_is_refused),
		cmocka_unit_test(every_type_fits_a_datagram_and_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
