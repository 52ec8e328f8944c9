"""The command `adopt`: what it asks AWS, what it writes, and what it never writes over."""

import json
from pathlib import Path
from typing import Any

import pytest

from private_pypi.cli.adopt import render_config
from private_pypi.cli.diagnosis import RefusedError
from private_pypi.cli.main import main
from private_pypi.cli.stack_files import read_stack

ACCOUNT = "000000012345"
READER = f"arn:aws:iam::{ACCOUNT}:role/reader"
NOT_FOUND = RefusedError("ResourceNotFoundException", "there is none")
DENIED = RefusedError("AccessDeniedException", "not authorized")
PERMISSIONS = {"Effect": "Allow", "Principal": {"AWS": READER}, "Resource": "*"}
DOMAIN_POLICY, REPOSITORY_POLICY = (
    json.dumps({"Version": "2012-10-17", "Statement": [PERMISSIONS | {"Action": actions}]})
    for actions in (
        "codeartifact:GetAuthorizationToken",
        ["codeartifact:ReadFromRepository", "codeartifact:GetPackageVersion*"],
    )
)


class Aws:
    """Answers by operation, and by repository where there are several."""

    def __init__(self, region: str | None) -> None:
        assert region is None
        self.region = "us-west-2"
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, Any] = {
            "get_caller_identity": f"arn:aws:iam::{ACCOUNT}:user/ada",
            "describe_repository tools": {"name": "tools", "description": "Tools", "administratorAccount": ACCOUNT},
            "describe_repository tools-store": NOT_FOUND,
            "describe_domain": {"name": "acme"},
            "list_repositories_in_domain": [{"name": "tools"}],
            "list_package_groups": [{"pattern": "/*"}, {"pattern": "/pypi//acme~"}],
            "list_tags_for_resource": [{"key": "team", "value": "data"}],
            "get_domain_permissions_policy": {"document": DOMAIN_POLICY},
            "get_repository_permissions_policy": {"document": REPOSITORY_POLICY},
        }

    def call(self, service: str, operation: str, answer: str, **arguments: Any) -> Any:
        assert service in {"sts", "codeartifact"}
        assert answer
        self.asked.append((operation, arguments))
        name = f"{operation} {arguments['repository']}" if operation == "describe_repository" else operation
        answered = self.answers[name]
        if isinstance(answered, Exception):
            raise answered
        return answered

    list = call


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Aws:
    aws = Aws(None)
    monkeypatch.setattr("private_pypi.cli.adopt.Aws", lambda _: aws)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Pulumi.yaml").write_text("name: private-pypi\nruntime: python\n")
    return aws


@pytest.mark.usefixtures("aws")
def test_two_files_are_written_and_what_they_leave_out_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["adopt", "acme/tools"]) == 0

    assert Path("Pulumi.dev.yaml").read_text() == (
        "config:\n"
        '  aws:region: "us-west-2"\n'
        "  aws:allowedAccountIds:\n"
        f'    - "{ACCOUNT}"\n'
        '  private-pypi:domain: "acme"\n'
        '  private-pypi:repository: "tools"\n'
        '  private-pypi:description: "Tools"\n'
        "  private-pypi:readers:\n"
        f'    - "{READER}"\n'
        "  private-pypi:protect: false\n"
        '  private-pypi:tags: {"team": "data"}\n'
    )
    arn = f"arn:aws:codeartifact:us-west-2:{ACCOUNT}"
    assert json.loads(Path("adopt.json").read_text())["resources"] == [
        {"type": "private-pypi:index:PrivatePypi", "name": "private-pypi", "component": True},
        *(
            {"type": f"aws:codeartifact/{kind}", "name": f"private-pypi-{name}", "parent": "private-pypi", "id": rid}
            for kind, name, rid in (
                ("domain:Domain", "domain", f"{arn}:domain/acme"),
                ("domainPermissions:DomainPermissions", "domain-permissions", f"{arn}:domain/acme"),
                ("repository:Repository", "repository", f"{arn}:repository/acme/tools"),
                (
                    "repositoryPermissionsPolicy:RepositoryPermissionsPolicy",
                    "repository-permissions",
                    f"{arn}:repository/acme/tools",
                ),
            )
        ),
    ]
    assert capsys.readouterr().out == (
        f"Wrote Pulumi.dev.yaml and adopt.json for {arn}:repository/acme/tools. Nothing changes in AWS.\n"
        "\n"
        "What else `pulumi up` changes\n"
        "  The domain's policy is written in another form; what that changes for people is all said here.\n"
        "  The repository's policy is written in another form; what that changes for people is all said here.\n"
        "\n"
        "What stays as it is, outside of the stack\n"
        "  Package groups, which Pulumi cannot import: /pypi//acme~. To have their names in internalPackages, delete "
        "these groups first.\n"
    )


