"""Stands in for the kubelets and the network of the test cluster: `kubelet.py KUBECONFIG PORT`.

Every pod bound to one of its nodes becomes ready soon, unless its annotation or label `wardroom.test/fault` says otherwise:
`never-ready`, `bad-image`, `crash` or `slow:SECONDS`; it may change later. A pod with `latency:SECONDS` or `errors:SHARE`
(0.4 and 0.5 without a number) is ready, and answers so much later, or that share of its requests with 500. One with
`wrong:SHARE` (0.5) predicts that share wrongly, which labels tell some seconds later; one with `drift` reads a feature wrongly.
No container runs: requests to
http://127.0.0.1:PORT/svc/NAMESPACE/SERVICE/PATH go to the URL in the annotation `wardroom.test/backend` of a ready pod of
that Service, each pod in turn, with the pod's version in the header `wardroom-version`.
A Service with the annotation `wardroom.test/route: httproute/NAME` (or
`virtualservice/NAME`) first picks another Service by the weights of that route.
/metrics/NAMESPACE/SERVICE is a Prometheus page about what was asked there, the labels that came, and drift of the feature.
"""

import base64
import collections
import datetime
import hashlib
import heapq
import http.client
import http.server
import itertools
import json
import random
import ssl
import sys
import threading
import time
import urllib.parse

NODES = {"wardroom-1": "127.0.0.1", "wardroom-2": "127.0.0.1"}
START = 0.15  # from bound to running
STOP = 0.1  # from deletion to gone
RETRY = 0.5
HEARTBEAT = 10.0
WORKERS = 4
FAULT, BACKEND, ROUTE = (f"wardroom.test/{name}" for name in ("fault", "backend", "route"))
ROUTES = {
    "httproute": "/apis/gateway.networking.k8s.io/v1/httproutes",
    "virtualservice": "/apis/networking.istio.io/v1/virtualservices",
}
HASHES = ("rollouts-pod-template-hash", "pod-template-hash")
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
LABEL_DELAY = 3.0  # from a prediction to its label
DRIFT_OVER = 200  # the last predictions, over which drift is told
NOT_FORWARDED = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "host", "content-length"}


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def fault_of(pod):
    """What is wrong with a pod on purpose: a word and its number."""
    about = pod["metadata"]
    return about.get("annotations", {}).get(FAULT) or about.get("labels", {}).get(FAULT, "")


def say(text):
    print(f"{now()} {text}\n", end="", flush=True)


class Api:
    """The API server; each thread has a connection of its own."""

    def __init__(self, config):
        with open(config) as file:
            found = json.load(file)
        cluster = found["clusters"][0]["cluster"]
        self._host = urllib.parse.urlsplit(cluster["server"])
        self._context = ssl.create_default_context(
            cadata=base64.b64decode(cluster["certificate-authority-data"]).decode()
        )
        self._headers = {"Authorization": f"Bearer {found['users'][0]['user']['token']}"}
        self._own = threading.local()

    def connect(self, seconds):
        return http.client.HTTPSConnection(self._host.hostname, self._host.port, timeout=seconds, context=self._context)

    def call(self, method, path, body=None, kind="application/json"):
        """Status code and answer. A connection that the server has closed meanwhile is made again."""
        text = None if body is None else json.dumps(body)
        headers = self._headers | ({"Content-Type": kind} if text else {})
        for last in (False, True):
            connection = getattr(self._own, "connection", None)
            if connection is None:
                connection = self._own.connection = self.connect(15)
            try:
                connection.request(method, path, text, headers)
                answer = connection.getresponse()
                return answer.status, json.loads(answer.read())
            except (OSError, http.client.HTTPException):
                connection.close()
                self._own.connection = None
                if last:
                    raise

    def stream(self, path):
        """The events of a watch, until the server ends it or it falls silent."""
        connection = self.connect(90)
        try:
            connection.request("GET", path, headers=self._headers)
            answer = connection.getresponse()
            if answer.status != 200:
                raise OSError(f"{answer.status} {answer.read()[:200]}")
            while line := answer.readline():
                yield json.loads(line)
        finally:
            connection.close()


