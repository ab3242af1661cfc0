"""A proxy before the database that knows where a message of MongoDB's protocol begins and ends, so that it can do harm
at the worst places: before a request, in its middle, between the request and its reply, in the middle of the reply; and
that can refuse single updates of a bulk.

What it does to a message is decided by a mode:
  pass          nothing
  slow          each message is late
  silent        nothing is answered, until the mode changes; then the connection breaks
  cut_request   half of the request goes on, then the connection breaks
  lose_reply    the request goes on and is obeyed; the connection breaks instead of the reply
  cut_reply     the same, in the middle of the reply
  leave         the request goes on, and nobody stays to hear the reply
  busy          some updates of a bulk are answered with an error that passes
  poison        one update of a bulk is refused for good, and always will be
All but slow and silent touch only updates of counts. shut() is a server that is not there.
"""

import random
import socket
import struct
import threading
import time

import wire

MODES = ("slow", "silent", "cut_request", "lose_reply", "cut_reply", "leave", "busy", "poison")
BUSY_CODES = (112, 189, 91, 11600, 262, 14031, 96)  # 96 is none the module knows: it tries that one again, too
POISON_CODE = 121


class Broken(Exception):
    """End of both connections."""


class Proxy:
    def __init__(self, target, seed):
        self._target = target
        self._random = random.Random(f"{seed} proxy")
        self._lock = threading.Lock()
        self._open = set()
        self._listener, self._address = None, None
        self._poisoned = set()  # (collection, _id, seq) of updates that are refused for ever
        self.mode, self.hits = "pass", 0
        self.open()

    @property
    def port(self):
        return self._address[1]

    def open(self):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(self._address or ("127.0.0.1", 0))
        listener.listen(64)
        self._address, self._listener = listener.getsockname(), listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def shut(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.reset()

    def reset(self):
        """Breaks all connections, with a reset."""
        with self._lock:
            lines = list(self._open)
        for line in lines:
            _break(line)

    def set(self, mode):
        self.hits = 0
        self.mode = mode

    def hit(self):
        with self._lock:
            self.hits += 1

    # --- connections ---

    def _accept(self, listener):
        while True:
            try:
                client = listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        server = None
        with self._lock:
            self._open.add(client)
        try:
            server = socket.create_connection(self._target, timeout=60)
            server.settimeout(None)
            while True:
                self._exchange(client, server, wire.read(client))
        except (OSError, Broken, wire.End):
            pass
        finally:
            with self._lock:
                self._open.discard(client)
            for line in (client, server):
                if line is not None:
                    _break(line)
                    line.close()

    def _exchange(self, client, server, request):
        mode = self.mode
        if mode == "silent":
            self._be_silent(mode)
        if mode == "slow":
            self.hit()
            time.sleep(self._random.uniform(0.02, 0.2))
        if mode in ("pass", "slow", "silent") and not self._poisoned or not wire.is_update(request):
            self._pass_on(client, server, request)
            return
        getattr(self, "_" + mode, self._refuse)(client, server, request)

    def _be_silent(self, mode):
        self.hit()
        while self.mode == mode:
            time.sleep(0.02)
        raise Broken

    def _pass_on(self, client, server, request):
        server.sendall(request)
        client.sendall(wire.read(server))

    # --- harm ---

    def _cut_request(self, _client, server, request):
        self.hit()
        server.sendall(request[:self._random.randrange(1, len(request))])
        raise Broken

    def _lose_reply(self, _client, server, request):
        server.sendall(request)
        wire.read(server)
        self.hit()
        raise Broken

    def _cut_reply(self, client, server, request):
        server.sendall(request)
        reply = wire.read(server)
        self.hit()
        client.sendall(reply[:self._random.randrange(1, len(reply))])
        raise Broken

    def _leave(self, _client, server, request):
        server.sendall(request)
        self.hit()
        raise Broken

    def _choose(self, update):
        """{place: code} of the operations that shall fail."""
        collection, ops = update.collection, update.operations
        names = [(collection, str(op["q"]["_id"]), wire.seq_of(op)) for op in ops]
        if self.mode == "poison" and len(ops) >= 5 and not self.hits:
            self._poisoned.add(names[self._random.randrange(len(ops))])
            self.hit()
        chosen = {place: POISON_CODE for place, name in enumerate(names) if name in self._poisoned}
        if self.mode == "busy" and self._random.random() < 0.5:
            self.hit()
            for place in self._random.sample(range(len(ops)), min(len(ops), self._random.randint(1, 3))):
                chosen.setdefault(place, self._random.choice(BUSY_CODES))
        return chosen

    def _refuse(self, client, server, request):
        update = wire.Update(request)
        chosen = self._choose(update)
        if not chosen:
            self._pass_on(client, server, request)
            return
        reply = None
        if len(chosen) < len(update.operations):
            server.sendall(update.without(chosen))
            reply = wire.read(server)
        client.sendall(update.answer(chosen, reply))


def _break(line):
    try:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        line.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
