//! What the gateway of this process uses: its address, whom it trusts, and its limits by name.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

use demilune_gateway::{AccessLogTarget, Limits, listen::framing::FramingLimits};
use ipnet::IpNet;

use super::{
    TlsFiles,
    raw::{GatewaySettings, Setting},
    resolved::Resolver,
};

const LISTEN_DEFAULT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// Which parts of the product a process is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Role {
    /// The control API and a gateway.
    #[default]
    All,
    /// The control API alone.
    Control,
    /// A gateway alone, on a database that it shares with others.
    Gateway,
}

impl FromStr for Role {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "all" => Ok(Self::All),
            "control" => Ok(Self::Control),
            "gateway" => Ok(Self::Gateway),
            _ => Err("write all, control or gateway"),
        }
    }
}

/// What the gateway of this process uses.
#[derive(Debug)]
pub(crate) struct GatewayConfig {
    pub(crate) listen: SocketAddr,
    pub(crate) tls: Option<TlsFiles>,
    pub(crate) limits: Limits,
    pub(crate) trusted_networks: Vec<IpNet>,
    pub(crate) allow_private_targets: bool,
    /// Whether to learn what requests look like.
    pub(crate) learning: bool,
    /// Whether answers to blocked requests say where these do not fit.
    pub(crate) name_violations: bool,
    pub(crate) origin_ca: Option<PathBuf>,
    pub(crate) access_log: Option<AccessLogTarget>,
    /// In the data folder when absent.
    pub(crate) secret_file: Option<PathBuf>,
}

impl Resolver {
    pub(super) fn gateway(&mut self, settings: GatewaySettings) -> GatewayConfig {
        GatewayConfig {
            listen: self.listen(settings.listen.as_ref(), LISTEN_DEFAULT),
            tls: self.tls(settings.tls_cert, settings.tls_key),
            limits: settings.limits.map_or_else(Limits::default, |setting| self.limits(&setting)),
            trusted_networks: settings.trusted_networks.map_or_else(Vec::new, |setting| self.networks(&setting)),
            allow_private_targets: self.switch(settings.allow_private_targets),
            name_violations: !self.switch(settings.hide_violations),
            learning: !self.switch(settings.no_learning),
            origin_ca: settings.origin_ca.map(|setting| setting.value.into()),
            access_log: settings.access_log.and_then(|setting| self.access_log(&setting)),
            secret_file: settings.secret_file.map(|setting| setting.value.into()),
        }
    }

    fn networks(&mut self, setting: &Setting) -> Vec<IpNet> {
        let Some(text) = self.text(setting) else { return Vec::new() };
        let mut networks = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let network = part.parse().or_else(|_| part.parse::<IpAddr>().map(IpNet::from));
            match network {
                Ok(network) => networks.push(network),
                Err(_) => self.problem(setting.origin, format!("{part:?} is no network: write 10.0.0.0/8 or 10.1.2.3")),
            }
        }
        networks
    }

    fn access_log(&mut self, setting: &Setting) -> Option<AccessLogTarget> {
        match setting.value.to_str() {
            Some("off") => None,
            Some("-") => Some(AccessLogTarget::Stdout),
            _ => Some(AccessLogTarget::File(self.absolute(setting.origin, setting.value.as_ref()))),
        }
    }

    fn limits(&mut self, setting: &Setting) -> Limits {
        let mut limits = Limits::default();
        let Some(text) = self.text(setting) else { return limits };
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            if let Err(sentence) = set_limit(&mut limits, part) {
                self.problem(setting.origin, sentence);
            }
        }
        limits
    }
}

