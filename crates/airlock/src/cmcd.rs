//! What CMCD's tokens mean.

use crowdfold_beacon::{Beacon, Text};

use crate::ErrorClass;

/// The error a CMCD record states.
pub(crate) fn error(beacon: &Beacon<'_>, event: &str) -> Option<ErrorClass> {
    let stated = event == "e" || beacon.text(Text::State) == Some("f") || beacon.text(Text::Error).is_some();
    stated.then_some(ErrorClass::Other)
}
