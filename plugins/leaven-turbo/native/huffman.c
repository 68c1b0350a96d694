#include "huffman.h"

#include "coefficients.h"
#include "markers.h"

/* All tables that are in force at the first scan. */
typedef struct {
    lt_codes dc[4], ac[4];
} all_codes;

static lt_status read_codes(lt_bytes jpeg, const lt_header *header, all_codes *codes, lt_error *error);
static lt_status read_table(const lt_marker *marker, size_t *at, all_codes *codes, lt_error *error);
static lt_status lay_out(const lt_header *header, int component, int dc, int ac, lt_scan *scan, lt_error *error);
static lt_status check_promise(lt_bytes jpeg, const lt_header *header, const lt_scan *scan, lt_error *error);
static lt_status build(const lt_codes *codes, int is_dc, int number, lt_huffman *table, lt_error *error);
static void fill_look(lt_huffman *table, unsigned code, int length, uint8_t value);
static void find_steps(const lt_codes *codes, lt_ac *ac);
static void find_steps_from(uint8_t symbol, int length, int bits, uint16_t *out, const uint16_t *steps);

lt_status lt_open_scan(lt_bytes jpeg, const lt_header *header, int tables, lt_scan *scan, lt_error *error) {
    if (!header->baseline || !header->one_scan || header->precision != 8 ||
        (header->components != 1 && header->components != 3))
        return lt_fail(error, LT_UNSUPPORTED, "not one baseline scan of 8 bits with 1 or 3 components");
    all_codes codes;
    lt_status status = read_codes(jpeg, header, &codes, error);
    unsigned built = 0;
    scan->blocks = 0;
    for (int i = 0; status == LT_OK && i < header->components; i++) {
        uint8_t numbers = jpeg.data[header->sos_at + 6 + 2 * (size_t)i]; /* behind marker, length, count and id */
        int dc = numbers >> 4, ac = numbers & 15;
        if (dc > 3 || ac > 3)
            return lt_fail(error, LT_DAMAGED, "component %d has the Huffman tables %d and %d", i, dc, ac);
        status = lay_out(header, i, dc, ac, scan, error);
        if (status != LT_OK) return status;
        if (!(built >> dc & 1)) status = build(&codes.dc[dc], 1, dc, &scan->dc[dc], error);
        if (status == LT_OK && !(built >> (4 + ac) & 1)) {
            status = build(&codes.ac[ac], 0, ac, &scan->ac[ac].one, error);
            if (status == LT_OK && tables & LT_STEPS) find_steps(&codes.ac[ac], &scan->ac[ac]);
            if (status == LT_OK && tables & LT_COEFFICIENTS) lt_find_coefficients(&codes.ac[ac], &scan->ac[ac]);
        }
        built |= 1u << dc | 1u << (4 + ac);
    }
    return status == LT_OK ? check_promise(jpeg, header, scan, error) : status;
}

unsigned lt_find_long(const lt_huffman *table, unsigned next) {
    for (int length = LT_LOOK_BITS + 1; length <= 16; length++) {
        if (next >= table->end[length]) continue;
        int place = (int)(next >> (16 - length)) + table->shift[length];
        return (unsigned)table->values[place & 255] << 8 | (unsigned)length;
    }
    return 0;
}

static lt_status read_codes(lt_bytes jpeg, const lt_header *header, all_codes *codes, lt_error *error) {
    memset(codes, 0, sizeof *codes);
    lt_marker marker;
    size_t next = 2;
    do {
        lt_status status = lt_next_marker(jpeg, &next, &marker, error);
        size_t at = 0;
        while (status == LT_OK && marker.code == LT_DHT && at < marker.size)
            status = read_table(&marker, &at, codes, error);
        if (status != LT_OK) return status;
    } while (next < header->scan_at);
    return LT_OK;
}

static lt_status read_table(const lt_marker *marker, size_t *at, all_codes *codes, lt_error *error) {
    const uint8_t *body = marker->body + *at;
    size_t left = marker->size - *at;
    if (left < 17) return lt_fail(error, LT_DAMAGED, "a Huffman table is cut off");
    int kind = body[0] >> 4, number = body[0] & 15, size = 0;
    if (kind > 1 || number > 3)
        return lt_fail(error, LT_DAMAGED, "a Huffman table of kind %d, number %d", kind, number);
    for (int i = 0; i < 16; i++) size += body[1 + i];
    if (size > 256 || (size_t)size > left - 17)
        return lt_fail(error, LT_DAMAGED, "a Huffman table with %d values", size);
    lt_codes *table = kind == 0 ? &codes->dc[number] : &codes->ac[number];
    memcpy(table->counts, body + 1, 16);
    memcpy(table->values, body + 17, (size_t)size);
    table->size = size;
    table->there = 1;
    *at += 17 + (size_t)size;
    return LT_OK;
}

