/* loop: a libuv loop for one test: waiting for conditions with a deadline, and an end that
 * proves it is empty. */
#ifndef LOOP_H
#define LOOP_H

#include <stdbool.h>
#include <uv.h>

typedef bool loop_condition(void *user);

uv_loop_t *loop_new(void);
/* Runs the loop until the condition holds; fails the test after 10 s, naming `what`. */
void loop_until(uv_loop_t *loop, const char *what, loop_condition *holds, void *user);
/* Runs the loop for some milliseconds, to show that something does not happen. */
void loop_for(uv_loop_t *loop, unsigned ms);
/* Runs what is closing to its end; fails the test where a handle is left. */
void loop_free(uv_loop_t *loop);

#endif
