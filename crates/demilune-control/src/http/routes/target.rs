//! Reads a route's target, and refuses those that lead into the operator's own network.

use std::net::{IpAddr, Ipv4Addr};

use demilune_inventory::Endpoint;
use demilune_policy::rule::{RouteTarget, Server, check_address};

use crate::http::input::sentence;

/// The target that a text means for an operation with this endpoint, or a sentence about why it is none.
///
/// Of a target's name only `localhost` says where it leads; where the others lead shows when they are resolved.
pub(super) fn parse(text: &str, endpoint: &Endpoint, allow_private: bool) -> Result<RouteTarget, String> {
    let target = RouteTarget::parse(text, endpoint).map_err(|error| sentence(&error))?;
    let server = target.server();
    let Some(address) = server.address().or_else(|| loopback(server)) else { return Ok(target) };
    check_address(address, allow_private).map_err(|refusal| sentence(&refusal))?;
    Ok(target)
}

/// The address of `localhost` and of every name below it (RFC 6761 section 6.3).
fn loopback(server: &Server) -> Option<IpAddr> {
    let is_local = server.name() == "localhost" || server.name().ends_with(".localhost");
    is_local.then_some(Ipv4Addr::LOCALHOST.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(text: &str, allow_private: bool) -> bool {
        parse(text, &"/".parse().unwrap(), allow_private).is_ok()
    }

    #[test]
    fn names_and_public_addresses_pass() {
        for text in
            ["https://api.example.com/", "https://notlocalhost/", "https://localhost.example.com/", "93.184.216.34"]
        {
            assert!(passes(text, false), "{text}");
        }
    }

    #[test]
    fn private_addresses_and_localhost_pass_where_the_operator_allows_them() {
        for text in [
            "http://127.0.0.1:8080/",
            "10.0.0.1",
            "::1",
            "http://[::ffff:192.168.0.1]/",
            "http://LOCALHOST:1/",
            "http://localhost./",
            "http://api.localhost/",
        ] {
            assert!(!passes(text, false), "{text}");
            assert!(passes(text, true), "{text}");
        }
    }

    #[test]
    fn metadata_addresses_never_pass() {
        for text in ["http://169.254.169.254/", "169.254.169.254", "http://[fd00:ec2::254]/", "0.0.0.0"] {
            assert!(!passes(text, true), "{text}");
        }
    }
}
