/* turn: work that is put off until the libraries' callbacks of a loop turn have returned.
 *
 * Callbacks of curl and libuv only record and call turn_add; the job runs in the check phase of the same turn, outside
 * every library. A job that is added while jobs run waits for the next turn, which then does not wait for sockets; after
 * jobs that took long, sockets have some turns to themselves. The struct turn_job is embedded in its owner, who removes
 * it before it dies. */
#ifndef TURN_H
#define TURN_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct turn;

typedef void turn_cb(void *user);

struct turn_job {
	turn_cb *cb;
	void *user;
	struct turn_job *prev, *next; /* private from here on */
	struct turn *queued;	      /* NULL: not queued */
};

struct turn *turn_new(uv_loop_t *loop);
/* Forgets what is queued and closes the handles; the loop has to run until they are closed. */
void turn_free(struct turn *t);
void turn_job_init(struct turn_job *job, turn_cb *cb, void *user);
void turn_add(struct turn *t, struct turn_job *job); /* nothing, if it is queued already */
void turn_remove(struct turn_job *job);		     /* nothing, if it is not queued */
bool turn_waits(const struct turn *t);		     /* is any job queued? */

/* A slice of time within a turn, for jobs that leave the rest to the next one. */
uint64_t turn_deadline(double milliseconds);
bool turn_over(uint64_t deadline);

#endif
