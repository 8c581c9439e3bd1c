//! What hspace writes besides Ganeti's output: a forecast, a JSON report, a chart.

use serde::Serialize;

use super::super::option::Options;
use super::super::{Failure, Io, keys};
use crate::capacity::forecast::{Forecast, Taken};
use crate::capacity::{Filled, Size};
use crate::fail::FailMode;
use crate::show::number::fixed;

/// Everything that there is to report.
pub(super) struct Report<'a> {
    pub forecast: Forecast,
    pub standard: Size,
    pub filled: &'a Filled,
    /// Why no more of the standard size fit, the most frequent first.
    pub reasons: Vec<(FailMode, u64)>,
    /// Sizes of the tiers with their counts.
    pub tiers: Vec<(Size, usize)>,
}

#[derive(Serialize)]
struct Spec {
    memory_mib: i64,
    disk_mib: i64,
    vcpus: i64,
}

#[derive(Serialize)]
struct Tier {
    spec: Spec,
    count: usize,
}

#[derive(Serialize)]
struct Document {
    nodes: usize,
    standard: Spec,
    forecast: Forecast,
    stopped_by: Option<&'static str>,
    failures: Vec<(&'static str, u64)>,
    tiers: Vec<Tier>,
}

/// Says and writes what was asked for.
pub(super) fn write(options: &Options, io: &mut Io<'_>, report: &Report<'_>) -> Result<(), Failure> {
    if let (Some(rate), Some(days)) = (report.forecast.rate, report.forecast.full_in_days) {
        if options.machine_readable {
            keys::print(io, "HTS", "RATE", &fixed(rate, 2))?;
            keys::print(io, "HTS", "FULL_IN_DAYS", &fixed(days, 2))?;
        } else {
            let count = report.forecast.fits;
            io.say(&format!(
                "At {} instances of the standard size a day it is full in {} days ({count} fit).\n",
                fixed(rate, 2),
                fixed(days, 1)
            ))?;
        }
    }
    if let Some(path) = &options.json {
        io.write(path, &json(report))?;
    }
    if let Some(path) = &options.chart {
        io.write(path, &chart(&report.forecast))?;
    }
    Ok(())
}

fn json(report: &Report<'_>) -> String {
    let spec = |size: &Size| Spec { memory_mib: size.memory, disk_mib: size.disk, vcpus: size.vcpus };
    let seen = report.reasons.iter().filter(|(_, count)| *count > 0).map(|(mode, count)| (mode.as_str(), *count));
    let document = Document {
        nodes: report.filled.cluster.nodes.len(),
        standard: spec(&report.standard),
        forecast: report.forecast,
        stopped_by: report.reasons.first().map(|(mode, _)| mode.as_str()),
        failures: seen.collect(),
        tiers: report.tiers.iter().map(|(size, count)| Tier { spec: spec(size), count: *count }).collect(),
    };
    // Numbers and names alone: nothing in them cannot be written. What is no number becomes null.
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 360.0;
/// The area of the lines: left, top, right, bottom.
const AREA: (f64, f64, f64, f64) = (64.0, 48.0, 560.0, 304.0);
/// One of each resource: its name, its colour (told apart also by those who see few), how it is dashed.
const LINES: [(&str, &str, &str); 3] = [("memory", "#0072b2", ""), ("disk", "#d55e00", "8 4"), ("vCPUs", "#009e73", "2 3")];

/// Parts that are taken, from now until no more fit. New instances are alike, so the lines are straight.
fn chart(forecast: &Forecast) -> String {
    let (left, top, right, bottom) = AREA;
    let y = |part: f64| bottom - part.clamp(0.0, 1.0) * (bottom - top);
    let parts = |taken: &Taken| [taken.memory, taken.disk, taken.vcpus];
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"{left}\" y=\"28\" font-size=\"16\">{}</text>\n",
        title(forecast)
    );
    for quarter in 0..=4 {
        let part = f64::from(quarter) / 4.0;
        svg += &format!(
            "<line x1=\"{left}\" x2=\"{right}\" y1=\"{0}\" y2=\"{0}\" stroke=\"#ddd\"/><text x=\"{1}\" y=\"{2}\" text-anchor=\"end\">{3} %</text>\n",
            y(part),
            left - 8.0,
            y(part) + 4.0,
            quarter * 25
        );
    }
    let (end, unit) = match forecast.full_in_days {
        Some(days) => (fixed(days, 1), "days from now"),
        None => (forecast.fits.to_string(), "instances more"),
    };
    svg += &format!(
        "<text x=\"{left}\" y=\"{0}\">0</text><text x=\"{right}\" y=\"{0}\" text-anchor=\"end\">{end}</text>\
         <text x=\"{1}\" y=\"{2}\" text-anchor=\"middle\">{unit}</text>\n",
        bottom + 18.0,
        f64::midpoint(left, right),
        bottom + 38.0
    );
    let ends = parts(&forecast.now).into_iter().zip(parts(&forecast.full));
    let known = LINES.iter().zip(ends).filter(|(_, (now, full))| now.is_finite() && full.is_finite());
    for (at, ((name, colour, dashes), (now, full))) in known.enumerate() {
        let label = top + 14.0 + 40.0 * f64::from(u8::try_from(at).unwrap_or(u8::MAX));
        let (begin, end, key, text) = (y(now), y(full), right + 20.0, right + 52.0);
        let (now, full) = (fixed(now * 100.0, 0), fixed(full * 100.0, 0));
        let style = format!("stroke=\"{colour}\" stroke-width=\"3\" stroke-dasharray=\"{dashes}\"");
        svg += &format!("<line x1=\"{left}\" y1=\"{begin}\" x2=\"{right}\" y2=\"{end}\" {style}/>\n");
        svg += &format!("<line x1=\"{key}\" x2=\"{}\" y1=\"{label}\" y2=\"{label}\" {style}/>", key + 24.0);
        svg += &format!("<text x=\"{text}\" y=\"{}\">{name}</text>", label + 4.0);
        svg += &format!("<text x=\"{text}\" y=\"{}\" fill=\"#555\">{now} % → {full} %</text>\n", label + 20.0);
    }
    svg + "</svg>\n"
}

fn title(forecast: &Forecast) -> String {
    let fits = forecast.fits;
    match (forecast.rate, forecast.full_in_days) {
        (Some(rate), Some(days)) => format!("Full in {} days at {} instances a day ({fits} fit)", fixed(days, 1), fixed(rate, 2)),
        _ => format!("{fits} instances of the standard size fit"),
    }
}
