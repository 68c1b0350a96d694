#include "markers.h"
#include "stream.h"

#include <stdlib.h>

/* A walk over all of the entropy-coded data. */
typedef struct {
    lt_scan scan;
    lt_stream stream;
    int64_t dc[3];
} walk;

static lt_status begin(lt_bytes jpeg, const lt_header *header, walk *walk, lt_error *error);
static lt_status note(walk *walk, uint64_t *at, int16_t *dc, lt_error *error);
static lt_status finish(walk *walk, lt_error *error);

lt_status lt_index_walked(lt_bytes jpeg, const lt_header *header, int interval, lt_index *index, lt_error *error) {
    *index = (lt_index){.kind = LT_WALKED, .interval = interval};
    if (interval < 1 || header->mcus_per_row % interval != 0)
        return lt_fail(error, LT_BAD_ARGUMENT, "an interval of %d MCUs, in rows of %d", interval, header->mcus_per_row);
    if (lt_has_restarts(header))
        return lt_fail(error, LT_UNSUPPORTED, "it has restart markers, every %d MCUs", header->restart_interval);
    walk walk;
    lt_status status = begin(jpeg, header, &walk, error);
    if (status != LT_OK) return status;
    index->count = (size_t)header->mcu_rows * (size_t)(header->mcus_per_row / interval);
    index->at = malloc((index->count + 1) * sizeof *index->at);
    index->dc = malloc(index->count * sizeof *index->dc);
    if (index->at == NULL || index->dc == NULL)
        status = lt_fail(error, LT_NO_MEMORY, "no memory for an index of %zu segments", index->count);
    for (size_t i = 0; status == LT_OK && i < index->count; i++) {
        status = note(&walk, &index->at[i], index->dc[i], error);
        if (status == LT_OK) status = lt_stream_skip(&walk.stream, &walk.scan, interval, walk.dc, error);
    }
    if (status == LT_OK) index->at[index->count] = lt_stream_place(&walk.stream);
    if (status == LT_OK) status = finish(&walk, error);
    if (status != LT_OK) lt_index_free(index);
    return status;
}

static lt_status begin(lt_bytes jpeg, const lt_header *header, walk *walk, lt_error *error) {
    lt_status status = lt_open_scan(jpeg, header, LT_STEPS, &walk->scan, error);
    if (status != LT_OK) return status;
    memset(walk->dc, 0, sizeof walk->dc);
    lt_stream_init(&walk->stream, jpeg);
    lt_stream_open(&walk->stream, jpeg.data + header->scan_at, jpeg.data + jpeg.size);
    return LT_OK;
}

static lt_status note(walk *walk, uint64_t *at, int16_t *dc, lt_error *error) {
    *at = lt_stream_place(&walk->stream);
    for (int i = 0; i < 3; i++) {
        if (walk->dc[i] < INT16_MIN || walk->dc[i] > INT16_MAX)
            return lt_fail(error, LT_DAMAGED, "a DC coefficient of %lld", (long long)walk->dc[i]);
        dc[i] = (int16_t)walk->dc[i];
    }
    return LT_OK;
}

static lt_status finish(walk *walk, lt_error *error) {
    lt_status status = lt_stream_finish(&walk->stream, error);
    if (status != LT_OK || lt_ends_scan(*walk->stream.stop)) return status;
    return lt_fail(error, LT_DAMAGED, "marker 0x%02x at the end of its data", *walk->stream.stop);
}
