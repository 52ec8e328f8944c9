//! STS, with the signature of web identity tokens verified: the crate leaves that out. An issuer's keys are on the internet,
//! so here they come from the file that `AWS_EMULATOR_JWKS` names, a JSON Web Key Set (RFC 7517). And a session named `ended`
//! has ended when it begins.

use std::time::Duration;

use async_trait::async_trait;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use base64::Engine;
use fakecloud_core::auth::IamAction;
use fakecloud_core::service::{AwsRequest, AwsResponse, AwsService, AwsServiceError};
use fakecloud_iam::sts_service::StsService;
use fakecloud_iam::SharedIamState;
use http::StatusCode;
use ring::signature::{RsaPublicKeyComponents, RSA_PKCS1_2048_8192_SHA256};
use serde_json::Value;

pub const ACTION: &str = "AssumeRoleWithWebIdentity";

pub struct VerifiedSts {
    pub inner: StsService,
    pub iam: SharedIamState,
}

impl VerifiedSts {
    /// Refuse a token that none of the keys has signed, or whose issuer the role's account does not know.
    fn check(&self, request: &AwsRequest) -> Result<(), AwsServiceError> {
        let parameter = |name: &str| request.query_params.get(name).cloned().unwrap_or_default();
        let token = parameter("WebIdentityToken");
        let invalid = |why: &str| AwsServiceError::aws_error(StatusCode::BAD_REQUEST, "InvalidIdentityToken", why);
        let Some((signed, signature)) = token.rsplit_once('.') else {
            return Err(invalid("The ID Token provided is not a valid JWT"));
        };
        let decode = |part: &str| BASE64URL.decode(part).unwrap_or_default();
        let claims: Value = serde_json::from_slice(&decode(signed.split('.').nth(1).unwrap_or_default())).unwrap_or_default();
        let issuer = claims["iss"].as_str().unwrap_or_default();
        let account = parameter("RoleArn").split(':').nth(4).unwrap_or_default().to_string();
        let host = issuer.trim_start_matches("https://");
        let known = self.iam.read().get(&account).is_some_and(|state| {
            state.oidc_providers.values().any(|provider| provider.url.trim_start_matches("https://") == host)
        });
        if !known {
            return Err(invalid(&format!("No OpenIDConnect provider found in your account for {issuer}")));
        }
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
        Ok(())
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
        self.check(&request)?;
        self.inner.handle(request).await.map_err(|error| match error.code() {
            "AccessDenied" => AwsServiceError::aws_error(StatusCode::FORBIDDEN, "AccessDenied", format!("Not authorized to perform sts:{ACTION}")),
            _ => error,
        })
    }
}