static lt_status lay_out(const lt_header *header, int component, int dc, int ac, lt_scan *scan, lt_error *error) {
    int blocks = header->components == 1 ? 1 : header->h[component] * header->v[component];
    if (scan->blocks + blocks > LT_MOST_BLOCKS) return lt_fail(error, LT_DAMAGED, "more than 10 blocks in an MCU");
    for (int i = scan->blocks; i < scan->blocks + blocks; i++) {
        scan->block[i].component = component;
        scan->block[i].dc = &scan->dc[dc];
        scan->block[i].ac = &scan->ac[ac];
    }
    scan->blocks += blocks;
    return LT_OK;
}

/* Each block takes two bits at least. */
static lt_status check_promise(lt_bytes jpeg, const lt_header *header, const lt_scan *scan, lt_error *error) {
    uint64_t blocks = (uint64_t)header->mcus_per_row * (uint64_t)header->mcu_rows * (uint64_t)scan->blocks;
    if (blocks <= (uint64_t)(jpeg.size - header->scan_at) * 4) return LT_OK;
    return lt_fail(error, LT_DAMAGED, "%llu blocks are promised, and there are %zu bytes for them",
                   (unsigned long long)blocks, jpeg.size - header->scan_at);
}

/* Codes of a length follow upon each other, those of the next one upon twice the last; see JPEG (T.81), annex C. */
static lt_status build(const lt_codes *codes, int is_dc, int number, lt_huffman *table, lt_error *error) {
    const char *kind = is_dc ? "DC" : "AC";
    if (!codes->there) return lt_fail(error, LT_UNSUPPORTED, "there is no Huffman table %d for %s", number, kind);
    if (codes->size == 0) return lt_fail(error, LT_DAMAGED, "Huffman table %d for %s has no codes", number, kind);
    memset(table, 0, sizeof *table);
    memcpy(table->values, codes->values, (size_t)codes->size);
    unsigned code = 0;
    int place = 0;
    for (int length = 1; length <= 16; length++, code <<= 1) {
        table->shift[length] = place - (int)code;
        for (int i = 0; i < codes->counts[length - 1]; i++, place++, code++) {
            uint8_t value = codes->values[place];
            if (is_dc && value > 15) return lt_fail(error, LT_DAMAGED, "a DC difference of %d bits", value);
            fill_look(table, code, length, value);
        }
        if (code > (1u << length) - (codes->counts[length - 1] > 0))
            return lt_fail(error, LT_DAMAGED, "Huffman table %d for %s has too many codes", number, kind);
        table->end[length] = code << (16 - length);
    }
    return LT_OK;
}

static void fill_look(lt_huffman *table, unsigned code, int length, uint8_t value) {
    if (length > LT_LOOK_BITS) return;
    unsigned spare = (unsigned)(LT_LOOK_BITS - length), first = code << spare;
    for (unsigned i = first; i < first + (1u << spare) && i < 1u << LT_LOOK_BITS; i++)
        table->look[i] = (uint16_t)(value << 8 | length);
}

/* The steps for more bits are made of those for fewer: a symbol, and then whatever the bits that are left hold. */
static void find_steps(const lt_codes *codes, lt_ac *ac) {
    memset(ac->steps, 0, sizeof ac->steps);
    for (int bits = 1; bits <= LT_STEP_BITS; bits++) {
        uint16_t *out = ac->steps + (1 << bits);
        for (int length = 1, place = 0; length <= bits; length++)
            for (int i = 0; i < codes->counts[length - 1]; i++, out += 1 << (bits - length))
                find_steps_from(codes->values[place++], length, bits, out, ac->steps);
    }
    uint16_t *most = ac->steps + (1 << LT_STEP_BITS);
    for (int i = 0; i < 1 << LT_STEP_BITS; i++)
        if (most[i] == 0) most[i] = LT_STEP_NONE;
}

/* The steps that begin with a symbol, for all that may follow its code. */
static void find_steps_from(uint8_t symbol, int length, int bits, uint16_t *out, const uint16_t *steps) {
    int size = symbol & 15, run = symbol >> 4, left = bits - length - size, count = 1 << (bits - length);
    int last = size == 0 && run != 15;
    uint16_t first = (uint16_t)((length + size) | (last ? LT_STEP_LAST : run + 1) << 8);
    if (last || left < 1) {
        for (int i = 0; i < count; i++) out[i] = first;
        return;
    }
    for (int start = 0; start < count; start += 1 << left)
        for (int i = 0; i < 1 << left; i++) {
            uint16_t both = (uint16_t)(first + steps[(1 << left) + i]);
            int fits = (both & 63) <= LT_MOST_STEP && !(both & 64 << 8);
            out[start + i] = fits ? both : first;
        }
}
