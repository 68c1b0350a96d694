/* The inverse DCTs in AVX2, to the same bits as the plain ones: each half of a register holds a row of one block. */
#include "idct.h"

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>
#include <string.h>

#define AVX2 __attribute__((target("avx2")))
#define INLINE __attribute__((target("avx2"), always_inline)) static inline

enum { CONST_BITS = 13, PASS_BITS = 2 };

/* Columns 0 to 3 and 4 to 7 of a row, in 32 bits. */
typedef struct {
    __m256i low, high;
} wide;

/* Two rows woven, so that one instruction multiplies both and adds. */
INLINE wide woven(__m256i a, __m256i b) { return (wide){_mm256_unpacklo_epi16(a, b), _mm256_unpackhi_epi16(a, b)}; }

INLINE wide times(wide pair, int a, int b) {
    __m256i factors = _mm256_set1_epi32((int)((uint32_t)b << 16 | (uint16_t)a));
    return (wide){_mm256_madd_epi16(pair.low, factors), _mm256_madd_epi16(pair.high, factors)};
}

INLINE wide plus(wide a, wide b) {
    return (wide){_mm256_add_epi32(a.low, b.low), _mm256_add_epi32(a.high, b.high)};
}

INLINE wide minus(wide a, wide b) {
    return (wide){_mm256_sub_epi32(a.low, b.low), _mm256_sub_epi32(a.high, b.high)};
}

/* A row times 1 << bits, and half of what a later shift by `descale` drops. */
INLINE wide raised(__m256i row, int bits, int descale) {
    wide high = woven(_mm256_setzero_si256(), row);
    __m256i half = _mm256_set1_epi32(1 << (descale - 1));
    return (wide){_mm256_add_epi32(_mm256_srai_epi32(high.low, 16 - bits), half),
                  _mm256_add_epi32(_mm256_srai_epi32(high.high, 16 - bits), half)};
}

INLINE __m256i narrowed(wide row, int bits) {
    return _mm256_packs_epi32(_mm256_srai_epi32(row.low, bits), _mm256_srai_epi32(row.high, bits));
}

INLINE void inverse_of_8(__m256i *rows, int bits) {
    wide sum = raised(_mm256_add_epi16(rows[0], rows[4]), CONST_BITS, bits);
    wide difference = raised(_mm256_sub_epi16(rows[0], rows[4]), CONST_BITS, bits);
    wide even = woven(rows[2], rows[6]);
    wide low = times(even, 10703, 4433), high = times(even, 4433, -10704);

    wide odd = woven(_mm256_add_epi16(rows[7], rows[3]), _mm256_add_epi16(rows[5], rows[1]));
    wide both = times(odd, -6436, 9633), twice = times(odd, 9633, 6437);
    wide outer = woven(rows[7], rows[1]), inner = woven(rows[5], rows[3]);
    wide odds[4] = {plus(times(outer, -7373, 4926), twice), plus(times(inner, -20995, 4177), both),
                    plus(times(inner, -4176, -20995), twice), plus(times(outer, -4927, -7373), both)};
    wide evens[4] = {plus(sum, low), plus(difference, high), minus(difference, high), minus(sum, low)};
    for (int i = 0; i < 4; i++) {
        rows[i] = narrowed(plus(evens[i], odds[i]), bits);
        rows[7 - i] = narrowed(minus(evens[i], odds[i]), bits);
    }
}

INLINE void inverse_of_4(__m256i *rows, int bits) {
    wide first = raised(rows[0], CONST_BITS + 1, bits), second = times(woven(rows[2], rows[6]), 15137, -6270);
    wide outer = woven(rows[1], rows[3]), inner = woven(rows[5], rows[7]);
    wide odds[2] = {plus(times(outer, 20995, 7373), times(inner, -4926, -4176)),
                    plus(times(outer, 8697, -17799), times(inner, 11893, -1730))};
    wide evens[2] = {plus(first, second), minus(first, second)};
    for (int i = 0; i < 2; i++) {
        rows[i] = narrowed(plus(evens[i], odds[i]), bits);
        rows[3 - i] = narrowed(minus(evens[i], odds[i]), bits);
    }
}

/* Of both halves. */
INLINE void transpose(__m256i *rows) {
    __m256i pairs[8], fours[8];
    for (int i = 0; i < 4; i++) {
        pairs[2 * i] = _mm256_unpacklo_epi16(rows[2 * i], rows[2 * i + 1]);
        pairs[2 * i + 1] = _mm256_unpackhi_epi16(rows[2 * i], rows[2 * i + 1]);
    }
    for (int i = 0; i < 8; i += 4)
        for (int j = 0; j < 2; j++) {
            fours[i + 2 * j] = _mm256_unpacklo_epi32(pairs[i + j], pairs[i + j + 2]);
            fours[i + 2 * j + 1] = _mm256_unpackhi_epi32(pairs[i + j], pairs[i + j + 2]);
        }
    for (int i = 0; i < 4; i++) {
        rows[2 * i] = _mm256_unpacklo_epi64(fours[i], fours[i + 4]);
        rows[2 * i + 1] = _mm256_unpackhi_epi64(fours[i], fours[i + 4]);
    }
}

/* Blocks, dequantised, and ones in the halves of those that have nothing in the rows of a mask. */
typedef struct {
    __m256i rows[8], flat;
} blocks;

