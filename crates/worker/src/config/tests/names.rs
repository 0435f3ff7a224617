use crowdfold_airlock::Settings;

use super::*;

#[test]
fn error_for_an_unknown_field_suggests_the_most_similar_name() {
    check(
        "[source.fields]\nbandwith_kbps = \"b\"\n",
        "x.toml:2: source.fields.bandwith_kbps is not a field of a beacon; did you mean bandwidth_kbps? (write \
         crowdfold's name on the left and your own name on the right)",
    );
    let unknown = config(
        "[source.fields]
zzzzzz = \"b\"
",
    )
    .err()
    .unwrap();
    let start = "x.toml:2: source.fields.zzzzzz is not a field of a beacon (write crowdfold's name on the left and \
                 your own name on the right); crowdfold's names are ";
    let names: Vec<&str> =
        unknown.strip_prefix(start).expect("the start of the message").split(", ").collect();
    assert_eq!(names, Settings::field_names().collect::<Vec<_>>());
    check(
        "[source]\nformat = \"capture\"\n[source.log]\nqery = \"b\"\npath = \"p\"\n",
        "x.toml:4: source.log.qery is not a field of a log; did you mean query? (write crowdfold's name \
         on the left and your own name on the right)",
    );
}

#[test]
fn error_for_a_property_that_librdkafka_does_not_accept_omits_the_value() {
    check(
        "[kafka.properties]\nno.such = 1\n",
        "x.toml:2: kafka.properties.no.such is not a property of librdkafka; see CONFIGURATION.md at \
         https://github.com/confluentinc/librdkafka",
    );
    check(
        "[kafka.properties]\nsasl.usernam = \"hunter2\"\n",
        "x.toml:2: kafka.properties.sasl.usernam is not a property of librdkafka; did you mean sasl.username?",
    );
    check(
        "[kafka.eraser]\nsecurity.protocol = \"hunter2\"\n",
        "x.toml:2: kafka.eraser.security.protocol has a value that this build of librdkafka does not accept; see CONFIGURATION.md at \
         https://github.com/confluentinc/librdkafka",
    );
    assert!(config("[kafka.properties]\nsocket.keepalive.enable = true\nlinger.ms = 5\n").is_ok());
}

#[test]
fn attribute_of_a_tenant_must_not_have_the_name_of_a_dimension() {
    for name in ["device", "country"] {
        check(
            &format!("[tenants.attributes.default]\n{name} = \"tv\"\n"),
            &format!(
                "x.toml:2: tenants.attributes.default.{name} has the name of a dimension, so a query could not \
         distinguish the two; choose another name"
            ),
        );
    }
}

#[test]
fn content_pattern_must_be_a_regular_expression() {
    check(
        "[content]\npattern = \"ep-[0-9\"\n",
        "x.toml:2: content.pattern is not a regular expression (unclosed character class); correct it, or set it to \"\"",
    );
    for pattern in ["a)|(b", "*", "x{9999999}"] {
        let message = config(&format!("[content]\npattern = \"{pattern}\"\n")).err().unwrap_or_default();
        assert!(message.contains("x.toml:2: content.pattern is not a regular expression ("), "{message}");
    }
    let ids = config("[content]\npattern = \"[0-9]{13}\"\n").unwrap().public_ids().unwrap();
    assert!(ids.contain("6038086711001") && !ids.contain("x6038086711001"));
    assert!(config("").unwrap().public_ids().is_none());
}

#[test]
fn values_of_audit_known_must_have_at_least_four_characters() {
    check(
        "[audit]\nknown = [\"long enough\", \"abc\"]\n",
        "x.toml:2: audit.known contains a value of fewer than 4 characters (number 2 in the list), which would be found \
         in most records; use longer values",
    );
}
