#include "stream.h"

static int skip_mcu(lt_stream *stream, const lt_scan *scan, int64_t *dc);

void lt_stream_init(lt_stream *stream, lt_bytes jpeg) {
    stream->file = jpeg.data;
    memset(stream->window, 0, sizeof stream->window);
}

void lt_stream_open(lt_stream *stream, const uint8_t *from, const uint8_t *end) {
    stream->at = stream->marked = 0;
    stream->mark = from;
    stream->end = end;
    stream->filled = lt_unstuff(from, end, stream->window, LT_WINDOW, &stream->stop);
    stream->last = stream->filled < LT_WINDOW;
}

/* Let the window begin with the byte that the stream has come to. */
void lt_stream_move_on(lt_stream *stream) {
    size_t bit = stream->at & 7;
    lt_stream_place(stream);
    lt_stream_open(stream, stream->mark, stream->end);
    stream->at = bit;
}

uint64_t lt_stream_place(lt_stream *stream) {
    stream->mark = lt_skip_stuffed(stream->mark, (stream->at >> 3) - stream->marked);
    stream->marked = stream->at >> 3;
    return (uint64_t)(stream->mark - stream->file) * 8 + (stream->at & 7);
}

lt_status lt_stream_finish(lt_stream *stream, lt_error *error) {
    if (!stream->last) lt_stream_move_on(stream);
    if (!stream->last || stream->filled * 8 - stream->at >= 8)
        return lt_fail(error, LT_DAMAGED, "more data than there are MCUs");
    while (stream->stop < stream->end && *stream->stop == 0xFF) stream->stop++;
    return stream->stop < stream->end ? LT_OK : lt_fail(error, LT_DAMAGED, "its data end without a marker");
}

lt_status lt_stream_skip(lt_stream *stream, const lt_scan *scan, int count, int64_t *dc, lt_error *error) {
    for (int i = 0; i < count; i++) {
        lt_stream_need(stream);
        if (!skip_mcu(stream, scan, dc)) return lt_fail(error, LT_DAMAGED, "a bit pattern that is no code");
        if (lt_stream_overrun(stream)) return lt_fail(error, LT_DAMAGED, "its data end before the picture does");
    }
    return LT_OK;
}

static int skip_mcu(lt_stream *stream, const lt_scan *scan, int64_t *dc) {
    lt_bits bits = lt_bits_at(stream->window, stream->at);
    for (int i = 0; i < scan->blocks; i++) {
        int difference;
        if (!lt_step_dc(&bits, scan->block[i].dc, &difference)) return 0;
        dc[scan->block[i].component] += difference;
        if (!lt_step_ac(&bits, scan->block[i].ac)) return 0;
    }
    stream->at = lt_bits_place(&bits, stream->window);
    return 1;
}
