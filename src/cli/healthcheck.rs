//! `postly healthcheck`: for containers that have neither a shell nor curl.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use clap::Args;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::config::sources;
use crate::error::Fatal;

/// Longer than a readiness check of the database takes.
const PATIENCE: Duration = Duration::from_secs(10);

/// More than any answer to the question.
const MOST_BYTES: u64 = 16 * 1024;

#[derive(Args)]
pub struct HealthcheckArguments {
    /// Also ask whether it is ready to take requests, which needs its database
    ///
    /// Without it, the question is whether the server answers at all. A container that fails its
    /// check is replaced, which helps against a process that hangs, but neither against a database
    /// that is gone nor while the server is shutting down.
    #[arg(long)]
    ready: bool,
}

/// Asks the server that listens where this configuration says. Opens no database and creates
/// nothing.
///
/// # Errors
/// One sentence for the operator, when the answer is not 200.
pub async fn run(arguments: &HealthcheckArguments) -> Result<(), Fatal> {
    let path = if arguments.ready { "/readyz" } else { "/healthz" };
    let address = reachable(sources::listening_address()?);
    if address.port() == 0 {
        return Err(Fatal::new(
            "ROCKET_PORT is 0, so that the server chose a port by itself; set it to a number",
        ));
    }
    let unwell = |what: String| Fatal(format!("the server at {address} is not well: {what}"));
    let (status, word) = timeout(PATIENCE, ask(address, path))
        .await
        .map_err(|_| unwell(format!("it did not answer {path} within {} s", PATIENCE.as_secs())))?
        .map_err(|e| unwell(e.to_string()))?;
    match status.as_str() {
        "200" => {
            println!("{word}");
            Ok(())
        }
        _ => Err(unwell(format!("{path} answered {status}, {word}"))),
    }
}

/// Where this machine can reach what listens at `address`: 0.0.0.0 and :: stand for all of its
/// addresses.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// The status and the first line of the body.
async fn ask(address: SocketAddr, path: &str) -> std::io::Result<(String, String)> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(MOST_BYTES).read_to_end(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let is_http = head.starts_with("HTTP/1.");
    let status = head.split(' ').nth(1).filter(|_| is_http).unwrap_or_default();
    if status.is_empty() {
        return Err(std::io::Error::other("something else than a web server answers there"));
    }
    Ok((status.to_owned(), body.lines().next().unwrap_or_default().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_all_interfaces_is_asked_on_loopback() {
        for (listens, asked) in [
            ("0.0.0.0:8000", "127.0.0.1:8000"),
            ("[::]:8000", "[::1]:8000"),
            ("192.0.2.7:80", "192.0.2.7:80"),
            ("[2001:db8::7]:80", "[2001:db8::7]:80"),
        ] {
            let listens: SocketAddr = listens.parse().unwrap();
            assert_eq!(reachable(listens).to_string(), asked);
        }
    }
}
