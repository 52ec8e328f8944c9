//! Cloud Control, and of CloudFormation the look-up of a type, for package groups: what AWS's handlers for the type do
//! with the calls that CodeArtifact has. They are public:
//! https://github.com/aws-cloudformation/aws-cloudformation-resource-providers-codeartifact
//!
//! A request is done when it is answered, and is said to be in progress all the same. Each handler is asked for all the
//! rights that the schema names for it, also where AWS would not come to need one.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use bytes::Bytes;
use fakecloud_core::auth::{IamAction, IamPolicyEvaluator};
use fakecloud_core::service::{AwsRequest, AwsResponse, AwsService, AwsServiceError};
use http::{HeaderMap, Method, StatusCode};
use parking_lot::Mutex;
use serde_json::{json, Map, Value};

use crate::authorize::{codeartifact_call, group_arn, AuthorizedCodeArtifact};
use crate::evaluate::{authorize, WHY};
use crate::reference::package_group;
use crate::schema::violations;

const ACTIONS: &[&str] = &["CreateResource", "DeleteResource", "GetResource", "GetResourceRequestStatus", "UpdateResource"];
const TYPE: &str = "AWS::CodeArtifact::PackageGroup";

/// The origins of packages, as the schema and as CodeArtifact's API name them.
const ORIGINS: [(&str, &str); 3] =
    [("Publish", "PUBLISH"), ("ExternalUpstream", "EXTERNAL_UPSTREAM"), ("InternalUpstream", "INTERNAL_UPSTREAM")];

type Properties = Map<String, Value>;

