use std::mem::MaybeUninit;

use super::*;

/// Creates a message in the library's layout, with any error number.
fn fabricated(number: c_int, offset: i64) -> Box<MaybeUninit<RDKafkaMessage>> {
    let mut message = Box::new(MaybeUninit::<RDKafkaMessage>::zeroed());
    let raw = message.as_mut_ptr();
    // SAFETY: the fields lie in the box; the error is written as the int that it is in C.
    unsafe {
        ptr::addr_of_mut!((*raw).err).cast::<c_int>().write(number);
        ptr::addr_of_mut!((*raw).offset).write(offset);
    }
    message
}

/// Returns the kind, error number and offset of the item.
fn seen(number: c_int, offset: i64) -> (&'static str, i32, i64) {
    let mut message = fabricated(number, offset);
    let raw = NonNull::new(message.as_mut_ptr()).expect("a box is not null");
    // SAFETY: a zeroed message has the library's layout, and lives until the end of this function.
    match unsafe { Item::of(raw) } {
        Item::Message(message) => {
            assert_eq!((message.key(), message.payload()), (None, &b""[..]));
            ("message", 0, message.offset())
        }
        Item::Notice(code, offset) => ("notice", code as i32, offset),
        Item::Unknown(number) => ("unknown", number, 0),
    }
}

#[test]
fn message_with_an_unknown_error_number_is_not_read_as_a_record() {
    assert_eq!(seen(0, 7), ("message", 0, 7));
    assert_eq!(seen(-191, 7), ("notice", RDKafkaErrorCode::PartitionEOF as i32, 7));
    // 103 is INCONSISTENT_TOPIC_ID; Kafka does not define the others
    for number in [98, 99, 103, 109, 131, 32_767, -300, i32::MIN, i32::MAX] {
        assert_eq!(seen(number, 7), ("unknown", number, 0));
    }
}
