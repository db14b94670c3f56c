"""Writes drift reports to a folder, and the same into a workspace: drift_reports.py REPORTS WORKSPACE.

Four reports an hour apart, the last one now. `moved` drifts more each hour, `still` and `sex` stay.
"""

import datetime
import os
import sys

import numpy
import pandas
from evidently import BinaryClassification, DataDefinition, Dataset, Report
from evidently.metrics import DriftedColumnsCount, MissingValueCount, RowCount, ValueDrift
from evidently.presets import ClassificationPreset
from evidently.ui.workspace import Workspace

PROJECT = "breast-cancer"
ROWS = 400
SHIFTS = (0.0, 0.2, 0.5, 1.0)  # standard deviations of `moved`
FORMS = {
    # Distances for numbers, a p-value for categories: one report mixes directions.
    "wasserstein": [ValueDrift(column=name, method="wasserstein") for name in ("moved", "still")],
    "psi": [ValueDrift(column=name, method="psi") for name in ("moved", "still")],
    # What Evidently chooses itself below 1000 rows: p-values.
    "default": [ValueDrift(column=name) for name in ("moved", "still")],
}


def frame(shift, seed):
    random = numpy.random.default_rng(seed)
    target = random.integers(0, 2, ROWS)
    flipped = random.random(ROWS) < 0.1
    data = pandas.DataFrame({
        "moved": random.normal(14 + 3 * shift, 3, ROWS),
        "still": random.normal(19, 4, ROWS),
        "sex": random.choice(["f", "m"], ROWS),
        "target": target,
        "prediction": numpy.where(flipped, 1 - target, target),
    })
    if shift:
        data.loc[:39, "still"] = numpy.nan
    return data


def dataset(data):
    definition = DataDefinition(
        numerical_columns=["moved", "still"],
        categorical_columns=["sex", "target", "prediction"],
        classification=[BinaryClassification(target="target", prediction_labels="prediction")],
    )
    return Dataset.from_pandas(data, data_definition=definition)


def report(numbers):
    columns = [*numbers, ValueDrift(column="sex"), ValueDrift(column="prediction"), ValueDrift(column="target")]
    counts = [DriftedColumnsCount(columns=["moved", "still", "sex"]), RowCount(), MissingValueCount(column="still")]
    return Report([*columns, *counts, ClassificationPreset()])


def main(reports, workspace):
    reference = dataset(frame(0.0, 7))
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None, microsecond=0)
    for form in FORMS:
        os.makedirs(os.path.join(reports, form))
    service = Workspace.create(workspace)
    project = service.create_project(PROJECT, description="canary watch")
    service.create_project("empty")
    for hour, shift in enumerate(SHIFTS):
        at = now - datetime.timedelta(hours=len(SHIFTS) - 1 - hour)
        current = dataset(frame(shift, 7 + hour))
        for form, numbers in FORMS.items():
            run = report(numbers).run(current, reference, timestamp=at, metadata={"model_version": "2"})
            path = os.path.join(reports, form, f"drift-{at:%Y-%m-%dT%H-%M-%S}.json")
            with open(path, "w") as file:
                file.write(run.json())
            if form == "wasserstein":
                service.add_run(project.id, run)


main(*sys.argv[1:])
