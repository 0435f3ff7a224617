use super::*;

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn value_outside_its_range_is_refused() {
    check(
        "[windows]\nlength = \"0s\"\n",
        "x.toml:2: windows.length is \"0s\"; set it to a duration from 1s to 1d, such as \"90s\" (units: ms, s, m, h, d, w)",
    );
    check(
        "[windows]\nlength = \"7m\"\n",
        "x.toml:2: windows.length is 7m, which does not divide a day; set it to 1m, 5m or 1h, for example",
    );
    check(
        "[windows]\nlength = 60\n",
        "x.toml:2: windows.length is 60; set it to a duration from 1s to 1d, such as \"90s\" (units: ms, s, m, h, d, w)",
    );
    check(
        "[windows]\nlateness = \"2h\"\n",
        "x.toml:2: windows.lateness is \"2h\"; set it to a duration from 0s to 1h, such as \"90s\" (units: ms, s, m, h, d, w)",
    );
    check(
        "[sessions]\nidle_timeout = \"2h\"\n",
        "x.toml:2: sessions.idle_timeout is \"2h\"; set it to a duration from 1s to 1h, such as \"90s\" (units: ms, s, m, h, d, w)",
    );
    check(
        "[sessions]\nidle_timeout = \"0s\"\n",
        "x.toml:2: sessions.idle_timeout is \"0s\"; set it to a duration from 1s to 1h, such as \"90s\" (units: ms, s, m, h, d, w)",
    );
    check(
        "[sessions]\nmax_per_partition = -1\n",
        "x.toml:2: sessions.max_per_partition is -1; set it to a whole number from 1 to 100000000",
    );
    check(
        "[sessions]\nmax_per_partition = 99999999999999999999\n",
        "x.toml:2: sessions.max_per_partition is a number of more than 64 bits; set it to a whole number from 1 to 100000000",
    );
    check(
        "[quality]\nstartup = \"2m\"\n",
        "x.toml:2: quality.startup is \"2m\"; set it to a duration from 0s to 1m, such as \"90s\" (units: ms, s, m, h, d, w)",
    );
    check(
        "[quality]\nrebuffering = 1.5\n",
        "x.toml:2: quality.rebuffering is 1.5; set it to a number from 0 to 1",
    );
    check(
        "[quality.tenants.default]\nbitrate = 2000000\n",
        "x.toml:2: quality.tenants.default.bitrate is 2000000; set it to a whole number from 0 to 1000000",
    );
    check(
        "[merge]\ntimeout = \"0s\"\n",
        "x.toml:2: merge.timeout is \"0s\"; set it to a duration from 1s to 1d, such as \"90s\" (units: ms, s, m, h, d, w)",
    );
    check(
        "[ttl]\nbeacons = \"-1\"\n",
        "x.toml:2: ttl.beacons is \"-1\"; set it to a duration from 1s to 7d, such as \"90s\" (units: ms, s, m, h, d, w)",
    );
    check(
        "[ttl]\nbeacons = \"8d\"\n",
        "x.toml:2: ttl.beacons is \"8d\"; set it to a duration from 1s to 7d, such as \"90s\" (units: ms, s, m, h, d, w)",
    );
    check(
        "[kafka]\nbrokers = 9092\n",
        "x.toml:2: kafka.brokers is 9092; set it to a list of strings, or one string with commas",
    );
    check(
        "[kafka]\nprefix = \"a b\"\n",
        "x.toml:2: kafka.prefix is \"a b\"; set it to a name of 1 to 100 letters, digits, `.`, `_` or `-`, starting with a letter or digit",
    );
    check(
        "[kafka]\ninstance = \"ö\"\n",
        "x.toml:2: kafka.instance is \"ö\"; set it to a name of 1 to 100 letters, digits, `.`, `_` or `-`, starting with a letter or digit",
    );
    check(
        "[kafka.properties]\n\"ssl.ca.location\" = 1.5\n",
        "x.toml:2: kafka.properties.ssl.ca.location is a number; set it to a string, a whole number, true or false",
    );
    check(
        "[source]\nformat = \"jsn\"\n",
        "x.toml:2: source.format is \"jsn\"; set it to \"json\", \"cmcd\" or \"capture\"",
    );
    check(
        "[source.fields]\nts = \"\"\n",
        "x.toml:2: source.fields.ts is \"\"; set it to a path of object keys, such as \"player.session_id\" or [\"player\", \"session.id\"]",
    );
    check(
        "[source.fields]\nts = \"a..b\"\n",
        "x.toml:2: source.fields.ts is \"a..b\"; set it to a path of object keys, such as \"player.session_id\" or [\"player\", \"session.id\"]",
    );
    check(
        "[source.fields]\nts = []\n",
        "x.toml:2: source.fields.ts is []; set it to a path of object keys, such as \"player.session_id\" or [\"player\", \"session.id\"]",
    );
    check(
        "[topics]\nbeacon_partitions = 0\n",
        "x.toml:2: topics.beacon_partitions is 0; set it to a whole number from 1 to 4096",
    );
    check(
        "[metrics]\nlisten = \"9464\"\n",
        "x.toml:2: metrics.listen is \"9464\"; set it to an address and a port, such as \"127.0.0.1:9464\" or \"[::]:9464\", or to \"\" for none",
    );
    check(
        "[tenants]\nnames = [\"acme\"]\n",
        "x.toml:2: tenants.default is \"default\", which is not in tenants.names; set it to one of acme",
    );
    check(
        "[tenants]\ndefault = \"acme\"\n",
        "x.toml:2: tenants.default is \"acme\", which is not in tenants.names; set it to one of default",
    );
    check("[consent]\ndnt = \"yes\"\n", "x.toml:2: consent.dnt is \"yes\"; set it to true or false");
    check("[release]\nk = 0\n", "x.toml:2: release.k is 0; set it to a whole number from 1 to 1000000");
    check(
        "[release]\nbreakdowns = [\"os\"]\n",
        "x.toml:2: release.breakdowns is [\"os\"]; set it to a list of lists, such as [[\"country\", \"asn\"], [\"os\", \"browser\"]]",
    );
    check(
        "[release]\ndetail_breakdown = \"first\"\n",
        "x.toml:2: release.detail_breakdown is \"first\"; set it to \"last\", \"none\" or a list of strings",
    );
    check(
        "[release]\nmargin = \"small\"\n",
        "x.toml:2: release.margin is \"small\"; set it to \"auto\" or a whole number from 0 to 500000",
    );
    for (threads, shown) in [("0", "0"), ("257", "257"), ("\"all\"", "\"all\"")] {
        check(
            &format!("[worker]\nthreads = {threads}\n"),
            &format!(
                "x.toml:2: worker.threads is {shown}; set it to \"auto\" or a whole number from 1 to 256"
            ),
        );
    }
    check(
        "[release]\nmin_networks = 65\n",
        "x.toml:2: release.min_networks is 65; set it to a whole number from 0 to 64",
    );
    check(
        "[release.privacy]\nepsilon = 0\n",
        "x.toml:2: release.privacy.epsilon is 0; set it to a number above 0, up to 10",
    );
    check(
        "[release.privacy]\nepsilon = 11\n",
        "x.toml:2: release.privacy.epsilon is 11; set it to a number above 0, up to 10",
    );
    check(
        "[tenants]\nper_tenant_topics = true\n[principals.tenants]\ndefault = 3\n",
        "x.toml:4: principals.tenants.default is 3; set it to a principal, or a list of them",
    );
}