class Mirror:
    """A copy of one kind of objects, by namespace and name, kept by a watch. `changed` hears of each object."""

    def __init__(self, api, path, changed=None):
        self._api, self._path, self._changed = api, path, changed or (lambda _found, _gone: None)
        self._objects = collections.defaultdict(dict)
        threading.Thread(target=self._follow, daemon=True).start()

    def get(self, namespace, name):
        return self._objects.get(namespace, {}).get(name)

    def all(self, namespace):
        return list(self._objects.get(namespace, {}).values())

    def _follow(self):
        silent = False
        while True:
            try:
                version = self._list()
                silent = False
                while version:
                    version = self._watch(version)
            except (OSError, ValueError, http.client.HTTPException) as error:
                if not silent:
                    say(f"{self._path}: {type(error).__name__}: {error}")
                silent = True
            time.sleep(RETRY)

    def _list(self):
        status, answer = self._api.call("GET", self._path)
        if status != 200:
            raise OSError(f"{status} {answer.get('message')}")
        fresh = collections.defaultdict(dict)
        for found in answer["items"]:
            fresh[found["metadata"]["namespace"]][found["metadata"]["name"]] = found
        old, self._objects = self._objects, fresh
        for namespace, objects in old.items():
            for name, found in objects.items():
                if name not in fresh[namespace]:
                    self._changed(found, True)
        for objects in list(fresh.values()):
            for found in list(objects.values()):
                self._changed(found, False)
        return answer["metadata"]["resourceVersion"]

    def _watch(self, version):
        """The version to go on from; none when the list must be read again."""
        words = f"?watch=1&allowWatchBookmarks=true&timeoutSeconds=60&resourceVersion={version}"
        for event in self._api.stream(self._path + words):
            kind, found = event["type"], event["object"]
            if kind == "ERROR":
                return None
            version = found["metadata"]["resourceVersion"]
            if kind == "BOOKMARK":
                continue
            place, name = self._objects[found["metadata"]["namespace"]], found["metadata"]["name"]
            if kind == "DELETED":
                place.pop(name, None)
            else:
                place[name] = found
            self._changed(found, kind == "DELETED")
        return version


class Later:
    """Runs calls at their time, a few at once; one that fails is tried again."""

    def __init__(self):
        self._calls, self._number, self._news = [], itertools.count(), threading.Condition()
        for _ in range(WORKERS):
            threading.Thread(target=self._run, daemon=True).start()

    def put(self, seconds, call, *words):
        with self._news:
            heapq.heappush(self._calls, (time.monotonic() + seconds, next(self._number), call, words))
            self._news.notify()

    def _run(self):
        while True:
            with self._news:
                while not self._calls or self._calls[0][0] > time.monotonic():
                    self._news.wait(self._calls[0][0] - time.monotonic() if self._calls else None)
                _, _, call, words = heapq.heappop(self._calls)
            try:
                call(*words)
            except (OSError, ValueError, http.client.HTTPException) as error:
                say(f"{call.__name__}: {type(error).__name__}: {error}")
                self.put(RETRY, call, *words)


