use super::*;

#[test]
fn unknown_keys_are_refused_with_what_was_meant() {
    check(
        "[windows]\n\nlenght = \"1m\"\n",
        "x.toml:3: windows.lenght: unknown key; did you mean windows.length?",
    );
    check(
        "[widows]\nlength = \"1m\"\n",
        "x.toml:2: widows.length: unknown key; did you mean windows.length?",
    );
    check("[widows]\n", "x.toml:1: widows: unknown key; did you mean windows?");
    check("k = 100\n", "x.toml:1: k: unknown key; did you mean release.k?");
    check("[merge]\nbogus = 1\n", "x.toml:2: merge.bogus: unknown key; known here: patience");
    check(
        "zzzzzz = 1\n",
        "x.toml:1: zzzzzz: unknown key; known here: kafka, principals, source, windows, sessions, tenants, address, consent, \
         content, release, merge, ttl, topics, collect, metrics, audit",
    );
    check(
        "[source.fields]\nbandwith_kbps = \"b\"\n",
        "x.toml:2: source.fields.bandwith_kbps: is no field of a beacon; did you mean bandwidth_kbps? (ours on the \
         left, theirs on the right)",
    );
    check(
        "[kafka.properties]\nno.such = 1\n",
        "x.toml:2: kafka.properties.no.such: librdkafka has no such property: see its CONFIGURATION.md",
    );
}

#[test]
fn times_that_do_not_fit_are_refused() {
    check(
        "[windows]\nlength = \"0s\"\n",
        "x.toml:2: windows.length: found a string \"0s\", want a duration from 1s to 1d, such as \"90s\"",
    );
    check(
        "[windows]\nlength = \"7m\"\n",
        "x.toml:2: windows.length: a day is not a whole number of such windows: take for instance 1m, 5m \
         or 1h",
    );
    check(
        "[windows]\nlength = 60\n",
        "x.toml:2: windows.length: found a whole number 60, want a duration from 1s to 1d, such as \
         \"90s\"",
    );
    check(
        "[windows]\nlateness = \"2h\"\n",
        "x.toml:2: windows.lateness: found a string \"2h\", want a duration from 0s to 1h, such as \
         \"90s\"",
    );
    check("[windows]\nlength = \"1m\n", "x.toml:2: not TOML: invalid basic string, expected `\"`");
    check("[windows]\nlength\n", "x.toml:2: not TOML: key with no value, expected `=`");
    check(
        "windows = 3\n",
        "x.toml:1: windows: found a whole number, but this is a section: write [windows] and its keys",
    );
    check(
        "[windows.length]\nx = 1\n",
        "x.toml:2: windows.length: found a section, but this is a key: give it a value",
    );
    check(
        "[sessions]\nidle = \"2h\"\n",
        "x.toml:2: sessions.idle: found a string \"2h\", want a duration from 1s to 1h, such as \"90s\"",
    );
    check(
        "[sessions]\nidle = \"0s\"\n",
        "x.toml:2: sessions.idle: found a string \"0s\", want a duration from 1s to 1h, such as \"90s\"",
    );
    check(
        "[sessions]\nmax = -1\n",
        "x.toml:2: sessions.max: found a whole number -1, want a whole number from 1 to 100000000",
    );
    check(
        "[sessions]\nmax = 99999999999999999999\n",
        "x.toml:2: sessions.max: found a number beyond all bounds, want a whole number from 1 to \
         100000000",
    );
    check(
        "[merge]\npatience = \"0s\"\n",
        "x.toml:2: merge.patience: found a string \"0s\", want a duration from 1s to 1d, such as \"90s\"",
    );
    check(
        "[ttl]\nbeacons = \"-1\"\n",
        "x.toml:2: ttl.beacons: found a string \"-1\", want a duration from 1s to 7d, such as \"90s\"",
    );
    check(
        "[ttl]\nbeacons = \"30m\"\n",
        "x.toml:2: ttl.beacons: 30m leaves a retention of 24m at most, but windows.length 1m + \
         windows.lateness 30s + sessions.idle 90s + ttl.outage 30m must fit into it: raise ttl.beacons to \
         47m or lower one of them",
    );
    check(
        "[ttl]\nbeacons = \"8d\"\n",
        "x.toml:2: ttl.beacons: found a string \"8d\", want a duration from 1s to 7d, such as \"90s\"",
    );
    check(
        "[ttl]\noutage = \"5h\"\n",
        "x.toml:2: ttl.beacons: 1h leaves a retention of 48m at most, but windows.length 1m + \
         windows.lateness 30s + sessions.idle 90s + ttl.outage 5h must fit into it: raise ttl.beacons to \
         384m or lower one of them",
    );
    check(
        "[ttl]\npartials = \"20m\"\n",
        "x.toml:2: ttl.partials: 20m leaves a retention of 16m at most, but windows.length 1m + \
         merge.patience 15m + ttl.outage 30m must fit into it: raise ttl.partials to 63m or lower one of \
         them",
    );
    check(
        "[merge]\npatience = \"10h\"\n",
        "x.toml:2: ttl.partials: 6h leaves a retention of 288m at most, but windows.length 1m + \
         merge.patience 10h + ttl.outage 30m must fit into it: raise ttl.partials to 794m or lower one of \
         them",
    );
}

