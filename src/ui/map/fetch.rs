//! Fetches tiles of one server on a thread of its own, two at a time, and says what came of each: the tile, or why not.
//!
//! walkers has such a fetcher, too, but keeps its failures to itself, so that nobody can be told and nothing tried again.

use std::{
    path::{Path, PathBuf},
    sync::{
        Once,
        atomic::{AtomicU64, Ordering},
        mpsc as answers,
    },
    time::Duration,
};

use http_cache_reqwest::{CACacheManager, Cache, CacheMode, HttpCache, HttpCacheOptions};
use reqwest::StatusCode;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use tokio::sync::{Mutex, mpsc};
use walkers::{Style, Tile, TileId};

use super::tile_cache;

/// How we present ourselves to a tile server.
const USER_AGENT: &str = concat!("Wayglass/", env!("CARGO_PKG_VERSION"));

/// Tiles that wait for one of the two that are being fetched. What finds no room is asked for again by a later frame, if it is
/// still looked at then.
const MAX_WAITING: usize = 2;

const CONNECT_PATIENCE: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(30);

/// A tile is some ten kilobytes; what is larger than this is none.
const MAX_BYTES: usize = 8 << 20;

/// Why there is no tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// No connection, or none that lasted.
    Unreachable,
    /// The server answered with this HTTP status.
    Status(u16),
    /// The server has no such tile, and says so.
    Missing,
    /// The answer is no picture that can be drawn.
    NoPicture,
}

/// A thread that fetches. Dropping it lets the thread end by itself.
pub(super) struct Fetcher {
    asks: mpsc::Sender<TileId>,
    answers: answers::Receiver<Answer>,
}

/// A tile that was asked for, and what came of it.
pub(super) type Answer = (TileId, Result<Tile, Failure>);

/// Why nothing can be fetched at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    /// The system has no certificates to check servers with.
    NoCertificates,
    /// The system gives no thread.
    NoThread,
}

impl Fetcher {
    /// `url` has `{z}`, `{x}` and `{y}` in it. What is fetched is kept in `cache_dir` as long as the server's headers allow, and within
    /// `cache_bytes`. `ctx`
    /// is repainted after each answer.
    pub(super) fn new(
        url: String,
        cache_dir: Option<&Path>,
        cache_bytes: u64,
        ctx: egui::Context,
    ) -> Result<Self, Broken> {
        let client = client(&url, cache_dir).map_err(|error| {
            tracing::error!("no client for the map's server: {error}");
            Broken::NoCertificates
        })?;
        let no_thread = |error: std::io::Error| {
            tracing::error!("no thread for the online map: {error}");
            Broken::NoThread
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(no_thread)?;
        let (asks, asked) = mpsc::channel(MAX_WAITING);
        let (answer, answers) = answers::channel();
        let keeper = cache_dir.map(|dir| Keeper { dir: dir.to_owned(), limit: cache_bytes, since: AtomicU64::new(0) });
        let worker = Worker { url, client, ctx, asked: Mutex::new(asked), answer, keeper };
        let work = move || {
            // As many at a time as servers run by volunteers ask for.
            runtime.block_on(async {
                // What a run before left.
                worker.prune().await;
                tokio::join!(worker.work(), worker.work())
            });
            // A name that is still being looked up is not waited for.
            runtime.shutdown_background();
        };
        std::thread::Builder::new().name("online map".to_owned()).spawn(work).map_err(no_thread)?;
        Ok(Self { asks, answers })
    }

    /// Asks for a tile; false where too many wait already.
    pub(super) fn ask(&self, tile: TileId) -> bool {
        self.asks.try_send(tile).is_ok()
    }

    /// What came in since.
    pub(super) fn answers(&self) -> impl Iterator<Item = Answer> {
        self.answers.try_iter()
    }

    /// Waits for the next answer.
    #[cfg(test)]
    pub(super) fn wait(&self) -> Answer {
        self.answers.recv_timeout(Duration::from_secs(20)).expect("an answer to every question")
    }
}

struct Worker {
    url: String,
    client: ClientWithMiddleware,
    ctx: egui::Context,
    asked: Mutex<mpsc::Receiver<TileId>>,
    answer: answers::Sender<Answer>,
    keeper: Option<Keeper>,
}

/// The cache and its bound.
struct Keeper {
    dir: PathBuf,
    limit: u64,
    /// Bytes that were fetched since it was looked after.
    since: AtomicU64,
}

impl Worker {
    async fn work(&self) {
        loop {
            let next = self.asked.lock().await.recv().await;
            let Some(tile) = next else { return };
            let found = self.fetch(tile).await;
            if let Err(failure) = &found {
                tracing::debug!("online map, tile {}/{}/{}: {failure:?}", tile.zoom, tile.x, tile.y);
            }
            if self.answer.send((tile, found)).is_err() {
                return;
            }
            self.ctx.request_repaint();
            if self.keeper.as_ref().is_some_and(|k| k.since.load(Ordering::Relaxed) > k.limit / 16) {
                self.prune().await;
            }
        }
    }

