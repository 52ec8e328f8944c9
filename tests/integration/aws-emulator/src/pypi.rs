//! The package side of a repository: the simple index, the files, and uploads, each authorized by the same policies as the
//! API. For a file it asks for `GetPackageVersionAsset`, where CodeArtifact is content with `ReadFromRepository`.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use axum::extract::{Multipart, Path, State};
use axum::http::{header, HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use base64::Engine;
use bytes::Bytes;
use chrono::{DateTime, SecondsFormat};
use fakecloud_codeartifact::SharedCodeArtifactState;
use fakecloud_core::auth::{IamAction, IamPolicyEvaluator};
use fakecloud_core::service::AwsService;
use serde_json::{json, Value};
use sha2::Digest;

use crate::authorize::{codeartifact_call, package_arn, AuthorizedCodeArtifact, Grant, Tokens};
use crate::disturb::SharedSettings;
use crate::evaluate::authorize;

pub struct Index {
    pub service: Arc<AuthorizedCodeArtifact>,
    pub state: SharedCodeArtifactState,
    pub evaluator: Arc<dyn IamPolicyEvaluator>,
    pub settings: SharedSettings,
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
        let action = IamAction { service: "codeartifact", action, resource };
        authorize(&*self.evaluator, grant.principal.as_ref(), action).map_err(|refusal| refuse(StatusCode::FORBIDDEN, &refusal))
    }

    fn repository_arn(&self, grant: &Grant, repository: &str) -> String {
        format!("arn:aws:codeartifact:{}:{}:repository/{}/{repository}", self.region, grant.account, grant.domain)
    }

    fn package_arn(&self, grant: &Grant, repository: &str, project: &str) -> String {
        package_arn(&self.region, &grant.account, &grant.domain, repository, "", project)
    }

    async fn call(&self, grant: &Grant, method: http::Method, path: &str, query: &[(&str, &str)], headers: HeaderMap, body: Bytes) -> Answer {
        let request = codeartifact_call(&self.region, &grant.account, grant.principal.clone(), method, path, query, headers, body);
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

const JSON: &str = "application/vnd.pypi.simple.v1+json";
const HTML: &str = "application/vnd.pypi.simple.v1+html";
const PLAIN_HTML: &str = "text/html";

/// The content type that a client likes best of those that there are (PEP 691); what it likes as much, as HTML.
fn content_type(headers: &HeaderMap) -> Option<&'static str> {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("*/*");
    let ranges = accept.split(',').map(|range| {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_lowercase();
        let weight = parts.find_map(|part| part.strip_prefix("q=")?.parse::<f32>().ok()).unwrap_or(1.0);
        (name.replace("simple.latest+", "simple.v1+"), weight)
    });
    let ranges: Vec<_> = ranges.collect();
    let weight = |content_type: &str| {
        let kind = content_type.split('/').next().unwrap_or_default();
        let matching = [content_type.to_string(), format!("{kind}/*"), "*/*".into()];
        matching.iter().find_map(|name| ranges.iter().find(|(range, _)| range == name)).map_or(0.0, |(_, weight)| *weight)
    };
    [JSON, HTML, PLAIN_HTML].into_iter().filter(|name| weight(name) > 0.0).max_by(|a, b| weight(a).total_cmp(&weight(b)))
}

/// `GET /pypi/REPOSITORY/simple/PROJECT/`: the project's files, as HTML (PEP 503) or JSON (PEP 691, PEP 700).
pub async fn project(State(index): State<Arc<Index>>, Path((repository, project)): Path<(String, String)>, headers: HeaderMap) -> Answer {
    let grant = index.grant(&headers)?;
    index.allow(&grant, "ReadFromRepository", index.repository_arn(&grant, &repository))?;
    let content_type = content_type(&headers).ok_or_else(|| refuse(StatusCode::NOT_ACCEPTABLE, "no such content type"))?;
    let (name, upload_times) = (normalize(&project), index.settings.lock().upload_times);
    let prefix = format!("{}\u{1}{repository}\u{1}pypi\u{1}\u{1}{name}\u{1}", grant.domain);
    let (mut files, mut versions) = (Vec::new(), BTreeSet::new());
    if let Some(state) = index.state.read().get(&grant.account) {
        for (key, asset) in state.assets.range(prefix.clone()..).take_while(|(key, _)| key.starts_with(&prefix)) {
            let Some((version, file)) = key[prefix.len()..].split_once('\u{1}') else { continue };
            let published = &state.package_versions[&format!("{prefix}{version}")]["publishedTime"];
            let mut entry = json!({
                "filename": file,
                "url": format!("{version}/{file}"),
                "hashes": { "sha256": asset["hashes"]["SHA-256"] },
                "size": asset["size"],
            });
            if let Some(time) = published.as_f64().filter(|_| upload_times).and_then(|time| DateTime::from_timestamp_micros((time * 1e6) as i64)) {
                entry["upload-time"] = time.to_rfc3339_opts(SecondsFormat::Micros, true).into();
            }
            files.push(entry);
            versions.insert(version.to_string());
        }
    }
    if files.is_empty() {
        return Err(refuse(StatusCode::NOT_FOUND, "no such project"));
    }
    let body = if content_type == JSON {
        json!({ "meta": { "api-version": "1.1" }, "name": name, "versions": versions, "files": files }).to_string()
    } else {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
        let link = |file: &Value| format!("<a href=\"{}#sha256={}\">{}</a>\n", text(&file["url"]), text(&file["hashes"]["sha256"]), text(&file["filename"]));
        format!("<!DOCTYPE html>\n{}", files.iter().map(link).collect::<String>())
    };
    Ok(([(header::CONTENT_TYPE, content_type), (header::VARY, "Accept")], body).into_response())
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
