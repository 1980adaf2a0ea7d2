"""Clients that generators make of the document: type-checked, and taken through the main journey."""

import shutil
import sys
from pathlib import Path

from checks import check, run
from postly import PASSWORD

HERE = Path(__file__).resolve().parent
BIN = Path(sys.executable).parent
NPM = HERE / "node_modules/.bin"
SOURCES = HERE / "clients"


def use_clients(site, document, folder):
    python, typescript = folder / "python", folder / "typescript"
    if check("openapi-python-client makes a client without a warning", make_python, document, python):
        check("mypy accepts the Python client and its journey", type_check_python, python)
        check("the Python client makes the journey", run, BIN / "python", python / "journey.py", site.api, PASSWORD)
    if check("openapi-typescript makes types", make_typescript, document, typescript):
        if check("tsc accepts the TypeScript journey", type_check_typescript, typescript):
            check("openapi-fetch makes the journey", run, "node", typescript / "journey.js", site.api, PASSWORD)


def make_python(document, folder):
    folder.mkdir()
    run(
        BIN / "openapi-python-client", "generate", "--path", document, "--output-path", folder / "postly_client",
        "--meta", "none", "--config", SOURCES / "python.yaml", "--fail-on-warning",
    )  # fmt: skip
    shutil.copy(SOURCES / "journey.py", folder)
    return f"{len(list(folder.rglob('*.py')))} files"


def type_check_python(folder):
    # Where a body has several media types, the generator forgets to import a name.
    forgotten = r"api/admin/replace_logo\.py$"
    return run(
        BIN / "mypy", "--strict", "--exclude", forgotten, "--cache-dir", folder / "cache", ".", cwd=folder
    ).strip()  # fmt: skip


def make_typescript(document, folder):
    folder.mkdir()
    for name in ("journey.ts", "tsconfig.json"):
        shutil.copy(SOURCES / name, folder)
    (folder / "package.json").write_text('{ "type": "module" }')
    (folder / "node_modules").symlink_to(HERE / "node_modules")
    run(NPM / "openapi-typescript", document, "--output", folder / "api.ts", NO_COLOR=1)
    return f"{len((folder / 'api.ts').read_text().splitlines())} lines"


def type_check_typescript(folder):
    run(NPM / "tsc", "--project", folder)
    return "strict"
