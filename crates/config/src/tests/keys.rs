use super::*;

#[test]
fn refusal_of_an_unknown_key_suggests_the_most_similar_key() {
    check(
        "[windows]\n\nlenght = \"1m\"\n",
        "x.toml:3: windows.lenght is not a known key; did you mean windows.length?",
    );
    check("[widows]\nlength = \"1m\"\n", "x.toml:1: widows is not a known key; did you mean windows?");
    check("[widows]\n", "x.toml:1: widows is not a known key; did you mean windows?");
    check("k = 100\n", "x.toml:1: k is not a known key; did you mean release.k?");
    check("[merge]\nbogus = 1\n", "x.toml:2: merge.bogus is not a known key; known here: timeout");
    check(
        "zzzzzz = 1\n",
        "x.toml:1: zzzzzz is not a known key; known here: kafka, principals, source, worker, windows, sessions, tenants, address, consent, content, dimensions, quality, release, merge, ttl, topics, collect, console, metrics, audit",
    );
    check(
        "[tenants]\nnames = [\"acme\", \"beta\"]\ndefault = \"acme\"\n[release.tenants.acme]\nmin_networks = 5\n",
        "x.toml:5: release.tenants.acme.min_networks is not a known key; known here: k, breakdowns, detail_breakdown",
    );
    check(
        "[tenants]\nnames = [\"acme\", \"beta\"]\ndefault = \"acme\"\n[release.tenants.acme]\nbreakdowms = [[\"os\"]]\n",
        "x.toml:5: release.tenants.acme.breakdowms is not a known key; did you mean release.tenants.acme.breakdowns?",
    );
    check(
        "[tenants]\nnames = [\"acme\", \"beta\"]\ndefault = \"acme\"\n[release.tenants.acme.privacy]\nepsilon = 1\n",
        "x.toml:4: release.tenants.acme.privacy is not a known key; known here: k, breakdowns, detail_breakdown",
    );
}

#[test]
fn refusal_of_an_unknown_key_lists_all_keys_of_the_section_if_none_is_similar() {
    for section in ["windows", "collect.tls", "release.privacy", "consent.child_directed"] {
        let message = load(&format!("[{section}]\nzzzzzzzz = 1\n")).err().unwrap().to_string();
        let known = format!("x.toml:2: {section}.zzzzzzzz is not a known key; known here: ");
        assert!(message.starts_with(&known), "{message}");
    }
}

#[test]
fn misspelled_key_of_a_nested_section_is_refused() {
    for (text, expect) in [
        (
            "[collect.tls]\ncertficate = \"\"\n",
            "x.toml:2: collect.tls.certficate is not a known key; did you mean collect.tls.certificate?",
        ),
        (
            "[release.privacy]\nepsilom = 1\n",
            "x.toml:2: release.privacy.epsilom is not a known key; did you mean release.privacy.epsilon?",
        ),
        (
            "[consent.child_directed]\ntenant = []\n",
            "x.toml:2: consent.child_directed.tenant is not a known key; did you mean consent.child_directed.tenants?",
        ),
        (
            "[release]\nepsilon = 1\n",
            "x.toml:2: release.epsilon is not a known key; did you mean release.privacy.epsilon?",
        ),
        (
            "[collect.tsl]\nkey = \"\"\n",
            "x.toml:1: collect.tsl is not a known key; did you mean collect.tls?",
        ),
        (
            "release = { privcy = { epsilon = 1 } }\n",
            "x.toml:1: release.privcy is not a known key; did you mean release.privacy?",
        ),
    ] {
        check(text, expect);
    }
}

#[test]
fn key_that_is_set_twice_is_refused_with_its_name_and_line() {
    check("[release]\nk = 50\n\nk = 60\n", "x.toml:4: not TOML: k occurs twice; remove one");
    check("[kafka]\n[release]\n[kafka]\n", "x.toml:3: not TOML: kafka occurs twice; remove one");
    check("release = { k = 50, k = 60 }\n", "x.toml:1: not TOML: k occurs twice; remove one");
}

#[test]
fn value_instead_of_a_section_and_section_instead_of_a_value_are_refused() {
    check("[windows]\nlength = \"1m\n", "x.toml:2: not TOML: invalid basic string, expected `\"`");
    check("[windows]\nlength\n", "x.toml:2: not TOML: key with no value, expected `=`");
    check(
        "windows = 3\n",
        "x.toml:1: windows is set to a whole number, but it is a section; write [windows] and its keys",
    );
    check(
        "[windows.length]\nx = 1\n",
        "x.toml:1: windows.length is written as a section; write it as a key with a value",
    );
    check(
        "[source.fields]\nts.at = \"x\"\n",
        "x.toml:2: source.fields.ts is written as a section; set it to a path of object keys, such as \"player.session_id\" or [\"player\", \"session.id\"]",
    );
    check(
        "[tenants]\nnames = [\"acme\", \"beta\"]\ndefault = \"acme\"\n[release.tenants]\nacme = 5\n",
        "x.toml:5: release.tenants.acme is set to a whole number, but it is a section; write [release.tenants.acme] and its keys",
    );
    check(
        "[tenants]\nnames = [\"acme\", \"beta\"]\ndefault = \"acme\"\n[tenants.attributes.acme.plan]\nname = \"pro\"\n",
        "x.toml:4: tenants.attributes.acme.plan is written as a section; set it to a string",
    );
    check(
        "[[release]]\nk = 5\n",
        "x.toml:1: release is set to a list, but it is a section; write [release] and its keys",
    );
    check(
        "release.privacy = true\n",
        "x.toml:1: release.privacy is set to true or false, but it is a section; write [release.privacy] and its keys",
    );
}
