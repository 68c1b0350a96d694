#include "markers.h"
#include "splice.h"

enum { JFIF = 14, ADOBE = 12, MOST_TABLE = 2 + 2 + 1 + 16 + 256, MOST_REST = 64 };

static lt_status write_marker(const lt_marker *marker, const lt_head *head, lt_out *out, lt_error *error);
static lt_status write_tables(const lt_all_codes *codes, lt_out *out, lt_error *error);
static lt_status write_table(const lt_codes *codes, int id, lt_out *out, lt_error *error);
static lt_status write_interval(int interval, lt_out *out, lt_error *error);
static uint8_t *begin_marker(int code, size_t size, lt_out *out);

size_t lt_head_bound(const lt_header *header) { return header->scan_at + 8 * MOST_TABLE + MOST_REST; }

lt_status lt_write_head(lt_bytes jpeg, const lt_header *header, const lt_all_codes *codes, const lt_head *head,
                        lt_out *out, lt_error *error) {
    uint8_t *start = lt_out_more(out, 2);
    if (start == NULL) return lt_out_full(out, error);
    start[0] = 0xFF;
    start[1] = LT_SOI;
    lt_marker marker;
    size_t at = 2;
    do {
        lt_status status = lt_next_marker(jpeg, &at, &marker, error);
        if (status == LT_OK && marker.code == LT_SOS) {
            status = write_tables(codes, out, error);
            if (status == LT_OK) status = write_interval(head->interval, out, error);
        }
        if (status == LT_OK) status = write_marker(&marker, head, out, error);
        if (status != LT_OK) return status;
    } while (at < header->scan_at);
    return LT_OK;
}

/* JFIF's may have a thumbnail, and Adobe's anything, behind what decides the colour. */
static lt_status write_marker(const lt_marker *marker, const lt_head *head, lt_out *out, lt_error *error) {
    int jfif = lt_is_jfif(marker), adobe = lt_is_adobe(marker), frame = lt_begins_frame(marker->code);
    if (!jfif && !adobe && !frame && marker->code != LT_DQT && marker->code != LT_SOS) return LT_OK;
    size_t size = jfif ? JFIF : adobe ? ADOBE : marker->size;
    uint8_t *body = begin_marker(marker->code, size, out);
    if (body == NULL) return lt_out_full(out, error);
    memcpy(body, marker->body, size);
    if (jfif) body[12] = body[13] = 0;
    if (frame) {
        body[1] = (uint8_t)(head->height >> 8);
        body[2] = (uint8_t)head->height;
        body[3] = (uint8_t)(head->width >> 8);
        body[4] = (uint8_t)head->width;
    }
    return LT_OK;
}

static lt_status write_tables(const lt_all_codes *codes, lt_out *out, lt_error *error) {
    lt_status status = LT_OK;
    for (int i = 0; status == LT_OK && i < 4; i++) status = write_table(&codes->dc[i], i, out, error);
    for (int i = 0; status == LT_OK && i < 4; i++) status = write_table(&codes->ac[i], 0x10 | i, out, error);
    return status;
}

static lt_status write_table(const lt_codes *codes, int id, lt_out *out, lt_error *error) {
    if (codes->size == 0) return LT_OK;
    uint8_t *body = begin_marker(LT_DHT, 17 + (size_t)codes->size, out);
    if (body == NULL) return lt_out_full(out, error);
    body[0] = (uint8_t)id;
    memcpy(body + 1, codes->counts, 16);
    memcpy(body + 17, codes->values, (size_t)codes->size);
    return LT_OK;
}

static lt_status write_interval(int interval, lt_out *out, lt_error *error) {
    if (interval == 0) return LT_OK;
    uint8_t *body = begin_marker(LT_DRI, 2, out);
    if (body == NULL) return lt_out_full(out, error);
    body[0] = (uint8_t)(interval >> 8);
    body[1] = (uint8_t)interval;
    return LT_OK;
}

static uint8_t *begin_marker(int code, size_t size, lt_out *out) {
    uint8_t *bytes = lt_out_more(out, 4 + size);
    if (bytes == NULL) return NULL;
    bytes[0] = 0xFF;
    bytes[1] = (uint8_t)code;
    bytes[2] = (uint8_t)((size + 2) >> 8);
    bytes[3] = (uint8_t)(size + 2);
    return bytes + 4;
}
