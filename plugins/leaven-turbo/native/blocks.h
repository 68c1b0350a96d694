/* A part of a JPEG: a rectangle of its MCUs. */
#ifndef LEAVEN_TURBO_BLOCKS_H
#define LEAVEN_TURBO_BLOCKS_H

#include "turbo.h"

/* A rectangle, in MCUs; right and bottom are exclusive. */
typedef struct {
    int left, top, right, bottom;
} lt_mcus;

/* Decode the MCUs of a rectangle of a baseline file of one scan, reduced to n/8 (n is 1, 2, 4 or 8), to the samples
 * that libjpeg gives. planes->x and y say where they lie; they lie in `scratch`, until it is used again.
 *
 * With an index, of either kind, only the segments that the rectangle touches are read; it need not be aligned to
 * them. Without one (NULL), restart markers are searched for; where there are none, all MCUs before the last one that
 * is needed are stepped over.
 *
 * LT_BAD_INDEX: the file has not what the index says at the places that are looked at. LT_DAMAGED: the data are none.
 * LT_UNSUPPORTED: another kind of file. */
lt_status lt_decode_mcus(lt_bytes jpeg, const lt_header *header, const lt_index *index, lt_mcus mcus, int n,
                         lt_planes *planes, lt_scratch *scratch, lt_error *error);

/* quantisers.c: read the quantisation tables that are in force at the scan, one for each component, row after row.
 * LT_DAMAGED: a DQT marker that makes no sense, or a table that is missing. */
lt_status lt_read_quantisers(lt_bytes jpeg, const lt_header *header, int16_t (*quantisers)[64], lt_error *error);

#endif
