/* Mutated files and mutated indices through all of the C code, under the sanitizers: fuzz ROUNDS SEED FILE...
 *
 * Each round takes one of the files, changes it (or an index of it) and draws, indexes, repacks and compares it. The
 * sanitizers end the program at the first wrong access; what is checked here is that an index which is not taken
 * changes no pixel, that no image depends on those before, and that every refusal has a status and a text. The same
 * seed makes the same rounds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../native/draw.h"

enum { WIDTH = 40, HEIGHT = 30, LARGEST = 1 << 22 };

static uint64_t state;

static uint32_t below(uint32_t n) { /* xorshift64*, which is enough for choosing */
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint32_t)(((state * 2685821657736338717u) >> 32) % n);
}

static double within(double low, double high) { return low + (high - low) * below(1 << 20) / (1 << 20); }

static void fail(const char *text, unsigned long round) {
    fprintf(stderr, "round %lu: %s\n", round, text);
    abort();
}

typedef struct {
    uint8_t *data;
    size_t size;
} blob;

static blob copy(const uint8_t *data, size_t size) {
    blob made = {malloc(size), size}; /* of just this size, so that a byte too far is noticed */
    memcpy(made.data, data, size);
    return made;
}

static blob read_file(const char *path) {
    FILE *file = fopen(path, "rb");
    uint8_t *room = malloc(LARGEST);
    size_t size = file == NULL ? 0 : fread(room, 1, LARGEST, file);
    if (size == 0) {
        fprintf(stderr, "%s: cannot be read\n", path);
        exit(2);
    }
    fclose(file);
    blob made = copy(room, size);
    free(room);
    return made;
}

/* Where in a file: as often among the markers, which are short, as in the data. */
static size_t somewhere(size_t size) { return below(2) && size > 700 ? below(700) : below((uint32_t)size); }

static void change(blob *blob) {
    static const uint8_t ODD[] = {0x00, 0xFF, 0xD0, 0xD7, 0xD9, 0xDA, 0xC0, 0xC2,
                                  0xC4, 0xDB, 0xDD, 0x01, 0x11, 0x80, 0x7F};
    for (uint32_t times = 1 + below(4); times > 0 && blob->size > 8; times--) {
        size_t at = somewhere(blob->size), length = 1 + below(64);
        if (at + length > blob->size) length = blob->size - at;
        switch (below(7)) {
            case 0: blob->data[at] ^= (uint8_t)(1u << below(8)); break;
            case 1: blob->data[at] = (uint8_t)below(256); break;
            case 2: blob->data[at] = ODD[below(sizeof ODD)]; break;
            case 3: memmove(blob->data + at, blob->data + somewhere(blob->size - length + 1), length); break;
            case 4:
                memmove(blob->data + at, blob->data + at + length, blob->size - at - length);
                blob->size -= length;
                break;
            case 5: blob->size = at + 1; break;
            default:
                blob->data[at] = 0xFF;
                if (at + 1 < blob->size) blob->data[at + 1] = ODD[below(sizeof ODD)];
                break;
        }
    }
    blob->data = realloc(blob->data, blob->size);
}

static lt_job job_for(lt_bytes jpeg, lt_bytes index, uint8_t *out) {
    int grey = below(3) == 0, planar = below(2);
    ptrdiff_t channels = grey ? 1 : 3;
    double dx = within(0.1, 12), dy = within(0.1, 12);
    lt_job job = {
        .jpeg = jpeg, .index = index, .x = within(-40, 400), .dx = below(2) ? dx : -dx, .y = within(-40, 300),
        .dy = below(2) ? dy : -dy, .least_scale = within(0, 1), .whole = (int)below(2), .most_pixels = 1 << 22,
        .view = {.width = WIDTH, .height = HEIGHT, .method = (int)below(4), .channels = (int)channels,
                 .background = {1, 2, 3}, .out = out,
                 .row = planar ? WIDTH : WIDTH * channels, .column = planar ? 1 : channels,
                 .channel = planar ? WIDTH * HEIGHT : 1},
    };
    return job;
}

static unsigned long statuses[LT_BAD_ARGUMENT + 1], refused;

static lt_status drawn(lt_workspace *workspace, const lt_job *job, unsigned long round) {
    lt_outcome outcome;
    memset(job->view.out, 7, (size_t)(WIDTH * HEIGHT * job->view.channels));
    lt_draw(workspace, job, &outcome);
    if (outcome.status != LT_OK && outcome.error.text[0] == 0) fail("a refusal without a text", round);
    statuses[outcome.status]++;
    refused += (unsigned long)outcome.refused_index;
    return outcome.status;
}

/* What the file gives with this index has to be what it gives without, or nothing. */
static void draw_both(lt_workspace *workspace, blob jpeg, blob index, int forged, unsigned long round) {
    uint8_t *one = malloc(WIDTH * HEIGHT * 3), *other = malloc(WIDTH * HEIGHT * 3);
    lt_job job = job_for((lt_bytes){jpeg.data, jpeg.size}, (lt_bytes){index.data, index.size}, one);
    lt_job plain = job;
    plain.index.size = 0;
    plain.view.out = other;
    lt_status with = drawn(workspace, &job, round), without = drawn(workspace, &plain, round);
    int same = with != LT_OK || memcmp(one, other, (size_t)(WIDTH * HEIGHT * job.view.channels)) == 0;
    if (!forged && (with != without || !same)) fail("an index changed what is seen", round);
    free(one);
    free(other);
}

