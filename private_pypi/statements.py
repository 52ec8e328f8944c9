"""Statements for the policy of a domain that others need there, checked as strictly as all else in a config.

What a statement lets somebody do is read back by `iam`, as that of our own is. The grammar is IAM's:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Self, cast

from private_pypi.arns import Arns
from private_pypi.errors import InvalidValueError, Mistakes, describe, nearest, parse_items, printable, wrong_type
from private_pypi.iam import Policy, Statement, matches, read_policy, statements_of
from private_pypi.names import ACCOUNT
from private_pypi.principals import ORGANIZATION, Principal

# The actions of CodeArtifact, each with the kinds of resource that it takes, without those of an account, for which no
# permissions policy is evaluated. Those that take none can be named for "*" alone:
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodeartifact.html
ACTIONS: Mapping[str, frozenset[str]] = {
    f"codeartifact:{action}": frozenset(kinds.split())
    for kinds, actions in {
        "": "CreatePackageGroup CreateRepository",
        "domain": "DeleteDomain DeleteDomainPermissionsPolicy DescribeDomain GetAuthorizationToken "
        "GetDomainPermissionsPolicy ListPackageGroups ListRepositoriesInDomain PutDomainPermissionsPolicy",
        "repository": "AssociateExternalConnection AssociateWithDownstreamRepository DeleteRepository "
        "DeleteRepositoryPermissionsPolicy DescribeRepository DisassociateExternalConnection GetRepositoryEndpoint "
        "GetRepositoryPermissionsPolicy ListPackages PutRepositoryPermissionsPolicy ReadFromRepository "
        "UpdateRepository",
        "package": "DeletePackage DeletePackageVersions DescribePackage DescribePackageVersion "
        "DisposePackageVersions GetPackageVersionAsset GetPackageVersionReadme ListPackageVersionAssets "
        "ListPackageVersionDependencies ListPackageVersions PublishPackageVersion PutPackageMetadata "
        "PutPackageOriginConfiguration UpdatePackageVersionsStatus",
        "package repository": "CopyPackageVersions",
        "package-group": "DeletePackageGroup DescribePackageGroup GetAssociatedPackageGroup "
        "ListAllowedRepositoriesForGroup ListAssociatedPackages ListSubPackageGroups UpdatePackageGroup "
        "UpdatePackageGroupOriginConfiguration",
        "domain package-group repository": "ListTagsForResource TagResource UntagResource",
    }.items()
    for action in actions.split()
}
_OF_ACCOUNT = {f"codeartifact:{action}" for action in ("CreateDomain", "ListDomains", "ListRepositories")}

OWN_SIDS = ("GetAuthorizationToken", "GetAuthorizationTokenByOrganization", "GetAuthorizationTokenByPattern")
"""The Sids that the program itself gives to statements of a domain's policy."""

_ELEMENTS = ["Sid", "Effect", "Principal", "Action", "Resource", "Condition"]
_RESOURCE = re.compile(
    r"arn:(?P<partition>[^:*?$]+):codeartifact:(?P<region>[^:*?$]+):(?P<owner>[0-9]{12}):"
    r"(?P<kind>domain|package|package-group|repository)/(?P<domain>[^/*?$\s]+)(?P<below>/[^$\s]+)?"
)
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
OPERATOR = re.compile(
    "(ForAllValues:|ForAnyValue:)?"
    "(String(Not)?(Equals(IgnoreCase)?|Like)|(Numeric|Date)((Not)?Equals|(Less|Greater)Than(Equals)?)|Bool|BinaryEquals|"
    "(Not)?IpAddress|Arn(Not)?(Equals|Like))(IfExists)?|Null"
)
# What names somebody: a condition that fails for whoever is not named, or, of a Deny, holds for whoever is not.
_NAMING: Mapping[tuple[str, str], re.Pattern[str]] = {
    **{
        (f"String{operator}", key): values
        for operator in ("Equals", "Like", "NotEquals", "NotLike")
        for key, values in (("aws:principalorgid", ORGANIZATION), ("aws:principalaccount", ACCOUNT))
    },
    **{
        (f"Arn{operator}", "aws:principalarn"): re.compile(r"arn:[^:*?$]+:iam::[0-9]{12}:[^$]+")
        for operator in ("Equals", "Like", "NotEquals", "NotLike")
    },
    **{
        (f"ForAnyValue:String{operator}", "aws:principalorgpaths"): re.compile(rf"{ORGANIZATION.pattern}/[^$]*")
        for operator in ("Equals", "Like")
    },
}


