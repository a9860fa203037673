//! The window where nothing can be received: it opens all the same and says why.

use std::{fs, process::Command, time::Instant};

use super::{
    far::Phone,
    process::{Serve, pause, within},
    start::unwritable,
};
use crate::{support::SOON, window};

/// Opens the window of `folder` behind other programs; it must come, and end well when told.
fn opens(home: &std::path::Path, folder: &std::path::Path, before: &[String]) {
    let (_xvfb, display) = window::display();
    let before: Vec<&str> = before.iter().map(String::as_str).chain([env!("CARGO_BIN_EXE_wayglass")]).collect();
    let data = folder.to_str().expect("UTF-8");
    let words = ["desktop", "--gt06", "127.0.0.1:0", "--owntracks", "127.0.0.1:0", "--data-dir", data];
    let mut command: Command = within(home, &before, &words);
    command.env("DISPLAY", &display).env("LIBGL_ALWAYS_SOFTWARE", "1");
    let log = home.join("said");
    command.stderr(fs::File::create(&log).expect("a file"));
    let mut child = command.spawn().expect("the program starts");
    let said = || fs::read_to_string(&log).unwrap_or_default();
    // A window without a graphics card takes its time where others compile.
    let end = Instant::now() + 3 * SOON;
    while window::window(&display).is_none() {
        let ended = child.try_wait().expect("it can be asked");
        if ended.is_some() || Instant::now() > end {
            child.kill().ok();
            panic!("no window, {ended:?}: {}", said());
        }
        pause(50);
    }
    super::process::signal(child.id(), "TERM");
    let status = super::process::ended(&mut child, SOON);
    child.kill().ok();
    assert!(status.is_some_and(|status| status.success()), "{status:?}: {}", said());
}

#[test]
fn the_window_opens_over_a_folder_that_cannot_be_written() {
    let home = tempfile::tempdir().unwrap();
    let (fresh, used) = (home.path().join("fresh"), home.path().join("used"));
    fs::create_dir(&fresh).unwrap();
    let serve = Serve::start(&used);
    let body = r#"{"_type":"location","lat":1,"lon":2,"tst":1700000000,"tid":"xx"}"#;
    assert_eq!(Phone::call(serve.owntracks).unwrap().post(body).unwrap(), 200);
    serve.stop();
    for folder in [&fresh, &used] {
        let Some(before) = unwritable(folder) else {
            eprintln!("skipped: this user may not mount");
            return;
        };
        opens(home.path(), folder, &before);
    }
}

#[test]
fn a_second_window_looks_on_and_the_first_receives() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let first = Serve::start(&data);
    opens(home.path(), &data, &[]);
    let body = r#"{"_type":"location","lat":1,"lon":2,"tst":1700000000,"tid":"xx"}"#;
    assert_eq!(Phone::call(first.owntracks).unwrap().post(body).unwrap(), 200);
    first.stop();
}
