//! A map from the network: tiles of a server that the user names, above the embedded map. Off unless asked for.
//!
//! The server's owner is told who asks, is asked for two tiles at a time at most, and only for tiles that are looked at. After an
//! outage one tile is tried now and then, ever more seldom, until one comes; then all that are looked at are asked for again.

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
    time::Duration,
};

use egui::Rect;
use serde::{Deserialize, Serialize};
use walkers::{Tile, TileId, TilePiece, Tiles, sources::Attribution};

use super::{
    camera::Screen,
    chart::tile_rect,
    fetch::{Answer, Broken, Failure, Fetcher},
    stock::above,
};

/// Points along a tile's side.
pub(super) const TILE_SIZE: u32 = 256;

/// Tiles that are kept in memory.
const MAX_KEPT: usize = 256;

/// Seconds until a failed tile is tried again; doubled with each failure, up to the last.
const FIRST_PAUSE_S: f64 = 5.0;
const LAST_PAUSE_S: f64 = 300.0;

/// Seconds by which a tile that failed lets others go first, in case it is only this one that fails.
const MANNERS_S: f64 = 1.0;

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
    /// Bytes that they may take there.
    pub cache_bytes: u64,
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
            cache_bytes: 256 << 20,
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
    #[error("this system has no thread left for the online map")]
    NoThread,
}

/// The tiles of one server.
pub struct Online {
    options: OnlineOptions,
    fetcher: Fetcher,
    kept: HashMap<TileId, Kept>,
    asked: HashSet<TileId>,
    /// Since the last answer was a failure.
    outage: Option<Outage>,
    /// Counts uses, so that the tile unused for longest can go.
    uses: u64,
    now_s: f64,
    /// What was looked at since the frame began: tiles that are drawn, and those drawn in the frame before.
    drawn: Vec<TileId>,
    drawn_before: Vec<TileId>,
    /// Of what is looked at, something is not there, or not as sharp as it could be.
    lacking: bool,
    /// Of what is looked at, the server does not have something.
    missing: bool,
    /// When to try again, if something that is looked at has to be.
    again_s: Option<f64>,
}

struct Kept {
    what: What,
    last_use: u64,
}

enum What {
    Tile(Tile),
    /// The server has none.
    Missing,
    Failed {
        /// How often, not counting while nothing could be fetched at all.
        tries: u32,
        again_s: f64,
    },
}

struct Outage {
    failure: Failure,
    tries: u32,
    again_s: f64,
}

impl Online {
    /// Starts a thread that fetches; nothing is fetched before it is looked at.
    pub fn new(options: OnlineOptions, ctx: egui::Context) -> Result<Self, Error> {
        check(&options.url)?;
        let fetcher = Fetcher::new(options.url.clone(), options.cache_dir.as_deref(), options.cache_bytes, ctx);
        let fetcher = fetcher.map_err(|broken| match broken {
            Broken::NoCertificates => Error::NoCertificates,
            Broken::NoThread => Error::NoThread,
        })?;
        Ok(Self {
            options,
            fetcher,
            kept: HashMap::new(),
            asked: HashSet::new(),
            outage: None,
            uses: 0,
            now_s: 0.0,
            drawn: Vec::new(),
            drawn_before: Vec::new(),
            lacking: false,
            missing: false,
            again_s: None,
        })
    }

    /// Text and address of the attribution.
    pub fn credit(&self) -> (&str, &str) {
        (&self.options.attribution, &self.options.attribution_url)
    }

    /// To be called before a frame's tiles are drawn; `now_s` only ever grows.
    pub fn begin(&mut self, now_s: f64) {
        self.now_s = now_s;
        self.drawn_before = std::mem::take(&mut self.drawn);
        (self.lacking, self.missing, self.again_s) = (false, false, None);
        let answers: Vec<Answer> = self.fetcher.answers().collect();
        for answer in answers {
            self.take(answer);
        }
        while self.kept.len() > MAX_KEPT {
            let Some(oldest) = self.kept.iter().min_by_key(|(_, k)| k.last_use).map(|(id, _)| *id) else { return };
            self.kept.remove(&oldest);
        }
    }

