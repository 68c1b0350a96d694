#include "splice.h"

#include "markers.h"

enum { MARKER = 2, MOST_RUN_EXTRA = 32 }; /* a run's markers, codes and padding: 2 * 12 bytes and some */

static lt_status check_mcus(const lt_header *header, lt_mcus mcus, lt_error *error);
static lt_status check_index(const lt_header *header, const lt_index *index, lt_mcus mcus, lt_error *error);
static lt_status splice_marked(lt_bytes jpeg, const lt_header *header, const lt_index *index, lt_mcus mcus, lt_out *out,
                               lt_error *error);
static lt_status check_segment(lt_bytes jpeg, const lt_header *header, const lt_index *index, size_t i,
                               lt_error *error);
static lt_status splice_rows(lt_bytes jpeg, const lt_header *header, const lt_index *index, const lt_run *runs,
                             lt_mcus mcus, lt_out *out, lt_error *error);
static lt_run run_of(const lt_header *header, const lt_index *index, lt_mcus mcus, int row);
static lt_head head_of(const lt_header *header, lt_mcus mcus, int interval);
static lt_status end_segment(size_t number, int last, lt_out *out, lt_error *error);
static size_t most_bytes(size_t bound, size_t size, uint64_t begin, uint64_t end);

size_t lt_splice_bound(lt_bytes jpeg, const lt_header *header, lt_mcus mcus, const lt_index *index) {
    size_t bound = lt_head_bound(header);
    lt_error ignored;
    if (check_index(header, index, mcus, &ignored) != LT_OK) return bound; /* lt_splice says why, and writes nothing */
    size_t per_row = (size_t)(header->mcus_per_row / index->interval);
    for (int row = mcus.top; row < mcus.bottom; row++) {
        size_t first = (size_t)row * per_row + (size_t)(mcus.left / index->interval);
        size_t end = (size_t)row * per_row + (size_t)(mcus.right / index->interval);
        int shift = index->kind == LT_MARKED ? 0 : 3;
        bound = most_bytes(bound, jpeg.size, index->at[first] >> shift, index->at[end] >> shift);
    }
    return bound;
}

size_t lt_splice_runs_bound(lt_bytes jpeg, const lt_header *header, lt_mcus mcus, const lt_run *runs) {
    size_t bound = lt_head_bound(header);
    for (int row = 0; row < mcus.bottom - mcus.top; row++)
        bound = most_bytes(bound, jpeg.size, runs[row].begin / 8, runs[row].end / 8);
    return bound;
}

lt_status lt_splice(lt_bytes jpeg, const lt_header *header, const lt_index *index, lt_mcus mcus, uint8_t *out,
                    size_t room, size_t *size, lt_error *error) {
    lt_out made = {out, room, 0};
    lt_status status = check_index(header, index, mcus, error);
    if (status == LT_OK)
        status = index->kind == LT_MARKED ? splice_marked(jpeg, header, index, mcus, &made, error)
                                          : splice_rows(jpeg, header, index, NULL, mcus, &made, error);
    *size = made.size;
    return status;
}

lt_status lt_splice_runs(lt_bytes jpeg, const lt_header *header, const lt_run *runs, lt_mcus mcus, uint8_t *out,
                         size_t room, size_t *size, lt_error *error) {
    lt_out made = {out, room, 0};
    lt_status status = check_mcus(header, mcus, error);
    if (status == LT_OK) status = splice_rows(jpeg, header, NULL, runs, mcus, &made, error);
    *size = made.size;
    return status;
}

uint8_t *lt_out_more(lt_out *out, size_t count) {
    if (out->room - out->size < count) return NULL;
    out->size += count;
    return out->data + out->size - count;
}

lt_status lt_out_full(const lt_out *out, lt_error *error) {
    return lt_fail(error, LT_BAD_ARGUMENT, "%zu bytes are no room for this part of the JPEG", out->room);
}

static lt_status check_mcus(const lt_header *header, lt_mcus mcus, lt_error *error) {
    if (mcus.left >= 0 && mcus.left < mcus.right && mcus.right <= header->mcus_per_row && mcus.top >= 0 &&
        mcus.top < mcus.bottom && mcus.bottom <= header->mcu_rows)
        return LT_OK;
    return lt_fail(error, LT_BAD_ARGUMENT, "MCUs %d to %d of %d, rows %d to %d of %d", mcus.left, mcus.right,
                   header->mcus_per_row, mcus.top, mcus.bottom, header->mcu_rows);
}

static lt_status check_index(const lt_header *header, const lt_index *index, lt_mcus mcus, lt_error *error) {
    int interval = index->interval;
    if (interval < 1 || header->mcus_per_row % interval != 0 ||
        index->count != (size_t)header->mcu_rows * (size_t)(header->mcus_per_row / interval))
        return lt_fail(error, LT_BAD_INDEX, "%zu segments of %d MCUs, and %d rows of %d", index->count, interval,
                       header->mcu_rows, header->mcus_per_row);
    if (mcus.left % interval != 0 || mcus.right % interval != 0)
        return lt_fail(error, LT_BAD_ARGUMENT, "MCUs %d to %d do not lie on segments of %d", mcus.left, mcus.right,
                       interval);
    return check_mcus(header, mcus, error);
}

