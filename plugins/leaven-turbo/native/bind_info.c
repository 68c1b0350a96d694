#include "bind.h"

PyObject *lt_py_info(PyObject *module, PyObject *const *args, Py_ssize_t count) {
    if (count != 1) {
        PyErr_Format(PyExc_TypeError, "info takes 1 argument (data), not %zd", count);
        return NULL;
    }
    Py_buffer buffer;
    lt_bytes jpeg;
    if (!lt_py_bytes(args[0], &buffer, &jpeg)) return NULL;
    lt_header header;
    lt_error error = {""}, reason;
    lt_status status = lt_read_header(jpeg, &header, &error);
    PyBuffer_Release(&buffer);
    if (status != LT_OK) return lt_py_raise(module, status, &error);
    int turned = header.orientation >= 5, supported = lt_check_supported(&header, &reason) == LT_OK;
    return Py_BuildValue("(kkiiOiO)", (unsigned long)(turned ? header.width : header.height),
                         (unsigned long)(turned ? header.height : header.width), header.components == 1 ? 1 : 3,
                         header.orientation, supported ? Py_True : Py_False, header.restart_interval,
                         header.progressive ? Py_True : Py_False);
}
