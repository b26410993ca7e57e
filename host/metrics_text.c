/* metrics_text: see metrics_text.h. docs/metrics.md holds the same table, and a spec compares the two. */
#include "metrics_text.h"

#include <math.h>
#include <string.h>

#define PREFIX "nomad_operator_"

enum kind { COUNTER, GAUGE, COUNTER_BY_LABEL };

struct family {
	const char *name;
	enum kind kind;
	const char *help;
};

static const struct family families[] = {
	{"ready", GAUGE, "1 while /ready says yes, else 0."},
	{"start_time_seconds", GAUGE, "When the process started, in seconds since 1970."},
	{"generation", GAUGE,
		"Number of the generation that works; each reload that is taken adds one or more."},
	{"reload_total", COUNTER_BY_LABEL, "Reloads by result: ok or error."},
	{"lua_memory_bytes", GAUGE, "Memory of each living generation's Lua state."},

	{"stream_connected", GAUGE,
		"1 while the event stream is live; 0 also while lists stand in for it."},
	{"stream_last_frame_timestamp_seconds", GAUGE,
		"When the stream said something last, heartbeats included, in seconds since 1970."},
	{"stream_reconnects_total", COUNTER, "Subscriptions to the stream after the first one."},
	{"stream_lost_total", COUNTER, "Ends of a stream that was live."},
	{"stream_lines_refused_total", COUNTER, "Lines of the stream that were no events."},
	{"events_total", COUNTER_BY_LABEL, "Events on the stream, by topic."},
	{"events_taken_total", COUNTER, "Events that a policy may want and that went to Lua."},
	{"events_dropped_total", COUNTER,
		"Events that did not fit into the inbox; a list makes up for them."},
	{"resync_total", COUNTER_BY_LABEL, "Lists of all jobs by result: ok or error."},

	{"queue_depth", GAUGE, "Keys of a policy by state: ready, running, waiting, parked."},
	{"queue_oldest_seconds", GAUGE,
		"For how long the oldest key that is neither done nor parked has been asked for; "
		"0: none."},
	{"reconcile_total", COUNTER_BY_LABEL,
		"Reconciles by policy and result: done, after, retry, fail."},
	{"reconcile_parked", GAUGE,
		"Keys of a policy that failed too often and wait for a change or a resync."},
	{"writes_total", COUNTER_BY_LABEL, "Children that were written, by policy and verb."},
	{"writes_suppressed_total", COUNTER_BY_LABEL, "Writes that were not needed, by policy."},
	{"sweep_refused_total", COUNTER_BY_LABEL,
		"Removals that -max-delete held back, by policy."},
	{"write_wait_seconds_total", COUNTER,
		"For how long writes have waited because of -write-rate, together."},
	{"breaker_opened_total", COUNTER,
		"How often reconciles were put off because Nomad did not work."},
	{"flapping_total", COUNTER_BY_LABEL,
		"Children that were found to be rewritten by somebody else each time, by policy."},

	{"nomad_requests_total", COUNTER_BY_LABEL,
		"Answers of Nomad by method and code: the HTTP status, or why there was none."},
	{"dry_run_refused_total", COUNTER, "Requests that -dry-run did not let out."},
	{"metrics_refused_total", COUNTER,
		"Numbers that were not counted, because there are too many series."},
};

enum { FAMILIES = sizeof(families) / sizeof(families[0]) };

struct writer {
	struct buf *out;
	const struct family *family; /* NULL: those of no family */
	size_t found;
	bool ok;
};

static bool belongs(const char *series, const struct family *f)
{
	size_t len = strcspn(series, "{");

	return strlen(f->name) == len && memcmp(series, f->name, len) == 0;
}

static bool wanted(const char *series, const struct family *family)
{
	if (family)
		return belongs(series, family);
	for (size_t i = 0; i < FAMILIES; i++) {
		if (belongs(series, &families[i]))
			return false;
	}
	return true;
}

static void write_series(const char *series, double value, void *user)
{
	struct writer *w = user;

	if (!w->ok || !wanted(series, w->family))
		return;
	w->found++;
	if (isfinite(value))
		w->ok = buf_addf(w->out, PREFIX "%s %.15g\n", series, value);
	else
		w->ok = buf_addf(w->out, PREFIX "%s NaN\n", series);
}

static bool write_family(struct buf *out, const struct family *family,
	const struct metrics *counted, const struct metrics *measured)
{
	struct writer w = {out, family, 0, true};

	if (family)
		w.ok = buf_addf(out, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n",
			family->name, family->help, family->name,
			family->kind == GAUGE ? "gauge" : "counter");
	metrics_each(counted, write_series, &w);
	metrics_each(measured, write_series, &w);
	if (w.ok && w.found == 0 && family && family->kind == COUNTER)
		write_series(family->name, 0, &w);
	return w.ok;
}

bool metrics_text(struct buf *out, const struct metrics *counted, const struct metrics *measured)
{
	for (size_t i = 0; i < FAMILIES; i++) {
		if (!write_family(out, &families[i], counted, measured))
			return false;
	}
	return write_family(out, NULL, counted, measured);
}
