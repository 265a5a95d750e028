from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = """
import json, sys
from domcore import Domcore, RoutingSettings, Settings
dom = Domcore(
    Settings(store=sys.argv[1], engine="python", routing=RoutingSettings(batch=10)),
    load_plugins=False,
)
def tell(routed):
    print(json.dumps([routed.order_id, routed.sequence]), flush=True)
try:
    dom.route(progress=tell)
except KeyboardInterrupt:
    dom.close()
    sys.exit(130)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGINT") or os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize("moment", [1, 25, 90])
def test_ctrl_c_keeps_what_was_committed_and_routing_resumes(moment: int, shop: Any) -> None:
    with shop.open() as dom:
        shop.fill(dom, 400)
    child = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(shop.path)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    acknowledged = [child.stdout.readline() for _ in range(moment)]
    child.send_signal(signal.SIGINT)
    acknowledged += child.stdout.readlines()
    child.stdout.close()
    assert child.wait(20) == 130
    promised = {tuple(json.loads(line)) for line in acknowledged}
    assert moment <= len(promised) < 400

    with shop.open() as dom:
        assert list(dom.verify()) == []
        kept = {row[:2] for row in dom.store.audit("decision")}
        assert promised <= kept
        assert len(kept) - len(promised) <= 10, "at most one batch was committed and not told"
        assert dom.route().placed == 400 - len(kept)
        assert list(dom.verify()) == []


def test_ctrl_c_while_planning_leaves_the_application_usable(shop: Any, tmp_path: Path) -> None:
    dom = shop.open()
    shop.fill(dom, 50)
    seen: list[int] = []

    def stop_soon(routed: Any) -> None:
        seen.append(routed.order_id)
        if len(seen) == 15:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dom.route(progress=stop_soon)
    assert list(dom.verify()) == []
    assert dom.route().placed == 30
    available = {row.node: row.available for row in dom.stock()}
    assert sum(available.values()) == 10_000 - 100
    assert list(dom.verify()) == []


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_ctrl_c_on_the_command_line_says_what_is_kept_and_how_to_go_on(shop: Any) -> None:
    with shop.open() as dom:
        shop.fill(dom, 2_000)
    command = [sys.executable, "-c", "from domcore.cli import main; main()", "route", "--all"]
    child = subprocess.Popen(
        [*command, "--store", str(shop.path), "--engine", "python"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=shop.path.parent,
    )
    watcher = sqlite3.connect(shop.path)
    while not watcher.execute("SELECT count(*) FROM decision").fetchone()[0]:
        assert child.poll() is None
    watcher.close()
    child.send_signal(signal.SIGINT)
    _, complaint = child.communicate(timeout=20)
    assert child.returncode not in (0, -signal.SIGINT)
    assert "Traceback" not in complaint
    with shop.open() as dom:
        assert list(dom.verify()) == []
        kept = sum(1 for _ in dom.store.audit("decision"))
        assert 0 < kept < 2_000
        assert dom.route().placed == 2_000 - kept
