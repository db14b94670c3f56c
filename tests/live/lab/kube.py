"""A small client of the Kubernetes API, and kubeconfig files."""

import base64
import json
import os
import ssl
import urllib.error
import urllib.request

MERGE = "application/merge-patch+json"
YAML = "application/yaml"


class Refused(OSError):
    """The API server's own answer, with its status code."""

    def __init__(self, code, text):
        super().__init__(f"{code} {text}")
        self.code = code


class Kube:
    def __init__(self, server, authority, token):
        self._server = server
        self._token = token
        context = ssl.create_default_context(cafile=authority)
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )

    def call(self, method, path, body=None, kind="application/json", seconds=20.0):
        """The body of the answer as text."""
        request = urllib.request.Request(self._server + path, method=method)
        request.add_header("Authorization", f"Bearer {self._token}")
        if body is not None:
            request.data = (body if isinstance(body, str) else json.dumps(body)).encode()
            request.add_header("Content-Type", kind)
        try:
            with self._opener.open(request, timeout=seconds) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            raise Refused(error.code, f"{method} {path}: {error.read().decode(errors='replace')[:300]}") from None

    def get(self, path):
        return json.loads(self.call("GET", path))

    def create(self, path, body, kind="application/json"):
        """Creates an object; one that exists already is left as it is."""
        try:
            self.call("POST", path, body, kind)
        except Refused as refused:
            if refused.code != 409:
                raise


def write_config(path, server, authority, user, token):
    """A kubeconfig with everything embedded; JSON is YAML."""
    with open(authority, "rb") as file:
        embedded = base64.b64encode(file.read()).decode()
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": "wardroom-test", "cluster": {"server": server, "certificate-authority-data": embedded}}
        ],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [{"name": user, "context": {"cluster": "wardroom-test", "user": user}}],
        "current-context": user,
    }
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(config, file, indent=1)
        file.write("\n")
