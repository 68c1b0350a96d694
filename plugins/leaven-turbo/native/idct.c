/* Two passes, over columns and then over rows, after Loeffler, Ligtenberg and Moschytz. Constants have 13 fractional
 * bits; what goes from one pass to the other has 2, and 16 bits in all. Sums are unsigned, as they are to wrap. */
#include "idct.h"

#include <string.h>

enum { CONST_BITS = 13, PASS_BITS = 2 };

static int32_t wrapped(uint32_t value) { return (int16_t)(uint16_t)value; }

static int32_t saturated(int32_t value) {
    return value < INT16_MIN ? INT16_MIN : value > INT16_MAX ? INT16_MAX : value;
}

static int32_t descaled(uint32_t value, int bits) {
    return saturated((int32_t)(value + (1u << (bits - 1))) >> bits);
}

static uint8_t sample(int32_t value) { return (uint8_t)(value < -128 ? 0 : value > 127 ? 255 : value + 128); }

static uint32_t times(int32_t value, int32_t factor) { return (uint32_t)value * (uint32_t)factor; }

static void dequantise(const int16_t *block, const int16_t *quantisers, int32_t out[8][8]) {
    for (int row = 0; row < 8; row++)
        for (int i = 0; i < 8; i++)
            out[row][i] = wrapped(times(block[row * LT_ROW + i], quantisers[row * 8 + i]));
}

/* Whether the rows of a mask are all zero, but for the first one. */
static int is_flat(const int16_t *block, unsigned rows) {
    for (int row = 1; row < 8; row++)
        for (int i = 0; rows >> row & 1 && i < 8; i++)
            if (block[row * LT_ROW + i] != 0) return 0;
    return 1;
}

/* The short cut of the first pass over a block that does not change from row to row: its overflow is another. */
static void repeat(int32_t rows[8][8], int count) {
    for (int i = 0; i < 8; i++) rows[0][i] = wrapped((uint32_t)rows[0][i] << PASS_BITS);
    for (int row = 1; row < count; row++) memcpy(rows[row], rows[0], sizeof rows[0]);
}

/* Eight values that are `step` apart, in place. */
static void inverse_of_8(int32_t *values, int step, int bits) {
    int32_t in[8];
    for (int i = 0; i < 8; i++) in[i] = values[i * step];
    uint32_t sum = (uint32_t)wrapped((uint32_t)(in[0] + in[4])) << CONST_BITS;
    uint32_t difference = (uint32_t)wrapped((uint32_t)(in[0] - in[4])) << CONST_BITS;
    uint32_t low = times(in[2], 10703) + times(in[6], 4433), high = times(in[2], 4433) + times(in[6], -10704);
    uint32_t even[4] = {sum + low, difference + high, difference - high, sum - low};

    int32_t one = wrapped((uint32_t)(in[7] + in[3])), other = wrapped((uint32_t)(in[5] + in[1]));
    uint32_t both = times(one, -6436) + times(other, 9633), twice = times(one, 9633) + times(other, 6437);
    uint32_t odd[4] = {times(in[7], -7373) + times(in[1], 4926) + twice,
                       times(in[5], -20995) + times(in[3], 4177) + both,
                       times(in[5], -4176) + times(in[3], -20995) + twice,
                       times(in[7], -4927) + times(in[1], -7373) + both};
    for (int i = 0; i < 4; i++) {
        values[i * step] = descaled(even[i] + odd[i], bits);
        values[(7 - i) * step] = descaled(even[i] - odd[i], bits);
    }
}

/* Four values out of eight, of which the fifth has no part in it. */
static void inverse_of_4(int32_t *values, int step, int bits) {
    int32_t in[8];
    for (int i = 0; i < 8; i++) in[i] = values[i * step];
    uint32_t first = (uint32_t)in[0] << (CONST_BITS + 1), second = times(in[2], 15137) + times(in[6], -6270);
    uint32_t even[2] = {first + second, first - second};
    uint32_t odd[2] = {times(in[1], 20995) + times(in[3], 7373) + times(in[5], -4926) + times(in[7], -4176),
                       times(in[1], 8697) + times(in[3], -17799) + times(in[5], 11893) + times(in[7], -1730)};
    for (int i = 0; i < 2; i++) {
        values[i * step] = descaled(even[i] + odd[i], bits);
        values[(3 - i) * step] = descaled(even[i] - odd[i], bits);
    }
}

static uint32_t odd_of_2(const int32_t *values, int step) {
    return times(values[step], 29692) + times(values[3 * step], -10426) + times(values[5 * step], 6967) +
           times(values[7 * step], -5906);
}

