/* task: Lua functions that run in coroutines of their own and may wait.
 *
 * A binding that waits allocates its operation as userdata with a struct task_wait in it, starts it, and
 * returns task_wait(L, w, k). The library's callback records the result and calls task_wake; k runs later,
 * inside lua_resume, and pushes what was recorded. The userdata must be on the stack while waiting.
 * The struct task is itself a userdata (host.Task), held by the registry until the task has ended. */
#ifndef TASK_H
#define TASK_H

#include <stdbool.h>
#include <stddef.h>

#include <lua.h>

#include "log.h"
#include "turn.h"
#include "vm.h"

struct task;
struct tasks;

/* Once a state, first: the metatable of host.Task. */
void task_open(lua_State *L);

struct task_wait {
	struct task *task; /* who waits; NULL: nobody, or woken already */
	/* The task is cancelled: undo what was started. Must not enter Lua. task_wake is not called any more. */
	void (*abort)(struct task_wait *w);
};

struct tasks_options {
	struct vm *vm;
	struct turn *turn;
	struct log *log;
	unsigned generation; /* for the log */
	unsigned cpu;	     /* ms a slice; 0: VM_CPU_CALL */
	/* After tasks have ended, outside Lua; may be NULL. */
	void (*ended)(void *user);
	void *user;
};

struct tasks *tasks_new(const struct tasks_options *o);
/* The tasks must have been cancelled; before vm_free. */
void tasks_free(struct tasks *ts);
/* Ends all: the script's to-be-closed variables are closed, done callbacks called. Nothing can be spawned any
 * more. Not from within Lua. */
void tasks_cancel_all(struct tasks *ts);
size_t tasks_count(const struct tasks *ts);
/* The names of the tasks that live, for the log and status. */
void tasks_each(const struct tasks *ts, void (*cb)(const char *name, void *user), void *user);

/* Stack: done fn args… (nargs of them) → task. done is a function or nil; it gets (ok, result, trace) in a
 * protected call of its own. May raise. The first resume is in the next turn, or
 * by tasks_start. */
struct task *task_spawn(lua_State *L, struct tasks *ts, const char *name, int nargs);
/* At its next chance: the task ends where it waits, or where it next does. */
void task_cancel(struct task *t);

/* Runs what is ready now, in place of in the next turn. Not from within Lua. */
void tasks_start(struct tasks *ts);

/* Raises "host.sleep waits: …" unless L is a task that can wait here. First thing in a binding that waits. */
void task_check(lua_State *L, const char *what);
/* Never returns to its caller: `return task_wait(…)`. k's context is w. */
int task_wait(lua_State *L, struct task_wait *w, lua_KFunction k);
/* From any callback; nothing, if nobody waits. */
void task_wake(struct task_wait *w);
/* For __gc of an operation: nobody is woken by it any more. */
void task_forget(struct task_wait *w);

#endif
