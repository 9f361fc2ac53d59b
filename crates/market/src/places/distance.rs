//! Distances on the ground between two points, by the great circle. Approximate by nature, so the only
//! place where numbers are not exact.

#![expect(clippy::float_arithmetic, reason = "distances are measured, never owed")]

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// The Earth's mean radius.
const EARTH_METRES: f64 = 6_371_008.8;

/// Micro-degrees in a degree.
const MICRO: f64 = 1e6;

/// Shortest that a degree of latitude is, in metres.
const DEGREE_METRES_MIN: f64 = 110_000.0;

/// A point, in millionths of a degree north and east.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Point {
    pub(super) north: i32,
    pub(super) east: i32,
}

/// How distances are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// International miles.
    Miles,
    /// Kilometres.
    Km,
}

impl Unit {
    /// As filters write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Miles => "miles",
            Self::Km => "km",
        }
    }

    fn metres(self) -> f64 {
        match self {
            Self::Miles => 1_609.344,
            Self::Km => 1_000.0,
        }
    }

    /// A distance in metres, to a tenth of the unit.
    pub(super) fn tell(self, metres: f64) -> String {
        format!("{:.1} {}", metres / self.metres(), self.name())
    }
}

/// How far around a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Radius {
    /// How many.
    pub length: Decimal,
    /// Of what.
    pub unit: Unit,
}

impl Radius {
    /// In metres.
    pub(super) fn metres(self) -> f64 {
        self.length.to_f64().unwrap_or_default() * self.unit.metres()
    }
}

impl Point {
    /// Metres to another point.
    pub(super) fn metres_to(self, other: Self) -> f64 {
        let (north, other_north) = (radians(self.north), radians(other.north));
        let (up, over) = (other_north - north, radians(other.east) - radians(self.east));
        let half =
            (up / 2.0).sin().powi(2) + north.cos() * other_north.cos() * (over / 2.0).sin().powi(2);
        2.0 * EARTH_METRES * half.sqrt().min(1.0).asin()
    }

    /// False only if the other point is farther away, judged by latitude alone.
    pub(super) fn may_be_within(self, metres: f64, other: Self) -> bool {
        let apart = f64::from(self.north) - f64::from(other.north);
        apart.abs() / MICRO * DEGREE_METRES_MIN <= metres
    }
}

fn radians(micro: i32) -> f64 {
    (f64::from(micro) / MICRO).to_radians()
}