static void to_8(const int16_t *block, const int16_t *quantisers, uint8_t *out, size_t stride) {
    int32_t rows[8][8];
    dequantise(block, quantisers, rows);
    if (is_flat(block, 0xFE)) repeat(rows, 8);
    else
        for (int i = 0; i < 8; i++) inverse_of_8(&rows[0][i], 8, CONST_BITS - PASS_BITS);
    for (int row = 0; row < 8; row++, out += stride) {
        inverse_of_8(rows[row], 1, CONST_BITS + PASS_BITS + 3);
        for (int i = 0; i < 8; i++) out[i] = sample(rows[row][i]);
    }
}

static void to_4(const int16_t *block, const int16_t *quantisers, uint8_t *out, size_t stride) {
    int32_t rows[8][8];
    dequantise(block, quantisers, rows);
    if (is_flat(block, 0xEE)) repeat(rows, 4);
    else
        for (int i = 0; i < 8; i++) inverse_of_4(&rows[0][i], 8, CONST_BITS - PASS_BITS + 1);
    for (int row = 0; row < 4; row++, out += stride) {
        inverse_of_4(rows[row], 1, CONST_BITS + PASS_BITS + 4);
        for (int i = 0; i < 4; i++) out[i] = sample(rows[row][i]);
    }
}

/* The first column has no need to fit into 16 bits between the passes, and is not made to. */
static void to_2(const int16_t *block, const int16_t *quantisers, uint8_t *out, size_t stride) {
    enum { BITS = CONST_BITS - PASS_BITS + 2 };
    int32_t rows[8][8];
    dequantise(block, quantisers, rows);
    for (int i = 0; i < 8; i++) {
        uint32_t even = ((uint32_t)rows[0][i] << (CONST_BITS + 2)) + (1u << (BITS - 1)), odd = odd_of_2(&rows[0][i], 8);
        rows[0][i] = (int32_t)(even + odd) >> BITS;
        rows[1][i] = (int32_t)(even - odd) >> BITS;
        if (i == 0) continue;
        rows[0][i] = saturated(rows[0][i]);
        rows[1][i] = saturated(rows[1][i]);
    }
    for (int row = 0; row < 2; row++, out += stride) {
        uint32_t even = (uint32_t)rows[row][0] << (CONST_BITS + 2), odd = odd_of_2(rows[row], 1);
        out[0] = sample(descaled(even + odd, CONST_BITS + PASS_BITS + 5));
        out[1] = sample(descaled(even - odd, CONST_BITS + PASS_BITS + 5));
    }
}

/* libjpeg has no SIMD for this one: the product has all of its bits, and only ten of the quotient count. */
static uint8_t to_1(int16_t dc, int16_t quantiser) {
    int32_t value = (((int32_t)dc * quantiser + 4) >> 3) & 1023;
    return sample(value < 512 ? value : value - 1024);
}

static void plain_8(lt_pair *pair) {
    for (int i = 0; i < 2; i++) to_8(pair->coefficients + 8 * i, pair->quantisers[i], pair->out[i], pair->stride[i]);
    memset(pair->coefficients, 0, sizeof pair->coefficients);
}

static void plain_4(lt_pair *pair) {
    for (int i = 0; i < 2; i++) to_4(pair->coefficients + 8 * i, pair->quantisers[i], pair->out[i], pair->stride[i]);
    memset(pair->coefficients, 0, sizeof pair->coefficients);
}

static void plain_2(lt_pair *pair) {
    for (int i = 0; i < 2; i++) to_2(pair->coefficients + 8 * i, pair->quantisers[i], pair->out[i], pair->stride[i]);
    memset(pair->coefficients, 0, sizeof pair->coefficients);
}

const lt_inverses lt_plain_inverses = {plain_2, plain_4, plain_8};

void lt_fill_block(int16_t dc, int16_t quantiser, int log_size, uint8_t *out, size_t stride) {
    if (log_size == 0) {
        out[0] = to_1(dc, quantiser);
        return;
    }
    uint32_t value = times(dc, quantiser) << PASS_BITS; /* in 16 bits, or for 2 x 2 of what was in 16 bits before */
    value = (uint32_t)(log_size > 1 ? wrapped(value) : wrapped(value >> PASS_BITS) * (1 << PASS_BITS));
    uint8_t filled = sample(descaled(value << (CONST_BITS + 2), CONST_BITS + PASS_BITS + 5));
    size_t size = (size_t)1 << log_size;
    for (size_t row = 0; row < size; row++) memset(out + row * stride, filled, size);
}
