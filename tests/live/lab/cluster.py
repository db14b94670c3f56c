"""The test cluster: etcd, Kubernetes' control plane, a fake kubelet, rollout controllers. All on loopback."""

import concurrent.futures
import json
import os
import re
import secrets
import shutil
import sys

from . import certificates, kube, roles, settings
from .wait import until
from .web import call

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
START_SECONDS = 120
# Each is a process of its own.
PARTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "argo-rollouts", "flagger")
DEFINITIONS_API = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
ROLES_API = f"/apis/{roles.ROLES_API}/clusterroles"
# Of Istio only what the controllers write.
LEFT_OUT = re.compile(r"^  name: (?!virtualservices|destinationrules|gateways)\w+\.\w+\.istio\.io$", re.MULTILINE)
ESTABLISHED = (
    "rollouts.argoproj.io", "analysisruns.argoproj.io", "experiments.argoproj.io", "canaries.flagger.app",
    "inferenceservices.serving.kserve.io", "httproutes.gateway.networking.k8s.io", "virtualservices.networking.istio.io",
    "services.serving.knative.dev",
)


class Cluster:
    def __init__(self, folder, ports, processes, environments):
        self.folder = folder
        self.ports = ports
        self.processes = processes
        self.environments = environments
        self.home = os.path.join(folder, "kube")
        self.tls = self.path("tls")
        self.audit_log = self.path("audit.log")
        self.server = f"https://127.0.0.1:{ports['kube-apiserver']}"
        self.plane = f"http://127.0.0.1:{ports['plane']}"
        self.flagger = "flagger" in environments
        self.admin = None

    def path(self, *parts):
        return os.path.join(self.home, *parts)

    def config(self, user):
        """The kubeconfig of one of `roles.USERS`."""
        return os.path.join(self.folder, f"{user}.kubeconfig")

    def endpoints(self):
        people = {f"kube_{user}": self.config(user) for user in ("admin", "operator", "pauser", "viewer")}
        return people | {
            "kube_server": self.server,
            "kube_plane": self.plane,
            "kube_audit_log": self.audit_log,
            "kube_folder": self.home,
            "kube_flagger": self.flagger,
            "kube_pids": {name: pid for name, pid in self.processes.pids.items() if name in PARTS},
        }

    def _start(self, name, program, *words, ports=()):
        self.ports.release(*ports)
        self.processes.start(name, [os.path.join(*program), *words])

    # Control plane -------------------------------------------------------------------------------

    def prepare(self):
        """Certificates, tokens and kubeconfigs."""
        os.makedirs(self.home, exist_ok=True)
        certificates.make_cluster(self.tls)
        lines = []
        for name, user in roles.USERS.items():
            token = secrets.token_urlsafe(24)
            group = roles.GROUPS.get(name)
            lines.append(f"{token},{user},{user}" + (f",{group}" if group else ""))
            kube.write_config(self.config(name), self.server, self._certificate("ca.crt"), user, token)
            if name == "admin":
                self.admin = kube.Kube(self.server, self._certificate("ca.crt"), token)
        handle = os.open(self.path("tokens.csv"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write("\n".join(lines) + "\n")

    def _certificate(self, name):
        return os.path.join(self.tls, name)

    def start_server(self):
        store, peers = (f"https://127.0.0.1:{self.ports[name]}" for name in ("etcd", "etcd_peers"))
        authority, certificate, key = (self._certificate(name) for name in ("ca.crt", "server.crt", "server.key"))
        self._start(
            "etcd", (self.environments["cluster"], "etcd"),
            f"--data-dir={self.path('etcd')}",
            f"--listen-client-urls={store}", f"--advertise-client-urls={store}",
            f"--listen-peer-urls={peers}", f"--initial-advertise-peer-urls={peers}", f"--initial-cluster=default={peers}",
            "--client-cert-auth", f"--trusted-ca-file={authority}", f"--cert-file={certificate}", f"--key-file={key}",
            "--peer-client-cert-auth", f"--peer-trusted-ca-file={authority}",
            f"--peer-cert-file={certificate}", f"--peer-key-file={key}",
            # The data lives as long as the lab; KServe's definition is larger than the default allows.
            "--unsafe-no-fsync", "--max-request-bytes=8388608", "--log-level=warn",
            ports=("etcd", "etcd_peers"),
        )
        self._start(
            "kube-apiserver", (self.environments["cluster"], "kube-apiserver"),
            "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1",
            f"--secure-port={self.ports['kube-apiserver']}", "--endpoint-reconciler-type=none",
            f"--tls-cert-file={certificate}", f"--tls-private-key-file={key}",
            f"--etcd-servers={store}", f"--etcd-cafile={authority}", f"--etcd-certfile={certificate}",
            f"--etcd-keyfile={key}",
            "--authorization-mode=RBAC", f"--token-auth-file={self.path('tokens.csv')}",
            f"--service-account-issuer={self.server}",
            f"--service-account-key-file={self._certificate('accounts.pub')}",
            f"--service-account-signing-key-file={self._certificate('accounts.key')}",
            "--service-cluster-ip-range=10.96.0.0/16", "--profiling=false",
            f"--audit-policy-file={os.path.join(settings.TEMPLATES, 'audit.yaml')}",
            f"--audit-log-path={self.audit_log}", "--audit-log-maxsize=10000",
            ports=("kube-apiserver",),
        )

    def server_ready(self):
        until("the API server is ready", lambda: self.admin.call("GET", "/readyz"), START_SECONDS, self.processes.check)

    def start_controllers(self):
        self._start(
            "kube-controller-manager", (self.environments["cluster"], "kube-controller-manager"),
            f"--kubeconfig={self.config('kube-controller-manager')}", "--leader-elect=false", "--secure-port=0",
            "--use-service-account-credentials", f"--root-ca-file={self._certificate('ca.crt')}",
            f"--service-account-private-key-file={self._certificate('accounts.key')}",
            "--kube-api-qps=200", "--kube-api-burst=400", "--node-monitor-grace-period=5m",
        )
        self._start(
            "kube-scheduler", (self.environments["cluster"], "kube-scheduler"),
            f"--kubeconfig={self.config('kube-scheduler')}", "--leader-elect=false", "--secure-port=0",
            "--kube-api-qps=200", "--kube-api-burst=400",
        )
        program = self.path("kubelet.py")
        shutil.copy(os.path.join(HERE, "programs", "kubelet.py"), program)
        self._start(
            "kubelet", (sys.executable,), program, self.config("kubelet"), str(self.ports["plane"]), ports=("plane",)
        )

    # Definitions and rollout controllers ---------------------------------------------------------

    def define(self):
        """The roles, and the custom resource definitions from the modules that own them."""
        roles.grant(self.admin)
        # The longest takes the longest by far.
        documents = sorted(self._manifests(), key=lambda found: -len(found[1]))
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda found: self.admin.create(*found, kube.YAML), documents))
        for name in ESTABLISHED:
            until(f"{name} is served", lambda: self._established(name), START_SECONDS, self.processes.check)

    def _manifests(self):
        """Path and text of each; the API server reads YAML itself."""
        top = self.environments["definitions"]
        for owner in sorted(os.listdir(top)):
            if not os.path.isdir(os.path.join(top, owner)):
                continue
            for name in sorted(os.listdir(os.path.join(top, owner))):
                with open(os.path.join(top, owner, name)) as file:
                    for text in re.split(r"^---.*$", file.read(), flags=re.MULTILINE):
                        if re.search(r"^kind: CustomResourceDefinition$", text, re.MULTILINE):
                            if not (owner == "istio" and LEFT_OUT.search(text)):
                                yield DEFINITIONS_API, text
                        elif re.search(r"^kind: ClusterRole$", text, re.MULTILINE):
                            yield ROLES_API, text

    def _established(self, name):
        conditions = self.admin.get(f"{DEFINITIONS_API}/{name}")["status"]["conditions"] or []
        return any(found["type"] == "Established" and found["status"] == "True" for found in conditions)

    def start_rollouts(self):
        self._start(
            "argo-rollouts", (self.environments["argo"], "rollouts-controller"),
            f"--kubeconfig={self.config('argo-rollouts')}", "--leader-elect=false", "--qps=200", "--burst=400",
            f"--metricsPort={self.ports['argo_metrics']}", f"--healthzPort={self.ports['argo_health']}",
            ports=("argo_metrics", "argo_health"),
        )
        if self.flagger:
            self._start(
                "flagger", (self.environments["flagger"], "flagger"),
                f"--kubeconfig={self.config('flagger')}", f"--port={self.ports['flagger']}",
                f"--metrics-server={self._metrics_server()}", "--log-level=info", "--mesh-provider=istio",
                ports=("flagger",),
            )

    def _metrics_server(self):
        """The lab's Prometheus when there is one; Flagger asks it whether it is there."""
        return f"http://127.0.0.1:{self.ports['prometheus']}" if "mlflow" in self.environments else self.plane

    def ready(self):
        check = self.processes.check
        pages = ["argo_health"] + (["flagger"] if self.flagger else [])
        for name in pages:
            url = f"http://127.0.0.1:{self.ports[name]}/healthz"
            until(f"{name} answers", lambda: call(url) is not None, START_SECONDS, check)
        until("the nodes are ready", self._nodes_ready, START_SECONDS, check)
        until(
            "accounts are made", lambda: self.admin.get("/api/v1/namespaces/default/serviceaccounts/default"),
            START_SECONDS, check,
        )

    def _nodes_ready(self):
        nodes = self.admin.get("/api/v1/nodes")["items"]
        # A taint stays until the controller manager has seen the node's first sign of life.
        return nodes and not any(node["spec"].get("taints") for node in nodes)

    def start(self, step):
        step("started the API server", self.prepare, self.start_server, self.server_ready)
        step("started the controllers", self.start_controllers, self.define, self.start_rollouts, self.ready)

    def write(self):
        """`cluster.json`, for a cluster without the other servers."""
        path = os.path.join(self.folder, "cluster.json")
        handle = os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump(self.endpoints(), file, indent=1)
            file.write("\n")
        os.replace(path + ".new", path)
        return path
