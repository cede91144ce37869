import json
from base64 import b64decode

import pytest

from azdo_pat.models import Secret
from azdo_pat.output.formats import Format
from azdo_pat.output.machine import pat_document
from azdo_pat.output.secret_forms import SecretForm, secret_text
from azdo_pat.results import Held
from output.samples import LAPTOP, NOW, shown

HELD = Held(pat=LAPTOP, secret=Secret("s3cret-é"))


def test_token_is_the_secret_alone() -> None:
    assert secret_text(HELD, SecretForm.TOKEN, NOW) == "s3cret-é"


def test_basic_is_the_base64_of_an_empty_user_and_the_secret() -> None:
    text = secret_text(HELD, SecretForm.BASIC, NOW)
    assert b64decode(text, validate=True).decode() == ":s3cret-é"


def test_header_is_a_whole_header() -> None:
    basic = secret_text(HELD, SecretForm.BASIC, NOW)
    assert secret_text(HELD, SecretForm.HEADER, NOW) == f"Authorization: Basic {basic}"


def test_json_is_the_token_object_and_last_the_secret() -> None:
    document = json.loads(secret_text(HELD, SecretForm.JSON, NOW))
    assert document == {**pat_document(LAPTOP, NOW), "token": "s3cret-é"}
    assert list(document)[-1] == "token"


@pytest.mark.parametrize("form", list(Format))
def test_a_secret_is_printed_the_same_in_every_format(form: Format) -> None:
    text = shown(lambda renderer: renderer.secret(HELD, SecretForm.TOKEN), form=form)
    assert text == "s3cret-é\n"
