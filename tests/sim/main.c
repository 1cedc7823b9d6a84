/* SPDX-License-Identifier: MIT */
/*
 * sim: histories of IPsec gateways under a simulated clock.
 *
 *     sim --histories 10000 [--first SEED] [--jobs 2]   random histories; of a failed one the seed and the end of its trace
 *     sim --seed N --trace                             one history, with all that happened
 *     sim --model, sim --scripts [--only TEXT]         the model by itself; fixed histories
 */
#include <getopt.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim.h"

#define TAIL 60 /* lines of a failed history's trace */
#define FAILURES_MAX 2

struct outcome { /* of one process's share, over a pipe */
	uint64_t histories, failed, steps, orders, healed, crashes, strays, seconds;
	int64_t worst;
};

static void print_tail(const char *trace, size_t len)
{
	size_t at = len, lines = 0;

	while (len && trace[len - 1] == '\n')
		len--;
	at = len;
	while (at && lines < TAIL)
		lines += trace[--at] == '\n';
	printf("%.*s\n", (int)(len - at - (at > 0)), trace + at + (at > 0));
}

static bool run_one(struct world *w, uint64_t seed, bool trace, struct outcome *sum)
{
	world_init(w, seed);
	w->tracing = trace;
	history_random(w);
	if (sum) {
		sum->histories++;
		sum->failed += w->failed;
		sum->steps += w->steps;
		sum->orders += w->orders;
		sum->healed += w->healed;
		sum->crashes += w->core_crashes;
		sum->strays += w->strayed;
		sum->seconds += (uint64_t)((w->now - 1000 * SEC) / SEC);
		if (w->outage_worst > sum->worst)
			sum->worst = w->outage_worst;
	}
	return !w->failed;
}

static void explain_failure(struct world *w, uint64_t seed)
{
	world_done(w);
	run_one(w, seed, true, NULL);
	printf("     replay: sim --seed %llu --trace\n", (unsigned long long)seed);
	print_tail(w->trace, w->trace_len);
	fflush(stdout);
}

static struct outcome run_share(uint64_t first, uint64_t count, uint64_t step)
{
	struct world *w = malloc(sizeof(*w));
	struct outcome sum = { 0 };

	if (!w)
		abort();
	for (uint64_t i = 0; i < count; i += step) {
		if (!run_one(w, first + i, false, &sum)) {
			printf("FAIL sim/history %llu: %s\n", (unsigned long long)(first + i), w->failure);
			if (sum.failed <= FAILURES_MAX)
				explain_failure(w, first + i);
		}
		world_done(w);
	}
	free(w);
	return sum;
}

static int run_histories(uint64_t first, uint64_t count, unsigned jobs)
{
	struct outcome total = { 0 };
	int pipes[8][2], status, bad = 0;

	for (unsigned j = 0; j < jobs; j++) {
		struct outcome sum;

		fflush(stdout);
		if (pipe(pipes[j]) || (status = fork()) < 0)
			abort();
		if (status)
			continue;
		sum = run_share(first + j, count > j ? count - j : 0, jobs);
		_exit(write(pipes[j][1], &sum, sizeof(sum)) != sizeof(sum) || fflush(stdout));
	}
	for (unsigned j = 0; j < jobs; j++) {
		struct outcome sum;

		close(pipes[j][1]);
		if (read(pipes[j][0], &sum, sizeof(sum)) != sizeof(sum))
			bad = 1;
		else {
			total.histories += sum.histories;
			total.failed += sum.failed;
			total.steps += sum.steps;
			total.orders += sum.orders;
			total.healed += sum.healed;
			total.crashes += sum.crashes;
			total.strays += sum.strays;
			total.seconds += sum.seconds;
			total.worst = sum.worst > total.worst ? sum.worst : total.worst;
		}
	}
	while (wait(&status) > 0)
		bad |= status != 0;
	printf("     %llu histories from seed %llu: %llu simulated hours, %llu events, %llu holes healed, %llu orders, %llu crashes of core, "
	       "longest outage %.1f s\n", (unsigned long long)total.histories, (unsigned long long)first,
	       (unsigned long long)(total.seconds / 3600), (unsigned long long)total.steps, (unsigned long long)total.healed,
	       (unsigned long long)total.orders, (unsigned long long)total.crashes, (double)total.worst / 1e9);
	if (bad)
		printf("FAIL sim/histories: a process died\n");
	else
		printf("%s sim/%llu random histories (%llu failed)\n", total.failed ? "FAIL" : "ok  ",
		       (unsigned long long)total.histories, (unsigned long long)total.failed);
	return bad || total.failed || total.histories != count;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "histories", required_argument, NULL, 'n' }, { "first", required_argument, NULL, 'f' },
		{ "seed", required_argument, NULL, 's' },      { "jobs", required_argument, NULL, 'j' },
		{ "trace", no_argument, NULL, 't' },           { "model", no_argument, NULL, 'm' },
		{ "scripts", no_argument, NULL, 'c' },         { "only", required_argument, NULL, 'o' },
		{ 0 },
	};
	uint64_t histories = 0, first = 1, seed = 0;
	bool trace = false, model = false, scripts = false, one = false;
	const char *only = NULL;
	unsigned jobs = 2;
	int option, failed = 0;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'n':
			histories = strtoull(optarg, NULL, 10);
			break;
		case 'f':
			first = strtoull(optarg, NULL, 10);
			break;
		case 's':
			seed = strtoull(optarg, NULL, 10);
			one = true;
			break;
		case 'j':
			jobs = (unsigned)strtoul(optarg, NULL, 10);
			jobs = jobs < 1 ? 1 : jobs > 8 ? 8 : jobs;
			break;
		case 't':
			trace = true;
			break;
		case 'm':
			model = true;
			break;
		case 'c':
			scripts = true;
			break;
		case 'o':
			only = optarg;
			break;
		default:
			return 2;
		}
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (model)
		failed += model_run(trace, only);
	if (scripts)
		failed += scripts_run(trace, only);
	if (one) {
		struct world *w = malloc(sizeof(*w));

		if (!w)
			abort();
		failed += !run_one(w, seed, trace, NULL);
		if (trace)
			printf("%s", w->trace);
		printf("%s sim/history %llu%s%s\n", w->failed ? "FAIL" : "ok  ", (unsigned long long)seed, w->failed ? ": " : "", w->failure);
		world_done(w);
		free(w);
	}
	if (histories)
		failed += run_histories(first, histories, jobs);
	return failed ? 1 : 0;
}