/// How one limit is set from a number, and the smallest that makes sense.
type Limit = (&'static str, u64, fn(&mut Limits, u64));

/// Every limit by the name of its field. Times are in milliseconds.
const LIMITS: [Limit; 18] = [
    ("head_bytes_max", 1024, |limits, value| limits.head_bytes_max = size(value)),
    ("headers_max", 8, |limits, value| limits.headers_max = size(value)),
    ("body_bytes_max", 0, |limits, value| limits.body_bytes_max = value),
    ("validated_bytes_max", 0, |limits, value| limits.validated_bytes_max = size(value)),
    ("decoded_bytes_max", 0, |limits, value| limits.decoded_bytes_max = size(value)),
    ("held_bytes_max", 0, |limits, value| limits.held_bytes_max = size(value)),
    ("held_ms_max", 1, |limits, value| limits.held_time_max = Duration::from_millis(value)),
    ("connections_max", 1, |limits, value| limits.connections_max = size(value).min(1 << 24)),
    ("head_ms_max", 1, |limits, value| limits.head_time_max = Duration::from_millis(value)),
    ("idle_ms_max", 1, |limits, value| limits.idle_time_max = Duration::from_millis(value)),
    ("client_stall_ms_max", 1, |limits, value| limits.client_stall_max = Duration::from_millis(value)),
    ("origin_connect_ms_max", 1, |limits, value| limits.origin_connect_max = Duration::from_millis(value)),
    ("origin_answer_ms_max", 1, |limits, value| limits.origin_answer_max = Duration::from_millis(value)),
    ("origin_stall_ms_max", 1, |limits, value| limits.origin_stall_max = Duration::from_millis(value)),
    ("origin_idle_ms_max", 2, |limits, value| limits.origin_idle_max = Duration::from_millis(value)),
    ("origin_idle_connections_max", 0, |limits, value| limits.origin_idle_connections_max = size(value)),
    ("tunnel_idle_ms_max", 1, |limits, value| limits.tunnel_idle_max = Duration::from_millis(value)),
    ("drain_ms_max", 0, |limits, value| limits.drain_max = Duration::from_millis(value)),
];

/// A year in milliseconds: longer times are mistakes, and would not fit into instants.
const TIME_MS_CEILING: u64 = 366 * 24 * 3_600 * 1_000;

fn set_limit(limits: &mut Limits, part: &str) -> Result<(), String> {
    let (name, number) = part.split_once('=').ok_or_else(|| format!("{part:?} is no limit: write name=value"))?;
    let Some((_, smallest, set)) = LIMITS.iter().find(|(known, ..)| *known == name) else {
        let names: Vec<&str> = LIMITS.iter().map(|(known, ..)| *known).collect();
        return Err(format!("{name:?} is no limit; there are {}", names.join(", ")));
    };
    let largest = match name {
        "head_bytes_max" => FramingLimits::HEAD_BYTES_CAP as u64,
        _ if name.contains("_ms_") => TIME_MS_CEILING,
        _ => u64::MAX,
    };
    match number.parse() {
        Ok(number) if (*smallest..=largest).contains(&number) => {
            set(limits, number);
            Ok(())
        }
        _ if largest == u64::MAX => {
            Err(format!("{number:?} is no value for {name}: write a whole number of at least {smallest}"))
        }
        _ => Err(format!("{number:?} is no value for {name}: write a whole number from {smallest} to {largest}")),
    }
}

fn size(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Environment, RawServe, ServeConfig};

    fn resolve(pairs: &[(&str, &str)]) -> Result<GatewayConfig, String> {
        let environment = Environment::from_pairs(pairs.iter().map(|(name, value)| (name.into(), value.into())));
        let config = ServeConfig::resolve(RawServe::default(), &environment);
        config.map(|config| config.gateway).map_err(|problems| problems.to_string())
    }

    #[test]
    fn the_gateway_listens_on_loopback_unless_told_otherwise() {
        assert_eq!(resolve(&[]).unwrap().listen, LISTEN_DEFAULT);
        let other = resolve(&[("DEMILUNE_GATEWAY_LISTEN", "0.0.0.0:80")]).unwrap();
        assert_eq!(other.listen.to_string(), "0.0.0.0:80");
    }

    #[test]
    fn limits_are_set_by_name() {
        let limits = resolve(&[("DEMILUNE_GATEWAY_LIMITS", "headers_max=50, head_ms_max=1500")]).unwrap().limits;
        assert_eq!((limits.headers_max, limits.head_time_max), (50, Duration::from_millis(1500)));
        assert_eq!(limits.body_bytes_max, Limits::default().body_bytes_max);
    }

    #[test]
    fn an_unknown_limit_is_answered_with_the_names_of_all() {
        let problem = resolve(&[("DEMILUNE_GATEWAY_LIMITS", "heads=1")]).unwrap_err();
        for (name, ..) in LIMITS {
            assert!(problem.contains(name), "{problem}");
        }
        for text in
            ["headers_max", "headers_max=x", "headers_max=1", "drain_ms_max=99999999999999", "head_bytes_max=65537"]
        {
            assert!(resolve(&[("DEMILUNE_GATEWAY_LIMITS", text)]).is_err(), "{text}");
        }
    }

    #[test]
    fn networks_are_addresses_with_or_without_a_length() {
        let networks = resolve(&[("DEMILUNE_TRUSTED_NETWORKS", "10.0.0.0/8, 2001:db8::1")]).unwrap().trusted_networks;
        assert_eq!(networks, ["10.0.0.0/8".parse().unwrap(), "2001:db8::1/128".parse::<IpNet>().unwrap()]);
        assert!(resolve(&[("DEMILUNE_TRUSTED_NETWORKS", "ten")]).is_err());
    }

    #[test]
    fn the_access_log_is_off_unless_it_is_given_a_place() {
        let target = |text: &str| resolve(&[("DEMILUNE_ACCESS_LOG", text)]).unwrap().access_log;
        assert_eq!(target("off"), None);
        assert_eq!(target("-"), Some(AccessLogTarget::Stdout));
        assert!(matches!(target("a.log"), Some(AccessLogTarget::File(path)) if path.is_absolute()));
    }
}
