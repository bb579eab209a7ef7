"""Linear algebra of NumPy and SciPy, which call LAPACK, timed for ../../linalg.mjs: reads a request per line from
stdin, writes a response per line to stdout. One thread."""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import base64
import json
import sys
import time

import numpy as np
import scipy
import scipy.linalg as sp

np.seterr(all="ignore")


def functions(operation, a, b):
    """What computes the operation; the fastest counts. SciPy's functions take one matrix."""
    one = a.ndim == 2
    return {
        "eigh": [lambda: np.linalg.eigh(a)] + ([lambda: sp.eigh(a, check_finite=False)] if one else []),
        "svd": [lambda: np.linalg.svd(a)] + ([lambda: sp.svd(a, check_finite=False)] if one else []),
        "svdvals": [lambda: np.linalg.svd(a, compute_uv=False)],
        "qr": [lambda: np.linalg.qr(a)] + ([lambda: sp.qr(a, mode="economic", check_finite=False)] if one else []),
        "cholesky": [lambda: np.linalg.cholesky(a)],
        "luFactor": [lambda: sp.lu_factor(a, check_finite=False)],
        "solve": [lambda: np.linalg.solve(a, b)],
        "inv": [lambda: np.linalg.inv(a)],
        "det": [lambda: np.linalg.det(a)],
    }[operation]


def unique(operation, result):
    """The part of a result that every implementation computes alike."""
    part = {"eigh": 0, "svd": 1, "qr": 1, "luFactor": 0}.get(operation)
    return (result if part is None else result[part]).ravel().tolist()


def timed(call, milliseconds):
    count, start = 0, time.perf_counter()
    while True:
        call()
        count += 1
        elapsed = 1e3 * (time.perf_counter() - start)
        if elapsed >= milliseconds:
            return elapsed / count


def array(request, name):
    return np.frombuffer(base64.b64decode(request[name]["data"]), np.float32).reshape(request[name]["shape"])


def main(answers):
    def reply(content):
        answers.write(json.dumps(content) + "\n")
        answers.flush()

    reply({"version": f"NumPy {np.__version__}, SciPy {scipy.__version__}"})
    calls = []
    for line in sys.stdin:
        request = json.loads(line)
        if request["kind"] == "case":
            calls = functions(request["operation"], array(request, "a"), array(request, "b"))
            reply({"value": unique(request["operation"], calls[0]())})
        else:
            reply({"value": min(timed(call, request["milliseconds"] / len(calls)) for call in calls)})


if __name__ == "__main__":
    # Output of a library must not mix with the responses.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    main(out)
