#ifndef PERDURE_COPENSSL_SHIM_H
#define PERDURE_COPENSSL_SHIM_H

// The low-level SHA-256 functions: deprecated in favour of the EVP ones, which look an algorithm up and allocate a context
// for each digest. A request is signed with five small digests; the look-ups would cost more than the hashing.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

static inline void cossl_sha256_init(SHA256_CTX *context) { SHA256_Init(context); }
static inline void cossl_sha256_update(SHA256_CTX *context, const void *bytes, size_t count) {
    if (count) SHA256_Update(context, bytes, count);
}
static inline void cossl_sha256_final(SHA256_CTX *context, unsigned char *digest) { SHA256_Final(digest, context); }

#endif
