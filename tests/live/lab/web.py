"""HTTP requests with a deadline, never through a proxy."""

import base64
import json
import urllib.error
import urllib.request

_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def call(url, body=None, user=None, method=None, seconds=5.0):
    """The body of the answer as text; raises on a refused connection, a deadline or a status >= 400."""
    request = urllib.request.Request(url, method=method)
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    if user is not None:
        request.add_header("Authorization", "Basic " + base64.b64encode(":".join(user).encode()).decode())
    try:
        with _opener.open(request, timeout=seconds) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as error:
        text = error.read().decode(errors="replace")[:300]
        raise OSError(f"{request.get_method()} {url}: {error.code} {text}") from None


def call_json(url, body=None, user=None, method=None, seconds=5.0):
    return json.loads(call(url, body, user, method, seconds))
