#include "segments.h"

#include "markers.h"

enum { MARKER = 2 };

static lt_status check(const lt_header *header, const lt_index *index, lt_mcus mcus, lt_error *error);
static lt_status find_segment(lt_segments *segments, int64_t number, lt_error *error);
static lt_status open_marked(lt_segments *segments, size_t i, lt_error *error);
static lt_status open_walked(lt_segments *segments, int row, lt_error *error);
static void restart(lt_segments *segments, int64_t number, const uint8_t *from, const uint8_t *end);
static lt_status check_restart(int64_t number, int code, lt_error *error);
static int has_markers(const uint8_t *from, const uint8_t *end);
static int is_walked(const lt_segments *segments);

lt_status lt_segments_open(lt_segments *segments, lt_bytes jpeg, const lt_header *header, const lt_index *index,
                           lt_mcus mcus, lt_error *error) {
    lt_status status = check(header, index, mcus, error);
    if (status == LT_OK)
        status = lt_open_scan(jpeg, header, LT_STEPS | LT_COEFFICIENTS, &segments->scan, error);
    if (status != LT_OK) return status;
    segments->jpeg = jpeg;
    segments->header = header;
    segments->index = index;
    segments->left = mcus.left;
    segments->right = mcus.right;
    segments->interval = index == NULL ? header->restart_interval : index->kind == LT_MARKED ? index->interval : 0;
    lt_stream_init(&segments->stream, jpeg);
    restart(segments, 0, jpeg.data + header->scan_at, jpeg.data + jpeg.size);
    return LT_OK;
}

lt_status lt_segments_enter(lt_segments *segments, int row, lt_error *error) {
    int64_t target = (int64_t)row * segments->header->mcus_per_row + segments->left;
    int64_t number = segments->interval == 0 ? 0 : target / segments->interval;
    lt_status status = LT_OK;
    if (is_walked(segments)) status = open_walked(segments, row, error);
    else if (segments->index != NULL) status = open_marked(segments, (size_t)number, error);
    else if (number != segments->segment) status = find_segment(segments, number, error);
    if (status != LT_OK) return status;
    int count = (int)(target - segments->mcu);
    segments->mcu = target;
    return lt_stream_skip(&segments->stream, &segments->scan, count, segments->dc, error);
}

/* Markers have been looked at before; of a walked index, the next segment has to begin where the last one ends. */
lt_status lt_segments_leave(lt_segments *segments, lt_error *error) {
    if (!is_walked(segments)) return LT_OK;
    const lt_index *index = segments->index;
    size_t next = (size_t)((segments->mcu + index->interval - 1) / index->interval);
    int count = (int)((int64_t)next * index->interval - segments->mcu);
    lt_status status = lt_stream_skip(&segments->stream, &segments->scan, count, segments->dc, error);
    if (status != LT_OK || lt_stream_place(&segments->stream) == index->at[next]) return status;
    return lt_fail(error, LT_BAD_INDEX, "segment %zu does not begin where the one before ends", next);
}

lt_status lt_segments_pass(lt_segments *segments, lt_error *error) {
    lt_stream *stream = &segments->stream;
    int64_t number = segments->segment + 1;
    lt_status status = lt_stream_finish(stream, error);
    if (status != LT_OK) return status;
    if (segments->index != NULL) return open_marked(segments, (size_t)number, error);
    status = check_restart(number, *stream->stop, error);
    if (status == LT_OK) restart(segments, number, stream->stop + 1, segments->jpeg.data + segments->jpeg.size);
    return status;
}

lt_status lt_check_codes(lt_bytes jpeg, const lt_header *header, lt_error *error) {
    lt_segments segments;
    lt_mcus all = {0, 0, header->mcus_per_row, header->mcu_rows};
    lt_status status = lt_segments_open(&segments, jpeg, header, NULL, all, error);
    for (int64_t count = (int64_t)all.right * all.bottom; status == LT_OK && segments.mcu < count; segments.mcu++) {
        status = lt_segments_next(&segments, error);
        if (status == LT_OK) status = lt_stream_skip(&segments.stream, &segments.scan, 1, segments.dc, error);
    }
    if (status == LT_OK) status = lt_stream_finish(&segments.stream, error);
    if (status != LT_OK || lt_ends_scan(*segments.stream.stop)) return status;
    return lt_fail(error, LT_DAMAGED, "marker 0x%02x at the end of its data", *segments.stream.stop);
}

