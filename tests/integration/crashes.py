"""Runs that are broken off: for every call that changes something, the engine is killed or the answer is a wrong one.

What a user does then is what docs/recovery.md says, with the commands that are printed there.
"""

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from engine import ACCOUNT, ROOT, Emulator, Project, publish

Config = dict[str, Any]
State = Mapping[str, Any]

API, CI, ADA = (f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("service/api", "ci", "people/ada"))
KEY = f"arn:aws:kms:us-west-2:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
JOBS = {"github": "acme/tools", "tag": "v*"}
BOUNDARY = "arn:aws:iam::aws:policy/PowerUserAccess"
PLAIN: Config = {"domain": "acme", "readers": [API], "publishers": [CI]}
WEB = {"Effect": "Allow", "Principal": {"AWS": [ADA]}, "Action": ["codeartifact:CreateRepository"], "Resource": "*"}
UNPROTECTED = PLAIN | {"protect": False}

# For each key the config before, and the value that it is given. Changes are made backwards, too.
EDITS: dict[str, tuple[Config, object]] = {
    "domain": (UNPROTECTED, "renamed"),
    "repository": (UNPROTECTED | {"publicUpstream": True}, "renamed"),  # then the store is renamed, too
    "description": (PLAIN, "Ours"),
    "readers": (PLAIN, [API, ADA]),
    "publishers": (PLAIN, [{"principal": CI, "packages": ["acme-core"]}, JOBS]),
    "listPackages": (PLAIN, True),
    "closedPublishing": (PLAIN, True),
    "protect": (UNPROTECTED, True),
    "publicUpstream": (PLAIN | {"closedPublishing": True}, True),  # then the store has a policy
    "domainStatements": (PLAIN, [WEB]),
    "internalPackages": (PLAIN, ["acme-*", "billing"]),
    "encryptionKey": (UNPROTECTED | {"internalPackages": ["acme-*"]}, KEY),  # then the domain is made again, with both
    "attachIdentityPolicies": (PLAIN, True),
    "makeOidcProviders": (UNPROTECTED, ["github", "gitlab.com"]),
    "permissionsBoundary": (PLAIN | {"readers": [JOBS]}, BOUNDARY),
    "tags": (PLAIN, {"team": "platform"}),
}
EVERYTHING = PLAIN | {key: value for key, (_, value) in EDITS.items() if value != "renamed"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Transition:
    """From one config to another; `None` is a stack of which nothing is deployed."""

    before: Config | None
    after: Config | None

    @property
    def ends_protection(self) -> bool:
        """Whether what is protected before is not afterwards."""
        return bool(
            self.before and self.after and self.before.get("protect", True) and not self.after.get("protect", True)
        )

    @property
    def command(self) -> tuple[str, ...]:
        """What a user runs for it, and runs again."""
        return ("destroy" if self.after is None else "up", "--yes", "--skip-preview", "--stack", "dev")


TRANSITIONS: dict[str, Transition] = {
    "the first up": Transition(before=None, after=EVERYTHING),
    "the first up in an existing domain": Transition(before=None, after=PLAIN | {"existingDomain": True}),
    "destroy": Transition(before=EVERYTHING | {"protect": False}, after=None),
    "protect switched off for nobody": Transition(
        before={"domain": "acme"}, after={"domain": "acme", "protect": False}
    ),
}
for key, (before, value) in EDITS.items():
    TRANSITIONS[f"{key} changed"] = Transition(before=before, after=before | {key: value})
    if key != "encryptionKey":  # a domain keeps the key that is taken out of the config
        TRANSITIONS[f"{key} changed back"] = Transition(before=before | {key: value}, after=before)


@dataclass(frozen=True, kw_only=True, slots=True)
class Disturbance:
    """What happens to a call: whether AWS carries it out, and how it is answered."""

    executed: bool
    answer: str


DISTURBANCES = {
    "killed before": Disturbance(executed=False, answer="never"),
    "killed after": Disturbance(executed=True, answer="never"),
    "429": Disturbance(executed=False, answer="throttled"),
    "500": Disturbance(executed=False, answer="failed"),
    "closed before": Disturbance(executed=False, answer="closed"),
    "closed after": Disturbance(executed=True, answer="closed"),
}

PAGE = (ROOT / "docs/recovery.md").read_text()
# The headings of the page, each with what is printed when it helps: before the command is run again, and afterwards.
REFUSED, LOCKED, BROKEN, PANICS = "It refuses a policy", "It is locked", "It cannot load the checkpoint", "It panics"
CHANGED, GONE, THERE = "AWS has another policy than Pulumi knows", "It does not exist", "It already exists"
REPLACED = "Pulumi knows the one before it"
FIXES = {
    REFUSED: r"\w+PermissionsPolicy.*Invalid principal in policy: \"AWS\":\"(?!\")",
    LOCKED: r"the stack is currently locked by 1 lock\(s\)",
    BROKEN: r"error: failed to load checkpoint: EOF",
    PANICS: r"panic: (?s:.*)GetStackResourceOutputs",
    CHANGED: r"PermissionsPolicy.*ConflictException|ConflictException.*PermissionsPolicy",
    GONE: r"error: .*ResourceNotFoundException.* does not exist",
    THERE: r"\((private-pypi-(?!\w+-policy\)).*)\):\n +error: .*(?:EntityAlreadyExists|already exists)",
    REPLACED: r"\((private-pypi-.*)\):\n +error: Preview failed: resource '.*' already exists",
}
# What an import prints that has nothing to do.
NOT_IMPORTED = r"Resources:\n +\d+ unchanged"
TWICE, PENDING = "A policy was made twice", "It warns of pending operations"
TIDYING = {
    TWICE: r"Policy::private-pypi-\w+-policy, interrupted|\(private-pypi-\w+-policy\):\n +error: .*EntityAlreadyExists",
    PENDING: r"interrupted while creating",
}
AGAIN = "Run the same command again"
# How a run ended: by the last of these that took one of its headings.
ENDINGS: dict[str, set[str]] = {
    "by itself": set(),
    "when run again": {AGAIN},
    "after `pulumi cancel`": {LOCKED, PENDING},
    "after an empty file was deleted": {BROKEN},
    "after `pulumi up --refresh`": {CHANGED, GONE},
    "after an import or a deletion": {THERE, TWICE},
}

ARN = f"arn:aws:codeartifact:us-west-2:{ACCOUNT}"

# What is another one each time: times, ids, revisions, and the end of the names that the engine gives to policies.
VOLATILE = {
    *("createDate", "created", "createdTime", "created_at", "modified", "publishedTime"),
    *("policyId", "policyRevision", "policy_id", "revision", "role_id", "uniqueId"),
}
SUFFIX = re.compile(r"(?<=-policy)-[0-9a-f]{7}$")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")


def section(heading: str) -> str:
    """What the page says under a heading."""
    return PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def commands(heading: str, comment: str = "") -> str:
    """The first commands under a heading; with a comment also those below it."""
    first, *rest = re.findall(r"^```sh\n(.*?)^```$", section(heading), re.MULTILINE | re.DOTALL)
    if not comment:
        return first
    _, *parts = re.split(r"^# (.*)\n", "".join(rest), flags=re.MULTILINE)
    return first + dict(zip(parts[::2], parts[1::2], strict=True))[comment]


def plain(state: object) -> object:
    """A state without what is another one each time. As sorted lists: what is there twice stays there twice."""
    if isinstance(state, dict):
        items = cast("dict[str, object]", state).items()
        return sorted(([plain(name), plain(value)] for name, value in items if name not in VOLATILE), key=repr)
    if isinstance(state, list):
        return sorted(map(plain, cast("list[object]", state)), key=repr)
    return UUID.sub("", SUFFIX.sub("", state)) if isinstance(state, str) else state


def published(state: State) -> set[str]:
    """The files that are published."""
    return {*state["codeartifact"]["accounts"][ACCOUNT]["asset_content"]}


def denied(state: State) -> set[tuple[str, str]]:
    """What is denied: each Deny by its repository and its Sid."""
    policies: dict[str, Any] = state["codeartifact"]["accounts"][ACCOUNT]["repository_policies"]
    return {
        (repository, statement["Sid"])
        for repository, policy in policies.items()
        for statement in json.loads(policy["document"])["Statement"]
        if statement["Effect"] == "Deny"
    }


def upstreams(state: State) -> set[str]:
    """The repositories from which another one takes packages."""
    repositories: dict[str, Any] = state["codeartifact"]["accounts"][ACCOUNT]["repositories"]
    return {
        f"{each['domainName']}/{upstream['repositoryName']}"
        for each in repositories.values()
        for upstream in each["upstreams"]
    }


class Sweep:
    """A transition as it goes when nothing happens, to go through it again with disturbances."""

    calls: list[tuple[str, int]]
    """The calls that change something, in order. A number tells those apart that look the same."""

    def __init__(self, folder: Path, transition: Transition) -> None:
        self.folder, self.transition = folder, transition
        self.emulator = Emulator(folder)
        try:
            self._record()
        except BaseException:
            self.emulator.stop()
            raise

    def _record(self) -> None:
        before, after = self.transition.before, self.transition.after
        self.project = Project(self.folder, self.emulator)
        for name in ("service/api", "ci", "people/ada"):
            self.emulator.assume_role(name)
        if after and "existingDomain" in after:
            self.emulator.client("codeartifact").create_domain(domain="acme")
        if before:
            self.project.configure("dev", **before)
            self.project.up("dev")
            repository = before.get("repository", "private-pypi")
            publish(self.emulator.client("codeartifact"), "acme-core", repository, domain=before["domain"])
        if after:
            self.project.configure("dev", **after)
        self._before = self.emulator.state()
        shutil.copytree(self.folder / "state", self.folder / "before")
        known = len(self.emulator.changes())
        self.project.pulumi(*self.transition.command)
        self._after, self._recorded = self.emulator.state(), self.project.checkpoint("dev")
        assert self._is_settled()
        self._wanted = denied(self._after)
        names = [SUFFIX.sub("-*", change) for change in self.emulator.changes()[known:]]
        self.calls = [(name, names[: index + 1].count(name)) for index, name in enumerate(names)]
        assert self.calls

    def disturb(self, call: str, number: int, disturbance: Disturbance) -> str:
        """Go through the transition with a disturbance, end it as a user does, and return how it ended."""
        self.emulator.restore(self._before)
        shutil.rmtree(self.folder / "state")
        shutil.copytree(self.folder / "before", self.folder / "state")
        self._known, self._denied = len(self.emulator.changes()), denied(self._before)
        self.emulator.disturb(call, number, executed=disturbance.executed, answer=disturbance.answer)
        if disturbance.answer == "never":
            self.project.killed(*self.transition.command, when=self.emulator.wait_until_disturbed)
            self._look()
            if self.transition.ends_protection:
                self._lose_nothing()
            taken = self._carry_on()
        else:
            ended, printed = self._run()
            self.emulator.wait_until_disturbed()
            taken = set[str]() if ended else self._carry_on(printed)
        assert plain(self.emulator.state()) == plain(self._after)
        recorded = self.project.checkpoint("dev")
        assert recorded.get("pending_operations", []) == []
        # What is recorded as without a disturbance is previewed as without one.
        assert plain(recorded.get("resources")) == plain(self._recorded.get("resources")) or self._is_settled()
        *_, ending = (ending for ending, headings in ENDINGS.items() if not headings or headings & taken)
        return ending

    def _carry_on(self, printed: str = "") -> set[str]:
        """Do what the page says of what was printed, and run the command again, until it succeeds."""
        taken, log = {AGAIN}, printed
        for _ in range(6):
            for heading, pattern in FIXES.items():
                for names in {match.groups() for match in re.finditer(pattern, printed)}:
                    answer = self._follow(commands(heading, *names))
                    taken.add(heading)
                    if heading == THERE and re.search(NOT_IMPORTED, answer) and not re.search("error:", answer):
                        self._follow(commands(REPLACED, *names))
                        taken.add(REPLACED)
                    printed += answer
            ended, printed = self._run()
            log += printed
            if ended:
                break
        else:
            raise AssertionError(log)
        for heading, pattern in TIDYING.items():
            if re.search(pattern, log):
                printed = self._follow(commands(heading))
                if heading == TWICE:
                    for policy in printed.split():
                        self._follow(commands(heading, "delete").replace("ARN", policy))
                taken.add(heading)
        return taken

    def _lose_nothing(self) -> None:
        """What a run has not ended that takes the protection off is protected: it cannot be renamed."""
        after = self.transition.after or {}
        self.project.pulumi("cancel", "--yes", "--stack", "dev")
        self.project.configure("dev", **after | {"repository": "renamed"})
        for _ in range(2):
            result = self.project.pulumi(*self.transition.command, "--refresh", check=False)
            assert "private-pypi:repository: got 'renamed'" in result.stdout, result.stdout
            self._look()
        self.project.configure("dev", **after)

    def _run(self) -> tuple[bool, str]:
        """Whether the command of the transition succeeds, and what it prints."""
        result = self.project.pulumi(*self.transition.command, check=False)
        self._look()
        return result.returncode == 0, result.stdout + result.stderr

    def _follow(self, script: str) -> str:
        """Run commands of the page, and return what they print. Those that fail print what the page goes on with."""
        after = self.transition.after or {}
        domain, repository = after.get("domain", "acme"), after.get("repository", "private-pypi")
        for words in ("domain/", "repository/", "--domain "):
            script = script.replace(f"{words}acme", f"{words}{domain}")
        for words in (f"repository/{domain}/", "--repository "):
            script = script.replace(f"{words}private-pypi", f"{words}{repository}")
        result = self.project.try_to_follow(script.replace("STATE", "state"))
        self._look()
        assert result.returncode == 0 or re.search(FIXES[REPLACED], result.stdout), f"{script}\n{result}"
        return result.stdout

    def _look(self) -> None:
        """What holds at every moment: of what is to stay no package is lost and no Deny, and no upstream lacks one."""
        state = self.emulator.state()
        assert published(state) >= published(self._before) & published(self._after)
        assert denied(state) >= self._denied & self._wanted
        self._denied = denied(state)
        for repository, sid in self._wanted:
            unset = f"codeartifact:DeleteRepositoryPermissionsPolicy {ARN}:repository/{repository}"
            assert unset not in self.emulator.changes()[self._known :]
            if repository in upstreams(state) - upstreams(self._before):
                assert (repository, sid) in self._denied

    def _is_settled(self) -> bool:
        """Whether a preview shows no change; after `destroy`, whether Pulumi knows of nothing."""
        if self.transition.after:
            return self.project.changes("dev") == {}
        return self.project.recorded("dev") == set()
