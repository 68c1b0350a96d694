/* The MCUs of a baseline file, and how to get to those of a rectangle. */
#ifndef LEAVEN_TURBO_SEGMENTS_H
#define LEAVEN_TURBO_SEGMENTS_H

#include "blocks.h"
#include "stream.h"

typedef struct {
    lt_bytes jpeg;
    const lt_header *header;
    const lt_index *index; /* or NULL */
    int left, right;       /* MCUs of the rectangle */
    int interval;          /* MCUs between restart markers; 0: there are none */
    int64_t segment;       /* number of the restart segment that the stream is in */
    int64_t mcu;           /* number of the MCU that is next in the stream */
    int64_t dc[3];
    lt_scan scan;
    lt_stream stream;
} lt_segments;

/* LT_BAD_ARGUMENT: there is no such rectangle. LT_BAD_INDEX: an index of another picture. */
lt_status lt_segments_open(lt_segments *segments, lt_bytes jpeg, const lt_header *header, const lt_index *index,
                           lt_mcus mcus, lt_error *error);

/* Bring the stream to the first MCU of the rectangle in a row, which lies below the last one. */
lt_status lt_segments_enter(lt_segments *segments, int row, lt_error *error);

/* After the last MCU of the rectangle in a row: see whether what was read is what the index says. */
lt_status lt_segments_leave(lt_segments *segments, lt_error *error);

/* Before each MCU: pass over the restart marker, if that is next. */
lt_status lt_segments_pass(lt_segments *segments, lt_error *error);
static inline lt_status lt_segments_next(lt_segments *segments, lt_error *error) {
    int at_marker = segments->interval != 0 && segments->mcu == (segments->segment + 1) * segments->interval;
    return at_marker ? lt_segments_pass(segments, error) : LT_OK;
}

/* Step over all MCUs of a file, and its restart markers. LT_DAMAGED: there is not what was promised, or there is more.
 * LT_UNSUPPORTED: not a baseline file of one scan, or one without tables of its own. */
lt_status lt_check_codes(lt_bytes jpeg, const lt_header *header, lt_error *error);

#endif
