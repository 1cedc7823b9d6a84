/* SPDX-License-Identifier: MIT */
/*
 * `device NAME`, what stands below it, and what of it the block `spimend` says for all. While a text is read,
 * devices stay where their first line put them and `order` is what is sorted, so that ten thousand in any order are read as
 * fast as sorted ones.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/memory.h"
#include "parse/config_private.h"

#define PORT_USUAL 22

_Static_assert(DEVICE_PATH_MAX == CONFIG_PATH_MAX, "'ssh known-hosts' is read as any other path");

enum user_from { USER_USUAL, USER_OWN, USER_NONE }; /* nothing said; 'ssh user'; 'no ssh user' */

struct reading { /* of one device, beside what struct config_device holds */
	struct config_login login;
	enum user_from user_from;
	uint32_t line; /* that opened it */
};

struct device_reader {
	struct config_devices *devices; /* borrows; `at` is not sorted while this is there */
	uint32_t order[DEVICES_MAX];    /* places in `at`, by name */
	struct reading reading[DEVICES_MAX];
	struct config_device *current;  /* borrows: whose block it is; NULL: none, or its name was refused */
};

static bool is_usual(const struct config_devices *d, const struct config_login *login, uint16_t port)
{
	return d->usual.user[0] && login && port == d->usual_port && strcmp(login->user, d->usual.user) == 0 &&
	       strcmp(login->key_file, d->usual.key_file) == 0 && strcmp(login->password_file, d->usual.password_file) == 0;
}

struct device_reader *config_device_reader_new(struct config *config)
{
	struct device_reader *reader = memory_new(1, sizeof(*reader));
	struct config_devices *d = &config->devices;

	if (!reader)
		return NULL;
	reader->devices = d;
	for (uint32_t i = 0; i < d->count; i++) {
		const struct config_login *login = device_login(d, &d->at[i]);
		struct reading *r = &reader->reading[i];

		reader->order[i] = i;
		if (login)
			r->login = *login;
		if (login)
			r->user_from = is_usual(d, login, d->at[i].port) ? USER_USUAL : USER_OWN;
		else
			r->user_from = d->usual.user[0] ? USER_NONE : USER_USUAL;
	}
	return reader;
}

void config_device_reader_free(struct device_reader *reader)
{
	memory_free(reader);
}

bool config_device_is_row(const struct config_row *row)
{
	return row->type >= VALUE_DEVICE && row->type <= VALUE_SSH_USER;
}

/* Where the name stands in `order`, or belongs. */
static uint32_t find(const struct device_reader *reader, struct text name, bool *ret_there)
{
	const struct config_devices *d = reader->devices;
	uint32_t from = 0, end = d->count;

	while (from < end) {
		uint32_t middle = from + (end - from) / 2;

		if (device_compare_names(text_of(d->at[reader->order[middle]].name), name) < 0)
			from = middle + 1;
		else
			end = middle;
	}
	*ret_there = from < d->count && text_equal(text_of(d->at[reader->order[from]].name), name);
	return from;
}

/* --- One line ----------------------------------------------------------------------------------------------------- */

static bool read_name(struct text t, size_t size, const char *what, struct buffer *why)
{
	if (device_is_name(t) && t.len < size)
		return true;
	buffer_printf(why, "%s '", what);
	config_quote(why, t);
	buffer_printf(why, "': letters, digits, '.', '_' and '-' are expected, at most %zu, and no '-' in front", size - 1);
	return false;
}

/* ssh expands '%', '~' and '${}' in the names of files that it is told of. */
bool config_read_ssh_path(struct text t, struct buffer *why)
{
	if (!config_is_path(t))
		return config_say_expected(why, "path", t, "an absolute path of at most 107 bytes without blanks is expected");
	for (size_t i = 0; i < t.len; i++)
		if (memchr("%$\"'\\", t.at[i], 5))
			return config_say_expected(why, "path", t, "a name without %, $, quotes and \\ is expected: ssh would read them otherwise");
	return true;
}

static bool open_device(struct text name, struct device_reader *reader, uint32_t line, struct buffer *why)
{
	struct config_devices *d = reader->devices;
	uint32_t at;
	bool there;

	reader->current = NULL;
	if (!read_name(name, DEVICE_NAME_MAX, "device", why))
		return false;
	at = find(reader, name, &there);
	if (!there && d->count == DEVICES_MAX) {
		buffer_printf(why, "at most %d devices", DEVICES_MAX);
		return false;
	}
	if (!there) {
		memmove(&reader->order[at + 1], &reader->order[at], (d->count - at) * sizeof(reader->order[0]));
		reader->order[at] = d->count;
		reader->reading[d->count] = (struct reading){ .line = line };
		text_copy(name, d->at[d->count].name, DEVICE_NAME_MAX);
		d->at[d->count].port = PORT_USUAL;
		d->count++;
	}
	reader->current = &d->at[reader->order[at]];
	return true;
}

