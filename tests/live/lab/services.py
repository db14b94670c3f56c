"""The servers of the lab: how each is started, and when it is ready."""

import json
import os
import secrets
import shutil

from . import certificates, settings
from .wait import until
from .web import call, call_json

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROGRAMS = os.path.join(HERE, "programs")  # copied before use: Python writes bytecode beside them
START_SECONDS = 120
# What the clients send requests to.
ASKED = (
    "haproxy", "mlflow_scoring", "mlserver_stable", "mlserver_canary", "mlserver_victim", "kserve", "bentoml",
)
ADMIN = "admin"
USER = "sre"


def debian(name):
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not found:
        raise RuntimeError(f"{name} is not installed: run tests/live/install.sh")
    return found


class Services:
    def __init__(self, folder, ports, processes, environments):
        self.folder = folder
        self.ports = ports
        self.processes = processes
        self.environments = environments
        self.models = self.path("models")
        self.predictions = self.path("predictions.jsonl")
        self.authorities = self.path("tls")
        self.reports = self.path("reports")
        self.socket = self.path("haproxy.sock")
        self.programs = self.path("programs")
        shutil.copytree(PROGRAMS, self.programs, ignore=shutil.ignore_patterns("__pycache__"))
        self.passwords = {name: secrets.token_urlsafe(18) for name in (ADMIN, USER)}

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def url(self, name, path=""):
        return f"http://127.0.0.1:{self.ports[name]}{path}"

    def python(self, environment, program, *words):
        return self.script(environment, "python", os.path.join(self.programs, program), *words)

    def script(self, environment, name, *words):
        return [os.path.join(self.environments[environment], "bin", name), *words]

    def start(self, name, argv, environment=None, folder=None, ports=()):
        self.ports.release(name, *ports)
        self.processes.start(name, argv, environment, folder)

    def ready(self, name, path, user=None):
        """Waits until the server answers with a success."""
        until(
            f"{name} is ready",
            lambda: call(self.url(name, path), user=user) is not None,
            START_SECONDS,
            self.processes.check,
        )

    # Registry ------------------------------------------------------------------------------------

    def start_registries(self):
        common = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
        self.start("mlflow", self._tracking_server("mlflow"), common)
        admin = (ADMIN, self.passwords[ADMIN])
        secured = {
            **common,
            "MLFLOW_AUTH_CONFIG_PATH": settings.basic_auth(self.folder, admin),
            "MLFLOW_FLASK_SERVER_SECRET_KEY": secrets.token_hex(16),
        }
        self.start("mlflow_basic", self._tracking_server("mlflow_basic", "--app-name", "basic-auth"), secured)

    def _tracking_server(self, name, *words):
        return self.script(
            "mlflow", "mlflow", "server", *words,
            "--host", "127.0.0.1", "--port", self.ports[name], "--workers", "1",
            "--backend-store-uri", f"sqlite:///{self.path(name)}.db",
            "--artifacts-destination", self.path(f"{name}-artifacts"),
        )

    def train(self):
        self.processes.finish("train", self.python("mlflow", "train.py", self.models), 120)

    def fill_registry(self):
        self.ready("mlflow", "/health")
        self.processes.finish(
            "register", self.python("mlflow", "register.py", self.models), 180, self._client(self.url("mlflow"))
        )

    def fill_secured_registry(self):
        """A user who may promote one model and only read another; one more model is the administrator's."""
        self.ready("mlflow_basic", "/health")
        admin = (ADMIN, self.passwords[ADMIN])

        def post(path, api="2.0", **body):
            return call_json(self.url("mlflow_basic", f"/api/{api}/mlflow/{path}"), body, admin, seconds=20)

        post("users/create", username=USER, password=self.passwords[USER])
        run = post("runs/create", experiment_id="0", run_name="elsewhere")["run"]["info"]
        for name in ("breast-cancer", "read-only", "private"):
            post("registered-models/create", name=name, description="Metadata only")
            for _ in range(2):
                source = run["artifact_uri"] + "/model"
                post("model-versions/create", name=name, source=source, run_id=run["run_id"])
            for alias, version in (("champion", "1"), ("challenger", "2")):
                post("registered-models/alias", name=name, alias=alias, version=version)
        for name, permission in (("breast-cancer", "MANAGE"), ("private", "DENY")):
            post(
                "users/permissions/grant", "3.0",
                username=USER, resource_type="registered_model", resource_id=name, permission=permission,
            )

    @staticmethod
    def _client(tracking):
        return {"MLFLOW_TRACKING_URI": tracking, "MLFLOW_DISABLE_TELEMETRY": "true", "GIT_PYTHON_REFRESH": "quiet"}

    # Model servers -------------------------------------------------------------------------------

    def start_model_servers(self):
        first, second = (os.path.join(self.models, f"classifier-v{number}.joblib") for number in (1, 2))
        self._start_mlserver("mlserver_stable", first, "1", workers=1)
        self._start_mlserver("mlserver_canary", second, "2", workers=1)
        self._start_mlserver("mlserver_victim", first, "1", workers=0)
        self.start("kserve", self.python("kserve", "kserve_server.py", self.ports["kserve"], first))
        self.start(
            "bentoml",
            self.script(
                "bentoml", "bentoml", "serve", "bento_service:BreastCancer", "--working-dir", self.programs,
                "--host", "127.0.0.1", "--port", self.ports["bentoml"],
            ),
            {
                "MODEL": second,
                "BENTOML_HOME": self.path("bentoml"),
                "BENTOML_DO_NOT_TRACK": "True",
            },
        )

    def _start_mlserver(self, name, model, version, workers):
        home = settings.mlserver(self.folder, name, self.ports, model, version, workers)
        argv = self.script("mlserver", "mlserver", "start", home)
        self.start(name, argv, folder=home, ports=(f"{name}_grpc", f"{name}_metrics"))

    def start_scoring(self):
        """Serves the regressor out of the registry."""
        argv = self.script(
            "mlflow", "mlflow", "models", "serve", "--model-uri", "models:/diabetes-progression@champion",
            "--env-manager", "local", "--host", "127.0.0.1", "--port", self.ports["mlflow_scoring"],
        )
        path = os.path.join(self.environments["mlflow"], "bin") + os.pathsep + os.environ["PATH"]
        self.start("mlflow_scoring", argv, {**self._client(self.url("mlflow")), "PATH": path})

    def model_servers_ready(self):
        for name in ("mlserver_stable", "mlserver_canary", "mlserver_victim", "kserve"):
            self.ready(name, "/v2/models/breast-cancer/ready")
        self.ready("bentoml", "/readyz")
        self.ready("mlflow_scoring", "/ping")

    # Drift reports -------------------------------------------------------------------------------

    def start_reports(self):
        """Evidently writes reports to files and into a workspace, and serves the workspace."""
        quiet = {"DO_NOT_TRACK": "1"}
        workspace = self.path("workspace")
        self.processes.finish(
            "reports", self.python("evidently", "drift_reports.py", self.reports, workspace), 180, quiet
        )
        argv = self.script(
            "evidently", "evidently", "ui", "--workspace", workspace,
            "--host", "127.0.0.1", "--port", self.ports["evidently"],
        )
        self.start("evidently", argv, quiet)
        self.ready("evidently", "/api/version")

    # Traffic, metrics, alerts --------------------------------------------------------------------

    def start_splitter(self):
        certificates.make(self.authorities)
        config = settings.fill(
            self.folder, "haproxy.cfg", self.ports,
            socket=self.socket, certificate=os.path.join(self.authorities, "server.pem"),
        )
        self.start("haproxy", [debian("haproxy"), "-db", "-f", config], ports=("haproxy_stats", "mlflow_tls"))

    def start_traffic(self):
        endpoints = json.dumps({name: self.url(name) for name in ASKED})
        self.start("exporter", self.python("mlflow", "exporter.py", self.ports["exporter"], self.predictions))
        self.start(
            "traffic", self.python("mlflow", "traffic.py", self.ports["client"], self.predictions, endpoints),
            ports=("client",),
        )

    def start_monitoring(self):
        alertmanager = settings.fill(self.folder, "alertmanager.yml", self.ports)
        settings.fill(self.folder, "rules.yml", self.ports)
        prometheus = settings.fill(self.folder, "prometheus.yml", self.ports)
        victim = settings.fill(self.folder, "prometheus-victim.yml", self.ports)
        self.start(
            "alertmanager",
            [
                debian("prometheus-alertmanager"), f"--config.file={alertmanager}",
                f"--storage.path={self.path('alertmanager')}", "--cluster.listen-address=",
                f"--web.listen-address=127.0.0.1:{self.ports['alertmanager']}",
            ],
        )
        self._start_prometheus("prometheus", prometheus)
        self._start_prometheus("prometheus_victim", victim)
        self.ready("alertmanager", "/-/ready")
        self.ready("prometheus", "/-/ready")
        self.ready("prometheus_victim", "/-/ready")

    def _start_prometheus(self, name, config):
        self.start(
            name,
            [
                debian("prometheus"), f"--config.file={config}", f"--storage.tsdb.path={self.path(name)}",
                f"--web.listen-address=127.0.0.1:{self.ports[name]}", "--web.enable-lifecycle",
                # What is sent before Prometheus has found Alertmanager is lost until it is sent again.
                "--rules.alert.resend-delay=10s",
            ],
        )
