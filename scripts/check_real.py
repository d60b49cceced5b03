#!/usr/bin/env python3
"""Writes files with the real libraries and checks what `pickleproof scan` says of them.

    check_real.py PICKLEPROOF

Nothing is loaded. The hostile files hold harmless commands.
"""

import collections
import datetime
import decimal
import io
import json
import os
import pathlib
import pickle
import subprocess
import sys
import tempfile
import zipfile

import joblib
import numpy
import pandas
import sklearn.datasets
import sklearn.ensemble
import sklearn.linear_model
import sklearn.pipeline
import sklearn.preprocessing
import torch

COMMAND = "echo pickleproof"
PLAIN = {"a": [1, -2.5, None, True, "text", ("t", 2**70)], "b": {"nested": [{}, [], ()]}, 3: "three"}


class Hostile:
    def __reduce__(self):
        return os.system, (COMMAND,)


class Unknown:
    def __init__(self):
        self.attribute = 1


def torch_like_zip(data):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as members:
        members.writestr("archive/data.pkl", data)
        members.writestr("archive/version", "3\n")
        members.writestr("archive/data/0", bytes(64))
    return archive.getvalue()


def torch_file(value, **options):
    file = io.BytesIO()
    torch.save(value, file, **options)
    return file.getvalue()


def joblib_file(value, **options):
    file = io.BytesIO()
    joblib.dump(value, file, **options)
    return file.getvalue()


def joblib_cases(models):
    """Files with arrays inside the stream."""
    types = ["f2", "f8", ">f4", "c16", "i1", "u8", "b1", "U5", "S3", "V7", "M8[ns]", "m8[s]", [("a", "f4"), ("b", "U3")]]
    dates = numpy.array([datetime.date(2026, 1, 1), datetime.date(2026, 1, 2), decimal.Decimal(1)], dtype=object)
    values = {
        "types": [numpy.zeros((2, 3), dtype) for dtype in types],
        "orders": [numpy.asfortranarray(numpy.arange(12.0).reshape(3, 4)), numpy.arange(12.0).reshape(3, 4)[:, ::2]],
        "shapes": [numpy.array(5.0), numpy.zeros((0, 3)), numpy.matrix([[1, 2], [3, 4]])],
        "objects": {"dates": dates, "arrays": numpy.array([numpy.arange(3), numpy.arange(4)], dtype=object)},
        "records": numpy.zeros(3, dtype=[("a", "f4"), ("b", "O")]),
        **models,
    }
    behind = [numpy.arange(9.0), Hostile(), dates]
    inside = numpy.array([Hostile(), None], dtype=object)
    for protocol in range(6):
        for name, value in values.items():
            yield f"joblib-{name}-{protocol}.joblib", joblib_file(value, protocol=protocol), "trusted", "complete"
        for name, value in [("behind", behind), ("inside", inside)]:
            data = joblib_file(value, protocol=protocol)
            yield f"hostile-joblib-{name}-{protocol}.joblib", data, "malicious", "complete"
    for method in ["zlib", "gzip", "bz2", "lzma", "xz"]:
        for name, value in values.items():
            data = joblib_file(value, compress=(method, 3))
            yield f"joblib-{name}.{method}", data, "trusted", "complete"
        yield f"hostile-joblib.{method}", joblib_file(behind, compress=(method, 3)), "malicious", "complete"
    cut = joblib_file(numpy.arange(99.0))[:-10]
    yield "joblib-cut.joblib", cut, "trusted", "truncated"