static bool close_device(struct text name, struct device_reader *reader, struct buffer *why)
{
	struct config_devices *d = reader->devices;
	bool there;
	uint32_t at = find(reader, name, &there), place, last, at_last;

	if (!there)
		return config_say_expected(why, "nothing to take back:", name, "no line before names it");
	reader->current = NULL;
	place = reader->order[at];
	last = d->count - 1;
	at_last = find(reader, text_of(d->at[last].name), &there);
	reader->order[at_last] = place; /* the last one moves to where it stood */
	memcpy(&d->at[place], &d->at[last], sizeof(d->at[0]));
	reader->reading[place] = reader->reading[last];
	memset(&d->at[last], 0, sizeof(d->at[last]));
	memmove(&reader->order[at], &reader->order[at + 1], (last - at) * sizeof(reader->order[0]));
	d->count--;
	return true;
}

static bool same_text(char *to, size_t size, struct text value)
{
	bool same = to[0] == '\0' || text_equal(text_of(to), value);

	memset(to, 0, size);
	text_copy(value, to, size);
	return same;
}

/* "NAME {key-file|password-file} PATH [port PORT]" */
static bool read_user(const struct text *words, size_t count, struct config_login *login, uint16_t *port, struct buffer *why,
		      bool *again)
{
	static const char expected[] = "'NAME {key-file|password-file} PATH [port PORT]' is expected";
	bool is_key = text_equal_nocase(words[1], TEXT("key-file"));
	uint32_t number = PORT_USUAL;
	bool same;

	if (!read_name(words[0], DEVICE_USER_MAX, "user", why))
		return false;
	if (!is_key && !text_equal_nocase(words[1], TEXT("password-file")))
		return config_say_expected(why, "word", words[1], "'key-file PATH' or 'password-file PATH' is expected: a secret stands in a "
								  "file of its own, and agents are not used");
	if (!config_read_ssh_path(words[2], why))
		return false;
	if (count != 3 && (count != 5 || !text_starts_nocase(TEXT("port"), words[3])))
		return config_say_expected(why, "word", words[3], expected);
	if (count == 5 && !config_read_count(words[4], 1, 65535, &number, why))
		return false;
	same = login->user[0] == '\0' || *port == number;
	same = same_text(login->user, sizeof(login->user), words[0]) && same;
	same = same_text(login->key_file, sizeof(login->key_file), is_key ? words[2] : TEXT_NONE) && same;
	same = same_text(login->password_file, sizeof(login->password_file), is_key ? TEXT_NONE : words[2]) && same;
	*again = !same;
	*port = (uint16_t)number;
	return true;
}

static bool set_address(struct text t, struct config_device *device, struct buffer *why, bool *again)
{
	struct spimend_address address;

	if (!config_read_address(t, &address, why))
		return false;
	*again = device->address.family && !spimend_address_equal(&device->address, &address);
	device->address = address;
	return true;
}

static bool set_platform(struct text t, struct config_device *device, struct buffer *why, bool *again)
{
	for (int i = PLATFORM_UNKNOWN + 1; i < PLATFORMS; i++) {
		if (!text_equal_nocase(t, text_of(platform_name((enum platform)i))))
			continue;
		*again = device->platform != PLATFORM_UNKNOWN && device->platform != (enum platform)i;
		device->platform = (enum platform)i;
		return true;
	}
	return config_say_expected(why, "platform", t, "ios, ios-xe, sd-wan or asa is expected");
}

static bool set_rights(struct text t, struct config_device *device, struct buffer *why)
{
	static const char *const rights[] = { "read-only", "repair" };
	int choice = t.len > 2 ? config_read_choice(t, rights, 2) : -1;

	if (choice < 0)
		return config_say_expected(why, "rights", t, "read-only or repair is expected");
	device->may_repair = choice == 1;
	return true;
}

/* The device whose block it is. */
static struct config_device *current(struct device_reader *reader, const struct config_row *row, struct buffer *why)
{
	if (!reader->current)
		buffer_printf(why, "'%s' stands below a 'device NAME' that is right", row->keywords);
	return reader->current;
}

