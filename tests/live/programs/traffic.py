"""Sends real requests to the model servers until it is stopped: traffic.py PORT FILE ENDPOINTS.

ENDPOINTS is a JSON object of URLs. Publishes the latency that clients see on PORT, and writes one line
per prediction to FILE, for the exporter to judge. About 12 requests a second, after a quick start.
"""

import itertools
import json
import random
import sys
import threading
import time
import urllib.error
import urllib.request

from prometheus_client import Counter, Histogram, start_http_server

from workload import CLASSIFIER, REGRESSOR, Workload

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 1.0, 2.5, 5.0)
DEADLINE = 5.0
# The first requests of a stream come quickly, so that every window fills soon.
QUICK_COUNT = 120
QUICK_PAUSE = 0.05

latency = Histogram("lab_client_request_duration_seconds", "client-side latency", ["model", "version"], buckets=BUCKETS)
requests = Counter("lab_client_requests", "client-side requests", ["model", "version", "code"])
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def post(url, body):
    """Status and answer; status 0 when there was none."""
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with opener.open(request, timeout=DEADLINE) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        error.read()
        return error.code, None
    except (OSError, ValueError):
        return 0, None


def stream(step, pause, quick=False):
    """Repeats `step` for ever in a thread of its own."""

    def loop():
        for count in itertools.count():
            step()
            time.sleep(QUICK_PAUSE if quick and count < QUICK_COUNT else pause * random.uniform(0.5, 1.5))

    threading.Thread(target=loop, daemon=True).start()


def infer_body(values, rows=1):
    return {
        "inputs": [{"name": "predict", "shape": [rows, len(values) // rows], "datatype": "FP64", "data": values}],
        "outputs": [{"name": "predict"}, {"name": "predict_proba"}],
    }


class Clients:
    def __init__(self, path, endpoints):
        self.at = endpoints
        self.file = open(path, "a", buffering=1)
        self.lock = threading.Lock()
        self.classifier = Workload(CLASSIFIER)
        self.regressor = Workload(REGRESSOR)
        self.classifier_rows = self.rows(self.classifier)
        self.regressor_rows = self.rows(self.regressor)

    def note(self, model, version, row, prediction, probability=None):
        entry = {
            "model": model, "version": version, "row": row, "time": time.time(),
            "prediction": prediction, "probability": probability,
        }
        with self.lock:
            self.file.write(json.dumps(entry) + "\n")

    @staticmethod
    def rows(data):
        """Every row once, in a random order, then again: a window of requests looks like all of them."""
        while True:
            yield from random.sample(range(len(data.sent)), len(data.sent))

    def next_row(self, data, rows):
        with self.lock:
            row = next(rows)
        return row, data.sent[row].tolist()

    def any_row(self):
        return random.choice(self.classifier.sent).tolist()

    def classify(self):
        """Through the splitter: the answer tells which version gave it."""
        row, values = self.next_row(self.classifier, self.classifier_rows)
        started = time.perf_counter()
        status, answer = post(self.at["haproxy"] + "/v2/models/breast-cancer/infer", infer_body(values))
        took = time.perf_counter() - started
        version = "v" + answer["model_version"] if answer else "unknown"
        requests.labels(CLASSIFIER, version, status).inc()
        if answer:
            latency.labels(CLASSIFIER, version).observe(took)
            outputs = {output["name"]: output["data"] for output in answer["outputs"]}
            self.note(CLASSIFIER, version, row, outputs["predict"][0], outputs["predict_proba"][1])

    def regress(self):
        row, values = self.next_row(self.regressor, self.regressor_rows)
        started = time.perf_counter()
        status, answer = post(self.at["mlflow_scoring"] + "/invocations", {"inputs": [values]})
        took = time.perf_counter() - started
        requests.labels(REGRESSOR, "v1", status).inc()
        if answer:
            latency.labels(REGRESSOR, "v1").observe(took)
            self.note(REGRESSOR, "v1", row, answer["predictions"][0])

    def infer(self, server):
        post(self.at[server] + "/v2/models/breast-cancer/infer", infer_body(self.any_row()))

    def predict_bentoml(self):
        post(self.at["bentoml"] + "/predict", {"data": [self.any_row()]})

    def break_one(self):
        """One request that its server must refuse or fail on."""
        infer = "/v2/models/breast-cancer/infer"
        url, body = random.choice([
            (self.at["mlserver_canary"] + infer, infer_body([1.0, 2.0])),
            (self.at["mlserver_canary"] + infer, infer_body([1.0, 2.0])),
            (self.at["mlserver_canary"] + infer, {"inputs": [{"name": "predict"}]}),
            (self.at["mlserver_stable"] + "/v2/models/absent/infer", infer_body([1.0, 2.0])),
            (self.at["kserve"] + infer, infer_body([1.0, 2.0])),
            (self.at["bentoml"] + "/predict", {"data": [[1.0, 2.0]]}),
            (self.at["bentoml"] + "/predict", {"rows": 1}),
            (self.at["mlflow_scoring"] + "/invocations", {"rows": 1}),
        ])
        post(url, body)


def main(port, path, endpoints):
    start_http_server(port, "127.0.0.1")
    clients = Clients(path, endpoints)
    stream(clients.classify, 0.25, quick=True)
    stream(clients.classify, 0.25, quick=True)
    stream(clients.regress, 0.8, quick=True)
    stream(lambda: clients.infer("kserve"), 1.0)
    stream(lambda: clients.infer("mlserver_victim"), 1.5)
    stream(clients.predict_bentoml, 1.0)
    stream(clients.break_one, 0.6)
    threading.Event().wait()


main(int(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3]))
