//! A TCP relay between Postly and its PostgreSQL server that tests can interrupt.

use std::path::Path;
use std::sync::Arc;

use rocket::tokio::io::copy_bidirectional;
use rocket::tokio::net::{TcpListener, TcpStream};
use rocket::tokio::sync::watch;
use rocket::tokio::task::spawn;

pub struct Relay {
    /// The database's URL through the relay.
    pub url: String,
    open: Arc<watch::Sender<bool>>,
}

impl Relay {
    /// A migrated database on the server under test, behind a relay.
    pub async fn to_postgres() -> Relay {
        let direct = super::database::migrated(Path::new("/nowhere")).await; // No file is needed.
        let mut url = url::Url::parse(&direct).unwrap();
        let server = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(5432));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
        let (open, state) = watch::channel(true);
        spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let (server, mut state) = (server.clone(), state.clone());
                // When interrupted, it drops new and existing connections.
                spawn(async move {
                    if !*state.borrow_and_update() {
                        return;
                    }
                    let mut server = TcpStream::connect(server).await.unwrap();
                    rocket::tokio::select! {
                        _ = copy_bidirectional(&mut client, &mut server) => {}
                        _ = state.wait_for(|open| !open) => {}
                    }
                });
            }
        });
        Relay { url: url.to_string(), open: Arc::new(open) }
    }

    pub fn close(&self) {
        self.open.send_replace(false);
    }

    pub fn open(&self) {
        self.open.send_replace(true);
    }
}
