"""Private certificate authorities and server certificates for loopback, made by openssl."""

import os
import subprocess

DAYS = "30"
KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


def make(folder):
    """Makes the authority, the server's certificate with its key (`server.pem`), and a foreign authority."""
    os.makedirs(folder, exist_ok=True)
    _authority(folder, "ca", "Wardroom live test authority")
    _authority(folder, "other-ca", "Some other authority")
    _server(folder, "serverAuth", "DNS:localhost,IP:127.0.0.1")
    with open(os.path.join(folder, "server.pem"), "w") as bundle:
        for part in ("server.crt", "server.key"):
            with open(os.path.join(folder, part)) as file:
                bundle.write(file.read())


def make_cluster(folder):
    """Makes the authority, one certificate for the API server and etcd, and the key that signs account tokens."""
    os.makedirs(folder, exist_ok=True)
    _authority(folder, "ca", "Wardroom test cluster authority")
    names = "DNS:localhost,IP:127.0.0.1,IP:10.96.0.1,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc"
    _server(folder, "serverAuth,clientAuth", names)
    _openssl(folder, "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "accounts.key")
    _openssl(folder, "pkey", "-in", "accounts.key", "-pubout", "-out", "accounts.pub")


def _server(folder, usage, names):
    with open(os.path.join(folder, "server.ext"), "w") as file:
        file.write(
            "basicConstraints=critical,CA:FALSE\n"
            "keyUsage=critical,digitalSignature\n"
            f"extendedKeyUsage={usage}\n"
            f"subjectAltName={names}\n"
        )
    _openssl(folder, "req", *KEY, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
    _openssl(
        folder, "x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
        "-days", DAYS, "-extfile", "server.ext", "-out", "server.crt",
    )


def _authority(folder, name, subject):
    _openssl(
        folder, "req", "-x509", *KEY, "-keyout", f"{name}.key", "-out", f"{name}.crt", "-days", DAYS,
        "-subj", f"/CN={subject}", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
    )


def _openssl(folder, *words):
    done = subprocess.run(["openssl", *words], cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {words[0]}: {done.stderr}")
