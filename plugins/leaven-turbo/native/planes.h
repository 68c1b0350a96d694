/* A JPEG's planes by libjpeg. */
#ifndef LEAVEN_TURBO_PLANES_H
#define LEAVEN_TURBO_PLANES_H

#include "turbo.h"

/* Side of the inverse DCT, in samples, that libjpeg takes for a component when the image is reduced to n/8. */
int lt_dct_size(const lt_header *header, int component, int n);

/* Decode the planes of a JPEG reduced to n/8 (n is 1, 2, 4 or 8), at least as far down as `rows` pixels of its height;
 * planes->x and y are 0. The planes lie in `scratch`, until it is used again. LT_DAMAGED also where libjpeg only warns:
 * what it makes up for missing data is not to be learnt from. */
lt_status lt_decode_planes(lt_bytes jpeg, int n, int rows, lt_planes *planes, lt_scratch *scratch, lt_error *error);

#endif
