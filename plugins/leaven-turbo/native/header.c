#define _GNU_SOURCE /* memrchr */
#include "exif.h"
#include "markers.h"

#include <string.h>

enum { MOST_SIDE = 65500 }; /* JPEG_MAX_DIMENSION */

/* What decides the colour besides the number of components. */
typedef struct {
    int jfif, adobe, transform;
    uint8_t ids[4];
} hints;

static lt_status read_marker(const lt_marker *marker, lt_header *header, hints *seen, lt_error *error);
static lt_status read_frame(const lt_marker *marker, lt_header *header, hints *seen, lt_error *error);
static lt_status read_scan(const lt_marker *marker, lt_header *header, const hints *seen, lt_error *error);
static void measure(lt_header *header);
static int color_of(const lt_header *header, const hints *seen);
static void find_end(lt_bytes jpeg, lt_header *header);

lt_status lt_read_header(lt_bytes jpeg, lt_header *header, lt_error *error) {
    memset(header, 0, sizeof *header);
    header->orientation = 1;
    hints seen = {0};
    if (jpeg.size < 3 || memcmp(jpeg.data, "\xFF\xD8\xFF", 3) != 0) return lt_fail(error, LT_DAMAGED, "not a JPEG");
    lt_marker marker;
    size_t at = 2;
    do {
        lt_status status = lt_next_marker(jpeg, &at, &marker, error);
        if (status == LT_OK) status = read_marker(&marker, header, &seen, error);
        if (status != LT_OK) return status;
    } while (marker.code != LT_SOS);
    header->scan_at = at;
    header->color = color_of(header, &seen);
    find_end(jpeg, header);
    return LT_OK;
}

lt_status lt_check_supported(const lt_header *header, lt_error *error) {
    if (header->precision != 8) return lt_fail(error, LT_UNSUPPORTED, "%d bits, not 8", header->precision);
    if (header->width > MOST_SIDE || header->height > MOST_SIDE)
        return lt_fail(error, LT_UNSUPPORTED, "%u x %u pixels, and libjpeg takes up to %d", (unsigned)header->height,
                       (unsigned)header->width, MOST_SIDE);
    if (header->arithmetic) return lt_fail(error, LT_UNSUPPORTED, "arithmetic coding");
    if (!header->baseline && !header->progressive) return lt_fail(error, LT_UNSUPPORTED, "lossless or hierarchical");
    if (header->components != 1 && header->components != 3)
        return lt_fail(error, LT_UNSUPPORTED, "%d components, not 1 or 3", header->components);
    for (int i = 0; i < header->components; i++)
        if (header->max_h % header->h[i] != 0 || header->max_v % header->v[i] != 0)
            return lt_fail(error, LT_UNSUPPORTED, "component %d is sampled %dx%d, which does not divide %dx%d", i,
                           header->h[i], header->v[i], header->max_h, header->max_v);
    return LT_OK;
}

static lt_status read_marker(const lt_marker *marker, lt_header *header, hints *seen, lt_error *error) {
    if (lt_begins_frame(marker->code)) return read_frame(marker, header, seen, error);
    if (marker->code == LT_SOS) return read_scan(marker, header, seen, error);
    if (marker->code == LT_DRI) {
        if (marker->size != 2) return lt_fail(error, LT_DAMAGED, "its DRI marker has %zu bytes, not 2", marker->size);
        header->restart_interval = (int)lt_u16(marker->body);
    } else if (marker->code == LT_APP1) {
        int orientation = lt_exif_orientation(marker->body, marker->size);
        if (orientation != 0) header->orientation = orientation;
    } else if (lt_is_jfif(marker)) {
        seen->jfif = 1;
    } else if (lt_is_adobe(marker)) {
        seen->adobe = 1;
        seen->transform = marker->body[11];
    }
    return LT_OK;
}

