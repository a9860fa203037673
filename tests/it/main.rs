//! One integration binary, so that the window's libraries are linked once.

mod store;
