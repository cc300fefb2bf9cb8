#include "baselines.h"
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static int step_and_reset(sqlite3_stmt *statement) {
    int code = sqlite3_step(statement);
    sqlite3_reset(statement);
    return code;
}

double baseline_sqlite_updates(const char *path, int ids, int batch, int warm_up, int count, int payload_bytes) {
    sqlite3 *db = 0;
    sqlite3_stmt *begin = 0, *commit = 0, *insert = 0, *update = 0;
    double rate = -1;
    char id[32];
    unsigned char write_id[16] = {0};
    unsigned char *payload = malloc(payload_bytes);
    memset(payload, 7, payload_bytes);

    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, 0)) goto end;
    if (sqlite3_exec(db,
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
            "CREATE TABLE IF NOT EXISTS states_store (persistence_id TEXT NOT NULL PRIMARY KEY,"
            " version_number INTEGER NOT NULL, state_payload BLOB NOT NULL, state_manifest TEXT NOT NULL,"
            " timestamp INTEGER NOT NULL, shard_number INTEGER NOT NULL, write_id BLOB) STRICT, WITHOUT ROWID", 0, 0, 0))
        goto end;
    if (sqlite3_prepare_v3(db, "BEGIN IMMEDIATE", -1, SQLITE_PREPARE_PERSISTENT, &begin, 0)) goto end;
    if (sqlite3_prepare_v3(db, "COMMIT", -1, SQLITE_PREPARE_PERSISTENT, &commit, 0)) goto end;
    if (sqlite3_prepare_v3(db, "INSERT INTO states_store VALUES (?1, 0, ?2, 'm', 0, 0, NULL)"
            " ON CONFLICT DO UPDATE SET version_number = 0", -1, SQLITE_PREPARE_PERSISTENT, &insert, 0)) goto end;
    if (sqlite3_prepare_v3(db,
            "UPDATE states_store SET version_number = ?2, state_payload = ?3, state_manifest = ?4, timestamp = ?5,"
            " shard_number = ?6, write_id = ?7 WHERE persistence_id = ?1 AND version_number = ?8",
            -1, SQLITE_PREPARE_PERSISTENT, &update, 0)) goto end;

    step_and_reset(begin);
    for (int i = 0; i < ids; i++) {
        snprintf(id, sizeof id, "account-%d", i);
        sqlite3_bind_text(insert, 1, id, -1, SQLITE_STATIC);
        sqlite3_bind_blob(insert, 2, payload, payload_bytes, SQLITE_STATIC);
        step_and_reset(insert);
    }
    step_and_reset(commit);

    double start = now();
    int done = 0;
    int last = warm_up + count;
    while (done < last) {
        if (done == warm_up) start = now();
        int end = done < warm_up ? warm_up : last;
        int size = batch < end - done ? batch : end - done;
        if (step_and_reset(begin) != SQLITE_DONE) goto end;
        for (int i = 0; i < size; i++) {
            int number = done + i;
            int version = number / ids;
            snprintf(id, sizeof id, "account-%d", number % ids);
            sqlite3_bind_text(update, 1, id, -1, SQLITE_STATIC);
            sqlite3_bind_int64(update, 2, version + 1);
            sqlite3_bind_blob(update, 3, payload, payload_bytes, SQLITE_STATIC);
            sqlite3_bind_text(update, 4, "bench", 5, SQLITE_STATIC);
            sqlite3_bind_int64(update, 5, 1700000000000);
            sqlite3_bind_int64(update, 6, number % ids);
            sqlite3_bind_blob(update, 7, write_id, sizeof write_id, SQLITE_STATIC);
            sqlite3_bind_int64(update, 8, version);
            if (step_and_reset(update) != SQLITE_DONE || sqlite3_changes(db) != 1) goto end;
        }
        if (step_and_reset(commit) != SQLITE_DONE) goto end;
        done += size;
    }
    rate = count / (now() - start);

end:
    sqlite3_finalize(begin);
    sqlite3_finalize(commit);
    sqlite3_finalize(insert);
    sqlite3_finalize(update);
    sqlite3_close(db);
    free(payload);
    return rate;
}
