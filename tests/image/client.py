"""Clients: one that asks once, and many that ask all the time."""

import http.client
import json
import ssl
import threading
from http.cookies import SimpleCookie
from urllib.parse import urlencode

PASSWORD = "violet otter paddles upstream"


class Client:
    """Asks a server at an address, under the name that is in its certificate."""

    def __init__(self, address, port, host=None, certificate=None):
        self.address, self.port, self.host = address, port, host or address
        self.tls = ssl.create_default_context(cafile=certificate) if certificate else None
        self.cookies, self.token = {}, None

    def ask(self, method, path, body=None, kind="application/json", headers=()):
        """Status, headers and text of the answer; a new connection each time."""
        connection = http.client.HTTPConnection(self.address, self.port, timeout=120)
        connection.connect()
        if self.tls:
            connection.sock = self.tls.wrap_socket(connection.sock, server_hostname=self.host)
        sent = {"Host": self.host, "Connection": "close", **dict(headers)}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if body is not None:
            sent["Content-Type"] = kind
            body = urlencode(body) if kind == "application/x-www-form-urlencoded" else json.dumps(body)
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
        for line in answer.headers.get_all("Set-Cookie", []):
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
        connection.close()
        return answer.status, answer.headers, text

    def api(self, method, path, body=None, expected=200):
        status, _, text = self.ask(method, f"/api/v1{path}", body)
        assert status == expected, f"{method} {path}: {status} {text[:500]}"
        return json.loads(text) if text else None

    def register(self, name):
        account = {"username": name, "password": PASSWORD}
        self.api("POST", "/auth/register", account, 201)
        self.token = self.api("POST", "/auth/login", account)["access_token"]

    def answers(self, path="/healthz"):
        try:
            return self.ask("GET", path)[0] == 200
        except OSError:
            return False


class Load:
    """Readers and writers that ask until they are told to stop. What is not 200 or 201 has failed."""

    def __init__(self, client, readers, writers):
        self.client, self.done, self.lock = client, threading.Event(), threading.Lock()
        self.answered, self.failed = {"GET": 0, "POST": 0}, []
        kinds = ["GET"] * readers + ["POST"] * writers
        self.threads = [threading.Thread(target=self.work, args=(kind,), daemon=True) for kind in kinds]

    def work(self, method):
        body = {"title": "Under load", "content": "all the while"} if method == "POST" else None
        while not self.done.is_set():
            try:
                status, _, text = self.client.ask(method, "/api/v1/posts", body)
                failure = None if status in (200, 201) else f"{method}: {status} {text[:200]}"
            except Exception as error:
                failure = f"{method}: {error!r}"
            with self.lock:
                self.answered[method] += 1
                if failure:
                    self.failed.append(failure)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        for thread in self.threads:
            thread.join()
