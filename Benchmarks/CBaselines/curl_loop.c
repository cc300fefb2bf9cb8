#include "baselines.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <time.h>

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static size_t ignore(char *bytes, size_t size, size_t count, void *data) {
    (void)bytes;
    (void)data;
    return size * count;
}

static int in_order(const void *left, const void *right) {
    double difference = *(const double *)left - *(const double *)right;
    return difference < 0 ? -1 : difference > 0;
}

double baseline_curl_requests(const char *url, const char *const *headers, const char *body, int count) {
    CURLM *multi = curl_multi_init();
    CURL *easy = curl_easy_init();
    double *times = calloc((size_t)count, sizeof(double));
    struct curl_slist *lines = NULL;
    for (int index = 0; headers[index]; index++) lines = curl_slist_append(lines, headers[index]);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, lines);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore);
    double median = -1;
    // The first requests connect, and do not count.
    int warm_up = 100;
    for (int index = -warm_up; index < count; index++) {
        double start = now();
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
        curl_multi_add_handle(multi, easy);
        int running = 1;
        while (running) {
            if (curl_multi_perform(multi, &running) != CURLM_OK) goto end;
            if (running && curl_multi_poll(multi, NULL, 0, 1000, NULL) != CURLM_OK) goto end;
        }
        int left;
        CURLMsg *message = curl_multi_info_read(multi, &left);
        if (!message || message->data.result != CURLE_OK) goto end;
        curl_multi_remove_handle(multi, easy);
        if (index >= 0) times[index] = now() - start;
    }
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    if (status == 200) {
        qsort(times, (size_t)count, sizeof(double), in_order);
        median = times[count / 2];
    }
end:
    curl_easy_cleanup(easy);
    curl_multi_cleanup(multi);
    curl_slist_free_all(lines);
    free(times);
    return median;
}
