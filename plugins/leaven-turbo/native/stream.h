/* Entropy-coded data on their way, a window at a time, without their stuffed zeroes. */
#ifndef LEAVEN_TURBO_STREAM_H
#define LEAVEN_TURBO_STREAM_H

#include "huffman.h"

enum { LT_WINDOW = 16384 };

typedef struct {
    const uint8_t *file;
    size_t at;           /* bits of the window that have been taken */
    size_t filled;       /* bytes of the window */
    int last;            /* where the window ends, the data do: by a marker, or at `end` */
    const uint8_t *end;  /* nothing in the file is read from there on */
    const uint8_t *stop; /* the place in the file where the window ends */
    const uint8_t *mark; /* the place in the file of the byte `marked` of the window, at or before `at` */
    size_t marked;
    uint8_t window[LT_WINDOW + LT_MOST_MCU_BYTES + LT_AHEAD];
} lt_stream;

/* Once, before anything else: what lies behind the data is read, though never used. */
void lt_stream_init(lt_stream *stream, lt_bytes jpeg);

/* Go to a byte of the file: entropy-coded data up to `end` at most. */
void lt_stream_open(lt_stream *stream, const uint8_t *from, const uint8_t *end);

/* Bring in more, so that there is a whole MCU, or all that is left. */
void lt_stream_move_on(lt_stream *stream);
static inline void lt_stream_need(lt_stream *stream) {
    if (!stream->last && (stream->at >> 3) + LT_MOST_MCU_BYTES > stream->filled) lt_stream_move_on(stream);
}

/* Whether more has been taken than there was. */
static inline int lt_stream_overrun(const lt_stream *stream) { return stream->at > stream->filled * 8; }

/* Where in the file the stream is, as 8 * byte offset + bit. */
uint64_t lt_stream_place(lt_stream *stream);

/* At the end of data, before a marker, there may be some bits left of a byte, and fill bytes. `stop` then is at the
 * byte that says which marker it is. LT_DAMAGED: there is more, or no marker. */
lt_status lt_stream_finish(lt_stream *stream, lt_error *error);

/* Step over MCUs (the scan needs LT_STEPS), and add the DC differences of the components up. */
lt_status lt_stream_skip(lt_stream *stream, const lt_scan *scan, int count, int64_t *dc, lt_error *error);

#endif
