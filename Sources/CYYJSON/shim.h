#ifndef PERDURE_CYYJSON_SHIM_H
#define PERDURE_CYYJSON_SHIM_H

#include <yyjson.h>

// yyjson's flags are typed constants that Swift cannot see.
static inline yyjson_read_flag cyyjson_insitu(void) { return YYJSON_READ_INSITU; }
static inline size_t cyyjson_padding(void) { return YYJSON_PADDING_SIZE; }

#endif
