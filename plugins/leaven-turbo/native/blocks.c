#include "blocks.h"

#include "coefficients.h"
#include "idct.h"
#include "planes.h"
#include "segments.h"

enum { SPARE = 64 };

/* What becomes of the blocks of a component. */
typedef struct {
    int log_size;  /* of the samples of a block, across and down */
    int h, v;      /* blocks of an MCU */
    int16_t quantisers[64];
    uint8_t *out;  /* the first sample of the MCU that is next */
    size_t stride;
    size_t across, down; /* from an MCU's first sample to that of the next one */
} component;

/* Blocks of one size on their way to the inverse transform. While one pair is filled, the other one, which is full,
 * waits: a register that is loaded right after its parts were stored takes its time (4 % of decoding). */
typedef struct {
    lt_pair pairs[2];
    int current, waiting; /* the pair that is being filled, and how many blocks it has */
    int full;             /* whether the other one is to be transformed */
} queue;

typedef struct {
    component components[3];
    size_t offset[LT_MOST_BLOCKS]; /* of a block's first sample from that of its MCU */
    const lt_inverse *inverses;
    queue queues[3];               /* of 2, 4 and 8 samples */
    uint8_t nowhere[64];
    lt_segments segments;
} decoding;

static lt_status begin(decoding *decoding, lt_bytes jpeg, const lt_header *header, int n, lt_error *error);
static lt_status lay_out(decoding *decoding, lt_mcus mcus, lt_planes *planes, lt_scratch *scratch, lt_error *error);
static void describe(const component *component, const lt_header *header, lt_mcus mcus, lt_planes *planes, int i);
static lt_status decode_row(decoding *decoding, int row, lt_error *error);
static lt_status decode_mcu(decoding *decoding, lt_error *error);
static int decode_block(decoding *decoding, lt_bits *bits, int i);
static void enqueue(decoding *decoding, const component *component, uint8_t *out);
static void flush(decoding *decoding);

lt_status lt_decode_mcus(lt_bytes jpeg, const lt_header *header, const lt_index *index, lt_mcus mcus, int n,
                         lt_planes *planes, lt_scratch *scratch, lt_error *error) {
    decoding decoding;
    lt_status status = lt_segments_open(&decoding.segments, jpeg, header, index, mcus, error);
    if (status == LT_OK) status = begin(&decoding, jpeg, header, n, error);
    if (status == LT_OK) status = lay_out(&decoding, mcus, planes, scratch, error);
    for (int row = mcus.top; status == LT_OK && row < mcus.bottom; row++) status = decode_row(&decoding, row, error);
    if (status == LT_OK) flush(&decoding);
    if (status == LT_DAMAGED && index != NULL && index->kind == LT_WALKED) status = LT_BAD_INDEX;
    return status;
}

static lt_status begin(decoding *decoding, lt_bytes jpeg, const lt_header *header, int n, lt_error *error) {
    int16_t quantisers[3][64];
    lt_status status = lt_read_quantisers(jpeg, header, quantisers, error);
    for (int i = 0; status == LT_OK && i < header->components; i++) {
        component *component = &decoding->components[i];
        int size = lt_dct_size(header, i, n), single = header->components == 1;
        component->log_size = size == 8 ? 3 : size / 2;
        component->h = single ? 1 : header->h[i];
        component->v = single ? 1 : header->v[i];
        memcpy(component->quantisers, quantisers[i], sizeof component->quantisers);
    }
    decoding->inverses = lt_best_inverses();
    memset(decoding->queues, 0, sizeof decoding->queues);
    return status;
}

/* Lay the planes out in the scratch: whole MCUs in both directions. */
static lt_status lay_out(decoding *decoding, lt_mcus mcus, lt_planes *planes, lt_scratch *scratch, lt_error *error) {
    const lt_header *header = decoding->segments.header;
    size_t total = 0, starts[3], *offset = decoding->offset;
    planes->count = header->components;
    planes->color = header->color;
    for (int i = 0; i < header->components; i++) {
        component *component = &decoding->components[i];
        component->across = (size_t)component->h << component->log_size;
        component->stride = (component->across * (size_t)(mcus.right - mcus.left) + 63) & ~(size_t)63;
        component->down = ((size_t)component->v << component->log_size) * component->stride;
        for (int row = 0; row < component->v; row++)
            for (int column = 0; column < component->h; column++)
                *offset++ = ((size_t)row * component->stride + (size_t)column) << component->log_size;
        describe(component, header, mcus, planes, i);
        starts[i] = total;
        total += component->down * (size_t)(mcus.bottom - mcus.top) + SPARE;
    }
    uint8_t *room = lt_scratch_room(scratch, total);
    if (room == NULL)
        return lt_fail(error, LT_NO_MEMORY, "no memory for %d x %d pixels", planes->height[0], planes->width[0]);
    for (int i = 0; i < header->components; i++) planes->data[i] = decoding->components[i].out = room + starts[i];
    return LT_OK;
}

