"""A Pulumi program and what it registers. The records alone: `recorder` runs the program, and needs the SDK."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from private_pypi.cli.errors import MistakesError


@dataclass(frozen=True, kw_only=True, slots=True)
class Program:
    """A program and where it runs."""

    path: str
    """The program's `__main__.py`."""
    project: str
    stack: str
    config: Mapping[str, str]
    """By full key, as the Pulumi CLI gives it to the program."""
    secret_keys: tuple[str, ...] = ()
    """Those of `config` of which the value, or a part of it, is encrypted."""
    account: str
    region: str
    partition: str
    salt: str = "00"
    """Hexadecimal digits, the same for two runs of which the secrets are compared."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Resource:
    """A resource as the program registered it. What is known only after `pulumi up` is `None`."""

    urn: str
    type: str
    name: str
    parent: str | None
    """The parent's URN; `None` for what is directly below the stack."""
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Those that a component registers."""
    custom: bool = True
    """Whether a provider makes it. What is below a component alone is none of its own doing."""
    protect: bool
    account: str
    """The account of its provider, 12 digits."""
    secrets: Mapping[str, str] = field(default_factory=dict[str, str])
    """Of the inputs that have a secret in them, what is equal where the secrets are."""
    sources: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    """Of the inputs that are made of other resources, the URNs of these."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Recording:
    """All that a program registered. What is known only after `pulumi up` is `None`, what is secret `[secret]`."""

    resources: tuple[Resource, ...]
    exports: Mapping[str, Any]
    secret_exports: Mapping[str, str] = field(default_factory=dict[str, str])
    """Of the exports that have a secret in them, what is equal where the secrets are."""
    warnings: tuple[str, ...]

    @classmethod
    def of(cls, recorded: Mapping[str, Any]) -> Self:
        """What `recorder` answers, which is what JSON holds."""
        return cls(
            resources=tuple(Resource(**each) for each in recorded["resources"]),
            exports=recorded["exports"],
            secret_exports=recorded["secret_exports"],
            warnings=tuple(recorded["warnings"]),
        )


def record(program: Program) -> Recording:
    """Run a program in this process.

    Raises:
        MistakesError: the program refuses its config, or fails.
    """
    from private_pypi.cli import recorder  # noqa: PLC0415  with the SDK, which takes time to import

    try:
        return Recording.of(recorder.record(asdict(program) | {"path": str(Path(program.path).resolve())}))
    except recorder.ProgramError as refused:
        raise MistakesError(str(refused)) from None
