/* System calls that fail on demand, for tests: preloaded into a trainer.
 *
 * FAULT_SWITCH  a file; while it exists, each of its lines "<errno> <part of a path>" makes calls that write to such a
 *               path fail: opening for writing, writing, flushing, truncating, renaming.
 * FAULT_LOCKS   an error number: flock fails with it.
 * FAULT_CLOCK   a file with a number of seconds by which the wall clock is ahead.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define ORIGINAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* The error number for a path, or 0. Keeps errno. */
static int fault_of_path(const char *path) {
    const char *where = getenv("FAULT_SWITCH");
    char line[4200];
    int saved = errno, error = 0;
    FILE *file;
    if (!where || !path || access(where, F_OK) != 0 || !(file = fopen(where, "re"))) {
        errno = saved;
        return 0;
    }
    while (!error && fgets(line, sizeof line, file)) {
        char *part = strchr(line, ' ');
        line[strcspn(line, "\n")] = 0;
        if (part && strstr(path, part + 1)) error = atoi(line);
    }
    fclose(file);
    errno = saved;
    return error;
}

static int fault_of_file(int descriptor) {
    char link[64], path[4200];
    ssize_t length;
    if (descriptor < 3) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return fault_of_path(path);
}

#define FAIL_IF(fault) do { int error = (fault); if (error) { errno = error; return -1; } } while (0)

ssize_t write(int descriptor, const void *bytes, size_t length) {
    FAIL_IF(fault_of_file(descriptor));
    return ORIGINAL(write)(descriptor, bytes, length);
}

ssize_t writev(int descriptor, const struct iovec *parts, int count) {
    FAIL_IF(fault_of_file(descriptor));
    return ORIGINAL(writev)(descriptor, parts, count);
}

int fsync(int descriptor) {
    FAIL_IF(fault_of_file(descriptor));
    return ORIGINAL(fsync)(descriptor);
}

int fdatasync(int descriptor) {
    FAIL_IF(fault_of_file(descriptor));
    return ORIGINAL(fdatasync)(descriptor);
}

int ftruncate64(int descriptor, off64_t length) {
    FAIL_IF(fault_of_file(descriptor));
    return ORIGINAL(ftruncate64)(descriptor, length);
}

int rename(const char *from, const char *to) {
    FAIL_IF(fault_of_path(to));
    return ORIGINAL(rename)(from, to);
}

int open64(const char *path, int flags, ...) {
    mode_t mode = 0;
    va_list arguments;
    va_start(arguments, flags);
    if (flags & O_CREAT) mode = va_arg(arguments, mode_t);
    va_end(arguments);
    if (flags & (O_WRONLY | O_RDWR | O_CREAT)) FAIL_IF(fault_of_path(path));
    return ORIGINAL(open64)(path, flags, mode);
}

int flock(int descriptor, int operation) {
    const char *error = getenv("FAULT_LOCKS");
    if (error) {
        errno = atoi(error);
        return -1;
    }
    return ORIGINAL(flock)(descriptor, operation);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    int result = ORIGINAL(clock_gettime)(clock, time);
    const char *where = getenv("FAULT_CLOCK");
    if (result == 0 && clock == CLOCK_REALTIME && where) {
        int saved = errno;
        long seconds = 0;
        FILE *file = fopen(where, "re");
        if (file) {
            if (fscanf(file, "%ld", &seconds) != 1) seconds = 0;
            fclose(file);
        }
        errno = saved;
        time->tv_sec += seconds;
    }
    return result;
}
