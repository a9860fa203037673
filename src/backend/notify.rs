//! Calls the user on the desktop. Where nobody shows notifications, it says so and harms nothing.

use crate::store::{Error, Pending};

impl super::Backend {
    /// Shows a notification, with a sound where the desktop has one. The answer says why not, where it could not be shown.
    pub fn notify(&self, title: String, text: String, sound: bool) -> Pending<()> {
        let (answer, pending) = Pending::pair();
        self.runtime.spawn(async move {
            let shown = show(&title, &text, sound).await;
            if let Err(error) = &shown {
                tracing::info!(%error, "a notification could not be shown");
            }
            answer.give(shown.map_err(|why| Error::Refused(format!("This desktop shows no notifications: {why}"))));
        });
        pending
    }
}

/// By the freedesktop notification service on the session's bus.
#[cfg(all(unix, not(target_os = "macos")))]
async fn show(title: &str, text: &str, sound: bool) -> Result<(), String> {
    use std::collections::HashMap;

    use zbus::{connection::Builder, zvariant::Value};

    /// Milliseconds that it is shown; less than 0 leaves that to the desktop.
    const SHOWN_MS: i32 = -1;
    const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

    let said = |error: zbus::Error| error.to_string();
    let bus = Builder::session().map_err(said)?.method_timeout(PATIENCE).build().await.map_err(said)?;
    // A sound by name is the desktop's own: no audio of ours.
    let heard =
        if sound { ("sound-name", Value::from("message-new-instant")) } else { ("suppress-sound", Value::from(true)) };
    let hints = HashMap::from([heard, ("desktop-entry", Value::from("wayglass")), ("urgency", Value::from(1_u8))]);
    let actions: [&str; 0] = [];
    // Some desktops read the text as markup.
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let words = ("Wayglass", 0_u32, "wayglass", title, text.as_str(), &actions[..], hints, SHOWN_MS);
    let name = "org.freedesktop.Notifications";
    bus.call_method(Some(name), "/org/freedesktop/Notifications", Some(name), "Notify", &words).await.map_err(said)?;
    Ok(())
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
#[expect(clippy::unused_async, reason = "elsewhere it waits")]
async fn show(_title: &str, _text: &str, _sound: bool) -> Result<(), String> {
    Err("not on this system yet".to_owned())
}
