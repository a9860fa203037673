//! OwnTracks over HTTP.
