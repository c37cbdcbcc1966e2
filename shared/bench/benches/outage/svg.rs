//! The scene as a drawing: rates above, p99 below.

use std::fmt::{self, Write as _};
use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::load::PER_SECOND;
use crate::plot::{Bucket, buckets, millis};
use crate::record::{DEADLINE, Phase, Record};
use crate::scene::Scene;

const WIDTH: f64 = 900.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = LEFT + WIDTH;

/// A frame that curves are drawn in. Distances are in units of the drawing.
struct Frame {
    top: f64,
    height: f64,
    /// The value at its upper edge.
    full: f64,
}

struct Curve {
    color: &'static str,
    name: &'static str,
    /// Where its name stands, from the left.
    named_at: f64,
    value: fn(&Bucket) -> f64,
}

const RATES: [Curve; 3] = [
    Curve {
        color: "#1a7f37",
        name: "answered 200, per second",
        named_at: LEFT,
        value: |bucket| bucket.answered,
    },
    Curve {
        color: "#8a8a8a",
        name: "refused or failed, per second",
        named_at: LEFT + 190.0,
        value: |bucket| bucket.refused,
    },
    Curve {
        color: "#0b62c4",
        name: "sends at the last hop, per second",
        named_at: LEFT + 400.0,
        value: |bucket| bucket.sends,
    },
];
const P99: Curve = Curve {
    color: "#9a3fb5",
    name: "p99 at the first hop (below)",
    named_at: LEFT + 640.0,
    value: |bucket| bucket.p99,
};

/// Writes `target/outage-<scene>.svg`.
pub(crate) fn write(scene: &Scene, record: &Record) -> anyhow::Result<()> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target"));
    fs::create_dir_all(folder)?;
    let file = folder.join(format!("outage-{}.svg", scene.name));
    fs::write(file, Drawing::of(record).svg(scene.title)?)?;
    Ok(())
}

struct Drawing {
    buckets: Vec<Bucket>,
    dead: (Duration, Duration),
    seconds: f64,
}

impl Drawing {
    fn of(record: &Record) -> Self {
        Self {
            buckets: buckets(record),
            dead: record.span(Phase::Dead),
            seconds: record.span(Phase::Recovered).1.as_secs_f64(),
        }
    }

    fn svg(&self, title: &str) -> Result<String, fmt::Error> {
        let pace = f64::from(PER_SECOND);
        let rates = Frame {
            top: 58.0,
            height: 220.0,
            full: pace * 1.35,
        };
        let times = Frame {
            top: 318.0,
            height: 110.0,
            full: millis(DEADLINE) * 1.1,
        };
        let mut svg = String::from(
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 980 460" font-family="sans-serif" font-size="12" fill="#222">
<rect width="980" height="460" fill="#fff"/>
"##,
        );
        writeln!(
            svg,
            r#"<text x="{LEFT}" y="20" font-size="14" font-weight="bold">Three services in a row: {title}</text>"#
        )?;
        for frame in [&rates, &times] {
            self.frame(&mut svg, frame)?;
        }
        for curve in &RATES {
            self.curve(&mut svg, &rates, curve)?;
        }
        self.curve(&mut svg, &times, &P99)?;
        for rate in [0.0, pace / 2.0, pace] {
            rates.mark(&mut svg, rate, &format!("{rate:.0}"))?;
        }
        let deadline = format!("{} s", DEADLINE.as_secs_f64());
        times.mark(&mut svg, millis(DEADLINE), &deadline)?;
        times.mark(&mut svg, 0.0, "0")?;
        self.seconds(&mut svg, times.top + times.height + 18.0)?;
        svg.push_str("</svg>\n");
        Ok(svg)
    }

    fn x(&self, at: Duration) -> f64 {
        LEFT + at.as_secs_f64() / self.seconds * WIDTH
    }

    /// The edge of a frame, with the time in which the last service is dead.
    fn frame(&self, svg: &mut String, Frame { top, height, .. }: &Frame) -> fmt::Result {
        let (from, width) = (
            self.x(self.dead.0),
            self.x(self.dead.1) - self.x(self.dead.0),
        );
        writeln!(
            svg,
            r##"<rect x="{from:.1}" y="{top}" width="{width:.1}" height="{height}" fill="#f6dddd"/>
<text x="{:.0}" y="{:.0}" fill="#a33">the last service is dead</text>
<rect x="{LEFT}" y="{top}" width="{WIDTH}" height="{height}" fill="none" stroke="#bbb"/>"##,
            from + 6.0,
            top + 14.0,
        )
    }

    fn curve(&self, svg: &mut String, frame: &Frame, curve: &Curve) -> fmt::Result {
        svg.push_str(r#"<polyline points=""#);
        for bucket in &self.buckets {
            let (x, y) = (self.x(bucket.from), frame.y((curve.value)(bucket)));
            write!(svg, "{x:.1},{y:.1} ")?;
        }
        let Curve {
            color,
            name,
            named_at,
            ..
        } = curve;
        writeln!(
            svg,
            r#"" fill="none" stroke="{color}" stroke-width="1.8"/>"#
        )?;
        writeln!(
            svg,
            r#"<text x="{named_at}" y="44" fill="{color}">{name}</text>"#
        )
    }

    /// The line of seconds at the foot.
    fn seconds(&self, svg: &mut String, y: f64) -> fmt::Result {
        let tens = (0..).step_by(10).map(Duration::from_secs);
        for at in tens.take_while(|at| at.as_secs_f64() <= self.seconds) {
            let (x, seconds) = (self.x(at), at.as_secs());
            writeln!(
                svg,
                r#"<text x="{x:.0}" y="{y:.0}" text-anchor="middle">{seconds} s</text>"#
            )?;
        }
        Ok(())
    }
}

impl Frame {
    fn y(&self, value: f64) -> f64 {
        self.top + self.height * (1.0 - (value / self.full).min(1.0))
    }

    /// A line across the frame at `value`, named at the left.
    fn mark(&self, svg: &mut String, value: f64, name: &str) -> fmt::Result {
        let y = self.y(value);
        writeln!(
            svg,
            r##"<line x1="{LEFT}" x2="{RIGHT}" y1="{y:.1}" y2="{y:.1}" stroke="#c99" stroke-dasharray="4 3"/>
<text x="{:.0}" y="{:.0}" text-anchor="end">{name}</text>"##,
            LEFT - 6.0,
            y + 4.0,
        )
    }
}