    /// To be called after a frame's tiles were drawn: sees to the next frame, where there has to be one.
    pub fn end(&self, ctx: &egui::Context) {
        if self.drawn != self.drawn_before {
            // The names of the embedded map go where online tiles are drawn, and come back where they no longer are.
            ctx.request_repaint();
        } else if let Some(again_s) = self.again_s {
            let pause_s = (again_s - self.now_s).max(0.0);
            ctx.request_repaint_after(Duration::try_from_secs_f64(pause_s).unwrap_or(Duration::MAX));
        }
    }

    /// Where tiles of this map were drawn in the frame before.
    pub fn covered(&self, screen: &Screen) -> impl Iterator<Item = Rect> {
        self.drawn_before.iter().map(|tile| tile_rect(screen, *tile))
    }

    /// The server's last answer was of use; false before the first.
    pub fn works(&self) -> bool {
        self.outage.is_none() && !self.kept.is_empty()
    }

    /// What to tell about the tiles that were looked at since the frame began; `None` if all is well.
    pub fn problem(&self) -> Option<String> {
        let host = host(&self.options.url);
        if let Some(outage) = self.outage.as_ref().filter(|_| self.lacking) {
            return Some(match outage.failure {
                Failure::Unreachable => format!("The map server cannot be reached: {host}"),
                Failure::Status(status @ (401 | 403)) => format!("The map server refuses us (HTTP {status}): {host}"),
                Failure::Status(status) => format!("The map server fails (HTTP {status}): {host}"),
                Failure::NoPicture | Failure::Missing => format!("The map server sends no map: {host}"),
            });
        }
        let nothing = self.missing && self.drawn.is_empty() && self.asked.is_empty();
        nothing.then(|| format!("The map server has no map of this place: {host}"))
    }

    fn take(&mut self, (tile, found): Answer) {
        self.asked.remove(&tile);
        let what = match found {
            Ok(picture) => {
                self.recover();
                What::Tile(picture)
            }
            Err(Failure::Missing) => {
                self.recover();
                What::Missing
            }
            Err(failure) => self.fail(tile, failure),
        };
        self.kept.insert(tile, Kept { what, last_use: self.uses });
    }

    /// The server is there: what failed once, probably by its absence, need not wait.
    fn recover(&mut self) {
        if self.outage.take().is_some() {
            for kept in self.kept.values_mut() {
                if let What::Failed { tries: ..=1, again_s } = &mut kept.what {
                    *again_s = self.now_s;
                }
            }
        }
    }

    fn fail(&mut self, tile: TileId, failure: Failure) -> What {
        let before = match self.kept.get(&tile).map(|k| &k.what) {
            Some(What::Failed { tries, .. }) => *tries,
            Some(What::Tile(_) | What::Missing) | None => 0,
        };
        let tries = if self.outage.is_none() { before + 1 } else { before.max(1) };
        let now_s = self.now_s;
        let outage = self.outage.get_or_insert(Outage { failure, tries: 0, again_s: now_s });
        outage.failure = failure;
        // Those that were under way together fail together; that is one failure.
        if outage.again_s <= now_s {
            outage.tries += 1;
            outage.again_s = now_s + pause_s(outage.tries);
        }
        What::Failed { tries, again_s: (now_s + pause_s(tries)).max(outage.again_s) + MANNERS_S }
    }

