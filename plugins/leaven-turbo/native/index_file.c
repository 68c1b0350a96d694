/* The layout, little-endian: "LTX", version, checksum (CRC-32 of all that follows; 4 bytes), size of the JPEG (8),
 * fingerprint (8), kind (1), interval (2); then, for each segment, how far the next one begins behind it as a varint
 * and, for LT_WALKED, by how much the three DCs differ from those before, as zigzag varints. How many segments there
 * are, and where the first one begins, is known from the header of the JPEG. */
#include "bits.h"
#include "turbo.h"

#include <stdlib.h>

enum { VERSION = 1, CHECKSUM_AT = 4, CHECKED_AT = 8, SIZE_AT = 8, FINGERPRINT_AT = 16 };
enum { KIND_AT = 24, INTERVAL_AT = 25, BODY_AT = 27 };
enum { MOST_OFFSET = 10, MOST_DC = 3, SAMPLES = 32, SAMPLE = 16 };

typedef struct {
    const uint8_t *next, *end;
} reader;

static uint8_t *write_segments(const lt_index *index, uint8_t *out);
static lt_status read_segments(reader *from, lt_bytes jpeg, const lt_header *header, lt_index *index, lt_error *error);
static lt_status allocate(lt_index *index, size_t most, lt_error *error);
static uint8_t *write_varint(uint8_t *out, uint64_t value);
static int read_varint(reader *from, uint64_t *value);
static void write_number(uint8_t *out, uint64_t value, int bytes);
static uint64_t read_number(const uint8_t *from, int bytes);
static uint32_t checksum(const uint8_t *data, size_t size);
static uint64_t fingerprint(lt_bytes jpeg, const lt_header *header);
static uint64_t mix(uint64_t hash, const uint8_t *data, size_t size);

lt_status lt_index_write(const lt_index *index, lt_bytes jpeg, const lt_header *header, uint8_t **bytes, size_t *size,
                         lt_error *error) {
    size_t most = MOST_OFFSET + (index->kind == LT_WALKED ? 3 * MOST_DC : 0);
    *bytes = index->count > (SIZE_MAX - BODY_AT) / most ? NULL : malloc(BODY_AT + index->count * most);
    if (*bytes == NULL) return lt_fail(error, LT_NO_MEMORY, "no memory for an index of %zu segments", index->count);
    uint8_t *out = *bytes;
    memcpy(out, "LTX", 3);
    out[3] = VERSION;
    write_number(out + SIZE_AT, jpeg.size, 8);
    write_number(out + FINGERPRINT_AT, fingerprint(jpeg, header), 8);
    out[KIND_AT] = (uint8_t)index->kind;
    write_number(out + INTERVAL_AT, (uint64_t)index->interval, 2);
    *size = (size_t)(write_segments(index, out + BODY_AT) - out);
    write_number(out + CHECKSUM_AT, checksum(out + CHECKED_AT, *size - CHECKED_AT), 4);
    return LT_OK;
}

lt_status lt_index_read(lt_bytes stored, lt_bytes jpeg, const lt_header *header, lt_index *index, lt_error *error) {
    *index = (lt_index){0};
    const uint8_t *from = stored.data;
    if (stored.size < BODY_AT || memcmp(from, "LTX", 3) != 0)
        return lt_fail(error, LT_BAD_INDEX, "%zu bytes that are no index", stored.size);
    if (from[3] != VERSION) return lt_fail(error, LT_BAD_INDEX, "an index of version %d, not %d", from[3], VERSION);
    if (read_number(from + CHECKSUM_AT, 4) != checksum(from + CHECKED_AT, stored.size - CHECKED_AT))
        return lt_fail(error, LT_BAD_INDEX, "a damaged index: its checksum is another");
    if (read_number(from + SIZE_AT, 8) != jpeg.size ||
        read_number(from + FINGERPRINT_AT, 8) != fingerprint(jpeg, header))
        return lt_fail(error, LT_BAD_INDEX, "the index of another file, or the file has changed: make it again");
    index->kind = from[KIND_AT];
    index->interval = (int)read_number(from + INTERVAL_AT, 2);
    if (index->kind > LT_WALKED || index->interval < 1 || header->mcus_per_row % index->interval != 0)
        return lt_fail(error, LT_BAD_INDEX, "an index of kind %d with segments of %d MCUs, in rows of %d", index->kind,
                       index->interval, header->mcus_per_row);
    if (index->kind == LT_MARKED ? index->interval != header->restart_interval : lt_has_restarts(header))
        return lt_fail(error, LT_BAD_INDEX, "an index of kind %d by %d MCUs, and restart markers every %d", index->kind,
                       index->interval, header->restart_interval);
    index->count = (size_t)header->mcu_rows * (size_t)(header->mcus_per_row / index->interval);
    reader body = {from + BODY_AT, from + stored.size};
    lt_status status = allocate(index, stored.size, error);
    if (status == LT_OK) status = read_segments(&body, jpeg, header, index, error);
    if (status != LT_OK) lt_index_free(index);
    return status;
}

