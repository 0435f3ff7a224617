//! Tests of the words in Rust identifiers.

use std::str::FromStr;

use proc_macro2::{TokenStream, TokenTree};

use crate::assert_none;
use crate::language::{contains_word, denied, sources};

/// Former terms that identifiers must not contain, each with its replacement. Some of them have another meaning in
/// pages and comments, where they are therefore permitted.
const FORMER: [(&str, &str); 32] = [
    ("audience", "the term is \"load generator\""),
    ("closure", "the term is \"close marker\""),
    ("closures", "the term is \"close marker\""),
    ("deed", "the term is \"activity\""),
    ("drilldown", "the term is \"breakdown\""),
    ("drilldowns", "the term is \"breakdown\""),
    ("drill down", "the term is \"breakdown\""),
    ("guard networks", "the term is \"min networks\""),
    ("halt", "the term is \"error\""),
    ("leaver", "the term is \"opted-out session\""),
    ("let go", "the term is \"revoked\""),
    ("merge partition", "the term is \"partial partition\""),
    ("merge partitions", "the term is \"partial partitions\""),
    ("mistake", "the term is \"seeded bug\""),
    ("mistakes", "the term is \"seeded bug\""),
    ("planted", "the term is \"seeded bug\""),
    ("quiet", "the term is \"idle\""),
    ("scene", "the term is \"scenario\""),
    ("seal", "the term is \"prepare\""),
    ("sealed", "the term is \"prepared\""),
    ("seat", "use no metaphors"),
    ("seats", "use no metaphors"),
    ("settle", "the term is \"commit\""),
    ("settled", "the term is \"committed\""),
    ("sittings", "the term is \"session summary\""),
    ("spread", "the term is \"distribution summary\""),
    ("standing", "the term is \"idle commit\""),
    ("tag key", "the term is \"session hasher\""),
    ("take up", "the term is \"assigned\""),
    ("trouble", "the term is \"error\""),
    ("who", "use a noun"),
    ("world", "the term is \"scenario\""),
];

#[test]
fn identifiers_contain_no_denied_words_or_former_terms() {
    let mut complaints = Vec::new();
    for page in sources() {
        let tokens =
            TokenStream::from_str(&page.text).unwrap_or_else(|error| panic!("{}: {error}", page.path));
        for (line, identifier) in identifiers(tokens) {
            complaints.extend(refused(&identifier).into_iter().map(|(word, remedy)| {
                format!("{}:{line}: {identifier} contains \"{word}\"; {remedy}", page.path)
            }));
        }
    }
    assert_none(&complaints);
}

/// Returns the identifiers of a source, with their lines. Literals and comments are not identifiers.
fn identifiers(tokens: TokenStream) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) => found.extend(identifiers(group.stream())),
            TokenTree::Ident(identifier) => {
                found.push((identifier.span().start().line, identifier.to_string()))
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
    found
}

/// Returns the denied words and the former terms in an identifier, each with its remedy.
fn refused(identifier: &str) -> Vec<(&'static str, &'static str)> {
    let words = words(identifier);
    let former = FORMER.into_iter().filter(|(term, _)| contains_word(&words, term));
    denied(&words).chain(former).collect()
}

/// Divides an identifier in snake case or camel case into words. The words are in lower case.
fn words(identifier: &str) -> String {
    let mut words = String::new();
    let mut previous = ' ';
    let mut characters = identifier.chars().peekable();
    while let Some(c) = characters.next() {
        let ends_an_acronym =
            previous.is_uppercase() && characters.peek().is_some_and(|next| next.is_lowercase());
        let begins = c.is_uppercase() && (!previous.is_uppercase() || ends_an_acronym);
        if c == '_' || begins {
            words.push(' ');
        }
        words.extend(c.to_lowercase().filter(|c| *c != '_'));
        previous = c;
    }
    words
}

#[test]
fn identifiers_are_divided_into_words() {
    let divided =
        |identifier: &str| words(identifier).split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(divided("merge_partitions"), ["merge", "partitions"]);
    assert_eq!(divided("MERGE_PARTITIONS"), ["merge", "partitions"]);
    assert_eq!(divided("MergePartitions2"), ["merge", "partitions2"]);
    assert_eq!(divided("TlsGATEKeeper"), ["tls", "gate", "keeper"]);
    let found = |source: &str| {
        let identifiers = identifiers(TokenStream::from_str(source).unwrap()).into_iter();
        identifiers
            .flat_map(|(line, name)| refused(&name).into_iter().map(move |(word, _)| (line, word)))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        found("fn a() {\n let b = c.is_told(); }\nstruct TagKey;"),
        [(2, "is told"), (2, "told"), (3, "tag key")]
    );
    assert_eq!(found("// told\nlet aggregate = \"told\"; let world_wide = 1;"), [(2, "world")]);
    assert_eq!(found("let (unsealed, navigate, whole, tagged_key) = 1;"), []);
}