/// Why a handler failed: a HandlerErrorCode, and a message.
struct Failure(&'static str, String);

pub struct CloudControl {
    codeartifact: Arc<AuthorizedCodeArtifact>,
    evaluator: Arc<dyn IamPolicyEvaluator>,
    requests: Mutex<Requests>,
}

/// What was asked for, which is no part of the state that tests go back to.
#[derive(Default)]
struct Requests {
    /// By request token.
    events: HashMap<String, Value>,
    /// The call and the event that answered it, by account and client token.
    known: HashMap<(String, String), (Value, Value)>,
}

impl CloudControl {
    pub fn new(codeartifact: Arc<AuthorizedCodeArtifact>, evaluator: Arc<dyn IamPolicyEvaluator>) -> Self {
        Self { codeartifact, evaluator, requests: Mutex::default() }
    }

    async fn answer(&self, request: &AwsRequest) -> Result<Value, AwsServiceError> {
        let arguments = request.json_body();
        let text = |name: &str| arguments[name].as_str().unwrap_or_default();
        if request.action == "GetResourceRequestStatus" {
            let event = self.requests.lock().events.get(text("RequestToken")).cloned();
            let event = event.ok_or_else(|| error("RequestTokenNotFoundException", "There is no such request"))?;
            return Ok(json!({ "ProgressEvent": event }));
        }
        check_type(text("TypeName"))?;
        let known = (request.account_id.clone(), text("ClientToken").to_string());
        if let Some((call, event)) = self.requests.lock().known.get(&known).filter(|_| !known.1.is_empty()) {
            if *call != arguments {
                let message = format!("{} belongs to another request", known.1);
                return Err(error("ClientTokenConflictException", &message));
            }
            return Ok(json!({ "ProgressEvent": event }));
        }
        let identifier = text("Identifier");
        if request.action != "CreateResource" && parse_arn(identifier).is_none() {
            let message = format!("Identifier {identifier} is not valid for identifier [/properties/Arn]");
            return Err(error("ValidationException", &message));
        }
        let (operation, result) = match request.action.as_str() {
            "GetResource" => {
                let properties = self.read(request, identifier).await.map_err(synchronous)?;
                let properties = Value::Object(properties).to_string();
                let description = json!({ "Identifier": identifier, "Properties": properties });
                return Ok(json!({ "TypeName": TYPE, "ResourceDescription": description }));
            }
            "CreateResource" => {
                let desired = parse(text("DesiredState"))?;
                check_properties(&desired)?;
                ("CREATE", self.create(request, desired).await)
            }
            "UpdateResource" => {
                let current = self.read(request, identifier).await.map_err(synchronous)?;
                let desired = patched(&current, text("PatchDocument"))?;
                ("UPDATE", self.update(request, identifier, current, desired).await)
            }
            _ => ("DELETE", self.delete(request, identifier).await),
        };

        let token = uuid::Uuid::new_v4().to_string();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let mut event = json!({ "TypeName": TYPE, "RequestToken": token, "Operation": operation, "OperationStatus": "IN_PROGRESS", "EventTime": now });
        if !identifier.is_empty() {
            event["Identifier"] = identifier.into();
        }
        let begun = event.clone();
        match result {
            Ok(arn) => {
                event["OperationStatus"] = "SUCCESS".into();
                event["Identifier"] = arn.into();
            }
            Err(Failure(code, message)) => {
                event["OperationStatus"] = "FAILED".into();
                event["ErrorCode"] = code.into();
                event["StatusMessage"] = message.into();
            }
        }
        let mut requests = self.requests.lock();
        requests.events.insert(token, event);
        requests.known.insert(known, (arguments, begun.clone()));
        Ok(json!({ "ProgressEvent": begun }))
    }

    async fn create(&self, request: &AwsRequest, desired: Properties) -> Result<String, Failure> {
        let owner = string(&desired, "DomainOwner").unwrap_or(&request.account_id).to_string();
        let arn = group_arn(&request.region, &owner, required(&desired, "DomainName"), required(&desired, "Pattern"));
        self.ask("create", request, &arn)?;
        let tags = tags(&desired).into_iter().map(|(key, value)| json!({ "key": key, "value": value })).collect::<Vec<_>>();
        let mut body = described(&desired);
        body["tags"] = tags.into();
        self.group(Method::POST, "package-group", request, &desired, body).await?;
        if desired.contains_key("OriginConfiguration") {
            self.set_origins(request, &Properties::new(), &desired).await?;
        }
        Ok(arn)
    }

    async fn update(&self, request: &AwsRequest, arn: &str, current: Properties, desired: Properties) -> Result<String, Failure> {
        self.ask("update", request, arn)?;
        if ["Description", "ContactInfo"].iter().any(|name| current.get(*name) != desired.get(*name)) {
            self.group(Method::PUT, "package-group", request, &desired, described(&desired)).await?;
        }
        if current.get("OriginConfiguration") != desired.get("OriginConfiguration") {
            self.set_origins(request, &current, &desired).await?;
        }
        let (before, after) = (tags(&current), tags(&desired));
        let gone: Vec<_> = before.iter().filter(|tag| !after.contains(tag)).map(|(key, _)| key).collect();
        let new: Vec<_> = after.iter().filter(|tag| !before.contains(tag)).map(|(key, value)| json!({ "key": key, "value": value })).collect();
        if !gone.is_empty() {
            self.call(Method::POST, "untag", request, &[("resourceArn", arn)], json!({ "tagKeys": gone })).await?;
        }
        if !new.is_empty() {
            self.call(Method::POST, "tag", request, &[("resourceArn", arn)], json!({ "tags": new })).await?;
        }
        Ok(arn.into())
    }

    /// AWS's handler looks for the group in its own domain, and then names no domain owner when it deletes.
    async fn delete(&self, request: &AwsRequest, arn: &str) -> Result<String, Failure> {
        self.ask("delete", request, arn)?;
        self.describe(request, arn).await?;
        let (_, domain, pattern) = parse_arn(arn).unwrap_or_default();
        self.call(Method::DELETE, "package-group", request, &[("domain", &domain), ("package-group", &pattern)], Value::Null).await?;
        if self.describe(request, arn).await.is_ok() {
            return Err(Failure("NotStabilized", format!("Resource of type '{TYPE}' with identifier '{arn}' did not stabilize.")));
        }
        Ok(arn.into())
    }

    async fn read(&self, request: &AwsRequest, arn: &str) -> Result<Properties, Failure> {
        self.ask("read", request, arn)?;
        let group = self.describe(request, arn).await?;
        let mut properties = json!({
            "Arn": arn,
            "DomainName": group["domainName"],
            "DomainOwner": group["domainOwner"],
            "Pattern": group["pattern"],
        });
        for (name, value) in [("Description", &group["description"]), ("ContactInfo", &group["contactInfo"])] {
            if value.as_str().is_some_and(|value| !value.is_empty()) {
                properties[name] = value.clone();
            }
        }
        for (name, origin) in ORIGINS {
            let mode = &group["originConfiguration"]["restrictions"][origin]["mode"];
            let restriction = &mut properties["OriginConfiguration"]["Restrictions"][name];
            *restriction = json!({ "RestrictionMode": mode });
            if mode == "ALLOW_SPECIFIC_REPOSITORIES" {
                let query = [
                    ("domain", group["domainName"].as_str().unwrap_or_default()),
                    ("domain-owner", group["domainOwner"].as_str().unwrap_or_default()),
                    ("package-group", group["pattern"].as_str().unwrap_or_default()),
                    ("originRestrictionType", origin),
                ];
                let listed = self.call(Method::GET, "package-group-allowed-repositories", request, &query, Value::Null).await?;
                restriction["Repositories"] = listed["allowedRepositories"].clone();
            }
        }
        let listed = self.call(Method::POST, "tags", request, &[("resourceArn", arn)], Value::Null).await?;
        let tags: Vec<_> = listed["tags"].as_array().into_iter().flatten().map(|tag| json!({ "Key": tag["key"], "Value": tag["value"] })).collect();
        if !tags.is_empty() {
            properties["Tags"] = tags.into();
        }
        Ok(properties.as_object().cloned().unwrap_or_default())
    }

    async fn describe(&self, request: &AwsRequest, arn: &str) -> Result<Value, Failure> {
        let (owner, domain, pattern) = parse_arn(arn).unwrap_or_default();
        let query = [("domain", &*domain), ("domain-owner", &*owner), ("package-group", &*pattern)];
        let described = self.call(Method::GET, "package-group", request, &query, Value::Null).await?;
        Ok(described["packageGroup"].clone())
    }

    async fn set_origins(&self, request: &AwsRequest, current: &Properties, desired: &Properties) -> Result<(), Failure> {
        let restriction = |properties: &Properties, name: &str| {
            properties.get("OriginConfiguration").map_or(Value::Null, |origins| origins["Restrictions"][name].clone())
        };
        let mut body = json!({ "restrictions": {}, "addAllowedRepositories": [], "removeAllowedRepositories": [] });
        for (name, origin) in ORIGINS {
            let (before, after) = (restriction(current, name), restriction(desired, name));
            body["restrictions"][origin] = after["RestrictionMode"].as_str().unwrap_or("INHERIT").into();
            let listed = |value: &Value| value["Repositories"].as_array().cloned().unwrap_or_default();
            for (field, from, to) in [("addAllowedRepositories", &before, &after), ("removeAllowedRepositories", &after, &before)] {
                let names: Vec<_> = listed(to).into_iter().filter(|name| !listed(from).contains(name)).collect();
                if let (false, Some(updates)) = (names.is_empty(), body[field].as_array_mut()) {
                    updates.push(json!({ "originRestrictionType": origin, "repositoryNames": names }));
                }
            }
        }
        self.group(Method::PUT, "package-group-origin-configuration", request, desired, body).await.map(drop)
    }

    /// A call about the group that properties are of, whose owner is the caller unless they name another.
    async fn group(&self, method: Method, path: &str, request: &AwsRequest, properties: &Properties, body: Value) -> Result<Value, Failure> {
        let mut query = vec![("domain", required(properties, "DomainName")), ("package-group", required(properties, "Pattern"))];
        query.extend(string(properties, "DomainOwner").map(|owner| ("domain-owner", owner)));
        self.call(method, path, request, &query, body).await
    }

    /// A call to CodeArtifact, of which the caller was asked the rights already.
    async fn call(&self, method: Method, path: &str, request: &AwsRequest, query: &[(&str, &str)], body: Value) -> Result<Value, Failure> {
        let body = if body.is_null() { Bytes::new() } else { body.to_string().into() };
        let call = codeartifact_call(&request.region, &request.account_id, request.principal.clone(), method, &format!("/v1/{path}"), query, HeaderMap::new(), body);
        let about = query.iter().find(|(name, _)| ["package-group", "resourceArn"].contains(name)).map_or("", |(_, value)| value);
        let resource = format!("Resource of type '{TYPE}' with identifier '{about}'");
        let answer = self.codeartifact.handle(call).await.map_err(|error| match error.code() {
            "ConflictException" => Failure("AlreadyExists", format!("{resource} already exists.")),
            "ResourceNotFoundException" => Failure("NotFound", format!("{resource} was not found.")),
            "ValidationException" => Failure("InvalidRequest", error.message()),
            _ => Failure("GeneralServiceException", error.message()),
        })?;
        Ok(serde_json::from_slice(answer.body.expect_bytes()).unwrap_or_default())
    }

    /// Ask the caller for the rights of a handler.
    fn ask(&self, handler: &str, request: &AwsRequest, arn: &str) -> Result<(), Failure> {
        let (_, domain, pattern) = parse_arn(arn).unwrap_or_default();
        let own = group_arn(&request.region, &request.account_id, &domain, &pattern);
        let permissions = package_group()["handlers"][handler]["permissions"].as_array().expect("each handler has permissions");
        for permission in permissions.iter().filter_map(Value::as_str) {
            let (service, action) = permission.split_once(':').expect("a permission is SERVICE:ACTION");
            let resource = if action == "DeletePackageGroup" { &own } else { arn };
            let asked = IamAction { service, action, resource: resource.into() };
            authorize(&*self.evaluator, request.principal.as_ref(), asked).map_err(|refusal| {
                let why = WHY.with(|why| why.take());
                Failure("AccessDenied", format!("{refusal} {why}"))
            })?;
        }
        Ok(())
    }
}

fn error(code: &str, message: &str) -> AwsServiceError {
    AwsServiceError::aws_error(StatusCode::BAD_REQUEST, code, message)
}

/// A failure of what is answered at once.
fn synchronous(Failure(code, message): Failure) -> AwsServiceError {
    match code {
        "NotFound" => error("ResourceNotFoundException", &message),
        "AccessDenied" => error("AccessDeniedException", &message),
        "InvalidRequest" => error("InvalidRequestException", &message),
        _ => error("GeneralServiceException", &message),
    }
}

fn check_type(name: &str) -> Result<(), AwsServiceError> {
    let message = format!("The type '{name}' cannot be found.");
    if name == TYPE { Ok(()) } else { Err(AwsServiceError::aws_error(StatusCode::NOT_FOUND, "TypeNotFoundException", message)) }
}

fn parse(document: &str) -> Result<Properties, AwsServiceError> {
    serde_json::from_str(document).map_err(|why| error("InvalidRequestException", &format!("Invalid JSON: {why}")))
}

/// Refuse properties that the schema does not allow, or that AWS alone sets.
fn check_properties(properties: &Properties) -> Result<(), AwsServiceError> {
    let mut found = violations(package_group(), &Value::Object(properties.clone()));
    let read_only = listed("readOnlyProperties").filter(|name| properties.contains_key(*name));
    found.extend(read_only.map(|name| format!("#: read-only key [{name}] is not permitted")));
    if found.is_empty() {
        return Ok(());
    }
    Err(error("ValidationException", &format!("Model validation failed ({})", found.join("\n"))))
}

/// What a JSON patch (RFC 6902) makes of the properties that a resource has.
fn patched(current: &Properties, patch: &str) -> Result<Properties, AwsServiceError> {
    let invalid = |why: String| error("InvalidRequestException", &format!("Invalid patch: {why}"));
    let patch: json_patch::Patch = serde_json::from_str(patch).map_err(|why| invalid(why.to_string()))?;
    let mut document = Value::Object(current.clone());
    json_patch::patch(&mut document, &patch).map_err(|why| invalid(why.to_string()))?;
    let mut desired = document.as_object().cloned().ok_or_else(|| invalid("not an object".into()))?;
    for kind in ["readOnlyProperties", "createOnlyProperties"] {
        for name in listed(kind).filter(|name| current.get(*name) != desired.get(*name)) {
            let message = format!("Invalid patch update: {kind} [/properties/{name}] cannot be updated");
            return Err(error("NotUpdatableException", &message));
        }
    }
    desired.retain(|name, _| listed("readOnlyProperties").all(|read_only| read_only != name));
    check_properties(&desired)?;
    Ok(desired)
}

/// The names of the properties that the schema lists under a keyword.
fn listed(keyword: &str) -> impl Iterator<Item = &'static str> {
    package_group()[keyword].as_array().into_iter().flatten().filter_map(|path| path.as_str()?.strip_prefix("/properties/"))
}

