/* told: of which version of which objects Lua was told lately. It forgets; it never takes one for another. */
#ifndef TOLD_H
#define TOLD_H

#include <stdbool.h>

#include "interests.h"

struct told;

struct told *told_new(void);
void told_free(struct told *t);
/* Was there an event of the object with this specification, for which as much held? */
bool told_has(const struct told *t, const struct interests_verdict *v);
/* There is now. Nothing without a specification. */
void told_add(struct told *t, const struct interests_verdict *v);
/* Another connection: maybe another cluster. */
void told_forget(struct told *t);

#endif
