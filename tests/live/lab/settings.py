"""Writes the configuration files of the servers from the templates in `config/` and from code."""

import json
import os
import string

TEMPLATES = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "config")


class _Template(string.Template):
    # `$` belongs to Prometheus' own templates.
    delimiter = "@"


class _Fill(dict):
    """Names not given are ports."""

    def __init__(self, ports, given):
        super().__init__(given)
        self._ports = ports

    def __missing__(self, name):
        return self._ports[name]


def fill(folder, name, ports, **given):
    """Fills one template in and writes it under the same name; returns its path."""
    with open(os.path.join(TEMPLATES, name)) as file:
        text = _Template(file.read()).substitute(_Fill(ports, given))
    path = os.path.join(folder, name)
    with open(path, "w") as file:
        file.write(text)
    return path


def mlserver(folder, server, ports, model, version, workers):
    """The folder of one MLServer with one scikit-learn model."""
    home = os.path.join(folder, server)
    os.makedirs(home, exist_ok=True)
    _write_json(
        os.path.join(home, "settings.json"),
        {
            "debug": False,
            "host": "127.0.0.1",
            "http_port": ports[server],
            "grpc_port": ports[f"{server}_grpc"],
            "metrics_port": ports[f"{server}_metrics"],
            "parallel_workers": workers,
        },
    )
    _write_json(
        os.path.join(home, "model-settings.json"),
        {
            "name": "breast-cancer",
            "implementation": "mlserver_sklearn.SKLearnModel",
            "platform": "sklearn",
            "versions": [version],
            "inputs": [{"name": "predict", "datatype": "FP64", "shape": [-1, 30]}],
            "outputs": [{"name": "predict", "datatype": "INT64", "shape": [-1, 1]}],
            "parameters": {"uri": model, "version": version},
        },
    )
    return home


def basic_auth(folder, admin):
    """The settings of MLflow's basic-auth app."""
    path = os.path.join(folder, "basic_auth.ini")
    with open(path, "w") as file:
        file.write(
            "[mlflow]\n"
            "default_permission = READ\n"
            f"database_uri = sqlite:///{folder}/basic_auth.db\n"
            f"admin_username = {admin[0]}\n"
            f"admin_password = {admin[1]}\n"
            "authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n"
        )
    os.chmod(path, 0o600)
    return path


def _write_json(path, value):
    with open(path, "w") as file:
        json.dump(value, file, indent=1)
