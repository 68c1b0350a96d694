#include "splice.h"

enum { WINDOW = 4096, MOST_AT_ONCE = 56, MOST_CODE_BYTES = 3 * 4 };

/* A run on its way: a part of it without its stuffed zeroes, and what becomes of that, before zeroes are stuffed in.
 * The last byte of `made` is being filled: its first `fresh` bits are in `pending`, where they are the highest. */
typedef struct {
    const uint8_t *from, *end; /* in the file: what is still to be read */
    unsigned spare;            /* bits of its last byte that do not belong to the run */
    size_t at, bits;           /* in `source`: those that have been put, and those that there are */
    uint64_t pending;
    unsigned fresh;
    size_t size;
    uint8_t source[WINDOW + LT_MOST_MCU_BYTES + LT_AHEAD];
    uint8_t made[WINDOW + LT_AHEAD + MOST_CODE_BYTES + LT_AHEAD];
} splicing;

static int open_run(lt_bytes jpeg, const lt_header *header, const lt_run *run, splicing *splicing);
static int fill(splicing *splicing);
static lt_status put_first_mcu(splicing *splicing, const lt_scan *scan, const int16_t *dc, lt_error *error);
static int put_difference(splicing *splicing, const lt_huffman *table, int difference);
static void put_until(splicing *splicing, size_t end);
static void put(splicing *splicing, uint64_t bits, unsigned count);
static int flush(splicing *splicing, lt_out *out);

lt_status lt_write_run(lt_bytes jpeg, const lt_header *header, const lt_scan *scan, const lt_run *run, lt_out *out,
                       lt_error *error) {
    splicing splicing;
    if (!open_run(jpeg, header, run, &splicing) || !fill(&splicing))
        return lt_fail(error, LT_BAD_INDEX, "no MCUs at byte %llu", (unsigned long long)(run->begin / 8));
    splicing.at = run->begin & 7;
    lt_status status = put_first_mcu(&splicing, scan, run->dc, error);
    if (status != LT_OK) return status;
    put_until(&splicing, splicing.bits);
    while (splicing.from < splicing.end) {
        if (!flush(&splicing, out)) return lt_out_full(out, error);
        if (!fill(&splicing)) return lt_fail(error, LT_BAD_INDEX, "a marker among the MCUs of a row");
        put_until(&splicing, splicing.bits);
    }
    if (splicing.fresh > 0) put(&splicing, ~(uint64_t)0, 8 - splicing.fresh);
    return flush(&splicing, out) ? LT_OK : lt_out_full(out, error);
}

/* 0: the run does not lie within the entropy-coded data. */
static int open_run(lt_bytes jpeg, const lt_header *header, const lt_run *run, splicing *splicing) {
    uint64_t end = run->end / 8 + (run->end % 8 != 0);
    if (run->begin / 8 < header->scan_at || run->begin >= run->end || end > jpeg.size) return 0;
    if (end < jpeg.size && jpeg.data[end - 1] == 0xFF && jpeg.data[end] == 0) end++; /* stuffed into its last byte */
    splicing->from = jpeg.data + run->begin / 8;
    splicing->end = jpeg.data + end;
    splicing->spare = (unsigned)(8 - run->end % 8) % 8;
    splicing->pending = 0;
    splicing->fresh = 0;
    splicing->size = 0;
    return 1;
}

/* Read on. 0: there is a marker. */
static int fill(splicing *splicing) {
    const uint8_t *stop;
    size_t count = lt_unstuff(splicing->from, splicing->end, splicing->source, WINDOW, &stop);
    if (stop != splicing->end && count < WINDOW) return 0;
    splicing->from = stop;
    splicing->at = 0;
    splicing->bits = count * 8 - (stop == splicing->end && count > 0 ? splicing->spare : 0);
    memset(splicing->source + count, 0, LT_MOST_MCU_BYTES + LT_AHEAD);
    return 1;
}

/* The first DC difference of each component becomes its DC; all other bits stay as they are. */
static lt_status put_first_mcu(splicing *splicing, const lt_scan *scan, const int16_t *dc, lt_error *error) {
    lt_bits bits = lt_bits_at(splicing->source, splicing->at);
    for (int i = 0; i < scan->blocks; i++) {
        int component = scan->block[i].component, difference;
        int first = i == 0 || component != scan->block[i - 1].component;
        size_t before = lt_bits_place(&bits);
        if (first && before > splicing->bits) break;
        if (first) put_until(splicing, before);
        if (!lt_step_dc(&bits, scan->block[i].dc, &difference))
            return lt_fail(error, LT_BAD_INDEX, "a bit pattern that is no code");
        if (first) {
            if (!put_difference(splicing, scan->block[i].dc, difference + dc[component]))
                return lt_fail(error, LT_UNSUPPORTED, "no code for a DC difference of %d", difference + dc[component]);
            splicing->at = lt_bits_place(&bits);
        }
        if (!lt_step_ac(&bits, scan->block[i].ac))
            return lt_fail(error, LT_BAD_INDEX, "a bit pattern that is no code");
    }
    if (lt_bits_place(&bits) > splicing->bits)
        return lt_fail(error, LT_BAD_INDEX, "an MCU that reaches beyond its row");
    put_until(splicing, lt_bits_place(&bits));
    return LT_OK;
}

static int put_difference(splicing *splicing, const lt_huffman *table, int difference) {
    unsigned size = 0, magnitude = (unsigned)(difference < 0 ? -difference : difference);
    while (magnitude >> size) size++;
    if (size > 15 || table->length[size] == 0) return 0;
    unsigned length = table->length[size], bits = (unsigned)(difference < 0 ? difference - 1 : difference);
    put(splicing, (uint64_t)table->code[size] << (64 - length), length);
    if (size > 0) put(splicing, (uint64_t)bits << (64 - size), size);
    return 1;
}

static void put_until(splicing *splicing, size_t end) {
    while (splicing->at < end) {
        size_t left = end - splicing->at;
        unsigned count = left < MOST_AT_ONCE ? (unsigned)left : MOST_AT_ONCE;
        put(splicing, lt_load64(splicing->source + (splicing->at >> 3)) << (splicing->at & 7), count);
        splicing->at += count;
    }
}

/* Append the highest `count` bits, at most MOST_AT_ONCE. */
static void put(splicing *splicing, uint64_t bits, unsigned count) {
    bits &= ~(~(uint64_t)0 >> count);
    uint64_t word = splicing->pending | bits >> splicing->fresh;
    lt_store64(splicing->made + splicing->size, word);
    unsigned filled = splicing->fresh + count;
    splicing->size += filled / 8;
    splicing->fresh = filled % 8;
    splicing->pending = word << (filled & ~7u);
}

/* Hand out the whole bytes. 0: there is no room. */
static int flush(splicing *splicing, lt_out *out) {
    if (out->room - out->size < 2 * splicing->size) return 0;
    out->size += lt_stuff(splicing->made, splicing->size, out->data + out->size);
    splicing->size = 0;
    return 1;
}
