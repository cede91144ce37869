"""Microsoft's OpenAPI documents (MIT, vsts-rest-api-specs and azure-rest-api-specs).

They lie beside the project, not in it; without them the tests that need them are skipped.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from jsonschema import Draft4Validator, FormatChecker

SPECS = Path(__file__).parents[2] / "shared" / "specs"
# Nulls that Microsoft's own examples hold and its definitions forget.
NULLABLE = {
    "PatToken": ("token", "targetAccounts"),
    "PatTokenResult": ("patToken",),
    "SessionToken": (
        *("displayName", "targetAccounts", "token", "alternateToken", "publicData", "source"),
        "crossCompanyCorrelatingId",
    ),
    "TokenAdminPagedSessionTokens": ("continuationToken",),
    "InputDescriptor": ("type", "properties", "valueHint"),
}
# Microsoft's own example has them without a zone, which is no `date-time`.
ZONELESS = {"SessionToken": ("validFrom", "validTo")}
ENTRIES = {"AuditLogEntry", "DecoratedAuditLogEntry"}


def read(document: str) -> dict[str, Any]:
    """A document by its name."""
    # Some of them begin with a byte order mark.
    text = (SPECS / f"{document}.json").read_text(encoding="utf-8-sig")
    found: dict[str, Any] = json.loads(text)
    return found


def definitions(document: str) -> dict[str, Any]:
    """The definitions of a document, with the nulls that the service sends."""
    found: dict[str, Any] = with_nulls(read(document)["definitions"])
    for name, fields in NULLABLE.items():
        for field in set(fields) & set(found.get(name, {}).get("properties", ())):
            properties = found[name]["properties"]
            properties[field] = {"anyOf": [properties[field], {"type": "null"}]}
    for name in ZONELESS.keys() & found.keys():
        for field in ZONELESS[name]:
            del found[name]["properties"][field]["format"]
    for name in ENTRIES & set(found):  # Microsoft's own example has texts in it
        found[name]["properties"]["data"] = {"type": "object"}
    return found


def with_nulls(schema: Any) -> Any:  # noqa: ANN401  # any part of a document
    """A part of a document in which `x-nullable` says what it means to JSON Schema."""
    if isinstance(schema, list):
        return [with_nulls(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: with_nulls(each) for name, each in schema.items() if name != "x-nullable"}
    return {"anyOf": [found, {"type": "null"}]} if schema.get("x-nullable") is True else found


class Sent(NamedTuple):
    """A request.

    Attributes:
        method: in capitals.
        path: from where the document's paths begin.
        query: by name.
        body: the JSON of it; None for no body.
    """

    method: str
    path: str
    query: Mapping[str, str]
    body: object


def faults(sent: Sent, document: str) -> tuple[str, list[str]]:
    """The id of the operation that a request is of, and what of it is not as the document says.

    Fields of a body that the document does not know are allowed: what a service sent goes back to
    it as it came.
    """
    value = read(document)
    template, operation = _operation(sent, value)
    shared = value.get("parameters", {})
    declared = [
        shared[each["$ref"].rpartition("/")[2]] if "$ref" in each else each
        for each in operation["parameters"]
    ]
    given: dict[str, dict[str, object]] = {
        "path": _in_path(template, sent.path),
        "query": dict(sent.query),
        "body": {} if sent.body is None else {"body": sent.body},
        "header": {},
    }
    found = [
        f"{name} in the {place} is not declared"
        for place in ("path", "query", "body")
        for name in given[place].keys() - {_name(each) for each in declared if each["in"] == place}
    ]
    for each in declared:
        found += _faults_of(each, given[each["in"]], document)
    version = operation.get("x-ms-docs-override-version") or value["info"]["version"]
    if sent.query.get("api-version") != version:
        found.append(f"the version of the API is not {version}")
    return operation["operationId"], found


def _operation(sent: Sent, value: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    templates = [each for each in value["paths"] if _pattern(each).fullmatch(sent.path)]
    assert templates, f"the document has no path {sent.path}"
    template = min(templates, key=lambda each: each.count("{"))
    operations = value["paths"][template]
    assert sent.method.lower() in operations, f"there is no {sent.method} of {template}"
    return template, operations[sent.method.lower()]


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{[^}]+\}", "([^/]+)", template))


def _in_path(template: str, path: str) -> dict[str, object]:
    parts = _pattern(template).fullmatch(path)
    assert parts
    names = re.findall(r"\{([^}]+)\}", template)
    return {name: unquote(part) for name, part in zip(names, parts.groups(), strict=True)}


def _name(parameter: Mapping[str, Any]) -> str:
    return "body" if parameter["in"] == "body" else str(parameter["name"])


def _faults_of(
    parameter: Mapping[str, Any], given: Mapping[str, object], document: str
) -> Iterator[str]:
    name = _name(parameter)
    if name not in given:
        if parameter.get("required"):
            yield f"{name} is missing"
        return
    value = given[name]
    schema = dict(parameter.get("schema", parameter))
    if parameter["in"] != "body":
        del schema["required"]  # a list in a schema
        if parameter["type"] in {"integer", "boolean"}:
            value = json.loads(str(value))
    whole = {"allOf": [schema], "definitions": definitions(document)}
    for error in Draft4Validator(whole, format_checker=FormatChecker()).iter_errors(value):
        yield f"{name}: {error.message} ({'/'.join(map(str, error.path))})"
