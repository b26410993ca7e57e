/* vm: one lua_State with a cap on its memory, its libraries, and the protected call into it.
 *
 * Lua is entered by vm_call and by task_resume only. Everything that is pushed is pushed by functions that
 * run inside one of the two, so that Lua's errors, those of memory included, always have a place to go. */
#ifndef VM_H
#define VM_H

#include <stdbool.h>
#include <stddef.h>

#include <lua.h>

#include "mem.h"

/* Above the cap, for error paths: messages, tracebacks, done callbacks. */
#define VM_RESERVE ((size_t)1024 * 1024)

/* Limits of CPU for one slice, in ms. */
#define VM_CPU_CALL 1000
#define VM_CPU_LOAD 5000

struct lua_cpu;
struct vm;

struct vm_options {
	size_t memory_max;   /* bytes */
	struct lua_cpu *cpu; /* NULL: no limit; must outlive the vm */
	const char *lib_dir; /* NULL: the embedded libraries; copied */
	void *user;	     /* what vm_user returns */
};

struct vm_error {
	const char *code; /* "error" "memory" "cpu" */
	char *message;	  /* of the error value; for cpu and memory a sentence */
	char *trace;	  /* "stack traceback: …", "" if there is none */
};

/* NULL and a message (the caller frees it) where the libraries cannot be loaded. */
struct vm *vm_new(const struct vm_options *o, char **error) WARN_UNUSED;
/* lua_close: userdata are finalized, no Lua function runs. */
void vm_free(struct vm *vm);

struct vm *vm_of(lua_State *L);
void *vm_user(const struct vm *vm);
struct lua_cpu *vm_cpu(const struct vm *vm);
lua_State *vm_state(const struct vm *vm); /* the main thread, for task_resume */
size_t vm_memory(const struct vm *vm);	  /* bytes in use */
size_t vm_memory_max(const struct vm *vm);

/* Calls fn with arg as light userdata at index 1; cpu in ms. Results of fn are dropped. On false vm_last_error
 * says why. Never from within Lua, nor from a library's callback. */
bool vm_call(struct vm *vm, lua_CFunction fn, void *arg, unsigned cpu) WARN_UNUSED;
/* Lives until the next vm_call. */
const struct vm_error *vm_last_error(const struct vm *vm);
/* A long string of so many bytes is about to be made. Lua's own pace of collecting garbage is made for small values, of
 * which a megabyte is a hundred thousand: such strings are not counted in it, and the garbage is collected here when
 * there is so much in them that they matter. Within a protected call. */
void vm_expect_long(lua_State *L, size_t size);
/* Takes garbage while long strings come: of the young values alone, in a fraction of a millisecond. false: none has come
 * lately, and Lua's steps are right. Within a protected call. */
bool vm_collect_young(lua_State *L);
/* While set, the reserve may be used: for what has to be said and undone after an error. */
void vm_use_reserve(struct vm *vm, bool on);

#endif
