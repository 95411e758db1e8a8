//! The verdict of `X509_verify_cert`, as OpenSSL's TLS asks for it.

use std::time::SystemTime;

use openssl::error::ErrorStack;
use openssl::stack::Stack;
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::{X509VerifyFlags, X509VerifyParam};
use openssl::x509::{X509, X509Crl, X509PurposeId, X509StoreContext, X509VerifyResult};

use super::ffi;
use crate::judge::{PeerName, Purpose, Question, Refusal};

/// The security level of OpenSSL's TLS unless it is told otherwise (SSL_CTX_set_security_level(3)):
/// keys and signatures of 112 bits at least, so neither RSA-1024 nor SHA-1.
const SECURITY_LEVEL: i32 = 2;

pub(crate) fn judge(question: &Question<'_>) -> Result<(), Refusal> {
    let result = verify(question).map_err(|error| Refusal {
        code: "ErrorStack".to_owned(),
        text: error.to_string(),
    })?;
    match result {
        X509VerifyResult::OK => Ok(()),
        refused => Err(Refusal {
            code: refused.as_raw().to_string(),
            text: refused.error_string().to_owned(),
        }),
    }
}

fn verify(question: &Question<'_>) -> Result<X509VerifyResult, ErrorStack> {
    let mut store = X509StoreBuilder::new()?;
    for root in question.roots {
        store.add_cert(X509::from_der(root)?)?;
    }
    for list in question.crls {
        ffi::add_crl(&mut store, X509Crl::from_der(list)?.as_ref())?;
    }
    let mut parameters = X509VerifyParam::new()?;
    let since = question.at.duration_since(SystemTime::UNIX_EPOCH);
    let seconds = i64::try_from(since.unwrap_or_default().as_secs()).unwrap_or(i64::MAX);
    parameters.set_time(seconds);
    parameters.set_auth_level(SECURITY_LEVEL);
    let purpose = match question.purpose {
        Purpose::Server(PeerName::Dns(name)) => {
            parameters.set_host(name)?;
            X509PurposeId::SSL_SERVER
        }
        Purpose::Server(PeerName::Ip(address)) => {
            parameters.set_ip(*address)?;
            X509PurposeId::SSL_SERVER
        }
        Purpose::Client => X509PurposeId::SSL_CLIENT,
    };
    // An intermediate may be an anchor, as it may for rustls.
    let mut flags = X509VerifyFlags::PARTIAL_CHAIN;
    if !question.crls.is_empty() {
        flags |= X509VerifyFlags::CRL_CHECK;
    }
    parameters.set_flags(flags)?;
    store.set_purpose(purpose)?;
    store.set_param(&parameters)?;
    let store = store.build();
    let mut chain = Stack::new()?;
    let mut presented = question.chain.iter();
    let Some(end_entity) = presented.next() else {
        return Ok(X509VerifyResult::APPLICATION_VERIFICATION);
    };
    for certificate in presented {
        chain.push(X509::from_der(certificate)?)?;
    }
    let end_entity = X509::from_der(end_entity)?;
    let mut context = X509StoreContext::new()?;
    context.init(&store, &end_entity, &chain, |context| {
        context.verify_cert()?;
        Ok(context.error())
    })
}
