//! Which IAM action and which resource each CodeArtifact request needs, and the policies attached to that resource.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use async_trait::async_trait;
use fakecloud_codeartifact::{CodeArtifactService, SharedCodeArtifactState, CODEARTIFACT_ACTIONS};
use fakecloud_core::auth::{ConditionContext, IamAction, IamDecision, IamPolicyEvaluator, Principal, ResourcePolicyProvider};
use fakecloud_core::service::{AwsRequest, AwsResponse, AwsService, AwsServiceError};
use fakecloud_iam::evaluator::{self, Decision, EvalRequest, PolicyDocument};
use fakecloud_iam::iam_service::IamService;
use fakecloud_iam::SharedIamState;
use parking_lot::RwLock;
use serde_json::Value;

/// Who an authorization token was issued to, and for which domain.
#[derive(Clone)]
pub struct Grant {
    pub principal: Option<Principal>,
    pub account: String,
    pub domain: String,
}

pub type Tokens = Arc<RwLock<HashMap<String, Grant>>>;

tokio::task_local! {
    /// Why the call that is being answered was refused, in the words of AWS:
    /// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
    pub static WHY: RefCell<String>;
}

/// The longest permissions policy that CodeArtifact takes, in characters.
const MAX_POLICY: usize = 7168;

pub struct AuthorizedCodeArtifact {
    inner: CodeArtifactService,
    policies: Arc<CodeArtifactPolicies>,
    tokens: Tokens,
    /// The one region in which there is anything.
    region: String,
}

impl AuthorizedCodeArtifact {
    pub fn new(inner: CodeArtifactService, policies: Arc<CodeArtifactPolicies>, tokens: Tokens, region: String) -> Self {
        Self { inner, policies, tokens, region }
    }

