#!/usr/bin/env python3
"""Writes the sample files of real libraries into a folder; nothing is loaded.

    make_samples.py FOLDER

Their sources in corpus/samples/libraries were made of these files with
`cargo run -p pickleproof-corpus --example disassemble FILE`.
"""

import collections
import datetime
import pathlib
import pickle
import sys

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
    torch.save(tensors, folder / "torch_state_dict.pt")
    torch.save(tensors, folder / "torch_legacy.pt", _use_new_zipfile_serialization=False)


if __name__ == "__main__":
    main()
