//! How much each component counts.

use super::component::{COMPONENTS, Source};
use super::row::{LANES, SPREADS};

/// One weight per component, in the order of [`COMPONENTS`].
#[derive(Debug, Clone, PartialEq)]
pub struct Weights(pub [f64; COMPONENTS.len()]);

impl Default for Weights {
    fn default() -> Self {
        Self(COMPONENTS.map(|component| component.weight))
    }
}

/// The weights of what is counted, not spread.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub n1: f64,
    pub tags: f64,
    pub location: f64,
    pub reserved: f64,
    pub offline_all: f64,
    pub offline_primary: f64,
    pub pairs: f64,
}

impl Weights {
    /// Changes the weight of the component of that name.
    ///
    /// # Errors
    /// There is none of that name, or the weight is not a number from 0 on.
    pub fn set(&mut self, name: &str, weight: f64) -> Result<(), String> {
        let names = || COMPONENTS.iter().map(|component| component.name).collect::<Vec<_>>().join(", ");
        let at = COMPONENTS
            .iter()
            .position(|component| component.name == name)
            .ok_or_else(|| format!("there is no score component '{name}'; they are {}", names()))?;
        if !weight.is_finite() || weight < 0.0 {
            return Err(format!("the weight of {name} must be a number from 0 on, not {weight}"));
        }
        self.0[at] = weight;
        Ok(())
    }

    /// What the reserved memory counts, in parts of what it usually counts.
    #[must_use]
    pub fn reserved_part(&self) -> f64 {
        self.counts().reserved / Self::default().counts().reserved
    }

    /// Per spread lane of a row its weight.
    pub(crate) fn spreads(&self) -> [f64; LANES] {
        let mut weights = [0.0; LANES];
        for (component, weight) in COMPONENTS.iter().zip(self.0) {
            if let Source::Spread(lane) = component.source {
                debug_assert!(lane < SPREADS, "only the first lanes are spreads");
                weights[lane] = weight;
            }
        }
        weights
    }

    pub(crate) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for (component, weight) in COMPONENTS.iter().zip(self.0) {
            match component.source {
                Source::Spread(_) => {}
                Source::N1 => counts.n1 = weight,
                Source::Tags => counts.tags = weight,
                Source::Location => counts.location = weight,
                Source::Reserved => counts.reserved = weight,
                Source::OfflineAll => counts.offline_all = weight,
                Source::OfflinePrimary => counts.offline_primary = weight,
                Source::Pairs => counts.pairs = weight,
            }
        }
        counts
    }
}