INLINE blocks take(lt_pair *pair, unsigned mask) {
    blocks taken;
    __m256i *from = (__m256i *)pair->coefficients, any = _mm256_setzero_si256();
    for (int i = 0; i < 8; i++) {
        __m128i one = _mm_loadu_si128((const __m128i *)(pair->quantisers[0] + 8 * i));
        __m128i other = _mm_loadu_si128((const __m128i *)(pair->quantisers[1] + 8 * i));
        __m256i row = _mm256_load_si256(from + i);
        if (mask >> i & 1) any = _mm256_or_si256(any, row);
        taken.rows[i] = _mm256_mullo_epi16(row, _mm256_set_m128i(other, one));
        _mm256_store_si256(from + i, _mm256_setzero_si256());
    }
    __m256i zero = _mm256_cmpeq_epi64(any, _mm256_setzero_si256());
    taken.flat = _mm256_and_si256(zero, _mm256_shuffle_epi32(zero, 0x4E));
    return taken;
}

/* What libjpeg's short cut for flat blocks makes of the first pass. */
INLINE void repeat(blocks *taken, __m256i first, int count) {
    if (_mm256_testz_si256(taken->flat, taken->flat)) return;
    first = _mm256_slli_epi16(first, PASS_BITS);
    for (int i = 0; i < count; i++) taken->rows[i] = _mm256_blendv_epi8(taken->rows[i], first, taken->flat);
}

/* Two rows of both blocks as bytes. */
INLINE __m256i samples(__m256i row, __m256i next) {
    return _mm256_xor_si256(_mm256_packs_epi16(row, next), _mm256_set1_epi8(-128));
}

INLINE void store8(uint8_t *out, long long from) { memcpy(out, &from, 8); }

AVX2 static void inverse_8(lt_pair *pair) {
    blocks taken = take(pair, 0xFE);
    __m256i first = taken.rows[0];
    inverse_of_8(taken.rows, CONST_BITS - PASS_BITS);
    repeat(&taken, first, 8);
    transpose(taken.rows);
    inverse_of_8(taken.rows, CONST_BITS + PASS_BITS + 3);
    transpose(taken.rows);
    for (size_t i = 0; i < 8; i += 2) {
        __m256i both = samples(taken.rows[i], taken.rows[i + 1]);
        __m128i one = _mm256_castsi256_si128(both), other = _mm256_extracti128_si256(both, 1);
        store8(pair->out[0] + i * pair->stride[0], _mm_extract_epi64(one, 0));
        store8(pair->out[0] + (i + 1) * pair->stride[0], _mm_extract_epi64(one, 1));
        store8(pair->out[1] + i * pair->stride[1], _mm_extract_epi64(other, 0));
        store8(pair->out[1] + (i + 1) * pair->stride[1], _mm_extract_epi64(other, 1));
    }
}

INLINE void store4(uint8_t *out, __m128i from) {
    int32_t four = _mm_cvtsi128_si32(from);
    memcpy(out, &four, 4);
}

AVX2 static void inverse_4(lt_pair *pair) {
    blocks taken = take(pair, 0xEE);
    __m256i first = taken.rows[0];
    inverse_of_4(taken.rows, CONST_BITS - PASS_BITS + 1);
    repeat(&taken, first, 4);
    transpose(taken.rows);
    inverse_of_4(taken.rows, CONST_BITS + PASS_BITS + 4);
    transpose(taken.rows);
    for (size_t i = 0; i < 4; i += 2) {
        __m256i both = samples(taken.rows[i], taken.rows[i + 1]);
        __m128i halves[2] = {_mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1)};
        for (int k = 0; k < 2; k++) {
            store4(pair->out[k] + i * pair->stride[k], halves[k]);
            store4(pair->out[k] + (i + 1) * pair->stride[k], _mm_srli_si128(halves[k], 8));
        }
    }
}

/* The first column has no need to fit into 16 bits between the passes, and is not made to. */
AVX2 static void inverse_2(lt_pair *pair) {
    enum { FIRST = CONST_BITS - PASS_BITS + 2, SECOND = CONST_BITS + PASS_BITS + 5 };
    const __m256i factors = _mm256_broadcastsi128_si256(_mm_setr_epi16(0, 29692, 0, -10426, 0, 6967, 0, -5906));
    blocks taken = take(pair, 0);
    wide odd = plus(times(woven(taken.rows[1], taken.rows[3]), 29692, -10426),
                    times(woven(taken.rows[5], taken.rows[7]), 6967, -5906));
    wide even = raised(taken.rows[0], CONST_BITS + 2, FIRST), top = plus(even, odd), bottom = minus(even, odd);
    __m256i first = _mm256_srai_epi32(_mm256_unpacklo_epi32(top.low, bottom.low), FIRST);
    __m256i sums = _mm256_hadd_epi32(_mm256_madd_epi16(narrowed(top, FIRST), factors),
                                     _mm256_madd_epi16(narrowed(bottom, FIRST), factors));
    sums = _mm256_hadd_epi32(sums, sums);
    first = _mm256_add_epi32(_mm256_slli_epi32(first, CONST_BITS + 2), _mm256_set1_epi32(1 << (SECOND - 1)));
    __m256i values = _mm256_unpacklo_epi32(_mm256_add_epi32(first, sums), _mm256_sub_epi32(first, sums));
    values = _mm256_srai_epi32(values, SECOND);
    values = _mm256_packs_epi32(values, values);
    values = samples(values, values);
    uint32_t four[2] = {(uint32_t)_mm256_extract_epi32(values, 0), (uint32_t)_mm256_extract_epi32(values, 4)};
    for (int k = 0; k < 2; k++) {
        memcpy(pair->out[k], &four[k], 2);
        memcpy(pair->out[k] + pair->stride[k], (uint8_t *)&four[k] + 2, 2);
    }
}

static const lt_inverses AVX2_INVERSES = {inverse_2, inverse_4, inverse_8};

const lt_inverse *lt_best_inverses(void) {
    return __builtin_cpu_supports("avx2") ? AVX2_INVERSES : lt_plain_inverses;
}

#else

const lt_inverse *lt_best_inverses(void) { return lt_plain_inverses; }

#endif
