"""The offline preview, from the command line to what it prints."""

import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mocks import COMPONENT, DOMAIN, DOMAIN_PERMISSIONS, REPOSITORY, REPOSITORY_PERMISSIONS, ROOT, main_program, run

from private_pypi.cli.main import main
from private_pypi.cli.stack_files import read_stack

STACK = """\
config:
  aws:region: us-west-2
  aws:allowedAccountIds: ["111122223333"]
  private-pypi:domain: acme
  private-pypi:readers: ["444455556666"]
  private-pypi:publishers: [arn:aws:iam::111122223333:role/ci]
"""
TEXT = """\
Stack test in account 111122223333, region us-west-2. Nothing was asked of AWS and nothing changes.

Who gets in
  principal                          install  publish
  arn:aws:iam::111122223333:role/ci  yes      yes
  arn:aws:iam::444455556666:root     yes      no
  Packages are protected: nobody may delete them, whatever their own IAM policies say.

Resources
  private-pypi:index:PrivatePypi                   private-pypi
  ├─ aws:codeartifact:Domain                       private-pypi-domain                  protected
  ├─ aws:codeartifact:DomainPermissions            private-pypi-domain-permissions
  ├─ aws:codeartifact:Repository                   private-pypi-repository              protected
  └─ aws:codeartifact:RepositoryPermissionsPolicy  private-pypi-repository-permissions  protected

Outputs
  domain_arn                 arn:aws:codeartifact:us-west-2:111122223333:domain/acme
  domain_name                acme
  domain_owner               111122223333
  index_url                  known after pulumi up
  private_pypi_endpoint_url  known after pulumi up
  publish_url                known after pulumi up
  repository_arn             arn:aws:codeartifact:us-west-2:111122223333:repository/acme/private-pypi
  repository_name            private-pypi

Policy private-pypi-domain-permissions: 295 of 7,168 characters
  {
    "Version": "2012-10-17",
    "Statement": [
      {
        "Sid": "GetAuthorizationToken",
        "Effect": "Allow",
        "Principal": {
          "AWS": [
            "arn:aws:iam::111122223333:role/ci",
            "arn:aws:iam::444455556666:root"
          ]
        },
        "Action": [
          "codeartifact:GetAuthorizationToken"
        ],
        "Resource": "arn:aws:codeartifact:us-west-2:111122223333:domain/acme"
      }
    ]
  }

Policy private-pypi-repository-permissions: 1,211 of 7,168 characters
  {
    "Version": "2012-10-17",
    "Statement": [
      {
        "Sid": "ReadRepository",
        "Effect": "Allow",
        "Principal": {
          "AWS": [
            "arn:aws:iam::111122223333:role/ci",
            "arn:aws:iam::444455556666:root"
          ]
        },
        "Action": [
          "codeartifact:ReadFromRepository"
        ],
        "Resource": "arn:aws:codeartifact:us-west-2:111122223333:repository/acme/private-pypi"
      },
      {
        "Sid": "DownloadPackages",
        "Effect": "Allow",
        "Principal": {
          "AWS": [
            "arn:aws:iam::111122223333:role/ci",
            "arn:aws:iam::444455556666:root"
          ]
        },
        "Action": [
          "codeartifact:GetPackageVersionAsset",
          "codeartifact:GetPackageVersionReadme"
        ],
        "Resource": "arn:aws:codeartifact:us-west-2:111122223333:package/acme/private-pypi/*"
      },
      {
        "Sid": "PublishPackages",
        "Effect": "Allow",
        "Principal": {
          "AWS": [
            "arn:aws:iam::111122223333:role/ci"
          ]
        },
        "Action": [
          "codeartifact:PublishPackageVersion"
        ],
        "Resource": "arn:aws:codeartifact:us-west-2:111122223333:package/acme/private-pypi/*"
      },
      {
        "Sid": "ProtectPackages",
        "Effect": "Deny",
        "Principal": "*",
        "Action": [
          "codeartifact:DeleteRepository",
          "codeartifact:DeletePackage",
          "codeartifact:DeletePackageVersions",
          "codeartifact:DisposePackageVersions"
        ],
        "Resource": [
          "arn:aws:codeartifact:us-west-2:111122223333:package/acme/private-pypi/*",
          "arn:aws:codeartifact:us-west-2:111122223333:repository/acme/private-pypi"
        ]
      }
    ]
  }

Identity policy reader_policy: 811 of 6,144 characters
READER_POLICY
"""


