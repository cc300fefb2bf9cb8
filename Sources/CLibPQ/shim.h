#ifndef PERDURE_CLIBPQ_SHIM_H
#define PERDURE_CLIBPQ_SHIM_H

// Named with its folder, so that no compiler flag is needed (pkg-config's would add Kerberos' folder too).
#if __has_include(<postgresql/libpq-fe.h>)
#include <postgresql/libpq-fe.h>
#else
#include <libpq-fe.h>
#endif

// Cancelling without blocking came with libpq 17. With an older one a query that overruns its deadline is given up by
// closing its connection; the server's own statement_timeout ends it there.
#ifdef LIBPQ_HAS_ASYNC_CANCEL
static inline int cpq_can_cancel(void) { return 1; }
static inline void *cpq_cancel_start(PGconn *connection) {
    PGcancelConn *cancel = PQcancelCreate(connection);
    if (cancel && !PQcancelStart(cancel)) {
        PQcancelFinish(cancel);
        return 0;
    }
    return cancel;
}
static inline PostgresPollingStatusType cpq_cancel_poll(void *cancel) { return PQcancelPoll((PGcancelConn *)cancel); }
static inline int cpq_cancel_socket(void *cancel) { return PQcancelSocket((PGcancelConn *)cancel); }
static inline void cpq_cancel_finish(void *cancel) { PQcancelFinish((PGcancelConn *)cancel); }
#else
static inline int cpq_can_cancel(void) { return 0; }
static inline void *cpq_cancel_start(PGconn *connection) { return 0; }
static inline PostgresPollingStatusType cpq_cancel_poll(void *cancel) { return PGRES_POLLING_FAILED; }
static inline int cpq_cancel_socket(void *cancel) { return -1; }
static inline void cpq_cancel_finish(void *cancel) {}
#endif

// The letters under which libpq keeps the fields of an error.
static inline int cpq_field_severity(void) { return PG_DIAG_SEVERITY_NONLOCALIZED; }
static inline int cpq_field_sqlstate(void) { return PG_DIAG_SQLSTATE; }
static inline int cpq_field_message(void) { return PG_DIAG_MESSAGE_PRIMARY; }
static inline int cpq_field_detail(void) { return PG_DIAG_MESSAGE_DETAIL; }
static inline int cpq_field_hint(void) { return PG_DIAG_MESSAGE_HINT; }
static inline int cpq_field_schema(void) { return PG_DIAG_SCHEMA_NAME; }
static inline int cpq_field_table(void) { return PG_DIAG_TABLE_NAME; }
static inline int cpq_field_column(void) { return PG_DIAG_COLUMN_NAME; }
static inline int cpq_field_context(void) { return PG_DIAG_CONTEXT; }
static inline int cpq_field_constraint(void) { return PG_DIAG_CONSTRAINT_NAME; }

#endif
