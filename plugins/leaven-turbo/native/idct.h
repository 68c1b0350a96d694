/* The inverse DCT of 8 x 8 coefficients to 8 x 8, 4 x 4, 2 x 2 samples or one, to the bits that libjpeg-turbo gives by
 * JDCT_ISLOW on x86-64, what overflows included. */
#ifndef LEAVEN_TURBO_IDCT_H
#define LEAVEN_TURBO_IDCT_H

#include <stddef.h>
#include <stdint.h>

enum { LT_ROW = 16 }; /* from a row of coefficients to the next one */

/* Two blocks at once, as a register of AVX2 holds a row of both: each row has the eight coefficients of the first one,
 * and then those of the second one. */
typedef struct {
    _Alignas(32) int16_t coefficients[8 * LT_ROW];
    const int16_t *quantisers[2]; /* 64 each, row after row */
    uint8_t *out[2];
    size_t stride[2];
} lt_pair;

/* Dequantise and transform both blocks, write their samples, and clear the coefficients. In the order of their sizes:
 * 2, 4 or 8 samples across and down; lt_fill_block does the rest. */
typedef void (*lt_inverse)(lt_pair *pair);
typedef lt_inverse lt_inverses[3];

extern const lt_inverses lt_plain_inverses; /* idct.c; they define every result */
const lt_inverse *lt_best_inverses(void); /* idct_avx2.c: what suits this processor */

/* Write what comes of a block whose only coefficient is a DC of this quantiser, and of any block at the size of 1. */
void lt_fill_block(int16_t dc, int16_t quantiser, int log_size, uint8_t *out, size_t stride);

#endif
