//! Three real processes, three databases, one collector: the platform as its users meet it.

mod cast;
mod platform;

mod journey;
mod leaving;
mod outages;
mod traces;
