//! Starts and stops the demo.

use std::sync::PoisonError;

use super::{Demo, is_demo};
use crate::{backend::Backend, store::query};

impl Backend {
    /// Starts `vehicles` simulated devices that speak to the real receivers over real sockets.
    pub fn start_demo(&self, vehicles: usize) {
        let mut running = self.demo.lock().unwrap_or_else(PoisonError::into_inner);
        if running.is_none() {
            let (handle, store) = (self.runtime.handle(), self.store.writer());
            *running = Some(Demo::start(handle, vehicles, &self.receivers(), &self.clock, store));
        }
    }

    /// Stops the demo; `forget` also removes its devices and their history.
    pub fn stop_demo(&self, forget: bool) {
        let running = self.demo.lock().unwrap_or_else(PoisonError::into_inner).take();
        let ended = running.map(Demo::stop);
        if forget {
            let (reader, writer) = (self.store.reader(), self.store.writer());
            self.runtime.spawn(async move {
                if let Some(ended) = ended {
                    // A report that is still on its way would bring its device back. A panic has been told already.
                    ended.await.ok();
                }
                let devices = reader.read(query::devices).answered().await.unwrap_or_default();
                for device in devices.iter().filter(|d| is_demo(&d.identity)) {
                    // Each that is gone is a fact; one that stays is said in the log.
                    if let Err(error) = writer.forget(device.id).answered().await {
                        tracing::warn!(device = %device.identity, %error, "a demo device stays");
                    }
                }
            });
        }
    }

    /// True while simulated devices are on the road.
    pub fn demo_running(&self) -> bool {
        self.demo.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}