    /// Refuse a permissions policy that is too long, or that replaces another revision than the caller knows of.
    fn check_policy(&self, action: &str, request: &AwsRequest) -> Result<(), AwsServiceError> {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let arn = match action {
            "PutDomainPermissionsPolicy" => codeartifact_arn(request, &format!("domain/{}", body["domain"].as_str().unwrap_or_default())),
            "PutRepositoryPermissionsPolicy" => Self::resource(action, request),
            _ => return Ok(()),
        };
        let length = body["policyDocument"].as_str().unwrap_or_default().chars().count();
        if length > MAX_POLICY {
            let message = format!("the policy document has {length} characters, more than {MAX_POLICY}");
            return Err(AwsServiceError::aws_error(http::StatusCode::BAD_REQUEST, "ValidationException", message));
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

    fn resource(action: &str, request: &AwsRequest) -> String {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let q = |name: &str| {
            let query = request.query_params.get(name).map(String::as_str);
            query.or(body[name].as_str()).unwrap_or_default().to_string()
        };
        let arn = |resource: String| codeartifact_arn(request, &resource);
        if action.starts_with("ListDomains") {
            return "*".into();
        }
        if action.contains("PackageGroup") && !action.starts_with("List") {
            let pattern = body["packageGroup"].as_str().map_or_else(|| q("package-group"), str::to_string);
            return group_arn(&request.region, &domain_owner(request), &q("domain"), &pattern);
        }
        if action.ends_with("Resource") {
            return q("resourceArn");
        }
        let repository = if action == "CopyPackageVersions" { q("destination-repository") } else { q("repository") };
        match (q("domain"), repository, q("package")) {
            (domain, _, _) if domain.is_empty() => "*".into(),
            (domain, repository, _) if repository.is_empty() => arn(format!("domain/{domain}")),
            (domain, repository, package) if package.is_empty() => arn(format!("repository/{domain}/{repository}")),
            (domain, repository, package) => package_arn(&request.region, &domain_owner(request), &domain, &repository, &q("namespace"), &package),
        }
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
        Some(IamAction { service: "codeartifact", action, resource: Self::resource(action, request) })
    }

    /// A token also takes `sts:GetServiceBearerToken`, which no CodeArtifact policy can grant; copying takes the right to
    /// read the source.
    fn iam_actions_for(&self, request: &AwsRequest) -> Vec<IamAction> {
        let mut actions: Vec<_> = self.iam_action_for(request).into_iter().collect();
        if actions.iter().any(|a| a.action == "GetAuthorizationToken") {
            actions.push(IamAction { service: "sts", action: "GetServiceBearerToken", resource: "*".into() });
        }
        if actions.iter().any(|a| a.action == "CopyPackageVersions") {
            let (domain, source) = (&request.query_params["domain"], &request.query_params["source-repository"]);
            let resource = codeartifact_arn(request, &format!("repository/{domain}/{source}"));
            actions.push(IamAction { service: "codeartifact", action: "ReadFromRepository", resource });
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
        request.account_id = domain_owner(&request);
        let issued = (action == "GetAuthorizationToken").then(|| Grant {
            principal: request.principal.clone(),
            account: request.account_id.clone(),
            domain: request.query_params.get("domain").cloned().unwrap_or_default(),
        });
        let (account, resource) = (request.account_id.clone(), Self::resource(action, &request));
        let mut response = self.inner.handle(request).await?;
        match action {
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

/// Asks a caller for rights where the endpoint is a service of its own: the index, and Cloud Control.
pub struct Authorizer {
    pub policies: Arc<CodeArtifactPolicies>,
    pub evaluator: Arc<dyn IamPolicyEvaluator>,
}

impl Authorizer {
    /// Say in AWS's words what the caller may not do. A root may do everything.
    pub fn authorize(&self, principal: Option<&Principal>, action: IamAction) -> Result<(), String> {
        let Some(principal) = principal.filter(|principal| !principal.is_root()) else { return Ok(()) };
        let owner = action.resource.split(':').nth(4).unwrap_or(&principal.account_id);
        let policy = self.policies.resource_policy("codeartifact", &action.resource);
        let context = ConditionContext {
            aws_principal_arn: Some(principal.arn.clone()),
            aws_principal_account: Some(principal.account_id.clone()),
            ..Default::default()
        };
        let decision = self.evaluator.evaluate_with_resource_policy(principal, &action, &context, policy.as_deref(), owner, &[], None);
        if decision.is_allow() {
            return Ok(());
        }
        Err(format!("User: {} is not authorized to perform: {} on resource: {}", principal.arn, action.action_string(), action.resource))
    }
}

/// The permissions policy attached to a domain, or to the repository that a repository or package ARN names.
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

    /// The policy that covers a resource, with its revision.
    fn policy(&self, resource_arn: &str) -> Option<Value> {
        let mut parts = resource_arn.splitn(6, ':').skip(4);
        let (account, resource) = (parts.next()?, parts.next()?);
        let mut segments = resource.split('/');
        let accounts = self.state.read();
        let state = accounts.get(account)?;
        match segments.next()? {
            "domain" => state.domain_policies.get(segments.next()?),
            "repository" | "package" => {
                state.repository_policies.get(&format!("{}/{}", segments.next()?, segments.next()?))
            }
            _ => None,
        }
        .cloned()
    }
}

impl ResourcePolicyProvider for CodeArtifactPolicies {
    fn resource_policy(&self, service: &str, resource_arn: &str) -> Option<String> {
        if service != "codeartifact" {
            return None;
        }
        self.policy(resource_arn)?["document"].as_str().map(str::to_string)
    }
}

/// An evaluator in which a role's sessions are the role, as in AWS: a policy that names the role as principal names them, and their
/// `aws:PrincipalArn` is the role's ARN, its path included. A policy that names the whole account grants them nothing by itself.
pub struct RoleSessions {
    pub inner: Arc<dyn IamPolicyEvaluator>,
    pub iam: SharedIamState,
}

impl RoleSessions {
    /// The ARN of the role behind a session's principal; `None` for any other principal.
    fn role_arn(&self, principal: &Principal) -> Option<String> {
        let session = principal.arn.strip_prefix("arn:aws:sts::")?.split_once(":assumed-role/")?.1;
        let name = session.split_once('/')?.0;
        self.iam.read().get(&principal.account_id)?.roles.get(name).map(|role| role.arn.clone())
    }

    /// Whether everybody may do it, whatever the policies say. What takes a right is printed.
    fn needs_no_right(action: &IamAction) -> bool {
        let free = action.action_string() == "sts:GetCallerIdentity";
        if !free {
            println!("action {} {}", action.action_string(), action.resource);
        }
        free
    }

    /// `policy` with `session` in the place of `role` wherever it is a principal. Where the policy allows something to
    /// `own_account`, the account that the resource is of, nobody is: that leaves it to the account's identity policies,
    /// which are enough by themselves.
    fn name_session(policy: &str, role: &str, session: &str, own_account: &str) -> Option<String> {
        let document: Value = serde_json::from_str(policy).ok()?;
        let named = rename_principals(document, |name, allows| {
            let account = name.strip_prefix("arn:aws:iam::").and_then(|rest| rest.strip_suffix(":root")).unwrap_or(name);
            if name == role {
                Some(session.into())
            } else {
                (allows && account == own_account).then(|| "nobody".into())
            }
        });
        Some(named.to_string())
    }

    fn is_within_boundary(&self, request: &EvalRequest<'_>) -> bool {
        let accounts = self.iam.read();
        let boundary = accounts.get(&request.principal.account_id).and_then(|state| evaluator::collect_boundary_policies(state, request.principal));
        boundary.map_or(true, |policies| evaluator::evaluate(&policies, request) == Decision::Allow)
    }

    /// What AWS adds to a refusal: which kind of policy denies, or does not allow. Of several it names one; which one where
    /// neither side of two accounts allows is not documented.
    fn why(&self, request: &EvalRequest<'_>, resource_policy: Option<&str>, resource_account: &str) -> String {
        let accounts = self.iam.read();
        let Some(state) = accounts.get(&request.principal.account_id) else { return String::new() };
        let identity = evaluator::evaluate(&evaluator::collect_identity_policies(state, request.principal), request);
        let boundary = evaluator::collect_boundary_policies(state, request.principal).map(|policies| evaluator::evaluate(&policies, request));
        let resource = resource_policy.map(|policy| evaluator::evaluate_resource_policy_only(&PolicyDocument::parse(policy), request));
        let at_home = request.principal.account_id == resource_account;
        let denies = |decision: Option<Decision>| decision == Some(Decision::ExplicitDeny);
        let allows = |decision: Option<Decision>| decision == Some(Decision::Allow);
        if denies(Some(identity)) {
            "with an explicit deny in an identity-based policy".into()
        } else if denies(resource) {
            "with an explicit deny in a resource-based policy".into()
        } else if denies(boundary) {
            "with an explicit deny in a permissions boundary".into()
        } else {
            let policy = if (allows(Some(identity)) || at_home && allows(resource)) && boundary.is_some() && !allows(boundary) {
                "permissions boundary"
            } else if allows(Some(identity)) {
                "resource-based policy"
            } else {
                "identity-based policy"
            };
            format!("because no {policy} allows the {} action", request.action)
        }
    }
}

/// A policy with other names for its principals; what gives them is told whether the statement allows.
fn rename_principals(mut document: Value, name_for: impl Fn(&str, bool) -> Option<String>) -> Value {
    let statements = match document.get_mut("Statement") {
        Some(Value::Array(statements)) => statements.iter_mut().collect(),
        Some(statement) => vec![statement],
        None => vec![],
    };
    for statement in statements {
        let allows = statement["Effect"] == "Allow";
        let Some(principals) = statement.get_mut("Principal").and_then(|p| p.get_mut("AWS")) else { continue };
        let names: Vec<&mut Value> = match principals {
            Value::Array(names) => names.iter_mut().collect(),
            name => vec![name],
        };
        for name in names {
            if let Some(other) = name.as_str().and_then(|name| name_for(name, allows)) {
                *name = other.into();
            }
        }
    }
    document
}

impl IamPolicyEvaluator for RoleSessions {
    /// A call with a web identity is not signed. The role's trust policy alone decides, when it is answered.
    fn evaluate_anonymous(&self, action: &IamAction, context: &ConditionContext, resource_policy_json: Option<&str>) -> IamDecision {
        if action.action == crate::web_identity::ACTION {
            return IamDecision::Allow;
        }
        self.inner.evaluate_anonymous(action, context, resource_policy_json)
    }

    fn evaluate(&self, principal: &Principal, action: &IamAction, context: &ConditionContext, session_policies: &[String], scps: Option<&[String]>) -> IamDecision {
        if Self::needs_no_right(action) {
            return IamDecision::Allow;
        }
        self.inner.evaluate(principal, action, context, session_policies, scps)
    }

    fn evaluate_with_resource_policy(
        &self,
        principal: &Principal,
        action: &IamAction,
        context: &ConditionContext,
        resource_policy_json: Option<&str>,
        resource_account_id: &str,
        session_policies: &[String],
        scps: Option<&[String]>,
    ) -> IamDecision {
        if Self::needs_no_right(action) {
            return IamDecision::Allow;
        }
        let Some(role) = self.role_arn(principal) else {
            return self.inner.evaluate_with_resource_policy(principal, action, context, resource_policy_json, resource_account_id, session_policies, scps);
        };
        let named = resource_policy_json.and_then(|policy| Self::name_session(policy, &role, &principal.arn, resource_account_id));
        let policy = named.as_deref().or(resource_policy_json);
        let context = ConditionContext { aws_principal_arn: Some(role), ..context.clone() };
        let decision = self.inner.evaluate_with_resource_policy(principal, action, &context, policy, resource_account_id, session_policies, scps);
        let request = EvalRequest { principal, action: action.action_string(), resource: action.resource.clone(), context };
        // A boundary limits what a permissions policy allows a role, too:
        // https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
        if decision.is_allow() && self.is_within_boundary(&request) {
            return decision;
        }
        let why = self.why(&request, policy, resource_account_id);
        WHY.with(|said| *said.borrow_mut() = why);
        if decision.is_allow() { IamDecision::ImplicitDeny } else { decision }
    }
}

/// IAM, with what policies may say of a call beside its resource: which policy is attached or detached. The permissions
/// policies of CodeArtifact forget the roles that are deleted.
pub struct ConditionedIam {
    pub inner: IamService,
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
        let name = request.query_params.get("RoleName").filter(|_| request.action == "DeleteRole");
        let deleted = name.and_then(|name| self.iam.read().get(&request.account_id)?.roles.get(name).cloned());
        let response = self.inner.handle(request).await?;
        if let Some(role) = deleted {
            self.policies.forget_role(&role.arn, &role.role_id);
        }
        Ok(response)
    }
}
