//! The package side of a repository: the simple index, the files, and uploads, each authorized by the same policies as the
//! API. For a file it asks for `GetPackageVersionAsset`, where CodeArtifact is content with `ReadFromRepository`.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Multipart, Path, State};
use axum::http::{header, HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use base64::Engine;
use bytes::Bytes;
use fakecloud_codeartifact::SharedCodeArtifactState;
use fakecloud_core::auth::{ConditionContext, IamAction, IamPolicyEvaluator, ResourcePolicyProvider};
use fakecloud_core::service::{AwsRequest, AwsService};
use sha2::Digest;

use crate::authorize::{package_arn, AuthorizedCodeArtifact, CodeArtifactPolicies, Grant, Tokens};

pub struct Index {
    pub service: Arc<AuthorizedCodeArtifact>,
    pub state: SharedCodeArtifactState,
    pub policies: Arc<CodeArtifactPolicies>,
    pub evaluator: Arc<dyn IamPolicyEvaluator>,
    pub tokens: Tokens,
    pub region: String,
}

type Answer = Result<Response, Response>;

fn refuse(status: StatusCode, why: &str) -> Response {
    let challenge = [(header::WWW_AUTHENTICATE, "Basic realm=\"AWS CodeArtifact\"")];
    (status, challenge, why.to_string()).into_response()
}

/// PEP 503 normalization.
fn normalize(name: &str) -> String {
    let mut out = String::new();
    for c in name.to_lowercase().chars() {
        let dash = matches!(c, '-' | '_' | '.');
        if !(dash && out.ends_with('-')) {
            out.push(if dash { '-' } else { c });
        }
    }
    out
}

impl Index {
    fn grant(&self, headers: &HeaderMap) -> Result<Grant, Response> {
        headers
            .get(header::AUTHORIZATION)
            .and_then(|v| v.to_str().ok()?.strip_prefix("Basic "))
            .and_then(|b| base64::engine::general_purpose::STANDARD.decode(b).ok())
            .and_then(|b| String::from_utf8(b).ok()?.split_once(':').map(|(_, token)| token.to_string()))
            .ok_or_else(|| refuse(StatusCode::UNAUTHORIZED, "an authorization token is needed"))
            // As AWS answers it: pip then says that there is no matching distribution.
            .and_then(|token| self.tokens.read().get(&token).cloned().ok_or_else(|| refuse(StatusCode::NOT_FOUND, "not found")))
    }

    /// The token's principal must be allowed `action` on `resource`.
    fn allow(&self, grant: &Grant, action: &'static str, resource: String) -> Result<(), Response> {
        let Some(principal) = &grant.principal else { return Ok(()) };
        if principal.is_root() {
            return Ok(());
        }
        let account = grant.account.as_str();
        let policy = self.policies.resource_policy("codeartifact", &resource);
        let context = ConditionContext {
            aws_principal_arn: Some(principal.arn.clone()),
            aws_principal_account: Some(principal.account_id.clone()),
            ..Default::default()
        };
        let action = IamAction { service: "codeartifact", action, resource };
        let decision =
            self.evaluator.evaluate_with_resource_policy(principal, &action, &context, policy.as_deref(), account, &[], None);
        if decision.is_allow() {
            return Ok(());
        }
        Err(refuse(StatusCode::FORBIDDEN, &format!("User: {} is not authorized to perform: {} on resource: {}", principal.arn, action.action_string(), action.resource)))
    }

    fn repository_arn(&self, grant: &Grant, repository: &str) -> String {
        format!("arn:aws:codeartifact:{}:{}:repository/{}/{repository}", self.region, grant.account, grant.domain)
    }

    fn package_arn(&self, grant: &Grant, repository: &str, project: &str) -> String {
        package_arn(&self.region, &grant.account, &grant.domain, repository, "", project)
    }

    async fn call(&self, grant: &Grant, method: http::Method, path: &str, query: &[(&str, &str)], headers: HeaderMap, body: Bytes) -> Answer {
        let request = AwsRequest {
            service: "codeartifact".into(),
            action: String::new(),
            region: self.region.clone(),
            account_id: grant.account.clone(),
            request_id: uuid::Uuid::new_v4().to_string(),
            headers,
            query_params: query.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect::<HashMap<_, _>>(),
            body,
            body_stream: Default::default(),
            path_segments: path.trim_matches('/').split('/').map(String::from).collect(),
            raw_path: path.into(),
            raw_query: query.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join("&"),
            method,
            is_query_protocol: false,
            access_key_id: None,
            principal: grant.principal.clone(),
        };
        match self.service.handle(request).await {
            Ok(response) => Ok((response.status, response.body.expect_bytes().to_vec()).into_response()),
            Err(error) => Err(refuse(error.status(), &error.message())),
        }
    }
}

/// `GET /pypi/REPOSITORY/`: where `aws codeartifact login` points pip and twine at.
pub async fn root() -> Response {
    Html("<!DOCTYPE html><a href=\"simple/\">simple</a>").into_response()
}

/// `GET /pypi/REPOSITORY/simple/PROJECT/`: the project's files (PEP 503).
pub async fn project(State(index): State<Arc<Index>>, Path((repository, project)): Path<(String, String)>, headers: HeaderMap) -> Answer {
    let grant = index.grant(&headers)?;
    index.allow(&grant, "ReadFromRepository", index.repository_arn(&grant, &repository))?;
    let prefix = format!("{}\u{1}{repository}\u{1}pypi\u{1}\u{1}{}\u{1}", grant.domain, normalize(&project));
    let mut links = String::new();
    if let Some(state) = index.state.read().get(&grant.account) {
        for (key, asset) in state.assets.range(prefix.clone()..).take_while(|(key, _)| key.starts_with(&prefix)) {
            if let Some((version, file)) = key[prefix.len()..].split_once('\u{1}') {
                let sha256 = asset["hashes"]["SHA-256"].as_str().unwrap_or_default();
                links += &format!("<a href=\"{version}/{file}#sha256={sha256}\">{file}</a>\n");
            }
        }
    }
    if links.is_empty() {
        return Err(refuse(StatusCode::NOT_FOUND, "no such project"));
    }
    Ok(Html(format!("<!DOCTYPE html>\n{links}")).into_response())
}

/// `GET /pypi/REPOSITORY/simple/PROJECT/VERSION/FILE`: one file.
pub async fn file(State(index): State<Arc<Index>>, Path((repository, project, version, file)): Path<(String, String, String, String)>, headers: HeaderMap) -> Answer {
    let grant = index.grant(&headers)?;
    let project = normalize(&project);
    index.allow(&grant, "GetPackageVersionAsset", index.package_arn(&grant, &repository, &project))?;
    let query = [("domain", grant.domain.as_str()), ("repository", &repository), ("format", "pypi"), ("package", &project), ("version", &version), ("asset", &file)];
    index.call(&grant, http::Method::GET, "/v1/package/version/asset", &query, HeaderMap::new(), Bytes::new()).await
}

/// `POST /pypi/REPOSITORY/`: one file of a new version (the legacy upload API that twine and uv speak).
pub async fn upload(State(index): State<Arc<Index>>, Path(repository): Path<String>, headers: HeaderMap, mut form: Multipart) -> Answer {
    let grant = index.grant(&headers)?;
    let (mut fields, mut name, mut content) = (HashMap::new(), String::new(), Bytes::new());
    while let Some(field) = form.next_field().await.map_err(|e| refuse(StatusCode::BAD_REQUEST, &e.to_string()))? {
        let key = field.name().unwrap_or_default().to_string();
        let file_name = field.file_name().map(String::from);
        let value = field.bytes().await.map_err(|e| refuse(StatusCode::BAD_REQUEST, &e.to_string()))?;
        match file_name {
            Some(file_name) if key == "content" => (name, content) = (file_name, value),
            _ => drop(fields.insert(key, String::from_utf8_lossy(&value).to_string())),
        }
    }
    let project = normalize(fields.get("name").map_or("", String::as_str));
    let version = fields.get("version").cloned().unwrap_or_default();
    if project.is_empty() || version.is_empty() || name.is_empty() {
        return Err(refuse(StatusCode::BAD_REQUEST, "name, version and content are needed"));
    }
    index.allow(&grant, "PublishPackageVersion", index.package_arn(&grant, &repository, &project))?;
    let query = [("domain", grant.domain.as_str()), ("repository", &repository), ("format", "pypi"), ("package", &project), ("version", &version), ("asset", &name), ("unfinished", "true")];
    let sha256: String = sha2::Sha256::digest(&content).iter().map(|b| format!("{b:02x}")).collect();
    // As AWS documents it: the same file is accepted again, another content under its name is not.
    let key = format!("{}\u{1}{repository}\u{1}pypi\u{1}\u{1}{project}\u{1}{version}\u{1}{name}", grant.domain);
    if let Some(there) = index.state.read().get(&grant.account).and_then(|state| state.assets.get(&key)) {
        let same = there["hashes"]["SHA-256"] == sha256;
        return if same { Ok(StatusCode::OK.into_response()) } else { Err(refuse(StatusCode::CONFLICT, "this file is there, with another content")) };
    }
    let headers = HeaderMap::from_iter([("x-amz-content-sha256".parse::<http::HeaderName>().unwrap(), sha256.parse().unwrap())]);
    index.call(&grant, http::Method::POST, "/v1/package/version/publish", &query, headers, content).await
}
