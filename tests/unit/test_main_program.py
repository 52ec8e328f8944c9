import json

import pulumi
import pytest
from mocks import (
    DOMAIN,
    DOMAIN_PERMISSIONS,
    ENDPOINT,
    REPOSITORY,
    REPOSITORY_PERMISSIONS,
    ROOT,
    Run,
    main_program,
    run,
)
from pulumi.runtime.rpc import UNKNOWN

from private_pypi.cli.stack_files import read_stack

DEV = dict(read_stack(ROOT, "dev").config)
API = "arn:aws:iam::111122223333:role/service/api"
GLUE = "arn:aws:iam::111122223333:role/glue/job-orchestrator"
GITHUB = "arn:aws:iam::111122223333:role/github-actions/publish-packages"
ARN = "arn:aws:codeartifact:us-west-2:111122223333"
READING = [
    {
        "Effect": "Allow",
        "Action": "sts:GetServiceBearerToken",
        "Resource": "*",
        "Condition": {"StringEquals": {"sts:AWSServiceName": "codeartifact.amazonaws.com"}},
    },
    {
        "Effect": "Allow",
        "Action": "codeartifact:GetRepositoryEndpoint",
        "Resource": f"{ARN}:repository/example/private-pypi",
    },
]

both_times = pytest.mark.parametrize("preview", [False, True], ids=["up", "preview"])


@both_times
def test_the_dev_stack_lets_its_readers_install_and_its_publisher_publish(preview: bool) -> None:
    made = run(main_program, DEV, preview=preview)
    everyone = [GITHUB, GLUE, API]

    assert json.loads(made.of_type(DOMAIN_PERMISSIONS).inputs["policyDocument"]) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "GetAuthorizationToken",
                "Effect": "Allow",
                "Principal": {"AWS": everyone},
                "Action": ["codeartifact:GetAuthorizationToken"],
                "Resource": f"{ARN}:domain/example",
            }
        ],
    }
    assert json.loads(made.of_type(REPOSITORY_PERMISSIONS).inputs["policyDocument"]) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "ReadRepository",
                "Effect": "Allow",
                "Principal": {"AWS": everyone},
                "Action": ["codeartifact:ReadFromRepository"],
                "Resource": f"{ARN}:repository/example/private-pypi",
            },
            {
                "Sid": "DownloadPackages",
                "Effect": "Allow",
                "Principal": {"AWS": everyone},
                "Action": ["codeartifact:GetPackageVersionAsset", "codeartifact:GetPackageVersionReadme"],
                "Resource": f"{ARN}:package/example/private-pypi/*",
            },
            {
                "Sid": "PublishPackages",
                "Effect": "Allow",
                "Principal": {"AWS": [GITHUB]},
                "Action": ["codeartifact:PublishPackageVersion"],
                "Resource": f"{ARN}:package/example/private-pypi/*",
            },
        ],
    }


@both_times
def test_the_outputs_are_exported(preview: bool) -> None:
    exports = run(main_program, DEV, preview=preview).exports

    assert json.loads(exports.pop("reader_policy")) == {"Version": "2012-10-17", "Statement": READING}
    assert json.loads(exports.pop("publisher_policy")) == {"Version": "2012-10-17", "Statement": READING}
    assert exports == {
        "private_pypi_endpoint_url": UNKNOWN if preview else ENDPOINT,
        "index_url": UNKNOWN if preview else f"{ENDPOINT}simple/",
        "publish_url": UNKNOWN if preview else ENDPOINT,
        "domain_name": "example",
        "domain_owner": "111122223333",
        "domain_arn": f"{ARN}:domain/example",
        "repository_name": "private-pypi",
        "repository_arn": f"{ARN}:repository/example/private-pypi",
    }


ALL = DEV | {
    "private-pypi:protect": "true",
    "private-pypi:encryptionKey": "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "private-pypi:publicUpstream": "true",
    "private-pypi:internalPackages": '["Example.Core", "example-*", "billing"]',
    "private-pypi:attachIdentityPolicies": "true",
    "private-pypi:closedPublishing": "true",
    "private-pypi:tags": '{"team": "platform"}',
}


