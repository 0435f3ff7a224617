//! Tests of guarantees by the compiler.

use std::fmt::{Debug, Display};
use std::hash::Hash;

use crowdfold_airlock::{Observation, Record, Rejection, SessionHash, SessionHasher, Shared};
use crowdfold_model::Reason;
use serde::Serialize;
use static_assertions::{assert_impl_all, assert_not_impl_any};

assert_not_impl_any!(Observation: Serialize, Debug, Display, Hash);
assert_not_impl_any!(Record<'static>: Serialize, Debug, Display, Hash, Clone);
assert_not_impl_any!(SessionHash: Serialize, Debug, Display);
assert_not_impl_any!(SessionHasher: Serialize, Debug, Display, Hash);
assert_not_impl_any!(Rejection: Serialize, Display);
assert_impl_all!(Reason: Copy);
assert_impl_all!(Shared: Send, Sync);
assert_impl_all!(crowdfold_airlock::Airlock: Send);

/// A rejection is too small to contain any content of a beacon.
#[test]
fn rejection_cannot_contain_a_payload() {
    assert_eq!(size_of::<Reason>(), 1);
    assert_eq!(size_of::<Rejection>(), size_of::<(Reason, Option<SessionHash>)>());
}
