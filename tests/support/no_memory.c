/*
 * A host that is short of memory while the file NO_MEMORY is there, for LD_PRELOAD; nothing else is changed: one in
 * three requests for a page or more is refused. Each is a letter more in NO_MEMORY with ".told" behind it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PAGE 4096
#define ONE_IN 3

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);

static int refused(size_t size)
{
	static __thread unsigned state = 1;
	const char *word;
	char told[512];
	int to;

	if (size < PAGE || !(word = getenv("NO_MEMORY")) || access(word, F_OK) || rand_r(&state) % ONE_IN)
		return 0;
	snprintf(told, sizeof told, "%s.told", word);
	if ((to = open(told, O_WRONLY | O_APPEND | O_CLOEXEC)) >= 0) {
		if (write(to, "m", 1) != 1)
			abort();
		close(to);
	}
	errno = ENOMEM;
	return 1;
}

void *malloc(size_t size)
{
	return refused(size) ? NULL : __libc_malloc(size);
}

void *calloc(size_t number, size_t size)
{
	return refused(number * size) ? NULL : __libc_calloc(number, size);
}

void *realloc(void *from, size_t size)
{
	return refused(size) ? NULL : __libc_realloc(from, size);
}
