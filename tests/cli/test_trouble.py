"""Databases that cannot be used, plugins that break, interruptions, closed pipes."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from domcore.demo.folder import DELIVERIES

MAIN = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from domcore.cli import main
main()
"""
"""The command line as a person starts it: a job of a shell script may have Ctrl-C switched off."""


@pytest.fixture
def environment(shopify: list[str]) -> dict[str, str]:
    paths = [*shopify, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def test_a_file_that_is_no_database_is_named(empty: Path, run) -> None:
    (empty / "domcore.db").write_bytes(b"not a database " * 1000)
    for command in (["orders"], ["route", "--all"], ["verify"], ["init"]):
        result = run(*command)
        assert result.exit_code == 1
        assert "domcore.db" in result.stderr
        assert result.stderr.count("\n") < 4


def test_somebody_elses_database_is_left_alone(tmp_path: Path, run) -> None:
    path = tmp_path / "other.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE orders (a)")
    other.commit()
    other.close()
    result = run("orders", "--store", path)
    assert result.exit_code == 1
    assert "other.db" in result.stderr
    other = sqlite3.connect(path)
    assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("orders",)]
    other.close()


def test_an_empty_file_becomes_a_store_like_a_new_one(tmp_path: Path, run) -> None:
    (tmp_path / "x.db").touch()
    assert run("orders", "--store", tmp_path / "x.db").exit_code == 0


def test_a_folder_is_no_store(empty: Path, run) -> None:
    (empty / "folder").mkdir()
    result = run("orders", "--store", "folder")
    assert result.exit_code == 1
    assert "folder" in result.stderr


def test_a_newer_store_is_refused(shop: Path, run) -> None:
    database = sqlite3.connect(shop / "domcore.db")
    columns = [row[1] for row in database.execute("PRAGMA table_info(_sqlite_migrations)")]
    known = database.execute("SELECT * FROM _sqlite_migrations").fetchone()
    values = dict(zip(columns, known, strict=True))
    values = {name: 999 if name == "id" else value for name, value in values.items()}
    values["name"] = "m999_from_the_future"
    marks = ", ".join("?" * len(values))
    database.execute(
        f"INSERT INTO _sqlite_migrations ({', '.join(values)}) VALUES ({marks})",
        list(values.values()),
    )
    version = database.execute("PRAGMA user_version").fetchone()[0]
    database.execute(f"PRAGMA user_version = {version + 1}")
    database.commit()
    database.close()
    result = run("orders")
    assert result.exit_code == 1
    assert "newer" in result.stderr


def test_a_store_that_is_locked_says_so(shop: Path, run) -> None:
    code = (
        "import sqlite3; other = sqlite3.connect('domcore.db', isolation_level=None);"
        "other.execute('BEGIN EXCLUSIVE'); print('held', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=shop, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout.readline() == b"held\n"
        result = run("cancel", "#1001", "--store", "domcore.db?busy_timeout=50")
        other.communicate(b"\n")
    assert result.exit_code == 1
    assert "another process holds the write lock" in result.stderr
    assert run("verify").exit_code == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to read-only files")
def test_a_read_only_store_says_so(shop: Path, run) -> None:
    (shop / "domcore.db").chmod(0o444)
    shop.chmod(0o555)
    try:
        result = run("cancel", "#1001")
    finally:
        shop.chmod(0o755)
    assert result.exit_code == 1
    assert "read-only" in result.stderr


BROKEN = {
    "acme_import": "raise RuntimeError('boom at import')",
    "acme_exit": "import sys; sys.exit(3)",
    "acme_hook": (
        "from domcore.hookspecs import hookimpl\n"
        "@hookimpl\ndef register_commands(cli):\n    raise ValueError('boom in hook')\n"
    ),
    "acme_garbage": (
        "from domcore.hookspecs import hookimpl\n"
        "@hookimpl\ndef register_channels(dom):\n    return ['no channel']\n"
    ),
    "acme_name": (
        "from domcore.hookspecs import hookimpl\n@hookimpl\ndef register_comands(cli): pass\n"
    ),
    "acme_good": (
        "import click\nfrom domcore.hookspecs import hookimpl\n"
        "@click.command()\ndef greet():\n    '''Say hello.'''\n    click.echo('hello')\n"
        "@click.command()\ndef route():\n    '''Not the real one.'''\n"
        "@hookimpl\ndef register_commands(cli):\n"
        "    cli.add_command(greet)\n    cli.add_command(route)\n"
    ),
}


@pytest.fixture
def strange_plugins(tmp_path: Path, monkeypatch) -> None:
    folder = tmp_path / "site"
    for name, text in BROKEN.items():
        info = folder / f"{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (folder / f"{name}.py").write_text(text)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[domcore]\n{name} = {name}\n")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.chdir(tmp_path)
    yield
    for name in BROKEN:
        sys.modules.pop(name, None)


