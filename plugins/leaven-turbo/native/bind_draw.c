/* draw(): a whole batch without Python between its images. */
#include "bind.h"
#include "draw.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of each image, as float64: where it goes, and how. The Python side knows this order as decoder.NUMBERS. */
enum { X, DX, Y, DY, LEAST_SCALE, METHOD, RED, GREEN, BLUE, WHOLE, PLACE, NUMBERS };

enum { LOOK_NS = 100000000 }; /* how often somebody who presses Ctrl-C is listened to */

typedef struct {
    Py_ssize_t count;
    Py_buffer *jpegs, *indices;   /* an index without an object: there is none */
    Py_buffer out, samples, progress;
    unsigned long long most_pixels;
    lt_job *jobs; /* made before the lock is given up: nobody changes a number after it was checked */
    lt_outcome *outcomes;
    lt_workspace workspace;
} batch;

static void release(Py_buffer *buffer) {
    if (buffer->obj != NULL) PyBuffer_Release(buffer);
}

static void drop(batch *batch) {
    for (Py_ssize_t i = 0; i < batch->count; i++) {
        if (batch->jpegs != NULL) release(&batch->jpegs[i]);
        if (batch->indices != NULL) release(&batch->indices[i]);
    }
    release(&batch->out);
    release(&batch->samples);
    release(&batch->progress);
    lt_workspace_close(&batch->workspace);
    free(batch->jpegs);
    free(batch->indices);
    free(batch->jobs);
    free(batch->outcomes);
}

static int refuse(const char *text) {
    PyErr_SetString(PyExc_ValueError, text);
    return 0;
}

/* An index, which is optional, may be None. */
static int take_files(PyObject *files, Py_buffer *buffers, Py_ssize_t count, int optional) {
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *file = PyList_GetItem(files, i); /* NULL where somebody has made the list shorter meanwhile */
        if (file == NULL) return 0;
        if (optional && file == Py_None) continue;
        if (PyObject_GetBuffer(file, &buffers[i], PyBUF_SIMPLE) != 0) return 0;
    }
    return 1;
}

/* Take an array of at least so many words of 8 bytes, in one of the formats. */
static int take_words(PyObject *object, Py_buffer *buffer, int flags, const char *formats, size_t least,
                      const char *text) {
    if (PyObject_GetBuffer(object, buffer, PyBUF_ND | PyBUF_FORMAT | flags) != 0) return 0;
    const char *format = buffer->format;
    int is_right = format != NULL && format[0] != 0 && format[1] == 0 && strchr(formats, format[0]) != NULL;
    if (!is_right || buffer->itemsize != 8 || (uintptr_t)buffer->buf % 8 != 0) return refuse(text);
    return (size_t)buffer->len / 8 >= least ? 1 : refuse(text);
}

static int take_optional_words(PyObject *object, Py_buffer *buffer, int flags, size_t least, const char *text) {
    return object == Py_None || take_words(object, buffer, flags, "ql", least, text);
}

static int take_out(PyObject *object, batch *batch) {
    if (PyObject_GetBuffer(object, &batch->out, PyBUF_STRIDED | PyBUF_WRITABLE) != 0) return 0;
    const Py_buffer *out = &batch->out;
    if (out->ndim != 4 || out->itemsize != 1 || (out->shape[3] != 1 && out->shape[3] != 3))
        return refuse("out has to be an array of bytes, (rows, height, width, 1 or 3)");
    if (out->shape[1] < 1 || out->shape[1] > 65535 || out->shape[2] < 1 || out->shape[2] > 65535)
        return refuse("out has rows without pixels, or of more than 65535 x 65535");
    return 1;
}

static uint8_t as_byte(double value) { return value > 0 ? (value < 255 ? (uint8_t)(value + 0.5) : 255) : 0; }

static lt_job job_of(const batch *batch, Py_ssize_t i, const double *number) {
    const Py_buffer *out = &batch->out;
    double method = number[METHOD];
    lt_job job = {
        .jpeg = {batch->jpegs[i].buf, (size_t)batch->jpegs[i].len},
        .index = {batch->indices[i].buf, batch->indices[i].obj == NULL ? 0 : (size_t)batch->indices[i].len},
        .x = number[X], .dx = number[DX], .y = number[Y], .dy = number[DY],
        .least_scale = number[LEAST_SCALE], .whole = number[WHOLE] != 0, .most_pixels = batch->most_pixels,
        .view = {
            .width = (int)out->shape[2], .height = (int)out->shape[1],
            .method = method >= LT_NEAREST && method <= LT_AREA ? (int)method : LT_LINEAR,
            .channels = (int)out->shape[3],
            .background = {as_byte(number[RED]), as_byte(number[GREEN]), as_byte(number[BLUE])},
            .out = (uint8_t *)out->buf + (Py_ssize_t)number[PLACE] * out->strides[0],
            .row = out->strides[1], .column = out->strides[2], .channel = out->strides[3],
        },
    };
    return job;
}

