//! Sizes in MiB as people and scripts want them.

use std::str::FromStr;

/// The value of `--units`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// `h`: the largest one that fits, with its letter.
    Human,
    /// `m`: MiB, without letter.
    Mebi,
    /// `g`: GiB, without letter.
    Gibi,
    /// `t`: TiB, without letter.
    Tebi,
}

/// A word that is no unit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Invalid unit specified '{0}', expected one of h, m, g, t")]
pub struct ParseUnitError(pub String);

impl FromStr for Unit {
    type Err = ParseUnitError;

    fn from_str(text: &str) -> Result<Self, ParseUnitError> {
        match text {
            "h" => Ok(Self::Human),
            "m" => Ok(Self::Mebi),
            "g" => Ok(Self::Gibi),
            "t" => Ok(Self::Tebi),
            _ => Err(ParseUnitError(text.to_owned())),
        }
    }
}

impl Unit {
    /// Writes a number of MiB: whole MiB, or GiB and TiB with one digit after the point.
    #[must_use]
    pub fn format(self, mib: f64) -> String {
        const K: f64 = 1024.0;
        match self {
            Self::Human if mib < K => format!("{mib:.0}M"),
            Self::Human if mib < K * K => format!("{:.1}G", mib / K),
            Self::Human => format!("{:.1}T", mib / K / K),
            Self::Mebi => format!("{mib:.0}"),
            Self::Gibi => format!("{:.1}", mib / K),
            Self::Tebi => format!("{:.1}", mib / K / K),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Ganeti writes for these.
    #[test]
    fn sizes() {
        let h = |mib: f64| Unit::Human.format(mib);
        assert_eq!([h(0.0), h(1.0), h(1023.0)], ["0M", "1M", "1023M"]);
        assert_eq!([h(1024.0), h(1280.0), h(1536.0), h(1_048_575.0)], ["1.0G", "1.2G", "1.5G", "1024.0G"]);
        assert_eq!([h(1_048_576.0), h(5.5 * 1_048_576.0)], ["1.0T", "5.5T"]);
        assert_eq!([Unit::Mebi.format(10_240.0), Unit::Mebi.format(0.5), Unit::Mebi.format(1.5)], ["10240", "0", "2"]);
        assert_eq!([Unit::Gibi.format(512.0), Unit::Gibi.format(10_240.0)], ["0.5", "10.0"]);
        assert_eq!([Unit::Tebi.format(1_048_576.0), Unit::Tebi.format(1024.0)], ["1.0", "0.0"]);
        assert_eq!("h".parse(), Ok(Unit::Human));
        assert_eq!("k".parse::<Unit>(), Err(ParseUnitError("k".into())));
    }
}
