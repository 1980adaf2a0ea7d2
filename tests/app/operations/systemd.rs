//! The units of systemd that Postly ships, and what it tells systemd.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::PathBuf;
use std::process::Command;

use crate::support::binary::{Site, Starting, eventually, run};

/// A unit in a folder of its own, for the binary under test.
fn unit(site: &Site, shipped: &str, name: &str) -> PathBuf {
    let text = format!("{}/deploy/{shipped}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(text).unwrap();
    assert!(text.contains("ExecStart=/usr/local/bin/postly serve\n"), "{text}");
    let here = text.replace("/usr/local/bin/postly", env!("CARGO_BIN_EXE_postly"));
    std::fs::write(site.path(name), here).unwrap();
    site.path(name)
}

#[test]
fn the_shipped_units_are_valid_and_hardened() {
    let site = Site::unconfigured();
    for (shipped, name) in
        [("postly.service", "postly.service"), ("postly@.service", "postly@8000.service")]
    {
        let unit = unit(&site, shipped, name);
        let analyze = |arguments: &[&str]| {
            let mut command = Command::new("systemd-analyze");
            run(command.args(arguments).arg(&unit), "")
        };
        let verified = analyze(&["verify"]);
        assert!(verified.status.success() && verified.text.is_empty(), "{}", verified.text);
        // 25 of 1000: everything that a web server can do without is forbidden.
        let hardened = analyze(&["security", "--offline=true", "--threshold=25"]);
        assert!(hardened.status.success(), "{}", hardened.text);
    }
}

#[test]
fn systemd_is_told_when_the_server_is_ready() {
    let site = Site::unconfigured();
    let path = site.path("notify");
    let name = format!("postly-test-{}", std::process::id());
    let hidden = SocketAddr::from_abstract_name(&name).unwrap();
    for (socket, variable) in [
        (UnixDatagram::bind(&path).unwrap(), path.display().to_string()),
        (UnixDatagram::bind_addr(&hidden).unwrap(), format!("@{name}")),
    ] {
        socket.set_nonblocking(true).unwrap();
        let mut message = [0; 100];
        let read = |message: &mut [u8]| socket.recv(message).ok();
        assert_eq!(read(&mut message), None);
        let server = Starting::of(site.postly().env("NOTIFY_SOCKET", variable)).ready();
        eventually("it says that it is ready", || {
            read(&mut message).is_some_and(|length| message[..length] == *b"READY=1")
        });
        drop(server);
    }
}