static uint8_t *write_segments(const lt_index *index, uint8_t *out) {
    int16_t before[3] = {0};
    for (size_t i = 0; i < index->count; i++) {
        out = write_varint(out, index->at[i + 1] - index->at[i]);
        for (int c = 0; index->kind == LT_WALKED && c < 3; c++) {
            int32_t step = index->dc[i][c] - before[c];
            out = write_varint(out, step < 0 ? 2 * (uint64_t)(-step) - 1 : 2 * (uint64_t)step);
            before[c] = index->dc[i][c];
        }
    }
    return out;
}

static lt_status read_segments(reader *from, lt_bytes jpeg, const lt_header *header, lt_index *index, lt_error *error) {
    uint64_t scale = index->kind == LT_WALKED ? 8 : 1, at = header->scan_at * scale, end = jpeg.size * scale;
    int64_t dc[3] = {0};
    for (size_t i = 0; i < index->count; i++) {
        uint64_t length, step;
        index->at[i] = at;
        if (!read_varint(from, &length) || length == 0 || length > end - at)
            return lt_fail(error, LT_BAD_INDEX, "segment %zu of the index does not lie within the file", i);
        at += length;
        for (int c = 0; index->kind == LT_WALKED && c < 3; c++) {
            if (!read_varint(from, &step) || step > 2 * UINT16_MAX)
                return lt_fail(error, LT_BAD_INDEX, "segment %zu of the index has no DC", i);
            dc[c] += step & 1 ? -(int64_t)(step / 2) - 1 : (int64_t)(step / 2);
            if (dc[c] < INT16_MIN || dc[c] > INT16_MAX)
                return lt_fail(error, LT_BAD_INDEX, "segment %zu of the index has a DC of %lld", i, (long long)dc[c]);
            index->dc[i][c] = (int16_t)dc[c];
        }
    }
    index->at[index->count] = at;
    return from->next == from->end ? LT_OK : lt_fail(error, LT_BAD_INDEX, "an index with bytes to spare");
}

/* Each segment takes bytes of the stored index, so that no damaged header makes this large. */
static lt_status allocate(lt_index *index, size_t most, lt_error *error) {
    int walked = index->kind == LT_WALKED;
    if (index->count > most)
        return lt_fail(error, LT_BAD_INDEX, "an index of %zu bytes for %zu segments", most, index->count);
    index->at = malloc((index->count + 1) * sizeof *index->at);
    if (walked) index->dc = malloc(index->count * sizeof *index->dc);
    if (index->at == NULL || (walked && index->dc == NULL))
        return lt_fail(error, LT_NO_MEMORY, "no memory for an index of %zu segments", index->count);
    return LT_OK;
}

static uint8_t *write_varint(uint8_t *out, uint64_t value) {
    for (; value > 127; value >>= 7) *out++ = (uint8_t)(value | 128);
    *out++ = (uint8_t)value;
    return out;
}

static int read_varint(reader *from, uint64_t *value) {
    *value = 0;
    for (int shift = 0; shift < 63 && from->next < from->end; shift += 7) {
        uint8_t byte = *from->next++;
        *value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) return 1;
    }
    return 0;
}

static void write_number(uint8_t *out, uint64_t value, int bytes) {
    for (int i = 0; i < bytes; i++) out[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t read_number(const uint8_t *from, int bytes) {
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++) value |= (uint64_t)from[i] << (8 * i);
    return value;
}

/* CRC-32 as of zlib, four bits at a time: indices are small, and so is the table. */
static uint32_t checksum(const uint8_t *data, size_t size) {
    static const uint32_t TABLE[16] = {0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4,
                                       0x4DB26158, 0x5005713C, 0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C,
                                       0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C};
    uint32_t crc = ~(uint32_t)0;
    for (size_t i = 0; i < size; i++) {
        crc = TABLE[(crc ^ data[i]) & 15] ^ crc >> 4;
        crc = TABLE[(crc ^ data[i] >> 4) & 15] ^ crc >> 4;
    }
    return ~crc;
}

/* All that lies before the entropy-coded data, and samples of these: reading all of it would take longer than an index
 * saves on a large file. */
static uint64_t fingerprint(lt_bytes jpeg, const lt_header *header) {
    uint64_t hash = mix(0, jpeg.data, header->scan_at);
    const uint8_t *scan = jpeg.data + header->scan_at;
    size_t size = jpeg.size - header->scan_at;
    if (size <= SAMPLES * SAMPLE) return mix(hash, scan, size);
    for (size_t i = 0; i < SAMPLES; i++) hash = mix(hash, scan + (size - SAMPLE) / (SAMPLES - 1) * i, SAMPLE);
    return hash;
}

/* As FNV-1a, but eight bytes at a time, and with the high bits brought down. */
static uint64_t mix(uint64_t hash, const uint8_t *data, size_t size) {
    hash ^= size;
    for (; size >= 8; data += 8, size -= 8) {
        hash = (hash ^ lt_load64(data)) * 0x9E3779B97F4A7C15u;
        hash ^= hash >> 32;
    }
    for (; size > 0; data++, size--) hash = (hash ^ *data) * 0x100000001B3u;
    return hash ^ hash >> 32;
}
