#include "turbo.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

lt_status lt_fail(lt_error *error, lt_status status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    return status;
}

uint8_t *lt_scratch_room(lt_scratch *scratch, size_t size) {
    if (scratch->size < size) {
        size_t wanted = (size + size / 4 + 127) & ~(size_t)63; /* a little more, so that it seldom grows again */
        free(scratch->data);
        scratch->data = aligned_alloc(64, wanted);
        scratch->size = scratch->data == NULL ? 0 : wanted;
    }
    return scratch->data;
}

int64_t lt_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}