def test_broken_plugins_break_neither_help_nor_commands(strange_plugins, run) -> None:
    result = run("--help")
    assert result.exit_code == 0
    assert "greet" in result.stdout
    assert "Say hello." in result.stdout
    for name in BROKEN:
        assert (name in result.stdout) == (name not in ("acme_good", "acme_garbage"))
    assert run("greet").stdout == "hello\n"
    assert run("config").exit_code == 0
    assert "Decide which node" in run("route", "--help").stdout


def test_plugins_says_what_is_wrong_with_each(strange_plugins, run) -> None:
    result = run("plugins")
    assert result.exit_code == 0
    shown = {line.split()[0]: line for line in result.stdout.splitlines()}
    assert "boom at import" in shown["acme_import"]
    assert "SystemExit" in shown["acme_exit"]
    assert "register_comands" in shown["acme_name"]
    assert shown["acme_good"].split()[2] == "ok"
    assert shown["acme_import"].split()[2] == "off"
    assert "failing 1 time " in shown["acme_hook"]
    assert "boom in hook" in shown["acme_hook"]
    assert "failing 1 time " in shown["acme_garbage"]
    assert max(map(len, shown.values())) < 160
    rows = {
        row["name"]: row
        for row in map(json.loads, run("plugins", "--json").stdout.split("\n")[:-1])
    }
    assert "register_channels: " in rows["acme_garbage"]["error"]
    assert "returned str where Channel is wanted" in rows["acme_garbage"]["error"]


def test_only_the_plugins_that_are_asked_for_load(strange_plugins, run, monkeypatch) -> None:
    monkeypatch.setenv("DOMCORE_LOAD_PLUGINS", "acme_good,nobody")
    shown = run("plugins").stdout
    assert "acme_import" not in shown
    assert shown.splitlines()[2].split() == ["nobody", "-", "off", "-", "not", "installed"]
    monkeypatch.setenv("DOMCORE_LOAD_PLUGINS", "")
    assert run("plugins").stdout == ""


def test_plugins_works_with_settings_that_cannot_be_read(tmp_path: Path, run, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "domcore.toml").write_text("engin = 1\n")
    result = run("plugins")
    assert result.exit_code == 0
    assert "did you mean 'engine'?" in result.stderr
    assert run("--help").exit_code == 0