static lt_status check(const lt_header *header, const lt_index *index, lt_mcus mcus, lt_error *error) {
    if (mcus.left < 0 || mcus.left >= mcus.right || mcus.right > header->mcus_per_row || mcus.top < 0 ||
        mcus.top >= mcus.bottom || mcus.bottom > header->mcu_rows)
        return lt_fail(error, LT_BAD_ARGUMENT, "MCUs %d to %d of %d, rows %d to %d of %d", mcus.left, mcus.right,
                       header->mcus_per_row, mcus.top, mcus.bottom, header->mcu_rows);
    if (index == NULL) return LT_OK;
    int interval = index->interval;
    if (interval >= 1 && header->mcus_per_row % interval == 0 &&
        index->count == (size_t)header->mcu_rows * (size_t)(header->mcus_per_row / interval))
        return LT_OK;
    return lt_fail(error, LT_BAD_INDEX, "%zu segments of %d MCUs, and %d rows of %d", index->count, interval,
                   header->mcu_rows, header->mcus_per_row);
}

/* Search for the restart marker that a later segment begins with. */
static lt_status find_segment(lt_segments *segments, int64_t number, lt_error *error) {
    const uint8_t *from = segments->stream.stop, *end = segments->jpeg.data + segments->jpeg.size;
    int64_t found = segments->segment;
    while (found < number) {
        from = memchr(from, 0xFF, (size_t)(end - from));
        if (from == NULL || end - from < MARKER)
            return lt_fail(error, LT_DAMAGED, "its data end before the picture does");
        from++;
        if (*from == 0 || *from == 0xFF) continue;
        lt_status status = check_restart(++found, *from++, error);
        if (status != LT_OK) return status;
    }
    restart(segments, number, from, end);
    return LT_OK;
}

/* Begin a segment that lies where the index says: between the two markers that it has to, and with none within. */
static lt_status open_marked(lt_segments *segments, size_t i, lt_error *error) {
    const lt_index *index = segments->index;
    lt_bytes jpeg = segments->jpeg;
    uint64_t begin = index->at[i], end = index->at[i + 1];
    if (begin < segments->header->scan_at || end > jpeg.size || end < MARKER || end - MARKER < begin)
        return lt_fail(error, LT_BAD_INDEX, "segment %zu does not lie within the file", i);
    const uint8_t *from = jpeg.data + begin, *stop = jpeg.data + end - MARKER;
    int is_first = i == 0, is_last = i + 1 == index->count;
    int begins = is_first ? begin == segments->header->scan_at
                          : from[-2] == 0xFF && from[-1] == LT_RST0 + (int)((i - 1) & 7);
    int ends = stop[0] == 0xFF && (is_last ? lt_ends_scan(stop[1]) : stop[1] == LT_RST0 + (int)(i & 7));
    if (!begins || !ends) return lt_fail(error, LT_BAD_INDEX, "segment %zu does not lie between its markers", i);
    restart(segments, (int64_t)i, from, stop + MARKER);
    if (has_markers(segments->stream.stop, stop))
        return lt_fail(error, LT_BAD_INDEX, "segment %zu has markers within", i);
    return LT_OK;
}

static lt_status open_walked(lt_segments *segments, int row, lt_error *error) {
    const lt_index *index = segments->index;
    lt_bytes jpeg = segments->jpeg;
    size_t start = (size_t)row * (size_t)(segments->header->mcus_per_row / index->interval);
    size_t i = start + (size_t)(segments->left / index->interval);
    size_t next = start + (size_t)((segments->right - 1) / index->interval) + 1;
    uint64_t begin = index->at[i] / 8, end = index->at[next] / 8;
    if (begin < segments->header->scan_at || begin > end || end > jpeg.size)
        return lt_fail(error, LT_BAD_INDEX, "segment %zu does not lie within the file", i);
    end = jpeg.size - end < 2 ? jpeg.size : end + 2; /* with the last byte, and what is stuffed in behind it */
    lt_stream_open(&segments->stream, jpeg.data + begin, jpeg.data + end);
    segments->stream.at = index->at[i] % 8;
    for (int c = 0; c < 3; c++) segments->dc[c] = index->dc[i][c];
    segments->mcu = (int64_t)i * index->interval;
    return LT_OK;
}

static void restart(lt_segments *segments, int64_t number, const uint8_t *from, const uint8_t *end) {
    segments->segment = number;
    segments->mcu = number * segments->interval;
    memset(segments->dc, 0, sizeof segments->dc);
    lt_stream_open(&segments->stream, from, end);
}

static lt_status check_restart(int64_t number, int code, lt_error *error) {
    int expected = (int)((number - 1) & 7);
    if (code == LT_RST0 + expected) return LT_OK;
    return lt_fail(error, LT_DAMAGED, "marker 0x%02x in the place of restart marker %d", code, expected);
}

static int has_markers(const uint8_t *from, const uint8_t *end) {
    while (from < end && (from = memchr(from, 0xFF, (size_t)(end - from))) != NULL) {
        if (from[1] != 0 && from[1] != 0xFF) return 1;
        from++;
    }
    return 0;
}

static int is_walked(const lt_segments *segments) {
    return segments->index != NULL && segments->index->kind == LT_WALKED;
}