static lt_status read_frame(const lt_marker *marker, lt_header *header, hints *seen, lt_error *error) {
    if (header->sof_at != 0) return lt_fail(error, LT_DAMAGED, "it has several frames");
    const uint8_t *body = marker->body;
    if (marker->size < 6 || marker->size != 6 + 3 * (size_t)body[5])
        return lt_fail(error, LT_DAMAGED, "its SOF marker has %zu bytes", marker->size);
    header->sof_at = marker->at;
    header->precision = body[0];
    header->height = lt_u16(body + 1);
    header->width = lt_u16(body + 3);
    header->components = body[5];
    header->baseline = marker->code <= LT_SOF0 + 1;
    header->progressive = marker->code == LT_SOF2;
    header->arithmetic = marker->code > 0xC8;
    if (header->height == 0 || header->width == 0 || header->components == 0)
        return lt_fail(error, LT_DAMAGED, "it has no pixels: its header says %u rows, %u columns, %d components",
                       (unsigned)header->height, (unsigned)header->width, header->components);
    for (int i = 0; i < header->components; i++) {
        int h = body[7 + 3 * i] >> 4, v = body[7 + 3 * i] & 15;
        if (h < 1 || h > 4 || v < 1 || v > 4)
            return lt_fail(error, LT_DAMAGED, "component %d is sampled %dx%d", i, h, v);
        if (h > header->max_h) header->max_h = h;
        if (v > header->max_v) header->max_v = v;
        if (i >= 4) continue;
        seen->ids[i] = body[6 + 3 * i];
        header->h[i] = (uint8_t)h;
        header->v[i] = (uint8_t)v;
    }
    measure(header);
    return LT_OK;
}

/* The MCU of a scan of one component is one block, whatever its sampling factors are. */
static void measure(lt_header *header) {
    int single = header->components == 1;
    header->mcu_width = single ? 8 : 8 * header->max_h;
    header->mcu_height = single ? 8 : 8 * header->max_v;
    header->mcus_per_row = ((int)header->width + header->mcu_width - 1) / header->mcu_width;
    header->mcu_rows = ((int)header->height + header->mcu_height - 1) / header->mcu_height;
}

static lt_status read_scan(const lt_marker *marker, lt_header *header, const hints *seen, lt_error *error) {
    if (header->sof_at == 0) return lt_fail(error, LT_DAMAGED, "it has a scan before its frame");
    const uint8_t *body = marker->body;
    if (marker->size < 4 || body[0] == 0 || marker->size != 4 + 2 * (size_t)body[0])
        return lt_fail(error, LT_DAMAGED, "its SOS marker has %zu bytes", marker->size);
    header->sos_at = marker->at;
    const uint8_t *rest = body + marker->size - 3;
    int sequential = rest[0] == 0 && rest[1] == 63 && rest[2] == 0; /* else libjpeg decides */
    header->one_scan = header->baseline && sequential && body[0] == header->components && body[0] <= 4;
    for (int i = 0; header->one_scan && i < header->components; i++)
        if (body[1 + 2 * i] != seen->ids[i]) header->one_scan = 0; /* in another order: other tables and other MCUs */
    return LT_OK;
}

/* As libjpeg's default_decompress_parms. */
static int color_of(const lt_header *header, const hints *seen) {
    if (header->components == 1) return LT_GREY;
    if (header->components != 3 || seen->jfif) return LT_YCC;
    if (seen->adobe) return seen->transform == 0 ? LT_RGB : LT_YCC;
    return memcmp(seen->ids, "RGB", 3) == 0 ? LT_RGB : LT_YCC;
}

/* Within a scan a 0xFF is followed by 0 or a restart marker, so that an EOI found there is none of a thumbnail. */
static void find_end(lt_bytes jpeg, lt_header *header) {
    header->end_at = jpeg.size;
    const uint8_t *from = jpeg.data + header->scan_at, *end = jpeg.data + jpeg.size;
    while (end - from >= 2 && (end = memrchr(from + 1, LT_EOI, (size_t)(end - from) - 1)) != NULL) {
        if (end[-1] != 0xFF) continue;
        header->complete = 1;
        header->end_at = (size_t)(end - jpeg.data) - 1;
        return;
    }
}
