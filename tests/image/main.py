"""The image that was built, started and driven: alone on SQLite, then as the services of compose.yaml."""

import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

import compose
import pgadmin
from client import PASSWORD, Client, Load
from machine import Image, Networks, Process, eventually, sh

passed, failed = 0, []


def check(what, function, *arguments):
    """Runs one test; what the next ones need is what it returns."""
    global passed
    try:
        result = function(*arguments)
    except Exception:
        traceback.print_exc()
        failed.append(what)
        print(f"test {what} ... FAILED", flush=True)
        return None
    passed += 1
    print(f"test {what} ... ok", flush=True)
    return result


def alone(folder):
    """compose.sqlite.yaml: the main job, a restart that keeps everything, and an orderly end."""
    config, program = compose.entrypoint()
    networks = Networks(folder, {"web": "10.213.9.0/24"})
    address = networks.join("alone", "postly", ["web"])["web"]
    service = compose.read("compose.sqlite.yaml")["services"]["postly"]
    environment = {**service["environment"], "POSTLY_DRAIN_SECONDS": "86400"}
    data = folder / "data"
    data.mkdir(mode=0o700)
    os.chown(data, 65532, 65532)
    image = Image("alone")
    before = contents(image.root())
    container = ("alone", environment, {data: "/data"})
    health = image.command(*container, config["Healthcheck"]["Test"][1:])
    assert not compose.succeeds(health, os.environ), "the health check of a container that is not running"
    started = time.monotonic()
    sh(*image.command(*container, [program[0], "--version"]))
    overhead = time.monotonic() - started

    def start():
        process = Process("alone", image.command(*container, program), folder / "alone.log")
        client = Client(address, 8000)
        eventually("it answers", lambda: process.check_runs() or client.answers())
        took = time.monotonic() - process.started - overhead
        print(f"  ready after {1000 * took:.0f} ms, apart from the {1000 * overhead:.0f} ms that buildah takes")
        assert compose.succeeds(health, os.environ), "the health check"
        return process, client

    process, client = start()
    inner = process.inner("postly")
    status = Path(f"/proc/{inner}/status").read_text()
    assert "Uid:\t65532\t65532" in status, status
    print(f"  {int(status.split('VmRSS:')[1].split()[0]) // 1024} MB of memory in use")
    client.register("ann")
    post = client.api("POST", "/posts", {"title": "Tides", "content": "They come *twice* a day."}, 201)
    assert "<em>twice</em>" in client.ask("GET", f"/posts/{post['id']}")[2]

    def stop(process):
        os.kill(process.inner("postly"), signal.SIGTERM)
        eventually("it is not ready", lambda: client.ask("GET", "/readyz")[0] == 503)
        client.api("GET", "/me")  # It serves while it drains.
        os.kill(process.inner("postly"), signal.SIGTERM)
        assert process.process.wait() == 0, process.log.read_text()[-2000:]

    stop(process)
    process, _ = start()
    assert client.api("GET", f"/posts/{post['id']}")["title"] == "Tides"
    assert client.api("GET", "/me")["username"] == "ann", "the session, whose key is in /data"
    stop(process)
    assert contents(image.root()) == before, "it wrote outside of /data"
    image.remove()


def contents(root):
    """Every file of the image with its time, apart from what buildah itself mounts."""
    skipped = {"proc", "sys", "dev", "run", "etc"}
    found = {}
    for path, folders, files in os.walk(root):
        if Path(path) == root:
            folders[:] = [name for name in folders if name not in skipped]
        for name in files:
            found[os.path.join(path, name)] = os.lstat(os.path.join(path, name)).st_mtime_ns
    return found


def services(folder):
    """compose.yaml with --scale postly=3."""
    stack = compose.Compose(folder, compose.entrypoint()[1])
    try:
        drive(stack)
    finally:
        for instance in stack.images.values():
            # buildah removes no container in which something runs.
            stack.processes[instance.name].end()
            instance.remove()


def drive(stack):
    if check("PostgreSQL starts and is healthy", lambda: stack.database() or True) is None:
        return
    names = ["postly-1", "postly-2", "postly-3"]
    if check("three instances start and are healthy", lambda: [stack.postly(name) for name in names]) is None:
        return
    address, certificate = check("nginx starts with its own certificate and is healthy", stack.nginx)
    client = Client(address, 443, compose.HOST, certificate)
    check("people register, post and read through nginx", through_nginx, client, address)
    check("pgAdmin opens on the tables of Postly", in_pgadmin, stack)
    check("the backup is written, checked, pruned and restored", backups, stack, client)
    check("SIGTERM of one instance under load fails no request", terminated, stack, client)
    check("SIGKILL of one instance under load fails no GET", killed, stack, client)


