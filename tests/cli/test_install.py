"""install and uninstall: which pip is run, with what, and what becomes of its exit code."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from domcore import ConfigurationError
from domcore.cli import installing
from domcore.cli.installing import Pip


@pytest.fixture
def calls(monkeypatch) -> list[list[str]]:
    """The command lines that were run; the first exit code that is left is what they end with."""
    made: list[list[str]] = []

    def run(command: list[str]) -> int:
        made.append(list(command))
        return 0

    monkeypatch.setattr(installing, "run", run)
    return made


def test_pip_of_the_running_interpreter_installs(run, calls):
    assert run("install", "domcore-acme", "domcore-other[fast]==0.1").exit_code == 0
    assert run("install", "-U", "-e", "./a b", "-e", "c").exit_code == 0
    pip = [sys.executable, "-m", "pip", "install"]
    assert calls == [
        [*pip, "--", "domcore-acme", "domcore-other[fast]==0.1"],
        [*pip, "--upgrade", "--editable", "./a b", "--editable", "c", "--"],
    ]


def test_uninstalling_asks_unless_it_is_told_not_to(run, calls):
    assert run("uninstall", "domcore-shopify", "-y").exit_code == 0
    assert run("uninstall", "domcore-shopify").exit_code == 0
    pip = [sys.executable, "-m", "pip", "uninstall"]
    assert calls == [[*pip, "-y", "--", "domcore-shopify"], [*pip, "--", "domcore-shopify"]]


def test_domcore_itself_is_not_uninstalled(run, calls):
    told = run("uninstall", "-y", "domcore-shopify", "Domcore")
    assert (told.exit_code, calls) == (2, [])
    assert "no plugin" in told.stderr


HOSTILE = ("--index-url=http://evil.example", "-r/etc/passwd", "a; rm -rf /", "$(id)", "a\nb")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_never_an_option_and_never_a_shells(run, calls, name):
    assert run("install", "--any-name", "--", name).exit_code == 0
    assert run("uninstall", "-y", "--", name).exit_code == 0
    assert [command[-2:] for command in calls] == [["--", name]] * 2


@pytest.mark.parametrize(
    "name", ["shopify", "Woo.Commerce", "requests", "acme==1", "acme [x] >= 2"]
)
def test_a_name_that_may_be_anybodys_is_refused_unless_it_is_meant(run, calls, name):
    told = run("install", name)
    assert (told.exit_code, calls) == (2, [])
    assert "stranger" in told.stderr
    assert run("install", "--any-name", name).exit_code == 0
    assert calls[0][-1] == name


@pytest.mark.parametrize("name", ["shopify", "domcore-shopify", "domcore_files==0.1"])
def test_a_plugin_that_comes_with_domcore_is_not_looked_for_elsewhere(run, calls, name):
    told = run("install", name)
    assert (told.exit_code, calls) == (2, [])
    assert "./plugins/domcore-" in told.stderr


@pytest.mark.parametrize(
    "name", ["./a", "a/b", "domcore-acme", "git+https://host.example/a", "a.whl"]
)
def test_what_says_where_it_comes_from_is_installed(run, calls, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.whl").touch()
    assert run("install", name).exit_code == 0
    assert calls[0][-1] == name


def test_nothing_to_install_is_a_usage_error(run, calls):
    assert run("install").exit_code == 2
    assert run("uninstall").exit_code == 2
    assert calls == []


@pytest.mark.parametrize("code", [1, 2, 23])
def test_the_exit_code_is_pips(run, monkeypatch, code):
    monkeypatch.setattr(installing, "run", lambda command: code)
    assert run("install", "domcore-acme").exit_code == code
    assert run("uninstall", "domcore-shopify", "-y").exit_code == code


def fake_uv(folder: Path) -> Path:
    """A uv that writes down what it is told, and ends with 7."""
    file = folder / "uv"
    file.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > "$UV_TOLD"\nexit 7\n')
    file.chmod(0o755)
    return file


def without_pip(monkeypatch) -> None:
    real = installing.find_spec
    monkeypatch.setattr(installing, "find_spec", lambda name: None if name == "pip" else real(name))


def test_uv_stands_in_where_there_is_no_pip(run, tmp_path, monkeypatch):
    without_pip(monkeypatch)
    fake_uv(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("UV_TOLD", str(tmp_path / "told"))
    assert run("install", "domcore-acme", "-e", "x y").exit_code == 7
    told = (tmp_path / "told").read_text().splitlines()
    assert told == [
        "pip", "install", "--python", sys.executable, "--editable", "x y", "--", "domcore-acme",
    ]  # fmt: skip
    assert run("uninstall", "domcore-shopify", "-y").exit_code == 7
    told = (tmp_path / "told").read_text().splitlines()
    assert told == ["pip", "uninstall", "--python", sys.executable, "--", "domcore-shopify"]


def test_uv_does_not_ask_so_domcore_does(run, monkeypatch, calls):
    monkeypatch.setattr(Pip, "here", classmethod(lambda cls: cls("python", "/bin/uv")))
    assert run("uninstall", "domcore-shopify", stdin="n\n").exit_code == 1
    assert calls == []
    assert run("uninstall", "domcore-shopify", stdin="y\n").exit_code == 0
    assert len(calls) == 1


def test_with_neither_it_is_said_what_to_do(run, tmp_path, monkeypatch):
    without_pip(monkeypatch)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigurationError, match="ensurepip"):
        Pip.here()
    assert "-m ensurepip" in run("install", "./x").stderr


def test_a_real_process_is_run_without_a_shell(tmp_path, monkeypatch):
    monkeypatch.setenv("UV_TOLD", str(tmp_path / "told"))
    assert installing.run([str(fake_uv(tmp_path)), "a b", "$(id)", "*"]) == 7
    assert (tmp_path / "told").read_text().splitlines() == ["a b", "$(id)", "*"]
