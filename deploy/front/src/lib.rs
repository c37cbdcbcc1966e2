//! The door of the local stack: what a person meets first, and the few tools around it.
//!
//! Everything here speaks to the services as any user of their APIs would, or as an operator;
//! nothing here is part of the platform, and the platform runs without it.
//!
//! | module | what |
//! |---|---|
//! | [`serve`](mod@serve) | page, doors, demo data and traffic, wired together |
//! | [`page`] | the page with everything that runs, its state and the stack's health |
//! | [`doors`] | ports of the host that lead to services with replicas |
//! | [`demo`], [`setup`], [`traffic`] | people and courses, tried until they are whole, and visits |
//! | [`load`], [`chaos`] | steady requests, and calls that go wrong |
//! | [`api`], [`http`] | the requests of people, over plain HTTP |
//! | [`services`], [`address`], [`status`] | who there is, where, and how they are |
//! | [`log`], [`signals`] | what every command does alike |

mod accepting;
pub mod address;
pub mod api;
pub mod chaos;
pub mod demo;
pub mod doors;
pub mod http;
pub mod load;
pub mod log;
pub mod page;
pub mod serve;
pub mod services;
pub mod setup;
pub mod signals;
pub mod status;
pub mod traffic;
