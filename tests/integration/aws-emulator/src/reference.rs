//! What the endpoint takes from AWS's own data: `reference/generate.py` writes the files.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Actions {
    actions: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
struct PackageGroup {
    schema: Value,
}

static ACTIONS: LazyLock<Actions> = LazyLock::new(|| serde_json::from_str(include_str!("../reference/actions.json")).unwrap());

static SCHEMA: LazyLock<PackageGroup> = LazyLock::new(|| serde_json::from_str(include_str!("../reference/package-group.json")).unwrap());

/// The resource types that an action takes, such as `package`. Where there are none, its resource is `*`.
pub fn resource_types(action: &str) -> &'static [String] {
    ACTIONS.actions.get(action).unwrap_or_else(|| panic!("there is no action {action}"))
}

/// The CloudFormation schema of AWS::CodeArtifact::PackageGroup.
pub fn package_group() -> &'static Value {
    &SCHEMA.schema
}
