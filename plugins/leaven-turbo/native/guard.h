/* libjpeg, as it is used here: its errors become statuses, and what is out of proportion is refused. */
#ifndef LEAVEN_TURBO_GUARD_H
#define LEAVEN_TURBO_GUARD_H

#include "turbo.h"

#include <setjmp.h>
#include <stdio.h>

#include <jpeglib.h>

/* Where libjpeg reports errors and warnings to. Every warning is an error: what libjpeg makes up for data that are
 * missing or damaged is neither to be learnt from nor to be written as if it had been there.
 *
 * Whoever calls setjmp on `back` returns `status` when it is jumped back to, and has no variables of its own in that
 * function, so that none can be spoilt. */
typedef struct {
    struct jpeg_error_mgr manager; /* the first, as libjpeg hands this one back */
    struct jpeg_progress_mgr progress;
    jmp_buf back;
    lt_status status;
    lt_error *error;
} lt_guard;

void lt_guard_init(lt_guard *guard, lt_error *error);

/* Jump back with this status and text. */
_Noreturn void lt_guard_stop(j_common_ptr info, lt_status status, const char *text);

/* Begin to read, as far as the first scan: create the decompressor, which was all zeroes and is the caller's to destroy
 * in any case. Further markers are kept if `keep_markers`. Refused are images of far more blocks than there are bytes,
 * and later on more scans than images of this size have. */
void lt_guard_open(lt_guard *guard, j_decompress_ptr info, lt_bytes jpeg, int keep_markers);

#endif
