//! Whether somebody may do something: what the endpoint knows of IAM and the crate does not.

use std::cell::RefCell;
use std::sync::Arc;

use fakecloud_core::auth::{ConditionContext, IamAction, IamDecision, IamPolicyEvaluator, Principal};
use fakecloud_iam::evaluator::{self, Decision, EvalRequest, PolicyDocument};
use fakecloud_iam::SharedIamState;
use serde_json::Value;

use crate::authorize::CodeArtifactPolicies;
use crate::reference;

tokio::task_local! {
    /// Why the call that is being answered was refused, in the words of AWS:
    /// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
    pub static WHY: RefCell<String>;
}

/// Say in AWS's words what somebody may not do, where the endpoint asks by itself: for the index and for Cloud Control.
/// A root may do everything.
pub fn authorize(evaluator: &dyn IamPolicyEvaluator, principal: Option<&Principal>, action: IamAction) -> Result<(), String> {
    let Some(principal) = principal.filter(|principal| !principal.is_root()) else { return Ok(()) };
    let owner = action.resource.split(':').nth(4).unwrap_or(&principal.account_id);
    let context = ConditionContext {
        aws_principal_arn: Some(principal.arn.clone()),
        aws_principal_account: Some(principal.account_id.clone()),
        ..Default::default()
    };
    if evaluator.evaluate_with_resource_policy(principal, &action, &context, None, owner, &[], None).is_allow() {
        return Ok(());
    }
    Err(format!("User: {} is not authorized to perform: {} on resource: {}", principal.arn, action.action_string(), action.resource))
}

/// An evaluator in which a role's sessions are the role, as in AWS: a policy that names the role as principal names them, and their
/// `aws:PrincipalArn` is the role's ARN, its path included. A policy that names the whole account grants them nothing by itself.
pub struct RoleSessions {
    pub inner: Arc<dyn IamPolicyEvaluator>,
    pub iam: SharedIamState,
    pub policies: Arc<CodeArtifactPolicies>,
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
            println!("action {} {}", action.action_string(), Self::resource(action));
        }
        free
    }

    /// What a statement has to name: `*` for an action that takes no type of resource.
    fn resource(action: &IamAction) -> &str {
        if reference::resource_types(&action.action_string()).is_empty() { "*" } else { &action.resource }
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
pub fn rename_principals(mut document: Value, name_for: impl Fn(&str, bool) -> Option<String>) -> Value {
    for (name, allows) in principals(&mut document) {
        if let Some(other) = name.as_str().and_then(|name| name_for(name, allows)) {
            *name = other.into();
        }
    }
    document
}

/// The names under `AWS` of a policy's principals, each with whether its statement allows.
pub fn principals(document: &mut Value) -> Vec<(&mut Value, bool)> {
    let mut found = Vec::new();
    for statement in elements(document.get_mut("Statement")) {
        let allows = statement["Effect"] == "Allow";
        let names = elements(statement.get_mut("Principal").and_then(|principal| principal.get_mut("AWS")));
        found.extend(names.into_iter().map(|name| (name, allows)));
    }
    found
}

/// What stands in a policy as a list, or as one element without one.
fn elements(value: Option<&mut Value>) -> Vec<&mut Value> {
    match value {
        Some(Value::Array(elements)) => elements.iter_mut().collect(),
        element => element.into_iter().collect(),
    }
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
        let own = (action.service == "codeartifact").then(|| self.policies.policy_for(action));
        let policy = own.unwrap_or_else(|| resource_policy_json.map(str::to_string));
        let role = self.role_arn(principal).unwrap_or_else(|| principal.arn.clone());
        let policy = policy.and_then(|policy| Self::name_session(&policy, &role, &principal.arn, resource_account_id));
        let policy = policy.as_deref();
        let context = ConditionContext { aws_principal_arn: Some(role), ..context.clone() };
        let asked = IamAction { resource: Self::resource(action).into(), ..action.clone() };
        let mut decision = self.inner.evaluate_with_resource_policy(principal, &asked, &context, policy, resource_account_id, session_policies, scps);
        // Nothing denies. In the account that made the repository an identity policy is enough, as in the domain owner's:
        // https://docs.aws.amazon.com/codeartifact/latest/ug/repo-policies.html
        if decision == IamDecision::ImplicitDeny && self.policies.is_administrator(&principal.account_id, &action.resource) {
            decision = self.inner.evaluate(principal, &asked, &context, session_policies, scps);
        }
        let request = EvalRequest { principal, action: asked.action_string(), resource: asked.resource, context };
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
