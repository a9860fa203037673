//! A map from the network: tiles of a server that the user names, above the embedded map. Off unless asked for.
//!
//! The server's owner is told who asks (our own user agent), is asked for two tiles at a time at most, and only for tiles that
//! are looked at. Tiles are kept in a folder as long as the server's HTTP headers allow.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::Once,
};

use serde::{Deserialize, Serialize};
use walkers::{
    HeaderValue, HttpOptions, HttpTiles, MaxParallelDownloads, TileId, TilePiece, Tiles,
    sources::{Attribution, TileSource},
};

/// How we present ourselves to a tile server.
const USER_AGENT: &str = concat!("Wayglass/", env!("CARGO_PKG_VERSION"));

/// Tiles fetched at once: what the tile servers run by volunteers ask for.
const MAX_PARALLEL: usize = 2;

/// Where the tiles come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OnlineOptions {
    /// `https://…/{z}/{x}/{y}.png`.
    pub url: String,
    /// Shown on the map, as the server's owner wants it.
    pub attribution: String,
    /// Where a click on the attribution leads.
    pub attribution_url: String,
    /// The highest zoom that the server has; beyond it, its last tiles are enlarged.
    pub max_zoom: u8,
    /// Where tiles are kept; `None` keeps none.
    pub cache_dir: Option<PathBuf>,
}

impl Default for OnlineOptions {
    /// `OpenStreetMap`'s own words for its own tiles, and no URL: which server to burden is the user's decision.
    fn default() -> Self {
        Self {
            url: String::new(),
            attribution: "© OpenStreetMap contributors".to_owned(),
            attribution_url: "https://www.openstreetmap.org/copyright".to_owned(),
            max_zoom: 19,
            cache_dir: None,
        }
    }
}

/// Why there is no online map.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the map's address must begin with http:// or https://")]
    NotHttp,
    #[error("the map's address must contain {{z}}, {{x}} and {{y}}")]
    NoPlaceholder,
    #[error("this system has no certificates to check the map's server with")]
    NoCertificates,
}

/// The tiles of one server.
pub struct Online {
    options: OnlineOptions,
    /// `None` only while it is dropped.
    tiles: Option<HttpTiles>,
}

impl Online {
    /// Starts a thread that fetches; nothing is fetched before it is looked at.
    pub fn new(options: OnlineOptions, ctx: egui::Context) -> Result<Self, Error> {
        check(&options.url)?;
        let tiles = Some(fetcher(&options, ctx)?);
        Ok(Self { options, tiles })
    }

    /// Text and address of the attribution.
    pub fn credit(&self) -> (&str, &str) {
        (&self.options.attribution, &self.options.attribution_url)
    }
}

impl Drop for Online {
    fn drop(&mut self) {
        let Some(tiles) = self.tiles.take() else { return };
        // Ending the fetching thread waits for a name that is being looked up, which without a network takes seconds. The window
        // does not wait for that; where no thread is to be had, it does.
        std::thread::Builder::new().name("map farewell".to_owned()).spawn(move || drop(tiles)).ok();
    }
}

impl Tiles for Online {
    fn at(&mut self, tile_id: TileId) -> Option<TilePiece> {
        self.tiles.as_mut()?.at(tile_id)
    }

    fn attribution(&self) -> Attribution {
        NO_ATTRIBUTION
    }

    fn tile_size(&self) -> u32 {
        256
    }
}

/// The map draws the attribution itself, because the widget's cannot hold what a user typed.
const NO_ATTRIBUTION: Attribution = Attribution { text: "", url: "", logo_light: None, logo_dark: None };

fn check(url: &str) -> Result<(), Error> {
    if !url.starts_with("http://") && !url.starts_with("https://") {
        return Err(Error::NotHttp);
    }
    if !["{z}", "{x}", "{y}"].iter().all(|p| url.contains(p)) {
        return Err(Error::NoPlaceholder);
    }
    Ok(())
}

fn fetcher(options: &OnlineOptions, ctx: egui::Context) -> Result<HttpTiles, Error> {
    install_crypto();
    let source = Source { url: options.url.clone(), max_zoom: options.max_zoom };
    let http = HttpOptions {
        cache: options.cache_dir.clone(),
        user_agent: Some(HeaderValue::from_static(USER_AGENT)),
        max_parallel_downloads: MaxParallelDownloads::value_manually_confirmed_with_provider_limits(MAX_PARALLEL),
        tls: plain_http(&options.url),
    };
    // The HTTP client panics where the system has no certificates; that is no reason to end the program.
    catch_unwind(AssertUnwindSafe(|| HttpTiles::with_options(source, http, ctx))).map_err(|_| Error::NoCertificates)
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

struct Source {
    url: String,
    max_zoom: u8,
}

impl TileSource for Source {
    fn tile_url(&self, tile: TileId) -> String {
        let url = self.url.replace("{z}", &tile.zoom.to_string()).replace("{x}", &tile.x.to_string());
        url.replace("{y}", &tile.y.to_string())
    }

    fn attribution(&self) -> Attribution {
        NO_ATTRIBUTION
    }

    fn max_zoom(&self) -> u8 {
        self.max_zoom
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};

    use super::*;

    fn options(url: &str) -> OnlineOptions {
        OnlineOptions { url: url.to_owned(), ..OnlineOptions::default() }
    }

    #[test]
    fn an_address_that_cannot_work_is_refused() {
        let error = |url| Online::new(options(url), egui::Context::default()).err();
        assert_eq!(error("tiles.example/{z}/{x}/{y}"), Some(Error::NotHttp));
        assert_eq!(error("https://tiles.example/{z}/{x}"), Some(Error::NoPlaceholder));
    }

    #[test]
    fn a_tile_is_asked_for_by_our_name() {
        let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/map/{{z}}/{{x}}/{{y}}.png", server.local_addr().unwrap());
        let mut online = Online::new(options(&url), egui::Context::default()).unwrap();
        assert!(online.at(TileId { x: 2, y: 3, zoom: 4 }).is_none());

        let (stream, _) = server.accept().unwrap();
        let lines = BufReader::new(&stream).lines().map(Result::unwrap).take_while(|l| !l.is_empty());
        let head: Vec<String> = lines.map(|l| l.to_lowercase()).collect();
        assert_eq!(online.tile_size(), TileSource::tile_size(&Source { url: String::new(), max_zoom: 0 }));
        (&stream).write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n").unwrap();
        assert_eq!(head[0], "get /map/4/2/3.png http/1.1");
        assert!(head.contains(&format!("user-agent: {}", USER_AGENT.to_lowercase())), "{head:?}");
    }
}
