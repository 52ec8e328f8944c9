//! Which IAM actions each CodeArtifact request needs, on which resources, and the policies that decide about those.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use async_trait::async_trait;
use fakecloud_codeartifact::{CodeArtifactService, SharedCodeArtifactState, CODEARTIFACT_ACTIONS};
use fakecloud_core::auth::{IamAction, Principal};
use fakecloud_core::service::{AwsRequest, AwsResponse, AwsService, AwsServiceError};
use fakecloud_iam::iam_service::IamService;
use fakecloud_iam::{IamState, SharedIamState};
use parking_lot::RwLock;
use serde_json::Value;

use crate::disturb::SharedSettings;
use crate::evaluate::{principals, rename_principals};
use crate::reference;

/// Who an authorization token was issued to, and for which domain.
#[derive(Clone)]
pub struct Grant {
    pub principal: Option<Principal>,
    pub account: String,
    pub domain: String,
}

pub type Tokens = Arc<RwLock<HashMap<String, Grant>>>;

/// The longest permissions policy that CodeArtifact takes, in characters.
const MAX_POLICY: usize = 7168;

pub struct AuthorizedCodeArtifact {
    inner: CodeArtifactService,
    policies: Arc<CodeArtifactPolicies>,
    tokens: Tokens,
    iam: SharedIamState,
    settings: SharedSettings,
    /// The one region in which there is anything.
    region: String,
}

impl AuthorizedCodeArtifact {
    pub fn new(
        inner: CodeArtifactService,
        policies: Arc<CodeArtifactPolicies>,
        tokens: Tokens,
        iam: SharedIamState,
        settings: SharedSettings,
        region: String,
    ) -> Self {
        Self { inner, policies, tokens, iam, settings, region }
    }

    /// Refuse a permissions policy that is too long, that names nobody, or that replaces another revision than the caller
    /// knows of.
    fn check_policy(&self, action: &str, request: &AwsRequest) -> Result<(), AwsServiceError> {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let arn = match action {
            "PutDomainPermissionsPolicy" => codeartifact_arn(request, &format!("domain/{}", body["domain"].as_str().unwrap_or_default())),
            "PutRepositoryPermissionsPolicy" => Self::resources(action, request).remove(0),
            _ => return Ok(()),
        };
        let document = body["policyDocument"].as_str().unwrap_or_default();
        let length = document.chars().count();
        let invalid = |message| AwsServiceError::aws_error(http::StatusCode::BAD_REQUEST, "ValidationException", message);
        if length > MAX_POLICY {
            return Err(invalid(format!("the policy document has {length} characters, more than {MAX_POLICY}")));
        }
        if let Some(name) = self.settings.lock().principals_exist.then(|| unknown_principal(&self.iam, document)).flatten() {
            return Err(invalid(invalid_principal(&name)));
        }
        let (known, current) = (body["policyRevision"].as_str(), self.policies.policy(&arn).map(|policy| policy["revision"].clone()));
        if known.is_some() && known != current.as_ref().and_then(Value::as_str) {
            let message = format!("the policy of {arn} has another revision");
            return Err(AwsServiceError::aws_error(http::StatusCode::CONFLICT, "ConflictException", message));
        }
        Ok(())
    }

    /// A domain can only be deleted when there is no repository in it.
    fn check_domain_is_empty(&self, action: &str, request: &AwsRequest) -> Result<(), AwsServiceError> {
        let domain = request.query_params.get("domain").cloned().unwrap_or_default();
        if action == "DeleteDomain" && self.policies.has_repositories(&domain_owner(request), &domain) {
            let message = format!("the domain {domain} has repositories");
            return Err(AwsServiceError::aws_error(http::StatusCode::CONFLICT, "ConflictException", message));
        }
        Ok(())
    }