#[test]
fn broker_without_host_or_port_is_refused() {
    check("[kafka]\nbrokers = []\n", "x.toml:2: kafka.brokers is empty; name at least one host:port");
    check(
        "[kafka]\nbrokers = [\"localhost\"]\n",
        "x.toml:2: kafka.brokers contains \"localhost\"; write host:port",
    );
    check(
        "[kafka]\nbrokers = \"localhost\"\n",
        "x.toml:2: kafka.brokers contains \"localhost\"; write host:port",
    );
    check("[kafka]\nbrokers = \" , \"\n", "x.toml:2: kafka.brokers is empty; name at least one host:port");
}

#[test]
fn property_that_crowdfold_sets_is_refused_with_the_reason() {
    check(
        "[kafka.properties]\ngroup.id = \"x\"\n",
        "x.toml:2: kafka.properties.group.id is set by crowdfold, because it is made from kafka.prefix; remove it",
    );
    check(
        "[kafka.eraser]\nacks = \"0\"\n",
        "x.toml:2: kafka.eraser.acks is set by crowdfold, because transactions require it; remove it",
    );
}

#[test]
fn noise_and_privacy_budget_outside_their_ranges_are_refused() {
    for noise in ["0", "101", "2.5", "\"8\""] {
        check(
            &format!("[release]\nnoise = {noise}\n"),
            &format!("x.toml:2: release.noise is {noise}; set it to a whole number from 1 to 100"),
        );
    }
    for delta in ["0", "0.001", "-1e-9", "nan"] {
        let message = load(&format!("[release.privacy]\ndelta = {delta}\n")).err().unwrap().to_string();
        let shape = message.starts_with("x.toml:2: release.privacy.delta is ")
            && message.ends_with("; set it to a number above 0, up to 0.0001");
        assert!(shape, "{message}");
    }
}