/// The domain owner, the domain and the pattern in the ARN of a package group.
fn parse_arn(arn: &str) -> Option<(String, String, String)> {
    let mut parts = arn.strip_prefix("arn:aws:codeartifact:")?.splitn(3, ':').skip(1);
    let (owner, resource) = (parts.next()?, parts.next()?);
    let (domain, pattern) = resource.strip_prefix("package-group/")?.split_once('/')?;
    let pattern = percent_encoding::percent_decode_str(pattern).decode_utf8().ok()?;
    Some((owner.into(), domain.into(), format!("/{pattern}")))
}

fn string<'a>(properties: &'a Properties, name: &str) -> Option<&'a str> {
    properties.get(name)?.as_str()
}

/// A property that the schema requires.
fn required<'a>(properties: &'a Properties, name: &str) -> &'a str {
    string(properties, name).expect("the properties are valid")
}

/// What CodeArtifact takes in the body of a call that makes or changes a group.
fn described(properties: &Properties) -> Value {
    json!({
        "packageGroup": required(properties, "Pattern"),
        "description": string(properties, "Description").unwrap_or_default(),
        "contactInfo": string(properties, "ContactInfo").unwrap_or_default(),
    })
}

fn tags(properties: &Properties) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
    let tags = properties.get("Tags").and_then(Value::as_array).into_iter().flatten();
    tags.map(|tag| (text(&tag["Key"]), text(&tag["Value"]))).collect()
}