    fn action(request: &AwsRequest) -> Option<&'static str> {
        let path = request.raw_path.trim_matches('/');
        Some(match (request.method.as_str(), path) {
            ("POST", "v1/domain") => "CreateDomain",
            ("GET", "v1/domain") => "DescribeDomain",
            ("DELETE", "v1/domain") => "DeleteDomain",
            ("POST", "v1/domains") => "ListDomains",
            ("PUT", "v1/domain/permissions/policy") => "PutDomainPermissionsPolicy",
            ("GET", "v1/domain/permissions/policy") => "GetDomainPermissionsPolicy",
            ("DELETE", "v1/domain/permissions/policy") => "DeleteDomainPermissionsPolicy",
            ("POST", "v1/domain/repositories") => "ListRepositoriesInDomain",
            ("POST", "v1/authorization-token") => "GetAuthorizationToken",
            ("POST", "v1/repository") => "CreateRepository",
            ("GET", "v1/repository") => "DescribeRepository",
            ("DELETE", "v1/repository") => "DeleteRepository",
            ("PUT", "v1/repository") => "UpdateRepository",
            ("POST", "v1/repositories") => "ListRepositories",
            ("POST", "v1/repository/external-connection") => "AssociateExternalConnection",
            ("DELETE", "v1/repository/external-connection") => "DisassociateExternalConnection",
            ("GET", "v1/repository/permissions/policy") => "GetRepositoryPermissionsPolicy",
            ("PUT", "v1/repository/permissions/policy") => "PutRepositoryPermissionsPolicy",
            ("DELETE", "v1/repository/permissions/policies") => "DeleteRepositoryPermissionsPolicy",
            ("GET", "v1/repository/endpoint") => "GetRepositoryEndpoint",
            ("GET", "v1/package") => "DescribePackage",
            ("DELETE", "v1/package") => "DeletePackage",
            ("POST", "v1/package") => "PutPackageOriginConfiguration",
            ("GET", "v1/package/version") => "DescribePackageVersion",
            ("GET", "v1/package/version/asset") => "GetPackageVersionAsset",
            ("GET", "v1/package/version/readme") => "GetPackageVersionReadme",
            ("POST", "v1/package/version/publish") => "PublishPackageVersion",
            ("POST", "v1/package/version/assets") => "ListPackageVersionAssets",
            ("POST", "v1/package/version/dependencies") => "ListPackageVersionDependencies",
            ("POST", "v1/package/versions") => "ListPackageVersions",
            ("POST", "v1/package/versions/copy") => "CopyPackageVersions",
            ("POST", "v1/package/versions/delete") => "DeletePackageVersions",
            ("POST", "v1/package/versions/dispose") => "DisposePackageVersions",
            ("POST", "v1/package/versions/update_status") => "UpdatePackageVersionsStatus",
            ("POST", "v1/packages") => "ListPackages",
            ("POST", "v1/package-group") => "CreatePackageGroup",
            ("GET", "v1/package-group") => "DescribePackageGroup",
            ("DELETE", "v1/package-group") => "DeletePackageGroup",
            ("PUT", "v1/package-group") => "UpdatePackageGroup",
            ("POST", "v1/package-groups") => "ListPackageGroups",
            ("POST", "v1/package-groups/sub-groups") => "ListSubPackageGroups",
            ("GET", "v1/package-group-allowed-repositories") => "ListAllowedRepositoriesForGroup",
            ("PUT", "v1/package-group-origin-configuration") => "UpdatePackageGroupOriginConfiguration",
            ("GET", "v1/get-associated-package-group") => "GetAssociatedPackageGroup",
            ("GET", "v1/list-associated-packages") => "ListAssociatedPackages",
            ("POST", "v1/tag") => "TagResource",
            ("POST", "v1/untag") => "UntagResource",
            ("POST", "v1/tags") => "ListTagsForResource",
            _ => return None,
        })
    }

    /// What a call is about: a resource of each type that the reference names for its action. What is made is not there
    /// yet, and named all the same: the policy of its domain decides, and the log says what it was.
    fn resources(action: &str, request: &AwsRequest) -> Vec<String> {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let q = |name: &str| {
            let query = request.query_params.get(name).map(String::as_str);
            query.or(body[name].as_str()).unwrap_or_default().to_string()
        };
        if action.ends_with("Resource") {
            return vec![q("resourceArn")];
        }
        let (owner, domain) = (domain_owner(request), q("domain"));
        let repository = if action == "CopyPackageVersions" { q("destination-repository") } else { q("repository") };
        let made = match action {
            "CreateDomain" => Some("domain"),
            "CreateRepository" => Some("repository"),
            "CreatePackageGroup" => Some("package-group"),
            _ => None,
        };
        let types = reference::resource_types(&format!("codeartifact:{action}")).iter().map(String::as_str).chain(made);
        let resources: Vec<_> = types
            .map(|kind| match kind {
                "domain" => codeartifact_arn(request, &format!("domain/{domain}")),
                "repository" => codeartifact_arn(request, &format!("repository/{domain}/{repository}")),
                "package" => package_arn(&request.region, &owner, &domain, &repository, &q("namespace"), &q("package")),
                "package-group" => {
                    let pattern = body["packageGroup"].as_str().map_or_else(|| q("package-group"), str::to_string);
                    group_arn(&request.region, &owner, &domain, &pattern)
                }
                _ => panic!("CodeArtifact has no resource of the type {kind}"),
            })
            .collect();
        if resources.is_empty() { vec!["*".into()] } else { resources }
    }
}

