//! The whole platform in one command. Starts the three services as three processes, shows their traces.

mod http;
mod traces;

fn main() {}
