"""The JSON Schema of a stack file, for editors and checks: made from the table of keys.

It takes nothing that the program refuses, except for what no schema can say: tests/unit/test_schema.py lists that. It
refuses one form that the program takes and that is easily mistaken: a number where text is expected.
Draft 7 is what editors know best: https://json-schema.org/draft-07. JavaScript and Python both read its patterns.
"""

import inspect
import json
from collections.abc import Mapping
from typing import Any

from private_pypi.args import PrivatePypiArgs
from private_pypi.arns import store_name
from private_pypi.keys import KEYS, NAMESPACE, Key
from private_pypi.names import (
    ACCOUNT,
    KEY_ARN,
    MAX_DESCRIPTION_CHARACTERS,
    MAX_PACKAGE_CHARACTERS,
    MAX_TAG_KEY_CHARACTERS,
    MAX_TAG_VALUE_CHARACTERS,
    MAX_TAGS,
    POLICY_ARN,
)
from private_pypi.principals import MAX_RESOURCE_CHARACTERS, ORGANIZATION, ROLE_OR_USER
from private_pypi.statements import OPERATOR
from private_pypi.workloads import HOST, ID, ISSUERS, MAX_HOST_CHARACTERS, MAX_REF_CHARACTERS, REF_KINDS, WORKFLOW

Schema = dict[str, Any]

MAX_REPOSITORY_CHARACTERS = 100

_NOT_GITHUB = f"(?!{ISSUERS['github'].host.replace('.', '[.]')}$)"
_NO_CONTROLS = r"\x00-\x1f\x7f-\x9f"
_TAG = r"(?:[A-Za-z0-9 _.:/=+@-]|[^\x00-\x7f])*"
# What is no name of a ref, as `workloads` has it; there the same is said of the whole name, and here of its beginning.
_REF = r"(?!.*(?:[ ~^\\\[]|\.\.|//|/\.|@\{|\$\{|\.lock(?:/|$)|[/.]$))(?![-./]|@$|refs/)"
_RESOURCE = (
    r"[*]|arn:[^:*?$]+:codeartifact:[^:*?$]+:[0-9]{12}:"
    r"(?:domain/[^/*?$\s]+|(?:package|package-group|repository)/[^/*?$\s]+/[^$\s]+)"
)
_REF_CHARACTER = rf"[^:*?{_NO_CONTROLS}]"


def schema() -> Schema:
    """The schema."""
    values = {name: _value(name, key) for name, key in KEYS.items()}
    spelled = "|".join(KEYS)
    config: Schema = {
        "type": ["object", "null"],
        "properties": {f"{NAMESPACE}:{name}": value for name, value in values.items()},
        # Another key of the namespace is a mistake. Those of other namespaces are not ours.
        "patternProperties": {f"^{NAMESPACE}:(?!(?:config:)?(?:{spelled})$)": False},
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Stack file of a private PyPI",
        "description": "Pulumi.STACK.yaml, as `private-pypi new` writes it and `pulumi config set` edits it.",
        "type": "object",
        "properties": {"config": config},
        "allOf": [_required(), *map(_when, _CONDITIONS)],
        "definitions": _definitions(),
    }


def schema_text() -> str:
    """The schema as a file has it."""
    return f"{json.dumps(schema(), indent=2)}\n"


def _required() -> Schema:
    """The domain is required, unless it may come from elsewhere, or is spelled in another way that Pulumi takes."""
    elsewhere: list[Schema] = [
        _config_has("domain"),
        _config_has(f"{NAMESPACE}:config:domain"),
        {"required": ["environment"]},
    ]
    given: Schema = {
        "required": ["config"],
        "properties": {"config": {"type": "object", "required": [f"{NAMESPACE}:domain"]}},
    }
    return {"if": {"anyOf": elsewhere}, "else": given}


def _config_has(name: str) -> Schema:
    return {"required": ["config"], "properties": {"config": {"type": "object", "required": [name]}}}


_ON: Schema = {"enum": [True, "true"]}
_GIVEN: Schema = {"type": "string", "minLength": 1}
_CONDITIONS: tuple[tuple[str, Schema, str, Schema, bool], ...] = (
    # When a key is thus, another one is thus; or has to be there and be thus.
    ("publicUpstream", _ON, "repository", {"maxLength": MAX_REPOSITORY_CHARACTERS - len(store_name(""))}, False),
    ("domainOwner", _GIVEN, "existingDomain", _ON, True),
    ("encryptionKey", _GIVEN, "existingDomain", {"not": _ON}, False),
    ("existingDomain", _ON, "domainStatements", {"maxItems": 0}, False),
)