@both_times
def test_all_keys_together_make_each_resource_once(preview: bool) -> None:
    made = run(main_program, ALL, preview=preview)

    assert {name.removeprefix("private-pypi-"): each.protect for name, each in made.resources.items()} == {
        "private-pypi": False,
        "domain": True,
        "domain-permissions": False,
        "internal-billing": False,
        "internal-example-*": False,
        "store": False,
        "store-permissions": False,
        "repository": True,
        "repository-permissions": True,
        "reader-policy": False,
        "reader-policy-api": False,
        "reader-policy-job-orchestrator": False,
        "reader-policy-publish-packages": False,
    }
    assert made.of_type(DOMAIN).inputs["encryptionKey"] == ALL["private-pypi:encryptionKey"]
    closing = {
        "Sid": "ClosePublishing",
        "Effect": "Deny",
        "Principal": "*",
        "Action": ["codeartifact:PublishPackageVersion", "codeartifact:CopyPackageVersions"],
    }
    documents = {
        name: json.loads(made.resources[f"private-pypi-{name}"].inputs["policyDocument"])
        for name in ("repository-permissions", "store-permissions")
    }
    assert documents["store-permissions"] == {
        "Version": "2012-10-17",
        "Statement": [
            closing
            | {
                "Resource": [
                    f"{ARN}:package/example/private-pypi-store/*",
                    f"{ARN}:repository/example/private-pypi-store",
                ]
            }
        ],
    }
    assert documents["repository-permissions"]["Statement"][3:] == [
        closing
        | {
            "Resource": [f"{ARN}:package/example/private-pypi/*", f"{ARN}:repository/example/private-pypi"],
            "Condition": {"ArnNotLike": {"aws:PrincipalArn": [GITHUB]}},
        },
        {
            "Sid": "ProtectPackages",
            "Effect": "Deny",
            "Principal": "*",
            "Action": [
                "codeartifact:DeleteRepository",
                "codeartifact:DeletePackage",
                "codeartifact:DeletePackageVersions",
                "codeartifact:DisposePackageVersions",
            ],
            "Resource": [f"{ARN}:package/example/private-pypi/*", f"{ARN}:repository/example/private-pypi"],
        },
    ]


def test_the_dev_stack_is_not_protected() -> None:
    assert not any(each.protect for each in run(main_program, DEV).resources.values())


def test_a_reader_added_to_the_config_changes_the_two_policies_alone() -> None:
    more = json.dumps([*json.loads(DEV["private-pypi:readers"]), "444455556666"])
    before = run(main_program, DEV).resources
    after = run(main_program, DEV | {"private-pypi:readers": more}).resources

    changed = {each.type for name, each in after.items() if each != before[name]}
    assert changed == {DOMAIN_PERMISSIONS, REPOSITORY_PERMISSIONS}


def test_the_order_of_the_config_changes_nothing() -> None:
    turned = json.dumps(json.loads(DEV["private-pypi:readers"])[::-1])

    assert run(main_program, DEV | {"private-pypi:readers": turned}).resources == run(main_program, DEV).resources


def test_the_names_are_those_of_the_config() -> None:
    made = run(main_program, {"private-pypi:domain": "acme", "private-pypi:repository": "tools"})

    assert made.of_type(DOMAIN).inputs["domain"] == "acme"
    assert made.of_type(REPOSITORY).inputs["repository"] == "tools"


@both_times
def test_with_a_mistake_in_the_config_nothing_is_registered(preview: bool) -> None:
    record = Run()

    with pytest.raises(
        pulumi.RunError, match=r"^a mistake in the config; nothing was changed.\nprivate-pypi:readers\[0\]: got '\*'"
    ):
        run(main_program, DEV | {"private-pypi:readers": '["*"]'}, preview=preview, record=record)
    assert record.resources == record.exports == {}