def cases():
    """Yields (name, bytes, risk, integrity)."""
    frame = pandas.DataFrame({"n": [1, 2, 3], "s": ["a", "b", None], "t": pandas.date_range("2026-01-01", periods=3)})
    x, y = sklearn.datasets.load_iris(return_X_y=True)
    regression = sklearn.linear_model.LogisticRegression(max_iter=200).fit(x, y)
    forest = sklearn.ensemble.RandomForestClassifier(n_estimators=3, max_depth=2).fit(x, y)
    pipeline = sklearn.pipeline.make_pipeline(
        sklearn.preprocessing.StandardScaler(), sklearn.linear_model.Ridge()
    ).fit(x, y)
    stdlib = [
        collections.OrderedDict(a=1),
        collections.Counter("abc"),
        collections.deque([1, 2]),
        datetime.datetime(2026, 1, 1),
        decimal.Decimal("1.5"),
        {1, 2},
        complex(1, 2),
    ]
    arrays = [numpy.arange(6.0).reshape(2, 3), numpy.array([None, "x"], dtype=object), numpy.float32(1.5)]
    model = torch.nn.Linear(3, 2)
    for protocol in range(6):
        hostile = pickle.dumps(Hostile(), protocol)
        yield f"hostile-{protocol}", hostile, "malicious", "complete"
        yield f"hostile-{protocol}.pt", torch_like_zip(hostile), "malicious", "complete"
        cut = hostile[: hostile.index(b"R") + 1]
        yield f"hostile-{protocol}-cut", cut, "malicious", "truncated"
        yield f"plain-{protocol}", pickle.dumps(PLAIN, protocol), "inert", "complete"
        yield f"unknown-{protocol}", pickle.dumps(Unknown(), protocol), "review", "complete"
        for name, value in [
            ("stdlib", stdlib),
            ("numpy", arrays),
            ("pandas", frame),
            ("sklearn-regression", regression),
            ("sklearn-forest", forest),
            ("sklearn-pipeline", pipeline),
        ]:
            yield f"{name}-{protocol}", pickle.dumps(value, protocol), "trusted", "complete"
    yield from joblib_cases({"regression": regression, "forest": forest, "pipeline": pipeline, "frame": frame})
    yield "torch-state-dict.pt", torch_file(model.state_dict()), "trusted", "complete"
    yield "torch-module.pt", torch_file(model), "trusted", "complete"
    optimizer = torch.optim.Adam(model.parameters())
    yield "torch-checkpoint.pt", torch_file({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3}), "trusted", "complete"
    legacy = torch_file(model.state_dict(), _use_new_zipfile_serialization=False)
    yield "torch-legacy.pt", legacy, "trusted", "complete"


def main():
    binary = pathlib.Path(sys.argv[1]).resolve()
    wrong = checked = 0
    with tempfile.TemporaryDirectory() as folder:
        expected = {}
        for name, data, risk, integrity in cases():
            path = pathlib.Path(folder, name)
            path.write_bytes(data)
            expected[str(path)] = (risk, integrity)
        scan = subprocess.run([binary, "scan", "--format", "json", "--no-progress", folder], stdout=subprocess.PIPE)
        report = json.loads(scan.stdout)
        for artifact in report["artifacts"]:
            checked += 1
            found = (artifact["risk"], artifact["integrity"])
            if found != expected.pop(artifact["path"]):
                wrong += 1
                findings = [finding["message"] for finding in artifact["findings"]]
                print(f"{artifact['path']}: {found}, {findings[:5]} {artifact['gaps'][:3]}")
            if "hostile" in artifact["path"]:
                finding = next(f for f in artifact["findings"] if f["rule"] == "sink-called")
                text = json.dumps(artifact)
                runs = [run for stream in artifact["streams"] for run in (stream, *stream.get("readings", []))]
                effects = [effect for run in runs for effect in run["effects"]]
                calls = [e["offset"] for e in effects if e["kind"] == "call" and e["risk"] == "malicious"]
                if f"os.system('{COMMAND}')" not in text or finding["offset"] not in calls[:1]:
                    wrong += 1
                    print(f"{artifact['path']}: the call is not named where it is made: {finding}")
        if scan.returncode != 1 or expected:
            wrong += 1
            print(f"status {scan.returncode}, not seen: {sorted(expected)}")
    versions = ", ".join(f"{m.__name__} {m.__version__}" for m in (numpy, pandas, sklearn, torch, joblib))
    print(f"{checked} files of {versions}: {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
