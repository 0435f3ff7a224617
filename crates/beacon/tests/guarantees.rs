//! Tests structural rule 1. Types with personal data cannot be serialized, formatted, hashed or copied. An IP address
//! or a beacon cannot be sent to another thread. The `compile_fail` examples of these types show the errors of the
//! compiler.

use std::fmt::{Debug, Display};
use std::hash::Hash;

use crowdfold_beacon::{Address, Beacon, Body, Http, Malformed, Network, Packer, Parsed, ReadError, Reader};
use serde::Serialize;
use static_assertions::assert_not_impl_any;

/// The compiler checks these assertions.
#[test]
fn invariant_1_address_cannot_be_written_hashed_copied_or_sent_to_another_thread() {
    assert_not_impl_any!(Beacon<'static>: Debug, Display, Clone, Hash, Serialize, PartialEq);
    assert_not_impl_any!(Http<'static>: Debug, Display, Clone, Hash, Serialize, PartialEq);
    assert_not_impl_any!(Body<'static>: Debug, Display, Clone, Hash, Serialize, PartialEq);
    assert_not_impl_any!(Packer: Debug, Display, Clone, Hash, Serialize, PartialEq);
    assert_not_impl_any!(Parsed: Debug, Display, Clone, Hash, Serialize, PartialEq);
    assert_not_impl_any!(Address: Debug, Display, Clone, Hash, Serialize, PartialEq);
    assert_not_impl_any!(Network: Debug, Display, Clone, Hash, Serialize, PartialEq);
    // A channel or a task needs `Send`, and a reference in another thread needs `Sync`.
    assert_not_impl_any!(Address: Send, Sync);
    assert_not_impl_any!(Beacon<'static>: Send, Sync);
    assert_not_impl_any!(Reader: Debug, Display, Clone, Hash, Serialize);
}

/// The error types have no field for a part of the input.
#[test]
fn errors_contain_no_input() {
    assert_eq!((size_of::<Malformed>(), size_of::<ReadError>()), (0, 1));
}