/// What is asked of CloudFormation: every action of both services takes `*` alone.
fn asked(actions: &'static [&'static str], request: &AwsRequest) -> Option<IamAction> {
    let action = actions.iter().find(|action| **action == request.action)?;
    Some(IamAction { service: "cloudformation", action, resource: "*".into() })
}

#[async_trait]
impl AwsService for CloudControl {
    fn service_name(&self) -> &str {
        "cloudcontrolapi"
    }

    fn supported_actions(&self) -> &[&str] {
        ACTIONS
    }

    fn iam_enforceable(&self) -> bool {
        true
    }

    fn iam_action_for(&self, request: &AwsRequest) -> Option<IamAction> {
        asked(ACTIONS, request)
    }

    async fn handle(&self, request: AwsRequest) -> Result<AwsResponse, AwsServiceError> {
        if !ACTIONS.contains(&&*request.action) {
            return Err(AwsServiceError::action_not_implemented(self.service_name(), &request.action));
        }
        self.answer(&request).await.map(AwsResponse::ok_json)
    }
}

pub struct CloudFormation;

#[async_trait]
impl AwsService for CloudFormation {
    fn service_name(&self) -> &str {
        "cloudformation"
    }

    fn supported_actions(&self) -> &[&str] {
        &["DescribeType"]
    }

