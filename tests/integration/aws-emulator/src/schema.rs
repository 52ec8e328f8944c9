//! Validation of a resource's properties against its CloudFormation schema, in the words of CloudFormation.

use regex::Regex;
use serde_json::{Map, Value};

/// Every violation of `root` by `value`, each with the path to it. Panics at a keyword that it does not know.
pub fn violations(root: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(root, root.as_object().expect("a schema is an object"), value, "#", &mut found);
    found
}

fn check(root: &Value, schema: &Map<String, Value>, value: &Value, path: &str, found: &mut Vec<String>) {
    for (keyword, rule) in schema {
        let length = || rule.as_u64().expect("a length is a number");
        match (keyword.as_str(), value) {
            ("$ref", _) => {
                let target = rule.as_str().and_then(|path| root.pointer(path.strip_prefix('#')?)).and_then(Value::as_object);
                check(root, target.expect("what a schema refers to is in it"), value, path, found);
            }
            ("type", _) => {
                let (expected, got) = (expected_type(rule), type_name(value));
                if expected != got {
                    found.push(format!("{path}: expected type: {expected}, found: {got}"));
                }
            }
            ("enum", _) => {
                if !rule.as_array().expect("an enum is a list").contains(value) {
                    found.push(format!("{path}: {} is not a valid enum value", value.as_str().unwrap_or_default()));
                }
            }
            ("pattern", Value::String(text)) => {
                let pattern = rule.as_str().unwrap_or_default();
                if !Regex::new(pattern).expect("a pattern is a regular expression").is_match(text) {
                    found.push(format!("{path}: string [{text}] does not match pattern {pattern}"));
                }
            }
            ("minLength", Value::String(text)) if (text.chars().count() as u64) < length() => {
                found.push(format!("{path}: expected minLength: {rule}, actual: {}", text.chars().count()));
            }
            ("maxLength", Value::String(text)) if text.chars().count() as u64 > length() => {
                found.push(format!("{path}: expected maxLength: {rule}, actual: {}", text.chars().count()));
            }
            ("minItems", Value::Array(items)) if (items.len() as u64) < length() => {
                found.push(format!("{path}: expected minimum item count: {rule}, found: {}", items.len()));
            }
            ("maxItems", Value::Array(items)) if items.len() as u64 > length() => {
                found.push(format!("{path}: expected maximum item count: {rule}, found: {}", items.len()));
            }
            ("items", Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    check(root, rule.as_object().expect("a schema is an object"), item, &format!("{path}/{index}"), found);
                }
            }
            ("required", Value::Object(properties)) => {
                for name in rule.as_array().into_iter().flatten().filter_map(Value::as_str).filter(|name| !properties.contains_key(*name)) {
                    found.push(format!("{path}: required key [{name}] not found"));
                }
            }
            ("properties", Value::Object(properties)) => {
                for (name, property) in properties {
                    if let Some(rule) = rule.get(name).and_then(Value::as_object) {
                        check(root, rule, property, &format!("{path}/{name}"), found);
                    }
                }
            }
            ("additionalProperties", Value::Object(properties)) => {
                let known = schema.get("properties").and_then(Value::as_object);
                for name in properties.keys().filter(|name| !known.is_some_and(|known| known.contains_key(*name))) {
                    found.push(format!("{path}: extraneous key [{name}] is not permitted"));
                }
            }
            ("pattern" | "minLength" | "maxLength" | "minItems" | "maxItems" | "items" | "required" | "properties" | "additionalProperties", _) => {}
            // What a schema says of itself and of the whole resource.
            ("description" | "definitions" | "typeName" | "sourceUrl" | "tagging" | "handlers", _) => {}
            ("createOnlyProperties" | "readOnlyProperties" | "primaryIdentifier", _) => {}
            (unknown, _) => panic!("a schema has the keyword {unknown}, which is not checked"),
        }
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "Null",
        Value::Bool(_) => "Boolean",
        Value::Number(number) if number.is_f64() => "Number",
        Value::Number(_) => "Integer",
        Value::String(_) => "String",
        Value::Array(_) => "JSONArray",
        Value::Object(_) => "JSONObject",
    }
}

fn expected_type(rule: &Value) -> &'static str {
    match rule.as_str() {
        Some("object") => "JSONObject",
        Some("array") => "JSONArray",
        Some("string") => "String",
        _ => panic!("a schema has the type {rule}, which is not checked"),
    }
}
