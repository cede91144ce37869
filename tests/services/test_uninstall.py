"""Undoing one of many setups in a file does not do all of the others anew."""

from pathlib import Path

from azdo_pat.services.tool_setup.tool_file import ToolFile
from azdo_pat.services.tool_setup.uninstall import undo
from azdo_pat.store.setup_records import SetupEntry, SetupRecord
from azdo_pat.tools.registry import TOOLS
from azdo_pat.tools.tool import ToolInput

COUNT = 20
SECRET = "Abc123" * 14


def test_many_feeds_in_one_file(tmp_path: Path) -> None:
    texts: list[str] = []

    def edited(text: str, tool_input: ToolInput) -> str:
        texts.append(text)
        return TOOLS["npm"].edited(text, tool_input)

    url = "https://dev.azure.com/contoso"
    place = ToolFile(
        TOOLS["npm"]._replace(edited=edited), tmp_path / ".npmrc", tmp_path, ToolInput(org_url=url)
    )
    feeds = [
        f"https://pkgs.dev.azure.com/contoso/_packaging/f{n}/npm/registry" for n in range(COUNT)
    ]
    setups = tuple(SetupEntry(feed=feed, org_url=url, name="packages") for feed in feeds)
    text = ""
    for setup in setups:
        text = place.told(setup, SECRET).edited(text)
    place.path.write_bytes(text.encode())
    record = SetupRecord("npm", str(place.path), before=None, mode=None, setups=setups)
    texts.clear()
    for setup in reversed(setups):
        undo(record, setup, place, lambda _: [SECRET], leave_file=False, dry_run=False)
        record = record.without(setup)
    assert not place.path.exists()
    assert len(texts) < COUNT * COUNT