    /// Sees to it that the tile is there, soon or later.
    fn ask(&mut self, tile: TileId) {
        let own_s = match self.kept.get(&tile).map(|k| &k.what) {
            Some(What::Tile(_)) => return,
            Some(What::Missing) => {
                self.missing = true;
                return;
            }
            Some(What::Failed { again_s, .. }) => *again_s,
            None => self.now_s,
        };
        self.lacking = true;
        if self.asked.contains(&tile) {
            return;
        }
        let due_s = self.outage.as_ref().map_or(own_s, |o| own_s.max(o.again_s));
        if due_s > self.now_s {
            self.again_s = Some(self.again_s.map_or(due_s, |s| s.min(due_s)));
            return;
        }
        // While nothing comes, one at a time is tried. Its answer brings the next frame, as those do that others wait for.
        if (self.outage.is_none() || self.asked.is_empty()) && self.fetcher.ask(tile) {
            self.asked.insert(tile);
        }
    }
}

impl Tiles for Online {
    fn at(&mut self, wanted: TileId) -> Option<TilePiece> {
        if wanted.zoom > 31 || wanted.x >> wanted.zoom != 0 || wanted.y >> wanted.zoom != 0 {
            return None;
        }
        self.uses += 1;
        let finest = wanted.zoom.min(self.options.max_zoom);
        self.ask(above(wanted, finest).0);
        for zoom in (0..=finest).rev() {
            let (id, part) = above(wanted, zoom);
            if let Some(Kept { what: What::Tile(tile), last_use }) = self.kept.get_mut(&id) {
                *last_use = self.uses;
                self.drawn.push(wanted);
                return Some(TilePiece::new(tile.clone(), part));
            }
        }
        None
    }

    fn attribution(&self) -> Attribution {
        // The map draws it itself, because the widget's cannot hold what a user typed.
        Attribution { text: "", url: "", logo_light: None, logo_dark: None }
    }

    fn tile_size(&self) -> u32 {
        TILE_SIZE
    }
}

fn check(url: &str) -> Result<(), Error> {
    if !url.starts_with("http://") && !url.starts_with("https://") {
        return Err(Error::NotHttp);
    }
    if !["{z}", "{x}", "{y}"].iter().all(|p| url.contains(p)) {
        return Err(Error::NoPlaceholder);
    }
    Ok(())
}

/// The part of an address that says which server it is, without credentials.
pub fn host(url: &str) -> &str {
    let after = url.split_once("://").map_or(url, |(_, after)| after);
    let authority = after.split(['/', '?', '#']).next().unwrap_or(after);
    authority.rsplit('@').next().unwrap_or(authority)
}

