"""Pairs of whole projects, and what of their difference decides who gets in, where that is, or what is protected.

It is judged by what the policies allow whom, by what is registered, and by the files. Of the comparison only the exit
status is looked at.
"""

import contextlib
import io
import json
import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pulumi
from evaluator import Caller, allows
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mocks import DOMAIN_PERMISSIONS, POLICY_ATTACHMENT, REPOSITORY, REPOSITORY_PERMISSIONS, ROLE, ROLE_POLICY, ROOT

from private_pypi.cli import diff
from private_pypi.cli.errors import MistakesError
from private_pypi.cli.main import main
from private_pypi.cli.program import Program, Recording, record
from private_pypi.cli.unseen import File

OWNER = "111122223333"
ROLES = [f"arn:aws:iam::{OWNER}:role/ci-a", f"arn:aws:iam::{OWNER}:role/other", "arn:aws:iam::444455556666:role/ci-a"]
ORGANIZATION = "o-a1b2c3d4e5"
PRINCIPALS = [*ROLES, f"arn:aws:iam::{OWNER}:role/ci-*", "444455556666", ORGANIZATION]
ADMINISTRATION = {"Statement": [{"Effect": "Allow", "Action": ["codeartifact:*"], "Resource": ["*"]}]}
CALLERS = [
    Caller(arn=arn, identity_policies=policies, organization=organization)
    for arn in ROLES
    for policies in ((), (ADMINISTRATION,))
    for organization in (None, ORGANIZATION)
]
REQUIRED = {"aws:region": "us-west-2", "private-pypi:domain": "acme"}
PROGRAM = (ROOT / "__main__.py").read_text()

workloads = st.fixed_dictionaries(
    {
        "github": st.sampled_from(["acme/tools", "acme/core"]),
        "branch": st.sampled_from(["main", "release/*"]),
    },
    optional={"workflow": st.sampled_from(["publish.yml", "test.yml"])},
)
packages = st.lists(st.sampled_from(["tools", "acme-*"]), min_size=1, unique=True)
readers = st.one_of(st.sampled_from(PRINCIPALS), workloads)
publishers = st.one_of(
    st.sampled_from(PRINCIPALS),
    st.builds(
        lambda workload, of: workload | of, workloads, st.fixed_dictionaries({}, optional={"packages": packages})
    ),
    st.fixed_dictionaries(
        {
            "principal": st.sampled_from(PRINCIPALS),
            "packages": packages,
        }
    ),
)
texts = st.sampled_from(["a", "b"])
configs = {
    "private-pypi:repository": st.sampled_from(["tools", "private-pypi"]),
    "private-pypi:readers": st.lists(readers, max_size=2, unique_by=repr),
    "private-pypi:publishers": st.lists(publishers, max_size=2, unique_by=repr),
    "private-pypi:closedPublishing": st.booleans(),
    "private-pypi:protect": st.booleans(),
    "private-pypi:publicUpstream": st.booleans(),
    "private-pypi:internalPackages": st.lists(st.sampled_from(["acme-*", "tools"]), max_size=2, unique=True),
    "private-pypi:attachIdentityPolicies": st.booleans(),
    "private-pypi:tags": st.fixed_dictionaries({"team": texts}),
}
others = {
    "aws:allowedAccountIds": st.sampled_from([[OWNER], [OWNER, "444455556666"]]),
    "aws:profile": texts,
    "aws:maxRetries": st.integers(1, 2),
    "aws:config:endpoints": st.lists(st.fixed_dictionaries({"sts": texts}), max_size=1),
    "acme:anything": st.one_of(texts, st.fixed_dictionaries({"secure": texts})),
}
fields = {
    "environment": st.one_of(
        st.lists(texts, max_size=2), st.fixed_dictionaries({"values": st.dictionaries(texts, texts)})
    ),
    "secretsprovider": texts,
    "encryptedkey": texts,
    "encryptionsalt": texts,
    "unheard-of": st.one_of(st.none(), texts, st.lists(texts)),
}
files = {
    "__main__.py": st.sampled_from([PROGRAM, f"{PROGRAM}# the same\n"]),
    "module.py": texts,
    "requirements.txt": texts,
    "README.md": texts,
    "Pulumi.prod.yaml": texts,
}


