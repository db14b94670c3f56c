"""Starts servers in process groups of their own, remembers them in a file, and ends them all.

Every server and every child of it carries the lab's folder in its environment, so the end can find
exactly the processes of this lab, also those that left their group, and no other.
"""

import json
import os
import signal
import subprocess
import time

MARK = "WARDROOM_LIVE_LAB"
GRACE = 6.0
# Settings of the caller that would change what a server does.
FOREIGN = ("WARDROOM", "MLFLOW", "BENTOML", "MLSERVER", "PROMETHEUS", "PYTHON", "KUBE", "ETCD", "ARGO")


class Died(Exception):
    """A server ended although nobody asked it to."""


class Processes:
    def __init__(self, folder):
        self.folder = folder
        self.pids = {}
        self._running = {}

    def start(self, name, argv, environment=None, folder=None):
        """Starts one server; its output goes to `<name>.log`."""
        with open(log_path(self.folder, name), "wb") as log:
            process = subprocess.Popen(
                [str(word) for word in argv],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=folder or self.folder,
                env=self._environment(environment or {}),
                start_new_session=True,
            )
        self._running[name] = process
        self.pids[name] = process.pid
        with open(state_path(self.folder), "w") as file:
            json.dump(self.pids, file)

    def finish(self, name, argv, seconds, environment=None):
        """Runs a program of the set-up to its end."""
        self.start(name, argv, environment)
        try:
            code = self._running.pop(name).wait(seconds)
        except subprocess.TimeoutExpired:
            raise Died(f"{name} did not finish within {seconds} s:\n{log_tail(self.folder, name)}") from None
        del self.pids[name]
        if code != 0:
            raise Died(f"{name} failed with code {code}:\n{log_tail(self.folder, name)}")

    def check(self):
        """Raises when a server has ended."""
        for name, process in self._running.items():
            if process.poll() is not None:
                raise Died(f"{name} ended with code {process.returncode}:\n{log_tail(self.folder, name)}")

    def _environment(self, extra):
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(FOREIGN)}
        home = os.path.join(self.folder, "home")
        os.makedirs(home, exist_ok=True)
        return {
            **inherited,
            MARK: str(self.folder),
            "HOME": home,
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
            "PYTHONUNBUFFERED": "1",
            # Two cores for a dozen servers: no thread pools inside the numeric libraries.
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            **extra,
        }


def log_path(folder, name):
    return os.path.join(folder, f"{name}.log")


def state_path(folder):
    return os.path.join(folder, "processes.json")


def log_tail(folder, name, lines=15):
    try:
        with open(log_path(folder, name), errors="replace") as file:
            return "".join(file.readlines()[-lines:])
    except OSError:
        return "(no log)\n"


def stop_all(folder):
    """Ends every process of the lab in `folder`: politely, then by force. Returns those that stayed."""
    try:
        with open(state_path(folder)) as file:
            leaders = set(json.load(file).values())
    except (OSError, ValueError):
        leaders = set()
    seen = marked(folder)
    for pid in leaders & seen:
        _send(os.killpg, pid, signal.SIGTERM)
        # A server stopped by a test sees the end only when it goes on.
        _send(os.killpg, pid, signal.SIGCONT)
    deadline = time.monotonic() + GRACE
    while (left := marked(folder)) and time.monotonic() < deadline:
        time.sleep(0.05)
    deadline = time.monotonic() + GRACE
    while (left := marked(folder)) and time.monotonic() < deadline:
        for pid in left:
            _send(os.kill, pid, signal.SIGKILL)
        time.sleep(0.05)
    # Ended, and still listed until the init process has fetched the exit codes: that may take it a moment.
    deadline = time.monotonic() + GRACE
    while any(_listed(pid) for pid in seen) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def _listed(pid):
    """Whether a process of that number exists, if only as a zombie."""
    return os.path.exists(f"/proc/{pid}")


def marked(folder):
    """The process ids that carry the mark of the lab in `folder`."""
    wanted = f"{MARK}={folder}".encode()
    found = set()
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        try:
            with open(f"/proc/{entry}/environ", "rb") as file:
                if wanted in file.read().split(b"\0"):
                    found.add(int(entry))
        except OSError:
            continue
    return found


def _send(kill, pid, number):
    try:
        kill(pid, number)
    except (ProcessLookupError, PermissionError):
        pass
