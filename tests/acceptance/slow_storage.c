/* Preloaded into the worker alone: in staging, the calls of one kind that SLOW_STORAGE names (read, write or sync) take 0.2 s
 * each, as on a disk that is overloaded. Each one that begins adds a byte to the file SLOW_STORAGE_COUNT. Where SLOW_STORAGE is
 * publish, the worker is killed instead, at its first rename out of staging. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static int in_staging(int fd)
{
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size < 0)
        return 0;
    path[size] = 0;
    return strstr(path, "/.proxx-") != NULL;
}

static void slow(const char *kind, int fd)
{
    const char *slow_kind = getenv("SLOW_STORAGE"), *count = getenv("SLOW_STORAGE_COUNT");
    if (!slow_kind || !count || strcmp(slow_kind, kind) != 0 || !in_staging(fd))
        return;
    int file = open(count, O_WRONLY | O_APPEND | O_CREAT, 0644);
    if (file < 0 || write(file, ".", 1) != 1)
        abort();
    close(file);
    struct timespec rest = {0, 200000000};
    while (nanosleep(&rest, &rest) != 0)
        ;
}

ssize_t pread64(int fd, void *data, size_t size, off64_t offset)
{
    ssize_t (*real)(int, void *, size_t, off64_t) = dlsym(RTLD_NEXT, "pread64");
    slow("read", fd);
    return real(fd, data, size, offset);
}

ssize_t preadv64(int fd, const struct iovec *parts, int count, off64_t offset)
{
    ssize_t (*real)(int, const struct iovec *, int, off64_t) = dlsym(RTLD_NEXT, "preadv64");
    slow("read", fd);
    return real(fd, parts, count, offset);
}

/* What Python's os.preadv calls where the C library has it. */
ssize_t preadv64v2(int fd, const struct iovec *parts, int count, off64_t offset, int flags)
{
    ssize_t (*real)(int, const struct iovec *, int, off64_t, int) = dlsym(RTLD_NEXT, "preadv64v2");
    slow("read", fd);
    return real(fd, parts, count, offset, flags);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset)
{
    ssize_t (*real)(int, const void *, size_t, off64_t) = dlsym(RTLD_NEXT, "pwrite64");
    slow("write", fd);
    return real(fd, data, size, offset);
}

int renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
    int (*real)(int, const char *, int, const char *, unsigned) = dlsym(RTLD_NEXT, "renameat2");
    const char *kind = getenv("SLOW_STORAGE");
    if (kind && strcmp(kind, "publish") == 0 && in_staging(from_fd))
        raise(SIGKILL);
    return real(from_fd, from, to_fd, to, flags);
}

int sync_file_range(int fd, off64_t offset, off64_t size, unsigned flags)
{
    int (*real)(int, off64_t, off64_t, unsigned) = dlsym(RTLD_NEXT, "sync_file_range");
    slow("sync", fd);
    return real(fd, offset, size, flags);
}
