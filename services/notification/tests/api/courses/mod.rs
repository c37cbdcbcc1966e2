//! What happens in a course, live: told once to everybody in it, and to nobody else.

mod admission;
mod campus;
mod leaving;
mod sequence;
