/* Drawing one image: from its file to pixels in the target, by the shortest way that there is. */
#ifndef LEAVEN_TURBO_DRAW_H
#define LEAVEN_TURBO_DRAW_H

#include "planes.h"

/* The ways in which the needed part of a file is got at, cheapest first. All give the same pixels. */
enum { LT_INDEXED, LT_BY_MARKERS, LT_BY_WALKING, LT_PLAINLY };

typedef struct {
    lt_bytes jpeg;
    lt_bytes index;             /* stored by lt_index_write; size 0: there is none */
    double x, dx, y, dy;        /* target to *upright* image, as in lt_view, never transposed */
    double least_scale;         /* 1/8, 2/8 or 4/8 is taken where it is at least this */
    int whole;                  /* the outermost samples of a reduced image count as wholly within it */
    uint64_t most_pixels;       /* more is LT_UNSUPPORTED */
    lt_view view;               /* method, channels, background, size and place of the target */
} lt_job;

typedef struct {
    lt_status status;
    lt_error error;
    int way;                    /* LT_INDEXED ...; of LT_OK */
    int refused_index;          /* there was an index, and it was not that of this file */
    int64_t resampling;         /* nanoseconds of it that went into resampling */
} lt_outcome;

/* Memory that is kept from one image to the next one, and nothing else of them; all zeroes at first. */
typedef struct {
    lt_scratch planes, resampling;
} lt_workspace;

void lt_workspace_close(lt_workspace *workspace);

void lt_draw(lt_workspace *workspace, const lt_job *job, lt_outcome *outcome);

#endif
