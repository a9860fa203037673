//! What a frame of the packet list costs: layout and tessellation while it is scrolled, without a graphics card. The store has a million packets; the
//! window holds as many of them as it ever does.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "made-up numbers")]

use std::{sync::Arc, time::Instant};

use egui::{Context, Event, MouseWheelUnit, Pos2, RawInput, Rect, TouchPhase, pos2, vec2};
use wayglass::{
    model::{Direction, PacketId, PacketRow, Protocol, Timestamp, Verdict},
    ui::{
        Action, Cx, Data, View,
        data::{MAX_PACKETS, Pages},
        panels::packets::Packets,
        theme,
    },
};

/// What a frame may take of the processor, in milliseconds.
const LIMIT_MS: f64 = 4.0;
/// Packets in the store.
const STORED: u64 = 1_000_000;
const ALARM: &str = "787825260f0c1d030b26c9027ac8180c4658600004000901cc00287d001f718004041302000c472a0d0a";
const POSITION: &str = "78781f120f0a140e150bc505e51e780293a9e800540000f601006e0055da00035f240d0a";

fn main() {
    println!("one frame of the packet list, {MAX_PACKETS} of {STORED} packets held, limit {LIMIT_MS} ms:");
    for (name, filter, size) in [
        ("scrolled", None, vec2(1_440.0, 400.0)),
        ("whole window, scrolled", None, vec2(1_920.0, 1_080.0)),
        ("filtered by a field, scrolled", Some("speed >= 0 && dir == in"), vec2(1_440.0, 400.0)),
    ] {
        let mut stage = Stage::new(filter, size);
        // What is looked up once, and a filter's first look at everything.
        for _ in 0..400 {
            stage.frame(0.0);
        }
        let mut times: Vec<f64> = (0..400).map(|n| stage.frame(if n % 40 < 30 { 120.0 } else { -300.0 })).collect();
        times.sort_by(f64::total_cmp);
        let (median, slow) = (times[times.len() / 2], times[times.len() * 9 / 10]);
        let verdict = if median <= LIMIT_MS { "ok" } else { "OVER" };
        println!("  {name:<32}: {median:.2} ms, one in ten over {slow:.2} ms  {verdict}");
    }
}

fn bytes(hex: &str) -> Arc<[u8]> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

struct Stage {
    ctx: Context,
    data: Data,
    view: View,
    packets: Packets,
    size: egui::Vec2,
    seconds: f64,
}

impl Stage {
    fn new(filter: Option<&str>, size: egui::Vec2) -> Self {
        let mut data = Data::default();
        let (alarm, position) = (bytes(ALARM), bytes(POSITION));
        let first = i64::try_from(STORED).unwrap() - i64::try_from(MAX_PACKETS).unwrap() + 1;
        let rows = (first..).take(MAX_PACKETS).map(|id| PacketRow {
            id: PacketId(id),
            received: Timestamp::from_millisecond(1_700_000_000_000 + id * 250).unwrap(),
            protocol: Protocol::Gt06,
            direction: if id % 3 == 0 { Direction::Out } else { Direction::In },
            peer: "10.0.0.9:4711".into(),
            connection: 1,
            device: None,
            kind: if id % 9 == 0 { "alarm".into() } else { "location".into() },
            verdict: if id % 50 == 0 { Verdict::Warn } else { Verdict::Ok },
            bytes: if id % 9 == 0 { alarm.clone() } else { position.clone() },
            context: None,
            answers: None,
        });
        data.take_page(Pages::End, rows.collect(), true);
        data.count_packets(STORED, PacketId(i64::try_from(STORED).unwrap()));
        let ctx = Context::default();
        theme::install(&ctx);
        let mut packets = Packets::default();
        if let Some(text) = filter {
            packets.filter_by(text);
        }
        Self { ctx, data, view: View::default(), packets, size, seconds: 0.0 }
    }

    /// Draws a frame in which the wheel was turned by so many points. Gives what that took, in milliseconds.
    fn frame(&mut self, wheel: f32) -> f64 {
        self.seconds += 1.0 / 60.0;
        let middle: Pos2 = (self.size / 2.0).to_pos2();
        let turned = Event::MouseWheel {
            unit: MouseWheelUnit::Point,
            delta: vec2(0.0, wheel),
            phase: TouchPhase::Move,
            modifiers: egui::Modifiers::NONE,
            source: egui::MouseWheelSource::Wheel,
        };
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(pos2(0.0, 0.0), self.size)),
            time: Some(self.seconds),
            events: vec![Event::PointerMoved(middle), turned],
            ..RawInput::default()
        };
        let Self { data, view, packets, ctx, .. } = self;
        let now = Timestamp::from_second(1_700_250_000).unwrap();
        let mut actions: Vec<Action> = Vec::new();
        let begun = Instant::now();
        let output = ctx.run_ui(input, |ui| {
            let mut cx = Cx { data, view, now, actions: &mut actions };
            packets.ui(ui, &mut cx);
        });
        let shapes = ctx.tessellate(output.shapes, output.pixels_per_point);
        let took = begun.elapsed().as_secs_f64() * 1_000.0;
        assert!(!shapes.is_empty(), "something is drawn");
        took
    }
}