/// The account that owns the domain of a request: the caller's, unless the request names another, by itself or in the ARN
/// of what it tags.
fn domain_owner(request: &AwsRequest) -> String {
    let named = request.query_params.get("domain-owner").map(String::as_str);
    let tagged = request.query_params.get("resourceArn").and_then(|arn| arn.split(':').nth(4));
    named.or(tagged).filter(|owner| !owner.is_empty()).unwrap_or(&request.account_id).to_string()
}

/// The ARN of a package group: what would be a wildcard in a policy, or a policy variable, is percent-encoded in it.
pub fn group_arn(region: &str, owner: &str, domain: &str, pattern: &str) -> String {
    let pattern = pattern.replace('%', "%25").replace('$', "%24").replace('*', "%2a");
    format!("arn:aws:codeartifact:{region}:{owner}:package-group/{domain}{pattern}")
}

fn codeartifact_arn(request: &AwsRequest, resource: &str) -> String {
    format!("arn:aws:codeartifact:{}:{}:{resource}", request.region, domain_owner(request))
}

pub fn package_arn(region: &str, owner: &str, domain: &str, repository: &str, namespace: &str, package: &str) -> String {
    format!("arn:aws:codeartifact:{region}:{owner}:package/{domain}/{repository}/pypi/{namespace}/{package}")
}

#[async_trait]
impl AwsService for AuthorizedCodeArtifact {
    fn service_name(&self) -> &str {
        self.inner.service_name()
    }

    fn supported_actions(&self) -> &[&str] {
        CODEARTIFACT_ACTIONS
    }

    fn iam_enforceable(&self) -> bool {
        true
    }

    fn iam_action_for(&self, request: &AwsRequest) -> Option<IamAction> {
        let action = Self::action(request)?;
        Some(IamAction { service: "codeartifact", action, resource: Self::resources(action, request).remove(0) })
    }

    /// A token also takes `sts:GetServiceBearerToken`, which no CodeArtifact policy can grant; copying takes the right to
    /// read the source, what is made with tags the right to tag it, and an upstream the right to be one.
    fn iam_actions_for(&self, request: &AwsRequest) -> Vec<IamAction> {
        let Some(action) = Self::action(request) else { return vec![] };
        let asked = |action, resource| IamAction { service: "codeartifact", action, resource };
        let resources = Self::resources(action, request);
        let tagged = action.starts_with("Create") && request.json_body()["tags"].as_array().is_some_and(|tags| !tags.is_empty());
        let tagging = tagged.then(|| asked("TagResource", resources[0].clone()));
        let mut actions: Vec<_> = resources.into_iter().map(|resource| asked(action, resource)).chain(tagging).collect();
        match action {
            "GetAuthorizationToken" => actions.push(IamAction { service: "sts", action: "GetServiceBearerToken", resource: "*".into() }),
            "CopyPackageVersions" => {
                let (domain, source) = (&request.query_params["domain"], &request.query_params["source-repository"]);
                actions.push(asked("ReadFromRepository", codeartifact_arn(request, &format!("repository/{domain}/{source}"))));
            }
            "CreateRepository" | "UpdateRepository" => {
                let (body, domain) = (request.json_body(), &request.query_params["domain"]);
                for each in body["upstreams"].as_array().into_iter().flatten() {
                    let upstream = each["repositoryName"].as_str().unwrap_or_default();
                    let arn = codeartifact_arn(request, &format!("repository/{domain}/{upstream}"));
                    actions.push(asked("AssociateWithDownstreamRepository", arn));
                }
            }
            _ => {}
        }
        actions
    }

