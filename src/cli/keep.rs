//! The flags that say what is kept for how long.

use std::time::Duration;

use clap::Args;

use crate::{
    backend::keeping::{self, KeepSet},
    model::Forever,
};

/// What goes when. Positions and events of devices never do.
#[derive(Debug, Args)]
pub(super) struct KeepArgs {
    /// How long packets are kept, as `30 days` or `forever`; what they told stays in any case [default: 30 days]
    #[arg(long, value_name = "TIME", env = "WAYGLASS_KEEP_PACKETS", value_parser = keeping::age_or_forever)]
    keep_packets: Option<Forever<Duration>>,
    /// How much room packets may take, as `2 GB` or `forever`; the oldest go first [default: 2 GB]
    #[arg(long, value_name = "SIZE", env = "WAYGLASS_KEEP_PACKETS_BYTES", value_parser = keeping::bytes_or_forever)]
    keep_packets_bytes: Option<Forever<u64>>,
    /// How many new senders are kept that nobody has decided about [default: 200]
    #[arg(long, value_name = "N", env = "WAYGLASS_QUARANTINE_SENDERS", value_parser = keeping::senders)]
    quarantine_senders: Option<usize>,
    /// How much room packets of new and ignored senders may take [default: 64 MB]
    #[arg(long, value_name = "SIZE", env = "WAYGLASS_QUARANTINE_BYTES", value_parser = keeping::bytes)]
    quarantine_bytes: Option<u64>,
    /// How long packets of new and ignored senders are kept [default: 7 days]
    #[arg(long, value_name = "TIME", env = "WAYGLASS_QUARANTINE_AGE", value_parser = keeping::age)]
    quarantine_age: Option<Duration>,
}

impl KeepArgs {
    pub(super) fn set(self) -> KeepSet {
        let Self { keep_packets, keep_packets_bytes, quarantine_senders, quarantine_bytes, quarantine_age } = self;
        KeepSet {
            packet_age: keep_packets,
            packet_bytes: keep_packets_bytes,
            new_devices: quarantine_senders,
            quarantine_bytes,
            quarantine_age,
        }
    }
}
