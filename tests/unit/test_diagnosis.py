"""Why AWS refuses: its own words, next to what is printed of them."""

from collections.abc import Callable
from dataclasses import replace
from textwrap import dedent
from typing import Any

import pytest
from contexts import ACCOUNT, OTHER, ROLES, UNREADABLE, meant, session, situation

from private_pypi.cli.deployed import Deployed
from private_pypi.cli.diagnosis import RefusedError, Step, explain, explain_credentials
from private_pypi.iam import Access, Policy

DOMAIN = f"arn:aws:codeartifact:us-west-2:{ACCOUNT}:domain/acme"
TOKEN, BEARER = "codeartifact:GetAuthorizationToken", "sts:GetServiceBearerToken"
READ, PUBLISH = "codeartifact:ReadFromRepository", "codeartifact:PublishPackageVersion"


def denied(action: str, why: str = "") -> RefusedError:
    """What AWS says to a session of the role reader."""
    text = f"User: {session()} is not authorized to perform: {action} on resource: {DOMAIN} {why}".strip()
    return RefusedError("AccessDeniedException", text)


def no(kind: str, action: str) -> str:
    return f"because no {kind} allows the {action} action"


def lines(text: str) -> list[str]:
    return dedent(text).strip().splitlines()


def told(
    refused: RefusedError, at: Any, deployed: Deployed = UNREADABLE, step: Step = "token", package: str = ""
) -> Any:
    """All but what AWS said, which comes first."""
    said, *rest = explain(step, refused, package, at, deployed)
    assert said == f"AWS says  {refused}"
    return rest


READER = f"{ROLES}/team/reader"
VISITOR = session("job", OTHER)
DENY = "with an explicit deny in {}"
READERS, OTHERS, NOBODY = meant([READER]), meant([OTHER]), meant([f"{ROLES}/x"])
WORKFLOW = replace(
    READERS,
    access=[Access(principal=READER, install=True, publish=("acme-*",), workflow="acme/tools tag v*")],
)


