//! A metric as one export carried it.

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1 as wire;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;

use super::attributes::{self, Attributes};

/// One instrument of one service with its points.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// `service.name` of the resource.
    pub service: String,
    /// Such as `http.server.request.duration`.
    pub name: String,
    /// Such as `s`.
    pub unit: String,
    /// One per set of attributes.
    pub points: Vec<Point>,
}

/// What was measured for one set of attributes.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// What tells this point from the others.
    pub attributes: Attributes,
    /// The measurement.
    pub value: Measurement,
}

/// A number, or how many there were and how large.
#[derive(Debug, Clone, PartialEq)]
pub enum Measurement {
    /// A gauge or a sum.
    Number(f64),
    /// A histogram.
    Histogram {
        /// How many values.
        count: u64,
        /// Their sum.
        sum: f64,
        /// Upper bounds of all buckets but the last.
        bounds: Vec<f64>,
    },
}

/// Every metric of an export.
pub(super) fn all_of(export: ExportMetricsServiceRequest) -> Vec<Metric> {
    let mut metrics = Vec::new();
    for of_resource in export.resource_metrics {
        let (service, _) = attributes::of_resource(of_resource.resource);
        let wire = of_resource.scope_metrics.into_iter();
        for metric in wire.flat_map(|of_scope| of_scope.metrics) {
            metrics.push(Metric {
                service: service.clone(),
                points: points(&metric.name, metric.data),
                name: metric.name,
                unit: metric.unit,
            });
        }
    }
    metrics
}

fn points(name: &str, data: Option<Data>) -> Vec<Point> {
    match data {
        Some(Data::Gauge(gauge)) => gauge.data_points.into_iter().map(number).collect(),
        Some(Data::Sum(sum)) => sum.data_points.into_iter().map(number).collect(),
        Some(Data::Histogram(histogram)) => {
            histogram.data_points.into_iter().map(buckets).collect()
        }
        other => panic!("no service of ours measures {name} as {other:?}"),
    }
}

#[expect(clippy::cast_precision_loss, reason = "tests count to less than 2^53")]
fn number(point: wire::NumberDataPoint) -> Point {
    Point {
        attributes: attributes::of(point.attributes),
        value: Measurement::Number(match point.value {
            Some(Number::AsDouble(number)) => number,
            Some(Number::AsInt(number)) => number as f64,
            None => panic!("a point without a value"),
        }),
    }
}

fn buckets(point: wire::HistogramDataPoint) -> Point {
    Point {
        attributes: attributes::of(point.attributes),
        value: Measurement::Histogram {
            count: point.count,
            sum: point.sum.unwrap_or_default(),
            bounds: point.explicit_bounds,
        },
    }
}