PARTS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "config": configs,
    "other": others,
    "fields": fields,
    "files": files,
}


@st.composite
def pairs(draw: st.DrawFn, changed: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two projects, each with its config, other config, other fields and files; `changed` is which of these differ."""
    base = {kind: {name: draw(parts[name]) for name in draw(_names(parts, 0, 3))} for kind, parts in PARTS.items()}
    head = {**base, changed: dict(base[changed])}
    for name in draw(_names(PARTS[changed], 1, 2)):
        if head[changed].pop(name, None) is None or draw(st.booleans()):
            head[changed][name] = draw(PARTS[changed][name])
    return base, head


def hold(changed: str, *, max_examples: int) -> None:
    """Try pairs of projects that differ in `changed`: what decides does not pass."""

    @settings(max_examples=max_examples, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(data=st.data())
    def check(data: st.DataObject) -> None:
        projects: tuple[dict[str, Any], dict[str, Any]] = data.draw(pairs(changed))
        status, reasons = status_and_reasons(*projects)
        assert status in {1, 2} or not reasons

    check()


def _names(parts: Mapping[str, Any], min_size: int, max_size: int) -> st.SearchStrategy[set[str]]:
    return st.sets(st.sampled_from(sorted(parts)), min_size=min_size, max_size=max_size)


def status_and_reasons(base: Mapping[str, Any], head: Mapping[str, Any]) -> tuple[int, list[str]]:
    """The exit status of `diff --exit-code`, and what changes that has to make it another than 0."""
    recorded: dict[Path, Recording] = {}
    lock = threading.Lock()  # in one process programs run one after the other

    def record_here(program: Program) -> Recording:
        with lock:
            recording = _record(Path(program.path).read_text(), json.dumps(asdict(program) | {"path": ""}), program)
        recorded[Path(program.path).parent] = recording
        return recording

    def read_files(folder: Path) -> dict[str, File]:
        return {each.name: File("file", each.read_text()) for each in folder.iterdir() if each.is_file()}

    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folders = [Path(name).resolve() / side for side in ("base", "head")]
        for folder, project in zip(folders, (base, head), strict=True):
            folder.mkdir()
            shutil.copy(ROOT / "Pulumi.yaml", folder)
            # JSON is YAML
            stack_file = {**project["fields"], "config": REQUIRED | project["config"] | project["other"]}
            for file, text in {
                "__main__.py": PROGRAM,
                **project["files"],
                "Pulumi.dev.yaml": json.dumps(stack_file),
            }.items():
                (folder / file).write_text(text)
        for function, answer in {
            "find_commit": lambda *_: "base",
            "committed_files": lambda *_: read_files(folders[0]),
            "copy_out": lambda *arguments: shutil.copytree(folders[0], arguments[-1]),
            "working_files": lambda *_: read_files(folders[1]),
            "ignored_modules": lambda *_: iter(()),
            "count_elsewhere": lambda *_: 0,
        }.items():
            stack.enter_context(patch.object(diff, function, answer))
        stack.enter_context(
            patch("private_pypi.cli.process.recorder_process", lambda: contextlib.nullcontext(record_here))
        )
        stack.enter_context(contextlib.chdir(folders[1]))
        for stream in (contextlib.redirect_stdout, contextlib.redirect_stderr):
            stack.enter_context(stream(io.TextIOWrapper(io.BytesIO(), encoding="utf-8")))
        status = main(["diff", "--base", "base", "--exit-code"])
        after = recorded.pop(folders[1], None)
        before = next(iter(recorded.values()), None)
    return status, [*_reasons(base, head), *(_registered(before, after) if before and after else ["a mistake"])]


_RECORDED: dict[tuple[str, str], Recording] = {}


def _record(text: str, described: str, program: Program) -> Recording:
    """What a program registers. Where only something else differs, it is run once."""
    if (text, described) not in _RECORDED:
        try:
            _RECORDED[text, described] = record(program)
        except pulumi.RunError as refused:
            raise MistakesError(str(refused)) from None
    return _RECORDED[text, described]


def _reasons(base: Mapping[str, Any], head: Mapping[str, Any]) -> Iterator[str]:
    """The parts of the files that no preview shows."""
    harmless = {"aws:maxRetries", "README.md", "Pulumi.prod.yaml"}
    base, head = ({**each, "files": {"__main__.py": PROGRAM, **each["files"]}} for each in (base, head))
    for kind in ("other", "fields", "files"):
        for name in (base[kind].keys() | head[kind].keys()) - harmless:
            if _differ(base[kind], head[kind], name):
                yield name


def _differ(one: Mapping[str, Any], other: Mapping[str, Any], name: str) -> bool:
    return (name in one, one.get(name)) != (name in other, other.get(name))


def _registered(before: Recording, after: Recording) -> Iterator[str]:
    """What people gain, what is elsewhere, and what is protected no longer."""
    callers = [*CALLERS, *_made_roles(before), *_made_roles(after)]
    yield from (f"{who} may {what}" for who, what in sorted(_rights(after, callers) - _rights(before, callers)))
    yield from sorted(_trusted(after) - _trusted(before))
    for output in ("domain_arn", "repository_arn"):
        if before.exports[output] != after.exports[output]:
            yield output
    protected = {each.name for each in after.resources if each.protect}
    yield from (each.name for each in before.resources if each.protect and each.name not in protected)
    yield from sorted(_opened(after) - _opened(before))
    yield from sorted(_reserved(before) - _reserved(after))


def _reserved(recording: Recording) -> set[str]:
    """The package groups, each with where its packages may come from."""
    groups = [json.loads(each.inputs["desiredState"]) for each in recording.resources if "desiredState" in each.inputs]
    return {json.dumps([group["Pattern"], group["OriginConfiguration"]]) for group in groups}


def _made_roles(recording: Recording) -> list[Caller]:
    """Those of CI workloads, which have no policies but the ones that are made for them."""
    policies = {
        each.inputs["role"]: json.loads(each.inputs["policy"])
        for each in recording.resources
        if each.type == ROLE_POLICY
    }
    arns = recording.exports.get("role_arns", {}).values()
    return [Caller(arn=arn, identity_policies=(policies[arn.rpartition("/")[2]],)) for arn in arns]


def _trusted(recording: Recording) -> set[str]:
    """Whose jobs get which role."""
    roles = [each.inputs for each in recording.resources if each.type == ROLE]
    return {f"{each['name']} for {each['assumeRolePolicy']}" for each in roles}


def _rights(recording: Recording, callers: list[Caller]) -> set[tuple[str, str]]:
    arn, domain = recording.exports["repository_arn"], recording.exports["domain_arn"]
    packages = arn.replace(":repository/", ":package/")
    of_repository = _document(recording, REPOSITORY_PERMISSIONS)
    asked = [
        ("GetAuthorizationToken", domain, _document(recording, DOMAIN_PERMISSIONS)),
        ("ReadFromRepository", arn, of_repository),
        ("DeleteRepository", arn, of_repository),
        *(
            (action, f"{packages}/pypi//{package}", of_repository)
            for action in ("GetPackageVersionAsset", "PublishPackageVersion", "DeletePackageVersions")
            for package in ("tools", "acme-core", "other")
        ),
    ]
    return {
        (repr(caller), f"{action} {resource}")
        for action, resource, document in asked
        for caller in callers
        if allows(caller, f"codeartifact:{action}", resource, permissions_policy=document, owner=OWNER)
    }


def _document(recording: Recording, kind: str) -> Any:
    documents = [json.loads(each.inputs["policyDocument"]) for each in recording.resources if each.type == kind]
    return documents[0] if documents else None


def _opened(recording: Recording) -> set[str]:
    """Where packages come from, and who gets policies."""
    attached = {each.inputs["role"] for each in recording.resources if each.type == POLICY_ATTACHMENT}
    return attached | {
        each.name for each in recording.resources if each.type == REPOSITORY and "externalConnections" in each.inputs
    }
