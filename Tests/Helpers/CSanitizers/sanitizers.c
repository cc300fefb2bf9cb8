#include "sanitizers.h"

// A continuation that is resumed before its task has come to wait for it hands over inside Swift's runtime, by atomics that
// ThreadSanitizer does not see. What the resuming thread has read of the task's frame then looks unordered with what the task
// does next. Five lines with one thread, one queue and one continuation show it. (With checked continuations the reading, too,
// happens where the sanitizer does not look.) Left out is exactly this: stacks in UnsafeContinuation.resume(returning:).
const char *__tsan_default_suppressions(void) {
    return "race:sScc6resume9returning\n";
}
