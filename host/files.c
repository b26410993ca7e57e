/* files: see files.h. */
#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int by_name(const void *key, const void *member)
{
	return strcmp(key, ((const struct embedded *)member)->name);
}

const struct embedded *files_embedded(const char *name)
{
	return bsearch(name, embedded_files, embedded_count, sizeof(embedded_files[0]), by_name);
}

bool files_embedded_prefix(const char *prefix)
{
	size_t len = strlen(prefix);

	for (size_t i = 0; i < embedded_count; i++)
		if (strncmp(embedded_files[i].name, prefix, len) == 0)
			return true;
	return false;
}

/* The name behind "builtin:", NULL for a path on disk. */
static const char *builtin(const char *path)
{
	size_t len = strlen(FILES_BUILTIN);

	return strncmp(path, FILES_BUILTIN, len) == 0 ? path + len : NULL;
}

static const char *copy_out(int fd, struct buf *out)
{
	char piece[16384];

	for (;;) {
		ssize_t got = read(fd, piece, sizeof(piece));

		if (got == 0)
			return NULL;
		if (got < 0 && errno != EINTR)
			return strerror(errno);
		if (got > 0 && (out->len + (size_t)got > FILES_SIZE_MAX ||
				       !buf_add(out, piece, (size_t)got)))
			return "the file is larger than 4 MiB";
	}
}

bool files_read(const char *path, struct buf *out, const char **error)
{
	const char *name = builtin(path);
	const struct embedded *file = name ? files_embedded(name) : NULL;
	struct stat info;
	int fd;

	if (name) {
		*error = file ? NULL : "there is no such built-in file";
		if (file && !buf_add(out, file->text, file->len))
			*error = "the file is larger than 4 MiB";
		return !*error;
	}
	/* Without O_NONBLOCK a FIFO would stop the program. */
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0) {
		*error = strerror(errno);
		return false;
	}
	if (fstat(fd, &info) != 0)
		*error = strerror(errno);
	else if (S_ISDIR(info.st_mode))
		*error = strerror(EISDIR);
	else if (!S_ISREG(info.st_mode))
		*error = "this is not a regular file";
	else
		*error = copy_out(fd, out);
	(void)close(fd);
	return !*error;
}

bool files_read_input(struct buf *out, const char **error)
{
	*error = copy_out(STDIN_FILENO, out);
	return !*error;
}

static bool add_name(struct buf *out, const char *name)
{
	return buf_add(out, name, strlen(name) + 1);
}

static bool list_builtin(const char *directory, struct buf *out)
{
	size_t len = strlen(directory);
	bool found = false;

	while (len > 0 && directory[len - 1] == '/')
		len--;
	for (size_t i = 0; i < embedded_count; i++) {
		const char *name = embedded_files[i].name;

		if (strncmp(name, directory, len) != 0 || name[len] != '/' ||
			strchr(name + len + 1, '/'))
			continue;
		found = true;
		if (!add_name(out, name + len + 1))
			break;
	}
	return found;
}

static int no_dots(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

bool files_list(const char *path, struct buf *out, const char **error)
{
	const char *directory = builtin(path);
	struct dirent **names;
	int count;

	*error = NULL;
	if (directory) {
		if (!list_builtin(directory, out))
			*error = "there is no such built-in directory";
		return !*error;
	}
	count = scandir(path, &names, no_dots, by_bytes);
	if (count < 0) {
		*error = strerror(errno);
		return false;
	}
	for (int i = 0; i < count; i++) {
		if (!*error && (i == FILES_NAMES_MAX || !add_name(out, names[i]->d_name)))
			*error = "there are too many files in this directory";
		free(names[i]);
	}
	free(names);
	return !*error;
}
