/* Preloaded into the worker: the rename number LOST_REPLY_AT is made, and answered with the error LOST_REPLY_ERRNO.
 * So a network filesystem behaves whose client repeats a request after the reply was lost. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>

static int lose(int answer)
{
    static int count;
    const char *at = getenv("LOST_REPLY_AT"), *number = getenv("LOST_REPLY_ERRNO");
    if (answer != 0 || !at || !number || ++count != atoi(at))
        return answer;
    errno = atoi(number);
    return -1;
}

int rename(const char *from, const char *to)
{
    int (*real)(const char *, const char *) = dlsym(RTLD_NEXT, "rename");
    return lose(real(from, to));
}

int renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
    int (*real)(int, const char *, int, const char *, unsigned) = dlsym(RTLD_NEXT, "renameat2");
    return lose(real(from_fd, from, to_fd, to, flags));
}
