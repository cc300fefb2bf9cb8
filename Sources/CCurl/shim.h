#ifndef PERDURE_CCURL_SHIM_H
#define PERDURE_CCURL_SHIM_H

#include <curl/curl.h>

// What Swift cannot say: libcurl sets and asks everything through functions with variable arguments, which its header
// hides behind macros besides.

static inline CURLcode ccurl_set_long(CURL *easy, CURLoption option, long value) {
    return (curl_easy_setopt)(easy, option, value);
}
static inline CURLcode ccurl_set_offset(CURL *easy, CURLoption option, curl_off_t value) {
    return (curl_easy_setopt)(easy, option, value);
}
static inline CURLcode ccurl_set_pointer(CURL *easy, CURLoption option, const void *value) {
    return (curl_easy_setopt)(easy, option, value);
}
static inline CURLcode ccurl_set_write(CURL *easy, size_t (*function)(char *, size_t, size_t, void *), void *data) {
    CURLcode status = (curl_easy_setopt)(easy, CURLOPT_WRITEFUNCTION, function);
    return status ? status : (curl_easy_setopt)(easy, CURLOPT_WRITEDATA, data);
}
static inline CURLcode ccurl_set_close_socket(CURL *easy, int (*function)(void *, curl_socket_t), void *data) {
    CURLcode status = (curl_easy_setopt)(easy, CURLOPT_CLOSESOCKETFUNCTION, function);
    return status ? status : (curl_easy_setopt)(easy, CURLOPT_CLOSESOCKETDATA, data);
}
static inline CURLcode ccurl_set_before_request(CURL *easy, int (*function)(void *, char *, char *, int, int), void *data) {
    CURLcode status = (curl_easy_setopt)(easy, CURLOPT_PREREQFUNCTION, function);
    return status ? status : (curl_easy_setopt)(easy, CURLOPT_PREREQDATA, data);
}

static inline long ccurl_get_long(CURL *easy, CURLINFO info) {
    long value = 0;
    (curl_easy_getinfo)(easy, info, &value);
    return value;
}

static inline void *ccurl_get_private(CURL *easy) {
    char *value = 0;
    (curl_easy_getinfo)(easy, CURLINFO_PRIVATE, &value);
    return value;
}

static inline CURLMcode ccurl_multi_set_socket(CURLM *multi, int (*function)(CURL *, curl_socket_t, int, void *, void *), void *data) {
    CURLMcode status = (curl_multi_setopt)(multi, CURLMOPT_SOCKETFUNCTION, function);
    return status ? status : (curl_multi_setopt)(multi, CURLMOPT_SOCKETDATA, data);
}
static inline CURLMcode ccurl_multi_set_timer(CURLM *multi, int (*function)(CURLM *, long, void *), void *data) {
    CURLMcode status = (curl_multi_setopt)(multi, CURLMOPT_TIMERFUNCTION, function);
    return status ? status : (curl_multi_setopt)(multi, CURLMOPT_TIMERDATA, data);
}
static inline CURLMcode ccurl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return (curl_multi_setopt)(multi, option, value);
}

// The finished transfer that has waited longest, and its result; null when there is none.
static inline CURL *ccurl_next_done(CURLM *multi, CURLcode *result) {
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(multi, &left))) {
        if (message->msg == CURLMSG_DONE) {
            *result = message->data.result;
            return message->easy_handle;
        }
    }
    return 0;
}

// The value of a header of the final response; null when there is none.
static inline const char *ccurl_header(CURL *easy, const char *name) {
    struct curl_header *header;
    return curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK ? header->value : 0;
}

#endif
