#!/usr/bin/env python3
"""Writes the sample files of real libraries into a folder; nothing is loaded.

    make_samples.py FOLDER

Their sources in corpus/samples/libraries and corpus/samples/joblib were made of these files with
`cargo run -p pickleproof-corpus --example disassemble FILE`; behind an array of joblib the rest of a
file is disassembled as a file of its own.
"""

import collections
import datetime
import pathlib
import pickle
import sys

import joblib
import numpy
import pandas
import sklearn.linear_model
import torch


class Thing:
    def __init__(self):
        self.attribute = 1


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    plain = {"a": [1, -2.5, None, True, "text"], "b": (b"bytes", 2**70)}
    frame = pandas.DataFrame({"n": [1, 2], "t": pandas.to_datetime(["2026-01-01", "2026-01-02"])})
    x = numpy.array([[0.0, 1.0], [1.0, 0.0], [2.0, 1.0], [3.0, 0.5]])
    regression = sklearn.linear_model.LogisticRegression().fit(x, [0, 0, 1, 1])
    tensors = collections.OrderedDict(weight=torch.arange(3.0), bias=torch.zeros(1))
    values = {
        "stdlib": [datetime.date(2026, 1, 1), collections.OrderedDict(a=1), {1, 2}, 1j],
        "numpy_array": numpy.arange(6, dtype="float32").reshape(2, 3),
        "numpy_objects": numpy.array([None, "x"], dtype=object),
        "numpy_structured": numpy.zeros(2, dtype=[("a", "i4"), ("b", "f8")]),
        "pandas_frame": frame,
        "sklearn_regression": regression,
        "unknown_class": Thing(),
    }
    for protocol in range(6):
        pathlib.Path(folder, f"plain_{protocol}.pkl").write_bytes(pickle.dumps(plain, protocol))
    for name, value in values.items():
        pathlib.Path(folder, f"{name}.pkl").write_bytes(pickle.dumps(value, 4))
    pathlib.Path(folder, "numpy_array_0.pkl").write_bytes(pickle.dumps(values["numpy_array"], 0))
    a = numpy.arange(2.0)
    arrays = {
        "array": (a, 4),
        "array_0": (numpy.array([1, 2], ">i2"), 0),
        "array_2": ({"a": a, "b": a > 0}, 2),
        "array_fortran": (numpy.asfortranarray(numpy.arange(6, dtype="u1").reshape(2, 3)), 5),
        "array_scalar": ([numpy.array(2, dtype="f4"), numpy.zeros((0, 3)), numpy.array(b"M")], 4),
        "objects": ([numpy.array(["x", None], dtype=object), a], 4),
    }
    for name, (value, protocol) in arrays.items():
        joblib.dump(value, folder / f"{name}.joblib", protocol=protocol)
    for method in ["zlib", "gzip", "bz2", "xz", "lzma"]:
        joblib.dump(a, folder / f"compressed_{method}.joblib", compress=(method, 3), protocol=4)
    torch.save(tensors, folder / "torch_state_dict.pt")
    torch.save(tensors, folder / "torch_legacy.pt", _use_new_zipfile_serialization=False)


if __name__ == "__main__":
    main()