#[test]
fn clusters_topics_and_sources_that_cannot_be_are_refused() {
    check("[kafka]\nbrokers = []\n", "x.toml:2: kafka.brokers: is empty: name at least one host:port");
    check(
        "[kafka]\nbrokers = [\"localhost\"]\n",
        "x.toml:2: kafka.brokers: found \"localhost\", want host:port",
    );
    check(
        "[kafka]\nbrokers = \"localhost\"\n",
        "x.toml:2: kafka.brokers: found \"localhost\", want host:port",
    );
    check("[kafka]\nbrokers = \" , \"\n", "x.toml:2: kafka.brokers: is empty: name at least one host:port");
    check(
        "[kafka]\nbrokers = 9092\n",
        "x.toml:2: kafka.brokers: found a whole number 9092, want a list of strings, or one string with commas",
    );
    check(
        "[kafka]\nprefix = \"a b\"\n",
        "x.toml:2: kafka.prefix: found \"a b\", want 1 to 100 letters, digits, `.`, `_` or `-`, beginning \
         with a letter or digit",
    );
    check(
        "[kafka]\ninstance = \"ö\"\n",
        "x.toml:2: kafka.instance: found \"ö\", want 1 to 100 letters, digits, `.`, `_` or `-`, beginning \
         with a letter or digit",
    );
    check(
        "[kafka.properties]\ngroup.id = \"x\"\n",
        "x.toml:2: kafka.properties.group.id: is set by crowdfold: it is made from kafka.prefix; take it \
         out",
    );
    check(
        "[kafka.properties]\n\"ssl.ca.location\" = 1.5\n",
        "x.toml:2: kafka.properties.ssl.ca.location: found a number, want a string, a whole number, true \
         or false",
    );
    check(
        "[source]\nformat = \"jsn\"\n",
        "x.toml:2: source.format: found a string \"jsn\", want one of json, cmcd, capture",
    );
    check(
        "[source]\ntopic = \"crowdfold.partials\"\n",
        "x.toml:2: source.topic: crowdfold.partials is what crowdfold writes itself: name another topic, \
         or another kafka.prefix",
    );
    check(
        "[source]\ntopic = \"a/b\"\n",
        "x.toml:2: source.topic: found \"a/b\", which Kafka does not take as a name",
    );
    check(
        "[source.fields]\nts = \"\"\n",
        "x.toml:2: source.fields.ts: want a path of object keys, such as \"player.session_id\" or \
         [\"player\", \"session.id\"]",
    );
    check(
        "[source.fields]\nts = \"a..b\"\n",
        "x.toml:2: source.fields.ts: want a path of object keys, such as \"player.session_id\" or \
         [\"player\", \"session.id\"]",
    );
    check(
        "[source.fields]\nts = []\n",
        "x.toml:2: source.fields.ts: want a path of object keys, such as \"player.session_id\" or \
         [\"player\", \"session.id\"]",
    );
    check(
        "[source.fields]\nts = \"at\"\nsession = \"at.id\"\n",
        "x.toml:2: source.fields.ts: lies where session lies: give each field a path of its own",
    );
    check(
        "[source.fields]\nts.at = \"x\"\n",
        "x.toml:2: source.fields.ts.at: is no field of a beacon (ours on the left, theirs on the right)",
    );
    check(
        "[topics]\npartitions = 0\n",
        "x.toml:2: topics.partitions: found a whole number 0, want a whole number from 1 to 4096",
    );
    check(
        "[metrics]\nlisten = \"9464\"\n",
        "x.toml:2: metrics.listen: found \"9464\", want an address and a port, such as 127.0.0.1:9464 or \
         [::]:9464",
    );
}

