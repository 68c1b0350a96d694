#include "bind.h"
#include "idct.h"

#include <string.h>

static int take(PyObject *object, Py_buffer *buffer, int writable, Py_ssize_t bytes, const char *what);
static void transform(const int16_t *coefficients, const int16_t *quantisers, uint8_t *out, size_t size, int plain);

/* For the tests: both blocks, row after row, by the plain functions or by those that suit this processor. */
PyObject *lt_py__inverse(PyObject *module, PyObject *const *args, Py_ssize_t count) {
    (void)module;
    if (count != 5) {
        PyErr_SetString(PyExc_TypeError, "_inverse(coefficients, quantisers, out, size, plain)");
        return NULL;
    }
    long size = PyLong_AsLong(args[3]);
    int plain = PyObject_IsTrue(args[4]);
    if ((size == -1 || plain == -1) && PyErr_Occurred()) return NULL;
    if (size != 1 && size != 2 && size != 4 && size != 8) {
        PyErr_Format(PyExc_ValueError, "blocks become 1, 2, 4 or 8 samples across, not %ld", size);
        return NULL;
    }
    Py_buffer buffers[3] = {{0}};
    const Py_ssize_t coefficients = 2 * 64 * (Py_ssize_t)sizeof(int16_t);
    int taken = take(args[0], &buffers[0], 0, coefficients, "coefficients") &&
                take(args[1], &buffers[1], 0, coefficients, "quantisers") &&
                take(args[2], &buffers[2], 1, 2 * size * size, "out");
    if (taken) transform(buffers[0].buf, buffers[1].buf, buffers[2].buf, (size_t)size, plain);
    for (int i = 0; i < 3; i++)
        if (buffers[i].obj != NULL) PyBuffer_Release(&buffers[i]);
    return taken ? Py_NewRef(Py_None) : NULL;
}

static int take(PyObject *object, Py_buffer *buffer, int writable, Py_ssize_t bytes, const char *what) {
    if (PyObject_GetBuffer(object, buffer, writable ? PyBUF_WRITABLE : PyBUF_SIMPLE) != 0) return 0;
    if (buffer->len == bytes) return 1;
    PyErr_Format(PyExc_ValueError, "%s: %zd bytes, not %zd", what, buffer->len, bytes);
    return 0;
}

static void transform(const int16_t *coefficients, const int16_t *quantisers, uint8_t *out, size_t size, int plain) {
    lt_pair pair = {.quantisers = {quantisers, quantisers + 64},
                    .out = {out, out + size * size},
                    .stride = {size, size}};
    for (size_t i = 0; i < 16; i++)
        memcpy(pair.coefficients + i / 8 * 8 + i % 8 * LT_ROW, coefficients + 8 * i, 8 * sizeof *coefficients);
    int which = size == 8 ? 2 : (int)size / 2 - 1;
    if (size == 1)
        for (int i = 0; i < 2; i++) lt_fill_block(coefficients[64 * i], quantisers[64 * i], 0, pair.out[i], 1);
    else if (plain) lt_plain_inverses[which](&pair);
    else lt_best_inverses()[which](&pair);
}
