//! Pictures of the window for a person to look at: `cargo test --test it pictures -- --ignored`, then open `target/pictures`.

use wayglass::ui::view::Sheet;

use super::stage::Stage;

fn picture(name: &str, stage: impl Fn() -> Stage) {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("../pictures");
    std::fs::create_dir_all(&folder).expect("a folder");
    for (dark, theme) in [(true, "dark"), (false, "light")] {
        for (width, height) in [(1440.0, 900.0), (1024.0, 640.0)] {
            let mut harness = stage().drawn(width, height, dark);
            harness.run_steps(6);
            let image = harness.render().expect("a picture");
            image.save(folder.join(format!("{name}-{theme}-{width}.png"))).expect("written");
        }
    }
}

#[test]
#[ignore = "for a person to look at"]
fn pictures() {
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
    for (name, sheet) in [("settings", Sheet::Settings), ("export", Sheet::Export), ("keys", Sheet::Keys)] {
        picture(name, || {
            let mut stage = Stage::fleet();
            stage.view.open.sheet = Some(sheet);
            stage
        });
    }
}