@pytest.mark.parametrize(
    ("explained", "expected"),
    [
        pytest.param(
            lambda: told(denied(BEARER, no("identity-based policy", BEARER)), situation(READERS)),
            """
            cause     no identity policy of role reader allows sts:GetServiceBearerToken. No permissions policy can
            mend      attach the output reader_policy to role reader: `pulumi stack output reader_policy --stack dev`
            who       whoever administers IAM in account 111122223333
            or        set private-pypi:attachIdentityPolicies to true in Pulumi.dev.yaml, then `pulumi up --stack dev`
            who       whoever deploys stack dev
            """,
            id="the bearer token",
        ),
        pytest.param(
            lambda: told(
                denied(BEARER, no("identity-based policy", BEARER)), situation(READERS, attaches_identity_policies=True)
            ),
            """
            cause     no identity policy of role reader allows sts:GetServiceBearerToken. No permissions policy can
            mend      `pulumi up --refresh --stack dev`: attachIdentityPolicies attaches it
            who       whoever deploys stack dev
            or        attach the output reader_policy to role reader: `pulumi stack output reader_policy --stack dev`
            who       whoever administers IAM in account 111122223333
            """,
            id="the bearer token, attached by the stack",
        ),
        pytest.param(
            lambda: told(denied(BEARER, no("identity-based policy", BEARER)), situation(OTHERS, VISITOR)),
            """
            cause     no identity policy of role job allows sts:GetServiceBearerToken. No permissions policy can
            mend      attach the output reader_policy to role job: `pulumi stack output reader_policy --stack dev`
            who       whoever administers IAM in account 444455556666
            """,
            id="the bearer token, of another account",
        ),
        pytest.param(
            lambda: told(denied(TOKEN, no("identity-based policy", TOKEN)), situation(READERS)),
            """
            cause     neither the domain's permissions policy nor an identity policy lets role reader do codeartifact:GetAuthorizationToken: one has to. The config says so, for arn:aws:iam::111122223333:role/team/reader
            mend      `pulumi up --refresh --stack dev`, if it was changed, names a role that was deleted since, or is not in us-west-2 (aws:region)
            who       whoever deploys stack dev
            or        compare the path: arn:aws:iam::111122223333:role/team/reader in the config, `aws iam get-role --role-name reader`
            who       whoever administers IAM in account 111122223333
            """,
            id="the domain's policy, of what is listed",
        ),
        pytest.param(
            lambda: told(denied(TOKEN, no("identity-based policy", TOKEN)), situation(READERS, path="team/")),
            """
            cause     neither the domain's permissions policy nor an identity policy lets role reader do codeartifact:GetAuthorizationToken: one has to. The config says so, for arn:aws:iam::111122223333:role/team/reader
            mend      `pulumi up --refresh --stack dev`, if it was changed, names a role that was deleted since, or is not in us-west-2 (aws:region)
            who       whoever deploys stack dev
            """,
            id="the domain's policy, with the path",
        ),
        pytest.param(
            lambda: told(
                denied(TOKEN, no("identity-based policy", TOKEN)),
                situation(READERS, path="team/"),
                Deployed(domain=Policy(), repository=Policy()),
            ),
            """
            cause     neither the domain's permissions policy nor an identity policy lets role reader do codeartifact:GetAuthorizationToken: one has to. The config says so, for arn:aws:iam::111122223333:role/team/reader
            mend      `pulumi up --refresh --stack dev`
            who       whoever deploys stack dev
            """,
            id="the domain's policy, deployed without it",
        ),
        pytest.param(
            lambda: told(
                denied(TOKEN, no("identity-based policy", TOKEN)),
                situation(READERS, path="team/"),
                Deployed(domain=READERS.domain, repository=None),
            ),
            """
            cause     neither the domain's permissions policy nor an identity policy lets role reader do codeartifact:GetAuthorizationToken: one has to. The config says so, for arn:aws:iam::111122223333:role/team/reader
            mend      try again in a minute: what was changed just now is not so everywhere
            who       you
            """,
            id="the domain's policy, deployed with it",
        ),
        pytest.param(
            lambda: told(denied(TOKEN, no("identity-based policy", TOKEN)), situation(READERS, path="")),
            """
            cause     neither the domain's permissions policy nor an identity policy lets role reader do codeartifact:GetAuthorizationToken: one has to. The config does not say so
            mend      write arn:aws:iam::111122223333:role/reader in the place of arn:aws:iam::111122223333:role/team/reader in Pulumi.dev.yaml (the path counts), then `pulumi up --stack dev`
            who       whoever deploys stack dev
            """,
            id="another path",
        ),
        pytest.param(
            lambda: told(denied(TOKEN, no("identity-based policy", TOKEN)), situation(NOBODY)),
            """
            cause     neither the domain's permissions policy nor an identity policy lets role reader do codeartifact:GetAuthorizationToken: one has to. The config does not say so
            mend      add the ARN of role reader, with its path, to private-pypi:readers in Pulumi.dev.yaml, then `pulumi up --stack dev`
            who       whoever deploys stack dev
            """,
            id="not listed",
        ),
        pytest.param(
            lambda: told(denied(TOKEN, no("identity-based policy", TOKEN)), situation(NOBODY, path="a/")),
            """
            cause     neither the domain's permissions policy nor an identity policy lets role reader do codeartifact:GetAuthorizationToken: one has to. The config does not say so
            mend      add arn:aws:iam::111122223333:role/a/reader to private-pypi:readers in Pulumi.dev.yaml, then `pulumi up --stack dev`
            who       whoever deploys stack dev
            """,
            id="not listed, with the path",
        ),
        pytest.param(
            lambda: told(denied(TOKEN, no("identity-based policy", TOKEN)), situation(meant(["o-a1b2c3d4e5"]))),
            """
            cause     neither the domain's permissions policy nor an identity policy lets role reader do codeartifact:GetAuthorizationToken: one has to. The config says so, for o-a1b2c3d4e5
            mend      `pulumi up --refresh --stack dev`, if it was changed, names a role that was deleted since, or is not in us-west-2 (aws:region)
            who       whoever deploys stack dev
            """,
            id="an organization",
        ),
        pytest.param(
            lambda: told(
                denied(TOKEN, no("identity-based policy", TOKEN)),
                situation(READERS, path="team/", existing_domain=True),
            ),
            """
            cause     neither the domain's permissions policy nor an identity policy lets role reader do codeartifact:GetAuthorizationToken: one has to. The config says so, for arn:aws:iam::111122223333:role/team/reader
            mend      add the output domain_policy_statement to it: `pulumi stack output domain_policy_statement --stack dev`
            who       whoever owns the domain, account 111122223333
            """,
            id="an existing domain",
        ),
        pytest.param(
            lambda: told(denied(TOKEN, no("identity-based policy", TOKEN)), situation(NOBODY, existing_domain=True)),
            """
            cause     neither the domain's permissions policy nor an identity policy lets role reader do codeartifact:GetAuthorizationToken: one has to. The config does not say so
            mend      add the ARN of role reader, with its path, to private-pypi:readers in Pulumi.dev.yaml, then `pulumi up --stack dev`; then give the output domain_policy_statement to the domain's owner
            who       whoever deploys stack dev
            """,
            id="an existing domain, not listed",
        ),
        pytest.param(
            lambda: told(
                denied(TOKEN, no("identity-based policy", TOKEN)),
                situation(READERS, existing_domain=True),
                Deployed(domain=READERS.domain, repository=None),
            ),
            """
            cause     neither the domain's permissions policy nor an identity policy lets role reader do codeartifact:GetAuthorizationToken: one has to. The config says so, for arn:aws:iam::111122223333:role/team/reader
            mend      compare the path: arn:aws:iam::111122223333:role/team/reader in the config, `aws iam get-role --role-name reader`
            who       whoever administers IAM in account 111122223333
            """,
            id="an existing domain, as the config says",
        ),
        pytest.param(
            lambda: told(
                denied(READ, no("identity-based policy", READ)),
                situation(READERS, path="team/", existing_domain=True),
                step="index",
            ),
            """
            cause     neither the repository's permissions policy nor an identity policy lets role reader do codeartifact:ReadFromRepository: one has to. The config says so, for arn:aws:iam::111122223333:role/team/reader
            mend      `pulumi up --refresh --stack dev`, if it was changed, names a role that was deleted since, or is not in us-west-2 (aws:region)
            who       whoever deploys stack dev
            """,
            id="an existing domain's repository",
        ),
        pytest.param(
            lambda: told(denied(TOKEN, no("identity-based policy", TOKEN)), situation(OTHERS, VISITOR)),
            """
            cause     no identity policy of role job allows codeartifact:GetAuthorizationToken. Another account than the domain's has to allow it too
            mend      attach the output reader_policy to role job: `pulumi stack output reader_policy --stack dev`
            who       whoever administers IAM in account 444455556666
            """,
            id="another account's identity policy",
        ),
        pytest.param(
            lambda: told(denied(TOKEN, no("identity-based policy", TOKEN)), situation(NOBODY, VISITOR)),
            """
            cause     no identity policy of role job allows codeartifact:GetAuthorizationToken. Another account than the domain's has to allow it too
            mend      add the ARN of role job, with its path, to private-pypi:readers in Pulumi.dev.yaml, `pulumi up --stack dev`, and then attach the output reader_policy to role job: `pulumi stack output reader_policy --stack dev`
            who       whoever deploys stack dev, and then whoever administers IAM in account 444455556666
            """,
            id="another account's identity policy, not listed",
        ),
        pytest.param(
            lambda: told(denied(TOKEN, no("resource-based policy", TOKEN)), situation(OTHERS, VISITOR)),
            """
            cause     the domain's permissions policy does not let role job do codeartifact:GetAuthorizationToken. The config says so, for arn:aws:iam::444455556666:root
            mend      `pulumi up --refresh --stack dev`, if it was changed, names a role that was deleted since, or is not in us-west-2 (aws:region)
            who       whoever deploys stack dev
            """,
            id="another account, refused by the domain",
        ),
        pytest.param(
            lambda: told(denied(TOKEN, no("resource-based policy", TOKEN)), situation(NOBODY, VISITOR)),
            """
            cause     the domain's permissions policy does not let role job do codeartifact:GetAuthorizationToken. The config does not say so
            mend      add the ARN of role job, with its path, to private-pypi:readers in Pulumi.dev.yaml, then `pulumi up --stack dev`
            who       whoever deploys stack dev
            """,
            id="another account, refused by the domain, not listed",
        ),
        pytest.param(
            lambda: told(denied(TOKEN, no("identity-based policy", TOKEN)), situation(meant([ACCOUNT]))),
            """
            cause     no identity policy of role reader allows codeartifact:GetAuthorizationToken. The config leaves it to the identity policies of account 111122223333
            mend      attach the output reader_policy to role reader: `pulumi stack output reader_policy --stack dev`
            who       whoever administers IAM in account 111122223333
            """,
            id="the domain's own account",
        ),
        pytest.param(
            lambda: told(
                denied(TOKEN, no("identity-based policy", TOKEN)), situation(meant([ACCOUNT, READER]), path="team/")
            ),
            """
            cause     neither the domain's permissions policy nor an identity policy lets role reader do codeartifact:GetAuthorizationToken: one has to. The config says so, for arn:aws:iam::111122223333:role/team/reader
            mend      `pulumi up --refresh --stack dev`, if it was changed, names a role that was deleted since, or is not in us-west-2 (aws:region)
            who       whoever deploys stack dev
            """,
            id="the domain's own account, and the role",
        ),
        pytest.param(
            lambda: told(
                denied(PUBLISH, no("identity-based policy", PUBLISH)),
                situation(meant([], [ACCOUNT])),
                step="publish",
                package="acme-core",
            ),
            """
            cause     no identity policy of role reader allows codeartifact:PublishPackageVersion. The config leaves it to the identity policies of account 111122223333
            mend      attach one to role reader that allows codeartifact:PublishPackageVersion on arn:aws:codeartifact:us-west-2:111122223333:package/acme/private-pypi/*
            who       whoever administers IAM in account 111122223333
            """,
            id="the domain's own account, publishing",
        ),
        pytest.param(
            lambda: told(
                denied(PUBLISH, no("identity-based policy", PUBLISH)),
                situation(meant([ACCOUNT])),
                step="publish",
                package="acme-core",
            ),
            """
            cause     neither the repository's permissions policy nor an identity policy lets role reader do codeartifact:PublishPackageVersion: one has to. The config does not say so
            mend      add the ARN of role reader, with its path, to private-pypi:publishers in Pulumi.dev.yaml, then `pulumi up --stack dev`
            who       whoever deploys stack dev
            """,
            id="the domain's own account, reading alone",
        ),
        pytest.param(
            lambda: told(
                denied(PUBLISH, no("identity-based policy", PUBLISH)),
                situation(meant([], [OTHER]), VISITOR),
                step="publish",
                package="acme-core",
            ),
            """
            cause     no identity policy of role job allows codeartifact:PublishPackageVersion. Another account than the domain's has to allow it too
            mend      attach the output publisher_policy to role job: `pulumi stack output publisher_policy --stack dev`
            who       whoever administers IAM in account 444455556666
            """,
            id="publishing from another account",
        ),
        pytest.param(
            lambda: told(
                denied(PUBLISH, no("identity-based policy", PUBLISH)),
                situation(meant([f"{ROLES}/*"], [(READER, "acme-*")]), path="team/"),
                step="publish",
                package="acme-core",
            ),
            """
            cause     neither the repository's permissions policy nor an identity policy lets role reader do codeartifact:PublishPackageVersion: one has to. The config says so, for arn:aws:iam::111122223333:role/team/reader
            mend      `pulumi up --refresh --stack dev`, if it was changed, names a role that was deleted since, or is not in us-west-2 (aws:region)
            who       whoever deploys stack dev
            """,
            id="publishing what one entry of two lets",
        ),
        pytest.param(
            lambda: told(
                denied(PUBLISH, no("identity-based policy", PUBLISH)),
                situation(meant([], [(READER, "acme-*")])),
                step="publish",
                package="other",
            ),
            """
            cause     neither the repository's permissions policy nor an identity policy lets role reader do codeartifact:PublishPackageVersion: one has to. The config does not say so
            mend      add other to the packages of role reader in private-pypi:publishers of Pulumi.dev.yaml, then `pulumi up --stack dev`
            who       whoever deploys stack dev
            """,
            id="publishing another package",
        ),
        pytest.param(
            lambda: told(
                denied(PUBLISH, no("identity-based policy", PUBLISH)),
                situation(WORKFLOW),
                step="publish",
                package="other",
            ),
            """
            cause     neither the repository's permissions policy nor an identity policy lets role reader do codeartifact:PublishPackageVersion: one has to. The config does not say so
            mend      add other to the packages of acme/tools tag v* in private-pypi:githubPublishers of Pulumi.dev.yaml, then `pulumi up --stack dev`
            who       whoever deploys stack dev
            """,
            id="a workflow that publishes another package",
        ),
        pytest.param(
            lambda: told(
                denied(PUBLISH, DENY.format("a resource-based policy")),
                situation(meant([READER], [f"{ROLES}/ci"], closed=True)),
                step="publish",
                package="acme-core",
            ),
            """
            cause     the repository's permissions policy has a Deny of codeartifact:PublishPackageVersion for whoever is no publisher (private-pypi:closedPublishing)
            mend      add the ARN of role reader, with its path, to private-pypi:publishers in Pulumi.dev.yaml, then `pulumi up --stack dev`
            who       whoever deploys stack dev
            """,
            id="closed publishing",
        ),
        pytest.param(
            lambda: told(
                denied(PUBLISH, DENY.format("a resource-based policy")),
                situation(meant([], [READER], closed=True)),
                step="publish",
                package="acme-core",
            ),
            """
            cause     the repository's permissions policy has a Deny of codeartifact:PublishPackageVersion. The config has none for role reader
            mend      `pulumi up --refresh --stack dev`, which takes it out
            who       whoever deploys stack dev
            """,
            id="a Deny where publishing is closed, but not for you",
        ),
        pytest.param(
            lambda: told(denied(TOKEN, DENY.format("a resource-based policy")), situation(READERS)),
            """
            cause     the domain's permissions policy has a Deny of codeartifact:GetAuthorizationToken. The config has none for role reader
            mend      `pulumi up --refresh --stack dev`, which takes it out
            who       whoever deploys stack dev
            """,
            id="a Deny in the domain's policy",
        ),
        pytest.param(
            lambda: told(
                denied(TOKEN, DENY.format("a resource-based policy")), situation(READERS, existing_domain=True)
            ),
            """
            cause     the domain's permissions policy has a Deny of codeartifact:GetAuthorizationToken
            mend      take the Deny out
            who       whoever owns the domain, account 111122223333
            """,
            id="a Deny in an existing domain's policy",
        ),
        pytest.param(
            lambda: told(
                denied(TOKEN, DENY.format("an identity-based policy: arn:aws:iam::111122223333:policy/x.")),
                situation(READERS),
            ),
            """
            cause     an identity policy of role reader, arn:aws:iam::111122223333:policy/x, has a Deny of codeartifact:GetAuthorizationToken
            mend      take the Deny out
            who       whoever administers IAM in account 111122223333
            """,
            id="a Deny in an identity policy",
        ),
        pytest.param(
            lambda: told(denied(BEARER, no("permissions boundary", BEARER)), situation(READERS)),
            """
            cause     the permissions boundary of role reader does not allow sts:GetServiceBearerToken
            mend      allow it there
            who       whoever administers IAM in account 111122223333
            """,
            id="a boundary",
        ),
        pytest.param(
            lambda: told(denied(BEARER, DENY.format("a permissions boundary")), situation(READERS)),
            """
            cause     the permissions boundary of role reader has a Deny of sts:GetServiceBearerToken
            mend      take the Deny out
            who       whoever administers IAM in account 111122223333
            """,
            id="a Deny in a boundary",
        ),
        pytest.param(
            lambda: told(denied(TOKEN, no("session policy", TOKEN)), situation(READERS)),
            """
            cause     the policy that the session was made with does not allow codeartifact:GetAuthorizationToken
            mend      allow it there
            who       whoever makes the session
            """,
            id="a session policy",
        ),
        pytest.param(
            lambda: told(
                denied(TOKEN, DENY.format("a service control policy: arn:aws:organizations::1:policy/o-1/p-1")),
                situation(READERS),
            ),
            """
            cause     a service control policy (SCP), arn:aws:organizations::1:policy/o-1/p-1, has a Deny of codeartifact:GetAuthorizationToken
            mend      take the Deny out
            who       whoever manages the policies of the organization
            """,
            id="an SCP",
        ),
        pytest.param(
            lambda: told(denied(TOKEN, no("resource control policy", TOKEN)), situation(READERS)),
            """
            cause     a resource control policy (RCP) does not allow codeartifact:GetAuthorizationToken
            mend      allow it there
            who       whoever manages the policies of the organization
            """,
            id="an RCP",
        ),
        pytest.param(
            lambda: told(denied(TOKEN, no("VPC endpoint policy", TOKEN)), situation(READERS)),
            """
            cause     the policy of the VPC endpoint that the call went through does not allow codeartifact:GetAuthorizationToken
            mend      allow it there
            who       whoever manages the VPC
            """,
            id="a VPC endpoint",
        ),
        pytest.param(
            lambda: told(denied(TOKEN), situation(READERS, path="team/")),
            """
            It does not say which policy refuses. Look at these, in this order.
            look at   the domain's permissions policy: it has to let role reader do codeartifact:GetAuthorizationToken. The config says so, for arn:aws:iam::111122223333:role/team/reader
            mend      `pulumi up --refresh --stack dev`, if it was changed, names a role that was deleted since, or is not in us-west-2 (aws:region)
            who       whoever deploys stack dev
            look at   a Deny of codeartifact:GetAuthorizationToken, or a permissions boundary or a policy of the organization without it
            mend      take the Deny out, or allow it there
            who       whoever administers IAM in account 111122223333
            """,
            id="no kind of policy",
        ),
        pytest.param(
            lambda: told(denied(TOKEN, no("quantum policy", TOKEN)), situation(NOBODY)),
            """
            It does not say which policy refuses. Look at these, in this order.
            look at   the domain's permissions policy: it has to let role reader do codeartifact:GetAuthorizationToken. The config does not say so
            mend      add the ARN of role reader, with its path, to private-pypi:readers in Pulumi.dev.yaml, then `pulumi up --stack dev`
            who       whoever deploys stack dev
            look at   a Deny of codeartifact:GetAuthorizationToken, or a permissions boundary or a policy of the organization without it
            mend      take the Deny out, or allow it there
            who       whoever administers IAM in account 111122223333
            """,
            id="a kind of policy that is not known here",
        ),
        pytest.param(
            lambda: told(RefusedError("HTTP 403", ""), situation(OTHERS, VISITOR), step="package", package="acme-core"),
            """
            It does not say which policy refuses. Look at these, in this order.
            look at   the identity policies of role job: one has to allow codeartifact:GetPackageVersionAsset. Another account than the domain's has to allow it too
            mend      attach the output reader_policy to role job: `pulumi stack output reader_policy --stack dev`
            who       whoever administers IAM in account 444455556666
            look at   the repository's permissions policy: it has to let role job do codeartifact:GetPackageVersionAsset. The config says so, for arn:aws:iam::444455556666:root
            mend      `pulumi up --refresh --stack dev`, if it was changed, names a role that was deleted since, or is not in us-west-2 (aws:region)
            who       whoever deploys stack dev
            look at   a Deny of codeartifact:GetPackageVersionAsset, or a permissions boundary or a policy of the organization without it
            mend      take the Deny out, or allow it there
            who       whoever administers IAM in account 444455556666
            """,
            id="no words",
        ),
        pytest.param(
            lambda: told(denied("kms:Decrypt"), situation(READERS)),
            """
            It does not say which policy refuses. Look at these, in this order.
            look at   the identity policies of role reader: one has to allow kms:Decrypt
            mend      attach one to role reader that allows it
            who       whoever administers IAM in account 111122223333
            look at   a Deny of kms:Decrypt, or a permissions boundary or a policy of the organization without it
            mend      take the Deny out, or allow it there
            who       whoever administers IAM in account 111122223333
            """,
            id="an action for which there is no word here",
        ),
        pytest.param(
            lambda: told(denied(TOKEN), situation(READERS, f"arn:aws:iam::{ACCOUNT}:root")),
            """
            cause     root users get no tokens
            mend      take the credentials of a role or a user
            who       you
            """,
            id="root",
        ),
        pytest.param(
            lambda: told(
                denied(TOKEN, no("identity-based policy", TOKEN)),
                situation(NOBODY, f"arn:aws:iam::{ACCOUNT}:user/team/ada"),
            ),
            """
            cause     neither the domain's permissions policy nor an identity policy lets user ada do codeartifact:GetAuthorizationToken: one has to. The config does not say so
            mend      add arn:aws:iam::111122223333:user/team/ada to private-pypi:readers in Pulumi.dev.yaml, then `pulumi up --stack dev`
            who       whoever deploys stack dev
            """,
            id="a user",
        ),
        pytest.param(
            lambda: told(
                denied(TOKEN, no("identity-based policy", TOKEN)),
                situation(meant([READER], owner=OTHER), account=OTHER, account_source="aws:profile"),
            ),
            """
            cause     no identity policy of role reader allows codeartifact:GetAuthorizationToken. Another account than the domain's has to allow it too
            mend      attach the output reader_policy to role reader: `pulumi stack output reader_policy --stack dev`
            who       whoever administers IAM in account 111122223333
            or        correct aws:profile, which is of account 444455556666, if the domain is in another one
            who       whoever deploys stack dev
            """,
            id="a profile of another account",
        ),
        pytest.param(
            lambda: told(
                RefusedError("ResourceNotFoundException", "Domain not found"),
                situation(meant([READER], owner=OTHER), account=OTHER, account_source="aws:profile"),
            ),
            """
            cause     there is no domain acme of account 444455556666 in region us-west-2
            mend      correct the names, domainOwner, aws:region and aws:profile in Pulumi.dev.yaml
            who       whoever deploys stack dev
            or        `pulumi up --stack dev`, if it is not deployed yet
            who       whoever deploys stack dev
            """,
            id="no domain in the account of a profile",
        ),
        pytest.param(
            lambda: told(RefusedError("ResourceNotFoundException", "Domain not found"), situation(READERS)),
            """
            cause     there is no domain acme of account 111122223333 in region us-west-2
            mend      correct the names, domainOwner, aws:region and aws:allowedAccountIds in Pulumi.dev.yaml
            who       whoever deploys stack dev
            or        `pulumi up --stack dev`, if it is not deployed yet
            who       whoever deploys stack dev
            """,
            id="no domain",
        ),
        pytest.param(
            lambda: told(
                RefusedError("ResourceNotFoundException", "Repository not found"), situation(READERS), step="endpoint"
            ),
            """
            cause     there is no repository private-pypi in domain acme of account 111122223333 in region us-west-2
            mend      correct the names, domainOwner, aws:region and aws:allowedAccountIds in Pulumi.dev.yaml
            who       whoever deploys stack dev
            or        `pulumi up --stack dev`, if it is not deployed yet
            who       whoever deploys stack dev
            """,
            id="no repository",
        ),
        pytest.param(
            lambda: told(RefusedError("HTTP 404", ""), situation(READERS), step="package", package="acme-core"),
            """
            cause     there is no package acme-core here; the token is new, and lets you read
            mend      correct the name, or publish it
            who       its publishers
            """,
            id="no package",
        ),
        pytest.param(
            lambda: told(RefusedError("EndpointConnectionError", "Could not connect"), situation(READERS)),
            """
            cause     no answer came
            mend      look at the network, at the proxy (HTTPS_PROXY) and at AWS_ENDPOINT_URL
            who       you
            """,
            id="no answer",
        ),
        pytest.param(
            lambda: told(RefusedError("HTTP 401", ""), situation(READERS), step="index"),
            """
            cause     the token did not arrive, though you have one: a proxy may take the header Authorization out
            mend      look at the network, at the proxy (HTTPS_PROXY) and at AWS_ENDPOINT_URL
            who       you
            """,
            id="no header",
        ),
        pytest.param(
            lambda: told(RefusedError("ThrottlingException", "Rate exceeded"), situation(READERS)),
            """
            cause     no right is missing; it is what AWS says
            mend      try again in a while
            who       you
            """,
            id="anything else",
        ),
    ],
)
def test_a_refusal_is_told_with_its_mends(explained: Callable[[], list[str]], expected: str) -> None:
    assert explained() == lines(expected)