/* A plane ends with the image, or with the rectangle. */
static void describe(const component *component, const lt_header *header, lt_mcus mcus, lt_planes *planes, int i) {
    int left = mcus.left * header->mcu_width, right = mcus.right * header->mcu_width;
    int top = mcus.top * header->mcu_height, bottom = mcus.bottom * header->mcu_height;
    int64_t width = (right < (int)header->width ? right : (int)header->width) - left;
    int64_t height = (bottom < (int)header->height ? bottom : (int)header->height) - top;
    int h = header->h[i] << component->log_size, v = header->v[i] << component->log_size; /* for so many pixels: */
    int pixels_h = 8 * header->max_h, pixels_v = 8 * header->max_v;
    planes->stride[i] = component->stride;
    planes->width[i] = (int)((width * h + pixels_h - 1) / pixels_h);
    planes->height[i] = (int)((height * v + pixels_v - 1) / pixels_v);
    planes->x[i] = left;
    planes->y[i] = top;
    planes->dx[i] = (double)pixels_h / h;
    planes->dy[i] = (double)pixels_v / v;
}

static lt_status decode_row(decoding *decoding, int row, lt_error *error) {
    lt_segments *segments = &decoding->segments;
    int count = segments->header->components;
    uint8_t *next[3];
    for (int i = 0; i < count; i++) next[i] = decoding->components[i].out + decoding->components[i].down;
    lt_status status = lt_segments_enter(segments, row, error);
    for (int column = segments->left; status == LT_OK && column < segments->right; column++) {
        status = lt_segments_next(segments, error);
        if (status == LT_OK) status = decode_mcu(decoding, error);
    }
    for (int i = 0; i < count; i++) decoding->components[i].out = next[i];
    return status == LT_OK ? lt_segments_leave(segments, error) : status;
}

static lt_status decode_mcu(decoding *decoding, lt_error *error) {
    lt_segments *segments = &decoding->segments;
    lt_stream *stream = &segments->stream;
    lt_stream_need(stream);
    lt_bits bits = lt_bits_at(stream->window, stream->at);
    for (int i = 0; i < segments->scan.blocks; i++)
        if (!decode_block(decoding, &bits, i)) return lt_fail(error, LT_DAMAGED, "a bit pattern that is no code");
    stream->at = lt_bits_place(&bits, stream->window);
    if (lt_stream_overrun(stream)) return lt_fail(error, LT_DAMAGED, "its data end before the picture does");
    segments->mcu++;
    for (int i = 0; i < segments->header->components; i++)
        decoding->components[i].out += decoding->components[i].across;
    return LT_OK;
}

/* Most blocks go to a queue; what has a DC only, or is reduced to one sample, is done at once. 0: no code */
static int decode_block(decoding *decoding, lt_bits *bits, int i) {
    const lt_scan *scan = &decoding->segments.scan;
    int c = scan->block[i].component, difference;
    const component *component = &decoding->components[c];
    uint8_t *out = component->out + decoding->offset[i];
    if (!lt_step_dc(bits, scan->block[i].dc, &difference)) return 0;
    int16_t dc = (int16_t)(uint16_t)(decoding->segments.dc[c] += difference);
    unsigned last = 0;
    if (component->log_size == 0) {
        if (!lt_step_ac(bits, scan->block[i].ac)) return 0;
    } else {
        queue *queue = &decoding->queues[component->log_size - 1];
        int16_t *block = queue->pairs[queue->current].coefficients + 8 * queue->waiting;
        if (!lt_read_ac(bits, scan->block[i].ac, block, &last)) return 0;
        block[0] = last == 0 ? 0 : dc;
    }
    if (last == 0) lt_fill_block(dc, component->quantisers[0], component->log_size, out, component->stride);
    else enqueue(decoding, component, out);
    return 1;
}

static void enqueue(decoding *decoding, const component *component, uint8_t *out) {
    queue *queue = &decoding->queues[component->log_size - 1];
    lt_pair *pair = &queue->pairs[queue->current];
    pair->quantisers[queue->waiting] = component->quantisers;
    pair->out[queue->waiting] = out;
    pair->stride[queue->waiting] = component->stride;
    if (++queue->waiting < 2) return;
    queue->waiting = 0;
    queue->current = !queue->current;
    if (queue->full) decoding->inverses[component->log_size - 1](&queue->pairs[queue->current]);
    queue->full = 1;
}

/* Transform the blocks that are still waiting. */
static void flush(decoding *decoding) {
    for (int i = 0; i < 3; i++) {
        queue *queue = &decoding->queues[i];
        lt_pair *pair = &queue->pairs[queue->current];
        if (queue->full) decoding->inverses[i](&queue->pairs[!queue->current]);
        if (queue->waiting == 0) continue;
        pair->quantisers[1] = pair->quantisers[0];
        pair->out[1] = decoding->nowhere;
        pair->stride[1] = 8;
        decoding->inverses[i](pair);
    }
}