#[test]
fn tenants_and_content_outside_the_catalogue_are_refused() {
    check("[tenants]\nnames = []\n", "x.toml:2: tenants.names: found 0 tenants, want 1 to 10000");
    check(
        "[tenants]\nnames = [\"Acme\"]\n",
        "x.toml:2: tenants.names: found \"Acme\", want 1 to 40 of a-z, 0-9 and -",
    );
    check(
        "[tenants]\nnames = [\"acme\"]\n",
        "x.toml:2: tenants.default: \"default\" is not in tenants.names: set it to one of acme",
    );
    check(
        "[tenants]\nnames = [\"acme\", \"acme\"]\n",
        "x.toml:2: tenants.names: names acme twice: take one out",
    );
    check(
        "[tenants]\ndefault = \"acme\"\n",
        "x.toml:2: tenants.default: \"acme\" is not in tenants.names: set it to one of default",
    );
    check("[consent]\ndnt = \"yes\"\n", "x.toml:2: consent.dnt: found a string \"yes\", want true or false");
    check(
        "[consent.child_directed]\ntenants = [\"defalt\"]\n",
        "x.toml:2: consent.child_directed.tenants: \"defalt\" is not in tenants.names; did you mean \
         default?",
    );
    check(
        "[content]\npolicy = \"drop\"\n",
        "x.toml:2: content.policy = \"drop\" lets no content in, but release.breakdowns names content: give them \
         without it, or keep content",
    );
}

#[test]
fn content_patterns_that_are_not_regular_expressions_are_refused() {
    check(
        "[content]\npattern = \"ep-[0-9\"\n",
        "x.toml:2: content.pattern: is not a regular expression (unclosed character class); correct it, or set it to \"\"",
    );
    for pattern in ["a)|(b", "*", "x{9999999}"] {
        let problem =
            config(&format!("[content]\npattern = \"{pattern}\"\n")).err().map(|problem| problem.to_string());
        let problem = problem.unwrap_or_default();
        assert!(problem.contains("x.toml:2: content.pattern: is not a regular expression ("), "{problem}");
    }
    let ids = config("[content]\npattern = \"[0-9]{13}\"\n").unwrap().content.public_ids().unwrap();
    assert!(ids.contain("6038086711001") && !ids.contain("x6038086711001"));
    assert!(config("").unwrap().content.public_ids().is_none());
}

