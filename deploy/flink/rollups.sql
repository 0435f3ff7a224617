-- A table of Flink SQL that reads rollups from Kafka. Replace localhost:9092 by your brokers.
-- docs/guides/reading-rollups.md has a query. The columns are generated from the fields of a row.

CREATE TABLE rollups (
    `attempts` BIGINT,
    `bandwidth_kbps` ROW<`p50` BIGINT, `p90` BIGINT, `p95` BIGINT, `p99` BIGINT, `sessions` BIGINT, `sum` BIGINT>,
    `beacons` BIGINT,
    `bitrate_kbps` ROW<`p50` BIGINT, `p90` BIGINT, `p95` BIGINT, `p99` BIGINT, `sessions` BIGINT, `sum` BIGINT>,
    `breakdown` ARRAY<STRING>,
    `coverage` ROW<`partitions` BIGINT, `of` BIGINT>,
    `detail` BOOLEAN,
    `dimensions` MAP<STRING, STRING>,
    `dropped_frames` BIGINT,
    `errors` MAP<STRING, BIGINT>,
    `exits_before_start` BIGINT,
    `good_sessions` BIGINT,
    `live_latency_ms` ROW<`p50` BIGINT, `p90` BIGINT, `p95` BIGINT, `p99` BIGINT, `sessions` BIGINT, `sum` BIGINT>,
    `playback_failures` BIGINT,
    `playing_ms` BIGINT,
    `plays` BIGINT,
    `policy` MAP<STRING, STRING>,
    `row` BIGINT,
    `rows` BIGINT,
    `schema` STRING,
    `seeking_ms` BIGINT,
    `seeks` BIGINT,
    `sessions` BIGINT,
    `stalled_ms` BIGINT,
    `stalls` BIGINT,
    `startup_failures` BIGINT,
    `startup_ms` ROW<`p50` BIGINT, `p90` BIGINT, `p95` BIGINT, `p99` BIGINT, `sessions` BIGINT, `sum` BIGINT>,
    `switches` BIGINT,
    `switches_down` BIGINT,
    `switches_up` BIGINT,
    `tenant` STRING,
    `ttfb_ms` ROW<`p50` BIGINT, `p90` BIGINT, `p95` BIGINT, `p99` BIGINT, `sessions` BIGINT, `sum` BIGINT>,
    `window` ROW<`start` BIGINT, `end` BIGINT>,
    `window_start` AS TO_TIMESTAMP_LTZ(`window`.`start`, 3)
) WITH (
    'connector' = 'kafka',
    'properties.bootstrap.servers' = 'localhost:9092',
    -- Readers of rollups must read only committed transactions.
    'properties.isolation.level' = 'read_committed',
    'topic' = 'crowdfold.rollups',
    'scan.startup.mode' = 'earliest-offset',
    -- Without this line, a query does not end, and each new row changes its result.
    'scan.bounded.mode' = 'latest-offset',
    'format' = 'json'
);