bool config_device_set(const struct config_row *row, const struct text *words, size_t count, struct device_reader *reader,
		       uint32_t line, struct buffer *why, bool *again)
{
	struct config_devices *d = reader->devices;
	struct config_device *device;
	struct reading *reading;

	if (row->type == VALUE_DEVICE)
		return open_device(words[0], reader, line, why);
	if (row->type == VALUE_SSH_USER)
		return read_user(words, count, &d->usual, &d->usual_port, why, again);
	if (row->type == VALUE_FLEET_WINDOW)
		return config_window_set(words, count, &d->usual_windows, why, again);
	if (row->type == VALUE_FLEET_APPROVAL)
		return config_approval_set(words, count, &d->usual_approval, why, again);
	device = current(reader, row, why);
	if (!device)
		return false;
	reading = &reader->reading[device - d->at];
	switch (row->type) {
	case VALUE_DEVICE_ADDRESS:
		return set_address(words[0], device, why, again);
	case VALUE_DEVICE_PLATFORM:
		return set_platform(words[0], device, why, again);
	case VALUE_DEVICE_USER:
		if (reading->user_from != USER_OWN) /* what stands there is the usual one */
			reading->login.user[0] = reading->login.key_file[0] = reading->login.password_file[0] = '\0';
		if (!read_user(words, count, &reading->login, &device->port, why, again))
			return false;
		reading->user_from = USER_OWN;
		return true;
	case VALUE_DEVICE_LEGACY:
		reading->login.legacy = true;
		return true;
	case VALUE_DEVICE_JUMP:
		if (!read_name(words[0], DEVICE_NAME_MAX, "device", why))
			return false;
		*again = !same_text(reading->login.jump, DEVICE_NAME_MAX, words[0]);
		return true;
	case VALUE_DEVICE_ENABLE:
		if (!config_read_ssh_path(words[0], why))
			return false;
		*again = !same_text(reading->login.enable_file, DEVICE_PATH_MAX, words[0]);
		return true;
	case VALUE_DEVICE_WINDOW:
		return config_window_set(words, count, &device->windows, why, again);
	case VALUE_DEVICE_APPROVAL:
		return config_approval_set(words, count, &device->approval, why, again);
	default:
		return set_rights(words[0], device, why);
	}
}

bool config_device_unset(const struct config_row *row, struct text word, struct device_reader *reader, struct buffer *why)
{
	struct config_devices *d = reader->devices;
	struct config_device *device;
	struct reading *reading;

	if (row->type == VALUE_DEVICE)
		return close_device(word, reader, why);
	if (row->type == VALUE_SSH_USER) {
		memset(&d->usual, 0, sizeof(d->usual));
		d->usual_port = 0;
		return true;
	}
	if (row->type == VALUE_FLEET_WINDOW) {
		memset(&d->usual_windows, 0, sizeof(d->usual_windows));
		return true;
	}
	if (row->type == VALUE_FLEET_APPROVAL) {
		d->usual_approval = (struct sdwan_approval){ 0 };
		return true;
	}
	device = current(reader, row, why);
	if (!device)
		return false;
	reading = &reader->reading[device - d->at];
	switch (row->type) {
	case VALUE_DEVICE_ADDRESS:
		memset(&device->address, 0, sizeof(device->address));
		return true;
	case VALUE_DEVICE_PLATFORM:
		device->platform = PLATFORM_UNKNOWN;
		return true;
	case VALUE_DEVICE_USER: /* and all that is of use with it alone */
		memset(&reading->login, 0, sizeof(reading->login));
		reading->user_from = USER_NONE;
		device->port = PORT_USUAL;
		return true;
	case VALUE_DEVICE_LEGACY:
		reading->login.legacy = false;
		return true;
	case VALUE_DEVICE_JUMP:
		memset(reading->login.jump, 0, sizeof(reading->login.jump));
		return true;
	case VALUE_DEVICE_ENABLE:
		memset(reading->login.enable_file, 0, sizeof(reading->login.enable_file));
		return true;
	case VALUE_DEVICE_WINDOW:
		memset(&device->windows, 0, sizeof(device->windows));
		return true;
	case VALUE_DEVICE_APPROVAL:
		device->approval = (struct sdwan_approval){ 0 };
		return true;
	default:
		device->may_repair = false;
		return true;
	}
}

/* --- The whole ---------------------------------------------------------------------------------------------------- */

