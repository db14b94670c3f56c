"""Starts or ends the lab: `lab up FOLDER NAME=ENVIRONMENT…`, `lab down FOLDER`.

`lab cluster FOLDER NAME=ENVIRONMENT…` starts only the Kubernetes cluster.

`up` returns when everything is ready and leaves the servers running; their logs are in FOLDER.
"""

import os
import signal
import sys
import time

from . import endpoints, readiness
from .cluster import Cluster
from .ports import Ports
from .processes import Died, Processes, stop_all
from .services import Services
from .wait import Late


def say(text):
    print(f"live: {text}", file=sys.stderr, flush=True)


def step(what, *actions):
    begun = time.monotonic()
    for action in actions:
        action()
    say(f"{time.monotonic() - begun:5.1f} s  {what}")


def up(folder, environments):
    ports, processes = Ports(), Processes(folder)
    services = Services(folder, ports, processes, environments)
    cluster = Cluster(folder, ports, processes, environments) if "cluster" in environments else None
    if cluster:
        cluster.start(step)
    step("started monitoring and the splitter", services.start_monitoring, services.start_splitter)
    step("trained the models", services.start_registries, services.train)
    step("filled the registries", services.start_model_servers, services.fill_registry, services.fill_secured_registry)
    step("wrote drift reports", services.start_reports)
    step("started the model servers", services.start_scoring, services.model_servers_ready)
    step("saw samples and alerts", services.start_traffic, lambda: readiness.wait(services))
    return endpoints.write(services, cluster)


def cluster_up(folder, environments):
    cluster = Cluster(folder, Ports(), Processes(folder), environments)
    cluster.start(step)
    return cluster.write()


def guarded(start, folder, environments):
    """Leaves no server behind when the start fails or is interrupted."""

    def interrupted(number, _frame):
        raise KeyboardInterrupt(number)

    signal.signal(signal.SIGTERM, interrupted)
    signal.signal(signal.SIGHUP, interrupted)
    try:
        started = time.monotonic()
        os.makedirs(folder, mode=0o700, exist_ok=True)
        path = start(folder, environments)
        say(f"{time.monotonic() - started:5.1f} s  in all; {path}")
    except (Died, Late, OSError, RuntimeError) as error:
        say(f"{type(error).__name__}: {error}")
        stop_all(folder)
        say(f"the logs are in {folder}")
        return 1
    except KeyboardInterrupt:
        stop_all(folder)
        return 130
    except BaseException:
        stop_all(folder)
        raise
    return 0


def down(folder):
    left = stop_all(folder)
    if left:
        say(f"still running: {sorted(left)}")
    return 1 if left else 0


def main(words):
    start = {"up": up, "cluster": cluster_up}.get(words[0]) if len(words) >= 2 else None
    if start:
        return guarded(start, os.path.realpath(words[1]), dict(word.split("=", 1) for word in words[2:]))
    if len(words) == 2 and words[0] == "down":
        return down(os.path.realpath(words[1]))
    say(__doc__)
    return 2


sys.exit(main(sys.argv[1:]))
