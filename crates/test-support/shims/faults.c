/* System calls that fail on demand, for tests: preloaded into a trainer.
 *
 * FAULT_SWITCH  a file; while it exists, each of its lines "<errno> <part of a path>" makes calls that write to such a
 *               path fail: opening for writing, writing, flushing, truncating, renaming, linking.
 * FAULT_KILL    "<n> <part of a path>": the process is killed before its n-th such call, or removal, on such a path; a
 *               write gets half-way first.
 * FAULT_LOCKS   an error number: flock fails with it.
 * FAULT_CLOCK   a file with a number of seconds by which the wall clock is ahead.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define ORIGINAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* The path of an open file; NULL if it has none. */
static const char *path_of(int descriptor, char *path, size_t size) {
    char link[64];
    ssize_t length;
    int saved = errno;
    if (descriptor < 3) return NULL;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    length = readlink(link, path, size - 1);
    errno = saved;
    if (length <= 0) return NULL;
    path[length] = 0;
    return path;
}

/* A path with the name of an open directory in place of /proc/self/fd/N. */
static const char *named(const char *path, char *name, size_t size) {
    static const char links[] = "/proc/self/fd/";
    char *rest;
    int descriptor;
    if (!path || strncmp(path, links, sizeof links - 1) != 0) return path;
    descriptor = (int)strtol(path + sizeof links - 1, &rest, 10);
    if (*rest != '/' || !path_of(descriptor, name, size)) return path;
    return strncat(name, rest, size - strlen(name) - 1);
}

/* The error number for a path, or 0. Keeps errno. */
static int fault_of_path(const char *path) {
    const char *where = getenv("FAULT_SWITCH");
    char line[4200], name[4200];
    int saved = errno, error = 0;
    FILE *file;
    if (!where || !path || access(where, F_OK) != 0 || !(file = fopen(where, "re"))) {
        errno = saved;
        return 0;
    }
    path = named(path, name, sizeof name);
    while (!error && fgets(line, sizeof line, file)) {
        char *part = strchr(line, ' ');
        line[strcspn(line, "\n")] = 0;
        if (part && strstr(path, part + 1)) error = atoi(line);
    }
    fclose(file);
    errno = saved;
    return error;
}

/* True if this call is the one before which the process is to be killed. */
static int is_last_call(const char *path) {
    static int calls;
    const char *when = getenv("FAULT_KILL");
    const char *part = when ? strchr(when, ' ') : NULL;
    char name[4200];
    path = named(path, name, sizeof name);
    return part && path && strstr(path, part + 1) && __atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST) == atoi(when);
}

static void kill_before(const char *path) {
    if (is_last_call(path)) raise(SIGKILL);
}

static int fault_of_file(int descriptor) {
    char path[4200];
    const char *open_path = path_of(descriptor, path, sizeof path);
    kill_before(open_path);
    return fault_of_path(open_path);
}

/* A write that is to be the last thing gets half-way. */
static int fault_of_write(int descriptor, const void *bytes, size_t length) {
    char path[4200];
    const char *open_path = path_of(descriptor, path, sizeof path);
    if (is_last_call(open_path)) {
        ssize_t (*original)(int, const void *, size_t) = ORIGINAL(write);
        (void)!original(descriptor, bytes, length / 2);
        raise(SIGKILL);
    }
    return fault_of_path(open_path);
}

#define FAIL_IF(fault) do { int error = (fault); if (error) { errno = error; return -1; } } while (0)

ssize_t write(int descriptor, const void *bytes, size_t length) {
    FAIL_IF(fault_of_write(descriptor, bytes, length));
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
    kill_before(to);
    FAIL_IF(fault_of_path(to));
    return ORIGINAL(rename)(from, to);
}

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags) {
    kill_before(to);
    FAIL_IF(fault_of_path(to));
    return ORIGINAL(linkat)(from_folder, from, to_folder, to, flags);
}

int unlink(const char *path) {
    kill_before(path);
    return ORIGINAL(unlink)(path);
}

int open64(const char *path, int flags, ...) {
    mode_t mode = 0;
    va_list arguments;
    va_start(arguments, flags);
    if (flags & O_CREAT) mode = va_arg(arguments, mode_t);
    va_end(arguments);
    if (flags & (O_WRONLY | O_RDWR | O_CREAT)) {
        kill_before(path);
        FAIL_IF(fault_of_path(path));
    }
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
