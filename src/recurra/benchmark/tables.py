"""The tables of a report, for people: made from what is stored, so that a stored run is shown as it was then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

HEADINGS = {"shape": "I, H, B, T, L", "hidden": "I = H"}


def print_report(report: Mapping[str, Any], console: Console) -> None:
    """Print what `Report.as_dict` gives: a table of each kind, what it reached, and the machine."""
    for table in report["tables"]:
        console.print(f"[bold]{table['title']}[/bold]")
        console.print(_rows(table))
        for target in table["targets"]:
            console.print("  " + verdict(target))
        console.print()
    for line in limits(report):
        console.print(line)
    machine = report["machine"]
    console.print(f"{machine['processor']}, cores: {machine['cores']}; engine: {machine['engine']}")
    runtime = machine["onnxruntime"] or "absent"
    console.print(f"torch {machine['torch']}, ONNX Runtime {runtime}, recurra {machine['recurra']}; {machine['date']}")


def verdict(target: Mapping[str, Any]) -> str:
    """Say in a line what was reached, of what.

    >>> judged = {"target": "H ≥ 512", "figure": "speed", "rows": 6, "geometric_mean": 4.2, "worst": 3.9, "worst_row": "gru, 512",
    ...           "goal": 4.0, "bound": None, "differing": 0, "reached": True}
    >>> verdict(judged)
    'H ≥ 512: geometric mean 4.20× of 6 rows, target ≥ 4.00×; worst 3.90× (gru, 512): reached'
    """
    figure = target["figure"]
    sign = "≤" if figure == "time" else "≥"
    rows = f"{target['rows']} row{'s' * (target['rows'] != 1)}"
    bound = "" if target["bound"] is None else f", target {sign} {_figure(figure, target['bound'])}"
    differing = f"; {target['differing']} differ from the peer" if target["differing"] else ""
    return (
        f"{target['target']}: geometric mean {_figure(figure, target['geometric_mean'])} of {rows}, "
        f"target {sign} {_figure(figure, target['goal'])}; worst {_figure(figure, target['worst'])} ({target['worst_row']})"
        f"{bound}{differing}: {'reached' if target['reached'] else 'not reached'}"
    )


def limits(report: Mapping[str, Any]) -> list[str]:
    """Say what large matrix products and the reading of weights reached."""
    products = [each for each in report["limits"] if each["limit"] == "GEMM"]
    reads = [each for each in report["limits"] if each["limit"] == "read"]
    lines = [f"GEMM {each['precision']}, {_threads(each)}: {each['rate']:,.0f} GF/s" for each in products]
    if reads:
        sizes = {each["count"]: each["rate"] for each in sorted(reads, key=lambda each: each["count"])}
        shown = ", ".join(f"{size >> 10:,} kB at {rate:.0f} GB/s" for size, rate in sizes.items())
        lines.append(f"one core reads {shown}")
    return lines


def _rows(table: Mapping[str, Any]) -> Table:
    shown = Table(box=None, pad_edge=False)
    columns = [name for name in table["rows"][0] if name in ("cell", "shape", "hidden", "model")]
    limit = table["limit"]
    headings = [*columns, "recurra", "", "peer", "", "", table["figure"], *([f"of {limit}"] if limit else []), ""]
    for place, heading in enumerate(headings):
        numeric = heading in ("hidden", "recurra", table["figure"], f"of {limit}") or place == len(columns) + 3
        justify = "right" if numeric else "left"
        shown.add_column(HEADINGS.get(heading, heading), justify=justify, no_wrap=True)
    for row in table["rows"]:
        ours, peer = row["ours"], row["peer"]
        share = [] if not limit else ["–" if row["share"] is None else _figure("share", row["share"])]
        shown.add_row(
            *(str(row[name]) for name in columns),
            _time(ours["microseconds"]),
            _threads(ours),
            f"{peer['name']} {peer['precision']}",
            _time(peer["microseconds"]),
            _threads(peer),
            _figure(table["figure"], row[table["figure"]]),
            *share,
            "" if row["agrees"] else f"results differ by {row['difference']:.0e}, more than {row['tolerance']:.0e}",
        )
    return shown


def _time(microseconds: float) -> str:
    return f"{microseconds / 1e3:,.2f} ms" if microseconds >= 1e3 else f"{microseconds:.1f} µs"


def _threads(side: Mapping[str, Any]) -> str:
    return f"{side['threads']} thread{'s' * (side['threads'] != 1)}"


def _figure(name: str, value: float) -> str:
    return f"{value:.1%}" if name == "share" else f"{value:.2f}×"
