#include "bind.h"

const char *lt_py_status(lt_status status) {
    static const char *const NAMES[] = {"", "damaged", "unsupported", "index", "memory", "argument"};
    return NAMES[status];
}

PyObject *lt_py_raise(PyObject *module, lt_status status, const lt_error *error) {
    if (status == LT_NO_MEMORY) return PyErr_NoMemory();
    if (status == LT_BAD_ARGUMENT) {
        PyErr_SetString(PyExc_ValueError, error->text);
        return NULL;
    }
    PyObject *type = PyObject_GetAttrString(module, "JpegError");
    if (type == NULL) return NULL;
    PyObject *made = PyObject_CallFunction(type, "s", error->text);
    if (made != NULL) {
        PyObject *name = PyUnicode_FromString(lt_py_status(status));
        if (name != NULL && PyObject_SetAttrString(made, "status", name) == 0) PyErr_SetObject(type, made);
        Py_XDECREF(name);
        Py_DECREF(made);
    }
    Py_DECREF(type);
    return NULL;
}

int lt_py_bytes(PyObject *object, Py_buffer *buffer, lt_bytes *bytes) {
    if (PyObject_GetBuffer(object, buffer, PyBUF_SIMPLE) != 0) return 0;
    bytes->data = buffer->buf;
    bytes->size = (size_t)buffer->len;
    return 1;
}

#define FUNCTION(name) {#name, (PyCFunction)(void (*)(void))lt_py_##name, METH_FASTCALL, NULL}

static PyMethodDef FUNCTIONS[] = {
    FUNCTION(info), FUNCTION(draw), FUNCTION(make_index), FUNCTION(check_index), FUNCTION(repack),
    FUNCTION(same_coefficients), FUNCTION(_resample), FUNCTION(_view_box), FUNCTION(_inverse), {NULL, NULL, 0, NULL},
};

static int fill(PyObject *module) {
    PyObject *attributes = Py_BuildValue("{ss}", "status", lt_py_status(LT_DAMAGED)); /* of those made without one */
    if (attributes == NULL) return -1;
    PyObject *type = PyErr_NewException("leaven_turbo._native.JpegError", PyExc_ValueError, attributes);
    Py_DECREF(attributes);
    if (type == NULL) return -1;
    int failed = PyModule_AddObjectRef(module, "JpegError", type);
    Py_DECREF(type);
    return failed;
}

static PyModuleDef_Slot SLOTS[] = {{Py_mod_exec, fill}, {0, NULL}};

static struct PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT, .m_name = "leaven_turbo._native", .m_doc = "JPEGs, as far as they are needed.",
    .m_methods = FUNCTIONS, .m_slots = SLOTS,
};

PyMODINIT_FUNC PyInit__native(void);
PyMODINIT_FUNC PyInit__native(void) { return PyModuleDef_Init(&MODULE); }
