"""What a stack file says of what is deployed: whoever had access has it, or is named."""

import json
from dataclasses import replace
from typing import Any

import pytest
from evaluator import Caller, allows, evaluated
from hypothesis import given
from hypothesis import strategies as st
from proof.matrix import ALONE, THERE, TOGETHER
from untraced import untraced

from private_pypi.args import PrivatePypiArgs
from private_pypi.arns import Arns
from private_pypi.cli.adoption import Adoption, Found, FoundDomain, FoundRepository, adopt
from private_pypi.errors import InvalidArgsError
from private_pypi.keys import KEYS
from private_pypi.policies import Documents, make_documents, policy_of_nothing
from private_pypi.workloads import Workload, make_roles

ACCOUNT, OTHER = "111122223333", "444455556666"
ARNS = Arns(partition="aws", region="us-west-2", owner=ACCOUNT, domain_name="acme", repository_name="tools")
ROLES, ELSEWHERE = f"arn:aws:iam::{ACCOUNT}:role", f"arn:aws:iam::{OTHER}:role"
GAINS = "What `pulumi up` adds"
LOSES = "What `pulumi up` takes away"
FORM = "policy is written in another form; what that changes for people is all said here."


def document(*statements: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def allow(who: object, *actions: str, resource: object = "*", **parts: Any) -> dict[str, Any]:
    named = [f"codeartifact:{action}" for action in actions]
    return {"Effect": "Allow", "Principal": {"AWS": who}, "Action": named, "Resource": resource} | parts


TOKEN = "GetAuthorizationToken"  # noqa: S105  an action
REPOSITORY = FoundRepository(description="Private PyPI repository", administrator=ACCOUNT)


def found(
    domain: str | None = None, repository: str | None = None, *, repositories: tuple[str, ...] = ("tools",), **more: Any
) -> Found:
    return Found(
        **{
            "account": ACCOUNT,
            "arns": ARNS,
            "repository": replace(REPOSITORY, policy=repository),
            "domain": FoundDomain(policy=domain, repositories=repositories),
        }
        | more
    )


def config(adoption: Adoption) -> dict[str, Any]:
    """Its keys, without the namespace."""
    return {
        key.removeprefix("private-pypi:"): value
        for key, value in adoption.config.items()
        if key.startswith("private-pypi:")
    }


def args_of(adoption: Adoption) -> PrivatePypiArgs:
    values = {KEYS[key].field: value for key, value in config(adoption).items()}
    return PrivatePypiArgs(**values).at("us-west-2", ACCOUNT)


def said(adoption: Adoption) -> dict[str, list[str]]:
    return {title: [*lines] for title, lines in adoption.remarks}


@untraced()
def deployed(given: dict[str, Any]) -> tuple[Found, Documents, bool]:
    """What a stack with a config has deployed, its documents, and whether it named roles that it has made."""
    fields = {KEYS[key].field: value for key, value in given.items()}
    args = PrivatePypiArgs(**fields).at("us-west-2", ACCOUNT)
    owner = args.domain_owner or ACCOUNT
    arns = Arns(
        partition="aws", region="us-west-2", owner=owner, domain_name=args.domain, repository_name=args.repository
    )
    workloads = [each for each in (*args.readers, *args.publishers) if isinstance(each, Workload)]
    roles = make_roles(workloads, arns, ACCOUNT, prefix="private-pypi-test")
    documents = make_documents(args, arns, ACCOUNT, roles)
    names = [args.repository, *([arns.store.repository_name] if args.public_upstream else [])]
    domain_policy = documents.domain
    if args.existing_domain:
        domain_policy = document(*json.loads(documents.domain_statements or ""))
        names.append("npm")
    store = FoundRepository(
        description=f"Packages of public PyPI for {args.repository}",
        connections=("public:pypi",),
        tags=args.tags,
        policy=documents.store,
    )
    there = Found(
        account=ACCOUNT,
        arns=arns,
        repository=FoundRepository(
            description=args.description,
            administrator=ACCOUNT,
            upstreams=tuple(names[1:2]) if args.public_upstream else (),
            tags=args.tags,
            policy=documents.repository or policy_of_nothing(arns, ACCOUNT),
        ),
        store=store if args.public_upstream else None,
        domain=FoundDomain(tags=args.tags, policy=domain_policy, repositories=tuple(names)),
    )
    return there, documents, bool(roles)


@pytest.mark.parametrize("given", (ALONE | THERE | TOGETHER).values(), ids=[*ALONE, *THERE, *TOGETHER])
def test_what_a_stack_has_deployed_is_adopted_and_nothing_changes(given: dict[str, Any]) -> None:
    there, documents, has_roles = deployed(given)
    adoption = adopt(there)
    args = args_of(adoption)
    again = make_documents(args, there.arns, ACCOUNT, [])
    remarks = said(adoption)
    remarks.pop("Why existingDomain", None)

    assert args.existing_domain == given.get("existingDomain", False)
    if has_roles:  # they are named by a condition, because IAM may not know them yet; here it does
        assert [line for line in remarks.pop("What else `pulumi up` changes", []) if not line.endswith(FORM)] == []
    else:
        assert (again.domain, again.repository, again.store) == (
            documents.domain,
            documents.repository,
            documents.store,
        )
    assert remarks == {}
    kept = {"description", "protect", "closedPublishing", "publicUpstream", "tags", "domainOwner", "repository"}
    if args.readers or args.publishers:
        kept.add("listPackages")
    assert {key: value for key, value in config(adoption).items() if key in kept} == {
        key: value for key, value in given.items() if key in kept
    }


def test_policies_that_were_made_by_hand_become_lists() -> None:
    adoption = adopt(
        found(
            document(allow([f"{ROLES}/api", OTHER, f"{ROLES}/npm"], TOKEN)),
            document(
                allow(f"{ROLES}/api", "ReadFromRepository"),
                allow(OTHER, "ReadFromRepository", "PublishPackageVersion", "GetPackageVersionAsset"),
                allow(f"{ROLES}/ci", "PublishPackageVersion", resource=ARNS.package("acme-core")),
            ),
        )
    )

    assert config(adoption) == {
        "domain": "acme",
        "repository": "tools",
        "readers": [f"{ROLES}/api"],
        "publishers": [{"principal": f"{ROLES}/ci", "packages": ["acme-core"]}, OTHER],
        "protect": False,
        "domainStatements": [allow([f"{ROLES}/npm"], TOKEN)],
    }
    download = "GetPackageVersionAsset on package/acme/tools/*, GetPackageVersionReadme on package/acme/tools/*"
    assert said(adoption)[GAINS] == [
        "to the domain's policy:",
        f"  {ROLES}/ci may now: GetAuthorizationToken on domain/acme",
        "to the repository's policy:",
        f"  {ROLES}/api may now: {download}",
        f"  {ROLES}/ci may now: {download}, ReadFromRepository on repository/acme/tools",
        f"  arn:aws:iam::{OTHER}:root may now: GetPackageVersionReadme on package/acme/tools/*",
    ]
    assert LOSES not in said(adoption)


def test_what_cannot_be_said_is_named_by_statement() -> None:
    listing = allow(f"{ROLES}/api", "ReadFromRepository", "ListPackages", Sid="Read")
    unclear = allow(f"{ROLES}/api", "ReadFromRepository", Condition={"Bool": {"aws:SecureTransport": "true"}})
    deleted = allow("AROAEXAMPLEEXAMPLE", "ReadFromRepository")
    several = allow(f"{ROLES}/ci", "PublishPackageVersion", resource=f"{ARNS.packages[:-1]}pypi//acme*")
    everything = {"Effect": "Allow", "Principal": "*", "Action": "codeartifact:*", "Resource": "*"}
    deny = {"Effect": "Deny", "Principal": "*", "Action": "codeartifact:DeletePackage", "Resource": "*"}
    adoption = adopt(found(document(everything), document(listing, unclear, deleted, several, deny)))

    lines = said(adoption)[LOSES]
    assert [line for line in lines if not line.startswith("  ")] == [
        f"of the {kind}'s policy: {json.dumps(each, separators=(',', ':'))}"
        for kind, each in [("domain", everything)]
        + [("repository", each) for each in (listing, unclear, deleted, several, deny)]
    ]
    assert f"  {ROLES}/api may no longer: ListPackages on repository/acme/tools" in lines
    assert "  what it lets people do or denies them, because it has a condition beside its principals" in lines
    assert "  everybody is denied no longer: DeletePackage on package/acme/tools/*" in lines
    assert "  AROAEXAMPLEEXAMPLE may no longer: ReadFromRepository on repository/acme/tools" in lines
    assert config(adoption)["readers"] == [f"{ROLES}/api"]


def test_a_domain_with_other_repositories_stays_with_whoever_has_it() -> None:
    npm = allow(f"{ROLES}/npm", TOKEN, Sid="GetAuthorizationToken")
    policy = document(allow(f"{ROLES}/api", TOKEN, resource=ARNS.domain), npm)
    repository = document(allow([f"{ROLES}/api", f"{ROLES}/ci"], "ReadFromRepository"))
    adoption = adopt(found(policy, repository, repositories=("npm", "tools", "web")))

    assert config(adoption)["existingDomain"] is True
    assert "domainStatements" not in config(adoption)
    assert [each["name"] for each in adoption.imports["resources"]] == [
        "private-pypi",
        "private-pypi-repository",
        "private-pypi-repository-permissions",
    ]
    why = said(adoption)["Why existingDomain"]
    assert why[0] == "The domain also has npm, web, whose people get their tokens by its policy."
    del npm["Sid"]
    assert json.loads(why[-1]) == [npm | {"Principal": {"AWS": [f"{ROLES}/npm"]}}]
    (line,) = said(adoption)["What the domain's owner adds to its policy"]
    assert json.loads(line)["Principal"] == {"AWS": [f"{ROLES}/api", f"{ROLES}/ci"]}


@pytest.mark.parametrize(
    ("more", "why", "owner"),
    [
        ({"domain": None, "unreadable": "AccessDenied"}, "The domain cannot be read whole", None),
        ({"arns": replace(ARNS, owner=OTHER)}, "The domain is of account 444455556666", OTHER),
        ({"repository": replace(REPOSITORY, administrator=OTHER)}, "The domain is of account 111122223333", ACCOUNT),
    ],
    ids=["cannot be read", "of another account", "made by another account"],
)
def test_where_it_cannot_be_told_who_needs_the_domain_it_stays_too(
    more: dict[str, Any], why: str, owner: str | None
) -> None:
    adoption = adopt(replace(found(), **more))

    assert config(adoption)["existingDomain"] is True
    assert config(adoption).get("domainOwner") == owner
    assert said(adoption)["Why existingDomain"][0].startswith(why)


def test_the_key_the_description_and_the_tags_that_all_have_are_kept() -> None:
    key = f"arn:aws:kms:us-west-2:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    tags = {"team": "data", "aws:cloudformation:stack-name": "x"}
    adoption = adopt(
        replace(
            found(),
            domain=FoundDomain(encryption_key=key, tags=tags | {"cost": "12"}, repositories=("tools",)),
            repository=replace(REPOSITORY, description="", tags=tags),
        )
    )

    assert config(adoption) == {
        "domain": "acme",
        "repository": "tools",
        "description": "",
        "protect": False,
        "encryptionKey": key,
        "tags": {"team": "data"},
    }
    assert said(adoption)["What else `pulumi up` changes"] == ["The domain loses the tags that not all have: cost"]
    assert "encryptionKey" not in config(adopt(replace(found(), domain=FoundDomain(encryption_key="alias/x"))))


STORE = FoundRepository(description="Theirs", connections=("public:pypi",), administrator=ACCOUNT)


@pytest.mark.parametrize("policy", [None, document(allow(f"{ROLES}/x", "ReadFromRepository"))])
def test_the_store_comes_too(policy: str | None) -> None:
    adoption = adopt(
        replace(
            found(repositories=("tools", "tools-store")),
            repository=replace(REPOSITORY, upstreams=("tools-store",)),
            store=replace(STORE, policy=policy),
        )
    )

    assert config(adoption)["publicUpstream"] is True
    assert "private-pypi-store" in {each["name"] for each in adoption.imports["resources"]}
    assert said(adoption)["What else `pulumi up` changes"] == ["The store gets another description."]
    left = said(adoption).get("What stays as it is, outside of the stack", [])
    assert left == ([f"The policy of the store: {policy}"] if policy else [])


def test_the_policy_of_the_store_is_compared_too() -> None:
    closed = json.loads(deployed(ALONE["closedPublishing"])[1].repository or "")
    deny = next(each for each in closed["Statement"] if each["Sid"] == "ClosePublishing") | {"Resource": "*"}
    adoption = adopt(
        replace(
            found(repositories=("tools", "tools-store"), repository=document(deny)),
            repository=replace(REPOSITORY, upstreams=("tools-store",), policy=document(deny)),
            store=replace(STORE, policy=document(deny, allow(f"{ROLES}/x", "ListPackages"))),
        )
    )

    assert config(adoption)["closedPublishing"] is True
    assert said(adoption)[LOSES][1] == f"  {ROLES}/x may no longer: ListPackages on repository/acme/tools-store"
    assert "private-pypi-store-permissions" in {each["name"] for each in adoption.imports["resources"]}


@pytest.mark.parametrize(
    ("more", "line"),
    [
        (
            {"repository": replace(REPOSITORY, upstreams=("npm-store", "tools-store")), "store": STORE},
            "The repository loses its upstreams, and what comes from them: npm-store, tools-store",
        ),
        (
            {"repository": replace(REPOSITORY, upstreams=("tools-store",)), "store": replace(STORE, connections=())},
            "The repository loses its upstreams, and what comes from them: tools-store",
        ),
        (
            {"repository": replace(REPOSITORY, connections=("public:pypi",))},
            (
                "The repository loses its connection to public:pypi, and what comes from there. After that `pulumi "
                "up`, set publicUpstream for public PyPI: a repository cannot have both."
            ),
        ),
    ],
)
def test_other_sources_of_packages_are_named(more: dict[str, Any], line: str) -> None:
    adoption = adopt(replace(found(), **more))

    assert "publicUpstream" not in config(adoption)
    assert said(adoption)["What else `pulumi up` changes"] == [line]
    stays = ["tools-store, a repository that publicUpstream would make"] if "store" in more else None
    assert said(adoption).get("What stays as it is, outside of the stack") == stays


def test_package_groups_stay() -> None:
    adoption = adopt(replace(found(), domain=FoundDomain(repositories=("tools",), groups=("/pypi//acme~",))))

    assert said(adoption)["What stays as it is, outside of the stack"] == [
        (
            "Package groups, which Pulumi cannot import: /pypi//acme~. To have their names in internalPackages, delete "
            "these groups first."
        )
    ]


def test_what_is_not_understood_of_the_domains_policy_is_kept_where_it_can_be() -> None:
    conditional = allow([f"{ROLES}/npm"], TOKEN, Sid="Npm", Condition={"StringEquals": {"aws:SourceVpce": "vpce-1"}})
    exempting = allow("*", TOKEN, Effect="Deny", Condition={"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}})
    broken = allow([f"{ROLES}/npm"], TOKEN, Condition={"Is": {}})
    adoption = adopt(found(document(conditional, conditional, exempting, broken, "x")))

    statements = config(adoption)["domainStatements"]
    assert [each.get("Sid") for each in statements] == ["Npm", None, None]
    assert [line for line in said(adoption)[LOSES] if not line.startswith("  ")] == [
        f"of the domain's policy: {json.dumps(each, separators=(',', ':'))}" for each in (broken, "x")
    ]


def test_what_is_too_long_for_the_policies_of_a_stack_is_an_error() -> None:
    many = [f"{ROLES}/glue/job-number-{number:03}" for number in range(150)]
    with pytest.raises(InvalidArgsError, match="permissions policy of"):
        adopt(found(document(), document(allow(many, "ReadFromRepository"))))


ROOTS = [f"arn:aws:iam::{account}:root" for account in (ACCOUNT, OTHER)]


@pytest.mark.parametrize(
    ("statement", "loss"),
    [
        (allow(f"{ROLES}/x", "CreateRepository", resource=ARNS.domain), "CreateRepository on domain/acme"),
        (allow(f"{ROLES}/x", "NotYetKnown"), "NotYetKnown on *"),
        (allow(f"{ROLES}/x", TOKEN, resource="arn:aws:codeartifact:us-west-2:111122223333:*"), f"{TOKEN} on *"),
        (
            allow(f"{ROLES}/x", TOKEN, resource="arn:aws:codeartifact:*:111122223333:domain/acme"),
            f"{TOKEN} on domain/acme",
        ),
    ],
    ids=str,
)
def test_nothing_is_taken_for_nothing(statement: dict[str, Any], loss: str) -> None:
    """What by AWS's reference has no effect, what is not known, and what is written more widely than a config can."""
    adoption = adopt(found(document(statement)))

    assert said(adoption)[LOSES][1:] == [f"  {ROLES}/x may no longer: {loss}"]


def test_what_can_be_said_of_a_statement_is() -> None:
    mixed = allow(
        [f"{ROLES}/npm", "AROAEXAMPLEEXAMPLE"],
        TOKEN,
        "CreateRepository",
        "ListDomains",
        "ReadFromRepository",
        resource=[ARNS.domain, f"{ARNS.repository}-2", "arn:aws:codeartifact:us-west-2:111122223333:domain/other"],
        Sid="Npm",
    )
    adoption = adopt(found(document(mixed, "x")))

    assert config(adoption)["domainStatements"] == [
        allow([f"{ROLES}/npm"], TOKEN, resource=ARNS.domain),
        allow([f"{ROLES}/npm"], "ReadFromRepository", resource=f"{ARNS.repository}-2"),
    ]
    lost = said(adoption)[LOSES]
    assert [line.partition(":")[0] for line in lost if line.startswith("  AROA")] == [
        "  AROAEXAMPLEEXAMPLE may no longer"
    ]
    (line,) = [line for line in lost if line.startswith(f"  {ROLES}/npm may no longer: ")]
    assert "GetAuthorizationToken on domain/acme" not in line
    assert "CreateRepository on domain/acme" in line
    assert "ListDomains on domain/acme" in line


CALLERS = [f"{ROLES}/api", f"{ROLES}/npm", f"{ROLES}/team/x", f"{ELSEWHERE}/api"]
principals = st.one_of(
    st.lists(st.sampled_from([f"{ROLES}/api", f"{ROLES}/npm", f"{ELSEWHERE}/api", *ROOTS]), min_size=1, max_size=3).map(
        lambda names: {"Principal": {"AWS": names}}
    ),
    st.sampled_from(
        [
            {"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}},
            {
                "Principal": "*",
                "Condition": {
                    "ArnLike": {"aws:PrincipalArn": [f"{ROLES}/team/*"]},
                    "StringEquals": {"aws:PrincipalAccount": ACCOUNT},
                },
            },
            {"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}},
        ]
    ),
)
statements = st.builds(
    lambda effect, who, actions, resource: {
        "Effect": effect,
        **who,
        "Action": [f"codeartifact:{each}" for each in actions],
        "Resource": resource,
    },
    st.sampled_from(["Allow", "Allow", "Allow", "Deny"]),
    principals,
    st.lists(
        st.sampled_from([TOKEN, "ReadFromRepository", "GetPackageVersionAsset", "PublishPackageVersion", "List*", "*"]),
        min_size=1,
        max_size=3,
        unique=True,
    ),
    st.sampled_from(
        ["*", ARNS.domain, ARNS.repository, ARNS.packages, ARNS.package("acme-*"), [ARNS.repository, ARNS.packages]]
    ),
)
ASKED = [
    (TOKEN, ARNS.domain),
    ("ReadFromRepository", ARNS.repository),
    ("ListPackages", ARNS.repository),
    *(
        (action, ARNS.package(name))
        for action in ("GetPackageVersionAsset", "PublishPackageVersion")
        for name in ("acme-x", "y")
    ),
    ("ReadFromRepository", ARNS.repository.replace("tools", "npm")),
]


@given(st.lists(statements, max_size=3), st.lists(statements, max_size=3))
def test_whoever_had_access_has_it_afterwards_or_is_named(
    domain: list[dict[str, Any]], repository: list[dict[str, Any]]
) -> None:
    adoption = adopt(found(document(*domain) if domain else None, document(*repository) if repository else None))
    made = make_documents(args_of(adoption), ARNS, ACCOUNT, [])
    after = [json.loads(text)["Statement"] if text else [] for text in (made.domain, made.repository)]
    named = " ".join(said(adoption).get(LOSES, []) + said(adoption).get(GAINS, []))

    for arn in CALLERS:
        for own in ((), ({"Statement": [{"Effect": "Allow", "Action": "codeartifact:*", "Resource": "*"}]},)):
            caller = Caller(arn=arn, organization="o-a1b2c3d4e5", identity_policies=own)
            for operation, resource in ASKED:
                action = f"codeartifact:{operation}"
                had, has = (
                    allows(
                        caller,
                        action,
                        resource,
                        permissions_policy=evaluated(
                            action, domain=policies[0], repository=policies[1] if "/tools" in resource else []
                        ),
                        owner=ACCOUNT,
                    )
                    for policies in ((domain, repository), after)
                )
                assert had == has or operation in named or "because" in named, (arn, operation, resource)
