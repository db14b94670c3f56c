"""Publishes quality and drift of the predictions that clients saw: exporter.py PORT FILE.

FILE holds one JSON line per prediction, written by traffic.py. A label counts only some seconds after
its prediction, as labels do. Metric names and labels are those that users of Evidently publish.
"""

import collections
import json
import sys
import time

import numpy
from prometheus_client import Counter, Gauge, Histogram, start_http_server
from scipy.stats import wasserstein_distance

import scores
from workload import CLASSIFIER, REGRESSOR, Workload

WINDOW = 250
FEWEST = 30
LABEL_DELAY = 2.0
DRIFT_LIMIT = 0.1
DRIFTED_SHARE = 0.5
PUBLISHED = {
    "accuracy": "model_accuracy",
    "sensitivity": "model_sensitivity",
    "specificity": "model_specificity",
    "precision": "model_precision",
    "f1": "model_f1_score",
    "auc_roc": "model_auc_roc",
    "r2": "model_r2_score",
    "mae": "model_mae",
    "mse": "model_mse",
    "rmse": "model_rmse",
}
VERSION = ["model_name", "model_version"]
MODEL = ["model_name"]

quality = {key: Gauge(name, key, VERSION) for key, name in PUBLISHED.items()}
samples = Gauge("model_labelled_samples", "labelled predictions in the window", VERSION)
lag = Gauge("model_label_lag_seconds", "age of the newest label joined", VERSION)
positive = Gauge("model_prediction_positive_ratio", "share of positive predictions in the window", VERSION)
seen = Counter("model_predictions_seen", "predictions read", VERSION)
drift = Gauge("evidently_column_drift_score", "per-feature drift score", ["feature", "method", "model_name"])
drifted = Gauge("evidently_column_drift_detected", "1 when the feature drifted", ["feature", "model_name"])
share = Gauge("evidently_share_of_drifted_columns", "0..1", MODEL)
number = Gauge("evidently_number_of_drifted_columns", "count", MODEL)
dataset = Gauge("evidently_dataset_drift", "1 when the share is over its threshold", MODEL)
BOUNDS = [-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2, 3, 4, 6, 8, 12]
values = Histogram("model_feature", "values of features", ["feature", "model_name"], buckets=BOUNDS)
reported = Gauge("evidently_report_timestamp_seconds", "unix time of the last drift report", MODEL)


def observe_features(rng, begun, now):
    """One feature stands still, one moves by a standard deviation in ten seconds."""
    for feature, mean in (("still", 0.0), ("moving", (now - begun) / 10.0)):
        series = values.labels(feature, CLASSIFIER)
        for value in rng.normal(mean, 1.0, 100):
            series.observe(value)


class Judge:
    """Keeps the last predictions of each version and the last requests of each model."""

    def __init__(self):
        self.data = {name: Workload(name) for name in (CLASSIFIER, REGRESSOR)}
        self.waiting = collections.deque()
        self.labelled = collections.defaultdict(lambda: collections.deque(maxlen=WINDOW))
        self.requests = collections.defaultdict(lambda: collections.deque(maxlen=WINDOW))
        self.newest = {}

    def read(self, line):
        entry = json.loads(line)
        seen.labels(entry["model"], entry["version"]).inc()
        self.requests[entry["model"]].append(entry["row"])
        self.waiting.append(entry)

    def publish(self, now):
        while self.waiting and self.waiting[0]["time"] <= now - LABEL_DELAY:
            entry = self.waiting.popleft()
            key = (entry["model"], entry["version"])
            self.labelled[key].append(entry)
            self.newest[key] = entry["time"]
        for key, entries in self.labelled.items():
            self._publish_quality(key, list(entries))
            lag.labels(*key).set(now - self.newest[key])
        for model, rows in self.requests.items():
            if len(rows) >= FEWEST:
                self._publish_drift(model, list(rows), now)

    def _publish_quality(self, key, entries):
        target = self.data[key[0]].live_target[[entry["row"] for entry in entries]]
        predicted = numpy.array([entry["prediction"] for entry in entries])
        samples.labels(*key).set(len(entries))
        if key[0] == CLASSIFIER:
            positive.labels(*key).set(predicted.mean())
            values = scores.of_classifier(target, predicted, [entry["probability"] for entry in entries])
        else:
            values = scores.of_regressor(target, predicted)
        for name, value in values.items():
            quality[name].labels(*key).set(value)

    def _publish_drift(self, model, rows, now):
        data = self.data[model]
        current, found = data.sent[rows], 0
        for column, feature in enumerate(data.features):
            reference = data.live[:, column]
            # As Evidently does it: in units of the reference's deviation.
            score = wasserstein_distance(reference, current[:, column]) / max(reference.std(), 0.001)
            over = score >= DRIFT_LIMIT
            found += over
            drift.labels(feature, "wasserstein", model).set(score)
            drifted.labels(feature, model).set(over)
        number.labels(model).set(found)
        share.labels(model).set(found / len(data.features))
        dataset.labels(model).set(found / len(data.features) >= DRIFTED_SHARE)
        reported.labels(model).set(now)


def main(port, path):
    judge = Judge()
    rng, begun = numpy.random.default_rng(7), time.time()
    start_http_server(port, "127.0.0.1")
    open(path, "a").close()
    with open(path) as file:
        rest = ""
        while True:
            # The writer may be in the middle of a line.
            *lines, rest = (rest + file.read()).split("\n")
            for line in lines:
                judge.read(line)
            judge.publish(time.time())
            # It starts again each half minute, so that the bounds hold it.
            observe_features(rng, begun, begun + (time.time() - begun) % 30.0)
            time.sleep(1.0)


main(int(sys.argv[1]), sys.argv[2])
