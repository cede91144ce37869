"""Measures `pat` against its yardsticks and says which targets are met.

    python benchmarks/run.py [NAME…] [--quick] [--json FILE]

Exit code 1: a target is missed, or could not be measured. It needs the project with its emulator
and the dependency group `tests`, and for `getting` the Debian packages gnome-keyring and dbus.
"""

import argparse
import importlib
import json
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

from measuring import FailedError, Result

NAMES = (
    "starting",
    "getting",
    "answering",
    "ensuring",
    "listing",
    "paging",
    "checking",
    "revoking",
    "renewing",
    "applying",
    "journal",
    "scanning",
)
TESTS = Path(__file__).parent.parent / "tests"
QUICK = 4
"""What `--quick` divides the number of rounds by."""


def main() -> int:
    """Measure what the command line names, print the table, return the exit code."""
    parser = argparse.ArgumentParser(description="Measure pat against its yardsticks.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(NAMES)}")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, less sure")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there, too")
    options = parser.parse_args()
    if unknown := set(options.names) - set(NAMES):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    sys.path.append(str(TESTS))  # the drivers of the emulator and the keyring live there
    print(machine())
    results = []
    failures = []
    for name in options.names or NAMES:
        try:
            for result in measured(name, QUICK if options.quick else 1):
                results.append(result)
                print(row(result), flush=True)
        except FailedError as error:
            failures.append(name)
            print(f"{name} could not be measured: {error}", flush=True)
    if options.json:
        options.json.write_text(json.dumps([document(each) for each in results], indent=2) + "\n")
    return 0 if not failures and all(result.met for result in results) else 1


def measured(name: str, quick: int) -> Iterator[Result]:
    """Run one benchmark and yield its results as they come."""
    results: Iterator[Result] = importlib.import_module(name).measure(quick)
    return results


def machine() -> str:
    """Describe the machine in general terms."""
    return f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def row(result: Result) -> str:
    """Write a result as a line of the table."""
    verdict = "met" if result.met else "MISSED"
    target = f"{result.bound.value} {result.target:g}"
    return f"{result.measured:58} {result.ratio:6.2f}  {target:13} {verdict:7} {result.figures}"


def document(result: Result) -> dict[str, object]:
    """Write a result as JSON."""
    return {
        "measured": result.measured,
        "ratio": round(result.ratio, 3),
        "bound": result.bound.value,
        "target": result.target,
        "met": result.met,
        "figures": result.figures,
    }


if __name__ == "__main__":
    sys.exit(main())
