/* parse: what the synthetic Nomad answers to /v1/jobs/parse for the backup template: a parse that a real Nomad made, with
 * the values of the text that was sent in the places of those that stand in it. */
#ifndef BENCH_PARSE_H
#define BENCH_PARSE_H

#include "../json.h"
#include "bytes.h"

/* `parsed`: the answer for the template with the values nop0001x … nop0006x. `body`: the request. */
void parse_answer(struct span parsed, struct span body, struct bytes *out);

#endif
