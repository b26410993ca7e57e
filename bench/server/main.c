/* main: the synthetic Nomad of the bench. It sends the lines of a plan as fast as a peer takes them, answers what an
 * operator asks, and says on stdout, a line each, what happened and when (nanoseconds of the monotonic clock):
 *
 *     listening PORT      subscribed NS      listed NS      tenth N      right NS      done BEGAN NS
 *
 * "right": every backup that should be there is, and no other. "done": so it is after the last line. SIGUSR1 starts the
 * lines under -on-signal. At SIGTERM it tells what was asked of it, what is wrong, and ends.
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "feed.h"
#include "http.h"
#include "plan.h"
#include "routes.h"
#include "world.h"

struct nomad {
	struct plan *plan;
	struct world *world;
	struct feed *feed;
	struct routes routes;
	bool was_right, done;
};

static void tell(struct nomad *n)
{
	struct world_calls *c = world_calls(n->world);

	printf("calls writes=%lu removals=%lu reads=%lu lists=%lu parses=%lu needed=%lu\n",
		c->writes, c->removals, c->reads, c->lists, c->parses, c->needed);
	printf("latency p50=%llu p99=%llu\n", (unsigned long long)world_latency(n->world, 0.5),
		(unsigned long long)world_latency(n->world, 0.99));
	printf("wrong %ld\n", world_wrong(n->world));
	fflush(stdout);
}

/* Looked at after whatever happens. */
static void check(struct nomad *n)
{
	bool right = world_wrong(n->world) == 0;

	if (right && !n->was_right && feed_began(n->feed) == 0)
		printf("right %llu\n", (unsigned long long)now_ns());
	if (right && !n->done && feed_began(n->feed) > 0 && feed_is_over(n->feed)) {
		n->done = true;
		printf("done %llu %llu\n", (unsigned long long)feed_began(n->feed),
			(unsigned long long)now_ns());
	}
	if (right != n->was_right || n->done)
		fflush(stdout);
	n->was_right = right;
}

static void on_request(void *user, struct http_conn *c, const struct http_request *r)
{
	struct nomad *n = user;

	routes_answer(&n->routes, c, r);
	check(n);
}

static void on_drained(void *user, struct http_conn *c)
{
	struct nomad *n = user;

	feed_drained(n->feed, c);
}

static void on_closed(void *user, struct http_conn *c)
{
	struct nomad *n = user;

	feed_closed(n->feed, c);
}

static uint64_t on_tick(void *user, uint64_t now)
{
	struct nomad *n = user;
	uint64_t next = feed_tick(n->feed, now);

	check(n);
	return next;
}

static bool on_signal(void *user, int number)
{
	struct nomad *n = user;

	tell(n);
	if (number == SIGUSR1) {
		feed_go(n->feed);
		return true;
	}
	world_print_wrong(n->world);
	return false;
}

static char *read_all(const char *path, size_t *len)
{
	FILE *f = fopen(path, "r");
	struct bytes b = {0};
	size_t n;

	if (!f)
		die("cannot read the file of -parsed");
	while ((n = fread(bytes_reserve(&b, 65536), 1, 65536, f)) > 0)
		b.len += n;
	fclose(f);
	*len = b.len;
	return b.at;
}

static _Noreturn void usage(void)
{
	fputs("usage: synthetic-nomad -parsed FILE [-initial LINES] [-rate LINES_A_SECOND] "
	      "[-on-signal]\n"
	      "           [-settle MS] [-heartbeat MS] [-write-delay MS] PLAN\n",
		stderr);
	exit(2);
}

static const struct option flags[] = {{"parsed", required_argument, NULL, 'p'},
	{"initial", required_argument, NULL, 'i'}, {"rate", required_argument, NULL, 'r'},
	{"settle", required_argument, NULL, 's'}, {"heartbeat", required_argument, NULL, 'h'},
	{"write-delay", required_argument, NULL, 'd'}, {"on-signal", no_argument, NULL, 'o'},
	{NULL, 0, NULL, 0}};

static uint64_t milliseconds(const char *value)
{
	return (uint64_t)(strtod(value, NULL) * 1e6);
}

static const char *read_flags(
	int argc, char **argv, struct feed_options *o, struct routes *r, const char **parsed)
{
	int flag;

	while ((flag = getopt_long_only(argc, argv, "", flags, NULL)) != -1) {
		switch (flag) {
		case 'p':
			*parsed = optarg;
			break;
		case 'i':
			o->initial = strtoull(optarg, NULL, 10);
			break;
		case 'r':
			o->rate = strtod(optarg, NULL);
			break;
		case 's':
			o->settle = milliseconds(optarg);
			break;
		case 'o':
			o->settle = UINT64_MAX;
			break;
		case 'h':
			o->heartbeat = milliseconds(optarg);
			break;
		case 'd':
			r->write_delay = milliseconds(optarg);
			break;
		default:
			usage();
		}
	}
	if (optind != argc - 1 || !*parsed)
		usage();
	return argv[optind];
}

int main(int argc, char **argv)
{
	static const struct http_hooks hooks = {
		on_request, on_drained, on_closed, on_tick, on_signal};
	struct nomad n = {0};
	struct feed_options options = {.settle = 500000000u, .heartbeat = 10000000000u};
	const char *parsed = NULL, *path = read_flags(argc, argv, &options, &n.routes, &parsed);
	struct http *http;
	char *text = read_all(parsed, &n.routes.parsed.len);
	int port;

	n.routes.parsed.at = text;
	n.plan = plan_load(path);
	n.world = world_new(n.plan);
	n.feed = feed_new(n.plan, n.world, &options);
	n.routes.world = n.world;
	n.routes.feed = n.feed;
	n.was_right = world_wrong(n.world) == 0;
	http = http_new(&hooks, &n, &port);
	printf("listening %d\n", port);
	fflush(stdout);
	http_run(http);
	http_free(http);
	feed_free(n.feed);
	world_free(n.world);
	plan_free(n.plan);
	bytes_free(&n.routes.answer);
	free(text);
	return 0;
}
