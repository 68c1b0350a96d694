#include "bind.h"

#include <limits.h>
#include <stdlib.h>

static lt_status make(lt_bytes jpeg, int interval, uint8_t **bytes, size_t *size, lt_error *error);
static lt_status find(lt_bytes jpeg, const lt_header *header, int interval, lt_index *index, lt_error *error);

PyObject *lt_py_make_index(PyObject *module, PyObject *const *args, Py_ssize_t count) {
    if (count != 2) {
        PyErr_Format(PyExc_TypeError, "make_index takes 2 arguments (data, interval), not %zd", count);
        return NULL;
    }
    long interval = PyLong_AsLong(args[1]);
    if (interval == -1 && PyErr_Occurred()) return NULL;
    Py_buffer buffer;
    lt_bytes jpeg;
    if (!lt_py_bytes(args[0], &buffer, &jpeg)) return NULL;
    uint8_t *bytes = NULL;
    size_t size = 0;
    lt_error error = {""};
    lt_status status;
    Py_BEGIN_ALLOW_THREADS
    status = make(jpeg, interval > INT_MAX ? INT_MAX : interval < 0 ? 0 : (int)interval, &bytes, &size, &error);
    Py_END_ALLOW_THREADS
    PyBuffer_Release(&buffer);
    PyObject *made = status == LT_OK ? PyBytes_FromStringAndSize((const char *)bytes, (Py_ssize_t)size)
                                     : lt_py_raise(module, status, &error);
    free(bytes);
    return made;
}

PyObject *lt_py_check_index(PyObject *module, PyObject *const *args, Py_ssize_t count) {
    if (count != 2) {
        PyErr_Format(PyExc_TypeError, "check_index takes 2 arguments (index, data), not %zd", count);
        return NULL;
    }
    Py_buffer stored_buffer, buffer;
    lt_bytes stored, jpeg;
    if (!lt_py_bytes(args[0], &stored_buffer, &stored)) return NULL;
    if (!lt_py_bytes(args[1], &buffer, &jpeg)) {
        PyBuffer_Release(&stored_buffer);
        return NULL;
    }
    lt_header header;
    lt_index index = {0};
    lt_error error = {""};
    lt_status status;
    Py_BEGIN_ALLOW_THREADS
    status = lt_read_header(jpeg, &header, &error);
    if (status == LT_OK) status = lt_index_read(stored, jpeg, &header, &index, &error);
    lt_index_free(&index);
    Py_END_ALLOW_THREADS
    PyBuffer_Release(&buffer);
    PyBuffer_Release(&stored_buffer);
    if (status != LT_OK) return lt_py_raise(module, status, &error);
    Py_RETURN_NONE;
}

static lt_status make(lt_bytes jpeg, int interval, uint8_t **bytes, size_t *size, lt_error *error) {
    if (interval < 1) return lt_fail(error, LT_BAD_ARGUMENT, "the interval has to be 1 MCU at least");
    lt_header header;
    lt_index index = {0};
    lt_status status = lt_read_header(jpeg, &header, error);
    if (status == LT_OK) status = find(jpeg, &header, interval, &index, error);
    if (status == LT_OK) status = lt_index_write(&index, jpeg, &header, bytes, size, error);
    lt_index_free(&index);
    return status;
}

/* The file's own restart markers are the better index: no MCU has to be stepped over, and no DC to be kept. */
static lt_status find(lt_bytes jpeg, const lt_header *header, int interval, lt_index *index, lt_error *error) {
    int row = header->mcus_per_row;
    if (header->restart_interval != 0 && row % header->restart_interval == 0)
        return lt_index_marked(jpeg, header, index, error);
    if (interval > row) interval = row;
    while (row % interval != 0) interval--;
    return lt_index_walked(jpeg, header, interval, index, error);
}
