//! Calls the user on the desktop. Where nobody shows notifications, it says so and harms nothing.

use crate::store::{Error, Pending};

/// The way to the desktop, open from the first notification on: some desktops take away what a program showed once that is gone.
#[derive(Clone, Default)]
pub(super) struct Desktop {
    #[cfg(all(unix, not(target_os = "macos")))]
    bus: std::sync::Arc<tokio::sync::Mutex<Option<zbus::Connection>>>,
}

impl super::Backend {
    /// Shows a notification, with a sound where the desktop has one. The answer says why not, where it could not be shown.
    pub fn notify(&self, title: String, text: String, sound: bool) -> Pending<()> {
        let (answer, pending) = Pending::pair();
        let desktop = self.desktop.clone();
        self.runtime.spawn(async move {
            let shown = desktop.show(&title, &text, sound).await;
            if let Err(error) = &shown {
                tracing::info!(%error, "a notification could not be shown");
            }
            answer.give(shown.map_err(|why| Error::Refused(format!("This desktop shows no notifications: {why}"))));
        });
        pending
    }
}

#[cfg(all(unix, not(target_os = "macos")))]
impl Desktop {
    async fn show(&self, title: &str, text: &str, sound: bool) -> Result<(), String> {
        let mut bus = self.bus.lock().await;
        let open = match bus.take() {
            Some(open) => Ok(open),
            None => connect().await,
        };
        let open = open.map_err(|error| error.to_string())?;
        notify(&open, title, text, sound).await.map_err(|error| error.to_string())?;
        // One that failed is not tried again.
        *bus = Some(open);
        Ok(())
    }
}

#[cfg(all(unix, not(target_os = "macos")))]
async fn connect() -> zbus::Result<zbus::Connection> {
    const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

    zbus::connection::Builder::session()?.method_timeout(PATIENCE).build().await
}

/// By the freedesktop notification service on the session's bus.
#[cfg(all(unix, not(target_os = "macos")))]
async fn notify(bus: &zbus::Connection, title: &str, text: &str, sound: bool) -> zbus::Result<()> {
    use std::collections::HashMap;

    use zbus::zvariant::Value;

    /// Milliseconds that it is shown; less than 0 leaves that to the desktop.
    const SHOWN_MS: i32 = -1;

    // A sound by name is the desktop's own: no audio of ours.
    let heard =
        if sound { ("sound-name", Value::from("message-new-instant")) } else { ("suppress-sound", Value::from(true)) };
    let hints = HashMap::from([
        heard,
        ("desktop-entry", Value::from("io.github.wayglass.Wayglass")),
        ("urgency", Value::from(1_u8)),
    ]);
    let actions: [&str; 0] = [];
    // Some desktops read the text as markup.
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let words = ("Wayglass", 0_u32, "wayglass", title, text.as_str(), &actions[..], hints, SHOWN_MS);
    let name = "org.freedesktop.Notifications";
    bus.call_method(Some(name), "/org/freedesktop/Notifications", Some(name), "Notify", &words).await?;
    Ok(())
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
impl Desktop {
    #[expect(clippy::unused_async, reason = "elsewhere it waits")]
    async fn show(&self, _title: &str, _text: &str, _sound: bool) -> Result<(), String> {
        Err("not on this system yet".to_owned())
    }
}
