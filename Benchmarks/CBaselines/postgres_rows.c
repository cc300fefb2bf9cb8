#include "baselines.h"
#include <arpa/inet.h>
#include <endian.h>
#include <postgresql/libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static int ended_with(PGresult *result, ExecStatusType expected) {
    int ok = PQresultStatus(result) == expected;
    if (!ok) fprintf(stderr, "%s", PQresultErrorMessage(result));
    PQclear(result);
    return ok;
}

double baseline_postgres_rows(const char *url, int ids, int count, int payload_bytes, int reading) {
    double rate = -1;
    char id[32];
    char *payload = calloc(1, payload_bytes);
    PGconn *connection = PQconnectdb(url);
    if (PQstatus(connection) != CONNECTION_OK) {
        fprintf(stderr, "%s", PQerrorMessage(connection));
        goto end;
    }
    if (!ended_with(PQexec(connection, "SET synchronous_commit = on"), PGRES_COMMAND_OK)) goto end;
    if (!ended_with(PQprepare(connection, "put",
            "INSERT INTO states_store (persistence_id, version_number, state_payload, state_manifest, timestamp, shard_number)"
            " VALUES ($1, $2, $3, 'bench', 1700000000000, 1) ON CONFLICT (persistence_id) DO UPDATE SET"
            " version_number = excluded.version_number, state_payload = excluded.state_payload,"
            " state_manifest = excluded.state_manifest, timestamp = excluded.timestamp,"
            " shard_number = excluded.shard_number", 0, NULL), PGRES_COMMAND_OK)) goto end;
    if (!ended_with(PQprepare(connection, "get", "SELECT * FROM states_store WHERE persistence_id = $1", 0, NULL),
            PGRES_COMMAND_OK)) goto end;

    double start = now();
    for (int i = 0; i < count; i++) {
        snprintf(id, sizeof id, "account-%d", i % ids);
        uint64_t version = htobe64(i / ids + 1);
        const char *values[3] = {id, (const char *)&version, payload};
        int lengths[3] = {(int)strlen(id), 8, payload_bytes};
        int formats[3] = {0, 1, 1};
        PGresult *result = PQexecPrepared(connection, reading ? "get" : "put", reading ? 1 : 3, values, lengths, formats, 1);
        if (!ended_with(result, reading ? PGRES_TUPLES_OK : PGRES_COMMAND_OK)) goto end;
    }
    rate = count / (now() - start);

end:
    PQfinish(connection);
    free(payload);
    return rate;
}
