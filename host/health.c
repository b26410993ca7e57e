/* health: see health.h. */
#include "health.h"

#include <stdlib.h>

struct health_policy *health_add(struct health *h, const char *name)
{
	struct health_policy *p;

	h->policies = xrealloc(h->policies, (h->count + 1) * sizeof(*h->policies));
	p = &h->policies[h->count++];
	*p = (struct health_policy){.name = xstrdup(name)};
	return p;
}

void health_free(struct health *h)
{
	for (size_t i = 0; i < h->count; i++)
		free(h->policies[i].name);
	free(h->policies);
	free(h->list_error);
	*h = (struct health){.epoch = 0};
}
