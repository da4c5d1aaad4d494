//! A gateway that has everything it needs: its address, its key, its certificate, its rules.

use std::{io, net::SocketAddr, path::Path, sync::Arc};

use demilune_control::Companion;
use demilune_gateway::{AccessLog, Gateway, GatewayOptions, Learner, NodeName, OriginTrust};
use demilune_policy::SessionKey;
use demilune_store::Store;
use demilune_traffic::Source;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    task::spawn_blocking,
};
use tokio_rustls::rustls::ServerConfig;
use tokio_util::sync::CancellationToken;

use super::{
    SecretError,
    events::events,
    flush::{flush, maintain},
    follow::{Follower, Readiness},
    learn::learn,
    rules_cache::RulesCache,
    session_key,
    sightings::sightings,
    trials::trials,
};
use crate::{
    config::GatewayConfig,
    tls::{self, TlsError},
    wiring::{load_tls, url_of},
};

/// Why a gateway does not run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GatewayError {
    /// The address is taken or not ours.
    #[error("the gateway cannot listen on {0}; choose another address with --gateway-listen")]
    Listen(SocketAddr, #[source] io::Error),
    /// The access log cannot be written.
    #[error("the access log cannot be opened; choose another file with --access-log")]
    AccessLog(#[source] io::Error),
    /// The operating system gives no random numbers, threads or signals.
    #[error("the gateway cannot be started")]
    System(#[source] io::Error),
    /// There is no key for session hashes.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The certificate or the authorities cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// A gateway that is ready to serve.
pub(crate) struct RunningGateway {
    gateway: Gateway,
    follower: Follower,
    readiness: Readiness,
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<Arc<ServerConfig>>,
    source: Source,
    session_key: SessionKey,
}

impl RunningGateway {
    /// Takes everything a gateway needs, or says what is missing.
    pub(crate) async fn start(config: GatewayConfig, data: &Path) -> Result<Self, GatewayError> {
        let listen = config.listen;
        let tls = load_tls(config.tls.as_ref(), tls::GATEWAY_PROTOCOLS).await?;
        let listener = TcpListener::bind(listen).await.map_err(|error| GatewayError::Listen(listen, error))?;
        let address = listener.local_addr().map_err(|error| GatewayError::Listen(listen, error))?;
        let process = random().map_err(GatewayError::System)?;
        let data = data.to_owned();
        let loading = spawn_blocking(move || load(config, process, &data));
        let (gateway, cache, session_key) = loading.await.map_err(|error| GatewayError::System(error.into()))??;
        let follower = Follower::new(gateway.clone(), Some(cache)).await;
        let readiness = follower.readiness();
        Ok(Self { gateway, follower, readiness, listener, address, tls, source: source(process), session_key })
    }

    /// Where clients reach it on this machine.
    pub(crate) fn url(&self) -> String {
        url_of(self.address, self.tls.is_some())
    }

    /// The key of its session hashes.
    pub(crate) fn session_key(&self) -> SessionKey {
        self.session_key.clone()
    }

    /// Its part in metrics and readiness.
    pub(crate) fn companion(&self) -> Companion {
        let (gateway, readiness) = (self.gateway.clone(), self.readiness.clone());
        Companion {
            register: Box::new(move |registry| gateway.register(registry)),
            ready: Arc::new(move || *readiness.borrow()),
        }
    }

    /// Puts the stored rules in force before the first request, so that none goes by older ones that were saved. Where
    /// the store does not answer, those that were saved have to do.
    pub(crate) async fn catch_up(&mut self, store: &Store) {
        if let Err(failure) = self.follower.step(store).await {
            let failure: &dyn std::error::Error = &failure;
            tracing::warn!(failure, "the store does not answer; the rules that were saved are in force");
        }
    }

    /// Serves until `stop` is cancelled and what is in flight is done; then the last counts go to the store, which is
    /// given back. Traffic does not wait for it to open.
    pub(crate) async fn serve(
        self,
        opening: impl Future<Output = Option<Store>>,
        stop: CancellationToken,
    ) -> Option<Store> {
        let served = CancellationToken::new();
        let serving = async {
            self.gateway.serve(self.listener, self.tls, stop).await;
            served.cancel();
        };
        let reopening = reopen_access_log(&self.gateway, &served);
        let learning = async {
            let opened = tokio::select! {
                opened = opening => opened,
                () = served.cancelled() => None,
            };
            let store = opened?;
            let following = self.follower.follow(store.clone(), served.clone());
            let flushing = flush(self.gateway.clone(), store.clone(), self.source.clone(), served.clone());
            let maintaining = maintain(store.clone(), served.clone());
            let learning = learn(self.gateway.learner().cloned(), store.clone(), self.source.clone(), served.clone());
            let sighting =
                sightings(self.gateway.learner().cloned(), store.clone(), self.source.clone(), served.clone());
            let telling = events(self.gateway.clone(), store.clone(), served.clone());
            let trying = trials(self.gateway.clone(), store.clone(), self.source, served.clone());
            tokio::join!(following, flushing, maintaining, learning, sighting, telling, trying);
            Some(store)
        };
        let ((), store, ()) = tokio::join!(serving, learning, reopening);
        store
    }
}

/// Reads files and opens the access log; blocks.
fn load(config: GatewayConfig, process: u64, data: &Path) -> Result<(Gateway, RulesCache, SessionKey), GatewayError> {
    let session_key = session_key(config.secret_file.as_deref(), data)?;
    let more = config.origin_ca.as_deref().map_or_else(|| Ok(Vec::new()), tls::load_authorities)?;
    let access_log = config.access_log.map(AccessLog::open).transpose().map_err(GatewayError::AccessLog)?;
    let options = GatewayOptions {
        limits: config.limits,
        trusted_networks: config.trusted_networks,
        allow_private_targets: config.allow_private_targets,
        session_key: session_key.clone(),
        name_violations: config.name_violations,
        node: NodeName::new(process),
    };
    let learner = config.learning.then(|| Learner::start(session_key.clone())).transpose();
    let learner = learner.map_err(GatewayError::System)?;
    let gateway = Gateway::new(options, process, OriginTrust { more }, access_log, learner);
    Ok((gateway, RulesCache::new(data), session_key))
}

/// Log rotation moves the file away and sends SIGUSR1.
async fn reopen_access_log(gateway: &Gateway, served: &CancellationToken) {
    let mut asked = match signal(SignalKind::user_defined1()) {
        Ok(asked) => asked,
        Err(error) => return tracing::warn!(%error, "SIGUSR1 will not open the access log anew"),
    };
    loop {
        tokio::select! {
            _ = asked.recv() => gateway.reopen_access_log(),
            () = served.cancelled() => return,
        }
    }
}

fn random() -> io::Result<u64> {
    getrandom::u64().map_err(io::Error::other)
}

/// What this run calls itself in stored records.
#[expect(clippy::expect_used, reason = "letters, a colon and hex digits are a source")]
fn source(process: u64) -> Source {
    format!("gateway:{process:016x}").parse().expect("a source")
}
