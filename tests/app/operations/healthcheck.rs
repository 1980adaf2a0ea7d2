//! `postly healthcheck`, and secrets in files: what a container needs of the binary.

use std::io::{Read, Write};
use std::net::TcpListener;

use crate::support::binary::{Output, Server, Site, Starting, eventually, run};
use crate::support::{ORIGIN, SECRET};

/// Asks the server, in an empty folder and with the configuration of a container.
fn check(port: &str, arguments: &[&str]) -> Output {
    let elsewhere = Site::unconfigured();
    let mut command = elsewhere.postly();
    command
        .env("ROCKET_ADDRESS", "0.0.0.0")
        .env("ROCKET_PORT", port)
        // Neither the database nor these files are there any more.
        .env("DATABASE_URL", "sqlite:/nowhere/postly.db")
        .env("POSTLY_SETUP_USERNAME", "root")
        .env("POSTLY_SETUP_PASSWORD_FILE", "/nowhere/password");
    let output = run(command.arg("healthcheck").args(arguments), "");
    let left: Vec<_> = elsewhere.folder.path().read_dir().unwrap().collect();
    assert!(left.is_empty(), "it created {left:?}");
    output
}

fn port(server: &Server) -> String {
    server.url.rsplit(':').next().unwrap().to_owned()
}

#[test]
fn the_health_check_tells_a_server_that_answers_from_one_that_does_not() {
    let site = Site::new();
    let mut server = Starting::of(site.postly().env("POSTLY_DRAIN_SECONDS", "86400")).ready();
    let port = port(&server);
    let well = check(&port, &[]);
    assert!(well.status.success() && well.stdout == "ok\n", "{}", well.text);
    let ready = check(&port, &["--ready"]);
    assert!(ready.status.success() && ready.stdout == "ready\n", "{}", ready.text);

    // Nobody has to replace it while it shuts down.
    server.signal("TERM");
    eventually("it is not ready", || check(&port, &["--ready"]).status.code() == Some(1));
    let unready = check(&port, &["--ready"]);
    assert!(unready.text.contains("/readyz answered 503, shutting down"), "{}", unready.text);
    assert!(check(&port, &[]).status.success());

    server.signal("TERM");
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
    let gone = check(&port, &[]);
    assert_eq!((gone.status.code(), gone.text.lines().count()), (Some(1), 1), "{}", gone.text);
    assert!(gone.text.contains(&format!("127.0.0.1:{port} is not well")), "{}", gone.text);
}

#[test]
fn the_health_check_is_not_fooled_by_another_program() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let other = std::thread::spawn(move || {
        for answer in ["+OK 200 mails\r\n\r\n", "", "HTTP/1.1 404 Not Found\r\n\r\nwho?"] {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    for said in ["something else than a web server", "something else", "answered 404, who?"] {
        let output = check(&port, &[]);
        assert_eq!(output.status.code(), Some(1), "{}", output.text);
        assert!(output.text.contains(said), "{}", output.text);
    }
    other.join().unwrap();
    assert!(check("0", &[]).text.contains("ROCKET_PORT is 0"));
}

#[test]
fn secrets_come_from_files() {
    let site = Site::unconfigured();
    let file = |name: &str, text: &str| {
        std::fs::write(site.path(name), text).unwrap();
        site.path(name)
    };
    let secret = file("secret", &format!("{SECRET}\n"));
    let (password, empty) = (file("password", "p@ss w/ord\n"), file("empty", "\n"));
    let postly = || {
        let mut command = site.postly();
        command.env("POSTLY_PUBLIC_URL", ORIGIN).env("POSTLY_SECRET_KEY_FILE", &secret);
        command
    };
    // A token that one instance signs with the key itself holds at another, with the file.
    let ann = {
        let mut command = site.postly();
        command.env("POSTLY_SECRET_KEY", SECRET).env("POSTLY_PUBLIC_URL", ORIGIN);
        Starting::of(&mut command).ready().newcomer("ann")
    };
    let server = Starting::of(&mut postly()).ready();
    assert_eq!(ann.at(&server).ask("GET", "/me", None).status, 200);
    assert!(!site.path("data/secret.key").exists());

    let refused = |name: &str, value: &str, more: &[(&str, &str)]| {
        let mut command = postly();
        command.env(name, value).envs(more.iter().copied());
        let output = run(&mut command, "");
        assert_eq!(output.status.code(), Some(1), "{}", output.text);
        assert!(!output.text.contains("p@ss") && !output.text.contains(SECRET), "{}", output.text);
        output.text
    };
    let of_database = "POSTLY_DATABASE_PASSWORD_FILE";
    let (password, empty) = (password.to_str().unwrap(), empty.to_str().unwrap());
    let both = refused("POSTLY_SECRET_KEY", SECRET, &[]);
    assert!(both.contains("either POSTLY_SECRET_KEY or POSTLY_SECRET_KEY_FILE"), "{both}");
    let missing = refused("POSTLY_SECRET_KEY_FILE", "/nowhere/key", &[]);
    assert!(missing.contains("POSTLY_SECRET_KEY_FILE: /nowhere/key: "), "{missing}");
    let text = refused(of_database, password, &[]);
    assert!(text.contains("DATABASE_URL is not a URL with a user"), "{text}");
    let text = refused(of_database, empty, &[("DATABASE_URL", "postgres://ann@127.0.0.1:1/x")]);
    assert!(text.contains("is empty"), "{text}");
    let text = refused(of_database, password, &[("DATABASE_URL", "postgres://a:b@127.0.0.1:1/x")]);
    assert!(text.contains("already has a password"), "{text}");
    let text = refused("POSTLY_MAIL_PASSWORD_FILE", password, &[]);
    assert!(text.contains("POSTLY_MAIL_URL is not a URL with a user"), "{text}");
    let unprotected =
        [("POSTLY_MAIL_URL", "smtp://ann@mail.example"), ("POSTLY_MAIL_FROM", "a@b.c")];
    let text = refused("POSTLY_MAIL_PASSWORD_FILE", password, &unprotected);
    assert!(text.contains("would send the password without encryption"), "{text}");
}
