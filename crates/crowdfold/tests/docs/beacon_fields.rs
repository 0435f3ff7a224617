//! Generates the table of the fields of a JSON beacon that are neither dimensions nor metrics.

use std::fmt::Write as _;

use crowdfold_testkit::fields::Field;

use crate::fields::assert_part_is_generated;

#[test]
fn table_of_plain_fields_is_generated_from_the_reader_of_beacons() {
    let mut table = String::from("| field | meaning |\n|---|---|\n");
    for (name, meaning) in Field::plain() {
        writeln!(table, "| `{name}` | {meaning} |").expect("a string");
    }
    assert_part_is_generated("docs/reference/beacon.md", "plain-fields", &table);
}
