"""The list of what passed and failed, and the commands that the checks run."""

import os
import subprocess
import sys
import threading
import time
import traceback

passed, failed = 0, []
wanted = sys.argv[1:]
lock = threading.Lock()


def check(what, function, *arguments):
    """Runs one check; returns what it returns, or None if it failed. Several may run at the same time."""
    global passed
    if wanted and not any(word in what for word in wanted):
        return None
    started = time.monotonic()
    try:
        result = function(*arguments)
    except Exception as error:
        text = error if isinstance(error, Refused) else traceback.format_exc()
        with lock:
            failed.append(what)
            print(f"{text}\ntest {what} ... FAILED", flush=True)
        return None
    told = f": {result}" if isinstance(result, str) and result else ""
    with lock:
        passed += 1
        print(f"  {what}: {time.monotonic() - started:.0f} s{told}\ntest {what} ... ok", flush=True)
    return result


class Refused(Exception):
    """A command that failed; its text is what it printed."""


def run(*command, cwd=None, **environment):
    """What the command prints, if it succeeds."""
    done = execute(command, cwd, environment, subprocess.STDOUT)
    if done.returncode != 0:
        raise Refused(f"$ {' '.join(map(str, command))}\n{done.stdout}")
    return done.stdout


def output(*command, cwd=None, **environment):
    """The standard output of a command that tells there what it found, whether it succeeds or not."""
    done = execute(command, cwd, environment, subprocess.PIPE)
    if not done.stdout:
        raise Refused(f"$ {' '.join(map(str, command))}\n{done.stderr}")
    return done.stdout


def execute(command, cwd, environment, errors):
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, **{name: str(value) for name, value in environment.items()}},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        # Nothing takes as long: it hangs.
        timeout=1800,
    )


def closing_line():
    verdict = "FAILED" if failed else "ok"
    print(f"\ntest result: {verdict}. {passed} passed; {len(failed)} failed;")
    return bool(failed)
