"""Figure 6: CPU to import domcore, and to print the help of the command line.

    python benchmarks/startup.py

Each command runs in a fresh interpreter, in turn, many times; what counts is the CPU of the
child, user and system, and the median. An interpreter that does nothing runs in turn as well,
and `import domcore` is held against ``import attr, pluggy, click`` with the interpreter in both.
"""

from __future__ import annotations

import resource
import subprocess
import sys

from measure import machine, median, parser, table

COMMANDS = {
    "python -c pass": ("-c", "pass"),
    "import attr, pluggy, click": ("-c", "import attr, pluggy, click"),
    "import domcore": ("-c", "import domcore"),
    "from domcore import Domcore": ("-c", "from domcore import Domcore"),
    "domcore --help": (
        "-c",
        "import sys; sys.argv = ['domcore', '--help']; from domcore.cli import main; main()",
    ),
}
MOST_RATIO = 1.5
MOST_HELP = 0.250


def cpu_of_child(arguments: tuple[str, ...]) -> float:
    """CPU seconds of one child process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ran = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if ran.returncode:
        raise SystemExit(f"{arguments}: {ran.stderr}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Every command in turn, as often as asked."""
    arguments = parser(__doc__)
    arguments.set_defaults(rounds=40)
    asked = arguments.parse_args()
    rounds = 2 if asked.smoke else asked.rounds
    found: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for command in COMMANDS.values():
        cpu_of_child(command)
    for _ in range(rounds):
        for name, command in COMMANDS.items():
            found[name].append(cpu_of_child(command))
    middle = {name: median(values) for name, values in found.items()}
    print(f"{machine()}, median of {rounds}\n")
    table(("command", "CPU ms"), [(name, f"{value * 1e3:.0f}") for name, value in middle.items()])
    yardstick = middle["import attr, pluggy, click"]
    table(
        ("figure", "found", "at most"),
        [
            ("import domcore to the yardstick", f"{middle['import domcore'] / yardstick:.2f}",
             MOST_RATIO),
            ("domcore --help", f"{middle['domcore --help'] * 1e3:.0f} ms",
             f"{MOST_HELP * 1e3:.0f} ms"),
        ],
    )  # fmt: skip


if __name__ == "__main__":
    main()
