/* write: see write.h. */
#define _GNU_SOURCE
#include "write.h"

#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { CONNECTIONS = 16, TEXT = 4096 };

struct conn {
	uint64_t key; /* of the job that it is busy with; 0: it is not */
	char answer[TEXT];
	size_t len;
};

struct write {
	struct conn conns[CONNECTIONS];
	struct pollfd polls[CONNECTIONS];
	int count;
	uint64_t *made; /* keys of the jobs that have a backup: a table with open addressing */
	size_t room, used;
};

struct write *write_new(const struct sockaddr_in *a, int connections)
{
	struct write *w = calloc(1, sizeof(*w));
	int i, one = 1;

	if (!w)
		exit(1);
	w->count = connections < CONNECTIONS ? connections : CONNECTIONS;
	w->room = 1024;
	w->made = calloc(w->room, sizeof(*w->made));
	for (i = 0; i < w->count; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		if (connect(fd, (const struct sockaddr *)a, sizeof(*a)) != 0)
			exit(1);
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		w->polls[i] = (struct pollfd){.fd = fd, .events = POLLIN};
	}
	return w;
}

static uint64_t key_of(struct span id)
{
	uint64_t h = 14695981039346656037u;
	size_t i;

	for (i = 0; i < id.len; i++)
		h = (h ^ (unsigned char)id.at[i]) * 1099511628211u;
	return h | 1;
}

static uint64_t *place(const struct write *w, uint64_t key)
{
	size_t i = (size_t)(key >> 7) & (w->room - 1);

	while (w->made[i] != 0 && w->made[i] != key)
		i = (i + 1) & (w->room - 1);
	return &w->made[i];
}

static void remember(struct write *w, uint64_t key)
{
	uint64_t *old = w->made;
	size_t i, room = w->room;

	if (*place(w, key) == key)
		return;
	if (++w->used * 2 > room) {
		w->room *= 4;
		w->made = calloc(w->room, sizeof(*w->made));
		for (i = 0; i < room; i++) {
			if (old[i] != 0)
				*place(w, old[i]) = old[i];
		}
		free(old);
	}
	*place(w, key) = key;
}

/* Has the answer come whole? Then the connection is free. */
static void read_answer(struct conn *c, int fd)
{
	ssize_t n = recv(fd, c->answer + c->len, TEXT - 1 - c->len, 0);
	const char *body, *length;

	if (n <= 0)
		exit(1);
	c->len += (size_t)n;
	c->answer[c->len] = '\0';
	body = strstr(c->answer, "\r\n\r\n");
	length = strcasestr(c->answer, "content-length:");
	if (body && length && c->answer + c->len >= body + 4 + atol(length + 15))
		c->key = c->len = 0;
}

static void read_answers(struct write *w, int wait)
{
	int i;

	if (poll(w->polls, (nfds_t)w->count, wait) <= 0)
		return;
	for (i = 0; i < w->count; i++) {
		if ((w->polls[i].revents & POLLIN) != 0)
			read_answer(&w->conns[i], w->polls[i].fd);
	}
}

static int idle(const struct write *w, uint64_t key)
{
	int i, found = -1;

	for (i = 0; i < w->count; i++) {
		if (w->conns[i].key == key)
			return -1;
		if (w->conns[i].key == 0)
			found = i;
	}
	return found;
}

static void send_request(struct write *w, uint64_t key, const char *text, int len)
{
	int i = idle(w, key);

	while (i < 0) {
		read_answers(w, -1);
		i = idle(w, key);
	}
	w->conns[i].key = key;
	if (send(w->polls[i].fd, text, (size_t)len, 0) < 0)
		exit(1);
}

#define SPAN(s) (int)(s).len, (s).at

static int body_of(const struct scan_job *j, char *out)
{
	struct span daily = {"@daily", 6};
	struct span schedule = j->schedule.at ? j->schedule : daily;
	struct span target = j->target.at ? j->target : j->id;

	return snprintf(out, TEXT,
		"{\"Job\":{\"ID\":\"backup-%.*s\",\"Name\":\"backup-%.*s\",\"Namespace\":\"%.*s\","
		"\"Type\":\"batch\",\"Datacenters\":[\"dc1\"],\"Periodic\":{\"Enabled\":true,"
		"\"Spec\":\"%.*s\",\"SpecType\":\"cron\",\"ProhibitOverlap\":true},\"TaskGroups\":["
		"{"
		"\"Name\":\"backup\",\"Tasks\":[{\"Name\":\"backup\",\"Driver\":\"raw_exec\","
		"\"Env\":{"
		"\"SOURCE_JOB_ID\":\"%.*s\",\"SOURCE_NS\":\"%.*s\",\"TARGET_DB\":\"%.*s\"},"
		"\"Config\":{"
		"\"command\":\"/bin/sh\",\"args\":[\"-c\",\"set -eu\\necho \\\"Backing up database "
		"$TARGET_DB of job $SOURCE_JOB_ID in namespace $SOURCE_NS\\\"\\n\"]},"
		"\"Resources\":{\"CPU\":100,\"MemoryMB\":64}}]}]}}",
		SPAN(j->id), SPAN(j->id), SPAN(j->namespace), SPAN(schedule), SPAN(j->id),
		SPAN(j->namespace), SPAN(target));
}

void write_backup(struct write *w, const struct scan_job *j)
{
	uint64_t key = key_of(j->id);
	char body[TEXT], text[TEXT + 512];
	int len;

	if (j->enabled && !j->gone) {
		len = body_of(j, body);
		len = snprintf(text, sizeof(text),
			"POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n%s",
			len, body);
		remember(w, key);
	} else if (*place(w, key) == key) {
		len = snprintf(text, sizeof(text),
			"DELETE /v1/job/backup-%.*s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
			SPAN(j->id));
	} else {
		return;
	}
	send_request(w, key, text, len);
}
