//! Clients that keep a connection and give nothing for it.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use super::nginx::{PATIENCE, connect_from};

/// How a client keeps a proxy waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// It sends nothing.
    Silent,
    /// It sends a header byte by byte.
    Header,
    /// It sends a body byte by byte.
    Body,
    /// It asks for much and reads nothing.
    Deaf,
}

const HEAD: &str = "POST /api/v1/auth/login HTTP/1.1\r\nHost: 127.0.0.1\r\n";
/// A static file of a megabyte.
const LARGE: &str =
    "GET /static/vendor/redoc/redoc.standalone.js HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
/// More than the buffers of any socket hold, and than a proxy reads ahead: it leaves some of the
/// requests unread, so that its end of the connection is noticed here without reading.
const TIMES: usize = 200;

impl Manner {
    fn opening(self) -> String {
        match self {
            Manner::Silent => String::new(),
            Manner::Header => format!("{HEAD}X-Slow: "),
            Manner::Body => {
                format!("{HEAD}Content-Type: application/json\r\nContent-Length: 9999\r\n\r\n{{")
            }
            Manner::Deaf => LARGE.repeat(TIMES),
        }
    }
}

pub struct SlowClient {
    manner: Manner,
    stream: TcpStream,
}

impl SlowClient {
    /// From 127.0.0.3.
    pub fn connect(to: SocketAddr, manner: Manner) -> SlowClient {
        let mut stream = connect_from(3, to);
        stream.write_all(manner.opening().as_bytes()).unwrap();
        stream.set_nonblocking(true).unwrap();
        SlowClient { manner, stream }
    }

    pub fn several(count: usize, to: SocketAddr, manner: Manner) -> Vec<SlowClient> {
        (0..count).map(|_| SlowClient::connect(to, manner)).collect()
    }

    fn go_on(&mut self) {
        if matches!(self.manner, Manner::Header | Manner::Body) {
            let _ = self.stream.write(b"a"); // It may already be cut off.
        }
    }

    fn is_connected(&mut self) -> bool {
        if self.manner == Manner::Deaf {
            return self.stream.take_error().unwrap().is_none();
        }
        let mut rest = [0; 1024];
        loop {
            match self.stream.read(&mut rest) {
                Ok(0) => return false,
                Ok(_) => {} // A response such as 408; the end follows.
                Err(e) => return e.kind() == ErrorKind::WouldBlock,
            }
        }
    }
}

/// They keep being slow, while `meanwhile` is called, until all are cut off.
pub fn until_cut_off(mut clients: Vec<SlowClient>, mut meanwhile: impl FnMut()) {
    let start = Instant::now();
    while !clients.is_empty() {
        meanwhile();
        clients.iter_mut().for_each(SlowClient::go_on);
        clients.retain_mut(SlowClient::is_connected);
        if start.elapsed() > PATIENCE {
            let mut left: Vec<_> = clients.iter().map(|client| client.manner).collect();
            left.dedup();
            panic!("{} are still connected: {left:?}", clients.len());
        }
    }
}