@pytest.fixture
def start(environment: dict[str, str]) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a command in a process of its own, which does not outlive the test, or a minute."""
    started: list[tuple[subprocess.Popen[str], threading.Timer]] = []

    def launch(
        folder: Path, *args: str, before: str = "", **variables: str
    ) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", before + MAIN, *args],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=folder,
            env={**environment, "PYTHONUNBUFFERED": "1", **variables},
        )
        timer = threading.Timer(60, process.kill)
        timer.start()
        started.append((process, timer))
        return process

    yield launch
    for process, timer in started:
        timer.cancel()
        process.kill()
        process.communicate()


def test_a_closed_pipe_is_no_traceback(shop: Path, environment: dict[str, str]) -> None:
    python = shlex.join([sys.executable, "-c", MAIN])
    done = subprocess.run(
        f"{python} stock --limit 10000 --json | head -n 1",
        shell=True,
        capture_output=True,
        text=True,
        cwd=shop,
        env=environment,
        timeout=60,
        check=True,
    )
    assert done.stdout.count("\n") == 1
    said = done.stderr
    assert "Traceback" not in said
    assert "Error" not in said


def test_a_closed_pipe_does_not_stop_routing(shop: Path, environment: dict[str, str], run) -> None:
    anew(shop, run)
    python = shlex.join([sys.executable, "-c", MAIN])
    done = subprocess.run(
        ["bash", "-c", f"{python} route --all --json | head -n 1; echo ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        cwd=shop,
        env={**environment, "DOMCORE_ROUTING_BATCH": "5", "PYTHONUNBUFFERED": "1"},
        timeout=60,
        check=True,
    )
    assert done.stdout.splitlines()[1] == "4"
    assert done.stderr == ""
    assert run("orders", "--status", "open", "--json").stdout == ""
    assert run("verify").exit_code == 0


def anew(shop: Path, run) -> None:
    """The shop as it was before anything was routed."""
    for extra in ("", "-wal", "-shm", ".lock"):
        (shop / f"domcore.db{extra}").unlink(missing_ok=True)
    run("init")
    for what in ("network.toml", "items.csv", "stock.csv"):
        assert run("load", what.split(".")[0], what).exit_code == 0
    assert run("receive", "shop", DELIVERIES).exit_code == 4


SLOW = """
import time
import domcore.routing as routing
real = routing.Router._batch
def slow(self, orders, errand):
    done = real(self, orders, errand)
    print("batch", flush=True)
    time.sleep(0.3)
    return done
routing.Router._batch = slow
"""


def test_ctrl_c_keeps_what_is_committed_and_says_how_to_go_on(shop: Path, start, run) -> None:
    anew(shop, run)
    process = start(shop, "route", "--all", before=SLOW, DOMCORE_ROUTING_BATCH="5")
    for _ in range(3):
        assert process.stdout.readline() == "batch\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "routed and kept; run the same command again" in said
    assert "Traceback" not in said
    routed = run("orders", "--status", "allocated", "--limit", 1000).stdout.splitlines()
    assert 5 <= len(routed) <= 60
    assert run("verify").exit_code == 0
    assert run("route", "--all").exit_code == 4
    assert run("verify").exit_code == 0


RECEIVING = """
import time
import domcore.intake as intake
real = intake.Intake.receive
def slow(self, *given):
    done = real(self, *given)
    print("one", flush=True)
    time.sleep(0.05)
    return done
intake.Intake.receive = slow
"""


def test_ctrl_c_while_receiving_says_what_was_kept(shop: Path, start) -> None:
    process = start(shop, "receive", "shop", DELIVERIES, before=RECEIVING)
    for _ in range(3):
        assert process.stdout.readline() == "one\n"
    process.send_signal(signal.SIGINT)
    out, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "what was taken in is kept" in said
    assert re.search(r"Received \d+ deliveries: ", out)
    assert "Traceback" not in said


@pytest.mark.parametrize("command", ["verify", "orders", "explain #1001", "load stock stock.csv"])
def test_ctrl_c_ends_every_command_with_130(command: str, shop: Path, start) -> None:
    before = (
        "import domcore.app as app, os, signal\n"
        "app.Domcore.network = app.Domcore.verify = app.Domcore.orders = app.Domcore.order ="
        " lambda *a, **k: os.kill(os.getpid(), signal.SIGINT)\n"
    )
    process = start(shop, *command.split(), before=before)
    _, said = process.communicate(timeout=30)
    assert (process.returncode, said.strip()) == (130, "Stopped.")


def test_the_loop_of_work_ends_quietly(shop: Path, start) -> None:
    process = start(shop, "work", "--loop", "--every", "0.1")
    while (told := process.stdout.readline()) != "Nothing was due.\n":
        assert told, "the first round without work is told, the others are not"
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    more, said = process.communicate(timeout=30)
    assert (process.returncode, more, said) == (130, "", "")


@pytest.mark.parametrize("words", [["orders", "--sku"], ["timeline"], ["stock", "--sku"]])
def test_an_argument_that_is_no_text_is_a_usage_error(shop: Path, run, words: list[str]) -> None:
    result = run(*words, "\udcff")
    assert result.exit_code in (1, 2)
    assert isinstance(result.exception, SystemExit)
    assert result.stderr.count("\n") < 5
