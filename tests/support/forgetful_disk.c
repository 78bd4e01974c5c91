/*
 * A disk below one database that forgets: for LD_PRELOAD, and only for files whose name begins as FORGETFUL_FILES.
 *
 * It keeps what would be on the platter: what was written before an fsync that succeeded, and nothing else. As on
 * Linux, what an fsync that failed should have written is not written by the next one either. FORGETFUL_WORD is a
 * file with one letter: f fsync fails (EIO), w writing fails (EIO), n there is no space (ENOSPC), s writing is
 * short, p the power fails at the next fsync: the files become what the platter holds, and the process ends. After
 * the letter may stand a number: one call in so many is struck. Each stroke is a letter more in FORGETFUL_TOLD.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST 8
#define PAGE 4096

struct platter {
	char name[512];
	char *image, *dirty; /* octets that are safe; which pages are not */
	size_t size, room;
};

static struct platter disks[MOST];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned random_state = 1;

#define REAL(name) \
	static __typeof__(name) *real; \
	if (!real) \
		real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

static ssize_t really_write(int fd, const void *from, size_t size, off_t at)
{
	REAL(pwrite64);
	return real(fd, from, size, at);
}

/* Which of our files this is; NULL for any other, the -shm among them, which nobody needs after a crash. */
static struct platter *disk_of(int fd)
{
	const char *ours = getenv("FORGETFUL_FILES");
	char link[64], name[512];
	ssize_t length;
	int i;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	if (!ours || (length = readlink(link, name, sizeof name - 1)) < 0)
		return NULL;
	name[length] = 0;
	if (strncmp(name, ours, strlen(ours)) || (length > 4 && !strcmp(name + length - 4, "-shm")))
		return NULL;
	for (i = 0; i < MOST; i++) {
		if (!strcmp(disks[i].name, name))
			return &disks[i];
		if (!disks[i].name[0])
			break;
	}
	if (i == MOST)
		abort();
	strcpy(disks[i].name, name);
	return &disks[i];
}

static void make_room(struct platter *disk, size_t size)
{
	size_t room = (size / PAGE + 1) * PAGE * 2;

	if (size <= disk->room)
		return;
	if (!(disk->image = realloc(disk->image, room)) || !(disk->dirty = realloc(disk->dirty, room / PAGE)))
		abort();
	memset(disk->image + disk->room, 0, room - disk->room);
	memset(disk->dirty + disk->room / PAGE, 0, (room - disk->room) / PAGE);
	disk->room = room;
}

/* What is in the file when it is first met counts as safe. */
static void meet(struct platter *disk, int fd)
{
	struct stat status;

	if (disk->room || fstat(fd, &status))
		return;
	make_room(disk, status.st_size + 1);
	disk->size = status.st_size;
	if (pread(fd, disk->image, disk->size, 0) != (ssize_t)disk->size)
		abort();
}

static void soil(struct platter *disk, off_t at, size_t size)
{
	size_t page;

	make_room(disk, at + size);
	for (page = at / PAGE; size && page <= (at + size - 1) / PAGE; page++)
		disk->dirty[page] = 1;
}

/* An fsync: written if it succeeds, forgotten either way. */
static void settle(struct platter *disk, int fd, int succeeds)
{
	struct stat status;
	size_t page;

	if (fstat(fd, &status))
		return;
	make_room(disk, status.st_size + 1);
	for (page = 0; page < disk->room / PAGE; page++) {
		if (disk->dirty[page] && succeeds && page * PAGE < (size_t)status.st_size)
			if (pread(fd, disk->image + page * PAGE, PAGE, page * PAGE) < 0)
				abort();
		disk->dirty[page] = 0;
	}
	if (succeeds)
		disk->size = status.st_size;
}

static void power_fails(void)
{
	REAL(ftruncate);
	int i;

	for (i = 0; i < MOST && disks[i].name[0]; i++) {
		int fd = open(disks[i].name, O_RDWR);

		if (fd < 0 || !disks[i].room)
			continue;
		if (real(fd, 0) || really_write(fd, disks[i].image, disks[i].size, 0) != (ssize_t)disks[i].size)
			abort();
	}
	kill(getpid(), SIGKILL);
}

/* Whether this call is struck by one of *letters*: which. */
static int struck(const char *letters)
{
	const char *word = getenv("FORGETFUL_WORD"), *told = getenv("FORGETFUL_TOLD");
	int fd = word ? open(word, O_RDONLY | O_CLOEXEC) : -1, one_in = 1;
	char said[16] = "";

	if (fd < 0)
		return 0;
	if (read(fd, said, sizeof said - 1) < 1 || !strchr(letters, said[0]) || !said[0])
		said[0] = 0;
	close(fd);
	if (!said[0])
		return 0;
	if (said[1])
		one_in = atoi(said + 1);
	if (one_in > 1 && rand_r(&random_state) % one_in)
		return 0;
	if ((fd = open(told, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) >= 0) {
		REAL(write);
		if (real(fd, said, 1) != 1)
			abort();
		close(fd);
	}
	return said[0];
}

static int synced(int fd, int (*real)(int))
{
	struct platter *disk;
	int by, result;

	pthread_mutex_lock(&lock);
	if (!(disk = disk_of(fd))) {
		pthread_mutex_unlock(&lock);
		return real(fd);
	}
	meet(disk, fd);
	if ((by = struck("fp")) == 'p')
		power_fails();
	result = by ? -1 : real(fd);
	settle(disk, fd, !result);
	pthread_mutex_unlock(&lock);
	if (by)
		errno = EIO;
	return result;
}

int fsync(int fd)
{
	REAL(fsync);
	return synced(fd, real);
}

int fdatasync(int fd)
{
	REAL(fdatasync);
	return synced(fd, real);
}

static ssize_t written(int fd, const void *from, size_t size, off_t at)
{
	struct platter *disk;
	ssize_t result = -1;
	int by, error = 0;

	pthread_mutex_lock(&lock);
	if (!(disk = disk_of(fd))) {
		pthread_mutex_unlock(&lock);
		return really_write(fd, from, size, at);
	}
	meet(disk, fd);
	by = struck("wns");
	if (by == 'w')
		error = EIO;
	else if (by == 'n')
		error = ENOSPC;
	else {
		result = really_write(fd, from, by == 's' ? size / 2 : size, at);
		error = errno;
		if (result > 0)
			soil(disk, at, result);
	}
	pthread_mutex_unlock(&lock);
	errno = error;
	return result;
}

ssize_t pwrite64(int fd, const void *from, size_t size, off_t at)
{
	return written(fd, from, size, at);
}

ssize_t pwrite(int fd, const void *from, size_t size, off_t at)
{
	return written(fd, from, size, at);
}

static int shortened(int fd, off_t size, int (*real)(int, off_t))
{
	struct platter *disk;
	int result;

	pthread_mutex_lock(&lock);
	if ((disk = disk_of(fd)))
		meet(disk, fd);
	result = real(fd, size);
	if (disk && !result)
		soil(disk, size, 1);
	pthread_mutex_unlock(&lock);
	return result;
}

int ftruncate(int fd, off_t size)
{
	REAL(ftruncate);
	return shortened(fd, size, real);
}

int ftruncate64(int fd, off_t size)
{
	REAL(ftruncate64);
	return shortened(fd, size, real);
}
