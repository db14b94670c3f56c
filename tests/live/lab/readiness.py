"""Waits until there is something to see: samples in Prometheus, alerts and a silence in Alertmanager."""

import datetime
import urllib.parse

from .wait import until
from .web import call_json

SECONDS = 90
DOWN_ON_PURPOSE = "gone"
SILENCED = "TargetDown"

# Each must give at least so many series.
SERIES = (
    ('count_over_time(rest_server_request_duration_seconds_count{job="mlserver",path=~".*/infer",status_code="200"}[5m]) >= 4', 2),
    ("deployment:rest_latency_seconds:p95 > 0", 2),
    ('rate(model_infer_request_failure_total{job="mlserver",deployment="canary"}[30s]) > 0', 1),
    ("model_labelled_samples > 30", 3),
    ("model_auc_roc", 2),
    ("model_r2_score", 1),
    ('evidently_column_drift_score{model_name="breast-cancer"}', 30),
    ("rate(request_predict_seconds_count[30s]) > 0", 1),
    ('rate(bentoml_service_request_total{endpoint="/predict"}[30s]) > 0', 1),
    ('rate(haproxy_server_http_responses_total{proxy="bc",code="2xx"}[30s]) > 0', 2),
    ("rate(lab_client_request_duration_seconds_count[30s]) > 0", 3),
)
ALERTS = ("Watchdog", "CanaryLatencyP95", "CanaryErrorRate", "FeatureDrift", SILENCED)


def wait(services):
    check = services.processes.check
    prometheus, alertmanager = services.url("prometheus", "/api/v1"), services.url("alertmanager", "/api/v2")
    until("every target but one is up", lambda: _targets_up(prometheus), SECONDS, check)
    for query, count in SERIES:
        until(f"Prometheus has {query}", lambda: len(_query(prometheus, query)) >= count, SECONDS, check)
    until("the alerts fire", lambda: set(ALERTS) <= _alerts(alertmanager), SECONDS, check)
    _silence(alertmanager)
    until("the silence shows", lambda: SILENCED in _alerts(alertmanager, "suppressed"), SECONDS, check)


def _query(prometheus, query):
    words = urllib.parse.urlencode({"query": query})
    return call_json(f"{prometheus}/query?{words}")["data"]["result"]


def _targets_up(prometheus):
    targets = call_json(f"{prometheus}/targets?state=active")["data"]["activeTargets"]
    late = [target["labels"]["job"] for target in targets if target["health"] != "up"]
    if late != [DOWN_ON_PURPOSE]:
        raise ValueError(f"not up: {late}")
    return True


def _alerts(alertmanager, state="active"):
    found = call_json(f"{alertmanager}/alerts")
    return {alert["labels"]["alertname"] for alert in found if alert["status"]["state"] == state}


def _silence(alertmanager):
    now = datetime.datetime.now(datetime.timezone.utc)
    call_json(
        f"{alertmanager}/silences",
        {
            "matchers": [{"name": "alertname", "value": SILENCED, "isRegex": False, "isEqual": True}],
            "startsAt": now.isoformat(),
            "endsAt": (now + datetime.timedelta(days=1)).isoformat(),
            "createdBy": "sre@example.org",
            "comment": "The target is switched off on purpose",
        },
    )