/* What an image gives after all those before has to be what it gives alone. */
static void draw_anew(lt_workspace *workspace, blob jpeg, unsigned long round) {
    uint8_t *one = malloc(WIDTH * HEIGHT * 3), *other = malloc(WIDTH * HEIGHT * 3);
    lt_job job = job_for((lt_bytes){jpeg.data, jpeg.size}, (lt_bytes){NULL, 0}, one);
    lt_job alone = job;
    alone.view.out = other;
    lt_workspace fresh = {0};
    lt_status status = drawn(workspace, &job, round);
    if (drawn(&fresh, &alone, round) != status) fail("an image is taken or not by those before", round);
    if (status == LT_OK && memcmp(one, other, (size_t)(WIDTH * HEIGHT * job.view.channels)) != 0)
        fail("an image depends on those before", round);
    lt_workspace_close(&fresh);
    free(one);
    free(other);
}

/* Whether two files are the same is asked of any two: it must not read too far in either of them. */
static void compare(blob one, blob other) {
    lt_error error = {""};
    int same;
    lt_same_coefficients((lt_bytes){one.data, one.size}, (lt_bytes){other.data, other.size}, &same, &error);
}

static blob index_of(blob jpeg, int forged) {
    lt_header header;
    lt_error error;
    lt_index index = {0};
    blob made = {NULL, 0};
    lt_bytes bytes = {jpeg.data, jpeg.size};
    if (lt_read_header(bytes, &header, &error) != LT_OK || lt_check_supported(&header, &error) != LT_OK) return made;
    lt_status status = lt_index_marked(bytes, &header, &index, &error);
    if (status != LT_OK) status = lt_index_walked(bytes, &header, 1, &index, &error);
    if (status == LT_OK && forged && index.count > 0)
        for (uint32_t times = 1 + below(3); times > 0; times--)
            index.at[below((uint32_t)index.count + 1)] += below(200) - 100u;
    if (status == LT_OK && lt_index_write(&index, bytes, &header, &made.data, &made.size, &error) != LT_OK)
        made = (blob){NULL, 0};
    lt_index_free(&index);
    return made;
}

static void repack(blob jpeg, unsigned long round) {
    lt_bytes bytes = {jpeg.data, jpeg.size};
    lt_error error = {""};
    uint8_t *made = NULL;
    size_t size = 0;
    int same = 1;
    lt_repacking how = {1 + (int)below(8), (int)below(2), (int)below(2), (int)below(2)};
    lt_status status = lt_repack(bytes, &how, &made, &size, &error);
    if (status != LT_OK && error.text[0] == 0) fail("a refusal without a text", round);
    if (status == LT_OK && lt_same_coefficients(bytes, (lt_bytes){made, size}, &same, &error) == LT_OK && !same)
        fail("a repacked file has other coefficients", round);
    free(made);
}

static void one_round(lt_workspace *workspace, const blob *files, int count, unsigned long round) {
    const blob *file = &files[below((uint32_t)count)];
    blob jpeg = copy(file->data, file->size);
    int kind = (int)below(4), forged = kind == 2;
    blob index = index_of(jpeg, forged);
    if (kind == 0) change(&jpeg); /* an index that was right before */
    if (kind == 1 && index.data != NULL) change(&index);
    if (kind == 3) {
        free(index.data);
        change(&jpeg);
        index = index_of(jpeg, 0);
    }
    /* an index of a file that has changed is found out only where the change is looked at: pixels may then differ as
     * far as those of a damaged file may */
    draw_both(workspace, jpeg, index, forged || kind == 0 || kind == 3, round);
    draw_anew(workspace, jpeg, round);
    if (round % 4 == 0) repack(jpeg, round);
    if (round % 4 == 1) compare(jpeg, *file);
    free(jpeg.data);
    free(index.data);
}

int main(int argc, char **argv) {
    if (argc < 4) {
        fprintf(stderr, "fuzz ROUNDS SEED FILE...\n");
        return 2;
    }
    unsigned long rounds = strtoul(argv[1], NULL, 10);
    int count = argc - 3;
    blob *files = calloc((size_t)count, sizeof *files);
    for (int i = 0; i < count; i++) files[i] = read_file(argv[3 + i]);
    state = strtoull(argv[2], NULL, 10) * 0x9E3779B97F4A7C15u + 1;
    lt_workspace workspace = {0};
    for (unsigned long round = 0; round < rounds; round++) one_round(&workspace, files, count, round);
    lt_workspace_close(&workspace);
    printf("%lu rounds: %lu drawn, %lu damaged, %lu unsupported, %lu indices refused\n", rounds, statuses[LT_OK],
           statuses[LT_DAMAGED], statuses[LT_UNSUPPORTED], refused);
    for (int i = 0; i < count; i++) free(files[i].data);
    free(files);
    return 0;
}
