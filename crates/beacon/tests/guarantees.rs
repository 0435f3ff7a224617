//! Structural rule 1: no type that holds something of a person can reach a serializer, a formatter, a hash key or a
//! copy, and no address or beacon another thread. The errors themselves are shown by the `compile_fail` examples at the
//! types.

use std::fmt::{Debug, Display};
use std::hash::Hash;

use crowdfold_beacon::{Address, Beacon, Body, Http, Malformed, Network, Packer, ReadError, Reader};
use serde::Serialize;
use static_assertions::assert_not_impl_any;

/// The compiler checks it: if this compiles, it holds.
#[test]
fn invariant_1_no_address_can_be_written_hashed_copied_or_sent_to_another_thread() {
    assert_not_impl_any!(Beacon<'static>: Debug, Display, Clone, Hash, Serialize, PartialEq);
    assert_not_impl_any!(Http<'static>: Debug, Display, Clone, Hash, Serialize, PartialEq);
    assert_not_impl_any!(Body<'static>: Debug, Display, Clone, Hash, Serialize, bincode::Encode, PartialEq);
    assert_not_impl_any!(Packer: Debug, Display, Clone, Hash, Serialize, bincode::Encode);
    assert_not_impl_any!(Address: Debug, Display, Clone, Hash, Serialize, PartialEq);
    assert_not_impl_any!(Network: Debug, Display, Clone, Hash, Serialize, PartialEq);
    // whatever a channel or a task could carry is Send, and whatever a thread could lend another is Sync
    assert_not_impl_any!(Address: Send, Sync);
    assert_not_impl_any!(Beacon<'static>: Send, Sync);
    assert_not_impl_any!(Reader: Debug, Display, Clone, Hash, Serialize);
}

/// The error of a malformed beacon cannot hold its content.
#[test]
fn errors_carry_nothing() {
    assert_eq!((size_of::<Malformed>(), size_of::<ReadError>()), (0, 1));
}