class Kubelet:
    def __init__(self, api):
        self._api, self._later = api, Later()
        self._played, self._ending, self._numbers = {}, set(), itertools.count(1)
        for name in NODES:
            self._later.put(0, self._register, name)
        self.pods = Mirror(api, "/api/v1/pods", self._pod_changed)

    # Nodes ---------------------------------------------------------------------------------------

    def _register(self, name):
        node = {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}},
        }
        self._must({201, 409}, "POST", "/api/v1/nodes", node)
        self._beat(name)

    def _beat(self, name):
        size = {"cpu": "1000", "memory": "4000Gi", "ephemeral-storage": "4000Gi", "pods": "2000"}
        states = {"Ready": "True", "MemoryPressure": "False", "DiskPressure": "False", "PIDPressure": "False"}
        status = {
            "capacity": size,
            "allocatable": size,
            "addresses": [{"type": "InternalIP", "address": NODES[name]}, {"type": "Hostname", "address": name}],
            "nodeInfo": dict.fromkeys(
                ("machineID", "systemUUID", "bootID", "kernelVersion", "osImage", "operatingSystem", "architecture",
                 "containerRuntimeVersion", "kubeletVersion", "kubeProxyVersion"), "wardroom-test",
            ),
            "conditions": [
                {"type": kind, "status": state, "reason": "WardroomTest", "lastHeartbeatTime": now()}
                for kind, state in states.items()
            ],
        }
        self._must({200}, "PATCH", f"/api/v1/nodes/{name}/status", {"status": status}, "strategic-merge-patch")
        leases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
        spec = {
            "holderIdentity": name,
            "leaseDurationSeconds": 40,
            "renewTime": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        }
        if self._must({200, 404}, "PATCH", f"{leases}/{name}", {"spec": spec}, "merge-patch") == 404:
            self._must({201, 409}, "POST", leases, {"metadata": {"name": name}, "spec": spec})
        self._later.put(HEARTBEAT, self._beat, name)

    def _must(self, wanted, method, path, body, kind=None):
        status, answer = self._api.call(method, path, body, f"application/{kind}+json" if kind else "application/json")
        if status not in wanted:
            raise OSError(f"{method} {path}: {status} {answer.get('message')}")
        return status

    # Pods ----------------------------------------------------------------------------------------

    def _pod_changed(self, pod, gone):
        about = pod["metadata"]
        uid = about["uid"]
        if gone:
            self._played.pop(uid, None)
            self._ending.discard(uid)
        elif pod["spec"].get("nodeName") not in NODES:
            return
        elif "deletionTimestamp" in about:
            if uid not in self._ending:
                self._ending.add(uid)
                self._later.put(STOP, self._finish, about["namespace"], about["name"], uid)
        else:
            fault = fault_of(pod)
            if self._played.get(uid) != fault:
                self._played[uid] = fault
                self._later.put(START, self._play, about["namespace"], about["name"], uid, fault, 0)

    def _finish(self, namespace, name, uid):
        body = {"gracePeriodSeconds": 0, "preconditions": {"uid": uid}}
        # 409: another pod of that name.
        self._must({200, 404, 409}, "DELETE", f"/api/v1/namespaces/{namespace}/pods/{name}", body)

    def _play(self, namespace, name, uid, fault, turn):
        """Writes the pod's next state, and plans the one after it."""
        pod = self.pods.get(namespace, name)
        if pod is None or pod["metadata"]["uid"] != uid or self._played.get(uid) != fault:
            return
        if "deletionTimestamp" in pod["metadata"]:
            return
        word, _, rest = fault.partition(":")
        after = None
        ready, waiting, crashes = True, None, None
        if word == "never-ready":
            ready = False
        elif word == "slow" and turn == 0:
            ready, after = False, float(rest or "5")
        elif word == "bad-image":
            ready, waiting = False, "ImagePullBackOff" if turn % 2 else "ErrImagePull"
            after = 2.0 if turn == 0 else None
        elif word == "crash":
            ready, waiting, crashes = False, "CrashLoopBackOff", turn + 1
            after = min(2.0**turn, 30.0)
        status = self._status(pod, ready, waiting, crashes)
        path = f"/api/v1/namespaces/{namespace}/pods/{name}/status"
        self._must({200, 404}, "PATCH", path, {"metadata": {"uid": uid}, "status": status}, "strategic-merge-patch")
        if after is not None:
            self._later.put(after, self._play, namespace, name, uid, fault, turn + 1)

    def _status(self, pod, ready, waiting, crashes):
        old, moment = pod.get("status", {}), now()
        running = waiting is None
        number = next(self._numbers)
        address = old.get("podIP") or f"10.244.{number // 250 % 250}.{number % 250 + 1}"
        conditions = {"Initialized": True, "PodReadyToStartContainers": True, "ContainersReady": ready, "Ready": ready}
        before = {found["type"]: found for found in old.get("conditions", [])}

        def condition(kind, value):
            state, then = str(value), before.get(kind, {})
            changed = then["lastTransitionTime"] if then.get("status") == state else moment
            why = None if value else "ContainersNotReady"
            return {"type": kind, "status": state, "lastTransitionTime": changed, "reason": why}

        restarts = {found["name"]: found["restartCount"] for found in old.get("containerStatuses", [])}
        image_there = running or crashes
        ended = {"exitCode": 1, "reason": "Error", "startedAt": moment, "finishedAt": moment}

        def container(spec):
            image = spec["image"]
            found = {
                "name": spec["name"],
                "image": image,
                "imageID": f"{image}@sha256:{hashlib.sha256(image.encode()).hexdigest()}" if image_there else "",
                "containerID": f"test://{pod['metadata']['uid']}/{spec['name']}" if image_there else "",
                "ready": ready,
                "started": running,
                "restartCount": restarts.get(spec["name"], 0) + (1 if crashes else 0),
                "state": {"running": {"startedAt": moment}} if running else {"waiting": {"reason": waiting}},
            }
            if crashes:
                found["lastState"] = {"terminated": ended}
            return found

        return {
            "phase": "Running" if running or crashes else "Pending",
            "startTime": old.get("startTime") or moment,
            "hostIP": NODES[pod["spec"]["nodeName"]],
            "hostIPs": [{"ip": NODES[pod["spec"]["nodeName"]]}],
            "podIP": address,
            "podIPs": [{"ip": address}],
            "conditions": [condition(kind, value) for kind, value in conditions.items()],
            "containerStatuses": [container(spec) for spec in pod["spec"]["containers"]],
        }