def _when(condition: tuple[str, Schema, str, Schema, bool]) -> Schema:
    key, is_thus, other, then, is_required = condition
    key, other = f"{NAMESPACE}:{key}", f"{NAMESPACE}:{other}"
    case = {"type": "object", "required": [key], "properties": {key: is_thus}}
    consequence = {"properties": {other: then}} | ({"required": [other]} if is_required else {})
    return {
        "if": {"required": ["config"], "properties": {"config": case}},
        "then": {"properties": {"config": consequence}},
    }


def _value(name: str, key: Key) -> Schema:
    """What a key may hold."""
    default = inspect.signature(PrivatePypiArgs).parameters[key.field].default
    value: Schema = {"description": key.description}
    empty: Schema | list[Any] = [] if key.kind == "list" else {}
    if key.kind == "boolean":
        # Pulumi writes what it is given as text: `pulumi config set` makes "true" of it.
        return value | {"enum": [True, False, "true", "false"], "default": default}
    if key.kind == "list":
        return value | _or_json({"type": "array", "items": _LISTS[name]}, r"\[", r"\]") | {"default": empty}
    if key.kind == "map":
        return value | _or_json({"type": "object"} | _TAGS, r"\{", r"\}") | {"default": empty}
    return value | _TEXTS[name] | ({"default": default} if isinstance(default, str) else {})


def _or_json(value: Schema, first: str, last: str) -> Schema:
    """A list or a map, or JSON of one, as `pulumi config set` writes it: there no schema can look in. Or nothing."""
    return value | {"type": [value["type"], "string", "null"], "pattern": f"^\\s*{first}[\\s\\S]*{last}\\s*$"}


def _whole(pattern: str) -> str:
    """A pattern for the whole of a text: Python's `$` would leave the end of a line after it."""
    return f"^(?:{pattern})$(?!\\n)"


def _text(pattern: str, *, longest: int | None = None, may_be_absent: bool = False) -> Schema:
    """A text of a form; one that may be absent may also be empty, or nothing."""
    limit = {} if longest is None else {"maxLength": longest}
    if may_be_absent:
        return {"type": ["string", "null"], "pattern": _whole(f"|{pattern}")} | limit
    return {"type": "string", "pattern": _whole(pattern)} | limit


def _ref(name: str) -> Schema:
    return {"$ref": f"#/definitions/{name}"}


_TEXTS: Mapping[str, Schema] = {
    "domain": _text("[a-z][a-z0-9-]{0,48}[a-z0-9]"),
    "repository": _text(f"[A-Za-z0-9][A-Za-z0-9._-]{{1,{MAX_REPOSITORY_CHARACTERS - 1}}}"),
    "description": _text(f"[^{_NO_CONTROLS}]*", longest=MAX_DESCRIPTION_CHARACTERS),
    "domainOwner": _text(ACCOUNT.pattern, may_be_absent=True),
    "encryptionKey": _text(KEY_ARN.pattern, may_be_absent=True),
    "permissionsBoundary": _text(POLICY_ARN.pattern, may_be_absent=True),
}
_LISTS: Mapping[str, Schema] = {
    "readers": _ref("reader"),
    "publishers": _ref("publisher"),
    "domainStatements": _ref("statement"),
    "internalPackages": _ref("package"),
    "makeOidcProviders": {
        "type": "string",
        "anyOf": [{"const": "github"}, {"allOf": [_ref("host"), {"not": {"const": "github.com"}}]}],
    },
}
_TAGS: Schema = {
    "maxProperties": MAX_TAGS,
    "propertyNames": {
        "minLength": 1,
        "maxLength": MAX_TAG_KEY_CHARACTERS,
        "pattern": _whole(f"(?![aA][wW][sS]:){_TAG}"),
    },
    "additionalProperties": {"type": "string", "maxLength": MAX_TAG_VALUE_CHARACTERS, "pattern": _whole(_TAG)},
}


