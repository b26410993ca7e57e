/* told: see told.h. Each key has one place, which the newest of all that share it takes. */
#include "told.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

/* Events of one specification come within seconds: these are far more objects than change meanwhile. */
enum { PLACES = 4096 };

struct place {
	uint64_t key, spec, holds;
};

struct told {
	struct place places[PLACES];
};

struct told *told_new(void)
{
	return xcalloc(1, sizeof(struct told));
}

void told_free(struct told *t)
{
	free(t);
}

bool told_has(const struct told *t, const struct interests_verdict *v)
{
	const struct place *p = &t->places[v->key % PLACES];

	return v->spec > 0 && p->key == v->key && p->spec == v->spec && (v->holds & ~p->holds) == 0;
}

void told_add(struct told *t, const struct interests_verdict *v)
{
	if (v->spec > 0)
		t->places[v->key % PLACES] = (struct place){v->key, v->spec, v->holds};
}

void told_forget(struct told *t)
{
	memset(t->places, 0, sizeof(t->places));
}
