/* The Huffman tables of a scan, and how to step over the blocks of its MCUs without keeping any coefficient. */
#ifndef LEAVEN_TURBO_HUFFMAN_H
#define LEAVEN_TURBO_HUFFMAN_H

#include "bits.h"
#include "turbo.h"

enum {
    LT_LOOK_BITS = 9,    /* looked up at once to find one code */
    LT_STEP_BITS = 11,   /* to find several at once; with 12, 7 kB take 8 % longer, and 2 MB 6 % less */
    LT_MOST_STEP = 28,   /* bits of what a step passes over */
    LT_VALUE_BITS = 10,  /* to find coefficients with their values; with 11, 90 kB take 2 % longer, with 12 14 % */
    LT_MOST_BLOCKS = 10, /* of an MCU */
    /* A block has a DC and at most 63 AC symbols of 16 bits of code and 15 more. */
    LT_MOST_MCU_BYTES = LT_MOST_BLOCKS * 64 * (16 + 15) / 8,
    /* What is looked at from there on has to be readable, too. */
    LT_AHEAD = 16
};

/* A table as a DHT marker has it: how many codes of each length there are, and what they stand for. */
typedef struct {
    uint8_t counts[16];
    uint8_t values[256];
    int size;  /* of the values */
    int there; /* whether the file has such a table */
} lt_codes;

/* A table to decode with. */
typedef struct {
    uint16_t look[1 << LT_LOOK_BITS]; /* value << 8 | length; 0: the code is longer */
    uint32_t end[17];                 /* by length: the first 16 bits that are beyond the codes of this length */
    int shift[17];                    /* by length: from a code to its place among the values */
    uint8_t values[256];
} lt_huffman;

/* A table of AC codes, and what the next bits hold by it.
 *
 * A step is bits | advance << 8. The bits are those of whole symbols, and the advance is that in the block; it has
 * LT_STEP_LAST where the last of these symbols ends the block. Behind steps[1 << n] lie those for the next n bits,
 * for each n up to LT_STEP_BITS. Where these hold no whole code it is 0, or for LT_STEP_BITS LT_STEP_NONE, which is
 * as an advance that is always too much.
 *
 * What coefficients[] holds: see coefficients.c. */
typedef struct {
    lt_huffman one;
    uint16_t steps[2 << LT_STEP_BITS];
    uint64_t coefficients[1 << LT_VALUE_BITS];
} lt_ac;
enum { LT_STEP_LAST = 128, LT_STEP_NONE = 64 << 8 };

/* The scan of a file: which component each block of an MCU belongs to, and its tables. It points into itself: open it
 * where it is to stay. */
typedef struct {
    int blocks;
    struct {
        int component;
        const lt_huffman *dc;
        const lt_ac *ac;
    } block[LT_MOST_BLOCKS];
    lt_huffman dc[4];
    lt_ac ac[4];
} lt_scan;

/* What is to be found in the tables of AC codes. */
enum { LT_STEPS = 1, LT_COEFFICIENTS = 2 };

/* LT_UNSUPPORTED: not one baseline scan of 8 bits with 1 or 3 components, or a table is missing (those of Motion JPEG
 * are, which are the standard's). LT_DAMAGED: tables that are none. */
lt_status lt_open_scan(lt_bytes jpeg, const lt_header *header, int tables, lt_scan *scan, lt_error *error);

/* The symbol of a code that is longer than LT_LOOK_BITS, as value << 8 | length; 0: no code. `next`: 16 bits */
unsigned lt_find_long(const lt_huffman *table, unsigned next);

/* ---- stepping ---- */

/* A place in bytes without stuffing: the highest `count` bits of `word` come next, and then those from `next` on. */
typedef struct {
    const uint8_t *next;
    uint64_t word;
    unsigned count;
} lt_bits;

/* Make it 56 bits at least. The word may have bits beyond `count`, but only those that follow in the data, too. */
static inline void lt_bits_fill(lt_bits *bits) {
    bits->word |= lt_load64(bits->next) >> bits->count;
    bits->next += (63 - bits->count) >> 3;
    bits->count |= 56;
}

static inline void lt_bits_use(lt_bits *bits, unsigned count) {
    bits->word <<= count;
    bits->count -= count;
}

static inline lt_bits lt_bits_at(const uint8_t *data, size_t at) {
    lt_bits bits = {data + (at >> 3), 0, 0};
    lt_bits_fill(&bits);
    lt_bits_use(&bits, at & 7);
    return bits;
}

static inline size_t lt_bits_place(const lt_bits *bits, const uint8_t *data) {
    return (size_t)(bits->next - data) * 8 - bits->count;
}

/* The next `size` bits, 15 at most, as a signed number: those that begin with 0 are negative. */
static inline int lt_bits_number(lt_bits *bits, unsigned size) {
    int32_t value = (int32_t)(bits->word >> 1 >> (63 - size)); /* in two steps, as size may be 0 */
    lt_bits_use(bits, size);
    return value < (1 << size >> 1) ? value - (1 << size) + 1 : value;
}

static inline unsigned lt_next_symbol(const lt_bits *bits, const lt_huffman *table) {
    unsigned symbol = table->look[bits->word >> (64 - LT_LOOK_BITS)];
    return symbol != 0 ? symbol : lt_find_long(table, (unsigned)(bits->word >> 48));
}

/* Take the DC difference of a block. 0: no code. */
static inline int lt_step_dc(lt_bits *bits, const lt_huffman *table, int *difference) {
    lt_bits_fill(bits);
    unsigned symbol = lt_next_symbol(bits, table);
    lt_bits_use(bits, symbol & 255);
    *difference = lt_bits_number(bits, symbol >> 8);
    return symbol != 0;
}

/* Pass over the AC coefficients of a block. 0: no code. As in libjpeg, a run beyond the block's end ends it. */
static inline int lt_step_ac(lt_bits *bits, const lt_ac *ac) {
    for (unsigned k = 1;;) {
        unsigned step = 0, next = 0;
        lt_bits_fill(bits);
        for (int i = 0; i < 56 / LT_MOST_STEP; i++, k = next) {
            step = ac->steps[(1 << LT_STEP_BITS) + (bits->word >> (64 - LT_STEP_BITS))];
            next = k + (step >> 8);
            if (next >= 64) break;
            lt_bits_use(bits, step & 63);
        }
        if (next < 64) continue;
        if (next - LT_STEP_LAST < 64) {
            lt_bits_use(bits, step & 63);
            return 1;
        }
        lt_bits_fill(bits);
        unsigned symbol = lt_next_symbol(bits, &ac->one), size = symbol >> 8 & 15, run = symbol >> 12;
        if (symbol == 0) return 0;
        lt_bits_use(bits, (symbol & 255) + size);
        if (size == 0 && run != 15) return 1;
        k += run + 1;
        if (k >= 64) return 1;
    }
}

#endif
