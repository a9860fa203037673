//! What of it is kept between runs.

use serde::{Deserialize, Serialize};

use super::{Bar, Span, TimeView};
use crate::track::Series;

/// How the past was looked at last. Which instant is not kept, nor a span that was over: a window opens on what is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KeptTime {
    bar: Bar,
    series: Series,
    span: Span,
    trips: bool,
    speed: u16,
    skip_parked: bool,
}

impl Default for KeptTime {
    fn default() -> Self {
        Self::of(&TimeView::default())
    }
}

impl KeptTime {
    pub fn of(time: &TimeView) -> Self {
        let TimeView { bar, series, trips, speed, skip_parked, .. } = *time;
        let span = time.whole.unwrap_or(time.span);
        Self { bar, series, span: if span.rolls() { span } else { Span::LastHour }, trips, speed, skip_parked }
    }

    pub fn view(self) -> TimeView {
        let Self { bar, series, span, trips, speed, skip_parked } = self;
        let speed = if super::SPEEDS.contains(&speed) { speed } else { TimeView::default().speed };
        TimeView { bar, series, span, speed, skip_parked, trips, ..TimeView::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(time: &TimeView) -> TimeView {
        let text = serde_json::to_string(&KeptTime::of(time)).unwrap();
        serde_json::from_str::<KeptTime>(&text).unwrap().view()
    }

    #[test]
    fn series_span_and_cards_are_kept_and_the_past_is_not() {
        let week = TimeView { series: Series::Voltage, span: Span::Week, trips: true, ..TimeView::default() };
        let kept = again(&week);
        assert_eq!((kept.series, kept.span, kept.trips, kept.bar), (Series::Voltage, Span::Week, true, Bar::Open));
        let zoomed = Span::Fixed { from_ms: 1, to_ms: 2 };
        assert_eq!(again(&TimeView { span: zoomed, whole: Some(Span::Today), ..week.clone() }).span, Span::Today);
        let past = again(&TimeView { span: Span::Yesterday, cursor_ms: Some(5), ..week });
        assert_eq!((past.span, past.cursor_ms), (Span::LastHour, None));
        let odd = serde_json::from_str::<KeptTime>(r#"{"speed":7}"#).unwrap().view();
        assert_eq!((odd.speed, odd.span), (10, Span::LastHour));
    }
}