def section(text: str, title: str) -> str:
    """What stands under a title."""
    return text.partition(f"\n\n{title}\n")[2].partition("\n\n")[0].rstrip("\n") + "\n"


def document(*statements: object) -> str:
    return json.dumps({"Statement": statements})


def indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in json.dumps(json.loads(text), indent=2).splitlines())


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What people see, whole; how the identity policies read is of no interest here."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copy(ROOT / "Pulumi.yaml", folder)
    (folder / "Pulumi.test.yaml").write_text(STACK)
    exports = run(main_program, read_stack(folder, "test").config).exports
    return TEXT.replace("READER_POLICY", indented(exports["reader_policy"]))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("__main__.py", "Pulumi.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "Pulumi.test.yaml").write_text(STACK)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def preview_as_json(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main(["preview", "test", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_people_see_the_whole_stack(capsys: pytest.CaptureFixture[str], text: str) -> None:
    assert main(["preview", "test"]) == 0
    captured = capsys.readouterr()

    assert captured.out == text
    assert captured.err == ""


def test_titles_are_bold_on_a_terminal_alone(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    main(["preview", "test"])
    bold = capsys.readouterr().out
    monkeypatch.setenv("NO_COLOR", "1")
    main(["preview", "test"])

    assert "\x1b[1mWho gets in\x1b[0m\n" in bold
    assert re.sub(r"\x1b\[\d+m", "", bold) == text
    assert capsys.readouterr().out == text


URN = "urn:pulumi:test::private-pypi::private-pypi:index:PrivatePypi"


def test_programs_get_the_resources_as_they_are_registered(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    registered = run(main_program, read_stack(folder, "test").config).resources
    resources = preview_as_json(capsys)["resources"]

    assert [(each["type"], each["name"], each["parent"], each["protect"]) for each in resources] == [
        (COMPONENT, "private-pypi", None, False),
        (DOMAIN, "private-pypi-domain", f"{URN}::private-pypi", True),
        (DOMAIN_PERMISSIONS, "private-pypi-domain-permissions", f"{URN}::private-pypi", False),
        (REPOSITORY, "private-pypi-repository", f"{URN}::private-pypi", True),
        (REPOSITORY_PERMISSIONS, "private-pypi-repository-permissions", f"{URN}::private-pypi", True),
    ]
    assert [each["urn"] for each in resources[:2]] == [
        f"{URN}::private-pypi",
        f"{URN}${DOMAIN}::private-pypi-domain",
    ]
    assert {each["name"]: each["inputs"] for each in resources} == {
        name: each.inputs for name, each in registered.items()
    }


def test_programs_get_each_private_pypi_and_the_outputs(capsys: pytest.CaptureFixture[str]) -> None:
    result = preview_as_json(capsys)
    (component,) = result.pop("components")
    assert component.pop("outputs") == result["outputs"] | {"protect": None, "domain_policy": None}
    assert component == {
        "name": "private-pypi",
        "urn": f"{URN}::private-pypi",
        "account": "111122223333",
        "domain_arn": "arn:aws:codeartifact:us-west-2:111122223333:domain/acme",
        "repository_arn": REPOSITORY_ARN,
        "access": [
            row("arn:aws:iam::111122223333:role/ci", publish=["*"]),
            row("arn:aws:iam::444455556666:root"),
        ],
        "safeguards": {"protect": True, "closed_publishing": False, "internal_packages": []},
        "denials": [],
        "not_understood": [],
    }
    policy = json.loads(result["outputs"].pop("reader_policy"))
    assert policy["Statement"][0]["Action"] == "sts:GetServiceBearerToken"
    assert result.keys() == {"stack", "resources", "outputs", "warnings"}
    assert (result["stack"], result["warnings"]) == ("test", [])
    assert result["outputs"] == {
        "private_pypi_endpoint_url": None,
        "index_url": None,
        "publish_url": None,
        "domain_name": "acme",
        "domain_owner": "111122223333",
        "domain_arn": "arn:aws:codeartifact:us-west-2:111122223333:domain/acme",
        "repository_name": "private-pypi",
        "repository_arn": REPOSITORY_ARN,
    }


def row(principal: str, **more: object) -> dict[str, object]:
    """Who may install, and nothing else."""
    return {"principal": principal, "install": True, "list": False, "publish": [], "also": [], "workload": None} | more


REPOSITORY_ARN = "arn:aws:codeartifact:us-west-2:111122223333:repository/acme/private-pypi"
COMPONENT_OF = """\
import pulumi
import pulumi_aws as aws


class PrivatePypi(pulumi.ComponentResource):
    def __init__(self, name, **outputs):
        super().__init__("private-pypi:index:PrivatePypi", name)
        self.register_outputs(outputs)


ARN = "arn:aws:codeartifact:us-west-2:111122223333:repository/acme/private-pypi"
pypi = PrivatePypi("pypi", repository_arn=ARN)
opts = pulumi.ResourceOptions(parent=pypi)
"""
"""A component of which a program makes what it wants."""


def test_the_access_table_reads_the_policies_and_not_the_config(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    """A program whose policies give less than the config says is shown to give less."""
    allow = {"Effect": "Allow", "Principal": {"AWS": ["111122223333"]}, "Resource": "*"}
    token = document(allow | {"Action": "codeartifact:GetAuthorizationToken"})
    policy = document(allow | {"Action": "codeartifact:PublishPackageVersion"})
    (folder / "__main__.py").write_text(
        f"{COMPONENT_OF}aws.codeartifact.DomainPermissions('d', domain='acme', policy_document={token!r}, opts=opts)\n"
        "aws.codeartifact.RepositoryPermissionsPolicy('r', domain='acme', repository='private-pypi', "
        f"policy_document={policy!r}, opts=opts)\n"
    )
    (component,) = preview_as_json(capsys)["components"]

    assert [(each["install"], each["publish"]) for each in component["access"]] == [(False, ["*"])]
    assert component["safeguards"] == {"protect": False, "closed_publishing": False, "internal_packages": []}


@pytest.mark.parametrize(
    ("program", "error"),
    [
        ("", f"the program has no PrivatePypi, a component of the type {COMPONENT}: there is none to show"),
        (
            COMPONENT_OF.replace("repository_arn=ARN", "x=1"),
            "pypi registers no output repository_arn that is a repository's",
        ),
    ],
)
def test_a_program_without_a_private_pypi_says_so(
    capsys: pytest.CaptureFixture[str], folder: Path, program: str, error: str
) -> None:
    (folder / "__main__.py").write_text(program)

    assert main(["preview", "test"]) == 1
    assert capsys.readouterr() == ("", f"error: {error}\n")


TWO = """\
from private_pypi import Principal, PrivatePypi, PrivatePypiArgs
import pulumi

for name in ("nightly", "releases"):
    readers = [Principal.parse(f"arn:aws:iam::111122223333:role/{name}")]
    pypi = PrivatePypi(name, PrivatePypiArgs(domain=name, readers=readers))
    pulumi.export(name, pypi.index_url)
pulumi.export("token", pulumi.Output.secret("hunter2"))
"""


@pytest.mark.untraced
def test_each_private_pypi_has_a_section_of_its_own(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "__main__.py").write_text(TWO)
    assert main(["preview", "test"]) == 0
    shown = capsys.readouterr().out

    for name in ("nightly", "releases"):
        assert section(shown, f"{name}: Who gets in").splitlines()[1].split() == [
            f"arn:aws:iam::111122223333:role/{name}",
            *("yes", "no"),
        ]
        assert f"\n\nIdentity policy {name} reader_policy: " in shown
    assert section(shown, "Outputs") == (
        "  nightly   known after pulumi up\n  releases  known after pulumi up\n  token     [secret]\n"
    )
    assert main(["preview", "test", "--markdown"]) == 0
    shown = capsys.readouterr().out
    assert "\n## `nightly`: who gets in\n" in shown
    assert "| `token` | `[secret]` |" in shown
    result = preview_as_json(capsys)
    assert [each["name"] for each in result["components"]] == ["nightly", "releases"]
    assert result["outputs"] == {"nightly": None, "releases": None, "token": "[secret]"}


WORKLOADS = """\
config:
  aws:region: us-west-2
  aws:allowedAccountIds: ["111122223333"]
  private-pypi:domain: acme
  private-pypi:protect: false
  private-pypi:readers: ["444455556666", {gitlab: acme/core, branch: main}]
  private-pypi:publishers:
    - {github: acme/tools, tag: v*, packages: [acme-tools], ownerId: "123", repositoryId: "456"}
    - {github: acme/core, environment: pypi}
"""


def test_the_access_table_names_the_workload_beside_its_role(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "Pulumi.test.yaml").write_text(WORKLOADS)
    assert main(["preview", "test"]) == 0
    shown = capsys.readouterr().out
    arn = "arn:aws:iam::111122223333:role/private-pypi-test-acme"
    core, tools = f"{arn}-core-environment-pypi-4e36ecc9", f"{arn}-tools-tag-v-a7f8307c"
    gitlab = "arn:aws:iam::111122223333:role/private-pypi-test-gitlab-acme-core-branch-main-33dab1d7"

    assert [line.split("  ") for line in re.sub(" {2,}", "  ", section(shown, "Who gets in")).splitlines()] == [
        ["", "principal", "install", "publish", "role of"],
        ["", core, "yes", "yes", "github acme/core environment pypi"],
        ["", tools, "yes", "acme-tools", "github acme/tools tag v*"],
        ["", gitlab, "yes", "no", "gitlab acme/core branch main"],
        ["", "arn:aws:iam::444455556666:root", "yes", "no"],
    ]
    assert f"  role_arns                  github acme/core environment pypi: {core}\n" in shown
    assert f"  role_arns                  gitlab acme/core branch main: {gitlab}\n" in shown
    trust_policy = (
        run(main_program, read_stack(folder, "test").config)
        .resources["private-pypi-github-acme/tools:tag:v*"]
        .inputs["assumeRolePolicy"]
    )
    assert (
        f"\nTrust policy private-pypi-github-acme/tools:tag:v*: {len(trust_policy)} of 2,048 characters\n"
        f"{indented(trust_policy)}\n\n"
    ) in shown


def test_programs_get_the_workload_beside_its_role(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "Pulumi.test.yaml").write_text(WORKLOADS)
    result = preview_as_json(capsys)
    roles = result["outputs"]["role_arns"]

    core, tools = "github acme/core environment pypi", "github acme/tools tag v*"
    gitlab = "gitlab acme/core branch main"
    assert roles.keys() == {core, tools, gitlab}
    (component,) = result["components"]
    assert component["access"][:3] == [
        row(roles[core], publish=["*"], workload=core),
        row(roles[tools], publish=["acme-tools"], workload=tools),
        row(roles[gitlab], workload=gitlab),
    ]


def test_the_access_table_says_who_may_list_packages(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "Pulumi.test.yaml").write_text(f"{WORKLOADS}  private-pypi:listPackages: true\n")
    assert main(["preview", "test"]) == 0
    rows = re.sub(" {2,}", "  ", section(capsys.readouterr().out, "Who gets in")).splitlines()

    assert rows[0].split("  ") == ["", "principal", "install", "list", "publish", "role of"]
    assert rows[1].split("  ")[2:] == ["yes", "yes", "yes", "github acme/core environment pypi"]
    assert "What is not understood" not in capsys.readouterr().out


def test_a_stack_that_nobody_may_use_says_so(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "Pulumi.test.yaml").write_text("config: {domain: acme, protect: false}")
    main(["preview", "test"])

    assert section(capsys.readouterr().out, "Who gets in") == "  nobody: there are no readers and no publishers\n"


EVERY_KIND = """\
config:
  aws:region: us-west-2
  aws:allowedAccountIds: ["111122223333"]
  private-pypi:domain: acme
  private-pypi:readers:
    - o-a1b2c3d4e5
    - arn:aws:iam::111122223333:role/aws-reserved/*
    - arn:aws:iam::111122223333:role/ci
  private-pypi:publishers:
    - "444455556666"
    - principal: arn:aws:iam::111122223333:role/ci
      packages: [beta, acme-*]
  private-pypi:closedPublishing: true
  private-pypi:attachIdentityPolicies: true
"""


def test_where_nobody_is_limited_nothing_is_said_of_limits(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "Pulumi.test.yaml").write_text(
        EVERY_KIND.replace("- principal: ", "- ").replace("      packages: [beta, acme-*]\n", "")
    )
    main(["preview", "test"])

    shown = section(capsys.readouterr().out, "Who gets in")
    assert "Publishing is closed" in shown
    assert "limited to some packages" not in shown


def test_every_kind_of_principal_is_in_the_access_table(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "Pulumi.test.yaml").write_text(EVERY_KIND)
    main(["preview", "test"])

    shown = capsys.readouterr().out
    assert section(shown, "Who gets in") == (
        "  principal                                      install  publish\n"
        "  arn:aws:iam::111122223333:role/aws-reserved/*  yes      no\n"
        "  arn:aws:iam::111122223333:role/ci              yes      acme-*, beta\n"
        "  arn:aws:iam::444455556666:root                 yes      yes\n"
        "  o-a1b2c3d4e5                                   yes      no\n"
        "  Publishing is closed: nobody else may, whatever their own IAM policies say.\n"
        "  Who is limited to some packages may publish others by IAM policies of their own.\n"
        "  Packages are protected: nobody may delete them, whatever their own IAM policies say.\n"
    )
    assert section(shown, "Warning") == (
        "  attachIdentityPolicies attaches only to roles of account 111122223333 that are listed by name. It attaches "
        "nothing to what is listed below. Attach the output reader_policy there yourself, or to publishers of other "
        "accounts than the domain's what publisher_policies has for them. Where the domain's account itself is a "
        "publisher, also give its people a right to publish. AWS alone may modify roles under aws-reserved/ and "
        "aws-service-role/: for people who sign in with IAM Identity Center, put it into their permission set.\n"
        "  arn:aws:iam::111122223333:role/aws-reserved/*\n"
        "  arn:aws:iam::444455556666:root\n"
        "  o-a1b2c3d4e5\n"
    )


def test_programs_get_the_packages_and_the_warnings(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "Pulumi.test.yaml").write_text(EVERY_KIND)
    assert main(["preview", "test", "--json"]) == 0
    captured = capsys.readouterr()
    result = json.loads(captured.out)

    (component,) = result["components"]
    assert component["access"] == [
        row("arn:aws:iam::111122223333:role/aws-reserved/*"),
        row("arn:aws:iam::111122223333:role/ci", publish=["acme-*", "beta"]),
        row("arn:aws:iam::444455556666:root", publish=["*"]),
        row("o-a1b2c3d4e5"),
    ]
    (attachment,) = [each for each in result["resources"] if "Attachment" in each["type"]]
    assert attachment["inputs"] == {"policyArn": None, "role": "ci"}
    assert component["safeguards"]["closed_publishing"]
    (warning,) = result["warnings"]
    assert warning.startswith("attachIdentityPolicies attaches only to roles of account 111122223333")
    assert "warning: attachIdentityPolicies attaches only to roles of account 111122223333" in captured.err


@pytest.mark.untraced
@pytest.mark.parametrize(
    ("key", "publish", "size"),
    [("readers", "no ", "6,925"), ("publishers", "yes", "6,980")],
    ids=["readers", "publishers"],
)
def test_the_access_table_is_the_same_when_statements_are_merged(
    capsys: pytest.CaptureFixture[str], folder: Path, key: str, publish: str, size: str
) -> None:
    roles = "".join(f"    - arn:aws:iam::111122223333:role/{number:029}\n" for number in range(100))
    (folder / "Pulumi.test.yaml").write_text(f"config:\n  private-pypi:domain: acme\n  private-pypi:{key}:\n{roles}")
    main(["preview", "test"])
    out = capsys.readouterr().out

    assert out.count(f"  yes      {publish}".rstrip() + "\n") == 100
    assert f": {size} of 7,168 characters, over 90 %: name a pattern instead of many roles" in out


SHARED = """\
config:
  aws:region: us-west-2
  aws:allowedAccountIds: ["111122223333"]
  private-pypi:domain: acme
  private-pypi:existingDomain: true
  private-pypi:domainOwner: "444455556666"
  private-pypi:readers: [arn:aws:iam::111122223333:role/ci]
  private-pypi:publicUpstream: true
  private-pypi:tags: {team: platform, cost center: "12"}
"""


def test_what_the_owner_of_an_existing_domain_adds_is_shown_and_taken_as_done(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    (folder / "Pulumi.test.yaml").write_text(SHARED)
    main(["preview", "test"])
    shown = capsys.readouterr().out
    statement = run(main_program, read_stack(folder, "test").config).exports["domain_policy_statements"]

    assert "domain_policy_statements" not in section(shown, "Outputs")
    assert section(shown, "For the domain's owner to add: domain_policy_statements") == f"{indented(statement)}\n"
    assert section(shown, "Who gets in") == (
        "  principal                          install  publish  also\n"
        "  arn:aws:iam::111122223333:role/ci  yes      no\n"
        "  arn:aws:iam::111122223333:root     no       no       CreateRepository on *; TagResource on the domain; "
        "TagResource on the repository; TagResource on its store\n"
        "  Packages are protected: nobody may delete them, whatever their own IAM policies say.\n"
        "  Nobody gets in before the domain's owner adds domain_policy_statements to the domain's policy.\n"
    )
    assert section(shown, "Tags") == "  cost center  12\n  team         platform\n"


@pytest.mark.parametrize(("account", "count"), [("111122223333", 3), ("444455556666", 1)])
def test_programs_get_what_the_owner_adds_as_an_output(
    capsys: pytest.CaptureFixture[str], folder: Path, account: str, count: int
) -> None:
    """A list, also of a single statement."""
    (folder / "Pulumi.test.yaml").write_text(SHARED.replace("111122223333", account))
    result = preview_as_json(capsys)

    assert len(json.loads(result["outputs"]["domain_policy_statements"])) == count
    (component,) = result["components"]
    assert component["access"][0] == row(f"arn:aws:iam::{account}:role/ci")
    tagged = ["arn:aws:codeartifact:us-west-2:444455556666:domain/acme", *REPOSITORIES]
    made = ["codeartifact:CreateRepository on *", *(f"codeartifact:TagResource on {arn}" for arn in tagged)]
    assert [each["also"] for each in component["access"][1:]] == ([made] if account == "111122223333" else [])


REPOSITORIES = [
    f"arn:aws:codeartifact:us-west-2:444455556666:repository/acme/{name}"
    for name in ("private-pypi", "private-pypi-store")
]


def test_the_reserved_names_are_read_from_the_package_groups(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    """A program that reserves less than the config says is shown to reserve less."""
    program = COMPONENT_OF
    for mode in ("ALLOW", "BLOCK"):
        origin = {"Restrictions": {"ExternalUpstream": {"RestrictionMode": mode}}}
        state = json.dumps({"Pattern": f"/pypi//{mode.lower()}$", "OriginConfiguration": origin})
        type_name = "AWS::CodeArtifact::PackageGroup"
        program += f"aws.cloudcontrol.Resource({mode!r}, type_name={type_name!r}, desired_state={state!r}, opts=opts)\n"
    (folder / "__main__.py").write_text(program)
    main(["preview", "test"])
    shown = capsys.readouterr().out

    assert section(shown, "Never from public PyPI") == "  block\n"
    assert section(shown, "What is not understood").startswith(
        "  ALLOW, because it is no package group that keeps a name from public PyPI: {"
    )


def test_a_placeholder_is_named_as_one(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "Pulumi.test.yaml").write_text("config: {domain: acme}")

    assert main(["preview", "test", "--json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["outputs"]["domain_owner"] == "000000000000"
    assert captured.err == (
        "Stack test in account 000000000000, region us-east-1. Nothing was asked of AWS and nothing changes.\n"
        "000000000000 is a placeholder: aws:allowedAccountIds names no account of 12 digits in plain.\n"
        "us-east-1 is a placeholder: aws:region is not set, or encrypted.\n"
    )


def test_environments_that_are_not_read_are_named(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "Pulumi.test.yaml").write_text(f"environment: [prod]\n{STACK}")
    main(["preview", "test"])

    assert (
        "\nWhat the stack's Pulumi ESC environments configure is not in it: they may set every key.\n"
        in capsys.readouterr().out
    )


def test_documents_may_be_by_principal_or_lists(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    outputs = (
        """publisher_policies={"444455556666": '{"a": 1}'}, domain_policy_statements=['{"b": 1}'], reader_policy="{" """
    )
    text = COMPONENT_OF.replace("repository_arn=ARN", f"repository_arn=ARN, {outputs}")
    exports = "pulumi.export('n', 1)\npulumi.export('policies', {\"444455556666\": '{\"a\": 1}'})\n"
    (folder / "__main__.py").write_text(text + exports)
    main(["preview", "test"])
    shown = capsys.readouterr().out

    assert section(shown, "Outputs") == "  n  1\n"
    assert section(shown, "Identity policy publisher_policies 444455556666: 8 of 6,144 characters") == (
        '  {\n    "a": 1\n  }\n'
    )
    assert section(shown, "For the domain's owner to add: domain_policy_statements") == (
        '  [\n    "{\\"b\\": 1}"\n  ]\n'
    )
    assert section(shown, "Identity policy reader_policy: 1 of 6,144 characters") == "  {\n"


def test_encrypted_values_of_other_namespaces_are_no_matter(
    capsys: pytest.CaptureFixture[str], folder: Path, text: str
) -> None:
    (folder / "Pulumi.test.yaml").write_text(f"{STACK}  other:token: {{secure: v1:abc}}\n")
    assert main(["preview", "test"]) == 0

    assert capsys.readouterr().out == text


def test_a_mistake_in_the_config_is_reported_as_under_pulumi_up(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    (folder / "Pulumi.test.yaml").write_text("config: {publisher: []}")

    assert main(["preview", "test"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        "error: 2 errors in the config; nothing was changed.\n"
        "private-pypi:domain: got nothing\n"
        "  expected: the name of the domain\n"
        "  fix:      pulumi config set private-pypi:domain NAME\n"
        "private-pypi:publisher: got a key that does not exist\n"
        "  expected: domain, repository, description, readers, publishers, listPackages, closedPublishing, protect, "
        "existingDomain, domainOwner, domainStatements, encryptionKey, publicUpstream, internalPackages, "
        "attachIdentityPolicies, makeOidcProviders, permissionsBoundary, tags\n"
        "  fix:      did you mean `publishers`?\n"
    )


def test_a_stack_that_does_not_exist_is_an_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_STACK", "dev")
    assert main(["preview"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "error: there is no Pulumi.dev.yaml; the stacks here are: test\n"


@pytest.mark.untraced
def test_the_stack_is_an_argument_or_an_option_or_the_selected_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("PULUMI_STACK", "test")
    for arguments in (["test"], ["--stack", "test"], ["--stack", "organization/project/test"], []):
        assert main(["preview", *arguments]) == 0
        assert capsys.readouterr().out == text


def test_the_command_says_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["--version"])
    assert re.fullmatch(r"private-pypi \d+\.\d+\.\d+\n", capsys.readouterr().out)


def test_nothing_from_a_config_is_a_command(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    tags = '{"::notice::a": "##[group]", "b\\n::error::": "\\e[2J"}'
    (folder / "Pulumi.test.yaml").write_text(f"{STACK}  private-pypi:tags: {tags}\n")
    for form in ([], ["--json"], ["--markdown"]):
        main(["preview", "test", *form])
        printed = capsys.readouterr()
        for shown in (printed.out, printed.err):
            assert not re.search(r"^\s*::|##\[|\x1b", shown, re.MULTILINE)


def test_the_command_is_installed(text: str) -> None:
    command = Path(sys.executable).with_name("private-pypi")
    shown = subprocess.run([command, "preview", "test"], capture_output=True, check=True, text=True)

    assert shown.stdout == text


def test_what_a_stack_does_not_need_is_not_loaded() -> None:
    """It would make a preview a quarter slower."""
    code = (
        "import sys; from private_pypi.cli.main import main; main(['preview', 'test', '--json']);"
        "print(*sys.modules, file=sys.stderr)"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stderr.split()

    for module in ("private_pypi.cli.recorder", "pulumi_aws.codeartifact.domain"):
        assert module in loaded
    for module in (
        "botocore",
        "private_pypi.cli.compare",
        "private_pypi.cli.markdown",
        "private_pypi.cli.text",
        "pulumi_aws.cloudcontrol.resource",
        "pulumi_aws.iam.role",
    ):
        assert module not in loaded


def test_where_there_are_few_characters_nothing_breaks(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """As in a Windows code page. What it cannot show stands as an escape."""
    stack = folder / "Pulumi.test.yaml"
    stack.write_text(stack.read_text() + "  private-pypi:tags: {team: \u6771\u4eac}\n", encoding="utf-8")
    shown = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(shown, encoding="cp1252"))

    assert main(["preview", "test"]) == 0
    text = shown.getvalue().decode("cp1252").replace("\r\n", "\n")
    assert "\n  |- aws:codeartifact:Domain  " in text
    assert "\n  `- aws:codeartifact:RepositoryPermissionsPolicy  " in text
    assert "\n  team  \\u6771\\u4eac\n" in text


def test_whoever_reads_may_stop_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        assert main(["preview", "test"]) == 0
