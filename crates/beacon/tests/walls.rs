//! Wall 1: no type that holds something of a person can reach a serializer, a formatter, a hash key or a copy. The
//! errors themselves are shown by the `compile_fail` examples at the types.

use std::fmt::{Debug, Display};
use std::hash::Hash;

use crowdfold_beacon::{Address, Beacon, Body, Http, Malformed, Network, Packer, Reader};
use serde::Serialize;
use static_assertions::assert_not_impl_any;

/// Told by the compiler: where this compiles, it holds.
#[test]
fn invariant_1_no_address_can_be_written_hashed_or_copied() {
    assert_not_impl_any!(Beacon<'static>: Debug, Display, Clone, Hash, Serialize, PartialEq);
    assert_not_impl_any!(Http<'static>: Debug, Display, Clone, Hash, Serialize, PartialEq);
    assert_not_impl_any!(Body<'static>: Debug, Display, Clone, Hash, Serialize, bincode::Encode, PartialEq);
    assert_not_impl_any!(Packer: Debug, Display, Clone, Hash, Serialize, bincode::Encode);
    assert_not_impl_any!(Address: Debug, Display, Clone, Hash, Serialize, PartialEq);
    assert_not_impl_any!(Network: Debug, Display, Clone, Hash, Serialize, PartialEq);
    assert_not_impl_any!(Reader: Debug, Display, Clone, Hash, Serialize);
}

/// What is malformed has no room for what it was.
#[test]
fn errors_carry_nothing() {
    assert_eq!(size_of::<Malformed>(), 0);
}
