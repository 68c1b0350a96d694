#include "markers.h"

#include <stdlib.h>
#include <string.h>

static lt_status find_markers(lt_bytes jpeg, const lt_header *header, lt_index *index, lt_error *error);

void lt_index_free(lt_index *index) {
    free(index->at);
    free(index->dc);
    *index = (lt_index){0};
}

int lt_has_restarts(const lt_header *header) {
    return header->restart_interval != 0 &&
           (int64_t)header->restart_interval < (int64_t)header->mcus_per_row * header->mcu_rows;
}

lt_status lt_index_marked(lt_bytes jpeg, const lt_header *header, lt_index *index, lt_error *error) {
    *index = (lt_index){.kind = LT_MARKED, .interval = header->restart_interval};
    if (!header->baseline || !header->one_scan)
        return lt_fail(error, LT_UNSUPPORTED, "not one baseline scan: restart markers are of no use");
    if (header->restart_interval == 0) return lt_fail(error, LT_UNSUPPORTED, "there are no restart markers");
    if (header->mcus_per_row % header->restart_interval != 0)
        return lt_fail(error, LT_UNSUPPORTED, "restart markers every %d MCUs, in rows of %d", header->restart_interval,
                       header->mcus_per_row);
    index->count = (size_t)header->mcu_rows * (size_t)(header->mcus_per_row / header->restart_interval);
    if (index->count > (jpeg.size - header->scan_at) / 3) /* a byte of data and a marker for each */
        return lt_fail(error, LT_DAMAGED, "%zu segments are promised, and there are %zu bytes for them", index->count,
                       jpeg.size - header->scan_at);
    index->at = malloc((index->count + 1) * sizeof *index->at);
    if (index->at == NULL) return lt_fail(error, LT_NO_MEMORY, "no memory for an index of %zu segments", index->count);
    lt_status status = find_markers(jpeg, header, index, error);
    if (status != LT_OK) lt_index_free(index);
    return status;
}

static lt_status find_markers(lt_bytes jpeg, const lt_header *header, lt_index *index, lt_error *error) {
    const uint8_t *end = jpeg.data + jpeg.size, *from = jpeg.data + header->scan_at;
    size_t found = 0;
    index->at[0] = header->scan_at;
    while ((from = memchr(from, 0xFF, (size_t)(end - from))) != NULL && end - from >= 2) {
        int code = from[1];
        from += code == 0xFF ? 1 : 2; /* a fill byte */
        if (code == 0 || code == 0xFF) continue;
        index->at[++found] = (uint64_t)(from - jpeg.data);
        if (lt_ends_scan(code)) break;
        if (code != LT_RST0 + (int)((found - 1) & 7))
            return lt_fail(error, LT_DAMAGED, "restart marker %zu has the number %d", found, code - LT_RST0);
        if (found == index->count) return lt_fail(error, LT_DAMAGED, "more than %zu restart markers", found - 1);
    }
    if (found != index->count)
        return lt_fail(error, LT_DAMAGED, "%zu of %zu segments are there", found, index->count);
    return LT_OK;
}
