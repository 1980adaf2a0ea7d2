"""pgAdmin from PyPI, as entrypoint.sh of its image starts it, and what a browser would do with it."""

import json
import re
import shutil

from client import Client
from machine import ROOT, STORAGE, eventually

PACKAGE = next((STORAGE / "pgadmin/lib").glob("python*/site-packages/pgadmin4"), None)
PYTHON = STORAGE / "pgadmin/bin/python"


def start(compose):
    """Returns the address at which it listens."""
    compose.join("pgadmin")
    environment = compose.environment("pgadmin")
    data = compose.folder / "pgadmin"
    email = environment["PGADMIN_DEFAULT_EMAIL"]
    more = {
        "PGADMIN_SETUP_EMAIL": email,
        "PGADMIN_SETUP_PASSWORD": compose.secret("pgadmin_password"),
        "POSTLY_PGADMIN_DATA": str(data),
        "POSTLY_PGADMIN_PORT": environment["PGADMIN_LISTEN_PORT"],
    }
    # Instead of /pgadmin4/config_distro.py and /var/lib/pgadmin.
    (PACKAGE / "config_local.py").write_text(
        "import os\n"
        "DATA_DIR = os.environ['POSTLY_PGADMIN_DATA']\n"
        "SERVER_MODE = True\n"
        "DEFAULT_SERVER = '0.0.0.0'\n"
        "DEFAULT_SERVER_PORT = int(os.environ['POSTLY_PGADMIN_PORT'])\n"
        "UPGRADE_CHECK_ENABLED = False\n"
        "LOG_FILE = os.path.join(DATA_DIR, 'pgadmin4.log')\n"
        "SQLITE_PATH = os.path.join(DATA_DIR, 'pgadmin4.db')\n"
        "SESSION_DB_PATH = os.path.join(DATA_DIR, 'sessions')\n"
        "STORAGE_DIR = os.path.join(DATA_DIR, 'storage')\n"
    )
    compose.run("pgadmin", [PYTHON, PACKAGE / "setup.py", "setup-db"], more=more)
    servers = ROOT / "deploy/compose/servers.json"
    compose.run("pgadmin", [PYTHON, PACKAGE / "setup.py", "load-servers", servers, "--user", email], more=more)
    storage = data / "storage" / email.replace("@", "_")
    storage.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(compose.folder / "secrets/pgpass", storage / ".pgpass")
    (storage / ".pgpass").chmod(0o600)
    compose.start("pgadmin", [PYTHON, PACKAGE / "pgAdmin4.py"], more=more)
    browser = Client(compose.addresses["pgadmin"]["entrance"], int(environment["PGADMIN_LISTEN_PORT"]))
    eventually("pgAdmin has started", lambda: browser.answers("/misc/ping"))
    return browser, email


def tables(compose):
    """Logs in over HTTP, opens the server that is there, and returns the names of the tables."""
    browser, email = start(compose)
    _, _, page = browser.ask("GET", "/login")
    token = re.search(r'csrfToken&#34;: &#34;([^&]+)|csrfToken": "([^"]+)|name="csrf_token"[^>]*value="([^"]+)', page)
    token = next(filter(None, token.groups()))
    form = {"email": email, "password": compose.secret("pgadmin_password"), "csrf_token": token}
    status, headers, text = browser.ask("POST", "/authenticate/login", form, "application/x-www-form-urlencoded")
    assert status == 302 and "login" not in headers["Location"], f"log-in: {status} {headers['Location']} {text[:300]}"
    # The session has a new token now; the script of the page holds it.
    _, _, script = browser.ask("GET", "/browser/js/utils.js")
    token = re.search(r"pgAdmin\['csrf_token'\] = '([^']+)'", script).group(1)
    header = [("X-pgA-CSRFToken", token)]

    def nodes(kind, *parents):
        path = "".join(f"{parent}/" for parent in parents)
        status, _, text = browser.ask("GET", f"/browser/{kind}/nodes/{path}", headers=header)
        assert status == 200, f"{kind}: {status} {text[:300]}"
        answer = json.loads(text)
        # The list of servers has another name than all others.
        return {node["label"]: node["_id"] for node in answer["data"] or answer["result"]}

    group = next(iter(nodes("server_group").values()))
    server = nodes("server", group)["Postly"]
    status, _, text = browser.ask("POST", f"/browser/server/connect/{group}/{server}", {}, headers=header)
    assert status == 200 and json.loads(text)["data"]["connected"], f"connect: {status} {text[:500]}"
    database = nodes("database", group, server)["postly"]
    schema = nodes("schema", group, server, database)["public"]
    return set(nodes("table", group, server, database, schema))
