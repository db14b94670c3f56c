"""Free ports on loopback, held until the server that will use them starts.

They lie below the kernel's ephemeral range, so that no outgoing connection and no other program asking
for "any port" can take one between the release here and the bind in the server.
"""

import random
import socket

LOWEST = 10_000


def ephemeral_start():
    try:
        with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
            return int(file.read().split()[0])
    except OSError:
        return 32_768


class Ports:
    def __init__(self):
        self._range = range(LOWEST, max(ephemeral_start(), LOWEST + 5_000))
        self._held = {}
        self._numbers = {}

    def __getitem__(self, name):
        """The port of that name; taken now when it is asked for the first time."""
        if name not in self._numbers:
            self._held[name] = holder = self._hold_one()
            self._numbers[name] = holder.getsockname()[1]
        return self._numbers[name]

    def release(self, *names):
        """Lets go of ports just before their server starts."""
        for name in names:
            self[name]
            self._held.pop(name).close()

    def _hold_one(self):
        for _ in range(1_000):
            holder = socket.socket()
            try:
                # Without SO_REUSEADDR nobody else can bind it meanwhile.
                holder.bind(("127.0.0.1", random.choice(self._range)))
                return holder
            except OSError:
                holder.close()
        raise RuntimeError("no free port found on 127.0.0.1")
