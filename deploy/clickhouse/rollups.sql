-- Tables of ClickHouse that read rollups from Kafka. Replace localhost:9092 by your brokers and default by your
-- database, and set the TTL to ttl.rollups. docs/guides/reading-rollups.md has queries. Each field of a row is a column
-- inside `row`, such as row.plays. Therefore new fields of later versions need no change.

CREATE TABLE rollups
(
    tenant LowCardinality(String),
    breakdown LowCardinality(String),
    window_start DateTime64(3, 'UTC'),
    window_end DateTime64(3, 'UTC'),
    detail Bool,
    dimensions String,
    sessions Int64,
    row JSON
)
-- The key of a row is unique. If a row is read twice, its second copy replaces the first one in queries with FINAL.
ENGINE = ReplacingMergeTree
ORDER BY (tenant, breakdown, window_start, dimensions)
PARTITION BY toDate(window_start)
TTL toDateTime(window_start) + INTERVAL 30 DAY;

-- Readers of rollups must read only committed transactions. This is the default of librdkafka.
CREATE TABLE rollups_queue (line String)
ENGINE = Kafka
SETTINGS
    kafka_broker_list = 'localhost:9092',
    kafka_topic_list = 'crowdfold.rollups',
    kafka_group_name = 'clickhouse',
    kafka_format = 'JSONAsString';

CREATE MATERIALIZED VIEW rollups_reader TO rollups AS
SELECT
    JSONExtractString(line, 'tenant') AS tenant,
    arrayStringConcat(JSONExtract(line, 'breakdown', 'Array(String)'), '.') AS breakdown,
    fromUnixTimestamp64Milli(JSONExtractInt(line, 'window', 'start'), 'UTC') AS window_start,
    fromUnixTimestamp64Milli(JSONExtractInt(line, 'window', 'end'), 'UTC') AS window_end,
    JSONExtractBool(line, 'detail') AS detail,
    JSONExtractRaw(line, 'dimensions') AS dimensions,
    JSONExtractInt(line, 'sessions') AS sessions,
    line::JSON AS row
FROM rollups_queue;
