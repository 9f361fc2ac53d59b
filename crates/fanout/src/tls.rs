//! TLS to buyers: whom we trust and who we say we are. It must never show a key, or fall back to a
//! connection that is not encrypted.
//!
//! The public roots are compiled in, so that what is trusted does not depend on the machine, of which a
//! small container has no store at all; a CA of the operator's is added from a file. One configuration a
//! client certificate: a session is resumed only under the identity under which it began.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use lead::Clock;
use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{AlertDescription, ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

/// Sessions kept for resuming, of all buyers together.
const SESSIONS_MAX: usize = 1_024;

/// Who is trusted beside the public roots, and who we are.
#[derive(Default)]
pub struct TlsFiles {
    /// Certificates of further authorities, as PEM.
    pub authorities: Option<Vec<u8>>,
    /// Our client certificates, by the names that buyers refer to.
    pub certificates: BTreeMap<String, ClientCertificate>,
}

/// A client certificate, as PEM.
pub struct ClientCertificate {
    /// The certificate, then those between it and its authority.
    pub chain: Vec<u8>,
    /// Its private key.
    pub key: Vec<u8>,
}

impl fmt::Debug for TlsFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsFiles").field("certificates", &self.certificates.keys()).finish()
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientCertificate")
    }
}

/// Why TLS cannot be set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsFault {
    /// The authorities' file holds no certificate, or a bad one.
    Authorities,
    /// That client certificate or its key cannot be read, or they do not belong together.
    Certificate(String),
    /// The cryptography refuses its own defaults.
    Provider,
}

impl fmt::Display for TlsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Authorities => f.write_str("the CA file must hold PEM certificates"),
            Self::Certificate(name) => write!(
                f,
                "the client certificate {name} must be a PEM chain and the PEM key that belongs to it"
            ),
            Self::Provider => f.write_str("TLS cannot be set up"),
        }
    }
}

impl std::error::Error for TlsFault {}

/// Ready to shake hands.
pub struct Tls {
    plain: TlsConnector,
    certified: BTreeMap<String, TlsConnector>,
}

impl Tls {
    /// Reads what the files hold.
    ///
    /// # Errors
    /// One of them cannot be used.
    pub fn new(files: &TlsFiles, clock: &Arc<dyn Clock>) -> Result<Self, TlsFault> {
        let roots = Arc::new(roots(files.authorities.as_deref())?);
        let plain = config(&roots, None, clock).map_err(|()| TlsFault::Provider)?;
        let mut certified = BTreeMap::new();
        for (name, certificate) in &files.certificates {
            let config = config(&roots, Some(certificate), clock)
                .map_err(|()| TlsFault::Certificate(name.clone()))?;
            certified.insert(name.clone(), config);
        }
        Ok(Self { plain, certified })
    }

    /// What connects under that client certificate; `None` if there is no such certificate.
    pub(crate) fn connector(&self, certificate: Option<&str>) -> Option<&TlsConnector> {
        match certificate {
            None => Some(&self.plain),
            Some(name) => self.certified.get(name),
        }
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("certified", &self.certified.keys()).finish_non_exhaustive()
    }
}

fn roots(authorities: Option<&[u8]>) -> Result<RootCertStore, TlsFault> {
    let mut roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    if let Some(pem) = authorities {
        for certificate in certificates(pem).map_err(|()| TlsFault::Authorities)? {
            roots.add(certificate).map_err(|_| TlsFault::Authorities)?;
        }
    }
    Ok(roots)
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, ()> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    read.ok().filter(|read| !read.is_empty()).ok_or(())
}

fn config(
    roots: &Arc<RootCertStore>,
    certificate: Option<&ClientCertificate>,
    clock: &Arc<dyn Clock>,
) -> Result<TlsConnector, ()> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let time = Arc::new(ClockTime(Arc::clone(clock)));
    let builder = ClientConfig::builder_with_details(provider, time)
        .with_safe_default_protocol_versions()
        .map_err(|_| ())?
        .with_root_certificates(Arc::clone(roots));
    let mut config = match certificate {
        None => builder.with_no_client_auth(),
        Some(certificate) => {
            let chain = certificates(&certificate.chain)?;
            let key = PrivateKeyDer::from_pem_slice(&certificate.key).map_err(|_| ())?;
            builder.with_client_auth_cert(chain, key).map_err(|_| ())?
        }
    };
    config.resumption = Resumption::in_memory_sessions(SESSIONS_MAX);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Certificates are valid or not by the engine's clock.
struct ClockTime(Arc<dyn Clock>);

impl TimeProvider for ClockTime {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.timestamp().as_second()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

impl fmt::Debug for ClockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClockTime")
    }
}

/// Whether a call failed because the buyer refused our certificate, or that we have none. Since TLS 1.3
/// it says so only after our side of the handshake is done, when a request may be on its way; but it
/// ended the handshake, so nothing of what was sent was ever handed to whoever reads requests.
pub(crate) fn refused_certificate(fault: &hyper::Error) -> bool {
    let mut source = std::error::Error::source(fault);
    while let Some(error) = source {
        let io = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if let Some(rustls::Error::AlertReceived(alert)) = io.and_then(|it| it.downcast_ref()) {
            return matches!(
                alert,
                AlertDescription::CertificateRequired
                    | AlertDescription::NoCertificate
                    | AlertDescription::BadCertificate
                    | AlertDescription::UnsupportedCertificate
                    | AlertDescription::CertificateRevoked
                    | AlertDescription::CertificateExpired
                    | AlertDescription::CertificateUnknown
                    | AlertDescription::UnknownCA
                    | AlertDescription::AccessDenied
                    | AlertDescription::DecryptError
            );
        }
        source = error.source();
    }
    false
}