@dataclass(frozen=True, slots=True, init=False)
class DomainStatement:
    """A statement for the permissions policy of a domain, equal to those that say the same in another order."""

    text: str
    """The statement as JSON, minified, with what it lists sorted."""

    def __init__(
        self,
        content: Mapping[str, Any],
        *,
        domain: str | None = None,
        partition: str | None = None,
        region: str | None = None,
        owner: str | None = None,
    ) -> None:
        """Read a statement, of the named domain and of where it is, as far as that is known.

        Raises:
            InvalidArgsError: a part of it is a mistake.
            InvalidValueError: it is no map.
        """
        fields = _parse_map(content)
        mistakes = Mistakes()
        _refuse_elements(fields, mistakes)
        where = {"domain": domain, "partition": partition, "region": region, "owner": owner}
        sid = mistakes.read("Sid", fields["Sid"], _parse_sid, None) if "Sid" in fields else None
        effect = mistakes.read("Effect", fields.get("Effect"), _parse_effect, "")
        principal = mistakes.read("Principal", fields.get("Principal"), partial(_parse_principal, partition), None)
        actions = mistakes.read("Action", fields.get("Action"), partial(_parse_several, parse=_parse_action), ())
        resources = mistakes.read(
            "Resource", fields.get("Resource"), partial(_parse_several, parse=partial(_parse_resource, **where)), ()
        )
        condition: dict[str, dict[str, list[str]]] = {}
        if "Condition" in fields:
            condition = mistakes.read("Condition", fields["Condition"], partial(_parse_condition, partition), {})
        if not mistakes.found:
            mistakes.read("Action", (actions, resources), _refuse_without_effect, None)
        if principal == "*" and not any(path.startswith("Condition") for path, _ in mistakes.found):
            mistakes.read("Principal", (effect, condition), _refuse_everybody, None)
        mistakes.finish()
        statement: Statement = {
            **({"Sid": sid} if sid else {}),
            "Effect": effect,
            "Principal": principal,
            "Action": [*actions],
            "Resource": resources[0] if len(resources) == 1 else [*resources],
            **({"Condition": condition} if condition else {}),
        }
        object.__setattr__(self, "text", json.dumps(statement, separators=(",", ":")))

    @classmethod
    def parse(cls, value: object, **where: str | None) -> Self:
        """A statement, as one already or as a map, of where the domain is.

        Raises:
            InvalidArgsError: a part of it is a mistake.
            InvalidValueError: it is neither.
        """
        return cls(value.content if isinstance(value, cls) else cast("Mapping[str, Any]", value), **where)

    @property
    def content(self) -> Statement:
        """The statement as it stands in a policy."""
        return json.loads(self.text)

    @property
    def meaning(self) -> Statement:
        """The same without its Sid, which means nothing."""
        return {key: value for key, value in self.content.items() if key != "Sid"}

    @property
    def sid(self) -> str | None:
        """Its Sid, if it has one."""
        return self.content.get("Sid")


def refused_sids(statements: Sequence[DomainStatement | None]) -> Iterator[tuple[int, InvalidValueError]]:
    """The mistakes of statements whose Sid another one has too, each with its index; a policy has each once."""
    seen = {*OWN_SIDS}
    for index, each in enumerate(statements):
        if each and each.sid in seen:
            expected = "a Sid that no other statement of the policy has"
            yield index, InvalidValueError(got=repr(each.sid), expected=expected, fix="take the Sid out, or change it")
        elif each and each.sid:
            seen.add(each.sid)


def _parse_map(value: object) -> Mapping[str, Any]:
    match value:
        case Mapping():
            return cast("Mapping[str, Any]", value)
        case str() if value.lstrip().startswith(("{", "[")):
            fix = "write it without the quotes around it"
        case list() | tuple():
            fix = "write its statements one below the other, without the brackets around them"
        case _:
            fix = "write what the output domain_policy_statements shows between its brackets"
    raise wrong_type(cast("object", value), expected="a statement, which is a map", fix=fix)


