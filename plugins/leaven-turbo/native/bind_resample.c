/* The resampler by itself, for the tests: planes that they made up, and the kernels that they want. */
#include <stdlib.h>

#include "bind.h"
#include "resample.h"

enum { MOST_PLANES = 3, READABLE = 64 };

/* Whether `count` steps of `step` from `offset` on stay within 0 .. size - 1; *low and *high are moved along. */
static int is_within(Py_ssize_t count, Py_ssize_t step, Py_ssize_t size, Py_ssize_t *low, Py_ssize_t *high) {
    if (step > size || step < -size || count > 65535) return 0;
    if (step < 0) *low += step * (count - 1);
    else *high += step * (count - 1);
    return 1;
}

static int fits(const lt_view *view, Py_ssize_t offset, Py_ssize_t size) {
    Py_ssize_t low = offset, high = offset;
    return size < PTRDIFF_MAX >> 18 && offset >= 0 && offset < size &&
           is_within(view->height, view->row, size, &low, &high) &&
           is_within(view->width, view->column, size, &low, &high) &&
           is_within(view->channels, view->channel, size, &low, &high) && low >= 0 && high < size;
}

/* A plane is (buffer, offset, stride, width, height, x, y, dx, dy). */
static int take_plane(PyObject *plane, lt_planes *planes, Py_buffer *buffer) {
    int p = planes->count;
    PyObject *object;
    Py_ssize_t offset, stride;
    if (!PyArg_ParseTuple(plane, "Onniidddd", &object, &offset, &stride, &planes->width[p], &planes->height[p],
                          &planes->x[p], &planes->y[p], &planes->dx[p], &planes->dy[p]))
        return 0;
    if (PyObject_GetBuffer(object, buffer, PyBUF_SIMPLE) != 0) return 0;
    planes->count++;
    Py_ssize_t rows = planes->height[p], room = -1;
    if (offset >= 0) room = buffer->len - offset - planes->width[p] - READABLE;
    if (stride < 0 || room < 0 || (rows > 1 && stride > room / (rows - 1))) {
        PyErr_SetString(PyExc_ValueError, "a plane's buffer has to hold its rows and 64 bytes more");
        return 0;
    }
    planes->data[p] = (uint8_t *)buffer->buf + offset;
    planes->stride[p] = (size_t)stride;
    return 1;
}

static int take_planes(PyObject *sequence, lt_planes *planes, Py_buffer *buffers) {
    Py_ssize_t count = PySequence_Size(sequence);
    if (count > MOST_PLANES) PyErr_SetString(PyExc_ValueError, "at most 3 planes");
    if (count < 0 || count > MOST_PLANES) return 0;
    for (Py_ssize_t p = 0; p < count; p++) {
        PyObject *plane = PySequence_GetItem(sequence, p);
        int is_taken = plane != NULL && take_plane(plane, planes, &buffers[p]);
        Py_XDECREF(plane);
        if (!is_taken) return 0;
    }
    return 1;
}

/* A view is (width, height, x, y, dx, dy, transposed, source_width, source_height, method, channels, background), the
 * last being a tuple of 3. */
static int take_view(PyObject *object, lt_view *view) {
    unsigned char *back = view->background;
    return PyArg_ParseTuple(object, "iiddddpddii(bbb)", &view->width, &view->height, &view->x, &view->y, &view->dx,
                            &view->dy, &view->transposed, &view->source_width, &view->source_height, &view->method,
                            &view->channels, &back[0], &back[1], &back[2]);
}

/* A layout is (offset of the first pixel, row, column, channel). */
static int take_target(PyObject *object, PyObject *layout, lt_view *view, Py_buffer *buffer) {
    Py_ssize_t offset, row, column, channel;
    if (!PyArg_ParseTuple(layout, "nnnn", &offset, &row, &column, &channel)) return 0;
    if (PyObject_GetBuffer(object, buffer, PyBUF_WRITABLE) != 0) return 0;
    view->row = row, view->column = column, view->channel = channel;
    if (view->width > 0 && view->height > 0 && view->channels > 0 && !fits(view, offset, buffer->len)) {
        PyErr_SetString(PyExc_ValueError, "the layout leads out of the target's buffer");
        return 0;
    }
    view->out = (uint8_t *)buffer->buf + (offset > 0 && offset < buffer->len ? offset : 0);
    return 1;
}

static PyObject *resample(PyObject *module, PyObject *const *args, Py_buffer *buffers) {
    lt_planes planes = {.color = (int)PyLong_AsLong(args[1])};
    lt_view view = {0};
    if (PyErr_Occurred() || !take_planes(args[0], &planes, buffers) || !take_view(args[2], &view) ||
        !take_target(args[3], args[4], &view, &buffers[MOST_PLANES]))
        return NULL;
    int plain = PyObject_IsTrue(args[5]);
    if (plain < 0) return NULL;
    lt_scratch scratch = {NULL, 0};
    lt_error error = {""};
    const lt_kernels *kernels = plain ? &lt_plain_kernels : lt_best_kernels();
    lt_status status = lt_resample_by(kernels, &planes, &view, &scratch, &error);
    free(scratch.data);
    if (status != LT_OK) return lt_py_raise(module, status, &error);
    Py_RETURN_NONE;
}

/* _resample(planes, color, view, out, layout, plain) */
LT_FUNCTION(lt_py__resample) {
    if (count != 6) {
        PyErr_SetString(PyExc_TypeError, "_resample takes planes, color, view, out, layout and plain");
        return NULL;
    }
    Py_buffer buffers[MOST_PLANES + 1] = {{NULL}};
    PyObject *result = resample(module, args, buffers);
    for (int i = 0; i <= MOST_PLANES; i++) PyBuffer_Release(&buffers[i]);
    return result;
}

/* _view_box(view, step_x, step_y): (left, top, right, bottom) */
LT_FUNCTION(lt_py__view_box) {
    lt_view view = {0};
    if (count != 3) {
        PyErr_SetString(PyExc_TypeError, "_view_box takes view, step_x and step_y");
        return NULL;
    }
    double step_x = PyFloat_AsDouble(args[1]), step_y = PyFloat_AsDouble(args[2]);
    if (PyErr_Occurred() || !take_view(args[0], &view)) return NULL;
    lt_box box = lt_view_box(&view, step_x, step_y);
    return Py_BuildValue("iiii", box.left, box.top, box.right, box.bottom);
}
