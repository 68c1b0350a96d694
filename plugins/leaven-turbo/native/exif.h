/* How a camera was held. */
#ifndef LEAVEN_TURBO_EXIF_H
#define LEAVEN_TURBO_EXIF_H

#include "turbo.h"

/* The orientation in the body of an APP1 marker: 1..8; 1 where its EXIF has none, or none that makes sense, as the
 * picture is good nevertheless; 0 where it is no EXIF. */
int lt_exif_orientation(const uint8_t *body, size_t size);

#endif
