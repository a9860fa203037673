//! Whatever bytes come: an end, and no panic.

use proptest::prelude::*;
use wayglass::capture::read::Ground;

use super::{
    items,
    pcap::{Link, login, pcap, pcapng},
};

const LAYOUTS: &[u8] = include_bytes!("../../fixtures/capture/layouts.txt");

fn samples() -> Vec<Vec<u8>> {
    let mut files: Vec<_> = [Link::Ethernet, Link::Cooked, Link::Raw].map(|link| pcap(link, false, &login())).to_vec();
    files.push(pcap(Link::Cooked2, true, &login()));
    files.push(pcapng(&login()));
    files.push(LAYOUTS.to_vec());
    files
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn flipped_and_cut_bytes_come_to_an_end(
        which in 0_usize..6,
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        cut in any::<prop::sample::Index>(),
        cuts in any::<bool>(),
    ) {
        let mut file = samples().swap_remove(which);
        for (at, byte) in flips {
            let at = at.index(file.len());
            file[at] = byte;
        }
        if cuts {
            file.truncate(cut.index(file.len()));
        }
        // What it holds by now does not matter; that it ends does.
        let _ = items(&file, &Ground::default());
    }
}
