"""Why AWS refuses: its own words, next to what is printed of them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from contexts import ACCOUNT, OTHER, ROLES, UNREADABLE, expecting, session, situation

from private_pypi.cli.deployed import Deployed
from private_pypi.cli.diagnosis import (
    NO_VERSION,
    Cause,
    RefusedError,
    Step,
    explain,
    explain_credentials,
    find_causes,
    find_credentials_cause,
)
from private_pypi.iam import Access, Policy, Rule

DOMAIN = f"arn:aws:codeartifact:us-west-2:{ACCOUNT}:domain/acme"
TOKEN, BEARER = "codeartifact:GetAuthorizationToken", "sts:GetServiceBearerToken"
READ, PUBLISH = "codeartifact:ReadFromRepository", "codeartifact:PublishPackageVersion"


def denied(action: str, why: str = "") -> RefusedError:
    """What AWS says to a session of the role reader."""
    text = f"User: {session()} is not authorized to perform: {action} on resource: {DOMAIN} {why}".strip()
    return RefusedError("AccessDeniedException", text)


def no(kind: str, action: str) -> str:
    return f"because no {kind} allows the {action} action"


Told = list[tuple[str, list[tuple[str, str]]]]
"""What is wrong, or to be looked at where there are several, each with its fixes and who can do them."""


def values(causes: list[Cause]) -> Told:
    return [((each.what if len(causes) == 1 else each.to_look_at) + each.known, [*each.fixes]) for each in causes]


def told(
    refused: RefusedError, at: Any, deployed: Deployed = UNREADABLE, step: Step = "token", package: str = ""
) -> Told:
    return values(find_causes(step, refused, package, at, deployed))


READER = f"{ROLES}/team/reader"
VISITOR = session("job", OTHER)
DENY = "with an explicit deny in {}"
READERS, OTHERS, NOBODY = expecting([READER]), expecting([OTHER]), expecting([f"{ROLES}/x"])
DENYING = replace(
    READERS,
    domain=READERS.domain
    + Policy(
        rules=(
            Rule(
                effect="Deny",
                principals=frozenset([READER]),
                exempts=False,
                actions=("codeartifact:Get*",),
                resources=("*",),
            ),
        )
    ),
)
JOBS = replace(
    READERS,
    access=[Access(principal=READER, install=True, publish=("acme-*",), workload="github acme/tools tag v*")],
)
READING_JOBS = replace(READERS, access=[Access(principal=READER, install=True, workload="github acme/tools")])

NO_PACKAGE = "there is no package acme-core here; the token is new, and lets you read"
OR_KEPT_OUT = "there is none, or another stack of the domain keeps it out"
PUBLISH_IT = ("correct the name, or publish it", "its publishers")
SWITCH_ON = (
    "list your own names in private-pypi:internalPackages and set private-pypi:publicUpstream to true in Pulumi.dev.yaml, then `pulumi up --stack dev`: if it is a package of public PyPI",
    "whoever deploys stack dev",
)


@pytest.mark.parametrize(
    ("explained", "expected"),
    [
        pytest.param(
            lambda: told(denied(BEARER, no("identity-based policy", BEARER)), situation(READERS)),
            [
                (
                    "no identity policy of role reader allows sts:GetServiceBearerToken. No permissions policy can",
                    [
                        (
                            "attach the output reader_policy to role reader: `pulumi stack output reader_policy --stack dev`",
                            "whoever administers IAM in account 111122223333",
                        ),
                        (
                            "set private-pypi:attachIdentityPolicies to true in Pulumi.dev.yaml, then `pulumi up --stack dev`",
                            "whoever deploys stack dev",
                        ),
                    ],
                ),
            ],
            id="the bearer token",
        ),
        pytest.param(
            lambda: told(
                denied(BEARER, no("identity-based policy", BEARER)), situation(READERS, attaches_identity_policies=True)
            ),
            [
                (
                    "no identity policy of role reader allows sts:GetServiceBearerToken. No permissions policy can",
                    [
                        (
                            "`pulumi up --refresh --stack dev`: attachIdentityPolicies attaches it",
                            "whoever deploys stack dev",
                        ),
                        (
                            "attach the output reader_policy to role reader: `pulumi stack output reader_policy --stack dev`",
                            "whoever administers IAM in account 111122223333",
                        ),
                    ],
                ),
            ],
            id="the bearer token, attached by the stack",
        ),
        pytest.param(
            lambda: told(denied(BEARER, no("identity-based policy", BEARER)), situation(OTHERS, VISITOR)),
            [
                (
                    "no identity policy of role job allows sts:GetServiceBearerToken. No permissions policy can",
                    [
                        (
                            "attach the output reader_policy to role job: `pulumi stack output reader_policy --stack dev`",
                            "whoever administers IAM in account 444455556666",
                        )
                    ],
                ),
            ],
            id="the bearer token, of another account",
        ),
        pytest.param(
            lambda: told(denied(TOKEN, no("identity-based policy", TOKEN)), situation(READERS)),
            [
                (
                    "neither the domain's permissions policy nor an identity policy lets role reader do codeartifact:GetAuthorizationToken: one has to. The config says so, for arn:aws:iam::111122223333:role/team/reader",
                    [
                        (
                            "`pulumi up --refresh --stack dev`, if it was changed, names a role that was deleted since, or is not in us-west-2 (aws:region)",
                            "whoever deploys stack dev",
                        ),
                        (
                            "compare the path: arn:aws:iam::111122223333:role/team/reader in the config, `aws iam get-role --role-name reader`",
                            "whoever administers IAM in account 111122223333",
                        ),
                    ],
                ),
            ],
            id="the domain's policy, of what is listed",
        ),
        pytest.param(
            lambda: told(denied(TOKEN, no("identity-based policy", TOKEN)), situation(READERS, path="team/")),
            [
                (
                    "neither the domain's permissions policy nor an identity policy lets role reader do codeartifact:GetAuthorizationToken: one has to. The config says so, for arn:aws:iam::111122223333:role/team/reader",
                    [
                        (
                            "`pulumi up --refresh --stack dev`, if it was changed, names a role that was deleted since, or is not in us-west-2 (aws:region)",
                            "whoever deploys stack dev",
                        )
                    ],
                ),
            ],
            id="the domain's policy, with the path",
        ),
        pytest.param(
            lambda: told(
                denied(TOKEN, no("identity-based policy", TOKEN)),
                situation(READERS, path="team/"),
                Deployed(domain=Policy(), repository=Policy()),
            ),
            [
                (
                    "neither the domain's permissions policy nor an identity policy lets role reader do codeartifact:GetAuthorizationToken: one has to. The config says so, for arn:aws:iam::111122223333:role/team/reader",
                    [("`pulumi up --refresh --stack dev`", "whoever deploys stack dev")],
                ),
            ],
            id="the domain's policy, deployed without it",
        ),
        pytest.param(
            lambda: told(
                denied(TOKEN, no("identity-based policy", TOKEN)),
                situation(READERS, path="team/"),
                Deployed(domain=READERS.domain, repository=None),
            ),
            [
                (
                    "neither the domain's permissions policy nor an identity policy lets role reader do codeartifact:GetAuthorizationToken: one has to. The config says so, for arn:aws:iam::111122223333:role/team/reader",
                    [("try again in a minute: what was changed just now is not so everywhere", "you")],
                ),
            ],
            id="the domain's policy, deployed with it",
        ),
        pytest.param(
            lambda: told(denied(TOKEN, no("identity-based policy", TOKEN)), situation(READERS, path="")),
            [
                (
                    "neither the domain's permissions policy nor an identity policy lets role reader do codeartifact:GetAuthorizationToken: one has to. The config does not say so",
                    [
                        (
                            "write arn:aws:iam::111122223333:role/reader in the place of arn:aws:iam::111122223333:role/team/reader in Pulumi.dev.yaml (the path counts), then `pulumi up --stack dev`",
                            "whoever deploys stack dev",
                        )
                    ],
                ),
            ],
            id="another path",
        ),
        pytest.param(
            lambda: told(
                denied(TOKEN, no("identity-based policy", TOKEN)),
                situation(
                    expecting([f"{ROLES}/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Developers_*"]),
                    session("AWSReservedSSO_Developers_0123456789abcdef"),
                    path="aws-reserved/sso.amazonaws.com/",
                ),
            ),
            [
                (
                    "neither the domain's permissions policy nor an identity policy lets role AWSReservedSSO_Developers_0123456789abcdef do codeartifact:GetAuthorizationToken: one has to. The config does not say so",
                    [
                        (
                            "write arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/*AWSReservedSSO_Developers_* in the place of arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Developers_* in Pulumi.dev.yaml (the path counts), then `pulumi up --stack dev`",
                            "whoever deploys stack dev",
                        )
                    ],
                ),
            ],
            id="the path of another region's Identity Center",
        ),
        pytest.param(
            lambda: told(denied(TOKEN, no("identity-based policy", TOKEN)), situation(NOBODY)),
            [
                (
                    "neither the domain's permissions policy nor an identity policy lets role reader do codeartifact:GetAuthorizationToken: one has to. The config does not say so",
                    [
                        (
                            "add the ARN of role reader, with its path, to private-pypi:readers in Pulumi.dev.yaml, then `pulumi up --stack dev`",
                            "whoever deploys stack dev",
                        )
                    ],
                ),
            ],
            id="not listed",
        ),
        pytest.param(
            lambda: told(denied(TOKEN, no("identity-based policy", TOKEN)), situation(NOBODY, path="a/")),
            [
                (
                    "neither the domain's permissions policy nor an identity policy lets role reader do codeartifact:GetAuthorizationToken: one has to. The config does not say so",
                    [
                        (
                            "add arn:aws:iam::111122223333:role/a/reader to private-pypi:readers in Pulumi.dev.yaml, then `pulumi up --stack dev`",
                            "whoever deploys stack dev",
                        )
                    ],
                ),
            ],
            id="not listed, with the path",
        ),
        pytest.param(
            lambda: told(denied(TOKEN, no("identity-based policy", TOKEN)), situation(expecting(["o-a1b2c3d4e5"]))),
            [
                (
                    "neither the domain's permissions policy nor an identity policy lets role reader do codeartifact:GetAuthorizationToken: one has to. The config says so, for o-a1b2c3d4e5",
                    [
                        (
                            "`pulumi up --refresh --stack dev`, if it was changed, names a role that was deleted since, or is not in us-west-2 (aws:region)",
                            "whoever deploys stack dev",
                        )
                    ],
                ),
            ],
            id="an organization",
        ),
        pytest.param(
            lambda: told(
                denied(TOKEN, no("identity-based policy", TOKEN)),
                situation(READERS, path="team/", existing_domain=True),
            ),
            [
                (
                    "neither the domain's permissions policy nor an identity policy lets role reader do codeartifact:GetAuthorizationToken: one has to. The config says so, for arn:aws:iam::111122223333:role/team/reader",
                    [
                        (
                            "add the output domain_policy_statements to it: `pulumi stack output domain_policy_statements --stack dev`",
                            "whoever owns the domain, account 111122223333",
                        )
                    ],
                ),
            ],
            id="an existing domain",
        ),
        pytest.param(
            lambda: told(denied(TOKEN, no("identity-based policy", TOKEN)), situation(NOBODY, existing_domain=True)),
            [
                (
                    "neither the domain's permissions policy nor an identity policy lets role reader do codeartifact:GetAuthorizationToken: one has to. The config does not say so",
                    [
                        (
                            "add the ARN of role reader, with its path, to private-pypi:readers in Pulumi.dev.yaml, then `pulumi up --stack dev`; then give the output domain_policy_statements to the domain's owner",
                            "whoever deploys stack dev",
                        )
                    ],
                ),
            ],
            id="an existing domain, not listed",
        ),
        pytest.param(
            lambda: told(
                denied(TOKEN, no("identity-based policy", TOKEN)),
                situation(READERS, existing_domain=True),
                Deployed(domain=READERS.domain, repository=None),
            ),
            [
                (
                    "neither the domain's permissions policy nor an identity policy lets role reader do codeartifact:GetAuthorizationToken: one has to. The config says so, for arn:aws:iam::111122223333:role/team/reader",
                    [
                        (
                            "compare the path: arn:aws:iam::111122223333:role/team/reader in the config, `aws iam get-role --role-name reader`",
                            "whoever administers IAM in account 111122223333",
                        )
                    ],
                ),
            ],
            id="an existing domain, as the config says",
        ),
        pytest.param(
            lambda: told(
                denied(READ, no("identity-based policy", READ)),
                situation(READERS, path="team/", existing_domain=True),
                step="index",
            ),
            [
                (
                    "neither the repository's permissions policy nor an identity policy lets role reader do codeartifact:ReadFromRepository: one has to. The config says so, for arn:aws:iam::111122223333:role/team/reader",
                    [
                        (
                            "`pulumi up --refresh --stack dev`, if it was changed, names a role that was deleted since, or is not in us-west-2 (aws:region)",
                            "whoever deploys stack dev",
                        )
                    ],
                ),
            ],
            id="an existing domain's repository",
        ),
        pytest.param(
            lambda: told(denied(TOKEN, no("identity-based policy", TOKEN)), situation(OTHERS, VISITOR)),
            [
                (
                    "no identity policy of role job allows codeartifact:GetAuthorizationToken. Another account than the domain's has to allow it too",
                    [
                        (
                            "attach the output reader_policy to role job: `pulumi stack output reader_policy --stack dev`",
                            "whoever administers IAM in account 444455556666",
                        )
                    ],
                ),
            ],
            id="another account's identity policy",
        ),
        pytest.param(
            lambda: told(denied(TOKEN, no("identity-based policy", TOKEN)), situation(NOBODY, VISITOR)),
            [
                (
                    "no identity policy of role job allows codeartifact:GetAuthorizationToken. Another account than the domain's has to allow it too",
                    [
                        (
                            "add the ARN of role job, with its path, to private-pypi:readers in Pulumi.dev.yaml, `pulumi up --stack dev`, and then attach the output reader_policy to role job: `pulumi stack output reader_policy --stack dev`",
                            "whoever deploys stack dev, and then whoever administers IAM in account 444455556666",
                        )
                    ],
                ),
            ],
            id="another account's identity policy, not listed",
        ),
        pytest.param(
            lambda: told(denied(TOKEN, no("resource-based policy", TOKEN)), situation(OTHERS, VISITOR)),
            [
                (
                    "the domain's permissions policy does not let role job do codeartifact:GetAuthorizationToken. The config says so, for arn:aws:iam::444455556666:root",
                    [
                        (
                            "`pulumi up --refresh --stack dev`, if it was changed, names a role that was deleted since, or is not in us-west-2 (aws:region)",
                            "whoever deploys stack dev",
                        )
                    ],
                ),
            ],
            id="another account, refused by the domain",
        ),
        pytest.param(
            lambda: told(denied(TOKEN, no("resource-based policy", TOKEN)), situation(NOBODY, VISITOR)),
            [
                (
                    "the domain's permissions policy does not let role job do codeartifact:GetAuthorizationToken. The config does not say so",
                    [
                        (
                            "add the ARN of role job, with its path, to private-pypi:readers in Pulumi.dev.yaml, then `pulumi up --stack dev`",
                            "whoever deploys stack dev",
                        )
                    ],
                ),
            ],
            id="another account, refused by the domain, not listed",
        ),
        pytest.param(
            lambda: told(denied(TOKEN, no("identity-based policy", TOKEN)), situation(expecting([ACCOUNT]))),
            [
                (
                    "no identity policy of role reader allows codeartifact:GetAuthorizationToken. The config leaves it to the identity policies of account 111122223333",
                    [
                        (
                            "attach the output reader_policy to role reader: `pulumi stack output reader_policy --stack dev`",
                            "whoever administers IAM in account 111122223333",
                        )
                    ],
                ),
            ],
            id="the domain's own account",
        ),
        pytest.param(
            lambda: told(
                denied(TOKEN, no("identity-based policy", TOKEN)), situation(expecting([ACCOUNT, READER]), path="team/")
            ),
            [
                (
                    "neither the domain's permissions policy nor an identity policy lets role reader do codeartifact:GetAuthorizationToken: one has to. The config says so, for arn:aws:iam::111122223333:role/team/reader",
                    [
                        (
                            "`pulumi up --refresh --stack dev`, if it was changed, names a role that was deleted since, or is not in us-west-2 (aws:region)",
                            "whoever deploys stack dev",
                        )
                    ],
                ),
            ],
            id="the domain's own account, and the role",
        ),
        pytest.param(
            lambda: told(
                denied(PUBLISH, no("identity-based policy", PUBLISH)),
                situation(expecting([], [ACCOUNT])),
                step="publish",
                package="acme-core",
            ),
            [
                (
                    "no identity policy of role reader allows codeartifact:PublishPackageVersion. The config leaves it to the identity policies of account 111122223333",
                    [
                        (
                            "attach one to role reader that allows codeartifact:PublishPackageVersion on arn:aws:codeartifact:us-west-2:111122223333:package/acme/private-pypi/*",
                            "whoever administers IAM in account 111122223333",
                        )
                    ],
                ),
            ],
            id="the domain's own account, publishing",
        ),
        pytest.param(
            lambda: told(
                denied(PUBLISH, no("identity-based policy", PUBLISH)),
                situation(expecting([ACCOUNT])),
                step="publish",
                package="acme-core",
            ),
            [
                (
                    "neither the repository's permissions policy nor an identity policy lets role reader do codeartifact:PublishPackageVersion: one has to. The config does not say so",
                    [
                        (
                            "add the ARN of role reader, with its path, to private-pypi:publishers in Pulumi.dev.yaml, then `pulumi up --stack dev`",
                            "whoever deploys stack dev",
                        )
                    ],
                ),
            ],
            id="the domain's own account, reading alone",
        ),
        pytest.param(
            lambda: told(
                denied(PUBLISH, no("identity-based policy", PUBLISH)),
                situation(expecting([], [OTHER]), VISITOR),
                step="publish",
                package="acme-core",
            ),
            [
                (
                    "no identity policy of role job allows codeartifact:PublishPackageVersion. Another account than the domain's has to allow it too",
                    [
                        (
                            "attach what the output publisher_policies has for arn:aws:iam::444455556666:root to role job: `pulumi stack output publisher_policies --json --stack dev`",
                            "whoever administers IAM in account 444455556666",
                        )
                    ],
                ),
            ],
            id="publishing from another account",
        ),
        pytest.param(
            lambda: told(
                denied(PUBLISH, no("identity-based policy", PUBLISH)),
                situation(expecting([f"{ROLES}/*"], [(READER, "acme-*")]), path="team/"),
                step="publish",
                package="acme-core",
            ),
            [
                (
                    "neither the repository's permissions policy nor an identity policy lets role reader do codeartifact:PublishPackageVersion: one has to. The config says so, for arn:aws:iam::111122223333:role/team/reader",
                    [
                        (
                            "`pulumi up --refresh --stack dev`, if it was changed, names a role that was deleted since, or is not in us-west-2 (aws:region)",
                            "whoever deploys stack dev",
                        )
                    ],
                ),
            ],
            id="publishing what one entry of two lets",
        ),
        pytest.param(
            lambda: told(
                denied(PUBLISH, no("identity-based policy", PUBLISH)),
                situation(expecting([], [(READER, "acme-*")])),
                step="publish",
                package="other",
            ),
            [
                (
                    "neither the repository's permissions policy nor an identity policy lets role reader do codeartifact:PublishPackageVersion: one has to. The config does not say so",
                    [
                        (
                            "add other to the packages of role reader in private-pypi:publishers of Pulumi.dev.yaml, then `pulumi up --stack dev`",
                            "whoever deploys stack dev",
                        )
                    ],
                ),
            ],
            id="publishing another package",
        ),
        pytest.param(
            lambda: told(
                denied(PUBLISH, no("identity-based policy", PUBLISH)),
                situation(JOBS),
                step="publish",
                package="other",
            ),
            [
                (
                    "neither the repository's permissions policy nor an identity policy lets role reader do codeartifact:PublishPackageVersion: one has to. The config does not say so",
                    [
                        (
                            "add other to the packages of github acme/tools tag v* in private-pypi:publishers of Pulumi.dev.yaml, then `pulumi up --stack dev`",
                            "whoever deploys stack dev",
                        )
                    ],
                ),
            ],
            id="a workload that publishes another package",
        ),
        pytest.param(
            lambda: told(
                denied(PUBLISH, no("identity-based policy", PUBLISH)),
                situation(READING_JOBS),
                step="publish",
                package="acme-core",
            ),
            [
                (
                    "neither the repository's permissions policy nor an identity policy lets role reader do codeartifact:PublishPackageVersion: one has to. The config does not say so",
                    [
                        (
                            "add an entry for github acme/tools with a branch, tag or environment, whose role the job then assumes, to private-pypi:publishers in Pulumi.dev.yaml, then `pulumi up --stack dev`",
                            "whoever deploys stack dev",
                        )
                    ],
                ),
            ],
            id="a workload that only reads",
        ),
        pytest.param(
            lambda: told(
                denied(PUBLISH, DENY.format("a resource-based policy")),
                situation(expecting([READER], [f"{ROLES}/ci"], closed=True)),
                step="publish",
                package="acme-core",
            ),
            [
                (
                    "the repository's permissions policy has a Deny of codeartifact:PublishPackageVersion for whoever is no publisher (private-pypi:closedPublishing)",
                    [
                        (
                            "add the ARN of role reader, with its path, to private-pypi:publishers in Pulumi.dev.yaml, then `pulumi up --stack dev`",
                            "whoever deploys stack dev",
                        )
                    ],
                ),
            ],
            id="closed publishing",
        ),
        pytest.param(
            lambda: told(
                denied(PUBLISH, DENY.format("a resource-based policy")),
                situation(expecting([], [READER], closed=True)),
                step="publish",
                package="acme-core",
            ),
            [
                (
                    "the repository's permissions policy has a Deny of codeartifact:PublishPackageVersion. The config has none for role reader",
                    [("`pulumi up --refresh --stack dev`, which takes it out", "whoever deploys stack dev")],
                ),
            ],
            id="a Deny where publishing is closed, but not for you",
        ),
        pytest.param(
            lambda: told(denied(TOKEN, DENY.format("a resource-based policy")), situation(READERS)),
            [
                (
                    "the domain's permissions policy has a Deny of codeartifact:GetAuthorizationToken. The config has none for role reader",
                    [("`pulumi up --refresh --stack dev`, which takes it out", "whoever deploys stack dev")],
                ),
            ],
            id="a Deny in the domain's policy",
        ),
        pytest.param(
            lambda: told(denied(TOKEN, DENY.format("a resource-based policy")), situation(DENYING)),
            [
                (
                    "the domain's permissions policy has a Deny of codeartifact:GetAuthorizationToken. The config has it (private-pypi:domainStatements)",
                    [
                        (
                            "take role reader out of the Deny in Pulumi.dev.yaml, then `pulumi up --stack dev`",
                            "whoever deploys stack dev",
                        )
                    ],
                ),
            ],
            id="a Deny in the domain's policy that others asked for",
        ),
        pytest.param(
            lambda: told(
                denied(TOKEN, DENY.format("a resource-based policy")), situation(READERS, existing_domain=True)
            ),
            [
                (
                    "the domain's permissions policy has a Deny of codeartifact:GetAuthorizationToken",
                    [("take the Deny out", "whoever owns the domain, account 111122223333")],
                ),
            ],
            id="a Deny in an existing domain's policy",
        ),
        pytest.param(
            lambda: told(
                denied(TOKEN, DENY.format("an identity-based policy: arn:aws:iam::111122223333:policy/x.")),
                situation(READERS),
            ),
            [
                (
                    "an identity policy of role reader, arn:aws:iam::111122223333:policy/x, has a Deny of codeartifact:GetAuthorizationToken",
                    [("take the Deny out", "whoever administers IAM in account 111122223333")],
                ),
            ],
            id="a Deny in an identity policy",
        ),
        pytest.param(
            lambda: told(denied(BEARER, no("permissions boundary", BEARER)), situation(READERS)),
            [
                (
                    "the permissions boundary of role reader does not allow sts:GetServiceBearerToken",
                    [("allow it there", "whoever administers IAM in account 111122223333")],
                ),
            ],
            id="a boundary",
        ),
        pytest.param(
            lambda: told(denied(BEARER, DENY.format("a permissions boundary")), situation(READERS)),
            [
                (
                    "the permissions boundary of role reader has a Deny of sts:GetServiceBearerToken",
                    [("take the Deny out", "whoever administers IAM in account 111122223333")],
                ),
            ],
            id="a Deny in a boundary",
        ),
        pytest.param(
            lambda: told(denied(TOKEN, no("session policy", TOKEN)), situation(READERS)),
            [
                (
                    "the policy that the session was made with does not allow codeartifact:GetAuthorizationToken",
                    [("allow it there", "whoever makes the session")],
                ),
            ],
            id="a session policy",
        ),
        pytest.param(
            lambda: told(
                denied(TOKEN, DENY.format("a service control policy: arn:aws:organizations::1:policy/o-1/p-1")),
                situation(READERS),
            ),
            [
                (
                    "a service control policy (SCP), arn:aws:organizations::1:policy/o-1/p-1, has a Deny of codeartifact:GetAuthorizationToken",
                    [("take the Deny out", "whoever manages the policies of the organization")],
                ),
            ],
            id="an SCP",
        ),
        pytest.param(
            lambda: told(denied(TOKEN, no("resource control policy", TOKEN)), situation(READERS)),
            [
                (
                    "a resource control policy (RCP) does not allow codeartifact:GetAuthorizationToken",
                    [("allow it there", "whoever manages the policies of the organization")],
                ),
            ],
            id="an RCP",
        ),
        pytest.param(
            lambda: told(denied(TOKEN, no("VPC endpoint policy", TOKEN)), situation(READERS)),
            [
                (
                    "the policy of the VPC endpoint that the call went through does not allow codeartifact:GetAuthorizationToken",
                    [("allow it there", "whoever manages the VPC")],
                ),
            ],
            id="a VPC endpoint",
        ),
        pytest.param(
            lambda: told(denied(TOKEN), situation(READERS, path="team/")),
            [
                (
                    "the domain's permissions policy: it has to let role reader do codeartifact:GetAuthorizationToken. The config says so, for arn:aws:iam::111122223333:role/team/reader",
                    [
                        (
                            "`pulumi up --refresh --stack dev`, if it was changed, names a role that was deleted since, or is not in us-west-2 (aws:region)",
                            "whoever deploys stack dev",
                        )
                    ],
                ),
                (
                    "a Deny of codeartifact:GetAuthorizationToken, or a permissions boundary or a policy of the organization without it",
                    [("take the Deny out, or allow it there", "whoever administers IAM in account 111122223333")],
                ),
            ],
            id="no kind of policy",
        ),
        pytest.param(
            lambda: told(denied(TOKEN, no("quantum policy", TOKEN)), situation(NOBODY)),
            [
                (
                    "the domain's permissions policy: it has to let role reader do codeartifact:GetAuthorizationToken. The config does not say so",
                    [
                        (
                            "add the ARN of role reader, with its path, to private-pypi:readers in Pulumi.dev.yaml, then `pulumi up --stack dev`",
                            "whoever deploys stack dev",
                        )
                    ],
                ),
                (
                    "a Deny of codeartifact:GetAuthorizationToken, or a permissions boundary or a policy of the organization without it",
                    [("take the Deny out, or allow it there", "whoever administers IAM in account 111122223333")],
                ),
            ],
            id="a kind of policy that is not known here",
        ),
        pytest.param(
            lambda: told(RefusedError("HTTP 403", ""), situation(OTHERS, VISITOR), step="package", package="acme-core"),
            [
                (
                    "the identity policies of role job: one has to allow codeartifact:GetPackageVersionAsset. Another account than the domain's has to allow it too",
                    [
                        (
                            "attach the output reader_policy to role job: `pulumi stack output reader_policy --stack dev`",
                            "whoever administers IAM in account 444455556666",
                        )
                    ],
                ),
                (
                    "the repository's permissions policy: it has to let role job do codeartifact:GetPackageVersionAsset. The config says so, for arn:aws:iam::444455556666:root",
                    [
                        (
                            "`pulumi up --refresh --stack dev`, if it was changed, names a role that was deleted since, or is not in us-west-2 (aws:region)",
                            "whoever deploys stack dev",
                        )
                    ],
                ),
                (
                    "a Deny of codeartifact:GetPackageVersionAsset, or a permissions boundary or a policy of the organization without it",
                    [("take the Deny out, or allow it there", "whoever administers IAM in account 444455556666")],
                ),
            ],
            id="no words",
        ),
        pytest.param(
            lambda: told(denied("kms:Decrypt"), situation(READERS)),
            [
                (
                    "the identity policies of role reader: one has to allow kms:Decrypt",
                    [("attach one to role reader that allows it", "whoever administers IAM in account 111122223333")],
                ),
                (
                    "a Deny of kms:Decrypt, or a permissions boundary or a policy of the organization without it",
                    [("take the Deny out, or allow it there", "whoever administers IAM in account 111122223333")],
                ),
            ],
            id="an action for which there is no word here",
        ),
        pytest.param(
            lambda: told(denied(TOKEN), situation(READERS, f"arn:aws:iam::{ACCOUNT}:root")),
            [
                ("root users get no tokens", [("take the credentials of a role or a user", "you")]),
            ],
            id="root",
        ),
        pytest.param(
            lambda: told(
                denied(TOKEN, no("identity-based policy", TOKEN)),
                situation(NOBODY, f"arn:aws:iam::{ACCOUNT}:user/team/ada"),
            ),
            [
                (
                    "neither the domain's permissions policy nor an identity policy lets user ada do codeartifact:GetAuthorizationToken: one has to. The config does not say so",
                    [
                        (
                            "add arn:aws:iam::111122223333:user/team/ada to private-pypi:readers in Pulumi.dev.yaml, then `pulumi up --stack dev`",
                            "whoever deploys stack dev",
                        )
                    ],
                ),
            ],
            id="a user",
        ),
        pytest.param(
            lambda: told(
                RefusedError("ResourceNotFoundException", "Domain not found"),
                situation(expecting([READER], owner=OTHER), account=OTHER, account_source="aws:profile"),
            ),
            [
                (
                    "there is no domain acme of account 444455556666 in region us-west-2",
                    [
                        (
                            "correct the names, domainOwner, aws:region and aws:profile in Pulumi.dev.yaml",
                            "whoever deploys stack dev",
                        ),
                        ("`pulumi up --stack dev`, if it is not deployed yet", "whoever deploys stack dev"),
                    ],
                ),
            ],
            id="no domain in the account of a profile",
        ),
        pytest.param(
            lambda: told(RefusedError("ResourceNotFoundException", "Domain not found"), situation(READERS)),
            [
                (
                    "there is no domain acme of account 111122223333 in region us-west-2",
                    [
                        (
                            "correct the names, domainOwner, aws:region and aws:allowedAccountIds in Pulumi.dev.yaml",
                            "whoever deploys stack dev",
                        ),
                        ("`pulumi up --stack dev`, if it is not deployed yet", "whoever deploys stack dev"),
                    ],
                ),
            ],
            id="no domain",
        ),
        pytest.param(
            lambda: told(
                RefusedError("ResourceNotFoundException", "Repository not found"), situation(READERS), step="endpoint"
            ),
            [
                (
                    "there is no repository private-pypi in domain acme of account 111122223333 in region us-west-2",
                    [
                        (
                            "correct the names, domainOwner, aws:region and aws:allowedAccountIds in Pulumi.dev.yaml",
                            "whoever deploys stack dev",
                        ),
                        ("`pulumi up --stack dev`, if it is not deployed yet", "whoever deploys stack dev"),
                    ],
                ),
            ],
            id="no repository",
        ),
        pytest.param(
            lambda: told(RefusedError("HTTP 404", ""), situation(READERS), step="package", package="acme-core"),
            [
                (
                    f"{NO_PACKAGE}. private-pypi:publicUpstream is off, so nothing comes from public PyPI",
                    [PUBLISH_IT, SWITCH_ON],
                ),
            ],
            id="no package",
        ),
        pytest.param(
            lambda: told(
                RefusedError("HTTP 404", ""),
                situation(READERS, public_upstream=True),
                step="package",
                package="acme-core",
            ),
            [(f"{NO_PACKAGE}. Nor does it come from public PyPI, by private-pypi:publicUpstream", [PUBLISH_IT])],
            id="no package, and none on public PyPI",
        ),
        pytest.param(
            lambda: told(
                RefusedError("HTTP 404", ""),
                situation(READERS, public_upstream=True, existing_domain=True),
                step="package",
                package="acme-core",
            ),
            [
                (
                    f"{NO_PACKAGE}. Nor does it come from public PyPI, by private-pypi:publicUpstream: {OR_KEPT_OUT}",
                    [PUBLISH_IT],
                )
            ],
            id="no package in an existing domain",
        ),
        pytest.param(
            lambda: told(
                RefusedError("HTTP 404", ""),
                situation(READERS, public_upstream=True, internal_packages=("acme", "acme-*", "billing")),
                step="package",
                package="acme-core",
            ),
            [
                (
                    f"{NO_PACKAGE}. acme-* in private-pypi:internalPackages keeps it from coming from public PyPI",
                    [
                        ("publish it", "its publishers"),
                        (
                            "take acme-* out of private-pypi:internalPackages in Pulumi.dev.yaml, then `pulumi up --stack dev`: if it is not your own",
                            "whoever deploys stack dev",
                        ),
                    ],
                )
            ],
            id="no package, and an entry keeps it out",
        ),
        pytest.param(
            lambda: told(
                RefusedError("HTTP 404", ""), situation(READERS, public_upstream=True), step="needs", package="billing"
            ),
            [
                (
                    "a dependency is not here: billing. Nor does it come from public PyPI, by private-pypi:publicUpstream",
                    [PUBLISH_IT],
                )
            ],
            id="a dependency is missing",
        ),
        pytest.param(
            lambda: told(RefusedError(NO_VERSION, ">=2"), situation(READERS), step="needs", package="billing"),
            [
                (
                    "a dependency, billing, is here, but in no version that will do",
                    [("publish one that will do, or ask for another", "its publishers")],
                )
            ],
            id="a dependency in another version",
        ),
        pytest.param(
            lambda: told(RefusedError("EndpointConnectionError", "Could not connect"), situation(READERS)),
            [
                (
                    "no answer came",
                    [("look at the network, at the proxy (HTTPS_PROXY) and at AWS_ENDPOINT_URL", "you")],
                ),
            ],
            id="no answer",
        ),
        pytest.param(
            lambda: told(RefusedError("HTTP 401", ""), situation(READERS), step="index"),
            [
                (
                    "the token did not arrive, though you have one: a proxy may take the header Authorization out",
                    [("look at the network, at the proxy (HTTPS_PROXY) and at AWS_ENDPOINT_URL", "you")],
                ),
            ],
            id="no header",
        ),
        pytest.param(
            lambda: told(RefusedError("ThrottlingException", "Rate exceeded"), situation(READERS)),
            [
                ("no right is missing; it is what AWS says", [("try again in a while", "you")]),
            ],
            id="anything else",
        ),
    ],
)
def test_a_refusal_has_its_causes_and_their_fixes(explained: Callable[[], Told], expected: Told) -> None:
    assert explained() == expected


@pytest.mark.parametrize(
    ("code", "profile", "expected"),
    [
        (
            "ExpiredToken",
            None,
            [
                (
                    "your credentials have expired",
                    [("fetch new ones: `aws sso login`, or assume the role again", "you")],
                ),
            ],
        ),
        (
            "NoCredentialsError",
            "deploy",
            [
                (
                    "there are no credentials in the environment",
                    [
                        ("set AWS_PROFILE, or sign in; give a job a role", "you"),
                        ("use the profile that Pulumi uses: AWS_PROFILE=deploy", "you"),
                    ],
                ),
            ],
        ),
        (
            "InvalidClientTokenId",
            None,
            [
                (
                    "AWS does not accept your credentials",
                    [("fetch new ones; unset variables AWS_... of others", "you")],
                ),
            ],
        ),
        (
            "EndpointConnectionError",
            None,
            [
                (
                    "no answer came",
                    [("look at the network, at the proxy (HTTPS_PROXY) and at AWS_ENDPOINT_URL", "you")],
                ),
            ],
        ),
    ],
)
def test_whom_aws_does_not_know_is_told_what_to_fetch(code: str, profile: str | None, expected: Told) -> None:
    assert values([find_credentials_cause(RefusedError(code, "It says so."), profile)]) == expected


def test_causes_are_printed_with_what_aws_says() -> None:
    assert explain_credentials(RefusedError("NoCredentialsError", "It says so."), "deploy") == [
        "AWS says  NoCredentialsError: It says so.",
        "cause     there are no credentials in the environment",
        "fix       set AWS_PROFILE, or sign in; give a job a role",
        "who       you",
        "or        use the profile that Pulumi uses: AWS_PROFILE=deploy",
        "who       you",
    ]
    several = explain("token", denied(TOKEN), "", situation(READERS, path="team/"), UNREADABLE)
    assert [line[:10].rstrip() for line in several] == [
        *("AWS says", "It does no", "look at", "fix", "who", "look at", "fix", "who"),
    ]


def test_what_aws_says_is_one_line_that_shows_and_is_not_too_long() -> None:
    assert str(RefusedError("HTTP 500", "<p>\n\tNo\x1b[31m!</p>\r\n")) == "HTTP 500: <p> No [31m!</p>"
    assert str(RefusedError("HTTP 500", "x" * 1000)) == f"HTTP 500: {'x' * 600}"
    assert str(RefusedError("HTTP 500", "")) == "HTTP 500"
