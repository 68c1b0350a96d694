#include "exif.h"

#include <string.h>

enum { ORIENTATION = 274, SHORT = 3, LONG = 4, ENTRY = 12 };

/* A TIFF structure: its bytes, and whether their order is little-endian. */
typedef struct {
    const uint8_t *data;
    size_t size;
    int little;
} tiff;

static uint32_t find_orientation(const tiff *exif);
static uint32_t read16(const tiff *exif, size_t at);
static uint32_t read32(const tiff *exif, size_t at);

int lt_exif_orientation(const uint8_t *body, size_t size) {
    if (size < 6 || memcmp(body, "Exif\0", 6) != 0) return 0;
    tiff exif = {body + 6, size - 6, 0};
    if (exif.size < 8) return 1;
    exif.little = memcmp(exif.data, "II*", 4) == 0;
    if (!exif.little && memcmp(exif.data, "MM\0*", 4) != 0) return 1;
    uint32_t orientation = find_orientation(&exif);
    return orientation >= 1 && orientation <= 8 ? (int)orientation : 1;
}

/* A directory that reaches beyond the end is not believed in any part; of two entries the later one counts. */
static uint32_t find_orientation(const tiff *exif) {
    size_t at = read32(exif, 4);
    if (at > exif->size - 2) return 1;
    size_t end = at + 2 + ENTRY * (size_t)read16(exif, at);
    uint32_t orientation = 1;
    for (at += 2; at < end; at += ENTRY) {
        if (at > exif->size || exif->size - at < 8) return 1;
        uint32_t kind = read16(exif, at + 2);
        if (read32(exif, at + 4) != 1 || (kind != SHORT && kind != LONG)) continue;
        if (exif->size - at < (kind == SHORT ? 10 : 12)) return 1;
        if (read16(exif, at) == ORIENTATION) orientation = kind == SHORT ? read16(exif, at + 8) : read32(exif, at + 8);
    }
    return orientation;
}

static uint32_t read16(const tiff *exif, size_t at) {
    const uint8_t *bytes = exif->data + at;
    return exif->little ? (uint32_t)bytes[1] << 8 | bytes[0] : (uint32_t)bytes[0] << 8 | bytes[1];
}

static uint32_t read32(const tiff *exif, size_t at) {
    uint32_t first = read16(exif, at), second = read16(exif, at + 2);
    return exif->little ? second << 16 | first : first << 16 | second;
}