    /// What AWS says of a bearer token: the service it is for.
    fn iam_condition_keys_for(&self, _request: &AwsRequest, action: &IamAction) -> BTreeMap<String, Vec<String>> {
        let bearer_token = (action.service == "sts").then(|| ("sts:awsservicename".into(), vec!["codeartifact.amazonaws.com".into()]));
        bearer_token.into_iter().collect()
    }

    async fn handle(&self, mut request: AwsRequest) -> Result<AwsResponse, AwsServiceError> {
        let action = Self::action(&request).unwrap_or_default();
        if request.region != self.region {
            let domain = request.query_params.get("domain").cloned().unwrap_or_default();
            let message = format!("Domain not found. Domain name: {domain}");
            return Err(AwsServiceError::aws_error(http::StatusCode::NOT_FOUND, "ResourceNotFoundException", message));
        }
        self.check_policy(action, &request)?;
        self.check_domain_is_empty(action, &request)?;
        // The state is the domain owner's, whoever calls.
        let owner = domain_owner(&request);
        let caller = std::mem::replace(&mut request.account_id, owner);
        let issued = (action == "GetAuthorizationToken").then(|| Grant {
            principal: request.principal.clone(),
            account: request.account_id.clone(),
            domain: request.query_params.get("domain").cloned().unwrap_or_default(),
        });
        let (account, resource) = (request.account_id.clone(), Self::resources(action, &request).remove(0));
        let mut response = self.inner.handle(request).await?;
        match action {
            "CreateRepository" => {
                let mut body: Value = serde_json::from_slice(response.body.expect_bytes()).unwrap_or_default();
                self.policies.name_administrator(&account, &mut body["repository"], caller);
                response.body = body.to_string().into();
            }
            "CreatePackageGroup" => {
                let mut body: Value = serde_json::from_slice(response.body.expect_bytes()).unwrap_or_default();
                self.policies.name_group(&account, &mut body["packageGroup"]["arn"], resource);
                response.body = body.to_string().into();
            }
            "DeletePackageGroup" | "DeleteDomain" => self.policies.forget_groups(&account),
            _ => {}
        }
        if let Some(grant) = issued {
            let mut body: Value = serde_json::from_slice(response.body.expect_bytes()).unwrap_or_default();
            if let Some(token) = body["authorizationToken"].as_str() {
                // Clients put the token into URLs, so it is made of the characters that AWS's own tokens have.
                let token = token.replace('/', "_").replace('+', "-");
                self.tokens.write().insert(token.clone(), grant);
                body["authorizationToken"] = Value::String(token);
                response.body = body.to_string().into();
            }
        }
        Ok(response)
    }
}

/// A call to CodeArtifact that the endpoint makes by itself for somebody.
pub fn codeartifact_call(
    region: &str,
    account: &str,
    principal: Option<Principal>,
    method: http::Method,
    path: &str,
    query: &[(&str, &str)],
    headers: http::HeaderMap,
    body: bytes::Bytes,
) -> AwsRequest {
    AwsRequest {
        service: "codeartifact".into(),
        action: String::new(),
        region: region.into(),
        account_id: account.into(),
        request_id: uuid::Uuid::new_v4().to_string(),
        headers,
        query_params: query.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
        body,
        body_stream: Default::default(),
        path_segments: path.trim_matches('/').split('/').map(String::from).collect(),
        raw_path: path.into(),
        raw_query: form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish(),
        method,
        is_query_protocol: false,
        access_key_id: None,
        principal,
    }
}

/// The permissions policies of domains and repositories, and what else of the state is not as the crate has it.
pub struct CodeArtifactPolicies {
    state: SharedCodeArtifactState,
}

impl CodeArtifactPolicies {
    pub fn new(state: SharedCodeArtifactState) -> Self {
        Self { state }
    }

