/* config_flag: the flags, Nomad's variables for them, and what each takes. */
#ifndef CONFIG_FLAG_H
#define CONFIG_FLAG_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"

enum config_kind {
	CONFIG_TEXT,
	CONFIG_BOOL,
	CONFIG_NAMESPACE,
	CONFIG_CROSS,
	CONFIG_LEVEL,
	CONFIG_FORMAT,
	CONFIG_INSTANCE,
	CONFIG_COUNT,
	CONFIG_SIZE,
	CONFIG_SECONDS,
	CONFIG_PERIOD, /* seconds, at least one */
	CONFIG_LISTEN
};

struct config_flag {
	const char *name;
	const char *env;  /* Nomad's variable, else NULL */
	bool not_in_task; /* inside a Nomad task the variable says where the operator itself runs */
	enum config_kind kind;
	size_t at; /* of the field in struct config, for kinds that do not imply it */
};

enum { CONFIG_FLAG_COUNT = 30 };
extern const struct config_flag config_flags[CONFIG_FLAG_COUNT];

const struct config_flag *config_flag_find(const char *name, size_t len);
/* Reads a value into the struct. `source` is the flag or the variable, for *why: on failure a
 * sentence that the caller frees, in which foreign bytes are not escaped yet. */
bool config_flag_set(struct config *c, const struct config_flag *f, const char *source,
	const char *value, char **why) WARN_UNUSED;

#endif