static lt_status splice_marked(lt_bytes jpeg, const lt_header *header, const lt_index *index, lt_mcus mcus, lt_out *out,
                               lt_error *error) {
    int interval = index->interval, across = (mcus.right - mcus.left) / interval;
    size_t count = (size_t)across * (size_t)(mcus.bottom - mcus.top);
    size_t per_row = (size_t)(header->mcus_per_row / interval);
    lt_all_codes codes;
    lt_head head = head_of(header, mcus, count > 1 ? interval : 0);
    lt_status status = lt_read_codes(jpeg, header, &codes, error);
    if (status == LT_OK) status = lt_write_head(jpeg, header, &codes, &head, out, error);
    for (size_t made = 0; status == LT_OK && made < count; made++) {
        size_t row = (size_t)mcus.top + made / (size_t)across;
        size_t i = row * per_row + (size_t)(mcus.left / interval) + made % (size_t)across;
        status = check_segment(jpeg, header, index, i, error);
        if (status != LT_OK) return status;
        size_t size = (size_t)(index->at[i + 1] - index->at[i]) - MARKER;
        uint8_t *segment = lt_out_more(out, size);
        if (segment == NULL) return lt_out_full(out, error);
        memcpy(segment, jpeg.data + index->at[i], size);
        status = end_segment(made, made + 1 == count, out, error);
    }
    return status;
}

/* Whether a segment lies between the two markers that it has to, and has none within. */
static lt_status check_segment(lt_bytes jpeg, const lt_header *header, const lt_index *index, size_t i,
                               lt_error *error) {
    uint64_t begin = index->at[i], end = index->at[i + 1];
    if (begin < header->scan_at || end > jpeg.size || end < MARKER || end - MARKER < begin)
        return lt_fail(error, LT_BAD_INDEX, "segment %zu does not lie within the file", i);
    const uint8_t *from = jpeg.data + begin, *stop = jpeg.data + end - MARKER;
    int is_first = i == 0, is_last = i + 1 == index->count;
    int begins = is_first ? begin == header->scan_at : from[-2] == 0xFF && from[-1] == LT_RST0 + (int)((i - 1) & 7);
    int ends = stop[0] == 0xFF && (is_last ? lt_ends_scan(stop[1]) : stop[1] == LT_RST0 + (int)(i & 7));
    if (!begins || !ends) return lt_fail(error, LT_BAD_INDEX, "segment %zu does not lie between its markers", i);
    while ((from = memchr(from, 0xFF, (size_t)(stop - from))) != NULL) {
        if (from[1] != 0 && from[1] != 0xFF) return lt_fail(error, LT_BAD_INDEX, "segment %zu has markers within", i);
        from++;
    }
    return LT_OK;
}

/* Put together what lies where the runs say, or without any, the index: each row is a restart segment. */
static lt_status splice_rows(lt_bytes jpeg, const lt_header *header, const lt_index *index, const lt_run *runs,
                             lt_mcus mcus, lt_out *out, lt_error *error) {
    int rows = mcus.bottom - mcus.top;
    lt_all_codes codes;
    lt_scan scan;
    lt_head head = head_of(header, mcus, rows > 1 ? mcus.right - mcus.left : 0);
    lt_status status = lt_read_codes(jpeg, header, &codes, error);
    for (int i = 0; i < 4; i++) lt_complete_dc(&codes.dc[i]);
    if (status == LT_OK) status = lt_open_scan(jpeg, header, &codes, &scan, error);
    if (status == LT_OK) status = lt_write_head(jpeg, header, &codes, &head, out, error);
    for (int row = 0; status == LT_OK && row < rows; row++) {
        lt_run run = runs != NULL ? runs[row] : run_of(header, index, mcus, row);
        status = lt_write_run(jpeg, header, &scan, &run, out, error);
        if (status == LT_OK) status = end_segment((size_t)row, row + 1 == rows, out, error);
    }
    return status;
}

static lt_run run_of(const lt_header *header, const lt_index *index, lt_mcus mcus, int row) {
    size_t start = (size_t)(mcus.top + row) * (size_t)(header->mcus_per_row / index->interval);
    size_t first = start + (size_t)(mcus.left / index->interval), end = start + (size_t)(mcus.right / index->interval);
    lt_run run = {.begin = index->at[first], .end = index->at[end]};
    memcpy(run.dc, index->dc[first], sizeof run.dc);
    return run;
}

static lt_head head_of(const lt_header *header, lt_mcus mcus, int interval) {
    uint32_t left = (uint32_t)(mcus.left * header->mcu_width), right = (uint32_t)(mcus.right * header->mcu_width);
    uint32_t top = (uint32_t)(mcus.top * header->mcu_height), bottom = (uint32_t)(mcus.bottom * header->mcu_height);
    return (lt_head){.width = (right < header->width ? right : header->width) - left,
                     .height = (bottom < header->height ? bottom : header->height) - top,
                     .interval = interval};
}

static lt_status end_segment(size_t number, int last, lt_out *out, lt_error *error) {
    uint8_t *marker = lt_out_more(out, MARKER);
    if (marker == NULL) return lt_out_full(out, error);
    marker[0] = 0xFF;
    marker[1] = (uint8_t)(last ? LT_EOI : LT_RST0 + (int)(number & 7));
    return LT_OK;
}

/* Twice the bytes of a run, as all that come out of shifting may have to be stuffed. What lies beyond the file is
 * refused later. */
static size_t most_bytes(size_t bound, size_t size, uint64_t begin, uint64_t end) {
    uint64_t bytes = end > begin ? end - begin : 0;
    if (bytes > size) bytes = size;
    size_t most = bytes > (SIZE_MAX - 2 * MOST_RUN_EXTRA) / 2 ? SIZE_MAX : 2 * (size_t)bytes + 2 * MOST_RUN_EXTRA;
    return most > SIZE_MAX - bound ? SIZE_MAX : bound + most;
}
