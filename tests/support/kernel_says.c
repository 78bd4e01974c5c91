/* The kernel's word on its clock, as a file has it: "yes" or "no". For LD_PRELOAD; nothing else is changed. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>

int adjtimex(struct timex *asked)
{
	const char *path = getenv("KERNEL_SAYS");
	FILE *file = path ? fopen(path, "r") : NULL;
	int first = file ? fgetc(file) : EOF;

	if (file)
		fclose(file);
	memset(asked, 0, sizeof *asked);
	asked->status = first == 'y' ? STA_PLL : STA_UNSYNC;
	return first == 'y' ? TIME_OK : TIME_ERROR;
}
