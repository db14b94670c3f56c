"""Times scipy, NumPy and Evidently on one core: ratios.py FOLDER.

Writes `reference.f64` and `current.f64` (features one after another, ROWS little-endian doubles each) to the folder
and prints one JSON object: seconds, and sums of the results, so that others can show that they computed the same.
"""

import os

os.environ.update({name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")})

import json
import sys
import time

import numpy
import pandas
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset
from scipy.stats import ks_2samp

FEATURES = 1_000
ROWS = 10_000
WHOLE = 100  # features of Evidently's report: 1,000 would take ten times as long


def psi(edges, expected, current):
    counts = numpy.bincount(numpy.searchsorted(edges, current, side="left"), minlength=len(edges) + 1)
    shares = numpy.maximum(counts / len(current), 1e-4)
    return float(numpy.sum((shares - expected) * numpy.log(shares / expected)))


def cut(reference):
    edges = numpy.unique(numpy.quantile(reference, numpy.arange(1, 10) / 10))
    counts = numpy.bincount(numpy.searchsorted(edges, reference, side="left"), minlength=len(edges) + 1)
    return edges, numpy.maximum(counts / len(reference), 1e-4)


def timed(work, rounds=3):
    best = float("inf")
    for _ in range(rounds):
        begun = time.perf_counter()
        result = work()
        best = min(best, time.perf_counter() - begun)
    return best, result


def report(reference, current, features):
    names = [f"f{place}" for place in range(features)]
    definition = DataDefinition(numerical_columns=names)
    frame = lambda rows: pandas.DataFrame(dict(zip(names, rows[:features])))
    sides = [Dataset.from_pandas(frame(rows), data_definition=definition) for rows in (current, reference)]
    return timed(lambda: len(Report([DataDriftPreset()]).run(*sides).json()), rounds=1)[0]


def main(folder):
    random = numpy.random.default_rng(7)
    reference = random.normal(0.0, 1.0, (FEATURES, ROWS))
    shifts = numpy.linspace(0.0, 0.5, FEATURES)[:, None]
    current = random.normal(0.0, 1.0, (FEATURES, ROWS)) + shifts
    reference.astype("<f8").tofile(os.path.join(folder, "reference.f64"))
    current.astype("<f8").tofile(os.path.join(folder, "current.f64"))
    ks_s, ks = timed(lambda: sum(ks_2samp(r, c, method="asymp").statistic for r, c in zip(reference, current)))
    cached = [cut(r) for r in reference]
    psi_s, psi_sum = timed(lambda: sum(psi(*kept, c) for kept, c in zip(cached, current)))
    report(reference, current, 5)  # what only a first report costs
    evidently_s = report(reference, current, WHOLE)
    print(json.dumps({
        "features": FEATURES, "rows": ROWS, "whole": WHOLE,
        "ks_s": ks_s, "ks_sum": float(ks), "psi_s": psi_s, "psi_sum": psi_sum,
        "evidently_s": evidently_s,
    }))


main(*sys.argv[1:])
