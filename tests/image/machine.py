"""Stands in for Docker, which does not run here: every service is a process in a network namespace of its
own, with the addresses, the name server, the secrets and the environment that compose gives it. run.sh
starts us in namespaces of processes, mounts and networks, so that everything ends with us."""

import itertools
import os
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STORAGE = ROOT / "target" / "image"
PATIENCE = 120  # seconds until a service that does not start fails the test


def sh(*command, **options):
    """Runs a command to its end and returns what it printed."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed ({done.returncode}): {done.stdout}{done.stderr}")
    return done.stdout


def eventually(what, holds):
    end = time.monotonic() + PATIENCE
    while not (found := holds()):
        if time.monotonic() > end:
            raise AssertionError(f"this never happened: {what}")
        time.sleep(0.02)
    return found


class Networks:
    """The networks of a compose file as bridges, with a name server for each service, which knows the names
    of those that share a network with it."""

    def __init__(self, folder, subnets):
        self.folder, self.bridges, self.members = folder, {}, {}
        for number, (network, subnet) in enumerate(subnets.items()):
            prefix = subnet.rsplit(".", 1)[0]
            bridge = f"{folder.name}-{number}"
            sh("ip", "link", "add", bridge, "type", "bridge")
            sh("ip", "address", "add", f"{prefix}.1/24", "dev", bridge)
            sh("ip", "link", "set", bridge, "up")
            self.bridges[network] = (bridge, prefix, itertools.count(2))
        (folder / "resolv.conf").write_text("nameserver 127.0.0.11\n")

    def join(self, name, service, networks):
        """A namespace in these networks; returns its address in each."""
        sh("ip", "netns", "add", name)
        sh("ip", "-n", name, "link", "set", "lo", "up")
        addresses = {}
        for number, network in enumerate(networks):
            bridge, prefix, hosts = self.bridges[network]
            addresses[network], there = f"{prefix}.{next(hosts)}", f"eth{number}"
            here = f"{self.folder.name}-{len(self.members)}-{number}"
            sh("ip", "link", "add", here, "type", "veth", "peer", "name", there, "netns", name)
            sh("ip", "link", "set", here, "master", bridge, "up")
            sh("ip", "-n", name, "address", "add", f"{addresses[network]}/24", "dev", there)
            sh("ip", "-n", name, "link", "set", there, "up")
        self.members[name] = (service, addresses)
        self.publish()
        server = ["dnsmasq", "--keep-in-foreground", "--no-resolv", "--no-hosts", "--bind-interfaces"]
        server += ["--listen-address=127.0.0.11", f"--hostsdir={self.folder / name}.names", "--local-ttl=0"]
        server += ["--user=root", "--pid-file", "--conf-file=/dev/null"]
        subprocess.Popen(["ip", "netns", "exec", name, *server])
        return addresses

    def publish(self):
        """The name servers read the files again when they change."""
        for name, (_, own) in self.members.items():
            names = self.folder / f"{name}.names"
            names.mkdir(exist_ok=True)
            lines = [
                f"{addresses[network]} {service}\n"
                for service, addresses in self.members.values()
                for network in addresses
                if network in own
            ]
            (names / "hosts").write_text("".join(lines))


class Process:
    """A service. Its log is kept in the folder."""

    def __init__(self, name, command, log, **options):
        self.name, self.log = name, log
        with log.open("ab") as output:
            self.started = time.monotonic()
            self.process = subprocess.Popen(
                [str(word) for word in command], stdout=output, stderr=output, stdin=subprocess.DEVNULL, **options
            )

    def inner(self, program):
        """The process that runs this program, below the ones that start it."""

        def find(pid):
            try:
                if os.path.basename(os.readlink(f"/proc/{pid}/exe")) == program:
                    return pid
                children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            except OSError:
                return None
            return next(filter(None, map(find, children)), None)

        # buildah has several threads, each of which may have started it.
        for entry in Path("/proc").glob("[0-9]*"):
            if find(entry.name) == entry.name and self.is_below(entry.name):
                return int(entry.name)
        return None

    def end(self):
        if self.process.poll() is None and (inner := self.inner("postly")):
            os.kill(inner, 9)
        self.process.wait()

    def is_below(self, pid):
        while pid not in ("0", "1"):
            if int(pid) == self.process.pid:
                return True
            try:
                status = Path(f"/proc/{pid}/status").read_text()
            except OSError:
                return False
            pid = status.split("PPid:")[1].split()[0]
        return False

    def check_runs(self):
        if self.process.poll() is not None:
            raise AssertionError(f"{self.name} ended ({self.process.returncode}):\n{self.log.read_text()[-3000:]}")


def in_namespace(name, folder, secrets, command, user=None, mounts=()):
    """A command with the name server and the secrets of a container, and /run for itself."""
    script = [
        "set -e",
        f"mount --bind {folder}/resolv.conf /etc/resolv.conf",
        "mount -t tmpfs -o mode=755 tmpfs /run",
        "mkdir /run/secrets /run/postgresql && chmod 777 /run/postgresql",
    ]
    script += [f"cp -p {file} /run/secrets/{secret}" for secret, file in secrets.items()]
    script += [f"mount --bind {source} {target}" for source, target in mounts]
    become = f"setpriv --reuid={user} --regid={user} --init-groups " if user else ""
    script.append(f'exec {become}"$@"')
    shell = ["unshare", "--mount", "--propagation", "private", "sh", "-c", "\n".join(script), "sh"]
    return ["ip", "netns", "exec", name, *shell, *command]


def buildah(*arguments):
    options = ["--root", STORAGE / "root", "--runroot", STORAGE / "runroot", "--storage-driver", "vfs"]
    return ["buildah", *options, *arguments]


class Image:
    """A container of the image that was built, without the isolation of Docker: buildah changes the root
    folder and the user, no more."""

    def __init__(self, name):
        # One of a run that was interrupted.
        subprocess.run(list(map(str, buildah("rm", name))), capture_output=True)
        self.name = sh(*buildah("from", "--pull-never", "--dns", "127.0.0.11", "--name", name, "postly")).strip()

    def command(self, namespace, environment, volumes, command):
        """The command that runs `command` in the container."""
        options = ["--isolation", "chroot", "--terminal=false"]
        for name, value in environment.items():
            options += ["--env", f"{name}={value}"]
        for source, target in volumes.items():
            options += ["--volume", f"{source}:{target}"]
        return ["ip", "netns", "exec", namespace, *buildah("run", *options, self.name, "--", *command)]

    def root(self):
        """The folder that is its root."""
        return Path(sh(*buildah("mount", self.name)).strip())

    def remove(self):
        sh(*buildah("rm", self.name))
