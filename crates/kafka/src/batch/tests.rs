use std::mem::MaybeUninit;

use super::*;

/// Creates a message in librdkafka's layout with an error number, which may be one that librdkafka does not know.
fn fabricated(number: c_int, offset: i64) -> Box<MaybeUninit<RDKafkaMessage>> {
    let mut message = Box::new(MaybeUninit::<RDKafkaMessage>::zeroed());
    let raw = message.as_mut_ptr();
    // SAFETY: the fields are inside the box; the error is written as an int, its type in C.
    unsafe {
        ptr::addr_of_mut!((*raw).err).cast::<c_int>().write(number);
        ptr::addr_of_mut!((*raw).offset).write(offset);
    }
    message
}

/// Converts a message with this error number and offset by [`Item::of`]. Returns the kind, the error number and the
/// offset of the resulting item.
fn item(number: c_int, offset: i64) -> (&'static str, i32, i64) {
    let mut message = fabricated(number, offset);
    let raw = NonNull::new(message.as_mut_ptr()).expect("a box is not null");
    // SAFETY: a zeroed message has librdkafka's layout, and lives until the end of this function.
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
fn message_with_an_unknown_error_number_becomes_an_unknown_item_and_not_a_record() {
    assert_eq!(item(0, 7), ("message", 0, 7));
    assert_eq!(item(-191, 7), ("notice", RDKafkaErrorCode::PartitionEOF as i32, 7));
    // 103 is INCONSISTENT_TOPIC_ID; Kafka does not define the other numbers
    for number in [98, 99, 103, 109, 131, 32_767, -300, i32::MIN, i32::MAX] {
        assert_eq!(item(number, 7), ("unknown", number, 0));
    }
}