/// Seconds to wait after so many failures.
fn pause_s(tries: u32) -> f64 {
    (FIRST_PAUSE_S * f64::from(tries.saturating_sub(1)).exp2()).min(LAST_PAUSE_S)
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead, BufReader, Write},
        net::TcpListener,
    };

    use super::*;

    fn options(url: &str) -> OnlineOptions {
        OnlineOptions { url: url.to_owned(), ..OnlineOptions::default() }
    }

    /// Answers one request.
    fn answer(server: &TcpListener, status: &str, body: &[u8]) {
        let (stream, _) = server.accept().unwrap();
        let head = BufReader::new(&stream).lines().map(Result::unwrap).take_while(|l| !l.is_empty());
        assert!(head.count() > 1);
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
        (&stream).write_all(head.as_bytes()).unwrap();
        (&stream).write_all(body).unwrap();
    }

    const PICTURE: &[u8] = include_bytes!("../../../assets/icon.png");

    /// What one frame draws of a row of tiles.
    fn frame(online: &mut Online, now_s: f64, tiles: u32) -> usize {
        online.begin(now_s);
        (0..tiles).filter_map(|x| online.at(TileId { x, y: 3, zoom: 4 })).count()
    }

    fn wait(online: &mut Online) {
        let answer = online.fetcher.wait();
        online.take(answer);
    }

    #[test]
    fn an_address_that_cannot_work_is_refused() {
        let error = |url| Online::new(options(url), egui::Context::default()).err();
        assert_eq!(error("tiles.example/{z}/{x}/{y}"), Some(Error::NotHttp));
        assert_eq!(error("https://tiles.example/{z}/{x}"), Some(Error::NoPlaceholder));
        for (url, name) in [
            ("https://tile.example/{z}/{x}/{y}.png", "tile.example"),
            ("http://me:secret@127.0.0.1:80/{z}", "127.0.0.1:80"),
        ] {
            assert_eq!(host(url), name);
        }
    }

    #[test]
    fn an_outage_is_told_and_survived() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = server.local_addr().unwrap();
        drop(server);
        let url = format!("http://{at}/{{z}}/{{x}}/{{y}}.png");
        let mut online = Online::new(options(&url), egui::Context::default()).unwrap();

        assert_eq!(frame(&mut online, 100.0, 1), 0);
        assert_eq!(online.problem(), None, "nobody knows yet");
        wait(&mut online);
        frame(&mut online, 100.0, 1);
        assert_eq!(online.problem(), Some(format!("The map server cannot be reached: {at}")));
        let again_s = online.again_s.expect("it is tried again");
        assert!((105.0..110.0).contains(&again_s), "{again_s}");
        assert!(online.asked.is_empty(), "not at once");
        frame(&mut online, again_s - 0.5, 1);
        assert!(online.asked.is_empty());
        frame(&mut online, again_s, 1);
        wait(&mut online);
        frame(&mut online, again_s, 1);
        let later_s = online.again_s.expect("it is tried again");
        assert!(later_s - again_s > 9.0, "ever more seldom: {}", later_s - again_s);

        // The server is back, and has trouble of its own.
        let server = TcpListener::bind(at).unwrap();
        frame(&mut online, later_s, 1);
        answer(&server, "500 Oh", b"");
        wait(&mut online);
        frame(&mut online, later_s, 1);
        assert_eq!(online.problem(), Some(format!("The map server fails (HTTP 500): {at}")));

        // Now it has tiles. One is tried; when it comes, the others are asked for without waiting.
        let now_s = online.again_s.expect("it is tried again");
        frame(&mut online, now_s, 3);
        assert_eq!(online.asked.len(), 1);
        answer(&server, "200 OK", PICTURE);
        wait(&mut online);
        assert_eq!(frame(&mut online, now_s, 3), 1);
        assert_eq!(online.problem(), None);
        for _ in 0..2 {
            answer(&server, "200 OK", PICTURE);
            wait(&mut online);
        }
        assert_eq!(frame(&mut online, now_s, 3), 3);
        assert_eq!(frame(&mut online, now_s, 3), 3);
        assert_eq!((online.problem(), online.again_s), (None, None), "nothing is left to do");
        assert_eq!(online.drawn, online.drawn_before, "so nothing is painted again");
    }

    #[test]
    fn a_tile_that_a_server_does_not_have_is_asked_for_once() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = server.local_addr().unwrap();
        let mut online =
            Online::new(options(&format!("http://{at}/{{z}}/{{x}}/{{y}}")), egui::Context::default()).unwrap();
        frame(&mut online, 0.0, 1);
        answer(&server, "404 Not Found", b"");
        wait(&mut online);
        frame(&mut online, 1_000.0, 1);
        assert_eq!(online.problem(), Some(format!("The map server has no map of this place: {at}")));
        assert!(online.asked.is_empty() && online.again_s.is_none());
    }

    #[test]
    fn a_page_instead_of_a_picture_is_told() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = server.local_addr().unwrap();
        let mut online =
            Online::new(options(&format!("http://{at}/{{z}}/{{x}}/{{y}}")), egui::Context::default()).unwrap();
        frame(&mut online, 0.0, 1);
        answer(&server, "200 OK", b"<html>Welcome to our hotel");
        wait(&mut online);
        frame(&mut online, 0.0, 1);
        assert_eq!(online.problem(), Some(format!("The map server sends no map: {at}")));
    }
}