@pytest.mark.parametrize(
    ("code", "profile", "expected"),
    [
        (
            "ExpiredToken",
            None,
            """
            AWS says  ExpiredToken: It says so.
            cause     your credentials have ended
            mend      fetch new ones: `aws sso login`, or assume the role again
            who       you
            """,
        ),
        (
            "NoCredentialsError",
            "deploy",
            """
            AWS says  NoCredentialsError: It says so.
            cause     there are no credentials in the environment
            mend      set AWS_PROFILE, or sign in; give a job a role
            who       you
            or        take the profile that Pulumi takes: AWS_PROFILE=deploy
            who       you
            """,
        ),
        (
            "InvalidClientTokenId",
            None,
            """
            AWS says  InvalidClientTokenId: It says so.
            cause     AWS does not take your credentials
            mend      fetch new ones; unset variables AWS_... of others
            who       you
            """,
        ),
        (
            "EndpointConnectionError",
            None,
            """
            AWS says  EndpointConnectionError: It says so.
            cause     no answer came
            mend      look at the network, at the proxy (HTTPS_PROXY) and at AWS_ENDPOINT_URL
            who       you
            """,
        ),
    ],
)
def test_whom_aws_does_not_know_is_told_what_to_fetch(code: str, profile: str | None, expected: str) -> None:
    assert explain_credentials(RefusedError(code, "It says so."), profile) == lines(expected)


def test_what_aws_says_is_one_line_that_shows_and_is_not_too_long() -> None:
    assert str(RefusedError("HTTP 500", "<p>\n\tNo\x1b[31m!</p>\r\n")) == "HTTP 500: <p> No [31m!</p>"
    assert str(RefusedError("HTTP 500", "x" * 1000)) == f"HTTP 500: {'x' * 600}"
    assert str(RefusedError("HTTP 500", "")) == "HTTP 500"
