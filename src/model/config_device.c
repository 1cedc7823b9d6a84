/* SPDX-License-Identifier: MIT */
#include "model/config_device.h"

#include <string.h>

#include "base/hash.h"

const char *platform_name(enum platform platform)
{
	static const char *const names[PLATFORMS] = { "unknown", "ios", "ios-xe", "sd-wan", "asa" };

	return platform < PLATFORMS ? names[platform] : "unknown";
}

int device_compare_names(struct text a, struct text b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len ? memcmp(a.at, b.at, len) : 0;

	return order ? order : (a.len > b.len) - (a.len < b.len);
}

int32_t device_find(const struct config_devices *devices, struct text name)
{
	uint32_t low = 0, high = devices->count;

	while (low < high) {
		uint32_t middle = (low + high) / 2;
		int order = device_compare_names(text_of(devices->at[middle].name), name);

		if (order == 0)
			return (int32_t)middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return -1;
}

const struct config_login *device_login(const struct config_devices *devices, const struct config_device *device)
{
	return device->login && device->login <= devices->login_count ? &devices->logins[device->login - 1] : NULL;
}

const struct windows *device_windows(const struct config_devices *devices, const struct config_device *device)
{
	return device->windows.count ? &device->windows : &devices->usual_windows;
}

const char *sdwan_step_name(enum sdwan_step step)
{
	static const char *const names[SDWAN_STEPS] = { "ipsec-rekey", "port-hop", "clear-omp", "clear-control" };

	return (unsigned)step < SDWAN_STEPS ? names[step] : "?";
}

bool device_is_unattended(const struct config_devices *devices, const struct config_device *device, enum sdwan_step step)
{
	const struct sdwan_approval *says = device->approval.told & 1u << step ? &device->approval : &devices->usual_approval;

	return says->told & says->unattended & 1u << step;
}

uint64_t device_mark(const struct config_devices *devices, const struct config_device *device)
{
	struct hash_key chain = { 0 };

	chain.k1 = hash_bytes(&chain, devices->known_hosts, sizeof(devices->known_hosts));
	for (int hops = 0; device && hops <= DEVICE_JUMPS_MAX; hops++) {
		const struct config_login *login = device_login(devices, device);
		int32_t next = login && login->jump[0] ? device_find(devices, text_of(login->jump)) : -1;

		chain.k0 = hash_bytes(&chain, device, sizeof(*device));
		if (login)
			chain.k1 = hash_bytes(&chain, login, sizeof(*login));
		device = next < 0 ? NULL : &devices->at[next];
	}
	return hash_bytes(&chain, &chain, sizeof(chain));
}

bool device_is_name(struct text name)
{
	if (name.len == 0 || name.at[0] == '-')
		return false;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.at[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && !strchr("._-", c))
			return false;
	}
	return true;
}
