"""The services of compose.yaml as plain processes, with the environment and the secrets that it gives them.

What differs from Docker:
- PostgreSQL, nginx and pgAdmin are Debian's and PyPI's instead of their images, in whatever version; what
  the entry points of those images do is done here.
- Published ports, restart policies, health checks at intervals, read-only roots, dropped capabilities and
  limits are Docker's own work and are not there. The health checks are run once each.
- With nginx before 1.27.3, new addresses of Postly are not looked up while it runs.
- Postly's limits are wider (as postly.env would make them), since one person writes a lot here."""

import glob
import os
import shutil
import subprocess

import yaml

from machine import ROOT, STORAGE, Image, Networks, Process, buildah, eventually, in_namespace, sh

PATH = ":".join([*sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1:], "/usr/sbin:/usr/bin:/sbin:/bin"])
LIMITS = "posts=100000/h, posts-address=100000/h, sessions=100000/h, sessions-address=100000/h"
HOST = "posts.test"


class Compose:
    def __init__(self, folder, entrypoint):
        self.folder, self.entrypoint = folder, entrypoint
        self.config = read("compose.yaml", SITE_HOST=HOST)
        subnets = {name: f"10.213.{n}.0/24" for n, name in enumerate(self.config["networks"])}
        subnets["web"] = self.config["networks"]["web"]["ipam"]["config"][0]["subnet"]
        self.networks = Networks(folder, subnets)
        # Our own secrets, made by the script that is shipped.
        script = folder / "deploy/compose/secrets.sh"
        script.parent.mkdir(parents=True)
        shutil.copy(ROOT / "deploy/compose/secrets.sh", script)
        sh(script)
        self.addresses, self.processes, self.images = {}, {}, {}

    def service(self, name):
        return self.config["services"][name]

    def environment(self, name):
        return {key: str(value) for key, value in self.service(name)["environment"].items()}

    def secrets(self, name):
        return {secret: self.folder / "secrets" / secret for secret in self.service(name).get("secrets", [])}

    def secret(self, name):
        return (self.folder / "secrets" / name).read_text().strip()

    def join(self, service, instance=None):
        name = instance or service
        self.addresses[name] = self.networks.join(name, service, self.service(service)["networks"])

    def here(self, service, command, user=None, mounts=(), more=()):
        """A command as it would run in the container of a service."""
        namespaced = in_namespace(service, self.folder, self.secrets(service), command, user, mounts)
        environment = {"PATH": PATH, "LANG": "C.UTF-8", **self.environment(service), **dict(more)}
        return namespaced, environment

    def run(self, service, command, **options):
        namespaced, environment = self.here(service, command, **options)
        return sh(*namespaced, env=environment)

    def start(self, service, command, **options):
        namespaced, environment = self.here(service, command, **options)
        log = self.folder / f"{service}.log"
        self.processes[service] = Process(service, namespaced, log, env=environment)

    def is_healthy(self, service, **options):
        """The health check of the service, once."""
        kind, *test = self.service(service)["healthcheck"]["test"]
        command = ["sh", "-c", test[0]] if kind == "CMD-SHELL" else test
        self.processes[service].check_runs()
        namespaced, environment = self.here(service, command, **options)
        return subprocess.run(list(map(str, namespaced)), env=environment, capture_output=True).returncode == 0

    def database(self):
        """As docker-entrypoint.sh of the image of PostgreSQL does it."""
        self.join("database")
        data, socket, password = self.folder / "data", self.folder / "socket", self.folder / "pwfile"
        for path in (data, socket):
            path.mkdir(mode=0o700)
            shutil.chown(path, "postgres", "postgres")
        password.write_text(self.secret("postgres_password"))
        shutil.chown(password, "postgres", "postgres")
        mounts = [(socket, "/run/postgresql")]
        as_postgres = {"user": "postgres", "mounts": mounts}
        arguments = self.environment("database")["POSTGRES_INITDB_ARGS"].split()
        initdb = ["initdb", "-D", data, "--username=postgres", f"--pwfile={password}", "--auth-local=trust"]
        self.run("database", [*initdb, "--auth-host=scram-sha-256", *arguments], **as_postgres)
        with (data / "pg_hba.conf").open("a") as rules:
            rules.write("host all all all scram-sha-256\n")
        server = ["postgres", "-D", data, "-c", "listen_addresses=*", "-c", "fsync=off"]
        self.start("database", server, **as_postgres)
        ready = ["pg_isready", "--quiet", "--username=postgres", "--host=/run/postgresql"]
        eventually("PostgreSQL has started", lambda: succeeds(*self.here("database", ready, mounts=mounts)))
        self.run("database", ["bash", ROOT / "deploy/compose/database.sh"], **as_postgres)
        eventually("the database is healthy", lambda: self.is_healthy("database"))

    def postly(self, name):
        """One instance, from the image."""
        if name not in self.addresses:
            self.join("postly", name)
            self.images[name] = Image(name)
        # Docker gives a new volume the owner that the folder has in the image.
        data = self.folder / "postly-data"
        data.mkdir(mode=0o700, exist_ok=True)
        os.chown(data, 65532, 65532)
        environment = {**self.environment("postly"), "POSTLY_LIMITS": LIMITS}
        volumes = {data: "/data"}
        volumes |= {file: f"/run/secrets/{secret}:ro" for secret, file in self.secrets("postly").items()}
        image = self.images[name]
        container = (name, environment, volumes)
        process = Process(name, image.command(*container, self.entrypoint), self.folder / f"{name}.log")
        self.processes[name] = process
        program = [self.entrypoint[0], "healthcheck"]
        check = image.command(*container, program)

        def healthy():
            process.check_runs()
            return succeeds(check, os.environ)

        eventually(f"{name} is healthy", healthy)
        return process

    def nginx(self):
        """As docker-entrypoint.sh of the image of nginx does it: the script first, then nginx."""
        self.join("nginx")
        tls, cache = self.folder / "tls", self.folder / "cache"
        cache.mkdir(mode=0o755)
        target = self.folder / "nginx.conf"
        more = {"TLS_FOLDER": tls, "CACHE_FOLDER": cache, "TARGET": target, "SOURCE": ROOT / "deploy/nginx.conf"}
        more = {name: str(value) for name, value in more.items()}
        self.run("nginx", ["sh", ROOT / "deploy/compose/nginx.sh"], more=more)
        options = "daemon off; pid /run/nginx.pid; error_log stderr;"
        self.start("nginx", ["nginx", "-c", target, "-e", "stderr", "-g", options])
        eventually("nginx is healthy", lambda: self.is_healthy("nginx"))
        return self.addresses["nginx"]["entrance"], tls / "fullchain.pem"

    def join_backup(self):
        self.join("backup")
        (self.folder / "backups").mkdir()
        self.backups = {"BACKUP_FOLDER": str(self.folder / "backups")}

    def start_backup(self):
        script = ["bash", ROOT / "deploy/compose/backup.sh", *self.service("backup")["command"]]
        self.start("backup", script, more=self.backups)

    def backup(self, *command):
        return self.run("backup", ["bash", ROOT / "deploy/compose/backup.sh", *command], more=self.backups)


def succeeds(command, environment):
    command = [str(word) for word in command]
    return subprocess.run(command, env=environment, capture_output=True).returncode == 0


def read(file, **environment):
    """A compose file, as podman-compose understands it."""
    path = f"{STORAGE}/tools/bin:{os.environ['PATH']}"
    command = [STORAGE / "tools/bin/podman-compose", "--file", ROOT / file, "config"]
    return yaml.safe_load(sh(*command, env={**os.environ, **environment, "PATH": path}, cwd=ROOT))


def entrypoint():
    """The configuration of the image, and the command that it starts."""
    inspected = yaml.safe_load(sh(*buildah("inspect", "--type", "image", "postly")))
    config = inspected["Docker"]["config"]
    return config, config["Entrypoint"] + config["Cmd"]
