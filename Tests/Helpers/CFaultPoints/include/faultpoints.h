// Counts the calls by which a library changes files, and at a chosen one does something about it.
//
// The functions that it stands in front of (open64, close, pwrite64, write, fdatasync, ftruncate64, unlink) are those that
// SQLite changes files with. Only files below one path are watched.
#ifndef FAULTPOINTS_H
#define FAULTPOINTS_H

enum faultpoints_mode {
    // Nothing; only counts.
    FAULTPOINTS_COUNT = 0,
    // The process is killed before the call,
    FAULTPOINTS_KILL_BEFORE = 1,
    // in the middle of it, so that only the first half of what it writes is there,
    FAULTPOINTS_KILL_TORN = 2,
    // or after it.
    FAULTPOINTS_KILL_AFTER = 3,
    // The power fails before the call: of what was written and not flushed nothing is left,
    FAULTPOINTS_POWER_ALL = 4,
    // or some of it, in no particular order.
    FAULTPOINTS_POWER_SOME = 5,
    // The call fails with EIO,
    FAULTPOINTS_FAIL_IO = 6,
    // or with ENOSPC; so do the calls after it until there were `length` of them.
    FAULTPOINTS_FAIL_FULL = 7
};

// Begins to watch the files whose path starts with `prefix`. At call number `at`, from 1, `mode` happens; a failure lasts for
// `length` calls.
void faultpoints_arm(const char *prefix, long at, enum faultpoints_mode mode, long length);

// How many calls there were.
long faultpoints_count(void);

// Writes a line to a descriptor without being counted.
void faultpoints_report(int descriptor, const char *line);

#endif
