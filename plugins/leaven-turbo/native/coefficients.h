/* Reading the coefficients of blocks. */
#ifndef LEAVEN_TURBO_COEFFICIENTS_H
#define LEAVEN_TURBO_COEFFICIENTS_H

#include "huffman.h"

/* Fill ac->coefficients. The codes have to be those of a table that could be built. */
void lt_find_coefficients(const lt_codes *codes, lt_ac *ac);

/* Read the AC coefficients of a block, which lies in a half of an lt_pair, and has only zeroes so far. *last is how
 * far in zigzag order something was written, 0 for nothing. 0: no code. As in libjpeg, what lies beyond the block's
 * end is its last coefficient. */
int lt_read_ac(lt_bits *bits, const lt_ac *ac, int16_t *block, unsigned *last);

#endif