    fn iam_enforceable(&self) -> bool {
        true
    }

    fn iam_action_for(&self, request: &AwsRequest) -> Option<IamAction> {
        asked(&["DescribeType"], request)
    }

    async fn handle(&self, request: AwsRequest) -> Result<AwsResponse, AwsServiceError> {
        if request.action != "DescribeType" {
            return Err(AwsServiceError::action_not_implemented(self.service_name(), &request.action));
        }
        let name = request.query_params.get("TypeName").map(String::as_str).unwrap_or_default();
        check_type(name)?;
        let schema = package_group().to_string().replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let arn = format!("arn:aws:cloudformation:{}::type/resource/{}", request.region, TYPE.replace("::", "-"));
        let result = format!(
            "<Arn>{arn}</Arn><Type>RESOURCE</Type><TypeName>{TYPE}</TypeName><Visibility>PUBLIC</Visibility>\
             <ProvisioningType>FULLY_MUTABLE</ProvisioningType><DeprecatedStatus>LIVE</DeprecatedStatus><Schema>{schema}</Schema>"
        );
        let body = format!(
            "<DescribeTypeResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\">\
             <DescribeTypeResult>{result}</DescribeTypeResult>\
             <ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata></DescribeTypeResponse>",
            request.request_id
        );
        Ok(AwsResponse::xml(StatusCode::OK, body))
    }
}
