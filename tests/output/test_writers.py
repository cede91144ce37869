import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azdo_pat.formats import Format
from azdo_pat.models import Pat
from azdo_pat.output.render import Renderer, TableStyle
from azdo_pat.output.serialize import PAT_KEYS, pat_document
from output.samples import ALL, LAPTOP, NOW, PUBLISHING, STATUS, shown


def test_the_token_object_is_as_the_contract_says() -> None:
    assert shown(lambda renderer: renderer.show(PUBLISHING), form=Format.JSON) == (
        "{\n"
        '  "name": "ci publishing of packages",\n'
        '  "id": "3d1f0c2b-7b1e-4f0c-9d2e-0a1b2c3d4e5f",\n'
        '  "org": "contoso",\n'
        '  "status": "active",\n'
        '  "scopes": [\n'
        '    "vso.packaging_write",\n'
        '    "vso.code",\n'
        '    "vso.build_execute"\n'
        "  ],\n"
        '  "created": "2026-11-03T12:00:00Z",\n'
        '  "expires": "2026-11-28T19:00:00Z",\n'
        '  "expires_in_days": 5,\n'
        '  "global": false,\n'
        '  "stored": true,\n'
        '  "origin": "unknown"\n'
        "}\n"
    )


def test_a_list_is_one_array_and_jsonl_one_object_a_line() -> None:
    documents = [pat_document(pat, NOW) for pat in ALL]
    as_json = shown(lambda renderer: renderer.pats(ALL), form=Format.JSON)
    as_lines = shown(lambda renderer: renderer.pats(ALL), form=Format.JSONL)
    assert json.loads(as_json) == documents
    assert [json.loads(line) for line in as_lines.splitlines()] == documents
    assert shown(lambda renderer: renderer.pats(()), form=Format.JSON) == "[]\n"


def test_status_as_json_has_everything() -> None:
    document = json.loads(shown(lambda renderer: renderer.show(STATUS), form=Format.JSON))
    assert document == {
        "api_root": "https://vssps.dev.azure.com",
        "organization": {
            "name": "contoso",
            "url": "https://dev.azure.com/contoso",
            "id": "c-1",
            "hosted": True,
        },
        "organization_source": "PAT_ORG",
        "signed_in": True,
        "user": "ada@contoso.com",
        "tenant": "t-1",
        "token_source": "Azure CLI",
        "token_expires": "2026-11-23T12:52:00Z",
        "sources": [
            {"name": "PAT_ACCESS_TOKEN", "used": False, "detail": "not set"},
            {"name": "Azure CLI", "used": True, "detail": "az 2.91.0"},
        ],
        "identity": {"id": "i-1", "name": "Ada Lovelace", "mail": "ada@contoso.com"},
        "organizations": [
            {
                "name": "contoso",
                "url": "https://dev.azure.com/contoso",
                "id": None,
                "hosted": True,
            }
        ],
        "keyring": "Secret Service",
        "keyring_usable": True,
        "stored_secrets": 2,
        "config_file": "/home/ada/.config/pat/config.toml",
        "state_file": "/home/ada/.local/state/pat/state.db",
        "problems": ["the clock is off by 3 minutes; set it"],
        "pending": [],
    }


def test_csv_has_a_header_and_tsv_has_none() -> None:
    pats = (replace(PUBLISHING, name='a "b", c'), ALL[-1])
    line = (
        "3d1f0c2b-7b1e-4f0c-9d2e-0a1b2c3d4e5f,contoso,active,"
        "vso.packaging_write vso.code vso.build_execute,"
        "2026-11-03T12:00:00Z,2026-11-28T19:00:00Z,5,false,true,unknown\n"
    )
    assert shown(lambda renderer: renderer.pats(pats), form=Format.CSV) == (
        "name,id,org,status,scopes,created,expires,expires_in_days,global,stored,origin\n"
        f'"a ""b"", c",{line}'
        "部署令牌 🚀,,contoso,unknown,,,,,false,true,unknown\n"
    )
    assert shown(lambda renderer: renderer.pats(pats), form=Format.TSV) == (
        'a "b", c\t'
        + line.replace(",", "\t")
        + "部署令牌 🚀\t\tcontoso\tunknown\t\t\t\t\tfalse\ttrue\tunknown\n"
    )


@given(st.text(st.characters(exclude_categories=())))
def test_no_name_breaks_a_row(name: str) -> None:
    pats = (replace(LAPTOP, name=name), LAPTOP)
    tsv = shown(lambda renderer: renderer.pats(pats), form=Format.TSV)
    assert [line.count("\t") for line in tsv.splitlines()] == [len(PAT_KEYS) - 1] * 2
    rows = list(csv.reader(io.StringIO(shown(lambda r: r.pats(pats), form=Format.CSV))))
    assert [len(row) for row in rows] == [len(PAT_KEYS)] * 3


class Watched(io.StringIO):
    """A stream that knows how far it was written at each flush."""

    def __init__(self) -> None:
        super().__init__()
        self.flushed: list[int] = []

    def flush(self) -> None:
        self.flushed.append(self.getvalue().count("\n"))


@pytest.mark.parametrize("form", [each for each in Format if each.is_streamed])
def test_tokens_are_written_as_they_come(form: Format) -> None:
    out = Watched()
    header, lines = form is Format.CSV, form is not Format.NONE
    screen = TableStyle(color=False, width=None)

    def pages() -> Iterator[Pat]:
        for number in range(250):
            assert out.getvalue().count("\n") == header + number * lines
            yield LAPTOP

    renderer = Renderer(out=out, format=form, now=NOW, screen=screen)
    assert renderer.pats(pages()) == 250
    assert out.flushed == [header + number * lines for number in (100, 200, 250)]


def test_none_writes_nothing_and_counts() -> None:
    counts: list[int] = []
    text = shown(lambda renderer: counts.append(renderer.pats(iter(ALL))), form=Format.NONE)
    assert (text, counts) == ("", [len(ALL)])
    assert shown(lambda renderer: renderer.show(LAPTOP), form=Format.NONE) == ""