struct finish {
	struct device_reader *reader; /* borrows */
	struct config_device *sorted; /* owns */
	bool whole;
	config_device_say *say;
	void *context;
};

static void complain(const struct finish *f, uint32_t i, struct buffer *why)
{
	f->say(f->context, f->reader->reading[f->reader->order[i]].line, buffer_text(why));
	buffer_done(why);
}

/* 1 more than its place in the list, which it joins when nobody has the same; 0: there is no room. */
static uint16_t share_login(struct config_devices *d, const struct config_login *login)
{
	for (uint32_t i = 0; i < d->login_count; i++)
		if (memcmp(&d->logins[i], login, sizeof(*login)) == 0)
			return (uint16_t)(i + 1);
	if (d->login_count == DEVICE_LOGINS_MAX)
		return 0;
	memcpy(&d->logins[d->login_count++], login, sizeof(*login));
	return (uint16_t)d->login_count;
}

/* Settles how the device is logged in to. */
static void finish_login(struct finish *f, uint32_t i)
{
	struct config_devices *d = f->reader->devices;
	struct reading *r = &f->reader->reading[f->reader->order[i]];
	struct config_device *device = &f->sorted[i];
	struct buffer why = { 0 };

	device->login = 0;
	if (r->user_from == USER_USUAL) {
		memcpy(r->login.user, d->usual.user, sizeof(r->login.user));
		memcpy(r->login.key_file, d->usual.key_file, sizeof(r->login.key_file));
		memcpy(r->login.password_file, d->usual.password_file, sizeof(r->login.password_file));
		device->port = d->usual.user[0] ? d->usual_port : PORT_USUAL;
	}
	if (r->login.user[0]) {
		device->login = share_login(d, &r->login);
		if (device->login)
			return;
		buffer_printf(&why, "device %s: it is logged in to otherwise than %d before it, and that is as many ways as are kept",
			      device->name, DEVICE_LOGINS_MAX);
		complain(f, i, &why);
		return;
	}
	if (f->whole && (r->login.legacy || r->login.jump[0] || r->login.enable_file[0]))
		buffer_printf(&why, "device %s: '%s' takes 'ssh user' beside it", device->name,
			      r->login.legacy ? "ssh legacy-algorithms" : r->login.jump[0] ? "ssh jump" : "enable password-file");
	else if (f->whole && device->may_repair)
		buffer_printf(&why, "device %s: 'rights repair' takes 'ssh user' beside it", device->name);
	if (why.len)
		complain(f, i, &why);
}

static void check_jumps(const struct finish *f, uint32_t i)
{
	const struct config_devices *d = f->reader->devices;
	const struct config_device *at = &d->at[i];
	struct buffer why = { 0 };

	for (int hops = 0; !why.len; hops++) {
		const struct config_login *login = device_login(d, at);
		int32_t next = login && login->jump[0] ? device_find(d, text_of(login->jump)) : -1;

		if (!login || !login->jump[0])
			return;
		if (next < 0 && at != &d->at[i])
			return; /* said at that one */
		if (next < 0)
			buffer_printf(&why, "device %s: there is no device '%s' to jump through", at->name, login->jump);
		else if ((uint32_t)next == i)
			buffer_printf(&why, "device %s: 'ssh jump %s' leads in a circle", d->at[i].name, device_login(d, &d->at[i])->jump);
		else if (hops == DEVICE_JUMPS_MAX)
			buffer_printf(&why, "device %s: '%s', which it is reached through, is itself reached through another: %d at most",
				      d->at[i].name, at->name, DEVICE_JUMPS_MAX);
		else if (!d->at[next].login && at == &d->at[i])
			buffer_printf(&why, "device %s: it is reached through '%s', and that one has no 'ssh user'", at->name, login->jump);
		at = next < 0 ? at : &d->at[next];
	}
	complain(f, i, &why);
}

struct at_address {
	struct spimend_address address;
	uint32_t place;
};

static int compare_addresses(const void *a, const void *b)
{
	const struct at_address *one = a, *other = b;
	int order = spimend_address_compare(&one->address, &other->address);

	return order ? order : (one->place > other->place) - (one->place < other->place);
}

