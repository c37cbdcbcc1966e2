//! What spans and metrics say of a statement, read from its text once.
//!
//! A service has some hundred statements and sends each a thousand times; to read a text, and to find its series by its
//! labels, costs more than all else that is recorded.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock, PoisonError, RwLock},
};

use opentelemetry::{
    KeyValue,
    metrics::{BoundHistogram, Histogram},
};

use super::{
    statement::{LONGEST_TEXT, Summary, without_values},
    target::Target,
};

/// Texts kept at most, some 4 kB each: the statements of a service, with room for lists of several lengths.
const KEPT: usize = 256;

/// Where statements go, and those that went there.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) target: Target,
    statements: RwLock<HashMap<String, Arc<Described>>>,
}

/// A statement as its span and its metric tell it.
#[derive(Debug)]
pub(super) struct Described {
    /// `SELECT users`.
    pub(super) name: String,
    /// `db.operation.name`.
    pub(super) operation: String,
    /// `db.collection.name`.
    pub(super) collection: Option<String>,
    /// `db.query.text`.
    pub(super) text: String,
    /// Labels of the metric, of a statement that succeeds.
    pub(super) labels: Vec<KeyValue>,
    duration: OnceLock<BoundHistogram<f64>>,
}

impl Known {
    pub(super) fn new(target: Target) -> Self {
        Self {
            target,
            statements: RwLock::default(),
        }
    }

    pub(super) fn describe(&self, sql: &str) -> Arc<Described> {
        let known = self.statements.read();
        let known = known
            .unwrap_or_else(PoisonError::into_inner)
            .get(sql)
            .cloned();
        known.unwrap_or_else(|| self.learn(sql))
    }

    fn learn(&self, sql: &str) -> Arc<Described> {
        let described = Arc::new(Described::of(&self.target, sql));
        if sql.len() <= LONGEST_TEXT {
            let statements = self.statements.write();
            let mut statements = statements.unwrap_or_else(PoisonError::into_inner);
            if statements.len() >= KEPT {
                statements.clear();
            }
            statements.insert(sql.to_owned(), Arc::clone(&described));
        }
        described
    }
}

impl Described {
    fn of(target: &Target, sql: &str) -> Self {
        let summary = Summary::of(sql);
        Self {
            name: summary.name(),
            operation: summary.operation.to_owned(),
            collection: summary.collection.map(str::to_owned),
            text: without_values(sql),
            labels: labels(target, &summary),
            duration: OnceLock::new(),
        }
    }

    /// The series of this statement when it succeeds.
    pub(super) fn succeeded(&self, duration: &Histogram<f64>) -> &BoundHistogram<f64> {
        self.duration.get_or_init(|| duration.bind(&self.labels))
    }
}

fn labels(target: &Target, summary: &Summary<'_>) -> Vec<KeyValue> {
    let mut labels = Vec::with_capacity(6);
    labels.push(KeyValue::new("db.system.name", target.system));
    labels.push(KeyValue::new(
        "db.operation.name",
        summary.operation.to_owned(),
    ));
    labels.extend(
        summary
            .collection
            .map(|name| KeyValue::new("db.collection.name", name.to_owned())),
    );
    labels.extend(
        target
            .namespace
            .clone()
            .map(|name| KeyValue::new("db.namespace", name)),
    );
    labels
}

#[cfg(test)]
mod tests {
    use super::*;
    use sea_orm::DbBackend;

    fn known() -> Known {
        Known::new(Target::of(DbBackend::Sqlite, "sqlite:user.db"))
    }

    #[test]
    fn a_text_is_read_once() {
        let known = known();
        let first = known.describe("SELECT 1 FROM users");
        assert_eq!(first.name, "SELECT users");
        assert!(Arc::ptr_eq(&first, &known.describe("SELECT 1 FROM users")));
    }

    #[test]
    fn however_many_texts_there_are_few_are_kept() {
        let known = known();
        for number in 0..2 * KEPT {
            known.describe(&format!("SELECT {number} FROM users"));
            assert!(known.statements.read().unwrap().len() <= KEPT);
        }
        let long = format!("SELECT {} FROM users", "1".repeat(LONGEST_TEXT));
        let described = known.describe(&long);
        assert!(!Arc::ptr_eq(&described, &known.describe(&long)));
    }
}