#[test]
fn collector_settings_outside_their_ranges_are_refused() {
    let address = "; set it to an address and a port, such as \"127.0.0.1:8080\" or \"[::]:443\"";
    let origin = "; give \"*\", or a scheme and a host such as \"https://player.example\"";
    let network = "; give a network such as \"10.0.0.0/8\" or \"2001:db8::/32\", or one address";
    for (line, expect) in [
        ("listen = \"8080\"", format!("listen is \"8080\"{address}")),
        ("listen = \"\"", format!("listen is \"\"{address}")),
        ("origins = [\"player.example\"]", format!("origins contains \"player.example\"{origin}")),
        ("origins = [\"https://a.example/\"]", format!("origins contains \"https://a.example/\"{origin}")),
        ("trusted_proxies = [\"10.0.0.0/33\"]", format!("trusted_proxies contains \"10.0.0.0/33\"{network}")),
        ("trusted_proxies = [\"a.example\"]", format!("trusted_proxies contains \"a.example\"{network}")),
        ("acknowledge = \"never\"", "acknowledge is \"never\"; set it to \"written\" or \"queued\"".into()),
        ("linger = \"2s\"", "linger is \"2s\"; set it to a duration from 1ms to 1s, such as \"90s\" (units: ms, s, m, h, d, w)".into()),
        (
            "batch_bytes = 1048576",
            "batch_bytes is 1048576; set it to a whole number from 4096 to 921600".into(),
        ),
        (
            "max_body_bytes = 1000000",
            "max_body_bytes is 1000000; set it to a whole number from 1024 to 524288".into(),
        ),
        (
            "max_memory_bytes = 1000",
            "max_memory_bytes is 1000; set it to a whole number from 1048576 to 1099511627776".into(),
        ),
        ("max_connections = 0", "max_connections is 0; set it to a whole number from 1 to 1000000".into()),
        (
            "max_requests_per_connection_second = -1",
            "max_requests_per_connection_second is -1; set it to a whole number from 0 to 1000000".into(),
        ),
    ] {
        check(&format!("[collect]\n{line}\n"), &format!("x.toml:2: collect.{expect}"));
    }
    load("[collect]\ntrusted_proxies = [\"10.0.0.0/8\", \"192.0.2.1\", \"2001:db8::1\"]\n").unwrap();
    load("[collect]\norigins = [\"https://a.example:8443\", \"http://[::1]:3000\", \"*\"]\n").unwrap();
}

#[test]
fn smallest_and_largest_values_of_ranges_are_accepted() {
    for text in [
        "[release]\nk = 1000000\n",
        "[release]\nk = 1\n",
        "[topics]\nbeacon_partitions = 4096\npartial_partitions = 1\n",
        "[collect]\nmax_body_bytes = 524288\nbatch_bytes = 921600\nmax_requests_per_connection_second = 0\n",
        "[release.privacy]\nepsilon = 10\ndelta = 1e-4\n",
        "[windows]\nlateness = \"0s\"\nmax_skew = \"1h\"\n",
    ] {
        load(text).unwrap();
    }
}