/* A message's source says which device wrote it: each has an address, and no two the same. */
static int check_addresses(const struct finish *f)
{
	const struct config_devices *d = f->reader->devices;
	struct at_address *all cleanup(memory_free_pointer) = memory_new(d->count, sizeof(*all));
	struct buffer why = { 0 };

	if (!all)
		return -ENOMEM;
	for (uint32_t i = 0; i < d->count; i++) {
		all[i] = (struct at_address){ d->at[i].address, i };
		if (d->at[i].address.family)
			continue;
		buffer_printf(&why, "device %s: there is no 'address'", d->at[i].name);
		complain(f, i, &why);
	}
	qsort(all, d->count, sizeof(*all), compare_addresses);
	for (uint32_t i = 1; i < d->count; i++) {
		uint32_t first = all[i - 1].place, second = all[i].place;
		char text[SPIMEND_ADDRESS_TEXT_MAX];

		if (!all[i].address.family || !spimend_address_equal(&all[i - 1].address, &all[i].address))
			continue;
		buffer_printf(&why, "device %s: %s is the address of device %s too", d->at[second].name,
			      spimend_address_print(&all[i].address, text), d->at[first].name);
		complain(f, second, &why);
	}
	return 0;
}

int config_device_finish(struct device_reader *reader, bool whole, config_device_say *say, void *context)
{
	struct config_devices *d = reader->devices;
	struct config_device *sorted cleanup(memory_free_pointer) = NULL;
	struct finish f = { .reader = reader, .whole = whole, .say = say, .context = context };

	memset(d->logins, 0, sizeof(d->logins));
	d->login_count = 0;
	reader->current = NULL;
	if (d->count == 0)
		return 0;
	f.sorted = sorted = memory_new(d->count, sizeof(*sorted));
	if (!sorted)
		return -ENOMEM;
	for (uint32_t i = 0; i < d->count; i++) {
		memcpy(&sorted[i], &d->at[reader->order[i]], sizeof(*sorted)); /* with what is between the members: see device_mark() */
		finish_login(&f, i);
	}
	memcpy(d->at, sorted, d->count * sizeof(*sorted));
	if (!whole)
		return 0;
	for (uint32_t i = 0; i < d->count; i++)
		check_jumps(&f, i);
	return check_addresses(&f);
}

/* --- Printing ----------------------------------------------------------------------------------------------------- */

static void print_user(const struct config_login *login, uint16_t port, struct buffer *out)
{
	buffer_printf(out, " ssh user %s %s %s", login->user, login->key_file[0] ? "key-file" : "password-file",
		      login->key_file[0] ? login->key_file : login->password_file);
	if (port != PORT_USUAL)
		buffer_printf(out, " port %u", port);
	buffer_add_char(out, '\n');
}

void config_device_print_usual(const struct config_row *row, const struct config_devices *devices, struct buffer *out)
{
	if (row->type == VALUE_SSH_USER && devices->usual.user[0])
		print_user(&devices->usual, devices->usual_port, out);
	if (row->type == VALUE_FLEET_WINDOW)
		config_window_print(row->keywords, &devices->usual_windows, out);
	if (row->type == VALUE_FLEET_APPROVAL)
		config_approval_print(row->keywords, &devices->usual_approval, out);
}

void config_device_print_one(const struct config_device *device, const struct config_login *login,
			     const struct config_devices *among, struct buffer *out)
{
	bool has_usual = among && among->usual.user[0];
	char address[SPIMEND_ADDRESS_TEXT_MAX];

	buffer_printf(out, "device %s\n", device->name);
	if (device->address.family)
		buffer_printf(out, " address %s\n", spimend_address_print(&device->address, address));
	if (device->platform != PLATFORM_UNKNOWN)
		buffer_printf(out, " platform %s\n", platform_name(device->platform));
	if (!login && has_usual)
		buffer_add_string(out, " no ssh user\n");
	if (login && !(has_usual && is_usual(among, login, device->port)))
		print_user(login, device->port, out);
	if (login && login->legacy)
		buffer_add_string(out, " ssh legacy-algorithms\n");
	if (login && login->jump[0])
		buffer_printf(out, " ssh jump %s\n", login->jump);
	if (login && login->enable_file[0])
		buffer_printf(out, " enable password-file %s\n", login->enable_file);
	if (device->may_repair)
		buffer_add_string(out, " rights repair\n");
	config_window_print("window", &device->windows, out);
	config_approval_print("repair sdwan approval", &device->approval, out);
}

void config_device_print(const struct config_devices *devices, struct buffer *out)
{
	for (uint32_t i = 0; i < devices->count; i++)
		config_device_print_one(&devices->at[i], device_login(devices, &devices->at[i]), devices, out);
}
