#ifndef PERDURE_CLINUX_SHIM_H
#define PERDURE_CLINUX_SHIM_H

// What Swift's Glibc module leaves out: epoll and eventfd. The flags are macros and enumerators of mixed width in C;
// these functions give Swift one type for them.

#include <errno.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

static inline uint32_t clinux_epollin(void) { return EPOLLIN; }
static inline uint32_t clinux_epollout(void) { return EPOLLOUT; }
static inline uint32_t clinux_epollrdhup(void) { return EPOLLRDHUP; }
static inline uint32_t clinux_epollerr(void) { return EPOLLERR; }
static inline uint32_t clinux_epollhup(void) { return EPOLLHUP; }

// Each returns a descriptor or 0, or a negative error number.
static inline int clinux_epoll_create(void) {
    int poller = epoll_create1(EPOLL_CLOEXEC);
    return poller >= 0 ? poller : -errno;
}

static inline int clinux_eventfd(void) {
    int descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return descriptor >= 0 ? descriptor : -errno;
}

static inline int clinux_epoll_add(int poller, int descriptor, uint32_t events, uint64_t token) {
    struct epoll_event event = {.events = events, .data = {.u64 = token}};
    return epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event) == 0 ? 0 : -errno;
}

static inline int clinux_epoll_modify(int poller, int descriptor, uint32_t events, uint64_t token) {
    struct epoll_event event = {.events = events, .data = {.u64 = token}};
    return epoll_ctl(poller, EPOLL_CTL_MOD, descriptor, &event) == 0 ? 0 : -errno;
}

static inline int clinux_epoll_remove(int poller, int descriptor) {
    struct epoll_event event = {0};
    return epoll_ctl(poller, EPOLL_CTL_DEL, descriptor, &event) == 0 ? 0 : -errno;
}

static inline void clinux_eventfd_signal(int descriptor) { eventfd_write(descriptor, 1); }

static inline void clinux_eventfd_clear(int descriptor) {
    eventfd_t value;
    eventfd_read(descriptor, &value);
}

#endif
