//! STS, with what the crate leaves out of web identities: the signature of tokens, and the claims that GitHub's have
//! beside the standard ones. An issuer's keys are on the internet, so here they come from the file that
//! `AWS_EMULATOR_JWKS` names, a JSON Web Key Set (RFC 7517). And a session named `ended` has ended when it begins.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use base64::Engine;
use fakecloud_core::auth::{ConditionContext, IamAction, Principal, PrincipalType};
use fakecloud_core::multi_account::MultiAccountState;
use fakecloud_core::service::{AwsRequest, AwsResponse, AwsService, AwsServiceError};
use fakecloud_iam::evaluator::{self, Decision, EvalRequest, PolicyDocument};
use fakecloud_iam::sts_service::StsService;
use fakecloud_iam::{IamState, SharedIamState};
use http::StatusCode;
use parking_lot::RwLock;
use ring::signature::{RsaPublicKeyComponents, RSA_PKCS1_2048_8192_SHA256};
use serde_json::Value;

pub const ACTION: &str = "AssumeRoleWithWebIdentity";

const GITHUB: &str = "token.actions.githubusercontent.com";

/// The claims that a trust policy may name, as `ISSUER:CLAIM`, of every issuer's tokens and of GitHub's:
/// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
const CLAIMS: &[&str] = &["amr", "aud", "sub"];
const GITHUBS_CLAIMS: &[&str] = &["actor", "environment", "job_workflow_ref", "ref", "repository", "repository_id", "workflow"];

/// A trust policy for the crate, which does not know these claims.
const TRUST_EVERY_ISSUER: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRoleWithWebIdentity"}}"#;

pub struct VerifiedSts {
    pub inner: StsService,
    pub iam: SharedIamState,
}

/// A token whose signature is right, from an issuer that the role's account knows.
struct Verified {
    claims: Value,
    /// The issuer without its scheme: what its condition keys begin with.
    issuer: String,
    provider_arn: String,
}

impl VerifiedSts {
    /// Refuse a token that none of the keys has signed, or whose issuer the role's account does not know.
    fn verify(&self, token: &str, account: &str) -> Result<Verified, AwsServiceError> {
        let invalid = |why: &str| AwsServiceError::aws_error(StatusCode::BAD_REQUEST, "InvalidIdentityToken", why);
        let Some((signed, signature)) = token.rsplit_once('.') else {
            return Err(invalid("The ID Token provided is not a valid JWT"));
        };
        let decode = |part: &str| BASE64URL.decode(part).unwrap_or_default();
        let claims: Value = serde_json::from_slice(&decode(signed.split('.').nth(1).unwrap_or_default())).unwrap_or_default();
        let url = claims["iss"].as_str().unwrap_or_default();
        let issuer = url.trim_start_matches("https://").to_string();
        let provider_arn = self.iam.read().get(account).and_then(|state| {
            let provider = state.oidc_providers.values().find(|provider| provider.url.trim_start_matches("https://") == issuer)?;
            Some(provider.arn.clone())
        });
        let provider_arn = provider_arn.ok_or_else(|| invalid(&format!("No OpenIDConnect provider found in your account for {url}")))?;
        let file = std::env::var("AWS_EMULATOR_JWKS").unwrap_or_default();
        let keys: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap_or_default()).unwrap_or_default();
        let signed_by = |key: &Value| {
            let component = |name: &str| decode(key[name].as_str().unwrap_or_default());
            let key = RsaPublicKeyComponents { n: component("n"), e: component("e") };
            key.verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &decode(signature)).is_ok()
        };
        if !keys["keys"].as_array().is_some_and(|keys| keys.iter().any(signed_by)) {
            return Err(invalid("Couldn't retrieve verification key from your identity provider"));
        }
        Ok(Verified { claims, issuer, provider_arn })
    }

    /// Begin a session of a role for a token. The crate does it in a copy of the role's account in which the role trusts
    /// every issuer: it checks that the token is for the account and has not expired. What the role trusts is checked here.
    async fn assume_role(&self, request: AwsRequest) -> Result<AwsResponse, AwsServiceError> {
        let parameter = |name: &str| request.query_params.get(name).cloned().unwrap_or_default();
        let role_arn = parameter("RoleArn");
        let account = role_arn.split(':').nth(4).unwrap_or_default().to_string();
        let token = self.verify(&parameter("WebIdentityToken"), &account)?;
        let refused = AwsServiceError::aws_error(StatusCode::FORBIDDEN, "AccessDenied", format!("Not authorized to perform sts:{ACTION}"));
        let mut copy = {
            let accounts = self.iam.read();
            let mut copy = MultiAccountState::<IamState>::new(&account, accounts.region(), accounts.endpoint());
            if let Some(state) = accounts.get(&account) {
                copy.get_or_create(&account).clone_from(state);
            }
            copy
        };
        let role = copy.get_or_create(&account).roles.values_mut().find(|role| role.arn == role_arn);
        let trust = match role {
            Some(role) => std::mem::replace(&mut role.assume_role_policy_document, TRUST_EVERY_ISSUER.into()),
            None => return Err(refused),
        };
        let session = parameter("RoleSessionName");
        let copy = Arc::new(RwLock::new(copy));
        let response = StsService::new(copy.clone()).handle(request).await?;
        if !token.is_trusted(&trust, &account, &role_arn, &session) {
            return Err(refused);
        }
        let mut accounts = self.iam.write();
        let (state, copy) = (accounts.get_or_create(&account), copy.read());
        let begun = copy.get(&account).expect("the account was copied");
        state.credential_identities.extend(begun.credential_identities.clone());
        state.sts_temp_credentials.extend(begun.sts_temp_credentials.clone());
        Ok(response)
    }

    /// Let the sessions end that are named `ended`.
    fn end_sessions(&self) {
        for (_, state) in self.iam.write().iter_mut() {
            for credential in state.sts_temp_credentials.values_mut().filter(|credential| credential.principal_arn.ends_with("/ended")) {
                credential.expiration -= Duration::from_secs(2 * 60 * 60);
            }
        }
    }
}

