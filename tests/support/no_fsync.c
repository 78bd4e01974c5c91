/*
 * A disk whose fsync fails (EIO) while the file NO_FSYNC is there, for LD_PRELOAD; nothing else is changed.
 * Each that fails is a letter more in NO_FSYNC with ".told" behind it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int synced(int fd, const char *name)
{
	int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
	const char *word = getenv("NO_FSYNC");
	char told[512];
	int to;

	if (!word || access(word, F_OK))
		return real(fd);
	snprintf(told, sizeof told, "%s.told", word);
	if ((to = open(told, O_WRONLY | O_APPEND | O_CLOEXEC)) >= 0) {
		if (write(to, "f", 1) != 1)
			abort();
		close(to);
	}
	errno = EIO;
	return -1;
}

int fsync(int fd)
{
	return synced(fd, "fsync");
}

int fdatasync(int fd)
{
	return synced(fd, "fdatasync");
}
