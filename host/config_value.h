/* config_value: what a flag's value may look like, and which name a misspelt one stands near. */
#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mem.h"

bool config_value_is_plain(const char *text); /* no control characters */
bool config_value_is_word(
	const char *text); /* printable ASCII without spaces: fit for an HTTP header */
bool config_value_is_namespace(const char *text); /* what Nomad allows as one's name */

/* Each is false, leaving *out alone, where the text is not of the form. */
bool config_value_number(const char *text, uint64_t max, uint64_t *out) WARN_UNUSED;
bool config_value_size(
	const char *text, size_t *out) WARN_UNUSED; /* bytes: 65536, 512KiB, 64MiB, 1G */
bool config_value_seconds(const char *text, unsigned *out) WARN_UNUSED; /* 4, 4s, 2m, 1h */
bool config_value_bool(const char *text, bool *out) WARN_UNUSED;	/* as Go reads one */

/* The one of names that `typed` was probably meant to be, or NULL. */
const char *config_value_nearest(const char *typed, const char *const *names, size_t count);

#endif
