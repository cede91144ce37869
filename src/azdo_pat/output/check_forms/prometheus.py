"""Write findings as metrics, for the textfile collector of Prometheus' node_exporter.

Source: "Exposition formats". There are no timestamps: node_exporter rejects a file that has one.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from azdo_pat.findings import Checked
from azdo_pat.models import Pat
from azdo_pat.output.check_forms.watched import report_of
from azdo_pat.output.sanitize import without_commands


def prometheus_text(checked: Checked) -> str:
    """Return the metrics of the tokens that are watched, and the number of findings."""
    pats = [each.pat for each in report_of(checked).tokens]
    labels = [_token_labels(pat) for pat in pats]
    # A series that comes twice would make the whole file invalid.
    expiries = {
        label: pat.expires.timestamp()
        for label, pat in zip(labels, pats, strict=True)
        if pat.expires is not None
    }
    globals_ = {label: float(pat.is_global) for label, pat in zip(labels, pats, strict=True)}
    found = Counter(
        _labels({"org": each.org or "", "kind": each.kind, "severity": each.severity})
        for each in checked.findings
    )
    lines = [
        *_metric(
            "pat_check_timestamp_seconds",
            "When the tokens were checked.",
            {"": checked.now.timestamp()},
        ),
        *_metric(
            "pat_check_complete",
            "Whether every organization could be read.",
            {"": float(not checked.failures)},
        ),
        *_metric(
            "pat_token_expiry_timestamp_seconds",
            "When a token expires.",
            expiries,
        ),
        *_metric(
            "pat_token_global",
            "Whether a token is valid for all organizations of its user.",
            globals_,
        ),
        *_metric(
            "pat_check_findings",
            "How much needs attention, by kind and severity.",
            found,
        ),
    ]
    return "".join(f"{line}\n" for line in lines)


def _metric(name: str, text: str, samples: Mapping[str, float]) -> Iterable[str]:
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} gauge"
    for labels, value in samples.items():
        yield f"{name}{labels} {value:.0f}"


def _token_labels(pat: Pat) -> str:
    return _labels(
        {"org": pat.org or "", "name": pat.name, "id": pat.id or "", "origin": pat.origin}
    )


def _labels(values: Mapping[str, str]) -> str:
    return "{" + ",".join(f'{name}="{_escaped(text)}"' for name, text in values.items()) + "}"


def _escaped(text: str) -> str:
    return without_commands(text).replace("\\", r"\\").replace('"', r"\"")
