//! A PostgreSQL cluster that lives as long as this value.

use std::cell::Cell;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

pub struct Cluster {
    folder: TempDir,
    programs: PathBuf,
    port: u16,
    databases: Cell<u32>,
}

impl Cluster {
    pub fn start() -> Cluster {
        let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
            .expect("PostgreSQL is missing: apt-get install postgresql")
            .map(|entry| entry.unwrap().path().join("bin"))
            .collect();
        versions.sort();
        let programs = versions.pop().expect("PostgreSQL is missing: apt-get install postgresql");
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let everybody = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(folder.path(), everybody).unwrap();
        let cluster = Cluster { folder, programs, port, databases: Cell::new(0) };
        cluster.run("initdb", &["-D", "data", "-U", "postgres", "-A", "trust", "-E", "UTF8"]);
        let options = format!("-p {port} -k . -c listen_addresses=127.0.0.1");
        cluster.run("pg_ctl", &["-D", "data", "-l", "log", "-w", "-o", &options, "start"]);
        cluster
    }

    /// A fresh database.
    pub fn database(&self) -> String {
        let number = self.databases.replace(self.databases.get() + 1);
        let name = format!("bench{number}");
        let port = self.port.to_string();
        self.run("createdb", &["-h", "127.0.0.1", "-p", &port, "-U", "postgres", &name]);
        format!("postgres://postgres@127.0.0.1:{port}/{name}")
    }

    /// Runs one of PostgreSQL's programs.
    fn run(&self, program: &str, arguments: &[&str]) {
        assert!(self.try_run(program, arguments), "{program} failed");
    }

    /// Whether one of PostgreSQL's programs succeeds; it refuses root.
    fn try_run(&self, program: &str, arguments: &[&str]) -> bool {
        let path = self.programs.join(program);
        let id = Command::new("id").arg("-u").output();
        let mut command = if id.is_ok_and(|id| id.stdout.trim_ascii() == b"0") {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        // Not a pipe: the server would inherit it and keep it open.
        let status = command
            .args(arguments)
            .current_dir(self.folder.path())
            .stdout(std::process::Stdio::null())
            .status();
        status.is_ok_and(|status| status.success())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Perhaps while a panic unwinds: a second one would abort before the folder is removed.
        self.try_run("pg_ctl", &["-D", "data", "-m", "immediate", "stop"]);
    }
}