/* Others may write into the numbers as soon as the lock is given up, or even now: each is read once. */
static int make_jobs(batch *batch, const double *numbers) {
    for (Py_ssize_t i = 0; i < batch->count; i++) {
        double number[NUMBERS];
        memcpy(number, numbers + i * NUMBERS, sizeof number);
        if (!(number[PLACE] >= 0 && number[PLACE] < (double)batch->out.shape[0]))
            return refuse("an image's place is not a row of out");
        batch->jobs[i] = job_of(batch, i, number);
    }
    return 1;
}

static int take_numbers(PyObject *object, batch *batch) {
    Py_buffer numbers = {0};
    int taken = take_words(object, &numbers, 0, "d", (size_t)batch->count * NUMBERS,
                           "numbers have to be float64, 11 for each image") &&
                make_jobs(batch, numbers.buf);
    release(&numbers);
    return taken;
}

static int take(PyObject *const *args, batch *batch) {
    if (!PyList_Check(args[0]) || !PyList_Check(args[1]) || PyList_Size(args[0]) != PyList_Size(args[1]))
        return refuse("jpegs and indices have to be lists of one length");
    Py_ssize_t count = PyList_Size(args[0]);
    size_t room = (size_t)count + 1; /* never 0 */
    batch->jpegs = calloc(room, sizeof *batch->jpegs);
    batch->indices = calloc(room, sizeof *batch->indices);
    batch->jobs = calloc(room, sizeof *batch->jobs);
    batch->outcomes = calloc(room, sizeof *batch->outcomes);
    if (!batch->jpegs || !batch->indices || !batch->jobs || !batch->outcomes) {
        PyErr_NoMemory();
        return 0;
    }
    batch->count = count;
    batch->most_pixels = PyLong_AsUnsignedLongLong(args[4]);
    if (PyErr_Occurred()) return 0;
    return take_files(args[0], batch->jpegs, count, 0) && take_files(args[1], batch->indices, count, 1) &&
           take_out(args[3], batch) && take_numbers(args[2], batch) &&
           take_optional_words(args[5], &batch->samples, 0, (size_t)count,
                               "samples have to be int64, one for each image") &&
           take_optional_words(args[6], &batch->progress, PyBUF_WRITABLE, 3, "progress has to be three words of int64");
}

/* Tell which sample is worked on, in shared memory, so that one that ends the process is known: 1 + its index, and
 * since when. */
static void tell(const batch *batch, Py_ssize_t i, int64_t time) {
    if (batch->progress.obj == NULL || batch->samples.obj == NULL) return;
    volatile int64_t *words = batch->progress.buf;
    words[0] = ((const int64_t *)batch->samples.buf)[i] + 1;
    words[2] = time;
}

/* Draw until all are done (count), or it is time to look for signals; without the interpreter's lock. */
static Py_ssize_t draw_some(batch *batch, Py_ssize_t from) {
    int64_t began = lt_now(), time = began;
    for (; from < batch->count && time - began < LOOK_NS; from++, time = lt_now()) {
        tell(batch, from, time);
        lt_draw(&batch->workspace, &batch->jobs[from], &batch->outcomes[from]);
    }
    return from;
}

static PyObject *told(const batch *batch) {
    PyObject *list = PyList_New(batch->count);
    for (Py_ssize_t i = 0; list != NULL && i < batch->count; i++) {
        const lt_outcome *outcome = &batch->outcomes[i];
        PyObject *entry = Py_BuildValue("(siiLs)", lt_py_status(outcome->status), outcome->way, outcome->refused_index,
                                        (long long)outcome->resampling, outcome->error.text);
        if (entry == NULL || PyList_SetItem(list, i, entry) != 0) {
            Py_DECREF(list);
            return NULL;
        }
    }
    return list;
}

PyObject *lt_py_draw(PyObject *module, PyObject *const *args, Py_ssize_t count) {
    (void)module;
    if (count != 7) {
        PyErr_SetString(PyExc_TypeError, "draw(jpegs, indices, numbers, out, most_pixels, samples, progress)");
        return NULL;
    }
    batch batch = {0};
    PyObject *result = NULL;
    if (take(args, &batch)) {
        int interrupted = 0;
        for (Py_ssize_t done = 0; done < batch.count && !interrupted;) {
            PyThreadState *state = PyEval_SaveThread();
            done = draw_some(&batch, done);
            PyEval_RestoreThread(state);
            interrupted = PyErr_CheckSignals() != 0;
        }
        if (!interrupted) result = told(&batch);
    }
    drop(&batch);
    return result;
}
