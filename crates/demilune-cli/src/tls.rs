//! The server's certificate and key, from PEM files.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio_rustls::rustls::{
    self, ServerConfig,
    crypto::ring,
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{self, PemObject},
    },
};

use crate::config::TlsFiles;

/// What clients of the control API may speak.
pub(crate) const CONTROL_PROTOCOLS: &[&str] = &["h2", "http/1.1"];
/// What clients of the gateway may speak.
pub(crate) const GATEWAY_PROTOCOLS: &[&str] = &["http/1.1"];

/// Why the files cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    /// No certificate could be read.
    #[error("the certificate file {0} cannot be used; it must hold the chain in PEM form, the server's own first")]
    Certificate(PathBuf, #[source] pem::Error),
    /// No key could be read.
    #[error("the key file {0} cannot be used; it must hold a private key in PEM form, without a passphrase")]
    Key(PathBuf, #[source] pem::Error),
    /// No authority could be read.
    #[error("the file {0} cannot be used; it must hold certificate authorities in PEM form")]
    Authorities(PathBuf, #[source] pem::Error),
    /// They do not go together.
    #[error("the certificate {cert} and the key {key} cannot be used together")]
    Pair {
        cert: PathBuf,
        key: PathBuf,
        #[source]
        cause: rustls::Error,
    },
    /// The program is ending.
    #[error("interrupted")]
    Interrupted,
    /// The program's own settings do not hold together.
    #[error("TLS cannot be set up")]
    Setup(#[source] rustls::Error),
}

/// Reads the files; blocks.
pub(crate) fn load(files: &TlsFiles, protocols: &[&str]) -> Result<Arc<ServerConfig>, TlsError> {
    let unusable = |error| TlsError::Certificate(files.cert.clone(), error);
    let mut chain = Vec::new();
    for certificate in CertificateDer::pem_file_iter(&files.cert).map_err(unusable)? {
        chain.push(certificate.map_err(unusable)?);
    }
    if chain.is_empty() {
        return Err(unusable(pem::Error::NoItemsFound));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| TlsError::Key(files.key.clone(), error))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Setup)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|cause| TlsError::Pair { cert: files.cert.clone(), key: files.key.clone(), cause })?;
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    Ok(Arc::new(config))
}

/// Reads certificate authorities; blocks.
pub(crate) fn load_authorities(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unusable = |error| TlsError::Authorities(file.to_owned(), error);
    let read: Result<Vec<_>, _> = CertificateDer::pem_file_iter(file).map_err(unusable)?.collect();
    let authorities = read.map_err(unusable)?;
    if authorities.is_empty() { Err(unusable(pem::Error::NoItemsFound)) } else { Ok(authorities) }
}
