#include "bind.h"

#include <stdlib.h>

/* How to get at the MCUs of a file, whichever way there is. */
typedef struct {
    lt_header header;
    lt_mcus mcus;
    lt_index index;
    lt_run *runs; /* instead of an index */
} plan;

static int take_mcus(PyObject *const *args, lt_mcus *mcus);
static lt_status find(lt_bytes jpeg, lt_bytes stored, plan *plan, lt_error *error);
static lt_status splice(lt_bytes jpeg, const plan *plan, uint8_t **out, size_t *size, lt_error *error);

PyObject *lt_py_splice(PyObject *module, PyObject *const *args, Py_ssize_t count) {
    if (count != 5 && count != 6) {
        PyErr_Format(PyExc_TypeError, "splice takes 5 or 6 arguments (data, left, top, right, bottom, index), not %zd",
                     count);
        return NULL;
    }
    plan plan = {0};
    Py_buffer buffer, stored_buffer = {0};
    lt_bytes jpeg, stored = {NULL, 0};
    if (!take_mcus(args + 1, &plan.mcus) || !lt_py_bytes(args[0], &buffer, &jpeg)) return NULL;
    if (count == 6 && args[5] != Py_None && !lt_py_bytes(args[5], &stored_buffer, &stored)) {
        PyBuffer_Release(&buffer);
        return NULL;
    }
    uint8_t *out = NULL;
    size_t size = 0;
    lt_error error = {""};
    lt_status status;
    Py_BEGIN_ALLOW_THREADS
    status = find(jpeg, stored, &plan, &error);
    if (status == LT_OK) status = splice(jpeg, &plan, &out, &size, &error);
    lt_index_free(&plan.index);
    free(plan.runs);
    Py_END_ALLOW_THREADS
    if (stored_buffer.obj != NULL) PyBuffer_Release(&stored_buffer);
    PyBuffer_Release(&buffer);
    PyObject *made = status == LT_OK ? PyBytes_FromStringAndSize((const char *)out, (Py_ssize_t)size)
                                     : lt_py_raise(module, status, &error);
    free(out);
    return made;
}

static int take_mcus(PyObject *const *args, lt_mcus *mcus) {
    int *places[] = {&mcus->left, &mcus->top, &mcus->right, &mcus->bottom};
    for (int i = 0; i < 4; i++) {
        long value = PyLong_AsLong(args[i]);
        if (value == -1 && PyErr_Occurred()) return 0;
        if (value < 0 || value > UINT16_MAX) {
            PyErr_Format(PyExc_ValueError, "MCUs are counted from 0 to 65535: %ld", value);
            return 0;
        }
        *places[i] = (int)value;
    }
    return 1;
}

static lt_status find(lt_bytes jpeg, lt_bytes stored, plan *plan, lt_error *error) {
    const lt_header *header = &plan->header;
    lt_status status = lt_read_header(jpeg, &plan->header, error);
    if (status != LT_OK) return status;
    if (stored.data != NULL) return lt_index_read(stored, jpeg, header, &plan->index, error);
    if (header->restart_interval != 0 && header->mcus_per_row % header->restart_interval == 0)
        return lt_index_marked(jpeg, header, &plan->index, error);
    plan->runs = malloc((size_t)header->mcu_rows * sizeof *plan->runs);
    if (plan->runs == NULL) return lt_fail(error, LT_NO_MEMORY, "no memory for %d rows of a JPEG", header->mcu_rows);
    return lt_walk_runs(jpeg, header, plan->mcus, plan->runs, error);
}

static lt_status splice(lt_bytes jpeg, const plan *plan, uint8_t **out, size_t *size, lt_error *error) {
    const lt_header *header = &plan->header;
    size_t room = plan->runs != NULL ? lt_splice_runs_bound(jpeg, header, plan->mcus, plan->runs)
                                     : lt_splice_bound(jpeg, header, plan->mcus, &plan->index);
    *out = malloc(room);
    if (*out == NULL) return lt_fail(error, LT_NO_MEMORY, "no memory for a part of a JPEG");
    if (plan->runs != NULL) return lt_splice_runs(jpeg, header, plan->runs, plan->mcus, *out, room, size, error);
    return lt_splice(jpeg, header, &plan->index, plan->mcus, *out, room, size, error);
}
