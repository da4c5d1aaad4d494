//! `demilune demo`: everything at work on this machine, with a sample API and traffic.

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use tokio_util::sync::CancellationToken;

use crate::{
    config::{Environment, ServeConfig},
    demo::{SampleApi, Story},
    failure::Failure,
    first_token, logging, output,
    wiring::{self, Server},
};

/// Show everything at work: a sample API, a gateway in front of it, traffic, and what came of it
///
/// Uses free ports of this machine and a folder of its own under the temporary folder, which goes when the demo ends.
#[derive(Args)]
pub(super) struct Demo {
    /// End when everything was shown, instead of waiting for Ctrl-C
    #[arg(long)]
    once: bool,
}

impl Demo {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let folder = Folder::make().map_err(wiring::ServeError::Runtime)?;
        let mut config = ServeConfig::resolve(crate::config::RawServe::default(), &variables(&folder.0))?;
        logging::start(std::mem::take(&mut config.log));
        wiring::server_runtime(None)?.block_on(self.show(config))?;
        Ok(ExitCode::SUCCESS)
    }

    async fn show(self, config: ServeConfig) -> Result<(), Failure> {
        let data = config.store.data.clone();
        let sample = SampleApi::start().await.map_err(wiring::ServeError::Runtime)?;
        let origin = format!("http://{}", sample.address());
        let server = Server::start(config).await?;
        let (zone, gateway) = match (&server.started.first, &server.started.gateway) {
            (Some(first), Some(gateway)) => (first.zone.id.to_string(), gateway.clone()),
            // An empty folder gets a first zone, and the default role has a gateway.
            _ => return Ok(()),
        };
        let secret = data.clone();
        let token = tokio::task::spawn_blocking(move || first_token::read(&secret)).await??;
        let story = Story {
            control: server.started.status.public_url.clone(),
            gateway,
            origin,
            zone,
            token: token.reveal().to_owned(),
            data: data.display().to_string(),
        };
        let stop = server.stopping();
        let telling = async {
            let told = tell(&story, self.once, &stop).await;
            if told.is_err() || self.once {
                stop.cancel();
            }
            told
        };
        let ((), (), told) = tokio::join!(server.serve(), sample.serve(stop.clone()), telling);
        told
    }
}

async fn tell(story: &Story, once: bool, stop: &CancellationToken) -> Result<(), Failure> {
    let told = tokio::select! {
        told = story.tell() => told?,
        () = stop.cancelled() => return Ok(()),
    };
    output::print(&told)?;
    if !once {
        output::print("Ctrl-C ends the demo and removes its data.\n")?;
    }
    Ok(())
}

/// Free ports, routes that may lead to this machine, and no log but of trouble.
fn variables(data: &Path) -> Environment {
    let pairs = [
        ("DEMILUNE_DATA", data.as_os_str().to_owned()),
        ("DEMILUNE_LISTEN", "127.0.0.1:0".into()),
        ("DEMILUNE_GATEWAY_LISTEN", "127.0.0.1:0".into()),
        ("DEMILUNE_ALLOW_PRIVATE_TARGETS", "true".into()),
        ("DEMILUNE_LOG_LEVEL", "error".into()),
    ];
    Environment::from_pairs(pairs.map(|(name, value)| (name.into(), value)))
}

/// A folder that goes with the demo.
struct Folder(PathBuf);

impl Folder {
    fn make() -> io::Result<Self> {
        let random = getrandom::u64().map_err(io::Error::other)?;
        let path = std::env::temp_dir().join(format!("demilune-demo-{random:016x}"));
        // It holds a token.
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Nothing of value is lost when it stays.
        let _ = fs::remove_dir_all(&self.0);
    }
}
