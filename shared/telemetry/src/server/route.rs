//! Routes as spans and metrics name them. There are as many as the program has, so each is read once.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, OnceLock, PoisonError, RwLock},
};

use actix_web::HttpRequest;
use opentelemetry::metrics::BoundHistogram;

static ROUTES: LazyLock<RwLock<HashMap<String, Arc<Route>>>> = LazyLock::new(RwLock::default);

/// A route template.
pub(super) struct Route {
    /// `/users/{id}`.
    pub(super) template: Arc<str>,
    /// The series that most of its requests are counted in: by its labels it would be sought at every one.
    pub(super) usual: OnceLock<BoundHistogram<f64>>,
}

impl Route {
    /// The route that `request` is for, by its path alone.
    pub(super) fn of(request: &HttpRequest) -> Option<Arc<Self>> {
        let pattern = request.match_pattern()?;
        let routes = ROUTES.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(route) = routes.get(&pattern) {
            return Some(Arc::clone(route));
        }
        drop(routes);
        let route = Arc::new(Self {
            template: template(&pattern).into(),
            usual: OnceLock::new(),
        });
        let mut routes = ROUTES.write().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(routes.entry(pattern).or_insert(route)))
    }
}

/// A route template as people write it: actix keeps the regular expression of a segment, `{id:\d+}`; readers
/// and dashboards want `{id}`.
pub(super) fn template(pattern: &str) -> String {
    let mut template = String::with_capacity(pattern.len());
    let mut depth = 0_usize;
    let mut in_expression = false;
    for character in pattern.chars() {
        match character {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ':' if depth == 1 => in_expression = true,
            _ => {}
        }
        if depth == 0 {
            in_expression = false;
        }
        if !in_expression {
            template.push(character);
        }
    }
    template
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_leave_the_template() {
        let cases = [
            ("/users/{id}", "/users/{id}"),
            (r"/users/{id:\d{1,9}}/courses", "/users/{id}/courses"),
            ("/files/{tail:.*}", "/files/{tail}"),
            ("/a:b/{x}", "/a:b/{x}"),
            ("/", "/"),
        ];
        for (pattern, shown) in cases {
            assert_eq!(template(pattern), shown);
        }
    }
}
