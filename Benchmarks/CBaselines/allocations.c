#include "baselines.h"
#include <malloc.h>
#include <stdatomic.h>
#include <stddef.h>

// The sanitizers bring a malloc of their own; benchmarks are not run under them.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

static __thread uint64_t allocations;

static _Atomic int counts_all;
static _Atomic uint64_t all_allocations;

uint64_t baseline_allocations(void) { return allocations; }

void baseline_count_all_allocations(void) {
    all_allocations = 0;
    counts_all = 1;
}

uint64_t baseline_all_allocations(void) {
    counts_all = 0;
    return all_allocations;
}

uint64_t baseline_heap_bytes(void) {
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

#ifndef SANITIZED
// The program's own malloc goes before the C library's, for every library in the process: it counts and passes on.
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static inline void note_allocation(void) {
    allocations++;
    if (atomic_load_explicit(&counts_all, memory_order_relaxed))
        atomic_fetch_add_explicit(&all_allocations, 1, memory_order_relaxed);
}

void *malloc(size_t size) {
    note_allocation();
    return __libc_malloc(size);
}
void *calloc(size_t count, size_t size) {
    note_allocation();
    return __libc_calloc(count, size);
}
void *realloc(void *memory, size_t size) {
    note_allocation();
    return __libc_realloc(memory, size);
}
void *aligned_alloc(size_t alignment, size_t size) {
    note_allocation();
    return __libc_memalign(alignment, size);
}
int posix_memalign(void **memory, size_t alignment, size_t size) {
    note_allocation();
    *memory = __libc_memalign(alignment, size);
    return *memory ? 0 : 12;
}
#endif
