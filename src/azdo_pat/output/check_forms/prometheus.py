"""Write findings as metrics, for the textfile collector of Prometheus' node_exporter.

Source: "Exposition formats". There are no timestamps: node_exporter rejects a file that has one.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from azdo_pat.findings import Checked, Everyone
from azdo_pat.output.check_forms.watched import Watched, report_of
from azdo_pat.output.sanitize import without_commands


def prometheus_text(checked: Checked) -> str:
    """Return the metrics of the tokens that are watched, and the number of findings."""
    everyone = checked.everyone
    # Two files must not have the same series: each collector reads those of several checks.
    family = "pat" if everyone is None else "pat_admin"
    whole = "" if everyone is None else _labels({"org": everyone.org})
    tokens = report_of(checked).tokens
    pats = [each.pat for each in tokens]
    labels = [_token_labels(each, everyone) for each in tokens]
    # A series that comes twice would make the whole file invalid.
    expiries = {
        label: pat.expires.timestamp()
        for label, pat in zip(labels, pats, strict=True)
        if pat.expires is not None
    }
    globals_ = {label: float(pat.is_global) for label, pat in zip(labels, pats, strict=True)}
    found = Counter(
        _labels({"org": _org(each.org, everyone), "kind": each.kind, "severity": each.severity})
        for each in checked.findings
    )
    lines = [
        *_metric(
            f"{family}_check_timestamp_seconds",
            "When the tokens were checked.",
            {whole: checked.read_at.timestamp()},
        ),
        *_metric(
            f"{family}_check_complete",
            f"Whether every {'organization' if everyone is None else 'user'} could be read.",
            {whole: float(not checked.failures)},
        ),
        *_metric(
            f"{family}_token_expiry_timestamp_seconds",
            "When a token expires.",
            expiries,
        ),
        *_metric(
            f"{family}_token_global",
            "Whether a token is valid for all organizations of its user.",
            globals_,
        ),
        *_metric(
            f"{family}_check_findings",
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


def _token_labels(watched: Watched, everyone: Everyone | None) -> str:
    pat = watched.pat
    owner = {"owner": watched.owner.handle} if watched.owner else {}
    token = {"name": pat.name, "id": pat.id or "", "origin": pat.origin}
    return _labels({"org": _org(pat.org, everyone), **owner, **token})


def _org(org: str | None, everyone: Everyone | None) -> str:
    """Return the organization of a token; for a global one, that whose users are checked."""
    return (org or "") if everyone is None else everyone.org


def _labels(values: Mapping[str, str]) -> str:
    return "{" + ",".join(f'{name}="{_escaped(text)}"' for name, text in values.items()) + "}"


def _escaped(text: str) -> str:
    return without_commands(text).replace("\\", r"\\").replace('"', r"\"")
