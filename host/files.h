/* files: regular files and directories of policies, on disk or embedded (`builtin:scripts/backup.lua`). */
#ifndef FILES_H
#define FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "embedded.h"

#define FILES_SIZE_MAX ((size_t)4 * 1024 * 1024) /* of one file */
#define FILES_NAMES_MAX 10000			 /* in one directory */
#define FILES_BUILTIN "builtin:"

/* NULL: there is no such embedded file. */
const struct embedded *files_embedded(const char *name);
/* Whether an embedded name begins with the prefix. */
bool files_embedded_prefix(const char *prefix);

/* Appends the file to out, whose limit should be at least FILES_SIZE_MAX. False: *error is a sentence without
 * the path, "No such file or directory", static or until the next call. */
bool files_read(const char *path, struct buf *out, const char **error) WARN_UNUSED;
/* Appends all of standard input; blocks. */
bool files_read_input(struct buf *out, const char **error) WARN_UNUSED;
/* Appends the names in the directory, sorted, each with a NUL after it. */
bool files_list(const char *path, struct buf *out, const char **error) WARN_UNUSED;

#endif
