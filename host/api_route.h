/* api_route: what is known of Nomad's routes: how one is written, whether it changes anything,
 * and which ACL capability it needs. */
#ifndef API_ROUTE_H
#define API_ROUTE_H

#include <stdbool.h>

/* "read-job" …; NULL where no single capability of a namespace decides. path is percent-encoded. */
const char *api_route_capability(const char *method, const char *path);

/* No space, no control character, none of the refused ones: nothing that ends a request line or
 * a header. */
bool api_route_is_plain(const char *text, const char *refused);

#endif
