#include "markers.h"

#include <string.h>

static int has_no_body(int code);
static int has_no_place(int code);

lt_status lt_next_marker(lt_bytes jpeg, size_t *at, lt_marker *marker, lt_error *error) {
    size_t next = *at;
    int code;
    do {
        if (next >= jpeg.size) return lt_fail(error, LT_DAMAGED, "cut off within its header");
        if (jpeg.data[next] != 0xFF) return lt_fail(error, LT_DAMAGED, "no marker at offset %zu of its header", next);
        do next++;
        while (next < jpeg.size && jpeg.data[next] == 0xFF);
        if (next >= jpeg.size) return lt_fail(error, LT_DAMAGED, "cut off within its header");
        code = jpeg.data[next++];
    } while (has_no_body(code));
    if (code == LT_EOI) return lt_fail(error, LT_DAMAGED, "it ends before any pixels");
    if (has_no_place(code)) return lt_fail(error, LT_DAMAGED, "marker 0x%02x has no place in its header", code);

    if (jpeg.size - next < 2) return lt_fail(error, LT_DAMAGED, "cut off within its header");
    size_t length = lt_u16(jpeg.data + next);
    if (length < 2) return lt_fail(error, LT_DAMAGED, "marker 0x%02x of its header has a length of %zu", code, length);
    if (jpeg.size - next < length) return lt_fail(error, LT_DAMAGED, "cut off within its header");
    *marker = (lt_marker){.code = code, .at = next - 2, .body = jpeg.data + next + 2, .size = length - 2};
    *at = next + length;
    return LT_OK;
}

int lt_begins_frame(int code) {
    return code >= 0xC0 && code <= 0xCF && code != LT_DHT && code != 0xC8 && code != 0xCC;
}

int lt_is_jfif(const lt_marker *marker) {
    return marker->code == LT_APP0 && marker->size >= 14 && memcmp(marker->body, "JFIF", 5) == 0;
}

int lt_is_adobe(const lt_marker *marker) {
    return marker->code == LT_APP14 && marker->size >= 12 && memcmp(marker->body, "Adobe", 5) == 0;
}

int lt_is_restart(int code) { return code >= LT_RST0 && code < LT_RST0 + 8; }

int lt_ends_scan(int code) { return code != 0 && code != 0xFF && !lt_is_restart(code); }

static int has_no_body(int code) {
    return code == 0x01 || lt_is_restart(code); /* TEM and RSTn */
}

/* Where libjpeg stops: another SOI, what is reserved, and what belongs to hierarchical files. */
static int has_no_place(int code) {
    return code < LT_SOF0 || code == LT_JPG || code == LT_SOI || code == LT_DHP || code == LT_EXP ||
           (code > LT_APP15 && code != LT_COM);
}
