//! A TCP relay between Postly and its PostgreSQL server that tests can interrupt.

use std::path::Path;
use std::sync::Arc;

use rocket::tokio::io::copy_bidirectional;
use rocket::tokio::net::{TcpListener, TcpStream};
use rocket::tokio::sync::watch;
use rocket::tokio::task::spawn;

#[derive(Clone, Copy, PartialEq)]
enum State {
    Open,
    /// Connections are accepted, but nothing is passed on: as from a server that was stopped.
    Paused,
    /// New and existing connections are dropped.
    Closed,
}

pub struct Relay {
    /// The database's URL through the relay.
    pub url: String,
    state: Arc<watch::Sender<State>>,
}

impl Relay {
    /// A migrated database on the server under test, behind a relay.
    pub async fn to_postgres() -> Relay {
        let direct = super::database::migrated(Path::new("/nowhere")).await; // No file is needed.
        Relay::at(&direct, 0).await
    }

    /// Listens at this port, for the server of this URL.
    pub async fn at(direct: &str, port: u16) -> Relay {
        let mut url = url::Url::parse(direct).unwrap();
        let server = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(5432));
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
        let (sender, state) = watch::channel(State::Open);
        spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                spawn(pass_on(client, server.clone(), state.clone()));
            }
        });
        Relay { url: url.to_string(), state: Arc::new(sender) }
    }

    pub fn close(&self) {
        self.state.send_replace(State::Closed);
    }

    pub fn pause(&self) {
        self.state.send_replace(State::Paused);
    }

    pub fn open(&self) {
        self.state.send_replace(State::Open);
    }
}

async fn pass_on(mut client: TcpStream, server: String, mut state: watch::Receiver<State>) {
    let mut server = TcpStream::connect(server).await.unwrap();
    loop {
        let now = *state.borrow_and_update();
        match now {
            State::Closed => return,
            State::Paused => state.changed().await.unwrap(),
            State::Open => rocket::tokio::select! {
                _ = copy_bidirectional(&mut client, &mut server) => return,
                _ = state.wait_for(|state| *state != State::Open) => {}
            },
        }
    }
}