    /// Brings the cache within its bound, on a thread that may wait for the disk.
    async fn prune(&self) {
        let Some(keeper) = &self.keeper else { return };
        keeper.since.store(0, Ordering::Relaxed);
        let (dir, limit) = (keeper.dir.clone(), keeper.limit);
        match tokio::task::spawn_blocking(move || tile_cache::prune(&dir, limit)).await {
            Ok(Ok(pruned)) if pruned.removed > 0 => {
                tracing::info!(kept = pruned.kept, removed = pruned.removed, "tiles of the online map were removed");
            }
            Ok(Err(error)) => tracing::warn!(%error, "the kept tiles of the online map cannot be looked after"),
            Ok(Ok(_)) | Err(_) => {}
        }
    }

    async fn fetch(&self, tile: TileId) -> Result<Tile, Failure> {
        let url = self.url.replace("{z}", &tile.zoom.to_string()).replace("{x}", &tile.x.to_string());
        let url = url.replace("{y}", &tile.y.to_string());
        let mut response = self.client.get(url).send().await.map_err(|error| {
            tracing::debug!("online map: {error}");
            Failure::Unreachable
        })?;
        match response.status() {
            StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::NO_CONTENT => return Err(Failure::Missing),
            status if !status.is_success() => return Err(Failure::Status(status.as_u16())),
            _ => {}
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|_| Failure::Unreachable)? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > MAX_BYTES {
                return Err(Failure::NoPicture);
            }
        }
        if let Some(keeper) = &self.keeper {
            keeper.since.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        }
        let tile = Tile::new(&bytes, &Style::default(), tile.zoom, super::online::TILE_SIZE, &self.ctx);
        tile.map_err(|_| Failure::NoPicture)
    }
}

fn client(url: &str, cache_dir: Option<&Path>) -> reqwest::Result<ClientWithMiddleware> {
    install_crypto();
    let mut builder =
        reqwest::Client::builder().user_agent(USER_AGENT).connect_timeout(CONNECT_PATIENCE).timeout(PATIENCE);
    if let Some(tls) = plain_http(url) {
        builder = builder.tls_backend_preconfigured(tls);
    }
    let mut client = ClientBuilder::new(builder.build()?);
    if let Some(cache_dir) = cache_dir {
        client = client.with(Cache(HttpCache {
            mode: CacheMode::Default,
            manager: CACacheManager::new(cache_dir.to_owned(), false),
            options: HttpCacheOptions::default(),
        }));
    }
    Ok(client.build())
}

/// A server in plain HTTP needs no certificates, so it works on a system that has none.
fn plain_http(url: &str) -> Option<rustls::ClientConfig> {
    url.starts_with("http://").then(|| {
        let nobody = rustls::RootCertStore::empty();
        rustls::ClientConfig::builder().with_root_certificates(nobody).with_no_client_auth()
    })
}

fn install_crypto() {
    static ONCE: Once = Once::new();
    // An error says that another part of the process has chosen one, which will do.
    ONCE.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};

    use super::*;

    #[test]
    fn a_tile_is_asked_for_by_our_name() {
        let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/map/{{z}}/{{x}}/{{y}}.png", server.local_addr().unwrap());
        let fetcher = Fetcher::new(url, None, 1 << 20, egui::Context::default()).unwrap();
        assert!(fetcher.ask(TileId { x: 2, y: 3, zoom: 4 }));

        let (stream, _) = server.accept().unwrap();
        let lines = BufReader::new(&stream).lines().map(Result::unwrap).take_while(|l| !l.is_empty());
        let head: Vec<String> = lines.map(|l| l.to_lowercase()).collect();
        (&stream).write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n").unwrap();
        assert_eq!(head[0], "get /map/4/2/3.png http/1.1");
        assert!(head.contains(&format!("user-agent: {}", USER_AGENT.to_lowercase())), "{head:?}");
        assert_eq!(fetcher.wait().1.err(), Some(Failure::Missing));
    }
}
