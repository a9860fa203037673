//! The window is drawn in every state, theme and size. `WAYGLASS_PICTURES=folder` keeps the pictures, to be looked at.

use wayglass::{
    model::DeviceId,
    ui::view::{PhonesTab, Sheet},
};

use super::{phones, stage::Stage};

fn picture(name: &str, stage: impl Fn() -> Stage) {
    for (dark, theme) in [(true, "dark"), (false, "light")] {
        for (width, height) in [(1440.0, 900.0), (1024.0, 640.0)] {
            let mut harness = stage().drawn(width, height, dark);
            harness.run_steps(6);
            let colors = crate::support::picture(&mut harness, &format!("{name}-{theme}-{width}.png"));
            assert!(colors > 100, "{name}: {colors} colours");
        }
    }
}

#[test]
fn the_window_is_drawn_in_every_state() {
    picture("first-run", Stage::empty);
    picture("fleet", || {
        let mut stage = Stage::fleet();
        stage.select(4);
        stage
    });
    picture("packet", || {
        let mut stage = Stage::fleet();
        stage.open_last_packet();
        stage
    });
    for (name, sheet) in [("console", Sheet::Commands), ("profile", Sheet::Profile)] {
        picture(name, || {
            let mut stage = Stage::fleet();
            stage.talk(1);
            stage.view.open.sheet = Some(sheet);
            stage
        });
    }
    picture("health", || {
        let mut stage = Stage::fleet();
        stage.view.open.sheet = Some(Sheet::Health);
        stage.data.health = Some(super::stage::health());
        stage.data.station.store_trouble = Some(wayglass::backend::Error::Full);
        stage
    });
    for (name, sheet) in [("settings", Sheet::Settings), ("export", Sheet::Export), ("keys", Sheet::Keys)] {
        picture(name, || {
            let mut stage = Stage::fleet();
            stage.view.open.sheet = Some(sheet);
            stage
        });
    }
}

#[test]
fn sheets_about_phones_are_drawn() {
    picture("phone-add", || {
        let mut stage = Stage::empty();
        stage.view.open.sheet = Some(Sheet::AddPhone);
        stage
    });
    picture("phone-setup", || phones::pairing(false));
    picture("phone-failed", || phones::pairing(true));
    picture("phone-https", phones::secure);
    picture("phone-locked", || {
        let mut stage = phones::phones();
        stage.view.selection.device = Some(DeviceId(8));
        stage
    });
    for (name, sheet) in [
        ("phone-passwords", Sheet::Phones(PhonesTab::Passwords)),
        ("phone-friends", Sheet::Phones(PhonesTab::Friends)),
        ("phone-profile", Sheet::Profile),
        ("phone-console", Sheet::Commands),
    ] {
        picture(name, || {
            let mut stage = phones::phones();
            stage.view.selection.device = Some(DeviceId(5));
            stage.view.open.sheet = Some(sheet);
            stage
        });
    }
}