    fn has_repositories(&self, account: &str, domain: &str) -> bool {
        let prefix = format!("{domain}/");
        self.state.read().get(account).is_some_and(|state| state.repositories.keys().any(|key| key.starts_with(&prefix)))
    }

    /// Note that the account that makes a repository administers it, whose ever the domain is.
    fn name_administrator(&self, account: &str, made: &mut Value, administrator: String) {
        made["administratorAccount"] = administrator.into();
        let mut accounts = self.state.write();
        for repository in accounts.get_or_create(account).repositories.values_mut().filter(|repository| repository["arn"] == made["arn"]) {
            repository["administratorAccount"] = made["administratorAccount"].clone();
        }
    }

    /// Give a group that was made the ARN that AWS gives it, which the crate does not encode.
    fn name_group(&self, account: &str, named: &mut Value, arn: String) {
        let mut accounts = self.state.write();
        let state = accounts.get_or_create(account);
        for group in state.package_groups.values_mut().filter(|group| group["arn"] == *named) {
            group["arn"] = arn.clone().into();
        }
        if let Some(tags) = named.as_str().and_then(|named| state.tags.remove(named)) {
            state.tags.insert(arn.clone(), tags);
        }
        *named = arn.into();
    }

    /// Forget the groups whose domain is gone, and what belonged to groups that are.
    fn forget_groups(&self, account: &str) {
        let mut accounts = self.state.write();
        let state = accounts.get_or_create(account);
        let groups = &mut state.package_groups;
        groups.retain(|_, group| group["domainName"].as_str().is_some_and(|domain| state.domains.contains_key(domain)));
        state.package_group_order.retain(|key| groups.contains_key(key));
        state.package_group_allowed.retain(|key, _| key.rsplit_once('\u{1}').is_some_and(|(group, _)| groups.contains_key(group)));
        state.tags.retain(|arn, _| !arn.contains(":package-group/") || groups.values().any(|group| group["arn"] == **arn));
    }

    /// Put the id of a role that was deleted wherever a policy names the role, as AWS does: a role of the same name that is
    /// made later is another one.
    fn forget_role(&self, arn: &str, id: &str) {
        for (_, state) in self.state.write().iter_mut() {
            for policy in state.domain_policies.values_mut().chain(state.repository_policies.values_mut()) {
                let Some(document) = policy["document"].as_str().and_then(|text| serde_json::from_str::<Value>(text).ok()) else { continue };
                policy["document"] = Value::String(rename_principals(document, |name, _| (name == arn).then(|| id.to_string())).to_string());
            }
        }
    }

    /// The permissions policy that is attached to a domain or a repository itself, with its revision.
    fn policy(&self, arn: &str) -> Option<Value> {
        let (account, resource) = parse_arn(arn)?;
        let accounts = self.state.read();
        let state = accounts.get(account)?;
        match resource.split_once('/')? {
            ("domain", name) => state.domain_policies.get(name),
            ("repository", name) => state.repository_policies.get(name),
            _ => None,
        }
        .cloned()
    }

    /// The statements that decide about an action: those of the domain for everything in it, and those of a repository
    /// for what is done in it, except for the putting of its policy:
    /// https://docs.aws.amazon.com/codeartifact/latest/ug/repo-policies.html
    pub fn policy_for(&self, action: &IamAction) -> Option<String> {
        let (account, resource) = parse_arn(&action.resource)?;
        let accounts = self.state.read();
        let state = accounts.get(account)?;
        let domain = state.domain_policies.get(resource.split('/').nth(1)?);
        let repository = repository_key(resource).and_then(|key| state.repository_policies.get(&key));
        let repository = repository.filter(|_| action.action != "PutRepositoryPermissionsPolicy");
        let statements: Vec<Value> = [domain, repository].into_iter().flatten().flat_map(|policy| statements(policy)).collect();
        (!statements.is_empty()).then(|| serde_json::json!({ "Version": "2012-10-17", "Statement": statements }).to_string())
    }

    /// Whether an account made the repository that a resource is or is in.
    pub fn is_administrator(&self, account: &str, arn: &str) -> bool {
        let administrator = || {
            let (owner, resource) = parse_arn(arn)?;
            Some(self.state.read().get(owner)?.repositories.get(&repository_key(resource)?)?["administratorAccount"] == account)
        };
        administrator().unwrap_or(false)
    }
}

