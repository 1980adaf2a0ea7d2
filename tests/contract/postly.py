"""A throwaway Postly with an admin, a user and some posts, on a free port."""

import json
import os
import re
import socket
import subprocess
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[2]
# While something is being worked on, it can be another one.
BINARY = os.environ.get("POSTLY_TEST_BINARY", ROOT / "target/debug/postly")
PASSWORD = "violet otter paddles upstream"
ADMIN, AUTHOR, READER = "root", "mirela", "tomas"


def wide_limits():
    """Every limit that the README lists, at a million an hour: limits have tests of their own."""
    names = re.findall(r"^\| `([a-z-]+)` \| `\d+/\w+` \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert "posts" in names, names
    return ",".join(f"{name}=1000000/h" for name in names)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Site:
    def __init__(self, folder, database=None):
        folder.mkdir()
        password = folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o600)
        self.folder, self.log = folder, folder / "server.log"
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.api = f"{self.url}/api/v1"
        self.environment = {
            "PATH": os.environ["PATH"],
            "ROCKET_PORT": str(port),
            "POSTLY_PUBLIC_URL": self.url,
            "POSTLY_BCRYPT_COST": "4",
            "POSTLY_LIMITS": wide_limits(),
            # Whoever plays the admin cannot close the site to others.
            "POSTLY_REGISTRATION": "open",
            "POSTLY_EMAIL_REQUIRED": "false",
            "POSTLY_POSTING_NEEDS_VERIFIED_EMAIL": "false",
            "POSTLY_LOG_FORMAT": "json",
            "POSTLY_MAIL_URL": f"file:{folder / 'outbox'}",
            "POSTLY_SETUP_USERNAME": ADMIN,
            "POSTLY_SETUP_PASSWORD_FILE": str(password),
            "POSTLY_SETUP_EMAIL": f"{ADMIN}@mail.example",
            "TMPDIR": str(folder),
        }
        if database:
            self.environment |= {"DATABASE_URL": database, "POSTLY_SECRET_KEY": os.urandom(24).hex()}

    def __enter__(self):
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [BINARY], cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log
            )
        try:
            if not any(b"Postly is at" in line for line in self.process.stdout):
                raise RuntimeError(f"Postly did not start:\n{self.log.read_text()}")
            self.populate()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def populate(self):
        for name in (AUTHOR, READER):
            self.register(name)
        author, reader = self.client(AUTHOR), self.client(READER)
        for number in range(1, 8):
            post = {"title": f"Tides, part {number}", "content": f"They come *twice* a day, and {number} times."}
            author.post("/posts", json=post).raise_for_status()
        for number in range(1, 4):
            reader.put(f"/posts/{number}/vote").raise_for_status()

    def register(self, name):
        account = {"username": name, "email": f"{name}@mail.example", "password": PASSWORD}
        httpx.post(f"{self.api}/auth/register", json=account).raise_for_status()

    def token(self, name):
        """The access token of a new session."""
        answer = httpx.post(f"{self.api}/auth/login", json={"username": name, "password": PASSWORD})
        return answer.raise_for_status().json()["access_token"]

    def client(self, name):
        return httpx.Client(base_url=self.api, headers={"Authorization": f"Bearer {self.token(name)}"})

    def complaints(self):
        """What the server logged as an error, or panicked with."""
        found = []
        for line in self.log.read_text().splitlines():
            try:
                level = json.loads(line).get("level")
            except (ValueError, AttributeError):
                # The only lines that are no JSON are those of a panic.
                level = "ERROR"
            if level == "ERROR":
                found.append(line)
        return found
