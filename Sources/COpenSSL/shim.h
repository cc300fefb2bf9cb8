#ifndef PERDURE_COPENSSL_SHIM_H
#define PERDURE_COPENSSL_SHIM_H

// The low-level SHA-256 functions: deprecated in favour of the EVP ones, which look an algorithm up and allocate a context
// for each digest. A request is signed with five small digests; the look-ups would cost more than the hashing.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

static inline void cossl_sha256_init(SHA256_CTX *context) { SHA256_Init(context); }
static inline void cossl_sha256_update(SHA256_CTX *context, const void *bytes, size_t count) {
    if (count) SHA256_Update(context, bytes, count);
}
static inline void cossl_sha256_final(SHA256_CTX *context, unsigned char *digest) { SHA256_Final(digest, context); }

// What OpenSSL has as macros.
static inline int cossl_require_tls12(SSL_CTX *context) { return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION); }
static inline void cossl_set_modes(SSL_CTX *context) {
    // Writing may take a part, and may be tried again from another address: our buffers grow and move.
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
}
static inline long cossl_set_host_name(SSL *session, const char *name) { return SSL_set_tlsext_host_name(session, name); }
static inline int cossl_is_certificate_error(unsigned long error) {
    return ERR_GET_LIB(error) == ERR_LIB_SSL
        && (ERR_GET_REASON(error) == SSL_R_CERTIFICATE_VERIFY_FAILED
            || (ERR_GET_REASON(error) >= SSL_R_SSLV3_ALERT_NO_CERTIFICATE
                && ERR_GET_REASON(error) <= SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN)
            || ERR_GET_REASON(error) == SSL_R_TLSV1_ALERT_UNKNOWN_CA
            || ERR_GET_REASON(error) == SSL_R_TLSV1_ALERT_ACCESS_DENIED
            || ERR_GET_REASON(error) == SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED);
}

#endif
