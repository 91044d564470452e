use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

/// The reason why no certificate can be trusted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The file cannot be read, or has something else in it.
    #[error("{} is not a file with certificates (PEM)", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The error of the parser.
        source: pem::Error,
    },
    /// The file has no certificate.
    #[error("{} has no certificate (PEM)", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// Anything else.
    #[error("cannot use TLS")]
    Other(#[from] rustls::Error),
}

/// Trusts the certificates in a file, or else those that the operating system trusts.
pub(in crate::store) fn client_config(roots: Option<&Path>) -> Result<Arc<ClientConfig>, TlsError> {
    let mut trusted = RootCertStore::empty();
    if let Some(path) = roots {
        let file = |source| TlsError::File { path: path.to_owned(), source };
        for certificate in CertificateDer::pem_file_iter(path).map_err(file)? {
            trusted.add(certificate.map_err(file)?)?;
        }
        if trusted.is_empty() {
            return Err(TlsError::Empty { path: path.to_owned() });
        }
    } else {
        // Without any, as in a small container, only engines that want TLS cannot be reached.
        let found = rustls_native_certs::load_native_certs().certs;
        trusted.add_parsable_certificates(found);
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(trusted)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