def _refuse_elements(fields: Mapping[str, Any], mistakes: Mistakes) -> None:
    negated = [f"Not{name}" for name in ("Principal", "Action", "Resource")]
    for name in negated:
        if name in fields:
            expected = f"{name.removeprefix('Not')}, which names what the statement is about"
            fix = "name that: whatever is new would be in the statement too"
            mistakes.add(name, InvalidValueError(got=f"an element {name}", expected=expected, fix=fix))
    mistakes.refuse_unknown([name for name in fields if name not in negated], _ELEMENTS)


def _parse_sid(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch("[A-Za-z0-9]+", value):
        raise wrong_type(value, expected="letters and digits", fix="correct the Sid, or take it out")
    return value


def _parse_effect(value: object) -> str:
    if value not in ("Allow", "Deny"):
        raise wrong_type(value, expected="Allow or Deny", fix="write one of these")
    return cast("str", value)


def _parse_several(value: object, parse: Callable[[object], str]) -> tuple[str, ...]:
    """One text, or a list of them; sorted, each once."""
    texts = (parse(value),) if isinstance(value, str) else parse_items(value, parse)
    if not texts:
        raise InvalidValueError(got="an empty list", expected="at least one", fix="name what the statement is about")
    return tuple(sorted({*texts}))


_PRINCIPALS = '{"AWS": ...} with ARNs of roles and users and with accounts; or "*", with a condition that names them'


def _parse_principal(partition: str | None, value: object) -> object:
    if value == "*":
        return "*"
    kinds: Mapping[str, Any] = cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}
    if {*kinds} != {"AWS"}:
        got = describe(cast("object", value))
        if kinds:
            got = f"a map with {', '.join(printable(repr(key)) for key in kinds)}"
        raise InvalidValueError(got=got, expected=_PRINCIPALS, fix="name roles, users or accounts of AWS")
    names = kinds["AWS"]
    if names in ("*", ["*"]):
        return "*"
    mistakes = Mistakes()
    principals = mistakes.read(
        "AWS", names, partial(_parse_several, parse=partial(_parse_named, partition=partition)), ()
    )
    mistakes.finish()
    return {"AWS": [*principals]}


def _parse_named(value: object, partition: str | None) -> str:
    principal = Principal.parse(value, partition=partition)
    if principal.is_pattern or principal.is_organization:
        condition = '"StringEquals": {"aws:PrincipalOrgID": ...}'
        if principal.is_pattern:
            condition = '"ArnLike": {"aws:PrincipalArn": ...}, "StringEquals": {"aws:PrincipalAccount": ...}'
        fix = f'write the principal "*" and the condition {{{condition}}}'
        raise InvalidValueError(got=repr(principal.name), expected=_PRINCIPALS, fix=fix)
    return principal.name


def _parse_action(value: object) -> str:
    expected = "an action of CodeArtifact (codeartifact:GetAuthorizationToken), with * for what varies in its name"
    if not isinstance(value, str):
        raise wrong_type(value, expected=expected, fix="write one quoted string for each action")
    spelled = {action.lower(): action for action in (*ACTIONS, *_OF_ACCOUNT)}
    action = spelled.get(value.lower(), value)
    if action in _OF_ACCOUNT:
        fix = "take it out: allow it in identity policies"
        raise InvalidValueError(
            got=f"{action!r}, for which AWS evaluates no policy of a domain", expected=expected, fix=fix
        )
    if action not in ACTIONS and not (action.startswith("codeartifact:") and _meant(action)):
        near = nearest(value, [*ACTIONS])
        fix = f"did you mean `{near}`?" if near else "take it out: a domain's policy is about CodeArtifact alone"
        if value == "*":
            fix = "write codeartifact:*, or better the actions that are needed"
        raise InvalidValueError(got=printable(repr(value)), expected=expected, fix=fix)
    return action


def _meant(action: str) -> list[str]:
    """The actions that an action, or a pattern of actions, stands for."""
    return [each for each in ACTIONS if matches(action.lower(), each.lower())]


