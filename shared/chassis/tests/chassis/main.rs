//! The chassis from outside: a small service over real HTTP, in its good and its bad hours.

mod bakery;

mod answers;
mod callers;
mod deadlines;
mod leaving;
mod operators;
mod requests;