class Counts:
    """Requests by namespace and service."""

    def __init__(self):
        self._lock = threading.Lock()
        self._requests = collections.defaultdict(collections.Counter)
        self._seconds = collections.defaultdict(lambda: collections.defaultdict(lambda: [0.0, [0] * len(BUCKETS), 0]))
        self._unlabelled = collections.defaultdict(collections.deque)
        self._labelled = collections.defaultdict(collections.Counter)
        self._shifted = collections.defaultdict(lambda: collections.deque(maxlen=DRIFT_OVER))

    def add(self, place, version, code, seconds):
        with self._lock:
            self._requests[place][version, code] += 1
            found = self._seconds[place][version]
            found[0] += seconds
            found[2] += 1
            for index, limit in enumerate(BUCKETS):
                found[1][index] += seconds <= limit

    def predicted(self, place, version, correct, shifted):
        with self._lock:
            self._unlabelled[place].append((time.monotonic() + LABEL_DELAY, version, correct))
            self._shifted[place].append(shifted)

    def _quality(self, place):
        waiting, model = self._unlabelled[place], place[1]
        while waiting and waiting[0][0] <= time.monotonic():
            _, version, correct = waiting.popleft()
            self._labelled[place][version, str(correct).lower()] += 1
        yield "# TYPE inference_labelled_total counter"
        for (version, correct), count in sorted(self._labelled[place].items()):
            labels = f'model="{model}",version="{version}",correct="{correct}",age_s="{LABEL_DELAY:.0f}"'
            yield f"inference_labelled_total{{{labels}}} {count}"
        shifted = self._shifted[place]
        if shifted:
            drift = 0.01 + 4 * sum(shifted) / len(shifted)
            yield "# TYPE inference_feature_drift gauge"
            yield f'inference_feature_drift{{model="{model}",feature="age",method="psi"}} {drift:.4f}'

    def page(self, place):
        model = place[1]
        lines = ["# TYPE inference_requests_total counter"]
        with self._lock:
            for (version, code), count in sorted(self._requests[place].items()):
                labels = f'model="{model}",version="{version}",code="{code}"'
                lines.append(f"inference_requests_total{{{labels}}} {count}")
            name = "inference_request_duration_seconds"
            lines.append(f"# TYPE {name} histogram")
            for version, (total, buckets, count) in sorted(self._seconds[place].items()):
                labels = f'model="{model}",version="{version}"'
                for limit, below in zip((*BUCKETS, "+Inf"), (*buckets, count)):
                    lines.append(f'{name}_bucket{{{labels},le="{limit}"}} {below}')
                lines.append(f"{name}_sum{{{labels}}} {total:.6f}")
                lines.append(f"{name}_count{{{labels}}} {count}")
            lines.extend(self._quality(place))
        return "\n".join(lines) + "\n"


