#include "draw.h"

#include "blocks.h"

#include <stdlib.h>

void lt_workspace_close(lt_workspace *workspace) {
    free(workspace->planes.data);
    free(workspace->resampling.data);
}

typedef struct {
    double start, step;
} line;

static line opposite(line axis, double size) { return (line){size - axis.start, -axis.step}; }

/* Lay the target over the stored pixels. EXIF's orientations 5 to 8 exchange the axes; what is mirrored counts from the
 * other side. */
static void place(const lt_job *job, const lt_header *header, lt_view *view) {
    int turned = header->orientation >= 5;
    double width = turned ? header->height : header->width, height = turned ? header->width : header->height;
    line across = {job->x, job->dx}, down = {job->y, job->dy};
    switch (header->orientation) {
        case 2: across = opposite(across, width); break;
        case 3: across = opposite(across, width), down = opposite(down, height); break;
        case 4: down = opposite(down, height); break;
        case 6: across = opposite(across, width); break;
        case 7: across = opposite(across, width), down = opposite(down, height); break;
        case 8: down = opposite(down, height); break;
        default: break;
    }
    view->transposed = turned;
    view->x = turned ? down.start : across.start;
    view->dx = turned ? down.step : across.step;
    view->y = turned ? across.start : down.start;
    view->dy = turned ? across.step : down.step;
}

static int reduction(double least_scale) {
    static const int OFFERED[] = {1, 2, 4};
    for (int i = 0; i < 3; i++)
        if (OFFERED[i] >= least_scale * 8) return OFFERED[i];
    return 8;
}

static double rounded_up(uint32_t size, int n) { return (double)(((uint64_t)size * (unsigned)n + 7) / 8) * 8 / n; }

static lt_mcus needed(const lt_view *view, const lt_header *header, int n, lt_box *box) {
    double step_x = 1, step_y = 1;
    for (int i = 0; i < header->components; i++) {
        int size = lt_dct_size(header, i, n);
        double x = 8.0 * header->max_h / (header->h[i] * size), y = 8.0 * header->max_v / (header->v[i] * size);
        step_x = x > step_x ? x : step_x;
        step_y = y > step_y ? y : step_y;
    }
    *box = lt_view_box(view, step_x, step_y);
    if (box->left >= box->right || box->top >= box->bottom) *box = (lt_box){0, 0, 1, 1}; /* background only */
    return (lt_mcus){box->left / header->mcu_width, box->top / header->mcu_height,
                     (box->right - 1) / header->mcu_width + 1, (box->bottom - 1) / header->mcu_height + 1};
}

/* What one image is decoded with; `rows` is how far down the stored image is needed. */
typedef struct {
    lt_workspace *workspace;
    const lt_job *job;
    const lt_header *header;
    lt_mcus mcus;
    int n, rows;
} task;

static lt_status decode_mcus(const task *task, const lt_index *index, lt_planes *planes, lt_error *error) {
    return lt_decode_mcus(task->job->jpeg, task->header, index, task->mcus, task->n, planes, &task->workspace->planes,
                          error);
}

static lt_status decode_indexed(const task *task, lt_planes *planes, lt_error *error) {
    lt_index index = {0};
    lt_status status = lt_index_read(task->job->index, task->job->jpeg, task->header, &index, error);
    if (status == LT_OK) status = decode_mcus(task, &index, planes, error);
    lt_index_free(&index);
    return status;
}

static lt_status decode_plainly(const task *task, lt_planes *planes, lt_error *error) {
    return lt_decode_planes(task->job->jpeg, task->n, task->rows, planes, &task->workspace->planes, error);
}

/* What is damaged stays so: libjpeg would take bit patterns that are no codes for zeroes, and often say nothing. */
static lt_status decode(const task *task, lt_planes *planes, lt_outcome *outcome) {
    lt_error *error = &outcome->error;
    const lt_header *header = task->header;
    int simple = header->baseline && header->one_scan;
    outcome->way = LT_INDEXED;
    if (simple && task->job->index.size > 0) {
        lt_status status = decode_indexed(task, planes, error);
        if (status == LT_OK || status == LT_NO_MEMORY) return status;
        outcome->refused_index = status == LT_BAD_INDEX;
    }
    outcome->way = header->restart_interval != 0 ? LT_BY_MARKERS : LT_BY_WALKING;
    lt_status status = simple ? decode_mcus(task, NULL, planes, error) : LT_UNSUPPORTED;
    if (status != LT_UNSUPPORTED) return status;
    outcome->way = LT_PLAINLY;
    return decode_plainly(task, planes, error);
}

static lt_status inspect(const lt_job *job, lt_header *header, lt_error *error) {
    lt_status status = lt_read_header(job->jpeg, header, error);
    if (status == LT_OK) status = lt_check_supported(header, error);
    if (status == LT_OK && !header->complete)
        status = lt_fail(error, LT_DAMAGED, "cut off: the end of the file is missing after %zu bytes", job->jpeg.size);
    if (status == LT_OK && (uint64_t)header->width * header->height > job->most_pixels)
        status = lt_fail(error, LT_UNSUPPORTED, "%u x %u pixels are over the limit of %llu", header->height,
                         header->width, (unsigned long long)job->most_pixels);
    return status;
}

void lt_draw(lt_workspace *workspace, const lt_job *job, lt_outcome *outcome) {
    lt_header header;
    lt_planes planes;
    lt_view view = job->view;
    *outcome = (lt_outcome){0};
    outcome->status = inspect(job, &header, &outcome->error);
    if (outcome->status != LT_OK) return;
    place(job, &header, &view);
    task task = {workspace, job, &header, {0}, reduction(job->least_scale), 0};
    view.source_width = job->whole ? rounded_up(header.width, task.n) : header.width;
    view.source_height = job->whole ? rounded_up(header.height, task.n) : header.height;
    lt_box box;
    task.mcus = needed(&view, &header, task.n, &box);
    task.rows = box.bottom;
    outcome->status = decode(&task, &planes, outcome);
    if (outcome->status != LT_OK) return;
    int64_t began = lt_now();
    outcome->status = lt_resample(&planes, &view, &workspace->resampling, &outcome->error);
    outcome->resampling = lt_now() - began;
}
