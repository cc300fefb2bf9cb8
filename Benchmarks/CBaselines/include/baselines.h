#ifndef PERDURE_BASELINES_H
#define PERDURE_BASELINES_H
#include <stdint.h>

/// Heap allocations made by the calling thread since it began.
uint64_t baseline_allocations(void);

/// Begins to count the heap allocations of all threads from zero, or stops and returns their number; counting slows them down a little.
void baseline_count_all_allocations(void);
uint64_t baseline_all_allocations(void);

/// Bytes of the heap that are in use.
uint64_t baseline_heap_bytes(void);

/// Writes on SQLite's own API as fast as C can: `count` updates of `ids` rows in turn, `batch` of them in each transaction, with the
/// store's statement, pragmas and row size. Returns updates per second, or a negative number when SQLite failed.
double baseline_sqlite_updates(const char *path, int ids, int batch, int warm_up, int count, int payload_bytes);


/// Rows one by one over one connection, as the eGo store does it: one upsert (or one read), one round trip, one commit. `count` of them
/// over `ids` rows in turn. Returns rows per second, or a negative number when the server failed, with the reason on standard error.
double baseline_postgres_rows(const char *url, int ids, int count, int payload_bytes, int reading);

/// A request after another in libcurl's plainest loop, on one connection: `count` times the same POST. `headers` ends with a null.
/// Returns the median of a request's microseconds, or a negative number when one failed.
double baseline_curl_requests(const char *url, const char *const *headers, const char *body, int count);

#endif