class Network:
    def __init__(self, api, pods):
        self._pods = pods
        self._services = Mirror(api, "/api/v1/services")
        self._routes = {kind: Mirror(api, path) for kind, path in ROUTES.items()}
        self._turns = collections.defaultdict(itertools.count)
        self.counts = Counts()

    def pod(self, namespace, name):
        """A ready pod behind a Service, if any."""
        service = self._services.get(namespace, name)
        route = service and service["metadata"].get("annotations", {}).get(ROUTE)
        if route:
            service = self._services.get(namespace, self._pick(namespace, *route.partition("/")[::2]))
        wanted = service and service["spec"].get("selector")
        if not wanted:
            return None
        fitting = [pod for pod in self._pods.all(namespace) if self._serves(pod, wanted)]
        fitting.sort(key=lambda pod: pod["metadata"]["name"])
        return fitting[next(self._turns[namespace, service["metadata"]["name"]]) % len(fitting)] if fitting else None

    @staticmethod
    def _serves(pod, wanted):
        labels = pod["metadata"].get("labels", {})
        conditions = pod.get("status", {}).get("conditions", [])
        return (
            "deletionTimestamp" not in pod["metadata"]
            and wanted.items() <= labels.items()
            and any(found["type"] == "Ready" and found["status"] == "True" for found in conditions)
        )

    def _pick(self, namespace, kind, name):
        """The name of a Service, by the weights of the route's first rule."""
        found = self._routes[kind].get(namespace, name) if kind in self._routes else None
        if not found:
            return None
        if kind == "httproute":
            backends = found["spec"]["rules"][0].get("backendRefs", [])
            choices = {backend["name"]: backend.get("weight", 1) for backend in backends}
        else:
            targets = found["spec"]["http"][0]["route"]
            alone = 100 if len(targets) == 1 else 0
            choices = {
                target["destination"]["host"].split(".")[0]: target.get("weight", alone) for target in targets
            }
        if not sum(choices.values()):
            return None
        return random.choices(list(choices), list(choices.values()))[0]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    network = None

    def handle_any(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else None
        path, _, query = self.path.partition("?")
        parts = path.split("/", 4)
        if len(parts) == 4 and parts[1] == "svc":
            parts.append("")
        if len(parts) == 5 and parts[1] == "svc":
            self._forward(parts[2], parts[3], parts[4] + ("?" + query if query else ""), body)
        elif len(parts) == 4 and parts[1] == "metrics":
            page = self.network.counts.page((parts[2], parts[3]))
            self._answer(200, page.encode(), {"Content-Type": "text/plain; version=0.0.4"})
        else:
            self._answer(404, b"no such page\n", {})

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = handle_any

    def _forward(self, namespace, service, rest, body):
        started = time.monotonic()
        pod = self.network.pod(namespace, service)
        version, code, headers, text = "", 503, {}, b"no ready pod with a backend\n"
        if pod:
            labels = pod["metadata"].get("labels", {})
            version = next((labels[key] for key in ("version", *HASHES) if key in labels), "")
            backend = pod["metadata"].get("annotations", {}).get(BACKEND)
            fault, _, number = fault_of(pod).partition(":")
            if fault == "latency":
                time.sleep(float(number or "0.4"))
            if fault == "errors" and random.random() < float(number or "0.5"):
                code, text = 500, b"this pod fails on purpose\n"
            elif backend:
                try:
                    code, headers, text = self._ask(backend, version, rest, body)
                except (OSError, http.client.HTTPException) as error:
                    code, text = 502, f"{type(error).__name__}: {error}\n".encode()
            if code == 200:
                correct = fault != "wrong" or random.random() >= float(number or "0.5")
                self.network.counts.predicted((namespace, service), version, correct, fault == "drift")
        self.network.counts.add((namespace, service), version, code, time.monotonic() - started)
        self._answer(code, text, headers)

    def _ask(self, backend, version, rest, body):
        target = urllib.parse.urlsplit(backend)
        connection = http.client.HTTPConnection(target.hostname, target.port, timeout=30)
        try:
            headers = {key: value for key, value in self.headers.items() if key.lower() not in NOT_FORWARDED}
            headers["wardroom-version"] = version
            connection.request(self.command, f"{target.path.rstrip('/')}/{rest}", body, headers)
            answer = connection.getresponse()
            kept = {key: value for key, value in answer.getheaders() if key.lower() not in NOT_FORWARDED}
            return answer.status, kept, answer.read()
        finally:
            connection.close()

    def _answer(self, code, body, headers):
        self.send_response_only(code)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_words):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def main(config, port):
    api = Api(config)
    Handler.network = Network(api, Kubelet(api).pods)
    Server(("127.0.0.1", int(port)), Handler).serve_forever()


main(*sys.argv[1:])
