//! An authority of our own, and certificates for servers in tests.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// An authority in a folder of its own.
pub struct Authority {
    folder: TempDir,
}

/// The files of a certificate and its key.
pub struct Certificate {
    pub cert: PathBuf,
    pub key: PathBuf,
}

/// When a certificate is valid.
pub enum Validity {
    Now,
    Past,
}

const CONFIGURATION: &str = "[ca]\ndefault_ca = own\n[own]\ndatabase = index\nserial = serial\n\
     new_certs_dir = .\ncertificate = ca.pem\nprivate_key = ca.key\ndefault_md = sha256\n\
     policy = any\ncopy_extensions = copy\nunique_subject = no\n[any]\ncommonName = supplied\n";

impl Authority {
    pub fn new() -> Authority {
        let authority = Authority { folder: tempfile::tempdir().unwrap() };
        authority.write("openssl.cnf", CONFIGURATION);
        authority.write("index", "");
        authority.write("serial", "01\n");
        let ca = "basicConstraints=critical,CA:TRUE";
        let out = ["-x509", "-days", "2", "-addext", ca, "-out", "ca.pem", "-keyout", "ca.key"];
        // A name of its own: authorities of the same name would be told apart by signature only.
        let name = authority.folder.path().file_name().unwrap().to_string_lossy().into_owned();
        authority.request(&name, &out);
        authority
    }

    /// The file of the authority's own certificate.
    pub fn file(&self) -> PathBuf {
        self.path("ca.pem")
    }

    /// A certificate for a name such as `IP:127.0.0.1` or `DNS:mail.example`.
    pub fn certificate(&self, name: &str, validity: Validity) -> Certificate {
        let alternative = format!("subjectAltName={name}");
        self.request("server", &["-addext", &alternative, "-out", "csr", "-keyout", "server.key"]);
        let (start, end) = match validity {
            Validity::Now => ("20200101000000Z", "21000101000000Z"),
            Validity::Past => ("20200101000000Z", "20200102000000Z"),
        };
        let sign = ["ca", "-batch", "-notext", "-config", "openssl.cnf", "-in", "csr"];
        let dates = ["-out", "server.pem", "-startdate", start, "-enddate", end];
        self.openssl(&[&sign[..], &dates].concat());
        Certificate { cert: self.path("server.pem"), key: self.path("server.key") }
    }

    fn request(&self, name: &str, more: &[&str]) {
        let subject = format!("/CN={name}");
        let curve = "ec_paramgen_curve:prime256v1";
        let key = ["req", "-newkey", "ec", "-pkeyopt", curve, "-nodes", "-subj", &subject];
        self.openssl(&[&key[..], more].concat());
    }

    fn openssl(&self, arguments: &[&str]) {
        let output = Command::new("openssl")
            .args(arguments)
            .current_dir(self.folder.path())
            .output()
            .expect("openssl is missing: apt-get install openssl");
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "openssl {arguments:?}: {text}");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write::<&Path, _>(self.path(name).as_ref(), text).unwrap();
    }
}