def _definitions() -> Schema:
    """What stands in lists."""
    role = f"(?=.{{1,{MAX_RESOURCE_CHARACTERS}}}$)(?:{ROLE_OR_USER.pattern})"
    principal = f"{ACCOUNT.pattern}|{ORGANIZATION.pattern}|arn:aws(?:-[a-z]+)*:iam::[0-9]{{12}}:(?:root|{role})"
    return {
        "principal": {
            "description": "The ARN of an IAM role or user, with * for what varies; an account; or an organization.",
            **_text(principal),
        },
        "package": {
            "description": "The name of a package, or the beginning of names: acme-*.",
            **_text(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?(?:[._-]+\*)?", longest=MAX_PACKAGE_CHARACTERS),
        },
        "packages": {"description": "What it may publish.", "type": "array", "minItems": 1, "items": _ref("package")},
        "host": {
            "description": "The host of a GitLab.",
            **_text(f"{_NOT_GITHUB}{HOST.pattern}", longest=MAX_HOST_CHARACTERS),
        },
        "limitedPublisher": {
            "type": "object",
            "required": ["principal", "packages"],
            "properties": {"principal": _ref("principal"), "packages": _ref("packages")},
            "additionalProperties": False,
        },
        "statement": _statement(f"{ACCOUNT.pattern}|arn:aws(?:-[a-z]+)*:iam::[0-9]{{12}}:(?:root|(?!.*[*]){role})"),
        "reader": _entry(publishes=False),
        "publisher": _entry(publishes=True),
        **{
            f"{name}{'Publisher' if publishes else 'Reader'}": _workload(name, publishes=publishes)
            for name in ISSUERS
            for publishes in (False, True)
        },
    }


def _statement(principal: str) -> Schema:
    """A statement of a policy. What there is of actions and resources, and what goes with what, the program knows."""
    value: Schema = {"type": ["string", "integer", "boolean"]}
    return {
        "type": "object",
        "description": "A statement for the domain's policy, as the output domain_policy_statements shows it.",
        "required": ["Effect", "Principal", "Action", "Resource"],
        "properties": {
            "Sid": _text("[A-Za-z0-9]+"),
            "Effect": {"enum": ["Allow", "Deny"]},
            "Principal": {
                "anyOf": [
                    {"const": "*"},
                    {
                        "type": "object",
                        "required": ["AWS"],
                        "properties": {"AWS": {"anyOf": [{"enum": ["*", ["*"]]}, *_several(_text(principal))]}},
                        "additionalProperties": False,
                    },
                ]
            },
            "Action": {"anyOf": _several(_text("codeartifact:[A-Za-z*?]+"))},
            "Resource": {"anyOf": _several(_text(_RESOURCE))},
            "Condition": {
                "type": "object",
                "minProperties": 1,
                "propertyNames": {"pattern": _whole(OPERATOR.pattern)},
                "additionalProperties": {
                    "type": "object",
                    "minProperties": 1,
                    "propertyNames": {"pattern": _whole(r"[a-zA-Z0-9-]+:\S+")},
                    "additionalProperties": {"anyOf": _several(value)},
                },
            },
        },
        "additionalProperties": False,
    }


def _several(one: Schema) -> list[Schema]:
    """One, or a list of them."""
    return [one, {"type": "array", "minItems": 1, "items": one}]


def _entry(*, publishes: bool) -> Schema:
    """An item of `readers` or `publishers`: which kind it is decides which mistakes are shown."""
    kind = "Publisher" if publishes else "Reader"
    workload = {"if": {"required": ["gitlab"]}, "then": _ref(f"gitlab{kind}"), "else": _ref(f"github{kind}")}
    limited = {"if": {"required": ["principal"]}, "then": _ref("limitedPublisher"), "else": workload}
    return {
        "type": ["string", "object"],
        "if": {"type": "string"},
        "then": _ref("principal"),
        "else": limited if publishes else workload,
    }


def _workload(issuer: str, *, publishes: bool) -> Schema:
    """A CI workload of an issuer."""
    kinds = [kind for kind in REF_KINDS if kind in ISSUERS[issuer].refs]
    fields = {issuer: _text(ISSUERS[issuer].project.pattern)} | {kind: _ref_name(kind) for kind in kinds}
    fields |= {_FIELDS[name][0]: _FIELDS[name][1] for name in ISSUERS[issuer].optional}
    others = {kind: {"not": {"anyOf": [{"required": [each]} for each in kinds if each != kind]}} for kind in kinds}
    both = {"ownerId": ["repositoryId"], "repositoryId": ["ownerId"]} if issuer == "github" else {}
    workload: Schema = {
        "type": "object",
        "description": f"Jobs of {ISSUERS[issuer].title}, by an IAM role that is made for them.",
        "required": [issuer],
        "properties": fields,
        "additionalProperties": False,
        "dependencies": others | both,
    }
    if publishes:
        fields["packages"] = _ref("packages")
        workload["anyOf"] = [{"required": [kind]} for kind in kinds]
    return workload


def _ref_name(kind: str) -> Schema:
    if kind == "environment":
        words = rf"[^ :*?{_NO_CONTROLS}]+"
        return _text(rf"(?!.*\$\{{){words}(?: {words})*", longest=MAX_REF_CHARACTERS)
    return _text(rf"{_REF}(?:{_REF_CHARACTER}+\*?|\*)", longest=MAX_REF_CHARACTERS)


_FIELDS: Mapping[str, tuple[str, Schema]] = {
    "owner_id": ("ownerId", _text(ID.pattern)),
    "repository_id": ("repositoryId", _text(ID.pattern)),
    "workflow": ("workflow", _text(WORKFLOW.pattern)),
    "host": ("host", _ref("host")),
}
"""The other fields of a workload, by the names that they have in its issuer's row: their own, and what they may be."""