def through_nginx(client, address):
    client.register("ann")
    post = client.api("POST", "/posts", {"title": "Tides", "content": "Twice a day."}, 201)
    status, headers, page = client.ask("GET", f"/posts/{post['id']}")
    assert status == 200 and "Tides" in page and headers["Strict-Transport-Security"], headers
    addresses = {session["address"] for session in client.api("GET", "/me/sessions")["items"]}
    ours = address.rsplit(".", 1)[0] + ".1"
    assert addresses == {ours}, f"the address of the client, {ours}, not that of nginx: {addresses}"
    status, headers, _ = Client(address, 80, compose.HOST).ask("GET", "/posts")
    assert (status, headers["Location"]) == (308, f"https://{compose.HOST}/posts")


def in_pgadmin(stack):
    found = pgadmin.tables(stack)
    assert {"posts", "users", "votes"} <= found, found


def backups(stack, client):
    stack.join_backup()
    listed = lambda: stack.backup("list").split()
    environment = stack.config["services"]["backup"]["environment"]
    # Two hours ago, whatever the time is.
    environment["BACKUP_TIME"] = time.strftime("%H:%M", time.gmtime(time.time() - 7200))
    scheduled(stack, lambda: len(listed()) == 1)
    stack.backup("check")
    # The one of yesterday has been missed: the check says so, and the next start makes up for it.
    os.utime(listed()[0], (time.time() - 100_000,) * 2)
    try:
        stack.backup("check")
        raise AssertionError("an old backup is well")
    except RuntimeError as error:
        assert "the last backup is" in str(error), error
    in_another_second(listed)
    scheduled(stack, lambda: len(listed()) == 2)
    stack.backup("check")
    environment["BACKUP_KEEP"] = "2"
    in_another_second(listed)
    stack.backup("now")
    newest, *others = listed()
    assert len(others) == 1, others
    lost = client.api("POST", "/posts", {"title": "After the backup", "content": "lost"}, 201)
    stack.backup("restore", newest)
    client.api("GET", f"/posts/{lost['id']}", expected=404)
    assert client.api("GET", "/me")["username"] == "ann"


def in_another_second(listed):
    """The name of a backup is its time."""
    now = lambda: time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    eventually("the next one has another name", lambda: now() not in listed()[0])


def scheduled(stack, holds):
    """Runs the service until this is so, and stops it as Docker does."""
    stack.start_backup()
    service = stack.processes["backup"]
    eventually("there is a backup", lambda: service.check_runs() or holds())
    os.kill(service.inner("bash"), signal.SIGTERM)
    assert service.process.wait() == 0, service.log.read_text()


def terminated(stack, client):
    with Load(client, readers=6, writers=4) as load:
        for name in ("postly-1", "postly-2"):
            instance = stack.processes[name]
            os.kill(instance.inner("postly"), signal.SIGTERM)
            assert instance.process.wait() == 0, instance.log.read_text()[-2000:]
            before = instance.log.stat().st_size
            stack.postly(name)
            # nginx has left it out for a second.
            eventually("nginx asks it again", lambda: instance.log.read_text()[before:].count("/api/v1/posts") > 20)
    print(f"  two restarts during {load.answered['GET']} GETs and {load.answered['POST']} POSTs")
    assert load.answered["POST"] > 0 and not load.failed, load.failed[:5]


def killed(stack, client):
    with Load(client, readers=8, writers=0) as load:
        instance = stack.processes["postly-3"]
        os.kill(instance.inner("postly"), signal.SIGKILL)
        instance.process.wait()
        stack.postly("postly-3")
    print(f"  one crash during {load.answered['GET']} GETs")
    assert load.answered["GET"] > 0 and not load.failed, load.failed[:5]


with tempfile.TemporaryDirectory() as temporary:
    os.chmod(temporary, 0o711)
    for name in ("alone", "compose"):
        (Path(temporary) / name).mkdir(mode=0o711)
    check("the image alone does the main job, restarts and drains", alone, Path(temporary) / "alone")
    services(Path(temporary) / "compose")
    if failed and len(sys.argv) > 1:
        shutil.copytree(Path(temporary) / "compose", sys.argv[1], ignore=lambda folder, names: [n for n in names if not n.endswith(".log")], dirs_exist_ok=True)
verdict = "FAILED" if failed else "ok"
print(f"\ntest result: {verdict}. {passed} passed; {len(failed)} failed;")
sys.exit(bool(failed))