def test_where_the_config_says_all_that_is_said(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    arn = f"arn:aws:codeartifact:us-west-2:{ACCOUNT}:repository/acme/tools"
    nothing = {
        "Sid": "DescribeRepository",
        "Effect": "Allow",
        "Principal": {"AWS": [f"arn:aws:iam::{ACCOUNT}:root"]},
        "Action": ["codeartifact:DescribeRepository"],
        "Resource": arn,
    }
    aws.answers |= {
        "list_package_groups": [],
        "get_domain_permissions_policy": NOT_FOUND,
        "get_repository_permissions_policy": {
            "document": json.dumps({"Version": "2012-10-17", "Statement": [nothing]})
        },
    }

    assert main(["adopt", "acme/tools", "--stack", "prod"]) == 0
    assert capsys.readouterr().out.endswith(
        "\nThe config says all that is deployed: once it is imported, `pulumi up` changes nothing.\n"
    )
    assert Path("Pulumi.prod.yaml").exists()


def test_the_domain_of_another_account_is_asked_for(aws: Aws) -> None:
    aws.answers["describe_domain"] = DENIED

    assert main(["adopt", "acme/tools", "--domain-owner", "444455556666"]) == 0
    assert {each.get("domainOwner", "444455556666") for _, each in aws.asked} == {"444455556666"}
    config = read_stack(Path.cwd(), "dev").config
    assert config["private-pypi:domainOwner"] == "444455556666"
    assert config["private-pypi:existingDomain"] == "true"


@pytest.mark.parametrize(
    ("file", "fix"), [("Pulumi.dev.yaml", "name another stack: --stack NAME"), ("adopt.json", "move it away")]
)
def test_no_file_is_written_over(aws: Aws, capsys: pytest.CaptureFixture[str], file: str, fix: str) -> None:
    Path(file).write_text("ours")

    assert main(["adopt", "acme/tools"]) == 1
    assert capsys.readouterr().err == f"error: there is {file} already; {fix}\n"
    assert Path(file).read_text() == "ours"
    assert aws.asked == []


def test_what_cannot_be_written_is_an_error(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    Path("adopt.json").symlink_to("elsewhere")
    assert main(["adopt", "acme/tools"]) == 1
    assert aws.asked == []
    Path("adopt.json").unlink()

    assert main(["adopt", "acme/tools", "--stack", f"acme/project/{'x' * 300}"]) == 1
    assert "File name too long: " in capsys.readouterr().err


def test_without_a_region_nothing_is_asked(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.region = ""

    assert main(["adopt", "acme/tools"]) == 1
    assert capsys.readouterr().err == "error: there is no region: set AWS_REGION\n"
    assert aws.asked == []


@pytest.mark.parametrize(
    "operation",
    [
        "get_caller_identity",
        "describe_repository tools",
        "describe_repository tools-store",
        "get_repository_permissions_policy",
    ],
)
def test_nothing_is_written_where_aws_does_not_say_what_the_repository_is(
    aws: Aws, capsys: pytest.CaptureFixture[str], operation: str
) -> None:
    aws.answers[operation] = DENIED

    assert main(["adopt", "acme/tools"]) == 1
    assert capsys.readouterr().err == "error: AccessDeniedException: not authorized\n"
    assert {each.name for each in Path.cwd().iterdir()} == {"Pulumi.yaml"}


@pytest.mark.parametrize(
    "operation",
    ["describe_domain", "list_repositories_in_domain", "list_package_groups", "get_domain_permissions_policy"],
)
def test_a_domain_that_cannot_be_read_whole_is_left_alone(
    aws: Aws, capsys: pytest.CaptureFixture[str], operation: str
) -> None:
    aws.answers[operation] = DENIED

    assert main(["adopt", "acme/tools"]) == 0
    assert "private-pypi:existingDomain: true\n" in Path("Pulumi.dev.yaml").read_text()
    said = "so it cannot be told who needs it: AccessDeniedException: not authorized"
    assert said in capsys.readouterr().out


def test_what_no_stack_can_be_is_an_error(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    many = [f"{READER}-{number:03}" for number in range(150)]
    policy = {"Statement": [PERMISSIONS | {"Principal": {"AWS": many}, "Action": "codeartifact:ReadFromRepository"}]}
    aws.answers["get_repository_permissions_policy"] = {"document": json.dumps(policy)}

    assert main(["adopt", "acme/tools"]) == 1
    assert capsys.readouterr().err.startswith(
        "error: what is deployed cannot be a stack as it is\ngot a repository permissions policy of "
    )
    assert {each.name for each in Path.cwd().iterdir()} == {"Pulumi.yaml"}


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["tools"], "got '', of length 0\n  expected: 2 to 100 letters"),
        (["Acme/tools"], "got 'Acme', whose character 1 is 'A'"),
        (["acme/tools/x"], "got 'tools/x', whose character 6 is '/'"),
        (["acme/tools", "--domain-owner", "1111"], "an account has 12 digits, this has 4"),
    ],
)
def test_what_is_no_name_is_refused(arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["adopt", *arguments])
    assert complaint in capsys.readouterr().err


def test_text_that_looks_like_something_else_stays_text(tmp_path: Path) -> None:
    values = ["098765432109", "yes", "1e3", 'a "quote": # and a \\', "ä\u2028", "- x", "null", "~"]
    (tmp_path / "Pulumi.yaml").write_text("name: private-pypi\nruntime: python\n")
    (tmp_path / "Pulumi.dev.yaml").write_text(
        render_config(
            {"private-pypi:readers": values, "private-pypi:description": values[3], "private-pypi:tags": {"a": "1"}}
        )
    )
    config = read_stack(tmp_path, "dev").config

    assert json.loads(config["private-pypi:readers"]) == values
    assert config["private-pypi:description"] == values[3]
    assert json.loads(config["private-pypi:tags"]) == {"a": "1"}
