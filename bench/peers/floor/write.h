/* write: registers and removes backups on several connections, one request at a time on each, and one for each job. */
#ifndef BENCH_FLOOR_WRITE_H
#define BENCH_FLOOR_WRITE_H

#include <netinet/in.h>

#include "scan.h"

struct write;

struct write *write_new(const struct sockaddr_in *a, int connections);

/* Waits only where every connection is busy, or one with this very job. */
void write_backup(struct write *w, const struct scan_job *job);

#endif
