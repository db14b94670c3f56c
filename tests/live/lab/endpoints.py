"""The file that tells the tests where everything is."""

import json
import os

from .services import ADMIN, USER

SERVERS = (
    "prometheus", "prometheus_victim", "alertmanager", "mlflow", "mlflow_basic", "mlserver_stable", "mlserver_canary",
    "mlserver_victim", "kserve", "bentoml", "mlflow_scoring", "haproxy", "exporter", "client", "evidently",
)
JOBS = ("prometheus", "mlserver", "mlserver_victim", "kserve", "bentoml", "haproxy", "exporter", "client", "gone")


def collect(services):
    found = {name: services.url(name) for name in SERVERS}
    for name in ("mlserver_stable", "mlserver_canary", "mlserver_victim"):
        found[f"{name}_metrics"] = services.url(f"{name}_metrics", "/metrics")
    return found | {
        "mlflow_tls": f"https://localhost:{services.ports['mlflow_tls']}",
        "mlflow_user": USER,
        "mlflow_password": services.passwords[USER],
        "mlflow_admin_user": ADMIN,
        "mlflow_admin_password": services.passwords[ADMIN],
        "ca_file": os.path.join(services.authorities, "ca.crt"),
        "other_ca_file": os.path.join(services.authorities, "other-ca.crt"),
        "haproxy_stats": services.url("haproxy_stats", "/stats"),
        "haproxy_metrics": services.url("haproxy_stats", "/metrics"),
        "haproxy_socket": services.socket,
        "jobs": list(JOBS),
        "reports": services.reports,
        "folder": services.folder,
        "pids": services.processes.pids,
    }


def write(services, cluster):
    """Appears only when it is complete."""
    path = services.path("endpoints.json")
    handle = os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(collect(services) | (cluster.endpoints() if cluster else {}), file, indent=1)
        file.write("\n")
    os.replace(path + ".new", path)
    return path
