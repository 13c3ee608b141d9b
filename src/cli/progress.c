/* progress.c — drawn anew only when it has got further by one per cent. */
#include "cli/progress.h"

#include <stdio.h>
#include <unistd.h>

enum { BAR = 40 };

bool progress_wanted(void)
{
    return isatty(STDERR_FILENO) == 1;
}

void progress_draw(struct progress *progress, int64_t done, int64_t all)
{
    int now = all > 0 ? (int)(done * 100 / all) : 100;
    if (now == progress->drawn)
        return;
    progress->drawn = now;
    fprintf(stderr, "\r[");
    for (int i = 0; i < BAR; i++)
        fputc(i * 100 < now * BAR ? '#' : ' ', stderr);
    fprintf(stderr, "] %3d %%", now);
}

void progress_clear(struct progress *progress)
{
    if (progress->drawn >= 0)
        fprintf(stderr, "\r\033[K");
    progress->drawn = -1;
}
