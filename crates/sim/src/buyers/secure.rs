//! https for buyers: an authority that lives as long as they do, and certificates that are sound or bad
//! in one way. Must never be trusted by anyone who was not handed its certificate on purpose.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

use super::Kind;

/// Certificates end in this year, or in that.
const GOOD_UNTIL: i32 = 2120;
const EXPIRED: i32 = 2021;

/// Who signs the buyers' certificates.
pub(super) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    pub(super) fn new() -> io::Result<Self> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "simulated buyers");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(GOOD_UNTIL, 1, 1);
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let issuer = CertifiedIssuer::self_signed(params, key).map_err(io::Error::other)?;
        Ok(Self { issuer })
    }

    /// Its own certificate, for those who are to trust it.
    pub(super) fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// What shakes hands at `ip`, in order or with this fault.
    pub(super) fn acceptor(&self, ip: IpAddr, fault: Option<Kind>) -> io::Result<TlsAcceptor> {
        let stranger;
        let signer = match fault {
            Some(Kind::TlsUnknownCa) => {
                stranger = Self::new()?;
                &stranger
            }
            _ => self,
        };
        let names = match fault {
            Some(Kind::TlsWrongHost) => vec!["other.example".to_owned()],
            _ => vec![ip.to_string(), "127.0.0.1".to_owned(), "localhost".to_owned()],
        };
        let year = if fault == Some(Kind::TlsExpired) { EXPIRED } else { GOOD_UNTIL };
        signer.certify(names, year)
    }

    fn certify(&self, names: Vec<String>, year: i32) -> io::Result<TlsAcceptor> {
        let mut params = CertificateParams::new(names).map_err(io::Error::other)?;
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(year, 1, 1);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(io::Error::other)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .map_err(io::Error::other)?;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authority")
    }
}