def _parse_resource(
    value: object, *, domain: str | None, partition: str | None, region: str | None, owner: str | None
) -> str:
    place = f"arn:{partition or 'aws'}:codeartifact:{region or 'REGION'}:{owner or 'ACCOUNT'}"
    name = domain or "DOMAIN"
    expected = (
        f'"*", or an ARN of this domain: {place}:domain/{name}, or with repository/{name}/, package/{name}/ or '
        f"package-group/{name}/, with * for what varies after that"
    )
    if value == "*":
        return "*"
    if not isinstance(value, str):
        raise wrong_type(value, expected=expected, fix="write one quoted string for each resource")
    match = _RESOURCE.fullmatch(value)
    if match is None or (match["kind"] == "domain") == bool(match["below"]):
        raise InvalidValueError(got=repr(value), expected=expected, fix="correct the ARN")
    known = {"domain": domain, "partition": partition, "region": region, "owner": owner}
    if any(text and match[part] != text for part, text in known.items()):
        fix = "take it out: no other domain is asked for this policy"
        raise InvalidValueError(got=repr(value), expected=expected, fix=fix)
    return value


def _parse_condition(partition: str | None, value: object) -> dict[str, dict[str, list[str]]]:
    expected = "a map of operators, each with a map of keys and their values"
    if not isinstance(value, Mapping) or not value:
        fix = "write the condition as IAM does, or take it out"
        raise wrong_type(cast("object", value), expected=expected, fix=fix)
    mistakes, parse = Mistakes(), partial(_parse_values, partition=partition)
    condition: dict[str, dict[str, list[str]]] = {}
    for operator, keys in sorted(cast("Mapping[object, Any]", value).items(), key=str):
        path = printable(str(operator))
        if not isinstance(operator, str) or not OPERATOR.fullmatch(operator):
            fix = "see the condition operators in the IAM user guide"
            mistakes.add(path, InvalidValueError(got="an operator that does not exist", expected=expected, fix=fix))
        elif not isinstance(keys, Mapping) or not keys:
            wrong = wrong_type(cast("object", keys), expected="a map of keys and their values", fix="add a key")
            mistakes.add(path, wrong)
        else:
            texts = cast("Mapping[object, Any]", keys).items()
            condition[operator] = {
                str(key): [*mistakes.read(f"{path}.{printable(str(key))}", (key, values), parse, ())]
                for key, values in sorted(texts, key=str)
            }
    mistakes.finish()
    return condition


def _parse_values(entry: tuple[object, object], *, partition: str | None) -> tuple[str, ...]:
    """The values of a key, which comes with them."""
    key, values = entry
    if not isinstance(key, str) or not re.fullmatch(r"[a-zA-Z0-9-]+:\S+", key):
        expected, fix = "a key of a condition (aws:PrincipalOrgID)", "correct the key"
        raise InvalidValueError(got=printable(repr(key)), expected=expected, fix=fix)
    items = cast("Sequence[object]", values) if isinstance(values, list | tuple) else [values]
    texts = _parse_several(items, _parse_value)
    for text in texts if key.lower() == "aws:principalarn" and partition else ():
        if re.match(r"arn:[^:*?$]+:", text) and not text.startswith(f"arn:{partition}:"):
            expected, fix = f"ARNs of the partition {partition}", "take it out: no policy reaches into another"
            raise InvalidValueError(got=repr(text), expected=expected, fix=fix)
    return texts


