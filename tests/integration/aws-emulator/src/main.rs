//! A local AWS endpoint for integration tests.
//!
//! CodeArtifact, IAM and STS come from the fakecloud crates. This program adds what those leave out:
//! CodeArtifact calls are authorized by IAM identity policies together with the domain and repository
//! permissions policies, and a repository answers pip and twine on `/pypi/REPOSITORY/`.
//!
//! Usage: `aws-emulator [PORT] [ACCOUNT] [REGION]`; it prints `ready http://127.0.0.1:PORT` once it listens, and then a
//! line for each call: `call SERVICE METHOD PATH`, and one for each right that an assumed role is asked for:
//! `action SERVICE:ACTION RESOURCE`.
//! Access keys that begin with "test" are the account's root and bypass IAM, as in other emulators; with 12 digits
//! after it, `test444455556666`, they are the root of that account.
//! A session named `ended` has ended already.
//! Web identity tokens are verified with the keys in the file that `AWS_EMULATOR_JWKS` names.

mod authorize;
mod cloud_control;
mod disturb;
mod evaluate;
mod pypi;
mod reference;
mod schema;
mod web_identity;

use std::cell::RefCell;
use std::sync::Arc;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::{routing::get, Extension, Router};
use fakecloud_codeartifact::{CodeArtifactService, SharedCodeArtifactState};
use fakecloud_core::auth::{IamMode, IamPolicyEvaluator};
use fakecloud_core::dispatch::{dispatch, DispatchConfig};
use fakecloud_core::multi_account::MultiAccountState;
use fakecloud_core::registry::ServiceRegistry;
use fakecloud_iam::credential_resolver::IamCredentialResolver;
use fakecloud_iam::iam_service::IamService;
use fakecloud_iam::policy_evaluator::IamPolicyEvaluatorImpl;
use fakecloud_iam::resource_policy::StsResourcePolicyProvider;
use fakecloud_iam::SharedIamState;
use fakecloud_iam::sts_service::StsService;
use parking_lot::RwLock;

use authorize::{AuthorizedCodeArtifact, CodeArtifactPolicies, ConditionedIam, Tokens};
use cloud_control::{CloudControl, CloudFormation};
use disturb::{Disturbed, Plan, SharedSettings};
use evaluate::{RoleSessions, WHY};
use web_identity::VerifiedSts;

#[tokio::main]
async fn main() {
    let mut args = std::env::args().skip(1);
    let port: u16 = args.next().map_or(0, |p| p.parse().expect("PORT is a number"));
    let account = args.next().unwrap_or_else(|| "111122223333".into());
    let region = args.next().unwrap_or_else(|| "us-west-2".into());

    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.expect("the port is free");
    let endpoint = format!("http://{}", listener.local_addr().unwrap());

    let iam: SharedIamState = Arc::new(RwLock::new(MultiAccountState::new(&account, &region, &endpoint)));
    let state: SharedCodeArtifactState = Arc::new(RwLock::new(MultiAccountState::new(&account, &region, &endpoint)));
    let policies = Arc::new(CodeArtifactPolicies::new(state.clone()));
    let evaluator: Arc<dyn IamPolicyEvaluator> =
        Arc::new(RoleSessions { inner: IamPolicyEvaluatorImpl::shared(iam.clone()), iam: iam.clone(), policies: policies.clone() });
    let (tokens, settings) = (Tokens::default(), SharedSettings::default());
    let codeartifact = Arc::new(AuthorizedCodeArtifact::new(
        CodeArtifactService::new(state.clone()),
        policies.clone(),
        tokens.clone(),
        iam.clone(),
        settings.clone(),
        region.clone(),
    ));


    let plan = Plan::new();
    let mut registry = ServiceRegistry::new();
    let conditioned = ConditionedIam { inner: IamService::new(iam.clone()), settings: settings.clone(), iam: iam.clone(), policies };
    registry.register(Arc::new(Disturbed { inner: Arc::new(conditioned), plan: plan.clone() }));
    registry.register(Arc::new(VerifiedSts { inner: StsService::new(iam.clone()), iam: iam.clone() }));
    registry.register(Arc::new(Disturbed { inner: codeartifact.clone(), plan: plan.clone() }));
    let cloud_control = CloudControl::new(codeartifact.clone(), evaluator.clone());
    registry.register(Arc::new(Disturbed { inner: Arc::new(cloud_control), plan: plan.clone() }));
    registry.register(Arc::new(CloudFormation));

    let config = DispatchConfig {
        region: region.clone(),
        account_id: account.clone(),
        verify_sigv4: false,
        iam_mode: IamMode::Strict,
        credential_resolver: Some(IamCredentialResolver::shared(iam.clone())),
        policy_evaluator: Some(evaluator.clone()),
        resource_policy_provider: Some(StsResourcePolicyProvider::shared(iam.clone())),
        scp_resolver: None,
    };
    let control = disturb::routes(plan, settings.clone(), state.clone(), iam);
    let index = pypi::Index { service: codeartifact, state, evaluator, settings, tokens, region };

    let app = Router::new()
        .route("/pypi/{repository}/", get(pypi::root).post(pypi::upload))
        .route("/pypi/{repository}/simple/{project}/", get(pypi::project))
        .route("/pypi/{repository}/simple/{project}/{version}/{file}", get(pypi::file))
        .layer(axum::extract::DefaultBodyLimit::max(1 << 30))
        .with_state(Arc::new(index))
        .fallback(dispatch)
        .layer(middleware::from_fn(prepare))
        .layer(Extension(Arc::new(registry)))
        .layer(Extension(Arc::new(config)))
        .merge(control);

    println!("ready {endpoint}");
    axum::serve(listener, app.into_make_service_with_connect_info::<std::net::SocketAddr>())
        .with_graceful_shutdown(async { tokio::signal::ctrl_c().await.unwrap() })
        .await
        .unwrap();
}

/// Print each call, and let a root's access key choose its account.
async fn prepare(mut request: Request, next: Next) -> Response {
    let header = request.headers().get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    // Credential=KEY/DATE/REGION/SERVICE/aws4_request
    let mut scope = header.split_once("Credential=").map_or("", |(_, rest)| rest).split('/');
    let (key, service) = (scope.next().unwrap_or_default().to_string(), scope.nth(2).unwrap_or("pypi").to_string());
    println!("call {service} {} {}", request.method(), request.uri().path());

    if let Some(account) = key.strip_prefix("test").filter(|rest| rest.len() == 12 && rest.bytes().all(|b| b.is_ascii_digit())) {
        if let Some(config) = request.extensions().get::<Arc<DispatchConfig>>() {
            let config = DispatchConfig { account_id: account.to_string(), ..DispatchConfig::clone(config) };
            request.extensions_mut().insert(Arc::new(config));
        }
    }
    let (response, why) = WHY
        .scope(RefCell::default(), async {
            let response = next.run(request).await;
            (response, WHY.with(RefCell::take))
        })
        .await;
    if why.is_empty() || response.status() != StatusCode::FORBIDDEN {
        return response;
    }
    say_why(response, &why).await
}

/// Put why a call was refused in the place of what the crate says there, which is for nobody to read.
async fn say_why(response: Response, why: &str) -> Response {
    let (mut parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&body);
    let Some((before, rest)) = text.split_once("Encoded authorization failure message: ") else {
        return Response::from_parts(parts, body.into());
    };
    let end = rest.find(['"', '<']).unwrap_or(rest.len());
    parts.headers.remove("content-length");
    Response::from_parts(parts, format!("{before}{why}{}", &rest[end..]).into())
}
