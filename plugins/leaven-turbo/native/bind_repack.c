/* repack(data, interval, exif, icc, others) -> bytes, same_coefficients(one, other) -> bool. */
#include "bind.h"

#include <stdlib.h>

static int wrong_count(const char *name, Py_ssize_t wanted, Py_ssize_t count) {
    if (count == wanted) return 0;
    PyErr_Format(PyExc_TypeError, "%s() takes %zd arguments, not %zd", name, wanted, count);
    return 1;
}

/* False with an exception set where one is none. Only a bool is a choice: a number is rather a misplaced interval. */
static int read_choices(PyObject *const *args, lt_repacking *how) {
    long interval = PyLong_AsLong(args[0]);
    if (interval == -1 && PyErr_Occurred()) return 0;
    if (interval < 1 || interval > 65535) {
        PyErr_Format(PyExc_ValueError, "interval must be 1 to 65535 MCUs, not %ld", interval);
        return 0;
    }
    how->interval = (int)interval;
    int *kept[] = {&how->keep_exif, &how->keep_icc, &how->keep_others};
    for (int i = 0; i < 3; i++) {
        if (!PyBool_Check(args[1 + i])) {
            PyErr_SetString(PyExc_TypeError, "exif, icc and others must be True or False");
            return 0;
        }
        *kept[i] = args[1 + i] == Py_True;
    }
    return 1;
}

LT_FUNCTION(lt_py_repack) {
    if (wrong_count("repack", 5, count)) return NULL;
    lt_repacking how;
    Py_buffer buffer;
    lt_bytes jpeg;
    if (!read_choices(args + 1, &how) || !lt_py_bytes(args[0], &buffer, &jpeg)) return NULL;
    lt_error error = {""};
    lt_status status;
    uint8_t *made = NULL;
    size_t size = 0;
    Py_BEGIN_ALLOW_THREADS
    status = lt_repack(jpeg, &how, &made, &size, &error);
    Py_END_ALLOW_THREADS
    PyBuffer_Release(&buffer);
    if (status != LT_OK) return lt_py_raise(module, status, &error);
    PyObject *bytes = PyBytes_FromStringAndSize((const char *)made, (Py_ssize_t)size);
    free(made);
    return bytes;
}

LT_FUNCTION(lt_py_same_coefficients) {
    if (wrong_count("same_coefficients", 2, count)) return NULL;
    Py_buffer buffers[2];
    lt_bytes one, other;
    if (!lt_py_bytes(args[0], &buffers[0], &one)) return NULL;
    if (!lt_py_bytes(args[1], &buffers[1], &other)) {
        PyBuffer_Release(&buffers[0]);
        return NULL;
    }
    lt_error error = {""};
    lt_status status;
    int same = 0;
    Py_BEGIN_ALLOW_THREADS
    status = lt_same_coefficients(one, other, &same, &error);
    Py_END_ALLOW_THREADS
    PyBuffer_Release(&buffers[0]);
    PyBuffer_Release(&buffers[1]);
    if (status != LT_OK) return lt_py_raise(module, status, &error);
    return PyBool_FromLong(same);
}