#[test]
fn policies_that_would_not_protect_are_refused() {
    check(
        "[release]\nk = 9\n",
        "x.toml:2: release.k is 9, and a group of fewer than 10 sessions is hardly a crowd: raise \
         release.k to 10 or more, or set release.allow_small_k = true",
    );
    check(
        "[release]\nk = 0\n",
        "x.toml:2: release.k: found a whole number 0, want a whole number from 1 to 1000000",
    );
    check(
        "[source]\ntopic = \"events\"\n[ttl]\nerase_counted = true\n",
        "x.toml:4: ttl.erase_counted: source.topic events is not this deployment's own (crowdfold.beacons), and \
         whoever else reads it would lose what is erased: leave erase_counted false, or set ttl.erase_shared = true \
         if nobody else needs it",
    );
    for own in [
        "[ttl]\nerase_counted = true\n",
        "[source]\ntopic = \"crowdfold.beacons\"\n[ttl]\nerase_counted = true\n",
        "[source]\ntopic = \"events\"\n[ttl]\nerase_counted = true\nerase_shared = true\n",
    ] {
        assert!(config(own).unwrap().ttl.erase_counted, "{own}");
    }
    check(
        "[release]\npolicy = \"differential-privacy\"\n",
        "x.toml:2: release.policy: differential-privacy needs a secret that keys the noise, the same for all workers: \
         make one with `openssl rand -hex 32` and name its file in release.privacy.secret_file, or use threshold",
    );
    check(
        "[release]\nbreakdowns = []\n",
        "x.toml:2: release.breakdowns is empty, so nothing would ever be released: name at least one, \
         such as [\"country\"]",
    );
    check(
        "[release]\nbreakdowns = [\"os\"]\n",
        "x.toml:2: release.breakdowns: found a list [\"os\"], want a list of lists, such as \
         [[\"country\", \"asn\"], [\"os\", \"browser\"]]",
    );
    check(
        "[release]\nbreakdowns = [[\"contry\"]]\n",
        "x.toml:2: release.breakdowns: \"contry\" is no dimension; did you mean country?",
    );
    check(
        "[release]\nbreakdowns = [[\"os\", \"os\"]]\n",
        "x.toml:2: release.breakdowns: breakdown [os, os] names os twice: take one out",
    );
    check(
        "[release]\nbreakdowns = [[\"country\"], [\"asn\", \"os\"]]\n",
        "x.toml:2: release.breakdowns: breakdowns [country] and [asn, os] both tell of the place \
         (country and asn): two tables that know the same thing can be subtracted from each other, and \
         what is left may be a single viewer; put country and asn in one breakdown, or take one of them \
         out of release.breakdowns",
    );
    check(
        "[release]\nbreakdowns = [[\"asn\", \"content\"]]\n",
        "x.toml:2: release.breakdowns: breakdown [asn, content] crosses content with asn: a content id \
         can name its uploader, and asn says where its few viewers are; take content or asn out of it, or \
         set content.allow_below_place = true",
    );
    check(
        "[release]\nbreakdowns = [[\"network\"]]\n",
        "x.toml:2: release.breakdowns: names network, of which address.policy = \"strip\" keeps nothing: \
         take it out, or truncate",
    );
    check(
        "[release]\ndetail_breakdown = [\"os\"]\n",
        "x.toml:2: release.detail_breakdown: is not one of release.breakdowns; name one exactly as it is listed there, \
         \"last\" or \"none\"",
    );
    check(
        "[release]\ndetail_breakdown = \"first\"\n",
        "x.toml:2: release.detail_breakdown: found a string \"first\", want \"last\", \"none\" or a list of strings",
    );
    check(
        "[release]\nmargin = 26\n",
        "x.toml:2: release.margin is 26, above half of release.k, which is 50; set 1 to 25",
    );
    check(
        "[release]\nmargin = 0\n",
        "x.toml:2: release.margin is 0, which lets small groups be computed to within a few sessions; set 1 or more, or \
         set release.allow_small_k = true for trials",
    );
    check(
        "[release]\nmargin = \"small\"\n",
        "x.toml:2: release.margin: found a string \"small\", want \"auto\" or a whole number from 0 to 500000",
    );
    for noise in ["0", "101", "2.5"] {
        let kind = if noise == "2.5" { "a number" } else { "a whole number" };
        check(
            &format!("[release]\nnoise = {noise}\n"),
            &format!("x.toml:2: release.noise: found {kind} {noise}, want a whole number from 1 to 100"),
        );
    }
    check(
        "[release]\nguard_networks = 5\n",
        "x.toml:2: release.guard_networks: needs a secret that all workers share: name its file in \
         release.privacy.secret_file, or set 0",
    );
    check(
        "[release]\nguard_networks = 65\n",
        "x.toml:2: release.guard_networks: found a whole number 65, want a whole number from 0 to 64",
    );
    check(
        "[release.privacy]\nepsilon = 0\n",
        "x.toml:2: release.privacy.epsilon: found a whole number 0, want a number above 0, to 10",
    );
    check(
        "[release.privacy]\nepsilon = 11\n",
        "x.toml:2: release.privacy.epsilon: found a whole number 11, want a number above 0, to 10",
    );
    for delta in ["0", "0.001", "-1e-9", "nan"] {
        let problem = config(&format!("[release.privacy]\ndelta = {delta}\n")).err().unwrap().to_string();
        assert!(
            problem.contains("release.privacy.delta: found a") && problem.ends_with("above 0, to 0.0001"),
            "{problem}"
        );
    }
}

