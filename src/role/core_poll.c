/* SPDX-License-Identifier: MIT */
/* What `event snmp` of applets reads: this gateway's own objects. The processor's load is sampled each 5 s from /proc/stat,
 * which the parent opened, while some applet polls. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "base/memory.h"
#include "role/core_role.h"
#include "role/objects.h"

#define SAMPLE_EVERY (5 * SECOND_NS)

/* --- The processor ------------------------------------------------------------------------------------------------ */

/* "cpu  user nice system idle iowait irq softirq steal ...": of all, in ticks since boot. */
static bool read_load(int fd, struct mind_load *ret)
{
	char bytes[512];
	ssize_t n = fd < 0 ? -1 : pread(fd, bytes, sizeof(bytes), 0);
	struct text line = { bytes, n > 0 ? (size_t)n : 0 };
	uint64_t ticks;

	*ret = (struct mind_load){ .busy = 0 };
	if (!text_equal(text_take_word(&line), TEXT("cpu")))
		return false;
	for (int i = 0; i < 8; i++) {
		if (text_decimal(text_take_word(&line), UINT64_MAX, &ticks) < 0)
			return false;
		ret->all += ticks;
		ret->busy += i == 3 || i == 4 ? 0 : ticks;
	}
	return true;
}

static void on_sample(void *context, int64_t now)
{
	struct mind *mind = context;
	struct mind_poll *p = &mind->poll;
	struct mind_load load;

	(void)now;
	if (!read_load(p->stat_fd, &load))
		return;
	p->loads[p->sampled++ % MIND_LOADS] = load;
}

void mind_take_stat(struct mind *mind, int fd)
{
	if (mind->poll.stat_fd >= 0)
		close(mind->poll.stat_fd);
	mind->poll.stat_fd = fd;
}

/* In per cent, over so many samples, or as many as there are. False: not known yet. */
static bool load_of(const struct mind *mind, uint32_t samples, uint64_t *ret)
{
	const struct mind_poll *p = &mind->poll;
	const struct mind_load *last, *first;

	if (p->sampled < 2)
		return false;
	if (samples >= p->sampled)
		samples = (uint32_t)p->sampled - 1;
	last = &p->loads[(p->sampled - 1) % MIND_LOADS];
	first = &p->loads[(p->sampled - 1 - samples) % MIND_LOADS];
	if (last->all <= first->all)
		return false;
	*ret = 100 * (last->busy - first->busy) / (last->all - first->all);
	return true;
}

int mind_poll_configure(struct mind *mind, bool polls)
{
	struct mind_poll *p = &mind->poll;
	int r;

	if (!polls) {
		loop_remove_timer(p->timer);
		p->timer = NULL;
		p->sampled = 0;
		return 0;
	}
	if (p->timer)
		return 0;
	r = loop_add_timer(mind->member->loop, on_sample, mind, &p->timer);
	if (r < 0)
		return r;
	loop_timer_every(p->timer, SAMPLE_EVERY);
	on_sample(mind, 0);
	return 0;
}

/* --- Values ------------------------------------------------------------------------------------------------------- */

static uint64_t in_drops(const struct core_figures *f)
{
	uint64_t sum = 0;

	for (int i = 0; i < XFRM_COUNTERS; i++)
		sum += f->has_counters && (f->counters.present >> i & 1) ? f->counters.value[i] : 0;
	return sum;
}

static bool value_of(struct mind *mind, enum object object, const struct core_figures *f, uint64_t *ret)
{
	struct sysinfo info;
	uint64_t tunnels[2] = { 0, 0 };

	for (uint32_t i = 0; i < f->daemon_count; i++) {
		tunnels[0] += f->daemons[i].ike_sas;
		tunnels[1] += f->daemons[i].children;
	}
	switch (object) {
	case OBJECT_UPTIME:
		*ret = (uint64_t)(mind_now(mind).mono_ns - mind->member->start.up_ns) / (SECOND_NS / 100) & UINT32_MAX;
		return true;
	case OBJECT_LINKS:
		*ret = mind->exec.links.count;
		return mind->exec.links_error == 0;
	case OBJECT_CPU_5S:
		return load_of(mind, 1, ret);
	case OBJECT_CPU_1M:
		return load_of(mind, 12, ret);
	case OBJECT_CPU_5M:
		return load_of(mind, MIND_LOADS - 1, ret);
	case OBJECT_MEMORY_USED:
	case OBJECT_MEMORY_FREE:
		if (sysinfo(&info) < 0)
			return false;
		*ret = (object == OBJECT_MEMORY_FREE ? info.freeram : info.totalram - info.freeram) * (uint64_t)info.mem_unit;
		return true;
	case OBJECT_IKE_TUNNELS:
		*ret = tunnels[0];
		return true;
	case OBJECT_IPSEC_TUNNELS:
		*ret = tunnels[1];
		return true;
	case OBJECT_NO_SA:
		*ret = f->strays;
		return true;
	case OBJECT_IN_DROPS:
		*ret = in_drops(f);
		return f->has_counters;
	default:
		return false;
	}
}

void mind_poll(struct mind *mind, const struct eem_output *output)
{
	struct core_figures figures = core_figures(mind->core, mind_now(mind));
	cleanup(buffer_done) struct buffer value = { 0 };
	char text[SNMP_OID_TEXT_MAX] = "";
	struct snmp_oid oid, found;
	const struct link *link = NULL;
	enum object object;
	uint64_t number;
	bool prefix, known;

	(void)mind_read_links(mind);
	known = snmp_oid_parse(output->poll.oid, &oid, &prefix) &&
		object_find(&oid, output->poll.next, &mind->exec.links, &object, &link, &found);
	if (known) {
		snmp_oid_print(&found, text);
		if (link)
			object_print_link(object, link, &value);
		else if (object == OBJECT_NAME)
			buffer_add_string(&value, mind->member->config->hostname);
		else if ((known = value_of(mind, object, &figures, &number)))
			buffer_printf(&value, "%" PRIu64, number);
	}
	eem_snmp_value(mind->eem.engine, output->request, known && !value.failed, text_of(text), buffer_text(&value),
		       mind_now(mind));
}
