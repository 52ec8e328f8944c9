//! What goes wrong on purpose. One call that changes something is held, so that a test can kill the caller at that moment,
//! or is answered as a busy service answers. Each such call is printed: `change SERVICE:ACTION RESOURCE`.
//!
//! `PUT /_disturbance` says which call and how; `GET /_disturbance` is answered when it has happened.
//! `GET /_state` is all that the services know, and `PUT /_state` takes them back to it.
//! `PUT /_settings` says how the services behave where AWS does both.

use std::sync::Arc;

use async_trait::async_trait;
use axum::extract::{DefaultBodyLimit, State};
use axum::routing::{get, put};
use axum::{Json, Router};
use fakecloud_codeartifact::{CodeArtifactState, SharedCodeArtifactState};
use fakecloud_core::auth::IamAction;
use fakecloud_core::multi_account::MultiAccountState;
use fakecloud_core::service::{AwsRequest, AwsResponse, AwsService, AwsServiceError};
use fakecloud_iam::{IamState, SharedIamState};
use http::StatusCode;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// The call to disturb, as it is printed (with `*` for how it ends), and what comes of it.
#[derive(Deserialize)]
struct Disturbance {
    call: String,
    /// Which of several such calls: 1 is the next.
    number: usize,
    /// Whether the call is carried out all the same.
    executed: bool,
    answer: Answer,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Answer {
    Never,
    Closed,
    Throttled,
    Failed,
}

impl Disturbance {
    fn is_about(&self, call: &str) -> bool {
        self.call.strip_suffix('*').map_or(self.call == call, |start| call.starts_with(start))
    }
}

/// The disturbance that is to come, if any, and whether the last one has happened.
pub struct Plan {
    next: Mutex<Option<Disturbance>>,
    happened: watch::Sender<bool>,
}

impl Plan {
    pub fn new() -> Arc<Self> {
        Arc::new(Self { next: Mutex::new(None), happened: watch::Sender::new(false) })
    }

    /// The disturbance of a call, which is then over.
    fn take(&self, call: &str) -> Option<Disturbance> {
        let mut next = self.next.lock();
        let disturbance = next.as_mut().filter(|next| next.is_about(call))?;
        disturbance.number -= 1;
        if disturbance.number > 0 {
            return None;
        }
        next.take()
    }
}

/// A service of which one call may be disturbed.
pub struct Disturbed {
    pub inner: Arc<dyn AwsService>,
    pub plan: Arc<Plan>,
}

fn changes(action: &IamAction) -> bool {
    !["Describe", "Get", "List"].iter().any(|verb| action.action.starts_with(verb))
}

#[async_trait]
impl AwsService for Disturbed {
    fn service_name(&self) -> &str {
        self.inner.service_name()
    }

    fn supported_actions(&self) -> &[&str] {
        self.inner.supported_actions()
    }

    fn iam_enforceable(&self) -> bool {
        self.inner.iam_enforceable()
    }

    fn iam_action_for(&self, request: &AwsRequest) -> Option<IamAction> {
        self.inner.iam_action_for(request)
    }

    fn iam_actions_for(&self, request: &AwsRequest) -> Vec<IamAction> {
        self.inner.iam_actions_for(request)
    }

    fn iam_condition_keys_for(&self, request: &AwsRequest, action: &IamAction) -> std::collections::BTreeMap<String, Vec<String>> {
        self.inner.iam_condition_keys_for(request, action)
    }

    async fn handle(&self, request: AwsRequest) -> Result<AwsResponse, AwsServiceError> {
        // What is not known to only read counts as a change.
        let call = match self.iam_action_for(&request) {
            Some(action) if !changes(&action) => return self.inner.handle(request).await,
            Some(action) => format!("{} {}", action.action_string(), action.resource),
            None => format!("{}:{} {}", self.service_name(), request.method, request.raw_path),
        };
        println!("change {call}");
        let Some(Disturbance { executed, answer, .. }) = self.plan.take(&call) else {
            return self.inner.handle(request).await;
        };
        if executed {
            self.inner.handle(request).await?;
        }
        self.plan.happened.send_replace(true);
        let error = AwsServiceError::aws_error;
        match answer {
            Answer::Never => std::future::pending().await,
            // Ends the connection's task without a word on it, and so closes it.
            Answer::Closed => std::panic::resume_unwind(Box::new("closed")),
            Answer::Throttled => Err(error(StatusCode::TOO_MANY_REQUESTS, "ThrottlingException", "Rate exceeded")),
            Answer::Failed => Err(error(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerException", "An internal error occurred")),
        }
    }
}

/// How the services behave where AWS does both.
#[derive(Clone, Copy, Deserialize)]
pub struct Settings {
    /// Whether a policy that names a role or a user that does not exist is refused. AWS does, also for what IAM made a
    /// moment ago.
    pub principals_exist: bool,
    /// Whether the index gives upload times. AWS may have none for what it cached before it gave any.
    pub upload_times: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { principals_exist: false, upload_times: true }
    }
}

pub type SharedSettings = Arc<Mutex<Settings>>;

#[derive(Deserialize, Serialize)]
struct States {
    codeartifact: MultiAccountState<CodeArtifactState>,
    iam: MultiAccountState<IamState>,
}

/// The endpoint's own addresses, which are not AWS's.
pub fn routes(plan: Arc<Plan>, settings: SharedSettings, codeartifact: SharedCodeArtifactState, iam: SharedIamState) -> Router {
    let disturbance = get(happened).put(disturb).with_state(plan);
    let state = get(read_state).put(write_state).with_state((codeartifact, iam));
    let settings = put(set).with_state(settings);
    let router = Router::new().route("/_disturbance", disturbance).route("/_settings", settings);
    router.route("/_state", state.layer(DefaultBodyLimit::disable()))
}

async fn disturb(State(plan): State<Arc<Plan>>, Json(disturbance): Json<Disturbance>) {
    plan.happened.send_replace(false);
    *plan.next.lock() = Some(disturbance);
}

async fn happened(State(plan): State<Arc<Plan>>) {
    // The sender lives as long as the plan, so that there is an end to wait for.
    plan.happened.subscribe().wait_for(|happened| *happened).await.unwrap();
}

async fn set(State(settings): State<SharedSettings>, Json(new): Json<Settings>) {
    *settings.lock() = new;
}

async fn read_state(State((codeartifact, iam)): State<(SharedCodeArtifactState, SharedIamState)>) -> Json<States> {
    Json(States { codeartifact: codeartifact.read().clone(), iam: iam.read().clone() })
}

async fn write_state(State((codeartifact, iam)): State<(SharedCodeArtifactState, SharedIamState)>, Json(states): Json<States>) {
    *codeartifact.write() = states.codeartifact;
    *iam.write() = states.iam;
}
