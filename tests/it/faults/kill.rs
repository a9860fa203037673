//! Kills at random moments, and stops in order: what was answered is stored.

use super::{
    audit::open,
    far::Fleet,
    helper::InTheWay,
    process::{STOP, Serve, pause, until},
    scale,
};

/// Numbers that look like chance and are the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

#[test]
fn kill_9_under_load_loses_nothing_and_doubles_nothing() {
    let data = tempfile::tempdir().unwrap();
    let mut serve = Serve::start(data.path());
    let fleet = Fleet::start(3, 3, serve.gt06, serve.owntracks);
    let mut chance = Chance(7);
    for round in 0..scale(6, 100) {
        let before = fleet.ledger.count();
        until("both kinds are answered again", || {
            let now = fleet.ledger.count();
            now.0 > before.0 && now.1 > before.1
        });
        pause(chance.below(400));
        serve.kill();
        // As the kill left it, before any restart mends it.
        if round % 3 == 0 {
            super::audit::sound(&open(data.path()));
        }
        serve = Serve::start(data.path());
        fleet.targets.set(serve.gt06, serve.owntracks);
    }
    let ledger = fleet.stop();
    serve.kill();
    eprintln!("kill -9: {}", ledger.audit(data.path()));
}

#[test]
fn a_signal_under_load_drains_and_ends_well() {
    for signal in ["TERM", "INT"] {
        let data = tempfile::tempdir().unwrap();
        let serve = Serve::start(data.path());
        let fleet = Fleet::start(3, 3, serve.gt06, serve.owntracks);
        until("some are answered", || fleet.ledger.count().0 > 20 && fleet.ledger.count().1 > 20);
        let (status, took) = serve.stop_by(signal);
        let ledger = fleet.stop();
        assert!(status.success() && took <= STOP, "{signal}: {status} after {took:?}");
        assert!(!data.path().join("wayglass.db-wal").exists(), "the log is emptied into the file");
        eprintln!("SIG{signal} under load, ended after {took:?}: {}", ledger.audit(data.path()));
    }
}

#[test]
fn a_signal_while_the_database_is_locked_ends_well_and_in_time() {
    for signal in ["TERM", "INT"] {
        let data = tempfile::tempdir().unwrap();
        let serve = Serve::start(data.path());
        let fleet = Fleet::start(4, 4, serve.gt06, serve.owntracks);
        until("some are answered", || fleet.ledger.count().0 > 20 && fleet.ledger.count().1 > 20);
        let holder = InTheWay::lock(data.path());
        pause(300);
        let (status, took) = serve.stop_by(signal);
        assert!(status.success() && took <= STOP, "{signal}: {status} after {took:?}");
        holder.let_go();
        eprintln!("SIG{signal} while locked, ended after {took:?}: {}", fleet.stop().audit(data.path()));
    }
}
