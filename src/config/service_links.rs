//! Kubernetes tells each container where the services of its namespace are. For a service named
//! `postly`, the names of these variables begin like those of our settings.

/// Whether a variable, without `POSTLY_` and in lower case, is such a link.
/// <https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables>
pub fn is_service_link(name: &str, value: &str) -> bool {
    let is_url = ["tcp://", "udp://", "sctp://"].iter().any(|scheme| value.starts_with(scheme));
    match name {
        "service_host" | "service_port" => true,
        // Somebody may think that it sets the port.
        "port" => is_url,
        _ => name.starts_with("service_port_") || name.strip_prefix("port_").is_some_and(is_port),
    }
}

/// Such as `8000_tcp`, `8000_tcp_addr`.
fn is_port(rest: &str) -> bool {
    let mut parts = rest.split('_');
    let number = parts.next().unwrap_or_default();
    let is_number = !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit());
    let is_protocol = matches!(parts.next(), Some("tcp" | "udp" | "sctp"));
    let is_part = matches!(parts.next(), None | Some("proto" | "port" | "addr"));
    is_number && is_protocol && is_part && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_links_of_kubernetes_are_known() {
        for name in [
            "service_host",
            "service_port",
            "service_port_http",
            "port_8000_tcp",
            "port_8000_tcp_proto",
            "port_8000_tcp_port",
            "port_8000_tcp_addr",
            "port_53_udp_addr",
        ] {
            assert!(is_service_link(name, "10.0.0.1"), "{name}");
        }
        assert!(is_service_link("port", "tcp://10.0.0.1:8000"));
        assert!(!is_service_link("port", "9000"), "a mistake of the operator is still told");
        for name in ["public_url", "port_x_tcp", "port_8000_http", "port_8000_tcp_x", "service"] {
            assert!(!is_service_link(name, "tcp://10.0.0.1:8000"), "{name}");
        }
    }
}