/// The first principal of a policy that is neither an account nor a role or a user that exists.
fn unknown_principal(iam: &SharedIamState, document: &str) -> Option<String> {
    let accounts = iam.read();
    let exists = |name: &str| {
        let account = name.strip_prefix("arn:aws:iam::").and_then(|rest| rest.strip_suffix(":root")).unwrap_or(name);
        let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        let state = name.split(':').nth(4).and_then(|account| accounts.get(account));
        let known = |state: &IamState| state.roles.values().any(|role| role.arn == name) || state.users.values().any(|user| user.arn == name);
        name == "*" || is_account || state.is_some_and(known)
    };
    let mut document: Value = serde_json::from_str(document).ok()?;
    let mut names = principals(&mut document).into_iter().filter_map(|(name, _)| name.as_str().map(String::from));
    names.find(|name| !exists(name))
}

/// How IAM says it, which CodeArtifact may say otherwise.
fn invalid_principal(name: &str) -> String {
    format!("Invalid principal in policy: \"AWS\":\"{name}\"")
}

/// The account and the resource of an ARN.
fn parse_arn(arn: &str) -> Option<(&str, &str)> {
    let mut parts = arn.splitn(6, ':').skip(4);
    Some((parts.next()?, parts.next()?))
}

/// The key of the repository that a repository or a package is of.
fn repository_key(resource: &str) -> Option<String> {
    let mut segments = resource.split('/');
    ["repository", "package"].contains(&segments.next()?).then_some(())?;
    Some(format!("{}/{}", segments.next()?, segments.next()?))
}

fn statements(policy: &Value) -> Vec<Value> {
    let document: Value = policy["document"].as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    match &document["Statement"] {
        Value::Array(statements) => statements.clone(),
        Value::Null => vec![],
        statement => vec![statement.clone()],
    }
}

/// IAM, with what policies may say of a call beside its resource: which policy is attached or detached. The permissions
/// policies of CodeArtifact forget the roles that are deleted.
pub struct ConditionedIam {
    pub inner: IamService,
    pub settings: SharedSettings,
    pub iam: SharedIamState,
    pub policies: Arc<CodeArtifactPolicies>,
}

#[async_trait]
impl AwsService for ConditionedIam {
    fn service_name(&self) -> &str {
        self.inner.service_name()
    }

    fn supported_actions(&self) -> &[&str] {
        self.inner.supported_actions()
    }

    fn iam_enforceable(&self) -> bool {
        true
    }

    fn iam_action_for(&self, request: &AwsRequest) -> Option<IamAction> {
        self.inner.iam_action_for(request)
    }

    fn iam_condition_keys_for(&self, request: &AwsRequest, action: &IamAction) -> BTreeMap<String, Vec<String>> {
        let mut keys = self.inner.iam_condition_keys_for(request, action);
        if let Some(arn) = request.query_params.get("PolicyArn") {
            keys.insert("iam:policyarn".into(), vec![arn.clone()]);
        }
        keys
    }

    async fn handle(&self, request: AwsRequest) -> Result<AwsResponse, AwsServiceError> {
        let trust = match request.action.as_str() {
            "CreateRole" => request.query_params.get("AssumeRolePolicyDocument"),
            "UpdateAssumeRolePolicy" => request.query_params.get("PolicyDocument"),
            _ => None,
        };
        let trust = trust.filter(|_| self.settings.lock().principals_exist);
        if let Some(name) = trust.and_then(|trust| unknown_principal(&self.iam, trust)) {
            let message = invalid_principal(&name);
            return Err(AwsServiceError::aws_error(http::StatusCode::BAD_REQUEST, "MalformedPolicyDocument", message));
        }
        let name = request.query_params.get("RoleName").filter(|_| request.action == "DeleteRole");
        let deleted = name.and_then(|name| self.iam.read().get(&request.account_id)?.roles.get(name).cloned());
        let response = self.inner.handle(request).await?;
        if let Some(role) = deleted {
            self.policies.forget_role(&role.arn, &role.role_id);
        }
        Ok(response)
    }
}
