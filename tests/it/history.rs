//! The past: trips and stops, replay, hidden positions, through the window, the store and the command line.

mod bar;
mod cli;
mod desk;
mod gone;
mod hidden;
mod window;
