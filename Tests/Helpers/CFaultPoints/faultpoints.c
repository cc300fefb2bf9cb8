#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#define _LARGEFILE64_SOURCE
#include "faultpoints.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// A change of a file since it was last flushed: what was there before, and what was put there.
struct change {
    struct change *earlier;
    ino_t file;
    char path[512];
    off_t offset;
    size_t count, old_count;
    off_t old_size;
    int is_truncation;
    char *old_bytes, *new_bytes;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char watched[512];
static long calls, target, fault_length = 1;
static enum faultpoints_mode mode;
static struct change *unflushed;

#define DESCRIPTORS 4096
static char paths[DESCRIPTORS][512];

void faultpoints_arm(const char *prefix, long at, enum faultpoints_mode new_mode, long length) {
    pthread_mutex_lock(&lock);
    snprintf(watched, sizeof watched, "%s", prefix);
    target = at;
    mode = new_mode;
    fault_length = length;
    pthread_mutex_unlock(&lock);
}

long faultpoints_count(void) {
    pthread_mutex_lock(&lock);
    long count = calls;
    pthread_mutex_unlock(&lock);
    return count;
}

void faultpoints_report(int descriptor, const char *line) {
    if (syscall(SYS_write, descriptor, line, strlen(line)) < 0) _exit(99);
}

static int is_watched(int descriptor) {
    if (descriptor < 0 || descriptor >= DESCRIPTORS) return 0;
    pthread_mutex_lock(&lock);
    int is_ours = paths[descriptor][0] != 0;
    pthread_mutex_unlock(&lock);
    return is_ours;
}

static ino_t inode_of(int descriptor, off_t *size) {
    struct stat status;
    if (fstat(descriptor, &status) != 0) return 0;
    if (size) *size = status.st_size;
    return status.st_ino;
}

static int keeps_changes(void) { return mode == FAULTPOINTS_POWER_ALL || mode == FAULTPOINTS_POWER_SOME; }

static void note_change(int descriptor, const void *bytes, size_t count, off_t offset, int is_truncation) {
    if (!keeps_changes()) return;
    struct change *change = calloc(1, sizeof *change);
    change->file = inode_of(descriptor, &change->old_size);
    snprintf(change->path, sizeof change->path, "%s", paths[descriptor]);
    change->offset = offset;
    change->count = count;
    change->is_truncation = is_truncation;
    size_t span = is_truncation ? (change->old_size > offset ? (size_t)(change->old_size - offset) : 0) : count;
    change->old_bytes = malloc(span + 1);
    long got = syscall(SYS_pread64, descriptor, change->old_bytes, span, offset);
    change->old_count = got > 0 ? (size_t)got : 0;
    if (!is_truncation) {
        change->new_bytes = malloc(count + 1);
        memcpy(change->new_bytes, bytes, count);
    }
    change->earlier = unflushed;
    unflushed = change;
}

static void forget_changes(ino_t file) {
    for (struct change **link = &unflushed; *link;) {
        struct change *change = *link;
        if (change->file != file) {
            link = &change->earlier;
            continue;
        }
        *link = change->earlier;
        free(change->old_bytes);
        free(change->new_bytes);
        free(change);
    }
}

static void redo(struct change *change, unsigned long *noise) {
    if (!change) return;
    redo(change->earlier, noise);
    *noise = *noise * 6364136223846793005UL + 1442695040888963407UL;
    if ((*noise >> 40) % 2) return;
    int descriptor = (int)syscall(SYS_open, change->path, O_RDWR);
    if (descriptor < 0) return;
    if (change->is_truncation) {
        if (syscall(SYS_ftruncate, descriptor, change->offset)) _exit(98);
    } else if (syscall(SYS_pwrite64, descriptor, change->new_bytes, change->count, change->offset) < 0) {
        _exit(98);
    }
    syscall(SYS_close, descriptor);
}

// What a disk shows after the power came back.
static void lose_power(void) {
    for (struct change *change = unflushed; change; change = change->earlier) {
        int descriptor = (int)syscall(SYS_open, change->path, O_RDWR);
        if (descriptor < 0) continue;
        if (syscall(SYS_pwrite64, descriptor, change->old_bytes, change->old_count, change->offset) < 0) _exit(98);
        if (syscall(SYS_ftruncate, descriptor, change->old_size)) _exit(98);
        syscall(SYS_close, descriptor);
    }
    if (mode == FAULTPOINTS_POWER_SOME) {
        unsigned long noise = (unsigned long)target;
        redo(unflushed, &noise);
    }
    // The index of the log is memory, not disk.
    char index[600];
    snprintf(index, sizeof index, "%s-shm", watched);
    syscall(SYS_unlink, index);
}

static void end_process(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

enum verdict { GO_ON, TEAR, END_AFTER, FAIL };

// Counts a call, with the lock held. Ends the process if this is the one.
static enum verdict point(void) {
    calls += 1;
    if (mode == FAULTPOINTS_FAIL_IO || mode == FAULTPOINTS_FAIL_FULL) {
        if (calls < target || calls >= target + fault_length) return GO_ON;
        errno = mode == FAULTPOINTS_FAIL_IO ? EIO : ENOSPC;
        return FAIL;
    }
    if (calls != target) return GO_ON;
    switch (mode) {
    case FAULTPOINTS_KILL_BEFORE: end_process(); break;
    case FAULTPOINTS_KILL_TORN: return TEAR;
    case FAULTPOINTS_KILL_AFTER: return END_AFTER;
    case FAULTPOINTS_POWER_ALL:
    case FAULTPOINTS_POWER_SOME:
        lose_power();
        end_process();
        break;
    default: break;
    }
    return GO_ON;
}

// MARK: What stands in front of the C library

int open64(const char *path, int flags, ...) {
    mode_t permissions = 0;
    if (flags & O_CREAT) {
        va_list arguments;
        va_start(arguments, flags);
        permissions = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    int descriptor = (int)syscall(SYS_openat, AT_FDCWD, path, flags, permissions);
    if (descriptor >= 0 && descriptor < DESCRIPTORS) {
        pthread_mutex_lock(&lock);
        int is_ours = watched[0] && strncmp(path, watched, strlen(watched)) == 0;
        snprintf(paths[descriptor], sizeof paths[descriptor], "%s", is_ours ? path : "");
        pthread_mutex_unlock(&lock);
    }
    return descriptor;
}

int close(int descriptor) {
    if (descriptor >= 0 && descriptor < DESCRIPTORS) {
        pthread_mutex_lock(&lock);
        paths[descriptor][0] = 0;
        pthread_mutex_unlock(&lock);
    }
    return (int)syscall(SYS_close, descriptor);
}

static ssize_t changed(int descriptor, const void *bytes, size_t count, off_t offset) {
    pthread_mutex_lock(&lock);
    enum verdict verdict = point();
    ssize_t result = -1;
    int error = errno;
    if (verdict != FAIL) {
        note_change(descriptor, bytes, count, offset, 0);
        result = syscall(SYS_pwrite64, descriptor, bytes, verdict == TEAR ? count / 2 : count, offset);
        error = errno;
        if (verdict != GO_ON) end_process();
    }
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t offset) {
    if (!is_watched(descriptor)) return syscall(SYS_pwrite64, descriptor, bytes, count, offset);
    return changed(descriptor, bytes, count, offset);
}

ssize_t write(int descriptor, const void *bytes, size_t count) {
    if (!is_watched(descriptor)) return syscall(SYS_write, descriptor, bytes, count);
    off_t offset = lseek(descriptor, 0, SEEK_CUR);
    ssize_t result = changed(descriptor, bytes, count, offset);
    if (result > 0) lseek(descriptor, offset + result, SEEK_SET);
    return result;
}

int fdatasync(int descriptor) {
    if (!is_watched(descriptor)) return (int)syscall(SYS_fdatasync, descriptor);
    pthread_mutex_lock(&lock);
    enum verdict verdict = point();
    int result = -1, error = errno;
    if (verdict == TEAR) end_process();
    if (verdict != FAIL) {
        // The disk itself is not asked: the process ends, the machine does not.
        forget_changes(inode_of(descriptor, 0));
        result = 0;
        if (verdict == END_AFTER) end_process();
    }
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}

int ftruncate64(int descriptor, off64_t size) {
    if (!is_watched(descriptor)) return (int)syscall(SYS_ftruncate, descriptor, size);
    pthread_mutex_lock(&lock);
    enum verdict verdict = point();
    int result = -1, error = errno;
    if (verdict == TEAR) end_process();
    if (verdict != FAIL) {
        note_change(descriptor, 0, 0, size, 1);
        result = (int)syscall(SYS_ftruncate, descriptor, size);
        error = errno;
        if (verdict == END_AFTER) end_process();
    }
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}

int unlink(const char *path) {
    pthread_mutex_lock(&lock);
    int is_ours = watched[0] && strncmp(path, watched, strlen(watched)) == 0;
    enum verdict verdict = is_ours ? point() : GO_ON;
    int result = -1, error = errno;
    if (verdict == TEAR) end_process();
    if (verdict != FAIL) {
        struct stat status;
        if (is_ours && stat(path, &status) == 0) forget_changes(status.st_ino);
        result = (int)syscall(SYS_unlink, path);
        error = errno;
        if (verdict == END_AFTER) end_process();
    }
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}
