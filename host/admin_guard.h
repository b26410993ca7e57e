/* admin_guard: may a request that changes something be a person's, or is it a web page's in somebody's browser? */
#ifndef ADMIN_GUARD_H
#define ADMIN_GUARD_H

struct MHD_Connection;

/* NULL: it may pass; else the sentence that it is refused with. */
const char *admin_guard(struct MHD_Connection *connection);

#endif