#[test]
fn noise_is_refused_what_it_does_not_cover() {
    let noise = "[ttl]\nbeacons = \"3h\"\n[release.privacy]\nsecret_file = \"/s\"\n";
    let with = |lines: &str| format!("[release]\npolicy = \"differential-privacy\"\n{lines}{noise}");
    assert!(config(&with("breakdowns = [[\"os\"], [\"os\", \"browser\"], [\"country\", \"os\"]]\n")).is_ok());
    check(
        &with("guard_networks = 5\n"),
        "x.toml:3: release.guard_networks is 5, but whether a row meets it may hang on one session, which no noise covers: \
         set 0, or release.policy = \"threshold\"",
    );
    check(
        &with("breakdowns = [[\"os\"], [\"os\"]]\n"),
        "x.toml:3: release.breakdowns: breakdown [os] stands twice in release.breakdowns: take one out",
    );
    check(
        &with("k = 5\n"),
        "x.toml:3: release.k is 5, and a group of fewer than 10 sessions is hardly a crowd: raise release.k to 10 or more, \
         or set release.allow_small_k = true",
    );
    let drowned = config(&format!("{}epsilon = 1e-5\n", with(""))).err().unwrap().to_string();
    assert!(
        drowned.starts_with(
            "x.toml:7: release.privacy.epsilon is 1e-5, and spread over 120 tables a day it asks for rows of"
        ) && drowned.ends_with("raise it, or take longer windows or fewer breakdowns"),
        "{drowned}"
    );
    // hours are the default, and beacons must be kept for as long as a window takes
    let short =
        config("[release]\npolicy = \"differential-privacy\"\n[release.privacy]\nsecret_file = \"/s\"\n");
    let short = short.err().unwrap().to_string();
    assert!(
        short.contains("ttl.beacons: 1h leaves a retention of") && short.contains("windows.length 1h"),
        "{short}"
    );
}

#[test]
fn impossible_collector_settings_are_refused() {
    for (lines, expect) in [
        (
            "listen = \"8080\"",
            "x.toml:2: collect.listen: found \"8080\", want an address and a port, such as 127.0.0.1:8080 or [::]:443",
        ),
        (
            "listen = \"\"",
            "x.toml:2: collect.listen: found \"\", want an address and a port, such as 127.0.0.1:8080 or [::]:443",
        ),
        (
            "origins = [\"player.example\"]",
            "x.toml:2: collect.origins: found \"player.example\", want \"*\", or a scheme and a host such as \
             \"https://player.example\"",
        ),
        (
            "origins = [\"https://player.example/\"]",
            "x.toml:2: collect.origins: found \"https://player.example/\", want \"*\", or a scheme and a host such as \
             \"https://player.example\"",
        ),
        (
            "trusted_proxies = [\"10.0.0.0/33\"]",
            "x.toml:2: collect.trusted_proxies: found \"10.0.0.0/33\", want a network such as \"10.0.0.0/8\" or \
             \"2001:db8::/32\", or one address",
        ),
        (
            "trusted_proxies = [\"proxy.example\"]",
            "x.toml:2: collect.trusted_proxies: found \"proxy.example\", want a network such as \"10.0.0.0/8\" or \
             \"2001:db8::/32\", or one address",
        ),
        (
            "proxy_protocol = true",
            "x.toml:2: collect.proxy_protocol: nobody may speak so: name the proxies in collect.trusted_proxies, or set \
             false",
        ),
        (
            "acknowledge = \"never\"",
            "x.toml:2: collect.acknowledge: found a string \"never\", want one of written, queued",
        ),
        (
            "linger = \"2s\"",
            "x.toml:2: collect.linger: found a string \"2s\", want a duration from 1ms to 1s, such as \"90s\"",
        ),
        (
            "record = 1048576",
            "x.toml:2: collect.record: found a whole number 1048576, want a whole number from 4096 to 921600",
        ),
        (
            "body = 1000000",
            "x.toml:2: collect.body: found a whole number 1000000, want a whole number from 1024 to 524288",
        ),
        (
            "memory = 1000",
            "x.toml:2: collect.memory: found a whole number 1000, want a whole number from 1048576 to 1099511627776",
        ),
        (
            "connections = 0",
            "x.toml:2: collect.connections: found a whole number 0, want a whole number from 1 to 1000000",
        ),
        (
            "tls.certificate = \"/c.pem\"",
            "x.toml:2: collect.tls.certificate: has no key: name its file in collect.tls.key",
        ),
        (
            "tls.key = \"/k.pem\"",
            "x.toml:2: collect.tls.key: has no certificate: name its file in collect.tls.certificate",
        ),
    ] {
        check(&format!("[collect]\n{lines}\n"), expect);
    }
    assert!(
        config("[collect]\ntrusted_proxies = [\"10.0.0.0/8\", \"192.0.2.1\", \"2001:db8::1\"]\n").is_ok()
    );
    assert!(
        config("[collect]\norigins = [\"https://a.example:8443\", \"http://[::1]:3000\", \"*\"]\n").is_ok()
    );
}
