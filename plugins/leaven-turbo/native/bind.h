/* What bind_*.c offer to module.c: functions of the module, by the fast calling convention of the stable ABI. */
#ifndef LEAVEN_TURBO_BIND_H
#define LEAVEN_TURBO_BIND_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "turbo.h"

#define LT_FUNCTION(name) PyObject *name(PyObject *module, PyObject *const *args, Py_ssize_t count)

LT_FUNCTION(lt_py_info);              /* bind_info.c: info(data) */
LT_FUNCTION(lt_py_draw);              /* bind_draw.c: draw(...) */
LT_FUNCTION(lt_py_make_index);        /* bind_index.c: make_index(data, interval) */
LT_FUNCTION(lt_py_check_index);       /* bind_index.c: check_index(index, data) */
LT_FUNCTION(lt_py_repack);            /* bind_repack.c: repack(data, interval, exif, icc, others) */
LT_FUNCTION(lt_py_same_coefficients); /* bind_repack.c: same_coefficients(one, other) */
LT_FUNCTION(lt_py__resample);         /* bind_resample.c: _resample(planes, color, view, out, layout, plain) */
LT_FUNCTION(lt_py__view_box);         /* bind_resample.c: _view_box(view, step_x, step_y) */
LT_FUNCTION(lt_py__inverse);          /* bind_idct.c: _inverse(coefficients, quantisers, out, size, plain) */

/* module.c: raise the exception that stands for a status (JpegError with the attribute `status` among "damaged",
 * "unsupported" and "index"; MemoryError; ValueError), and return NULL. */
PyObject *lt_py_raise(PyObject *module, lt_status status, const lt_error *error);

/* module.c: the name of a status; "" for LT_OK. */
const char *lt_py_status(lt_status status);

/* module.c: take a bytes-like object (contiguous). False with an exception set where it is none. */
int lt_py_bytes(PyObject *object, Py_buffer *buffer, lt_bytes *bytes);

#endif
