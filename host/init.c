/* init: see init.h. */
#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "embedded.h"
#include "mem.h"

#define SCRIPTS "scripts/"

/* The name below scripts/, NULL for other files. */
static const char *script_name(const struct embedded *file)
{
	size_t len = strlen(SCRIPTS);

	return strncmp(file->name, SCRIPTS, len) == 0 ? file->name + len : NULL;
}

static bool fail(const char *path, const char *what)
{
	(void)fprintf(stderr, "nomad-operator init: %s: %s\n", path, what);
	return false;
}

static bool make_directory(const char *path)
{
	struct stat info;

	if (mkdir(path, 0777) == 0)
		return true;
	if (errno != EEXIST)
		return fail(path, strerror(errno));
	if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode))
		return fail(path, "this is not a directory");
	return true;
}

static bool write_all(int fd, const unsigned char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
	return true;
}

static bool write_script(const char *path, const struct embedded *file)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	bool ok;

	if (fd < 0)
		return fail(path, strerror(errno));
	ok = write_all(fd, file->text, file->len);
	if (close(fd) != 0)
		ok = false;
	if (!ok)
		return fail(path, strerror(errno));
	(void)printf("Wrote %s\n", path);
	return true;
}

/* All are looked at before the first is written: a refusal leaves nothing behind. */
static bool nothing_there(const char *directory)
{
	bool free_place = true;

	for (size_t i = 0; i < embedded_count; i++) {
		const char *name = script_name(&embedded_files[i]);
		char *path = name ? xasprintf("%s/%s", directory, name) : NULL;

		if (path && access(path, F_OK) == 0)
			free_place =
				fail(path, "this file is there already; it is not overwritten");
		free(path);
	}
	return free_place;
}

static bool write_scripts(const char *directory)
{
	bool ok = true;

	for (size_t i = 0; ok && i < embedded_count; i++) {
		const char *name = script_name(&embedded_files[i]);
		char *path = name ? xasprintf("%s/%s", directory, name) : NULL;

		if (path)
			ok = write_script(path, &embedded_files[i]);
		free(path);
	}
	return ok;
}

int init_run(char *const *args)
{
	const char *directory = args[0];

	if (!directory || args[1]) {
		(void)fputs("nomad-operator init: give it one directory: nomad-operator init DIR\n",
			stderr);
		return 1;
	}
	if (!make_directory(directory) || !nothing_there(directory) || !write_scripts(directory))
		return 1;
	(void)printf("\nEdit them, look at what they would do, and run them:\n"
		     "    nomad-operator plan %s\n"
		     "    nomad-operator run %s\n",
		directory, directory);
	return 0;
}
