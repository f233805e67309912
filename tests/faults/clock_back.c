/* Preloaded into a worker: the wall clock goes back by an hour at every look. The monotonic clock is left alone. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>

static long looks;

int clock_gettime(clockid_t clock, struct timespec *moment)
{
    static int (*real)(clockid_t, struct timespec *);
    if (!real)
        real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int answer = real(clock, moment);
    if (answer == 0 && clock == CLOCK_REALTIME)
        moment->tv_sec -= 3600 * ++looks;
    return answer;
}
