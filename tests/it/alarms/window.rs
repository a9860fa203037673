//! Places and events in the window.
