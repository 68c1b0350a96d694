#include "blocks.h"
#include "markers.h"

static lt_status read_table(const lt_marker *marker, size_t *at, int16_t (*tables)[64], unsigned *present,
                            lt_error *error);

/* The place of each zigzag position in a block, row after row. */
static const uint8_t ZIGZAG[64] = {
     0,  1,  8, 16,  9,  2,  3, 10, 17, 24, 32, 25, 18, 11,  4,  5,
    12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13,  6,  7, 14, 21, 28,
    35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
    58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63};

lt_status lt_read_quantisers(lt_bytes jpeg, const lt_header *header, int16_t (*quantisers)[64], lt_error *error) {
    int16_t tables[4][64];
    unsigned present = 0;
    lt_marker marker;
    size_t next = 2;
    do {
        lt_status status = lt_next_marker(jpeg, &next, &marker, error);
        size_t at = 0;
        while (status == LT_OK && marker.code == LT_DQT && at < marker.size)
            status = read_table(&marker, &at, tables, &present, error);
        if (status != LT_OK) return status;
    } while (next < header->scan_at);
    for (int i = 0; i < header->components; i++) {
        unsigned number = jpeg.data[header->sof_at + 12 + 3 * (size_t)i]; /* behind marker, length, size, id, factors */
        if (number > 3 || !(present >> number & 1))
            return lt_fail(error, LT_DAMAGED, "there is no quantisation table %u", number);
        for (int j = 0; j < 64; j++) quantisers[i][j] = tables[number][j];
    }
    return LT_OK;
}

/* Of 16 bits, none are lost: libjpeg multiplies by them as if they had a sign, and so do we. */
static lt_status read_table(const lt_marker *marker, size_t *at, int16_t (*tables)[64], unsigned *present,
                            lt_error *error) {
    const uint8_t *body = marker->body + *at;
    unsigned bytes = (body[0] >> 4) + 1u, number = body[0] & 15;
    if (bytes > 2 || number > 3)
        return lt_fail(error, LT_DAMAGED, "a quantisation table of kind %u, number %u", bytes - 1, number);
    if (marker->size - *at < 1 + 64 * bytes) return lt_fail(error, LT_DAMAGED, "a quantisation table is cut off");
    body++;
    for (int i = 0; i < 64; i++, body += bytes)
        tables[number][ZIGZAG[i]] = (int16_t)(bytes == 1 ? body[0] : lt_u16(body));
    *present |= 1u << number;
    *at += 1 + 64 * bytes;
    return LT_OK;
}