#[async_trait]
impl AwsService for VerifiedSts {
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

    async fn handle(&self, request: AwsRequest) -> Result<AwsResponse, AwsServiceError> {
        if request.action != ACTION {
            let ended = request.query_params.get("RoleSessionName").is_some_and(|name| name == "ended");
            let response = self.inner.handle(request).await?;
            if ended {
                self.end_sessions();
            }
            return Ok(response);
        }
        self.assume_role(request).await
    }
}

impl Verified {
    /// Whether a role's trust policy lets the token's bearer assume the role. A claim that the token does not have, or
    /// that AWS does not take, is a condition key that is not there.
    fn is_trusted(&self, trust: &str, account: &str, role_arn: &str, session: &str) -> bool {
        let extra = if self.issuer == GITHUB { GITHUBS_CLAIMS } else { &[] };
        let values = |claim: &str| match &self.claims[claim] {
            Value::String(value) => vec![value.clone()],
            Value::Array(values) => values.iter().filter_map(|value| value.as_str().map(String::from)).collect(),
            _ => vec![],
        };
        let keys = CLAIMS.iter().chain(extra).map(|claim| (format!("{}:{claim}", self.issuer).to_lowercase(), values(claim)));
        let mut service_keys: BTreeMap<_, _> = keys.filter(|(_, values)| !values.is_empty()).collect();
        service_keys.insert("sts:rolesessionname".into(), vec![session.into()]);
        let principal = Principal {
            arn: self.provider_arn.clone(),
            user_id: self.provider_arn.clone(),
            account_id: account.into(),
            principal_type: PrincipalType::FederatedUser,
            source_identity: None,
            tags: None,
        };
        let context = ConditionContext { aws_federated_provider: Some(self.provider_arn.clone()), service_keys, ..Default::default() };
        let request = EvalRequest { principal: &principal, action: format!("sts:{ACTION}"), resource: role_arn.into(), context };
        evaluator::evaluate_resource_policy_only(&PolicyDocument::parse(trust), &request) == Decision::Allow
    }
}