def _parse_value(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str() | int():
            return str(value)
        case _:
            raise wrong_type(value, expected="a text, a number or true or false", fix="correct the value")


def _refuse_without_effect(named: tuple[Sequence[str], Sequence[str]]) -> None:
    """Refuse an action without a resource that it takes, and the other way round: AWS takes both, to no effect."""
    actions, resources = named
    kinds = {resource: match["kind"] for resource in resources if (match := _RESOURCE.fullmatch(resource))}
    taken = {action: [ACTIONS[each] for each in _meant(action)] for action in actions}
    for action, ways in taken.items():
        if "*" in resources or any(kind in way for way in ways for kind in kinds.values()):
            continue
        possible = [f"a {kind}" for kind in sorted({kind for way in ways for kind in way})]
        expected = f"""it on {" or ".join([*possible, '"*"'])}, because AWS lets it be named for nothing else"""
        raise InvalidValueError(
            got=f"{action} on {', '.join(resources)}", expected=expected, fix="correct the resource"
        )
    for resource, kind in kinds.items():
        if not any(kind in way for ways in taken.values() for way in ways):
            expected = f"an action that takes {resource}"
            raise InvalidValueError(got=f"{', '.join(actions)} alone", expected=expected, fix="take the resource out")


def _refuse_everybody(said: tuple[str, Mapping[str, Mapping[str, Sequence[str]]]]) -> None:
    """Refuse everybody where no condition names an organization, accounts or ARNs."""
    effect, condition = said
    for operator, keys in condition.items():
        if "Not" in operator and effect != "Deny":
            continue
        for key, values in keys.items():
            form = _NAMING.get((operator, key.lower()))
            if form and all(form.fullmatch(value) for value in values):
                return
    expected = "with it a condition that names an organization, accounts or ARNs"
    fix = 'add {"StringEquals": {"aws:PrincipalOrgID": "o-..."}} for example, or name the principals'
    if effect == "Deny":
        fix = 'add {"StringNotEquals": {"aws:PrincipalOrgID": "o-..."}} for example, or name the principals'
    raise InvalidValueError(got='"*"', expected=expected, fix=fix)


Claim = tuple[str, object, str, str]
"""What a rule says: its effect, whom it is about (of a Deny with exceptions, these), an action and a resource."""


def claims_of(policy: Policy, arns: Arns, *, of_domain: bool) -> set[Claim]:
    """What a policy says, as far as it is understood: in single actions, each on what it is for.

    In a repository's policy `*` is that repository and its packages, in a domain's all that is in the domain. An action
    that is not known, or that by the reference takes none of the resources, is left as it is.
    """
    claims: set[Claim] = set()
    for rule in policy.rules:
        whom: Iterable[object] = [rule.principals] if rule.exempts else rule.principals
        for pattern in rule.actions:
            actions = _meant(pattern)
            said = {
                (action, arn)
                for action in actions
                for resource in rule.resources
                for arn in _takes(action, resource, arns, of_domain=of_domain)
            }
            if not said:
                said = {(action, resource) for action in actions or [pattern] for resource in rule.resources}
            claims |= {(rule.effect, who, *each) for who in whom for each in said}
    return claims


def _takes(action: str, resource: str, arns: Arns, *, of_domain: bool) -> Iterator[str]:
    """What a resource of a policy is for an action: nothing for one of another kind."""
    if resource != "*":
        kind = resource.split(":", maxsplit=5)[-1].partition("/")[0]
        if kind in ACTIONS[action] or re.search(r"[*?]", kind):
            yield resource
        return
    own = {"domain": arns.domain} if of_domain else {"repository": arns.repository, "package": arns.packages}
    kinds = ACTIONS[action]
    if of_domain and (not kinds or kinds - {"domain"}):
        yield "*"
    else:
        yield from (own[kind] for kind in kinds if kind in own)


def is_covered(claim: Claim, by: Collection[Claim]) -> bool:
    """Whether one of some claims says it, perhaps of more resources."""
    effect, who, action, arn = claim
    return claim in by or any(each[:3] == (effect, who, action) and matches(each[3], arn) for each in by)


def unsaid(text: str | None, others: Iterable[str | None], arns: Arns) -> list[str]:
    """The statements of a domain's policy that say what none of the `others` says, each as JSON, minified."""
    if text is None:
        return []
    policies = [read_policy(other, arns) for other in others]
    said = {claim for policy in policies for claim in claims_of(policy, arns, of_domain=True)}
    unclear = [_in_one_form(each.statement, arns) for policy in policies for each in policy.unclear]

    def is_said(statement: str) -> bool:
        policy = read_policy(statement, arns)
        claims = claims_of(policy, arns, of_domain=True)
        return all(is_covered(each, said) for each in claims) and (
            not policy.unclear or _in_one_form(statement, arns) in unclear
        )

    try:
        statements = [json.dumps(each, separators=(",", ":")) for each in statements_of(text)]
    except (ValueError, RecursionError):
        statements = [text]
    return [each for each in statements if not is_said(each)]


def _in_one_form(statement: str, arns: Arns) -> Any:
    """A statement, the same however it was written if it is one that a config can have."""
    try:
        where = {"domain": arns.domain_name, "partition": arns.partition}
        return DomainStatement.parse(json.loads(statement), **where).meaning
    except (ValueError, RecursionError):
        return statement
